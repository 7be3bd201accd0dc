package main

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
)

// addColumns writes the kernel that adds shifted rows. Both classes share it.
func (g *gen) addColumns() {
	g.begin([2]int{}, "addColumns", "columnsArgs", "dst[plane,image,row,j] = the sum over the taps of t[plane,image,row,j+offset of the tap] & mask of the tap[j], from +0 on.")
	const (
		tRow, dRow, tImage, dImage, images, rows, col, width xreg = 1, 2, 3, 4, 5, 6, 7, 8
		taps, table, masks, off, tp, mp                      xreg = 9, 10, 11, 12, 14, 15
		tPlane, dPlane, planes, tmp, end                     xreg = 16, 17, 19, 20, 21
		lane1, lane2, even, evenRow                          xreg = 22, 23, 24, 25
	)
	sums := func(name string, n int) {
		for i := range n {
			g.zero(vreg(i))
		}
		g.field(colTaps, taps)
		g.field(colTable, table)
		g.ins("CBZ R%d, %sStore", taps, name)
		g.label(name + "Tap")
		g.ins("MOVW.P 4(R%d), R%d", table, off)
		g.ins("ADD R%d, R%d, R%d", tRow, off, tp)
		g.ins("ADD R%d, R%d, R%d", col, tp, tp)
		g.ins("MOVW.P 4(R%d), R%d", table, off)
		g.ins("ADD R%d, R%d, R%d", masks, off, mp)
		g.ins("ADD R%d, R%d, R%d", col, mp, mp)
		for i := range n {
			g.load(tp, vecBytes*i, vreg(n+i))
			g.load(mp, vecBytes*i, vreg(2*n+i))
			g.ins("VAND V%d.B16, V%d.B16, V%d.B16", 2*n+i, n+i, n+i)
			g.op("fadd", vreg(i), vreg(i), vreg(n+i))
		}
		g.ins("SUBS $1, R%d, R%d", taps, taps)
		g.ins("BNE %sTap", name)
		g.label(name + "Store")
	}
	// store writes n vectors of a row, as they are or each after the element of the row of even columns at the same place.
	store := func(name string, n int) {
		g.ins("ADD R%d, R%d, R%d", col, dRow, tp)
		g.ins("CBNZ R%d, %sEven", even, name)
		for i := range n {
			g.store(vreg(i), tp, vecBytes*i)
		}
		g.ins("B %sStored", name)
		g.label(name + "Even")
		g.ins("ADD R%d, R%d, R%d", col, tp, tp)
		g.ins("ADD R%d, R%d, R%d", col, even, mp)
		for i := range n {
			e, low, high := n, n+1, n+2
			g.load(mp, vecBytes*i, vreg(e))
			g.ins("VZIP1 V%d.S4, V%d.S4, V%d.S4", i, e, low)
			g.ins("VZIP2 V%d.S4, V%d.S4, V%d.S4", i, e, high)
			g.store(vreg(low), tp, 2*vecBytes*i)
			g.store(vreg(high), tp, 2*vecBytes*i+vecBytes)
		}
		g.label(name + "Stored")
	}
	g.field(colEven, even)
	g.field(colEvenRow, evenRow)
	g.field(colWidth, width)
	g.ins("LSL $2, R%d, R%d", width, width)
	g.field(colMasks, masks)
	g.field(colT, tPlane)
	g.field(colDst, dPlane)
	g.field(colPlanes, planes)
	g.label("plane")
	g.ins("MOVD R%d, R%d", tPlane, tImage)
	g.ins("MOVD R%d, R%d", dPlane, dImage)
	g.field(colImages, images)
	g.label("image")
	g.ins("MOVD R%d, R%d", tImage, tRow)
	g.ins("MOVD R%d, R%d", dImage, dRow)
	g.field(colRows, rows)
	g.label("row")
	g.ins("MOVD ZR, R%d", col)
	g.label("wide")
	g.ins("ADD $%d, R%d, R%d", 4*vecBytes, col, end)
	g.ins("CMP R%d, R%d", width, end)
	g.ins("BGT narrow")
	sums("wide", 4)
	store("wide", 4)
	g.ins("MOVD R%d, R%d", end, col)
	g.ins("B wide")
	g.label("narrow")
	g.ins("CMP R%d, R%d", width, col)
	g.ins("BGE rowDone")
	g.ins("SUBS $%d, R%d, R%d", vecBytes, width, end)
	g.ins("BLT part")
	g.ins("CMP R%d, R%d", end, col)
	g.ins("BLE whole")
	g.ins("MOVD R%d, R%d", end, col) // the last group of a row ends where the row ends
	g.label("whole")
	sums("one", 1)
	store("one", 1)
	g.ins("ADD $%d, R%d, R%d", vecBytes, col, col)
	g.ins("B narrow")
	g.label("part")
	sums("part", 1)
	g.field(colMask, tmp)
	g.loadMask(tmp, part{lane1, lane2})
	g.storePart(0, dRow, 0, part{lane1, lane2}, tmp)
	g.label("rowDone")
	g.ins("ADD R%d, R%d, R%d", evenRow, even, even)
	g.field(colTRow, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, tRow, tRow)
	g.field(colDRow, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, dRow, dRow)
	g.ins("SUBS $1, R%d, R%d", rows, rows)
	g.ins("BNE row")
	g.field(colTImage, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, tImage, tImage)
	g.field(colDImage, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, dImage, dImage)
	g.ins("SUBS $1, R%d, R%d", images, images)
	g.ins("BNE image")
	g.field(colTPlane, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, tPlane, tPlane)
	g.field(colDPlane, tmp)
	g.ins("ADD R%d, R%d, R%d", tmp, dPlane, dPlane)
	g.ins("SUBS $1, R%d, R%d", planes, planes)
	g.ins("BNE plane")
	g.ins("RET")
}
