package compile_test

import (
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Sizes that a step cannot hold are errors that name the operator and the shapes.
func TestTooLarge(t *testing.T) {
	const huge = 3 << 30
	for name, c := range map[string]struct {
		build func(x *graph.Value) *graph.Value
		want  string
	}{
		"rows":     {func(x *graph.Value) *graph.Value { return op.MatMul(x, x.G.Const(tensor.New(tensor.Float32, 2, 3))) }, "[3221225472 2]"},
		"products": {func(x *graph.Value) *graph.Value { return op.MatMulT(x, x, true, false) }, "[3221225472 2]"},
		"softmax":  {func(x *graph.Value) *graph.Value { return op.Softmax(x, -1) }, "[3221225472 2]"},
	} {
		g := graph.New()
		y := c.build(g.Input("x", tensor.Float32, g.Symbol("N"), 2))
		g.Output(y)
		p := mustCompile(t, newRuntime(t, 1), g, nil, compile.Options{})
		err := p.Bind([]int{huge, 2})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), y.Node.Def.Name) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if err := p.Bind([]int{3, 2}); err != nil {
			t.Errorf("%s: afterwards, %v", name, err)
		}
	}
}
