package random

import (
	"errors"
	"math"
	"math/bits"

	"github.com/weft-ml/weft/core/internal/detmath"
)

// Source is a position in the sequence of one (seed, stream). The zero value is the start of
// seed 0, stream 0. A Source is small: copy it to fork a position. It is not safe for concurrent
// use; give every goroutine or sample its own stream instead.
type Source struct {
	seed, stream uint64
	pos          uint64    // words drawn
	block        [4]uint32 // block pos/4, valid when pos%4 != 0
}

// New returns a Source at the start of the sequence of (seed, stream).
func New(seed, stream uint64) Source {
	return Source{seed: seed, stream: stream}
}

// Seed returns the seed.
func (s *Source) Seed() uint64 { return s.seed }

// Stream returns the stream number.
func (s *Source) Stream() uint64 { return s.stream }

// Pos returns how many 32-bit words have been drawn; Seek goes to such a position.
func (s *Source) Pos() uint64 { return s.pos }

// Seek moves to word pos of the sequence, in constant time.
func (s *Source) Seek(pos uint64) {
	s.pos = pos
	if pos%4 != 0 {
		s.block = Block(s.seed, s.stream, pos/4)
	}
}

// Uint32 returns the next word, uniform over all 32-bit values.
func (s *Source) Uint32() uint32 {
	i := s.pos % 4
	if i == 0 {
		s.block = Block(s.seed, s.stream, s.pos/4)
	}
	s.pos++
	return s.block[i]
}

// Uint64 returns the next two words, low word first.
func (s *Source) Uint64() uint64 {
	lo := s.Uint32()
	return uint64(s.Uint32())<<32 | uint64(lo)
}

// Float32 returns a number uniform in [0, 1), a multiple of 2^-24: the upper 24 bits of a word.
func (s *Source) Float32() float32 {
	return float32(s.Uint32()>>8) * (1.0 / (1 << 24))
}

// Float64 returns a number uniform in [0, 1), a multiple of 2^-53: the upper 53 bits of two words.
func (s *Source) Float64() float64 {
	return float64(s.Uint64()>>11) * (1.0 / (1 << 53))
}

// Uniform returns a number uniform in [lo, hi), up to rounding.
func (s *Source) Uniform(lo, hi float64) float64 {
	return lo + float64((hi-lo)*s.Float64())
}

// Normal returns a number from the standard normal distribution by the Box-Muller transform: it
// draws exactly four words, so that a sequence of normals can be sought (the n-th starts at word
// 4*n), which rejection methods cannot do. |result| < 8.6.
func (s *Source) Normal() float64 {
	u := 1 - s.Float64() // (0, 1]
	_, c := detmath.SinCosTurns(s.Float64())
	return float64(math.Sqrt(float64(-2*detmath.Log(u))) * c)
}

// IntN returns an int uniform in [0, n), without bias (Lemire, "Fast random integer generation in
// an interval", 2019). It panics if n <= 0.
func (s *Source) IntN(n int) int {
	if n <= 0 {
		panic("weft: random.IntN: the bound must be positive")
	}
	hi, lo := bits.Mul64(s.Uint64(), uint64(n))
	if lo < uint64(n) {
		for reject := -uint64(n) % uint64(n); lo < reject; {
			hi, lo = bits.Mul64(s.Uint64(), uint64(n))
		}
	}
	return int(hi)
}

// Perm returns a random permutation of 0 to n-1.
func (s *Source) Perm(n int) []int {
	p := make([]int, n)
	s.PermInto(p)
	return p
}

// PermInto fills p with a random permutation of 0 to len(p)-1, without allocating.
func (s *Source) PermInto(p []int) {
	for i := range p {
		p[i] = i
	}
	for i := len(p) - 1; i > 0; i-- {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], p[i]
	}
}

// Shuffle permutes n elements through swap (Fisher-Yates, from the last element down, as PermInto).
func (s *Source) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, s.IntN(i+1))
	}
}

// FillUniform fills dst with numbers uniform in [lo, hi): element i uses word Pos()+i.
func (s *Source) FillUniform(dst []float32, lo, hi float32) {
	for i := range dst {
		dst[i] = lo + float32((hi-lo)*s.Float32())
	}
}

// FillNormal fills dst with normal numbers of the given mean and standard deviation.
func (s *Source) FillNormal(dst []float32, mean, std float64) {
	for i := range dst {
		dst[i] = float32(mean + float64(std*s.Normal()))
	}
}

// stateLen is the length of a marshalled Source: a tag byte and three words of 64 bits.
const stateLen = 1 + 3*8

// stateTag names the generator and the layout of its state; another generator takes another tag.
const stateTag = 'P'

// AppendBinary appends the state, 25 bytes, to b: 'P', then seed, stream and position, little-endian.
func (s *Source) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, stateTag)
	for _, v := range [3]uint64{s.seed, s.stream, s.pos} {
		for range 8 {
			b = append(b, byte(v))
			v >>= 8
		}
	}
	return b, nil
}

// MarshalBinary returns the state as 25 bytes.
func (s *Source) MarshalBinary() ([]byte, error) {
	return s.AppendBinary(make([]byte, 0, stateLen))
}

// UnmarshalBinary restores a state written by MarshalBinary: the Source continues exactly there.
func (s *Source) UnmarshalBinary(b []byte) error {
	if len(b) != stateLen {
		return errors.New("weft: random: a saved state has 25 bytes; the data is truncated or not a random state")
	}
	if b[0] != stateTag {
		return errors.New("weft: random: the saved state is of another generator than Philox4x32-10")
	}
	var v [3]uint64
	for i, x := range b[1:] {
		v[i/8] |= uint64(x) << (i % 8 * 8)
	}
	*s = Source{seed: v[0], stream: v[1]}
	s.Seek(v[2])
	return nil
}
