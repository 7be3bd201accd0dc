package compile

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// structurer is the state of the structure stage.
type structurer struct {
	opt    Options
	g      *graph.Graph
	units  []*unit
	inputs []*val
	vars   []*val
	consts []*val
	roots  []*val // outputs, then update values
	shared map[shareKey][]*unit
	small  map[string]*val // small constants by their type and elements
}

// structureOf runs the structure stage. It panics with *tensor.Error when the graph does not hold together.
func structureOf(g *graph.Graph, opt Options) *structure {
	c := &structurer{opt: opt, g: g, shared: map[shareKey][]*unit{}, small: map[string]*val{}}
	env := map[*graph.Value]*val{}
	for i, v := range g.Inputs {
		x := &val{Value: *v, index: i}
		c.inputs = append(c.inputs, x)
		env[v] = x
	}
	for i, v := range g.Vars {
		x := &val{Value: *v.Value, index: i}
		c.vars = append(c.vars, x)
		env[v.Value] = x
	}
	need := g.Reachable()
	for _, n := range g.Nodes {
		if need[n] {
			c.add(n, env)
		}
	}
	for _, v := range g.Outputs {
		c.roots = append(c.roots, c.resolve(v, env))
	}
	for _, u := range g.Updates {
		c.roots = append(c.roots, c.resolve(u.Value, env))
	}
	if !opt.NoFusion {
		c.fusePatterns()
		c.absorb()
		c.layout()
	}
	c.sweep()
	if !opt.NoFusion {
		c.fuseResiduals()
		c.fuseActs()
		c.fuseAfter()
		c.fuseChains()
	}
	c.chains()
	return c.finish()
}

// resolve returns the shadow of an original value.
func (c *structurer) resolve(v *graph.Value, env map[*graph.Value]*val) *val {
	if v == nil {
		return nil
	}
	if x := env[v]; x != nil {
		return x
	}
	if v.Origin != graph.FromConst {
		tensor.Fail("Compile", "value ", strconv.Quote(v.Name), " is not produced by the graph before it is read")
	}
	x := c.constant(v.Const, v.Name)
	env[v] = x
	return x
}

// constant returns a value with the given elements; small equal ones are one.
func (c *structurer) constant(t *tensor.Tensor, name string) *val {
	key := ""
	if t.DType() != tensor.String && t.Len() <= 64 {
		key = t.DType().String() + tensor.ShapeString(t.Shape()) + string(t.Bytes())
		if x := c.small[key]; x != nil {
			return x
		}
	}
	x := &val{Value: graph.Value{Type: graph.Type{DType: t.DType(), Shape: t.Shape(), HasRank: true, Const: t}, Name: name, G: c.g, Origin: graph.FromConst}, index: len(c.consts)}
	c.consts = append(c.consts, x)
	if key != "" {
		c.small[key] = x
	}
	return x
}

// add brings one node into the structure: expanded, folded, dropped as a no-op, shared with an equal one, or as a new unit.
func (c *structurer) add(n *graph.Node, env map[*graph.Value]*val) {
	in := make([]*val, len(n.Inputs))
	types := make([]graph.Type, len(n.Inputs))
	shadow := *n
	shadow.Inputs = make([]*graph.Value, len(n.Inputs))
	for i, v := range n.Inputs {
		if x := c.resolve(v, env); x != nil {
			in[i], types[i], shadow.Inputs[i] = x, x.Type, &x.Value
		}
	}
	if d := n.Def; d.Lower == nil && d.Body != nil && !d.View && d.Same == nil && !isElem(&shadow) && c.expand(n, in, env) {
		return
	}
	outTypes := shadow.InferTypes(types, len(n.Outputs))
	if len(in) > 1 && !c.opt.NoFusion && isElem(&shadow) {
		c.unrepeat(&shadow, in, types, outTypes)
	}
	if outs := c.fold(&shadow, types, outTypes); outs != nil {
		for i, v := range n.Outputs {
			if v != nil {
				env[v] = outs[i]
			}
		}
		return
	}
	if in0 := firstOf(in); in0 != nil && onlyFirst(n.Outputs) && isSame(&shadow, types, outTypes) {
		env[n.Outputs[0]] = in0
		return
	}
	if u := c.find(&shadow, in); u != nil {
		for i, v := range n.Outputs {
			if v != nil {
				env[v] = u.out[i]
				u.n.Outputs[i] = &u.out[i].Value
			}
		}
		return
	}
	u := &unit{n: &shadow, in: in, out: make([]*val, len(n.Outputs))}
	shadow.Outputs = make([]*graph.Value, len(n.Outputs))
	for i, v := range n.Outputs {
		x := &val{unit: u, index: i}
		x.Value = graph.Value{Type: outTypes[i], G: c.g, Origin: graph.FromNode, Node: &shadow, Index: i}
		u.out[i] = x
		if v != nil {
			x.Name = v.Name
			env[v] = x
			shadow.Outputs[i] = &x.Value
		}
	}
	c.settle(u)
	c.share(u)
	c.units = append(c.units, u)
}

func firstOf(in []*val) *val {
	if len(in) == 0 {
		return nil
	}
	return in[0]
}

// onlyFirst reports whether output 0 is the only one that is used.
func onlyFirst(out []*graph.Value) bool {
	for i, v := range out {
		if (v != nil) != (i == 0) {
			return false
		}
	}
	return len(out) > 0
}

func isElem(n *graph.Node) bool {
	if n.Def.Elem == nil {
		return false
	}
	_, ok := n.Def.Elem(n)
	return ok
}

// unrepeat has an elementwise node read one element where an operator repeats it to the size of the other operands, which gives what they have anyway.
func (c *structurer) unrepeat(n *graph.Node, in []*val, types, out []graph.Type) {
	for i, x := range in {
		if x == nil || x.unit == nil || !x.unit.n.Def.Repeats {
			continue
		}
		one := x.unit.in[0]
		if size, ok := tensor.CheckedSize(one.Shape); !one.HasRank || !ok || size != 1 {
			continue
		}
		was := types[i]
		if types[i] = one.Type; !infers(n, types, out) {
			types[i] = was
			continue
		}
		in[i], n.Inputs[i] = one, &one.Value
	}
}

// infers reports whether a node takes inputs of the types and gives outputs of the others.
func infers(n *graph.Node, in, out []graph.Type) (ok bool) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *tensor.Error:
			ok = false
		default:
			panic(r)
		}
	}()
	for i, t := range n.InferTypes(in, len(out)) {
		if t.DType != out[i].DType || !t.HasRank || !out[i].HasRank || !slices.Equal(t.Shape, out[i].Shape) {
			return false
		}
	}
	return true
}

// expand replaces a node by its body. It reports false when the body cannot be written down before the shapes are
// known and the node can be evaluated without it.
func (c *structurer) expand(n *graph.Node, in []*val, env map[*graph.Value]*val) (ok bool) {
	if n.Def.Ref != nil {
		defer func() {
			switch r := recover().(type) {
			case nil:
			case *tensor.Error:
				ok = false
			default:
				panic(r)
			}
		}()
	}
	sub := graph.New()
	inner := map[*graph.Value]*val{}
	args := make([]*graph.Value, len(in))
	for i, x := range in {
		if x == nil {
			continue
		}
		a := sub.Input("in"+strconv.Itoa(i), x.DType, x.Shape...)
		a.Type = x.Type
		args[i], inner[a] = a, x
	}
	outs := n.Def.Body.Body(sub, n, args)
	for _, m := range sub.Nodes {
		c.add(m, inner)
	}
	for i, v := range n.Outputs {
		if v == nil {
			continue
		}
		if i >= len(outs) || outs[i] == nil {
			tensor.Fail(n.Describe(), "its body gives no output ", i)
		}
		x := c.resolve(outs[i], inner)
		if v.HasRank && !slices.Contains(v.Shape, graph.Unknown) && (!x.HasRank || slices.Contains(x.Shape, graph.Unknown)) {
			x.Shape, x.HasRank = v.Shape, true // of a shape that is computed the node may know more than its body
		}
		env[v] = x
	}
	return true
}

// sweep marks what outputs and updates depend on, drops the rest and lists every value's readers.
func (c *structurer) sweep() {
	var stack []*unit
	mark := func(x *val) {
		if x != nil && x.unit != nil && !x.unit.live {
			x.unit.live = true
			stack = append(stack, x.unit)
		}
	}
	for _, x := range c.roots {
		x.root = true
		mark(x)
	}
	for len(stack) > 0 {
		u := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, x := range u.in {
			mark(x)
		}
	}
	live := c.units[:0]
	for _, u := range c.units {
		if !u.live {
			continue
		}
		live = append(live, u)
		for _, x := range u.in {
			if x != nil {
				x.readers = append(x.readers, u)
			}
		}
	}
	c.units = live
}

// finish numbers the values and nodes.
func (c *structurer) finish() *structure {
	s := &structure{}
	number := func(x *val) int32 {
		if x == nil {
			return -1
		}
		if x.id == 0 {
			s.vals = append(s.vals, pvalue{typ: x.Type, name: x.Name, origin: x.Origin, index: x.index, node: -1})
			x.id = int32(len(s.vals))
			if x.Origin == graph.FromConst {
				s.vals[x.id-1].index = len(s.consts)
				s.consts = append(s.consts, x.Const)
			}
		}
		return x.id - 1
	}
	addOp := func(nd *pnode, u *unit) {
		o := pop{n: u.n, elem: u.elem, in: make([]int32, len(u.in)), out: make([]int32, len(u.out))}
		for i, x := range u.in {
			o.in[i] = number(x)
		}
		for i, x := range u.out {
			o.out[i] = -1
			if len(x.readers) > 0 || x.root {
				id := number(x)
				o.out[i] = id
				s.vals[id].node, s.vals[id].op = int32(len(s.nodes)), int32(len(nd.ops))
			}
		}
		nd.ops = append(nd.ops, o)
	}
	for _, u := range c.units {
		nd := pnode{act: u.act, actN: u.actN}
		if u.group != nil {
			if u.group.units[len(u.group.units)-1] != u {
				continue // a chain runs where its last member stands
			}
			nd.chain = true
			for _, m := range u.group.units {
				addOp(&nd, m)
			}
		} else {
			addOp(&nd, u)
		}
		s.nodes = append(s.nodes, nd)
	}
	for i := range c.inputs {
		s.inputs = append(s.inputs, -1)
		if x := c.inputs[i]; len(x.readers) > 0 || x.root {
			s.inputs[i] = number(x)
		}
	}
	s.vars = c.g.Vars
	for _, x := range c.vars {
		if len(x.readers) > 0 || x.root {
			s.varVals = append(s.varVals, number(x))
		} else {
			s.varVals = append(s.varVals, -1)
		}
	}
	for i := range c.g.Outputs {
		s.outputs = append(s.outputs, number(c.roots[i]))
	}
	for i, u := range c.g.Updates {
		k := 0
		for s.vars[k] != u.Var {
			k++
		}
		x := c.roots[len(c.g.Outputs)+i]
		if x == c.vars[k] {
			continue // the variable keeps its value
		}
		s.updates = append(s.updates, update{k, number(x)})
	}
	return s
}
