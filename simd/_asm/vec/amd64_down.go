package main

import "github.com/mmcloughlin/avo/operand"

// down emits the loops of a kernel that goes down columns, a vector of them at a time.
func (l *lower) down() {
	acc := l.alloc()
	row := func(i int) operand.Mem { return operand.Mem{Base: rIn[i], Index: rIdx, Scale: 1} }
	l.MOVQ(l.argMem(argStride), rTmp2)
	l.SHLQ(operand.U8(2), rTmp2)
	l.XORQ(rIdx, rIdx)
	l.TESTQ(rLen, rLen)
	l.JE(operand.LabelRef("end"))
	l.Label("column")
	l.VMOVUPS(row(1), l.vec(acc))
	l.MOVQ(l.argMem(argRuns), rRuns)
	l.Label("row")
	l.vector(0, -1, acc)
	l.ADDQ(rTmp2, rIn[0])
	l.ADDQ(rTmp2, rOut[0])
	l.DECQ(rRuns)
	l.JNE(operand.LabelRef("row"))
	l.MOVQ(l.argMem(argIn), rIn[0])
	l.MOVQ(l.argMem(argOut), rOut[0])
	l.VMOVUPS(l.vec(acc), operand.Mem{Base: rOut[1], Index: rIdx, Scale: 1})
	l.ADDQ(operand.I32(4*l.lanes()), rIdx)
	l.CMPQ(rIdx, rLen)
	l.JB(operand.LabelRef("column"))
	l.Label("end")
}
