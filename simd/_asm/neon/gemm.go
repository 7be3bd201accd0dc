package main

import "fmt"

// gemmRows is the height of the tallest matrix-product tile: two vectors wide, it leaves registers for one column of A
// and a row of B.
const gemmRows = 12

// genGemm writes the matrix-product tiles and the packing kernel.
func genGemm(g *gen) {
	for rows := 1; rows <= gemmRows; rows++ {
		for _, cols := range widths(func(n int) int { return rows*n + g.beside(rows, n) }) {
			g.gemmTile(rows, cols)
		}
	}
	if g.fma {
		g.transpose()
		g.addColumns()
	}
}

// products is how many registers hold products before they are added, without fusing: more than one, so that the next
// multiplication need not wait.
func (g *gen) products() int {
	if g.fma {
		return 0
	}
	return 3
}

// beside returns the registers that a tile needs beside its accumulators: one column of A, one vector per column and the products.
func (g *gen) beside(rows, cols int) int {
	return max((rows+lanes-1)/lanes+cols+g.products(), 2) // the epilogue needs two
}

// loadColumn loads rows consecutive float32 into registers from v on. It overwrites tmp. Nothing after the last is read.
func (g *gen) loadColumn(base xreg, rows int, v vreg, tmp xreg) {
	for r := 0; r < rows; r += lanes {
		d := v + vreg(r/lanes)
		switch rows - r {
		case 1:
			g.ins("FMOVS %d(R%d), F%d", 4*r, base, d)
		case 2:
			g.ins("FMOVD %d(R%d), F%d", 4*r, base, d)
		case 3:
			g.ins("FMOVD %d(R%d), F%d", 4*r, base, d)
			g.ins("ADD $%d, R%d, R%d", 4*r+8, base, tmp)
			g.ins("VLD1 (R%d), V%d.S[2]", tmp, d)
		default:
			g.load(base, 4*r, d)
		}
	}
}

// outer adds the outer product of a column of A (from a on, one element a lane) and a row of B.
func (g *gen) outer(rows, cols int, acc func(r, c int) vreg, a, b, tmp vreg) {
	for r := range rows {
		for c := range cols {
			t := tmp
			if !g.fma {
				t += vreg((r*cols + c) % g.products())
			}
			g.maddLane(acc(r, c), b+vreg(c), a+vreg(r/lanes), r%lanes, t)
		}
	}
}

// gemmTile writes the kernel for a tile of rows x cols vectors of C.
func (g *gen) gemmTile(rows, cols int) {
	g.begin([2]int{rows, cols}, fmt.Sprintf("gemmTile%dx%d", rows, cols*lanes), "tileArgs",
		fmt.Sprintf("C[r,j] (+)= sum over k of A[r,k]*B[k,j], r < %d, j < %d, in the order of k; then the epilogue.", rows, cols*lanes))
	const (
		a, b, k, acs, bs, mask, tmp xreg = 1, 2, 3, 4, 5, 6, 7
		ars                         xreg = 10 // and the registers after it: multiples of the stride, from 1 on
	)
	var (
		m    = part{8, 9}
		acc  = func(r, c int) vreg { return vreg(r*cols + c) }
		bReg = vreg(rows * cols)
		aReg = bReg + vreg(cols)
		prod = aReg + vreg((rows+lanes-1)/lanes)
		last = cols - 1
		rowR = func(r int) xreg { // register that holds r times the stride
			x := ars + xreg(r-1)
			if x >= 18 {
				x++
			}
			return x
		}
	)
	g.field(tileK, k)
	g.field(tileA, a)
	g.field(tileACS, acs)
	g.field(tileB, b)
	g.field(tileBS, bs)
	g.field(tileMask, mask)
	for i := range rows * cols {
		g.zero(vreg(i))
	}
	if rows > 1 {
		g.field(tileARS, ars)
		for r := 2; r < rows; r++ {
			g.ins("ADD R%d, R%d, R%d", ars, rowR(r-1), rowR(r))
		}
	}
	loop := func(name string, column, masked bool) {
		g.label(name)
		for c := range cols {
			if c == last && masked {
				g.loadPart(b, c*vecBytes, bReg+vreg(c), m, tmp)
			} else {
				g.load(b, c*vecBytes, bReg+vreg(c))
			}
		}
		if column {
			g.loadColumn(a, rows, aReg, tmp)
		} else {
			for r := range rows {
				d := aReg + vreg(r/lanes)
				switch {
				case r == 0:
					g.ins("FMOVS (R%d), F%d", a, d)
				case r%lanes == 0:
					g.ins("FMOVS (R%d)(R%d), F%d", a, rowR(r), d)
				default:
					g.ins("ADD R%d, R%d, R%d", rowR(r), a, tmp)
					g.ins("VLD1 (R%d), V%d.S[%d]", tmp, d, r%lanes)
				}
			}
		}
		g.ins("ADD R%d, R%d, R%d", acs, a, a)
		g.ins("ADD R%d, R%d, R%d", bs, b, b)
		g.outer(rows, cols, acc, aReg, bReg, prod)
		g.ins("SUBS $1, R%d, R%d", k, k)
		g.ins("BNE %s", name)
	}
	// A packed panel, and a transposed A, have a column's elements side by side.
	g.ins("CBNZ R%d, masked", mask)
	if rows > 1 {
		g.ins("CMP $4, R%d", ars)
		g.ins("BNE strided")
		loop("columns", true, false)
		g.ins("B epilogue")
	}
	loop("strided", false, false)
	g.ins("B epilogue")
	g.label("masked")
	g.loadMask(mask, m)
	loop("maskedLoop", false, true)
	g.label("epilogue")
	g.gemmEpilogue(rows, cols, m)
	g.ins("RET")
}

// gemmEpilogue adds C, the biases and the clamp as the flags say, and stores the tile.
func (g *gen) gemmEpilogue(rows, cols int, m part) {
	const flags, c, cs, bias, ptr, mask, tmp xreg = 1, 2, 3, 4, 5, 6, 7 // mask and m are as in the loop
	var (
		acc  = func(r, c int) vreg { return vreg(r*cols + c) }
		t    = vreg(rows * cols)
		last = cols - 1
	)
	load := func(base xreg, v int, masked bool) {
		if v == last && masked {
			g.loadPart(base, v*vecBytes, t, m, tmp)
		} else {
			g.load(base, v*vecBytes, t)
		}
	}
	g.field(tileFlags, flags)
	g.field(tileC, c)
	g.field(tileCS, cs)
	g.ins("TBZ $%d, R%d, added", flagAdd, flags)
	g.ins("MOVD R%d, R%d", c, ptr)
	g.both("add", mask, func(masked bool) {
		for r := range rows {
			for v := range cols {
				load(ptr, v, masked)
				g.op("fadd", acc(r, v), t, acc(r, v))
			}
			if r+1 < rows {
				g.ins("ADD R%d, R%d, R%d", cs, ptr, ptr)
			}
		}
	})
	g.label("added")
	g.ins("TBZ $%d, R%d, store", flagFinish, flags)
	g.field(tileBiasM, bias)
	g.ins("CBZ R%d, biasedM", bias)
	for r := range rows {
		g.broadcast(bias, 4*r, t, tmp)
		for v := range cols {
			g.op("fadd", acc(r, v), acc(r, v), t)
		}
	}
	g.label("biasedM")
	g.field(tileBiasN, bias)
	g.ins("CBZ R%d, biasedN", bias)
	g.both("bias", mask, func(masked bool) {
		for v := range cols {
			load(bias, v, masked)
			for r := range rows {
				g.op("fadd", acc(r, v), acc(r, v), t)
			}
		}
	})
	g.label("biasedN")
	g.clamp(tileLo, rows*cols, flags, tmp)
	g.label("store")
	g.both("stored", mask, func(masked bool) {
		for r := range rows {
			for v := range cols {
				if v == last && masked {
					g.storePart(acc(r, v), c, v*vecBytes, m, tmp)
				} else {
					g.store(acc(r, v), c, v*vecBytes)
				}
			}
			if r+1 < rows {
				g.ins("ADD R%d, R%d, R%d", cs, c, c)
			}
		}
	})
}

// transpose writes the kernel that packs 8 rows of a matrix as 8 columns of a panel.
func (g *gen) transpose() {
	g.begin([2]int{}, "transpose8", "transposeArgs", "dst[c*ds + r] = src[r][c], r < 8, c < 8*n; rows of dst are written from the first to the last.")
	const (
		n, dst, ds xreg = 1, 2, 3
		src        xreg = 4
	)
	g.field(transN, n)
	g.field(transDst, dst)
	g.field(transDS, ds)
	for r := range 8 {
		g.field(transSrc+8*r, src+xreg(r))
	}
	g.label("loop")
	for range 2 { // 4 columns at a time
		for quad := range 2 { // rows 0 to 3 into registers 8-11, rows 4 to 7 into 12-15
			in, mid, out := vreg(0), vreg(4), vreg(8+4*quad)
			for r := range 4 {
				g.ins("FMOVQ.P 16(R%d), F%d", src+xreg(4*quad+r), in+vreg(r))
			}
			for pair := range 2 { // columns 0 and 2, then 1 and 3, of two rows
				g.ins("VTRN1 V%d.S4, V%d.S4, V%d.S4", in+vreg(2*pair+1), in+vreg(2*pair), mid+vreg(pair))
				g.ins("VTRN2 V%d.S4, V%d.S4, V%d.S4", in+vreg(2*pair+1), in+vreg(2*pair), mid+vreg(2+pair))
			}
			for odd := range 2 {
				g.ins("VTRN1 V%d.D2, V%d.D2, V%d.D2", mid+vreg(2*odd+1), mid+vreg(2*odd), out+vreg(odd))
				g.ins("VTRN2 V%d.D2, V%d.D2, V%d.D2", mid+vreg(2*odd+1), mid+vreg(2*odd), out+vreg(2+odd))
			}
		}
		for c := range 4 {
			g.store(vreg(8+c), dst, 0)
			g.store(vreg(12+c), dst, 16)
			g.ins("ADD R%d, R%d, R%d", ds, dst, dst)
		}
	}
	g.ins("SUBS $1, R%d, R%d", n, n)
	g.ins("BNE loop")
	g.ins("RET")
}
