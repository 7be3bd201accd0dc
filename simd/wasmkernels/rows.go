package wasmkernels

import (
	"maps"
	"slices"

	"github.com/weft-ml/weft/simd/internal/vecir"
	. "github.com/weft-ml/weft/simd/wasmasm"
)

// Offsets of what simd's rowArgs has after vecArgs.
const (
	rowRows   = 120
	rowIn     = 128
	rowOut    = 160
	rowBefore = 176
	rowStat   = 192
	rowLanes  = 208
)

// columns emits the loops of a reduction of at least 4 columns: blocks of columns from the left, each from the top. The last columns,
// fewer than 4, are reduced with those before them once more.
func (l *vec) columns() {
	runs, bytes, count := l.load(argRuns), l.load(argStride), l.Local(I32, "")
	l.Get(bytes).I32(2).Op(I32Shl).Set(bytes)
	identity := l.constant(l.k.Identity)
	top := make([]Local, l.k.Ins)
	for i := range top {
		top[i] = l.Local(I32, "")
	}
	lists := make([]Local, l.k.Lists)
	for i := range lists {
		lists[i] = l.Local(I32, "")
	}
	accs := make([][]Local, l.k.Unroll)
	for u := range accs {
		for range l.k.Outs {
			accs[u] = append(accs[u], l.Local(V128, ""))
		}
	}
	block := func(n int) {
		for _, acc := range accs[:n] {
			for _, v := range acc {
				l.Get(identity).Set(v)
			}
		}
		for i, p := range top {
			l.Get(l.in[i]).Set(p)
		}
		for i, p := range lists {
			l.Get(l.args).Mem(I32Load, uint32(argIn+16+8*i)).Set(p)
		}
		l.Get(runs).Set(count)
		l.Loop(func(again Label) {
			for i, p := range lists {
				l.Get(p).Mem(V128Load32Splat, 0).Set(l.params[uint32(i)])
				l.Get(p).I32(4).Op(I32Add).Set(p)
			}
			for u, acc := range accs[:n] {
				a := l.whole(u)
				a.acc, a.more = acc[0], acc[1:]
				l.body(a)
			}
			for _, p := range l.in {
				l.Get(p, bytes).Op(I32Add).Set(p)
			}
			l.Get(count).I32(1).Op(I32Sub).Tee(count).BrIf(again)
		})
		for i, p := range top {
			l.Get(p).Set(l.in[i])
		}
		for u := range n {
			for i, acc := range accs[u] {
				l.Get(l.out[i], acc).Mem(V128Store, uint32(16*u))
			}
		}
	}
	for _, n := range []int{len(accs), 1} {
		l.Block(func(done Label) {
			l.Loop(func(again Label) {
				l.Get(l.left).I32(int32(4 * n)).Op(I32LtU).BrIf(done)
				block(n)
				l.advance(n)
				l.Get(l.left).I32(int32(4 * n)).Op(I32Sub).Set(l.left).Br(again)
			})
		})
	}
	l.Get(l.left).If(func() {
		for _, p := range append(append([]Local{}, l.in...), l.out...) {
			l.Get(p).Get(l.left).I32(4).Op(I32Sub).I32(2).Op(I32Shl, I32Add).Set(p)
		}
		block(1)
	}, nil)
}

// addRows adds the kernels of whole rows: a loop over the rows around calls of the functions of the passes, which other kernels
// may share.
func (b *builder) addRows(p parts, same map[string]*Func) {
	for _, k := range vecir.RowKernels() {
		var passes []*Func
		for i := range k.Passes {
			loop := k.Passes[i].Kernel
			loop.Ins, loop.Outs = loop.Operands()
			key := meaning(&loop)
			f := same[key]
			if f == nil {
				f = b.m.Func(k.Name+"_pass", kernelType)
				same[key] = f
				l := &vec{Func: f, relaxed: b.variant.Relaxed, k: &loop, args: f.Param(0), parts: p}
				l.function()
			}
			passes = append(passes, f)
		}
		f, args := b.kernel(k.Name)
		l := &vec{Func: f, relaxed: b.variant.Relaxed, k: &vecir.Kernel{}, args: args, parts: p, consts: map[uint32]Local{}, params: map[uint32]Local{}}
		l.rows(k, passes)
	}
}

func (l *vec) rows(k *vecir.RowKernel, passes []*Func) {
	rows, n := l.load(rowRows), l.load(argN)
	bytes := l.Local(I32, "")
	l.Get(n).I32(2).Op(I32Shl).Set(bytes)
	l.Get(l.args).I32(1).Mem(I32Store, argRuns)
	l.Get(l.args).Get(l.args).I32(rowLanes).Op(I32Add).Mem(I32Store, argOut+8)
	var lists []Local
	for i := range k.Before {
		lists = append(lists, l.load(rowBefore+8*i))
	}
	acc := l.Local(V128, "")
	type pointer struct {
		v  Local
		at uint32
	}
	var moving []pointer
	for i := range k.Ins {
		v := l.load(rowIn + 8*i)
		l.Get(l.args, v).Mem(I32Store, uint32(argIn+8*i))
		if k.Shared>>i&1 == 0 {
			moving = append(moving, pointer{v, uint32(argIn + 8*i)})
		}
	}
	for i := range k.Outs {
		v := l.load(rowOut + 8*i)
		l.Get(l.args, v).Mem(I32Store, uint32(argOut+8*i))
		moving = append(moving, pointer{v, uint32(argOut + 8*i)})
	}
	l.Loop(func(again Label) {
		for i, p := range k.Before {
			l.Get(l.args).Get(lists[i]).Mem(F32Load, 0).Mem(F32Store, uint32(argP+4*p))
			l.Get(lists[i]).I32(4).Op(I32Add).Set(lists[i])
		}
		for i, f := range passes {
			l.Get(l.args).Call(f)
			after := k.Passes[i].After()
			if len(after.Nodes) == 0 {
				continue
			}
			l.Get(l.args).Mem(V128Load32Splat, argResult).Set(acc)
			for _, p := range slices.Sorted(maps.Keys(after.Params)) {
				v := l.Local(V128, "")
				l.Get(l.args).Mem(V128Load32Splat, argP+4*p).Set(v)
				l.params[p] = v
			}
			l.bodyOf(after, access{acc: acc})
		}
		for _, p := range moving {
			l.Get(l.args).Get(p.v, bytes).Op(I32Add).Tee(p.v).Mem(I32Store, p.at)
		}
		l.Get(rows).I32(1).Op(I32Sub).Tee(rows).BrIf(again)
	})
}
