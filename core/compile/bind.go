package compile

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Regions of a program's memory. Inputs, outputs, variables and constants follow, each in its own region, then packed copies.
const (
	regArena = iota
	regRand  // seed and step of the run
	regBound // what binding made: values known at bind time, code of elementwise chains
	regFirst
)

// bound is a program for one set of input shapes: the step table and what it needs to run.
type bound struct {
	shapes  [][]int // of the inputs: the key
	hash    uint64  // of shapes
	dynamic bool    // shapes depend on data: the interpreter runs the graph
	steps   []prog.Step
	node    []int32 // by step: which node emitted it, -1 for copies
	data    []byte  // region regBound
	arena   int     // bytes
	scratch int     // bytes each worker needs
	commit  int     // first step that writes a variable
	wide    bool    // it has steps of several tiles
	outs    []graph.Type
	own     []*tensor.Tensor // the program's own output buffers, as tensors of these types
	packs   []*pack          // packed copies it reads
	asked   bool             // repeats is known
	repeats bool             // a run can be repeated, see repeatable
}

// binder is the working state of binding, kept from bind to bind.
type binder struct {
	p     *Program
	b     *bound
	types []graph.Type
	need  []bool  // by value: its elements are read
	root  []int32 // by value: the value whose memory it lies in; itself for a root
	last  []int32 // by root: last position that reads it
	place []place // by root
	store []storage
	plan  planner
	ends  []uint8 // by root: endsOutput, endsUpdate
	runs  []bool  // by node: it emits steps

	// What rebinding starts from, see rebind.go.
	valid  bool   // the state is that of a finished bind, b
	dirty  []bool // by value: its type differs from the one before
	other  decided
	spans  []nodeSpan // by node
	pieces []piece
	framed []int32 // values that copies before and after the nodes read
	patch  patch
	at     []int32 // where a step went when steps were joined

	bld   lowering
	ctx   graph.InferCtx
	args  []graph.Type // input types of the node at hand
	known []knownValue // values in regBound
	kept  []int32      // by value: its place in known, from 1; 0: it is not there
	fixes []int        // offsets in data of 8-byte addresses that must be relocated
	roomy bool         // storages get some room
	late  int          // first position from which only updates are computed
}

// knownValue is a value of which binding knows the elements, in region regBound.
type knownValue struct {
	v         int32
	off, size int
}

// place is where the memory of a root lies.
type place struct {
	kind placeKind
	k    int32 // number of the output, variable or storage
}

type placeKind uint8

const (
	atArena placeKind = iota
	atOutput
	atVar
)

const never = -1

// bind makes the program for the given input shapes, in the memory of a bind that is no longer used, if there is one.
// It panics with *tensor.Error when the shapes do not fit.
func (p *Program) bind(shapes [][]int, old *bound) *bound {
	m := &p.binder
	s := &p.s
	if old != nil {
		p.rt.pool.quiet() // its step table is written over
	}
	if b := m.rebind(shapes, old); b != nil {
		return b
	}
	first := m.b == nil
	b := &bound{shapes: shapes}
	if old != nil {
		b.steps, b.node, b.data, b.packs = old.steps[:0], old.node[:0], old.data[:0], old.packs[:0]
	} else if len(p.binds) > 0 {
		last := p.binds[0]
		b.steps, b.node = make([]prog.Step, 0, len(last.steps)), make([]int32, 0, len(last.node))
		b.data = make([]byte, 0, len(last.data)+len(last.data)/8)
	}
	m.p, m.b = p, b
	nv := len(s.vals)
	m.roomy, m.valid = !first, false
	m.types = resize(m.types, nv)
	m.clear()
	m.spans = resize(m.spans, len(s.nodes))
	m.store, m.fixes, m.pieces, m.framed = m.store[:0], m.fixes[:0], m.pieces[:0], m.framed[:0]
	m.known, m.kept = m.known[:0], resize(m.kept, nv)
	b.commit = -1

	m.infer(shapes)
	m.demand()
	if !m.resolved() {
		b.dynamic = true
		return b
	}
	b.outs, b.own = m.outTypes(), make([]*tensor.Tensor, len(s.outputs))
	m.alias()
	m.lower()
	m.join()
	m.relocate()
	m.valid = true
	return b
}

// clear makes the working state ready for demand and alias.
func (m *binder) clear() {
	nv := len(m.p.s.vals)
	m.need = resize(m.need, nv)
	m.root = resize(m.root, nv)
	m.last = resize(m.last, nv)
	m.place = resize(m.place, nv)
	m.runs = resize(m.runs, len(m.p.s.nodes))
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// infer finds the concrete type of every value.
func (m *binder) infer(shapes [][]int) {
	s := &m.p.s
	for i := range s.vals {
		v := &s.vals[i]
		switch v.origin {
		case graph.FromInput:
			m.types[i] = graph.Type{DType: v.typ.DType, Shape: shapes[v.index], HasRank: true}
		case graph.FromConst, graph.FromVar:
			m.types[i] = v.typ
		}
	}
	for i := range s.nodes {
		for k := range s.nodes[i].ops {
			o := &s.nodes[i].ops[k]
			out := m.inferOp(o)
			for j, v := range o.out {
				if v >= 0 {
					m.types[v] = out[j]
				}
			}
		}
	}
}

// inferOp returns the types of an operator's outputs, valid until the next call.
func (m *binder) inferOp(o *pop) []graph.Type {
	in := resize(m.args, len(o.in))
	m.args = in
	for j, v := range o.in {
		if v >= 0 {
			in[j] = m.types[v]
		}
	}
	return m.ctx.Infer(o.n, in, len(o.out))
}

// isKnown reports whether binding knows the elements of a value that a node produces.
func (m *binder) isKnown(v int32) bool {
	return m.p.s.vals[v].origin == graph.FromNode && m.types[v].Const != nil
}

// demand finds the values whose elements are read, from outputs and updates backwards. Values that binding
// knows and operands of which only the shape counts ask for nothing.
func (m *binder) demand() {
	s := &m.p.s
	for _, v := range s.outputs {
		m.need[v] = true
	}
	for _, u := range s.updates {
		m.need[u.value] = true
	}
	for i := len(s.nodes) - 1; i >= 0; i-- {
		nd := &s.nodes[i]
		for k := len(nd.ops) - 1; k >= 0; k-- {
			o := &nd.ops[k]
			if !m.wanted(o) {
				continue
			}
			m.runs[i] = true
			for j, v := range o.in {
				if v >= 0 && m.reads(nd, o, j) {
					m.need[v] = true
				}
			}
		}
	}
}

// wanted reports whether some output of an operator is read and not known.
func (m *binder) wanted(o *pop) bool {
	for _, v := range o.out {
		if v >= 0 && m.need[v] && !m.isKnown(v) {
			return true
		}
	}
	return false
}

// reads reports whether the elements of input j are read when the operator runs.
func (m *binder) reads(nd *pnode, o *pop, j int) bool {
	if nd.chain {
		return j < elemArgs(o.elem.Kind)
	}
	for _, k := range o.n.Def.ShapeOnly {
		if k == j {
			return false
		}
	}
	return true
}

// resolved reports whether all types that matter are known.
func (m *binder) resolved() bool {
	for i, need := range m.need {
		if need && !known(m.types[i]) {
			return false
		}
	}
	for i := range m.p.s.nodes {
		if !m.runs[i] {
			continue
		}
		for k := range m.p.s.nodes[i].ops {
			for _, v := range m.p.s.nodes[i].ops[k].in {
				if v >= 0 && !known(m.types[v]) {
					return false
				}
			}
		}
	}
	return true
}

// find returns the value whose memory v lies in.
func (m *binder) find(v int32) int32 {
	for m.root[v] != v {
		m.root[v] = m.root[m.root[v]]
		v = m.root[v]
	}
	return v
}

func (m *binder) bytes(v int32) int {
	t := &m.types[v]
	return t.DType.Bytes(tensor.Size(t.Shape))
}

// ref returns the address of a value's elements. Addresses in the arena are given as storage numbers until the plan is made.
func (m *binder) ref(v int32) prog.Ref {
	if v < 0 {
		return prog.None
	}
	if m.isKnown(v) {
		return m.knownRef(v)
	}
	p := m.p
	r := m.find(v)
	x := &p.s.vals[r]
	switch x.origin {
	case graph.FromInput:
		return prog.At(p.regIn+x.index, 0)
	case graph.FromVar:
		return prog.At(p.regVar+x.index, 0)
	case graph.FromConst:
		return prog.At(p.regConst+x.index, 0)
	}
	if m.isKnown(r) {
		return m.knownRef(r)
	}
	pl := m.place[r]
	switch pl.kind {
	case atOutput:
		return prog.At(p.regOut+int(pl.k), 0)
	case atVar:
		return prog.At(p.regVar+int(pl.k), 0)
	}
	return storageRef(int(pl.k))
}

// Until relocation, storage k is region virtual+k.
const virtual = 1 << 19

func storageRef(k int) prog.Ref { return prog.At(virtual+k, 0) }

func (m *binder) knownRef(v int32) prog.Ref {
	if k := m.kept[v]; k > 0 {
		return prog.At(regBound, m.known[k-1].off)
	}
	if m.patch.on {
		m.patch.failed = true
		return prog.At(regBound, 0)
	}
	b := m.types[v].Const.Bytes()
	off := m.extend(len(b))
	copy(m.b.data[off:], b)
	m.known = append(m.known, knownValue{v, off, len(b)})
	m.kept[v] = int32(len(m.known))
	return prog.At(regBound, off)
}

// extend adds n bytes to region regBound and returns their offset.
func (m *binder) extend(n int) int {
	off := alignUp(len(m.b.data))
	m.b.data = slices.Grow(m.b.data, off+n-len(m.b.data))[:off+n]
	return off
}

// reserve returns the offset of n bytes of region regBound for the node at hand.
func (m *binder) reserve(n int) int {
	if m.patch.on {
		return m.reserveAgain(n)
	}
	off := m.extend(n)
	m.pieces = append(m.pieces, piece{off, n})
	return off
}

// relocate plans the arena and turns storage numbers into addresses.
func (m *binder) relocate() {
	b := m.b
	b.arena = m.plan.place(m.store)
	for i := range b.steps {
		m.fix(&b.steps[i])
	}
	m.fixData(m.fixes)
	m.sum()
	if b.commit < 0 {
		b.commit = len(b.steps)
	}
}

func (m *binder) fix(s *prog.Step) {
	for k, r := range s.A {
		if r != prog.None && r.Region() >= virtual {
			s.A[k] = m.real(r)
		}
	}
}

// fixData turns the addresses at the given offsets of region regBound.
func (m *binder) fixData(offs []int) {
	for _, off := range offs {
		w := tensor.Cast[uint64](m.b.data[off : off+8])
		w[0] = uint64(m.real(prog.Ref(w[0])))
	}
}

func (m *binder) real(r prog.Ref) prog.Ref {
	if r == prog.None || r.Region() < virtual {
		return r
	}
	return prog.At(regArena, m.store[r.Region()-virtual].off+r.Offset())
}
