package op

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Operators on channels-last images, [N,D...,C] in place of [N,C,D...]. The compiler's layout pass puts them in the place of ONNX's.

var convLastAttrs = append(slices.Clone(convAttrs), graph.AttrDef{Name: "x_last", Kind: graph.AttrInt}, graph.AttrDef{Name: "y_last", Kind: graph.AttrInt})

// DefConvLast is weft.ConvLast(x, w, b, r): Conv with x channels-last if x_last, y channels-last if y_last, plus the residual r of y's
// shape, which may be omitted, as may b.
var DefConvLast = graph.Def{
	Domain: "weft", Name: "ConvLast", Since: 1, Doc: "Convolution of channels-last images.", Attrs: convLastAttrs, MinIn: 2, MaxIn: 4,
	Infer: inferConvLast, Body: bodyConvLast{}, Lower: lowerConvLast, TakesAct: true, Bias: biasConvLast, Residual: residualConvLast,
	FLOPs: flopsConv, Chain: chainConv{},
}

// DefMaxPoolLast is weft.MaxPoolLast(x): MaxPool of channels-last images.
var DefMaxPoolLast = graph.Def{
	Domain: "weft", Name: "MaxPoolLast", Since: 1, Doc: "MaxPool of channels-last images.", Attrs: maxPoolAttrs, MinIn: 1, MaxIn: 1,
	Infer: inferPoolLast, Body: bodyPoolLast{&DefMaxPool}, Lower: lowerMaxPoolLast, FLOPs: flopsPool, After: afterConv{},
}

// DefAveragePoolLast is weft.AveragePoolLast(x): AveragePool of channels-last images.
var DefAveragePoolLast = graph.Def{
	Domain: "weft", Name: "AveragePoolLast", Since: 1, Doc: "AveragePool of channels-last images.", Attrs: averagePoolAttrs, MinIn: 1, MaxIn: 1,
	Infer: inferPoolLast, Body: bodyPoolLast{&DefAveragePool}, Lower: lowerAveragePoolLast, FLOPs: flopsPool, After: afterConv{average: true},
}

// toLast and toFirst return a shape [N,C,D...] as [N,D...,C], and back.
func toLast(s []int) []int {
	if len(s) < 3 {
		return s
	}
	return append(append([]int{s[0]}, s[2:]...), s[1])
}

func toFirst(s []int) []int {
	if len(s) < 3 {
		return s
	}
	return append([]int{s[0], s[len(s)-1]}, s[1:len(s)-1]...)
}

// movePerm returns the permutation that moves the channels of a rank to the end, or back.
func movePerm(rank int, last bool) []int {
	p := make([]int, rank)
	for i := range p {
		p[i] = i
	}
	if last {
		return toLast(p)
	}
	return toFirst(p)
}

// moveRule is what the rules for channels-last have in common.
type moveRule struct{}

func (moveRule) Move(rank int, last bool) (*graph.Def, []graph.Attr) {
	return &DefTranspose, []graph.Attr{graph.Ints("perm", movePerm(rank, last)...)}
}

func (moveRule) Axes(*graph.Node) (int, []int) { return 0, nil }

func (moveRule) Widen(_ *graph.Graph, x *graph.Value, rank int) *graph.Value {
	if k := rank - len(x.Shape); k > 0 {
		axes := make([]int, k)
		for i := range axes {
			axes[i] = i
		}
		x = Unsqueeze(x, axes...)
	}
	return Transpose(x, movePerm(rank, true)...)
}

// lastConv: a convolution whose output channels fill vectors, or with one channel per group, is worth it. Its kernels read and write both layouts.
type lastConv struct{ moveRule }

const (
	lastChannels    = 24 // output channels of a group
	lastDepthwise   = 16 // channels of a depthwise convolution
	lastMostSpatial = 2
)

func (lastConv) Starts(n *graph.Node) bool {
	w := n.Inputs[1]
	if !w.HasRank || len(w.Shape) < 3 || w.Shape[0] < 0 {
		return false
	}
	if g := n.Int("group"); g > 1 {
		if w.Shape[1] == 1 && g == w.Shape[0] {
			return g >= lastDepthwise
		}
		return w.Shape[0]/g >= lastChannels
	}
	return w.Shape[0] >= lastChannels
}

func (lastConv) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	if w := n.Inputs[1]; !w.HasRank || len(w.Shape) < 3 || len(w.Shape) > 2+lastMostSpatial || n.Inputs[0].DType != tensor.Float32 {
		return nil, nil, 0, false
	}
	a := slices.Clone(n.Attrs)
	if x {
		a = append(a, graph.Int("x_last", 1))
	}
	if y {
		a = append(a, graph.Int("y_last", 1))
	}
	return &DefConvLast, a, 1, true
}

// lastPool: a pool follows.
type lastPool struct {
	moveRule
	average bool
}

func (lastPool) Starts(*graph.Node) bool { return false }

func (r lastPool) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	if !x || !y || len(n.Outputs) > 1 && n.Outputs[1] != nil || n.Inputs[0].DType != tensor.Float32 || len(n.Ints("kernel_shape")) > lastMostSpatial {
		return nil, nil, 0, false
	}
	d := &DefMaxPoolLast
	if r.average {
		d = &DefAveragePoolLast
	}
	return d, n.Attrs, 1, true
}

// lastConcat: images joined along any axis follow.
type lastConcat struct{ moveRule }

func (lastConcat) Starts(*graph.Node) bool { return false }

func (lastConcat) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	rank := len(n.Outputs[0].Shape)
	if !x || !y || rank < 3 || n.Outputs[0].DType != tensor.Float32 {
		return nil, nil, 0, false
	}
	axis := slices.Index(movePerm(rank, true), nodeAxis(n, rank))
	return &DefConcat, []graph.Attr{graph.Int("axis", axis)}, len(n.Inputs), true
}

func inferConvLast(c *graph.InferCtx) {
	checkFloats(c)
	x, w := c.In[0], c.In[1]
	if !x.HasRank || !w.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	xs := x.Shape
	if c.Node.Int("x_last") != 0 {
		xs = toFirst(xs)
	}
	_, y, _ := checkConv(c.Node, xs, w.Shape, c.Fail)
	if c.Node.Int("y_last") != 0 {
		y = toLast(y)
	}
	if c.Has(3) && c.In[3].HasRank && !fits(c.In[3].Shape, y) {
		c.Fail("the residual's shape is not the result's ", y)
	}
	c.Set(0, x.DType, y)
}

func inferPoolLast(c *graph.InferCtx) {
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	_, y := checkPool(c.Node, toFirst(x.Shape), c.Fail)
	c.Set(0, x.DType, toLast(y))
}

func residualConvLast(n *graph.Node) int {
	if n.Int("y_last") != 0 {
		return 3
	}
	return 0
}

// biasConvLast: a vector along the channels that is added to the result is a bias, of any rank.
func biasConvLast(n *graph.Node) int {
	if n.Int("y_last") != 0 {
		return 2
	}
	return 0
}

// without returns attributes without those of some names.
func without(a []graph.Attr, names ...string) []graph.Attr {
	return slices.DeleteFunc(slices.Clone(a), func(x graph.Attr) bool { return slices.Contains(names, x.Name) })
}

type bodyConvLast struct{}

// Body is Conv between transpositions.
func (bodyConvLast) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, rank := in[0], len(in[1].Shape)
	if n.Int("x_last") != 0 {
		x = Transpose(x, movePerm(rank, false)...)
	}
	args := []*graph.Value{x, in[1]}
	if len(in) > 2 && in[2] != nil {
		b := in[2]
		if len(b.Shape) != 1 {
			b = Reshape(b, -1)
		}
		args = append(args, b)
	}
	y := g.Add(&DefConv, without(n.Attrs, "x_last", "y_last"), args...)
	if n.Int("y_last") != 0 {
		y = Transpose(y, movePerm(rank, true)...)
	}
	if len(in) > 3 && in[3] != nil {
		y = Add(y, in[3])
	}
	return []*graph.Value{y}
}

// bodyPoolLast is the pool between transpositions.
type bodyPoolLast struct{ pool *graph.Def }

func (b bodyPoolLast) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	rank := len(n.Ints("kernel_shape")) + 2
	y := g.Add(b.pool, n.Attrs, Transpose(in[0], movePerm(rank, false)...))
	return []*graph.Value{Transpose(y, movePerm(rank, true)...)}
}

func lowerConvLast(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	x := b.InShape(0)
	if n.Int("x_last") != 0 {
		x = toFirst(x)
	}
	win, _, _ := checkConv(n, x, b.InShape(1), failOf(n))
	s, ok := convShape(win, x, b.InShape(1), n.Int("group"))
	s.XLast, s.YLast = n.Int("x_last") != 0, n.Int("y_last") != 0
	if !ok || emptyConv(&s) || !s.Reaches() {
		return false
	}
	emitConv(b, &s, b.Out(0), b.In(0), 1, optional(b, 2), optional(b, 3), b.Epilogue())
	return true
}

var (
	kMaxPoolLast     = prog.Kernel{Name: "MaxPoolLast", Run: runMaxPoolLast}
	kAveragePoolLast = prog.Kernel{Name: "AveragePoolLast", Run: runAveragePoolLast}
)

func lowerMaxPoolLast(b graph.Builder, n *graph.Node) bool {
	return emitPoolLast(b, n, &kMaxPoolLast, b.In(0), toFirst(b.InShape(0)))
}
func lowerAveragePoolLast(b graph.Builder, n *graph.Node) bool {
	return emitPoolLast(b, n, &kAveragePoolLast, b.In(0), toFirst(b.InShape(0)))
}

// emitPoolLast emits output 0 = the pool of in, whose shape channels-first is x. The step carries the geometry of one channel in N[0:15] and the
// channels in N[16].
func emitPoolLast(b graph.Builder, n *graph.Node, k *prog.Kernel, in prog.Ref, x []int) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st, ok := poolStep(k, n, append([]int{x[0], 1}, x[2:]...))
	size := tensor.Size(x)
	if !ok || size > 1<<29 {
		return false
	}
	st.N[16] = int32(x[1])
	st.Tiles = int32(max(1, min(size/poolTile, x[0]*int(st.N[5]), 64)))
	st.A[0], st.A[1] = b.Out(0), in
	b.Emit(st)
	return true
}

func runMaxPoolLast(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	c := int(st.N[16])
	from, to := prog.Span(s.Planes*s.OH, 1, tile, int(st.Tiles))
	simd.MaxPoolLast(&s, c, w.F32(st.A[0], y*c), w.F32(st.A[1], x*c), from, to)
}

func runAveragePoolLast(w *prog.Worker, st *prog.Step, tile int) {
	s, x, y := stepPool(st)
	c := int(st.N[16])
	from, to := prog.Span(s.Planes*s.OH, 1, tile, int(st.Tiles))
	simd.AvgPoolLast(&s, c, w.F32(st.A[0], y*c), w.F32(st.A[1], x*c), st.N[15] != 0, from, to)
}
