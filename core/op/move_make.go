package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Operators that make tensors: of shapes, of constants, of positions.

const noGradInts = "gives integers"

// DefShape is ONNX's Shape: the dimensions start to end of x as int64.
var DefShape = graph.Def{
	Name: "Shape", Since: 25, Doc: "The dimensions of a tensor.", MinIn: 1, MaxIn: 1, ShapeOnly: []int{0}, NoGrad: noGradInts,
	Attrs: []graph.AttrDef{{Name: "start", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}, {Name: "end", Kind: graph.AttrInt}},
	Infer: inferShape, Ref: refShape,
}

// Shape returns the dimensions of x, an int64 vector.
func Shape(x *graph.Value) *graph.Value { return x.G.Add(&DefShape, nil, x) }

func shapeRange(n *graph.Node, rank int) (start, end int) {
	start, end = n.Int("start"), rank
	if n.HasAttr("end") {
		end = n.Int("end")
	}
	if start < 0 {
		start += rank
	}
	if end < 0 {
		end += rank
	}
	start = min(max(start, 0), rank)
	return start, max(min(end, rank), start)
}

func inferShape(c *graph.InferCtx) {
	x := c.In[0]
	if !x.HasRank {
		c.Set(0, tensor.Int64, []int{graph.Unknown})
		return
	}
	lo, hi := shapeRange(c.Node, len(x.Shape))
	c.Set(0, tensor.Int64, []int{hi - lo})
	if allKnown(x.Shape[lo:hi]) {
		t := tensor.New(tensor.Int64, hi-lo)
		for i, d := range x.Shape[lo:hi] {
			t.Int64s()[i] = int64(d)
		}
		c.Out[0].Const = t
	}
}

func refShape(c *graph.RefCtx) {
	lo, hi := shapeRange(c.Node, c.In[0].Rank())
	for i, d := range c.In[0].Shape()[lo:hi] {
		c.Out[0].Int64s()[i] = int64(d)
	}
}

// DefSize is ONNX's Size: the number of elements of x as an int64 scalar.
var DefSize = graph.Def{
	Name: "Size", Since: 25, Doc: "The number of elements of a tensor.", MinIn: 1, MaxIn: 1, ShapeOnly: []int{0}, NoGrad: noGradInts,
	Infer: inferSize, Ref: refSize,
}

// Size returns the number of elements of x, an int64 scalar.
func Size(x *graph.Value) *graph.Value { return x.G.Add(&DefSize, nil, x) }

func inferSize(c *graph.InferCtx) {
	c.Set(0, tensor.Int64, []int{})
	if x := c.In[0]; x.HasRank && allKnown(x.Shape) {
		if n, ok := tensor.CheckedSize(x.Shape); ok {
			c.Out[0].Const = tensor.Scalar(int64(n))
		}
	}
}

func refSize(c *graph.RefCtx) { c.Out[0].Int64s()[0] = int64(c.In[0].Len()) }

// DefConstant is ONNX's Constant: the tensor that an attribute holds.
var DefConstant = graph.Def{
	Name: "Constant", Since: 25, Doc: "A constant tensor.", NoGrad: "has no inputs",
	Attrs: []graph.AttrDef{{Name: "value", Kind: graph.AttrTensor}, {Name: "value_float", Kind: graph.AttrFloat}, {Name: "value_floats", Kind: graph.AttrFloats},
		{Name: "value_int", Kind: graph.AttrInt}, {Name: "value_ints", Kind: graph.AttrInts}, {Name: "value_string", Kind: graph.AttrString}, {Name: "value_strings", Kind: graph.AttrStrings}},
	Infer: inferConstant, Ref: refConstant,
}

// constantOf returns the tensor of a Constant node, nil unless exactly one attribute is set.
func constantOf(n *graph.Node) *tensor.Tensor {
	if len(n.Attrs) != 1 {
		return nil
	}
	switch a := &n.Attrs[0]; a.Kind {
	case graph.AttrTensor:
		return a.T
	case graph.AttrFloat:
		return tensor.Scalar(a.F)
	case graph.AttrFloats:
		return tensor.From(a.Floats, len(a.Floats))
	case graph.AttrInt:
		return tensor.Scalar(a.I)
	case graph.AttrInts:
		return tensor.From(a.Ints, len(a.Ints))
	case graph.AttrString:
		return tensor.FromStrings([]string{a.S})
	case graph.AttrStrings:
		return tensor.FromStrings(a.Strings, len(a.Strings))
	}
	return nil
}

func inferConstant(c *graph.InferCtx) {
	t := constantOf(c.Node)
	if t == nil {
		c.Fail("needs exactly one attribute with the value")
	}
	c.Set(0, t.DType(), t.Shape())
	c.Out[0].Const = t.Contiguous()
}

func refConstant(c *graph.RefCtx) { c.Out[0] = constantOf(c.Node).Contiguous() }

// DefConstantOfShape is ONNX's ConstantOfShape: a tensor of the given shape filled with the value (float32 0).
var DefConstantOfShape = graph.Def{
	Name: "ConstantOfShape", Since: 25, Doc: "A tensor filled with one value.", MinIn: 1, MaxIn: 1, HostInputs: []int{0}, NoGrad: "does not depend on its input's elements",
	Attrs: []graph.AttrDef{{Name: "value", Kind: graph.AttrTensor}},
	Infer: inferConstantOfShape, Ref: refConstantOfShape, Lower: lowerConstantOfShape,
}

// ConstantOfShape returns a tensor of the given shape, an int64 vector, filled with the one element of value; nil: float32 0.
func ConstantOfShape(shape *graph.Value, value *tensor.Tensor) *graph.Value {
	var a []graph.Attr
	if value != nil {
		a = append(a, graph.Tensor("value", value))
	}
	return shape.G.Add(&DefConstantOfShape, a, shape)
}

func fillValue(n *graph.Node) *tensor.Tensor {
	if v := n.TensorAttr("value"); v != nil {
		return v.Contiguous()
	}
	return tensor.New(tensor.Float32, 1)
}

func inferConstantOfShape(c *graph.InferCtx) {
	v := fillValue(c.Node)
	if v.Len() != 1 {
		c.Fail(attrName("value"), " must have one element")
	}
	shape, known := inferInts(c, 0)
	switch s := c.In[0]; {
	case known:
		checkShape(shape, c.Fail)
		c.Set(0, v.DType(), shape)
	case s.HasRank && len(s.Shape) == 1 && s.Shape[0] >= 0 && s.Shape[0] <= tensor.MaxRank:
		c.Set(0, v.DType(), unknownShape(s.Shape[0]))
	default:
		c.SetUnranked(0, v.DType())
	}
}

// checkShape fails unless the shape, which comes from data, is one that a tensor can have.
func checkShape(shape []int, fail failFunc) {
	if _, ok := tensor.CheckedSize(shape); !ok {
		fail("impossible shape ", shape)
	}
}

func refConstantOfShape(c *graph.RefCtx) {
	if c.Out[0] == nil {
		shape := refInts(c, 0)
		checkShape(shape, c.Fail)
		c.Out[0] = tensor.New(fillValue(c.Node).DType(), shape...)
	}
	fill(c.Out[0], fillValue(c.Node))
}

func lowerConstantOfShape(b graph.Builder, n *graph.Node) bool {
	v := fillValue(n)
	if v.DType().Bits() < 8 {
		return false
	}
	for _, x := range v.Bytes() {
		if x != 0 {
			return false
		}
	}
	emitFill(b, b.Out(0), prog.None, v.DType().Bits()/8, tensor.Size(b.OutShape(0)))
	return true
}

// DefRange is ONNX's Range: start, start+delta, ... before limit.
var DefRange = graph.Def{
	Name: "Range", Since: 27, Doc: "Evenly spaced numbers.", MinIn: 3, MaxIn: 3, HostInputs: []int{0, 1, 2},
	Infer: inferRange, Ref: refRange, Grad: gradRange{},
}

// Range returns start, start+delta, ... before limit; the three are scalars of one type.
func Range(start, limit, delta *graph.Value) *graph.Value {
	return start.G.Add(&DefRange, nil, start, limit, delta)
}

// rangeLen returns max(ceil((limit-start)/delta), 0).
func rangeLen(start, limit, delta *tensor.Tensor, fail failFunc) int {
	var n float64
	if start.DType().IsFloat() {
		s, l, d := start.Float64s()[0], limit.Float64s()[0], delta.Float64s()[0]
		n = math.Ceil((l - s) / d)
		if d == 0 {
			n = math.NaN()
		}
	} else {
		s, l, d := start.Int64sOf()[0], limit.Int64sOf()[0], delta.Int64sOf()[0]
		switch {
		case d == 0:
			n = math.NaN()
		case d > 0 && l > s:
			n = float64((uint64(l)-uint64(s)-1)/uint64(d)) + 1
		case d < 0 && l < s:
			n = float64((uint64(s)-uint64(l)-1)/(-uint64(d))) + 1
		}
	}
	if n != n || n > tensor.MaxElements {
		fail("a range from start to limit by delta has no end or too many elements")
	}
	return int(max(n, 0))
}

func inferRange(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1, 2)
	for i := range 3 {
		wantScalar(c, i)
	}
	if a, b, d := c.In[0].Const, c.In[1].Const, c.In[2].Const; a != nil && b != nil && d != nil {
		c.Set(0, c.In[0].DType, []int{rangeLen(a, b, d, c.Fail)})
		return
	}
	c.Set(0, c.In[0].DType, []int{graph.Unknown})
}

func refRange(c *graph.RefCtx) {
	start, delta := c.In[0], c.In[2]
	if c.Out[0] == nil {
		c.Out[0] = tensor.New(start.DType(), rangeLen(start, c.In[1], delta, c.Fail))
	}
	if start.DType().IsFloat() {
		s, d, v := start.Float64s()[0], delta.Float64s()[0], make([]float64, c.Out[0].Len())
		for i := range v {
			v[i] = s + float64(i)*d
		}
		c.Out[0].SetFloat64s(v)
		return
	}
	s, d, v := start.Int64sOf()[0], delta.Int64sOf()[0], make([]int64, c.Out[0].Len())
	for i := range v {
		v[i] = s + int64(i)*d
	}
	c.Out[0].SetInt64s(v)
}

// gradRange: y[i] = start + i*delta, so dstart = sum dy and ddelta = sum i*dy[i]; limit gets none.
type gradRange struct{}

func (gradRange) Grad(c *graph.GradCtx) []*graph.Value {
	start, dy := c.In(0), c.DY[0]
	if !start.DType.IsFloat() {
		return nil
	}
	zero, one := ConstLike(start, 0), ConstLike(start, 1)
	index := Range(zero, Cast(Size(dy), start.DType), one)
	return []*graph.Value{ReshapeLike(sumAll(dy), start), nil, ReshapeLike(sumAll(Mul(dy, index)), c.In(2))}
}

// DefEyeLike is ONNX's EyeLike: ones on diagonal k of a matrix of the input's shape.
//
//weft:full
var DefEyeLike = graph.Def{
	Name: "EyeLike", Since: 22, Doc: "Ones on a diagonal.", MinIn: 1, MaxIn: 1, ShapeOnly: []int{0}, NoGrad: "does not depend on its input's elements",
	Attrs: []graph.AttrDef{{Name: "dtype", Kind: graph.AttrInt}, {Name: "k", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}},
	Infer: inferEyeLike, Ref: refEyeLike,
}

// EyeLike returns a matrix of the shape and type of x with ones on diagonal k (0: the main one, above it positive).
func EyeLike(x *graph.Value, k int) *graph.Value {
	return x.G.Add(&DefEyeLike, []graph.Attr{graph.Int("k", k)}, x)
}

func inferEyeLike(c *graph.InferCtx) {
	x := c.In[0]
	d := x.DType
	if c.Node.HasAttr("dtype") {
		d = dtypeAttr(c, "dtype")
	}
	if x.HasRank && len(x.Shape) != 2 {
		c.Fail("needs a matrix")
	}
	if !x.HasRank {
		c.Set(0, d, unknownShape(2))
		return
	}
	c.Set(0, d, x.Shape)
}

// dtypeAttr returns the element type that an int attribute names, a numeric type or bool.
func dtypeAttr(c *graph.InferCtx, name string) tensor.DType {
	v := c.Node.Int(name)
	if d := tensor.DType(v); v > 0 && v < 256 && d.Valid() && (d.IsNumeric() || d == tensor.Bool) {
		return d
	}
	c.Fail(attrName(name), " is ", v, ", which is no numeric element type")
	return 0
}

func refEyeLike(c *graph.RefCtx) {
	k, sh := c.Node.Int("k"), c.Out[0].Shape()
	v := make([]int64, c.Out[0].Len())
	for i := range sh[0] {
		if j := i + k; j >= 0 && j < sh[1] {
			v[i*sh[1]+j] = 1
		}
	}
	c.Out[0].SetInt64s(v)
}
