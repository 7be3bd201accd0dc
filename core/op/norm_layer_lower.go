package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of layer normalisation: N = {rows, n}, F = {epsilon}. The gradients of scale and bias are added up over slices of normSlice rows, while
// these are in the cache, and the slices' sums one after the other in a step of their own.
var (
	kLayerNorm     = prog.Kernel{Name: "LayerNorm", Run: runLayerNorm}
	kLayerNormGrad = prog.Kernel{Name: "LayerNormGrad", Run: runLayerNormGrad}
	kNormGradSum   = prog.Kernel{Name: "NormGradSum", Run: runNormGradSum}
)

const normSlice = 32

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

// Operands of the gradient of a normalisation of rows.
const (
	ngDX, ngScale, ngBias, ngDY, ngX, ngGamma, ngMean, ngInv = 0, 1, 2, 3, 4, 5, 6, 7
)

// emitNormGrad emits the step of a gradient whose outputs are dx and params sums over the rows.
func emitNormGrad(b graph.Builder, s prog.Step, params int) {
	rows, cols := int(s.N[0]), int(s.N[1])
	slices := (rows + normSlice - 1) / normSlice
	s.Tiles = min(elemTiles(3*rows*cols), int32(slices))
	sums := make([]prog.Step, 0, 2)
	for i := range params {
		if 1+i < b.NumOut() && b.Out(1+i) != prog.None {
			s.A[ngScale+i] = b.Out(1 + i)
			if slices > 1 {
				s.A[ngScale+i] = b.Scratch(4 * slices * cols)
				sum := prog.Step{Kernel: &kNormGradSum, Tiles: 1}
				sum.A[0], sum.A[1], sum.N[0], sum.N[1] = b.Out(1+i), s.A[ngScale+i], int32(slices), int32(cols)
				sums = append(sums, sum)
			}
		}
	}
	b.Emit(s)
	for _, sum := range sums {
		b.Emit(sum)
	}
}

func runNormGradSum(w *prog.Worker, s *prog.Step, tile int) {
	slices, n := int(s.N[0]), int(s.N[1])
	simd.ReduceOuter(simd.Sum, w.F32(s.A[0], n), w.F32(s.A[1], slices*n), slices, n)
}

func lowerLayerNormGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := layerNormStep(b, n, &kLayerNormGrad, b.InShape(1), b.InShape(2))
	if !ok {
		return false
	}
	s.A[ngDX] = b.Out(0)
	for i := range 5 {
		s.A[ngDY+i] = b.In(i)
	}
	if s.Worker = 4 * s.N[1]; b.NumOut() > 2 && b.Out(1) != prog.None && b.Out(2) != prog.None {
		s.Worker = 0
	}
	emitNormGrad(b, s, 2)
	return true
}

// runLayerNormGrad computes scale's and bias's gradients together; one that nobody wants goes to the worker's scratch.
func runLayerNormGrad(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	slices := (rows + normSlice - 1) / normSlice
	from, to := prog.Span(slices, 1, tile, int(s.Tiles))
	dx, gamma := w.F32(s.A[ngDX], rows*n), w.F32(s.A[ngGamma], n)
	dgamma, dbeta := w.F32(s.A[ngScale], slices*n), w.F32(s.A[ngBias], slices*n)
	for i := from; i < to; i++ {
		lo, hi := i*normSlice, min((i+1)*normSlice, rows)
		dy, x := w.F32(s.A[ngDY], rows*n)[lo*n:hi*n], w.F32(s.A[ngX], rows*n)[lo*n:hi*n]
		mean, inv := w.F32(s.A[ngMean], rows)[lo:hi], w.F32(s.A[ngInv], rows)[lo:hi]
		if dx != nil {
			simd.LayerNormGrad(dx[lo*n:hi*n], dy, x, gamma, mean, inv, hi-lo, n)
		}
		switch {
		case dgamma != nil && dbeta != nil:
			simd.LayerNormParamGrad(dgamma[i*n:(i+1)*n], dbeta[i*n:(i+1)*n], dy, x, mean, inv, hi-lo, n)
		case dgamma != nil:
			simd.LayerNormParamGrad(dgamma[i*n:(i+1)*n], w.ScratchF32(n), dy, x, mean, inv, hi-lo, n)
		case dbeta != nil:
			simd.LayerNormParamGrad(w.ScratchF32(n), dbeta[i*n:(i+1)*n], dy, x, mean, inv, hi-lo, n)
		}
	}
}
