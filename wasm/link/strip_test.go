package link_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/wasm/link"
)

// program does what needs the tables that stay: panics that are recovered through inlined and deferred calls, collections, growing stacks.
const program = `package main

import "runtime"

type failure struct{ what string }

func catch(err *string) {
	if r := recover(); r != nil {
		*err = r.(*failure).what
	}
}

func deep(n int, keep *[]*[64]byte) int {
	var pad [128]byte
	pad[n%128] = byte(n)
	if n == 0 {
		runtime.GC()
		return len(*keep)
	}
	*keep = append(*keep, new([64]byte))
	return deep(n-1, keep) + int(pad[(n+1)%128])
}

func fails(n int) (err string) {
	defer catch(&err)
	defer func() { defer func() { recover() }(); var a []int; _ = a[n] }()
	if n > 0 {
		panic(&failure{"stopped"})
	}
	return ""
}

func main() {
	var keep []*[64]byte
	println(deep(2000, &keep), fails(1), fails(0) == "")
	go func() { panic("the end") }()
	select {}
}
`

func TestStrip(t *testing.T) {
	node := require.Tool(t, "node", "node")
	dir := t.TempDir()
	for name, text := range map[string]string{"main.go": program, "go.mod": "module strip\n\ngo 1.26\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", "m.wasm", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS=")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	in, err := os.ReadFile(filepath.Join(dir, "m.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	out, info, err := link.Strip(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d functions, %d bytes of tables emptied; %d bytes became %d", info.Funcs, info.Zeroed, len(in), len(out))
	if info.Zeroed < 50_000 || bytes.Contains(out, []byte("runtime/proc.go")) {
		t.Error("the tables are still there")
	}
	if err := os.WriteFile(filepath.Join(dir, "m.wasm"), out, 0o644); err != nil {
		t.Fatal(err)
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	run := exec.Command(node, filepath.Join(strings.TrimSpace(string(goroot)), "lib", "wasm", "wasm_exec_node.js"), filepath.Join(dir, "m.wasm"))
	text, _ := run.CombinedOutput() // it ends with a panic
	if !strings.Contains(string(text), "2000 stopped true") || !strings.Contains(string(text), "panic: the end") {
		t.Errorf("%s", text)
	}
	if _, _, err := link.Strip(in[:len(in)/2]); err == nil {
		t.Error("half a program is stripped")
	}
	if _, _, err := link.Strip(goLike(t, false)); err == nil || !strings.Contains(err.Error(), "function table") {
		t.Errorf("a module that is no Go program: %v", err)
	}
}
