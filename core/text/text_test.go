package text_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/text"
)

const alphabet = "abcde\n"

// adder is a model with both kinds of state: the sum of everything read, and the last tokens' vectors, which grow.
type adder struct{ window int }

const width = 3

func (a adder) Context() int { return a.window }

func (a adder) Apply(c *nn.Context, tokens *graph.Value) *graph.Value { panic("not trained here") }

func (a adder) Continue(c *nn.Context, tokens *graph.Value) (*graph.Value, []text.State) {
	n := c.G.Symbol("N")
	total := c.G.Input("sum", tensor.Float32, n, width)
	start := c.G.Input("start", tensor.Int64, 1)
	past := c.G.Input("past", tensor.Float32, n, c.G.Symbol("P"), width)
	table := c.Param("table", nn.GlorotUniform, 6, width, 6, width)
	out := c.Param("out", nn.GlorotUniform, width, 6, width, 6)
	x := op.Gather(table, tokens, 0) // [N, T, width]
	all := op.Concat(1, past, x)
	sum := op.Add(total, op.ReduceSum(x, []int{1}, false))
	seen := op.ReduceSum(all, []int{1}, true) // only for the last token of a run: what the test reads
	count := op.Cast(start, tensor.Float32)
	seen = op.Add(seen, op.Mul(count, op.ConstLike(count, 0.01)))
	return op.MatMul(op.Tanh(op.Add(op.Add(x, seen), op.Unsqueeze(sum, 1))), out), []text.State{{In: total, Next: sum}, {In: past, Next: all}}
}

func generator(t *testing.T, window, n int, s text.Sampling) *text.Generator {
	t.Helper()
	v, err := text.ParseVocabulary(alphabet)
	if err != nil {
		t.Fatal(err)
	}
	g, err := text.InferenceGraph("adder", adder{window}, v, nn.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	// What a file holds is enough.
	b, err := onnx.Encode(g, store, onnx.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if g, err = onnx.Decode(b, onnx.DecodeOptions{Operators: op.Core}); err != nil {
		t.Fatal(err)
	}
	store = graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	t.Cleanup(rt.Close)
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gen, err := text.NewGenerator(p, n, s)
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

func write(t *testing.T, gen *text.Generator, n int) string {
	t.Helper()
	ids := make([]int64, n)
	for i := range ids {
		var err error
		if ids[i], err = gen.Next(); err != nil {
			t.Fatal(err)
		}
	}
	return gen.Vocabulary.Decode(ids)
}

// However a prompt is cut, the state after it is the same, also where the past is longer than the context.
func TestReadInPieces(t *testing.T) {
	const prompt = "abacadabeedceabdcabdcbebdcbadbcebadbcbadebcabdcbabdcbdabcbdabcbedabcbdeabcbdabcbdeabcebdabc\nabcbdabcbdabcb"
	want := ""
	for _, cut := range []int{len(prompt), 1, 7, 40} {
		gen := generator(t, 32, 1, text.Sampling{Seed: 5})
		for at := 0; at < len(prompt); at += cut {
			if err := gen.Read(prompt[at:min(at+cut, len(prompt))]); err != nil {
				t.Fatal(err)
			}
		}
		got := write(t, gen, 60)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("cut every %d characters: %q, in one piece %q", cut, got, want)
		}
		gen.Reset()
		if _, err := gen.Next(); err == nil || !strings.Contains(err.Error(), "nothing was read") {
			t.Errorf("a generator that was reset: %v", err)
		}
	}
}

func TestSampling(t *testing.T) {
	begin := func(s text.Sampling) string {
		gen := generator(t, 16, 1, s)
		if err := gen.Read("abc"); err != nil {
			t.Fatal(err)
		}
		return write(t, gen, 40)
	}
	a, b := begin(text.Sampling{Seed: 1}), begin(text.Sampling{Seed: 2})
	if again := begin(text.Sampling{Seed: 1, Temperature: 1}); a == b || a != again {
		t.Errorf("seeds 1, 1 and 2 write %q, %q and %q", a, again, b)
	}
	greedy := begin(text.Sampling{Greedy: true})
	for _, s := range []text.Sampling{{TopK: 1}, {TopP: 1e-9}, {Temperature: 1e-9}} {
		if got := begin(s); got != greedy {
			t.Errorf("%+v writes %q, the likeliest is %q", s, got, greedy)
		}
	}
	for _, s := range []text.Sampling{{Temperature: -1}, {Temperature: math.NaN()}, {TopK: -1}, {TopP: 1.5}, {TopP: math.NaN()}} {
		if _, err := text.NewGenerator(nil, 1, s); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
}

func TestScore(t *testing.T) {
	ids := []int64{0, 1, 2, 3, 4, 5, 0, 2, 1, 4, 3, 0, 1}
	// One sequence, token by token, against the score of the whole.
	gen := generator(t, 2, 1, text.Sampling{})
	s, err := gen.Score(context.Background(), ids)
	if err != nil || s.Tokens != len(ids)-1 || !(s.Loss > 0.5 && s.Loss < 5) || s.Accuracy < 0 || s.Accuracy > 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	// Two pieces side by side: the same as each alone.
	two := generator(t, 2, 2, text.Sampling{})
	both, err := two.Score(context.Background(), ids)
	if err != nil || both.Tokens != 10 {
		t.Fatalf("%+v, %v", both, err)
	}
	a, err1 := gen.Score(context.Background(), ids[:6])
	b, err2 := gen.Score(context.Background(), ids[6:12])
	if err1 != nil || err2 != nil || math.Abs((a.Loss+b.Loss)/2-both.Loss) > 1e-6 {
		t.Errorf("pieces %v and %v, side by side %v (%v, %v)", a, b, both, err1, err2)
	}
	for _, bad := range [][]int64{{1}, nil, {0, 6}, {0, -1, 2}} {
		if _, err := gen.Score(context.Background(), bad); err == nil {
			t.Errorf("%v is scored", bad)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := gen.Score(stopped, ids); err != context.Canceled {
		t.Errorf("a stopped score: %v", err)
	}
}

func TestVocabulary(t *testing.T) {
	v, err := text.NewVocabulary("hällo wörld\n")
	if err != nil || v.String() != "\n dhlorwäö" || v.Len() != 10 {
		t.Fatalf("%q, %v", v, err)
	}
	ids, err := v.Encode("wörld")
	if err != nil || v.Decode(ids) != "wörld" {
		t.Fatalf("%v, %v", ids, err)
	}
	if got := v.Decode([]int64{-1, 2, 10}); got != "\ufffdd\ufffd" {
		t.Errorf("tokens outside decode as %q", got)
	}
	for input, words := range map[string][]string{"häx": {"'x'", "byte 3"}, "h\xff": {"byte 1", "UTF-8"}} {
		if _, err := v.Encode(input); err == nil {
			t.Errorf("%q is encoded", input)
		} else {
			for _, w := range words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q: %v lacks %s", input, err, w)
				}
			}
		}
	}
	for _, bad := range []string{"", "a", "aaaa", "ab\xc3"} {
		if _, err := text.NewVocabulary(bad); err == nil {
			t.Errorf("%q has a vocabulary", bad)
		}
	}
	if _, err := text.ParseVocabulary("aba"); err == nil || !strings.Contains(err.Error(), "'a'") {
		t.Errorf("twice the same character: %v", err)
	}
}

// Graphs that are no language models, or broken ones, are refused with a reason.
func TestNoLanguageModel(t *testing.T) {
	v, _ := text.ParseVocabulary(alphabet)
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	breaks := map[string]func(g *graph.Graph){
		"no language model": func(g *graph.Graph) { g.Meta = nil },
		"weft.context":      func(g *graph.Graph) { g.Meta[2].Value = "-3" },
		"twice":             func(g *graph.Graph) { g.Meta[1].Value = "abcdea" },
		"logits":            func(g *graph.Graph) { g.Meta[1].Value = "abc" },
		"output 2":          func(g *graph.Graph) { g.Outputs = g.Outputs[:2] },
		"successor":         func(g *graph.Graph) { g.Outputs[1].Name = "other" },
		"no state":          func(g *graph.Graph) { g.Output(g.Outputs[0]) },
		"must be N":         func(g *graph.Graph) { g.Meta[2].Value = "0" },
		"tokens":            func(g *graph.Graph) { g.Inputs[0], g.Inputs[1] = g.Inputs[1], g.Inputs[0] },
	}
	for want, change := range breaks {
		g, err := text.InferenceGraph("adder", adder{8}, v, nn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		change(g)
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := text.NewGenerator(p, 1, text.Sampling{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestNextAllocatesNothing: once every length of the past was there, a token takes no memory.
func TestNextAllocatesNothing(t *testing.T) {
	g := generator(t, 16, 1, text.Sampling{Seed: 3, Temperature: 0.9})
	if err := g.Read("abc"); err != nil {
		t.Fatal(err)
	}
	next := func() {
		if _, err := g.Next(); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		next()
	}
	if n := testing.AllocsPerRun(200, next); n != 0 {
		t.Errorf("%v allocations a token", n)
	}
}
