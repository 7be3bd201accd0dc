// Package onnx reads and writes ONNX models.
//
// [Decode] turns a file into a [graph.Graph] and [Encode] turns a graph into a file. The graph is what the file says:
// nodes keep their operators, names and attributes, symbolic dimensions keep their names. What differs:
//
//   - Floating-point initializers become variables, so that a loaded model can be trained; integer initializers,
//     scalars and Constant nodes become constants.
//   - Nodes of older operator sets are brought to the operator's current version by its own rule
//     ([graph.Def].Upgrade).
//   - Calls of functions that the file defines are replaced by the functions' nodes.
//   - Values that a subgraph (of If, Loop, Scan) reads from around it become inputs of the node and of the
//     subgraph; see [graph.Graph].Captured.
//   - Operators of the domain weft are written as the ONNX operators that express them.
//
// A training step is a graph with updates; it is written as ONNX's TrainingInfoProto, whose algorithm
// graph continues the inference graph.
//
// The same graph and weights give the same bytes: nothing of the time, the place or the program's build is
// written. Weights are views of the given bytes where these are aligned to the element type.
//
// [Parse] gives the messages of a file without looking up its operators, which is how a loader learns what a
// model needs ([Model.Missing]).
package onnx
