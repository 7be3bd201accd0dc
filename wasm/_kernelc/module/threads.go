package module

import (
	. "github.com/weft-ml/weft/simd/wasmasm"
)

// The block in memory through which threads share a step, in bytes; simd/threads_js.go makes it. Words that different threads
// write lie in different cache lines, two apart since some processors fetch them in pairs.
const (
	ctlGen    = 0  // odd while a step is published, which begins and ends with it growing; threads wait on it
	ctlStop   = 4  // threads are to end
	ctlStep   = 16 // the published step, its kernel, its tiles, the first of its workers and how many they are
	ctlKernel = 20
	ctlTiles  = 24
	ctlWorker = 28
	ctlData   = 32 // what program_start wants
	ctlShared = 40
	ctlLimit  = 48 // threads that have a stack
	ctlPeers  = 52
	ctlReady  = 128 // threads that have arrived
	ctlParked = 132 // threads that wait, or are about to
	ctlFailed = 136 // a tile of the published step has failed
	ctlAsleep = 256 // the publisher waits until a thread is no longer inside
	ctlStacks = 384 // where the stacks of the threads start, 8 bytes each, number 0 unused
	ctlSeats  = 512 // of the threads, the publisher's first

	seatSize   = 128
	seatClaims = 0 // tiles of the thread's share that have been claimed, at most one too many by each thread
	seatInside = 4 // the thread looks at the published step
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
	spins   Global // the publisher must not wait: it looks until it has seen
}

// addThreads adds
//
//	program_share(control) i32   shares steps of several tiles by the block at control from now on; reports whether it can
//	program_threads() i32        the address of the block, 0 before program_share
//	program_spins()              says that this thread is a page's own, which must not wait on an atomic
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
	t := &threads{program: p, control: p.m.Global(true, ConstI32(0)), spins: p.m.Global(true, ConstI32(0))}
	share.Get(share.Param(0, "control")).SetGlobal(t.control).I32(1)
	get := p.m.Func("program_threads", Sig()(I32))
	get.GetGlobal(t.control)
	p.m.ExportFunc("program_threads", get)
	spin := p.m.Func("program_spins", Sig()())
	spin.I32(1).SetGlobal(t.spins)
	p.m.ExportFunc("program_spins", spin)
	stop := p.m.Func("program_stop", Sig()())
	stop.GetGlobal(t.control).If(func() {
		stop.GetGlobal(t.control).I32(1).Mem(I32AtomicStore, ctlStop)
		stop.GetGlobal(t.control).I32(2).Mem(I32AtomicRmwAdd, ctlGen).Drop()
		stop.GetGlobal(t.control).I32(-1).Mem(MemoryAtomicNotify, ctlGen).Drop()
	}, nil)
	p.m.ExportFunc("program_stop", stop)
	claim := t.claim(tile)
	t.addThread(claim, start)
	return t.addShare(tile, claim)
}

// seat emits the address of the seat of a thread.
func seat(f *Func, ctl, index Local) *Func {
	return f.Get(ctl, index).I32(seatSize).Op(I32Mul, I32Add)
}

// claim returns claim(control, index, peers, worker, step, kernel, tiles): it runs tiles until all are claimed, first those of the thread's own share,
// which is the same part of the tiles in every step, so that what a step leaves in a core's caches is where the next one wants it, then those of the
// others'.
func (t *threads) claim(tile *Func) *Func {
	f := t.m.Func("claim", Sig(I32, I32, I32, I32, I32, I32, I32)())
	ctl, index, peers := f.Param(0, "control"), f.Param(1, "index"), f.Param(2, "peers")
	w, s, k, tiles := f.Param(3, "worker"), f.Param(4, "step"), f.Param(5, "kernel"), f.Param(6, "tiles")
	owner, left, at := f.Local(I32, "owner"), f.Local(I32, "left"), f.Local(I32, "seat")
	first, size, n := f.Local(I32, "first"), f.Local(I32, "size"), f.Local(I32, "tile")
	start := func() { // of the share of the owner that is on the stack
		f.Get(tiles).Op(I32Mul).Get(peers).I32(1).Op(I32Sub, I32Add).Get(peers).Op(I32DivU)
	}
	f.Get(index).Set(owner)
	f.Get(peers).Set(left)
	f.Loop(func(another Label) {
		f.Get(owner)
		start()
		f.Set(first)
		f.Get(owner).I32(1).Op(I32Add)
		start()
		f.Get(first).Op(I32Sub).Set(size)
		seat(f, ctl, owner).Set(at)
		f.Block(func(all Label) {
			f.Loop(func(next Label) {
				// Only looking leaves the line to its owner.
				f.Get(at).Mem(I32AtomicLoad, ctlSeats+seatClaims).Get(size).Op(I32GeU).BrIf(all)
				f.Get(at).I32(1).Mem(I32AtomicRmwAdd, ctlSeats+seatClaims).Tee(n).Get(size).Op(I32GeU).BrIf(all)
				f.Get(w, s, k).Get(first, n).Op(I32Add).Call(tile).Op(I32Eqz).BrIf(next)
				f.Get(ctl).I32(1).Mem(I32AtomicStore, ctlFailed)
				f.Return()
			})
		})
		f.Get(owner).I32(1).Op(I32Add).Tee(owner).Get(peers).Op(I32GeU).If(func() { f.I32(0).Set(owner) }, nil)
		f.Get(left).I32(1).Op(I32Sub).Tee(left).BrIf(another)
	})
	return f
}

// addThread adds the function that a kernel worker gives itself to.
func (t *threads) addThread(claim, start *Func) {
	f := t.m.Func("thread", Sig(I32, I32)())
	ctl, index := f.Param(0, "control"), f.Param(1, "index")
	seen, now, left, at := f.Local(I32, "seen"), f.Local(I32, "now"), f.Local(I32, "left"), f.Local(I32, "seat")
	x := f.Local(F64, "x")
	f.Get(index).Get(ctl).Mem(I32Load, ctlLimit).Op(I32GeU).If(func() { f.Return() }, nil)
	f.Get(ctl, index).I32(3).Op(I32Shl, I32Add).Mem(I32Load, ctlStacks)
	f.Get(ctl).Mem(I32Load, ctlData).Get(ctl).Mem(I32Load, ctlShared).I32(0).Call(start)
	seat(f, ctl, index).Set(at)
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
		f.Get(now).I32(1).Op(I32And, I32Eqz).BrIf(again) // a step has ended
		// Workers may be fewer than threads. What is read here may be of another step already.
		f.Get(index).Get(ctl).Mem(I32AtomicLoad, ctlPeers).Op(I32GeU).BrIf(again)
		// The publisher ends the step and then waits for threads to be no longer inside; a thread enters and then looks whether the step has ended.
		// One of the two sees the other.
		f.Get(at).I32(1).Mem(I32AtomicStore, ctlSeats+seatInside)
		f.Get(ctl).Mem(I32AtomicLoad, ctlGen).Get(now).Op(I32Eq).If(func() {
			f.Get(ctl, index).Get(ctl).Mem(I32AtomicLoad, ctlPeers)
			f.Get(ctl).Mem(I32Load, ctlWorker).Get(index).I32(int32(t.layout.worker)).Op(I32Mul, I32Add)
			f.Get(ctl).Mem(I32Load, ctlStep).Get(ctl).Mem(I32Load, ctlKernel).Get(ctl).Mem(I32Load, ctlTiles).Call(claim)
		}, nil)
		f.Get(at).I32(0).Mem(I32AtomicStore, ctlSeats+seatInside)
		f.Get(ctl).Mem(I32AtomicLoad, ctlAsleep).If(func() {
			f.Get(at).I32(1).Mem(MemoryAtomicNotify, ctlSeats+seatInside).Drop()
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
	ctl, n, left, peers, at := f.Local(I32, "control"), f.Local(I32, "tile"), f.Local(I32, "left"), f.Local(I32, "peers"), f.Local(I32, "seat")
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
	f.Get(w).Mem(I32Load, t.layout.peers).Tee(peers).I32(1).Op(I32LeS).Get(ctl).Mem(I32AtomicLoad, ctlReady).Op(I32Eqz, I32Or).If(alone, nil)
	f.Get(ctl).Mem(I32Load, ctlLimit).Tee(n).Get(peers).Op(I32LtU).If(func() { f.Get(n).Set(peers) }, nil)
	for _, p := range []struct {
		at uint32
		v  Local
	}{{ctlStep, s}, {ctlKernel, k}, {ctlTiles, tiles}, {ctlWorker, w}} {
		f.Get(ctl, p.v).Mem(I32Store, p.at)
	}
	f.Get(ctl, peers).Mem(I32AtomicStore, ctlPeers)
	each := func(from int32, body func()) { // of the seats
		f.I32(from).Set(n)
		f.Loop(func(next Label) {
			seat(f, ctl, n).Set(at)
			body()
			f.Get(n).I32(1).Op(I32Add).Tee(n).Get(peers).Op(I32LtU).BrIf(next)
		})
	}
	each(0, func() { f.Get(at).I32(0).Mem(I32Store, ctlSeats+seatClaims) })
	f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlGen).Drop()
	f.Get(ctl).Mem(I32AtomicLoad, ctlParked).If(func() {
		f.Get(ctl, tiles).I32(1).Op(I32Sub).Mem(MemoryAtomicNotify, ctlGen).Drop()
	}, nil)
	f.Get(ctl).I32(0).Get(peers, w, s, k, tiles).Call(claim)
	f.Get(ctl).I32(1).Mem(I32AtomicRmwAdd, ctlGen).Drop()
	// Wait until nobody is inside: first by looking, as a tile takes about as long as a sleep.
	inside := func() *Func { return f.Get(at).Mem(I32AtomicLoad, ctlSeats+seatInside) }
	each(1, func() {
		f.Block(func(done Label) {
			f.I32(0).Set(tiles) // looks so far, in rounds
			f.Loop(func(more Label) {
				looks(f, publisherLooks, left, x, func() {
					inside().Op(I32Eqz)
					f.BrIf(done)
				})
				f.GetGlobal(t.spins).If(func() {
					f.Get(tiles).I32(1).Op(I32Add).Tee(tiles).I32(patience * 1e9 / 200000).Op(I32LtU).BrIf(more)
					f.Unreachable()
				}, nil)
			})
			f.Get(ctl).I32(1).Mem(I32AtomicStore, ctlAsleep)
			f.I32(patience).Set(left)
			f.Loop(func(sleep Label) {
				inside().If(func() {
					f.Get(at).I32(1).I64(1e9).Mem(MemoryAtomicWait32, ctlSeats+seatInside)
					f.I32(2).Op(I32Ne).BrIf(sleep)
					f.Get(left).I32(1).Op(I32Sub).Tee(left).BrIf(sleep)
					f.Unreachable()
				}, nil)
			})
			f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlAsleep)
		})
	})
	f.Get(ctl).Mem(I32AtomicLoad, ctlFailed).Tee(n).If(func() {
		f.Get(ctl).I32(0).Mem(I32AtomicStore, ctlFailed)
	}, nil)
	f.Get(n)
	return f
}
