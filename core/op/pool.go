package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

var maxPoolAttrs = []graph.AttrDef{
	{Name: "auto_pad", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "NOTSET"}},
	{Name: "ceil_mode", Kind: graph.AttrInt},
	{Name: "dilations", Kind: graph.AttrInts},
	{Name: "kernel_shape", Kind: graph.AttrInts, Required: true},
	{Name: "pads", Kind: graph.AttrInts},
	{Name: "storage_order", Kind: graph.AttrInt},
	{Name: "strides", Kind: graph.AttrInts},
}

var averagePoolAttrs = []graph.AttrDef{
	{Name: "auto_pad", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "NOTSET"}},
	{Name: "ceil_mode", Kind: graph.AttrInt},
	{Name: "count_include_pad", Kind: graph.AttrInt},
	{Name: "dilations", Kind: graph.AttrInts},
	{Name: "kernel_shape", Kind: graph.AttrInts, Required: true},
	{Name: "pads", Kind: graph.AttrInts},
	{Name: "strides", Kind: graph.AttrInts},
}

// DefMaxPool is ONNX's MaxPool over x[N,C,D...]. The second output, Indices, tells where in the flattened x each maximum is. Of
// equal maxima the first in row order of the window counts; a NaN stays.
var DefMaxPool = graph.Def{
	Name: "MaxPool", Since: 22, Doc: "Largest value of every window.", Attrs: maxPoolAttrs, MinIn: 1, MaxIn: 1, MaxOut: 2,
	Infer: inferMaxPool, FLOPs: flopsPool, Ref: refMaxPool, Grad: gradMaxPool{}, Lower: lowerMaxPool, Last: lastPool{}, After: afterConv{},
}

// DefMaxPoolGrad is weft.MaxPoolGrad(dy, x): every dy goes to the first maximum of its window.
var DefMaxPoolGrad = graph.Def{
	Domain: "weft", Name: "MaxPoolGrad", Since: 1, Doc: "Gradient of MaxPool.", Attrs: maxPoolAttrs, MinIn: 2, MaxIn: 2,
	Infer: inferMaxPoolGrad, FLOPs: flopsInput, Ref: refMaxPoolGrad, Grad: gradMaxPoolGrad{}, Lower: lowerMaxPoolGrad,
}

// DefMaxPoolReluGrad is weft.MaxPoolReluGrad(dy, x): ReluGrad(MaxPoolGrad(dy, x), x). The compiler puts it in the place of the two.
var DefMaxPoolReluGrad = graph.Def{
	Domain: "weft", Name: "MaxPoolReluGrad", Since: 1, Doc: "Gradient of MaxPool and of the Relu before it.", Attrs: maxPoolAttrs, MinIn: 2, MaxIn: 2,
	Infer: inferMaxPoolGrad, FLOPs: flopsInput, Body: bodyMaxPoolReluGrad{}, Lower: lowerMaxPoolReluGrad,
}

// DefMaxPoolGather is weft.MaxPoolGather(d, x): the elements of d at the places of the maxima of x's windows, the transpose of MaxPoolGrad.
var DefMaxPoolGather = graph.Def{
	Domain: "weft", Name: "MaxPoolGather", Since: 1, Doc: "Elements at the places of the maxima.", Attrs: maxPoolAttrs, MinIn: 2, MaxIn: 2,
	Infer: inferMaxPoolGather, Ref: refMaxPoolGather, Grad: gradMaxPoolGather{},
}

// DefAveragePool is ONNX's AveragePool over x[N,C,D...].
var DefAveragePool = graph.Def{
	Name: "AveragePool", Since: 22, Doc: "Mean of every window.", Attrs: averagePoolAttrs, MinIn: 1, MaxIn: 1,
	Infer: inferAveragePool, FLOPs: flopsPool, Ref: refAveragePool, Grad: gradAveragePool{}, Lower: lowerAveragePool, Last: lastPool{average: true}, After: afterConv{average: true},
}

// DefAveragePoolGrad is weft.AveragePoolGrad(dy, x): every dy is shared among its window. Only x's shape is used.
var DefAveragePoolGrad = graph.Def{
	Domain: "weft", Name: "AveragePoolGrad", Since: 1, Doc: "Gradient of AveragePool.", Attrs: averagePoolAttrs, MinIn: 2, MaxIn: 2, ShapeOnly: []int{1},
	Infer: inferAveragePoolGrad, FLOPs: flopsPoolGrad, Ref: refAveragePoolGrad, Grad: gradAveragePoolGrad{}, Lower: lowerAveragePoolGrad,
}

// DefGlobalAveragePool is ONNX's GlobalAveragePool: [N,C,D...] to [N,C,1...].
var DefGlobalAveragePool = graph.Def{
	Name: "GlobalAveragePool", Since: 22, Doc: "Mean over all positions.", MinIn: 1, MaxIn: 1,
	Infer: inferGlobalPool, FLOPs: flopsInput, Body: bodyGlobalAveragePool{},
}

// DefGlobalMaxPool is ONNX's GlobalMaxPool: [N,C,D...] to [N,C,1...].
var DefGlobalMaxPool = graph.Def{
	Name: "GlobalMaxPool", Since: 22, Doc: "Largest value over all positions.", MinIn: 1, MaxIn: 1,
	Infer: inferGlobalPool, FLOPs: flopsInput, Body: bodyGlobalMaxPool{},
}

// PoolOptions are the settings of the pools.
type PoolOptions struct {
	Kernel          []int  // one size per spatial dimension
	Strides         []int  // nil: 1
	Pads            []int  // begins of all spatial dimensions, then ends; nil: 0
	Dilations       []int  // nil: 1
	AutoPad         string // "SAME_UPPER", "SAME_LOWER", "VALID"; "": Pads
	CeilMode        bool   // round the output size up
	CountIncludePad bool   // averages: padding counts as zeros
}

func (o *PoolOptions) attrs() []graph.Attr {
	a := []graph.Attr{graph.Ints("kernel_shape", o.Kernel...)}
	if o.AutoPad != "" && o.AutoPad != "NOTSET" {
		a = append(a, graph.Str("auto_pad", o.AutoPad))
	}
	if o.CeilMode {
		a = append(a, graph.Int("ceil_mode", 1))
	}
	if o.CountIncludePad {
		a = append(a, graph.Int("count_include_pad", 1))
	}
	if o.Dilations != nil {
		a = append(a, graph.Ints("dilations", o.Dilations...))
	}
	if o.Pads != nil {
		a = append(a, graph.Ints("pads", o.Pads...))
	}
	if o.Strides != nil {
		a = append(a, graph.Ints("strides", o.Strides...))
	}
	return a
}

// MaxPool adds the largest values of the windows of x[N,C,D...].
func MaxPool(x *graph.Value, o PoolOptions) *graph.Value {
	return x.G.Add(&DefMaxPool, o.attrs(), x)
}

// MaxPoolIndices is MaxPool with where in the flattened x the maxima are, as int64.
func MaxPoolIndices(x *graph.Value, o PoolOptions) (y, indices *graph.Value) {
	out := x.G.AddN(&DefMaxPool, "", 2, o.attrs(), x)
	return out[0], out[1]
}

// AveragePool adds the means of the windows of x[N,C,D...].
func AveragePool(x *graph.Value, o PoolOptions) *graph.Value {
	return x.G.Add(&DefAveragePool, o.attrs(), x)
}

// GlobalAveragePool adds the mean over all positions of x[N,C,D...] as [N,C,1...].
func GlobalAveragePool(x *graph.Value) *graph.Value { return unary(&DefGlobalAveragePool, x) }

// GlobalMaxPool adds the largest value over all positions of x[N,C,D...] as [N,C,1...].
func GlobalMaxPool(x *graph.Value) *graph.Value { return unary(&DefGlobalMaxPool, x) }

// checkPool validates the input of a pool and returns the geometry and the output shape.
func checkPool(n *graph.Node, x []int, fail failFunc) (*window, []int) {
	if len(x) < 3 {
		fail("needs an input [N C D...] of at least 3 dimensions")
	}
	kernel := n.Ints("kernel_shape")
	if len(kernel) != len(x)-2 {
		fail("attribute \"kernel_shape\" has ", len(kernel), " entries for ", len(x)-2, " spatial dimensions")
	}
	for _, k := range kernel {
		if k < 1 {
			fail("attribute \"kernel_shape\" has the entry ", k, "; it must be at least 1")
		}
	}
	w := slidingWindow(n, kernel, x[2:], n.Int("ceil_mode") != 0, fail)
	return w, append([]int{x[0], x[1]}, w.out...)
}

func inferMaxPool(c *graph.InferCtx) {
	wantNumeric(c, 0)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		c.SetUnranked(1, tensor.Int64)
		return
	}
	_, y := checkPool(c.Node, x.Shape, c.Fail)
	c.Set(0, x.DType, y)
	c.Set(1, tensor.Int64, y)
}

func inferAveragePool(c *graph.InferCtx) {
	wantFloat(c, 0)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	_, y := checkPool(c.Node, x.Shape, c.Fail)
	c.Set(0, x.DType, y)
}

// inferPoolGrad gives output 0 the shape of x and checks that dy has the pool's.
func inferPoolGrad(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1)
	dy, x := c.In[0], c.In[1]
	if x.HasRank {
		if _, y := checkPool(c.Node, x.Shape, c.Fail); dy.HasRank && !fits(dy.Shape, y) {
			c.Fail("the gradient's shape is not the pool's ", y)
		}
	}
	c.Out[0] = graph.Type{DType: x.DType, Shape: x.Shape, HasRank: x.HasRank}
}

func inferMaxPoolGrad(c *graph.InferCtx)     { inferPoolGrad(c) }
func inferAveragePoolGrad(c *graph.InferCtx) { inferPoolGrad(c) }

func inferMaxPoolGather(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1)
	d, x := c.In[0], c.In[1]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if d.HasRank && !fits(d.Shape, x.Shape) {
		c.Fail("the operands' shapes differ")
	}
	_, y := checkPool(c.Node, x.Shape, c.Fail)
	c.Set(0, x.DType, y)
}

func inferGlobalPool(c *graph.InferCtx) {
	wantFloat(c, 0)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if len(x.Shape) < 3 {
		c.Fail("needs an input [N C D...] of at least 3 dimensions")
	}
	y := append([]int{}, x.Shape...)
	for i := 2; i < len(y); i++ {
		y[i] = 1
	}
	c.Set(0, x.DType, y)
}

// eachWindow calls f for every plane and output position with the offset of the plane in x, the offsets of the window's taps in the
// plane (-1: padding) and the position's index in y.
func eachWindow(win *window, x []int, f func(plane int, taps []int, yi int)) {
	offsets, positions, taps := win.taps()
	in := tensor.Size(x[2:])
	for p := range x[0] * x[1] {
		for o := range positions {
			f(p*in, offsets[o*taps:(o+1)*taps], p*positions+o)
		}
	}
}

// firstMax returns the tap of the first maximum, or of a NaN; -1 for a window of nothing but padding.
func firstMax(xs []float64, plane int, taps []int) int {
	best := -1
	for _, t := range taps {
		if t < 0 {
			continue
		}
		if v := xs[plane+t]; best < 0 || v > xs[plane+best] || v != v {
			best = t
		}
	}
	return best
}

func refMaxPool(c *graph.RefCtx) {
	x := c.In[0]
	win, y := checkPool(c.Node, x.Shape(), c.Fail)
	xs, ys, index := x.Float64s(), make([]float64, tensor.Size(y)), make([]int64, tensor.Size(y))
	eachWindow(win, x.Shape(), func(plane int, taps []int, yi int) {
		ys[yi] = math.Inf(-1)
		if k := firstMax(xs, plane, taps); k >= 0 {
			ys[yi] = xs[plane+k]
			if c.Node.Int("storage_order") != 0 { // column-major within the plane: the last two dimensions trade places
				sh := x.Shape()
				h, w := sh[len(sh)-2], sh[len(sh)-1]
				if len(sh) == 3 {
					h = 1
				}
				hw := h * w
				k = k/hw*hw + k%w*h + k/w%h
			}
			index[yi] = int64(plane + k)
		}
	})
	c.Out[0].SetFloat64s(ys)
	if len(c.Out) > 1 && c.Out[1] != nil {
		c.Out[1].SetInt64s(index)
	}
}

func refMaxPoolGrad(c *graph.RefCtx) {
	dy, x := c.In[0], c.In[1]
	win, _ := checkPool(c.Node, x.Shape(), c.Fail)
	xs, ds, out := x.Float64s(), dy.Float64s(), make([]float64, x.Len())
	eachWindow(win, x.Shape(), func(plane int, taps []int, yi int) {
		if k := firstMax(xs, plane, taps); k >= 0 {
			out[plane+k] += ds[yi]
		}
	})
	c.Out[0].SetFloat64s(out)
}

func refMaxPoolGather(c *graph.RefCtx) {
	d, x := c.In[0], c.In[1]
	win, y := checkPool(c.Node, x.Shape(), c.Fail)
	xs, ds, out := x.Float64s(), d.Float64s(), make([]float64, tensor.Size(y))
	eachWindow(win, x.Shape(), func(plane int, taps []int, yi int) {
		if k := firstMax(xs, plane, taps); k >= 0 {
			out[yi] = ds[plane+k]
		}
	})
	c.Out[0].SetFloat64s(out)
}

// divisors returns for every output position what its sum is divided by: the taps in the image or, with
// count_include_pad, in the padded image.
func divisors(n *graph.Node, win *window) []float64 {
	offsets, positions, taps := win.taps()
	if n.Int("count_include_pad") != 0 {
		padded := *win
		padded.in = make([]int, len(win.in))
		padded.begin = make([]int, len(win.in))
		for i := range win.in {
			padded.in[i] = win.in[i] + win.begin[i] + win.end[i]
		}
		offsets, _, _ = padded.taps()
	}
	out := make([]float64, positions)
	for p := range out {
		for _, o := range offsets[p*taps : (p+1)*taps] {
			if o >= 0 {
				out[p]++
			}
		}
	}
	return out
}

func refAveragePool(c *graph.RefCtx) {
	x := c.In[0]
	win, y := checkPool(c.Node, x.Shape(), c.Fail)
	div := divisors(c.Node, win)
	xs, ys := x.Float64s(), make([]float64, tensor.Size(y))
	eachWindow(win, x.Shape(), func(plane int, taps []int, yi int) {
		for _, t := range taps {
			if t >= 0 {
				ys[yi] += xs[plane+t]
			}
		}
		if d := div[yi%len(div)]; d > 0 {
			ys[yi] /= d
		}
	})
	c.Out[0].SetFloat64s(ys)
}

func refAveragePoolGrad(c *graph.RefCtx) {
	dy, x := c.In[0], c.In[1]
	win, _ := checkPool(c.Node, x.Shape(), c.Fail)
	div := divisors(c.Node, win)
	ds, out := dy.Float64s(), make([]float64, x.Len())
	eachWindow(win, x.Shape(), func(plane int, taps []int, yi int) {
		for _, t := range taps {
			if t >= 0 {
				out[plane+t] += ds[yi] / div[yi%len(div)]
			}
		}
	})
	c.Out[0].SetFloat64s(out)
}

// gradMaxPool: dx = MaxPoolGrad(dy, x).
type gradMaxPool struct{}

func (gradMaxPool) Grad(c *graph.GradCtx) []*graph.Value {
	if c.DY[0] == nil {
		return nil
	}
	return []*graph.Value{c.G.Add(&DefMaxPoolGrad, c.Node.Attrs, c.DY[0], c.In(0))}
}

// gradMaxPoolGrad, which is linear in dy: by dy: MaxPoolGather(d, x); by x: nothing, almost everywhere.
type gradMaxPoolGrad struct{}

func (gradMaxPoolGrad) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefMaxPoolGather, c.Node.Attrs, c.DY[0], c.In(1)), nil}
}

type bodyMaxPoolReluGrad struct{}

func (bodyMaxPoolReluGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ReluGrad(g.Add(&DefMaxPoolGrad, n.Attrs, in...), in[1])}
}

// afterMaxPoolGrad is the rule of ReluGrad behind MaxPoolGrad: both read the activation's output.
type afterMaxPoolGrad struct{}

func (afterMaxPoolGrad) After(n, p *graph.Node, act graph.Act) (*graph.Def, []graph.Attr, bool) {
	if p.Def != &DefMaxPoolGrad || act != (graph.Act{}) || n.Inputs[1] != p.Inputs[1] || n.Inputs[1].DType != tensor.Float32 {
		return nil, nil, false
	}
	return &DefMaxPoolReluGrad, p.Attrs, true
}

// gradMaxPoolGather is the transpose again: MaxPoolGrad.
type gradMaxPoolGather struct{}

func (gradMaxPoolGather) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefMaxPoolGrad, c.Node.Attrs, c.DY[0], c.In(1)), nil}
}

// gradAveragePool: dx = AveragePoolGrad(dy, x).
type gradAveragePool struct{}

func (gradAveragePool) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefAveragePoolGrad, c.Node.Attrs, c.DY[0], c.In(0))}
}

// gradAveragePoolGrad: the pool is linear, so by dy it is the pool itself.
type gradAveragePoolGrad struct{}

func (gradAveragePoolGrad) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefAveragePool, c.Node.Attrs, c.DY[0]), nil}
}

// positions returns the axes of the spatial dimensions.
func positions(x *graph.Value) []int {
	if !x.HasRank {
		tensor.Fail("GlobalPool", "the rank of the input must be known")
	}
	var axes []int
	for i := 2; i < len(x.Shape); i++ {
		axes = append(axes, i)
	}
	return axes
}

type bodyGlobalAveragePool struct{}

func (bodyGlobalAveragePool) Body(_ *graph.Graph, _ *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ReduceMean(in[0], positions(in[0]), true)}
}

type bodyGlobalMaxPool struct{}

func (bodyGlobalMaxPool) Body(_ *graph.Graph, _ *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ReduceMax(in[0], positions(in[0]), true)}
}
