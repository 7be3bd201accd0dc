// Package augment varies images while training: shift, rotation, scaling, shear, flips, crops, elastic
// distortion, noise, cut-out and mix-up. What happens to sample i in epoch e depends on (seed, e, i) alone, so results depend on
// neither threads nor order, and have the same bits on every target.
package augment

import (
	"sync"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Options say how strongly images vary; a zero leaves a kind of variation out. Everything geometric is one resampling
// with bilinear interpolation; what comes from outside the image is 0.
type Options struct {
	Shift        float64 // largest shift in pixels, each direction
	Rotate       float64 // largest rotation in degrees, either way
	Scale        float64 // the size varies by a factor of 1-Scale to 1+Scale
	Shear        float64 // largest shear in degrees, each direction
	Crop         int     // a crop of the image's size out of the image padded by so many pixels: a shift by whole pixels
	FlipH, FlipV float64 // probability of mirroring left and right, top and bottom
	Elastic      float64 // largest displacement in pixels of an elastic distortion (Simard, Steinkraus, Platt, ICDAR 2003)
	Smooth       float64 // its smoothness: standard deviation in pixels of the Gaussian; 0 means 4
	Noise        float64 // standard deviation of added Gaussian noise; values stay in 0..1
	CutOut       int     // side in pixels of a square that is set to 0 (DeVries, Taylor, 2017)
	MixUp        float64 // alpha of the Beta distribution that samples are blended by; targets become soft (Zhang et al., ICLR 2018)
}

// Source returns src with its images varied. Samples must have the shape [C H W]. With MixUp the targets are soft: Spec.Targets is
// the number of classes, and the class that Read returns is the one with the larger part.
func (o Options) Source(src data.Source, seed uint64) (data.Source, error) {
	spec := src.Spec()
	if len(spec.Shape) != 3 {
		return nil, tensor.Err("augment", "samples of shape ", spec.Shape, " are no images; augmentation takes [C H W]")
	}
	if o.MixUp > 0 && (spec.Classes == 0 || spec.Targets != 0) {
		return nil, tensor.Err("augment", "mix-up needs samples with class labels")
	}
	if h, w := spec.Shape[1], spec.Shape[2]; o.CutOut > min(h, w) || o.Crop >= min(h, w) || o.Shift >= float64(min(h, w)) {
		return nil, tensor.Err("augment", "shift, crop and cutout must be smaller than the image of ", w, "x", h)
	}
	a := &augmented{src: src, opt: o, seed: seed, spec: spec, c: spec.Shape[0], h: spec.Shape[1], w: spec.Shape[2]}
	if o.MixUp > 0 {
		a.spec.Targets = spec.Classes
	}
	if a.opt.Smooth <= 0 {
		a.opt.Smooth = 4
	}
	a.kernel = gaussian(a.opt.Smooth)
	a.scratch.New = func() any { return newScratch(a.c, a.h, a.w) }
	return a, nil
}

// augmented is a data.Source that varies another's images.
type augmented struct {
	src     data.Source
	opt     Options
	seed    uint64
	spec    data.Spec
	c, h, w int
	kernel  []float32
	scratch sync.Pool // of *scratch, one a goroutine
}

// Len returns the number of samples.
func (a *augmented) Len() int { return a.src.Len() }

// Spec describes a sample.
func (a *augmented) Spec() data.Spec { return a.spec }

// stream keeps these random numbers apart from others of the same seed.
const stream = 0x6175676d656e7401

// Read reads sample i and varies it.
func (a *augmented) Read(epoch, i int, x, target []float32) (int64, error) {
	s := a.scratch.Get().(*scratch)
	defer a.scratch.Put(s)
	rng := random.New(a.seed, random.Derive(stream, uint64(epoch), uint64(i)))
	if a.opt.MixUp <= 0 {
		return a.one(s, epoch, i, x, target, &rng)
	}
	label, err := a.one(s, epoch, i, x, nil, &rng)
	if err != nil {
		return 0, err
	}
	other := rng.IntN(a.src.Len())
	part := float32(beta(a.opt.MixUp, &rng))
	label2, err := a.one(s, epoch, other, s.other, nil, &rng)
	if err != nil {
		return 0, &data.SampleError{Sample: other, Err: err}
	}
	if n := int64(len(target)); label < 0 || label >= n || label2 < 0 || label2 >= n {
		return 0, tensor.Err("augment", "mix-up: the class ", max(label, label2), " is outside 0 to ", n-1)
	}
	clear(target)
	target[label] += part
	target[label2] += 1 - part
	for k, v := range s.other {
		x[k] = float32(part*x[k]) + float32((1-part)*v)
	}
	if part < 0.5 {
		label = label2
	}
	return label, nil
}

// one reads a sample and varies it without mixing; a target vector is passed through as it is.
func (a *augmented) one(s *scratch, epoch, i int, x, target []float32, rng *random.Source) (int64, error) {
	label, err := a.src.Read(epoch, i, s.in, target)
	if err != nil {
		return 0, err
	}
	if !a.warp(s, x, rng) {
		copy(x, s.in)
	}
	if a.opt.Noise > 0 {
		for k, v := range x {
			x[k] = min(max(v+float32(a.opt.Noise*rng.Normal()), 0), 1)
		}
	}
	if n := a.opt.CutOut; n > 0 {
		y0, x0 := rng.IntN(a.h-n+1), rng.IntN(a.w-n+1)
		for c := range a.c {
			for y := y0; y < y0+n; y++ {
				clear(x[(c*a.h+y)*a.w+x0 : (c*a.h+y)*a.w+x0+n])
			}
		}
	}
	return label, nil
}
