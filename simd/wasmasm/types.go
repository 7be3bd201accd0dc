package wasmasm

import "strings"

// ValType is the type of a value.
type ValType byte

// The value types, with their encodings.
const (
	I32     ValType = 0x7F
	I64     ValType = 0x7E
	F32     ValType = 0x7D
	F64     ValType = 0x7C
	V128    ValType = 0x7B
	FuncRef ValType = 0x70

	unknown ValType = 0 // the bottom type of unreachable code
)

// String returns the type's name in the text format.
func (t ValType) String() string {
	switch t {
	case I32:
		return "i32"
	case I64:
		return "i64"
	case F32:
		return "f32"
	case F64:
		return "f64"
	case V128:
		return "v128"
	case FuncRef:
		return "funcref"
	}
	return "unknown"
}

// numeric reports whether values of the type live in locals and on the operand stack of a [Func].
func (t ValType) numeric() bool { return t >= V128 && t <= I32 }

// FuncType is the type of a function or of a block.
type FuncType struct {
	Params, Results []ValType
}

// Sig returns a function that adds the results to the parameters: Sig(I32, I32)(F32).
func Sig(params ...ValType) func(results ...ValType) FuncType {
	return func(results ...ValType) FuncType { return FuncType{params, results} }
}

// String returns the type as [i32 i32] -> [f32].
func (t FuncType) String() string { return list(t.Params) + " -> " + list(t.Results) }

func list(ts []ValType) string {
	names := make([]string, len(ts))
	for i, t := range ts {
		names[i] = t.String()
	}
	return "[" + strings.Join(names, " ") + "]"
}

// Limits bounds a memory (in pages of 64 KiB) or a table (in elements).
type Limits struct {
	Min    uint32
	Max    uint32 // read if HasMax or Shared
	HasMax bool
	Shared bool // memories only; needs a maximum
}

// maxPages is the largest memory that 32-bit addresses reach.
const maxPages = 1 << 16

func (l Limits) append(b []byte) []byte {
	switch {
	case l.Shared:
		return appendU32(appendU32(append(b, 3), l.Min), l.Max)
	case l.HasMax:
		return appendU32(appendU32(append(b, 1), l.Min), l.Max)
	}
	return appendU32(append(b, 0), l.Min)
}

func (l Limits) valid(most uint32) bool {
	if l.Min > most {
		return false
	}
	return !l.HasMax && !l.Shared || l.Max >= l.Min && l.Max <= most
}

// Const is the initial value of a global.
type Const struct {
	t    ValType
	code []byte
}

// ConstI32 is an i32 constant.
func ConstI32(v int32) Const { return Const{I32, appendS64([]byte{opI32Const}, int64(v))} }

// ConstI64 is an i64 constant.
func ConstI64(v int64) Const { return Const{I64, appendS64([]byte{opI64Const}, v)} }

// ConstF32 is an f32 constant.
func ConstF32(v float32) Const { return Const{F32, appendF32([]byte{opF32Const}, v)} }

// ConstF64 is an f64 constant.
func ConstF64(v float64) Const { return Const{F64, appendF64([]byte{opF64Const}, v)} }

// ConstV128 is a v128 constant, in memory order.
func ConstV128(v [16]byte) Const {
	return Const{V128, append(appendOp(nil, opV128Const), v[:]...)}
}
