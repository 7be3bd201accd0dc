package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefRotaryEmbedding is ONNX's RotaryEmbedding (Su et al., "RoFormer", 2021): pairs of elements of every head are turned by angles that grow with the position. x is
// [batch, heads, sequence, size], or [batch, sequence, heads*size] with num_heads. The cosines and sines are [positions, dim/2], looked up by position_ids
// [batch, sequence], or [batch, sequence, dim/2] without; dim is rotary_embedding_dim, or the whole size for 0. A pair is elements i and i+dim/2 of the
// first dim, under interleaved 2i and 2i+1.
var DefRotaryEmbedding = graph.Def{
	Name: "RotaryEmbedding", Since: 23, First: 23, MinIn: 3, MaxIn: 4, Doc: "turn pairs of elements by angles of their position",
	Attrs: []graph.AttrDef{
		{Name: "interleaved", Kind: graph.AttrInt},
		{Name: "num_heads", Kind: graph.AttrInt},
		{Name: "rotary_embedding_dim", Kind: graph.AttrInt},
	},
	InPlace: []int{0}, Infer: inferRotary, FLOPs: flopsInput3, Body: bodyRotary{}, Grad: gradRotary{}, Lower: lowerRotary,
}

// RotaryOptions are the settings of [RotaryEmbedding].
type RotaryOptions struct {
	Heads       int  // of x of rank 3
	Dim         int  // how many elements of a head are turned; 0: all
	Interleaved bool // pairs are neighbours
}

// RotaryEmbedding turns pairs of elements of x [batch, heads, sequence, size], or [batch, sequence, heads*size] with o.Heads. cos and sin are [positions, dim/2] with
// the positions int64 [batch, sequence], or [batch, sequence, dim/2] where positions is nil.
func RotaryEmbedding(x, cos, sin, positions *graph.Value, o RotaryOptions) *graph.Value {
	var a []graph.Attr
	if o.Interleaved {
		a = append(a, graph.Bool("interleaved", true))
	}
	if o.Heads > 0 {
		a = append(a, graph.Int("num_heads", o.Heads))
	}
	if o.Dim > 0 {
		a = append(a, graph.Int("rotary_embedding_dim", o.Dim))
	}
	return x.G.Add(&DefRotaryEmbedding, a, trimmed(x, cos, sin, positions)...)
}

// rotarySize returns the size of a head and how much of it is turned.
func rotarySize(n *graph.Node, x []int, fail failFunc) (size, dim int) {
	switch heads := n.Int("num_heads"); len(x) {
	case 3:
		if heads < 1 {
			fail("an input of rank 3 needs the attribute num_heads")
		}
		if size = x[2]; size >= 0 {
			if size%heads != 0 {
				fail("the last dimension does not divide into ", heads, " heads")
			}
			size /= heads
		}
	case 4:
		size = x[3]
	default:
		fail("the input must have rank 4 [batch, heads, sequence, size] or 3 [batch, sequence, heads*size]")
	}
	if dim = n.Int("rotary_embedding_dim"); dim == 0 {
		dim = size
	}
	if dim >= 0 && dim%2 != 0 || size >= 0 && dim > size {
		fail("the rotary dimension must be even and at most the head size ", size, ", not ", dim)
	}
	return size, dim
}

func inferRotary(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1, 2)
	rank := 3
	if c.Has(3) {
		wantIndex(c, 3)
		wantRank(c, 3, 2)
		rank = 2
	}
	wantRank(c, 1, rank)
	wantRank(c, 2, rank)
	inferSame(c)
	if !c.In[0].HasRank {
		return
	}
	_, dim := rotarySize(c.Node, c.In[0].Shape, c.Fail)
	for i := 1; i <= 2; i++ {
		if t := c.In[i]; t.HasRank && dim >= 0 {
			if d := t.Shape[rank-1]; d >= 0 && d != dim/2 {
				c.Fail("the cosines and sines must have ", dim/2, " columns, half of the rotary dimension")
			}
		}
	}
}

type bodyRotary struct{}

// Body: with the pair (a, b), a*cos - b*sin and a*sin + b*cos.
func (bodyRotary) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, cos, sin := in[0], in[1], in[2]
	if !x.HasRank {
		tensor.Fail(n.Describe(), "the rank of the input must be known")
	}
	size, dim := rotarySize(n, x.Shape, failOf(n))
	if size < 0 {
		tensor.Fail(n.Describe(), "the size of a head must be known")
	}
	flat := len(x.Shape) == 3
	// Heads stay where they are: cosines and sines get a dimension for them.
	axis := 1
	if flat {
		x, axis = Reshape(x, 0, 0, n.Int("num_heads"), size), 2
	}
	if len(in) > 3 && in[3] != nil {
		cos, sin = Gather(cos, in[3], 0), Gather(sin, in[3], 0)
	}
	cos, sin = Unsqueeze(cos, axis), Unsqueeze(sin, axis)
	part := func(v *graph.Value, lo, hi int) *graph.Value {
		if lo == 0 && hi == size {
			return v
		}
		return Slice(v, []int{lo}, []int{hi}, SliceOptions{Axes: []int{3}})
	}
	var y *graph.Value
	if n.Int("interleaved") != 0 {
		pairs := Reshape(part(x, 0, dim), 0, 0, 0, dim/2, 2)
		a, b := Squeeze(Slice(pairs, []int{0}, []int{1}, SliceOptions{Axes: []int{4}}), 4), Squeeze(Slice(pairs, []int{1}, []int{2}, SliceOptions{Axes: []int{4}}), 4)
		y = Concat(4, Unsqueeze(Sub(Mul(a, cos), Mul(b, sin)), 4), Unsqueeze(Add(Mul(a, sin), Mul(b, cos)), 4))
		y = Reshape(y, 0, 0, 0, dim)
	} else {
		a, b := part(x, 0, dim/2), part(x, dim/2, dim)
		y = Concat(3, Sub(Mul(a, cos), Mul(b, sin)), Add(Mul(a, sin), Mul(b, cos)))
	}
	if dim < size {
		y = Concat(3, y, part(x, dim, size))
	}
	if flat {
		y = Reshape(y, 0, 0, n.Int("num_heads")*size)
	}
	return []*graph.Value{y}
}

// By x: the same by the negative angles. By cosines and sines: weft.RotaryTableGrad.
type gradRotary struct{}

func (gradRotary) Grad(c *graph.GradCtx) []*graph.Value {
	x, cos, sin, at := c.In(0), c.In(1), c.In(2), c.In(3)
	out := make([]*graph.Value, len(c.Node.Inputs))
	out[0] = c.G.Add(c.Node.Def, c.Node.Attrs, trimmed(c.DY[0], cos, Neg(sin), at)...)
	d := c.G.AddN(&DefRotaryTableGrad, "", 2, c.Node.Attrs, trimmed(c.DY[0], x, cos, sin, at)...)
	out[1], out[2] = d[0], d[1]
	return out
}

// DefRotaryTableGrad is weft.RotaryTableGrad(dy, x, cos, sin, positions): the gradients of RotaryEmbedding, or of RotaryHeads, by the cosines and the sines.
var DefRotaryTableGrad = graph.Def{
	Domain: "weft", Name: "RotaryTableGrad", MinIn: 4, MaxIn: 5, MaxOut: 2, Doc: "gradients of RotaryEmbedding by cosines and sines",
	Attrs: rotaryHeadsAttrs, Infer: inferRotaryTableGrad, FLOPs: flopsInput3, Body: bodyRotaryTableGrad{},
}

func inferRotaryTableGrad(c *graph.InferCtx) {
	wantFloat(c, 1)
	wantSameType(c, 1, 0, 2, 3)
	for i := range c.Out {
		setLike(c, i, c.In[2+i].DType, c.In[2+i])
	}
}

type bodyRotaryTableGrad struct{}

func (bodyRotaryTableGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	cos, sin := Identity(in[2]), Identity(in[3])
	var body graph.BodyRule = bodyRotary{}
	if n.HasAttr("turned") {
		body = bodyRotaryHeads{}
	}
	y := body.Body(g, n, []*graph.Value{in[1], cos, sin, at(in, 4)})
	return backward(g, y, in[:1], []*graph.Value{cos, sin}, true)
}

// DefRotaryHeads is weft.RotaryHeads(x, cos, sin, positions): RotaryEmbedding of the first heads of x [batch, sequence, num_heads*size], the attribute turned of them; the
// others stay as they are. So queries and keys are turned where they lie beside values, see SelfAttention.
var DefRotaryHeads = graph.Def{
	Domain: "weft", Name: "RotaryHeads", MinIn: 3, MaxIn: 4, Doc: "RotaryEmbedding of the first heads", Attrs: rotaryHeadsAttrs,
	InPlace: []int{0}, Infer: inferRotaryHeads, FLOPs: flopsInput3, Body: bodyRotaryHeads{}, Grad: gradRotary{}, Lower: lowerRotaryHeads,
}

var rotaryHeadsAttrs = []graph.AttrDef{
	{Name: "interleaved", Kind: graph.AttrInt},
	{Name: "num_heads", Kind: graph.AttrInt},
	{Name: "rotary_embedding_dim", Kind: graph.AttrInt},
	{Name: "turned", Kind: graph.AttrInt},
}

// RotaryHeads is [RotaryEmbedding] of the first heads of x [batch, sequence, o.Heads*size], as many as turned says.
func RotaryHeads(x, cos, sin, positions *graph.Value, turned int, o RotaryOptions) *graph.Value {
	a := []graph.Attr{graph.Int("num_heads", o.Heads), graph.Int("turned", turned)}
	if o.Interleaved {
		a = append(a, graph.Bool("interleaved", true))
	}
	if o.Dim > 0 {
		a = append(a, graph.Int("rotary_embedding_dim", o.Dim))
	}
	return x.G.Add(&DefRotaryHeads, a, trimmed(x, cos, sin, positions)...)
}

func inferRotaryHeads(c *graph.InferCtx) {
	wantRank(c, 0, 3)
	if t := c.Node.Int("turned"); t < 0 || t > c.Node.Int("num_heads") {
		c.Fail("turned must be 0 to num_heads, not ", t)
	}
	inferRotary(c)
}

type bodyRotaryHeads struct{}

func (bodyRotaryHeads) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, heads, turned := in[0], n.Int("num_heads"), n.Int("turned")
	size, _ := rotarySize(n, x.Shape, failOf(n))
	if size < 0 {
		tensor.Fail(n.Describe(), "the size of a head must be known")
	}
	o := RotaryOptions{Heads: turned, Dim: n.Int("rotary_embedding_dim"), Interleaved: n.Int("interleaved") != 0}
	if turned == heads {
		return []*graph.Value{RotaryEmbedding(x, in[1], in[2], at(in, 3), o)}
	}
	p := Split(x, 2, turned*size, (heads-turned)*size)
	return []*graph.Value{Concat(2, RotaryEmbedding(p[0], in[1], in[2], at(in, 3), o), p[1])}
}
