// Package resample changes the size of images: area averaging where they shrink, bilinear
// interpolation where they grow, each axis on its own, with the same bits on every target.
package resample

// span writes the weights that give output pixel i when an axis of from pixels becomes one of to pixels, and returns the first source
// pixel that they apply to. They sum to one, up to rounding.
func span(weight []float32, from, to, i int) (first int, used []float32) {
	ratio := float64(from) / float64(to)
	if to >= from { // growing: linear between the two nearest centres
		center := float64((float64(i)+0.5)*ratio) - 0.5
		center = min(max(center, 0), float64(from-1))
		first = min(int(center), from-1)
		if first == from-1 {
			weight[0] = 1
			return first, weight[:1]
		}
		t := float32(center - float64(first))
		weight[0], weight[1] = 1-t, t
		return first, weight[:2]
	}
	lo, hi := float64(float64(i)*ratio), float64(float64(i+1)*ratio)
	first = int(lo)
	last := min(int(hi), from-1)
	for j := first; j <= last; j++ {
		cover := min(hi, float64(j+1)) - max(lo, float64(j))
		weight[j-first] = float32(max(cover, 0) / ratio)
	}
	return first, weight[:last-first+1]
}

// Scratch returns how many float32s PlaneIn needs.
func Scratch(dw, sw, sh int) int { return sh*dw + max(sw, sh) + 2 }

// Plane resizes one plane: src is [sh, sw], dst [dh, dw]; no size may be 0.
func Plane(dst []float32, dw, dh int, src []float32, sw, sh int) {
	PlaneIn(dst, dw, dh, src, sw, sh, make([]float32, Scratch(dw, sw, sh)))
}

// PlaneIn is Plane with its working memory given, whose contents do not matter.
func PlaneIn(dst []float32, dw, dh int, src []float32, sw, sh int, scratch []float32) {
	if dw == sw && dh == sh {
		copy(dst, src[:sw*sh])
		return
	}
	mid, weights := scratch[:sh*dw], scratch[sh*dw:]
	for x := range dw {
		first, weight := span(weights, sw, dw, x)
		for y := range sh {
			mid[y*dw+x] = weigh(src[y*sw+first:], 1, weight)
		}
	}
	for y := range dh {
		first, weight := span(weights, sh, dh, y)
		for x := range dw {
			dst[y*dw+x] = weigh(mid[first*dw+x:], dw, weight)
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
