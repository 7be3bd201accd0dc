package ink

import "github.com/weft-ml/weft/core/prog"

// kDigit makes the digit of a picture a step, so that the kernel module of the page can do it without Go: A = {28x28 float32s, the picture as
// RGBA, one int32 that becomes 0 or says why there is no digit}, N = {width, height}; [StepScratch] bytes of scratch.
var kDigit = prog.Kernel{Name: "Digit", Run: runDigit}

// Step returns the step that does what package preprocess's MNISTLike does, for a picture in RGBA of 8 bits a channel.
func Step(out, rgba, problem prog.Ref, w, h int) prog.Step {
	s := prog.Step{Kernel: &kDigit, Tiles: 1, Worker: int32(StepScratch(w, h))}
	s.A[0], s.A[1], s.A[2], s.N[0], s.N[1] = out, rgba, problem, int32(w), int32(h)
	return s
}

// StepScratch returns the bytes of scratch that the step needs for a picture of w x h pixels.
func StepScratch(w, h int) int { return 4 * (w*h + Scratch(w, h)) }

func runDigit(w *prog.Worker, s *prog.Step, _ int) {
	width, height := int(s.N[0]), int(s.N[1])
	n := width * height
	mem := w.ScratchF32(n + Scratch(width, height))
	lumaRGBA(mem[:n], w.Bytes(s.A[1], 4*n))
	w.I32(s.A[2], 1)[0] = int32(digit((*[Size * Size]float32)(w.F32(s.A[0], Size*Size)), mem[:n], width, height, mem[n:]))
}
