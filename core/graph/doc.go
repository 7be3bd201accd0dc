// Package graph is Weft's intermediate representation: ONNX's graphs with variables, and the
// operator definitions ([Def]) that everything else loops over.
//
// A [Graph] holds nodes whose operators have the names, attributes and semantics of the ONNX
// operator specification. ONNX is single-assignment; training needs state, so a graph also has
// variables: a [Variable] is read as a [Value], and an update (variable <- value) applies after its last
// reader, as ONNX's TrainingInfoProto.update_binding does. The data of variables lives in a [Store],
// which training and evaluation graphs share by name.
//
// Dimensions are ints: >= 0 is a size, [Unknown] is unknown, and what [Graph.Symbol] returns is a
// named symbol such as "N". Shapes are inferred twice by the same rule ([Def.Infer]): while the graph is
// built, with what is known then, and again when a program is bound to concrete input shapes.
//
// Gradients are graph nodes (see core/op.Gradients), so gradients of gradients work.
package graph
