package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefLayerNormalization is ONNX's LayerNormalization (Ba, Kiros, Hinton, 2016) over the dimensions from axis on. Outputs 1 and 2 are the
// mean and 1/sqrt(variance+epsilon) of every row, with size 1 in the dimensions normalised.
var DefLayerNormalization = graph.Def{
	Name: "LayerNormalization", Since: 17, MinIn: 2, MaxIn: 3, MaxOut: 3, FLOPs: flopsNorm, Doc: "scale*(x-mean)/sqrt(var+epsilon) + bias over the last dimensions",
	Attrs: []graph.AttrDef{
		{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}},
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-5}},
		{Name: "stash_type", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	},
	InPlace: []int{0},
	Infer:   inferLayerNorm, Ref: refLayerNorm, Grad: gradLayerNorm{}, Lower: lowerLayerNorm,
}

// LayerNormOptions are the settings of [LayerNormalization].
type LayerNormOptions struct {
	Axis    int     // first dimension that is normalised; negative counts from the back
	Epsilon float32 // added to the variance; 0: ONNX's default of 1e-5
}

// LayerNormalization normalises x over its dimensions from o.Axis on, then multiplies by scale and adds bias (nil: none), both of the
// shape of those dimensions.
func LayerNormalization(x, scale, bias *graph.Value, o LayerNormOptions) *graph.Value {
	attrs := []graph.Attr{graph.Int("axis", o.Axis)}
	if o.Epsilon != 0 {
		attrs = append(attrs, graph.Float("epsilon", o.Epsilon))
	}
	return x.G.Add(&DefLayerNormalization, attrs, optional3(x, scale, bias)...)
}

// wantBelow checks that input i broadcasts to the first one without enlarging it.
func wantBelow(c *graph.InferCtx, i int) {
	if !c.Has(i) || !c.In[0].HasRank || !c.In[i].HasRank {
		return
	}
	x, s := c.In[0].Shape, c.In[i].Shape
	ok := len(s) <= len(x)
	for k := 0; ok && k < len(s); k++ {
		d := x[len(x)-len(s)+k]
		ok = s[k] == d || s[k] == 1 || s[k] < 0 || d < 0
	}
	if !ok {
		c.Fail("input ", i, " does not broadcast to the first")
	}
}

func inferLayerNorm(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1, 2)
	wantBelow(c, 1)
	wantBelow(c, 2)
	x := c.In[0]
	setLike(c, 0, x.DType, x)
	stats := x.DType
	if stats.Bits() < 32 {
		stats = tensor.Float32
	}
	if !x.HasRank {
		for i := 1; i < len(c.Out); i++ {
			c.SetUnranked(i, stats)
		}
		return
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	shape := append([]int{}, x.Shape...)
	for i := axis; i < len(shape); i++ {
		shape[i] = 1
	}
	for i := 1; i < len(c.Out); i++ {
		c.Set(i, stats, shape)
	}
}

func refLayerNorm(c *graph.RefCtx) {
	shape, x := c.In[0].Shape(), c.In[0].Float64s()
	n := tensor.Size(shape[axisAttr(c.Node, len(shape)):])
	rows, eps := 0, float64(c.Node.Float("epsilon"))
	if n > 0 {
		rows = len(x) / n
	}
	mean, inv := make([]float64, rows), make([]float64, rows)
	for r := range rows {
		row := x[r*n : r*n+n]
		for _, v := range row {
			mean[r] += v / float64(n)
		}
		variance := 0.0
		for _, v := range row {
			variance += (v - mean[r]) * (v - mean[r]) / float64(n)
		}
		inv[r] = 1 / math.Sqrt(variance+eps)
		for i, v := range row {
			row[i] = (v - mean[r]) * inv[r]
		}
	}
	for i, v := range c.In[1].Expand(shape...).Float64s() {
		x[i] *= v
	}
	if c.Has(2) {
		for i, v := range c.In[2].Expand(shape...).Float64s() {
			x[i] += v
		}
	}
	if c.Wants(0) {
		c.Out[0].SetFloat64s(x)
	}
	if c.Wants(1) {
		c.Out[1].SetFloat64s(mean)
	}
	if c.Wants(2) {
		c.Out[2].SetFloat64s(inv)
	}
}

// By x, scale and bias: weft.LayerNormGrad. Through the mean and the inverse deviation: as the formulas that they are.
type gradLayerNorm struct{}

func (gradLayerNorm) Grad(c *graph.GradCtx) []*graph.Value {
	x, scale, bias := c.In(0), c.In(1), c.In(2)
	out := make([]*graph.Value, 3)
	if dy := c.DY[0]; dy != nil {
		attrs := []graph.Attr{graph.Int("axis", c.Node.Int("axis")), graph.Float("epsilon", c.Node.Float("epsilon"))}
		d := x.G.AddN(&DefLayerNormGrad, "", 3, attrs, dy, x, scale, extraOutput(c.Node, 1), extraOutput(c.Node, 2))
		out[0], out[1] = d[0], d[1]
		switch {
		case bias == nil:
		case equalShapes(bias, scale):
			out[2] = d[2]
		default:
			out[2] = SumTo(dy, bias)
		}
	}
	var of, by []*graph.Value
	for i := 1; i < len(c.DY); i++ {
		if c.DY[i] == nil {
			continue
		}
		mean, inv, _ := rowStats(x, c.Node.Int("axis"), c.Node.Float("epsilon"))
		of, by = append(of, []*graph.Value{nil, mean, inv}[i]), append(by, Cast(c.DY[i], x.DType))
	}
	if of == nil {
		return out
	}
	if d := backward(c.G, of, by, []*graph.Value{x}, true)[0]; out[0] == nil {
		out[0] = d
	} else if d != nil {
		out[0] = Add(out[0], d)
	}
	return out
}

// rowStats returns the mean and 1/sqrt(variance+epsilon) of x over the dimensions from axis on, and x-mean.
func rowStats(x *graph.Value, axis int, eps float32) (mean, inv, d *graph.Value) {
	axes := axesFrom(x, axis)
	mean = ReduceMean(x, axes, true)
	d = Sub(x, mean)
	v := ReduceMean(Mul(d, d), axes, true)
	return mean, Reciprocal(Sqrt(Add(v, ConstLike(v, float64(eps))))), d
}

// axesFrom returns the axes of x from the given one on.
func axesFrom(x *graph.Value, axis int) []int {
	if !x.HasRank {
		tensor.Fail("LayerNormalization", "the rank of the input must be known")
	}
	var axes []int
	for a, _ := tensor.Axis(axis, len(x.Shape)); a < len(x.Shape); a++ {
		axes = append(axes, a)
	}
	return axes
}

// DefLayerNormGrad is weft.LayerNormGrad(dy, x, scale, mean, inv): the gradients of LayerNormalization by x, by scale, and by
// a bias of the scale's shape. The kernel uses mean and inv = 1/sqrt(variance+epsilon); as formulas they are taken from x.
var DefLayerNormGrad = graph.Def{
	Domain: "weft", Name: "LayerNormGrad", MinIn: 5, MaxIn: 5, MaxOut: 3, Doc: "gradients of LayerNormalization",
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Required: true}, {Name: "epsilon", Kind: graph.AttrFloat, Required: true}},
	Infer: inferLayerNormGrad, FLOPs: flopsNormGrad, Body: bodyLayerNormGrad{}, Lower: lowerLayerNormGrad,
}

func inferLayerNormGrad(c *graph.InferCtx) {
	inferLike01(c)
	if c.In[1].HasRank {
		axisOf(c, c.Node.Int("axis"), len(c.In[1].Shape))
	}
	for i := 1; i < len(c.Out); i++ {
		setLike(c, i, c.In[2].DType, c.In[2])
	}
}

type bodyLayerNormGrad struct{}

// Body: with d = dy*scale and xhat = (x-mean)*inv, dx = (d - mean(d) - xhat*mean(d*xhat)) * inv, dscale = sum(dy*xhat), dbias = sum(dy).
func (bodyLayerNormGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, x, scale := in[0], in[1], in[2]
	axes := axesFrom(x, n.Int("axis"))
	_, inv, c := rowStats(x, n.Int("axis"), n.Float("epsilon"))
	xhat, d := Mul(c, inv), Mul(dy, scale)
	centred := Sub(Sub(d, ReduceMean(d, axes, true)), Mul(xhat, ReduceMean(Mul(d, xhat), axes, true)))
	return []*graph.Value{Mul(centred, inv), SumTo(Mul(dy, xhat), scale), SumTo(dy, scale)}
}
