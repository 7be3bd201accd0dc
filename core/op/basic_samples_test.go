package op_test

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// positive maps [-1, 1] to [0.5, 2].
func positive(x value) value { return shifted(x, 0.5, 2) }

// on2 is a sample of a function of two tensors that broadcast against each other, the second one positive.
func on2(name string, f func(a, b value) value) gradSample {
	return gradSample{name: name, shapes: [][]int{{2, 1, 5}, {3, 1}}, f: one(func(in []value) value { return f(in[0], positive(in[1])) })}
}

var elementSamples = []gradSample{
	on1("Identity", 1, op.Identity),
	on1("Abs", 1, op.Abs),
	on1("Neg", 1, op.Neg),
	on1("Exp", 2, op.Exp),
	on1("Log", 1, func(x value) value { return op.Log(positive(x)) }),
	on1("Sqrt", 1, func(x value) value { return op.Sqrt(positive(x)) }),
	on1("Reciprocal", 1, func(x value) value { return op.Reciprocal(positive(x)) }),
	on1("Erf", 2, op.Erf),
	on1("Floor Ceil Round Sign", 3, func(x value) value {
		return op.Add(op.Mul(x, op.Floor(x)), op.Mul(op.Ceil(x), op.Mul(op.Round(x), op.Sign(x))))
	}),
	on2("Add", op.Add),
	on2("Sub", op.Sub),
	on2("Mul", op.Mul),
	on2("Div", op.Div),
	on2("Pow", func(a, b value) value { return op.Pow(positive(a), b) }),
	on1("Pow of zero and one", 1, func(x value) value {
		return op.Add(op.Pow(x, op.ConstLike(x, 1)), op.Add(op.Pow(x, op.ConstLike(x, 0)), op.Pow(x, op.ConstLike(x, 2))))
	}),
	on2("Where", func(a, b value) value { return op.Where(op.Greater(a, op.ConstLike(a, 0)), op.Mul(a, a), op.Mul(b, b)) }),
	on2("Where on a broadcast condition", func(a, b value) value {
		return op.Where(op.Less(b, op.ConstLike(b, 1)), op.Mul(a, a), b)
	}),
	on1("Cast", 1, func(x value) value { return op.Mul(x, op.Cast(op.Cast(x, tensor.Float64), x.DType)) }),
	on1("CastLike", 1, func(x value) value { return op.CastLike(op.Mul(x, x), x) }),
}

var productSamples = []gradSample{
	{name: "MatMul", shapes: [][]int{{3, 4}, {4, 5}}, f: one(func(in []value) value { return op.MatMul(in[0], in[1]) })},
	{name: "MatMul batched", shapes: [][]int{{2, 1, 3, 4}, {3, 4, 2}}, f: one(func(in []value) value { return op.MatMul(in[0], in[1]) })},
	{name: "MatMul vectors", shapes: [][]int{{4}, {2, 4, 3}, {3}}, f: one(func(in []value) value { return op.MatMul(op.MatMul(in[0], in[1]), in[2]) })},
	{name: "MatMulT", shapes: [][]int{{2, 4, 3}, {2, 5, 4}}, f: one(func(in []value) value { return op.MatMulT(in[0], in[1], true, true) })},
	{name: "Gemm", shapes: [][]int{{4, 3}, {5, 4}, {5}}, f: one(func(in []value) value {
		return op.Gemm(in[0], in[1], in[2], op.GemmOptions{TransA: true, TransB: true, Alpha: 0.5, Beta: 2})
	})},
	{name: "Gemm Relu", shapes: [][]int{{3, 4}, {4, 5}, {3, 1}}, f: one(func(in []value) value {
		return op.Relu(op.Gemm(in[0], in[1], in[2], op.GemmOptions{}))
	})},
	{name: "Softmax", shapes: [][]int{{2, 3, 4}}, f: one(func(in []value) value { return op.Softmax(in[0], -1) })},
	{name: "Softmax in the middle", shapes: [][]int{{2, 3, 4}}, f: one(func(in []value) value { return op.Softmax(in[0], 1) })},
	{name: "LogSoftmax", shapes: [][]int{{2, 3, 4}}, f: one(func(in []value) value { return op.LogSoftmax(in[0], 2) })},
	{name: "LogSoftmax at the front", shapes: [][]int{{2, 3, 4}}, f: one(func(in []value) value { return op.LogSoftmax(in[0], 0) })},
	{name: "Hardmax", shapes: [][]int{{3, 4}}, f: one(func(in []value) value { return op.Mul(in[0], op.Hardmax(in[0], 1)) })},
}

var lossSamples = []gradSample{
	{name: "SoftmaxCrossEntropyLoss", shapes: [][]int{{4, 3}}, f: one(func(in []value) value {
		return op.SoftmaxCrossEntropyLoss(in[0], ints(in[0].G, []int{4}, 0, 2, 1, 2), nil, op.LossOptions{})
	})},
	{name: "SoftmaxCrossEntropyLoss weighted", shapes: [][]int{{2, 3, 2}}, f: one(func(in []value) value {
		w := in[0].G.Const(tensor.From([]float64{0.5, 2, 1}, 3))
		return op.SoftmaxCrossEntropyLoss(in[0], ints(in[0].G, []int{2, 2}, 0, 2, 1, 2), op.Cast(w, in[0].DType), op.LossOptions{Ignore: true, IgnoreIndex: 1})
	})},
	{name: "SoftmaxCrossEntropyLoss unreduced", shapes: [][]int{{4, 3}}, f: one(func(in []value) value {
		return op.SoftmaxCrossEntropyLoss(in[0], ints(in[0].G, []int{4}, 0, 2, 1, 2), nil, op.LossOptions{Reduction: "none"})
	})},
	{name: "NegativeLogLikelihoodLoss", shapes: [][]int{{4, 3}}, f: one(func(in []value) value {
		return op.NegativeLogLikelihoodLoss(op.Mul(in[0], in[0]), ints(in[0].G, []int{4}, 0, 2, 1, 2), nil, op.LossOptions{})
	})},
	{name: "NegativeLogLikelihoodLoss summed", shapes: [][]int{{2, 3, 2}}, f: one(func(in []value) value {
		return op.NegativeLogLikelihoodLoss(op.LogSoftmax(in[0], 1), ints(in[0].G, []int{2, 2}, 0, 2, 1, 2), nil, op.LossOptions{Reduction: "sum"})
	})},
}

var normSamples = []gradSample{
	{name: "BatchNormalization", shapes: [][]int{{3, 2, 4}, {2}, {2}, {2}, {2}}, f: one(func(in []value) value {
		return op.BatchNormalization(in[0], in[1], in[2], in[3], positive(in[4]), op.BatchNormOptions{})
	})},
	{name: "BatchNormalization Relu", shapes: [][]int{{3, 2, 2, 2}, {2}, {2}, {2}, {2}}, f: one(func(in []value) value {
		return op.Relu(op.BatchNormalization(in[0], in[1], in[2], in[3], positive(in[4]), op.BatchNormOptions{Epsilon: 0.01}))
	})},
	{name: "BatchNormalization training", shapes: [][]int{{3, 2, 4}, {2}, {2}, {2}, {2}}, f: func(in []value) []value {
		y, m, v := op.BatchNormalizationTraining(in[0], in[1], in[2], in[3], positive(in[4]), op.BatchNormOptions{Momentum: 0.7})
		return []value{y, m, v}
	}},
	{name: "BatchNormalization training of features", shapes: [][]int{{5, 3}, {3}, {3}}, f: func(in []value) []value {
		y, _, _ := op.BatchNormalizationTraining(in[0], in[1], in[2], in[1], in[2], op.BatchNormOptions{})
		return []value{op.Relu(y)}
	}},
	{name: "LayerNormalization", shapes: [][]int{{2, 3, 5}, {5}, {5}}, f: one(func(in []value) value {
		return op.LayerNormalization(in[0], in[1], in[2], op.LayerNormOptions{Axis: -1})
	})},
	{name: "LayerNormalization over two axes", shapes: [][]int{{3, 2, 3}, {2, 3}}, f: one(func(in []value) value {
		return op.LayerNormalization(in[0], in[1], nil, op.LayerNormOptions{Axis: 1, Epsilon: 0.01})
	})},
	{name: "LayerNormalization broadcast", shapes: [][]int{{3, 2, 3}, {3}, {2, 1}}, f: one(func(in []value) value {
		return op.LayerNormalization(in[0], in[1], in[2], op.LayerNormOptions{Axis: 1})
	})},
	{name: "LayerNormalization statistics", shapes: [][]int{{3, 4}, {4}}, f: func(in []value) []value {
		return in[0].G.AddN(&op.DefLayerNormalization, "", 3, nil, in[0], in[1])
	}},
	{name: "Dropout", shapes: [][]int{{5, 7}}, f: one(func(in []value) value { return op.Dropout(op.Mul(in[0], in[0]), 0.3) })},
	{name: "Dropout at rest", shapes: [][]int{{5, 7}}, f: one(func(in []value) value { return in[0].G.Add(&op.DefDropout, nil, in[0]) })},
}

// unknown hides the number of rows of x from inference, so that gradient rules use the operators that follow shapes.
func unknown(x value) value {
	all := op.NonZero(op.Greater(op.ReduceSum(x, []int{1}, false), op.ConstLike(x, -1e9)))
	return op.Gather(x, op.Reshape(all, -1), 0)
}

var followSamples = []gradSample{
	{name: "SumTo", shapes: [][]int{{2, 3, 4}, {3, 1}}, f: one(func(in []value) value { return op.SumTo(op.Mul(in[0], in[0]), in[1]) })},
	{name: "ExpandLike", shapes: [][]int{{3, 1}, {2, 3, 4}}, f: one(func(in []value) value { return op.ExpandLike(op.Mul(in[0], in[0]), in[1]) })},
	{name: "ReshapeLike", shapes: [][]int{{3, 4}, {2, 6}}, f: one(func(in []value) value { return op.ReshapeLike(op.Mul(in[0], in[0]), in[1]) })},
	{name: "mean of an unknown size", shapes: [][]int{{3, 4}}, f: one(func(in []value) value {
		x := unknown(in[0])
		return op.ReduceMean(op.Mul(x, x), nil, false)
	})},
	{name: "broadcast to an unknown size", shapes: [][]int{{3, 4}, {1, 4}}, f: one(func(in []value) value {
		return op.ReduceSum(op.Mul(op.Mul(unknown(in[0]), in[1]), in[1]), nil, false)
	})},
}

// updateSample steps an optimizer; updates have no gradients.
func updateSample(name string, f func(w, g, s0, s1, lr value) []value) valueSample {
	return valueSample{name, func(b *sampleBuilder) []value {
		w, g, s0, s1 := b.floats(4, 5), b.floats(4, 5), b.floats(4, 5), b.floats(4, 5)
		return f(w, g, op.Abs(s0), op.Abs(s1), b.g.Const(tensor.Scalar(float32(0.1))))
	}}
}

var updateSamples = []valueSample{
	updateSample("SGD", func(w, g, s0, s1, lr value) []value {
		return []value{op.SGD(w, g, lr, op.UpdateOptions{WeightDecay: 0.1})}
	}),
	updateSample("Momentum", func(w, g, s0, s1, lr value) []value {
		a, b := op.Momentum(w, g, s0, lr, op.MomentumOptions{Momentum: 0.8, Nesterov: true})
		return []value{a, b}
	}),
	updateSample("RMSProp", func(w, g, s0, s1, lr value) []value {
		a, b := op.RMSProp(w, g, s0, lr, op.RMSPropOptions{})
		return []value{a, b}
	}),
	updateSample("Adagrad", func(w, g, s0, s1, lr value) []value {
		a, b := op.Adagrad(w, g, s0, lr, op.AdagradOptions{})
		return []value{a, b}
	}),
	updateSample("Adam", func(w, g, s0, s1, lr value) []value {
		a, b, c := op.Adam(w, g, s0, s1, lr, lr, lr, op.AdamOptions{WeightDecay: 0.1})
		return []value{a, b, c}
	}),
	updateSample("AdamW", func(w, g, s0, s1, lr value) []value {
		a, b, c := op.AdamW(w, g, s0, s1, lr, lr, lr, op.AdamOptions{WeightDecay: 0.1})
		return []value{a, b, c}
	}),
	updateSample("SGD scaled", func(w, g, s0, s1, lr value) []value {
		return []value{op.SGD(w, g, lr, op.UpdateOptions{WeightDecay: 0.1, Decoupled: true, Scale: lr})}
	}),
	updateSample("Momentum scaled", func(w, g, s0, s1, lr value) []value {
		a, b := op.Momentum(w, g, s0, lr, op.MomentumOptions{Momentum: 0.8, UpdateOptions: op.UpdateOptions{WeightDecay: 0.1, Scale: lr}})
		return []value{a, b}
	}),
	updateSample("RMSProp scaled", func(w, g, s0, s1, lr value) []value {
		a, b := op.RMSProp(w, g, s0, lr, op.RMSPropOptions{Scale: lr})
		return []value{a, b}
	}),
	updateSample("Adagrad scaled", func(w, g, s0, s1, lr value) []value {
		a, b := op.Adagrad(w, g, s0, lr, op.AdagradOptions{Scale: lr})
		return []value{a, b}
	}),
	updateSample("Adam scaled", func(w, g, s0, s1, lr value) []value {
		a, b, c := op.Adam(w, g, s0, s1, lr, lr, lr, op.AdamOptions{WeightDecay: 0.1, Scale: lr})
		return []value{a, b, c}
	}),
	updateSample("AdamW scaled", func(w, g, s0, s1, lr value) []value {
		a, b, c := op.AdamW(w, g, s0, s1, lr, lr, lr, op.AdamOptions{WeightDecay: 0.1, Scale: lr})
		return []value{a, b, c}
	}),
	updateSample("Lion scaled", func(w, g, s0, s1, lr value) []value {
		a, b := op.Lion(w, g, s0, lr, op.LionOptions{Scale: lr})
		return []value{a, b}
	}),
	updateSample("ClipFactor", func(w, g, s0, s1, lr value) []value {
		return []value{op.ClipFactor(0.5, w, g, s0), op.ClipFactor(1e3, w, g)}
	}),
	updateSample("Lion", func(w, g, s0, s1, lr value) []value {
		a, b := op.Lion(w, g, s0, lr, op.LionOptions{})
		return []value{a, b}
	}),
}

// compared returns every comparison of two values.
func compared(a, b value) []value {
	return []value{op.Equal(a, b), op.Less(a, b), op.LessOrEqual(a, b), op.Greater(a, b), op.GreaterOrEqual(a, b)}
}

var valueSamples = []valueSample{
	{"comparisons", func(b *sampleBuilder) []value { return compared(b.floats(3, 1, 5), b.floats(4, 1)) }},
	{"comparisons of int64", func(b *sampleBuilder) []value {
		return compared(b.ints(tensor.Int64, 3, 1, 5), b.ints(tensor.Int64, 4, 1))
	}},
	{"comparisons of int32", func(b *sampleBuilder) []value { return compared(b.ints(tensor.Int32, 6), b.ints(tensor.Int32)) }},
	{"comparisons of uint8", func(b *sampleBuilder) []value {
		return compared(b.ints(tensor.Uint8, 3, 4), b.ints(tensor.Uint8, 3, 4))
	}},
	{"arithmetic on int64", func(b *sampleBuilder) []value {
		x, y := b.ints(tensor.Int64, 2, 3, 1, 5), b.ints(tensor.Int64, 4, 1)
		return []value{op.Add(x, y), op.Sub(x, y), op.Mul(x, y), op.Div(x, y), op.Mod(x, y, false), op.Max(x, y), op.Min(y, x), op.Abs(op.Neg(x))}
	}},
	{"Where on int64 and uint8", func(b *sampleBuilder) []value {
		x, y := b.ints(tensor.Int64, 3, 1, 5), b.ints(tensor.Int64, 4, 1)
		c := b.bools(4, 5)
		return []value{op.Where(c, x, y), op.Where(c, b.ints(tensor.Uint8), b.ints(tensor.Uint8, 5)), op.Where(c, b.bools(5), b.bools(4, 1))}
	}},
	{"logic", func(b *sampleBuilder) []value {
		x, y, s := b.bools(3, 1, 5), b.bools(4, 1), b.bools()
		return []value{op.And(x, y), op.Or(x, y), op.Xor(x, y), op.Not(x), op.And(x, s), op.Or(s, s), op.Xor(x, x), op.Or(b.bools(2, 3, 4, 5), b.bools(3, 1, 5))}
	}},
	{"IsNaN IsInf", func(b *sampleBuilder) []value {
		x := op.Log(b.floats(3, 4)) // NaN of the negative ones
		y := op.Div(b.floats(3, 4), op.Sub(b.floats(3, 4), b.floats(3, 4)))
		z := op.Div(b.floats(7), op.ConstLike(x, 0))
		neg := z.G.Add(&op.DefIsInf, []graph.Attr{graph.Int("detect_positive", 0)}, z)
		return []value{op.IsNaN(x), op.IsInf(y), op.IsInf(z), op.IsInf(op.Neg(z)), neg}
	}},
	{"Cast", func(b *sampleBuilder) []value {
		var out []value
		types := []tensor.DType{tensor.Float32, tensor.Float64, tensor.Float16, tensor.Int64, tensor.Int32, tensor.Int16, tensor.Int8, tensor.Uint8, tensor.Bool}
		x := op.Mul(b.floats(5, 7), b.g.Const(tensor.Scalar(float32(300))))
		for _, from := range types {
			y := op.Cast(x, from)
			for _, to := range types {
				out = append(out, op.Cast(y, to))
			}
		}
		return out
	}},
	{"extremes pass over NaN", func(b *sampleBuilder) []value {
		x := op.Sqrt(b.floats(40, 5)) // NaN of the negative ones
		max, min := op.ReduceMax(x, []int{0}, false), op.ReduceMin(x, nil, false)
		return []value{max, min, op.ArgMax(x, 0, false), op.ArgMin(x, 1, false)}
	}},
	{"ArgMax ArgMin", func(b *sampleBuilder) []value {
		x := b.floats(3, 4, 5)
		return []value{op.ArgMax(x, -1, false), op.ArgMin(x, 2, true), op.ArgMax(x, 0, true), op.ArgMin(x, 1, false)}
	}},
	{"sums of integers", func(b *sampleBuilder) []value {
		x := b.ints(tensor.Int64, 3, 4, 5)
		return []value{op.ReduceSum(x, nil, false), op.ReduceSum(x, []int{1}, true), op.ReduceSum(x, []int{0, 2}, false), op.ReduceSum(b.ints(tensor.Int32, 4, 5), []int{1}, false),
			op.ReduceMax(x, []int{2}, false), op.ReduceMin(x, nil, false), op.ReduceProd(b.ints(tensor.Int64, 3), nil, true)}
	}},
	{"bits", func(b *sampleBuilder) []value {
		x, y := b.ints(tensor.Uint8, 3, 4), b.ints(tensor.Uint8, 4)
		return []value{op.BitwiseAnd(x, y), op.BitwiseOr(x, y), op.BitwiseXor(x, y), op.BitwiseNot(x), op.BitShift(x, op.Div(y, op.ConstLike(y, 20)), true)}
	}},
	{"shapes and makers", func(b *sampleBuilder) []value {
		x := b.floats(3, 4)
		return []value{op.Shape(x), op.Size(x), op.EyeLike(x, 1), op.ConstantOfShape(op.Shape(x), tensor.From([]int64{7}, 1)),
			b.g.Add(&op.DefConstant, []graph.Attr{graph.Tensor("value", tensor.From([]float32{1, 2}, 2))})}
	}},
	{"OneHot NonZero Unique", func(b *sampleBuilder) []value {
		x := b.ints(tensor.Int64, 3, 4)
		y, first, inverse, counts := op.Unique(x)
		return []value{op.OneHot(ints(b.g, []int{3}, 0, -1, 2), 4, -1, 0, 1), op.NonZero(b.bools(3, 4)), y, first, inverse, counts}
	}},
	{"random", func(b *sampleBuilder) []value {
		x := b.floats(50, 3)
		return []value{op.RandomUniform(b.g, 0, 1, 40), op.RandomNormal(b.g, 0, 1, 40), op.RandomUniformLike(x, 0, 1), op.RandomNormalLike(x, 0, 1), op.Bernoulli(op.Abs(x)), op.Multinomial(x, 4)}
	}},
	{"Dropout and mask", func(b *sampleBuilder) []value {
		yes := b.g.Const(tensor.From([]bool{true}, 1))
		return b.g.AddN(&op.DefDropout, "", 2, nil, b.floats(70, 3), nil, yes)
	}},
	{"MaxPool indices", func(b *sampleBuilder) []value {
		y, i := op.MaxPoolIndices(b.floats(1, 2, 6, 6), op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}})
		return []value{y, i}
	}},
}
