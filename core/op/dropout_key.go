package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A key names a sequence of random numbers: operators that are given it draw the same ones, so that a gradient drops what the forward pass dropped and no mask
// is in memory.

// DefRandomKey is weft.RandomKey: int64 [2], the seed of the run and the stream of the node in this step of it.
var DefRandomKey = graph.Def{
	Domain: "weft", Name: "RandomKey", Doc: "names the random numbers of a node in a step", Random: true, NoGrad: noGradRandom,
	Infer: inferRandomKey, Ref: refRandomKey, Lower: lowerRandomKey,
}

// DefDropoutKeyed is weft.DropoutKeyed(x, key): element i of x is 0 where number i of the key's uniform sequence is below the attribute rate, else multiplied by
// 1/(1-rate), as [Dropout] does it. It is its own gradient.
var DefDropoutKeyed = graph.Def{
	Domain: "weft", Name: "DropoutKeyed", MinIn: 2, MaxIn: 2, Doc: "drop the elements that a key says", Attrs: []graph.AttrDef{{Name: "rate", Kind: graph.AttrFloat}},
	Infer: inferDropoutKeyed, Ref: refDropoutKeyed, Grad: gradDropoutKeyed{}, Lower: lowerDropoutKeyed,
}

// RandomKey returns a key, int64 [2], that is another in every step of a run.
func RandomKey(g *graph.Graph) *graph.Value { return g.Add(&DefRandomKey, nil) }

// DropoutKeyed drops the elements of x that the key says, see [DefDropoutKeyed]; 0 <= rate < 1.
func DropoutKeyed(x, key *graph.Value, rate float32) *graph.Value {
	return x.G.Add(&DefDropoutKeyed, []graph.Attr{graph.Float("rate", rate)}, x, key)
}

func inferRandomKey(c *graph.InferCtx) { c.Set(0, tensor.Int64, []int{2}) }

func refRandomKey(c *graph.RefCtx) {
	seed, stream := refStream(c)
	c.Out[0].SetInt64s([]int64{int64(seed), int64(stream)})
}

// wantKey checks input i, and the attribute that says how much is dropped.
func wantKey(c *graph.InferCtx, i int, rate string) {
	if d := c.In[i].DType; d != tensor.Int64 {
		c.Fail("the key must be int64 [2], as weft.RandomKey gives it, not ", d)
	}
	wantRank(c, i, 1)
	if t := c.In[i]; t.HasRank && t.Shape[0] >= 0 && t.Shape[0] != 2 {
		c.Fail("the key must be int64 [2], as weft.RandomKey gives it")
	}
	if r := c.Node.Float(rate); !(r >= 0 && r < 1) {
		c.Fail(attrName(rate), " must be at least 0 and less than 1, not ", r)
	}
}

func inferDropoutKeyed(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantKey(c, 1, "rate")
	setLike(c, 0, c.In[0].DType, c.In[0])
}

func refDropoutKeyed(c *graph.RefCtx) {
	x, key, rate := c.In[0].Float64s(), c.In[1].Int64sOf(), c.Node.Float("rate")
	u := make([]float32, len(x))
	simd.FillUniform(u, uint64(key[0]), uint64(key[1]), 0, 0, 1)
	for i := range x {
		if u[i] < rate {
			x[i] = 0
		} else {
			x[i] *= float64(1 / (1 - rate))
		}
	}
	c.Out[0].SetFloat64s(x)
}

type gradDropoutKeyed struct{}

func (gradDropoutKeyed) Grad(c *graph.GradCtx) []*graph.Value {
	if c.DY[0] == nil {
		return []*graph.Value{nil, nil}
	}
	return []*graph.Value{DropoutKeyed(c.DY[0], c.In(1), c.Node.Float("rate")), nil}
}

var (
	kRandomKey    = prog.Kernel{Name: "RandomKey", Run: runRandomKey}
	kDropoutKeyed = prog.Kernel{Name: "DropoutKeyed", Run: runDropoutKeyed}
)

func lowerRandomKey(b graph.Builder, n *graph.Node) bool {
	b.Emit(randomStep(b, n, &kRandomKey, 2))
	return true
}

func runRandomKey(w *prog.Worker, s *prog.Step, tile int) {
	seed, stream, lo, _ := stepStream(w, s, tile)
	if lo == 0 {
		key := w.I64(s.A[0], 2)
		key[0], key[1] = int64(seed), int64(stream)
	}
}

func lowerDropoutKeyed(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	size := tensor.Size(b.InShape(0))
	if size == 0 {
		return true
	}
	s := prog.Step{Kernel: &kDropoutKeyed, Tiles: moveTiles(4*size, size)}
	s.A[0], s.A[1], s.A[2] = b.Out(0), b.In(0), b.In(1)
	s.N[3], s.N[4] = int32(size>>30), int32(size&(1<<30-1))
	s.F[0] = n.Float("rate")
	b.Emit(s)
	return true
}

// runDropoutKeyed makes the factors block by block: they are used while they are in the cache.
func runDropoutKeyed(w *prog.Worker, s *prog.Step, tile int) {
	key := w.I64(s.A[2], 2)
	lo, hi := prog.Span(int(s.N[3])<<30|int(s.N[4]), 64, tile, int(s.Tiles))
	rate := s.F[0]
	const block = 4096
	for at := lo; at < hi; at += block {
		n := min(block, hi-at)
		y, x := w.F32(s.A[0].Add(4*at), n), w.F32(s.A[1].Add(4*at), n)
		simd.FillUniform(y, uint64(key[0]), uint64(key[1]), uint64(at), 0, 1)
		for i, u := range y {
			y[i] = 0
			if u >= rate {
				y[i] = x[i] * (1 / (1 - rate))
			}
		}
	}
}
