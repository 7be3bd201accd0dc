package site

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
)

// TestPrepare: a folder with other files is left alone, an earlier site is replaced.
func TestPrepare(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err == nil || !strings.Contains(err.Error(), "holds other files") {
		t.Errorf("a folder with other files: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, marker), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("an earlier site: %v, %v", entries, err)
	}
	if err := prepare(filepath.Join(dir, "new", "folder")); err != nil {
		t.Error(err)
	}
}

func TestFetched(t *testing.T) {
	const page = `<script src="main.ABCDEFGH.js"></script><link href="lenet.0123456789ab.weft">`
	for name, want := range map[string]bool{
		"index.html": true, "main.ABCDEFGH.js": true, "lenet.0123456789ab.weft": true, "lenet.0123456789ab.onnx": false, "worker.ABCDEFGH.js": false, "weft.0123456789ab.wasm": false,
		"kernels-relaxed.0123456789ab.wasm": true, "weft-shared.0123456789ab.wasm": false, "kernels-relaxed-shared.0123456789ab.wasm": false,
		"kernels-simd128.0123456789ab.wasm": false, "more.ABCDEFGH.js": false, "sw.js": false,
	} {
		if got, note := fetched(name, page); got != want || got == (note != "") {
			t.Errorf("%s: %v, %q", name, got, note)
		}
	}
}

// TestNames: a file's name follows its content.
func TestNames(t *testing.T) {
	b := &builder{out: t.TempDir(), names: map[string]string{}}
	seen := map[string]bool{}
	for _, content := range []string{"a", "b"} {
		if err := b.add("weft.wasm", []byte(content)); err != nil {
			t.Fatal(err)
		}
		name := b.names["weft.wasm"]
		if got, err := os.ReadFile(filepath.Join(b.out, name)); err != nil || string(got) != content || seen[name] || !strings.HasPrefix(name, "weft.") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		seen[name] = true
	}
}

// TestTypes has the TypeScript compiler check the page's code against the package's.
func TestTypes(t *testing.T) {
	root := require.Root(t)
	node := require.Tool(t, "node", "node")
	tsc := filepath.Join(root, "js", "node_modules", "typescript", "bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		require.Missing(t, "node", "the TypeScript compiler is not installed; run npm ci in js")
	}
	if err := install(t.Context(), filepath.Join(root, "demo", "web")); err != nil {
		require.Missing(t, "node", err.Error())
	}
	cmd := exec.Command(node, tsc, "--noEmit", "-p", filepath.Join(root, "demo", "web"))
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
