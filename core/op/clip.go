package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// DefClip is ONNX's Clip: bounds are optional scalars. Where min > max everything becomes max.
var DefClip = graph.Def{
	Name: "Clip", Since: 13, MinIn: 1, MaxIn: 3, Doc: "min(max(x, lo), hi)", InPlace: []int{0},
	Infer: inferClip, FLOPs: flopsOutput, Ref: refClip, Grad: gradClip{}, Body: bodyClip{}, Upgrade: upgradeClip, Elem: elemClip, Act: actClip,
}

// constBounds returns the bounds of a Clip of float32 when they are known.
func constBounds(n *graph.Node) (lo, hi float32, ok bool) {
	lo, hi = float32(math.Inf(-1)), float32(math.Inf(1))
	if n.Inputs[0] == nil || n.Inputs[0].DType != tensor.Float32 {
		return lo, hi, false
	}
	for i, b := range []*float32{&lo, &hi} {
		if 1+i >= len(n.Inputs) || n.Inputs[1+i] == nil {
			continue
		}
		t := n.Inputs[1+i].Const
		if t == nil || t.Len() != 1 {
			return lo, hi, false
		}
		*b = t.Contiguous().Float32s()[0]
	}
	return lo, hi, true
}

func elemClip(n *graph.Node) (graph.ElemOp, bool) {
	lo, hi, ok := constBounds(n)
	return graph.ElemOp{Kind: graph.ElemUnary, Code: uint8(simd.Clip), P0: lo, P1: hi}, ok
}

func actClip(n *graph.Node) (graph.Act, bool) {
	lo, hi, ok := constBounds(n)
	return graph.Act{Code: uint8(simd.ActClip), Lo: lo, Hi: hi}, ok
}

// upgradeClip turns the attributes of opsets before 11 into inputs.
func upgradeClip(c *graph.UpgradeCtx) {
	lo, hi := c.Attr("min"), c.Attr("max")
	if lo == nil && hi == nil {
		return
	}
	in := []*graph.Value{c.Inputs[0], nil, nil}
	for i, a := range []*graph.Attr{lo, hi} {
		if a != nil {
			in[1+i] = ConstLike(in[0], float64(a.F))
		}
	}
	c.Inputs = in
	c.Remove("min")
	c.Remove("max")
	c.Remove("consumed_inputs")
}

func inferClip(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1, 2)
	wantScalar(c, 1)
	wantScalar(c, 2)
	inferSame(c)
}

func refClip(c *graph.RefCtx) {
	x := c.In[0]
	if d := x.DType(); d.IsInt() {
		lo, hi := intRange(d)
		if c.Has(1) {
			lo = c.In[1].Int64sOf()[0]
		}
		if c.Has(2) {
			hi = c.In[2].Int64sOf()[0]
		}
		v := x.Int64sOf()
		for i := range v {
			if lessInt(d, v[i], lo) {
				v[i] = lo
			}
			if lessInt(d, hi, v[i]) {
				v[i] = hi
			}
		}
		c.Out[0].SetInt64s(v)
		return
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	if c.Has(1) {
		lo = c.In[1].Float64s()[0]
	}
	if c.Has(2) {
		hi = c.In[2].Float64s()[0]
	}
	refMap(c, func(x float64) float64 {
		if x < lo {
			x = lo
		}
		if hi < x {
			x = hi
		}
		return x
	})
}

type bodyClip struct{}

// Body is Min(Max(x, lo), hi), the bounds reshaped to scalars so that they do not add dimensions.
func (bodyClip) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	y := in[0]
	for i, f := range []func(x ...*graph.Value) *graph.Value{Max, Min} {
		if 1+i < len(in) && in[1+i] != nil {
			y = f(y, scalarOf(in[1+i]))
		}
	}
	if y == in[0] {
		y = Identity(y)
	}
	return []*graph.Value{y}
}

// scalarOf returns a tensor of one element as a scalar of rank 0.
func scalarOf(v *graph.Value) *graph.Value {
	if v.HasRank && len(v.Shape) == 0 {
		return v
	}
	return ReshapeLike(v, v.G.Const(tensor.New(v.DType)))
}

// dx = lo <= x <= hi ? dy : 0: the gradient passes at the bounds. There is none by the bounds.
type gradClip struct{}

func (gradClip) Grad(c *graph.GradCtx) []*graph.Value {
	x, dx := c.In(0), c.DY[0]
	zero := ConstLike(x, 0)
	if lo := c.In(1); lo != nil {
		dx = Where(GreaterOrEqual(x, scalarOf(lo)), dx, zero)
	}
	if hi := c.In(2); hi != nil {
		dx = Where(LessOrEqual(x, scalarOf(hi)), dx, zero)
	}
	return []*graph.Value{dx, nil, nil}
}

// Clip returns min(max(x, lo), hi); a nil bound does not bind.
func Clip(x, lo, hi *graph.Value) *graph.Value {
	switch {
	case lo == nil && hi == nil:
		return x
	case hi == nil:
		return x.G.Add(&DefClip, nil, x, lo)
	}
	return x.G.Add(&DefClip, nil, x, lo, hi)
}
