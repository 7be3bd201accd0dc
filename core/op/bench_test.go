package op_test

import (
	"flag"
	"fmt"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var benchSize = flag.Int("elements", 0, "measure operators on tensors of about that many elements; 0: 4096, 65536 and 4194304")

// operatorCase is an operator applied to tensors of about n elements.
type operatorCase struct {
	name  string
	moves float64 // elements read and written for each of n, were everything done in one trip through memory
	f     func(b *sampleBuilder, n int) []value
}

// side returns the width of a matrix of n elements.
func side(n int) int {
	s := 1
	for s*s < n {
		s *= 2
	}
	return s
}

// matrix is an input [n/cols, cols].
func matrix(b *sampleBuilder, n int) value { s := side(n); return b.floats(n/s, s) }

// images is an input [N,64,h,h].
func images(b *sampleBuilder, n int) value {
	h := 8
	if n >= 1<<16 {
		h = 16
	}
	return b.floats(max(n/(64*h*h), 1), 64, h, h)
}

// indices is an int64 input of numbers below bound.
func (b *sampleBuilder) indices(bound int, shape ...int) value {
	v := make([]int64, tensor.Size(shape))
	for i := range v {
		v[i] = int64(b.r.Intn(bound))
	}
	x := b.g.Input("", tensor.Int64, shape...)
	b.data = append(b.data, tensor.From(v, shape...))
	return x
}

func vector1(f func(x value) value) func(b *sampleBuilder, n int) []value {
	return func(b *sampleBuilder, n int) []value { return []value{f(b.floats(n))} }
}

func matrix1(f func(x value) value) func(b *sampleBuilder, n int) []value {
	return func(b *sampleBuilder, n int) []value { return []value{f(matrix(b, n))} }
}

func vector2(f func(x, y value) value) func(b *sampleBuilder, n int) []value {
	return func(b *sampleBuilder, n int) []value { return []value{f(b.floats(n), b.floats(n))} }
}

// backward is the gradient alone of f by all its inputs.
func backward(f func(b *sampleBuilder, n int) (y value, wrt []value)) func(b *sampleBuilder, n int) []value {
	return func(b *sampleBuilder, n int) []value {
		y, wrt := f(b, n)
		dy := b.floats(y.Shape...)
		return op.VJP([]value{y}, []value{dy}, wrt...)
	}
}

// update is an optimizer's step over 32 parameters.
func update(slots, scalars int, f func(w, g value, s []value) []value) func(b *sampleBuilder, n int) []value {
	return func(b *sampleBuilder, n int) []value {
		s := make([]value, scalars)
		for i := range s {
			s[i] = b.g.Input("", tensor.Float32)
			b.data = append(b.data, tensor.From([]float32{0.01}))
		}
		for i := range 32 {
			name := fmt.Sprint("w", i)
			vars := []value{b.g.Variable(name, tensor.New(tensor.Float32, n/32), true)}
			for k := range slots {
				vars = append(vars, b.g.Variable(fmt.Sprint(name, "slot", k), tensor.New(tensor.Float32, n/32), false))
			}
			for k, v := range f(vars[0], b.floats(n/32), append(vars[1:], s...)) {
				b.g.Update(vars[k], v)
			}
		}
		return nil
	}
}

func operatorCases() []operatorCase {
	c := []operatorCase{}
	add := func(name string, moves float64, f func(b *sampleBuilder, n int) []value) {
		c = append(c, operatorCase{name, moves, f})
	}
	for _, u := range []struct {
		name string
		f    func(x value) value
	}{
		{"Neg", op.Neg}, {"Abs", op.Abs}, {"Sqrt", func(x value) value { return op.Sqrt(x) }}, {"Reciprocal", op.Reciprocal}, {"Floor", op.Floor}, {"Round", op.Round}, {"Sign", op.Sign},
		{"Exp", op.Exp}, {"Log", op.Log}, {"Sin", op.Sin}, {"Cos", op.Cos}, {"Tan", op.Tan}, {"Sinh", op.Sinh}, {"Cosh", op.Cosh}, {"Tanh", op.Tanh},
		{"Asin", op.Asin}, {"Acos", op.Acos}, {"Atan", op.Atan}, {"Asinh", op.Asinh}, {"Acosh", op.Acosh}, {"Atanh", op.Atanh}, {"Sigmoid", op.Sigmoid}, {"Erf", op.Erf},
		{"Relu", op.Relu}, {"LeakyRelu", func(x value) value { return op.LeakyRelu(x, 0.01) }}, {"Elu", func(x value) value { return op.Elu(x, 1) }}, {"Selu", op.Selu},
		{"Celu", func(x value) value { return op.Celu(x, 1) }}, {"HardSigmoid", func(x value) value { return op.HardSigmoid(x, 0.2, 0.5) }}, {"HardSwish", op.HardSwish},
		{"Gelu", func(x value) value { return op.Gelu(x, false) }}, {"GeluTanh", func(x value) value { return op.Gelu(x, true) }}, {"Softplus", op.Softplus}, {"Softsign", op.Softsign},
		{"Mish", op.Mish}, {"Swish", func(x value) value { return op.Swish(x, 1) }},
		{"PowScalar", func(x value) value { return op.Pow(x, op.ConstLike(x, 1.7)) }}, {"PowSquare", func(x value) value { return op.Pow(x, op.ConstLike(x, 2)) }},
		{"PowCube", func(x value) value { return op.Pow(x, op.ConstLike(x, 3)) }}, {"PowRoot", func(x value) value { return op.Pow(x, op.ConstLike(x, 0.5)) }},
		{"PowOfScalar", func(x value) value { return op.Pow(op.ConstLike(x, 10), x) }},
		{"PowChain", func(x value) value {
			return op.Mul(op.Pow(op.Add(op.Abs(x), op.ConstLike(x, 0.1)), op.ConstLike(x, 2.2)), x)
		}},
		{"Compare", func(x value) value { return op.Greater(x, op.ConstLike(x, 0)) }},
		{"IsNaN", op.IsNaN},
	} {
		add(u.name, 2, vector1(u.f))
	}
	add("Add", 3, vector2(op.Add))
	add("Div", 3, vector2(op.Div))
	add("Max", 3, vector2(func(a, b value) value { return op.Max(a, b) }))
	add("Pow", 3, vector2(op.Pow))
	add("CompareTwo", 2.25, vector2(op.Less))
	add("Where", 3.25, func(b *sampleBuilder, n int) []value {
		return []value{op.Where(b.bools(n), b.floats(n), b.floats(n))}
	})
	add("AddRow", 2, func(b *sampleBuilder, n int) []value {
		x := matrix(b, n)
		return []value{op.Add(x, b.floats(x.Shape[1]))}
	})
	add("AddColumn", 2, func(b *sampleBuilder, n int) []value {
		x := matrix(b, n)
		return []value{op.Add(x, b.floats(x.Shape[0], 1))}
	})
	add("AddChannel", 2, func(b *sampleBuilder, n int) []value { return []value{op.Add(images(b, n), b.floats(64, 1, 1))} })
	add("AddShortColumn", 2, func(b *sampleBuilder, n int) []value { return []value{op.Add(b.floats(n/16, 16), b.floats(n/16, 1))} })
	add("AddMiddle", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Add(b.floats(n/1024, 32, 32), b.floats(n/1024, 1, 32))}
	})
	add("Chain5", 2, vector1(func(x value) value {
		y := op.Mul(op.Add(x, op.ConstLike(x, 1)), op.ConstLike(x, 3))
		return op.Relu(op.Sub(op.Mul(y, x), y))
	}))
	add("Softmax", 2, matrix1(func(x value) value { return op.Softmax(x, -1) }))
	add("Softmax10", 2, func(b *sampleBuilder, n int) []value { return []value{op.Softmax(b.floats(n/10, 10), -1)} })
	add("SoftmaxAxis1", 2, func(b *sampleBuilder, n int) []value { return []value{op.Softmax(images(b, n), 1)} })
	add("LogSoftmax", 2, matrix1(func(x value) value { return op.LogSoftmax(x, -1) }))
	add("SoftmaxGrad", 3, backward(func(b *sampleBuilder, n int) (value, []value) {
		x := matrix(b, n)
		return op.Softmax(x, -1), []value{x}
	}))
	add("CrossEntropy+Grad", 2, func(b *sampleBuilder, n int) []value {
		x := matrix(b, n)
		loss := op.SoftmaxCrossEntropyLoss(x, b.indices(x.Shape[1], x.Shape[0]), nil, op.LossOptions{})
		return append([]value{loss}, op.Gradients(loss, x)...)
	})
	add("CrossEntropy10+Grad", 2, func(b *sampleBuilder, n int) []value {
		x := b.floats(n/10, 10)
		loss := op.SoftmaxCrossEntropyLoss(x, b.indices(10, x.Shape[0]), nil, op.LossOptions{})
		return append([]value{loss}, op.Gradients(loss, x)...)
	})
	layer := func(b *sampleBuilder, n int) (value, []value) {
		x := matrix(b, n)
		w, v := b.floats(x.Shape[1]), b.floats(x.Shape[1])
		return op.LayerNormalization(x, w, v, op.LayerNormOptions{Axis: -1}), []value{x, w, v}
	}
	rms := func(b *sampleBuilder, n int) (value, []value) {
		x := matrix(b, n)
		w := b.floats(x.Shape[1])
		return op.RMSNormalization(x, w, op.LayerNormOptions{Axis: -1}), []value{x, w}
	}
	group := func(b *sampleBuilder, n int) (value, []value) {
		x, w, v := images(b, n), b.floats(64), b.floats(64)
		return op.GroupNormalization(x, w, v, 8, 0), []value{x, w, v}
	}
	instance := func(b *sampleBuilder, n int) (value, []value) {
		x, w, v := images(b, n), b.floats(64), b.floats(64)
		return op.InstanceNormalization(x, w, v, 0), []value{x, w, v}
	}
	batch := func(b *sampleBuilder, n int) (value, []value) {
		x, w, v := images(b, n), b.floats(64), b.floats(64)
		y, _, _ := op.BatchNormalizationTraining(x, w, v, b.floats(64), b.floats(64), op.BatchNormOptions{})
		return y, []value{x, w, v}
	}
	for _, k := range []struct {
		name string
		f    func(b *sampleBuilder, n int) (value, []value)
	}{{"LayerNorm", layer}, {"RMSNorm", rms}, {"GroupNorm", group}, {"InstanceNorm", instance}, {"BatchNorm", batch}} {
		add(k.name, 2, func(b *sampleBuilder, n int) []value { y, _ := k.f(b, n); return []value{y} })
		add(k.name+"Grad", 5, backward(k.f))
	}
	reduce := func(name string, f func(x value) value) { add(name, 1, matrix1(f)) }
	reduce("SumAll", func(x value) value { return op.ReduceSum(x, nil, false) })
	reduce("SumRows", func(x value) value { return op.ReduceSum(x, []int{-1}, false) })
	reduce("SumColumns", func(x value) value { return op.ReduceSum(x, []int{0}, false) })
	reduce("MaxColumns", func(x value) value { return op.ReduceMax(x, []int{0}, false) })
	add("SumShortRows", 1, func(b *sampleBuilder, n int) []value {
		return []value{op.ReduceSum(b.floats(n/10, 10), []int{-1}, false)}
	})
	add("SumMiddle", 1, func(b *sampleBuilder, n int) []value {
		return []value{op.ReduceSum(b.floats(n/1024, 32, 32), []int{1}, false)}
	})
	add("SumMiddleShort", 1, func(b *sampleBuilder, n int) []value {
		return []value{op.ReduceSum(b.floats(n/64, 16, 4), []int{1}, false)}
	})
	add("MeanChannels", 1, func(b *sampleBuilder, n int) []value {
		return []value{op.ReduceMean(images(b, n), []int{0, 2, 3}, false)}
	})
	add("SumFirstLast", 1, func(b *sampleBuilder, n int) []value {
		return []value{op.ReduceSum(b.floats(n/1024, 32, 32), []int{0, 2}, false)}
	})
	add("L2", 1, matrix1(func(x value) value { return op.ReduceL2(x, nil, false) }))
	add("LogSumExp", 1, matrix1(func(x value) value { return op.ReduceLogSumExp(x, []int{-1}, false) }))
	add("GlobalAveragePool", 1, func(b *sampleBuilder, n int) []value { return []value{op.GlobalAveragePool(images(b, n))} })
	add("GlobalMaxPool", 1, func(b *sampleBuilder, n int) []value { return []value{op.GlobalMaxPool(images(b, n))} })
	add("ArgMax", 1, matrix1(func(x value) value { return op.ArgMax(x, -1, false) }))
	add("ArgMaxColumns", 1, matrix1(func(x value) value { return op.ArgMax(x, 0, false) }))
	add("ArgMax10", 1, func(b *sampleBuilder, n int) []value { return []value{op.ArgMax(b.floats(n/10, 10), -1, false)} })
	add("CumSum", 2, matrix1(func(x value) value { return op.CumSum(x, -1, false, false) }))
	add("CumSumColumns", 2, matrix1(func(x value) value { return op.CumSum(x, 0, false, false) }))
	add("TopK8", 1, matrix1(func(x value) value { v, _ := op.TopK(x, 8, -1, false); return v }))
	add("Transpose", 2, matrix1(func(x value) value { return op.Transpose(x, 1, 0) }))
	add("TransposeNCHW-NHWC", 2, func(b *sampleBuilder, n int) []value { return []value{op.Transpose(images(b, n), 0, 2, 3, 1)} })
	add("TransposeHeads", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Transpose(b.floats(max(n/65536, 1), min(n/256, 256), 4, 64), 0, 2, 1, 3)}
	})
	add("TransposeHeads021", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Transpose(b.floats(max(n/65536, 1), min(n/256, 256), 4, 64), 0, 2, 3, 1)}
	})
	add("TransposeThin", 2, func(b *sampleBuilder, n int) []value { return []value{op.Transpose(b.floats(n/4, 4), 1, 0)} })
	add("TransposeReverse", 2, func(b *sampleBuilder, n int) []value { return []value{op.Transpose(b.floats(n/256, 16, 16), 2, 1, 0)} })
	add("SliceInner", 2, func(b *sampleBuilder, n int) []value {
		x := b.floats(n/32, 64)
		return []value{op.Slice(x, []int{16}, []int{48}, op.SliceOptions{Axes: []int{1}})}
	})
	add("SliceStep2", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Slice(b.floats(n/64, 128), []int{0}, []int{128}, op.SliceOptions{Axes: []int{1}, Steps: []int{2}})}
	})
	add("Reverse", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Slice(b.floats(n/64, 64), []int{-1}, []int{-1000}, op.SliceOptions{Axes: []int{1}, Steps: []int{-1}})}
	})
	add("ConcatInner", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Concat(1, b.floats(n/64, 32), b.floats(n/64, 32))}
	})
	add("ConcatNarrow", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Concat(1, b.floats(n/8, 4), b.floats(n/8, 4))}
	})
	add("Split3", 2, func(b *sampleBuilder, n int) []value { return op.SplitN(b.floats(n/96, 96), 1, 3) })
	add("Pad", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Pad(images(b, n), []int{0, 0, 1, 1, 0, 0, 1, 1}, op.PadOptions{})}
	})
	add("PadReflect", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Pad(images(b, n), []int{0, 0, 1, 1, 0, 0, 1, 1}, op.PadOptions{Mode: "reflect"})}
	})
	add("ExpandRow", 1, func(b *sampleBuilder, n int) []value { return []value{op.Expand(b.floats(64), n/64, 64)} })
	add("ExpandColumn", 1, func(b *sampleBuilder, n int) []value { return []value{op.Expand(b.floats(n/64, 1), n/64, 64)} })
	add("Tile2", 1.5, func(b *sampleBuilder, n int) []value { return []value{op.Tile(b.floats(n/128, 64), 1, 2)} })
	add("DepthToSpace", 2, func(b *sampleBuilder, n int) []value { return []value{op.DepthToSpace(images(b, n), 2, "CRD")} })
	add("Trilu", 2, matrix1(func(x value) value { return op.Trilu(x, false, 0) }))
	add("GatherRows", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Gather(b.floats(256, 64), b.indices(256, n/64), 0)}
	})
	add("GatherRowsGrad", 1, backward(func(b *sampleBuilder, n int) (value, []value) {
		x := b.floats(256, 64)
		return op.Gather(x, b.indices(256, n/64), 0), []value{x}
	}))
	add("GatherInner", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.Gather(b.floats(n/64, 64), b.indices(64, 64), 1)}
	})
	add("GatherElements", 4, func(b *sampleBuilder, n int) []value {
		return []value{op.GatherElements(b.floats(n/64, 64), b.indices(64, n/64, 64), 1)}
	})
	add("ScatterElementsAdd", 5, func(b *sampleBuilder, n int) []value {
		return []value{op.ScatterElements(b.floats(n/64, 64), b.indices(64, n/64, 64), b.floats(n/64, 64), 1, "add")}
	})
	add("GatherND", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.GatherND(b.floats(256, 64), b.indices(256, n/64, 1), 0)}
	})
	add("ScatterND", 2, func(b *sampleBuilder, n int) []value {
		return []value{op.ScatterND(b.floats(256, 64), b.indices(256, n/64, 1), b.floats(n/64, 64), "add")}
	})
	add("OneHot64", 1, func(b *sampleBuilder, n int) []value { return []value{op.OneHot(b.indices(64, n/64), 64, -1, 0, 1)} })
	add("CastInt64", 3, func(b *sampleBuilder, n int) []value { return []value{op.Cast(b.floats(n), tensor.Int64)} })
	add("CastBool", 1.25, func(b *sampleBuilder, n int) []value {
		return []value{op.Cast(op.Greater(b.floats(n), b.g.Const(tensor.Scalar(float32(0)))), tensor.Float32)}
	})
	add("Normal", 1, func(b *sampleBuilder, n int) []value { return []value{op.RandomNormal(b.g, 0, 1, n)} })
	add("Uniform", 1, func(b *sampleBuilder, n int) []value { return []value{op.RandomUniform(b.g, 0, 1, n)} })
	add("Dropout", 2, vector1(func(x value) value { return op.Dropout(x, 0.5) }))
	add("SGD32", 3, update(0, 1, func(w, g value, s []value) []value { return []value{op.SGD(w, g, s[0], op.UpdateOptions{})} }))
	add("Momentum32", 5, update(1, 1, func(w, g value, s []value) []value {
		w, v := op.Momentum(w, g, s[0], s[1], op.MomentumOptions{})
		return []value{w, v}
	}))
	add("Adam32", 7, update(2, 3, func(w, g value, s []value) []value {
		w, m, v := op.Adam(w, g, s[0], s[1], s[2], s[3], s[4], op.AdamOptions{})
		return []value{w, m, v}
	}))
	return c
}

// BenchmarkOperators measures every operator that moves or maps elements, one thread, beside a copy and a triad of the same size. GB/s
// counts each element of its operands and results once.
func BenchmarkOperators(b *testing.B) {
	sizes := []int{1 << 12, 1 << 16, 1 << 22}
	if *benchSize > 0 {
		sizes = []int{*benchSize}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	report := func(b *testing.B, n int, moves float64) {
		s := b.Elapsed().Seconds() / float64(b.N)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(s/float64(n)*1e9, "ns/elem")
		b.ReportMetric(4*moves*float64(n)/s/1e9, "GB/s")
	}
	for _, n := range sizes {
		x, y, z := make([]float32, n), make([]float32, n), make([]float32, n)
		b.Run(fmt.Sprintf("%d/copy", n), func(b *testing.B) {
			for b.Loop() {
				copy(y, x)
			}
			report(b, n, 2)
		})
		b.Run(fmt.Sprintf("%d/triad", n), func(b *testing.B) {
			for b.Loop() {
				simd.Zip(simd.Add, z, x, y)
			}
			report(b, n, 3)
		})
		for _, c := range operatorCases() {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				s := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(1))}
				s.g.Outputs = c.f(s, n)
				p, err := compile.Compile(rt, s.g, nil, compile.Options{})
				if err != nil {
					b.Fatal(err)
				}
				defer p.Close()
				if _, err := p.Run(s.data...); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					p.Run(s.data...)
				}
				report(b, n, c.moves)
			})
		}
	}
}
