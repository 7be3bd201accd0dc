package compile

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd/cores"
)

// pool is a set of persistent goroutines that execute the tiles of a step together with the caller. Workers
// spin briefly for the next step and then park, so that an idle runtime uses no processor.
//
// Nothing here asks Go's scheduler for a turn while a program runs: two goroutines that do so at the same time change threads, and cores with
// them, and what a core has in its caches belongs to the other one then. Who waits looks, and sleeps in the end. A worker that finds itself on the
// caller's core, where a busy system may wake it, leaves that. Only where there are more workers than Go runs at once does who waits let others run.
//
// Every worker has a share of a step's tiles, the same part of them in every step, so that what a step leaves in a core's caches is where the
// next one wants it. Who has done its share takes tiles from the others', so that a worker that is late, or does not come, holds nobody up.
//
// A cache line that one core wrote takes the other 0.1 to 0.5 us to read, so the protocol is made of as few as it can be: the caller writes one
// line to publish a step; what a worker claims and counts is in a line of its own, which the caller reads only when its own share is done.
type pool struct {
	// What workers read, and the caller writes between runs.
	workers []prog.Worker // 0 is the caller
	seats   []seat        // by worker
	left    chan struct{}
	done    sync.WaitGroup
	steps   atomic.Pointer[[]prog.Step] // the table of the published step; changes while none is
	crowded bool                        // there are more workers than Go runs goroutines at once
	now     func() int64                // while a profile is under way
	spans   []span                      // of the step at hand, by worker
	_       [128]byte

	// What is the caller's.
	single []prog.Step // the table of a step that belongs to none
	turn   uint64      // of the last step that was published
	others uint64      // tiles that workers have run, all together, before the step at hand
	_      [128]byte

	// post is the published step: its turn and its place in the table, which is idle when there is none. Workers look at it all the time.
	post    atomic.Uint64
	running atomic.Bool  // a program runs whose steps want workers
	core    atomic.Int32 // where the caller was last known to run
	closed  atomic.Bool
	_       [128]byte

	waiting atomic.Bool // the caller sleeps until the workers have run their tiles
	failed  atomic.Bool
	mu      sync.Mutex
	cause   any // value of the first panic
}

// seat is what the threads know of one of them: in a line of its own what changes with every tile.
type seat struct {
	claims atomic.Uint64 // the turn of the last step that a tile of this share was claimed of, and how many were
	ran    atomic.Uint64 // tiles that the worker has run since it started
	_      [128]byte
	inside atomic.Bool // the worker looks at the published step
	_      [128]byte
	parked atomic.Bool
	wake   chan struct{}
	_      [128]byte
}

// Turns stand in the upper bits of a word, places in a table and numbers of tiles in the lower.
const (
	lowBits = 20
	idle    = 1<<lowBits - 1
)

// shareOf returns where the share of a worker begins in a step of that many tiles.
func shareOf(worker, tiles, workers int) int { return (worker*tiles + workers - 1) / workers }

// span is the time that a worker spent in a step.
type span struct {
	start, end int64
	tiles      int
}

// goroutines is whether workers are goroutines. In js they are threads of the kernel module, which run what is compiled there;
// for what needs Go the caller is alone.
const goroutines = runtime.GOOS != "js"

// How long a thread looks for what it waits for before it sleeps, in nanoseconds. Between runs a worker looks about as long as waking it up costs on
// a quiet machine; within a run longer, since a step of one tile is soon followed by one of many, and a busy machine wakes it late. A caller looks for as long as
// the worker that it waits for may need for a tile; one that has not come back then is likely to have lost its core, perhaps to the caller.
const (
	spinFor    = 20_000
	spinInside = 500_000
	spinLeave  = 200_000
	spinApart  = 100_000 // after that a worker looks whether it is on the caller's core
)

func newPool(threads int) *pool {
	p := &pool{workers: make([]prog.Worker, threads), seats: make([]seat, threads), single: make([]prog.Step, 1), spans: make([]span, threads), left: make(chan struct{}, 1),
		crowded: threads > runtime.GOMAXPROCS(0)}
	p.post.Store(idle)
	for i := range p.workers {
		p.workers[i].ID, p.workers[i].Peers = i, threads
		if i > 0 && goroutines {
			p.seats[i].wake = make(chan struct{}, 1)
			p.done.Add(1)
			go p.work(i)
		}
	}
	return p
}

func (p *pool) close() {
	p.closed.Store(true)
	for i := 1; i < len(p.seats) && goroutines; i++ {
		select {
		case p.seats[i].wake <- struct{}{}:
		default:
		}
	}
	p.done.Wait()
}

func (p *pool) work(id int) {
	defer p.done.Done()
	s := &p.seats[id]
	for seen := uint64(idle); ; {
		seen = p.await(id, seen)
		if p.closed.Load() {
			return
		}
		// Tables change when nobody looks at one: see quiet.
		s.inside.Store(true)
		p.help(id, seen)
		s.inside.Store(false)
	}
}

// await returns the published step when it is another one than the one already seen, anything when the pool closes.
func (p *pool) await(id int, seen uint64) uint64 {
	s := &p.seats[id]
	start, apart := int64(-1), false
	for i := 0; ; i++ {
		word := p.post.Load()
		if word != seen && word&idle != idle || p.closed.Load() {
			return word
		}
		if i&63 != 63 {
			continue
		}
		if start < 0 {
			start = nanotime()
			continue
		}
		spent := nanotime() - start
		if spent < spinFor && goroutines {
			continue
		}
		if spent < spinInside && goroutines && p.running.Load() {
			if p.crowded {
				runtime.Gosched()
			} else if spent > spinApart && !apart {
				apart = true
				cores.Leave(int(p.core.Load()))
			}
			continue
		}
		s.parked.Store(true)
		if word := p.post.Load(); word != seen && word&idle != idle || p.closed.Load() {
			if s.parked.CompareAndSwap(true, false) {
				continue
			}
		}
		<-s.wake
		cores.Leave(int(p.core.Load()))
		start = -1
	}
}

// help runs tiles of the step that a worker has seen published, if it still is.
func (p *pool) help(id int, word uint64) {
	if p.post.Load() != word {
		return
	}
	table := *p.steps.Load()
	i := int(word & idle)
	if i >= len(table) {
		return
	}
	s := &table[i]
	tiles := int(s.Tiles)
	if p.post.Load() != word { // the table may be another one's
		return
	}
	p.claim(id, word>>lowBits, s, tiles)
	if p.waiting.Load() && p.waiting.CompareAndSwap(true, false) {
		p.left <- struct{}{}
	}
}

// claim runs tiles of a step until all are claimed, those of the worker's own share first, and returns how many it has run.
func (p *pool) claim(id int, turn uint64, s *prog.Step, tiles int) (ran int) {
	n := len(p.seats)
	for k := range n {
		owner := id + k
		if owner >= n {
			owner -= n
		}
		first := shareOf(owner, tiles, n)
		size := shareOf(owner+1, tiles, n) - first
		claims := &p.seats[owner].claims
		for {
			was := claims.Load()
			at := 0
			if t := was >> lowBits; t == turn {
				at = int(was & idle)
			} else if t > turn {
				break
			}
			if at >= size {
				break
			}
			if claims.CompareAndSwap(was, turn<<lowBits|uint64(at+1)) {
				p.tile(id, s, first+at)
				ran++
				if id > 0 {
					p.seats[id].ran.Add(1)
				}
			}
		}
	}
	return ran
}

// tile runs one tile. It keeps the first panic of a kernel for the caller; of a step that has failed nothing more is run.
func (p *pool) tile(id int, s *prog.Step, t int) {
	defer p.catch()
	if p.failed.Load() {
		return
	}
	if p.now != nil && p.spans[id].tiles == 0 {
		p.spans[id].start = p.now()
	}
	s.Kernel.Run(&p.workers[id], s, t)
	if p.now != nil {
		p.spans[id].tiles++
		p.spans[id].end = p.now()
	}
}

func (p *pool) catch() {
	r := recover()
	if r == nil {
		return
	}
	p.mu.Lock()
	if !p.failed.Load() {
		p.cause = r
		p.failed.Store(true)
	}
	p.mu.Unlock()
}

// begin is told that a program with steps of several tiles starts: workers come and stay until end.
func (p *pool) begin() {
	p.core.Store(int32(cores.Current()))
	p.running.Store(true)
	for i := 1; i < len(p.seats); i++ {
		p.call(i)
	}
}

func (p *pool) end() { p.running.Store(false) }

// call wakes a worker that is parked.
func (p *pool) call(i int) {
	if s := &p.seats[i]; s.parked.Load() && s.parked.CompareAndSwap(true, false) {
		s.wake <- struct{}{}
	}
}

// quiet takes back what is published and waits until no worker looks at a table, which may change then.
func (p *pool) quiet() {
	p.withdraw()
	for i := range p.seats {
		for p.seats[i].inside.Load() {
			runtime.Gosched()
		}
	}
}

// withdraw takes back what is published.
func (p *pool) withdraw() {
	p.turn++
	p.post.Store(p.turn<<lowBits | idle)
}

// table makes steps of a table what is published next.
func (p *pool) table(steps *[]prog.Step) {
	if p.steps.Load() != steps {
		p.withdraw()
		p.steps.Store(steps)
	}
}

// run executes all tiles of a step that belongs to no table. A panic in any of them comes out of run.
func (p *pool) run(s *prog.Step) {
	if prog.RunStep(&p.workers[0], s) {
		return
	}
	if !p.shares(s, 0) {
		p.alone(s)
		return
	}
	p.quiet()
	p.single[0] = *s
	p.table(&p.single)
	p.runGo(&p.single, 0)
}

// shares reports whether step i of a table is worked on together.
func (p *pool) shares(s *prog.Step, i int) bool {
	return s.Tiles > 1 && s.Tiles < idle && i < idle && len(p.workers) > 1 && goroutines
}

// alone executes a step on the caller's thread.
func (p *pool) alone(s *prog.Step) {
	for t := range int(s.Tiles) {
		s.Kernel.Run(&p.workers[0], s, t)
	}
}

// runGo executes step i of a table, in Go, and returns when all its tiles are done. A panic in any of them comes out of it.
func (p *pool) runGo(steps *[]prog.Step, i int) {
	s := &(*steps)[i]
	if !p.shares(s, i) {
		p.alone(s)
		return
	}
	p.table(steps)
	p.turn++
	p.post.Store(p.turn<<lowBits | uint64(i))
	tiles := int(s.Tiles)
	for k := 1; k < len(p.seats); k++ {
		p.call(k)
	}
	p.others += uint64(tiles - p.claim(0, p.turn, s, tiles))
	p.leave()
	if p.failed.Load() {
		cause := p.cause
		p.cause = nil
		p.failed.Store(false)
		panic(cause)
	}
}

// missing reports whether workers have tiles at hand.
func (p *pool) missing() bool {
	sum := uint64(0)
	for i := range p.seats {
		sum += p.seats[i].ran.Load()
	}
	return sum != p.others
}

// leave waits until the workers have run what they claimed: first by looking, as a tile takes about as long as a sleep.
func (p *pool) leave() {
	start := int64(-1)
	for i := 1; p.missing(); i++ {
		if i&63 != 0 {
			continue
		}
		if start < 0 {
			start = nanotime()
			continue
		}
		spent := nanotime() - start
		if p.crowded && spent < spinFor {
			runtime.Gosched()
			continue
		}
		if !p.crowded && spent < spinLeave {
			continue
		}
		p.waiting.Store(true)
		if !p.missing() && p.waiting.CompareAndSwap(true, false) {
			return
		}
		<-p.left
		p.core.Store(int32(cores.Current()))
	}
}
