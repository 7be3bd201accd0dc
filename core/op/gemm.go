package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// DefGemm is ONNX's Gemm: Y = alpha*op(A)*op(B) + beta*C of matrices, C broadcast to Y's shape.
var DefGemm = graph.Def{
	Name: "Gemm", Since: 13, MinIn: 2, MaxIn: 3, Doc: "alpha*op(A)*op(B) + beta*C", TakesAct: true,
	Attrs: []graph.AttrDef{
		{Name: "alpha", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}},
		{Name: "beta", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1}},
		{Name: "transA", Kind: graph.AttrInt},
		{Name: "transB", Kind: graph.AttrInt},
	},
	Infer: inferGemm, Ref: refGemm, Grad: gradGemm{}, Lower: lowerGemm, FLOPs: flopsProduct, Upgrade: upgradeGemm, Absorb: absorbGemm{},
	Bias: biasGemm, Residual: residualProduct,
}

// biasGemm: C may be a vector that was added behind the product.
func biasGemm(n *graph.Node) int {
	if n.Float("beta") != 1 {
		return 0
	}
	return 2
}

// upgradeGemm drops the broadcast flag of opsets before 7: C now always broadcasts.
func upgradeGemm(c *graph.UpgradeCtx) { c.Remove("broadcast") }

func inferGemm(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1, 2)
	wantRank(c, 0, 2)
	wantRank(c, 1, 2)
	unknown := []int{graph.Unknown, graph.Unknown}
	a, b := unknown, unknown
	if c.In[0].HasRank {
		a = c.In[0].Shape
	}
	if c.In[1].HasRank {
		b = c.In[1].Shape
	}
	out := matMulShape(c.Node, a, b, c.Fail).out()
	if c.Has(2) && c.In[2].HasRank {
		sh, ok := broadcastShapes(out, c.In[2].Shape)
		if !ok || len(sh) != 2 || (out[0] == 1 && sh[0] > 1) || (out[1] == 1 && sh[1] > 1) {
			c.Fail("the third input does not broadcast to the product")
		}
		// C never widens the product, but it may know a size that the product does not.
		out = sh
	}
	c.Set(0, c.In[0].DType, out)
}

func refGemm(c *graph.RefCtx) {
	s := matMulShape(c.Node, c.In[0].Shape(), c.In[1].Shape(), c.Fail)
	a, b, out := c.In[0].Float64s(), c.In[1].Float64s(), make([]float64, s.m*s.n)
	refProduct(s, a, b, out)
	alpha, beta := float64(c.Node.Float("alpha")), float64(c.Node.Float("beta"))
	for i := range out {
		out[i] *= alpha
	}
	if c.Has(2) {
		for i, v := range c.In[2].Expand(s.m, s.n).Float64s() {
			out[i] += beta * v
		}
	}
	refTerm(c, productResidual, out)
	c.Out[0].SetFloat64s(out)
}

// dA' = alpha * dY B'^T, dB' = alpha * A'^T dY, dC = beta * dY summed to C's shape; A' and B' are the operands as multiplied.
type gradGemm struct{}

func (gradGemm) Grad(c *graph.GradCtx) []*graph.Value {
	a, b, dy := c.In(0), c.In(1), c.DY[0]
	ta, tb := c.Node.Int("transA") != 0, c.Node.Int("transB") != 0
	alpha, beta := c.Node.Float("alpha"), c.Node.Float("beta")
	var da, db, dc *graph.Value
	if ta {
		da = Gemm(b, dy, nil, GemmOptions{TransA: tb, TransB: true, Alpha: alpha})
	} else {
		da = Gemm(dy, b, nil, GemmOptions{TransB: !tb, Alpha: alpha})
	}
	if tb {
		db = Gemm(dy, a, nil, GemmOptions{TransA: true, TransB: ta, Alpha: alpha})
	} else {
		db = Gemm(a, dy, nil, GemmOptions{TransA: !ta, Alpha: alpha})
	}
	if bias := c.In(2); bias != nil {
		dc = SumTo(dy, bias)
		if beta != 1 {
			dc = Mul(dc, ConstLike(dc, float64(beta)))
		}
	}
	return []*graph.Value{da, db, dc}
}

// GemmOptions are the settings of [Gemm]. The zero value is A*B + C.
type GemmOptions struct {
	TransA, TransB bool    // the operand is stored transposed
	Alpha          float32 // factor of the product; 0: 1
	Beta           float32 // factor of C; 0: 1
}

// Gemm returns alpha*op(a)*op(b) + beta*c: a is [M,K] ([K,M] under TransA), b is [K,N] ([N,K] under TransB), and c, which may
// be nil, broadcasts to [M,N].
func Gemm(a, b, c *graph.Value, o GemmOptions) *graph.Value {
	var attrs []graph.Attr
	if o.Alpha != 0 && o.Alpha != 1 {
		attrs = append(attrs, graph.Float("alpha", o.Alpha))
	}
	if o.Beta != 0 && o.Beta != 1 {
		attrs = append(attrs, graph.Float("beta", o.Beta))
	}
	if o.TransA {
		attrs = append(attrs, graph.Bool("transA", true))
	}
	if o.TransB {
		attrs = append(attrs, graph.Bool("transB", true))
	}
	if c == nil {
		return a.G.Add(&DefGemm, attrs, a, b)
	}
	return a.G.Add(&DefGemm, attrs, a, b, c)
}
