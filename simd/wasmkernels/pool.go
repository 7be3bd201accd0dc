package wasmkernels

import (
	"strings"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// addPool adds 2x2 pooling with stride 2, of maxima and of averages, and the gradients (simd's maxPool2 and so on): n outputs
// a row, runs rows, rows of x stride apart. Where 1 to 3 outputs are left at the end of a row of 4 or more, the last 4
// are computed again: no output is an input.
func (b *builder) addPool() {
	for _, name := range []string{"vecMaxPool2", "vecMaxPool2Grad", "vecMaxPool2ReluGrad", "vecAvgPool2", "vecAvgPool2Grad"} {
		grad, average := strings.HasSuffix(name, "Grad"), strings.HasPrefix(name, "vecAvg")
		f, args := b.kernel(name)
		p := &pool{Func: f, relu: strings.Contains(name, "Relu")}
		vectors, single := p.maximum, p.single(grad)
		switch {
		case average && grad:
			vectors, single = p.share, p.singleShare
		case average:
			vectors, single = p.average, p.singleAverage
		case grad:
			vectors = p.spread
		}
		word := func(off int) Local {
			v := f.Local(I32, "")
			f.Get(args).Mem(I32Load, uint32(off)).Set(v)
			return v
		}
		p.n, p.stride, p.x, p.out = word(argN), word(argStride), word(argIn), word(argOut)
		rows := word(argRuns)
		if grad {
			p.dy = word(argIn + 8)
		}
		p.j, p.top, p.bottom, p.to, p.from = f.Local(I32, ""), f.Local(I32, ""), f.Local(I32, ""), f.Local(I32, ""), f.Local(I32, "")
		f.Get(p.stride).I32(2).Op(I32Shl).Set(p.stride)
		eachRow := func(row func()) {
			f.Block(func(exit Label) {
				f.Loop(func(again Label) {
					f.Get(rows).Op(I32Eqz).BrIf(exit)
					row()
					f.Get(p.x, p.stride).I32(1).Op(I32Shl, I32Add).Set(p.x)
					if grad {
						f.Get(p.out, p.stride).I32(1).Op(I32Shl, I32Add).Set(p.out)
						f.Get(p.dy, p.n).I32(2).Op(I32Shl, I32Add).Set(p.dy)
					} else {
						f.Get(p.out, p.n).I32(2).Op(I32Shl, I32Add).Set(p.out)
					}
					f.Get(rows).I32(1).Op(I32Sub).Set(rows).Br(again)
				})
			})
		}
		f.Get(p.n).I32(4).Op(I32LtU).If(func() {
			eachRow(func() { forStep(f, p.zero(), p.n, 1, single) })
			f.Return()
		}, nil)
		p.vectors()
		eachRow(func() {
			f.I32(0).Set(p.j)
			f.Loop(func(again Label) {
				p.addresses()
				vectors()
				// The next four, or the last four of the row, unless this was them.
				f.Get(p.j).Get(p.n).I32(4).Op(I32Sub, I32LtU).If(func() {
					f.Get(p.j).I32(4).Op(I32Add).Set(p.j)
					f.Get(p.n).I32(4).Op(I32Sub).Get(p.j).Get(p.j, p.n).I32(4).Op(I32Sub, I32GtU).Select().Set(p.j)
					f.Br(again)
				}, nil)
			})
		})
	}
}

// pool writes one of the kernels.
type pool struct {
	*Func
	relu                      bool // only maxima above 0 pass a gradient on
	n, stride, x, out, dy     Local
	j, top, bottom, to, from  Local
	w                         [4]Local // the four places of windows
	best, nan, newer1, newer2 Local
	newer3, g                 Local
}

func (p *pool) vectors() {
	for _, v := range []*Local{&p.w[0], &p.w[1], &p.w[2], &p.w[3], &p.best, &p.nan, &p.newer1, &p.newer2, &p.newer3, &p.g} {
		*v = p.Local(V128, "")
	}
}

// zero sets j to 0 and returns it.
func (p *pool) zero() Local {
	p.I32(0).Set(p.j)
	return p.j
}

// addresses computes where the windows from output j on lie, and their outputs (or the gradients).
func (p *pool) addresses() {
	p.Get(p.x, p.j).I32(3).Op(I32Shl, I32Add).Tee(p.top).Get(p.stride).Op(I32Add).Set(p.bottom)
	if p.dy != (Local{}) {
		p.Get(p.out, p.j).I32(3).Op(I32Shl, I32Add).Set(p.to)
		p.Get(p.dy, p.j).I32(2).Op(I32Shl, I32Add).Set(p.from)
	} else {
		p.Get(p.out, p.j).I32(2).Op(I32Shl, I32Add).Set(p.to)
	}
}

// windows loads four windows and parts even and odd columns.
func (p *pool) windows() {
	for i, row := range []Local{p.top, p.bottom} {
		even, odd := p.w[2*i], p.w[2*i+1]
		p.Get(row).Mem(V128Load, 0).Set(p.g)
		p.Get(row).Mem(V128Load, 16).Set(p.best)
		p.Get(p.g, p.best).Shuffle(words([4]int{0, 2, 4, 6})).Set(even)
		p.Get(p.g, p.best).Shuffle(words([4]int{1, 3, 5, 7})).Set(odd)
	}
}

// maximum stores the maxima of four windows. pmax keeps the older value unless the newer one is greater; ones make a NaN of anything.
func (p *pool) maximum() {
	p.windows()
	for i, v := range p.w {
		p.Get(v, v).Op(F32x4Ne)
		if i > 0 {
			p.Op(V128Or)
		}
	}
	p.Set(p.nan).Get(p.to)
	p.Get(p.w[0], p.w[1]).Op(F32x4Pmax).Get(p.w[2]).Op(F32x4Pmax).Get(p.w[3]).Op(F32x4Pmax)
	p.Get(p.nan).Op(V128Or).Mem(V128Store, 0)
}

// spread stores the gradients of four windows to the places of their first maxima, and zeros elsewhere.
func (p *pool) spread() {
	p.windows()
	newer := []Local{p.newer1, p.newer2, p.newer3}
	p.Get(p.w[0]).Set(p.best)
	for i, v := range p.w[1:] {
		p.Get(v, v).Op(F32x4Ne).Set(p.nan)
		p.Get(p.best, v).Op(F32x4Lt).Get(p.nan).Op(V128Or).Set(newer[i])
		if i < 2 || p.relu {
			p.Get(p.best, v).Op(F32x4Pmax).Get(p.nan).Op(V128Or).Set(p.best)
		}
	}
	// A sum that starts at +0 turns -0 into +0. Each mask less the later ones leaves the gradient in one place of four.
	zero := p.nan
	p.V128([16]byte{}).Set(zero)
	p.Get(p.from).Mem(V128Load, 0)
	if p.relu {
		p.Get(zero, p.best).Op(F32x4Lt, V128And)
	}
	p.Get(zero).Op(F32x4Add).Set(p.g)
	for i := 2; i >= 0; i-- {
		p.Get(p.g, newer[i]).Op(V128And).Set(p.w[i+1])
		p.Get(p.g, newer[i]).Op(V128Andnot).Set(p.g)
	}
	p.Get(p.g).Set(p.w[0])
	for i := range 2 {
		even, odd := p.w[2*i], p.w[2*i+1]
		p.Get(p.to).Get(even, odd).Shuffle(words([4]int{0, 4, 1, 5})).Mem(V128Store, 0)
		p.Get(p.to).Get(even, odd).Shuffle(words([4]int{2, 6, 3, 7})).Mem(V128Store, 16)
		if i == 0 {
			p.Get(p.to, p.stride).Op(I32Add).Set(p.to)
		}
	}
}

// single handles output j alone.
func (p *pool) single(grad bool) func() {
	best, v, at := p.Local(F32, ""), p.Local(F32, ""), p.Local(I32, "")
	return func() {
		p.addresses()
		p.Get(p.top).Mem(F32Load, 0).Set(best)
		if grad {
			p.Get(p.to).Set(at)
			for i := range uint32(4) {
				p.Get(p.to)
				if i > 1 {
					p.Get(p.stride).Op(I32Add)
				}
				p.F32(0).Mem(F32Store, 4*(i%2))
			}
		}
		for i := range uint32(3) {
			row := p.top
			if i > 0 {
				row = p.bottom
			}
			off := 4 * ((i + 1) % 2)
			p.Get(row).Mem(F32Load, off).Tee(v).Get(best).Op(F32Gt).Get(v, v).Op(F32Ne, I32Or).If(func() {
				p.Get(v).Set(best)
				if grad {
					p.Get(p.to)
					if i > 0 {
						p.Get(p.stride).Op(I32Add)
					}
					p.I32(int32(off)).Op(I32Add).Set(at)
				}
			}, nil)
		}
		if grad {
			store := func() { p.Get(at).Get(p.from).Mem(F32Load, 0).F32(0).Op(F32Add).Mem(F32Store, 0) }
			if p.relu {
				p.F32(0).Get(best).Op(F32Lt).If(store, nil)
			} else {
				store()
			}
		} else {
			p.Get(p.to, best).Mem(F32Store, 0)
		}
	}
}

// average stores the averages of four windows.
func (p *pool) average() {
	p.windows()
	p.Get(p.to)
	p.Get(p.w[0], p.w[1]).Op(F32x4Add).Get(p.w[2]).Op(F32x4Add).Get(p.w[3]).Op(F32x4Add)
	p.F32(0.25).Op(F32x4Splat, F32x4Mul).Mem(V128Store, 0)
}

// share stores a quarter of four gradients to all places of their windows.
func (p *pool) share() {
	p.Get(p.from).Mem(V128Load, 0).F32(0.25).Op(F32x4Splat, F32x4Mul)
	p.F32(0).Op(F32x4Splat, F32x4Add).Set(p.g) // turns -0 into +0
	for i := range 2 {
		for half, places := range [][4]int{{0, 0, 1, 1}, {2, 2, 3, 3}} {
			p.Get(p.to).Get(p.g, p.g).Shuffle(words(places)).Mem(V128Store, uint32(16*half))
		}
		if i == 0 {
			p.Get(p.to, p.stride).Op(I32Add).Set(p.to)
		}
	}
}

func (p *pool) singleAverage() {
	p.addresses()
	p.Get(p.to)
	p.Get(p.top).Mem(F32Load, 0).Get(p.top).Mem(F32Load, 4).Op(F32Add)
	p.Get(p.bottom).Mem(F32Load, 0).Op(F32Add).Get(p.bottom).Mem(F32Load, 4).Op(F32Add)
	p.F32(0.25).Op(F32Mul).Mem(F32Store, 0)
}

func (p *pool) singleShare() {
	p.addresses()
	for i := range uint32(4) {
		p.Get(p.to)
		if i > 1 {
			p.Get(p.stride).Op(I32Add)
		}
		p.Get(p.from).Mem(F32Load, 0).F32(0.25).Op(F32Mul).F32(0).Op(F32Add).Mem(F32Store, 4*(i%2))
	}
}
