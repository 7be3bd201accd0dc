package op

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var convTransposeAttrs = []graph.AttrDef{
	{Name: "auto_pad", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "NOTSET"}},
	{Name: "dilations", Kind: graph.AttrInts},
	{Name: "group", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	{Name: "kernel_shape", Kind: graph.AttrInts},
	{Name: "output_padding", Kind: graph.AttrInts},
	{Name: "output_shape", Kind: graph.AttrInts},
	{Name: "pads", Kind: graph.AttrInts},
	{Name: "strides", Kind: graph.AttrInts},
}

// DefConvTranspose is ONNX's ConvTranspose: x[N,C,D...] with w[C,M/group,K...] and an optional bias[M] gives y[N,M,O...].
// It is the input gradient of the convolution that maps y's shape to x's with the same weight.
var DefConvTranspose = graph.Def{
	Name: "ConvTranspose", Since: 22, Doc: "Transposed convolution.", Attrs: convTransposeAttrs, MinIn: 2, MaxIn: 3,
	Infer: inferConvTranspose, Ref: refConvTranspose, Grad: gradConvTranspose{}, Lower: lowerConvTranspose, FLOPs: flopsConvTranspose, Absorb: absorbConvTranspose{},
}

// DefConvTransposeGradInput is weft.ConvTransposeGradInput(dy, w, x): the gradient of ConvTranspose by its input, of which only the shape is used.
var DefConvTransposeGradInput = graph.Def{
	Domain: "weft", Name: "ConvTransposeGradInput", Since: 1, Doc: "Gradient of ConvTranspose by its input.", Attrs: convTransposeAttrs, MinIn: 3, MaxIn: 3, ShapeOnly: []int{2},
	Infer: inferConvTransposeGrad, FLOPs: flopsConvTransposeGradInput, Ref: refConvTransposeGradInput, Grad: gradConvTransposeGradInput{}, Lower: lowerConvTransposeGradInput,
}

// DefConvTransposeGradWeight is weft.ConvTransposeGradWeight(x, dy, w): the gradient of ConvTranspose by its weight, of which only the shape is used.
var DefConvTransposeGradWeight = graph.Def{
	Domain: "weft", Name: "ConvTransposeGradWeight", Since: 1, Doc: "Gradient of ConvTranspose by its weight.", Attrs: convTransposeAttrs, MinIn: 3, MaxIn: 3, ShapeOnly: []int{2},
	Infer: inferConvTransposeGrad, FLOPs: flopsConvTransposeGradWeight, Ref: refConvTransposeGradWeight, Grad: gradConvTransposeGradWeight{}, Lower: lowerConvTransposeGradWeight,
}

// ConvTransposeOptions are the settings of [ConvTranspose].
type ConvTransposeOptions struct {
	ConvOptions
	OutputPadding []int // added at the end of each spatial dimension; nil: 0
	OutputShape   []int // spatial sizes of the output, from which the pads follow; nil: from Pads
}

// ConvTranspose adds the transposed convolution of x[N,C,D...] with w[C,M/Group,K...] and the bias b[M], which may be nil.
func ConvTranspose(x, w, b *graph.Value, o ConvTransposeOptions) *graph.Value {
	a := o.attrs()
	if o.OutputPadding != nil {
		a = append(a, graph.Ints("output_padding", o.OutputPadding...))
	}
	if o.OutputShape != nil {
		a = append(a, graph.Ints("output_shape", o.OutputShape...))
	}
	in := []*graph.Value{x, w}
	if b != nil {
		in = append(in, b)
	}
	return x.G.Add(&DefConvTranspose, a, in...)
}

// checkConvTranspose validates the operands and returns the geometry of the convolution from y to x, and y's shape; win is nil
// while a spatial size is unknown.
func checkConvTranspose(n *graph.Node, x, w []int, fail failFunc) (win *window, y []int) {
	if len(x) < 3 || len(w) != len(x) {
		fail("needs an input [N C D...] and a weight [C M/group K...] of equal rank, at least 3")
	}
	g := convGroup(n, fail)
	if x[1] >= 0 && w[0] >= 0 && x[1] != w[0] {
		fail("the input has ", x[1], " channels, the weight takes ", w[0])
	}
	if w[0] >= 0 && w[0]%g != 0 {
		fail(w[0], " input channels do not divide into ", g, " groups")
	}
	y = unknownShape(len(x))
	y[0] = x[0]
	if w[1] >= 0 {
		y[1] = w[1] * g
	}
	kernel := append([]int{}, w[2:]...)
	if k := n.Ints("kernel_shape"); k != nil {
		if !fits(k, kernel) {
			fail(attrName("kernel_shape"), " is ", k, ", the weight's kernel ", kernel)
		}
		kernel = k
	}
	if !allKnown(kernel) {
		return nil, y
	}
	r := len(kernel)
	win = windowAttrs(n, kernel, x[2:], fail)
	extra := spatialAttr(n, "output_padding", r, 0, 0, fail)
	target := n.Ints("output_shape")
	if target != nil && len(target) != r {
		if len(target) != r+2 { // some exporters give the whole shape
			fail(attrName("output_shape"), " has ", len(target), " entries for ", r, " spatial dimensions")
		}
		target = target[2:]
	}
	auto := n.Str("auto_pad")
	known := true
	for i, d := range x[2:] {
		s, e := win.stride[i], win.extent(i)
		if d < 0 {
			known = false
			if target != nil {
				y[2+i] = target[i]
			}
			continue
		}
		full := s*(d-1) + extra[i] + e
		size := full - win.begin[i] - win.end[i]
		switch {
		case target != nil:
			size = target[i]
		case auto == "SAME_UPPER" || auto == "SAME_LOWER":
			size = d * s
		case auto != "" && auto != "NOTSET" && auto != "VALID":
			fail(attrName("auto_pad"), " is ", strconv.Quote(auto), "; it can be NOTSET, VALID, SAME_UPPER or SAME_LOWER")
		}
		if size < 1 {
			fail("spatial dimension ", i, " of the output would have size ", size)
		}
		if target != nil || auto == "SAME_UPPER" || auto == "SAME_LOWER" {
			total := max(full-size, 0)
			win.begin[i], win.end[i] = total-total/2, total/2
			if auto == "SAME_UPPER" {
				win.begin[i], win.end[i] = total/2, total-total/2
			}
		}
		y[2+i] = size
	}
	if !known {
		return nil, y
	}
	win.in, win.out = y[2:], x[2:]
	return win, y
}

func inferConvTranspose(c *graph.InferCtx) {
	checkFloats(c)
	x, w := c.In[0], c.In[1]
	if !x.HasRank || !w.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	_, y := checkConvTranspose(c.Node, x.Shape, w.Shape, c.Fail)
	if c.Has(2) && c.In[2].HasRank && !fits(c.In[2].Shape, y[1:2]) {
		c.Fail("the bias must have one element per output channel")
	}
	c.Set(0, x.DType, y)
}

func inferConvTransposeGrad(c *graph.InferCtx) {
	checkFloats(c)
	setLike(c, 0, c.In[2].DType, c.In[2])
}

func refConvTranspose(c *graph.RefCtx) {
	x, w := c.In[0], c.In[1]
	win, y := checkConvTranspose(c.Node, x.Shape(), w.Shape(), c.Fail)
	xs, ws, ys := x.Float64s(), w.Float64s(), make([]float64, tensor.Size(y))
	if c.Has(2) {
		b, plane := c.In[2].Float64s(), tensor.Size(y[2:])
		for i := range ys {
			ys[i] = b[i/plane%y[1]]
		}
	}
	convPlanes(win, y, w.Shape(), x.Shape(), c.Node.Int("group"), func(yi, wi, xi int) { ys[yi] += xs[xi] * ws[wi] })
	c.Out[0].SetFloat64s(ys)
}

func refConvTransposeGradInput(c *graph.RefCtx) {
	dy, w, x := c.In[0], c.In[1], c.In[2]
	win, y := checkConvTranspose(c.Node, x.Shape(), w.Shape(), c.Fail)
	ds, ws, xs := dy.Float64s(), w.Float64s(), make([]float64, x.Len())
	convPlanes(win, y, w.Shape(), x.Shape(), c.Node.Int("group"), func(yi, wi, xi int) { xs[xi] += ds[yi] * ws[wi] })
	c.Out[0].SetFloat64s(xs)
}

func refConvTransposeGradWeight(c *graph.RefCtx) {
	x, dy, w := c.In[0], c.In[1], c.In[2]
	win, y := checkConvTranspose(c.Node, x.Shape(), w.Shape(), c.Fail)
	xs, ds, ws := x.Float64s(), dy.Float64s(), make([]float64, w.Len())
	convPlanes(win, y, w.Shape(), x.Shape(), c.Node.Int("group"), func(yi, wi, xi int) { ws[wi] += ds[yi] * xs[xi] })
	c.Out[0].SetFloat64s(ws)
}

// gradConvTranspose: linear in x and w, as the convolution it transposes.
type gradConvTranspose struct{}

func (gradConvTranspose) Grad(c *graph.GradCtx) []*graph.Value {
	x, w, dy, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	out := []*graph.Value{c.G.Add(&DefConvTransposeGradInput, a, dy, w, x), c.G.Add(&DefConvTransposeGradWeight, a, x, dy, w)}
	if b := c.In(2); b != nil {
		out = append(out, channelSum(dy, w))
	}
	return out
}

// gradConvTransposeGradInput, with d the gradient by dx: by dy: ConvTranspose(d, w); by w: ConvTransposeGradWeight(d, dy).
type gradConvTransposeGradInput struct{}

func (gradConvTransposeGradInput) Grad(c *graph.GradCtx) []*graph.Value {
	dy, w, d, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	return []*graph.Value{c.G.Add(&DefConvTranspose, a, d, w), c.G.Add(&DefConvTransposeGradWeight, a, d, dy, w), nil}
}

// gradConvTransposeGradWeight, with d the gradient by dw: by x: ConvTransposeGradInput(dy, d); by dy: ConvTranspose(x, d).
type gradConvTransposeGradWeight struct{}

func (gradConvTransposeGradWeight) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy, d, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	return []*graph.Value{c.G.Add(&DefConvTransposeGradInput, a, dy, d, x), c.G.Add(&DefConvTranspose, a, x, d), nil}
}

// transposedShape returns the kernels' description of the convolution from y to x.
func transposedShape(b graph.Builder, n *graph.Node, x, w []int) (s simd.ConvShape, ok bool) {
	win, y := checkConvTranspose(n, x, w, failOf(n))
	if b.OutType(0) != tensor.Float32 || win == nil {
		return s, false
	}
	s, ok = convShape(win, y, w, n.Int("group"))
	return s, ok && !emptyConv(&s)
}

func lowerConvTranspose(b graph.Builder, n *graph.Node) bool {
	s, ok := transposedShape(b, n, b.InShape(0), b.InShape(1))
	if !ok {
		return false
	}
	emitConvGradInput(b, &s, b.In(0), 1)
	if bias := optional(b, 2); bias != prog.None {
		st := prog.Step{Kernel: &kAddChannels, Tiles: moveTiles(4*convXLen(&s), s.N*s.C)}
		st.A[0], st.A[1] = b.Out(0), bias
		st.N[0], st.N[1], st.N[2] = int32(s.N), int32(s.C), int32(s.H*s.W)
		b.Emit(st)
	}
	return true
}

func lowerConvTransposeGradInput(b graph.Builder, n *graph.Node) bool {
	s, ok := transposedShape(b, n, b.InShape(2), b.InShape(1))
	if ok {
		emitConv(b, &s, b.Out(0), b.In(0), 1, prog.None, prog.None, graph.Act{})
	}
	return ok
}

func lowerConvTransposeGradWeight(b graph.Builder, n *graph.Node) bool {
	s, ok := transposedShape(b, n, b.InShape(0), b.InShape(2))
	if ok {
		emitConvGradWeight(b, &s, b.In(1), b.In(0))
	}
	return ok
}
