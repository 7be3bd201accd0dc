// Package net runs LeNet for the window: an answer to a drawn digit, and the maps of its layers.
package net

import (
	"fmt"
	"slices"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data/preprocess/ink"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Size is the width and height of the network's input, Classes the number of its outputs.
const (
	Size    = ink.Size
	Classes = 10
)

// Layer is what a layer gives for the last input: Shape is [channels height width] or [units]. Data belongs to the network and is
// valid until the next run.
type Layer struct {
	Name  string
	Shape []int
	Data  []float32
}

// Net is a classifier of digits. It is used by one goroutine.
type Net struct {
	rt     *compile.Runtime
	store  *graph.Store
	answer *compile.Program
	inside *compile.Program
	layers []Layer
	x      *tensor.Tensor
}

// Load reads a model file that takes [N 1 28 28] and gives ten logits.
func Load(model []byte) (n *Net, err error) {
	defer tensor.Catch(&err)
	g, err := decode(model)
	if err != nil {
		return nil, err
	}
	n = &Net{store: graph.NewStore(), x: tensor.New(tensor.Float32, 1, 1, Size, Size),
		// One image is too little work to share.
		rt: compile.NewRuntime(compile.RuntimeOptions{Threads: 1})}
	if err := n.store.Init(g); err != nil {
		return nil, err
	}
	if n.answer, err = compile.Compile(n.rt, g, n.store, compile.Options{}); err != nil {
		n.Close()
		return nil, err
	}
	tap := graph.New()
	in := tap.Input(g.Inputs[0].Name, tensor.Float32, g.Inputs[0].Shape...)
	all := *g
	all.Outputs = nil
	for _, v := range shown(g) {
		all.Outputs = append(all.Outputs, v)
		n.layers = append(n.layers, Layer{Name: title(v.Node)})
	}
	for _, v := range tap.Inline(&all, []*graph.Value{in}) {
		tap.Output(v)
	}
	if n.inside, err = compile.Compile(n.rt, tap, n.store, compile.Options{}); err != nil {
		n.Close()
		return nil, err
	}
	// The first run binds and packs weights: that is no business of the first frame.
	if _, err := n.answer.Run(n.x); err == nil {
		_, err = n.inside.Run(n.x)
	}
	return n, err
}

// decode reads a model and checks what it takes and gives.
func decode(model []byte) (*graph.Graph, error) {
	g, err := onnx.Decode(model, onnx.DecodeOptions{Operators: op.Core})
	if err != nil {
		return nil, err
	}
	if len(g.Inputs) != 1 || len(g.Outputs) < 1 {
		return nil, fmt.Errorf("the model has %d inputs and %d outputs; a classifier of digits has one of each", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if in.DType != tensor.Float32 || len(in.Shape) != 4 || !slices.Equal(in.Shape[1:], []int{1, Size, Size}) {
		return nil, fmt.Errorf("the model takes %v %v; a classifier of digits takes float32 [N 1 %d %d]", in.DType, in.Shape, Size, Size)
	}
	if len(out.Shape) != 2 || out.Shape[1] != Classes {
		return nil, fmt.Errorf("the model gives %v; a classifier of digits gives [N %d]", out.Shape, Classes)
	}
	return g, nil
}

// shown lists the values to look at: those of layers, behind their activations where they have one.
func shown(g *graph.Graph) (out []*graph.Value) {
	for _, n := range g.Nodes {
		v := n.Outputs[0]
		switch n.Def.Name {
		case "Conv", "MaxPool", "AveragePool", "Gemm", "MatMul", "Add":
			if len(v.Shape) == 4 || len(v.Shape) == 2 {
				out = append(out, v)
			}
		case "Relu", "Tanh", "Sigmoid":
			if len(out) > 0 && out[len(out)-1] == n.Inputs[0] {
				out[len(out)-1] = v
			}
		}
	}
	return out
}

// title is the kind of the layer that ends in a node.
func title(n *graph.Node) string {
	for {
		switch n.Def.Name {
		case "Conv":
			return "Convolution"
		case "MaxPool":
			return "Max pooling"
		case "AveragePool":
			return "Average pooling"
		case "Gemm", "MatMul", "Add":
			return "Dense"
		}
		if len(n.Inputs) == 0 || n.Inputs[0].Node == nil {
			return n.Def.Name
		}
		n = n.Inputs[0].Node
	}
}

// Answer returns the logits for a digit as [ink.Plane] prepares it.
func (n *Net) Answer(x *[Size * Size]float32) (logits [Classes]float32, err error) {
	copy(n.x.Float32s(), x[:])
	out, err := n.answer.Run(n.x)
	if err != nil {
		return logits, err
	}
	copy(logits[:], out[0].Float32s())
	return logits, nil
}

// Inside returns what every layer gives, the logits last.
func (n *Net) Inside(x *[Size * Size]float32) ([]Layer, error) {
	copy(n.x.Float32s(), x[:])
	out, err := n.inside.Run(n.x)
	if err != nil {
		return nil, err
	}
	for i, t := range out {
		n.layers[i].Shape, n.layers[i].Data = t.Shape()[1:], t.Float32s()
	}
	return n.layers, nil
}

// SetWeights takes the weights of another model of the same layers; on an error the network is as it was.
func (n *Net) SetWeights(model []byte) error {
	g, err := decode(model)
	if err != nil {
		return err
	}
	if len(g.Vars) != len(n.store.Cells()) {
		return fmt.Errorf("the model has %d variables, not %d: its layers are others", len(g.Vars), len(n.store.Cells()))
	}
	for _, v := range g.Vars {
		have := n.store.Get(v.Name)
		if have == nil || !slices.Equal(have.Shape(), v.Shape) {
			return fmt.Errorf("the model's variable %s %v is not one of this network's", v.Name, v.Shape)
		}
	}
	for _, v := range g.Vars {
		if err := n.store.Set(v.Name, v.Init); err != nil {
			return err
		}
	}
	return nil
}

// Close gives the memory back.
func (n *Net) Close() {
	n.rt.Close()
}
