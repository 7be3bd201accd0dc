package main

import (
	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Offsets in poolRun.
const (
	poolX      = 8 * iota // first channel of the first pixel's origin
	poolY                 // y
	poolOffs              // int32 per tap: bytes from a pixel's origin
	poolPixels            // pixels
	poolTaps              // taps
	poolXS                // bytes between pixels of x
	poolYS                // bytes between pixels of y
	poolC                 // channels
	poolAvg               // 1: the mean, else the maximum
	poolDiv               // float32
	poolMask              // lanes of the vector after the whole ones, as words; nil when there is none
)

// poolVecs is how many vectors of channels go over the taps together, so that their chains of comparisons overlap.
const poolVecs = 4

// poolLast writes the kernels that pool runs of channels-last pixels.
func (g *gen) poolLast() {
	for _, avg := range []bool{false, true} {
		g.poolLastKind(avg)
	}
}

func (g *gen) poolLastKind(avg bool) {
	name, what := "poolMax", "the maximum over taps of x[p][offs[tap]+c]; a value replaces it if it is greater or NaN"
	if avg {
		name, what = "poolAvg", "the sum over taps of x[p][offs[tap]+c], in their order, divided by div"
	}
	g.begin("", nil, name, "poolRun", "y[p,c] = "+what+".")
	var (
		x, y, offs, taps, at, c, whole, pixels, mask = reg.RSI, reg.RDI, reg.RAX, reg.RBX, reg.RCX, reg.RDX, reg.R8, reg.R9, reg.R10
		fours                                        = reg.R11
		div, m                                       = g.vec(3 * poolVecs), g.vec(3*poolVecs + 1)
		size                                         = g.lanes() * 4
	)
	acc := func(i int) reg.VecPhysical { return g.vec(i) }
	val := func(i int) reg.VecPhysical { return g.vec(poolVecs + i) }
	nan := func(i int) reg.VecPhysical { return g.vec(2*poolVecs + i) }
	g.MOVQ(field(poolX), x)
	g.MOVQ(field(poolY), y)
	g.MOVQ(field(poolPixels), pixels)
	g.MOVQ(field(poolC), whole)
	g.SHLQ(op.Imm(2), whole)
	g.ANDQ(op.I32(int32(-size)), whole)
	g.MOVQ(whole, fours)
	g.ANDQ(op.I32(int32(-poolVecs*size)), fours)
	g.MOVQ(field(poolMask), mask)
	g.TESTQ(mask, mask)
	g.JZ(op.LabelRef("ready"))
	g.VMOVUPS(mem(mask, 0), m)
	if g.wide {
		g.VPMOVD2M(m, reg.K1)
	}
	g.Label("ready")
	g.VBROADCASTSS(field(poolDiv), div)
	g.Label("pixel")
	g.XORQ(c, c)
	body := func(name string, vecs int, masked bool) {
		load := func(i int, dst reg.VecPhysical) {
			src := indexed(x, at, 1)
			src.Disp = i * size
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(src, reg.K1, dst)
			case masked:
				g.VMASKMOVPS(src, m, dst)
			default:
				g.VMOVUPS(src, dst)
			}
		}
		next := func() {
			g.MOVLQSX(mem(offs, 0), at)
			g.ADDQ(c, at)
			g.ADDQ(op.Imm(4), offs)
		}
		g.MOVQ(field(poolOffs), offs)
		g.MOVQ(field(poolTaps), taps)
		next()
		for i := range vecs {
			load(i, acc(i))
		}
		g.DECQ(taps)
		g.JZ(op.LabelRef(name + "Done"))
		g.Label(name + "Tap")
		next()
		for i := range vecs {
			acc, v, nan := acc(i), val(i), nan(i)
			load(i, v)
			switch {
			case avg:
				g.VADDPS(v, acc, acc)
			case g.wide:
				k := []reg.OpmaskPhysical{reg.K2, reg.K3, reg.K4, reg.K5}[i]
				g.VMAXPS(acc, v, acc) // v > acc ? v : acc, acc when one is NaN
				g.VCMPPS(op.Imm(3), v, v, k)
				g.VMOVAPS(v, k, acc)
			default:
				g.VMAXPS(acc, v, acc)
				g.VCMPPS(op.Imm(3), v, v, nan)
				g.VBLENDVPS(nan, v, acc, acc)
			}
		}
		g.DECQ(taps)
		g.JNZ(op.LabelRef(name + "Tap"))
		g.Label(name + "Done")
		for i := range vecs {
			acc := acc(i)
			if avg {
				g.VDIVPS(div, acc, acc)
			}
			dst := indexed(y, c, 1)
			dst.Disp = i * size
			switch {
			case masked && g.wide:
				g.VMOVUPS(acc, reg.K1, dst)
			case masked:
				g.VMASKMOVPS(acc, m, dst)
			default:
				g.VMOVUPS(acc, dst)
			}
		}
	}
	g.CMPQ(c, fours)
	g.JE(op.LabelRef("ones"))
	g.Label("four")
	body("four", poolVecs, false)
	g.ADDQ(op.U32(uint32(poolVecs*size)), c)
	g.CMPQ(c, fours)
	g.JNE(op.LabelRef("four"))
	g.Label("ones")
	g.CMPQ(c, whole)
	g.JE(op.LabelRef("rest"))
	g.Label("block")
	body("block", 1, false)
	g.ADDQ(op.Imm(uint64(size)), c)
	g.CMPQ(c, whole)
	g.JNE(op.LabelRef("block"))
	g.Label("rest")
	g.TESTQ(mask, mask)
	g.JZ(op.LabelRef("next"))
	body("rest", 1, true)
	g.Label("next")
	g.ADDQ(field(poolXS), x)
	g.ADDQ(field(poolYS), y)
	g.DECQ(pixels)
	g.JNZ(op.LabelRef("pixel"))
	g.end()
}
