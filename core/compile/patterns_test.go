package compile_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestNormPatterns writes layer and RMS normalisation as exporters do, over a last dimension that is known behind ones that are symbols: one operator computes them, and near what the nodes
// compute. What is not quite one of them stays as it is.
func TestNormPatterns(t *testing.T) {
	const n = 12
	type value = *graph.Value
	num := func(x value, v float64) value { return op.ConstLike(x, v) }
	mean := func(x value) value { return op.ReduceMean(x, []int{-1}, true) }
	square := func(x value) value { return op.Mul(x, x) }
	roots := map[string]func(v value) value{
		"Reciprocal": func(v value) value { return op.Reciprocal(op.Sqrt(op.Add(v, num(v, 1e-3)))) },
		"1/sqrt":     func(v value) value { return op.Div(num(v, 1), op.Sqrt(op.Add(num(v, 1e-3), v))) },
		"Pow":        func(v value) value { return op.Pow(op.Add(v, num(v, 1e-3)), num(v, -0.5)) },
	}
	for name, c := range map[string]struct {
		f    func(x, w, b value, root func(value) value) value
		want string // the kernel of the only step; "": none of the two
	}{
		"RMS": {func(x, w, b value, root func(value) value) value {
			return op.Mul(w, op.Mul(x, root(mean(op.Pow(x, num(x, 2))))))
		}, "RMSNorm"},
		"RMS, scale first": {func(x, w, b value, root func(value) value) value {
			return op.Mul(x, op.Mul(root(mean(square(x))), w))
		}, "RMSNorm"},
		"RMS, quotient": {func(x, w, b value, _ func(value) value) value {
			return op.Mul(op.Div(x, op.Sqrt(op.Add(mean(square(x)), num(x, 1e-3)))), w)
		}, "RMSNorm"},
		"layer": {func(x, w, b value, root func(value) value) value {
			d := op.Sub(x, mean(x))
			return op.Add(op.Mul(op.Mul(d, root(mean(square(d)))), w), b)
		}, "LayerNorm"},
		"layer, folded": {func(x, w, b value, root func(value) value) value {
			mu := mean(x)
			m := op.Mul(root(mean(square(op.Sub(x, mu)))), w)
			return op.Add(op.Mul(x, m), op.Sub(b, op.Mul(mu, m)))
		}, "LayerNorm"},
		"layer, folded the other way round": {func(x, w, b value, root func(value) value) value {
			mu := mean(x)
			m := op.Mul(w, root(mean(op.Pow(op.Sub(x, mu), num(x, 2)))))
			return op.Add(op.Sub(b, op.Mul(m, mu)), op.Mul(m, x))
		}, "LayerNorm"},
		"another square": {func(x, w, b value, root func(value) value) value {
			return op.Mul(w, op.Mul(x, root(mean(square(op.Add(x, b))))))
		}, ""},
		"another mean": {func(x, w, b value, root func(value) value) value {
			mu := mean(x)
			m := op.Mul(root(mean(square(op.Sub(x, mu)))), w)
			return op.Add(op.Mul(x, m), op.Sub(b, op.Mul(mean(op.Exp(x)), m)))
		}, ""},
		"a root that is read twice": {func(x, w, b value, root func(value) value) value {
			r := root(mean(square(x)))
			return op.Add(op.Mul(w, op.Mul(x, r)), r)
		}, ""},
	} {
		for how, root := range roots {
			t.Run(name+" "+how, func(t *testing.T) {
				g := graph.New()
				x, w, b := g.Input("x", tensor.Float32, g.Symbol("N"), g.Symbol("T"), n), g.Input("w", tensor.Float32, n), g.Input("b", tensor.Float32, n)
				g.Output(c.f(x, w, b, root))
				rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
				defer rt.Close()
				p, err := compile.Compile(rt, g, nil, compile.Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				for _, s := range [][2]int{{2, 3}, {1, 1}, {5, 4}} {
					in := []*tensor.Tensor{tensor.New(tensor.Float32, s[0], s[1], n), tensor.New(tensor.Float32, n), tensor.New(tensor.Float32, n)}
					for k, v := range in {
						for i := range v.Float32s() {
							v.Float32s()[i] = float32(math.Sin(float64(i*(k+1)))) + 0.3
						}
					}
					got, err := p.Run(in...)
					if err != nil {
						t.Fatal(err)
					}
					want, err := graph.Eval(g, nil, in, nil)
					if err != nil {
						t.Fatal(err)
					}
					if !tensor.SameShape(got[0].Shape(), want[0].Shape()) {
						t.Fatalf("shape %v, want %v", got[0].Shape(), want[0].Shape())
					}
					for i, v := range got[0].Float32s() {
						if w := float64(want[0].Float32s()[i]); !(math.Abs(float64(v)-w) <= 4e-6*(1+math.Abs(w))) {
							t.Fatalf("element %d is %v, want %v", i, v, w)
						}
					}
				}
				kernels := map[string]int{}
				for _, s := range p.Steps() {
					kernels[s.Kernel]++
				}
				if c.want != "" && (kernels[c.want] != 1 || len(kernels) != 1) || c.want == "" && kernels["RMSNorm"]+kernels["LayerNorm"] > 0 {
					t.Errorf("steps %v, want one of %q", kernels, c.want)
				}
			})
		}
	}
}
