package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
)

// Elementwise functions of one input. Activations are in activation.go.

// DefIdentity is ONNX's Identity: y = x.
var DefIdentity = graph.Def{
	Name: "Identity", Since: 25, MinIn: 1, MaxIn: 1, Doc: "y = x", Infer: inferIdentity,
	Ref: refIdentity, Grad: gradIdentity{}, View: true,
}

func inferIdentity(c *graph.InferCtx) {
	inferSame(c)
	c.Out[0].Const = c.In[0].Const
}

func refIdentity(c *graph.RefCtx) { c.Out[0] = c.In[0] }

type gradIdentity struct{}

func (gradIdentity) Grad(c *graph.GradCtx) []*graph.Value { return []*graph.Value{c.DY[0]} }

// Identity returns x as another value.
func Identity(x *graph.Value) *graph.Value { return unary(&DefIdentity, x) }

// DefAbs is ONNX's Abs.
var DefAbs = graph.Def{
	Name: "Abs", Since: 13, MinIn: 1, MaxIn: 1, Doc: "y = |x|", Infer: inferNumeric, InPlace: []int{0},
	Ref: refAbs, Grad: gradAbs{},
	Elem: elemAbs,
}

func refAbs(c *graph.RefCtx) {
	refMapNum(c, math.Abs, func(x int64) int64 {
		if x < 0 && c.In[0].DType().IsSigned() {
			return -x
		}
		return x
	})
}

// dx = dy * sign(x); 0 at 0.
type gradAbs struct{}

func (gradAbs) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], Sign(c.In(0)))}
}

// Abs returns |x|.
func Abs(x *graph.Value) *graph.Value { return unary(&DefAbs, x) }

// DefNeg is ONNX's Neg.
var DefNeg = graph.Def{
	Name: "Neg", Since: 13, MinIn: 1, MaxIn: 1, Doc: "y = -x", Infer: inferNumeric, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) {
		refMapNum(c, func(x float64) float64 { return -x }, func(x int64) int64 { return -x })
	},
	Grad: gradNeg{},
	Elem: elemNeg,
}

type gradNeg struct{}

func (gradNeg) Grad(c *graph.GradCtx) []*graph.Value { return []*graph.Value{Neg(c.DY[0])} }

// Neg returns -x.
func Neg(x *graph.Value) *graph.Value { return unary(&DefNeg, x) }

// DefExp is ONNX's Exp.
var DefExp = graph.Def{
	Name: "Exp", Since: 13, MinIn: 1, MaxIn: 1, Doc: "y = e^x", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Exp) }, Grad: gradExp{},
	Elem: elemExp,
}

// dx = dy * y.
type gradExp struct{}

func (gradExp) Grad(c *graph.GradCtx) []*graph.Value { return []*graph.Value{Mul(c.DY[0], c.Out(0))} }

// Exp returns e to the power x.
func Exp(x *graph.Value) *graph.Value { return unary(&DefExp, x) }

// DefLog is ONNX's Log.
var DefLog = graph.Def{
	Name: "Log", Since: 13, MinIn: 1, MaxIn: 1, Doc: "natural logarithm", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Log) }, Grad: gradLog{},
	Elem: elemLog,
}

// dx = dy / x.
type gradLog struct{}

func (gradLog) Grad(c *graph.GradCtx) []*graph.Value { return []*graph.Value{Div(c.DY[0], c.In(0))} }

// Log returns the natural logarithm of x: NaN below 0, -Inf at 0.
func Log(x *graph.Value) *graph.Value { return unary(&DefLog, x) }

// DefSqrt is ONNX's Sqrt.
var DefSqrt = graph.Def{
	Name: "Sqrt", Since: 13, MinIn: 1, MaxIn: 1, Doc: "square root", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Sqrt) }, Grad: gradSqrt{},
	Elem: elemSqrt,
}

// dx = dy / (2y).
type gradSqrt struct{}

func (gradSqrt) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(Mul(c.DY[0], ConstLike(c.DY[0], 0.5)), c.Out(0))}
}

// Sqrt returns the square root of x: NaN below 0.
func Sqrt(x *graph.Value) *graph.Value { return unary(&DefSqrt, x) }

// DefReciprocal is ONNX's Reciprocal.
var DefReciprocal = graph.Def{
	Name: "Reciprocal", Since: 13, MinIn: 1, MaxIn: 1, Doc: "y = 1/x", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, func(x float64) float64 { return 1 / x }) }, Grad: gradReciprocal{},
	Elem: elemReciprocal,
}

// dx = -dy * y^2.
type gradReciprocal struct{}

func (gradReciprocal) Grad(c *graph.GradCtx) []*graph.Value {
	y := c.Out(0)
	return []*graph.Value{Neg(Mul(c.DY[0], Mul(y, y)))}
}

// Reciprocal returns 1/x.
func Reciprocal(x *graph.Value) *graph.Value { return unary(&DefReciprocal, x) }

const zeroAlmostEverywhere = "zero almost everywhere"

// DefFloor is ONNX's Floor.
var DefFloor = graph.Def{
	Name: "Floor", Since: 13, MinIn: 1, MaxIn: 1, Doc: "largest integer not above x", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Floor) }, NoGrad: zeroAlmostEverywhere,
	Elem: elemFloor,
}

// Floor returns the largest integer not above x.
func Floor(x *graph.Value) *graph.Value { return unary(&DefFloor, x) }

// DefCeil is ONNX's Ceil.
var DefCeil = graph.Def{
	Name: "Ceil", Since: 13, MinIn: 1, MaxIn: 1, Doc: "smallest integer not below x", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Ceil) }, NoGrad: zeroAlmostEverywhere,
	Elem: elemCeil,
}

// Ceil returns the smallest integer not below x.
func Ceil(x *graph.Value) *graph.Value { return unary(&DefCeil, x) }

// DefRound is ONNX's Round: to the nearest integer, halves to even.
var DefRound = graph.Def{
	Name: "Round", Since: 22, MinIn: 1, MaxIn: 1, Doc: "nearest integer, halves to even", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.RoundToEven) }, NoGrad: zeroAlmostEverywhere,
	Elem: elemRound,
}

// Round returns the nearest integer, halves to even.
func Round(x *graph.Value) *graph.Value { return unary(&DefRound, x) }

// DefSign is ONNX's Sign: -1, 0 or 1.
var DefSign = graph.Def{
	Name: "Sign", Since: 13, MinIn: 1, MaxIn: 1, Doc: "-1, 0 or 1", Infer: inferNumeric, InPlace: []int{0},
	Ref: refSign, NoGrad: zeroAlmostEverywhere,
	Elem: elemSign,
}

func refSign(c *graph.RefCtx) {
	signed := c.In[0].DType().IsSigned()
	refMapNum(c, func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}, func(x int64) int64 {
		switch {
		case x > 0 || x != 0 && !signed:
			return 1
		case x < 0:
			return -1
		}
		return 0
	})
}

// Sign returns -1, 0 or 1.
func Sign(x *graph.Value) *graph.Value { return unary(&DefSign, x) }

// DefErf is ONNX's Erf.
var DefErf = graph.Def{
	Name: "Erf", Since: 13, MinIn: 1, MaxIn: 1, Doc: "error function", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Erf) }, Grad: gradErf{},
	Elem: elemErf,
}

// dx = dy * 2/sqrt(pi) * exp(-x^2).
type gradErf struct{}

func (gradErf) Grad(c *graph.GradCtx) []*graph.Value {
	x := c.In(0)
	return []*graph.Value{Mul(Mul(c.DY[0], ConstLike(x, 2/math.SqrtPi)), Exp(Neg(Mul(x, x))))}
}

// Erf returns the error function of x.
func Erf(x *graph.Value) *graph.Value { return unary(&DefErf, x) }

// DefIsNaN is ONNX's IsNaN.
//
//weft:full
var DefIsNaN = graph.Def{
	Name: "IsNaN", Since: 20, MinIn: 1, MaxIn: 1, Doc: "whether x is not a number", Infer: inferIsNaN, NoGrad: "the result is boolean", Lower: lowerIsNaN,
	Ref: func(c *graph.RefCtx) {
		refMap(c, func(x float64) float64 {
			if x != x {
				return 1
			}
			return 0
		})
	},
}

func inferIsNaN(c *graph.InferCtx) {
	if !c.In[0].DType.IsFloat() {
		wantFloat(c, 0)
	}
	setLike(c, 0, boolType, c.In[0])
}

// IsNaN returns where x is not a number.
func IsNaN(x *graph.Value) *graph.Value { return unary(&DefIsNaN, x) }

// DefIsInf is ONNX's IsInf.
//
//weft:full
var DefIsInf = graph.Def{
	Name: "IsInf", Since: 20, MinIn: 1, MaxIn: 1, Doc: "whether x is infinite", Infer: inferIsNaN, NoGrad: "the result is boolean", Lower: lowerIsInf,
	Attrs: []graph.AttrDef{
		{Name: "detect_negative", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "detect_positive", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	},
	Ref: func(c *graph.RefCtx) {
		neg, pos := c.Node.Int("detect_negative") != 0, c.Node.Int("detect_positive") != 0
		refMap(c, func(x float64) float64 {
			if pos && math.IsInf(x, 1) || neg && math.IsInf(x, -1) {
				return 1
			}
			return 0
		})
	},
}

// IsInf returns where x is infinite, of either sign.
func IsInf(x *graph.Value) *graph.Value { return unary(&DefIsInf, x) }
