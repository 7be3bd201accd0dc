package op

import (
	"math"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The rules by which the compiler recognises what exporters write as several nodes: attention, layer normalisation, Gelu. They read float32 graphs
// for inference: where something else reads a value inside, as gradients do, the nodes stay.

// fuseParts are what the rules share.
type fuseParts struct{ *graph.FuseCtx }

// made returns the node that computes a value, when it is one of the operator's.
func made(v *graph.Value, d *graph.Def) *graph.Node {
	if v == nil || v.Origin != graph.FromNode || v.Node == nil || v.Node.Def != d || v.Index != 0 {
		return nil
	}
	return v.Node
}

// inner is made for values that nothing outside the pattern reads.
func (f fuseParts) inner(v *graph.Value, d *graph.Def) *graph.Node {
	if n := made(v, d); n != nil && f.Inner(v) {
		return n
	}
	return nil
}

// number returns the element of a float32 constant of one element.
func number(v *graph.Value) (float64, bool) {
	if v == nil || v.Const == nil || v.Const.DType() != tensor.Float32 || v.Const.Len() != 1 {
		return 0, false
	}
	return v.Const.Float64s()[0], true
}

// factor returns x and c for a node x*c, c*x or x/c, and x itself otherwise.
func factor(v *graph.Value) (x *graph.Value, c float64, ok bool) {
	if n := made(v, &DefMul); n != nil {
		for i := range 2 {
			if c, ok := number(n.Inputs[i]); ok && sameShapeValue(v, n.Inputs[1-i]) {
				return n.Inputs[1-i], c, true
			}
		}
	}
	if n := made(v, &DefDiv); n != nil {
		if c, ok := number(n.Inputs[1]); ok && c != 0 && sameShapeValue(v, n.Inputs[0]) {
			return n.Inputs[0], 1 / c, true
		}
	}
	return v, 1, false
}

// sameShapeValue reports whether two values certainly have one shape.
func sameShapeValue(a, b *graph.Value) bool {
	return a.HasRank && b.HasRank && slices.Equal(a.Shape, b.Shape) && !slices.Contains(a.Shape, graph.Unknown)
}

func about(x, want float64) bool { return math.Abs(x-want) <= 1e-4*math.Abs(want) }

// plusOne returns x for a node x+1.
func (f fuseParts) plusOne(v *graph.Value) *graph.Value {
	if n := f.inner(v, &DefAdd); n != nil {
		for i := range 2 {
			if c, ok := number(n.Inputs[i]); ok && c == 1 {
				return n.Inputs[1-i]
			}
		}
	}
	return nil
}

// fuseMul recognises Gelu, and layer and RMS normalisation with a scale.
type fuseMul struct{}

func (fuseMul) Fuse(c *graph.FuseCtx) *graph.Value {
	f := fuseParts{c}
	if v := c.Node.Outputs[0]; v == nil || v.DType != tensor.Float32 {
		return nil
	}
	if y := f.gelu(); y != nil {
		return y
	}
	return f.layerNorm()
}

// gelu recognises x * 0.5 * (1 + erf(x/sqrt(2))), and x * 0.5 * (1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3))), in any order of the factors.
func (f fuseParts) gelu() *graph.Value {
	var vars []*graph.Value
	scale := 1.0
	var collect func(v *graph.Value, top bool)
	collect = func(v *graph.Value, top bool) {
		if c, ok := number(v); ok {
			scale *= c
			return
		}
		if n := made(v, &DefMul); n != nil && (top || f.Inner(v)) && len(vars) < 3 {
			collect(n.Inputs[0], false)
			collect(n.Inputs[1], false)
			return
		}
		vars = append(vars, v)
	}
	out := f.Node.Outputs[0]
	collect(out, true)
	if len(vars) != 2 || scale != 0.5 {
		return nil
	}
	for i := range 2 {
		x, e := vars[i], f.plusOne(vars[1-i])
		if e == nil || !sameShapeValue(x, out) {
			continue
		}
		if n := f.inner(e, &DefErf); n != nil {
			if t, c, ok := factor(n.Inputs[0]); ok && t == x && about(c, math.Sqrt2/2) {
				return f.Add(&DefGelu, nil, x)
			}
		}
		if n := f.inner(e, &DefTanh); n != nil {
			if t, c, ok := factor(n.Inputs[0]); ok && about(c, math.Sqrt(2/math.Pi)) && f.cubic(t, x) {
				return f.Add(&DefGelu, []graph.Attr{graph.Str("approximate", "tanh")}, x)
			}
		}
	}
	return nil
}

// cubic reports whether v is x + 0.044715*x**3.
func (f fuseParts) cubic(v, x *graph.Value) bool {
	n := f.inner(v, &DefAdd)
	if n == nil {
		return false
	}
	for i := range 2 {
		if n.Inputs[i] != x {
			continue
		}
		count, scale := 0, 1.0
		var walk func(v *graph.Value)
		walk = func(v *graph.Value) {
			if c, ok := number(v); ok {
				scale *= c
			} else if v == x {
				count++
			} else if n := made(v, &DefMul); n != nil {
				walk(n.Inputs[0])
				walk(n.Inputs[1])
			} else if n := made(v, &DefPow); n != nil && n.Inputs[0] == x {
				c, _ := number(n.Inputs[1])
				count += int(c)
			} else {
				count += 9
			}
		}
		walk(n.Inputs[1-i])
		return count == 3 && about(scale, 0.044715)
	}
	return false
}

// root returns v and epsilon for an inverse root 1/sqrt(v + epsilon), as a reciprocal, a quotient or a power; all of it inner.
func (f fuseParts) root(x *graph.Value) (v *graph.Value, eps float64) {
	if n := f.inner(x, &DefReciprocal); n != nil {
		return f.sqrt(n.Inputs[0])
	}
	if n := f.inner(x, &DefDiv); n != nil {
		if c, ok := number(n.Inputs[0]); ok && c == 1 {
			return f.sqrt(n.Inputs[1])
		}
	}
	if n := f.inner(x, &DefPow); n != nil {
		if c, ok := number(n.Inputs[1]); ok && c == -0.5 {
			return f.plus(n.Inputs[0])
		}
	}
	return nil, 0
}

// sqrt returns v and epsilon for sqrt(v + epsilon).
func (f fuseParts) sqrt(x *graph.Value) (v *graph.Value, eps float64) {
	if n := f.inner(x, &DefSqrt); n != nil {
		return f.plus(n.Inputs[0])
	}
	if n := f.inner(x, &DefPow); n != nil {
		if c, ok := number(n.Inputs[1]); ok && c == 0.5 {
			return f.plus(n.Inputs[0])
		}
	}
	return nil, 0
}

// plus returns v and epsilon for v + epsilon.
func (f fuseParts) plus(x *graph.Value) (v *graph.Value, eps float64) {
	if n := f.inner(x, &DefAdd); n != nil {
		for i := range 2 {
			if c, ok := number(n.Inputs[i]); ok {
				return n.Inputs[1-i], c
			}
		}
	}
	return nil, 0
}

// layerNorm recognises d / sqrt(mean(d**2) + epsilon) * scale over the last dimension, the factors in any order: layer normalisation where d is x - mean(x), else RMS normalisation of d.
func (f fuseParts) layerNorm() *graph.Value {
	var vars []*graph.Value
	var variance *graph.Value
	eps, good := 0.0, true
	take := func(v *graph.Value, e float64) bool {
		if v != nil {
			good = good && variance == nil
			variance, eps = v, e
		}
		return v != nil
	}
	var collect func(v *graph.Value, top bool)
	collect = func(v *graph.Value, top bool) {
		if take(f.root(v)) || len(vars) > 2 {
			return
		}
		if n := made(v, &DefMul); n != nil && (top || f.Inner(v)) {
			collect(n.Inputs[0], false)
			collect(n.Inputs[1], false)
			return
		}
		if n := f.inner(v, &DefDiv); n != nil && take(f.sqrt(n.Inputs[1])) {
			v = n.Inputs[0]
		}
		vars = append(vars, v)
	}
	collect(f.Node.Outputs[0], true)
	if len(vars) != 2 || variance == nil || !good {
		return nil
	}
	for i := range 2 {
		d, scale := vars[i], vars[1-i]
		if !f.squareOf(f.lastMean(variance, true), d) || !vectorAlong(scale, d) {
			continue
		}
		attrs := []graph.Attr{graph.Int("axis", -1), graph.Float("epsilon", float32(eps))}
		if n := made(d, &DefSub); n != nil && f.lastMean(n.Inputs[1], true) == n.Inputs[0] {
			return f.Add(&DefLayerNormalization, attrs, n.Inputs[0], scale)
		}
		return f.Add(&DefRMSNormalization, attrs, d, scale)
	}
	return nil
}

// foldedNorm recognises layer normalisation as TensorFlow computes it: x*m + (bias - mean(x)*m) with m = scale / sqrt(mean((x - mean(x))**2) + epsilon).
func (f fuseParts) foldedNorm() *graph.Value {
	for i := range 2 {
		scaled, rest := f.inner(f.Node.Inputs[i], &DefMul), f.inner(f.Node.Inputs[1-i], &DefSub)
		if scaled == nil || rest == nil {
			continue
		}
		shift := f.inner(rest.Inputs[1], &DefMul)
		if shift == nil {
			continue
		}
		for k := range 4 {
			x, m, mean := scaled.Inputs[k&1], scaled.Inputs[1-k&1], shift.Inputs[k>>1]
			n := made(m, &DefMul)
			if n == nil || shift.Inputs[1-k>>1] != m || f.lastMean(mean, false) != x {
				continue
			}
			for j := range 2 {
				variance, eps := f.root(n.Inputs[j])
				if variance == nil || !vectorAlong(n.Inputs[1-j], x) || !vectorAlong(rest.Inputs[0], x) {
					continue
				}
				square := f.lastMean(variance, true)
				for _, d := range differences(square) {
					if q := made(d, &DefSub); q != nil && q.Inputs[0] == x && q.Inputs[1] == mean && f.squareOf(square, d) {
						return f.Add(&DefLayerNormalization, []graph.Attr{graph.Int("axis", -1), graph.Float("epsilon", float32(eps))}, x, n.Inputs[1-j], rest.Inputs[0])
					}
				}
			}
		}
	}
	return nil
}

// differences returns what a square may be of.
func differences(v *graph.Value) []*graph.Value {
	if v == nil || v.Origin != graph.FromNode || v.Node == nil || len(v.Node.Inputs) == 0 {
		return nil
	}
	return v.Node.Inputs[:1]
}

// vectorAlong reports whether v is a vector along the last, known dimension of x.
func vectorAlong(v, x *graph.Value) bool {
	if !v.HasRank || !x.HasRank || len(x.Shape) == 0 {
		return false
	}
	size := x.Shape[len(x.Shape)-1]
	return size >= 1 && slices.Equal(v.Shape, []int{size})
}

// squareOf reports whether v is d*d.
func (f fuseParts) squareOf(v, d *graph.Value) bool {
	if n := made(v, &DefMul); n != nil {
		return n.Inputs[0] == d && n.Inputs[1] == d
	}
	if n := made(v, &DefPow); n != nil && n.Inputs[0] == d {
		c, ok := number(n.Inputs[1])
		return ok && c == 2
	}
	return false
}

// lastMean returns x for a mean of x over its last dimension, which stays with size 1; with inner only the pattern may read the mean.
func (f fuseParts) lastMean(v *graph.Value, inner bool) *graph.Value {
	n := made(v, &DefReduceMean)
	if n == nil || inner && !f.Inner(v) || n.Int("keepdims") == 0 || len(n.Inputs) < 2 || n.Inputs[1] == nil || n.Inputs[1].Const == nil || !n.Inputs[0].HasRank {
		return nil
	}
	axes := n.Inputs[1].Const.Int64sOf()
	if len(axes) != 1 || axes[0] != -1 && axes[0] != int64(len(n.Inputs[0].Shape)-1) {
		return nil
	}
	return n.Inputs[0]
}

// fuseAdd recognises a layer normalisation to which a bias is added, or that is written as a factor and a bias.
type fuseAdd struct{}

func (fuseAdd) Fuse(c *graph.FuseCtx) *graph.Value {
	f := fuseParts{c}
	for i := range 2 {
		n, bias := f.inner(c.Node.Inputs[i], &DefLayerNormalization), c.Node.Inputs[1-i]
		if n == nil || len(n.Inputs) != 2 || !bias.HasRank || !n.Inputs[1].HasRank || !slices.Equal(bias.Shape, n.Inputs[1].Shape) {
			continue
		}
		return f.Add(&DefLayerNormalization, n.Attrs, n.Inputs[0], n.Inputs[1], bias)
	}
	if v := c.Node.Outputs[0]; v == nil || v.DType != tensor.Float32 {
		return nil
	}
	return f.foldedNorm()
}

// fuseTranspose drops a transposition that undoes the one before.
type fuseTranspose struct{}

func (fuseTranspose) Fuse(c *graph.FuseCtx) *graph.Value {
	x := c.Node.Inputs[0]
	n := made(x, &DefTranspose)
	if n == nil || !x.HasRank {
		return nil
	}
	before, after := permOf(n, len(x.Shape), failOf(n)), permOf(c.Node, len(x.Shape), failOf(c.Node))
	for i, k := range after {
		if before[k] != i {
			return nil
		}
	}
	return n.Inputs[0]
}
