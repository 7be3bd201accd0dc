package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/simd"
)

// Activations made of exponentials. Gradients that pay as one pass are operators of the domain weft.

func sigmoid(x float64) float64 {
	if x < 0 {
		e := math.Exp(x)
		return e / (1 + e)
	}
	return 1 / (1 + math.Exp(-x))
}

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// DefSigmoid is ONNX's Sigmoid.
var DefSigmoid = graph.Def{
	Name: "Sigmoid", Since: 13, MinIn: 1, MaxIn: 1, Doc: "1 / (1 + e^-x)", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, sigmoid) }, Grad: gradSigmoid{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Sigmoid) },
}

type gradSigmoid struct{}

func (gradSigmoid) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SigmoidGrad(c.DY[0], c.Out(0))}
}

// Sigmoid returns 1 / (1 + e^-x).
func Sigmoid(x *graph.Value) *graph.Value { return unary(&DefSigmoid, x) }

// DefSigmoidGrad is weft.SigmoidGrad(dy, y) = dy*y*(1-y).
var DefSigmoidGrad = graph.Def{
	Domain: "weft", Name: "SigmoidGrad", MinIn: 2, MaxIn: 2, Doc: "dy*y*(1-y)", Infer: inferLike01, InPlace: []int{0, 1},
	Body: bodySigmoidGrad{}, Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemBinary(simd.SigmoidGrad) },
}

type bodySigmoidGrad struct{}

func (bodySigmoidGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{Mul(Mul(in[0], in[1]), Sub(ConstLike(in[1], 1), in[1]))}
}

// SigmoidGrad returns dy*y*(1-y), the gradient of y = Sigmoid(x).
func SigmoidGrad(dy, y *graph.Value) *graph.Value { return binary(&DefSigmoidGrad, dy, y) }

// DefTanh is ONNX's Tanh.
var DefTanh = graph.Def{
	Name: "Tanh", Since: 13, MinIn: 1, MaxIn: 1, Doc: "hyperbolic tangent", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Tanh) }, Grad: gradTanh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Tanh) },
}

type gradTanh struct{}

func (gradTanh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{TanhGrad(c.DY[0], c.Out(0))}
}

// Tanh returns the hyperbolic tangent of x.
func Tanh(x *graph.Value) *graph.Value { return unary(&DefTanh, x) }

// DefTanhGrad is weft.TanhGrad(dy, y) = dy*(1-y*y).
var DefTanhGrad = graph.Def{
	Domain: "weft", Name: "TanhGrad", MinIn: 2, MaxIn: 2, Doc: "dy*(1-y*y)", Infer: inferLike01, InPlace: []int{0, 1},
	Body: bodyTanhGrad{}, Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemBinary(simd.TanhGrad) },
}

type bodyTanhGrad struct{}

func (bodyTanhGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{Mul(in[0], Sub(ConstLike(in[1], 1), Mul(in[1], in[1])))}
}

// TanhGrad returns dy*(1-y*y), the gradient of y = Tanh(x).
func TanhGrad(dy, y *graph.Value) *graph.Value { return binary(&DefTanhGrad, dy, y) }

// DefSoftplus is ONNX's Softplus.
var DefSoftplus = graph.Def{
	Name: "Softplus", Since: 22, MinIn: 1, MaxIn: 1, Doc: "log(1 + e^x)", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, softplus) }, Grad: gradSoftplus{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Softplus) },
}

// dx = dy * sigmoid(x).
type gradSoftplus struct{}

func (gradSoftplus) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], Sigmoid(c.In(0)))}
}

// Softplus returns log(1 + e^x).
func Softplus(x *graph.Value) *graph.Value { return unary(&DefSoftplus, x) }

// DefSoftsign is ONNX's Softsign.
var DefSoftsign = graph.Def{
	Name: "Softsign", Since: 22, MinIn: 1, MaxIn: 1, Doc: "x / (1 + |x|)", Infer: inferFloat, InPlace: []int{0},
	Ref:  func(c *graph.RefCtx) { refMap(c, func(x float64) float64 { return x / (1 + math.Abs(x)) }) },
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Softsign) },
	Grad: gradSoftsign{},
}

// dx = dy / (1 + |x|)^2.
type gradSoftsign struct{}

func (gradSoftsign) Grad(c *graph.GradCtx) []*graph.Value {
	d := Add(Abs(c.In(0)), ConstLike(c.In(0), 1))
	return []*graph.Value{Div(c.DY[0], Mul(d, d))}
}

// Softsign returns x / (1 + |x|).
func Softsign(x *graph.Value) *graph.Value { return unary(&DefSoftsign, x) }

// DefMish is ONNX's Mish (Misra, 2019).
var DefMish = graph.Def{
	Name: "Mish", Since: 22, MinIn: 1, MaxIn: 1, Doc: "x * tanh(log(1 + e^x))", Infer: inferFloat, InPlace: []int{0},
	Ref:  func(c *graph.RefCtx) { refMap(c, func(x float64) float64 { return x * math.Tanh(softplus(x)) }) },
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Mish) },
	Grad: gradMish{},
}

// With t = tanh(softplus(x)): dx = dy * (t + x*sigmoid(x)*(1-t*t)).
type gradMish struct{}

func (gradMish) Grad(c *graph.GradCtx) []*graph.Value {
	x := c.In(0)
	t := Tanh(Softplus(x))
	return []*graph.Value{Mul(c.DY[0], Add(t, TanhGrad(Mul(x, Sigmoid(x)), t)))}
}

// Mish returns x * tanh(log(1 + e^x)).
func Mish(x *graph.Value) *graph.Value { return unary(&DefMish, x) }

// DefSwish is ONNX's Swish (opset 24): SiLU at alpha 1.
var DefSwish = graph.Def{
	Name: "Swish", Since: 24, MinIn: 1, MaxIn: 1, Doc: "x * sigmoid(alpha*x)", Infer: inferFloat, InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Ref: func(c *graph.RefCtx) {
		a := float64(c.Node.Float("alpha"))
		refMap(c, func(x float64) float64 { return x * sigmoid(a*x) })
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		op, _ := elemUnary(simd.Silu)
		return op, n.Float("alpha") == 1
	},
	Body: bodySwish{}, Grad: gradSwish{},
}

type bodySwish struct{}

func (bodySwish) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x := in[0]
	return []*graph.Value{Mul(x, Sigmoid(axpb(float64(n.Float("alpha")), x, nil)))}
}

// With s = sigmoid(alpha*x): dx = dy * (s + alpha*x*s*(1-s)).
type gradSwish struct{}

func (gradSwish) Grad(c *graph.GradCtx) []*graph.Value {
	x := axpb(float64(c.Node.Float("alpha")), c.In(0), nil)
	s := Sigmoid(x)
	return []*graph.Value{Mul(c.DY[0], Add(s, SigmoidGrad(x, s)))}
}

// Swish returns x * sigmoid(alpha*x); alpha 1 is SiLU.
func Swish(x *graph.Value, alpha float32) *graph.Value { return withAlpha(&DefSwish, x, alpha) }

// DefGelu is ONNX's Gelu (Hendrycks and Gimpel, 2016): approximate is "none" or "tanh".
var DefGelu = graph.Def{
	Name: "Gelu", Since: 20, MinIn: 1, MaxIn: 1, Doc: "x * Phi(x), Phi the normal distribution function", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "approximate", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "none"}}},
	Infer: inferGelu, Ref: refGelu, Grad: gradGelu{},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		if n.Str("approximate") == "tanh" {
			return elemUnary(simd.GeluTanh)
		}
		return elemUnary(simd.Gelu)
	},
}

func inferGelu(c *graph.InferCtx) {
	if a := c.Node.Str("approximate"); a != "none" && a != "tanh" {
		c.Fail("approximate is \"", a, "\"; it can be none or tanh")
	}
	inferFloat(c)
}

const (
	geluRoot  = 0.79788456080286535588 // sqrt(2/pi)
	geluCubic = 0.044715
)

func refGelu(c *graph.RefCtx) {
	if c.Node.Str("approximate") == "tanh" {
		refMap(c, func(x float64) float64 { return 0.5 * x * (1 + math.Tanh(geluRoot*(x+geluCubic*x*x*x))) })
		return
	}
	refMap(c, func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) })
}

// Exact: dx = dy * (Phi(x) + x*phi(x)). Under tanh, with s = sigmoid(2u), u = sqrt(2/pi)*(x + 0.044715*x^3):
// dx = dy * (s + x*2u'*s*(1-s)).
type gradGelu struct{}

func (gradGelu) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy := c.In(0), c.DY[0]
	if c.Node.Str("approximate") != "tanh" {
		return []*graph.Value{GeluGrad(dy, x)}
	}
	x2 := Mul(x, x)
	u := Mul(x, Add(Mul(x2, ConstLike(x, 2*geluRoot*geluCubic)), ConstLike(x, 2*geluRoot)))
	du := Add(Mul(x2, ConstLike(x, 6*geluRoot*geluCubic)), ConstLike(x, 2*geluRoot))
	s := Sigmoid(u)
	return []*graph.Value{Mul(dy, Add(s, SigmoidGrad(Mul(x, du), s)))}
}

// Gelu returns x * Phi(x), or its approximation by tanh.
func Gelu(x *graph.Value, tanh bool) *graph.Value {
	a := "none"
	if tanh {
		a = "tanh"
	}
	return x.G.Add(&DefGelu, []graph.Attr{graph.Str("approximate", a)}, x)
}

// DefGeluGrad is weft.GeluGrad(dy, x) = dy * (Phi(x) + x*phi(x)).
var DefGeluGrad = graph.Def{
	Domain: "weft", Name: "GeluGrad", MinIn: 2, MaxIn: 2, Doc: "dy * (Phi(x) + x*phi(x))", Infer: inferLike01, InPlace: []int{0, 1},
	Body: bodyGeluGrad{}, Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemBinary(simd.GeluGrad) },
}

type bodyGeluGrad struct{}

func (bodyGeluGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, x := in[0], in[1]
	half := ConstLike(x, 0.5)
	cdf := Add(Mul(Erf(Mul(x, ConstLike(x, 1/math.Sqrt2))), half), half)
	pdf := Mul(Exp(Neg(Mul(Mul(x, x), half))), ConstLike(x, 1/math.Sqrt(2*math.Pi)))
	return []*graph.Value{Mul(dy, Add(cdf, Mul(x, pdf)))}
}

// GeluGrad returns the gradient of the exact Gelu(x) by x.
func GeluGrad(dy, x *graph.Value) *graph.Value { return binary(&DefGeluGrad, dy, x) }
