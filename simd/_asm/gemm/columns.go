package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in columnsArgs.
const (
	colPlanes = 8 * iota // counted down in place
	colImages
	colRows
	colWidth
	colT // t of the current plane
	colTPlane
	colTImage
	colTRow
	colDst // dst of the current plane
	colDPlane
	colDImage
	colDRow
	colTaps
	colTable // per tap: bytes from t, bytes from masks, int32
	colMasks
	colMask // lanes of a row of less than 8, as words
)

// addColumns writes the kernel that adds shifted rows. All sets of all classes share it: it adds and nothing else.
func (g *gen) addColumns() {
	g.begin("", nil, "addColumns", "columnsArgs", "dst[plane,image,row,j] = the sum over the taps of t[plane,image,row,j+offset of the tap] & mask of the tap[j], from +0 on.")
	var (
		tRow, dRow, tImage, dImage = reg.R8, reg.R9, reg.R10, reg.R11
		images, rows, col, width   = reg.R12, reg.RBX, reg.RCX, reg.RDX
		taps, table, masks         = reg.RSI, reg.RDI, reg.R14
		off, maskOff               = reg.RAX, reg.R13
	)
	// sums adds the taps of n vectors from col on.
	sums := func(name string, n int) {
		for i := range n {
			g.zero(ymm[i])
		}
		g.MOVQ(field(colTaps), taps)
		g.MOVQ(field(colTable), table)
		g.TESTQ(taps, taps)
		g.JZ(op.LabelRef(name + "Store"))
		g.ADDQ(col, tRow) // both are col further for a while
		g.ADDQ(col, masks)
		g.Label(name + "Tap")
		g.MOVLQSX(mem(table, 0), off)
		g.MOVLQSX(mem(table, 4), maskOff)
		for i := range n {
			g.VMOVUPS(op.Mem{Base: tRow, Index: off, Scale: 1, Disp: 32 * i}, ymm[n+i])
			g.VANDPS(op.Mem{Base: masks, Index: maskOff, Scale: 1, Disp: 32 * i}, ymm[n+i], ymm[n+i])
			g.VADDPS(ymm[n+i], ymm[i], ymm[i])
		}
		g.ADDQ(op.Imm(8), table)
		g.DECQ(taps)
		g.JNZ(op.LabelRef(name + "Tap"))
		g.SUBQ(col, tRow)
		g.SUBQ(col, masks)
		g.Label(name + "Store")
	}
	g.MOVQ(field(colWidth), width)
	g.SHLQ(op.Imm(2), width)
	g.MOVQ(field(colMasks), masks)
	g.Label("plane")
	g.MOVQ(field(colT), tImage)
	g.MOVQ(field(colDst), dImage)
	g.MOVQ(field(colImages), images)
	g.Label("image")
	g.MOVQ(tImage, tRow)
	g.MOVQ(dImage, dRow)
	g.MOVQ(field(colRows), rows)
	g.Label("row")
	g.XORQ(col, col)
	g.Label("wide")
	g.LEAQ(mem(col, 128), off)
	g.CMPQ(off, width)
	g.JG(op.LabelRef("narrow"))
	sums("wide", 4)
	for i := range 4 {
		g.VMOVUPS(ymm[i], op.Mem{Base: dRow, Index: col, Scale: 1, Disp: 32 * i})
	}
	g.ADDQ(op.Imm(128), col)
	g.JMP(op.LabelRef("wide"))
	g.Label("narrow")
	g.CMPQ(col, width)
	g.JGE(op.LabelRef("rowDone"))
	g.CMPQ(width, op.Imm(32))
	g.JL(op.LabelRef("part"))
	// The last group of a row ends where the row ends.
	g.LEAQ(mem(width, -32), off)
	g.CMPQ(col, off)
	g.JLE(op.LabelRef("whole"))
	g.MOVQ(off, col)
	g.Label("whole")
	sums("one", 1)
	g.VMOVUPS(ymm[0], indexed(dRow, col, 1))
	g.ADDQ(op.Imm(32), col)
	g.JMP(op.LabelRef("narrow"))
	g.Label("part")
	sums("part", 1)
	g.MOVQ(field(colMask), off)
	g.VMOVUPS(mem(off, 0), ymm[1])
	g.VMASKMOVPS(ymm[0], ymm[1], mem(dRow, 0))
	g.Label("rowDone")
	g.ADDQ(field(colTRow), tRow)
	g.ADDQ(field(colDRow), dRow)
	g.DECQ(rows)
	g.JNZ(op.LabelRef("row"))
	g.ADDQ(field(colTImage), tImage)
	g.ADDQ(field(colDImage), dImage)
	g.DECQ(images)
	g.JNZ(op.LabelRef("image"))
	g.MOVQ(field(colTPlane), off)
	g.ADDQ(off, field(colT))
	g.MOVQ(field(colDPlane), off)
	g.ADDQ(off, field(colDst))
	g.DECQ(field(colPlanes))
	g.JNZ(op.LabelRef("plane"))
	g.end()
}
