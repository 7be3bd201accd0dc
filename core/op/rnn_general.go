package op

import (
	"math"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd"
)

// Cells with other activations than the usual ones, with a clip, peepholes or coupled gates. Steps keep activations in N from rnnActsAt on, numbers in rnnActs for f, g and h, with their
// parameters in F, and the clip behind these. Sums and products round by themselves here, in both numeric classes; derivatives are computed from the activations' values.
const (
	rnnActsAt = 20
	rnnClipAt = 6
)

// Numbers of activations, in the order of rnnActs.
const (
	fnTanh = iota
	fnSigmoid
	fnRelu
	fnSoftsign
	fnSoftplus
	fnLeakyRelu
	fnThresholdedRelu
	fnElu
	fnAffine
	fnScaledTanh
	fnHardSigmoid
)

// setActs writes the activations of a direction, and the clip, into a step.
func (c *rnnConf) setActs(st *prog.Step, dir int) {
	for i, a := range c.acts[dir] {
		for k := range rnnActs {
			if rnnActs[k].name == a.name {
				st.N[rnnActsAt+i] = int32(k)
			}
		}
		st.F[2*i], st.F[2*i+1] = a.alpha, a.beta
	}
	st.F[rnnClipAt] = c.clip
}

// rnnCell is what the cells of a tile have in common.
type rnnCell struct {
	st      *prog.Step
	clip    float32
	lo, hi  [3]float32 // values of the activations at the bounds, between which their derivatives are not zero
	coupled bool
	p       []float32 // peepholes of the direction, those of i, o and f; nil: none
	room    []float32 // rnnSlopeRoom elements of scratch that slopes need: what kernels are given must not lie on the stack, or it would be allocated
}

const rnnSlopeRoom = 2

// slopes makes the cell ready for derivatives, with room of rnnSlopeRoom elements.
func (e *rnnCell) slopes(room []float32) {
	if e.room = room; e.clip == 0 {
		return
	}
	for i := range 3 {
		b := room
		b[0], b[1] = -e.clip, e.clip
		rnnActivate(e.st, i, b)
		if e.lo[i], e.hi[i] = b[0], b[1]; b[0] > b[1] {
			e.lo[i], e.hi[i] = b[1], b[0]
		}
	}
}

// activate clips and applies activation i in place.
func (e *rnnCell) activate(i int, x []float32) {
	if c := e.clip; c != 0 {
		for k, v := range x {
			if v > c {
				x[k] = c
			} else if v < -c {
				x[k] = -c
			}
		}
	}
	rnnActivate(e.st, i, x)
}

// slope returns the derivative of activation i, clip included, where its value is y.
func (e *rnnCell) slope(i int, y float32) float32 {
	if e.clip != 0 && (y <= e.lo[i] || y >= e.hi[i]) {
		return 0
	}
	return rnnSlope(e.st, i, y, e.room[:1])
}

// rnnActivate applies activation i of a step in place.
func rnnActivate(st *prog.Step, i int, x []float32) {
	alpha, beta := st.F[2*i], st.F[2*i+1]
	switch st.N[rnnActsAt+i] {
	case fnTanh:
		simd.Map(simd.Tanh, x, x, 0, 0)
	case fnSigmoid:
		simd.Map(simd.Sigmoid, x, x, 0, 0)
	case fnRelu:
		simd.Map(simd.Relu, x, x, 0, 0)
	case fnSoftsign:
		simd.Map(simd.Softsign, x, x, 0, 0)
	case fnSoftplus:
		simd.Map(simd.Softplus, x, x, 0, 0)
	case fnLeakyRelu:
		simd.Map(simd.LeakyRelu, x, x, alpha, 0)
	case fnThresholdedRelu:
		for k, v := range x {
			if !(v > alpha) {
				x[k] = 0
			}
		}
	case fnElu:
		simd.Map(simd.Elu, x, x, alpha, 0)
	case fnAffine:
		simd.Map(simd.Affine, x, x, alpha, beta)
	case fnScaledTanh:
		simd.Map(simd.MulC, x, x, beta, 0)
		simd.Map(simd.Tanh, x, x, 0, 0)
		simd.Map(simd.MulC, x, x, alpha, 0)
	case fnHardSigmoid:
		simd.Map(simd.HardSigmoid, x, x, alpha, beta)
	}
}

// rnnSlope returns the derivative of activation i of a step where its value is y. room holds one element.
func rnnSlope(st *prog.Step, i int, y float32, room []float32) float32 {
	alpha, beta := st.F[2*i], st.F[2*i+1]
	switch st.N[rnnActsAt+i] {
	case fnTanh:
		return 1 - float32(y*y)
	case fnSigmoid:
		return y * (1 - y)
	case fnRelu, fnThresholdedRelu:
		if y > 0 {
			return 1
		}
		return 0
	case fnSoftsign:
		d := 1 - float32(math.Abs(float64(y)))
		return d * d
	case fnSoftplus: // 1 - exp(-y)
		room[0] = -y
		simd.Map(simd.Exp, room, room, 0, 0)
		return 1 - room[0]
	case fnLeakyRelu:
		if y < 0 {
			return alpha
		}
	case fnElu:
		if y < 0 {
			return y + alpha
		}
	case fnAffine:
		return alpha
	case fnScaledTanh:
		t := y / alpha
		return float32(alpha*beta) * (1 - float32(t*t))
	case fnHardSigmoid:
		if y > 0 && y < 1 {
			return alpha
		}
		return 0
	}
	return 1
}

// lstm is simd.LSTMCell with the step's activations, peepholes and coupled gates.
func (e *rnnCell) lstm(gates, before, c, h []float32, m, n int) {
	for r := range m {
		g, cr, hr := gates[r*4*n:][:4*n], c[r*n:][:n], h[r*n:][:n]
		if e.p != nil && before != nil {
			for j, prev := range before[r*n:][:n] {
				g[j] += float32(e.p[j] * prev)
				g[2*n+j] += float32(e.p[2*n+j] * prev)
			}
		}
		e.activate(0, g[:n])
		if e.coupled {
			for j, i := range g[:n] {
				g[2*n+j] = 1 - i
			}
		} else {
			e.activate(0, g[2*n:3*n])
		}
		e.activate(1, g[3*n:])
		for j := range cr {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			cr[j] = float32(g[2*n+j]*prev) + float32(g[j]*g[3*n+j])
		}
		if e.p != nil {
			for j, v := range cr {
				g[n+j] += float32(e.p[n+j] * v)
			}
		}
		e.activate(0, g[n:2*n])
		copy(hr, cr)
		e.activate(2, hr)
		for j := range hr {
			hr[j] *= g[n+j]
		}
	}
}

// lstmGrad is simd.LSTMCellGrad with the step's activations, peepholes and coupled gates. room holds n elements.
func (e *rnnCell) lstmGrad(dGates, gates, before, c, dh, dc, room []float32, m, n int) {
	for r := range m {
		d, g, dcr := dGates[r*4*n:][:4*n], gates[r*4*n:][:4*n], dc[r*n:][:n]
		t := room[:n]
		copy(t, c[r*n:])
		e.activate(2, t)
		for j := range t {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			i, o, f, x, dy := g[j], g[n+j], g[2*n+j], g[3*n+j], dh[r*n+j]
			s := float32(float32(dy*o)*e.slope(2, t[j])) + dcr[j]
			do := float32(dy*t[j]) * e.slope(0, o)
			if e.p != nil {
				s += float32(do * e.p[n+j])
			}
			di, df := float32(s*x), float32(s*prev)
			if e.coupled {
				di, df = di-df, 0
			} else {
				df *= e.slope(0, f)
			}
			di *= e.slope(0, i)
			d[j], d[n+j], d[2*n+j] = di, do, df
			d[3*n+j] = float32(s*i) * e.slope(1, x)
			next := s * f
			if e.p != nil {
				next = next + float32(di*e.p[j]) + float32(df*e.p[2*n+j])
			}
			dcr[j] = next
		}
	}
}

// gruGates is simd.GRUGates with the step's activations.
func (e *rnnCell) gruGates(gates []float32, m, n int) {
	for r := range m {
		e.activate(0, gates[r*3*n:][:2*n])
	}
}

// gru is simd.GRUCell with the step's activations.
func (e *rnnCell) gru(gates, q, before, h []float32, m, n int) {
	for r := range m {
		g, hr := gates[r*3*n:][:3*n], h[r*n:][:n]
		x := g[2*n:]
		if q != nil {
			for j, y := range q[r*n:][:n] {
				x[j] += float32(g[n+j] * y)
			}
		}
		e.activate(1, x)
		for j := range hr {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			hr[j] = float32(g[j]*(prev-x[j])) + x[j]
		}
	}
}

// gruGrad is simd.GRUCellGrad with the step's activations.
func (e *rnnCell) gruGrad(dGates, gates, before, dh []float32, m, n int) {
	for r := range m {
		d, g, dhr := dGates[r*3*n:][:3*n], gates[r*3*n:][:3*n], dh[r*n:][:n]
		for j := range dhr {
			z, x := g[j], g[2*n+j]
			d[j] = float32(dhr[j]*(before[r*n+j]-x)) * e.slope(0, z)
			d[2*n+j] = float32(dhr[j]*(1-z)) * e.slope(1, x)
			dhr[j] *= z
		}
	}
}

// gruResetGrad is simd.GRUResetGrad with the step's activations.
func (e *rnnCell) gruResetGrad(dGates, dq, gates, q []float32, m, n int) {
	for r := range m {
		d, g := dGates[r*3*n:][:3*n], gates[r*3*n+n:][:n]
		for j, x := range g {
			d[n+j] = float32(d[2*n+j]*q[r*n+j]) * e.slope(0, x)
			dq[r*n+j] = d[2*n+j] * x
		}
	}
}

// gruStateGrad is simd.GRUStateGrad with the step's activations.
func (e *rnnCell) gruStateGrad(dGates, dh, gates, before, drh []float32, m, n int) {
	for r := range m {
		d, g := dGates[r*3*n+n:][:n], gates[r*3*n+n:][:n]
		for j, x := range g {
			dy := drh[r*n+j]
			d[j] = float32(dy*before[r*n+j]) * e.slope(0, x)
			dh[r*n+j] += float32(dy * x)
		}
	}
}

// kRNNCopy copies peepholes: A = {to, from}; N = {elements}.
var kRNNCopy = prog.Kernel{Name: "RNNCopy", Run: runRNNCopy}

func runRNNCopy(w *prog.Worker, st *prog.Step, _ int) {
	n := int(st.N[0])
	copy(w.F32(st.A[0], n), w.F32(st.A[1], n))
}

// kRNNPeepGrad sums the gradient of a direction's peepholes: A = {dP, dGates, rows of cell states, table, initial_c or None}; N = {T, N, H, direction, directions, flags}. Order: row by row.
var kRNNPeepGrad = prog.Kernel{Name: "RNNPeepGrad", Run: runRNNPeepGrad}

func runRNNPeepGrad(w *prog.Worker, st *prog.Step, _ int) {
	T, N, h, dir, dirs := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3]), int(st.N[4])
	tab := tableAt(w, st.A[3], T, N)
	dp, gates, cells := w.F32(st.A[0], 3*h), w.F32(st.A[1], T*N*4*h), w.F32(st.A[2], T*N*h)
	clear(dp)
	for s := range T {
		for p := range tab.active(s) {
			row := int(tab.off[s]) + p
			d := gates[row*4*h:][:4*h]
			for j, c := range cells[row*h:][:h] {
				dp[h+j] += float32(d[h+j] * c)
			}
			var before []float32
			if s > 0 {
				before = cells[(int(tab.off[s-1])+p)*h:][:h]
			} else if st.A[4] != prog.None {
				before = w.F32(st.A[4], N*dirs*h)[stateOf(st.N[5], int(tab.perm[p]), dir, N, dirs, h):][:h]
			}
			for j, c := range before {
				dp[j] += float32(d[j] * c)
				dp[2*h+j] += float32(d[2*h+j] * c)
			}
		}
	}
}

// supported reports whether kernels have the node's cells, and general whether they are those of this file.
func (c *rnnConf) supported() (ok, general bool) {
	if c.plain() {
		return true, false
	}
	for d := range c.dirs {
		for _, a := range c.acts[d] {
			// Where one value has several derivatives, or none is to be had from it.
			switch {
			case a.alpha < 0 && (a.name == "leakyrelu" || a.name == "elu" || a.name == "thresholdedrelu"), a.alpha == 0 && a.name == "scaledtanh":
				return false, false
			}
		}
	}
	return true, true
}
