package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// DefSelfAttention is weft.SelfAttention(qkv, mask, lengths, key): [Attention], with a key [AttentionDropout], of queries, keys and values that lie side by side in [batch, sequence, (q_num_heads +
// 2*kv_num_heads)*size], as one product with the three weights gives them. Nothing is split or transposed, and the gradient is one tensor again. Output 1 is
// Attention's logarithm of sums.
var DefSelfAttention = graph.Def{
	Domain: "weft", Name: "SelfAttention", MinIn: 1, MaxIn: 4, MaxOut: 2, Doc: "Attention of one tensor that holds queries, keys and values",
	Attrs: attnGradAttrDefs, Infer: inferSelfAttention, Body: bodySelfAttention{}, Grad: gradSelfAttention{}, Lower: lowerSelfAttention, FLOPs: flopsSelfAttention,
}

// SelfAttention returns [batch, sequence, heads*size] for qkv of [batch, sequence, (heads + 2*kv heads)*size]: queries, keys and values side by side. A past is
// for [AttentionCached].
func SelfAttention(qkv *graph.Value, o AttentionOptions) *graph.Value {
	if o.PastKey != nil || o.PastVal != nil {
		tensor.Fail("weft.SelfAttention", "takes no past; use AttentionCached")
	}
	return qkv.G.Add(&DefSelfAttention, o.attrs(), trimmed(qkv, o.Mask, o.Lengths)...)
}

// selfDims works out the sizes.
func selfDims(n *graph.Node, qkv []int, fail failFunc) attnShape {
	if len(qkv) != 3 {
		fail("the input must have rank 3 [batch, sequence, (q heads + 2*kv heads)*size]")
	}
	heads, kv := n.Int("q_num_heads"), n.Int("kv_num_heads")
	if heads < 1 || kv < 1 || heads%kv != 0 {
		fail("needs q_num_heads, a multiple of kv_num_heads, not ", heads, " and ", kv)
	}
	s := attnShape{batch: qkv[0], heads: heads, kvHeads: kv, queries: qkv[1], keys: qkv[1], size: graph.Unknown, flat: true}
	if d := qkv[2]; d >= 0 {
		if d%(heads+2*kv) != 0 {
			fail("the last dimension of the input, ", d, ", does not divide into ", heads, " heads of queries and twice ", kv, " of keys and values")
		}
		s.size = d / (heads + 2*kv)
	}
	s.valueSize = s.size
	return s
}

func inferSelfAttention(c *graph.InferCtx) {
	wantFloat(c, 0)
	if c.Has(1) && c.In[1].DType != tensor.Bool {
		wantSameType(c, 0, 1)
	}
	if c.Has(2) {
		wantIndex(c, 2)
		wantRank(c, 2, 1)
	}
	if c.Has(3) {
		wantKey(c, 3, "dropout")
	}
	d := c.In[0].DType
	stats := d
	if stats.Bits() < 32 {
		stats = tensor.Float32
	}
	if !c.In[0].HasRank {
		c.Set(0, d, unknownShape(3))
		c.Set(1, stats, unknownShape(3))
		return
	}
	s := selfDims(c.Node, c.In[0].Shape, c.Fail)
	if c.Has(1) && c.In[1].HasRank {
		checkAttnMask(&s, c.In[1].Shape, c.Fail)
	}
	if c.Has(2) && c.In[2].HasRank {
		if _, ok := sameDim(c.In[2].Shape[0], s.batch); !ok {
			c.Fail("the lengths must have one element per sample")
		}
	}
	c.Set(0, d, s.out())
	c.Set(1, stats, []int{s.batch, s.heads, s.queries})
}

func flopsSelfAttention(n *graph.Node, in, _ []graph.Type) float64 {
	s := selfDims(n, in[0].Shape, failOf(n))
	return s.flops(n.Int("is_causal") != 0)
}

// selfParts returns queries, keys and values.
func selfParts(n *graph.Node, qkv *graph.Value) []*graph.Value {
	if !qkv.HasRank || qkv.Shape[2] < 0 {
		tensor.Fail(n.Describe(), "the last dimension of the input must be known to express it by ONNX operators")
	}
	s := selfDims(n, qkv.Shape, failOf(n))
	return Split(qkv, 2, s.heads*s.size, s.kvHeads*s.size, s.kvHeads*s.size)
}

type bodySelfAttention struct{}

func (bodySelfAttention) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	p := selfParts(n, in[0])
	wants := 1
	if len(n.Outputs) > 1 && n.Outputs[1] != nil {
		wants = attnLSE + 1
	}
	if key := at(in, 3); key != nil {
		return g.AddN(&DefAttentionDropout, "", min(wants, 2), n.Attrs, trimmed(append(p, key, at(in, 1), at(in, 2))...)...)
	}
	out := g.AddN(&DefAttention, "", wants, n.Attrs, trimmed(append(p, at(in, 1), nil, nil, at(in, 2))...)...)
	if wants == 1 {
		return out
	}
	clear(out[attnY].Node.Outputs[attnPresentK:attnLSE])
	return []*graph.Value{out[attnY], out[attnLSE]}
}

// at returns element i, nil where there is none.
func at(v []*graph.Value, i int) *graph.Value {
	if i < len(v) {
		return v[i]
	}
	return nil
}

// By qkv: weft.SelfAttentionGrad; by a mask that is added: weft.AttentionMaskGrad.
type gradSelfAttention struct{}

func (gradSelfAttention) Grad(c *graph.GradCtx) []*graph.Value {
	dy, mask := c.DY[0], c.In(1)
	if dy == nil || len(c.DY) > 1 && c.DY[1] != nil {
		return bodyGrad(c)
	}
	out := make([]*graph.Value, len(c.Node.Inputs))
	out[0] = c.G.Add(&DefSelfAttentionGrad, c.Node.Attrs, trimmed(dy, c.In(0), c.Out(0), extraOutput(c.Node, 1), mask, c.In(2), c.In(3))...)
	if mask != nil && mask.DType != tensor.Bool {
		p := selfParts(c.Node, c.In(0))
		out[1] = c.G.Add(&DefAttentionMaskGrad, c.Node.Attrs, trimmed(dy, p[0], p[1], p[2], mask, c.In(2), c.In(3))...)
	}
	return out
}

// DefSelfAttentionGrad is weft.SelfAttentionGrad(dy, qkv, y, lse, mask, lengths, key): the gradient of SelfAttention by qkv.
var DefSelfAttentionGrad = graph.Def{
	Domain: "weft", Name: "SelfAttentionGrad", MinIn: 4, MaxIn: 7, Doc: "gradient of SelfAttention", Attrs: attnGradAttrDefs,
	Infer: inferSelfAttentionGrad, Body: bodySelfAttentionGrad{}, Lower: lowerSelfAttentionGrad, FLOPs: flopsSelfAttentionGrad,
}

func inferSelfAttentionGrad(c *graph.InferCtx) {
	wantFloat(c, 1)
	wantSameType(c, 1, 0, 2)
	if c.Has(6) {
		wantKey(c, 6, "dropout")
	}
	setLike(c, 0, c.In[1].DType, c.In[1])
}

func flopsSelfAttentionGrad(n *graph.Node, in, _ []graph.Type) float64 {
	s := selfDims(n, in[1].Shape, failOf(n))
	return 2.5 * s.flops(n.Int("is_causal") != 0)
}

type bodySelfAttentionGrad struct{}

func (bodySelfAttentionGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	p := selfParts(n, in[1])
	return []*graph.Value{Concat(2, attnPullback(g, n, in[0], p[0], p[1], p[2], at(in, 4), at(in, 5), at(in, 6))[:3]...)}
}

// selfLowering describes the operands: three parts of rows of one tensor.
func selfLowering(b graph.Builder, n *graph.Node, qkv int) *attnLowering {
	sh := b.InShape(qkv)
	a := &attnLowering{attnShape: selfDims(n, sh, failOf(n))}
	a.strideQ = [3]int{sh[1] * sh[2], a.size, sh[2]}
	a.strideK, a.strideV = a.strideQ, a.strideQ
	a.strideO = attnStrides(a.out(), a.heads)
	return a
}

// parts returns the addresses of queries, keys and values in a tensor.
func (a *attnLowering) parts(r prog.Ref) [3]prog.Ref {
	k := r.Add(4 * a.heads * a.size)
	return [3]prog.Ref{r, k, k.Add(4 * a.kvHeads * a.size)}
}

func lowerSelfAttention(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	a := selfLowering(b, n, 0)
	p := a.parts(b.In(0))
	a.q, a.k, a.v = p[0], p[1], p[2]
	a.mask, a.lengths, a.key = optional(b, 1), optional(b, 2), optional(b, 3)
	a.limits(b, 1, 2)
	a.y, a.lse = orScratch(b, 0, tensor.Size(a.out())), prog.None
	if b.NumOut() > 1 {
		a.lse = b.Out(1)
	}
	return a.emit(b, n)
}

func lowerSelfAttentionGrad(b graph.Builder, n *graph.Node) bool {
	if b.InType(1) != tensor.Float32 {
		return false
	}
	a := selfLowering(b, n, 1)
	p := a.parts(b.In(1))
	a.q, a.k, a.v, a.y, a.lse = p[0], p[1], p[2], b.In(2), b.In(3)
	a.mask, a.lengths, a.key = optional(b, 4), optional(b, 5), optional(b, 6)
	a.limits(b, 4, 5)
	return a.emitGrad(b, n, a.parts(b.Out(0)), b.In(0))
}
