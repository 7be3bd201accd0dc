package metric

import "strconv"

// Confusion is the confusion matrix of a classifier and what follows from it: precision, recall
// and F1, per class and averaged.
type Confusion struct {
	classes int
	m       []int // [classes, classes], row = true class, column = predicted class
	total   int
}

// NewConfusion returns an empty matrix. It panics if classes < 1, a programmer's mistake.
func NewConfusion(classes int) *Confusion {
	if classes < 1 {
		panic("weft: metric: Confusion: the number of classes must be at least 1")
	}
	return &Confusion{classes: classes, m: make([]int, classes*classes)}
}

// Update counts a batch of predicted and true classes.
func (c *Confusion) Update(predicted, labels []int64) error {
	if len(predicted) != len(labels) {
		return failure("Confusion", "got "+strconv.Itoa(len(predicted))+" predictions for "+strconv.Itoa(len(labels))+" labels")
	}
	if err := checkLabels("Confusion", "prediction", predicted, c.classes); err != nil {
		return err
	}
	if err := checkLabels("Confusion", "label", labels, c.classes); err != nil {
		return err
	}
	for i, l := range labels {
		c.m[int(l)*c.classes+int(predicted[i])]++
	}
	c.total += len(labels)
	return nil
}

// UpdateScores counts a batch by the highest score of each sample; scores are
// [len(labels), classes].
func (c *Confusion) UpdateScores(scores []float32, labels []int64) error {
	if err := checkScores("Confusion", scores, labels, c.classes); err != nil {
		return err
	}
	for i, l := range labels {
		c.m[int(l)*c.classes+ArgMax(scores[i*c.classes:(i+1)*c.classes])]++
	}
	c.total += len(labels)
	return nil
}

// Classes returns the number of classes.
func (c *Confusion) Classes() int { return c.classes }

// Total returns the number of samples counted.
func (c *Confusion) Total() int { return c.total }

// At returns how many samples of class label were predicted as class predicted.
func (c *Confusion) At(label, predicted int) int { return c.m[label*c.classes+predicted] }

// Result returns the matrix: row = true class, column = predicted class.
func (c *Confusion) Result() [][]int {
	rows := make([][]int, c.classes)
	for i := range rows {
		rows[i] = append([]int(nil), c.m[i*c.classes:(i+1)*c.classes]...)
	}
	return rows
}

// Reset forgets everything counted.
func (c *Confusion) Reset() {
	clear(c.m)
	c.total = 0
}

// Accuracy returns the share of samples on the diagonal, NaN before the first sample.
func (c *Confusion) Accuracy() float64 {
	n := 0
	for i := range c.classes {
		n += c.At(i, i)
	}
	return ratio(n, c.total)
}

// Scores are precision, recall and F1 of one class or of an average, each in 0..1.
//
//	precision = TP / (TP + FP)    recall = TP / (TP + FN)    F1 = 2 TP / (2 TP + FP + FN)
//
// A quotient 0/0 (a class never predicted, or absent from the data) is 0, as in scikit-learn.
type Scores struct {
	Precision, Recall, F1 float64
	Support               int // samples of the class in the data
}

// PerClass returns the scores of each class against all others.
func (c *Confusion) PerClass() []Scores {
	s := make([]Scores, c.classes)
	for i := range s {
		tp, predicted, actual := c.counts(i)
		s[i] = scores(tp, predicted, actual)
	}
	return s
}

// Macro returns the unweighted mean of the classes' scores. Its F1 is the mean of the F1s, not the
// F1 of the means. Classes that are neither in the data nor predicted are left out of the mean, as
// scikit-learn does when it finds the labels itself.
func (c *Confusion) Macro() Scores {
	sum, n := Scores{Support: c.total}, 0
	for i := range c.classes {
		tp, predicted, actual := c.counts(i)
		if predicted+actual == 0 {
			continue
		}
		s := scores(tp, predicted, actual)
		sum.Precision += s.Precision
		sum.Recall += s.Recall
		sum.F1 += s.F1
		n++
	}
	if n > 0 {
		sum.Precision /= float64(n)
		sum.Recall /= float64(n)
		sum.F1 /= float64(n)
	}
	return sum
}

// Micro returns the scores of the counts summed over all classes. With one label a sample all
// three equal the accuracy.
func (c *Confusion) Micro() Scores {
	var tp, predicted, actual int
	for i := range c.classes {
		t, p, a := c.counts(i)
		tp, predicted, actual = tp+t, predicted+p, actual+a
	}
	return scores(tp, predicted, actual)
}

// counts returns the true positives of a class, how often it was predicted, and how often it was
// the label.
func (c *Confusion) counts(class int) (tp, predicted, actual int) {
	for j := range c.classes {
		predicted += c.At(j, class)
		actual += c.At(class, j)
	}
	return c.At(class, class), predicted, actual
}

func scores(tp, predicted, actual int) Scores {
	div := func(a, b int) float64 {
		if b == 0 {
			return 0
		}
		return float64(a) / float64(b)
	}
	return Scores{div(tp, predicted), div(tp, actual), div(2*tp, predicted+actual), actual}
}
