package op

import (
	"slices"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Around a depthwise convolution images are larger than what is computed of them is worth: the ones before and behind it are computed together with
// it, by rows, and what is between them never leaves the cache.

// chainPrefix is before the names of a convolution's attributes.
var chainPrefix = [simd.ChainMost]string{"first_", "second_", "third_"}

var convChainAttrs = chainAttrs()

func chainAttrs() []graph.AttrDef {
	a := []graph.AttrDef{{Name: "stages", Kind: graph.AttrInt, Required: true}, {Name: "x_last", Kind: graph.AttrInt}}
	of := append(slices.Clone(convAttrs), graph.AttrDef{Name: "act", Kind: graph.AttrInt}, graph.AttrDef{Name: "lo", Kind: graph.AttrFloat}, graph.AttrDef{Name: "hi", Kind: graph.AttrFloat})
	for _, p := range chainPrefix {
		for _, d := range of {
			d.Name = p + d.Name
			a = append(a, d)
		}
	}
	return a
}

// DefConvChain is weft.ConvChain(x, w1, b1, w2, b2, w3, b3, r): two or three convolutions one after the other, stages of them, the activations act (simd.Act)
// between them, and the residual r added at the end. Images are channels-last, x only if x_last. Biases and r may be omitted. The compiler puts it in the place
// of ConvLast.
var DefConvChain = graph.Def{
	Domain: "weft", Name: "ConvChain", Since: 1, Doc: "Convolutions one after the other, around a depthwise one.", Attrs: convChainAttrs, MinIn: 4, MaxIn: 2 + 2*simd.ChainMost,
	Infer: inferConvChain, Body: bodyConvChain{}, Lower: lowerConvChain, TakesAct: true, FLOPs: flopsConvChain, Chain: chainConv{},
}

// chainRes is the input that is added at the end.
const chainRes = 1 + 2*simd.ChainMost

// chainConv is the rule of convolutions behind others.
type chainConv struct{}

func (chainConv) Chain(n, p *graph.Node, act graph.Act) (*graph.Def, []graph.Attr, []int, bool) {
	if n.Def != &DefConvLast || n.Int("x_last") == 0 || n.Int("y_last") == 0 || n.Inputs[0].DType != tensor.Float32 {
		return nil, nil, nil, false
	}
	stages := 1
	var a []graph.Attr
	var w [simd.ChainMost]*graph.Value
	from := make([]int, chainRes+1)
	for i := range from {
		from[i] = graph.NoInput
	}
	from[0] = 0
	switch p.Def {
	case &DefConvLast:
		if p.Int("y_last") == 0 || has(p, 3) {
			return nil, nil, nil, false
		}
		a = append(stageAttrs(0, p), graph.Bool("x_last", p.Int("x_last") != 0))
		from[1] = 1
		if has(p, 2) {
			from[2] = 2
		}
	case &DefConvChain:
		if stages = p.Int("stages"); stages == simd.ChainMost || has(p, chainRes) {
			return nil, nil, nil, false
		}
		a = without(p.Attrs, "stages")
		for i := 1; i < len(p.Inputs); i++ {
			if p.Inputs[i] != nil {
				from[i] = i
			}
		}
	default:
		return nil, nil, nil, false
	}
	for i := range stages {
		w[i] = p.Inputs[1+2*i]
	}
	w[stages] = n.Inputs[1]
	a = append(a, stageAct(stages-1, act)...)
	a = append(append(a, stageAttrs(stages, n)...), graph.Int("stages", stages+1))
	from[1+2*stages] = graph.OfNode + 1
	if has(n, 2) {
		from[2+2*stages] = graph.OfNode + 2
	}
	if has(n, 3) {
		from[chainRes] = graph.OfNode + 3
	}
	// Shapes that are not known yet may be worth it.
	c := &graph.Node{Def: &DefConvChain, Name: n.Name, Attrs: a}
	ws := make([][]int, stages+1)
	for i := range ws {
		if ws[i] = w[i].Shape; !w[i].HasRank || slices.ContainsFunc(ws[i], func(d int) bool { return d < 0 }) {
			return nil, nil, nil, false
		}
	}
	x := p.Inputs[0]
	if !x.HasRank {
		return nil, nil, nil, false
	}
	const any = 1 << 10 // a size that is not known, to see whether there is a chain at all
	xs := slices.Clone(x.Shape)
	unknown := false
	for i := range xs[1:] {
		if xs[1+i] < 0 {
			xs[1+i], unknown = any, true
		}
	}
	batch := max(xs[0], 1)
	if xs[0] < 0 && !unknown {
		batch = 16
	}
	xs[0] = 1
	k, ok := chainOf(c, xs, ws)
	if !ok || !k.Fits() {
		return nil, nil, nil, false
	}
	for i := range k.Stages {
		k.Conv[i].N = batch
	}
	if !unknown && !k.Pays(1) {
		return nil, nil, nil, false
	}
	return &DefConvChain, a, from, true
}

// has reports whether input i of a node is given.
func has(n *graph.Node, i int) bool { return i < len(n.Inputs) && n.Inputs[i] != nil }

// stageAttrs returns a convolution's attributes as those of a stage.
func stageAttrs(i int, n *graph.Node) (a []graph.Attr) {
	for _, x := range without(n.Attrs, "x_last", "y_last") {
		x.Name = chainPrefix[i] + x.Name
		a = append(a, x)
	}
	return a
}

func stageAct(i int, act graph.Act) []graph.Attr {
	p := chainPrefix[i]
	return []graph.Attr{graph.Int(p+"act", int(act.Code)), graph.Float(p+"lo", act.Lo), graph.Float(p+"hi", act.Hi)}
}

// actOf returns the activation behind a stage but the last.
func actOf(n *graph.Node, i int) graph.Act {
	p := chainPrefix[i]
	return graph.Act{Code: uint8(n.Int(p + "act")), Lo: n.Float(p + "lo"), Hi: n.Float(p + "hi")}
}

// stageNode returns a stage as a Conv, without operands.
func stageNode(n *graph.Node, i int) *graph.Node {
	c := &graph.Node{Def: &DefConv, Name: n.Name}
	for _, x := range n.Attrs {
		if name, ok := strings.CutPrefix(x.Name, chainPrefix[i]); ok && slices.ContainsFunc(convAttrs, func(d graph.AttrDef) bool { return d.Name == name }) {
			x.Name = name
			c.Attrs = append(c.Attrs, x)
		}
	}
	return c
}

// chainOf returns the kernels' description of a chain of known shapes, without the last activation.
func chainOf(n *graph.Node, x []int, w [][]int) (c simd.ConvChain, ok bool) {
	if n.Int("x_last") != 0 {
		x = toFirst(x)
	}
	c.Stages = len(w)
	for i := range w {
		stage := stageNode(n, i)
		win, y, _ := checkConv(stage, x, w[i], failOf(n))
		s, ok := convShape(win, x, w[i], stage.Int("group"))
		if !ok || emptyConv(&s) {
			return c, false
		}
		s.XLast, s.YLast = i > 0 || n.Int("x_last") != 0, true
		if !s.Reaches() {
			return c, false
		}
		c.Conv[i] = s
		if i+1 < len(w) {
			act := actOf(n, i)
			c.Act[i], c.Lo[i], c.Hi[i] = simd.Act(act.Code), act.Lo, act.Hi
		}
		x = y
	}
	return c, true
}

func inferConvChain(c *graph.InferCtx) {
	checkFloats(c)
	x := c.In[0].Shape
	if !c.In[0].HasRank {
		c.SetUnranked(0, c.In[0].DType)
		return
	}
	if c.Node.Int("x_last") != 0 {
		x = toFirst(x)
	}
	stages := c.Node.Int("stages")
	if stages < 2 || stages > simd.ChainMost {
		c.Fail("attribute \"stages\" is ", stages)
	}
	for i := range stages {
		if k := 1 + 2*i; !c.Has(k) || !c.In[k].HasRank {
			c.SetUnranked(0, c.In[0].DType)
			return
		}
		_, x, _ = checkConv(stageNode(c.Node, i), x, c.In[1+2*i].Shape, c.Fail)
	}
	x = toLast(x)
	if c.Has(chainRes) && c.In[chainRes].HasRank && !fits(c.In[chainRes].Shape, x) {
		c.Fail("the residual's shape is not the result's ", x)
	}
	c.Set(0, c.In[0].DType, x)
}

func flopsConvChain(n *graph.Node, in, _ []graph.Type) (sum float64) {
	x := in[0].Shape
	if n.Int("x_last") != 0 {
		x = toFirst(x)
	}
	for i := range n.Int("stages") {
		w := in[1+2*i]
		_, x, _ = checkConv(stageNode(n, i), x, w.Shape, failOf(n))
		sum += flopsPerWeight(graph.Type{Shape: x}, w)
	}
	return sum
}

type bodyConvChain struct{}

// Body is the convolutions and their activations.
func (bodyConvChain) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	y := in[0]
	stages := n.Int("stages")
	for i := range stages {
		args := []*graph.Value{y, in[1+2*i]}
		if k := 2 + 2*i; k < len(in) {
			args = append(args, in[k])
		}
		if i == stages-1 && len(in) > chainRes && in[chainRes] != nil {
			if len(args) < 3 {
				args = append(args, nil)
			}
			args = append(args, in[chainRes])
		}
		for len(args) > 0 && args[len(args)-1] == nil {
			args = args[:len(args)-1]
		}
		y = g.Add(&DefConvLast, append(stageNode(n, i).Attrs, graph.Bool("x_last", i > 0 || n.Int("x_last") != 0), graph.Int("y_last", 1)), args...)
		if i == stages-1 {
			break
		}
		switch act := actOf(n, i); simd.Act(act.Code) {
		case simd.ActRelu:
			y = Relu(y)
		case simd.ActClip:
			y = Clip(y, ConstLike(y, float64(act.Lo)), ConstLike(y, float64(act.Hi)))
		}
	}
	return []*graph.Value{y}
}

var kConvChain = prog.Kernel{Name: "ConvChain", Run: runConvChain}

func lowerConvChain(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	w := make([][]int, n.Int("stages"))
	for i := range w {
		w[i] = b.InShape(1 + 2*i)
	}
	c, ok := chainOf(n, b.InShape(0), w)
	if !ok {
		return false
	}
	last := c.Stages - 1
	act := b.Epilogue()
	c.Act[last], c.Lo[last], c.Hi[last] = simd.Act(act.Code), act.Lo, act.Hi
	if !c.Fits() || !c.Pays(b.Threads()) || !chainHalves(&c) {
		x := b.In(0)
		for i := range c.Stages {
			s := &c.Conv[i]
			y, res := b.Out(0), optional(b, chainRes)
			if i < last {
				y, res = b.Scratch(4*convYLen(s)), prog.None
			}
			emitConv(b, s, y, x, 1+2*i, optional(b, 2+2*i), res, graph.Act{Code: uint8(c.Act[i]), Lo: c.Lo[i], Hi: c.Hi[i]})
			x = y
		}
		return true
	}
	var packed [simd.ChainMost]prog.Ref
	for i := range c.Stages {
		packed[i] = b.Pack(1+2*i, 4*simd.ConvPackSize(&c.Conv[i]), convStep(&kConvPack, &c.Conv[i]))
	}
	st := chainStep(&c)
	st.Tiles, st.Worker = int32(simd.ConvChainTiles(&c, b.Threads())), int32(4*simd.ConvChainScratch(&c))
	st.A[0], st.A[1], st.A[2] = b.Out(0), b.In(0), optional(b, chainRes)
	for i := range packed {
		st.A[3+2*i], st.A[4+2*i] = prog.None, prog.None
		if i < c.Stages {
			st.A[3+2*i], st.A[4+2*i] = packed[i], optional(b, 2+2*i)
		}
	}
	b.Emit(st)
	return true
}

// chainHalves reports whether what a step has half a word for fits.
func chainHalves(c *simd.ConvChain) bool {
	for i := range c.Stages {
		s := &c.Conv[i]
		if max(s.KH, s.KW, s.SH, s.SW, s.DH, s.DW, s.PT, s.PL) >= 1<<15 {
			return false
		}
	}
	return true
}

// Of a chain's step, N[0:4] is the input's shape, N[4] the number of stages and their activations and layouts in four bits each, F[0:6] the bounds of activations.
// From N[chainStageAt] on every stage has chainStageN.
const chainStageAt, chainStageN = 5, 7

func chainStep(c *simd.ConvChain) prog.Step {
	st := prog.Step{Kernel: &kConvChain, Tiles: 1}
	x := &c.Conv[0]
	st.N[0], st.N[1], st.N[2], st.N[3], st.N[4] = int32(x.N), int32(x.C), int32(x.H), int32(x.W), int32(c.Stages)
	for i := range c.Stages {
		s := &c.Conv[i]
		bits := int(c.Act[i])
		if s.XLast {
			bits |= 4
		}
		if s.Groups > 1 {
			bits |= 8
		}
		st.N[4] |= int32(bits << (4 + 4*i))
		st.F[2*i], st.F[2*i+1] = c.Lo[i], c.Hi[i]
		for j, v := range [chainStageN]int{s.M, s.OH, s.OW, s.KH | s.KW<<16, s.SH | s.SW<<16, s.DH | s.DW<<16, s.PT | s.PL<<16} {
			st.N[chainStageAt+chainStageN*i+j] = int32(v)
		}
	}
	return st
}

func runConvChain(w *prog.Worker, st *prog.Step, tile int) {
	var c simd.ConvChain
	var packed, bias [simd.ChainMost][]float32
	c.Stages = int(st.N[4] & 15)
	images, channels, height, width := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3])
	x := w.F32(st.A[1], images*channels*height*width)
	for i := range c.Stages {
		bits := int(st.N[4]) >> (4 + 4*i)
		n := st.N[chainStageAt+chainStageN*i:]
		s := &c.Conv[i]
		s.N, s.C, s.H, s.W, s.M, s.OH, s.OW = images, channels, height, width, int(n[0]), int(n[1]), int(n[2])
		s.KH, s.KW, s.SH, s.SW = int(n[3]&0xffff), int(n[3]>>16), int(n[4]&0xffff), int(n[4]>>16)
		s.DH, s.DW, s.PT, s.PL = int(n[5]&0xffff), int(n[5]>>16), int(n[6]&0xffff), int(n[6]>>16)
		s.Groups, s.XLast, s.YLast = 1, bits&4 != 0, true
		if bits&8 != 0 {
			s.Groups = channels
		}
		c.Act[i], c.Lo[i], c.Hi[i] = simd.Act(bits&3), st.F[2*i], st.F[2*i+1]
		packed[i], bias[i] = w.F32(st.A[3+2*i], simd.ConvPackSize(s)), w.F32(st.A[4+2*i], s.M)
		channels, height, width = s.M, s.OH, s.OW
	}
	size := images * channels * height * width
	simd.ConvChainForward(&c, x, &packed, &bias, w.F32(st.A[2], size), w.F32(st.A[0], size), tile, int(st.Tiles), w.ScratchF32(int(st.Worker)/4))
}
