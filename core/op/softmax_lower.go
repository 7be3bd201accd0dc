package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A step of the softmax family: A = {out, in...}; N = {outer, n, inner, log}. Rows of the last axis run on the row kernels,
// other axes on whole runs of inner elements.
var (
	kSoftmax     = prog.Kernel{Name: "Softmax", Run: runSoftmax}
	kSoftmaxGrad = prog.Kernel{Name: "SoftmaxGrad", Run: runSoftmaxGrad}
)

func softmaxStep(b graph.Builder, n *graph.Node, k *prog.Kernel) (s prog.Step, ok bool) {
	if b.InType(0) != tensor.Float32 {
		return s, false
	}
	sh := b.InShape(0)
	outer, rows, inner := outerInner(sh, axisAttr(n, len(sh)))
	s = prog.Step{Kernel: k, Tiles: int32(min(int(elemTiles(outer*rows*inner)), max(outer, 1)))}
	s.A[0], s.A[1] = b.Out(0), b.In(0)
	s.N[0], s.N[1], s.N[2] = int32(outer), int32(rows), int32(inner)
	if n.Def.Name == "LogSoftmax" || n.Def.Name == "LogSoftmaxGrad" {
		s.N[3] = 1
	}
	if inner > 1 {
		s.Worker = int32(8 * inner)
	}
	return s, true
}

func lowerSoftmax(b graph.Builder, n *graph.Node) bool {
	s, ok := softmaxStep(b, n, &kSoftmax)
	if ok && tensor.Size(b.InShape(0)) > 0 {
		b.Emit(s)
	}
	return ok
}

func runSoftmax(w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner, log := int(s.N[0]), int(s.N[1]), int(s.N[2]), s.N[3] != 0
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	y, x := w.F32(s.A[0], outer*n*inner), w.F32(s.A[1], outer*n*inner)
	if inner == 1 {
		y, x = y[lo*n:hi*n], x[lo*n:hi*n]
		if log {
			simd.LogSoftmax(y, x, hi-lo, n)
		} else {
			simd.Softmax(y, x, hi-lo, n)
		}
		return
	}
	m, sum := w.ScratchF32(2 * inner)[:inner], w.ScratchF32(2 * inner)[inner:]
	for o := lo; o < hi; o++ {
		x, y := x[o*n*inner:][:n*inner], y[o*n*inner:][:n*inner]
		simd.ReduceOuter(simd.ReduceMax, m, x, n, inner)
		simd.Fill(sum, 0)
		for j := range n {
			row := y[j*inner:][:inner]
			simd.Zip(simd.Sub, row, x[j*inner:][:inner], m)
			if log {
				continue
			}
			simd.Map(simd.Exp, row, row, 0, 0)
			simd.ReduceRow(simd.Sum, sum, row)
		}
		if log {
			// The exponentials are summed through m, which is not needed any more.
			for j := range n {
				simd.Map(simd.Exp, m, y[j*inner:][:inner], 0, 0)
				simd.ReduceRow(simd.Sum, sum, m)
			}
			simd.Map(simd.Log, sum, sum, 0, 0)
		}
		for j := range n {
			row := y[j*inner:][:inner]
			if log {
				simd.Zip(simd.Sub, row, row, sum)
			} else {
				simd.Zip(simd.Div, row, row, sum)
			}
		}
	}
}

func lowerSoftmaxGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := softmaxStep(b, n, &kSoftmaxGrad)
	s.A[2] = b.In(1)
	if ok && tensor.Size(b.InShape(0)) > 0 {
		b.Emit(s)
	}
	return ok
}

func runSoftmaxGrad(w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner, log := int(s.N[0]), int(s.N[1]), int(s.N[2]), s.N[3] != 0
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	size := outer * n * inner
	dx, dy, y := w.F32(s.A[0], size), w.F32(s.A[1], size), w.F32(s.A[2], size)
	if inner == 1 {
		dx, dy, y = dx[lo*n:hi*n], dy[lo*n:hi*n], y[lo*n:hi*n]
		if log {
			simd.LogSoftmaxGrad(dx, dy, y, hi-lo, n)
		} else {
			simd.SoftmaxGrad(dx, dy, y, hi-lo, n)
		}
		return
	}
	t, sum := w.ScratchF32(2 * inner)[:inner], w.ScratchF32(2 * inner)[inner:]
	for o := lo; o < hi; o++ {
		at := o * n * inner
		dx, dy, y := dx[at:][:n*inner], dy[at:][:n*inner], y[at:][:n*inner]
		simd.Fill(sum, 0)
		for j := range n {
			g := dy[j*inner:][:inner]
			if !log {
				simd.Zip(simd.Mul, t, g, y[j*inner:][:inner])
				g = t
			}
			simd.ReduceRow(simd.Sum, sum, g)
		}
		for j := range n {
			g, p, out := dy[j*inner:][:inner], y[j*inner:][:inner], dx[j*inner:][:inner]
			if log {
				simd.Map(simd.Exp, t, p, 0, 0)
				simd.Zip(simd.Mul, t, t, sum)
				simd.Zip(simd.Sub, out, g, t)
			} else {
				simd.Zip(simd.Sub, t, g, sum)
				simd.Zip(simd.Mul, out, t, p)
			}
		}
	}
}
