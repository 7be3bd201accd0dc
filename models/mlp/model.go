// Package mlp is a multilayer perceptron for images.
package mlp

import "github.com/weft-ml/weft/core/nn"

// New returns the layers: flatten; Dense 256, ReLU; Dense 128, ReLU; Dense classes (logits).
func New(_ []int, classes int) nn.Layer {
	return nn.Sequential{
		nn.Flatten{},
		nn.Dense{Units: 256, Activation: nn.Relu, Name: "fc1"},
		nn.Dense{Units: 128, Activation: nn.Relu, Name: "fc2"},
		nn.Dense{Units: classes, Name: "fc3"},
	}
}
