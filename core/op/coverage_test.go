package op_test

import (
	"math/rand"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// allSamples are the samples of all families.
func allSamples() []gradSample {
	return slices.Concat(gradSamples, elementSamples, productSamples, lossSamples, normSamples, followSamples,
		activationSamples, trigSamples, variadicSamples, clipSamples, reduceSamples, normMoreSamples, rnnSamples, attentionSamples, lastSamples)
}

// valueSample is a graph in float32 and other types of which only values are compared.
type valueSample struct {
	name string
	f    func(b *sampleBuilder) []value
}

// sampleBuilder adds inputs with random elements.
type sampleBuilder struct {
	g    *graph.Graph
	r    *rand.Rand
	data []*tensor.Tensor
}

func (b *sampleBuilder) input(t *tensor.Tensor) value {
	b.data = append(b.data, t)
	return b.g.Input("x", t.DType(), t.Shape()...)
}

// floats adds float32s from -1 to 1.
func (b *sampleBuilder) floats(shape ...int) value {
	t := tensor.New(tensor.Float32, shape...)
	for i := range t.Float32s() {
		t.Float32s()[i] = b.r.Float32()*2 - 1
	}
	return b.input(t)
}

// ints adds integers from 0 to 9, or from -5 to 4 in int64.
func (b *sampleBuilder) ints(d tensor.DType, shape ...int) value {
	t := tensor.New(d, shape...)
	v := make([]int64, t.Len())
	for i := range v {
		v[i] = b.r.Int63n(10)
		if d == tensor.Int64 {
			v[i] -= 5
		}
	}
	t.SetInt64s(v)
	return b.input(t)
}

func (b *sampleBuilder) bools(shape ...int) value {
	t := tensor.New(tensor.Bool, shape...)
	for i := range t.Bytes() {
		t.Bytes()[i] = byte(b.r.Intn(2))
	}
	return b.input(t)
}

func allValueSamples() []valueSample {
	return slices.Concat(valueSamples, updateSamples, attentionValues)
}

// TestValues compares compiled programs with the interpreter on the value samples.
func TestValues(t *testing.T) {
	for _, s := range allValueSamples() {
		t.Run(s.name, func(t *testing.T) {
			b := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(1))}
			outs := s.f(b)
			compareLowered(t, b.g, b.data, outs)
		})
	}
}

// TestEveryOperatorHasSamples builds all samples, with their gradients, and looks for operators that none contains; and for
// operators of which nothing says how they are differentiated, evaluated or inferred.
func TestEveryOperatorHasSamples(t *testing.T) {
	seen := map[*graph.Def]bool{}
	note := func(g *graph.Graph) {
		for _, n := range g.Nodes {
			seen[n.Def] = true
		}
	}
	for _, s := range allSamples() {
		g := graph.New()
		var in []value
		for _, sh := range s.shapes {
			in = append(in, g.Input("x", tensor.Float32, sh...))
		}
		r := rand.New(rand.NewSource(1))
		grads := gradientsOf(r, s.f(in), in)
		note(g)
		if len(grads) > 0 {
			op.Gradients(weighted(r, grads), in...)
			note(g)
		}
	}
	for _, s := range allValueSamples() {
		b := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(1))}
		s.f(b)
		note(b.g)
	}
	for _, d := range op.Full {
		switch {
		case !seen[d] && !hasUpgradeOnly(d):
			t.Errorf("%s is in no sample", d.FullName())
		case d.Grad == nil && d.Body == nil && d.NoGrad == "":
			t.Errorf("%s has no gradient rule, and no NoGrad that says why", d.FullName())
		case d.Ref == nil && d.Body == nil:
			t.Errorf("%s has neither a reference evaluation nor a body", d.FullName())
		case d.Infer == nil:
			t.Errorf("%s has no shape rule", d.FullName())
		case d.Doc == "":
			t.Errorf("%s has no documentation", d.FullName())
		}
		if op.Lookup(op.Full, d.Domain, d.Name) != d {
			t.Errorf("two operators are called %s", d.FullName())
		}
	}
}

// gradientsOf returns the gradients of a weighted sum of all elements, those that there are.
func gradientsOf(r *rand.Rand, ys, wrt []value) []value {
	return slices.DeleteFunc(op.Gradients(weighted(r, ys), wrt...), func(v value) bool { return v == nil })
}

// hasUpgradeOnly reports whether the operator is one of older models that its Upgrade replaces, for which there is no function.
func hasUpgradeOnly(d *graph.Def) bool { return d.Name == "Scatter" || d.Name == "Upsample" }
