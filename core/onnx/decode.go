package onnx

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Decode reads a model file as a graph. The initial elements of variables are views of b where possible, so b must not change
// while the graph is used.
func Decode(b []byte, opt DecodeOptions) (*graph.Graph, error) {
	m, err := Parse(b)
	if err != nil {
		return nil, err
	}
	return m.Build(opt)
}

// Build returns the model as a graph. The error names what is wrong with which node or tensor; for
// operators that the set does not have it lists all of them.
func (m *Model) Build(opt DecodeOptions) (g *graph.Graph, err error) {
	defer tensor.Catch(&err)
	if err := m.checkMissing(opt.Operators); err != nil {
		return nil, err
	}
	c := &converter{m: m, opt: opt, defs: defTable(opt.Operators)}
	g = graph.New()
	g.Name, g.Meta = m.Graph.Name, m.Meta
	s := &scope{c: c, g: g, vals: map[string]*graph.Value{}, opsets: m.Opsets}
	graphs := []*Graph{m.Graph}
	var update []graph.MetaEntry
	if opt.Training && len(m.Training) > 0 {
		if len(m.Training) > 1 {
			return nil, tensor.Err("onnx", "the model has ", len(m.Training), " training algorithms; files with one are supported")
		}
		if a := m.Training[0].Algorithm; a != nil {
			graphs, update = append(graphs, a), m.Training[0].UpdateBinding
		}
	}
	s.top(graphs, update)
	return g, nil
}

type opName struct{ domain, name string }

// maxNodes bounds what functions that call functions can expand to.
const maxNodes = 1 << 20

// converter turns messages into graphs.
type converter struct {
	m     *Model
	opt   DecodeOptions
	defs  map[opName]*graph.Def
	calls []*Function // being expanded
	nodes int
}

// scope is where names are looked up: the graph of the model, a subgraph, or a call of a function.
type scope struct {
	c      *converter
	g      *graph.Graph
	vals   map[string]*graph.Value
	opsets []Opset
	prefix string // of node and value names, in functions

	parent   *scope                // of a subgraph
	caps     *captures             // of a subgraph
	captured []*graph.Value        // of a subgraph: what stands in it for values around it
	attrs    map[string]*Attribute // of a function: the attributes of the call
	inFunc   bool
	omitted  []string // of a function: formal inputs, which the call may omit
}

// top converts the inference graph and, where given, the training algorithm that continues it.
func (s *scope) top(graphs []*Graph, update []graph.MetaEntry) {
	host := s.hostInputs(graphs)
	bound := map[string]bool{}
	for _, e := range update {
		bound[e.Key] = true
	}
	for _, g := range graphs {
		for _, t := range g.Initializers {
			v, err := t.Value(s.c.opt)
			if err != nil {
				panic(err)
			}
			s.initializer(t, v, host[t.Name], bound[t.Name])
		}
		for _, sp := range g.Sparse {
			v, err := sp.dense(s.c.opt)
			if err != nil {
				panic(err)
			}
			s.initializer(sp.Values, v, host[sp.Values.Name], bound[sp.Values.Name])
		}
	}
	for _, g := range graphs {
		for _, in := range g.Inputs {
			if s.vals[in.Name] == nil { // old files list initializers among the inputs
				v := s.g.Input(in.Name, s.inputType(in), s.shape(in)...)
				v.HasRank = in.HasRank
				s.define(in.Name, v)
			} else if s.vals[in.Name].Origin == graph.FromInput {
				fail("two inputs are called ", strconv.Quote(in.Name))
			}
		}
	}
	for _, g := range graphs {
		s.nodes(g.Nodes)
	}
	isUpdate := map[string]bool{}
	for _, e := range update {
		isUpdate[e.Value] = true
	}
	for i, g := range graphs {
		for _, o := range g.Outputs {
			if i == 0 || !isUpdate[o.Name] {
				s.g.Output(s.need(o.Name, "output"))
			}
		}
	}
	for _, e := range update {
		v := s.vals[e.Key]
		if v == nil || v.Origin != graph.FromVar {
			fail("the training algorithm updates ", strconv.Quote(e.Key), ", which is no initializer")
		}
		s.g.Update(v, s.need(e.Value, "update"))
	}
}

// fail panics with an error of this package; [Model.Build] returns it.
func fail(parts ...any) { tensor.Fail("onnx", parts...) }

func (s *scope) define(name string, v *graph.Value) {
	if name == "" {
		return
	}
	if s.vals[name] != nil {
		fail("the name ", strconv.Quote(name), " is given to two values")
	}
	s.vals[name] = v
}

func (s *scope) need(name, what string) *graph.Value {
	v := s.lookup(name)
	if v == nil {
		fail(what, " ", strconv.Quote(name), " is produced by no node, input or initializer")
	}
	return v
}

// inputType returns the element type of an input and checks that it is a tensor.
func (s *scope) inputType(in *ValueInfo) tensor.DType {
	switch {
	case in.Kind != "tensor" && in.Kind != "":
		fail("input ", strconv.Quote(in.Name), " is of type ", in.Kind, "; only tensors are supported")
	case in.DType == tensor.Undefined:
		fail("input ", strconv.Quote(in.Name), " has no element type")
	}
	return in.DType
}

// shape returns the shape of an input, nil when its rank is not stated.
func (s *scope) shape(in *ValueInfo) []int {
	if len(in.Shape) > tensor.MaxRank {
		fail("input ", strconv.Quote(in.Name), " has ", len(in.Shape), " dimensions, more than ", tensor.MaxRank)
	}
	out := make([]int, len(in.Shape))
	for i, d := range in.Shape {
		switch {
		case d.Size > tensor.MaxElements:
			fail("input ", strconv.Quote(in.Name), " has the impossible dimension ", d.Size)
		case d.Size >= 0:
			out[i] = int(d.Size)
		case d.Symbol != "":
			out[i] = s.g.Symbol(d.Symbol)
		default:
			out[i] = graph.Unknown
		}
	}
	return out
}

// trainableMark is the key under which a tensor's metadata says "true" or "false" where what a
// variable is differs from the default decision; "const" marks a constant.
const trainableMark = "weft.trainable"

// defaultVariable is the default decision of [DecodeOptions.Variable]: weights have an axis; scalars are the constants of formulas.
func defaultVariable(d tensor.DType, rank int, host bool) bool {
	switch d {
	case tensor.Float32, tensor.Float64, tensor.Float16, tensor.BFloat16:
		return rank > 0 && !host
	}
	return false
}

func (s *scope) initializer(t *Tensor, v *tensor.Tensor, host, bound bool) {
	variable := defaultVariable(v.DType(), v.Rank(), host)
	trainable := variable
	switch find(t.Meta, trainableMark) {
	case "true":
		variable, trainable = true, true
	case "false":
		variable, trainable = true, false
	case "const":
		variable, trainable = false, false
	}
	if s.c.opt.Variable != nil {
		variable, trainable = s.c.opt.Variable(t.Name, v, variable, trainable)
	}
	if s.vals[t.Name] != nil {
		fail("two initializers are called ", strconv.Quote(t.Name))
	}
	if variable || bound {
		s.vals[t.Name] = s.g.Variable(t.Name, v, trainable)
	} else {
		s.vals[t.Name] = s.g.NamedConst(t.Name, v)
	}
}

// hostInputs returns the names of values that operators need when shapes are inferred.
func (s *scope) hostInputs(graphs []*Graph) map[string]bool {
	host := map[string]bool{}
	for _, g := range graphs {
		for _, n := range g.Nodes {
			d := s.c.defs[opName{n.Domain, n.Op}]
			if d == nil {
				continue
			}
			for _, i := range d.HostInputs {
				if i < len(n.Inputs) {
					host[n.Inputs[i]] = true
				}
			}
		}
	}
	return host
}

// nodes converts nodes in order.
func (s *scope) nodes(nodes []*Node) {
	for i, n := range nodes {
		s.node(i, n)
	}
}

func (n *Node) describe(i int, opsets []Opset) string {
	d := "node " + strconv.Itoa(i)
	if n.Name != "" {
		d += " " + strconv.Quote(n.Name)
	}
	op := n.Op
	if n.Domain != "" {
		op = n.Domain + "." + n.Op
	}
	return d + " (" + op + ", opset " + strconv.Itoa(opsetOf(opsets, n.Domain)) + ", byte " + strconv.Itoa(n.off) + ")"
}

// node converts one node; errors get its place in the file.
func (s *scope) node(i int, n *Node) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *tensor.Error:
			if e.Op != "onnx" { // not yet located
				msg := e.Msg
				if e.Op != "" {
					msg = e.Op + ": " + msg
				}
				e = &tensor.Error{Op: "onnx", Msg: n.describe(i, s.opsets) + ": " + msg, Shapes: e.Shapes}
			}
			panic(e)
		default:
			panic(e)
		}
	}()
	if s.c.nodes++; s.c.nodes > maxNodes {
		fail("the model's functions expand to more than ", maxNodes, " nodes")
	}
	if fn := s.c.function(n); fn != nil {
		s.call(n, fn)
		return
	}
	attrs := s.attributes(n)
	if n.Op == "Constant" && n.Domain == "" {
		s.constant(n, attrs)
		return
	}
	def := s.c.defs[opName{n.Domain, n.Op}]
	if def == nil {
		tensor.Fail("", "operator ", n.Op, " is not in this build")
	}
	inputs := make([]*graph.Value, len(n.Inputs))
	for k, name := range n.Inputs {
		if name == "" {
			continue
		}
		if inputs[k] = s.lookup(name); inputs[k] == nil && !slices.Contains(s.omitted, name) {
			tensor.Fail("", "input ", strconv.Quote(name), " is produced by nothing before this node")
		}
	}
	for len(inputs) > 0 && inputs[len(inputs)-1] == nil {
		inputs = inputs[:len(inputs)-1]
	}
	nout := len(n.Outputs)
	for nout > 1 && n.Outputs[nout-1] == "" {
		nout--
	}
	if nout == 0 {
		return // a node that gives nothing has no effect
	}
	ga, captured := s.convertAttrs(attrs)
	inputs = append(inputs, captured...)
	u := &graph.UpgradeCtx{G: s.g, Version: opsetOf(s.opsets, n.Domain), Attrs: ga, Inputs: inputs, NumOut: nout, Self: def, Set: s.c.opt.Operators}
	if u.Version < 6 {
		u.Remove("consumed_inputs") // a hint of opsets 1 to 5
	}
	if def.Upgrade != nil && u.Version < def.Since {
		def.Upgrade(u)
	}
	outs := u.Outputs
	if outs == nil {
		name := s.prefix + n.Name
		if n.Name == "" {
			name = ""
		}
		outs = s.g.AddN(def, name, max(u.NumOut, 1), u.Attrs, u.Inputs...)
	}
	for k, v := range outs {
		switch {
		case v == nil || k >= len(n.Outputs):
		case n.Outputs[k] != "":
			if v.Origin == graph.FromNode {
				v.Name = s.prefix + n.Outputs[k]
				s.g.Unique(v.Name) // names added later stay apart from it
			}
			s.define(n.Outputs[k], v)
		case u.Outputs == nil && k > 0:
			v.Node.Outputs[k] = nil
		}
	}
}
