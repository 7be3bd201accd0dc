// Package cnn is a small modern convolutional network: 3x3 convolutions in pairs, batch normalisation, dropout (the
// manner of Simonyan, Zisserman, "Very deep convolutional networks", ICLR 2015, and Ioffe, Szegedy, ICML 2015).
package cnn

import "github.com/weft-ml/weft/core/nn"

// New returns the layers for images of at least 24x24: two blocks of (Conv 3x3, BatchNorm, ReLU) twice, MaxPool 2, Dropout; with 24 and
// 48 filters; one block more of 64 filters; Dense 96 with BatchNorm and Dropout; Dense classes (logits).
func New(_ []int, classes int) nn.Layer {
	return nn.Sequential{
		conv(24, "conv1a"),
		conv(24, "conv1b"),
		nn.MaxPool2D{Size: 2},
		conv(48, "conv2a"),
		conv(48, "conv2b"),
		nn.MaxPool2D{Size: 2},
		nn.Dropout{Rate: 0.2},
		conv(64, "conv3"),
		nn.Flatten{},
		nn.Dense{Units: 96, NoBias: true, Name: "fc1"},
		nn.BatchNorm{Activation: nn.Relu, Name: "fc1.norm"},
		nn.Dropout{Rate: 0.3},
		nn.Dense{Units: classes, Name: "fc2"},
	}
}

// conv is a 3x3 convolution without padding, whose bias batch normalisation makes superfluous.
func conv(filters int, name string) nn.Layer {
	return nn.Sequential{
		nn.Conv2D{Filters: filters, Kernel: 3, NoBias: true, Name: name},
		nn.BatchNorm{Activation: nn.Relu, Name: name + ".norm"},
	}
}
