package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var (
	kMaxPool         = prog.Kernel{Name: "MaxPool", Run: runMaxPool}
	kMaxPoolGrad     = prog.Kernel{Name: "MaxPoolGrad", Run: runMaxPoolGrad}
	kAveragePool     = prog.Kernel{Name: "AveragePool", Run: runAveragePool}
	kAveragePoolGrad = prog.Kernel{Name: "AveragePoolGrad", Run: runAveragePoolGrad}
)

// poolTile is how many elements of x are worth another worker.
const poolTile = 8 << 10

// poolStep returns a step that carries the geometry in N[0:15] and whether averages count padding in N[15], false for more than two spatial dimensions.
func poolStep(k *prog.Kernel, n *graph.Node, x []int) (st prog.Step, ok bool) {
	win, y := checkPool(n, x, failOf(n))
	st = prog.Step{Kernel: k}
	s := simd.PoolShape{Planes: x[0] * x[1]}
	switch len(win.in) {
	case 1:
		s.H, s.KH, s.OH, s.SH, s.DH = 1, 1, 1, 1, 1
		s.W, s.KW, s.OW, s.SW, s.DW, s.PL, s.PR = win.in[0], win.kernel[0], win.out[0], win.stride[0], win.dilation[0], win.begin[0], win.end[0]
	case 2:
		s.H, s.KH, s.OH, s.SH, s.DH, s.PT, s.PB = win.in[0], win.kernel[0], win.out[0], win.stride[0], win.dilation[0], win.begin[0], win.end[0]
		s.W, s.KW, s.OW, s.SW, s.DW, s.PL, s.PR = win.in[1], win.kernel[1], win.out[1], win.stride[1], win.dilation[1], win.begin[1], win.end[1]
	default:
		return st, false
	}
	size := s.Planes * s.H * s.W
	if size > 1<<31-1 || tensor.Size(y) == 0 || size == 0 {
		return st, false
	}
	for i, v := range [...]int{s.Planes, s.H, s.W, s.KH, s.KW, s.OH, s.OW, s.SH, s.SW, s.DH, s.DW, s.PT, s.PL, s.PB, s.PR} {
		st.N[i] = int32(v)
	}
	st.N[15] = int32(n.Int("count_include_pad"))
	st.Tiles = int32(max(1, min(size/poolTile, s.Planes, 64)))
	if n := simd.PoolScratch(&s); n < 1<<28 {
		st.Worker = int32(4 * n)
	}
	return st, true
}

func stepPool(st *prog.Step) (s simd.PoolShape, x, y int) {
	n := &st.N
	s = simd.PoolShape{Planes: int(n[0]), H: int(n[1]), W: int(n[2]), KH: int(n[3]), KW: int(n[4]), OH: int(n[5]), OW: int(n[6]),
		SH: int(n[7]), SW: int(n[8]), DH: int(n[9]), DW: int(n[10]), PT: int(n[11]), PL: int(n[12]), PB: int(n[13]), PR: int(n[14])}
	return s, s.Planes * s.H * s.W, s.Planes * s.OH * s.OW
}

func lowerMaxPool(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 || (b.NumOut() > 1 && b.Out(1) != prog.None) {
		return false // Indices are for the reference
	}
	st, ok := poolStep(&kMaxPool, n, b.InShape(0))
	if ok {
		st.A[0], st.A[1] = b.Out(0), b.In(0)
		b.Emit(st)
	}
	return ok
}

func lowerMaxPoolGrad(b graph.Builder, n *graph.Node) bool     { return emitMaxPoolGrad(b, n, false) }
func lowerMaxPoolReluGrad(b graph.Builder, n *graph.Node) bool { return emitMaxPoolGrad(b, n, true) }

func emitMaxPoolGrad(b graph.Builder, n *graph.Node, relu bool) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st, ok := poolStep(&kMaxPoolGrad, n, b.InShape(1))
	if ok {
		if relu {
			st.N[15] = 1
		}
		st.A[0], st.A[1], st.A[2] = b.Out(0), b.In(0), b.In(1)
		b.Emit(st)
	}
	return ok
}

func lowerAveragePool(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st, ok := poolStep(&kAveragePool, n, b.InShape(0))
	if ok {
		st.A[0], st.A[1] = b.Out(0), b.In(0)
		b.Emit(st)
	}
	return ok
}

func lowerAveragePoolGrad(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st, ok := poolStep(&kAveragePoolGrad, n, b.InShape(1))
	if ok {
		st.A[0], st.A[1] = b.Out(0), b.In(0)
		b.Emit(st)
	}
	return ok
}

func runMaxPool(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	from, to := prog.Span(s.Planes, 1, tile, int(st.Tiles))
	simd.MaxPool2D(&s, w.F32(st.A[0], y), nil, w.F32(st.A[1], x), from, to, w.ScratchF32(int(st.Worker)/4))
}

func runMaxPoolGrad(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	from, to := prog.Span(s.Planes, 1, tile, int(st.Tiles))
	simd.MaxPool2DGrad(&s, w.F32(st.A[0], x), w.F32(st.A[1], y), w.F32(st.A[2], x), st.N[15] != 0, from, to, w.ScratchF32(int(st.Worker)/4))
}

func runAveragePool(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	from, to := prog.Span(s.Planes, 1, tile, int(st.Tiles))
	simd.AvgPool2D(&s, w.F32(st.A[0], y), w.F32(st.A[1], x), st.N[15] != 0, from, to, w.ScratchF32(int(st.Worker)/4))
}

func runAveragePoolGrad(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	from, to := prog.Span(s.Planes, 1, tile, int(st.Tiles))
	simd.AvgPool2DGrad(&s, w.F32(st.A[0], x), w.F32(st.A[1], y), st.N[15] != 0, from, to, w.ScratchF32(int(st.Worker)/4))
}
