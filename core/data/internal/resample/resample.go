// Package resample changes the size of images: area averaging where they shrink, bilinear
// interpolation where they grow, each axis on its own, with the same bits on every target.
package resample

// span is what one output pixel takes from an axis: source pixels first to first+len(weight)-1.
type span struct {
	first  int
	weight []float32
}

// spans returns the weights that turn an axis of from pixels into one of to pixels. They sum to
// one, up to rounding.
func spans(from, to int) []span {
	out := make([]span, to)
	ratio := float64(from) / float64(to)
	for i := range out {
		if to >= from { // growing: linear between the two nearest centres
			center := float64((float64(i)+0.5)*ratio) - 0.5
			center = min(max(center, 0), float64(from-1))
			first := min(int(center), from-1)
			t := float32(center - float64(first))
			out[i] = span{first, []float32{1 - t, t}}
			if first == from-1 {
				out[i].weight = []float32{1}
			}
			continue
		}
		lo, hi := float64(float64(i)*ratio), float64(float64(i+1)*ratio)
		first, last := int(lo), min(int(hi), from-1)
		w := make([]float32, 0, last-first+1)
		for j := first; j <= last; j++ {
			cover := min(hi, float64(j+1)) - max(lo, float64(j))
			w = append(w, float32(max(cover, 0)/ratio))
		}
		out[i] = span{first, w}
	}
	return out
}

// Plane resizes one plane: src is [sh, sw], dst [dh, dw]; no size may be 0.
func Plane(dst []float32, dw, dh int, src []float32, sw, sh int) {
	if dw == sw && dh == sh {
		copy(dst, src[:sw*sh])
		return
	}
	cols, rows := spans(sw, dw), spans(sh, dh)
	mid := make([]float32, sh*dw)
	for y := range sh {
		line := src[y*sw : (y+1)*sw]
		for x, s := range cols {
			mid[y*dw+x] = weigh(line[s.first:], 1, s.weight)
		}
	}
	for y, s := range rows {
		for x := range dw {
			dst[y*dw+x] = weigh(mid[s.first*dw+x:], dw, s.weight)
		}
	}
}

// weigh returns the weighted sum of every stride-th value.
func weigh(v []float32, stride int, weight []float32) float32 {
	sum := float32(0)
	for i, w := range weight {
		sum += float32(w * v[i*stride])
	}
	return sum
}
