package keras_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

type (
	cfg = keras.Config
	seq = []keras.Spec
)

func layer(kind string, c cfg) keras.Spec { return keras.Spec{Kind: kind, Config: c} }

func list(v ...float64) []any {
	out := make([]any, len(v))
	for i := range v {
		out[i] = v[i]
	}
	return out
}

// built is a model with its weights, ready to be evaluated.
type built struct {
	m     *keras.Model
	g     *graph.Graph
	store *graph.Store
}

func build(t *testing.T, m *keras.Model, err error) *built {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	n, err := m.Network()
	if err != nil {
		t.Fatal(err)
	}
	b := &built{m: m, g: n.Inference(nn.Options{Seed: 7}), store: graph.NewStore()}
	if err := b.store.Init(b.g); err != nil {
		t.Fatal(err)
	}
	// Biases that are not zero, so that they count.
	rng := random.New(5, 5)
	for _, w := range m.Weights() {
		if strings.HasSuffix(w.Name, "bias") || strings.HasSuffix(w.Name, "beta") || strings.HasSuffix(w.Name, "moving_mean") {
			v := tensor.New(tensor.Float32, w.Shape...)
			rng.FillNormal(v.Float32s(), 0, 1)
			if err := w.Set(b.store, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func sequential(t *testing.T, layers ...keras.Spec) *built {
	t.Helper()
	m, err := keras.Sequential("test", layers)
	return build(t, m, err)
}

func (b *built) run(t *testing.T, in ...*tensor.Tensor) *tensor.Tensor {
	t.Helper()
	out, err := graph.Eval(b.g, b.store, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// weight returns a weight in Keras's layout.
func (b *built) weight(t *testing.T, name string) *tensor.Tensor {
	t.Helper()
	for _, w := range b.m.Weights() {
		if w.Name == name {
			v, err := w.Get(b.store)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no weight %s", name)
	return nil
}

func input(shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Float32, shape...)
	rng := random.New(1, 2)
	rng.FillNormal(x.Float32s(), 0, 1)
	return x
}

// at reads an element of a tensor of any rank, 0 outside.
func at(t *tensor.Tensor, idx ...int) float64 {
	off := 0
	for i, d := range t.Shape() {
		if idx[i] < 0 || idx[i] >= d {
			return 0
		}
		off = off*d + idx[i]
	}
	return float64(t.Float32s()[off])
}

func compare(t *testing.T, got *tensor.Tensor, shape []int, want func(idx []int) float64) {
	t.Helper()
	if !tensor.SameShape(got.Shape(), shape) {
		t.Fatalf("shape %v, want %v", got.Shape(), shape)
	}
	idx := make([]int, len(shape))
	for i, v := range got.Float32s() {
		for k, r := len(shape)-1, i; k >= 0; k-- {
			idx[k], r = r%shape[k], r/shape[k]
		}
		if w := want(idx); math.Abs(float64(v)-w) > 1e-4*max(1, math.Abs(w)) {
			t.Fatalf("element %v is %v, want %v", idx, v, w)
		}
	}
}

func TestConv2D(t *testing.T) {
	for _, c := range []struct {
		name                  string
		channels, k, s, d     int
		same                  bool
		oh, ow, padTop, padLe int
	}{
		{"valid", 3, 3, 1, 1, false, 4, 5, 0, 0},
		{"same", 3, 3, 1, 1, true, 6, 7, 1, 1},
		{"same, strides", 2, 3, 2, 1, true, 3, 4, 0, 1}, // SAME_UPPER pads more at the end
		{"one channel", 1, 3, 1, 1, false, 4, 5, 0, 0},
		{"dilated", 2, 2, 1, 2, false, 4, 5, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			pad := "valid"
			if c.same {
				pad = "same"
			}
			b := sequential(t, layer("conv2d", cfg{"filters": 4.0, "kernelSize": float64(c.k), "strides": list(float64(c.s), float64(c.s)), "dilationRate": float64(c.d), "padding": pad,
				"inputShape": list(6, 7, float64(c.channels)), "activation": "relu"}))
			x := input(2, 6, 7, c.channels)
			k, bias := b.weight(t, "conv2d/kernel"), b.weight(t, "conv2d/bias")
			if !tensor.SameShape(k.Shape(), []int{c.k, c.k, c.channels, 4}) {
				t.Fatalf("kernel %v", k.Shape())
			}
			compare(t, b.run(t, x), []int{2, c.oh, c.ow, 4}, func(i []int) float64 {
				sum := at(bias, i[3])
				for kh := range c.k {
					for kw := range c.k {
						for ch := range c.channels {
							sum += at(x, i[0], i[1]*c.s+kh*c.d-c.padTop, i[2]*c.s+kw*c.d-c.padLe, ch) * at(k, kh, kw, ch, i[3])
						}
					}
				}
				return max(sum, 0)
			})
		})
	}
}

func TestDepthwiseAndSeparable(t *testing.T) {
	x := input(2, 5, 5, 3)
	b := sequential(t, layer("depthwiseConv2d", cfg{"kernelSize": 3.0, "depthMultiplier": 2.0, "inputShape": list(5, 5, 3)}))
	k, bias := b.weight(t, "depthwise_conv2d/depthwise_kernel"), b.weight(t, "depthwise_conv2d/bias")
	depth := func(k *tensor.Tensor, n, y, xx, c int) (sum float64) {
		for kh := range 3 {
			for kw := range 3 {
				sum += at(x, n, y+kh, xx+kw, c/2) * at(k, kh, kw, c/2, c%2)
			}
		}
		return sum
	}
	compare(t, b.run(t, x), []int{2, 3, 3, 6}, func(i []int) float64 { return depth(k, i[0], i[1], i[2], i[3]) + at(bias, i[3]) })

	b = sequential(t, layer("separableConv2d", cfg{"filters": 4.0, "kernelSize": 3.0, "depthMultiplier": 2.0, "inputShape": list(5, 5, 3)}))
	k, p, bias := b.weight(t, "separable_conv2d/depthwise_kernel"), b.weight(t, "separable_conv2d/pointwise_kernel"), b.weight(t, "separable_conv2d/bias")
	compare(t, b.run(t, x), []int{2, 3, 3, 4}, func(i []int) float64 {
		sum := at(bias, i[3])
		for c := range 6 {
			sum += depth(k, i[0], i[1], i[2], c) * at(p, 0, 0, c, i[3])
		}
		return sum
	})
}

// Flatten runs through height, width, channels, whatever comes between it and what reads it.
func TestFlattenOrder(t *testing.T) {
	x := input(2, 4, 6, 3)
	flat := func(i []int) float64 { c := i[1]; return at(x, i[0], c/18, c/3%6, c%3) }
	pooled := layer("maxPooling2d", cfg{"poolSize": 1.0, "inputShape": list(4, 6, 3)})
	compare(t, sequential(t, layer("flatten", cfg{"inputShape": list(4, 6, 3)})).run(t, x), []int{2, 72}, flat)
	compare(t, sequential(t, pooled, layer("flatten", nil)).run(t, x), []int{2, 72}, flat)
	for _, between := range []seq{{}, {layer("dropout", cfg{"rate": 0.5})}, {layer("activation", cfg{"activation": "linear"})}} {
		b := sequential(t, append(append(seq{pooled, layer("flatten", nil)}, between...), layer("dense", cfg{"units": 5.0}))...)
		k, bias := b.weight(t, "dense/kernel"), b.weight(t, "dense/bias")
		compare(t, b.run(t, x), []int{2, 5}, func(i []int) float64 {
			sum := at(bias, i[1])
			for c := range 72 {
				sum += flat([]int{i[0], c}) * at(k, c, i[1])
			}
			return sum
		})
		for _, n := range b.g.Nodes { // the only transposition is that of the input
			if n.Def.Name == "Transpose" && n.Inputs[0].Origin != graph.FromInput {
				t.Error("the features are transposed")
			}
		}
	}
	// Through what does not know the order.
	m, err := keras.Functional("two", seq{
		{Kind: "inputLayer", Name: "x", Config: cfg{"shape": list(4, 6, 3)}}, {Kind: "maxPooling2d", Name: "p", Config: cfg{"poolSize": 1.0}, Inbound: [][]keras.Ref{{{Layer: "x"}}}},
		{Kind: "flatten", Name: "f", Inbound: [][]keras.Ref{{{Layer: "p"}}}}, {Kind: "concatenate", Name: "c", Inbound: [][]keras.Ref{{{Layer: "f"}, {Layer: "f"}}}},
	}, nil, []keras.Ref{{Layer: "c"}})
	compare(t, build(t, m, err).run(t, x), []int{2, 144}, func(i []int) float64 { return flat([]int{i[0], i[1] % 72}) })
	compare(t, sequential(t, pooled, layer("flatten", nil), layer("reshape", cfg{"targetShape": list(24, -1)})).run(t, x), []int{2, 24, 3}, func(i []int) float64 { return flat([]int{i[0], i[1]*3 + i[2]}) })
	compare(t, sequential(t, pooled, layer("permute", cfg{"dims": list(3, 1, 2)})).run(t, x), []int{2, 3, 4, 6}, func(i []int) float64 { return at(x, i[0], i[2], i[3], i[1]) })
}

func TestShapes(t *testing.T) {
	x := input(2, 4, 6, 3)
	in := func(kind string, c cfg) keras.Spec {
		c["inputShape"] = list(4, 6, 3)
		return layer(kind, c)
	}
	compare(t, sequential(t, in("zeroPadding2d", cfg{"padding": []any{list(1, 0), list(2, 1)}})).run(t, x), []int{2, 5, 9, 3}, func(i []int) float64 { return at(x, i[0], i[1]-1, i[2]-2, i[3]) })
	compare(t, sequential(t, in("upSampling2d", cfg{"size": list(2, 3)})).run(t, x), []int{2, 8, 18, 3}, func(i []int) float64 { return at(x, i[0], i[1]/2, i[2]/3, i[3]) })
	compare(t, sequential(t, in("globalAveragePooling2d", cfg{})).run(t, x), []int{2, 3}, func(i []int) float64 {
		sum := 0.0
		for p := range 24 {
			sum += at(x, i[0], p/6, p%6, i[1])
		}
		return sum / 24
	})
	compare(t, sequential(t, in("averagePooling2d", cfg{"poolSize": 3.0, "strides": 2.0, "padding": "same"})).run(t, x), []int{2, 2, 3, 3}, func(i []int) float64 {
		sum, n := 0.0, 0.0
		for kh := range 3 {
			for kw := range 3 {
				if y, z := i[1]*2+kh, i[2]*2+kw; y < 4 && z < 6 {
					sum, n = sum+at(x, i[0], y, z, i[3]), n+1
				}
			}
		}
		return sum / n
	})
	compare(t, sequential(t, in("rescaling", cfg{"scale": 2.0, "offset": -1.0})).run(t, x), []int{2, 4, 6, 3}, func(i []int) float64 { return 2*at(x, i...) - 1 })
	b := sequential(t, in("batchNormalization", cfg{}))
	mean, beta := b.weight(t, "batch_normalization/moving_mean"), b.weight(t, "batch_normalization/beta")
	compare(t, b.run(t, x), []int{2, 4, 6, 3}, func(i []int) float64 {
		return (at(x, i...)-at(mean, i[3]))/math.Sqrt(1+1e-3) + at(beta, i[3])
	})
	compare(t, sequential(t, in("maxPooling2d", cfg{"poolSize": 1.0}), layer("softmax", nil)).run(t, x), []int{2, 4, 6, 3}, func(i []int) float64 {
		sum := 0.0
		for c := range 3 {
			sum += math.Exp(at(x, i[0], i[1], i[2], c))
		}
		return math.Exp(at(x, i...)) / sum
	})
	e := sequential(t, layer("embedding", cfg{"inputDim": 5.0, "outputDim": 2.0, "inputLength": 3.0}))
	table := e.weight(t, "embedding/embeddings")
	ids := tensor.From([]int32{4, 0, 2}, 1, 3)
	compare(t, e.run(t, ids), []int{1, 3, 2}, func(i []int) float64 { return at(table, int(tensor.Data[int32](ids)[i[1]]), i[2]) })
	s := input(2, 7, 4)
	c := sequential(t, layer("conv1d", cfg{"filters": 3.0, "kernelSize": 2.0, "inputShape": list(7, 4)}))
	k, bias := c.weight(t, "conv1d/kernel"), c.weight(t, "conv1d/bias")
	compare(t, c.run(t, s), []int{2, 6, 3}, func(i []int) float64 {
		sum := at(bias, i[2])
		for p := range 2 {
			for ch := range 4 {
				sum += at(s, i[0], i[1]+p, ch) * at(k, p, ch, i[2])
			}
		}
		return sum
	})
	d := sequential(t, layer("dense", cfg{"units": 3.0, "inputShape": list(7, 4)}))
	k, bias = d.weight(t, "dense/kernel"), d.weight(t, "dense/bias")
	compare(t, d.run(t, s), []int{2, 7, 3}, func(i []int) float64 {
		sum := at(bias, i[2])
		for ch := range 4 {
			sum += at(s, i[0], i[1], ch) * at(k, ch, i[2])
		}
		return sum
	})
}

// Weights go out and come back unchanged, in Keras's order.
func TestWeights(t *testing.T) {
	b := sequential(t, layer("conv2d", cfg{"filters": 4.0, "kernelSize": list(2, 3), "inputShape": list(5, 6, 2)}), layer("depthwiseConv2d", cfg{"kernelSize": 2.0, "depthMultiplier": 3.0}),
		layer("flatten", nil), layer("dense", cfg{"units": 3.0}))
	for _, w := range b.m.Weights() {
		v := input(w.Shape...)
		if err := w.Set(b.store, v); err != nil {
			t.Fatal(err)
		}
		got, err := w.Get(b.store)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range v.Float32s() {
			if got.Float32s()[i] != x {
				t.Fatalf("%s: element %d is %v, want %v", w.Name, i, got.Float32s()[i], x)
			}
		}
		if err := w.Set(b.store, input(1)); err == nil {
			t.Errorf("%s takes another shape", w.Name)
		}
	}
}

func TestSharedLayer(t *testing.T) {
	m, err := keras.Functional("siamese", seq{
		{Kind: "inputLayer", Name: "a", Config: cfg{"shape": list(3)}}, {Kind: "inputLayer", Name: "b", Config: cfg{"shape": list(3)}},
		{Kind: "dense", Name: "d", Config: cfg{"units": 2.0}, Inbound: [][]keras.Ref{{{Layer: "a"}}, {{Layer: "b"}}}},
		{Kind: "subtract", Name: "s", Inbound: [][]keras.Ref{{{Layer: "d"}, {Layer: "d", Call: 1}}}},
	}, nil, []keras.Ref{{Layer: "s"}})
	b := build(t, m, err)
	if len(m.Weights()) != 2 {
		t.Errorf("%d weights", len(m.Weights()))
	}
	x := input(2, 3)
	compare(t, b.run(t, x, x), []int{2, 2}, func([]int) float64 { return 0 })
}

func TestMistakes(t *testing.T) {
	for name, c := range map[string]struct {
		layers seq
		want   string
	}{
		"no shape":      {seq{layer("dense", cfg{"units": 2.0})}, "inputShape"},
		"no units":      {seq{layer("dense", cfg{"inputShape": list(3)})}, "units"},
		"half a unit":   {seq{layer("dense", cfg{"units": 1.5, "inputShape": list(3)})}, "units"},
		"unknown kind":  {seq{layer("convLSTM2d", cfg{})}, "convLSTM2d"},
		"activation":    {seq{layer("dense", cfg{"units": 2.0, "inputShape": list(3), "activation": "foo"})}, "foo"},
		"too large":     {seq{layer("conv2d", cfg{"filters": 2.0, "kernelSize": 9.0, "inputShape": list(5, 5, 1)})}, "conv2d"},
		"rank":          {seq{layer("conv2d", cfg{"filters": 2.0, "kernelSize": 2.0, "inputShape": list(5)})}, "4 dimensions"},
		"padding":       {seq{layer("maxPooling2d", cfg{"padding": "full", "inputShape": list(5, 5, 1)})}, "padding"},
		"regularizer":   {seq{layer("dense", cfg{"units": 2.0, "inputShape": list(3), "kernelRegularizer": "l2"})}, "kernelRegularizer"},
		"same name":     {seq{{Kind: "flatten", Name: "x", Config: cfg{"inputShape": list(3)}}, {Kind: "flatten", Name: "x"}}, "two layers"},
		"reshape":       {seq{layer("reshape", cfg{"targetShape": list(4), "inputShape": list(3)})}, "cannot become"},
		"no layers":     {nil, "no layers"},
		"initializer":   {seq{layer("dense", cfg{"units": 2.0, "inputShape": list(3), "kernelInitializer": "foo"})}, "initializer"},
		"dropout":       {seq{layer("dropout", cfg{"rate": 1.0, "inputShape": list(3)})}, "rate"},
		"sequences":     {seq{layer("lstm", cfg{"units": 2.0, "inputShape": list(3)})}, "sequences"},
		"states":        {seq{layer("gru", cfg{"units": 2.0, "inputShape": list(3, 2), "returnState": true})}, "returnState"},
		"gates":         {seq{layer("gru", cfg{"units": 2.0, "inputShape": list(3, 2), "recurrentActivation": "softmax"})}, "recurrentActivation"},
		"both ways":     {seq{layer("bidirectional", cfg{"inputShape": list(3, 2), "layer": map[string]any{"kind": "dense"}})}, "recurrent layer"},
		"wrapper":       {seq{layer("timeDistributed", cfg{"inputShape": list(3, 2)})}, "layer"},
		"negative size": {seq{layer("dense", cfg{"units": 2.0, "inputShape": list(-5)})}, "inputShape"},
	} {
		m, err := keras.Sequential("m", c.layers)
		if err == nil {
			net, e := m.Network()
			if e == nil {
				func() {
					defer tensor.Catch(&err)
					net.Inference(nn.Options{})
				}()
			} else {
				err = e
			}
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
