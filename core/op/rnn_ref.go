package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// of returns the activation's value.
func (a rnnAct) of(x float64) float64 {
	alpha, beta := float64(a.alpha), float64(a.beta)
	switch a.name {
	case "tanh":
		return math.Tanh(x)
	case "sigmoid":
		return 1 / (1 + math.Exp(-x))
	case "relu":
		return max(x, 0)
	case "softsign":
		return x / (1 + math.Abs(x))
	case "softplus":
		return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x)))
	case "leakyrelu":
		if x < 0 {
			return alpha * x
		}
	case "thresholdedrelu":
		if !(x > alpha) {
			return 0
		}
	case "elu":
		if x < 0 {
			return alpha * math.Expm1(x)
		}
	case "affine":
		return alpha*x + beta
	case "scaledtanh":
		return alpha * math.Tanh(beta*x)
	case "hardsigmoid":
		return max(0, min(1, alpha*x+beta))
	}
	return x
}

// rnnRef is one direction of a reference evaluation.
type rnnRef struct {
	rnnConf
	rnnShape
	dir                  int
	w, r, b, p           []float64 // of the direction; b and p are nil when they are not given
	x, h, c, y, yh, yc   []float64
	saved                []float64
	perm, length, offset []int32
}

func refRNN(c *graph.RefCtx) {
	conf := rnnConfOf(c.Node)
	s := conf.shapeOf(c.In[rnnX].Shape(), c.In[rnnR].Shape())
	get := func(i int) []float64 {
		if !c.Has(i) {
			return nil
		}
		return c.In[i].Float64s()
	}
	var lens []int32
	if c.Has(rnnLens) {
		lens = tensor.Data[int32](c.In[rnnLens])
	}
	f := &rnnRef{rnnConf: conf, rnnShape: s, x: get(rnnX), h: make([]float64, s.dirs*s.N*s.H), c: make([]float64, s.dirs*s.N*s.H)}
	copy(f.h, get(rnnH0))
	copy(f.c, get(rnnC0))
	f.perm, f.length, f.offset = make([]int32, s.N), make([]int32, s.N), make([]int32, s.T+1)
	if !rnnPack(f.perm, f.length, f.offset, lens, s.T) {
		c.Fail("a length in sequence_lens is not of 0 to ", s.T)
	}
	f.y = make([]float64, s.T*s.dirs*s.N*s.H)
	f.saved = make([]float64, s.dirs*s.T*s.N*conf.saved()*s.H)
	g := conf.kind.gates() * s.H
	w, r, b, p := get(rnnW), get(rnnR), get(rnnB), get(rnnP)
	for d := range s.dirs {
		f.dir = d
		f.w, f.r = w[d*g*s.D:][:g*s.D], r[d*g*s.H:][:g*s.H]
		if b != nil {
			f.b = b[d*2*g:][:2*g]
		}
		if p != nil {
			f.p = p[d*3*s.H:][:3*s.H]
		}
		for i := range s.N {
			f.sequence(i)
		}
	}
	last := rnnYh + 1
	if conf.kind == kindLSTM {
		last++
	}
	for i, v := range [][]float64{f.y, f.h, f.c} {
		if i < last && c.Wants(i) {
			c.Out[i].SetFloat64s(v)
		}
	}
	if c.Wants(last) {
		c.Out[last].SetFloat64s(f.saved)
	}
}

// sequence computes the steps of the p-th longest sequence.
func (f *rnnRef) sequence(p int) {
	n, steps := int(f.perm[p]), int(f.length[p])
	at := f.state(f.batch, n, f.dir)
	h, c := f.h[at:][:f.H], f.c[at:][:f.H]
	for s := range steps {
		t := s
		if f.reverse[f.dir] {
			t = steps - 1 - s
		}
		f.step(f.x[f.at(f.batch, t, n, 0, 1, f.D):][:f.D], h, c, int(f.offset[s])+p)
		copy(f.y[f.at(f.batch, t, n, f.dir, f.rnnShape.dirs, f.H):], h)
	}
}

func (f *rnnRef) clamp(x float64) float64 {
	if f.clip == 0 {
		return x
	}
	return max(-float64(f.clip), min(float64(f.clip), x))
}

// product returns row i of W times x plus its bias, and row i of R times h plus its bias.
func (f *rnnRef) product(i int, x, h []float64) (wx, rh float64) {
	for k, v := range x {
		wx += f.w[i*f.D+k] * v
	}
	for k, v := range h {
		rh += f.r[i*f.H+k] * v
	}
	if f.b != nil {
		wx += f.b[i]
		rh += f.b[f.kind.gates()*f.H+i]
	}
	return wx, rh
}

// step replaces h and c by the next states, and saves what the gradient needs in row number row.
func (f *rnnRef) step(x, h, c []float64, row int) {
	a := &f.acts[f.dir]
	next := make([]float64, f.H)
	saved := f.saved[f.dir*f.T*f.N*f.rnnConf.saved()*f.H:]
	gates := f.kind.gates() * f.H
	var save, extra []float64
	if f.rnnConf.saved() > 0 {
		save, extra = saved[row*gates:][:gates], saved[f.T*f.N*gates+row*f.H:][:f.H]
	}
	pre := func(gate, j int, h []float64) float64 {
		wx, rh := f.product(gate*f.H+j, x, h)
		return wx + rh
	}
	peephole := func(gate, j int, c float64) float64 {
		if f.p == nil {
			return 0
		}
		return f.p[gate*f.H+j] * c
	}
	switch f.kind {
	case kindRNN:
		for j := range next {
			next[j] = a[0].of(f.clamp(pre(0, j, h)))
		}
	case kindLSTM:
		for j := range next {
			i := a[0].of(f.clamp(pre(0, j, h) + peephole(0, j, c[j])))
			forget := 1 - i
			if !f.coupled {
				forget = a[0].of(f.clamp(pre(2, j, h) + peephole(2, j, c[j])))
			}
			g := a[1].of(f.clamp(pre(3, j, h)))
			c[j] = forget*c[j] + i*g
			o := a[0].of(f.clamp(pre(1, j, h) + peephole(1, j, c[j])))
			next[j] = o * a[2].of(f.clamp(c[j]))
			save[j], save[f.H+j], save[2*f.H+j], save[3*f.H+j], extra[j] = i, o, forget, g, c[j]
		}
	case kindGRU:
		z, r, rh := make([]float64, f.H), make([]float64, f.H), make([]float64, f.H)
		for j := range next {
			z[j], r[j] = a[0].of(f.clamp(pre(0, j, h))), a[0].of(f.clamp(pre(1, j, h)))
			rh[j] = r[j] * h[j]
		}
		for j := range next {
			var u float64
			if f.linear {
				wx, q := f.product(2*f.H+j, x, h)
				u, extra[j] = wx+r[j]*q, q
			} else {
				u, extra[j] = pre(2, j, rh), rh[j]
			}
			n := a[1].of(f.clamp(u))
			next[j] = (1-z[j])*n + z[j]*h[j]
			save[j], save[f.H+j], save[2*f.H+j] = z[j], r[j], n
		}
	}
	copy(h, next)
}
