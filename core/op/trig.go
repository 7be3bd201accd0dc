package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/simd"
)

// Trigonometric and hyperbolic functions and their inverses.

func onePlus(x *graph.Value) *graph.Value { return Add(x, ConstLike(x, 1)) }

func oneMinusSquare(x *graph.Value) *graph.Value { return Sub(ConstLike(x, 1), Mul(x, x)) }

// DefSin is ONNX's Sin.
var DefSin = graph.Def{
	Name: "Sin", Since: 22, MinIn: 1, MaxIn: 1, Doc: "sine of radians", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Sin) }, Grad: gradSin{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Sin) },
}

// dx = dy * cos(x).
type gradSin struct{}

func (gradSin) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], Cos(c.In(0)))}
}

// Sin returns the sine of radians, x.
func Sin(x *graph.Value) *graph.Value { return unary(&DefSin, x) }

// DefCos is ONNX's Cos.
var DefCos = graph.Def{
	Name: "Cos", Since: 22, MinIn: 1, MaxIn: 1, Doc: "cosine of radians", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Cos) }, Grad: gradCos{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Cos) },
}

// dx = -dy * sin(x).
type gradCos struct{}

func (gradCos) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Neg(Mul(c.DY[0], Sin(c.In(0))))}
}

// Cos returns the cosine of radians, x.
func Cos(x *graph.Value) *graph.Value { return unary(&DefCos, x) }

// DefTan is ONNX's Tan.
//
//weft:full
var DefTan = graph.Def{
	Name: "Tan", Since: 22, MinIn: 1, MaxIn: 1, Doc: "tangent of radians", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Tan) }, Grad: gradTan{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Tan) },
}

// dx = dy * (1 + y^2).
type gradTan struct{}

func (gradTan) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], onePlus(Mul(c.Out(0), c.Out(0))))}
}

// Tan returns the tangent of radians, x.
func Tan(x *graph.Value) *graph.Value { return unary(&DefTan, x) }

// DefAsin is ONNX's Asin.
//
//weft:full
var DefAsin = graph.Def{
	Name: "Asin", Since: 22, MinIn: 1, MaxIn: 1, Doc: "arc sine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Asin) }, Grad: gradAsin{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Asin) },
}

// dx = dy / sqrt(1 - x^2).
type gradAsin struct{}

func (gradAsin) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(c.DY[0], Sqrt(oneMinusSquare(c.In(0))))}
}

// Asin returns the arc sine of x.
func Asin(x *graph.Value) *graph.Value { return unary(&DefAsin, x) }

// DefAcos is ONNX's Acos.
//
//weft:full
var DefAcos = graph.Def{
	Name: "Acos", Since: 22, MinIn: 1, MaxIn: 1, Doc: "arc cosine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Acos) }, Grad: gradAcos{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Acos) },
}

// dx = -dy / sqrt(1 - x^2).
type gradAcos struct{}

func (gradAcos) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Neg(Div(c.DY[0], Sqrt(oneMinusSquare(c.In(0)))))}
}

// Acos returns the arc cosine of x.
func Acos(x *graph.Value) *graph.Value { return unary(&DefAcos, x) }

// DefAtan is ONNX's Atan.
//
//weft:full
var DefAtan = graph.Def{
	Name: "Atan", Since: 22, MinIn: 1, MaxIn: 1, Doc: "arc tangent", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Atan) }, Grad: gradAtan{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Atan) },
}

// dx = dy / (1 + x^2).
type gradAtan struct{}

func (gradAtan) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(c.DY[0], onePlus(Mul(c.In(0), c.In(0))))}
}

// Atan returns the arc tangent of x.
func Atan(x *graph.Value) *graph.Value { return unary(&DefAtan, x) }

// DefSinh is ONNX's Sinh.
//
//weft:full
var DefSinh = graph.Def{
	Name: "Sinh", Since: 22, MinIn: 1, MaxIn: 1, Doc: "hyperbolic sine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Sinh) }, Grad: gradSinh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Sinh) },
}

// dx = dy * cosh(x).
type gradSinh struct{}

func (gradSinh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], Cosh(c.In(0)))}
}

// Sinh returns the hyperbolic sine of x.
func Sinh(x *graph.Value) *graph.Value { return unary(&DefSinh, x) }

// DefCosh is ONNX's Cosh.
//
//weft:full
var DefCosh = graph.Def{
	Name: "Cosh", Since: 22, MinIn: 1, MaxIn: 1, Doc: "hyperbolic cosine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Cosh) }, Grad: gradCosh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Cosh) },
}

// dx = dy * sinh(x).
type gradCosh struct{}

func (gradCosh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(c.DY[0], Sinh(c.In(0)))}
}

// Cosh returns the hyperbolic cosine of x.
func Cosh(x *graph.Value) *graph.Value { return unary(&DefCosh, x) }

// DefAsinh is ONNX's Asinh.
//
//weft:full
var DefAsinh = graph.Def{
	Name: "Asinh", Since: 22, MinIn: 1, MaxIn: 1, Doc: "inverse hyperbolic sine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Asinh) }, Grad: gradAsinh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Asinh) },
}

// dx = dy / sqrt(x^2 + 1).
type gradAsinh struct{}

func (gradAsinh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(c.DY[0], Sqrt(onePlus(Mul(c.In(0), c.In(0)))))}
}

// Asinh returns the inverse hyperbolic sine of x.
func Asinh(x *graph.Value) *graph.Value { return unary(&DefAsinh, x) }

// DefAcosh is ONNX's Acosh.
//
//weft:full
var DefAcosh = graph.Def{
	Name: "Acosh", Since: 22, MinIn: 1, MaxIn: 1, Doc: "inverse hyperbolic cosine", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Acosh) }, Grad: gradAcosh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Acosh) },
}

// dx = dy / sqrt(x^2 - 1).
type gradAcosh struct{}

func (gradAcosh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(c.DY[0], Sqrt(Neg(oneMinusSquare(c.In(0)))))}
}

// Acosh returns the inverse hyperbolic cosine of x.
func Acosh(x *graph.Value) *graph.Value { return unary(&DefAcosh, x) }

// DefAtanh is ONNX's Atanh.
//
//weft:full
var DefAtanh = graph.Def{
	Name: "Atanh", Since: 22, MinIn: 1, MaxIn: 1, Doc: "inverse hyperbolic tangent", Infer: inferFloat, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) { refMap(c, math.Atanh) }, Grad: gradAtanh{},
	Elem: func(*graph.Node) (graph.ElemOp, bool) { return elemUnary(simd.Atanh) },
}

// dx = dy / (1 - x^2).
type gradAtanh struct{}

func (gradAtanh) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Div(c.DY[0], oneMinusSquare(c.In(0)))}
}

// Atanh returns the inverse hyperbolic tangent of x.
func Atanh(x *graph.Value) *graph.Value { return unary(&DefAtanh, x) }
