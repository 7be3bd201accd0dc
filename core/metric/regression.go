package metric

import (
	"math"
	"strconv"
)

// Regression accumulates the errors of predicted numbers: MSE, RMSE, MAE and R2 in one pass. The
// zero value is ready. Outputs with several numbers a sample are pooled: every number counts alike.
type Regression struct {
	n        int
	abs, sq  float64 // sums of |e| and e*e
	mean, m2 float64 // running mean and sum of squared deviations of the targets (Welford)
	min, max float32
}

// Update adds a batch of predictions and targets of equal length. A number that is not finite is
// an error.
func (r *Regression) Update(predicted, target []float32) error {
	if len(predicted) != len(target) {
		return failure("Regression", "got "+strconv.Itoa(len(predicted))+" predictions for "+strconv.Itoa(len(target))+" targets")
	}
	if err := checkFinite("Regression", "prediction", predicted); err != nil {
		return err
	}
	if err := checkFinite("Regression", "target", target); err != nil {
		return err
	}
	for i, t := range target {
		e := float64(predicted[i]) - float64(t)
		r.abs += math.Abs(e)
		r.sq += float64(e * e)
		if r.n == 0 {
			r.min, r.max = t, t
		}
		r.min, r.max = min(r.min, t), max(r.max, t)
		r.n++
		d := float64(t) - r.mean
		r.mean += d / float64(r.n)
		r.m2 += float64(d * (float64(t) - r.mean))
	}
	return nil
}

// Count returns the numbers added.
func (r *Regression) Count() int { return r.n }

// MSE returns the mean squared error, NaN before the first number.
func (r *Regression) MSE() float64 { return r.over(r.sq) }

// RMSE returns the root of the mean squared error.
func (r *Regression) RMSE() float64 { return math.Sqrt(r.MSE()) }

// MAE returns the mean absolute error.
func (r *Regression) MAE() float64 { return r.over(r.abs) }

// R2 returns the coefficient of determination, 1 - sum(e^2) / sum((t - mean t)^2). It is at most
// 1 and may be negative. With constant targets it is undefined; then, as in scikit-learn, it is 1
// for perfect predictions and 0 otherwise. NaN before the first number.
func (r *Regression) R2() float64 {
	switch {
	case r.n == 0:
		return math.NaN()
	case r.min != r.max:
		return 1 - r.sq/r.m2
	case r.sq == 0:
		return 1
	}
	return 0
}

// Reset forgets everything added.
func (r *Regression) Reset() { *r = Regression{} }

func (r *Regression) over(sum float64) float64 {
	if r.n == 0 {
		return math.NaN()
	}
	return sum / float64(r.n)
}
