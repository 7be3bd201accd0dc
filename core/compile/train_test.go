package compile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// trainer is a training step as one graph: forward, backward, clipping by the global norm, updates.
type trainer struct {
	g *graph.Graph
	r *rand.Rand
}

func (b *trainer) weight(name string, shape ...int) *graph.Value {
	t := randn(b.r, shape...)
	fan := 1
	for _, d := range shape[1:] {
		fan *= d
	}
	for i := range t.Float32s() {
		t.Float32s()[i] *= 0.5 / float32(fan)
	}
	return b.g.Variable(name, t, true)
}

// finish adds loss, gradients and the updates of the named optimizer.
func (b *trainer) finish(logits *graph.Value, optimizer string, clip bool) {
	g := b.g
	y := g.Input("y", tensor.Int64, g.Symbol("N"))
	lr := g.Input("lr", tensor.Float32)
	loss := op.SoftmaxCrossEntropyLoss(logits, y, nil, op.LossOptions{})
	g.Output(loss)
	vars := g.TrainableVars()
	grads := op.Gradients(loss, vars...)
	if clip {
		var sum *graph.Value
		for _, d := range grads {
			s := op.ReduceSum(op.Mul(d, d), nil, false)
			if sum == nil {
				sum = s
			} else {
				sum = op.Add(sum, s)
			}
		}
		norm := op.Sqrt(sum)
		g.Output(norm)
		one := g.Const(tensor.Scalar(float32(1)))
		scale := op.Div(one, op.Where(op.Less(norm, one), one, norm))
		for i := range grads {
			grads[i] = op.Mul(grads[i], scale)
		}
	}
	slot := func(w *graph.Value, name string) *graph.Value {
		return g.Variable(w.Name+name, tensor.New(tensor.Float32, w.Shape...), false)
	}
	for i, w := range vars {
		d := grads[i]
		switch optimizer {
		case "sgd":
			g.Update(w, op.SGD(w, d, lr, op.UpdateOptions{WeightDecay: 0.01}))
		case "momentum":
			v := slot(w, "/v")
			w2, v2 := op.Momentum(w, d, v, lr, op.MomentumOptions{Nesterov: true})
			g.Update(w, w2)
			g.Update(v, v2)
		case "adam":
			m, v := slot(w, "/m"), slot(w, "/v")
			c := g.Const(tensor.Scalar(float32(0.1)))
			w2, m2, v2 := op.AdamW(w, d, m, v, lr, c, c, op.AdamOptions{WeightDecay: 0.01, Epsilon: 1e-3})
			g.Update(w, w2)
			g.Update(m, m2)
			g.Update(v, v2)
		}
	}
}

func dense(b *trainer, x *graph.Value, name string, in, out int) *graph.Value {
	return op.Gemm(x, b.weight(name+"/w", out, in), b.weight(name+"/b", out), op.GemmOptions{TransB: true})
}

func mlpStep(optimizer string, clip bool) *graph.Graph {
	b := &trainer{graph.New(), rand.New(rand.NewPCG(1, 1))}
	x := b.g.Input("x", tensor.Float32, b.g.Symbol("N"), 12)
	h := op.Relu(dense(b, x, "l1", 12, 33))
	h = op.Relu(op.Add(op.MatMul(h, b.weight("l2/w", 33, 33)), h))
	b.finish(dense(b, h, "l3", 33, 5), optimizer, clip)
	return b.g
}

func lenetStep(optimizer string, clip bool) *graph.Graph {
	b := &trainer{graph.New(), rand.New(rand.NewPCG(1, 1))}
	x := b.g.Input("x", tensor.Float32, b.g.Symbol("N"), 1, 28, 28)
	pool := op.PoolOptions{Kernel: []int{2, 2}, Strides: []int{2, 2}}
	h := op.MaxPool(op.Relu(op.Conv(x, b.weight("c1/w", 6, 1, 5, 5), b.weight("c1/b", 6), op.ConvOptions{})), pool)
	h = op.MaxPool(op.Relu(op.Conv(h, b.weight("c2/w", 16, 6, 5, 5), b.weight("c2/b", 16), op.ConvOptions{})), pool)
	h = op.Flatten(h, 1)
	h = op.Relu(dense(b, h, "f1", 256, 120))
	h = op.Relu(dense(b, h, "f2", 120, 84))
	b.finish(dense(b, h, "f3", 84, 10), optimizer, clip)
	return b.g
}

func batch(r *rand.Rand, x *graph.Value, n, classes int, lr float32) []*tensor.Tensor {
	shape := append([]int{n}, x.Shape[1:]...)
	y := tensor.New(tensor.Int64, n)
	for i := range y.Int64s() {
		y.Int64s()[i] = r.Int64N(int64(classes))
	}
	return []*tensor.Tensor{randn(r, shape...), y, tensor.Scalar(lr)}
}

// trainBoth trains compiled and interpreted side by side and compares losses and variables after every step.
func trainBoth(t *testing.T, g *graph.Graph, threads, classes int, sizes []int, tol float64) *graph.Store {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 2))
	ref, st := graph.NewStore(), graph.NewStore()
	if err := ref.Init(g); err != nil {
		t.Fatal(err)
	}
	p := mustCompile(t, newRuntime(t, threads), g, st, compile.Options{})
	for _, n := range sizes {
		in := batch(r, g.Inputs[0], n, classes, 0.05)
		want, err := graph.Eval(g, ref, in, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := mustRun(t, p, in...)
		for i := range want {
			near(t, g.Outputs[i].Name, got[i], want[i], tol)
		}
		for _, c := range ref.Cells() {
			near(t, "variable "+c.Name, st.Get(c.Name), c.Tensor, tol)
		}
	}
	for _, s := range p.Steps() {
		if s.Kernel == "Ref" {
			t.Errorf("%s %q runs as a reference step", s.Operator, s.Node)
		}
	}
	return st
}

func TestTrainMLP(t *testing.T) {
	for _, optimizer := range []string{"sgd", "momentum", "adam"} {
		for _, clip := range []bool{false, true} {
			trainBoth(t, mlpStep(optimizer, clip), 2, 5, []int{8, 8, 3, 8}, 1e-4)
		}
	}
}

func TestTrainLeNet(t *testing.T) {
	trainBoth(t, lenetStep("momentum", true), 2, 10, []int{4, 4, 2}, 1e-4)
}

// TestSameBits trains with one, two and four threads and on every kernel set: one class, one result.
func TestSameBits(t *testing.T) {
	before := simd.Current().Name
	defer simd.Use(before)
	results := map[simd.Class]map[string][]byte{}
	for _, k := range simd.All() {
		if !k.Available() {
			continue
		}
		if err := simd.Use(k.Name); err != nil {
			t.Fatal(err)
		}
		for _, threads := range []int{1, 2, 4} {
			if k.Name == "generic" && threads != 2 {
				continue // slow: emulates fused operations
			}
			r := rand.New(rand.NewPCG(2, 2))
			g, st := lenetStep("adam", true), graph.NewStore()
			p := mustCompile(t, newRuntime(t, threads), g, st, compile.Options{})
			for range 2 {
				mustRun(t, p, batch(r, g.Inputs[0], 24, 10, 0.01)...)
			}
			if results[k.Class] == nil {
				results[k.Class] = map[string][]byte{}
			}
			for _, c := range st.Cells() {
				b := append([]byte{}, c.Tensor.Bytes()...)
				if old, ok := results[k.Class][c.Name]; !ok {
					results[k.Class][c.Name] = b
				} else if string(old) != string(b) {
					t.Errorf("%s, %d threads: variable %s has other bits", k.Name, threads, c.Name)
				}
			}
		}
	}
}

func TestTrainingAllocatesNothing(t *testing.T) {
	g := lenetStep("adam", true)
	p := mustCompile(t, newRuntime(t, 2), g, nil, compile.Options{})
	in := batch(rand.New(rand.NewPCG(2, 2)), g.Inputs[0], 8, 10, 0.01)
	mustRun(t, p, in...)
	if n := testing.AllocsPerRun(20, func() {
		if _, err := p.Run(in...); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations per training step", n)
	}
}
