package op

import (
	"math"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd"
)

// Cells with other activations than the usual ones. Steps keep them in N from rnnActsAt on, numbers in rnnActs for f, g and h, with their parameters in F. Sums and products round by
// themselves here, in both numeric classes; derivatives are computed from the activations' values.
const rnnActsAt = 20

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

// setActs writes the activations of the first direction into a step; false when the other direction has others.
func (c *rnnConf) setActs(st *prog.Step) bool {
	if c.dirs == 2 && c.acts[0] != c.acts[1] {
		return false
	}
	for i, a := range c.acts[0] {
		for k := range rnnActs {
			if rnnActs[k].name == a.name {
				st.N[rnnActsAt+i] = int32(k)
			}
		}
		st.F[2*i], st.F[2*i+1] = a.alpha, a.beta
	}
	return true
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

// rnnSlope returns the derivative of activation i of a step where its value is y.
func rnnSlope(st *prog.Step, i int, y float32) float32 {
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

// lstmCell is simd.LSTMCell with the step's activations.
func lstmCell(st *prog.Step, gates, before, c, h []float32, m, n int) {
	for r := range m {
		g, cr, hr := gates[r*4*n:][:4*n], c[r*n:][:n], h[r*n:][:n]
		rnnActivate(st, 0, g[:3*n])
		rnnActivate(st, 1, g[3*n:])
		for j := range cr {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			cr[j] = float32(g[2*n+j]*prev) + float32(g[j]*g[3*n+j])
		}
		copy(hr, cr)
		rnnActivate(st, 2, hr)
		for j := range hr {
			hr[j] *= g[n+j]
		}
	}
}

// lstmCellGrad is simd.LSTMCellGrad with the step's activations. room holds n elements.
func lstmCellGrad(st *prog.Step, dGates, gates, before, c, dh, dc, room []float32, m, n int) {
	for r := range m {
		d, g, dcr := dGates[r*4*n:][:4*n], gates[r*4*n:][:4*n], dc[r*n:][:n]
		t := room[:n]
		copy(t, c[r*n:])
		rnnActivate(st, 2, t)
		for j := range t {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			i, o, f, x, e := g[j], g[n+j], g[2*n+j], g[3*n+j], dh[r*n+j]
			s := float32(float32(e*o)*rnnSlope(st, 2, t[j])) + dcr[j]
			d[j] = float32(s*x) * rnnSlope(st, 0, i)
			d[n+j] = float32(e*t[j]) * rnnSlope(st, 0, o)
			d[2*n+j] = float32(s*prev) * rnnSlope(st, 0, f)
			d[3*n+j] = float32(s*i) * rnnSlope(st, 1, x)
			dcr[j] = s * f
		}
	}
}

// gruGates is simd.GRUGates with the step's activations.
func gruGates(st *prog.Step, gates []float32, m, n int) {
	for r := range m {
		rnnActivate(st, 0, gates[r*3*n:][:2*n])
	}
}

// gruCell is simd.GRUCell with the step's activations.
func gruCell(st *prog.Step, gates, q, before, h []float32, m, n int) {
	for r := range m {
		g, hr := gates[r*3*n:][:3*n], h[r*n:][:n]
		x := g[2*n:]
		if q != nil {
			for j, y := range q[r*n:][:n] {
				x[j] += float32(g[n+j] * y)
			}
		}
		rnnActivate(st, 1, x)
		for j := range hr {
			var prev float32
			if before != nil {
				prev = before[r*n+j]
			}
			hr[j] = float32(g[j]*(prev-x[j])) + x[j]
		}
	}
}

// gruCellGrad is simd.GRUCellGrad with the step's activations.
func gruCellGrad(st *prog.Step, dGates, gates, before, dh []float32, m, n int) {
	for r := range m {
		d, g, dhr := dGates[r*3*n:][:3*n], gates[r*3*n:][:3*n], dh[r*n:][:n]
		for j := range dhr {
			z, x := g[j], g[2*n+j]
			d[j] = float32(dhr[j]*(before[r*n+j]-x)) * rnnSlope(st, 0, z)
			d[2*n+j] = float32(dhr[j]*(1-z)) * rnnSlope(st, 1, x)
			dhr[j] *= z
		}
	}
}

// gruResetGrad is simd.GRUResetGrad with the step's activations.
func gruResetGrad(st *prog.Step, dGates, dq, gates, q []float32, m, n int) {
	for r := range m {
		d, g := dGates[r*3*n:][:3*n], gates[r*3*n+n:][:n]
		for j, x := range g {
			d[n+j] = float32(d[2*n+j]*q[r*n+j]) * rnnSlope(st, 0, x)
			dq[r*n+j] = d[2*n+j] * x
		}
	}
}

// gruStateGrad is simd.GRUStateGrad with the step's activations.
func gruStateGrad(st *prog.Step, dGates, dh, gates, before, drh []float32, m, n int) {
	for r := range m {
		d, g := dGates[r*3*n+n:][:n], gates[r*3*n+n:][:n]
		for j, x := range g {
			e := drh[r*n+j]
			d[j] = float32(e*before[r*n+j]) * rnnSlope(st, 0, x)
			dh[r*n+j] += float32(e * x)
		}
	}
}

// supported reports whether kernels have the node's cells, and general whether they are those of this file.
func (c *rnnConf) supported() (ok, general bool) {
	if c.clip != 0 || c.coupled {
		return false, false
	}
	if c.plain() {
		return true, false
	}
	for _, a := range c.acts[0] {
		if a.name == "softplus" { // whose slope is not to be had from its value without an exponential
			return false, false
		}
	}
	return c.dirs == 1 || c.acts[0] == c.acts[1], true
}
