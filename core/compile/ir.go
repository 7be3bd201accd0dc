package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// val is a value during the structure stage. Its shadow is what Defs see: the original value's name and origin with
// the type as refined by folding.
type val struct {
	graph.Value
	unit    *unit // producer
	index   int   // input, variable or constant number; output number of the producer
	readers []*unit
	root    bool // an output or the source of an update
	id      int32
}

// unit is an application of an operator during the structure stage.
type unit struct {
	n     *graph.Node // shadow: the original's Def, attributes and ID over shadow values
	in    []*val      // nil where omitted
	out   []*val      // never nil; unused ones have no readers
	act   graph.Act   // fused activation
	actN  *graph.Node // the node it came from
	elem  graph.ElemOp
	group *group // the elementwise chain it belongs to
	live  bool
	still bool // it depends on nothing but weights
}

// pvalue is a value of a finished program.
type pvalue struct {
	typ    graph.Type
	name   string
	origin graph.Origin
	index  int   // number of the input, variable or constant; output number of the producer
	node   int32 // FromNode: position of the producing node
	op     int32 // FromNode: which operator of the node's chain
}

// pop is an operator of a finished program.
type pop struct {
	n    *graph.Node
	in   []int32 // value ids, -1 where omitted
	out  []int32
	elem graph.ElemOp
}

// pnode is a schedulable node: one operator, or a chain of elementwise ones.
type pnode struct {
	ops   []pop
	act   graph.Act
	actN  *graph.Node // the activation's node, for when the operator has no kernel for the shapes at hand
	chain bool
}

// update assigns a value to a variable at the end of a run.
type update struct {
	variable int // index into Program.cells
	value    int32
}

// structure is what the structure stage makes: it holds nothing that depends on input shapes.
type structure struct {
	vals    []pvalue
	nodes   []pnode
	inputs  []int32 // value id per graph input, -1 when nothing reads it
	outputs []int32
	updates []update
	vars    []*graph.Variable
	varVals []int32 // value id per variable, -1 when nothing reads it
	consts  []*tensor.Tensor
}

// known reports whether every dimension of a type is known.
func known(t graph.Type) bool {
	if !t.HasRank || t.DType == tensor.String || t.DType == tensor.Undefined {
		return false
	}
	for _, d := range t.Shape {
		if d < 0 {
			return false
		}
	}
	return true
}

// sameDims reports whether two shapes are certainly equal: unknown dimensions differ from everything.
func sameDims(a, b graph.Type) bool {
	if !a.HasRank || !b.HasRank || len(a.Shape) != len(b.Shape) {
		return false
	}
	for i, d := range a.Shape {
		if d != b.Shape[i] || d == graph.Unknown {
			return false
		}
	}
	return true
}

// isSame reports whether output 0 of a node is its input 0, of the given types.
func isSame(n *graph.Node, in, out []graph.Type) bool {
	f := n.Def.Same
	return f != nil && len(in) > 0 && len(out) > 0 && in[0].DType == out[0].DType && sameDims(in[0], out[0]) && f(n, in, out)
}
