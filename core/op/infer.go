package op

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// setLike gives output i the shape of t and the element type d.
func setLike(c *graph.InferCtx, i int, d tensor.DType, t graph.Type) {
	if t.HasRank {
		c.Set(i, d, t.Shape)
	} else {
		c.SetUnranked(i, d)
	}
}

// isFloat reports whether arithmetic is defined on the floating-point type (the 8- and 4-bit ones only store).
func isFloat(d tensor.DType) bool {
	switch d {
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		return true
	}
	return false
}

// isNumeric reports whether arithmetic is defined on the type.
func isNumeric(d tensor.DType) bool {
	return isFloat(d) || d.IsInt() && d.Bits() >= 8
}

func wantFloat(c *graph.InferCtx, i int) {
	if !isFloat(c.In[i].DType) {
		c.Fail("input ", i, " must be of a floating-point type, not ", c.In[i].DType)
	}
}

func wantNumeric(c *graph.InferCtx, i int) {
	if !isNumeric(c.In[i].DType) {
		c.Fail("input ", i, " must be of a numeric type, not ", c.In[i].DType)
	}
}

func wantInt(c *graph.InferCtx, i int) {
	if d := c.In[i].DType; !d.IsInt() {
		c.Fail("input ", i, " must be of an integer type, not ", d)
	}
}

func wantBool(c *graph.InferCtx, i int) {
	if d := c.In[i].DType; d != tensor.Bool {
		c.Fail("input ", i, " must be bool, not ", d)
	}
}

// wantSameType checks that the given inputs, where present, have the type of the first.
func wantSameType(c *graph.InferCtx, first int, rest ...int) {
	for _, i := range rest {
		if c.Has(i) && c.In[i].DType != c.In[first].DType {
			c.Fail("element types differ: ", c.In[first].DType, " and ", c.In[i].DType, "; cast one of them")
		}
	}
}

// wantScalar checks that input i, where present, has one element as far as is known.
func wantScalar(c *graph.InferCtx, i int) {
	if c.Has(i) && c.In[i].HasRank {
		for _, d := range c.In[i].Shape {
			if d != 1 && d >= 0 {
				c.Fail("input ", i, " must have one element")
			}
		}
	}
}

// wantRank checks that input i has the rank, when it is known.
func wantRank(c *graph.InferCtx, i, rank int) {
	if t := c.In[i]; t.HasRank && len(t.Shape) != rank {
		c.Fail("input ", i, " must have rank ", rank, ", not ", len(t.Shape))
	}
}

// axisOf returns the axis counted from the front; it fails when it lies outside the rank.
func axisOf(c *graph.InferCtx, axis, rank int) int {
	a, ok := tensor.Axis(axis, rank)
	if !ok {
		c.Fail("axis ", axis, " is outside a tensor of rank ", rank)
	}
	return a
}

// sameDim unifies two dimensions that must be equal: the one that is known, and whether they can be equal.
func sameDim(a, b int) (int, bool) {
	switch {
	case a == b || b < 0 && a != graph.Unknown:
		return a, true
	case a < 0:
		return b, true
	}
	return a, false
}

// sameShape unifies two shapes that must be equal.
func sameShape(a, b []int) ([]int, bool) {
	if len(a) != len(b) {
		return nil, false
	}
	out := make([]int, len(a))
	for i := range a {
		d, ok := sameDim(a[i], b[i])
		if !ok {
			return nil, false
		}
		out[i] = d
	}
	return out, true
}

// broadcastDim returns the dimension that two broadcast to. An unknown against a size above 1 must be that size or
// 1; two different unknowns give an unknown.
func broadcastDim(a, b int) (int, bool) {
	switch {
	case a == b || b == 1:
		return a, true
	case a == 1:
		return b, true
	case a < 0 && b < 0:
		return graph.Unknown, true
	case a < 0:
		return b, true
	case b < 0:
		return a, true
	}
	return 0, false
}

// broadcastShapes is tensor.Broadcast for shapes with unknown dimensions.
func broadcastShapes(a, b []int) ([]int, bool) {
	out := make([]int, max(len(a), len(b)))
	for i := range out {
		da, db := 1, 1
		if k := i - len(out) + len(a); k >= 0 {
			da = a[k]
		}
		if k := i - len(out) + len(b); k >= 0 {
			db = b[k]
		}
		d, ok := broadcastDim(da, db)
		if !ok {
			return nil, false
		}
		out[i] = d
	}
	return out, true
}

// broadcastAll sets output 0 to the type d and the shape that the given inputs broadcast to.
func broadcastAll(c *graph.InferCtx, d tensor.DType, in ...graph.Type) {
	var shape []int
	for i := range in {
		t := &in[i]
		if !t.HasRank {
			c.SetUnranked(0, d)
			return
		}
		if i == 0 || tensor.SameShape(shape, t.Shape) && !slices.Contains(shape, graph.Unknown) {
			shape = t.Shape
			continue
		}
		s, ok := broadcastShapes(shape, t.Shape)
		if !ok {
			c.Fail("shapes do not broadcast")
		}
		shape = s
	}
	c.Set(0, d, shape)
}

// The shape rules that many operators share.

func inferSame(c *graph.InferCtx) { setLike(c, 0, c.In[0].DType, c.In[0]) }

func inferFloat(c *graph.InferCtx) {
	wantFloat(c, 0)
	inferSame(c)
}

func inferNumeric(c *graph.InferCtx) {
	wantNumeric(c, 0)
	inferSame(c)
}

// inferLike01 is for gradient operators (dy, y) of elementwise functions: two tensors of one type and shape.
func inferLike01(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1)
	sameAsAll(c, c.In[0], c.In[1])
}

// sameAsAll sets output 0 to the common type and shape of the given inputs.
func sameAsAll(c *graph.InferCtx, in ...graph.Type) {
	out := in[0]
	for _, t := range in[1:] {
		if !t.HasRank {
			continue
		}
		if !out.HasRank {
			out = t
			continue
		}
		s, ok := sameShape(out.Shape, t.Shape)
		if !ok {
			c.Fail("shapes must be equal")
		}
		out.Shape = s
	}
	setLike(c, 0, out.DType, out)
}

// equalShapes reports whether two values certainly have the same shape at run time.
func equalShapes(a, b *graph.Value) bool {
	if !a.HasRank || !b.HasRank || len(a.Shape) != len(b.Shape) {
		return false
	}
	for i, d := range a.Shape {
		if d != b.Shape[i] || d == graph.Unknown {
			return false
		}
	}
	return true
}
