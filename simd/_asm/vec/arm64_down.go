package main

// down emits the loops of a kernel that goes down columns, a vector of them at a time.
func (g *neon) down() {
	acc := g.alloc()
	g.ins("MOVD %d(R%d), R%d", argStride, gArgs, gRunLen)
	g.ins("LSL $2, R%d, R%d", gRunLen, gRunLen)
	g.label("column")
	g.ins("CBZ R%d, end", gLeft)
	g.ldq(acc, gIn+1, 0)
	g.ins("MOVD R%d, R%d", gIn, gRun)
	g.ins("MOVD R%d, R%d", gOut, gRealOut)
	g.ins("MOVD %d(R%d), R%d", argRuns, gArgs, gRuns)
	g.label("row")
	g.vector(0, -1, acc)
	g.ins("ADD R%d, R%d, R%d", gRunLen, gIn, gIn)
	g.ins("ADD R%d, R%d, R%d", gRunLen, gOut, gOut)
	g.ins("SUBS $1, R%d, R%d", gRuns, gRuns)
	g.ins("BNE row")
	g.ins("MOVD R%d, R%d", gRun, gIn)
	g.ins("MOVD R%d, R%d", gRealOut, gOut)
	g.stq(acc, gOut+1, 0)
	for i := range g.k.Ins {
		g.ins("ADD $16, R%d, R%d", gIn+i, gIn+i)
	}
	for i := range g.k.Outs {
		g.ins("ADD $16, R%d, R%d", gOut+i, gOut+i)
	}
	g.ins("SUB $4, R%d, R%d", gLeft, gLeft)
	g.ins("B column")
	g.label("end")
}
