package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

func inferSoftmax(c *graph.InferCtx) {
	wantFloat(c, 0)
	if c.In[0].HasRank {
		axisOf(c, c.Node.Int("axis"), len(c.In[0].Shape))
	}
	inferSame(c)
}

// upgradeSoftmax brings Softmax and its like from before opset 13: they worked on the matrix that flattening at the axis,
// 1 by default, gives. Along the last dimension that is the same.
func upgradeSoftmax(c *graph.UpgradeCtx) {
	if c.Version >= 13 || len(c.Inputs) == 0 || c.Inputs[0] == nil {
		return
	}
	axis := 1
	if a := c.Attr("axis"); a != nil {
		axis = int(a.I)
	}
	c.Remove("axis")
	x := c.Inputs[0]
	if axis == -1 || x.HasRank && axis == len(x.Shape)-1 {
		c.Attrs = append(c.Attrs, graph.Int("axis", -1))
		return
	}
	flat := c.G.Add(c.Def("Flatten"), []graph.Attr{graph.Int("axis", axis)}, x)
	y := c.G.Add(c.Self, []graph.Attr{graph.Int("axis", 1)}, flat)
	c.Outputs = []*graph.Value{c.G.Add(c.Def("Reshape"), nil, y, c.G.Add(c.Def("Shape"), nil, x))}
}

// eachRow calls f with the elements of x along the axis, which it may change, for every position of the other dimensions.
func eachRow(x []float64, shape []int, axis int, f func(row []float64)) {
	outer, n, inner := outerInner(shape, axis)
	row := make([]float64, n)
	for o := range outer {
		for i := range inner {
			for j := range row {
				row[j] = x[(o*n+j)*inner+i]
			}
			f(row)
			for j := range row {
				x[(o*n+j)*inner+i] = row[j]
			}
		}
	}
}

// axisAttr returns the node's axis, counted from the front.
func axisAttr(n *graph.Node, rank int) int {
	a, ok := tensor.Axis(n.Int("axis"), rank)
	if !ok {
		tensor.Fail(n.Describe(), "axis ", n.Int("axis"), " is outside a tensor of rank ", rank)
	}
	return a
}

func refRows(c *graph.RefCtx, f func(row []float64)) {
	x := c.In[0].Float64s()
	if len(x) > 0 {
		eachRow(x, c.In[0].Shape(), axisAttr(c.Node, c.In[0].Rank()), f)
	}
	c.Out[0].SetFloat64s(x)
}

// softmaxRow replaces a row by its softmax.
func softmaxRow(row []float64) {
	m, sum := math.Inf(-1), 0.0
	for _, v := range row {
		m = max(m, v)
	}
	for j, v := range row {
		row[j] = math.Exp(v - m)
		sum += row[j]
	}
	for j := range row {
		row[j] /= sum
	}
}

// logSoftmaxRow replaces a row by the logarithm of its softmax.
func logSoftmaxRow(row []float64) {
	m, sum := math.Inf(-1), 0.0
	for _, v := range row {
		m = max(m, v)
	}
	for _, v := range row {
		sum += math.Exp(v - m)
	}
	for j := range row {
		row[j] = row[j] - m - math.Log(sum)
	}
}

// DefSoftmax is ONNX's Softmax along one axis.
var DefSoftmax = graph.Def{
	Name: "Softmax", Since: 13, MinIn: 1, MaxIn: 1, Doc: "e^x / sum(e^x) along an axis", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferSoftmax, FLOPs: flopsInput5, Ref: func(c *graph.RefCtx) { refRows(c, softmaxRow) }, Grad: gradSoftmax{}, Lower: lowerSoftmax, Upgrade: upgradeSoftmax,
}

type gradSoftmax struct{}

func (gradSoftmax) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SoftmaxGrad(c.DY[0], c.Out(0), c.Node.Int("axis"))}
}

// Softmax returns e^x / sum(e^x) along the axis.
func Softmax(x *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefSoftmax, []graph.Attr{graph.Int("axis", axis)}, x)
}

// DefLogSoftmax is ONNX's LogSoftmax along one axis.
var DefLogSoftmax = graph.Def{
	Name: "LogSoftmax", Since: 13, MinIn: 1, MaxIn: 1, Doc: "logarithm of the softmax along an axis", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferSoftmax, FLOPs: flopsInput5, Ref: func(c *graph.RefCtx) { refRows(c, logSoftmaxRow) }, Grad: gradLogSoftmax{}, Lower: lowerSoftmax, Upgrade: upgradeSoftmax,
}

type gradLogSoftmax struct{}

func (gradLogSoftmax) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{LogSoftmaxGrad(c.DY[0], c.Out(0), c.Node.Int("axis"))}
}

// LogSoftmax returns x - log(sum(e^x)) along the axis.
func LogSoftmax(x *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefLogSoftmax, []graph.Attr{graph.Int("axis", axis)}, x)
}

func inferSoftmaxGrad(c *graph.InferCtx) {
	inferLike01(c)
	if c.Out[0].HasRank {
		axisOf(c, c.Node.Int("axis"), len(c.Out[0].Shape))
	}
}

// DefSoftmaxGrad is weft.SoftmaxGrad(dy, y) = y * (dy - sum(dy*y)) along the axis.
var DefSoftmaxGrad = graph.Def{
	Domain: "weft", Name: "SoftmaxGrad", MinIn: 2, MaxIn: 2, Doc: "y * (dy - sum(dy*y))", InPlace: []int{0, 1},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferSoftmaxGrad, FLOPs: flopsInput4, Body: bodySoftmaxGrad{}, Lower: lowerSoftmaxGrad,
}

type bodySoftmaxGrad struct{}

func (bodySoftmaxGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, y := in[0], in[1]
	s := ReduceSum(Mul(dy, y), []int{n.Int("axis")}, true)
	return []*graph.Value{Mul(y, Sub(dy, s))}
}

// SoftmaxGrad returns the gradient of y = Softmax(x) by x.
func SoftmaxGrad(dy, y *graph.Value, axis int) *graph.Value {
	return dy.G.Add(&DefSoftmaxGrad, []graph.Attr{graph.Int("axis", axis)}, dy, y)
}

// DefLogSoftmaxGrad is weft.LogSoftmaxGrad(dy, y) = dy - e^y * sum(dy) along the axis.
var DefLogSoftmaxGrad = graph.Def{
	Domain: "weft", Name: "LogSoftmaxGrad", MinIn: 2, MaxIn: 2, Doc: "dy - e^y * sum(dy)", InPlace: []int{0, 1},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferSoftmaxGrad, FLOPs: flopsInput4, Body: bodyLogSoftmaxGrad{}, Lower: lowerSoftmaxGrad,
}

type bodyLogSoftmaxGrad struct{}

func (bodyLogSoftmaxGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, y := in[0], in[1]
	return []*graph.Value{Sub(dy, Mul(Exp(y), ReduceSum(dy, []int{n.Int("axis")}, true)))}
}

// LogSoftmaxGrad returns the gradient of y = LogSoftmax(x) by x.
func LogSoftmaxGrad(dy, y *graph.Value, axis int) *graph.Value {
	return dy.G.Add(&DefLogSoftmaxGrad, []graph.Attr{graph.Int("axis", axis)}, dy, y)
}

// DefHardmax is ONNX's Hardmax: 1 at the first largest element along the axis, else 0.
//
//weft:full
var DefHardmax = graph.Def{
	Name: "Hardmax", Since: 13, MinIn: 1, MaxIn: 1, Doc: "1 at the first largest element along an axis, else 0", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferSoftmax, FLOPs: flopsOutput, Ref: func(c *graph.RefCtx) { refRows(c, hardmaxRow) }, NoGrad: zeroAlmostEverywhere, Upgrade: upgradeSoftmax,
}

func hardmaxRow(row []float64) {
	k := 0
	for j, v := range row {
		if v > row[k] {
			k = j
		}
	}
	clear(row)
	row[k] = 1
}

// Hardmax returns 1 at the first largest element along the axis, else 0.
func Hardmax(x *graph.Value, axis int) *graph.Value {
	return x.G.Add(&DefHardmax, []graph.Attr{graph.Int("axis", axis)}, x)
}
