package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// lanes is simd.Lanes: how many accumulators a reduction has; vectors of them.
const (
	lanes   = 32
	vectors = lanes / 4
)

// runs emits the loops of a reduction: 32 values a turn, and at the end of every run the vectors that are left.
func (l *vec) runs() {
	for range vectors {
		acc := l.Local(V128, "")
		l.Get(l.constant(l.k.Identity)).Set(acc)
		l.accs = append(l.accs, acc)
	}
	runs, n, bytes := l.load(argRuns), l.load(argN), l.load(argStride)
	l.Get(bytes).I32(2).Op(I32Shl).Set(bytes)
	starts := make([]Local, l.k.Ins)
	for i, p := range l.in {
		starts[i] = l.Local(I32, "")
		l.Get(p).Set(starts[i])
	}
	l.Loop(func(run Label) {
		l.blocks(vectors, l.accs)
		l.Get(l.left).If(l.lastVectors, nil)
		l.Get(n).Set(l.left)
		for i, p := range starts {
			l.Get(p, bytes).Op(I32Add).Tee(p).Set(l.in[i])
		}
		l.Get(runs).I32(1).Op(I32Sub).Tee(runs).BrIf(run)
	})
	l.tree()
}

// longRun reduces one run with a long body, which would be too many bytes eight times over and leaves no registers for
// accumulators: they lie in memory, at the second output's address.
func (l *vec) longRun() {
	lanesAt, off, at := l.load(argOut+8), l.Local(I32, ""), l.Local(I32, "")
	acc, old := l.Local(V128, ""), l.Local(V128, "")
	for u := range vectors {
		l.Get(lanesAt).Get(l.constant(l.k.Identity)).Mem(V128Store, uint32(16*u))
	}
	l.eachVector(loadPart, storePart, access{acc: acc}, func() {
		l.Get(lanesAt, off).Op(I32Add).Tee(at).Mem(V128Load, 0).Tee(old).Set(acc)
	}, func() {
		l.Get(at).Get(acc, old).Get(l.left).Op(I32x4Splat).V128(wordVector(0, 1, 2, 3)).Op(I32x4GtS)
		l.choose()
		l.Mem(V128Store, 0)
	}, func() {
		l.Get(at, acc).Mem(V128Store, 0)
		l.Get(off).I32(16).Op(I32Add).I32(16*vectors - 1).Op(I32And).Set(off)
	})
	for u := range vectors {
		l.accs = append(l.accs, l.Local(V128, ""))
		l.Get(lanesAt).Mem(V128Load, uint32(16*u)).Set(l.accs[u])
	}
	l.tree()
}

// lastVectors takes the 1 to 31 values that end a run into the accumulators of their lanes.
func (l *vec) lastVectors() {
	mask := l.Local(V128, "")
	end := l.Local(I32, "")
	ins := make([]Local, l.k.Ins)
	part := make([]Local, l.k.Ins) // the partial vector
	out := l.Local(V128, "")       // reductions store to one output at most
	l.Get(l.left).I32(3).Op(I32And).If(func() {
		for i := range ins {
			l.Get(l.left).I32(-4).Op(I32And).I32(2).Op(I32Shl).Get(l.in[i]).Op(I32Add).Set(end)
			part[i] = l.Local(V128, "")
			l.parts.callLoad(l.Func, end, l.left)
			l.Set(part[i])
		}
	}, nil)
	for i := range ins {
		ins[i] = l.Local(V128, "")
	}
	l.Block(func(done Label) {
		for u, acc := range l.accs {
			l.Get(l.left).I32(4).Op(I32LtS).If(func() {
				l.Get(l.left).I32(0).Op(I32LeS).BrIf(done)
				for i, v := range ins {
					l.Get(part[i]).Set(v)
				}
			}, func() {
				for i, v := range ins {
					l.Get(l.in[i]).Mem(V128Load, uint32(16*u)).Set(v)
				}
			})
			l.Get(l.left).Op(I32x4Splat).V128(wordVector(0, 1, 2, 3)).Op(I32x4GtS).Set(mask)
			l.body(access{
				load: func(i int) { l.Get(ins[i]) },
				store: func(i int, value func()) {
					value()
					l.Set(out)
					l.Get(l.left).I32(4).Op(I32LtS).If(func() {
						l.parts.callStore(l.Func, l.out[i], out, l.left)
					}, func() {
						l.Get(l.out[i], out).Mem(V128Store, 0)
						l.Get(l.out[i]).I32(16).Op(I32Add).Set(l.out[i])
					})
				},
				acc: acc, mask: &mask,
			})
			l.Get(l.left).I32(4).Op(I32Sub).Set(l.left)
		}
	})
}

// tree joins the lanes: l with l+16, l+8, l+4, l+2, l+1, and writes the result.
func (l *vec) tree() {
	merge := vecOps[l.k.Merge]
	for w := vectors / 2; w > 0; w /= 2 {
		for i := range w {
			l.Get(l.accs[i], l.accs[i+w]).Op(merge).Set(l.accs[i])
		}
	}
	a := l.accs[0]
	for _, from := range [][4]int{{2, 3, 2, 3}, {1, 1, 1, 1}} {
		l.Get(a).Get(a, a).Shuffle(words(from)).Op(merge).Set(a)
	}
	l.Get(l.args, a).MemLane(V128Store32Lane, argResult, 0)
}

// words returns the lanes of i8x16.shuffle that pick 32-bit words, of which the second operand has 4 to 7.
func words(from [4]int) (s [16]byte) {
	for i := range s {
		s[i] = byte(4*from[i/4] + i%4)
	}
	return s
}

// wordVector returns the bytes of four 32-bit words.
func wordVector(w ...uint32) (v [16]byte) {
	for i := range v {
		v[i] = byte(w[i/4] >> (8 * (i % 4)))
	}
	return v
}
