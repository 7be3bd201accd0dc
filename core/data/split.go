package data

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/random"
)

// Streams of the seed that this package draws from.
const (
	streamShuffle = 0x73687566 // "shuf", derived with the epoch
	streamSplit   = 0x73706c74 // "splt"
)

// Subset is a Source that shows chosen samples of another, in the chosen order.
type Subset struct {
	src   Source
	index []int
}

// NewSubset returns the samples of src at the given indices, which it keeps. An index may occur
// more than once; one outside the source is an error.
func NewSubset(src Source, index []int) (*Subset, error) {
	n := src.Len()
	for i, j := range index {
		if j < 0 || j >= n {
			return nil, failure("NewSubset", "index "+strconv.Itoa(i)+" is "+strconv.Itoa(j)+", outside 0 to "+strconv.Itoa(n-1))
		}
	}
	return &Subset{src, index}, nil
}

// Len returns the number of chosen samples.
func (s *Subset) Len() int { return len(s.index) }

// Spec describes a sample, as the source does.
func (s *Subset) Spec() Spec { return s.src.Spec() }

// Read reads sample i of the subset.
func (s *Subset) Read(epoch, i int, x, target []float32) (int64, error) {
	return s.src.Read(epoch, s.index[i], x, target)
}

// Class asks the source.
func (s *Subset) Class(i int) (int64, bool) { return classOf(s.src, s.index[i]) }

// SplitOptions say how Split divides. The zero value draws without regard to classes, seed 0.
type SplitOptions struct {
	Seed       uint64
	Stratified bool // take the same share of every class (needs class labels)
}

// Split divides a source at random into a training part and a validation part that holds the
// fraction val of the samples, rounded to the nearest whole number (of each class when
// stratified). Both parts keep the source's order and neither may come out empty.
func Split(src Source, val float64, opt SplitOptions) (train, validation *Subset, err error) {
	n := src.Len()
	if !(val > 0 && val < 1) {
		return nil, nil, failure("Split", "the validation fraction is "+strconv.FormatFloat(val, 'g', -1, 64)+", need more than 0 and less than 1")
	}
	chosen := make([]bool, n)
	rng := random.New(opt.Seed, streamSplit)
	if opt.Stratified {
		classes := src.Spec().Classes
		if classes == 0 {
			return nil, nil, failure("Split", "cannot stratify: the samples have no class labels")
		}
		labels, err := Labels(src)
		if err != nil {
			return nil, nil, err
		}
		byClass := make([][]int, classes)
		for i, l := range labels {
			if l < 0 || l >= int64(classes) {
				return nil, nil, failure("Split", "label "+strconv.Itoa(i)+" is "+strconv.FormatInt(l, 10)+", outside 0 to "+strconv.Itoa(classes-1))
			}
			byClass[l] = append(byClass[l], i)
		}
		for _, index := range byClass {
			choose(&rng, index, val, chosen)
		}
	} else {
		index := make([]int, n)
		for i := range index {
			index[i] = i
		}
		choose(&rng, index, val, chosen)
	}
	train, validation = &Subset{src: src}, &Subset{src: src}
	for i, c := range chosen {
		if c {
			validation.index = append(validation.index, i)
		} else {
			train.index = append(train.index, i)
		}
	}
	if len(train.index) == 0 || len(validation.index) == 0 {
		return nil, nil, failure("Split", "of "+strconv.Itoa(n)+" samples a fraction of "+strconv.FormatFloat(val, 'g', -1, 64)+
			" leaves one part empty: use more data or another fraction")
	}
	return train, validation, nil
}

// choose marks round(val * len(index)) of the indices.
func choose(rng *random.Source, index []int, val float64, chosen []bool) {
	index = slices.Clone(index)
	rng.Shuffle(len(index), func(i, j int) { index[i], index[j] = index[j], index[i] })
	for _, i := range index[:int(float64(val*float64(len(index)))+0.5)] {
		chosen[i] = true
	}
}
