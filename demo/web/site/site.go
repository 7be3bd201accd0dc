// Package site builds the page: the Go program with its memory imported, the kernel modules, Go's glue code and the
// static files, in one folder that any web server can serve.
package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelfiles"
	"github.com/weft-ml/weft/wasm/link"
)

// marker is a file that every built site has: only a folder with it, or an empty one, is overwritten.
const marker = "site.js"

// manifest is what the worker reads from site.js.
type manifest struct {
	App     string            `json:"app"`     // file name of the program
	Pages   uint32            `json:"pages"`   // initial size of its memory
	Kernels map[string]string `json:"kernels"` // file names by variant
}

// Build writes the page into the folder out. It runs the go command, and Node for brotli where there is one: without
// it the page is served with gzip.
func Build(ctx context.Context, out string) error {
	root, goroot, err := goDirs(ctx)
	if err != nil {
		return err
	}
	if err := prepare(out); err != nil {
		return err
	}
	var man manifest
	app, info, err := buildApp(ctx, root)
	if err != nil {
		return err
	}
	man.Pages = info.Pages
	if man.App, err = writeHashed(out, "app.wasm", app); err != nil {
		return err
	}
	kernels, err := kernelfiles.Build(ctx, root)
	if err != nil {
		return err
	}
	man.Kernels = map[string]string{}
	for _, v := range wasmkernels.Variants {
		if v.Shared {
			continue // this page has one thread
		}
		b, err := os.ReadFile(filepath.Join(kernels, v.File()))
		if err != nil {
			return err
		}
		if man.Kernels[v.String()], err = writeHashed(out, v.File(), b); err != nil {
			return err
		}
	}
	js, err := json.MarshalIndent(man, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, marker), []byte("export default "+string(js)+";\n"), 0o644); err != nil {
		return err
	}
	if err := os.CopyFS(out, os.DirFS(filepath.Join(root, "demo", "web", "static"))); err != nil {
		return err
	}
	glue, err := os.ReadFile(filepath.Join(goroot, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("weft: Go's glue code: %w", err)
	}
	if err := os.WriteFile(filepath.Join(out, "wasm_exec.js"), glue, 0o644); err != nil {
		return err
	}
	return compress(ctx, out)
}

// goDirs returns the folders of this module and of Go.
func goDirs(ctx context.Context) (root, goroot string, err error) {
	text, err := exec.CommandContext(ctx, "go", "env", "GOMOD", "GOROOT").Output()
	if err != nil {
		return "", "", fmt.Errorf("weft: go env: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 2 {
		return "", "", fmt.Errorf("weft: go env answers %q", text)
	}
	for dir := filepath.Dir(strings.TrimSpace(lines[0])); ; dir = filepath.Dir(dir) { // a nested module lies inside this one
		if _, err := os.Stat(filepath.Join(dir, "demo", "web", "static", "index.html")); err == nil {
			return dir, strings.TrimSpace(lines[1]), nil
		}
		if dir == filepath.Dir(dir) {
			return "", "", errors.New("weft: the page is built inside weft's repository; run the command there")
		}
	}
}

// prepare makes out an empty folder.
func prepare(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(out, marker)); err != nil {
			return fmt.Errorf("weft: %s holds other files; name an empty folder", out)
		}
		if err := os.RemoveAll(out); err != nil {
			return err
		}
	}
	return os.MkdirAll(out, 0o755)
}

// buildApp compiles and links the page's program.
func buildApp(ctx context.Context, root string) ([]byte, link.Info, error) {
	dir, err := os.MkdirTemp("", "weft-site")
	if err != nil {
		return nil, link.Info{}, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "app.wasm")
	cmd := exec.CommandContext(ctx, "go", "build", "-C", root, "-trimpath", "-ldflags=-s -w", "-o", path, "./demo/web/app")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, link.Info{}, fmt.Errorf("weft: go build of the page's program: %w\n%s", err, text)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, link.Info{}, err
	}
	return link.ImportMemory(b, false)
}

// writeHashed writes a file whose name holds its content's hash, so that browsers may keep it forever.
func writeHashed(out, name string, b []byte) (string, error) {
	sum := sha256.Sum256(b)
	ext := filepath.Ext(name)
	name = strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	return name, os.WriteFile(filepath.Join(out, name), b, 0o644)
}
