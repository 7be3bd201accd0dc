package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of batch normalisation. N = {n, c, hw, act}, F = {epsilon, momentum, lo, hi}. In training a tile does everything for its channels:
// statistics, running statistics, normalisation; so does the gradient. With given statistics one step
// turns them into factors and tiles go over rows of hw elements.
var (
	kBatchNormTrain = prog.Kernel{Name: "BatchNormTrain", Run: runBatchNormTrain}
	kBatchNormScale = prog.Kernel{Name: "BatchNormScale", Run: runBatchNormScale}
	kBatchNorm      = prog.Kernel{Name: "BatchNorm", Run: runBatchNorm}
	kBatchNormGrad  = prog.Kernel{Name: "BatchNormGrad", Run: runBatchNormGrad}
)

// Operands of a step of batch normalisation.
const (
	bnY, bnX, bnScale, bnBias, bnMean, bnVar   = 0, 1, 2, 3, 4, 5
	bnNewMean, bnNewVar, bnSavedMean, bnSaved  = 6, 7, 8, 9
	bnFactor, bnShift                          = 10, 11
	bnDX, bnDScale, bnDBias, bnDY, bnGX, bnGSc = 0, 1, 2, 3, 4, 5
	bnGMean, bnGInv                            = 6, 7
)

func batchNormStep(k *prog.Kernel, x []int) prog.Step {
	s := prog.Step{Kernel: k, Tiles: 1}
	for i := range s.A {
		s.A[i] = prog.None
	}
	s.N[0], s.N[1], s.N[2] = int32(x[0]), int32(x[1]), int32(tensor.Size(x[2:]))
	return s
}

// orScratch returns the address of output i, or memory for n floats when nothing reads it.
func orScratch(b graph.Builder, i, n int) prog.Ref {
	if i < b.NumOut() && b.Out(i) != prog.None {
		return b.Out(i)
	}
	return b.Scratch(4 * n)
}

func allFloat32(b graph.Builder) bool {
	for i := range b.NumIn() {
		if d := b.InType(i); d != tensor.Float32 && d != tensor.Undefined {
			return false
		}
	}
	return true
}

func lowerBatchNorm(b graph.Builder, n *graph.Node) bool {
	x := b.InShape(0)
	size := tensor.Size(x)
	if !allFloat32(b) || size >= 1<<31 || size == 0 {
		return false
	}
	c := x[1]
	s := batchNormStep(&kBatchNormTrain, x)
	for i := range 5 {
		s.A[bnX+i] = b.In(i)
	}
	s.A[bnFactor], s.A[bnShift] = b.Scratch(4*c), b.Scratch(4*c)
	act := b.Epilogue()
	s.N[3] = int32(act.Code)
	s.F[0], s.F[1], s.F[2], s.F[3] = n.Float("epsilon"), n.Float("momentum"), act.Lo, act.Hi
	if n.Int("training_mode") != 0 {
		s.A[bnY] = orScratch(b, 0, size)
		for i := range 2 {
			if 1+i < b.NumOut() {
				s.A[bnNewMean+i] = b.Out(1 + i)
			}
		}
		s.A[bnSavedMean], s.A[bnSaved] = orScratch(b, 3, c), orScratch(b, 4, c)
		s.Worker = int32(4 * c)
		s.Tiles = min(elemTiles(3*size), int32(c))
		b.Emit(s)
		return true
	}
	s.A[bnY], s.A[bnSaved] = b.Out(0), b.Scratch(4*c)
	s.Kernel = &kBatchNormScale
	b.Emit(s)
	s.Kernel, s.Tiles = &kBatchNorm, min(elemTiles(size), int32(x[0]*c))
	b.Emit(s)
	return true
}

// normRun writes one run of a channel: y = x*factor + shift, and the activation.
func normRun(s *prog.Step, y, x []float32, factor, shift float32) {
	simd.Map(simd.Affine, y, x, factor, shift)
	switch simd.Act(s.N[3]) {
	case simd.ActRelu:
		simd.Map(simd.Relu, y, y, 0, 0)
	case simd.ActClip:
		simd.Map(simd.Clip, y, y, s.F[2], s.F[3])
	}
}

func runBatchNormTrain(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(c, 1, tile, int(s.Tiles))
	if lo == hi {
		return
	}
	y, x := w.F32(s.A[bnY], n*c*hw), w.F32(s.A[bnX], n*c*hw)
	mean, inv, variance := w.F32(s.A[bnSavedMean], c), w.F32(s.A[bnSaved], c), w.ScratchF32(c)
	factor, shift := w.F32(s.A[bnFactor], c), w.F32(s.A[bnShift], c)
	simd.BatchNormStatsRange(mean, variance, x, n, c, hw, lo, hi)
	simd.NormScale(inv[lo:hi], factor[lo:hi], shift[lo:hi], mean[lo:hi], variance[lo:hi],
		w.F32(s.A[bnScale], c)[lo:hi], w.F32(s.A[bnBias], c)[lo:hi], s.F[0])
	for i := range n {
		for k := lo; k < hi; k++ {
			at := (i*c + k) * hw
			normRun(s, y[at:at+hw], x[at:at+hw], factor[k], shift[k])
		}
	}
	keep := s.F[1]
	for i, batch := range [][]float32{mean, variance} {
		if s.A[bnNewMean+i] == prog.None {
			continue
		}
		running, old := w.F32(s.A[bnNewMean+i], c), w.F32(s.A[bnMean+i], c)
		for k := lo; k < hi; k++ {
			running[k] = float32(keep*old[k]) + float32((1-keep)*batch[k])
		}
	}
}

func runBatchNormScale(w *prog.Worker, s *prog.Step, _ int) {
	c := int(s.N[1])
	simd.NormScale(w.F32(s.A[bnSaved], c), w.F32(s.A[bnFactor], c), w.F32(s.A[bnShift], c), w.F32(s.A[bnMean], c), w.F32(s.A[bnVar], c),
		w.F32(s.A[bnScale], c), w.F32(s.A[bnBias], c), s.F[0])
}

func runBatchNorm(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(n*c, 1, tile, int(s.Tiles))
	y, x := w.F32(s.A[bnY], n*c*hw), w.F32(s.A[bnX], n*c*hw)
	factor, shift := w.F32(s.A[bnFactor], c), w.F32(s.A[bnShift], c)
	for r := lo; r < hi; r++ {
		normRun(s, y[r*hw:(r+1)*hw], x[r*hw:(r+1)*hw], factor[r%c], shift[r%c])
	}
}

func lowerBatchNormGrad(b graph.Builder, n *graph.Node) bool {
	x := b.InShape(1)
	size := tensor.Size(x)
	if !allFloat32(b) || size >= 1<<31 || size == 0 {
		return false
	}
	s := batchNormStep(&kBatchNormGrad, x)
	s.A[bnDX], s.A[bnDScale], s.A[bnDBias] = orScratch(b, 0, size), orScratch(b, 1, x[1]), orScratch(b, 2, x[1])
	for i := range 5 {
		s.A[bnDY+i] = b.In(i)
	}
	s.Tiles = min(elemTiles(3*size), int32(x[1]))
	b.Emit(s)
	return true
}

func runBatchNormGrad(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(c, 1, tile, int(s.Tiles))
	if lo == hi {
		return
	}
	size := n * c * hw
	simd.BatchNormGradRange(w.F32(s.A[bnDX], size), w.F32(s.A[bnDScale], c), w.F32(s.A[bnDBias], c), w.F32(s.A[bnDY], size), w.F32(s.A[bnGX], size),
		w.F32(s.A[bnGSc], c), w.F32(s.A[bnGMean], c), w.F32(s.A[bnGInv], c), n, c, hw, lo, hi)
}
