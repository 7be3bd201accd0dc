package keras

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// cell describes a recurrent kind: how many gates it has, and where in ONNX's order Keras's gates are.
type cell struct {
	gates int
	order []int // nil: the same
}

func cellOf(kind string) (c cell, ok bool) {
	switch kind {
	case "simpleRNN":
		return cell{1, nil}, true
	case "gru": // z, r, h
		return cell{3, nil}, true
	case "lstm": // i, f, c, o; ONNX has i, o, f, c
		return cell{4, []int{0, 2, 3, 1}}, true
	}
	return c, false
}

func recurrent(b *builder, l *layer, in []value) value {
	x := b.sequence(l, in[0])
	back := l.bool("goBackwards", false)
	p := b.packing(l, in[0].mask)
	y, h := b.recurrent(l, x, p, back)
	if !l.bool("returnSequences", false) {
		return value{v: h}
	}
	y = b.unpack(p, y, back, l.bool("zeroOutputForMask", false))
	if back { // Keras gives the states in the order in which they were computed
		y = op.Slice(y, []int{-1}, []int{-op.End}, op.SliceOptions{Axes: []int{1}, Steps: []int{-1}})
	}
	return value{v: y, mask: in[0].mask} // as it was, also where the steps have been turned round: so does Keras
}

// sequence checks that a value is [N, T, features].
func (b *builder) sequence(l *layer, x value) *graph.Value {
	x = b.plain(x)
	if len(x.v.Shape) != 3 || x.v.Shape[2] < 1 {
		l.fail("takes sequences [N, T, features] with known features, not ", x.shape())
	}
	return x.v
}

// recurrentActivation returns an activation as ONNX's recurrent operators spell it, with its parameters.
func (l *layer) recurrentActivation(key, def string) (name string, alpha, beta []float32) {
	switch a := l.str(key, def); a {
	case "tanh", "sigmoid", "relu", "softsign", "softplus":
		return strings.ToUpper(a[:1]) + a[1:], nil, nil
	case "hardSigmoid":
		return "HardSigmoid", []float32{0.2}, []float32{0.5}
	case "elu":
		return "Elu", []float32{1}, nil
	case "linear":
		return "Affine", []float32{1}, []float32{0}
	default:
		l.fail(key, " ", strconv.Quote(a), " is not one of tanh, sigmoid, hardSigmoid, relu, elu, softsign, softplus, linear")
	}
	return "", nil, nil
}

// forDirection gives an initialiser the shape of a weight without its dimension of directions.
func forDirection(init nn.Initializer) nn.Initializer {
	return func(dst []float32, shape []int, in, out int, rng *random.Source) { init(dst, shape[1:], in, out, rng) }
}

// recurrent adds one direction of a recurrent layer over x [N, T, D] and returns all states [N, T, units] in the order of time, and the last ones [N, units]. With a packing the states are those
// of the kept steps, in front.
func (b *builder) recurrent(l *layer, x *graph.Value, p *packing, reverse bool) (y, h *graph.Value) {
	for _, k := range []string{"returnState", "stateful", "timeMajor"} {
		if l.bool(k, false) {
			l.fail(k, " is not supported; nn's recurrent layers and the operators take and give states")
		}
	}
	if l.float("recurrentDropout", 0) != 0 {
		l.fail("recurrentDropout is not supported; dropout, of the inputs, is")
	}
	c, _ := cellOf(l.kind)
	units, d := l.whole("units", 0, 1), x.Shape[2]
	rows := c.gates * units
	kernel := func(key, name string, def nn.Initializer, cols int) *graph.Value {
		w := Weight{view: []int{c.gates, units, cols}, order: c.order, perm: []int{2, 0, 1}, Shape: []int{cols, rows}}
		return b.param(l, name, forDirection(l.initializer(key, def)), cols, rows, w, 1, rows, cols)
	}
	w := kernel("kernelInitializer", "kernel", nn.GlorotUniform, d)
	r := kernel("recurrentInitializer", "recurrent_kernel", nn.Orthogonal(1), units)
	after := l.kind == "gru" && l.bool("resetAfter", true)
	o := op.RNNOptions{BatchFirst: true, LinearBeforeReset: after}
	if reverse {
		o.Direction = "reverse"
	}
	acts := func(key, def string) {
		name, alpha, beta := l.recurrentActivation(key, def)
		o.Activations, o.Alpha, o.Beta = append(o.Activations, name), append(o.Alpha, alpha...), append(o.Beta, beta...)
	}
	if c.gates > 1 {
		acts("recurrentActivation", "sigmoid")
	}
	acts("activation", "tanh")
	if l.kind == "lstm" {
		acts("activation", "tanh")
	}
	x = b.pack(p, b.inputDropout(l, x))
	if p != nil {
		o.Lengths = p.lengths
	}
	bias := b.recurrentBias(l, c, units, after)
	switch l.kind {
	case "simpleRNN":
		y, h = op.RNN(x, w, r, bias, o)
	case "gru":
		y, h = op.GRU(x, w, r, bias, o)
	default:
		y, h, _ = op.LSTM(x, w, r, bias, o)
	}
	return op.Reshape(y, 0, 0, units), op.Reshape(h, -1, units)
}

// recurrentBias returns B [1, 2*gates*units]. Keras has one bias per gate, where the operators have two, but for a GRU that resets after its product.
func (b *builder) recurrentBias(l *layer, c cell, units int, both bool) *graph.Value {
	if !l.bool("useBias", true) {
		return nil
	}
	init := l.initializer("biasInitializer", nn.Zeros)
	rows := c.gates * units
	if both {
		return b.param(l, "bias", init, rows, rows, Weight{Shape: []int{2, rows}}, 1, 2*rows)
	}
	if l.kind == "lstm" && l.bool("unitForgetBias", true) {
		of := init
		init = func(dst []float32, shape []int, in, out int, rng *random.Source) {
			of(dst, shape, in, out, rng)
			for i := range units {
				dst[2*units+i] = 1
			}
		}
	}
	w := Weight{Shape: []int{rows}, view: []int{c.gates, units}, order: c.order, perm: []int{0, 1}}
	bias := b.param(l, "bias", init, rows, rows, w, rows)
	return op.Reshape(op.Concat(0, bias, b.c.G.Const(tensor.New(tensor.Float32, rows))), 1, 2*rows)
}

// inputDropout drops features of whole sequences, as Keras does: the same ones at every step.
func (b *builder) inputDropout(l *layer, x *graph.Value) *graph.Value {
	rate := l.float("dropout", 0)
	if !(rate >= 0 && rate < 1) {
		l.bad("dropout", "a number of 0 to less than 1")
	}
	if !b.c.Training || rate == 0 {
		return x
	}
	first := op.Slice(x, []int{0}, []int{1}, op.SliceOptions{Axes: []int{1}})
	ones := op.ConstantOfShape(op.Shape(first), tensor.From([]float32{1}, 1))
	return op.Mul(x, op.Dropout(ones, float32(rate)))
}

// wrapped returns the layer in a wrapper's setting "layer", {kind, config} or Keras's {className, config}, under another name.
func (l *layer) wrapped(prefix string) *layer {
	m, ok := l.config["layer"].(map[string]any)
	if !ok {
		l.bad("layer", "a layer")
	}
	kind, _ := m["kind"].(string)
	if kind == "" {
		kind, _ = m["className"].(string)
		switch kind {
		case "":
			l.bad("layer", "a layer")
		case "LSTM", "GRU":
			kind = strings.ToLower(kind)
		default:
			kind = strings.ToLower(kind[:1]) + kind[1:]
		}
	}
	c, _ := m["config"].(map[string]any)
	inner := &layer{kind: kind, name: l.name, config: Config{}}
	for k, v := range c {
		inner.config[k] = v
	}
	if t := l.config["trainable"]; t != nil {
		inner.config["trainable"] = t
	}
	if prefix != "" {
		inner.name += "/" + prefix + snake(kind)
	}
	if kindOf(kind) == nil {
		l.fail("there is no layer of kind ", strconv.Quote(kind))
	}
	return inner
}

// bidirectional runs a recurrent layer over the sequences and another over them backwards, and merges what they give.
func bidirectional(b *builder, l *layer, in []value) value {
	forward, backward := l.wrapped("forward_"), l.wrapped("backward_")
	if _, ok := cellOf(forward.kind); !ok {
		l.fail("takes a recurrent layer, not ", forward.kind)
	}
	if forward.bool("goBackwards", false) {
		l.fail("the layer inside must not go backwards by itself")
	}
	x := b.sequence(l, in[0])
	p := b.packing(l, in[0].mask)
	y0, h0 := b.recurrent(forward, x, p, false)
	y1, h1 := b.recurrent(backward, x, p, true)
	sequences := forward.bool("returnSequences", false)
	if !sequences {
		y0, y1 = h0, h1
	}
	var y *graph.Value
	switch m := l.str("mergeMode", "concat"); m {
	case "concat":
		y = op.Concat(-1, y0, y1)
	case "sum":
		y = op.Add(y0, y1)
	case "mul":
		y = op.Mul(y0, y1)
	case "ave":
		y = op.Mul(op.Add(y0, y1), op.ConstLike(y0, 0.5))
	default:
		l.fail("mergeMode ", strconv.Quote(m), " is not one of concat, sum, mul, ave")
	}
	if !sequences {
		return value{v: y}
	}
	// Keras has both layers give zeros for masked steps, which every way of merging keeps.
	return value{v: b.unpack(p, y, false, true), mask: in[0].mask}
}

// timeDistributed applies a layer to every step of [N, T, ...] by itself.
func timeDistributed(b *builder, l *layer, in []value) value {
	inner := l.wrapped("")
	x := b.plain(in[0])
	s := x.v.Shape
	if len(s) < 3 || !known(s[1:]) {
		l.fail("takes sequences [N, T, ...] whose dimensions but N are known, not ", x.shape())
	}
	if merges(inner.kind) || inner.kind == "batchNormalization" {
		l.fail("cannot apply ", inner.kind, " to single steps")
	}
	y := b.plain(kindOf(inner.kind)(b, inner, []value{{v: op.Reshape(x.v, append([]int{-1}, s[2:]...)...)}})).v
	if !known(y.Shape[1:]) {
		l.fail("the shape of a step's result must be known")
	}
	return value{v: op.Reshape(y, append([]int{-1, s[1]}, y.Shape[1:]...)...)}
}
