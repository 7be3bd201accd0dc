package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weft-ml/weft/wasm/gobuild"
	"github.com/weft-ml/weft/wasm/link"
)

// Program compiles the Go program of the page, with the operators of common models or with all, and returns it as a module for a
// memory of its own or a shared one. Root is the repository.
func Program(ctx context.Context, root string, full, shared bool) ([]byte, error) {
	set := "core"
	if full {
		set = "full"
	}
	return ProgramOf(ctx, root, set, shared)
}

// mains are the programs by the set of operators that they have.
var mains = map[string]string{"core": "./wasm/weft", "full": "./wasm/weft-full"}

// ProgramOf is Program for a set: "core" or "full".
func ProgramOf(ctx context.Context, root, set string, shared bool) ([]byte, error) {
	b, err := compile(ctx, root, set)
	if err != nil {
		return nil, err
	}
	linked, _, err := link.ImportMemory(b, shared)
	return linked, err
}

// compile runs the go command and strips the program.
func compile(ctx context.Context, root, set string) ([]byte, error) {
	program := mains[set]
	if program == "" {
		return nil, fmt.Errorf("weft: there is no program for the set %q; there are core and full", set)
	}
	return Compile(ctx, root, program)
}

// Compile compiles a Go program of the module in the folder dir for WebAssembly, as the page's are, with more flags of go build where they are given, and
// strips it.
func Compile(ctx context.Context, dir, program string, more ...string) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "weft-program")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	path := filepath.Join(tmp, "weft.wasm")
	args := append([]string{"build", "-C", dir}, gobuild.Flags()...)
	cmd := exec.CommandContext(ctx, "go", append(append(args, more...), "-o", path, program)...)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("weft: go build of %s in %s: %w\n%s", program, dir, err, text)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b, _, err = link.Strip(b)
	return b, err
}

// Dirs returns the folders of this repository and of Go, from anywhere inside the repository.
func Dirs(ctx context.Context) (root, goroot string, err error) {
	text, err := exec.CommandContext(ctx, "go", "env", "GOMOD", "GOROOT").Output()
	if err != nil {
		return "", "", fmt.Errorf("weft: go env: %w", err)
	}
	mod, goroot, ok := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if !ok {
		return "", "", fmt.Errorf("weft: go env answers %q", text)
	}
	for dir := filepath.Dir(strings.TrimSpace(mod)); ; dir = filepath.Dir(dir) { // a nested module lies inside this one
		if _, err := os.Stat(filepath.Join(dir, "js", "package.json")); err == nil {
			return dir, strings.TrimSpace(goroot), nil
		}
		if dir == filepath.Dir(dir) {
			return "", "", errors.New("weft: the package is built inside weft's repository; run the command there")
		}
	}
}
