// Package keras builds models from layer descriptions as Keras and TensorFlow.js write them: kinds and settings in camel case,
// images [N, H, W, C], flattening in HWC order, "same" padding, Keras's default initialisers.
//
// Inside, the graph is channels-first like every other: a picture of one channel is only reshaped, others are transposed once at the edge, and a
// Flatten before a Dense layer moves nothing: the Dense layer's rows are kept in the order in which the features lie, and [Weight]
// gives and takes them in Keras's.
package keras
