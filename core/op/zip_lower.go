package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Elementwise steps on element types for which there are no vector kernels: bools and integers, as masks, labels and counters are.
// A = {out, operands...}; N = {op, rank, element type, dims..., strides of operand 0..., of operand 1..., of operand 2...}, after
// neighbouring dimensions that all operands walk alike are merged. Tiles share the outermost dimension.
const (
	maxZipDims = 6
	zipDims    = 3
	zipStrides = zipDims + maxZipDims
)

// zipStep describes output 0 and all inputs of a node; done is true when there is nothing to compute.
func zipStep(b graph.Builder, k *prog.Kernel, op int32, d tensor.DType) (s prog.Step, done, ok bool) {
	shape := b.OutShape(0)
	size := tensor.Size(shape)
	if size == 0 {
		return s, true, true
	}
	n := b.NumIn()
	strides := make([][]int, n)
	for i := range strides {
		strides[i] = tensor.BroadcastStrides(b.InShape(i), shape)
	}
	var dims []int
	for i, w := range shape {
		if w == 1 {
			continue
		}
		last := len(dims) - 1
		merge := last >= 0
		for _, st := range strides {
			merge = merge && st[last] == st[i]*w
		}
		if merge {
			dims[last] *= w
		} else {
			last++
			dims = append(dims, w)
		}
		for _, st := range strides {
			st[last] = st[i]
		}
	}
	if len(dims) == 0 {
		dims = []int{1}
		for i := range strides {
			strides[i] = []int{1}
		}
	}
	if n > 3 || len(dims) > maxZipDims || size >= 1<<31 {
		return s, false, false
	}
	s = prog.Step{Kernel: k, Tiles: min(elemTiles(size), int32(dims[0]))}
	s.A[0] = b.Out(0)
	s.N[0], s.N[1], s.N[2] = op, int32(len(dims)), int32(d)
	for i, w := range dims {
		s.N[zipDims+i] = int32(w)
		for j, st := range strides {
			s.N[zipStrides+j*maxZipDims+i] = int32(st[i])
		}
	}
	for j := range n {
		s.A[1+j] = b.In(j)
	}
	return s, false, true
}

// zipRun is one run of elements along the last dimension: its length, the index of its first output element, and for every operand the
// index of its first element and its stride.
type zipRun struct {
	n, out     int
	at, stride [3]int
}

// last returns one past the index, from at, of the last element of operand j.
func (r zipRun) last(j int) int { return (r.n-1)*r.stride[j] + 1 }

// eachZipRun calls f for the runs of a tile.
func eachZipRun(s *prog.Step, tile int, f func(r zipRun)) {
	rank := int(s.N[1])
	dims := s.N[zipDims:]
	lo, hi := prog.Span(int(dims[0]), 1, tile, int(s.Tiles))
	var r zipRun
	for j := range r.stride {
		r.stride[j] = int(s.N[zipStrides+j*maxZipDims+rank-1])
	}
	if rank == 1 {
		if r.n, r.out = hi-lo, lo; r.n > 0 {
			for j := range r.at {
				r.at[j] = lo * r.stride[j]
			}
			f(r)
		}
		return
	}
	outer := 1
	for _, d := range dims[1 : rank-1] {
		outer *= int(d)
	}
	r.n = int(dims[rank-1])
	for o := lo * outer; o < hi*outer; o++ {
		r.out, r.at = o*r.n, [3]int{}
		rest := o
		for i := rank - 2; i >= 0; i-- {
			k := rest
			if i > 0 {
				k, rest = rest%int(dims[i]), rest/int(dims[i])
			}
			for j := range r.at {
				r.at[j] += k * int(s.N[zipStrides+j*maxZipDims+i])
			}
		}
		f(r)
	}
}

// elements returns n elements of type T from index i on.
func elements[T int32 | int64 | uint8](w *prog.Worker, a prog.Ref, i, n int) []T {
	var z T
	size := 1
	switch any(z).(type) {
	case int32:
		size = 4
	case int64:
		size = 8
	}
	return tensor.Cast[T](w.Bytes(a.Add(size*i), size*n))
}
