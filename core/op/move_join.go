package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

var axisRequired = []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Required: true}}

// DefConcat is ONNX's Concat: the inputs behind each other along an axis.
var DefConcat = graph.Def{
	Name: "Concat", Since: 13, Doc: "Joins tensors along an axis.", MinIn: 1, MaxIn: -1, Attrs: axisRequired,
	Infer: inferConcat, Ref: refConcat, Grad: gradConcat{}, Lower: lowerConcat, Same: sameConcat, Upgrade: upgradeConcat, Last: lastConcat{},
}

// DefConcatGrad is weft.ConcatGrad(dy, x...): the parts of dy that belong to each x, of which only the shapes are used.
var DefConcatGrad = graph.Def{
	Domain: "weft", Name: "ConcatGrad", Since: 1, Doc: "Gradient of Concat.", MinIn: 2, MaxIn: -1, MaxOut: -1, Attrs: axisRequired,
	Infer: inferConcatGrad, Ref: refConcatGrad, Grad: gradConcatGrad{}, Lower: lowerConcatGrad, Body: bodyConcatGrad{},
}

// DefSplit is ONNX's Split: consecutive parts along an axis, of given sizes or of equal ones (the last may be smaller).
var DefSplit = graph.Def{
	Name: "Split", Since: 18, Doc: "Cuts a tensor into parts along an axis.", MinIn: 1, MaxIn: 2, MaxOut: -1, HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}, {Name: "num_outputs", Kind: graph.AttrInt}},
	Infer: inferSplit, Ref: refSplit, Grad: gradSplit{}, Lower: lowerSplit, Upgrade: upgradeSplit, Last: lastSplit{},
}

// Concat joins values along an axis.
func Concat(axis int, x ...*graph.Value) *graph.Value {
	if len(x) == 0 {
		tensor.Fail("Concat", "needs at least one input")
	}
	return x[0].G.Add(&DefConcat, []graph.Attr{graph.Int("axis", axis)}, x...)
}

// Split cuts x along an axis into parts of the given sizes.
func Split(x *graph.Value, axis int, sizes ...int) []*graph.Value {
	return x.G.AddN(&DefSplit, "", len(sizes), []graph.Attr{graph.Int("axis", axis)}, x, ConstInts(x.G, sizes...))
}

// SplitN cuts x along an axis into n parts of equal size; the last may be smaller.
func SplitN(x *graph.Value, axis, n int) []*graph.Value {
	return x.G.AddN(&DefSplit, "", n, []graph.Attr{graph.Int("axis", axis), graph.Int("num_outputs", n)}, x)
}

// upgradeConcat: before opset 4 the axis had the default 1.
func upgradeConcat(c *graph.UpgradeCtx) {
	if c.Version < 4 && c.Attr("axis") == nil {
		c.Attrs = append(c.Attrs, graph.Int("axis", 1))
	}
}

// upgradeSplit: before opset 13 the sizes were an attribute, and before 18 there was no num_outputs.
func upgradeSplit(c *graph.UpgradeCtx) {
	attrToInput(c, "split", 1)
	if len(c.Inputs) < 2 && c.Attr("num_outputs") == nil {
		c.Attrs = append(c.Attrs, graph.Int("num_outputs", c.NumOut))
	}
}

// joined returns the shape of the parts joined along the axis.
func joined(c *graph.InferCtx, parts []graph.Type) (shape []int, ranked bool) {
	for i, t := range parts {
		if t.DType == tensor.Undefined {
			c.Fail("input ", i, " is missing")
		}
		if t.DType != parts[0].DType {
			c.Fail("element types differ: ", parts[0].DType, " and ", t.DType)
		}
	}
	axis, sum := 0, 0
	missing := false
	for _, t := range parts {
		if !t.HasRank {
			missing = true
			continue
		}
		if shape == nil {
			axis = axisOf(c, c.Node.Int("axis"), len(t.Shape))
			shape = append([]int{}, t.Shape...)
			sum = t.Shape[axis]
			continue
		}
		if len(t.Shape) != len(shape) {
			c.Fail("ranks differ")
		}
		for k, d := range t.Shape {
			if k == axis {
				switch {
				case d == 0:
				case sum == 0:
					sum = d
				case d < 0 || sum < 0:
					sum = graph.Unknown
				default:
					sum += d
				}
				continue
			}
			u, ok := sameDim(shape[k], d)
			if !ok {
				c.Fail("sizes differ outside axis ", axis)
			}
			shape[k] = u
		}
	}
	if shape == nil {
		return nil, false
	}
	if missing {
		sum = graph.Unknown
	}
	shape[axis] = sum
	return shape, true
}

func inferConcat(c *graph.InferCtx) {
	if shape, ok := joined(c, c.In); ok {
		c.Set(0, c.In[0].DType, shape)
	} else {
		c.SetUnranked(0, c.In[0].DType)
	}
}

func sameConcat(n *graph.Node, in, out []graph.Type) bool { return len(in) == 1 }

// planPart returns the move of a part, which starts at position at along the axis, to the whole.
func planPart(part, whole []int, axis, at int) *move {
	outer, n, inner := outerInner(part, axis)
	return &move{dims: []int{outer, n * inner}, ss: []int{n * inner, 1}, ds: []int{whole[axis] * inner, 1}, d0: at * inner}
}

// nodeAxis returns the attribute axis counted from the front.
func nodeAxis(n *graph.Node, rank int) int {
	a, ok := tensor.Axis(n.Int("axis"), rank)
	if !ok {
		tensor.Fail(n.Describe(), "axis ", n.Int("axis"), " is outside a tensor of rank ", rank)
	}
	return a
}

func refConcat(c *graph.RefCtx) {
	y := c.Out[0].Shape()
	axis, at := nodeAxis(c.Node, len(y)), 0
	for _, x := range c.In {
		planPart(x.Shape(), y, axis, at).run(c.Out[0], x)
		at += x.Shape()[axis]
	}
}

func lowerConcat(b graph.Builder, n *graph.Node) bool {
	y, d := b.OutShape(0), b.OutType(0)
	if d.Bits() < 8 {
		return false
	}
	axis, at := nodeAxis(n, len(y)), 0
	for i := range b.NumIn() {
		if !emitMove(b, b.Out(0), b.In(i), d, planPart(b.InShape(i), y, axis, at)) {
			return false
		}
		at += b.InShape(i)[axis]
	}
	return true
}

// gradConcat: every input gets its part of dy.
type gradConcat struct{}

func (gradConcat) Grad(c *graph.GradCtx) []*graph.Value {
	return c.G.AddN(&DefConcatGrad, "", len(c.Node.Inputs), c.Node.Attrs, append([]*graph.Value{c.DY[0]}, c.Node.Inputs...)...)
}

func inferConcatGrad(c *graph.InferCtx) {
	if len(c.Out) != len(c.In)-1 {
		c.Fail("gives one output per part: ", len(c.In)-1)
	}
	if shape, ok := joined(c, c.In[1:]); ok && c.In[0].HasRank && !fits(shape, c.In[0].Shape) {
		c.Fail("the gradient's shape is not that of the joined parts ", shape)
	}
	for i := range c.Out {
		setLike(c, i, c.In[0].DType, c.In[1+i])
	}
}

func refConcatGrad(c *graph.RefCtx) {
	dy := c.In[0]
	axis, at := nodeAxis(c.Node, dy.Rank()), 0
	for i, x := range c.In[1:] {
		if c.Out[i] != nil {
			planPart(x.Shape(), dy.Shape(), axis, at).reversed().run(c.Out[i], dy)
		}
		at += x.Shape()[axis]
	}
}

func lowerConcatGrad(b graph.Builder, n *graph.Node) bool {
	dy := b.InShape(0)
	if b.InType(0).Bits() < 8 {
		return false
	}
	axis, at := nodeAxis(n, len(dy)), 0
	for i := range b.NumOut() {
		x := b.InShape(1 + i)
		if b.Out(i) != prog.None && !emitMove(b, b.Out(i), b.In(0), b.InType(0), planPart(x, dy, axis, at).reversed()) {
			return false
		}
		at += x[axis]
	}
	return true
}

// gradConcatGrad: by dy it is the parts' gradients joined.
type gradConcatGrad struct{}

func (gradConcatGrad) Grad(c *graph.GradCtx) []*graph.Value {
	return append([]*graph.Value{joinGrads(c)}, make([]*graph.Value, len(c.Node.Inputs)-1)...)
}

// joinGrads joins the gradients by the node's outputs along its axis, with zeros where none flows.
func joinGrads(c *graph.GradCtx) *graph.Value {
	parts := make([]*graph.Value, len(c.DY))
	for i, d := range c.DY {
		if d == nil {
			d = zerosLike(extraOutput(c.Node, i))
		}
		parts[i] = d
	}
	return Concat(c.Node.Int("axis"), parts...)
}

// bodyConcatGrad splits dy by the sizes of the parts along the axis.
type bodyConcatGrad struct{}

func (bodyConcatGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	sizes := make([]*graph.Value, len(in)-1)
	for i, x := range in[1:] {
		sizes[i] = Gather(Shape(x), ConstInts(g, n.Int("axis")), 0)
	}
	return g.AddN(&DefSplit, "", len(sizes), n.Attrs, in[0], Concat(0, sizes...))
}

// splitSizes returns the sizes of the parts of an axis of size d; they are unknown when d is.
func splitSizes(n *graph.Node, d int, sizes []int, given bool, parts int, fail failFunc) []int {
	if given {
		if len(sizes) != parts {
			fail(len(sizes), " sizes for ", parts, " outputs")
		}
		sum := 0
		for _, s := range sizes {
			if s < 0 || s > tensor.MaxElements {
				fail("the sizes ", sizes, " must not be negative")
			}
			sum += s
		}
		if d >= 0 && sum != d {
			fail("the sizes ", sizes, " add up to ", sum, ", the axis has ", d)
		}
		return sizes
	}
	if k := n.Int("num_outputs"); k != 0 && k != parts {
		fail(attrName("num_outputs"), " is ", k, ", but the node has ", parts, " outputs")
	}
	out := unknownShape(parts)
	if d < 0 {
		return out
	}
	each := (d + parts - 1) / parts
	for i := range out {
		out[i] = min(each, max(d-i*each, 0))
	}
	return out
}

func inferSplit(c *graph.InferCtx) {
	x := c.In[0]
	sizes, known := inferInts(c, 1)
	if !x.HasRank {
		for i := range c.Out {
			c.SetUnranked(i, x.DType)
		}
		return
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	parts := unknownShape(len(c.Out))
	if known {
		parts = splitSizes(c.Node, x.Shape[axis], sizes, c.Has(1), len(c.Out), c.Fail)
	}
	for i := range c.Out {
		shape := append([]int{}, x.Shape...)
		shape[axis] = parts[i]
		c.Set(i, x.DType, shape)
	}
}

func refSplit(c *graph.RefCtx) {
	x := c.In[0]
	axis, at := nodeAxis(c.Node, x.Rank()), 0
	sizes := splitSizes(c.Node, x.Shape()[axis], refInts(c, 1), c.Has(1), len(c.Out), c.Fail)
	for i, s := range sizes {
		if c.Wants(i) {
			shape := append([]int{}, x.Shape()...)
			shape[axis] = s
			if c.Out[i] == nil {
				c.Out[i] = tensor.New(x.DType(), shape...)
			}
			planPart(shape, x.Shape(), axis, at).reversed().run(c.Out[i], x)
		}
		at += s
	}
}

func lowerSplit(b graph.Builder, n *graph.Node) bool {
	x, d := b.InShape(0), b.InType(0)
	sizes, known := hostInts(b, 1)
	if !known || d.Bits() < 8 {
		return false
	}
	axis, at := nodeAxis(n, len(x)), 0
	given := b.NumIn() > 1 && b.InType(1) != tensor.Undefined
	for i, s := range splitSizes(n, x[axis], sizes, given, b.NumOut(), failOf(n)) {
		shape := append([]int{}, x...)
		shape[axis] = s
		if b.Out(i) != prog.None && !emitMove(b, b.Out(i), b.In(0), d, planPart(shape, x, axis, at).reversed()) {
			return false
		}
		at += s
	}
	return true
}

// gradSplit: dx is the gradients by the parts joined.
type gradSplit struct{}

func (gradSplit) Grad(c *graph.GradCtx) []*graph.Value { return []*graph.Value{joinGrads(c)} }
