package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Data movement is lowered by the width of an element, whatever its type: every mover describes itself as
// a [move] between strided blocks, and one of three kernels runs it: runs that are contiguous on both sides are copied, a dimension
// that is contiguous on one side and another one on the other make a matrix to transpose, and what is left goes element by element.

var (
	kMoveRuns      = prog.Kernel{Name: "MoveRuns", Run: runMoveRuns, Large: true}
	kMoveTranspose = prog.Kernel{Name: "MoveTranspose", Run: runMoveTranspose, Large: true}
	kMoveElems     = prog.Kernel{Name: "MoveElems", Run: runMoveElems, Large: true}
	kFill          = prog.Kernel{Name: "Fill", Run: runFill}
)

// moveRank is how many dimensions a step can carry.
const moveRank = 8

// moveTile is how many bytes are worth another worker.
const moveTile = 32 << 10

// moveTiles returns into how many tiles work over that many bytes is worth splitting, at most most.
func moveTiles(bytes, most int) int32 { return evenTiles(max(1, min(bytes/moveTile, most, 64))) }

// coalesce returns the move with dimensions of size 1 removed, dimensions merged that lie behind each
// other on both sides, and destination steps made positive.
func (m *move) coalesce() *move {
	k := len(m.dims)
	all := make([]int, 3*k)
	r := &move{dims: all[:0:k], ds: all[k : k : 2*k], ss: all[2*k : 2*k], d0: m.d0, s0: m.s0}
	for i, n := range m.dims {
		if n == 1 {
			continue
		}
		d, s := m.ds[i], m.ss[i]
		if d < 0 {
			r.d0 += (n - 1) * d
			r.s0 += (n - 1) * s
			d, s = -d, -s
		}
		if k := len(r.dims) - 1; k >= 0 && r.ds[k] == d*n && r.ss[k] == s*n {
			r.dims[k] *= n
			r.ds[k], r.ss[k] = d, s
			continue
		}
		r.dims, r.ds, r.ss = append(r.dims, n), append(r.ds, d), append(r.ss, s)
	}
	return r
}

// emitMove emits the move from the operand at src to that at dst. It returns false when the elements are not whole
// bytes or the move does not fit a step.
func emitMove(b graph.Builder, dst, src prog.Ref, d tensor.DType, m *move) bool {
	width := d.Bits() / 8
	if d.Bits() < 8 {
		return false
	}
	for _, n := range m.dims {
		if n == 0 {
			return true
		}
	}
	r := m.coalesce()
	if width == 16 { // complex128 as pairs of 8 bytes
		for i := range r.dims {
			r.ds[i] *= 2
			r.ss[i] *= 2
		}
		r.dims, r.ds, r.ss = append(r.dims, 2), append(r.ds, 1), append(r.ss, 1)
		r.d0, r.s0, width = 2*r.d0, 2*r.s0, 8
		r = r.coalesce()
	}
	k := len(r.dims)
	if k == 0 {
		r.dims, r.ds, r.ss, k = []int{1}, []int{1}, []int{1}, 1
	}
	if k > moveRank || r.s0 > math.MaxInt32 {
		return false
	}
	st := prog.Step{Kernel: &kMoveElems, Tiles: 1}
	if r.ds[k-1] == 1 && r.ss[k-1] == 1 {
		st.Kernel = &kMoveRuns
		if k == 1 && r.dims[0] >= 2*moveTile { // one long run: split it, so that there are tiles
			parts := 16
			for r.dims[0]%parts != 0 {
				parts--
			}
			n := r.dims[0] / parts
			r.dims, r.ds, r.ss = []int{parts, n}, []int{n, 1}, []int{n, 1}
			k = 2
		}
	}
	st.A[0], st.A[1] = dst.Add(r.d0*width), src
	st.N[0], st.N[1], st.N[2] = int32(k), int32(width), int32(r.s0)
	if st.Kernel == &kMoveElems && r.transposes() {
		st.Kernel = &kMoveTranspose
	}
	bytes, outer := width, 1
	for i := range k {
		if r.dims[i] > math.MaxInt32 || r.ds[i] > math.MaxInt32 || r.ss[i] > math.MaxInt32 || r.ss[i] < -math.MaxInt32 {
			return false
		}
		st.N[4+i], st.N[12+i], st.N[20+i] = int32(r.dims[i]), int32(r.ss[i]), int32(r.ds[i])
		bytes *= r.dims[i]
		if i < k-1 {
			outer *= r.dims[i]
		}
	}
	if st.Kernel == &kMoveTranspose {
		outer = outer / r.dims[k-2] * strips(r.dims[k-2])
	}
	st.Tiles = moveTiles(bytes, outer)
	b.Emit(st)
	return true
}

// transposes reports whether the last dimension is contiguous in the destination and another one in the source; it puts that one
// before the last.
func (m *move) transposes() bool {
	k := len(m.dims) - 1
	if k < 1 || m.ds[k] != 1 || m.ss[k] <= 0 {
		return false
	}
	for i := range k {
		if m.ss[i] == 1 && m.ds[i] > 0 {
			for _, v := range [][]int{m.dims, m.ds, m.ss} {
				c := v[i]
				copy(v[i:], v[i+1:k])
				v[k-1] = c
			}
			return true
		}
	}
	return false
}

// moveStrip is how many columns of a matrix are transposed together: tiles meet there.
const moveStrip = 64

func strips(cols int) int { return (cols + moveStrip - 1) / moveStrip }

// moveStep walks the outer dimensions of a move: pos is the index, d and s the element offsets.
type moveStep struct {
	k, width int
	dims     [moveRank]int
	ss, ds   [moveRank]int
	index    [moveRank]int
	d, s     int
	dst, src []byte
}

// start reads the step, takes the operands and goes to outer position lo.
func (m *moveStep) start(w *prog.Worker, st *prog.Step, lo int) {
	m.k, m.width, m.s = int(st.N[0]), int(st.N[1]), int(st.N[2])
	dLen, sLen := 1, m.s+1
	for i := range m.k {
		m.dims[i], m.ss[i], m.ds[i] = int(st.N[4+i]), int(st.N[12+i]), int(st.N[20+i])
		dLen += (m.dims[i] - 1) * m.ds[i]
		sLen += max((m.dims[i]-1)*m.ss[i], 0)
	}
	m.dst, m.src = w.Bytes(st.A[0], dLen*m.width), w.Bytes(st.A[1], sLen*m.width)
	m.seek(m.k-1, lo)
}

// seek goes to position at of the first rank dimensions.
func (m *moveStep) seek(rank, at int) {
	for i := rank - 1; i >= 0; i-- {
		m.index[i] = at % m.dims[i]
		at /= m.dims[i]
		m.d += m.index[i] * m.ds[i]
		m.s += m.index[i] * m.ss[i]
	}
}

// advance goes to the next outer position.
func (m *moveStep) advance() { m.step(m.k - 1) }

// skip goes n outer positions further, none of them beyond the end of the dimension before the last.
func (m *moveStep) skip(n int) {
	i := m.k - 2
	m.index[i] += n - 1
	m.d += (n - 1) * m.ds[i]
	m.s += (n - 1) * m.ss[i]
	m.advance()
}

// step goes to the next position of the first rank dimensions.
func (m *moveStep) step(rank int) {
	for i := rank - 1; i >= 0; i-- {
		m.index[i]++
		m.d += m.ds[i]
		m.s += m.ss[i]
		if m.index[i] < m.dims[i] {
			return
		}
		m.d -= m.index[i] * m.ds[i]
		m.s -= m.index[i] * m.ss[i]
		m.index[i] = 0
	}
}

// outer returns how many positions the dimensions but the last have.
func outerOf(st *prog.Step) int {
	n := 1
	for i := range int(st.N[0]) - 1 {
		n *= int(st.N[4+i])
	}
	return n
}

// runMoveRuns copies contiguous runs along the last dimension.
func runMoveRuns(w *prog.Worker, st *prog.Step, tile int) {
	lo, hi := prog.Span(outerOf(st), 1, tile, int(st.Tiles))
	var m moveStep
	m.start(w, st, lo)
	run := m.dims[m.k-1] * m.width
	if run <= shortRun && m.width == 4 && m.k > 1 { // a call of memmove costs more than a few elements
		dst, src, n := tensor.Cast[uint32](m.dst), tensor.Cast[uint32](m.src), m.dims[m.k-1]
		for left := hi - lo; left > 0; {
			rows := min(left, m.dims[m.k-2]-m.index[m.k-2])
			d, s := m.d, m.s
			for range rows {
				a, b := dst[d:d+n], src[s:s+n]
				for i, v := range b {
					a[i] = v
				}
				d += m.ds[m.k-2]
				s += m.ss[m.k-2]
			}
			m.skip(rows)
			left -= rows
		}
		return
	}
	if m.k == 1 {
		copy(m.dst[m.d*m.width:][:run], m.src[m.s*m.width:][:run])
		return
	}
	for left := hi - lo; left > 0; {
		rows := min(left, m.dims[m.k-2]-m.index[m.k-2])
		d, s, dd, ds := m.d*m.width, m.s*m.width, m.ds[m.k-2]*m.width, m.ss[m.k-2]*m.width
		for range rows {
			copy(m.dst[d:d+run], m.src[s:s+run])
			d += dd
			s += ds
		}
		m.skip(rows)
		left -= rows
	}
}

// shortRun is the most bytes of a run that is copied in a loop.
const shortRun = 32

// runMoveTranspose transposes the matrices of the last two dimensions, strips of columns as tiles.
func runMoveTranspose(w *prog.Worker, st *prog.Step, tile int) {
	k := int(st.N[0])
	cols, rows := int(st.N[4+k-2]), int(st.N[4+k-1])
	per := strips(cols)
	lo, hi := prog.Span(outerOf(st)/cols*per, 1, tile, int(st.Tiles))
	if lo == hi {
		return
	}
	var m moveStep
	m.start(w, st, 0)
	m.seek(k-2, lo/per)
	ldx, ldd := m.ss[k-1], m.ds[k-2]
	for p := lo; p < hi; {
		j := p % per * moveStrip
		n := min(cols-j, (hi-p)*moveStrip)
		transposeMove(&m, m.s+j, m.d+j*ldd, rows, n, ldx, ldd)
		p += strips(n)
		m.step(k - 2)
	}
}

func transposeMove(m *moveStep, s, d, rows, cols, ldx, ldd int) {
	switch m.width {
	case 1:
		simd.TransposeAny(m.dst[d:], m.src[s:], rows, cols, ldx, ldd)
	case 2:
		simd.TransposeAny(tensor.Cast[uint16](m.dst[2*d:]), tensor.Cast[uint16](m.src[2*s:]), rows, cols, ldx, ldd)
	case 4:
		simd.Transpose(tensor.Cast[float32](m.dst[4*d:]), tensor.Cast[float32](m.src[4*s:]), rows, cols, ldx, ldd)
	default:
		simd.TransposeAny(tensor.Cast[uint64](m.dst[8*d:]), tensor.Cast[uint64](m.src[8*s:]), rows, cols, ldx, ldd)
	}
}

// runMoveElems copies one element at a time along the last dimension.
func runMoveElems(w *prog.Worker, st *prog.Step, tile int) {
	lo, hi := prog.Span(outerOf(st), 1, tile, int(st.Tiles))
	var m moveStep
	m.start(w, st, lo)
	switch m.width {
	case 1:
		moveElems(&m, m.dst, m.src, hi-lo)
	case 2:
		moveElems(&m, tensor.Cast[uint16](m.dst), tensor.Cast[uint16](m.src), hi-lo)
	case 4:
		moveElems(&m, tensor.Cast[uint32](m.dst), tensor.Cast[uint32](m.src), hi-lo)
	default:
		moveElems(&m, tensor.Cast[uint64](m.dst), tensor.Cast[uint64](m.src), hi-lo)
	}
}

func moveElems[T uint8 | uint16 | uint32 | uint64](m *moveStep, dst, src []T, outer int) {
	k := m.k - 1
	n, ds, ss := m.dims[k], m.ds[k], m.ss[k]
	for range outer {
		d, s := m.d, m.s
		switch {
		case ss == 0 && ds == 1:
			v, row := src[s], dst[d:d+n]
			for i := range row {
				row[i] = v
			}
		case ds == 1:
			row := dst[d : d+n]
			for i := range row {
				row[i] = src[s]
				s += ss
			}
		default:
			for range n {
				dst[d] = src[s]
				d += ds
				s += ss
			}
		}
		m.advance()
	}
}

// emitFill emits filling n elements of the given width with the element at value, or with zero bytes for None.
func emitFill(b graph.Builder, dst, value prog.Ref, width, n int) {
	bytes := width * n
	if bytes == 0 {
		return
	}
	st := prog.Step{Kernel: &kFill, Tiles: moveTiles(bytes, n)}
	st.A[0], st.A[1] = dst, value
	st.N[0], st.N[1], st.N[2] = int32(width), int32(n>>30), int32(n&(1<<30-1))
	b.Emit(st)
}

func runFill(w *prog.Worker, st *prog.Step, tile int) {
	width := int(st.N[0])
	lo, hi := prog.Span(int(st.N[1])<<30|int(st.N[2]), 64, tile, int(st.Tiles))
	if lo == hi {
		return
	}
	dst := w.Bytes(st.A[0].Add(lo*width), (hi-lo)*width)
	v := w.Bytes(st.A[1], width)
	if v == nil {
		clear(dst)
		return
	}
	// Doubling copies: each copies what is filled already.
	for n := copy(dst, v); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
}
