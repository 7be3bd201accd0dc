package op

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefCast is ONNX's Cast: floating-point numbers round to nearest even, or truncate toward zero on the way to
// integers; integers wrap to the target's width; anything but 0 becomes true.
var DefCast = graph.Def{
	Name: "Cast", Since: 25, MinIn: 1, MaxIn: 1, Doc: "convert elements to another type",
	Attrs: []graph.AttrDef{
		{Name: "to", Kind: graph.AttrInt, Required: true},
		{Name: "saturate", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "round_mode", Kind: graph.AttrString},
	},
	Infer: inferCast, Ref: refCast, Grad: gradCast{}, Lower: lowerCast, Same: alwaysSame,
}

func inferCast(c *graph.InferCtx) {
	to := tensor.DType(c.Node.Int("to"))
	if c.Node.Int("to") > 255 || !to.Valid() || to == tensor.Complex64 || to == tensor.Complex128 {
		c.Fail("cannot convert to element type ", c.Node.Int("to"))
	}
	checkCastable(c, c.In[0].DType)
	setLike(c, 0, to, c.In[0])
}

func checkCastable(c *graph.InferCtx, from tensor.DType) {
	if from == tensor.Complex64 || from == tensor.Complex128 {
		c.Fail("cannot convert from ", from)
	}
}

func refCast(c *graph.RefCtx) {
	x, y := c.In[0], c.Out[0]
	from, to := x.DType(), y.DType()
	switch {
	case from == to:
		tensor.CopyTo(y, x)
	case from == tensor.String:
		castFromString(c, x.Strings())
	case to == tensor.String:
		castToString(x, y.Strings())
	case from.IsFloat() || to.IsFloat():
		v := x.Float64s()
		if to.IsFloat() && to.Bits() <= 8 {
			storable(c.Node, v, to)
		}
		y.SetFloat64s(v)
	default:
		y.SetInt64s(x.Int64sOf())
	}
}

// storable prepares values for the types of 8 and 4 bits by the node's attributes: saturate takes what lies beyond the largest number to it,
// otherwise to NaN (to infinity in float8e5m2, which has one); round_mode is float8e8m0's, whose numbers are powers of two.
func storable(n *graph.Node, v []float64, to tensor.DType) {
	saturate := n.Int("saturate") != 0
	limit, over := 0.0, 0.0 // the largest number, and the first value that rounds beyond it
	switch to {
	case tensor.Float8E4M3FN:
		limit, over = 448, math.Nextafter(464, 500)
	case tensor.Float8E4M3FNUZ:
		limit, over = 240, 248
	case tensor.Float8E5M2, tensor.Float8E5M2FNUZ:
		limit, over = 57344, 61440
	case tensor.Float8E8M0:
		for i, x := range v {
			v[i] = powerOfTwo(x, n.Str("round_mode"))
		}
		return
	case tensor.Float4E2M1: // has no NaN; the others saturate in rounding
		for i, x := range v {
			if x != x {
				v[i] = math.Copysign(0, -1)
			}
		}
		return
	default:
		return
	}
	for i, x := range v {
		switch {
		case !(math.Abs(x) >= over):
		case saturate:
			v[i] = math.Copysign(limit, x)
		case to == tensor.Float8E5M2:
			v[i] = math.Inf(int(math.Copysign(1, x)))
		default:
			v[i] = math.NaN()
		}
	}
}

// powerOfTwo rounds a positive number to a power of two: "up" (also ""), "down" or "nearest"; others stay.
func powerOfTwo(x float64, mode string) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return x
	}
	f, e := math.Frexp(x) // x = f * 2^e, 1/2 <= f < 1
	if f == 0.5 || mode == "down" || mode == "nearest" && f < 0.75 {
		e--
	}
	return math.Ldexp(1, e)
}

// castFromString parses decimal numbers, INF and NaN.
func castFromString(c *graph.RefCtx, s []string) {
	v := make([]float64, len(s))
	for i, x := range s {
		f, err := strconv.ParseFloat(x, 64)
		if err != nil && f == 0 {
			c.Fail("cannot convert the string ", strconv.Quote(x), " to a number")
		}
		v[i] = f
	}
	c.Out[0].SetFloat64s(v)
}

// castToString prints the shortest decimal that reads back as the same number.
func castToString(x *tensor.Tensor, out []string) {
	if !x.DType().IsFloat() {
		for i, v := range x.Int64sOf() {
			out[i] = strconv.FormatInt(v, 10)
			if x.DType() == tensor.Uint64 {
				out[i] = strconv.FormatUint(uint64(v), 10)
			}
		}
		return
	}
	bits := 32
	if x.DType() == tensor.Float64 {
		bits = 64
	}
	for i, v := range x.Float64s() {
		out[i] = strconv.FormatFloat(v, 'g', -1, bits)
	}
}

// dx = dy converted back, between floating-point types; none through integers.
type gradCast struct{}

func (gradCast) Grad(c *graph.GradCtx) []*graph.Value {
	if x := c.In(0); isFloat(x.DType) && isFloat(c.DY[0].DType) {
		return []*graph.Value{Cast(c.DY[0], x.DType)}
	}
	return nil
}

// Cast returns x with elements of another type; x itself when it has it already.
func Cast(x *graph.Value, to tensor.DType) *graph.Value {
	if x.DType == to {
		return x
	}
	return x.G.Add(&DefCast, []graph.Attr{graph.Int("to", int(to))}, x)
}

// DefCastLike is ONNX's CastLike: Cast to the type of the second input.
//
//weft:full
var DefCastLike = graph.Def{
	Name: "CastLike", Since: 25, MinIn: 2, MaxIn: 2, Doc: "convert elements to the type of another tensor",
	Attrs: []graph.AttrDef{
		{Name: "saturate", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "round_mode", Kind: graph.AttrString},
	},
	Same: alwaysSame,
	Infer: func(c *graph.InferCtx) {
		checkCastable(c, c.In[0].DType)
		setLike(c, 0, c.In[1].DType, c.In[0])
	},
	Ref: refCast, Grad: gradCast{}, ShapeOnly: []int{1}, Body: bodyCastLike{},
}

type bodyCastLike struct{}

func (bodyCastLike) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	return []*graph.Value{Cast(in[0], in[1].DType)}
}

// CastLike returns x with elements of the type of like.
func CastLike(x, like *graph.Value) *graph.Value { return binary(&DefCastLike, x, like) }
