// Package ink prepares pictures of single drawn or scanned digits as MNIST's are: ink 1 on
// paper 0, the ink's box scaled to fit 20x20 pixels with its proportions kept, and its centre of
// mass in the middle of a field of 28x28.
package ink

import (
	"errors"
	"math"

	"github.com/weft-ml/weft/core/data/internal/resample"
)

// Size is the width and height of the field, Box that of the digit in it.
const (
	Size = 28
	Box  = 20
)

// MaxPixels bounds a picture.
const MaxPixels = 100_000_000

// minContrast is the least difference between ink and paper, of 1, that counts as a drawing.
const minContrast = 0.1

// The share of the contrast that counts as paper lies between these: at least the noise of a
// strongly compressed JPEG; at most what still leaves thin ink, when a stroke touches the border
// and makes it look uneven.
const (
	minFloor = 0.06
	maxFloor = 0.25
)

// Plane is MNISTLike for a picture that is given as its brightness, w*h values in 0..1, which are overwritten.
func Plane(luma []float32, w, h int) (out [Size * Size]float32, err error) {
	return PlaneIn(luma, w, h, make([]float32, Scratch(w, h)))
}

// PlaneIn is [Plane] in memory that the caller gives, [Scratch] elements, for who prepares picture after picture.
func PlaneIn(luma []float32, w, h int, scratch []float32) (out [Size * Size]float32, err error) {
	return out, digit(&out, luma, w, h, scratch).err()
}

// Luma returns the brightness of an RGBA picture of 8 bits a channel, as a canvas gives it, on white paper: the values that MNISTLike has
// of the same picture.
func Luma(rgba []byte) []float32 {
	out := make([]float32, len(rgba)/4)
	lumaRGBA(out, rgba)
	return out
}

func lumaRGBA(out []float32, rgba []byte) {
	for i := range out {
		p := rgba[4*i : 4*i+4]
		a := uint32(p[3]) * 0x101
		paper := float32(0xffff-a) / 0xffff
		sum := float32(0.299*over(p[0], a)) + float32(0.587*over(p[1], a)) + float32(0.114*over(p[2], a))
		out[i] = min(sum/0xffff+paper, 1)
	}
}

// over weighs a colour by its opacity, in 16 bits as image/color has them.
func over(v byte, alpha uint32) float32 { return float32(uint32(v) * 0x101 * alpha / 0xffff) }

// problem is why a picture gives no digit.
type problem int

const (
	none problem = iota
	flat         // no contrast
	blank
	vanishes
)

func (p problem) err() error {
	switch p {
	case flat:
		return errors.New("weft: preprocess: the picture is blank: its brightness varies by less than a tenth")
	case blank:
		return errors.New("weft: preprocess: the picture is blank: there is no ink in it")
	case vanishes:
		return errors.New("weft: preprocess: the picture is blank: its ink vanishes when it is scaled down")
	}
	return nil
}

// digit does what Plane says in the memory that it is given: scratch elements.
func digit(out *[Size * Size]float32, luma []float32, w, h int, scratch []float32) problem {
	if p := toInk(luma, w, h); p != none {
		return p
	}
	return center(out, luma, w, h, scratch)
}

// Center places ink, a plane [h, w] of values in 0..1 with ink 1 on paper 0, as MNIST does: crop
// to the ink's box, scale to fit 20x20, centre of mass into the middle. A plane without ink is an
// error.
func Center(out *[Size * Size]float32, ink []float32, w, h int) error {
	return center(out, ink, w, h, make([]float32, Scratch(w, h))).err()
}

// Scratch returns how many float32s PlaneIn needs: the ink's box, what it is scaled to, and what scaling needs.
func Scratch(w, h int) int { return w*h + Box*Box + resample.Scratch(Box, w, h) }

func center(out *[Size * Size]float32, ink []float32, w, h int, scratch []float32) problem {
	clear(out[:])
	x0, y0, x1, y1 := w, h, -1, -1
	for y := range h {
		for x, v := range ink[y*w : (y+1)*w] {
			if v > 0 {
				x0, x1 = min(x0, x), max(x1, x)
				y0, y1 = min(y0, y), max(y1, y)
			}
		}
	}
	if x1 < 0 {
		return blank
	}
	bw, bh := x1-x0+1, y1-y0+1
	cut, scratch := scratch[:bw*bh], scratch[bw*bh:]
	for y := range bh {
		copy(cut[y*bw:(y+1)*bw], ink[(y0+y)*w+x0:])
	}
	// Fit the longer side, round the other to whole pixels, at least one.
	sw, sh := Box, Box
	if bw > bh {
		sh = max(1, (2*Box*bh+bw)/(2*bw))
	} else {
		sw = max(1, (2*Box*bw+bh)/(2*bh))
	}
	small, scratch := scratch[:sw*sh], scratch[sw*sh:]
	resample.PlaneIn(small, sw, sh, cut, bw, bh, scratch)

	mass, mx, my := 0.0, 0.0, 0.0
	for y := range sh {
		for x := range sw {
			v := float64(small[y*sw+x])
			mass += v
			mx += float64(v * (float64(x) + 0.5))
			my += float64(v * (float64(y) + 0.5))
		}
	}
	if !(mass > 0) {
		return vanishes
	}
	// MNIST moves digits by whole pixels so that their centre of mass, pixel i reaching from i to
	// i+1, lies within [14, 15) on each axis: measured, all of its training images do.
	ox := min(max(int(math.Ceil(Size/2-mx/mass)), 0), Size-sw)
	oy := min(max(int(math.Ceil(Size/2-my/mass)), 0), Size-sh)
	for y := range sh {
		for x := range sw {
			out[(y+oy)*Size+x+ox] = min(max(small[y*sw+x], 0), 1)
		}
	}
	return none
}

// toInk turns brightness into ink in place: the paper's brightness (the mean of the border)
// becomes 0, the brightness farthest from it 1, and what is no farther from the paper than the
// border's own unevenness 0.
func toInk(v []float32, w, h int) problem {
	sum, sq, n := 0.0, 0.0, 0
	lo, hi := v[0], v[0]
	for y := range h {
		for x := range w {
			p := v[y*w+x]
			lo, hi = min(lo, p), max(hi, p)
			if y == 0 || y == h-1 || x == 0 || x == w-1 {
				sum += float64(p)
				sq += float64(float64(p) * float64(p))
				n++
			}
		}
	}
	if hi-lo < minContrast {
		return flat
	}
	mean := sum / float64(n)
	paper := float32(mean)
	far, sign := paper-lo, float32(-1) // dark ink
	if hi-paper > far {
		far, sign = hi-paper, 1
	}
	uneven := float32(math.Sqrt(max(0, sq/float64(n)-float64(mean*mean)))) / far
	floor := min(max(3*uneven, minFloor), maxFloor)
	for i, p := range v {
		d := sign * (p - paper) / far
		if d < floor {
			d = 0
		}
		v[i] = min(d, 1)
	}
	return none
}
