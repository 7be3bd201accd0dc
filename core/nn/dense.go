package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

func add(a, b *graph.Value) *graph.Value { return op.Add(a, b) }

// Dense is a fully connected layer: y = x W^T + b for x of [N, in], W of [Units, in] (ONNX Gemm).
type Dense struct {
	Units      int
	Activation Activation // nil: none
	NoBias     bool
	Init       Initializer // of the weight; nil: HeUniform
	BiasInit   Initializer // nil: Zeros
	Name       string
}

// Apply adds the variables NAME.weight and NAME.bias and returns [N, Units].
func (d Dense) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(d.Name, "dense")
	in := dim("Dense "+name, x, 1, 2)
	if d.Units < 1 {
		fail("Dense "+name, "needs Units of at least 1")
	}
	w := c.Param(name+".weight", orInit(d.Init, HeUniform), in, d.Units, d.Units, in)
	var b *graph.Value
	if !d.NoBias {
		b = c.Param(name+".bias", orInit(d.BiasInit, Zeros), in, d.Units, d.Units)
	}
	return activate(d.Activation, op.Gemm(x, w, b, op.GemmOptions{TransB: true}))
}

func activate(a Activation, x *graph.Value) *graph.Value {
	if a == nil {
		return x
	}
	return a(x)
}
