package keras

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// alike returns the inputs in one layout: the one that they share, else as Keras shows them.
func (b *builder) alike(l *layer, in []value) []value {
	if len(in) < 1 {
		l.fail("needs an input")
	}
	same := true
	for _, x := range in[1:] {
		same = same && x.lay == in[0].lay && len(x.v.Shape) == len(in[0].v.Shape) && tensor.SameShape(x.dims, in[0].dims)
	}
	if same {
		return in
	}
	out := make([]value, len(in))
	for i, x := range in {
		out[i] = b.plain(x)
	}
	return out
}

// merge folds the inputs with a function of two.
func merge(f func(a, b *graph.Value) *graph.Value) add {
	return func(b *builder, l *layer, in []value) value {
		in = b.alike(l, in)
		y := in[0].v
		for _, x := range in[1:] {
			y = f(y, x.v)
		}
		return in[0].with(y)
	}
}

func average(b *builder, l *layer, in []value) value {
	y := merge(op.Add)(b, l, in)
	return y.with(op.Mul(y.v, op.ConstLike(y.v, 1/float64(len(in)))))
}

func concatenate(b *builder, l *layer, in []value) value {
	axis, given := int(l.float("axis", -1)), in
	for _, x := range in {
		if x.lay == flat { // features of one picture follow those of another: the order is not that of one flattened picture
			in = append([]value{}, in...)
			for i := range in {
				in[i] = b.plain(in[i])
			}
			break
		}
	}
	in = b.alike(l, in)
	r := len(in[0].v.Shape)
	if axis < 0 {
		axis += r
	}
	if axis < 1 || axis >= r {
		l.bad("axis", "an axis of a sample; the batch is axis 0")
	}
	mask := joined(given, axis)
	if in[0].lay == first {
		if axis == r-1 {
			axis = 1
		} else {
			axis++
		}
	}
	vs := make([]*graph.Value, len(in))
	for i, x := range in {
		vs[i] = x.v
	}
	y := in[0].with(op.Concat(axis, vs...))
	y.mask = mask
	return y
}
