package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// lower emits the steps of all nodes, framed by the copies that no node does.
func (m *binder) lower() {
	s := &m.p.s
	end := len(s.nodes)
	l := &m.bld
	l.m = m

	// A variable that is returned or assigned to another one is read before its own update: copied first.
	l.pos, l.node = -1, -1
	for i, v := range s.outputs {
		if m.isVar(m.find(v)) {
			m.framed = append(m.framed, v)
			l.Emit(copyStep(prog.At(m.p.regOut+i, 0), m.ref(v), m.bytes(v)))
		}
	}
	saved := make([]prog.Ref, len(s.updates))
	for i, u := range s.updates {
		r := m.find(u.value)
		saved[i] = prog.None
		if m.isVar(r) && m.p.updated[s.vals[r].index] {
			m.framed = append(m.framed, u.value)
			saved[i] = m.newStorage(m.bytes(u.value), -1, end)
			l.Emit(copyStep(saved[i], m.ref(u.value), m.bytes(u.value)))
		}
	}

	for i := range s.nodes {
		if m.runs[i] {
			sp := &m.spans[i]
			sp.step, sp.store, sp.data, sp.pack = int32(len(m.b.steps)), int32(len(m.store)), int32(len(m.pieces)), int32(len(m.b.packs))
			l.lowerNode(i)
			sp.stepEnd, sp.storeEnd, sp.dataEnd, sp.packEnd = int32(len(m.b.steps)), int32(len(m.store)), int32(len(m.pieces)), int32(len(m.b.packs))
		}
	}

	l.pos, l.node = end, -1
	for i, v := range s.outputs {
		r := m.find(v)
		dst := prog.At(m.p.regOut+i, 0)
		if !m.isVar(r) && m.ref(v) != dst {
			m.framed = append(m.framed, v)
			l.Emit(copyStep(dst, m.ref(v), m.bytes(v)))
		}
	}
	for i, u := range s.updates {
		r := m.find(u.value)
		dst := prog.At(m.p.regVar+u.variable, 0)
		src := saved[i]
		if src == prog.None {
			src = m.ref(u.value)
		}
		if m.computed(r) && src == dst {
			continue
		}
		l.writes()
		m.framed = append(m.framed, u.value)
		l.Emit(copyStep(dst, src, m.bytes(u.value)))
	}
}

func (m *binder) isVar(r int32) bool { return m.p.s.vals[r].origin == graph.FromVar }

// newStorage reserves memory between two positions.
func (m *binder) newStorage(size, start, end int) prog.Ref {
	if m.patch.on {
		return m.storeAgain(size)
	}
	if m.roomy {
		size = roomy(size)
	}
	m.store = append(m.store, storage{size: size, start: start, end: end})
	return storageRef(len(m.store) - 1)
}

// lowering implements graph.Builder for the node at hand.
type lowering struct {
	m    *binder
	nd   *pnode
	o    *pop
	pos  int // position in time
	node int // -1: none
}

func (l *lowering) lowerNode(i int) {
	m := l.m
	l.nd, l.pos, l.node = &m.p.s.nodes[i], i, i
	for k := range l.nd.ops {
		for _, v := range l.nd.ops[k].out {
			if v < 0 || !m.need[v] || m.isKnown(v) || (l.nd.chain && !m.leaves(l.nd, i, v)) {
				continue
			}
			r := m.find(v)
			pl := &m.place[r]
			if pl.kind == atVar {
				l.writes()
			}
			if pl.kind == atArena {
				if m.patch.on {
					if int(pl.k) == m.patch.store {
						m.storeAgain(m.bytes(r))
					}
				} else if pl.k < 0 {
					m.newStorage(m.bytes(r), i, int(m.last[r]))
					pl.k = int32(len(m.store) - 1)
				}
			}
		}
	}
	if l.nd.chain {
		l.lowerChain(i)
		return
	}
	l.o = &l.nd.ops[0]
	if f := l.o.n.Def.Lower; f != nil {
		again, fixes := m.patch, len(m.fixes)
		steps, stores, data, pieces, packs, known := len(m.b.steps), len(m.store), len(m.b.data), len(m.pieces), len(m.b.packs), len(m.known)
		if f(l, l.o.n) {
			if m.patch.on {
				l.checkSizes(m.patch.steps)
			} else {
				l.checkSizes(m.b.steps[steps:])
			}
			return
		}
		// What the failed lowering added is gone.
		m.patch, m.fixes = again, m.fixes[:fixes]
		m.b.steps, m.b.node, m.b.packs = m.b.steps[:steps], m.b.node[:steps], m.b.packs[:packs]
		m.store, m.b.data, m.pieces = m.store[:stores], m.b.data[:data], m.pieces[:pieces]
		for _, k := range m.known[known:] {
			m.kept[k.v] = 0
		}
		m.known = m.known[:known]
	}
	l.lowerRef()
}

// writes notes that the steps from here on change variables.
func (l *lowering) writes() {
	if b := l.m.b; b.commit < 0 {
		b.commit = len(b.steps)
	}
}

func (l *lowering) NumIn() int  { return len(l.o.in) }
func (l *lowering) NumOut() int { return len(l.o.out) }

func (l *lowering) in(i int) int32 {
	if i < len(l.o.in) {
		return l.o.in[i]
	}
	return -1
}

func (l *lowering) In(i int) prog.Ref { return l.m.ref(l.in(i)) }

func (l *lowering) InType(i int) tensor.DType {
	if v := l.in(i); v >= 0 {
		return l.m.types[v].DType
	}
	return tensor.Undefined
}

func (l *lowering) InShape(i int) []int {
	if v := l.in(i); v >= 0 {
		return l.m.types[v].Shape
	}
	return nil
}

func (l *lowering) InConst(i int) *tensor.Tensor {
	if v := l.in(i); v >= 0 {
		return l.m.types[v].Const
	}
	return nil
}

func (l *lowering) Out(i int) prog.Ref {
	if i >= len(l.o.out) || l.o.out[i] < 0 || !l.m.need[l.o.out[i]] {
		return prog.None
	}
	return l.m.ref(l.o.out[i])
}

func (l *lowering) outType(i int) graph.Type {
	if i < len(l.o.out) && l.o.out[i] >= 0 {
		return l.m.types[l.o.out[i]]
	}
	// An output that nothing reads has no number; its type is inferred again.
	out := l.o.n.InferTypes(l.m.typesOf(l.o.in), len(l.o.out))
	if i < len(out) {
		return out[i]
	}
	return graph.Type{}
}

func (l *lowering) OutType(i int) tensor.DType { return l.outType(i).DType }
func (l *lowering) OutShape(i int) []int       { return l.outType(i).Shape }

func (l *lowering) Scratch(bytes int) prog.Ref { return l.m.newStorage(bytes, l.pos, l.pos) }

func (l *lowering) Epilogue() graph.Act { return l.nd.act }

func (l *lowering) Rand() prog.Ref { return prog.At(regRand, 0) }

func (l *lowering) Threads() int { return l.m.p.rt.Threads() }

func (l *lowering) Emit(s prog.Step) {
	if s.Worker < 0 {
		l.tooLarge() // scratch
	}
	if s.Tiles < 1 {
		s.Tiles = 1
	}
	if x := &l.m.patch; x.on {
		x.steps = append(x.steps, s)
		return
	}
	b := l.m.b
	b.steps = append(b.steps, s)
	b.node = append(b.node, int32(l.node))
}

// kCopy copies N[0] + N[1]<<31 bytes from A[1] to A[0].
var kCopy = prog.Kernel{Name: "Copy", Run: runCopy}

func runCopy(w *prog.Worker, s *prog.Step, tile int) {
	lo, hi := prog.Span(int(s.N[0])|int(s.N[1])<<31, cacheLine, tile, int(s.Tiles))
	copy(w.Bytes(s.A[0].Add(lo), hi-lo), w.Bytes(s.A[1].Add(lo), hi-lo))
}

// A copy is worth a second thread from this many bytes.
const copyTile = 64 << 10

func copyStep(dst, src prog.Ref, bytes int) prog.Step {
	s := prog.Step{Kernel: &kCopy, Tiles: int32(min(max(bytes/copyTile, 1), 64))}
	s.A[0], s.A[1] = dst, src
	for i := 2; i < len(s.A); i++ {
		s.A[i] = prog.None
	}
	s.N[0], s.N[1] = int32(bytes&(1<<31-1)), int32(bytes>>31)
	return s
}
