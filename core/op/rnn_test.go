package op_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// recurrent builds an operator of some kind with its gradients, over sequences of different lengths or not.
func recurrent(b *sampleBuilder, kind string, n, steps, d, h int, lens bool, o op.RNNOptions) []value {
	dirs := 1
	if o.Direction == "bidirectional" {
		dirs = 2
	}
	shape := []int{steps, n, d}
	state := []int{dirs, n, h}
	if o.BatchFirst {
		shape, state = []int{n, steps, d}, []int{n, dirs, h}
	}
	if lens {
		v := make([]int32, n)
		for i := range v {
			v[i] = int32(b.r.Intn(steps + 1))
		}
		o.Lengths = b.g.Const(tensor.From(v, n))
	}
	g := map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4, "LSTM with peepholes": 4}[kind] * h
	x, w, r, bias := b.floats(shape...), b.floats(dirs, g, d), b.floats(dirs, g, h), b.floats(dirs, 2*g)
	in := []value{x, w, r, bias}
	if lens {
		o.H0 = b.floats(state...)
		in = append(in, o.H0)
	}
	var outs []value
	if kind == "LSTM with peepholes" {
		kind = "LSTM"
		o.Peepholes, o.C0 = b.floats(dirs, 3*h), b.floats(state...)
		in = append(in, o.Peepholes, o.C0)
	}
	switch kind {
	case "RNN":
		y, h := op.RNN(x, w, r, bias, o)
		outs = []value{y, h}
	case "GRU":
		y, h := op.GRU(x, w, r, bias, o)
		outs = []value{y, h}
	default:
		y, h, c := op.LSTM(x, w, r, bias, o)
		outs = []value{y, h, c}
	}
	return append(outs, gradientsOf(b.r, outs, in)...)
}

// TestRecurrentBits runs recurrent programs on different numbers of threads, cut into steps of different lengths, and without gradients: the bits are the same.
func TestRecurrentBits(t *testing.T) {
	for _, c := range []struct {
		kind string
		o    op.RNNOptions
	}{
		{"RNN", op.RNNOptions{}}, {"GRU", op.RNNOptions{LinearBeforeReset: true}}, {"GRU", op.RNNOptions{BatchFirst: true}}, {"LSTM", op.RNNOptions{BatchFirst: true}},
		{"LSTM", op.RNNOptions{Direction: "bidirectional"}}, {"GRU", op.RNNOptions{Direction: "bidirectional", LinearBeforeReset: true}},
		{"RNN", op.RNNOptions{Direction: "bidirectional", Activations: []string{"Softplus", "Tanh"}, Clip: 0.7}},
		{"GRU", op.RNNOptions{Direction: "bidirectional", Activations: []string{"Sigmoid", "Tanh", "HardSigmoid", "Softsign"}, Clip: 0.7}},
		{"LSTM", op.RNNOptions{Direction: "bidirectional", Activations: []string{"Sigmoid", "Tanh", "Tanh", "HardSigmoid", "Softplus", "Relu"}, InputForget: true}},
		{"LSTM with peepholes", op.RNNOptions{Direction: "bidirectional", Clip: 0.7}}, {"LSTM with peepholes", op.RNNOptions{BatchFirst: true, InputForget: true}},
	} {
		for _, lens := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %s lengths %v", c.kind, c.o.Direction, lens), func(t *testing.T) {
				run := func(threads, flops int, gradients bool) []*tensor.Tensor {
					defer op.SetRNNStepFLOPs(op.SetRNNStepFLOPs(flops))
					rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
					defer rt.Close()
					b := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(3))}
					b.g.Outputs = recurrent(b, c.kind, 17, 13, 5, 72, lens, c.o)
					if !gradients { // Y and the last states
						b.g.Outputs = b.g.Outputs[:2]
					}
					p, err := compile.Compile(rt, b.g, nil, compile.Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer p.Close()
					out, err := p.Run(b.data...)
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range p.Steps() {
						if s.Kernel == "Ref" {
							t.Fatalf("%s runs as a reference step", s.Operator)
						}
					}
					res := make([]*tensor.Tensor, len(out))
					for i, x := range out {
						res[i] = x.Clone()
					}
					return res
				}
				want := run(1, 1<<28, true)
				for _, other := range [][2]int{{1, 1}, {3, 1 << 28}, {2, 1 << 22}} {
					for _, gradients := range []bool{true, false} {
						for i, x := range run(other[0], other[1], gradients) {
							if !bytes.Equal(x.Bytes(), want[i].Bytes()) {
								t.Errorf("%d threads, steps of %d operations, gradients %v: output %d differs", other[0], other[1], gradients, i)
							}
						}
					}
				}
			})
		}
	}
}

// TestRecurrentLengthErrors gives lengths that no sequence can have.
func TestRecurrentLengthErrors(t *testing.T) {
	for _, bad := range []int32{-1, 4} {
		g := graph.New()
		b := &sampleBuilder{g: g, r: rand.New(rand.NewSource(1))}
		lens := g.Input("lens", tensor.Int32, 2)
		y, _, _ := op.LSTM(b.floats(3, 2, 2), b.floats(1, 8, 2), b.floats(1, 8, 2), nil, op.RNNOptions{Lengths: lens})
		g.Output(y)
		data := append([]*tensor.Tensor{tensor.From([]int32{1, bad}, 2)}, b.data...)
		_, err := graph.Eval(g, nil, data, nil)
		if err == nil || !strings.Contains(err.Error(), "is not of 0 to 3") {
			t.Errorf("interpreted: the error is %v", err)
		}
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err == nil {
			_, err = p.Run(data...)
		}
		if err == nil || !strings.Contains(err.Error(), "is not of 0 to 3") {
			t.Errorf("compiled: the error is %v", err)
		}
		rt.Close()
	}
}
