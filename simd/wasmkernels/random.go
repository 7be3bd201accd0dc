package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// addPhilox adds philoxUniform, the whole blocks of simd's FillUniform (see simd/random.go): four blocks of four words at a time,
// a vector for each of a block's words.
func (b *builder) addPhilox() {
	f, args := b.kernel("philoxUniform")
	word := func(off int) Local {
		v := f.Local(I32, "")
		f.Get(args).Mem(I32Load, uint32(off)).Set(v)
		return v
	}
	splat := func(off uint32) Local {
		v := f.Local(V128, "")
		f.Get(args).Mem(V128Load32Splat, off).Set(v)
		return v
	}
	constant := func(bits uint32) Local {
		v := f.Local(V128, "")
		f.I32(int32(bits)).Op(I32x4Splat).Set(v)
		return v
	}
	dst, groups, low := word(0), word(8), word(16)
	high, stream, seed := splat(20), [2]Local{splat(24), splat(28)}, [2]Local{splat(32), splat(36)}
	scale, lo := splat(40), splat(44)
	multiplier := [2]Local{constant(0xD2511F53), constant(0xCD9E8D57)}
	weyl := [2]Local{constant(0x9E3779B9), constant(0xBB67AE85)}
	unit := constant(0x33800000) // 2**-24
	var c, key, h, l, even, odd [4]Local
	for _, a := range []*[4]Local{&c, &key, &h, &l, &even, &odd} {
		for i := range a {
			a[i] = f.Local(V128, "")
		}
	}
	round := f.Local(I32, "")

	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			f.Get(groups).Op(I32Eqz).BrIf(exit)
			// The counters of four blocks; the low word may overflow among them.
			f.Get(low).Op(I32x4Splat).Tee(c[1]).V128(wordVector(0, 1, 2, 3)).Op(I32x4Add).Set(c[0])
			f.Get(high).Get(c[0], c[1]).Op(I32x4LtU, I32x4Sub).Set(c[1])
			f.Get(stream[0]).Set(c[2]).Get(stream[1]).Set(c[3])
			f.Get(seed[0]).Set(key[0]).Get(seed[1]).Set(key[1])
			f.I32(10).Set(round)
			f.Loop(func(next Label) {
				for i := range 2 {
					f.Get(c[2*i], multiplier[i]).Op(I64x2ExtmulLowI32x4U).Set(even[i])
					f.Get(c[2*i], multiplier[i]).Op(I64x2ExtmulHighI32x4U).Set(odd[i])
					f.Get(even[i], odd[i]).Shuffle(words([4]int{1, 3, 5, 7})).Set(h[i])
					f.Get(even[i], odd[i]).Shuffle(words([4]int{0, 2, 4, 6})).Set(l[i])
				}
				f.Get(h[1], c[1]).Op(V128Xor).Get(key[0]).Op(V128Xor).Set(c[0])
				f.Get(h[0], c[3]).Op(V128Xor).Get(key[1]).Op(V128Xor).Set(c[2])
				f.Get(l[1]).Set(c[1]).Get(l[0]).Set(c[3])
				for i := range 2 {
					f.Get(key[i], weyl[i]).Op(I32x4Add).Set(key[i])
				}
				f.Get(round).I32(1).Op(I32Sub).Tee(round).BrIf(next)
			})
			for i := range 2 { // words i and i+2 of the blocks in turn
				f.Get(c[i], c[i+2]).Shuffle(words([4]int{0, 4, 1, 5})).Set(even[i])
				f.Get(c[i], c[i+2]).Shuffle(words([4]int{2, 6, 3, 7})).Set(odd[i])
			}
			for i := range 4 {
				half := even
				if i > 1 {
					half = odd
				}
				k := 2 * (i % 2)
				f.Get(dst).Get(half[0], half[1]).Shuffle(words([4]int{k, k + 4, k + 1, k + 5})).I32(8).Op(I32x4ShrU, F32x4ConvertI32x4S)
				f.Get(unit).Op(F32x4Mul).Get(scale).Op(F32x4Mul).Get(lo).Op(F32x4Add).Mem(V128Store, uint32(16*i))
			}
			f.Get(dst).I32(64).Op(I32Add).Set(dst)
			f.Get(low).I32(4).Op(I32Add).Tee(low).I32(4).Op(I32LtU).If(func() {
				f.Get(high).I32(1).Op(I32x4Splat, I32x4Add).Set(high)
			}, nil)
			f.Get(groups).I32(1).Op(I32Sub).Set(groups).Br(again)
		})
	})
}
