//go:build !noasm && (amd64 || arm64)

package simd

import "unsafe"

// A product of few rows with a B that has to come from memory is as fast as memory: some rows of B are read side by side from end to end, and the sums of
// the rows of C, which are short, stay in L2.

const (
	streamSums = 1 << 16 // sums that are kept
	streamCols = 4096    // and columns of them, at most
)

// swapBlock is how many rows of A a product of few columns takes at a time.
const swapBlock = 2048

// streamSpan is from how many elements on B is streamed: more than stay in a share of L3. A variable for the tests.
var streamSpan = 1 << 22

// From streamNear elements on B is streamed where tiles, which jump from row to row, do badly: several panels of rows read it several times, and cache
// lines of rows that begin at the same place of a page evict each other.
const streamNear, streamPage = 1 << 20, 1 << 10

// streamArgs are the arguments of a stream tile.
type streamArgs struct {
	p    *float32 // sums, in panels of two vectors: [panel][row][2*lanes]
	b    *float32 // rows of B
	bs   int
	a    *float32 // element (r, k) is at a + (r*depth + k)*4
	rows int
	n    int    // columns
	mask uint64 // lanes of the last vector: the address of words for AVX2, bits for AVX-512
	zero int    // not 0: the sums start at +0
	next int    // bytes from b to what is fetched while the last streamAhead columns are read
}

const streamAhead = 128 // see simd/_asm/gemm/stream.go

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
	if t.stream.rows == 0 || a.PackedB != nil || a.TransB || a.M > t.streamRows() {
		return false
	}
	size := a.K * a.N
	return size > streamSpan || t.lanes <= 8 && size >= streamNear && (a.M > t.gemm.rows || a.LDB%streamPage == 0)
}

// streamRows returns the most rows of a product that streams B: with AVX2 it is as fast as tiles that read B in place, which is what they do up to here.
func (t *tileSet) streamRows() int {
	if t.lanes <= 8 {
		return 48
	}
	return t.lanes
}

// streamWidth is for how many columns the sums of a product of m rows are kept.
func (t *tileSet) streamWidth(m, n int) int {
	return min(streamCols, streamSums/m/t.nr()*t.nr(), roundUp(n, t.nr()))
}

// tall is 0: lower tiles are wider.
func (t *tileSet) tall() int { return 0 }

// tileCols is how many columns tiles should have at least: long rows of a B that is streamed.
func (t *tileSet) tileCols(a *GemmArgs) int {
	if t.streamsB(a) {
		return streamCols / 2
	}
	return 1
}

// streamScratch is what gemmStream needs.
func (t *tileSet) streamScratch(m, n, k int) int {
	if m > t.streamRows() || m == 0 || t.stream.rows == 0 {
		return 0
	}
	w := t.streamWidth(m, n)
	return m*(min(k, KChunk)+w) + w + 2*alignSlack
}

// gemmStream computes C[i0:i1, j0:j1].
func (t *tileSet) gemmStream(a *GemmArgs, i0, i1, j0, j1 int, scratch []float32) {
	rows, width := i1-i0, t.streamWidth(a.M, j1-j0)
	scratch = aligned(scratch)
	packed, sums := scratch[:rows*min(a.K, KChunk)], aligned(scratch[rows*min(a.K, KChunk):])
	sums, row := sums[:rows*width], sums[rows*width:][:width]
	lo, hi := a.Act.bounds(a.Lo, a.Hi)
	for j := j0; j < j1; j += width {
		w := min(width, j1-j)
		args := streamArgs{p: &sums[0], bs: 4 * a.LDB, rows: rows, n: w}
		if tail := w % t.lanes; tail > 0 {
			args.mask = t.streamMask(tail)
		}
		args.next = t.stream.rows*args.bs - 4*max(w-streamAhead, 0)
		for k0 := 0; k0 < a.K; k0 += KChunk {
			k1 := min(k0+KChunk, a.K)
			args.zero = 1
			for k := k0; k < k1; {
				depth := min(t.stream.rows, k1-k)
				for t.stream.f[depth][1] == nil {
					depth--
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
				end.sums, end.c = &sums[0], &a.C[(i0+r)*a.LDC+j]
				if rows > 1 {
					nr := t.nr()
					t.copyBlock(&blockArgs{dst: &row[0], src: &sums[r*nr], outer: 1, rows: (w + nr - 1) / nr, n: nr, dRow: nr, dCol: 1, sRow: rows * nr, sCol: 1})
					end.sums = &row[0]
				}
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
