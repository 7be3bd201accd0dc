package simd

import "math"

// AttentionBlock is how many queries and how many keys attention works on at a time. It is part of the kernels' contract.
const AttentionBlock = 64

// Attention describes scaled dot-product attention (Vaswani et al., 2017) of one head:
//
//	S[q,k] = Scale * Q[q,:] . K[k,:],  Cap*tanh(S/Cap) where Cap > 0,  + Mask[q,k],  -Inf where query q may not see key k
//	O[q,:] = sum_k P[q,k] * V[k,:],    P[q,:] = e**S[q,:] / sum_k e**S[q,k]
//
// Matrices are row-major with leading dimensions, so heads are read where they lie in [batch, sequence, heads, size]. A query that sees no key gets
// zeros, and passes no gradient on. The scores are never in memory as a whole: they are computed block by block and a running
// maximum and sum are kept (Milakov, Gimelshein, 2018; Dao et al., 2022).
//
// Order: queries and keys are cut into blocks of AttentionBlock, both from the first on. Q is multiplied by Scale (Scale/Cap) first. A block of scores
// is a matrix product in the order of [GemmArgs]. For each query, over the blocks of keys in order, up to the last that any query of the block may see:
// the new maximum m' is that of m and the block's scores, in order; a = e**(m-m'), m' being taken as 0 where it is -Inf; the sum becomes
// l*a, to which the block's e**(S-m') are added in order; O becomes O*a + the product of the block with V in the order of GemmArgs
// under Acc (the first block replaces O). At the end O is multiplied by the correctly rounded 1/l, and LSE = m + log(l).
//
// Under Drop > 0 probability (q,k), once it is in the sum, is dropped where the [FillUniform] in [0, 1) of word First + q*DropKeys + k of the sequence (Seed, Stream) is below
// Drop, else multiplied by 1/(1-Drop); in the gradient the products dO . V likewise.
//
// Blocks that the diagonal of Causal cuts are computed in parts of 16 queries or more, without the keys that all of a part do not see: their probabilities are zeros,
// which change no sum, so that the bits are those of the whole block wherever the operands are finite.
//
// The gradient recomputes P = e**(S-LSE), LSE being the accumulator's bias of the product (added after the sum over k; under a cap subtracted from
// the capped scores), before the mask is added. D = dO . O is a [Dot]; dS = P * (Scale*dO . V + (-Scale*D)), under a cap times 1-tanh**2. DV += P^T dO, DK += dS^T Q
// and DQ += dS K are products under Acc, from zeros: DQ over the blocks of keys in order, DK and DV over the blocks of queries in order.
type Attention struct {
	Queries, Keys      int // Keys that exist: later ones are not read
	D, DV              int // sizes of a head of Q and K, of V and O
	Q, K, V, O         []float32
	LDQ, LDK, LDV, LDO int
	LSE                []float32 // [Queries]; +Inf for a query that sees no key
	Scale, Cap         float32   // Cap 0: none
	Causal             bool      // query i sees keys up to i+Offset
	Offset             int
	// At most one of Mask (added) and Allowed (0: not seen) is given; element (q, k) is at q*MaskQ + k*MaskK, either stride may
	// be 0.
	Mask         []float32
	Allowed      []byte
	MaskQ, MaskK int

	Drop                float32 // rate at which probabilities are dropped
	DropKeys            int     // words of a query
	Seed, Stream, First uint64

	// Of the gradient; dO has the layout of O, the others those of Q, K and V.
	GO, GQ, GK, GV []float32
}

// attentionMemory is how a worker's scratch is divided.
type attentionMemory struct {
	q, do         []float32 // packed blocks of Q and dO
	s, p, c       []float32 // scores or probabilities, their gradient, tanh under a cap: [keys][queries]
	o             []float32 // a block of O, forwards
	m, l, a, x    []float32 // per query
	mask, product []float32
	drop, draw    []float32 // factors of the probabilities, [keys][queries], and the numbers that they come from
}

const attentionStats = 4 * AttentionBlock

// AttentionScratch returns how many float32 of scratch AttentionForward needs, or AttentionBackward.
func AttentionScratch(a *Attention, backward bool) int {
	n := min(AttentionBlock, a.Queries)
	nk := min(AttentionBlock, a.Keys)
	block := AttentionBlock * AttentionBlock
	size := a.packed(a.D) + 2*block + attentionStats
	if a.Drop > 0 {
		size += block + dropDraw
	}
	if !backward {
		size += n * a.DV
	} else {
		size += a.packed(a.DV) + block
		if a.Cap > 0 {
			size += block
		}
	}
	// Parts of a block that the diagonal cuts have fewer rows, of which a product of few may need more than one of many.
	sizes := [5]int{AttentionBlock, 0, 0, 0, 0}
	if a.Causal {
		sizes = [5]int{AttentionBlock, 0, 16, 8, 4}
	}
	most := 0
	for i, q := range sizes {
		if q = min(q, n); i == 1 {
			q = a.Queries % AttentionBlock
		}
		for i, k := range sizes {
			if k = min(k, nk); i == 1 {
				k = a.Keys % AttentionBlock
			}
			if q > 0 && k > 0 {
				most = max(most, a.productScratch(q, k, backward))
			}
		}
	}
	return size + most
}

// productScratch returns what the products of q queries and k keys need.
func (a *Attention) productScratch(q, k int, backward bool) int {
	var g GemmArgs
	a.scores(&g, q, k)
	most := GemmScratch(&g)
	a.values(&g, q, k)
	most = max(most, GemmScratch(&g))
	if backward {
		a.gradients(&g, q, k)
		most = max(most, GemmScratch(&g))
		a.gradV(&g, q, k)
		most = max(most, GemmScratch(&g))
		a.gradK(&g, q, k)
		most = max(most, GemmScratch(&g))
		a.gradQ(&g, q, k)
		most = max(most, GemmScratch(&g))
	}
	return most
}

// packed returns the room for a packed block of queries of size d.
func (a *Attention) packed(d int) int {
	n := min(AttentionBlock, a.Queries)
	size := GemmPackBSize(d, n)
	if r := a.Queries % AttentionBlock; r != 0 {
		size = max(size, GemmPackBSize(d, r))
	}
	return max(size, d)
}

func (a *Attention) memory(m *attentionMemory, scratch []float32, backward bool) {
	const block = AttentionBlock * AttentionBlock
	m.q, scratch = cut(scratch, a.packed(a.D))
	m.s, scratch = cut(scratch, block)
	m.m, scratch = cut(scratch, AttentionBlock)
	m.l, scratch = cut(scratch, AttentionBlock)
	m.a, scratch = cut(scratch, AttentionBlock)
	m.x, scratch = cut(scratch, AttentionBlock)
	m.mask, scratch = cut(scratch, block)
	if a.Drop > 0 {
		m.drop, scratch = cut(scratch, block)
		m.draw, scratch = cut(scratch, dropDraw)
	}
	if !backward {
		m.o, scratch = cut(scratch, min(AttentionBlock, a.Queries)*a.DV)
	} else {
		m.do, scratch = cut(scratch, a.packed(a.DV))
		m.p, scratch = cut(scratch, block)
		if a.Cap > 0 {
			m.c, scratch = cut(scratch, block)
		}
	}
	m.product = scratch
}

// cut returns the first n elements and the rest.
func cut(s []float32, n int) (head, rest []float32) { return s[:n:n], s[n:] }

// The products of a block of q queries and k keys: sizes and flags. Scores and their like are [keys][queries], so that maxima and sums
// of a query run down a column, lanes being queries; rows are columns(q) apart. A single query reads the keys as a transposed operand.

// columns returns the width of a block of scores of q queries: whole vectors of every set.
func columns(q int) int {
	if q == 1 {
		return 1
	}
	return (q + 15) &^ 15
}

func (a *Attention) scores(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: k, N: q, K: a.D, LDA: a.LDK, LDB: a.LDQ, TransB: true, LDC: columns(q)}
	if q == 1 {
		*g = GemmArgs{M: 1, N: k, K: a.D, LDA: a.D, LDB: a.LDK, TransB: true, LDC: k}
	}
}

func (a *Attention) values(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: q, N: a.DV, K: k, LDA: columns(q), TransA: q > 1, LDB: a.LDV, LDC: a.LDO, Acc: true}
	if q == 1 {
		g.LDA = k
	}
}

func (a *Attention) gradients(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: k, N: q, K: a.DV, LDA: a.LDV, LDB: a.LDO, TransB: true, LDC: columns(q)}
}

func (a *Attention) gradV(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: k, N: a.DV, K: q, LDA: columns(q), LDB: a.LDO, LDC: a.LDV, Acc: true}
}

func (a *Attention) gradK(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: k, N: a.D, K: q, LDA: columns(q), LDB: a.LDQ, LDC: a.LDK, Acc: true}
}

func (a *Attention) gradQ(g *GemmArgs, q, k int) {
	*g = GemmArgs{M: q, N: a.D, K: k, LDA: columns(q), TransA: true, LDB: a.LDK, LDC: a.LDQ, Acc: true}
}

// factor returns what Q is multiplied by.
func (a *Attention) factor() float32 {
	if a.Cap > 0 {
		return a.Scale / a.Cap
	}
	return a.Scale
}

// seen returns how many keys a block of q queries from i on reads.
func (a *Attention) seen(i, q int) int {
	n := a.Keys
	if a.Causal {
		n = min(n, i+q+a.Offset)
	}
	return max(n, 0)
}

// pack packs q rows of d elements, ld apart, as the transposed right operand of a product, times f.
func (a *Attention) pack(dst, x []float32, ld, q, d int, f float32) []float32 {
	dst = dst[:GemmPackBSize(d, q)]
	GemmPackB(dst, x, ld, true, d, q)
	Map(MulC, dst, dst, f, 0)
	return dst
}

// attentionUnit is how many queries, at least, the parts of a block have that the diagonal of a causal mask cuts.
const attentionUnit = 16

// partUnit returns how many queries such a part has: whole panels of packed queries.
func partUnit() int { return max(attentionUnit, current.gemm.nr) }

// upTo returns how many of the k keys from j on the queries before c of the block from i on see.
func (a *Attention) upTo(i, j, k, c int) int {
	if !a.Causal {
		return k
	}
	return min(k, max(i+c+a.Offset-j, 0))
}

// nextQueries returns the end of the part of a block's q queries that starts at c: all that are left where the first of them sees all k keys from j on.
func (a *Attention) nextQueries(i, j, k, c, q int) int {
	if a.upTo(i, j, k, c+1) == k {
		return q
	}
	return min(c+partUnit(), q)
}

// AttentionForward computes the rows of O and LSE of one block of queries.
func AttentionForward(a *Attention, block int, scratch []float32) {
	var mem attentionMemory
	a.memory(&mem, scratch, false)
	i := block * AttentionBlock
	q := min(AttentionBlock, a.Queries-i)
	keys := a.seen(i, q)
	w := columns(q)
	m, l, o := mem.m[:w], mem.l[:w], mem.o[:q*a.DV]
	Fill(m, -inf32)
	Fill(l, 0)
	var packed []float32
	if keys > 0 {
		if q == 1 {
			packed = mem.q[:a.D]
			Map(MulC, packed, a.Q[i*a.LDQ:][:a.D], a.factor(), 0)
		} else {
			packed = a.pack(mem.q, a.Q[i*a.LDQ:], a.LDQ, q, a.D, a.factor())
		}
	}
	for j := 0; j < keys; j += AttentionBlock {
		k := min(AttentionBlock, keys-j)
		a.drops(&mem, i, q, j, k)
		for c := 0; c < q; {
			c1 := a.nextQueries(i, j, k, c, q)
			a.forwardPart(&mem, packed, i, q, j, a.upTo(i, j, k, c1), c, c1)
			c = c1
		}
	}
	Map(Log, mem.a[:w], l, 0, 0)
	for r, sum := range l[:q] {
		lse := m[r] + mem.a[r]
		if sum == 0 {
			clear(a.O[(i+r)*a.LDO:][:a.DV])
			lse = inf32
		} else {
			Map(MulC, a.O[(i+r)*a.LDO:][:a.DV], o[r*a.DV:][:a.DV], 1/sum, 0)
		}
		if a.LSE != nil {
			a.LSE[i+r] = lse
		}
	}
}

// forwardPart takes k keys from j on into the results of queries c to c1 of a block of q queries from i on.
func (a *Attention) forwardPart(mem *attentionMemory, packed []float32, i, q, j, k, c, c1 int) {
	w := columns(q)
	n := w - c // columns of the part, whole vectors
	if c1 < q {
		n = c1 - c
	}
	o := mem.o[c*a.DV : c1*a.DV]
	if k == 0 {
		if j == 0 {
			clear(o)
		}
		return
	}
	s := mem.s[:k*w]
	var g GemmArgs
	a.scores(&g, q, k)
	if q == 1 {
		g.A, g.B = packed, a.K[j*a.LDK:]
	} else {
		g.A, g.PackedB = a.K[j*a.LDK:], packed
	}
	g.C = s
	if q == 1 {
		Gemm(&g, mem.product)
	} else {
		gemmRegion(noescape(&g), 0, k, c, c1, mem.product)
	}
	if a.Cap > 0 {
		a.mapPart(Tanh, s, w, 0, k, c, n, 0)
		a.mapPart(MulC, s, w, 0, k, c, n, a.Cap)
	}
	a.hide(mem, s, i, q, j, 0, k, c, c1)
	alpha := mem.a[c:][:n]
	softmaxStep(s[c:], mem.m[c:][:n], mem.l[c:][:n], alpha, mem.x[c:][:n], k, w, j == 0)
	if a.Drop > 0 {
		zipPart(Mul, s, s, mem.drop, w, 0, k, c, n)
	}
	if j > 0 {
		scaleRows(o, alpha[:c1-c], mem.x, a.DV)
	}
	a.values(&g, c1-c, k)
	if g.LDA = w; q == 1 {
		g.LDA = k
	} else {
		g.TransA = true
	}
	g.A, g.B, g.C, g.LDC, g.Acc = s[c:], a.V[j*a.LDV:], o, a.DV, j > 0
	Gemm(&g, mem.product)
}

// scaleRows multiplies each row of x[len(f),n] by its factor. zeros is scratch.
func scaleRows(x, f, zeros []float32, n int) {
	for _, v := range f {
		if v != 1 {
			zeros = zeros[:len(f)]
			Fill(zeros, math.Float32frombits(1<<31)) // x*f + -0 is x*f
			AffineRows(x, x, f, zeros, len(f), n)
			return
		}
	}
}

// mapPart applies op to columns c to c+n of rows r to r1 of a block, w columns wide.
func (a *Attention) mapPart(op UnaryOp, s []float32, w, r, r1, c, n int, p float32) {
	if c == 0 && n == w {
		s = s[r*w : r1*w]
		Map(op, s, s, p, 0)
		return
	}
	for ; r < r1; r++ {
		row := s[r*w+c:][:n]
		Map(op, row, row, p, 0)
	}
}

// zipPart computes z = op(x, y) for such a part.
func zipPart(op BinaryOp, z, x, y []float32, w, r, r1, c, n int) {
	if c == 0 && n == w {
		Zip(op, z[r*w:r1*w], x[r*w:r1*w], y[r*w:r1*w])
		return
	}
	for ; r < r1; r++ {
		at := r*w + c
		Zip(op, z[at:at+n], x[at:at+n], y[at:at+n])
	}
}

// dropDraw is the room for a block's random numbers: rows of AttentionBlock, and what they start before a multiple of 4.
const dropDraw = AttentionBlock * (AttentionBlock + 8)

// drops computes the factors of the probabilities of q queries from i on and k keys from j on, all of them: numbers come in long runs.
func (a *Attention) drops(mem *attentionMemory, i, q, j, k int) {
	if a.Drop == 0 {
		return
	}
	w, ld := columns(q), k
	first := a.First + uint64(i*a.DropKeys+j)
	draw := mem.draw
	if k == a.DropKeys {
		off := first % 4
		FillUniform(draw[:(q*k+int(off)+3)&^3], a.Seed, a.Stream, first-off, 0, 1)
		draw = draw[off:]
	} else {
		ld = AttentionBlock + 8
		for r := range q {
			off := first % 4
			row := draw[r*ld:][:ld]
			FillUniform(row[:(k+int(off)+3)&^3], a.Seed, a.Stream, first-off, 0, 1)
			if off > 0 {
				copy(row[:k], row[off:])
			}
			first += uint64(a.DropKeys)
		}
	}
	Transpose(mem.drop, draw, q, k, ld, w)
	drop := mem.drop[:k*w]
	scale := 1 / (1 - a.Drop)
	below(drop, a.Drop, -scale)
	Map(AddC, drop, drop, scale, 0)
}

// softmaxStep takes a block of scores, k rows of len(m) that are w apart, into the running maxima m and sums l, and replaces the scores by their exponentials;
// alpha receives what earlier results have to be multiplied by, unless it is the first block. shift is scratch.
func softmaxStep(s, m, l, alpha, shift []float32, k, w int, first bool) {
	copy(alpha, m)
	if w == 1 {
		shift[0] = reduceRuns(ReduceMax, s[:k], 1, k, k, 0)
	} else {
		ReduceOuterStrided(ReduceMax, shift, s, k, len(m), w)
	}
	Zip(Max, m, m, shift)
	for r, v := range m {
		if v == -inf32 {
			v = 0
		}
		shift[r] = v
	}
	if !first {
		Zip(Sub, alpha, alpha, shift)
		Map(Exp, alpha, alpha, 0, 0)
		Zip(Mul, l, l, alpha)
	}
	downExpSum(s, l, shift, k, w)
}

// downExpSum computes s[r,j] = e**(s[r,j] - shift[j]) for k rows that are w apart, and adds them to sum[j] in the order of the rows.
func downExpSum(s, sum, shift []float32, k, w int) {
	if f := current.vec.downExpSum; f != nil && w > 1 {
		f(s, sum, shift, k, w)
		return
	}
	if w == 1 {
		s = s[:k]
		Map(AddC, s, s, -shift[0], 0)
		Map(Exp, s, s, 0, 0)
	}
	c := current.Class
	for r := range k {
		row := s[r*w:][:len(sum)]
		for j, v := range row {
			if w > 1 {
				v = c.exp(v - shift[j])
				row[j] = v
			}
			sum[j] += v
		}
	}
}

// hide adds the mask to rows r to r1 and columns c to c1 of the scores of q queries from i on and keys from j on, and sets to -Inf what may not be seen.
func (a *Attention) hide(mem *attentionMemory, s []float32, i, q, j, r, r1, c, c1 int) {
	w, n := columns(q), c1-c
	switch {
	case a.Mask != nil && a.MaskQ == 0: // of keys alone
		for y := r; y < r1; y++ {
			row := s[y*w+c:][:n]
			Map(AddC, row, row, a.Mask[(j+y)*a.MaskK], 0)
		}
	case a.Mask != nil && a.MaskK == 1:
		t := mem.mask
		Transpose(t, a.Mask[(i+c)*a.MaskQ+j+r:], n, r1-r, a.MaskQ, n)
		for y := r; y < r1; y++ {
			row := s[y*w+c:][:n]
			Zip(Add, row, row, t[(y-r)*n:][:n])
		}
	case a.Mask != nil:
		for y := r; y < r1; y++ {
			row := s[y*w+c:][:n]
			for x := range row {
				row[x] += a.Mask[(i+c+x)*a.MaskQ+(j+y)*a.MaskK]
			}
		}
	case a.Allowed != nil && a.MaskQ == 0:
		for y := r; y < r1; y++ {
			if a.Allowed[(j+y)*a.MaskK] == 0 {
				Fill(s[y*w+c:][:n], -inf32)
			}
		}
	case a.Allowed != nil:
		for x := c; x < c1; x++ {
			at := (i+x)*a.MaskQ + (j+r)*a.MaskK
			for y := r; y < r1; y++ {
				if a.Allowed[at] == 0 {
					s[y*w+x] = -inf32
				}
				at += a.MaskK
			}
		}
	}
	if a.Causal {
		d := i + a.Offset - j // key y is seen from query y-d on
		for y := max(r, c+d+1); y < r1; y++ {
			Fill(s[y*w+c:][:min(y-d-c, n)], -inf32)
		}
	}
}

// AttentionBackward adds to GK and GV, and computes GQ, for all queries of one head, from O and LSE as AttentionForward gave them.
func AttentionBackward(a *Attention, scratch []float32) {
	var mem attentionMemory
	a.memory(&mem, scratch, true)
	for i := 0; i < a.Queries; i += AttentionBlock {
		q := min(AttentionBlock, a.Queries-i)
		a.backwardBlock(&mem, i, q)
	}
}

func (a *Attention) backwardBlock(mem *attentionMemory, i, q int) {
	for r := range q {
		clear(a.GQ[(i+r)*a.LDQ:][:a.D])
	}
	keys := a.seen(i, q)
	if keys == 0 {
		return
	}
	var packedQ []float32
	if q == 1 {
		packedQ = mem.q[:a.D]
		Map(MulC, packedQ, a.Q[i*a.LDQ:][:a.D], a.factor(), 0)
	} else {
		packedQ = a.pack(mem.q, a.Q[i*a.LDQ:], a.LDQ, q, a.D, a.factor())
	}
	packedDO := a.pack(mem.do, a.GO[i*a.LDO:], a.LDO, q, a.DV, a.Scale)
	w := columns(q)
	lse, delta := mem.l[:q], mem.m[:q]
	Map(Neg, lse, a.LSE[i:][:q], 0, 0)
	for r := range q {
		delta[r] = -a.Scale * Dot(a.GO[(i+r)*a.LDO:][:a.DV], a.O[(i+r)*a.LDO:][:a.DV])
	}
	for j := 0; j < keys; j += AttentionBlock {
		k := min(AttentionBlock, keys-j)
		d := i + a.Offset - j
		a.drops(mem, i, q, j, k)
		for r := 0; r < k; { // keys that the same parts of the queries see
			r1, c := k, 0
			if a.Causal && d < k-1 {
				c = max(r-d, 0) / partUnit() * partUnit()
				r1 = min(k, c+partUnit()+d)
			}
			a.backwardKeys(mem, packedQ, packedDO, i, q, j, r, r1, c)
			r = r1
		}
		var g GemmArgs
		for c := 0; c < q; {
			c1 := a.nextQueries(i, j, k, c, q)
			if n := a.upTo(i, j, k, c1); n > 0 {
				a.gradQ(&g, c1-c, n)
				g.LDA = w
				g.A, g.B, g.C = mem.p[c:], a.K[j*a.LDK:], a.GQ[(i+c)*a.LDQ:]
				Gemm(&g, mem.product)
			}
			c = c1
		}
	}
}

// backwardKeys computes the probabilities and the gradients of the scores of keys r to r1 of those from j on, and queries c to q of those from i on, and adds
// to GV and GK.
func (a *Attention) backwardKeys(mem *attentionMemory, packedQ, packedDO []float32, i, q, j, r, r1, c int) {
	w := columns(q)
	k, n := r1-r, w-c
	s, p, lse, delta := mem.s, mem.p, mem.l[:q], mem.m[:q]
	var th []float32
	var g GemmArgs
	a.scores(&g, q, k)
	g.C = s[r*w:]
	if q == 1 {
		g.A, g.B, g.C = packedQ, a.K[(j+r)*a.LDK:], s[r:]
	} else {
		g.A, g.PackedB = a.K[(j+r)*a.LDK:], packedQ
	}
	if a.Cap > 0 {
		th = mem.c
		g.C = th[r*w:]
	} else if q > 1 {
		g.BiasN = lse
	}
	if q == 1 {
		Gemm(&g, mem.product)
	} else {
		gemmRegion(noescape(&g), 0, k, c, q, mem.product)
	}
	switch {
	case a.Cap > 0:
		a.mapPart(Tanh, th, w, r, r1, c, n, 0)
		for y := r; y < r1; y++ {
			row := s[y*w+c:][:q-c]
			Map(MulC, row, th[y*w+c:][:q-c], a.Cap, 0)
			Zip(Add, row, row, lse[c:])
		}
	case q == 1:
		Map(AddC, s[r:r1], s[r:r1], lse[0], 0)
	}
	a.hide(mem, s, i, q, j, r, r1, c, q)
	a.mapPart(Exp, s, w, r, r1, c, n, 0)

	seen := s
	if a.Drop > 0 {
		zipPart(Mul, p, s, mem.drop, w, r, r1, c, n)
		seen = p
	}
	a.gradV(&g, q-c, k)
	g.LDA = w
	g.A, g.B, g.C = seen[r*w+c:], a.GO[(i+c)*a.LDO:], a.GV[(j+r)*a.LDV:]
	Gemm(&g, mem.product)

	a.gradients(&g, q, k)
	g.A, g.PackedB, g.C = a.V[(j+r)*a.LDV:], packedDO, p[r*w:]
	if a.Drop == 0 {
		g.BiasN = delta
	}
	gemmRegion(noescape(&g), 0, k, c, q, mem.product)
	if a.Drop > 0 {
		zipPart(Mul, p, p, mem.drop, w, r, r1, c, n)
		for y := r; y < r1; y++ {
			row := p[y*w+c:][:q-c]
			Zip(Add, row, row, delta[c:])
		}
	}
	zipPart(Mul, p, p, s, w, r, r1, c, n)
	if th != nil {
		zipPart(TanhGrad, p, p, th, w, r, r1, c, n)
	}

	a.gradK(&g, q-c, k)
	g.LDA = w
	g.A, g.B, g.C = p[r*w+c:], a.Q[(i+c)*a.LDQ:], a.GK[(j+r)*a.LDK:]
	Gemm(&g, mem.product)
}
