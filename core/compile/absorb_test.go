package compile_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// weightsOf makes weights: constants or variables, as the graph has them.
type weightsOf struct {
	g         *graph.Graph
	r         *rand.Rand
	variables bool
}

func (w *weightsOf) add(scale, shift float32, shape ...int) *graph.Value {
	t := randn(w.r, shape...)
	for i, v := range t.Float32s() {
		t.Float32s()[i] = v*scale + shift
	}
	if w.variables {
		return w.g.Variable("w", t, true)
	}
	return w.g.Const(t)
}

// norm is a normalisation by given statistics.
func (w *weightsOf) norm(x *graph.Value) *graph.Value {
	c := x.Shape[1]
	variance := w.add(0.1, 1, c)
	return op.BatchNormalization(x, w.add(0.2, 1, c), w.add(0.5, 0, c), w.add(0.5, 0, c), variance, op.BatchNormOptions{Epsilon: 1e-3})
}

// maps appends up to three maps of channels.
func (w *weightsOf) maps(x *graph.Value) *graph.Value {
	c := x.Shape[1]
	wide := append([]int{c}, make([]int, len(x.Shape)-2)...)
	for i := range wide[1:] {
		wide[1+i] = 1
	}
	for range w.r.IntN(4) {
		switch w.r.IntN(6) {
		case 0, 1:
			x = w.norm(x)
		case 2:
			x = op.Mul(w.add(0.2, 1, wide...), x)
		case 3:
			x = op.Add(x, w.add(0.5, 0, append([]int{1}, wide...)...))
		case 4:
			x = op.Sub(x, w.add(0.5, 0, wide...))
		case 5:
			x = op.Div(x, w.add(0.1, 2, wide...))
		}
	}
	return x
}

// Maps of channels around convolutions and products of all kinds change what is computed by rounding only, for constants, and for
// variables before and after they change.
func TestAbsorb(t *testing.T) {
	rt := newRuntime(t, 2)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 21))
		g := graph.New()
		w := &weightsOf{g, r, r.IntN(2) == 0}
		x := g.Input("x", tensor.Float32, 2, 4, 9, 8)
		y := w.maps(x)
		for range 1 + r.IntN(3) {
			c := y.Shape[1]
			var bias *graph.Value
			m := 4 + 4*r.IntN(6)
			if r.IntN(2) == 0 {
				bias = w.add(1, 0, m)
			}
			k := 1 + 2*r.IntN(2)
			o := op.ConvOptions{Strides: []int{1 + r.IntN(2), 1}, Group: 1 + 3*r.IntN(2)}
			if k == 3 && (y.Shape[2] < 4 || y.Shape[3] < 4 || r.IntN(2) == 0) {
				o.Pads = []int{1, 1, 1, 1}
			}
			if r.IntN(4) == 0 {
				o.Group = 1
				y = op.ConvTranspose(y, w.add(0.3, 0, c, m, k, k), bias, op.ConvTransposeOptions{ConvOptions: o})
			} else {
				y = op.Conv(y, w.add(0.3, 0, m, c/o.Group, k, k), bias, o)
			}
			if r.IntN(8) == 0 {
				g.Output(y)
			}
			if y = w.maps(y); r.IntN(2) == 0 {
				y = op.Relu(y)
			}
			y = w.maps(y)
		}
		y = w.maps(op.Flatten(op.GlobalAveragePool(y), 1))
		c := y.Shape[1]
		if r.IntN(2) == 0 {
			y = op.Gemm(y, w.add(0.3, 0, 7, c), w.add(1, 0, 7), op.GemmOptions{TransB: true})
		} else {
			y = op.Gemm(y, w.add(0.3, 0, c, 7), nil, op.GemmOptions{})
		}
		g.Output(w.maps(y))
		store := graph.NewStore()
		p := mustCompile(t, rt, g, store, compile.Options{})
		in := randn(r, x.Shape...)
		for run := range 2 {
			want, err := graph.Eval(g, store, []*tensor.Tensor{in}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := mustRun(t, p, in)
			for i := range want {
				size := 1.0
				for _, v := range want[i].Float64s() {
					size = max(size, math.Abs(v))
				}
				near(t, tensor.Err("", "seed ", seed, " run ", run, " output ", i).Error(), got[i], want[i], 1e-5*size)
			}
			for _, c := range store.Cells() {
				u := c.Tensor.Clone()
				for i, v := range u.Float32s() {
					u.Float32s()[i] = v * 1.25
				}
				if err := store.Set(c.Name, u); err != nil {
					t.Fatal(err)
				}
			}
		}
		p.Close()
	}
}

// In inference nothing is left of a normalisation behind a convolution or a product, nor of what computes its weights; what trains has them all, and so
// has what reads a value before its normalisation.
func TestAbsorbLeavesNothing(t *testing.T) {
	for name, build := range map[string]func(w *weightsOf, x *graph.Value) int{
		"inference": func(w *weightsOf, x *graph.Value) int {
			y := op.Relu(w.norm(op.Conv(x, w.add(1, 0, 32, 8, 3, 3), nil, op.ConvOptions{})))
			y = op.Relu(w.norm(op.Gemm(op.Flatten(y, 1), w.add(1, 0, 32*64, 10), w.add(1, 0, 10), op.GemmOptions{})))
			w.g.Output(y)
			return 0
		},
		"training": func(w *weightsOf, x *graph.Value) int {
			k := w.g.Variable("k", randn(w.r, 32, 8, 3, 3), true)
			w.g.Output(w.norm(op.Conv(x, k, nil, op.ConvOptions{})))
			w.g.Update(k, op.Mul(k, w.g.Const(tensor.From([]float32{0.5}))))
			return 1
		},
		"read before": func(w *weightsOf, x *graph.Value) int {
			y := op.Conv(x, w.add(1, 0, 32, 8, 3, 3), nil, op.ConvOptions{})
			w.g.Output(op.Relu(y))
			w.g.Output(w.norm(y))
			return 1
		},
	} {
		for _, variables := range []bool{false, true} {
			g := graph.New()
			x := g.Input("x", tensor.Float32, 1, 8, 10, 10)
			want := build(&weightsOf{g, rand.New(rand.NewPCG(3, 3)), variables}, x)
			p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
			mustRun(t, p, tensor.New(tensor.Float32, 1, 8, 10, 10))
			norms, steps := 0, 0
			for _, s := range p.Steps() {
				if strings.Contains(s.Operator, "BatchNorm") && s.Kernel != "BatchNormScale" {
					norms++
				}
				steps++
			}
			if norms != want || want == 0 && steps > 2 {
				t.Errorf("%s, variables %v: %d normalisations in %d steps, want %d", name, variables, norms, steps, want)
			}
		}
	}
}
