// Package op has the operators: one plain package variable of type [graph.Def] each, named Def
// and the operator's ONNX name (DefRelu), beside it a typed function that adds a node (Relu), and, where the
// operator has several attributes, a struct of options whose zero value means ONNX's defaults.
//
// A file holds one family. For each operator it has, side by side: the rule for shapes and types (Infer), the
// slow and obvious evaluation that defines the result (Ref), the gradient (Grad, with its formula and what it does at
// ties), the lowering to kernels of package simd (Lower, or Elem for elementwise operators, which the compiler fuses),
// and for operators of the domain "weft" their expression in ONNX's operators (Body).
//
// Operators of the domain "weft" are what ONNX has none for: gradients that pay as one kernel, optimizer
// updates, and the few shape-following operators (SumTo, ExpandLike, ReshapeLike) that let gradient rules
// work while dimensions are symbols.
//
// There is no registration: a program that names an operator's Def or function links it, and links nothing
// else. Core and Full (sets_gen.go, made by go generate) list the operators for programs that look them up by name.
package op
