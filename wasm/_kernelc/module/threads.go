package module

import (
	. "github.com/weft-ml/weft/simd/wasmasm"
)

// The block in memory through which threads share a step, in bytes; simd/threads_js.go makes it. Words that different threads
// write lie in different cache lines.
const (
	ctlGen    = 0  // grows with every published step; threads wait on it
	ctlStop   = 4  // threads are to end
	ctlParked = 8  // threads that wait, or are about to
	ctlReady  = 12 // threads that have arrived
	ctlStep   = 16 // the published step, its kernel, its tiles and the first of its workers
	ctlKernel = 20
	ctlTiles  = 24
	ctlWorker = 28
	ctlData   = 32 // what program_start wants
	ctlShared = 40
	ctlLimit  = 48 // threads that have a stack
	ctlNext   = 64 // the next tile that nobody has claimed
	ctlFailed = 68
	ctlInside = 128 // threads that look at the published step
	ctlAsleep = 132 // the publisher waits until nobody is inside
	ctlOpen   = 192 // a step is published
	ctlStacks = 256 // where the stacks of the threads start, 8 bytes each, number 0 unused
)

// How often a thread looks for another step before it waits, and the publisher for the end of the last tiles: a look takes about 17 ns, a wake-up 20 to
// 50 us. A thread outlasts a few steps of one tile, the publisher most tiles.
const (
	threadLooks    = 100000 / 17
	publisherLooks = 200000 / 17
)

// looks emits a loop of n looks, which leaves by itself when it has seen something. Between two it computes square roots, for about 60 cycles on any processor: a
// loop of loads alone takes a nanosecond a turn or ten, as the browser's compiler has it.
func looks(f *Func, n int32, left, x Local, body func()) {
	f.I32(2 * n).Set(left)
	f.Loop(func(again Label) {
		body()
		f.Get(x)
		for range 3 {
			f.F64(3).Op(F64Add, F64Sqrt)
		}
		f.Set(x)
		f.Get(left, x).Op(I32TruncSatF64S, I32Sub).Tee(left).I32(0).Op(I32GtS).BrIf(again) // x is 2.3
	})
}

// patience is for how many seconds the publisher waits for a thread to finish its tile, before it traps: the thread has died.
const patience = 30

// threads are the functions of a shared variant.
type threads struct {
	*program
	control Global // address of the block; 0: not shared yet
}

// addThreads adds
//
//	program_share(control) i32   shares steps of several tiles by the block at control from now on; reports whether it can
//	program_threads() i32        the address of the block, 0 before program_share
//	program_stop()               ends the threads
//	thread(control, index)       runs tiles until then
//
// and returns the function that shares a step, nil for a variant without shared memory.
func (p *program) addThreads(shared bool, tile, start *Func) *Func {
	share := p.m.Func("program_share", Sig(I32)(I32))
	p.m.ExportFunc("program_share", share)
	if !shared {
		share.I32(0)
		return nil
	}
	t := &threads{program: p, control: p.m.Global(true, ConstI32(0))}
	share.Get(share.Param(0, "control")).SetGlobal(t.control).I32(1)
	get := p.m.Func("program_threads", Sig()(I32))
	get.GetGlobal(t.control)
	p.m.ExportFunc("program_threads", get)
	stop := p.m.Func("program_stop", Sig()())
	stop.GetGlobal(t.control).If(func() {
		stop.GetGlobal(t.control).I32(1).Mem(I32AtomicStore, ctlStop)
		stop.GetGlobal(t.control).I32(1).Mem(I32AtomicRmwAdd, ctlGen).Drop()
		stop.GetGlobal(t.control).I32(-1).Mem(MemoryAtomicNotify, ctlGen).Drop()
	}, nil)
	p.m.ExportFunc("program_stop", stop)
	claim := t.claim(tile)
	t.addThread(claim, start)
	return t.addShare(tile, claim)
}

// claim returns claim(control, worker, step, kernel, tiles): it runs tiles until none is left.
func (t *threads) claim(tile *Func) *Func {
	f := t.m.Func("claim", Sig(I32, I32, I32, I32, I32)())
	ctl, w, s, k, tiles := f.Param(0, "control"), f.Param(1, "worker"), f.Param(2, "step"), f.Param(3, "kernel"), f.Param(4, "tiles")
	n := f.Local(I32, "tile")
	f.Block(func(exit Label) {
		f.Loop(func(next Label) {
			f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlNext).Tee(n).Get(tiles).Op(I32GeU).BrIf(exit)
			f.Get(w, s, k, n).Call(tile).Op(I32Eqz).BrIf(next)
			// It failed: nobody needs to go on.
			f.Get(ctl).I32(1).Mem(I32AtomicStore, ctlFailed)
			f.Get(ctl).I32(1<<30).Mem(I32AtomicStore, ctlNext)
		})
	})
	return f
}

// addThread adds the function that a kernel worker gives itself to.
func (t *threads) addThread(claim, start *Func) {
	f := t.m.Func("thread", Sig(I32, I32)())
	ctl, index := f.Param(0, "control"), f.Param(1, "index")
	seen, now, left, w := f.Local(I32, "seen"), f.Local(I32, "now"), f.Local(I32, "left"), f.Local(I32, "worker")
	x := f.Local(F64, "x")
	f.Get(index).Get(ctl).Mem(I32Load, ctlLimit).Op(I32GeU).If(func() { f.Return() }, nil)
	f.Get(ctl, index).I32(3).Op(I32Shl, I32Add).Mem(I32Load, ctlStacks)
	f.Get(ctl).Mem(I32Load, ctlData).Get(ctl).Mem(I32Load, ctlShared).I32(0).Call(start)
	f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlReady).Drop()
	f.Loop(func(again Label) {
		// Look for a step for a while, then wait for one.
		f.Block(func(found Label) {
			looks(f, threadLooks, left, x, func() {
				f.Get(ctl).Mem(I32AtomicLoad, ctlGen).Tee(now).Get(seen).Op(I32Ne).BrIf(found)
			})
			f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlParked).Drop()
			f.Get(ctl, seen).I64(-1).Mem(MemoryAtomicWait32, ctlGen).Drop()
			f.Get(ctl).I32(1).Mem(I32AtomicRmwSub, ctlParked).Drop()
			f.Get(ctl).Mem(I32AtomicLoad, ctlGen).Tee(now).Get(seen).Op(I32Eq).BrIf(again)
		})
		f.Get(now).Set(seen)
		f.Get(ctl).Mem(I32AtomicLoad, ctlStop).If(func() {
			f.Get(ctl).I32(1).Mem(I32AtomicRmwSub, ctlReady).Drop()
			f.Return()
		}, nil)
		// The publisher closes the step and then waits for inside to be 0; a thread enters and then looks whether the step is open.
		// One of the two sees the other.
		f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlInside).Drop()
		f.Get(ctl).Mem(I32AtomicLoad, ctlOpen).If(func() {
			f.Get(ctl).Mem(I32Load, ctlWorker).Set(w)
			f.Get(index).Get(w).Mem(I32Load, t.layout.peers).Op(I32LtU).If(func() {
				f.Get(ctl)
				f.Get(w, index).I32(int32(t.layout.worker)).Op(I32Mul, I32Add)
				f.Get(ctl).Mem(I32Load, ctlStep).Get(ctl).Mem(I32Load, ctlKernel).Get(ctl).Mem(I32Load, ctlTiles).Call(claim)
			}, nil)
		}, nil)
		f.Get(ctl).I32(1).Mem(I32AtomicRmwSub, ctlInside).I32(1).Op(I32Eq).If(func() {
			f.Get(ctl).Mem(I32AtomicLoad, ctlAsleep).If(func() {
				f.Get(ctl).I32(1).Mem(MemoryAtomicNotify, ctlInside).Drop()
			}, nil)
		}, nil)
		f.Br(again)
	})
	t.m.ExportFunc("thread", f)
}

// addShare returns share(worker, step, kernel, tiles): it publishes a step, works on it, and returns whether a tile failed when all
// are done. The publisher takes tiles that no thread has claimed, so that a thread that is not there costs nothing.
func (t *threads) addShare(tile, claim *Func) *Func {
	f := t.m.Func("share", Sig(I32, I32, I32, I32)(I32))
	w, s, k, tiles := f.Param(0, "worker"), f.Param(1, "step"), f.Param(2, "kernel"), f.Param(3, "tiles")
	ctl, n, left := f.Local(I32, "control"), f.Local(I32, "tile"), f.Local(I32, "left")
	x := f.Local(F64, "x")
	f.GetGlobal(t.control).Tee(ctl).Op(I32Eqz)
	alone := func() {
		f.Loop(func(next Label) {
			f.Get(w, s, k, n).Call(tile).If(func() { f.I32(1).Return() }, nil)
			f.Get(n).I32(1).Op(I32Add).Tee(n).Get(tiles).Op(I32LtS).BrIf(next)
		})
		f.I32(0).Return()
	}
	f.If(alone, nil)
	f.Get(w).Mem(I32Load, t.layout.peers).I32(1).Op(I32LeS).Get(ctl).Mem(I32AtomicLoad, ctlReady).Op(I32Eqz, I32Or).If(alone, nil)
	for _, p := range []struct {
		at uint32
		v  Local
	}{{ctlStep, s}, {ctlKernel, k}, {ctlTiles, tiles}, {ctlWorker, w}} {
		f.Get(ctl, p.v).Mem(I32Store, p.at)
	}
	f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlNext)
	f.Get(ctl).I32(1).Mem(I32AtomicStore, ctlOpen)
	f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlGen).Drop()
	f.Get(ctl).Mem(I32AtomicLoad, ctlParked).If(func() {
		f.Get(ctl, tiles).I32(1).Op(I32Sub).Mem(MemoryAtomicNotify, ctlGen).Drop()
	}, nil)
	f.Get(ctl, w, s, k, tiles).Call(claim)
	f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlOpen)
	// Wait until nobody is inside: first by looking, as a tile takes about as long as a sleep.
	f.Block(func(done Label) {
		looks(f, publisherLooks, left, x, func() { f.Get(ctl).Mem(I32AtomicLoad, ctlInside).Op(I32Eqz).BrIf(done) })
		f.Get(ctl).I32(1).Mem(I32AtomicStore, ctlAsleep)
		f.I32(patience).Set(left)
		f.Loop(func(sleep Label) {
			f.Get(ctl).Mem(I32AtomicLoad, ctlInside).Tee(n).If(func() {
				f.Get(ctl, n).I64(1e9).Mem(MemoryAtomicWait32, ctlInside)
				f.I32(2).Op(I32Ne).BrIf(sleep)
				f.Get(left).I32(1).Op(I32Sub).Tee(left).BrIf(sleep)
				f.Unreachable()
			}, nil)
		})
		f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlAsleep)
	})
	f.Get(ctl).Mem(I32AtomicLoad, ctlFailed)
	f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlFailed)
	return f
}
