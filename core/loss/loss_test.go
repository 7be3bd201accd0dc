package loss_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

const rows, classes = 5, 4

func normals(stream uint64, n int, std float64) []float64 {
	rng := random.New(3, stream)
	v := make([]float64, n)
	for i := range v {
		v[i] = std * rng.Normal()
	}
	return v
}

func logSoftmax(z []float64) []float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(v - top)
	}
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = v - top - math.Log(sum)
	}
	return out
}

// overRows is the mean over rows of f.
func overRows(z []float64, f func(row int, logp []float64) float64) float64 {
	s := 0.0
	for i := range rows {
		s += f(i, logSoftmax(z[i*classes:(i+1)*classes]))
	}
	return s / rows
}

func overElements(y, target []float64, f func(y, t float64) float64) float64 {
	s := 0.0
	for i := range y {
		s += f(y[i], target[i])
	}
	return s / float64(len(y))
}

var (
	labels   = []int64{2, 0, 3, 3, 1}
	weights  = []float64{0.5, 2, 1, 0.25}
	logits   = normals(1, rows*classes, 3)
	values   = normals(2, rows*classes, 1)
	soft     = distributions()
	binary   = signs(0, 1)
	hinged   = signs(-1, 1)
	sameSize = normals(4, rows*classes, 1.5)
)

func distributions() []float64 {
	p := make([]float64, rows*classes)
	for i := range rows {
		copy(p[i*classes:], logSoftmax(normals(uint64(10+i), classes, 1)))
	}
	for i := range p {
		p[i] = math.Exp(p[i])
	}
	for j := range classes { // one row that is one-hot, for 0 log 0
		p[j] = 0
	}
	p[1] = 1
	return p
}

func signs(lo, hi float64) []float64 {
	v := normals(5, rows*classes, 1)
	for i := range v {
		if v[i] < 0 {
			v[i] = lo
		} else {
			v[i] = hi
		}
	}
	return v
}

// Every loss in float64, through the interpreter, against its formula, and its gradient against differences.
func TestFormulasAndGradients(t *testing.T) {
	smooth := func(eps float64, hard func(row int, logp []float64) float64) func(int, []float64) float64 {
		return func(row int, logp []float64) float64 {
			mean := 0.0
			for _, v := range logp {
				mean -= v / classes
			}
			return (1-eps)*hard(row, logp) + eps*mean
		}
	}
	sparse := func(row int, logp []float64) float64 { return -logp[labels[row]] }
	against := func(row int, logp []float64) float64 {
		s := 0.0
		for j, v := range logp {
			s -= soft[row*classes+j] * v
		}
		return s
	}
	classNumbers := func(g *graph.Graph) *graph.Value { return g.Const(tensor.From(labels, rows)) }
	matrix := func(v []float64) func(g *graph.Graph) *graph.Value {
		return func(g *graph.Graph) *graph.Value { return g.Const(tensor.From(v, rows, classes)) }
	}
	const ignored = 3
	for _, c := range []struct {
		name   string
		at     []float64
		target func(g *graph.Graph) *graph.Value
		loss   func(y, t *graph.Value) *graph.Value
		want   func(y []float64) float64
	}{
		{"cross-entropy", logits, classNumbers, func(y, t *graph.Value) *graph.Value { return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{}) },
			func(y []float64) float64 { return overRows(y, sparse) }},
		{"cross-entropy, smoothed", logits, classNumbers,
			func(y, t *graph.Value) *graph.Value {
				return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{LabelSmoothing: 0.25})
			},
			func(y []float64) float64 { return overRows(y, smooth(0.25, sparse)) }},
		{"cross-entropy, weighted", logits, classNumbers, func(y, t *graph.Value) *graph.Value {
			return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{Weights: y.G.Const(tensor.From(weights, classes))})
		}, func(y []float64) float64 {
			sum := 0.0
			for _, l := range labels {
				sum += weights[l]
			}
			return overRows(y, func(row int, logp []float64) float64 { return weights[labels[row]] * sparse(row, logp) }) * rows / sum
		}},
		{"cross-entropy, one label ignored", logits, classNumbers, func(y, t *graph.Value) *graph.Value {
			return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{Ignore: true, IgnoreIndex: ignored})
		}, func(y []float64) float64 {
			n := 0.0
			s := overRows(y, func(row int, logp []float64) float64 {
				if labels[row] == ignored {
					return 0
				}
				n++
				return sparse(row, logp)
			})
			return s * rows / n
		}},
		{"cross-entropy, distributions", logits, matrix(soft), func(y, t *graph.Value) *graph.Value { return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{}) },
			func(y []float64) float64 { return overRows(y, against) }},
		{"cross-entropy, distributions, smoothed", logits, matrix(soft),
			func(y, t *graph.Value) *graph.Value {
				return loss.CrossEntropy(y, t, loss.CrossEntropyOptions{LabelSmoothing: 0.5})
			},
			func(y []float64) float64 { return overRows(y, smooth(0.5, against)) }},
		{"binary cross-entropy", logits, matrix(binary), loss.BinaryCrossEntropy, func(y []float64) float64 {
			return overElements(y, binary, func(z, t float64) float64 {
				p := 1 / (1 + math.Exp(-z))
				return -t*math.Log(p) - (1-t)*math.Log(1-p)
			})
		}},
		{"MSE", values, matrix(sameSize), loss.MSE, func(y []float64) float64 {
			return overElements(y, sameSize, func(y, t float64) float64 { return (y - t) * (y - t) })
		}},
		{"MAE", values, matrix(sameSize), loss.MAE, func(y []float64) float64 {
			return overElements(y, sameSize, func(y, t float64) float64 { return math.Abs(y - t) })
		}},
		{"Huber", values, matrix(sameSize), func(y, t *graph.Value) *graph.Value { return loss.Huber(y, t, 0.75) }, func(y []float64) float64 {
			return overElements(y, sameSize, func(y, t float64) float64 {
				if d := math.Abs(y - t); d > 0.75 {
					return 0.75 * (d - 0.75/2)
				}
				return (y - t) * (y - t) / 2
			})
		}},
		{"hinge", values, matrix(hinged), loss.Hinge, func(y []float64) float64 {
			return overElements(y, hinged, func(y, t float64) float64 { return max(0, 1-t*y) })
		}},
		{"KL", logits, matrix(soft), loss.KL, func(y []float64) float64 {
			return overRows(y, func(row int, logq []float64) float64 {
				s := 0.0
				for j, q := range logq {
					if p := soft[row*classes+j]; p > 0 {
						s += p * (math.Log(p) - q)
					}
				}
				return s
			})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := graph.New()
			y := g.Input("y", tensor.Float64, rows, classes)
			l := c.loss(y, c.target(g))
			g.Output(l)
			g.Output(op.Gradients(l, y)[0])
			out, err := graph.Eval(g, nil, []*tensor.Tensor{tensor.From(c.at, rows, classes)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := out[0].Float64s()[0], c.want(c.at); math.Abs(got-want) > 1e-7*max(1, math.Abs(want)) {
				t.Errorf("%v, the formula gives %v", got, want)
			}
			const h = 1e-6
			at := append([]float64(nil), c.at...)
			for i, got := range out[1].Float64s() {
				at[i] = c.at[i] + h
				up := c.want(at)
				at[i] = c.at[i] - h
				down := c.want(at)
				at[i] = c.at[i]
				if want := (up - down) / (2 * h); math.Abs(got-want) > 1e-6 {
					t.Errorf("gradient by element %d is %v, differences give %v", i, got, want)
				}
			}
		})
	}
}

// Logits that overflow exp must not.
func TestLargeLogits(t *testing.T) {
	g := graph.New()
	y := g.Input("y", tensor.Float32, 2, 2)
	g.Output(loss.BinaryCrossEntropy(y, g.Const(tensor.From([]float32{1, 0, 0, 1}, 2, 2))))
	g.Output(loss.CrossEntropy(y, g.Const(tensor.From([]int64{0, 0}, 2)), loss.CrossEntropyOptions{}))
	out, err := graph.Eval(g, nil, []*tensor.Tensor{tensor.From([]float32{1000, -1000, 1000, -1000}, 2, 2)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if b, c := out[0].Float32s()[0], out[1].Float32s()[0]; b != 500 || c != 0 {
		t.Errorf("binary %v, want 500; softmax %v, want 0", b, c)
	}
}

func TestMistakes(t *testing.T) {
	g := graph.New()
	y := g.Input("y", tensor.Float32, 2, 3)
	numbers, dist := g.Input("numbers", tensor.Int64, 2), g.Input("dist", tensor.Float32, 2, 3)
	w := g.Input("w", tensor.Float32, 3)
	for name, f := range map[string]func(){
		"smoothing of 1":            func() { loss.CrossEntropy(y, numbers, loss.CrossEntropyOptions{LabelSmoothing: 1}) },
		"negative smoothing":        func() { loss.CrossEntropy(y, numbers, loss.CrossEntropyOptions{LabelSmoothing: -0.1}) },
		"weights of distributions":  func() { loss.CrossEntropy(y, dist, loss.CrossEntropyOptions{Weights: w}) },
		"smoothing with weights":    func() { loss.CrossEntropy(y, numbers, loss.CrossEntropyOptions{Weights: w, LabelSmoothing: 0.1}) },
		"Huber's delta of 0":        func() { loss.Huber(y, dist, 0) },
		"targets of another length": func() { loss.MSE(y, w.G.Input("v", tensor.Float32, 2, 4)) },
		"labels of another length":  func() { loss.CrossEntropy(y, g.Input("n3", tensor.Int64, 3), loss.CrossEntropyOptions{}) },
	} {
		err := func() (err error) {
			defer tensor.Catch(&err)
			f()
			return nil
		}()
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The cross-entropy of even odds between two classes is log 2.
func ExampleCrossEntropy() {
	g := graph.New()
	logits := g.Input("logits", tensor.Float32, g.Symbol("N"), 2)
	labels := g.Input("labels", tensor.Int64, g.Symbol("N"))
	g.Output(loss.CrossEntropy(logits, labels, loss.CrossEntropyOptions{}))
	out, err := graph.Eval(g, nil, []*tensor.Tensor{tensor.From([]float32{0, 0, 5, 5}, 2, 2), tensor.From([]int64{0, 1}, 2)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.4f\n", out[0].Float32s()[0])
	// Output: 0.6931
}
