package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps of the classification losses. N = {N, C, inner, label is int64, ignore_index, reduction}; positions are numbered
// as the class numbers lie. Losses of single positions are computed by parallel tiles, then one step weighs and adds them up (simd.SumSliced).
const (
	lossNone = iota
	lossSum
	lossMean
)

var (
	kCrossEntropyRows  = prog.Kernel{Name: "CrossEntropyRows", Run: runCrossEntropyRows}
	kNLLRows           = prog.Kernel{Name: "NLLRows", Run: runNLLRows}
	kLossFinish        = prog.Kernel{Name: "LossFinish", Run: runLossFinish}
	kNLLGrad           = prog.Kernel{Name: "NLLGrad", Run: runNLLGrad}
	kCrossEntropyGrad  = prog.Kernel{Name: "CrossEntropyGrad", Run: runCrossEntropyGrad}
	kCrossEntropyScale = prog.Kernel{Name: "CrossEntropyScale", Run: runCrossEntropyScale}
)

// lossStep fills in what all loss steps share; scores and labels are input numbers.
func lossStep(b graph.Builder, n *graph.Node, k *prog.Kernel, scores, labels int) (s prog.Step, ok bool) {
	sh := b.InShape(scores)
	s = prog.Step{Kernel: k, Tiles: 1}
	for i := range s.A {
		s.A[i] = prog.None
	}
	s.N[0], s.N[1], s.N[2] = int32(sh[0]), int32(sh[1]), int32(tensor.Size(sh[2:]))
	if b.InType(labels) == tensor.Int64 {
		s.N[3] = 1
	}
	s.N[4] = noIgnore
	if o := lossOptions(n); o.Ignore {
		if int(int32(o.IgnoreIndex)) != o.IgnoreIndex {
			return s, false
		}
		s.N[4] = int32(o.IgnoreIndex)
	}
	switch n.Str("reduction") {
	case "sum":
		s.N[5] = lossSum
	case "mean":
		s.N[5] = lossMean
	}
	return s, b.InType(scores) == tensor.Float32
}

func weightRef(b graph.Builder, i int) prog.Ref {
	if i < b.NumIn() {
		return b.In(i)
	}
	return prog.None
}

// label returns class number i of a step's class numbers at A[a]; ok is false when it is neither a class nor ignored.
func label(w *prog.Worker, s *prog.Step, a prog.Ref, i int) (l int, ignored, ok bool) {
	var v int64
	if s.N[3] != 0 {
		v = w.I64(a.Add(8*i), 1)[0]
	} else {
		v = int64(w.I32(a.Add(4*i), 1)[0])
	}
	if v == int64(s.N[4]) && s.N[4] != noIgnore {
		return 0, true, true
	}
	return int(v), false, v >= 0 && v < int64(s.N[1])
}

// validLabels returns how many of the class numbers from lo to hi at A[a] are classes or ignored before the first that is neither.
func validLabels(w *prog.Worker, s *prog.Step, a prog.Ref, lo, hi int) int {
	classes, ignore := int64(s.N[1]), int64(s.N[4])
	if s.N[4] == noIgnore {
		ignore = 0
	}
	if s.N[3] != 0 {
		for i, v := range w.I64(a.Add(8*lo), hi-lo) {
			if uint64(v) >= uint64(classes) && v != ignore {
				return i
			}
		}
		return hi - lo
	}
	for i, v := range w.I32(a.Add(4*lo), hi-lo) {
		if uint32(v) >= uint32(classes) && v != int32(ignore) {
			return i
		}
	}
	return hi - lo
}

// countLabels returns how many of n class numbers at A[a] are not the ignored one.
func countLabels(w *prog.Worker, s *prog.Step, a prog.Ref, n int) int {
	k := n
	switch {
	case s.N[4] == noIgnore:
	case s.N[3] != 0:
		for _, v := range w.I64(a, n) {
			if v == int64(s.N[4]) {
				k--
			}
		}
	default:
		for _, v := range w.I32(a, n) {
			if v == s.N[4] {
				k--
			}
		}
	}
	return k
}

func lowerCrossEntropy(b graph.Builder, n *graph.Node) bool {
	s, ok := lossStep(b, n, &kCrossEntropyRows, 0, 1)
	if !ok {
		return false
	}
	rows, size := int(s.N[0]*s.N[2]), tensor.Size(b.InShape(0))
	losses := lossRows(b, &s, rows)
	logp := prog.None
	if b.NumOut() > 1 {
		logp = b.Out(1)
	}
	s.A[0], s.A[1], s.A[2] = losses, b.In(0), b.In(1)
	if s.N[2] > 1 || logp != prog.None {
		if logp == prog.None {
			logp = b.Scratch(4 * size)
		}
		emitLogSoftmax(b, logp, b.In(0), &s, 1)
		s.Kernel, s.A[1] = &kNLLRows, logp
	} else {
		s.Tiles = int32(min(int(elemTiles(size)), max(rows, 1)))
	}
	if size > 0 {
		b.Emit(s)
	}
	emitLossFinish(b, &s, losses, b.In(1), weightRef(b, 2))
	return true
}

// lossRows returns where the losses of the positions go.
func lossRows(b graph.Builder, s *prog.Step, rows int) prog.Ref {
	if s.N[5] == lossNone && b.Out(0) != prog.None {
		return b.Out(0)
	}
	return b.Scratch(4 * max(rows, 1))
}

// emitLogSoftmax emits dst = the logarithm of x's softmax (log 1), or the softmax (log 0), along axis 1.
func emitLogSoftmax(b graph.Builder, dst, x prog.Ref, s *prog.Step, log int32) {
	t := prog.Step{Kernel: &kSoftmax, Tiles: int32(min(int(elemTiles(int(s.N[0]*s.N[1]*s.N[2]))), max(int(s.N[0]), 1)))}
	t.A[0], t.A[1] = dst, x
	t.N[0], t.N[1], t.N[2], t.N[3] = s.N[0], s.N[1], s.N[2], log
	if s.N[2] > 1 {
		t.Worker = 8 * s.N[2]
	}
	if s.N[0]*s.N[1]*s.N[2] > 0 {
		b.Emit(t)
	}
}

func emitLossFinish(b graph.Builder, s *prog.Step, losses, labels, weights prog.Ref) {
	if b.Out(0) == prog.None || s.N[5] == lossNone && weights == prog.None {
		return
	}
	f := *s
	f.Kernel, f.Tiles = &kLossFinish, 1
	f.A[0], f.A[1], f.A[2], f.A[3] = b.Out(0), losses, labels, weights
	f.Worker = int32(4 * simd.ReduceSlices(int(s.N[0]*s.N[2])))
	b.Emit(f)
}

func lowerNLL(b graph.Builder, n *graph.Node) bool {
	s, ok := lossStep(b, n, &kNLLRows, 0, 1)
	if !ok {
		return false
	}
	losses := lossRows(b, &s, int(s.N[0]*s.N[2]))
	s.A[0], s.A[1], s.A[2] = losses, b.In(0), b.In(1)
	b.Emit(s)
	emitLossFinish(b, &s, losses, b.In(1), weightRef(b, 2))
	return true
}

// runCrossEntropyRows computes the losses of rows of scores [N,C] without their weights.
func runCrossEntropyRows(w *prog.Worker, s *prog.Step, tile int) {
	rows, c := int(s.N[0]), int(s.N[1])
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles))
	loss, x := w.F32(s.A[0], rows), w.F32(s.A[1], rows*c)
	for lo < hi {
		end := lo + validLabels(w, s, s.A[2], lo, hi)
		if end == lo {
			loss[lo] = nan()
			lo++
			continue
		}
		crossEntropy(w, s, loss[lo:end], nil, x[lo*c:end*c], lo, end-lo, 1)
		lo = end
	}
}

// crossEntropy calls the row kernel for rows whose class numbers start at position at and are valid.
func crossEntropy(w *prog.Worker, s *prog.Step, loss, grad, x []float32, at, rows int, scale float32) {
	c := int(s.N[1])
	if s.N[3] != 0 {
		ignore := int64(s.N[4])
		simd.CrossEntropy(loss, grad, x, w.I64(s.A[2].Add(8*at), rows), rows, c, scale, ignore)
		return
	}
	simd.CrossEntropy(loss, grad, x, w.I32(s.A[2].Add(4*at), rows), rows, c, scale, s.N[4])
}

// runNLLRows picks -logp[class] of every position.
func runNLLRows(w *prog.Worker, s *prog.Step, tile int) {
	n, c, inner := int(s.N[0]), int(s.N[1]), int(s.N[2])
	loss, x := w.F32(s.A[0], n*inner), w.F32(s.A[1], n*c*inner)
	for i := range loss {
		switch l, ignored, ok := label(w, s, s.A[2], i); {
		case !ok:
			loss[i] = nan()
		case ignored:
			loss[i] = 0
		default:
			loss[i] = -x[(i/inner*c+l)*inner+i%inner]
		}
	}
}

// weightOf returns the weight of position i, 0 when it is ignored.
func weightOf(w *prog.Worker, s *prog.Step, labels prog.Ref, weights []float32, i int) float32 {
	switch l, ignored, ok := label(w, s, labels, i); {
	case ignored:
		return 0
	case weights != nil && ok:
		return weights[l]
	}
	return 1
}

// lossDen returns what the mean divides by: the weights added in order.
func lossDen(w *prog.Worker, s *prog.Step, labels prog.Ref, weights []float32) float32 {
	n := int(s.N[0] * s.N[2])
	if weights == nil && n <= 1<<24 { // a sum of ones is exact
		return float32(countLabels(w, s, labels, n))
	}
	var den float32
	for i := range n {
		den += weightOf(w, s, labels, weights, i)
	}
	return den
}

func runLossFinish(w *prog.Worker, s *prog.Step, tile int) {
	rows := int(s.N[0] * s.N[2])
	loss, weights := w.F32(s.A[1], rows), w.F32(s.A[3], int(s.N[1]))
	if weights != nil {
		for i := range loss {
			loss[i] *= weightOf(w, s, s.A[2], weights, i)
		}
	}
	if s.N[5] == lossNone {
		return // the losses are in place
	}
	sum := simd.SumSliced(simd.Sum, loss, w.ScratchF32(simd.ReduceSlices(rows)))
	if s.N[5] == lossMean {
		sum /= lossDen(w, s, s.A[2], weights)
	}
	w.F32(s.A[0], 1)[0] = sum
}

func lowerNLLGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := lossStep(b, n, &kNLLGrad, 1, 2)
	if !ok {
		return false
	}
	s.A[0], s.A[1], s.A[2], s.A[3] = b.Out(0), b.In(0), b.In(2), weightRef(b, 3)
	b.Emit(s)
	return true
}

// lossScale returns the factor of position i: dloss * weight / den, den being 1 unless the reduction is the mean.
func lossScale(w *prog.Worker, s *prog.Step, dl prog.Ref, weights []float32, den float32, i int) float32 {
	k := 0
	if s.N[5] == lossNone {
		k = i
	}
	return w.F32(dl.Add(4*k), 1)[0] / den * weightOf(w, s, s.A[2], weights, i)
}

func runNLLGrad(w *prog.Worker, s *prog.Step, tile int) {
	n, c, inner := int(s.N[0]), int(s.N[1]), int(s.N[2])
	dx, weights := w.F32(s.A[0], n*c*inner), w.F32(s.A[3], c)
	den := float32(1)
	if s.N[5] == lossMean {
		den = lossDen(w, s, s.A[2], weights)
	}
	clear(dx)
	for i := range n * inner {
		l, ignored, ok := label(w, s, s.A[2], i)
		if ignored {
			continue
		}
		if !ok {
			dx[i/inner*c*inner+i%inner] = nan()
			continue
		}
		dx[(i/inner*c+l)*inner+i%inner] = -lossScale(w, s, s.A[1], weights, den, i)
	}
}

// lowerCrossEntropyGrad uses the row kernel for scores [N,C]; otherwise the softmax is computed first and scaled in place.
func lowerCrossEntropyGrad(b graph.Builder, n *graph.Node) bool {
	s, ok := lossStep(b, n, &kCrossEntropyGrad, 1, 2)
	if !ok {
		return false
	}
	s.A[0], s.A[1], s.A[2], s.A[3], s.A[4] = b.Out(0), b.In(0), b.In(2), weightRef(b, 3), b.In(1)
	size := int(s.N[0] * s.N[1] * s.N[2])
	if size == 0 {
		return true
	}
	if s.N[2] > 1 {
		emitLogSoftmax(b, b.Out(0), b.In(1), &s, 0)
		s.Kernel = &kCrossEntropyScale
		s.Worker = 4 * s.N[2]
	} else {
		s.Worker = 4 * s.N[0]
	}
	s.Tiles = int32(min(int(elemTiles(size)), int(s.N[0])))
	b.Emit(s)
	return true
}

func runCrossEntropyGrad(w *prog.Worker, s *prog.Step, tile int) {
	rows, c := int(s.N[0]), int(s.N[1])
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles))
	dx, x, weights := w.F32(s.A[0], rows*c), w.F32(s.A[4], rows*c), w.F32(s.A[3], c)
	loss := w.ScratchF32(rows)
	den := float32(1)
	if s.N[5] == lossMean {
		den = lossDen(w, s, s.A[2], weights)
	}
	for lo < hi {
		end := lo + 1
		if _, _, ok := label(w, s, s.A[2], lo); !ok {
			simd.Fill(dx[lo*c:end*c], nan())
			lo = end
			continue
		}
		scale := lossScale(w, s, s.A[1], weights, den, lo)
		if weights == nil && s.N[5] != lossNone { // one factor for all rows
			if _, ignored, _ := label(w, s, s.A[2], lo); ignored {
				scale = w.F32(s.A[1], 1)[0] / den
			}
			end += validLabels(w, s, s.A[2], end, hi)
		}
		crossEntropy(w, s, loss[:end-lo], dx[lo*c:end*c], x[lo*c:end*c], lo, end-lo, scale)
		lo = end
	}
}

// runCrossEntropyScale turns softmax values [N,C,D...] in place into the gradient.
func runCrossEntropyScale(w *prog.Worker, s *prog.Step, tile int) {
	n, c, inner := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(n, 1, tile, int(s.Tiles))
	dx, weights := w.F32(s.A[0], n*c*inner), w.F32(s.A[3], c)
	k := w.ScratchF32(inner)
	den := float32(1)
	if s.N[5] == lossMean {
		den = lossDen(w, s, s.A[2], weights)
	}
	for i := lo; i < hi; i++ {
		for d := range k {
			k[d] = lossScale(w, s, s.A[1], weights, den, i*inner+d)
		}
		for j := range c {
			row := dx[(i*c+j)*inner:][:inner]
			simd.Zip(simd.Mul, row, row, k)
		}
		for d := range k {
			switch l, ignored, ok := label(w, s, s.A[2], i*inner+d); {
			case ignored: // exact zeros, also where the softmax is NaN
				for j := range c {
					dx[(i*c+j)*inner+d] = 0
				}
			case !ok:
				dx[i*c*inner+d] = nan()
			default:
				dx[(i*c+l)*inner+d] -= k[d]
			}
		}
	}
}

func nan() float32 { return float32(math.NaN()) }
