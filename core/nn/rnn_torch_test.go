package nn_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/golden"
)

// rnnTensor makes a tensor of testdata/golden_rnn.py.
func rnnTensor(seed uint32, scale float64, shape ...int) *tensor.Tensor {
	return golden.Tensor(tensor.Float32, seed, shape, func(u float64) float64 { return (u*2 - 1) * scale })
}

// The sizes of testdata/golden_rnn.py.
const goldenN, goldenT, goldenD, goldenH = 3, 5, 2, 4

type rnnGolden struct {
	Kind               string
	Layers             int
	Both, States, Relu bool
	Lengths            []int32
	Results, Grads     map[string][]float64
}

// build adds the layer and its gradients to a graph; out names the outputs.
func (c *rnnGolden) build(seed uint32) (g *graph.Graph, store *graph.Store, in []*tensor.Tensor, out []string) {
	g, store = graph.New(), graph.NewStore()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), goldenT, goldenD)
	in = append(in, rnnTensor(seed, 1.5, goldenN, goldenT, goldenD))
	wrt, names := []*graph.Value{x}, []string{"x"}
	var o nn.RNNInput
	dirs, gates := 1, map[string]int{"RNN": 1, "GRU": 3, "LSTM": 4}[c.Kind]
	if c.Both {
		dirs = 2
	}
	if c.Lengths != nil {
		o.Lengths = g.Input("lengths", tensor.Int32, goldenN)
		in = append(in, tensor.From(c.Lengths, len(c.Lengths)))
	}
	if c.States {
		state := []int{goldenN, c.Layers * dirs, goldenH}
		o.H0 = g.Input("h0", tensor.Float32, state...)
		in, wrt, names = append(in, rnnTensor(seed+1, 1.5, state...)), append(wrt, o.H0), append(names, "h0")
		if c.Kind == "LSTM" {
			o.C0 = g.Input("c0", tensor.Float32, state...)
			in, wrt, names = append(in, rnnTensor(seed+2, 1.5, state...)), append(wrt, o.C0), append(names, "c0")
		}
	}
	ctx := nn.NewContext(g, nn.Options{})
	res := make([]*graph.Value, 3)
	switch c.Kind {
	case "RNN":
		l := nn.RNN{Units: goldenH, Layers: c.Layers, Bidirectional: c.Both, Name: "rnn"}
		if c.Relu {
			l.Nonlinearity = "relu"
		}
		res[0], res[1] = l.Run(ctx, x, o)
	case "GRU":
		res[0], res[1] = nn.GRU{Units: goldenH, Layers: c.Layers, Bidirectional: c.Both, Name: "rnn"}.Run(ctx, x, o)
	case "LSTM":
		res[0], res[1], res[2] = nn.LSTM{Units: goldenH, Layers: c.Layers, Bidirectional: c.Both, Name: "rnn"}.Run(ctx, x, o)
	}
	if err := store.Init(g); err != nil {
		panic(err)
	}
	for k := range c.Layers {
		size := goldenD
		if k > 0 {
			size = dirs * goldenH
		}
		at, rows := seed+8+3*uint32(k), gates*goldenH
		bias := rnnTensor(at+2, 0.8, dirs, rows, 2).Transpose(0, 2, 1).Contiguous().Reshape(dirs, 2*rows)
		for name, v := range map[string]*tensor.Tensor{"weight_ih": rnnTensor(at, 0.8, dirs, rows, size), "weight_hh": rnnTensor(at+1, 0.8, dirs, rows, goldenH), "bias": bias} {
			if err := store.Set(fmt.Sprintf("rnn.%s_l%d", name, k), v); err != nil {
				panic(err)
			}
		}
	}
	for _, v := range g.TrainableVars() {
		wrt, names = append(wrt, v), append(names, strings.TrimPrefix(v.Name, "rnn."))
	}
	shapes := [][]int{{goldenN, goldenT, dirs * goldenH}, {goldenN, c.Layers * dirs, goldenH}, {goldenN, c.Layers * dirs, goldenH}}
	var loss *graph.Value
	for i, y := range res {
		if y == nil {
			continue
		}
		g.Output(y)
		out = append(out, []string{"y", "hn", "cn"}[i])
		term := op.ReduceSum(op.Mul(y, g.Const(rnnTensor(seed+3+uint32(i), 1.5, shapes[i]...))), nil, false)
		if loss == nil {
			loss = term
		} else {
			loss = op.Add(loss, term)
		}
	}
	for i, d := range op.Gradients(loss, wrt...) {
		g.Output(d)
		out = append(out, "gradient of "+names[i])
	}
	return g, store, in, out
}

// TestRecurrentPyTorch compares results and gradients with PyTorch's, interpreted and compiled. Results are sums of at most 5 steps of products of about 1 in float32, with an error of some
// 2^-24 each; gradients add up to 60 such terms.
func TestRecurrentPyTorch(t *testing.T) {
	var cases []rnnGolden
	golden.Read(t, "rnn", &cases)
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	for k := range cases {
		c := &cases[k]
		t.Run(fmt.Sprintf("%d %s", k, c.Kind), func(t *testing.T) {
			g, store, in, names := c.build(uint32(32 * k))
			interpreted, err := graph.Eval(g, store, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			p, err := compile.Compile(rt, g, store, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			compiled, err := p.Run(in...)
			if err != nil {
				t.Fatal(err)
			}
			for i, name := range names {
				want, tolerance := c.Results[name], 1e-6
				if of, ok := strings.CutPrefix(name, "gradient of "); ok {
					want, tolerance = c.Grads[of], 5e-6
				}
				for how, got := range map[string]*tensor.Tensor{"interpreted": interpreted[i], "compiled": compiled[i]} {
					v := got.Float64s()
					if len(v) != len(want) {
						t.Fatalf("%s, %s: %d elements, PyTorch has %d", name, how, len(v), len(want))
					}
					for j := range v {
						if d := math.Abs(v[j] - want[j]); !(d <= tolerance*(1+math.Abs(want[j]))) {
							t.Fatalf("%s, %s: element %d is %v, PyTorch's %v", name, how, j, v[j], want[j])
						}
					}
				}
			}
		})
	}
}
