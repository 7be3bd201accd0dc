package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// The rest of ONNX's reductions; see reduce.go for what they share.

var reduceAttrs = []graph.AttrDef{
	{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	{Name: "noop_with_empty_axes", Kind: graph.AttrInt},
}

// reduceAgain applies another reduction with the node's axes and attributes to x.
func reduceAgain(n *graph.Node, d *graph.Def, x, axes *graph.Value) *graph.Value {
	attrs := []graph.Attr{graph.Int("keepdims", n.Int("keepdims")), graph.Int("noop_with_empty_axes", n.Int("noop_with_empty_axes"))}
	if axes == nil {
		return x.G.Add(d, attrs, x)
	}
	return x.G.Add(d, attrs, x, axes)
}

func axesInput(in []*graph.Value) *graph.Value {
	if len(in) > 1 {
		return in[1]
	}
	return nil
}

// DefReduceMin is ONNX's ReduceMin; the minimum of nothing is the type's largest number, and NaNs are passed over.
var DefReduceMin = graph.Def{
	Name: "ReduceMin", Since: 20, MinIn: 1, MaxIn: 2, Doc: "smallest element over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduceOrder, FLOPs: flopsInput, Ref: refReduceMin, Grad: gradReduceExtreme{}, Upgrade: upgradeAxes,
	Lower: func(b graph.Builder, n *graph.Node) bool { return lowerReduce(b, n, simd.ReduceMin, finishNone) },
}

func refReduceMin(c *graph.RefCtx) {
	if d := c.In[0].DType(); !d.IsFloat() {
		_, hi := intRange(d)
		refReduceInt(c, hi, func(a, x int64) int64 {
			if lessInt(d, x, a) {
				return x
			}
			return a
		}, nil)
		return
	}
	refReduce(c, math.Inf(1), func(a, x float64) float64 {
		if x < a { // not for NaN
			return x
		}
		return a
	}, nil)
}

// ReduceMin returns the smallest element of x over the axes (nil: all); NaNs are passed over.
func ReduceMin(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceMin, x, axes, keepdims)
}

// DefReduceProd is ONNX's ReduceProd.
//
//weft:full
var DefReduceProd = graph.Def{
	Name: "ReduceProd", Since: 18, MinIn: 1, MaxIn: 2, Doc: "product over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduce, FLOPs: flopsInput, Ref: refReduceProd, Grad: gradReduceProd{}, Upgrade: upgradeAxes,
	Lower: func(b graph.Builder, n *graph.Node) bool { return lowerReduce(b, n, simd.Prod, finishNone) },
}

func refReduceProd(c *graph.RefCtx) {
	if c.In[0].DType().IsInt() {
		refReduceInt(c, 1, func(a, x int64) int64 { return a * x }, nil)
		return
	}
	refReduce(c, 1, func(a, x float64) float64 { return a * x }, nil)
}

// dx = dy * (product of the other elements): without zeros y/x; one zero gets the product p of the rest, and nothing else gets
// anything; with two zeros nothing does. Second derivatives at zeros are not all there.
type gradReduceProd struct{}

func (gradReduceProd) Grad(c *graph.GradCtx) []*graph.Value {
	x := c.In(0)
	zero, one := ConstLike(x, 0), ConstLike(x, 1)
	isZero := Equal(x, zero)
	rest := Where(isZero, one, x)
	p := keepReduced(c, reduceAgain(c.Node, &DefReduceProd, rest, c.In(1)))
	zeros := keepReduced(c, reduceAgain(c.Node, &DefReduceSum, Where(isZero, one, zero), c.In(1)))
	dp := Mul(keepReduced(c, c.DY[0]), p)
	dx := Where(isZero, Mul(dp, Where(Equal(zeros, one), one, zero)), Div(Mul(dp, Where(Equal(zeros, zero), one, zero)), rest))
	return []*graph.Value{dx}
}

// ReduceProd returns the product of the elements of x over the axes (nil: all).
func ReduceProd(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceProd, x, axes, keepdims)
}

// DefReduceL1 is ONNX's ReduceL1.
//
//weft:full
var DefReduceL1 = graph.Def{
	Name: "ReduceL1", Since: 18, MinIn: 1, MaxIn: 2, Doc: "sum of absolute values over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduce, FLOPs: flopsInput2, Ref: refReduceL1, Grad: gradReduceL1{}, Upgrade: upgradeAxes,
	Lower: func(b graph.Builder, n *graph.Node) bool { return lowerReduce(b, n, simd.SumAbs, finishNone) },
}

func refReduceL1(c *graph.RefCtx) {
	if d := c.In[0].DType(); d.IsInt() {
		refReduceInt(c, 0, func(a, x int64) int64 {
			if x < 0 && d.IsSigned() {
				x = -x
			}
			return a + x
		}, nil)
		return
	}
	refReduce(c, 0, func(a, x float64) float64 { return a + math.Abs(x) }, nil)
}

// dx = dy * sign(x).
type gradReduceL1 struct{}

func (gradReduceL1) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(Sign(c.In(0)), keepReduced(c, c.DY[0]))}
}

// ReduceL1 returns the sum of the absolute values of x over the axes (nil: all).
func ReduceL1(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceL1, x, axes, keepdims)
}

// DefReduceSumSquare is ONNX's ReduceSumSquare.
var DefReduceSumSquare = graph.Def{
	Name: "ReduceSumSquare", Since: 18, MinIn: 1, MaxIn: 2, Doc: "sum of squares over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduce, FLOPs: flopsInput2, Ref: refReduceSumSquare, Grad: gradReduceSumSquare{}, Upgrade: upgradeAxes,
	Lower: func(b graph.Builder, n *graph.Node) bool { return lowerReduce(b, n, simd.SumSq, finishNone) },
}

func refReduceSumSquare(c *graph.RefCtx) {
	if c.In[0].DType().IsInt() {
		refReduceInt(c, 0, func(a, x int64) int64 { return a + x*x }, nil)
		return
	}
	refReduce(c, 0, func(a, x float64) float64 { return a + x*x }, nil)
}

// dx = 2 * dy * x.
type gradReduceSumSquare struct{}

func (gradReduceSumSquare) Grad(c *graph.GradCtx) []*graph.Value {
	dy := keepReduced(c, c.DY[0])
	return []*graph.Value{Mul(c.In(0), Mul(dy, ConstLike(dy, 2)))}
}

// ReduceSumSquare returns the sum of the squares of x over the axes (nil: all).
func ReduceSumSquare(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceSumSquare, x, axes, keepdims)
}

// DefReduceL2 is ONNX's ReduceL2.
var DefReduceL2 = graph.Def{
	Name: "ReduceL2", Since: 18, MinIn: 1, MaxIn: 2, Doc: "Euclidean norm over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduce, FLOPs: flopsInput2, Ref: refReduceL2, Grad: gradReduceL2{}, Body: bodyReduceL2{}, Upgrade: upgradeAxes,
}

func refReduceL2(c *graph.RefCtx) {
	if c.In[0].DType().IsInt() {
		refReduceInt(c, 0, func(a, x int64) int64 { return a + x*x }, func(a int64, _ int) int64 { return int64(math.Sqrt(float64(a))) })
		return
	}
	refReduce(c, 0, func(a, x float64) float64 { return a + x*x }, func(a float64, _ int) float64 { return math.Sqrt(a) })
}

type bodyReduceL2 struct{}

func (bodyReduceL2) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	if !isFloat(in[0].DType) {
		tensor.Fail(n.Describe(), "is expressed by other operators for floating-point types only")
	}
	return []*graph.Value{Sqrt(reduceAgain(n, &DefReduceSumSquare, in[0], axesInput(in)))}
}

// dx = dy * x / y, 0 where y = 0.
type gradReduceL2 struct{}

func (gradReduceL2) Grad(c *graph.GradCtx) []*graph.Value {
	dy, y := keepReduced(c, c.DY[0]), keepReduced(c, c.Out(0))
	zero := ConstLike(y, 0)
	none := Equal(y, zero)
	return []*graph.Value{Mul(c.In(0), Where(none, zero, Div(dy, Where(none, ConstLike(y, 1), y))))}
}

// ReduceL2 returns the Euclidean norm of x over the axes (nil: all).
func ReduceL2(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceL2, x, axes, keepdims)
}

// DefReduceLogSum is ONNX's ReduceLogSum.
//
//weft:full
var DefReduceLogSum = graph.Def{
	Name: "ReduceLogSum", Since: 18, MinIn: 1, MaxIn: 2, Doc: "logarithm of the sum over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduceFloat, FLOPs: flopsInput, Body: bodyReduceLogSum{}, Upgrade: upgradeAxes,
}

type bodyReduceLogSum struct{}

func (bodyReduceLogSum) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{Log(reduceAgain(n, &DefReduceSum, in[0], axesInput(in)))}
}

// ReduceLogSum returns log(sum(x)) over the axes (nil: all).
func ReduceLogSum(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceLogSum, x, axes, keepdims)
}

// DefReduceLogSumExp is ONNX's ReduceLogSumExp, computed relative to the largest element so that nothing overflows.
var DefReduceLogSumExp = graph.Def{
	Name: "ReduceLogSumExp", Since: 18, MinIn: 1, MaxIn: 2, Doc: "logarithm of the sum of e^x over axes", HostInputs: []int{1}, Attrs: reduceAttrs,
	Infer: inferReduceFloat, FLOPs: flopsInput4, Body: bodyReduceLogSumExp{}, Grad: gradReduceLogSumExp{}, Upgrade: upgradeAxes,
}

// lowest returns the least finite number of a floating-point type.
func lowest(d tensor.DType) float64 {
	switch d {
	case tensor.Float64:
		return -math.MaxFloat64
	case tensor.Float16:
		return -65504
	case tensor.BFloat16:
		return -0x1.fep127
	}
	return -math.MaxFloat32
}

type bodyReduceLogSumExp struct{}

// Body: m + log(sum(e^(x-m))), m the maximum, but finite where all elements are -Inf. A second reduction, over
// dimensions of size 1, drops them where keepdims is 0.
func (bodyReduceLogSumExp) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, axes := in[0], axesInput(in)
	kept := *n
	kept.Attrs = []graph.Attr{graph.Int("noop_with_empty_axes", n.Int("noop_with_empty_axes"))}
	m := Max(reduceAgain(&kept, &DefReduceMax, x, axes), ConstLike(x, lowest(x.DType)))
	y := Add(Log(reduceAgain(&kept, &DefReduceSum, Exp(Sub(x, m)), axes)), m)
	if n.Int("keepdims") == 0 {
		y = reduceAgain(n, &DefReduceSum, y, axes)
	}
	return []*graph.Value{y}
}

// dx = dy * e^(x-y).
type gradReduceLogSumExp struct{}

func (gradReduceLogSumExp) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{Mul(Exp(Sub(c.In(0), keepReduced(c, c.Out(0)))), keepReduced(c, c.DY[0]))}
}

// ReduceLogSumExp returns log(sum(e^x)) over the axes (nil: all).
func ReduceLogSumExp(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceLogSumExp, x, axes, keepdims)
}
