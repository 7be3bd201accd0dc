package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/onnx/files"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/native/internal/picture"
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
	c, err := picture.Of(g)
	if err != nil {
		return nil, 0, fmt.Errorf("%s %w", path, err)
	}
	return c.Shape, c.Classes, nil
}
