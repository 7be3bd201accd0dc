package optim_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/golden"
)

// TestPyTorch takes the 20 steps of testdata/golden.py with every optimizer, in the interpreter and compiled.
func TestPyTorch(t *testing.T) {
	var steps map[string][][]float64
	golden.Read(t, "optimizers", &steps)
	cases := map[string]struct {
		o  optim.Optimizer
		lr float64
	}{
		"sgd":              {optim.SGD{}, 0.1},
		"sgd decay":        {optim.SGD{WeightDecay: 0.01}, 0.1},
		"momentum":         {optim.SGD{Momentum: 0.9}, 0.1},
		"momentum decay":   {optim.SGD{Momentum: 0.9, WeightDecay: 0.01}, 0.1},
		"nesterov":         {optim.SGD{Momentum: 0.9, Nesterov: true}, 0.1},
		"nesterov decay":   {optim.SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}, 0.1},
		"rmsprop":          {optim.RMSProp{}, 0.01},
		"rmsprop decay":    {optim.RMSProp{Rho: 0.9, WeightDecay: 0.01}, 0.01},
		"adagrad":          {optim.Adagrad{}, 0.1},
		"adagrad decay":    {optim.Adagrad{WeightDecay: 0.01}, 0.1},
		"adam":             {optim.Adam{}, 0.1},
		"adam decay":       {optim.Adam{WeightDecay: 0.01}, 0.1},
		"adamw":            {optim.Adam{Decoupled: true, WeightDecay: 0.01}, 0.1},
		"lion":             {optim.Lion{}, 0.01},
		"lion decay":       {optim.Lion{WeightDecay: 0.01}, 0.01},
		"momentum clipped": {optim.SGD{Momentum: 0.9, WeightDecay: 0.01}, 0.1},
		"nesterov clipped": {optim.SGD{Momentum: 0.9, Nesterov: true, WeightDecay: 0.01}, 0.1},
		"sgd clipped":      {optim.SGD{}, 0.1},
		"rmsprop clipped":  {optim.RMSProp{Rho: 0.9, WeightDecay: 0.01}, 0.01},
		"adagrad clipped":  {optim.Adagrad{WeightDecay: 0.01}, 0.1},
		"adam clipped":     {optim.Adam{WeightDecay: 0.01}, 0.1},
		"adamw clipped":    {optim.Adam{Decoupled: true, WeightDecay: 0.01}, 0.1},
		"lion clipped":     {optim.Lion{WeightDecay: 0.01}, 0.01},
	}
	if len(cases) != len(steps) {
		t.Errorf("%d cases, %d in the golden", len(cases), len(steps))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := steps[name]
			if len(want) == 0 {
				t.Fatal("the golden does not have it")
			}
			g := graph.New()
			p := g.Variable("p", tensor.From([]float32{1, -2, 0.5, 3, -0.25, 0}, 2, 3), true)
			target := g.Const(tensor.From([]float32{0.5, 1, -1.5, 2, 0.125, -3}, 2, 3))
			curve := g.Const(tensor.From([]float32{1, 0.5, 2, 0.25, 4, 0.75}, 2, 3))
			d := op.Sub(p, target)
			loss := op.Mul(op.ReduceSum(op.Mul(curve, op.Mul(d, d)), nil, false), op.ConstLike(p, 0.5))
			g.Output(loss)
			var o optim.Options
			if strings.HasSuffix(name, "clipped") {
				o.ClipNorm = 1
			}
			state := optim.Minimize(loss, c.o, o)
			rt := compile.NewRuntime(compile.RuntimeOptions{})
			defer rt.Close()
			compiled, interpreted := graph.NewStore(), graph.NewStore()
			for _, s := range []*graph.Store{compiled, interpreted} {
				if err := s.Init(g); err != nil {
					t.Fatal(err)
				}
			}
			prog, err := compile.Compile(rt, g, compiled, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer prog.Close()
			scalars := make([]float32, state.Inputs())
			for step := range want {
				state.Fill(scalars, step, c.lr)
				var in []*tensor.Tensor
				for i := range scalars {
					in = append(in, tensor.From(scalars[i:i+1]))
				}
				if _, err := prog.Run(in...); err != nil {
					t.Fatal(err)
				}
				if _, err := graph.Eval(g, interpreted, in, nil); err != nil {
					t.Fatal(err)
				}
				for how, s := range map[string]*graph.Store{"compiled": compiled, "interpreted": interpreted} {
					for i, v := range s.Get("p").Float32s() {
						if d := math.Abs(float64(v) - want[step][i]); !(d <= 2e-6*(1+math.Abs(want[step][i]))) {
							t.Fatalf("%s: step %d, element %d is %v, PyTorch's %v", how, step, i, v, want[step][i])
						}
					}
				}
			}
		})
	}
}
