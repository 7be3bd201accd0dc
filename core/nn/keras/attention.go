package keras

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// multiHeadAttention takes a query, a value (without one the query) and a key (without one the value), all [N, sequence, features].
func multiHeadAttention(b *builder, l *layer, in []value) value {
	if len(in) < 1 || len(in) > 3 {
		l.fail("takes one to three inputs, [query, value, key], not ", len(in))
	}
	var x [3]*graph.Value // query, value, key
	for i := range x {
		from := b.plain(in[min(i, len(in)-1)])
		if s := from.v.Shape; len(s) != 3 || s[2] < 1 {
			l.fail("takes inputs [N, sequence, features] with known features, not ", from.shape())
		}
		x[i] = from.v
	}
	heads, size := l.whole("numHeads", 0, 1), l.whole("keyDim", 0, 1)
	valueSize := l.whole("valueDim", size, 1)
	rate := l.float("dropout", 0)
	if !(rate >= 0 && rate < 1) {
		l.bad("dropout", "a number of 0 to less than 1")
	}
	init := l.initializer("kernelInitializer", nn.GlorotUniform)
	project := func(x *graph.Value, name string, size int) *graph.Value {
		features := x.Shape[2]
		w := Weight{view: []int{heads, size, features}, perm: []int{2, 0, 1}, Shape: []int{features, heads, size}}
		k := b.param(l, name+"/kernel", init, heads*features, size*features, w, heads*size, features) // fans as Keras counts
		return l.dense(x, k, b.attentionBias(l, name, Weight{Shape: []int{heads, size}}, heads*size))
	}
	q, k, v := project(x[0], "query", size), project(x[2], "key", size), project(x[1], "value", valueSize)
	o := op.AttentionOptions{Heads: heads, Causal: l.bool("useCausalMask", false), Mask: b.keyMask(l, in)}
	var y *graph.Value
	if b.c.Training && rate > 0 {
		y = op.AttentionDropout(q, k, v, o, float32(rate))
	} else {
		y = op.Attention(q, k, v, o)
	}
	if m := in[0].mask; m != nil { // masked queries see nothing
		y = op.Where(op.Unsqueeze(m, 2), y, op.ConstLike(y, 0))
	}
	out := l.whole("outputShape", x[0].Shape[2], 1)
	w := Weight{view: []int{out, heads, valueSize}, perm: []int{1, 2, 0}, Shape: []int{heads, valueSize, out}}
	kernel := b.param(l, "attention_output/kernel", init, heads*valueSize, heads*out, w, out, heads*valueSize)
	return value{v: l.dense(y, kernel, b.attentionBias(l, "attention_output", Weight{}, out))}
}

func (b *builder) attentionBias(l *layer, name string, w Weight, n int) *graph.Value {
	if !l.bool("useBias", true) {
		return nil
	}
	return b.param(l, name+"/bias", l.initializer("biasInitializer", nn.Zeros), n, n, w, n)
}

// dense returns x [N, sequence, features] times the kernel [units, features], plus the bias.
func (l *layer) dense(x, kernel, bias *graph.Value) *graph.Value {
	seq := x.Shape[1]
	if seq < 0 {
		l.fail("the length of the sequences must be known")
	}
	y := op.Gemm(op.Reshape(x, -1, x.Shape[2]), kernel, bias, op.GemmOptions{TransB: true})
	return op.Reshape(y, -1, seq, kernel.Shape[0])
}

// positions checks x [N, sequence, features], and returns the longest sequence and the features.
func (l *layer) positions(x value) (longest, features int) {
	s := x.v.Shape
	if len(s) != 3 || s[1] < 1 || s[2] < 1 {
		l.fail("takes inputs [N, sequence, features] with known sequence and features, not ", x.shape())
	}
	if longest = l.whole("sequenceLength", s[1], 1); longest < s[1] {
		l.fail("a sequence of ", s[1], " is longer than sequenceLength, ", longest)
	}
	return longest, s[2]
}

// positionEmbedding gives a learnt vector for every position of the input, to be added to it.
func positionEmbedding(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	n, features := l.positions(x)
	table := b.param(l, "embeddings", l.initializer("initializer", nn.GlorotUniform), n, features, Weight{}, n, features)
	if seq := x.v.Shape[1]; seq < n {
		table = op.Slice(table, []int{0}, []int{seq}, op.SliceOptions{Axes: []int{0}})
	}
	return value{v: op.ExpandLike(table, x.v)}
}

// sinePositionEncoding gives sines (even features) and cosines (odd ones) for every position of the input, to be added to it.
func sinePositionEncoding(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	_, features := l.positions(x)
	longest := l.float("maxWavelength", 10000)
	if !(longest > 0) {
		l.bad("maxWavelength", "a positive number")
	}
	seq := x.v.Shape[1]
	t := tensor.New(tensor.Float32, seq, features)
	for p := range seq {
		for i := range features {
			a := float64(p) / math.Pow(longest, float64(i/2*2)/float64(features))
			f := math.Sin
			if i%2 == 1 {
				f = math.Cos
			}
			t.Float32s()[p*features+i] = float32(f(a))
		}
	}
	return value{v: op.ExpandLike(b.c.G.Const(t), x.v)}
}

// groupNormalization normalises groups of channels, Keras's last axis.
func groupNormalization(b *builder, l *layer, in []value) value {
	x := in[0]
	n := len(x.v.Shape)
	if a := l.float("axis", -1); a != -1 && a != float64(n-1) {
		l.fail("axis ", a, " is not supported; it normalises the last axis")
	}
	if n > 2 {
		x = b.channelsFirst(l, x, n)
	} else {
		x = b.plain(x)
	}
	ch := x.v.Shape[1]
	if ch < 1 {
		l.fail("the number of channels must be known, the input is ", x.shape())
	}
	groups := l.whole("groups", 32, -1)
	if groups == -1 {
		groups = ch
	}
	if groups < 1 || ch%groups != 0 {
		l.fail(groups, " groups do not divide ", ch, " channels")
	}
	gamma := b.variable(l, "gamma", l.initializer("gammaInitializer", nn.Ones), ch, ch, Weight{}, l.bool("trainable", true) && l.bool("scale", true), []int{ch})
	beta := b.variable(l, "beta", l.initializer("betaInitializer", nn.Zeros), ch, ch, Weight{}, l.bool("trainable", true) && l.bool("center", true), []int{ch})
	h := x.v
	if n == 2 {
		h = op.Unsqueeze(h, 2)
	}
	y := op.GroupNormalization(h, gamma, beta, groups, float32(l.float("epsilon", 1e-3)))
	if n == 2 {
		y = op.Squeeze(y, 2)
	}
	return x.with(y)
}

// rmsNormalization divides every position of a sample by the root of its mean square over the last axis.
func rmsNormalization(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	n := len(x.v.Shape)
	if a := l.float("axis", -1); a != -1 && a != float64(n-1) {
		l.fail("axis ", a, " is not supported; it normalises the last axis")
	}
	f := x.v.Shape[n-1]
	if f < 1 {
		l.fail("the number of features must be known, the input is ", x.shape())
	}
	scale := b.param(l, "scale", nn.Ones, f, f, Weight{}, f)
	return value{v: op.RMSNormalization(x.v, scale, op.LayerNormOptions{Axis: -1, Epsilon: float32(l.float("epsilon", 1e-6))})}
}
