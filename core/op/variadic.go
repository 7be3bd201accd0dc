package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Max, Min, Mean and Sum take any number of tensors and broadcast them all. With two of them Max and Min are one vector operation;
// more are folded from the left.

func inferVariadic(c *graph.InferCtx) {
	wantNumeric(c, 0)
	for i := range c.In {
		wantSameType(c, 0, i)
	}
	broadcastAll(c, c.In[0].DType, c.In...)
}

func inferVariadicFloat(c *graph.InferCtx) {
	wantFloat(c, 0)
	inferVariadic(c)
}

// refFold folds the inputs from the left.
func refFold(c *graph.RefCtx, f func(a, b float64) float64, g func(a, b int64) int64, last float64) {
	sh := c.Out[0].Shape()
	if c.In[0].DType().IsInt() {
		acc := c.In[0].Expand(sh...).Int64sOf()
		for _, t := range c.In[1:] {
			for i, v := range t.Expand(sh...).Int64sOf() {
				acc[i] = g(acc[i], v)
			}
		}
		c.Out[0].SetInt64s(acc)
		return
	}
	acc := c.In[0].Expand(sh...).Float64s()
	for _, t := range c.In[1:] {
		for i, v := range t.Expand(sh...).Float64s() {
			acc[i] = f(acc[i], v)
		}
	}
	if last != 1 {
		for i := range acc {
			acc[i] *= last
		}
	}
	c.Out[0].SetFloat64s(acc)
}

// foldBody folds the inputs from the left by an operator of two.
func foldBody(n *graph.Node, in []*graph.Value, f func(a, b *graph.Value) *graph.Value) *graph.Value {
	y := in[0]
	for _, x := range in[1:] {
		y = f(y, x)
	}
	if len(in) == 1 {
		y = Identity(y)
	}
	return y
}

// DefMax is ONNX's Max: max(a, b) is a < b ? b : a, so the first of equals wins, and a first NaN.
var DefMax = graph.Def{
	Name: "Max", Since: 13, MinIn: 1, MaxIn: -1, Doc: "largest of the inputs", Infer: inferVariadic, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) {
		d := c.In[0].DType()
		refFold(c, func(a, b float64) float64 {
			if a < b {
				return b
			}
			return a
		}, func(a, b int64) int64 {
			if lessInt(d, a, b) {
				return b
			}
			return a
		}, 1)
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		op, _ := elemBinary(simd.Max)
		return op, len(n.Inputs) == 2
	},
	Body: bodyMax{}, Grad: gradMax{},
}

type bodyMax struct{}

func (bodyMax) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{foldBody(n, in, func(a, b *graph.Value) *graph.Value { return Max(a, b) })}
}

// Of two: da = a < b ? 0 : dy, db = a < b ? dy : 0; at ties the first takes it. More go through the fold.
type gradMax struct{}

func (gradMax) Grad(c *graph.GradCtx) []*graph.Value { return pickGrad(c, Less) }

// DefMin is ONNX's Min: min(a, b) is b < a ? b : a.
var DefMin = graph.Def{
	Name: "Min", Since: 13, MinIn: 1, MaxIn: -1, Doc: "smallest of the inputs", Infer: inferVariadic, InPlace: []int{0, 1},
	Ref: func(c *graph.RefCtx) {
		d := c.In[0].DType()
		refFold(c, func(a, b float64) float64 {
			if b < a {
				return b
			}
			return a
		}, func(a, b int64) int64 {
			if lessInt(d, b, a) {
				return b
			}
			return a
		}, 1)
	},
	Elem: func(n *graph.Node) (graph.ElemOp, bool) {
		op, _ := elemBinary(simd.Min)
		return op, len(n.Inputs) == 2
	},
	Body: bodyMin{}, Grad: gradMin{},
}

type bodyMin struct{}

func (bodyMin) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{foldBody(n, in, func(a, b *graph.Value) *graph.Value { return Min(a, b) })}
}

// Of two: da = b < a ? 0 : dy, db = b < a ? dy : 0; at ties the first takes it.
type gradMin struct{}

func (gradMin) Grad(c *graph.GradCtx) []*graph.Value { return pickGrad(c, Greater) }

// pickGrad gives dy to the input that was picked: walking back from the last input, which was picked where beats(best of
// those before it, input).
func pickGrad(c *graph.GradCtx, beats func(a, b *graph.Value) *graph.Value) []*graph.Value {
	in := c.Node.Inputs
	best := make([]*graph.Value, len(in)) // of inputs 0..i
	best[0] = in[0]
	for i := 1; i < len(in)-1; i++ {
		best[i] = c.G.Add(c.Node.Def, nil, best[i-1], in[i])
	}
	out, dy := make([]*graph.Value, len(in)), c.DY[0]
	zero := ConstLike(dy, 0)
	for i := len(in) - 1; i > 0; i-- {
		take := beats(best[i-1], in[i])
		out[i] = SumTo(Where(take, dy, zero), in[i])
		dy = Where(take, zero, dy)
	}
	out[0] = SumTo(dy, in[0])
	return out
}

// DefSum is ONNX's Sum.
var DefSum = graph.Def{
	Name: "Sum", Since: 13, MinIn: 1, MaxIn: -1, Doc: "sum of the inputs", Infer: inferVariadicFloat, FLOPs: flopsVariadic,
	Ref: func(c *graph.RefCtx) { refFold(c, addFloat, addInt, 1) }, Body: bodySum{},
}

type bodySum struct{}

func (bodySum) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{foldBody(n, in, Add)}
}

// DefMean is ONNX's Mean.
var DefMean = graph.Def{
	Name: "Mean", Since: 13, MinIn: 1, MaxIn: -1, Doc: "mean of the inputs", Infer: inferVariadicFloat, FLOPs: flopsVariadic,
	Ref: func(c *graph.RefCtx) { refFold(c, addFloat, addInt, 1/float64(len(c.In))) }, Body: bodyMean{},
}

type bodyMean struct{}

func (bodyMean) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{axpb(1/float64(len(in)), foldBody(n, in, Add), nil)}
}

func variadic(d *graph.Def, x []*graph.Value) *graph.Value {
	if len(x) == 0 {
		tensor.Fail(d.Name, "needs at least one input")
	}
	return x[0].G.Add(d, nil, x...)
}

// Max returns the largest of its inputs, element by element, with broadcasting.
func Max(x ...*graph.Value) *graph.Value { return variadic(&DefMax, x) }

// Min returns the smallest of its inputs, element by element, with broadcasting.
func Min(x ...*graph.Value) *graph.Value { return variadic(&DefMin, x) }

// Sum returns the sum of its inputs, element by element, with broadcasting.
func Sum(x ...*graph.Value) *graph.Value { return variadic(&DefSum, x) }

// Mean returns the mean of its inputs, element by element, with broadcasting.
func Mean(x ...*graph.Value) *graph.Value { return variadic(&DefMean, x) }

// DefMod is ONNX's Mod: the result has the sign of b, or of a under fmod, which floating-point types need. Integers modulo 0 give 0.
//
//weft:full
var DefMod = graph.Def{
	Name: "Mod", Since: 13, MinIn: 2, MaxIn: 2, Doc: "remainder of a / b", InPlace: []int{0, 1},
	Attrs: []graph.AttrDef{{Name: "fmod", Kind: graph.AttrInt}},
	FLOPs: flopsOutput,
	Infer: func(c *graph.InferCtx) {
		if isFloat(c.In[0].DType) && c.Node.Int("fmod") == 0 {
			c.Fail("floating-point types need fmod = 1")
		}
		inferArith(c)
	},
	Ref: refMod, Grad: gradMod{},
}

func refMod(c *graph.RefCtx) {
	fmod := c.Node.Int("fmod") != 0
	refZip(c, math.Mod, func(a, b int64) int64 {
		if b == 0 {
			return 0
		}
		r := a % b
		if !fmod && r != 0 && (r < 0) != (b < 0) {
			r += b
		}
		return r
	}, func(a, b uint64) uint64 {
		if b == 0 {
			return 0
		}
		return a % b
	})
}

// y = a - b*trunc(a/b): da = dy, db = -dy*trunc(a/b), almost everywhere.
type gradMod struct{}

func (gradMod) Grad(c *graph.GradCtx) []*graph.Value {
	a, b, dy := c.In(0), c.In(1), c.DY[0]
	if !isFloat(a.DType) {
		return nil
	}
	q := Div(Sub(a, c.Out(0)), b) // a whole number, up to rounding
	return []*graph.Value{SumTo(dy, a), SumTo(Neg(Mul(dy, Round(q))), b)}
}

// Mod returns the remainder of a / b; fmod gives it the sign of a and is needed for floating-point types.
func Mod(a, b *graph.Value, fmod bool) *graph.Value {
	return a.G.Add(&DefMod, []graph.Attr{graph.Bool("fmod", fmod)}, a, b)
}
