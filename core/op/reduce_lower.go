package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A reduction step views its input as [outer, r, inner] and reduces the middle: A = {out, x, partial results},
// N = {op, outer, r, inner, finish}, F = {divisor}.
var (
	kReduceRows     = prog.Kernel{Name: "ReduceRows", Run: runReduceRows}
	kReduceColumns  = prog.Kernel{Name: "ReduceColumns", Run: runReduceColumns}
	kReduceChannels = prog.Kernel{Name: "ReduceChannels", Run: runReduceChannels}
	kReduceSlices   = prog.Kernel{Name: "ReduceSlices", Run: runReduceSlices}
	kReduceJoin     = prog.Kernel{Name: "ReduceJoin", Run: runReduceJoin}
)

// What happens to a finished sum.
const (
	finishNone = iota
	finishDivide
)

func lowerReduceSum(b graph.Builder, n *graph.Node) bool {
	return lowerReduce(b, n, simd.Sum, finishNone)
}

func lowerReduceMean(b graph.Builder, n *graph.Node) bool {
	return lowerReduce(b, n, simd.Sum, finishDivide)
}

func lowerReduceMax(b graph.Builder, n *graph.Node) bool {
	return lowerReduce(b, n, simd.ReduceMax, finishNone)
}

func lowerReduce(b graph.Builder, n *graph.Node, op simd.ReduceOp, finish int32) bool {
	var axes []int
	given := b.InType(1) != tensor.Undefined
	if given {
		t := b.InConst(1)
		if t == nil {
			return false
		}
		for _, a := range t.Int64sOf() {
			axes = append(axes, int(a))
		}
	}
	mask, _ := reduceAxes(failOf(n), n, axes, given, true, len(b.InShape(0)))
	if op == simd.Sum && finish == finishNone && b.InType(0).IsInt() {
		return lowerIntegerSum(b, mask)
	}
	return emitReduce(b, mask, op, finish)
}

func lowerSumTo(b graph.Builder, n *graph.Node) bool {
	return emitReduce(b, sumToMask(b.InShape(0), b.InShape(1)), simd.Sum, finishNone)
}

// emitReduce reduces input 0 over the masked dimensions, group by group of neighbouring ones, the last group first.
func emitReduce(b graph.Builder, mask []bool, op simd.ReduceOp, finish int32) bool {
	shape := b.InShape(0)
	n := tensor.Size(shape)
	if b.InType(0) != tensor.Float32 || n == 0 || n >= 1<<31 {
		return false
	}
	// Dimensions of one element are nothing, neighbours of one kind are one dimension.
	var dims []int
	var cut []bool
	count := 1
	for i, d := range shape {
		if mask[i] {
			count *= d
		}
		if d == 1 {
			continue
		}
		if l := len(dims) - 1; l >= 0 && cut[l] == mask[i] {
			dims[l] *= d
		} else {
			dims, cut = append(dims, d), append(cut, mask[i])
		}
	}
	if len(dims) == 0 || len(dims) == 1 && !cut[0] {
		dims, cut = []int{n, 1}, []bool{false, true}
	}
	src := b.In(0)
	for {
		last := len(dims) - 1
		for !cut[last] {
			last--
		}
		s := prog.Step{Tiles: 1}
		for i := range s.A {
			s.A[i] = prog.None
		}
		outer, r, inner := tensor.Size(dims[:last]), dims[last], tensor.Size(dims[last+1:])
		done := true
		for _, c := range cut[:last] {
			done = done && !c
		}
		if last == 2 && cut[0] && inner == 1 { // [r, channels, r]
			s.Kernel, done = &kReduceChannels, true
			s.N = [28]int32{int32(op), int32(dims[0]), int32(dims[1]), int32(r)}
			s.Tiles = min(elemTiles(n), int32(dims[1]))
			outer, dims, cut = dims[1], dims[1:2], cut[1:2]
		} else {
			s.N = [28]int32{int32(op), int32(outer), int32(r), int32(inner)}
			switch {
			case inner > 1:
				s.Kernel = &kReduceColumns
				s.Tiles = min(elemTiles(outer*r*inner), int32(max(outer, columnTiles(inner, b.Threads()))))
			case outer == 1 && r > simd.ReduceSlice:
				s.Kernel = &kReduceSlices
				s.Tiles = min(elemTiles(r), int32(simd.ReduceSlices(r)))
				s.A[2] = b.Scratch(4 * simd.ReduceSlices(r))
			default:
				s.Kernel = &kReduceRows
				s.Tiles = min(elemTiles(outer*r), int32(outer))
			}
			dims = append(append([]int{}, dims[:last]...), dims[last+1:]...)
			cut = append(append([]bool{}, cut[:last]...), cut[last+1:]...)
		}
		s.A[0], s.A[1] = b.Out(0), src
		if done {
			s.N[4], s.F[0] = finish, float32(count)
		} else {
			s.A[0] = b.Scratch(4 * outer * inner)
		}
		if s.Kernel == &kReduceSlices {
			join := s
			join.Kernel, join.Tiles = &kReduceJoin, 1
			b.Emit(s)
			b.Emit(join)
		} else {
			b.Emit(s)
		}
		if done {
			return true
		}
		src = s.A[0]
		if op == simd.SumSq || op == simd.SumAbs {
			op = simd.Sum
		}
	}
}

// columnTile is how many columns of a long matrix are summed together: their sums stay in the first-level cache, and narrower strips would
// read every page of the matrix once more.
const columnTile = 4096

// columnTiles returns into how many tiles columns are split.
func columnTiles(inner, threads int) int {
	most := max(inner/columnTile, 1)
	if threads > 1 {
		most = max(most, min(2*threads, inner/lineElems))
	}
	return most
}

// finishReduce turns sums into means.
func finishReduce(s *prog.Step, y []float32) {
	if s.N[4] == finishDivide {
		simd.ZipScalar(simd.Div, y, y, s.F[0])
	}
}

func runReduceRows(w *prog.Worker, s *prog.Step, tile int) {
	outer, r := int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	y := w.F32(s.A[0], outer)[lo:hi]
	simd.ReduceInner(simd.ReduceOp(s.N[0]), y, w.F32(s.A[1], outer*r)[lo*r:hi*r], hi-lo, r)
	finishReduce(s, y)
}

func runReduceColumns(w *prog.Worker, s *prog.Step, tile int) {
	outer, r, inner, op := int(s.N[1]), int(s.N[2]), int(s.N[3]), simd.ReduceOp(s.N[0])
	y, x := w.F32(s.A[0], outer*inner), w.F32(s.A[1], outer*r*inner)
	if outer == 1 {
		lo, hi := prog.Span(inner, lineElems, tile, int(s.Tiles))
		if lo < hi {
			simd.ReduceOuterStrided(op, y[lo:hi], x[lo:], r, hi-lo, inner)
			finishReduce(s, y[lo:hi])
		}
		return
	}
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	for o := lo; o < hi; o++ {
		simd.ReduceOuter(op, y[o*inner:(o+1)*inner], x[o*r*inner:(o+1)*r*inner], r, inner)
	}
	finishReduce(s, y[lo*inner:hi*inner])
}

func runReduceChannels(w *prog.Worker, s *prog.Step, tile int) {
	n, c, hw := int(s.N[1]), int(s.N[2]), int(s.N[3])
	lo, hi := prog.Span(c, 1, tile, int(s.Tiles))
	y := w.F32(s.A[0], c)
	simd.ReduceChannelRange(simd.ReduceOp(s.N[0]), y, w.F32(s.A[1], n*c*hw), n, c, hw, lo, hi)
	finishReduce(s, y[lo:hi])
}

func runReduceSlices(w *prog.Worker, s *prog.Step, tile int) {
	n := int(s.N[2])
	k := simd.ReduceSlices(n)
	lo, hi := prog.Span(k, 1, tile, int(s.Tiles))
	simd.ReducePartials(simd.ReduceOp(s.N[0]), w.F32(s.A[2], k), w.F32(s.A[1], n), lo, hi)
}

func runReduceJoin(w *prog.Worker, s *prog.Step, tile int) {
	y := w.F32(s.A[0], 1)
	y[0] = simd.ReduceFinish(simd.ReduceOp(s.N[0]), w.F32(s.A[2], simd.ReduceSlices(int(s.N[2]))))
	finishReduce(s, y)
}
