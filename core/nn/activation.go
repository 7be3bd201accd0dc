package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// Activation is an elementwise function (or Softmax, over the last axis) that follows a layer.
type Activation func(x *graph.Value) *graph.Value

// Apply makes an Activation a layer of its own.
func (a Activation) Apply(_ *Context, x *graph.Value) *graph.Value { return a(x) }

// The activations; see the ONNX operators of the same names.
var (
	Relu      Activation = op.Relu
	Sigmoid   Activation = op.Sigmoid
	Tanh      Activation = op.Tanh
	Softplus  Activation = op.Softplus
	Softsign  Activation = op.Softsign
	HardSwish Activation = op.HardSwish
	Mish      Activation = op.Mish
	Selu      Activation = op.Selu
)

// Gelu is x times the normal distribution function of x.
func Gelu(x *graph.Value) *graph.Value { return op.Gelu(x, false) }

// Softmax normalises the last axis to a probability distribution.
func Softmax(x *graph.Value) *graph.Value { return op.Softmax(x, -1) }

// LeakyRelu returns max(x, alpha*x) as an activation.
func LeakyRelu(alpha float32) Activation {
	return func(x *graph.Value) *graph.Value { return op.LeakyRelu(x, alpha) }
}

// Elu returns x for x > 0 and alpha(exp(x)-1) below as an activation.
func Elu(alpha float32) Activation {
	return func(x *graph.Value) *graph.Value { return op.Elu(x, alpha) }
}

// PRelu is a leaky ReLU with one learnt slope per channel (axis 1), which starts at 0.25 (He et al., 2015).
type PRelu struct{ Name string }

// Apply adds the variable NAME.slope of [C, 1, ...].
func (l PRelu) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "prelu")
	shape := make([]int, max(len(x.Shape)-1, 1))
	for i := range shape {
		shape[i] = 1
	}
	n := dim("PRelu "+name, x, 1, max(len(x.Shape), 2))
	shape[0] = n
	return op.PRelu(x, c.Param(name+".slope", Constant(0.25), n, n, shape...))
}
