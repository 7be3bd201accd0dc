package main

import (
	"bytes"
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/weft-ml/weft/simd/internal/vecir"
)

// special writes the kernels that are not elementwise; 256 bits serve both instruction sets.
func special(ctx *build.Context, decls *bytes.Buffer) {
	maxPool(ctx, decls, false, false)
	maxPool(ctx, decls, true, false)
	maxPool(ctx, decls, true, true)
	transpose(ctx, decls)
}

// Offsets of simd's wholeTransposeArgs.
const (
	transDst = 8 * iota
	transX
	transRows
	transCols
	transLDX
	transLDD
)

const (
	transName = "vecTranspose4"
	transDoc  = "dst[j*ldd+i] = x[i*ldx+j], rows and columns in fours; leading dimensions in bytes."
)

// transpose writes the transposition in blocks of 4x4: columns of blocks from the left, each from the top.
func transpose(ctx *build.Context, decls *bytes.Buffer) {
	k := &Kernel{Name: transName, Doc: transDoc}
	declareArgs(decls, transName+"AVX2", k, "wholeTransposeArgs")
	ctx.Function(transName + "AVX2")
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(a *byte)")
	ctx.Doc(k.Name + ": " + k.Doc)
	ctx.Load(ctx.Param("a"), rArgs)
	dst, x, rows, cols, ldx, ldd := reg.R8, reg.R9, reg.R10, reg.RCX, reg.RAX, reg.RBX
	from, to, left, ldx3, ldd3 := reg.RSI, reg.RDX, reg.R11, reg.R12, reg.R13
	for i, r := range []reg.GPPhysical{dst, x, rows, cols, ldx, ldd} {
		ctx.MOVQ(operand.Mem{Base: rArgs, Disp: 8 * i}, r)
	}
	ctx.LEAQ(operand.Mem{Base: ldx, Index: ldx, Scale: 2}, ldx3)
	ctx.LEAQ(operand.Mem{Base: ldd, Index: ldd, Scale: 2}, ldd3)
	row := func(base, ld, ld3 reg.GPPhysical, i int) operand.Mem {
		return []operand.Mem{{Base: base}, {Base: base, Index: ld, Scale: 1}, {Base: base, Index: ld, Scale: 2}, {Base: base, Index: ld3, Scale: 1}}[i]
	}
	v := []reg.VecPhysical{reg.X0, reg.X1, reg.X2, reg.X3}
	h := []reg.VecPhysical{reg.X4, reg.X5, reg.X6, reg.X7}
	ctx.Label("columns")
	ctx.MOVQ(x, from)
	ctx.MOVQ(dst, to)
	ctx.MOVQ(rows, left)
	ctx.Label("rows")
	for i := range 4 {
		ctx.VMOVUPS(row(from, ldx, ldx3, i), v[i])
	}
	for i := range 2 {
		ctx.VUNPCKLPS(v[2*i+1], v[2*i], h[i])
		ctx.VUNPCKHPS(v[2*i+1], v[2*i], h[2+i])
	}
	for i := range 2 {
		ctx.VUNPCKLPD(h[2*i+1], h[2*i], v[2*i])
		ctx.VUNPCKHPD(h[2*i+1], h[2*i], v[2*i+1])
	}
	for i := range 4 {
		ctx.VMOVUPS(v[i], row(to, ldd, ldd3, i))
	}
	ctx.LEAQ(operand.Mem{Base: from, Index: ldx, Scale: 4}, from)
	ctx.ADDQ(operand.I32(16), to)
	ctx.SUBQ(operand.I32(4), left)
	ctx.JNE(operand.LabelRef("rows"))
	ctx.ADDQ(operand.I32(16), x)
	ctx.LEAQ(operand.Mem{Base: dst, Index: ldd, Scale: 4}, dst)
	ctx.SUBQ(operand.I32(4), cols)
	ctx.JNE(operand.LabelRef("columns"))
	ctx.RET()
}

// maxPool writes 2x2 maximum pooling with stride 2, or its gradient, or that of a ReLU and the pool behind it. Even and odd columns are parted by VSHUFPS, which leaves the
// outputs in the order 0 1 4 5 2 3 6 7; VPERMPD mends that (and makes it, for dy). Where 4 outputs are left at the end of a row, those of
// two rows make one block; other rests are masked.
func maxPool(ctx *build.Context, decls *bytes.Buffer, grad, relu bool) {
	k := &Kernel{Name: "vecMaxPool2", Doc: "out0[r,j] = maximum of the 2x2 window at in0[2r,2j], j < n, r < runs; rows of in0 are stride apart."}
	if grad {
		k = &Kernel{Name: "vecMaxPool2Grad", Doc: "out0[2r:2r+2,2j:2j+2] = in1[r,j] at the first maximum of the window of in0, 0 elsewhere."}
	}
	if relu {
		k = &Kernel{Name: "vecMaxPool2ReluGrad", Doc: "vecMaxPool2Grad of maxima above 0."}
	}
	name := k.Name + "AVX2"
	declare(decls, name, k)
	p := &pooler{Context: ctx, grad: grad, relu: relu}
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(a *byte)")
	ctx.Doc(k.Name + ": " + k.Doc)
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
	ctx.MOVQ(rLen, rTmp)
	ctx.ANDQ(operand.U8(31), rTmp)
	ctx.CMPQ(rTmp, operand.U8(16))
	ctx.JNE(operand.LabelRef("single"))
	ctx.Label("pair")
	ctx.CMPQ(rRuns, operand.U8(2))
	ctx.JLT(operand.LabelRef("single"))
	p.row("first")
	p.pair()
	p.next()
	p.row("second")
	p.next()
	ctx.SUBQ(operand.U8(2), rRuns)
	ctx.JMP(operand.LabelRef("pair"))
	ctx.Label("single")
	ctx.TESTQ(rRuns, rRuns)
	ctx.JE(operand.LabelRef("done"))
	p.row("last")
	ctx.CMPQ(rIdx, rLen)
	ctx.JE(operand.LabelRef("whole"))
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
	ctx.Label("whole")
	p.next()
	ctx.DECQ(rRuns)
	ctx.JMP(operand.LabelRef("single"))
	ctx.Label("done")
	ctx.VZEROUPPER()
	ctx.RET()
}

var poolTop, poolBottom, poolOut, poolOut2, poolDY, poolStride, poolTop2 = reg.R8, reg.R9, reg.R12, reg.R13, reg.R10, reg.R11, reg.RBX

type pooler struct {
	*build.Context
	grad   bool
	relu   bool
	blocks int
}

// row handles the whole blocks of 8 outputs of a row.
func (p *pooler) row(label string) {
	p.LEAQ(operand.Mem{Base: poolTop, Index: poolStride, Scale: 1}, poolBottom)
	if p.grad {
		p.LEAQ(operand.Mem{Base: poolOut, Index: poolStride, Scale: 1}, poolOut2)
	}
	p.XORQ(rIdx, rIdx)
	p.Label(label)
	p.LEAQ(operand.Mem{Base: rIdx, Disp: 32}, rTmp)
	p.CMPQ(rTmp, rLen)
	p.JHI(operand.LabelRef(label + "End"))
	p.block(false)
	p.ADDQ(operand.I32(32), rIdx)
	p.JMP(operand.LabelRef(label))
	p.Label(label + "End")
}

// next moves to the next row of outputs.
func (p *pooler) next() {
	p.LEAQ(operand.Mem{Base: poolTop, Index: poolStride, Scale: 2}, poolTop)
	if p.grad {
		p.LEAQ(operand.Mem{Base: poolOut, Index: poolStride, Scale: 2}, poolOut)
		p.ADDQ(rLen, poolDY)
	} else {
		p.ADDQ(rLen, poolOut)
	}
}

// block handles 8 outputs, or the last few under the masks in Y12 (outputs) and Y13, Y14 (inputs).
func (p *pooler) block(masked bool) {
	masks := []reg.VecPhysical{reg.Y13, reg.Y14}
	load := func(m operand.Mem, mask, dst reg.VecPhysical) {
		if masked {
			p.VMASKMOVPS(m, mask, dst)
		} else {
			p.VMOVUPS(m, dst)
		}
	}
	store := func(src reg.VecPhysical, m operand.Mem, mask reg.VecPhysical) {
		if masked {
			p.VMASKMOVPS(src, mask, m)
		} else {
			p.VMOVUPS(src, m)
		}
	}
	for i, base := range []reg.GPPhysical{poolTop, poolBottom} {
		for h := range 2 {
			load(operand.Mem{Base: base, Index: rIdx, Scale: 2, Disp: 32 * h}, masks[h], poolX[2*i+h])
		}
	}
	if !p.grad {
		p.maximum()
		store(poolX[0], operand.Mem{Base: poolOut, Index: rIdx, Scale: 1}, reg.Y12)
		return
	}
	p.choose()
	load(operand.Mem{Base: poolDY, Index: rIdx, Scale: 1}, reg.Y12, poolX[0])
	p.spread()
	for i, base := range []reg.GPPhysical{poolOut, poolOut2} {
		for h := range 2 {
			store(poolX[2*i+h], operand.Mem{Base: base, Index: rIdx, Scale: 2, Disp: 32 * h}, masks[h])
		}
	}
}

// pair handles 4 outputs of this row and 4 of the next: where block has the next 8 inputs, it has those of the next row.
func (p *pooler) pair() {
	at := func(base, stride reg.GPPhysical) operand.Mem { return operand.Mem{Base: base, Index: stride, Scale: 2} }
	lo, hi := reg.X0, reg.X1
	p.LEAQ(operand.Mem{Base: poolTop, Index: rIdx, Scale: 2}, poolTop2)
	p.VMOVUPS(operand.Mem{Base: poolTop2}, poolX[0])
	p.VMOVUPS(operand.Mem{Base: poolTop2, Index: poolStride, Scale: 1}, poolX[2])
	p.VMOVUPS(at(poolTop2, poolStride), poolX[1])
	p.ADDQ(poolStride, poolTop2)
	p.VMOVUPS(at(poolTop2, poolStride), poolX[3])
	if !p.grad {
		p.maximum()
		p.LEAQ(operand.Mem{Base: poolOut, Index: rIdx, Scale: 1}, poolTop2)
		p.VMOVUPS(lo, operand.Mem{Base: poolTop2})
		p.VEXTRACTF128(operand.U8(1), poolX[0], hi)
		p.VMOVUPS(hi, operand.Mem{Base: poolTop2, Index: rLen, Scale: 1})
		return
	}
	p.choose()
	p.LEAQ(operand.Mem{Base: poolDY, Index: rIdx, Scale: 1}, poolTop2)
	p.VMOVUPS(operand.Mem{Base: poolTop2}, lo)
	p.VINSERTF128(operand.U8(1), operand.Mem{Base: poolTop2, Index: rLen, Scale: 1}, poolX[0], poolX[0])
	p.spread()
	p.LEAQ(operand.Mem{Base: poolOut, Index: rIdx, Scale: 2}, poolTop2)
	p.VMOVUPS(poolX[0], operand.Mem{Base: poolTop2})
	p.VMOVUPS(poolX[2], operand.Mem{Base: poolTop2, Index: poolStride, Scale: 1})
	p.VMOVUPS(poolX[1], at(poolTop2, poolStride))
	p.ADDQ(poolStride, poolTop2)
	p.VMOVUPS(poolX[3], at(poolTop2, poolStride))
}

// poolX are the inputs: two vectors of the upper row, two of the lower one; poolWindow the four places of 8 windows.
var (
	poolX      = []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3}
	poolWindow = []reg.VecPhysical{reg.Y4, reg.Y5, reg.Y6, reg.Y7}
	poolNewer  = []reg.VecPhysical{reg.Y8, reg.Y9, reg.Y10}
	poolPasses = reg.Y11 // ones where the maximum is above 0
)

// windows parts even and odd columns, and leaves in Y8 ones where a window has a NaN.
func (p *pooler) windows() {
	for i := range 2 {
		p.VSHUFPS(operand.U8(0x88), poolX[2*i+1], poolX[2*i], poolWindow[2*i])
		p.VSHUFPS(operand.U8(0xdd), poolX[2*i+1], poolX[2*i], poolWindow[2*i+1])
	}
	p.VCMPPS(operand.U8(3), poolWindow[1], poolWindow[0], reg.Y8)
	p.VCMPPS(operand.U8(3), poolWindow[3], poolWindow[2], reg.Y9)
	p.VORPS(reg.Y9, reg.Y8, reg.Y8)
}

// maximum leaves the maxima in Y0. VMAXPS keeps the older value unless the newer one is greater; ones make a NaN of anything.
func (p *pooler) maximum() {
	p.windows()
	best := poolX[0]
	p.VMAXPS(poolWindow[0], poolWindow[1], best)
	p.VMAXPS(best, poolWindow[2], best)
	p.VMAXPS(best, poolWindow[3], best)
	p.VORPS(reg.Y8, best, best)
	p.VPERMPD(operand.U8(0xd8), best, best)
}

// choose leaves in poolNewer where the places after the first replaced the maximum so far: greater, or NaN.
func (p *pooler) choose() {
	p.windows()
	p.blocks++
	number, chosen := fmt.Sprintf("numbers%d", p.blocks), fmt.Sprintf("chosen%d", p.blocks)
	best := reg.Y0
	p.VPTEST(reg.Y8, reg.Y8)
	p.VMOVAPS(poolWindow[0], best)
	p.JE(operand.LabelRef(number))
	for i, v := range poolWindow[1:] {
		p.VCMPPS(operand.U8(17), v, best, poolNewer[i])
		p.VCMPPS(operand.U8(3), v, v, reg.Y1)
		p.VORPS(reg.Y1, poolNewer[i], poolNewer[i])
		p.VBLENDVPS(poolNewer[i], v, best, best)
	}
	p.JMP(operand.LabelRef(chosen))
	p.Label(number)
	for i, v := range poolWindow[1:] {
		p.VCMPPS(operand.U8(17), v, best, poolNewer[i])
		if i < 2 || p.relu {
			p.VMAXPS(best, v, best)
		}
	}
	p.Label(chosen)
	if p.relu {
		p.VCMPPS(operand.U8(17), best, reg.Y15, poolPasses)
	}
}

// spread puts the 8 gradients in Y0 to the chosen places, in poolX.
func (p *pooler) spread() {
	dy, w := reg.Y0, poolWindow
	p.VPERMPD(operand.U8(0xd8), dy, dy)
	if p.relu {
		p.VANDPS(poolPasses, dy, dy)
	}
	p.VADDPS(reg.Y15, dy, dy) // a sum that starts at +0 turns -0 into +0
	// Each mask less the later ones leaves dy in one place of four.
	for i := 2; i >= 0; i-- {
		p.VANDPS(poolNewer[i], dy, w[i+1])
		p.VANDNPS(dy, poolNewer[i], dy)
	}
	p.VMOVAPS(dy, w[0])
	for i := range 2 {
		p.VUNPCKLPS(w[2*i+1], w[2*i], poolX[2*i])
		p.VUNPCKHPS(w[2*i+1], w[2*i], poolX[2*i+1])
	}
}
