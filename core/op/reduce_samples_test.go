package op_test

import (
	"slices"

	"github.com/weft-ml/weft/core/op"
)

type reduction func(x value, axes []int, keepdims bool) value

// reductions makes samples of a reduction over all, over one axis in three places, and over several.
func reductions(name string, lo, hi float64, f reduction) []gradSample {
	shape := [][]int{{2, 3, 4}}
	over := func(what string, keep bool, axes ...int) gradSample {
		return gradSample{name: name + " " + what, shapes: shape, f: one(func(in []value) value {
			return f(shifted(in[0], lo, hi), axes, keep)
		})}
	}
	return []gradSample{over("all", false), over("all kept", true), over("rows", false, -1), over("columns", true, 0), over("middle", false, 1), over("ends", false, 0, 2)}
}

var reduceSamples = slices.Concat(
	reductions("ReduceSum", -1, 1, op.ReduceSum),
	reductions("ReduceMean", -1, 1, op.ReduceMean),
	reductions("ReduceMax", -1, 1, op.ReduceMax),
	reductions("ReduceMin", -1, 1, op.ReduceMin),
	reductions("ReduceProd", 0.5, 1.5, op.ReduceProd),
	reductions("ReduceSumSquare", -1, 1, op.ReduceSumSquare),
	reductions("ReduceL1", -1, 1, op.ReduceL1),
	reductions("ReduceL2", -1, 1, op.ReduceL2),
	reductions("ReduceLogSum", 0.5, 1.5, op.ReduceLogSum),
	reductions("ReduceLogSumExp", -3, 3, op.ReduceLogSumExp),
	[]gradSample{
		{name: "CumSum", shapes: [][]int{{3, 4}}, f: one(func(in []value) value { return op.CumSum(op.Mul(in[0], in[0]), 0, false, false) })},
		{name: "CumSum reverse", shapes: [][]int{{3, 4}}, f: one(func(in []value) value { return op.CumSum(op.Mul(in[0], in[0]), 1, false, true) })},
		{name: "CumSum exclusive", shapes: [][]int{{2, 3, 2}}, f: one(func(in []value) value { return op.CumSum(op.Mul(in[0], in[0]), -2, true, false) })},
		{name: "CumSum exclusive reverse", shapes: [][]int{{5}}, f: one(func(in []value) value { return op.CumSum(op.Mul(in[0], in[0]), 0, true, true) })},
	},
)

var normMoreSamples = []gradSample{
	{name: "InstanceNormalization", shapes: [][]int{{2, 3, 4, 2}, {3}, {3}}, f: one(func(in []value) value { return op.InstanceNormalization(in[0], in[1], in[2], 0) })},
	{name: "GroupNormalization", shapes: [][]int{{2, 4, 3}, {4}, {4}}, f: one(func(in []value) value { return op.GroupNormalization(in[0], in[1], in[2], 2, 0) })},
	{name: "RMSNormalization", shapes: [][]int{{2, 3, 4}, {4}}, f: one(func(in []value) value { return op.RMSNormalization(in[0], in[1], op.LayerNormOptions{Axis: -1}) })},
	{name: "RMSNormalization two axes", shapes: [][]int{{2, 3, 4}, {3, 4}}, f: one(func(in []value) value { return op.RMSNormalization(in[0], in[1], op.LayerNormOptions{Axis: 1}) })},
	{name: "LpNormalization", shapes: [][]int{{3, 4}}, f: one(func(in []value) value { return op.LpNormalization(in[0], 0, 2) })},
	{name: "LpNormalization 1", shapes: [][]int{{3, 4}}, f: one(func(in []value) value { return op.LpNormalization(in[0], -1, 1) })},
	{name: "MeanVarianceNormalization", shapes: [][]int{{2, 3, 2, 2}}, f: one(func(in []value) value { return op.MeanVarianceNormalization(in[0]) })},
}
