package api

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
)

func uitoa(n uint64) string { return strconv.FormatUint(n, 10) }

// recording turns recorded nodes into a graph.
type recording struct {
	s     *Server
	g     *graph.Graph
	env   map[uint64]*graph.Value
	ext   func(r *recording, id uint64) *graph.Value // what an id stands for that no node of the recording gives; nil: unknown
	vars  map[uint64]*graph.Value                    // variables read or written, as they were at the start
	newer map[uint64]*graph.Value                    // variables by their assigned values
	order []uint64                                   // of newer
	mins  []minimizer
	// scalars are constants that become inputs, so that programs with other numbers are the same.
	scalars map[uint64]bool
	lifted  []*graph.Value
}

// minimizer is a Minimize node: what its updates need from step to step.
type minimizer struct {
	id    uint64 // of the optimizer's state; 0: none
	state *optim.State
	lr    float64
	sched optim.Schedule
	steps int
}

func (r *recording) need(id uint64) *graph.Value {
	if v := r.env[id]; v != nil {
		return v
	}
	if v := r.ext(r, id); v != nil {
		r.env[id] = v
		return v
	}
	fail(codeDisposed, "graph", "there is no tensor with the id ", int64(id), ": it is disposed or was never made")
	return nil
}

// variable returns a variable's value in the graph.
func (r *recording) variable(v *variable) *graph.Value {
	if x := r.vars[v.id]; x != nil {
		return x
	}
	x := r.g.Variable(varName(v.id), v.cell.Tensor, v.trainable)
	r.vars[v.id] = x
	return x
}

// nodes adds recorded nodes.
func (r *recording) nodes(list val) {
	for n := list.first(); n.r != nil; n = n.after(list) {
		r.node(n)
	}
	for _, id := range r.order {
		r.g.Update(r.vars[id], r.newer[id])
	}
}

func (r *recording) node(n val) {
	name := n.text("op", "")
	in, out := n.get("in"), n.get("out")
	attrs := n.get("attrs")
	switch name {
	case "Constant":
		r.define(out, r.constant(out, attrs))
	case "Gradient":
		r.gradient(in, out, attrs)
	case "Assign":
		r.assign(in)
	case "Minimize":
		r.minimize(in, attrs)
	default:
		r.operator(name, n.text("domain", ""), in, out, attrs)
	}
}

// ids returns a list of ids; 0 stands for an omitted one.
func (r *recording) ids(list val, what string) []uint64 {
	ids := make([]uint64, 0, list.len())
	for c := list.first(); c.r != nil; c = c.after(list) {
		id, ok := c.asID()
		if f, isNumber := c.number(); !ok && !(isNumber && f == 0) && c.ok() {
			fail(codeArgument, what, "must be ids")
		}
		ids = append(ids, id)
	}
	return ids
}

func (r *recording) values(list val) []*graph.Value {
	ids := r.ids(list, "in")
	vs := make([]*graph.Value, len(ids))
	for i, id := range ids {
		if id != 0 {
			vs[i] = r.need(id)
		}
	}
	return vs
}

func (r *recording) define(out val, vs ...*graph.Value) {
	ids := r.ids(out, "out")
	for i, v := range vs {
		if i >= len(ids) || ids[i] == 0 {
			continue
		}
		if r.env[ids[i]] != nil {
			fail(codeArgument, "graph", "the id ", int64(ids[i]), " is given twice")
		}
		r.env[ids[i]] = v
	}
}

func (r *recording) constant(out, attrs val) *graph.Value {
	v := attrs.get("value")
	if c := out.first(); c.r != nil {
		if id, _ := c.asID(); r.scalars[id] {
			x := r.g.Input("scalar", tensor.Float32)
			r.lifted = append(r.lifted, x)
			return x
		}
	}
	if f, ok := v.number(); ok {
		return r.g.Const(tensor.Scalar(float32(f)))
	}
	if t := v.tensor(); t != nil {
		return r.g.Const(t.Clone()) // the request's memory does not last
	}
	if x, ok := v.toInts(); ok {
		return op.ConstInts(r.g, x...)
	}
	fail(codeArgument, "Constant", "value must be a number, a list of whole numbers or an array")
	return nil
}

func (r *recording) operator(name, domain string, in, out, attrs val) {
	full := name
	if domain != "" && domain != "ai.onnx" {
		full = domain + "." + name
	}
	def := r.s.defs()[full]
	if def == nil {
		where := "no such operator"
		if strings.Contains(op.FullOnly, " "+name+" ") {
			where = "it is in the full set (init with set: \"full\")"
		}
		fail(tensor.CodeUnsupported, full, "this build does not have the operator: ", where)
	}
	as, upgrade := r.attributes(def, attrs)
	vs := r.values(in)
	for len(vs) > 0 && vs[len(vs)-1] == nil {
		vs = vs[:len(vs)-1]
	}
	n := max(out.len(), 1)
	if upgrade {
		u := &graph.UpgradeCtx{G: r.g, Version: 10, Attrs: as, Inputs: vs, NumOut: n, Self: def, Set: r.s.opt.Operators}
		def.Upgrade(u)
		if u.Outputs != nil {
			r.define(out, u.Outputs...)
			return
		}
		as, vs = u.Attrs, u.Inputs
	}
	r.define(out, r.g.AddN(def, "", n, as, vs...)...)
}

// attributes converts a node's attributes to the kinds that the operator declares. Attributes of older versions of it, such as axes
// that became an input, ask for an upgrade.
func (r *recording) attributes(def *graph.Def, attrs val) (as []graph.Attr, upgrade bool) {
	for c := attrs.first(); c.r != nil; c = c.after(attrs) {
		if !c.ok() {
			continue
		}
		name := c.key()
		var kind graph.AttrKind
		for i := range def.Attrs {
			if def.Attrs[i].Name == name {
				kind = def.Attrs[i].Kind
			}
		}
		if kind == 0 && def.Upgrade != nil {
			upgrade = true
		}
		as = append(as, attribute(def, name, kind, c))
	}
	return as, upgrade
}

func attribute(def *graph.Def, name string, kind graph.AttrKind, c val) graph.Attr {
	a := graph.Attr{Name: name, Kind: kind}
	bad := func(want string) { fail(codeArgument, def.FullName(), "attribute ", name, " must be ", want) }
	f, isNumber := c.number()
	switch {
	case kind == graph.AttrFloat && isNumber:
		a.F = float32(f)
	case kind == graph.AttrInt && c.is(tagTrue):
		a.I = 1
	case kind == graph.AttrInt && c.is(tagFalse):
	case kind == graph.AttrInt && c.is(tagString): // Cast to "int64"
		d, ok := tensor.ParseDType(string(c.raw()))
		if !ok {
			bad("a number or an element type")
		}
		a.I = int64(d)
	case (kind == graph.AttrInt || kind == 0) && isNumber && f == float64(int64(f)):
		a.Kind, a.I = graph.AttrInt, int64(f)
	case kind == 0 && isNumber:
		a.Kind, a.F = graph.AttrFloat, float32(f)
	case (kind == graph.AttrString || kind == 0) && c.is(tagString):
		a.Kind, a.S = graph.AttrString, string(c.raw())
	case kind == graph.AttrTensor && c.is(tagArray):
		a.T = c.tensor().Clone()
	case kind == graph.AttrFloats && (c.is(tagList) || c.is(tagArray)):
		v, _ := c.plain().([]any)
		for _, x := range v {
			f, ok := x.(float64)
			if !ok {
				bad("a list of numbers")
			}
			a.Floats = append(a.Floats, float32(f))
		}
	case (kind == graph.AttrInts || kind == 0) && (c.is(tagList) || c.is(tagArray)):
		v, ok := c.toInts()
		if !ok {
			bad("a list of whole numbers")
		}
		a.Kind, a.Ints = graph.AttrInts, make([]int64, len(v))
		for i, x := range v {
			a.Ints[i] = int64(x)
		}
	case kind == graph.AttrInts && isNumber && f == float64(int64(f)):
		a.Ints = []int64{int64(f)}
	case kind == graph.AttrStrings && c.is(tagList):
		for x := c.first(); x.r != nil; x = x.after(c) {
			a.Strings = append(a.Strings, string(x.raw()))
		}
	default:
		bad("of kind " + kind.String())
	}
	return a
}

// gradient adds the gradients of the first input by the others.
func (r *recording) gradient(in, out, attrs val) {
	vs := r.values(in)
	if len(vs) < 1 || vs[0] == nil {
		fail(codeArgument, "Gradient", "needs the value to differentiate")
	}
	y, xs := vs[0], vs[1:]
	for _, x := range xs {
		if x == nil || !x.DType.IsFloat() {
			fail(codeArgument, "Gradient", "gradients are by floating-point values")
		}
	}
	var gs []*graph.Value
	if seed := attrs.get("seed"); seed.ok() {
		id, ok := seed.asID()
		if !ok {
			fail(codeArgument, "Gradient", "seed must be an id")
		}
		dy := r.need(id)
		if dy.DType != y.DType || !tensor.SameShape(dy.Shape, y.Shape) {
			panic(&tensor.Error{Op: "Gradient", Msg: "the seed must be of the type and shape of the value", Shapes: [][]int{y.Shape, dy.Shape}})
		}
		gs = op.VJP([]*graph.Value{y}, []*graph.Value{dy}, xs...)
	} else {
		gs = op.Gradients(y, xs...)
	}
	for i, g := range gs {
		if g == nil {
			gs[i] = op.ExpandLike(op.ConstLike(xs[i], 0), xs[i])
		}
	}
	r.define(out, gs...)
}

// target returns the variable that an id stands for.
func (r *recording) target(id uint64, what string) *variable {
	v, ok := r.s.handles.get(id).(*variable)
	if !ok {
		if r.s.handles.get(id) == nil && r.env[id] == nil {
			fail(codeDisposed, what, "there is no variable with the id ", int64(id))
		}
		fail(codeArgument, what, "the id ", int64(id), " is no variable")
	}
	return v
}

func (r *recording) assign(in val) {
	ids := r.ids(in, "in")
	if len(ids) != 2 {
		fail(codeArgument, "Assign", "takes a variable and a value")
	}
	v := r.target(ids[0], "Assign")
	x := r.variable(v)
	r.update(v.id, x, r.need(ids[1]))
}

// update makes a value the variable's new one; nodes that follow read it.
func (r *recording) update(id uint64, variable, value *graph.Value) {
	if variable.DType != value.DType || value.HasRank && !tensor.SameShape(variable.Shape, value.Shape) {
		panic(&tensor.Error{Op: "Assign", Msg: "a variable of " + variable.DType.String() + " cannot take a value of " + value.DType.String(), Shapes: [][]int{variable.Shape, value.Shape}})
	}
	if r.newer[id] == nil {
		r.order = append(r.order, id)
	}
	r.newer[id], r.env[id] = value, value
}

// minimize adds an optimizer's updates of variables along the gradient of a loss.
func (r *recording) minimize(in, attrs val) {
	ids := r.ids(in, "in")
	if len(ids) < 2 {
		fail(codeArgument, "Minimize", "takes a loss and one or more variables")
	}
	loss := r.need(ids[0])
	params := make([]*graph.Value, 0, len(ids)-1)
	for _, id := range ids[1:] {
		v := r.target(id, "Minimize")
		if r.newer[id] != nil {
			fail(codeState, "Minimize", "the variable ", int64(id), " was assigned before in the same run; split the run in two")
		}
		params = append(params, r.variable(v))
	}
	oc := attrs.get("optimizer")
	opt, lr := parseOptimizer(oc, kerasDefaults)
	m := minimizer{lr: lr, steps: attrs.whole("steps", 0), sched: optim.Constant{}}
	if id := oc.get("id"); id.ok() {
		m.id = oc.id("id")
	}
	if sp := attrs.get("schedule"); sp.ok() {
		m.sched = parseSchedule(sp)
	}
	o := clipping("Minimize", attrs, oc, optim.Options{})
	before := len(r.g.Updates)
	r.g.Scope("opt"+uitoa(m.id), func() { m.state = optim.MinimizeOver(loss, params, opt, o) })
	// The parameters' own updates are recorded as assignments, so that what follows reads the new values.
	kept := r.g.Updates[:before]
	for _, u := range r.g.Updates[before:] {
		own := false
		for i, p := range params {
			if u.Var == p.Var {
				own = true
				r.update(ids[1+i], p, u.Value)
			}
		}
		if !own {
			kept = append(kept, u)
		}
	}
	r.g.Updates = kept
	r.mins = append(r.mins, m)
}
