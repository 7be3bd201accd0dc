//go:build !noasm

package compile_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// moduleSet switches to the kernel module's set for a test, or skips it where the host has given no module.
func moduleSet(t *testing.T) {
	t.Helper()
	before := simd.Current().Name
	t.Cleanup(func() { _ = simd.Use(before) })
	for _, k := range simd.All() {
		if k.Available() && (k.Name == "simd128" || k.Name == "relaxed") {
			if err := simd.Use(k.Name); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Skip("skipped: the host has given no kernel module")
}

// TestModuleRunsLeNet: the kernel module runs every step of a training step by itself.
func TestModuleRunsLeNet(t *testing.T) {
	moduleSet(t)
	g := lenetStep("adam", true)
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	in := batch(rand.New(rand.NewPCG(2, 2)), g.Inputs[0], 4, 10, 0.01)
	mustRun(t, p, in...)
	if names := compile.StepsInGo(p); len(names) > 0 {
		t.Errorf("steps that the module does not have: %v", names)
	}
}

// TestModuleThreads runs programs on the threads that the host has started (WEFT_THREADS under Node), again and again, and compares
// the results with those of one thread.
func TestModuleThreads(t *testing.T) {
	moduleSet(t)
	n, _ := strconv.Atoi(os.Getenv("WEFT_THREADS"))
	if n < 2 {
		if rt := newRuntime(t, 3); n == 0 && rt.Threads() != 1 {
			t.Fatalf("%d threads on memory that is not shared", rt.Threads())
		}
		t.Skip("skipped: WEFT_THREADS is not set to 2 or more")
	}
	rt := newRuntime(t, n)
	if rt.Threads() != n {
		t.Fatalf("%d threads, want %d", rt.Threads(), n)
	}
	g := lenetStep("sgd", false)
	one, many := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{}), mustCompile(t, rt, lenetStep("sgd", false), nil, compile.Options{})
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 30 {
		in := batch(r, g.Inputs[0], 32+i%3, 10, 0.01)
		want, got := mustRun(t, one, in...), mustRun(t, many, in...)
		for k := range want {
			if string(want[k].Bytes()) != string(got[k].Bytes()) {
				t.Fatalf("run %d: output %d differs from that of one thread", i, k)
			}
		}
	}
	if simd.ThreadsReady() != n-1 {
		t.Errorf("%d threads have arrived, want %d", simd.ThreadsReady(), n-1)
	}
}

// TestModuleFails: a step that fails in the module fails with the words that Go has for it, and the runtime goes on.
func TestModuleFails(t *testing.T) {
	moduleSet(t)
	g := graph.New()
	table := tensor.From([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 5, 2)
	g.Output(g.Add(&op.DefGather, nil, g.Const(table), g.Input("ids", tensor.Int64, 1)))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	ids := tensor.New(tensor.Int64, 1)
	for range 2 {
		ids.Bytes()[0] = 200
		if _, err := p.Run(ids); err == nil || !strings.Contains(err.Error(), "Gather: an index is outside an axis of size 5") {
			t.Errorf("error %v", err)
		}
		ids.Bytes()[0] = 4
		out := mustRun(t, p, ids)
		if got := tensor.Cast[float32](out[0].Bytes())[0]; got != 8 {
			t.Errorf("row 4 starts with %v", got)
		}
	}
}
