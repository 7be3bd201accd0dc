package main

import (
	"bytes"
	"fmt"
)

// gen writes the functions of one kind and numeric class as Go assembly. Go's assembler lacks most vector floating-point
// instructions of arm64; those are encoded here and printed as WORDs, each with its mnemonic.
type gen struct {
	bytes.Buffer
	fma     bool // one rounding; otherwise a multiplication and an addition
	table   string
	argType string
	decls   *bytes.Buffer // Go declarations of all kinds
	entries bytes.Buffer  // elements of the Go table
	next    int           // number of the next local label
}

// A vreg is a vector register, an xreg a general one. R18 belongs to the platform, R27 to the assembler, R28 is g.
type (
	vreg int
	xreg int
)

// args is the argument struct, throughout a function.
const args xreg = 0

const (
	vectorRegs = 32
	lanes      = 4  // float32 in a vector
	vecBytes   = 16 // bytes in a vector
)

// suffix ends the names of the functions.
func (g *gen) suffix() string {
	if g.fma {
		return "NEON"
	}
	return "NEONMulAdd"
}

// begin starts a function that takes one pointer to arguments of the given Go type, and loads it into args. A zero
// key keeps it out of the table.
func (g *gen) begin(key [2]int, name, argType, doc string) {
	name += g.suffix()
	fmt.Fprintf(g.decls, "\n// %s computes %s\n//\n//go:noescape\nfunc %s(a *%s)\n", name, doc, name, argType)
	if key != [2]int{} {
		g.argType = argType
		fmt.Fprintf(&g.entries, "\t{%d, %d, %s},\n", key[0], key[1], name)
	}
	g.next = 0
	fmt.Fprintf(g, "\n// func %s(a *%s)\n// %s\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, argType, doc, name)
	g.ins("MOVD a+0(FP), R%d", args)
}

func (g *gen) ins(format string, a ...any) { fmt.Fprintf(g, "\t"+format+"\n", a...) }

func (g *gen) label(name string) { fmt.Fprintf(g, "\n%s:\n", name) }

// local returns a fresh label.
func (g *gen) local() string {
	g.next++
	return fmt.Sprintf("l%d", g.next)
}

func (g *gen) word(w uint32, format string, a ...any) {
	fmt.Fprintf(g, "\tWORD $0x%08X // %s\n", w, fmt.Sprintf(format, a...))
}

// Three-register instructions on four lanes, without the registers.
var threeRegs = map[string]uint32{"fadd": 0x4E20D400, "fmul": 0x6E20DC00, "fmla": 0x4E20CC00, "fcmgt": 0x6EA0E400, "fcmeq": 0x4E20E400, "fdiv": 0x6E20FC00}

func (g *gen) op(name string, d, n, m vreg) {
	g.word(threeRegs[name]|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s v%d.4s, v%d.4s, v%d.4s", name, d, n, m)
}

// The same by one lane of the last register.
var byElement = map[string]uint32{"fmul": 0x4F809000, "fmla": 0x4F801000}

func (g *gen) opLane(name string, d, n, m vreg, lane int) {
	h, l := uint32(lane>>1), uint32(lane&1)
	g.word(byElement[name]|h<<11|l<<21|uint32(m)<<16|uint32(n)<<5|uint32(d), "%s v%d.4s, v%d.4s, v%d.s[%d]", name, d, n, m, lane)
}

// madd emits acc += v*m in the class of the set. tmp is not used when fusing.
func (g *gen) madd(acc, v, m, tmp vreg) {
	if g.fma {
		g.op("fmla", acc, v, m)
		return
	}
	g.op("fmul", tmp, v, m)
	g.op("fadd", acc, acc, tmp)
}

// maddLane emits acc += v*m[lane].
func (g *gen) maddLane(acc, v, m vreg, lane int, tmp vreg) {
	if g.fma {
		g.opLane("fmla", acc, v, m, lane)
		return
	}
	g.opLane("fmul", tmp, v, m, lane)
	g.op("fadd", acc, acc, tmp)
}

func (g *gen) zero(v vreg) { g.ins("VEOR V%d.B16, V%d.B16, V%d.B16", v, v, v) }

// field loads an argument.
func (g *gen) field(offset int, r xreg) { g.ins("MOVD %d(R%d), R%d", offset, args, r) }

func (g *gen) load(base xreg, disp int, v vreg)  { g.ins("FMOVQ %d(R%d), F%d", disp, base, v) }
func (g *gen) store(v vreg, base xreg, disp int) { g.ins("FMOVQ F%d, %d(R%d)", v, disp, base) }

// loadIndexed loads from base + index; Go's assembler has no such load of 128 bits.
func (g *gen) loadIndexed(base, index xreg, v vreg) {
	g.word(0x3CE06800|uint32(index)<<16|uint32(base)<<5|uint32(v), "ldr q%d, [x%d, x%d]", v, base, index)
}

// loadScalar loads one float32 from base + index into lane 0.
func (g *gen) loadScalar(base, index xreg, v vreg) {
	g.word(0xBC606800|uint32(index)<<16|uint32(base)<<5|uint32(v), "ldr s%d, [x%d, x%d]", v, base, index)
}

// broadcast loads one float32 into every lane. It overwrites tmp.
func (g *gen) broadcast(base xreg, disp int, v vreg, tmp xreg) {
	if disp != 0 {
		g.ins("ADD $%d, R%d, R%d", disp, base, tmp)
		base = tmp
	}
	g.ins("VLD1R (R%d), [V%d.S4]", base, v)
}

// part holds two words of a mask: those of lanes 1 and 2. Lane 0 always exists, lane 3 never where a mask applies.
type part struct{ lane1, lane2 xreg }

// loadMask reads the mask at p; it is not nil.
func (g *gen) loadMask(p xreg, m part) {
	g.ins("MOVW 4(R%d), R%d", p, m.lane1)
	g.ins("MOVW 8(R%d), R%d", p, m.lane2)
}

// loadPart loads the lanes of m, others as zero. Absent elements are not touched. It overwrites tmp.
func (g *gen) loadPart(base xreg, disp int, v vreg, m part, tmp xreg) {
	one, done := g.local(), g.local()
	g.ins("CBZ R%d, %s", m.lane1, one)
	g.ins("FMOVD %d(R%d), F%d", disp, base, v)
	g.ins("CBZ R%d, %s", m.lane2, done)
	g.ins("ADD $%d, R%d, R%d", disp+8, base, tmp)
	g.ins("VLD1 (R%d), V%d.S[2]", tmp, v)
	g.ins("B %s", done)
	g.label(one)
	g.ins("FMOVS %d(R%d), F%d", disp, base, v)
	g.label(done)
}

// storePart stores the lanes of m. It overwrites tmp.
func (g *gen) storePart(v vreg, base xreg, disp int, m part, tmp xreg) {
	one, done := g.local(), g.local()
	g.ins("CBZ R%d, %s", m.lane1, one)
	g.ins("FMOVD F%d, %d(R%d)", v, disp, base)
	g.ins("CBZ R%d, %s", m.lane2, done)
	g.ins("ADD $%d, R%d, R%d", disp+8, base, tmp)
	g.ins("VST1 V%d.S[2], (R%d)", v, tmp)
	g.ins("B %s", done)
	g.label(one)
	g.ins("FMOVS F%d, %d(R%d)", v, disp, base)
	g.label(done)
}

// both emits a body for whole vectors and one for a masked last vector, chosen by the mask's address.
func (g *gen) both(name string, mask xreg, body func(masked bool)) {
	g.ins("CBNZ R%d, %sMasked", mask, name)
	body(false)
	g.ins("B %sDone", name)
	g.label(name + "Masked")
	body(true)
	g.label(name + "Done")
}

// clamp applies lo > x ? lo : x, then x > hi ? hi : x, to the first n registers when the flags ask for it. FMAX and FMIN
// differ: they order the zeros and quieten NaNs, so this compares and selects. It overwrites the registers from n on, and tmp.
func (g *gen) clamp(lo, n int, flags, tmp xreg) {
	bound, mask := vreg(n), vreg(n+1)
	g.ins("TBZ $%d, R%d, clamped", flagClamp, flags)
	for side := range 2 {
		g.broadcast(args, lo+4*side, bound, tmp)
		for i := range n {
			x := vreg(i)
			if side == 0 {
				g.op("fcmgt", mask, bound, x)
			} else {
				g.op("fcmgt", mask, x, bound)
			}
			g.ins("VBIT V%d.B16, V%d.B16, V%d.B16", mask, bound, x)
		}
	}
	g.label("clamped")
}

// widths returns the tile widths, in vectors (or taps), for which used(width) registers suffice.
func widths(used func(n int) int) []int {
	var w []int
	for _, n := range []int{1, 2, 3, 4, 6, 8} {
		if used(n) <= vectorRegs {
			w = append(w, n)
		}
	}
	return w
}
