package oip

import (
	"math"
	"math/bits"
)

// shortest32 returns the decimal number d times 10 to the power of k with the fewest digits among those that read back as f, and of these the nearest to f.
// f must be positive and normal. It is Giulietti's Schubfach ("The Schubfach way to render doubles", 2021) with the table that reading has.
func shortest32(f float32) (d uint32, k int) {
	b := math.Float32bits(f)
	frac, e := b&(1<<23-1), int(b>>23)
	c, q := frac|1<<23, e-150 // f is c times 2 to the power of q
	if q <= 0 && q > -24 && c&(1<<-q-1) == 0 {
		return c >> -q, 0
	}
	// The numbers that round to f lie between these, in quarters of 2 to the power of q; the ends belong to them where c is even.
	lower, mid, upper := 4*c-2, 4*c, 4*c+2
	near := 0
	if frac == 0 && e > 1 { // the next smaller float32 is only half as far away
		lower++
		near = 524031
	}
	k = (q*1262611 - near) >> 22 // 10 to the power of k is at most the width of that interval
	h := q + (-k*217706)>>16 + 1
	g := powers[-k-minPower]
	if -k < 0 || -k > 27 {
		g++ // rounded up, where it is not exact
	}
	l, m, u := odd(g, lower<<h), odd(g, mid<<h), odd(g, upper<<h)
	if c&1 != 0 {
		l++
		u--
	}
	s := m / 4
	if s >= 10 { // one digit fewer, if exactly one of the two numbers around f does
		t := s / 10
		if down, up := l <= 40*t, 40*t+40 <= u; down != up {
			if up {
				t++
			}
			return t, k + 1
		}
	}
	down, up := l <= 4*s, 4*s+4 <= u
	if down == up {
		up = m > 4*s+2 || m == 4*s+2 && s&1 != 0
	}
	if up {
		s++
	}
	return s, k
}

// odd returns the upper 32 bits of the 96 of g times c, the lowest set if any bit below the next is: enough to compare with whole and half numbers.
func odd(g uint64, c uint32) uint32 {
	hi, lo := bits.Mul64(g, uint64(c))
	r := uint32(hi)
	if lo>>32 > 1 {
		r |= 1
	}
	return r
}

// appendShortest appends f, from 1e-6 to below 1e21 and not an integer too large for it, without exponent and with a point.
func appendShortest(dst []byte, f float32) []byte {
	d, k := shortest32(f)
	for d%10 == 0 {
		d /= 10
		k++
	}
	const zeros = "000000000000000000000"
	var buf [10]byte
	i := len(buf)
	for ; d > 0; d /= 10 {
		i--
		buf[i] = byte('0' + d%10)
	}
	digits := buf[i:]
	switch point := len(digits) + k; {
	case point <= 0:
		dst = append(append(dst, "0."...), zeros[:-point]...)
		return append(dst, digits...)
	case k >= 0:
		dst = append(append(dst, digits...), zeros[:k]...)
		return append(dst, ".0"...)
	default:
		dst = append(append(dst, digits[:point]...), '.')
		return append(dst, digits[point:]...)
	}
}
