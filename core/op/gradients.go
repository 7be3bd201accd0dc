package op

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Gradients adds to the graph the nodes that compute the gradient of a loss of one element by
// each of the values in wrt, by reverse accumulation, and returns them; nil where the loss does not
// depend on a value through differentiable operators. The gradients are ordinary values: their own gradients can be taken.
// It panics with *tensor.Error when the loss is not a floating-point value of one element.
func Gradients(loss *graph.Value, wrt ...*graph.Value) []*graph.Value {
	if !loss.DType.IsFloat() {
		tensor.Fail("Gradients", "the loss ", strconv.Quote(loss.Name), " is of ", loss.DType, "; gradients need a floating-point loss")
	}
	n := 1
	for _, d := range loss.Shape {
		n *= d
	}
	if loss.HasRank && n != 1 {
		panic(&tensor.Error{Op: "Gradients", Msg: "the loss " + strconv.Quote(loss.Name) + " must have one element; reduce it with ReduceMean or ReduceSum", Shapes: [][]int{loss.Shape}})
	}
	one := tensor.New(loss.DType, loss.Shape...)
	one.SetFloat64s([]float64{1})
	return VJP([]*graph.Value{loss}, []*graph.Value{loss.G.NamedConst("one", one)}, wrt...)
}

// VJP adds the nodes of the vector-Jacobian product: given the gradients dys by the values ys (nil: none), it
// returns those by wrt; nil where no gradient flows.
func VJP(ys, dys []*graph.Value, wrt ...*graph.Value) []*graph.Value {
	if len(ys) == 0 {
		return make([]*graph.Value, len(wrt))
	}
	return backward(ys[0].G, ys, dys, wrt, false)
}

// backward is reverse accumulation. With stop, paths end at the values of wrt (the inputs of a
// function body); without it a value of wrt that depends on another passes its gradient on.
func backward(g *graph.Graph, ys, dys, wrt []*graph.Value, stop bool) []*graph.Value {
	// Nodes through which some wrt reaches some y, found forwards from wrt and backwards from ys.
	from := map[*graph.Value]bool{}
	for _, v := range wrt {
		from[v] = true
	}
	need := map[*graph.Node]bool{}
	var stack []*graph.Node
	push := func(v *graph.Value) {
		if v != nil && v.Origin == graph.FromNode && !need[v.Node] && !(stop && from[v]) {
			need[v.Node] = true
			stack = append(stack, v.Node)
		}
	}
	for _, y := range ys {
		push(y)
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		for _, v := range n.Inputs {
			push(v)
		}
	}
	nodes := append([]*graph.Node{}, g.Nodes...) // gradient rules append to g.Nodes
	for _, n := range nodes {
		if !need[n] {
			continue
		}
		on := false
		for _, v := range n.Inputs {
			on = on || (v != nil && from[v])
		}
		if !on {
			delete(need, n)
			continue
		}
		for _, v := range n.Outputs {
			if v != nil {
				from[v] = true
			}
		}
	}

	grad := map[*graph.Value]*graph.Value{}
	accumulate := func(v, d *graph.Value) {
		if old := grad[v]; old != nil {
			d = Add(old, d)
		}
		grad[v] = d
	}
	for i, y := range ys {
		if y != nil && dys[i] != nil && from[y] {
			accumulate(y, dys[i])
		}
	}
	for i := len(nodes) - 1; i >= 0; i-- {
		n := nodes[i]
		if !need[n] {
			continue
		}
		c := &graph.GradCtx{G: g, Node: n, DY: make([]*graph.Value, len(n.Outputs))}
		any := false
		for k, v := range n.Outputs {
			if v != nil {
				c.DY[k] = grad[v]
				any = any || grad[v] != nil
			}
		}
		if !any {
			continue
		}
		for k, d := range nodeGrad(c) {
			if d == nil || k >= len(n.Inputs) {
				continue
			}
			if v := n.Inputs[k]; v != nil && from[v] {
				accumulate(v, d)
			}
		}
	}
	out := make([]*graph.Value, len(wrt))
	for i, v := range wrt {
		out[i] = grad[v]
	}
	return out
}

func nodeGrad(c *graph.GradCtx) []*graph.Value {
	d := c.Node.Def
	switch {
	case d.Grad != nil:
		return d.Grad.Grad(c)
	case d.NoGrad != "":
		return nil
	case d.Body != nil:
		return bodyGrad(c)
	}
	tensor.Fail(c.Node.Describe(), "the operator has no gradient rule")
	return nil
}

// bodyGrad differentiates the body of a node.
func bodyGrad(c *graph.GradCtx) []*graph.Value {
	outs := c.Node.Def.Body.Body(c.G, c.Node, c.Node.Inputs)
	var ys, dys, wrt []*graph.Value
	for i, y := range outs {
		if y != nil && i < len(c.DY) && c.DY[i] != nil {
			ys, dys = append(ys, y), append(dys, c.DY[i])
		}
	}
	at := make([]int, 0, len(c.Node.Inputs))
	for i, v := range c.Node.Inputs {
		if v != nil && !slices.Contains(wrt, v) { // an input given twice gets its whole gradient once
			wrt, at = append(wrt, v), append(at, i)
		}
	}
	res := make([]*graph.Value, len(c.Node.Inputs))
	for i, g := range backward(c.G, ys, dys, wrt, true) {
		res[at[i]] = g
	}
	return res
}
