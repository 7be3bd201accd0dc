// Package kernelfiles builds the kernel modules of the browser, once for every state of their sources.
//
// A module holds the kernels of simd/wasmkernels and the step kernels of core, compiled from their Go code by wasm/_kernelc, a
// module of its own because it needs golang.org/x/tools. The files are large and follow the sources of core closely, so they are built, not kept in
// the repository: a few seconds, into build/kernels.
package kernelfiles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/weft-ml/weft/simd/wasmkernels"
)

// sources are the folders whose Go files decide what the modules hold.
var sources = []string{
	"simd", "simd/internal/vecir", "simd/wasmasm", "simd/wasmkernels",
	"core/prog", "core/tensor", "core/graph", "core/op", "core/compile", "core/data/digits", "core/data/preprocess/ink", "core/data/internal/resample", "core/random", "core/internal/detmath",
	"wasm/_kernelc", "wasm/_kernelc/gowasm", "wasm/_kernelc/module",
}

// Build returns the folder with the modules, whose names are those of [wasmkernels.Variant.File]. root is the repository.
func Build(ctx context.Context, root string) (dir string, err error) {
	key, err := digest(root)
	if err != nil {
		return "", fmt.Errorf("weft: kernels: %w", err)
	}
	dir, err = filepath.Abs(filepath.Join(root, "build", "kernels", key))
	if err != nil || complete(dir) {
		return dir, err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("weft: kernels: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return "", fmt.Errorf("weft: kernels: %w", err)
	}
	defer os.RemoveAll(tmp)
	cmd := exec.CommandContext(ctx, "go", "run", "-C", filepath.Join(root, "wasm", "_kernelc"), ".", "-o", tmp)
	cmd.Env = append(os.Environ(), "GOOS=", "GOARCH=", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("weft: kernels: go run in wasm/_kernelc: %w\n%s", err, text)
	}
	// Whoever else builds them at the same time makes the same files.
	if err := os.Rename(tmp, dir); err != nil && !complete(dir) {
		return "", fmt.Errorf("weft: kernels: %w", err)
	}
	prune(filepath.Dir(dir))
	return dir, os.Chmod(dir, 0o755)
}

// keep is for how many states of the sources the modules stay, and recent for how long in any case: somebody may be reading them.
const (
	keep   = 4
	recent = time.Hour
)

// prune removes the modules of old states.
func prune(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var old []os.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > recent {
			old = append(old, info)
		}
	}
	sort.Slice(old, func(i, j int) bool { return old[i].ModTime().After(old[j].ModTime()) })
	for i := keep; i < len(old); i++ {
		_ = os.RemoveAll(filepath.Join(dir, old[i].Name()))
	}
}

func complete(dir string) bool {
	for _, v := range wasmkernels.Variants {
		if _, err := os.Stat(filepath.Join(dir, v.File())); err != nil {
			return false
		}
	}
	return true
}

// digest returns a name for the state of the sources and of the compiler that reads them.
func digest(root string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	for _, dir := range sources {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
		if err != nil {
			return "", err
		}
		if len(files) == 0 {
			return "", fmt.Errorf("%s has no Go files; the modules are built inside weft's repository", filepath.Join(root, dir))
		}
		sort.Strings(files)
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			f, err := os.Open(path)
			if err != nil {
				return "", err
			}
			fmt.Fprintln(h, dir, filepath.Base(path))
			_, err = io.Copy(h, f)
			f.Close()
			if err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}
