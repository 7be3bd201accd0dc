package module_test

import (
	"flag"
	"os"
	"testing"

	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelc/module"
)

var update = flag.Bool("update", false, "write the golden list of step kernels")

// TestSteps compares the list of step kernels, with the reasons why some stay in Go, with the golden one: a change that takes a kernel
// out of the module is seen.
func TestSteps(t *testing.T) {
	p, err := module.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	steps, err := module.Steps(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range wasmkernels.Variants {
		if _, err := module.Build(p, v, steps); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		got, golden := module.List(steps), "testdata/steps.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, _ := os.ReadFile(golden); got != string(want) {
			t.Errorf("%s: the step kernels are not those of %s (go test ./module -update writes it):\n%s", v, golden, got)
		}
	}
}
