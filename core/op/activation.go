package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// DefRelu is ONNX's Relu.
var DefRelu = graph.Def{
	Name: "Relu", Since: 14, MinIn: 1, MaxIn: 1, Doc: "max(x, 0)", Infer: inferNumeric, InPlace: []int{0},
	Ref: func(c *graph.RefCtx) {
		refMapNum(c, func(x float64) float64 {
			if x < 0 {
				return 0
			}
			return x
		}, func(x int64) int64 { return max(x, 0) })
	},
	Grad: gradRelu{},
	Elem: elemRelu, Act: actRelu,
}

// dx = y > 0 ? dy : 0; relu'(0) = 0.
type gradRelu struct{}

func (gradRelu) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ReluGrad(c.DY[0], c.Out(0))}
}

// Relu returns max(x, 0); NaN stays NaN.
func Relu(x *graph.Value) *graph.Value { return unary(&DefRelu, x) }

// DefReluGrad is weft.ReluGrad(dy, y) = y > 0 ? dy : 0.
var DefReluGrad = graph.Def{
	Domain: "weft", Name: "ReluGrad", MinIn: 2, MaxIn: 2, Doc: "y > 0 ? dy : 0", Infer: inferLike01, InPlace: []int{0, 1},
	Body: bodyReluGrad{}, After: afterMaxPoolGrad{},
	Elem: elemReluGrad,
}

type bodyReluGrad struct{}

func (bodyReluGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	zero := ConstLike(in[1], 0)
	return []*graph.Value{Where(Greater(in[1], zero), in[0], zero)}
}

// ReluGrad returns y > 0 ? dy : 0, the gradient of y = Relu(x).
func ReluGrad(dy, y *graph.Value) *graph.Value { return binary(&DefReluGrad, dy, y) }
