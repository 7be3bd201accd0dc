package compile

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The layout pass stores images channels-last, [N,D...,C] in place of [N,C,D...], from the operators that gain from it (LastRule.Starts)
// through those that can follow, and moves channels only where such values come from or go to others. Graphs that need more than one such
// move for two convolutions stay as they are, and so does what trains, since gradients read their operands channels-first. Moves that the graph
// itself makes, as files from frameworks that store images channels-last do, vanish where they meet those of the pass.

// layouts is the state of the pass.
type layouts struct {
	c     *structurer
	rule  graph.LastRule      // of any operator that has one
	last  map[*unit]int       // units that compute channels-last: how many of their first inputs are
	yLast map[*unit]bool      // and whether their outputs are
	form  map[*val]*val       // channels-last versions of values
	maps  map[*unit]bool      // which of them map channels by weights
	back  map[*unit]bool      // units by which the graph moves channels to the end
	same  map[*val]*val       // what such units give, where it is there already
	reads map[*val][]readerOf // by value
	moves int
}

type readerOf struct {
	u *unit // nil: an output or an update
	i int   // input
}

func (c *structurer) layout() {
	if len(c.g.Updates) > 0 {
		return
	}
	l := &layouts{c: c, last: map[*unit]int{}, yLast: map[*unit]bool{}, form: map[*val]*val{}, reads: map[*val][]readerOf{},
		maps: map[*unit]bool{}, back: map[*unit]bool{}, same: map[*val]*val{}}
	starts := l.choose()
	if starts == 0 || 2*l.count() > starts {
		return
	}
	old := c.units
	c.units = make([]*unit, 0, len(old))
	clear(c.shared) // equal units may stand further behind
	for _, u := range old {
		for i, x := range u.in {
			if y := l.same[x]; y != nil {
				u.in[i], u.n.Inputs[i] = y, &y.Value
			}
		}
		if y := l.formOf(firstOf(u.in)); y != nil && l.back[u] {
			l.same[u.out[0]] = y
			continue
		}
		if n, ok := l.last[u]; ok {
			l.rewrite(u, n)
		} else {
			for _, x := range u.in {
				l.first(x)
			}
			c.units = append(c.units, u)
		}
	}
	for i, x := range c.roots {
		if y := l.same[x]; y != nil {
			c.roots[i] = y
			continue
		}
		l.first(x)
	}
}

// choose finds the units that compute channels-last, and returns how many of them gain by themselves.
func (l *layouts) choose() (starts int) {
	for _, u := range l.c.units {
		if l.rule = u.n.Def.Last; l.rule != nil {
			l.moved()
			break
		}
	}
	for _, u := range l.c.units {
		follows := false
		for i, x := range u.in {
			if x != nil {
				l.reads[x] = append(l.reads[x], readerOf{u, i})
				follows = follows || l.isLast(x) || l.form[x] != nil
			}
		}
		if rule := u.n.Def.Last; rule != nil {
			begins := rule.Starts(u.n)
			if !begins && !follows {
				continue
			}
			if _, _, n, ok := rule.Last(u.n, true, true); ok && l.images(u, n) {
				l.last[u] = n
				if begins {
					starts++
				}
			}
			continue
		}
		switch {
		case !follows:
		case l.elementwise(u):
			l.last[u] = elemArgs(u.elem.Kind)
		case l.affine(u):
			l.last[u], l.maps[u] = 1, true
		}
	}
	for _, x := range l.c.roots {
		l.reads[x] = append(l.reads[x], readerOf{})
	}
	return starts
}

// moved finds values that the graph itself has moved from channels-last, and units that move there.
func (l *layouts) moved() {
	for _, u := range l.c.units {
		if len(u.in) != 1 || len(u.out[0].Shape) < 3 {
			continue
		}
		n := &graph.Node{}
		if n.Def, n.Attrs = l.rule.Move(len(u.out[0].Shape), false); n.Def == u.n.Def && sameAttrs(n, u.n) {
			l.form[u.out[0]] = u.in[0]
		}
		if n.Def, n.Attrs = l.rule.Move(len(u.out[0].Shape), true); n.Def == u.n.Def && sameAttrs(n, u.n) {
			l.back[u] = true
		}
	}
}

// isLast reports whether a value is made channels-last.
func (l *layouts) isLast(x *val) bool {
	if x.unit == nil || flat(x.unit) {
		return false
	}
	_, ok := l.last[x.unit]
	return ok
}

// flat reports whether the outputs of a unit have no positions.
func flat(u *unit) bool { return len(u.out[0].Shape) < 3 }

// imageRank returns the rank of the images of a chosen unit.
func imageRank(u *unit) int { return max(len(u.in[0].Shape), len(u.out[0].Shape)) }

// images reports whether the first n inputs of a unit and its output, unless that is flat, are images of one rank.
func (l *layouts) images(u *unit, n int) bool {
	if len(u.in) == 0 || u.in[0] == nil || !u.out[0].HasRank {
		return false
	}
	r := len(u.in[0].Shape)
	if r < 3 || len(u.out[0].Shape) != r && !flat(u) {
		return false
	}
	for _, x := range u.in[:min(n, len(u.in))] {
		if x == nil || !x.HasRank || len(x.Shape) != r {
			return false
		}
	}
	return true
}

// elementwise reports whether a unit is elementwise over images and operands that can be brought into their layout.
func (l *layouts) elementwise(u *unit) bool {
	op, ok := l.c.elemOf(u)
	if !ok || !u.out[0].HasRank {
		return false
	}
	u.elem = op
	r := len(u.out[0].Shape)
	for _, x := range u.in[:elemArgs(op.Kind)] {
		if !x.HasRank || len(x.Shape) > r {
			return false
		}
		if len(x.Shape) != r && !l.c.still(x) && !single(x) {
			return false
		}
	}
	return r >= 3
}

// affine reports whether a unit maps the channels of an image by weights that elementwise operators could not have beside it.
func (l *layouts) affine(u *unit) bool {
	return u.n.Def.Last == nil && !flat(u) && l.c.affine(u) == 0 && u.out[0].DType == tensor.Float32 && l.images(u, 1)
}

// single reports whether a value certainly has one element.
func single(x *val) bool {
	for _, d := range x.Shape {
		if d != 1 {
			return false
		}
	}
	return x.HasRank
}

// flexible reports whether a unit may also read its first input channels-first.
func flexible(u *unit) bool {
	rule := u.n.Def.Last
	if rule == nil {
		return false
	}
	_, _, _, ok := rule.Last(u.n, false, true)
	return ok
}

// count decides in which layout the chosen units write, and returns how many values have to be moved.
func (l *layouts) count() (moves int) {
	for _, u := range l.c.units {
		if _, ok := l.last[u]; !ok {
			continue
		}
		if flat(u) {
			continue
		}
		lasts, forced := 0, 0
		for _, x := range u.out {
			firsts := 0
			for _, r := range l.reads[x] {
				if r.u != nil && (r.i < l.last[r.u] || l.back[r.u]) {
					lasts++
				} else {
					firsts++
				}
			}
			if firsts > 0 && !l.free(x) {
				forced++
			}
		}
		if lasts == 0 && flexible(u) {
			if _, _, _, ok := u.n.Def.Last.Last(u.n, false, false); ok {
				continue // writes channels-first
			}
		}
		l.yLast[u] = true
		moves += forced
	}
	for x, readers := range l.reads {
		if x.unit != nil && l.yLast[x.unit] || l.form[x] != nil || l.c.still(x) || l.free(x) {
			continue
		}
		for _, r := range readers {
			if r.u != nil && r.i < l.last[r.u] && !flexible(r.u) {
				moves++
				break
			}
		}
	}
	return moves
}

// free reports whether moving the channels of a value moves no element: it has one element, or one position.
func (l *layouts) free(x *val) bool {
	for _, d := range x.Shape[min(2, len(x.Shape)):] {
		if d != 1 {
			return false
		}
	}
	return true
}

// rewrite appends a unit that computes channels-last. Its first n inputs are.
func (l *layouts) rewrite(u *unit, n int) {
	if l.maps[u] {
		b := bodyBuilder{c: l.c, g: graph.New(), to: map[*graph.Value]*val{}}
		x := l.lastOf(u.in[0], imageRank(u))
		in, rule := b.args(append([]*val{x}, u.in[1:]...)), u.n.Def.Affine
		scale, shift := rule.Map(b.g, u.n, 0, in)
		y := rule.Last(b.g, in[0], scale, shift)
		b.build()
		l.form[u.out[0]] = l.c.resolve(y, b.to)
		u.out[0].unit = nil // made by first, if anything reads it
		return
	}
	node := *u.n
	node.Inputs = append([]*graph.Value(nil), u.n.Inputs...)
	u.in = append([]*val(nil), u.in...)
	xLast := l.formOf(u.in[0]) != nil || !flexible(u)
	for i, x := range u.in {
		if i < n && x != nil && xLast {
			u.in[i] = l.lastOf(x, imageRank(u))
			node.Inputs[i] = &u.in[i].Value
		} else {
			l.first(x)
		}
	}
	if rule := u.n.Def.Last; rule != nil {
		node.Def, node.Attrs, _, _ = rule.Last(u.n, xLast, l.yLast[u])
		if k, axes := rule.Axes(u.n); k > 0 && xLast {
			for len(u.in) <= k {
				u.in, node.Inputs = append(u.in, nil), append(node.Inputs, nil)
			}
			t := tensor.New(tensor.Int64, len(axes))
			for i, a := range axes {
				t.Int64s()[i] = int64(a)
			}
			u.in[k] = l.c.constant(t, "axes")
			node.Inputs[k] = &u.in[k].Value
		}
	}
	types := make([]graph.Type, len(u.in))
	for i, x := range u.in {
		if x != nil {
			types[i] = x.Type
		}
	}
	out := node.InferTypes(types, len(u.n.Outputs))
	u.n = &node
	l.c.units = append(l.c.units, u)
	outputs := node.Outputs
	node.Outputs = make([]*graph.Value, len(out))
	u.out = append([]*val(nil), u.out...)
	for i, old := range u.out {
		y := old
		if l.yLast[u] {
			y = &val{unit: u, index: i}
			y.Value = graph.Value{Type: out[i], G: l.c.g, Name: old.Name, Origin: graph.FromNode, Index: i}
			l.form[old] = y
			old.unit = nil // made by first, if anything reads it
		}
		u.out[i], y.Node = y, &node
		if outputs[i] != nil {
			node.Outputs[i] = &y.Value
		}
	}
}

// formOf returns a value channels-last, nil where it is not there.
func (l *layouts) formOf(x *val) *val {
	y := l.form[x]
	if z := l.same[y]; z != nil {
		return z
	}
	return y
}

// first makes sure that a value exists channels-first.
func (l *layouts) first(x *val) {
	if x == nil || x.unit != nil || l.form[x] == nil || x.Origin != graph.FromNode {
		return
	}
	l.move(l.form[x], x, false)
}

// move appends a unit that moves the channels of x into y.
func (l *layouts) move(x, y *val, last bool) {
	d, attrs := l.rule.Move(len(x.Shape), last)
	n := &graph.Node{Def: d, Attrs: attrs, Inputs: []*graph.Value{&x.Value}, Outputs: []*graph.Value{&y.Value}}
	y.Type = n.InferTypes([]graph.Type{x.Type}, 1)[0]
	y.G, y.Origin, y.Node, y.Index = l.c.g, graph.FromNode, n, 0
	u := &unit{n: n, in: []*val{x}, out: []*val{y}}
	l.c.settle(u)
	y.unit, y.index = u, 0
	l.c.units = append(l.c.units, u)
}

// lastOf returns a value channels-last, among images of a rank.
func (l *layouts) lastOf(x *val, rank int) *val {
	if y := l.formOf(x); y != nil && len(y.Shape) == rank {
		return y
	}
	if len(x.Shape) != rank && single(x) {
		return x
	}
	if len(x.Shape) < rank && x.Const == nil {
		b := bodyBuilder{c: l.c, g: graph.New(), to: map[*graph.Value]*val{}}
		y := l.rule.Widen(b.g, b.args([]*val{x})[0], rank)
		b.build()
		l.form[x] = l.c.resolve(y, b.to)
		return l.form[x]
	}
	if t := x.Const; t != nil {
		for len(t.Shape()) < rank {
			t = tensor.Wrap(t.DType(), append([]int{1}, t.Shape()...), t.Contiguous().Bytes())
		}
		d, attrs := l.rule.Move(rank, true)
		n := &graph.Node{Def: d, Attrs: attrs, Inputs: []*graph.Value{&x.Value}, Outputs: []*graph.Value{&x.Value}}
		y := l.c.constant(n.Eval([]*tensor.Tensor{t}, nil)[0].Contiguous(), x.Name)
		l.form[x] = y
		return y
	}
	y := &val{}
	y.Name = x.Name
	l.move(x, y, true)
	l.form[x] = y
	return y
}
