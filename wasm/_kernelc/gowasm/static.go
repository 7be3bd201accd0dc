package gowasm

import (
	"go/constant"
	"go/token"
	"go/types"
	"math"

	"golang.org/x/tools/go/ssa"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// image is the memory of a variable, filled by doing what its initialiser does.
type image struct {
	c      *Compiler
	b      []byte
	relocs []reloc
}

// store does a store of a constant, or of a composite of constants, whose address is relative to base. It reports whether it could.
func (x *image) store(base int64, st *ssa.Store) bool {
	off, ok := constantPlace(st.Addr)
	if !ok {
		return false
	}
	off += base
	if k, ok := st.Val.(*ssa.Const); ok && k.Value != nil && k.Value.Kind() == constant.String {
		s := constant.StringVal(k.Value)
		x.relocs = append(x.relocs, reloc{int(off), x.c.addStatic([]byte(s))})
		putBits(x.b[off+8:], 8, uint64(len(s)))
		return true
	}
	if k, ok := st.Val.(*ssa.Const); ok && k.Value == nil {
		return true // zero
	}
	if u, ok := st.Val.(*ssa.UnOp); ok && u.Op == token.MUL {
		a, ok := u.X.(*ssa.Alloc)
		return ok && x.stores(off, a)
	}
	switch st.Val.Type().Underlying().(type) {
	case *types.Basic:
		bits, ok := evaluate(st.Val)
		if ok {
			putBits(x.b[off:], scalarPart(st.Val.Type()).size, bits)
		}
		return ok
	}
	return false
}

// stores does the stores to a variable that holds a composite while it is made, and to its elements.
func (x *image) stores(base int64, v ssa.Value) bool {
	for _, in := range *v.Referrers() {
		switch in := in.(type) {
		case *ssa.Store:
			if in.Addr != v || !x.store(base, in) {
				return false
			}
		case *ssa.FieldAddr, *ssa.IndexAddr:
			if !x.stores(base, in.(ssa.Value)) {
				return false
			}
		case *ssa.UnOp, *ssa.DebugRef:
		default:
			return false
		}
	}
	return true
}

// constantPlace returns the offset of an address in its variable.
func constantPlace(v ssa.Value) (int64, bool) {
	switch v := v.(type) {
	case *ssa.Global, *ssa.Alloc:
		return 0, true
	case *ssa.FieldAddr:
		base, ok := constantPlace(v.X)
		off, _ := fieldOffset(deref(v.X.Type()), v.Field)
		return base + off, ok
	case *ssa.IndexAddr:
		if _, slice := v.X.Type().Underlying().(*types.Slice); slice {
			return 0, false
		}
		if k, isConst := v.Index.(*ssa.Const); isConst {
			base, ok := constantPlace(v.X)
			return base + intValue(k.Value)*Sizes.Sizeof(deref(v.Type())), ok
		}
	}
	return 0, false
}

// evaluate returns the bits of a number that an initialiser computes from constants.
func evaluate(v ssa.Value) (bits uint64, ok bool) {
	switch v := v.(type) {
	case *ssa.Const:
		return constBits(scalarPart(v.Type()), v.Value), true
	case *ssa.Convert:
		bits, ok := evaluate(v.X)
		f, t := scalarPart(v.X.Type()), scalarPart(v.Type())
		if ok && f.typ == wasmasm.F64 && t.typ == wasmasm.F32 {
			return uint64(math.Float32bits(float32(math.Float64frombits(bits)))), true
		}
		return bits, ok && f.typ == t.typ && f.size == t.size
	case *ssa.Call:
		fn := v.Call.StaticCallee()
		if fn == nil {
			return 0, false
		}
		switch funcName(fn) {
		case "math.Float32frombits", "math.Float64frombits":
			return evaluate(v.Call.Args[0])
		case "math.NaN":
			return math.Float64bits(math.NaN()), true
		case "math.Inf":
			sign, ok := evaluate(v.Call.Args[0])
			return math.Float64bits(math.Inf(int(int64(sign)))), ok
		}
	}
	return 0, false
}

// constBits returns a constant as its bits in memory.
func constBits(p part, k constant.Value) uint64 {
	switch {
	case k.Kind() == constant.Bool:
		if constant.BoolVal(k) {
			return 1
		}
		return 0
	case p.typ == wasmasm.F32:
		x, _ := constant.Float32Val(constant.ToFloat(k))
		return uint64(math.Float32bits(x))
	case p.typ == wasmasm.F64:
		x, _ := constant.Float64Val(constant.ToFloat(k))
		return math.Float64bits(x)
	}
	return uint64(intValue(k))
}

func putBits(b []byte, size int64, bits uint64) {
	for i := range size {
		b[i] = byte(bits >> (8 * i))
	}
}
