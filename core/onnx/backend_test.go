package onnx_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/require"
)

// outcome is what became of a case.
type outcome string

const (
	passed     outcome = "pass"
	failed     outcome = "fail"
	missing    outcome = "missing" // an operator is not in the set
	untyped    outcome = "untyped" // takes or gives something that is no tensor
	stochastic outcome = "random"  // the published output cannot be reproduced
)

// random results: the published outputs came from NumPy's generator.
var randomOps = []string{"Bernoulli", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"}

// TestBackend decodes every published case of three ONNX releases and evaluates it, in the interpreter and compiled. testdata/backend.txt lists the cases
// that pass, and one of them failing is an error; UPDATE_GOLDEN=1 rewrites the list.
func TestBackend(t *testing.T) {
	const golden = "testdata/backend.txt"
	text, err := os.ReadFile(golden)
	if err != nil && os.Getenv("UPDATE_GOLDEN") == "" {
		t.Fatal(err)
	}
	expected := map[string]bool{}
	for _, l := range strings.Fields(string(text)) {
		expected[l] = true
	}
	var passing []string
	total := map[outcome]int{}
	lacks := map[string]int{}
	unlisted := 0
	for _, archive := range []string{"cases", "cases-onnx1.8.1", "cases-onnx1.4.1"} {
		files := unpack(t, require.Data(t, "onnx-backend", archive+".tar.gz"))
		count := map[outcome]int{}
		for _, name := range models(files) {
			id := archive + ":" + name
			res, why := runCase(files, name)
			count[res]++
			total[res]++
			if res == passed {
				passing = append(passing, id)
			}
			if res == missing {
				for _, o := range strings.Fields(why) {
					lacks[o]++
				}
			}
			switch {
			case res == failed && expected[id]:
				t.Errorf("%s: %s", id, why)
			case res == failed:
				t.Logf("known: %s: %s", id, why)
			case res != passed && expected[id]:
				t.Errorf("%s: passed before, now %s: %s", id, res, why)
			case res == passed && !expected[id]:
				unlisted++
			}
		}
		t.Logf("%s: %d pass, %d fail, %d need operators that are not in the set, %d are no tensors, %d are random", archive,
			count[passed], count[failed], count[missing], count[untyped], count[stochastic])
	}
	var names []string
	for o := range lacks {
		names = append(names, o)
	}
	sort.Slice(names, func(i, j int) bool {
		return lacks[names[i]] > lacks[names[j]] || lacks[names[i]] == lacks[names[j]] && names[i] < names[j]
	})
	for i, o := range names {
		names[i] = o + " " + strconv.Itoa(lacks[o])
	}
	t.Logf("missing operators and how many cases need them: %s", strings.Join(names, ", "))
	t.Logf("%d cases pass that %s does not list yet", unlisted, golden)
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, []byte(strings.Join(passing, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func unpack(t *testing.T, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = b
	}
}

// models returns the names of the cases in order; a case is a folder, or in "light" a file without its ending.
func models(files map[string][]byte) []string {
	var names []string
	for f := range files {
		if path.Base(f) == "model.onnx" {
			names = append(names, path.Dir(f))
		} else if path.Ext(f) == ".onnx" {
			names = append(names, strings.TrimSuffix(f, ".onnx"))
		}
	}
	sort.Strings(names)
	return names
}

func runCase(files map[string][]byte, name string) (res outcome, why string) {
	defer func() {
		if r := recover(); r != nil {
			res, why = failed, "panic"
			if e, ok := r.(error); ok {
				why += ": " + e.Error()
			}
		}
	}()
	light := files[name+"/model.onnx"] == nil
	b := files[name+"/model.onnx"]
	if light {
		b = files[name+".onnx"]
	}
	m, err := onnx.Parse(b)
	if err != nil {
		return failed, err.Error()
	}
	if l := m.Missing(op.Full); len(l) > 0 {
		return missing, strings.Join(l, " ")
	}
	for _, v := range slices.Concat(m.Graph.Inputs, m.Graph.Outputs) {
		if v.Kind != "tensor" {
			return untyped, v.Kind
		}
	}
	for _, n := range m.Graph.Nodes {
		if slices.Contains(randomOps, n.Op) {
			return stochastic, n.Op
		}
	}
	if light {
		return untyped, "whole network" // minutes in the interpreter; the compiled form is another test's
	}
	g, err := m.Build(onnx.DecodeOptions{Operators: op.Full})
	if err != nil {
		return failed, err.Error()
	}
	s := graph.NewStore()
	if err := s.Init(g); err != nil {
		return failed, err.Error()
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	var prog *compile.Program
	for k := 0; files[name+"/test_data_set_"+strconv.Itoa(k)+"/output_0.pb"] != nil; k++ {
		set := name + "/test_data_set_" + strconv.Itoa(k) + "/"
		var in []*tensor.Tensor
		for i := 0; files[set+"input_"+strconv.Itoa(i)+".pb"] != nil; i++ {
			_, x, err := onnx.ParseTensor(files[set+"input_"+strconv.Itoa(i)+".pb"])
			if err != nil {
				return failed, err.Error()
			}
			in = append(in, x)
		}
		if len(in) > len(g.Inputs) {
			in = in[:len(g.Inputs)] // data is also given for initializers that are inputs
		}
		got, err := graph.Eval(g, s, in, nil)
		if err != nil {
			return failed, err.Error()
		}
		if prog == nil {
			if prog, err = compile.Compile(rt, g, s, compile.Options{}); err != nil {
				return failed, "compiled: " + err.Error()
			}
			defer prog.Close()
		}
		fast, err := prog.Run(in...)
		if err != nil {
			return failed, "compiled: " + err.Error()
		}
		for i := range got {
			_, want, err := onnx.ParseTensor(files[set+"output_"+strconv.Itoa(i)+".pb"])
			if err != nil {
				return failed, err.Error()
			}
			if why := differ(got[i], want); why != "" {
				return failed, "output " + strconv.Itoa(i) + ": " + why
			}
			if why := differ(fast[i], want); why != "" {
				return failed, "compiled: output " + strconv.Itoa(i) + ": " + why
			}
		}
	}
	return passed, ""
}

// differ compares two tensors: floating-point elements within ONNX's default tolerance, others for equality.
func differ(got, want *tensor.Tensor) string {
	if got.DType() != want.DType() || !tensor.SameShape(got.Shape(), want.Shape()) {
		return got.DType().String() + tensor.ShapeString(got.Shape()) + " where " + want.DType().String() + tensor.ShapeString(want.Shape()) + " is due"
	}
	switch d := want.DType(); {
	case d == tensor.String:
		if !slices.Equal(got.Strings(), want.Strings()) {
			return "strings differ"
		}
	case d.IsFloat():
		g, w := got.Float64s(), want.Float64s()
		for i := range w {
			same := g[i] == w[i] || math.IsNaN(g[i]) && math.IsNaN(w[i])
			if !same && !(math.Abs(g[i]-w[i]) <= 1e-7+1e-3*math.Abs(w[i])) {
				return "element " + strconv.Itoa(i) + " is " + strconv.FormatFloat(g[i], 'g', -1, 64) + ", not " + strconv.FormatFloat(w[i], 'g', -1, 64)
			}
		}
	default:
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			return "elements differ"
		}
	}
	return ""
}
