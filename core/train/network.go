package train

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Input describes an input of a network: Shape is of one sample, the batch comes in front.
type Input struct {
	Name  string
	DType tensor.DType // Undefined means Float32
	Shape []int
}

// Network is a model as training sees it: what it takes, and a function that adds it to a graph.
type Network struct {
	Name    string
	Inputs  []Input
	Outputs []string // names; missing ones are output, output_1, ...
	Apply   func(c *nn.Context, in []*graph.Value) []*graph.Value
}

// Layered returns a layer of one input and one output as a network.
func Layered(name string, l nn.Layer, shape []int) Network {
	return Network{Name: name, Inputs: []Input{{Name: "input", Shape: shape}}, Outputs: []string{"logits"},
		Apply: func(c *nn.Context, in []*graph.Value) []*graph.Value { return []*graph.Value{l.Apply(c, in[0])} }}
}

// OfGraph returns an inference graph, such as a loaded model, as a network. The first dimension of every input is the batch.
func OfGraph(g *graph.Graph) (n Network, err error) {
	n.Name = g.Name
	for _, v := range g.Inputs {
		if !v.HasRank || len(v.Shape) == 0 {
			return n, tensor.Err("train", "input ", strconv.Quote(v.Name), " of the model has no batch dimension")
		}
		n.Inputs = append(n.Inputs, Input{Name: v.Name, DType: v.DType, Shape: v.Shape[1:]})
	}
	for _, v := range g.Outputs {
		n.Outputs = append(n.Outputs, v.Name)
	}
	n.Apply = func(c *nn.Context, in []*graph.Value) []*graph.Value { return c.G.Inline(g, in) }
	return n, nil
}

// OutputName returns the name of output i.
func (n *Network) OutputName(i int) string {
	if i < len(n.Outputs) && n.Outputs[i] != "" {
		return n.Outputs[i]
	}
	if i == 0 {
		return "output"
	}
	return "output_" + strconv.Itoa(i)
}

// inputs adds the network's inputs to a graph. Known dimensions are kept, of others nothing is assumed.
func (n *Network) inputs(g *graph.Graph) []*graph.Value {
	in := make([]*graph.Value, len(n.Inputs))
	for i, p := range n.Inputs {
		d := p.DType
		if d == tensor.Undefined {
			d = tensor.Float32
		}
		shape := batched(g, p.Shape)
		for k := range shape {
			if k > 0 && shape[k] < 0 {
				shape[k] = graph.Unknown
			}
		}
		in[i] = g.Input(p.Name, d, shape...)
	}
	return in
}

// Inference returns the graph that predicts. It panics with *tensor.Error when the layers do not fit; see tensor.Catch.
func (n *Network) Inference(o nn.Options) *graph.Graph {
	g := graph.New()
	g.Name = n.Name
	o.Training = false
	out := n.Apply(nn.NewContext(g, o), n.inputs(g))
	for i, v := range out {
		if v.Origin == graph.FromNode {
			v.Name = n.OutputName(i)
		}
		g.Output(v)
	}
	return g
}

// Objective says what one output of a network learns.
type Objective struct {
	Loss    loss.Spec
	Weight  float64  // of the loss in the total; 0 means 1
	Metrics []string // see ParseMetric
}

// head is an output with its objective, in a graph.
type head struct {
	Objective
	name   string
	out    *graph.Value
	target *graph.Value
	mask   *graph.Value // which positions of out count; nil: all
}

// heads adds the targets' inputs and the losses of a network's outputs and returns them with the total loss.
func (n *Network) heads(c *nn.Context, out []*graph.Value, obj []Objective) (hs []head, losses []*graph.Value, total *graph.Value) {
	if len(obj) != len(out) {
		tensor.Fail("train", "the network has ", len(out), " outputs, ", len(obj), " losses are given")
	}
	for i, y := range out {
		h := head{Objective: obj[i], name: n.OutputName(i), out: y, target: n.target(c.G, i, y, obj[i].Loss), mask: c.Mask(y)}
		var l *graph.Value
		if h.mask != nil {
			l = h.Loss.ApplyMasked(y, h.target, h.mask)
		} else {
			l = h.Loss.Apply(y, h.target)
		}
		hs, losses = append(hs, h), append(losses, l)
		if w := h.Weight; w != 0 && w != 1 {
			l = op.Mul(l, op.ConstLike(l, w))
		}
		if total == nil {
			total = l
		} else {
			total = op.Add(total, l)
		}
	}
	return hs, losses, total
}

// target adds the input that holds the targets of an output.
func (n *Network) target(g *graph.Graph, i int, y *graph.Value, l loss.Spec) *graph.Value {
	if !y.HasRank || len(y.Shape) == 0 {
		tensor.Fail("train", "output ", strconv.Quote(n.OutputName(i)), " of the network has no known rank; a loss needs [N, ...]")
	}
	if y.DType != tensor.Float32 {
		tensor.Fail("train", "output ", strconv.Quote(n.OutputName(i)), " of the network is of ", y.DType, "; losses take float32")
	}
	name := "labels"
	if i > 0 {
		name += "_" + strconv.Itoa(i)
	}
	shape := append([]int{g.Symbol("N")}, y.Shape[1:]...)
	for k := range shape {
		if k > 0 && shape[k] < 0 {
			shape[k] = graph.Unknown
		}
	}
	if !l.Sparse() {
		return g.Input(name, tensor.Float32, shape...)
	}
	if len(y.Shape) < 2 || y.Shape[len(y.Shape)-1] < 2 {
		panic(&tensor.Error{Op: "train", Msg: l.Name + " needs an output [N, classes] of two or more classes; output " + strconv.Quote(n.OutputName(i)) + " is", Shapes: [][]int{y.Shape}})
	}
	return g.Input(name, tensor.Int64, shape[:len(shape)-1]...)
}

// hits adds the number of right answers of a head, an int64, and where there is a mask the number of those that count, else nil.
func (h *head) hits() (right, of *graph.Value) {
	var hit *graph.Value
	y := h.out
	cols := y.Shape[len(y.Shape)-1]
	if len(y.Shape) < 2 || cols == 1 || h.Loss.Name == loss.Binary {
		edge := 0.5
		if z := h.Loss.Logits(y); z != nil {
			y, edge = z, 0
		}
		hit = op.Equal(op.Greater(y, op.ConstLike(y, edge)), op.Greater(h.target, op.ConstLike(h.target, 0.5)))
	} else {
		axis := len(y.Shape) - 1
		if z := h.Loss.Logits(y); z != nil {
			y = z // the same order; the softmax need not run
		}
		want := h.target
		if !h.Loss.Sparse() {
			want = op.ArgMax(h.target, axis, false)
		}
		hit = op.Equal(op.ArgMax(y, axis, false), want)
	}
	if h.mask != nil {
		m := h.mask
		for len(m.Shape) < len(hit.Shape) {
			m = op.Unsqueeze(m, len(m.Shape))
		}
		m = op.ExpandLike(m, hit)
		hit, of = op.And(hit, m), op.ReduceSum(op.Cast(m, tensor.Int64), nil, false)
	}
	return op.ReduceSum(op.Cast(hit, tensor.Int64), nil, false), of
}
