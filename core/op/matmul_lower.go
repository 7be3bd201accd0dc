package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A Gemm step: A = {C, A, B, BiasN, BiasM, residual}; N = {M, N, K, flags, matrices, tiles per matrix, batch rank, then dimension, stride of A and
// stride of B for each batch dimension}; F = {lo, hi}. Strides are in elements.
const (
	gemmTransA = 1 << iota
	gemmTransB
	gemmAcc
	gemmPacked   // B is packed
	gemmActShift = 8
	gemmBatch    = 7 // where the batch dimensions start in N
	gemmMaxBatch = 7
)

var (
	kGemm     = prog.Kernel{Name: "Gemm", Run: runGemm, Large: true}
	kGemmPack = prog.Kernel{Name: "GemmPack", Run: runGemmPack}
)

// runGemmPack packs op(B) = A[1], N = {K, N, transposed}, to A[0].
func runGemmPack(w *prog.Worker, s *prog.Step, tile int) {
	k, n, ld := int(s.N[0]), int(s.N[1]), int(s.N[1])
	if s.N[2] != 0 {
		ld = k
	}
	simd.GemmPackB(w.F32(s.A[0], simd.GemmPackBSize(k, n)), w.F32(s.A[1], k*n), ld, s.N[2] != 0, k, n)
}

// gemmArgs sets the sizes and flags of a step's products.
func gemmArgs(g *simd.GemmArgs, s *prog.Step) {
	f := s.N[3]
	g.M, g.N, g.K = int(s.N[0]), int(s.N[1]), int(s.N[2])
	g.TransA, g.TransB, g.Acc = f&gemmTransA != 0, f&gemmTransB != 0, f&gemmAcc != 0
	g.LDA, g.LDB, g.LDC = g.K, g.N, g.N
	if g.TransA {
		g.LDA = g.M
	}
	if g.TransB {
		g.LDB = g.K
	}
	g.Act, g.Lo, g.Hi = simd.Act(f>>gemmActShift), s.F[0], s.F[1]
}

func runGemm(w *prog.Worker, s *prog.Step, tile int) {
	var g simd.GemmArgs
	gemmArgs(&g, s)
	g.BiasN, g.BiasM = w.F32(s.A[3], g.N), w.F32(s.A[4], g.M)
	mats, per := int(s.N[4]), int(s.N[5])
	sizeA, sizeB, sizeC := g.M*g.K, g.K*g.N, g.M*g.N
	packed := s.N[3]&gemmPacked != 0 // then there is one matrix B
	if packed {
		sizeB = simd.GemmPackBSize(g.K, g.N)
	}
	scratch := w.ScratchF32(int(s.Worker) / 4)
	from, to := tile/per, tile/per+1
	if per == 1 {
		from, to = prog.Span(mats, 1, tile, int(s.Tiles))
	}
	for i := from; i < to; i++ {
		offA, offB := 0, 0
		for r, d := i, int(s.N[6])-1; d >= 0; d-- {
			n := int(s.N[gemmBatch+3*d])
			offA += r % n * int(s.N[gemmBatch+3*d+1])
			offB += r % n * int(s.N[gemmBatch+3*d+2])
			r /= n
		}
		g.A, g.B, g.C = w.F32(s.A[1].Add(4*offA), sizeA), w.F32(s.A[2].Add(4*offB), sizeB), w.F32(s.A[0].Add(4*i*sizeC), sizeC)
		if packed {
			g.PackedB = g.B
		}
		if s.A[5] != prog.None {
			g.Res = w.F32(s.A[5].Add(4*i*sizeC), sizeC)
		}
		if per == 1 {
			simd.Gemm(&g, scratch)
		} else {
			simd.GemmTile(&g, tile%per, per, scratch)
		}
	}
}

// product is a batch of matrix products to be emitted.
type matProduct struct {
	*matShape
	node         *graph.Node
	a, b, c      prog.Ref
	biasN, biasM prog.Ref
	res          prog.Ref
	acc          bool
	weight       int // number of the input that b is, 0 for none
	act          graph.Act
}

// emit appends the step of a product; false when the batch dimensions cannot be described.
func (p *matProduct) emit(b graph.Builder) bool {
	s := prog.Step{Kernel: &kGemm, Tiles: 1}
	s.A[0], s.A[1], s.A[2], s.A[3], s.A[4], s.A[5] = p.c, p.a, p.b, p.biasN, p.biasM, p.res
	dims, sa, sb := p.mergedBatch()
	// A stack of row vectors or matrices against one matrix is one tall product.
	m, mats := p.m, tensor.Size(p.batch)
	if len(dims) == 1 && sb[0] == 0 && !p.transA && sa[0] == p.m*p.k {
		m, mats, dims = m*mats, 1, nil
	}
	if mats == 0 || m == 0 || p.n == 0 {
		return true
	}
	if len(dims) > gemmMaxBatch {
		return false
	}
	var flags int32
	if p.transA {
		flags |= gemmTransA
	}
	if p.transB {
		flags |= gemmTransB
	}
	if p.acc {
		flags |= gemmAcc
	}
	flags |= int32(p.act.Code) << gemmActShift
	p.checkSizes(b, m, p.n, p.k, mats)
	p.checkSizes(b, dims...)
	p.checkSizes(b, sa...)
	p.checkSizes(b, sb...)
	s.N[0], s.N[1], s.N[2], s.N[3], s.N[4] = int32(m), int32(p.n), int32(p.k), flags, int32(mats)
	s.N[6] = int32(len(dims))
	for d := range dims {
		s.N[gemmBatch+3*d], s.N[gemmBatch+3*d+1], s.N[gemmBatch+3*d+2] = int32(dims[d]), int32(sa[d]), int32(sb[d])
	}
	s.F[0], s.F[1] = p.act.Lo, p.act.Hi
	var g simd.GemmArgs
	gemmArgs(&g, &s)
	if p.weight > 0 && mats == 1 && b.Keeps(p.weight) && simd.GemmPrepacks(&g) {
		g.PackedB = []float32{0} // that there is one is all that counts here
		s.N[3] |= gemmPacked
		s.A[2] = b.Pack(p.weight, 4*simd.GemmPackBSize(g.K, g.N), prog.Step{Kernel: &kGemmPack, N: [28]int32{s.N[2], s.N[1], int32(btoi(p.transB))}})
	}
	s.Worker = int32(4 * simd.GemmScratch(&g))
	per := simd.GemmTiles(&g, b.Threads())
	if mats > 1 {
		total := simd.GemmTiles(&simd.GemmArgs{M: mats * g.M, N: g.N, K: g.K}, b.Threads()) // as much work in one product
		if per = 1; mats < total {
			per = max(total/mats, 1)
		}
		s.Tiles = int32(min(total, mats))
	}
	s.N[5] = int32(per)
	if per > 1 {
		s.Tiles = int32(mats * per)
	}
	b.Emit(s)
	return true
}

// checkSizes fails where a size or stride is too large for a step.
func (p *matProduct) checkSizes(b graph.Builder, sizes ...int) {
	for _, n := range sizes {
		if n > math.MaxInt32 {
			e := tensor.Err(p.node.Describe(), "the size or stride ", n, " is larger than the ", math.MaxInt32, " that a step can count")
			e.Shapes = [][]int{b.InShape(0), b.InShape(1)}
			panic(e)
		}
	}
}

// mergedBatch returns the batch dimensions with the element strides of both operands, neighbours merged where both allow it.
func (p *matProduct) mergedBatch() (dims, sa, sb []int) {
	fa, fb := tensor.BroadcastStrides(p.batchA, p.batch), tensor.BroadcastStrides(p.batchB, p.batch)
	for i, d := range p.batch {
		if d == 1 {
			continue
		}
		x, y := fa[i]*p.m*p.k, fb[i]*p.k*p.n
		if l := len(dims) - 1; l >= 0 && sa[l] == x*d && sb[l] == y*d {
			dims[l], sa[l], sb[l] = dims[l]*d, x, y
			continue
		}
		dims, sa, sb = append(dims, d), append(sa, x), append(sb, y)
	}
	return dims, sa, sb
}

func lowerMatMul(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	s := matMulShape(n, b.InShape(0), b.InShape(1), func(parts ...any) { panic(tensor.Err(n.Describe(), parts...)) })
	p := &matProduct{matShape: s, node: n, a: b.In(0), b: b.In(1), c: b.Out(0), weight: 1, biasN: optional(b, productBias), biasM: prog.None, res: optional(b, productResidual), act: b.Epilogue()}
	return p.emit(b)
}

func lowerGemm(b graph.Builder, n *graph.Node) bool {
	if b.InType(0) != tensor.Float32 {
		return false
	}
	s := matMulShape(n, b.InShape(0), b.InShape(1), func(parts ...any) { panic(tensor.Err(n.Describe(), parts...)) })
	p := &matProduct{matShape: s, node: n, a: b.In(0), b: b.In(1), c: b.Out(0), weight: 1, biasN: prog.None, biasM: prog.None, res: optional(b, productResidual), act: b.Epilogue()}
	if alpha := n.Float("alpha"); alpha != 1 {
		// Scale the smaller operand.
		if i, size := 0, s.m*s.k; s.n < s.m {
			i, size = 1, s.k*s.n
			p.b, p.weight = emitScaled(b, b.In(i), size, alpha), 0
		} else {
			p.a = emitScaled(b, b.In(i), size, alpha)
		}
	}
	if b.NumIn() > 2 && b.In(2) != prog.None {
		beta, sh := n.Float("beta"), b.InShape(2)
		rows, cols := 1, 1
		if len(sh) > 0 {
			cols = sh[len(sh)-1]
		}
		if len(sh) > 1 {
			rows = sh[len(sh)-2]
		}
		bias := b.In(2)
		if beta != 1 {
			bias = emitScaled(b, bias, rows*cols, beta)
		}
		switch {
		case rows == 1 && cols == s.n:
			p.biasN = bias
		case cols == 1 && rows == s.m:
			p.biasM = bias
		default: // a scalar, or the whole matrix: C starts with it
			p.acc = true
			emitGemmC(b, p.c, bias, s.m, s.n, rows, cols)
		}
	}
	return p.emit(b)
}

var (
	kScale = prog.Kernel{Name: "Scale", Run: runScale}
	kFillC = prog.Kernel{Name: "GemmC", Run: runFillC}
)

// emitScaled emits f*x of n elements into scratch and returns its address.
func emitScaled(b graph.Builder, x prog.Ref, n int, f float32) prog.Ref {
	to := b.Scratch(4 * n)
	s := prog.Step{Kernel: &kScale, Tiles: elemTiles(n)}
	s.A[0], s.A[1], s.N[0], s.F[0] = to, x, int32(n), f
	b.Emit(s)
	return to
}

func runScale(w *prog.Worker, s *prog.Step, tile int) {
	n := int(s.N[0])
	lo, hi := prog.Span(n, lineElems, tile, int(s.Tiles))
	simd.Map(simd.MulC, w.F32(s.A[0], n)[lo:hi], w.F32(s.A[1], n)[lo:hi], s.F[0], 0)
}

// emitGemmC emits c[m,n] = x[rows,cols] broadcast.
func emitGemmC(b graph.Builder, c, x prog.Ref, m, n, rows, cols int) {
	s := prog.Step{Kernel: &kFillC, Tiles: 1}
	s.A[0], s.A[1] = c, x
	s.N[0], s.N[1], s.N[2], s.N[3] = int32(m), int32(n), int32(rows), int32(cols)
	b.Emit(s)
}

func runFillC(w *prog.Worker, s *prog.Step, tile int) {
	m, n, rows, cols := int(s.N[0]), int(s.N[1]), int(s.N[2]), int(s.N[3])
	c, x := w.F32(s.A[0], m*n), w.F32(s.A[1], rows*cols)
	for i := range m {
		row := x[i%rows*cols:][:cols]
		if cols == 1 {
			simd.Fill(c[i*n:i*n+n], row[0])
		} else {
			copy(c[i*n:i*n+n], row)
		}
	}
}
