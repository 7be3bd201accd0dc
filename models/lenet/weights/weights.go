// Package weights holds LeNet as trained on MNIST, for programs that bring it along; README.md has the command and the accuracy.
package weights

import _ "embed"

// MNIST is an ONNX file: input [N 1 28 28], ink 1 on paper 0, output ten logits.
//
//go:embed mnist.onnx
var MNIST []byte
