package compile_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// shapely makes a random graph of operators of all kinds whose sizes depend on the symbols N, T and P, or on some of them, or on none.
func shapely(r *rand.Rand) *graph.Graph {
	g := graph.New()
	n, t, p := g.Symbol("N"), g.Symbol("T"), g.Symbol("P")
	const d = 8
	all := []*graph.Value{g.Input("x", tensor.Float32, n, t, d), g.Input("y", tensor.Float32, n, t, d)}
	flat := []*graph.Value{g.Input("z", tensor.Float32, n, d)}
	fixed := []*graph.Value{g.Input("f", tensor.Float32, 3, d)}
	past := g.Input("past", tensor.Float32, n, p, d)
	weight := func(shape ...int) *graph.Value { return g.Variable("w", randn(r, shape...), true) }
	full := func() *graph.Value { return all[max(0, len(all)-1-r.IntN(4))] }
	var whole *graph.Value
	for range 6 + r.IntN(20) {
		a, b := full(), full()
		switch r.IntN(14) {
		case 0:
			all = append(all, op.Add(op.Tanh(a), b))
		case 1:
			all = append(all, op.Mul(op.Sigmoid(a), op.Sub(b, op.Relu(a))))
		case 2:
			all = append(all, op.MatMul(a, op.Transpose(weight(d, d), 1, 0)))
		case 3:
			all = append(all, op.Relu(op.Add(op.MatMul(a, weight(d, d)), weight(d))))
		case 4:
			all = append(all, op.Softmax(a, -1))
		case 5:
			all = append(all, op.LayerNormalization(a, weight(d), weight(d), op.LayerNormOptions{Axis: -1}))
		case 6: // a view, and back by the shape of another value
			all = append(all, op.Add(op.ReshapeLike(op.Reshape(a, -1, d), b), b))
		case 7:
			all = append(all, op.Transpose(op.Tanh(op.Transpose(a, 1, 0, 2)), 1, 0, 2))
		case 8:
			flat = append(flat, op.ReduceSum(a, []int{1}, false))
		case 9:
			z := flat[r.IntN(len(flat))]
			flat = append(flat, op.Gemm(z, weight(d, d), weight(d), op.GemmOptions{TransB: true}))
		case 10:
			all = append(all, op.Add(a, op.Unsqueeze(flat[r.IntN(len(flat))], 1)))
		case 11:
			fixed = append(fixed, op.Tanh(op.Add(op.MatMul(fixed[len(fixed)-1], weight(d, d)), fixed[r.IntN(len(fixed))])))
		case 12:
			all = append(all, op.Mul(a, op.ReduceSum(fixed[len(fixed)-1], []int{0}, true)))
		case 13:
			whole = op.Concat(1, past, a)
			all = append(all, op.Add(a, op.ReduceSum(whole, []int{1}, true)))
		}
	}
	if whole != nil {
		g.Output(whole)
	}
	g.Output(all[len(all)-1])
	g.Output(flat[len(flat)-1])
	g.Output(fixed[len(fixed)-1])
	g.Output(op.Shape(all[len(all)-1]))
	if r.IntN(2) == 0 {
		g.Output(full())
	}
	if r.IntN(2) == 0 {
		v := g.Variable("state", randn(r, 3, d), true)
		g.Output(op.Mul(v, v))
		g.Update(v, op.Add(v, fixed[len(fixed)-1]))
	}
	return g
}

// sameBits compares all elements exactly.
func sameBits(t *testing.T, what string, got, want []*tensor.Tensor) {
	t.Helper()
	for i := range want {
		if got[i].DType() != want[i].DType() || !tensor.SameShape(got[i].Shape(), want[i].Shape()) {
			t.Fatalf("%s: output %d is %v %v, want %v %v", what, i, got[i].DType(), got[i].Shape(), want[i].DType(), want[i].Shape())
		}
		if !bytes.Equal(got[i].Contiguous().Bytes(), want[i].Contiguous().Bytes()) {
			t.Fatalf("%s: output %d differs from that of a fresh program", what, i)
		}
	}
}

// TestRebind: a program that is bound to one set of shapes after another gives the bits of one that has known no other, and its memory stays bounded.
func TestRebind(t *testing.T) {
	seeds := uint64(60)
	if testing.Short() {
		seeds = 8
	}
	rt := newRuntime(t, 2)
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 5))
		g := shapely(r)
		store := graph.NewStore()
		opt := compile.Options{MaxBinds: []int{0, 1, 2, 5}[seed%4], NoFusion: seed%5 == 4}
		p := mustCompile(t, rt, g, store, opt)
		n, length, past := 2, 3, 0
		for run := range 25 {
			switch r.IntN(6) {
			case 0:
				n = 1 + r.IntN(4)
			case 1:
				length = 1 + r.IntN(70)
			case 2:
				past = r.IntN(300)
			case 3:
				n, length, past = 2, 3, 0
			default:
				past += length
			}
			var in []*tensor.Tensor
			for _, v := range g.Inputs {
				shape := append([]int{}, v.Shape...)
				for k, d := range shape {
					switch d {
					case g.Symbol("N"):
						shape[k] = n
					case g.Symbol("T"):
						shape[k] = length
					case g.Symbol("P"):
						shape[k] = past
					}
				}
				in = append(in, randn(r, shape...))
			}
			copied := graph.NewStore()
			for _, c := range store.Cells() {
				if err := copied.Set(c.Name, c.Tensor); err != nil {
					t.Fatal(err)
				}
			}
			q := mustCompile(t, rt, g, copied, opt)
			want := mustRun(t, q, in...)
			got := mustRun(t, p, in...)
			what := tensor.Err("", "seed ", seed, " run ", run, " N ", n, " T ", length, " P ", past).Error()
			sameBits(t, what, got, want)
			for _, c := range store.Cells() {
				sameBits(t, what+" "+c.Name, []*tensor.Tensor{c.Tensor}, []*tensor.Tensor{copied.Get(c.Name)})
			}
			q.Close()
		}
		p.Close()
	}
}

// TestRebindTraining: the same for training steps, whose updates are joined.
func TestRebindTraining(t *testing.T) {
	rt := newRuntime(t, 1)
	g := lenetStep("adam", true)
	store := graph.NewStore()
	p := mustCompile(t, rt, g, store, compile.Options{MaxBinds: 2})
	r := rand.New(rand.NewPCG(8, 8))
	for _, n := range []int{4, 3, 7, 1, 4, 9, 8, 7, 6} {
		in := batch(r, g.Inputs[0], n, 10, 0.1)
		copied := graph.NewStore()
		for _, c := range store.Cells() {
			if err := copied.Set(c.Name, c.Tensor); err != nil {
				t.Fatal(err)
			}
		}
		q := mustCompile(t, rt, g, copied, compile.Options{})
		want := mustRun(t, q, in...)
		sameBits(t, "loss", mustRun(t, p, in...), want)
		for _, c := range store.Cells() {
			sameBits(t, c.Name, []*tensor.Tensor{c.Tensor}, []*tensor.Tensor{copied.Get(c.Name)})
		}
		q.Close()
	}
}

// decoder is a step of a transformer that reads one element after the keys and values of those before.
func decoder(layers int) *graph.Graph {
	g := graph.New()
	c := nn.NewContext(g, nn.Options{Seed: 1})
	x := g.Input("x", tensor.Float32, g.Symbol("N"), g.Symbol("T"), 64)
	c.Cache = nn.NewKVCache(c)
	y := nn.TransformerEncoder{Layers: layers, Norm: true, Name: "block", Layer: nn.TransformerEncoderLayer{Heads: 4, Activation: nn.Gelu, PreNorm: true, Causal: true,
		Attention: nn.MultiHeadAttention{Rotary: &nn.Rotary{Max: 512}}}}.Apply(c, x)
	g.Output(y)
	c.Cache.Finish()
	return g
}

func decoderShapes(g *graph.Graph, past int) [][]int {
	var shapes [][]int
	for _, v := range g.Inputs {
		s := append([]int{}, v.Shape...)
		for k, d := range s {
			switch d {
			case g.Symbol("N"), g.Symbol("T"):
				s[k] = 1
			case g.Symbol("P"):
				s[k] = past
			}
		}
		shapes = append(shapes, s)
	}
	return shapes
}

// TestRebindMemory: binding to ever longer pasts takes no more and more memory, and shapes that come again cost no allocation.
func TestRebindMemory(t *testing.T) {
	g := decoder(2)
	rt := newRuntime(t, 1)
	p := mustCompile(t, rt, g, nil, compile.Options{})
	r := rand.New(rand.NewPCG(1, 1))
	inputs := func(past int) (in []*tensor.Tensor) {
		for i, s := range decoderShapes(g, past) {
			if g.Inputs[i].DType == tensor.Int64 {
				in = append(in, tensor.From([]int64{int64(past)}, 1))
			} else {
				in = append(in, randn(r, s...))
			}
		}
		return in
	}
	var ins [][]*tensor.Tensor
	for past := range 20 {
		ins = append(ins, inputs(past+100))
		mustRun(t, p, ins[past]...)
	}
	for _, in := range ins { // outputs lie in buffers that have grown since
		mustRun(t, p, in...)
	}
	used := rt.Allocator().Stats().Used
	k := 0
	if n := testing.AllocsPerRun(60, func() { p.Run(ins[k%20]...); k++ }); n != 0 {
		t.Errorf("%v allocations for shapes that are bound", n)
	}
	if now := rt.Allocator().Stats().Used; now != used {
		t.Errorf("%d bytes in use, then %d", used, now)
	}
	for past := range 1000 {
		if err := p.Bind(decoderShapes(g, past%500)...); err != nil {
			t.Fatal(err)
		}
	}
	if m := p.Memory(); m.Binds > 256 {
		t.Errorf("%d binds", m.Binds)
	}
}

// BenchmarkRebind measures binding a step of a transformer to a past that is longer by one, and to another batch.
func BenchmarkRebind(b *testing.B) {
	for _, name := range []string{"past", "batch"} {
		b.Run(name, func(b *testing.B) {
			g := decoder(4)
			p := mustCompile(b, newRuntime(b, 1), g, nil, compile.Options{MaxBinds: 2})
			var shapes [][][]int
			for k := range 50 {
				s := decoderShapes(g, 100+k)
				if name == "batch" {
					s = decoderShapes(g, 100)
					for i, v := range g.Inputs {
						if v.DType == tensor.Float32 {
							s[i][0] = 16 + k%8
						}
					}
				}
				shapes = append(shapes, s)
			}
			k := 0
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Bind(shapes[k%len(shapes)]...); err != nil {
					b.Fatal(err)
				}
				k++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(p.Steps())), "ns/step")
		})
	}
}
