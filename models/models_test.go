package models_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
)

func TestArchitectures(t *testing.T) {
	want := map[string]int{"mlp": 784*256 + 256 + 256*128 + 128 + 128*10 + 10, "lenet": 34622, "lenet5": 61706}
	for _, m := range models.All() {
		t.Run(m.Name, func(t *testing.T) {
			g := train.InferenceGraph(train.Config{Model: m.New([]int{1, 28, 28}, 10), Spec: data.Spec{Shape: []int{1, 28, 28}, Classes: 10}, Seed: 1})
			n := 0
			for _, v := range g.TrainableVars() {
				n += tensor.Size(v.Shape)
			}
			if w, ok := want[m.Name]; ok && n != w {
				t.Errorf("%d parameters, want %d", n, w)
			}
			if out := g.Outputs[0]; g.ShapeString(out.Shape) != "[N 10]" {
				t.Errorf("the output is %s", g.ShapeString(out.Shape))
			}
			store := graph.NewStore()
			if err := store.Init(g); err != nil {
				t.Fatal(err)
			}
			out, err := graph.Eval(g, store, []*tensor.Tensor{tensor.New(tensor.Float32, 2, 1, 28, 28)}, nil)
			if err != nil || !tensor.SameShape(out[0].Shape(), []int{2, 10}) {
				t.Errorf("a batch of two: %v", err)
			}

			r := m.Recipe
			if _, err := optim.Parse(r.Optimizer, r.WeightDecay); err != nil {
				t.Error(err)
			}
			if _, err := optim.ParseSchedule(r.Schedule); err != nil {
				t.Error(err)
			}
			if r.Augment != "" {
				if _, err := augment.Parse(r.Augment); err != nil {
					t.Error(err)
				}
			}
			if r.Epochs < 1 || r.BatchSize < 1 || !(r.LearningRate > 0) || m.Doc == "" {
				t.Errorf("incomplete: %+v", m)
			}
		})
	}
}

func TestSizesThatDoNotFit(t *testing.T) {
	for _, name := range []string{"lenet", "lenet5", "cnn"} {
		m, err := models.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		err = func() (err error) {
			defer tensor.Catch(&err)
			train.InferenceGraph(train.Config{Model: m.New([]int{1, 8, 8}, 10), Spec: data.Spec{Shape: []int{1, 8, 8}, Classes: 10}})
			return nil
		}()
		if err == nil {
			t.Errorf("%s takes images of 8x8", name)
		}
	}
	if _, err := models.Get("vgg"); err == nil || !strings.Contains(err.Error(), "vgg") || !strings.Contains(err.Error(), "lenet5") {
		t.Errorf("got %v", err)
	}
}

func ExampleNames() {
	fmt.Println(models.Names())
	// Output: [mlp lenet lenet5 cnn]
}
