package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Steps of arithmetic, comparisons, choices and sums on integers; see zip_lower.go. Floating-point numbers run in chains of vector
// kernels instead (Def.Elem).
var (
	kInteger        = prog.Kernel{Name: "Integer", Run: runInteger}
	kIntegerCompare = prog.Kernel{Name: "IntegerCompare", Run: runIntegerCompare}
	kChoose         = prog.Kernel{Name: "Choose", Run: runChoose}
	kIntegerSum     = prog.Kernel{Name: "IntegerSum", Run: runIntegerSum}
)

const (
	integerAdd = iota
	integerSub
	integerMul
	integerEqual
	integerLess
	integerLessOrEqual
)

func lowerAdd(b graph.Builder, n *graph.Node) bool { return lowerInteger(b, &kInteger, integerAdd) }
func lowerSub(b graph.Builder, n *graph.Node) bool { return lowerInteger(b, &kInteger, integerSub) }
func lowerMul(b graph.Builder, n *graph.Node) bool { return lowerInteger(b, &kInteger, integerMul) }

func lowerEqual(b graph.Builder, n *graph.Node) bool {
	return lowerInteger(b, &kIntegerCompare, integerEqual)
}

func lowerLess(b graph.Builder, n *graph.Node) bool {
	return lowerInteger(b, &kIntegerCompare, integerLess)
}

func lowerLessOrEqual(b graph.Builder, n *graph.Node) bool {
	return lowerInteger(b, &kIntegerCompare, integerLessOrEqual)
}

// A greater comparison is the lesser one with its operands exchanged.
func lowerGreater(b graph.Builder, n *graph.Node) bool {
	return lowerInteger(b, &kIntegerCompare, -integerLess)
}

func lowerGreaterOrEqual(b graph.Builder, n *graph.Node) bool {
	return lowerInteger(b, &kIntegerCompare, -integerLessOrEqual)
}

func lowerInteger(b graph.Builder, k *prog.Kernel, op int32) bool {
	d := b.InType(0)
	switch d {
	case tensor.Int32, tensor.Int64, tensor.Uint8:
	case tensor.Bool:
		d = tensor.Uint8
	default:
		return false
	}
	s, done, ok := zipStep(b, k, max(op, -op), d)
	if !ok || done {
		return ok
	}
	if op < 0 {
		s.A[1], s.A[2] = s.A[2], s.A[1]
		for i := range maxZipDims {
			x, y := &s.N[zipStrides+i], &s.N[zipStrides+maxZipDims+i]
			*x, *y = *y, *x
		}
	}
	b.Emit(s)
	return true
}

func runInteger(w *prog.Worker, s *prog.Step, tile int) {
	switch tensor.DType(s.N[2]) {
	case tensor.Int32:
		integerRuns[int32](w, s, tile)
	case tensor.Int64:
		integerRuns[int64](w, s, tile)
	default:
		integerRuns[uint8](w, s, tile)
	}
}

func integerRuns[T int32 | int64 | uint8](w *prog.Worker, s *prog.Step, tile int) {
	eachZipRun(s, tile, func(r zipRun) {
		y := elements[T](w, s.A[0], r.out, r.n)
		a, b := elements[T](w, s.A[1], r.at[0], r.last(0)), elements[T](w, s.A[2], r.at[1], r.last(1))
		ia, ib := r.stride[0], r.stride[1]
		switch s.N[0] {
		case integerAdd:
			for i := range y {
				y[i] = a[i*ia] + b[i*ib]
			}
		case integerSub:
			for i := range y {
				y[i] = a[i*ia] - b[i*ib]
			}
		default:
			for i := range y {
				y[i] = a[i*ia] * b[i*ib]
			}
		}
	})
}

func runIntegerCompare(w *prog.Worker, s *prog.Step, tile int) {
	switch tensor.DType(s.N[2]) {
	case tensor.Int32:
		compareRuns[int32](w, s, tile)
	case tensor.Int64:
		compareRuns[int64](w, s, tile)
	default:
		compareRuns[uint8](w, s, tile)
	}
}

func compareRuns[T int32 | int64 | uint8](w *prog.Worker, s *prog.Step, tile int) {
	eachZipRun(s, tile, func(r zipRun) {
		y := w.Bytes(s.A[0].Add(r.out), r.n)
		a, b := elements[T](w, s.A[1], r.at[0], r.last(0)), elements[T](w, s.A[2], r.at[1], r.last(1))
		ia, ib := r.stride[0], r.stride[1]
		for i := range y {
			u, v := a[i*ia], b[i*ib]
			if s.N[0] == integerEqual && u == v || s.N[0] == integerLess && u < v || s.N[0] == integerLessOrEqual && u <= v {
				y[i] = 1
			} else {
				y[i] = 0
			}
		}
	})
}

// lowerWhere chooses between elements of 1, 4 or 8 bytes, whatever they mean.
func lowerWhere(b graph.Builder, n *graph.Node) bool {
	d := tensor.Int64
	switch b.OutType(0).Bits() {
	case 8:
		d = tensor.Uint8
	case 32:
		d = tensor.Int32
	case 64:
	default:
		return false
	}
	if b.OutType(0) == tensor.String {
		return false
	}
	s, done, ok := zipStep(b, &kChoose, 0, d)
	if ok && !done {
		b.Emit(s)
	}
	return ok
}

func runChoose(w *prog.Worker, s *prog.Step, tile int) {
	switch tensor.DType(s.N[2]) {
	case tensor.Int32:
		chooseRuns[int32](w, s, tile)
	case tensor.Int64:
		chooseRuns[int64](w, s, tile)
	default:
		chooseRuns[uint8](w, s, tile)
	}
}

func chooseRuns[T int32 | int64 | uint8](w *prog.Worker, s *prog.Step, tile int) {
	eachZipRun(s, tile, func(r zipRun) {
		y, cond := elements[T](w, s.A[0], r.out, r.n), w.Bytes(s.A[1].Add(r.at[0]), r.last(0))
		a, b := elements[T](w, s.A[2], r.at[1], r.last(1)), elements[T](w, s.A[3], r.at[2], r.last(2))
		for i := range y {
			if cond[i*r.stride[0]] != 0 {
				y[i] = a[i*r.stride[1]]
			} else {
				y[i] = b[i*r.stride[2]]
			}
		}
	})
}

// lowerIntegerSum sums integers over neighbouring dimensions: A = {out, x}, N = {outer, r, inner, element type}.
func lowerIntegerSum(b graph.Builder, mask []bool) bool {
	d, shape := b.InType(0), b.InShape(0)
	size := tensor.Size(shape)
	if d != tensor.Int32 && d != tensor.Int64 || size == 0 || size >= 1<<31 {
		return false
	}
	outer, r, inner, part := 1, 1, 1, 0
	for i, w := range shape {
		switch {
		case w == 1:
		case mask[i] && part < 2:
			part, r = 1, r*w
		case mask[i]:
			return false // two groups of dimensions
		case part == 0:
			outer *= w
		default:
			part, inner = 2, inner*w
		}
	}
	s := prog.Step{Kernel: &kIntegerSum, Tiles: min(elemTiles(size), int32(outer))}
	s.A[0], s.A[1] = b.Out(0), b.In(0)
	s.N[0], s.N[1], s.N[2], s.N[3] = int32(outer), int32(r), int32(inner), int32(d)
	b.Emit(s)
	return true
}

func runIntegerSum(w *prog.Worker, s *prog.Step, tile int) {
	if tensor.DType(s.N[3]) == tensor.Int32 {
		sumIntegers[int32](w, s, tile)
	} else {
		sumIntegers[int64](w, s, tile)
	}
}

func sumIntegers[T int32 | int64](w *prog.Worker, s *prog.Step, tile int) {
	outer, r, inner := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	for o := lo; o < hi; o++ {
		y, x := elements[T](w, s.A[0], o*inner, inner), elements[T](w, s.A[1], o*r*inner, r*inner)
		clear(y)
		for i, v := range x {
			y[i%inner] += v
		}
	}
}
