//go:build !noasm && (amd64 || arm64)

package simd

// Cache blocking of the matrix product. A block of op(B) of KChunk x blockN elements stays in L2 (1 MiB) while the panels of A run
// over it; a panel of A (tile height x KChunk, at most 28 KiB) stays in L1 while the block's panels stream past.
const (
	blockN = 512
	// packATimes is from how many uses on a panel of A is worth packing: its rows may lie at strides that
	// evict each other from L1, and one broadcast per row from as many pages is slow.
	packATimes = 6
	// packBTimes is the same for a block of B that could be read in place.
	packBTimes = 8
	// streamSize is how many elements of a panel of B stay in L1 together with what it is packed from.
	streamSize = 8192
)

// nr returns the columns of a packed panel of B.
func (t *tileSet) nr() int { return 2 * t.lanes }

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

func (t *tileSet) packBSize(k, n int) int { return k * roundUp(n, t.nr()) }

// packB lays op(B) out as panels of nr columns, each [k][nr]; the last is filled up with zeros.
func (t *tileSet) packB(dst, b []float32, ldb int, transB bool, k, n int) {
	nr := t.nr()
	for j := 0; j < n; j += nr {
		t.packPanel(dst[j*k:][:k*nr], nr, b, ldb, transB, 0, k, j, min(j+nr, n))
		if n-j < nr {
			for p := range k {
				clear(dst[j*k+p*nr+n-j:][:nr-(n-j)])
			}
		}
	}
}

// packPanel writes op(B)[k0:k1, j0:j1] as dst[k1-k0][width]. Columns from j1-j0 on hold anything.
func (t *tileSet) packPanel(dst []float32, width int, b []float32, ldb int, transB bool, k0, k1, j0, j1 int) {
	n := j1 - j0
	if transB {
		t.packRows(dst, width, b[j0*ldb+k0:], ldb, n, k1-k0)
		return
	}
	for k := k0; k < k1; k++ {
		copy(dst[:n], b[k*ldb+j0:][:n])
		if k+1 < k1 {
			dst = dst[width:]
		}
	}
}

// packRows transposes n rows of k elements each, ld apart, into dst[k][width] with n <= width. When width is not a multiple of 8, up
// to 7 elements after the panel are overwritten.
func (t *tileSet) packRows(dst []float32, width int, src []float32, ld, n, k int) {
	k8 := k / 8
	if k8 > 0 {
		// The blocks of 8 rows go from the last to the first: where a block writes past its panel's width, a later
		// one writes the right values.
		for r := (n - 1) / 8 * 8; r >= 0; r -= 8 {
			a := transposeArgs{n: k8, dst: &dst[r], ds: 4 * width}
			for i := range a.src {
				a.src[i] = &src[min(r+i, n-1)*ld]
			}
			t.transpose(noescape(&a))
		}
	}
	for p := 8 * k8; p < k; p++ {
		for r := range n {
			dst[p*width+r] = src[r*ld+p]
		}
	}
}

// gemmScratch bounds what gemmRegion needs: a block of B, a panel of A, and a row of results.
func (t *tileSet) gemmScratch(a *GemmArgs) int {
	k := min(a.K, KChunk)
	n := min(max(a.N, 1), blockN) + mostCols*t.lanes
	if a.N == 1 {
		n = min(a.M, blockN) + mostCols*t.lanes
	}
	s := k*n + t.gemm.rows*k + 8 + 2*alignSlack
	if a.N == 1 && a.LDC != 1 {
		s += a.M
	}
	return s
}

// gemmColumn computes a product with N == 1 as the row C^T = op(B)^T * op(A)^T, so that lanes run over rows of A.
func (t *tileSet) gemmColumn(a *GemmArgs, i0, i1 int, scratch []float32) {
	r := *a
	r.M, r.N = 1, a.M
	r.A, r.LDA, r.TransA = a.B, a.LDB, !a.TransB
	r.B, r.LDB, r.TransB = a.A, a.LDA, !a.TransA
	r.BiasM, r.BiasN = a.BiasN, a.BiasM
	if a.LDC == 1 {
		t.gemmRegion(&r, 0, 1, i0, i1, scratch)
		return
	}
	c := scratch[:a.M]
	r.C, r.LDC = c, a.M
	if a.Acc {
		for i := i0; i < i1; i++ {
			c[i] = a.C[i*a.LDC]
		}
	}
	t.gemmRegion(&r, 0, 1, i0, i1, scratch[a.M:])
	for i := i0; i < i1; i++ {
		a.C[i*a.LDC] = c[i]
	}
}

// gemmRegion computes C[i0:i1, j0:j1].
func (t *tileSet) gemmRegion(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	if a.K == 0 {
		gemmGeneric(MulAdd, a, i0, i1, j0, j1)
		return
	}
	if a.N == 1 && a.M > 1 && a.PackedB == nil && (a.BiasM == nil || a.BiasN == nil) { // the biases would be added in the other order
		t.gemmColumn(a, i0, i1, scratch)
		return
	}
	rows, cols := i1-i0, j1-j0
	panels := (rows + t.gemm.rows - 1) / t.gemm.rows
	tallest := panelHeight(rows, panels)

	// How B is read: packed before, packed here block by block, or in place.
	width := 2
	kc := min(a.K, KChunk)
	packs := a.PackedB == nil && (a.TransB || panels >= packBTimes && a.LDB*kc > 1<<15)
	if panels == 1 && a.PackedB == nil {
		width = t.gemm.wide[tallest]
	}
	// A panel of B that is used once is packed just before its use and stays in L1.
	streams := packs && panels == 1
	if streams {
		width = min(width, max(streamSize/(kc*t.lanes), 1))
	}
	nw := width * t.lanes
	scratch = aligned(scratch)
	var blockB []float32
	if packs {
		n := kc * roundUp(min(cols, blockN), nw)
		blockB, scratch = scratch[:n], aligned(scratch[n:])
	}
	packsA := cols > packATimes*nw
	ars, acs := 4*a.LDA, 4
	if a.TransA {
		ars, acs = 4, 4*a.LDA
	}
	var (
		args      tileArgs
		base      int
		f         *[mostCols + 1]func(*tileArgs)
		fullFlags = tileFinish
	)
	args.cs = 4 * a.LDC
	if a.Act != ActNone {
		fullFlags |= tileClamp
		args.lo, args.hi = a.Act.bounds(a.Lo, a.Hi)
	}
	block := blockN
	if streams {
		block = nw // and all its k follow one another: long runs of memory
	}
	for jc := j0; jc < j1; jc += block {
		jend := min(jc+block, j1)
		for k0 := 0; k0 < a.K; k0 += KChunk {
			k1 := min(k0+KChunk, a.K)
			args.k = k1 - k0
			if packs {
				for j := jc; j < jend; j += nw {
					t.packPanel(blockB[(j-jc)*args.k:][:args.k*nw], nw, a.B, a.LDB, a.TransB, k0, k1, j, min(j+nw, jend))
				}
			}
			args.flags = 0
			if k0 > 0 || a.Acc {
				args.flags = tileAdd
			}
			if k1 == a.K {
				args.flags |= fullFlags
			}
			for i, left := i0, panels; left > 0; left-- {
				h := panelHeight(i1-i, left)
				f = &t.gemm.f[h]
				if packsA {
					if a.TransA {
						for k := range args.k {
							copy(scratch[k*h:][:h], a.A[(k0+k)*a.LDA+i:][:h])
						}
					} else {
						t.packRows(scratch, h, a.A[i*a.LDA+k0:], a.LDA, h, args.k)
					}
					args.ars, args.acs = 4, 4*h
				} else {
					args.ars, args.acs = ars, acs
					base = i*a.LDA + k0
					if a.TransA {
						base = k0*a.LDA + i
					}
				}
				if a.BiasM != nil {
					args.biasM = &a.BiasM[i]
				}
				for j := jc; j < jend; {
					n := min(nw, jend-j)
					vecs := (n + t.lanes - 1) / t.lanes
					if v := t.gemm.fit(h, vecs); v < vecs {
						vecs, n = v, v*t.lanes
					}
					if packsA {
						args.a = &scratch[0]
					} else {
						args.a = &a.A[base]
					}
					switch {
					case packs:
						p := (j - jc) / nw * nw
						args.b = &blockB[p*args.k+(j-jc-p)]
						args.bs = 4 * nw
					case a.PackedB != nil:
						p := j / nw * nw
						args.b = &a.PackedB[p*a.K+k0*nw+(j-p)]
						args.bs = 4 * nw
					default:
						args.b = &a.B[k0*a.LDB+j]
						args.bs = 4 * a.LDB
					}
					args.c = &a.C[i*a.LDC+j]
					if a.BiasN != nil {
						args.biasN = &a.BiasN[j]
					}
					rem := n - (vecs-1)*t.lanes
					args.bits = 1<<rem - 1
					args.mask = nil
					if rem < t.lanes && t.lanes <= 8 {
						args.mask = laneMask(rem)
					}
					f[vecs](noescape(&args))
					j += n
				}
				i += h
			}
		}
	}
}
