package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The reductions of ONNX share their attributes, inputs and shape rule: axes are an optional second input
// (int64; negative counts from the back), keepdims (default 1) leaves dimensions of size 1, and without axes
// everything is reduced, or nothing under noop_with_empty_axes.

// reduceAxes returns which dimensions the node reduces; known is false while the axes are not.
func reduceAxes(fail func(parts ...any), n *graph.Node, axes []int, given, known bool, rank int) (mask []bool, ok bool) {
	if given && !known {
		return nil, false
	}
	mask = make([]bool, rank)
	if len(axes) == 0 {
		for i := range mask {
			mask[i] = n.Int("noop_with_empty_axes") == 0
		}
		return mask, true
	}
	for _, a := range axes {
		k, in := tensor.Axis(a, rank)
		if !in {
			fail("axis ", a, " is outside a tensor of rank ", rank)
		}
		if mask[k] {
			fail("axis ", a, " is given twice")
		}
		mask[k] = true
	}
	return mask, true
}

func reducedShape(shape []int, mask []bool, keep bool) []int {
	out := []int{}
	for i, d := range shape {
		switch {
		case !mask[i]:
			out = append(out, d)
		case keep:
			out = append(out, 1)
		}
	}
	return out
}

func inferReduce(c *graph.InferCtx) {
	wantNumeric(c, 0)
	if c.Has(1) {
		wantInt(c, 1)
	}
	x := c.In[0]
	axes, known := c.Ints(1)
	keep := c.Node.Int("keepdims") != 0
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	mask, ok := reduceAxes(c.Fail, c.Node, axes, c.Has(1), known, len(x.Shape))
	switch {
	case ok:
		c.Set(0, x.DType, reducedShape(x.Shape, mask, keep))
	case keep:
		sh := make([]int, len(x.Shape))
		for i := range sh {
			sh[i] = graph.Unknown
		}
		c.Set(0, x.DType, sh)
	default:
		c.SetUnranked(0, x.DType)
	}
}

func inferReduceFloat(c *graph.InferCtx) {
	wantFloat(c, 0)
	inferReduce(c)
}

// reduceMask returns which dimensions of its input the node reduces, at evaluation.
func reduceMask(c *graph.RefCtx) []bool {
	var axes []int
	if c.Has(1) {
		for _, a := range c.In[1].Int64sOf() {
			axes = append(axes, int(a))
		}
	}
	mask, _ := reduceAxes(c.Fail, c.Node, axes, true, true, c.In[0].Rank())
	return mask
}

// eachReduced calls f for every input element with its index and the index of the output element it goes to.
func eachReduced(shape []int, mask []bool, f func(i, o int)) {
	st := make([]int, len(shape)) // output stride per dimension, 0 for reduced ones
	for i, n := len(shape)-1, 1; i >= 0; i-- {
		if !mask[i] {
			st[i] = n
			n *= shape[i]
		}
	}
	idx, o := make([]int, len(shape)), 0
	for i := range tensor.Size(shape) {
		f(i, o)
		for a := len(shape) - 1; a >= 0; a-- {
			idx[a]++
			o += st[a]
			if idx[a] < shape[a] {
				break
			}
			o -= idx[a] * st[a]
			idx[a] = 0
		}
	}
}

// refReduce folds elements in row-major order from start, and applies last(sum, count) to the result.
func refReduce(c *graph.RefCtx, start float64, f func(acc, x float64) float64, last func(acc float64, n int) float64) {
	mask, shape := reduceMask(c), c.In[0].Shape()
	x, out := c.In[0].Float64s(), make([]float64, c.Out[0].Len())
	n := 1
	for i, m := range mask {
		if m {
			n *= shape[i]
		}
	}
	for i := range out {
		out[i] = start
	}
	eachReduced(shape, mask, func(i, o int) { out[o] = f(out[o], x[i]) })
	if last != nil {
		for i := range out {
			out[i] = last(out[i], n)
		}
	}
	c.Out[0].SetFloat64s(out)
}

// refReduceInt is refReduce on integer types.
func refReduceInt(c *graph.RefCtx, start int64, f func(acc, x int64) int64, last func(acc int64, n int) int64) {
	mask, shape := reduceMask(c), c.In[0].Shape()
	x, out := c.In[0].Int64sOf(), make([]int64, c.Out[0].Len())
	n := 1
	for i, m := range mask {
		if m {
			n *= shape[i]
		}
	}
	for i := range out {
		out[i] = start
	}
	eachReduced(shape, mask, func(i, o int) { out[o] = f(out[o], x[i]) })
	if last != nil {
		for i := range out {
			out[i] = last(out[i], n)
		}
	}
	c.Out[0].SetInt64s(out)
}

func addFloat(a, x float64) float64 { return a + x }
func addInt(a, x int64) int64       { return a + x }

// DefReduceSum is ONNX's ReduceSum.
var DefReduceSum = graph.Def{
	Name: "ReduceSum", Since: 13, MinIn: 1, MaxIn: 2, Doc: "sum over axes", HostInputs: []int{1},
	Attrs: []graph.AttrDef{
		{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "noop_with_empty_axes", Kind: graph.AttrInt},
	},
	Infer: inferReduce, FLOPs: flopsInput, Ref: refReduceSum, Grad: gradReduceSum{}, Upgrade: upgradeAxes,
	Lower: lowerReduceSum, Last: lastReduce{reduce: "sum"},
}

func refReduceSum(c *graph.RefCtx) {
	if c.In[0].DType().IsInt() {
		refReduceInt(c, 0, addInt, nil)
		return
	}
	refReduce(c, 0, addFloat, nil)
}

// dx = dy, broadcast along the reduced axes.
type gradReduceSum struct{}

func (gradReduceSum) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ExpandLike(keepReduced(c, c.DY[0]), c.In(0))}
}

// keepReduced returns v, which has the shape of the node's output, with the reduced dimensions as size 1,
// so that it broadcasts against the input.
func keepReduced(c *graph.GradCtx, v *graph.Value) *graph.Value {
	x := c.In(0)
	if c.Node.Int("keepdims") != 0 || c.In(1) == nil && c.Node.Int("noop_with_empty_axes") == 0 {
		return v // everything reduced: a scalar broadcasts
	}
	if !x.HasRank || c.In(1) != nil && c.In(1).Const == nil {
		tensor.Fail(c.Node.Describe(), "the gradient needs a known rank and constant axes")
	}
	var axes []int
	if c.In(1) != nil {
		for _, a := range c.In(1).Const.Int64sOf() {
			axes = append(axes, int(a))
		}
	}
	if len(axes) == 0 {
		return v
	}
	return unsqueeze(v, len(x.Shape), axes)
}

// unsqueeze inserts dimensions of size 1 at the given axes of a result of the given rank.
func unsqueeze(v *graph.Value, rank int, axes []int) *graph.Value {
	pos := make([]int, len(axes))
	for i, a := range axes {
		pos[i], _ = tensor.Axis(a, rank)
	}
	return Unsqueeze(v, pos...)
}

// reduce adds a reduction node; no axes means all.
func reduce(d *graph.Def, x *graph.Value, axes []int, keepdims bool) *graph.Value {
	attrs := []graph.Attr{graph.Bool("keepdims", keepdims)}
	if len(axes) == 0 {
		return x.G.Add(d, attrs, x)
	}
	return x.G.Add(d, attrs, x, ConstInts(x.G, axes...))
}

// ReduceSum returns the sum of x over the axes (nil: all); keepdims leaves them with size 1.
func ReduceSum(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceSum, x, axes, keepdims)
}

// DefReduceMean is ONNX's ReduceMean.
var DefReduceMean = graph.Def{
	Name: "ReduceMean", Since: 18, MinIn: 1, MaxIn: 2, Doc: "mean over axes", HostInputs: []int{1},
	Attrs: []graph.AttrDef{
		{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "noop_with_empty_axes", Kind: graph.AttrInt},
	},
	Infer: inferReduce, FLOPs: flopsInput, Ref: refReduceMean, Grad: gradReduceMean{}, Upgrade: upgradeAxes,
	Lower: lowerReduceMean, Last: lastReduce{reduce: "mean"},
}

func refReduceMean(c *graph.RefCtx) {
	if c.In[0].DType().IsInt() {
		refReduceInt(c, 0, addInt, func(s int64, n int) int64 { return s / int64(max(n, 1)) })
		return
	}
	refReduce(c, 0, addFloat, func(s float64, n int) float64 { return s / float64(n) })
}

// dx = dy / n, broadcast along the reduced axes. n follows from the shapes: the number of ones that sum to one output element.
type gradReduceMean struct{}

func (gradReduceMean) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy := c.In(0), keepReduced(c, c.DY[0])
	n, known := 1, x.HasRank
	for i, d := range x.Shape {
		if known && (c.In(1) == nil || len(dy.Shape) == len(x.Shape) && dy.Shape[i] != d || d < 0) {
			n *= d
			known = d >= 0
		}
	}
	if known {
		return []*graph.Value{ExpandLike(Mul(dy, ConstLike(dy, 1/float64(n))), x)}
	}
	return []*graph.Value{ExpandLike(Div(dy, countPer(dy, x)), x)}
}

// ReduceMean returns the mean of x over the axes (nil: all); keepdims leaves them with size 1.
func ReduceMean(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceMean, x, axes, keepdims)
}

// upgradeAxes turns the axes attribute of older opsets into an input.
func upgradeAxes(c *graph.UpgradeCtx) {
	a := c.Attr("axes")
	if a == nil {
		return
	}
	v := make([]int, len(a.Ints))
	for i, x := range a.Ints {
		v[i] = int(x)
	}
	c.Remove("axes")
	c.Inputs = append(c.Inputs[:1:1], ConstInts(c.G, v...))
}

// DefReduceMax is ONNX's ReduceMax; the maximum of nothing is the type's lowest number, and NaNs are passed over.
var DefReduceMax = graph.Def{
	Name: "ReduceMax", Since: 20, MinIn: 1, MaxIn: 2, Doc: "largest element over axes", HostInputs: []int{1},
	Attrs: []graph.AttrDef{
		{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "noop_with_empty_axes", Kind: graph.AttrInt},
	},
	Infer: inferReduceOrder, FLOPs: flopsInput, Ref: refReduceMax, Grad: gradReduceExtreme{}, Upgrade: upgradeAxes,
	Lower: lowerReduceMax, Last: lastReduce{reduce: "max"},
}

func inferReduceOrder(c *graph.InferCtx) {
	if c.In[0].DType != boolType {
		inferReduce(c)
		return
	}
	c.In[0].DType = tensor.Uint8
	inferReduce(c)
	c.Out[0].DType = boolType
}

func refReduceMax(c *graph.RefCtx) {
	if d := c.In[0].DType(); !d.IsFloat() {
		lo, _ := intRange(d)
		refReduceInt(c, lo, func(a, x int64) int64 {
			if lessInt(d, a, x) {
				return x
			}
			return a
		}, nil)
		return
	}
	refReduce(c, math.Inf(-1), func(a, x float64) float64 {
		if a < x {
			return x
		}
		return a
	}, nil)
}

// lessInt compares as the type does: uint64 is held in the bits of int64.
func lessInt(d tensor.DType, a, b int64) bool {
	if d == tensor.Uint64 {
		return uint64(a) < uint64(b)
	}
	return a < b
}

// intRange returns the least and the greatest element of an integer type (or bool), as Int64sOf holds them.
func intRange(d tensor.DType) (lo, hi int64) {
	switch {
	case d == boolType:
		return 0, 1
	case d == tensor.Uint64:
		return 0, -1
	case d.IsSigned():
		return -1 << (d.Bits() - 1), 1<<(d.Bits()-1) - 1
	}
	return 0, 1<<d.Bits() - 1
}

// With m = (x == y): dx = dy * m / (number of m in the group). Equal largest elements share the gradient evenly.
type gradReduceExtreme struct{}

func (gradReduceExtreme) Grad(c *graph.GradCtx) []*graph.Value {
	x := c.In(0)
	y, dy := keepReduced(c, c.Out(0)), keepReduced(c, c.DY[0])
	m := Cast(Equal(x, y), x.DType)
	return []*graph.Value{Mul(m, Div(dy, SumTo(m, y)))}
}

// ReduceMax returns the largest element of x over the axes (nil: all); NaNs are passed over.
func ReduceMax(x *graph.Value, axes []int, keepdims bool) *graph.Value {
	return reduce(&DefReduceMax, x, axes, keepdims)
}
