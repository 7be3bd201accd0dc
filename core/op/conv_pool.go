package op

import (
	"slices"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A convolution of few channels leaves much and computes little, so the pool behind it is computed with it, block by block.

// poolPrefix is before the names of the pool's attributes.
const poolPrefix = "pool_"

var convPoolAttrs = append(slices.Clone(convLastAttrs),
	graph.AttrDef{Name: "act", Kind: graph.AttrInt}, graph.AttrDef{Name: "lo", Kind: graph.AttrFloat}, graph.AttrDef{Name: "hi", Kind: graph.AttrFloat},
	graph.AttrDef{Name: "average", Kind: graph.AttrInt},
	graph.AttrDef{Name: poolPrefix + "auto_pad", Kind: graph.AttrString}, graph.AttrDef{Name: poolPrefix + "ceil_mode", Kind: graph.AttrInt},
	graph.AttrDef{Name: poolPrefix + "count_include_pad", Kind: graph.AttrInt}, graph.AttrDef{Name: poolPrefix + "dilations", Kind: graph.AttrInts},
	graph.AttrDef{Name: poolPrefix + "kernel_shape", Kind: graph.AttrInts, Required: true}, graph.AttrDef{Name: poolPrefix + "pads", Kind: graph.AttrInts},
	graph.AttrDef{Name: poolPrefix + "storage_order", Kind: graph.AttrInt}, graph.AttrDef{Name: poolPrefix + "strides", Kind: graph.AttrInts})

// DefConvPool is weft.ConvPool(x, w, b): MaxPool, or AveragePool if average, of the activation act (simd.Act) of Conv. x_last and y_last are
// as for ConvLast. The compiler puts it in the place of the three.
var DefConvPool = graph.Def{
	Domain: "weft", Name: "ConvPool", Since: 1, Doc: "Pool of a convolution.", Attrs: convPoolAttrs, MinIn: 2, MaxIn: 3,
	Infer: inferConvPool, Body: bodyConvPool{}, Lower: lowerConvPool, FLOPs: flopsConvPool,
}

// afterConv is the rule of pools behind a convolution.
type afterConv struct{ average bool }

func (r afterConv) After(n, p *graph.Node, act graph.Act) (*graph.Def, []graph.Attr, bool) {
	last := p.Def == &DefConvLast
	if p.Def != &DefConv && !last || len(p.Inputs) > 3 && p.Inputs[3] != nil || n.Inputs[0].DType != tensor.Float32 {
		return nil, nil, false
	}
	if poolsLast := n.Def == &DefMaxPoolLast || n.Def == &DefAveragePoolLast; poolsLast != (last && p.Int("y_last") != 0) {
		return nil, nil, false
	}
	if r.average && (strings.HasPrefix(n.Str("auto_pad"), "SAME") || slices.ContainsFunc(n.Ints("pads"), func(p int) bool { return p != 0 })) {
		return nil, nil, false // what a mean is divided by depends on where it is
	}
	a := append(slices.Clone(p.Attrs), graph.Int("act", int(act.Code)), graph.Float("lo", act.Lo), graph.Float("hi", act.Hi), graph.Bool("average", r.average))
	for _, x := range n.Attrs {
		x.Name = poolPrefix + x.Name
		a = append(a, x)
	}
	return &DefConvPool, a, true
}

// poolNode returns the pool of a ConvPool, without operands.
func poolNode(n *graph.Node) *graph.Node {
	p := &graph.Node{Def: &DefMaxPool, Name: n.Name}
	if n.Int("average") != 0 {
		p.Def = &DefAveragePool
	}
	for _, x := range n.Attrs {
		if strings.HasPrefix(x.Name, poolPrefix) {
			x.Name = x.Name[len(poolPrefix):]
			p.Attrs = append(p.Attrs, x)
		}
	}
	return p
}

// convOut returns the geometry of a ConvPool's convolution and its output shape, [N,C,D...].
func convOut(n *graph.Node, x, w []int, fail failFunc) (win *window, xs, y []int) {
	if n.Int("x_last") != 0 {
		x = toFirst(x)
	}
	win, y, _ = checkConv(n, x, w, fail)
	return win, x, y
}

func inferConvPool(c *graph.InferCtx) {
	checkFloats(c)
	x, w := c.In[0], c.In[1]
	if !x.HasRank || !w.HasRank {
		c.SetUnranked(0, x.DType)
		return
	}
	_, _, y := convOut(c.Node, x.Shape, w.Shape, c.Fail)
	_, y = checkPool(poolNode(c.Node), y, c.Fail)
	if c.Node.Int("y_last") != 0 {
		y = toLast(y)
	}
	c.Set(0, x.DType, y)
}

func flopsConvPool(n *graph.Node, in, _ []graph.Type) float64 {
	_, _, y := convOut(n, in[0].Shape, in[1].Shape, failOf(n))
	return flopsPerWeight(graph.Type{Shape: y}, in[1]) + float64(tensor.Size(y))
}

type bodyConvPool struct{}

// Body is the convolution, the activation and the pool, between transpositions.
func (bodyConvPool) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	x, rank := in[0], len(in[1].Shape)
	if n.Int("x_last") != 0 {
		x = Transpose(x, movePerm(rank, false)...)
	}
	var a []graph.Attr
	for _, at := range n.Attrs {
		if slices.ContainsFunc(convAttrs, func(d graph.AttrDef) bool { return d.Name == at.Name }) {
			a = append(a, at)
		}
	}
	y := g.Add(&DefConv, a, append([]*graph.Value{x}, in[1:]...)...)
	switch simd.Act(n.Int("act")) {
	case simd.ActRelu:
		y = Relu(y)
	case simd.ActClip:
		y = Clip(y, ConstLike(y, float64(n.Float("lo"))), ConstLike(y, float64(n.Float("hi"))))
	}
	p := poolNode(n)
	y = g.Add(p.Def, p.Attrs, y)
	if n.Int("y_last") != 0 {
		y = Transpose(y, movePerm(rank, true)...)
	}
	return []*graph.Value{y}
}

var kConvPool = prog.Kernel{Name: "ConvPool", Run: runConvPool}

func lowerConvPool(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	win, x, y := convOut(n, b.InShape(0), b.InShape(1), failOf(n))
	s, ok := convShape(win, x, b.InShape(1), n.Int("group"))
	s.XLast, s.YLast = n.Int("x_last") != 0, n.Int("y_last") != 0
	if !ok || emptyConv(&s) || (s.XLast || s.YLast) && !s.Reaches() {
		return false
	}
	act := graph.Act{Code: uint8(n.Int("act")), Lo: n.Float("lo"), Hi: n.Float("hi")}
	pool := poolNode(n)
	average := n.Int("average") != 0
	st, ok := poolStep(&kMaxPool, pool, y)
	if !ok {
		return false
	}
	q := simd.ConvPool{Average: average}
	q.PoolShape, _, _ = stepPool(&st)
	if !q.Fits(&s) || !q.Pays(&s) || !fitsHalf(&q.PoolShape) {
		mid := b.Scratch(4 * convYLen(&s))
		emitConv(b, &s, mid, b.In(0), 1, optional(b, 2), prog.None, act)
		if s.YLast {
			k := &kMaxPoolLast
			if average {
				k = &kAveragePoolLast
			}
			return emitPoolLast(b, pool, k, mid, y)
		}
		if average {
			st.Kernel = &kAveragePool
		}
		st.A[0], st.A[1] = b.Out(0), mid
		b.Emit(st)
		return true
	}
	packed := b.Pack(1, 4*simd.ConvPackSize(&s), convStep(&kConvPack, &s))
	st = convStep(&kConvPool, &s)
	st.Tiles, st.Worker = int32(simd.ConvPoolTiles(&s, &q, b.Threads())), int32(4*simd.ConvPoolScratch(&s, &q))
	st.A[0], st.A[1], st.A[2], st.A[3] = b.Out(0), b.In(0), packed, optional(b, 2)
	st.N[18], st.F[0], st.F[1] = int32(act.Code), act.Lo, act.Hi
	if average {
		st.N[19] |= 4
	}
	for i, v := range [...]int{q.OH, q.OW, q.KH | q.KW<<16, q.SH | q.SW<<16, q.DH | q.DW<<16, q.PT | q.PL<<16, q.PB | q.PR<<16} {
		st.N[20+i] = int32(v)
	}
	b.Emit(st)
	return true
}

// fitsHalf reports whether what a step has half a word for fits: sizes of the window, strides, dilations and padding.
func fitsHalf(q *simd.PoolShape) bool {
	return max(q.KH, q.KW, q.SH, q.SW, q.DH, q.DW, q.PT, q.PL, q.PB, q.PR) < 1<<15
}

func runConvPool(w *prog.Worker, st *prog.Step, tile int) {
	s, n := stepConv(st), &st.N
	q := simd.ConvPool{Average: n[19]&4 != 0}
	q.Planes, q.H, q.W, q.OH, q.OW = s.N*s.M, s.OH, s.OW, int(n[20]), int(n[21])
	q.KH, q.KW, q.SH, q.SW = int(n[22]&0xffff), int(n[22]>>16), int(n[23]&0xffff), int(n[23]>>16)
	q.DH, q.DW, q.PT, q.PL = int(n[24]&0xffff), int(n[24]>>16), int(n[25]&0xffff), int(n[25]>>16)
	q.PB, q.PR = int(n[26]&0xffff), int(n[26]>>16)
	simd.ConvPoolForward(&s, &q, w.F32(st.A[1], convXLen(&s)), w.F32(st.A[2], simd.ConvPackSize(&s)), w.F32(st.A[3], s.M), w.F32(st.A[0], q.Planes*q.OH*q.OW),
		simd.Act(n[18]), st.F[0], st.F[1], tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}
