package op

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// DefReduceLast is weft.ReduceLast(x): the sum, mean or largest element over all positions of images, channels-last if x_last. With keepdims the
// result is [N,1...,C] if y_last, [N,C,1...] if not; without, [N,C].
var DefReduceLast = graph.Def{
	Domain: "weft", Name: "ReduceLast", Since: 1, Doc: "Reduction of channels-last images over their positions.", MinIn: 1, MaxIn: 1,
	Attrs: []graph.AttrDef{
		{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "reduce", Kind: graph.AttrString, Required: true},
		{Name: "x_last", Kind: graph.AttrInt}, {Name: "y_last", Kind: graph.AttrInt},
	},
	Infer: inferReduceLast, FLOPs: flopsInput, Body: bodyReduceLast{}, Lower: lowerReduceLast,
}

// lastReduce: reductions over all positions follow, and read and write both layouts.
type lastReduce struct {
	moveRule
	reduce string
}

func (lastReduce) Starts(*graph.Node) bool { return false }

func (r lastReduce) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	if !isImage(n.Inputs[0]) || len(n.Inputs) < 2 || n.Inputs[1] == nil || n.Inputs[1].Const == nil {
		return nil, nil, 0, false
	}
	rank := len(n.Inputs[0].Shape)
	axes := intsOf(n.Inputs[1].Const)
	for i, a := range axes {
		axes[i], _ = tensor.Axis(a, rank)
	}
	slices.Sort(axes)
	if !slices.Equal(axes, positions(n.Inputs[0])) {
		return nil, nil, 0, false
	}
	return &DefReduceLast, []graph.Attr{graph.Int("keepdims", n.Int("keepdims")), graph.Str("reduce", r.reduce), graph.Bool("x_last", x), graph.Bool("y_last", y)}, 1, true
}

func inferReduceLast(c *graph.InferCtx) {
	wantFloat(c, 0)
	x, keep := c.In[0], c.Node.Int("keepdims") != 0
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if len(x.Shape) < 3 {
		c.Fail("needs images of at least 3 dimensions")
	}
	s := slices.Clone(x.Shape)
	if c.Node.Int("x_last") != 0 {
		s = toFirst(s)
	}
	for i := range s[2:] {
		s[2+i] = 1
	}
	switch {
	case !keep:
		s = s[:2]
	case c.Node.Int("y_last") != 0:
		s = toLast(s)
	}
	c.Set(0, x.DType, s)
}

// bodyReduceLast is the reduction between transpositions.
type bodyReduceLast struct{}

func (bodyReduceLast) Body(_ *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, rank, keep := in[0], len(in[0].Shape), n.Int("keepdims") != 0
	if n.Int("x_last") != 0 {
		x = Transpose(x, movePerm(rank, false)...)
	}
	d := &DefReduceSum
	switch n.Str("reduce") {
	case "mean":
		d = &DefReduceMean
	case "max":
		d = &DefReduceMax
	}
	y := reduce(d, x, positions(x), keep)
	if keep && n.Int("y_last") != 0 {
		y = Transpose(y, movePerm(rank, true)...)
	}
	return []*graph.Value{y}
}

var kReduceLast = prog.Kernel{Name: "ReduceLast", Run: runReduceLast}

// lowerReduceLast keeps the order of the reduction over [N,C,D...]: position p is added in lane p mod Lanes of its channel, and the tree joins the lanes.
// Channels-last, the lanes of all channels follow one another in memory, so that they are one row of simd.Lanes*C sums, to which runs of
// simd.Lanes positions are added, and a level of the tree adds one half of the row to the other. The step is A = {out, x, sums}, N = {op, images, positions, channels,
// finish, whether the sums are there}, F = {divisor}.
func lowerReduceLast(b graph.Builder, n *graph.Node) bool {
	x, op, finish := b.InShape(0), simd.Sum, int32(finishNone)
	switch n.Str("reduce") {
	case "mean":
		finish = finishDivide
	case "max":
		op = simd.ReduceMax
	}
	if n.Int("x_last") == 0 { // as the operators themselves are lowered
		mask := make([]bool, len(x))
		for i := range x[2:] {
			mask[2+i] = true
		}
		return emitReduce(b, mask, op, finish)
	}
	size := tensor.Size(x)
	if b.InType(0) != tensor.Float32 || size == 0 || size >= 1<<31 {
		return false
	}
	c := x[len(x)-1]
	if c == 1 { // images of one channel are the same in both layouts
		mask := make([]bool, len(x))
		for i := range x[1 : len(x)-1] {
			mask[1+i] = true
		}
		return emitReduce(b, mask, op, finish)
	}
	p, row := size/x[0]/c, simd.Lanes*c
	st := prog.Step{Kernel: &kReduceLast, Tiles: min(elemTiles(size), int32(x[0]))}
	for i := range st.A {
		st.A[i] = prog.None
	}
	st.A[0], st.A[1] = b.Out(0), b.In(0)
	st.N = [28]int32{int32(op), int32(x[0]), int32(p), int32(c), finish}
	st.F[0] = float32(p)
	if tiles := min(elemTiles(size), int32(columnTiles(row, b.Threads()))); x[0] == 1 && p >= simd.Lanes && tiles > 1 {
		sums := prog.Step{Kernel: &kReduceColumns, Tiles: tiles, A: st.A}
		st.A[2] = b.Scratch(4 * row)
		sums.A[0] = st.A[2]
		sums.N = [28]int32{int32(op), 1, int32(p / simd.Lanes), int32(row)}
		b.Emit(sums)
		st.N[5] = 1
	} else {
		st.Worker = int32(4 * row)
	}
	b.Emit(st)
	return true
}

func runReduceLast(w *prog.Worker, s *prog.Step, tile int) {
	op, images, p, c := simd.ReduceOp(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3])
	row, full := simd.Lanes*c, p/simd.Lanes*simd.Lanes
	y, x := w.F32(s.A[0], images*c), w.F32(s.A[1], images*p*c)
	lo, hi := prog.Span(images, 1, tile, int(s.Tiles))
	for i := lo; i < hi; i++ {
		image := x[i*p*c : (i+1)*p*c]
		var acc []float32
		if s.N[5] != 0 {
			acc = w.F32(s.A[2], row)
		} else {
			acc = w.ScratchF32(row)
			simd.ReduceOuter(op, acc, image[:full*c], full/simd.Lanes, row)
		}
		if full < p {
			simd.ReduceRow(op, acc, image[full*c:])
		}
		for n := row / 2; n >= c; n /= 2 {
			simd.ReduceRow(op, acc[:n], acc[n:2*n])
		}
		copy(y[i*c:(i+1)*c], acc)
	}
	finishReduce(s, y[lo*c:hi*c])
}
