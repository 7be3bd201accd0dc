package models_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/text"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
	"github.com/weft-ml/weft/models/chargpt"
	"github.com/weft-ml/weft/models/charlstm"
)

// rhyme is a text that can be learned to the letter.
var rhyme = strings.Repeat("the cat sat on the mat, the rat ran at the cat. ", 40)

// small returns the language models in sizes for tests.
func small(vocabulary, window int) map[string]text.Model {
	return map[string]text.Model{
		"char-lstm": charlstm.Model{Config: charlstm.Config{Vocabulary: vocabulary, Embedding: 16, Units: 32, Layers: 2}},
		"char-gpt":  chargpt.Model{Config: chargpt.Config{Vocabulary: vocabulary, Window: window, Width: 32, Layers: 2, Heads: 2}},
	}
}

// taught trains a model on the rhyme and returns its file.
func taught(t *testing.T, m text.Model, v *text.Vocabulary, window, epochs, threads int) []byte {
	t.Helper()
	ids, err := v.Encode(rhyme)
	if err != nil {
		t.Fatal(err)
	}
	feed, err := train.NewTokenFeed(ids, window, data.Options{BatchSize: 8, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	defer rt.Close()
	net := train.Network{Name: "test", Inputs: []train.Input{{Name: "tokens", DType: tensor.Int64, Shape: []int{window}}},
		Apply: func(c *nn.Context, in []*graph.Value) []*graph.Value { return []*graph.Value{m.Apply(c, in[0])} }}
	tr, err := train.NewTrainer(rt, train.Setup{Net: net, Objectives: []train.Objective{{Loss: loss.Spec{Name: loss.SparseCategorical, FromLogits: true}}}, Seed: 1,
		Optimizer: optim.Adam{}, LearningRate: 1e-2, Steps: epochs * feed.Steps(), Update: optim.Options{ClipNorm: 1}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for range epochs * feed.Steps() {
		b, err := feed.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := tr.StepBatch(b); err != nil {
			t.Fatal(err)
		}
	}
	g, err := text.InferenceGraph("test", m, v, nn.Options{Store: tr.Store()})
	if err != nil {
		t.Fatal(err)
	}
	store, err := tr.Weights(g)
	if err != nil {
		t.Fatal(err)
	}
	file, err := onnx.Encode(g, store, onnx.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func writer(t *testing.T, file []byte, sequences int, s text.Sampling) *text.Generator {
	t.Helper()
	g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Core})
	if err != nil {
		t.Fatal(err)
	}
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	t.Cleanup(rt.Close)
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	gen, err := text.NewGenerator(p, sequences, s)
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

// TestLanguageModelsLearn: a model that has read the rhyme goes on with it from its file, across the end of its context, and its score says so.
func TestLanguageModelsLearn(t *testing.T) {
	v, err := text.NewVocabulary(rhyme)
	if err != nil {
		t.Fatal(err)
	}
	const window = 40
	for name, m := range small(v.Len(), window) {
		t.Run(name, func(t *testing.T) {
			epochs := 40
			file := taught(t, m, v, window, epochs, 1)
			if other := taught(t, m, v, window, 1, 2); !bytes.Equal(other, taught(t, m, v, window, 1, 1)) {
				t.Error("the number of threads changes the model")
			}
			gen := writer(t, file, 1, text.Sampling{Greedy: true})
			const prompt = "the cat sat on the mat, "
			if err := gen.Read(prompt); err != nil {
				t.Fatal(err)
			}
			got := make([]int64, 70)
			for i := range got {
				if got[i], err = gen.Next(); err != nil {
					t.Fatal(err)
				}
			}
			if want := rhyme[len(prompt):][:len(got)]; v.Decode(got) != want {
				t.Errorf("goes on %q, want %q", v.Decode(got), want)
			}
			ids, _ := v.Encode(rhyme[:400])
			score, err := writer(t, file, 4, text.Sampling{}).Score(context.Background(), ids)
			if err != nil || !(score.Loss < 0.3) {
				t.Errorf("%+v, %v", score, err)
			}
		})
	}
}

// TestContinueEqualsApply: logits of a sequence read token by token through the state are those of the whole.
func TestContinueEqualsApply(t *testing.T) {
	v, err := text.NewVocabulary(rhyme)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	ids, _ := v.Encode(rhyme[:n+1])
	for name, m := range small(v.Len(), n) {
		t.Run(name, func(t *testing.T) {
			rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
			defer rt.Close()
			g := graph.New()
			logits := m.Apply(nn.NewContext(g, nn.Options{Seed: 9}), g.Input("tokens", tensor.Int64, 1, n))
			g.Output(loss.Spec{Name: loss.SparseCategorical, FromLogits: true}.Apply(logits, g.Input("next", tensor.Int64, 1, n)))
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			p, err := compile.Compile(rt, g, store, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			out, err := p.Run(tensor.From(ids[:n], 1, n), tensor.From(ids[1:], 1, n))
			if err != nil {
				t.Fatal(err)
			}
			whole := out[0].Float64s()[0]

			ig, err := text.InferenceGraph("test", m, v, nn.Options{Seed: 9})
			if err != nil {
				t.Fatal(err)
			}
			file, err := onnx.Encode(ig, store, onnx.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			score, err := writer(t, file, 1, text.Sampling{}).Score(context.Background(), ids)
			if d := score.Loss - whole; err != nil || d > 1e-5 || d < -1e-5 {
				t.Errorf("through the state %v, as a whole %v (%v)", score.Loss, whole, err)
			}
		})
	}
}

func TestLanguageNames(t *testing.T) {
	for _, m := range models.Languages() {
		if got, ok := models.Language(m.Name); !ok || got.Doc != m.Doc || m.Recipe.Window < 2 {
			t.Errorf("%s: %+v", m.Name, m.Recipe)
		}
		if _, err := models.Get(m.Name); err == nil {
			t.Errorf("%s is a model of images too", m.Name)
		}
	}
	if _, ok := models.Language("lenet"); ok {
		t.Error("lenet reads texts")
	}
}
