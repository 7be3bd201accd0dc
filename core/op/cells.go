package op

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// cells gives access to the elements of a contiguous tensor of any type, packed and string types
// too, as opaque things to copy.
type cells struct {
	bits int
	b    []byte
	s    []string
}

func cellsOf(t *tensor.Tensor) cells {
	if t.DType() == tensor.String {
		return cells{s: t.Strings()}
	}
	return cells{bits: t.DType().Bits(), b: t.Bytes()}
}

// set copies element j of src to element i; both are of the same type.
func (d cells) set(i int, src cells, j int) {
	switch {
	case d.s != nil:
		d.s[i] = src.s[j]
	case d.bits >= 8:
		w := d.bits / 8
		copy(d.b[i*w:i*w+w], src.b[j*w:j*w+w])
	default:
		per, mask := 8/d.bits, byte(1<<d.bits-1)
		v := src.b[j/per] >> (d.bits * (j % per)) & mask
		sh := d.bits * (i % per)
		d.b[i/per] = d.b[i/per]&^(mask<<sh) | v<<sh
	}
}

// move describes a copy between two strided blocks of elements: dims elements along each dimension, from source
// element s0 in steps ss to destination element d0 in steps ds.
type move struct {
	dims, ds, ss []int
	d0, s0       int
}

// each calls f for every pair of elements, in row-major order.
func (m *move) each(f func(d, s int)) {
	n := 1
	for _, d := range m.dims {
		n *= d
	}
	index := make([]int, len(m.dims))
	for range n {
		d, s := m.d0, m.s0
		for a, i := range index {
			d += i * m.ds[a]
			s += i * m.ss[a]
		}
		f(d, s)
		next(index, m.dims)
	}
}

// run copies the elements one by one.
func (m *move) run(dst, src *tensor.Tensor) {
	d, s := cellsOf(dst), cellsOf(src)
	m.each(func(i, j int) { d.set(i, s, j) })
}

// fill sets every element of t to element 0 of v.
func fill(t, v *tensor.Tensor) {
	d, s := cellsOf(t), cellsOf(v)
	for i := range t.Len() {
		d.set(i, s, 0)
	}
}

// refInts returns the elements of an optional integer input.
func refInts(c *graph.RefCtx, i int) []int {
	if !c.Has(i) {
		return nil
	}
	return intsOf(c.In[i])
}

func intsOf(t *tensor.Tensor) []int {
	v := t.Int64sOf()
	out := make([]int, len(v))
	for k := range v {
		out[k] = int(v[k])
	}
	return out
}

// hostInts returns the elements of an integer input as far as they are known at bind time; an omitted input is nil and known.
func hostInts(b graph.Builder, i int) ([]int, bool) {
	if i >= b.NumIn() || b.InType(i) == tensor.Undefined {
		return nil, true
	}
	t := b.InConst(i)
	if t == nil {
		return nil, false
	}
	return intsOf(t), true
}

// inferInts returns the elements of an optional integer input; known is false when it is given but not known.
func inferInts(c *graph.InferCtx, i int) (v []int, known bool) {
	if !c.Has(i) {
		return nil, true
	}
	wantInt(c, i)
	return c.Ints(i)
}

// normAxes returns the axes counted from the front; it fails when one lies outside the rank or appears twice.
func normAxes(axes []int, rank int, fail failFunc) []int {
	out := make([]int, len(axes))
	var seen [2 * tensor.MaxRank]bool
	for i, a := range axes {
		x, ok := tensor.Axis(a, rank)
		if !ok || rank > len(seen) {
			fail("axis ", a, " is outside a tensor of rank ", rank)
		}
		if seen[x] {
			fail("axis ", a, " is given twice")
		}
		seen[x] = true
		out[i] = x
	}
	return out
}

// unknownShape returns r unknown dimensions.
func unknownShape(r int) []int {
	s := make([]int, r)
	for i := range s {
		s[i] = graph.Unknown
	}
	return s
}

// allKnown reports whether every dimension is a size.
func allKnown(shape []int) bool {
	for _, d := range shape {
		if d < 0 {
			return false
		}
	}
	return true
}

// zerosLike returns zeros of the element type and shape of x.
func zerosLike(x *graph.Value) *graph.Value {
	return ConstantOfShape(Shape(x), tensor.New(x.DType, 1))
}

// attrName quotes an attribute's name for messages.
func attrName(name string) string { return "attribute " + strconv.Quote(name) }
