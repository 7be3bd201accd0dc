package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"strconv"
	"unicode/utf8"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/text"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
	"github.com/weft-ml/weft/simd"
)

// textLesson teaches a language model the characters of a text.
type textLesson struct {
	model  models.LanguageModel
	net    text.Model
	vocab  *text.Vocabulary
	val    []int64 // the end of the text
	chars  int     // of the training part
	window int
}

// maxText bounds a text file: its tokens take eight times as much.
const maxText = 256 << 20

// scoreStreams is how many pieces of the validation text are read side by side.
const scoreStreams = 16

// readText reads a text file.
func readText(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	if st.IsDir() {
		return "", fmt.Errorf("--data %s is a folder; models of text read one text file", path)
	}
	if st.Size() > maxText {
		return "", fmt.Errorf("--data %s has %d bytes, more than the %d that fit; cut it", path, st.Size(), maxText)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--data: %w", err)
	}
	return string(b), nil
}

// splitText cuts off the last part of a text, between two characters.
func splitText(s string, part float64) (train, val string) {
	at := len(s) - int(math.Round(part*float64(len(s))))
	for at < len(s) && !utf8.RuneStart(s[at]) {
		at++
	}
	return s[:at], s[at:]
}

func (l *textLesson) open(r *trainRun) (setup train.Setup, err error) {
	f := &r.f
	if f.data.path == "" {
		return setup, usagef("%s learns from a text: name a file with --data", f.name)
	}
	if f.window < 1 {
		return setup, usagef("--window must be at least 1")
	}
	whole, err := readText(f.data.path)
	if err != nil {
		return setup, err
	}
	if l.vocab, err = text.NewVocabulary(whole); err != nil {
		return setup, fmt.Errorf("--data %s: %w", f.data.path, err)
	}
	first, last := splitText(whole, f.valSplit)
	ids, err := l.vocab.Encode(first)
	if err != nil {
		return setup, err
	}
	if l.val, err = l.vocab.Encode(last); err != nil {
		return setup, err
	}
	if f.valSplit > 0 && len(l.val) < 2*scoreStreams {
		return setup, fmt.Errorf("--data %s: the part of the text for validation has %d characters, too few; use a longer text or a larger --val-split", f.data.path, len(l.val))
	}
	l.chars, l.window = len(ids), f.window
	r.data = fmt.Sprintf("text of %d characters, %08x", len(ids)+len(l.val), crc32.ChecksumIEEE([]byte(whole)))
	if r.feed, err = train.NewTokenFeed(ids, f.window, data.Options{BatchSize: f.batch, Seed: f.seed}); err != nil {
		return setup, fmt.Errorf("--data %s: %w", f.data.path, err)
	}
	l.net = l.model.New(l.vocab.Len(), f.window)
	setup.Net = train.Network{Name: f.name, Inputs: []train.Input{{Name: "tokens", DType: tensor.Int64, Shape: []int{f.window}}}, Outputs: []string{"logits"},
		Apply: func(c *nn.Context, in []*graph.Value) []*graph.Value { return []*graph.Value{l.net.Apply(c, in[0])} }}
	setup.Objectives = []train.Objective{{Loss: loss.Spec{Name: loss.SparseCategorical, FromLogits: true, LabelSmoothing: f.smoothing}, Metrics: []string{train.MetricAccuracy}}}
	return setup, nil
}

func (l *textLesson) size() string {
	return fmt.Sprintf("%d characters to learn from, %d to validate on, %d different ones", l.chars, len(l.val), l.vocab.Len())
}

func (l *textLesson) samples() string {
	return fmt.Sprintf("windows of %d of %d different characters", l.window, l.vocab.Len())
}

func (l *textLesson) unit() string { return "characters" }

func (l *textLesson) export(r *trainRun) (*graph.Graph, *graph.Store, error) {
	g, err := text.InferenceGraph(r.f.name, l.net, l.vocab, nn.Options{Seed: r.f.seed, Store: r.trainer.Store()})
	if err != nil {
		return nil, nil, err
	}
	store, err := r.trainer.Weights(g)
	return g, store, err
}

func (l *textLesson) validates() bool { return len(l.val) > 0 }

func (l *textLesson) validate(ctx context.Context, rt *compile.Runtime, g *graph.Graph, store *graph.Store) (train.Point, error) {
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return train.Point{}, err
	}
	defer p.Close()
	gen, err := text.NewGenerator(p, scoreStreams, text.Sampling{})
	if err != nil {
		return train.Point{}, err
	}
	s, err := gen.Score(ctx, l.val)
	return train.Point{Loss: s.Loss, Accuracy: s.Accuracy}, err
}

func (l *textLesson) score(p train.Point) float64 { return -p.Loss }

func (l *textLesson) judged(p train.Point) graph.MetaEntry {
	return graph.MetaEntry{Key: "weft.validation_loss", Value: strconv.FormatFloat(p.Loss, 'g', 6, 64)}
}

func (l *textLesson) describe(p train.Point) string {
	return fmt.Sprintf("validation loss %.4f nats/character (%.3f bits)", p.Loss, p.Loss/math.Ln2)
}

// textResult is what --json prints.
type textResult struct {
	Model               string   `json:"model"`
	Data                string   `json:"data"`
	Parameters          int      `json:"parameters"`
	Vocabulary          int      `json:"vocabulary"`
	Epochs              int      `json:"epochs"`
	StartStep           int      `json:"start_step"`
	Steps               int      `json:"steps"`
	Seconds             float64  `json:"seconds"`
	CharactersPerSecond float64  `json:"characters_per_second"`
	ValLoss             *float64 `json:"validation_loss,omitempty"`
	BestLoss            *float64 `json:"best_validation_loss,omitempty"`
	Sample              string   `json:"sample"`
	Out                 string   `json:"out"`
	Best                string   `json:"best,omitempty"`
	Plot                string   `json:"plot,omitempty"`
	Kernels             string   `json:"kernels"`
	Numerics            string   `json:"numerics"`
	Threads             int      `json:"threads"`
}

// sampleLength is how many characters a finished run shows of what it has learnt.
const sampleLength = 300

// finish writes the model, shows a sample, and reports. The last validation was of the final weights.
func (l *textLesson) finish(ctx context.Context, r *trainRun, rt *compile.Runtime, g *graph.Graph, store *graph.Store) error {
	v := r.trainer.History.Validation
	var entries []graph.MetaEntry
	if len(v) > 0 {
		entries = append(entries, l.judged(v[len(v)-1]))
	}
	if err := r.writeModel(r.f.out, g, store, entries); err != nil {
		return err
	}
	if r.f.plot != "" {
		svg, err := plotRun(fmt.Sprintf("%s, %d epochs", r.f.name, r.f.epochs), &r.trainer.History, nil, nil)
		if err != nil {
			return err
		}
		if err := writeFile(r.f.plot, svg); err != nil {
			return err
		}
	}
	if err := r.save(); err != nil {
		return err
	}
	sample, err := l.sample(ctx, rt, g, store, r.f.seed)
	if err != nil {
		return err
	}
	out := textResult{Model: r.f.name, Data: r.data, Parameters: r.trainer.Parameters(), Vocabulary: l.vocab.Len(), Epochs: r.f.epochs, StartStep: r.start, Steps: r.steps,
		Seconds: r.busy.Seconds(), Sample: sample, Out: r.f.out, Plot: r.f.plot, Kernels: simd.Current().Name, Numerics: simd.Current().Class.String(), Threads: r.threads()}
	if r.busy > 0 {
		out.CharactersPerSecond = float64(r.answers) / r.busy.Seconds()
	}
	if len(v) > 0 {
		best := v[0].Loss
		for _, p := range v {
			best = min(best, p.Loss)
		}
		out.ValLoss, out.BestLoss, out.Best = &v[len(v)-1].Loss, &best, bestPath(r.f.out)
	}
	if r.c.json {
		r.c.printJSON(out)
		return nil
	}
	fmt.Fprintf(r.c.stdout, "%s\n\n", sample)
	if len(v) > 0 {
		fmt.Fprintf(r.c.stdout, "%s, best %.4f (%s)\n", l.describe(v[len(v)-1]), *out.BestLoss, out.Best)
	}
	if r.answers > 0 {
		fmt.Fprintf(r.c.stdout, "%d steps in %.1f s, %.0f characters/s\n", r.steps-r.start, out.Seconds, out.CharactersPerSecond)
	}
	fmt.Fprintf(r.c.stdout, "wrote %s\n", r.f.out)
	return nil
}

// sample writes some characters, after a line break where the text has any, as a text begins.
func (l *textLesson) sample(ctx context.Context, rt *compile.Runtime, g *graph.Graph, store *graph.Store, seed uint64) (string, error) {
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return "", err
	}
	defer p.Close()
	gen, err := text.NewGenerator(p, 1, text.Sampling{Temperature: 0.8, Seed: seed})
	if err != nil {
		return "", err
	}
	first := []int64{0}
	if id, err := l.vocab.Encode("\n"); err == nil {
		first = id
	}
	if err := gen.ReadTokens(first); err != nil {
		return "", err
	}
	ids := make([]int64, sampleLength)
	for i := range ids {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if ids[i], err = gen.Next(); err != nil {
			return "", err
		}
	}
	return l.vocab.Decode(ids), nil
}
