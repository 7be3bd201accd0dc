package op

import (
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
		y.SetFloat64s(x.Float64s())
	default:
		y.SetInt64s(x.Int64sOf())
	}
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
var DefCastLike = graph.Def{
	Name: "CastLike", Since: 25, MinIn: 2, MaxIn: 2, Doc: "convert elements to the type of another tensor",
	Attrs: []graph.AttrDef{
		{Name: "saturate", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}},
		{Name: "round_mode", Kind: graph.AttrString},
	},
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
