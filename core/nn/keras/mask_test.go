package keras_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/internal/golden"
)

// The ids of testdata/mask.py: all steps, padding behind, holes, padding in front, nothing but padding.
var maskIDs = []int32{3, 1, 4, 2, 5, 2, 5, 1, 0, 0, 1, 0, 3, 0, 2, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0}

// maskTensor is tensor(seed, scale, shape) of testdata/mask.py.
func maskTensor(seed uint32, scale float64, shape ...int) *tensor.Tensor {
	return golden.Tensor(tensor.Float32, seed, shape, func(u float64) float64 { return (u*2 - 1) * scale })
}

func near(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d elements, want %d", what, len(got), len(want))
		return
	}
	for i, v := range got {
		if !(math.Abs(float64(v)-want[i]) <= 2e-6*max(1, math.Abs(want[i]))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, v, want[i])
			return
		}
	}
}

// Masked models give PyTorch's results, losses and gradients, in the training program and, interpreted and compiled, in that for predictions.
func TestMaskGoldens(t *testing.T) {
	var goldens []struct {
		Name  string
		Y     []float64
		Loss  float64
		Grads [][]float64
	}
	golden.Read(t, "mask", &goldens)
	emb := layer("embedding", cfg{"inputDim": 6.0, "outputDim": 4.0, "inputLength": 5.0, "maskZero": true})
	rnn := func(kind string, more cfg) keras.Spec {
		c := cfg{"units": 3.0}
		for k, v := range more {
			c[k] = v
		}
		return layer(kind, c)
	}
	seqs := cfg{"returnSequences": true}
	att := func() *keras.Model {
		in := func(names ...string) [][]keras.Ref {
			var r []keras.Ref
			for _, n := range names {
				r = append(r, keras.Ref{Layer: n})
			}
			return [][]keras.Ref{r}
		}
		m, err := keras.Functional("attention", seq{
			{Kind: "inputLayer", Name: "ids", Config: cfg{"shape": list(5), "dtype": "int32"}},
			{Kind: "embedding", Name: "e", Config: emb.Config, Inbound: in("ids")},
			{Kind: "multiHeadAttention", Name: "a", Config: cfg{"numHeads": 2.0, "keyDim": 3.0}, Inbound: in("e")},
			{Kind: "add", Name: "s", Inbound: in("e", "a")},
			{Kind: "layerNormalization", Name: "n", Inbound: in("s")},
			{Kind: "globalAveragePooling1d", Name: "p", Inbound: in("n")},
			{Kind: "dense", Name: "d", Config: cfg{"units": 2.0}, Inbound: in("p")},
		}, nil, []keras.Ref{{Layer: "d"}})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for number, c := range []struct {
		layers seq
		loss   string
		target []int
	}{
		{seq{emb, rnn("lstm", seqs), layer("dense", cfg{"units": 3.0, "activation": "softmax"})}, loss.SparseCategorical, []int{5, 5}},
		{seq{emb, rnn("gru", nil), layer("dense", cfg{"units": 2.0})}, loss.SquaredError, []int{5, 2}},
		{seq{emb, layer("bidirectional", cfg{"layer": map[string]any{"kind": "simpleRNN", "config": map[string]any{"units": 3.0, "returnSequences": true}}}),
			layer("globalAveragePooling1d", nil), layer("dense", cfg{"units": 2.0})}, loss.SquaredError, []int{5, 2}},
		{seq{emb, rnn("lstm", seqs), layer("dropout", cfg{"rate": 0.0}), rnn("gru", cfg{"returnSequences": true, "goBackwards": true})}, loss.AbsoluteError, []int{5, 5, 3}},
		{nil, loss.SquaredError, []int{5, 2}},
		{seq{emb, layer("batchNormalization", nil), layer("dense", cfg{"units": 2.0})}, loss.SquaredError, []int{5, 5, 2}},
	} {
		gold := goldens[number]
		t.Run(gold.Name, func(t *testing.T) {
			var m *keras.Model
			if c.layers == nil {
				m = att()
			} else {
				var err error
				if m, err = keras.Sequential("m", c.layers); err != nil {
					t.Fatal(err)
				}
			}
			net, err := m.Network()
			if err != nil {
				t.Fatal(err)
			}
			g := net.Inference(nn.Options{})
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			seed := uint32(32 * number)
			var before []*tensor.Tensor
			for i, w := range m.Weights() {
				v := maskTensor(seed+uint32(i), 0.8, w.Shape...)
				if err := w.Set(store, v); err != nil {
					t.Fatal(err)
				}
				before = append(before, v)
			}
			ids := tensor.From(maskIDs, 5, 5)
			target := maskTensor(seed+31, 1.5, c.target...)
			metrics := []string{train.MetricMSE}
			if c.loss == loss.SparseCategorical {
				labels := tensor.New(tensor.Int64, c.target...)
				for i, v := range target.Float32s() {
					labels.Int64s()[i] = int64((float64(v) + 1.5) / 3 * 2.999)
				}
				target, metrics = labels, []string{train.MetricAccuracy, train.MetricConfusion}
			}
			rt := compile.NewRuntime(compile.RuntimeOptions{})
			defer rt.Close()
			obj := []train.Objective{{Loss: loss.Spec{Name: c.loss}, Metrics: metrics}}
			if gold.Name != "statistics" { // which predicts with the moving ones
				out, err := graph.Eval(g, store, []*tensor.Tensor{ids}, nil)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "interpreted", out[0].Float32s(), gold.Y)
				p, err := compile.Compile(rt, g, store, compile.Options{})
				if err != nil {
					t.Fatal(err)
				}
				if out, err = p.Run(ids); err != nil {
					t.Fatal(err)
				}
				near(t, "compiled", out[0].Float32s(), gold.Y)
				p.Close()
				file, err := onnx.Encode(g, store, onnx.EncodeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				saved, err := onnx.Decode(file, onnx.DecodeOptions{Operators: op.Core})
				if err != nil {
					t.Fatal(err)
				}
				again := graph.NewStore()
				if err := again.Init(saved); err != nil {
					t.Fatal(err)
				}
				if out, err = graph.Eval(saved, again, []*tensor.Tensor{ids}, nil); err != nil {
					t.Fatal(err)
				}
				near(t, "saved and loaded", out[0].Float32s(), gold.Y)
				e, err := train.NewEvaluator(rt, net, obj, store, 0)
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Add([]*tensor.Tensor{ids}, []*tensor.Tensor{target}, nil); err != nil {
					t.Fatal(err)
				}
				logs := e.Logs(nil)
				near(t, "loss of the evaluation", []float32{float32(logs[0].Value)}, []float64{gold.Loss})
				if len(metrics) > 1 { // of the 13 steps that count
					right, n := 0, 0
					for i, id := range maskIDs {
						if id == 0 {
							continue
						}
						best := 0
						for k := range 3 {
							if gold.Y[3*i+k] > gold.Y[3*i+best] {
								best = k
							}
						}
						if n++; int64(best) == target.Int64s()[i] {
							right++
						}
					}
					near(t, "accuracy", []float32{float32(logs[1].Value)}, []float64{float64(right) / float64(n)})
				}
				e.Close()
			}
			tr, err := train.NewTrainer(rt, train.Setup{Net: net, Objectives: obj, Optimizer: optim.SGD{}, LearningRate: 1, Store: store})
			if err != nil {
				t.Fatal(err)
			}
			defer tr.Close()
			r, err := tr.StepOn([]*tensor.Tensor{ids}, []*tensor.Tensor{target})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "loss", []float32{r.Loss}, []float64{gold.Loss})
			near(t, "result", r.Outputs[0].Float32s(), gold.Y)
			for i, w := range m.Weights() {
				if gold.Grads[i] == nil {
					continue
				}
				after, err := w.Get(store)
				if err != nil {
					t.Fatal(err)
				}
				grad := make([]float32, after.Len())
				for k, v := range after.Float32s() {
					grad[k] = before[i].Float32s()[k] - v
				}
				near(t, "gradient of "+w.Name, grad, gold.Grads[i])
			}
			if gold.Name == "statistics" {
				checkMoving(t, m, store, before)
			}
		})
	}
}

// checkMoving checks the moving statistics after a step: those of the batch are over the embeddings of the ids that are not 0.
func checkMoving(t *testing.T, m *keras.Model, store *graph.Store, before []*tensor.Tensor) {
	mean, variance := make([]float64, 4), make([]float64, 4)
	n := 0.0
	for _, id := range maskIDs {
		if id != 0 {
			n++
			for k := range mean {
				mean[k] += at(before[0], int(id), k)
			}
		}
	}
	for k := range mean {
		mean[k] /= n
		for _, id := range maskIDs {
			if id != 0 {
				d := at(before[0], int(id), k) - mean[k]
				variance[k] += d * d / n
			}
		}
	}
	for i, w := range m.Weights()[3:5] {
		got, err := w.Get(store)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, 4)
		for k := range want {
			want[k] = 0.99*at(before[3+i], k) + 0.01*[][]float64{mean, variance}[i][k]
		}
		near(t, w.Name, got.Float32s(), want)
	}
}

// Every recurrent layer keeps its state over masked steps, wherever they stand.
func TestMaskedRecurrent(t *testing.T) {
	const units = 3
	x := input(5, 5, 4)
	for i, id := range maskIDs {
		if id == 0 {
			clear(x.Float32s()[4*i : 4*i+4])
		}
	}
	for _, kind := range []string{"simpleRNN", "gru", "lstm"} {
		for _, back := range []bool{false, true} {
			for _, zero := range []bool{false, true} {
				l := layer(kind, cfg{"units": float64(units), "returnSequences": true, "goBackwards": back, "zeroOutputForMask": zero})
				b := sequential(t, layer("masking", cfg{"inputShape": list(5, 4)}), l)
				name := strings.Replace(kind, "RNN", "_rnn", 1)
				k, r, bias := b.weight(t, name+"/kernel"), b.weight(t, name+"/recurrent_kernel"), b.weight(t, name+"/bias")
				y := b.run(t, x)
				for n := range 5 {
					var steps []int
					for t := range 5 {
						if maskIDs[5*n+t] != 0 {
							steps = append(steps, t)
						}
					}
					short := tensor.New(tensor.Float32, 1, len(steps), 4)
					for i, s := range steps {
						copy(short.Float32s()[4*i:], x.Float32s()[(5*n+s)*4:][:4])
					}
					states := kerasRNN(kind, short, k, r, bias, true, back)[0]
					done := 0
					for s := range 5 {
						t0 := s
						if back {
							t0 = 4 - s
						}
						want := make([]float64, units)
						on := maskIDs[5*n+t0] != 0
						if on {
							done++
						}
						if done > 0 && (on || !zero) {
							want = states[done-1]
						}
						near(t, kind, y.Float32s()[(5*n+s)*units:][:units], want)
					}
				}
				if t.Failed() {
					t.Fatal(kind, back, zero)
				}
			}
		}
	}
}

// Where masks go: a layer's output weighs in the loss only where its mask says so, if it has one.
func TestMaskFlow(t *testing.T) {
	e := keras.Spec{Kind: "embedding", Name: "e", Config: cfg{"inputDim": 6.0, "outputDim": 4.0, "maskZero": true}, Inbound: [][]keras.Ref{{{Layer: "ids"}}}}
	plain := keras.Spec{Kind: "embedding", Name: "u", Config: cfg{"inputDim": 6.0, "outputDim": 4.0}, Inbound: [][]keras.Ref{{{Layer: "ids"}}}}
	two := keras.Spec{Kind: "embedding", Name: "f", Config: cfg{"inputDim": 6.0, "outputDim": 4.0, "maskZero": true}, Inbound: [][]keras.Ref{{{Layer: "more"}}}}
	dense := map[string]any{"kind": "dense", "config": map[string]any{"units": 2.0}}
	for _, c := range []struct {
		kind string
		conf cfg
		in   []string
		want string // which steps count of ids 1 0 2 0 and more 0 0 3 4; "" for no mask
	}{
		{"dense", cfg{"units": 2.0}, []string{"e"}, "1010"},
		{"dropout", cfg{"rate": 0.5}, []string{"e"}, "1010"},
		{"activation", cfg{"activation": "relu"}, []string{"e"}, "1010"},
		{"softmax", nil, []string{"e"}, "1010"},
		{"batchNormalization", nil, []string{"e"}, "1010"},
		{"layerNormalization", nil, []string{"e"}, "1010"},
		{"rmsNormalization", nil, []string{"e"}, "1010"},
		{"timeDistributed", cfg{"layer": dense}, []string{"e"}, "1010"},
		{"lstm", cfg{"units": 2.0, "returnSequences": true}, []string{"e"}, "1010"},
		{"lstm", cfg{"units": 2.0}, []string{"e"}, ""},
		{"multiHeadAttention", cfg{"numHeads": 1.0, "keyDim": 2.0}, []string{"e", "f"}, "1010"},
		{"multiHeadAttention", cfg{"numHeads": 1.0, "keyDim": 2.0}, []string{"u", "f"}, ""},
		{"add", nil, []string{"e", "f"}, "1011"},
		{"add", nil, []string{"e", "u"}, ""},
		{"maximum", nil, []string{"e", "f"}, "1011"},
		{"concatenate", nil, []string{"e", "f"}, "1011"},
		{"concatenate", cfg{"axis": 1.0}, []string{"e", "f"}, "10100011"},
		{"concatenate", cfg{"axis": 1.0}, []string{"u", "f"}, "11110011"},
		{"conv1d", cfg{"filters": 2.0, "kernelSize": 1.0}, []string{"e"}, ""},
		{"globalAveragePooling1d", nil, []string{"e"}, ""},
		{"globalMaxPooling1d", nil, []string{"e"}, ""},
		{"flatten", nil, []string{"e"}, ""},
		{"reshape", cfg{"targetShape": list(4, 4)}, []string{"e"}, ""},
		{"permute", cfg{"dims": list(1, 2)}, []string{"e"}, ""},
	} {
		var in []keras.Ref
		for _, n := range c.in {
			in = append(in, keras.Ref{Layer: n})
		}
		m, err := keras.Functional("m", seq{{Kind: "inputLayer", Name: "ids", Config: cfg{"shape": list(4), "dtype": "int32"}}, {Kind: "inputLayer", Name: "more", Config: cfg{"shape": list(4), "dtype": "int32"}},
			e, plain, two, {Kind: c.kind, Name: "l", Config: c.conf, Inbound: [][]keras.Ref{in}}}, nil, []keras.Ref{{Layer: "l"}})
		if err != nil {
			t.Fatal(err)
		}
		net, err := m.Network()
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer tensor.Catch(&err)
			g := graph.New()
			ctx := nn.NewContext(g, nn.Options{})
			out := net.Apply(ctx, []*graph.Value{g.Input("ids", tensor.Int32, 1, 4), g.Input("more", tensor.Int32, 1, 4)})
			mask := ctx.Mask(out[0])
			if mask == nil {
				if c.want != "" {
					t.Errorf("%s of %v: no mask, want %s", c.kind, c.in, c.want)
				}
				return
			}
			g.Output(mask)
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			res, err := graph.Eval(g, store, []*tensor.Tensor{tensor.From([]int32{1, 0, 2, 0}, 1, 4), tensor.From([]int32{0, 0, 3, 4}, 1, 4)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for _, b := range res[0].Bytes() {
				got.WriteByte('0' + b)
			}
			if got.String() != c.want || len(res[0].Shape()) != 2 {
				t.Errorf("%s of %v: mask %s %v, want %q", c.kind, c.in, got.String(), res[0].Shape(), c.want)
			}
		}()
		if err != nil {
			t.Errorf("%s of %v: %v", c.kind, c.in, err)
		}
	}
}

// maximum, minimum and multiply leave masked inputs out; where all are masked multiply gives zeros.
func TestMaskedMerges(t *testing.T) {
	for _, c := range []struct {
		kind string
		want []float64
	}{{"maximum", []float64{5, 2, 7, math.NaN()}}, {"minimum", []float64{3, 2, 7, math.NaN()}}, {"multiply", []float64{15, 2, 7, 0}}} {
		in := func(n string) [][]keras.Ref { return [][]keras.Ref{{{Layer: n}}} }
		m, err := keras.Functional("m", seq{{Kind: "inputLayer", Name: "a", Config: cfg{"shape": list(4, 1)}}, {Kind: "inputLayer", Name: "b", Config: cfg{"shape": list(4, 1)}},
			{Kind: "masking", Name: "ma", Inbound: in("a")}, {Kind: "masking", Name: "mb", Config: cfg{"maskValue": -1.0}, Inbound: in("b")},
			{Kind: c.kind, Name: "l", Inbound: [][]keras.Ref{{{Layer: "ma"}, {Layer: "mb"}}}}}, nil, []keras.Ref{{Layer: "l"}})
		y := build(t, m, err).run(t, tensor.From([]float32{5, 2, 0, 0}, 1, 4, 1), tensor.From([]float32{3, -1, 7, -1}, 1, 4, 1))
		for i, w := range c.want {
			if v := float64(y.Float32s()[i]); !math.IsNaN(w) && v != w {
				t.Errorf("%s: element %d is %v, want %v", c.kind, i, v, w)
			}
		}
	}
}

// The masked loss is the loss of the positions that count, whatever the loss; two outputs may have one mask.
func TestMaskedLosses(t *testing.T) {
	r := func(name string, from ...string) keras.Spec {
		var in []keras.Ref
		for _, f := range from {
			in = append(in, keras.Ref{Layer: f})
		}
		return keras.Spec{Kind: name, Name: name, Inbound: [][]keras.Ref{in}}
	}
	model := func(steps float64, mask float64) train.Network {
		a, b, m := r("softmax", "masking"), r("activation", "masking"), r("masking", "x")
		m.Config = cfg{"maskValue": mask}
		b.Config = cfg{"activation": "sigmoid"}
		k, err := keras.Functional("m", seq{{Kind: "inputLayer", Name: "x", Config: cfg{"shape": list(steps, 3)}}, m, a, b}, nil, []keras.Ref{{Layer: "softmax"}, {Layer: "activation"}})
		if err != nil {
			t.Fatal(err)
		}
		n, err := k.Network()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	x := input(2, 4, 3)
	counts := []bool{true, false, true, true, false, false, true, false}
	short := tensor.New(tensor.Float32, 1, 4, 3)
	labels, shortLabels := tensor.New(tensor.Int64, 2, 4), tensor.New(tensor.Int64, 1, 4)
	soft, shortSoft := tensor.New(tensor.Float32, 2, 4, 3), tensor.New(tensor.Float32, 1, 4, 3)
	n := 0
	for i, on := range counts {
		for k := range 3 {
			soft.Float32s()[3*i+k] = []float32{0.2, 0.7, 0.1}[(k+i)%3]
		}
		labels.Int64s()[i] = int64(i % 3)
		if !on {
			clear(x.Float32s()[3*i:][:3])
			continue
		}
		copy(short.Float32s()[3*n:], x.Float32s()[3*i:][:3])
		copy(shortSoft.Float32s()[3*n:], soft.Float32s()[3*i:][:3])
		shortLabels.Int64s()[n] = labels.Int64s()[i]
		n++
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	for _, name := range loss.Names() {
		for _, smooth := range []float64{0, 0.1} {
			first := loss.Spec{Name: name, LabelSmoothing: smooth}
			obj := []train.Objective{{Loss: first, Metrics: []string{train.MetricAccuracy}}, {Loss: loss.Spec{Name: loss.SquaredError}, Metrics: []string{train.MetricMSE}}}
			var logs [2][]train.Log
			for i, in := range [2][3]*tensor.Tensor{{x, labels, soft}, {short, shortLabels, shortSoft}} {
				e, err := train.NewEvaluator(rt, model(float64(in[0].Shape()[1]), float64(-i)), obj, graph.NewStore(), 0) // -1 masks nothing of the short one
				if err != nil {
					t.Fatal(err)
				}
				target := in[2]
				if first.Sparse() {
					target = in[1]
				}
				if err := e.Add(in[:1], []*tensor.Tensor{target, in[2]}, nil); err != nil {
					t.Fatal(err)
				}
				logs[i] = e.Logs(nil)
				e.Close()
			}
			for i, l := range logs[0] {
				near(t, name+" "+l.Name, []float32{float32(l.Value)}, []float64{logs[1][i].Value})
			}
		}
	}
}
