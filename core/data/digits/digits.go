// Package digits draws handwritten-like digits: strokes in several writing styles for each digit, distorted, drawn with a
// pen of varying width, and placed as MNIST's are. Training on it needs no download.
//
// Sample i of an epoch is a pure function of (seed, epoch, i), with the same bits on every target. No pixel of
// MNIST is in it: the skeletons are drawn by hand. Which styles there are, their proportions and the ranges of the distortions
// were chosen by comparing with MNIST's training images; its test images took no part in any choice.
package digits

import (
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/random"
)

// Size is the width and height of an image.
const Size = 28

// EpochSamples is the number of samples of an epoch unless Options say otherwise.
const EpochSamples = 60000

// Options are the settings of a Source.
type Options struct {
	Seed    uint64
	Samples int  // of an epoch; 0 means EpochSamples
	Test    bool // a stream of its own, the same in every epoch, for testing
}

// Source is an endless data.Source of digits: every epoch has fresh samples, the classes taking turns.
type Source struct {
	opt    Options
	spec   data.Spec
	styles [10][]style
	total  [10]float64
	step   moduleStep
}

// New returns a source of digits.
func New(opt Options) *Source {
	if opt.Samples <= 0 {
		opt.Samples = EpochSamples
	}
	s := &Source{opt: opt, spec: data.Spec{Shape: []int{1, Size, Size}, Classes: 10}, styles: styles}
	for d, list := range s.styles {
		for _, st := range list {
			s.total[d] += st.weight
		}
	}
	return s
}

// Len returns the number of samples of an epoch.
func (s *Source) Len() int { return s.opt.Samples }

// Spec describes a sample: [1 28 28], ink 1 on 0, ten classes.
func (s *Source) Spec() data.Spec { return s.spec }

// Class returns the digit of sample i, which is the same in every epoch.
func (s *Source) Class(i int) (int64, bool) { return int64(i % 10), true }

// streams keeps the random numbers of training and test samples apart from each other and from those of everything else that is
// derived from the same seed.
const (
	trainStream = 0x6469676974730001
	testStream  = 0x6469676974730002
)

// Read draws sample i of an epoch.
func (s *Source) Read(epoch, i int, x, _ []float32) (int64, error) {
	if !s.drawInModule(epoch, i, x) {
		s.read(epoch, i, (*[Size * Size]float32)(x))
	}
	return int64(i % 10), nil
}

func (s *Source) read(epoch, i int, out *[Size * Size]float32) {
	kind := uint64(trainStream)
	if s.opt.Test {
		kind, epoch = testStream, 0
	}
	rng := random.New(s.opt.Seed, random.Derive(kind, uint64(epoch), uint64(i)))
	s.draw(out, i%10, &rng)
}

// draw writes one digit.
func (s *Source) draw(out *[Size * Size]float32, digit int, rng *random.Source) {
	var p pen
	p.rng = rng
	pick := rng.Float64() * s.total[digit]
	st := &s.styles[digit][0]
	for k := range s.styles[digit] {
		st = &s.styles[digit][k]
		if pick -= st.weight; pick < 0 {
			break
		}
	}
	p.trace(st)
	p.distort(&habits[digit])
	p.place(&habits[digit])
	p.ink(out)
}
