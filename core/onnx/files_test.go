package onnx_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/onnx/files"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/require"
)

func realModels(t testing.TB) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(require.Data(t, "models"), func(p string, _ os.DirEntry, err error) error {
		if filepath.Ext(p) == ".onnx" {
			files = append(files, p)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no models found: %v", err)
	}
	return files
}

// TestRealModels parses models of many exporters and writes their messages again; those whose operators are in the set
// become graphs whose file, read again, gives the same file.
func TestRealModels(t *testing.T) {
	for _, f := range realModels(t) {
		t.Run(filepath.Base(filepath.Dir(f))+"/"+filepath.Base(f), func(t *testing.T) {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			m, err := onnx.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			again, err := onnx.Parse(m.Marshal())
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(again.Marshal(), m.Marshal()) {
				t.Error("the messages changed when they were written and read")
			}
			if l := m.Missing(op.Full); len(l) > 0 {
				if _, err := m.Build(onnx.DecodeOptions{Operators: op.Full}); err == nil || !strings.Contains(err.Error(), "is not in this build") {
					t.Errorf("operators %v are missing and the error is %v", l, err)
				}
				t.Skip("operators that are not in the set: ", strings.Join(l, ", "))
			}
			for _, v := range m.Graph.Inputs {
				if v.Kind != "tensor" {
					t.Skip("an input is a ", v.Kind)
				}
			}
			g, err := m.Build(onnx.DecodeOptions{Operators: op.Full})
			if err != nil {
				t.Fatal(err)
			}
			c := encode(t, g, nil, onnx.EncodeOptions{})
			if d := encode(t, decode(t, c, onnx.DecodeOptions{}), nil, onnx.EncodeOptions{}); !bytes.Equal(c, d) {
				t.Errorf("%d bytes became other %d bytes", len(c), len(d))
			}
		})
	}
}

// TestMNIST8 evaluates a real classifier of an old operator set on its published inputs.
func TestMNIST8(t *testing.T) {
	dir := require.Data(t, "models", "mnist-8")
	b, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	g := decode(t, b, onnx.DecodeOptions{})
	s := storeOf(t, g)
	sets, err := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	read := func(f string) *tensor.Tensor {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		_, v, err := onnx.ParseTensor(b)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, set := range sets {
		got := eval(t, g, s, read(filepath.Join(set, "input_0.pb")))
		if why := differ(got[0], read(filepath.Join(set, "output_0.pb"))); why != "" {
			t.Errorf("%s: %s", filepath.Base(set), why)
		}
	}
}

// TestCorrupt cuts files off and flips bytes in them: whatever happens, it must be an error or a graph, in bounded memory.
func TestCorrupt(t *testing.T) {
	for _, f := range realModels(t) {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 1<<17 {
			continue
		}
		for i := 0; i < len(b); i += 1 + len(b)/60 {
			if g, err := onnx.Decode(b[:i], onnx.DecodeOptions{Operators: op.Full}); err == nil && len(g.Nodes) > 0 && i < len(b)/2 {
				t.Errorf("%s cut to %d bytes is accepted", f, i)
			} else if err != nil && !strings.HasPrefix(err.Error(), "weft: onnx: ") {
				t.Errorf("%s cut to %d bytes: %v", f, i, err)
			}
			c := bytes.Clone(b)
			c[i] ^= 0x55
			if _, err := onnx.Decode(c, onnx.DecodeOptions{Operators: op.Full}); err != nil && !strings.HasPrefix(err.Error(), "weft: onnx: ") {
				t.Errorf("%s with byte %d changed: %v", f, i, err)
			}
		}
	}
}

// TestErrors checks that errors say what is wrong where.
func TestErrors(t *testing.T) {
	info := func(name string, d tensor.DType) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Kind: "tensor", DType: d, HasRank: true, Shape: []onnx.Dim{{Size: 2}}}
	}
	node := func(opName string, in ...string) *onnx.Node {
		return &onnx.Node{Name: "n", Op: opName, Inputs: in, Outputs: []string{"y"}}
	}
	model := func(n *onnx.Node) *onnx.Model {
		return &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 21}}, Graph: &onnx.Graph{Name: "g", Nodes: []*onnx.Node{n},
			Inputs: []*onnx.ValueInfo{info("x", tensor.Float32)}, Outputs: []*onnx.ValueInfo{info("y", tensor.Float32)}}}
	}
	cases := map[string]struct {
		m    *onnx.Model
		want string
	}{
		"operator": {model(node("Frobnicate", "x")), "operator Frobnicate of domain ai.onnx (opset 21) is not in this build"},
		"domain":   {model(&onnx.Node{Op: "F", Domain: "com.example", Inputs: []string{"x"}, Outputs: []string{"y"}}), "operator F of domain com.example (opset 1)"},
		"input":    {model(node("Relu", "z")), `node 0 "n" (Relu, opset 21`},
		"output":   {model(&onnx.Node{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"w"}}), `output "y" is produced by no node`},
		"twice":    {model(&onnx.Node{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"x"}}), `the name "x" is given to two values`},
		"count":    {model(node("Relu", "x", "x")), "takes 1 inputs, got 2"},
		"attribute": {model(&onnx.Node{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"y"}, Attrs: []*onnx.Attribute{{Name: "beta", Kind: graph.AttrFloat}}}),
			`has no attribute "beta"`},
	}
	huge := model(node("Add", "x", "w"))
	huge.Graph.Initializers = []*onnx.Tensor{{Name: "w", DType: tensor.Float32, Dims: []int64{1 << 30}}}
	cases["size"] = struct {
		m    *onnx.Model
		want string
	}{huge, `tensor "w" of float32`}
	loop := model(node("F", "x"))
	loop.Functions = []*onnx.Function{{Name: "F", Inputs: []string{"a"}, Outputs: []string{"b"}, Nodes: []*onnx.Node{{Op: "F", Inputs: []string{"a"}, Outputs: []string{"b"}}}}}
	cases["recursion"] = struct {
		m    *onnx.Model
		want string
	}{loop, "function F calls itself"}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := onnx.Decode(c.m.Marshal(), onnx.DecodeOptions{Operators: op.Full})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, b := range [][]byte{nil, []byte("PK\x03\x04"), bytes.Repeat([]byte{0xff}, 40)} {
		if _, err := onnx.Decode(b, onnx.DecodeOptions{}); err == nil {
			t.Errorf("%q is accepted", b)
		}
	}
}

// TestFunction expands a call of a function of the file, with an attribute of the call and a default.
func TestFunction(t *testing.T) {
	m := &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 21}, {Domain: "d", Version: 1}},
		Graph: &onnx.Graph{Name: "g",
			Nodes: []*onnx.Node{
				{Name: "a", Op: "Scaled", Domain: "d", Inputs: []string{"x"}, Outputs: []string{"h"}, Attrs: []*onnx.Attribute{{Name: "by", Kind: graph.AttrFloat, F: 3}}},
				{Name: "b", Op: "Scaled", Domain: "d", Inputs: []string{"h"}, Outputs: []string{"y"}},
			},
			Inputs:  []*onnx.ValueInfo{{Name: "x", Kind: "tensor", DType: tensor.Float32, HasRank: true, Shape: []onnx.Dim{{Size: -1, Symbol: "K"}}}},
			Outputs: []*onnx.ValueInfo{{Name: "y", Kind: "tensor", DType: tensor.Float32}},
		},
		Functions: []*onnx.Function{{Domain: "d", Name: "Scaled", Inputs: []string{"v"}, Outputs: []string{"r"}, Opsets: []onnx.Opset{{Version: 21}},
			Defaults: []*onnx.Attribute{{Name: "by", Kind: graph.AttrFloat, F: 0.5}},
			Nodes: []*onnx.Node{
				{Op: "Constant", Outputs: []string{"c"}, Attrs: []*onnx.Attribute{{Name: "value_float", Kind: graph.AttrFloat, Ref: "by"}}},
				{Op: "Mul", Inputs: []string{"v", "c"}, Outputs: []string{"r"}},
			}}},
	}
	g := decode(t, m.Marshal(), onnx.DecodeOptions{})
	got := eval(t, g, nil, tensor.From([]float32{2, -4}, 2))[0].Float32s()
	if got[0] != 3 || got[1] != -6 {
		t.Errorf("got %v, want [3 -6]", got)
	}
}

// TestExternal reads a weight from another file, and refuses paths that leave the folder.
func TestExternal(t *testing.T) {
	// A model whose weight w lies at byte 4 of data/w.bin, written by hand: TensorProto fields 1, 2, 8, 13, 14.
	external := func(location string) []byte {
		entry := func(k, v string) string {
			b := "\x0a" + string(rune(len(k))) + k + "\x12" + string(rune(len(v))) + v
			return "\x6a" + string(rune(len(b))) + b
		}
		w := "\x08\x02\x10\x01\x42\x01w" + entry("location", location) + entry("offset", "4") + entry("length", "8") + "\x70\x01"
		m := &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 21}}, Graph: &onnx.Graph{Name: "g",
			Nodes:   []*onnx.Node{{Op: "Neg", Inputs: []string{"w"}, Outputs: []string{"y"}}},
			Outputs: []*onnx.ValueInfo{{Name: "y", Kind: "tensor", DType: tensor.Float32}}}}
		b := m.Marshal()
		graphBytes := "\x2a" + string(rune(len(w))) + w // field 5 of the graph, put at its end; the graph is field 7 of the model
		i := bytes.IndexByte(b, 0x3a)
		n := int(b[i+1])
		out := append([]byte{}, b[:i+1]...)
		out = append(out, byte(n+len(graphBytes)))
		out = append(out, b[i+2:i+2+n]...)
		out = append(out, graphBytes...)
		return append(out, b[i+2+n:]...)
	}
	folder := fstest.MapFS{"data/w.bin": {Data: []byte{9, 9, 9, 9, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40}}}
	b := external("data/w.bin")
	g := decode(t, b, onnx.DecodeOptions{External: files.In(folder)})
	if got := eval(t, g, storeOf(t, g))[0].Float32s(); got[0] != -1 || got[1] != -2 {
		t.Errorf("got %v, want [-1 -2]", got)
	}
	for location, want := range map[string]string{"../w.bin": "not a file below", "/w.bin": "not a file below", "gone.bin": "gone.bin"} {
		_, err := onnx.Decode(external(location), onnx.DecodeOptions{Operators: op.Full, External: files.In(folder)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", location, err)
		}
	}
	if _, err := onnx.Decode(b, onnx.DecodeOptions{Operators: op.Full}); err == nil || !strings.Contains(err.Error(), "give the model's folder") {
		t.Errorf("without a folder: %v", err)
	}
}

// FuzzDecode decodes arbitrary bytes; what is accepted must survive writing and reading.
func FuzzDecode(f *testing.F) {
	g, _, _ := lenet()
	if b, err := onnx.Encode(g, nil, onnx.EncodeOptions{}); err == nil {
		f.Add(b[:400])
	}
	small := graph.New()
	x := small.Input("x", tensor.Float32, small.Symbol("N"), 2)
	small.Output(op.Relu(op.MatMul(x, small.Variable("w", tensor.From([]float32{1, 2, 3, 4}, 2, 2), true))))
	if b, err := onnx.Encode(small, nil, onnx.EncodeOptions{}); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := onnx.Decode(b, onnx.DecodeOptions{Operators: op.Full})
		if err != nil {
			return
		}
		c, err := onnx.Encode(g, nil, onnx.EncodeOptions{})
		if err != nil {
			return
		}
		if _, err := onnx.Decode(c, onnx.DecodeOptions{Operators: op.Full}); err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
	})
}
