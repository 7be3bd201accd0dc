package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// DefClipFactor is weft.ClipFactor(g...): min(1, max_norm/norm), of rank 0, norm being the L2 norm of all inputs together (Pascanu, Mikolov, Bengio, ICML
// 2013). An infinite norm gives 0, one that is no number gives NaN. Updates take it as the factor of their gradients, which are then read twice and never written.
var DefClipFactor = graph.Def{
	Domain: "weft", Name: "ClipFactor", MinIn: 1, MaxIn: -1, Doc: "factor that limits the L2 norm of all inputs together",
	Attrs:  []graph.AttrDef{{Name: "max_norm", Kind: graph.AttrFloat, Required: true}},
	NoGrad: "it scales gradients", Infer: inferClipFactor, FLOPs: flopsClipFactor, Body: bodyClipFactor{}, Lower: lowerClipFactor,
}

// ClipFactor returns min(1, limit/norm), norm being the L2 norm of all the values together; limit must be above 0.
func ClipFactor(limit float32, of ...*graph.Value) *graph.Value {
	if len(of) == 0 {
		tensor.Fail("weft.ClipFactor", "there is nothing to measure")
	}
	return of[0].G.Add(&DefClipFactor, []graph.Attr{graph.Float("max_norm", limit)}, of...)
}

func inferClipFactor(c *graph.InferCtx) {
	wantFloat(c, 0)
	for i := range c.In {
		wantSameType(c, 0, i)
	}
	if l := c.Node.Float("max_norm"); !(l > 0) {
		c.Fail("max_norm must be above 0")
	}
	c.Set(0, c.In[0].DType, []int{})
}

func flopsClipFactor(_ *graph.Node, in, _ []graph.Type) float64 {
	n := 0.0
	for _, t := range in {
		n += 2 * count(t)
	}
	return n
}

type bodyClipFactor struct{}

func (bodyClipFactor) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	var sum *graph.Value
	for _, x := range in {
		if sq := ReduceSumSquare(x, nil, false); sum == nil {
			sum = sq
		} else {
			sum = Add(sum, sq)
		}
	}
	// limit / max(norm, limit) is 1 below the limit and never divides by 0.
	l := ConstLike(sum, float64(n.Float("max_norm")))
	return []*graph.Value{Div(l, Max(Sqrt(sum), l))}
}

// normBlock is how many elements one sum of squares is of; the sums of all blocks of all inputs are then added in order, in float64. It is part of the
// result's definition: whatever the threads, the bits are the same.
const normBlock = 4 << 10

// Steps of ClipFactor: sums of squares of blocks, A[sqSums] of this input and A[upG] the input, N[0] its elements, joined over all inputs; then the factor,
// A = {factor, sums}, N[0] the number of sums, F[0] the limit.
const sqSums = 0

var (
	kSumSquares = prog.Kernel{Name: "SumSquares", Run: runSumSquares, Joins: true}
	kClipFactor = prog.Kernel{Name: "ClipFactor", Run: runClipFactor}
)

func lowerClipFactor(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	blocks := 0
	for i := range b.NumIn() {
		blocks += (tensor.Size(b.InShape(i)) + normBlock - 1) / normBlock
	}
	if blocks > math.MaxInt32 {
		return false
	}
	sums, at := b.Scratch(4*blocks), 0
	for i := range b.NumIn() {
		size := tensor.Size(b.InShape(i))
		if size == 0 {
			continue
		}
		s := prog.Step{Kernel: &kSumSquares, Tiles: elemTiles(size)}
		for k := range s.A {
			s.A[k] = prog.None
		}
		s.A[sqSums], s.A[upG], s.N[0] = sums.Add(4*at), b.In(i), int32(size)
		at += (size + normBlock - 1) / normBlock
		b.Emit(s)
	}
	s := prog.Step{Kernel: &kClipFactor, Tiles: 1}
	s.A[0], s.A[1], s.N[0], s.F[0] = b.Out(0), sums, int32(blocks), n.Float("max_norm")
	b.Emit(s)
	return true
}

// runSumSquares sums the blocks that begin in the tile's part of all inputs one after the other.
func runSumSquares(w *prog.Worker, s *prog.Step, tile int) {
	lo, hi := prog.Span(int(s.N[0]), normBlock, tile, int(s.Tiles))
	start := 0
	for row := 0; row < s.Rows() && start < hi; row++ {
		a, n := s.Row(w, row)
		blocks := (n + normBlock - 1) / normBlock
		first := (max(lo-start, 0) + normBlock - 1) / normBlock
		last := min((hi-start+normBlock-1)/normBlock, blocks)
		start += (n + prog.JoinedUnit - 1) / prog.JoinedUnit * prog.JoinedUnit
		if first >= last {
			continue
		}
		x, sums := w.F32(a[upG], n), w.F32(a[sqSums], blocks)
		for i := first; i < last; i++ {
			part := x[i*normBlock : min((i+1)*normBlock, n)]
			sums[i] = simd.Dot(part, part)
		}
	}
}

func runClipFactor(w *prog.Worker, s *prog.Step, _ int) {
	n, limit := int(s.N[0]), s.F[0]
	sum := 0.0
	for _, v := range w.F32(s.A[1], n) {
		sum += float64(v)
	}
	factor := float32(1)
	if norm := float32(math.Sqrt(sum)); !(norm <= limit) {
		factor = limit / norm
	}
	w.F32(s.A[0], 1)[0] = factor
}
