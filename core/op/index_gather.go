package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var axis0 = []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}}

// DefGather is ONNX's Gather: slices of x along an axis, chosen by indices of any shape, which replaces the axis. Negative
// indices count from the end.
var DefGather = graph.Def{
	Name: "Gather", Since: 13, Doc: "Picks slices along an axis.", MinIn: 2, MaxIn: 2, Attrs: axis0,
	Infer: inferGather, Ref: refGather, Grad: gradGather{}, Lower: lowerGather,
}

// DefGatherGrad is weft.GatherGrad(dy, indices, x): dy added up where Gather took it from, in the order of the indices. Only x's shape is
// used.
var DefGatherGrad = graph.Def{
	Domain: "weft", Name: "GatherGrad", Since: 1, Doc: "Gradient of Gather.", MinIn: 3, MaxIn: 3, ShapeOnly: []int{2}, Attrs: axis0,
	Infer: inferGatherGrad, Ref: refGatherGrad, Grad: gradGatherGrad{}, Lower: lowerGatherGrad,
}

// Gather picks slices of x along an axis; the shape of the indices replaces that axis.
func Gather(x, indices *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefGather, []graph.Attr{graph.Int("axis", axis)}, x, indices)
}

// wantIndex checks that input i holds int32 or int64.
func wantIndex(c *graph.InferCtx, i int) {
	if d := c.In[i].DType; d != tensor.Int64 && d != tensor.Int32 {
		c.Fail("the indices must be int32 or int64, not ", d)
	}
}

func inferGather(c *graph.InferCtx) {
	wantIndex(c, 1)
	x, ix := c.In[0], c.In[1]
	if !x.HasRank || !ix.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	out := append(append(append([]int{}, x.Shape[:axis]...), ix.Shape...), x.Shape[axis+1:]...)
	if len(out) > tensor.MaxRank {
		c.Fail("the result would have rank ", len(out))
	}
	c.Set(0, x.DType, out)
}

// position turns an index, negative from the end, into 0..n-1; it fails when it is out of range.
func position(i int64, n int, fail failFunc) int {
	if i < -int64(n) || i >= int64(n) {
		fail("index ", i, " is outside an axis of size ", n)
	}
	if i < 0 {
		i += int64(n)
	}
	return int(i)
}

// eachGathered calls f for every run of inner elements: the element of y and of x at which it starts.
func eachGathered(x []int, indices []int64, axis int, fail failFunc, f func(y, x, run int)) {
	outer, n, inner := outerInner(x, axis)
	for o := range outer {
		for k, i := range indices {
			f((o*len(indices)+k)*inner, (o*n+position(i, n, fail))*inner, inner)
		}
	}
}

func refGather(c *graph.RefCtx) {
	x := c.In[0]
	d, s := cellsOf(c.Out[0]), cellsOf(x)
	eachGathered(x.Shape(), c.In[1].Int64sOf(), nodeAxis(c.Node, x.Rank()), c.Fail, func(yi, xi, run int) {
		for k := range run {
			d.set(yi+k, s, xi+k)
		}
	})
}

// gradGather: dx[indices[i]] += dy[i].
type gradGather struct{}

func (gradGather) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefGatherGrad, c.Node.Attrs, c.DY[0], c.In(1), c.In(0)), nil}
}

func inferGatherGrad(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantIndex(c, 1)
	wantSameType(c, 0, 2)
	setLike(c, 0, c.In[2].DType, c.In[2])
}

func refGatherGrad(c *graph.RefCtx) {
	ds, x := c.In[0].Float64s(), c.In[2]
	xs := make([]float64, x.Len())
	eachGathered(x.Shape(), c.In[1].Int64sOf(), nodeAxis(c.Node, x.Rank()), c.Fail, func(yi, xi, run int) {
		for k := range run {
			xs[xi+k] += ds[yi+k]
		}
	})
	c.Out[0].SetFloat64s(xs)
}

// gradGatherGrad: by dy it is Gather.
type gradGatherGrad struct{}

func (gradGatherGrad) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefGather, c.Node.Attrs, c.DY[0], c.In(1)), nil, nil}
}

var (
	kGather      = prog.Kernel{Name: "Gather", Run: runGather, Large: true}
	kGatherWords = prog.Kernel{Name: "GatherWords", Run: runGatherWords, Large: true}
	kGatherGrad  = prog.Kernel{Name: "GatherGrad", Run: runGatherGrad}
)

// gatherStep carries outer, axis size, run and number of indices; x is the shape of what is gathered from.
func gatherStep(k *prog.Kernel, n *graph.Node, x, indices []int, d tensor.DType, width int) (st prog.Step, ok bool) {
	outer, size, inner := outerInner(x, nodeAxis(n, len(x)))
	count := tensor.Size(indices)
	if outer > math.MaxInt32 || size > math.MaxInt32 || inner*width > math.MaxInt32 || count > math.MaxInt32 {
		return st, false
	}
	st = prog.Step{Kernel: k, Tiles: 1}
	st.N[0], st.N[1], st.N[2], st.N[3], st.N[4] = int32(outer), int32(size), int32(inner*width), int32(count), int32(d.Bits()/8)
	return st, true
}

func lowerGather(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0).Bits() < 8 {
		return false
	}
	st, ok := gatherStep(&kGather, n, b.InShape(0), b.InShape(1), b.InType(1), b.OutType(0).Bits()/8)
	if !ok {
		return false
	}
	if size := tensor.Size(b.OutShape(0)); size > 0 {
		st.A[0], st.A[1], st.A[2] = b.Out(0), b.In(0), b.In(1)
		st.Tiles = moveTiles(b.OutType(0).Bytes(size), int(st.N[0]*st.N[3]))
		if st.N[2] == 4 && st.N[0] >= 8 {
			st.Kernel, st.Tiles = &kGatherWords, min(st.Tiles, st.N[0])
		}
		b.Emit(st)
	}
	return true
}

func lowerGatherGrad(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st, ok := gatherStep(&kGatherGrad, n, b.InShape(2), b.InShape(1), b.InType(1), 1)
	if !ok {
		return false
	}
	emitFill(b, b.Out(0), prog.None, 4, tensor.Size(b.OutShape(0)))
	if size := tensor.Size(b.InShape(0)); size > 0 {
		st.A[0], st.A[1], st.A[2] = b.Out(0), b.In(0), b.In(1)
		st.Tiles = gatherGradTiles(size, int(st.N[2]), b.Threads())
		b.Emit(st)
	}
	return true
}

// indexAt reads index i of a run of int32 or int64 and brings it to 0..n-1. An index out of range fails: the panic
// with *tensor.Error ends the run with that error.
func indexAt(w *prog.Worker, r prog.Ref, width, count, i, n int, what string) int {
	var v int64
	if width == 8 {
		v = w.I64(r, count)[i]
	} else {
		v = int64(w.I32(r, count)[i])
	}
	if v < 0 {
		v += int64(n)
	}
	if v < 0 || v >= int64(n) {
		tensor.Fail(what, "an index is outside an axis of size ", n)
	}
	return int(v)
}

func runGather(w *prog.Worker, st *prog.Step, tile int) {
	outer, n, run, count := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3])
	dst, src := w.Bytes(st.A[0], outer*count*run), w.Bytes(st.A[1], outer*n*run)
	lo, hi := prog.Span(outer*count, 1, tile, int(st.Tiles))
	ix := indices(w, st.A[2], st.N[4], count, n, "Gather")
	o, k := 0, lo
	if lo >= count {
		o, k = lo/count, lo%count
	}
	for p := lo; p < hi; p++ {
		at := (o*n + ix.position(k)) * run
		copy(dst[p*run:p*run+run], src[at:at+run])
		if k++; k == count {
			o, k = o+1, 0
		}
	}
}

// runGatherWords is runGather for single elements of 4 bytes.
func runGatherWords(w *prog.Worker, st *prog.Step, tile int) {
	outer, n, count := int(st.N[0]), int(st.N[1]), int(st.N[3])
	dst, src := tensor.Cast[uint32](w.Bytes(st.A[0], 4*outer*count)), tensor.Cast[uint32](w.Bytes(st.A[1], 4*outer*n))
	lo, hi := prog.Span(outer, 1, tile, int(st.Tiles))
	ix := indices(w, st.A[2], st.N[4], count, n, "Gather")
	if count < wordColumns {
		for k := range count {
			i := ix.position(k)
			for o := lo; o < hi; o++ {
				dst[o*count+k] = src[o*n+i]
			}
		}
		return
	}
	for o := lo; o < hi; o++ { // row by row: what is written lies together
		y, x := dst[o*count:(o+1)*count], src[o*n:(o+1)*n]
		done := 0
		if ix.wide != nil {
			done = gatherRun(y, x, ix.wide, n, 1, 0)
		} else {
			done = gatherRun(y, x, ix.narrow, n, 1, 0)
		}
		for k := done; k < count; k++ {
			y[k] = x[ix.position(k)]
		}
	}
}

// wordColumns is from how many indices on rows are gathered one after the other.
const wordColumns = 4

// runGatherGrad adds the rows one after the other, in the order of the indices; tiles share the columns.
func runGatherGrad(w *prog.Worker, st *prog.Step, tile int) {
	outer, n, run, count := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3])
	lo, hi := prog.Span(run, lineElems, tile, int(st.Tiles))
	if lo == hi {
		return
	}
	dx, dy := w.F32(st.A[0], outer*n*run), w.F32(st.A[1], outer*count*run)
	ix := indices(w, st.A[2], st.N[4], count, n, "GatherGrad")
	for o := range outer {
		for k := range count {
			p := o*count + k
			at := (o*n + ix.position(k)) * run
			if run == 1 {
				dx[at] += dy[p]
				continue
			}
			to, from := dx[at+lo:at+hi], dy[p*run+lo:p*run+hi]
			if len(to) >= shortRow {
				simd.Zip(simd.Add, to, to, from)
				continue
			}
			for k, v := range from {
				to[k] += v
			}
		}
	}
}

// shortRow is from how many elements on a call of a kernel pays.
const shortRow = 8
