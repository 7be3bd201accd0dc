package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// DefSlice is ONNX's Slice: elements start, start+step, ... before end along the given axes. Negative
// positions count from the end and positions beyond it are clamped; steps may be negative.
var DefSlice = graph.Def{
	Name: "Slice", Since: 13, Doc: "Takes a range of every axis.", MinIn: 3, MaxIn: 5, HostInputs: []int{1, 2, 3, 4},
	Infer: inferSlice, Ref: refSlice, Grad: gradSlice{}, Lower: lowerSlice, Same: sameSlice, Upgrade: upgradeSlice, Last: lastSlice{},
}

// DefSliceGrad is weft.SliceGrad(dy, x, starts, ends, axes, steps): zeros in the shape of x with dy where Slice took it from.
var DefSliceGrad = graph.Def{
	Domain: "weft", Name: "SliceGrad", Since: 1, Doc: "Gradient of Slice.", MinIn: 4, MaxIn: 6, ShapeOnly: []int{1}, HostInputs: []int{2, 3, 4, 5},
	Infer: inferSliceGrad, Ref: refSliceGrad, Grad: gradSliceGrad{}, Lower: lowerSliceGrad,
}

// SliceOptions are the settings of [Slice].
type SliceOptions struct {
	Axes  []int // nil: the first ones
	Steps []int // nil: 1
}

// End as an end of [Slice] is the end of the axis; with a negative step, -End goes through the first element.
const End = math.MaxInt64

// Slice returns the elements starts[i] up to before ends[i] of each axis. Negative positions count from the end.
func Slice(x *graph.Value, starts, ends []int, o SliceOptions) *graph.Value {
	in := []*graph.Value{x, ConstInts(x.G, starts...), ConstInts(x.G, ends...)}
	if o.Axes != nil || o.Steps != nil {
		axes := o.Axes
		if axes == nil {
			axes = make([]int, len(starts))
			for i := range axes {
				axes[i] = i
			}
		}
		in = append(in, ConstInts(x.G, axes...))
	}
	if o.Steps != nil {
		in = append(in, ConstInts(x.G, o.Steps...))
	}
	return x.G.Add(&DefSlice, nil, in...)
}

// upgradeSlice: before opset 10 everything was an attribute.
func upgradeSlice(c *graph.UpgradeCtx) {
	if c.Attr("starts") == nil {
		return
	}
	attrToInput(c, "starts", 1)
	attrToInput(c, "ends", 2)
	attrToInput(c, "axes", 3)
}

// sliceRange is what Slice takes of one axis.
type sliceRange struct{ start, step, count int }

// sliceRanges works out the range of every axis of shape; count is negative where it depends on an unknown dimension.
func sliceRanges(shape, starts, ends, axes, steps []int, fail failFunc) []sliceRange {
	r := make([]sliceRange, len(shape))
	for i, d := range shape {
		r[i] = sliceRange{0, 1, d}
	}
	if axes == nil {
		if len(starts) > len(shape) {
			fail(len(starts), " starts for a tensor of rank ", len(shape))
		}
		for i := range starts {
			axes = append(axes, i)
		}
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || (steps != nil && len(steps) != len(starts)) {
		fail("starts, ends, axes and steps differ in length")
	}
	for i, a := range normAxes(axes, len(shape), fail) {
		d, start, end, step := shape[a], starts[i], ends[i], 1
		if steps != nil {
			step = steps[i]
		}
		if step == 0 {
			fail("the step of axis ", a, " is 0")
		}
		if d < 0 {
			if start == 0 && end >= math.MaxInt32 && step == 1 {
				continue
			}
			r[a] = sliceRange{0, step, graph.Unknown}
			continue
		}
		if start < 0 {
			start += d
		}
		if end < 0 {
			end += d
		}
		n := 0
		if step > 0 {
			start, end = min(max(start, 0), d), min(max(end, 0), d)
			if end > start {
				n = (end-start-1)/step + 1
			}
		} else {
			start, end = min(max(start, -1), d-1), min(max(end, -1), d-1)
			if start > end {
				step = max(step, -math.MaxInt32)
				n = (start-end-1)/-step + 1
			}
		}
		if n <= 1 {
			step = 1
		}
		r[a] = sliceRange{start, step, n}
	}
	return r
}

func inferSlice(c *graph.InferCtx) {
	x := c.In[0]
	starts, k1 := inferInts(c, 1)
	ends, k2 := inferInts(c, 2)
	axes, k3 := inferInts(c, 3)
	steps, k4 := inferInts(c, 4)
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if !k1 || !k2 || !k3 || !k4 {
		out := unknownShape(len(x.Shape))
		if k3 && axes != nil { // the axes that are not listed stay
			copy(out, x.Shape)
			for _, a := range normAxes(axes, len(x.Shape), c.Fail) {
				out[a] = graph.Unknown
			}
		}
		c.Set(0, x.DType, out)
		return
	}
	out := make([]int, len(x.Shape))
	for i, r := range sliceRanges(x.Shape, starts, ends, axes, steps, c.Fail) {
		out[i] = r.count
	}
	c.Set(0, x.DType, out)
}

func sameSlice(n *graph.Node, in, out []graph.Type) bool {
	return len(in) < 5 || in[4].DType == tensor.Undefined || in[4].Const != nil && allPositive(in[4].Const)
}

func allPositive(t *tensor.Tensor) bool {
	for _, v := range t.Int64sOf() {
		if v <= 0 {
			return false
		}
	}
	return true
}

// planSlice goes from x to the slice.
func planSlice(x, starts, ends, axes, steps []int, fail failFunc) *move {
	m, st := &move{}, tensor.Strides(x)
	for i, r := range sliceRanges(x, starts, ends, axes, steps, fail) {
		m.dims = append(m.dims, r.count)
		m.ss = append(m.ss, r.step*st[i])
		m.s0 += r.start * st[i]
	}
	m.ds = tensor.Strides(m.dims)
	return m
}

func refSlice(c *graph.RefCtx) {
	m := planSlice(c.In[0].Shape(), refInts(c, 1), refInts(c, 2), refInts(c, 3), refInts(c, 4), c.Fail)
	if c.Out[0] == nil {
		c.Out[0] = tensor.New(c.In[0].DType(), m.dims...)
	}
	m.run(c.Out[0], c.In[0])
}

// lowerPlanSlice reads the ranges from inputs at, at+1, ...
func lowerPlanSlice(b graph.Builder, n *graph.Node, x []int, at int) *move {
	starts, k1 := hostInts(b, at)
	ends, k2 := hostInts(b, at+1)
	axes, k3 := hostInts(b, at+2)
	steps, k4 := hostInts(b, at+3)
	if !k1 || !k2 || !k3 || !k4 {
		return nil
	}
	return planSlice(x, starts, ends, axes, steps, failOf(n))
}

func lowerSlice(b graph.Builder, n *graph.Node) bool {
	m := lowerPlanSlice(b, n, b.InShape(0), 1)
	return m != nil && emitMove(b, b.Out(0), b.In(0), b.OutType(0), m)
}

// gradSlice: dx is zero but for the elements that were taken, which get dy.
type gradSlice struct{}

func (gradSlice) Grad(c *graph.GradCtx) []*graph.Value {
	in := append([]*graph.Value{c.DY[0], c.In(0)}, c.Node.Inputs[1:]...)
	return []*graph.Value{c.G.Add(&DefSliceGrad, nil, in...)}
}

func inferSliceGrad(c *graph.InferCtx) {
	if c.In[0].DType != c.In[1].DType {
		c.Fail("the gradient is of ", c.In[0].DType, ", the input of ", c.In[1].DType)
	}
	setLike(c, 0, c.In[1].DType, c.In[1])
}

func refSliceGrad(c *graph.RefCtx) {
	m := planSlice(c.In[1].Shape(), refInts(c, 2), refInts(c, 3), refInts(c, 4), refInts(c, 5), c.Fail)
	m.reversed().run(c.Out[0], c.In[0])
}

func lowerSliceGrad(b graph.Builder, n *graph.Node) bool {
	m := lowerPlanSlice(b, n, b.InShape(1), 2)
	if m == nil || b.OutType(0).Bits() < 8 {
		return false
	}
	emitFill(b, b.Out(0), prog.None, b.OutType(0).Bits()/8, tensor.Size(b.OutShape(0)))
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), m.reversed())
}

// gradSliceGrad: by dy it is the slice.
type gradSliceGrad struct{}

func (gradSliceGrad) Grad(c *graph.GradCtx) []*graph.Value {
	in := append([]*graph.Value{c.DY[0]}, c.Node.Inputs[2:]...)
	return []*graph.Value{c.G.Add(&DefSlice, nil, in...)}
}
