package op_test

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/golden"
)

// torchTensor makes a tensor of testdata/golden.py.
func torchTensor(seed uint32, shape []int, positive bool) *tensor.Tensor {
	return golden.Tensor(tensor.Float64, seed, shape, func(u float64) float64 {
		if positive {
			return u*3 - 1.5 + 1.6
		}
		return u*3 - 1.5
	})
}

var torchCases = map[string]func(x []*graph.Value) *graph.Value{
	"relu":        func(x []*graph.Value) *graph.Value { return op.Relu(x[0]) },
	"leakyrelu":   func(x []*graph.Value) *graph.Value { return op.LeakyRelu(x[0], 0.1) },
	"prelu":       func(x []*graph.Value) *graph.Value { return op.PRelu(x[0], op.Reshape(x[1], 3, 1)) },
	"elu":         func(x []*graph.Value) *graph.Value { return op.Elu(x[0], 0.7) },
	"selu":        func(x []*graph.Value) *graph.Value { return op.Selu(x[0]) },
	"gelu":        func(x []*graph.Value) *graph.Value { return op.Gelu(x[0], false) },
	"gelu tanh":   func(x []*graph.Value) *graph.Value { return op.Gelu(x[0], true) },
	"sigmoid":     func(x []*graph.Value) *graph.Value { return op.Sigmoid(x[0]) },
	"hardsigmoid": func(x []*graph.Value) *graph.Value { return op.HardSigmoid(x[0], 1./6, 0.5) },
	"tanh":        func(x []*graph.Value) *graph.Value { return op.Tanh(x[0]) },
	"softplus":    func(x []*graph.Value) *graph.Value { return op.Softplus(x[0]) },
	"softsign":    func(x []*graph.Value) *graph.Value { return op.Softsign(x[0]) },
	"hardswish":   func(x []*graph.Value) *graph.Value { return op.HardSwish(x[0]) },
	"mish":        func(x []*graph.Value) *graph.Value { return op.Mish(x[0]) },
	"silu":        func(x []*graph.Value) *graph.Value { return op.Swish(x[0], 1) },
	"softmax":     func(x []*graph.Value) *graph.Value { return op.Softmax(x[0], 1) },
	"softmax 0":   func(x []*graph.Value) *graph.Value { return op.Softmax(x[0], 0) },
	"logsoftmax":  func(x []*graph.Value) *graph.Value { return op.LogSoftmax(x[0], 1) },
	"matmul":      func(x []*graph.Value) *graph.Value { return op.MatMul(x[0], x[1]) },
	"conv":        func(x []*graph.Value) *graph.Value { return op.Conv(x[0], x[1], x[2], op.ConvOptions{}) },
	"conv strided": func(x []*graph.Value) *graph.Value {
		return op.Conv(x[0], x[1], x[2], op.ConvOptions{Strides: []int{2, 1}, Pads: []int{1, 2, 1, 2}, Dilations: []int{1, 2}, Group: 2})
	},
	"conv depthwise": func(x []*graph.Value) *graph.Value {
		return op.Conv(x[0], x[1], x[2], op.ConvOptions{Pads: []int{1, 1, 1, 1}, Group: 3})
	},
	"conv 1d": func(x []*graph.Value) *graph.Value {
		return op.Conv(x[0], x[1], x[2], op.ConvOptions{Strides: []int{2}, Pads: []int{1, 1}})
	},
	"convtranspose": func(x []*graph.Value) *graph.Value {
		return op.ConvTranspose(x[0], x[1], x[2], op.ConvTransposeOptions{ConvOptions: op.ConvOptions{Strides: []int{2, 1}, Pads: []int{1, 0, 1, 0}, Group: 2}, OutputPadding: []int{1, 0}})
	},
	"maxpool": func(x []*graph.Value) *graph.Value {
		return op.MaxPool(x[0], op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}})
	},
	"maxpool padded": func(x []*graph.Value) *graph.Value {
		return op.MaxPool(x[0], op.PoolOptions{Kernel: []int{3, 3}, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}})
	},
	"averagepool": func(x []*graph.Value) *graph.Value {
		return op.AveragePool(x[0], op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}})
	},
	"averagepool padded": func(x []*graph.Value) *graph.Value {
		return op.AveragePool(x[0], op.PoolOptions{Kernel: []int{3, 3}, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}})
	},
	"global average": func(x []*graph.Value) *graph.Value { return op.GlobalAveragePool(x[0]) },
	"batchnorm": func(x []*graph.Value) *graph.Value {
		zero, one := tensor.New(tensor.Float64, 2), tensor.New(tensor.Float64, 2)
		one.SetFloat64s([]float64{1, 1})
		y, _, _ := op.BatchNormalizationTraining(x[0], x[1], x[2], x[0].G.Const(zero), x[0].G.Const(one), op.BatchNormOptions{})
		return y
	},
	"layernorm": func(x []*graph.Value) *graph.Value {
		return op.LayerNormalization(x[0], x[1], x[2], op.LayerNormOptions{Axis: 1})
	},
	"groupnorm":    func(x []*graph.Value) *graph.Value { return op.GroupNormalization(x[0], x[1], x[2], 2, 1e-5) },
	"instancenorm": func(x []*graph.Value) *graph.Value { return op.InstanceNormalization(x[0], x[1], x[2], 1e-5) },
	"cross entropy": func(x []*graph.Value) *graph.Value {
		return op.SoftmaxCrossEntropyLoss(x[0], torchLabels(x), nil, op.LossOptions{})
	},
	"cross entropy weighted": func(x []*graph.Value) *graph.Value {
		return op.SoftmaxCrossEntropyLoss(x[0], torchLabels(x), x[1], op.LossOptions{})
	},
	"cross entropy ignored": func(x []*graph.Value) *graph.Value {
		return op.SoftmaxCrossEntropyLoss(x[0], torchLabels(x), nil, op.LossOptions{Reduction: "sum", Ignore: true})
	},
	"pow":  func(x []*graph.Value) *graph.Value { return op.Pow(x[0], x[1]) },
	"log":  func(x []*graph.Value) *graph.Value { return op.Log(x[0]) },
	"sqrt": func(x []*graph.Value) *graph.Value { return op.Sqrt(x[0]) },
	"erf":  func(x []*graph.Value) *graph.Value { return op.Erf(x[0]) },
	"div":  func(x []*graph.Value) *graph.Value { return op.Div(x[0], x[1]) },
	"clip": func(x []*graph.Value) *graph.Value {
		return op.Clip(x[0], op.ConstLike(x[0], -0.5), op.ConstLike(x[0], 0.75))
	},
	"mean":      func(x []*graph.Value) *graph.Value { return op.ReduceMean(x[0], []int{1}, false) },
	"max":       func(x []*graph.Value) *graph.Value { return op.ReduceMax(x[0], []int{2}, false) },
	"logsumexp": func(x []*graph.Value) *graph.Value { return op.ReduceLogSumExp(x[0], []int{1}, false) },
	"prod":      func(x []*graph.Value) *graph.Value { return op.ReduceProd(x[0], []int{2}, false) },
}

func torchLabels(x []*graph.Value) *graph.Value { return op.ConstInts(x[0].G, 1, 0, 4) }

// TestPyTorch compares results and gradients in float64 with PyTorch's.
func TestPyTorch(t *testing.T) {
	var cases []struct {
		Name     string
		Shapes   [][]int
		Positive []int
		Shape    []int
		Y        []float64
		Grads    [][]float64
	}
	golden.Read(t, "torch", &cases)
	for k, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			f := torchCases[c.Name]
			if f == nil {
				t.Fatal("no such case")
			}
			g := graph.New()
			var x []*graph.Value
			var in []*tensor.Tensor
			for i, shape := range c.Shapes {
				in = append(in, torchTensor(uint32(16*k+i), shape, slices.Contains(c.Positive, i)))
				x = append(x, g.Input("x", tensor.Float64, shape...))
			}
			y := f(x)
			w := g.Const(torchTensor(uint32(16*k+15), c.Shape, false))
			g.Output(y)
			var at []int
			for i, d := range op.Gradients(op.ReduceSum(op.Mul(y, w), nil, false), x...) {
				if c.Grads[i] == nil {
					continue
				}
				if d == nil {
					t.Fatalf("no gradient by input %d", i)
				}
				g.Output(d)
				at = append(at, i)
			}
			got, err := graph.Eval(g, nil, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.SameShape(got[0].Shape(), c.Shape) {
				t.Fatalf("shape %v, PyTorch's %v", got[0].Shape(), c.Shape)
			}
			near := func(what string, got, want []float64) {
				for i := range want {
					if d := math.Abs(got[i] - want[i]); !(d <= 1e-7*(1+math.Abs(want[i]))) {
						t.Fatalf("%s: element %d is %v, PyTorch's %v", what, i, got[i], want[i])
					}
				}
			}
			near("result", got[0].Float64s(), c.Y)
			for j, i := range at {
				near("gradient by input "+string(rune('0'+i)), got[j+1].Float64s(), c.Grads[i])
			}
		})
	}
}

// TestPowGradients compares the gradients of Pow where a power has no logarithm, or is not smooth, with those of PyTorch 1.13.
func TestPowGradients(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct{ a, b, da, db float64 }{
		{0, 0, 0, 0}, {0, 1, 1, 0}, {0, 2, 0, 0}, {0, 0.5, inf, 0}, {0, -1, -inf, -inf},
		{-2, 0, 0, nan}, {-2, 1, 1, nan}, {-2, 2, -4, nan}, {-2, 0.5, nan, nan}, {-2, -1, -0.25, nan},
		{2, 0, 0, math.Ln2}, {2, 2, 4, 4 * math.Ln2}, {2, -1, -0.25, math.Ln2 / 2},
		{nan, 0, 0, nan}, {nan, 1, 1, nan}, {nan, 2, nan, nan},
		{inf, 0, 0, inf}, {inf, 0.5, 0, inf}, {inf, -1, 0, nan},
	} {
		for _, d := range []tensor.DType{tensor.Float64, tensor.Float32} {
			g := graph.New()
			a, b := g.Input("a", d, 1), g.Input("b", d, 1)
			grads := op.Gradients(op.ReduceSum(op.Pow(a, b), nil, false), a, b)
			g.Output(grads[0])
			g.Output(grads[1])
			x, y := tensor.New(d, 1), tensor.New(d, 1)
			x.SetFloat64s([]float64{c.a})
			y.SetFloat64s([]float64{c.b})
			got, err := graph.Eval(g, nil, []*tensor.Tensor{x, y}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, want := range []float64{c.da, c.db} {
				v := got[i].Float64s()[0]
				if !(v == want || math.Abs(v-want) < 1e-6 || v != v && want != want) {
					t.Errorf("%v: gradient %d of %v to the power %v is %v, PyTorch's %v", d, i, c.a, c.b, v, want)
				}
			}
		}
	}
}
