package main

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"

	. "github.com/weft-ml/weft/simd/internal/vecir"
)

// Go's assembler lacks most vector floating-point instructions of arm64, so this file encodes what it uses and prints WORDs, each with
// its mnemonic.

// Three-register instructions: Rd, Rn, Rm in bits 0, 5, 16.
var encode3 = map[string]uint32{
	"fadd": 0x4E20D400, "fsub": 0x4EA0D400, "fmul": 0x6E20DC00, "fdiv": 0x6E20FC00, "fmla": 0x4E20CC00,
	"fcmgt": 0x6EA0E400, "fcmge": 0x6E20E400, "fcmeq": 0x4E20E400, "add": 0x4EA08400, "sub": 0x6EA08400, "mul": 0x4EA09C00,
	"and": 0x4E201C00, "orr": 0x4EA01C00, "eor": 0x6E201C00, "bic": 0x4E601C00, "bsl": 0x6E601C00,
}

// Two-register instructions.
var encode2 = map[string]uint32{"fsqrt": 0x6EA1F800, "scvtf": 0x4E21D800, "frintm": 0x4E219800, "frintp": 0x4EA18800, "frintn": 0x4E218800}

// General registers: arguments, count left, runs, scratch, and the run's starts and the true outputs while a tail is in buffers.
const (
	gArgs, gLeft, gRuns            = 0, 1, 2
	gIn, gOut                      = 3, 8 // 3 to 6, 8 to 10
	gA, gB, gC, gD                 = 11, 12, 13, 15
	gConst                         = 14
	gRun, gRunLen, gRealOut, gMask = 19, 21, 22, 25 // 19 and 20, 21, 22 to 24, 25
)

// neon writes one kernel.
type neon struct {
	*bytes.Buffer
	fused  bool
	k      *Kernel
	free   []int
	reg    map[*Node]int
	held   map[uint32]int
	heldP  map[uint32]int
	accs   []int
	more   []int // of columns: accumulators after the first
	consts *pool
	prefix string // of the labels of the pass at hand
}

func (g *neon) word(w uint32, format string, a ...any) {
	fmt.Fprintf(g, "\tWORD $0x%08X // %s\n", w, fmt.Sprintf(format, a...))
}

func (g *neon) op3(name string, d, n, m int) {
	g.word(encode3[name]|uint32(m<<16|n<<5|d), "%s v%d, v%d, v%d", name, d, n, m)
}

func (g *neon) op2(name string, d, n int) {
	g.word(encode2[name]|uint32(n<<5|d), "%s v%d.4s, v%d.4s", name, d, n)
}

func (g *neon) mov(d, n int) { g.op3("orr", d, n, n) }

func (g *neon) ldq(d, base, off int) {
	g.word(0x3DC00000|uint32(off/16<<10|base<<5|d), "ldr q%d, [x%d, #%d]", d, base, off)
}

func (g *neon) stq(d, base, off int) {
	g.word(0x3D800000|uint32(off/16<<10|base<<5|d), "str q%d, [x%d, #%d]", d, base, off)
}

func (g *neon) accumulator(n *Node, first int) int {
	if n.Imm == 0 {
		return first
	}
	return g.more[n.Imm-1]
}

// sts stores lane 0.
func (g *neon) sts(d, base, off int) {
	g.word(0xBD000000|uint32(off/4<<10|base<<5|d), "str s%d, [x%d, #%d]", d, base, off)
}

func (g *neon) ins(format string, a ...any) { fmt.Fprintf(g, "\t"+format+"\n", a...) }
func (g *neon) label(name string)           { fmt.Fprintf(g, "\n%s%s:\n", g.prefix, name) }

func (g *neon) alloc() int {
	if len(g.free) == 0 {
		panic("out of vector registers in " + g.k.Name)
	}
	r := g.free[len(g.free)-1]
	g.free = g.free[:len(g.free)-1]
	return r
}

// load fills a register with a constant or a scalar argument.
func (g *neon) load(n *Node, d int) {
	if n.Op == OpParam {
		g.ins("ADD $%d, R%d, R%d", argP+4*n.Imm, gArgs, gA)
		g.word(0x4D40C800|uint32(gA<<5|d), "ld1r {v%d.4s}, [x%d]", d, gA)
		return
	}
	i, ok := g.consts.at[n.Imm]
	if !ok {
		i = len(g.consts.order)
		g.consts.at[n.Imm] = i
		g.consts.order = append(g.consts.order, n.Imm)
	}
	g.ldq(d, gConst, 16*i)
}

func (g *neon) value(n *Node, temps *[]int) int {
	if IsReg(n) {
		return g.reg[n]
	}
	kept := g.held
	if n.Op == OpParam {
		kept = g.heldP
	}
	if r, ok := kept[n.Imm]; ok {
		return r
	}
	r := g.alloc()
	g.load(n, r)
	*temps = append(*temps, r)
	return r
}

func (g *neon) release(i int, temps []int, args ...*Node) {
	g.free = append(g.free, temps...)
	done := map[*Node]bool{}
	for _, a := range args {
		if IsReg(a) && a.Last == i && !done[a] {
			done[a] = true
			g.free = append(g.free, g.reg[a])
		}
	}
}

// vector emits the body for the vector at disp bytes. mask is a register or -1.
func (g *neon) vector(disp, mask, acc int) { g.body(g.k.Record(), disp, mask, acc) }

func (g *neon) body(b *Body, disp, mask, acc int) {
	g.reg = map[*Node]int{}
	for i, n := range b.Nodes {
		var temps []int
		switch n.Op {
		case OpLoad:
			g.reg[n] = g.alloc()
			g.ldq(g.reg[n], gIn+int(n.Imm), disp)
			continue
		case OpStore:
			g.stq(g.value(n.Args[0], &temps), gOut+int(n.Imm&0xff), disp+int(n.Imm>>8))
		case OpAcc:
			n.Last = math.MaxInt
			g.reg[n] = g.accumulator(n, acc)
			continue
		case OpSetAcc:
			v, acc := g.value(n.Args[0], &temps), g.accumulator(n, acc)
			if mask >= 0 {
				g.op3("bsl", mask, v, acc)
				v = mask
			}
			g.mov(acc, v)
		case OpLoadBool:
			d := g.alloc()
			g.word(0xBD400000|uint32(disp/16<<10|(gIn+int(n.Imm))<<5|d), "ldr s%d, [x%d, #%d]", d, gIn+int(n.Imm), disp/4)
			g.word(0x2F08A400|uint32(d<<5|d), "ushll v%d.8h, v%d.8b, #0", d, d)
			g.word(0x2F10A400|uint32(d<<5|d), "ushll v%d.4s, v%d.4h, #0", d, d)
			g.word(0x4EA08C00|uint32(d<<16|d<<5|d), "cmtst v%d.4s, v%d.4s, v%d.4s", d, d, d)
			g.reg[n] = d
			continue
		case OpStoreBool:
			m, d := g.value(n.Args[0], &temps), g.alloc()
			g.word(0x0E612800|uint32(m<<5|d), "xtn v%d.4h, v%d.4s", d, m)
			g.word(0x0E212800|uint32(d<<5|d), "xtn v%d.8b, v%d.8h", d, d)
			if n.Imm&BoolNot != 0 {
				g.word(0x2E205800|uint32(d<<5|d), "mvn v%d.8b, v%d.8b", d, d)
			}
			g.word(0x2F090400|uint32(d<<5|d), "ushr v%d.8b, v%d.8b, #7", d, d)
			g.sts(d, gOut+int(n.Imm&^BoolNot), disp/4)
			g.free = append(g.free, d)
		case OpSetParam:
			g.sts(g.value(n.Args[0], &temps), gArgs, argP+4*int(n.Imm))
		case OpStat:
			v := g.value(n.Args[0], &temps)
			g.ins("MOVD %d(R%d), R%d", rowStat+8*int(n.Imm), gArgs, gA)
			g.sts(v, gA, 0)
			g.ins("ADD $4, R%d, R%d", gA, gA)
			g.ins("MOVD R%d, %d(R%d)", gA, rowStat+8*int(n.Imm), gArgs)
		case OpMadd:
			x, y, z := g.value(n.Args[0], &temps), g.value(n.Args[1], &temps), g.value(n.Args[2], &temps)
			d := g.alloc()
			if g.fused {
				g.mov(d, z)
				g.op3("fmla", d, x, y)
			} else {
				g.op3("fmul", d, x, y)
				g.op3("fadd", d, d, z)
			}
			g.reg[n] = d
		case OpMax, OpMin, OpBlend:
			d := g.alloc()
			var yes, no int
			switch n.Op {
			case OpBlend:
				yes, no = g.value(n.Args[1], &temps), g.value(n.Args[2], &temps)
				g.mov(d, g.reg[n.Args[0]])
			case OpMax: // a < b ? b : a
				no, yes = g.value(n.Args[0], &temps), g.value(n.Args[1], &temps)
				g.op3("fcmgt", d, yes, no)
			case OpMin:
				no, yes = g.value(n.Args[0], &temps), g.value(n.Args[1], &temps)
				g.op3("fcmgt", d, no, yes)
			}
			g.op3("bsl", d, yes, no)
			g.reg[n] = d
		case OpShl, OpShr:
			v := g.value(n.Args[0], &temps)
			d := g.alloc()
			if n.Op == OpShl {
				g.word(0x4F005400|(32+n.Imm)<<16|uint32(v<<5|d), "shl v%d.4s, v%d.4s, #%d", d, v, n.Imm)
			} else {
				g.word(0x4F000400|(64-n.Imm)<<16|uint32(v<<5|d), "sshr v%d.4s, v%d.4s, #%d", d, v, n.Imm)
			}
			g.reg[n] = d
		case OpMulHi:
			x, y := g.value(n.Args[0], &temps), g.value(n.Args[1], &temps)
			low, high := g.alloc(), g.alloc()
			g.word(0x2EA0C000|uint32(y<<16|x<<5|low), "umull v%d.2d, v%d.2s, v%d.2s", low, x, y)
			g.word(0x6EA0C000|uint32(y<<16|x<<5|high), "umull2 v%d.2d, v%d.4s, v%d.4s", high, x, y)
			g.word(0x4E805800|uint32(high<<16|low<<5|low), "uzp2 v%d.4s, v%d.4s, v%d.4s", low, low, high)
			g.free = append(g.free, high)
			g.reg[n] = low
		case OpSqrt, OpIToF, OpFloor, OpCeil, OpRound:
			v := g.value(n.Args[0], &temps)
			g.reg[n] = g.alloc()
			g.op2(map[Op]string{OpSqrt: "fsqrt", OpIToF: "scvtf", OpFloor: "frintm", OpCeil: "frintp", OpRound: "frintn"}[n.Op], g.reg[n], v)
		default:
			x, y := g.value(n.Args[0], &temps), g.value(n.Args[1], &temps)
			name := map[Op]string{OpAdd: "fadd", OpSub: "fsub", OpMul: "fmul", OpDiv: "fdiv", OpAnd: "and", OpOr: "orr", OpXor: "eor",
				OpAndNot: "bic", OpIAdd: "add", OpISub: "sub", OpIMul: "mul", OpLT: "fcmgt", OpLE: "fcmge", OpEQ: "fcmeq"}[n.Op]
			if n.Op == OpLT || n.Op == OpLE {
				x, y = y, x
			}
			g.reg[n] = g.alloc()
			g.op3(name, g.reg[n], x, y)
		}
		g.release(i, temps, n.Args...)
	}
}

// function writes the whole function.
func (g *neon) function(name string) {
	k := g.k
	block := max(k.Unroll, 1)
	tail := 1 // vectors of the tail
	if k.Reduces() {
		block, tail = 8, 8
	}
	frame := 16*tail*(k.Ins+k.Outs) + 16
	fmt.Fprintf(g, "// %s: %s\nTEXT ·%s(SB), NOSPLIT, $%d-8\n", k.Name, k.Doc, name, frame)
	g.ins("MOVD a+0(FP), R%d", gArgs)
	g.ins("MOVD %d(R%d), R%d", argN, gArgs, gLeft)
	for i := range k.Ins {
		g.ins("MOVD %d(R%d), R%d", argIn+8*i, gArgs, gIn+i)
	}
	for i := range k.Outs {
		g.ins("MOVD %d(R%d), R%d", argOut+8*i, gArgs, gOut+i)
	}
	g.ins("MOVD $vecConst<>(SB), R%d", gConst)
	g.start()
	if k.Columns || k.Down {
		if k.Down {
			g.down()
		} else {
			g.columns()
		}
		g.ins("RET")
		fmt.Fprintln(g)
		return
	}
	if k.Reduces() {
		g.ins("MOVD %d(R%d), R%d", argRuns, gArgs, gRuns)
		g.ins("MOVD R%d, R%d", gLeft, gRunLen)
		for i := range k.Ins {
			g.ins("MOVD R%d, R%d", gIn+i, gRun+i)
		}
		g.label("run")
		g.ins("MOVD R%d, R%d", gRunLen, gLeft)
		for i := range k.Ins {
			g.ins("MOVD R%d, R%d", gRun+i, gIn+i)
		}
	}
	g.run(block, tail)
	if k.Reduces() {
		g.ins("MOVD %d(R%d), R%d", argStride, gArgs, gA)
		for i := range k.Ins {
			g.ins("ADD R%d<<2, R%d, R%d", gA, gRun+i, gRun+i)
		}
		g.ins("SUBS $1, R%d, R%d", gRuns, gRuns)
		g.ins("BNE run")
		g.tree()
		g.sts(g.accs[0], gArgs, argResult)
	}
	g.ins("RET")
	fmt.Fprintln(g)
}

// run emits the loops over the elements left, in blocks of vectors.
func (g *neon) run(block, tail int) {
	g.loop("block", block)
	if block > tail {
		g.loop("vector", tail)
	}
	if g.k.Whole() {
		return
	}
	g.ins("CBZ R%d, %snext", gLeft, g.prefix)
	g.tail(tail)
	g.label("next")
}

// start gives out registers for a kernel, or a pass of one: accumulators, scalar arguments and constants first.
func (g *neon) start() {
	g.free, g.accs = nil, nil
	for r := 31; r >= 0; r-- {
		g.free = append(g.free, r)
	}
	g.held, g.heldP = map[uint32]int{}, map[uint32]int{}
	room := 14
	if g.k.Reduces() {
		room = 8
		for range 8 {
			a := g.alloc()
			g.accs = append(g.accs, a)
			g.load(&Node{Op: OpConst, Imm: g.k.Identity}, a)
		}
	}
	for _, n := range g.k.Record().Nodes {
		for _, a := range n.Args {
			kept := g.held
			if a.Op == OpParam {
				kept = g.heldP
			}
			if _, have := kept[a.Imm]; !IsReg(a) && !have && room > 0 {
				kept[a.Imm] = g.alloc()
				g.load(a, kept[a.Imm])
				room--
			}
		}
	}
}

// loop emits a loop over turns of n whole vectors.
func (g *neon) loop(name string, n int) {
	g.label(name)
	g.ins("CMP $%d, R%d", 4*n, gLeft)
	g.ins("BLT %s%sEnd", g.prefix, name)
	for u := range n {
		acc := -1
		if g.k.Reduces() {
			acc = g.accs[u]
		}
		g.vector(16*u, -1, acc)
	}
	ins, outs := g.k.Bools()
	size := func(bytes bool) int {
		if bytes {
			return 4 * n
		}
		return 16 * n
	}
	for i := range g.k.Ins {
		g.ins("ADD $%d, R%d, R%d", size(ins[i]), gIn+i, gIn+i)
	}
	for i := range g.k.Outs {
		g.ins("ADD $%d, R%d, R%d", size(outs[i]), gOut+i, gOut+i)
	}
	g.ins("SUB $%d, R%d, R%d", 4*n, gLeft, gLeft)
	g.ins("B %s%s", g.prefix, name)
	g.label(name + "End")
}

// tail copies what is left of the inputs to buffers in the frame, runs n vectors there, and copies the outputs back. The lanes
// beyond the end hold garbage that reaches neither the outputs nor, thanks to masks, the accumulators.
func (g *neon) tail(n int) {
	k := g.k
	buffer := func(i, r int) { g.ins("MOVD $buf-%d(SP), R%d", 16*n*(i+1), r) }
	for i := range k.Ins {
		buffer(i, gA)
		g.copyTo(gIn+i, gA, fmt.Sprintf("in%d", i))
		buffer(i, gIn+i)
	}
	for i := range k.Outs {
		g.ins("MOVD R%d, R%d", gOut+i, gRealOut+i)
		buffer(k.Ins+i, gOut+i)
	}
	if !k.Reduces() {
		g.vector(0, -1, -1)
	} else {
		// A window into 32 ones followed by 32 zeros.
		g.ins("MOVD $vecMask<>+128(SB), R%d", gMask)
		g.ins("SUB R%d<<2, R%d, R%d", gLeft, gMask, gMask)
		for u := range n {
			m := g.alloc()
			g.ldq(m, gMask, 16*u)
			g.vector(16*u, m, g.accs[u])
			g.free = append(g.free, m)
		}
	}
	for i := range k.Outs {
		buffer(k.Ins+i, gA)
		g.copyTo(gA, gRealOut+i, fmt.Sprintf("out%d", i))
	}
}

// copyTo copies the elements left from the address in src to the one in dst, which it changes.
func (g *neon) copyTo(src, dst int, name string) {
	g.ins("MOVD R%d, R%d", src, gB)
	g.ins("MOVD R%d, R%d", gLeft, gC)
	g.label(name)
	g.ins("MOVWU.P 4(R%d), R%d", gB, gD)
	g.ins("MOVW.P R%d, 4(R%d)", gD, dst)
	g.ins("SUBS $1, R%d, R%d", gC, gC)
	g.ins("BNE %s%s", g.prefix, name)
}

// tree joins the lanes: l with l+16, l+8, l+4, l+2, l+1.
func (g *neon) tree() {
	t := g.alloc()
	merge := func(lo, hi int) {
		switch g.k.Merge {
		case OpAdd:
			g.op3("fadd", lo, lo, hi)
		case OpMul:
			g.op3("fmul", lo, lo, hi)
		default:
			u := g.alloc()
			if g.k.Merge == OpMax {
				g.op3("fcmgt", u, hi, lo)
			} else {
				g.op3("fcmgt", u, lo, hi)
			}
			g.op3("bsl", u, hi, lo)
			g.mov(lo, u)
			g.free = append(g.free, u)
		}
	}
	for w := 4; w > 0; w /= 2 {
		for l := range w {
			merge(g.accs[l], g.accs[l+w])
		}
	}
	a := g.accs[0]
	for _, bytes := range []int{8, 4} {
		g.word(0x6E000000|uint32(a<<16|bytes<<11|a<<5|t), "ext v%d.16b, v%d.16b, v%d.16b, #%d", t, a, a, bytes)
		merge(a, t)
	}
}

// arm64 writes the NEON kernels, a file for each numeric class, and their tables. What does not fuse is in that of the fused ones.
func arm64(dir string) {
	var decls, tables bytes.Buffer
	for _, fused := range []bool{true, false} {
		var text bytes.Buffer
		text.WriteString("// Code generated by simd/_asm/vec. DO NOT EDIT.\n\n//go:build !noasm\n\n#include \"textflag.h\"\n\n")
		p := &pool{at: map[uint32]int{}}
		suffix := func(k *Kernel) string {
			if !fused && k.Fuses() {
				return "NEONMulAdd"
			}
			return "NEON"
		}
		name := "NEON"
		if !fused {
			name = "NEONMulAdd"
		}
		for _, k := range Kernels() {
			if fused || k.Fuses() {
				(&neon{Buffer: &text, fused: fused, k: k, consts: p}).function(k.Name + suffix(k))
				declare(&decls, k.Name+suffix(k), k)
			}
		}
		rowSuffix := func(k *RowKernel) string {
			if !fused && k.Fuses() {
				return "NEONMulAdd"
			}
			return "NEON"
		}
		for _, k := range RowKernels() {
			if fused || k.Fuses() {
				(&neon{Buffer: &text, fused: fused, consts: p}).rows(k, k.Name+rowSuffix(k))
				declareArgs(&decls, k.Name+rowSuffix(k), &Kernel{Doc: k.Doc}, "rowArgs")
			}
		}
		WriteTable(&tables, name, "func(*vecArgs)", Kernels(), func(k *Kernel) string { return k.Name + suffix(k) },
			"func(*rowArgs)", func(k *RowKernel) string { return k.Name + rowSuffix(k) })
		file := "vec_neon_muladd_arm64.s"
		if fused {
			transposeNEON(&text, &decls)
			file = "vec_neon_arm64.s"
		}
		dataNEON(&text, p)
		write(filepath.Join(dir, file), text.Bytes())
	}
	writeGo(filepath.Join(dir, "vectables_arm64.go"), decls.String()+tables.String())
}

// dataNEON writes the constants and the masks of a file.
func dataNEON(text *bytes.Buffer, p *pool) {
	for i, v := range p.order {
		fmt.Fprintf(text, "DATA vecConst<>+%d(SB)/8, $0x%08X%08X\nDATA vecConst<>+%d(SB)/8, $0x%08X%08X\n", 16*i, v, v, 16*i+8, v, v)
	}
	fmt.Fprintf(text, "GLOBL vecConst<>(SB), RODATA|NOPTR, $%d\n\n", 16*len(p.order))
	for i := range 32 {
		v := "FFFFFFFFFFFFFFFF"
		if i >= 16 {
			v = "0000000000000000"
		}
		fmt.Fprintf(text, "DATA vecMask<>+%d(SB)/8, $0x%s\n", 8*i, v)
	}
	fmt.Fprintf(text, "GLOBL vecMask<>(SB), RODATA|NOPTR, $256\n")
}

// transposeNEON writes the transposition in blocks of 4x4: columns of blocks from the left, each from the top.
func transposeNEON(text, decls *bytes.Buffer) {
	k := &Kernel{Name: transName, Doc: transDoc}
	declareArgs(decls, transName+"NEON", k, "wholeTransposeArgs")
	g := &neon{Buffer: text, k: k}
	fmt.Fprintf(g, "// %s: %s\nTEXT ·%sNEON(SB), NOSPLIT, $0-8\n", k.Name, k.Doc, k.Name)
	const dst, x, rows, cols, ldx, ldd, from, to, left, at = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
	g.ins("MOVD a+0(FP), R%d", gArgs)
	for i, r := range []int{dst, x, rows, cols, ldx, ldd} {
		g.ins("MOVD %d(R%d), R%d", 8*i, gArgs, r)
	}
	g.label("columns")
	g.ins("MOVD R%d, R%d", x, from)
	g.ins("MOVD R%d, R%d", dst, to)
	g.ins("MOVD R%d, R%d", rows, left)
	g.label("rows")
	for i := range 4 {
		g.ldq(i, from, 0)
		g.ins("ADD R%d, R%d, R%d", ldx, from, from)
	}
	for i := range 2 {
		g.ins("VTRN1 V%d.S4, V%d.S4, V%d.S4", 2*i+1, 2*i, 4+i)
		g.ins("VTRN2 V%d.S4, V%d.S4, V%d.S4", 2*i+1, 2*i, 6+i)
	}
	for i := range 2 {
		g.ins("VTRN1 V%d.D2, V%d.D2, V%d.D2", 5+2*i, 4+2*i, i)
		g.ins("VTRN2 V%d.D2, V%d.D2, V%d.D2", 5+2*i, 4+2*i, 2+i)
	}
	g.ins("MOVD R%d, R%d", to, at)
	for i := range 4 {
		g.stq(i, at, 0)
		g.ins("ADD R%d, R%d, R%d", ldd, at, at)
	}
	g.ins("ADD $16, R%d, R%d", to, to)
	g.ins("SUBS $4, R%d, R%d", left, left)
	g.ins("BNE rows")
	g.ins("ADD $16, R%d, R%d", x, x)
	g.ins("ADD R%d<<2, R%d, R%d", ldd, dst, dst)
	g.ins("SUBS $4, R%d, R%d", cols, cols)
	g.ins("BNE columns")
	g.ins("RET")
	fmt.Fprintln(g)
}
