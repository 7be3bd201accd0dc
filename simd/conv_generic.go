package simd

// The generic convolutions follow the formulas of their doc comments in the stated order, one output row at a
// time, with the row's accumulators side by side. They are the oracle, and what runs where there is no SIMD.

// inside returns the range of q in [0, n) for which 0 <= first+q*stride < size.
func inside(first, stride, size, n int) (lo, hi int) {
	if first < 0 {
		lo = (-first + stride - 1) / stride
	}
	if last := size - 1 - first; last < 0 {
		hi = 0
	} else {
		hi = last/stride + 1
	}
	lo, hi = min(lo, n), min(hi, n)
	return lo, max(lo, hi)
}

// rowAxpy computes acc[q] = a*src[first+q*stride] + acc[q], with src 0 outside its bounds.
func rowAxpy(class Class, acc, src []float32, first, stride int, a float32) {
	lo, hi := inside(first, stride, len(src), len(acc))
	var zero [genericBlock]float32
	axpyGeneric(class, acc[:lo], zero[:lo], a)
	axpyGeneric(class, acc[hi:], zero[:len(acc)-hi], a)
	switch {
	case lo == hi:
	case stride == 1:
		axpyGeneric(class, acc[lo:hi], src[first+lo:first+hi], a)
	case class == FMA:
		for q := lo; q < hi; q++ {
			acc[q] = fma32(a, src[first+q*stride], acc[q])
		}
	default:
		for q := lo; q < hi; q++ {
			acc[q] = mulAdd32(a, src[first+q*stride], acc[q])
		}
	}
}

// convRow is the running sum of one block of an output row: a chunk's accumulators and the sum of the earlier chunks.
type convRow struct {
	class    Class
	n, k     int // width, products added so far
	acc, sum [genericBlock]float32
}

// add adds the products of one k.
func (r *convRow) add(src []float32, first, stride int, a float32) {
	if r.k%KChunk == 0 && r.k > 0 {
		r.flush()
	}
	rowAxpy(r.class, r.acc[:r.n], src, first, stride, a)
	r.k++
}

// flush adds the chunk's sums to the total and starts a chunk.
func (r *convRow) flush() {
	if r.k <= KChunk {
		copy(r.sum[:r.n], r.acc[:r.n])
	} else {
		for q := range r.n {
			r.sum[q] += r.acc[q]
		}
	}
	clear(r.acc[:r.n])
}

// total returns the sums of the row.
func (r *convRow) total() []float32 {
	r.flush()
	return r.sum[:r.n]
}

func convForwardGeneric(class Class, s *ConvShape, x, w, bias, res, y []float32, lo, hi float32, tile, tiles int) {
	if s.XLast || s.YLast {
		convLastGeneric(class, s, x, w, bias, res, y, lo, hi, tile, tiles)
		return
	}
	cg, mg := s.cg(), s.mg()
	u0, u1 := split(s.N*s.M*s.OH, 1, tile, tiles)
	for u := u0; u < u1; u++ {
		oh, m, n := u%s.OH, u/s.OH%s.M, u/s.OH/s.M
		for ow := 0; ow < s.OW; ow += genericBlock {
			r := convRow{class: class, n: min(s.OW-ow, genericBlock)}
			for kh := range s.KH {
				ih := oh*s.SH + kh*s.DH - s.PT
				for kw := range s.KW {
					for ci := range cg {
						var row []float32
						if ih >= 0 && ih < s.H {
							row = x[((n*s.C+m/mg*cg+ci)*s.H+ih)*s.W:][:s.W]
						}
						r.add(row, ow*s.SW+kw*s.DW-s.PL, s.SW, w[((m*cg+ci)*s.KH+kh)*s.KW+kw])
					}
				}
			}
			out := y[u*s.OW+ow:][:r.n]
			copy(out, r.total())
			if bias != nil {
				for q := range out {
					out[q] += bias[m]
				}
			}
			clampGeneric(out, lo, hi)
		}
	}
}

// convLastGeneric is the forward pass where x or y is channels-last.
func convLastGeneric(class Class, s *ConvShape, x, w, bias, res, y []float32, lo, hi float32, tile, tiles int) {
	cg, mg := s.cg(), s.mg()
	xc, xw := s.H*s.W, 1 // between channels and pixels of x, then of y
	if s.XLast {
		xc, xw = 1, s.C
	}
	yc, yw := s.OH*s.OW, 1
	if s.YLast {
		yc, yw = 1, s.M
	}
	u0, u1 := split(s.N*s.OH, 1, tile, tiles)
	for u := u0; u < u1; u++ {
		oh, n := u%s.OH, u/s.OH
		for i := range s.M * s.OW {
			m, ow := i%s.M, i/s.M
			var sum, acc float32
			k := 0
			for kh := range s.KH {
				ih := oh*s.SH + kh*s.DH - s.PT
				for kw := range s.KW {
					iw := ow*s.SW + kw*s.DW - s.PL
					inside := ih >= 0 && ih < s.H && iw >= 0 && iw < s.W
					for ci := range cg {
						if k > 0 && k%KChunk == 0 {
							if k == KChunk {
								sum = acc
							} else {
								sum += acc
							}
							acc = 0
						}
						var v float32
						if inside {
							v = x[n*s.C*s.H*s.W+(m/mg*cg+ci)*xc+(ih*s.W+iw)*xw]
						}
						a := w[((m*cg+ci)*s.KH+kh)*s.KW+kw]
						if class == FMA {
							acc = fma32(a, v, acc)
						} else {
							acc = mulAdd32(a, v, acc)
						}
						k++
					}
				}
			}
			if k > KChunk {
				acc = sum + acc
			}
			at := n*s.M*s.OH*s.OW + m*yc + (oh*s.OW+ow)*yw
			if bias != nil {
				acc += bias[m]
			}
			if res != nil {
				acc += res[at]
			}
			y[at] = acc
			clampGeneric(y[at:at+1], lo, hi)
		}
	}
}

func convGradInputGeneric(class Class, s *ConvShape, dy, w, dx []float32, tile, tiles int) {
	cg, mg := s.cg(), s.mg()
	u0, u1 := split(s.N*s.C*s.H, 1, tile, tiles)
	for u := u0; u < u1; u++ {
		h, c, n := u%s.H, u/s.H%s.C, u/s.H/s.C
		out := dx[u*s.W:][:s.W]
		clear(out)
		if s.gradFlips() || s.gradPhases() {
			convGradRowFlipped(class, s, dy[(n*s.C+c)*s.OH*s.OW:][:s.OH*s.OW], w[c*s.KH*s.KW:], out, h)
			continue
		}
		for kw := range s.KW {
			// The columns of dy that this kw adds to dx, which are those from lo to hi.
			lo, hi := inside(kw*s.DW-s.PL, s.SW, s.W, s.OW)
			for ow := lo; ow < hi; ow += genericBlock {
				r := convRow{class: class, n: min(hi-ow, genericBlock)}
				for kh := s.KH - 1; kh >= 0; kh-- {
					oh := h + s.PT - kh*s.DH
					if oh%s.SH != 0 || oh < 0 || oh/s.SH >= s.OH {
						continue
					}
					for mi := range mg {
						m := c/cg*mg + mi
						row := dy[((n*s.M+m)*s.OH+oh/s.SH)*s.OW:][:s.OW]
						r.add(row, ow, 1, w[((m*cg+c%cg)*s.KH+kh)*s.KW+kw])
					}
				}
				for q, v := range r.total() {
					out[(ow+q)*s.SW+kw*s.DW-s.PL] += v
				}
			}
		}
	}
}

// convGradRowFlipped computes row h of the input gradient of one channel of a depthwise convolution, all taps in one sum.
func convGradRowFlipped(class Class, s *ConvShape, dy, w, out []float32, h int) {
	for kh := s.KH - 1; kh >= 0; kh-- {
		oh := h + s.PT - kh*s.DH
		if oh%s.SH != 0 || oh < 0 || oh/s.SH >= s.OH {
			continue
		}
		row := dy[oh/s.SH*s.OW:][:s.OW]
		for kw := s.KW - 1; kw >= 0; kw-- {
			first := kw*s.DW - s.PL
			lo, hi := inside(first, s.SW, s.W, s.OW)
			if s.SW > 1 {
				for ow := lo; ow < hi; ow++ {
					axpyGeneric(class, out[first+ow*s.SW:][:1], row[ow:ow+1], w[kh*s.KW+kw])
				}
			} else if lo < hi {
				axpyGeneric(class, out[first+lo:first+hi], row[lo:hi], w[kh*s.KW+kw])
			}
		}
	}
	for i := range out {
		out[i] += 0
	}
}

func convGradWeightGeneric(class Class, s *ConvShape, x, dy, dw []float32, tile, tiles int) {
	cg, mg := s.cg(), s.mg()
	u0, u1 := split(s.M*cg*s.KH*s.KW, 1, tile, tiles)
	if s.N*s.OH*s.OW > 0 && s.gradByChannels() {
		for u := u0; u < u1; u++ {
			dw[u] = convGradElementGeneric(class, s, x, dy, u/s.KW/s.KH/cg, u/s.KW/s.KH%cg, u/s.KW%s.KH, u%s.KW)
		}
		return
	}
	slice := 1
	if s.N*s.OH*s.OW > 0 {
		slice = s.gradSlice()
	}
	for u := u0; u < u1; u++ {
		kw, kh, ci, m := u%s.KW, u/s.KW%s.KH, u/s.KW/s.KH%cg, u/s.KW/s.KH/cg
		var total [gradLanes]float32
		for n0 := 0; n0 < s.N; n0 += slice {
			var acc [gradLanes]float32
			for n := n0; n < min(n0+slice, s.N); n++ {
				for oh := range s.OH {
					ih := oh*s.SH + kh*s.DH - s.PT
					var row []float32
					if ih >= 0 && ih < s.H {
						row = x[((n*s.C+m/mg*cg+ci)*s.H+ih)*s.W:][:s.W]
					}
					lanesGeneric(class, &acc, dy[((n*s.M+m)*s.OH+oh)*s.OW:][:s.OW], row, kw*s.DW-s.PL, s.SW)
				}
			}
			for l := range total {
				if n0 == 0 {
					total[l] = acc[l]
				} else {
					total[l] += acc[l]
				}
			}
		}
		for l := range 4 {
			total[l] += total[l+4]
		}
		for l := range 2 {
			total[l] += total[l+2]
		}
		dw[u] = total[0] + total[1]
	}
}

// convGradElementGeneric returns an element of a weight gradient that adds pixel after pixel.
func convGradElementGeneric(class Class, s *ConvShape, x, dy []float32, m, ci, kh, kw int) float32 {
	var acc, total float32
	c, k, images, chunks := m/s.mg()*s.cg()+ci, 0, s.gradImages(), 0
	flush := func() {
		if chunks > 0 {
			acc += total
		}
		total, acc, k = acc, 0, 0
		chunks++
	}
	for n := range s.N {
		if k > 0 && n%images == 0 {
			flush()
		}
		for q := range s.OH * s.OW {
			if k == KChunk {
				flush()
			}
			var v float32
			if h, w := q/s.OW*s.SH+kh*s.DH-s.PT, q%s.OW*s.SW+kw*s.DW-s.PL; h >= 0 && h < s.H && w >= 0 && w < s.W {
				v = x[((n*s.C+c)*s.H+h)*s.W+w]
			}
			d := dy[(n*s.M+m)*s.OH*s.OW+q]
			if class == FMA {
				acc = fma32(d, v, acc)
			} else {
				acc = mulAdd32(d, v, acc)
			}
			k++
		}
	}
	flush()
	return total
}

// lanesGeneric adds dy[ow]*row[first+ow*stride] to lane ow mod 8, with row 0 outside its bounds, and 0*0 up to a multiple
// of 8 products.
func lanesGeneric(class Class, acc *[gradLanes]float32, dy, row []float32, first, stride int) {
	for ow := 0; ow < (len(dy)+gradLanes-1)/gradLanes*gradLanes; ow++ {
		var d, v float32
		if ow < len(dy) {
			d = dy[ow]
			if i := first + ow*stride; i >= 0 && i < len(row) {
				v = row[i]
			}
		}
		if a := &acc[ow%gradLanes]; class == FMA {
			*a = fma32(d, v, *a)
		} else {
			*a = mulAdd32(d, v, *a)
		}
	}
}
