package wasmtest

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	. "github.com/weft-ml/weft/simd/wasmasm"
)

// vector is the operand or result of an instruction in memory order.
type vector [16]byte

func (v vector) u32(i int) uint32  { return binary.LittleEndian.Uint32(v[4*i:]) }
func (v vector) u16(i int) uint16  { return binary.LittleEndian.Uint16(v[2*i:]) }
func (v vector) u64(i int) uint64  { return binary.LittleEndian.Uint64(v[8*i:]) }
func (v vector) f32(i int) float32 { return math.Float32frombits(v.u32(i)) }
func (v vector) f64(i int) float64 { return math.Float64frombits(v.u64(i)) }

// f32x4 and the like compute each lane of a result.
func f32x4(f func(i int) float32) (r vector) {
	for i := range 4 {
		binary.LittleEndian.PutUint32(r[4*i:], math.Float32bits(f(i)))
	}
	return r
}

func f64x2(f func(i int) float64) (r vector) {
	for i := range 2 {
		binary.LittleEndian.PutUint64(r[8*i:], math.Float64bits(f(i)))
	}
	return r
}

func i32x4(f func(i int) uint32) (r vector) {
	for i := range 4 {
		binary.LittleEndian.PutUint32(r[4*i:], f(i))
	}
	return r
}

func i16x8(f func(i int) uint16) (r vector) {
	for i := range 8 {
		binary.LittleEndian.PutUint16(r[2*i:], f(i))
	}
	return r
}

func i8x16(f func(i int) uint8) (r vector) {
	for i := range 16 {
		r[i] = f(i)
	}
	return r
}

func i64x2(f func(i int) uint64) (r vector) {
	for i := range 2 {
		binary.LittleEndian.PutUint64(r[8*i:], f(i))
	}
	return r
}

func saturate16(v int) uint16 { return uint16(int16(min(max(v, math.MinInt16), math.MaxInt16))) }

func mask(ok bool) uint32 {
	if ok {
		return math.MaxUint32
	}
	return 0
}

// meanings says in Go what instructions on vectors do; between them they cover every operand and result shape.
var meanings = []struct {
	op Op
	f  func(a, b, c vector) vector
}{
	{F32x4Add, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return a.f32(i) + b.f32(i) }) }},
	{F32x4Sub, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return a.f32(i) - b.f32(i) }) }},
	{F32x4Mul, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return a.f32(i) * b.f32(i) }) }},
	{F32x4Div, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return a.f32(i) / b.f32(i) }) }},
	{F32x4Neg, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return -a.f32(i) }) }},
	{F32x4Abs, func(a, b, c vector) vector {
		return f32x4(func(i int) float32 { return float32(math.Abs(float64(a.f32(i)))) })
	}},
	{F32x4Pmin, func(a, b, c vector) vector {
		return f32x4(func(i int) float32 {
			if b.f32(i) < a.f32(i) {
				return b.f32(i)
			}
			return a.f32(i)
		})
	}},
	{F32x4Pmax, func(a, b, c vector) vector {
		return f32x4(func(i int) float32 {
			if a.f32(i) < b.f32(i) {
				return b.f32(i)
			}
			return a.f32(i)
		})
	}},
	{F32x4Nearest, func(a, b, c vector) vector {
		return f32x4(func(i int) float32 { return float32(math.RoundToEven(float64(a.f32(i)))) })
	}},
	{F32x4Floor, func(a, b, c vector) vector {
		return f32x4(func(i int) float32 { return float32(math.Floor(float64(a.f32(i)))) })
	}},
	{F32x4Lt, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return mask(a.f32(i) < b.f32(i)) }) }},
	{F32x4Ge, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return mask(a.f32(i) >= b.f32(i)) }) }},
	{F32x4ConvertI32x4S, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return float32(int32(a.u32(i))) }) }},
	{F32x4ConvertI32x4U, func(a, b, c vector) vector { return f32x4(func(i int) float32 { return float32(a.u32(i)) }) }},
	{F64x2Mul, func(a, b, c vector) vector { return f64x2(func(i int) float64 { return a.f64(i) * b.f64(i) }) }},
	{F64x2PromoteLowF32x4, func(a, b, c vector) vector { return f64x2(func(i int) float64 { return float64(a.f32(i)) }) }},
	{I32x4Add, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return a.u32(i) + b.u32(i) }) }},
	{I32x4Mul, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return a.u32(i) * b.u32(i) }) }},
	{I32x4MaxS, func(a, b, c vector) vector {
		return i32x4(func(i int) uint32 { return uint32(max(int32(a.u32(i)), int32(b.u32(i)))) })
	}},
	{I32x4MinU, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return min(a.u32(i), b.u32(i)) }) }},
	{I32x4DotI16x8S, func(a, b, c vector) vector {
		return i32x4(func(i int) uint32 {
			x := int32(int16(a.u16(2*i)))*int32(int16(b.u16(2*i))) + int32(int16(a.u16(2*i+1)))*int32(int16(b.u16(2*i+1)))
			return uint32(x)
		})
	}},
	{I32x4ExtendHighI16x8S, func(a, b, c vector) vector { return i32x4(func(i int) uint32 { return uint32(int16(a.u16(4 + i))) }) }},
	{I32x4ExtmulLowI16x8U, func(a, b, c vector) vector {
		return i32x4(func(i int) uint32 { return uint32(a.u16(i)) * uint32(b.u16(i)) })
	}},
	{I64x2Sub, func(a, b, c vector) vector { return i64x2(func(i int) uint64 { return a.u64(i) - b.u64(i) }) }},
	{I64x2ExtendLowI32x4S, func(a, b, c vector) vector { return i64x2(func(i int) uint64 { return uint64(int32(a.u32(i))) }) }},
	{I16x8AddSatS, func(a, b, c vector) vector {
		return i16x8(func(i int) uint16 { return saturate16(int(int16(a.u16(i))) + int(int16(b.u16(i)))) })
	}},
	{I16x8NarrowI32x4S, func(a, b, c vector) vector {
		return i16x8(func(i int) uint16 {
			if i < 4 {
				return saturate16(int(int32(a.u32(i))))
			}
			return saturate16(int(int32(b.u32(i - 4))))
		})
	}},
	{I16x8ExtaddPairwiseI8x16U, func(a, b, c vector) vector {
		return i16x8(func(i int) uint16 { return uint16(a[2*i]) + uint16(a[2*i+1]) })
	}},
	{I8x16Popcnt, func(a, b, c vector) vector { return i8x16(func(i int) uint8 { return uint8(bits.OnesCount8(a[i])) }) }},
	{I8x16AvgrU, func(a, b, c vector) vector {
		return i8x16(func(i int) uint8 { return uint8((int(a[i]) + int(b[i]) + 1) / 2) })
	}},
	{I8x16Swizzle, func(a, b, c vector) vector {
		return i8x16(func(i int) uint8 {
			if b[i] < 16 {
				return a[b[i]]
			}
			return 0
		})
	}},
	{V128Andnot, func(a, b, c vector) vector { return i8x16(func(i int) uint8 { return a[i] &^ b[i] }) }},
	{V128Bitselect, func(a, b, c vector) vector { return i8x16(func(i int) uint8 { return a[i]&c[i] | b[i]&^c[i] }) }},
}

// TestLanes runs instructions on random vectors and compares the results with what they mean.
func TestLanes(t *testing.T) {
	m := NewModule("lanes")
	m.Memory(Limits{Min: 1})
	m.ExportMemory("memory")
	for _, c := range meanings {
		typ, _, _ := c.op.Type()
		f := m.Func(c.op.String(), Sig()())
		f.I32(64)
		for i := range typ.Params {
			f.I32(int32(16*i)).Mem(V128Load, 0)
		}
		f.Op(c.op).Mem(V128Store, 0)
		m.ExportFunc(c.op.String(), f)
	}
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	rt := wazero.NewRuntime(ctx)
	defer rt.Close(ctx)
	instance, err := rt.Instantiate(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range meanings {
		t.Run(c.op.String(), func(t *testing.T) {
			for range 50 {
				var in [3]vector
				for i := range in {
					in[i] = operand(r, c.op)
					instance.Memory().Write(uint32(16*i), in[i][:])
				}
				if _, err := instance.ExportedFunction(c.op.String()).Call(ctx); err != nil {
					t.Fatal(err)
				}
				got := read(instance.Memory(), 64)
				if want := c.f(in[0], in[1], in[2]); got != want {
					t.Fatalf("of %x, %x, %x: %x, want %x", in[0], in[1], in[2], got, want)
				}
			}
		})
	}
}

// operand returns random numbers in float lanes, which have no NaN of unspecified payload, and random bytes elsewhere.
func operand(r *rand.Rand, op Op) (v vector) {
	switch name := op.String(); {
	case name[:3] == "f32" && op != F32x4ConvertI32x4S && op != F32x4ConvertI32x4U || op == F64x2PromoteLowF32x4:
		return f32x4(func(int) float32 {
			return float32(math.Trunc(r.NormFloat64()*8)/4) * float32(math.Exp(r.NormFloat64()))
		})
	case name[:3] == "f64":
		return f64x2(func(int) float64 { return r.NormFloat64() })
	}
	for i := range v {
		v[i] = byte(r.Uint32())
		if op == I8x16Swizzle {
			v[i] &= 31
		}
	}
	return v
}

func read(m api.Memory, at uint32) (v vector) {
	b, _ := m.Read(at, 16)
	copy(v[:], b)
	return v
}
