package site

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/weft-ml/weft/js/build"
	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelfiles"
)

// runtime writes the Go program and the kernels, in each variant, and the package's worker.
func (b *builder) runtime(ctx context.Context) error {
	for name, shared := range map[string]bool{"weft.wasm": false, "weft-shared.wasm": true} {
		program, err := build.Program(ctx, b.root, false, shared)
		if err != nil {
			return err
		}
		if err := b.add(name, program); err != nil {
			return err
		}
	}
	kernels, err := kernelfiles.Build(ctx, b.root)
	if err != nil {
		return err
	}
	for _, v := range wasmkernels.Variants {
		module, err := os.ReadFile(filepath.Join(kernels, v.File()))
		if err != nil {
			return err
		}
		if err := b.add(v.File(), module); err != nil {
			return err
		}
	}
	return b.worker()
}

// weights writes the model that comes with the page.
func (b *builder) weights(context.Context) error {
	model, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(weights)))
	if err != nil {
		return err
	}
	return b.add("lenet.onnx", model)
}

// runtimeNames are the names that the page gives the package's loader.
func (b *builder) runtimeNames() map[string]string {
	names := map[string]string{}
	for plain, name := range b.names {
		if strings.HasSuffix(plain, ".wasm") || plain == "worker.js" {
			names[plain] = name
		}
	}
	return names
}
