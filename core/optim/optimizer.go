package optim

import (
	"math"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Optimizer adds the update of one parameter to a training graph.
type Optimizer interface {
	// Name returns what Parse calls it.
	Name() string
	// Update adds nodes that move the parameter along its gradient times scale (of one element; nil: 1), and the optimizer's
	// state as variables named NAME.SLOT after the parameter.
	Update(s *State, param, grad, scale *graph.Value)
}

// State is what the updates of one training graph share: the scalars that change from step to step are inputs of the
// graph, so that a changed learning rate compiles nothing.
type State struct {
	G       *graph.Graph
	scalars []scalarInput
}

type scalarInput struct {
	name  string
	value *graph.Value
	at    func(step int, lr float64) float64
}

// Scalar returns an input of one element that the host sets before every step; at gives its value from the step
// (counted from 0) and the learning rate. Updates that ask for the same name share one input.
func (s *State) Scalar(name string, at func(step int, lr float64) float64) *graph.Value {
	for _, in := range s.scalars {
		if in.name == name {
			return in.value
		}
	}
	v := s.G.Input("optimizer."+name, tensor.Float32)
	s.scalars = append(s.scalars, scalarInput{name, v, at})
	return v
}

// LR returns the input that holds the learning rate.
func (s *State) LR() *graph.Value {
	return s.Scalar("lr", func(_ int, lr float64) float64 { return lr })
}

// correction returns the input that holds 1 - beta^(step+1).
func (s *State) correction(beta float32) *graph.Value {
	return s.Scalar("correction_"+strconv.FormatFloat(float64(beta), 'g', -1, 32), func(step int, _ float64) float64 {
		return 1 - powInt(float64(beta), step+1)
	})
}

// powInt is b^n by squaring: the same bits on every target, which math.Pow does not promise.
func powInt(b float64, n int) float64 {
	r := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			r = float64(r * b) // the conversions keep processors with fused operations from rounding otherwise
		}
		b = float64(b * b)
	}
	return r
}

// Inputs returns how many scalar inputs the updates added to the graph, in the order of Fill.
func (s *State) Inputs() int { return len(s.scalars) }

// Fill sets the scalar inputs for a step (counted from 0) at a learning rate: one float32 each.
func (s *State) Fill(dst []float32, step int, lr float64) {
	for i, in := range s.scalars {
		dst[i] = float32(in.at(step, lr))
	}
}

// slot adds a state variable of the parameter's shape, filled with v.
func (s *State) slot(param *graph.Value, name string, v float64) *graph.Value {
	t := tensor.New(param.DType, param.Shape...)
	if v != 0 {
		fill := make([]float64, t.Len())
		for i := range fill {
			fill[i] = v
		}
		t.SetFloat64s(fill)
	}
	return s.G.Variable(param.Name+"."+name, t, false)
}

// SGD is stochastic gradient descent, with momentum when Momentum is not 0.
type SGD struct {
	Momentum    float32
	Nesterov    bool
	WeightDecay float32
}

// Name returns what Parse calls it.
func (o SGD) Name() string {
	switch {
	case o.Nesterov:
		return "nesterov"
	case o.Momentum != 0:
		return "momentum"
	}
	return "sgd"
}

// Update adds weft.SGD or weft.Momentum.
func (o SGD) Update(s *State, p, g, scale *graph.Value) {
	u := op.UpdateOptions{WeightDecay: o.WeightDecay, Scale: scale}
	if o.Momentum == 0 {
		s.G.Update(p, op.SGD(p, g, s.LR(), u))
		return
	}
	v := s.slot(p, "velocity", 0)
	p2, v2 := op.Momentum(p, g, v, s.LR(), op.MomentumOptions{UpdateOptions: u, Momentum: o.Momentum, Nesterov: o.Nesterov})
	s.G.Update(p, p2)
	s.G.Update(v, v2)
}

// RMSProp divides by the root of a decaying mean of squared gradients (Hinton, 2012).
type RMSProp struct {
	Rho         float32 // 0: 0.99
	Epsilon     float32 // 0: 1e-8
	WeightDecay float32
}

// Name returns what Parse calls it.
func (RMSProp) Name() string { return "rmsprop" }

// Update adds weft.RMSProp.
func (o RMSProp) Update(s *State, p, g, scale *graph.Value) {
	v := s.slot(p, "square", 0)
	p2, v2 := op.RMSProp(p, g, v, s.LR(), op.RMSPropOptions{Rho: o.Rho, Epsilon: o.Epsilon, WeightDecay: o.WeightDecay, Scale: scale})
	s.G.Update(p, p2)
	s.G.Update(v, v2)
}

// Adagrad divides by the root of the sum of squared gradients (Duchi, Hazan, Singer, JMLR 2011).
type Adagrad struct {
	Epsilon     float32 // 0: 1e-10
	WeightDecay float32
}

// Name returns what Parse calls it.
func (Adagrad) Name() string { return "adagrad" }

// Update adds weft.Adagrad.
func (o Adagrad) Update(s *State, p, g, scale *graph.Value) {
	v := s.slot(p, "sum", 0)
	p2, v2 := op.Adagrad(p, g, v, s.LR(), op.AdagradOptions{Epsilon: o.Epsilon, WeightDecay: o.WeightDecay, Scale: scale})
	s.G.Update(p, p2)
	s.G.Update(v, v2)
}

// Adam is Adam (Kingma, Ba, ICLR 2015), or AdamW (Loshchilov, Hutter, ICLR 2019) when Decoupled: weight decay then shrinks
// the parameters themselves and, as is usual, leaves out biases and the scales of normalisation (variables of one dimension).
type Adam struct {
	Beta1, Beta2, Epsilon float32 // 0: 0.9, 0.999, 1e-8
	WeightDecay           float32
	Decoupled             bool
}

// Name returns what Parse calls it.
func (o Adam) Name() string {
	if o.Decoupled {
		return "adamw"
	}
	return "adam"
}

// Update adds weft.Adam or weft.AdamW.
func (o Adam) Update(s *State, p, g, scale *graph.Value) {
	b1, b2 := or(o.Beta1, 0.9), or(o.Beta2, 0.999)
	m, v := s.slot(p, "m", 0), s.slot(p, "v", 0)
	c := op.AdamOptions{Beta1: b1, Beta2: b2, Epsilon: or(o.Epsilon, 1e-8), WeightDecay: o.WeightDecay, Scale: scale}
	update := op.Adam
	if o.Decoupled {
		update = op.AdamW
		if len(p.Shape) < 2 {
			c.WeightDecay = 0
		}
	}
	p2, m2, v2 := update(p, g, m, v, s.LR(), s.correction(b1), s.correction(b2), c)
	s.G.Update(p, p2)
	s.G.Update(m, m2)
	s.G.Update(v, v2)
}

// Lion moves by the sign of an interpolated momentum (Chen et al., "Symbolic discovery of optimization algorithms", 2023).
type Lion struct {
	Beta1, Beta2 float32 // 0: 0.9, 0.99
	WeightDecay  float32
}

// Name returns what Parse calls it.
func (Lion) Name() string { return "lion" }

// Update adds weft.Lion.
func (o Lion) Update(s *State, p, g, scale *graph.Value) {
	m := s.slot(p, "m", 0)
	p2, m2 := op.Lion(p, g, m, s.LR(), op.LionOptions{Beta1: o.Beta1, Beta2: o.Beta2, WeightDecay: o.WeightDecay, Scale: scale})
	s.G.Update(p, p2)
	s.G.Update(m, m2)
}

func or(v, def float32) float32 {
	if v == 0 {
		return def
	}
	return v
}

// Names lists the optimizers that Parse knows.
func Names() []string {
	return []string{"sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "lion"}
}

// Parse returns the named optimizer with its usual settings and the given weight decay.
func Parse(name string, weightDecay float64) (Optimizer, error) {
	if !(weightDecay >= 0) || math.IsInf(weightDecay, 0) {
		return nil, tensor.Err("optimizer", "weight decay must be a number of 0 or more")
	}
	wd := float32(weightDecay)
	switch name {
	case "sgd":
		return SGD{WeightDecay: wd}, nil
	case "momentum":
		return SGD{Momentum: 0.9, WeightDecay: wd}, nil
	case "nesterov":
		return SGD{Momentum: 0.9, Nesterov: true, WeightDecay: wd}, nil
	case "rmsprop":
		return RMSProp{WeightDecay: wd}, nil
	case "adagrad":
		return Adagrad{WeightDecay: wd}, nil
	case "adam":
		return Adam{WeightDecay: wd}, nil
	case "adamw":
		return Adam{WeightDecay: wd, Decoupled: true}, nil
	case "lion":
		return Lion{WeightDecay: wd}, nil
	}
	return nil, tensor.Err("optimizer", strconv.Quote(name), " is not one of ", strings.Join(Names(), ", "))
}
