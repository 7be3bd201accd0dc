package cores_test

import (
	"runtime"
	"testing"

	"github.com/weft-ml/weft/simd/cores"
)

// A thread that has left a core is on another one, and may go back.
func TestLeave(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if cores.Leave(-1) || cores.Leave(1<<20) {
		t.Fatal("a core that does not exist was left")
	}
	was := cores.Current()
	if was < 0 {
		t.Skip("the system does not say which core a thread is on")
	}
	if runtime.NumCPU() == 1 {
		if cores.Leave(was) {
			t.Fatal("the only core was left")
		}
		return
	}
	seen := map[int]bool{}
	for range 100 {
		before := cores.Current()
		if cores.Leave(before) {
			seen[before] = true
		}
	}
	if len(seen) < 2 {
		t.Errorf("cores that were left: %v; a thread that has left one could not go back", seen)
	}
}

func BenchmarkCurrent(b *testing.B) {
	for b.Loop() {
		cores.Current()
	}
}

func BenchmarkLeave(b *testing.B) {
	for b.Loop() {
		cores.Leave(cores.Current())
	}
}
