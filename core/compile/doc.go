// Package compile turns graphs into programs and runs them.
//
// Compilation has two stages. [Compile] is the structure stage, once per graph: bodies of composed operators are expanded,
// constants folded, equal nodes shared, dead ones dropped, activations moved into the operators that can apply
// them, and elementwise operators gathered into chains. Binding, once per set of input shapes and kept in a small
// cache, infers concrete shapes, finds what can share memory, lowers every node to steps and places all
// intermediate values in one arena. Binding happens inside [Program.Run] and makes no passes over the structure.
//
// A [Runtime] owns what all its programs share: the arena, as large as the largest program needs, the allocator with its
// budget, and a pool of worker goroutines. One program of a runtime runs at a time.
//
// A program computes what graph.Eval defines, in float32 kernels; with any number of threads it gives the same bits.
package compile
