package op

import (
	"math"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Steps that pick and place elements by indices. Tensors are [outer, n, inner] around the axis; several tiles share outer. What the
// shapes or types here do not cover runs the reference evaluation.
//
//	GatherElements, ScatterElements: A = {out, x, indices, updates}, N = {outer, n, inner, indices along the axis, index width, element width, reduction}
//	GatherND, ScatterND: A = {out, x, indices, updates}, N = {vectors, vectors of a batch, length of a vector, elements of a slice, elements of a
//	batch, index width, element width, reduction, sizes and strides of the dimensions that are indexed...}
//	OneHot: A = {out, indices, values}, N = {indices, depth, index width, element width}
//	TopK: A = {values, positions, x}, N = {outer, n, inner, k, smallest}
var (
	kGatherElements  = prog.Kernel{Name: "GatherElements", Run: runGatherElements}
	kScatterElements = prog.Kernel{Name: "ScatterElements", Run: runScatterElements}
	kGatherND        = prog.Kernel{Name: "GatherND", Run: runGatherND}
	kScatterND       = prog.Kernel{Name: "ScatterND", Run: runScatterND}
	kOneHot          = prog.Kernel{Name: "OneHot", Run: runOneHot}
	kTopK            = prog.Kernel{Name: "TopK", Run: runTopK}
)

// word is an element of any type, by its width.
type word interface {
	uint8 | uint16 | uint32 | uint64
}

const (
	scatterNone = iota
	scatterAdd
	scatterMul
	scatterMax
	scatterMin
)

// scatterCode returns the number of a reduction; ok is false where elements of the type have no kernel for it.
func scatterCode(n *graph.Node, d tensor.DType) (code int32, ok bool) {
	i := slices.Index([]string{"none", "add", "mul", "max", "min"}, n.Str("reduction"))
	return int32(max(i, 0)), i <= 0 || d == tensor.Float32
}

func combine(code int32, a, b float32) float32 {
	switch code {
	case scatterAdd:
		return a + b
	case scatterMul:
		return a * b
	case scatterMax:
		if a < b || b != b {
			return b
		}
		return a
	case scatterMin:
		if b < a || b != b {
			return b
		}
		return a
	}
	return b
}

// elementsStep describes GatherElements and ScatterElements whose indices differ from x along the axis only.
func elementsStep(b graph.Builder, n *graph.Node, k *prog.Kernel) (s prog.Step, ok bool) {
	x, ix, d := b.InShape(0), b.InShape(1), b.InType(0)
	axis := nodeAxis(n, len(x))
	for i := range x {
		if i != axis && x[i] != ix[i] {
			return s, false
		}
	}
	width := d.Bits() / 8
	if d.Bits() < 8 || width > 8 || tensor.Size(x) >= 1<<31 || tensor.Size(ix) >= 1<<31 {
		return s, false
	}
	outer, size, inner := outerInner(x, axis)
	s = prog.Step{Kernel: k, Tiles: int32(min(int(elemTiles(4*outer*ix[axis]*inner)), max(outer, 1)))}
	s.N[0], s.N[1], s.N[2], s.N[3], s.N[4], s.N[5] = int32(outer), int32(size), int32(inner), int32(ix[axis]), int32(b.InType(1).Bits()/8), int32(width)
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), b.In(1)
	return s, true
}

func lowerGatherElements(b graph.Builder, n *graph.Node) bool {
	s, ok := elementsStep(b, n, &kGatherElements)
	if ok && tensor.Size(b.OutShape(0)) > 0 {
		b.Emit(s)
	}
	return ok
}

func runGatherElements(w *prog.Worker, s *prog.Step, tile int) {
	switch s.N[5] {
	case 1:
		gatherElements[uint8](w, s, tile)
	case 2:
		gatherElements[uint16](w, s, tile)
	case 4:
		gatherElements[uint32](w, s, tile)
	default:
		gatherElements[uint64](w, s, tile)
	}
}

func gatherElements[T word](w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner, k, width := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3]), int(s.N[5])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	y, x := tensor.Cast[T](w.Bytes(s.A[0], outer*k*inner*width)), tensor.Cast[T](w.Bytes(s.A[1], outer*n*inner*width))
	ix := indices(w, s.A[2], s.N[4], outer*k*inner, n, "GatherElements")
	rows, run, step := k, inner, 1
	if inner == 1 {
		rows, run, step = 1, k, 0
	}
	for o := lo; o < hi; o++ {
		from := x[o*n*inner : (o+1)*n*inner]
		for j := range rows {
			at := (o*rows + j) * run
			done := 0
			if ix.wide != nil {
				done = gatherRun(y[at:at+run], from, ix.wide[at:at+run], n, inner, step)
			} else {
				done = gatherRun(y[at:at+run], from, ix.narrow[at:at+run], n, inner, step)
			}
			for i := done; i < run; i++ {
				y[at+i] = from[ix.position(at+i)*inner+i*step]
			}
		}
	}
}

// gatherRun computes y[i] = x[index[i]*inner+i*step] as long as indices are at least 0 and less than n, and returns how many were.
func gatherRun[T word, I int32 | int64](y, x []T, index []I, n, inner, step int) int {
	y = y[:len(index)]
	at := 0
	for i, v := range index {
		if uint64(v) >= uint64(n) {
			return i
		}
		y[i] = x[int(v)*inner+at]
		at += step
	}
	return len(index)
}

// scatterAddRun computes y[index[i]*inner+i*step] += x[i] as long as indices are at least 0 and less than n, and returns how many were.
func scatterAddRun[I int32 | int64](y, x []float32, index []I, n, inner, step int) int {
	x = x[:len(index)]
	at := 0
	for i, v := range index {
		if uint64(v) >= uint64(n) {
			return i
		}
		y[int(v)*inner+at] += x[i]
		at += step
	}
	return len(index)
}

// indexList reads indices of 4 or 8 bytes and brings them to 0..n-1. One out of range fails: the panic with *tensor.Error ends the run with
// that error.
type indexList struct {
	wide   []int64 // of 8 bytes, else
	narrow []int32
	n      int
	what   string
}

func indices(w *prog.Worker, at prog.Ref, width int32, count, n int, what string) indexList {
	if width == 8 {
		return indexList{wide: w.I64(at, count), n: n, what: what}
	}
	return indexList{narrow: w.I32(at, count), n: n, what: what}
}

func (l *indexList) position(i int) int { return l.positionIn(i, l.n) }

func (l *indexList) positionIn(i, n int) int {
	var v int
	if l.wide != nil {
		v = int(l.wide[i])
	} else {
		v = int(l.narrow[i])
	}
	if v < 0 {
		v += n
	}
	if uint(v) >= uint(n) {
		l.outside(n)
	}
	return v
}

func (l *indexList) outside(n int) {
	tensor.Fail(l.what, "an index is outside an axis of size ", n)
}

func lowerScatterElements(b graph.Builder, n *graph.Node) bool {
	s, ok := elementsStep(b, n, &kScatterElements)
	code, ok2 := scatterCode(n, b.InType(0))
	if !ok || !ok2 || !tensor.SameShape(b.InShape(1), b.InShape(2)) {
		return false
	}
	s.A[3], s.N[6] = b.In(2), code
	if tensor.Size(b.OutShape(0)) > 0 {
		b.Emit(s)
	}
	return true
}

func runScatterElements(w *prog.Worker, s *prog.Step, tile int) {
	outer, row := int(s.N[0]), int(s.N[1])*int(s.N[2])*int(s.N[5])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	if s.A[0] != s.A[1] {
		copy(w.Bytes(s.A[0], outer*row)[lo*row:hi*row], w.Bytes(s.A[1], outer*row)[lo*row:hi*row])
	}
	switch {
	case s.N[6] != scatterNone:
		n, inner, k := int(s.N[1]), int(s.N[2]), int(s.N[3])
		y, up := w.F32(s.A[0], outer*n*inner), w.F32(s.A[3], outer*k*inner)
		ix := indices(w, s.A[2], s.N[4], outer*k*inner, n, "ScatterElements")
		rows, run, step := k, inner, 1
		if inner == 1 {
			rows, run, step = 1, k, 0
		}
		for o := lo; o < hi; o++ {
			to := y[o*n*inner : (o+1)*n*inner]
			for j := range rows {
				at, done := (o*rows+j)*run, 0
				if s.N[6] == scatterAdd {
					if ix.wide != nil {
						done = scatterAddRun(to, up[at:at+run], ix.wide[at:at+run], n, inner, step)
					} else {
						done = scatterAddRun(to, up[at:at+run], ix.narrow[at:at+run], n, inner, step)
					}
				}
				for i := done; i < run; i++ {
					p := &to[ix.position(at+i)*inner+i*step]
					*p = combine(s.N[6], *p, up[at+i])
				}
			}
		}
	case s.N[5] == 1:
		scatterElements[uint8](w, s, lo, hi)
	case s.N[5] == 2:
		scatterElements[uint16](w, s, lo, hi)
	case s.N[5] == 4:
		scatterElements[uint32](w, s, lo, hi)
	default:
		scatterElements[uint64](w, s, lo, hi)
	}
}

func scatterElements[T word](w *prog.Worker, s *prog.Step, lo, hi int) {
	outer, n, inner, k, width := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3]), int(s.N[5])
	y, up := tensor.Cast[T](w.Bytes(s.A[0], outer*n*inner*width)), tensor.Cast[T](w.Bytes(s.A[3], outer*k*inner*width))
	ix := indices(w, s.A[2], s.N[4], outer*k*inner, n, "ScatterElements")
	for o := lo; o < hi; o++ {
		for j := range k {
			at := (o*k + j) * inner
			for i := range inner {
				y[(o*n+ix.position(at+i))*inner+i] = up[at+i]
			}
		}
	}
}

const (
	ndSizes   = 8
	ndStrides = ndSizes + 8
)

// ndStep describes GatherND and ScatterND, with batch dimensions in front.
func ndStep(b graph.Builder, k *prog.Kernel, batch int) (s prog.Step, ok bool) {
	x, ix, d := b.InShape(0), b.InShape(1), b.InType(0)
	length, width := ix[len(ix)-1], d.Bits()/8
	if d.Bits() < 8 || width > 8 || length > 8 || tensor.Size(x) >= 1<<31 || tensor.Size(ix) >= 1<<31 {
		return s, false
	}
	s = prog.Step{Kernel: k, Tiles: 1}
	vectors := tensor.Size(ix[:len(ix)-1])
	s.N[0], s.N[1], s.N[2] = int32(vectors), int32(max(tensor.Size(ix[batch:len(ix)-1]), 1)), int32(length)
	s.N[3], s.N[4] = int32(tensor.Size(x[batch+length:])), int32(tensor.Size(x[batch:]))
	s.N[5], s.N[6] = int32(b.InType(1).Bits()/8), int32(width)
	for j, st := range tensor.Strides(x)[batch : batch+length] {
		s.N[ndSizes+j], s.N[ndStrides+j] = int32(x[batch+j]), int32(st)
	}
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), b.In(1)
	return s, true
}

// start returns where in x the slice of an index vector begins.
func (l *indexList) start(s *prog.Step, vector int) int {
	at, k := vector/int(s.N[1])*int(s.N[4]), int(s.N[2])
	for j := range k {
		at += l.positionIn(vector*k+j, int(s.N[ndSizes+j])) * int(s.N[ndStrides+j])
	}
	return at
}

func lowerGatherND(b graph.Builder, n *graph.Node) bool {
	s, ok := ndStep(b, &kGatherND, n.Int("batch_dims"))
	if size := tensor.Size(b.OutShape(0)); ok && size > 0 {
		s.Tiles = moveTiles(b.OutType(0).Bytes(size), int(s.N[0]))
		b.Emit(s)
	}
	return ok
}

func runGatherND(w *prog.Worker, s *prog.Step, tile int) {
	vectors, run := int(s.N[0]), int(s.N[3])*int(s.N[6])
	lo, hi := prog.Span(vectors, 1, tile, int(s.Tiles))
	y, x := w.Bytes(s.A[0], vectors*run), w.Bytes(s.A[1], vectors/int(s.N[1])*int(s.N[4])*int(s.N[6]))
	ix := indices(w, s.A[2], s.N[5], vectors*int(s.N[2]), 0, "GatherND")
	for i := lo; i < hi; i++ {
		copy(y[i*run:i*run+run], x[ix.start(s, i)*int(s.N[6]):])
	}
}

func lowerScatterND(b graph.Builder, n *graph.Node) bool {
	s, ok := ndStep(b, &kScatterND, 0)
	code, ok2 := scatterCode(n, b.InType(0))
	if !ok || !ok2 || tensor.Size(b.InShape(2)) >= 1<<31 {
		return false
	}
	s.A[3], s.N[7] = b.In(2), code
	if tensor.Size(b.OutShape(0)) > 0 {
		b.Emit(s)
	}
	return true
}

func runScatterND(w *prog.Worker, s *prog.Step, tile int) {
	vectors, n, width, size := int(s.N[0]), int(s.N[3]), int(s.N[6]), int(s.N[4])
	if s.A[0] != s.A[1] {
		copy(w.Bytes(s.A[0], size*width), w.Bytes(s.A[1], size*width))
	}
	ix := indices(w, s.A[2], s.N[5], vectors*int(s.N[2]), 0, "ScatterND")
	for i := range vectors {
		at := ix.start(s, i)
		switch s.N[7] {
		case scatterNone:
			copy(w.Bytes(s.A[0], size*width)[at*width:(at+n)*width], w.Bytes(s.A[3], vectors*n*width)[i*n*width:])
		case scatterAdd:
			y := w.F32(s.A[0], size)[at : at+n]
			simd.Zip(simd.Add, y, y, w.F32(s.A[3], vectors*n)[i*n:i*n+n])
		default:
			y := w.F32(s.A[0], size)[at : at+n]
			for j, v := range w.F32(s.A[3], vectors*n)[i*n : i*n+n] {
				y[j] = combine(s.N[7], y[j], v)
			}
		}
	}
}

func lowerOneHot(b graph.Builder, n *graph.Node) bool {
	sh, d := b.OutShape(0), b.InType(2)
	size := tensor.Size(sh)
	if ix := b.InType(0); ix != tensor.Int64 && ix != tensor.Int32 || d.Bits() != 32 && d.Bits() != 64 || size >= 1<<31 || nodeAxis(n, len(sh)) != len(sh)-1 {
		return false
	}
	if size == 0 {
		return true
	}
	depth := sh[len(sh)-1]
	s := prog.Step{Kernel: &kOneHot, Tiles: moveTiles(d.Bytes(size), size/depth)}
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), b.In(2)
	s.N[0], s.N[1], s.N[2], s.N[3] = int32(size/depth), int32(depth), int32(b.InType(0).Bits()/8), int32(d.Bits()/8)
	b.Emit(s)
	return true
}

func runOneHot(w *prog.Worker, s *prog.Step, tile int) {
	if s.N[3] == 4 {
		oneHot[uint32](w, s, tile)
	} else {
		oneHot[uint64](w, s, tile)
	}
}

func oneHot[T uint32 | uint64](w *prog.Worker, s *prog.Step, tile int) {
	rows, depth, width := int(s.N[0]), int(s.N[1]), int(s.N[3])
	lo, hi := prog.Span(rows, 1, tile, int(s.Tiles))
	values := tensor.Cast[T](w.Bytes(s.A[2], 2*width))
	y := tensor.Cast[T](w.Bytes(s.A[0], rows*depth*width))
	simd.Fill(y[lo*depth:hi*depth], values[0])
	for r := lo; r < hi; r++ {
		var v int64
		if s.N[2] == 8 {
			v = w.I64(s.A[1], rows)[r]
		} else {
			v = int64(w.I32(s.A[1], rows)[r])
		}
		if v < 0 {
			v += int64(depth)
		}
		if v >= 0 && v < int64(depth) {
			y[r*depth+int(v)] = values[1]
		}
	}
}

// mostTop is the largest k that is worth keeping in a sorted list.
const mostTop = 256

func lowerTopK(b graph.Builder, n *graph.Node) bool {
	x, k := b.InShape(0), b.InConst(1)
	if b.InType(0) != tensor.Float32 || k == nil || tensor.Size(x) >= 1<<31 {
		return false
	}
	outer, size, inner := outerInner(x, nodeAxis(n, len(x)))
	most := k.Int64sOf()[0]
	if most < 0 || most > mostTop || most > int64(size) {
		return false
	}
	if most == 0 || outer*inner == 0 {
		return true
	}
	s := prog.Step{Kernel: &kTopK, Tiles: int32(min(int(elemTiles(outer*size*inner)), outer)), Worker: int32(8 * most)}
	s.A[0], s.A[1], s.A[2] = prog.None, prog.None, b.In(0)
	s.A[0], s.A[1] = orScratch(b, 0, outer*int(most)*inner), orScratch(b, 1, 2*outer*int(most)*inner)
	s.N[0], s.N[1], s.N[2], s.N[3], s.N[4] = int32(outer), int32(size), int32(inner), int32(most), int32(1-n.Int("largest"))
	b.Emit(s)
	return true
}

// runTopK keeps the best elements so far in a sorted list; most elements are compared with its last one only.
func runTopK(w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner, k, smallest := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3]), s.N[4] != 0
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	values, positions, x := w.F32(s.A[0], outer*k*inner), w.I64(s.A[1], outer*k*inner), w.F32(s.A[2], outer*n*inner)
	best, at := w.ScratchF32(2 * k)[:k], tensor.Cast[int32](w.Scratch[4*k:8*k])
	for p := lo * inner; p < hi*inner; p++ {
		o, i := p/inner, p%inner
		col := x[o*n*inner+i : (o+1)*n*inner]
		have := 0
		for j := range n {
			v := col[j*inner]
			if have == k && !ahead(v, best[k-1], smallest) {
				continue
			}
			have = min(have+1, k)
			q := have - 1
			for q > 0 && ahead(v, best[q-1], smallest) {
				best[q], at[q] = best[q-1], at[q-1]
				q--
			}
			best[q], at[q] = v, int32(j)
		}
		for j := range k {
			values[(o*k+j)*inner+i], positions[(o*k+j)*inner+i] = best[j], int64(at[j])
		}
	}
}

// ahead reports whether a comes before b; a NaN is larger than everything.
func ahead(a, b float32, smallest bool) bool {
	if smallest {
		a, b = b, a
	}
	return a > b || a != a && b == b
}

// gatherGradTiles returns into how many tiles the columns of a gradient of Gather are split: each adds all rows up in their
// order, so the sums do not depend on it.
func gatherGradTiles(elements, run, threads int) int32 {
	if threads == 1 || elements > math.MaxInt32 {
		return 1
	}
	return min(elemTiles(elements), int32(max(run/lineElems, 1)), int32(2*threads))
}
