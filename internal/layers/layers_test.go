package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
)

const module = "github.com/weft-ml/weft/"

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Name       string
	Standard   bool
	Imports    []string
	Deps       []string
}

// list returns the module's packages for a target, as they are without tests, and what stands in the way.
func list(t *testing.T, goos, goarch string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps", "./...")
	cmd.Dir = require.Root(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.ImportPath, module) {
			pkgs = append(pkgs, p)
		}
	}
}

// under reports whether a package is one of the folders or lies in one.
func under(name string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return name == f || strings.HasPrefix(name, f+"/") })
}

// rank orders the layers: a package imports packages of lower rank, or of its own folder at the same rank.
func rank(name string) int {
	switch {
	case under(name, "simd", "core/internal"):
		return 0
	case under(name, "core/tensor"):
		return 1
	case under(name, "core/prog"): // what a Program is: shared by operators and the compiler
		return 2
	case under(name, "core/graph"):
		return 3
	case under(name, "core/op"):
		return 4
	case under(name, "core/compile"):
		return 5
	case under(name, "core"):
		return 6
	case under(name, "models"):
		return 7
	case under(name, "wasm"):
		return 8
	case under(name, "demo", "native", "js"):
		return 9
	}
	return 10 // internal/...: what tests share, which nothing else imports
}

// pageForbidden is what nothing in core that ships to the page may import itself.
var pageForbidden = []string{"os", "net", "fmt", "reflect", "encoding/json", "syscall/js", "log", "text/template"}

func TestLayers(t *testing.T) {
	for _, target := range [][2]string{{"linux", "amd64"}, {"linux", "arm64"}, {"js", "wasm"}} {
		t.Run(target[0]+"/"+target[1], func(t *testing.T) {
			for _, p := range list(t, target[0], target[1]) {
				name := strings.TrimPrefix(p.ImportPath, module)
				if p.Name == "main" && under(name, "core", "simd") {
					continue // a generator: no program links it
				}
				for _, dep := range p.Imports {
					if why := forbidden(name, dep); why != "" {
						t.Errorf("%s imports %s: %s", name, strings.TrimPrefix(dep, module), why)
					}
				}
				if name == "simd" {
					for _, dep := range p.Deps {
						if dep == "fmt" || dep == "reflect" {
							t.Errorf("simd depends on %s: it may not", dep)
						}
					}
				}
			}
		})
	}
}

// forbidden says why package name may not import dep, or "".
func forbidden(name, dep string) string {
	own, inside := strings.CutPrefix(dep, module)
	switch {
	case dep == "C" && !under(name, "demo/ebiten"):
		return "cgo is for demo/ebiten only"
	case dep == "syscall/js" && !under(name, "wasm", "demo"):
		return "it is for wasm and demo only"
	case dep == "unsafe" && !under(name, "simd", "wasm", "core/tensor", "native"):
		return "it is for simd, wasm and tensor storage"
	case name == "simd" && (inside || dep == "fmt" || dep == "reflect"):
		return "simd imports no package of the project, no fmt, no reflect"
	case under(name, "core") && !under(name, "core/coretest") && slices.ContainsFunc(pageForbidden, func(f string) bool { return dep == f || f == "net" && strings.HasPrefix(dep, "net/") }):
		return "core ships to the page"
	case !inside:
		return ""
	case under(name, "models") && under(own, "models") && name != own && own != "models" && !strings.HasPrefix(own, name+"/"):
		if name == "models" {
			return "" // the list of names
		}
		return "no model imports another"
	case rank(own) > rank(name):
		return "imports point down only"
	case under(name, "core", "models") && (path.Base(own) == "coretest" || under(own, "internal/require")):
		return "it is for tests"
	}
	return ""
}

func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		name, dep string
		allowed   bool
	}{
		{"simd", module + "core/tensor", false},
		{"simd", "fmt", false},
		{"simd/wasmasm", "fmt", true},
		{"core/tensor", module + "simd", true},
		{"core/tensor", module + "core/graph", false},
		{"core/graph", module + "core/op", false},
		{"core/op", module + "core/compile", false},
		{"core/nn", module + "core/op", true},
		{"core/compile", module + "core/nn", false},
		{"core/data/csv", "net/http", false},
		{"core/op", "unsafe", false},
		{"core/onnx", "syscall/js", false},
		{"models/lenet", module + "models/mlp", false},
		{"models", module + "models/mlp", true},
		{"models/lenet", module + "native/weft", false},
		{"wasm/weft", "syscall/js", true},
		{"native/weft", module + "models", true},
	} {
		if why := forbidden(c.name, c.dep); (why == "") != c.allowed {
			t.Errorf("%s importing %s: %q", c.name, c.dep, why)
		}
	}
}
