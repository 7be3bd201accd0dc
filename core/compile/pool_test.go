package compile

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/prog"
)

// counted notes how often each tile of the step at hand has run; a tile numbered N[0] panics, one numbered N[1] takes a while.
var (
	counts  [64]atomic.Int32
	counted = prog.Kernel{Name: "test counted", Run: func(w *prog.Worker, s *prog.Step, tile int) {
		if tile == int(s.N[0]) {
			panic("tile")
		}
		if tile == int(s.N[1]) {
			time.Sleep(50 * time.Microsecond)
		}
		counts[tile].Add(1)
	}}
)

func countedStep(tiles, panics, slow int) prog.Step {
	s := prog.Step{Kernel: &counted, Tiles: int32(tiles)}
	s.N[0], s.N[1] = int32(panics), int32(slow)
	return s
}

// Every tile of every step runs once, whatever the numbers of tiles and threads are, whether workers are awake, late or more than processors,
// and while tables come, go and change.
func TestPoolRunsEveryTileOnce(t *testing.T) {
	if !goroutines {
		t.Skip("workers are not goroutines")
	}
	rounds := 500
	if testing.Short() {
		rounds = 60
	}
	for _, threads := range []int{1, 2, 3, 2*runtime.GOMAXPROCS(0) + 1} {
		p := newPool(threads)
		table := make([]prog.Step, 40)
		for round := range rounds {
			if round%7 == 0 {
				p.quiet()
				table = table[:5+round%35]
				for i := range table {
					table[i] = countedStep(1+(3*i+round)%len(counts), -1, i*round%97)
				}
			}
			if round%50 == 49 {
				time.Sleep(2 * spinFor * time.Nanosecond)
			}
			if round%2 == 0 {
				p.begin()
			}
			check := func(tiles int) {
				t.Helper()
				for k := range counts {
					if n := int(counts[k].Swap(0)); (n == 1) != (k < tiles) || n > 1 {
						t.Fatalf("%d threads: tile %d of %d ran %d times", threads, k, tiles, n)
					}
				}
			}
			for i := range table {
				p.runGo(&table, i)
				check(int(table[i].Tiles))
			}
			s := countedStep(round%len(counts)+1, -1, -1)
			p.run(&s)
			check(int(s.Tiles))
			p.end()
		}
		p.close()
	}
}

// A tile's panic comes out of the step, when all of its tiles are done, and the next step runs.
func TestPoolPanics(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		p := newPool(threads)
		table := []prog.Step{countedStep(16, 0, -1), countedStep(16, 15, 3), countedStep(16, -1, -1)}
		for round := range 50 {
			for i := range 2 {
				func() {
					defer func() {
						if r := recover(); r != "tile" {
							t.Fatalf("%d threads, round %d: recovered %v", threads, round, r)
						}
					}()
					p.runGo(&table, i)
				}()
			}
			for k := range counts {
				counts[k].Store(0)
			}
			p.runGo(&table, 2)
			for k := range 16 {
				if n := counts[k].Load(); n != 1 {
					t.Fatalf("%d threads: tile %d ran %d times", threads, k, n)
				}
			}
		}
		p.close()
	}
}
