package main

import (
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"strconv"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models/lenet"
)

// fill returns the harness's data: an integer hash of index and seed, uniform in [-scale/2, scale/2).
func fill(n int, seed uint32, scale float64) []float32 {
	o, b := make([]float32, n), seed*0x9e3779b9
	for i := range o {
		x := uint32(i) + b
		x ^= x >> 16
		x *= 0x7feb352d
		x ^= x >> 15
		x *= 0x846ca68b
		x ^= x >> 16
		o[i] = float32((float64(x>>8)/16777216 - .5) * scale)
	}
	return o
}

func filled(seed uint32, scale float64, shape ...int) *tensor.Tensor {
	return tensor.From(fill(tensor.Size(shape), seed, scale), shape...)
}

// permuted returns a row-major copy with dimensions in another order.
func permuted(t *tensor.Tensor, perm ...int) *tensor.Tensor { return t.Transpose(perm...).Clone() }

func meanAbs(v []float32) float64 {
	s := 0.0
	for _, x := range v {
		s += math.Abs(float64(x))
	}
	return s / float64(len(v))
}

// jobs lists the workloads in the harness's order.
func jobs(w workloads, modelDir string) []namedJob {
	var out []namedJob
	for _, s := range w.Sgemm {
		m, k, n := s[0], s[1], s[2]
		out = append(out, namedJob{"sgemm/" + strconv.Itoa(m) + "x" + strconv.Itoa(k) + "x" + strconv.Itoa(n), func(rt *compile.Runtime) (*job, error) { return sgemmJob(rt, m, k, n) }})
	}
	for _, c := range w.Conv {
		out = append(out, namedJob{"conv/" + c.Name, func(rt *compile.Runtime) (*job, error) { return convJob(rt, c) }})
	}
	for _, name := range w.Lenet {
		out = append(out, namedJob{name, func(rt *compile.Runtime) (*job, error) { return lenetJob(rt, name) }})
	}
	for _, name := range w.Transformer {
		out = append(out, namedJob{name, func(rt *compile.Runtime) (*job, error) { return transformerJob(rt, name == "transformer/fwdbwd") }})
	}
	for _, name := range w.LSTM {
		out = append(out, namedJob{name, func(rt *compile.Runtime) (*job, error) { return lstmJob(rt, name == "lstm/fwdbwd") }})
	}
	for _, name := range w.ONNX {
		out = append(out, namedJob{name, func(rt *compile.Runtime) (*job, error) { return onnxJob(rt, name, modelDir) }})
	}
	return out
}

// program makes a job of a graph run on fixed inputs; check is the mean absolute value of the first output.
func program(rt *compile.Runtime, g *graph.Graph, store *graph.Store, flops float64, in ...*tensor.Tensor) (*job, error) {
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return nil, err
	}
	var last []float32
	return &job{flops: flops, close: p.Close,
		run: func() error {
			out, err := p.Run(in...)
			if err == nil {
				last = out[0].Float32s()
			}
			return err
		},
		check: func() (float64, error) { return meanAbs(last), nil }}, nil
}

func sgemmJob(rt *compile.Runtime, m, k, n int) (*job, error) {
	g := graph.New()
	g.Output(op.MatMul(g.Input("a", tensor.Float32, m, k), g.Input("b", tensor.Float32, k, n)))
	return program(rt, g, nil, 2*float64(m)*float64(k)*float64(n), filled(1, 1, m, k), filled(2, 1, k, n))
}

func convJob(rt *compile.Runtime, c convWork) (*job, error) {
	if c.Groups < 1 || c.K < 1 {
		return nil, errors.New("a convolution needs groups and k of at least 1")
	}
	// The harness's data is NHWC and HWIO ([k,k,channels,1] for depthwise).
	x := permuted(filled(3, 1, c.N, c.H, c.W, c.Cin), 0, 3, 1, 2)
	var w *tensor.Tensor
	if c.Groups > 1 {
		w = permuted(filled(4, 1, c.K, c.K, c.Cin, 1), 2, 3, 0, 1)
	} else {
		w = permuted(filled(4, 1, c.K, c.K, c.Cin, c.Cout), 3, 2, 0, 1)
	}
	g := graph.New()
	g.Output(op.Conv(g.Input("x", tensor.Float32, x.Shape()...), g.Variable("w", w, true), nil, op.ConvOptions{Pads: []int{c.Pad, c.Pad, c.Pad, c.Pad}, Group: c.Groups}))
	oh, ow := c.H+2*c.Pad-c.K+1, c.W+2*c.Pad-c.K+1
	return program(rt, g, nil, 2*float64(c.N*oh*ow*c.Cout)*float64(c.K*c.K*c.Cin/c.Groups), x)
}

// lenetWeights are the harness's: HWIO convolutions, dense layers [in, out] that flatten in HWC order, zero biases.
func lenetWeights() map[string]*tensor.Tensor {
	g := func(seed uint32, fan int, shape ...int) *tensor.Tensor {
		return filled(seed, 2*math.Sqrt(3/float64(fan)), shape...)
	}
	fc1 := g(13, 256, 4, 4, 16, 120) // h, w, c, out
	return map[string]*tensor.Tensor{
		"conv1.weight": permuted(g(11, 25, 5, 5, 1, 6), 3, 2, 0, 1),
		"conv2.weight": permuted(g(12, 150, 5, 5, 6, 16), 3, 2, 0, 1),
		"fc1.weight":   permuted(fc1, 3, 2, 0, 1).Reshape(120, 256),
		"fc2.weight":   permuted(g(14, 120, 120, 10), 1, 0),
	}
}

func lenetJob(rt *compile.Runtime, name string) (*job, error) {
	batch := map[string]int{"lenet/infer_b1": 1, "lenet/infer_b256": 256, "lenet/train_b32": 32}[name]
	if batch == 0 {
		return nil, errSkip{"no such workload"}
	}
	cfg := train.Config{Name: "lenet", Model: lenet.New(nil, 10), Spec: data.Spec{Shape: []int{1, 28, 28}, Classes: 10}, Seed: 1, Optimizer: optim.Adam{}, LearningRate: 1e-3, Steps: 1 << 30}
	t, err := train.New(rt, cfg)
	if err != nil {
		return nil, err
	}
	for n, w := range lenetWeights() {
		if err := t.Store().Set(n, w); err != nil {
			return nil, err
		}
	}
	x := fill(batch*784, 5, 1)
	if name != "lenet/train_b32" {
		var last []float32
		return &job{items: float64(batch), close: t.Close,
			run:   func() (err error) { last, err = t.Logits(x, batch); return err },
			check: func() (float64, error) { return meanAbs(last), nil }}, nil
	}
	b := &data.Batch{N: batch, X: x, Labels: make([]int64, batch)}
	for i := range b.Labels {
		b.Labels[i] = int64(i*7+3) % 10
	}
	first := math.NaN()
	return &job{items: 1, close: t.Close,
		run: func() error {
			loss, _, err := t.Step(b)
			if math.IsNaN(first) {
				first = float64(loss)
			}
			return err
		},
		check: func() (float64, error) { return first, nil }}, nil
}

// The transformer of the harness: pre-norm layers without mask, loss mean(x^2).
const (
	tfBatch, tfSeq, tfDim, tfHeads, tfLayers, tfHidden = 8, 64, 128, 4, 4, 512
)

func transformerJob(rt *compile.Runtime, backward bool) (*job, error) {
	g := graph.New()
	weight := func(name string, seed uint32, a, b int) *graph.Value {
		return g.Variable(name, filled(seed, 2*math.Sqrt(1/float64(a)), a, b), true)
	}
	vec := func(name string, v float64) *graph.Value {
		t := tensor.New(tensor.Float32, tfDim)
		s := t.Float32s()
		for i := range s {
			s[i] = float32(v)
		}
		return g.Variable(name, t, true)
	}
	norm := func(x, scale, bias *graph.Value) *graph.Value {
		return op.LayerNormalization(x, scale, bias, op.LayerNormOptions{Axis: -1, Epsilon: 1e-5})
	}
	x := g.Input("x", tensor.Float32, tfBatch*tfSeq, tfDim)
	h := x
	for l := range tfLayers {
		p, s := "l"+strconv.Itoa(l)+".", uint32(l)
		n := norm(h, vec(p+"g1", 1), vec(p+"b1", 0))
		qkv := op.Reshape(op.MatMul(n, weight(p+"qkv", 100+s, tfDim, 3*tfDim)), tfBatch, tfSeq, 3*tfDim)
		a := op.Reshape(op.SelfAttention(qkv, op.AttentionOptions{Heads: tfHeads}), tfBatch*tfSeq, tfDim)
		h = op.Add(h, op.MatMul(a, weight(p+"o", 200+s, tfDim, tfDim)))
		n = norm(h, vec(p+"g2", 1), vec(p+"b2", 0))
		h = op.Add(h, op.MatMul(op.Relu(op.MatMul(n, weight(p+"w1", 300+s, tfDim, tfHidden))), weight(p+"w2", 400+s, tfHidden, tfDim)))
	}
	loss := op.ReduceMean(op.Mul(h, h), nil, false)
	g.Output(loss)
	if backward {
		for _, d := range op.Gradients(loss, g.TrainableVars()...) {
			g.Output(d)
		}
	}
	return program(rt, g, nil, 0, filled(6, 2, tfBatch*tfSeq, tfDim))
}

// The LSTM of the harness: one layer, all outputs, loss mean(y^2).
const lstmBatch, lstmSeq, lstmDim = 16, 64, 128

func lstmJob(rt *compile.Runtime, backward bool) (*job, error) {
	// The harness's kernels are [D, 4H] with gates i, f, c, o.
	weight := func(seed uint32) *tensor.Tensor {
		w := permuted(filled(seed, 0.17, lstmDim, 4, lstmDim), 1, 2, 0)
		out := tensor.New(tensor.Float32, 1, 4*lstmDim, lstmDim)
		const gate = lstmDim * lstmDim
		for to, from := range []int{0, 3, 1, 2} {
			copy(out.Float32s()[to*gate:][:gate], w.Float32s()[from*gate:])
		}
		return out
	}
	g := graph.New()
	x := g.Input("x", tensor.Float32, lstmBatch, lstmSeq, lstmDim)
	b := g.Variable("b", tensor.New(tensor.Float32, 1, 8*lstmDim), true)
	y, _, _ := op.LSTM(x, g.Variable("w", weight(21), true), g.Variable("r", weight(22), true), b, op.RNNOptions{BatchFirst: true})
	loss := op.ReduceMean(op.Mul(y, y), nil, false)
	g.Output(loss)
	if backward {
		for _, d := range op.Gradients(loss, g.TrainableVars()...) {
			g.Output(d)
		}
	}
	flops := 2.0 * 2 * lstmBatch * lstmSeq * 4 * lstmDim * lstmDim
	if backward {
		flops *= 2.5 // the gradient of X is not taken
	}
	return program(rt, g, nil, flops, filled(23, 2, lstmBatch, lstmSeq, lstmDim))
}

func onnxJob(rt *compile.Runtime, name, dir string) (*job, error) {
	if dir == "" {
		return nil, errSkip{"needs --models with the folder of the ONNX files"}
	}
	file := filepath.Join(dir, filepath.Base(name)+".onnx")
	g, store, err := loadModel(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errSkip{"no file " + file}
	}
	if err != nil {
		return nil, err
	}
	if len(g.Inputs) != 1 {
		return nil, errors.New(file + " must have one input")
	}
	shape := append([]int{}, g.Inputs[0].Shape...)
	for i, d := range shape {
		if d < 0 {
			shape[i] = 1
		}
	}
	return program(rt, g, store, 0, filled(9, 2, shape...))
}
