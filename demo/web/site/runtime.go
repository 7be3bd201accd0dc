package site

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-ml/weft/js/build"
	"github.com/weft-ml/weft/simd/wasmkernels"
)

// runtime writes the Go program and the kernels, each in its variants, the package's worker, and LeNet: as a model file for the runtime and as a
// program file, which the page runs without Go.
func (b *builder) runtime(ctx context.Context) error {
	// The program file is made by the package itself, in Node.
	dist, err := os.MkdirTemp("", "weft-site")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dist)
	if err := build.Package(ctx, build.Options{Out: dist}); err != nil {
		return err
	}
	for name, shared := range map[string]bool{"weft.wasm": false, "weft-shared.wasm": true} {
		program, err := build.ProgramOf(ctx, b.root, "core", shared)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, name), program, 0o644); err != nil {
			return err
		}
	}
	model := filepath.Join(b.root, filepath.FromSlash(weights))
	if err := build.Export(ctx, b.root, dist, model, filepath.Join(dist, "lenet.weft")); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(writer)))
	if err != nil {
		return err
	}
	if err := b.add("writer.onnx", text); err != nil {
		return err
	}
	names := []string{"weft.wasm", "weft-shared.wasm", "lenet.weft", "lenet.onnx"}
	for _, v := range wasmkernels.Variants {
		names = append(names, v.File())
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(dist, name))
		if err != nil {
			return err
		}
		if err := b.add(name, content); err != nil {
			return err
		}
	}
	return b.worker()
}

// runtimeNames are the names that the page gives the package's loader.
func (b *builder) runtimeNames() map[string]string {
	names := map[string]string{}
	for plain, name := range b.names {
		if strings.HasSuffix(plain, ".wasm") && plain != windowProgram || plain == "worker.js" {
			names[plain] = name
		}
	}
	return names
}
