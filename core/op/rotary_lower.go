package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// A step of rotary embedding: A = {y, x, cos, sin, positions}; N = {rows (of all samples), sequence, heads, heads that are turned, size, pairs, flags, positions' bytes, rows of
// the tables, strides of samples, sequence and heads}.
var kRotary = prog.Kernel{Name: "RotaryEmbedding", Run: runRotary}

const (
	rotaryInterleaved = 1 << iota
	rotaryOneTable    // the same rows for all samples
)

func lowerRotary(b graph.Builder, n *graph.Node) bool {
	x := b.InShape(0)
	heads := n.Int("num_heads")
	if len(x) == 4 {
		heads = x[1]
	}
	return emitRotary(b, n, heads, heads)
}

func lowerRotaryHeads(b graph.Builder, n *graph.Node) bool {
	return emitRotary(b, n, n.Int("num_heads"), n.Int("turned"))
}

func emitRotary(b graph.Builder, n *graph.Node, heads, turned int) bool {
	for i := range 3 {
		if b.InType(i) != tensor.Float32 {
			return false
		}
	}
	x, table := b.InShape(0), b.InShape(1)
	total := tensor.Size(x)
	if total >= 1<<31 || !tensor.SameShape(table, b.InShape(2)) {
		return false
	}
	size, dim := rotarySize(n, x, failOf(n))
	batch, seq, strides := x[0], x[1], []int{x[1] * x[2], x[2], size}
	if len(x) == 4 {
		seq = x[2]
		strides = []int{x[1] * x[2] * x[3], x[3], x[2] * x[3]}
	}
	flags, width := 0, 0
	positions := optional(b, 3)
	switch {
	case positions != prog.None:
		if !tensor.SameShape(b.InShape(3), []int{batch, seq}) {
			return false
		}
		width = b.InType(3).Bits() / 8
	case tensor.SameShape(table, []int{1, seq, dim / 2}):
		flags |= rotaryOneTable
	case !tensor.SameShape(table, []int{batch, seq, dim / 2}):
		return false
	}
	if n.Int("interleaved") != 0 {
		flags |= rotaryInterleaved
	}
	if total == 0 {
		return true
	}
	st := prog.Step{Kernel: &kRotary, Tiles: min(elemTiles(total), int32(batch*seq))}
	for i := range st.A {
		st.A[i] = prog.None
	}
	st.A[0], st.A[1], st.A[2], st.A[3], st.A[4] = b.Out(0), b.In(0), b.In(1), b.In(2), positions
	for i, v := range append([]int{batch * seq, seq, heads, turned, size, dim / 2, flags, width, tensor.Size(table) / max(dim/2, 1)}, strides...) {
		st.N[i] = int32(v)
	}
	b.Emit(st)
	return true
}

func runRotary(w *prog.Worker, st *prog.Step, tile int) {
	rows, seq, heads, turned := int(st.N[0]), int(st.N[1]), int(st.N[2]), int(st.N[3])
	size, pairs, flags, width, table := int(st.N[4]), int(st.N[5]), st.N[6], int(st.N[7]), int(st.N[8])
	total := rows * heads * size
	y, x := w.F32(st.A[0], total), w.F32(st.A[1], total)
	cosines, sines := w.F32(st.A[2], table*pairs), w.F32(st.A[3], table*pairs)
	lo, hi := prog.Span(rows, 1, tile, int(st.Tiles))
	for r := lo; r < hi; r++ {
		p := r
		switch {
		case st.A[4] != prog.None:
			p = indexAt(w, st.A[4], width, rows, r, table, "RotaryEmbedding")
		case flags&rotaryOneTable != 0:
			p = r % seq
		}
		cos, sin := cosines[p*pairs:][:pairs], sines[p*pairs:][:pairs]
		at := r/seq*int(st.N[9]) + r%seq*int(st.N[10])
		for h := range heads {
			from, to := x[at+h*int(st.N[11]):][:size], y[at+h*int(st.N[11]):][:size]
			if h >= turned {
				copy(to, from)
				continue
			}
			if flags&rotaryInterleaved != 0 {
				for i, c := range cos {
					a, b, s := from[2*i], from[2*i+1], sin[i]
					to[2*i] = float32(a*c) - float32(b*s)
					to[2*i+1] = float32(a*s) + float32(b*c)
				}
			} else {
				turnHalves(to, from, cos, sin)
			}
			copy(to[2*pairs:], from[2*pairs:])
		}
	}
}

// turnHalves turns the pairs of elements i and i+len(cos).
func turnHalves(to, from, cos, sin []float32) {
	n := len(cos)
	a, b, ya, yb := from[:n], from[n:][:n], to[:n], to[n:][:n]
	sin = sin[:n]
	for i, c := range cos {
		s := sin[i]
		p, q := a[i], b[i]
		ya[i] = float32(p*c) - float32(q*s)
		yb[i] = float32(p*s) + float32(q*c)
	}
}
