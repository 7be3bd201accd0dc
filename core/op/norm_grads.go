package op

import "github.com/weft-ml/weft/core/graph"

// DefRMSNormGrad is weft.RMSNormGrad(dy, x, scale): the gradients of RMSNormalization by x and by scale.
var DefRMSNormGrad = graph.Def{
	Domain: "weft", Name: "RMSNormGrad", MinIn: 3, MaxIn: 3, MaxOut: 2, Doc: "gradients of RMSNormalization",
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Required: true}, {Name: "epsilon", Kind: graph.AttrFloat, Required: true}},
	Infer: inferLayerNormGrad, FLOPs: flopsNormGrad, Body: bodyRMSNormGrad{}, Lower: lowerRMSNormGrad,
}

type gradRMSNorm struct{}

func (gradRMSNorm) Grad(c *graph.GradCtx) []*graph.Value {
	attrs := []graph.Attr{graph.Int("axis", c.Node.Int("axis")), graph.Float("epsilon", c.Node.Float("epsilon"))}
	return c.G.AddN(&DefRMSNormGrad, "", 2, attrs, c.DY[0], c.In(0), c.In(1))
}

type bodyRMSNormGrad struct{}

// Body: with d = dy*scale, inv = 1/sqrt(mean(x*x)+epsilon) and xhat = x*inv, dx = (d - xhat*mean(d*xhat)) * inv, dscale = sum(dy*xhat).
func (bodyRMSNormGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, x, scale := in[0], in[1], in[2]
	axes := axesFrom(x, n.Int("axis"))
	inv := rootMeanSquare(n, x, axes)
	xhat, d := Mul(x, inv), Mul(dy, scale)
	return []*graph.Value{Mul(Sub(d, Mul(xhat, ReduceMean(Mul(d, xhat), axes, true))), inv), SumTo(Mul(dy, xhat), scale)}
}

// rootMeanSquare returns 1/sqrt(mean(x*x)+epsilon) over the axes.
func rootMeanSquare(n *graph.Node, x *graph.Value, axes []int) *graph.Value {
	return Reciprocal(Sqrt(Add(ReduceMean(Mul(x, x), axes, true), eps(n, x))))
}

// DefGroupNormGrad is weft.GroupNormGrad(dy, x, scale): the gradients of GroupNormalization, or with num_groups 0 of
// InstanceNormalization, by x, scale and bias.
var DefGroupNormGrad = graph.Def{
	Domain: "weft", Name: "GroupNormGrad", MinIn: 3, MaxIn: 3, MaxOut: 3, Doc: "gradients of GroupNormalization", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "num_groups", Kind: graph.AttrInt, Required: true}, {Name: "epsilon", Kind: graph.AttrFloat, Required: true}},
	Infer: inferBatchNormGrad, FLOPs: flopsNormGrad, Body: bodyGroupNormGrad{}, Lower: lowerGroupNormGrad,
}

// groupsOf returns the attribute num_groups, 0 for InstanceNormalization, which has none.
func groupsOf(n *graph.Node) int {
	if n.Def.Name == "InstanceNormalization" {
		return 0
	}
	return n.Int("num_groups")
}

type gradGroupNorm struct{}

func (gradGroupNorm) Grad(c *graph.GradCtx) []*graph.Value {
	attrs := []graph.Attr{graph.Int("num_groups", groupsOf(c.Node)), graph.Float("epsilon", c.Node.Float("epsilon"))}
	return c.G.AddN(&DefGroupNormGrad, "", 3, attrs, c.DY[0], c.In(0), c.In(1))
}

type bodyGroupNormGrad struct{}

// Body: with d = dy*scale and xhat = (x-mean)*inv, dx = (d - mean(d) - xhat*mean(d*xhat)) * inv over every group, dscale = sum(dy*xhat) and
// dbias = sum(dy) over samples and positions.
func (bodyGroupNormGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, x := in[0], in[1]
	rows := func(v *graph.Value) *graph.Value { return Reshape(v, 0, n.Int("num_groups"), -1) } // 0: the channels
	c, inv := standardise(n, rows(x), []int{2})
	xhat, d := Mul(c, inv), rows(Mul(dy, perChannel(in[2], x)))
	mean := func(v *graph.Value) *graph.Value { return ReduceMean(v, []int{2}, true) }
	dx := Mul(Sub(Sub(d, mean(d)), Mul(xhat, mean(Mul(d, xhat)))), inv)
	axes := allButChannel(x)
	return []*graph.Value{ReshapeLike(dx, x), ReduceSum(Mul(dy, ReshapeLike(xhat, x)), axes, false), ReduceSum(dy, axes, false)}
}
