package graph

import (
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// Graph is a directed acyclic graph of nodes over values, with variables and their updates.
// It is not safe for concurrent building.
type Graph struct {
	Name    string
	Nodes   []*Node // in an order in which every input precedes its readers
	Inputs  []*Value
	Outputs []*Value
	Vars    []*Variable
	Updates []Update
	Meta    []MetaEntry // metadata of a model file, in file order
	// Captured is, in a graph that is an attribute of a node (the bodies of If, Loop, Scan), how many of the last inputs stand
	// for values of the graph around it. The node has them as its own last inputs, so that every dependency is
	// an edge; all bodies of one node have the same ones in the same order.
	Captured int

	symbols []string
	names   map[string]int
	scope   []string
}

// MetaEntry is one key and value of a model's metadata.
type MetaEntry struct{ Key, Value string }

// New returns an empty graph.
func New() *Graph { return &Graph{names: map[string]int{}} }

// Origin says where a value comes from.
type Origin uint8

const (
	FromNode Origin = iota
	FromInput
	FromConst
	FromVar
)

// Value is an edge of the graph: a tensor that a node, an input, a constant or a variable gives.
type Value struct {
	Type
	Name   string
	G      *Graph
	Origin Origin
	Node   *Node // FromNode: its producer
	Index  int   // FromNode: which output; FromInput: which input
	Var    *Variable
}

// Variable is named state: weights, optimizer slots, running statistics, step counters.
type Variable struct {
	Name      string
	DType     tensor.DType
	Shape     []int
	Init      *tensor.Tensor // initial elements; Store.Init copies them
	Trainable bool           // gradients of it are wanted by default
	Value     *Value
}

// Update assigns the value to the variable at the end of a run, after every read of it.
type Update struct {
	Var   *Variable
	Value *Value
}

// Node is an application of an operator.
type Node struct {
	Def     *Def
	Name    string
	Attrs   []Attr
	Inputs  []*Value // nil where an optional input is omitted
	Outputs []*Value // nil where an optional output is not used
	ID      int      // unique in its graph; also the random stream of random operators
}

// describe returns how errors call a node: `Conv "features/conv1"`.
func (n *Node) describe() string {
	if n.Name == "" {
		return n.Def.FullName()
	}
	return n.Def.FullName() + " " + strconv.Quote(n.Name)
}

// Describe returns how errors call a node: its operator and, where it has one, its name.
func (n *Node) Describe() string { return n.describe() }

// attr returns the attribute, its default, or nil.
func (n *Node) attr(name string) *Attr {
	for i := range n.Attrs {
		if n.Attrs[i].Name == name {
			return &n.Attrs[i]
		}
	}
	for i := range n.Def.Attrs {
		if d := &n.Def.Attrs[i]; d.Name == name && d.Default.Kind != 0 {
			return &d.Default
		}
	}
	return nil
}

// HasAttr reports whether the node sets the attribute or its Def gives it a default.
func (n *Node) HasAttr(name string) bool { return n.attr(name) != nil }

// Int returns an int attribute or its declared default (0 when there is neither).
func (n *Node) Int(name string) int {
	if a := n.attr(name); a != nil {
		return int(a.I)
	}
	return 0
}

// Float returns a float attribute or its declared default.
func (n *Node) Float(name string) float32 {
	if a := n.attr(name); a != nil {
		return a.F
	}
	return 0
}

// Str returns a string attribute or its declared default.
func (n *Node) Str(name string) string {
	if a := n.attr(name); a != nil {
		return a.S
	}
	return ""
}

// Ints returns an ints attribute or its declared default, nil when absent.
func (n *Node) Ints(name string) []int {
	a := n.attr(name)
	if a == nil {
		return nil
	}
	out := make([]int, len(a.Ints))
	for i, v := range a.Ints {
		out[i] = int(v)
	}
	return out
}

// Floats returns a floats attribute, nil when absent.
func (n *Node) Floats(name string) []float32 {
	if a := n.attr(name); a != nil {
		return a.Floats
	}
	return nil
}

// TensorAttr returns a tensor attribute, nil when absent.
func (n *Node) TensorAttr(name string) *tensor.Tensor {
	if a := n.attr(name); a != nil {
		return a.T
	}
	return nil
}

// Symbol returns the dimension that stands for the named symbol, such as "N".
func (g *Graph) Symbol(name string) int {
	for i, s := range g.symbols {
		if s == name {
			return -2 - i
		}
	}
	g.symbols = append(g.symbols, name)
	return -1 - len(g.symbols)
}

// SymbolName returns the name of a symbolic dimension, "" for others.
func (g *Graph) SymbolName(dim int) string {
	if i := -2 - dim; i >= 0 && i < len(g.symbols) {
		return g.symbols[i]
	}
	return ""
}

// Unique returns a name that starts with base and no value or node of the graph has yet.
func (g *Graph) Unique(base string) string {
	for _, s := range g.scope {
		base = s + "/" + base
	}
	n, taken := g.names[base]
	if !taken {
		g.names[base] = 1
		return base
	}
	for {
		name := base + "_" + strconv.Itoa(n)
		n++
		if _, t := g.names[name]; !t {
			g.names[base] = n
			g.names[name] = 1
			return name
		}
	}
}

// Scope prefixes the names of everything f adds with "name/".
func (g *Graph) Scope(name string, f func()) {
	old := g.scope
	g.scope = append([]string{name}, old...)
	defer func() { g.scope = old }()
	f()
}

// Input adds an input. Dimensions may be symbols or Unknown.
func (g *Graph) Input(name string, d tensor.DType, shape ...int) *Value {
	v := &Value{Type: Type{DType: d, Shape: append([]int{}, shape...), HasRank: true}, Name: g.Unique(name), G: g, Origin: FromInput, Index: len(g.Inputs)}
	g.Inputs = append(g.Inputs, v)
	return v
}

// Const adds a constant; the tensor must not change afterwards.
func (g *Graph) Const(t *tensor.Tensor) *Value { return g.NamedConst("const", t) }

// NamedConst is Const with a name.
func (g *Graph) NamedConst(name string, t *tensor.Tensor) *Value {
	return &Value{Type: Type{DType: t.DType(), Shape: t.Shape(), HasRank: true, Const: t.Contiguous()}, Name: g.Unique(name), G: g, Origin: FromConst}
}

// Variable adds a variable with its initial elements. The name must be new in the graph.
func (g *Graph) Variable(name string, init *tensor.Tensor, trainable bool) *Value {
	full := g.Unique(name)
	v := &Variable{Name: full, DType: init.DType(), Shape: init.Shape(), Init: init.Contiguous(), Trainable: trainable}
	v.Value = &Value{Type: Type{DType: v.DType, Shape: v.Shape, HasRank: true}, Name: full, G: g, Origin: FromVar, Var: v}
	g.Vars = append(g.Vars, v)
	return v.Value
}

// Update records variable <- value, applied at the end of a run; types and shapes must agree.
func (g *Graph) Update(variable, value *Value) {
	if variable.Origin != FromVar {
		tensor.Fail("Graph.Update", "the target ", strconv.Quote(variable.Name), " is not a variable")
	}
	if variable.DType != value.DType || (value.HasRank && !compatible(variable.Shape, value.Shape)) {
		panic(&tensor.Error{Op: "Graph.Update", Msg: "variable " + strconv.Quote(variable.Name) + " of " + variable.DType.String() + " and its new value of " + value.DType.String() + " differ",
			Shapes: [][]int{variable.Shape, value.Shape}})
	}
	for _, u := range g.Updates {
		if u.Var == variable.Var {
			tensor.Fail("Graph.Update", "variable ", strconv.Quote(variable.Name), " is updated twice")
		}
	}
	g.Updates = append(g.Updates, Update{variable.Var, value})
}

func compatible(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && a[i] >= 0 && b[i] >= 0 {
			return false
		}
	}
	return true
}

// Output marks a value as an output of the graph.
func (g *Graph) Output(v *Value) { g.Outputs = append(g.Outputs, v) }

// TrainableVars returns the values of the trainable variables in the order they were added.
func (g *Graph) TrainableVars() []*Value {
	var out []*Value
	for _, v := range g.Vars {
		if v.Trainable {
			out = append(out, v.Value)
		}
	}
	return out
}

// Add applies an operator with one output. It panics with *tensor.Error when the inputs do not fit.
func (g *Graph) Add(def *Def, attrs []Attr, inputs ...*Value) *Value {
	return g.AddN(def, "", 1, attrs, inputs...)[0]
}

// AddN applies an operator with the given number of outputs and a node name ("" names it after the operator).
func (g *Graph) AddN(def *Def, name string, outputs int, attrs []Attr, inputs ...*Value) []*Value {
	n := &Node{Def: def, Name: name, Attrs: attrs, Inputs: inputs, ID: len(g.Nodes)}
	if n.Name == "" {
		n.Name = g.Unique(def.Name)
	}
	n.check(outputs)
	for _, v := range inputs {
		if v != nil && v.G != g {
			tensor.Fail(n.describe(), "input ", strconv.Quote(v.Name), " belongs to another graph")
		}
	}
	n.Outputs = make([]*Value, outputs)
	types := n.InferTypes(inputTypes(n), outputs)
	for i, t := range types {
		vn := n.Name
		if i > 0 {
			vn += ":" + strconv.Itoa(i)
		}
		n.Outputs[i] = &Value{Type: t, Name: vn, G: g, Origin: FromNode, Node: n, Index: i}
	}
	g.Nodes = append(g.Nodes, n)
	return n.Outputs
}

func inputTypes(n *Node) []Type {
	in := make([]Type, len(n.Inputs))
	for i, v := range n.Inputs {
		if v != nil {
			in[i] = v.Type
		}
	}
	return in
}

// InferTypes runs the shape rule on the given input types.
func (n *Node) InferTypes(in []Type, outputs int) []Type { return new(InferCtx).Infer(n, in, outputs) }

// Infer is [Node.InferTypes] in the memory of c: the types are valid until its next use.
func (c *InferCtx) Infer(n *Node, in []Type, outputs int) []Type {
	c.Node, c.In = n, in
	if cap(c.Out) < outputs {
		c.Out = make([]Type, outputs)
	}
	c.Out = c.Out[:outputs]
	clear(c.Out)
	if n.Def.Infer == nil {
		tensor.Fail(n.describe(), "the operator has no shape rule")
	}
	n.Def.Infer(c)
	n.constOutputs(c)
	for i := range c.Out {
		if c.Out[i].DType == tensor.Undefined {
			tensor.Fail(n.describe(), "the operator has no output ", i)
		}
	}
	return c.Out
}

// check validates counts and attributes against the Def.
func (n *Node) check(outputs int) {
	d := n.Def
	given := len(n.Inputs)
	if given < d.MinIn || (d.MaxIn >= 0 && given > max(d.MaxIn, d.MinIn)) {
		want := strconv.Itoa(d.MinIn)
		if d.MaxIn < 0 {
			want += " or more"
		} else if d.MaxIn > d.MinIn {
			want += " to " + strconv.Itoa(d.MaxIn)
		}
		tensor.Fail(n.describe(), "takes ", want, " inputs, got ", given)
	}
	for i := 0; i < d.MinIn; i++ {
		if n.Inputs[i] == nil {
			tensor.Fail(n.describe(), "input ", i, " is required")
		}
	}
	if lo, hi := max(d.MinOut, 1), max(d.MaxOut, 1); outputs < lo || (d.MaxOut >= 0 && outputs > hi) {
		tensor.Fail(n.describe(), "gives ", lo, " to ", hi, " outputs, asked for ", outputs)
	}
	for i := range n.Attrs {
		a, known := &n.Attrs[i], false
		for _, ad := range d.Attrs {
			if ad.Name == a.Name {
				known = true
				if ad.Kind != a.Kind {
					tensor.Fail(n.describe(), "attribute ", strconv.Quote(a.Name), " must be of kind ", ad.Kind.String(), ", not ", a.Kind.String())
				}
			}
		}
		if !known {
			tensor.Fail(n.describe(), "has no attribute ", strconv.Quote(a.Name))
		}
	}
	for _, ad := range d.Attrs {
		if ad.Required && n.attr(ad.Name) == nil {
			tensor.Fail(n.describe(), "attribute ", strconv.Quote(ad.Name), " is required")
		}
	}
}
