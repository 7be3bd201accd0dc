package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// MultiHeadAttention lets every element of a sequence [N, T, D] look at others (Vaswani et al., 2017; ONNX Attention): queries, keys and values are
// products with weights, cut into Heads; the results are joined and multiplied by a last weight.
type MultiHeadAttention struct {
	Heads     int
	KVHeads   int     // heads of keys and values, each shared by Heads/KVHeads of the queries; 0: Heads
	Size      int     // of a head of queries and keys; 0: D/Heads
	ValueSize int     // of a head of values; 0: Size
	Out       int     // features of the result; 0: D
	Causal    bool    // an element looks at itself and earlier ones
	Scale     float32 // of the scores; 0: 1/sqrt(Size)
	Softcap   float32 // bounds the scores by Softcap*tanh(score/Softcap); 0: no
	Dropout   float32 // rate of the probabilities while training
	Rotary    *Rotary // turns queries and keys by their positions; nil: no
	NoBias    bool
	Init      Initializer // of the weights; nil: GlorotUniform
	BiasInit  Initializer // nil: Zeros
	Name      string
}

// AttentionInput holds the optional operands of attention.
type AttentionInput struct {
	Key, Value *graph.Value // [N, S, ...] to look at; nil: the input itself, and Key for Value
	Mask       *graph.Value // bool, true where an element may be looked at, or numbers added to the scores; broadcasts to [N, Heads, T, S]
	// Lengths, int32 or int64 [N], is how many elements of each sequence of keys are no padding; nil: all. An element that can look at nothing gets zeros, and
	// the bias of the last weight.
	Lengths *graph.Value
}

// Apply is self-attention; see [MultiHeadAttention.Run].
func (l MultiHeadAttention) Apply(c *Context, x *graph.Value) *graph.Value {
	return l.Run(c, x, AttentionInput{})
}

// Run returns [N, T, Out]. It adds the variables NAME.qkv.weight [(Heads*Size + KVHeads*(Size+ValueSize)), D] and NAME.qkv.bias, or with in.Key NAME.q.weight, NAME.k.weight,
// NAME.v.weight and their biases; and NAME.out.weight [Out, Heads*ValueSize] and NAME.out.bias. In a context with a [KVCache] causal self-attention continues
// what the cache holds.
func (l MultiHeadAttention) Run(c *Context, x *graph.Value, in AttentionInput) *graph.Value {
	name := c.name(l.Name, "attention")
	what := "MultiHeadAttention " + name
	d := dim(what, x, 2, 3)
	if l.Heads < 1 {
		fail(what, "needs Heads of at least 1")
	}
	if l.Size == 0 && d%l.Heads != 0 {
		fail(what, strconv.Itoa(l.Heads), " heads do not divide ", d, " features; give a Size")
	}
	kv := or(l.KVHeads, l.Heads)
	if kv < 1 || l.Heads%kv != 0 {
		fail(what, "Heads must be a multiple of KVHeads, not ", l.Heads, " and ", kv)
	}
	if !(l.Dropout >= 0 && l.Dropout < 1) {
		fail(what, "needs a Dropout of 0 to less than 1, not ", l.Dropout)
	}
	size := or(l.Size, d/l.Heads)
	value := or(l.ValueSize, size)
	o := op.AttentionOptions{Heads: l.Heads, KVHeads: kv, Causal: l.Causal, Scale: l.Scale, Softcap: l.Softcap, Mask: in.Mask, Lengths: in.Lengths}
	drops := c.Training && l.Dropout > 0
	if in.Key == nil && in.Value != nil {
		fail(what, "takes no Value without a Key")
	}

	project := func(x *graph.Value, part string, units int) *graph.Value {
		return Dense{Units: units, NoBias: l.NoBias, Init: orInit(l.Init, GlorotUniform), BiasInit: l.BiasInit, Name: name + "." + part}.Apply(c, x)
	}
	var y *graph.Value
	if in.Key == nil {
		qkv := project(x, "qkv", l.Heads*size+kv*(size+value))
		cached := c.Cache != nil && l.Causal
		if size == value && !cached {
			if l.Rotary != nil {
				qkv = l.Rotary.turn(c, what, qkv, l.Heads+2*kv, l.Heads+kv, size)
			}
			if drops {
				y = op.SelfAttentionDropout(qkv, o, l.Dropout)
			} else {
				y = op.SelfAttention(qkv, o)
			}
		} else {
			p := op.Split(qkv, 2, l.Heads*size, kv*size, kv*value)
			if cached {
				o.PastKey, o.PastVal = c.Cache.past(name, kv, size, value)
			}
			y = l.attend(c, what, p[0], p[1], p[2], o, size, drops, cached)
		}
	} else {
		if in.Value == nil {
			in.Value = in.Key
		}
		dim(what+": Key", in.Key, 2, 3)
		dim(what+": Value", in.Value, 2, 3)
		q, k, v := project(x, "q", l.Heads*size), project(in.Key, "k", kv*size), project(in.Value, "v", kv*value)
		y = l.attend(c, what, q, k, v, o, size, drops, false)
	}
	return project(y, "out", or(l.Out, d))
}

// attend applies attention to projected queries, keys and values.
func (l MultiHeadAttention) attend(c *Context, what string, q, k, v *graph.Value, o op.AttentionOptions, size int, drops, cached bool) *graph.Value {
	if l.Rotary != nil {
		q, k = l.Rotary.turn(c, what, q, o.Heads, o.Heads, size), l.Rotary.turn(c, what, k, o.KVHeads, o.KVHeads, size)
	}
	switch {
	case drops:
		return op.AttentionDropout(q, k, v, o, l.Dropout)
	case cached:
		y, pk, pv := op.AttentionCached(q, k, v, o)
		c.Cache.Present = append(c.Cache.Present, pk, pv)
		return y
	}
	return op.Attention(q, k, v, o)
}

// KVCache holds keys and values of the elements before, for a model that reads a sequence piece by piece: of one element after the other when it
// generates. Set in a [Context], it makes causal self-attention add graph inputs for the keys and values so far, and give those of the next call:
//
//	c := nn.NewContext(g, nn.Options{})
//	c.Cache = nn.NewKVCache(c)
//	y := model.Apply(c, x) // x [N, T, ...]: the piece
//	g.Output(y)
//	c.Cache.Finish()       // the outputs that follow y are the inputs Past of the next call
type KVCache struct {
	Start   *graph.Value   // input "start", int64 of one element: how many elements came before
	Past    []*graph.Value // inputs NAME.past_key and NAME.past_value [N, KVHeads, P, size], in the order of the layers; P is 0 in the first call
	Present []*graph.Value // what they are after the call

	c    *Context
	n, p int // symbols of the batch and of the past's length
}

// NewKVCache adds the input "start".
func NewKVCache(c *Context) *KVCache {
	return &KVCache{c: c, Start: c.G.Input("start", tensor.Int64, 1), n: c.G.Symbol("N"), p: c.G.Symbol("P")}
}

// past adds the inputs of one layer.
func (k *KVCache) past(name string, heads, size, value int) (key, val *graph.Value) {
	key = k.c.G.Input(name+".past_key", tensor.Float32, k.n, heads, k.p, size)
	val = k.c.G.Input(name+".past_value", tensor.Float32, k.n, heads, k.p, value)
	k.Past = append(k.Past, key, val)
	return key, val
}

// Finish makes the new keys and values outputs of the graph, in the order of Past.
func (k *KVCache) Finish() {
	for _, v := range k.Present {
		k.c.G.Output(v)
	}
}

// Empty returns the cache's contents before the first call, for a batch of n.
func (k *KVCache) Empty(n int) []*tensor.Tensor {
	out := make([]*tensor.Tensor, len(k.Past))
	for i, v := range k.Past {
		out[i] = tensor.New(tensor.Float32, n, v.Shape[1], 0, v.Shape[3])
	}
	return out
}
