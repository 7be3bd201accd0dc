package simd

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

	// Of the gradient; dO has the layout of O, the others those of Q, K and V.
	GO, GQ, GK, GV []float32
}

// attentionMemory is how a worker's scratch is divided.
type attentionMemory struct {
	q, do         []float32 // packed blocks of Q and dO
	s, p, c       []float32 // scores or probabilities, their gradient, tanh under a cap: [keys][queries]
	m, l, a, x    []float32 // per query
	mask, product []float32
}

const attentionStats = 4 * AttentionBlock

// AttentionScratch returns how many float32 of scratch AttentionForward needs, or AttentionBackward.
func AttentionScratch(a *Attention, backward bool) int {
	n := min(AttentionBlock, a.Queries)
	nk := min(AttentionBlock, a.Keys)
	block := AttentionBlock * AttentionBlock
	size := a.packed(a.D) + 2*block + attentionStats
	if backward {
		size += a.packed(a.DV) + block
		if a.Cap > 0 {
			size += block
		}
	}
	most := 0
	for _, q := range [2]int{n, a.Queries % AttentionBlock} {
		for _, k := range [2]int{nk, a.Keys % AttentionBlock} {
			if q == 0 || k == 0 {
				continue
			}
			var g GemmArgs
			a.scores(&g, q, k)
			most = max(most, GemmScratch(&g))
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
		}
	}
	return size + most
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
	if backward {
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

// AttentionForward computes the rows of O and LSE of one block of queries.
func AttentionForward(a *Attention, block int, scratch []float32) {
	var mem attentionMemory
	a.memory(&mem, scratch, false)
	i := block * AttentionBlock
	q := min(AttentionBlock, a.Queries-i)
	keys := a.seen(i, q)
	w := columns(q)
	m, l, alpha := mem.m[:w], mem.l[:w], mem.a[:w]
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
	var g GemmArgs
	for j := 0; j < keys; j += AttentionBlock {
		k := min(AttentionBlock, keys-j)
		s := mem.s[:k*w]
		a.scores(&g, q, k)
		if q == 1 {
			g.A, g.B = packed, a.K[j*a.LDK:]
		} else {
			g.A, g.PackedB = a.K[j*a.LDK:], packed
		}
		g.C = s
		Gemm(&g, mem.product)
		if a.Cap > 0 {
			Map(Tanh, s, s, 0, 0)
			Map(MulC, s, s, a.Cap, 0)
		}
		a.hide(&mem, s, i, q, j, k)
		softmaxStep(s, m, l, alpha, mem.x[:w], k, j == 0)
		if j > 0 {
			for r, f := range alpha[:q] {
				if f != 1 {
					row := a.O[(i+r)*a.LDO:][:a.DV]
					Map(MulC, row, row, f, 0)
				}
			}
		}
		a.values(&g, q, k)
		g.A, g.B, g.C, g.Acc = s, a.V[j*a.LDV:], a.O[i*a.LDO:], j > 0
		Gemm(&g, mem.product)
	}
	Map(Log, alpha, l, 0, 0)
	for r, sum := range l[:q] {
		row := a.O[(i+r)*a.LDO:][:a.DV]
		lse := m[r] + alpha[r]
		if sum == 0 {
			clear(row)
			lse = inf32
		} else {
			Map(MulC, row, row, 1/sum, 0)
		}
		if a.LSE != nil {
			a.LSE[i+r] = lse
		}
	}
}

// softmaxStep takes a block of scores [k][q] into the running maxima m and sums l, and replaces the scores by their exponentials;
// alpha receives what earlier results have to be multiplied by, unless it is the first block. shift is scratch.
func softmaxStep(s, m, l, alpha, shift []float32, k int, first bool) {
	w := len(m)
	copy(alpha, m)
	if w == 1 {
		shift[0] = reduceRuns(ReduceMax, s[:k], 1, k, k, 0)
	} else {
		ReduceOuterStrided(ReduceMax, shift, s, k, w, w)
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
	downExpSum(s, l, shift, k)
}

// downExpSum computes s[r,j] = e**(s[r,j] - shift[j]) for k rows, and adds them to sum[j] in the order of the rows.
func downExpSum(s, sum, shift []float32, k int) {
	w := len(sum)
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
		row := s[r*w:][:w]
		for j, v := range row {
			if w > 1 {
				v = c.exp(v - shift[j])
				row[j] = v
			}
			sum[j] += v
		}
	}
}

// hide adds the mask to the scores of queries i..i+q and keys j..j+k, and sets to -Inf what may not be seen.
func (a *Attention) hide(mem *attentionMemory, s []float32, i, q, j, k int) {
	w := columns(q)
	switch {
	case a.Mask != nil && a.MaskQ == 0: // of keys alone
		for r := range k {
			row := s[r*w:][:q]
			Map(AddC, row, row, a.Mask[(j+r)*a.MaskK], 0)
		}
	case a.Mask != nil && a.MaskK == 1:
		t := mem.mask[:k*w]
		Transpose(t, a.Mask[i*a.MaskQ+j:], q, k, a.MaskQ, w)
		Zip(Add, s, s, t)
	case a.Mask != nil:
		for r := range k {
			row := s[r*w:][:q]
			for c := range row {
				row[c] += a.Mask[(i+c)*a.MaskQ+(j+r)*a.MaskK]
			}
		}
	case a.Allowed != nil && a.MaskQ == 0:
		for r := range k {
			if a.Allowed[(j+r)*a.MaskK] == 0 {
				Fill(s[r*w:][:q], -inf32)
			}
		}
	case a.Allowed != nil:
		for c := range q {
			at := (i+c)*a.MaskQ + j*a.MaskK
			for r := range k {
				if a.Allowed[at] == 0 {
					s[r*w+c] = -inf32
				}
				at += a.MaskK
			}
		}
	}
	if a.Causal {
		for r := max(i+a.Offset+1-j, 0); r < k; r++ { // key j+r is seen from query j+r-Offset on
			Fill(s[r*w:][:min(j+r-a.Offset-i, q)], -inf32)
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
	var packedQ, scaledQ []float32
	if q == 1 {
		scaledQ = mem.q[:a.D]
		Map(MulC, scaledQ, a.Q[i*a.LDQ:][:a.D], a.factor(), 0)
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
	var g GemmArgs
	for j := 0; j < keys; j += AttentionBlock {
		k := min(AttentionBlock, keys-j)
		s, p := mem.s[:k*w], mem.p[:k*w]
		var c []float32
		a.scores(&g, q, k)
		if q == 1 {
			g.A, g.B = scaledQ, a.K[j*a.LDK:]
		} else {
			g.A, g.PackedB = a.K[j*a.LDK:], packedQ
		}
		g.C = s
		switch {
		case a.Cap > 0:
			c = mem.c[:k*w]
			g.C = c
			Gemm(&g, mem.product)
			Map(Tanh, c, c, 0, 0)
			Map(MulC, s, c, a.Cap, 0)
			for r := range k {
				row := s[r*w:][:q]
				Zip(Add, row, row, lse)
			}
		case q == 1:
			Gemm(&g, mem.product)
			Map(AddC, s, s, lse[0], 0)
		default:
			g.BiasN = lse
			Gemm(&g, mem.product)
		}
		a.hide(mem, s, i, q, j, k)
		Map(Exp, s, s, 0, 0)

		a.gradV(&g, q, k)
		g.A, g.B, g.C = s, a.GO[i*a.LDO:], a.GV[j*a.LDV:]
		Gemm(&g, mem.product)

		a.gradients(&g, q, k)
		g.A, g.PackedB, g.C, g.BiasN = a.V[j*a.LDV:], packedDO, p, delta
		Gemm(&g, mem.product)
		Zip(Mul, p, p, s)
		if c != nil {
			Zip(TanhGrad, p, p, c)
		}

		a.gradK(&g, q, k)
		g.A, g.B, g.C = p, a.Q[i*a.LDQ:], a.GK[j*a.LDK:]
		Gemm(&g, mem.product)
		a.gradQ(&g, q, k)
		g.A, g.B, g.C = p, a.K[j*a.LDK:], a.GQ[i*a.LDQ:]
		Gemm(&g, mem.product)
	}
}
