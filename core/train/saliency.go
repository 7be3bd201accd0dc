package train

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Saliency returns a graph that says how much each element of the input matters for a score: the absolute gradient of the score
// (Simonyan, Vedaldi, Zisserman, "Deep inside convolutional networks", 2013). Inputs: the network's one input [N, ...] and weights [1, classes] that
// choose the score; output: a map of the input's shape. Where the network ends in a Softmax the score is what goes into it.
func (n *Network) Saliency(o nn.Options) (g *graph.Graph, err error) {
	defer tensor.Catch(&err)
	g = graph.New()
	x := n.inputs(g)
	o.Training = false
	y := n.Apply(nn.NewContext(g, o), x)[0]
	if z := (loss.Spec{Name: loss.Categorical, FromLogits: true}).Logits(y); z != nil {
		y = z
	}
	pick := g.Input("class", tensor.Float32, 1, y.Shape[len(y.Shape)-1])
	score := op.ReduceSum(op.Mul(y, pick), nil, false)
	d := op.Gradients(score, x[0])[0]
	if d == nil {
		return nil, tensor.Err("saliency", "the output does not depend on the input through differentiable operators")
	}
	g.Output(op.Abs(d))
	return g, nil
}
