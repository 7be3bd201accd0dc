package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// A step of the logical operators works on bytes of 0 and 1: A = {out, a, b}; N = {op, rank, dims..., strides of a..., strides of b...}, at most
// maxLogicDims dimensions after neighbours that both operands walk alike are merged. Tiles share the outermost dimension.
var kLogic = prog.Kernel{Name: "Logic", Run: runLogic}

const (
	logicAnd = iota
	logicOr
	logicXor
	logicNot
	logicNaN // of float32 in a
	logicInf // of float32 in a; N[2] the signs: 1 positive, 2 negative
)

const maxLogicDims = 8

func lowerAnd(b graph.Builder, n *graph.Node) bool { return lowerLogic(b, logicAnd) }
func lowerOr(b graph.Builder, n *graph.Node) bool  { return lowerLogic(b, logicOr) }
func lowerXor(b graph.Builder, n *graph.Node) bool { return lowerLogic(b, logicXor) }

func lowerLogic(b graph.Builder, op int32) bool {
	shape := b.OutShape(0)
	size := tensor.Size(shape)
	if size == 0 {
		return true
	}
	sa, sb := tensor.BroadcastStrides(b.InShape(0), shape), tensor.BroadcastStrides(b.InShape(1), shape)
	var dims, da, db []int
	for i, d := range shape {
		last := len(dims) - 1
		switch {
		case d == 1:
		case last >= 0 && da[last] == sa[i]*d && db[last] == sb[i]*d:
			dims[last] *= d
			da[last], db[last] = sa[i], sb[i]
		default:
			dims, da, db = append(dims, d), append(da, sa[i]), append(db, sb[i])
		}
	}
	if len(dims) > maxLogicDims || size >= 1<<31 {
		return false
	}
	if len(dims) == 0 {
		dims, da, db = []int{1}, []int{1}, []int{1}
	}
	s := prog.Step{Kernel: &kLogic, Tiles: min(elemTiles(size), int32(dims[0]))}
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), b.In(1)
	s.N[0], s.N[1] = op, int32(len(dims))
	for i := range dims {
		s.N[3+i], s.N[3+maxLogicDims+i], s.N[3+2*maxLogicDims+i] = int32(dims[i]), int32(da[i]), int32(db[i])
	}
	b.Emit(s)
	return true
}

func lowerNot(b graph.Builder, n *graph.Node) bool { return lowerPredicate(b, logicNot, 0) }

func lowerIsNaN(b graph.Builder, n *graph.Node) bool {
	return b.InType(0) == tensor.Float32 && lowerPredicate(b, logicNaN, 0)
}

func lowerIsInf(b graph.Builder, n *graph.Node) bool {
	var signs int32
	if n.Int("detect_positive") != 0 {
		signs |= 1
	}
	if n.Int("detect_negative") != 0 {
		signs |= 2
	}
	return b.InType(0) == tensor.Float32 && lowerPredicate(b, logicInf, signs)
}

// lowerPredicate emits a step over the elements of one operand.
func lowerPredicate(b graph.Builder, op, signs int32) bool {
	size := tensor.Size(b.InShape(0))
	if size == 0 {
		return true
	}
	if size >= 1<<31 {
		return false
	}
	s := prog.Step{Kernel: &kLogic, Tiles: elemTiles(size)}
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), prog.None
	s.N[0], s.N[1], s.N[2], s.N[3] = op, 1, signs, int32(size)
	b.Emit(s)
	return true
}

func runLogic(w *prog.Worker, s *prog.Step, tile int) {
	op, rank := s.N[0], int(s.N[1])
	lo, hi := prog.Span(int(s.N[3]), 1, tile, int(s.Tiles))
	if op >= logicNot {
		runPredicate(w, s, lo, hi)
		return
	}
	dims, sa, sb := s.N[3:3+rank], s.N[3+maxLogicDims:], s.N[3+2*maxLogicDims:]
	inner, outer := int(dims[rank-1]), 1
	ia, ib := int(sa[rank-1]), int(sb[rank-1])
	if rank == 1 { // the tiles share the only dimension
		logicRun(op, w.Bytes(s.A[0].Add(lo), hi-lo), w.Bytes(s.A[1].Add(lo*ia), (hi-lo-1)*ia+1), w.Bytes(s.A[2].Add(lo*ib), (hi-lo-1)*ib+1), ia, ib)
		return
	}
	for _, d := range dims[1 : rank-1] {
		outer *= int(d)
	}
	for o := lo * outer; o < hi*outer; o++ {
		at, pa, pb := o, 0, 0
		for i := rank - 2; i >= 0; i-- {
			k := at
			if i > 0 {
				k %= int(dims[i])
			}
			pa, pb = pa+k*int(sa[i]), pb+k*int(sb[i])
			at /= int(dims[i])
		}
		logicRun(op, w.Bytes(s.A[0].Add(o*inner), inner), w.Bytes(s.A[1].Add(pa), (inner-1)*ia+1), w.Bytes(s.A[2].Add(pb), (inner-1)*ib+1), ia, ib)
	}
}

// logicRun computes one run: y[i] = a[i*ia] op b[i*ib].
func logicRun(op int32, y, a, b []byte, ia, ib int) {
	switch op {
	case logicAnd:
		for i := range y {
			y[i] = a[i*ia] & b[i*ib]
		}
	case logicOr:
		for i := range y {
			y[i] = a[i*ia] | b[i*ib]
		}
	default:
		for i := range y {
			y[i] = a[i*ia] ^ b[i*ib]
		}
	}
}

func runPredicate(w *prog.Worker, s *prog.Step, lo, hi int) {
	y := w.Bytes(s.A[0].Add(lo), hi-lo)
	if s.N[0] == logicNot {
		for i, v := range w.Bytes(s.A[1].Add(lo), hi-lo) {
			y[i] = v ^ 1
		}
		return
	}
	const huge = 0x1.fffffep127
	for i, v := range w.F32(s.A[1].Add(4*lo), hi-lo) {
		y[i] = 0
		if s.N[0] == logicNaN && v != v || s.N[0] == logicInf && (v > huge && s.N[2]&1 != 0 || v < -huge && s.N[2]&2 != 0) {
			y[i] = 1
		}
	}
}
