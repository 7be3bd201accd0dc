package compile

import (
	"slices"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// joinedTile is how many elements of a joined step are worth a thread.
const joinedTile = 8 << 10

// join makes neighbouring steps of kernels that join one step: the updates of all variables are one pass.
func (m *binder) join() {
	b := m.b
	kept := 0
	m.at = resize(m.at, len(b.steps))
	for i := 0; i < len(b.steps); {
		end := m.joinable(i)
		for r := i; r < end; r++ {
			m.at[r] = int32(kept)
		}
		if end-i > 1 {
			for _, n := range b.node[i:end] {
				if n >= 0 {
					m.spans[n].frozen = true
				}
			}
			m.joinSteps(i, end)
		}
		b.steps[kept], b.node[kept] = b.steps[i], b.node[i]
		if b.commit >= i && b.commit < end {
			b.commit = kept
		}
		kept++
		i = end
	}
	if kept < len(b.steps) {
		for i := range m.spans {
			if sp := &m.spans[i]; sp.stepEnd > sp.step {
				sp.step, sp.stepEnd = m.at[sp.step], m.at[sp.stepEnd-1]+1
			}
		}
	}
	b.steps, b.node = b.steps[:kept], b.node[:kept]
}

// joinable returns the end of the steps from i on that can be one: tiles of theirs may run in any order, so none may
// read what another one writes, and none may write to the arena, where memory is used again from node to node.
func (m *binder) joinable(i int) int {
	b := m.b
	first := &b.steps[i]
	const k = prog.JoinedOwn
	if !first.Kernel.Joins || !m.lasting(first) {
		return i + 1
	}
	end, total := i+1, int(first.N[0])
	for end < len(b.steps) && end != b.commit {
		s := &b.steps[end]
		if total += int(s.N[0]) + prog.JoinedUnit; total >= 1<<31 {
			break
		}
		if s.Kernel != first.Kernel || s.Worker != first.Worker || !slices.Equal(s.A[k:], first.A[k:]) || !slices.Equal(s.N[1:], first.N[1:]) || s.F != first.F || !m.lasting(s) {
			break
		}
		for j := i; j < end; j++ {
			if overlap(&b.steps[j], s) || overlap(s, &b.steps[j]) {
				return end
			}
		}
		end++
	}
	return end
}

// written are the operands of an update that it writes.
var written = [...]int{prog.JoinedOut, prog.JoinedOut + 1, prog.JoinedOut + 2}

// lasting reports whether a step writes outside the arena only.
func (m *binder) lasting(s *prog.Step) bool {
	for _, k := range written {
		if r := s.A[k]; r != prog.None && (r.Region() >= virtual || r.Region() == regArena) {
			return false
		}
	}
	return true
}

// overlap reports whether step s writes to a region that step t uses.
func overlap(s, t *prog.Step) bool {
	for _, k := range written {
		if s.A[k] == prog.None {
			continue
		}
		for _, r := range t.A {
			if r != prog.None && r.Region() == s.A[k].Region() {
				return true
			}
		}
	}
	return false
}

// joinSteps turns step i into one that does the work of all before end.
func (m *binder) joinSteps(i, end int) {
	b := m.b
	const k = prog.JoinedOwn
	rows := end - i
	off := m.reserve(8*rows*k + 4*rows)
	refs, sizes := tensor.Cast[uint64](b.data[off:off+8*rows*k]), tensor.Cast[int32](b.data[off+8*rows*k:off+8*rows*k+4*rows])
	total := 0
	for r := range rows {
		s := &b.steps[i+r]
		for j, a := range s.A[:k] {
			refs[r*k+j] = uint64(a)
			m.fixes = append(m.fixes, off+8*(r*k+j))
		}
		sizes[r] = s.N[0]
		total += (int(s.N[0]) + prog.JoinedUnit - 1) / prog.JoinedUnit * prog.JoinedUnit
	}
	s := &b.steps[i]
	for j := range k {
		s.A[j] = prog.None
	}
	s.A[0], s.N[0], s.N[prog.JoinedRows] = prog.At(regBound, off), int32(total), int32(rows)
	s.Tiles = int32(min(max(total/joinedTile, 1), 64))
}
