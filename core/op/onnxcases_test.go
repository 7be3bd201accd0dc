package op_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/require"
)

// caseDefs are the operators that the ONNX backend cases are run for here, one node at a time.
var caseDefs = []*graph.Def{
	&op.DefConv, &op.DefMaxPool, &op.DefAveragePool, &op.DefGlobalAveragePool, &op.DefGlobalMaxPool,
	&op.DefReshape, &op.DefFlatten, &op.DefSqueeze, &op.DefUnsqueeze, &op.DefTranspose, &op.DefExpand, &op.DefTile,
	&op.DefDepthToSpace, &op.DefSpaceToDepth, &op.DefSlice, &op.DefPad, &op.DefConcat, &op.DefSplit,
	&op.DefShape, &op.DefSize, &op.DefConstant, &op.DefConstantOfShape, &op.DefRange, &op.DefEyeLike, &op.DefTrilu,
	&op.DefGather, &op.DefGatherElements, &op.DefGatherND, &op.DefScatterElements, &op.DefScatterND, &op.DefScatter,
	&op.DefOneHot, &op.DefTopK, &op.DefNonZero, &op.DefUnique, &op.DefConvTranspose, &op.DefResize, &op.DefUpsample,
}

// TestONNXBackendCases evaluates the published single-node cases of three ONNX releases, old operator versions through
// their upgrade rules, and compares with the published outputs.
func TestONNXBackendCases(t *testing.T) {
	defs := map[string]*graph.Def{}
	for _, d := range caseDefs {
		defs[d.FullName()] = d
	}
	for _, archive := range []string{"cases.tar.gz", "cases-onnx1.8.1.tar.gz", "cases-onnx1.4.1.tar.gz"} {
		files := readArchive(t, require.Data(t, "onnx-backend", archive))
		var names []string
		for name := range files {
			if path.Base(name) == "model.onnx" {
				names = append(names, path.Dir(name))
			}
		}
		sort.Strings(names)
		ran := 0
		for _, name := range names {
			m, err := onnx.Parse(files[name+"/model.onnx"])
			if err != nil || len(m.Graph.Nodes) != 1 {
				continue
			}
			d := defs[m.Graph.Nodes[0].Op]
			if d == nil || m.Graph.Nodes[0].Domain != "" {
				continue
			}
			ran++
			t.Run(archive+"/"+name, func(t *testing.T) { runCase(t, d, m, files, name) })
		}
		if ran == 0 {
			t.Errorf("%s has no case for these operators", archive)
		}
	}
}

func readArchive(t *testing.T, name string) map[string][]byte {
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

func runCase(t *testing.T, d *graph.Def, m *onnx.Model, files map[string][]byte, name string) {
	node := m.Graph.Nodes[0]
	for _, v := range append(append([]*onnx.ValueInfo{}, m.Graph.Inputs...), m.Graph.Outputs...) {
		if v.Kind != "tensor" {
			t.Skip("takes or gives a ", v.Kind)
		}
	}
	set := name + "/test_data_set_0/"
	g, values, data := graph.New(), map[string]*graph.Value{}, []*tensor.Tensor{}
	for _, init := range m.Graph.Initializers {
		x, err := init.Value(onnx.DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		values[init.Name] = g.Const(x)
	}
	for _, v := range m.Graph.Inputs {
		if values[v.Name] != nil {
			continue
		}
		_, x, err := onnx.ParseTensor(files[set+"input_"+strconv.Itoa(len(data))+".pb"])
		if err != nil {
			t.Skip(err)
		}
		values[v.Name] = g.Input(v.Name, x.DType(), x.Shape()...)
		data = append(data, x)
	}
	u := &graph.UpgradeCtx{G: g, NumOut: len(node.Outputs)}
	for _, o := range m.Opsets {
		if o.Domain == "" {
			u.Version = int(o.Version)
		}
	}
	for _, a := range node.Attrs {
		x := graph.Attr{Name: a.Name, Kind: a.Kind, F: a.F, I: a.I, S: a.S, Floats: a.Floats, Ints: a.Ints, Strings: a.Strings}
		if a.T != nil {
			var err error
			if x.T, err = a.T.Value(onnx.DecodeOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if a.Sparse != nil {
			t.Skip("has a sparse attribute")
		}
		u.Attrs = append(u.Attrs, x)
	}
	for _, in := range node.Inputs {
		u.Inputs = append(u.Inputs, values[in]) // nil for ""
	}
	if d.Upgrade != nil && u.Version < d.Since {
		d.Upgrade(u)
	}
	outs := g.AddN(d, "", len(node.Outputs), u.Attrs, u.Inputs...)
	names := map[string]*graph.Value{}
	for i, o := range node.Outputs {
		names[o] = outs[i]
		if o == "" {
			outs[i].Node.Outputs[i] = nil
		}
	}
	for _, o := range m.Graph.Outputs {
		g.Output(names[o.Name])
	}
	got, err := graph.Eval(g, nil, data, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		_, want, err := onnx.ParseTensor(files[set+"output_"+strconv.Itoa(i)+".pb"])
		if err != nil {
			t.Fatal(err)
		}
		compare(t, got[i], want)
	}
}

// compare checks two tensors for equality, floating-point ones within ONNX's default tolerance.
func compare(t *testing.T, got, want *tensor.Tensor) {
	t.Helper()
	if got.DType() != want.DType() || !tensor.SameShape(got.Shape(), want.Shape()) {
		t.Fatalf("got %v %v, want %v %v", got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	switch d := want.DType(); {
	case d == tensor.String:
		if g, w := strings.Join(got.Strings(), "\x00"), strings.Join(want.Strings(), "\x00"); g != w {
			t.Fatalf("got %q, want %q", g, w)
		}
	case d.IsFloat():
		g, w := got.Float64s(), want.Float64s()
		for i := range w {
			same := g[i] == w[i] || math.IsNaN(g[i]) && math.IsNaN(w[i])
			if !same && !(math.Abs(g[i]-w[i]) <= 1e-7+1e-3*math.Abs(w[i])) {
				t.Fatalf("element %d is %v, want %v", i, g[i], w[i])
			}
		}
	default:
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("got %v, want %v", got.Int64sOf(), want.Int64sOf())
		}
	}
}
