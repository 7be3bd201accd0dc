package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

var gatherNDAttrs = []graph.AttrDef{{Name: "batch_dims", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt}}}

// DefGatherND is ONNX's GatherND: the last dimension of the indices holds positions in the dimensions of x behind the batch ones.
//
//weft:full
var DefGatherND = graph.Def{
	Name: "GatherND", Since: 13, Doc: "Picks slices by index vectors.", MinIn: 2, MaxIn: 2, Attrs: gatherNDAttrs,
	Infer: inferGatherND, Ref: refGatherND, Grad: gradGatherND{}, Lower: lowerGatherND,
}

// DefGatherNDGrad is weft.GatherNDGrad(dy, indices, x): dy added up where GatherND took it from, in the order of the indices. Only x's
// shape is used.
//
//weft:full
var DefGatherNDGrad = graph.Def{
	Domain: "weft", Name: "GatherNDGrad", Since: 1, Doc: "Gradient of GatherND.", MinIn: 3, MaxIn: 3, ShapeOnly: []int{2}, Attrs: gatherNDAttrs,
	Infer: inferGatherGrad, Ref: refGatherNDGrad, Grad: gradGatherNDGrad{},
}

// DefScatterND is ONNX's ScatterND: a copy of x in which the slices that index vectors name are replaced by the
// updates or, by the reduction, combined with them in order.
//
//weft:full
var DefScatterND = graph.Def{
	Name: "ScatterND", Since: 18, Doc: "Writes slices by index vectors.", MinIn: 3, MaxIn: 3, Attrs: scatterNDAttrs,
	Infer: inferScatterND, Ref: refScatterND, Grad: gradScatterND{}, Lower: lowerScatterND,
}

var scatterNDAttrs = []graph.AttrDef{{Name: "reduction", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "none"}}}

// GatherND picks the slices of x that the index vectors in the last dimension of indices name.
func GatherND(x, indices *graph.Value, batchDims int) *graph.Value {
	return x.G.Add(&DefGatherND, []graph.Attr{graph.Int("batch_dims", batchDims)}, x, indices)
}

// ScatterND returns x with updates written where the index vectors name; reductions as for [ScatterElements].
func ScatterND(x, indices, updates *graph.Value, reduction string) *graph.Value {
	return x.G.Add(&DefScatterND, reductionAttr(reduction), x, indices, updates)
}

// checkND validates the indices of GatherND and ScatterND and returns the shape of what they name; nil while ranks or
// the length of the index vectors are unknown.
func checkND(n *graph.Node, x, ix []int, fail failFunc) []int {
	b := n.Int("batch_dims")
	if len(ix) < 1 || b < 0 || b >= len(ix) || b > len(x) {
		fail("the indices need a last dimension behind ", b, " batch dimensions")
	}
	for i := range b {
		if _, ok := sameDim(x[i], ix[i]); !ok {
			fail("batch dimension ", i, " differs")
		}
	}
	k := ix[len(ix)-1]
	if k == graph.Unknown || k < 0 {
		return nil
	}
	if k < 1 || b+k > len(x) {
		fail("index vectors of length ", k, " behind ", b, " batch dimensions for a tensor of rank ", len(x))
	}
	return append(append([]int{}, ix[:len(ix)-1]...), x[b+k:]...)
}

func inferGatherND(c *graph.InferCtx) {
	wantIndex(c, 1)
	x, ix := c.In[0], c.In[1]
	if x.HasRank && ix.HasRank {
		if y := checkND(c.Node, x.Shape, ix.Shape, c.Fail); y != nil {
			c.Set(0, x.DType, y)
			return
		}
	}
	c.SetUnranked(0, x.DType)
}

// eachND calls f for every index vector with the number of the vector, the start of its slice in x and the slice's length.
func eachND(x, indices *tensor.Tensor, batch int, fail failFunc, f func(i, xi, run int)) {
	sh, ix := x.Shape(), indices.Shape()
	k := ix[len(ix)-1]
	st, v := tensor.Strides(sh), indices.Int64sOf()
	run := tensor.Size(sh[batch+k:])
	vectors := tensor.Size(ix[:len(ix)-1])
	perBatch := max(tensor.Size(ix[batch:len(ix)-1]), 1)
	block := tensor.Size(sh[batch:])
	for i := range vectors {
		xi := i / perBatch * block
		for j := range k {
			xi += position(v[i*k+j], sh[batch+j], fail) * st[batch+j]
		}
		f(i, xi, run)
	}
}

func refGatherND(c *graph.RefCtx) {
	d, s := cellsOf(c.Out[0]), cellsOf(c.In[0])
	eachND(c.In[0], c.In[1], c.Node.Int("batch_dims"), c.Fail, func(i, xi, run int) {
		for k := range run {
			d.set(i*run+k, s, xi+k)
		}
	})
}

func refGatherNDGrad(c *graph.RefCtx) {
	ds, out := c.In[0].Float64s(), make([]float64, c.In[2].Len())
	eachND(c.In[2], c.In[1], c.Node.Int("batch_dims"), c.Fail, func(i, xi, run int) {
		for k := range run {
			out[xi+k] += ds[i*run+k]
		}
	})
	c.Out[0].SetFloat64s(out)
}

// gradGatherND: dy is added up at the places it came from.
type gradGatherND struct{}

func (gradGatherND) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefGatherNDGrad, c.Node.Attrs, c.DY[0], c.In(1), c.In(0)), nil}
}

// gradGatherNDGrad: by dy it is GatherND.
type gradGatherNDGrad struct{}

func (gradGatherNDGrad) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefGatherND, c.Node.Attrs, c.DY[0], c.In(1)), nil, nil}
}

func inferScatterND(c *graph.InferCtx) {
	wantIndex(c, 1)
	wantSameType(c, 0, 2)
	x, ix, up := c.In[0], c.In[1], c.In[2]
	reductionOf(c.Node, x.DType, c.Fail)
	if x.HasRank && ix.HasRank {
		if want := checkND(c.Node, x.Shape, ix.Shape, c.Fail); want != nil && up.HasRank && !fits(want, up.Shape) {
			c.Fail("the updates must have the shape ", want)
		}
	}
	setLike(c, 0, x.DType, x)
}

func refScatterND(c *graph.RefCtx) {
	scatterInto(c, func(f func(ui, xi, run int)) {
		eachND(c.In[0], c.In[1], 0, c.Fail, func(i, xi, run int) { f(i*run, xi, run) })
	})
}

// gradScatterND: see scatterGrad.
type gradScatterND struct{}

func (gradScatterND) Grad(c *graph.GradCtx) []*graph.Value {
	ix := c.In(1)
	return scatterGrad(c,
		func(x, up *graph.Value, reduction string) *graph.Value { return ScatterND(x, ix, up, reduction) },
		func(x *graph.Value) *graph.Value { return GatherND(x, ix, 0) })
}
