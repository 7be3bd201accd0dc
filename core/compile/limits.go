package compile

import (
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd"
)

// Limits is what the machine can do at most with the runtime's threads and kernels.
type Limits struct {
	FLOPS float64 // float32 operations a second: multiply-adds that wait for nothing, each counted as two
	Bytes float64 // bytes a second, read and written, of memory that no cache holds
}

// The kernels that find the limits. A tile of Peak computes simd.Peak N[1] times over N[0] elements of its own; a tile of Stream writes the N[0]
// elements of its part of A[1], plus F[0], to its part of A[0].
var (
	kPeak   = prog.Kernel{Name: "Peak", Run: runPeak}
	kStream = prog.Kernel{Name: "Stream", Run: runStream}
)

func runPeak(w *prog.Worker, s *prog.Step, tile int) {
	n := int(s.N[0])
	x := w.F32(s.A[0].Add(4*n*tile), n)
	for range int(s.N[1]) {
		simd.Peak(x, x)
	}
}

func runStream(w *prog.Worker, s *prog.Step, tile int) {
	n := int(s.N[0])
	simd.ZipScalar(simd.Add, w.F32(s.A[0].Add(4*n*tile), n), w.F32(s.A[1].Add(4*n*tile), n), s.F[0])
}

const (
	peakElems   = 1024 // of a tile: it stays in the first-level cache
	streamElems = 1 << 16
	limitNanos  = 4e6 // that one measurement takes at least
	limitRuns   = 3
	stillRuns   = 1 << 12 // of Peak, milliseconds, in which every clock moves
)

// streamTiles is the number of Stream's tiles, of 256 KB each: 32 MB are read and as much is written, half of that in the page.
func streamTiles() int32 {
	if goroutines {
		return 128
	}
	return 64
}

// measureLimits measures the limits; zero where there is no memory for that, or a clock that stands still. The runtime's lock is held.
func (rt *Runtime) measureLimits(now func() int64) Limits {
	tiles := streamTiles()
	size := 4 * streamElems * int(tiles)
	buf, err := rt.alloc.Alloc(2 * size)
	if err != nil {
		return Limits{}
	}
	defer rt.alloc.Trim()
	defer rt.alloc.Free(buf)
	clear(buf)
	pool := rt.pool
	regions := [][]byte{buf}
	for i := range pool.workers {
		pool.workers[i].Regions = regions
	}
	defer func() {
		for i := range pool.workers {
			pool.workers[i].Regions = nil
		}
	}()
	threads := int32(len(pool.workers))
	peak := prog.Step{Kernel: &kPeak, Tiles: 4 * threads}
	peak.N[0], peak.N[1] = peakElems, 1
	stream := prog.Step{Kernel: &kStream, Tiles: tiles}
	stream.A[1] = prog.At(0, size)
	stream.N[0], stream.F[0] = streamElems, 1
	least := func(s *prog.Step, nanos int64) int64 {
		for range limitRuns {
			start := now()
			pool.run(s)
			nanos = min(nanos, now()-start)
		}
		return max(nanos, 1)
	}
	nanos := int64(0)
	for {
		start := now()
		pool.run(&peak)
		if nanos = now() - start; nanos >= limitNanos || peak.N[1] >= 1<<20 {
			break
		}
		if nanos <= 0 && peak.N[1] >= stillRuns {
			return Limits{}
		}
		peak.N[1] *= 2
	}
	nanos = least(&peak, nanos)
	var l Limits
	l.FLOPS = simd.PeakFLOPs * peakElems * float64(peak.Tiles) * float64(peak.N[1]) * 1e9 / float64(nanos)
	start := now()
	pool.run(&stream)
	nanos = least(&stream, max(now()-start, 1))
	l.Bytes = 2 * float64(size) * 1e9 / float64(nanos)
	return l
}
