package tensor

import "math"

// miniFormat describes a floating-point format of at most 16 bits. Sources: IEEE 754 (float16),
// bfloat16, and the float8 and float4 sections of the ONNX specification.
type miniFormat struct {
	exp, man, bias int
	inf            bool   // has infinities; otherwise overflow gives NaN (or the largest value for float4)
	nan            uint32 // the pattern that NaN encodes to
	max            uint32 // pattern of the largest finite value, without sign
	uz             bool   // no negative zero: its pattern is the one NaN
	unsigned       bool   // float8e8m0: exponent only
}

var miniFormats = [...]miniFormat{
	Float16:        {exp: 5, man: 10, bias: 15, inf: true, nan: 0x7e00, max: 0x7bff},
	BFloat16:       {exp: 8, man: 7, bias: 127, inf: true, nan: 0x7fc0, max: 0x7f7f},
	Float8E4M3FN:   {exp: 4, man: 3, bias: 7, nan: 0x7f, max: 0x7e},
	Float8E4M3FNUZ: {exp: 4, man: 3, bias: 8, nan: 0x80, max: 0x7f, uz: true},
	Float8E5M2:     {exp: 5, man: 2, bias: 15, inf: true, nan: 0x7f, max: 0x7b},
	Float8E5M2FNUZ: {exp: 5, man: 2, bias: 16, nan: 0x80, max: 0x7f, uz: true},
	Float4E2M1:     {exp: 2, man: 1, bias: 1, nan: 7, max: 7},
	Float8E8M0:     {exp: 8, bias: 127, nan: 0xff, max: 0xfe, unsigned: true},
}

func (f miniFormat) decode(b uint32) float64 {
	if f.unsigned {
		if b == 0xff {
			return math.NaN()
		}
		return math.Ldexp(1, int(b)-f.bias)
	}
	bits := f.exp + f.man
	mag, neg := b&(1<<bits-1), b>>bits&1 != 0
	if f.uz && neg && mag == 0 {
		return math.NaN()
	}
	if mag > f.max {
		if f.inf && mag == f.max+1 {
			if neg {
				return math.Inf(-1)
			}
			return math.Inf(1)
		}
		return math.NaN()
	}
	e, m := int(mag>>f.man), float64(mag&(1<<f.man-1))
	var v float64
	if e == 0 {
		v = math.Ldexp(m, 1-f.bias-f.man)
	} else {
		v = math.Ldexp(m+float64(int(1)<<f.man), e-f.bias-f.man)
	}
	if neg {
		return -v
	}
	return v
}

// encode rounds to nearest, ties to even. Overflow gives infinity where the format has one,
// otherwise the largest finite value (ONNX Cast with saturate = 1, its default).
func (f miniFormat) encode(v float64) uint32 {
	if v != v {
		return f.nan
	}
	if f.unsigned {
		if v <= 0 {
			return 0
		}
		_, e := math.Frexp(v)
		e = e - 1 + f.bias
		if math.Ldexp(v, -(e-f.bias)) > math.Sqrt2 { // nearest power of two, in the logarithm
			e++
		}
		return uint32(min(max(e, 0), int(f.max)))
	}
	var sign uint32
	if math.Signbit(v) {
		sign, v = 1<<(f.exp+f.man), -v
	}
	e := 1 - f.bias
	if v > 0 && !math.IsInf(v, 1) {
		_, x := math.Frexp(v)
		e = max(e, x-1)
	}
	var mag uint32
	if math.IsInf(v, 1) {
		mag = f.max + 1
	} else {
		q := math.RoundToEven(math.Ldexp(v, f.man-e)) // in units of the last place
		if q >= math.Ldexp(1, 31) {
			mag = f.max + 1
		} else if int(q) < 1<<f.man { // subnormal
			mag = uint32(q)
		} else if biased := e + f.bias; biased >= 1<<f.exp+1 {
			mag = f.max + 1
		} else {
			mag = uint32(biased-1)<<f.man + uint32(q) // q carries the implicit bit into the exponent
		}
	}
	if mag > f.max {
		mag = f.max
		if f.inf {
			mag = f.max + 1
		}
	}
	if f.uz && mag == 0 {
		return 0
	}
	return sign | mag
}
