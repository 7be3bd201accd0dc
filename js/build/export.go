package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Export writes the model file as a program file for all kernels, by running the package in dist in Node.
func Export(ctx context.Context, root, dist, model, out string) error {
	tmp, err := os.MkdirTemp("", "weft-export")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	script := filepath.Join(root, "js", "build", "export.mjs")
	node := func(flags []string, args ...string) error {
		text, err := exec.CommandContext(ctx, "node", append(append(flags, script, dist), args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("weft: exporting %s: node: %w\n%s", model, err, text)
		}
		return nil
	}
	var parts []string
	for _, kernels := range []string{"relaxed", "simd128"} {
		part := filepath.Join(tmp, kernels+".weft")
		// Node 20 has relaxed SIMD behind a flag, later ones without it. A processor that does not fuse runs, and exports, simd128 only.
		err := node(nil, kernels, model, part)
		if err != nil {
			err = node([]string{"--experimental-wasm-relaxed-simd"}, kernels, model, part)
		}
		if err == nil {
			parts = append(parts, part)
		} else if kernels == "simd128" {
			return err
		}
	}
	return node(nil, append([]string{"join", out}, parts...)...)
}
