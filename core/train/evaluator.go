package train

import (
	"math"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
)

// Evaluator measures losses and metrics of a network over batches.
type Evaluator struct {
	prog  *compile.Program
	heads []evalHead
	in    []*tensor.Tensor
	n     int
	total float64

	// Wrong lists the first samples that a classifier's first output got wrong.
	Wrong []Mistake
	keep  int
	fork  bool
}

type evalHead struct {
	trainHead
	sum      float64
	measures *Measures
}

// Mistake is a sample that was classified wrong.
type Mistake struct {
	Sample           int
	Label, Predicted int64
}

// NewEvaluator compiles what measures a network with the weights of a store. It keeps the first keep mistakes.
func NewEvaluator(rt *compile.Runtime, net Network, obj []Objective, store *graph.Store, keep int) (e *Evaluator, err error) {
	defer tensor.Catch(&err)
	g := graph.New()
	x := net.inputs(g)
	c := nn.NewContext(g, nn.Options{Store: store})
	out := net.Apply(c, x)
	hs, losses, total := net.heads(c, out, obj)
	e = &Evaluator{keep: keep}
	g.Output(total)
	for i := range hs {
		h := &hs[i]
		th := trainHead{name: h.name, obj: h.Objective, loss: -1, mask: -1, sample: h.target.Shape[1:], columns: max(h.out.Shape[len(h.out.Shape)-1], 1)}
		if len(hs) > 1 {
			th.loss = len(g.Outputs)
			g.Output(losses[i])
		}
		th.output(g, h)
		m, err := NewMeasures(h.Metrics, h.Loss, th.columns)
		if err != nil {
			return nil, err
		}
		e.heads = append(e.heads, evalHead{trainHead: th, measures: m})
	}
	if e.prog, err = compile.Compile(rt, g, store, compile.Options{}); err != nil {
		return nil, err
	}
	for _, v := range g.Vars {
		v.Init = nil
	}
	e.in = make([]*tensor.Tensor, len(x)+len(hs))
	return e, nil
}

// Reset forgets what was measured.
func (e *Evaluator) Reset() {
	e.n, e.total, e.Wrong = 0, 0, e.Wrong[:0]
	for i := range e.heads {
		e.heads[i].sum = 0
		e.heads[i].measures.Reset()
	}
}

// Add measures a batch: the network's inputs and the targets of its outputs. samples are the samples' numbers; nil counts on.
func (e *Evaluator) Add(x, y []*tensor.Tensor, samples []int) error {
	if len(x)+len(y) != len(e.in) {
		return tensor.Err("evaluate", "the network and its losses take ", len(e.in), " tensors, got ", len(x)+len(y))
	}
	copy(e.in[copy(e.in, x):], y)
	out, err := e.prog.Run(e.in...)
	if err != nil {
		return err
	}
	n := x[0].Shape()[0]
	weight := float64(n)
	total := float64(out[0].Float32s()[0])
	if math.IsNaN(total) {
		return tensor.Err("evaluate", "the loss is NaN in the batch after sample ", e.n, "; look for NaN in the weights or extreme values in the data").With(tensor.CodeNaN)
	}
	e.total += total * weight
	for i := range e.heads {
		h := &e.heads[i]
		if h.loss >= 0 {
			h.sum += float64(out[h.loss].Float32s()[0]) * weight
		}
		var mask *tensor.Tensor
		if h.mask >= 0 {
			mask = out[h.mask]
		}
		if err := h.measures.UpdateMasked(out[h.at], y[i], mask); err != nil {
			return err
		}
		if i == 0 && len(e.Wrong) < e.keep && (h.obj.Loss.Classes() || h.measures.binary) && (h.columns == 1 || !h.measures.binary) {
			e.mistakes(out[h.at], y[0], n, samples)
		}
	}
	e.n += n
	return nil
}

func (e *Evaluator) mistakes(out, target *tensor.Tensor, n int, samples []int) {
	labels, pred, err := e.heads[0].measures.decide(out.Float32s(), target)
	if err != nil || len(labels) != n {
		return
	}
	for i, l := range labels {
		if pred[i] != l && len(e.Wrong) < e.keep {
			at := e.n + i
			if samples != nil {
				at = samples[i]
			}
			e.Wrong = append(e.Wrong, Mistake{at, l, pred[i]})
		}
	}
}

// Samples returns how many samples were measured.
func (e *Evaluator) Samples() int { return e.n }

// Logs appends the mean loss and the metrics. With several outputs names begin with the output's.
func (e *Evaluator) Logs(dst []Log) []Log {
	dst = append(dst, Log{"loss", e.total / float64(max(e.n, 1))})
	for i := range e.heads {
		h := &e.heads[i]
		if len(e.heads) > 1 {
			dst = append(dst, Log{h.name + "Loss", h.sum / float64(max(e.n, 1))})
		}
		dst = prefixed(dst, h.measures, h.name, len(e.heads) > 1)
	}
	return dst
}

// Confusion returns the confusion matrix of output i, nil when no metric asks for it.
func (e *Evaluator) Confusion(i int) *metric.Confusion { return e.heads[i].measures.Confusion() }

// Fork returns an evaluator of its own counts over the same program; the program lasts as long as the first one.
func (e *Evaluator) Fork() *Evaluator {
	f, err := e.With(nil)
	if err != nil {
		panic(err) // it went well the first time
	}
	return f
}

// With is [Evaluator.Fork] with the metrics of other objectives; nil keeps them.
func (e *Evaluator) With(obj []Objective) (*Evaluator, error) {
	f := &Evaluator{prog: e.prog, in: make([]*tensor.Tensor, len(e.in)), keep: e.keep, fork: true}
	for i, h := range e.heads {
		if obj != nil {
			h.obj.Metrics = obj[i].Metrics
		}
		m, err := NewMeasures(h.obj.Metrics, h.obj.Loss, h.columns)
		if err != nil {
			return nil, err
		}
		f.heads = append(f.heads, evalHead{trainHead: h.trainHead, measures: m})
	}
	return f, nil
}

// Close gives the program's memory back; a fork has nothing to give.
func (e *Evaluator) Close() {
	if !e.fork {
		e.prog.Close()
	}
}

// prefixed appends an output's metrics under the output's name where there are several.
func prefixed(dst []Log, m *Measures, name string, several bool) []Log {
	from := len(dst)
	dst = m.Logs(dst)
	if several {
		for i := range dst[from:] {
			dst[from+i].Name = name + title(dst[from+i].Name)
		}
	}
	return dst
}

// title returns a name with its first letter in upper case.
func title(s string) string {
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		return string(s[0]-'a'+'A') + s[1:]
	}
	return s
}
