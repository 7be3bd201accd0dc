package op_test

import (
	"math"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// masks of [4, 5]: the third query sees nothing.
func boolMask(x value) value {
	t := tensor.New(tensor.Bool, 4, 5)
	for i := range t.Bytes() {
		if i/5 != 2 && (i*7)%3 != 0 {
			t.Bytes()[i] = 1
		}
	}
	return x.G.Const(t)
}

var attentionSamples = []gradSample{
	{name: "Attention", shapes: [][]int{{2, 3, 4, 6}, {2, 3, 5, 6}, {2, 3, 5, 2}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[1], in[2], op.AttentionOptions{})
	})},
	{name: "Attention of rank 3, causal, grouped heads", shapes: [][]int{{2, 4, 8}, {2, 5, 4}, {2, 5, 6}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[1], in[2], op.AttentionOptions{Heads: 4, KVHeads: 2, Causal: true, Scale: 0.7})
	})},
	{name: "Attention with a bool mask and softcap", shapes: [][]int{{1, 2, 4, 3}, {1, 1, 5, 3}, {1, 1, 5, 3}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[1], in[2], op.AttentionOptions{Mask: boolMask(in[0]), Softcap: 0.8})
	})},
	{name: "Attention with an added mask and lengths", shapes: [][]int{{2, 2, 4, 3}, {2, 2, 5, 3}, {2, 2, 5, 3}, {2, 1, 4, 5}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[1], in[2], op.AttentionOptions{Mask: in[3], Lengths: ints(in[0].G, []int{2}, 5, 3)})
	})},
	{name: "Attention with a short mask, causal from the end", shapes: [][]int{{2, 2, 3, 3}, {2, 2, 5, 3}, {2, 2, 5, 3}, {2, 1, 1, 4}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[1], in[2], op.AttentionOptions{Mask: in[3], Causal: true, Lengths: ints(in[0].G, []int{2}, 5, 2)})
	})},
	{name: "Attention of one tensor", shapes: [][]int{{2, 4, 6}}, f: one(func(in []value) value {
		return op.Attention(in[0], in[0], in[0], op.AttentionOptions{Heads: 2})
	})},
	{name: "Attention with a past", shapes: [][]int{{2, 3, 4}, {2, 3, 4}, {2, 3, 2}, {2, 2, 4, 2}, {2, 2, 4, 1}}, f: func(in []value) []value {
		y, k, v := op.AttentionCached(in[0], in[1], in[2], op.AttentionOptions{Heads: 2, Causal: true, PastKey: in[3], PastVal: in[4]})
		return []value{y, op.Mul(k, k), op.Mul(v, v)}
	}},
	{name: "Attention that gives keys and values", shapes: [][]int{{2, 3, 4}, {2, 3, 4}, {2, 3, 2}}, f: func(in []value) []value {
		y, k, v := op.AttentionCached(in[0], in[1], in[2], op.AttentionOptions{Heads: 2, Causal: true})
		return []value{y, op.Mul(k, k), op.Mul(v, v)}
	}},
	{name: "SelfAttention", shapes: [][]int{{2, 5, 18}}, f: one(func(in []value) value {
		return op.SelfAttention(in[0], op.AttentionOptions{Heads: 3, Causal: true})
	})},
	{name: "SelfAttention with grouped heads, mask and lengths", shapes: [][]int{{2, 4, 16}, {4, 1, 4}}, f: one(func(in []value) value {
		return op.SelfAttention(in[0], op.AttentionOptions{Heads: 4, KVHeads: 2, Mask: op.Mul(in[1], in[1]), Lengths: ints(in[0].G, []int{2}, 0, 3)})
	})},
	{name: "DropoutKeyed", shapes: [][]int{{3, 5}}, f: one(func(in []value) value {
		return op.DropoutKeyed(in[0], ints(in[0].G, []int{2}, 5, 1<<40), 0.4)
	})},
	{name: "AttentionDropout", shapes: [][]int{{2, 3, 4, 6}, {2, 3, 5, 6}, {2, 3, 5, 2}}, f: one(func(in []value) value {
		return op.AttentionDropout(in[0], in[1], in[2], op.AttentionOptions{Causal: true}, 0.3)
	})},
	{name: "AttentionDropout with grouped heads, an added mask and lengths", shapes: [][]int{{2, 4, 8}, {2, 5, 4}, {2, 5, 6}, {2, 1, 4, 5}}, f: one(func(in []value) value {
		return op.AttentionDropout(in[0], in[1], in[2], op.AttentionOptions{Heads: 4, KVHeads: 2, Softcap: 0.9, Mask: in[3], Lengths: ints(in[0].G, []int{2}, 5, 3)}, 0.4)
	})},
	{name: "SelfAttention with dropout", shapes: [][]int{{2, 5, 18}, {5, 5}}, f: one(func(in []value) value {
		return op.SelfAttentionDropout(in[0], op.AttentionOptions{Heads: 3, Causal: true, Mask: in[1]}, 0.25)
	})},
	{name: "RotaryEmbedding", shapes: [][]int{{2, 2, 3, 6}, {5, 2}, {5, 2}}, f: one(func(in []value) value {
		return op.RotaryEmbedding(in[0], in[1], in[2], ints(in[0].G, []int{2, 3}, 0, 1, 2, 4, 0, 1), op.RotaryOptions{Dim: 4})
	})},
	{name: "RotaryHeads", shapes: [][]int{{2, 3, 12}, {1, 3, 2}, {1, 3, 2}}, f: one(func(in []value) value {
		return op.RotaryHeads(in[0], in[1], in[2], nil, 2, op.RotaryOptions{Heads: 3})
	})},
	{name: "RotaryEmbedding interleaved", shapes: [][]int{{2, 3, 8}, {2, 3, 2}, {2, 3, 2}}, f: one(func(in []value) value {
		return op.RotaryEmbedding(in[0], in[1], in[2], nil, op.RotaryOptions{Heads: 2, Interleaved: true})
	})},
}

// attentionValues are larger than a block.
var attentionValues = []valueSample{
	{"Attention over blocks", func(b *sampleBuilder) []value {
		q, k, v := b.floats(2, 70, 24), b.floats(2, 131, 8), b.floats(2, 131, 12)
		mask := b.floats(2, 1, 70, 131)
		lengths := b.input(tensor.From([]int64{131, 66}, 2))
		y := op.Attention(q, k, v, op.AttentionOptions{Heads: 6, KVHeads: 2, Mask: mask, Lengths: lengths})
		z := op.Attention(q, k, v, op.AttentionOptions{Heads: 6, KVHeads: 2, Causal: true, Softcap: 3})
		loss := op.Add(op.ReduceSum(op.Mul(y, y), nil, false), op.ReduceSum(op.Mul(z, z), nil, false))
		return append([]value{y, z}, op.Gradients(loss, q, k, v)...)
	}},
	{"Attention one query at a time", func(b *sampleBuilder) []value {
		q, k, v := b.floats(2, 1, 8), b.floats(2, 1, 8), b.floats(2, 1, 8)
		pk, pv := b.floats(2, 2, 70, 4), b.floats(2, 2, 70, 4)
		y, nk, nv := op.AttentionCached(q, k, v, op.AttentionOptions{Heads: 2, Causal: true, PastKey: pk, PastVal: pv})
		return []value{y, nk, nv}
	}},
	{"SelfAttention over blocks", func(b *sampleBuilder) []value {
		x := b.floats(2, 100, 3*4*5)
		y := op.SelfAttention(x, op.AttentionOptions{Heads: 4, Causal: true, Mask: b.bools(2, 1, 1, 100)})
		return append([]value{y}, op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), x)...)
	}},
	{"AttentionDropout over blocks", func(b *sampleBuilder) []value {
		q, k, v := b.floats(2, 70, 24), b.floats(2, 131, 8), b.floats(2, 131, 12)
		y := op.AttentionDropout(q, k, v, op.AttentionOptions{Heads: 6, KVHeads: 2, Lengths: b.input(tensor.From([]int64{131, 66}, 2))}, 0.3)
		return append([]value{y}, op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), q, k, v)...)
	}},
	{"SelfAttention with dropout over blocks", func(b *sampleBuilder) []value {
		x := b.floats(2, 100, 3*4*5)
		y := op.SelfAttentionDropout(x, op.AttentionOptions{Heads: 4, Causal: true, Mask: b.bools(2, 1, 1, 100)}, 0.2)
		return append([]value{y}, op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), x)...)
	}},
	{"Attention that sees nothing", func(b *sampleBuilder) []value {
		q, k := b.floats(1, 2, 3, 4), b.floats(1, 2, 3, 4)
		nothing := op.ConstLike(q, math.Inf(-1))
		y := op.Attention(q, k, k, op.AttentionOptions{Mask: op.Expand(nothing, 3, 3)})
		return append([]value{y}, op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), q, k)...)
	}},
}
