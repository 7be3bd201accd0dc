package op

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

var padAttrs = []graph.AttrDef{{Name: "mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "constant"}}}

// DefPad is ONNX's Pad: pads holds the begins of all axes (or of those given), then the ends; negative ones crop.
// Modes: constant, reflect (without repeating the edge), edge, wrap.
var DefPad = graph.Def{
	Name: "Pad", Since: 25, Doc: "Extends every axis at both ends.", MinIn: 2, MaxIn: 4, HostInputs: []int{1, 3}, Attrs: padAttrs,
	Infer: inferPad, Ref: refPad, Grad: gradPad{}, Lower: lowerPad, Same: alwaysSame, Upgrade: upgradePad, Last: lastPad{},
}

// DefPadGrad is weft.PadGrad(dy, x, pads, axes): dy summed over the copies that Pad made of each element of x, of which only the
// shape is used.
var DefPadGrad = graph.Def{
	Domain: "weft", Name: "PadGrad", Since: 1, Doc: "Gradient of Pad.", MinIn: 3, MaxIn: 4, ShapeOnly: []int{1}, HostInputs: []int{2, 3}, Attrs: padAttrs,
	Infer: inferPadGrad, Ref: refPadGrad, Grad: gradPadGrad{}, Lower: lowerPadGrad,
}

// PadOptions are the settings of [Pad]. The zero value pads all axes with zeros.
type PadOptions struct {
	Mode  string       // "constant" (also ""), "reflect", "edge", "wrap"
	Value *graph.Value // what constant mode pads with, one element; nil: 0
	Axes  []int        // nil: all
}

// Pad extends x: pads holds how much at the begin of every axis, then at the ends; negative ones crop.
func Pad(x *graph.Value, pads []int, o PadOptions) *graph.Value {
	var a []graph.Attr
	if o.Mode != "" && o.Mode != "constant" {
		a = append(a, graph.Str("mode", o.Mode))
	}
	in := []*graph.Value{x, ConstInts(x.G, pads...)}
	if o.Value != nil || o.Axes != nil {
		in = append(in, o.Value)
	}
	if o.Axes != nil {
		in = append(in, ConstInts(x.G, o.Axes...))
	}
	return x.G.Add(&DefPad, a, in...)
}

// upgradePad: before opset 11 pads (in opset 1 "paddings") and the value were attributes.
func upgradePad(c *graph.UpgradeCtx) {
	for _, name := range []string{"pads", "paddings"} {
		attrToInput(c, name, 1)
	}
	if v := c.Attr("value"); v != nil {
		for len(c.Inputs) < 3 {
			c.Inputs = append(c.Inputs, nil)
		}
		t := tensor.Scalar(v.F)
		if len(c.Inputs) > 0 && c.Inputs[0] != nil && c.Inputs[0].DType != tensor.Float32 {
			t = tensor.New(c.Inputs[0].DType)
			t.SetFloat64s([]float64{float64(v.F)})
		}
		c.Inputs[2] = c.G.Const(t)
		c.Remove("value")
	}
}

// padPlan is the padding of every axis.
type padPlan struct {
	mode       padMode
	begin, end []int
}

type padMode uint8

const (
	padConstant padMode = iota
	padReflect
	padEdge
	padWrap
)

func padModeOf(n *graph.Node, fail failFunc) padMode {
	switch m := n.Str("mode"); m {
	case "constant":
		return padConstant
	case "reflect":
		return padReflect
	case "edge":
		return padEdge
	case "wrap":
		return padWrap
	default:
		fail(attrName("mode"), " is ", strconv.Quote(m), "; it can be constant, reflect, edge or wrap")
	}
	return 0
}

func planPad(n *graph.Node, shape, pads, axes []int, fail failFunc) padPlan {
	r := len(shape)
	p := padPlan{mode: padModeOf(n, fail), begin: make([]int, r), end: make([]int, r)}
	if axes == nil {
		for i := range r {
			axes = append(axes, i)
		}
	}
	if len(pads) != 2*len(axes) {
		fail(len(pads), " pads for ", len(axes), " axes; each needs two")
	}
	for i, a := range normAxes(axes, r, fail) {
		p.begin[a], p.end[a] = pads[i], pads[len(axes)+i]
		if max(p.begin[a], p.end[a]) > math.MaxInt32 || min(p.begin[a], p.end[a]) < -math.MaxInt32 {
			fail("the pads of axis ", a, " are out of range")
		}
		d := shape[a]
		if d >= 0 && d+p.begin[a]+p.end[a] < 0 {
			fail("the pads ", pads, " remove more than axis ", a, " has")
		}
		if d == 0 && p.mode != padConstant && d+p.begin[a]+p.end[a] > 0 {
			fail("axis ", a, " has no elements to pad with")
		}
	}
	return p
}

func (p *padPlan) shape(x []int) []int {
	out := make([]int, len(x))
	for i, d := range x {
		switch {
		case d >= 0:
			out[i] = d + p.begin[i] + p.end[i]
		case p.begin[i] == -p.end[i]:
			out[i] = d
		default:
			out[i] = graph.Unknown
		}
	}
	return out
}

// padSource returns the position on an axis of size n that position i (which may lie outside) shows; -1: the constant.
func padSource(mode padMode, i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	switch mode {
	case padEdge:
		return min(max(i, 0), n-1)
	case padWrap:
		return ((i % n) + n) % n
	case padReflect:
		if n == 1 {
			return 0
		}
		period := 2 * (n - 1)
		i = ((i % period) + period) % period
		return min(i, period-i)
	}
	return -1
}

// each calls f for every output element with the input element it shows, -1 for the constant.
func (p *padPlan) each(x, y []int, f func(yi, xi int)) {
	st, index := tensor.Strides(x), make([]int, len(y))
	for yi := range tensor.Size(y) {
		xi := 0
		for a, i := range index {
			s := padSource(p.mode, i-p.begin[a], x[a])
			if s < 0 {
				xi = -1
				break
			}
			xi += s * st[a]
		}
		f(yi, xi)
		next(index, y)
	}
}

func inferPad(c *graph.InferCtx) {
	x := c.In[0]
	wantSameType(c, 0, 2)
	wantScalar(c, 2)
	pads, k1 := inferInts(c, 1)
	axes, k2 := inferInts(c, 3)
	padModeOf(c.Node, c.Fail)
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	if !k1 || !k2 {
		c.Set(0, x.DType, unknownShape(len(x.Shape)))
		return
	}
	p := planPad(c.Node, x.Shape, pads, axes, c.Fail)
	c.Set(0, x.DType, p.shape(x.Shape))
}

func refPad(c *graph.RefCtx) {
	x := c.In[0]
	p := planPad(c.Node, x.Shape(), refInts(c, 1), refInts(c, 3), c.Fail)
	value := tensor.New(x.DType(), 1)
	if c.Has(2) {
		value = c.In[2]
	}
	d, s, v := cellsOf(c.Out[0]), cellsOf(x), cellsOf(value)
	p.each(x.Shape(), c.Out[0].Shape(), func(yi, xi int) {
		if xi < 0 {
			d.set(yi, v, 0)
		} else {
			d.set(yi, s, xi)
		}
	})
}

// gradPad: dx is dy without the padding (plus, in the other modes, dy at the copies); the constant
// gets the sum of dy over the padding.
type gradPad struct{}

func (gradPad) Grad(c *graph.GradCtx) []*graph.Value {
	dy, in := c.DY[0], []*graph.Value{c.DY[0], c.In(0), c.In(1)}
	if c.In(3) != nil {
		in = append(in, c.In(3))
	}
	out := []*graph.Value{c.G.Add(&DefPadGrad, c.Node.Attrs, in...), nil, nil, nil}
	if v := c.In(2); v != nil && v.DType.IsFloat() && c.Node.Str("mode") == "constant" {
		out[2] = ReshapeLike(Sub(sumAll(dy), sumAll(out[0])), v)
	}
	return out[:max(len(c.Node.Inputs), 2)]
}

// sumAll returns the sum of all elements.
func sumAll(x *graph.Value) *graph.Value { return ReduceSum(x, nil, false) }

func inferPadGrad(c *graph.InferCtx) {
	wantFloat(c, 0)
	x := c.In[1]
	wantSameType(c, 0, 1)
	pads, k1 := inferInts(c, 2)
	axes, k2 := inferInts(c, 3)
	if x.HasRank && k1 && k2 {
		p := planPad(c.Node, x.Shape, pads, axes, c.Fail)
		if y := p.shape(x.Shape); c.In[0].HasRank && !fits(c.In[0].Shape, y) {
			c.Fail("the gradient's shape is not the padded shape ", y)
		}
	}
	setLike(c, 0, x.DType, x)
}

func refPadGrad(c *graph.RefCtx) {
	dy, x := c.In[0], c.In[1]
	p := planPad(c.Node, x.Shape(), refInts(c, 2), refInts(c, 3), c.Fail)
	ds, xs := dy.Float64s(), make([]float64, x.Len())
	p.each(x.Shape(), dy.Shape(), func(yi, xi int) {
		if xi >= 0 {
			xs[xi] += ds[yi]
		}
	})
	c.Out[0].SetFloat64s(xs)
}

// gradPadGrad: by dy it is Pad with zeros for the constant.
type gradPadGrad struct{}

func (gradPadGrad) Grad(c *graph.GradCtx) []*graph.Value {
	in := []*graph.Value{c.DY[0], c.In(2)}
	if c.In(3) != nil {
		in = append(in, nil, c.In(3))
	}
	return []*graph.Value{c.G.Add(&DefPad, c.Node.Attrs, in...)}
}
