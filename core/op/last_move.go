package op

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Operators that only move elements are the same on channels-last images, along other axes.

// lastAxes returns axes of a rank as channels-last images have them, and false where they are out of range.
func lastAxes(axes []int, rank int) ([]int, bool) {
	perm, out := movePerm(rank, true), make([]int, len(axes))
	for i, a := range axes {
		k, ok := tensor.Axis(a, rank)
		if !ok {
			return nil, false
		}
		out[i] = slices.Index(perm, k)
	}
	return out, true
}

// listedAxes returns the axes that input i of a node lists, the first count ones when it is not given, as channels-last images have them.
func listedAxes(n *graph.Node, i, count int) ([]int, bool) {
	rank := len(n.Inputs[0].Shape)
	var axes []int
	switch {
	case i < len(n.Inputs) && n.Inputs[i] != nil:
		t := n.Inputs[i].Const
		if t == nil {
			return nil, false
		}
		axes = intsOf(t)
	default:
		for a := range min(count, rank+1) {
			axes = append(axes, a)
		}
	}
	return lastAxes(axes, rank)
}

// isImage reports whether a value has positions and is of float32.
func isImage(v *graph.Value) bool {
	return v != nil && v.HasRank && len(v.Shape) >= 3 && v.DType == tensor.Float32
}

// lastSplit: parts of images follow.
type lastSplit struct{ moveRule }

func (lastSplit) Starts(*graph.Node) bool { return false }

func (lastSplit) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	if !x || !y || !isImage(n.Inputs[0]) {
		return nil, nil, 0, false
	}
	axes, ok := lastAxes([]int{n.Int("axis")}, len(n.Inputs[0].Shape))
	if !ok {
		return nil, nil, 0, false
	}
	return &DefSplit, append(without(n.Attrs, "axis"), graph.Int("axis", axes[0])), 1, true
}

// lastSlice: ranges of images follow.
type lastSlice struct{ moveRule }

func (lastSlice) Starts(*graph.Node) bool { return false }

func (r lastSlice) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	k, _ := r.Axes(n)
	return &DefSlice, n.Attrs, 1, x && y && k > 0
}

func (lastSlice) Axes(n *graph.Node) (int, []int) {
	if s := n.Inputs[1]; isImage(n.Inputs[0]) && s.HasRank && len(s.Shape) == 1 && s.Shape[0] >= 0 {
		if axes, ok := listedAxes(n, 3, s.Shape[0]); ok {
			return 3, axes
		}
	}
	return 0, nil
}

// lastPad: padded images follow.
type lastPad struct{ moveRule }

func (lastPad) Starts(*graph.Node) bool { return false }

func (r lastPad) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	k, _ := r.Axes(n)
	return &DefPad, n.Attrs, 1, x && y && k > 0
}

func (lastPad) Axes(n *graph.Node) (int, []int) {
	if isImage(n.Inputs[0]) {
		if axes, ok := listedAxes(n, 3, len(n.Inputs[0].Shape)); ok {
			return 3, axes
		}
	}
	return 0, nil
}

// lastResize: resized images follow.
type lastResize struct{ moveRule }

func (lastResize) Starts(*graph.Node) bool { return false }

func (lastResize) Last(n *graph.Node, x, y bool) (*graph.Def, []graph.Attr, int, bool) {
	if !x || !y || !isImage(n.Inputs[0]) {
		return nil, nil, 0, false
	}
	rank := len(n.Inputs[0].Shape)
	axes := n.Ints("axes")
	if axes == nil {
		for i := range rank {
			axes = append(axes, i)
		}
	}
	axes, ok := lastAxes(axes, rank)
	return &DefResize, append(without(n.Attrs, "axes"), graph.Ints("axes", axes...)), 1, ok
}
