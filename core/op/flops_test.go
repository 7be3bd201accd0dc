package op_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// noFLOPs are operators that only move elements, draw random ones, decide or work on whole numbers; the others count their operations, or are elementwise.
const noFLOPs = " And weft.Bernoulli Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Concat weft.ConcatGrad Constant ConstantOfShape DepthToSpace Dropout weft.DropoutKeyed Expand weft.ExpandLike EyeLike " +
	"Flatten Gather GatherElements weft.GatherGrad GatherND weft.GatherNDGrad Identity IsInf IsNaN weft.MaxPoolGather Multinomial weft.NLLGrad NegativeLogLikelihoodLoss NonZero Not OneHot Or Pad weft.PadGrad " +
	"weft.RandomKey RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reshape weft.ReshapeLike Scatter ScatterElements ScatterND Shape Size Slice weft.SliceGrad SpaceToDepth Split Squeeze Tile TopK Transpose " +
	"Trilu Unique Unsqueeze Xor "

// TestFLOPs checks that operators count their operations, and that what they count for the samples is possible.
func TestFLOPs(t *testing.T) {
	for _, d := range op.Full {
		counts := d.FLOPs != nil || d.Elem != nil
		if listed := containsName(noFLOPs, d.FullName()); listed == counts {
			t.Errorf("%s: counts its operations: %v, listed as one that does not: %v", d.FullName(), counts, listed)
		}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	for _, s := range allSamples() {
		r := rand.New(rand.NewSource(1))
		b := &sampleBuilder{g: graph.New(), r: r}
		var in []value
		for _, sh := range s.shapes {
			in = append(in, b.floats(sh...))
		}
		outs := s.f(in)
		b.g.Outputs = append(outs, gradientsOf(r, outs, in)...)
		p, err := compile.Compile(rt, b.g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		shapes := make([][]int, len(b.data))
		for i, x := range b.data {
			shapes[i] = x.Shape()
		}
		if err := p.Bind(shapes...); err != nil {
			t.Fatal(err)
		}
		for _, st := range p.Steps() {
			if st.FLOPs < 0 || math.IsNaN(st.FLOPs) || math.IsInf(st.FLOPs, 0) || st.Bytes < 0 {
				t.Errorf("%s: %s takes %v operations, %d bytes", s.name, st.Operator, st.FLOPs, st.Bytes)
			}
		}
		p.Close()
	}
}

func containsName(list, name string) bool {
	for i := 0; i+len(name)+2 <= len(list); i++ {
		if list[i:i+len(name)+2] == " "+name+" " {
			return true
		}
	}
	return false
}

// What products and their gradients count, by hand.
func TestFLOPsOfProducts(t *testing.T) {
	g := graph.New()
	x := g.Input("x", tensor.Float32, 2, 3, 8, 8)
	w := g.Input("w", tensor.Float32, 4, 3, 3, 3)
	y := op.Conv(x, w, nil, op.ConvOptions{Pads: []int{1, 1, 1, 1}})
	g.Output(y)
	for _, v := range op.Gradients(op.ReduceSum(op.Mul(y, y), nil, false), x, w) {
		g.Output(v)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	p, err := compile.Compile(rt, g, nil, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Bind([]int{2, 3, 8, 8}, []int{4, 3, 3, 3}); err != nil {
		t.Fatal(err)
	}
	const one = 2 * (2 * 4 * 8 * 8) * (3 * 3 * 3)
	seen := map[string]float64{}
	for _, s := range p.Steps() {
		seen[s.Operator] += s.FLOPs
	}
	for _, name := range []string{"Conv", "weft.ConvGradInput", "weft.ConvGradWeight"} {
		if seen[name] != one {
			t.Errorf("%s takes %v operations, want %d", name, seen[name], one)
		}
	}
}
