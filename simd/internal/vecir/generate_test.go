package vecir

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"testing"
)

var generate = flag.Bool("generate", false, "write the coefficients")

// TestGenerate checks that the coefficients are those of package simd; with -generate it writes them.
func TestGenerate(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../vecmath_coef.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var w bytes.Buffer
	w.WriteString("// Code generated from simd/vecmath_coef.go by go test -generate. DO NOT EDIT.\n\npackage vecir\n\n")
	w.WriteString("// coefficients are the polynomials of package simd, by name, lowest degree first.\nvar coefficients = map[string][]float64{\n")
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		fmt.Fprintf(&w, "%q: {\n", v.Names[0].Name)
		for _, e := range v.Values[0].(*ast.CompositeLit).Elts {
			sign := ""
			if u, ok := e.(*ast.UnaryExpr); ok {
				sign, e = "-", u.X
			}
			fmt.Fprintf(&w, "%s%s,\n", sign, e.(*ast.BasicLit).Value)
		}
		w.WriteString("},\n")
		return false
	})
	w.WriteString("}\n")
	want, err := format.Source(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	const path = "coefficients.go"
	if *generate {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, want) {
		t.Errorf("%s is not what the package generates: run make generate", path)
	}
}
