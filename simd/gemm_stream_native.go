//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// A product of few rows with a B that has to come from memory is as fast as memory: streamDepth rows of B are read side by side from end to end,
// and the sums of the rows of C, which are short, stay in L2.

const (
	streamDepth = 8
	streamCols  = 4096 // columns whose sums are kept
)

// streamSpan is from how many elements on B is streamed: more than stay in a share of L3. A variable for the tests.
var streamSpan = 1 << 22

// streamArgs are the arguments of a stream tile.
type streamArgs struct {
	p    *float32 // sums: row r is at p + r*ps
	ps   int
	b    *float32 // rows of B
	bs   int
	a    *float32 // element (r, k) is at a + (r*depth + k)*4
	rows int
	n    int    // columns
	mask uint64 // lanes of the last vector: the address of words for AVX2, bits for AVX-512
	zero int    // not 0: the sums start at +0
}

// finishArgs are the arguments of finishRow.
type finishArgs struct {
	sums, c      *float32
	n            int
	biasM, biasN *float32 // one element; n elements; nil for none
	flags        int
	lo, hi       float32
}

// streamsB says whether a product streams B.
func (t *tileSet) streamsB(a *GemmArgs) bool {
	return t.stream.rows > 0 && a.PackedB == nil && !a.TransB && a.M <= t.lanes && a.K*a.N > streamSpan
}

// streamScratch is what gemmStream needs.
func (t *tileSet) streamScratch(m, n, k int) int {
	if m > t.lanes || t.stream.rows == 0 {
		return 0
	}
	return m*(min(k, KChunk)+min(n, streamCols)) + 2*alignSlack
}

// gemmStream computes C[i0:i1, j0:j1].
func (t *tileSet) gemmStream(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	rows := i1 - i0
	scratch = aligned(scratch)
	packed, sums := scratch[:rows*min(a.K, KChunk)], aligned(scratch[rows*min(a.K, KChunk):])
	lo, hi := a.Act.bounds(a.Lo, a.Hi)
	for j := j0; j < j1; j += streamCols {
		w := min(streamCols, j1-j)
		args := streamArgs{p: &sums[0], ps: 4 * w, bs: 4 * a.LDB, rows: rows, n: w}
		if tail := w % t.lanes; tail > 0 {
			args.mask = t.streamMask(tail)
		}
		for k0 := 0; k0 < a.K; k0 += KChunk {
			k1 := min(k0+KChunk, a.K)
			args.zero = 1
			for k := k0; k < k1; {
				depth := streamDepth
				for k+depth > k1 {
					depth /= 2
				}
				at := packed[(k-k0)*rows:]
				if j == j0 || a.K > KChunk {
					packStream(at, a, i0, rows, k, depth)
				}
				args.a, args.b = &at[0], &a.B[k*a.LDB+j]
				t.stream.f[depth][1](noescape(&args))
				args.zero = 0
				k += depth
			}
			end := finishArgs{n: w, lo: lo, hi: hi}
			if k0 > 0 || a.Acc {
				end.flags = tileAdd
			}
			if k1 == a.K {
				end.flags |= tileFinish
				if a.Act != ActNone {
					end.flags |= tileClamp
				}
			}
			if a.BiasN != nil {
				end.biasN = &a.BiasN[j]
			}
			for r := range rows {
				if a.BiasM != nil {
					end.biasM = &a.BiasM[i0+r]
				}
				end.sums, end.c = &sums[r*w], &a.C[(i0+r)*a.LDC+j]
				t.finish(noescape(&end))
			}
		}
	}
}

// packStream writes op(A)[i0:i0+rows, k:k+depth] as dst[rows][depth].
func packStream(dst []float32, a *GemmArgs, i0, rows, k, depth int) {
	rs, cs := a.LDA, 1
	if a.TransA {
		rs, cs = 1, a.LDA
	}
	for r := range rows {
		row := dst[r*depth:][:depth]
		at := (i0+r)*rs + k*cs
		for q := range row {
			row[q] = a.A[at]
			at += cs
		}
	}
}

// streamMask returns the mask of the first n lanes.
func (t *tileSet) streamMask(n int) uint64 {
	if t.lanes > 8 {
		return 1<<n - 1
	}
	return uint64(uintptr(unsafe.Pointer(laneMask(n))))
}
