package onnx

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Model is a ModelProto: the messages of a file as they are, with operators by name.
type Model struct {
	IRVersion       int64
	Producer        string
	ProducerVersion string
	Domain          string
	Version         int64
	Doc             string
	Graph           *Graph
	Opsets          []Opset
	Meta            []graph.MetaEntry
	Training        []*Training
	Functions       []*Function
}

// Opset names the version of a domain's operators that a model or function uses; ONNX's own domain is "".
type Opset struct {
	Domain  string
	Version int64
}

// Graph is a GraphProto.
type Graph struct {
	Name         string
	Nodes        []*Node
	Initializers []*Tensor
	Sparse       []*Sparse
	Inputs       []*ValueInfo
	Outputs      []*ValueInfo
	Values       []*ValueInfo
}

// Node is a NodeProto.
type Node struct {
	Name     string
	Op       string
	Domain   string
	Overload string
	Inputs   []string // "" where an optional input is omitted
	Outputs  []string
	Attrs    []*Attribute
	off      int
}

// Attribute is an AttributeProto.
type Attribute struct {
	Name    string
	Ref     string // in functions: the attribute of the call whose value this takes
	Kind    graph.AttrKind
	F       float32
	I       int64
	S       string
	T       *Tensor
	G       *Graph
	Sparse  *Sparse
	Floats  []float32
	Ints    []int64
	Strings []string
	// Other names what kind of attribute it is when it is none of the above: lists of tensors or graphs, types.
	Other string
}

// ValueInfo is a ValueInfoProto: the name and type of an input, output or inner value.
type ValueInfo struct {
	Name    string
	Kind    string // "tensor"; or "sequence", "map", "optional", "sparse tensor", "opaque"; "" when no type is given
	DType   tensor.DType
	Shape   []Dim
	HasRank bool
	off     int
}

// Dim is a dimension: a size, or with Size -1 a symbol, or unknown when the symbol is empty.
type Dim struct {
	Size   int64
	Symbol string
}

// Training is a TrainingInfoProto.
type Training struct {
	Initialization *Graph
	Algorithm      *Graph
	InitBinding    []graph.MetaEntry // variable, output of Initialization
	UpdateBinding  []graph.MetaEntry // variable, output of Algorithm
}

// Function is a FunctionProto: an operator that the model defines by a graph.
type Function struct {
	Domain, Name, Overload string
	Inputs, Outputs        []string
	Attrs                  []string     // names of attributes without default
	Defaults               []*Attribute // attributes with their defaults
	Nodes                  []*Node
	Opsets                 []Opset
}

// Sparse is a SparseTensorProto.
type Sparse struct {
	Values  *Tensor
	Indices *Tensor
	Dims    []int64
}

// Tensor is a TensorProto; [Tensor.Value] gives its elements.
type Tensor struct {
	Name  string
	DType tensor.DType
	Dims  []int64
	Raw   []byte // raw_data; nil when the elements are elsewhere
	Meta  []graph.MetaEntry

	hasRaw   bool
	segment  bool
	external bool
	location []graph.MetaEntry
	// The typed fields, in packed form.
	floats, int32s, int64s, doubles, uint64s []byte
	strings                                  []string
	off                                      int // in the file
	rawOff                                   int
}

// domain returns the canonical name of an operator domain.
func domain(d string) string {
	if d == "ai.onnx" {
		return ""
	}
	return d
}
