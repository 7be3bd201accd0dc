package compile

import (
	"bytes"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// foldElements bounds what folding makes from less: a constant may not grow beyond this many elements, unless its
// inputs have as many.
const foldElements = 1 << 14

// fold evaluates a node whose inputs are all constants and returns its outputs, nil when it stays.
func (c *structurer) fold(n *graph.Node, in, out []graph.Type) []*val {
	d := n.Def
	if d.Random {
		return nil
	}
	outs := make([]*val, len(out))
	all := len(out) > 0
	for i, t := range out {
		if t.Const == nil {
			all = false
			break
		}
		outs[i] = c.constant(t.Const, n.Name)
	}
	if all {
		return outs
	}
	have, args := 0, make([]*tensor.Tensor, len(in))
	for i, t := range in {
		if t.DType == tensor.Undefined {
			continue
		}
		if t.Const == nil {
			return nil
		}
		args[i] = t.Const
		have += t.Const.Len()
	}
	if len(in) == 0 && d.Ref == nil {
		return nil
	}
	want := 0
	for _, t := range out {
		s, ok := 0, t.HasRank
		if ok {
			s, ok = tensor.CheckedSize(t.Shape)
		}
		if !ok {
			return nil
		}
		want += s
	}
	if want > max(foldElements, have) {
		return nil
	}
	if d.View && args[0].DType() != tensor.String && out[0].DType == args[0].DType() {
		outs[0] = c.constant(tensor.Wrap(out[0].DType, out[0].Shape, args[0].Bytes()), n.Name)
		return outs[:1]
	}
	saved := n.Outputs
	res := n.Eval(args, nil)
	n.Outputs = saved
	for i, t := range res {
		if t != nil {
			outs[i] = c.constant(t.Contiguous(), n.Name)
		}
	}
	return outs
}

// shareKey narrows the search for an equal node.
type shareKey struct {
	def *graph.Def
	a   *val
}

func keyOf(n *graph.Node, in []*val) shareKey { return shareKey{n.Def, firstOf(in)} }

// find returns a unit that computes the same as the node.
func (c *structurer) find(n *graph.Node, in []*val) *unit {
	if n.Def.Random {
		return nil
	}
	for _, u := range c.shared[keyOf(n, in)] {
		if slices.Equal(u.in, in) && len(u.out) == len(n.Outputs) && sameAttrs(u.n, n) {
			return u
		}
	}
	return nil
}

// share makes the unit available to find.
func (c *structurer) share(u *unit) {
	if !u.n.Def.Random {
		k := keyOf(u.n, u.in)
		c.shared[k] = append(c.shared[k], u)
	}
}

func sameAttrs(a, b *graph.Node) bool {
	if len(a.Attrs) != len(b.Attrs) {
		return false
	}
	for i := range a.Attrs {
		x, y := &a.Attrs[i], &b.Attrs[i]
		if x.Name != y.Name || x.Kind != y.Kind || x.I != y.I || x.F != y.F || x.S != y.S || x.G != y.G ||
			!slices.Equal(x.Ints, y.Ints) || !slices.Equal(x.Floats, y.Floats) || !slices.Equal(x.Strings, y.Strings) || !sameTensor(x.T, y.T) {
			return false
		}
	}
	return true
}

func sameTensor(a, b *tensor.Tensor) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.DType() != b.DType() || a.DType() == tensor.String || !tensor.SameShape(a.Shape(), b.Shape()) {
		return false
	}
	return a.IsContiguous() && b.IsContiguous() && bytes.Equal(a.Bytes(), b.Bytes())
}
