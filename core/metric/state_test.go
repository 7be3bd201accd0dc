package metric_test

import (
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/metric"
)

// What an accumulator says after its state went through numbers is what it said before.
func TestState(t *testing.T) {
	scores, labels := []float32{0.1, 0.7, 0.2, 0.5, 0.3, 0.2, 0.2, 0.2, 0.6}, []int64{1, 2, 2}
	var acc, acc2 metric.Accuracy
	top, top2 := metric.TopK{K: 2}, metric.TopK{K: 2}
	conf, conf2 := metric.NewConfusion(3), metric.NewConfusion(3)
	multi, multi2 := metric.NewMultiAUC(3), metric.NewMultiAUC(3)
	var auc, auc2 metric.AUC
	var reg, reg2 metric.Regression
	for _, err := range []error{acc.Update(scores, labels, 3), top.Update(scores, labels, 3), conf.UpdateScores(scores, labels), multi.Update(scores, labels),
		auc.Update(scores[:3], []int64{0, 1, 1}), reg.Update(scores[:3], scores[3:6])} {
		if err != nil {
			t.Fatal(err)
		}
	}
	v := reg.AppendState(auc.AppendState(multi.AppendState(conf.AppendState(top.AppendState(acc.AppendState(nil))))))
	rest := v
	for _, restore := range []func([]float64) ([]float64, bool){acc2.RestoreState, top2.RestoreState, conf2.RestoreState, multi2.RestoreState, auc2.RestoreState, reg2.RestoreState} {
		var ok bool
		if rest, ok = restore(rest); !ok {
			t.Fatal("a state is refused")
		}
	}
	if len(rest) != 0 || acc2 != acc || top2 != top || conf2.Accuracy() != conf.Accuracy() || multi2.Result() != multi.Result() || auc2.Result() != auc.Result() || reg2 != reg {
		t.Error("a state came back changed")
	}
	if w := reg2.AppendState(auc2.AppendState(multi2.AppendState(conf2.AppendState(top2.AppendState(acc2.AppendState(nil)))))); !slices.Equal(v, w) {
		t.Error("states differ")
	}
	for _, bad := range [][]float64{nil, {1}, {5, 2}, {-1, 2}, {4, 1, 1, 1, 0, 0, 0}} {
		if _, ok := acc2.RestoreState(bad); ok && len(bad) < 2 {
			t.Errorf("%v is taken", bad)
		}
		if _, ok := auc2.RestoreState(bad); ok {
			t.Errorf("%v is taken as scores", bad)
		}
		if _, ok := conf2.RestoreState(bad); ok {
			t.Errorf("%v is taken as a matrix", bad)
		}
	}
}
