package op_test

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

type value = *graph.Value

// on1 is a sample of a function of one tensor, spread by a factor so that all branches are met.
func on1(name string, spread float64, f func(x value) value) gradSample {
	return gradSample{name: name, shapes: [][]int{{3, 7}}, f: one(func(in []value) value {
		return f(op.Mul(in[0], op.ConstLike(in[0], spread)))
	})}
}

var activationSamples = []gradSample{
	on1("Relu", 1, op.Relu),
	on1("LeakyRelu", 1, func(x value) value { return op.LeakyRelu(x, 0.1) }),
	{name: "PRelu", shapes: [][]int{{2, 3, 4}, {3, 1}}, f: one(func(in []value) value { return op.PRelu(in[0], in[1]) })},
	on1("Elu", 3, func(x value) value { return op.Elu(x, 1.5) }),
	on1("Selu", 3, op.Selu),
	on1("Celu", 3, func(x value) value { return op.Celu(x, 0.7) }),
	on1("ThresholdedRelu", 2, func(x value) value { return op.ThresholdedRelu(x, 0.6) }),
	on1("Shrink", 2, func(x value) value { return op.Shrink(x, 0.3, 0.5) }),
	on1("HardSigmoid", 4, func(x value) value { return op.HardSigmoid(x, 0.2, 0.5) }),
	on1("HardSwish", 5, op.HardSwish),
	on1("Sigmoid", 4, op.Sigmoid),
	on1("Tanh", 3, op.Tanh),
	on1("Softplus", 5, op.Softplus),
	on1("Softsign", 3, op.Softsign),
	on1("Mish", 4, op.Mish),
	on1("Swish", 4, func(x value) value { return op.Swish(x, 1) }),
	on1("Swish alpha", 4, func(x value) value { return op.Swish(x, 1.7) }),
	on1("Gelu", 3, func(x value) value { return op.Gelu(x, false) }),
	on1("Gelu tanh", 3, func(x value) value { return op.Gelu(x, true) }),
}

// shifted maps [-1, 1] to [lo, hi].
func shifted(x value, lo, hi float64) value {
	return op.Add(op.Mul(x, op.ConstLike(x, (hi-lo)/2)), op.ConstLike(x, (hi+lo)/2))
}

var trigSamples = []gradSample{
	on1("Sin", 3, op.Sin),
	on1("Cos", 3, op.Cos),
	on1("Tan", 1.2, op.Tan),
	on1("Asin", 0.9, op.Asin),
	on1("Acos", 0.9, op.Acos),
	on1("Atan", 3, op.Atan),
	on1("Sinh", 2, op.Sinh),
	on1("Cosh", 2, op.Cosh),
	on1("Asinh", 3, op.Asinh),
	on1("Acosh", 1, func(x value) value { return op.Acosh(shifted(x, 1.2, 4)) }),
	on1("Atanh", 0.9, op.Atanh),
}
