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
	z := s.Logits(y)
	switch s.Name {
	case SparseCategorical, Categorical:
		if z == nil {
			z = op.Log(clip(y)) // normalised by the logarithm of their sum, as probabilities that do not sum to one are in Keras
		}
		if z.HasRank && len(z.Shape) > 2 { // [N, ..., classes]: every position is a sample
			z = op.Reshape(z, -1, z.Shape[len(z.Shape)-1])
			if s.Name == Categorical {
				target = op.ReshapeLike(target, z)
			} else {
				target = op.Reshape(target, -1)
			}
		}
		return CrossEntropy(z, target, CrossEntropyOptions{LabelSmoothing: float32(s.LabelSmoothing)})
	case Binary:
		if e := s.LabelSmoothing; e != 0 {
			target = op.Add(scale(target, 1-e), op.ConstLike(target, e/2))
		}
		if z != nil {
			return BinaryCrossEntropy(z, target)
		}
		p := clip(y)
		one := op.ConstLike(y, 1)
		return op.Neg(mean(op.Add(op.Mul(target, op.Log(p)), op.Mul(op.Sub(one, target), op.Log(op.Sub(one, p))))))
	case SquaredError:
		return MSE(y, target)
	case AbsoluteError:
		return MAE(y, target)
	case HuberLoss:
		d := s.Delta
		if d == 0 {
			d = 1
		}
		return Huber(y, target, d)
	case HingeLoss:
		// Targets 0 and 1 mean -1 and 1.
		sign := op.Where(op.Greater(target, op.ConstLike(target, 0)), op.ConstLike(target, 1), op.ConstLike(target, -1))
		return Hinge(y, sign)
	case Divergence:
		if z == nil {
			z = op.Log(clip(y))
		}
		return KL(z, target)
	}
	tensor.Fail("loss", strconv.Quote(s.Name), " is not one of ", strings.Join(Names(), ", "))
	return nil
}

func clip(y *graph.Value) *graph.Value {
	return op.Clip(y, op.ConstLike(y, probabilityFloor), op.ConstLike(y, 1-probabilityFloor))
}
