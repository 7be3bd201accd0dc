package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in transposeArgs.
const (
	transN   = 8 * iota // blocks of 8 columns
	transDst            // dst
	transDS             // bytes between rows of dst
	transSrc            // pointers to 8 rows
)

// transpose writes the kernel that packs 8 rows of a matrix as 8 columns of a panel: dst[c*ds+r] = src[r][c].
func (g *gen) transpose() {
	g.begin("", nil, "transpose8", "transposeArgs", "dst[c*ds + r] = src[r][c], r < 8, c < 8*n; rows of dst are written from the first to the last.")
	var (
		n, dst, ds, ds3, rest = reg.RCX, reg.RDI, reg.RAX, reg.RBX, reg.RDX
		src                   = []reg.GPPhysical{reg.RSI, reg.R8, reg.R9, reg.R10, reg.R11, reg.R12, reg.R13, reg.R14}
		a                     = ymm[:8]
		b                     = ymm[8:]
	)
	g.MOVQ(field(transN), n)
	g.MOVQ(field(transDst), dst)
	g.MOVQ(field(transDS), ds)
	g.LEAQ(indexed(ds, ds, 2), ds3)
	for i, s := range src {
		g.MOVQ(field(transSrc+8*i), s)
	}
	g.Label("loop")
	// a[i] holds columns 0-3 of row i below columns 0-3 of row i+4; a[i+4] the same of columns 4-7.
	for i := range 4 {
		for h := range 2 {
			g.VMOVUPS(mem(src[i], 16*h), quarter(a[i+4*h]))
			g.VINSERTF128(op.Imm(1), mem(src[i+4], 16*h), a[i+4*h], a[i+4*h])
		}
	}
	for h := range 2 {
		v, w := a[4*h:], b[4*h:]
		g.VUNPCKLPS(v[1], v[0], w[0])
		g.VUNPCKHPS(v[1], v[0], w[1])
		g.VUNPCKLPS(v[3], v[2], w[2])
		g.VUNPCKHPS(v[3], v[2], w[3])
		g.VSHUFPS(op.Imm(0x44), w[2], w[0], v[0])
		g.VSHUFPS(op.Imm(0xee), w[2], w[0], v[1])
		g.VSHUFPS(op.Imm(0x44), w[3], w[1], v[2])
		g.VSHUFPS(op.Imm(0xee), w[3], w[1], v[3])
	}
	g.LEAQ(indexed(dst, ds, 4), rest)
	for h, base := range []reg.Register{dst, rest} {
		g.VMOVUPS(a[4*h], mem(base, 0))
		g.VMOVUPS(a[4*h+1], indexed(base, ds, 1))
		g.VMOVUPS(a[4*h+2], indexed(base, ds, 2))
		g.VMOVUPS(a[4*h+3], indexed(base, ds3, 1))
	}
	g.LEAQ(indexed(dst, ds, 8), dst)
	for _, s := range src {
		g.ADDQ(op.Imm(32), s)
	}
	g.DECQ(n)
	g.JNZ(op.LabelRef("loop"))
	g.end()
}
