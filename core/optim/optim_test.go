package optim_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
)

// quadratic is a graph with the loss sum(c (w-t)^2)/2, whose gradient is c (w-t).
type quadratic struct {
	g     *graph.Graph
	store *graph.Store
	state *optim.State
}

var (
	curvature = []float64{1, 0.5, 3, 0.1}
	target    = []float64{1, -2, 0.5, 4}
	start     = []float64{0.3, 0.7, -1, 2}
)

func f32(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

func newQuadratic(o optim.Optimizer, u optim.Options) *quadratic {
	g := graph.New()
	w := g.Variable("w", tensor.From(f32(start), 2, 2), true)
	d := op.Sub(w, g.Const(tensor.From(f32(target), 2, 2)))
	loss := op.Mul(op.ReduceSum(op.Mul(g.Const(tensor.From(f32(curvature), 2, 2)), op.Mul(d, d)), nil, false), g.Const(tensor.Scalar(float32(0.5))))
	g.Output(loss)
	q := &quadratic{g: g, store: graph.NewStore()}
	q.state = optim.Minimize(loss, o, u)
	if err := q.store.Init(g); err != nil {
		panic(err)
	}
	return q
}

// step makes one step with the interpreter.
func (q *quadratic) step(t *testing.T, n int, lr float64) {
	t.Helper()
	s := make([]float32, q.state.Inputs())
	q.state.Fill(s, n, lr)
	var in []*tensor.Tensor
	for i := range s {
		in = append(in, tensor.From(s[i:i+1]))
	}
	if _, err := graph.Eval(q.g, q.store, in, nil); err != nil {
		t.Fatal(err)
	}
}

// rule is one optimizer written out: it moves w along g at step n (from 1).
type rule func(w, g float64, s *[2]float64, n int, lr float64) float64

func TestOptimizers(t *testing.T) {
	sign := func(v float64) float64 {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return 0
	}
	adam := func(w, g float64, s *[2]float64, n int, lr float64) float64 {
		s[0] = 0.9*s[0] + 0.1*g
		s[1] = 0.999*s[1] + 0.001*g*g
		return w - lr*(s[0]/(1-math.Pow(0.9, float64(n))))/(math.Sqrt(s[1]/(1-math.Pow(0.999, float64(n))))+1e-8)
	}
	for _, c := range []struct {
		name string
		wd   float64
		ref  rule
	}{
		{"sgd", 0, func(w, g float64, _ *[2]float64, _ int, lr float64) float64 { return w - lr*g }},
		{"sgd", 0.1, func(w, g float64, _ *[2]float64, _ int, lr float64) float64 { return w - lr*(g+0.1*w) }},
		{"momentum", 0, func(w, g float64, s *[2]float64, _ int, lr float64) float64 {
			s[0] = 0.9*s[0] + g
			return w - lr*s[0]
		}},
		{"nesterov", 0, func(w, g float64, s *[2]float64, _ int, lr float64) float64 {
			s[0] = 0.9*s[0] + g
			return w - lr*(g+0.9*s[0])
		}},
		{"rmsprop", 0, func(w, g float64, s *[2]float64, _ int, lr float64) float64 {
			s[0] = 0.99*s[0] + 0.01*g*g
			return w - lr*g/(math.Sqrt(s[0])+1e-8)
		}},
		{"adagrad", 0, func(w, g float64, s *[2]float64, _ int, lr float64) float64 {
			s[0] += g * g
			return w - lr*g/(math.Sqrt(s[0])+1e-10)
		}},
		{"adam", 0, adam},
		{"adam", 0.1, func(w, g float64, s *[2]float64, n int, lr float64) float64 { return adam(w, g+0.1*w, s, n, lr) }},
		{"adamw", 0.1, func(w, g float64, s *[2]float64, n int, lr float64) float64 { return adam(w-lr*0.1*w, g, s, n, lr) }},
		{"lion", 0.1, func(w, g float64, s *[2]float64, _ int, lr float64) float64 {
			u := sign(0.9*s[0] + 0.1*g)
			s[0] = 0.99*s[0] + 0.01*g
			return w - lr*(u+0.1*w)
		}},
	} {
		t.Run(fmt.Sprint(c.name, " ", c.wd), func(t *testing.T) {
			o, err := optim.Parse(c.name, c.wd)
			if err != nil {
				t.Fatal(err)
			}
			if o.Name() != c.name {
				t.Errorf("Name is %q", o.Name())
			}
			q := newQuadratic(o, optim.Options{})
			w, slots := slices.Clone(start), make([][2]float64, len(start))
			for n := range 30 {
				lr := 0.05 / (1 + 0.1*float64(n))
				q.step(t, n, lr)
				for i := range w {
					w[i] = c.ref(w[i], curvature[i]*(w[i]-target[i]), &slots[i], n+1, lr)
				}
				for i, v := range q.store.Get("w").Float32s() {
					if math.Abs(float64(v)-w[i]) > 2e-5 {
						t.Fatalf("after step %d element %d is %v, want %v", n+1, i, v, w[i])
					}
				}
			}
		})
	}
}

// Weight decay of AdamW leaves vectors alone.
func TestAdamWSparesVectors(t *testing.T) {
	g := graph.New()
	w := g.Variable("bias", tensor.From([]float32{5}, 1), true)
	loss := op.ReduceSum(op.Sub(w, w), nil, false)
	optim.Minimize(loss, optim.Adam{Decoupled: true, WeightDecay: 0.5}, optim.Options{})
	g.Output(loss)
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	one := tensor.Scalar(float32(1))
	if _, err := graph.Eval(g, store, []*tensor.Tensor{one, one, one}, nil); err != nil {
		t.Fatal(err)
	}
	if v := store.Get("bias").Float32s()[0]; v != 5 {
		t.Errorf("the bias became %v", v)
	}
}

func TestClipping(t *testing.T) {
	grad := make([]float64, len(start))
	norm := 0.0
	for i := range grad {
		grad[i] = curvature[i] * (start[i] - target[i])
		norm += grad[i] * grad[i]
	}
	norm = math.Sqrt(norm)
	moved := func(u optim.Options) []float64 {
		q := newQuadratic(optim.SGD{}, u)
		q.step(t, 0, 1)
		d := make([]float64, len(start))
		for i, v := range q.store.Get("w").Float32s() {
			d[i] = start[i] - float64(v)
		}
		return d
	}
	for _, c := range []struct {
		name string
		u    optim.Options
		want func(g float64) float64
	}{
		{"off", optim.Options{}, func(g float64) float64 { return g }},
		{"norm above the limit", optim.Options{ClipNorm: 0.5}, func(g float64) float64 { return g * 0.5 / norm }},
		{"norm below the limit", optim.Options{ClipNorm: 100}, func(g float64) float64 { return g }},
		{"norm of the variable", optim.Options{ClipVariableNorm: 0.5}, func(g float64) float64 { return g * 0.5 / norm }},
		{"value", optim.Options{ClipValue: 0.3}, func(g float64) float64 { return max(-0.3, min(g, 0.3)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, d := range moved(c.u) {
				if want := c.want(grad[i]); math.Abs(d-want) > 1e-6 {
					t.Errorf("element %d moved by %v, want %v", i, d, want)
				}
			}
		})
	}
}

func TestEMA(t *testing.T) {
	const decay = 0.6
	q := newQuadratic(optim.SGD{}, optim.Options{EMA: decay})
	ema := slices.Clone(start)
	for n := range 20 {
		q.step(t, n, 0.1)
		d := min(decay, (1+float64(n))/(10+float64(n)))
		for i, w := range q.store.Get("w").Float32s() {
			ema[i] += (1 - d) * (float64(w) - ema[i])
			if got := float64(q.store.Get("w" + optim.EMASuffix).Float32s()[i]); math.Abs(got-ema[i]) > 1e-5 {
				t.Fatalf("after step %d the average of element %d is %v, want %v", n+1, i, got, ema[i])
			}
		}
	}
}

func TestMinimizeNeedsEveryVariable(t *testing.T) {
	g := graph.New()
	w := g.Variable("used", tensor.From([]float32{1}, 1), true)
	g.Variable("idle", tensor.From([]float32{1}, 1), true)
	err := func() (err error) {
		defer tensor.Catch(&err)
		optim.Minimize(op.ReduceSum(w, nil, false), optim.SGD{}, optim.Options{})
		return nil
	}()
	if err == nil || !strings.Contains(err.Error(), `"idle"`) {
		t.Errorf("got %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	for _, name := range optim.Names() {
		if o, err := optim.Parse(name, 0.01); err != nil || o.Name() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, wd := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := optim.Parse("adam", wd); err == nil {
			t.Errorf("weight decay %v is taken", wd)
		}
	}
	if _, err := optim.Parse("Adam", 0); err == nil || !strings.Contains(err.Error(), "adamw") {
		t.Errorf("got %v", err)
	}
}
