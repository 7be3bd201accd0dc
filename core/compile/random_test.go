package compile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

var tSign = unary("Sign", simd.Sign, func(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
})

// tKeep is in place, with a kernel of its own, so that it takes part in the hazards that chains do not have.
var tKeep = &graph.Def{Name: "Keep", MinIn: 2, MaxIn: 2, InPlace: []int{0}, InPlaceOut: [][2]int{{1, 1}}, MinOut: 2, MaxOut: 2,
	Infer: func(c *graph.InferCtx) { sameAsFirst(c); c.Set(1, c.In[1].DType, c.In[1].Shape) },
	Ref: func(c *graph.RefCtx) {
		a, b := c.In[0].Float64s(), c.In[1].Float64s()
		for i := range a {
			a[i], b[i] = -b[i], a[i]+1
		}
		c.Out[0].SetFloat64s(a)
		c.Out[1].SetFloat64s(b)
	},
	Lower: tKeepLower,
}

// randomGraph makes a graph of elementwise operators, views, sums, two-output in-place operators and updates over
// small integers, on which float32 is exact, so that any difference is a wrong address.
func randomGraph(r *rand.Rand) *graph.Graph {
	g := graph.New()
	shapes := [][]int{{4, 6}, {4, 6}, {4, 6}, {6}, {1, 6}, {4, 1}, {}, {24}}
	byShape := map[string][]*graph.Value{}
	var all []*graph.Value
	put := func(v *graph.Value) {
		k := tensor.ShapeString(v.Shape)
		byShape[k] = append(byShape[k], v)
		all = append(all, v)
	}
	ints := func(shape []int) *tensor.Tensor {
		t := tensor.New(tensor.Float32, shape...)
		for i := range t.Float32s() {
			t.Float32s()[i] = float32(r.IntN(7) - 3)
		}
		return t
	}
	for _, sh := range shapes[2:] {
		put(g.Input("x", tensor.Float32, sh...))
	}
	put(g.Const(ints([]int{6})))
	var vars []*graph.Value
	for range 5 {
		v := g.Variable("v", ints([]int{4, 6}), true)
		vars = append(vars, v)
		put(v)
	}
	pick := func() *graph.Value {
		if r.IntN(2) == 0 {
			return all[max(0, len(all)-1-r.IntN(5))]
		}
		return all[r.IntN(len(all))]
	}
	full := func() *graph.Value {
		l := byShape["[4 6]"]
		return l[max(0, len(l)-1-r.IntN(6))]
	}
	for range 10 + r.IntN(40) {
		a := pick()
		switch r.IntN(10) {
		case 0:
			put(g.Add(tSign, nil, a))
		case 1:
			put(g.Add(tNeg, nil, a))
		case 2:
			put(g.Add(tRelu, nil, a))
		case 3, 4:
			if b := pick(); fits(a, b) {
				put(g.Add(tSub, nil, g.Add(tSign, nil, a), b))
			}
		case 5:
			if b := pick(); fits(a, b) {
				put(g.Add(tWhere, nil, g.Add(tLess, nil, a, b), b, a))
			}
		case 6:
			if len(a.Shape) == 2 {
				put(g.Add(tFlat, nil, a))
			}
		case 7:
			put(g.Add(tCol, nil, g.Add(tSign, nil, full())))
		case 8:
			b := full()
			o := g.AddN(tKeep, "", 2, nil, g.Add(tSign, nil, full()), b)
			put(o[0])
			put(o[1])
		case 9:
			put(g.Add(tExpandLike, nil, full(), full()))
		}
	}
	for _, v := range vars {
		switch r.IntN(4) {
		case 0:
			g.Update(v, g.Add(tSign, nil, full()))
		case 1:
			g.Update(v, g.Add(tSign, nil, g.Add(tAdd, nil, vars[r.IntN(len(vars))], vars[r.IntN(len(vars))])))
		case 2:
			g.Update(v, vars[r.IntN(len(vars))])
		}
	}
	if r.IntN(2) == 0 { // two variables through one in-place operator
		a, b := g.Variable("a", ints([]int{4, 6}), true), g.Variable("b", ints([]int{4, 6}), true)
		o := g.AddN(tKeep, "", 2, nil, g.Add(tSign, nil, a), b)
		g.Update(a, g.Add(tSign, nil, o[0]))
		g.Update(b, o[0])
		put(o[1])
		if r.IntN(2) == 0 {
			put(g.Add(tSub, nil, b, o[1]))
		}
	}
	for range 1 + r.IntN(6) {
		g.Output(pick())
	}
	return g
}

func fits(a, b *graph.Value) bool {
	sh, ok := broadcastDims(a.Shape, b.Shape)
	return ok && len(sh) <= 2 && tensor.Size(sh) <= 24
}

func TestRandomGraphs(t *testing.T) {
	rt := newRuntime(t, 2)
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 77))
		g := randomGraph(r)
		ref, st, st2 := graph.NewStore(), graph.NewStore(), graph.NewStore()
		if err := ref.Init(g); err != nil {
			t.Fatal(err)
		}
		p := mustCompile(t, rt, g, st, compile.Options{})
		q := mustCompile(t, rt, g, st2, compile.Options{NoFusion: true})
		for run := range 3 {
			var in []*tensor.Tensor
			for _, v := range g.Inputs {
				x := tensor.New(tensor.Float32, v.Shape...)
				for i := range x.Float32s() {
					x.Float32s()[i] = float32(r.IntN(7) - 3)
				}
				in = append(in, x)
			}
			want, err := graph.Eval(g, ref, in, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, p := range []*compile.Program{p, q} {
				got := mustRun(t, p, in...)
				for i := range want {
					near(t, tensor.Err("", "seed ", seed, " run ", run, " program ", k, " output ", i).Error(), got[i], want[i], 0)
				}
				for _, c := range ref.Cells() {
					near(t, tensor.Err("", "seed ", seed, " run ", run, " program ", k, " variable ", c.Name).Error(), p.Store().Get(c.Name), c.Tensor, 0)
				}
			}
		}
		p.Close()
		q.Close()
	}
}

// TestListing checks what inspect and bench print.
func TestListing(t *testing.T) {
	g := lenetStep("sgd", false)
	p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
	if p.Steps() != nil {
		t.Error("steps before anything is bound")
	}
	in := batch(rand.New(rand.NewPCG(1, 1)), g.Inputs[0], 4, 10, 0.1)
	mustRun(t, p, in...)
	steps := p.Steps()
	if len(steps) < 20 {
		t.Fatalf("%d steps", len(steps))
	}
	for _, s := range steps {
		if s.Kernel == "" || s.Operator == "" || s.Tiles < 1 {
			t.Errorf("incomplete: %+v", s)
		}
	}
	m := p.Memory()
	if m.Arena == 0 || m.Variables == 0 || m.Outputs == 0 {
		t.Errorf("memory %+v", m)
	}
}
