package models_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
)

func newTrainer(t testing.TB, m models.Model, threads int) *train.Trainer {
	t.Helper()
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	t.Cleanup(func() { rt.Close() })
	opt, err := optim.Parse(m.Recipe.Optimizer, m.Recipe.WeightDecay)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.New(rt, train.Config{Name: m.Name, Model: m.New([]int{1, 28, 28}, 10), Spec: data.Spec{Shape: []int{1, 28, 28}, Classes: 10},
		Seed: 1, Optimizer: opt, LearningRate: m.Recipe.LearningRate, Steps: 10, Update: optim.Options{ClipNorm: 1, EMA: float32(m.Recipe.EMA)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// bars are pictures whose class is the position of a bar, under noise.
func bars(n int) *data.Batch {
	r := rand.New(rand.NewPCG(3, 3))
	b := &data.Batch{N: n, X: make([]float32, n*28*28), Labels: make([]int64, n)}
	for i := range n {
		k := r.IntN(10)
		b.Labels[i] = int64(k)
		for y := range 28 {
			for x := range 28 {
				v := 0.3 * r.Float32()
				if x/2 == k+2 {
					v++
				}
				b.X[(i*28+y)*28+x] = v
			}
		}
	}
	return b
}

// TestTrainingRunsOnKernels trains every model for some steps: the loss falls, and no operator of the training and evaluation
// programs falls back to its reference evaluation.
func TestTrainingRunsOnKernels(t *testing.T) {
	for _, m := range models.All() {
		t.Run(m.Name, func(t *testing.T) {
			tr := newTrainer(t, m, 2)
			b := bars(16)
			var first, last float32
			for i := range 8 {
				loss, _, err := tr.Step(b)
				if err != nil {
					t.Fatal(err)
				}
				if last = loss; i == 0 {
					first = loss
				}
			}
			if !(last < first) {
				t.Errorf("the loss went from %v to %v", first, last)
			}
			if _, err := tr.Logits(b.X, b.N); err != nil {
				t.Fatal(err)
			}
			training, eval := tr.Programs()
			for _, p := range []*compile.Program{training, eval} {
				for _, s := range p.Steps() {
					if s.Kernel == "Ref" {
						t.Errorf("%s %q runs as a reference step", s.Operator, s.Node)
					}
				}
			}
		})
	}
}

func BenchmarkTrainingStep(b *testing.B) {
	for _, m := range models.All() {
		b.Run(m.Name, func(b *testing.B) {
			tr, batch := newTrainer(b, m, 0), bars(m.Recipe.BatchSize)
			if _, _, err := tr.Step(batch); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, _, err := tr.Step(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
