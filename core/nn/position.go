package nn

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// PositionalEncoding adds to each element of a sequence [N, T, D] a vector that says where it stands: sines and cosines of wavelengths from 2*pi to 10000*2*pi
// (Vaswani et al., 2017), element 2i being sin(t/10000^(2i/D)) and 2i+1 the cosine, or Learned vectors.
type PositionalEncoding struct {
	Max     int // longest sequence; 0: that of the input, which must be known
	Learned bool
	Init    Initializer // of learned vectors; nil: Normal(0, 0.02)
	Name    string
}

// Apply returns x plus the vectors of positions 0, 1, ..., or from the start of the context's cache on. Learned vectors are the variable NAME.weight [Max, D].
func (l PositionalEncoding) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "position")
	what := "PositionalEncoding " + name
	d := dim(what, x, 2, 3)
	n, seq := l.Max, x.Shape[1]
	if n == 0 {
		n = seq
	}
	if n < 1 {
		fail(what, "needs Max where the length of the sequences is not known")
	}
	if seq > n {
		fail(what, "a sequence of ", seq, " is longer than Max, ", n)
	}
	var table *graph.Value
	if l.Learned {
		table = c.Param(name+".weight", orInit(l.Init, Normal(0, 0.02)), n, d, n, d)
	} else {
		table = c.G.NamedConst(name, sinusoids(n, d))
	}
	return op.Add(x, tableRows(c, table, x, n))
}

// sinusoids returns the table [n, d].
func sinusoids(n, d int) *tensor.Tensor {
	t := tensor.New(tensor.Float32, n, d)
	v := t.Float32s()
	for p := range n {
		for i := range d {
			a := float64(p) / math.Pow(10000, float64(i/2*2)/float64(d))
			if i%2 == 0 {
				v[p*d+i] = float32(math.Sin(a))
			} else {
				v[p*d+i] = float32(math.Cos(a))
			}
		}
	}
	return t
}

// tableRows returns the rows of a table [n, ...] that belong to the positions of x [N, T, ...]: [T, ...].
func tableRows(c *Context, table, x *graph.Value, n int) *graph.Value {
	switch seq := x.Shape[1]; {
	case c.Cache == nil && seq == n:
		return table
	case c.Cache == nil && seq > 0:
		return op.Slice(table, []int{0}, []int{seq}, op.SliceOptions{Axes: []int{0}})
	}
	return op.Gather(table, positionsOf(c, x), 0)
}

// positionsOf returns the positions of the elements of x [N, T, ...], int64 [T].
func positionsOf(c *Context, x *graph.Value) *graph.Value {
	scalar := func(v int64) *graph.Value {
		t := tensor.New(tensor.Int64)
		t.SetInt64s([]int64{v})
		return c.G.Const(t)
	}
	length := op.Squeeze(op.Slice(op.Shape(x), []int{1}, []int{2}, op.SliceOptions{}), 0)
	if x.Shape[1] > 0 {
		length = scalar(int64(x.Shape[1]))
	}
	p := op.Range(scalar(0), length, scalar(1))
	if c.Cache != nil {
		p = op.Add(p, c.Cache.Start)
	}
	return p
}

// Rotary turns pairs of elements of queries and keys by angles that grow with their position, so that a score depends on the distance (Su et al., "RoFormer",
// 2021; ONNX RotaryEmbedding).
type Rotary struct {
	Max         int     // longest sequence; 0: that of the input, which must be known
	Base        float64 // the longest wavelength is 2*pi*Base; 0: 10000
	Dim         int     // how many elements of a head are turned; 0: all
	Interleaved bool    // pairs are neighbours; else element i goes with i+Dim/2
}

// turn returns x [N, T, heads*size] with the first heads turned.
func (r *Rotary) turn(c *Context, what string, x *graph.Value, heads, turned, size int) *graph.Value {
	n := or(r.Max, max(x.Shape[1], 0))
	if n < 1 {
		fail(what, "Rotary needs Max where the length of the sequences is not known")
	}
	if x.Shape[1] > n {
		fail(what, "a sequence of ", x.Shape[1], " is longer than Rotary's Max, ", n)
	}
	d := or(r.Dim, size)
	if d%2 != 0 || d > size {
		fail(what, "Rotary turns an even number of elements, at most the ", size, " of a head, not ", d)
	}
	cos, sin := tensor.New(tensor.Float32, n, d/2), tensor.New(tensor.Float32, n, d/2)
	for p := range n {
		for i := range d / 2 {
			a := float64(p) / math.Pow(or(r.Base, 10000), float64(2*i)/float64(d))
			cos.Float32s()[p*d/2+i], sin.Float32s()[p*d/2+i] = float32(math.Cos(a)), float32(math.Sin(a))
		}
	}
	row := func(t *tensor.Tensor) *graph.Value { // [1, T, d/2] for all samples
		return op.Unsqueeze(tableRows(c, c.G.NamedConst("rotary", t), x, n), 0)
	}
	o := op.RotaryOptions{Heads: heads, Dim: r.Dim, Interleaved: r.Interleaved}
	if turned < heads {
		return op.RotaryHeads(x, row(cos), row(sin), nil, turned, o)
	}
	return op.RotaryEmbedding(x, row(cos), row(sin), nil, o)
}
