// Package metric has the measures of a trained model: accuracy, precision, recall, F1, the
// confusion matrix, ROC AUC and the regression errors.
//
// Each is an accumulator: Update takes a batch as plain slices, Result gives the value over all
// batches since the last Reset, and how the data was cut into batches does not matter. Update
// checks everything before it counts anything: after an error the accumulator is as before. Sums
// are float64.
package metric

import (
	"errors"
	"math"
	"strconv"
)

// Int is the type of a class label.
type Int interface {
	~int | ~int32 | ~int64
}

// failure returns an error in the form of the project: weft: metric: <what>: <text>.
func failure(what, text string) error {
	return errors.New("weft: metric: " + what + ": " + text)
}

// itoa is strconv.Itoa for every label type.
func itoa[T Int](v T) string { return strconv.FormatInt(int64(v), 10) }

// ftoa prints a float as short as it can be read back.
func ftoa(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }

// checkLabels reports the first label outside [0, classes).
func checkLabels[T Int](what, kind string, labels []T, classes int) error {
	for i, l := range labels {
		if l < 0 || int64(l) >= int64(classes) {
			return failure(what, kind+" "+strconv.Itoa(i)+" is "+itoa(l)+", outside 0 to "+strconv.Itoa(classes-1)+
				": check the data, or raise the number of classes")
		}
	}
	return nil
}

// checkNaN reports the first NaN. Infinities pass: they compare.
func checkNaN(what, kind string, v []float32) error {
	for i, x := range v {
		if x != x {
			return failure(what, kind+" "+strconv.Itoa(i)+" is NaN: the model or its input is broken")
		}
	}
	return nil
}

// checkFinite reports the first NaN or infinity.
func checkFinite(what, kind string, v []float32) error {
	for i, x := range v {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return failure(what, kind+" "+strconv.Itoa(i)+" is "+ftoa(x)+": a finite number is needed")
		}
	}
	return nil
}

// checkScores checks that scores is [len(labels), classes] without NaN and the labels in range.
func checkScores[T Int](what string, scores []float32, labels []T, classes int) error {
	if classes < 1 {
		return failure(what, "the number of classes is "+strconv.Itoa(classes)+", need at least 1")
	}
	if len(scores) != len(labels)*classes {
		return failure(what, "got "+strconv.Itoa(len(scores))+" scores for "+strconv.Itoa(len(labels))+" labels of "+
			strconv.Itoa(classes)+" classes, need "+strconv.Itoa(len(labels)*classes))
	}
	if err := checkLabels(what, "label", labels, classes); err != nil {
		return err
	}
	for i, x := range scores {
		if x != x {
			return failure(what, "score "+strconv.Itoa(i)+" (sample "+strconv.Itoa(i/classes)+", class "+strconv.Itoa(i%classes)+
				") is NaN: the model or its input is broken")
		}
	}
	return nil
}

// ArgMax returns the index of the largest score, the first one at a tie, as ONNX ArgMax does.
// It returns -1 for an empty slice. NaNs lose against every number.
func ArgMax(scores []float32) int {
	best := -1
	for i, s := range scores {
		if best < 0 || s > scores[best] || (scores[best] != scores[best] && s == s) {
			best = i
		}
	}
	return best
}

// Accuracy is the share of samples whose highest score is that of their label. The zero value is
// ready.
type Accuracy struct {
	correct, total int
}

// Update counts a batch: scores (logits or probabilities) are [len(labels), classes].
func (a *Accuracy) Update(scores []float32, labels []int64, classes int) error {
	if err := checkScores("Accuracy", scores, labels, classes); err != nil {
		return err
	}
	for i, l := range labels {
		if ArgMax(scores[i*classes:(i+1)*classes]) == int(l) {
			a.correct++
		}
	}
	a.total += len(labels)
	return nil
}

// Add counts samples that were judged elsewhere, for example by an operator in the graph.
func (a *Accuracy) Add(correct, total int) { a.correct += correct; a.total += total }

// Result returns the accuracy in 0..1, NaN before the first sample.
func (a *Accuracy) Result() float64 { return ratio(a.correct, a.total) }

// Count returns the correct samples and all samples so far.
func (a *Accuracy) Count() (correct, total int) { return a.correct, a.total }

// Reset forgets everything counted.
func (a *Accuracy) Reset() { *a = Accuracy{} }

// TopK is the share of samples whose label is among the K highest scores. At a tie the label
// counts as beaten by equal scores of lower index, as a stable sort ranks them, so that K = 1 is
// Accuracy.
type TopK struct {
	K              int
	correct, total int
}

// Update counts a batch: scores are [len(labels), classes].
func (a *TopK) Update(scores []float32, labels []int64, classes int) error {
	if a.K < 1 {
		return failure("TopK", "K is "+strconv.Itoa(a.K)+", need at least 1")
	}
	if err := checkScores("TopK", scores, labels, classes); err != nil {
		return err
	}
	for i, l := range labels {
		row, rank := scores[i*classes:(i+1)*classes], 0
		for c, s := range row {
			if s > row[l] || s == row[l] && c < int(l) {
				rank++
			}
		}
		if rank < a.K {
			a.correct++
		}
	}
	a.total += len(labels)
	return nil
}

// Result returns the share in 0..1, NaN before the first sample.
func (a *TopK) Result() float64 { return ratio(a.correct, a.total) }

// Reset forgets everything counted and keeps K.
func (a *TopK) Reset() { a.correct, a.total = 0, 0 }

// Mean is the average of a quantity over samples, for example of a loss. The zero value is ready.
type Mean struct {
	sum    float64
	weight float64
}

// Update adds value with the given weight: for the mean loss of a batch, its number of samples. A
// value or weight that is not finite, and a negative weight, are errors.
func (m *Mean) Update(value, weight float64) error {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return failure("Mean", "the value is "+strconv.FormatFloat(value, 'g', -1, 64)+": a finite number is needed")
	}
	if !(weight >= 0) || math.IsInf(weight, 0) {
		return failure("Mean", "the weight is "+strconv.FormatFloat(weight, 'g', -1, 64)+": a finite number, at least 0, is needed")
	}
	m.sum += value * weight
	m.weight += weight
	return nil
}

// Result returns the weighted mean, NaN before the first value.
func (m *Mean) Result() float64 {
	if m.weight == 0 {
		return math.NaN()
	}
	return m.sum / m.weight
}

// Reset forgets everything added.
func (m *Mean) Reset() { *m = Mean{} }

// ratio is a/b, and NaN for 0/0.
func ratio(a, b int) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
