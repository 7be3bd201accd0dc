// Package picture is what the command line and the server share of classifying pictures: which models take them, how a PNG or
// a JPEG becomes their input, and how their output becomes probabilities.
package picture

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weft-ml/weft/core/data/imagefolder"
	"github.com/weft-ml/weft/core/data/preprocess"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// Classifier is what there is to know of a model that takes one float32 input [N, ...] and gives logits, or probabilities, [N, classes] first.
type Classifier struct {
	Shape   []int // of one sample
	Classes int
	Softmax bool // the output is Softmax's: probabilities in place of logits
}

// Of returns the classifier that a graph is; the error, which follows the model's name, says why it is none.
func Of(g *graph.Graph) (Classifier, error) {
	if len(g.Inputs) != 1 || len(g.Outputs) < 1 {
		return Classifier{}, fmt.Errorf("has %d inputs and %d outputs; a classifier has one input and logits as its output", len(g.Inputs), len(g.Outputs))
	}
	in, out := g.Inputs[0], g.Outputs[0]
	if in.DType != tensor.Float32 || !in.HasRank || len(in.Shape) < 2 || !out.HasRank || len(out.Shape) != 2 || out.Shape[1] < 2 {
		return Classifier{}, fmt.Errorf("takes %s %s and gives %s %s; a classifier takes float32 [N, ...] and gives logits [N, classes]",
			in.DType, g.ShapeString(in.Shape), out.DType, g.ShapeString(out.Shape))
	}
	for _, d := range in.Shape[1:] {
		if d < 1 {
			return Classifier{}, fmt.Errorf("takes %s; all dimensions but the first must be known", g.ShapeString(in.Shape))
		}
	}
	return Classifier{in.Shape[1:], out.Shape[1], out.Node != nil && out.Node.Def.FullName() == "Softmax"}, nil
}

// Pictures reports whether samples are pictures, [1 H W] or [3 H W].
func (c Classifier) Pictures() bool {
	return len(c.Shape) == 3 && (c.Shape[0] == 1 || c.Shape[0] == 3)
}

// Digits reports whether the model tells ten classes of [1 28 28] apart, as those trained on MNIST do.
func (c Classifier) Digits() bool {
	return c.Classes == 10 && c.drawn()
}

// drawn reports whether samples are of MNIST's kind.
func (c Classifier) drawn() bool {
	return slices.Equal(c.Shape, []int{1, preprocess.Size, preprocess.Size})
}

// Prepare decodes a PNG or JPEG of at most maxPixels pixels and writes what the model takes to dst. A picture for a model of
// MNIST's kind is cropped and centred as MNIST's were, unless raw; others are resized.
func (c Classifier) Prepare(dst []float32, file []byte, maxPixels int, raw bool) error {
	img, err := imagefolder.DecodeBytes(file, maxPixels)
	if err != nil {
		return err
	}
	if !raw && c.drawn() {
		v, err := preprocess.MNISTLike(img)
		if err != nil {
			return err
		}
		copy(dst, v[:])
		return nil
	}
	imagefolder.Into(dst, img, c.Shape[2], c.Shape[1], c.Shape[0] == 1)
	return nil
}

// Best returns the probabilities that one row of the output stands for, and the first class that has the highest.
func (c Classifier) Best(row []float32) (class int, probabilities []float64, err error) {
	probabilities = make([]float64, len(row))
	if c.Softmax {
		for i, v := range row {
			probabilities[i] = float64(v)
		}
	} else {
		train.Softmax(probabilities, row)
	}
	class = slices.Index(probabilities, slices.Max(probabilities)) // the maximum is NaN where any is
	if class < 0 {
		return 0, nil, errors.New("the model gives NaN: are its weights broken?")
	}
	return class, probabilities, nil
}
