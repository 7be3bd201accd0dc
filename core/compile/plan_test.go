package compile

import (
	"math/rand/v2"
	"testing"
)

func TestPlaceNeverOverlaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var p planner
	for round := range 200 {
		s := make([]storage, 1+r.IntN(300))
		peak := make([]int, 110)
		for i := range s {
			start := r.IntN(100) - 1
			s[i] = storage{size: r.IntN(5000), start: start, end: min(start+r.IntN(20), 100)}
			for k := s[i].start; k <= s[i].end; k++ {
				peak[k+1] += alignUp(s[i].size)
			}
		}
		top := p.place(s)
		most := 0
		for _, n := range peak {
			most = max(most, n)
		}
		if top > 2*most {
			t.Errorf("round %d: arena of %d bytes for at most %d in use", round, top, most)
		}
		for i := range s {
			if s[i].off%cacheLine != 0 || s[i].off < 0 || s[i].off+s[i].size > top {
				t.Fatalf("storage %d lies at %d, outside the arena", i, s[i].off)
			}
			for j := range i {
				a, b := &s[i], &s[j]
				if a.size > 0 && b.size > 0 && a.start <= b.end && b.start <= a.end && a.off < b.off+b.size && b.off < a.off+a.size {
					t.Fatalf("storages %v and %v overlap", *a, *b)
				}
			}
		}
	}
}
