package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Operators that follow the shape of another tensor. Gradient rules use them because the batch
// dimension is a symbol while the graph is built. The typed functions add no node where the shapes certainly agree.

// DefSumTo is weft.SumTo(x, like): x summed along the dimensions in which like was broadcast to x's shape.
var DefSumTo = graph.Def{
	Domain: "weft", Name: "SumTo", MinIn: 2, MaxIn: 2, Doc: "sum x down to the shape of like", ShapeOnly: []int{1},
	Infer: inferSumTo, FLOPs: flopsInput, Ref: refSumTo, Grad: gradSumTo{}, Body: bodySumTo{},
	Lower: lowerSumTo, Same: alwaysSame,
}

func inferSumTo(c *graph.InferCtx) {
	wantNumeric(c, 0)
	x, like := c.In[0], c.In[1]
	if x.HasRank && like.HasRank {
		b, ok := broadcastShapes(x.Shape, like.Shape)
		if !ok || len(b) != len(x.Shape) {
			c.Fail("the second shape does not broadcast to the first")
		}
		for i, d := range b {
			if x.Shape[i] == 1 && d > 1 {
				c.Fail("the second shape does not broadcast to the first")
			}
		}
	}
	setLike(c, 0, x.DType, like)
}

// sumToMask returns which dimensions of x SumTo reduces.
func sumToMask(x, like []int) []bool {
	mask := make([]bool, len(x))
	for i := range x {
		k := i - len(x) + len(like)
		mask[i] = k < 0 || like[k] == 1 && x[i] != 1
	}
	return mask
}

func refSumTo(c *graph.RefCtx) {
	x, shape := c.In[0], c.In[0].Shape()
	mask := sumToMask(shape, c.In[1].Shape())
	if x.DType().IsInt() {
		v, out := x.Int64sOf(), make([]int64, c.Out[0].Len())
		eachReduced(shape, mask, func(i, o int) { out[o] += v[i] })
		c.Out[0].SetInt64s(out)
		return
	}
	v, out := x.Float64s(), make([]float64, c.Out[0].Len())
	eachReduced(shape, mask, func(i, o int) { out[o] += v[i] })
	c.Out[0].SetFloat64s(out)
}

// The gradient broadcasts back.
type gradSumTo struct{}

func (gradSumTo) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ExpandLike(c.DY[0], c.In(0)), nil}
}

type bodySumTo struct{}

func (bodySumTo) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, like := in[0], in[1]
	if !x.HasRank || !like.HasRank {
		tensor.Fail(n.Describe(), "ranks must be known to express it by ONNX operators")
	}
	var lead, ones []int
	for i, d := range x.Shape {
		k := i - len(x.Shape) + len(like.Shape)
		switch {
		case k < 0:
			lead = append(lead, i)
		case like.Shape[k] == 1 && d != 1:
			ones = append(ones, k)
		case like.Shape[k] != d && d != graph.Unknown || d == graph.Unknown && like.Shape[k] < 0:
			if like.Shape[k] != d {
				panic(&tensor.Error{Op: n.Describe(), Msg: "which dimensions are summed is not known before the shapes are", Shapes: [][]int{x.Shape, like.Shape}})
			}
		}
	}
	if lead != nil {
		x = ReduceSum(x, lead, false)
	}
	if ones != nil {
		x = ReduceSum(x, ones, true)
	}
	return []*graph.Value{x}
}

// SumTo returns x summed down to the shape of like, undoing a broadcast from it.
func SumTo(x, like *graph.Value) *graph.Value {
	if equalShapes(x, like) {
		return x
	}
	return binary(&DefSumTo, x, like)
}

// DefExpandLike is weft.ExpandLike(x, like): x broadcast to the shape of like.
var DefExpandLike = graph.Def{
	Domain: "weft", Name: "ExpandLike", MinIn: 2, MaxIn: 2, Doc: "broadcast x to the shape of like", ShapeOnly: []int{1}, Repeats: true,
	Infer: inferExpandLike, Ref: refExpandLike, Grad: gradExpandLike{}, Body: bodyExpandLike{},
}

func inferExpandLike(c *graph.InferCtx) {
	x, like := c.In[0], c.In[1]
	if x.HasRank && like.HasRank {
		if b, ok := broadcastShapes(x.Shape, like.Shape); !ok || len(b) != len(like.Shape) {
			c.Fail("the first shape does not broadcast to the second")
		}
	}
	setLike(c, 0, x.DType, like)
}

func refExpandLike(c *graph.RefCtx) { tensor.CopyTo(c.Out[0], c.In[0].Expand(c.Out[0].Shape()...)) }

// dx = dy summed back.
type gradExpandLike struct{}

func (gradExpandLike) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SumTo(c.DY[0], c.In(0)), nil}
}

type bodyExpandLike struct{}

func (bodyExpandLike) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ExpandTo(in[0], Shape(in[1]))}
}

// ExpandLike returns x broadcast to the shape of like.
func ExpandLike(x, like *graph.Value) *graph.Value {
	if equalShapes(x, like) {
		return x
	}
	return binary(&DefExpandLike, x, like)
}

// DefReshapeLike is weft.ReshapeLike(x, like): the elements of x in the shape of like.
var DefReshapeLike = graph.Def{
	Domain: "weft", Name: "ReshapeLike", MinIn: 2, MaxIn: 2, Doc: "the elements of x in the shape of like", ShapeOnly: []int{1}, View: true,
	Infer: inferReshapeLike, Grad: gradReshapeLike{}, Body: bodyReshapeLike{},
	Ref: func(c *graph.RefCtx) { c.Out[0] = c.In[0].Reshape(c.In[1].Shape()...) },
}

func inferReshapeLike(c *graph.InferCtx) {
	x, like := c.In[0], c.In[1]
	if x.HasRank && like.HasRank {
		nx, ok := tensor.CheckedSize(x.Shape)
		nl, ok2 := tensor.CheckedSize(like.Shape)
		if ok && ok2 && nx != nl {
			c.Fail("element counts differ")
		}
	}
	setLike(c, 0, x.DType, like)
}

type gradReshapeLike struct{}

func (gradReshapeLike) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{ReshapeLike(c.DY[0], c.In(0)), nil}
}

type bodyReshapeLike struct{}

func (bodyReshapeLike) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{ReshapeTo(in[0], Shape(in[1]))}
}

// ReshapeLike returns the elements of x in the shape of like, which has as many.
func ReshapeLike(x, like *graph.Value) *graph.Value {
	if equalShapes(x, like) {
		return x
	}
	return binary(&DefReshapeLike, x, like)
}

// countPer returns how many elements of x go to one element of part, a tensor that broadcasts to x, as a
// floating-point scalar computed from the shapes at run time.
func countPer(part, x *graph.Value) *graph.Value {
	return Div(sizeOf(x, part), sizeOf(part, part))
}

func sizeOf(x, like *graph.Value) *graph.Value { return Cast(Size(x), like.DType) }
