package augment

import (
	"math"

	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/random"
)

// scratch is the memory of one goroutine.
type scratch struct {
	in, other  []float32 // images
	dx, dy, to []float32 // fields of displacements, and room to smooth them in
}

func newScratch(c, h, w int) *scratch {
	return &scratch{in: make([]float32, c*h*w), other: make([]float32, c*h*w), dx: make([]float32, h*w), dy: make([]float32, h*w), to: make([]float32, h*w)}
}

// sym draws from [-limit, limit).
func sym(limit float64, rng *random.Source) float64 {
	if limit == 0 {
		return 0
	}
	return float64(limit * (float64(2*rng.Float64()) - 1))
}

// warp resamples s.in into x by one affine map and elastic displacements; false when no variation is geometric.
func (a *augmented) warp(s *scratch, x []float32, rng *random.Source) bool {
	o := &a.opt
	if o.Shift == 0 && o.Rotate == 0 && o.Scale == 0 && o.Shear == 0 && o.Crop == 0 && o.FlipH == 0 && o.FlipV == 0 && o.Elastic == 0 {
		return false
	}
	tx, ty := sym(o.Shift, rng), sym(o.Shift, rng)
	sin, cos := detmath.SinCosTurns(sym(o.Rotate, rng) / 360)
	zoom := 1 + sym(o.Scale, rng)
	kx, ky := tangent(sym(o.Shear, rng)), tangent(sym(o.Shear, rng))
	if o.Crop > 0 {
		tx += float64(rng.IntN(2*o.Crop+1) - o.Crop)
		ty += float64(rng.IntN(2*o.Crop+1) - o.Crop)
	}
	fx, fy := 1.0, 1.0
	if o.FlipH > 0 && rng.Float64() < o.FlipH {
		fx = -1
	}
	if o.FlipV > 0 && rng.Float64() < o.FlipV {
		fy = -1
	}
	// The inverse map, from output to input: rotate, shear, scale and mirror about the centre, then shift back.
	inv := 1 / max(zoom, 1e-3)
	m00, m01 := float64((cos+float64(kx*sin))*inv)*fx, float64((float64(kx*cos)-sin)*inv)*fx
	m10, m11 := float64((sin+float64(ky*cos))*inv)*fy, float64((cos-float64(ky*sin))*inv)*fy
	if o.Elastic > 0 {
		a.field(s.dx, s.to, rng)
		a.field(s.dy, s.to, rng)
	}
	cx, cy := float64(a.w-1)/2, float64(a.h-1)/2
	for y := range a.h {
		v := float64(y) - cy - ty
		for px := range a.w {
			u := float64(px) - cx - tx
			sx := float64(m00*u) + float64(m01*v) + cx
			sy := float64(m10*u) + float64(m11*v) + cy
			if o.Elastic > 0 {
				sx += float64(s.dx[y*a.w+px])
				sy += float64(s.dy[y*a.w+px])
			}
			a.sample(s.in, x, y*a.w+px, sx, sy)
		}
	}
	return true
}

// tangent of an angle in degrees.
func tangent(degrees float64) float64 {
	s, c := detmath.SinCosTurns(degrees / 360)
	return s / c
}

// sample interpolates all channels at (sx, sy) into pixel at of the output.
func (a *augmented) sample(in, out []float32, at int, sx, sy float64) {
	x0, y0 := math.Floor(sx), math.Floor(sy)
	u, v := float32(sx-x0), float32(sy-y0)
	ix, iy := int(x0), int(y0)
	plane := a.h * a.w
	if ix < -1 || iy < -1 || ix >= a.w || iy >= a.h {
		for c := range a.c {
			out[c*plane+at] = 0
		}
		return
	}
	for c := range a.c {
		p := in[c*plane : (c+1)*plane]
		top := lerp(a.pixel(p, ix, iy), a.pixel(p, ix+1, iy), u)
		bottom := lerp(a.pixel(p, ix, iy+1), a.pixel(p, ix+1, iy+1), u)
		out[c*plane+at] = lerp(top, bottom, v)
	}
}

func (a *augmented) pixel(p []float32, x, y int) float32 {
	if x < 0 || y < 0 || x >= a.w || y >= a.h {
		return 0
	}
	return p[y*a.w+x]
}

func lerp(a, b, t float32) float32 { return a + float32(t*(b-a)) }

// field fills f with a smooth random field whose largest absolute value is the displacement drawn from 0 to Elastic.
func (a *augmented) field(f, tmp []float32, rng *random.Source) {
	for i := range f {
		f[i] = float32(2*rng.Float32()) - 1
	}
	blur(tmp, f, a.kernel, a.h, a.w, a.w, 1)
	blur(f, tmp, a.kernel, a.w, a.h, 1, a.w)
	top := float32(1e-12)
	for _, v := range f {
		top = max(top, v, -v)
	}
	scale := float32(a.opt.Elastic*rng.Float64()) / top
	for i := range f {
		f[i] *= scale
	}
}

// blur convolves n lines of m elements with a symmetric kernel; beyond the ends lies 0. Lines lie stride apart, elements step.
func blur(dst, src, kernel []float32, n, m, stride, step int) {
	r := len(kernel) / 2
	for l := range n {
		base := l * stride
		for i := range m {
			var sum float32
			for k := max(-r, -i); k <= min(r, m-1-i); k++ {
				sum += float32(kernel[r+k] * src[base+(i+k)*step])
			}
			dst[base+i*step] = sum
		}
	}
}

// gaussian returns a kernel of three deviations to each side that sums to one.
func gaussian(sd float64) []float32 {
	r := max(int(3*sd+0.5), 1)
	w := make([]float64, 2*r+1)
	sum := 0.0
	for i := range w {
		d := float64(i-r) / sd
		w[i] = detmath.Exp(-0.5 * float64(d*d))
		sum += w[i]
	}
	out := make([]float32, len(w))
	for i := range w {
		out[i] = float32(w[i] / sum)
	}
	return out
}

// beta draws from Beta(alpha, alpha) as the quotient of two gamma variables.
func beta(alpha float64, rng *random.Source) float64 {
	x, y := gamma(alpha, rng), gamma(alpha, rng)
	if !(x+y > 0) {
		return 0.5
	}
	return x / (x + y)
}

// gamma draws from Gamma(alpha, 1) (Marsaglia, Tsang, "A simple method for generating gamma variables", 2000).
func gamma(alpha float64, rng *random.Source) float64 {
	boost := 1.0
	if alpha < 1 {
		boost = detmath.Exp(detmath.Log(1-rng.Float64()) / alpha)
		alpha++
	}
	d := alpha - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.Normal()
		v := 1 + float64(c*z)
		if v <= 0 {
			continue
		}
		v = float64(v * float64(v*v))
		u := 1 - rng.Float64()
		if detmath.Log(u) < float64(0.5*float64(z*z))+d-float64(d*v)+float64(d*detmath.Log(v)) {
			return float64(d*v) * boost
		}
	}
}
