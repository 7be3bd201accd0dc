package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// lowerRef emits a step that runs the operator's reference evaluation. It allocates; operators that matter have kernels.
func (l *lowering) lowerRef() {
	m := l.m
	r := &refStep{n: l.o.n, act: l.nd.actN, in: make([]refArg, len(l.o.in)), out: make([]refArg, len(l.o.out))}
	for i, v := range l.o.in {
		if v < 0 {
			continue
		}
		r.in[i] = refArg{used: true, typ: m.types[v], at: -1}
		// An operand of which only the shape counts may have no memory: zeros stand in for it.
		if m.reads(l.nd, l.o, i) {
			r.in[i].at = r.add(m.ref(v))
		}
	}
	for i, v := range l.o.out {
		if v >= 0 && m.need[v] {
			r.out[i] = refArg{used: true, typ: m.types[v], at: r.add(m.ref(v))}
		}
	}
	s := prog.Step{Kernel: &prog.Kernel{Name: "Ref", Run: r.run}, Tiles: 1}
	for i := range s.A {
		s.A[i] = prog.None
	}
	// More operands than a step holds go to the data region, as eight-byte addresses.
	r.table = m.reserve(8 * len(r.refs))
	tab := tensor.Cast[uint64](m.b.data[r.table:])
	for i, a := range r.refs {
		tab[i] = uint64(a)
		m.fixes = append(m.fixes, r.table+8*i)
	}
	l.Emit(s)
}

type refStep struct {
	n       *graph.Node
	act     *graph.Node // an activation that was fused into the node
	in, out []refArg
	refs    []prog.Ref
	table   int
}

type refArg struct {
	used bool
	typ  graph.Type
	at   int // index of its address
}

func (r *refStep) add(a prog.Ref) int {
	r.refs = append(r.refs, a)
	return len(r.refs) - 1
}

func (r *refStep) run(w *prog.Worker, s *prog.Step, tile int) {
	tab := w.U64(prog.At(regBound, r.table), len(r.refs))
	in := make([]*tensor.Tensor, len(r.in))
	for i, a := range r.in {
		switch {
		case !a.used:
		case a.at < 0:
			in[i] = tensor.New(a.typ.DType, a.typ.Shape...)
		default:
			in[i] = tensor.Wrap(a.typ.DType, a.typ.Shape, w.Bytes(prog.Ref(tab[a.at]), a.typ.DType.Bytes(tensor.Size(a.typ.Shape))))
		}
	}
	st := w.U64(prog.At(regRand, 0), 2)
	res := r.n.Eval(in, &graph.RandState{Seed: st[0], Step: st[1]})
	if r.act != nil {
		res[0] = r.act.Eval(res[:1:1], nil)[0]
	}
	for i, a := range r.out {
		if !a.used {
			continue
		}
		if i >= len(res) || res[i] == nil {
			tensor.Fail(r.n.Describe(), "its evaluation gave no output ", i)
		}
		dst := tensor.Wrap(a.typ.DType, a.typ.Shape, w.Bytes(prog.Ref(tab[a.at]), a.typ.DType.Bytes(tensor.Size(a.typ.Shape))))
		tensor.CopyTo(dst, res[i].Contiguous())
	}
}
