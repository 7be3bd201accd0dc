package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set and a numeric class.
type isa struct {
	wide   bool // AVX-512 instead of AVX2
	fma    bool // one rounding; otherwise a multiplication and an addition
	halved bool // of AVX-512, 8 lanes of each register
}

// file is the part of a file name that names the set.
func (s isa) file() string {
	n := "avx2"
	if s.wide {
		n = "avx512"
	}
	if !s.fma {
		n += "_muladd"
	}
	return n
}

// suffix ends the names of a set's functions.
func (s isa) suffix() string {
	n := "AVX2"
	if s.wide {
		n = "AVX512"
	}
	if !s.fma {
		n += "MulAdd"
	}
	return n
}

// lanes returns the float32 in a vector.
func (s isa) lanes() int {
	if s.wide && !s.halved {
		return 16
	}
	return 8
}

// vectorRegs returns the number of vector registers.
func (s isa) vectorRegs() int {
	if s.wide {
		return 32
	}
	return 16
}

// fixedRegs is how many vector registers a tile needs beside its accumulators and one vector of B per column: the broadcast of
// A and, without fusing, the product.
func (s isa) fixedRegs() int {
	if s.fma {
		return 1
	}
	return 2
}

// maxRows is the height of the tallest tile: two vectors wide, it fills the registers.
func (s isa) maxRows() int {
	if s.wide {
		return 14
	}
	return 6
}

// widths returns the tile widths, in vectors, that exist for a number of rows: up to 8 where there are registers, so that
// even one row has enough independent accumulators to hide the latency of a multiply-add.
func (s isa) widths(rows int) []int {
	var w []int
	for n := 1; n <= 8; n++ {
		if n > 4 && n != 6 && n != 8 {
			continue
		}
		if rows*n+n+2 <= s.vectorRegs() || rows == s.maxRows() && n <= 2 {
			w = append(w, n)
		}
	}
	return w
}

// gen writes functions of one set into a context.
type gen struct {
	*build.Context
	isa
	decls *declarations
}

// vec returns vector register i in the width of the set.
func (g *gen) vec(i int) reg.VecPhysical {
	if g.wide && !g.halved {
		return zmm[i]
	}
	return g.low(i)
}

// madd emits acc += a*b in the class of the set; b may be memory. tmp is not used when fusing.
func (g *gen) madd(acc, a reg.VecPhysical, b operand.Op, tmp reg.VecPhysical) {
	if g.fma {
		g.VFMADD231PS(b, a, acc)
		return
	}
	g.VMULPS(b, a, tmp)
	g.VADDPS(tmp, acc, acc)
}

// begin starts a function that takes one pointer to arguments of the given Go type, and loads it into R15.
func (g *gen) begin(table string, key []int, name, argType, doc string) {
	name += g.suffix()
	g.decls.add(g.suffix(), table, key, name, argType, doc)
	g.Function(name)
	g.Attributes(attrNoSplit)
	g.SignatureExpr("func(a *byte)")
	g.Doc(doc)
	g.Load(g.Param("a"), args)
}

// end returns to Go.
func (g *gen) end() {
	g.VZEROUPPER()
	g.RET()
}

// field is the argument at an offset in the argument struct; the offsets are in args.go of this command.
func field(offset int) operand.Mem { return operand.Mem{Base: args, Disp: offset} }

func mem(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }

func indexed(base, index reg.Register, scale uint8) operand.Mem {
	return operand.Mem{Base: base, Index: index, Scale: scale}
}

func label(format string, a ...any) string { return fmt.Sprintf(format, a...) }
