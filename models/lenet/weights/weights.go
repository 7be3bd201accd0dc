// Package weights holds the trained LeNet that comes along, for programs that carry their model with them.
package weights

import _ "embed"

// MNIST is mnist.onnx, a model file: images [N, 1, 28, 28], ink 1 on 0, give logits [N, 10]. See README.md for how it was trained. The
// bytes must not be written to.
//
//go:embed mnist.onnx
var MNIST []byte
