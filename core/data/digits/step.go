package digits

import (
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/simd"
)

// kDraw draws a digit in the kernel module of the page, whose code for this is several times as fast as Go's there: A = {28x28 float32s, the
// Source}, N = {epoch, sample}, each in two words.
var kDraw = prog.Kernel{Name: "DrawDigit", Run: runDraw}

// drawInModule draws with the kernel module; false where there is none.
func (s *Source) drawInModule(epoch, i int, x []float32) bool {
	if !prog.InModule() {
		return false
	}
	d := &s.step
	d.regions[0], d.regions[1] = simd.SliceBytes(x), simd.BytesOf(s)
	d.worker.Regions = d.regions[:]
	d.step = prog.Step{Kernel: &kDraw, Tiles: 1}
	d.step.A[0], d.step.A[1] = prog.At(0, 0), prog.At(1, 0)
	d.step.N[0], d.step.N[1], d.step.N[2], d.step.N[3] = int32(epoch), int32(epoch>>32), int32(i), int32(i>>32)
	ok := prog.RunStep(&d.worker, &d.step)
	d.regions[0] = nil
	return ok
}

// moduleStep is what a call of the module needs, kept so that drawing allocates nothing. In the page there is one thread of Go.
type moduleStep struct {
	step    prog.Step
	worker  prog.Worker
	regions [2][]byte
}

func runDraw(w *prog.Worker, st *prog.Step, _ int) {
	s := simd.FromBytes[Source](w.Bytes(st.A[1], 1))
	n := &st.N
	s.read(int(n[0])&(1<<32-1)|int(n[1])<<32, int(n[2])&(1<<32-1)|int(n[3])<<32, (*[Size * Size]float32)(w.F32(st.A[0], Size*Size)))
}
