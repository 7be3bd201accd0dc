package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

func add(a, b *graph.Value) *graph.Value { return op.Add(a, b) }

// Dense is a fully connected layer: y = x W^T + b for x of [..., in], W of [Units, in] (ONNX Gemm).
type Dense struct {
	Units      int
	Activation Activation // nil: none
	NoBias     bool
	Init       Initializer // of the weight; nil: HeUniform
	BiasInit   Initializer // nil: Zeros
	Name       string
}

// Apply adds the variables NAME.weight and NAME.bias and returns [..., Units].
func (d Dense) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(d.Name, "dense")
	what := "Dense " + name
	if !x.HasRank || len(x.Shape) < 2 {
		fail(what, "takes an input of two or more dimensions, [..., features]")
	}
	rank := len(x.Shape)
	in := dim(what, x, rank-1, rank)
	if d.Units < 1 {
		fail(what, "needs Units of at least 1")
	}
	w := c.Param(name+".weight", orInit(d.Init, HeUniform), in, d.Units, d.Units, in)
	var b *graph.Value
	if !d.NoBias {
		b = c.Param(name+".bias", orInit(d.BiasInit, Zeros), in, d.Units, d.Units)
	}
	if rank == 2 {
		return activate(d.Activation, op.Gemm(x, w, b, op.GemmOptions{TransB: true}))
	}
	// One product over all positions, back in shape when no more than one dimension is unknown.
	shape, unknown := append([]int{}, x.Shape...), 0
	shape[rank-1] = d.Units
	for i, n := range shape {
		if n <= 0 {
			shape[i] = -1
			unknown++
		}
	}
	if unknown > 1 {
		y := op.MatMulT(x, w, false, true)
		if b != nil {
			y = add(y, b)
		}
		return activate(d.Activation, y)
	}
	y := activate(d.Activation, op.Gemm(op.Reshape(x, -1, in), w, b, op.GemmOptions{TransB: true}))
	return op.Reshape(y, shape...)
}

func activate(a Activation, x *graph.Value) *graph.Value {
	if a == nil {
		return x
	}
	return a(x)
}
