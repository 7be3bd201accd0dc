// Package bundle builds the folder of the Worker.
package bundle

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/weft-ml/weft/js/build"
	"github.com/weft-ml/weft/wasm/gobuild"
	"github.com/weft-ml/weft/wasm/kernelfiles"
	"github.com/weft-ml/weft/wasm/link"
)

// Options says what is built.
type Options struct {
	Out   string // the folder; what an earlier build left in it is overwritten
	Entry string // the Worker's script; empty: the one that is deployed
	Tags  string // build tags of the Go program, as in go build -tags
}

// kernels are the variants of the kernel module that the Worker chooses from.
var kernels = []string{"kernels-relaxed.wasm", "kernels-simd128.wasm"}

// Build writes worker.mjs, the modules that it imports, which the platform compiles when the Worker is uploaded, and wrangler.jsonc. Nothing more is
// needed to deploy.
func Build(ctx context.Context, opt Options) error {
	root, goroot, err := build.Dirs(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return err
	}
	if err := program(ctx, root, opt); err != nil {
		return err
	}
	dir, err := kernelfiles.Build(ctx, root)
	if err != nil {
		return err
	}
	for _, name := range kernels {
		if err := copyFile(filepath.Join(opt.Out, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	src := filepath.Join(root, "demo", "worker")
	if err := copyFile(filepath.Join(opt.Out, "wrangler.jsonc"), filepath.Join(src, "wrangler.jsonc")); err != nil {
		return err
	}
	if opt.Entry == "" {
		opt.Entry = filepath.Join(src, "src", "worker.mjs")
	}
	return script(goroot, opt)
}

// program compiles the Go program, for a memory that it imports.
func program(ctx context.Context, root string, opt Options) error {
	path := filepath.Join(opt.Out, "app.wasm")
	args := append([]string{"build", "-C", root}, gobuild.Flags()...)
	if opt.Tags != "" {
		args = append(args, "-tags", opt.Tags)
	}
	out, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-o", out, "./demo/worker")...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("weft: go build of the Worker's program: %w\n%s", err, text)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if b, _, err = link.Strip(b); err != nil {
		return err
	}
	if b, _, err = link.ImportMemory(b, false); err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// script writes worker.mjs: the Worker's modules and Go's glue code in one file, which imports the WebAssembly modules beside it.
func script(goroot string, opt Options) error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{opt.Entry},
		Outfile:     filepath.Join(opt.Out, "worker.mjs"),
		Bundle:      true,
		Write:       true,
		Format:      api.FormatESModule,
		Platform:    api.PlatformNeutral,
		Target:      api.ES2022,
		Charset:     api.CharsetUTF8,
		External:    []string{"*.wasm"},
		LogLevel:    api.LogLevelSilent,
		Plugins:     []api.Plugin{build.Glue(goroot)},
	})
	if len(result.Errors) > 0 {
		text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return fmt.Errorf("weft: bundling the Worker:\n%s", strings.Join(text, ""))
	}
	return nil
}

func copyFile(dst, src string) error {
	b, err := os.ReadFile(src)
	if err != nil {
		return err
	}
	return os.WriteFile(dst, b, 0o644)
}
