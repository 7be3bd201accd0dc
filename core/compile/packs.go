package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// packed is a packed copy of a constant or a variable: what one step makes of it, for one kernel set. All programs of a runtime that want it share
// it, and it goes with the last of them.
type packed struct {
	tensor  *tensor.Tensor // the constant; nil for a variable
	cell    *graph.Cell    // the variable; nil for a constant
	kernels *simd.Kernels
	step    prog.Step // without addresses
	buf     []byte
	version uint64 // of the cell when it was packed; 0: not packed yet
	refs    int    // programs
}

// pack is a program's use of a packed copy.
type pack struct {
	*packed
	index int
	root  int32
	step  prog.Step // with the program's addresses
}

// wanted returns the version that the copy should have.
func (k *packed) wanted() uint64 {
	if k.cell != nil {
		return k.cell.Version
	}
	return 1
}

func (l *lowering) Keeps(i int) bool {
	m, p := l.m, l.m.p
	v := l.in(i)
	if v < 0 || m.isKnown(v) {
		return false
	}
	x := &p.s.vals[m.find(v)]
	return x.origin == graph.FromConst || x.origin == graph.FromVar && !p.updated[x.index]
}

func (l *lowering) Pack(i, bytes int, s prog.Step) prog.Ref {
	m, p := l.m, l.m.p
	v := l.in(i)
	s.A[1] = m.ref(v)
	if l.Keeps(i) {
		pk := p.packed(m.find(v), bytes, s)
		if m.patch.on {
			m.patch.packs = append(m.patch.packs, pk)
		} else {
			m.b.packs = append(m.b.packs, pk)
		}
		return prog.At(p.regPack+pk.index, 0)
	}
	s.A[0] = l.Scratch(bytes)
	l.Emit(s)
	return s.A[0]
}

// packed returns the copy of root r that the step makes: the program's, or another's, or a new one.
func (p *Program) packed(r int32, bytes int, s prog.Step) *pack {
	if s.Tiles < 1 {
		s.Tiles = 1
	}
	for _, k := range p.packs {
		s.A[0] = prog.At(p.regPack+k.index, 0)
		if k.root == r && len(k.buf) == bytes && k.step == s {
			return k
		}
	}
	c := packed{kernels: p.kernels, step: s}
	c.step.A = [len(s.A)]prog.Ref{}
	if x := &p.s.vals[r]; x.origin == graph.FromVar {
		c.cell = p.cells[x.index]
	} else {
		c.tensor = p.s.consts[x.index]
	}
	k := &pack{packed: p.rt.packedCopy(&c, bytes), index: len(p.packs), root: r, step: s}
	k.step.A[0] = prog.At(p.regPack+k.index, 0)
	p.packs = append(p.packs, k)
	p.regions = append(p.regions, k.buf)
	return k
}

// packedCopy returns the runtime's packed copy that is like c, which it makes when there is none, and counts one program more.
func (rt *Runtime) packedCopy(c *packed, bytes int) *packed {
	src := c.source()
	for _, k := range rt.packs[src] {
		if k.kernels == c.kernels && len(k.buf) == bytes && k.step == c.step {
			k.refs++
			return k
		}
	}
	buf, err := rt.alloc.Alloc(bytes)
	if err != nil {
		panic(err)
	}
	c.buf, c.refs = buf, 1
	if rt.packs == nil {
		rt.packs = map[any][]*packed{}
	}
	rt.packs[src] = append(rt.packs[src], c)
	return c
}

// source is what copies are found by.
func (k *packed) source() any {
	if k.cell != nil {
		return k.cell
	}
	return k.tensor
}

// dropPacks lets go of the program's packed copies.
func (p *Program) dropPacks() {
	for _, k := range p.packs {
		p.rt.dropPacked(k.packed)
	}
	p.packs = nil
}

func (rt *Runtime) dropPacked(k *packed) {
	if k.refs--; k.refs > 0 {
		return
	}
	src := k.source()
	list := rt.packs[src]
	for i, o := range list {
		if o == k {
			list = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if rt.packs[src] = list; len(list) == 0 {
		delete(rt.packs, src)
	}
	rt.alloc.Free(k.buf)
}

// PackedBytes returns how much memory the packed copies of constants and variables take that the runtime's programs share.
func (rt *Runtime) PackedBytes() int64 {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	var n int64
	for _, list := range rt.packs {
		for _, k := range list {
			n += int64(len(k.buf))
		}
	}
	return n
}
