package compile

import "slices"

// storage is a piece of the arena with the positions between which it is in use.
type storage struct {
	size       int
	start, end int // positions of nodes, both included
	off        int
}

const cacheLine = 64

func alignUp(n int) int { return (n + cacheLine - 1) &^ (cacheLine - 1) }

// hole is a free piece of the arena while it is being planned.
type hole struct{ off, size int }

// planner places storages in the arena; its slices are kept from plan to plan.
type planner struct {
	holes []hole
	byEnd []int32
	order []int32
}

// place gives every storage an offset such that storages in use at the same time do not overlap, and returns
// the size of the arena. Few storages are placed largest first, which packs best; many by a walk through time that takes the
// tightest hole, in about linear time.
func (p *planner) place(s []storage) int {
	walked := p.walk(s)
	if len(s) > 192 {
		return walked
	}
	saved := make([]int, len(s))
	for i := range s {
		saved[i] = s[i].off
	}
	sized := p.bySize(s)
	if sized <= walked {
		return sized
	}
	for i := range s {
		s[i].off = saved[i]
	}
	return walked
}

// bySize places the largest storage first, each at the lowest offset where it fits between those already placed.
func (p *planner) bySize(s []storage) int {
	p.order = p.order[:0]
	for i := range s {
		p.order = append(p.order, int32(i))
	}
	slices.SortStableFunc(p.order, func(a, b int32) int { return s[b].size - s[a].size })
	placed := p.byEnd[:0] // by offset
	top := 0
	for _, i := range p.order {
		x := &s[i]
		need, at := alignUp(x.size), 0
		for _, j := range placed {
			y := &s[j]
			if y.end < x.start || x.end < y.start {
				continue
			}
			if y.off-at >= need {
				break
			}
			at = max(at, y.off+alignUp(y.size))
		}
		x.off = at
		top = max(top, at+need)
		k, _ := slices.BinarySearchFunc(placed, at, func(j int32, off int) int {
			if s[j].off < off {
				return -1
			}
			return 1
		})
		placed = slices.Insert(placed, k, i)
	}
	p.byEnd = placed
	return top
}

// walk places storages in the order of their start.
func (p *planner) walk(s []storage) int {
	p.holes, p.order, p.byEnd = p.holes[:0], p.order[:0], p.byEnd[:0]
	for i := range s {
		p.order = append(p.order, int32(i))
		p.byEnd = append(p.byEnd, int32(i))
	}
	slices.SortStableFunc(p.order, func(a, b int32) int { return s[a].start - s[b].start })
	slices.SortStableFunc(p.byEnd, func(a, b int32) int { return s[a].end - s[b].end })
	top, e := 0, 0
	for _, i := range p.order {
		x := &s[i]
		for e < len(p.byEnd) && s[p.byEnd[e]].end < x.start {
			y := &s[p.byEnd[e]]
			p.free(y.off, alignUp(y.size))
			e++
		}
		need := alignUp(x.size)
		if need == 0 {
			continue
		}
		best := -1
		for k, h := range p.holes {
			if h.size >= need && (best < 0 || h.size < p.holes[best].size) {
				best = k
			}
		}
		if best >= 0 {
			h := &p.holes[best]
			x.off = h.off
			h.off += need
			h.size -= need
			if h.size == 0 {
				p.holes = slices.Delete(p.holes, best, best+1)
			}
			continue
		}
		x.off = top
		if n := len(p.holes); n > 0 && p.holes[n-1].off+p.holes[n-1].size == top {
			x.off = p.holes[n-1].off // extend the hole that ends at the top
			p.holes = p.holes[:n-1]
		}
		top = x.off + need
	}
	return top
}

// free adds a hole and joins it with its neighbours.
func (p *planner) free(off, size int) {
	if size == 0 {
		return
	}
	k, _ := slices.BinarySearchFunc(p.holes, off, func(h hole, off int) int { return h.off - off })
	p.holes = slices.Insert(p.holes, k, hole{off, size})
	if k+1 < len(p.holes) && off+size == p.holes[k+1].off {
		p.holes[k].size += p.holes[k+1].size
		p.holes = slices.Delete(p.holes, k+1, k+2)
	}
	if k > 0 && p.holes[k-1].off+p.holes[k-1].size == off {
		p.holes[k-1].size += p.holes[k].size
		p.holes = slices.Delete(p.holes, k, k+1)
	}
}
