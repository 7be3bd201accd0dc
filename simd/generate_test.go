package simd_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestGenerated runs the generators of the assembly and compares their files with the committed ones.
func TestGenerated(t *testing.T) {
	for _, name := range []string{"gemm", "neon", "vec"} {
		t.Run(name, func(t *testing.T) { testGenerated(t, name) })
	}
}

func testGenerated(t *testing.T, name string) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("skipped: no go command")
	}
	dir := t.TempDir()
	get := exec.Command(goTool, "mod", "download")
	get.Dir = "_asm"
	if out, err := get.CombinedOutput(); err != nil {
		t.Skipf("skipped: the generator's modules cannot be fetched: %s", out)
	}
	gen := exec.Command(goTool, "run", "./"+name, "-dir", dir)
	gen.Dir = "_asm"
	gen.Env = append(os.Environ(), "GOOS=", "GOARCH=", "GOFLAGS=")
	if out, err := gen.CombinedOutput(); err != nil {
		t.Fatalf("go run ./%s: %v\n%s", name, err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("the generator wrote nothing (%v)", err)
	}
	for _, f := range files {
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Base(f))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("simd/%s is not what the generator writes: run `go run ./%s` in simd/_asm", filepath.Base(f), name)
		}
	}
}
