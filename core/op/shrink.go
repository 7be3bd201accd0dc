package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// DefShrink is ONNX's Shrink: x + bias below -lambd, x - bias above lambd, else 0 (soft thresholding when bias is lambd).
//
//weft:full
var DefShrink = graph.Def{
	Name: "Shrink", Since: 9, MinIn: 1, MaxIn: 1, Doc: "x < -lambd ? x+bias : x > lambd ? x-bias : 0", InPlace: []int{0},
	Attrs: []graph.AttrDef{
		{Name: "bias", Kind: graph.AttrFloat},
		{Name: "lambd", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.5}},
	},
	Infer: inferNumeric, FLOPs: flopsOutput, Ref: refShrink, Body: bodyShrink{},
}

func refShrink(c *graph.RefCtx) {
	bias, lambd := float64(c.Node.Float("bias")), float64(c.Node.Float("lambd"))
	f := func(x float64) float64 {
		switch {
		case x < -lambd:
			return x + bias
		case x > lambd:
			return x - bias
		}
		return 0
	}
	refMapNum(c, f, func(x int64) int64 { return int64(f(float64(x))) })
}

// The gradient is the body's: dy outside [-lambd, lambd], 0 inside.
type bodyShrink struct{}

func (bodyShrink) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, bias, lambd := in[0], float64(n.Float("bias")), float64(n.Float("lambd"))
	b := ConstLike(x, bias)
	above := Where(Greater(x, ConstLike(x, lambd)), Sub(x, b), ConstLike(x, 0))
	return []*graph.Value{Where(Less(x, ConstLike(x, -lambd)), Add(x, b), above)}
}

// Shrink returns x + bias below -lambd, x - bias above lambd, else 0.
func Shrink(x *graph.Value, bias, lambd float32) *graph.Value {
	return x.G.Add(&DefShrink, []graph.Attr{graph.Float("bias", bias), graph.Float("lambd", lambd)}, x)
}
