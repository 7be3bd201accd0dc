package lenet_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models/lenet"
	"github.com/weft-ml/weft/simd"
)

const (
	curveSteps = 100
	curveFile  = "testdata/curve.json"
)

// curveLosses returns the losses of the first steps of "weft train lenet --seed 1" with the current kernels.
func curveLosses(t *testing.T) []float32 {
	t.Helper()
	src := digits.New(digits.Options{Seed: 1, Samples: 60000})
	l, err := data.NewLoader(src, data.Options{BatchSize: 32, Shuffle: true, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	tr, err := train.New(rt, train.Config{Name: "lenet", Model: lenet.New(src.Spec().Shape, 10), Spec: src.Spec(), Seed: 1,
		Optimizer: optim.Adam{}, LearningRate: 2e-3, Schedule: optim.Cosine{}, Steps: 5 * l.Steps()})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var losses []float32
	for len(losses) < curveSteps {
		b, err := l.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := tr.Step(b)
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, v)
	}
	return losses
}

// TestSameCurveEverywhere compares the losses of the first 100 steps with those that every other target gets: bit for bit within
// a numeric class, within 1e-6 across the classes. It runs natively, without assembly, as WebAssembly under Node, and
// the page's fit is compared with the same file. UPDATE_GOLDEN=1 writes the losses of the sets at hand.
func TestSameCurveEverywhere(t *testing.T) {
	golden := map[string][]float32{}
	b, err := os.ReadFile(curveFile)
	if err == nil {
		err = json.Unmarshal(b, &golden)
	}
	update := os.Getenv("UPDATE_GOLDEN") != ""
	if err != nil && !update {
		t.Fatal(err)
	}
	current := simd.Current().Name
	defer simd.Use(current)
	for _, k := range simd.All() {
		t.Run(k.Name, func(t *testing.T) {
			if err := simd.Use(k.Name); err != nil {
				t.Skipf("skipped: %v", err)
			}
			if strings.HasPrefix(k.Name, "generic") && (k.Class == simd.FMA || !strings.HasPrefix(current, "generic")) && os.Getenv("WEFT_EXHAUSTIVE") == "" {
				t.Skip("skipped: the portable kernels are slow; builds without assembly and WEFT_EXHAUSTIVE=1 run them")
			}
			losses := curveLosses(t)
			if update {
				golden[k.Class.String()] = losses
			}
			for i, want := range golden[k.Class.String()] {
				if losses[i] != want {
					t.Fatalf("class %s: the loss of step %d is %v, want %v", k.Class, i+1, losses[i], want)
				}
			}
		})
	}
	if update {
		b, err := json.Marshal(golden)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(curveFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(golden["fma"]) != curveSteps || len(golden["muladd"]) != curveSteps {
		t.Fatalf("%s holds %d and %d losses, want %d", curveFile, len(golden["fma"]), len(golden["muladd"]), curveSteps)
	}
	for i, a := range golden["fma"] {
		if b := golden["muladd"][i]; math.Abs(float64(a)-float64(b)) > 1e-6*math.Abs(float64(a)) {
			t.Errorf("step %d: the classes' losses are %v and %v", i+1, a, b)
		}
	}
}
