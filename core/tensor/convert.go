package tensor

import "math"

// Conversions run block-wise through float64 or int64: one place that knows every element type,
// so that operators need one evaluation each and not one per type.

// Float64s returns the elements in row-major order as float64. Integers beyond 2^53 round.
func (t *Tensor) Float64s() []float64 {
	c := t.Contiguous()
	out := make([]float64, c.Len())
	switch c.dtype {
	case Float32:
		for i, v := range Data[float32](c) {
			out[i] = float64(v)
		}
	case Float64:
		copy(out, Data[float64](c))
	case Uint64:
		for i, v := range Data[uint64](c) {
			out[i] = float64(v)
		}
	case Float16, BFloat16:
		f := miniFormats[c.dtype]
		for i, v := range Data[uint16](c) {
			out[i] = f.decode(uint32(v))
		}
	case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0:
		f := miniFormats[c.dtype]
		for i, v := range Data[uint8](c) {
			out[i] = f.decode(uint32(v))
		}
	case Float4E2M1:
		f := miniFormats[c.dtype]
		b := c.Bytes()
		for i := range out {
			out[i] = f.decode(uint32(b[i/2]>>(4*(i&1))) & 15)
		}
	default:
		for i, v := range c.Int64sOf() {
			out[i] = float64(v)
		}
	}
	return out
}

// Int64sOf returns the elements of an integer or bool tensor in row-major order as int64;
// uint64 keeps its bits, floating-point values truncate toward zero.
func (t *Tensor) Int64sOf() []int64 {
	c := t.Contiguous()
	out := make([]int64, c.Len())
	switch c.dtype {
	case Int64:
		copy(out, Data[int64](c))
	case Uint64:
		for i, v := range Data[uint64](c) {
			out[i] = int64(v)
		}
	case Int32:
		widen(out, Data[int32](c))
	case Uint32:
		widen(out, Data[uint32](c))
	case Int16:
		widen(out, Data[int16](c))
	case Uint16:
		widen(out, Data[uint16](c))
	case Int8:
		widen(out, Data[int8](c))
	case Uint8:
		widen(out, Data[uint8](c))
	case Bool:
		for i, v := range c.Bytes() {
			if v != 0 {
				out[i] = 1
			}
		}
	case Int4, Uint4, Int2, Uint2:
		w := c.dtype.Bits()
		b, per := c.Bytes(), 8/w
		for i := range out {
			v := int64(b[i/per]>>(w*(i%per))) & (1<<w - 1)
			if c.dtype.IsSigned() && v>>(w-1) != 0 {
				v -= 1 << w
			}
			out[i] = v
		}
	case String, Complex64, Complex128, Undefined:
		panic(Err("tensor", "elements of type ", c.dtype, " are not integers"))
	default:
		for i, v := range c.Float64s() {
			out[i] = truncate(v)
		}
	}
	return out
}

func truncate(v float64) int64 {
	switch {
	case v != v:
		return 0
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

func widen[T int8 | int16 | int32 | uint8 | uint16 | uint32](dst []int64, src []T) {
	for i, v := range src {
		dst[i] = int64(v)
	}
}

func narrow[T int8 | int16 | int32 | uint8 | uint16 | uint32 | uint64](dst []T, src []int64) {
	for i, v := range src {
		dst[i] = T(v)
	}
}

// SetFloat64s stores values in row-major order into a contiguous tensor, rounding to nearest even
// for floating-point types and truncating toward zero for integers.
func (t *Tensor) SetFloat64s(v []float64) {
	if len(v) != t.Len() {
		panic(Err("tensor.SetFloat64s", "shape ", t.shape, " needs ", t.Len(), " values, got ", len(v)))
	}
	switch t.dtype {
	case Float32:
		d := Data[float32](t)
		for i, x := range v {
			d[i] = float32(x)
		}
	case Float64:
		copy(Data[float64](t), v)
	case Float16, BFloat16:
		d, f := Data[uint16](t), miniFormats[t.dtype]
		for i, x := range v {
			d[i] = uint16(f.encode(x))
		}
	case Float8E4M3FN, Float8E4M3FNUZ, Float8E5M2, Float8E5M2FNUZ, Float8E8M0:
		d, f := Data[uint8](t), miniFormats[t.dtype]
		for i, x := range v {
			d[i] = uint8(f.encode(x))
		}
	case Float4E2M1:
		d, f := t.Bytes(), miniFormats[t.dtype]
		for i, x := range v {
			sh := 4 * (i & 1)
			d[i/2] = d[i/2]&^(15<<sh) | uint8(f.encode(x))<<sh
		}
	case Bool:
		d := t.Bytes()
		for i, x := range v {
			d[i] = 0
			if x != 0 {
				d[i] = 1
			}
		}
	case Uint64:
		d := Data[uint64](t)
		for i, x := range v {
			switch {
			case !(x > 0):
				d[i] = 0
			case x >= math.MaxUint64:
				d[i] = math.MaxUint64
			default:
				d[i] = uint64(x)
			}
		}
	default:
		w := make([]int64, len(v))
		for i, x := range v {
			w[i] = truncate(x)
		}
		t.SetInt64s(w)
	}
}

// SetInt64s stores values in row-major order into a contiguous tensor; integers wrap to the
// width of the element type.
func (t *Tensor) SetInt64s(v []int64) {
	if len(v) != t.Len() {
		panic(Err("tensor.SetInt64s", "shape ", t.shape, " needs ", t.Len(), " values, got ", len(v)))
	}
	switch t.dtype {
	case Int64:
		copy(Data[int64](t), v)
	case Uint64:
		narrow(Data[uint64](t), v)
	case Int32:
		narrow(Data[int32](t), v)
	case Uint32:
		narrow(Data[uint32](t), v)
	case Int16:
		narrow(Data[int16](t), v)
	case Uint16:
		narrow(Data[uint16](t), v)
	case Int8:
		narrow(Data[int8](t), v)
	case Uint8:
		narrow(Data[uint8](t), v)
	case Bool:
		d := t.Bytes()
		for i, x := range v {
			d[i] = 0
			if x != 0 {
				d[i] = 1
			}
		}
	case Int4, Uint4, Int2, Uint2:
		w := t.dtype.Bits()
		d, per := t.Bytes(), 8/w
		for i, x := range v {
			sh, m := w*(i%per), byte(1<<w-1)
			d[i/per] = d[i/per]&^(m<<sh) | byte(x)&m<<sh
		}
	case String, Complex64, Complex128, Undefined:
		panic(Err("tensor", "elements of type ", t.dtype, " cannot be set from integers"))
	default:
		w := make([]float64, len(v))
		for i, x := range v {
			w[i] = float64(x)
		}
		t.SetFloat64s(w)
	}
}
