package op

import (
	"math"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// fuseProduct recognises attention at its last product: softmax(q*k^T*scale + mask)*v, where the scale may multiply or divide q, k or the scores, masks are
// added or put in by Where, and operands are of rank 4 [batch, heads, sequence, size] or 3 [batch*heads, sequence, size]. Operands that were transposed from
// [batch, sequence, heads, size] are read there, and the result is written there.
type fuseProduct struct{}

// hiddenBelow is what a score must be replaced by, or get added, to count as hidden: its exponential is 0 beside any score that is seen.
const hiddenBelow = -1e4

// attnPattern is what has been found of an attention.
type attnPattern struct {
	fuseParts
	q, k, v attnOperand
	scale   float64
	causal  bool
	mask    *graph.Value
	scores  *graph.Value
}

// attnOperand is a value and how its dimensions are permuted.
type attnOperand struct {
	x    *graph.Value
	perm []int
}

func (fuseProduct) Fuse(c *graph.FuseCtx) *graph.Value {
	out := c.Node.Outputs[0]
	if out == nil || out.DType != tensor.Float32 || !out.HasRank || len(out.Shape) != 3 && len(out.Shape) != 4 || c.Node.Int("transA") != 0 || c.Node.Int("transB") != 0 {
		return nil
	}
	p := &attnPattern{fuseParts: fuseParts{c}, scale: 1}
	soft := p.inner(c.Node.Inputs[0], &DefSoftmax)
	if soft == nil {
		return nil
	}
	p.scores = soft.Inputs[0]
	rank := len(out.Shape)
	if axis := soft.Int("axis"); !p.scores.HasRank || len(p.scores.Shape) != rank || axis != -1 && axis != rank-1 {
		return nil
	}
	if !p.unmask(p.scores) {
		return nil
	}
	p.v = p.operand(c.Node.Inputs[1], rank, false)
	return p.build()
}

// unmask goes from the softmax back to the product of q and k.
func (p *attnPattern) unmask(v *graph.Value) bool {
	for {
		if !p.Inner(v) || !sameShapeValue(v, p.scores) {
			return false
		}
		n := v.Node
		switch n.Def {
		case &DefAdd:
			i := 0
			if !p.leadsToProduct(n.Inputs[0]) {
				i = 1
			}
			if !p.hide(n.Inputs[1-i]) {
				return false
			}
			v = n.Inputs[i]
			continue
		case &DefWhere:
			i := 1
			fill, ok := number(n.Inputs[2])
			if !ok {
				i = 2
				fill, ok = number(n.Inputs[1])
			}
			if !ok || !(fill <= hiddenBelow) || !p.hideBy(n.Inputs[0], i == 1, fill) {
				return false
			}
			v = n.Inputs[i]
			continue
		}
		return p.product(v)
	}
}

// leadsToProduct reports whether a value comes from a product of two matrices, through what unmask goes through.
func (p *attnPattern) leadsToProduct(v *graph.Value) bool {
	for {
		if v.Origin != graph.FromNode || !p.Inner(v) || !sameShapeValue(v, p.scores) {
			return false
		}
		switch n := v.Node; n.Def {
		case &DefMatMul, &DefMatMulT:
			return true
		case &DefAdd:
			return p.leadsToProduct(n.Inputs[0]) || p.leadsToProduct(n.Inputs[1])
		case &DefWhere:
			return p.leadsToProduct(n.Inputs[1]) || p.leadsToProduct(n.Inputs[2])
		}
		x, _, ok := factor(v)
		if !ok {
			return false
		}
		v = x
	}
}

// hide adds a mask. One that hides what is above the diagonal, and nothing else, is is_causal.
func (p *attnPattern) hide(mask *graph.Value) bool {
	if p.isCausal(mask) {
		p.causal = true
		return true
	}
	rank := len(p.scores.Shape)
	if mask.DType != tensor.Float32 || !mask.HasRank || len(mask.Shape) == 0 || len(mask.Shape) > rank {
		return false
	}
	for i, d := range mask.Shape {
		full := p.scores.Shape[rank-len(mask.Shape)+i]
		if d == graph.Unknown || d != full && (d != 1 || i == len(mask.Shape)-1) {
			return false
		}
	}
	if p.mask != nil {
		mask = p.Add(&DefAdd, nil, p.mask, mask)
	}
	p.mask = mask
	return true
}

// hideBy takes a condition under which scores are seen, or are not, as a mask that is added: where they are not, the score is lost in the fill.
func (p *attnPattern) hideBy(cond *graph.Value, seen bool, fill float64) bool {
	no, yes := p.Const(tensor.Scalar(float32(fill))), p.Const(tensor.Scalar(float32(0)))
	if !seen {
		no, yes = yes, no
	}
	mask := p.Add(&DefWhere, nil, cond, yes, no)
	return p.isCausal(mask) && p.hide(mask) || fill <= -1e9 && p.hide(mask)
}

// isCausal reports whether a mask is known and lets query i see the keys up to i and no others.
func (p *attnPattern) isCausal(mask *graph.Value) bool {
	t := mask.Const
	if t == nil || t.DType() != tensor.Float32 || t.Rank() < 2 {
		return false
	}
	n := t.Shape()[t.Rank()-1]
	s := p.scores.Shape[len(p.scores.Shape)-2:]
	if t.Len() != n*n || s[0] != n || s[1] != n || n < 2 {
		return false
	}
	for i, v := range t.Contiguous().Float32s() {
		if above := i%n > i/n; above && !(v <= hiddenBelow) || !above && v != 0 {
			return false
		}
	}
	return true
}

// product takes the scores before masks: q*k^T times factors.
func (p *attnPattern) product(v *graph.Value) bool {
	for {
		x, c, ok := factor(v)
		if !ok {
			break
		}
		if !p.Inner(x) {
			return false
		}
		p.scale *= c
		v = x
	}
	if v.Origin != graph.FromNode || v.Node.Def != &DefMatMul && v.Node.Def != &DefMatMulT || v.Node.Int("transA") != 0 {
		return false
	}
	rank := len(p.scores.Shape)
	for _, x := range v.Node.Inputs {
		if !x.HasRank || len(x.Shape) != rank {
			return false
		}
	}
	p.q, p.k = p.operand(v.Node.Inputs[0], rank, true), p.operand(v.Node.Inputs[1], rank, true)
	if v.Node.Int("transB") == 0 {
		k := p.k.perm
		k[rank-1], k[rank-2] = k[rank-2], k[rank-1]
	}
	return true
}

// operand goes back through transpositions and, where they may be taken out, factors.
func (p *attnPattern) operand(v *graph.Value, rank int, factors bool) attnOperand {
	o := attnOperand{x: v, perm: make([]int, rank)}
	for i := range o.perm {
		o.perm[i] = i
	}
	for {
		if n := made(o.x, &DefTranspose); n != nil {
			before := permOf(n, rank, failOf(n))
			for i, k := range o.perm {
				o.perm[i] = before[k]
			}
			o.x = n.Inputs[0]
			continue
		}
		x, c, ok := factor(o.x)
		if !ok || !factors {
			return o
		}
		o.x = x
		p.scale *= c
	}
}

// shape returns the operand's dimensions.
func (o attnOperand) shape() []int {
	out := make([]int, len(o.perm))
	for i, k := range o.perm {
		out[i] = o.x.Shape[k]
	}
	return out
}

// side reports whether the operand is stored as [batch, sequence, heads, size].
func (o attnOperand) side() bool { return slices.Equal(o.perm, []int{0, 2, 1, 3}) }

// value returns the operand, transposed where it is not stored as it is read.
func (p *attnPattern) value(o attnOperand) *graph.Value {
	for i, k := range o.perm {
		if i != k {
			return p.Add(&DefTranspose, []graph.Attr{graph.Ints("perm", o.perm...)}, o.x)
		}
	}
	return o.x
}

// build makes the one operator, when the shapes are those of attention: products that broadcast are not.
func (p *attnPattern) build() *graph.Value {
	q, k, v := p.q.shape(), p.k.shape(), p.v.shape()
	rank := len(q)
	for i := range rank - 2 {
		if q[i] == graph.Unknown || q[i] != k[i] || q[i] != v[i] {
			return nil
		}
	}
	if q[rank-1] < 1 || q[rank-1] != k[rank-1] || v[rank-1] < 1 || rank == 4 && q[1] < 1 || math.IsInf(p.scale, 0) || p.scale == 0 {
		return nil
	}
	heads := 1
	if rank == 4 {
		heads = q[1]
	}
	attrs := []graph.Attr{graph.Float("scale", float32(p.scale))}
	if p.causal {
		attrs = append(attrs, graph.Bool("is_causal", true))
	}
	flat := append(attrs[:len(attrs):len(attrs)], graph.Int("kv_num_heads", heads), graph.Int("q_num_heads", heads))
	switch {
	case rank == 3:
		if m := p.mask; m != nil && len(m.Shape) == 3 {
			p.mask = p.Add(&DefUnsqueeze, nil, m, p.ints(1))
		}
		return p.Add(&DefAttention, flat, trimmed(p.value(p.q), p.value(p.k), p.value(p.v), p.mask)...)
	case p.q.side() && p.k.side() && p.v.side():
		join := func(o attnOperand, size int) *graph.Value {
			return p.Add(&DefReshape, nil, o.x, p.ints(0, 0, heads*size))
		}
		y := p.Add(&DefAttention, flat, trimmed(join(p.q, q[3]), join(p.k, q[3]), join(p.v, v[3]), p.mask)...)
		y = p.Add(&DefReshape, nil, y, p.ints(0, 0, heads, v[3]))
		return p.Add(&DefTranspose, []graph.Attr{graph.Ints("perm", 0, 2, 1, 3)}, y)
	}
	return p.Add(&DefAttention, attrs, trimmed(p.value(p.q), p.value(p.k), p.value(p.v), p.mask)...)
}

func (p *attnPattern) ints(v ...int) *graph.Value {
	t := tensor.New(tensor.Int64, len(v))
	for i, x := range v {
		t.Int64s()[i] = int64(x)
	}
	return p.Const(t)
}
