package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-ml/weft/internal/require"
)

// TestGenerated: the checked-in file is what the operator sets give.
func TestGenerated(t *testing.T) {
	got, err := os.ReadFile(filepath.Join(require.Root(t), "js", "src", "ops.gen.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, Generate()) {
		t.Error("js/src/ops.gen.ts is not what the operator sets give: run make generate")
	}
}
