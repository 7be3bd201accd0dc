//go:build !noasm

package simd

import "unsafe"

// A product of few rows with a large B that is read once is as fast as memory is: the module's GemmStream reads B where it lies, streamGroup rows side by side
// from end to end, and keeps the sums of the rows of C, which are short, in memory. Packing would read and write B once more, and a sweep in place
// jumps from row to row.

const (
	// streamRows is the most rows of a product whose B has more than streamSpan elements, which is more than stays in L2; fewSpan is the same for streamFew rows.
	streamRows, streamSpan = 16, 1 << 18
	streamFew, fewSpan     = 2, 1 << 13
	streamFar              = 1 << 22 // elements of a B that is not in L3
	// streamCols is for how many columns the sums of one chunk of k are kept.
	streamCols = 4096
)

// swapBlock is how many rows of A a product of few columns takes at a time.
const swapBlock = 512

// streamArgs are the arguments of GemmStream: a sweep of any number of rows, whose A is packed in panels, by a multiple of 8 columns.
type streamArgs struct {
	sweepArgs
	p *float32 // room for the sums
}

// dotRows is the most rows of a product that reads a transposed B where it lies: the module's GemmDots transposes it in registers.
const dotRows, dotTall = 8, 4 // and of its panels of A

// streamsB says whether a product streams B.
func (t *tileSet) streamsB(a *GemmArgs) bool {
	if a.PackedB != nil {
		return false
	}
	if a.TransB {
		return a.M <= dotRows
	}
	return a.M <= streamRows && a.N >= t.nr() && (a.K*a.N > streamSpan || a.M <= streamFew && a.K*a.N > fewSpan)
}

// tall is the height of the fastest tiles: lower ones have too few additions in flight.
func (t *tileSet) tall() int { return t.gemm.rows }

// tileCols is how many columns tiles should have at least: long rows of a B that comes from memory.
func (t *tileSet) tileCols(a *GemmArgs) int {
	if t.streamsB(a) && a.K*a.N > streamFar {
		return streamCols / 2
	}
	return 1
}

// streamScratch is what gemmStream needs.
func (t *tileSet) streamScratch(m, n, k int) int {
	if m > streamRows {
		return 0
	}
	s := m*min(k, KChunk) + 4 + m*min(n, streamCols) + 2*alignSlack
	if m <= dotRows {
		s = max(s, m*k+4+alignSlack)
	}
	return s
}

// gemmStream computes C[i0:i1, j0:j1].
func (t *tileSet) gemmStream(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	if a.TransB {
		t.gemmDots(a, i0, i1, j0, j1, scratch)
		return
	}
	rows := i1 - i0
	panels := (rows + t.gemm.rows - 1) / t.gemm.rows
	scratch = aligned(scratch)
	packed, sums := scratch, aligned(scratch[rows*min(a.K, KChunk)+4:])
	var args streamArgs
	fullFlags := tileFinish
	if a.Act != ActNone {
		fullFlags |= tileClamp
		args.lo, args.hi = a.Act.bounds(a.Lo, a.Hi)
	}
	args.bs, args.cs, args.bstep, args.nw = 4*a.LDB, 4*a.LDC, 4*t.nr(), t.nr()
	args.ars = 4
	for jc := j0; jc < j1; jc += streamCols {
		jend := min(jc+streamCols, j1)
		whole := (jend - jc) / t.nr() * t.nr()
		for k0 := 0; k0 < a.K; k0 += KChunk {
			args.k = min(a.K-k0, KChunk)
			args.flags = 0
			if k0 > 0 || a.Acc {
				args.flags = tileAdd
			}
			if k0+args.k == a.K {
				args.flags |= fullFlags
			}
			for i, left := 0, panels; left > 0; left-- {
				h := panelHeight(rows-i, left)
				t.packPanelA(packed[i*args.k:], a, i0+i, h, k0, args.k)
				i += h
			}
			args.a, args.b, args.c = &packed[0], &a.B[k0*a.LDB+jc], &a.C[i0*a.LDC+jc]
			args.p = &sums[0]
			args.rows, args.n = rows, whole
			if a.BiasM != nil {
				args.biasM = &a.BiasM[i0]
			}
			if a.BiasN != nil {
				args.biasN = &a.BiasN[jc]
			}
			if whole > 0 {
				callKernel(idGemmStream, unsafe.Pointer(noescape(&args)))
			}
			if jc+whole == jend {
				continue
			}
			args.b, args.n = at(args.b, whole), jend-jc-whole
			if args.biasN != nil {
				args.biasN = at(args.biasN, whole)
			}
			for i, left := 0, panels; left > 0; left-- {
				h := panelHeight(rows-i, left)
				args.rows, args.acs = h, 4*h
				args.a, args.c = &packed[i*args.k], &a.C[(i0+i)*a.LDC+jc+whole]
				if a.BiasM != nil {
					args.biasM = &a.BiasM[i0+i]
				}
				t.sweep(&noescape(&args).sweepArgs)
				i += h
			}
		}
	}
}

// gemmDots computes C[i0:i1, j0:j1] with a transposed B.
func (t *tileSet) gemmDots(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	args := sweepArgs{rows: i1 - i0, n: j1 - j0}
	args.k, args.b, args.bs, args.c, args.cs = a.K, &a.B[j0*a.LDB], 4*a.LDB, &a.C[i0*a.LDC+j0], 4*a.LDC
	if a.BiasM != nil {
		args.biasM = &a.BiasM[i0]
	}
	if a.BiasN != nil {
		args.biasN = &a.BiasN[j0]
	}
	args.flags = tileFinish
	if a.Acc {
		args.flags |= tileAdd
	}
	if a.Act != ActNone {
		args.flags |= tileClamp
		args.lo, args.hi = a.Act.bounds(a.Lo, a.Hi)
	}
	switch {
	case args.rows == 1 && !a.TransA:
		args.a = &a.A[i0*a.LDA]
	case args.rows == 1 && a.LDA == 1:
		args.a = &a.A[i0]
	default:
		packed := aligned(scratch)
		args.a = &packed[0]
		for i, left := 0, (args.rows+dotTall-1)/dotTall; left > 0; left-- {
			h := panelHeight(args.rows-i, left)
			t.packPanelA(packed[i*a.K:], a, i0+i, h, 0, a.K)
			i += h
		}
	}
	callKernel(idGemmDots, unsafe.Pointer(noescape(&args)))
}

// packPanelA writes op(A)[i:i+h, k0:k0+k] as dst[k][h]; up to 3 elements after it are overwritten.
func (t *tileSet) packPanelA(dst []float32, a *GemmArgs, i, h, k0, k int) {
	switch {
	case a.TransA:
		copyBlock(&blockArgs{dst: &dst[0], src: &a.A[k0*a.LDA+i], outer: 1, rows: k, n: h, dRow: h, dCol: 1, sRow: a.LDA, sCol: 1})
	case h == 1:
		copy(dst[:k], a.A[i*a.LDA+k0:])
	default:
		t.packRows(dst, h, a.A[i*a.LDA+k0:], a.LDA, h, k)
	}
}

// addResidualRow computes c = act(c + res).
func (t *tileSet) addResidualRow(c, res []float32, a *GemmArgs) { addVectors(c, res, a) }
