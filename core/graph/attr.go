package graph

import "github.com/weft-ml/weft/core/tensor"

// AttrKind is the type of an attribute; the values are those of ONNX's AttributeProto.AttributeType.
type AttrKind uint8

const (
	AttrFloat   AttrKind = 1
	AttrInt     AttrKind = 2
	AttrString  AttrKind = 3
	AttrTensor  AttrKind = 4
	AttrGraph   AttrKind = 5
	AttrFloats  AttrKind = 6
	AttrInts    AttrKind = 7
	AttrStrings AttrKind = 8
)

var attrKindNames = [...]string{"undefined", "float", "int", "string", "tensor", "graph", "floats", "ints", "strings"}

// String returns the kind's name in lower case.
func (k AttrKind) String() string {
	if int(k) < len(attrKindNames) {
		return attrKindNames[k]
	}
	return "unknown"
}

// Attr is a named constant of a node.
type Attr struct {
	Name    string
	Kind    AttrKind
	F       float32
	I       int64
	S       string
	T       *tensor.Tensor
	G       *Graph
	Floats  []float32
	Ints    []int64
	Strings []string
}

// Int returns an attribute of kind int.
func Int(name string, v int) Attr { return Attr{Name: name, Kind: AttrInt, I: int64(v)} }

// Bool returns an attribute of kind int that is 1 or 0, as ONNX spells flags.
func Bool(name string, v bool) Attr {
	if v {
		return Int(name, 1)
	}
	return Int(name, 0)
}

// Float returns an attribute of kind float.
func Float(name string, v float32) Attr { return Attr{Name: name, Kind: AttrFloat, F: v} }

// Str returns an attribute of kind string.
func Str(name, v string) Attr { return Attr{Name: name, Kind: AttrString, S: v} }

// Ints returns an attribute of kind ints.
func Ints(name string, v ...int) Attr {
	a := Attr{Name: name, Kind: AttrInts, Ints: make([]int64, len(v))}
	for i, x := range v {
		a.Ints[i] = int64(x)
	}
	return a
}

// Floats returns an attribute of kind floats.
func Floats(name string, v ...float32) Attr { return Attr{Name: name, Kind: AttrFloats, Floats: v} }

// Tensor returns an attribute of kind tensor.
func Tensor(name string, t *tensor.Tensor) Attr { return Attr{Name: name, Kind: AttrTensor, T: t} }

// AttrDef declares an attribute of an operator: its kind, and its default when it is optional.
type AttrDef struct {
	Name     string
	Kind     AttrKind
	Required bool
	Default  Attr // used when the node does not set it; its zero value means "absent"
}
