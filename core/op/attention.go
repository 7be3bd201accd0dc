package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefAttention is ONNX's Attention: scaled dot-product attention (Vaswani et al., 2017) of q, k and v, of rank 4 [batch, heads, sequence, size] or of
// rank 3 [batch, sequence, heads*size] with the numbers of heads as attributes. Heads of q may share one of k and v (grouped and
// multi-query attention: q_num_heads is a multiple of kv_num_heads). Input 3 is a mask that broadcasts to [batch, heads, q sequence, total sequence]: bool, true
// where a key may be seen, or of q's type, added to the scores; keys that a shorter last dimension does not reach are not seen. Inputs 4
// and 5 are the keys and values of earlier calls [batch, kv heads, past, size], which outputs 1 and 2 give back with this call's appended. Input 6,
// int64 [batch], is how many keys of each sample are no padding. Under is_causal query i sees key j for j <= i + offset, the offset being the length of the past, or
// input 6 minus the number of queries. Output 3 is the matrix of scores as qk_matmul_output_mode says: 0 scaled products, 1 after softcap, 2 with the
// mask, 3 probabilities.
//
// A query that sees no key at all, of which ONNX says nothing, gets zeros and passes no gradient on. Output 4, Weft's own, is the logarithm of the sum of a query's
// exponentials, which the gradient uses.
var DefAttention = graph.Def{
	Name: "Attention", Since: 24, First: 24, MinIn: 3, MaxIn: 7, MaxOut: 5, Hidden: 1, Doc: "softmax(scale*q*k^T + mask)*v for every head",
	Attrs: []graph.AttrDef{
		{Name: "is_causal", Kind: graph.AttrInt},
		{Name: "kv_num_heads", Kind: graph.AttrInt},
		{Name: "q_num_heads", Kind: graph.AttrInt},
		{Name: "qk_matmul_output_mode", Kind: graph.AttrInt},
		{Name: "scale", Kind: graph.AttrFloat},
		{Name: "softcap", Kind: graph.AttrFloat},
		{Name: "softmax_precision", Kind: graph.AttrInt},
	},
	Infer: inferAttention, Ref: refAttention, Grad: gradAttention{}, Body: bodyAttention{}, Lower: lowerAttention, FLOPs: flopsAttention,
}

// Inputs and outputs of Attention.
const (
	attnQ, attnK, attnV, attnMask, attnPastK, attnPastV, attnLength = 0, 1, 2, 3, 4, 5, 6
	attnY, attnPresentK, attnPresentV, attnScores, attnLSE          = 0, 1, 2, 3, 4
)

// AttentionOptions are the settings of [Attention] and [SelfAttention].
type AttentionOptions struct {
	Heads, KVHeads   int          // for operands of rank 3; KVHeads 0: as many as Heads
	Causal           bool         // a query sees the keys up to its own position
	Scale            float32      // of the products; 0: 1/sqrt(head size)
	Softcap          float32      // scores become Softcap*tanh(score/Softcap); 0: they do not
	Mask             *graph.Value // bool (true: may be seen) or added to the scores; broadcasts to [batch, heads, queries, keys]; nil: none
	Lengths          *graph.Value // int64 [batch]: the keys of each sample that are no padding; nil: all
	PastKey, PastVal *graph.Value // [batch, kv heads, past, size]; nil: none
}

func (o *AttentionOptions) attrs() []graph.Attr {
	var a []graph.Attr
	if o.Causal {
		a = append(a, graph.Bool("is_causal", true))
	}
	if o.Heads > 0 {
		a = append(a, graph.Int("kv_num_heads", max(o.KVHeads, 1)), graph.Int("q_num_heads", o.Heads))
		if o.KVHeads == 0 {
			a[len(a)-2].I = int64(o.Heads)
		}
	}
	if o.Scale != 0 {
		a = append(a, graph.Float("scale", o.Scale))
	}
	if o.Softcap != 0 {
		a = append(a, graph.Float("softcap", o.Softcap))
	}
	return a
}

// Attention returns softmax(scale*q*k^T + mask)*v for every head; q, k and v are [batch, heads, sequence, size], or [batch, sequence, heads*size] with
// o.Heads.
func Attention(q, k, v *graph.Value, o AttentionOptions) *graph.Value {
	return q.G.Add(&DefAttention, o.attrs(), trimmed(q, k, v, o.Mask, o.PastKey, o.PastVal, o.Lengths)...)
}

// AttentionCached is [Attention] with keys and values of earlier calls in o.PastKey and o.PastVal (nil: this is the first call). It also returns those of the
// next call.
func AttentionCached(q, k, v *graph.Value, o AttentionOptions) (y, presentKey, presentVal *graph.Value) {
	out := q.G.AddN(&DefAttention, "", 3, o.attrs(), trimmed(q, k, v, o.Mask, o.PastKey, o.PastVal, o.Lengths)...)
	return out[0], out[1], out[2]
}

// trimmed drops omitted inputs from the end.
func trimmed(in ...*graph.Value) []*graph.Value {
	for len(in) > 0 && in[len(in)-1] == nil {
		in = in[:len(in)-1]
	}
	return in
}

// attnShape is an attention of known shapes, or with unknown dimensions in inference.
type attnShape struct {
	batch, heads, kvHeads int
	queries, keys, past   int // keys: with the past
	size, valueSize       int
	flat                  bool // operands of rank 3
}

// attnDims works out the sizes from the shapes of q, k, v and the past keys (nil: none).
func attnDims(n *graph.Node, q, k, v, past []int, fail failFunc) attnShape {
	if len(q) != len(k) || len(q) != len(v) || len(q) != 3 && len(q) != 4 {
		fail("query, key and value must all have rank 4 [batch, heads, sequence, size] or rank 3 [batch, sequence, heads*size]")
	}
	unify := func(what string, dims ...int) int {
		d := dims[0]
		for _, e := range dims[1:] {
			var ok bool
			if d, ok = sameDim(d, e); !ok {
				fail(what, " differ")
			}
		}
		return d
	}
	s := attnShape{flat: len(q) == 3, batch: unify("the batches of query, key and value", q[0], k[0], v[0])}
	s.heads, s.kvHeads = n.Int("q_num_heads"), n.Int("kv_num_heads")
	var keys int
	if s.flat {
		if s.heads < 1 || s.kvHeads < 1 {
			fail("operands of rank 3 need the attributes q_num_heads and kv_num_heads")
		}
		part := func(what string, d, heads int) int {
			if d < 0 {
				return graph.Unknown
			}
			if d%heads != 0 {
				fail("the last dimension of the ", what, ", ", d, ", does not divide into ", heads, " heads")
			}
			return d / heads
		}
		s.size = unify("the head sizes of query and key", part("query", q[2], s.heads), part("key", k[2], s.kvHeads))
		s.valueSize = part("value", v[2], s.kvHeads)
		s.queries, keys = q[1], unify("the sequence lengths of key and value", k[1], v[1])
	} else {
		given := func(attr string, dim int) int {
			want := n.Int(attr)
			if want > 0 && dim >= 0 && want != dim {
				fail("the attribute ", attr, " is ", want, ", but the operand has ", dim, " heads")
			}
			return dim
		}
		s.heads, s.kvHeads = given("q_num_heads", q[1]), given("kv_num_heads", unify("the heads of key and value", k[1], v[1]))
		s.size, s.valueSize = unify("the head sizes of query and key", q[3], k[3]), v[3]
		s.queries, keys = q[2], unify("the sequence lengths of key and value", k[2], v[2])
	}
	if s.heads >= 0 && s.kvHeads >= 0 && (s.kvHeads == 0 || s.heads%s.kvHeads != 0) {
		fail(s.heads, " heads of the query cannot share ", s.kvHeads, " of key and value; the first must be a multiple of the second")
	}
	s.keys = keys
	if past != nil {
		s.past = past[2]
		if s.keys = keys + s.past; keys < 0 || s.past < 0 {
			s.keys = graph.Unknown
		}
	}
	return s
}

// out returns the shape of the result.
func (s *attnShape) out() []int {
	if !s.flat {
		return []int{s.batch, s.heads, s.queries, s.valueSize}
	}
	if s.valueSize < 0 {
		return []int{s.batch, s.queries, graph.Unknown}
	}
	return []int{s.batch, s.queries, s.heads * s.valueSize}
}

// checkAttnMask checks that the mask broadcasts to the scores; its last dimension may be shorter.
func checkAttnMask(s *attnShape, mask []int, fail failFunc) {
	if len(mask) < 1 || len(mask) > 4 {
		fail("the mask must have rank 1 to 4")
	}
	full := []int{s.batch, s.heads, s.queries, s.keys}
	for i := range mask {
		d, f := mask[len(mask)-1-i], full[3-i]
		if d < 0 || f < 0 || d == f || d == 1 && i > 0 || i == 0 && d < f {
			continue
		}
		fail("the mask does not broadcast to [batch heads queries keys], ", full)
	}
}

func inferAttention(c *graph.InferCtx) {
	wantFloat(c, attnQ)
	wantSameType(c, attnQ, attnK, attnV, attnPastK, attnPastV)
	d := c.In[attnQ].DType
	if c.Has(attnMask) && c.In[attnMask].DType != tensor.Bool {
		wantSameType(c, attnQ, attnMask)
	}
	if c.Has(attnPastK) != c.Has(attnPastV) {
		c.Fail("past_key and past_value are given together or not at all")
	}
	if c.Has(attnLength) {
		wantIndex(c, attnLength)
		wantRank(c, attnLength, 1)
	}
	if m := c.Node.Int("qk_matmul_output_mode"); m < 0 || m > 3 {
		c.Fail("qk_matmul_output_mode must be 0 to 3, not ", m)
	}
	if f := c.Node.Float("softcap"); !(f >= 0) {
		c.Fail("softcap must not be negative")
	}
	if p := tensor.DType(c.Node.Int("softmax_precision")); p != 0 && !isFloat(p) {
		c.Fail("softmax_precision must name a floating-point type")
	}
	stats := d
	if stats.Bits() < 32 {
		stats = tensor.Float32
	}
	for _, i := range []int{attnQ, attnK, attnV} {
		if !c.In[i].HasRank {
			for o := range c.Out {
				c.SetUnranked(o, d)
			}
			return
		}
	}
	var past []int
	if c.Has(attnPastK) {
		wantRank(c, attnPastK, 4)
		wantRank(c, attnPastV, 4)
		past = unknownShape(4)
		for _, i := range []int{attnPastK, attnPastV} {
			if t := c.In[i]; t.HasRank && past[2] < 0 {
				past[2] = t.Shape[2]
			}
		}
	}
	s := attnDims(c.Node, c.In[attnQ].Shape, c.In[attnK].Shape, c.In[attnV].Shape, past, c.Fail)
	for i, size := range []int{s.size, s.valueSize} {
		if past == nil || !c.In[attnPastK+i].HasRank {
			continue
		}
		want := []int{s.batch, s.kvHeads, s.past, size}
		if _, ok := sameShape(c.In[attnPastK+i].Shape, want); !ok {
			c.Fail("past_key and past_value must be [batch, kv heads, past, size], ", want, " here")
		}
	}
	if c.Has(attnMask) && c.In[attnMask].HasRank {
		checkAttnMask(&s, c.In[attnMask].Shape, c.Fail)
	}
	if c.Has(attnLength) && c.In[attnLength].HasRank {
		if _, ok := sameDim(c.In[attnLength].Shape[0], s.batch); !ok {
			c.Fail("nonpad_kv_seqlen must have one element per sample")
		}
	}
	c.Set(attnY, d, s.out())
	c.Set(attnPresentK, d, []int{s.batch, s.kvHeads, s.keys, s.size})
	c.Set(attnPresentV, d, []int{s.batch, s.kvHeads, s.keys, s.valueSize})
	c.Set(attnScores, d, []int{s.batch, s.heads, s.queries, s.keys})
	c.Set(attnLSE, stats, []int{s.batch, s.heads, s.queries})
}

// attnScale returns the factor of the products.
func attnScale(n *graph.Node, size int) float64 {
	if n.HasAttr("scale") {
		return float64(n.Float("scale"))
	}
	return 1 / math.Sqrt(float64(size))
}

// flopsAttention counts the two products; under is_causal half of a square matrix of scores.
func flopsAttention(n *graph.Node, in, out []graph.Type) float64 {
	var past []int
	if len(in) > attnPastK && in[attnPastK].HasRank {
		past = in[attnPastK].Shape
	}
	s := attnDims(n, in[attnQ].Shape, in[attnK].Shape, in[attnV].Shape, past, failOf(n))
	return s.flops(n.Int("is_causal") != 0)
}

// flops counts a multiplication and an addition as two.
func (s *attnShape) flops(causal bool) float64 {
	pairs := float64(s.queries) * float64(s.keys)
	if causal && s.past == 0 {
		pairs = float64(s.queries)*float64(min(s.queries, s.keys))/2 + float64(max(s.queries-s.keys, 0))*float64(s.keys)/2
	}
	return 2 * float64(s.batch*s.heads) * pairs * float64(s.size+s.valueSize)
}
