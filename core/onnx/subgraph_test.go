package onnx_test

import (
	"bytes"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// branch is an If whose condition is an attribute-free scalar: enough of the operator to run what the decoder makes of subgraphs.
var branch = graph.Def{
	Name: "If", MinIn: 1, MaxIn: -1,
	Attrs: []graph.AttrDef{{Name: "then_branch", Kind: graph.AttrGraph, Required: true}, {Name: "else_branch", Kind: graph.AttrGraph, Required: true}},
	Infer: func(c *graph.InferCtx) {
		c.Set(0, c.Node.Attrs[0].G.Outputs[0].DType, []int{2})
	},
	Ref: func(c *graph.RefCtx) {
		g := c.Node.Attrs[1].G
		if c.In[0].Int64sOf()[0] != 0 {
			g = c.Node.Attrs[0].G
		}
		out, err := graph.Eval(g, nil, c.In[1:], nil)
		if err != nil {
			c.Fail(err)
		}
		c.Out[0] = out[0]
	},
}

// TestSubgraph reads branches that use values of the graph around them, each another one and one in common, runs them, and
// writes them again.
func TestSubgraph(t *testing.T) {
	info := func(name string, d tensor.DType, dims ...onnx.Dim) *onnx.ValueInfo {
		return &onnx.ValueInfo{Name: name, Kind: "tensor", DType: d, HasRank: true, Shape: dims}
	}
	two := onnx.Dim{Size: 2}
	body := func(other string) *onnx.Graph {
		return &onnx.Graph{Name: "b",
			Nodes: []*onnx.Node{
				{Op: "Mul", Inputs: []string{"h", other}, Outputs: []string{other + "_p"}},
				{Op: "Add", Inputs: []string{other + "_p", "one"}, Outputs: []string{other + "_r"}},
			},
			Outputs: []*onnx.ValueInfo{info(other+"_r", tensor.Float32)}}
	}
	m := &onnx.Model{IRVersion: 10, Opsets: []onnx.Opset{{Version: 21}}, Graph: &onnx.Graph{Name: "g",
		Inputs: []*onnx.ValueInfo{info("c", tensor.Bool), info("x", tensor.Float32, two), info("z", tensor.Float32, two)},
		Initializers: []*onnx.Tensor{
			onnx.NewTensor("w", tensor.From([]float32{10, 20}, 2)),
			onnx.NewTensor("one", tensor.Scalar(float32(1))),
		},
		Nodes: []*onnx.Node{
			{Op: "Neg", Inputs: []string{"x"}, Outputs: []string{"h"}},
			{Name: "if", Op: "If", Inputs: []string{"c"}, Outputs: []string{"y"}, Attrs: []*onnx.Attribute{
				{Name: "then_branch", Kind: graph.AttrGraph, G: body("z")}, {Name: "else_branch", Kind: graph.AttrGraph, G: body("w")}}},
		},
		Outputs: []*onnx.ValueInfo{info("y", tensor.Float32)}}}
	var set []*graph.Def
	for _, d := range op.Full {
		if d.Name != branch.Name {
			set = append(set, d)
		}
	}
	opt := onnx.DecodeOptions{Operators: append(set, &branch)}
	b := m.Marshal()
	for range 2 {
		g, err := onnx.Decode(b, opt)
		if err != nil {
			t.Fatal(err)
		}
		n := g.Nodes[len(g.Nodes)-1]
		if len(n.Inputs) != 4 || n.Attrs[0].G.Captured != 3 || n.Attrs[1].G.Captured != 3 {
			t.Fatalf("the node has %d inputs, the branches capture %d and %d values", len(n.Inputs), n.Attrs[0].G.Captured, n.Attrs[1].G.Captured)
		}
		for cond, want := range map[bool][]float32{true: {-2, -7}, false: {-9, -39}} {
			got := eval(t, g, storeOf(t, g), tensor.From([]bool{cond}).Reshape(), tensor.From([]float32{1, 2}, 2), tensor.From([]float32{3, 4}, 2))
			if v := got[0].Float32s(); v[0] != want[0] || v[1] != want[1] {
				t.Errorf("branch %v gives %v, want %v", cond, v, want)
			}
		}
		c := encode(t, g, nil, onnx.EncodeOptions{})
		if h, err := onnx.Decode(c, opt); err != nil {
			t.Fatal(err)
		} else if d := encode(t, h, nil, onnx.EncodeOptions{}); !bytes.Equal(c, d) {
			t.Errorf("%d bytes became other %d bytes", len(c), len(d))
		}
		b = c
	}
}
