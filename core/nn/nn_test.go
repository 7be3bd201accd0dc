package nn_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// apply builds a layer on an input with a symbolic batch.
func apply(l nn.Layer, training bool, shape ...int) (g *graph.Graph, y *graph.Value, err error) {
	defer tensor.Catch(&err)
	g = graph.New()
	c := nn.NewContext(g, nn.Options{Training: training, Seed: 1})
	y = l.Apply(c, g.Input("x", tensor.Float32, append([]int{g.Symbol("N")}, shape...)...))
	g.Output(y)
	return g, y, nil
}

// eval runs the graph on n normal samples.
func eval(t *testing.T, g *graph.Graph, store *graph.Store, n int, shape ...int) (x, y *tensor.Tensor) {
	t.Helper()
	x = tensor.New(tensor.Float32, append([]int{n}, shape...)...)
	rng := random.New(2, 0)
	rng.FillNormal(x.Float32s(), 0.5, 2)
	if store == nil {
		store = graph.NewStore()
	}
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	out, err := graph.Eval(g, store, []*tensor.Tensor{x}, &graph.EvalOptions{Rand: graph.RandState{Seed: 4}})
	if err != nil {
		t.Fatal(err)
	}
	return x, out[0]
}

func TestShapesAndVariables(t *testing.T) {
	for _, c := range []struct {
		name  string
		layer nn.Layer
		in    []int
		out   []int
		vars  string
	}{
		{"Dense", nn.Dense{Units: 4}, []int{3}, []int{4}, "dense.weight[4 3] dense.bias[4]"},
		{"Dense without bias", nn.Dense{Units: 4, NoBias: true, Name: "d"}, []int{3}, []int{4}, "d.weight[4 3]"},
		{"Dense over sequences", nn.Dense{Units: 4}, []int{5, 3}, []int{5, 4}, "dense.weight[4 3] dense.bias[4]"},
		{"Conv2D", nn.Conv2D{Filters: 6, Kernel: 5}, []int{1, 28, 28}, []int{6, 24, 24}, "conv2d.weight[6 1 5 5] conv2d.bias[6]"},
		{"Conv2D same", nn.Conv2D{Filters: 4, Kernel: 3, Same: true, Stride: 2, NoBias: true}, []int{2, 9, 8}, []int{4, 5, 4}, "conv2d.weight[4 2 3 3]"},
		{"Conv2D of everything", nn.Conv2D{Filters: 4, Kernel: 3, KernelW: 5, Stride: 2, StrideW: 1, Dilation: 1, DilationW: 2, Groups: 2, Pads: []int{1, 4, 1, 4}, NoBias: true},
			[]int{6, 9, 11}, []int{4, 5, 11}, "conv2d.weight[4 3 3 5]"},
		{"Conv1D", nn.Conv1D{Filters: 3, Kernel: 4, Stride: 2, Dilation: 2, Pads: []int{1, 2}}, []int{2, 20}, []int{3, 9}, "conv1d.weight[3 2 4] conv1d.bias[3]"},
		{"MaxPool2D", nn.MaxPool2D{Size: 2}, []int{3, 9, 8}, []int{3, 4, 4}, ""},
		{"MaxPool2D of everything", nn.MaxPool2D{Size: 3, SizeW: 2, Stride: 2, StrideW: 1, Same: true}, []int{3, 9, 8}, []int{3, 5, 8}, ""},
		{"AveragePool2D", nn.AveragePool2D{Size: 2, SizeW: 4}, []int{3, 8, 8}, []int{3, 4, 2}, ""},
		{"MaxPool1D", nn.MaxPool1D{Size: 3, Stride: 2, Same: true}, []int{3, 9}, []int{3, 5}, ""},
		{"AveragePool1D", nn.AveragePool1D{Size: 3}, []int{3, 9}, []int{3, 3}, ""},
		{"GlobalAveragePool", nn.GlobalAveragePool{}, []int{3, 9, 7}, []int{3}, ""},
		{"GlobalMaxPool", nn.GlobalMaxPool{}, []int{3, 9}, []int{3}, ""},
		{"Flatten", nn.Flatten{}, []int{3, 4, 5}, []int{60}, ""},
		{"Reshape", nn.Reshape{2, -1}, []int{3, 4}, []int{2, 6}, ""},
		{"BatchNorm", nn.BatchNorm{}, []int{3, 4}, []int{3, 4}, "batchnorm.scale[3] batchnorm.bias[3] batchnorm.mean[3] batchnorm.var[3]"},
		{"LayerNorm", nn.LayerNorm{}, []int{3, 4}, []int{3, 4}, "layernorm.scale[4] layernorm.bias[4]"},
		{"LayerNorm without bias", nn.LayerNorm{NoBias: true, Name: "n"}, []int{4}, []int{4}, "n.scale[4]"},
		{"LSTM", nn.LSTM{Units: 5, Layers: 2, Dropout: 0.5}, []int{7, 3}, []int{7, 5},
			"lstm.weight_ih_l0[1 20 3] lstm.weight_hh_l0[1 20 5] lstm.bias_l0[1 40] lstm.weight_ih_l1[1 20 5] lstm.weight_hh_l1[1 20 5] lstm.bias_l1[1 40]"},
		{"GRU", nn.GRU{Units: 2, Bidirectional: true, Name: "g"}, []int{7, 3}, []int{7, 4}, "g.weight_ih_l0[2 6 3] g.weight_hh_l0[2 6 2] g.bias_l0[2 12]"},
		{"RNN", nn.RNN{Units: 2, NoBias: true}, []int{7, 3}, []int{7, 2}, "rnn.weight_ih_l0[1 2 3] rnn.weight_hh_l0[1 2 2]"},
		{"PRelu", nn.PRelu{}, []int{3, 4, 5}, []int{3, 4, 5}, "prelu.slope[3 1 1]"},
		{"PRelu of vectors", nn.PRelu{}, []int{3}, []int{3}, "prelu.slope[3]"},
		{"Dropout", nn.Dropout{Rate: 0.5}, []int{3}, []int{3}, ""},
		{"Residual", nn.Residual{nn.Dense{Units: 3}, nn.Relu}, []int{3}, []int{3}, "dense.weight[3 3] dense.bias[3]"},
		{"names", nn.Sequential{nn.Dense{Units: 2, NoBias: true}, nn.Dense{Units: 1, NoBias: true}, nn.Dense{Units: 1, NoBias: true, Name: "last"}}, []int{3}, []int{1},
			"dense.weight[2 3] dense_1.weight[1 2] last.weight[1 1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, training := range []bool{false, true} {
				g, y, err := apply(c.layer, training, c.in...)
				if err != nil {
					t.Fatal(err)
				}
				var vars []string
				for _, v := range g.Vars {
					vars = append(vars, v.Name+tensor.ShapeString(v.Shape))
				}
				if got := strings.Join(vars, " "); got != c.vars {
					t.Errorf("variables %q, want %q", got, c.vars)
				}
				if y.HasRank && len(y.Shape) > 1 && !slices.Equal(y.Shape[1:], c.out) {
					t.Errorf("inferred %v, want %v", y.Shape, c.out)
				}
				if _, out := eval(t, g, nil, 5, c.in...); !slices.Equal(out.Shape(), append([]int{5}, c.out...)) {
					t.Errorf("the result is %v, want [5] and %v", out.Shape(), c.out)
				}
			}
		})
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		layer nn.Layer
		in    []int
		parts []string
	}{
		{nn.Dense{}, []int{3}, []string{"Units"}},
		{nn.Dense{Units: 3}, []int{graph.Unknown}, []string{"must be known"}},
		{nn.Conv2D{Filters: 2, Kernel: 3}, []int{3}, []string{"Conv2D conv2d", "4 dimensions"}},
		{nn.Conv2D{Kernel: 3}, []int{1, 8, 8}, []string{"Filters"}},
		{nn.Conv2D{Filters: 2, Kernel: 9}, []int{1, 8, 8}, []string{"9"}},
		{nn.Conv2D{Filters: 3, Kernel: 3, Groups: 2}, []int{2, 8, 8}, []string{"groups"}},
		{nn.Conv2D{Filters: 3, Kernel: 3, Pads: []int{1, 1}}, []int{2, 8, 8}, []string{"Pads"}},
		{nn.Conv2D{Filters: 3, Kernel: 3, Same: true, Pads: []int{1, 1, 1, 1}}, []int{2, 8, 8}, []string{"Same"}},
		{nn.MaxPool2D{}, []int{2, 8, 8}, []string{"Size"}},
		{nn.AveragePool1D{}, []int{2, 8}, []string{"Size"}},
		{nn.Dropout{Rate: 1}, []int{2}, []string{"Rate"}},
		{nn.BatchNorm{}, nil, []string{"BatchNorm"}},
		{nn.Residual{nn.Dense{Units: 4}}, []int{3}, []string{"[? 3]", "[? 4]"}},
		{nn.Sequential{nn.Dense{Units: 4, Name: "a"}, nn.Dense{Units: 4, Name: "a"}}, []int{3}, []string{`"a"`, "another name"}},
	} {
		_, _, err := apply(c.layer, true, c.in...)
		if err == nil {
			t.Errorf("%#v on %v: no error", c.layer, c.in)
			continue
		}
		for _, p := range c.parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("%#v on %v: %q lacks %q", c.layer, c.in, err, p)
			}
		}
	}
}

// Initial weights depend on the seed and the name, not on the other layers.
func TestWeightsDependOnNames(t *testing.T) {
	weights := func(seed uint64, l nn.Layer) []float32 {
		g := graph.New()
		l.Apply(nn.NewContext(g, nn.Options{Seed: seed}), g.Input("x", tensor.Float32, 1, 8))
		for _, v := range g.Vars {
			if v.Name == "same.weight" {
				return v.Init.Float32s()
			}
		}
		return nil
	}
	same := nn.Dense{Units: 8, Name: "same"}
	a := weights(1, same)
	if b := weights(1, nn.Sequential{nn.Dense{Units: 8, Name: "other"}, same}); !slices.Equal(a, b) {
		t.Error("another layer changes the initial weights")
	}
	if b := weights(2, same); slices.Equal(a, b) {
		t.Error("another seed gives the same weights")
	}
}

func TestDropout(t *testing.T) {
	const rate = 0.3
	g, _, err := apply(nn.Dropout{Rate: rate}, true, 1000)
	if err != nil {
		t.Fatal(err)
	}
	x, y := eval(t, g, nil, 20, 1000)
	dropped := 0
	for i, v := range y.Float32s() {
		if v == 0 {
			dropped++
		} else if want := x.Float32s()[i] / (1 - rate); math.Abs(float64(v-want)) > 1e-5 {
			t.Fatalf("element %d is %v, want %v", i, v, want)
		}
	}
	if share := float64(dropped) / 20000; math.Abs(share-rate) > 0.02 {
		t.Errorf("%v of the elements are dropped", share)
	}
	g, _, err = apply(nn.Dropout{Rate: rate}, false, 10)
	if err != nil || len(g.Nodes) != 0 {
		t.Errorf("evaluation has %d nodes, %v", len(g.Nodes), err)
	}
}

// Training normalises with the batch and moves the running statistics; evaluation uses them.
func TestBatchNorm(t *testing.T) {
	const n, ch = 50, 3
	l := nn.BatchNorm{Momentum: 0.75, Epsilon: 1e-5}
	g, _, err := apply(l, true, ch)
	if err != nil {
		t.Fatal(err)
	}
	store := graph.NewStore()
	x, y := eval(t, g, store, n, ch)
	e, _, err := apply(l, false, ch)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Updates) != 0 {
		t.Error("evaluation changes variables")
	}
	_, z := eval(t, e, store, n, ch)
	for c := range ch {
		mean, variance := 0.0, 0.0
		for i := range n {
			mean += float64(x.Float32s()[i*ch+c]) / n
		}
		for i := range n {
			d := float64(x.Float32s()[i*ch+c]) - mean
			variance += d * d / n
		}
		runMean, runVar := 0.25*mean, 0.75+0.25*variance
		if m, v := store.Get("batchnorm.mean").Float32s()[c], store.Get("batchnorm.var").Float32s()[c]; math.Abs(float64(m)-runMean) > 1e-5 || math.Abs(float64(v)-runVar) > 1e-4 {
			t.Errorf("channel %d: running mean %v and variance %v, want %v and %v", c, m, v, runMean, runVar)
		}
		for i := range n {
			v := float64(x.Float32s()[i*ch+c])
			if want := (v - mean) / math.Sqrt(variance+1e-5); math.Abs(float64(y.Float32s()[i*ch+c])-want) > 1e-4 {
				t.Fatalf("training: %v, want %v", y.Float32s()[i*ch+c], want)
			}
			if want := (v - runMean) / math.Sqrt(runVar+1e-5); math.Abs(float64(z.Float32s()[i*ch+c])-want) > 1e-4 {
				t.Fatalf("evaluation: %v, want %v", z.Float32s()[i*ch+c], want)
			}
		}
	}
}

func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	elu := func(alpha float64) func(float64) float64 {
		return func(x float64) float64 {
			if x > 0 {
				return x
			}
			return alpha * math.Expm1(x)
		}
	}
	for _, c := range []struct {
		name string
		act  nn.Activation
		f    func(x float64) float64
	}{
		{"Relu", nn.Relu, func(x float64) float64 { return max(x, 0) }},
		{"Sigmoid", nn.Sigmoid, sigmoid},
		{"Tanh", nn.Tanh, math.Tanh},
		{"Softplus", nn.Softplus, func(x float64) float64 { return math.Log1p(math.Exp(x)) }},
		{"Softsign", nn.Softsign, func(x float64) float64 { return x / (1 + math.Abs(x)) }},
		{"HardSwish", nn.HardSwish, func(x float64) float64 { return x * max(0, min(1, x/6+0.5)) }},
		{"Mish", nn.Mish, func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }},
		{"Selu", nn.Selu, func(x float64) float64 { return 1.0507009873554805 * elu(1.6732632423543772)(x) }},
		{"Gelu", nn.Gelu, func(x float64) float64 { return x * 0.5 * (1 + math.Erf(x/math.Sqrt2)) }},
		{"LeakyRelu", nn.LeakyRelu(0.1), func(x float64) float64 { return max(x, 0.1*x) }},
		{"Elu", nn.Elu(0.5), elu(0.5)},
	} {
		g, _, err := apply(c.act, false, 40)
		if err != nil {
			t.Fatal(err)
		}
		x, y := eval(t, g, nil, 5, 40)
		for i, v := range x.Float32s() {
			if want := c.f(float64(v)); math.Abs(float64(y.Float32s()[i])-want) > 2e-6*max(1, math.Abs(want)) {
				t.Errorf("%s(%v) = %v, want %v", c.name, v, y.Float32s()[i], want)
				break
			}
		}
	}
	g, _, err := apply(nn.Activation(nn.Softmax), false, 7)
	if err != nil {
		t.Fatal(err)
	}
	_, y := eval(t, g, nil, 3, 7)
	for i := range 3 {
		sum := float32(0)
		for _, v := range y.Float32s()[i*7 : i*7+7] {
			sum += v
		}
		if math.Abs(float64(sum)-1) > 1e-6 {
			t.Errorf("a row of Softmax sums to %v", sum)
		}
	}
}

// The graph of a small network; layers name their variables themselves.
func ExampleSequential() {
	model := nn.Sequential{
		nn.Conv2D{Filters: 6, Kernel: 5, Activation: nn.Relu},
		nn.MaxPool2D{Size: 2},
		nn.Flatten{},
		nn.Dense{Units: 10, Name: "classes"},
	}
	g := graph.New()
	logits := model.Apply(nn.NewContext(g, nn.Options{Seed: 1}), g.Input("x", tensor.Float32, g.Symbol("N"), 1, 28, 28))
	fmt.Println(g.ShapeString(logits.Shape))
	for _, v := range g.Vars {
		fmt.Println(v.Name, v.Shape)
	}
	// Output:
	// [N 10]
	// conv2d.weight [6 1 5 5]
	// conv2d.bias [6]
	// classes.weight [10 864]
	// classes.bias [10]
}
