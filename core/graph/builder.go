package graph

import (
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Builder is what [Def.Lower] works with: the concrete shapes and addresses of one node, and the step table that its
// steps go to. Operands are contiguous, row-major and aligned to 64 bytes at their start, except graph inputs and
// constants, which are aligned to their element size only.
type Builder interface {
	// NumIn and NumOut return how many operands the node has, omitted ones counted.
	NumIn() int
	NumOut() int
	// In returns the address of input i, prog.None when it is omitted.
	In(i int) prog.Ref
	InType(i int) tensor.DType // Undefined when omitted
	InShape(i int) []int
	// InConst returns the elements of input i when they are known at bind time (axes, target shapes, scalars), else nil.
	InConst(i int) *tensor.Tensor
	// Out returns the address of output i, prog.None when it is unused.
	Out(i int) prog.Ref
	OutType(i int) tensor.DType
	OutShape(i int) []int

	// Scratch returns memory shared by the steps of this node only.
	Scratch(bytes int) prog.Ref
	// Pack returns the address of a packed copy of input i, made by the given step, whose A[0] is set to the packed
	// copy and A[1] to the input. For a constant the step runs once; for a variable that this program does not update it runs
	// when the variable's version has changed; otherwise it runs in place, before the steps that follow.
	// Copies that are kept are shared by all programs of a runtime; the step reads nothing but the input.
	Pack(i, bytes int, s prog.Step) prog.Ref
	// Keeps reports whether Pack keeps a copy of input i from run to run, so that packing may cost more than one use of it is worth.
	Keeps(i int) bool
	// Epilogue returns the activation that was fused into this node (see Def.TakesAct); simd.ActNone when there is none.
	Epilogue() Act
	// Rand returns the address of the run's random state: seed and step, two uint64s.
	Rand() prog.Ref
	// Threads returns how many workers a run may use.
	Threads() int
	// Emit appends a step. Steps run in order; each starts when all tiles of the one before are done.
	Emit(s prog.Step)
}
