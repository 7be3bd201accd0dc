package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// DefTrilu is ONNX's Trilu: the upper or lower triangle of matrices, zero elsewhere; k moves the diagonal that belongs to it.
var DefTrilu = graph.Def{
	Name: "Trilu", Since: 14, Doc: "The upper or lower triangle of matrices.", MinIn: 1, MaxIn: 2, HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "upper", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}},
	Infer: inferTrilu, Ref: refTrilu, Grad: gradTrilu{}, Lower: lowerTrilu,
}

// Trilu returns the upper or lower triangle of the matrices x[..., rows, columns]; k moves the diagonal.
func Trilu(x *graph.Value, upper bool, k int) *graph.Value {
	return x.G.Add(&DefTrilu, []graph.Attr{graph.Bool("upper", upper)}, x, x.G.Const(tensor.Scalar(int64(k))))
}

func inferTrilu(c *graph.InferCtx) {
	wantScalar(c, 1)
	inferInts(c, 1)
	if x := c.In[0]; x.HasRank && len(x.Shape) < 2 {
		c.Fail("needs matrices")
	}
	inferSame(c)
}

// triluRows calls f with the part [lo, hi) of each row that stays.
func triluRows(shape []int, upper bool, k int, f func(row, lo, hi int)) {
	r := len(shape)
	h, w := shape[r-2], shape[r-1]
	for row := range tensor.Size(shape[:r-1]) {
		at := row%h + k
		if upper {
			f(row, min(max(at, 0), w), w)
		} else {
			f(row, 0, min(max(at+1, 0), w))
		}
	}
}

func refTrilu(c *graph.RefCtx) {
	k := 0
	if v := refInts(c, 1); len(v) > 0 {
		k = min(max(v[0], -math.MaxInt32), math.MaxInt32)
	}
	d, s, w := cellsOf(c.Out[0]), cellsOf(c.In[0]), c.In[0].Shape()[c.In[0].Rank()-1]
	triluRows(c.In[0].Shape(), c.Node.Int("upper") != 0, k, func(row, lo, hi int) {
		for j := lo; j < hi; j++ {
			d.set(row*w+j, s, row*w+j)
		}
	})
}

// gradTrilu: dx is the same triangle of dy.
type gradTrilu struct{}

func (gradTrilu) Grad(c *graph.GradCtx) []*graph.Value {
	in := append([]*graph.Value{c.DY[0]}, c.Node.Inputs[1:]...)
	return []*graph.Value{c.G.Add(&DefTrilu, c.Node.Attrs, in...)}
}

var kTrilu = prog.Kernel{Name: "Trilu", Run: runTrilu}

func lowerTrilu(b graph.Builder, n *graph.Node) bool {
	k, known := hostInts(b, 1)
	sh, d := b.OutShape(0), b.OutType(0)
	if !known || d.Bits() < 8 || tensor.Size(sh) > math.MaxInt32 {
		return false
	}
	st := prog.Step{Kernel: &kTrilu}
	r := len(sh)
	st.N[0], st.N[1], st.N[2] = int32(tensor.Size(sh[:r-2])), int32(sh[r-2]), int32(sh[r-1])
	if len(k) > 0 {
		st.N[3] = int32(min(max(k[0], -math.MaxInt32/2), math.MaxInt32/2))
	}
	st.N[4], st.N[5] = int32(n.Int("upper")), int32(d.Bits()/8)
	st.A[0], st.A[1] = b.Out(0), b.In(0)
	st.Tiles = moveTiles(d.Bytes(tensor.Size(sh)), tensor.Size(sh[:r-1]))
	if tensor.Size(sh) > 0 {
		b.Emit(st)
	}
	return true
}

func runTrilu(w *prog.Worker, st *prog.Step, tile int) {
	n, h, cols, k, width := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3]), int(st.N[5])
	size := cols * width
	dst, src := w.Bytes(st.A[0], n*h*size), w.Bytes(st.A[1], n*h*size)
	lo, hi := prog.Span(n*h, 1, tile, int(st.Tiles))
	for row := lo; row < hi; row++ {
		a, b := 0, min(max(row%h+k+1, 0), cols)*width
		if st.N[4] != 0 {
			a, b = min(max(row%h+k, 0), cols)*width, size
		}
		d, s := dst[row*size:row*size+size], src[row*size:row*size+size]
		clear(d[:a])
		copy(d[a:b], s[a:b])
		clear(d[b:])
	}
}
