package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Normalisations that are functions of other operators. Those of groups and by the root mean square have kernels, and gradients of their own: see norm_grads.go.

// inferChannelNorm checks x[N,C,D...] with scale and bias of [C].
func inferChannelNorm(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1, 2)
	if x := c.In[0]; x.HasRank && len(x.Shape) < 3 {
		c.Fail("the input must have rank 3 or more: [N C D ...]")
	}
	checkChannels(c, 0, 1)
	checkChannels(c, 0, 2)
	inferSame(c)
}

// checkChannels checks that input i has the shape [C] for x[N,C,...] at input x.
func checkChannels(c *graph.InferCtx, x, i int) {
	wantRank(c, i, 1)
	if c.In[x].HasRank && c.In[i].HasRank {
		if _, ok := sameDim(c.In[i].Shape[0], c.In[x].Shape[1]); !ok {
			c.Fail("input ", i, " must have one element per channel")
		}
	}
}

// standardise returns x minus its mean over the axes, and 1/sqrt(variance+epsilon).
func standardise(n *graph.Node, x *graph.Value, axes []int) (d, inv *graph.Value) {
	d = Sub(x, ReduceMean(x, axes, true))
	return d, Reciprocal(Sqrt(Add(ReduceMean(Mul(d, d), axes, true), eps(n, x))))
}

// DefInstanceNormalization is ONNX's InstanceNormalization (Ulyanov et al., 2016): every channel of every sample by itself.
//
//weft:full
var DefInstanceNormalization = graph.Def{
	Name: "InstanceNormalization", Since: 22, MinIn: 3, MaxIn: 3, Doc: "normalise each channel of each sample",
	Attrs:   []graph.AttrDef{{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-5}}},
	InPlace: []int{0},
	Infer:   inferChannelNorm, FLOPs: flopsNorm, Body: bodyInstanceNorm{}, Grad: gradGroupNorm{}, Lower: lowerGroupNorm,
}

type bodyInstanceNorm struct{}

func (bodyInstanceNorm) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x := in[0]
	d, inv := standardise(n, x, allButChannel(x)[1:])
	return []*graph.Value{Add(Mul(Mul(d, inv), perChannel(in[1], x)), perChannel(in[2], x))}
}

// InstanceNormalization normalises x[N,C,D...] over D...; scale and bias are of [C]; epsilon 0 means 1e-5.
func InstanceNormalization(x, scale, bias *graph.Value, epsilon float32) *graph.Value {
	return x.G.Add(&DefInstanceNormalization, []graph.Attr{orDefault("epsilon", epsilon, 1e-5)}, x, scale, bias)
}

// DefGroupNormalization is ONNX's GroupNormalization (Wu and He, 2018): groups of neighbouring channels of every sample.
var DefGroupNormalization = graph.Def{
	Name: "GroupNormalization", Since: 21, MinIn: 3, MaxIn: 3, Doc: "normalise groups of channels of each sample",
	Attrs: []graph.AttrDef{
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-5}},
		{Name: "num_groups", Kind: graph.AttrInt, Required: true},
		{Name: "stash_type", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	},
	InPlace: []int{0},
	Infer:   inferGroupNorm, FLOPs: flopsNorm, Body: bodyGroupNorm{}, Grad: gradGroupNorm{}, Lower: lowerGroupNorm,
}

func inferGroupNorm(c *graph.InferCtx) {
	inferChannelNorm(c)
	k := c.Node.Int("num_groups")
	if x := c.In[0]; k < 1 || x.HasRank && x.Shape[1] >= 0 && x.Shape[1]%k != 0 {
		c.Fail("the channels do not divide into ", k, " groups")
	}
}

type bodyGroupNorm struct{}

func (bodyGroupNorm) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x := in[0]
	if !x.HasRank {
		tensor.Fail(n.Describe(), "the rank of the input must be known")
	}
	d, inv := standardise(n, Reshape(x, 0, n.Int("num_groups"), -1), []int{2})
	return []*graph.Value{Add(Mul(ReshapeLike(Mul(d, inv), x), perChannel(in[1], x)), perChannel(in[2], x))}
}

// GroupNormalization normalises x[N,C,D...] over groups of C/groups channels; scale and bias are of [C]; epsilon 0 means 1e-5.
func GroupNormalization(x, scale, bias *graph.Value, groups int, epsilon float32) *graph.Value {
	return x.G.Add(&DefGroupNormalization, []graph.Attr{graph.Int("num_groups", groups), orDefault("epsilon", epsilon, 1e-5)}, x, scale, bias)
}

// DefRMSNormalization is ONNX's RMSNormalization (Zhang and Sennrich, 2019): x/sqrt(mean(x*x)+epsilon)*scale over the dimensions from
// axis on.
var DefRMSNormalization = graph.Def{
	Name: "RMSNormalization", Since: 23, MinIn: 2, MaxIn: 2, Doc: "divide by the root of the mean square",
	Attrs: []graph.AttrDef{
		{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}},
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-5}},
		{Name: "stash_type", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	},
	InPlace: []int{0},
	Infer:   inferLayerNorm, FLOPs: flopsInput4, Body: bodyRMSNorm{}, Grad: gradRMSNorm{}, Lower: lowerRMSNorm,
}

type bodyRMSNorm struct{}

func (bodyRMSNorm) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x := in[0]
	return []*graph.Value{Mul(Mul(x, rootMeanSquare(n, x, axesFrom(x, n.Int("axis")))), in[1])}
}

// RMSNormalization returns x/sqrt(mean(x*x)+epsilon)*scale over the dimensions from o.Axis on.
func RMSNormalization(x, scale *graph.Value, o LayerNormOptions) *graph.Value {
	return x.G.Add(&DefRMSNormalization, []graph.Attr{graph.Int("axis", o.Axis), orDefault("epsilon", o.Epsilon, 1e-5)}, x, scale)
}

// DefLpNormalization is ONNX's LpNormalization: x divided by its norm along an axis, p being 1 or 2. Where the norm is 0, the result is 0.
//
//weft:full
var DefLpNormalization = graph.Def{
	Name: "LpNormalization", Since: 22, MinIn: 1, MaxIn: 1, Doc: "divide by the norm along an axis",
	Attrs: []graph.AttrDef{
		{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}},
		{Name: "p", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 2}},
	},
	Infer: inferLpNorm, FLOPs: flopsInput3, Body: bodyLpNorm{},
}

func inferLpNorm(c *graph.InferCtx) {
	if p := c.Node.Int("p"); p != 1 && p != 2 {
		c.Fail("p is ", p, "; it can be 1 or 2")
	}
	inferSoftmax(c)
}

type bodyLpNorm struct{}

func (bodyLpNorm) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, axes := in[0], []int{n.Int("axis")}
	var norm *graph.Value
	if n.Int("p") == 1 {
		norm = ReduceL1(x, axes, true)
	} else {
		norm = ReduceL2(x, axes, true)
	}
	return []*graph.Value{Div(x, Where(Equal(norm, ConstLike(x, 0)), ConstLike(x, 1), norm))}
}

// LpNormalization returns x divided by its L1 (p 1) or L2 (p 2) norm along the axis.
func LpNormalization(x *graph.Value, axis, p int) *graph.Value {
	return x.G.Add(&DefLpNormalization, []graph.Attr{graph.Int("axis", axis), graph.Int("p", p)}, x)
}

// DefMeanVarianceNormalization is ONNX's MeanVarianceNormalization: (x-mean)/(deviation+1e-9) over the axes.
//
//weft:full
var DefMeanVarianceNormalization = graph.Def{
	Name: "MeanVarianceNormalization", Since: 13, MinIn: 1, MaxIn: 1, Doc: "(x-mean)/(deviation+1e-9) over axes",
	Attrs: []graph.AttrDef{{Name: "axes", Kind: graph.AttrInts, Default: graph.Attr{Kind: graph.AttrInts, Ints: []int64{0, 2, 3}}}},
	Infer: inferFloat, FLOPs: flopsNorm, Body: bodyMeanVarianceNorm{},
}

type bodyMeanVarianceNorm struct{}

func (bodyMeanVarianceNorm) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, axes := in[0], n.Ints("axes")
	d := Sub(x, ReduceMean(x, axes, true))
	return []*graph.Value{Div(d, Add(Sqrt(ReduceMean(Mul(d, d), axes, true)), ConstLike(x, 1e-9)))}
}

// MeanVarianceNormalization returns (x-mean)/(deviation+1e-9) over the axes (none: 0, 2, 3).
func MeanVarianceNormalization(x *graph.Value, axes ...int) *graph.Value {
	if len(axes) == 0 {
		axes = []int{0, 2, 3}
	}
	return x.G.Add(&DefMeanVarianceNormalization, []graph.Attr{graph.Ints("axes", axes...)}, x)
}
