//go:build !noasm && (amd64 || arm64 || js)

package simd

// The input gradient of a depthwise convolution of stride one is the convolution of dy with the kernel turned by half a turn. That multiplies
// zeros beside dy, which changes nothing while the weights are finite; where they are not, the portable loops run.

// flipped returns the convolution that computes the input gradient.
func (s *ConvShape) flipped() ConvShape {
	f := *s
	f.H, f.W, f.OH, f.OW = s.OH, s.OW, s.H, s.W
	f.PT, f.PL = (s.KH-1)*s.DH-s.PT, (s.KW-1)*s.DW-s.PL
	f.PB, f.PR = f.PT, f.PL
	return f
}

// The packed buffer holds a word that is zero if the weights are finite, zeros to start from, the weights, the turned weights, and those packed.
func (s *ConvShape) flipParts() (zeros, weights, turned, packed int) {
	n := s.C * s.KH * s.KW
	return 1, 1 + s.C, 1 + s.C + n, roundUp(1+s.C+2*n, 16)
}

func (t *tileSet) flipPackSize(s *ConvShape) int {
	f := s.flipped()
	_, _, _, at := s.flipParts()
	return at + t.convPackSize(&f)
}

func (t *tileSet) flipPack(s *ConvShape, dst, w []float32) {
	_, weights, turned, packed := s.flipParts()
	clear(dst[:weights])
	taps := s.KH * s.KW
	for i, v := range w[:s.C*taps] {
		dst[0] += v * 0 // NaN of an infinity or a NaN
		dst[weights+i] = v
		dst[turned+i/taps*taps+taps-1-i%taps] = v
	}
	f := s.flipped()
	t.convPack(&f, dst[packed:], dst[turned:packed])
}

func (t *tileSet) flipScratch(s *ConvShape) int {
	f := s.flipped()
	return t.convForwardScratch(&f)
}

func (t *tileSet) flipRun(s *ConvShape, dy, packed, dx []float32, part, parts int, scratch []float32) {
	zeros, weights, _, at := s.flipParts()
	if packed[0] != 0 {
		convGradInputGeneric(current.Class, s, dy, packed[weights:], dx, part, parts)
		return
	}
	f := s.flipped()
	lo, hi := ActNone.bounds(0, 0)
	t.convForward(&f, dy, packed[at:], packed[zeros:weights], nil, dx, lo, hi, part, parts, scratch)
}
