package op

import (
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// The steps of the recurrent operators work on packed rows (see [rnnShape]): the order of the rows, the rows themselves gathered from X or Y, the
// products of all rows at once, the recurrent steps (rnn_lower.go, rnn_grad_lower.go), and the gradient of X scattered back.

// Flags in N of several steps.
const (
	rnnBatchFirst = 1 << iota
	rnnReverse
	rnnShift // rows hold the state before a step
	rnnHasLens
	rnnTransA
	rnnRowsM // the number of packed rows is M of the product
	rnnRowsK // it is K
	rnnLinear
	rnnRelu
	rnnPacked // B is packed
	rnnAcc
	rnnGeneral // cells of rnn_general.go
	rnnCoupled // the forget gate is 1 - i
)

// rnnTable is the order of the rows: perm[N], length[N] and off[T+1] of [rnnPack].
type rnnTable struct{ perm, length, off []int32 }

func rnnTableSize(T, N int) int { return 2*N + T + 1 }

func tableAt(w *prog.Worker, a prog.Ref, T, N int) rnnTable {
	t := w.I32(a, rnnTableSize(T, N))
	return rnnTable{t[:N], t[N : 2*N], t[2*N:]}
}

// active returns how many sequences have step s.
func (t *rnnTable) active(s int) int {
	if s+1 >= len(t.off) {
		return 0
	}
	return int(t.off[s+1] - t.off[s])
}

// time returns the time of step s of the p-th longest sequence.
func (t *rnnTable) time(s, p int, reverse bool) int {
	if reverse {
		return int(t.length[p]) - 1 - s
	}
	return s
}

var (
	kRNNOrder    = prog.Kernel{Name: "RNNOrder", Run: runRNNOrder}
	kRNNRows     = prog.Kernel{Name: "RNNRows", Run: runRNNRows}
	kRNNUnrows   = prog.Kernel{Name: "RNNUnrows", Run: runRNNUnrows}
	kRNNBias     = prog.Kernel{Name: "RNNBias", Run: runRNNBias}
	kRNNBiasGrad = prog.Kernel{Name: "RNNBiasGrad", Run: runRNNBiasGrad}
	kRNNPack     = prog.Kernel{Name: "RNNPack", Run: runRNNPack}
	kRNNGemm     = prog.Kernel{Name: "RNNGemm", Run: runRNNGemm}
)

// runRNNOrder: A = {table, sequence_lens}; N = {T, N}.
func runRNNOrder(w *prog.Worker, s *prog.Step, _ int) {
	T, n := int(s.N[0]), int(s.N[1])
	t := tableAt(w, s.A[0], T, n)
	if !rnnPack(t.perm, t.length, t.off, w.I32(s.A[1], n), T) {
		tensor.Fail("sequence_lens", "a length is not of 0 to ", T, ", the number of steps")
	}
}

// placeOf returns the element of a tensor of sequences, with dirs groups of units features, where step t of sequence n starts.
func placeOf(f int32, t, n, dir, T, N, dirs, units int) int {
	if f&rnnBatchFirst != 0 {
		return ((n*T+t)*dirs + dir) * units
	}
	return ((t*dirs+dir)*N + n) * units
}

// stateOf is placeOf for states.
func stateOf(f int32, n, dir, N, dirs, units int) int {
	if f&rnnBatchFirst != 0 {
		return (n*dirs + dir) * units
	}
	return (dir*N + n) * units
}

// runRNNRows gathers packed rows: A = {rows, source, table, initial state}; N = {T, N, units, dir, dirs, flags}. With rnnShift row s holds the
// source's step before s, and that of step 0 the initial state, or zeros.
func runRNNRows(w *prog.Worker, st *prog.Step, tile int) {
	T, N, units, dir, dirs, f := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3]), int(st.N[4]), st.N[5]
	tab := tableAt(w, st.A[2], T, N)
	dst, src := w.F32(st.A[0], T*N*units), w.F32(st.A[1], T*N*dirs*units)
	shift := f&rnnShift != 0
	lo, hi := prog.Span(T, 1, tile, int(st.Tiles))
	for s := lo; s < hi; s++ {
		for p := range tab.active(s) {
			row := dst[(int(tab.off[s])+p)*units:][:units]
			n := int(tab.perm[p])
			switch {
			case !shift:
				copy(row, src[placeOf(f, tab.time(s, p, f&rnnReverse != 0), n, dir, T, N, dirs, units):])
			case s > 0:
				copy(row, src[placeOf(f, tab.time(s-1, p, f&rnnReverse != 0), n, dir, T, N, dirs, units):])
			case st.A[3] != prog.None:
				copy(row, w.F32(st.A[3], N*dirs*units)[stateOf(f, n, dir, N, dirs, units):])
			default:
				clear(row)
			}
		}
	}
}

// runRNNUnrows adds up the directions' packed rows where they came from: A = {tensor, rows of direction 0, of direction 1, table}; N = {T, N, units, 0, 0, flags, flags
// of direction 1}. Steps beyond a length are zero.
func runRNNUnrows(w *prog.Worker, st *prog.Step, tile int) {
	T, N, units := int(st.N[0]), int(st.N[1]), int(st.N[2])
	tab := tableAt(w, st.A[3], T, N)
	dst := w.F32(st.A[0], T*N*units)
	lo, hi := prog.Span(N, 1, tile, int(st.Tiles))
	for p := lo; p < hi; p++ {
		n, steps := int(tab.perm[p]), int(tab.length[p])
		for t := range T {
			to := dst[placeOf(st.N[5], t, n, 0, T, N, 1, units):][:units]
			if t >= steps {
				clear(to)
				continue
			}
			for d := range 2 {
				if st.A[1+d] == prog.None {
					continue
				}
				s := tab.time(t, p, st.N[5+d]&rnnReverse != 0) // its own inverse
				from := w.F32(st.A[1+d], T*N*units)[(int(tab.off[s])+p)*units:][:units]
				if d == 0 {
					copy(to, from)
				} else {
					simd.Zip(simd.Add, to, to, from)
				}
			}
		}
	}
}

// runRNNBias adds the two biases of a direction: A = {sum, B}; N = {gates*H, offset in B, how many of the first are added; the others are Wb alone}.
func runRNNBias(w *prog.Worker, st *prog.Step, _ int) {
	n, at, both := int(st.N[0]), int(st.N[1]), int(st.N[2])
	b := w.F32(st.A[1].Add(4*at), 2*n)
	to := w.F32(st.A[0], n)
	simd.Zip(simd.Add, to[:both], b[:both], b[n:n+both])
	copy(to[both:], b[both:n])
}

// runRNNBiasGrad sums the rows of the gates' gradients, columns tile by tile: A = {dB of the direction, dGates, dq or None, table}; N = {T, N, gates*H, H}. dB
// is Wb's gradient, then Rb's, which differs in the last H when dq is given. Order: row by row.
func runRNNBiasGrad(w *prog.Worker, st *prog.Step, tile int) {
	T, N, n, h := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3])
	rows := int(tableAt(w, st.A[3], T, N).off[T])
	db := w.F32(st.A[0], 2*n)
	lo, hi := prog.Span(n, lineElems, tile, int(st.Tiles))
	same := hi
	if st.A[2] != prog.None {
		same = min(hi, n-h)
	}
	if lo < hi {
		sumColumns(db[lo:hi], w.F32(st.A[1], rows*n), rows, n, lo)
	}
	if lo < same {
		copy(db[n+lo:], db[lo:same])
	}
	if from := max(lo, same); from < hi {
		sumColumns(db[n+from:n+hi], w.F32(st.A[2], rows*h), rows, h, from-(n-h))
	}
}

// sumColumns sums the columns of x[rows, n] from one on. Without rows the sums are 0.
func sumColumns(sums, x []float32, rows, n, from int) {
	if rows == 0 {
		clear(sums)
		return
	}
	simd.ReduceOuterStrided(simd.Sum, sums, x[from:], rows, len(sums), n)
}

// runRNNPack packs op(B)[K, N] of every direction for products: A = {packed, weights}; N = {directions, K, N, leading dimension, transposed, elements from one direction to the
// next, elements before the first}.
func runRNNPack(w *prog.Worker, st *prog.Step, tile int) {
	dirs, k, n, ld, trans, step, at := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3]), st.N[4] != 0, int(st.N[5]), int(st.N[6])
	size := simd.GemmPackBSize(k, n)
	to, from := w.F32(st.A[0], dirs*size), w.F32(st.A[1], dirs*step)
	simd.GemmPackB(to[tile*size:][:size], from[tile*step+at:tile*step+step], ld, trans, k, n)
}

// runRNNGemm is a product of packed rows: A = {C, A, B, table, bias per column}; N = {M, N, K, LDA, LDB, LDC, flags, T, N of the table}, sizes of
// operands following from these. M or K is the number of packed rows where the flags say so.
func runRNNGemm(w *prog.Worker, st *prog.Step, tile int) {
	var g simd.GemmArgs
	rnnGemmArgs(&g, st)
	f := st.N[6]
	if f&(rnnRowsM|rnnRowsK) != 0 {
		T := int(st.N[7])
		rows := int(tableAt(w, st.A[3], T, int(st.N[8])).off[T])
		if f&rnnRowsM != 0 {
			g.M = rows
		} else {
			g.K = rows
		}
	}
	if g.M == 0 {
		return
	}
	last := g.M
	across := g.K
	if g.TransA {
		last, across = g.K, g.M
	}
	g.C = w.F32(st.A[0], (g.M-1)*g.LDC+g.N)
	if g.K > 0 {
		g.A = w.F32(st.A[1], (last-1)*g.LDA+across)
		switch {
		case f&rnnPacked != 0:
			g.PackedB = w.F32(st.A[2], simd.GemmPackBSize(g.K, g.N))
		default:
			g.B = w.F32(st.A[2], (g.K-1)*g.LDB+g.N)
		}
	}
	g.BiasN = w.F32(st.A[4], g.N)
	simd.GemmTile(&g, tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}

func rnnGemmArgs(g *simd.GemmArgs, st *prog.Step) {
	g.M, g.N, g.K, g.LDA, g.LDB, g.LDC = int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3]), int(st.N[4]), int(st.N[5])
	g.TransA, g.Acc = st.N[6]&rnnTransA != 0, st.N[6]&rnnAcc != 0
}
