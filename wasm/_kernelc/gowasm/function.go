package gowasm

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// function is the compilation of one function.
type function struct {
	c    *Compiler
	fn   *ssa.Function
	ref  *funcRef
	out  *compiled
	args []argument
	in   *site     // where it is compiled in place of a call; nil for a function of the module
	root *function // the function of the module that this is part of

	f    *wasmasm.Func
	vals map[ssa.Value][]operand // parts of values that have been computed

	blocks []*block // reachable ones in reverse postorder
	of     map[*ssa.BasicBlock]*block

	inlined map[ssa.Value]bool // computed where they are used
	frame   int64              // bytes of the frame in memory
	slots   map[*ssa.Alloc]int64
	spills  map[ssa.Value]int64      // arrays that are values and indexed by variables
	split   map[*ssa.Alloc][]operand // variables that live in locals after all
	fp      wasmasm.Local
}

// operand is one part of a value: a local or a constant.
type operand struct {
	local  wasmasm.Local
	isLoc  bool
	typ    wasmasm.ValType
	konst  constant.Value // nil: zero
	static bool           // an address: konst is an offset in the static data
}

// folders is what stands before the last part of an import path.
var folders = regexp.MustCompile(`[\w.-]+/`)

func (g *function) compile() {
	sig := g.fn.Signature
	var params []part
	type bind struct {
		v ssa.Value
		n int
	}
	var binds []bind
	for i, p := range g.fn.Params {
		var a argument
		if i < len(g.args) {
			a = g.args[i]
		}
		ps := g.paramParts(p.Type(), a)
		params = append(params, ps...)
		binds = append(binds, bind{p, len(ps)})
	}
	if g.ref.memory {
		params = append(params, scalar(wasmasm.I32, types.UnsafePointer, 8)...)
	} else if g.ref.static == nil {
		for _, v := range g.fn.FreeVars {
			ps := parts(v.Type())
			params = append(params, ps...)
			binds = append(binds, bind{v, len(ps)})
		}
	}
	g.out.results = parts(sig.Results())
	g.prune()
	g.f = g.c.m.Func(folders.ReplaceAllString(g.fn.String(), ""), wasmasm.FuncType{Params: valTypes(params), Results: valTypes(g.out.results)})
	g.out.f = g.f
	g.vals = map[ssa.Value][]operand{}
	n := 0
	for _, b := range binds {
		ops := make([]operand, b.n)
		for i := range ops {
			ops[i] = operand{local: g.f.Param(n), isLoc: true, typ: params[n].typ}
			n++
		}
		g.vals[b.v] = ops
	}
	if g.ref.memory {
		g.bindClosure(g.f.Param(n))
	}
	g.variables()
	g.inline()
	g.phis()
	if g.frame > 0 {
		g.fp = g.f.Local(wasmasm.I32, "")
		g.f.GetGlobal(g.c.Stack).I32(int32(g.frame)).Op(wasmasm.I32Sub).Tee(g.fp).SetGlobal(g.c.Stack)
	}
	g.tree(g.blocks[0], nil)
	if len(g.out.results) > 0 {
		g.f.Unreachable()
	}
	if err := g.f.Err(); err != nil {
		fail("%v", err)
	}
}

// paramParts returns the parts of a parameter that are passed when the caller knows as much of it as a.
func (g *function) paramParts(t types.Type, a argument) []part {
	switch {
	case a.konst != nil:
		return nil
	case a.fn != nil:
		return a.fn.parts()
	}
	if _, ok := t.Underlying().(*types.Signature); ok {
		fail("a function value that is not known")
	}
	return parts(t)
}

// bindClosure finds the captured variables in a closure that Go made: after the code's address they lie in the order of
// capture, by value, since only variables that do not change afterwards are captured by closures that live in fields.
func (g *function) bindClosure(ctx wasmasm.Local) {
	offset := int64(8)
	for _, v := range g.fn.FreeVars {
		if g.fn.Synthetic != "" { // a method with its receiver: the variable is the receiver itself
			g.f.Get(ctx).Mem(wasmasm.I32Load, uint32(offset))
			l := g.f.Local(wasmasm.I32, "")
			g.f.Set(l)
			g.vals[v] = []operand{{local: l, isLoc: true, typ: wasmasm.I32}}
			return
		}
		t := deref(v.Type())
		a := Sizes.Alignof(t)
		offset = (offset + a - 1) / a * a
		l := g.f.Local(wasmasm.I32, "")
		g.f.Get(ctx).I32(int32(offset)).Op(wasmasm.I32Add).Set(l)
		g.vals[v] = []operand{{local: l, isLoc: true, typ: wasmasm.I32}}
		offset += Sizes.Sizeof(t)
	}
	if len(g.fn.FreeVars) > 1 {
		fail("a closure in memory with %d captured variables", len(g.fn.FreeVars))
	}
}

// known returns a value that is a constant while compiling, or nil.
func (g *function) known(v ssa.Value) constant.Value {
	switch v := v.(type) {
	case *ssa.Const:
		if b, ok := v.Type().Underlying().(*types.Basic); ok && b.Info()&(types.IsNumeric|types.IsBoolean) != 0 {
			return v.Value
		}
	case *ssa.Parameter:
		for i, p := range g.fn.Params {
			if p == v && i < len(g.args) {
				return g.args[i].konst
			}
		}
	case *ssa.ChangeType:
		return g.known(v.X)
	case *ssa.Extract: // a type switch on a type parameter
		if a, ok := v.Tuple.(*ssa.TypeAssert); ok && v.Index == 1 {
			if m, ok := a.X.(*ssa.MakeInterface); ok && !types.IsInterface(a.AssertedType) {
				return constant.MakeBool(types.Identical(m.X.Type(), a.AssertedType))
			}
		}
	case *ssa.UnOp:
		switch v.Op {
		case token.MUL:
			if f, ok := v.X.(*ssa.FreeVar); ok && g.ref.static[f].field != "" {
				return g.c.opt.Fields[g.ref.static[f].field]
			}
			if fa, ok := v.X.(*ssa.FieldAddr); ok {
				return g.c.opt.Fields[fieldName(fa)]
			}
		case token.NOT:
			if k := g.known(v.X); k != nil {
				return constant.MakeBool(!constant.BoolVal(k))
			}
		}
	case *ssa.BinOp:
		if v.Op != token.EQL && v.Op != token.NEQ {
			return nil
		}
		if _, ok := v.X.Type().Underlying().(*types.Signature); ok {
			return constant.MakeBool((g.funcOf(v.X).fn == nil) == (v.Op == token.EQL))
		}
		x, y := g.known(v.X), g.known(v.Y)
		if x != nil && y != nil && x.Kind() == y.Kind() {
			return constant.MakeBool(constant.Compare(x, v.Op, y))
		}
	}
	return nil
}

func fieldName(fa *ssa.FieldAddr) string {
	t := deref(fa.X.Type())
	n, ok := t.(*types.Named)
	if !ok {
		return ""
	}
	return qualified(n.Obj().Pkg(), n.Obj().Name()) + "." + n.Underlying().(*types.Struct).Field(fa.Field).Name()
}

// funcOf returns the function that a value of function type is, or fails. A comparison of two functions has nil on one side.
func (g *function) funcOf(v ssa.Value) *funcRef {
	switch v := v.(type) {
	case *ssa.Function:
		return &funcRef{fn: v}
	case *ssa.Const:
		return &funcRef{}
	case *ssa.MakeClosure:
		return &funcRef{fn: v.Fn.(*ssa.Function)}
	case *ssa.ChangeType:
		return g.funcOf(v.X)
	case *ssa.Parameter:
		for i, p := range g.fn.Params {
			if p == v && i < len(g.args) && g.args[i].fn != nil {
				return g.args[i].fn
			}
		}
	case *ssa.Phi:
		return g.oneOf(v)
	case *ssa.UnOp:
		if fa, ok := v.X.(*ssa.FieldAddr); ok && v.Op == token.MUL {
			switch s := g.c.prog.funcs[field{deref(fa.X.Type()), fa.Field}]; {
			case len(s) == 0:
				return &funcRef{}
			case len(s) == 1 && !s[0].unknown:
				if s[0].closure != nil {
					if static := g.c.prog.bindings(s[0].closure, g.c.opt.Fields); static != nil {
						return &funcRef{fn: s[0].fn, static: static}
					}
				}
				return &funcRef{fn: s[0].fn, memory: len(s[0].fn.FreeVars) > 0}
			default:
				fail("the field %s holds one of %d functions", fieldName(fa), len(s))
			}
		}
	}
	fail("a function value that is not known")
	return nil
}

// oneOf returns the functions that a phi can be.
func (g *function) oneOf(p *ssa.Phi) *funcRef {
	var refs []*funcRef
	for i, e := range p.Edges {
		if !g.live(p, i) {
			continue
		}
		r := g.funcOf(e)
		if len(refs) > 0 && r.fn == refs[0].fn {
			continue
		}
		refs = append(refs, r)
	}
	if len(refs) == 1 {
		return refs[0]
	}
	all := &funcRef{}
	for _, r := range refs {
		if r.fn == nil || len(r.fn.FreeVars) > 0 {
			fail("one of several functions that capture variables")
		}
		for _, f := range append([]*ssa.Function{r.fn}, r.others...) {
			if f != all.fn && !slices.Contains(all.others, f) {
				if all.fn == nil {
					all.fn = f
				} else {
					all.others = append(all.others, f)
				}
			}
		}
	}
	return all
}

// pushFunc pushes a function value as one of those that ref can be.
func (g *function) pushFunc(v ssa.Value, ref *funcRef) {
	if ref.others == nil {
		if len(ref.parts()) > 0 {
			g.push(v)
		}
		return
	}
	r := g.funcOf(v)
	if r.others == nil {
		g.f.I32(int32(1 + slices.Index(ref.others, r.fn)))
		return
	}
	if len(r.others) != len(ref.others) {
		fail("one of several functions, in several steps")
	}
	g.push(v)
}
