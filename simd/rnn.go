package simd

// Recurrent cells: what a step of an LSTM or a GRU does with the products of its weights, for all sequences at once. A row is a
// sequence; the gates of a row lie one after the other, n elements each. Elements are independent, so rows may be split among threads.

// LSTMCell computes a step of an LSTM. gates[rows, 4n] holds what goes into the activations of the gates i, o, f and the candidate g, and is replaced by
// their values; then
//
//	c = f*cPrev + i*g (a madd, with i*g rounded), h = o*tanh(c)
//
// for c and h of [rows, n]. cPrev may be c, and may be nil for zeros.
func LSTMCell(gates, cPrev, c, h []float32, rows, n int) {
	v, class := &current.vec, current.Class
	for r := range rows {
		g, cr, hr := gates[r*4*n:][:4*n], c[r*n:][:n], h[r*n:][:n]
		Map(Sigmoid, g[:3*n], g[:3*n], 0, 0)
		prev := cr
		if cPrev == nil {
			clear(cr)
		} else {
			prev = cPrev[r*n:][:n]
		}
		if v.lstmState != nil {
			v.lstmState(g[3*n:], g[:n], g[2*n:3*n], prev, cr)
			v.lstmOut(g[n:2*n], cr, hr)
			continue
		}
		for j := range cr {
			t := class.tanh(g[3*n+j])
			g[3*n+j] = t
			cr[j] = class.madd(g[2*n+j], prev[j], float32(g[j]*t))
			hr[j] = g[n+j] * class.tanh(cr[j])
		}
	}
}

// LSTMCellGrad computes the gradients of a step of an LSTM from what it computed: gates[rows, 4n], cPrev (nil for zeros) and c, and the gradients dh by h and dc by c, which
// came from the steps after it. It writes those by what went into the activations, dGates[rows, 4n], and replaces dc by the gradient by cPrev:
//
//	t = tanh(c), dO = (dh*t)*(o*(1-o)), dc = (dh*o)*(1-t*t) + dc
//	dI = (dc*g)*(i*(1-i)), dG = (dc*i)*(1-g*g), dF = (dc*cPrev)*(f*(1-f)), dc = dc*f
//
// where 1-t*t and 1-g*g are madds, as is the sum in dc.
func LSTMCellGrad(dGates, gates, cPrev, c, dh, dc []float32, rows, n int) {
	v, class := &current.vec, current.Class
	for r := range rows {
		d, g, cr, dhr, dcr := dGates[r*4*n:][:4*n], gates[r*4*n:][:4*n], c[r*n:][:n], dh[r*n:][:n], dc[r*n:][:n]
		prev := cr // not read when there is none
		if cPrev != nil {
			prev = cPrev[r*n:][:n]
		}
		if v.lstmGradOut != nil {
			v.lstmGradOut(d[n:2*n], g[n:2*n], cr, dhr, dcr)
			v.lstmGradIn(d[:n], d[3*n:], g[:n], g[3*n:], dcr)
			v.lstmGradForget(d[2*n:3*n], g[2*n:3*n], prev, dcr)
		} else {
			for j := range dcr {
				i, o, f, x := g[j], g[n+j], g[2*n+j], g[3*n+j]
				t := class.tanh(cr[j])
				d[n+j] = float32(dhr[j]*t) * float32(o*(1-o))
				s := class.madd(float32(dhr[j]*o), class.madd(-t, t, 1), dcr[j])
				d[j] = float32(s*x) * float32(i*(1-i))
				d[3*n+j] = float32(s*i) * class.madd(-x, x, 1)
				d[2*n+j] = float32(s*prev[j]) * float32(f*(1-f))
				dcr[j] = s * f
			}
		}
		if cPrev == nil {
			clear(d[2*n : 3*n])
		}
	}
}

// GRUGates replaces the first 2n of the 3n elements of each row of gates by their sigmoids, the gates z and r.
func GRUGates(gates []float32, rows, n int) {
	for r := range rows {
		g := gates[r*3*n:][:2*n]
		Map(Sigmoid, g, g, 0, 0)
	}
}

// GRUCell computes the rest of a step of a GRU: gates[rows, 3n] holds z, r and what goes into the candidate's activation, without the recurrent part q[rows, n] when
// q is given. The candidate is replaced by its value, and
//
//	n = tanh(r*q + x) (a madd), or tanh(x) without q; h = z*(hPrev-n) + n (a madd)
//
// for h of [rows, n]. hPrev may be h, and may be nil for zeros.
func GRUCell(gates, q, hPrev, h []float32, rows, n int) {
	v, class := &current.vec, current.Class
	for r := range rows {
		g, hr := gates[r*3*n:][:3*n], h[r*n:][:n]
		x := g[2*n:]
		switch {
		case q == nil:
			Map(Tanh, x, x, 0, 0)
		case v.gruCandidate != nil:
			v.gruCandidate(x, g[n:2*n], q[r*n:][:n])
		default:
			for j, y := range q[r*n:][:n] {
				x[j] = class.tanh(class.madd(g[n+j], y, x[j]))
			}
		}
		prev := hr
		if hPrev == nil {
			clear(hr)
		} else {
			prev = hPrev[r*n:][:n]
		}
		if v.gruOut != nil {
			v.gruOut(hr, g[:n], x, prev)
			continue
		}
		for j := range hr {
			hr[j] = class.madd(g[j], prev[j]-x[j], x[j])
		}
	}
}

// GRUCellGrad computes the first part of the gradients of a step of a GRU: from gates[rows, 3n], its values z, r, n, from hPrev, which may be nil for zeros, and dh, the
// gradient by h,
//
//	dZ = (dh*(hPrev-n))*(z*(1-z)), dN = (dh*(1-z))*(1-n*n) (1-n*n is a madd)
//
// by what went into the activations, into the places of z and n in dGates[rows, 3n]. dh is replaced by dh*z, the part of the gradient by hPrev that goes round the products.
func GRUCellGrad(dGates, gates, hPrev, dh []float32, rows, n int) {
	v, class := &current.vec, current.Class
	for r := range rows {
		d, g, dhr := dGates[r*3*n:][:3*n], gates[r*3*n:][:3*n], dh[r*n:][:n]
		x := g[2*n:]
		var prev []float32
		if hPrev != nil {
			prev = hPrev[r*n:][:n]
		} else { // the place of r is free
			prev = d[n : 2*n]
			clear(prev)
		}
		if v.gruGradOut != nil {
			v.gruGradOut(d[:n], d[2*n:], dhr, g[:n], x, prev)
			continue
		}
		for j := range dhr {
			z := g[j]
			d[j] = float32(dhr[j]*(prev[j]-x[j])) * float32(z*(1-z))
			d[2*n+j] = float32(dhr[j]*(1-z)) * class.madd(-x[j], x[j], 1)
			dhr[j] *= z
		}
	}
}

// GRUResetGrad computes the gradients of a GRU whose reset gate multiplies the product q[rows, n]: dR = (dN*q)*(r*(1-r)) into its place in dGates[rows, 3n], and
// dq = dN*r.
func GRUResetGrad(dGates, dq, gates, q []float32, rows, n int) {
	v := &current.vec
	for r := range rows {
		d, g, dqr, qr := dGates[r*3*n:][:3*n], gates[r*3*n+n:][:n], dq[r*n:][:n], q[r*n:][:n]
		if v.gruGradReset != nil {
			v.gruGradReset(d[n:2*n], dqr, d[2*n:], g, qr)
			continue
		}
		for j, x := range g {
			d[n+j] = float32(d[2*n+j]*qr[j]) * float32(x*(1-x))
			dqr[j] = d[2*n+j] * x
		}
	}
}

// GRUStateGrad computes the gradients of a GRU whose reset gate multiplies the state, from the gradient drh[rows, n] by that product: dR = (drh*hPrev)*(r*(1-r)) into
// its place in dGates[rows, 3n], and dh = drh*r + dh (a madd). hPrev may be nil for zeros.
func GRUStateGrad(dGates, dh, gates, hPrev, drh []float32, rows, n int) {
	v, class := &current.vec, current.Class
	for r := range rows {
		d, g, dhr, e := dGates[r*3*n+n:][:n], gates[r*3*n+n:][:n], dh[r*n:][:n], drh[r*n:][:n]
		prev := e // not read when there is none
		if hPrev != nil {
			prev = hPrev[r*n:][:n]
		}
		if v.gruGradState != nil {
			v.gruGradState(d, dhr, g, prev, e)
		} else {
			for j, x := range g {
				d[j] = float32(e[j]*prev[j]) * float32(x*(1-x))
				dhr[j] = class.madd(e[j], x, dhr[j])
			}
		}
		if hPrev == nil {
			clear(d)
		}
	}
}
