package main

import (
	"fmt"

	. "github.com/weft-ml/weft/simd/internal/vecir"
)

// columns emits the loops of a reduction of at least 4 columns: blocks of columns from the left, each from the top. The last columns,
// fewer than 4, are reduced with those before them once more.
func (g *neon) columns() {
	const step, count, top, lists = gC, gRunLen, gRun, gIn + 2
	g.ins("MOVD %d(R%d), R%d", argStride, gArgs, step)
	g.ins("MOVD %d(R%d), R%d", argRuns, gArgs, gRuns)
	for i := range uint32(g.k.Lists) {
		if _, ok := g.heldP[i]; !ok {
			g.heldP[i] = g.alloc()
		}
	}
	block := func(n int, label string) {
		accs := make([][]int, n)
		for u := range accs {
			for range g.k.Outs {
				acc := g.alloc()
				g.load(&Node{Op: OpConst, Imm: g.k.Identity}, acc)
				accs[u] = append(accs[u], acc)
			}
		}
		for i := range g.k.Ins {
			g.ins("MOVD R%d, R%d", gIn+i, top+i)
		}
		for i := range g.k.Lists {
			g.ins("MOVD %d(R%d), R%d", argIn+16+8*i, gArgs, lists+i)
		}
		g.ins("MOVD R%d, R%d", gRuns, count)
		g.label(label)
		for i := range g.k.Lists {
			d := g.heldP[uint32(i)]
			g.word(0x4D40C800|uint32((lists+i)<<5|d), "ld1r {v%d.4s}, [x%d]", d, lists+i)
			g.ins("ADD $4, R%d, R%d", lists+i, lists+i)
		}
		for u, acc := range accs {
			g.more = acc[1:]
			g.vector(16*u, -1, acc[0])
		}
		for i := range g.k.Ins {
			g.ins("ADD R%d<<2, R%d, R%d", step, gIn+i, gIn+i)
		}
		g.ins("SUBS $1, R%d, R%d", count, count)
		g.ins("BNE %s", label)
		for i := range g.k.Ins {
			g.ins("MOVD R%d, R%d", top+i, gIn+i)
		}
		for u := range accs {
			for i, acc := range accs[u] {
				g.stq(acc, gOut+i, 16*u)
				g.free = append(g.free, acc)
			}
		}
	}
	move := func(format string, a ...any) {
		for i := range g.k.Ins {
			g.ins(format, append(a, gIn+i, gIn+i)...)
		}
		for i := range g.k.Outs {
			g.ins(format, append(a, gOut+i, gOut+i)...)
		}
	}
	for _, n := range []int{g.k.Unroll, 1} {
		label := fmt.Sprintf("columns%d", n)
		g.label(label)
		g.ins("CMP $%d, R%d", 4*n, gLeft)
		g.ins("BLT %sEnd", label)
		block(n, fmt.Sprintf("rows%d", n))
		move("ADD $%d, R%d, R%d", 16*n)
		g.ins("SUB $%d, R%d, R%d", 4*n, gLeft, gLeft)
		g.ins("B %s", label)
		g.label(label + "End")
	}
	g.ins("CBZ R%d, done", gLeft)
	move("ADD R%d<<2, R%d, R%d", gLeft)
	move("SUB $%d, R%d, R%d", 16)
	block(1, "rowsPart")
	g.label("done")
}

// rows writes a kernel of whole rows: its passes one after the other, in a loop over the rows.
func (g *neon) rows(k *RowKernel, name string) {
	frame := 0
	for i := range k.Passes {
		p := &k.Passes[i].Kernel
		p.Ins, p.Outs = p.Operands()
		tail := 1
		if p.Reduces() {
			tail = 8
		}
		frame = max(frame, 16*tail*(k.Ins+k.Outs)+16)
	}
	fmt.Fprintf(g, "// %s: %s\nTEXT ·%s(SB), NOSPLIT, $%d-8\n", k.Name, k.Doc, name, frame)
	g.ins("MOVD a+0(FP), R%d", gArgs)
	g.ins("MOVD $vecConst<>(SB), R%d", gConst)
	g.label("row")
	for i, p := range k.Before {
		g.ins("MOVD %d(R%d), R%d", rowBefore+8*i, gArgs, gA)
		g.ins("MOVWU.P 4(R%d), R%d", gA, gB)
		g.ins("MOVW R%d, %d(R%d)", gB, argP+4*p, gArgs)
		g.ins("MOVD R%d, %d(R%d)", gA, rowBefore+8*i, gArgs)
	}
	for i := range k.Passes {
		p := &k.Passes[i]
		g.k, g.prefix = &p.Kernel, fmt.Sprintf("pass%d", i)
		g.ins("MOVD %d(R%d), R%d", argN, gArgs, gLeft)
		for i := range p.Ins {
			g.ins("MOVD %d(R%d), R%d", rowIn+8*i, gArgs, gIn+i)
		}
		for i := range p.Outs {
			g.ins("MOVD %d(R%d), R%d", rowOut+8*i, gArgs, gOut+i)
		}
		g.start()
		if !p.Reduces() {
			g.run(max(p.Unroll, 1), 1)
			continue
		}
		g.run(8, 8)
		g.tree()
		acc := g.accs[0]
		g.word(0x4E040400|uint32(acc<<5|acc), "dup v%d.4s, v%d.s[0]", acc, acc)
		g.free = append(g.free, g.accs[1:]...)
		g.body(p.After(), 0, -1, acc)
	}
	g.prefix = ""
	g.ins("MOVD %d(R%d), R%d", argN, gArgs, gLeft)
	advance := func(off int) {
		g.ins("MOVD %d(R%d), R%d", off, gArgs, gA)
		g.ins("ADD R%d<<2, R%d, R%d", gLeft, gA, gA)
		g.ins("MOVD R%d, %d(R%d)", gA, off, gArgs)
	}
	for i := range k.Ins {
		if k.Shared>>i&1 == 0 {
			advance(rowIn + 8*i)
		}
	}
	for i := range k.Outs {
		advance(rowOut + 8*i)
	}
	g.ins("MOVD %d(R%d), R%d", rowRows, gArgs, gA)
	g.ins("SUBS $1, R%d, R%d", gA, gA)
	g.ins("MOVD R%d, %d(R%d)", gA, rowRows, gArgs)
	g.ins("BNE row")
	g.ins("RET")
	fmt.Fprintln(g)
}
