package kernelfiles_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelfiles"
)

func TestBuild(t *testing.T) {
	root := require.Root(t)
	dir, err := kernelfiles.Build(t.Context(), root)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range wasmkernels.Variants {
		b, err := os.ReadFile(filepath.Join(dir, v.File()))
		if err != nil || len(b) < 8 || string(b[:4]) != "\x00asm" {
			t.Errorf("%s: %d bytes, %v", v.File(), len(b), err)
		}
	}
	if again, err := kernelfiles.Build(t.Context(), root); err != nil || again != dir {
		t.Errorf("built again: %s, %v; first %s", again, err, dir)
	}
	if _, err := kernelfiles.Build(t.Context(), t.TempDir()); err == nil {
		t.Error("no error outside the repository")
	}
}
