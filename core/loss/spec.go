package loss

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// The losses that [Parse] knows, by the names of Keras.
const (
	SparseCategorical = "sparseCategoricalCrossentropy"
	Categorical       = "categoricalCrossentropy"
	Binary            = "binaryCrossentropy"
	SquaredError      = "meanSquaredError"
	AbsoluteError     = "meanAbsoluteError"
	HuberLoss         = "huber"
	HingeLoss         = "hinge"
	Divergence        = "kullbackLeiblerDivergence"
)

// Names lists the losses that Parse knows.
func Names() []string {
	return []string{SparseCategorical, Categorical, Binary, SquaredError, AbsoluteError, HuberLoss, HingeLoss, Divergence}
}

var short = map[string]string{"mse": SquaredError, "mae": AbsoluteError, "kld": Divergence, "bce": Binary, "crossentropy": SparseCategorical}

// Spec is a loss by name with its settings.
type Spec struct {
	Name           string
	FromLogits     bool    // cross-entropies and the divergence: the output is logits, not probabilities
	LabelSmoothing float64 // cross-entropies
	Delta          float64 // huber; 0: 1
}

// Parse returns the named loss; mse, mae, bce and kld are short names.
func Parse(name string) (Spec, error) {
	if long := short[name]; long != "" {
		name = long
	}
	for _, n := range Names() {
		if n == name {
			return Spec{Name: n}, nil
		}
	}
	return Spec{}, tensor.Err("loss", strconv.Quote(name), " is not one of ", strings.Join(Names(), ", "))
}

// Sparse reports whether targets are class numbers (int64 [N] for an output [N, classes]) and not numbers of the output's shape.
func (s Spec) Sparse() bool { return s.Name == SparseCategorical }

// Classes reports whether the loss is about one class of several a sample.
func (s Spec) Classes() bool { return s.Name == SparseCategorical || s.Name == Categorical }

// Logits returns what the loss can be computed from without rounding: the input of the Softmax or Sigmoid that y ends in, y itself
// when it is logits already, nil when y is neither.
func (s Spec) Logits(y *graph.Value) *graph.Value {
	last := &op.DefSoftmax
	switch s.Name {
	case SparseCategorical, Categorical, Divergence:
	case Binary:
		last = &op.DefSigmoid
	default:
		return nil
	}
	if y.Origin == graph.FromNode && y.Node.Def == last && (s.Name == Binary || lastAxis(y)) {
		return y.Node.Inputs[0]
	}
	if s.FromLogits {
		return y
	}
	return nil
}

func lastAxis(y *graph.Value) bool {
	a := y.Node.Int("axis")
	return a == -1 || y.HasRank && a == len(y.Shape)-1
}

// probabilityFloor keeps logarithms of probabilities finite, as in Keras.
const probabilityFloor = 1e-7

// Apply adds the loss of an output against its targets and returns a scalar, the mean over the batch. Where y ends in a Softmax or
// Sigmoid the loss is computed from what goes into it, which neither overflows nor loses small probabilities.
func (s Spec) Apply(y, target *graph.Value) *graph.Value {
	switch s.Name {
	case SparseCategorical, Categorical:
		z := s.scores(y)
		if z.HasRank && len(z.Shape) > 2 { // [N, ..., classes]: every position is a sample
			z = op.Reshape(z, -1, z.Shape[len(z.Shape)-1])
			if s.Name == Categorical {
				target = op.ReshapeLike(target, z)
			} else {
				target = op.Reshape(target, -1)
			}
		}
		return CrossEntropy(z, target, CrossEntropyOptions{LabelSmoothing: float32(s.LabelSmoothing)})
	}
	return mean(s.terms(y, target))
}

// ApplyMasked is [Spec.Apply] with the mean over those positions of y that the mask, bool of y's shape without its last dimensions, says count. It is 0 where none does.
func (s Spec) ApplyMasked(y, target, mask *graph.Value) *graph.Value {
	r := len(mask.Shape)
	if len(y.Shape) <= r {
		tensor.Fail("loss", "a mask of ", r, " dimensions takes an output of more, not of ", len(y.Shape))
	}
	n := op.ReduceSum(op.Cast(mask, y.DType), nil, false)
	n = op.Max(n, op.ConstLike(n, 1))
	if s.Name == SparseCategorical && s.LabelSmoothing == 0 && len(y.Shape) == r+1 {
		// Masked labels are left out by the operator.
		z := s.scores(y)
		labels := op.Reshape(op.Where(mask, target, op.ConstLike(target, -1)), -1)
		sum := op.SoftmaxCrossEntropyLoss(op.Reshape(z, -1, z.Shape[r]), labels, nil, op.LossOptions{Reduction: "sum", Ignore: true, IgnoreIndex: -1})
		return op.Div(sum, n)
	}
	var per *graph.Value
	switch s.Name {
	case SparseCategorical, Categorical:
		logp := op.LogSoftmax(s.scores(y), -1)
		if s.Name == SparseCategorical {
			// A masked label may be no class at all.
			at := mask
			for len(at.Shape) < len(target.Shape) {
				at = op.Unsqueeze(at, len(at.Shape))
			}
			at = op.Unsqueeze(op.Where(at, target, op.ConstLike(target, 0)), len(target.Shape))
			per = op.Neg(op.Squeeze(op.GatherElements(logp, at, len(y.Shape)-1), -1))
		} else {
			per = op.Neg(op.ReduceSum(op.Mul(target, logp), []int{-1}, false))
		}
		if e := s.LabelSmoothing; e != 0 {
			per = op.Add(scale(per, 1-e), scale(op.ReduceMean(logp, []int{-1}, false), -e))
		}
	default:
		per = s.terms(y, target)
	}
	var rest []int
	for i := r; i < len(per.Shape); i++ {
		rest = append(rest, i)
	}
	if rest != nil {
		per = op.ReduceMean(per, rest, false)
	}
	return op.Div(op.ReduceSum(op.Where(mask, per, op.ConstLike(per, 0)), nil, false), n)
}

// scores returns what softmax makes the output's probabilities of.
func (s Spec) scores(y *graph.Value) *graph.Value {
	if z := s.Logits(y); z != nil {
		return z
	}
	return op.Log(clip(y)) // normalised by the logarithm of their sum, as probabilities that do not sum to one are in Keras
}

// terms returns what the loss is the mean of, one for each element of y or for each of its rows.
func (s Spec) terms(y, target *graph.Value) *graph.Value {
	z := s.Logits(y)
	switch s.Name {
	case Binary:
		if e := s.LabelSmoothing; e != 0 {
			target = op.Add(scale(target, 1-e), op.ConstLike(target, e/2))
		}
		if z != nil {
			return binaryCrossEntropy(z, target)
		}
		p := clip(y)
		one := op.ConstLike(y, 1)
		return op.Neg(op.Add(op.Mul(target, op.Log(p)), op.Mul(op.Sub(one, target), op.Log(op.Sub(one, p)))))
	case SquaredError:
		return squaredError(y, target)
	case AbsoluteError:
		return absoluteError(y, target)
	case HuberLoss:
		d := s.Delta
		if d == 0 {
			d = 1
		}
		return huber(y, target, d)
	case HingeLoss:
		// Targets 0 and 1 mean -1 and 1.
		sign := op.Where(op.Greater(target, op.ConstLike(target, 0)), op.ConstLike(target, 1), op.ConstLike(target, -1))
		return hinge(y, sign)
	case Divergence:
		return divergence(s.scores(y), target)
	}
	tensor.Fail("loss", strconv.Quote(s.Name), " is not one of ", strings.Join(Names(), ", "))
	return nil
}

func clip(y *graph.Value) *graph.Value {
	return op.Clip(y, op.ConstLike(y, probabilityFloor), op.ConstLike(y, 1-probabilityFloor))
}
