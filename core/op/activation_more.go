package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/simd"
)

// signSplit returns x > 0 ? a : b, the shape of most gradients of activations.
func signSplit(x, a, b *graph.Value) *graph.Value {
	return Where(Greater(x, ConstLike(x, 0)), a, b)
}

// withAlpha adds an activation with the one parameter alpha.
func withAlpha(d *graph.Def, x *graph.Value, alpha float32) *graph.Value {
	return x.G.Add(d, []graph.Attr{graph.Float("alpha", alpha)}, x)
}

// DefLeakyRelu is ONNX's LeakyRelu.
var DefLeakyRelu = graph.Def{
	Name: "LeakyRelu", Since: 16, MinIn: 1, MaxIn: 1, Doc: "x < 0 ? alpha*x : x", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.01}}},
	Ref: func(c *graph.RefCtx) {
		a := float64(c.Node.Float("alpha"))
		refMap(c, func(x float64) float64 {
			if x < 0 {
				return a * x
			}
			return x
		})
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.LeakyRelu), P0: n.Float("alpha")}, true
	},
	Grad: gradLeakyRelu{},
}

// dx = x > 0 ? dy : alpha*dy; the slope at 0 is alpha.
type gradLeakyRelu struct{}

func (gradLeakyRelu) Grad(c *graph.GradCtx) []*graph.Value {
	dy := c.DY[0]
	return []*graph.Value{signSplit(c.In(0), dy, axpb(float64(c.Node.Float("alpha")), dy, nil))}
}

// LeakyRelu returns x < 0 ? alpha*x : x.
func LeakyRelu(x *graph.Value, alpha float32) *graph.Value { return withAlpha(&DefLeakyRelu, x, alpha) }

// DefPRelu is ONNX's PRelu: the slope broadcasts to x.
var DefPRelu = graph.Def{
	Name: "PRelu", Since: 16, MinIn: 2, MaxIn: 2, Doc: "x < 0 ? slope*x : x", Infer: inferPRelu, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) {
		refZip(c, func(x, s float64) float64 {
			if x < 0 {
				return s * x
			}
			return x
		}, func(x, s int64) int64 {
			if x < 0 {
				return s * x
			}
			return x
		}, func(x, s uint64) uint64 { return x })
	},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemBinary(simd.PRelu) },
	Grad: gradPRelu{}, Upgrade: upgradePRelu,
}

// upgradePRelu aligns the slopes of opsets before 7, one per channel, with the channels.
func upgradePRelu(c *graph.UpgradeCtx) {
	c.Remove("consumed_inputs")
	if x, s := c.Inputs[0], c.Inputs[1]; c.Version < 7 && x.HasRank && s.HasRank && len(s.Shape) == 1 && s.Shape[0] != 1 {
		c.Inputs[1] = alignAt(s, 1, len(x.Shape))
	}
}

func inferPRelu(c *graph.InferCtx) {
	inferArith(c)
	if x := c.In[0]; x.HasRank && c.Out[0].HasRank {
		if s, ok := sameShape(x.Shape, c.Out[0].Shape); !ok {
			c.Fail("the slope does not broadcast to the input")
		} else {
			c.Out[0].Shape = s
		}
	}
}

// dx = x > 0 ? dy : slope*dy, dslope = x > 0 ? 0 : x*dy, summed to the slope's shape.
type gradPRelu struct{}

func (gradPRelu) Grad(c *graph.GradCtx) []*graph.Value {
	x, s, dy := c.In(0), c.In(1), c.DY[0]
	return []*graph.Value{signSplit(x, dy, Mul(dy, s)), SumTo(signSplit(x, ConstLike(x, 0), Mul(dy, x)), s)}
}

// PRelu returns x < 0 ? slope*x : x; slope broadcasts to x.
func PRelu(x, slope *graph.Value) *graph.Value { return binary(&DefPRelu, x, slope) }

// DefElu is ONNX's Elu (Clevert et al., 2016).
var DefElu = graph.Def{
	Name: "Elu", Since: 22, MinIn: 1, MaxIn: 1, Doc: "x < 0 ? alpha*(e^x-1) : x", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Ref: func(c *graph.RefCtx) {
		a := float64(c.Node.Float("alpha"))
		refMap(c, func(x float64) float64 {
			if x < 0 {
				return a * math.Expm1(x)
			}
			return x
		})
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.Elu), P0: n.Float("alpha")}, true
	},
	Grad: gradElu{},
}

// dx = x > 0 ? dy : dy*alpha*e^x. The exponent is clamped at 0, so that the branch not taken stays finite.
type gradElu struct{}

func (gradElu) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy := c.In(0), c.DY[0]
	return []*graph.Value{signSplit(x, dy, Mul(dy, axpb(float64(c.Node.Float("alpha")), expNeg(x), nil)))}
}

// expNeg returns e^min(x, 0).
func expNeg(x *graph.Value) *graph.Value { return Exp(Min(x, ConstLike(x, 0))) }

// Elu returns x < 0 ? alpha*(e^x-1) : x.
func Elu(x *graph.Value, alpha float32) *graph.Value { return withAlpha(&DefElu, x, alpha) }

// DefSelu is ONNX's Selu (Klambauer et al., 2017).
var DefSelu = graph.Def{
	Name: "Selu", Since: 22, MinIn: 1, MaxIn: 1, Doc: "gamma * (x < 0 ? alpha*(e^x-1) : x)", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{
		{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1.67326319217681884765625}},
		{Name: "gamma", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1.05070102214813232421875}},
	},
	Ref: func(c *graph.RefCtx) {
		a, g := float64(c.Node.Float("alpha")), float64(c.Node.Float("gamma"))
		refMap(c, func(x float64) float64 {
			if x < 0 {
				return g * a * math.Expm1(x)
			}
			return g * x
		})
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.Selu), P0: n.Float("alpha"), P1: n.Float("gamma")}, true
	},
	Grad: gradSelu{},
}

// dx = gamma*dy * (x > 0 ? 1 : alpha*e^x).
type gradSelu struct{}

func (gradSelu) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy := c.In(0), axpb(float64(c.Node.Float("gamma")), c.DY[0], nil)
	return []*graph.Value{signSplit(x, dy, Mul(dy, axpb(float64(c.Node.Float("alpha")), expNeg(x), nil)))}
}

// Selu returns gamma * (x < 0 ? alpha*(e^x-1) : x) with the constants of the paper.
func Selu(x *graph.Value) *graph.Value { return unary(&DefSelu, x) }

// DefCelu is ONNX's Celu (Barron, 2017).
//
//weft:full
var DefCelu = graph.Def{
	Name: "Celu", Since: 12, MinIn: 1, MaxIn: 1, Doc: "max(x, 0) + min(alpha*(e^(x/alpha)-1), 0)", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Ref: func(c *graph.RefCtx) {
		a := float64(c.Node.Float("alpha"))
		refMap(c, func(x float64) float64 { return max(x, 0) + min(a*math.Expm1(x/a), 0) })
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.Celu), P0: n.Float("alpha")}, n.Float("alpha") > 0
	},
	Grad: gradCelu{},
}

// dx = x > 0 ? dy : dy*e^(x/alpha).
type gradCelu struct{}

func (gradCelu) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy := c.In(0), c.DY[0]
	return []*graph.Value{signSplit(x, dy, Mul(dy, expNeg(axpb(1/float64(c.Node.Float("alpha")), x, nil))))}
}

// Celu returns max(x, 0) + min(alpha*(e^(x/alpha)-1), 0).
func Celu(x *graph.Value, alpha float32) *graph.Value { return withAlpha(&DefCelu, x, alpha) }

// DefThresholdedRelu is ONNX's ThresholdedRelu.
//
//weft:full
var DefThresholdedRelu = graph.Def{
	Name: "ThresholdedRelu", Since: 22, MinIn: 1, MaxIn: 1, Doc: "x > alpha ? x : 0", Infer: inferFloat, FLOPs: flopsOutput, InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Ref: func(c *graph.RefCtx) {
		a := float64(c.Node.Float("alpha"))
		refMap(c, func(x float64) float64 {
			if x > a {
				return x
			}
			return 0
		})
	},
	Body: bodyThresholdedRelu{},
}

// The gradient is the body's: dy where x > alpha, else 0.
type bodyThresholdedRelu struct{}

func (bodyThresholdedRelu) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x := in[0]
	return []*graph.Value{Where(Greater(x, ConstLike(x, float64(n.Float("alpha")))), x, ConstLike(x, 0))}
}

// ThresholdedRelu returns x > alpha ? x : 0.
func ThresholdedRelu(x *graph.Value, alpha float32) *graph.Value {
	return withAlpha(&DefThresholdedRelu, x, alpha)
}

// DefHardSigmoid is ONNX's HardSigmoid.
var DefHardSigmoid = graph.Def{
	Name: "HardSigmoid", Since: 22, MinIn: 1, MaxIn: 1, Doc: "max(0, min(1, alpha*x + beta))", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{
		{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.2}},
		{Name: "beta", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.5}},
	},
	Ref: func(c *graph.RefCtx) {
		a, b := float64(c.Node.Float("alpha")), float64(c.Node.Float("beta"))
		refMap(c, func(x float64) float64 { return max(0, min(1, a*x+b)) })
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.HardSigmoid), P0: n.Float("alpha"), P1: n.Float("beta")}, true
	},
	Grad: gradHardSigmoid{},
}

// dx = 0 < y < 1 ? alpha*dy : 0.
type gradHardSigmoid struct{}

func (gradHardSigmoid) Grad(c *graph.GradCtx) []*graph.Value {
	y, zero := c.Out(0), ConstLike(c.Out(0), 0)
	in := And(Greater(y, zero), Less(y, ConstLike(y, 1)))
	return []*graph.Value{Where(in, axpb(float64(c.Node.Float("alpha")), c.DY[0], nil), zero)}
}

// HardSigmoid returns max(0, min(1, alpha*x + beta)); ONNX's defaults are 0.2 and 0.5.
func HardSigmoid(x *graph.Value, alpha, beta float32) *graph.Value {
	return x.G.Add(&DefHardSigmoid, []graph.Attr{graph.Float("alpha", alpha), graph.Float("beta", beta)}, x)
}

// DefHardSwish is ONNX's HardSwish.
var DefHardSwish = graph.Def{
	Name: "HardSwish", Since: 22, MinIn: 1, MaxIn: 1, Doc: "x * max(0, min(1, x/6 + 1/2))", Infer: inferFloat, InPlace: []int{0},
	Ref:  func(c *graph.RefCtx) { refMap(c, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }) },
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.HardSwish) },
	Grad: gradHardSwish{},
}

// dx = dy * (x <= -3 ? 0 : x < 3 ? x/3 + 1/2 : 1).
type gradHardSwish struct{}

func (gradHardSwish) Grad(c *graph.GradCtx) []*graph.Value {
	x := c.In(0)
	mid := Add(Mul(x, ConstLike(x, 1.0/3)), ConstLike(x, 0.5))
	up := Where(Less(x, ConstLike(x, 3)), mid, ConstLike(x, 1))
	return []*graph.Value{Mul(c.DY[0], Where(Greater(x, ConstLike(x, -3)), up, ConstLike(x, 0)))}
}

// HardSwish returns x * max(0, min(1, x/6 + 1/2)).
func HardSwish(x *graph.Value) *graph.Value { return unary(&DefHardSwish, x) }
