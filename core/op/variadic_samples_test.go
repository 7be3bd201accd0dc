package op_test

import (
	"github.com/weft-ml/weft/core/op"
)

var threeShapes = [][]int{{2, 3, 4}, {3, 1}, {4}}

var variadicSamples = []gradSample{
	{name: "Max of two", shapes: [][]int{{2, 5}, {5}}, f: one(func(in []value) value { return op.Max(in...) })},
	{name: "Max", shapes: threeShapes, f: one(func(in []value) value { return op.Max(in...) })},
	{name: "Min of two", shapes: [][]int{{2, 5}, {2, 1}}, f: one(func(in []value) value { return op.Min(in...) })},
	{name: "Min", shapes: threeShapes, f: one(func(in []value) value { return op.Min(in...) })},
	{name: "Max of one", shapes: [][]int{{3}}, f: one(func(in []value) value { return op.Max(in...) })},
	{name: "Sum", shapes: threeShapes, f: one(func(in []value) value { return op.Sum(squares(in)...) })},
	{name: "Mean", shapes: threeShapes, f: one(func(in []value) value { return op.Mean(squares(in)...) })},
	{name: "Mod", shapes: [][]int{{4, 3}, {3}}, f: one(func(in []value) value {
		return op.Mod(op.Mul(in[0], op.ConstLike(in[0], 5)), shifted(in[1], 0.8, 1.6), true)
	})},
}

func squares(in []value) []value {
	out := make([]value, len(in))
	for i, x := range in {
		out[i] = op.Mul(x, x)
	}
	return out
}

var clipSamples = []gradSample{
	{name: "Clip", shapes: [][]int{{3, 5}}, f: one(func(in []value) value {
		return op.Clip(op.Mul(in[0], in[0]), op.ConstLike(in[0], 0.1), op.ConstLike(in[0], 0.6))
	})},
	{name: "Clip below", shapes: [][]int{{3, 5}}, f: one(func(in []value) value { return op.Clip(in[0], op.ConstLike(in[0], 0.1), nil) })},
	{name: "Clip above", shapes: [][]int{{3, 5}}, f: one(func(in []value) value { return op.Clip(in[0], nil, op.ConstLike(in[0], 0.1)) })},
}
