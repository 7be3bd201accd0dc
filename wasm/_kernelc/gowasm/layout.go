package gowasm

import (
	"go/types"

	"github.com/weft-ml/weft/simd/wasmasm"
)

// Sizes is the memory layout of GOARCH=wasm: words of 8 bytes, pointers included.
var Sizes = types.SizesFor("gc", "wasm")

// maxParts bounds how many parts a struct or array may have to live in locals.
const maxParts = 64

// part is one scalar of a value: values of Go types are taken apart into scalars, which live in locals. A pointer is an i32 in a
// local and 8 bytes in memory, of which the low 4 count.
type part struct {
	typ    wasmasm.ValType
	offset int64           // in memory, from the start of the value
	size   int64           // in memory
	kind   types.BasicKind // for the width and sign of loads
}

func scalar(t wasmasm.ValType, k types.BasicKind, size int64) []part {
	return []part{{typ: t, size: size, kind: k}}
}

// parts returns the scalars of a type, in the order of memory.
func parts(t types.Type) []part {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch k := u.Kind(); k {
		case types.Bool, types.UntypedBool:
			return scalar(wasmasm.I32, types.Uint8, 1)
		case types.Int8, types.Uint8, types.Int16, types.Uint16, types.Int32, types.Uint32, types.UntypedRune:
			return scalar(wasmasm.I32, k, Sizes.Sizeof(u))
		case types.Int, types.Uint, types.Int64, types.Uint64, types.Uintptr, types.UntypedInt:
			return scalar(wasmasm.I64, k, 8)
		case types.Float32:
			return scalar(wasmasm.F32, k, 4)
		case types.Float64, types.UntypedFloat:
			return scalar(wasmasm.F64, k, 8)
		case types.UnsafePointer, types.UntypedNil:
			return scalar(wasmasm.I32, types.UnsafePointer, 8)
		case types.String, types.UntypedString:
			return sequence(types.Typ[types.UnsafePointer], types.Typ[types.Int])
		}
	case *types.Pointer, *types.Signature:
		return scalar(wasmasm.I32, types.UnsafePointer, 8)
	case *types.Slice:
		return sequence(types.Typ[types.UnsafePointer], types.Typ[types.Int], types.Typ[types.Int])
	case *types.Struct:
		fields := make([]*types.Var, u.NumFields())
		for i := range fields {
			fields[i] = u.Field(i)
		}
		var ps []part
		for i, off := range Sizes.Offsetsof(fields) {
			ps = append(ps, shift(parts(fields[i].Type()), off)...)
		}
		return ps
	case *types.Array:
		if u.Len() > maxParts {
			fail("an array of %d elements as a value", u.Len())
		}
		var ps []part
		for i := range u.Len() {
			ps = append(ps, shift(parts(u.Elem()), i*Sizes.Sizeof(u.Elem()))...)
		}
		if len(ps) > maxParts {
			fail("a value of %d parts", len(ps))
		}
		return ps
	case *types.Tuple:
		var ps []part
		for v := range u.Variables() {
			ps = append(ps, parts(v.Type())...)
		}
		return ps
	}
	fail("a value of type %s", t)
	return nil
}

func sequence(ts ...types.Type) []part {
	var ps []part
	for i, t := range ts {
		ps = append(ps, shift(parts(t), int64(8*i))...)
	}
	return ps
}

func shift(ps []part, by int64) []part {
	out := make([]part, len(ps))
	for i, p := range ps {
		p.offset += by
		out[i] = p
	}
	return out
}

// scalarPart returns the parts of a type that must be one scalar.
func scalarPart(t types.Type) part {
	ps := parts(t)
	if len(ps) != 1 {
		fail("a value of type %s where a scalar is needed", t)
	}
	return ps[0]
}

// fieldOffset returns the offset of a struct's field and the number of parts before it.
func fieldOffset(t types.Type, field int) (offset int64, before int) {
	s := t.Underlying().(*types.Struct)
	fields := make([]*types.Var, field+1)
	for i := range fields {
		fields[i] = s.Field(i)
		if i < field {
			before += countParts(s.Field(i).Type())
		}
	}
	return Sizes.Offsetsof(fields)[field], before
}

// countParts is len(parts(t)) for types of which only the count matters.
func countParts(t types.Type) int {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		n := 0
		for i := range u.NumFields() {
			n += countParts(u.Field(i).Type())
		}
		return n
	case *types.Array:
		return int(u.Len()) * countParts(u.Elem())
	case *types.Interface:
		return 2
	}
	return len(parts(t))
}

func valTypes(ps []part) []wasmasm.ValType {
	ts := make([]wasmasm.ValType, len(ps))
	for i, p := range ps {
		ts[i] = p.typ
	}
	return ts
}

// signed reports whether an integer type is signed.
func signed(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsUnsigned == 0 && b.Kind() != types.UnsafePointer
}

func isFloat(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsFloat != 0
}

func isInteger(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsInteger != 0
}

func isPointer(t types.Type) bool {
	if _, ok := t.Underlying().(*types.Pointer); ok {
		return true
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.UnsafePointer
}

// deref returns the type a pointer points to.
func deref(t types.Type) types.Type { return t.Underlying().(*types.Pointer).Elem() }
