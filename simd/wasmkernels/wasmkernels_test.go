package wasmkernels_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/simd/wasmkernels"
)

var generate = flag.Bool("generate", false, "write the generated Go files")

// TestGenerate checks that the checked-in files are what the package generates; with -generate it writes them.
func TestGenerate(t *testing.T) {
	for name, write := range map[string]func() ([]byte, error){"kernel_ids_js.go": wasmkernels.GoIDs, "vectables_js.go": wasmkernels.GoTables} {
		want, err := write()
		if err != nil {
			t.Fatal(err)
		}
		upToDate(t, filepath.Join("..", name), want)
	}
}

// upToDate checks a file's contents, or with -generate writes them.
func upToDate(t *testing.T, path string, want []byte) {
	t.Helper()
	if *generate {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Errorf("%s is not what the package generates: run make generate", path)
	}
}

// TestValidates lets V8 validate every variant, and instantiate it on a memory of its kind.
func TestValidates(t *testing.T) {
	node := require.Tool(t, "node", "node")
	for _, v := range wasmkernels.Variants {
		b, err := wasmkernels.Generate(v)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), v.File())
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		script := `const m = new WebAssembly.Module(require("fs").readFileSync(process.argv[1]));
			const shared = process.argv[2] === "true";
			const memory = new WebAssembly.Memory(shared ? { initial: 1, maximum: 65536, shared } : { initial: 1 });
			const e = new WebAssembly.Instance(m, { env: { memory } }).exports;
			console.log(e.variant(), e.fma_probe(1 + 2**-12, 1 + 2**-12, -(1 + 2**-11)) !== 0);`
		shared := "false"
		if v.Shared {
			shared = "true"
		}
		out, err := exec.Command(node, "--experimental-wasm-relaxed-simd", "-e", script, path, shared).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", v, err, out)
			continue
		}
		// Whether relaxed multiply-add is fused is the processor's affair; the plain one never is.
		got := strings.TrimSpace(string(out))
		if want := "1 false"; !v.Relaxed && got != want {
			t.Errorf("%s: %s, want %s", v, got, want)
		}
		if v.Relaxed && !strings.HasPrefix(got, "2 ") {
			t.Errorf("%s: %s", v, got)
		}
		t.Logf("%s: variant, fused: %s", v, got)
	}
}
