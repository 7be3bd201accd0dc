package op

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

var resizeAttrs = []graph.AttrDef{
	{Name: "antialias", Kind: graph.AttrInt}, {Name: "axes", Kind: graph.AttrInts},
	{Name: "coordinate_transformation_mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "half_pixel"}},
	{Name: "cubic_coeff_a", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: -0.75}},
	{Name: "exclude_outside", Kind: graph.AttrInt}, {Name: "extrapolation_value", Kind: graph.AttrFloat},
	{Name: "keep_aspect_ratio_policy", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "stretch"}},
	{Name: "mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "nearest"}},
	{Name: "nearest_mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "round_prefer_floor"}},
}

// DefResize is ONNX's Resize(x, roi, scales, sizes): interpolation along every axis, nearest, linear or cubic.
//
//weft:full
var DefResize = graph.Def{
	Name: "Resize", Since: 19, Doc: "Resizes by interpolation.", Attrs: resizeAttrs, MinIn: 1, MaxIn: 4, HostInputs: []int{1, 2, 3},
	Infer: inferResize, FLOPs: flopsOutput, Ref: refResize, Grad: gradResize{}, Lower: lowerResize, Upgrade: upgradeResize, Last: lastResize{},
}

// DefResizeGrad is weft.ResizeGrad(dy, x, roi, scales, sizes): Resize is linear in x, and this is its transpose. Only x's shape is used.
//
//weft:full
var DefResizeGrad = graph.Def{
	Domain: "weft", Name: "ResizeGrad", Since: 1, Doc: "Gradient of Resize.", Attrs: resizeAttrs, MinIn: 2, MaxIn: 5, ShapeOnly: []int{1}, HostInputs: []int{2, 3, 4},
	Infer: inferResizeGrad, FLOPs: flopsOutput, Ref: refResizeGrad, Grad: gradResizeGrad{},
}

// DefUpsample is ONNX's Upsample of opsets 7 to 9, which became Resize.
//
//weft:full
var DefUpsample = graph.Def{
	Name: "Upsample", Since: 10, Doc: "Enlarges by interpolation (now Resize).", MinIn: 2, MaxIn: 2, HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "nearest"}}},
	Infer: inferUpsample, FLOPs: flopsOutput, Body: bodyUpsample{}, Upgrade: upgradeUpsample,
}

// ResizeOptions are the settings of [Resize]; its zero value is ONNX's default.
type ResizeOptions struct {
	Scales []float32 // one per axis; or
	Sizes  []int     // the size of every axis
	Axes   []int     // the axes that Scales or Sizes are for; nil: all
	Mode   string    // "nearest" (also ""), "linear", "cubic"
	Coord  string    // coordinate_transformation_mode; "": "half_pixel"
	Near   string    // nearest_mode; "": "round_prefer_floor"

	Antialias bool
}

// Resize resizes x by interpolation along every axis.
func Resize(x *graph.Value, o ResizeOptions) *graph.Value {
	var a []graph.Attr
	for _, s := range [][2]string{{"mode", o.Mode}, {"coordinate_transformation_mode", o.Coord}, {"nearest_mode", o.Near}} {
		if s[1] != "" {
			a = append(a, graph.Str(s[0], s[1]))
		}
	}
	if o.Axes != nil {
		a = append(a, graph.Ints("axes", o.Axes...))
	}
	if o.Antialias {
		a = append(a, graph.Int("antialias", 1))
	}
	in := []*graph.Value{x, nil}
	if o.Scales != nil {
		in = append(in, x.G.Const(tensor.From(o.Scales, len(o.Scales))))
	} else {
		in = append(in, nil, ConstInts(x.G, o.Sizes...))
	}
	return x.G.Add(&DefResize, a, in...)
}

// upgradeResize: opset 10 had the scales as second input and no choice of coordinates.
func upgradeResize(c *graph.UpgradeCtx) {
	if c.Version >= 11 || len(c.Inputs) != 2 {
		return
	}
	c.Inputs = []*graph.Value{c.Inputs[0], nil, c.Inputs[1]}
	c.Attrs = append(c.Attrs, graph.Str("coordinate_transformation_mode", "asymmetric"), graph.Str("nearest_mode", "floor"))
}

// upgradeUpsample: before opset 9 the scales were an attribute.
func upgradeUpsample(c *graph.UpgradeCtx) {
	if a := c.Attr("scales"); a != nil {
		c.Inputs = append(c.Inputs, c.G.Const(tensor.From(append([]float32{}, a.Floats...), len(a.Floats))))
		c.Remove("scales")
	}
}

type bodyUpsample struct{}

func (bodyUpsample) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	mode := n.Str("mode")
	if mode == "bilinear" {
		mode = "linear"
	}
	return []*graph.Value{g.Add(&DefResize, []graph.Attr{graph.Str("mode", mode), graph.Str("coordinate_transformation_mode", "asymmetric"), graph.Str("nearest_mode", "floor")},
		in[0], nil, in[1])}
}

func inferUpsample(c *graph.InferCtx) {
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	out := unknownShape(len(x.Shape))
	if s := c.In[1].Const; s != nil {
		if s.Len() != len(out) {
			c.Fail(s.Len(), " scales for a tensor of rank ", len(out))
		}
		for i, v := range s.Float64s() {
			out[i] = scaledSize(x.Shape[i], v, c.Fail)
		}
	}
	c.Set(0, x.DType, out)
}

// scaledSize returns floor(d*scale).
func scaledSize(d int, scale float64, fail failFunc) int {
	if !(scale > 0) || scale > 1<<24 {
		fail("a scale is ", scale, "; it must be positive")
	}
	if d < 0 {
		if scale == 1 {
			return d
		}
		return graph.Unknown
	}
	return int(math.Floor(float64(d) * scale))
}

// resizeAxis is the resizing of one axis; scale is the output's size over the input's, not always exactly.
type resizeAxis struct {
	in, out    int
	scale      float64
	start, end float64 // region of interest, as fractions
}

// resizeAxes works out what happens to every axis. scales, sizes and roi are nil when they are not given.
func resizeAxes(n *graph.Node, shape []int, roi, scales, sizes *tensor.Tensor, fail failFunc) []resizeAxis {
	r := make([]resizeAxis, len(shape))
	for i, d := range shape {
		r[i] = resizeAxis{in: d, out: d, scale: 1, end: 1}
	}
	axes := n.Ints("axes")
	if axes == nil {
		for i := range shape {
			axes = append(axes, i)
		}
	}
	axes = normAxes(axes, len(shape), fail)
	given := func(t *tensor.Tensor) bool { return t != nil && t.Len() > 0 }
	if given(scales) == given(sizes) {
		fail("needs either scales or sizes")
	}
	if given(scales) {
		if scales.Len() != len(axes) {
			fail(scales.Len(), " scales for ", len(axes), " axes")
		}
		for i, s := range scales.Float64s() {
			a := &r[axes[i]]
			a.scale, a.out = s, scaledSize(a.in, s, fail)
		}
	} else {
		size := intsOf(sizes)
		if len(size) != len(axes) {
			fail(len(size), " sizes for ", len(axes), " axes")
		}
		common := 0.0
		policy := n.Str("keep_aspect_ratio_policy")
		for i, s := range size {
			a := &r[axes[i]]
			if s < 0 || s > math.MaxInt32 {
				fail("the size ", s, " is out of range")
			}
			a.out = s
			if a.in > 0 {
				a.scale = float64(s) / float64(a.in)
			}
			if i == 0 || policy == "not_larger" && a.scale < common || policy == "not_smaller" && a.scale > common {
				common = a.scale
			}
		}
		switch policy {
		case "stretch":
		case "not_larger", "not_smaller":
			for _, k := range axes {
				if a := &r[k]; a.in >= 0 {
					a.scale, a.out = common, int(math.Floor(common*float64(a.in)+0.5))
				}
			}
		default:
			fail(attrName("keep_aspect_ratio_policy"), " is ", strconv.Quote(policy), "; it can be stretch, not_larger or not_smaller")
		}
	}
	if n.Str("coordinate_transformation_mode") == "tf_crop_and_resize" {
		if !given(roi) || roi.Len() != 2*len(axes) {
			fail("the region of interest needs a start and an end for each of ", len(axes), " axes")
		}
		v := roi.Float64s()
		for i, k := range axes {
			r[k].start, r[k].end = v[i], v[len(axes)+i]
		}
	}
	return r
}

func inferResize(c *graph.InferCtx) {
	wantNumeric(c, 0)
	checkResizeModes(c.Node, c.Fail)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	t := func(i int) *tensor.Tensor {
		if c.Has(i) {
			return c.In[i].Const
		}
		return nil
	}
	for i := 1; i < 4; i++ {
		if c.Has(i) && t(i) == nil && !(i == 1 && c.Node.Str("coordinate_transformation_mode") != "tf_crop_and_resize") {
			c.Set(0, x.DType, unknownShape(len(x.Shape)))
			return
		}
	}
	out := make([]int, len(x.Shape))
	for i, a := range resizeAxes(c.Node, x.Shape, t(1), t(2), t(3), c.Fail) {
		if out[i] = a.out; a.in == 0 && a.out > 0 {
			c.Fail("axis ", i, " has no elements to interpolate")
		}
	}
	c.Set(0, x.DType, out)
}

func checkResizeModes(n *graph.Node, fail failFunc) {
	switch m := n.Str("mode"); m {
	case "nearest", "linear", "cubic":
	default:
		fail(attrName("mode"), " is ", strconv.Quote(m), "; it can be nearest, linear or cubic")
	}
	switch m := n.Str("coordinate_transformation_mode"); m {
	case "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize":
	default:
		fail(attrName("coordinate_transformation_mode"), " is ", strconv.Quote(m), ", which ONNX does not define")
	}
	switch m := n.Str("nearest_mode"); m {
	case "round_prefer_floor", "round_prefer_ceil", "floor", "ceil":
	default:
		fail(attrName("nearest_mode"), " is ", strconv.Quote(m), "; it can be round_prefer_floor, round_prefer_ceil, floor or ceil")
	}
}

// inputAt returns input i or nil.
func inputAt(c *graph.RefCtx, i int) *tensor.Tensor {
	if c.Has(i) {
		return c.In[i]
	}
	return nil
}

func refResize(c *graph.RefCtx) {
	x := c.In[0]
	axes := resizeAxes(c.Node, x.Shape(), inputAt(c, 1), inputAt(c, 2), inputAt(c, 3), c.Fail)
	v, shape := x.Float64s(), append([]int{}, x.Shape()...)
	var out [][]bool
	for i := range axes {
		taps, outside := axes[i].taps(c.Node)
		v = along(v, shape, i, taps, false)
		shape[i] = axes[i].out
		out = append(out, outside)
	}
	eachOutside(shape, out, func(k int) { v[k] = float64(c.Node.Float("extrapolation_value")) })
	if x.DType().IsInt() {
		for i := range v {
			v[i] = math.RoundToEven(v[i])
		}
	}
	if c.Out[0] == nil {
		c.Out[0] = tensor.New(x.DType(), shape...)
	}
	c.Out[0].SetFloat64s(v)
}

// eachOutside calls f for every element of which some axis's position is outside.
func eachOutside(shape []int, outside [][]bool, f func(k int)) {
	index := make([]int, len(shape))
	for k := range tensor.Size(shape) {
		for a, i := range index {
			if outside[a][i] {
				f(k)
				break
			}
		}
		next(index, shape)
	}
}

// lowerResize has a copy for nearest interpolation that repeats every element; other forms run as the reference.
func lowerResize(b graph.Builder, n *graph.Node) bool {
	host := func(i int) *tensor.Tensor {
		if i < b.NumIn() {
			return b.InConst(i)
		}
		return nil
	}
	if n.Str("mode") != "nearest" || n.Str("coordinate_transformation_mode") == "tf_crop_and_resize" || host(2) == nil && host(3) == nil {
		return false
	}
	m := &move{}
	axes := resizeAxes(n, b.InShape(0), host(1), host(2), host(3), failOf(n))
	sx, sy := tensor.Strides(b.InShape(0)), tensor.Strides(b.OutShape(0))
	for i := range axes {
		a := &axes[i]
		if a.in == 0 || a.out%a.in != 0 {
			return false
		}
		r := a.out / a.in
		taps, _ := a.taps(n)
		for k, t := range taps {
			if t[0].at != k/r {
				return false
			}
		}
		m.dims = append(m.dims, a.in, r)
		m.ds = append(m.ds, r*sy[i], sy[i])
		m.ss = append(m.ss, sx[i], 0)
	}
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), m)
}

// gradResize: dx is the transpose applied to dy.
type gradResize struct{}

func (gradResize) Grad(c *graph.GradCtx) []*graph.Value {
	in := append([]*graph.Value{c.DY[0], c.In(0)}, c.Node.Inputs[1:]...)
	return []*graph.Value{c.G.Add(&DefResizeGrad, c.Node.Attrs, in...)}
}

func inferResizeGrad(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantSameType(c, 0, 1)
	setLike(c, 0, c.In[1].DType, c.In[1])
}

func refResizeGrad(c *graph.RefCtx) {
	x := c.In[1].Shape()
	axes := resizeAxes(c.Node, x, inputAt(c, 2), inputAt(c, 3), inputAt(c, 4), c.Fail)
	v, shape := c.In[0].Float64s(), append([]int{}, c.In[0].Shape()...)
	taps, out := make([][][]tap, len(axes)), make([][]bool, len(axes))
	for i := range axes {
		taps[i], out[i] = axes[i].taps(c.Node)
	}
	eachOutside(shape, out, func(k int) { v[k] = 0 })
	for i := len(axes) - 1; i >= 0; i-- {
		shape[i] = x[i]
		v = along(v, shape, i, taps[i], true)
	}
	c.Out[0].SetFloat64s(v)
}

// gradResizeGrad: by dy it is Resize, with nothing outside.
type gradResizeGrad struct{}

func (gradResizeGrad) Grad(c *graph.GradCtx) []*graph.Value {
	var a []graph.Attr
	for _, x := range c.Node.Attrs {
		if x.Name != "extrapolation_value" {
			a = append(a, x)
		}
	}
	in := append([]*graph.Value{c.DY[0]}, c.Node.Inputs[2:]...)
	return []*graph.Value{c.G.Add(&DefResize, a, in...)}
}
