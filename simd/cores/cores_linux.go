//go:build amd64 || arm64

package cores

import (
	"runtime"
	"syscall"
	"unsafe"
)

// Current returns the number of the core that the caller's thread runs on, -1 where that is not known.
func Current() int {
	var n uint32
	if _, _, e := syscall.RawSyscall(getcpu, uintptr(unsafe.Pointer(&n)), 0, 0); e != 0 {
		return -1
	}
	return int(n)
}

// set is the cores that a thread may run on, a bit for each.
type set [16]uint64

// Leave moves the caller's thread off a core, if it is on that one and may run on another, and reports whether it has. Where the thread may run stays as it was.
func Leave(core int) bool {
	runtime.LockOSThread() // it is the same thread until its cores are given back
	defer runtime.UnlockOSThread()
	if core < 0 || core >= 64*len(set{}) || Current() != core {
		return false
	}
	var may set
	n, _, e := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(may), uintptr(unsafe.Pointer(&may)))
	if e != 0 {
		return false
	}
	without := may
	without[core/64] &^= 1 << (core % 64)
	if without == (set{}) {
		return false
	}
	if _, _, e := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, n, uintptr(unsafe.Pointer(&without))); e != 0 {
		return false
	}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, n, uintptr(unsafe.Pointer(&may)))
	return true
}
