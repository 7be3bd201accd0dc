package metric

import (
	"math"
	"slices"
	"strconv"
)

// AUC is the area under the ROC curve of a binary score: the probability that a random positive
// scores above a random negative, ties counting one half (the Mann-Whitney statistic). It keeps
// every score, 5 bytes a sample. The zero value is ready.
type AUC struct {
	scores []float32
	pos    []bool
}

// Update adds a batch: scores rise with the belief in class 1 (probabilities or logits), labels
// are 0 or 1. NaN scores are errors; infinities compare as they do.
func (a *AUC) Update(scores []float32, labels []int64) error {
	if len(scores) != len(labels) {
		return failure("AUC", "got "+strconv.Itoa(len(scores))+" scores for "+strconv.Itoa(len(labels))+" labels")
	}
	if err := checkLabels("AUC", "label", labels, 2); err != nil {
		return err
	}
	if err := checkNaN("AUC", "score", scores); err != nil {
		return err
	}
	a.scores = append(a.scores, scores...)
	for _, l := range labels {
		a.pos = append(a.pos, l == 1)
	}
	return nil
}

// Result returns the area in 0..1, NaN unless both classes were seen (it is undefined then).
func (a *AUC) Result() float64 {
	return auc(len(a.scores), func(i int) (float32, bool) { return a.scores[i], a.pos[i] })
}

// Reset forgets every score and keeps the memory.
func (a *AUC) Reset() { a.scores, a.pos = a.scores[:0], a.pos[:0] }

// auc computes the Mann-Whitney statistic over n (score, positive) pairs.
func auc(n int, at func(i int) (float32, bool)) float64 {
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(x, y int32) int { // stable: the same code as sorts elsewhere in a page
		a, _ := at(int(x))
		b, _ := at(int(y))
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	// Twice the number of (positive, negative) pairs in the right order; integers, so exact.
	var wins2, negBelow, positives uint64
	for i := 0; i < n; {
		score, _ := at(int(order[i]))
		var p, q uint64 // positives and negatives that share this score
		for ; i < n; i++ {
			s, pos := at(int(order[i]))
			if s != score {
				break
			}
			if pos {
				p++
			} else {
				q++
			}
		}
		wins2 += p * (2*negBelow + q)
		negBelow += q
		positives += p
	}
	if positives == 0 || negBelow == 0 {
		return math.NaN()
	}
	return float64(wins2) / (2 * float64(positives) * float64(negBelow))
}

// MultiAUC is the one-vs-rest area under the ROC curve of a classifier with several classes. It
// keeps every score.
type MultiAUC struct {
	classes int
	scores  []float32 // [samples, classes]
	labels  []int64
}

// NewMultiAUC returns an empty accumulator. It panics if classes < 2, a programmer's mistake.
func NewMultiAUC(classes int) *MultiAUC {
	if classes < 2 {
		panic("weft: metric: MultiAUC: the number of classes must be at least 2")
	}
	return &MultiAUC{classes: classes}
}

// Update adds a batch; scores are [len(labels), classes], probabilities for a meaningful figure.
func (a *MultiAUC) Update(scores []float32, labels []int64) error {
	if err := checkScores("MultiAUC", scores, labels, a.classes); err != nil {
		return err
	}
	a.scores = append(a.scores, scores...)
	a.labels = append(a.labels, labels...)
	return nil
}

// PerClass returns each class's area against the rest, NaN for a class without samples or
// without others.
func (a *MultiAUC) PerClass() []float64 {
	out := make([]float64, a.classes)
	for c := range out {
		out[c] = auc(len(a.labels), func(i int) (float32, bool) {
			return a.scores[i*a.classes+c], a.labels[i] == int64(c)
		})
	}
	return out
}

// Result returns the mean over the classes whose area is defined (macro average), NaN if none is.
func (a *MultiAUC) Result() float64 {
	sum, n := 0.0, 0
	for _, v := range a.PerClass() {
		if v == v {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

// Reset forgets every score and keeps the memory.
func (a *MultiAUC) Reset() { a.scores, a.labels = a.scores[:0], a.labels[:0] }
