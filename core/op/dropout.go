package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// DefDropout is ONNX's Dropout (Srivastava et al., JMLR 2014): when training_mode (input 2) holds, elements become 0 with the
// probability ratio (input 1, 0.5 when omitted) and the others are multiplied by 1/(1-ratio); else nothing happens. Output 1 is the mask of what
// was kept. The elements of the uniform sequence of the node and step decide: those below ratio are dropped.
var DefDropout = graph.Def{
	Name: "Dropout", Since: 22, MinIn: 1, MaxIn: 3, MaxOut: 2, Doc: "drop elements at random while training", Random: true, HostInputs: []int{1, 2},
	Attrs: []graph.AttrDef{{Name: "seed", Kind: graph.AttrInt}},
	Infer: inferDropout, Ref: refDropout, Grad: gradDropout{}, Lower: lowerDropout, Same: sameDropout, Upgrade: upgradeDropout,
}

// Dropout zeroes elements of x with probability rate, 0 <= rate < 1, and multiplies the others by 1/(1-rate). The choice follows from the
// seed and the number of the run and from the node.
func Dropout(x *graph.Value, rate float32) *graph.Value {
	yes := tensor.New(tensor.Bool)
	yes.Bytes()[0] = 1
	return x.G.Add(&DefDropout, nil, x, ConstLike(x, float64(rate)), x.G.Const(yes))
}

// upgradeDropout turns the attribute ratio of opsets before 12 into an input. Those opsets drop only where is_test = 0 (before 7).
func upgradeDropout(c *graph.UpgradeCtx) {
	a, test := c.Attr("ratio"), c.Attr("is_test")
	if c.Version < 12 {
		ratio := 0.5
		if a != nil {
			ratio = float64(a.F)
		}
		in := []*graph.Value{c.Inputs[0], ConstLike(c.Inputs[0], ratio)}
		if c.Version < 7 && (test == nil || test.I == 0) {
			yes := tensor.New(tensor.Bool)
			yes.Bytes()[0] = 1
			in = append(in, c.G.Const(yes))
		}
		c.Inputs = in
	}
	c.Remove("ratio")
	c.Remove("is_test")
	c.Remove("consumed_inputs")
}

func inferDropout(c *graph.InferCtx) {
	wantFloat(c, 0)
	if c.Has(1) {
		wantFloat(c, 1)
		wantScalar(c, 1)
		if t := c.In[1].Const; t != nil {
			if r := t.Float64s()[0]; !(r >= 0 && r < 1) {
				c.Fail("the ratio must be at least 0 and less than 1, not ", float32(r))
			}
		}
	}
	if c.Has(2) {
		wantBool(c, 2)
		wantScalar(c, 2)
	}
	setLike(c, 0, c.In[0].DType, c.In[0])
	if len(c.Out) > 1 {
		setLike(c, 1, tensor.Bool, c.In[0])
	}
}

// dropRatio returns the ratio that holds given inputs 1 and 2: 0 when not training.
func dropRatio(ratio, training *tensor.Tensor) float32 {
	if training == nil || training.Bytes()[0] == 0 {
		return 0
	}
	if ratio == nil {
		return 0.5
	}
	return float32(ratio.Float64s()[0])
}

func sameDropout(n *graph.Node, in, out []graph.Type) bool {
	given := func(i int) bool { return i < len(in) && in[i].DType != tensor.Undefined }
	if !given(2) {
		return true
	}
	if in[2].Const == nil {
		return false
	}
	if in[2].Const.Bytes()[0] == 0 {
		return true
	}
	return given(1) && in[1].Const != nil && in[1].Const.Float64s()[0] == 0
}

func dropSeed(n *graph.Node) (uint64, bool) { return uint64(uint32(n.Int("seed"))), n.HasAttr("seed") }

func refDropout(c *graph.RefCtx) {
	ratio := dropRatio(inputAt(c, 1), inputAt(c, 2))
	x := c.In[0].Float64s()
	mask := make([]int64, len(x))
	u := make([]float32, len(x))
	if ratio > 0 {
		var st graph.RandState
		if c.Rand != nil {
			st = *c.Rand
		}
		if own, ok := dropSeed(c.Node); ok {
			st.Seed = own
		}
		simd.FillUniform(u, st.Seed, nodeStream(st.Step, uint64(c.Node.ID)), 0, 0, 1)
	}
	scale := float64(1 / (1 - ratio))
	for i := range x {
		if u[i] >= ratio {
			mask[i] = 1
			x[i] *= scale
		} else {
			x[i] = 0
		}
	}
	if c.Wants(0) {
		c.Out[0].SetFloat64s(x)
	}
	if c.Wants(1) {
		c.Out[1].SetInt64s(mask)
	}
}

// dx = mask ? dy/(1-ratio) : 0.
type gradDropout struct{}

func (gradDropout) Grad(c *graph.GradCtx) []*graph.Value {
	dy, ratio, training := c.DY[0], c.In(1), c.In(2)
	if dy == nil || training == nil {
		return []*graph.Value{dy}
	}
	one := ConstLike(dy, 1)
	if ratio == nil {
		ratio = ConstLike(dy, 0.5)
	}
	var scale *graph.Value
	if r, t := ratio.Const, training.Const; r != nil && t != nil {
		if t.Bytes()[0] == 0 {
			return []*graph.Value{dy}
		}
		scale = ConstLike(dy, float64(1/(1-dropRatio(r, t))))
	} else {
		scale = Where(scalarOf(training), Reciprocal(Sub(one, scalarOf(Cast(ratio, dy.DType)))), one)
	}
	return []*graph.Value{Where(extraOutput(c.Node, 1), Mul(dy, scale), ConstLike(dy, 0))}
}

var kDropout = prog.Kernel{Name: "Dropout", Run: runDropout}

func lowerDropout(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	var ratio, training *tensor.Tensor
	for i, t := range []**tensor.Tensor{&ratio, &training} {
		if optional(b, 1+i) == prog.None {
			continue
		}
		if *t = b.InConst(1 + i); *t == nil {
			return false
		}
	}
	size := tensor.Size(b.InShape(0))
	if size == 0 {
		return true
	}
	s := randomStep(b, n, &kDropout, size)
	if own, ok := dropSeed(n); ok {
		s.N[1], s.N[2] = 1, int32(uint32(own))
	}
	s.A[0], s.A[2], s.A[3] = orScratch(b, 0, size), b.In(0), prog.None
	if b.NumOut() > 1 {
		s.A[3] = b.Out(1)
	}
	s.F[0] = dropRatio(ratio, training)
	s.F[1] = 1 / (1 - s.F[0])
	b.Emit(s)
	return true
}

// runDropout fills in the numbers block by block: they are compared while they are in the cache.
func runDropout(w *prog.Worker, s *prog.Step, tile int) {
	seed, stream, lo, hi := stepStream(w, s, tile)
	ratio, scale := s.F[0], s.F[1]
	const block = 4096
	for at := lo; at < hi; at += block {
		n := min(block, hi-at)
		y, x := w.F32(s.A[0].Add(4*at), n), w.F32(s.A[2].Add(4*at), n)
		simd.FillUniform(y, seed, stream, uint64(at), 0, 1)
		if s.A[3] == prog.None {
			for i, u := range y {
				y[i] = 0
				if u >= ratio {
					y[i] = x[i] * scale
				}
			}
			continue
		}
		mask := w.Bytes(s.A[3].Add(at), n)
		for i, u := range y {
			y[i], mask[i] = 0, 0
			if u >= ratio {
				y[i], mask[i] = x[i]*scale, 1
			}
		}
	}
}
