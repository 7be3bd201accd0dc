package op_test

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// lastSamples are the operators on channels-last images.
var lastSamples = []gradSample{
	{"ConvLast", [][]int{{2, 5, 4, 3}, {4, 3, 3, 2}, {4}, {2, 3, 2, 4}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvLast, []graph.Attr{graph.Ints("strides", 2, 2), graph.Ints("pads", 1, 0, 1, 0), graph.Int("x_last", 1), graph.Int("y_last", 1)}, in...)
	})},
	{"ConvLast of [N,C,H,W]", [][]int{{1, 4, 5, 5}, {4, 1, 3, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvLast, []graph.Attr{graph.Int("group", 4), graph.Int("y_last", 1)}, in...)
	})},
	{"ConvLast to [N,C,W]", [][]int{{2, 7, 3}, {5, 3, 3}, {5}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvLast, []graph.Attr{graph.Int("x_last", 1)}, in...)
	})},
	{"MaxPoolLast", [][]int{{2, 6, 5, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefMaxPoolLast, []graph.Attr{graph.Ints("kernel_shape", 3, 2), graph.Ints("strides", 2, 1), graph.Ints("pads", 1, 0, 1, 1)}, in...)
	})},
	{"ReduceLast", [][]int{{2, 9, 5, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefReduceLast, []graph.Attr{graph.Str("reduce", "mean"), graph.Int("x_last", 1), graph.Int("y_last", 1)}, in...)
	})},
	{"ReduceLast of a row", [][]int{{1, 70, 5}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefReduceLast, []graph.Attr{graph.Str("reduce", "sum"), graph.Int("x_last", 1), graph.Int("keepdims", 0)}, in...)
	})},
	{"ReduceLast of [N,C,H,W]", [][]int{{2, 3, 4, 5}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefReduceLast, []graph.Attr{graph.Str("reduce", "max"), graph.Int("y_last", 1)}, in...)
	})},
	{"AveragePoolLast", [][]int{{2, 6, 5, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefAveragePoolLast, []graph.Attr{graph.Ints("kernel_shape", 3, 2), graph.Ints("strides", 2, 1), graph.Ints("pads", 1, 0, 1, 1)}, in...)
	})},
	{"ConvPool", [][]int{{2, 2, 7, 8}, {3, 2, 3, 3}, {3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvPool, []graph.Attr{graph.Ints("pads", 1, 0, 1, 0), graph.Ints("pool_kernel_shape", 2, 2), graph.Ints("pool_strides", 2, 2)}, in...)
	})},
	{"ConvPool, channels-last", [][]int{{1, 8, 7, 2}, {4, 1, 3, 3}, {4}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvPool, []graph.Attr{graph.Int("group", 2), graph.Int("x_last", 1), graph.Int("y_last", 1), graph.Int("act", 2), graph.Float("lo", -0.5), graph.Float("hi", 10),
			graph.Int("average", 1), graph.Ints("pool_kernel_shape", 3, 2), graph.Ints("pool_strides", 2, 1)}, in...)
	})},
	{"ConvPool of 1x1", [][]int{{1, 3, 6, 6}, {4, 3, 1, 1}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvPool, []graph.Attr{graph.Ints("pool_kernel_shape", 3, 3), graph.Ints("pool_strides", 2, 2), graph.Ints("pool_pads", 1, 1, 1, 1)}, in...)
	})},
	{"ConvChain", [][]int{{2, 5, 4, 3}, {4, 3, 1, 1}, {4}, {4, 1, 3, 3}, {4}, {2, 4, 1, 1}, {2}, {2, 3, 2, 2}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvChain, []graph.Attr{graph.Int("stages", 3), graph.Int("x_last", 1), graph.Int("first_act", 2), graph.Float("first_lo", -0.5), graph.Float("first_hi", 10),
			graph.Int("second_group", 4), graph.Ints("second_strides", 2, 2), graph.Ints("second_pads", 1, 1, 1, 1)}, in...)
	})},
	{"ConvChain of [N,C,H,W]", [][]int{{1, 3, 6, 5}, {4, 3, 3, 3}, {4}, {4, 1, 2, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvChain, []graph.Attr{graph.Int("stages", 2), graph.Ints("first_pads", 1, 0, 1, 0), graph.Int("second_group", 4)}, in...)
	})},
	{"ConvChain with a residual", [][]int{{1, 6, 5, 4}, {4, 1, 2, 2}, {4}, {3, 4, 1, 1}, {1, 5, 4, 3}}, one(func(in []*graph.Value) *graph.Value {
		return in[0].G.Add(&op.DefConvChain, []graph.Attr{graph.Int("stages", 2), graph.Int("x_last", 1), graph.Int("first_group", 4)}, in[0], in[1], in[2], in[3], nil, nil, nil, in[4])
	})},
}
