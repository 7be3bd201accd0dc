package wasmkernels

import (
	"strconv"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// The matrix kernels read their arguments from structs of package simd as Go lays them out for wasm: an int or a pointer
// takes 8 bytes, of which the low 4 matter here, and a float32 takes 4.

// mat emits the matrix products and convolutions of one variant.
//
// V8 has 15 usable vector registers on x86. Fused, 6 rows by 2 vectors take 12 accumulators, 2 vectors of the second operand and one
// broadcast of the first. Unfused the product needs a register too, and 4 rows leave room for the loads ahead.
type mat struct {
	*builder
	rows        int   // of the tallest tile: rows of C or output channels
	load, store *Func // of the first n lanes of a vector
}

// matRows is the most rows of a tile of any variant.
const matRows = 6

// matCols returns how many vectors wide the tiles of that many rows are: as many as registers allow, since each
// accumulator has only one addition in flight. Unfused, 3 by 3 is one too many.
func (t *mat) matCols(rows int) int {
	if !t.variant.Relaxed {
		return [...]int{1: 4, 2: 4, 3: 2, 4: 2}[rows]
	}
	return [...]int{1: 4, 2: 4, 3: 3, 4: 2, 5: 2, 6: 2}[rows]
}

func addMat(b *builder) {
	t := &mat{builder: b, rows: 4}
	if b.variant.Relaxed {
		t.rows = matRows
	}
	t.load, t.store = addLoadLanes(b.m), addStoreLanes(b.m)
	t.addSweep()
	t.addStream()
	t.addDots()
	t.addPackRows()
	t.addCopyBlock()
	t.addSegment()
	t.addLast()
	t.addPlane()
	t.addColumns()
	t.addGradJob()
}

// numbered returns n locals name0, name1, ...
func numbered(f *Func, t ValType, name string, n int) []Local {
	ls := make([]Local, n)
	for i := range ls {
		ls[i] = f.Local(t, name+strconv.Itoa(i))
	}
	return ls
}

// accumulators returns rows x cols vectors.
func accumulators(f *Func, rows, cols int) [][]Local {
	acc := make([][]Local, rows)
	for r := range acc {
		acc[r] = numbered(f, V128, "c"+strconv.Itoa(r), cols)
	}
	return acc
}

// field gives a local the word at an offset of a struct.
func field(f *Func, args Local, offset uint32, dst Local) {
	f.Get(args).Mem(I32Load, offset).Set(dst)
}

// add emits v += n.
func add(f *Func, v Local, n int32) { f.Get(v).I32(n).Op(I32Add).Set(v) }

// addTo emits v += by.
func addTo(f *Func, v, by Local) { f.Get(v, by).Op(I32Add).Set(v) }

// while emits a loop that runs as long as cond, which it pushes, is not zero.
func while(f *Func, cond, body func()) {
	f.Block(func(exit Label) {
		f.Loop(func(again Label) {
			cond()
			f.Op(I32Eqz).BrIf(exit)
			body()
			f.Br(again)
		})
	})
}

// countDown emits while n >= step { body; n -= step }, as a loop that tests at its end.
func countDown(f *Func, n Local, step int32, body func()) {
	f.Get(n).I32(step).Op(I32GeS).If(func() {
		f.Loop(func(again Label) {
			body()
			f.Get(n).I32(step).Op(I32Sub).Tee(n).I32(step).Op(I32GeS).BrIf(again)
		})
	}, nil)
}

// steps emits a loop over left, at least 1, steps of a tile: step(u) emits the one that is u after the pointers, advance moves these on by n
// steps. Fused, two of them are one turn. Unfused, a tile fills the registers, and V8's older compiler (Node 20) moves all loads of a loop's body before its
// arithmetic: with two steps a turn it spills accumulators, which costs a third of the speed. It spills counters too, so the loop ends where one of the
// pointers, p, does; stride pushes how far that moves in a step.
func (t *mat) steps(f *Func, left, p Local, stride func(), step func(u int), advance func(n int32)) {
	if t.variant.Relaxed {
		countDown(f, left, 2, func() { step(0); step(1); advance(2) })
		f.Get(left).If(func() { step(0); advance(1) }, nil)
		return
	}
	f.Get(p, left)
	stride()
	f.Op(I32Mul, I32Add).Set(left)
	f.Loop(func(again Label) {
		step(0)
		advance(1)
		f.Get(p, left).Op(I32Ne).BrIf(again)
	})
}

// zero clears accumulators, and hold: the constant takes 18 bytes of code.
func zero(f *Func, acc [][]Local, hold Local) {
	f.V128([16]byte{}).Set(hold)
	each(acc, func(r, c int, v Local) { f.Get(hold).Set(v) })
}

// each visits accumulators.
func each(acc [][]Local, visit func(r, c int, v Local)) {
	for r := range acc {
		for c, v := range acc[r] {
			visit(r, c, v)
		}
	}
}

// products emits acc[r][c] += a(r)*b[c] for all of a tile, where a pushes a broadcast.
func (t *mat) products(f *Func, acc [][]Local, a func(r int), b []Local, hold Local) {
	for r := range acc {
		a(r)
		f.Set(hold)
		for c, v := range acc[r] {
			t.multiplyAdd(f, hold, b[c], v)
		}
	}
}

// multiplyAdd emits acc = a*b + acc.
func (t *mat) multiplyAdd(f *Func, a, b, acc Local) {
	if t.variant.Relaxed {
		f.Get(a, b, acc).Op(F32x4RelaxedMadd).Set(acc)
		return
	}
	f.Get(acc, a, b).Op(F32x4Mul, F32x4Add).Set(acc)
}

// clamp emits v = lo > v ? lo : v for all of a tile if lo is more than -Inf, then v = hi < v ? hi : v if hi is less than
// +Inf; lo and hi are words at offsets of a struct. NaN and -0 stay.
func clamp(f *Func, acc [][]Local, args Local, lo, hi uint32, bound Local) {
	for _, e := range []struct {
		at      uint32
		nothing float32
		op      Op
	}{{lo, float32(-inf), F32x4Pmax}, {hi, float32(inf), F32x4Pmin}} {
		f.Get(args).Mem(F32Load, e.at).F32(e.nothing).Op(F32Ne).If(func() {
			f.Get(args).Mem(V128Load32Splat, e.at).Set(bound)
			each(acc, func(r, c int, v Local) { f.Get(v, bound).Op(e.op).Set(v) })
		}, nil)
	}
}

// addLoadLanes adds load_lanes(p, n): the first n, 1 to 4, floats at p, and zeros. It reads nothing else.
func addLoadLanes(m *Module) *Func {
	f := m.Func("load_lanes", Sig(I32, I32)(V128))
	p, n := f.Param(0, "p"), f.Param(1, "n")
	f.Get(n).I32(4).Op(I32Eq).If(func() { f.Get(p).Mem(V128Load, 0).Return() }, nil)
	f.Get(n).I32(1).Op(I32Eq).If(func() { f.Get(p).Mem(V128Load32Zero, 0).Return() }, nil)
	f.Get(n).I32(2).Op(I32Eq).If(func() { f.Get(p).Mem(V128Load64Zero, 0).Return() }, nil)
	f.Get(p, p).Mem(V128Load64Zero, 0).MemLane(V128Load32Lane, 8, 2)
	return f
}

// addStoreLanes adds store_lanes(p, n, v), which stores the first n lanes, 1 to 4, at p.
func addStoreLanes(m *Module) *Func {
	f := m.Func("store_lanes", Sig(I32, I32, V128)())
	p, n, v := f.Param(0, "p"), f.Param(1, "n"), f.Param(2, "v")
	f.Get(n).I32(4).Op(I32Eq).If(func() { f.Get(p, v).Mem(V128Store, 0).Return() }, nil)
	f.Get(n).I32(1).Op(I32Eq).If(func() { f.Get(p, v).MemLane(V128Store32Lane, 0, 0).Return() }, nil)
	f.Get(p, v).MemLane(V128Store64Lane, 0, 0)
	f.Get(n).I32(3).Op(I32Eq).If(func() { f.Get(p, v).MemLane(V128Store32Lane, 8, 2) }, nil)
	return f
}
