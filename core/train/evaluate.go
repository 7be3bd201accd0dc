package train

import (
	"math"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/core/tensor"
)

// EvalBatch is the number of samples that evaluation runs at once.
const EvalBatch = 256

// Result is what an evaluation measures.
type Result struct {
	Loss      float64 // mean cross-entropy
	Confusion *metric.Confusion
	Wrong     []int // indices of the samples that were classified wrong
}

// Evaluate runs a model, a graph with one float32 input [N, ...] and logits [N, classes] as first output, over
// a source and measures it.
func Evaluate(ctx data.Context, rt *compile.Runtime, g *graph.Graph, store *graph.Store, src data.Source) (*Result, error) {
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	in := make([]*tensor.Tensor, 1)
	return evaluate(ctx, src, func(x []float32, n int) ([]float32, error) {
		in[0] = reuse(in[0], x, n, src.Spec().Shape)
		out, err := p.Run(in...)
		if err != nil {
			return nil, err
		}
		return out[0].Float32s(), nil
	})
}

// Evaluate measures the current weights on a source.
func (t *Trainer) Evaluate(ctx data.Context, src data.Source) (*Result, error) {
	return evaluate(ctx, src, t.Logits)
}

func evaluate(ctx data.Context, src data.Source, logits func(x []float32, n int) ([]float32, error)) (*Result, error) {
	classes := src.Spec().Classes
	l, err := data.NewLoader(src, data.Options{BatchSize: EvalBatch})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	r := &Result{Confusion: metric.NewConfusion(classes)}
	n := 0
	for b, err := range l.Epoch(ctx) {
		if err != nil {
			return nil, err
		}
		y, err := logits(b.X, b.N)
		if err != nil {
			return nil, err
		}
		if len(y) != b.N*classes {
			return nil, tensor.Err("evaluate", "the model gives ", len(y)/b.N, " logits a sample, the data has ", classes, " classes")
		}
		if err := r.Confusion.UpdateScores(y, b.Labels); err != nil {
			return nil, err
		}
		for i, label := range b.Labels {
			row := y[i*classes : (i+1)*classes]
			r.Loss += CrossEntropy(row, int(label))
			if argmax(row) != int(label) {
				r.Wrong = append(r.Wrong, b.Samples[i])
			}
		}
		n += b.N
	}
	r.Loss /= float64(n)
	return r, nil
}

// CrossEntropy returns -log softmax(logits)[label] in float64.
func CrossEntropy(logits []float32, label int) float64 {
	top := float64(logits[argmax(logits)])
	sum := 0.0
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	return math.Log(sum) - (float64(logits[label]) - top)
}

// Softmax writes the probabilities of logits to dst.
func Softmax(dst []float64, logits []float32) {
	top := float64(logits[argmax(logits)])
	sum := 0.0
	for i, v := range logits {
		dst[i] = math.Exp(float64(v) - top)
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}

// argmax returns the first index of the largest value.
func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}
