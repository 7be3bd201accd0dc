package onnx

import (
	"io"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The version of the format and of ONNX's operators that files are written with; newer operators raise the second.
const (
	irVersion   = 10
	writtenWith = 21
)

// EncodeOptions are the settings of [Encode].
type EncodeOptions struct {
	// Training also writes the graph's updates and what only they need, as a training algorithm. Operators of the domain weft
	// are kept in it, so that reading it back gives the same program.
	Training bool
}

// Encode writes a graph as a model file, with the variables' data from the store or, where the store
// is nil or does not have them, their initial elements. Without [EncodeOptions.Training] updates and whatever only they need are left out. The same graph
// and data give the same bytes.
func Encode(g *graph.Graph, store *graph.Store, opt EncodeOptions) ([]byte, error) {
	m, err := NewModel(g, store, opt)
	if err != nil {
		return nil, err
	}
	return m.Marshal(), nil
}

// EncodeTo is Encode to an io.Writer; the weights are not copied.
func EncodeTo(w io.Writer, g *graph.Graph, store *graph.Store, opt EncodeOptions) error {
	m, err := NewModel(g, store, opt)
	if err != nil {
		return err
	}
	_, err = m.WriteTo(w)
	return err
}

// NewModel returns the messages that Encode writes; their tensors share the store's data.
func NewModel(g *graph.Graph, store *graph.Store, opt EncodeOptions) (m *Model, err error) {
	defer tensor.Catch(&err)
	g = expand(g, opt.Training)
	e := &encoder{store: store, names: map[*graph.Value]string{}, used: map[string]bool{}, nodeNames: map[string]bool{}, opset: writtenWith}
	m = &Model{IRVersion: irVersion, Producer: "weft", Meta: g.Meta}
	m.Graph = &Graph{Name: g.Name}
	if m.Graph.Name == "" {
		m.Graph.Name = "weft"
	}
	main := nodesOf(g, g.Outputs)
	var rest map[*graph.Node]bool
	if opt.Training {
		rest = g.Reachable()
	}
	e.nameAll(g, main, rest)
	part := func(mg *Graph, own, other map[*graph.Node]bool, outs []*graph.Value) {
		var nodes []*graph.Node
		for _, n := range g.Nodes {
			if own[n] && !other[n] {
				nodes = append(nodes, n)
			}
		}
		e.part(mg, g, nodes, outs)
	}
	part(m.Graph, main, nil, g.Outputs)
	if opt.Training && len(g.Updates) > 0 {
		t := &Training{Algorithm: &Graph{Name: "update"}}
		outs := make([]*graph.Value, len(g.Updates))
		for i, u := range g.Updates {
			outs[i] = u.Value
		}
		for _, u := range g.Updates { // a variable that is only written is state all the same
			e.initializer(t.Algorithm, u.Var.Value)
		}
		part(t.Algorithm, rest, main, outs)
		for i, o := range t.Algorithm.Outputs {
			t.UpdateBinding = append(t.UpdateBinding, graph.MetaEntry{Key: e.names[g.Updates[i].Var.Value], Value: o.Name})
		}
		m.Training = []*Training{t}
	}
	m.Opsets = append(m.Opsets, Opset{Version: int64(e.opset)})
	for _, d := range e.domains {
		m.Opsets = append(m.Opsets, Opset{Domain: d, Version: 1})
	}
	return m, nil
}

// nodesOf returns the nodes that the values depend on.
func nodesOf(g *graph.Graph, values []*graph.Value) map[*graph.Node]bool {
	h := graph.Graph{Outputs: values}
	return h.Reachable()
}

// encoder turns a graph into messages.
type encoder struct {
	store     *graph.Store
	names     map[*graph.Value]string
	used      map[string]bool
	nodeNames map[string]bool
	placed    map[*graph.Value]bool // initializers and constants already written
	host      map[*graph.Value]bool
	read      map[*graph.Value]bool // by a node that is written
	domains   []string
	opset     int
	outer     *encoder
}

// name gives a value its name in the file: its own where nothing else has it.
func (e *encoder) name(v *graph.Value) {
	if v == nil || e.names[v] != "" {
		return
	}
	e.names[v] = e.unique(v.Name)
}

func (e *encoder) unique(base string) string {
	if base == "" {
		base = "v"
	}
	name := base
	for i := 1; e.taken(name); i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	e.used[name] = true
	return name
}

// taken reports whether a name is used here or around a subgraph, where ONNX forbids to use it again.
func (e *encoder) taken(name string) bool {
	return e.used[name] || e.outer != nil && e.outer.taken(name)
}

// nameAll names what others refer to first, so that clashes rename inner values only.
func (e *encoder) nameAll(g *graph.Graph, sets ...map[*graph.Node]bool) {
	for _, v := range g.Inputs {
		e.name(v)
	}
	for _, v := range g.Vars {
		e.name(v.Value)
	}
	for _, v := range g.Outputs {
		e.name(v)
	}
	e.host, e.placed, e.read = map[*graph.Value]bool{}, map[*graph.Value]bool{}, map[*graph.Value]bool{}
	in := func(n *graph.Node) bool {
		for _, s := range sets {
			if s[n] {
				return true
			}
		}
		return len(sets) == 0
	}
	for _, n := range g.Nodes {
		if !in(n) {
			continue
		}
		for _, v := range n.Inputs {
			e.name(v)
			e.read[v] = true
		}
		for _, v := range n.Outputs {
			e.name(v)
		}
		for _, i := range n.Def.HostInputs {
			if i < len(n.Inputs) {
				e.host[n.Inputs[i]] = true
			}
		}
	}
}

// part writes the given nodes and what they read.
func (e *encoder) part(m *Graph, g *graph.Graph, nodes []*graph.Node, outs []*graph.Value) {
	inputs := map[*graph.Value]bool{}
	use := func(v *graph.Value) {
		if v == nil {
			return
		}
		switch v.Origin {
		case graph.FromInput:
			inputs[v] = true
		case graph.FromVar, graph.FromConst:
			e.initializer(m, v)
		}
	}
	if len(g.Updates) == 0 { // an input that nothing reads is kept, unless it is one of the training step
		for _, v := range g.Inputs {
			inputs[v] = true
		}
	}
	read := map[*graph.Value]bool{}
	for _, n := range nodes {
		for _, v := range n.Inputs {
			read[v] = true
		}
	}
	for _, v := range outs {
		read[v] = true
	}
	for _, v := range g.Vars { // in the order of the graph, not of use
		if read[v.Value] {
			e.initializer(m, v.Value)
		}
	}
	for _, n := range nodes {
		for _, v := range n.Inputs {
			use(v)
		}
	}
	for _, v := range outs {
		e.name(v)
		use(v)
	}
	for _, n := range nodes {
		m.Nodes = append(m.Nodes, e.node(n))
	}
	for _, v := range g.Inputs[:len(g.Inputs)-g.Captured] {
		if inputs[v] && !e.placed[v] {
			e.placed[v] = true
			m.Inputs = append(m.Inputs, e.valueInfo(v, e.names[v]))
		}
	}
	own := map[*graph.Node]bool{}
	for _, n := range nodes {
		own[n] = true
	}
	seen := map[*graph.Value]bool{}
	for _, v := range outs {
		name := e.names[v]
		if v.Origin != graph.FromNode || !own[v.Node] || seen[v] { // ONNX wants every output made by a node of its own
			id := e.unique(name + "_out")
			m.Nodes = append(m.Nodes, &Node{Name: e.nodeName(id), Op: "Identity", Inputs: []string{name}, Outputs: []string{id}})
			name = id
		}
		seen[v] = true
		m.Outputs = append(m.Outputs, e.valueInfo(v, name))
	}
}

func (e *encoder) valueInfo(v *graph.Value, name string) *ValueInfo {
	i := &ValueInfo{Name: name, Kind: "tensor", DType: v.DType, HasRank: v.HasRank}
	if !v.HasRank {
		return i
	}
	for _, d := range v.Shape {
		dim := Dim{Size: int64(d)}
		if d < 0 {
			dim = Dim{Size: -1, Symbol: v.G.SymbolName(d)}
		}
		i.Shape = append(i.Shape, dim)
	}
	return i
}

// initializer writes a variable or constant once. What reading would take for something else is marked, and floating-point
// constants with axes become Constant nodes.
func (e *encoder) initializer(m *Graph, v *graph.Value) {
	if e.placed[v] {
		return
	}
	e.placed[v] = true
	e.name(v)
	def := e.outer == nil && defaultVariable(v.DType, len(v.Shape), e.host[v])
	if v.Origin == graph.FromConst {
		t := NewTensor(e.names[v], v.Const)
		if !def {
			m.Initializers = append(m.Initializers, t)
			return
		}
		t.Name = ""
		m.Nodes = append(m.Nodes, &Node{Name: e.nodeName(e.names[v]), Op: "Constant", Outputs: []string{e.names[v]},
			Attrs: []*Attribute{{Name: "value", Kind: graph.AttrTensor, T: t}}})
		return
	}
	data := v.Var.Init
	if e.store != nil {
		if t := e.store.Get(v.Var.Name); t != nil {
			data = t
		}
	}
	if data == nil {
		fail("variable ", strconv.Quote(v.Var.Name), " has no data")
	}
	if data.DType() != v.DType || !tensor.SameShape(data.Shape(), v.Var.Shape) {
		panic(&tensor.Error{Op: "onnx", Msg: "variable " + strconv.Quote(v.Var.Name) + " of " + v.DType.String() + " has data of " + data.DType().String() + " in the store",
			Shapes: [][]int{v.Var.Shape, data.Shape()}})
	}
	t := NewTensor(e.names[v], data)
	if !def || !v.Var.Trainable {
		t.Meta = []graph.MetaEntry{{Key: trainableMark, Value: strconv.FormatBool(v.Var.Trainable)}}
	}
	m.Initializers = append(m.Initializers, t)
}

func (e *encoder) nodeName(base string) string {
	name := base
	for i := 1; e.nodeNames[name]; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	e.nodeNames[name] = true
	return name
}

func (e *encoder) node(n *graph.Node) *Node {
	d := n.Def
	switch d.Domain {
	case "":
		e.opset = max(e.opset, d.First)
	default:
		known := false
		for _, s := range e.domains {
			known = known || s == d.Domain
		}
		if !known {
			e.domains = append(e.domains, d.Domain)
		}
	}
	m := &Node{Name: e.nodeName(n.Name), Op: d.Name, Domain: d.Domain}
	captured := 0
	for i := range n.Attrs {
		if n.Attrs[i].G != nil {
			captured = n.Attrs[i].G.Captured
		}
	}
	formal := n.Inputs[:len(n.Inputs)-captured]
	for i := range n.Attrs {
		m.Attrs = append(m.Attrs, e.attr(&n.Attrs[i], n.Inputs[len(formal):]))
	}
	for _, v := range formal {
		m.Inputs = append(m.Inputs, e.names[v]) // "" for nil
	}
	for len(m.Inputs) > 0 && m.Inputs[len(m.Inputs)-1] == "" {
		m.Inputs = m.Inputs[:len(m.Inputs)-1]
	}
	for i, v := range n.Outputs {
		if i < d.MaxOut-d.Hidden || d.Hidden == 0 || e.read[v] {
			m.Outputs = append(m.Outputs, e.names[v])
		}
	}
	for d.Hidden > 0 && m.Outputs[len(m.Outputs)-1] == "" {
		m.Outputs = m.Outputs[:len(m.Outputs)-1]
	}
	return m
}

func (e *encoder) attr(a *graph.Attr, captured []*graph.Value) *Attribute {
	m := &Attribute{Name: a.Name, Kind: a.Kind, F: a.F, I: a.I, S: a.S, Floats: a.Floats, Ints: a.Ints, Strings: a.Strings}
	if a.T != nil {
		m.T = NewTensor("", a.T)
	}
	if g := a.G; g != nil {
		sub := &encoder{names: map[*graph.Value]string{}, used: map[string]bool{}, nodeNames: map[string]bool{}, outer: e, opset: e.opset, domains: e.domains}
		for i, v := range g.Inputs[len(g.Inputs)-g.Captured:] {
			sub.names[v] = e.names[captured[i]]
		}
		m.G = &Graph{Name: g.Name}
		if m.G.Name == "" {
			m.G.Name = "body"
		}
		sub.nameAll(g)
		sub.part(m.G, g, g.Nodes, g.Outputs)
		e.opset, e.domains = sub.opset, sub.domains
	}
	return m
}
