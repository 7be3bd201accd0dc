// Package lenet5 is LeNet-5 in the layer sizes of LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
// document recognition" (1998), section II.B.
package lenet5

import "github.com/weft-ml/weft/core/nn"

// New returns the layers: C1 6@5x5 over the image padded by 2 (the paper's 32x32 input), S2 average pooling 2; C3 16@5x5, S4
// average pooling 2; C5 120@5x5; F6 84; classes (logits), with tanh between. Unlike the paper's, C3 reads all
// maps of S2, the pooling has no weights of its own and the output layer is linear: 61,706 parameters for 28x28x1 images and ten classes.
func New(_ []int, classes int) nn.Layer {
	glorot := nn.GlorotUniform
	return nn.Sequential{
		nn.Conv2D{Filters: 6, Kernel: 5, Pads: []int{2, 2, 2, 2}, Activation: nn.Tanh, Init: glorot, Name: "c1"},
		nn.AveragePool2D{Size: 2},
		nn.Conv2D{Filters: 16, Kernel: 5, Activation: nn.Tanh, Init: glorot, Name: "c3"},
		nn.AveragePool2D{Size: 2},
		nn.Conv2D{Filters: 120, Kernel: 5, Activation: nn.Tanh, Init: glorot, Name: "c5"},
		nn.Flatten{},
		nn.Dense{Units: 84, Activation: nn.Tanh, Init: glorot, Name: "f6"},
		nn.Dense{Units: classes, Init: glorot, Name: "output"},
	}
}
