package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefMatMul is ONNX's MatMul, NumPy's matmul: the last two dimensions are matrices, those before broadcast; an operand
// of rank 1 is a row (first) or a column (second) that disappears from the result.
var DefMatMul = graph.Def{
	Name: "MatMul", Since: 13, MinIn: 2, MaxIn: 2, Doc: "matrix product, batched", Infer: inferMatMul, TakesAct: true, FLOPs: flopsProduct,
	Ref: refMatMul, Grad: gradMatMul{}, Lower: lowerMatMul, Fuse: fuseProduct{}, Bias: biasMatMul, Residual: residualProduct,
}

// DefMatMulT is weft.MatMulT: MatMul of operands of rank 2 or more whose matrices may be stored transposed, so that gradients of
// batched products need no transposed copies.
var DefMatMulT = graph.Def{
	Domain: "weft", Name: "MatMulT", MinIn: 2, MaxIn: 2, Doc: "batched matrix product of operands that may be stored transposed", TakesAct: true, FLOPs: flopsProduct,
	Attrs: []graph.AttrDef{{Name: "transA", Kind: graph.AttrInt}, {Name: "transB", Kind: graph.AttrInt}},
	Infer: inferMatMul, Ref: refMatMul, Grad: gradMatMul{}, Lower: lowerMatMul, Body: bodyMatMulT{}, Bias: biasMatMul, Residual: residualProduct,
}

// Inputs of products that only the compiler gives, and Gemm's C.
const productBias, productResidual = 2, 3

func residualProduct(*graph.Node) int { return productResidual }

// biasMatMul: the last dimension of a product of matrices is that of their columns.
func biasMatMul(n *graph.Node) int {
	for _, v := range n.Inputs[:2] {
		if !v.HasRank || len(v.Shape) < 2 {
			return 0
		}
	}
	return productBias
}

// refTerm adds optional input i, a vector along the last dimension or of the output's size.
func refTerm(c *graph.RefCtx, i int, out []float64) {
	if c.Has(i) {
		v := c.In[i].Float64s()
		for k := range out {
			out[k] += v[k%len(v)]
		}
	}
}

// matShape is a matrix product with its batch dimensions.
type matShape struct {
	m, n, k        int
	transA, transB bool
	vecA, vecB     bool // an operand of rank 1
	batchA, batchB []int
	batch          []int // what the two broadcast to
}

// out returns the shape of the result.
func (s *matShape) out() []int {
	sh := append([]int{}, s.batch...)
	if !s.vecA {
		sh = append(sh, s.m)
	}
	if !s.vecB {
		sh = append(sh, s.n)
	}
	return sh
}

// matMulShape works out a product of shapes that may have unknown dimensions.
func matMulShape(n *graph.Node, a, b []int, fail func(parts ...any)) *matShape {
	s := &matShape{transA: n.Int("transA") != 0, transB: n.Int("transB") != 0, vecA: len(a) == 1, vecB: len(b) == 1}
	if len(a) == 0 || len(b) == 0 {
		fail("operands of rank 0 have no matrix product; use Mul")
	}
	if (s.vecA && s.transA) || (s.vecB && s.transB) {
		fail("an operand of rank 1 cannot be transposed")
	}
	ka, kb := 0, 0
	if s.vecA {
		s.m, ka = 1, a[0]
	} else {
		s.batchA = a[:len(a)-2]
		s.m, ka = a[len(a)-2], a[len(a)-1]
		if s.transA {
			s.m, ka = ka, s.m
		}
	}
	if s.vecB {
		kb, s.n = b[0], 1
	} else {
		s.batchB = b[:len(b)-2]
		kb, s.n = b[len(b)-2], b[len(b)-1]
		if s.transB {
			kb, s.n = s.n, kb
		}
	}
	k, ok := sameDim(ka, kb)
	if !ok {
		fail("inner dimensions differ")
	}
	s.k = k
	if s.batch, ok = broadcastShapes(s.batchA, s.batchB); !ok {
		fail("batch dimensions do not broadcast")
	}
	return s
}

func inferMatMul(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantSameType(c, 0, 1)
	if !c.In[0].HasRank || !c.In[1].HasRank {
		c.SetUnranked(0, c.In[0].DType)
		return
	}
	c.Set(0, c.In[0].DType, matMulShape(c.Node, c.In[0].Shape, c.In[1].Shape, c.Fail).out())
}

func refMatMul(c *graph.RefCtx) {
	a, b := c.In[0], c.In[1]
	s := matMulShape(c.Node, a.Shape(), b.Shape(), c.Fail)
	offA, offB := batchOffsets(s.batchA, s.batch, s.m*s.k), batchOffsets(s.batchB, s.batch, s.k*s.n)
	if a.DType().IsInt() {
		va, vb, out := a.Int64sOf(), b.Int64sOf(), make([]int64, c.Out[0].Len())
		for i := range offA {
			refProduct(s, va[offA[i]:], vb[offB[i]:], out[i*s.m*s.n:])
		}
		c.Out[0].SetInt64s(out)
		return
	}
	va, vb, out := a.Float64s(), b.Float64s(), make([]float64, c.Out[0].Len())
	for i := range offA {
		refProduct(s, va[offA[i]:], vb[offB[i]:], out[i*s.m*s.n:])
	}
	refTerm(c, productBias, out)
	refTerm(c, productResidual, out)
	c.Out[0].SetFloat64s(out)
}

// batchOffsets returns where the matrix of every batch element starts in an operand with the given batch dimensions.
func batchOffsets(shape, batch []int, size int) []int {
	st := tensor.BroadcastStrides(shape, batch)
	out := make([]int, tensor.Size(batch))
	for i := range out {
		for r, d := i, len(batch)-1; d >= 0; d-- {
			out[i] += r % batch[d] * st[d] * size
			r /= batch[d]
		}
	}
	return out
}

// refProduct is one matrix product into c, which is zero.
func refProduct[T int64 | float64](s *matShape, a, b, c []T) {
	at := func(v []T, trans bool, rows, cols, i, j int) T {
		if trans {
			return v[j*rows+i]
		}
		return v[i*cols+j]
	}
	for i := range s.m {
		for j := range s.n {
			var sum T
			for p := range s.k {
				sum += at(a, s.transA, s.m, s.k, i, p) * at(b, s.transB, s.k, s.n, p, j)
			}
			c[i*s.n+j] = sum
		}
	}
}

// With A' and B' the operands as multiplied: dA' = dY B'^T, dB' = A'^T dY, summed over broadcast batches. The transposes are
// read in place: Gemm's and MatMulT's transA and transB.
type gradMatMul struct{}

func (gradMatMul) Grad(c *graph.GradCtx) []*graph.Value {
	a, b, dy := c.In(0), c.In(1), c.DY[0]
	if !a.HasRank || !b.HasRank {
		tensor.Fail(c.Node.Describe(), "the gradient needs operands of known rank")
	}
	ta, tb := c.Node.Int("transA") != 0, c.Node.Int("transB") != 0
	ra, rb := len(a.Shape), len(b.Shape)
	a2, b2 := a, b
	if ra == 1 { // a row
		a2, dy = Unsqueeze(a, 0), Unsqueeze(dy, max(len(dy.Shape)-btoi(rb > 1), 0))
	}
	if rb == 1 { // a column
		b2, dy = Unsqueeze(b, 1), Unsqueeze(dy, len(dy.Shape))
	}
	var da, db *graph.Value
	if ta {
		da = matMulT(b2, dy, tb, true)
	} else {
		da = matMulT(dy, b2, false, !tb)
	}
	switch {
	case len(b2.Shape) == 2 && len(a2.Shape) > 2 && !ta:
		// One product over all rows of the batch in place of a sum of products.
		fa, fy := Flatten(a2, len(a2.Shape)-1), Flatten(dy, len(dy.Shape)-1)
		if tb {
			db = matMulT(fy, fa, true, false)
		} else {
			db = matMulT(fa, fy, true, false)
		}
	case tb:
		db = matMulT(dy, a2, true, ta)
	default:
		db = matMulT(a2, dy, !ta, false)
	}
	return []*graph.Value{ReshapeLike(SumTo(da, a2), a), ReshapeLike(SumTo(db, b2), b)}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// matMulT multiplies op(a) and op(b) by the plainest operator: MatMul, Gemm for matrices, else MatMulT.
func matMulT(a, b *graph.Value, ta, tb bool) *graph.Value {
	switch {
	case !ta && !tb:
		return MatMul(a, b)
	case len(a.Shape) == 2 && len(b.Shape) == 2 && isFloat(a.DType):
		return Gemm(a, b, nil, GemmOptions{TransA: ta, TransB: tb})
	}
	return MatMulT(a, b, ta, tb)
}

type bodyMatMulT struct{}

func (bodyMatMulT) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	swap := func(v *graph.Value) *graph.Value {
		if !v.HasRank {
			tensor.Fail(n.Describe(), "the rank must be known to express it by ONNX operators")
		}
		r := len(v.Shape)
		perm := make([]int, r)
		for i := range perm {
			perm[i] = i
		}
		perm[r-1], perm[r-2] = r-2, r-1
		return Transpose(v, perm...)
	}
	a, b := in[0], in[1]
	if n.Int("transA") != 0 {
		a = swap(a)
	}
	if n.Int("transB") != 0 {
		b = swap(b)
	}
	return []*graph.Value{MatMul(a, b)}
}

// MatMul returns the matrix product of a[...,M,K] and b[...,K,N], batch dimensions broadcast.
func MatMul(a, b *graph.Value) *graph.Value { return binary(&DefMatMul, a, b) }

// MatMulT is MatMul of operands of rank 2 or more; transA says that a is stored as [...,K,M], transB that b is as [...,N,K].
func MatMulT(a, b *graph.Value, transA, transB bool) *graph.Value {
	return a.G.Add(&DefMatMulT, []graph.Attr{graph.Bool("transA", transA), graph.Bool("transB", transB)}, a, b)
}
