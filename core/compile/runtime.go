package compile

import (
	"runtime"
	"sync"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// RuntimeOptions are the settings of a runtime; the zero value is a good default.
type RuntimeOptions struct {
	// Threads is how many goroutines, the caller's included, work on a step; 0 means as many as there are
	// processors. In js they are threads of the kernel module, which the host starts where memory can be shared; else there is one, as for 0.
	Threads int
	// MemoryBudget bounds the bytes of arena, outputs, packed weights and buffers; 0 means no bound. Over
	// it, compiling or running returns an error.
	MemoryBudget int64
}

// Runtime owns what all its programs share: worker goroutines, the allocator, and one arena for intermediate
// values that is as large as the largest program needs. One program runs at a time; Run of another waits.
type Runtime struct {
	mu     sync.Mutex // held by a run and by everything that touches the arena
	alloc  *tensor.Allocator
	pool   *pool
	arena  []byte
	closed bool
	rec    *recorder         // of the profile that is under way
	limits Limits            // once they are measured
	packs  map[any][]*packed // by what they are copies of: *tensor.Tensor of a constant, *graph.Cell
}

// NewRuntime returns a runtime with its workers started. Close stops them.
func NewRuntime(opt RuntimeOptions) *Runtime {
	n := opt.Threads
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	if !goroutines {
		n = prog.ShareThreads(n)
	}
	return &Runtime{alloc: tensor.NewAllocator(opt.MemoryBudget), pool: newPool(n)}
}

// Threads returns how many goroutines work on a step, the caller's included.
func (rt *Runtime) Threads() int { return len(rt.pool.workers) }

// Allocator returns the allocator that everything of the runtime comes from.
func (rt *Runtime) Allocator() *tensor.Allocator { return rt.alloc }

// Close stops the workers and gives the arena back. Programs of the runtime cannot run afterwards. Closing twice is allowed.
func (rt *Runtime) Close() {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return
	}
	rt.closed = true
	rt.pool.close()
	rt.release(&rt.arena)
	for i := range rt.pool.workers {
		rt.release(&rt.pool.workers[i].Scratch)
	}
}

func (rt *Runtime) release(b *[]byte) {
	if *b != nil {
		rt.alloc.Free(*b)
		*b = nil
	}
}

// grow makes a buffer hold at least n bytes. What it held is lost.
func (rt *Runtime) grow(b *[]byte, n int) error {
	if len(*b) >= n && *b != nil {
		return nil
	}
	rt.release(b)
	buf, err := rt.alloc.Alloc(n)
	if err != nil {
		return err
	}
	*b = buf[:cap(buf)]
	return nil
}

// reserve makes the arena and the workers' scratch large enough.
func (rt *Runtime) reserve(arena, scratch int) error {
	if err := rt.grow(&rt.arena, arena); err != nil {
		return err
	}
	for i := range rt.pool.workers {
		if err := rt.grow(&rt.pool.workers[i].Scratch, scratch); err != nil {
			return err
		}
	}
	return nil
}
