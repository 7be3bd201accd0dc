package graph

import "github.com/weft-ml/weft/core/tensor"

// FuseRule recognises, at the last node of a pattern, what other programs write as several nodes and one operator does; see [GradRule] for why it is an
// interface.
type FuseRule interface {
	// Fuse returns the value that takes the place of output 0 of c.Node, nil when the pattern is not there.
	Fuse(c *FuseCtx) *Value
}

// FuseCtx is what a [FuseRule] works with.
type FuseCtx struct {
	Node *Node
	// Inner reports whether a value is read by one node only and is no output: it need not be computed for anything but the pattern.
	Inner func(v *Value) bool
	// Add applies an operator; where all inputs are constants the result may be one.
	Add func(d *Def, attrs []Attr, in ...*Value) *Value
	// Const returns a constant.
	Const func(t *tensor.Tensor) *Value
}
