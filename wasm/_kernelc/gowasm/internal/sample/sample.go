// Package sample holds small functions that between them use all of Go that package gowasm compiles. Tests run them compiled
// by Go and by gowasm and compare what they leave in memory.
package sample

import (
	"math"
	"math/bits"
	"unsafe"
)

// All lists the functions by name.
var All = map[string]func(x []float32, n, out []int64){
	"Arithmetic": Arithmetic, "Shifts": Shifts, "Narrow": Narrow, "Floats": Floats, "Conversions": Conversions, "Loops": Loops,
	"Switches": Switches, "Slices": Slices, "Structs": Structs, "Arrays": Arrays, "Results": Results, "Closures": Closures,
	"Generics": Generics, "Tables": Tables, "Bits": Bits, "Math": Math, "Pointers": Pointers, "Nested": Nested, "PhiSwap": PhiSwap,
}

func Arithmetic(x []float32, n, out []int64) {
	a, b := n[0], n[1]
	out[0], out[1], out[2], out[3] = a+b, a-b, a*b, a&^b|a^b
	if b != 0 {
		out[4], out[5] = a/b, a%b
		out[6], out[7] = a/7, a%7
		out[8] = int64(uint64(a) / uint64(b))
		out[9] = int64(uint32(a) / (uint32(b) | 1))
		out[10] = int64(int32(a) / (int32(b) | 1))
	}
	out[11] = -a
	out[12] = ^a
	lowest := int64(math.MinInt64)
	out[13] = lowest / (b | -1)
	low := int32(math.MinInt32)
	out[14] = int64(low / int32(b|-1))
	out[15] = min(a, b, 5)
	out[16] = max(a, b, -5)
	out[17] = int64(max(uint32(a), uint32(b)))
}

func Shifts(x []float32, n, out []int64) {
	a, s := n[0], uint(n[1])&127
	out[0], out[1], out[2] = a<<s, a>>s, int64(uint64(a)>>s)
	out[3], out[4], out[5] = int64(int32(a)<<s), int64(int32(a)>>s), int64(uint32(a)>>s)
	out[6], out[7], out[8] = a<<3, a>>63&1, int64(uint8(a)<<(s&15))
	out[9] = int64(int8(a) >> (s & 15))
	out[10] = int64(int16(a) << 5)
}

func Narrow(x []float32, n, out []int64) {
	a, b := int8(n[0]), int8(n[1])
	out[0], out[1], out[2] = int64(a+b), int64(a*b), int64(-a)
	c, d := uint8(n[0]), uint8(n[1])
	out[3], out[4], out[5], out[6] = int64(c+d), int64(c-d), int64(c*d), int64(^c)
	e, f := uint16(n[0]), int16(n[1])
	out[7], out[8], out[9] = int64(e<<3), int64(f-30000), int64(int16(e)+f)
	out[10] = int64(uint16(int8(n[0])))
	out[11] = int64(uint32(int8(n[0])))
	out[12] = int64(uint8(int8(n[0])))
	if uint8(c+d) < c {
		out[13] = 1
	}
	out[14] = int64(int32(n[0]) + int32(n[1])*3)
	out[15] = int64(uint32(n[0]) * uint32(n[1]))
}

func Floats(x []float32, n, out []int64) {
	a, b := x[0], x[1]
	p, q := float64(a), float64(b)
	put := func(i int, v float32) { out[i] = int64(math.Float32bits(v)) }
	put(0, a+b)
	put(1, a-b)
	put(2, a*b)
	put(3, a/b)
	put(4, -a)
	put(5, min(a, b))
	put(6, max(a, b))
	out[7] = int64(math.Float64bits(p*q + q))
	if a < b {
		out[8] = 1
	}
	if a != a || b >= a {
		out[9] = 1
	}
	if !(a > b) {
		out[10] = 1
	}
	put(11, float32(p/3))
}

func Conversions(x []float32, n, out []int64) {
	a, f := n[0], x[0]
	out[0], out[1] = int64(math.Float32bits(float32(a))), int64(math.Float64bits(float64(a)))
	out[2], out[3] = int64(math.Float32bits(float32(uint64(a)))), int64(math.Float32bits(float32(int32(a))))
	out[4] = int64(math.Float32bits(float32(uint32(a))))
	out[5], out[6], out[7] = int64(f), int64(int32(f)), int64(uint8(int32(f)))
	out[8] = int64(float64(f) * 3)
	out[9] = int64(int16(a))
	out[10] = int64(uint64(uint32(a)) + uint64(uint16(a)))
	out[11] = int64(uint64(max(f, 0)))
}

func Loops(x []float32, n, out []int64) {
	for i := range x {
		for j := i; j < len(x); j += 3 {
			if j%5 == 2 {
				continue
			}
			if j > 20 {
				break
			}
			out[0] += int64(i * j)
		}
	}
outer:
	for i := range 10 {
		for j := range 10 {
			switch {
			case j == 7:
				continue outer
			case i == 8:
				break outer
			}
			out[1]++
		}
	}
	k := 0
	for k < 100 {
		k += int(n[0]&3) + 1
	}
	out[2] = int64(k)
	for _, v := range n {
		out[3] ^= v
	}
	for i := len(n) - 1; i >= 0; i-- {
		out[4] = out[4]*31 + n[i]
	}
}

func Switches(x []float32, n, out []int64) {
	for i := range 12 {
		switch i {
		case 0, 3:
			out[i] = 1
		case 1:
			out[i] = 2
			fallthrough
		case 5:
			out[i] += 4
		default:
			out[i] = -1
		case 7, 8, 9:
			if n[0] > 0 {
				break
			}
			out[i] = 9
		}
	}
}

func Slices(x []float32, n, out []int64) {
	y := x[2:10]
	out[0], out[1] = int64(len(y)), int64(cap(y))
	z := y[1:3:5]
	out[2], out[3] = int64(len(z)), int64(cap(z))
	out[4] = int64(copy(x[4:], x[:6]))
	clear(x[12:14])
	z = z[:cap(z)]
	z[3] = 42
	var none []float32
	if none == nil && y != nil {
		out[5] = 7
	}
	out[6] = int64(len(none[:0]))
	pair := [2][]float32{x[:3], x[5:9]}
	for i, p := range pair {
		out[7+i] = int64(len(p))
	}
	w := *(*[4]float32)(x[8:12])
	w[1] = 5
	*(*[4]float32)(x[14:]) = w
}

type point struct {
	a   int32
	x   float32
	in  [2]int16
	ptr *point
	s   []int64
}

func (p *point) bump(by int32) int32 {
	p.a += by
	p.in[1]++
	return p.a
}

func (p point) sum() int64 { return int64(p.a) + int64(p.in[0]) + int64(p.in[1]) + int64(len(p.s)) }

func Structs(x []float32, n, out []int64) {
	p := point{a: int32(n[0]), x: x[0], s: out[:3]}
	q := &point{a: 5, ptr: &p}
	out[0] = int64(p.bump(3))
	out[1] = int64(q.ptr.bump(4))
	out[2] = p.sum()
	r := p
	r.a++
	r.in = [2]int16{7, 8}
	out[3], out[4] = r.sum(), p.sum()
	q.ptr = &r
	out[5] = int64(q.ptr.in[1])
	for i := range 3 {
		var fresh point
		fresh.bump(int32(i))
		out[6] += int64(fresh.a)
	}
	p.s[1] += 100
}

func Arrays(x []float32, n, out []int64) {
	var acc [32]float32
	for i, v := range x {
		acc[i%32] += v
	}
	for i := range acc {
		out[i%16] += int64(math.Float32bits(acc[i]))
	}
	var grid [3][4]int32
	for i := range 12 {
		grid[i/4][i%4] = int32(i * i)
	}
	out[16] = int64(grid[2][1] + grid[1][3])
	a := [4]int64{1, 2, 3, n[0]}
	b := a
	b[n[1]&3] = 9
	out[17], out[18] = a[3], b[0]+b[1]*10+b[2]*100
	out[19] = int64(len(a))
}

func divmod(a, b int64) (q, r int64, ok bool) {
	if b == 0 {
		return 0, 0, false
	}
	return a / b, a % b, true
}

func pick(x []float32, first bool) ([]float32, int) {
	if first {
		return x[:2], 2
	}
	return x[3:], len(x) - 3
}

func Results(x []float32, n, out []int64) {
	q, r, ok := divmod(n[0], n[1])
	out[0], out[1] = q, r
	if ok {
		out[2] = 1
	}
	_, _, ok = divmod(1, 0)
	if !ok {
		out[3] = 1
	}
	y, k := pick(x, n[0] > 0)
	out[4], out[5] = int64(len(y)), int64(k)
}

func apply(x []float32, f func(i int, v float32) float32) {
	for i, v := range x {
		x[i] = f(i, v)
	}
}

func Closures(x []float32, n, out []int64) {
	apply(x, double)
	total, scale := float32(0), float32(n[0])
	apply(x, func(i int, v float32) float32 {
		total += v
		return v * scale
	})
	out[0] = int64(math.Float32bits(total))
	each := func(f func(k int64)) {
		for _, v := range n {
			f(v)
		}
	}
	each(func(k int64) { out[1] += k })
}

func double(_ int, v float32) float32 { return v + v }

func sum[T int32 | int64 | float32](x []T, by T) T {
	var s T
	for _, v := range x {
		s += v * by
	}
	return s
}

func cast[T int32 | uint8](b []int64) []T {
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)*8/int(unsafe.Sizeof(z)))
}

func Generics(x []float32, n, out []int64) {
	out[0] = int64(math.Float32bits(sum(x, 2)))
	out[1] = sum(n, 3)
	c := cast[int32](n)
	out[2] = int64(sum(c, 1))
	out[3] = int64(len(c))
	for i, v := range cast[uint8](n) {
		out[4] += int64(v) * int64(i)
	}
}

var coefficients = [...]float32{1, 0.5, -0.25, 1e-10, math.Pi}

var masks = [16]int32{-1, -1, 0, 5, 12: 77}

var pairs = [3]struct {
	a uint8
	b float64
}{{1, 2.5}, {3, 1e300}, {200, -1}}

func Tables(x []float32, n, out []int64) {
	var y float32
	for _, c := range coefficients[:] {
		y = y*x[0] + c
	}
	out[0] = int64(math.Float32bits(y))
	for i := range 16 {
		out[1] = out[1]*3 + int64(masks[i])
	}
	p := &pairs[n[0]&1+1]
	out[2], out[3] = int64(p.a), int64(math.Float64bits(p.b))
}

func Bits(x []float32, n, out []int64) {
	u := uint64(n[0])
	out[0], out[1], out[2] = int64(bits.LeadingZeros64(u)), int64(bits.TrailingZeros64(u)), int64(bits.OnesCount64(u))
	hi, lo := bits.Mul64(u, uint64(n[1])|0xF000000000000001)
	out[3], out[4] = int64(hi), int64(lo)
	out[5] = int64(bits.RotateLeft32(uint32(u), 7))
	out[6] = int64(bits.Len64(u))
	s, c := bits.Add64(u, u, 1)
	out[7], out[8] = int64(s), int64(c)
	out[9] = int64(bits.Len32(uint32(u)))
	out[10] = int64(bits.RotateLeft64(u, -9))
}

func Math(x []float32, n, out []int64) {
	for i, f := range [...]float64{
		math.Sqrt(float64(x[0])), math.Floor(float64(x[1])), math.Ceil(float64(x[1])), math.RoundToEven(float64(x[2])), math.Trunc(float64(x[2])),
		math.Copysign(3, float64(x[1])), math.Abs(float64(x[1])), math.FMA(float64(x[0]), float64(x[1]), float64(x[2])), math.Exp(float64(x[0])),
		math.Log(float64(x[0])), math.Sin(float64(x[0])), math.Pow(float64(x[0]), 1.7), math.Tanh(float64(x[1])), math.Inf(-1), math.Atan(float64(x[1])),
	} {
		out[i] = int64(math.Float64bits(f))
	}
	if math.IsNaN(float64(x[0])) || math.IsInf(float64(x[1]), 1) {
		out[20] = 1
	}
}

func at(p *float32, i int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), 4*i)) }

func Pointers(x []float32, n, out []int64) {
	p := &x[3]
	*at(p, 2) = *at(p, -1) + 1
	out[0] = int64(uintptr(unsafe.Pointer(&x[5])) - uintptr(unsafe.Pointer(&x[0])))
	*(*int32)(unsafe.Pointer(&x[7])) = 12345
	var none *float32
	if none == nil {
		out[1] = 3
	}
	if unsafe.SliceData(x) == &x[0] {
		out[2] = 4
	}
	*(*int64)(unsafe.Add(unsafe.Pointer(&out[2]), unsafe.Sizeof(out[0]))) = 99
}

func Nested(x []float32, n, out []int64) {
	for i := 0; i < 8; i++ {
		if i&1 == 0 {
			if i&2 == 0 {
				out[0] += 1
			} else if n[0] > 0 && n[1] > 0 || i == 6 {
				out[1] += 2
			}
		} else {
			for j := i; ; j-- {
				if j < 0 {
					break
				}
				if out[2] > 1000 {
					return
				}
				out[2] += int64(j) * n[0] & 0xFF
			}
		}
		out[3]++
	}
	out[4] = 1
}

func PhiSwap(x []float32, n, out []int64) {
	a, b := n[0], n[1]
	for i := 0; i < int(n[2]&15); i++ {
		a, b = b, a+1
	}
	out[0], out[1] = a, b
}

// Fail panics unless n is positive; calls of it end early.
func Fail(x []float32, n, out []int64) {
	out[0] = 1
	out[1] = positive(n[0])
	out[2] = 3
}

func positive(n int64) int64 {
	if n <= 0 {
		panic("not positive")
	}
	return n * 2
}

// FailSmall is Fail with functions that are compiled in place of their calls.
func FailSmall(x []float32, n, out []int64) {
	out[0] = 1
	out[1] = checked(n[0]) * 2
	out[2] = 3
}

func checked(n int64) int64 {
	if n <= 0 {
		refuse()
	}
	return n
}

func refuse() { panic("not positive") }
