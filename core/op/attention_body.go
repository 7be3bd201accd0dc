package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

type bodyAttention struct{}

// Body computes the whole matrix of scores.
func (bodyAttention) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return attnFormulas(n, in, nil)
}

// attnFormulas returns the outputs of Attention; drop, where given, is applied to the probabilities.
func attnFormulas(n *graph.Node, in []*graph.Value, drop func(p *graph.Value) *graph.Value) []*graph.Value {
	q, k, v := in[attnQ], in[attnK], in[attnV]
	if !q.HasRank || !k.HasRank || !v.HasRank {
		tensor.Fail(n.Describe(), "the ranks must be known to express it by other operators")
	}
	var pastShape []int
	if p := at(in, attnPastK); p != nil {
		pastShape = unknownShape(4)
		if p.HasRank {
			pastShape = p.Shape
		}
	}
	s := attnDims(n, q.Shape, k.Shape, v.Shape, pastShape, failOf(n))
	if s.heads < 0 || s.kvHeads < 0 || s.size < 0 || s.valueSize < 0 {
		tensor.Fail(n.Describe(), "the numbers and sizes of heads must be known to express it by other operators")
	}
	if s.flat {
		split := func(x *graph.Value, heads, size int) *graph.Value {
			return Transpose(Reshape(x, 0, -1, heads, size), 0, 2, 1, 3)
		}
		q, k, v = split(q, s.heads, s.size), split(k, s.kvHeads, s.size), split(v, s.kvHeads, s.valueSize)
	}
	if past := at(in, attnPastK); past != nil {
		k, v = Concat(2, past, k), Concat(2, at(in, attnPastV), v)
	}
	out := []*graph.Value{attnPresentK: k, attnPresentV: v, attnScores: nil, attnLSE: nil}
	if share := s.heads / s.kvHeads; share > 1 {
		repeat := func(x *graph.Value, size int) *graph.Value {
			return Reshape(Expand(Unsqueeze(x, 2), 1, 1, share, 1, 1), 0, s.heads, -1, size)
		}
		k, v = repeat(k, s.size), repeat(v, s.valueSize)
	}
	// Scale and softcap.
	scores := Mul(MatMulT(q, k, false, true), ConstLike(q, attnScale(n, s.size)))
	kept := []*graph.Value{scores, nil, nil, nil}
	if softcap := float64(n.Float("softcap")); softcap > 0 {
		scores = Mul(Tanh(Div(scores, ConstLike(q, softcap))), ConstLike(q, softcap))
	}
	kept[1] = scores
	// What is added, and what is hidden.
	allowed, mask := attnAllowed(n, q, k, in), at(in, attnMask)
	if mask != nil {
		mask = attnWideMask(&s, mask)
		if mask.DType == tensor.Bool {
			allowed = andOf(allowed, mask)
		} else {
			scores = Add(scores, mask)
		}
	}
	if allowed != nil {
		scores = Where(allowed, scores, ConstLike(q, math.Inf(-1)))
	}
	kept[2] = scores
	precise := scores
	if p := tensor.DType(n.Int("softmax_precision")); p != 0 {
		precise = Cast(scores, p)
	}
	var p *graph.Value
	var dead *graph.Value // queries that see nothing
	most := ReduceMax(precise, []int{-1}, true)
	if mask != nil || at(in, attnLength) != nil || n.Int("is_causal") != 0 && s.keys == 0 {
		dead = Equal(most, ConstLike(precise, math.Inf(-1)))
		zero := ConstLike(precise, 0)
		p = Where(dead, zero, Softmax(Where(dead, zero, precise), -1))
	} else {
		p = Softmax(precise, -1)
	}
	p = Cast(p, q.DType)
	kept[3] = p
	out[attnScores] = kept[n.Int("qk_matmul_output_mode")]
	if drop != nil {
		p = drop(p)
	}
	y := MatMul(p, v)
	if s.flat {
		y = Reshape(Transpose(y, 0, 2, 1, 3), 0, -1, s.heads*s.valueSize)
	}
	out[attnY] = y
	if len(n.Outputs) > attnLSE && n.Outputs[attnLSE] != nil {
		safe := most
		if dead != nil {
			safe = Where(dead, ConstLike(most, 0), most)
		}
		lse := Add(safe, Log(ReduceSum(Exp(Sub(precise, safe)), []int{-1}, true)))
		if dead != nil {
			lse = Where(dead, ConstLike(lse, math.Inf(1)), lse)
		}
		out[attnLSE] = Cast(Squeeze(lse, -1), n.Outputs[attnLSE].DType)
	}
	return out
}

func andOf(a, b *graph.Value) *graph.Value {
	if a == nil {
		return b
	}
	return And(a, b)
}

// sizeAt returns dimension axis of x as an int64 of rank 0.
func sizeAt(x *graph.Value, axis int) *graph.Value {
	if d := x.Shape[axis]; d >= 0 {
		return Squeeze(ConstInts(x.G, d), 0)
	}
	return Squeeze(Slice(Shape(x), []int{axis}, []int{axis + 1}, SliceOptions{}), 0)
}

// indicesAlong returns 0, 1, ... along dimension axis of x.
func indicesAlong(x *graph.Value, axis int) *graph.Value {
	zero := Squeeze(ConstInts(x.G, 0), 0)
	return Range(zero, sizeAt(x, axis), Squeeze(ConstInts(x.G, 1), 0))
}

// attnAllowed returns the bool matrix of what is_causal and the lengths let be seen, nil for all; q and k are of rank 4, k with the past.
func attnAllowed(n *graph.Node, q, k *graph.Value, in []*graph.Value) *graph.Value {
	lengths := at(in, attnLength)
	var allowed *graph.Value
	keys := indicesAlong(k, 2)
	if lengths != nil {
		lengths = Reshape(Cast(lengths, tensor.Int64), -1, 1, 1, 1)
		allowed = Less(keys, lengths)
	}
	if n.Int("is_causal") == 0 {
		return allowed
	}
	last := Unsqueeze(indicesAlong(q, 2), 1) // the last key that a query sees
	switch past := at(in, attnPastK); {
	case past != nil:
		last = Add(last, attnPastSize(past))
	case lengths != nil:
		last = Add(last, Sub(lengths, sizeAt(q, 2)))
	}
	return andOf(allowed, LessOrEqual(keys, last))
}

// attnPastSize returns the length of the past.
func attnPastSize(past *graph.Value) *graph.Value {
	if past.HasRank {
		return sizeAt(past, 2)
	}
	return Squeeze(Slice(Shape(past), []int{2}, []int{3}, SliceOptions{}), 0)
}

// attnWideMask returns the mask with a last dimension as long as there are keys: what is added is not to be seen.
func attnWideMask(s *attnShape, mask *graph.Value) *graph.Value {
	if !mask.HasRank {
		return mask
	}
	d := mask.Shape[len(mask.Shape)-1]
	if d == s.keys || d < 0 || s.keys < 0 {
		return mask
	}
	o := PadOptions{Axes: []int{-1}}
	if mask.DType == tensor.Bool {
		no := tensor.New(tensor.Bool)
		o.Value = mask.G.Const(no)
	} else {
		o.Value = ConstLike(mask, math.Inf(-1))
	}
	return Pad(mask, []int{0, s.keys - d}, o)
}

// By q, k and v: weft.AttentionGrad; by a mask that is added: weft.AttentionMaskGrad. Through the other outputs, and with a past: as the
// formulas that they are.
type gradAttention struct{}

func (gradAttention) Grad(c *graph.GradCtx) []*graph.Value {
	dy, mask := c.DY[attnY], c.In(attnMask)
	plain := dy != nil && c.In(attnPastK) == nil
	for i, d := range c.DY {
		plain = plain && (i == attnY || d == nil)
	}
	if !plain {
		return bodyGrad(c)
	}
	in := []*graph.Value{dy, c.In(attnQ), c.In(attnK), c.In(attnV), c.Out(attnY), extraOutput(c.Node, attnLSE), mask, c.In(attnLength)}
	d := c.G.AddN(&DefAttentionGrad, "", 3, attnGradAttrs(c.Node), trimmed(in...)...)
	out := make([]*graph.Value, len(c.Node.Inputs))
	copy(out, d)
	if mask != nil && mask.DType != tensor.Bool {
		in = []*graph.Value{dy, c.In(attnQ), c.In(attnK), c.In(attnV), mask, c.In(attnLength)}
		out[attnMask] = c.G.Add(&DefAttentionMaskGrad, attnGradAttrs(c.Node), trimmed(in...)...)
	}
	return out
}

// attnGradAttrs are the attributes that the gradient shares with Attention.
func attnGradAttrs(n *graph.Node) []graph.Attr {
	var out []graph.Attr
	for _, a := range n.Attrs {
		if a.Name != "qk_matmul_output_mode" && a.Name != "softmax_precision" {
			out = append(out, a)
		}
	}
	return out
}

// attnGradAttrDefs declares them.
var attnGradAttrDefs = []graph.AttrDef{
	{Name: "dropout", Kind: graph.AttrFloat}, // rate, where there is a key
	{Name: "is_causal", Kind: graph.AttrInt},
	{Name: "kv_num_heads", Kind: graph.AttrInt},
	{Name: "q_num_heads", Kind: graph.AttrInt},
	{Name: "scale", Kind: graph.AttrFloat},
	{Name: "softcap", Kind: graph.AttrFloat},
}

// DefAttentionGrad is weft.AttentionGrad(dy, q, k, v, y, lse, mask, lengths, key): the gradients of Attention by q, k and v; with a key, of AttentionDropout. The kernel uses the result y and
// lse, which Attention gives; the formulas start from q, k and v.
var DefAttentionGrad = graph.Def{
	Domain: "weft", Name: "AttentionGrad", MinIn: 6, MaxIn: 9, MaxOut: 3, Doc: "gradients of Attention by q, k and v", Attrs: attnGradAttrDefs,
	Infer: inferAttentionGrad, Body: bodyAttentionGrad{}, Lower: lowerAttentionGrad, FLOPs: flopsAttentionGrad,
}

// Inputs of AttentionGrad.
const (
	agDY, agQ, agK, agV, agY, agLSE, agMask, agLength, agKey = 0, 1, 2, 3, 4, 5, 6, 7, 8
)

func inferAttentionGrad(c *graph.InferCtx) {
	wantFloat(c, agQ)
	wantSameType(c, agQ, agDY, agK, agV)
	if c.Has(agKey) {
		wantKey(c, agKey, "dropout")
	}
	for i := range c.Out {
		setLike(c, i, c.In[agQ+i].DType, c.In[agQ+i])
	}
}

func flopsAttentionGrad(n *graph.Node, in, _ []graph.Type) float64 {
	s := attnDims(n, in[agQ].Shape, in[agK].Shape, in[agV].Shape, nil, failOf(n))
	return 2.5 * s.flops(n.Int("is_causal") != 0)
}

type bodyAttentionGrad struct{}

func (bodyAttentionGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return attnPullback(g, n, in[agDY], in[agQ], in[agK], in[agV], at(in, agMask), at(in, agLength), at(in, agKey))[:3]
}

// attnPullback returns the gradients by q, k, v and the mask, by way of the formulas.
func attnPullback(g *graph.Graph, n *graph.Node, dy, q, k, v, mask, lengths, key *graph.Value) []*graph.Value {
	// One value may be several operands: each has a name of its own here.
	q, k, v = Identity(q), Identity(k), Identity(v)
	wrt := []*graph.Value{q, k, v, nil}
	if mask != nil && mask.DType != tensor.Bool {
		mask = Identity(mask)
		wrt[3] = mask
	}
	y := attnFormulas(n, []*graph.Value{q, k, v, mask, nil, nil, lengths}, attnDrop(n, key))[attnY]
	return backward(g, []*graph.Value{y}, []*graph.Value{dy}, wrt, true)
}

// DefAttentionMaskGrad is weft.AttentionMaskGrad(dy, q, k, v, mask, lengths, key): the gradient of Attention by a mask that is added to the scores; with a key, of
// AttentionDropout.
var DefAttentionMaskGrad = graph.Def{
	Domain: "weft", Name: "AttentionMaskGrad", MinIn: 5, MaxIn: 7, Doc: "gradient of Attention by its mask", Attrs: attnGradAttrDefs,
	Infer: inferAttentionMaskGrad, FLOPs: flopsOutput, Body: bodyAttentionMaskGrad{},
}

func inferAttentionMaskGrad(c *graph.InferCtx) {
	wantFloat(c, 4)
	wantSameType(c, 4, 0, 1, 2, 3)
	if c.Has(6) {
		wantKey(c, 6, "dropout")
	}
	setLike(c, 0, c.In[4].DType, c.In[4])
}

type bodyAttentionMaskGrad struct{}

func (bodyAttentionMaskGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return attnPullback(g, n, in[0], in[1], in[2], in[3], in[4], at(in, 5), at(in, 6))[3:]
}
