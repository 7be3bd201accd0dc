package keras_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/tensor"
)

// attend is Keras's MultiHeadAttention by its weights [features, heads, size], for sample n and query position i.
func attend(t *testing.T, b *built, name string, q, k, v *tensor.Tensor, n, i int, causal bool) []float64 {
	t.Helper()
	wq, wk, wv, wo := b.weight(t, name+"/query/kernel"), b.weight(t, name+"/key/kernel"), b.weight(t, name+"/value/kernel"), b.weight(t, name+"/attention_output/kernel")
	bq, bk, bv, bo := b.weight(t, name+"/query/bias"), b.weight(t, name+"/key/bias"), b.weight(t, name+"/value/bias"), b.weight(t, name+"/attention_output/bias")
	heads, size, valueSize := wq.Shape()[1], wq.Shape()[2], wv.Shape()[2]
	project := func(x, w, b *tensor.Tensor, pos, h, e int) float64 {
		s := at(b, h, e)
		for f := range x.Shape()[2] {
			s += at(x, n, pos, f) * at(w, f, h, e)
		}
		return s
	}
	out := make([]float64, wo.Shape()[2])
	for o := range out {
		out[o] = at(bo, o)
	}
	for h := range heads {
		p, sum := make([]float64, k.Shape()[1]), 0.0
		for j := range p {
			if causal && j > i {
				continue
			}
			for e := range size {
				p[j] += project(q, wq, bq, i, h, e) * project(k, wk, bk, j, h, e)
			}
			p[j] = math.Exp(p[j] / math.Sqrt(float64(size)))
			sum += p[j]
		}
		for j := range p {
			for e := range valueSize {
				y := p[j] / sum * project(v, wv, bv, j, h, e)
				for o := range out {
					out[o] += y * at(wo, h, e, o)
				}
			}
		}
	}
	return out
}

func TestMultiHeadAttention(t *testing.T) {
	b := sequential(t, layer("multiHeadAttention", cfg{"numHeads": 2.0, "keyDim": 3.0, "useCausalMask": true, "inputShape": list(4, 5)}))
	if w := b.weight(t, "multi_head_attention/query/kernel"); !tensor.SameShape(w.Shape(), []int{5, 2, 3}) {
		t.Errorf("the query's kernel is %v", w.Shape())
	}
	x := input(2, 4, 5)
	y := b.run(t, x)
	compare(t, y, []int{2, 4, 5}, func(idx []int) float64 {
		return attend(t, b, "multi_head_attention", x, x, x, idx[0], idx[1], true)[idx[2]]
	})

	m, err := keras.Functional("cross", seq{
		{Kind: "inputLayer", Name: "q", Config: cfg{"shape": list(3, 5)}},
		{Kind: "inputLayer", Name: "v", Config: cfg{"shape": list(6, 4)}},
		{Kind: "multiHeadAttention", Name: "a", Config: cfg{"numHeads": 2.0, "keyDim": 3.0, "valueDim": 2.0, "outputShape": 7.0}, Inbound: [][]keras.Ref{{{Layer: "q"}, {Layer: "v"}}}},
	}, nil, []keras.Ref{{Layer: "a"}})
	b = build(t, m, err)
	q, v := input(2, 3, 5), input(2, 6, 4)
	compare(t, b.run(t, q, v), []int{2, 3, 7}, func(idx []int) float64 {
		return attend(t, b, "a", q, v, v, idx[0], idx[1], false)[idx[2]]
	})
}

// TestTransformerBlock composes an encoder block as Keras's examples do, and checks its shape and its number of parameters, which they print.
func TestTransformerBlock(t *testing.T) {
	ref := func(names ...string) [][]keras.Ref {
		var r []keras.Ref
		for _, n := range names {
			r = append(r, keras.Ref{Layer: n})
		}
		return [][]keras.Ref{r}
	}
	m, err := keras.Functional("block", seq{
		{Kind: "inputLayer", Name: "tokens", Config: cfg{"shape": list(20), "dtype": "int32"}},
		{Kind: "embedding", Name: "e", Config: cfg{"inputDim": 100.0, "outputDim": 32.0}, Inbound: ref("tokens")},
		{Kind: "positionEmbedding", Name: "p", Config: cfg{"sequenceLength": 24.0}, Inbound: ref("e")},
		{Kind: "add", Name: "x", Inbound: ref("e", "p")},
		{Kind: "multiHeadAttention", Name: "a", Config: cfg{"numHeads": 2.0, "keyDim": 32.0, "dropout": 0.1}, Inbound: ref("x", "x")},
		{Kind: "add", Name: "s1", Inbound: ref("x", "a")},
		{Kind: "layerNormalization", Name: "n1", Config: cfg{"epsilon": 1e-6}, Inbound: ref("s1")},
		{Kind: "dense", Name: "f1", Config: cfg{"units": 32.0, "activation": "relu"}, Inbound: ref("n1")},
		{Kind: "dense", Name: "f2", Config: cfg{"units": 32.0}, Inbound: ref("f1")},
		{Kind: "add", Name: "s2", Inbound: ref("n1", "f2")},
		{Kind: "rmsNormalization", Name: "n2", Inbound: ref("s2")},
		{Kind: "globalAveragePooling1d", Name: "g", Inbound: ref("n2")},
		{Kind: "dense", Name: "out", Config: cfg{"units": 2.0, "activation": "softmax"}, Inbound: ref("g")},
	}, nil, []keras.Ref{{Layer: "out"}})
	b := build(t, m, err)
	params := map[string]int{}
	for _, i := range m.Layers() {
		params[i.Name] = i.Params
	}
	if params["a"] != 8416 || params["n1"] != 64 || params["p"] != 24*32 || params["n2"] != 32 {
		t.Errorf("numbers of parameters: %v", params)
	}
	tokens := tensor.New(tensor.Int32, 3, 20)
	for i := range 60 {
		tensor.Data[int32](tokens)[i] = int32(i * 7 % 100)
	}
	y := b.run(t, tokens)
	if !tensor.SameShape(y.Shape(), []int{3, 2}) {
		t.Fatalf("the result is %v", y.Shape())
	}
	for i := range 3 {
		if s := at(y, i, 0) + at(y, i, 1); math.Abs(s-1) > 1e-6 {
			t.Errorf("probabilities of sample %d add up to %v", i, s)
		}
	}
}

func TestGroupAndRMSNormalization(t *testing.T) {
	for _, shape := range [][]int{{2, 6}, {2, 5, 6}, {2, 3, 4, 6}} {
		var sample []any
		for _, d := range shape[1:] {
			sample = append(sample, float64(d))
		}
		b := sequential(t, layer("groupNormalization", cfg{"groups": 3.0, "epsilon": 0.01, "inputShape": sample}))
		x := input(shape...)
		beta := b.weight(t, "group_normalization/beta")
		compare(t, b.run(t, x), shape, func(idx []int) float64 {
			c := idx[len(idx)-1]
			var v []float64
			other := append([]int{}, idx...)
			var visit func(d int)
			visit = func(d int) {
				if d == len(shape)-1 {
					for k := c / 2 * 2; k < c/2*2+2; k++ {
						other[d] = k
						v = append(v, at(x, other...))
					}
					return
				}
				for i := range shape[d] {
					other[d] = i
					visit(d + 1)
				}
			}
			visit(1)
			mean, variance := 0.0, 0.0
			for _, e := range v {
				mean += e / float64(len(v))
			}
			for _, e := range v {
				variance += (e - mean) * (e - mean) / float64(len(v))
			}
			return (at(x, idx...)-mean)/math.Sqrt(variance+0.01) + at(beta, c)
		})
	}
	b := sequential(t, layer("rmsNormalization", cfg{"inputShape": list(3, 4)}))
	x := input(2, 3, 4)
	compare(t, b.run(t, x), []int{2, 3, 4}, func(idx []int) float64 {
		sq := 0.0
		for f := range 4 {
			sq += at(x, idx[0], idx[1], f) * at(x, idx[0], idx[1], f) / 4
		}
		return at(x, idx...) / math.Sqrt(sq+1e-6)
	})
}

func TestSinePositionEncoding(t *testing.T) {
	b := sequential(t, layer("sinePositionEncoding", cfg{"inputShape": list(3, 4)}))
	compare(t, b.run(t, input(2, 3, 4)), []int{2, 3, 4}, func(idx []int) float64 {
		a := float64(idx[1]) / math.Pow(10000, float64(idx[2]/2*2)/4)
		if idx[2]%2 == 0 {
			return math.Sin(a)
		}
		return math.Cos(a)
	})
}
