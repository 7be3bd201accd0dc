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
	step, left, lists := rTmp, reg.RBX, []reg.GPPhysical{rRuns, reg.R14}
	l.MOVQ(l.argMem(argStride), step)
	l.SHLQ(operand.U8(2), step)
	l.XORQ(rIdx, rIdx)
	for i := range uint32(l.k.Lists) {
		if _, ok := l.heldP[i]; !ok {
			l.heldP[i] = l.alloc()
		}
	}
	block := func(n, mask int) {
		accs := make([][]int, n)
		for u := range accs {
			for range l.k.Outs {
				acc := l.alloc()
				l.load(&Node{Op: OpConst, Imm: l.k.Identity}, acc)
				accs[u] = append(accs[u], acc)
			}
		}
		label := fmt.Sprintf("rows%d", n)
		if mask >= 0 {
			label = "rowsPart"
		}
		for i := range l.k.Ins {
			l.MOVQ(l.argMem(argIn+8*i), rIn[i])
		}
		for i := range l.k.Lists {
			l.MOVQ(l.argMem(argIn+16+8*i), lists[i])
		}
		l.MOVQ(l.argMem(argRuns), left)
		l.Label(label)
		for i := range l.k.Lists {
			l.VBROADCASTSS(operand.Mem{Base: lists[i]}, l.vec(l.heldP[uint32(i)]))
			l.ADDQ(operand.I32(4), lists[i])
		}
		for u, acc := range accs {
			l.more = acc[1:]
			l.vector(u*l.lanes()*4, mask, acc[0])
		}
		for i := range l.k.Ins {
			l.ADDQ(step, rIn[i])
		}
		l.DECQ(left)
		l.JNE(operand.LabelRef(label))
		for u := range accs {
			for i, acc := range accs[u] {
				m := operand.Mem{Base: rOut[i], Index: rIdx, Scale: 1, Disp: u * l.lanes() * 4}
				switch {
				case mask < 0:
					l.VMOVUPS(l.vec(acc), m)
				case l.wide:
					l.VMOVUPS(l.vec(acc), kregs[mask], m)
				default:
					l.VMASKMOVPS(l.vec(acc), l.vec(mask), m)
				}
				l.free = append(l.free, acc)
			}
		}
	}
	for _, n := range []int{l.k.Unroll, 1} {
		label, end := fmt.Sprintf("columns%d", n), fmt.Sprintf("columns%dEnd", n)
		bytes := n * l.lanes() * 4
		l.Label(label)
		l.LEAQ(operand.Mem{Base: rIdx, Disp: bytes}, left)
		l.CMPQ(left, rLen)
		l.JHI(operand.LabelRef(end))
		block(n, -1)
		l.ADDQ(operand.I32(bytes), rIdx)
		l.JMP(operand.LabelRef(label))
		l.Label(end)
	}
	l.CMPQ(rIdx, rLen)
	l.JE(operand.LabelRef("done"))
	if l.wide {
		l.MOVQ(rLen, left)
		l.SUBQ(rIdx, left)
		l.SHRQ(operand.U8(2), left)
		l.MOVQ(operand.I32(-1), rIn[0])
		l.BZHIQ(left, rIn[0], rIn[0])
		l.KMOVW(rIn[0].As32(), reg.K1)
		block(1, 1)
	} else {
		l.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("vecMask"), 128), left)
		l.SUBQ(rLen, left)
		l.ADDQ(rIdx, left)
		m := l.alloc()
		l.VMOVUPS(operand.Mem{Base: left}, l.vec(m))
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
