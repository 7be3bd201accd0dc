// Package data is the input pipeline: samples by index (Source), seeded shuffling, batches,
// prefetching and exact resumption (Loader), splits, and normalisation.
//
// Everything is deterministic. Sample i of epoch e is a pure function of (source, seed, e, i), so
// batches do not depend on the number of goroutines, and a Loader restored from its State delivers
// the very batches that an uninterrupted one would have.
//
// Readers of file formats are packages of their own below this one (idx, csv, npy, npz,
// imagefolder), so that a program links only those it uses; so are the built-in digits, the
// augmentations and the normalisation of drawn digits.
package data

import (
	"errors"
	"math"
	"strconv"
)

// Spec says what the samples of a Source are.
type Spec struct {
	Shape   []int    // of one sample's features, for example [1 28 28]; the batch dimension comes in front
	Classes int      // number of classes; 0 when the samples carry no class label
	Targets int      // length of a sample's target vector (regression, soft labels); 0 for none
	Names   []string // names of the classes, nil when they have none but their numbers
}

// Size returns the number of features of one sample, the product of Shape.
func (s Spec) Size() int {
	n := 1
	for _, d := range s.Shape {
		n *= d
	}
	return n
}

// Source gives samples by index. Methods must be safe for concurrent use: a Loader reads with
// several goroutines.
type Source interface {
	// Len returns the number of samples of an epoch.
	Len() int
	// Spec describes a sample. The slices are not to be changed.
	Spec() Spec
	// Read writes the features of sample i, 0 <= i < Len, as epoch e shows it, to x (Spec.Size
	// long) and its target vector to target (Spec.Targets long), and returns its class (0 when
	// there are none). Fixed data ignores the epoch; generators and augmentations vary with it.
	// The result must depend on nothing but (epoch, i).
	Read(epoch, i int, x, target []float32) (class int64, err error)
}

// Memory is a Source that holds its samples. Fields must not change while it is used.
type Memory struct {
	X       []float32 // [n, Shape...]
	Labels  []int64   // [n], or nil
	Targets []float32 // [n, Spec.Targets], or nil
	spec    Spec
	n       int
}

// NewMemory returns a Source over slices, which it keeps: x is [n, spec.Shape...], labels is [n]
// or nil when spec.Classes is 0, targets is [n, spec.Targets] or nil. Lengths that do not fit, a
// label outside [0, Classes) and a number that is not finite are errors that name the index.
func NewMemory(spec Spec, x []float32, labels []int64, targets []float32) (*Memory, error) {
	size, err := checkSpec(spec)
	if err != nil {
		return nil, err
	}
	n := len(x) / size
	switch {
	case len(x)%size != 0:
		return nil, failure("NewMemory", "got "+strconv.Itoa(len(x))+" features, not a multiple of the "+strconv.Itoa(size)+" of a sample")
	case spec.Classes > 0 && len(labels) != n, spec.Classes == 0 && len(labels) != 0:
		return nil, failure("NewMemory", "got "+strconv.Itoa(len(labels))+" labels for "+strconv.Itoa(n)+" samples of "+strconv.Itoa(spec.Classes)+" classes")
	case len(targets) != n*spec.Targets:
		return nil, failure("NewMemory", "got "+strconv.Itoa(len(targets))+" target numbers for "+strconv.Itoa(n)+" samples of "+strconv.Itoa(spec.Targets))
	}
	for i, l := range labels {
		if l < 0 || l >= int64(spec.Classes) {
			return nil, failure("NewMemory", "label "+strconv.Itoa(i)+" is "+strconv.FormatInt(l, 10)+", outside 0 to "+strconv.Itoa(spec.Classes-1))
		}
	}
	for i, v := range x {
		if !finite(v) {
			return nil, failure("NewMemory", "sample "+strconv.Itoa(i/size)+", feature "+strconv.Itoa(i%size)+" is "+ftoa(v)+
				": fill in or drop such samples first")
		}
	}
	for i, v := range targets {
		if !finite(v) {
			return nil, failure("NewMemory", "sample "+strconv.Itoa(i/spec.Targets)+", target "+strconv.Itoa(i%spec.Targets)+" is "+ftoa(v)+
				": fill in or drop such samples first")
		}
	}
	return &Memory{X: x, Labels: labels, Targets: targets, spec: spec, n: n}, nil
}

// Len returns the number of samples.
func (m *Memory) Len() int { return m.n }

// Spec describes a sample.
func (m *Memory) Spec() Spec { return m.spec }

// Read copies sample i.
func (m *Memory) Read(_, i int, x, target []float32) (int64, error) {
	size := len(m.X) / m.n
	copy(x, m.X[i*size:(i+1)*size])
	if t := m.spec.Targets; t > 0 {
		copy(target, m.Targets[i*t:(i+1)*t])
	}
	if m.Labels == nil {
		return 0, nil
	}
	return m.Labels[i], nil
}

// Bytes is a Source over 8-bit samples, kept as bytes (a quarter of the memory): feature = byte *
// scale, for images usually 1/255.
type Bytes struct {
	x      []byte
	labels []int64
	spec   Spec
	size   int
	table  [256]float32
}

// NewBytes returns a Source over slices, which it keeps: x is [n, spec.Shape...], labels is [n] or
// nil when spec.Classes is 0. A byte b is read as float32(b) * float32(scale), or float32(b) /
// 255 exactly rounded when scale is 0.
func NewBytes(spec Spec, x []byte, labels []int64, scale float32) (*Bytes, error) {
	size, err := checkSpec(spec)
	if err != nil {
		return nil, err
	}
	n := len(x) / size
	switch {
	case len(x)%size != 0:
		return nil, failure("NewBytes", "got "+strconv.Itoa(len(x))+" bytes, not a multiple of the "+strconv.Itoa(size)+" of a sample")
	case spec.Targets != 0:
		return nil, failure("NewBytes", "target vectors are not supported; use NewMemory")
	case spec.Classes > 0 && len(labels) != n, spec.Classes == 0 && len(labels) != 0:
		return nil, failure("NewBytes", "got "+strconv.Itoa(len(labels))+" labels for "+strconv.Itoa(n)+" samples of "+strconv.Itoa(spec.Classes)+" classes")
	case !finite(scale):
		return nil, failure("NewBytes", "the scale is "+ftoa(scale))
	}
	for i, l := range labels {
		if l < 0 || l >= int64(spec.Classes) {
			return nil, failure("NewBytes", "label "+strconv.Itoa(i)+" is "+strconv.FormatInt(l, 10)+", outside 0 to "+strconv.Itoa(spec.Classes-1))
		}
	}
	b := &Bytes{x: x, labels: labels, spec: spec, size: size}
	for i := range b.table {
		if b.table[i] = float32(i) * scale; scale == 0 {
			b.table[i] = float32(i) / 255
		}
	}
	return b, nil
}

// Len returns the number of samples.
func (b *Bytes) Len() int { return len(b.x) / b.size }

// Spec describes a sample.
func (b *Bytes) Spec() Spec { return b.spec }

// Read converts sample i.
func (b *Bytes) Read(_, i int, x, _ []float32) (int64, error) {
	x = x[:b.size]
	for j, v := range b.x[i*b.size : (i+1)*b.size] {
		x[j] = b.table[v]
	}
	if b.labels == nil {
		return 0, nil
	}
	return b.labels[i], nil
}

// Classer is what a Source implements when it knows a sample's class without reading its features.
type Classer interface {
	// Class returns the class of sample i as epoch 0 shows it; ok is false when it takes a Read.
	Class(i int) (class int64, ok bool)
}

// Class returns the label of sample i.
func (m *Memory) Class(i int) (int64, bool) {
	if m.Labels == nil {
		return 0, true
	}
	return m.Labels[i], true
}

// Class returns the label of sample i.
func (b *Bytes) Class(i int) (int64, bool) {
	if b.labels == nil {
		return 0, true
	}
	return b.labels[i], true
}

// Labels returns the class of every sample of a source as epoch 0 shows it, nil when the samples
// have none. It reads the samples when the source is no Classer.
func Labels(src Source) ([]int64, error) {
	spec := src.Spec()
	if spec.Classes == 0 {
		return nil, nil
	}
	var x, t []float32
	out := make([]int64, src.Len())
	for i := range out {
		c, ok := classOf(src, i)
		if !ok {
			if x == nil {
				x, t = make([]float32, spec.Size()), make([]float32, spec.Targets)
			}
			var err error
			if c, err = src.Read(0, i, x, t); err != nil {
				return nil, &SampleError{Sample: i, Err: err}
			}
		}
		out[i] = c
	}
	return out, nil
}

// classOf asks a source that may be a Classer.
func classOf(src Source, i int) (int64, bool) {
	if c, ok := src.(Classer); ok {
		return c.Class(i)
	}
	return 0, false
}

// maxFeatures bounds one sample; more is a broken shape.
const maxFeatures = 1 << 30

// checkSpec returns the features of a sample.
func checkSpec(s Spec) (int, error) {
	n := 1
	for _, d := range s.Shape {
		if d < 1 || n > maxFeatures/d {
			return 0, failure("Spec", "the shape "+shapeText(s.Shape)+" has a dimension below 1 or too many features")
		}
		n *= d
	}
	if s.Classes < 0 || s.Targets < 0 {
		return 0, failure("Spec", "the number of classes or targets is negative")
	}
	if s.Names != nil && len(s.Names) != s.Classes {
		return 0, failure("Spec", "got "+strconv.Itoa(len(s.Names))+" class names for "+strconv.Itoa(s.Classes)+" classes")
	}
	return n, nil
}

func failure(what, text string) error {
	return errors.New("weft: data: " + what + ": " + text)
}

func finite(v float32) bool {
	return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
}

func ftoa(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

func shapeText(shape []int) string {
	b := []byte{'['}
	for i, d := range shape {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, int64(d), 10)
	}
	return string(append(b, ']'))
}
