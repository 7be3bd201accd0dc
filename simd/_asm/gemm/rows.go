package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in dotArgs (simd/tiles_native.go).
const (
	dotK      = 8 * iota // blocks of 16 products
	dotK4                // blocks of 4 products after them
	dotA                 // element (row, k) of A is at a + (k*rows + row)*4
	dotB                 // column j of op(B) is at b + j*bs
	dotBS                // bytes between columns
	dotAhead             // bytes from a column to the one that is fetched when it is used
	dotAcc               // accumulators: [rows][columns]float32; AVX2 with an odd number of rows: one row more
	dotHeight            // AVX2: rows of A, if there are several
	dotBuf               // AVX2: 16*dotLines*columns float32
)

// dotLines is how many cache lines of a column are transposed at a time.
const dotLines = 4

// dots writes the tiles that multiply rows of A with columns of op(B) that lie in rows.
func (g *gen) dots() {
	if !g.wide {
		for _, groups := range []int{1, 2, 4} {
			g.dotBlocks(1, groups)
			g.dotBlocks(2, groups)
		}
		return
	}
	for rows := 1; rows <= 4; rows++ {
		g.dot(rows, 1)
		if rows == 1 {
			g.dot(rows, 2)
		}
		g.dot(rows, 4)
	}
}

// columnOf returns the address of column i of 8 that lie s apart; s3, s5 and s7 are multiples of s.
func columnOf(base reg.Register, i, disp int, s, s3, s5, s7 reg.Register) op.Mem {
	m := mem(base, disp)
	if i > 0 {
		m.Index, m.Scale = []reg.Register{s, s, s3, s, s5, s3, s7}[i-1], []uint8{1, 2, 1, 4, 1, 2, 1}[i-1]
	}
	return m
}

// dotBlocks writes the tile of one row of A, or of any number in pairs, and groups*8 columns for AVX2: up to 64 of k are transposed into a buffer,
// from where each pair of rows takes them with as many sums at work as hide the latency of a multiply-add. Columns may lie at strides that evict
// each other from L1: the lines of 8 are used up before the next 8 have their turn.
func (g *gen) dotBlocks(rows, groups int) {
	name := fmt.Sprintf("dotTile1x%d", 8*groups)
	doc := fmt.Sprintf("acc[r,j] += sum over k of A[r,k]*B[j,k], j < %d, in the order of k; r < ", 8*groups)
	if rows > 1 {
		name = fmt.Sprintf("dotTilesx%d", 8*groups)
		doc += "rows, and the row after them if these are odd, whose A is what comes next."
	} else {
		doc += "1."
	}
	g.begin("dot", []int{rows, groups}, name, "dotArgs", doc)
	var (
		k, a, s, s3, s5, s7 = reg.RCX, reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RDI
		b, at, buf, acc     = reg.R8, reg.R9, reg.R10, reg.R11
		lines               = reg.R12 // of the block
		to, left            = reg.R13, reg.R14
		pairs, astep        = reg.R13, reg.R14 // while rows are at work
		from, count         = reg.RDI, reg.RDX
	)
	sum := func(r, q int) reg.VecPhysical { return ymm[r*groups+q] }
	strides := func() {
		g.LEAQ(indexed(s, s, 4), s5)
		g.LEAQ(indexed(s3, s, 4), s7)
	}
	sums := func(store bool) {
		for r := range rows {
			for q := range groups {
				if m := mem(acc, 32*(r*groups+q)); store {
					g.VMOVUPS(sum(r, q), m)
				} else {
					g.VMOVUPS(m, sum(r, q))
				}
			}
		}
	}
	line := 32 * groups // bytes of the buffer for one k
	// eight transposes 8 of k of 8 columns.
	eight := func(h int) {
		v := append([]reg.VecPhysical(nil), ymm[4:12]...)
		free := ymm[12]
		for i := range 8 {
			g.VMOVUPS(columnOf(at, i, 32*h, s, s3, s5, s7), v[i])
		}
		// both replaces x and y by two mixtures of them.
		both := func(x, y int, low, high func(y, x, to reg.VecPhysical)) {
			low(v[y], v[x], free)
			high(v[y], v[x], v[y])
			v[x], free = free, v[x]
		}
		unpack := func(x, y int) {
			both(x, y, func(y, x, to reg.VecPhysical) { g.VUNPCKLPS(y, x, to) }, func(y, x, to reg.VecPhysical) { g.VUNPCKHPS(y, x, to) })
		}
		shuffle := func(x, y int) {
			both(x, y, func(y, x, to reg.VecPhysical) { g.VSHUFPS(op.Imm(0x44), y, x, to) }, func(y, x, to reg.VecPhysical) { g.VSHUFPS(op.Imm(0xee), y, x, to) })
		}
		halves := func(x, y int) {
			both(x, y, func(y, x, to reg.VecPhysical) { g.VPERM2F128(op.Imm(0x20), y, x, to) }, func(y, x, to reg.VecPhysical) { g.VPERM2F128(op.Imm(0x31), y, x, to) })
		}
		for i := 0; i < 8; i += 2 {
			unpack(i, i+1)
		}
		for _, i := range []int{0, 1, 4, 5} {
			shuffle(i, i+2)
		}
		for i, k := range []int{0, 2, 1, 3} { // which k a vector and the one 4 further hold
			halves(i, i+4)
			g.VMOVUPS(v[i], mem(to, line*(8*h+k)))
			g.VMOVUPS(v[i+4], mem(to, line*(8*h+k+4)))
		}
	}
	// four transposes 4 of k of 8 columns.
	four := func() {
		t := func(i int) reg.VecPhysical { return ymm[4+i] }
		w := func(i int) reg.VecPhysical { return ymm[8+i] }
		for i := range 4 {
			g.VMOVUPS(columnOf(at, i, 0, s, s3, s5, s7), quarter(t(i)))
			g.insert(columnOf(at, i+4, 0, s, s3, s5, s7), t(i))
		}
		g.VUNPCKLPS(t(1), t(0), w(0))
		g.VUNPCKHPS(t(1), t(0), w(1))
		g.VUNPCKLPS(t(3), t(2), w(2))
		g.VUNPCKHPS(t(3), t(2), w(3))
		for i := range 4 {
			g.VSHUFPS(op.Imm([]uint64{0x44, 0xee}[i%2]), w(2+i/2), w(i/2), t(i))
			g.VMOVUPS(t(i), mem(to, line*i))
		}
	}
	// products adds what is in the buffer, count times 4 of k.
	products := func(name string) {
		bcast, tmp := ymm[14], ymm[15]
		g.MOVQ(buf, from)
		if rows == 1 {
			g.Label(name + "Products")
			for i := range 4 {
				g.VBROADCASTSS(mem(a, 4*i), bcast)
				for q := range groups {
					g.madd(sum(0, q), bcast, mem(from, line*i+32*q), tmp)
				}
			}
			g.ADDQ(op.Imm(16), a)
		} else {
			v := func(q int) reg.VecPhysical { return ymm[8+q] }
			g.Label(name + "Products")
			for i := range 4 {
				for q := range groups {
					g.VMOVUPS(mem(from, line*i+32*q), v(q))
				}
				for r := range 2 {
					g.VBROADCASTSS(mem(at, 4*r), bcast)
					for q := range groups {
						g.madd(sum(r, q), bcast, v(q), tmp)
					}
				}
				g.ADDQ(astep, at)
			}
		}
		g.ADDQ(op.U32(4*line), from)
		g.DECQ(count)
		g.JNZ(op.LabelRef(name + "Products"))
	}
	// block adds the lines that are in the buffer, or 4 of k.
	block := func(name string, whole bool) {
		fours := func() {
			if g.MOVQ(op.U32(1), count); whole {
				g.LEAQ(op.Mem{Base: lines, Index: lines, Scale: 1}, count)
				g.ADDQ(count, count)
			}
		}
		if rows == 1 {
			fours()
			products(name)
		} else {
			g.MOVQ(field(dotHeight), pairs)
			g.MOVQ(pairs, astep)
			g.SHLQ(op.Imm(2), astep)
			g.Label(name + "Pair")
			sums(false)
			g.MOVQ(a, at)
			fours()
			products(name)
			sums(true)
			g.ADDQ(op.U32(2*line), acc)
			g.ADDQ(op.Imm(8), a)
			g.SUBQ(op.Imm(2), pairs)
			g.JG(op.LabelRef(name + "Pair"))
			// The last pair has come to the end of this block, by as much further as it stands from the first.
			g.MOVQ(field(dotHeight), count)
			g.DECQ(count)
			g.SHRQ(op.Imm(1), count)
			g.SHLQ(op.Imm(3), count)
			g.SUBQ(count, at)
			g.MOVQ(at, a)
			g.MOVQ(field(dotAcc), acc)
		}
		strides()
	}
	g.MOVQ(field(dotA), a)
	g.MOVQ(field(dotB), b)
	g.MOVQ(field(dotBS), s)
	g.MOVQ(field(dotBuf), buf)
	g.MOVQ(field(dotAcc), acc)
	g.LEAQ(indexed(s, s, 2), s3)
	strides()
	if rows == 1 {
		sums(false)
	}
	g.MOVQ(field(dotK), k)
	g.TESTQ(k, k)
	g.JZ(op.LabelRef("linesDone"))
	g.Label("lines")
	g.MOVQ(op.U32(dotLines), lines)
	g.CMPQ(lines, k)
	g.JLE(op.LabelRef("linesCut"))
	g.MOVQ(k, lines)
	g.Label("linesCut")
	for q := range groups {
		if q == 0 {
			g.MOVQ(b, at)
		} else {
			g.LEAQ(op.Mem{Base: b, Index: s, Scale: 8}, at)
			for range q - 1 {
				g.LEAQ(op.Mem{Base: at, Index: s, Scale: 8}, at)
			}
		}
		g.LEAQ(mem(buf, 32*q), to)
		g.MOVQ(lines, left)
		g.Label(fmt.Sprintf("group%d", q))
		eight(0)
		eight(1)
		g.ADDQ(op.Imm(64), at)
		g.ADDQ(op.U32(16*line), to)
		g.DECQ(left)
		g.JNZ(op.LabelRef(fmt.Sprintf("group%d", q)))
	}
	block("lines", true)
	g.SUBQ(lines, k)
	g.SHLQ(op.Imm(6), lines)
	g.ADDQ(lines, b)
	g.TESTQ(k, k)
	g.JNZ(op.LabelRef("lines"))
	g.Label("linesDone")
	g.MOVQ(field(dotK4), k)
	g.TESTQ(k, k)
	g.JZ(op.LabelRef("end"))
	g.Label("fours")
	g.MOVQ(b, at)
	for q := range groups {
		g.LEAQ(mem(buf, 32*q), to)
		four()
		g.LEAQ(op.Mem{Base: at, Index: s, Scale: 8}, at)
	}
	block("fours", false)
	g.ADDQ(op.Imm(16), b)
	g.DECQ(k)
	g.JNZ(op.LabelRef("fours"))
	g.Label("end")
	if rows == 1 {
		sums(true)
	}
	g.end()
}

// dot writes the tile of rows x groups*8 for AVX-512. Four columns of k of 8 rows of B are transposed in registers; a group takes 16 of k, a cache
// line of each row, before the next group's turn, since rows may lie at strides that evict each other from L1.
func (g *gen) dot(rows, groups int) {
	g.begin("dot", []int{rows, groups}, fmt.Sprintf("dotTile%dx%d", rows, 8*groups), "dotArgs",
		fmt.Sprintf("acc[r,j] += sum over k of A[r,k]*B[j,k], r < %d, j < %d, in the order of k.", rows, 8*groups))
	var (
		k, a, s, s3, s5, s7 = reg.RCX, reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RDI
		ahead, next         = reg.R12, reg.R13
		base                = []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11}[:groups]
		acc                 = func(r, q int) reg.VecPhysical { return g.low(r*groups + q) }
		free                = rows * groups
	)
	t := func(i int) reg.VecPhysical { return g.low(free + i) } // 8 registers
	column := func(base reg.Register, i, disp int) op.Mem { return columnOf(base, i, disp, s, s3, s5, s7) }
	g.MOVQ(field(dotA), a)
	g.MOVQ(field(dotB), base[0])
	g.MOVQ(field(dotBS), s)
	g.LEAQ(indexed(s, s, 2), s3)
	g.LEAQ(indexed(s, s, 4), s5)
	g.LEAQ(indexed(s3, s, 4), s7)
	for q := 1; q < groups; q++ {
		g.LEAQ(indexed(base[q-1], s, 8), base[q])
	}
	g.MOVQ(field(dotAhead), ahead)
	g.MOVQ(field(dotAcc), k)
	for i := range rows * groups {
		g.VMOVUPS(mem(k, 32*i), g.low(i))
	}
	// step adds 4 products of a group, from element 4*u on.
	step := func(q, u int) {
		for i := range 4 {
			g.VMOVUPS(column(base[q], i, 16*u), quarter(t(i)))
			g.insert(column(base[q], i+4, 16*u), t(i))
		}
		w := func(i int) reg.VecPhysical { return t(4 + i) }
		g.VUNPCKLPS(t(1), t(0), w(0))
		g.VUNPCKHPS(t(1), t(0), w(1))
		g.VUNPCKLPS(t(3), t(2), w(2))
		g.VUNPCKHPS(t(3), t(2), w(3))
		g.VSHUFPS(op.Imm(0x44), w(2), w(0), t(0))
		g.VSHUFPS(op.Imm(0xee), w(2), w(0), t(1))
		g.VSHUFPS(op.Imm(0x44), w(3), w(1), t(2))
		g.VSHUFPS(op.Imm(0xee), w(3), w(1), t(3))
		for i := range 4 {
			for r := range rows {
				g.VFMADD231PS_BCST(mem(a, (rows*(4*u+i)+r)*4), t(i), acc(r, q))
			}
		}
	}
	// step8 adds 8 products of a group: half a cache line of each row at a time, since loads from the same place in several pages
	// wait for each other.
	step8 := func(q, u int) {
		w := func(i int) reg.VecPhysical { return t(8 + i) }
		for i := range 8 {
			g.VMOVUPS(column(base[q], i, 16*u), t(i))
		}
		for i := 0; i < 8; i += 2 {
			g.VUNPCKLPS(t(i+1), t(i), w(i))
			g.VUNPCKHPS(t(i+1), t(i), w(i+1))
		}
		for i := 0; i < 8; i += 4 { // rows 0 to 3, then 4 to 7; k and k+4 in the halves
			for h := range 2 {
				g.VSHUFPS(op.Imm(0x44), w(i+2+h), w(i+h), t(i+2*h))
				g.VSHUFPS(op.Imm(0xee), w(i+2+h), w(i+h), t(i+2*h+1))
			}
		}
		for i := range 4 {
			g.VSHUFF32X4(op.Imm(0), t(4+i), t(i), w(i))
			g.VSHUFF32X4(op.Imm(3), t(4+i), t(i), w(4+i))
		}
		for i := range 8 {
			for r := range rows {
				g.VFMADD231PS_BCST(mem(a, (rows*(4*u+i)+r)*4), w(i), acc(r, q))
			}
		}
	}
	loop := func(name string, counter, steps int) {
		g.MOVQ(field(counter), k)
		g.TESTQ(k, k)
		g.JZ(op.LabelRef(name + "Done"))
		g.Label(name)
		for q := range groups {
			if steps == 4 {
				g.LEAQ(indexed(base[q], ahead, 1), next)
				for i := range 8 {
					g.PREFETCHT1(column(next, i, 0))
				}
			}
			for u := 0; u < steps; u++ {
				if u+2 <= steps {
					step8(q, u)
					u++
					continue
				}
				step(q, u)
			}
			g.ADDQ(op.U32(16*steps), base[q])
		}
		g.ADDQ(op.U32(16*steps*rows), a)
		g.DECQ(k)
		g.JNZ(op.LabelRef(name))
		g.Label(name + "Done")
	}
	loop("lines", dotK, 4)
	loop("quarters", dotK4, 1)
	g.MOVQ(field(dotAcc), k)
	for i := range rows * groups {
		g.VMOVUPS(g.low(i), mem(k, 32*i))
	}
	g.end()
}

// low returns the 8 lanes of vector register i; there are 32 of them with AVX-512.
func (g *gen) low(i int) reg.VecPhysical {
	if g.wide {
		return half(zmm[i])
	}
	return ymm[i]
}

// insert loads the upper 4 of 8 lanes.
func (g *gen) insert(src op.Mem, v reg.VecPhysical) {
	if g.wide {
		g.VINSERTF32X4(op.Imm(1), src, v, v)
		return
	}
	g.VINSERTF128(op.Imm(1), src, v, v)
}

// Offsets in copyArgs.
const (
	copyDst  = 8 * iota
	copySrc  //
	copyDRow // bytes between rows of dst
	copySRow // bytes between rows of src
	copyRows // at least 1
	copyN    // bytes of a row, at least 32
)

// copyEven writes the kernel that copies every second element of rows, at least 8 of each.
func (g *gen) copyEven() {
	g.begin("", nil, "copyEven", "copyArgs", "dst[r][i] = src[r][2*i], r < rows, i < n, n >= 8.")
	var (
		dst, src, dRow, sRow, rows, n = reg.RDI, reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RCX
		d, s, left                    = reg.R8, reg.R9, reg.R10
	)
	for i, r := range []reg.GPPhysical{dst, src, dRow, sRow, rows, n} {
		g.MOVQ(field(8*i), r)
	}
	even := func(first, second op.Mem, to op.Mem) {
		g.VMOVUPS(first, reg.Y0)
		g.VSHUFPS(op.Imm(0b11011000), second, reg.Y0, reg.Y0) // elements 0 2, 8 10, 4 6, 12 14
		g.VPERMPD(op.Imm(0b11011000), reg.Y0, reg.Y0)
		g.VMOVUPS(reg.Y0, to)
	}
	g.Label("row")
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(n, left)
	g.SUBQ(op.Imm(32), left)
	g.JBE(op.LabelRef("last"))
	g.Label("vector")
	// The second vector starts one element early: the one after the last may not exist.
	even(mem(s, 0), mem(s, 28), mem(d, 0))
	g.ADDQ(op.Imm(64), s)
	g.ADDQ(op.Imm(32), d)
	g.SUBQ(op.Imm(32), left)
	g.JA(op.LabelRef("vector"))
	// The last vector ends where the row ends.
	g.Label("last")
	g.LEAQ(indexed(s, left, 2), s)
	even(mem(s, 0), mem(s, 28), indexed(d, left, 1))
	g.ADDQ(dRow, dst)
	g.ADDQ(sRow, src)
	g.DECQ(rows)
	g.JNZ(op.LabelRef("row"))
	g.end()
}

// copyRows writes the kernel that copies rows of at least 8 elements.
func (g *gen) copyRows() {
	g.begin("", nil, "copyRows", "copyArgs", "dst[r][i] = src[r][i], r < rows, i < n, n >= 8.")
	var (
		dst, src, dRow, sRow, rows, n = reg.RDI, reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RCX
		d, s, left                    = reg.R8, reg.R9, reg.R10
	)
	for i, r := range []reg.GPPhysical{dst, src, dRow, sRow, rows, n} {
		g.MOVQ(field(8*i), r)
	}
	g.Label("row")
	g.MOVQ(dst, d)
	g.MOVQ(src, s)
	g.MOVQ(n, left)
	g.SUBQ(op.Imm(128), left)
	g.JB(op.LabelRef("short"))
	g.Label("long")
	for i := range 4 {
		g.VMOVUPS(mem(s, 32*i), ymm[i])
	}
	for i := range 4 {
		g.VMOVUPS(ymm[i], mem(d, 32*i))
	}
	g.ADDQ(op.Imm(128), s)
	g.ADDQ(op.Imm(128), d)
	g.SUBQ(op.Imm(128), left)
	g.JAE(op.LabelRef("long"))
	g.Label("short")
	g.ADDQ(op.Imm(128), left)
	g.JZ(op.LabelRef("next"))
	g.SUBQ(op.Imm(32), left)
	g.JBE(op.LabelRef("last"))
	g.Label("vector")
	g.VMOVUPS(mem(s, 0), ymm[0])
	g.VMOVUPS(ymm[0], mem(d, 0))
	g.ADDQ(op.Imm(32), s)
	g.ADDQ(op.Imm(32), d)
	g.SUBQ(op.Imm(32), left)
	g.JA(op.LabelRef("vector"))
	// The last vector ends where the row ends.
	g.Label("last")
	g.VMOVUPS(indexed(s, left, 1), ymm[0])
	g.VMOVUPS(ymm[0], indexed(d, left, 1))
	g.Label("next")
	g.ADDQ(dRow, dst)
	g.ADDQ(sRow, src)
	g.DECQ(rows)
	g.JNZ(op.LabelRef("row"))
	g.end()
}

// Offsets in piecesArgs.
const (
	piecesDst    = 8 * iota
	piecesSrc    //
	piecesDPiece // bytes between pieces in dst
	piecesSRow   // bytes between rows of src
	piecesRows   // at least 1
	piecesCount  // pieces of a row, at least 1
	piecesStep   // bytes of a piece, which follow one another in src and, row after row, in dst
	piecesAhead  // bytes from what is read to what is fetched
)

// copyPieces writes the kernel that deals pieces of rows out to panels.
func (g *gen) copyPieces() {
	g.begin("", nil, "copyPieces", "piecesArgs",
		"dst[p][r*step + i] = src[r][p*step + i], p < count, r < rows, i < step; a piece of less than 8 elements is read and written as 8, row after row, any other has 16.")
	var (
		dst, src, dPiece, sRow, rows, count = reg.RDI, reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RCX
		step, ahead, d, s, left             = reg.R8, reg.R9, reg.R10, reg.R11, reg.R12
	)
	for i, r := range []reg.GPPhysical{dst, src, dPiece, sRow, rows, count, step, ahead} {
		g.MOVQ(field(8*i), r)
	}
	loop := func(name string, vecs int) {
		g.Label(name)
		g.MOVQ(dst, d)
		g.MOVQ(src, s)
		g.MOVQ(count, left)
		g.Label(name + "Piece")
		g.PREFETCHT0(indexed(s, ahead, 1))
		for i := range vecs {
			g.VMOVUPS(mem(s, 32*i), ymm[i])
		}
		for i := range vecs {
			g.VMOVUPS(ymm[i], mem(d, 32*i))
		}
		g.ADDQ(step, s)
		g.ADDQ(dPiece, d)
		g.DECQ(left)
		g.JNZ(op.LabelRef(name + "Piece"))
		g.ADDQ(step, dst)
		g.ADDQ(sRow, src)
		g.DECQ(rows)
		g.JNZ(op.LabelRef(name))
	}
	g.CMPQ(step, op.Imm(32))
	g.JA(op.LabelRef("two"))
	loop("one", 1)
	g.JMP(op.LabelRef("done"))
	loop("two", 2)
	g.Label("done")
	g.end()
}

// Offsets in fetchArgs.
const (
	fetchP     = 8 * iota
	fetchStep  // bytes between rows
	fetchRows  // at least 1
	fetchLines // cache lines of a row, at least 1
)

// fetch writes the kernel that brings rows into L2.
func (g *gen) fetch() {
	g.begin("", nil, "fetchRows", "fetchArgs", "nothing: it asks for the cache lines p + r*step + 64*i, r < rows, i < lines, in L2.")
	var (
		p, step, rows, lines, q, left = reg.RSI, reg.RAX, reg.RDX, reg.RCX, reg.RDI, reg.R8
	)
	g.MOVQ(field(fetchP), p)
	g.MOVQ(field(fetchStep), step)
	g.MOVQ(field(fetchRows), rows)
	g.MOVQ(field(fetchLines), lines)
	g.Label("row")
	g.MOVQ(p, q)
	g.MOVQ(lines, left)
	g.Label("line")
	g.PREFETCHT1(mem(q, 0))
	g.ADDQ(op.Imm(64), q)
	g.DECQ(left)
	g.JNZ(op.LabelRef("line"))
	g.ADDQ(step, p)
	g.DECQ(rows)
	g.JNZ(op.LabelRef("row"))
	g.end()
}
