package api

import (
	"strings"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
)

// layerInfo is a line of a summary.
type layerInfo struct {
	name, kind string
	shape      []int
	params     int
}

// infos lists a model's layers: those it was made of, or, of a graph, its nodes.
func (m *model) infos() []layerInfo {
	var out []layerInfo
	if m.layers != nil {
		for _, l := range m.layers.Layers() {
			out = append(out, layerInfo{l.Name, l.Kind, l.OutputShape, l.Params})
		}
		return out
	}
	seen := map[*graph.Value]bool{}
	for _, n := range m.graphNodes() {
		params := 0
		for _, v := range n.node.Inputs {
			if v != nil && v.Origin == graph.FromVar && !seen[v] {
				seen[v] = true
				params += tensor.Size(v.Shape)
			}
		}
		shape := append([]int{}, n.node.Outputs[0].Shape...)
		for i, d := range shape {
			shape[i] = max(d, -1)
		}
		out = append(out, layerInfo{n.name, n.node.Def.Name, shape, params})
	}
	return out
}

// namedNode is a node of a graph that is shown as a layer.
type namedNode struct {
	name string
	node *graph.Node
}

// graphNodes returns the nodes that compute from the inputs, named after their weights where they have some: the Conv that reads
// conv1.weight is conv1. Reshapes that only arrange shapes are left out.
func (m *model) graphNodes() []namedNode {
	var out []namedNode
	from := map[*graph.Value]bool{}
	for _, v := range m.graph.Inputs {
		from[v] = true
	}
	taken := map[string]int{}
	for _, n := range m.graph.Nodes {
		on := false
		for _, v := range n.Inputs {
			on = on || v != nil && from[v]
		}
		if !on || n.Outputs[0] == nil {
			continue
		}
		for _, v := range n.Outputs {
			if v != nil {
				from[v] = true
			}
		}
		if d := n.Outputs[0].DType; !d.IsFloat() {
			continue
		}
		name := ""
		for _, v := range n.Inputs {
			if v != nil && v.Origin == graph.FromVar {
				name = v.Var.Name
				if i := strings.LastIndexAny(name, "./"); i > 0 {
					name = name[:i]
				}
				break
			}
		}
		if name == "" {
			if name = n.Name; name == "" {
				name = n.Def.Name
			}
			name = strings.ToLower(name[:1]) + name[1:]
		}
		if k := taken[name]; k > 0 {
			taken[name]++
			name += "_" + itoa(k)
		} else {
			taken[name] = 1
		}
		out = append(out, namedNode{name, n})
	}
	return out
}

// describe writes what a model is.
func (m *model) describe(s *Server, text bool) {
	w := &s.w
	infos := m.infos()
	total, trainable := 0, 0
	for _, v := range m.graph.Vars {
		n := tensor.Size(v.Shape)
		total += n
		if v.Trainable {
			trainable += n
		}
	}
	n := 7
	if text {
		n++
	}
	if m.kind == "loaded" {
		n += 3
	}
	w.fields(n)
	w.key("name")
	w.str(m.name)
	w.key("kind")
	w.str(m.kind)
	values := func(vs []*graph.Value) {
		w.list(len(vs))
		for i, v := range vs {
			name := v.Name
			if &vs[0] == &m.graph.Outputs[0] {
				name = m.net.OutputName(i)
			}
			w.fields(3)
			w.key("name")
			w.str(name)
			w.key("shape")
			w.shape(v.Shape)
			w.key("dtype")
			w.str(v.DType.String())
		}
	}
	w.key("inputs")
	values(m.graph.Inputs)
	w.key("outputs")
	values(m.graph.Outputs)
	w.key("layers")
	w.list(len(infos))
	for _, l := range infos {
		w.fields(4)
		w.key("name")
		w.str(l.name)
		w.key("kind")
		w.str(l.kind)
		w.key("outputShape")
		w.shape(l.shape)
		w.key("params")
		w.int(l.params)
	}
	w.key("params")
	w.int(total)
	w.key("trainableParams")
	w.int(trainable)
	if text {
		w.key("text")
		w.str(m.table(infos, total, trainable))
	}
	if m.kind == "loaded" {
		w.key("metadata")
		w.fields(len(m.meta))
		for _, e := range m.meta {
			w.key(e.Key)
			w.str(e.Value)
		}
		w.key("ops")
		w.list(len(m.ops))
		for _, o := range m.ops {
			w.str(o)
		}
		w.key("imageLike")
		w.bool(m.imageLike())
	}
}

// imageLike reports whether a loaded model takes one picture of 1 or 3 channels and gives one row of scores.
func (m *model) imageLike() bool {
	if len(m.graph.Inputs) != 1 || len(m.graph.Outputs) != 1 {
		return false
	}
	in, out := m.graph.Inputs[0].Shape, m.graph.Outputs[0].Shape
	channels := func(d int) bool { return d == 1 || d == 3 }
	return len(in) == 4 && len(out) == 2 && (channels(in[1]) || channels(in[3]))
}

// table is the summary as text.
func (m *model) table(infos []layerInfo, total, trainable int) string {
	rows := [][3]string{{"Layer", "Output shape", "Parameters"}}
	for _, l := range infos {
		shape := "["
		for i, d := range l.shape {
			if i > 0 {
				shape += ", "
			}
			if d < 0 {
				shape += "null"
			} else {
				shape += itoa(d)
			}
		}
		rows = append(rows, [3]string{l.name + " (" + l.kind + ")", shape + "]", itoa(l.params)})
	}
	var width [3]int
	for _, r := range rows {
		for i, c := range r {
			width[i] = max(width[i], len(c))
		}
	}
	rule := strings.Repeat("-", width[0]+width[1]+width[2]+4) + "\n"
	b := "Model " + m.name + "\n" + rule
	for k, r := range rows {
		b += r[0] + strings.Repeat(" ", width[0]-len(r[0])+2) + r[1] + strings.Repeat(" ", width[1]-len(r[1])+2+width[2]-len(r[2])) + r[2] + "\n"
		if k == 0 {
			b += rule
		}
	}
	b += rule + "Parameters: " + itoa(total)
	if trainable != total {
		b += " (" + itoa(trainable) + " trainable)"
	}
	return b + "\n"
}

func (s *Server) modelSummary(a val) error {
	lookup[*model](s, a.id("id"), "model").describe(s, true)
	return nil
}

// tapProgram gives the outputs of layers.
type tapProgram struct {
	prog  *compile.Program
	names []string
	kinds []string
}

func (m *model) dropTaps() {
	for _, t := range m.taps {
		t.prog.Close()
	}
	m.taps = nil
	if m.saliency != nil {
		m.saliency.Close()
		m.saliency = nil
	}
}

// tap returns the program that gives the outputs of the named layers, all where none is named.
func (m *model) tap(s *Server, names []string) (t *tapProgram, err error) {
	key := strings.Join(names, "\n")
	if t := m.taps[key]; t != nil {
		return t, nil
	}
	defer tensor.Catch(&err)
	g := graph.New()
	t = &tapProgram{}
	wanted := func(name string) bool {
		for _, n := range names {
			if n == name {
				return true
			}
		}
		return len(names) == 0
	}
	add := func(name, kind string, v *graph.Value) {
		if wanted(name) {
			t.names, t.kinds = append(t.names, name), append(t.kinds, kind)
			g.Output(v)
		}
	}
	var in []*graph.Value
	for _, v := range m.graph.Inputs {
		in = append(in, g.Input(v.Name, v.DType, v.Shape...))
		in[len(in)-1].HasRank = v.HasRank
	}
	if m.layers != nil {
		_, taps := m.layers.Taps(nn.NewContext(g, nn.Options{Store: m.store}), in)
		for _, x := range taps {
			add(x.Name, x.Kind, x.Value)
		}
	} else {
		nodes := m.graphNodes()
		all := *m.graph
		all.Outputs = nil
		for _, n := range nodes {
			all.Outputs = append(all.Outputs, n.node.Outputs[0])
		}
		for i, v := range g.Inline(&all, in) {
			add(nodes[i].name, nodes[i].node.Def.Name, v)
		}
	}
	if len(names) > 0 && len(t.names) < len(names) {
		fail(codeArgument, "model.activations", "some of the layers ", join(names), " do not exist")
	}
	if t.prog, err = compile.Compile(s.runtime(), g, m.store, compile.Options{MaxBinds: 2}); err != nil {
		return nil, err
	}
	for _, v := range g.Vars {
		v.Init = nil
	}
	if m.taps == nil {
		m.taps = map[string]*tapProgram{}
	}
	if len(m.taps) >= 4 {
		for k, old := range m.taps {
			old.prog.Close()
			delete(m.taps, k)
		}
	}
	m.taps[key] = t
	return t, nil
}

// modelActivations writes what layers give for an input.
func (s *Server) modelActivations(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	var names []string
	for c := a.get("layers").first(); c.r != nil; c = c.after(a.get("layers")) {
		names = append(names, string(c.raw()))
	}
	t, err := m.tap(s, names)
	if err != nil {
		return err
	}
	out, err := t.prog.Run(m.ready(m.inputs(s, a.get("in")))...)
	if err != nil {
		return err
	}
	w := &s.w
	w.list(len(out))
	for i, x := range out {
		w.fields(3)
		w.key("name")
		w.str(t.names[i])
		w.key("kind")
		w.str(t.kinds[i])
		w.key("output")
		w.tensor(x)
	}
	return nil
}
