package op

import (
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Inputs and outputs of the recurrent operators, in ONNX's order; c, P and Y_c are of LSTM only.
const (
	rnnX = iota
	rnnW
	rnnR
	rnnB
	rnnLens
	rnnH0
	rnnC0
	rnnP
)

const (
	rnnY = iota
	rnnYh
	rnnYc
)

var rnnAttrs = []graph.AttrDef{
	{Name: "activation_alpha", Kind: graph.AttrFloats},
	{Name: "activation_beta", Kind: graph.AttrFloats},
	{Name: "activations", Kind: graph.AttrStrings},
	{Name: "clip", Kind: graph.AttrFloat},
	{Name: "direction", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "forward"}},
	{Name: "hidden_size", Kind: graph.AttrInt},
	{Name: "layout", Kind: graph.AttrInt},
}

var (
	lstmAttrs = append(rnnAttrs[:len(rnnAttrs):len(rnnAttrs)], graph.AttrDef{Name: "input_forget", Kind: graph.AttrInt})
	gruAttrs  = append(rnnAttrs[:len(rnnAttrs):len(rnnAttrs)], graph.AttrDef{Name: "linear_before_reset", Kind: graph.AttrInt})
)

// DefRNN is ONNX's RNN, h' = f(x W^T + Wb + h R^T + Rb), over the steps of a batch of sequences (Elman, Cognitive Science 1990).
var DefRNN = graph.Def{
	Name: "RNN", Since: 22, MinIn: 3, MaxIn: 6, MaxOut: 2, Doc: "simple recurrent network over a batch of sequences", Attrs: rnnAttrs,
	Infer: inferRNN, Ref: refRNN, Grad: gradRNN{}, Lower: lowerRNN, FLOPs: flopsRNN, Upgrade: upgradeRNN,
}

// DefGRU is ONNX's GRU (Cho et al., EMNLP 2014): update and reset gates z, r = f(x W^T + Wb + h R^T + Rb), candidate n = g(x Wn^T + Wbn +
// (r*h) Rn^T + Rbn), or with linear_before_reset g(x Wn^T + Wbn + r*(h Rn^T + Rbn)), and h' = (1-z)*n + z*h. Gradient rules ask for
// one output more than ONNX has, what the backward pass needs of every step; see [rnnShape].
var DefGRU = graph.Def{
	Name: "GRU", Since: 22, MinIn: 3, MaxIn: 6, MaxOut: 3, Hidden: 1, Doc: "gated recurrent units over a batch of sequences", Attrs: gruAttrs,
	Infer: inferRNN, Ref: refRNN, Grad: gradRNN{}, Lower: lowerRNN, FLOPs: flopsRNN, Upgrade: upgradeRNN,
}

// DefLSTM is ONNX's LSTM (Hochreiter, Schmidhuber, Neural Computation 1997) with optional peepholes P: gates i, o, f = f(x W^T + Wb + h R^T + Rb + P*c),
// candidate g, c' = f*c + i*g, h' = o*h(c'). Gradient rules ask for one output more than ONNX has, what the
// backward pass needs of every step; see [rnnShape].
var DefLSTM = graph.Def{
	Name: "LSTM", Since: 22, MinIn: 3, MaxIn: 8, MaxOut: 4, Hidden: 1, Doc: "long short-term memory over a batch of sequences", Attrs: lstmAttrs,
	Infer: inferRNN, Ref: refRNN, Grad: gradRNN{}, Lower: lowerRNN, FLOPs: flopsRNN, Upgrade: upgradeRNN,
}

// upgradeRNN drops the flag of opsets before 7 that said whether Y is wanted, which the node's outputs say, and those of opset 1 that GRU and
// LSTM have otherwise.
func upgradeRNN(c *graph.UpgradeCtx) { c.Remove("output_sequence") }

// rnnKind tells the operators apart.
type rnnKind uint8

const (
	kindRNN rnnKind = iota
	kindGRU
	kindLSTM
)

// gates returns how many products one step has for each hidden unit.
func (k rnnKind) gates() int { return [...]int{1, 3, 4}[k] }

func (k rnnKind) String() string { return [...]string{"RNN", "GRU", "LSTM"}[k] }

// kindOf returns the kind of a recurrent operator or of its gradient.
func kindOf(d *graph.Def) rnnKind {
	switch d.Name[:3] {
	case "GRU":
		return kindGRU
	case "LST":
		return kindLSTM
	}
	return kindRNN
}

// rnnAct is an activation with its parameters.
type rnnAct struct {
	name        string // in lower case
	alpha, beta float32
}

// The activations of ONNX's recurrent operators, with the defaults of their parameters and how many they take.
var rnnActs = []struct {
	rnnAct
	params int
}{
	{rnnAct{"tanh", 0, 0}, 0}, {rnnAct{"sigmoid", 0, 0}, 0}, {rnnAct{"relu", 0, 0}, 0}, {rnnAct{"softsign", 0, 0}, 0}, {rnnAct{"softplus", 0, 0}, 0},
	{rnnAct{"leakyrelu", 0.01, 0}, 1}, {rnnAct{"thresholdedrelu", 1, 0}, 1}, {rnnAct{"elu", 1, 0}, 1},
	{rnnAct{"affine", 1, 0}, 2}, {rnnAct{"scaledtanh", 1, 1}, 2}, {rnnAct{"hardsigmoid", 0.2, 0.5}, 2},
}

// rnnConf is what the attributes of a node say.
type rnnConf struct {
	kind    rnnKind
	dirs    int
	reverse [2]bool
	acts    [2][3]rnnAct // per direction: f, g, h
	clip    float32      // 0: none
	coupled bool         // LSTM: input_forget, the forget gate is 1 - i
	linear  bool         // GRU: linear_before_reset
	batch   bool         // layout 1: the batch is the first dimension
}

func rnnConfOf(n *graph.Node) rnnConf {
	fail := func(parts ...any) { panic(tensor.Err(n.Describe(), parts...)) }
	c := rnnConf{kind: kindOf(n.Def), dirs: 1, clip: n.Float("clip"), coupled: n.Int("input_forget") != 0, linear: n.Int("linear_before_reset") != 0, batch: n.Int("layout") != 0}
	switch d := n.Str("direction"); d {
	case "forward":
	case "reverse":
		c.reverse[0] = true
	case "bidirectional":
		c.dirs, c.reverse[1] = 2, true
	default:
		fail(attrName("direction"), " is ", d, "; it can be forward, reverse or bidirectional")
	}
	if c.clip < 0 {
		fail(attrName("clip"), " must be positive")
	}
	per := [...]int{1, 2, 3}[c.kind]
	defaults := [...][]string{{"tanh"}, {"sigmoid", "tanh"}, {"sigmoid", "tanh", "tanh"}}[c.kind]
	var names []string
	for _, a := range n.Attrs {
		if a.Name == "activations" {
			names = a.Strings
		}
	}
	if len(names) != 0 && len(names) != per*c.dirs {
		fail(attrName("activations"), " has ", len(names), " names; ", c.kind.String(), " takes ", per, " for each direction")
	}
	alpha, beta := n.Floats("activation_alpha"), n.Floats("activation_beta")
	for d := range c.dirs {
		for i := range per {
			name := defaults[i]
			if names != nil {
				name = strings.ToLower(names[d*per+i])
			}
			found := false
			for _, a := range rnnActs {
				if a.name != name {
					continue
				}
				found = true
				c.acts[d][i] = a.rnnAct
				if a.params > 0 && len(alpha) > 0 {
					c.acts[d][i].alpha, alpha = alpha[0], alpha[1:]
				}
				if a.params > 1 && len(beta) > 0 {
					c.acts[d][i].beta, beta = beta[0], beta[1:]
				}
			}
			if !found {
				fail("there is no activation ", name, "; ONNX has Relu, Tanh, Sigmoid, Affine, LeakyRelu, ThresholdedRelu, ScaledTanh, HardSigmoid, Elu, Softsign and Softplus")
			}
		}
	}
	return c
}

// plain reports whether the node is what the fused kernels compute: sigmoid gates and tanh, no clip, no coupled gates.
func (c *rnnConf) plain() bool {
	if c.clip != 0 || c.coupled {
		return false
	}
	for d := range c.dirs {
		a := &c.acts[d]
		switch {
		case c.kind == kindRNN && a[0].name != "tanh" && a[0].name != "relu":
			return false
		case c.kind != kindRNN && (a[0].name != "sigmoid" || a[1].name != "tanh"):
			return false
		case c.kind == kindLSTM && a[2].name != "tanh":
			return false
		}
	}
	return true
}

// saved returns how many numbers for each hidden unit of each step the forward pass keeps for the backward pass, in the output after ONNX's.
func (c *rnnConf) saved() int { return [...]int{0, 4, 5}[c.kind] }

// rnnShape holds the sizes of a recurrent node: T steps of N sequences of D features, H hidden units. Inside, the steps of all sequences
// are rows in the order in which they are computed: sequences sorted by descending length, all first steps, all second steps and so on, without padding
// ("packed"). Row off[s]+p is step s of the p-th longest sequence; for the reverse direction step 0 is a sequence's last.
//
// The output that the gradient asks for has for each direction T*N rows in that order: of LSTM first the gates i, o, f, g of every row (4H), then
// the cell states of every row (H); of GRU z, r, n (3H), then h Rn^T + Rbn, or without linear_before_reset r*h (H).
type rnnShape struct{ T, N, D, H, dirs int }

func (c *rnnConf) shapeOf(x, r []int) rnnShape {
	s := rnnShape{T: x[0], N: x[1], D: x[2], H: r[2], dirs: c.dirs}
	if c.batch {
		s.T, s.N = s.N, s.T
	}
	return s
}

// y returns the element of Y, or of X with units = D and dirs = 1, where step t of sequence n starts.
func (s *rnnShape) at(batch bool, t, n, dir, dirs, units int) int {
	if batch {
		return ((n*s.T+t)*dirs + dir) * units
	}
	return ((t*dirs+dir)*s.N + n) * units
}

// state returns the element of an initial or final state where sequence n starts.
func (s *rnnShape) state(batch bool, n, dir int) int {
	if batch {
		return (n*s.dirs + dir) * s.H
	}
	return (dir*s.N + n) * s.H
}

// rnnPack fills the order of the rows: perm[p] is the p-th longest sequence, earlier ones first among equals, length[p] its length, and off[s] the
// row at which step s starts; off has T+1 elements. A nil lens means that all sequences have T steps. It returns false when a
// length is not of 0 to T.
func rnnPack(perm, length, off []int32, lens []int32, T int) bool {
	n := len(perm)
	if lens == nil {
		for p := range perm {
			perm[p], length[p] = int32(p), int32(T)
		}
		for s := range off {
			off[s] = int32(s * n)
		}
		return true
	}
	// off counts the sequences of each length, for a stable sort by counting.
	clear(off)
	for _, l := range lens {
		if l < 0 || int(l) > T {
			return false
		}
		off[l]++
	}
	start := int32(0)
	for l := T; l >= 0; l-- {
		off[l], start = start, start+off[l]
	}
	for i, l := range lens {
		p := off[l]
		perm[p], length[p] = int32(i), l
		off[l]++
	}
	active := n
	at := int32(0)
	for s := range off {
		off[s] = at
		for active > 0 && int(length[active-1]) <= s {
			active--
		}
		at += int32(active)
	}
	return true
}

func inferRNN(c *graph.InferCtx) {
	conf := rnnConfOf(c.Node)
	wantFloat(c, rnnX)
	wantSameType(c, rnnX, rnnW, rnnR, rnnB, rnnH0, rnnC0, rnnP)
	s := inferRNNShape(c, &conf, c.In)
	d := c.In[rnnX].DType
	y, state := []int{s.T, s.dirs, s.N, s.H}, []int{s.dirs, s.N, s.H}
	if conf.batch {
		y, state = []int{s.N, s.T, s.dirs, s.H}, []int{s.N, s.dirs, s.H}
	}
	c.Set(rnnY, d, y)
	c.Set(rnnYh, d, state)
	last := rnnYh + 1
	if conf.kind == kindLSTM {
		c.Set(rnnYc, d, state)
		last++
	}
	c.Set(last, d, []int{s.dirs, s.T, s.N, conf.saved() * s.H})
}

// inferRNNShape checks the inputs of a recurrent operator, in, and returns the sizes as far as they are known.
func inferRNNShape(c *graph.InferCtx, conf *rnnConf, in []graph.Type) rnnShape {
	s := rnnShape{T: graph.Unknown, N: graph.Unknown, D: graph.Unknown, H: graph.Unknown, dirs: conf.dirs}
	if h := c.Node.Int("hidden_size"); h > 0 {
		s.H = h
	}
	unify := func(what string, i int, shape ...*int) {
		if i >= len(in) || in[i].DType == tensor.Undefined || !in[i].HasRank {
			return
		}
		if len(in[i].Shape) != len(shape) {
			c.Fail(what, " must have rank ", len(shape), ", not ", len(in[i].Shape))
		}
		for k, d := range in[i].Shape {
			u, ok := sameDim(*shape[k], d)
			if !ok {
				c.Fail(what, " has ", d, " in dimension ", k, " where ", *shape[k], " is due")
			}
			*shape[k] = u
		}
	}
	g := conf.kind.gates()
	dirs, rows, twice, peep := conf.dirs, graph.Unknown, graph.Unknown, graph.Unknown
	if conf.batch {
		unify("X [N, T, D]", rnnX, &s.N, &s.T, &s.D)
	} else {
		unify("X [T, N, D]", rnnX, &s.T, &s.N, &s.D)
	}
	if s.H > 0 {
		rows = g * s.H
	}
	unify("R [directions, gates*H, H]", rnnR, &dirs, &rows, &s.H)
	if s.H > 0 {
		if rows >= 0 && rows != g*s.H {
			c.Fail("R must have ", g*s.H, " rows for ", s.H, " hidden units, not ", rows)
		}
		rows, twice, peep = g*s.H, 2*g*s.H, 3*s.H
	}
	unify("W [directions, gates*H, D]", rnnW, &dirs, &rows, &s.D)
	unify("B [directions, 2*gates*H]", rnnB, &dirs, &twice)
	unify("sequence_lens [N]", rnnLens, &s.N)
	if len(in) > rnnLens && in[rnnLens].DType != tensor.Undefined && in[rnnLens].DType != tensor.Int32 {
		c.Fail("sequence_lens must be int32, not ", in[rnnLens].DType, "; cast it")
	}
	for i, what := range []string{"initial_h", "initial_c"} {
		if conf.batch {
			unify(what+" [N, directions, H]", rnnH0+i, &s.N, &dirs, &s.H)
		} else {
			unify(what+" [directions, N, H]", rnnH0+i, &dirs, &s.N, &s.H)
		}
	}
	unify("P [directions, 3*H]", rnnP, &dirs, &peep)
	if s.H == 0 {
		c.Fail("needs at least one hidden unit")
	}
	return s
}

// RNNOptions are the settings and optional operands of [RNN], [GRU] and [LSTM]. The zero value is one forward direction with ONNX's defaults.
type RNNOptions struct {
	Direction         string       // "forward" (also ""), "reverse" or "bidirectional"
	Activations       []string     // ONNX's names, for each direction; nil: the operator's defaults
	Alpha, Beta       []float32    // parameters of the activations that take some, in order
	Clip              float32      // bound of what goes into activations; 0: none
	BatchFirst        bool         // layout 1: X [N, T, D], Y [N, T, directions, H], states [N, directions, H]
	LinearBeforeReset bool         // GRU: the reset gate multiplies the product, not the state
	InputForget       bool         // LSTM: the forget gate is 1 - i
	Lengths           *graph.Value // int32 [N]: how many steps each sequence has; nil: all
	H0, C0            *graph.Value // initial states; nil: zeros
	Peepholes         *graph.Value // LSTM: P [directions, 3*H]
}

func (o *RNNOptions) attrs(hidden int) []graph.Attr {
	a := []graph.Attr{graph.Int("hidden_size", hidden)}
	if o.Direction != "" && o.Direction != "forward" {
		a = append(a, graph.Str("direction", o.Direction))
	}
	if o.Activations != nil {
		a = append(a, graph.Attr{Name: "activations", Kind: graph.AttrStrings, Strings: o.Activations})
	}
	if o.Alpha != nil {
		a = append(a, graph.Floats("activation_alpha", o.Alpha...))
	}
	if o.Beta != nil {
		a = append(a, graph.Floats("activation_beta", o.Beta...))
	}
	if o.Clip != 0 {
		a = append(a, graph.Float("clip", o.Clip))
	}
	if o.BatchFirst {
		a = append(a, graph.Int("layout", 1))
	}
	return a
}

// hidden returns the number of hidden units, the last dimension of r.
func hidden(op string, r *graph.Value) int {
	if !r.HasRank || len(r.Shape) != 3 || r.Shape[2] < 1 {
		panic(&tensor.Error{Op: op, Msg: "the recurrent weights R must be [directions, gates*H, H] of known size", Shapes: [][]int{r.Shape}})
	}
	return r.Shape[2]
}

// RNN runs a simple recurrent network over x [T, N, D]: w is [directions, H, D], r [directions, H, H], b [directions, 2*H] (Wb, Rb) or nil. It
// returns all hidden states, y [T, directions, N, H], and the last ones, [directions, N, H].
func RNN(x, w, r, b *graph.Value, o RNNOptions) (y, h *graph.Value) {
	out := x.G.AddN(&DefRNN, "", 2, o.attrs(hidden("RNN", r)), x, w, r, b, o.Lengths, o.H0)
	return out[0], out[1]
}

// GRU runs gated recurrent units over x [T, N, D]: w is [directions, 3*H, D], r [directions, 3*H, H], b [directions, 6*H] (Wb, Rb) or nil, all in
// the order z, r, h. It returns all hidden states, y [T, directions, N, H], and the last ones, [directions, N, H].
func GRU(x, w, r, b *graph.Value, o RNNOptions) (y, h *graph.Value) {
	a := o.attrs(hidden("GRU", r))
	if o.LinearBeforeReset {
		a = append(a, graph.Int("linear_before_reset", 1))
	}
	out := x.G.AddN(&DefGRU, "", 2, a, x, w, r, b, o.Lengths, o.H0)
	return out[0], out[1]
}

// LSTM runs long short-term memory over x [T, N, D]: w is [directions, 4*H, D], r [directions, 4*H, H], b [directions, 8*H] (Wb, Rb) or nil, all in
// the order i, o, f, c. It returns all hidden states, y [T, directions, N, H], and the last hidden and cell states, [directions, N, H].
func LSTM(x, w, r, b *graph.Value, o RNNOptions) (y, h, c *graph.Value) {
	a := o.attrs(hidden("LSTM", r))
	if o.InputForget {
		a = append(a, graph.Int("input_forget", 1))
	}
	out := x.G.AddN(&DefLSTM, "", 3, a, x, w, r, b, o.Lengths, o.H0, o.C0, o.Peepholes)
	return out[0], out[1], out[2]
}
