package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

func inferArg(c *graph.InferCtx) {
	wantNumeric(c, 0)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, tensor.Int64)
		return
	}
	mask := make([]bool, len(x.Shape))
	a := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	mask[a] = true
	if x.Shape[a] == 0 {
		c.Fail("axis ", a, " has no elements to choose from")
	}
	c.Set(0, tensor.Int64, reducedShape(x.Shape, mask, c.Node.Int("keepdims") != 0))
}

// refArg picks along the axis the first element (the last under select_last_index) that no other precedes; NaN goes before everything.
func refArg(c *graph.RefCtx, before func(a, b float64) bool, beforeInt func(a, b int64) bool) {
	x, d := c.In[0], c.In[0].DType()
	axis, last := axisAttr(c.Node, x.Rank()), c.Node.Int("select_last_index") != 0
	outer, n, inner := outerInner(x.Shape(), axis)
	var first func(i, j int) bool // whether element i goes before element j
	if d.IsFloat() {
		v := x.Float64s()
		first = func(i, j int) bool { return before(v[i], v[j]) || v[i] != v[i] && v[j] == v[j] }
	} else {
		v := x.Int64sOf()
		if d == tensor.Uint64 {
			for i := range v {
				v[i] ^= -1 << 63 // to the order of int64
			}
		}
		first = func(i, j int) bool { return beforeInt(v[i], v[j]) }
	}
	out := make([]int64, c.Out[0].Len())
	for o := range outer {
		for i := range inner {
			at, best := o*n*inner+i, 0
			for j := 1; j < n; j++ {
				if first(at+j*inner, at+best*inner) || last && !first(at+best*inner, at+j*inner) {
					best = j
				}
			}
			out[o*inner+i] = int64(best)
		}
	}
	c.Out[0].SetInt64s(out)
}

var argAttrs = []graph.AttrDef{
	{Name: "axis", Kind: graph.AttrInt},
	{Name: "keepdims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	{Name: "select_last_index", Kind: graph.AttrInt},
}

const indexResult = "the result is an index"

// DefArgMax is ONNX's ArgMax: the index of the largest element along an axis, of the first one among equals unless
// select_last_index is set.
var DefArgMax = graph.Def{
	Name: "ArgMax", Since: 13, MinIn: 1, MaxIn: 1, Doc: "index of the largest element along an axis", Attrs: argAttrs,
	Infer: inferArg, FLOPs: flopsInput, Lower: lowerArg, NoGrad: indexResult,
	Ref: func(c *graph.RefCtx) {
		refArg(c, func(a, b float64) bool { return a > b }, func(a, b int64) bool { return a > b })
	},
}

// DefArgMin is ONNX's ArgMin; see ArgMax.
var DefArgMin = graph.Def{
	Name: "ArgMin", Since: 13, MinIn: 1, MaxIn: 1, Doc: "index of the smallest element along an axis", Attrs: argAttrs,
	Infer: inferArg, FLOPs: flopsInput, Lower: lowerArg, NoGrad: indexResult,
	Ref: func(c *graph.RefCtx) {
		refArg(c, func(a, b float64) bool { return a < b }, func(a, b int64) bool { return a < b })
	},
}

// ArgMax returns the int64 index of the first largest element of x along the axis.
func ArgMax(x *graph.Value, axis int, keepdims bool) *graph.Value {
	return x.G.Add(&DefArgMax, []graph.Attr{graph.Int("axis", axis), graph.Bool("keepdims", keepdims)}, x)
}

// ArgMin returns the int64 index of the first smallest element of x along the axis.
func ArgMin(x *graph.Value, axis int, keepdims bool) *graph.Value {
	return x.G.Add(&DefArgMin, []graph.Attr{graph.Int("axis", axis), graph.Bool("keepdims", keepdims)}, x)
}

var (
	kArg      = prog.Kernel{Name: "Arg", Run: runArg}
	kArgInner = prog.Kernel{Name: "ArgInner", Run: runArgInner}
)

// lowerArg handles float32: A = {out, x}, N = {rows, n, minimum, inner}.
func lowerArg(b graph.Builder, n *graph.Node) bool {
	sh := b.InShape(0)
	outer, k, inner := outerInner(sh, axisAttr(n, len(sh)))
	if b.InType(0) != tensor.Float32 || n.Int("select_last_index") != 0 || outer*k*inner >= 1<<31 {
		return false
	}
	if outer*inner == 0 {
		return true
	}
	s := prog.Step{Kernel: &kArg, Tiles: int32(min(int(elemTiles(outer*k)), outer))}
	s.A[0], s.A[1], s.N[0], s.N[1], s.N[3] = b.Out(0), b.In(0), int32(outer), int32(k), int32(inner)
	if inner > 1 {
		s.Kernel, s.Worker = &kArgInner, int32(4*inner)
	}
	if n.Def.Name == "ArgMin" {
		s.N[2] = 1
	}
	b.Emit(s)
	return true
}

func runArg(w *prog.Worker, s *prog.Step, tile int) {
	rows, n := int(s.N[0]), int(s.N[1])
	lo, hi := prog.Span(rows, 8, tile, int(s.Tiles))
	out, x := w.I64(s.A[0], rows), w.F32(s.A[1], rows*n)
	for r := lo; r < hi; r++ {
		row := x[r*n : r*n+n]
		if s.N[2] != 0 {
			out[r] = int64(simd.ArgMin(row))
		} else {
			out[r] = int64(simd.ArgMax(row))
		}
	}
}

// runArgInner keeps the best element of every column while it walks along the axis. The first NaN stays.
func runArgInner(w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner := int(s.N[0]), int(s.N[1]), int(s.N[3])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	best := w.ScratchF32(inner)
	for o := lo; o < hi; o++ {
		out := w.I64(s.A[0].Add(8*o*inner), inner)
		x := w.F32(s.A[1].Add(4*o*n*inner), n*inner)
		clear(out)
		copy(best, x)
		for j := 1; j < n; j++ {
			for i, v := range x[j*inner:][:inner] {
				if b := best[i]; s.N[2] == 0 && v > b || s.N[2] != 0 && v < b || v != v && b == b {
					best[i], out[i] = v, int64(j)
				}
			}
		}
	}
}
