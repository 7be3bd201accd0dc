package optim_test

import (
	"fmt"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
)

// A training step is one program: run it and the variables have moved.
func ExampleMinimize() {
	g := graph.New()
	w := g.Variable("w", tensor.From([]float32{0, 0}, 2), true)
	d := op.Sub(w, g.Const(tensor.From([]float32{3, -1}, 2)))
	loss := op.ReduceSum(op.Mul(d, d), nil, false)
	g.Output(loss)
	state := optim.Minimize(loss, optim.SGD{}, optim.Options{})

	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	step, err := compile.Compile(rt, g, nil, compile.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	scalars := make([]float32, state.Inputs()) // here only the learning rate
	for i := range 50 {
		state.Fill(scalars, i, 0.1)
		if _, err := step.Run(tensor.From(scalars)); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("%.2f\n", step.Store().Get("w").Float32s())
	// Output: [3.00 -1.00]
}
