package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// DefCumSum is ONNX's CumSum: running sums along an axis, given as a scalar input; exclusive leaves an element out of its own sum,
// reverse runs from the end.
var DefCumSum = graph.Def{
	Name: "CumSum", Since: 14, MinIn: 2, MaxIn: 2, Doc: "running sums along an axis", HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "exclusive", Kind: graph.AttrInt}, {Name: "reverse", Kind: graph.AttrInt}},
	Infer: inferCumSum, FLOPs: flopsInput, Ref: refCumSum, Grad: gradCumSum{}, Lower: lowerCumSum,
}

func inferCumSum(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantInt(c, 1)
	wantScalar(c, 1)
	if a, ok := c.Ints(1); ok && c.In[0].HasRank && len(a) == 1 {
		axisOf(c, a[0], len(c.In[0].Shape))
	}
	inferSame(c)
}

// running calls f(to, from, first) along every line of the axis in the order of the sums: to takes from's sum in.
func running(n *graph.Node, shape []int, axis int, f func(at, prev int, first bool)) {
	outer, k, inner := outerInner(shape, axis)
	reverse := n.Int("reverse") != 0
	for o := range outer {
		for i := range inner {
			for j := range k {
				p, q := j, j-1
				if reverse {
					p, q = k-1-j, k-j
				}
				f((o*k+p)*inner+i, (o*k+q)*inner+i, j == 0)
			}
		}
	}
}

func refCumSum(c *graph.RefCtx) {
	x := c.In[0]
	axis, ok := tensor.Axis(int(c.In[1].Int64sOf()[0]), x.Rank())
	if !ok {
		c.Fail("axis ", c.In[1].Int64sOf()[0], " is outside a tensor of rank ", x.Rank())
	}
	if x.DType().IsInt() {
		v := x.Int64sOf()
		c.Out[0].SetInt64s(cumSum(c.Node, v, x.Shape(), axis))
		return
	}
	c.Out[0].SetFloat64s(cumSum(c.Node, x.Float64s(), x.Shape(), axis))
}

func cumSum[T int64 | float64](n *graph.Node, x []T, shape []int, axis int) []T {
	out, exclusive := make([]T, len(x)), n.Int("exclusive") != 0
	running(n, shape, axis, func(at, prev int, first bool) {
		switch {
		case first && exclusive:
		case first:
			out[at] = x[at]
		case exclusive:
			out[at] = out[prev] + x[prev]
		default:
			out[at] = out[prev] + x[at]
		}
	})
	return out
}

// dx is the running sum of dy from the other end.
type gradCumSum struct{}

func (gradCumSum) Grad(c *graph.GradCtx) []*graph.Value {
	attrs := []graph.Attr{graph.Int("exclusive", c.Node.Int("exclusive")), graph.Int("reverse", 1-c.Node.Int("reverse"))}
	return []*graph.Value{c.G.Add(&DefCumSum, attrs, c.DY[0], c.In(1)), nil}
}

// CumSum returns the running sums of x along the axis.
func CumSum(x *graph.Value, axis int, exclusive, reverse bool) *graph.Value {
	a := x.G.Const(tensor.Scalar(int64(axis)))
	return x.G.Add(&DefCumSum, []graph.Attr{graph.Bool("exclusive", exclusive), graph.Bool("reverse", reverse)}, x, a)
}

// A step of CumSum: A = {out, x}; N = {outer, n, inner, exclusive, reverse}.
var kCumSum = prog.Kernel{Name: "CumSum", Run: runCumSum}

func lowerCumSum(b graph.Builder, n *graph.Node) bool {
	sh, at := b.InShape(0), b.InConst(1)
	if b.InType(0) != tensor.Float32 || at == nil {
		return false
	}
	axis, ok := tensor.Axis(int(at.Int64sOf()[0]), len(sh))
	if !ok {
		tensor.Fail(n.Describe(), "axis ", at.Int64sOf()[0], " is outside a tensor of rank ", len(sh))
	}
	outer, k, inner := outerInner(sh, axis)
	if outer*k*inner == 0 {
		return true
	}
	s := prog.Step{Kernel: &kCumSum, Tiles: int32(min(int(elemTiles(outer*k*inner)), outer))}
	s.A[0], s.A[1] = b.Out(0), b.In(0)
	s.N[0], s.N[1], s.N[2], s.N[3], s.N[4] = int32(outer), int32(k), int32(inner), int32(n.Int("exclusive")), int32(n.Int("reverse"))
	b.Emit(s)
	return true
}

// runCumSum adds line to line, sequentially along the axis.
func runCumSum(w *prog.Worker, s *prog.Step, tile int) {
	outer, n, inner := int(s.N[0]), int(s.N[1]), int(s.N[2])
	lo, hi := prog.Span(outer, 1, tile, int(s.Tiles))
	y, x := w.F32(s.A[0], outer*n*inner), w.F32(s.A[1], outer*n*inner)
	for o := lo; o < hi; o++ {
		if inner < shortRow {
			for i := range inner {
				cumSumLine(y[o*n*inner+i:(o+1)*n*inner], x[o*n*inner+i:(o+1)*n*inner], n, inner, s.N[3] != 0, s.N[4] != 0)
			}
			continue
		}
		for j := range n {
			p, q := j, j-1
			if s.N[4] != 0 {
				p, q = n-1-j, n-j
			}
			line := y[(o*n+p)*inner:][:inner]
			switch {
			case j == 0 && s.N[3] != 0:
				clear(line)
			case j == 0:
				copy(line, x[(o*n+p)*inner:])
			case s.N[3] != 0:
				simd.Zip(simd.Add, line, y[(o*n+q)*inner:][:inner], x[(o*n+q)*inner:][:inner])
			default:
				simd.Zip(simd.Add, line, y[(o*n+q)*inner:][:inner], x[(o*n+p)*inner:][:inner])
			}
		}
	}
}

// cumSumLine adds up n elements, step apart.
func cumSumLine(y, x []float32, n, step int, exclusive, reverse bool) {
	at := 0
	if reverse {
		at, step = (n-1)*step, -step
	}
	var sum float32
	for j := range n {
		switch v := x[at]; {
		case exclusive:
			y[at] = sum
			sum += v
		default:
			if sum += v; j == 0 {
				sum = v
			}
			y[at] = sum
		}
		at += step
	}
}
