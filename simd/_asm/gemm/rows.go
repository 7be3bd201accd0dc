package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in dotArgs (simd/tiles_native.go).
const (
	dotK     = 8 * iota // blocks of 16 products
	dotK4               // blocks of 4 products after them
	dotA                // element (row, k) of A is at a + (k*rows + row)*4
	dotB                // column j of op(B) is at b + j*bs
	dotBS               // bytes between columns
	dotAhead            // bytes from a column to the one that is fetched when it is used
	dotAcc              // accumulators: [rows][columns]float32
)

// dotRows returns how many rows of A the tiles of a transposed B take.
func (s isa) dotRows() int {
	if s.wide {
		return 4
	}
	return 1
}

// dots writes the tiles that multiply rows of A with columns of op(B) that lie in rows.
func (g *gen) dots() {
	for rows := 1; rows <= g.dotRows(); rows++ {
		g.dot(rows, 1)
		if rows == 1 {
			g.dot(rows, 2)
		}
		g.dot(rows, 4)
	}
}

// dot writes the tile of rows x groups*8. Four columns of k of 8 rows of B are transposed in registers; a group takes 16 of k, a cache
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
	// column returns the address of column i of a group of 8.
	column := func(base reg.Register, i, disp int) op.Mem {
		m := mem(base, disp)
		if i > 0 {
			x := []reg.Register{s, s, s3, s, s5, s3, s7}[i-1]
			m.Index, m.Scale = x, []uint8{1, 2, 1, 4, 1, 2, 1}[i-1]
		}
		return m
	}
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
				if g.wide {
					g.VFMADD231PS_BCST(mem(a, (rows*(4*u+i)+r)*4), t(i), acc(r, q))
					continue
				}
				if rows > 1 {
					panic("the products would overwrite their operand")
				}
				g.VBROADCASTSS(mem(a, (rows*(4*u+i)+r)*4), w(i%2))
				g.madd(acc(r, q), w(i%2), t(i), t(i))
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
				if g.wide && u+2 <= steps {
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
