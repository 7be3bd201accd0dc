package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// BatchNorm normalises every channel of [N, C, ...] over the batch and the positions, and scales and shifts it
// (Ioffe, Szegedy, ICML 2015; ONNX BatchNormalization). In evaluation it uses running statistics.
type BatchNorm struct {
	Epsilon    float32    // 0: 1e-5
	Momentum   float32    // running = Momentum*running + (1-Momentum)*batch; 0: 0.9
	Activation Activation // nil: none
	Name       string
}

// Apply adds the variables NAME.scale, NAME.bias, NAME.mean and NAME.var of [C].
func (l BatchNorm) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "batchnorm")
	if !x.HasRank || len(x.Shape) < 2 {
		fail("BatchNorm "+name, "takes an input of two or more dimensions, [N, C, ...]")
	}
	n := dim("BatchNorm "+name, x, 1, len(x.Shape))
	scale := c.Param(name+".scale", Ones, n, n, n)
	bias := c.Param(name+".bias", Zeros, n, n, n)
	mean := c.State(name+".mean", Zeros, n)
	variance := c.State(name+".var", Ones, n)
	o := op.BatchNormOptions{Epsilon: or(l.Epsilon, 1e-5), Momentum: or(l.Momentum, 0.9)}
	if !c.Training {
		return activate(l.Activation, op.BatchNormalization(x, scale, bias, mean, variance, o))
	}
	y, newMean, newVar := op.BatchNormalizationTraining(x, scale, bias, mean, variance, o)
	c.G.Update(mean, newMean)
	c.G.Update(variance, newVar)
	return activate(l.Activation, y)
}

// LayerNorm normalises every sample over its last axis (Ba, Kiros, Hinton, 2016; ONNX LayerNormalization).
type LayerNorm struct {
	Epsilon float32 // 0: 1e-5
	NoBias  bool
	Name    string
}

// Apply adds the variables NAME.scale and NAME.bias of the last dimension's size.
func (l LayerNorm) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "layernorm")
	if !x.HasRank || len(x.Shape) < 1 {
		fail("LayerNorm "+name, "takes an input of one or more dimensions")
	}
	n := dim("LayerNorm "+name, x, len(x.Shape)-1, len(x.Shape))
	scale := c.Param(name+".scale", Ones, n, n, n)
	var bias *graph.Value
	if !l.NoBias {
		bias = c.Param(name+".bias", Zeros, n, n, n)
	}
	return op.LayerNormalization(x, scale, bias, op.LayerNormOptions{Axis: -1, Epsilon: or(l.Epsilon, 1e-5)})
}

// Dropout zeroes elements with probability Rate while training and scales the others by 1/(1-Rate)
// (Srivastava et al., JMLR 2014; ONNX Dropout). In evaluation it does nothing.
type Dropout struct{ Rate float32 }

// Apply returns x with elements dropped.
func (l Dropout) Apply(c *Context, x *graph.Value) *graph.Value {
	if !(l.Rate >= 0 && l.Rate < 1) {
		fail("Dropout", "needs a Rate of 0 to less than 1, not ", l.Rate)
	}
	if !c.Training || l.Rate == 0 {
		return x
	}
	return op.Dropout(x, l.Rate)
}
