package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of root mean square normalisation: N = {rows, n}, F = {epsilon}, as those of layer normalisation. Of group normalisation:
// N = {n, c, hw, groups}, F = {epsilon}; a tile takes some of the n*groups groups, and the gradients of scale and bias are added up over the
// samples afterwards.
var (
	kRMSNorm         = prog.Kernel{Name: "RMSNorm", Run: runRMSNorm}
	kRMSNormGrad     = prog.Kernel{Name: "RMSNormGrad", Run: runRMSNormGrad}
	kGroupNorm       = prog.Kernel{Name: "GroupNorm", Run: runGroupNorm}
	kGroupNormGrad   = prog.Kernel{Name: "GroupNormGrad", Run: runGroupNormGrad}
	kGroupNormParams = prog.Kernel{Name: "GroupNormParams", Run: runGroupNormParams}
)

func lowerRMSNorm(b graph.Builder, n *graph.Node) bool {
	s, ok := layerNormStep(b, n, &kRMSNorm, b.InShape(0), b.InShape(1))
	if !ok {
		return false
	}
	s.A[0], s.A[1], s.A[2], s.A[3] = b.Out(0), b.In(0), b.In(1), b.Scratch(4*int(s.N[0]))
	b.Emit(s)
	return true
}

func runRMSNorm(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles))
	simd.RMSNorm(w.F32(s.A[0], rows*n)[lo*n:hi*n], w.F32(s.A[3], rows)[lo:hi], w.F32(s.A[1], rows*n)[lo*n:hi*n], w.F32(s.A[2], n), hi-lo, n, s.F[0])
}

func lowerRMSNormGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := layerNormStep(b, n, &kRMSNormGrad, b.InShape(1), b.InShape(2))
	if !ok {
		return false
	}
	rows, cols := int(s.N[0]), int(s.N[1])
	s.A[ngDX], s.A[ngInv] = orScratch(b, 0, rows*cols), b.Scratch(4*rows)
	for i := range 3 {
		s.A[ngDY+i] = b.In(i)
	}
	emitNormGrad(b, s, 1)
	return true
}

func runRMSNormGrad(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	slices := (rows + normSlice - 1) / normSlice
	from, to := prog.Span(slices, 1, tile, int(s.Tiles))
	dgamma, gamma := w.F32(s.A[ngScale], slices*n), w.F32(s.A[ngGamma], n)
	for i := from; i < to; i++ {
		lo, hi := i*normSlice, min((i+1)*normSlice, rows)
		dy, x, inv := w.F32(s.A[ngDY], rows*n)[lo*n:hi*n], w.F32(s.A[ngX], rows*n)[lo*n:hi*n], w.F32(s.A[ngInv], rows)[lo:hi]
		simd.RMSNormGrad(w.F32(s.A[ngDX], rows*n)[lo*n:hi*n], inv, dy, x, gamma, hi-lo, n, s.F[0])
		if dgamma != nil {
			simd.RMSNormParamGrad(dgamma[i*n:(i+1)*n], dy, x, inv, hi-lo, n)
		}
	}
}

// groupNormStep describes x[N,C,D...] in groups, 0 meaning one channel each.
func groupNormStep(b graph.Builder, k *prog.Kernel, x []int, groups int, eps float32) (s prog.Step, ok bool) {
	size := tensor.Size(x)
	if !allFloat32(b) || size == 0 || size >= 1<<31 {
		return s, false
	}
	if groups == 0 {
		groups = x[1]
	}
	s = batchNormStep(k, x)
	s.N[3], s.F[0] = int32(groups), eps
	s.Tiles = min(elemTiles(2*size), int32(x[0]*groups))
	s.Worker = int32(8 * x[1] / groups)
	return s, true
}

func lowerGroupNorm(b graph.Builder, n *graph.Node) bool {
	s, ok := groupNormStep(b, &kGroupNorm, b.InShape(0), groupsOf(n), n.Float("epsilon"))
	if !ok {
		return false
	}
	s.A[0], s.A[1], s.A[2], s.A[3] = b.Out(0), b.In(0), b.In(1), b.In(2)
	b.Emit(s)
	return true
}

func runGroupNorm(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw, groups := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3])
	lo, hi := prog.Span(n*groups, 1, tile, int(s.Tiles))
	k := c / groups
	y, x, gamma, beta, t := w.F32(s.A[0], n*c*hw), w.F32(s.A[1], n*c*hw), w.F32(s.A[2], c), w.F32(s.A[3], c), w.ScratchF32(2*k)
	for r := lo; r < hi; r++ {
		at, ch := r*k*hw, r%groups*k
		simd.GroupNorm(y[at:at+k*hw], x[at:at+k*hw], gamma[ch:ch+k], beta[ch:ch+k], t[:k], t[k:], k, hw, s.F[0])
	}
}

func lowerGroupNormGrad(b graph.Builder, n *graph.Node) bool {
	x := b.InShape(1)
	s, ok := groupNormStep(b, &kGroupNormGrad, x, n.Int("num_groups"), n.Float("epsilon"))
	if !ok {
		return false
	}
	size, c := tensor.Size(x), x[1]
	s.A[0], s.A[4], s.A[5] = orScratch(b, 0, size), b.Scratch(4*x[0]*c), b.Scratch(4*x[0]*c)
	for i := range 3 {
		s.A[1+i] = b.In(i)
	}
	b.Emit(s)
	if b.NumOut() > 1 {
		s.Kernel, s.A[0], s.A[1], s.Tiles, s.Worker = &kGroupNormParams, orScratch(b, 1, c), orScratch(b, 2, c), 1, 0
		b.Emit(s)
	}
	return true
}

func runGroupNormGrad(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw, groups := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3])
	lo, hi := prog.Span(n*groups, 1, tile, int(s.Tiles))
	k := c / groups
	dx, dy, x, gamma := w.F32(s.A[0], n*c*hw), w.F32(s.A[1], n*c*hw), w.F32(s.A[2], n*c*hw), w.F32(s.A[3], c)
	dgamma, dbeta, t := w.F32(s.A[4], n*c), w.F32(s.A[5], n*c), w.ScratchF32(k)
	for r := lo; r < hi; r++ {
		at, ch, part := r*k*hw, r%groups*k, r*k
		simd.GroupNormGrad(dx[at:at+k*hw], dgamma[part:part+k], dbeta[part:part+k], dy[at:at+k*hw], x[at:at+k*hw], gamma[ch:ch+k], t, k, hw, s.F[0])
	}
}

// runGroupNormParams adds up the samples' parts of the gradients of scale and bias.
func runGroupNormParams(w *prog.Worker, s *prog.Step, tile int) {
	n, c := int(s.N[0]), int(s.N[1])
	simd.ReduceOuter(simd.Sum, w.F32(s.A[0], c), w.F32(s.A[4], n*c), n, c)
	simd.ReduceOuter(simd.Sum, w.F32(s.A[1], c), w.F32(s.A[5], n*c), n, c)
}
