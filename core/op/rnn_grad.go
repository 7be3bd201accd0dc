package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The gradient of a recurrent operator takes dY, dY_h, dY_c (nil where none flows), then the operator's eight inputs, then its Y and what it saved (nil for RNN), and gives the
// gradients by X, W, R, B, initial_h, initial_c and P. As formulas they are the steps written one by one, so the number of
// steps must be known where the gradient is differentiated or exported; the kernels use Y and what was saved.
const (
	gradDY    = 0
	gradIn    = 3
	gradY     = gradIn + 8
	gradSaved = gradY + 1
	gradOuts  = 7
)

// gradOf lists the operator's inputs that the outputs of its gradient belong to.
var gradOf = [gradOuts]int{rnnX, rnnW, rnnR, rnnB, rnnH0, rnnC0, rnnP}

// DefRNNGrad is weft.RNNGrad, the gradients of RNN.
var DefRNNGrad = graph.Def{
	Domain: "weft", Name: "RNNGrad", MinIn: 0, MaxIn: gradSaved + 1, MaxOut: gradOuts, Doc: "gradients of RNN", Attrs: rnnAttrs,
	Infer: inferRNNGrad, Body: bodyRNNGrad{}, Lower: lowerRNNGrad, FLOPs: flopsRNNGrad,
}

// DefGRUGrad is weft.GRUGrad, the gradients of GRU.
var DefGRUGrad = graph.Def{
	Domain: "weft", Name: "GRUGrad", MinIn: 0, MaxIn: gradSaved + 1, MaxOut: gradOuts, Doc: "gradients of GRU", Attrs: gruAttrs,
	Infer: inferRNNGrad, Body: bodyRNNGrad{}, Lower: lowerRNNGrad, FLOPs: flopsRNNGrad,
}

// DefLSTMGrad is weft.LSTMGrad, the gradients of LSTM.
var DefLSTMGrad = graph.Def{
	Domain: "weft", Name: "LSTMGrad", MinIn: 0, MaxIn: gradSaved + 1, MaxOut: gradOuts, Doc: "gradients of LSTM", Attrs: lstmAttrs,
	Infer: inferRNNGrad, Body: bodyRNNGrad{}, Lower: lowerRNNGrad, FLOPs: flopsRNNGrad,
}

type gradRNN struct{}

func (gradRNN) Grad(c *graph.GradCtx) []*graph.Value {
	kind := kindOf(c.Node.Def)
	in := make([]*graph.Value, gradSaved+1)
	copy(in, c.DY[:min(len(c.DY), gradIn)])
	if kind != kindLSTM {
		in[rnnYc] = nil // GRU's third output is what it saves
	}
	copy(in[gradIn:], c.Node.Inputs)
	in[gradY] = extraOutput(c.Node, rnnY)
	def, last := &DefRNNGrad, 0
	switch kind {
	case kindGRU:
		def, last = &DefGRUGrad, rnnYh+1
	case kindLSTM:
		def, last = &DefLSTMGrad, rnnYc+1
	}
	if last > 0 {
		in[gradSaved] = extraOutput(c.Node, last)
	}
	d := c.G.AddN(def, "", gradOuts, c.Node.Attrs, in...)
	out := make([]*graph.Value, len(c.Node.Inputs))
	for i, k := range gradOf {
		if k < len(out) && c.Node.Inputs[k] != nil {
			out[k] = d[i]
		} else {
			d[i].Node.Outputs[i] = nil
		}
	}
	return out
}

func inferRNNGrad(c *graph.InferCtx) {
	conf := rnnConfOf(c.Node)
	if len(c.In) <= gradY {
		c.Fail("takes ", gradSaved+1, " inputs")
	}
	inferRNNShape(c, &conf, c.In[gradIn:gradY])
	for i, k := range gradOf {
		if i < len(c.Out) {
			if t := c.In[gradIn+k]; t.DType != tensor.Undefined {
				setLike(c, i, t.DType, t)
			} else {
				c.Set(i, c.In[gradIn].DType, []int{0})
			}
		}
	}
}

type bodyRNNGrad struct{}

// Body writes the operator step by step and differentiates that.
func (bodyRNNGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	conf := rnnConfOf(n)
	src := append([]*graph.Value{}, in[gradIn:gradY]...)
	var wrt []*graph.Value
	for _, k := range gradOf {
		if src[k] != nil {
			src[k] = Identity(src[k]) // an input that is given twice is two
			wrt = append(wrt, src[k])
		}
	}
	var ys, dys []*graph.Value
	for i, y := range unrolled(n, &conf, src) {
		if y != nil && in[gradDY+i] != nil {
			ys, dys = append(ys, y), append(dys, in[gradDY+i])
		}
	}
	grads := backward(g, ys, dys, wrt, true)
	out := make([]*graph.Value, gradOuts)
	for i, k := range gradOf {
		if src[k] == nil {
			continue
		}
		if out[i] = grads[0]; out[i] == nil {
			out[i] = zerosLike(src[k])
		}
		grads = grads[1:]
	}
	return out
}

// apply returns the activation of x.
func (a rnnAct) apply(x *graph.Value) *graph.Value {
	affine := func(x *graph.Value, alpha, beta float32) *graph.Value {
		return Add(Mul(x, ConstLike(x, float64(alpha))), ConstLike(x, float64(beta)))
	}
	switch a.name {
	case "tanh":
		return Tanh(x)
	case "sigmoid":
		return Sigmoid(x)
	case "relu":
		return Relu(x)
	case "softsign":
		return Div(x, Add(Abs(x), ConstLike(x, 1)))
	case "softplus":
		return Softplus(x)
	case "leakyrelu":
		return LeakyRelu(x, a.alpha)
	case "thresholdedrelu":
		return Where(Greater(x, ConstLike(x, float64(a.alpha))), x, ConstLike(x, 0))
	case "elu":
		return Elu(x, a.alpha)
	case "affine":
		return affine(x, a.alpha, a.beta)
	case "scaledtanh":
		return Mul(Tanh(Mul(x, ConstLike(x, float64(a.beta)))), ConstLike(x, float64(a.alpha)))
	case "hardsigmoid":
		y := affine(x, a.alpha, a.beta)
		return Clip(y, ConstLike(y, 0), ConstLike(y, 1))
	}
	return x
}

// unroll is one direction of a recurrent operator written step by step.
type unroll struct {
	*rnnConf
	acts   *[3]rnnAct
	H      int
	w, r   *graph.Value // [gates*H, D], [gates*H, H]
	bw, br *graph.Value // [gates*H], nil when not given
	p      [3]*graph.Value
	h, c   *graph.Value // [N, H]
}

// rows returns rows [lo, hi) of a matrix or vector, nil of nil.
func rows(x *graph.Value, lo, hi int) *graph.Value {
	if x == nil {
		return nil
	}
	return Slice(x, []int{lo}, []int{hi}, SliceOptions{Axes: []int{0}})
}

// unrolled returns Y, Y_h and Y_c of a recurrent operator with the inputs in, as nodes of other operators.
func unrolled(n *graph.Node, conf *rnnConf, in []*graph.Value) []*graph.Value {
	x := in[rnnX]
	if !x.HasRank || !in[rnnR].HasRank || in[rnnR].Shape[2] < 1 {
		tensor.Fail(n.Describe(), "its shapes must be known to write its steps one by one")
	}
	timeAxis, dirAxis := 0, 0 // dirAxis is that of the states
	if conf.batch {
		timeAxis, dirAxis = 1, 1
	}
	T := x.Shape[timeAxis]
	if T < 0 {
		tensor.Fail(n.Describe(), "the number of steps must be known to write them one by one; kernels need it at run time only, second derivatives and export need it here")
	}
	at := func(v *graph.Value, axis, i int) *graph.Value { // element i along an axis, which goes
		return Squeeze(Slice(v, []int{i}, []int{i + 1}, SliceOptions{Axes: []int{axis}}), axis)
	}
	H := in[rnnR].Shape[2]
	// Zeros of [N, H] whatever N is: a product with the first step's features.
	zeros := func(x0 *graph.Value) *graph.Value {
		z := x0.G.Const(tensor.New(x0.DType, 1, H))
		return Add(Mul(ReduceSum(x0, []int{1}, true), ConstLike(x0, 0)), z)
	}
	steps := make([][]*graph.Value, conf.dirs)
	var hs, cs []*graph.Value
	for d := range conf.dirs {
		u := &unroll{rnnConf: conf, acts: &conf.acts[d], H: H}
		u.w, u.r = at(in[rnnW], 0, d), at(in[rnnR], 0, d)
		if in[rnnB] != nil {
			b, g := at(in[rnnB], 0, d), conf.kind.gates()*H
			u.bw, u.br = rows(b, 0, g), rows(b, g, 2*g)
		}
		for k := range u.p {
			if in[rnnP] != nil {
				u.p[k] = rows(at(in[rnnP], 0, d), k*H, k*H+H)
			}
		}
		if in[rnnH0] != nil {
			u.h = at(in[rnnH0], dirAxis, d)
		}
		if in[rnnC0] != nil {
			u.c = at(in[rnnC0], dirAxis, d)
		}
		steps[d] = make([]*graph.Value, T)
		for s := range T {
			t := s
			if conf.reverse[d] {
				t = T - 1 - s
			}
			xt := at(x, timeAxis, t)
			if u.h == nil {
				u.h = zeros(xt)
			}
			if u.c == nil {
				u.c = zeros(xt)
			}
			h, c := u.h, u.c
			u.step(xt)
			steps[d][t] = u.h
			if in[rnnLens] != nil { // a sequence that has ended, or in reverse not begun, keeps its state and gives zeros
				on := Unsqueeze(Greater(in[rnnLens], in[rnnLens].G.Const(tensor.From([]int32{int32(t)}))), 1)
				steps[d][t] = Where(on, u.h, ConstLike(u.h, 0))
				u.h, u.c = Where(on, u.h, h), Where(on, u.c, c)
			}
		}
		if T == 0 {
			tensor.Fail(n.Describe(), "has no steps")
		}
		hs, cs = append(hs, Unsqueeze(u.h, dirAxis)), append(cs, Unsqueeze(u.c, dirAxis))
	}
	var ys []*graph.Value
	for t := range T {
		var both []*graph.Value
		for d := range conf.dirs {
			both = append(both, Unsqueeze(steps[d][t], dirAxis))
		}
		ys = append(ys, Unsqueeze(Concat(dirAxis, both...), timeAxis)) // [1, dirs, N, H] or [N, 1, dirs, H]
	}
	out := []*graph.Value{Concat(timeAxis, ys...), Concat(dirAxis, hs...), nil}
	if conf.kind == kindLSTM {
		out[rnnYc] = Concat(dirAxis, cs...)
	}
	return out
}

// gate returns x W^T + h R^T with their biases for one gate.
func (u *unroll) gate(i int, x, h *graph.Value) *graph.Value {
	return Add(u.part(i, x, u.w, u.bw), u.part(i, h, u.r, u.br))
}

func (u *unroll) part(i int, x, w, b *graph.Value) *graph.Value {
	return Gemm(x, rows(w, i*u.H, i*u.H+u.H), rows(b, i*u.H, i*u.H+u.H), GemmOptions{TransB: true})
}

// act clips and applies activation number k.
func (u *unroll) act(k int, x *graph.Value) *graph.Value {
	if u.clip != 0 {
		x = Clip(x, ConstLike(x, -float64(u.clip)), ConstLike(x, float64(u.clip)))
	}
	return u.acts[k].apply(x)
}

func (u *unroll) peep(k int, x, c *graph.Value) *graph.Value {
	if u.p[k] == nil {
		return x
	}
	return Add(x, Mul(u.p[k], c))
}

// step replaces the states by those after the features x [N, D].
func (u *unroll) step(x *graph.Value) {
	h, c := u.h, u.c
	switch u.kind {
	case kindRNN:
		u.h = u.act(0, u.gate(0, x, h))
	case kindLSTM:
		i := u.act(0, u.peep(0, u.gate(0, x, h), c))
		f := Sub(ConstLike(i, 1), i)
		if !u.coupled {
			f = u.act(0, u.peep(2, u.gate(2, x, h), c))
		}
		g := u.act(1, u.gate(3, x, h))
		u.c = Add(Mul(f, c), Mul(i, g))
		o := u.act(0, u.peep(1, u.gate(1, x, h), u.c))
		u.h = Mul(o, u.act(2, u.c))
	case kindGRU:
		z, r := u.act(0, u.gate(0, x, h)), u.act(0, u.gate(1, x, h))
		var n *graph.Value
		if u.linear {
			n = u.act(1, Add(u.part(2, x, u.w, u.bw), Mul(r, u.part(2, h, u.r, u.br))))
		} else {
			n = u.act(1, u.gate(2, x, Mul(r, h)))
		}
		u.h = Add(Mul(Sub(ConstLike(z, 1), z), n), Mul(z, h))
	}
}
