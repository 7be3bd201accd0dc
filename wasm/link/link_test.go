package link_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/simd/wasmasm"
	"github.com/weft-ml/weft/wasm/link"
)

// goLike returns a small module of the shape that Go's linker writes.
func goLike(t testing.TB, imports bool) []byte {
	m := wasmasm.NewModule("go")
	if imports {
		m.ImportFunc("gojs", "runtime.wasmWrite", wasmasm.Sig(wasmasm.I32)())
	}
	m.Memory(wasmasm.Limits{Min: 3})
	m.Data(70000, []byte("data"))
	f := m.Func("peek", wasmasm.Sig(wasmasm.I32)(wasmasm.I32))
	f.Get(f.Param(0)).Mem(wasmasm.I32Load8U, 0)
	m.ExportFunc("peek", f)
	m.ExportMemory("mem")
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestImportMemory(t *testing.T) {
	node := require.Tool(t, "node", "node")
	for _, imports := range []bool{true, false} {
		for _, shared := range []bool{false, true} {
			out, info, err := link.ImportMemory(goLike(t, imports), shared)
			if err != nil {
				t.Fatal(err)
			}
			if info.Pages != 3 || info.Imports != map[bool]int{true: 1}[imports] {
				t.Errorf("info %+v", info)
			}
			path := filepath.Join(t.TempDir(), "m.wasm")
			if err := os.WriteFile(path, out, 0o644); err != nil {
				t.Fatal(err)
			}
			script := `const shared = process.argv[2] === "true";
				const m = new WebAssembly.Module(require("fs").readFileSync(process.argv[1]));
				const memory = new WebAssembly.Memory(shared ? { initial: 3, maximum: 65536, shared } : { initial: 3 });
				const e = new WebAssembly.Instance(m, { env: { memory }, gojs: { "runtime.wasmWrite"() {} } }).exports;
				const pages = new DataView(WebAssembly.Module.customSections(m, "weft.memory")[0]).getUint32(0, true);
				console.log(e.mem === memory, String.fromCharCode(e.peek(70000), e.peek(70003)), pages);`
			got, err := exec.Command(node, "-e", script, path, map[bool]string{true: "true", false: "false"}[shared]).CombinedOutput()
			if err != nil || strings.TrimSpace(string(got)) != "true da 3" {
				t.Errorf("imports %v, shared %v: %v %s", imports, shared, err, got)
			}
		}
	}
}

func TestImportMemoryRefuses(t *testing.T) {
	good := goLike(t, true)
	linked, _, err := link.ImportMemory(good, false)
	if err != nil {
		t.Fatal(err)
	}
	module := func(build func(m *wasmasm.Module)) []byte {
		m := wasmasm.NewModule("m")
		build(m)
		b, err := m.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, c := range []struct {
		name, want string
		in         []byte
	}{
		{"empty", "not a WebAssembly module (0 bytes)", nil},
		{"text", "not a WebAssembly module", []byte("<!doctype html>")},
		{"version", "version 2, want 1", []byte("\x00asm\x02\x00\x00\x00")},
		{"truncated", "it ends early", good[:len(good)-30]},
		{"twice", `imported already, as "env"."memory"`, linked},
		{"no memory", "defines no memory", module(func(m *wasmasm.Module) {})},
		{"no exports", "exports nothing", module(func(m *wasmasm.Module) { m.Memory(wasmasm.Limits{Min: 1}) })},
		{"export", "does not export its memory as mem", module(func(m *wasmasm.Module) {
			m.Memory(wasmasm.Limits{Min: 1})
			m.ExportMemory("memory")
		})},
		{"maximum", "declares a maximum of 2 pages", module(func(m *wasmasm.Module) {
			m.Memory(wasmasm.Limits{Min: 1, Max: 2, HasMax: true})
			m.ExportMemory("mem")
		})},
		{"64-bit", "64-bit memories are not supported", []byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x04\x01")},
		{"order", "out of order", append(bytes.Clone(good), 1, 1, 0)},
		{"section", "unknown section 77", append(bytes.Clone(good), 77, 0)},
		{"long integer", "longer than 32 bits", append(bytes.Clone(good[:8]), 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F)},
	} {
		if _, _, err := link.ImportMemory(c.in, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}

// FuzzImportMemory: no input panics, and what is accepted is a module that is refused as linked already.
func FuzzImportMemory(f *testing.F) {
	f.Add(goLike(f, true), true)
	f.Add(goLike(f, false), false)
	f.Add([]byte("\x00asm\x01\x00\x00\x00\x05\x03\x01\x00\x01\x07\x07\x01\x03mem\x02\x00"), false)
	f.Fuzz(func(t *testing.T, in []byte, shared bool) {
		before := bytes.Clone(in)
		out, info, err := link.ImportMemory(in, shared)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		if info.Pages > link.MaxPages {
			t.Fatalf("%d pages", info.Pages)
		}
		if _, _, err := link.ImportMemory(out, shared); err == nil || !strings.Contains(err.Error(), "imported already") {
			t.Fatalf("the output is refused otherwise than as linked: %v", err)
		}
	})
}
