package nn_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// runner builds a recurrent layer that takes and gives states; cells are nil but for LSTM.
type runner func(c *nn.Context, x *graph.Value, in nn.RNNInput) (y, h, cell *graph.Value)

func runners(layers int, both, reverse bool) map[string]runner {
	return map[string]runner{
		"RNN": func(c *nn.Context, x *graph.Value, in nn.RNNInput) (y, h, cell *graph.Value) {
			y, h = nn.RNN{Units: 3, Layers: layers, Bidirectional: both, Reverse: reverse, Nonlinearity: "relu"}.Run(c, x, in)
			return y, h, nil
		},
		"GRU": func(c *nn.Context, x *graph.Value, in nn.RNNInput) (y, h, cell *graph.Value) {
			y, h = nn.GRU{Units: 3, Layers: layers, Bidirectional: both, Reverse: reverse}.Run(c, x, in)
			return y, h, nil
		},
		"LSTM": nn.LSTM{Units: 3, Layers: layers, Bidirectional: both, Reverse: reverse, ForgetBias: 1}.Run,
	}
}

// TestRecurrentContinues reads sequences at once and, with the states handed on, in two parts and step by step.
func TestRecurrentContinues(t *testing.T) {
	const n, steps, d = 2, 5, 4
	x := tensor.New(tensor.Float32, n, steps, d)
	rng := random.New(2, 0)
	rng.FillNormal(x.Float32s(), 0, 1)
	for name, run := range runners(2, false, false) {
		t.Run(name, func(t *testing.T) {
			g := graph.New()
			c := nn.NewContext(g, nn.Options{Seed: 1})
			in := g.Input("x", tensor.Float32, g.Symbol("N"), graph.Unknown, d)
			y, h, cell := run(c, in, nn.RNNInput{})
			g.Outputs = []*graph.Value{y, h}
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			whole, err := graph.Eval(g, store, []*tensor.Tensor{x}, nil)
			if err != nil {
				t.Fatal(err)
			}
			g = graph.New()
			c = nn.NewContext(g, nn.Options{Store: store})
			in = g.Input("x", tensor.Float32, n, graph.Unknown, d)
			states := nn.RNNInput{H0: g.Input("h", tensor.Float32, n, 2, 3)}
			data := []*tensor.Tensor{nil, tensor.New(tensor.Float32, n, 2, 3)}
			if cell != nil {
				states.C0 = g.Input("c", tensor.Float32, n, 2, 3)
				data = append(data, tensor.New(tensor.Float32, n, 2, 3))
			}
			y, h, cell = run(c, in, states)
			g.Outputs = []*graph.Value{y, h}
			if cell != nil {
				g.Outputs = append(g.Outputs, cell)
			}
			at := 0
			for _, k := range []int{3, 1, 1} {
				data[0] = x.Slice(1, at, at+k, 1)
				out, err := graph.Eval(g, store, data, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := whole[0].Slice(1, at, at+k, 1).Contiguous().Float32s()
				for i, v := range out[0].Float32s() {
					if math.Abs(float64(v-want[i])) > 1e-6 {
						t.Fatalf("step %d: element %d is %v, want %v", at, i, v, want[i])
					}
				}
				copy(data[1:], out[1:])
				at += k
			}
			for i, v := range data[1].Float32s() {
				if math.Abs(float64(v-whole[1].Float32s()[i])) > 1e-6 {
					t.Fatal("the last states differ")
				}
			}
		})
	}
}

// TestRecurrentLengths compares padded sequences with the same ones alone.
func TestRecurrentLengths(t *testing.T) {
	const n, steps, d = 3, 4, 2
	x := tensor.New(tensor.Float32, n, steps, d)
	rng := random.New(2, 0)
	rng.FillNormal(x.Float32s(), 0, 1)
	for _, direction := range []string{"forward", "reverse", "both"} {
		for name, run := range runners(1, direction == "both", direction == "reverse") {
			t.Run(name+" "+direction, func(t *testing.T) {
				store := graph.NewStore()
				eval := func(lengths []int64, x *tensor.Tensor) []*tensor.Tensor {
					g := graph.New()
					var in nn.RNNInput
					if lengths != nil {
						in.Lengths = g.Const(tensor.From(lengths, len(lengths)))
					}
					y, h, _ := run(nn.NewContext(g, nn.Options{Seed: 1}), g.Input("x", tensor.Float32, x.Shape()...), in)
					g.Outputs = []*graph.Value{y, h}
					if err := store.Init(g); err != nil {
						t.Fatal(err)
					}
					out, err := graph.Eval(g, store, []*tensor.Tensor{x.Contiguous()}, nil)
					if err != nil {
						t.Fatal(err)
					}
					return out
				}
				lengths := []int64{2, 4, 1}
				padded := eval(lengths, x)
				for i, l := range lengths {
					alone := eval(nil, x.Slice(0, i, i+1, 1).Slice(1, 0, int(l), 1))
					for k, cut := range []*tensor.Tensor{padded[0].Slice(0, i, i+1, 1).Slice(1, 0, int(l), 1), padded[1].Slice(0, i, i+1, 1)} {
						got := cut.Contiguous().Float32s()
						for j, v := range alone[k].Float32s() {
							if math.Abs(float64(v-got[j])) > 1e-6 {
								t.Fatalf("sequence %d, output %d, element %d is %v, want %v", i, k, j, got[j], v)
							}
						}
					}
					for _, v := range padded[0].Slice(0, i, i+1, 1).Slice(1, int(l), steps, 1).Contiguous().Float32s() {
						if v != 0 {
							t.Fatal("a step beyond the length is not zero")
						}
					}
				}
			})
		}
	}
}

func TestRecurrentErrors(t *testing.T) {
	for _, c := range []struct {
		layer nn.Layer
		shape []int
		want  string
	}{
		{nn.LSTM{}, []int{3, 4}, "LSTM lstm: needs Units"},
		{nn.GRU{Units: 2}, []int{3}, "GRU gru: takes an input of 3 dimensions"},
		{nn.LSTM{Units: 2, Bidirectional: true, Reverse: true}, []int{3, 4}, "not both"},
		{nn.RNN{Units: 2, Nonlinearity: "gelu"}, []int{3, 4}, `"gelu" is not one of tanh, relu`},
		{nn.LSTM{Units: 2, Layers: 2, Dropout: 1}, []int{3, 4}, "Dropout of 0 to less than 1"},
	} {
		if _, _, err := apply(c.layer, true, c.shape...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want one with %q", err, c.want)
		}
	}
}
