package optim

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Options are the settings of [Minimize]; the zero value clips nothing and averages nothing.
type Options struct {
	ClipNorm         float32 // scale all gradients together so that their global L2 norm is at most this; 0: off
	ClipVariableNorm float32 // scale the gradient of each variable so that its L2 norm is at most this; 0: off; not with ClipNorm
	ClipValue        float32 // limit every element of the gradients to [-ClipValue, ClipValue], before norms are taken; 0: off
	EMA              float32 // decay of an exponential moving average of the parameters, kept in variables NAME.ema; 0: none
}

// EMASuffix ends the names of the variables that hold averaged parameters.
const EMASuffix = ".ema"

// Minimize adds to the graph the gradients of the loss by its trainable variables, clipping, and the
// optimizer's updates, so that one run of the graph is one training step. It panics with *tensor.Error when the loss does not depend
// on a trainable variable.
func Minimize(loss *graph.Value, opt Optimizer, o Options) *State {
	return MinimizeOver(loss, loss.G.TrainableVars(), opt, o)
}

// MinimizeOver is [Minimize] over chosen variables.
func MinimizeOver(loss *graph.Value, params []*graph.Value, opt Optimizer, o Options) *State {
	if o.ClipNorm > 0 && o.ClipVariableNorm > 0 {
		tensor.Fail("optim.Minimize", "the norm is limited of all gradients together or of each, not both")
	}
	s := &State{G: loss.G}
	grads := op.Gradients(loss, params...)
	for i, g := range grads {
		if g == nil {
			tensor.Fail("optim.Minimize", "the loss does not depend on the trainable variable ", strconv.Quote(params[i].Name), "; leave it out or make it not trainable")
		}
	}
	if o.ClipValue > 0 {
		for i, g := range grads {
			grads[i] = op.Clip(g, op.ConstLike(g, -float64(o.ClipValue)), op.ConstLike(g, float64(o.ClipValue)))
		}
	}
	var scale *graph.Value
	if o.ClipNorm > 0 && len(grads) > 0 {
		scale = op.ClipFactor(o.ClipNorm, grads...)
	}
	for i, p := range params {
		first := len(loss.G.Updates)
		if o.ClipVariableNorm > 0 {
			scale = op.ClipFactor(o.ClipVariableNorm, grads[i])
		}
		opt.Update(s, p, grads[i], scale)
		if o.EMA > 0 {
			s.average(p, loss.G.Updates[first].Value, float64(o.EMA))
		}
	}
	return s
}

// average adds ema <- ema + (1 - decay)(updated - ema). While the run is young the decay is (1+step)/(10+step), so that the
// initial weights are soon forgotten (as in TensorFlow's ExponentialMovingAverage).
func (s *State) average(p, updated *graph.Value, decay float64) {
	rate := s.Scalar("ema_rate", func(step int, _ float64) float64 {
		return 1 - min(decay, (1+float64(step))/(10+float64(step)))
	})
	ema := s.G.Variable(p.Name+EMASuffix, p.Var.Init, false)
	s.G.Update(ema, op.Add(ema, op.Mul(rate, op.Sub(updated, ema))))
}
