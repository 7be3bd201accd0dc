package main

import (
	"fmt"

	op "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Tiles of channels-last depthwise convolutions whose pixels follow one another in a row: an input is loaded once for all pixels whose
// window it is in, so that there are fewer loads than products.

// The tiles that exist: pixels, columns of the kernel, columns between pixels.
const (
	dwRowLeast, dwRowMost = 4, 8
	dwRowStrides          = 2 // of kernels of 3 and 5 columns
	drSide                = 3 // columns on a side that may be padding: half of a kernel's
)

var dwRowKernels = []int{3, 5, 7}

// Offsets in depthwiseRowArgs.
const (
	drW     = 8 * iota             // weights: [vector of channels][tap][lanes]
	drCol                          // bytes between columns of x
	drRows                         // rows of the kernel
	drTiles                        // tiles, one after the other in the row
	drXStep                        // bytes between them in x
	drYStep                        // and in y
	drWhole                        // bytes of whole vectors of channels
	drY                            // y
	drYS                           // bytes between pixels of y and of the residual
	drRes                          // residual, or nil
	drBias                         // per channel, or nil
	drMask                         // AVX2: lanes of the vector after the whole ones, as 8 words; nil: there is none
	drBits                         // AVX-512: the same as bits
	drLo                           // lo, hi: two float32
	drFlags                        // see flag constants
	drZeros                        // a vector of zeros
	drEdges                        // whether the first columns of the first tile, and the last ones of the last, from the last on, are padding
	drX     = drEdges + 8*2*drSide // per row of the kernel, where the inputs of the first pixel begin
)

// genDepthwiseRows writes the tiles of a set. Their table has pixels as rows and, as columns, the kernel's columns and the stride (see
// depthwiseRowKey in simd).
func genDepthwiseRows(g *gen) {
	for pixels := dwRowLeast; pixels <= dwRowMost; pixels++ {
		for _, k := range dwRowKernels {
			for stride := 1; stride <= dwRowStrides && (stride == 1 || k <= 5); stride++ {
				g.depthwiseRowTile(pixels, k, stride)
			}
		}
	}
}

// depthwiseRowTile writes the kernel for a number of pixels, kernels of k columns and a stride.
func (g *gen) depthwiseRowTile(pixels, k, stride int) {
	g.begin("depthwiseRow", []int{pixels, k + stride - 1}, fmt.Sprintf("depthwiseRow%dx%ds%d", pixels, k, stride), "depthwiseRowArgs",
		fmt.Sprintf("y[p,c] = sum over rows r and j < %d of x[r,%d*p+j,c]*w[r,j,c], p < %d, in the order of r and j; then the epilogue; for each tile.", k, stride, pixels))
	var (
		x, y, w, c, col, col3, end = reg.RAX, reg.RDI, reg.RSI, reg.R8, reg.RBX, reg.RCX, reg.RDX // x is the tile's first column, in bytes
		rows, at, p, ys, tiles     = reg.R9, reg.R11, reg.R12, reg.R13, reg.R14
		size                       = g.lanes() * 4
		acc                        = func(i int) reg.VecPhysical { return g.vec(i) }
		wReg                       = func(j int) reg.VecPhysical { return g.vec(pixels + j) }
		held                       = k                // weights that registers hold
		lo, hi                     = wReg(0), wReg(1) // when the products are done
		cols                       = (pixels-1)*stride + k
	)
	if !g.wide {
		held = min(k, 5)
	}
	in, mask := g.vec(pixels+held), g.vec(pixels+held+1)
	tmp := in
	if !g.fma {
		tmp = g.vec(pixels + held + 2)
	}
	edges := g.AllocLocal(8 * 2 * drSide) // those of the tile
	g.XORQ(x, x)
	g.MOVQ(field(drY), y)
	g.MOVQ(field(drCol), col)
	g.LEAQ(op.Mem{Base: col, Index: col, Scale: 2}, col3)
	g.MOVQ(field(drRows), end)
	g.LEAQ(op.Mem{Base: args, Index: end, Scale: 8, Disp: drX}, end)
	g.MOVQ(field(drYS), ys)
	g.MOVQ(field(drTiles), tiles)
	if g.wide {
		g.MOVQ(field(drBits), p)
		g.KMOVW(p.As32(), reg.K1)
	}
	body := func(name string, masked bool) {
		load := func(src op.Mem, dst reg.VecPhysical) {
			switch {
			case masked && g.wide:
				g.VMOVUPS_Z(src, reg.K1, dst)
			case masked:
				g.VMASKMOVPS(src, mask, dst)
			default:
				g.VMOVUPS(src, dst)
			}
		}
		for i := range pixels {
			g.zero(acc(i))
		}
		// column loads a column of the image, or zeros.
		column := func(src op.Mem, i int) {
			var e int
			switch {
			case i < k/2:
				e = i
			case cols-1-i < k/2:
				e = drSide + cols - 1 - i
			default:
				load(src, in)
				return
			}
			g.LEAQ(src, p)
			g.CMPQ(edges.Offset(8*e), op.Imm(0))
			g.CMOVQNE(field(drZeros), p)
			load(mem(p, 0), in)
		}
		g.LEAQ(field(drX), rows)
		g.Label(name + "Row")
		g.MOVQ(mem(rows, 0), at)
		g.ADDQ(x, at)
		g.ADDQ(c, at)
		for j := range held {
			g.VMOVUPS(mem(w, j*size), wReg(j))
		}
		for i := range cols {
			src := mem(at, 0)
			switch i % 4 {
			case 1:
				src.Index, src.Scale = col, 1
			case 2:
				src.Index, src.Scale = col, 2
			case 3:
				src.Index, src.Scale = col3, 1
			}
			column(src, i)
			if i%4 == 3 && i+1 < cols {
				g.LEAQ(op.Mem{Base: at, Index: col, Scale: 4}, at)
			}
			for q := range pixels {
				switch j := i - q*stride; {
				case j >= 0 && j < held:
					g.madd(acc(q), wReg(j), in, tmp)
				case j >= held && j < k:
					g.madd(acc(q), in, mem(w, j*size), tmp)
				}
			}
		}
		g.ADDQ(op.U32(uint32(k*size)), w)
		g.ADDQ(op.Imm(8), rows)
		g.CMPQ(rows, end)
		g.JNE(op.LabelRef(name + "Row"))
		g.MOVQ(field(drBias), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef(name + "Biased"))
		load(indexed(p, c, 1), in)
		for i := range pixels {
			g.VADDPS(in, acc(i), acc(i))
		}
		g.Label(name + "Biased")
		g.MOVQ(field(drRes), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef(name + "Added"))
		g.ADDQ(y, p)
		g.SUBQ(field(drY), p)
		g.ADDQ(c, p)
		for i := range pixels {
			load(mem(p, 0), in)
			g.VADDPS(in, acc(i), acc(i))
			if i+1 < pixels {
				g.ADDQ(ys, p)
			}
		}
		g.Label(name + "Added")
		g.MOVQ(field(drFlags), p)
		g.TESTQ(op.U32(flagClamp), p)
		g.JZ(op.LabelRef(name + "Clamped"))
		g.VBROADCASTSS(field(drLo), lo)
		g.VBROADCASTSS(field(drLo+4), hi)
		for i := range pixels { // MAXPS and MINPS return their second source when the comparison is false: NaN and -0 stay
			g.VMAXPS(acc(i), lo, acc(i))
			g.VMINPS(acc(i), hi, acc(i))
		}
		g.Label(name + "Clamped")
		g.LEAQ(op.Mem{Base: y, Index: c, Scale: 1}, p)
		for i := range pixels {
			switch {
			case masked && g.wide:
				g.VMOVUPS(acc(i), reg.K1, mem(p, 0))
			case masked:
				g.VMASKMOVPS(acc(i), mask, mem(p, 0))
			default:
				g.VMOVUPS(acc(i), mem(p, 0))
			}
			if i+1 < pixels {
				g.ADDQ(ys, p)
			}
		}
	}
	g.Label("tile")
	for side, skip := range []string{"notFirst", "notLast"} {
		for e := drSide * side; e < drSide*side+k/2; e++ {
			g.MOVQ(op.U32(0), edges.Offset(8*e))
		}
		if side == 0 {
			g.TESTQ(x, x)
		} else {
			g.CMPQ(tiles, op.Imm(1))
		}
		g.JNE(op.LabelRef(skip))
		for e := drSide * side; e < drSide*side+k/2; e++ {
			g.MOVQ(field(drEdges+8*e), p)
			g.MOVQ(p, edges.Offset(8*e))
		}
		g.Label(skip)
	}
	g.XORQ(c, c)
	g.MOVQ(field(drW), w)
	g.CMPQ(c, field(drWhole))
	g.JE(op.LabelRef("rest"))
	g.Label("block")
	body("block", false)
	g.ADDQ(op.Imm(uint64(size)), c)
	g.CMPQ(c, field(drWhole))
	g.JNE(op.LabelRef("block"))
	g.Label("rest")
	if g.wide {
		g.MOVQ(field(drBits), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef("next"))
	} else {
		g.MOVQ(field(drMask), p)
		g.TESTQ(p, p)
		g.JZ(op.LabelRef("next"))
		g.VMOVUPS(mem(p, 0), mask)
	}
	body("rest", true)
	g.Label("next")
	g.ADDQ(field(drXStep), x)
	g.ADDQ(field(drYStep), y)
	g.DECQ(tiles)
	g.JNZ(op.LabelRef("tile"))
	g.end()
}
