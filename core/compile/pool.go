package compile

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/weft-ml/weft/core/prog"
)

// pool is a set of persistent goroutines that execute the tiles of a step together with the caller. Workers
// spin briefly for the next step and then park, so that an idle runtime uses no processor.
type pool struct {
	workers []prog.Worker // 0 is the caller
	parked  []atomic.Bool // by worker
	wake    []chan struct{}

	step  *prog.Step // the published step; written while no worker is inside
	tiles int32
	next  atomic.Int32 // next unclaimed tile

	running atomic.Bool   // a program runs whose steps want workers
	open    atomic.Bool   // a step is published
	gen     atomic.Uint32 // grows with every published step
	inside  atomic.Int32  // workers that look at the published step
	waiting atomic.Bool   // the caller sleeps until inside is 0
	left    chan struct{}
	closed  atomic.Bool
	done    sync.WaitGroup

	failed atomic.Bool
	mu     sync.Mutex
	cause  any // value of the first panic

	now   func() int64 // while a profile is under way
	spans []span       // of the step at hand, by worker
}

// span is the time that a worker spent in a step.
type span struct {
	start, end int64
	tiles      int
}

// goroutines is whether workers are goroutines. In js they are threads of the kernel module, which run what is compiled there;
// for what needs Go the caller is alone.
const goroutines = runtime.GOOS != "js"

// How long a worker looks for more work before it parks, in nanoseconds: between runs about what waking it up costs on a quiet machine, within a
// run longer, since a step of one tile is soon followed by one of many, and a busy machine wakes it late.
const (
	spinFor    = 20_000
	spinInside = 500_000
)

func newPool(threads int) *pool {
	p := &pool{workers: make([]prog.Worker, threads), parked: make([]atomic.Bool, threads), wake: make([]chan struct{}, threads), spans: make([]span, threads), left: make(chan struct{}, 1)}
	for i := range p.workers {
		p.workers[i].ID, p.workers[i].Peers = i, threads
		if i > 0 && goroutines {
			p.wake[i] = make(chan struct{}, 1)
			p.done.Add(1)
			go p.work(i)
		}
	}
	return p
}

func (p *pool) close() {
	p.closed.Store(true)
	for i := 1; i < len(p.wake) && goroutines; i++ {
		select {
		case p.wake[i] <- struct{}{}:
		default:
		}
	}
	p.done.Wait()
}

func (p *pool) work(id int) {
	defer p.done.Done()
	seen := uint32(0)
	for {
		if !p.await(id, seen) {
			return
		}
		seen = p.gen.Load()
		// The caller closes the step and then waits for inside to be 0; a worker enters and then looks whether
		// the step is open. One of the two sees the other.
		p.inside.Add(1)
		if p.open.Load() {
			p.claim(&p.workers[id])
		}
		if p.inside.Add(-1) == 0 && p.waiting.CompareAndSwap(true, false) {
			p.left <- struct{}{}
		}
	}
}

// await returns when a step other than the one already seen is published, false when the pool closes.
func (p *pool) await(id int, seen uint32) bool {
	start := int64(-1)
	for i := 0; ; i++ {
		if p.closed.Load() {
			return false
		}
		if p.gen.Load() != seen {
			return true
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
			runtime.Gosched() // whoever prepares the next batch comes first
			continue
		}
		p.parked[id].Store(true)
		if p.gen.Load() != seen || p.closed.Load() {
			if p.parked[id].CompareAndSwap(true, false) {
				continue
			}
		}
		<-p.wake[id]
		p.parked[id].Store(false)
		start = -1
	}
}

// claim runs tiles until none is left.
func (p *pool) claim(w *prog.Worker) {
	defer p.catch()
	s, n := p.step, p.tiles
	for {
		t := p.next.Add(1) - 1
		if t >= n {
			return
		}
		if p.now != nil && p.spans[w.ID].tiles == 0 {
			p.spans[w.ID].start = p.now()
		}
		s.Kernel.Run(w, s, int(t))
		if p.now != nil {
			p.spans[w.ID].tiles++
			p.spans[w.ID].end = p.now()
		}
	}
}

// catch keeps the first panic of a kernel for the caller and makes every worker stop claiming.
func (p *pool) catch() {
	r := recover()
	if r == nil {
		return
	}
	p.next.Store(1 << 30)
	p.mu.Lock()
	if !p.failed.Load() {
		p.cause = r
		p.failed.Store(true)
	}
	p.mu.Unlock()
}

// begin is told that a program with steps of several tiles starts: workers come and stay until end.
func (p *pool) begin() {
	p.running.Store(true)
	for i := 1; i < len(p.workers); i++ {
		p.call(i)
	}
}

func (p *pool) end() { p.running.Store(false) }

// call wakes a worker that is parked.
func (p *pool) call(i int) {
	if p.parked[i].Load() && p.parked[i].CompareAndSwap(true, false) {
		p.wake[i] <- struct{}{}
	}
}

// run executes all tiles of a step and returns when they are done. A panic in any of them comes out of run.
func (p *pool) run(s *prog.Step) {
	if !prog.RunStep(&p.workers[0], s) {
		p.runGo(s)
	}
}

// runGo is run for a step that needs Go.
func (p *pool) runGo(s *prog.Step) {
	if s.Tiles <= 1 || len(p.workers) == 1 || !goroutines {
		for t := range int(s.Tiles) {
			s.Kernel.Run(&p.workers[0], s, t)
		}
		return
	}
	p.step, p.tiles = s, s.Tiles
	p.next.Store(0)
	p.open.Store(true)
	p.gen.Add(1)
	for i, need := 1, int(s.Tiles)-1; i < len(p.workers) && need > 0; i++ {
		need--
		p.call(i)
	}
	p.claim(&p.workers[0])
	p.open.Store(false)
	p.leave()
	if p.failed.Load() {
		cause := p.cause
		p.cause = nil
		p.failed.Store(false)
		panic(cause)
	}
}

// leave waits until no worker is inside the step: first by spinning, as a tile takes about as long as a sleep.
func (p *pool) leave() {
	for i := 0; p.inside.Load() != 0; i++ {
		if i < 4000 {
			continue
		}
		if i < 4050 {
			runtime.Gosched()
			continue
		}
		p.waiting.Store(true)
		if p.inside.Load() == 0 && p.waiting.CompareAndSwap(true, false) {
			return
		}
		<-p.left
	}
}
