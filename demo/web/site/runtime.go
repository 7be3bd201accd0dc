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

// programs are the variants of the Go program: the page starts on the one that only answers, and goes over to one that trains.
var programs = []struct {
	name, set string
	shared    bool
}{{"weft.wasm", "core", false}, {"weft-shared.wasm", "core", true}}

// runtime writes the Go program and the kernels, in each variant, and the package's worker.
func (b *builder) runtime(ctx context.Context) error {
	for _, p := range programs {
		program, err := build.ProgramOf(ctx, b.root, p.set, p.shared)
		if err != nil {
			return err
		}
		if err := b.add(p.name, program); err != nil {
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
