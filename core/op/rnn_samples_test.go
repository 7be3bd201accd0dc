package op_test

import (
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Samples of the recurrent operators: X, W, R, B, then initial states and peepholes where there are some.
var rnnSamples = []gradSample{
	{name: "RNN", shapes: [][]int{{3, 2, 3}, {1, 4, 3}, {1, 4, 4}, {1, 8}}, f: func(in []value) []value {
		y, h := op.RNN(in[0], in[1], in[2], in[3], op.RNNOptions{})
		return []value{y, h}
	}},
	{name: "RNN both ways", shapes: [][]int{{3, 4, 2}, {2, 3, 2}, {2, 3, 3}, {2, 6}, {2, 4, 3}}, f: func(in []value) []value {
		y, h := op.RNN(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", Lengths: lengths(in[0], 3, 1, 0, 2), H0: in[4], Activations: []string{"Relu", "Tanh"}})
		return []value{y, h}
	}},
	{name: "RNN other activations", shapes: [][]int{{2, 2, 2}, {2, 2, 2}, {2, 2, 2}}, f: func(in []value) []value {
		y, h := op.RNN(in[0], in[1], in[2], nil, op.RNNOptions{Direction: "bidirectional", Activations: []string{"ScaledTanh", "LeakyRelu"}, Alpha: []float32{1.5, 0.1}, Beta: []float32{0.7}, Clip: 3})
		return []value{y, h}
	}},
	{name: "GRU", shapes: [][]int{{3, 2, 3}, {1, 12, 3}, {1, 12, 4}, {1, 24}}, f: func(in []value) []value {
		y, h := op.GRU(in[0], in[1], in[2], in[3], op.RNNOptions{})
		return []value{y, h}
	}},
	{name: "GRU linear", shapes: [][]int{{3, 4, 2}, {1, 9, 2}, {1, 9, 3}, {1, 18}, {1, 4, 3}}, f: func(in []value) []value {
		y, h := op.GRU(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "reverse", LinearBeforeReset: true, Lengths: lengths(in[0], 1, 3, 3, 2), H0: in[4]})
		return []value{y, h}
	}},
	{name: "GRU both ways, batch first", shapes: [][]int{{3, 4, 2}, {2, 9, 2}, {2, 9, 3}, {3, 2, 3}}, f: func(in []value) []value {
		y, h := op.GRU(in[0], in[1], in[2], nil, op.RNNOptions{Direction: "bidirectional", BatchFirst: true, Lengths: lengths(in[0], 2, 4, 3), H0: in[3]})
		return []value{y, h}
	}},
	{name: "LSTM", shapes: [][]int{{3, 2, 3}, {1, 16, 3}, {1, 16, 4}, {1, 32}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{})
		return []value{y, h, c}
	}},
	{name: "LSTM last state only", shapes: [][]int{{3, 2, 3}, {1, 16, 3}, {1, 16, 4}}, f: func(in []value) []value {
		_, h, _ := op.LSTM(in[0], in[1], in[2], nil, op.RNNOptions{BatchFirst: true})
		return []value{h}
	}},
	{name: "LSTM both ways", shapes: [][]int{{3, 4, 2}, {2, 12, 2}, {2, 12, 3}, {2, 24}, {2, 4, 3}, {2, 4, 3}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", Lengths: lengths(in[0], 0, 3, 1, 2), H0: in[4], C0: in[5]})
		return []value{y, h, c}
	}},
	{name: "LSTM one state twice, batch first", shapes: [][]int{{2, 3, 2}, {1, 12, 2}, {1, 12, 3}, {2, 1, 3}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], nil, op.RNNOptions{Direction: "reverse", BatchFirst: true, H0: in[3], C0: in[3]})
		return []value{y, h, c}
	}},
	{name: "RNN Elu and its like", shapes: [][]int{{2, 2, 2}, {2, 2, 2}, {2, 2, 2}}, f: func(in []value) []value {
		var out []value
		for _, a := range []struct {
			name        string
			alpha, beta []float32
		}{{"Elu", []float32{0.5, 0.5}, nil}, {"ThresholdedRelu", []float32{0.1, 0.1}, nil}, {"Softsign", nil, nil}, {"Sigmoid", nil, nil}, {"LeakyRelu", nil, nil},
			{"Affine", []float32{0.6, 0.6}, []float32{0.2, 0.2}}, {"ScaledTanh", []float32{1.5, 1.5}, []float32{0.7, 0.7}}} {
			y, h := op.RNN(in[0], in[1], in[2], nil, op.RNNOptions{Direction: "bidirectional", Activations: []string{a.name, a.name}, Alpha: a.alpha, Beta: a.beta})
			out = append(out, y, h)
		}
		return out
	}},
	// The value of these does not give the slope, so kernels that compute slopes from values must decline them.
	{name: "RNN that folds over", shapes: [][]int{{2, 2, 2}, {1, 2, 2}, {1, 2, 2}}, f: func(in []value) []value {
		var out []value
		for _, a := range []struct {
			name  string
			alpha float32
		}{{"LeakyRelu", -0.3}, {"Elu", -0.5}, {"ThresholdedRelu", -0.4}, {"ScaledTanh", 0}} {
			y, h := op.RNN(in[0], in[1], in[2], nil, op.RNNOptions{Activations: []string{a.name}, Alpha: []float32{a.alpha}})
			out = append(out, y, h)
		}
		return out
	}},
	{name: "GRU that folds over", shapes: [][]int{{2, 2, 2}, {1, 6, 2}, {1, 6, 2}, {1, 12}}, f: func(in []value) []value {
		y, h := op.GRU(in[0], in[1], in[2], in[3], op.RNNOptions{Activations: []string{"LeakyRelu", "Elu"}, Alpha: []float32{-0.3, -0.5}})
		return []value{y, h}
	}},
	{name: "LSTM that folds over", shapes: [][]int{{2, 2, 2}, {1, 8, 2}, {1, 8, 2}, {1, 16}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Activations: []string{"Sigmoid", "LeakyRelu", "Elu"}, Alpha: []float32{-0.3, -0.5}})
		return []value{y, h, c}
	}},
	{name: "GRU of hard sigmoids", shapes: [][]int{{3, 3, 2}, {1, 9, 2}, {1, 9, 3}, {1, 18}, {1, 3, 3}}, f: func(in []value) []value {
		var out []value
		for _, linear := range []bool{false, true} {
			y, h := op.GRU(in[0], in[1], in[2], in[3], op.RNNOptions{Activations: []string{"HardSigmoid", "Softsign"}, LinearBeforeReset: linear, Lengths: lengths(in[0], 2, 3, 0), H0: in[4]})
			out = append(out, y, h)
		}
		return out
	}},
	{name: "LSTM of hard sigmoids", shapes: [][]int{{3, 3, 2}, {1, 12, 2}, {1, 12, 3}, {1, 24}, {1, 3, 3}, {1, 3, 3}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Activations: []string{"HardSigmoid", "Tanh", "ScaledTanh"}, Alpha: []float32{0.2, 1.2}, Beta: []float32{0.5, 0.9}, Lengths: lengths(in[0], 2, 3, 0), H0: in[4], C0: in[5]})
		return []value{y, h, c}
	}},
	{name: "LSTM with everything", shapes: [][]int{{2, 2, 2}, {1, 8, 2}, {1, 8, 2}, {1, 16}, {1, 6}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Peepholes: in[4], InputForget: true, Clip: 2, Activations: []string{"HardSigmoid", "Softsign", "Softplus"}})
		return []value{y, h, c}
	}},
	{name: "RNN clipped", shapes: [][]int{{3, 3, 2}, {2, 3, 2}, {2, 3, 3}, {2, 6}}, f: func(in []value) []value {
		var out []value
		for _, a := range []string{"Tanh", "Softplus", "Sigmoid", "Relu"} {
			y, h := op.RNN(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", Activations: []string{a, "Elu"}, Clip: 0.45, Lengths: lengths(in[0], 3, 1, 2)})
			out = append(out, y, h)
		}
		return out
	}},
	{name: "GRU clipped, directions of their own", shapes: [][]int{{3, 3, 2}, {2, 6, 2}, {2, 6, 2}, {2, 12}, {2, 3, 2}}, f: func(in []value) []value {
		var out []value
		for _, linear := range []bool{false, true} {
			y, h := op.GRU(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", Activations: []string{"Sigmoid", "Tanh", "HardSigmoid", "Softplus"}, Clip: 0.6, LinearBeforeReset: linear,
				Lengths: lengths(in[0], 2, 3, 0), H0: in[4]})
			out = append(out, y, h)
		}
		return out
	}},
	{name: "LSTM with coupled gates", shapes: [][]int{{3, 3, 2}, {2, 8, 2}, {2, 8, 2}, {2, 16}, {2, 3, 2}, {2, 3, 2}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", InputForget: true, Lengths: lengths(in[0], 2, 3, 0), H0: in[4], C0: in[5]})
		return []value{y, h, c}
	}},
	{name: "LSTM with peepholes, clipped", shapes: [][]int{{3, 3, 2}, {2, 8, 2}, {2, 8, 2}, {2, 16}, {2, 6}, {2, 3, 2}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], in[3], op.RNNOptions{Direction: "bidirectional", Clip: 0.6, Lengths: lengths(in[0], 2, 3, 0), Peepholes: in[4], C0: in[5],
			Activations: []string{"Sigmoid", "Tanh", "Tanh", "Sigmoid", "Tanh", "Softsign"}})
		return []value{y, h, c}
	}},
	{name: "LSTM with peepholes", shapes: [][]int{{3, 2, 2}, {1, 8, 2}, {1, 8, 2}, {1, 6}}, f: func(in []value) []value {
		y, h, c := op.LSTM(in[0], in[1], in[2], nil, op.RNNOptions{Peepholes: in[3]})
		return []value{y, h, c}
	}},
}

func lengths(x value, v ...int32) value { return x.G.Const(tensor.From(v, len(v))) }
