package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Operators whose output is the input's memory under another shape.

// DefReshape is ONNX's Reshape: the second input is the shape; 0 copies a dimension of x (unless
// allowzero), one -1 is worked out.
var DefReshape = graph.Def{
	Name: "Reshape", Since: 25, Doc: "The same elements in another shape.", MinIn: 2, MaxIn: 2,
	Attrs: []graph.AttrDef{{Name: "allowzero", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}},
	Infer: inferReshape, Ref: refView, Grad: gradView{}, Lower: lowerView, Upgrade: upgradeReshape,
	View: true, HostInputs: []int{1},
}

// Reshape returns x with another shape; 0 copies a dimension of x, one -1 is worked out.
func Reshape(x *graph.Value, shape ...int) *graph.Value {
	return ReshapeTo(x, ConstInts(x.G, shape...))
}

// ReshapeTo is [Reshape] to a shape that is computed: an int64 vector.
func ReshapeTo(x, shape *graph.Value) *graph.Value { return x.G.Add(&DefReshape, nil, x, shape) }

func inferReshape(c *graph.InferCtx) {
	x := c.In[0]
	wantInt(c, 1)
	target, known := c.Ints(1)
	if !known {
		if s := c.In[1]; s.HasRank && len(s.Shape) == 1 && s.Shape[0] >= 0 && s.Shape[0] <= tensor.MaxRank {
			out := unknownShape(s.Shape[0])
			if dims, ok := dimsOf(c.Node.Inputs[1]); ok && x.HasRank && len(dims) == len(out) {
				out = reshapedTo(x.Shape, dims, c.Node.Int("allowzero") != 0)
			}
			c.Set(0, x.DType, out)
		} else {
			c.SetUnranked(0, x.DType)
		}
		return
	}
	if len(target) > tensor.MaxRank {
		c.Fail("the target shape has ", len(target), " dimensions; at most ", tensor.MaxRank, " are possible")
	}
	allowZero := c.Node.Int("allowzero") != 0
	out, infer := make([]int, len(target)), -1
	for i, d := range target {
		switch {
		case d == -1:
			if infer >= 0 {
				c.Fail("the target shape ", target, " has more than one -1")
			}
			infer = i
		case d == 0 && !allowZero:
			if !x.HasRank {
				out[i] = graph.Unknown
				continue
			}
			if i >= len(x.Shape) {
				c.Fail("the target shape ", target, " copies dimension ", i, ", which the input does not have")
			}
			out[i] = x.Shape[i]
		case d < 0:
			c.Fail("the target shape ", target, " has the dimension ", d)
		default:
			out[i] = d
		}
	}
	if infer >= 0 {
		out[infer] = graph.Unknown
	}
	if x.HasRank {
		rest, exact := quotient(x.Shape, out, infer)
		switch {
		case infer >= 0 && rest < 0 && exact:
			c.Fail("the elements do not divide into the target shape ", target)
		case infer >= 0:
			out[infer] = rest
		case exact && rest != 1:
			c.Fail("element counts differ from the target shape ", target)
		}
	}
	c.Set(0, x.DType, out)
}

// quotient divides the number of elements of in by that of out without its dimension skip. Symbols cancel. The result
// is a size, or a symbol when just that is left, or Unknown; exact tells that no unknown dimension was left, and
// then a negative result means that the numbers do not divide. Sizes of 0 on both sides cancel too, so that an empty
// batch reshapes as any other.
func quotient(in, out []int, skip int) (q int, exact bool) {
	num, den, free, zerosIn, zerosOut := 1, 1, []int{}, 0, 0
	for _, d := range in {
		switch {
		case d < 0:
			free = append(free, d)
		case d == 0:
			zerosIn++
		default:
			num *= d
		}
	}
	cancelled := true
	for i, d := range out {
		switch {
		case i == skip:
		case d == 0:
			zerosOut++
		case d > 0:
			den *= d
		default:
			found := false
			for k, f := range free {
				if f == d && d != graph.Unknown {
					free, found = append(free[:k:k], free[k+1:]...), true
					break
				}
			}
			cancelled = cancelled && found
		}
	}
	switch {
	case !cancelled:
		return graph.Unknown, false
	case zerosIn > 0 && zerosOut == 0 && skip >= 0:
		return 0, true
	case (zerosIn > 0) != (zerosOut > 0):
		return -1, len(free) == 0
	case zerosIn > 0 && skip < 0:
		return 1, true
	case len(free) == 0 && num%den != 0:
		return -1, true
	case len(free) == 0:
		return num / den, true
	case len(free) == 1 && num == den:
		return free[0], false
	}
	return graph.Unknown, false
}

// refView gives the input's elements under the inferred shape.
func refView(c *graph.RefCtx) { c.Out[0] = c.In[0].Reshape(c.Out[0].Shape()...) }

// lowerView copies, for where the memory cannot be shared.
func lowerView(b graph.Builder, n *graph.Node) bool {
	size := tensor.Size(b.OutShape(0))
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), &move{dims: []int{size}, ds: []int{1}, ss: []int{1}})
}

// gradView: dx = dy in the shape of x.
type gradView struct{}

func (gradView) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ReshapeLike(c.DY[0], c.In(0))}
}

// upgradeReshape: before opset 5 the shape was an attribute.
func upgradeReshape(c *graph.UpgradeCtx) { attrToInput(c, "shape", 1) }

// attrToInput makes the ints attribute of an old opset an int64 input.
func attrToInput(c *graph.UpgradeCtx, name string, input int) {
	a := c.Attr(name)
	if a == nil {
		return
	}
	v := tensor.From(append([]int64{}, a.Ints...), len(a.Ints))
	for len(c.Inputs) <= input {
		c.Inputs = append(c.Inputs, nil)
	}
	c.Inputs[input] = c.G.Const(v)
	c.Remove(name)
}

// DefFlatten is ONNX's Flatten: [prod of the dimensions before axis, prod of the others].
var DefFlatten = graph.Def{
	Name: "Flatten", Since: 25, Doc: "The same elements as a matrix.", MinIn: 1, MaxIn: 1,
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}},
	Infer: inferFlatten, Ref: refView, Grad: gradView{}, Lower: lowerView, View: true,
}

// Flatten returns x as a matrix: the dimensions before axis become rows, the others columns.
func Flatten(x *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefFlatten, []graph.Attr{graph.Int("axis", axis)}, x)
}

func inferFlatten(c *graph.InferCtx) {
	x := c.In[0]
	if !x.HasRank {
		c.Set(0, x.DType, unknownShape(2))
		return
	}
	axis, r := c.Node.Int("axis"), len(x.Shape)
	if axis < -r || axis > r {
		c.Fail("axis ", axis, " is outside a tensor of rank ", r)
	}
	if axis < 0 {
		axis += r
	}
	c.Set(0, x.DType, []int{dimProduct(x.Shape[:axis]), dimProduct(x.Shape[axis:])})
}

// dimProduct multiplies dimensions, of which at most one may be a symbol and then all others 1.
func dimProduct(dims []int) int {
	p, _ := quotient(dims, []int{1}, 0)
	return p
}

// DefSqueeze is ONNX's Squeeze: without the dimensions of size 1 at the axes, or without all of them.
var DefSqueeze = graph.Def{
	Name: "Squeeze", Since: 25, Doc: "Removes dimensions of size 1.", MinIn: 1, MaxIn: 2,
	Infer: inferSqueeze, Ref: refView, Grad: gradView{}, Lower: lowerView, Upgrade: upgradeAxes1,
	View: true, HostInputs: []int{1},
}

// Squeeze returns x without the given dimensions, which must have size 1; without axes all such dimensions go.
func Squeeze(x *graph.Value, axes ...int) *graph.Value {
	if len(axes) == 0 {
		return x.G.Add(&DefSqueeze, nil, x)
	}
	return x.G.Add(&DefSqueeze, nil, x, ConstInts(x.G, axes...))
}

// upgradeAxes1: before opset 13 the axes were an attribute.
func upgradeAxes1(c *graph.UpgradeCtx) { attrToInput(c, "axes", 1) }

func inferSqueeze(c *graph.InferCtx) {
	x := c.In[0]
	axes, known := inferInts(c, 1)
	if !known || !x.HasRank {
		if n := len(axes); known && n > 0 || !known && x.HasRank && c.In[1].HasRank && len(c.In[1].Shape) == 1 && c.In[1].Shape[0] >= 0 {
			if !known {
				n = c.In[1].Shape[0]
			}
			if x.HasRank && n <= len(x.Shape) {
				c.Set(0, x.DType, unknownShape(len(x.Shape)-n))
				return
			}
		}
		c.SetUnranked(0, x.DType)
		return
	}
	drop := make([]bool, len(x.Shape))
	if c.Has(1) {
		for _, a := range normAxes(axes, len(x.Shape), c.Fail) {
			if d := x.Shape[a]; d != 1 && d >= 0 {
				c.Fail("dimension ", a, " has size ", d, ", not 1")
			}
			drop[a] = true
		}
	} else {
		for i, d := range x.Shape {
			if d < 0 {
				c.SetUnranked(0, x.DType) // an unknown dimension may or may not go
				return
			}
			drop[i] = d == 1
		}
	}
	out := []int{}
	for i, d := range x.Shape {
		if !drop[i] {
			out = append(out, d)
		}
	}
	c.Set(0, x.DType, out)
}

// DefUnsqueeze is ONNX's Unsqueeze: dimensions of size 1 appear at the axes of the result.
var DefUnsqueeze = graph.Def{
	Name: "Unsqueeze", Since: 25, Doc: "Adds dimensions of size 1.", MinIn: 2, MaxIn: 2,
	Infer: inferUnsqueeze, Ref: refView, Grad: gradView{}, Lower: lowerView, Upgrade: upgradeAxes1,
	View: true, HostInputs: []int{1},
}

// Unsqueeze returns x with dimensions of size 1 added, which get the given positions in the result.
func Unsqueeze(x *graph.Value, axes ...int) *graph.Value {
	return x.G.Add(&DefUnsqueeze, nil, x, ConstInts(x.G, axes...))
}

func inferUnsqueeze(c *graph.InferCtx) {
	x := c.In[0]
	axes, known := inferInts(c, 1)
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if !known {
		if s := c.In[1]; s.HasRank && (len(s.Shape) == 0 || s.Shape[0] >= 0) {
			c.Set(0, x.DType, unknownShape(len(x.Shape)+dimProduct(s.Shape)))
		} else {
			c.SetUnranked(0, x.DType)
		}
		return
	}
	r := len(x.Shape) + len(axes)
	if r > tensor.MaxRank {
		c.Fail("the result would have rank ", r, "; at most ", tensor.MaxRank, " is possible")
	}
	out := make([]int, r)
	for _, a := range normAxes(axes, r, c.Fail) {
		out[a] = 1
	}
	k := 0
	for i := range out {
		if out[i] != 1 {
			out[i] = x.Shape[k]
			k++
		}
	}
	c.Set(0, x.DType, out)
}
