package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

const boolType = tensor.Bool

const booleanResult = "the result is boolean"

func inferOrder(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1)
	broadcastAll(c, boolType, c.In...)
}

func inferEqual(c *graph.InferCtx) {
	if d := c.In[0].DType; !isNumeric(d) && d != boolType && d != tensor.String {
		c.Fail("elements of type ", d, " cannot be compared")
	}
	wantSameType(c, 0, 1)
	broadcastAll(c, boolType, c.In...)
}

func toBool(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// refCompare evaluates a comparison; f and g are the same predicate on the two kinds of numbers.
func refCompare(c *graph.RefCtx, f func(a, b float64) bool, g func(a, b int64) bool) {
	sh, d := c.Out[0].Shape(), c.In[0].DType()
	out := c.Out[0].Bytes()
	if d.IsFloat() {
		a, b := c.In[0].Expand(sh...).Float64s(), c.In[1].Expand(sh...).Float64s()
		for i := range out {
			out[i] = byte(toBool(f(a[i], b[i])))
		}
		return
	}
	a, b := c.In[0].Expand(sh...).Int64sOf(), c.In[1].Expand(sh...).Int64sOf()
	for i := range out {
		x, y := a[i], b[i]
		if d == tensor.Uint64 { // to the order of int64
			x, y = x^(-1<<63), y^(-1<<63)
		}
		out[i] = byte(toBool(g(x, y)))
	}
}

// DefEqual is ONNX's Equal.
var DefEqual = graph.Def{
	Name: "Equal", Since: 19, MinIn: 2, MaxIn: 2, Doc: "a == b", Infer: inferEqual, Ref: refEqual, NoGrad: booleanResult,
	Elem: elemEqual, Lower: lowerEqual,
	Upgrade: upgradeBroadcast,
}

func refEqual(c *graph.RefCtx) {
	if c.In[0].DType() == tensor.String {
		sh, out := c.Out[0].Shape(), c.Out[0].Bytes()
		a, b := c.In[0].Expand(sh...).Contiguous().Strings(), c.In[1].Expand(sh...).Contiguous().Strings()
		for i := range out {
			out[i] = byte(toBool(a[i] == b[i]))
		}
		return
	}
	refCompare(c, func(a, b float64) bool { return a == b }, func(a, b int64) bool { return a == b })
}

// Equal returns where a == b, with broadcasting.
func Equal(a, b *graph.Value) *graph.Value { return binary(&DefEqual, a, b) }

// DefGreater is ONNX's Greater.
var DefGreater = graph.Def{
	Name: "Greater", Since: 13, MinIn: 2, MaxIn: 2, Doc: "a > b", Infer: inferOrder, NoGrad: booleanResult,
	Ref: func(c *graph.RefCtx) {
		refCompare(c, func(a, b float64) bool { return a > b }, func(a, b int64) bool { return a > b })
	},
	Elem: elemGreater, Lower: lowerGreater,
	Upgrade: upgradeBroadcast,
}

// Greater returns where a > b, with broadcasting.
func Greater(a, b *graph.Value) *graph.Value { return binary(&DefGreater, a, b) }

// DefLess is ONNX's Less.
var DefLess = graph.Def{
	Name: "Less", Since: 13, MinIn: 2, MaxIn: 2, Doc: "a < b", Infer: inferOrder, NoGrad: booleanResult,
	Ref: func(c *graph.RefCtx) {
		refCompare(c, func(a, b float64) bool { return a < b }, func(a, b int64) bool { return a < b })
	},
	Elem: elemLess, Lower: lowerLess,
	Upgrade: upgradeBroadcast,
}

// Less returns where a < b, with broadcasting.
func Less(a, b *graph.Value) *graph.Value { return binary(&DefLess, a, b) }

// DefGreaterOrEqual is ONNX's GreaterOrEqual.
var DefGreaterOrEqual = graph.Def{
	Name: "GreaterOrEqual", Since: 16, MinIn: 2, MaxIn: 2, Doc: "a >= b", Infer: inferOrder, NoGrad: booleanResult,
	Ref: func(c *graph.RefCtx) {
		refCompare(c, func(a, b float64) bool { return a >= b }, func(a, b int64) bool { return a >= b })
	},
	Elem: elemGreaterOrEqual, Lower: lowerGreaterOrEqual,
}

// GreaterOrEqual returns where a >= b, with broadcasting.
func GreaterOrEqual(a, b *graph.Value) *graph.Value { return binary(&DefGreaterOrEqual, a, b) }

// DefLessOrEqual is ONNX's LessOrEqual.
var DefLessOrEqual = graph.Def{
	Name: "LessOrEqual", Since: 16, MinIn: 2, MaxIn: 2, Doc: "a <= b", Infer: inferOrder, NoGrad: booleanResult,
	Ref: func(c *graph.RefCtx) {
		refCompare(c, func(a, b float64) bool { return a <= b }, func(a, b int64) bool { return a <= b })
	},
	Elem: elemLessOrEqual, Lower: lowerLessOrEqual,
}

// LessOrEqual returns where a <= b, with broadcasting.
func LessOrEqual(a, b *graph.Value) *graph.Value { return binary(&DefLessOrEqual, a, b) }

func inferLogic(c *graph.InferCtx) {
	wantBool(c, 0)
	wantBool(c, 1)
	broadcastAll(c, boolType, c.In...)
}

// DefAnd is ONNX's And.
var DefAnd = graph.Def{
	Name: "And", Since: 7, MinIn: 2, MaxIn: 2, Doc: "a and b", Infer: inferLogic, NoGrad: booleanResult, Lower: lowerAnd,
	Ref:     func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a & b }, nil) },
	Upgrade: upgradeBroadcast,
}

// And returns a and b of bools, with broadcasting.
func And(a, b *graph.Value) *graph.Value { return binary(&DefAnd, a, b) }

// DefOr is ONNX's Or.
var DefOr = graph.Def{
	Name: "Or", Since: 7, MinIn: 2, MaxIn: 2, Doc: "a or b", Infer: inferLogic, NoGrad: booleanResult, Lower: lowerOr,
	Ref:     func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a | b }, nil) },
	Upgrade: upgradeBroadcast,
}

// Or returns a or b of bools, with broadcasting.
func Or(a, b *graph.Value) *graph.Value { return binary(&DefOr, a, b) }

// DefXor is ONNX's Xor.
//
//weft:full
var DefXor = graph.Def{
	Name: "Xor", Since: 7, MinIn: 2, MaxIn: 2, Doc: "a or b, not both", Infer: inferLogic, NoGrad: booleanResult, Lower: lowerXor,
	Ref:     func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a ^ b }, nil) },
	Upgrade: upgradeBroadcast,
}

// Xor returns where exactly one of a and b holds, with broadcasting.
func Xor(a, b *graph.Value) *graph.Value { return binary(&DefXor, a, b) }

// DefNot is ONNX's Not.
var DefNot = graph.Def{
	Name: "Not", Since: 1, MinIn: 1, MaxIn: 1, Doc: "not x", NoGrad: booleanResult, Lower: lowerNot,
	Infer: func(c *graph.InferCtx) {
		wantBool(c, 0)
		inferSame(c)
	},
	Ref: func(c *graph.RefCtx) {
		for i, v := range c.In[0].Bytes() {
			c.Out[0].Bytes()[i] = byte(toBool(v == 0))
		}
	},
}

// Not returns the negation of bools.
func Not(x *graph.Value) *graph.Value { return unary(&DefNot, x) }

// DefWhere is ONNX's Where.
var DefWhere = graph.Def{
	Name: "Where", Since: 16, MinIn: 3, MaxIn: 3, Doc: "cond ? a : b", Infer: inferWhere, InPlace: []int{1, 2},
	Ref: refWhere, Grad: gradWhere{},
	Elem: elemWhere, Lower: lowerWhere,
}

func inferWhere(c *graph.InferCtx) {
	wantBool(c, 0)
	wantSameType(c, 1, 2)
	broadcastAll(c, c.In[1].DType, c.In...)
}

func refWhere(c *graph.RefCtx) {
	sh := c.Out[0].Shape()
	cond, a, b := c.In[0].Expand(sh...).Contiguous().Bytes(), c.In[1].Expand(sh...).Contiguous(), c.In[2].Expand(sh...).Contiguous()
	if a.DType() == tensor.String {
		out := c.Out[0].Strings()
		for i, t := range cond {
			out[i] = b.Strings()[i]
			if t != 0 {
				out[i] = a.Strings()[i]
			}
		}
		return
	}
	w, out := a.DType().Bits()/8, c.Out[0].Bytes()
	for i, t := range cond {
		src := b
		if t != 0 {
			src = a
		}
		copy(out[i*w:i*w+w], src.Bytes()[i*w:])
	}
}

// da = cond ? dy : 0, db = cond ? 0 : dy.
type gradWhere struct{}

func (gradWhere) Grad(c *graph.GradCtx) []*graph.Value {
	zero := ConstLike(c.DY[0], 0)
	return []*graph.Value{nil, SumTo(Where(c.In(0), c.DY[0], zero), c.In(1)), SumTo(Where(c.In(0), zero, c.DY[0]), c.In(2))}
}

// Where returns cond ? a : b, with broadcasting of all three; cond is bool.
func Where(cond, a, b *graph.Value) *graph.Value { return a.G.Add(&DefWhere, nil, cond, a, b) }
