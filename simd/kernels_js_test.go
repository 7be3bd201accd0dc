//go:build !noasm

package simd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// atStart is the kernel set chosen at start; tests change it.
var atStart = simd.Current().Name

// TestModuleLoaded: without the kernel module the generic loops would run, slowly and silently.
func TestModuleLoaded(t *testing.T) {
	want := os.Getenv("WEFT_KERNELS")
	switch {
	case want == "none":
		t.Skip("WEFT_KERNELS=none")
	case want == "" && strings.Contains(os.Getenv("WEFT_NODE_FLAGS"), "relaxed"):
		want = "relaxed" // every processor with fused multiply-add
	}
	var available []string
	for _, k := range simd.All() {
		if k.Available() && !strings.HasPrefix(k.Name, "generic") {
			available = append(available, k.Name)
		}
	}
	if len(available) != 1 || want != "" && available[0] != want {
		t.Errorf("accelerated kernel sets %v, want %s", available, want)
	}
	if len(available) == 1 && atStart != available[0] {
		t.Errorf("%s was in use at start, %s is available", atStart, available[0])
	}
	t.Logf("kernel sets: %v; in use at start: %s", available, atStart)
}
