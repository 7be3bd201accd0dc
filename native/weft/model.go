package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/onnx/files"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// loadModel reads an ONNX file and its variables.
func loadModel(path string) (*graph.Graph, *graph.Store, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	g, err := onnx.Decode(b, onnx.DecodeOptions{Operators: op.Full, External: files.In(os.DirFS(filepath.Dir(path)))})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return g, store, nil
}

// classifier returns the shape of one sample and the number of classes of a model that takes one float32
// input [N, ...] and gives logits [N, classes] first.
func classifier(path string, g *graph.Graph) (shape []int, classes int, err error) {
	if len(g.Inputs) != 1 || len(g.Outputs) < 1 {
		return nil, 0, fmt.Errorf("%s has %d inputs and %d outputs; a classifier has one input and logits as its output", path, len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if in.DType != tensor.Float32 || !in.HasRank || len(in.Shape) < 2 || !out.HasRank || len(out.Shape) != 2 || out.Shape[1] < 2 {
		return nil, 0, fmt.Errorf("%s takes %s %s and gives %s %s; a classifier takes float32 [N, ...] and gives logits [N, classes]", path,
			in.DType, g.ShapeString(in.Shape), out.DType, g.ShapeString(out.Shape))
	}
	for _, d := range in.Shape[1:] {
		if d < 1 {
			return nil, 0, fmt.Errorf("%s takes %s; all dimensions but the first must be known", path, g.ShapeString(in.Shape))
		}
	}
	return in.Shape[1:], out.Shape[1], nil
}
