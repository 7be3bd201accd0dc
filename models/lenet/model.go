// Package lenet is the LeNet that Weft trains first: the architecture of LeCun, Bottou, Bengio, Haffner,
// "Gradient-based learning applied to document recognition" (1998) in the modern form with ReLU and max pooling.
package lenet

import "github.com/weft-ml/weft/core/nn"

// New returns the layers for images of at least 16x16: Conv 6@5x5 valid, ReLU; MaxPool 2; Conv 16@5x5 valid, ReLU;
// MaxPool 2; flatten (256 for 28x28); Dense 120, ReLU; Dense classes (logits). 28x28x1 images and ten classes give 34,622 parameters.
func New(_ []int, classes int) nn.Layer {
	return nn.Sequential{
		nn.Conv2D{Filters: 6, Kernel: 5, Activation: nn.Relu, Name: "conv1"},
		nn.MaxPool2D{Size: 2},
		nn.Conv2D{Filters: 16, Kernel: 5, Activation: nn.Relu, Name: "conv2"},
		nn.MaxPool2D{Size: 2},
		nn.Flatten{},
		nn.Dense{Units: 120, Activation: nn.Relu, Name: "fc1"},
		nn.Dense{Units: classes, Name: "fc2"},
	}
}
