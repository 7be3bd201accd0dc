package tensor

// DType is an element type. The values are those of ONNX's TensorProto.DataType.
type DType uint8

const (
	Undefined      DType = 0
	Float32        DType = 1
	Uint8          DType = 2
	Int8           DType = 3
	Uint16         DType = 4
	Int16          DType = 5
	Int32          DType = 6
	Int64          DType = 7
	String         DType = 8
	Bool           DType = 9
	Float16        DType = 10
	Float64        DType = 11
	Uint32         DType = 12
	Uint64         DType = 13
	Complex64      DType = 14
	Complex128     DType = 15
	BFloat16       DType = 16
	Float8E4M3FN   DType = 17
	Float8E4M3FNUZ DType = 18
	Float8E5M2     DType = 19
	Float8E5M2FNUZ DType = 20
	Uint4          DType = 21
	Int4           DType = 22
	Float4E2M1     DType = 23
	Float8E8M0     DType = 24
	Uint2          DType = 25
	Int2           DType = 26
)

type dtypeInfo struct {
	name string
	bits uint8
	kind kind
}

type kind uint8

const (
	kindNone kind = iota
	kindFloat
	kindInt
	kindUint
	kindBool
	kindString
	kindComplex
)

var dtypes = [...]dtypeInfo{
	Undefined: {"undefined", 0, kindNone}, Float32: {"float32", 32, kindFloat}, Uint8: {"uint8", 8, kindUint}, Int8: {"int8", 8, kindInt},
	Uint16: {"uint16", 16, kindUint}, Int16: {"int16", 16, kindInt}, Int32: {"int32", 32, kindInt}, Int64: {"int64", 64, kindInt},
	String: {"string", 0, kindString}, Bool: {"bool", 8, kindBool}, Float16: {"float16", 16, kindFloat}, Float64: {"float64", 64, kindFloat},
	Uint32: {"uint32", 32, kindUint}, Uint64: {"uint64", 64, kindUint}, Complex64: {"complex64", 64, kindComplex}, Complex128: {"complex128", 128, kindComplex},
	BFloat16: {"bfloat16", 16, kindFloat}, Float8E4M3FN: {"float8e4m3fn", 8, kindFloat}, Float8E4M3FNUZ: {"float8e4m3fnuz", 8, kindFloat},
	Float8E5M2: {"float8e5m2", 8, kindFloat}, Float8E5M2FNUZ: {"float8e5m2fnuz", 8, kindFloat}, Uint4: {"uint4", 4, kindUint}, Int4: {"int4", 4, kindInt},
	Float4E2M1: {"float4e2m1", 4, kindFloat}, Float8E8M0: {"float8e8m0", 8, kindFloat}, Uint2: {"uint2", 2, kindUint}, Int2: {"int2", 2, kindInt},
}

func (d DType) info() dtypeInfo {
	if int(d) < len(dtypes) {
		return dtypes[d]
	}
	return dtypeInfo{name: "unknown"}
}

// String returns the type's lower-case name, such as "float32".
func (d DType) String() string { return d.info().name }

// Valid reports whether d is a defined ONNX element type.
func (d DType) Valid() bool { return d != Undefined && int(d) < len(dtypes) }

// Bits returns the size of one element in bits; 0 for strings, which live outside linear memory.
// Types of 2 and 4 bits are packed, the first element in the low bits.
func (d DType) Bits() int { return int(d.info().bits) }

// Bytes returns the number of bytes that n packed elements take.
func (d DType) Bytes(n int) int { return (n*d.Bits() + 7) / 8 }

// IsFloat reports whether d is a real floating-point type of any width.
func (d DType) IsFloat() bool { return d.info().kind == kindFloat }

// IsInt reports whether d is a signed or unsigned integer type (Bool is not).
func (d DType) IsInt() bool { k := d.info().kind; return k == kindInt || k == kindUint }

// IsSigned reports whether d can hold negative numbers.
func (d DType) IsSigned() bool { k := d.info().kind; return k == kindInt || k == kindFloat }

// IsNumeric reports whether d is a real number type: integer or floating point.
func (d DType) IsNumeric() bool { return d.IsFloat() || d.IsInt() }

// ParseDType returns the type with the given name as [DType.String] prints it.
func ParseDType(name string) (DType, bool) {
	for d := range dtypes {
		if d > 0 && dtypes[d].name == name {
			return DType(d), true
		}
	}
	return Undefined, false
}
