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

// imageNet builds a network with everything that the layout pass has to do with: blocks with residuals, depthwise convolutions,
// clips, pools, channel constants, values that are read in both layouts, and graph inputs of both.
func imageNet(r *rand.Rand) (*graph.Graph, []*tensor.Tensor) {
	g := graph.New()
	constant := func(shape ...int) *graph.Value {
		t := randn(r, shape...)
		for i := range t.Float32s() {
			t.Float32s()[i] *= 0.2
		}
		return g.Const(t)
	}
	conv := func(x *graph.Value, m, k, stride, group int) *graph.Value {
		c := x.Shape[1]
		return op.Conv(x, constant(m, c/group, k, k), constant(m), op.ConvOptions{Strides: []int{stride, stride}, Pads: []int{k / 2, k / 2, k / 2, k / 2}, Group: group})
	}
	scalar := func(v float32) *graph.Value { return g.Const(tensor.From([]float32{v})) }
	relu6 := func(x *graph.Value) *graph.Value { return op.Clip(x, scalar(0), scalar(6)) }
	x := g.Input("x", tensor.Float32, 2, 3, 21, 18)
	y := op.Relu(conv(x, 32, 3, 2, 1))
	y = op.MaxPool(y, op.PoolOptions{Kernel: []int{3, 3}, Strides: []int{2, 2}, Pads: []int{1, 1, 1, 1}})
	y = op.Relu(op.Add(conv(op.Relu(conv(y, 40, 3, 1, 1)), 32, 3, 1, 1), y))
	z := relu6(conv(relu6(conv(y, 48, 1, 1, 1)), 48, 3, 1, 48))
	z = op.Mul(z, constant(48, 1, 1))
	z = op.Add(z, constant(1, 48, 6, 5))
	y = op.Add(y, conv(z, 32, 1, 1, 1))
	last := g.Input("last", tensor.Float32, 2, 6, 5, 32)
	y = op.Add(y, op.Transpose(last, 0, 3, 1, 2))
	y = op.AveragePool(y, op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}})
	gate := op.Sigmoid(conv(op.GlobalAveragePool(y), 32, 1, 1, 1))
	y = op.Mul(conv(y, 32, 3, 1, 4), gate)
	g.Output(y)
	g.Output(op.Flatten(conv(y, 24, 1, 1, 1), 1))
	return g, []*tensor.Tensor{randn(r, 2, 3, 21, 18), randn(r, 2, 6, 5, 32)}
}

// The layout pass and fused residuals change no bit.
func TestLayoutChangesNothing(t *testing.T) {
	g, in := imageNet(rand.New(rand.NewPCG(5, 6)))
	rt := newRuntime(t, 2)
	plain := mustCompile(t, rt, g, nil, compile.Options{NoFusion: true})
	fused := mustCompile(t, rt, g, nil, compile.Options{})
	want := mustRun(t, plain, in...)
	got := mustRun(t, fused, in...)
	for i := range want {
		w, h := want[i].Contiguous().Float32s(), got[i].Contiguous().Float32s()
		for k := range w {
			if math.Float32bits(w[k]) != math.Float32bits(h[k]) {
				t.Fatalf("output %d, element %d: %v in the plain program, %v in the fused one", i, k, w[k], h[k])
			}
		}
	}
	moves, convs := 0, 0
	for _, s := range fused.Steps() {
		switch {
		case s.Operator == "Transpose":
			moves++
		case strings.HasPrefix(s.Operator, "weft.ConvLast"), strings.HasPrefix(s.Operator, "weft.ConvPool") && !strings.HasPrefix(s.Kernel, "MaxPool") && !strings.HasPrefix(s.Kernel, "AveragePool"):
			convs++
		case s.Operator == "Conv" || strings.Contains(s.Operator, "Clip"):
			t.Errorf("%s is a step of its own", s.Operator)
		}
	}
	if convs != 9 || moves > 2 {
		t.Errorf("%d convolutions run channels-last, with %d moves", convs, moves)
	}
}

// Blocks with gates, parts of images, padding and enlarging leave no move of channels, and change no bit.
func TestLayoutKeepsBits(t *testing.T) {
	rt := newRuntime(t, 2)
	same := op.ConvOptions{Pads: []int{1, 1, 1, 1}}
	pool := func(x *graph.Value) *graph.Value { return op.GlobalAveragePool(x) }
	start := func(w *weightsOf, x *graph.Value) *graph.Value {
		return op.HardSwish(op.Conv(op.Transpose(x, 0, 3, 1, 2), w.add(0.2, 0, 32, x.Shape[3], 3, 3), nil, same))
	}
	end := func(x *graph.Value) []*graph.Value { return []*graph.Value{op.Transpose(x, 0, 2, 3, 1)} }
	excite := func(mean func(x *graph.Value) *graph.Value) func(w *weightsOf, x *graph.Value) []*graph.Value {
		return func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := start(w, x)
			for range 2 {
				o := same
				o.Group = 40
				z := op.Relu(op.Conv(y, w.add(0.2, 0, 40, 32, 1, 1), w.add(1, 0, 40), op.ConvOptions{}))
				z = op.HardSwish(op.Conv(z, w.add(0.2, 0, 40, 1, 3, 3), w.add(1, 0, 40), o))
				gate := op.Relu(op.Conv(mean(z), w.add(0.2, 0, 12, 40, 1, 1), w.add(1, 0, 12), op.ConvOptions{}))
				gate = op.HardSigmoid(op.Conv(gate, w.add(0.2, 0, 40, 12, 1, 1), w.add(1, 0, 40), op.ConvOptions{}), 1.0/6, 0.5)
				y = op.Add(y, op.Conv(op.Mul(z, gate), w.add(0.2, 0, 32, 40, 1, 1), w.add(1, 0, 32), op.ConvOptions{}))
			}
			return []*graph.Value{op.Gemm(op.Flatten(mean(y), 1), w.add(0.2, 0, 32, 10), nil, op.GemmOptions{}), op.ReduceMax(y, []int{-1, 2}, false)}
		}
	}
	for name, build := range map[string]func(w *weightsOf, x *graph.Value) []*graph.Value{
		"excite":      excite(pool),
		"excite mean": excite(func(x *graph.Value) *graph.Value { return op.ReduceMean(x, []int{3, -2}, true) }),
		"excite flat": excite(func(x *graph.Value) *graph.Value {
			return op.Unsqueeze(op.ReduceMean(x, []int{2, 3}, false), 2, 3)
		}),
		"split": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := start(w, x)
			for range 2 {
				p := op.Split(y, 1, 14, 18)
				y = op.Concat(1, op.Relu(op.Conv(p[1], w.add(0.2, 0, 24, 18, 3, 3), nil, same)), p[0])
				q := op.SplitN(y, -2, 2)
				y = op.Conv(op.Concat(2, q[1], q[0]), w.add(0.2, 0, 32, 38, 1, 1), nil, op.ConvOptions{})
			}
			return end(y)
		},
		"slice": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := op.Slice(start(w, x), []int{0, 3}, []int{2, 30}, op.SliceOptions{})
			y = op.Conv(y, w.add(0.2, 0, 32, 27, 1, 1), nil, op.ConvOptions{})
			y = op.Concat(1, op.Slice(y, []int{0, 8}, []int{op.End, 0}, op.SliceOptions{Axes: []int{-1, 2}, Steps: []int{2, -1}}),
				op.Slice(y, []int{1, 0}, []int{9, op.End}, op.SliceOptions{Axes: []int{2, 3}, Steps: []int{1, 2}}))
			return end(op.Conv(y, w.add(0.2, 0, 24, 64, 1, 1), nil, op.ConvOptions{}))
		},
		"pad": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := op.Pad(start(w, x), []int{0, 0, 1, 2, 0, 3, 0, 1}, op.PadOptions{})
			y = op.Conv(op.Pad(y, []int{1, 1, 1, 2}, op.PadOptions{Mode: "reflect", Axes: []int{-1, 2}}), w.add(0.2, 0, 32, 35, 3, 3), nil, op.ConvOptions{})
			return end(op.Conv(y, w.add(0.2, 0, 24, 32, 1, 1), nil, op.ConvOptions{}))
		},
		"resize": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := op.Resize(start(w, x), op.ResizeOptions{Scales: []float32{1, 1, 2, 2}, Coord: "asymmetric", Near: "floor"})
			y = op.Conv(y, w.add(0.2, 0, 32, 32, 3, 3), nil, op.ConvOptions{})
			y = op.Resize(y, op.ResizeOptions{Sizes: []int{9, 30}, Axes: []int{3, 2}, Mode: "linear"})
			return end(op.Conv(y, w.add(0.2, 0, 24, 32, 1, 1), nil, op.ConvOptions{}))
		},
		"slopes": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := op.PRelu(start(w, x), w.add(0.2, 0, 32, 1, 1))
			y = op.PRelu(op.Conv(y, w.add(0.2, 0, 24, 32, 1, 1), nil, op.ConvOptions{}), w.add(0.2, 0, 1, 24, 1, 1))
			return end(op.Mul(y, w.add(0.2, 0, y.Shape[3])))
		},
	} {
		for _, variables := range []bool{false, true} {
			for _, n := range []int{1, 3} {
				g := graph.New()
				r := rand.New(rand.NewPCG(4, 9))
				x := g.Input("x", tensor.Float32, n, 12, 11, 5)
				for _, y := range build(&weightsOf{g, r, variables}, x) {
					g.Output(y)
				}
				store := graph.NewStore()
				if err := store.Init(g); err != nil {
					t.Fatal(err)
				}
				in := randn(r, x.Shape...)
				plain := mustCompile(t, rt, g, store, compile.Options{NoFusion: true})
				p := mustCompile(t, rt, g, store, compile.Options{})
				ref, err := graph.Eval(g, store, []*tensor.Tensor{in}, nil)
				if err != nil {
					t.Fatal(err)
				}
				want, got := mustRun(t, plain, in), mustRun(t, p, in)
				for i := range want {
					what := tensor.Err("", name, ", variables ", variables, ", ", n, " images, output ", i).Error()
					near(t, what, got[i], ref[i], 1e-3)
					w, h := want[i].Contiguous().Float32s(), got[i].Contiguous().Float32s()
					for k := range w {
						if math.Float32bits(w[k]) != math.Float32bits(h[k]) {
							t.Fatalf("%s, element %d: %v in the plain program, %v channels-last", what, k, w[k], h[k])
						}
					}
				}
				for _, s := range p.Steps() {
					if s.Operator == "Transpose" || s.Operator == "Conv" && s.Inputs[0][2] > 1 {
						t.Errorf("%s, variables %v: %s of %v", name, variables, s.Operator, s.Inputs)
					}
				}
				plain.Close()
				p.Close()
			}
		}
	}
}

// A graph that trains keeps its layout, and so does one whose convolutions are small.
func TestLayoutStays(t *testing.T) {
	for name, build := range map[string]func(g *graph.Graph, x *graph.Value) *graph.Value{
		"gradients": func(g *graph.Graph, x *graph.Value) *graph.Value {
			w := g.Const(randn(rand.New(rand.NewPCG(1, 1)), 32, 8, 3, 3))
			y := op.Relu(op.Conv(x, w, nil, op.ConvOptions{}))
			return op.Gradients(op.ReduceSum(y, nil, false), x)[0]
		},
		"small": func(g *graph.Graph, x *graph.Value) *graph.Value {
			return op.Conv(x, g.Const(randn(rand.New(rand.NewPCG(1, 1)), 16, 8, 3, 3)), nil, op.ConvOptions{})
		},
	} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, 1, 8, 10, 10)
		g.Output(build(g, x))
		p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
		mustRun(t, p, tensor.New(tensor.Float32, 1, 8, 10, 10))
		for _, s := range p.Steps() {
			if strings.HasPrefix(s.Operator, "weft.ConvLast") || s.Operator == "Transpose" {
				t.Errorf("%s: %s", name, s.Operator)
			}
		}
	}
}

// Joined channels, normalisations that no convolution can take, and images that the graph stores channels-last leave no move of channels.
func TestLayoutFollows(t *testing.T) {
	rt := newRuntime(t, 2)
	last := func(x *graph.Value) *graph.Value { return op.Transpose(x, 0, 2, 3, 1) }
	first := func(x *graph.Value) *graph.Value { return op.Transpose(x, 0, 3, 1, 2) }
	same := op.ConvOptions{Pads: []int{1, 1, 1, 1}}
	for name, build := range map[string]func(w *weightsOf, x *graph.Value) []*graph.Value{
		"dense": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := op.Conv(first(x), w.add(0.2, 0, 32, 5, 3, 3), nil, same)
			for range 3 {
				c := y.Shape[1]
				z := op.Relu(w.norm(op.Conv(op.Relu(w.norm(y)), w.add(0.2, 0, 40, c, 1, 1), nil, op.ConvOptions{})))
				y = op.Concat(1, y, op.Conv(z, w.add(0.2, 0, 24, 40, 3, 3), nil, same))
			}
			return []*graph.Value{last(op.Relu(w.norm(y)))}
		},
		"fire": func(w *weightsOf, x *graph.Value) []*graph.Value {
			y := first(x)
			for range 2 {
				s := op.Relu(op.Conv(y, w.add(0.2, 0, 24, y.Shape[1], 1, 1), w.add(1, 0, 24), op.ConvOptions{}))
				y = op.Concat(-3, op.Relu(op.Conv(s, w.add(0.2, 0, 32, 24, 1, 1), nil, op.ConvOptions{})), op.Conv(s, w.add(0.2, 0, 32, 24, 3, 3), nil, same))
				y = op.Concat(2, y, op.MaxPool(y, op.PoolOptions{Kernel: []int{2, 1}}))
			}
			return []*graph.Value{last(y), op.Relu(last(op.Sigmoid(y)))}
		},
		"stored last": func(w *weightsOf, x *graph.Value) []*graph.Value {
			for range 3 { // every operator between transpositions, sums and activations outside
				x = op.Relu(op.Add(last(op.Conv(first(x), w.add(0.2, 0, 32, x.Shape[3], 3, 3), nil, same)), w.add(1, 0, 32)))
				x = last(op.MaxPool(first(x), op.PoolOptions{Kernel: []int{2, 2}}))
			}
			return []*graph.Value{x}
		},
	} {
		for _, variables := range []bool{false, true} {
			g := graph.New()
			r := rand.New(rand.NewPCG(4, 9))
			x := g.Input("x", tensor.Float32, 2, 12, 11, 5)
			for _, y := range build(&weightsOf{g, r, variables}, x) {
				g.Output(y)
			}
			in := randn(r, x.Shape...)
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			want, err := graph.Eval(g, store, []*tensor.Tensor{in}, nil)
			if err != nil {
				t.Fatal(err)
			}
			p := mustCompile(t, rt, g, store, compile.Options{})
			for i, y := range mustRun(t, p, in) {
				near(t, tensor.Err("", name, ", variables ", variables, ", output ", i).Error(), y, want[i], 1e-4)
			}
			for _, s := range p.Steps() {
				if s.Operator == "Transpose" || s.Kernel == "BatchNorm" {
					t.Errorf("%s, variables %v: %s of %v", name, variables, s.Operator, s.Inputs)
				}
			}
			p.Close()
		}
	}
}
