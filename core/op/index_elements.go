package op

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefGatherElements is ONNX's GatherElements: y[i][j] = x[indices[i][j]][j] for axis 0.
var DefGatherElements = graph.Def{
	Name: "GatherElements", Since: 13, Doc: "Picks elements along an axis.", MinIn: 2, MaxIn: 2, Attrs: axis0,
	Infer: inferGatherElements, Ref: refGatherElements, Grad: gradGatherElements{}, Lower: lowerGatherElements,
}

var scatterAttrs = []graph.AttrDef{
	{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}},
	{Name: "reduction", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "none"}},
}

// DefScatterElements is ONNX's ScatterElements: a copy of x in which y[indices[i][j]][j] (for axis 0) is replaced by updates[i][j] or,
// by the reduction, combined with it in the order of the updates.
var DefScatterElements = graph.Def{
	Name: "ScatterElements", Since: 18, Doc: "Writes elements along an axis.", MinIn: 3, MaxIn: 3, Attrs: scatterAttrs,
	Infer: inferScatterElements, Ref: refScatterElements, Grad: gradScatterElements{}, Lower: lowerScatterElements,
}

// DefScatter is ONNX's Scatter of opsets 9 and 10, which became ScatterElements.
//
//weft:full
var DefScatter = graph.Def{
	Name: "Scatter", Since: 11, Doc: "Writes elements along an axis (now ScatterElements).", MinIn: 3, MaxIn: 3, Attrs: axis0,
	Infer: inferScatterElements, Body: bodyScatter{},
}

// GatherElements picks the elements of x whose positions along the axis the indices give; the result has the indices' shape.
func GatherElements(x, indices *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefGatherElements, []graph.Attr{graph.Int("axis", axis)}, x, indices)
}

// ScatterElements returns x with updates written at the positions along the axis that the indices give. The reduction is "none"
// (also ""), "add", "mul", "max" or "min".
func ScatterElements(x, indices, updates *graph.Value, axis int, reduction string) *graph.Value {
	a := append([]graph.Attr{graph.Int("axis", axis)}, reductionAttr(reduction)...)
	return x.G.Add(&DefScatterElements, a, x, indices, updates)
}

func reductionAttr(r string) []graph.Attr {
	if r == "" || r == "none" {
		return nil
	}
	return []graph.Attr{graph.Str("reduction", r)}
}

type bodyScatter struct{}

func (bodyScatter) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ScatterElements(in[0], in[1], in[2], n.Int("axis"), "")}
}

func inferGatherElements(c *graph.InferCtx) {
	wantIndex(c, 1)
	x, ix := c.In[0], c.In[1]
	checkElementIndices(c, x, ix)
	setLike(c, 0, x.DType, ix)
}

// checkElementIndices checks ranks and that the indices do not reach beyond x outside the axis.
func checkElementIndices(c *graph.InferCtx, x, ix graph.Type) {
	if !x.HasRank {
		return
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	if !ix.HasRank {
		return
	}
	if len(ix.Shape) != len(x.Shape) {
		c.Fail("the indices must have the rank of the input")
	}
	for i, d := range ix.Shape {
		if i != axis && d >= 0 && x.Shape[i] >= 0 && d > x.Shape[i] {
			c.Fail("the indices reach beyond dimension ", i)
		}
	}
}

func inferScatterElements(c *graph.InferCtx) {
	wantIndex(c, 1)
	wantSameType(c, 0, 2)
	reductionOf(c.Node, c.In[0].DType, c.Fail)
	x, ix, up := c.In[0], c.In[1], c.In[2]
	checkElementIndices(c, x, ix)
	if ix.HasRank && up.HasRank && !fits(ix.Shape, up.Shape) {
		c.Fail("the updates must have the shape of the indices")
	}
	setLike(c, 0, x.DType, x)
}

// eachElementIndex calls f for every index, in row-major order, with its position and the element of x it names.
func eachElementIndex(x *tensor.Tensor, indices *tensor.Tensor, axis int, fail failFunc, f func(i, xi int)) {
	st, at, sh := tensor.Strides(x.Shape()), make([]int, indices.Rank()), indices.Shape()
	for i, v := range indices.Int64sOf() {
		xi := 0
		for a, k := range at {
			if a == axis {
				k = position(v, x.Shape()[axis], fail)
			}
			xi += k * st[a]
		}
		f(i, xi)
		next(at, sh)
	}
}

func refGatherElements(c *graph.RefCtx) {
	d, s := cellsOf(c.Out[0]), cellsOf(c.In[0])
	eachElementIndex(c.In[0], c.In[1], nodeAxis(c.Node, c.In[0].Rank()), c.Fail, func(i, xi int) { d.set(i, s, xi) })
}

// reducer combines the old and the new value of an element; both functions are nil to replace it.
type reducer struct {
	f func(old, x float64) float64
	i func(old, x int64) int64
}

// reductionOf returns the reduction of a scatter.
func reductionOf(n *graph.Node, d tensor.DType, fail failFunc) (r reducer) {
	name := n.Str("reduction")
	switch name {
	case "", "none":
		return r
	case "add":
		r = reducer{func(a, b float64) float64 { return a + b }, func(a, b int64) int64 { return a + b }}
	case "mul":
		r = reducer{func(a, b float64) float64 { return a * b }, func(a, b int64) int64 { return a * b }}
	case "max":
		r = reducer{maxNaN, func(a, b int64) int64 { return pick(lessInt(d, a, b), b, a) }}
	case "min":
		r = reducer{minNaN, func(a, b int64) int64 { return pick(lessInt(d, b, a), b, a) }}
	default:
		fail(attrName("reduction"), " is ", strconv.Quote(name), "; it can be none, add, mul, max or min")
	}
	if !isNumeric(d) && d != tensor.Bool {
		fail("elements of ", d, " cannot be reduced by ", name)
	}
	return r
}

func pick(first bool, a, b int64) int64 {
	if first {
		return a
	}
	return b
}

func maxNaN(a, b float64) float64 {
	if a < b || b != b {
		return b
	}
	return a
}

func minNaN(a, b float64) float64 {
	if b < a || b != b {
		return b
	}
	return a
}

// scatterInto writes runs of updates into out, a copy of x: where calls its argument with each run's start in the updates and in out.
func scatterInto(c *graph.RefCtx, where func(f func(ui, xi, run int))) {
	x, up, out := c.In[0], c.In[2], c.Out[0]
	r := reductionOf(c.Node, x.DType(), c.Fail)
	switch {
	case r.f == nil:
		tensor.CopyTo(out, x)
		d, s := cellsOf(out), cellsOf(up)
		where(func(ui, xi, run int) {
			for k := range run {
				d.set(xi+k, s, ui+k)
			}
		})
	case x.DType().IsFloat():
		d, s := x.Float64s(), up.Float64s()
		where(func(ui, xi, run int) {
			for k := range run {
				d[xi+k] = r.f(d[xi+k], s[ui+k])
			}
		})
		out.SetFloat64s(d)
	default:
		d, s := x.Int64sOf(), up.Int64sOf()
		where(func(ui, xi, run int) {
			for k := range run {
				d[xi+k] = r.i(d[xi+k], s[ui+k])
			}
		})
		out.SetInt64s(d)
	}
}

func refScatterElements(c *graph.RefCtx) {
	scatterInto(c, func(f func(ui, xi, run int)) {
		eachElementIndex(c.In[0], c.In[1], nodeAxis(c.Node, c.In[0].Rank()), c.Fail, func(i, xi int) { f(i, xi, 1) })
	})
}

// gradGatherElements: dy is added up at the places it came from.
type gradGatherElements struct{}

func (gradGatherElements) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ScatterElements(zerosLike(c.In(0)), c.In(1), c.DY[0], c.Node.Int("axis"), "add"), nil}
}

// gradScatterElements: see scatterGrad.
type gradScatterElements struct{}

func (gradScatterElements) Grad(c *graph.GradCtx) []*graph.Value {
	axis, ix := c.Node.Int("axis"), c.In(1)
	return scatterGrad(c,
		func(x, up *graph.Value, reduction string) *graph.Value {
			return ScatterElements(x, ix, up, axis, reduction)
		},
		func(x *graph.Value) *graph.Value { return GatherElements(x, ix, axis) })
}

// scatterGrad is the gradient of y = scatter(x, updates) with gather reading where scatter writes.
//
//	none: dx = dy with zeros at the places, du = gather(dy). When places repeat, all their updates get the gradient.
//	add:  dx = dy, du = gather(dy)
//	mul:  dx = dy * scatter(ones, u), du = gather(dy * y) / u: not defined (NaN) where an update is 0
//	max, min: dy is shared equally among x and the updates that reach y
func scatterGrad(c *graph.GradCtx, scatter func(x, up *graph.Value, reduction string) *graph.Value, gather func(x *graph.Value) *graph.Value) []*graph.Value {
	x, up, y, dy := c.In(0), c.In(2), c.Out(0), c.DY[0]
	switch c.Node.Str("reduction") {
	case "add":
		return []*graph.Value{dy, nil, gather(dy)}
	case "mul":
		ones := ExpandLike(ConstLike(x, 1), x)
		return []*graph.Value{Mul(dy, scatter(ones, up, "mul")), nil, Div(gather(Mul(dy, y)), up)}
	case "max", "min":
		hx, hu := Cast(Equal(x, y), x.DType), Cast(Equal(up, gather(y)), x.DType)
		share := Div(dy, scatter(hx, hu, "add"))
		return []*graph.Value{Mul(share, hx), nil, Mul(gather(share), hu)}
	}
	return []*graph.Value{scatter(dy, zerosLike(up), ""), nil, gather(dy)}
}
