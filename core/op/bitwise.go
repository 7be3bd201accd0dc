package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// Operations on the bits of integers. They are for preprocessing and hashing; the reference evaluation runs them.

const integerResult = "the result is an integer"

func inferBits(c *graph.InferCtx) {
	wantInt(c, 0)
	wantSameType(c, 0, 1)
	inferArith(c)
}

// DefBitShift is ONNX's BitShift of unsigned integers; shifting by the width or more gives 0.
//
//weft:full
var DefBitShift = graph.Def{
	Name: "BitShift", Since: 11, MinIn: 2, MaxIn: 2, Doc: "shift bits left or right", NoGrad: integerResult, InPlace: []int{0, 1},
	Attrs: []graph.AttrDef{{Name: "direction", Kind: graph.AttrString, Required: true}},
	Infer: func(c *graph.InferCtx) {
		if d := c.Node.Str("direction"); d != "LEFT" && d != "RIGHT" {
			c.Fail("direction is \"", d, "\"; it can be LEFT or RIGHT")
		}
		if c.In[0].DType.IsSigned() {
			c.Fail("takes unsigned integers, not ", c.In[0].DType)
		}
		inferBits(c)
	},
	Ref: func(c *graph.RefCtx) {
		right := c.Node.Str("direction") == "RIGHT"
		refZip(c, nil, func(a, b int64) int64 {
			if right {
				return int64(uint64(a) >> uint64(b))
			}
			return int64(uint64(a) << uint64(b))
		}, nil)
	},
}

// BitShift returns a shifted by b bits, to the right or to the left.
func BitShift(a, b *graph.Value, right bool) *graph.Value {
	d := "LEFT"
	if right {
		d = "RIGHT"
	}
	return a.G.Add(&DefBitShift, []graph.Attr{graph.Str("direction", d)}, a, b)
}

// DefBitwiseAnd is ONNX's BitwiseAnd.
//
//weft:full
var DefBitwiseAnd = graph.Def{
	Name: "BitwiseAnd", Since: 18, MinIn: 2, MaxIn: 2, Doc: "a and b, bit by bit", Infer: inferBits, NoGrad: integerResult, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a & b }, nil) },
}

// BitwiseAnd returns a and b, bit by bit.
func BitwiseAnd(a, b *graph.Value) *graph.Value { return binary(&DefBitwiseAnd, a, b) }

// DefBitwiseOr is ONNX's BitwiseOr.
//
//weft:full
var DefBitwiseOr = graph.Def{
	Name: "BitwiseOr", Since: 18, MinIn: 2, MaxIn: 2, Doc: "a or b, bit by bit", Infer: inferBits, NoGrad: integerResult, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a | b }, nil) },
}

// BitwiseOr returns a or b, bit by bit.
func BitwiseOr(a, b *graph.Value) *graph.Value { return binary(&DefBitwiseOr, a, b) }

// DefBitwiseXor is ONNX's BitwiseXor.
//
//weft:full
var DefBitwiseXor = graph.Def{
	Name: "BitwiseXor", Since: 18, MinIn: 2, MaxIn: 2, Doc: "a or b but not both, bit by bit", Infer: inferBits, NoGrad: integerResult, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) { refZip(c, nil, func(a, b int64) int64 { return a ^ b }, nil) },
}

// BitwiseXor returns a xor b, bit by bit.
func BitwiseXor(a, b *graph.Value) *graph.Value { return binary(&DefBitwiseXor, a, b) }

// DefBitwiseNot is ONNX's BitwiseNot.
//
//weft:full
var DefBitwiseNot = graph.Def{
	Name: "BitwiseNot", Since: 18, MinIn: 1, MaxIn: 1, Doc: "the complement of x, bit by bit", NoGrad: integerResult, InPlace: []int{0},
	Infer: func(c *graph.InferCtx) {
		wantInt(c, 0)
		inferNumeric(c)
	},
	Ref: func(c *graph.RefCtx) { refMapNum(c, nil, func(x int64) int64 { return ^x }) },
}

// BitwiseNot returns the complement of x, bit by bit.
func BitwiseNot(x *graph.Value) *graph.Value { return unary(&DefBitwiseNot, x) }
