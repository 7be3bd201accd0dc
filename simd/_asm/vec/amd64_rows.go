package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "github.com/weft-ml/weft/simd/internal/vecir"
)

// Offsets of what simd's rowArgs has after vecArgs.
const (
	rowRows   = 120
	rowIn     = 128
	rowOut    = 160
	rowBefore = 176
	rowStat   = 192
)

// columns emits the loops of a reduction of columns: blocks of columns from the left, each from the top.
func (l *lower) columns() {
	top, step := reg.RSI, reg.RDX // rRuns and rTmp, which nothing else uses here
	l.MOVQ(l.argMem(argStride), step)
	l.SHLQ(operand.U8(2), step)
	l.XORQ(rIdx, rIdx)
	block := func(n, mask int) {
		accs := make([]int, n)
		for u := range accs {
			accs[u] = l.alloc()
			l.load(&Node{Op: OpConst, Imm: l.k.Identity}, accs[u])
		}
		label := fmt.Sprintf("rows%d", n)
		if mask >= 0 {
			label = "rowsPart"
		}
		l.MOVQ(rIn[0], top)
		l.MOVQ(l.argMem(argRuns), reg.RBX)
		l.Label(label)
		for u, acc := range accs {
			l.vector(u*l.lanes()*4, mask, acc)
		}
		l.ADDQ(step, rIn[0])
		l.DECQ(reg.RBX)
		l.JNE(operand.LabelRef(label))
		l.MOVQ(top, rIn[0])
		for u, acc := range accs {
			m := operand.Mem{Base: rOut[0], Index: rIdx, Scale: 1, Disp: u * l.lanes() * 4}
			switch {
			case mask < 0:
				l.VMOVUPS(l.vec(acc), m)
			case l.wide:
				l.VMOVUPS(l.vec(acc), kregs[mask], m)
			default:
				l.VMASKMOVPS(l.vec(acc), l.vec(mask), m)
			}
		}
		l.free = append(l.free, accs...)
	}
	for _, n := range []int{4, 1} {
		label, end := fmt.Sprintf("columns%d", n), fmt.Sprintf("columns%dEnd", n)
		bytes := n * l.lanes() * 4
		l.Label(label)
		l.LEAQ(operand.Mem{Base: rIdx, Disp: bytes}, reg.RBX)
		l.CMPQ(reg.RBX, rLen)
		l.JHI(operand.LabelRef(end))
		block(n, -1)
		l.ADDQ(operand.I32(bytes), rIdx)
		l.JMP(operand.LabelRef(label))
		l.Label(end)
	}
	l.CMPQ(rIdx, rLen)
	l.JE(operand.LabelRef("done"))
	if l.wide {
		l.MOVQ(rLen, reg.RBX)
		l.SUBQ(rIdx, reg.RBX)
		l.SHRQ(operand.U8(2), reg.RBX)
		l.MOVQ(operand.I32(-1), reg.R9)
		l.BZHIQ(reg.RBX, reg.R9, reg.R9)
		l.KMOVW(reg.R9L, reg.K1)
		block(1, 1)
	} else {
		l.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("vecMask"), 128), reg.RBX)
		l.SUBQ(rLen, reg.RBX)
		l.ADDQ(rIdx, reg.RBX)
		m := l.alloc()
		l.VMOVUPS(operand.Mem{Base: reg.RBX}, l.vec(m))
		block(1, m)
	}
	l.Label("done")
}

// rows writes a kernel of whole rows: its passes one after the other, in a loop over the rows.
func (l *lower) rows(k *RowKernel, name string) {
	l.Function(name)
	l.Attributes(attr.NOSPLIT)
	l.SignatureExpr("func(a *byte)")
	l.Doc(k.Name + ": " + k.Doc)
	l.Load(l.Param("a"), rArgs)
	l.MOVQ(l.argMem(argN), rLen)
	l.SHLQ(operand.U8(2), rLen)
	for i := range k.Ins {
		l.MOVQ(l.argMem(rowIn+8*i), rIn[i])
	}
	for i := range k.Outs {
		l.MOVQ(l.argMem(rowOut+8*i), rOut[i])
	}
	l.Label("row")
	for i, p := range k.Before {
		l.MOVQ(l.argMem(rowBefore+8*i), rTmp)
		l.VMOVSS(operand.Mem{Base: rTmp}, reg.X0)
		l.VMOVSS(reg.X0, l.argMem(argP+4*p))
		l.ADDQ(operand.I32(4), l.argMem(rowBefore+8*i))
	}
	for i := range k.Passes {
		p := &k.Passes[i]
		l.k, l.prefix = &p.Kernel, fmt.Sprintf("pass%d", i)
		l.start()
		if !p.Reduces() {
			l.elements()
			continue
		}
		l.run()
		l.tree()
		after := p.After()
		acc := l.accs[0]
		l.VBROADCASTSS(l.sum(), l.vec(acc))
		l.free = append(l.free, l.accs[1:]...)
		l.body(after, 0, -1, acc)
	}
	for i := range k.Ins {
		if k.Shared>>i&1 == 0 {
			l.ADDQ(rLen, rIn[i])
		}
	}
	for i := range k.Outs {
		l.ADDQ(rLen, rOut[i])
	}
	l.DECQ(l.argMem(rowRows))
	l.JNE(operand.LabelRef("row"))
	l.VZEROUPPER()
	l.RET()
}
