package compile_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

func newRuntime(t testing.TB, threads int) *compile.Runtime {
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	t.Cleanup(rt.Close)
	return rt
}

func mustCompile(t testing.TB, rt *compile.Runtime, g *graph.Graph, st *graph.Store, opt compile.Options) *compile.Program {
	t.Helper()
	p, err := compile.Compile(rt, g, st, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustRun(t testing.TB, p *compile.Program, in ...*tensor.Tensor) []*tensor.Tensor {
	t.Helper()
	out, err := p.Run(in...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func randn(r *rand.Rand, shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, shape...)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(r.NormFloat64())
	}
	return x
}

// near fails when got is further than tol (relative to the largest magnitude) from want.
func near(t testing.TB, what string, got, want *tensor.Tensor, tol float64) {
	t.Helper()
	if got.DType() != want.DType() || !tensor.SameShape(got.Shape(), want.Shape()) {
		t.Fatalf("%s: got %v %v, want %v %v", what, got.DType(), got.Shape(), want.DType(), want.Shape())
	}
	g, w := got.Float64s(), want.Float64s()
	top := 1.0
	for _, x := range w {
		if a := math.Abs(x); a > top && !math.IsInf(a, 0) {
			top = a
		}
	}
	for i := range g {
		if d := math.Abs(g[i] - w[i]); d > tol*top || math.IsNaN(g[i]) != math.IsNaN(w[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, g[i], w[i])
		}
	}
}

// checkEval runs the graph compiled, fused and not, with one thread and with two, and compares with the interpreter.
func checkEval(t *testing.T, g *graph.Graph, in ...*tensor.Tensor) {
	t.Helper()
	st := graph.NewStore()
	if err := st.Init(g); err != nil {
		t.Fatal(err)
	}
	want, err := graph.Eval(g, st, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	var first []*tensor.Tensor
	for _, threads := range []int{1, 2} {
		for _, noFusion := range []bool{false, true} {
			cs := graph.NewStore()
			p := mustCompile(t, newRuntime(t, threads), g, cs, compile.Options{NoFusion: noFusion})
			got := mustRun(t, p, in...)
			for i := range got {
				near(t, g.Outputs[i].Name, got[i], want[i], 1e-5)
			}
			for _, c := range st.Cells() {
				near(t, "variable "+c.Name, cs.Get(c.Name), c.Tensor, 1e-5)
			}
			if first == nil {
				for _, x := range got {
					first = append(first, x.Clone())
				}
			}
			for i := range got {
				if string(got[i].Bytes()) != string(first[i].Bytes()) {
					t.Fatalf("threads %d, fusion %v: output %d has other bits", threads, !noFusion, i)
				}
			}
		}
	}
}

func TestChainBroadcasts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ x, a, b []int }{
		{[]int{7}, []int{7}, []int{}},
		{[]int{}, []int{}, []int{1}},
		{[]int{1}, []int{1, 1}, []int{1}},
		{[]int{5, 10}, []int{10}, []int{5, 1}},
		{[]int{3, 700}, []int{700}, []int{3, 1}},
		{[]int{4, 6, 5, 5}, []int{6, 1, 1}, []int{1}},
		{[]int{4, 6, 20, 20}, []int{6, 1, 1}, []int{4, 1, 1, 1}},
		{[]int{2, 3, 1, 1}, []int{3, 1, 1}, []int{2, 1, 1, 1}},
		{[]int{2, 4, 9, 9}, []int{1, 1, 9, 9}, []int{4, 1, 1}},
		{[]int{2, 3, 4}, []int{3, 1}, []int{2, 1, 4}},
		{[]int{8, 1000}, []int{8, 1000}, []int{1000}},
		{[]int{3, 5000}, []int{5000}, []int{1, 1}},
		{[]int{0, 5}, []int{5}, []int{1}},
		{[]int{70000}, []int{1}, []int{70000}},
		{[]int{900, 13}, []int{13}, []int{900, 13}},
	} {
		g := graph.New()
		x := g.Input("x", tensor.Float32, c.x...)
		a := g.Input("a", tensor.Float32, c.a...)
		b := g.Input("b", tensor.Float32, c.b...)
		y := g.Add(tMul, nil, g.Add(tAdd, nil, x, a), b)
		z := g.Add(tSub, nil, b, g.Add(tNeg, nil, y))
		q := g.Add(tLess, nil, z, b)
		q2 := g.Add(tLess, nil, a, z)
		w := g.Add(tWhere, nil, q, z, a)
		w2 := g.Add(tWhere, nil, g.Add(tLess, nil, a, a), b, w) // the condition is broadcast
		v := g.Add(tSqrt, nil, g.Add(tAbs, nil, g.Add(tMul, nil, w2, w)))
		for _, o := range []*graph.Value{v, z, q, q2, w, w2, y, g.Add(tAdd, nil, a, b)} {
			g.Output(o)
		}
		checkEval(t, g, randn(r, c.x...), randn(r, c.a...), randn(r, c.b...))
	}
}

func TestLongChainSplits(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1, 33)
	y := x
	for i := range 90 {
		y = g.Add(tAdd, nil, y, g.Const(tensor.From([]float32{float32(i)}, 1)))
		if i%9 == 0 {
			g.Output(y)
		}
	}
	g.Output(y)
	checkEval(t, g, randn(r, 50, 33))
}

func mlp(batch int) (g *graph.Graph, w1, w2 *graph.Value) {
	r := rand.New(rand.NewPCG(3, 4))
	g = graph.New()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), 20)
	w1 = g.Variable("w1", randn(r, 20, 30), true)
	w2 = g.Variable("w2", randn(r, 30, 5), true)
	h := g.Add(tRelu, nil, g.Add(tMatMul, nil, x, w1))
	g.Output(g.Add(tMatMul, nil, h, w2))
	return g, w1, w2
}

func TestSharedStoreAndPacks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	g, _, _ := mlp(0)
	st := graph.NewStore()
	p := mustCompile(t, newRuntime(t, 2), g, st, compile.Options{})
	packs = 0
	for _, n := range []int{8, 3, 13, 8, 0, 8} {
		x := randn(r, n, 20)
		got := mustRun(t, p, x)
		want, _ := graph.Eval(g, st, []*tensor.Tensor{x}, nil)
		near(t, "logits", got[0], want[0], 1e-5)
	}
	if packs != 2 {
		t.Errorf("weights were packed %d times, want once each", packs)
	}
	if err := st.Set("w1", randn(r, 20, 30)); err != nil {
		t.Fatal(err)
	}
	x := randn(r, 8, 20)
	got := mustRun(t, p, x)
	want, _ := graph.Eval(g, st, []*tensor.Tensor{x}, nil)
	near(t, "logits after Set", got[0], want[0], 1e-5)
	if packs != 3 {
		t.Errorf("%d packings after one weight changed, want 3", packs)
	}
	for _, s := range p.Steps() {
		if s.Operator == "Relu" {
			t.Error("the activation was not fused into the product")
		}
	}
}

// TestUpdates checks every way an update is applied, run after run, against the interpreter.
func TestUpdates(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1, 40)
	lr := g.Input("lr", tensor.Float32)
	w := g.Variable("w", randn(r, 40, 50), true)
	v := g.Variable("v", tensor.New(tensor.Float32, 40, 50), false)
	a := g.Variable("a", randn(r, 3), false)
	b := g.Variable("b", randn(r, 3), false)
	count := g.Variable("count", tensor.New(tensor.Float32), false)
	mean := g.Variable("mean", tensor.New(tensor.Float32, 1, 50), false)
	last := g.Variable("last", tensor.New(tensor.Float32), false)
	h := g.Add(tMatMul, nil, x, w)
	m := g.Add(tCol, nil, h)
	g.Update(mean, m)
	g.Update(a, b) // exchanged
	g.Update(b, a)
	g.Update(last, lr)
	g.Update(count, g.Add(tAdd, nil, count, g.Const(tensor.Scalar(float32(1)))))
	grad := g.Add(tMul, nil, w, m) // reads w and depends on the batch
	up := g.AddN(tStep, "", 2, nil, w, grad, v, lr)
	g.Update(w, up[0])
	g.Update(v, up[1])
	g.Output(h)
	g.Output(w)     // the old weights
	g.Output(up[0]) // and the new ones
	g.Output(a)
	g.Output(g.Add(tFlat, nil, w))
	g.Output(x)
	g.Output(h) // twice
	g.Output(g.Const(tensor.From([]float32{1, 2}, 2)))

	for _, threads := range []int{1, 2} {
		st, ref := graph.NewStore(), graph.NewStore()
		if err := ref.Init(g); err != nil {
			t.Fatal(err)
		}
		p := mustCompile(t, newRuntime(t, threads), g, st, compile.Options{})
		inPlaceSteps = 0
		for i, n := range []int{4, 4, 9, 1, 4} {
			in := []*tensor.Tensor{randn(r, n, 40), tensor.Scalar(float32(0.001))}
			want, err := graph.Eval(g, ref, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := mustRun(t, p, in...)
			for k := range want {
				near(t, "output", got[k], want[k], 1e-5)
			}
			for _, c := range ref.Cells() {
				near(t, "variable "+c.Name, st.Get(c.Name), c.Tensor, 1e-5)
				if st.Cell(c.Name).Version != uint64(2+i) {
					t.Fatalf("version of %s is %d after %d runs", c.Name, st.Cell(c.Name).Version, i+1)
				}
			}
		}
		if inPlaceSteps != 5 {
			t.Errorf("%d of 5 optimizer steps wrote their variables in place", inPlaceSteps)
		}
	}
}

func TestFoldShareDrop(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1, 4)
	one := g.Const(tensor.From([]float32{1, 2, 3, 4}, 4))
	two := g.Add(tAdd, nil, one, one)
	a := g.Add(tCol, nil, g.Add(tAdd, nil, x, two))
	b := g.Add(tCol, nil, g.Add(tAdd, nil, x, g.Add(tAdd, nil, one, g.Const(tensor.From([]float32{1, 2, 3, 4}, 4)))))
	g.Add(tCol, nil, x) // dead
	c := g.Add(tExpandLike, nil, a, b)
	g.Output(g.Add(tMul, nil, c, b))
	checkEval(t, g, randn(r, 5, 4))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	if err := p.Bind([]int{5, 4}); err != nil {
		t.Fatal(err)
	}
	if n := len(p.Steps()); n != 3 {
		t.Errorf("%d steps, want 3: %v", n, p.Steps())
	}
}

func TestDynamicShapes(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1)
	g.Output(g.Add(tNeg, nil, g.Add(tPositive, nil, x)))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	for _, in := range [][]float32{{1, -2, 3}, {-1}, {5, 6, 7}} {
		x := tensor.From(in, len(in))
		got := mustRun(t, p, x)
		want, _ := graph.Eval(g, nil, []*tensor.Tensor{x}, nil)
		near(t, "positive", got[0], want[0], 0)
	}
}

func TestRandomState(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 4)
	g.Output(g.Add(tNeg, nil, g.Add(tNoise, nil, x)))
	g.Output(g.Add(tNoise, nil, x))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	in := []*tensor.Tensor{tensor.New(tensor.Float32, 4)}
	state := graph.RandState{Seed: 3, Step: 9}
	want, err := graph.Eval(g, nil, in, &graph.EvalOptions{Rand: state})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.RunWith(in, compile.RunOptions{Rand: state})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "noise", got[0], want[0], 0)
	near(t, "other noise", got[1], want[1], 0)
}

func TestCallerOutputs(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 3)
	y := g.Add(tAdd, nil, g.Add(tExpandLike, nil, g.Add(tCol, nil, x), x), x)
	g.Output(y)
	g.Output(g.Add(tNeg, nil, y))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	in := tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	own := tensor.New(tensor.Float32, 2, 3)
	got, err := p.RunWith([]*tensor.Tensor{in}, compile.RunOptions{Outputs: []*tensor.Tensor{nil, own}})
	if err != nil {
		t.Fatal(err)
	}
	if got[1] != own || own.Float32s()[0] != -6 {
		t.Error("the caller's tensor was not written")
	}
	// Over its own input.
	if _, err = p.RunWith([]*tensor.Tensor{in}, compile.RunOptions{Outputs: []*tensor.Tensor{in}}); err != nil {
		t.Fatal(err)
	}
	near(t, "in place of the input", in, tensor.From([]float32{6, 9, 12, 9, 12, 15}, 2, 3), 0)
	_, err = p.RunWith([]*tensor.Tensor{in}, compile.RunOptions{Outputs: []*tensor.Tensor{tensor.New(tensor.Float32, 3, 2)}})
	if err == nil || !strings.Contains(err.Error(), "[2 3]") {
		t.Errorf("wrong output shape: %v", err)
	}
}

func TestErrors(t *testing.T) {
	g := graph.New()
	n := g.Symbol("N")
	x := g.Input("x", tensor.Float32, n, 3)
	y := g.Input("y", tensor.Float32, n, 3)
	g.Output(g.Add(tAdd, nil, x, y))
	rt := newRuntime(t, 1)
	p := mustCompile(t, rt, g, nil, compile.Options{})
	f := func(shape ...int) *tensor.Tensor { return tensor.New(tensor.Float32, shape...) }
	for _, c := range []struct {
		in   []*tensor.Tensor
		want string
	}{
		{[]*tensor.Tensor{f(2, 3)}, "2 inputs, got 1"},
		{[]*tensor.Tensor{f(2, 3), nil}, `input "y" is missing`},
		{[]*tensor.Tensor{f(2, 3), tensor.New(tensor.Int64, 2, 3)}, `input "y" takes float32 [N 3], got int64 [2 3]`},
		{[]*tensor.Tensor{f(2, 4), f(2, 3)}, `input "x" takes float32 [N 3], got [2 4]`},
		{[]*tensor.Tensor{f(2, 3), f(4, 3)}, "N is 2 in another input"},
	} {
		if _, err := p.Run(c.in...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	p.Close()
	p.Close()
	if _, err := p.Run(f(2, 3), f(2, 3)); err == nil {
		t.Error("a closed program ran")
	}
	small := compile.NewRuntime(compile.RuntimeOptions{Threads: 1, MemoryBudget: 1 << 16})
	defer small.Close()
	q := mustCompile(t, small, g, nil, compile.Options{})
	if _, err := q.Run(f(100000, 3), f(100000, 3)); err == nil || !strings.Contains(err.Error(), "budget") {
		t.Errorf("over budget: %v", err)
	}
}

func TestCancel(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3)
	w := g.Variable("w", tensor.New(tensor.Float32, 3), true)
	g.Update(w, g.Add(tAdd, nil, w, x))
	st := graph.NewStore()
	p := mustCompile(t, newRuntime(t, 1), g, st, compile.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	in := []*tensor.Tensor{tensor.From([]float32{1, 2, 3}, 3)}
	if _, err := p.RunWith(in, compile.RunOptions{Context: ctx}); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := p.RunWith(in, compile.RunOptions{Context: ctx}); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if got := st.Get("w").Float32s()[2]; got != 3 {
		t.Errorf("w[2] is %v after one finished and one cancelled run, want 3", got)
	}
}

// TestCancelDynamic: a graph that is interpreted stops before the next node.
func TestCancelDynamic(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ran := 0
	def := &graph.Def{Name: "Cancels", MinIn: 1, MaxIn: 1, Infer: func(c *graph.InferCtx) { c.Set(0, c.In[0].DType, c.In[0].Shape) }, Ref: func(c *graph.RefCtx) {
		ran++
		if c.In[0].Float32s()[0] == 2 {
			cancel()
		}
		c.Out[0] = c.In[0].Clone()
	}}
	g := graph.New()
	x := g.Input("x", tensor.Float32, -1)
	g.Output(g.Add(def, nil, g.Add(def, nil, g.Add(tPositive, nil, x))))
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	if _, err := p.RunWith([]*tensor.Tensor{tensor.From([]float32{1, -2}, 2)}, compile.RunOptions{Context: ctx}); err != nil || ran != 2 {
		t.Errorf("%d nodes, %v", ran, err)
	}
	if _, err := p.RunWith([]*tensor.Tensor{tensor.From([]float32{2, -2}, 2)}, compile.RunOptions{Context: ctx}); err != context.Canceled || ran != 3 {
		t.Errorf("%d nodes, %v", ran, err)
	}
}

func TestPanicReachesCaller(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3)
	g.Output(g.Add(tPanic, nil, x))
	for _, threads := range []int{1, 2, 4} {
		p := mustCompile(t, newRuntime(t, threads), g, nil, compile.Options{})
		for range 20 {
			func() {
				defer func() {
					if r := recover(); r != "broken kernel" {
						t.Errorf("recovered %v", r)
					}
				}()
				p.Run(tensor.New(tensor.Float32, 3))
			}()
		}
	}
}

func TestNoAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	g, w1, w2 := mlp(0)
	for _, w := range []*graph.Value{w1, w2} {
		v := g.Variable("v", tensor.New(tensor.Float32, w.Shape...), false)
		up := g.AddN(tStep, "", 2, nil, w, g.Add(tMul, nil, w, w), v, g.Const(tensor.Scalar(float32(0.1))))
		g.Update(w, up[0])
		g.Update(v, up[1])
	}
	for _, threads := range []int{1, 2} {
		p := mustCompile(t, newRuntime(t, threads), g, nil, compile.Options{})
		in := []*tensor.Tensor{randn(r, 16, 20)}
		mustRun(t, p, in...)
		opt := compile.RunOptions{Context: context.Background(), Rand: graph.RandState{Seed: 1}}
		if n := testing.AllocsPerRun(100, func() {
			if _, err := p.RunWith(in, opt); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%d threads: %v allocations per run", threads, n)
		}
	}
}

func TestBindCacheIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	g, _, _ := mlp(0)
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{MaxBinds: 3})
	for i := range 40 {
		n := 1 + i*7%11
		x := randn(r, n, 20)
		got := mustRun(t, p, x)
		want, _ := graph.Eval(g, p.Store(), []*tensor.Tensor{x}, nil)
		near(t, "logits", got[0], want[0], 1e-5)
	}
	if n := p.Memory().Binds; n != 3 {
		t.Errorf("%d binds are kept, want 3", n)
	}
}
