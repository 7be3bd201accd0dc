package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// Optimizer updates, one pass over a parameter each. Inputs are the parameter, its gradient, the optimizer's slots
// (all of one shape), the learning rate and, where the formula depends on the step, correction factors, these as
// tensors of one element, and a factor of the gradient (omitted: 1; see ClipFactor); outputs are the new parameter and the new slots, which may take over the memory of the old ones. The formulas are torch.optim's.
// With coupled weight decay d = g + weight_decay*w stands for the gradient; decoupled decay shrinks w by lr*weight_decay instead.

// inferUpdate checks an update with the given number of slots and scalars.
func inferUpdate(c *graph.InferCtx, slots int) {
	wantFloat(c, 0)
	for i := 1; i < len(c.In); i++ {
		wantSameType(c, 0, i)
		if i >= 2+slots {
			wantScalar(c, i)
		}
	}
	sameAsAll(c, c.In[:2+slots]...)
	for i := 1; i < len(c.Out); i++ {
		c.Out[i] = c.Out[0]
	}
}

func inferUpdate0(c *graph.InferCtx) { inferUpdate(c, 0) }
func inferUpdate1(c *graph.InferCtx) { inferUpdate(c, 1) }
func inferUpdate2(c *graph.InferCtx) { inferUpdate(c, 2) }

// axpb returns a*x + b, leaving out what is trivial; b may be nil.
func axpb(a float64, x, b *graph.Value) *graph.Value {
	if a != 1 {
		x = Mul(x, ConstLike(x, a))
	}
	if b == nil {
		return x
	}
	return Add(x, b)
}

// timesScale returns the gradient times its factor, which is input i.
func timesScale(in []*graph.Value, i int) *graph.Value {
	if s := at(in, i); s != nil {
		return Mul(in[1], s)
	}
	return in[1]
}

// decayed returns the parameter and the gradient after weight decay.
func decayed(n *graph.Node, w, g, lr *graph.Value) (w2, g2 *graph.Value) {
	wd := float64(n.Float("weight_decay"))
	switch {
	case wd == 0:
		return w, g
	case n.Int("decoupled") != 0:
		return Mul(w, Sub(ConstLike(w, 1), axpb(wd, lr, nil))), g
	}
	return w, axpb(wd, w, g)
}

// DefSGD is weft.SGD(w, g, lr): w' = w - lr*d.
var DefSGD = graph.Def{
	Domain: "weft", Name: "SGD", MinIn: 3, MaxIn: 4, Doc: "one step of gradient descent", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "weight_decay", Kind: graph.AttrFloat}, {Name: "decoupled", Kind: graph.AttrInt}},
	Infer: inferUpdate0, FLOPs: flopsSGD, Body: bodySGD{}, Lower: lowerSGD,
}

type bodySGD struct{}

func (bodySGD) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	w, d := decayed(n, in[0], timesScale(in, 3), in[2])
	return []*graph.Value{Sub(w, Mul(in[2], d))}
}

// UpdateOptions are the settings that the optimizer updates share.
type UpdateOptions struct {
	WeightDecay float32
	Decoupled   bool         // shrink the parameter by lr*WeightDecay instead of adding WeightDecay*w to the gradient
	Scale       *graph.Value // factor of the gradient, one element; nil: 1
}

func (o UpdateOptions) attrs() []graph.Attr {
	return []graph.Attr{graph.Float("weight_decay", o.WeightDecay), graph.Bool("decoupled", o.Decoupled)}
}

// SGD returns w - lr*g.
func SGD(w, g, lr *graph.Value, o UpdateOptions) *graph.Value {
	return w.G.Add(&DefSGD, o.attrs(), trimmed(w, g, lr, o.Scale)...)
}

// DefMomentum is weft.Momentum(w, g, v, lr): v' = momentum*v + d; w' = w - lr*v', or under nesterov w - lr*(d + momentum*v').
var DefMomentum = graph.Def{
	Domain: "weft", Name: "Momentum", MinIn: 4, MaxIn: 5, MinOut: 2, MaxOut: 2, Doc: "one step of gradient descent with momentum",
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}},
	Attrs: []graph.AttrDef{
		{Name: "momentum", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.9}},
		{Name: "nesterov", Kind: graph.AttrInt},
		{Name: "weight_decay", Kind: graph.AttrFloat}, {Name: "decoupled", Kind: graph.AttrInt},
	},
	Infer: inferUpdate1, FLOPs: flopsMomentum, Body: bodyMomentum{}, Lower: lowerMomentum,
}

type bodyMomentum struct{}

func (bodyMomentum) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	mu := float64(n.Float("momentum"))
	w, d := decayed(n, in[0], timesScale(in, 4), in[3])
	v := axpb(mu, in[2], d)
	step := v
	if n.Int("nesterov") != 0 {
		step = axpb(mu, v, d)
	}
	return []*graph.Value{Sub(w, Mul(in[3], step)), v}
}

// MomentumOptions are the settings of [Momentum].
type MomentumOptions struct {
	UpdateOptions
	Momentum float32 // 0: 0.9
	Nesterov bool
}

// Momentum returns the new parameter and the new velocity.
func Momentum(w, g, v, lr *graph.Value, o MomentumOptions) (w2, v2 *graph.Value) {
	out := w.G.AddN(&DefMomentum, "", 2, append(o.attrs(), orDefault("momentum", o.Momentum, 0.9), graph.Bool("nesterov", o.Nesterov)), trimmed(w, g, v, lr, o.Scale)...)
	return out[0], out[1]
}

func orDefault(name string, v, otherwise float32) graph.Attr {
	if v == 0 {
		v = otherwise
	}
	return graph.Float(name, v)
}

// DefRMSProp is weft.RMSProp(w, g, v, lr): v' = rho*v + (1-rho)*d*d; w' = w - lr*d/(sqrt(v') + epsilon).
var DefRMSProp = graph.Def{
	Domain: "weft", Name: "RMSProp", MinIn: 4, MaxIn: 5, MinOut: 2, MaxOut: 2, Doc: "one step of RMSProp",
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}},
	Attrs: []graph.AttrDef{
		{Name: "rho", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.99}},
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-8}},
		{Name: "weight_decay", Kind: graph.AttrFloat},
	},
	Infer: inferUpdate1, FLOPs: flopsRMSProp, Body: bodyRMSProp{}, Lower: lowerRMSProp,
}

type bodyRMSProp struct{}

func (bodyRMSProp) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	rho := float64(n.Float("rho"))
	w, d := decayed(n, in[0], timesScale(in, 4), in[3])
	v := axpb(rho, in[2], axpb(1-rho, Mul(d, d), nil))
	return []*graph.Value{Sub(w, Mul(in[3], Div(d, Add(Sqrt(v), eps(n, v))))), v}
}

func eps(n *graph.Node, like *graph.Value) *graph.Value {
	return ConstLike(like, float64(n.Float("epsilon")))
}

// RMSPropOptions are the settings of [RMSProp].
type RMSPropOptions struct {
	WeightDecay float32
	Rho         float32      // decay of the mean square; 0: 0.99
	Epsilon     float32      // 0: 1e-8
	Scale       *graph.Value // factor of the gradient; nil: 1
}

// RMSProp returns the new parameter and the new mean square.
func RMSProp(w, g, v, lr *graph.Value, o RMSPropOptions) (w2, v2 *graph.Value) {
	out := w.G.AddN(&DefRMSProp, "", 2, []graph.Attr{graph.Float("weight_decay", o.WeightDecay), orDefault("rho", o.Rho, 0.99), orDefault("epsilon", o.Epsilon, 1e-8)}, trimmed(w, g, v, lr, o.Scale)...)
	return out[0], out[1]
}

// DefAdagrad is weft.Adagrad(w, g, v, lr): v' = v + d*d; w' = w - lr*d/(sqrt(v') + epsilon).
var DefAdagrad = graph.Def{
	Domain: "weft", Name: "Adagrad", MinIn: 4, MaxIn: 5, MinOut: 2, MaxOut: 2, Doc: "one step of Adagrad",
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}},
	Attrs: []graph.AttrDef{
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-10}},
		{Name: "weight_decay", Kind: graph.AttrFloat},
	},
	Infer: inferUpdate1, FLOPs: flopsRMSProp, Body: bodyAdagrad{}, Lower: lowerAdagrad,
}

type bodyAdagrad struct{}

func (bodyAdagrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	w, d := decayed(n, in[0], timesScale(in, 4), in[3])
	v := Add(in[2], Mul(d, d))
	return []*graph.Value{Sub(w, Mul(in[3], Div(d, Add(Sqrt(v), eps(n, v))))), v}
}

// AdagradOptions are the settings of [Adagrad].
type AdagradOptions struct {
	WeightDecay float32
	Epsilon     float32      // 0: 1e-10
	Scale       *graph.Value // factor of the gradient; nil: 1
}

// Adagrad returns the new parameter and the new sum of squares.
func Adagrad(w, g, v, lr *graph.Value, o AdagradOptions) (w2, v2 *graph.Value) {
	out := w.G.AddN(&DefAdagrad, "", 2, []graph.Attr{graph.Float("weight_decay", o.WeightDecay), orDefault("epsilon", o.Epsilon, 1e-10)}, trimmed(w, g, v, lr, o.Scale)...)
	return out[0], out[1]
}

var adamAttrs = []graph.AttrDef{
	{Name: "beta1", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.9}},
	{Name: "beta2", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.999}},
	{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-8}},
	{Name: "weight_decay", Kind: graph.AttrFloat},
}

// DefAdam is weft.Adam(w, g, m, v, lr, c1, c2) with c1 = 1-beta1^t and c2 = 1-beta2^t (Kingma and Ba, 2015):
// m' = m + (1-beta1)*(d-m); v' = beta2*v + (1-beta2)*d*d; w' = w - lr/c1 * m'/(sqrt(v')/sqrt(c2) + epsilon).
var DefAdam = graph.Def{
	Domain: "weft", Name: "Adam", MinIn: 7, MaxIn: 8, MinOut: 3, MaxOut: 3, Doc: "one step of Adam", Attrs: adamAttrs,
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}, {2, 3}},
	Infer: inferUpdate2, FLOPs: flopsAdam, Body: bodyAdam{}, Lower: lowerAdam,
}

// DefAdamW is weft.AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
var DefAdamW = graph.Def{
	Domain: "weft", Name: "AdamW", MinIn: 7, MaxIn: 8, MinOut: 3, MaxOut: 3, Doc: "one step of AdamW", Attrs: adamAttrs,
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}, {2, 3}},
	Infer: inferUpdate2, FLOPs: flopsAdam, Body: bodyAdamW{}, Lower: lowerAdam,
}

type bodyAdam struct{}

func (bodyAdam) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	w, d := in[0], timesScale(in, 7)
	if wd := float64(n.Float("weight_decay")); wd != 0 {
		d = axpb(wd, w, d)
	}
	return adamStep(n, w, d, in)
}

type bodyAdamW struct{}

func (bodyAdamW) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	w := in[0]
	if wd := float64(n.Float("weight_decay")); wd != 0 {
		w = Mul(w, Sub(ConstLike(w, 1), axpb(wd, in[4], nil)))
	}
	return adamStep(n, w, timesScale(in, 7), in)
}

func adamStep(n *graph.Node, w, d *graph.Value, in []*graph.Value) []*graph.Value {
	b1, b2 := float64(n.Float("beta1")), float64(n.Float("beta2"))
	m := Add(in[2], axpb(1-b1, Sub(d, in[2]), nil))
	v := axpb(b2, in[3], axpb(1-b2, Mul(d, d), nil))
	u := Add(Div(Sqrt(v), Sqrt(in[6])), eps(n, v))
	return []*graph.Value{Sub(w, Mul(Div(in[4], in[5]), Div(m, u))), m, v}
}

// AdamOptions are the settings of [Adam] and [AdamW].
type AdamOptions struct {
	WeightDecay  float32
	Beta1, Beta2 float32      // 0: 0.9 and 0.999
	Epsilon      float32      // 0: 1e-8
	Scale        *graph.Value // factor of the gradient; nil: 1
}

func (o AdamOptions) attrs() []graph.Attr {
	return []graph.Attr{graph.Float("weight_decay", o.WeightDecay), orDefault("beta1", o.Beta1, 0.9), orDefault("beta2", o.Beta2, 0.999), orDefault("epsilon", o.Epsilon, 1e-8)}
}

// Adam returns the new parameter and the new moments; c1 = 1-beta1^t and c2 = 1-beta2^t at step t, counting from 1.
func Adam(w, g, m, v, lr, c1, c2 *graph.Value, o AdamOptions) (w2, m2, v2 *graph.Value) {
	out := w.G.AddN(&DefAdam, "", 3, o.attrs(), trimmed(w, g, m, v, lr, c1, c2, o.Scale)...)
	return out[0], out[1], out[2]
}

// AdamW is Adam with decoupled weight decay.
func AdamW(w, g, m, v, lr, c1, c2 *graph.Value, o AdamOptions) (w2, m2, v2 *graph.Value) {
	out := w.G.AddN(&DefAdamW, "", 3, o.attrs(), trimmed(w, g, m, v, lr, c1, c2, o.Scale)...)
	return out[0], out[1], out[2]
}

// DefLion is weft.Lion(w, g, m, lr) (Chen et al., 2023): w' = w*(1-lr*weight_decay) - lr*sign(m + (1-beta1)*(g-m));
// m' = m + (1-beta2)*(g-m).
var DefLion = graph.Def{
	Domain: "weft", Name: "Lion", MinIn: 4, MaxIn: 5, MinOut: 2, MaxOut: 2, Doc: "one step of Lion",
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 2}},
	Attrs: []graph.AttrDef{
		{Name: "beta1", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.9}},
		{Name: "beta2", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.99}},
		{Name: "weight_decay", Kind: graph.AttrFloat},
	},
	Infer: inferUpdate1, FLOPs: flopsRMSProp, Body: bodyLion{}, Lower: lowerLion,
}

type bodyLion struct{}

func (bodyLion) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	w, m, lr := in[0], in[2], in[3]
	if wd := float64(n.Float("weight_decay")); wd != 0 {
		w = Mul(w, Sub(ConstLike(w, 1), axpb(wd, lr, nil)))
	}
	d := Sub(timesScale(in, 4), m)
	u := Add(m, axpb(1-float64(n.Float("beta1")), d, nil))
	return []*graph.Value{Sub(w, Mul(lr, Sign(u))), Add(m, axpb(1-float64(n.Float("beta2")), d, nil))}
}

// LionOptions are the settings of [Lion].
type LionOptions struct {
	WeightDecay  float32      // decoupled
	Beta1, Beta2 float32      // 0: 0.9 and 0.99
	Scale        *graph.Value // factor of the gradient; nil: 1
}

// Lion returns the new parameter and the new momentum.
func Lion(w, g, m, lr *graph.Value, o LionOptions) (w2, m2 *graph.Value) {
	out := w.G.AddN(&DefLion, "", 2, []graph.Attr{graph.Float("weight_decay", o.WeightDecay), orDefault("beta1", o.Beta1, 0.9), orDefault("beta2", o.Beta2, 0.99)}, trimmed(w, g, m, lr, o.Scale)...)
	return out[0], out[1]
}
