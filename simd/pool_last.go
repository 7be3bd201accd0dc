package simd

// Pooling of channels-last images: lanes run over channels.

// poolRun is a run of output pixels of one row whose windows have the same taps, for all channels.
type poolRun struct {
	x      *float32 // first channel of the first pixel's origin
	y      *float32
	offs   *int32 // per tap, bytes from a pixel's origin
	pixels int
	taps   int // at least 1
	xs, ys int // bytes between pixels
	c      int // channels
	avg    int // 1: the mean, else the maximum
	div    float32
	mask   *int32 // lanes of the vector after the whole ones, as words; nil when there is none
}

// poolTaps is how many taps a window may have for the kernels.
const poolTaps = 256

// MaxPoolLast is [MaxPool2D] of x[Planes,H,W,C] into y[Planes,OH,OW,C]. Only rows from <= r < to of the Planes*OH are computed.
func MaxPoolLast(s *PoolShape, c int, y, x []float32, from, to int) {
	poolLast(s, c, y, x, false, false, from, to)
}

// AvgPoolLast is [AvgPool2D] of x[Planes,H,W,C] into y[Planes,OH,OW,C]. Only rows from <= r < to of the Planes*OH are computed.
func AvgPoolLast(s *PoolShape, c int, y, x []float32, includePad bool, from, to int) {
	poolLast(s, c, y, x, true, includePad, from, to)
}

func poolLast(s *PoolShape, c int, y, x []float32, avg, includePad bool, from, to int) {
	dh, dw := max(s.DH, 1), max(s.DW, 1)
	var offs [poolTaps]int32
	for r := from; r < to; r++ {
		n, oh := r/s.OH, r%s.OH
		h, h0, h1 := window(oh, s.SH, dh, s.PT, s.KH, s.H)
		for ow := 0; ow < s.OW; {
			w, w0, w1 := window(ow, s.SW, dw, s.PL, s.KW, s.W)
			taps := max(h1-h0, 0) * max(w1-w0, 0)
			out := y[(r*s.OW+ow)*c:]
			if taps == 0 {
				v := -inf32
				if avg {
					v = 0
				}
				for i := range c {
					out[i] = v
				}
				ow++
				continue
			}
			div := float32(1)
			if avg {
				div = s.count(oh, ow, taps, includePad)
			}
			end := ow + 1 // of the run
			for end < s.OW {
				_, a, b := window(end, s.SW, dw, s.PL, s.KW, s.W)
				if a != w0 || b != w1 || avg && s.count(oh, end, taps, includePad) != div {
					break
				}
				end++
			}
			image := x[n*s.H*s.W*c:]
			origin := ((h+h0*dh)*s.W + w + w0*dw) * c
			if f := current.conv.pool; f != nil && taps <= poolTaps {
				i := 0
				for a := range h1 - h0 {
					for b := range w1 - w0 {
						offs[i] = int32(4 * (a*dh*s.W + b*dw) * c)
						i++
					}
				}
				run := poolRun{x: &image[origin], y: &out[0], offs: &offs[0], pixels: end - ow, taps: taps, xs: 4 * s.SW * c, ys: 4 * c, c: c, div: div}
				if avg {
					run.avg = 1
				}
				f(noescape(&run))
				ow = end
				continue
			}
			for ; ow < end; ow++ {
				poolPixelGeneric(y[(r*s.OW+ow)*c:][:c], image[origin:], (h1 - h0), (w1 - w0), dh*s.W*c, dw*c, avg, div)
				origin += s.SW * c
			}
		}
	}
}

// poolPixelGeneric computes all channels of one output pixel from kh x kw taps.
func poolPixelGeneric(y, x []float32, kh, kw, rowStep, colStep int, avg bool, div float32) {
	for i := range y {
		m := x[i]
		for t := 1; t < kh*kw; t++ {
			v := x[t/kw*rowStep+t%kw*colStep+i]
			switch {
			case avg:
				m += v
			case newer(v, m):
				m = v
			}
		}
		if avg {
			m /= div
		}
		y[i] = m
	}
}
