package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A step of attention: A = {y, lse, q, k, v, mask, lengths, key} or, backwards, {dq, dk, dv, dy, q, k, v, y, lse, mask, lengths, key}; N as the constants
// below say; F = {scale, softcap, rate of dropout}. Strides are in elements, so that heads are read where they lie.
const (
	stBatch, stHeads, stKVHeads, stQueries, stKeys, stSize, stValueSize = 0, 1, 2, 3, 4, 5, 6
	stFlags, stOffset, stMaskKeys                                       = 7, 8, 9
	stStrideQ, stStrideK, stStrideV, stStrideO                          = 10, 13, 16, 19 // of samples, heads, rows
	stStrideMask                                                        = 22             // of samples, heads, queries, keys
)

// Flags of a step.
const (
	attnCausal = 1 << iota
	attnBoolMask
	attnLengths32 // lengths have 4 bytes
	attnLengthOffset
)

var (
	kAttention     = prog.Kernel{Name: "Attention", Run: runAttention, Large: true}
	kAttentionGrad = prog.Kernel{Name: "AttentionGrad", Run: runAttentionGrad, Large: true}
)

// attnLowering gathers what the steps of one node need.
type attnLowering struct {
	attnShape
	q, k, v, y, lse, mask, lengths prog.Ref
	key                            prog.Ref // of dropout
	strideQ, strideK, strideV      [3]int
	strideO                        [3]int
	maskShape                      []int
	maskType, lengthType           tensor.DType
	hasPast                        bool
}

// attnStrides returns the strides of samples, heads and rows of an operand of attention.
func attnStrides(shape []int, heads int) [3]int {
	if len(shape) == 3 {
		return [3]int{shape[1] * shape[2], shape[2] / heads, shape[2]}
	}
	return [3]int{shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3]}
}

// step returns the step without its addresses; false when there is nothing for a kernel to do or numbers do not fit.
func (a *attnLowering) step(n *graph.Node, k *prog.Kernel) (st prog.Step, ok bool) {
	st = prog.Step{Kernel: k, Tiles: 1}
	for i := range st.A {
		st.A[i] = prog.None
	}
	flags := 0
	if n.Int("is_causal") != 0 {
		flags |= attnCausal
	}
	if a.lengths != prog.None && !a.hasPast {
		flags |= attnLengthOffset
	}
	if a.lengthType == tensor.Int32 {
		flags |= attnLengths32
	}
	nums := []int{a.batch, a.heads, a.kvHeads, a.queries, a.keys, a.size, a.valueSize, flags, a.past, a.keys}
	for _, s := range [][3]int{a.strideQ, a.strideK, a.strideV, a.strideO} {
		nums = append(nums, s[:]...)
	}
	if a.mask != prog.None {
		sh := append([]int{1, 1, 1, 1}[len(a.maskShape):], a.maskShape...)
		nums[stMaskKeys] = sh[3]
		if a.maskType == tensor.Bool {
			nums[stFlags] |= attnBoolMask
		}
		nums = append(nums, tensor.BroadcastStrides(sh, []int{a.batch, a.heads, a.queries, sh[3]})...)
	}
	for i, v := range nums {
		if v > math.MaxInt32 {
			return st, false
		}
		st.N[i] = int32(v)
	}
	st.F[0], st.F[1] = float32(attnScale(n, a.size)), n.Float("softcap")
	if a.key != prog.None {
		st.F[2] = n.Float("dropout")
	}
	return st, a.size > 0 && a.valueSize > 0
}

// empty reports that there are no results to compute.
func (a *attnLowering) empty() bool { return a.batch*a.heads*a.queries == 0 }

func lowerAttention(b graph.Builder, n *graph.Node) bool {
	a := &attnLowering{lse: prog.None, mask: optional(b, attnMask), lengths: optional(b, attnLength), key: prog.None}
	for i := range b.NumIn() {
		if d := b.InType(i); d != tensor.Float32 && d != tensor.Undefined && i != attnMask && i != attnLength {
			return false
		}
	}
	if b.NumOut() > attnScores && b.Out(attnScores) != prog.None {
		return false
	}
	past := optional(b, attnPastK) != prog.None
	var pastShape []int
	if past {
		pastShape = b.InShape(attnPastK)
	}
	kShape, vShape := b.InShape(attnK), b.InShape(attnV)
	a.attnShape = attnDims(n, b.InShape(attnQ), kShape, vShape, pastShape, failOf(n))
	a.q, a.k, a.v, a.hasPast = b.In(attnQ), b.In(attnK), b.In(attnV), past
	a.strideQ, a.strideK, a.strideV = attnStrides(b.InShape(attnQ), a.heads), attnStrides(kShape, a.kvHeads), attnStrides(vShape, a.kvHeads)
	for i, x := range []struct {
		ref    *prog.Ref
		stride *[3]int
		size   int
	}{{&a.k, &a.strideK, a.size}, {&a.v, &a.strideV, a.valueSize}} {
		if out := attnPresentK + i; past || out < b.NumOut() && b.Out(out) != prog.None {
			var ok bool
			if *x.ref, ok = a.emitPresent(b, i, x.size, *x.stride); !ok {
				return false
			}
			*x.stride = [3]int{a.kvHeads * a.keys * x.size, a.keys * x.size, x.size}
		}
	}
	a.strideO = attnStrides(a.out(), a.heads)
	a.limits(b, attnMask, attnLength)
	a.y = orScratch(b, attnY, tensor.Size(a.out()))
	if b.NumOut() > attnLSE {
		a.lse = b.Out(attnLSE)
	}
	return a.emit(b, n)
}

// emitPresent copies the past and the new keys (values under i = 1) into the output, or into scratch, and returns where.
func (a *attnLowering) emitPresent(b graph.Builder, i, size int, stride [3]int) (prog.Ref, bool) {
	total := a.kvHeads * a.keys * size
	dst := orScratch(b, attnPresentK+i, a.batch*total)
	fresh := a.keys - a.past
	ds := []int{total, a.keys * size, size, 1}
	if past := optional(b, attnPastK+i); past != prog.None {
		m := &move{dims: []int{a.batch, a.kvHeads, a.past, size}, ds: ds, ss: []int{a.kvHeads * a.past * size, a.past * size, size, 1}}
		if !emitMove(b, dst, past, tensor.Float32, m) {
			return dst, false
		}
	}
	m := &move{d0: a.past * size, dims: []int{a.batch, a.kvHeads, fresh, size}, ds: ds, ss: append(stride[:], 1)}
	return dst, emitMove(b, dst, b.In(attnK+i), tensor.Float32, m)
}

// emit appends the step of the forward pass.
func (a *attnLowering) emit(b graph.Builder, n *graph.Node) bool {
	st, ok := a.step(n, &kAttention)
	if !ok {
		return false
	}
	if a.empty() {
		return true
	}
	copy(st.A[:], []prog.Ref{a.y, a.lse, a.q, a.k, a.v, a.mask, a.lengths, a.key})
	var h simd.Attention
	attnHead(&h, &st)
	st.Worker = int32(4 * simd.AttentionScratch(&h, false))
	st.Tiles = attnTiles(b, a.flops(n.Int("is_causal") != 0), a.batch*a.heads*attnBlocks(a.queries))
	b.Emit(st)
	return true
}

func attnBlocks(queries int) int {
	return (queries + simd.AttentionBlock - 1) / simd.AttentionBlock
}

// attnTiles returns the tiles for that many floating-point operations over at most so many pieces.
func attnTiles(b graph.Builder, flops float64, most int) int32 {
	const tile = 1 << 20
	return int32(simd.EvenTiles(int(min(max(flops/tile, 1), 64, float64(most))), b.Threads()))
}

// attnHead sets the sizes of a head from the step.
func attnHead(h *simd.Attention, st *prog.Step) {
	*h = simd.Attention{
		Queries: int(st.N[stQueries]), Keys: int(st.N[stKeys]), D: int(st.N[stSize]), DV: int(st.N[stValueSize]),
		LDQ: int(st.N[stStrideQ+2]), LDK: int(st.N[stStrideK+2]), LDV: int(st.N[stStrideV+2]), LDO: int(st.N[stStrideO+2]),
		Scale: st.F[0], Cap: st.F[1], Causal: st.N[stFlags]&attnCausal != 0, Offset: int(st.N[stOffset]),
		MaskQ: int(st.N[stStrideMask+2]), MaskK: int(st.N[stStrideMask+3]), Drop: st.F[2], DropKeys: int(st.N[stKeys]),
	}
}

// attnKey sets the random numbers of head h of sample b, those of its probabilities in [batch, heads, queries, keys].
func attnKey(w *prog.Worker, st *prog.Step, a *simd.Attention, key prog.Ref, b, h int) {
	if a.Drop > 0 {
		k := w.I64(key, 2)
		a.Seed, a.Stream = uint64(k[0]), uint64(k[1])
		a.First = uint64(b*int(st.N[stHeads])+h) * uint64(a.Queries) * uint64(a.DropKeys)
	}
}

// attnRows returns the rows of head h of sample b of an operand: rows of n elements, the strides being those at the given place of the step.
func attnRows(w *prog.Worker, st *prog.Step, r prog.Ref, strides, b, h, rows, n int) []float32 {
	if rows == 0 || r == prog.None {
		return nil
	}
	at := b*int(st.N[strides]) + h*int(st.N[strides+1])
	return w.F32(r.Add(4*at), (rows-1)*int(st.N[strides+2])+n)
}

// attnLimits applies the mask and the length of sample b to head h of the queries.
func attnLimits(w *prog.Worker, st *prog.Step, a *simd.Attention, mask, lengths prog.Ref, b, h int) {
	flags := st.N[stFlags]
	if mask != prog.None {
		a.Keys = min(a.Keys, int(st.N[stMaskKeys]))
		if a.Keys == 0 || a.Queries == 0 {
			return
		}
		at := b*int(st.N[stStrideMask]) + h*int(st.N[stStrideMask+1])
		n := (a.Queries-1)*a.MaskQ + (a.Keys-1)*a.MaskK + 1
		if flags&attnBoolMask != 0 {
			a.Allowed = w.Bytes(mask.Add(at), n)
		} else {
			a.Mask = w.F32(mask.Add(4*at), n)
		}
	}
	if lengths != prog.None {
		batch, l := int(st.N[stBatch]), 0
		if flags&attnLengths32 != 0 {
			l = int(w.I32(lengths, batch)[b])
		} else {
			l = int(w.I64(lengths, batch)[b])
		}
		if flags&attnLengthOffset != 0 {
			a.Offset = l - a.Queries
		}
		a.Keys = min(max(l, 0), a.Keys)
	}
}

func runAttention(w *prog.Worker, st *prog.Step, tile int) {
	var a simd.Attention
	heads, share := int(st.N[stHeads]), int(st.N[stHeads]/st.N[stKVHeads])
	queries, keys, blocks := int(st.N[stQueries]), int(st.N[stKeys]), attnBlocks(int(st.N[stQueries]))
	scratch := w.ScratchF32(int(st.Worker) / 4)
	lo, hi := prog.Span(int(st.N[stBatch])*heads*blocks, 1, tile, int(st.Tiles))
	for i := lo; i < hi; i++ {
		b, h := i/blocks/heads, i/blocks%heads
		attnHead(&a, st)
		a.O = attnRows(w, st, st.A[0], stStrideO, b, h, queries, a.DV)
		if st.A[1] != prog.None {
			a.LSE = w.F32(st.A[1].Add(4*(b*heads+h)*queries), queries)
		}
		a.Q = attnRows(w, st, st.A[2], stStrideQ, b, h, queries, a.D)
		a.K = attnRows(w, st, st.A[3], stStrideK, b, h/share, keys, a.D)
		a.V = attnRows(w, st, st.A[4], stStrideV, b, h/share, keys, a.DV)
		attnLimits(w, st, &a, st.A[5], st.A[6], b, h)
		attnKey(w, st, &a, st.A[7], b, h)
		simd.AttentionForward(&a, i%blocks, scratch)
	}
}

func lowerAttentionGrad(b graph.Builder, n *graph.Node) bool {
	for i := range b.NumIn() {
		if d := b.InType(i); d != tensor.Float32 && d != tensor.Undefined && i != agMask && i != agLength {
			return false
		}
	}
	a := &attnLowering{mask: optional(b, agMask), lengths: optional(b, agLength), key: optional(b, agKey)}
	a.attnShape = attnDims(n, b.InShape(agQ), b.InShape(agK), b.InShape(agV), nil, failOf(n))
	a.q, a.k, a.v, a.y, a.lse = b.In(agQ), b.In(agK), b.In(agV), b.In(agY), b.In(agLSE)
	a.strideQ, a.strideK = attnStrides(b.InShape(agQ), a.heads), attnStrides(b.InShape(agK), a.kvHeads)
	a.strideV, a.strideO = attnStrides(b.InShape(agV), a.kvHeads), attnStrides(a.out(), a.heads)
	a.limits(b, agMask, agLength)
	var to [3]prog.Ref
	for i := range to {
		to[i] = orScratch(b, i, tensor.Size(b.InShape(agQ+i)))
	}
	return a.emitGrad(b, n, to, b.In(agDY))
}

// limits notes the mask and the lengths, which are the given inputs.
func (a *attnLowering) limits(b graph.Builder, mask, lengths int) {
	if a.mask != prog.None {
		a.maskShape, a.maskType = b.InShape(mask), b.InType(mask)
	}
	if a.lengths != prog.None {
		a.lengthType = b.InType(lengths)
	}
}

// emitGrad appends the step of the backward pass: a piece is a sample's head of keys and values with all queries that read it.
func (a *attnLowering) emitGrad(b graph.Builder, n *graph.Node, to [3]prog.Ref, dy prog.Ref) bool {
	st, ok := a.step(n, &kAttentionGrad)
	if !ok {
		return false
	}
	if a.batch*a.heads == 0 || a.queries == 0 && a.keys == 0 {
		return true
	}
	copy(st.A[:], []prog.Ref{to[0], to[1], to[2], dy, a.q, a.k, a.v, a.y, a.lse, a.mask, a.lengths, a.key})
	var h simd.Attention
	attnHead(&h, &st)
	st.Worker = int32(4 * simd.AttentionScratch(&h, true))
	st.Tiles = attnTiles(b, 2.5*a.flops(n.Int("is_causal") != 0), a.batch*a.kvHeads)
	b.Emit(st)
	return true
}

func runAttentionGrad(w *prog.Worker, st *prog.Step, tile int) {
	var a simd.Attention
	heads, kvHeads := int(st.N[stHeads]), int(st.N[stKVHeads])
	queries, keys := int(st.N[stQueries]), int(st.N[stKeys])
	scratch := w.ScratchF32(int(st.Worker) / 4)
	lo, hi := prog.Span(int(st.N[stBatch])*kvHeads, 1, tile, int(st.Tiles))
	for i := lo; i < hi; i++ {
		b, g := i/kvHeads, i%kvHeads
		for h := g * heads / kvHeads; h < (g+1)*heads/kvHeads; h++ {
			attnHead(&a, st)
			a.GQ = attnRows(w, st, st.A[0], stStrideQ, b, h, queries, a.D)
			a.GK = attnRows(w, st, st.A[1], stStrideK, b, g, keys, a.D)
			a.GV = attnRows(w, st, st.A[2], stStrideV, b, g, keys, a.DV)
			a.GO = attnRows(w, st, st.A[3], stStrideO, b, h, queries, a.DV)
			a.Q = attnRows(w, st, st.A[4], stStrideQ, b, h, queries, a.D)
			a.K = attnRows(w, st, st.A[5], stStrideK, b, g, keys, a.D)
			a.V = attnRows(w, st, st.A[6], stStrideV, b, g, keys, a.DV)
			a.O = attnRows(w, st, st.A[7], stStrideO, b, h, queries, a.DV)
			a.LSE = w.F32(st.A[8].Add(4*(b*heads+h)*queries), queries)
			if h == g*heads/kvHeads {
				for r := range keys {
					clear(a.GK[r*a.LDK:][:a.D])
					clear(a.GV[r*a.LDV:][:a.DV])
				}
			}
			attnLimits(w, st, &a, st.A[9], st.A[10], b, h)
			attnKey(w, st, &a, st.A[11], b, h)
			simd.AttentionBackward(&a, scratch)
		}
	}
}
