package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/simd/wasmasm"
)

func TestRun(t *testing.T) {
	m := wasmasm.NewModule("m")
	m.Memory(wasmasm.Limits{Min: 17})
	m.ExportMemory("mem")
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.wasm"), filepath.Join(dir, "out.wasm")
	if err := os.WriteFile(in, b, 0o644); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-o", out, in}, &stdout, &stderr); code != 0 || stdout.String() != "17\n" {
		t.Fatalf("exit %d, %q, %s", code, stdout.String(), stderr.String())
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-o", out, out}, 1, "imported already"},
		{[]string{"-o", out, filepath.Join(dir, "absent.wasm")}, 1, "absent.wasm"},
		{[]string{"-o", filepath.Join(dir, "no", "folder.wasm"), in}, 1, "folder.wasm"},
		{[]string{in}, 2, "usage: weftlink"},
		{[]string{"-unknown"}, 2, "usage: weftlink"},
	} {
		stderr.Reset()
		if code := run(c.args, io.Discard, &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%v: exit %d, %s", c.args, code, stderr.String())
		}
	}
}
