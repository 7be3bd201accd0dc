//go:build !noasm

package simd

import (
	"sync/atomic"
	"unsafe"
)

// programShare makes the module share steps with threads through the block, from now on. It returns 0 where memory is not shared.
//
//go:wasmimport weft program_share
//go:noescape
func programShare(control unsafe.Pointer) int32

// MaxThreads is the most threads that kernels run on, the caller's included.
const MaxThreads = 16

// control is the block in memory through which threads share a step. Its parts are those of wasm/_kernelc/module/threads.go.
type control struct {
	_      [32]byte
	data   unsafe.Pointer // what the module's program_start wants
	shared unsafe.Pointer
	limit  int32 // threads that have a stack
	_      [128 - 52]byte
	ready  int32 // threads that have arrived
	_      [384 - 132]byte
	stacks [MaxThreads]unsafe.Pointer
	_      [MaxThreads][128]byte // seats
}

// threads is memory that the module's threads keep using.
var threads struct {
	block  *control
	stacks [][]uint64
}

// ThreadsReady returns how many threads have arrived, besides the caller's.
func ThreadsReady() int {
	if threads.block == nil {
		return 0
	}
	return int(atomic.LoadInt32(&threads.block.ready))
}

// ShareThreads makes room for n threads, the caller's included, and returns how many can run steps: 1 where memory is not shared. It
// needs InModule.
func ShareThreads(n int) int {
	t := &threads
	if t.block == nil {
		if programShare(nil) == 0 {
			return 1
		}
		if program.stack == nil {
			startProgram()
		}
		words := make([]uint64, unsafe.Sizeof(control{})/8+16) // aligned to 128 bytes
		p := unsafe.Pointer(&words[0])
		t.block = (*control)(unsafe.Add(p, -uintptr(p)&127))
		t.block.data, t.block.shared, t.block.limit = dataStart(), unsafe.Pointer(&program.shared), MaxThreads
		for i := range MaxThreads - 1 {
			t.stacks = append(t.stacks, make([]uint64, stackBytes/8+2))
			t.block.stacks[i+1] = stackTop(t.stacks[i])
		}
		programShare(unsafe.Pointer(t.block))
	}
	return min(n, MaxThreads)
}
