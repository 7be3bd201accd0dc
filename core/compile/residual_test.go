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

// productNet has products of every kind behind which something is added: vectors, residuals, both, with an activation, through views, and
// sums of two products.
func productNet(r *rand.Rand, k int) (*graph.Graph, []*tensor.Tensor) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 3, 6, k)
	flat := op.Reshape(x, -1, k)
	w := func(shape ...int) *graph.Value { return g.Variable("w", randn(r, shape...), true) }
	relu6 := func(x *graph.Value) *graph.Value {
		return op.Clip(x, g.Const(tensor.From([]float32{0})), g.Const(tensor.From([]float32{6})))
	}
	h := op.Add(x, op.MatMul(x, w(k, k)))                                                                           // a residual
	h = op.Relu(op.Add(op.Add(w(k), op.MatMul(h, w(k, k))), x))                                                     // a vector, a residual, an activation
	h = op.Add(op.MatMulT(h, w(k, k), false, true), op.MatMul(x, w(k, k)))                                          // two products
	h = op.Add(h, op.Reshape(op.Gemm(op.Reshape(h, -1, k), w(k, k), w(k), op.GemmOptions{TransB: true}), -1, 6, k)) // through a view
	h = relu6(op.Add(h, op.MatMul(h, w(1, k, k))))
	g.Output(h)
	scores := op.Add(op.MatMulT(h, x, false, true), g.Const(randn(r, 1, 6))) // a batch of products, a vector
	g.Output(op.Add(scores, op.MatMulT(x, x, false, true)))
	y := op.Add(op.Gemm(flat, w(k, 17), nil, op.GemmOptions{Alpha: 0.5}), w(1, 17))
	g.Output(op.Add(op.Add(op.Gemm(flat, w(17, k), w(1, 1), op.GemmOptions{TransB: true, Beta: 2}), y), y))
	g.Output(op.Add(op.MatMul(flat, w(k, 1)), w(1)))
	g.Output(op.MatMul(h, w(k)))
	v := w(k, 17)
	g.Update(v, op.Add(v, op.Gemm(flat, op.Relu(y), nil, op.GemmOptions{TransA: true}))) // in the place of what is added
	return g, []*tensor.Tensor{randn(r, 3, 6, k)}
}

// What is added behind a product moves into it and changes no bit.
func TestResidualsOfProducts(t *testing.T) {
	for _, k := range []int{5, 64, 600} {
		g, in := productNet(rand.New(rand.NewPCG(9, uint64(k))), k)
		rt := newRuntime(t, 2)
		run := func(opt compile.Options) (*compile.Program, []*tensor.Tensor) {
			st := graph.NewStore()
			p := mustCompile(t, rt, g, st, opt)
			mustRun(t, p, in...)
			out := mustRun(t, p, in...)
			return p, append(out, st.Cell(g.Vars[len(g.Vars)-1].Name).Tensor)
		}
		_, want := run(compile.Options{NoFusion: true})
		fused, got := run(compile.Options{})
		for i := range want {
			a, b := want[i].Contiguous().Float32s(), got[i].Contiguous().Float32s()
			for k := range a {
				if math.Float32bits(a[k]) != math.Float32bits(b[k]) {
					t.Fatalf("output %d, element %d: %v in the plain program, %v in the fused one", i, k, a[k], b[k])
				}
			}
		}
		adds := 0
		for _, s := range fused.Steps() {
			adds += strings.Count(s.Operator, "Add")
			if strings.Contains(s.Operator, "Clip") {
				t.Errorf("%s is a step of its own", s.Operator)
			}
		}
		if adds > 1 { // a third term
			t.Errorf("%d sums are steps of their own", adds)
		}
	}
}
