package compile

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Variable updates of at most this many bytes that are computed early wait in a buffer until the end of the run, so
// that a run can still be given up without a trace.
const smallUpdate = 1 << 16

// alias decides where every value lives: in the memory of another value (views, operators that do nothing for these
// types, in-place operators), in an output's buffer, in the variable it updates, or in the arena.
func (m *binder) alias() {
	s := &m.p.s
	for i := range m.root {
		m.root[i] = int32(i)
		m.last[i] = never
		m.place[i] = place{kind: atArena, k: -1}
	}
	for i := range s.nodes {
		if m.runs[i] && !s.nodes[i].chain {
			m.viewOf(i)
		}
	}
	for i := range s.nodes {
		if !m.runs[i] {
			continue
		}
		nd := &s.nodes[i]
		for k := range nd.ops {
			for j, v := range nd.ops[k].in {
				if v >= 0 && !m.isKnown(v) && m.reads(nd, &nd.ops[k], j) {
					m.last[m.find(v)] = int32(i)
				}
			}
		}
	}
	m.tail()
	m.placeUpdates()
	m.placeOutputs()
	for i := range s.nodes {
		if m.runs[i] {
			m.inPlace(i)
		}
	}
}

// viewOf makes the output of a view, or of an operator that is the identity for these types, share its input's memory.
func (m *binder) viewOf(i int) {
	nd := &m.p.s.nodes[i]
	o := &nd.ops[0]
	if nd.act != (graph.Act{}) || len(o.in) == 0 || o.in[0] < 0 || o.out[0] < 0 {
		return
	}
	for _, v := range o.out[1:] {
		if v >= 0 && m.need[v] {
			return
		}
	}
	in, out := o.in[0], o.out[0]
	a, b := &m.types[in], &m.types[out]
	same := o.n.Def.View && m.reads(nd, o, 0)
	if !same && o.n.Def.Same != nil {
		same = isSame(o.n, m.typesOf(o.in), m.typesOf(o.out))
	}
	if same && a.DType == b.DType && m.bytes(in) == m.bytes(out) {
		m.root[out] = m.find(in)
		m.runs[i] = false
	}
}

func (m *binder) typesOf(ids []int32) []graph.Type {
	t := make([]graph.Type, len(ids))
	for i, v := range ids {
		if v >= 0 {
			t[i] = m.types[v]
		}
	}
	return t
}

// computed reports whether a root's memory is written by a node of the program.
func (m *binder) computed(r int32) bool {
	return m.p.s.vals[r].origin == graph.FromNode && !m.isKnown(r)
}

// tail finds the position from which nodes compute nothing but new values of variables.
func (m *binder) tail() {
	s := &m.p.s
	m.late = len(s.nodes)
	m.ends = resize(m.ends, len(s.vals))
	for _, v := range s.outputs {
		m.ends[m.find(v)] |= endsOutput
	}
	for _, u := range s.updates {
		m.ends[m.find(u.value)] |= endsUpdate
	}
	for i := len(s.nodes) - 1; i >= 0; i-- {
		if m.runs[i] {
			for k := range s.nodes[i].ops {
				for _, v := range s.nodes[i].ops[k].out {
					if v < 0 || !m.need[v] || m.isKnown(v) {
						continue
					}
					r := m.find(v)
					inside := s.nodes[i].chain && m.last[r] == int32(i) && m.ends[r] == 0
					if !inside && m.ends[r]&endsUpdate == 0 {
						return
					}
				}
			}
		}
		m.late = i
	}
}

// What a root's value is at the end of the program.
const (
	endsOutput = 1 << iota
	endsUpdate
)

// placeUpdates lets nodes write new values straight into their variables where nothing reads the old value
// any more. The others are copied at the end of the run.
func (m *binder) placeUpdates() {
	s := &m.p.s
	end := int32(len(s.nodes))
	for _, u := range s.updates {
		r := m.find(u.value)
		if !m.computed(r) {
			continue
		}
		if m.place[r].kind == atArena && m.direct(u, r) {
			m.place[r] = place{atVar, int32(u.variable)}
			continue
		}
		m.last[r] = max(m.last[r], end)
	}
}

func (m *binder) direct(u update, r int32) bool {
	s := &m.p.s
	x := &s.vals[r]
	pos := x.node
	if m.bytes(r) > smallUpdate || int(pos) >= m.late {
		v := s.varVals[u.variable]
		if v < 0 || m.last[v] < pos {
			return true
		}
		return m.last[v] == pos && m.mayOverwrite(r, v)
	}
	return false
}

// mayOverwrite reports whether the node that computes root r may write it over root v, which it reads.
func (m *binder) mayOverwrite(r, v int32) bool {
	x := &m.p.s.vals[r]
	nd := &m.p.s.nodes[x.node]
	if m.bytes(r) != m.bytes(v) || m.types[r].DType != m.types[v].DType {
		return false
	}
	if nd.chain {
		return m.chainMayOverwrite(nd, int(x.op), r, v)
	}
	o := &nd.ops[0]
	at := -1
	for j, w := range o.in {
		if w < 0 || !m.reads(nd, o, j) || m.isKnown(w) || m.find(w) != v {
			continue
		}
		if at >= 0 {
			return false // read twice, perhaps as different shapes
		}
		at = j
	}
	if at < 0 {
		return false
	}
	if x.index == 0 && slices.Contains(o.n.Def.InPlace, at) {
		return true
	}
	return slices.Contains(o.n.Def.InPlaceOut, [2]int{x.index, at})
}

// chainMayOverwrite: operator op of the chain may write over an operand of the full shape that no later
// operator of the chain reads.
func (m *binder) chainMayOverwrite(nd *pnode, op int, r, v int32) bool {
	seen := int32(-1)
	for k := range nd.ops {
		o := &nd.ops[k]
		for j, w := range o.in {
			if w < 0 || !m.reads(nd, o, j) || m.isKnown(w) || m.find(w) != v {
				continue
			}
			if k > op || (seen >= 0 && seen != w) || !tensor.SameShape(m.types[w].Shape, m.types[r].Shape) {
				return false
			}
			seen = w
		}
	}
	return seen >= 0
}

// placeOutputs gives graph outputs their buffers. An output that is an input, a constant, a variable, or
// shares its memory with another output is copied instead.
func (m *binder) placeOutputs() {
	s := &m.p.s
	end := int32(len(s.nodes))
	for i, v := range s.outputs {
		r := m.find(v)
		if !m.computed(r) {
			continue
		}
		m.last[r] = end
		if m.place[r].kind == atArena {
			m.place[r] = place{atOutput, int32(i)}
		}
	}
}

// inPlace lets outputs of a node take over the memory of operands that nothing reads later.
func (m *binder) inPlace(i int) {
	nd := &m.p.s.nodes[i]
	for k := range nd.ops {
		o := &nd.ops[k]
		if !nd.chain && o.n.Def.Lower == nil {
			continue // reference evaluations may read their inputs while they write
		}
		for _, out := range o.out {
			if out < 0 || !m.need[out] || m.isKnown(out) || m.find(out) != out || m.place[out].kind == atVar {
				continue
			}
			if nd.chain && !m.leaves(nd, i, out) {
				continue
			}
			m.takeOver(nd, i, out)
		}
	}
}

// takeOver finds an operand for the output to overwrite.
func (m *binder) takeOver(nd *pnode, i int, out int32) {
	for k := range nd.ops {
		o := &nd.ops[k]
		for j, w := range o.in {
			if w < 0 || m.isKnown(w) || !m.reads(nd, o, j) {
				continue
			}
			v := m.find(w)
			// An operand inside the chain lives in a register; one that an earlier output took has its end moved.
			if !m.computed(v) || m.place[v].kind != atArena || m.last[v] != int32(i) || m.p.s.vals[v].node == int32(i) || !m.mayOverwrite(out, v) {
				continue
			}
			m.root[out] = v
			m.last[v] = max(m.last[out], int32(i))
			if m.last[out] <= int32(i) {
				m.last[v] = int32(i) + 1 // taken: no other output of this node may have it
			}
			m.place[v] = m.place[out]
			return
		}
	}
}

// leaves reports whether a value of a chain is read outside it, so that it needs memory.
func (m *binder) leaves(nd *pnode, i int, v int32) bool {
	return m.last[m.find(v)] > int32(i) || m.place[m.find(v)].kind != atArena
}
