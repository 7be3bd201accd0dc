package train

import (
	"math"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/core/tensor"
)

// Names of the metrics that an [Objective] can list.
const (
	MetricAccuracy  = "accuracy"
	MetricPrecision = "precision"
	MetricRecall    = "recall"
	MetricF1        = "f1"
	MetricAUC       = "auc"
	MetricTopK      = "topKCategoricalAccuracy"
	MetricMSE       = "mse"
	MetricMAE       = "mae"
	MetricConfusion = "confusionMatrix"
)

// MetricNames lists them.
func MetricNames() []string {
	return []string{MetricAccuracy, MetricPrecision, MetricRecall, MetricF1, MetricAUC, MetricTopK, MetricMSE, MetricMAE, MetricConfusion}
}

var metricAliases = map[string]string{"acc": MetricAccuracy, "meanSquaredError": MetricMSE, "meanAbsoluteError": MetricMAE, "sparseCategoricalAccuracy": MetricAccuracy,
	"categoricalAccuracy": MetricAccuracy, "binaryAccuracy": MetricAccuracy, "confusion": MetricConfusion, "topK": MetricTopK}

// ParseMetric returns the name of a metric as this package spells it.
func ParseMetric(name string) (string, error) {
	if a := metricAliases[name]; a != "" {
		return a, nil
	}
	for _, n := range MetricNames() {
		if n == name {
			return n, nil
		}
	}
	return "", tensor.Err("metric", strconv.Quote(name), " is not one of ", strings.Join(MetricNames(), ", "))
}

// Log is a named number: a loss or metric over a stretch of training or an evaluation.
type Log struct {
	Name  string
	Value float64
}

// Measures accumulates the metrics of one output over batches. Classifiers with one column or a binary loss decide by
// whether the probability exceeds 1/2; with more columns the largest one is the answer.
type Measures struct {
	names   []string
	classes int  // columns of the output
	logits  bool // the output is logits
	binary  bool

	acc   metric.Accuracy
	topK  metric.TopK
	conf  *metric.Confusion
	auc   metric.AUC
	multi *metric.MultiAUC
	reg   metric.Regression

	probs  []float32
	labels []int64
	pred   []int64
}

// NewMeasures returns empty accumulators for an output of so many columns that is trained by a loss.
func NewMeasures(names []string, l loss.Spec, classes int) (*Measures, error) {
	if classes < 1 {
		return nil, tensor.Err("metric", "the number of columns of the output must be known")
	}
	m := &Measures{names: names, classes: classes, logits: l.FromLogits, binary: l.Name == loss.Binary || classes == 1, topK: metric.TopK{K: min(5, classes)}}
	for _, n := range names {
		switch n {
		case MetricAUC:
			if !m.binary {
				m.multi = metric.NewMultiAUC(classes)
			}
		case MetricTopK:
			if m.binary {
				return nil, tensor.Err("metric", n, " needs an output of several classes")
			}
		case MetricPrecision, MetricRecall, MetricF1, MetricConfusion:
			if m.conf == nil {
				m.conf = metric.NewConfusion(m.columns())
			}
		}
	}
	return m, nil
}

func (m *Measures) columns() int {
	if m.binary {
		return 2
	}
	return m.classes
}

// Reset forgets everything.
func (m *Measures) Reset() {
	m.acc.Reset()
	m.topK.Reset()
	m.auc.Reset()
	m.reg.Reset()
	if m.conf != nil {
		m.conf.Reset()
	}
	if m.multi != nil {
		m.multi.Reset()
	}
}

// Update adds a batch: the outputs, rows of as many columns as the output has, and the targets, class numbers or numbers of
// the outputs' shape.
func (m *Measures) Update(out, target *tensor.Tensor) error {
	if len(m.names) == 0 {
		return nil
	}
	y := out.Float32s()
	labels, pred, err := m.decide(y, target)
	if err != nil {
		return err
	}
	right := 0
	for i, l := range labels {
		if pred[i] == l {
			right++
		}
	}
	m.acc.Add(right, len(labels))
	if m.conf != nil {
		if err := m.conf.Update(pred, labels); err != nil {
			return err
		}
	}
	for _, n := range m.names {
		switch n {
		case MetricTopK:
			err = m.topK.Update(y, labels, m.classes)
		case MetricAUC:
			if m.multi != nil {
				err = m.multi.Update(m.probabilities(y), labels)
			} else {
				err = m.auc.Update(y, labels)
			}
		case MetricMSE, MetricMAE:
			if target.DType() != tensor.Float32 {
				return tensor.Err("metric", n, " needs targets of numbers, not class numbers")
			}
			if n == MetricMSE || !m.has(MetricMSE) {
				err = m.reg.Update(y, target.Float32s())
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateMasked is [Measures.Update] of the positions that a mask, bool of the output's shape without its last dimensions, says count; nil: all.
func (m *Measures) UpdateMasked(out, target, mask *tensor.Tensor) error {
	if mask == nil || len(m.names) == 0 {
		return m.Update(out, target)
	}
	out, err := kept(out, mask)
	if err != nil {
		return err
	}
	if target, err = kept(target, mask); err != nil {
		return err
	}
	return m.Update(out, target)
}

// kept returns the elements of t at the positions that count, one after the other.
func kept(t, mask *tensor.Tensor) (*tensor.Tensor, error) {
	n := mask.Len()
	if n == 0 || t.Len()%n != 0 {
		return nil, tensor.Err("metric", "a mask of ", n, " positions does not fit ", t.Len(), " elements")
	}
	counts := 0
	for _, k := range mask.Bytes() {
		counts += int(k)
	}
	each := t.Len() / n
	out := tensor.New(t.DType(), counts, each)
	size, to := t.DType().Bytes(each), out.Bytes()
	for i, k := range mask.Bytes() {
		if k != 0 {
			to = to[copy(to[:size], t.Bytes()[i*size:]):]
		}
	}
	return out, nil
}

func (m *Measures) has(name string) bool {
	for _, n := range m.names {
		if n == name {
			return true
		}
	}
	return false
}

// decide returns for every answer the true class and the predicted one.
func (m *Measures) decide(y []float32, target *tensor.Tensor) (labels, pred []int64, err error) {
	m.labels, m.pred = m.labels[:0], m.pred[:0]
	if m.binary {
		edge := float32(0.5)
		if m.logits {
			edge = 0
		}
		for _, v := range y {
			m.pred = append(m.pred, bit(v > edge))
		}
		if target.DType() == tensor.Int64 {
			m.labels = append(m.labels, target.Int64s()...)
		} else {
			for _, v := range target.Float32s() {
				m.labels = append(m.labels, bit(v > 0.5))
			}
		}
	} else {
		for i := 0; i+m.classes <= len(y); i += m.classes {
			m.pred = append(m.pred, int64(metric.ArgMax(y[i:i+m.classes])))
		}
		if target.DType() == tensor.Int64 {
			m.labels = append(m.labels, target.Int64s()...)
		} else {
			t := target.Float32s()
			for i := 0; i+m.classes <= len(t); i += m.classes {
				m.labels = append(m.labels, int64(metric.ArgMax(t[i:i+m.classes])))
			}
		}
	}
	if len(m.labels) != len(m.pred) {
		return nil, nil, tensor.Err("metric", "there are ", len(m.labels), " targets for ", len(m.pred), " answers")
	}
	return m.labels, m.pred, nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// probabilities returns softmax of the rows where the outputs are logits.
func (m *Measures) probabilities(y []float32) []float32 {
	if !m.logits {
		return y
	}
	row := make([]float64, m.classes)
	m.probs = m.probs[:0]
	for i := 0; i+m.classes <= len(y); i += m.classes {
		Softmax(row, y[i:i+m.classes])
		for _, p := range row {
			m.probs = append(m.probs, float32(p))
		}
	}
	return m.probs
}

// Logs appends the metrics that are single numbers.
func (m *Measures) Logs(dst []Log) []Log {
	for _, n := range m.names {
		v := math.NaN()
		switch n {
		case MetricAccuracy:
			v = m.acc.Result()
		case MetricTopK:
			v = m.topK.Result()
		case MetricMSE:
			v = m.reg.MSE()
		case MetricMAE:
			v = m.reg.MAE()
		case MetricAUC:
			if m.multi != nil {
				v = m.multi.Result()
			} else {
				v = m.auc.Result()
			}
		case MetricPrecision:
			v = m.scores().Precision
		case MetricRecall:
			v = m.scores().Recall
		case MetricF1:
			v = m.scores().F1
		default:
			continue
		}
		dst = append(dst, Log{n, v})
	}
	return dst
}

// scores are those of class 1 of two, else the means over the classes.
func (m *Measures) scores() metric.Scores {
	if m.binary {
		return m.conf.PerClass()[1]
	}
	return m.conf.Macro()
}

// Confusion returns the confusion matrix, nil when no metric needs it.
func (m *Measures) Confusion() *metric.Confusion { return m.conf }

// host reports whether some metric needs the outputs: all but accuracy do, which a graph counts by itself.
func (m *Measures) host() bool {
	for _, n := range m.names {
		if n != MetricAccuracy {
			return true
		}
	}
	return false
}

func (m *Measures) appendState(dst []float64) []float64 {
	dst = m.acc.AppendState(dst)
	dst = m.topK.AppendState(dst)
	dst = m.auc.AppendState(dst)
	dst = m.reg.AppendState(dst)
	if m.conf != nil {
		dst = m.conf.AppendState(dst)
	}
	if m.multi != nil {
		dst = m.multi.AppendState(dst)
	}
	return dst
}

func (m *Measures) restoreState(v []float64) ([]float64, bool) {
	v, ok := m.acc.RestoreState(v)
	if ok {
		v, ok = m.topK.RestoreState(v)
	}
	if ok {
		v, ok = m.auc.RestoreState(v)
	}
	if ok {
		v, ok = m.reg.RestoreState(v)
	}
	if ok && m.conf != nil {
		v, ok = m.conf.RestoreState(v)
	}
	if ok && m.multi != nil {
		v, ok = m.multi.RestoreState(v)
	}
	return v, ok
}
