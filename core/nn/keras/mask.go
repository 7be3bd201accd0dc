package keras

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Masks say which steps of a sequence count, as in Keras: Embedding with maskZero and Masking make one, bool [N, T], true where a step does, and it goes with the value through the
// layers that work step by step. What uses it: recurrent layers, attention, averages over the steps, statistics of batches, and the loss and the metrics of an output. Layers that mix or
// move steps (convolutions, poolings, Flatten, Reshape, Permute) drop it, as there.

// maskOf returns the mask of a layer's output y.
func (b *builder) maskOf(l *layer, in []value, y value) *graph.Value {
	switch l.kind {
	case "embedding", "masking", "simpleRNN", "gru", "lstm", "bidirectional", "concatenate":
		return y.mask // they know
	case "dense", "dropout", "activation", "reLU", "leakyReLU", "elu", "softmax", "prelu", "rescaling",
		"batchNormalization", "layerNormalization", "groupNormalization", "multiHeadAttention", "positionEmbedding", "sinePositionEncoding":
		return in[0].mask
	case "rmsNormalization", "timeDistributed":
		// Keras drops the mask here, with a warning. There are no warnings here, and steps stay what they are.
		return in[0].mask
	case "add", "subtract", "multiply", "average", "maximum", "minimum":
		return anyOf(in)
	}
	return nil
}

// anyOf returns the mask of positions that count in some input, nil where one input has none.
func anyOf(in []value) *graph.Value {
	var m *graph.Value
	for _, x := range in {
		switch {
		case x.mask == nil:
			return nil
		case m == nil:
			m = x.mask
		case m != x.mask:
			m = op.Or(m, x.mask)
		}
	}
	return m
}

// joined returns the mask of inputs that are joined along one of Keras's axes: theirs joined likewise, or, where the masks do not have the axis, what counts in some input.
func joined(in []value, axis int) *graph.Value {
	var some *graph.Value
	for _, x := range in {
		if x.mask != nil {
			some = x.mask
		}
	}
	if some == nil || axis >= len(some.Shape) {
		return anyOf(in)
	}
	ms := make([]*graph.Value, len(in))
	for i, x := range in {
		if ms[i] = x.mask; ms[i] == nil {
			// All of an input without a mask counts; its steps are those of its first feature.
			v := x.v
			for r := len(some.Shape); r < len(v.Shape); {
				a := len(v.Shape) - 1
				if x.lay == first {
					a = 1
				}
				v = op.Squeeze(op.Slice(v, []int{0}, []int{1}, op.SliceOptions{Axes: []int{a}}), a)
			}
			ms[i] = op.ExpandLike(v.G.Const(tensor.Scalar(true)), v)
		}
	}
	return op.Concat(axis, ms...)
}

// wide returns a mask with as many dimensions as v by dimensions of 1, behind, or where v is channels-first at the channels.
func wide(mask *graph.Value, x value) *graph.Value {
	r := len(x.v.Shape)
	for len(mask.Shape) < r {
		at := len(mask.Shape)
		if x.lay == first && at == r-1 {
			at = 1
		}
		mask = op.Unsqueeze(mask, at)
	}
	return mask
}

// masked is merge for functions for which a masked position is no number of its own: where an input is masked the others count alone.
func masked(f func(a, b *graph.Value) *graph.Value) add {
	plain := merge(f)
	return func(b *builder, l *layer, in []value) value {
		some := false
		for _, x := range in {
			some = some || x.mask != nil
		}
		if !some {
			return plain(b, l, in)
		}
		masks := in
		in = b.alike(l, in)
		var y, ym *graph.Value // ym nil: y counts everywhere
		for i, x := range in {
			v, m := x.v, masks[i].mask
			if m != nil {
				m = wide(m, x)
			}
			switch {
			case i == 0:
				y, ym = v, m
				continue
			case m == nil && ym == nil:
				y = f(y, v)
			case m == nil:
				y = op.Where(ym, f(y, v), v)
			case ym == nil:
				y = op.Where(m, f(y, v), y)
			default:
				y = op.Where(ym, op.Where(m, f(y, v), y), v)
			}
			if ym != nil && m != nil {
				ym = op.Or(ym, m)
			} else {
				ym = nil
			}
		}
		if ym != nil && l.kind == "multiply" {
			y = op.Where(ym, y, op.ConstLike(y, 0))
		}
		return in[0].with(y)
	}
}

// masking masks the steps all of whose features are maskValue, and sets them to zeros.
func masking(b *builder, l *layer, in []value) value {
	x := b.plain(in[0]).v
	if len(x.Shape) < 2 {
		l.fail("takes inputs [N, ..., features], not ", in[0].shape())
	}
	same := op.Equal(x, op.ConstLike(x, l.float("maskValue", 0)))
	kept := op.Cast(op.ReduceMax(op.Cast(op.Not(same), tensor.Float32), []int{-1}, true), tensor.Bool)
	return value{v: op.Where(kept, x, op.ConstLike(x, 0)), mask: op.Squeeze(kept, -1)}
}

// maskedAverage averages the steps that count; zeros where none does.
func (b *builder) maskedAverage(l *layer, from value, mask *graph.Value) value {
	x := b.plain(from).v
	if len(x.Shape) != 3 || len(mask.Shape) != 2 {
		l.fail("takes sequences [N, T, features], not ", from.shape(), ", and masks [N, T]")
	}
	m := op.Unsqueeze(mask, 2)
	keep := l.bool("keepDims", false)
	sum := op.ReduceSum(op.Where(m, x, op.ConstLike(x, 0)), []int{1}, keep)
	n := op.ReduceSum(op.Cast(m, x.DType), []int{1}, keep)
	return value{v: op.Div(sum, op.Max(n, op.ConstLike(n, 1)))}
}

// keyMask returns the mask of the keys and values of attention, [N, 1, 1, T].
func (b *builder) keyMask(l *layer, in []value) *graph.Value {
	var m *graph.Value
	for i, x := range in {
		switch {
		case x.mask == nil:
		case len(x.mask.Shape) != 2:
			l.fail("takes masks [N, T], not of ", len(x.mask.Shape), " dimensions")
		case i == 0 && len(in) > 1: // the query's
		case m == nil:
			m = x.mask
		case m != x.mask:
			m = op.And(m, x.mask)
		}
	}
	if m == nil {
		return nil
	}
	return op.Unsqueeze(m, 1, 2)
}

// maskedBatchNormalization normalises by the mean and the variance of the positions that count, and has the moving ones follow these.
func (b *builder) maskedBatchNormalization(l *layer, x value, mask, gamma, beta, mean, variance *graph.Value, o op.BatchNormOptions) value {
	if len(mask.Shape) != len(x.v.Shape)-1 {
		l.fail("takes a mask of one dimension less than its input ", x.shape(), ", not of ", len(mask.Shape))
	}
	channel := len(x.v.Shape) - 1
	if x.lay == first {
		channel = 1
	}
	var axes []int
	shape := make([]int, len(x.v.Shape))
	for i := range shape {
		if shape[i] = 1; i == channel {
			shape[i] = -1
		} else {
			axes = append(axes, i)
		}
	}
	m := wide(mask, x)
	zero := op.ConstLike(x.v, 0)
	n := op.Add(op.ReduceSum(op.Cast(m, x.v.DType), axes, true), op.ConstLike(x.v, 1e-7)) // Keras's epsilon
	mu := op.Div(op.ReduceSum(op.Where(m, x.v, zero), axes, true), n)
	d := op.Sub(x.v, mu)
	kept := op.Where(m, d, zero)
	v := op.Div(op.ReduceSum(op.Mul(kept, kept), axes, true), n)
	y := op.Div(d, op.Sqrt(op.Add(v, op.ConstLike(v, float64(o.Epsilon)))))
	y = op.Add(op.Mul(y, op.Reshape(gamma, shape...)), op.Reshape(beta, shape...))
	follow := func(moving, batch *graph.Value) {
		batch = op.Reshape(batch, -1)
		b.c.G.Update(moving, op.Add(op.Mul(moving, op.ConstLike(moving, float64(o.Momentum))), op.Mul(batch, op.ConstLike(batch, 1-float64(o.Momentum)))))
	}
	follow(mean, mu)
	follow(variance, v)
	return x.with(y)
}

// packing is how a mask [N, T] puts the steps that count in front, in their order, so that recurrent layers run over them by lengths: a masked step then costs nothing and leaves the
// state as it is, wherever it stands.
type packing struct {
	mask    *graph.Value
	lengths *graph.Value // int32 [N]
	order   *graph.Value // int64 [N, T]: the row of [N*T] that step t of the packed sequence is; a right-padded sequence stays as it is
	base    *graph.Value // int64 [N, T]: the row of a sequence's first step
	kept    *graph.Value // float [N, T]: how many steps up to this one count
	last    *graph.Value // float: T-1, the last step; a packed sequence that left a step out has zeros there
}

func (b *builder) packing(l *layer, mask *graph.Value) *packing {
	if mask == nil {
		return nil
	}
	if p := b.packings[mask]; p != nil {
		return p
	}
	if len(mask.Shape) != 2 {
		l.fail("takes masks [N, T], not of ", len(mask.Shape), " dimensions")
	}
	g := b.c.G
	one := func(x *graph.Value) *graph.Value { return op.ConstLike(x, 1) }
	// Steps are counted in float32, which has kernels for this, and exact: sequences are shorter than 2^24.
	m := op.Cast(mask, tensor.Float32)
	n := op.ReduceSum(m, []int{1}, true)
	kept := op.CumSum(m, 1, false, false)
	at := op.CumSum(op.ExpandLike(one(m), m), 1, true, false) // 0, 1, 2, ...
	to := op.Where(mask, op.Sub(kept, one(m)), op.Sub(op.Add(n, at), kept))
	steps := op.Cast(at, tensor.Int64)
	size := func(axis int) *graph.Value {
		return op.Squeeze(op.Slice(op.Shape(mask), []int{axis}, []int{axis + 1}, op.SliceOptions{}), 0)
	}
	whole := func(n int64) *graph.Value { return g.Const(tensor.Scalar(n)) }
	base := op.Mul(op.Range(whole(0), size(0), whole(1)), size(1))
	base = op.ExpandLike(op.Unsqueeze(base, 1), steps)
	p := &packing{mask: mask, lengths: op.Cast(op.Squeeze(n, 1), tensor.Int32), base: base, kept: kept}
	p.order = op.Add(op.ScatterElements(steps, op.Cast(to, tensor.Int64), steps, 1, ""), base)
	p.last = op.Sub(op.Cast(size(1), tensor.Float32), one(m))
	if b.packings == nil {
		b.packings, b.packed = map[*graph.Value]*packing{}, map[*graph.Value]*graph.Value{}
	}
	b.packings[mask] = p
	return p
}

// rowsOf returns the rows of x [N, T, D] that at, int64 [N, T], names.
func rowsOf(x, at *graph.Value) *graph.Value {
	return op.Gather(op.Reshape(x, -1, x.Shape[2]), at, 0)
}

// pack returns x [N, T, D] with the steps that count in front.
func (b *builder) pack(p *packing, x *graph.Value) *graph.Value {
	if p == nil {
		return x
	}
	if v := b.packed[x]; v != nil {
		return v
	}
	return rowsOf(x, p.order)
}

// unpack returns the states y [N, T, units] of packed steps at the steps' places. A masked step has the state that it leaves as it was, that is of the step before it, or after it where
// steps are read from the end; zeros where there is none, or everywhere if zero says so.
func (b *builder) unpack(p *packing, y *graph.Value, back, zero bool) *graph.Value {
	if p == nil {
		return y
	}
	one := op.ConstLike(p.kept, 1)
	at := op.Sub(p.kept, one)
	// Where a step is masked, what lies behind the packed steps, the last step's place for one, is zero.
	switch {
	case zero:
		at = op.Where(p.mask, at, p.last)
	case back:
		at = op.Where(p.mask, at, p.kept)
	default:
		at = op.Where(op.Less(at, op.ConstLike(at, 0)), p.last, at)
	}
	out := rowsOf(y, op.Add(op.Cast(at, tensor.Int64), p.base))
	b.packed[out] = y // for a layer right behind
	return out
}
