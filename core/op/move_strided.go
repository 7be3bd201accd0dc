package op

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Operators that are one copy between strided blocks.

// DefTranspose is ONNX's Transpose: dimension i of y is dimension perm[i] of x; without perm they are reversed.
var DefTranspose = graph.Def{
	Name: "Transpose", Since: 25, Doc: "Permutes the dimensions.", MinIn: 1, MaxIn: 1,
	Attrs: []graph.AttrDef{{Name: "perm", Kind: graph.AttrInts}},
	Infer: inferTranspose, Ref: refTranspose, Grad: gradTranspose{}, Lower: lowerTranspose, Same: sameTranspose, Fuse: fuseTranspose{},
}

// Transpose returns x with dimension i taken from dimension perm[i]; without perm they are reversed.
func Transpose(x *graph.Value, perm ...int) *graph.Value {
	var a []graph.Attr
	if len(perm) > 0 {
		a = append(a, graph.Ints("perm", perm...))
	}
	return x.G.Add(&DefTranspose, a, x)
}

func permOf(n *graph.Node, rank int, fail failFunc) []int {
	perm := n.Ints("perm")
	if perm == nil {
		perm = make([]int, rank)
		for i := range perm {
			perm[i] = rank - 1 - i
		}
	}
	if len(perm) != rank {
		fail("the permutation ", perm, " is not for rank ", rank)
	}
	return normAxes(perm, rank, fail)
}

func inferTranspose(c *graph.InferCtx) {
	x := c.In[0]
	if !x.HasRank {
		if p := c.Node.Ints("perm"); p != nil {
			c.Set(0, x.DType, unknownShape(len(p)))
		} else {
			c.SetUnranked(0, x.DType)
		}
		return
	}
	out := make([]int, len(x.Shape))
	for i, p := range permOf(c.Node, len(x.Shape), c.Fail) {
		out[i] = x.Shape[p]
	}
	c.Set(0, x.DType, out)
}

// sameTranspose: the dimensions of more than one element keep their order.
func sameTranspose(n *graph.Node, in, out []graph.Type) bool {
	last := -1
	for _, p := range permOf(n, len(in[0].Shape), failOf(n)) {
		if in[0].Shape[p] != 1 {
			if p < last {
				return false
			}
			last = p
		}
	}
	return true
}

func planTranspose(n *graph.Node, x, y []int) *move {
	st, m := tensor.Strides(x), &move{dims: y, ds: tensor.Strides(y), ss: make([]int, len(y))}
	for i, p := range permOf(n, len(x), failOf(n)) {
		m.ss[i] = st[p]
	}
	return m
}

func refTranspose(c *graph.RefCtx) {
	planTranspose(c.Node, c.In[0].Shape(), c.Out[0].Shape()).run(c.Out[0], c.In[0])
}

func lowerTranspose(b graph.Builder, n *graph.Node) bool {
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), planTranspose(n, b.InShape(0), b.OutShape(0)))
}

// gradTranspose: dx is dy with the inverse permutation.
type gradTranspose struct{}

func (gradTranspose) Grad(c *graph.GradCtx) []*graph.Value {
	perm := c.Node.Ints("perm")
	if perm == nil {
		return []*graph.Value{Transpose(c.DY[0])}
	}
	inv := make([]int, len(perm))
	for i, p := range normAxes(perm, len(perm), failOf(c.Node)) {
		inv[p] = i
	}
	return []*graph.Value{Transpose(c.DY[0], inv...)}
}

// DefExpand is ONNX's Expand: x broadcast with a shape.
var DefExpand = graph.Def{
	Name: "Expand", Since: 13, Doc: "Repeats dimensions of size 1 to reach a shape.", MinIn: 2, MaxIn: 2, HostInputs: []int{1},
	Infer: inferExpand, Ref: refExpand, Grad: gradExpand{}, Lower: lowerExpand, Same: alwaysSame, Repeats: true,
}

// Expand returns x broadcast with the shape.
func Expand(x *graph.Value, shape ...int) *graph.Value { return ExpandTo(x, ConstInts(x.G, shape...)) }

// ExpandTo is [Expand] to a shape that is computed: an int64 vector.
func ExpandTo(x, shape *graph.Value) *graph.Value { return x.G.Add(&DefExpand, nil, x, shape) }

// alwaysSame is for operators that change nothing when the shape stays the same.
func alwaysSame(n *graph.Node, in, out []graph.Type) bool { return true }

func inferExpand(c *graph.InferCtx) {
	x := c.In[0]
	target, known := inferInts(c, 1)
	if !known || !x.HasRank {
		s := c.In[1]
		if x.HasRank && s.HasRank && len(s.Shape) == 1 && s.Shape[0] >= 0 && s.Shape[0] <= tensor.MaxRank {
			c.Set(0, x.DType, unknownShape(max(len(x.Shape), s.Shape[0])))
		} else {
			c.SetUnranked(0, x.DType)
		}
		return
	}
	for _, d := range target {
		if d < 0 {
			c.Fail("the target shape ", target, " has a negative dimension")
		}
	}
	out, ok := broadcastShapes(x.Shape, target)
	if !ok {
		c.Fail("the shape does not broadcast with ", target)
	}
	c.Set(0, x.DType, out)
}

func planExpand(x, y []int) *move {
	return &move{dims: y, ds: tensor.Strides(y), ss: tensor.BroadcastStrides(x, y)}
}

func refExpand(c *graph.RefCtx) {
	planExpand(c.In[0].Shape(), c.Out[0].Shape()).run(c.Out[0], c.In[0])
}

func lowerExpand(b graph.Builder, n *graph.Node) bool {
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), planExpand(b.InShape(0), b.OutShape(0)))
}

// gradExpand: dx is dy summed over the repeated dimensions.
type gradExpand struct{}

func (gradExpand) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{SumTo(c.DY[0], c.In(0)), nil}
}

// DefTile is ONNX's Tile: x repeated along every dimension.
var DefTile = graph.Def{
	Name: "Tile", Since: 13, Doc: "Repeats the whole tensor along each dimension.", MinIn: 2, MaxIn: 2, HostInputs: []int{1},
	Infer: inferTile, Ref: refTile, Grad: gradTile{}, Lower: lowerTile, Same: alwaysSame,
}

// Tile returns x repeated that many times along each dimension.
func Tile(x *graph.Value, repeats ...int) *graph.Value {
	return x.G.Add(&DefTile, nil, x, ConstInts(x.G, repeats...))
}

func inferTile(c *graph.InferCtx) {
	x := c.In[0]
	reps, known := inferInts(c, 1)
	if !x.HasRank {
		if known {
			c.Set(0, x.DType, unknownShape(len(reps)))
		} else {
			c.SetUnranked(0, x.DType)
		}
		return
	}
	out := unknownShape(len(x.Shape))
	if known {
		if len(reps) != len(x.Shape) {
			c.Fail(len(reps), " repeats for a tensor of rank ", len(x.Shape))
		}
		for i, r := range reps {
			switch {
			case r < 0:
				c.Fail("the repeats ", reps, " must not be negative")
			case r == 1:
				out[i] = x.Shape[i]
			case x.Shape[i] >= 0:
				out[i] = r * x.Shape[i]
			}
		}
	}
	c.Set(0, x.DType, out)
}

// planTile sees y as [r0 d0 r1 d1 ...] and x as the same with steps of 0 along the repeats.
func planTile(x, y []int) *move {
	m, sx, sy := &move{}, tensor.Strides(x), tensor.Strides(y)
	for i, d := range x {
		r := 0
		if d > 0 {
			r = y[i] / d
		}
		m.dims = append(m.dims, r, d)
		m.ds = append(m.ds, d*sy[i], sy[i])
		m.ss = append(m.ss, 0, sx[i])
	}
	return m
}

func refTile(c *graph.RefCtx) { planTile(c.In[0].Shape(), c.Out[0].Shape()).run(c.Out[0], c.In[0]) }

func lowerTile(b graph.Builder, n *graph.Node) bool {
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), planTile(b.InShape(0), b.OutShape(0)))
}

// gradTile: repeating is padding at the ends by (repeats-1)*shape with wrapping, so
// dx is that padding's gradient: dy summed over the copies.
type gradTile struct{}

func (gradTile) Grad(c *graph.GradCtx) []*graph.Value {
	x, reps := c.In(0), c.In(1)
	one := c.G.Const(tensor.Scalar(int64(1)))
	ends := Mul(Sub(Cast(reps, tensor.Int64), one), Shape(x))
	pads := Concat(0, Mul(ends, c.G.Const(tensor.Scalar(int64(0)))), ends)
	return []*graph.Value{c.G.Add(&DefPadGrad, []graph.Attr{graph.Str("mode", "wrap")}, c.DY[0], x, pads), nil}
}

var blockAttrs = []graph.AttrDef{
	{Name: "blocksize", Kind: graph.AttrInt, Required: true},
	{Name: "mode", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "DCR"}},
}

// DefDepthToSpace is ONNX's DepthToSpace: blocks of channels of x[N,C,H,W] become blocksize x blocksize pixels.
// Channel index is (block row, block column, channel) in mode DCR and (channel, block row, block column) in mode CRD.
//
//weft:full
var DefDepthToSpace = graph.Def{
	Name: "DepthToSpace", Since: 13, Doc: "Moves channels into blocks of pixels.", MinIn: 1, MaxIn: 1, Attrs: blockAttrs,
	Infer: inferDepthToSpace, Ref: refDepthToSpace, Grad: gradDepthToSpace{}, Lower: lowerDepthToSpace,
}

// DefSpaceToDepth is ONNX's SpaceToDepth: blocks of pixels of x[N,C,H,W] become channels, in the order of DepthToSpace's mode.
//
//weft:full
var DefSpaceToDepth = graph.Def{
	Name: "SpaceToDepth", Since: 13, Doc: "Moves blocks of pixels into channels.", MinIn: 1, MaxIn: 1, Attrs: blockAttrs,
	Infer: inferSpaceToDepth, Ref: refSpaceToDepth, Grad: gradSpaceToDepth{}, Lower: lowerSpaceToDepth,
}

// DepthToSpace moves blocks of channels of x[N,C,H,W] into pixels; mode is "DCR" (also "") or "CRD".
func DepthToSpace(x *graph.Value, blocksize int, mode string) *graph.Value {
	return x.G.Add(&DefDepthToSpace, blockOptions(blocksize, mode), x)
}

// SpaceToDepth undoes [DepthToSpace] of the same mode. ONNX before its mode attribute has "DCR" only.
func SpaceToDepth(x *graph.Value, blocksize int, mode string) *graph.Value {
	return x.G.Add(&DefSpaceToDepth, blockOptions(blocksize, mode), x)
}

func blockOptions(blocksize int, mode string) []graph.Attr {
	a := []graph.Attr{graph.Int("blocksize", blocksize)}
	if mode != "" && mode != "DCR" {
		a = append(a, graph.Str("mode", mode))
	}
	return a
}

func blockSize(c *graph.InferCtx) int {
	if m := c.Node.Str("mode"); m != "DCR" && m != "CRD" {
		c.Fail("attribute \"mode\" is ", strconv.Quote(m), "; it can be DCR or CRD")
	}
	b := c.Node.Int("blocksize")
	if b < 1 || b > 1<<15 {
		c.Fail("attribute \"blocksize\" is ", b, "; it must be at least 1")
	}
	if x := c.In[0]; x.HasRank && len(x.Shape) != 4 {
		c.Fail("needs a tensor [N C H W]")
	}
	return b
}

// scaled returns d*num/den with unknowns kept; it fails when den does not divide.
func scaled(c *graph.InferCtx, d, num, den int) int {
	if d < 0 {
		if num == den {
			return d
		}
		return graph.Unknown
	}
	if d*num%den != 0 {
		c.Fail("the size ", d, " is not a multiple of ", den)
	}
	return d * num / den
}

func inferDepthToSpace(c *graph.InferCtx) {
	b, x := blockSize(c), c.In[0]
	if !x.HasRank {
		c.Set(0, x.DType, unknownShape(4))
		return
	}
	c.Set(0, x.DType, []int{x.Shape[0], scaled(c, x.Shape[1], 1, b*b), scaled(c, x.Shape[2], b, 1), scaled(c, x.Shape[3], b, 1)})
}

func inferSpaceToDepth(c *graph.InferCtx) {
	b, x := blockSize(c), c.In[0]
	if !x.HasRank {
		c.Set(0, x.DType, unknownShape(4))
		return
	}
	c.Set(0, x.DType, []int{x.Shape[0], scaled(c, x.Shape[1], b*b, 1), scaled(c, x.Shape[2], 1, b), scaled(c, x.Shape[3], 1, b)})
}

// planBlocks walks [n, c, h, by, w, bx]; deep is the shape with the many channels [n, c*b*b, h, w], wide the other one. The
// source is the deep one.
func planBlocks(n *graph.Node, deep, wide []int) *move {
	b := n.Int("blocksize")
	c, h, w := wide[1], deep[2], deep[3]
	sd, sw := tensor.Strides(deep), tensor.Strides(wide)
	m := &move{dims: []int{wide[0], c, h, b, w, b}, ds: []int{sw[0], sw[1], b * sw[2], sw[2], b, 1}}
	if n.Str("mode") == "CRD" {
		m.ss = []int{sd[0], b * b * sd[1], sd[2], b * sd[1], 1, sd[1]}
	} else {
		m.ss = []int{sd[0], sd[1], sd[2], b * c * sd[1], 1, c * sd[1]}
	}
	return m
}

// reversed returns the move from destination to source.
func (m *move) reversed() *move {
	return &move{dims: m.dims, ds: m.ss, ss: m.ds, d0: m.s0, s0: m.d0}
}

func refDepthToSpace(c *graph.RefCtx) {
	planBlocks(c.Node, c.In[0].Shape(), c.Out[0].Shape()).run(c.Out[0], c.In[0])
}

func refSpaceToDepth(c *graph.RefCtx) {
	planBlocks(c.Node, c.Out[0].Shape(), c.In[0].Shape()).reversed().run(c.Out[0], c.In[0])
}

func lowerDepthToSpace(b graph.Builder, n *graph.Node) bool {
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), planBlocks(n, b.InShape(0), b.OutShape(0)))
}

func lowerSpaceToDepth(b graph.Builder, n *graph.Node) bool {
	return emitMove(b, b.Out(0), b.In(0), b.OutType(0), planBlocks(n, b.OutShape(0), b.InShape(0)).reversed())
}

// gradDepthToSpace and gradSpaceToDepth: a permutation's gradient is the other one of dy.
type gradDepthToSpace struct{}

func (gradDepthToSpace) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefSpaceToDepth, c.Node.Attrs, c.DY[0])}
}

type gradSpaceToDepth struct{}

func (gradSpaceToDepth) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{c.G.Add(&DefDepthToSpace, c.Node.Attrs, c.DY[0])}
}
