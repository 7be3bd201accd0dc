package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var (
	kConvPack          = prog.Kernel{Name: "ConvPack", Run: runConvPack}
	kConv              = prog.Kernel{Name: "Conv", Run: runConv}
	kConvGradInputPack = prog.Kernel{Name: "ConvGradInputPack", Run: runConvGradInputPack}
	kConvGradInput     = prog.Kernel{Name: "ConvGradInput", Run: runConvGradInput}
	kConvGradWeight    = prog.Kernel{Name: "ConvGradWeight", Run: runConvGradWeight}
	kAddChannels       = prog.Kernel{Name: "AddChannels", Run: runAddChannels}
)

// convShape returns the kernels' description of a convolution with the given geometry, false for
// more than two spatial dimensions or sizes that do not fit a step.
func convShape(win *window, x, w []int, group int) (s simd.ConvShape, ok bool) {
	switch len(win.in) {
	case 1:
		s = simd.ConvShape{H: 1, KH: 1, OH: 1, SH: 1, DH: 1,
			W: win.in[0], KW: win.kernel[0], OW: win.out[0], SW: win.stride[0], DW: win.dilation[0], PL: win.begin[0], PR: win.end[0]}
	case 2:
		s = simd.ConvShape{
			H: win.in[0], KH: win.kernel[0], OH: win.out[0], SH: win.stride[0], DH: win.dilation[0], PT: win.begin[0], PB: win.end[0],
			W: win.in[1], KW: win.kernel[1], OW: win.out[1], SW: win.stride[1], DW: win.dilation[1], PL: win.begin[1], PR: win.end[1]}
	default:
		return s, false
	}
	s.N, s.C, s.M, s.Groups = x[0], x[1], w[0], group
	const most = 1<<31 - 1
	return s, s.N*s.C*s.H*s.W <= most && s.N*s.M*s.OH*s.OW <= most && len(x) == len(w)
}

// empty reports whether any operand of the convolution has no elements.
func emptyConv(s *simd.ConvShape) bool {
	return s.N == 0 || s.C == 0 || s.M == 0 || s.OH*s.OW == 0 || s.H*s.W == 0
}

// convStep returns a step that carries the shape in N[0:18], the layouts in N[19].
func convStep(k *prog.Kernel, s *simd.ConvShape) prog.Step {
	st := prog.Step{Kernel: k, Tiles: 1}
	for i, v := range [...]int{s.N, s.C, s.H, s.W, s.M, s.KH, s.KW, s.OH, s.OW, s.SH, s.SW, s.DH, s.DW, s.PT, s.PL, s.PB, s.PR, s.Groups} {
		st.N[i] = int32(v)
	}
	if s.XLast {
		st.N[19] |= 1
	}
	if s.YLast {
		st.N[19] |= 2
	}
	return st
}

func stepConv(st *prog.Step) simd.ConvShape {
	n := &st.N
	return simd.ConvShape{XLast: n[19]&1 != 0, YLast: n[19]&2 != 0, N: int(n[0]), C: int(n[1]), H: int(n[2]), W: int(n[3]), M: int(n[4]), KH: int(n[5]), KW: int(n[6]), OH: int(n[7]), OW: int(n[8]),
		SH: int(n[9]), SW: int(n[10]), DH: int(n[11]), DW: int(n[12]), PT: int(n[13]), PL: int(n[14]), PB: int(n[15]), PR: int(n[16]), Groups: int(n[17])}
}

func convXLen(s *simd.ConvShape) int { return s.N * s.C * s.H * s.W }
func convWLen(s *simd.ConvShape) int { return s.M * (s.C / s.Groups) * s.KH * s.KW }
func convYLen(s *simd.ConvShape) int { return s.N * s.M * s.OH * s.OW }

func lowerConv(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	win, _, _ := checkConv(n, b.InShape(0), b.InShape(1), failOf(n))
	s, ok := convShape(win, b.InShape(0), b.InShape(1), n.Int("group"))
	if !ok || emptyConv(&s) {
		return false
	}
	emitConv(b, &s, b.Out(0), b.In(0), 1, optional(b, 2), prog.None, b.Epilogue())
	return true
}

// optional returns the address of input i, None when the node has no such input.
func optional(b graph.Builder, i int) prog.Ref {
	if i < b.NumIn() {
		return b.In(i)
	}
	return prog.None
}

// emitConv emits y = act(conv(x, input w) + bias + res).
func emitConv(b graph.Builder, s *simd.ConvShape, y, x prog.Ref, w int, bias, res prog.Ref, act graph.Act) {
	packed := b.Pack(w, 4*simd.ConvPackSize(s), convStep(&kConvPack, s))
	st := convStep(&kConv, s)
	st.Tiles, st.Worker = int32(simd.ConvForwardTiles(s, b.Threads())), int32(4*simd.ConvForwardScratch(s))
	st.A[0], st.A[1], st.A[2], st.A[3], st.A[4] = y, x, packed, bias, res
	st.N[18], st.F[0], st.F[1] = int32(act.Code), act.Lo, act.Hi
	b.Emit(st)
}

func lowerConvGradInput(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	win, _, _ := checkConv(n, b.InShape(2), b.InShape(1), failOf(n))
	s, ok := convShape(win, b.InShape(2), b.InShape(1), n.Int("group"))
	if !ok || emptyConv(&s) {
		return false
	}
	emitConvGradInput(b, &s, b.In(0), 1)
	return true
}

// emitConvGradInput emits output 0 = the input gradient of the convolution with input w, given the output gradient dy.
func emitConvGradInput(b graph.Builder, s *simd.ConvShape, dy prog.Ref, w int) {
	packed := b.Pack(w, 4*simd.ConvGradInputPackSize(s), convStep(&kConvGradInputPack, s))
	st := convStep(&kConvGradInput, s)
	st.Tiles, st.Worker = int32(simd.ConvGradInputTiles(s, b.Threads())), int32(4*simd.ConvGradInputScratch(s))
	st.A[0], st.A[1], st.A[2] = b.Out(0), dy, packed
	b.Emit(st)
}

func lowerConvGradWeight(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	win, _, _ := checkConv(n, b.InShape(0), b.InShape(2), failOf(n))
	s, ok := convShape(win, b.InShape(0), b.InShape(2), n.Int("group"))
	if !ok || emptyConv(&s) {
		return false
	}
	emitConvGradWeight(b, &s, b.In(0), b.In(1))
	return true
}

func emitConvGradWeight(b graph.Builder, s *simd.ConvShape, x, dy prog.Ref) {
	st := convStep(&kConvGradWeight, s)
	st.Tiles, st.Worker = int32(simd.ConvGradWeightTiles(s, b.Threads())), int32(4*simd.ConvGradWeightScratch(s))
	st.A[0], st.A[1], st.A[2] = b.Out(0), x, dy
	b.Emit(st)
}

func runConvPack(w *prog.Worker, st *prog.Step, tile int) {
	s := stepConv(st)
	simd.ConvPack(&s, w.F32(st.A[0], simd.ConvPackSize(&s)), w.F32(st.A[1], convWLen(&s)))
}

func runConv(w *prog.Worker, st *prog.Step, tile int) {
	s := stepConv(st)
	simd.ConvForward(&s, w.F32(st.A[1], convXLen(&s)), w.F32(st.A[2], simd.ConvPackSize(&s)), w.F32(st.A[3], s.M), w.F32(st.A[4], convYLen(&s)), w.F32(st.A[0], convYLen(&s)),
		simd.Act(st.N[18]), st.F[0], st.F[1], tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}

func runConvGradInputPack(w *prog.Worker, st *prog.Step, tile int) {
	s := stepConv(st)
	simd.ConvGradInputPack(&s, w.F32(st.A[0], simd.ConvGradInputPackSize(&s)), w.F32(st.A[1], convWLen(&s)))
}

func runConvGradInput(w *prog.Worker, st *prog.Step, tile int) {
	s := stepConv(st)
	simd.ConvGradInput(&s, w.F32(st.A[1], convYLen(&s)), w.F32(st.A[2], simd.ConvGradInputPackSize(&s)), w.F32(st.A[0], convXLen(&s)),
		tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}

func runConvGradWeight(w *prog.Worker, st *prog.Step, tile int) {
	s := stepConv(st)
	simd.ConvGradWeight(&s, w.F32(st.A[1], convXLen(&s)), w.F32(st.A[2], convYLen(&s)), w.F32(st.A[0], convWLen(&s)),
		tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}

// runAddChannels adds bias A[1] of N[1] channels to A[0], which is [N[0], N[1], N[2]], in place.
func runAddChannels(w *prog.Worker, st *prog.Step, tile int) {
	c, plane := int(st.N[1]), int(st.N[2])
	y, bias := w.F32(st.A[0], int(st.N[0])*c*plane), w.F32(st.A[1], c)
	lo, hi := prog.Span(int(st.N[0])*c, 1, tile, int(st.Tiles))
	for p := lo; p < hi; p++ {
		row, v := y[p*plane:p*plane+plane], bias[p%c]
		for i := range row {
			row[i] += v
		}
	}
}
