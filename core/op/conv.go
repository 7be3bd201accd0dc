package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

var convAttrs = []graph.AttrDef{
	{Name: "auto_pad", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "NOTSET"}},
	{Name: "dilations", Kind: graph.AttrInts},
	{Name: "group", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
	{Name: "kernel_shape", Kind: graph.AttrInts},
	{Name: "pads", Kind: graph.AttrInts},
	{Name: "strides", Kind: graph.AttrInts},
}

// DefConv is ONNX's Conv: x[N,C,D...] with w[M,C/group,K...] and an optional bias[M] gives y[N,M,O...].
var DefConv = graph.Def{
	Name: "Conv", Since: 22, Doc: "Convolution over one or more spatial dimensions.",
	Attrs: convAttrs, MinIn: 2, MaxIn: 3,
	Infer: inferConv, Ref: refConv, Grad: gradConv{}, Lower: lowerConv, TakesAct: true, FLOPs: flopsConv, Last: lastConv{}, Absorb: absorbConv{},
}

// DefConvGradInput is weft.ConvGradInput(dy, w, x): the gradient of Conv by its input. Only x's shape is used.
var DefConvGradInput = graph.Def{
	Domain: "weft", Name: "ConvGradInput", Since: 1, Doc: "Gradient of Conv by its input.",
	Attrs: convAttrs, MinIn: 3, MaxIn: 3, ShapeOnly: []int{2},
	Infer: inferConvGradInput, Ref: refConvGradInput, Grad: gradConvGradInput{}, Lower: lowerConvGradInput, FLOPs: flopsConvGradInput,
}

// DefConvGradWeight is weft.ConvGradWeight(x, dy, w): the gradient of Conv by its weight. Only w's shape is used.
var DefConvGradWeight = graph.Def{
	Domain: "weft", Name: "ConvGradWeight", Since: 1, Doc: "Gradient of Conv by its weight.",
	Attrs: convAttrs, MinIn: 3, MaxIn: 3, ShapeOnly: []int{2},
	Infer: inferConvGradWeight, Ref: refConvGradWeight, Grad: gradConvGradWeight{}, Lower: lowerConvGradWeight, FLOPs: flopsConvGradWeight,
}

// ConvOptions are the settings of [Conv]. The zero value is a convolution of stride 1 without padding.
type ConvOptions struct {
	Strides   []int  // one per spatial dimension; nil: 1
	Pads      []int  // begins of all spatial dimensions, then ends; nil: 0
	Dilations []int  // nil: 1
	Group     int    // 0: 1
	AutoPad   string // "SAME_UPPER", "SAME_LOWER", "VALID"; "": Pads
}

func (o *ConvOptions) attrs() []graph.Attr {
	var a []graph.Attr
	if o.AutoPad != "" && o.AutoPad != "NOTSET" {
		a = append(a, graph.Str("auto_pad", o.AutoPad))
	}
	if o.Dilations != nil {
		a = append(a, graph.Ints("dilations", o.Dilations...))
	}
	if o.Group > 1 {
		a = append(a, graph.Int("group", o.Group))
	}
	if o.Pads != nil {
		a = append(a, graph.Ints("pads", o.Pads...))
	}
	if o.Strides != nil {
		a = append(a, graph.Ints("strides", o.Strides...))
	}
	return a
}

// Conv adds the convolution of x[N,C,D...] with w[M,C/Group,K...] and the bias b[M], which may be nil.
func Conv(x, w, b *graph.Value, o ConvOptions) *graph.Value {
	in := []*graph.Value{x, w}
	if b != nil {
		in = append(in, b)
	}
	return x.G.Add(&DefConv, o.attrs(), in...)
}

// ConvGradInput adds the gradient of a convolution by its input x, of which only the shape is used, given dy and the weight w.
func ConvGradInput(dy, w, x *graph.Value, o ConvOptions) *graph.Value {
	return dy.G.Add(&DefConvGradInput, o.attrs(), dy, w, x)
}

// ConvGradWeight adds the gradient of a convolution by its weight w, of which only the shape is used, given the input x and dy.
func ConvGradWeight(x, dy, w *graph.Value, o ConvOptions) *graph.Value {
	return x.G.Add(&DefConvGradWeight, o.attrs(), x, dy, w)
}

// convGroup returns the attribute group.
func convGroup(n *graph.Node, fail failFunc) int {
	g := n.Int("group")
	if g < 1 {
		fail("attribute \"group\" is ", g, "; it must be at least 1")
	}
	return g
}

// checkConv validates the operands of a convolution and returns the geometry and the output shape.
// x and w may hold unknown dimensions; ok is false when the kernel's size is not known.
func checkConv(n *graph.Node, x, w []int, fail failFunc) (win *window, y []int, ok bool) {
	if len(x) < 3 || len(w) != len(x) {
		fail("needs an input [N C D...] and a weight [M C/group K...] of equal rank, at least 3")
	}
	g := convGroup(n, fail)
	if x[1] >= 0 && w[1] >= 0 && x[1] != w[1]*g {
		fail("the input has ", x[1], " channels, the weight takes ", w[1], " in each of ", g, " groups")
	}
	if w[0] >= 0 && w[0]%g != 0 {
		fail(w[0], " output channels do not divide into ", g, " groups")
	}
	kernel := append([]int{}, w[2:]...)
	if k := n.Ints("kernel_shape"); k != nil {
		if len(k) != len(kernel) {
			fail("attribute \"kernel_shape\" has ", len(k), " entries for ", len(kernel), " spatial dimensions")
		}
		for i := range k {
			if kernel[i] >= 0 && k[i] != kernel[i] {
				fail("attribute \"kernel_shape\" is ", k, ", the weight's kernel ", kernel)
			}
			kernel[i] = k[i]
		}
	}
	y = make([]int, len(x))
	y[0], y[1] = x[0], w[0]
	for _, k := range kernel {
		if k == 0 {
			fail("the kernel has no taps")
		}
		if k < 0 {
			for i := range kernel {
				y[2+i] = graph.Unknown
			}
			return nil, y, false
		}
	}
	win = slidingWindow(n, kernel, x[2:], false, fail)
	copy(y[2:], win.out)
	return win, y, true
}

// checkFloats fails unless all given inputs are of one floating-point type.
func checkFloats(c *graph.InferCtx) {
	t := c.In[0].DType
	if !t.IsFloat() {
		c.Fail("takes floating-point elements, not ", t)
	}
	for i := range c.In {
		if c.Has(i) && c.In[i].DType != t {
			c.Fail("inputs are of ", t, " and ", c.In[i].DType)
		}
	}
}

func inferConv(c *graph.InferCtx) {
	checkFloats(c)
	x, w := c.In[0], c.In[1]
	if !x.HasRank || !w.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	_, y, _ := checkConv(c.Node, x.Shape, w.Shape, c.Fail)
	if c.Has(2) && c.In[2].HasRank {
		if b := c.In[2].Shape; len(b) != 1 || (b[0] >= 0 && w.Shape[0] >= 0 && b[0] != w.Shape[0]) {
			c.Fail("the bias must have one element per output channel")
		}
	}
	c.Set(0, x.DType, y)
}

func inferConvGradInput(c *graph.InferCtx) {
	checkFloats(c)
	checkConvGrad(c, c.In[2], c.In[1], c.In[0])
	c.Out[0] = graph.Type{DType: c.In[0].DType, Shape: c.In[2].Shape, HasRank: c.In[2].HasRank}
}

func inferConvGradWeight(c *graph.InferCtx) {
	checkFloats(c)
	checkConvGrad(c, c.In[0], c.In[2], c.In[1])
	c.Out[0] = graph.Type{DType: c.In[0].DType, Shape: c.In[2].Shape, HasRank: c.In[2].HasRank}
}

// checkConvGrad fails when dy is not what the convolution of x with w gives.
func checkConvGrad(c *graph.InferCtx, x, w, dy graph.Type) {
	if !x.HasRank || !w.HasRank {
		return
	}
	_, y, _ := checkConv(c.Node, x.Shape, w.Shape, c.Fail)
	if dy.HasRank && !fits(dy.Shape, y) {
		c.Fail("the gradient's shape is not the convolution's ", y)
	}
}

// fits reports whether two shapes can be the same, unknown dimensions being free.
func fits(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && a[i] >= 0 && b[i] >= 0 {
			return false
		}
	}
	return true
}

// convPlanes is the loop nest that the three convolutions share: it calls f for every image, pair of
// channels and pair of positions that take part, with offsets into x, w and y.
func convPlanes(win *window, x, w, y []int, group int, f func(xi, wi, yi int)) {
	offsets, positions, taps := win.taps()
	in := tensor.Size(x[2:])
	cg, mg := w[1], w[0]/group
	for n := range x[0] {
		for m := range w[0] {
			for p := range positions {
				yi := (n*w[0]+m)*positions + p
				for t, at := range offsets[p*taps : p*taps+taps] {
					if at < 0 {
						continue
					}
					for ci := range cg {
						f((n*x[1]+m/mg*cg+ci)*in+at, (m*cg+ci)*taps+t, yi)
					}
				}
			}
		}
	}
}

func refConv(c *graph.RefCtx) {
	x, w := c.In[0], c.In[1]
	win, y, _ := checkConv(c.Node, x.Shape(), w.Shape(), c.Fail)
	xs, ws, ys := x.Float64s(), w.Float64s(), make([]float64, tensor.Size(y))
	if c.Has(2) {
		b, plane := c.In[2].Float64s(), max(tensor.Size(y[2:]), 1)
		for i := range ys {
			ys[i] = b[i/plane%y[1]]
		}
	}
	convPlanes(win, x.Shape(), w.Shape(), y, c.Node.Int("group"), func(xi, wi, yi int) { ys[yi] += xs[xi] * ws[wi] })
	c.Out[0].SetFloat64s(ys)
}

func refConvGradInput(c *graph.RefCtx) {
	dy, w, x := c.In[0], c.In[1], c.In[2]
	win, y, _ := checkConv(c.Node, x.Shape(), w.Shape(), c.Fail)
	ds, ws, xs := dy.Float64s(), w.Float64s(), make([]float64, x.Len())
	convPlanes(win, x.Shape(), w.Shape(), y, c.Node.Int("group"), func(xi, wi, yi int) { xs[xi] += ds[yi] * ws[wi] })
	c.Out[0].SetFloat64s(xs)
}

func refConvGradWeight(c *graph.RefCtx) {
	x, dy, w := c.In[0], c.In[1], c.In[2]
	win, y, _ := checkConv(c.Node, x.Shape(), w.Shape(), c.Fail)
	xs, ds, ws := x.Float64s(), dy.Float64s(), make([]float64, w.Len())
	convPlanes(win, x.Shape(), w.Shape(), y, c.Node.Int("group"), func(xi, wi, yi int) { ws[wi] += ds[yi] * xs[xi] })
	c.Out[0].SetFloat64s(ws)
}

// gradConv: a convolution is linear in x and in w.
//
//	dx = ConvGradInput(dy, w)   dw = ConvGradWeight(x, dy)   db[m] = sum over n, o... of dy[n,m,o...]
type gradConv struct{}

func (gradConv) Grad(c *graph.GradCtx) []*graph.Value {
	x, w, dy, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	out := []*graph.Value{c.G.Add(&DefConvGradInput, a, dy, w, x), c.G.Add(&DefConvGradWeight, a, x, dy, w)}
	if b := c.In(2); b != nil {
		out = append(out, channelSum(dy, w))
	}
	return out
}

// channelSum returns the sum of dy[N,M,O...] over all dimensions but the second. ranked is a value of dy's rank, for when dy's
// own is not known.
func channelSum(dy, ranked *graph.Value) *graph.Value {
	r := len(dy.Shape)
	if !dy.HasRank {
		r = len(ranked.Shape)
	}
	if r < 3 {
		tensor.Fail("Conv", "the gradient of the bias needs the rank of the input or the weight")
	}
	axes := []int{0}
	for i := 2; i < r; i++ {
		axes = append(axes, i)
	}
	return ReduceSum(dy, axes, false)
}

// gradConvGradInput, with d the gradient by dx:
//
//	by dy: Conv(d, w)   by w: ConvGradWeight(d, dy)
type gradConvGradInput struct{}

func (gradConvGradInput) Grad(c *graph.GradCtx) []*graph.Value {
	dy, w, d, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	return []*graph.Value{c.G.Add(&DefConv, a, d, w), c.G.Add(&DefConvGradWeight, a, d, dy, w), nil}
}

// gradConvGradWeight, with d the gradient by dw:
//
//	by x: ConvGradInput(dy, d)   by dy: Conv(x, d)
type gradConvGradWeight struct{}

func (gradConvGradWeight) Grad(c *graph.GradCtx) []*graph.Value {
	x, dy, d, a := c.In(0), c.In(1), c.DY[0], c.Node.Attrs
	return []*graph.Value{c.G.Add(&DefConvGradInput, a, dy, d, x), c.G.Add(&DefConv, a, x, d), nil}
}
