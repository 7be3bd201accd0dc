package simd

// The optimizer updates follow the formulas of torch.optim, one pass over the slices of one variable. w is the variable, g
// its gradient (not changed), the others the optimizer's state, all of the same length. Gradients are multiplied by the options' Scale as they are read: g
// in the formulas stands for that product. Elements are independent, so ranges may be split among threads.
// The bias corrections 1 - beta**step are the caller's: one float64 power per step, not per element.

// keep returns the weight's factor and the coefficient of the gradient's decay term: decoupled decay shrinks the
// weight, coupled decay is added to the gradient.
func keep(lr, decay float32, decoupled bool) (factor, coupled float32) {
	if decoupled {
		return 1 - lr*decay, 0
	}
	return 1, decay
}

// SGDOptions are the numbers of [SGD].
type SGDOptions struct {
	Scale       float32 // factor of the gradient: 1 where nothing clips it
	LR          float32 // learning rate
	Momentum    float32 // 0: plain gradient descent, the velocity is not used
	Dampening   float32 // 0 at the first step, when the velocity is all zeros, as torch.optim does
	WeightDecay float32
	Nesterov    bool
	Decoupled   bool // decay the weights themselves by lr*WeightDecay (SGDW) instead of adding to the gradient
}

// sgdParams are the numbers a kernel reads, in this order.
type sgdParams struct{ lr, keep, decay, mu, damp, scale float32 }

// SGD updates w by stochastic gradient descent. With d = WeightDecay*w + g:
//
//	v = Momentum*v + (1-Dampening)*d
//	w = w - LR*v, or with Nesterov w - LR*(Momentum*v + d)
//
// v may be nil when Momentum is 0.
func SGD(w, g, v []float32, o *SGDOptions) {
	k, d := keep(o.LR, o.WeightDecay, o.Decoupled)
	p := &sgdParams{-o.LR, k, d, o.Momentum, 1 - o.Dampening, o.Scale}
	t := &current.vec
	c := current.Class
	g = g[:len(w)]
	switch {
	case o.Momentum == 0:
		if t.sgd != nil {
			t.sgd(w, g, noescape(p))
			return
		}
		for i, x := range w {
			w[i] = c.madd(c.madd(x, p.decay, float32(g[i]*p.scale)), p.lr, float32(x*p.keep))
		}
	case !o.Nesterov:
		v = v[:len(w)]
		if t.momentum != nil {
			t.momentum(w, g, v, noescape(p))
			return
		}
		for i, x := range w {
			d := c.madd(x, p.decay, float32(g[i]*p.scale))
			v[i] = c.madd(d, p.damp, float32(v[i]*p.mu))
			w[i] = c.madd(v[i], p.lr, float32(x*p.keep))
		}
	default:
		v = v[:len(w)]
		if t.nesterov != nil {
			t.nesterov(w, g, v, noescape(p))
			return
		}
		for i, x := range w {
			d := c.madd(x, p.decay, float32(g[i]*p.scale))
			v[i] = c.madd(d, p.damp, float32(v[i]*p.mu))
			w[i] = c.madd(c.madd(v[i], p.mu, d), p.lr, float32(x*p.keep))
		}
	}
}

// AdamOptions are the numbers of [Adam].
type AdamOptions struct {
	Scale                    float32 // factor of the gradient
	LR, Beta1, Beta2, Eps    float32
	Correction1, Correction2 float32 // 1 - Beta1**step and 1 - Beta2**step, step counting from 1
	WeightDecay              float32
	Decoupled                bool // AdamW
}

type adamParams struct{ keep, decay, beta1c, beta2, scale, root, eps, lr float32 }

// Adam updates w by Adam, or AdamW with Decoupled. With d = WeightDecay*w + g:
//
//	m = m + (1-Beta1)*(d - m)
//	v = Beta2*v + (1-Beta2)*d*d
//	w = w - LR/Correction1 * m / (sqrt(v)/sqrt(Correction2) + Eps)
func Adam(w, g, m, v []float32, o *AdamOptions) {
	k, d := keep(o.LR, o.WeightDecay, o.Decoupled)
	p := &adamParams{k, d, 1 - o.Beta1, o.Beta2, o.Scale, 1 / sqrt32(o.Correction2), o.Eps, -(o.LR / o.Correction1)}
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	if f := current.vec.adam; f != nil {
		f(w, g, m, v, noescape(p))
		return
	}
	c, beta2c := current.Class, 1-o.Beta2
	for i, x := range w {
		d := c.madd(x, p.decay, float32(g[i]*p.scale))
		m[i] = c.madd(d-m[i], p.beta1c, m[i])
		v[i] = c.madd(float32(d*beta2c), d, float32(v[i]*p.beta2))
		u := c.madd(sqrt32(v[i]), p.root, p.eps)
		w[i] = c.madd(m[i]/u, p.lr, float32(x*p.keep))
	}
}

// RMSPropOptions are the numbers of [RMSProp].
type RMSPropOptions struct {
	Scale        float32 // factor of the gradient
	LR, Rho, Eps float32 // Rho is the decay of the mean square (torch's alpha)
	WeightDecay  float32 // coupled
}

type rmspropParams struct{ decay, rho, rhoc, eps, lr, scale float32 }

// RMSProp updates w. With d = WeightDecay*w + g:
//
//	v = Rho*v + (1-Rho)*d*d
//	w = w - LR * d / (sqrt(v) + Eps)
func RMSProp(w, g, v []float32, o *RMSPropOptions) {
	p := &rmspropParams{o.WeightDecay, o.Rho, 1 - o.Rho, o.Eps, -o.LR, o.Scale}
	g, v = g[:len(w)], v[:len(w)]
	if f := current.vec.rmsprop; f != nil {
		f(w, g, v, noescape(p))
		return
	}
	c := current.Class
	for i, x := range w {
		d := c.madd(x, p.decay, float32(g[i]*p.scale))
		v[i] = c.madd(float32(d*p.rhoc), d, float32(v[i]*p.rho))
		w[i] = c.madd(d/(sqrt32(v[i])+p.eps), p.lr, x)
	}
}

// AdagradOptions are the numbers of [Adagrad].
type AdagradOptions struct {
	Scale       float32 // factor of the gradient
	LR, Eps     float32 // LR already divided by 1 + (step-1)*decay
	WeightDecay float32 // coupled
}

type adagradParams struct{ decay, eps, lr, scale float32 }

// Adagrad updates w. With d = WeightDecay*w + g:
//
//	v = v + d*d
//	w = w - LR * d / (sqrt(v) + Eps)
func Adagrad(w, g, v []float32, o *AdagradOptions) {
	p := &adagradParams{o.WeightDecay, o.Eps, -o.LR, o.Scale}
	g, v = g[:len(w)], v[:len(w)]
	if f := current.vec.adagrad; f != nil {
		f(w, g, v, noescape(p))
		return
	}
	c := current.Class
	for i, x := range w {
		d := c.madd(x, p.decay, float32(g[i]*p.scale))
		v[i] = c.madd(d, d, v[i])
		w[i] = c.madd(d/(sqrt32(v[i])+p.eps), p.lr, x)
	}
}

// LionOptions are the numbers of [Lion].
type LionOptions struct {
	Scale            float32 // factor of the gradient
	LR, Beta1, Beta2 float32
	WeightDecay      float32 // decoupled
}

type lionParams struct{ keep, beta1c, beta2c, lr, scale float32 }

// Lion updates w (Chen et al., "Symbolic discovery of optimization algorithms", 2023):
//
//	w = w*(1 - LR*WeightDecay) - LR*sign(m + (1-Beta1)*(g - m))
//	m = m + (1-Beta2)*(g - m)
func Lion(w, g, m []float32, o *LionOptions) {
	k, _ := keep(o.LR, o.WeightDecay, true)
	p := &lionParams{k, 1 - o.Beta1, 1 - o.Beta2, -o.LR, o.Scale}
	g, m = g[:len(w)], m[:len(w)]
	if f := current.vec.lion; f != nil {
		f(w, g, m, noescape(p))
		return
	}
	c := current.Class
	for i, x := range w {
		d := float32(g[i]*p.scale) - m[i]
		u := c.madd(d, p.beta1c, m[i])
		m[i] = c.madd(d, p.beta2c, m[i])
		step := float32(0)
		if u > 0 {
			step = p.lr
		} else if u < 0 {
			step = -p.lr
		}
		w[i] = float32(x*p.keep) + step
	}
}
