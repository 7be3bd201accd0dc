package train_test

import (
	"bytes"
	"context"
	"hash/crc32"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/safetensors"
	"github.com/weft-ml/weft/core/train"
)

// blobs returns samples of three classes around three points.
func blobs(t testing.TB, n int, seed uint64) *data.Memory {
	t.Helper()
	rng := random.New(seed, 0)
	var x []float32
	var y []int64
	for i := range n {
		c := i % 3
		x = append(x, float32(2*math.Cos(2*float64(c))+0.4*rng.Normal()), float32(2*math.Sin(2*float64(c))+0.4*rng.Normal()))
		y = append(y, int64(c))
	}
	m, err := data.NewMemory(data.Spec{Shape: []int{2}, Classes: 3}, x, y, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func network() nn.Layer {
	return nn.Sequential{
		nn.Dense{Units: 16, Activation: nn.Relu, Name: "hidden"},
		nn.BatchNorm{Name: "norm"},
		nn.Dropout{Rate: 0.1},
		nn.Dense{Units: 3, Name: "out"},
	}
}

func config(steps int) train.Config {
	return train.Config{Name: "blobs", Model: network(), Spec: data.Spec{Shape: []int{2}, Classes: 3}, Seed: 5, Optimizer: optim.Adam{}, LearningRate: 0.02,
		Schedule: optim.Cosine{}, Steps: steps}
}

func runtime(t testing.TB) *compile.Runtime {
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	t.Cleanup(rt.Close)
	return rt
}

func newTrainer(t testing.TB, cfg train.Config) *train.Trainer {
	t.Helper()
	tr, err := train.New(runtime(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

func newLoader(t testing.TB, src data.Source) *data.Loader {
	t.Helper()
	l, err := data.NewLoader(src, data.Options{BatchSize: 20, Shuffle: true, Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func steps(t testing.TB, tr *train.Trainer, l *data.Loader, n int) {
	t.Helper()
	for range n {
		b, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTrainingLearns(t *testing.T) {
	tr := newTrainer(t, config(200))
	if n := tr.Parameters(); n != 2*16+16+2*16+16*3+3 {
		t.Errorf("%d parameters", n)
	}
	test := blobs(t, 300, 2)
	before, err := tr.Evaluate(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	steps(t, tr, newLoader(t, blobs(t, 310, 1)), 200)
	after, err := tr.Evaluate(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	if a := after.Confusion.Accuracy(); a < 0.97 || after.Loss > 0.2 || after.Loss > before.Loss {
		t.Errorf("accuracy %v, loss %v (before: %v)", a, after.Loss, before.Loss)
	}
	if len(after.Wrong) != 300-int(math.Round(after.Confusion.Accuracy()*300)) {
		t.Errorf("%d samples are listed as wrong, the accuracy is %v", len(after.Wrong), after.Confusion.Accuracy())
	}
	if tr.StepsDone() != 200 || tr.LearningRate() > 1e-12 {
		t.Errorf("%d steps, learning rate %v at the end", tr.StepsDone(), tr.LearningRate())
	}
	h := tr.History.Train
	if len(h) != 4 || h[0].Step != 50 || h[3].Step != 200 || h[3].Loss >= h[0].Loss || h[3].Accuracy <= h[0].Accuracy {
		t.Errorf("history %v", h)
	}

	// The exported graph with its own copy of the variables gives the same figures.
	g, store, err := tr.Export()
	if err != nil {
		t.Fatal(err)
	}
	res, err := train.Evaluate(t.Context(), runtime(t), g, store, test)
	if err != nil {
		t.Fatal(err)
	}
	if res.Loss != after.Loss {
		t.Errorf("the exported model's loss is %v, the trainer's %v", res.Loss, after.Loss)
	}
	store.Get("out.weight").Float32s()[0] = 1000
	if tr.Store().Get("out.weight").Float32s()[0] == 1000 {
		t.Error("the export shares memory with the trainer")
	}
	for _, c := range store.Cells() {
		if strings.HasSuffix(c.Name, ".m") || strings.HasSuffix(c.Name, ".v") {
			t.Errorf("the export holds the optimizer's %s", c.Name)
		}
	}
}

func TestExportOfAverages(t *testing.T) {
	cfg := config(30)
	cfg.Update.EMA = 0.9
	tr := newTrainer(t, cfg)
	steps(t, tr, newLoader(t, blobs(t, 100, 1)), 30)
	_, store, err := tr.Export()
	if err != nil {
		t.Fatal(err)
	}
	w, avg := tr.Store().Get("out.weight").Float32s(), tr.Store().Get("out.weight"+optim.EMASuffix).Float32s()
	got := store.Get("out.weight").Float32s()
	if !slices.Equal(got, avg) || slices.Equal(got, w) {
		t.Error("the export must hold the averaged weights")
	}
	if !slices.Equal(store.Get("norm.mean").Float32s(), tr.Store().Get("norm.mean").Float32s()) {
		t.Error("running statistics are exported as they are")
	}
}

// Two steps with soft targets: the loss is that of the distribution.
func TestSoftTargets(t *testing.T) {
	cfg := config(10)
	cfg.Spec.Targets = 3
	cfg.LabelSmoothing = 0.1
	tr := newTrainer(t, cfg)
	b := &data.Batch{N: 2, X: []float32{1, 2, -1, 0}, Targets: []float32{0.5, 0.5, 0, 0, 0, 1}}
	first, _, err := tr.Step(b)
	if err != nil {
		t.Fatal(err)
	}
	if first <= 0 || first > 10 {
		t.Errorf("loss %v", first)
	}
}

func TestDivergenceIsAnError(t *testing.T) {
	cfg := config(10)
	tr := newTrainer(t, cfg)
	nan := float32(math.NaN())
	_, _, err := tr.Step(&data.Batch{N: 2, X: []float32{nan, 1, 1, 1}, Labels: []int64{0, 1}})
	if err == nil || !strings.Contains(err.Error(), "step 1") || !strings.Contains(err.Error(), "learning rate") {
		t.Errorf("got %v", err)
	}
	if tr.StepsDone() != 0 {
		t.Error("a step that failed counts")
	}
}

func TestConfigErrors(t *testing.T) {
	for name, edit := range map[string]func(c *train.Config){
		"one class":              func(c *train.Config) { c.Spec.Classes = 1 },
		"no learning rate":       func(c *train.Config) { c.LearningRate = 0 },
		"learning rate NaN":      func(c *train.Config) { c.LearningRate = math.NaN() },
		"another output":         func(c *train.Config) { c.Spec.Classes = 4 },
		"no matrix":              func(c *train.Config) { c.Model = nn.Sequential{} },
		"an image where is none": func(c *train.Config) { c.Model = nn.Conv2D{Filters: 1, Kernel: 3} },
	} {
		cfg := config(10)
		edit(&cfg)
		if name == "no matrix" {
			cfg.Spec.Shape = []int{2, 2}
		}
		if _, err := train.New(runtime(t), cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestEvaluateErrors(t *testing.T) {
	tr := newTrainer(t, config(10))
	two, err := data.NewMemory(data.Spec{Shape: []int{2}, Classes: 2}, []float32{1, 2, 3, 4}, []int64{0, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Evaluate(t.Context(), two); err == nil || !strings.Contains(err.Error(), "classes") {
		t.Errorf("a source of fewer classes: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.Evaluate(ctx, blobs(t, 10, 1)); err == nil {
		t.Error("a cancelled evaluation gives a result")
	}
}

func TestCrossEntropyAndSoftmax(t *testing.T) {
	z := []float32{1, -2, 0.5}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v))
	}
	p := make([]float64, 3)
	train.Softmax(p, z)
	for i, v := range z {
		if want := math.Exp(float64(v)) / sum; math.Abs(p[i]-want) > 1e-12 || math.Abs(train.CrossEntropy(z, i)+math.Log(want)) > 1e-12 {
			t.Errorf("class %d: %v, %v", i, p[i], train.CrossEntropy(z, i))
		}
	}
	big := []float32{1e30, -1e30}
	if v := train.CrossEntropy(big, 0); v != 0 {
		t.Errorf("cross-entropy of certainty is %v", v)
	}
}

// A run that is saved, restored in another trainer and continued has the bits of one that was not, at every step.
func TestCheckpointContinuesExactly(t *testing.T) {
	src := blobs(t, 105, 1) // the last batch of an epoch is smaller
	settings := map[string]string{"model": "blobs", "note": "with \"quotes\"\nand lines"}
	cfg := config(60)
	cfg.Update = optim.Options{ClipNorm: 1, EMA: 0.9}
	whole, wl := newTrainer(t, cfg), newLoader(t, src)
	for at := 0; at <= 60; at += 7 {
		b, err := whole.Checkpoint(settings, wl.State())
		if err != nil {
			t.Fatal(err)
		}
		c, err := train.DecodeCheckpoint(b)
		if err != nil {
			t.Fatal(err)
		}
		if c.Step() != at || c.Finished != (at == 60) || len(train.Differences(c.Settings, settings)) != 0 || c.Data != wl.State() {
			t.Fatalf("at step %d: step %d, finished %v, settings %v, data %v", at, c.Step(), c.Finished, c.Settings, c.Data)
		}
		other, ol := newTrainer(t, cfg), newLoader(t, src)
		steps(t, other, ol, 3) // what it did before must not matter
		if err := other.Restore(c); err != nil {
			t.Fatal(err)
		}
		if err := ol.Restore(c.Data); err != nil {
			t.Fatal(err)
		}
		n := min(7, 60-at)
		steps(t, other, ol, n)
		steps(t, whole, wl, n)
		x, err := whole.Checkpoint(settings, wl.State())
		if err != nil {
			t.Fatal(err)
		}
		y, err := other.Checkpoint(settings, ol.State())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Fatalf("continued from step %d, the run differs", at)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	src := blobs(t, 60, 1)
	tr, l := newTrainer(t, config(20)), newLoader(t, src)
	tr.History.Validation = []train.Point{{Step: 10, Loss: 1, Accuracy: 0.5}}
	steps(t, tr, l, 10)
	b, err := tr.Checkpoint(nil, l.State())
	if err != nil {
		t.Fatal(err)
	}
	c, err := train.DecodeCheckpoint(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(c *train.Config){
		"another optimizer": func(c *train.Config) { c.Optimizer = optim.SGD{} },
		"another model": func(c *train.Config) {
			c.Model = nn.Sequential{nn.Dense{Units: 7, Name: "hidden"}, nn.BatchNorm{Name: "norm"}, nn.Dense{Units: 3, Name: "out"}}
		},
		"another name": func(c *train.Config) {
			c.Model = nn.Sequential{nn.Dense{Units: 16, Name: "h"}, nn.BatchNorm{Name: "norm"}, nn.Dense{Units: 3, Name: "out"}}
		},
		"a shorter run": func(c *train.Config) { c.Steps = 5 },
	} {
		cfg := config(20)
		edit(&cfg)
		other := newTrainer(t, cfg)
		before := tensorsOf(other)
		if err := other.Restore(c); err == nil {
			t.Errorf("%s: no error", name)
		}
		if other.StepsDone() != 0 || !slices.Equal(before, tensorsOf(other)) {
			t.Errorf("%s: the trainer was changed", name)
		}
	}
	same := newTrainer(t, config(20))
	if err := same.Restore(c); err != nil {
		t.Fatal(err)
	}
	if v := same.History.Validation; len(v) != 1 || v[0] != tr.History.Validation[0] {
		t.Errorf("history %v", v)
	}
}

func tensorsOf(tr *train.Trainer) []float32 {
	var all []float32
	for _, c := range tr.Store().Cells() {
		all = append(all, c.Tensor.Float32s()...)
	}
	return all
}

func TestDamagedCheckpoints(t *testing.T) {
	tr, l := newTrainer(t, config(20)), newLoader(t, blobs(t, 60, 1))
	steps(t, tr, l, 3)
	b, err := tr.Checkpoint(map[string]string{"model": "blobs"}, l.State())
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(b) {
		if n%17 == 0 {
			if _, err := train.DecodeCheckpoint(b[:n]); err == nil {
				t.Fatalf("cut after %d of %d bytes, it is taken", n, len(b))
			}
		}
	}
	body := bytes.Index(b, []byte("}}")) // behind the header every bit counts
	for i := len(b) - 1; i > max(body, len(b)/2); i -= 13 {
		d := bytes.Clone(b)
		d[i] ^= 1
		if _, err := train.DecodeCheckpoint(d); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Fatalf("bit %d of byte %d changed: %v", 0, i, err)
		}
	}
}

func TestDifferences(t *testing.T) {
	d := train.Differences(map[string]string{"a": "1", "b": "2", "c": "3", "same": "x"}, map[string]string{"a": "1", "b": "4", "d": "5", "same": "x", "empty": ""})
	want := []string{"b: 2 there, 4 here", "c: 3 there, none here", "d: none there, 5 here"}
	if !slices.Equal(d, want) {
		t.Errorf("%q", d)
	}
}

func FuzzDecodeCheckpoint(f *testing.F) {
	tr, l := newTrainer(f, config(20)), newLoader(f, blobs(f, 60, 1))
	b, err := tr.Checkpoint(map[string]string{"model": "blobs", "seed": "1"}, l.State())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:100])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := train.DecodeCheckpoint(b)
		if err != nil {
			// The sum keeps nearly everything out; put the right one in to reach what lies behind it.
			if c, err = train.DecodeCheckpoint(withSum(b)); err != nil {
				return
			}
		}
		if c.Step() < 0 {
			t.Fatalf("step %d", c.Step())
		}
		_ = tr.Restore(c) // an error or the state, never a panic
	})
}

// withSum returns the file with the sum that fits its contents.
func withSum(b []byte) []byte {
	f, err := safetensors.Decode(b)
	if err != nil || f.Meta == nil {
		return nil
	}
	sum := crc32.NewIEEE()
	for _, e := range f.Tensors {
		sum.Write([]byte(e.Name))
		sum.Write(e.Tensor.Bytes())
	}
	f.Meta["crc32"] = strconv.FormatUint(uint64(sum.Sum32()), 16)
	out, err := safetensors.Encode(f)
	if err != nil {
		return nil
	}
	return out
}

// The compiled step and the exported graph must not depend on the number of threads.
func TestThreads(t *testing.T) {
	var first []float32
	for _, threads := range []int{1, 2, 3} {
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
		tr, err := train.New(rt, config(20))
		if err != nil {
			t.Fatal(err)
		}
		steps(t, tr, newLoader(t, blobs(t, 60, 1)), 20)
		got := tensorsOf(tr)
		if first == nil {
			first = got
		} else if !slices.Equal(first, got) {
			t.Errorf("%d threads give other weights", threads)
		}
		tr.Close()
		rt.Close()
	}
}
