package oip

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// decimal is a JSON number: m times 10 to the power of e, negative or not.
type decimal struct {
	m    uint64
	e    int
	neg  bool
	long bool // more than 19 digits: m says nothing
}

// lex reads the JSON number that begins at p and returns where it ends; -1 if none begins there.
func lex(b []byte, p int) (d decimal, next int) {
	if p < len(b) && b[p] == '-' {
		d.neg = true
		p++
	}
	start, dot := p, 0
	if p < len(b) && b[p] == '0' {
		p++
	} else {
		for p < len(b) && b[p]-'0' < 10 {
			d.m = d.m*10 + uint64(b[p]-'0')
			p++
		}
		if p == start {
			return d, -1
		}
	}
	if p < len(b) && b[p] == '.' {
		p++
		dot = 1
		from := p
		for len(b)-p >= 8 {
			v := binary.LittleEndian.Uint64(b[p:])
			if !eightDigits(v) {
				break
			}
			d.m = d.m*100000000 + parseEight(v)
			p += 8
		}
		for p < len(b) && b[p]-'0' < 10 {
			d.m = d.m*10 + uint64(b[p]-'0')
			p++
		}
		if p == from {
			return d, -1
		}
		d.e = from - p
	}
	if p-start-dot > 19 { // 19 digits fit 64 bits
		i := start
		for i < p && (b[i] == '0' || b[i] == '.') {
			if b[i] == '.' {
				dot = 0
			}
			i++
		}
		d.long = p-i-dot > 19
	}
	if p < len(b) && b[p]|0x20 == 'e' {
		p++
		neg := false
		if p < len(b) && (b[p] == '+' || b[p] == '-') {
			neg = b[p] == '-'
			p++
		}
		from, e := p, 0
		for p < len(b) && b[p]-'0' < 10 {
			e = min(e*10+int(b[p]-'0'), 1e8) // far beyond what any type holds
			p++
		}
		if p == from {
			return d, -1
		}
		if neg {
			e = -e
		}
		d.e += e
	}
	return d, p
}

// eightDigits reports whether the 8 bytes of v are decimal digits: each has 3 as its high half, also after 6 is added to it.
func eightDigits(v uint64) bool {
	const high, three = 0xf0f0f0f0f0f0f0f0, 0x3030303030303030
	return v&high == three && (v+0x0606060606060606)&high == three
}

// parseEight returns the number that 8 digits name, the first in the low byte: pairs, then fours, then all.
func parseEight(v uint64) uint64 {
	v -= 0x3030303030303030
	v = v*10 + v>>8
	const mask = 0x000000ff000000ff
	return ((v&mask)*(100+1000000<<32) + (v>>16&mask)*(1+10000<<32)) >> 32
}

// tens are the powers of ten that float64 holds exactly.
var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// exact64 returns d rounded once, where one operation on exact float64 numbers gives that.
func (d *decimal) exact64() (float64, bool) {
	if d.long || d.m >= 1<<53 || d.e < -22 || d.e > 22 {
		return 0, false
	}
	if d.e < 0 {
		return float64(d.m) / tens[-d.e], true
	}
	return float64(d.m) * tens[d.e], true
}

// round returns the mantissa of the given width and the binary exponent nearest to d (mant times 2 to the power of exp), and whether it is sure of them.
//
// The product of m (shifted to 64 bits) and the upper 64 bits of the power of ten, both exact or cut off, is below the true one by less than 2 units of its
// upper half: m's times the part cut off the power is less than one, the product's lower half less than another. Unless half of the last place lies within
// that, both ends round to the same number. This is the idea of Eisel and Lemire's conversion ("Number Parsing at a Gigabyte per Second", 2021) with half the
// table, because the rare number that it leaves to strconv costs less than the table.
func (d *decimal) round(width int) (mant uint64, exp int, ok bool) {
	if d.long || d.m == 0 || d.e < minPower || d.e > maxPower {
		return 0, 0, false
	}
	lz := bits.LeadingZeros64(d.m)
	hi, _ := bits.Mul64(d.m<<lz, powers[d.e-minPower])
	exp = 1 - lz + d.e*217706>>16 // the last term: the power of two at or below 10 to the power of e
	slack := uint64(2)
	if hi>>63 == 0 {
		hi <<= 1
		slack = 4
		exp--
	}
	drop := 64 - width
	low, half := hi&(1<<drop-1), uint64(1)<<(drop-1)
	mant = hi >> drop
	if low >= half {
		mant++ // may become 1<<width, which is as good
	}
	return mant, exp + drop, low > half || low+slack <= half
}

// parse32 reads a JSON number as the float32 nearest to it, ties to even, the same as strconv.ParseFloat; next is -1 if there is none or it is too large.
func parse32(b []byte, p int) (v float32, next int) {
	d, next := lex(b, p)
	if next < 0 {
		return 0, -1
	}
	if f, ok := d.exact64(); ok && math.Float64bits(f)&(1<<29-1) != 1<<28 {
		// Rounding twice errs only where the first lands on the middle between two float32: every other float64 is on the true number's side of it.
		// All of these are zero or in float32's normal range.
		v = float32(f)
	} else if mant, exp, ok := d.round(24); ok && exp >= -149 && exp < 104 {
		v = float32(mant) * math.Float32frombits(uint32(exp/2+127)<<23) * math.Float32frombits(uint32(exp-exp/2+127)<<23)
	} else {
		f, err := strconv.ParseFloat(string(b[p:next]), 32)
		if err != nil {
			return 0, -1
		}
		return float32(f), next
	}
	if d.neg {
		v = -v
	}
	return v, next
}

// parse64 is parse32 for float64.
func parse64(b []byte, p int) (v float64, next int) {
	d, next := lex(b, p)
	if next < 0 {
		return 0, -1
	}
	if f, ok := d.exact64(); ok {
		v = f
	} else if mant, exp, ok := d.round(53); ok {
		v = float64(mant) * math.Float64frombits(uint64(exp+1023)<<52) // the table's powers stay in the normal range
	} else {
		f, err := strconv.ParseFloat(string(b[p:next]), 64)
		if err != nil {
			return 0, -1
		}
		return f, next
	}
	if d.neg {
		v = -v
	}
	return v, next
}

// parseInt reads a JSON number that is a whole number and fits: its absolute value, and whether it is negative; next is -1 otherwise.
func parseInt(b []byte, p int) (mag uint64, neg bool, next int) {
	i := p
	if i < len(b) && b[i] == '-' {
		neg = true
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' < 10 {
		mag = mag*10 + uint64(b[i]-'0')
		i++
	}
	if n := i - start; n > 0 && n <= 19 && (b[start] != '0' || n == 1) && (i == len(b) || b[i] != '.' && b[i]|0x20 != 'e') {
		return mag, neg, i
	}
	return parseWhole(b, p)
}

// parseWhole is parseInt for numbers with a fraction or exponent, or of 20 digits and more.
func parseWhole(b []byte, p int) (mag uint64, neg bool, next int) {
	d, next := lex(b, p)
	if next < 0 {
		return 0, false, -1
	}
	// The zeros at the end, before the exponent and on both sides of the point, go into the exponent: whole if it is not negative then.
	end, e := p, d.e
	for end < next && b[end]|0x20 != 'e' {
		end++
	}
	for end > p && (b[end-1] == '0' || b[end-1] == '.') {
		end--
		if b[end] == '0' {
			e++
		}
	}
	for _, c := range b[p:end] {
		if c == '-' || c == '.' {
			continue
		}
		hi, lo := bits.Mul64(mag, 10)
		lo, carry := bits.Add64(lo, uint64(c-'0'), 0)
		if hi+carry != 0 {
			return 0, false, -1
		}
		mag = lo
	}
	if mag == 0 {
		return 0, d.neg, next
	}
	if e < 0 || e > 19 {
		return 0, false, -1
	}
	for ; e > 0; e-- {
		hi, lo := bits.Mul64(mag, 10)
		if hi != 0 {
			return 0, false, -1
		}
		mag = lo
	}
	return mag, d.neg, next
}
