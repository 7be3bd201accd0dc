package main

import (
	"bytes"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// special writes the kernels that are not elementwise; 256 bits serve both instruction sets.
func special(ctx *build.Context, decls *bytes.Buffer) {
	maxPool(ctx, decls, false)
	maxPool(ctx, decls, true)
}

// maxPool writes 2x2 maximum pooling with stride 2, or its gradient. Even and odd columns are parted by VSHUFPS, which leaves the
// outputs in the order 0 1 4 5 2 3 6 7; VPERMPD mends that (and makes it, for dy).
func maxPool(ctx *build.Context, decls *bytes.Buffer, grad bool) {
	k := &kernel{name: "vecMaxPool2", doc: "out0[r,j] = maximum of the 2x2 window at in0[2r,2j], j < n, r < runs; rows of in0 are stride apart."}
	if grad {
		k = &kernel{name: "vecMaxPool2Grad", doc: "out0[2r:2r+2,2j:2j+2] = in1[r,j] at the first maximum of the window of in0, 0 elsewhere."}
	}
	name := k.name + "AVX2"
	declare(decls, name, k)
	p := &pooler{ctx, grad}
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(a *byte)")
	ctx.Doc(k.name + ": " + k.doc)
	ctx.Load(ctx.Param("a"), rArgs)
	arg := func(off int) operand.Mem { return operand.Mem{Base: rArgs, Disp: off} }
	ctx.MOVQ(arg(argN), rLen)
	ctx.SHLQ(operand.U8(2), rLen)
	ctx.MOVQ(arg(argRuns), rRuns)
	ctx.MOVQ(arg(argStride), poolStride)
	ctx.SHLQ(operand.U8(2), poolStride)
	ctx.MOVQ(arg(argIn), poolTop)
	ctx.MOVQ(arg(argOut), poolOut)
	if grad {
		ctx.MOVQ(arg(argIn+8), poolDY)
		ctx.VXORPS(reg.Y15, reg.Y15, reg.Y15)
	}
	ctx.Label("row")
	ctx.LEAQ(operand.Mem{Base: poolTop, Index: poolStride, Scale: 1}, poolBottom)
	if grad {
		ctx.LEAQ(operand.Mem{Base: poolOut, Index: poolStride, Scale: 1}, poolOut2)
	}
	ctx.XORQ(rIdx, rIdx)
	ctx.Label("block")
	ctx.LEAQ(operand.Mem{Base: rIdx, Disp: 32}, rTmp)
	ctx.CMPQ(rTmp, rLen)
	ctx.JHI(operand.LabelRef("tail"))
	p.block(false)
	ctx.ADDQ(operand.I32(32), rIdx)
	ctx.JMP(operand.LabelRef("block"))
	ctx.Label("tail")
	ctx.CMPQ(rIdx, rLen)
	ctx.JE(operand.LabelRef("next"))
	// Windows into the table of masks: one for the outputs left, two for the twice as many inputs.
	ctx.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("vecMask"), 128), rTmp)
	ctx.SUBQ(rLen, rTmp)
	ctx.ADDQ(rIdx, rTmp)
	ctx.VMOVUPS(operand.Mem{Base: rTmp}, reg.Y12)
	ctx.SUBQ(rLen, rTmp)
	ctx.ADDQ(rIdx, rTmp)
	ctx.VMOVUPS(operand.Mem{Base: rTmp}, reg.Y13)
	ctx.VMOVUPS(operand.Mem{Base: rTmp, Disp: 32}, reg.Y14)
	p.block(true)
	ctx.Label("next")
	ctx.LEAQ(operand.Mem{Base: poolTop, Index: poolStride, Scale: 2}, poolTop)
	if grad {
		ctx.LEAQ(operand.Mem{Base: poolOut, Index: poolStride, Scale: 2}, poolOut)
		ctx.ADDQ(rLen, poolDY)
	} else {
		ctx.ADDQ(rLen, poolOut)
	}
	ctx.DECQ(rRuns)
	ctx.JNE(operand.LabelRef("row"))
	ctx.VZEROUPPER()
	ctx.RET()
}

var poolTop, poolBottom, poolOut, poolOut2, poolDY, poolStride = reg.R8, reg.R9, reg.R12, reg.R13, reg.R10, reg.R11

type pooler struct {
	*build.Context
	grad bool
}

// block handles 8 outputs, or the last few under the masks in Y12 (outputs) and Y13, Y14 (inputs).
func (p *pooler) block(masked bool) {
	load := func(base reg.GPPhysical, scale uint8, disp int, mask, dst reg.VecPhysical) {
		m := operand.Mem{Base: base, Index: rIdx, Scale: scale, Disp: disp}
		if masked {
			p.VMASKMOVPS(m, mask, dst)
		} else {
			p.VMOVUPS(m, dst)
		}
	}
	store := func(src reg.VecPhysical, base reg.GPPhysical, scale uint8, disp int, mask reg.VecPhysical) {
		m := operand.Mem{Base: base, Index: rIdx, Scale: scale, Disp: disp}
		if masked {
			p.VMASKMOVPS(src, mask, m)
		} else {
			p.VMOVUPS(src, m)
		}
	}
	a, b, c, d, best := reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y0
	load(poolTop, 2, 0, reg.Y13, reg.Y0)
	load(poolTop, 2, 32, reg.Y14, reg.Y1)
	load(poolBottom, 2, 0, reg.Y13, reg.Y2)
	load(poolBottom, 2, 32, reg.Y14, reg.Y3)
	p.VSHUFPS(operand.U8(0x88), reg.Y1, reg.Y0, a)
	p.VSHUFPS(operand.U8(0xdd), reg.Y1, reg.Y0, b)
	p.VSHUFPS(operand.U8(0x88), reg.Y3, reg.Y2, c)
	p.VSHUFPS(operand.U8(0xdd), reg.Y3, reg.Y2, d)
	p.VMOVAPS(a, best)
	// newer[i] tells where b, c, d replaced the maximum so far: greater, or NaN.
	newer := []reg.VecPhysical{reg.Y8, reg.Y9, reg.Y10}
	for i, v := range []reg.VecPhysical{b, c, d} {
		p.VCMPPS(operand.U8(17), v, best, newer[i])
		p.VCMPPS(operand.U8(3), v, v, reg.Y1)
		p.VORPS(reg.Y1, newer[i], newer[i])
		p.VBLENDVPS(newer[i], v, best, best)
	}
	if !p.grad {
		p.VPERMPD(operand.U8(0xd8), best, best)
		store(best, poolOut, 1, 0, reg.Y12)
		return
	}
	load(poolDY, 1, 0, reg.Y12, reg.Y0)
	p.VPERMPD(operand.U8(0xd8), reg.Y0, reg.Y0)
	p.VADDPS(reg.Y15, reg.Y0, reg.Y0) // a sum that starts at +0 turns -0 into +0
	// Each mask less the later ones leaves dy in one place of four.
	p.VANDPS(newer[2], reg.Y0, d)
	p.VANDNPS(reg.Y0, newer[2], reg.Y0)
	p.VANDPS(newer[1], reg.Y0, c)
	p.VANDNPS(reg.Y0, newer[1], reg.Y0)
	p.VANDPS(newer[0], reg.Y0, b)
	p.VANDNPS(reg.Y0, newer[0], a)
	p.VUNPCKLPS(b, a, reg.Y0)
	p.VUNPCKHPS(b, a, reg.Y1)
	p.VUNPCKLPS(d, c, reg.Y2)
	p.VUNPCKHPS(d, c, reg.Y3)
	store(reg.Y0, poolOut, 2, 0, reg.Y13)
	store(reg.Y1, poolOut, 2, 32, reg.Y14)
	store(reg.Y2, poolOut2, 2, 0, reg.Y13)
	store(reg.Y3, poolOut2, 2, 32, reg.Y14)
}
