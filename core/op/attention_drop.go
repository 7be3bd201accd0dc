package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// DefAttentionDropout is weft.AttentionDropout(q, k, v, key, mask, lengths): [Attention] whose probabilities [batch, heads, queries, keys] go through [DropoutKeyed] at the rate
// of the attribute dropout. Output 1 is Attention's logarithm of sums. The numbers are drawn block by block, forwards and backwards.
var DefAttentionDropout = graph.Def{
	Domain: "weft", Name: "AttentionDropout", MinIn: 4, MaxIn: 6, MaxOut: 2, Doc: "Attention that drops probabilities by a key", Attrs: attnGradAttrDefs,
	Infer: inferAttentionDropout, Body: bodyAttentionDropout{}, Grad: gradAttentionDropout{}, Lower: lowerAttentionDropout, FLOPs: flopsAttentionDropout,
}

// Inputs of AttentionDropout.
const adQ, adK, adV, adKey, adMask, adLength = 0, 1, 2, 3, 4, 5

// AttentionDropout is [Attention] whose probabilities are dropped at the rate, 0 <= rate < 1, and the others multiplied by 1/(1-rate), as [Dropout] does. With
// a past it computes the whole matrix of scores.
func AttentionDropout(q, k, v *graph.Value, o AttentionOptions, rate float32) *graph.Value {
	if o.PastKey != nil || o.PastVal != nil {
		n := &graph.Node{Def: &DefAttention, Attrs: o.attrs()}
		return attnFormulas(n, []*graph.Value{q, k, v, o.Mask, o.PastKey, o.PastVal, o.Lengths}, func(p *graph.Value) *graph.Value { return Dropout(p, rate) })[attnY]
	}
	return q.G.Add(&DefAttentionDropout, append(o.attrs(), graph.Float("dropout", rate)), trimmed(q, k, v, RandomKey(q.G), o.Mask, o.Lengths)...)
}

// SelfAttentionDropout is [SelfAttention] whose probabilities are dropped at the rate, see [AttentionDropout].
func SelfAttentionDropout(qkv *graph.Value, o AttentionOptions, rate float32) *graph.Value {
	if o.PastKey != nil || o.PastVal != nil {
		tensor.Fail("weft.SelfAttention", "takes no past; use AttentionDropout")
	}
	return qkv.G.Add(&DefSelfAttention, append(o.attrs(), graph.Float("dropout", rate)), trimmed(qkv, o.Mask, o.Lengths, RandomKey(qkv.G))...)
}

func inferAttentionDropout(c *graph.InferCtx) {
	wantFloat(c, adQ)
	wantSameType(c, adQ, adK, adV)
	wantKey(c, adKey, "dropout")
	if c.Has(adMask) && c.In[adMask].DType != tensor.Bool {
		wantSameType(c, adQ, adMask)
	}
	if c.Has(adLength) {
		wantIndex(c, adLength)
		wantRank(c, adLength, 1)
	}
	d := c.In[adQ].DType
	stats := d
	if stats.Bits() < 32 {
		stats = tensor.Float32
	}
	for _, i := range []int{adQ, adK, adV} {
		if !c.In[i].HasRank {
			c.SetUnranked(0, d)
			c.SetUnranked(1, stats)
			return
		}
	}
	s := attnDims(c.Node, c.In[adQ].Shape, c.In[adK].Shape, c.In[adV].Shape, nil, c.Fail)
	if c.Has(adMask) && c.In[adMask].HasRank {
		checkAttnMask(&s, c.In[adMask].Shape, c.Fail)
	}
	if c.Has(adLength) && c.In[adLength].HasRank {
		if _, ok := sameDim(c.In[adLength].Shape[0], s.batch); !ok {
			c.Fail("the lengths must have one element per sample")
		}
	}
	c.Set(0, d, s.out())
	c.Set(1, stats, []int{s.batch, s.heads, s.queries})
}

func flopsAttentionDropout(n *graph.Node, in, _ []graph.Type) float64 {
	s := attnDims(n, in[adQ].Shape, in[adK].Shape, in[adV].Shape, nil, failOf(n))
	return s.flops(n.Int("is_causal") != 0)
}

type bodyAttentionDropout struct{}

func (bodyAttentionDropout) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	f := &graph.Node{Def: &DefAttention, Attrs: n.Attrs, Outputs: make([]*graph.Value, attnLSE+1)}
	if len(n.Outputs) > 1 {
		f.Outputs[attnLSE] = n.Outputs[1]
	}
	out := attnFormulas(f, []*graph.Value{in[adQ], in[adK], in[adV], at(in, adMask), nil, nil, at(in, adLength)}, attnDrop(n, in[adKey]))
	return []*graph.Value{out[attnY], out[attnLSE]}
}

// attnDrop returns what is done to the probabilities of a node with a key, nil for nothing.
func attnDrop(n *graph.Node, key *graph.Value) func(p *graph.Value) *graph.Value {
	if key == nil {
		return nil
	}
	return func(p *graph.Value) *graph.Value { return DropoutKeyed(p, key, n.Float("dropout")) }
}

// By q, k and v: weft.AttentionGrad; by a mask that is added: weft.AttentionMaskGrad.
type gradAttentionDropout struct{}

func (gradAttentionDropout) Grad(c *graph.GradCtx) []*graph.Value {
	dy, mask := c.DY[0], c.In(adMask)
	if dy == nil || len(c.DY) > 1 && c.DY[1] != nil {
		return bodyGrad(c)
	}
	q, k, v, key, lengths := c.In(adQ), c.In(adK), c.In(adV), c.In(adKey), c.In(adLength)
	out := make([]*graph.Value, len(c.Node.Inputs))
	copy(out, c.G.AddN(&DefAttentionGrad, "", 3, c.Node.Attrs, dy, q, k, v, c.Out(0), extraOutput(c.Node, 1), mask, lengths, key))
	if mask != nil && mask.DType != tensor.Bool {
		out[adMask] = c.G.Add(&DefAttentionMaskGrad, c.Node.Attrs, dy, q, k, v, mask, lengths, key)
	}
	return out
}

func lowerAttentionDropout(b graph.Builder, n *graph.Node) bool {
	if b.InType(adQ) != tensor.Float32 {
		return false
	}
	a := &attnLowering{lse: prog.None, mask: optional(b, adMask), lengths: optional(b, adLength), key: b.In(adKey)}
	a.attnShape = attnDims(n, b.InShape(adQ), b.InShape(adK), b.InShape(adV), nil, failOf(n))
	a.q, a.k, a.v = b.In(adQ), b.In(adK), b.In(adV)
	a.strideQ, a.strideK, a.strideV = attnStrides(b.InShape(adQ), a.heads), attnStrides(b.InShape(adK), a.kvHeads), attnStrides(b.InShape(adV), a.kvHeads)
	a.strideO = attnStrides(a.out(), a.heads)
	a.limits(b, adMask, adLength)
	a.y = orScratch(b, 0, tensor.Size(a.out()))
	if b.NumOut() > 1 {
		a.lse = b.Out(1)
	}
	return a.emit(b, n)
}
