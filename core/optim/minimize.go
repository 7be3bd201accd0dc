package optim

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Options are the settings of [Minimize]; the zero value clips nothing and averages nothing.
type Options struct {
	ClipNorm  float32 // scale all gradients together so that their global L2 norm is at most this; 0: off
	ClipValue float32 // limit every element of the gradients to [-ClipValue, ClipValue]; 0: off
	EMA       float32 // decay of an exponential moving average of the parameters, kept in variables NAME.ema; 0: none
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
	if o.ClipNorm > 0 {
		grads = ClipByGlobalNorm(grads, float64(o.ClipNorm))
	}
	for i, p := range params {
		first := len(loss.G.Updates)
		opt.Update(s, p, grads[i])
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

// ClipByGlobalNorm scales the gradients by min(1, limit/norm), norm being the L2 norm of all of them together
// (Pascanu, Mikolov, Bengio, ICML 2013).
func ClipByGlobalNorm(grads []*graph.Value, limit float64) []*graph.Value {
	var sum *graph.Value
	for _, g := range grads {
		sq := op.ReduceSumSquare(g, nil, false)
		if sum == nil {
			sum = sq
		} else {
			sum = op.Add(sum, sq)
		}
	}
	if sum == nil {
		return nil
	}
	// limit / max(norm, limit) is 1 below the limit and never divides by 0.
	l := op.ConstLike(sum, limit)
	factor := op.Div(l, op.Max(op.Sqrt(sum), l))
	out := make([]*graph.Value, len(grads))
	for i, g := range grads {
		out[i] = op.Mul(g, factor)
	}
	return out
}
