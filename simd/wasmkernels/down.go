package wasmkernels

import . "github.com/weft-ml/weft/simd/wasmasm"

// down emits the loops of a kernel that goes down columns, a vector of them at a time.
func (l *vec) down() {
	acc := l.Local(V128, "")
	bytes, rows, left := l.load(argStride), l.load(argRuns), l.Local(I32, "")
	l.Get(bytes).I32(2).Op(I32Shl).Set(bytes)
	in, out := l.Local(I32, ""), l.Local(I32, "")
	l.Get(l.left).If(func() {
		l.Loop(func(column Label) {
			l.Get(l.in[1]).Mem(V128Load, 0).Set(acc)
			l.Get(l.in[0]).Set(in)
			l.Get(l.out[0]).Set(out)
			l.Get(rows).Set(left)
			l.Loop(func(row Label) {
				l.body(access{
					load: func(i int) {
						if i == 0 {
							l.Get(in)
						} else {
							l.Get(l.in[i])
						}
						l.Mem(V128Load, 0)
					},
					store: func(_ int, value func()) { l.Get(out); value(); l.Mem(V128Store, 0) },
					acc:   acc,
				})
				l.Get(in, bytes).Op(I32Add).Set(in)
				l.Get(out, bytes).Op(I32Add).Set(out)
				l.Get(left).I32(1).Op(I32Sub).Tee(left).BrIf(row)
			})
			l.Get(l.out[1], acc).Mem(V128Store, 0)
			l.advance(1)
			l.Get(l.left).I32(4).Op(I32Sub).Tee(l.left).BrIf(column)
		})
	}, nil)
}
