package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Random generators. A node draws from the Philox sequence of the run's seed (or of its own attribute seed) and of a stream that
// is derived from the node and the number of the step, so that results do not depend on the order of evaluation, and
// with the same seed are the same on every target: reference and kernels share the fills of package simd, whose bits are the same everywhere.

const noGradRandom = "the result is random and does not depend on its input's elements"

var (
	kRandomUniform = prog.Kernel{Name: "RandomUniform", Run: runRandomUniform}
	kRandomNormal  = prog.Kernel{Name: "RandomNormal", Run: runRandomNormal}
	kBernoulli     = prog.Kernel{Name: "Bernoulli", Run: runBernoulli}
)

// nodeStream returns the stream of a random node in one step of a run: different for every node and step up to 2^24 nodes and 2^40 steps.
func nodeStream(step, node uint64) uint64 { return node<<40 ^ step }

// ownSeed returns the seed that the node's attribute gives.
func ownSeed(n *graph.Node) (uint64, bool) {
	if !n.HasAttr("seed") {
		return 0, false
	}
	return uint64(math.Float32bits(n.Float("seed"))), true
}

// refStream is nodeStream for a reference evaluation.
func refStream(c *graph.RefCtx) (seed, stream uint64) {
	var s graph.RandState
	if c.Rand != nil {
		s = *c.Rand
	}
	if own, ok := ownSeed(c.Node); ok {
		s.Seed = own
	}
	return s.Seed, nodeStream(s.Step, uint64(c.Node.ID))
}

// randomStep returns a step that carries what stepStream reads: N[0] the node, N[1] whether it has a seed of its own, N[2] that seed.
func randomStep(b graph.Builder, n *graph.Node, k *prog.Kernel, size int) prog.Step {
	st := prog.Step{Kernel: k, Tiles: moveTiles(4*size, size)}
	st.A[0], st.A[1] = b.Out(0), b.Rand()
	st.N[0], st.N[3], st.N[4] = int32(n.ID), int32(size>>30), int32(size&(1<<30-1))
	if own, ok := ownSeed(n); ok {
		st.N[1], st.N[2] = 1, int32(uint32(own))
	}
	return st
}

// stepStream returns the sequence of a step and its tile's part [lo, hi) of the elements; an element is one word, and parts start
// at whole blocks.
func stepStream(w *prog.Worker, st *prog.Step, tile int) (seed, stream uint64, lo, hi int) {
	state := w.U64(st.A[1], 2)
	seed = state[0]
	if st.N[1] != 0 {
		seed = uint64(uint32(st.N[2]))
	}
	stream = nodeStream(state[1], uint64(st.N[0]))
	lo, hi = prog.Span(int(st.N[3])<<30|int(st.N[4]), 64, tile, int(st.Tiles))
	return seed, stream, lo, hi
}

var (
	uniformAttrs = []graph.AttrDef{
		{Name: "dtype", Kind: graph.AttrInt}, {Name: "shape", Kind: graph.AttrInts}, {Name: "seed", Kind: graph.AttrFloat},
		{Name: "low", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat}}, {Name: "high", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}},
	}
	normalAttrs = []graph.AttrDef{
		{Name: "dtype", Kind: graph.AttrInt}, {Name: "shape", Kind: graph.AttrInts}, {Name: "seed", Kind: graph.AttrFloat},
		{Name: "mean", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat}}, {Name: "scale", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}},
	}
	likeAttrs = []graph.AttrDef{{Name: "dtype", Kind: graph.AttrInt}, {Name: "seed", Kind: graph.AttrFloat}}
)

// DefRandomUniform is ONNX's RandomUniform: numbers uniform between low and high, in the shape of an attribute.
var DefRandomUniform = graph.Def{
	Name: "RandomUniform", Since: 22, Doc: "Uniformly distributed numbers.", Attrs: uniformAttrs, Random: true, NoGrad: noGradRandom,
	Infer: inferRandom, Ref: refRandomUniform, Lower: lowerRandomUniform,
}

// DefRandomNormal is ONNX's RandomNormal: normally distributed numbers of a mean and a standard deviation (scale).
var DefRandomNormal = graph.Def{
	Name: "RandomNormal", Since: 22, Doc: "Normally distributed numbers.", Attrs: normalAttrs, Random: true, NoGrad: noGradRandom,
	Infer: inferRandom, Ref: refRandomNormal, Lower: lowerRandomNormal,
}

// DefRandomUniformLike is ONNX's RandomUniformLike: RandomUniform in the shape of the input.
//
//weft:full
var DefRandomUniformLike = graph.Def{
	Name: "RandomUniformLike", Since: 22, Doc: "Uniformly distributed numbers in a tensor's shape.", MinIn: 1, MaxIn: 1, ShapeOnly: []int{0}, Random: true, NoGrad: noGradRandom,
	Attrs: []graph.AttrDef{{Name: "dtype", Kind: graph.AttrInt}, {Name: "seed", Kind: graph.AttrFloat},
		{Name: "low", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat}}, {Name: "high", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Infer: inferRandomLike, Ref: refRandomUniform, Lower: lowerRandomUniform,
}

// DefRandomNormalLike is ONNX's RandomNormalLike: RandomNormal in the shape of the input.
//
//weft:full
var DefRandomNormalLike = graph.Def{
	Name: "RandomNormalLike", Since: 22, Doc: "Normally distributed numbers in a tensor's shape.", MinIn: 1, MaxIn: 1, ShapeOnly: []int{0}, Random: true, NoGrad: noGradRandom,
	Attrs: []graph.AttrDef{{Name: "dtype", Kind: graph.AttrInt}, {Name: "seed", Kind: graph.AttrFloat},
		{Name: "mean", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat}}, {Name: "scale", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}}},
	Infer: inferRandomLike, Ref: refRandomNormal, Lower: lowerRandomNormal,
}

// DefBernoulli is ONNX's Bernoulli: 1 with the probability that the input gives, else 0.
//
//weft:full
var DefBernoulli = graph.Def{
	Name: "Bernoulli", Since: 22, Doc: "Draws 0 or 1 by probabilities.", Attrs: likeAttrs, MinIn: 1, MaxIn: 1, Random: true,
	NoGrad: "a draw does not change smoothly with its probability",
	Infer:  inferBernoulli, Ref: refBernoulli, Lower: lowerBernoulli,
}

// DefMultinomial is ONNX's Multinomial: sample_size draws of a class for each row of unnormalised log probabilities x[batch, classes].
//
//weft:full
var DefMultinomial = graph.Def{
	Name: "Multinomial", Since: 22, Doc: "Draws classes by log probabilities.", MinIn: 1, MaxIn: 1, Random: true, NoGrad: noGradInts,
	Attrs: []graph.AttrDef{{Name: "dtype", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 6}}, {Name: "seed", Kind: graph.AttrFloat},
		{Name: "sample_size", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}},
	Infer: inferMultinomial, Ref: refMultinomial,
}

// RandomUniform returns float32 numbers uniform between low and high.
func RandomUniform(g *graph.Graph, low, high float32, shape ...int) *graph.Value {
	return g.Add(&DefRandomUniform, []graph.Attr{graph.Float("low", low), graph.Float("high", high), graph.Ints("shape", shape...)})
}

// RandomNormal returns normally distributed float32 numbers of a mean and a standard deviation.
func RandomNormal(g *graph.Graph, mean, std float32, shape ...int) *graph.Value {
	return g.Add(&DefRandomNormal, []graph.Attr{graph.Float("mean", mean), graph.Float("scale", std), graph.Ints("shape", shape...)})
}

// RandomUniformLike returns numbers uniform between low and high in the type and shape of x.
func RandomUniformLike(x *graph.Value, low, high float32) *graph.Value {
	return x.G.Add(&DefRandomUniformLike, []graph.Attr{graph.Float("low", low), graph.Float("high", high)}, x)
}

// RandomNormalLike returns normally distributed numbers in the type and shape of x.
func RandomNormalLike(x *graph.Value, mean, std float32) *graph.Value {
	return x.G.Add(&DefRandomNormalLike, []graph.Attr{graph.Float("mean", mean), graph.Float("scale", std)}, x)
}

// Bernoulli returns 1 with the probabilities that p gives, else 0, in the type of p.
func Bernoulli(p *graph.Value) *graph.Value { return unary(&DefBernoulli, p) }

// Multinomial returns that many int32 draws of a class for each row of unnormalised log probabilities x[batch, classes].
func Multinomial(x *graph.Value, samples int) *graph.Value {
	return x.G.Add(&DefMultinomial, []graph.Attr{graph.Int("sample_size", samples)}, x)
}

// randomType returns the element type of the output: the attribute dtype, else the given one.
func randomType(c *graph.InferCtx, d tensor.DType) tensor.DType {
	if c.Node.HasAttr("dtype") {
		d = dtypeAttr(c, "dtype")
	}
	return d
}

func inferRandom(c *graph.InferCtx) {
	d := randomType(c, tensor.Float32)
	if !c.Node.HasAttr("shape") {
		c.Fail(attrName("shape"), " is required")
	}
	shape := c.Node.Ints("shape")
	checkShape(shape, c.Fail)
	if !isFloat(d) {
		c.Fail("gives floating-point numbers, not ", d)
	}
	c.Set(0, d, shape)
}

func inferRandomLike(c *graph.InferCtx) {
	d := c.In[0].DType
	if !isFloat(d) && !c.Node.HasAttr("dtype") {
		d = tensor.Float32
	}
	if d = randomType(c, d); !isFloat(d) {
		c.Fail("gives floating-point numbers, not ", d)
	}
	setLike(c, 0, d, c.In[0])
}

func inferBernoulli(c *graph.InferCtx) {
	wantFloat(c, 0)
	setLike(c, 0, randomType(c, c.In[0].DType), c.In[0])
}

func inferMultinomial(c *graph.InferCtx) {
	wantFloat(c, 0)
	wantRank(c, 0, 2)
	d, n := tensor.DType(c.Node.Int("dtype")), c.Node.Int("sample_size")
	if d != tensor.Int32 && d != tensor.Int64 {
		c.Fail(attrName("dtype"), " must be int32 or int64")
	}
	if n < 1 || n > tensor.MaxElements {
		c.Fail(attrName("sample_size"), " is ", n, "; it must be at least 1")
	}
	batch := graph.Unknown
	if c.In[0].HasRank {
		batch = c.In[0].Shape[0]
		if c.In[0].Shape[1] == 0 {
			c.Fail("there are no classes to draw from")
		}
	}
	c.Set(0, d, []int{batch, n})
}

// setRandom stores float32 numbers into an output of any floating-point type.
func setRandom(t *tensor.Tensor, v []float32) {
	t.SetFloat64s(tensor.From(v, len(v)).Float64s())
}

func refRandomUniform(c *graph.RefCtx) {
	seed, stream := refStream(c)
	v := make([]float32, c.Out[0].Len())
	simd.FillUniform(v, seed, stream, 0, c.Node.Float("low"), c.Node.Float("high"))
	setRandom(c.Out[0], v)
}

func refRandomNormal(c *graph.RefCtx) {
	seed, stream := refStream(c)
	v := make([]float32, c.Out[0].Len())
	simd.FillNormal(v, seed, stream, 0, c.Node.Float("mean"), c.Node.Float("scale"))
	setRandom(c.Out[0], v)
}

func refBernoulli(c *graph.RefCtx) {
	seed, stream := refStream(c)
	p := c.In[0].Float64s()
	v := make([]float32, len(p))
	simd.FillUniform(v, seed, stream, 0, 0, 1)
	for i, u := range v {
		v[i] = 0
		if float64(u) < p[i] {
			v[i] = 1
		}
	}
	setRandom(c.Out[0], v)
}

// refMultinomial draws by inverting the cumulative distribution, with one number of 48 bits, two words, for each draw.
func refMultinomial(c *graph.RefCtx) {
	seed, stream := refStream(c)
	words := make([]float32, 2*c.Out[0].Len())
	simd.FillUniform(words, seed, stream, 0, 0, 1)
	x, classes, n := c.In[0].Float64s(), c.In[0].Shape()[1], c.Out[0].Shape()[1]
	out, cum := make([]int64, c.Out[0].Len()), make([]float64, classes)
	for b := range c.Out[0].Shape()[0] {
		row, top, sum := x[b*classes:(b+1)*classes], math.Inf(-1), 0.0
		for _, v := range row {
			top = math.Max(top, v)
		}
		for i, v := range row {
			sum += math.Exp(v - top)
			cum[i] = sum
		}
		if !(sum > 0) || math.IsInf(sum, 0) {
			c.Fail("row ", b, " has no distribution: its log probabilities are NaN or infinite")
		}
		for i := range n {
			w := words[2*(b*n+i):]
			u, k := (float64(w[0])+float64(w[1])*0x1p-24)*sum, 0
			for k < classes-1 && u >= cum[k] {
				k++
			}
			out[b*n+i] = int64(k)
		}
	}
	c.Out[0].SetInt64s(out)
}

func lowerRandomUniform(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st := randomStep(b, n, &kRandomUniform, tensor.Size(b.OutShape(0)))
	st.F[0], st.F[1] = n.Float("low"), n.Float("high")
	b.Emit(st)
	return true
}

func lowerRandomNormal(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 {
		return false
	}
	st := randomStep(b, n, &kRandomNormal, tensor.Size(b.OutShape(0)))
	st.F[0], st.F[1] = n.Float("mean"), n.Float("scale")
	b.Emit(st)
	return true
}

func lowerBernoulli(b graph.Builder, n *graph.Node) bool {
	if b.OutType(0) != tensor.Float32 || b.InType(0) != tensor.Float32 {
		return false
	}
	st := randomStep(b, n, &kBernoulli, tensor.Size(b.OutShape(0)))
	st.A[2] = b.In(0)
	b.Emit(st)
	return true
}

func runRandomUniform(w *prog.Worker, st *prog.Step, tile int) {
	seed, stream, lo, hi := stepStream(w, st, tile)
	simd.FillUniform(w.F32(st.A[0].Add(4*lo), hi-lo), seed, stream, uint64(lo), st.F[0], st.F[1])
}

func runRandomNormal(w *prog.Worker, st *prog.Step, tile int) {
	seed, stream, lo, hi := stepStream(w, st, tile)
	simd.FillNormal(w.F32(st.A[0].Add(4*lo), hi-lo), seed, stream, uint64(lo), st.F[0], st.F[1])
}

func runBernoulli(w *prog.Worker, st *prog.Step, tile int) {
	seed, stream, lo, hi := stepStream(w, st, tile)
	y, p := w.F32(st.A[0].Add(4*lo), hi-lo), w.F32(st.A[2].Add(4*lo), hi-lo)
	simd.FillUniform(y, seed, stream, uint64(lo), 0, 1)
	for i, u := range y {
		if u < p[i] {
			y[i] = 1
		} else {
			y[i] = 0
		}
	}
}
