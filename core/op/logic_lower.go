package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of the logical operators work on bytes of 0 and 1; see zip_lower.go. Predicates have N = {op, elements, signs}.
var (
	kLogic     = prog.Kernel{Name: "Logic", Run: runLogic}
	kPredicate = prog.Kernel{Name: "Predicate", Run: runPredicate}
)

const (
	logicAnd = iota
	logicOr
	logicXor
	logicNot
	logicNaN // of float32
	logicInf // of float32, of the signs: 1 positive, 2 negative
)

func lowerAnd(b graph.Builder, n *graph.Node) bool { return lowerLogic(b, logicAnd) }
func lowerOr(b graph.Builder, n *graph.Node) bool  { return lowerLogic(b, logicOr) }
func lowerXor(b graph.Builder, n *graph.Node) bool { return lowerLogic(b, logicXor) }

func lowerLogic(b graph.Builder, op int32) bool {
	s, done, ok := zipStep(b, &kLogic, op, tensor.Bool)
	if ok && !done {
		b.Emit(s)
	}
	return ok
}

func runLogic(w *prog.Worker, s *prog.Step, tile int) {
	eachZipRun(s, tile, func(r zipRun) {
		y := w.Bytes(s.A[0].Add(r.out), r.n)
		a, b := w.Bytes(s.A[1].Add(r.at[0]), r.last(0)), w.Bytes(s.A[2].Add(r.at[1]), r.last(1))
		ia, ib := r.stride[0], r.stride[1]
		switch s.N[0] {
		case logicAnd:
			for i := range y {
				y[i] = a[i*ia] & b[i*ib]
			}
		case logicOr:
			for i := range y {
				y[i] = a[i*ia] | b[i*ib]
			}
		default:
			for i := range y {
				y[i] = a[i*ia] ^ b[i*ib]
			}
		}
	})
}

func lowerNot(b graph.Builder, n *graph.Node) bool { return lowerPredicate(b, logicNot, 0) }

func lowerIsNaN(b graph.Builder, n *graph.Node) bool {
	return b.InType(0) == tensor.Float32 && lowerPredicate(b, logicNaN, 0)
}

func lowerIsInf(b graph.Builder, n *graph.Node) bool {
	var signs int32
	if n.Int("detect_positive") != 0 {
		signs |= 1
	}
	if n.Int("detect_negative") != 0 {
		signs |= 2
	}
	return b.InType(0) == tensor.Float32 && lowerPredicate(b, logicInf, signs)
}

func lowerPredicate(b graph.Builder, op, signs int32) bool {
	size := tensor.Size(b.InShape(0))
	if size >= 1<<31 {
		return false
	}
	if size > 0 {
		s := prog.Step{Kernel: &kPredicate, Tiles: elemTiles(size)}
		s.A[0], s.A[1] = b.Out(0), b.In(0)
		s.N[0], s.N[1], s.N[2] = op, int32(size), signs
		b.Emit(s)
	}
	return true
}

func runPredicate(w *prog.Worker, s *prog.Step, tile int) {
	lo, hi := prog.Span(int(s.N[1]), 64, tile, int(s.Tiles))
	y := w.Bytes(s.A[0].Add(lo), hi-lo)
	if s.N[0] == logicNot {
		for i, v := range w.Bytes(s.A[1].Add(lo), hi-lo) {
			y[i] = v ^ 1
		}
		return
	}
	if s.N[0] == logicNaN {
		x := w.F32(s.A[1].Add(4*lo), hi-lo)
		simd.Compare(simd.NotEqual, y, x, x)
		return
	}
	const largest = 0x1.fffffep127
	for i, v := range w.F32(s.A[1].Add(4*lo), hi-lo) {
		y[i] = 0
		if v > largest && s.N[2]&1 != 0 || v < -largest && s.N[2]&2 != 0 {
			y[i] = 1
		}
	}
}
