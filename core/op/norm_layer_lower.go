package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of layer normalisation: N = {rows, n}, F = {epsilon}. The gradient's last tile sums up the gradients of scale and bias while
// the others compute rows of dx.
var (
	kLayerNorm     = prog.Kernel{Name: "LayerNorm", Run: runLayerNorm}
	kLayerNormGrad = prog.Kernel{Name: "LayerNormGrad", Run: runLayerNormGrad}
)

// layerNormStep describes x as rows of n elements; scale must have n too.
func layerNormStep(b graph.Builder, n *graph.Node, k *prog.Kernel, x, scale []int) (s prog.Step, ok bool) {
	cols := tensor.Size(x[axisAttr(n, len(x)):])
	size := tensor.Size(x)
	if !allFloat32(b) || size == 0 || size >= 1<<31 || tensor.Size(scale) != cols {
		return s, false
	}
	s = prog.Step{Kernel: k}
	for i := range s.A {
		s.A[i] = prog.None
	}
	s.N[0], s.N[1], s.F[0] = int32(size/cols), int32(cols), n.Float("epsilon")
	s.Tiles = min(elemTiles(2*size), s.N[0])
	return s, true
}

func lowerLayerNorm(b graph.Builder, n *graph.Node) bool {
	s, ok := layerNormStep(b, n, &kLayerNorm, b.InShape(0), b.InShape(1))
	if !ok || optional(b, 2) != prog.None && tensor.Size(b.InShape(2)) != int(s.N[1]) {
		return false
	}
	rows := int(s.N[0])
	s.A[0], s.A[1], s.A[2] = orScratch(b, 0, rows*int(s.N[1])), orScratch(b, 1, rows), orScratch(b, 2, rows)
	s.A[3], s.A[4], s.A[5] = b.In(0), b.In(1), optional(b, 2)
	if s.A[5] == prog.None {
		s.Worker = 4 * s.N[1]
	}
	b.Emit(s)
	return true
}

func runLayerNorm(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles))
	bias := w.F32(s.A[5], n)
	if bias == nil {
		bias = w.ScratchF32(n)
		clear(bias)
	}
	simd.LayerNorm(w.F32(s.A[0], rows*n)[lo*n:hi*n], w.F32(s.A[1], rows)[lo:hi], w.F32(s.A[2], rows)[lo:hi],
		w.F32(s.A[3], rows*n)[lo*n:hi*n], w.F32(s.A[4], n), bias, hi-lo, n, s.F[0])
}

func lowerLayerNormGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := layerNormStep(b, n, &kLayerNormGrad, b.InShape(1), b.InShape(2))
	if !ok {
		return false
	}
	rows, cols := int(s.N[0]), int(s.N[1])
	s.A[0], s.A[1], s.A[2] = orScratch(b, 0, rows*cols), orScratch(b, 1, cols), orScratch(b, 2, cols)
	for i := range 5 {
		s.A[3+i] = b.In(i)
	}
	s.Tiles++
	b.Emit(s)
	return true
}

func runLayerNormGrad(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	dy, x := w.F32(s.A[3], rows*n), w.F32(s.A[4], rows*n)
	mean, inv := w.F32(s.A[6], rows), w.F32(s.A[7], rows)
	if last := int(s.Tiles) - 1; tile == last {
		simd.LayerNormParamGrad(w.F32(s.A[1], n), w.F32(s.A[2], n), dy, x, mean, inv, rows, n)
		return
	}
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles)-1)
	simd.LayerNormGrad(w.F32(s.A[0], rows*n)[lo*n:hi*n], dy[lo*n:hi*n], x[lo*n:hi*n], w.F32(s.A[5], n), mean[lo:hi], inv[lo:hi], hi-lo, n)
}
