package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// The inverse and hyperbolic functions have no vector kernels: a step calls package math for each element, as the reference
// evaluation does. A = {out, x}, N = {elements, function}.
var kMath = prog.Kernel{Name: "Math", Run: runMath}

const (
	mathAsin = iota
	mathAcos
	mathAtan
	mathSinh
	mathCosh
	mathAsinh
	mathAcosh
	mathAtanh
)

// mathTile is how many elements are worth another thread.
const mathTile = 4 << 10

func lowerAsin(b graph.Builder, n *graph.Node) bool  { return lowerMath(b, mathAsin) }
func lowerAcos(b graph.Builder, n *graph.Node) bool  { return lowerMath(b, mathAcos) }
func lowerAtan(b graph.Builder, n *graph.Node) bool  { return lowerMath(b, mathAtan) }
func lowerSinh(b graph.Builder, n *graph.Node) bool  { return lowerMath(b, mathSinh) }
func lowerCosh(b graph.Builder, n *graph.Node) bool  { return lowerMath(b, mathCosh) }
func lowerAsinh(b graph.Builder, n *graph.Node) bool { return lowerMath(b, mathAsinh) }
func lowerAcosh(b graph.Builder, n *graph.Node) bool { return lowerMath(b, mathAcosh) }
func lowerAtanh(b graph.Builder, n *graph.Node) bool { return lowerMath(b, mathAtanh) }

func lowerMath(b graph.Builder, f int32) bool {
	size := tensor.Size(b.InShape(0))
	if b.InType(0) != tensor.Float32 || size >= 1<<31 {
		return false
	}
	if size > 0 {
		s := prog.Step{Kernel: &kMath, Tiles: int32(min(max(size/mathTile, 1), 64))}
		s.A[0], s.A[1], s.N[0], s.N[1] = b.Out(0), b.In(0), int32(size), f
		b.Emit(s)
	}
	return true
}

func runMath(w *prog.Worker, s *prog.Step, tile int) {
	lo, hi := prog.Span(int(s.N[0]), lineElems, tile, int(s.Tiles))
	y, x := w.F32(s.A[0].Add(4*lo), hi-lo), w.F32(s.A[1].Add(4*lo), hi-lo)
	f := math.Asin
	switch s.N[1] {
	case mathAcos:
		f = math.Acos
	case mathAtan:
		f = math.Atan
	case mathSinh:
		f = math.Sinh
	case mathCosh:
		f = math.Cosh
	case mathAsinh:
		f = math.Asinh
	case mathAcosh:
		f = math.Acosh
	case mathAtanh:
		f = math.Atanh
	}
	for i, v := range x {
		y[i] = float32(f(float64(v)))
	}
}
