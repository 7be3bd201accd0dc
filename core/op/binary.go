package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

func inferArith(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1)
	broadcastAll(c, c.In[0].DType, c.In...)
}

// upgradeBroadcast brings the flag and the axis of opsets before 7 here: the second input's dimensions lay at the given axis of the
// first one's; now they lie at its end.
func upgradeBroadcast(c *graph.UpgradeCtx) {
	axis := c.Attr("axis")
	c.Remove("broadcast")
	c.Remove("consumed_inputs")
	if axis == nil || c.Version >= 7 || len(c.Inputs) < 2 {
		return
	}
	a, b := c.Inputs[0], c.Inputs[1]
	c.Remove("axis")
	if !a.HasRank || !b.HasRank {
		tensor.Fail("broadcast", "the ranks of the operands must be known to upgrade a model of opset ", c.Version)
	}
	c.Inputs[1] = alignAt(b, int(axis.I), len(a.Shape))
}

// alignAt appends dimensions of size 1 to b, so that its first one lies at the axis of a tensor of the given rank.
func alignAt(b *graph.Value, axis, rank int) *graph.Value {
	var at []int
	for i := axis + len(b.Shape); i < rank; i++ {
		at = append(at, i-axis)
	}
	if axis < 0 || len(at) == 0 {
		return b
	}
	return Unsqueeze(b, at...)
}

// DefAdd is ONNX's Add.
var DefAdd = graph.Def{
	Name: "Add", Since: 14, MinIn: 2, MaxIn: 2, Doc: "a + b", Infer: inferArith, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) {
		refZip(c, func(a, b float64) float64 { return a + b }, func(a, b int64) int64 { return a + b }, nil)
	},
	Grad: gradAdd{},
	Elem: elemAdd, Lower: lowerAdd, Fuse: fuseAdd{},
	Upgrade: upgradeBroadcast, Affine: affineZip{},
}

// da = dy, db = dy, each summed to its shape.
type gradAdd struct{}

func (gradAdd) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SumTo(c.DY[0], c.In(0)), SumTo(c.DY[0], c.In(1))}
}

// Add returns a + b with broadcasting.
func Add(a, b *graph.Value) *graph.Value { return binary(&DefAdd, a, b) }

// DefSub is ONNX's Sub.
var DefSub = graph.Def{
	Name: "Sub", Since: 14, MinIn: 2, MaxIn: 2, Doc: "a - b", Infer: inferArith, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) {
		refZip(c, func(a, b float64) float64 { return a - b }, func(a, b int64) int64 { return a - b }, nil)
	},
	Grad: gradSub{},
	Elem: elemSub, Lower: lowerSub,
	Upgrade: upgradeBroadcast, Affine: affineZip{inverse: true},
}

// da = dy, db = -dy.
type gradSub struct{}

func (gradSub) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SumTo(c.DY[0], c.In(0)), Neg(SumTo(c.DY[0], c.In(1)))}
}

// Sub returns a - b with broadcasting.
func Sub(a, b *graph.Value) *graph.Value { return binary(&DefSub, a, b) }

// DefMul is ONNX's Mul.
var DefMul = graph.Def{
	Name: "Mul", Since: 14, MinIn: 2, MaxIn: 2, Doc: "a * b", Infer: inferArith, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) {
		refZip(c, func(a, b float64) float64 { return a * b }, func(a, b int64) int64 { return a * b }, nil)
	},
	Grad: gradMul{},
	Elem: elemMul, Lower: lowerMul, Fuse: fuseMul{},
	Upgrade: upgradeBroadcast, Affine: affineZip{product: true},
}

// da = dy * b, db = dy * a.
type gradMul struct{}

func (gradMul) Grad(c *graph.GradCtx) []*graph.Value {
	a, b := c.In(0), c.In(1)
	return []*graph.Value{SumTo(Mul(c.DY[0], b), a), SumTo(Mul(c.DY[0], a), b)}
}

// Mul returns a * b with broadcasting.
func Mul(a, b *graph.Value) *graph.Value { return binary(&DefMul, a, b) }

// DefDiv is ONNX's Div; integers truncate toward zero, and dividing an integer by 0 gives 0.
var DefDiv = graph.Def{
	Name: "Div", Since: 14, MinIn: 2, MaxIn: 2, Doc: "a / b", Infer: inferArith, InPlace: []int{0, 1},
	Ref: refDiv, Grad: gradDiv{},
	Elem:    elemDiv,
	Upgrade: upgradeBroadcast, Affine: affineZip{product: true, inverse: true},
}

func refDiv(c *graph.RefCtx) {
	refZip(c, func(a, b float64) float64 { return a / b }, func(a, b int64) int64 {
		if b == 0 {
			return 0
		}
		return a / b
	}, func(a, b uint64) uint64 {
		if b == 0 {
			return 0
		}
		return a / b
	})
}

// da = dy / b, db = -dy * y / b.
type gradDiv struct{}

func (gradDiv) Grad(c *graph.GradCtx) []*graph.Value {
	a, b := c.In(0), c.In(1)
	da := Div(c.DY[0], b)
	return []*graph.Value{SumTo(da, a), SumTo(Neg(Mul(da, c.Out(0))), b)}
}

// Div returns a / b with broadcasting.
func Div(a, b *graph.Value) *graph.Value { return binary(&DefDiv, a, b) }

// DefPow is ONNX's Pow; the exponent may be of another type.
var DefPow = graph.Def{
	Name: "Pow", Since: 15, MinIn: 2, MaxIn: 2, Doc: "a to the power b", Infer: inferPow, InPlace: []int{0},
	Ref: refPow, Grad: gradPow{},
	Elem:    elemPow,
	Upgrade: upgradeBroadcast,
}

func inferPow(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantNumeric(c, 1)
	broadcastAll(c, c.In[0].DType, c.In...)
}

func refPow(c *graph.RefCtx) {
	sh := c.Out[0].Shape()
	if c.In[0].DType().IsInt() && c.In[1].DType().IsInt() {
		a, b := c.In[0].Expand(sh...).Int64sOf(), c.In[1].Expand(sh...).Int64sOf()
		for i := range a {
			a[i] = powInt(a[i], b[i])
		}
		c.Out[0].SetInt64s(a)
		return
	}
	a, b := c.In[0].Expand(sh...).Float64s(), c.In[1].Expand(sh...).Float64s()
	for i := range a {
		a[i] = math.Pow(a[i], b[i])
	}
	c.Out[0].SetFloat64s(a)
}

// powInt returns a to the power b, wrapping; a negative power is 0 unless a is 1 or -1.
func powInt(a, b int64) int64 {
	if b < 0 {
		switch {
		case a == 1:
			return 1
		case a == -1:
			return 1 - 2*(b&1)
		}
		return 0
	}
	r := int64(1)
	for ; b > 0; b >>= 1 {
		if b&1 != 0 {
			r *= a
		}
		a *= a
	}
	return r
}

// da = dy * b * a^(b-1), 0 where b = 0; db = dy * y * log(a), 0 where a = 0 and b >= 0. Of a negative base db is NaN, as in PyTorch: only at whole
// exponents there is a power at all.
type gradPow struct{}

func (gradPow) Grad(c *graph.GradCtx) []*graph.Value {
	a, b, dy := c.In(0), c.In(1), c.DY[0]
	if !isFloat(a.DType) {
		return nil
	}
	e := b
	if b.DType != a.DType {
		e = Cast(b, a.DType)
	}
	zero, one := ConstLike(a, 0), ConstLike(a, 1)
	da := Where(Equal(e, zero), zero, Mul(e, Pow(a, Sub(e, one))))
	out := []*graph.Value{SumTo(Mul(dy, da), a), nil}
	if b.DType == a.DType {
		flat := And(Equal(a, zero), GreaterOrEqual(b, zero))
		out[1] = SumTo(Mul(dy, Where(flat, zero, Mul(c.Out(0), Log(a)))), b)
	}
	return out
}

// Pow returns a to the power b with broadcasting.
func Pow(a, b *graph.Value) *graph.Value { return binary(&DefPow, a, b) }
