package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
)

// source returns the position in the input that output position i shows.
func (a *resizeAxis) source(mode string, i int) float64 {
	x, n, wide := float64(i), float64(a.in), a.scale*float64(a.in)
	switch mode {
	case "align_corners":
		if wide == 1 {
			return 0
		}
		return x * (n - 1) / (wide - 1)
	case "asymmetric":
		return x / a.scale
	case "tf_half_pixel_for_nn":
		return (x + 0.5) / a.scale
	case "pytorch_half_pixel":
		if wide <= 1 {
			return 0
		}
	case "half_pixel_symmetric":
		return n/2*(1-float64(a.out)/wide) + (x+0.5)/a.scale - 0.5
	case "tf_crop_and_resize":
		if a.out <= 1 {
			return 0.5 * (a.start + a.end) * (n - 1)
		}
		return a.start*(n-1) + x*(a.end-a.start)*(n-1)/float64(a.out-1)
	}
	return (x+0.5)/a.scale - 0.5
}

// tap is an input position and its weight.
type tap struct {
	at     int
	weight float64
}

// taps returns for every output position the input positions it is made of; outside tells which lie outside the region that
// tf_crop_and_resize reads, and take the extrapolation value.
func (a *resizeAxis) taps(n *graph.Node) (taps [][]tap, outside []bool) {
	taps, outside = make([][]tap, a.out), make([]bool, a.out)
	coord, mode := n.Str("coordinate_transformation_mode"), n.Str("mode")
	for i := range taps {
		if a.in == a.out && a.scale == 1 && coord != "tf_crop_and_resize" && coord != "tf_half_pixel_for_nn" {
			taps[i] = []tap{{i, 1}}
			continue
		}
		x := a.source(coord, i)
		outside[i] = coord == "tf_crop_and_resize" && (x < 0 || x > float64(a.in-1))
		if mode == "nearest" {
			taps[i] = []tap{{min(max(roundTo(n.Str("nearest_mode"), x), 0), a.in-1), 1}}
			continue
		}
		taps[i] = a.blend(n, x)
	}
	return taps, outside
}

func roundTo(mode string, x float64) int {
	switch mode {
	case "floor":
		return int(math.Floor(x))
	case "ceil":
		return int(math.Ceil(x))
	case "round_prefer_ceil":
		return int(math.Floor(x + 0.5))
	}
	return int(math.Ceil(x - 0.5))
}

// blend returns the taps of linear or cubic interpolation at x. With antialiasing the kernel is stretched over all the inputs
// that an output covers when the axis shrinks.
func (a *resizeAxis) blend(n *graph.Node, x float64) []tap {
	scale, reach, kernel := 1.0, 1.0, func(d float64) float64 { return max(1-math.Abs(d), 0) }
	if n.Str("mode") == "cubic" {
		k := float64(n.Float("cubic_coeff_a"))
		reach, kernel = 2, func(d float64) float64 { return cubicKernel(k, math.Abs(d)) }
	}
	antialias := n.Int("antialias") != 0
	if antialias {
		scale = min(a.scale, 1)
	}
	base := int(math.Floor(x))
	ratio := x - float64(base)
	first := int(math.Floor(-reach/scale)) + 1
	var out []tap
	sum := 0.0
	for k := first; k <= 1-first; k++ {
		w, at := kernel((float64(k)-ratio)*scale), base+k
		if at < 0 || at >= a.in {
			if n.Int("exclude_outside") != 0 {
				continue
			}
			at = min(max(at, 0), a.in-1)
		}
		if w != 0 {
			out, sum = append(out, tap{at, w}), sum+w
		}
	}
	if antialias || n.Int("exclude_outside") != 0 {
		for i := range out {
			out[i].weight /= sum
		}
	}
	return out
}

// cubicKernel is Keys's cubic convolution kernel (1981) at distance d with its parameter a.
func cubicKernel(a, d float64) float64 {
	switch {
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	}
	return 0
}

// along applies the taps of one axis: from x of the given shape to an output in which the axis has len(taps) elements; with
// back it applies the transpose, from that output to x.
func along(x []float64, shape []int, axis int, taps [][]tap, back bool) []float64 {
	outer, n, inner := outerInner(shape, axis)
	m := len(taps)
	size := outer * m * inner
	if back {
		size = outer * n * inner
	}
	y := make([]float64, size)
	for o := range outer {
		for i, ts := range taps {
			for _, t := range ts {
				small, big := (o*n+t.at)*inner, (o*m+i)*inner
				for k := range inner {
					if back {
						y[small+k] += t.weight * x[big+k]
					} else {
						y[big+k] += t.weight * x[small+k]
					}
				}
			}
		}
	}
	return y
}
