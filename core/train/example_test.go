package train_test

import (
	"context"
	"fmt"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/train"
)

// A classifier that learns whether the first of two numbers is the larger one.
func ExampleTrainer() {
	x := []float32{0, 1, 2, 1, 3, 5, 4, 0, 1, 3, 5, 2, 2, 4, 3, 1}
	y := []int64{0, 1, 0, 1, 0, 1, 0, 1}
	spec := data.Spec{Shape: []int{2}, Classes: 2}
	src, err := data.NewMemory(spec, x, y, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	loader, err := data.NewLoader(src, data.Options{BatchSize: 4, Shuffle: true, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer loader.Close()
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	t, err := train.New(rt, train.Config{Name: "larger", Model: nn.Dense{Units: 2}, Spec: spec, Seed: 1, Optimizer: optim.Adam{}, LearningRate: 0.1, Steps: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	for range 100 {
		b, err := loader.Next(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, _, err := t.Step(b); err != nil {
			fmt.Println(err)
			return
		}
	}
	res, err := t.Evaluate(context.Background(), src)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("accuracy %.0f %%\n", 100*res.Confusion.Accuracy())
	// Output: accuracy 100 %
}
