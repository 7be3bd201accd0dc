package compile_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// packNet is a network whose weights are packed: a convolution, dense layers of both kinds, a recurrent layer. With a loss it updates the
// weight of a dense layer.
func packNet(loss bool) *graph.Graph {
	r := rand.New(rand.NewPCG(3, 4)) // the same constants and initial weights every time
	g := graph.New()
	x := g.Input("x", tensor.Float32, 9, 4, 8, 8)
	y := op.Relu(op.Conv(x, g.Variable("conv", randn(r, 40, 4, 3, 3), true), nil, op.ConvOptions{}))
	y = op.Reshape(y, 9, 40*36)
	w := g.Variable("w", randn(r, 96, 40*36), true)
	y = op.Gemm(y, w, g.Variable("b", randn(r, 96), true), op.GemmOptions{TransB: true})
	y = op.MatMul(y, g.Variable("u", randn(r, 96, 64), true))
	seq := op.Reshape(y, 9, 1, 64)
	y, _, _ = op.LSTM(seq, g.Variable("lw", randn(r, 1, 64, 64), true), g.Variable("lr", randn(r, 1, 64, 16), true), nil, op.RNNOptions{})
	g.Output(y)
	if loss {
		dw := op.Gradients(op.ReduceMean(op.Mul(y, y), nil, false), w)[0]
		g.Update(w, op.Sub(w, dw))
	}
	return g
}

func sameFloats(t *testing.T, what string, a, b *tensor.Tensor) {
	t.Helper()
	x, y := a.Contiguous().Float32s(), b.Contiguous().Float32s()
	for i := range x {
		if math.Float32bits(x[i]) != math.Float32bits(y[i]) {
			t.Fatalf("%s: element %d is %v, want %v", what, i, x[i], y[i])
		}
	}
}

// Programs of a runtime share packed copies, which are never older than what they are copies of, and go with the last program.
func TestPackedCopiesAreShared(t *testing.T) {
	x := randn(rand.New(rand.NewPCG(1, 1)), 9, 4, 8, 8)
	rt, st := newRuntime(t, 2), graph.NewStore()
	// fresh computes with nothing packed before: in a program that could change every variable, every weight is packed in each run.
	fresh := func() *tensor.Tensor {
		g := packNet(false)
		for _, v := range g.Vars {
			g.Update(v.Value, op.Mul(v.Value, g.Const(tensor.From([]float32{1}))))
		}
		p := mustCompile(t, newRuntime(t, 1), g, st, compile.Options{})
		return mustRun(t, p, x)[0]
	}
	one := mustCompile(t, rt, packNet(false), st, compile.Options{})
	got := mustRun(t, one, x)[0]
	sameFloats(t, "first", got, fresh())
	size := rt.PackedBytes()
	if size == 0 || one.Memory().Packed != size {
		t.Fatalf("%d bytes of packed copies, of the program %d", size, one.Memory().Packed)
	}
	two := mustCompile(t, rt, packNet(false), st, compile.Options{})
	sameFloats(t, "second program", mustRun(t, two, x)[0], got)
	if n := rt.PackedBytes(); n != size {
		t.Errorf("two programs have %d bytes of packed copies, one %d", n, size)
	}
	other := mustCompile(t, rt, packNet(false), graph.NewStore(), compile.Options{})
	mustRun(t, other, x)
	if n := rt.PackedBytes(); n != 2*size {
		t.Errorf("with another store there are %d bytes of packed copies, want %d", n, 2*size)
	}
	other.Close()

	// Training, and weights that are set, between predictions of both.
	train := mustCompile(t, rt, packNet(true), st, compile.Options{})
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 4 {
		switch i {
		case 0, 3:
			mustRun(t, train, x)
		case 1:
			if err := st.Set("u", randn(r, 96, 64)); err != nil {
				t.Fatal(err)
			}
		case 2:
			for _, name := range []string{"conv", "lr", "w"} {
				if err := st.Set(name, randn(r, st.Cell(name).Tensor.Shape()...)); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := fresh()
		sameFloats(t, "one after a change", mustRun(t, one, x)[0], want)
		sameFloats(t, "two after a change", mustRun(t, two, x)[0], want)
	}

	// Another kernel set has other layouts.
	was := simd.Current().Name
	if err := simd.Use("generic"); err != nil {
		t.Fatal(err)
	}
	mustRun(t, one, x)
	if err := simd.Use(was); err != nil {
		t.Fatal(err)
	}
	sameFloats(t, "two after another kernel set", mustRun(t, two, x)[0], fresh())
	sameFloats(t, "one after another kernel set", mustRun(t, one, x)[0], fresh())

	train.Close()
	one.Close()
	if n := rt.PackedBytes(); n != size {
		t.Errorf("%d bytes of packed copies after the first of two programs was closed, want %d", n, size)
	}
	sameFloats(t, "the one that is left", mustRun(t, two, x)[0], fresh())
	two.Close()
	if n := rt.PackedBytes(); n != 0 {
		t.Errorf("%d bytes of packed copies after the last program was closed", n)
	}
}

// Constants are packed once for all programs of their graph.
func TestPackedConstantsAreShared(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	g := graph.New()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), 300)
	g.Output(op.Gemm(x, g.Const(randn(r, 200, 300)), nil, op.GemmOptions{TransB: true}))
	rt := newRuntime(t, 1)
	a, b := mustCompile(t, rt, g, nil, compile.Options{}), mustCompile(t, rt, g, nil, compile.Options{})
	in := randn(r, 20, 300)
	want, err := graph.Eval(g, nil, []*tensor.Tensor{in}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "product", mustRun(t, a, in)[0], want[0], 1e-4)
	size := rt.PackedBytes()
	sameFloats(t, "second program", mustRun(t, b, in)[0], mustRun(t, a, in)[0])
	if n := rt.PackedBytes(); n != size || simd.Current().Name != "generic" && simd.Current().Name != "generic-muladd" && n == 0 {
		t.Errorf("%d bytes of packed copies, one program has %d", n, size)
	}
	a.Close()
	b.Close()
	if n := rt.PackedBytes(); n != 0 {
		t.Errorf("%d bytes of packed copies are left", n)
	}
}
