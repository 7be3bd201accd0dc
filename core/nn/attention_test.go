package nn_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/golden"
)

// goldenTensor makes a tensor of testdata/attention.py, times scale plus offset.
func goldenTensor(seed uint32, scale, offset float64, shape []int) *tensor.Tensor {
	return golden.Tensor(tensor.Float32, seed, shape, func(u float64) float64 { return (u*3-1.5)*scale + offset })
}

type goldenLayer func(c *nn.Context, x []*graph.Value) *graph.Value

func onFirst(l nn.Layer) goldenLayer {
	return func(c *nn.Context, x []*graph.Value) *graph.Value { return l.Apply(c, x[0]) }
}

func goldenTokens(c *nn.Context) *graph.Value {
	return c.G.Const(tensor.From([]int64{1, 0, 6, 2, 6, 6, 0, 5}, 2, 4))
}

func goldenLengths(c *nn.Context) *graph.Value { return c.G.Const(tensor.From([]int64{3, 4}, 2)) }

var goldenLayers = map[string]goldenLayer{
	"attention":        onFirst(nn.MultiHeadAttention{Heads: 2}),
	"attention causal": onFirst(nn.MultiHeadAttention{Heads: 2, Causal: true}),
	"attention padded": func(c *nn.Context, x []*graph.Value) *graph.Value {
		return nn.MultiHeadAttention{Heads: 2}.Run(c, x[0], nn.AttentionInput{Lengths: goldenLengths(c)})
	},
	"attention cross": func(c *nn.Context, x []*graph.Value) *graph.Value {
		return nn.MultiHeadAttention{Heads: 2}.Run(c, x[0], nn.AttentionInput{Key: x[1], Value: x[2], Lengths: goldenLengths(c)})
	},
	"attention grouped": onFirst(nn.MultiHeadAttention{Heads: 4, KVHeads: 2}),
	"attention rotary":  onFirst(nn.MultiHeadAttention{Heads: 2, Causal: true, Rotary: &nn.Rotary{}}),
	"encoder":           onFirst(nn.TransformerEncoderLayer{Heads: 2, Hidden: 12}),
	"encoder first":     onFirst(nn.TransformerEncoderLayer{Heads: 2, Hidden: 12, PreNorm: true, Causal: true, Activation: nn.Gelu}),
	"encoder padded": func(c *nn.Context, x []*graph.Value) *graph.Value {
		// The mask says the same as lengths.
		mask := tensor.New(tensor.Bool, 2, 1, 1, 4)
		copy(mask.Bytes(), []byte{1, 1, 1, 0, 1, 1, 1, 1})
		return nn.TransformerEncoderLayer{Heads: 2, Hidden: 12, PreNorm: true}.Run(c, x[0], nn.AttentionInput{Mask: c.G.Const(mask)})
	},
	"decoder": func(c *nn.Context, x []*graph.Value) *graph.Value {
		return nn.TransformerDecoderLayer{Heads: 2, Hidden: 12}.Run(c, x[0], nn.DecoderInput{Memory: x[1], Cross: nn.AttentionInput{Lengths: goldenLengths(c)}})
	},
	"decoder first": func(c *nn.Context, x []*graph.Value) *graph.Value {
		return nn.TransformerDecoderLayer{Heads: 2, Hidden: 12, PreNorm: true, Activation: nn.Gelu}.
			Run(c, x[0], nn.DecoderInput{Memory: x[1], Cross: nn.AttentionInput{Lengths: goldenLengths(c)}})
	},
	"layernorm": onFirst(nn.LayerNorm{}),
	"groupnorm": onFirst(nn.GroupNorm{Groups: 4}),
	"rmsnorm":   onFirst(nn.RMSNorm{}),
	"embedding": func(c *nn.Context, _ []*graph.Value) *graph.Value {
		return nn.Embedding{Vocab: 7, Dim: 3}.Apply(c, goldenTokens(c))
	},
	"embedding padded": func(c *nn.Context, _ []*graph.Value) *graph.Value {
		return nn.Embedding{Vocab: 7, Dim: 3, Padded: true, Padding: -1}.Apply(c, goldenTokens(c))
	},
	"sinusoids": onFirst(nn.PositionalEncoding{}),
}

// TestPyTorchLayers compares results and all gradients with PyTorch's in float64. Weights and inputs are rounded to float32, 6e-8 each, and a value goes through sums of at
// most some hundred products of numbers around 1; 2e-5 is about ten times what that gives.
func TestPyTorchLayers(t *testing.T) {
	var cases []struct {
		Name      string
		Shapes    [][]int
		Variables []string
		Shape     []int
		Y         []float64
		Grads     [][]float64
	}
	golden.Read(t, "attention", &cases)
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 2})
	defer rt.Close()
	for k, gold := range cases {
		t.Run(gold.Name, func(t *testing.T) {
			g := graph.New()
			c := nn.NewContext(g, nn.Options{Training: true})
			var x []*graph.Value
			var in []*tensor.Tensor
			for i, sh := range gold.Shapes {
				x = append(x, g.Input("x", tensor.Float32, sh...))
				in = append(in, goldenTensor(uint32(64*k+i), 1, 0, sh))
			}
			y := goldenLayers[gold.Name](c, x)
			store := graph.NewStore()
			wrt := slices.Clone(x)
			var names []string
			for i, v := range g.Vars {
				offset := 0.0
				if strings.HasSuffix(v.Name, "scale") {
					offset = 1
				}
				names = append(names, v.Name)
				wrt = append(wrt, v.Value)
				if err := store.Set(v.Name, goldenTensor(uint32(64*k+len(x)+i), 0.4, offset, v.Shape)); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(names, gold.Variables) {
				t.Fatalf("variables %v, want %v", names, gold.Variables)
			}
			w := g.Const(goldenTensor(uint32(64*k+63), 1, 0, gold.Shape))
			g.Outputs = append([]*graph.Value{y}, op.Gradients(op.ReduceSum(op.Mul(y, w), nil, false), wrt...)...)
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
			for _, got := range [][]*tensor.Tensor{interpreted, compiled} {
				if !tensor.SameShape(got[0].Shape(), gold.Shape) {
					t.Fatalf("shape %v, PyTorch's %v", got[0].Shape(), gold.Shape)
				}
				for o, want := range append([][]float64{gold.Y}, gold.Grads...) {
					what := "result"
					if o > len(x) {
						what = "gradient by " + names[o-1-len(x)]
					} else if o > 0 {
						what = "gradient by an input"
					}
					for i, v := range got[o].Float64s() {
						if d := math.Abs(v - want[i]); !(d <= 2e-5*(1+math.Abs(want[i]))) {
							t.Fatalf("%s: element %d is %v, PyTorch's %v", what, i, v, want[i])
						}
					}
				}
			}
		})
	}
}

// gpt is a small model of the kind that generates.
func gpt(pos nn.Layer, rotary *nn.Rotary) nn.Sequential {
	return nn.Sequential{
		nn.Embedding{Vocab: 11, Dim: 8}, pos,
		nn.TransformerEncoder{Layers: 2, Norm: true, Layer: nn.TransformerEncoderLayer{Heads: 4, PreNorm: true, Causal: true, Attention: nn.MultiHeadAttention{KVHeads: 2, Rotary: rotary}}},
		nn.Dense{Units: 11},
	}
}

// TestKVCache reads a sequence whole, and in pieces of three, one, one and two with a cache.
func TestKVCache(t *testing.T) {
	none := nn.Func(func(_ *nn.Context, x *graph.Value) *graph.Value { return x })
	for name, model := range map[string]nn.Sequential{
		"sinusoids": gpt(nn.PositionalEncoding{Max: 16}, nil),
		"learned":   gpt(nn.PositionalEncoding{Max: 16, Learned: true}, nil),
		"rotary":    gpt(none, &nn.Rotary{Max: 16}),
	} {
		t.Run(name, func(t *testing.T) {
			tokens := tensor.From([]int64{1, 5, 2, 9, 10, 0, 3, 4, 4, 8, 1, 7, 6, 2}, 2, 7)
			g := graph.New()
			g.Output(model.Apply(nn.NewContext(g, nn.Options{Seed: 3}), g.Input("x", tensor.Int64, 2, 7)))
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			whole, err := graph.Eval(g, store, []*tensor.Tensor{tokens}, nil)
			if err != nil {
				t.Fatal(err)
			}
			g = graph.New()
			c := nn.NewContext(g, nn.Options{Store: store})
			x := g.Input("x", tensor.Int64, g.Symbol("N"), g.Symbol("T"))
			c.Cache = nn.NewKVCache(c)
			g.Output(model.Apply(c, x))
			c.Cache.Finish()
			rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
			defer rt.Close()
			p, err := compile.Compile(rt, g, store, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			past := c.Cache.Empty(2)
			start := 0
			for _, n := range []int{3, 1, 1, 2} {
				in := append([]*tensor.Tensor{tokens.Slice(1, start, start+n, 1).Contiguous(), tensor.From([]int64{int64(start)}, 1)}, past...)
				out, err := p.Run(in...)
				if err != nil {
					t.Fatal(err)
				}
				for s := range 2 {
					for i := range n * 11 {
						got, want := out[0].Float32s()[s*n*11+i], whole[0].Float32s()[(s*7+start)*11+i]
						if math.Abs(float64(got-want)) > 1e-5 {
							t.Fatalf("from %d on: element %d of sample %d is %v, want %v", start, i, s, got, want)
						}
					}
				}
				past = past[:0]
				for _, o := range out[1:] {
					past = append(past, o.Clone())
				}
				start += n
			}
		})
	}
}

// An element that may look at nothing gets the bias, and no gradient is NaN.
func TestAttentionSeesNothing(t *testing.T) {
	for _, training := range []bool{false, true} { // with dropout
		g := graph.New()
		c := nn.NewContext(g, nn.Options{Seed: 1, Training: training})
		x := g.Input("x", tensor.Float32, 2, 3, 4)
		y := nn.MultiHeadAttention{Heads: 2, Dropout: 0.25, BiasInit: nn.Constant(0.5)}.Run(c, x, nn.AttentionInput{Lengths: g.Const(tensor.From([]int64{0, 2}, 2))})
		g.Outputs = append([]*graph.Value{y}, op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), append(g.TrainableVars(), x)...)...)
		store := graph.NewStore()
		if err := store.Init(g); err != nil {
			t.Fatal(err)
		}
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
		defer rt.Close()
		p, err := compile.Compile(rt, g, store, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		in := tensor.New(tensor.Float32, 2, 3, 4)
		rng := random.New(2, 0)
		rng.FillNormal(in.Float32s(), 0, 1)
		out, err := p.Run(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range out[0].Float32s()[:12] {
			if v != 0.5 {
				t.Errorf("element %d is %v, want the bias", i, v)
			}
		}
		for _, o := range out {
			for _, v := range o.Float32s() {
				if v != v {
					t.Fatal("a result or a gradient is NaN")
				}
			}
		}
		p.Close()
	}
}

func TestSequenceLayerMistakes(t *testing.T) {
	for _, c := range []struct {
		layer nn.Layer
		in    []int
		parts []string
	}{
		{nn.MultiHeadAttention{Name: "a"}, []int{5, 8}, []string{"MultiHeadAttention a", "Heads"}},
		{nn.MultiHeadAttention{Heads: 3}, []int{5, 8}, []string{"3 heads do not divide 8"}},
		{nn.MultiHeadAttention{Heads: 4, KVHeads: 3}, []int{5, 8}, []string{"KVHeads"}},
		{nn.MultiHeadAttention{Heads: 2}, []int{8}, []string{"3 dimensions"}},
		{nn.MultiHeadAttention{Heads: 2, Dropout: 1}, []int{5, 8}, []string{"Dropout"}},
		{nn.MultiHeadAttention{Heads: 2, Rotary: &nn.Rotary{Max: 4}}, []int{5, 8}, []string{"longer than"}},
		{nn.MultiHeadAttention{Heads: 2, Rotary: &nn.Rotary{Dim: 3}}, []int{5, 8}, []string{"even"}},
		{nn.PositionalEncoding{}, []int{graph.Unknown, 8}, []string{"Max"}},
		{nn.PositionalEncoding{Max: 3}, []int{5, 8}, []string{"longer than"}},
		{nn.GroupNorm{Groups: 3}, []int{8, 2}, []string{"3 groups do not divide 8"}},
		{nn.GroupNorm{Groups: 2}, []int{8}, []string{"three"}},
		{nn.Embedding{Vocab: 3, Dim: 2}, []int{4}, []string{"int64"}},
		{nn.Embedding{Dim: 2}, []int{4}, []string{"Vocab"}},
		{nn.Dense{Units: 4, Name: "fc"}, nil, []string{"Dense fc", "two or more dimensions"}},
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
