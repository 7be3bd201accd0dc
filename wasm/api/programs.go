package api

import (
	"encoding/binary"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// maxPrograms bounds the programs that are kept of graphs that ran.
const maxPrograms = 64

// program is a compiled recording.
type program struct {
	key  string
	prog *compile.Program
	vars []uint64 // it is bound to these variables
	mins []minimizer
	// inputs of the program: the tensors of the recording in the order of their first use, lifted scalars, scalars of optimizers
	ext     int
	scalars []float32
	in      []*tensor.Tensor
	used    uint64 // when it ran last

	types  []graph.Type // of the tensors of the recording
	outs   []*tensorHandle
	placed []*tensor.Tensor
	spare  *spares
}

// spares are handles of outputs that were given back, by output; the next run takes them again.
type spares struct{ of [][]*tensorHandle }

// maxSpares bounds them for each output.
const maxSpares = 4

// output returns a tensor for output i.
func (s *Server) output(p *program, i int, t *graph.Type) *tensorHandle {
	l := &p.spare.of[i]
	n := len(*l)
	if n == 0 || !tensor.SameShape((*l)[n-1].t.Shape(), t.Shape) || (*l)[n-1].t.DType() != t.DType {
		h := s.newTensor(t.DType, t.Shape)
		h.home, h.slot = p.spare, i
		return h
	}
	buf, err := s.alloc().Alloc((*l)[n-1].size)
	if err != nil {
		panic(err)
	}
	h := (*l)[n-1]
	*l = (*l)[:n-1]
	h.t.Rewrap(buf)
	h.buf, h.gone = buf, false
	return h
}

// runScalars are what a caller says of one run; what it leaves out is the program's own.
type runScalars struct {
	step         int // -1: the optimizer's own count
	learningRate float64
	ownRate      bool
}

func scalarsOf(v val) runScalars {
	r := runScalars{step: -1, ownRate: !v.get("learningRate").ok()}
	if v.get("step").ok() {
		if r.step = v.whole("step", 0); r.step < 0 {
			fail(codeArgument, "step", "must be 0 or more")
		}
	}
	r.learningRate = v.float("learningRate", 0)
	return r
}

// programCache keeps compiled recordings by their structure.
type programCache struct {
	m     map[string]*program
	clock uint64
	last  *program // that was asked for last
}

func (c *programCache) get(key []byte) *program {
	p := c.m[string(key)]
	if p != nil {
		c.clock++
		p.used = c.clock
		c.last = p
	}
	return p
}

func (c *programCache) put(p *program) {
	if c.m == nil {
		c.m = map[string]*program{}
	}
	if len(c.m) >= maxPrograms {
		c.oldest()
	}
	c.clock++
	p.used = c.clock
	c.m[p.key] = p
	c.last = p
}

// oldest forgets the program that has not run for longest.
func (c *programCache) oldest() {
	var old *program
	for _, q := range c.m {
		if old == nil || q.used < old.used {
			old = q
		}
	}
	c.close(old)
}

func (c *programCache) close(p *program) {
	if c.last == p {
		c.last = nil
	}
	delete(c.m, p.key)
	p.prog.Close()
}

func (c *programCache) clear() { c.remove(func(*program) bool { return true }) }

func (c *programCache) remove(which func(p *program) bool) {
	for _, p := range c.m {
		if which(p) {
			c.close(p)
		}
	}
}

func (p *program) uses(id uint64) bool {
	for _, v := range p.vars {
		if v == id {
			return true
		}
	}
	return false
}

func (p *program) usesOptimizer(id uint64) bool {
	for i := range p.mins {
		if p.mins[i].id == id {
			return true
		}
	}
	return false
}

// drop forgets the programs that are bound to a variable, functions' included.
func (c *programCache) drop(s *Server, id uint64) {
	c.remove(func(p *program) bool { return p.uses(id) })
	for _, h := range s.handles.all {
		if f, ok := h.(*function); ok {
			f.progs.remove(func(p *program) bool { return p.uses(id) })
		}
	}
}

func (c *programCache) dropOptimizer(s *Server, id uint64) {
	c.remove(func(p *program) bool { return p.usesOptimizer(id) })
	for _, h := range s.handles.all {
		if f, ok := h.(*function); ok {
			f.progs.remove(func(p *program) bool { return p.usesOptimizer(id) })
		}
	}
}

// scan is what looking through a recording finds before anything is built.
type scan struct {
	key     []byte
	local   map[uint64]int32 // ids by the order of their first appearance
	made    map[uint64]bool  // by a node of the recording
	ext     []uint64         // tensors that come from outside
	vars    []uint64
	scalars map[uint64]bool // constants that become inputs
	values  []float32       // of those
}

// binary operators take a scalar from memory as fast as from the program.
func takesScalar(op []byte) bool {
	switch string(op) {
	case "Add", "Sub", "Mul", "Div":
		return true
	}
	return false
}

// scan finds the ids that come from outside and the constants that can be inputs, and makes the key of the structure.
func (s *Server) scan(nodes, outputs val, c *scan) {
	if c.local == nil {
		c.local, c.made, c.scalars = map[uint64]int32{}, map[uint64]bool{}, map[uint64]bool{}
	}
	clear(c.local)
	clear(c.made)
	clear(c.scalars)
	c.key, c.ext, c.vars, c.values = c.key[:0], c.ext[:0], c.vars[:0], c.values[:0]
	for n := nodes.first(); n.r != nil; n = n.after(nodes) {
		if string(n.get("op").raw()) == "Constant" {
			if _, ok := n.get("attrs").get("value").number(); ok {
				if id, ok := n.get("out").first().asID(); ok {
					c.scalars[id] = true
				}
			}
		}
	}
	if len(c.scalars) > 0 {
		for n := nodes.first(); n.r != nil; n = n.after(nodes) {
			if takesScalar(n.get("op").raw()) {
				continue
			}
			in := n.get("in")
			for i := in.first(); i.r != nil; i = i.after(in) {
				if id, ok := i.asID(); ok {
					delete(c.scalars, id)
				}
			}
		}
		for o := outputs.first(); o.r != nil; o = o.after(outputs) {
			if id, ok := o.asID(); ok {
				delete(c.scalars, id)
			}
		}
	}
	for n := nodes.first(); n.r != nil; n = n.after(nodes) {
		c.key = append(append(c.key, n.get("op").raw()...), '/')
		c.key = append(append(c.key, n.get("domain").raw()...), '/')
		in, out, attrs := n.get("in"), n.get("out"), n.get("attrs")
		for i := in.first(); i.r != nil; i = i.after(in) {
			s.number(c, i, false)
		}
		if seed := attrs.get("seed"); string(n.get("op").raw()) == "Gradient" && seed.ok() {
			s.number(c, seed, false)
		} else if attrs.ok() {
			lifted := false
			if id, ok := out.first().asID(); ok && c.scalars[id] {
				lifted = true
				f, _ := attrs.get("value").number()
				c.values = append(c.values, float32(f))
			}
			if !lifted {
				b := attrs.node().bytes
				c.key = append(c.key, attrs.r.b[b.lo:b.hi]...)
			}
		}
		c.key = append(c.key, '>')
		for o := out.first(); o.r != nil; o = o.after(out) {
			s.number(c, o, true)
		}
	}
	c.key = append(c.key, '=')
	for o := outputs.first(); o.r != nil; o = o.after(outputs) {
		s.number(c, o, false)
	}
}

// number adds an id to the key under its number in the recording, with the type of what comes from outside.
func (s *Server) number(c *scan, v val, made bool) {
	id, ok := v.asID()
	if !ok {
		c.key = append(c.key, 0)
		return
	}
	k, seen := c.local[id]
	if !seen {
		k = int32(len(c.local)) + 1
		c.local[id] = k
	}
	c.key = binary.LittleEndian.AppendUint32(c.key, uint32(k))
	if made {
		c.made[id] = true
		return
	}
	if seen || c.made[id] {
		return
	}
	switch h := s.handles.get(id).(type) {
	case *tensorHandle:
		c.ext = append(c.ext, id)
		c.key = append(c.key, 'T', byte(h.t.DType()), byte(h.t.Rank()))
		for _, d := range h.t.Shape() {
			c.key = binary.LittleEndian.AppendUint32(c.key, uint32(d))
		}
	case *variable:
		c.vars = append(c.vars, id)
		c.key = binary.LittleEndian.AppendUint64(append(c.key, 'V'), id)
	case nil:
		fail(codeDisposed, "graph", "there is no tensor with the id ", int64(id), ": it is disposed or was never made")
	default:
		fail(codeArgument, "graph", "the id ", int64(id), " is no tensor")
	}
}

// build compiles a recording. inputs are the graph's first inputs, by id.
func (s *Server) build(nodes, outputs val, inputs []uint64, types []graph.Type, scalars map[uint64]bool) (p *program) {
	r := &recording{s: s, g: graph.New(), env: map[uint64]*graph.Value{}, vars: map[uint64]*graph.Value{}, newer: map[uint64]*graph.Value{}, scalars: scalars}
	p = &program{ext: len(inputs), types: types, spare: &spares{of: make([][]*tensorHandle, outputs.len())}}
	p.outs, p.placed = make([]*tensorHandle, outputs.len()), make([]*tensor.Tensor, outputs.len())
	for i, id := range inputs {
		r.env[id] = r.g.Input("in"+itoa(i), types[i].DType, types[i].Shape...)
	}
	r.ext = func(r *recording, id uint64) *graph.Value {
		if v, ok := s.handles.get(id).(*variable); ok {
			return r.variable(v)
		}
		return nil
	}
	r.nodes(nodes)
	for c := outputs.first(); c.r != nil; c = c.after(outputs) {
		id, ok := c.asID()
		if !ok {
			fail(codeArgument, "outputs", "must be ids")
		}
		r.g.Output(r.need(id))
	}
	for id := range r.vars {
		p.vars = append(p.vars, id)
	}
	p.mins = r.mins
	n := len(r.lifted)
	for i := range p.mins {
		n += p.mins[i].state.Inputs()
	}
	// Inputs were added in the order of nodes; the program takes tensors, then scalars, so they are put in that order.
	p.scalars = make([]float32, n)
	p.in = make([]*tensor.Tensor, len(inputs), len(inputs)+n)
	for i := range p.scalars {
		p.in = append(p.in, tensor.From(p.scalars[i:i+1]))
	}
	order := append([]*graph.Value{}, r.g.Inputs[:len(inputs)]...)
	order = append(order, r.lifted...)
	lifted := map[*graph.Value]bool{}
	for _, v := range r.lifted {
		lifted[v] = true
	}
	for _, v := range r.g.Inputs[len(inputs):] {
		if !lifted[v] {
			order = append(order, v)
		}
	}
	r.g.Inputs = order
	for i, v := range r.g.Inputs {
		v.Index = i
	}
	if err := s.vars.Init(r.g); err != nil {
		panic(err)
	}
	prog, err := compile.Compile(s.runtime(), r.g, s.vars, compile.Options{MaxBinds: 2})
	if err != nil {
		panic(err)
	}
	for _, v := range r.g.Vars {
		v.Init = nil
	}
	p.prog = prog
	return p
}

// run executes a program on tensors, makes its outputs tensors of the given ids and writes their types.
func (s *Server) run(p *program, in []*tensor.Tensor, lifted []float32, out []uint64, scalars val) {
	sc := scalarsOf(scalars)
	s.execute(p, in, lifted, out, &sc, nil)
	w := &s.w
	w.fields(2)
	w.key("shapes")
	w.list(len(out))
	for _, id := range out {
		w.shape(s.value(id).Shape())
	}
	w.key("dtypes")
	w.list(len(out))
	for _, id := range out {
		w.str(s.value(id).DType().String())
	}
}

// execute runs a program on tensors and makes its outputs tensors of the given ids, which nothing may have. The steady state allocates
// nothing. again, unless it is nil, is filled with what repeats the run.
func (s *Server) execute(p *program, in []*tensor.Tensor, lifted []float32, out []uint64, sc *runScalars, again *compile.Repeat) {
	copy(p.in, in)
	done := false
	defer func() {
		clear(p.in[:p.ext])
		if !done {
			for _, h := range p.outs {
				if h != nil {
					h.free(s)
				}
			}
		}
		clear(p.outs)
		clear(p.placed)
	}()
	at := copy(p.scalars, lifted)
	for i := range p.mins {
		m := &p.mins[i]
		step := max(sc.step, 0)
		if sc.step < 0 && m.id != 0 {
			step = s.stepper(m.id).step
		}
		lr := m.lr
		if !sc.ownRate {
			lr = sc.learningRate
		}
		lr *= m.sched.Factor(step, m.steps)
		n := m.state.Inputs()
		m.state.Fill(p.scalars[at:at+n], step, lr)
		at += n
	}
	types, err := p.prog.Outputs(p.in...)
	if err != nil {
		panic(err)
	}
	for i := range types {
		if types[i].DType == tensor.String {
			fail(tensor.CodeUnsupported, "graph", "tensors of strings cannot leave a graph")
		}
		p.outs[i] = s.output(p, i, &types[i])
		p.placed[i] = p.outs[i].t
	}
	res, err := p.prog.RunWith(p.in, compile.RunOptions{Outputs: p.placed[:len(types)], Rand: graph.RandState{Seed: s.seed, Step: s.runs}, Repeat: again})
	if err != nil {
		panic(err)
	}
	s.runs++
	for i := range p.mins {
		if id := p.mins[i].id; id != 0 {
			o := s.stepper(id)
			if sc.step >= 0 {
				o.step = sc.step
			}
			o.step++
		}
	}
	for i, t := range res {
		if p.outs[i] == nil {
			p.outs[i] = s.copied(t)
		}
	}
	for _, id := range out {
		s.unused(id)
	}
	done = true
	for i, h := range p.outs {
		s.handles.set(out[i], h)
	}
}

// outputIDs reads a list of ids for new tensors.
func (s *Server) outputIDs(list val) []uint64 {
	out := make([]uint64, 0, list.len())
	for c := list.first(); c.r != nil; c = c.after(list) {
		id, ok := c.asID()
		if !ok {
			fail(codeArgument, "outputs", "must be ids")
		}
		for _, o := range out {
			if o == id {
				fail(codeArgument, "outputs", "the id ", int64(id), " stands twice")
			}
		}
		out = append(out, s.unused(id))
	}
	return out
}

// graphRun runs recorded nodes and keeps the outputs that are asked for.
func (s *Server) graphRun(a val) error {
	s.runtime()
	nodes, outputs := a.get("nodes"), a.get("outputs")
	out := s.outputIDs(outputs)
	c := &s.scanned
	s.scan(nodes, outputs, c)
	p := s.progs.get(c.key)
	in := make([]*tensor.Tensor, len(c.ext))
	for i, id := range c.ext {
		in[i] = s.value(id)
	}
	if p == nil {
		types := make([]graph.Type, len(in))
		for i, t := range in {
			types[i] = graph.Type{DType: t.DType(), Shape: t.Shape()}
		}
		p = s.build(nodes, outputs, c.ext, types, c.scalars)
		p.key = string(c.key)
		s.progs.put(p)
	}
	s.run(p, in, c.values, out, a.get("scalars"))
	return nil
}
