package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd"
)

// Operands of a recurrent step backwards. N is that of the steps forwards, with where the peepholes are, counted from the table (0: none), in its 10th place, the distance of the directions' rows of dq, or of rows gathered
// from Y, in its 13th, and in the 14th what is added to the tile's direction.
const (
	bkGates = iota // dGates, packed rows
	bkSaved        // what the forward pass saved, gates first
	bkR            // weights [gates*H, H]; GRU: those of z and r
	bkTable        // = stTable
	bkDH           // gradients by the current states [directions, N, H]
	bkDC           // LSTM: by the cell states; GRU: packed rows of dq, or room for one step's gradients of r*h
	bkDY           // gradients by Y, Y_h, Y_c
	bkDYh
	bkDYc
	bkPrev // LSTM: initial_c; GRU: packed rows of the states before; RNN: Y
	bkDH0
	bkDC0
	bkR2 = bkDYc // GRU: the candidate's weights
)

var (
	kRNNBack  = prog.Kernel{Name: "RNNBack", Run: runRNNBack}
	kGRUBack  = prog.Kernel{Name: "GRUBack", Run: runGRUBack}
	kLSTMBack = prog.Kernel{Name: "LSTMBack", Run: runLSTMBack}
)

// Outputs of the gradients, see gradOf.
const (
	outDX = iota
	outDW
	outDR
	outDB
	outDH0
	outDC0
	outDP
)

func lowerRNNGrad(b graph.Builder, n *graph.Node) bool {
	l := newRNNLower(b, n, gradIn)
	if l == nil {
		return false
	}
	dirs, h := l.rnnShape.dirs, l.H
	// The peepholes have no place among the operands; they follow the table.
	table := rnnTableSize(l.T, l.N)
	size := table
	if l.peep != prog.None {
		size += dirs * 3 * h
	}
	l.table = b.Scratch(4 * size)
	l.emitOrder()
	if l.peep != prog.None {
		s := l.step(&kRNNCopy, dirs*3*h)
		s.A[0], s.A[1] = l.table.Add(4*table), l.peep
		b.Emit(s)
	}
	want := func(i int) bool { return optional4(b, i) != prog.None }
	weights := want(outDR)
	st := l.step([]*prog.Kernel{kindRNN: &kRNNBack, kindGRU: &kGRUBack, kindLSTM: &kLSTMBack}[l.kind])
	st.A[bkGates] = b.Scratch(4 * dirs * l.rows * l.gates)
	st.A[bkTable] = l.table
	st.A[bkDH] = b.Scratch(4 * dirs * l.N * h)
	st.A[bkDY], st.A[bkDYh], st.A[bkDYc] = optional(b, gradDY+rnnY), optional(b, gradDY+rnnYh), optional(b, gradDY+rnnYc)
	st.A[bkDH0], st.A[bkDC0] = optional4(b, outDH0), optional4(b, outDC0)

	// The states before each step, where the weights' gradient or the cell needs them.
	prev := make([]prog.Ref, dirs)
	for d := range dirs {
		if weights || l.kind == kindGRU {
			prev[d] = l.emitRows(b.In(gradY), h, d, dirs, rnnShift, optional(b, gradIn+rnnH0))
		}
	}
	joint := l.gates
	saved := optional(b, gradSaved)
	savedStep, extraStep := l.rows*l.saved()*h, 0
	st.A[bkSaved] = saved
	switch l.kind {
	case kindRNN:
		st.A[bkPrev] = b.In(gradY)
	case kindLSTM:
		st.A[bkDC], st.A[bkPrev] = b.Scratch(4*dirs*l.N*h), optional(b, gradIn+rnnC0)
	case kindGRU:
		joint = 2 * h
		st.A[bkR2], _ = l.pack(rnnR, joint, h, h, false)
		if extraStep = l.N * h; l.linear {
			extraStep = l.rows * h
		}
		st.A[bkDC], st.A[bkPrev] = b.Scratch(4*dirs*extraStep), prev[0]
	}
	st.A[bkR], _ = l.pack(rnnR, 0, joint, h, false)
	tiles, steps := l.spans()
	g := simd.GemmArgs{M: l.N, N: h, K: joint, LDA: l.gates, LDC: h, Acc: true, PackedB: []float32{0}}
	st.Worker = int32(4 * (max(simd.GemmScratch(&g), h+rnnSlopeRoom) + l.N*h))
	for i, v := range []int{l.T, l.N, h, 0, 0, dirs, tiles, int(l.flags[0]), int(l.flags[1]), 0, l.rows * l.gates, savedStep, extraStep} {
		st.N[i] = int32(v)
	}
	if l.peep != prog.None {
		st.N[9] = int32(table)
	}
	emit := func(st prog.Step, one func(prog.Step)) {
		for end := l.T; end > 0; end -= steps {
			st.N[3], st.N[4] = int32(max(end-steps, 0)), int32(end)
			one(st)
		}
	}
	st.Tiles = int32(dirs * tiles)
	if l.kind == kindGRU && dirs == 2 {
		// The rows of the states before lie apart: a step for each direction.
		for d := range dirs {
			s := st
			s.Tiles, s.N[13], s.A[bkPrev] = int32(tiles), int32(d), prev[d]
			if l.flags[d]&rnnGeneral != 0 {
				l.setActs(&s, d)
			}
			emit(s, b.Emit)
		}
	} else {
		emit(st, func(s prog.Step) { l.emitCells(s, 13) })
	}
	l.emitWeightGrads(&st, prev, saved, savedStep, extraStep)
	if want(outDX) {
		l.emitInputGrad(&st)
	}
	return true
}

// emitWeightGrads emits the gradients of W, R and B: products of all rows at once, and column sums.
func (l *rnnLower) emitWeightGrads(st *prog.Step, prev []prog.Ref, saved prog.Ref, savedStep, extraStep int) {
	b, h := l.b, l.H
	for d := range l.rnnShape.dirs {
		dg := st.A[bkGates].Add(4 * d * l.rows * l.gates)
		dq := prog.None
		if l.kind == kindGRU && l.linear {
			dq = st.A[bkDC].Add(4 * d * extraStep)
		}
		if to := optional4(b, outDW); to != prog.None {
			l.gemm(to.Add(4*d*l.gates*l.D), dg, l.emitX(d), prog.None, rnnTransA|rnnRowsK, l.gates, l.D, l.rows, l.gates, l.D, l.D)
		}
		if to := optional4(b, outDR); to != prog.None {
			to = to.Add(4 * d * l.gates * h)
			joint := l.gates
			if l.kind == kindGRU {
				joint = 2 * h
				a, lda, rows := dq, h, prev[d]
				if !l.linear {
					a, lda, rows = dg.Add(4*2*h), l.gates, saved.Add(4*(d*savedStep+l.rows*l.gates)) // r*h
				}
				l.gemm(to.Add(4*joint*h), a, rows, prog.None, rnnTransA|rnnRowsK, h, h, l.rows, lda, h, h)
			}
			l.gemm(to, dg, prev[d], prog.None, rnnTransA|rnnRowsK, joint, h, l.rows, l.gates, h, h)
		}
		if to := optional4(b, outDB); to != prog.None {
			s := l.step(&kRNNBiasGrad, l.T, l.N, l.gates, h)
			s.A[0], s.A[1], s.A[2], s.A[3] = to.Add(4*d*2*l.gates), dg, dq, l.table
			s.Tiles = min(elemTiles(l.rows*l.gates), int32(columnTiles(l.gates, b.Threads())))
			b.Emit(s)
		}
		if to := optional4(b, outDP); to != prog.None && l.peep != prog.None {
			s := l.step(&kRNNPeepGrad, l.T, l.N, h, d, l.rnnShape.dirs, int(l.flags[d]))
			s.A[0], s.A[1], s.A[2], s.A[3], s.A[4] = to.Add(4*d*3*h), dg, saved.Add(4*(d*savedStep+l.rows*l.gates)), l.table, optional(b, gradIn+rnnC0)
			b.Emit(s)
		}
	}
}

// emitInputGrad emits the gradient of X: a product of all rows for each direction, put where X's steps are.
func (l *rnnLower) emitInputGrad(st *prog.Step) {
	dx := l.b.Out(outDX)
	un := l.step(&kRNNUnrows, l.T, l.N, l.D, 0, 0, int(l.flags[0]), int(l.flags[1]))
	un.A[0], un.A[3] = dx, l.table
	for d := range l.rnnShape.dirs {
		to := dx
		if l.rnnShape.dirs > 1 || !l.inOrder(0) {
			to = l.b.Scratch(4 * l.rows * l.D)
			un.A[1+d] = to
		}
		w := l.b.In(l.in + rnnW).Add(4 * d * l.gates * l.D)
		l.gemm(to, st.A[bkGates].Add(4*d*l.rows*l.gates), w, prog.None, rnnRowsM, l.rows, l.D, l.gates, l.gates, l.D, l.D)
	}
	if un.A[1] != prog.None {
		un.Tiles = min(elemTiles(l.rows*l.D), int32(l.N))
		l.b.Emit(un)
	}
}

// reach adds to the gradients d by the states after step s what Y's gradient brings, after those of the last states are put in place for sequences that
// end with the step.
func (r *rnnRun) reach(w *prog.Worker, s int, d []float32, dy, last prog.Ref) {
	m := r.count(s)
	for i := r.count(s + 1); i < m; i++ {
		to := d[i*r.H:][:r.H]
		if last == prog.None {
			clear(to)
			continue
		}
		copy(to, w.F32(last, r.dirs*r.N*r.H)[stateOf(r.flags, int(r.tab.perm[r.p0+i]), r.dir, r.N, r.dirs, r.H):])
	}
	if dy == prog.None {
		return
	}
	all := w.F32(dy, r.T*r.dirs*r.N*r.H)
	for i := range m {
		p := r.p0 + i
		to := d[i*r.H:][:r.H]
		simd.Zip(simd.Add, to, to, all[placeOf(r.flags, r.tab.time(s, p, r.reverse), int(r.tab.perm[p]), r.dir, r.T, r.N, r.dirs, r.H):][:r.H])
	}
}

// finish writes the gradients by initial states: d, or for sequences without steps that of their last states.
func (r *rnnRun) finish(w *prog.Worker, d []float32, to, last prog.Ref) {
	if to == prog.None {
		return
	}
	all := w.F32(to, r.dirs*r.N*r.H)
	m := r.count(0)
	for i := range r.p1 - r.p0 {
		at := stateOf(r.flags, int(r.tab.perm[r.p0+i]), r.dir, r.N, r.dirs, r.H)
		row := all[at:][:r.H]
		switch {
		case i < m:
			copy(row, d[i*r.H:])
		case last == prog.None:
			clear(row)
		default:
			copy(row, w.F32(last, r.dirs*r.N*r.H)[at:])
		}
	}
}

// back sets, or under acc adds to, the gradients d[m, H] by the states the product of a[m, k], rows lda apart, and packed weights.
func (r *rnnRun) back(w *prog.Worker, st *prog.Step, d, a []float32, m, k, lda int, packed prog.Ref, acc bool) {
	var g simd.GemmArgs
	g.M, g.N, g.K, g.A, g.LDA, g.C, g.LDC, g.Acc = m, r.H, k, a, lda, d, r.H, acc
	size := simd.GemmPackBSize(k, r.H)
	g.PackedB = w.F32(packed.Add(4*r.dir*size), size)
	simd.Gemm(&g, w.ScratchF32(int(st.Worker) / 4)[r.N*r.H:])
}

// cellBack is cell for derivatives. Scratch is: the states before the first step, or N*H elements that are not used; one row; the room of slopes. Products have all behind the first.
func (r *rnnRun) cellBack(w *prog.Worker, st *prog.Step, e *rnnCell, p prog.Ref) {
	if r.cell(w, st, e, p); r.flags&rnnGeneral != 0 {
		at := (r.N + 1) * r.H
		e.slopes(w.ScratchF32(at + rnnSlopeRoom)[at:])
	}
}

func runRNNBack(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[13]*st.N[6]))
	dh := r.states(w, st.A[bkDH])
	var e rnnCell
	r.cellBack(w, st, &e, prog.None)
	gates := w.F32(st.A[bkGates].Add(4*r.dir*int(st.N[10])), r.T*r.N*r.H)
	y := w.F32(st.A[bkPrev], r.T*r.dirs*r.N*r.H)
	grad := simd.TanhGrad
	if r.flags&rnnRelu != 0 {
		grad = simd.ReluGrad
	}
	for s := int(st.N[4]) - 1; s >= int(st.N[3]); s-- {
		r.reach(w, s, dh, st.A[bkDY], st.A[bkDYh])
		m := r.count(s)
		d := gates[r.row(s)*r.H:][:m*r.H]
		for i := range m {
			p := r.p0 + i
			at := placeOf(r.flags, r.tab.time(s, p, r.reverse), int(r.tab.perm[p]), r.dir, r.T, r.N, r.dirs, r.H)
			if r.flags&rnnGeneral != 0 {
				for j, v := range y[at:][:r.H] {
					d[i*r.H+j] = dh[i*r.H+j] * e.slope(0, v)
				}
				continue
			}
			simd.Zip(grad, d[i*r.H:][:r.H], dh[i*r.H:][:r.H], y[at:][:r.H])
		}
		if m > 0 && (s > 0 || st.A[bkDH0] != prog.None) {
			r.back(w, st, dh, d, m, r.H, r.H, st.A[bkR], false)
		}
		if s == 0 {
			r.finish(w, dh, st.A[bkDH0], st.A[bkDYh])
		}
	}
}

func runLSTMBack(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[13]*st.N[6]))
	dh, dc := r.states(w, st.A[bkDH]), r.states(w, st.A[bkDC])
	var e rnnCell
	peep := prog.None
	if st.N[9] != 0 {
		peep = st.A[bkTable].Add(4 * int(st.N[9]))
	}
	r.cellBack(w, st, &e, peep)
	rows := r.T * r.N
	dGates := w.F32(st.A[bkGates].Add(4*r.dir*int(st.N[10])), rows*4*r.H)
	gates := w.F32(st.A[bkSaved].Add(4*r.dir*int(st.N[11])), rows*4*r.H)
	cells := w.F32(st.A[bkSaved].Add(4*(r.dir*int(st.N[11])+rows*4*r.H)), rows*r.H)
	for s := int(st.N[4]) - 1; s >= int(st.N[3]); s-- {
		r.reach(w, s, dh, st.A[bkDY], st.A[bkDYh])
		r.reach(w, s, dc, prog.None, st.A[bkDYc])
		if m := r.count(s); m > 0 {
			var before []float32
			if s > 0 {
				before = cells[r.row(s-1)*r.H:]
			} else if c0 := w.ScratchF32(r.N * r.H); r.load(w, c0, st.A[bkPrev]) {
				before = c0
			}
			at := r.row(s)
			d := dGates[at*4*r.H:][:m*4*r.H]
			if r.flags&rnnGeneral != 0 {
				e.lstmGrad(d, gates[at*4*r.H:], before, cells[at*r.H:], dh, dc, w.ScratchF32((r.N + 1) * r.H)[r.N*r.H:], m, r.H)
			} else {
				simd.LSTMCellGrad(d, gates[at*4*r.H:], before, cells[at*r.H:], dh, dc, m, r.H)
			}
			if s > 0 || st.A[bkDH0] != prog.None {
				r.back(w, st, dh, d, m, 4*r.H, 4*r.H, st.A[bkR], false)
			}
		}
		if s == 0 {
			r.finish(w, dh, st.A[bkDH0], st.A[bkDYh])
			r.finish(w, dc, st.A[bkDC0], st.A[bkDYc])
		}
	}
}

func runGRUBack(w *prog.Worker, st *prog.Step, tile int) {
	var r rnnRun
	r.init(w, st, tile+int(st.N[13]*st.N[6]))
	dh := r.states(w, st.A[bkDH])
	var e rnnCell
	r.cellBack(w, st, &e, prog.None)
	rows := r.T * r.N
	dGates := w.F32(st.A[bkGates].Add(4*r.dir*int(st.N[10])), rows*3*r.H)
	gates := w.F32(st.A[bkSaved].Add(4*r.dir*int(st.N[11])), rows*3*r.H)
	extra := w.F32(st.A[bkSaved].Add(4*(r.dir*int(st.N[11])+rows*3*r.H)), rows*r.H)
	prev := w.F32(st.A[bkPrev], rows*r.H)
	room := w.F32(st.A[bkDC].Add(4*r.dir*int(st.N[12])), int(st.N[12]))
	linear := r.flags&rnnLinear != 0
	for s := int(st.N[4]) - 1; s >= int(st.N[3]); s-- {
		r.reach(w, s, dh, st.A[bkDY], st.A[bkDYh])
		if m := r.count(s); m > 0 {
			at := r.row(s)
			d, g, before := dGates[at*3*r.H:][:m*3*r.H], gates[at*3*r.H:], prev[at*r.H:]
			general := r.flags&rnnGeneral != 0
			if general {
				e.gruGrad(d, g, before, dh, m, r.H)
			} else {
				simd.GRUCellGrad(d, g, before, dh, m, r.H)
			}
			on := s > 0 || st.A[bkDH0] != prog.None
			if linear {
				dq := room[at*r.H:][:m*r.H]
				if general {
					e.gruResetGrad(d, dq, g, extra[at*r.H:], m, r.H)
				} else {
					simd.GRUResetGrad(d, dq, g, extra[at*r.H:], m, r.H)
				}
				if on {
					r.back(w, st, dh, dq, m, r.H, r.H, st.A[bkR2], true)
				}
			} else {
				drh := room[r.p0*r.H:][:m*r.H]
				r.back(w, st, drh, d[2*r.H:], m, r.H, 3*r.H, st.A[bkR2], false)
				if general {
					e.gruStateGrad(d, dh, g, before, drh, m, r.H)
				} else {
					simd.GRUStateGrad(d, dh, g, before, drh, m, r.H)
				}
			}
			if on {
				r.back(w, st, dh, d, m, 2*r.H, 3*r.H, st.A[bkR], true)
			}
		}
		if s == 0 {
			r.finish(w, dh, st.A[bkDH0], st.A[bkDYh])
		}
	}
}
