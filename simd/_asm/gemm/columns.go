package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in columnsArgs.
const (
	colPlanes = 8 * iota
	colImages
	colRows
	colWidth
	colT
	colTPlane
	colTImage
	colTRow
	colDst
	colDPlane
	colDImage
	colDRow
	colTaps
	colTable // per tap: bytes from t, bytes from masks, int32
	colMasks
	colMask // lanes of a row of less than 8, as words
	colEven // nil, or the row that is interleaved with the sums
	colEvenRow
	colLeft // planes
	colTAt  // t, dst and even of the current plane (row): Go's own pointers must not run past their end
	colDAt
	colEvenAt
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
	// store writes n vectors of a row, as they are or each after the element of the row of even columns at the same place.
	store := func(name string, n int) {
		g.MOVQ(field(colEvenAt), off)
		g.TESTQ(off, off)
		g.JNZ(op.LabelRef(name + "Even"))
		for i := range n {
			g.VMOVUPS(ymm[i], op.Mem{Base: dRow, Index: col, Scale: 1, Disp: 32 * i})
		}
		g.JMP(op.LabelRef(name + "Stored"))
		g.Label(name + "Even")
		for i := range n {
			even, low, high := ymm[n], ymm[n+1], ymm[n+2]
			g.VMOVUPS(op.Mem{Base: off, Index: col, Scale: 1, Disp: 32 * i}, even)
			g.VUNPCKLPS(ymm[i], even, low)
			g.VUNPCKHPS(ymm[i], even, high)
			g.VPERM2F128(op.Imm(0x20), high, low, even)
			g.VPERM2F128(op.Imm(0x31), high, low, low)
			g.VMOVUPS(even, op.Mem{Base: dRow, Index: col, Scale: 2, Disp: 64 * i})
			g.VMOVUPS(low, op.Mem{Base: dRow, Index: col, Scale: 2, Disp: 64*i + 32})
		}
		g.Label(name + "Stored")
	}
	g.MOVQ(field(colWidth), width)
	g.SHLQ(op.Imm(2), width)
	g.MOVQ(field(colMasks), masks)
	for _, e := range [][2]int{{colPlanes, colLeft}, {colT, colTAt}, {colDst, colDAt}, {colEven, colEvenAt}} {
		g.MOVQ(field(e[0]), off)
		g.MOVQ(off, field(e[1]))
	}
	g.Label("plane")
	g.MOVQ(field(colTAt), tImage)
	g.MOVQ(field(colDAt), dImage)
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
	store("wide", 4)
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
	store("one", 1)
	g.ADDQ(op.Imm(32), col)
	g.JMP(op.LabelRef("narrow"))
	g.Label("part")
	sums("part", 1)
	g.MOVQ(field(colMask), off)
	g.VMOVUPS(mem(off, 0), ymm[1])
	g.VMASKMOVPS(ymm[0], ymm[1], mem(dRow, 0))
	g.Label("rowDone")
	g.MOVQ(field(colEvenRow), off)
	g.ADDQ(off, field(colEvenAt))
	g.ADDQ(field(colTRow), tRow)
	g.ADDQ(field(colDRow), dRow)
	g.DECQ(rows)
	g.JNZ(op.LabelRef("row"))
	g.ADDQ(field(colTImage), tImage)
	g.ADDQ(field(colDImage), dImage)
	g.DECQ(images)
	g.JNZ(op.LabelRef("image"))
	g.MOVQ(field(colTPlane), off)
	g.ADDQ(off, field(colTAt))
	g.MOVQ(field(colDPlane), off)
	g.ADDQ(off, field(colDAt))
	g.DECQ(field(colLeft))
	g.JNZ(op.LabelRef("plane"))
	g.end()
}
