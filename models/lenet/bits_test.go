package lenet_test

import (
	"context"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models/lenet"
	"github.com/weft-ml/weft/simd"
)

// trained returns the model file after a short run on the built-in digits.
func trained(t *testing.T, threads int) []byte {
	t.Helper()
	src := digits.New(digits.Options{Seed: 5, Samples: 32*12 + 7}) // the last batch is smaller
	l, err := data.NewLoader(src, data.Options{BatchSize: 32, Shuffle: true, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	defer rt.Close()
	tr, err := train.New(rt, train.Config{Name: "lenet", Model: lenet.New(src.Spec().Shape, 10), Spec: src.Spec(), Seed: 5,
		Optimizer: optim.Adam{}, LearningRate: 2e-3, Schedule: optim.Cosine{}, Steps: l.Steps(), Update: optim.Options{ClipNorm: 5}})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for b, err := range l.Epoch(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := tr.Step(b); err != nil {
			t.Fatal(err)
		}
	}
	g, store, err := tr.Export()
	if err != nil {
		t.Fatal(err)
	}
	file, err := onnx.Encode(g, store, onnx.EncodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// sums holds what the short run ends with in each numeric class, on every processor, kernel set and number of threads.
var sums = map[simd.Class]uint32{simd.FMA: 0x89056bad, simd.MulAdd: 0x2f8508fb}

// TestSameFileEverywhere trains with every kernel set that is here, with one and two threads, and compares the files with the
// sums that every other machine gets. It runs natively, without assembly and, under qemu, on arm64.
func TestSameFileEverywhere(t *testing.T) {
	current := simd.Current().Name
	defer simd.Use(current)
	for _, k := range simd.All() {
		t.Run(k.Name, func(t *testing.T) {
			if err := simd.Use(k.Name); err != nil {
				t.Skipf("skipped: %v", err)
			}
			if strings.HasPrefix(k.Name, "generic") && !strings.HasPrefix(current, "generic") && os.Getenv("WEFT_EXHAUSTIVE") == "" {
				t.Skip("skipped: the portable kernels are slow; builds without assembly and WEFT_EXHAUSTIVE=1 run them")
			}
			for _, threads := range []int{1, 2} {
				if got := crc32.ChecksumIEEE(trained(t, threads)); got != sums[k.Class] {
					t.Errorf("class %s, %d threads: the model file has the sum %#x, want %#x", k.Class, threads, got, sums[k.Class])
				}
			}
		})
	}
}
