package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// rnnLower lowers a recurrent operator or its gradient.
//
// Order of additions: what goes into a gate is x W^T in the order of simd.GemmArgs, then Wb+Rb, added to each other first; then the chunk sums of h R^T one by
// one. Without an initial state the first step adds nothing. The directions are independent; gradients of weights add rows in their packed order.
type rnnLower struct {
	b graph.Builder
	rnnConf
	rnnShape
	in    int // the operator's first input
	flags [2]int32
	lens  prog.Ref
	table prog.Ref
	peep  prog.Ref
	gates int // gates*H
	rows  int // T*N
}

// newRNNLower returns nil when there are no kernels for the node.
func newRNNLower(b graph.Builder, n *graph.Node, in int) *rnnLower {
	l := &rnnLower{b: b, rnnConf: rnnConfOf(n), in: in, lens: optional(b, in+rnnLens), peep: optional(b, in+rnnP)}
	ok, general := l.supported()
	if b.InType(in+rnnX) != tensor.Float32 || !ok {
		return nil
	}
	general = general || l.peep != prog.None
	l.rnnShape = l.shapeOf(b.InShape(in+rnnX), b.InShape(in+rnnR))
	l.gates, l.rows = l.kind.gates()*l.H, l.T*l.N
	if l.rows == 0 || l.D == 0 || l.rows*l.rnnShape.dirs*max(l.D, l.gates+2*l.H) >= 1<<29 || l.rnnShape.dirs*l.gates*max(l.D, l.H) >= 1<<29 {
		return nil
	}
	for d := range l.flags {
		if l.batch {
			l.flags[d] |= rnnBatchFirst
		}
		if l.reverse[d] {
			l.flags[d] |= rnnReverse
		}
		if l.lens != prog.None {
			l.flags[d] |= rnnHasLens
		}
		if l.linear {
			l.flags[d] |= rnnLinear
		}
		if general {
			l.flags[d] |= rnnGeneral
		}
		if l.coupled {
			l.flags[d] |= rnnCoupled
		}
		if l.kind == kindRNN && l.acts[d][0].name == "relu" {
			l.flags[d] |= rnnRelu
		}
	}
	return l
}

// step returns a step of the given kernel without operands.
func (l *rnnLower) step(k *prog.Kernel, n ...int) prog.Step {
	s := prog.Step{Kernel: k, Tiles: 1}
	for i := range s.A {
		s.A[i] = prog.None
	}
	for i, v := range n {
		s.N[i] = int32(v)
	}
	if l.flags[0]&rnnGeneral != 0 {
		l.setActs(&s, 0)
	}
	return s
}

// emitCells emits a recurrent step, or where the directions have different activations one for each, whose number goes to N[at].
func (l *rnnLower) emitCells(st prog.Step, at int) {
	if l.rnnShape.dirs == 1 || l.flags[0]&rnnGeneral == 0 || l.acts[0] == l.acts[1] {
		l.b.Emit(st)
		return
	}
	st.Tiles /= 2
	for d := range 2 {
		st.N[at] = int32(d)
		l.setActs(&st, d)
		l.b.Emit(st)
	}
}

// emitOrder emits the step that fills the table.
func (l *rnnLower) emitOrder() {
	s := l.step(&kRNNOrder, l.T, l.N)
	s.A[0], s.A[1] = l.table, l.lens
	l.b.Emit(s)
}

// inOrder reports whether the steps of X, or of Y, lie as packed rows of a direction do.
func (l *rnnLower) inOrder(d int) bool {
	return !l.reverse[d] && l.lens == prog.None && (!l.batch || l.N == 1 || l.T == 1)
}

// emitRows emits the gathering of rows of a direction from a tensor of sequences and returns where they are.
func (l *rnnLower) emitRows(src prog.Ref, units, d, dirs int, flags int32, initial prog.Ref) prog.Ref {
	to := l.b.Scratch(4 * l.rows * units)
	l.emitRowsTo(to, src, units, d, dirs, flags, initial)
	return to
}

func (l *rnnLower) emitRowsTo(to, src prog.Ref, units, d, dirs int, flags int32, initial prog.Ref) {
	s := l.step(&kRNNRows, l.T, l.N, units, min(d, dirs-1), dirs, int(l.flags[d]|flags))
	s.A[0], s.A[1], s.A[2], s.A[3] = to, src, l.table, initial
	s.Tiles = min(elemTiles(l.rows*units), int32(l.T))
	l.b.Emit(s)
}

// emitX returns the packed rows of X for a direction.
func (l *rnnLower) emitX(d int) prog.Ref {
	x := l.b.In(l.in + rnnX)
	if l.inOrder(d) {
		return x
	}
	return l.emitRows(x, l.D, d, 1, 0, prog.None)
}

// pack returns packed op(B)[k, n] of an input for all directions: rows from row on of [directions, gates*H, cols], transposed for a product with what the gates read.
func (l *rnnLower) pack(i, row, k, n int, trans bool) (packed prog.Ref, size int) {
	size = simd.GemmPackBSize(k, n)
	cols := k
	if !trans {
		cols = n
	}
	t := 0
	if trans {
		t = 1
	}
	s := l.step(&kRNNPack, l.rnnShape.dirs, k, n, cols, t, l.gates*cols, row*cols)
	s.Tiles = int32(l.rnnShape.dirs)
	return l.b.Pack(l.in+i, 4*l.rnnShape.dirs*size, s), size
}

// gemm emits a product of packed rows. flags say which size is the number of rows.
func (l *rnnLower) gemm(c, a, b, bias prog.Ref, flags int32, m, n, k, lda, ldb, ldc int) {
	s := l.step(&kRNNGemm, m, n, k, lda, ldb, ldc, int(flags), l.T, l.N)
	if l.lens == prog.None {
		s.N[6] &^= rnnRowsM | rnnRowsK
	}
	s.A[0], s.A[1], s.A[2], s.A[3], s.A[4] = c, a, b, l.table, bias
	var g simd.GemmArgs
	rnnGemmArgs(&g, &s)
	if flags&rnnPacked != 0 {
		g.PackedB = []float32{0} // that there is one is all that counts here
	}
	s.Worker, s.Tiles = int32(4*simd.GemmScratch(&g)), int32(simd.GemmTiles(&g, l.b.Threads()))
	l.b.Emit(s)
}

// rnnStepFLOPs bounds the operations of a recurrent step of the program, so that a page's thread hears of other things in between.
var rnnStepFLOPs = 1 << 28

// rnnMinRows is how many sequences a thread should have, since all read the whole weights.
const rnnMinRows = 4

// spans returns into how many tiles the sequences are cut and how many steps of time one step of the program takes.
func (l *rnnLower) spans() (tiles, steps int) {
	per := 2 * float64(l.N) * float64(l.gates) * float64(l.H) // of one step of time
	tiles = l.b.Threads()
	if l.lens != prog.None {
		tiles *= 2 // the longest sequences come first, the rest fills up
	}
	tiles = max(min(tiles, l.N/rnnMinRows, int(per*float64(l.T)/(2<<20))), 1)
	if l.b.Threads() == 1 {
		tiles = 1
	}
	return tiles, max(int(float64(rnnStepFLOPs)/per), 1)
}

// Operands of a recurrent step. N = {T, N, H, first step, end, directions, tiles of each, flags of direction 0, of 1, what is added to the tile's direction, distance of the directions' rows of gates, of what
// else is saved or 0, D or 0 when gates already holds the input's part, whether X is X itself and not packed rows, whether there are biases, how many steps gates holds or 0 for all, for how many steps the input's part is computed at a time}.
const (
	stGates = iota // rows of gates; after all of them what else is saved: LSTM: rows of cell states; GRU: rows of q or r*h
	stR
	stX
	stTable // the table, and after it what the steps work on, see rnnWork
	stW
	stY
	stYh
	stYc
	stH0
	stC0
	stR2 // GRU: the candidate's weights; LSTM: the peepholes
	stB
)

// rnnWork returns where in the memory after the table, counted in elements from its start, the current states lie by packed row [directions, N, H], LSTM's cell states or what GRU
// needs of one step, and the sums of the biases [directions, gates*H]; and the size of it all.
func rnnWork(T, N, H, dirs, gates int) (h, c, bias, size int) {
	h = (rnnTableSize(T, N) + 15) &^ 15
	c = h + dirs*N*H
	bias = c + dirs*N*H
	return h, c, bias, bias + dirs*gates
}

// What the steps take upon themselves of the input's part: tiles of at least fuseRows sequences, whose weights stay in L2 together. The gates of a step then never leave the cache.
const (
	fuseRows  = 8
	fuseBytes = 3 << 18
)

// rnnAhead is where a step has for how many steps of time the input's part is computed at a time: those of one sequence are rows of one product. Few sequences make
// low tiles (simd.GemmTall). aheadBytes bounds their gates, which should stay in L2.
const (
	rnnAhead   = 16
	aheadBytes = 1 << 18
)

var (
	kRNNSteps  = prog.Kernel{Name: "RNNSteps", Run: runRNNSteps}
	kGRUSteps  = prog.Kernel{Name: "GRUSteps", Run: runGRUSteps}
	kLSTMSteps = prog.Kernel{Name: "LSTMSteps", Run: runLSTMSteps}
)

func lowerRNN(b graph.Builder, n *graph.Node) bool {
	l := newRNNLower(b, n, 0)
	if l == nil {
		return false
	}
	dirs := l.rnnShape.dirs
	_, _, at, size := rnnWork(l.T, l.N, l.H, dirs, l.gates)
	l.table = b.Scratch(4 * size)
	l.emitOrder()
	st := l.step([]*prog.Kernel{kindRNN: &kRNNSteps, kindGRU: &kGRUSteps, kindLSTM: &kLSTMSteps}[l.kind])
	last := rnnYh + 1
	if l.kind == kindLSTM {
		last++
	}
	tiles, steps := l.spans()
	fused := l.N/tiles >= fuseRows && 4*l.gates*(l.D+l.H) <= fuseBytes
	direct := l.lens == prog.None
	st.N[rnnAhead] = 1
	if tall := simd.GemmTall(l.N / tiles); fused && direct && 4*tall*l.N/tiles*l.gates <= aheadBytes {
		st.N[rnnAhead] = int32(max(tall, 1))
	}
	gateStep, savedStep := l.rows*l.gates, 0
	switch saved := optional4(b, last); {
	case l.kind != kindRNN && saved != prog.None:
		gateStep += l.rows * l.H
		st.A[stGates], savedStep = saved, gateStep
	case fused: // those of a few steps at a time
		st.N[15] = st.N[rnnAhead]
		gateStep = int(st.N[15]) * l.N * l.gates
		st.A[stGates] = b.Scratch(4 * dirs * gateStep)
	default:
		st.A[stGates] = b.Scratch(4 * dirs * gateStep)
	}
	bias := optional(b, rnnB)
	for d := range dirs {
		if bias != prog.None {
			s := l.step(&kRNNBias, l.gates, d*2*l.gates, l.gates)
			if l.kind == kindGRU && l.linear {
				s.N[2] = int32(2 * l.H)
			}
			s.A[0], s.A[1] = l.table.Add(4*(at+d*l.gates)), bias
			b.Emit(s)
		}
	}
	packed, size := l.pack(rnnW, 0, l.D, l.gates, true)
	switch {
	case !fused: // the input's part of all gates of all steps is one product
		for d := range dirs {
			sum := prog.None
			if bias != prog.None {
				sum = l.table.Add(4 * (at + d*l.gates))
			}
			l.gemm(st.A[stGates].Add(4*d*gateStep), l.emitX(d), packed.Add(4*d*size), sum, rnnRowsM|rnnPacked, l.rows, l.gates, l.D, l.D, 0, l.gates)
		}
	case direct:
		st.A[stX], st.A[stW] = b.In(rnnX), packed
	default:
		st.A[stX], st.A[stW] = b.Scratch(4*dirs*l.rows*l.D), packed
		for d := range dirs {
			l.emitRowsTo(st.A[stX].Add(4*d*l.rows*l.D), b.In(rnnX), l.D, d, 1, 0, prog.None)
		}
	}
	st.A[stTable], st.A[stB] = l.table, bias
	st.A[stY], st.A[stYh], st.A[stH0] = b.Out(rnnY), optional4(b, rnnYh), optional(b, rnnH0)
	joint := l.gates
	switch l.kind {
	case kindLSTM:
		st.A[stYc], st.A[stC0], st.A[stR2] = optional4(b, rnnYc), optional(b, rnnC0), l.peep
	case kindGRU:
		joint = 2 * l.H
		st.A[stR2], _ = l.pack(rnnR, joint, l.H, l.H, true)
	}
	st.A[stR], _ = l.pack(rnnR, 0, l.H, joint, true)
	st.Tiles = int32(dirs * tiles)
	again := simd.GemmArgs{M: l.N, N: joint, K: l.H, LDA: l.H, LDC: l.gates, Acc: true, PackedB: []float32{0}}
	input := simd.GemmArgs{M: l.N, N: l.gates, K: l.D, LDA: l.T * l.D, LDC: l.gates, PackedB: []float32{0}}
	st.Worker = int32(4 * max(simd.GemmScratch(&again), simd.GemmScratch(&input)))
	for i, v := range []int{l.T, l.N, l.H, 0, 0, dirs, tiles, int(l.flags[0]), int(l.flags[1]), 0, gateStep, savedStep} {
		st.N[i] = int32(v)
	}
	if fused {
		st.N[12] = int32(l.D)
	}
	if direct {
		st.N[13] = 1
	}
	if bias != prog.None {
		st.N[14] = 1
	}
	for s := 0; s < l.T; s += steps {
		st.N[3], st.N[4] = int32(s), int32(min(s+steps, l.T))
		l.emitCells(st, 9)
	}
	return true
}

// optional4 returns the address of output i, None when the node has no such output.
func optional4(b graph.Builder, i int) prog.Ref {
	if i < b.NumOut() {
		return b.Out(i)
	}
	return prog.None
}

// rnnRun is a tile of a recurrent step: some of the sequences of one direction.
type rnnRun struct {
	T, N, H, dir, dirs int
	p0, p1             int // its packed sequences
	flags              int32
	tab                rnnTable
	reverse            bool
}

func (r *rnnRun) init(w *prog.Worker, st *prog.Step, tile int) {
	tiles := int(st.N[6])
	r.T, r.N, r.H, r.dirs, r.dir = int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[5]), tile/tiles
	r.p0, r.p1 = prog.Span(r.N, 1, tile%tiles, tiles)
	r.flags = st.N[7+r.dir]
	r.reverse = r.flags&rnnReverse != 0
	r.tab = tableAt(w, st.A[stTable], r.T, r.N)
}

// cell sets what general cells have in common, with the peepholes [directions, 3*H] at p.
func (r *rnnRun) cell(w *prog.Worker, st *prog.Step, e *rnnCell, p prog.Ref) {
	if r.flags&rnnGeneral == 0 {
		return
	}
	e.st, e.clip, e.coupled = st, st.F[rnnClipAt], r.flags&rnnCoupled != 0
	if p != prog.None {
		e.p = w.F32(p.Add(4*r.dir*3*r.H), 3*r.H)
	}
}

// count returns how many of the tile's sequences have step s.
func (r *rnnRun) count(s int) int { return max(min(r.tab.active(s), r.p1)-r.p0, 0) }

// row returns the first packed row of the tile's sequences at step s.
func (r *rnnRun) row(s int) int { return int(r.tab.off[s]) + r.p0 }

// states returns the part of [directions, N, H] that holds the tile's sequences, nil for None.
func (r *rnnRun) states(w *prog.Worker, a prog.Ref) []float32 {
	if a == prog.None {
		return nil
	}
	return w.F32(a.Add(4*(r.dir*r.N+r.p0)*r.H), (r.p1-r.p0)*r.H)
}

// work returns the tile's current states, and its cell states or what it needs of one step.
func (r *rnnRun) work(w *prog.Worker, st *prog.Step) (h, c []float32) {
	hAt, cAt, _, _ := rnnWork(r.T, r.N, r.H, r.dirs, 0)
	return r.states(w, st.A[stTable].Add(4*hAt)), r.states(w, st.A[stTable].Add(4*cAt))
}

// saved returns the packed rows that are saved after those of the gates, nil when none are.
func (r *rnnRun) saved(w *prog.Worker, st *prog.Step, gates int) []float32 {
	if st.N[11] == 0 {
		return nil
	}
	return w.F32(st.A[stGates].Add(4*(r.dir*int(st.N[11])+r.T*r.N*gates)), r.T*r.N*r.H)
}

// gateRow returns the row of the gates of step s of the tile's first sequence.
func (r *rnnRun) gateRow(st *prog.Step, s int) int {
	if held := int(st.N[15]); held > 0 {
		return (s-int(st.N[3]))%held*r.N + r.p0
	}
	return r.row(s)
}

// gatesAt returns the gates of step s of the tile's sequences that have it.
func (r *rnnRun) gatesAt(w *prog.Worker, st *prog.Step, s, m, gates int) []float32 {
	return w.F32(st.A[stGates].Add(4*(r.dir*int(st.N[10])+r.gateRow(st, s)*gates)), m*gates)
}

// input sets z[m, gates] to the input's part of step s, unless that is there.
func (r *rnnRun) input(w *prog.Worker, st *prog.Step, z []float32, s, m, gates int) {
	d := int(st.N[12])
	if d == 0 {
		return
	}
	var g simd.GemmArgs
	g.M, g.N, g.K, g.C, g.LDC = m, gates, d, z, gates
	times := 1 // the steps whose rows of one sequence are taken together
	if st.N[13] != 0 {
		if ahead := int(st.N[rnnAhead]); ahead > 1 && !r.reverse {
			if (s-int(st.N[3]))%ahead != 0 {
				return
			}
			times = min(ahead, int(st.N[4])-s)
		}
		g.A = w.F32(st.A[stX], r.T*r.N*d)[placeOf(r.flags, r.tab.time(s, r.p0, r.reverse), r.p0, 0, r.T, r.N, 1, d):]
		sequence, step := d, r.N*d // distances in X
		if r.flags&rnnBatchFirst != 0 {
			sequence, step = r.T*d, d
		}
		if g.LDA = sequence; times > 1 {
			g.M, g.LDA, g.LDC = times, step, r.N*gates
			g.C = w.F32(st.A[stGates].Add(4*(r.dir*int(st.N[10])+r.gateRow(st, s)*gates)), ((times-1)*r.N+m)*gates)
			r.inputProduct(w, st, &g, gates)
			for range m - 1 {
				g.A, g.C = g.A[sequence:], g.C[gates:]
				r.inputProduct(w, st, &g, gates)
			}
			return
		}
	} else {
		g.A, g.LDA = w.F32(st.A[stX].Add(4*r.dir*r.T*r.N*d), r.T*r.N*d)[r.row(s)*d:], d
	}
	r.inputProduct(w, st, &g, gates)
}

// inputProduct computes a product of rows of X and the packed weights, plus the biases.
func (r *rnnRun) inputProduct(w *prog.Worker, st *prog.Step, g *simd.GemmArgs, gates int) {
	size := simd.GemmPackBSize(g.K, gates)
	g.PackedB = w.F32(st.A[stW].Add(4*r.dir*size), size)
	if st.N[14] != 0 {
		_, _, at, _ := rnnWork(r.T, r.N, r.H, r.dirs, gates)
		g.BiasN = w.F32(st.A[stTable].Add(4*(at+r.dir*gates)), gates)
	}
	simd.Gemm(g, w.ScratchF32(int(st.Worker)/4))
}

// load copies initial states, if given, to the tile's; it reports whether they are given.
func (r *rnnRun) load(w *prog.Worker, to []float32, a prog.Ref) bool {
	if a == prog.None {
		return false
	}
	from := w.F32(a, r.dirs*r.N*r.H)
	for p := r.p0; p < r.p1; p++ {
		copy(to[(p-r.p0)*r.H:][:r.H], from[stateOf(r.flags, int(r.tab.perm[p]), r.dir, r.N, r.dirs, r.H):])
	}
	return true
}

// begin clears what no step writes: Y beyond the lengths, and the last states of sequences without steps unless they are given.
func (r *rnnRun) begin(w *prog.Worker, y, last, initial prog.Ref) {
	if r.flags&rnnHasLens == 0 {
		return
	}
	for p := r.p0; p < r.p1; p++ {
		n, steps := int(r.tab.perm[p]), int(r.tab.length[p])
		if y != prog.None {
			all := w.F32(y, r.T*r.dirs*r.N*r.H)
			for t := steps; t < r.T; t++ {
				clear(all[placeOf(r.flags, t, n, r.dir, r.T, r.N, r.dirs, r.H):][:r.H])
			}
		}
		if steps == 0 && last != prog.None {
			at := stateOf(r.flags, n, r.dir, r.N, r.dirs, r.H)
			to := w.F32(last, r.dirs*r.N*r.H)[at:][:r.H]
			if initial == prog.None {
				clear(to)
			} else {
				copy(to, w.F32(initial, r.dirs*r.N*r.H)[at:])
			}
		}
	}
}

// end writes the states h after step s to Y, and to the last states those of sequences that end there.
func (r *rnnRun) end(w *prog.Worker, s int, h []float32, y, last prog.Ref) {
	m := r.count(s)
	if y != prog.None {
		all := w.F32(y, r.T*r.dirs*r.N*r.H)
		for i := range m {
			p := r.p0 + i
			copy(all[placeOf(r.flags, r.tab.time(s, p, r.reverse), int(r.tab.perm[p]), r.dir, r.T, r.N, r.dirs, r.H):][:r.H], h[i*r.H:])
		}
	}
	if last != prog.None {
		for i := r.count(s + 1); i < m; i++ {
			copy(w.F32(last, r.dirs*r.N*r.H)[stateOf(r.flags, int(r.tab.perm[r.p0+i]), r.dir, r.N, r.dirs, r.H):][:r.H], h[i*r.H:])
		}
	}
}

// product adds h[m, H] times packed weights to c, whose rows are ldc apart.
func (r *rnnRun) product(w *prog.Worker, st *prog.Step, c []float32, m, n, ldc int, h []float32, packed prog.Ref) {
	var g simd.GemmArgs
	g.M, g.N, g.K, g.A, g.LDA, g.C, g.LDC, g.Acc = m, n, r.H, h, r.H, c, ldc, true
	size := simd.GemmPackBSize(r.H, n)
	g.PackedB = w.F32(packed.Add(4*r.dir*size), size)
	simd.Gemm(&g, w.ScratchF32(int(st.Worker)/4))
}

func runRNNSteps(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[9]*st.N[6]))
	h, _ := r.work(w, st)
	var e rnnCell
	r.cell(w, st, &e, prog.None)
	act := simd.Tanh
	if r.flags&rnnRelu != 0 {
		act = simd.Relu
	}
	for s := int(st.N[3]); s < int(st.N[4]); s++ {
		known := s > 0
		if s == 0 {
			r.begin(w, st.A[stY], st.A[stYh], st.A[stH0])
			known = r.load(w, h, st.A[stH0])
		}
		m := r.count(s)
		if m == 0 {
			return
		}
		z := r.gatesAt(w, st, s, m, r.H)
		r.input(w, st, z, s, m, r.H)
		if known {
			r.product(w, st, z, m, r.H, r.H, h, st.A[stR])
		}
		if r.flags&rnnGeneral != 0 {
			copy(h, z)
			e.activate(0, h[:m*r.H])
		} else {
			simd.Map(act, h[:m*r.H], z, 0, 0)
		}
		r.end(w, s, h, st.A[stY], st.A[stYh])
	}
}

func runLSTMSteps(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[9]*st.N[6]))
	h, c := r.work(w, st)
	var e rnnCell
	r.cell(w, st, &e, st.A[stR2])
	saved := r.saved(w, st, 4*r.H)
	for s := int(st.N[3]); s < int(st.N[4]); s++ {
		known, before := s > 0, c
		if s == 0 {
			r.begin(w, st.A[stY], st.A[stYh], st.A[stH0])
			r.begin(w, prog.None, st.A[stYc], st.A[stC0])
			known = r.load(w, h, st.A[stH0])
			if !r.load(w, c, st.A[stC0]) {
				before = nil
			}
		} else if saved != nil {
			before = saved[r.row(s-1)*r.H:]
		}
		m := r.count(s)
		if m == 0 {
			return
		}
		z := r.gatesAt(w, st, s, m, 4*r.H)
		r.input(w, st, z, s, m, 4*r.H)
		if known {
			r.product(w, st, z, m, 4*r.H, 4*r.H, h, st.A[stR])
		}
		after := c
		if saved != nil {
			after = saved[r.row(s)*r.H:]
		}
		if r.flags&rnnGeneral != 0 {
			e.lstm(z, before, after, h, m, r.H)
		} else {
			simd.LSTMCell(z, before, after, h, m, r.H)
		}
		r.end(w, s, h, st.A[stY], st.A[stYh])
		r.end(w, s, after, prog.None, st.A[stYc])
	}
}

func runGRUSteps(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[9]*st.N[6]))
	h, room := r.work(w, st)
	var e rnnCell
	r.cell(w, st, &e, prog.None)
	saved := r.saved(w, st, 3*r.H)
	linear := r.flags&rnnLinear != 0
	for s := int(st.N[3]); s < int(st.N[4]); s++ {
		known, before := s > 0, h
		if s == 0 {
			r.begin(w, st.A[stY], st.A[stYh], st.A[stH0])
			if known = r.load(w, h, st.A[stH0]); !known {
				before = nil
			}
		}
		m := r.count(s)
		if m == 0 {
			return
		}
		z := r.gatesAt(w, st, s, m, 3*r.H)
		r.input(w, st, z, s, m, 3*r.H)
		extra := room // q, or r*h
		if saved != nil {
			extra = saved[r.row(s)*r.H:]
		}
		extra = extra[:m*r.H]
		if known {
			r.product(w, st, z, m, 2*r.H, 3*r.H, h, st.A[stR])
		}
		general := r.flags&rnnGeneral != 0
		if general {
			e.gruGates(z, m, r.H)
		} else {
			simd.GRUGates(z, m, r.H)
		}
		var q []float32
		if linear {
			r.startQ(w, st, extra)
			if known {
				r.product(w, st, extra, m, r.H, r.H, h, st.A[stR2])
			}
			q = extra
		} else {
			if known {
				for i := range m {
					simd.Zip(simd.Mul, extra[i*r.H:][:r.H], z[i*3*r.H+r.H:][:r.H], h[i*r.H:][:r.H])
				}
				r.product(w, st, z[2*r.H:], m, r.H, 3*r.H, extra, st.A[stR2])
			} else {
				clear(extra)
			}
		}
		if general {
			e.gru(z, q, before, h, m, r.H)
		} else {
			simd.GRUCell(z, q, before, h, m, r.H)
		}
		r.end(w, s, h, st.A[stY], st.A[stYh])
	}
}

// startQ sets the rows of q to the bias Rbn, or to zeros.
func (r *rnnRun) startQ(w *prog.Worker, st *prog.Step, q []float32) {
	if st.A[stB] == prog.None {
		clear(q)
		return
	}
	b := w.F32(st.A[stB].Add(4*(r.dir*6*r.H+5*r.H)), r.H)
	for i := 0; i < len(q); i += r.H {
		copy(q[i:], b)
	}
}
