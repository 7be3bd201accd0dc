// Package prog is the form of a compiled program: a table of fixed-size steps over regions of linear memory.
// Natively a Go loop runs the table; in the browser the kernel module runs it by itself.
package prog

import "github.com/weft-ml/weft/core/tensor"

// Ref is an address: a region and a byte offset in it.
type Ref uint64

// None is the address of nothing: an operand that is not given.
const None Ref = ^Ref(0)

const offsetBits = 44

// At returns the address of byte off of a region.
func At(region, off int) Ref { return Ref(region)<<offsetBits | Ref(off) }

// Region returns the address's region.
func (r Ref) Region() int { return int(r >> offsetBits) }

// Offset returns the address's byte offset.
func (r Ref) Offset() int { return int(r & (1<<offsetBits - 1)) }

// Add returns the address that lies the given bytes further.
func (r Ref) Add(bytes int) Ref { return r + Ref(bytes) }

// Step is one instruction: a kernel with its operands' addresses, sizes and scalars. A step with more than one tile
// may run its tiles at the same time, in any order, on any worker; the result never depends on that.
type Step struct {
	Kernel *Kernel
	Tiles  int32 // at least 1
	Worker int32 // bytes of scratch that each worker needs
	A      [12]Ref
	N      [28]int32
	F      [8]float32
}

// StepBytes is the size of a Step in memory, the same on every target.
const StepBytes = 256

// Kernel is what a step calls. Kernels are package variables; their names, each given once, are for profiles and listings, and
// the browser's kernel module knows its compiled functions by them.
type Kernel struct {
	Name  string
	Run   func(w *Worker, s *Step, tile int)
	Joins bool  // neighbouring steps of it may be one, see [Step.Row]
	Large bool  // operands may have more than 2^31-1 elements: what emits its steps refuses what their numbers cannot hold
	index int32 // of the compiled function in the kernel module; 0: not looked up, negative: none
}

// Neighbouring steps of a kernel that joins, which differ in the first JoinedOwn operands and in N[0] only, are one step. Its A[0] is a table of
// those, N[JoinedRows] the number of its rows, and N[0] the sum of their N[0], each rounded up to a multiple of [JoinedUnit].
const (
	JoinedRows = 2
	JoinedUnit = 16
	JoinedOwn  = 7
	JoinedOut  = 3 // operands from here on, three of them, are what the step writes
)

// Row returns the operands that are a row's own and its N[0]. A step that has not been joined is its own only row.
func (s *Step) Row(w *Worker, i int) (a [JoinedOwn]Ref, n int) {
	rows := int(s.N[JoinedRows])
	if rows == 0 {
		copy(a[:], s.A[:JoinedOwn])
		return a, int(s.N[0])
	}
	for j, r := range w.U64(s.A[0], rows*JoinedOwn)[i*JoinedOwn : (i+1)*JoinedOwn] {
		a[j] = Ref(r)
	}
	return a, int(w.I32(s.A[0].Add(8*rows*JoinedOwn), rows)[i])
}

// Rows returns how many rows a step of a kernel that joins has.
func (s *Step) Rows() int { return max(int(s.N[JoinedRows]), 1) }

// Worker is one thread's view of a running program.
type Worker struct {
	Regions [][]byte // base of every region; shared by all workers of a run
	Scratch []byte   // private, at least Step.Worker bytes
	ID      int
	Peers   int // workers of the run: they lie in memory one after the other, number 0 first
}

// Bytes returns n bytes at an address, nil for None.
func (w *Worker) Bytes(r Ref, n int) []byte {
	if r == None {
		return nil
	}
	o := r.Offset()
	return w.Regions[r.Region()][o : o+n : o+n]
}

// F32 returns n float32s at an address, nil for None.
func (w *Worker) F32(r Ref, n int) []float32 { return tensor.Cast[float32](w.Bytes(r, n*4)) }

// I64 returns n int64s at an address, nil for None.
func (w *Worker) I64(r Ref, n int) []int64 { return tensor.Cast[int64](w.Bytes(r, n*8)) }

// I32 returns n int32s at an address, nil for None.
func (w *Worker) I32(r Ref, n int) []int32 { return tensor.Cast[int32](w.Bytes(r, n*4)) }

// U64 returns n uint64s at an address, nil for None.
func (w *Worker) U64(r Ref, n int) []uint64 { return tensor.Cast[uint64](w.Bytes(r, n*8)) }

// ScratchF32 returns the first n float32s of the worker's scratch.
func (w *Worker) ScratchF32(n int) []float32 { return tensor.Cast[float32](w.Scratch[:n*4]) }

// Span returns the part [lo, hi) of n items that falls to one of the given tiles, in multiples of
// unit, so that parallel tiles share no cache line when unit is one.
func Span(n, unit, tile, tiles int) (lo, hi int) {
	blocks := (n + unit - 1) / unit
	lo = blocks * tile / tiles * unit
	hi = min(blocks*(tile+1)/tiles*unit, n)
	return min(lo, n), hi
}
