package tensor

import (
	"math/bits"
	"runtime"
	"sync"
)

// Allocator hands out pointer-free buffers from slabs that are taken once from Go's heap and
// reused through free lists of size classes, four to an octave, under a byte budget. Over budget it first
// drops what is free and collects once, then returns an error: running out of memory in Go is
// fatal and must never be reached.
type Allocator struct {
	mu     sync.Mutex
	budget int64
	taken  int64 // bytes held from the heap, in use or free
	used   int64 // bytes in use
	live   int
	free   [4 * 48][][]byte // by class of the size
}

// NewAllocator returns an allocator limited to budget bytes; 0 means no limit of its own.
func NewAllocator(budget int64) *Allocator { return &Allocator{budget: budget} }

const (
	minClass = 4 * 6 // 64 bytes: one cache line
	fits     = 4     // classes from which a request takes a free buffer: less than twice what it needs
)

// sizeClass returns the class of n bytes and the size of its buffers: n rounded up to a quarter of the power of two below it, small ones to a
// power of two of at least a cache line.
func sizeClass(n int) (class, size int) {
	if n <= 256 {
		class = minClass
		for size = 64; size < n; size *= 2 {
			class += 4
		}
		return class, size
	}
	top := bits.Len(uint(n-1)) - 1 // n is in (1<<top, 2<<top]
	quarter := 1 << top / 4
	k := (n - 1<<top + quarter - 1) / quarter
	return 4*top + k, 1<<top + k*quarter
}

// Alloc returns a buffer of n bytes, aligned to 64 bytes where it lies on the heap; its contents are
// arbitrary. The error names the budget.
func (a *Allocator) Alloc(n int) ([]byte, error) {
	if n < 0 || n > 1<<46 {
		return nil, Err("Allocator", "impossible size of ", n, " bytes").With(CodeMemory)
	}
	c, whole := sizeClass(n)
	a.mu.Lock()
	defer a.mu.Unlock()
	for k := range fits {
		if l := a.free[c+k]; len(l) > 0 {
			b := l[len(l)-1]
			l[len(l)-1] = nil
			a.free[c+k] = l[:len(l)-1]
			a.used += int64(cap(b))
			a.live++
			return b[:n], nil
		}
	}
	size := int64(whole)
	if a.budget > 0 && a.taken+size > a.budget {
		for i := range a.free {
			for _, b := range a.free[i] {
				a.taken -= int64(cap(b))
			}
			a.free[i] = nil
		}
		runtime.GC() // gives freed slabs back to the heap before it grows
		if a.taken+size > a.budget {
			return nil, Err("Allocator", "out of memory: ", n, " bytes asked, ", a.taken, " in use of a budget of ", a.budget,
				" bytes; use a smaller batch or model, or raise the budget").With(CodeMemory)
		}
	}
	b := alignedSlab(whole)
	a.taken += size
	a.used += size
	a.live++
	return b[:n], nil
}

// Free gives a buffer back; it must come from Alloc of the same allocator and not be used again.
func (a *Allocator) Free(b []byte) {
	b = b[:cap(b)]
	c, _ := sizeClass(len(b))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used -= int64(len(b))
	a.live--
	a.free[c] = append(a.free[c], b)
}

// Room returns how many bytes can still be taken under the budget, free slabs counted; a very large number without a budget.
func (a *Allocator) Room() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.budget <= 0 {
		return 1 << 46
	}
	return max(a.budget-a.used, 0)
}

// NewTensor returns a zero-filled tensor in a buffer of the allocator; Free(t.Bytes()) gives it back.
func (a *Allocator) NewTensor(d DType, shape ...int) (*Tensor, error) {
	n, ok := CheckedSize(shape)
	if !ok || d == String {
		return nil, &Error{Op: "Allocator", Msg: "no tensor of " + d.String() + " can have this shape", Shapes: [][]int{shape}}
	}
	b, err := a.Alloc(d.Bytes(n))
	if err != nil {
		return nil, err
	}
	clear(b)
	return Wrap(d, shape, b), nil
}

// Trim gives all free slabs back to Go's heap.
func (a *Allocator) Trim() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.free {
		for _, b := range a.free[i] {
			a.taken -= int64(cap(b))
		}
		a.free[i] = nil
	}
}

// MemoryStats is what an allocator holds.
type MemoryStats struct {
	Budget int64 // bytes; 0: no limit
	Taken  int64 // bytes held from the heap
	Used   int64 // bytes in use
	Live   int   // buffers in use
}

// Stats returns what the allocator holds now.
func (a *Allocator) Stats() MemoryStats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return MemoryStats{Budget: a.budget, Taken: a.taken, Used: a.used, Live: a.live}
}
