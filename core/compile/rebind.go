package compile

import (
	"bytes"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// Most shapes that a program is bound to differ little from those before: a cache of keys and values is one row longer, a batch is smaller. So binding starts from the
// bind that was made last, whose working state the binder still has. Types are inferred again only behind inputs that changed. If they change neither which
// elements are read nor which values share memory, and everything fits where it was, then only the nodes that touch a changed value are lowered again, into the places that their
// steps, storages and data have; the rest of the table is copied as it is. Otherwise everything is bound anew, with some room in the storages.

// nodeSpan says where a node's lowering put things.
type nodeSpan struct {
	step, stepEnd   int32
	store, storeEnd int32
	data, dataEnd   int32 // numbers of reservations
	pack, packEnd   int32
	frozen          bool // its steps have become part of others
}

// piece is a part of region regBound that a lowering asked for.
type piece struct{ off, size int }

// patch is the state of lowering a node again.
type patch struct {
	on     bool
	failed bool // it does not fit where it was
	store  int  // the next storage and reservation, and the end of the node's own
	stores int
	data   int
	datas  int
	steps  []prog.Step
	packs  []*pack
}

// decided is what binding decides before it lowers; two binds that agree in it differ in sizes only.
type decided struct {
	need  []bool
	runs  []bool
	root  []int32
	last  []int32
	place []place
	late  int
}

// rebind binds from the bind that was made last; nil when everything has to be bound anew.
func (m *binder) rebind(shapes [][]int, old *bound) *bound {
	p := m.p
	if p == nil || !m.valid || m.b.dynamic {
		return nil
	}
	m.valid = false
	if !m.inferAgain(shapes) || !m.decideAgain() {
		return nil
	}
	from := m.b
	b := &bound{shapes: shapes, arena: from.arena, commit: from.commit}
	if old != nil {
		b.steps, b.node, b.data, b.packs = old.steps[:0], old.node[:0], old.data[:0], old.packs[:0]
	}
	b.steps, b.node, b.data, b.packs = append(b.steps, from.steps...), append(b.node, from.node...), append(b.data, from.data...), append(b.packs, from.packs...)
	m.b = b
	if !m.patchKnown() || !m.lowerAgain() {
		m.b = from
		return nil
	}
	for _, v := range m.framed {
		if m.dirty[v] {
			m.b = from
			return nil
		}
	}
	b.outs, b.own = m.outTypes(), make([]*tensor.Tensor, len(p.s.outputs))
	m.sum()
	m.valid = true
	return b
}

// inferAgain finds the types that change and marks their values dirty; false when a value becomes known, or is not any more.
func (m *binder) inferAgain(shapes [][]int) bool {
	s := &m.p.s
	m.dirty = resize(m.dirty, len(s.vals))
	for i := range m.p.g.Inputs {
		if v := s.inputs[i]; v >= 0 && !tensor.SameShape(m.types[v].Shape, shapes[i]) {
			m.dirty[v] = true
		}
	}
	for i := range s.inputs { // the key is the new bind's
		if v := s.inputs[i]; v >= 0 {
			m.types[v].Shape = shapes[i]
		}
	}
	for i := range s.nodes {
		for k := range s.nodes[i].ops {
			o := &s.nodes[i].ops[k]
			if !m.touched(o.in) {
				continue
			}
			for j, x := range m.inferOp(o) {
				v := o.out[j]
				if v < 0 {
					continue
				}
				t := &m.types[v]
				if t.DType == x.DType && t.HasRank == x.HasRank && tensor.SameShape(t.Shape, x.Shape) && sameElements(t.Const, x.Const) {
					continue
				}
				if (t.Const == nil) != (x.Const == nil) || known(*t) != known(x) {
					return false
				}
				*t, m.dirty[v] = x, true
			}
		}
	}
	return true
}

func sameElements(a, b *tensor.Tensor) bool {
	return a == b || a != nil && b != nil && a.DType() != tensor.String && a.DType() == b.DType() && bytes.Equal(a.Bytes(), b.Bytes())
}

func (m *binder) touched(ids []int32) bool {
	for _, v := range ids {
		if v >= 0 && m.dirty[v] {
			return true
		}
	}
	return false
}

// decideAgain decides what is read and who shares memory for the new types; false when that is not as it was.
func (m *binder) decideAgain() bool {
	was := decided{m.need, m.runs, m.root, m.last, m.place, m.late}
	o := &m.other
	m.need, m.runs, m.root, m.last, m.place = o.need, o.runs, o.root, o.last, o.place
	*o = was
	m.clear()
	m.demand()
	m.alias()
	if m.late != was.late || !slices.Equal(m.need, was.need) || !slices.Equal(m.runs, was.runs) || !slices.Equal(m.last, was.last) || !slices.Equal(m.root, was.root) {
		return false
	}
	for i := range m.place {
		x, y := &m.place[i], &was.place[i]
		if x.kind != y.kind || x.kind != atArena && x.k != y.k {
			return false
		}
		x.k = y.k // the number of the storage
	}
	return true
}

// patchKnown rewrites the values that binding knows.
func (m *binder) patchKnown() bool {
	for _, k := range m.known {
		if m.dirty[k.v] {
			c := m.types[k.v].Const.Bytes()
			if len(c) != k.size {
				return false
			}
			copy(m.b.data[k.off:], c)
		}
	}
	return true
}

// lowerAgain lowers the nodes that touch a changed value.
func (m *binder) lowerAgain() bool {
	s, l, x := &m.p.s, &m.bld, &m.patch
	l.m = m
	x.on, x.failed = true, false
	defer func() { x.on = false }()
	fixes := len(m.fixes)
	for i := range s.nodes {
		if !m.runs[i] || !m.touchedNode(&s.nodes[i]) {
			continue
		}
		sp := &m.spans[i]
		if sp.frozen {
			return false
		}
		x.store, x.stores, x.data, x.datas = int(sp.store), int(sp.storeEnd), int(sp.data), int(sp.dataEnd)
		x.steps, x.packs = x.steps[:0], x.packs[:0]
		l.lowerNode(i)
		if x.failed || x.store != x.stores || len(x.steps) != int(sp.stepEnd-sp.step) || len(x.packs) != int(sp.packEnd-sp.pack) {
			return false
		}
		for k := range x.steps {
			m.fix(&x.steps[k])
		}
		copy(m.b.steps[sp.step:], x.steps)
		copy(m.b.packs[sp.pack:], x.packs)
		m.fixData(m.fixes[fixes:])
		m.fixes = m.fixes[:fixes]
	}
	return true
}

func (m *binder) touchedNode(nd *pnode) bool {
	for k := range nd.ops {
		if o := &nd.ops[k]; m.touched(o.in) || m.touched(o.out) {
			return true
		}
	}
	return false
}

// storeAgain gives the node that is lowered again its next storage.
func (m *binder) storeAgain(size int) prog.Ref {
	x := &m.patch
	if x.store >= x.stores {
		x.failed = true
		return storageRef(0)
	}
	k := x.store
	x.store++
	// A storage that is far too large would spread a small program over much memory.
	if room := m.store[k].size; size > room || room > smallRoom && size < room/4 {
		x.failed = true
	}
	return storageRef(k)
}

const smallRoom = 1 << 14

// reserveAgain gives the node that is lowered again its next piece of region regBound.
func (m *binder) reserveAgain(n int) int {
	x := &m.patch
	if x.data >= x.datas || m.pieces[x.data].size < n {
		x.failed = true
		// Lowering goes on, into memory that nothing reads.
		off := alignUp(len(m.b.data))
		m.b.data = slices.Grow(m.b.data, off+n-len(m.b.data))[:off+n]
		return off
	}
	off := m.pieces[x.data].off
	x.data++
	return off
}

// roomy rounds the size of a storage up, by an eighth at most, so that a little more fits too.
func roomy(size int) int {
	unit := cacheLine
	for unit*16 <= size {
		unit *= 2
	}
	return (size + unit - 1) / unit * unit
}

// sum gathers what the steps need together.
func (m *binder) sum() {
	b := m.b
	b.scratch, b.wide = 0, false
	for i := range b.steps {
		s := &b.steps[i]
		b.scratch = max(b.scratch, int(s.Worker))
		b.wide = b.wide || s.Tiles > 1
	}
	for _, k := range b.packs {
		b.scratch = max(b.scratch, int(k.step.Worker))
	}
}

// outTypes returns the types of the outputs.
func (m *binder) outTypes() []graph.Type {
	s := &m.p.s
	outs := make([]graph.Type, len(s.outputs))
	for i, v := range s.outputs {
		outs[i] = graph.Type{DType: m.types[v].DType, Shape: m.types[v].Shape, HasRank: true}
	}
	return outs
}
