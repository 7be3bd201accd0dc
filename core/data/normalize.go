package data

import (
	"math"
	"strconv"
)

// Normalized is a Source whose features are (x - Mean) * Scale, per channel or per feature.
type Normalized struct {
	src         Source
	mean, scale []float32
	per         int // features that share one mean: feature j uses mean[j/per]
}

// Normalize returns src with every feature as float32(x - mean) * scale, in float32 with two
// roundings. mean and scale hold one number for all features, one for each channel (the first
// dimension of the shape), or one for each feature. A scale that is zero or not finite is an error.
func Normalize(src Source, mean, scale []float32) (*Normalized, error) {
	spec := src.Spec()
	size := spec.Size()
	if len(mean) != len(scale) {
		return nil, failure("Normalize", "got "+strconv.Itoa(len(mean))+" means and "+strconv.Itoa(len(scale))+" scales")
	}
	n := &Normalized{src: src, mean: mean, scale: scale}
	switch {
	case len(mean) == 1:
		n.per = size
	case len(mean) == size:
		n.per = 1
	case len(spec.Shape) > 0 && len(mean) == spec.Shape[0]:
		n.per = size / spec.Shape[0]
	default:
		return nil, failure("Normalize", "got "+strconv.Itoa(len(mean))+" means for samples of shape "+shapeText(spec.Shape)+
			": need one, one a channel, or one a feature")
	}
	for i := range mean {
		if !finite(mean[i]) || !finite(scale[i]) || scale[i] == 0 {
			return nil, failure("Normalize", "mean "+strconv.Itoa(i)+" is "+ftoa(mean[i])+" and its scale "+ftoa(scale[i])+
				": both must be finite and the scale not 0")
		}
	}
	return n, nil
}

// Len returns the number of samples.
func (n *Normalized) Len() int { return n.src.Len() }

// Spec describes a sample, as the source does.
func (n *Normalized) Spec() Spec { return n.src.Spec() }

// Read reads a sample and normalises it.
func (n *Normalized) Read(epoch, i int, x, target []float32) (int64, error) {
	class, err := n.src.Read(epoch, i, x, target)
	if err != nil {
		return 0, err
	}
	for c := range n.mean {
		m, s := n.mean[c], n.scale[c]
		part := x[c*n.per : (c+1)*n.per]
		for j, v := range part {
			part[j] = (v - m) * s
		}
	}
	return class, nil
}

// Class asks the source.
func (n *Normalized) Class(i int) (int64, bool) { return classOf(n.src, i) }

// Per says what shares one mean and one standard deviation in Moments.
type Per int

// The groups of features.
const (
	PerSource  Per = iota // all features together
	PerChannel            // each index of the first dimension: image channels
	PerFeature            // each feature: table columns
)

// Moments returns the mean and 1 / standard deviation of a source's features as epoch 0 shows
// them, ready for Normalize. A constant group gets scale 1, so that it becomes 0. Use the training
// part only, then apply the same numbers to the others.
func Moments(src Source, per Per) (mean, scale []float32, err error) {
	spec := src.Spec()
	size, groups := spec.Size(), 1
	switch {
	case per == PerFeature:
		groups = size
	case per == PerChannel && len(spec.Shape) > 0:
		groups = spec.Shape[0]
	}
	if src.Len() == 0 {
		return nil, nil, failure("Moments", "the source is empty")
	}
	each := size / groups
	x, t := make([]float32, size), make([]float32, spec.Targets)
	avg, m2, n := make([]float64, groups), make([]float64, groups), make([]float64, groups)
	for i := range src.Len() {
		if _, err := src.Read(0, i, x, t); err != nil {
			return nil, nil, err
		}
		for j, v := range x { // Welford's update
			g := j / each
			n[g]++
			d := float64(v) - avg[g]
			avg[g] += d / n[g]
			m2[g] += float64(d * (float64(v) - avg[g]))
		}
	}
	mean, scale = make([]float32, groups), make([]float32, groups)
	for g := range mean {
		std := math.Sqrt(m2[g] / n[g])
		mean[g], scale[g] = float32(avg[g]), 1
		if std > 1e-12*math.Max(1, math.Abs(avg[g])) {
			scale[g] = float32(1 / std)
		}
		if !finite(mean[g]) || !finite(scale[g]) {
			return nil, nil, failure("Moments", "group "+strconv.Itoa(g)+" has numbers that are not finite or too large")
		}
	}
	return mean, scale, nil
}
