package gowasm

import (
	"go/constant"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// operands returns the parts of a value that is not computed where it is used.
func (g *function) operands(v ssa.Value) []operand {
	if ops, ok := g.vals[v]; ok {
		return ops
	}
	if k := g.known(v); k != nil {
		if _, isConst := v.(*ssa.Const); !isConst {
			return []operand{{typ: scalarPart(v.Type()).typ, konst: k}}
		}
	}
	switch v := v.(type) {
	case *ssa.Const:
		if _, ok := v.Type().Underlying().(*types.Signature); ok {
			return nil
		}
		ps := parts(v.Type())
		ops := make([]operand, len(ps))
		for i, p := range ps {
			ops[i] = operand{typ: p.typ}
		}
		if v.Value != nil {
			if v.Value.Kind() == constant.String {
				str := constant.StringVal(v.Value)
				at := g.c.addStatic([]byte(str))
				return []operand{{typ: wasmasm.I32, konst: constInt(int64(at)), static: true}, intOperand(int64(len(str)))}
			}
			if len(ps) != 1 {
				fail("a constant of type %s", v.Type())
			}
			ops[0].konst = v.Value
		}
		return ops
	case *ssa.Function:
		return nil
	case *ssa.Global:
		return nil
	}
	fail("the value %s (%T) is used before it is computed", v, v)
	return nil
}

// pushOperand pushes one part.
func (g *function) pushOperand(o operand) {
	if o.isLoc {
		g.f.Get(o.local)
		return
	}
	k := o.konst
	if o.static {
		g.f.GetGlobal(g.c.Data).I32(int32(intValue(k))).Op(wasmasm.I32Add)
		return
	}
	if k == nil {
		k = constant.MakeInt64(0)
	}
	if k.Kind() == constant.Bool {
		n := int64(0)
		if constant.BoolVal(k) {
			n = 1
		}
		k = constant.MakeInt64(n)
	}
	switch o.typ {
	case wasmasm.I32:
		g.f.I32(int32(intValue(k)))
	case wasmasm.I64:
		g.f.I64(intValue(k))
	case wasmasm.F32:
		x, _ := constant.Float32Val(constant.ToFloat(k))
		g.f.F32(x)
	case wasmasm.F64:
		x, _ := constant.Float64Val(constant.ToFloat(k))
		g.f.F64(x)
	}
}

func intValue(k constant.Value) int64 {
	k = constant.ToInt(k)
	if x, ok := constant.Int64Val(k); ok {
		return x
	}
	x, ok := constant.Uint64Val(k)
	if !ok {
		fail("the constant %s is no integer", k)
	}
	return int64(x)
}

// push pushes all parts of a value.
func (g *function) push(v ssa.Value) {
	if _, ok := v.(*ssa.Global); ok || g.inlined[v] && g.isAddress(v) {
		if off := g.address(v); off != 0 {
			g.f.I32(int32(off)).Op(wasmasm.I32Add)
		}
		return
	}
	if k := g.known(v); k != nil {
		g.pushOperand(operand{typ: scalarPart(v.Type()).typ, konst: k})
		return
	}
	if g.inlined[v] {
		g.compute(v.(ssa.Instruction))
		return
	}
	for _, o := range g.operands(v) {
		g.pushOperand(o)
	}
}

// pushPart pushes one part of a value of several.
func (g *function) pushPart(v ssa.Value, i int) { g.pushOperand(g.operands(v)[i]) }

// set stores the parts on the operand stack, in new locals, as an instruction's value.
func (g *function) set(v ssa.Value, ps []part) {
	ops := make([]operand, len(ps))
	for i, p := range ps {
		ops[i] = operand{local: g.f.Local(p.typ, ""), isLoc: true, typ: p.typ}
	}
	g.vals[v] = ops
	g.pop(ops)
}

// pop stores what is on the operand stack in locals.
func (g *function) pop(ops []operand) {
	for _, o := range slices.Backward(ops) {
		g.f.Set(o.local)
	}
}

// temp pops the top of the stack into a new local and returns it.
func (g *function) temp(t wasmasm.ValType) wasmasm.Local {
	l := g.f.Local(t, "")
	g.f.Set(l)
	return l
}

// phis gives the phis their locals.
func (g *function) phis() {
	for _, b := range g.blocks {
		for _, in := range b.Instrs {
			p, ok := in.(*ssa.Phi)
			if !ok {
				break
			}
			ps := g.partsOf(p)
			ops := make([]operand, len(ps))
			for i, q := range ps {
				ops[i] = operand{local: g.f.Local(q.typ, ""), isLoc: true, typ: q.typ}
			}
			g.vals[p] = ops
		}
	}
}

// moves reports whether an edge changes phis.
func (g *function) moves(from, to *block) bool {
	i := slices.Index(to.Preds, from.BasicBlock)
	for _, in := range to.Instrs {
		p, ok := in.(*ssa.Phi)
		if !ok {
			break
		}
		if p.Edges[i] != p && len(g.uses(p)) > 0 {
			return true
		}
	}
	return false
}

// edge gives the phis of a block the values that come from another: all are read before one is written.
func (g *function) edge(from, to *block) {
	if to.fails {
		return
	}
	i := slices.Index(to.Preds, from.BasicBlock)
	var set []operand
	for _, in := range to.Instrs {
		p, ok := in.(*ssa.Phi)
		if !ok {
			break
		}
		if p.Edges[i] == p || len(g.uses(p)) == 0 {
			continue
		}
		if _, ok := p.Type().Underlying().(*types.Signature); ok {
			g.pushFunc(p.Edges[i], g.funcOf(p))
		} else {
			g.push(p.Edges[i])
		}
		set = append(set, g.vals[p]...)
	}
	g.pop(set)
}

// leave returns from the function with the results on the stack.
func (g *function) leave() {
	if g.frame > 0 {
		g.f.Get(g.fp).I32(int32(g.frame)).Op(wasmasm.I32Add).SetGlobal(g.c.Stack)
	}
	g.f.Return()
}

// abort returns zeros after a failure.
func (g *function) abort() {
	g.out.mayFail = true
	for _, p := range g.out.results {
		g.pushOperand(operand{typ: p.typ})
	}
	g.leave()
}
