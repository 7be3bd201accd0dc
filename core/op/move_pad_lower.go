package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

var (
	kPadMap  = prog.Kernel{Name: "PadMap", Run: runPadMap}
	kPadGrad = prog.Kernel{Name: "PadGrad", Run: runPadGrad}
)

// interior returns the move from x to the part of y that shows x, as constant mode has it.
func (p *padPlan) interior(x, y []int) *move {
	m, sx, sy := &move{}, tensor.Strides(x), tensor.Strides(y)
	for i, d := range x {
		lo, hi := max(0, -p.begin[i]), d-max(0, -p.end[i])
		m.dims = append(m.dims, max(hi-lo, 0))
		m.s0 += lo * sx[i]
		m.d0 += (lo + p.begin[i]) * sy[i]
	}
	m.ss, m.ds = sx, sy
	return m
}

// mapStep carries the geometry of a padding that repeats elements.
func (p *padPlan) mapStep(k *prog.Kernel, x, y []int, width int) (st prog.Step, ok bool) {
	st = prog.Step{Kernel: k, Tiles: 1}
	if len(x) > moveRank || tensor.Size(y) > math.MaxInt32 || tensor.Size(x) > math.MaxInt32 {
		return st, false
	}
	st.N[0], st.N[1], st.N[2] = int32(len(x)), int32(width), int32(p.mode)
	for i := range x {
		st.N[4+i], st.N[12+i], st.N[20+i] = int32(y[i]), int32(x[i]), int32(p.begin[i])
	}
	return st, true
}

func lowerPad(b graph.Builder, n *graph.Node) bool {
	pads, k1 := hostInts(b, 1)
	axes, k2 := hostInts(b, 3)
	d := b.OutType(0)
	if !k1 || !k2 || d.Bits() < 8 {
		return false
	}
	x, y, width := b.InShape(0), b.OutShape(0), d.Bits()/8
	p := planPad(n, x, pads, axes, failOf(n))
	if p.mode == padConstant {
		emitFill(b, b.Out(0), optional(b, 2), width, tensor.Size(y))
		return emitMove(b, b.Out(0), b.In(0), d, p.interior(x, y))
	}
	if tensor.Size(y) == 0 {
		return true
	}
	st, ok := p.mapStep(&kPadMap, x, y, width)
	if !ok {
		return false
	}
	st.A[0], st.A[1] = b.Out(0), b.In(0)
	b.Emit(st)
	return true
}

func lowerPadGrad(b graph.Builder, n *graph.Node) bool {
	pads, k1 := hostInts(b, 2)
	axes, k2 := hostInts(b, 3)
	if !k1 || !k2 || b.OutType(0) != tensor.Float32 {
		return false
	}
	x, y := b.OutShape(0), b.InShape(0)
	p := planPad(n, x, pads, axes, failOf(n))
	st, ok := p.mapStep(&kPadGrad, x, y, 4)
	if !ok {
		return false
	}
	emitFill(b, b.Out(0), prog.None, 4, tensor.Size(x))
	if p.mode == padConstant {
		return emitMove(b, b.Out(0), b.In(0), tensor.Float32, p.interior(x, y).reversed())
	}
	if tensor.Size(y) > 0 && tensor.Size(x) > 0 {
		st.A[0], st.A[1] = b.Out(0), b.In(0)
		b.Emit(st)
	}
	return true
}

// padWalk walks the padded shape row by row; the last axis is left to the caller.
type padWalk struct {
	r, width       int
	mode           padMode
	y, x, begin    [moveRank]int
	index          [moveRank]int
	rows, row, col int // col: size of the last axis of y
}

func (p *padWalk) start(st *prog.Step) {
	p.r, p.width, p.mode = int(st.N[0]), int(st.N[1]), padMode(st.N[2])
	p.rows = 1
	for i := range p.r {
		p.y[i], p.x[i], p.begin[i] = int(st.N[4+i]), int(st.N[12+i]), int(st.N[20+i])
		if i < p.r-1 {
			p.rows *= p.y[i]
		}
	}
	p.col = p.y[p.r-1]
}

// source returns the element of x at which the current row's source starts.
func (p *padWalk) source() int {
	at := 0
	for i := range p.r - 1 {
		at = at*p.x[i] + padSource(p.mode, p.index[i]-p.begin[i], p.x[i])
	}
	return at * p.x[p.r-1]
}

func (p *padWalk) advance() { next(p.index[:p.r-1], p.y[:p.r-1]) }

// runPadMap writes the padded tensor row by row in modes that repeat elements.
func runPadMap(w *prog.Worker, st *prog.Step, tile int) {
	var p padWalk
	p.start(st)
	last, b := p.x[p.r-1], p.begin[p.r-1]
	xn := p.width
	for i := range p.r {
		xn *= p.x[i]
	}
	dst, src := w.Bytes(st.A[0], p.rows*p.col*p.width), w.Bytes(st.A[1], xn)
	lo, hi := max(b, 0), min(b+last, p.col) // what shows x directly
	for range p.rows {
		row, from := dst[:p.col*p.width], src[p.source()*p.width:]
		dst = dst[p.col*p.width:]
		if lo < hi {
			copy(row[lo*p.width:hi*p.width], from[(lo-b)*p.width:])
		}
		for i := 0; i < p.col; i++ {
			if i == lo && lo < hi {
				i = hi
				if i == p.col {
					break
				}
			}
			s := padSource(p.mode, i-b, last) * p.width
			copy(row[i*p.width:(i+1)*p.width], from[s:s+p.width])
		}
		p.advance()
	}
}

// runPadGrad adds every element of dy to the element of dx that it showed, in the order of dy.
func runPadGrad(w *prog.Worker, st *prog.Step, tile int) {
	var p padWalk
	p.start(st)
	last, b := p.x[p.r-1], p.begin[p.r-1]
	xn := 1
	for i := range p.r {
		xn *= p.x[i]
	}
	dx, dy := w.F32(st.A[0], xn), w.F32(st.A[1], p.rows*p.col)
	for range p.rows {
		row := dx[p.source():][:last]
		for i, v := range dy[:p.col] {
			row[padSource(p.mode, i-b, last)] += v
		}
		dy = dy[p.col:]
		p.advance()
	}
}
