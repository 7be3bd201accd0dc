// Package bundle builds the folder of the Worker.
package bundle

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/weft-ml/weft/js/build"
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
	if err := program(ctx, root, goroot, opt); err != nil {
		return err
	}
	dir, err := kernelfiles.Build(ctx, root)
	if err != nil {
		return err
	}
	for _, name := range kernels {
		if err := build.CopyFile(filepath.Join(opt.Out, name), filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	src := filepath.Join(root, "demo", "worker")
	if err := build.CopyFile(filepath.Join(opt.Out, "wrangler.jsonc"), filepath.Join(src, "wrangler.jsonc")); err != nil {
		return err
	}
	if opt.Entry == "" {
		opt.Entry = filepath.Join(src, "src", "worker.mjs")
	}
	return script(goroot, opt)
}

// noHTTP2 is net/http's own tag.
const noHTTP2 = "nethttpomithttp2"

// program compiles the Go program, for a memory that it imports.
func program(ctx context.Context, root, goroot string, opt Options) error {
	replaced, remove, err := withoutTLS(root, goroot)
	if err != nil {
		return err
	}
	defer remove()
	tags := strings.Trim(noHTTP2+","+opt.Tags, ",")
	b, err := build.Compile(ctx, root, "./demo/worker", "-overlay", replaced, "-tags", tags)
	if err != nil && strings.Contains(err.Error(), "tls.") {
		fmt.Fprintln(os.Stderr, "The Worker is built with Go's own crypto/tls, which makes it half a megabyte larger: demo/worker/bundle/_tls has not all that this version's net/http names.")
		b, err = build.Compile(ctx, root, "./demo/worker", "-tags", tags)
	}
	if err != nil {
		return err
	}
	if b, _, err = link.ImportMemory(b, false); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(opt.Out, "app.wasm"), b, 0o644)
}

// withoutTLS writes a file for go build -overlay that has the package in _tls in the place of Go's crypto/tls. Should another version's net/http name more of it,
// Go's own is taken until that is added there.
func withoutTLS(root, goroot string) (path string, remove func(), err error) {
	dir := filepath.Join(goroot, "src", "crypto", "tls")
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", nil, err
	}
	var overlay struct{ Replace map[string]string }
	overlay.Replace = map[string]string{}
	for _, f := range files {
		overlay.Replace[f] = "" // not there
	}
	ours, err := filepath.Abs(filepath.Join(root, "demo", "worker", "bundle", "_tls", "tls.go"))
	if err != nil {
		return "", nil, err
	}
	overlay.Replace[filepath.Join(dir, "tls.go")] = ours
	b, err := json.Marshal(overlay)
	if err != nil {
		return "", nil, err
	}
	f, err := os.CreateTemp("", "weft-overlay-*.json")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.Remove(f.Name()) }
	_, err = f.Write(b)
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return "", nil, err
	}
	return f.Name(), remove, nil
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

// Weight is what a file of the folder weighs, in bytes.
type Weight struct {
	Name        string
	Raw, Packed int // Packed: with gzip, as the platform counts
}

// Weigh returns the weights of the files that are uploaded.
func Weigh(dir string) ([]Weight, error) {
	var all []Weight
	for _, name := range append([]string{"worker.mjs", "app.wasm"}, kernels...) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		var z bytes.Buffer
		gz := gzip.NewWriter(&z)
		_, err = gz.Write(b)
		if err = errors.Join(err, gz.Close()); err != nil {
			return nil, err
		}
		all = append(all, Weight{name, len(b), z.Len()})
	}
	return all, nil
}
