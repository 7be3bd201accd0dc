package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// RNN is a simple recurrent network over sequences [N, T, D]: h' = f(x W^T + Wb + h R^T + Rb) (ONNX RNN), one or more layers deep.
type RNN struct {
	Units         int
	Layers        int     // 0: 1; each reads the hidden states of the one before
	Bidirectional bool    // the sequence is also read backwards; features are then those of both directions, forwards first
	Reverse       bool    // the sequence is read backwards only
	Dropout       float32 // rate between layers while training
	NoBias        bool
	Nonlinearity  string      // "tanh" (also "") or "relu"
	Init          Initializer // of W; nil: GlorotUniform
	RecurrentInit Initializer // of R; nil: Orthogonal(1)
	BiasInit      Initializer // nil: Zeros
	Name          string
}

// GRU is a layer of gated recurrent units over sequences [N, T, D] (ONNX GRU).
type GRU struct {
	Units         int
	Layers        int     // 0: 1; each reads the hidden states of the one before
	Bidirectional bool    // the sequence is also read backwards; features are then those of both directions, forwards first
	Reverse       bool    // the sequence is read backwards only
	Dropout       float32 // rate between layers while training
	NoBias        bool
	ResetBefore   bool        // the reset gate multiplies the state, as first published, and not its product with the weights
	Init          Initializer // of W; nil: GlorotUniform
	RecurrentInit Initializer // of R; nil: Orthogonal(1)
	BiasInit      Initializer // nil: Zeros
	Name          string
}

// LSTM is a layer of long short-term memory over sequences [N, T, D] (ONNX LSTM).
type LSTM struct {
	Units         int
	Layers        int     // 0: 1; each reads the hidden states of the one before
	Bidirectional bool    // the sequence is also read backwards; features are then those of both directions, forwards first
	Reverse       bool    // the sequence is read backwards only
	Dropout       float32 // rate between layers while training
	NoBias        bool
	ForgetBias    float32     // added to the forget gate's initial bias; 1 remembers from the start (Jozefowicz et al., ICML 2015)
	Init          Initializer // of W; nil: GlorotUniform
	RecurrentInit Initializer // of R; nil: Orthogonal(1)
	BiasInit      Initializer // nil: Zeros
	Name          string
}

// RNNInput holds the optional operands of a recurrent layer.
type RNNInput struct {
	Lengths *graph.Value // int32 or int64 [N]: how many steps each sequence has; nil: all. Later steps give zeros
	H0, C0  *graph.Value // initial states [N, Layers*directions, Units]; nil: zeros. C0 is of LSTM only
}

// Apply returns the hidden states of the last layer, [N, T, Units], or [N, T, 2*Units] when bidirectional; see [RNN.Run].
func (l RNN) Apply(c *Context, x *graph.Value) *graph.Value {
	y, _ := l.Run(c, x, RNNInput{})
	return y
}

// Apply returns the hidden states of the last layer, [N, T, Units], or [N, T, 2*Units] when bidirectional; see [GRU.Run].
func (l GRU) Apply(c *Context, x *graph.Value) *graph.Value {
	y, _ := l.Run(c, x, RNNInput{})
	return y
}

// Apply returns the hidden states of the last layer, [N, T, Units], or [N, T, 2*Units] when bidirectional; see [LSTM.Run].
func (l LSTM) Apply(c *Context, x *graph.Value) *graph.Value {
	y, _, _ := l.Run(c, x, RNNInput{})
	return y
}

// Run adds for each layer k the variables NAME.weight_ih_lk [directions, Units, D], NAME.weight_hh_lk [directions, Units, Units] and NAME.bias_lk
// [directions, 2*Units] (Wb, then Rb). It returns the hidden states of the last layer and the last states of all layers, hn [N, Layers*directions, Units].
func (l RNN) Run(c *Context, x *graph.Value, in RNNInput) (y, hn *graph.Value) {
	act := "Tanh"
	r := &recurrent{"RNN", l.Units, l.Layers, l.Bidirectional, l.Reverse, l.Dropout, l.NoBias, l.Init, l.RecurrentInit, l.BiasInit, 1, c.name(l.Name, "rnn")}
	switch l.Nonlinearity {
	case "", "tanh":
	case "relu":
		act = "Relu"
	default:
		fail(r.at(), "Nonlinearity ", strconv.Quote(l.Nonlinearity), " is not one of tanh, relu")
	}
	y, hn, _ = r.run(c, x, in, func(x, w, u, b *graph.Value, o op.RNNOptions) (y, h, cell *graph.Value) {
		o.Activations = []string{act}
		if l.Bidirectional {
			o.Activations = []string{act, act}
		}
		y, h = op.RNN(x, w, u, b, o)
		return y, h, nil
	})
	return y, hn
}

// Run adds for each layer k the variables NAME.weight_ih_lk [directions, 3*Units, D], NAME.weight_hh_lk [directions, 3*Units, Units] and NAME.bias_lk
// [directions, 6*Units] (Wb, then Rb), gates in the order update, reset, candidate. It returns the hidden states of the last layer and the last states of
// all layers, hn [N, Layers*directions, Units].
func (l GRU) Run(c *Context, x *graph.Value, in RNNInput) (y, hn *graph.Value) {
	r := &recurrent{"GRU", l.Units, l.Layers, l.Bidirectional, l.Reverse, l.Dropout, l.NoBias, l.Init, l.RecurrentInit, l.BiasInit, 3, c.name(l.Name, "gru")}
	y, hn, _ = r.run(c, x, in, func(x, w, u, b *graph.Value, o op.RNNOptions) (y, h, cell *graph.Value) {
		o.LinearBeforeReset = !l.ResetBefore
		y, h = op.GRU(x, w, u, b, o)
		return y, h, nil
	})
	return y, hn
}

// Run adds for each layer k the variables NAME.weight_ih_lk [directions, 4*Units, D], NAME.weight_hh_lk [directions, 4*Units, Units] and NAME.bias_lk
// [directions, 8*Units] (Wb, then Rb), gates in the order input, output, forget, cell. It returns the hidden states of the last layer and the last hidden and cell
// states of all layers, hn and cn [N, Layers*directions, Units]. Given back as H0 and C0 they continue the sequences, one step at a time if need be.
func (l LSTM) Run(c *Context, x *graph.Value, in RNNInput) (y, hn, cn *graph.Value) {
	bias := orInit(l.BiasInit, Zeros)
	if l.ForgetBias != 0 {
		of := bias
		bias = func(dst []float32, shape []int, fanIn, fanOut int, rng *random.Source) {
			of(dst, shape, fanIn, fanOut, rng)
			h := len(dst) / 8
			for i := range dst[2*h : 3*h] {
				dst[2*h+i] += l.ForgetBias
			}
		}
	}
	r := &recurrent{"LSTM", l.Units, l.Layers, l.Bidirectional, l.Reverse, l.Dropout, l.NoBias, l.Init, l.RecurrentInit, bias, 4, c.name(l.Name, "lstm")}
	return r.run(c, x, in, op.LSTM)
}

// recurrent is what the recurrent layers share.
type recurrent struct {
	kind              string
	units, layers     int
	both, reverse     bool
	dropout           float32
	noBias            bool
	init, again, bias Initializer
	gates             int
	name              string
}

func (r *recurrent) at() string { return r.kind + " " + r.name }

// perDirection applies an initialiser to each direction's part of a weight of [directions, ...].
func perDirection(f Initializer) Initializer {
	return func(dst []float32, shape []int, fanIn, fanOut int, rng *random.Source) {
		n := len(dst) / shape[0]
		for d := range shape[0] {
			f(dst[d*n:d*n+n], shape[1:], fanIn, fanOut, rng)
		}
	}
}

func (r *recurrent) run(c *Context, x *graph.Value, in RNNInput, f func(x, w, u, b *graph.Value, o op.RNNOptions) (y, h, cell *graph.Value)) (y, hn, cn *graph.Value) {
	layers, dirs, direction := or(r.layers, 1), 1, "forward"
	switch {
	case r.both && r.reverse:
		fail(r.at(), "is Bidirectional or Reverse, not both")
	case r.both:
		dirs, direction = 2, "bidirectional"
	case r.reverse:
		direction = "reverse"
	}
	if r.units < 1 || layers < 1 {
		fail(r.at(), "needs Units of at least 1, and Layers")
	}
	if !(r.dropout >= 0 && r.dropout < 1) {
		fail(r.at(), "needs a Dropout of 0 to less than 1, not ", r.dropout)
	}
	if l := in.Lengths; l != nil && l.DType == tensor.Int64 {
		in.Lengths = op.Cast(l, tensor.Int32)
	}
	// part returns the states of a layer.
	part := func(s *graph.Value, k int) *graph.Value {
		if s == nil || layers == 1 {
			return s
		}
		return op.Slice(s, []int{k * dirs}, []int{k*dirs + dirs}, op.SliceOptions{Axes: []int{1}})
	}
	rows := r.gates * r.units
	var hs, cs []*graph.Value
	y = x
	for k := range layers {
		d := dim(r.at(), y, 2, 3)
		n := "_l" + strconv.Itoa(k)
		w := c.Param(r.name+".weight_ih"+n, perDirection(orInit(r.init, GlorotUniform)), d, rows, dirs, rows, d)
		u := c.Param(r.name+".weight_hh"+n, perDirection(orInit(r.again, Orthogonal(1))), r.units, rows, dirs, rows, r.units)
		var b *graph.Value
		if !r.noBias {
			b = c.Param(r.name+".bias"+n, perDirection(orInit(r.bias, Zeros)), d, rows, dirs, 2*rows)
		}
		if k > 0 && c.Training && r.dropout > 0 {
			y = op.Dropout(y, r.dropout)
		}
		out, h, cell := f(y, w, u, b, op.RNNOptions{Direction: direction, BatchFirst: true, Lengths: in.Lengths, H0: part(in.H0, k), C0: part(in.C0, k)})
		y = op.Reshape(out, 0, 0, dirs*r.units)
		hs, cs = append(hs, h), append(cs, cell)
	}
	join := func(s []*graph.Value) *graph.Value {
		if len(s) == 1 || s[0] == nil {
			return s[0]
		}
		return op.Concat(1, s...)
	}
	return y, join(hs), join(cs)
}
