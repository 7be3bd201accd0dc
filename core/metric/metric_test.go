package metric_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/internal/golden"
)

type results struct {
	Classes                            int
	Labels                             []int64
	Scores                             []float32
	Confusion                          [][]int
	Accuracy, MSE, MAE, R2             float64
	Precision, Recall, F1, Macro, TopK []float64
	AUC                                []float64
	Target, Predicted                  []float32
}

func load(t *testing.T) (r results) {
	t.Helper()
	golden.Read(t, "golden", &r)
	return r
}

func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12) && !(got != got && want != want) {
		t.Errorf("%s = %v, want %v", name, got, want)
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestGolden feeds the data of testdata/golden.py in batches of several sizes.
func TestGolden(t *testing.T) {
	g := load(t)
	for _, batch := range []int{1, 7, 60} {
		var acc metric.Accuracy
		tops := []*metric.TopK{{K: 1}, {K: 2}, {K: 3}, {K: 4}}
		conf, byClass := metric.NewConfusion(g.Classes), metric.NewConfusion(g.Classes)
		multi := metric.NewMultiAUC(g.Classes)
		bin := make([]metric.AUC, g.Classes)
		for lo := 0; lo < len(g.Labels); lo += batch {
			hi := min(lo+batch, len(g.Labels))
			s, l := g.Scores[lo*g.Classes:hi*g.Classes], g.Labels[lo:hi]
			ok(t, acc.Update(s, l, g.Classes))
			ok(t, conf.UpdateScores(s, l))
			ok(t, multi.Update(s, l))
			for _, k := range tops {
				ok(t, k.Update(s, l, g.Classes))
			}
			pred := make([]int64, len(l))
			for i := range l {
				pred[i] = int64(metric.ArgMax(s[i*g.Classes : (i+1)*g.Classes]))
			}
			ok(t, byClass.Update(pred, l))
			for c := range bin {
				one, is := make([]float32, len(l)), make([]int64, len(l))
				for i := range l {
					one[i] = s[i*g.Classes+c]
					if l[i] == int64(c) {
						is[i] = 1
					}
				}
				ok(t, bin[c].Update(one, is))
			}
		}
		near(t, "Accuracy", acc.Result(), g.Accuracy)
		near(t, "Confusion.Accuracy", conf.Accuracy(), g.Accuracy)
		for i, k := range tops {
			near(t, "TopK", k.Result(), g.TopK[i])
		}
		if !reflect.DeepEqual(conf.Result(), g.Confusion) || !reflect.DeepEqual(byClass.Result(), g.Confusion) {
			t.Errorf("Confusion = %v, want %v", conf.Result(), g.Confusion)
		}
		mean := 0.0
		for c, s := range conf.PerClass() {
			near(t, "precision", s.Precision, g.Precision[c])
			near(t, "recall", s.Recall, g.Recall[c])
			near(t, "f1", s.F1, g.F1[c])
			near(t, "AUC", bin[c].Result(), g.AUC[c])
			near(t, "MultiAUC.PerClass", multi.PerClass()[c], g.AUC[c])
			mean += g.AUC[c] / float64(g.Classes)
		}
		near(t, "MultiAUC", multi.Result(), mean)
		m := conf.Macro()
		near(t, "macro precision", m.Precision, g.Macro[0])
		near(t, "macro recall", m.Recall, g.Macro[1])
		near(t, "macro F1", m.F1, g.Macro[2])
		for _, v := range []float64{conf.Micro().Precision, conf.Micro().Recall, conf.Micro().F1} {
			near(t, "micro", v, g.Accuracy)
		}
	}
	var r metric.Regression
	ok(t, r.Update(g.Predicted[:13], g.Target[:13]))
	ok(t, r.Update(g.Predicted[13:], g.Target[13:]))
	near(t, "MSE", r.MSE(), g.MSE)
	near(t, "RMSE", r.RMSE(), math.Sqrt(g.MSE))
	near(t, "MAE", r.MAE(), g.MAE)
	near(t, "R2", r.R2(), g.R2)
}

// TestByHand holds small cases that can be worked out on paper.
func TestByHand(t *testing.T) {
	var a metric.AUC
	near(t, "AUC of nothing", a.Result(), math.NaN())
	ok(t, a.Update([]float32{0.1, 0.4, 0.35, 0.8}, []int64{0, 0, 1, 1}))
	near(t, "AUC", a.Result(), 0.75) // 3 of 4 pairs in order
	a.Reset()
	ok(t, a.Update([]float32{1, 1, 1}, []int64{0, 1, 1}))
	near(t, "AUC of ties", a.Result(), 0.5)
	a.Reset()
	ok(t, a.Update([]float32{1, 2}, []int64{1, 1}))
	near(t, "AUC of one class", a.Result(), math.NaN())

	// Class 2 never predicted, class 3 absent: 0/0 is 0 per class, class 3 is out of the mean.
	c := metric.NewConfusion(4)
	ok(t, c.Update([]int64{0, 0, 1, 1}, []int64{0, 1, 1, 2}))
	want := []metric.Scores{{0.5, 1, 2.0 / 3, 1}, {0.5, 0.5, 0.5, 2}, {0, 0, 0, 1}, {}}
	if got := c.PerClass(); !reflect.DeepEqual(got, want) {
		t.Errorf("PerClass = %v, want %v", got, want)
	}
	m := c.Macro()
	near(t, "macro precision", m.Precision, 1.0/3)
	near(t, "macro recall", m.Recall, 0.5)
	near(t, "macro F1", m.F1, (2.0/3+0.5)/3)
	near(t, "micro F1", c.Micro().F1, 0.5)
	if c.Total() != 4 || c.Classes() != 4 || c.At(1, 0) != 1 || m.Support != 4 {
		t.Error("counts are wrong")
	}
	c.Reset()
	near(t, "accuracy after Reset", c.Accuracy(), math.NaN())

	var r metric.Regression
	near(t, "R2 of nothing", r.R2(), math.NaN())
	near(t, "MSE of nothing", r.MSE(), math.NaN())
	ok(t, r.Update([]float32{2.5, 0, 2, 8}, []float32{3, -0.5, 2, 7}))
	near(t, "MSE", r.MSE(), 0.375)
	near(t, "MAE", r.MAE(), 0.5)
	near(t, "R2", r.R2(), 1-1.5/29.1875)
	r.Reset()
	ok(t, r.Update([]float32{4, 4}, []float32{4, 4}))
	near(t, "R2, constant and perfect", r.R2(), 1)
	ok(t, r.Update([]float32{5}, []float32{4}))
	near(t, "R2, constant and wrong", r.R2(), 0)

	var mean metric.Mean
	near(t, "mean of nothing", mean.Result(), math.NaN())
	ok(t, mean.Update(1, 3))
	ok(t, mean.Update(5, 1))
	near(t, "mean", mean.Result(), 2)

	var acc metric.Accuracy
	acc.Add(3, 4)
	near(t, "accuracy", acc.Result(), 0.75)
	if k, n := acc.Count(); k != 3 || n != 4 {
		t.Error("Count is wrong")
	}
	if metric.ArgMax(nil) != -1 || metric.ArgMax([]float32{1, 3, 3}) != 1 {
		t.Error("ArgMax is wrong")
	}
	if nan := float32(math.NaN()); metric.ArgMax([]float32{nan, 1, nan, 2}) != 3 {
		t.Error("ArgMax took a NaN")
	}
}

// TestErrors checks that bad input is named and leaves the accumulator as it was.
func TestErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	acc, top, conf, auc := &metric.Accuracy{}, &metric.TopK{K: 2}, metric.NewConfusion(2), &metric.AUC{}
	multi, reg, mean := metric.NewMultiAUC(2), &metric.Regression{}, &metric.Mean{}
	good, gl := []float32{1, 2}, []int64{1}
	ok(t, acc.Update(good, gl, 2))
	ok(t, top.Update(good, gl, 2))
	ok(t, conf.UpdateScores(good, gl))
	ok(t, auc.Update(good, []int64{0, 1}))
	ok(t, multi.Update(good, gl))
	ok(t, reg.Update(good, good))
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"label", acc.Update([]float32{1, 2, 3, 4}, []int64{1, 2}, 2), "label 1 is 2, outside 0 to 1"},
		{"negative label", top.Update(good, []int64{-1}, 2), "label 0 is -1"},
		{"length", acc.Update([]float32{1, 2, 3}, []int64{1, 0}, 2), "got 3 scores for 2 labels of 2 classes, need 4"},
		{"classes", acc.Update(nil, nil, 0), "number of classes is 0"},
		{"K", (&metric.TopK{}).Update(good, gl, 2), "K is 0"},
		{"NaN", conf.UpdateScores([]float32{1, 2, 3, nan}, []int64{1, 0}), "score 3 (sample 1, class 1) is NaN"},
		{"prediction", conf.Update([]int64{5}, []int64{0}), "prediction 0 is 5"},
		{"lengths", conf.Update([]int64{1, 1}, []int64{0}), "got 2 predictions for 1 labels"},
		{"true label", conf.Update([]int64{1}, []int64{3}), "label 0 is 3"},
		{"AUC label", auc.Update(good, []int64{0, 2}), "label 1 is 2"},
		{"AUC NaN", auc.Update([]float32{1, nan}, []int64{0, 1}), "score 1 is NaN"},
		{"AUC length", auc.Update(good, gl), "got 2 scores for 1 labels"},
		{"MultiAUC", multi.Update([]float32{nan, 0}, gl), "score 0 (sample 0, class 0) is NaN"},
		{"regression NaN", reg.Update([]float32{0, nan}, good), "prediction 1 is NaN"},
		{"regression Inf", reg.Update(good, []float32{inf, 0}), "target 0 is +Inf"},
		{"regression length", reg.Update(good, good[:1]), "got 2 predictions for 1 targets"},
		{"mean", mean.Update(math.NaN(), 1), "the value is NaN"},
		{"weight", mean.Update(1, -1), "the weight is -1"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || !strings.HasPrefix(c.err.Error(), "weft: metric: ") {
			t.Errorf("%s: error %v, want it to contain %q", c.name, c.err, c.want)
		}
	}
	if _, n := acc.Count(); n != 1 || conf.Total() != 1 || reg.Count() != 2 || top.Result() != 1 {
		t.Error("an error changed an accumulator")
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	var acc metric.Accuracy
	conf, scores, labels := metric.NewConfusion(10), make([]float32, 320), make([]int64, 32)
	if n := testing.AllocsPerRun(20, func() {
		if acc.Update(scores, labels, 10) != nil || conf.UpdateScores(scores, labels) != nil {
			t.Fatal("error")
		}
	}); n != 0 {
		t.Errorf("%v allocations per batch", n)
	}
}
