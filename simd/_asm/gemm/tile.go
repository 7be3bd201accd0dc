package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// genGemm writes the tiles of a set and its packing kernel.
func genGemm(g *gen) {
	for rows := 1; rows <= g.maxRows(); rows++ {
		for _, cols := range g.widths(rows) {
			g.tile(rows, cols)
		}
	}
	if g.wide {
		for rows := 1; rows <= g.maxRows(); rows++ {
			g.halved = true
			g.tile(rows, 1)
			g.halved = false
		}
	}
	g.dots()
	for _, depth := range g.streamDepths() {
		g.stream(depth)
	}
	if !g.wide && g.fma {
		g.transpose()
		g.addColumns()
		g.copyRows()
		g.copyEven()
		g.copyPieces()
		g.fetch()
		g.finish()
	}
}

// strideRegs are registers for 1, 3, 5, ... times a stride; with the scales 1, 2, 4 and 8 of an address they reach every row.
var strideRegs = []reg.GPPhysical{reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14}

// strides loads the odd multiples of a stride that rows rows need.
func (g *gen) strides(rows, offset int) {
	if rows < 2 {
		return
	}
	s := strideRegs[0]
	g.MOVQ(field(offset), s)
	for i := 3; i < rows; i += 2 {
		prev := strideRegs[(i-3)/2]
		g.LEAQ(indexed(prev, s, 2), strideRegs[(i-1)/2])
	}
}

// row returns the address of a row, given the registers that strides loaded.
func row(base reg.Register, i int) op.Mem {
	if i == 0 {
		return mem(base, 0)
	}
	scale := uint8(1)
	for i%2 == 0 {
		i, scale = i/2, scale*2
	}
	return indexed(base, strideRegs[(i-1)/2], scale)
}

// tile writes the kernel for a tile of rows x cols vectors of C.
func (g *gen) tile(rows, cols int) {
	key := []int{rows, cols}
	if g.halved {
		key[1] = 0
	}
	g.begin("gemm", key, fmt.Sprintf("gemmTile%dx%d", rows, cols*g.lanes()), "tileArgs",
		fmt.Sprintf("C[r,j] (+)= sum over k of A[r,k]*B[k,j], r < %d, j < %d, in the order of k; then the epilogue.", rows, cols*g.lanes()))
	var (
		a, b, k, acs, bs, mask = reg.RSI, reg.RDX, reg.RCX, reg.RAX, reg.RBX, reg.RDI
		ahead                  = reg.R12 // not among the registers of strides: AVX2's tiles are short
		acc                    = func(r, c int) reg.VecPhysical { return g.vec(r*cols + c) }
		last                   = cols - 1
	)
	bReg := func(c int) reg.VecPhysical { return g.vec(rows*cols + c) }
	bcast := g.vec(rows*cols + cols)
	tmp := bcast
	if !g.fma {
		tmp = g.vec(rows*cols + cols + 1)
	}
	g.MOVQ(field(tileK), k)
	g.MOVQ(field(tileA), a)
	if !g.packs(rows, cols) {
		g.strides(rows, tileARS)
	}
	g.MOVQ(field(tileACS), acs)
	g.MOVQ(field(tileB), b)
	g.MOVQ(field(tileBS), bs)
	if g.wide {
		g.KMOVW(field(tileBits), reg.K1)
		ahead = mask
	} else {
		g.MOVQ(field(tileMask), mask)
	}
	g.MOVQ(field(tileFlags), ahead)
	g.SHRQ(op.Imm(flagBits), ahead)
	for i := range rows * cols {
		g.zero(g.vec(i))
	}
	packs := g.packs(rows, cols)
	if packs {
		g.MOVQ(field(tileFlags), strideRegs[0])
		g.TESTQ(op.U32(flagPacked), strideRegs[0])
		g.JNZ(op.LabelRef("packed"))
		g.strides(rows, tileARS)
	}
	loop := func(name string, masked, fetch bool) {
		g.Label(name)
		for c := 0; fetch && c < cols*g.lanes()*4; c += 64 {
			m := indexed(b, ahead, 1)
			m.Disp = c
			g.PREFETCHT0(m)
		}
		for c := range cols {
			src := mem(b, c*g.lanes()*4)
			switch {
			case c == last && g.wide:
				g.VMOVUPS_Z(src, reg.K1, bReg(c))
			case c == last && masked:
				g.VMOVUPS(mem(mask, 0), bcast)
				g.VMASKMOVPS(src, bcast, bReg(c))
			default:
				g.VMOVUPS(src, bReg(c))
			}
		}
		for r := range rows {
			g.VBROADCASTSS(row(a, r), bcast)
			for c := range cols {
				g.madd(acc(r, c), bcast, bReg(c), tmp)
			}
		}
		g.ADDQ(acs, a)
		g.ADDQ(bs, b)
		g.DECQ(k)
		g.JNZ(op.LabelRef(name))
	}
	g.TESTQ(ahead, ahead)
	g.JNZ(op.LabelRef("ahead"))
	if !g.wide {
		g.TESTQ(mask, mask)
		g.JNZ(op.LabelRef("masked"))
	}
	loop("loop", g.wide, false)
	g.JMP(op.LabelRef("epilogue"))
	if !g.wide {
		loop("masked", true, false)
		g.JMP(op.LabelRef("epilogue"))
		g.Label("ahead")
		g.TESTQ(mask, mask)
		g.JNZ(op.LabelRef("masked"))
		loop("aheadLoop", false, true)
	} else {
		loop("ahead", true, true)
	}
	if packs {
		g.JMP(op.LabelRef("epilogue"))
		g.Label("packed")
		g.packedLoop(rows, cols)
	}
	g.Label("epilogue")
	g.tileEpilogue(rows, cols)
	g.end()
}

// packs says whether a tile has a loop for packed operands: those of large products do.
func (g *gen) packs(rows, cols int) bool { return rows >= g.maxRows()/2 && cols == 2 && !g.halved }

// unrollBits says how many products a packed tile adds for each line it asks for.
const unrollBits = 2

// packedLoop adds up a tile whose operands are packed. Meanwhile it asks for C, which the epilogue needs, and then for what the driver
// wants next, a line at a time: many at once would keep the loads of B waiting. Or B is not packed: then it asks for what of B comes soon, and
// stores what it loads as a packed panel, which costs nothing beside the products.
func (g *gen) packedLoop(rows, cols int) {
	var (
		a, b, left                  = reg.RSI, reg.RDX, reg.RCX
		ahead, bs, deal             = reg.RAX, reg.RBX, reg.RDI
		p, step, more, walks, lines = reg.R8, reg.R9, reg.R10, reg.R11, reg.R12
		back, height                = reg.R13, reg.R14
		bReg                        = func(c int) reg.VecPhysical { return g.vec(rows*cols + c) }
		bcast                       = g.vec(rows*cols + cols)
		line                        = cols * g.lanes() * 4
		tmp                         = bcast
	)
	if !g.fma {
		tmp = g.vec(rows*cols + cols + 1)
	}
	products := func(n int, deals bool) {
		for i := range n {
			for disp := 0; deals && disp <= line; disp += 64 { // rows may start anywhere in a line
				m := indexed(b, ahead, 1)
				m.Disp = min(disp, line-4)
				g.PREFETCHT0(m)
			}
			for c := range cols {
				at := c * g.lanes() * 4
				if !deals {
					g.VMOVUPS(mem(b, i*line+at), bReg(c))
					continue
				}
				g.VMOVUPS(mem(b, at), bReg(c))
				g.VMOVUPS(bReg(c), mem(deal, i*line+at))
			}
			for r := range rows {
				g.VBROADCASTSS(mem(a, 4*(i*rows+r)), bcast)
				for c := range cols {
					g.madd(g.vec(r*cols+c), bcast, bReg(c), tmp)
				}
			}
			if deals {
				g.ADDQ(bs, b)
			}
		}
		g.ADDQ(op.U32(uint32(4*rows*n)), a)
		if deals {
			b = deal
		}
		g.ADDQ(op.U32(uint32(line*n)), b)
		b = reg.RDX
	}
	// walk sets out for height rows of lines; back leads from after the last row to the next line.
	walk := func() {
		g.MOVQ(height, more)
		g.MOVQ(height, back)
		g.IMULQ(step, back)
		g.NEGQ(back)
		g.ADDQ(op.Imm(64), back)
	}
	g.MOVQ(field(tileC), p)
	g.MOVQ(field(tileCS), step)
	g.MOVQ(op.U32(uint32(rows)), height)
	g.MOVQ(op.U32(uint32(line/64+1)), lines) // C may start anywhere in a line
	g.MOVQ(op.U32(2), walks)
	walk()
	loop := func(name string, deals bool) {
		unrollBits := unrollBits
		if g.wide && !deals { // a tile of more rows has more to ask for
			unrollBits = 1
		}
		if deals {
			g.MOVQ(field(tileDealSteps), left)
			g.TESTQ(left, left)
		} else {
			g.SHRQ(op.Imm(uint64(unrollBits)), left)
		}
		g.JZ(op.LabelRef(name + "Rest"))
		g.Label(name + "Loop")
		g.PREFETCHT1(mem(p, 0))
		products(1<<unrollBits, deals)
		g.ADDQ(step, p)
		g.DECQ(more)
		g.JZ(op.LabelRef(name + "Line"))
		g.Label(name + "Next")
		g.DECQ(left)
		g.JNZ(op.LabelRef(name + "Loop"))
		if deals {
			g.MOVQ(field(tileDealNext), ahead)
			g.MOVQ(field(tileDealLast), left)
			g.MOVQ(op.U32(0), field(tileDealLast))
			g.TESTQ(left, left)
			g.JNZ(op.LabelRef(name + "Loop"))
		}
		g.Label(name + "Rest")
		g.MOVQ(field(tileK), left)
		g.ANDQ(op.Imm(1<<uint64(unrollBits)-1), left)
		g.JZ(op.LabelRef(name + "Done"))
		g.Label(name + "One")
		products(1, deals)
		g.DECQ(left)
		g.JNZ(op.LabelRef(name + "One"))
		g.JMP(op.LabelRef(name + "Done"))
		g.Label(name + "Line") // the rows of a line are through
		g.ADDQ(back, p)
		g.MOVQ(height, more)
		g.DECQ(lines)
		g.JNZ(op.LabelRef(name + "Next"))
		g.DECQ(walks)
		g.JZ(op.LabelRef(name + "End"))
		g.MOVQ(field(tileWantRows), height)
		g.TESTQ(height, height)
		g.JZ(op.LabelRef(name + "End"))
		g.MOVQ(field(tileWant), p)
		g.MOVQ(field(tileWantStep), step)
		g.MOVQ(field(tileWantLines), lines)
		walk()
		g.JMP(op.LabelRef(name + "Next"))
		g.Label(name + "End") // from now on what is in L1
		g.MOVQ(args, p)
		g.XORQ(step, step)
		g.MOVQ(field(tileK), more)
		g.JMP(op.LabelRef(name + "Next"))
		g.Label(name + "Done")
	}
	g.MOVQ(field(tileFlags), deal)
	g.TESTQ(op.U32(flagDeal), deal)
	g.JNZ(op.LabelRef("deals"))
	loop("packed", false)
	g.JMP(op.LabelRef("dealt"))
	g.Label("deals")
	g.MOVQ(field(tileDealAhead), ahead)
	g.MOVQ(field(tileDeal), deal)
	loop("deal", true)
	g.Label("dealt")
	g.XORQ(deal, deal) // no mask
}

// zero clears a register.
func (g *gen) zero(v reg.VecPhysical) {
	if g.wide {
		g.VPXORD(v, v, v)
		return
	}
	g.VXORPS(v, v, v)
}

// tileEpilogue adds C, the biases and the clamp as the flags say, and stores the tile. Registers above the
// accumulators are free; the AVX2 mask register pointer is still in RDI.
func (g *gen) tileEpilogue(rows, cols int) {
	var (
		c, cs, flags, bias, mask = reg.RSI, reg.RAX, reg.RBX, reg.RDX, reg.RDI
		acc                      = func(r, v int) reg.VecPhysical { return g.vec(r*cols + v) }
		t, m                     = g.vec(rows * cols), g.vec(rows*cols + 1)
		last                     = cols - 1
	)
	load := func(src op.Mem, v int, masked bool) {
		switch {
		case v == last && g.wide:
			g.VMOVUPS_Z(src, reg.K1, t)
		case v == last && masked:
			g.VMASKMOVPS(src, m, t)
		default:
			g.VMOVUPS(src, t)
		}
	}
	// Both forms of the AVX2 code, with and without a mask, exist; AVX-512 always masks the last vector.
	both := func(name string, body func(masked bool)) {
		if g.wide {
			body(true)
			return
		}
		g.TESTQ(mask, mask)
		g.JNZ(op.LabelRef(name + "Masked"))
		body(false)
		g.JMP(op.LabelRef(name + "Done"))
		g.Label(name + "Masked")
		g.VMOVUPS(mem(mask, 0), m)
		body(true)
		g.Label(name + "Done")
	}
	g.MOVQ(field(tileC), c)
	g.MOVQ(field(tileCS), cs)
	g.MOVQ(field(tileFlags), flags)

	g.TESTQ(op.U32(flagAdd), flags)
	g.JZ(op.LabelRef("added"))
	both("add", func(masked bool) {
		for r := range rows {
			for v := range cols {
				load(mem(c, v*g.lanes()*4), v, masked)
				g.VADDPS(acc(r, v), t, acc(r, v))
			}
			if r+1 < rows {
				g.ADDQ(cs, c)
			}
		}
	})
	g.MOVQ(field(tileC), c)
	g.Label("added")

	g.TESTQ(op.U32(flagFinish), flags)
	g.JZ(op.LabelRef("store"))
	g.MOVQ(field(tileBiasM), bias)
	g.TESTQ(bias, bias)
	g.JZ(op.LabelRef("biasedM"))
	for r := range rows {
		g.VBROADCASTSS(mem(bias, 4*r), t)
		for v := range cols {
			g.VADDPS(t, acc(r, v), acc(r, v))
		}
	}
	g.Label("biasedM")
	g.MOVQ(field(tileBiasN), bias)
	g.TESTQ(bias, bias)
	g.JZ(op.LabelRef("biasedN"))
	both("bias", func(masked bool) {
		for v := range cols {
			load(mem(bias, v*g.lanes()*4), v, masked)
			for r := range rows {
				g.VADDPS(t, acc(r, v), acc(r, v))
			}
		}
	})
	g.Label("biasedN")
	g.clamp(tileLo, rows*cols, flags)

	g.Label("store")
	both("store", func(masked bool) {
		for r := range rows {
			for v := range cols {
				dst := mem(c, v*g.lanes()*4)
				switch {
				case v == last && g.wide:
					g.VMOVUPS(acc(r, v), reg.K1, dst)
				case v == last && masked:
					g.VMASKMOVPS(acc(r, v), m, dst)
				default:
					g.VMOVUPS(acc(r, v), dst)
				}
			}
			if r+1 < rows {
				g.ADDQ(cs, c)
			}
		}
	})
}

// clamp applies lo > x ? lo : x, then hi < x ? hi : x, to the first n registers when the flags ask for it. MAXPS and MINPS
// return their second source (the first one in Go's order) when the comparison is false, so NaN and -0 stay.
func (g *gen) clamp(lo, n int, flags reg.Register) {
	t := g.vec(n)
	g.TESTQ(op.U32(flagClamp), flags)
	g.JZ(op.LabelRef("clamped"))
	g.VBROADCASTSS(field(lo), t)
	for i := range n {
		g.VMAXPS(g.vec(i), t, g.vec(i))
	}
	g.VBROADCASTSS(field(lo+4), t)
	for i := range n {
		g.VMINPS(g.vec(i), t, g.vec(i))
	}
	g.Label("clamped")
}
