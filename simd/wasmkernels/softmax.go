package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// Offsets of simd's softmaxArgs, which starts with a vecArgs for the kernels that every row goes through.
const (
	softRows, softN, softX, softDst = 120, 128, 136, 144
	softLoss, softLabels, softWide  = 152, 160, 168
	softIgnore, softScale, softLog  = 176, 184, 188
	softLanes                       = 192
)

// addSoftmax adds softmaxRows: the softmax, its logarithm or the cross-entropy of rows of logits (see simd's Softmax, LogSoftmax and
// CrossEntropy), one call for all rows. A row of few classes takes less time than a call from Go.
func (b *builder) addSoftmax() {
	f, args := b.kernel("softmaxRows")
	byName := map[string]*Func{}
	for i, name := range b.names {
		byName[name] = b.kernels[i]
	}
	word := func(off int) Local {
		v := f.Local(I32, "")
		f.Get(args).Mem(I32Load, uint32(off)).Set(v)
		return v
	}
	rows, n, x, dst := word(softRows), word(softN), word(softX), word(softDst)
	loss, labels, wide, log := word(softLoss), word(softLabels), word(softWide), word(softLog)
	label, at := f.Local(I64, ""), f.Local(I32, "")
	most, sum, picked := f.Local(F32, ""), f.Local(F32, ""), f.Local(F32, "")
	call := func(name string, in, out func()) {
		f.Get(args)
		in()
		f.Mem(I32Store, argIn).Get(args)
		out()
		f.Mem(I32Store, argOut).Get(args).Call(byName[name])
	}
	get := func(v Local) func() { return func() { f.Get(v) } }
	result := func() { f.Get(args).I32(argResult).Op(I32Add) }
	set := func(i int, v Local) { f.Get(args, v).Mem(F32Store, uint32(argP+4*i)) }
	elements := func(count func()) {
		f.Get(args)
		count()
		f.Mem(I32Store, argN)
	}
	bytes := f.Local(I32, "")
	f.Get(n).I32(2).Op(I32Shl).Set(bytes)
	f.Get(args).I32(1).Mem(I32Store, argRuns)
	f.Get(args).Get(args).I32(softLanes).Op(I32Add).Mem(I32Store, argOut+8)

	row := func(next Label) {
		f.Get(labels).If(func() {
			f.Get(wide).If(func() {
				f.Get(labels).Mem(I64Load, 0).Set(label)
			}, func() {
				f.Get(labels).Mem(I64Load32S, 0).Set(label)
			})
			f.Get(label).Get(args).Mem(I64Load, softIgnore).Op(I64Eq).If(func() {
				f.Get(loss).F32(0).Mem(F32Store, 0)
				f.Get(dst).If(func() { f.Get(dst).I32(0).Get(bytes).MemoryFill() }, nil)
				f.Br(next)
			}, nil)
		}, nil)
		elements(get(n))
		call("vecReduceReduceMax", get(x), get(dst))
		f.Get(args).Mem(F32Load, argResult).Set(most)
		set(0, most)
		f.Get(labels).If(func() {
			f.Get(x).Get(label).Op(I32WrapI64).I32(2).Op(I32Shl, I32Add).Mem(F32Load, 0).Get(most).Op(F32Sub).Set(picked)
		}, nil)
		f.Get(dst).Op(I32Eqz).Get(log).Op(I32Or).If(func() {
			call("vecExpSumOnly", get(x), get(dst))
		}, func() {
			call("vecExpSum", get(x), get(dst))
		})
		f.Get(args).Mem(F32Load, argResult).Set(sum)
		f.Get(labels, log).Op(I32Or).If(func() { // the logarithm of the sum replaces it in the arguments
			elements(func() { f.I32(1) })
			call("vecMapLog", result, result)
			elements(get(n))
		}, nil)
		f.Get(log).If(func() {
			f.Get(args).Get(args).Mem(F32Load, argResult).Mem(F32Store, argP+4)
			call("vecSub2", get(x), get(dst))
			f.Br(next)
		}, nil)
		f.Get(labels).If(func() {
			f.Get(loss).Get(args).Mem(F32Load, argResult).Get(picked).Op(F32Sub).Mem(F32Store, 0)
		}, nil)
		f.Get(dst).If(func() {
			f.Get(args).Get(args).Mem(F32Load, softScale).Get(sum).Op(F32Div).Mem(F32Store, argP)
			call("vecMapMulC", get(dst), get(dst))
			f.Get(labels).If(func() {
				f.Get(dst).Get(label).Op(I32WrapI64).I32(2).Op(I32Shl, I32Add).Tee(at)
				f.Get(at).Mem(F32Load, 0).Get(args).Mem(F32Load, softScale).Op(F32Sub).Mem(F32Store, 0)
			}, nil)
		}, nil)
	}
	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			f.Get(rows).Op(I32Eqz).BrIf(exit)
			f.Block(row)
			f.Get(x, bytes).Op(I32Add).Set(x)
			f.Get(dst).If(func() { f.Get(dst, bytes).Op(I32Add).Set(dst) }, nil)
			f.Get(loss).I32(4).Op(I32Add).Set(loss)
			f.Get(labels).If(func() {
				f.Get(labels).I32(4).Get(wide).Op(I32Shl, I32Add).Set(labels)
			}, nil)
			f.Get(rows).I32(1).Op(I32Sub).Set(rows).Br(again)
		})
	})
}
