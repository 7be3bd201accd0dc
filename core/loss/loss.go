// Package loss holds loss functions: each adds nodes to the graph of its arguments and returns a scalar.
package loss

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// CrossEntropyOptions are the settings of [CrossEntropy]; the zero value is the plain mean.
type CrossEntropyOptions struct {
	LabelSmoothing float32      // epsilon: the target becomes (1-epsilon) one-hot + epsilon/classes
	Weights        *graph.Value // per class [classes]; nil: 1. Sparse labels only; the mean divides by the sum of the weights used
	Ignore         bool         // whether IgnoreIndex is set
	IgnoreIndex    int          // a label that does not count, when Ignore is set. Sparse labels only
}

// CrossEntropy is the mean softmax cross-entropy of logits [N, classes, ...] against labels: class numbers
// (int32 or int64, [N, ...]) or distributions of the logits' shape and type (one-hot, soft or mixed up).
func CrossEntropy(logits, labels *graph.Value, o CrossEntropyOptions) *graph.Value {
	if !(o.LabelSmoothing >= 0 && o.LabelSmoothing < 1) {
		tensor.Fail("loss.CrossEntropy", "label smoothing must lie in 0 to less than 1, not ", o.LabelSmoothing)
	}
	soft := labels.DType.IsFloat()
	if soft && (o.Weights != nil || o.Ignore) {
		tensor.Fail("loss.CrossEntropy", "class weights and an ignored index need class numbers as labels")
	}
	eps := float64(o.LabelSmoothing)
	if !soft {
		hard := op.SoftmaxCrossEntropyLoss(logits, labels, o.Weights, op.LossOptions{Ignore: o.Ignore, IgnoreIndex: o.IgnoreIndex})
		if eps == 0 {
			return hard
		}
		if o.Weights != nil || o.Ignore {
			tensor.Fail("loss.CrossEntropy", "label smoothing is not defined here with class weights or an ignored index")
		}
		// -(1-eps) log p[label] - eps mean over classes of log p
		uniform := op.Neg(op.ReduceMean(op.LogSoftmax(logits, 1), nil, false))
		return op.Add(scale(hard, 1-eps), scale(uniform, eps))
	}
	logp := op.LogSoftmax(logits, 1)
	per := op.Neg(op.ReduceSum(op.Mul(labels, logp), []int{1}, false))
	hard := op.ReduceMean(per, nil, false)
	if eps == 0 {
		return hard
	}
	uniform := op.Neg(op.ReduceMean(logp, nil, false))
	return op.Add(scale(hard, 1-eps), scale(uniform, eps))
}

// BinaryCrossEntropy is the mean binary cross-entropy of logits against targets in 0..1 of the same shape,
// computed as max(z, 0) - z*t + log(1 + exp(-|z|)) so that no logit overflows.
func BinaryCrossEntropy(logits, targets *graph.Value) *graph.Value {
	return mean(binaryCrossEntropy(logits, targets))
}

func binaryCrossEntropy(logits, targets *graph.Value) *graph.Value {
	// softplus(z) = max(z, 0) + log(1 + exp(-|z|))
	return op.Sub(op.Softplus(logits), op.Mul(logits, targets))
}

// MSE is the mean squared error.
func MSE(y, target *graph.Value) *graph.Value { return mean(squaredError(y, target)) }

func squaredError(y, target *graph.Value) *graph.Value {
	d := op.Sub(y, target)
	return op.Mul(d, d)
}

// MAE is the mean absolute error; its gradient at equality is 0.
func MAE(y, target *graph.Value) *graph.Value { return mean(absoluteError(y, target)) }

func absoluteError(y, target *graph.Value) *graph.Value { return op.Abs(op.Sub(y, target)) }

// Huber is the mean of d^2/2 where |d| <= delta and delta(|d| - delta/2) beyond (Huber, 1964), d = y - target.
func Huber(y, target *graph.Value, delta float64) *graph.Value { return mean(huber(y, target, delta)) }

func huber(y, target *graph.Value, delta float64) *graph.Value {
	if !(delta > 0) {
		tensor.Fail("loss.Huber", "delta must be positive")
	}
	d := op.Sub(y, target)
	// With c = clip(d, -delta, delta): c*(d - c/2) is both branches.
	c := op.Clip(d, op.ConstLike(d, -delta), op.ConstLike(d, delta))
	return op.Mul(c, op.Sub(d, scale(c, 0.5)))
}

// Hinge is the mean of max(0, 1 - t*y) for targets t of -1 or 1.
func Hinge(y, target *graph.Value) *graph.Value { return mean(hinge(y, target)) }

func hinge(y, target *graph.Value) *graph.Value {
	return op.Relu(op.Sub(op.ConstLike(y, 1), op.Mul(target, y)))
}

// KL is the Kullback-Leibler divergence sum(p (log p - log q)) of distributions p (target) from q over the last axis, averaged
// over the rest. It takes q as logits; terms with p = 0 count 0.
func KL(logits, p *graph.Value) *graph.Value { return mean(divergence(logits, p)) }

func divergence(logits, p *graph.Value) *graph.Value {
	logq := op.LogSoftmax(logits, -1)
	zero, one := op.ConstLike(p, 0), op.ConstLike(p, 1)
	safe := op.Where(op.Greater(p, zero), p, one) // p log p with 0 log 0 = 0
	return op.ReduceSum(op.Mul(p, op.Sub(op.Log(safe), logq)), []int{-1}, false)
}

func mean(x *graph.Value) *graph.Value { return op.ReduceMean(x, nil, false) }

func scale(x *graph.Value, f float64) *graph.Value { return op.Mul(x, op.ConstLike(x, f)) }
