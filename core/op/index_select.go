package op

import (
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefOneHot is ONNX's OneHot: indices to vectors of length depth along a new axis, values[1] at the index and values[0] elsewhere.
// Indices outside -depth..depth-1 give values[0] only.
var DefOneHot = graph.Def{
	Name: "OneHot", Since: 11, Doc: "Vectors with one element set.", MinIn: 3, MaxIn: 3, HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}}},
	Infer: inferOneHot, Ref: refOneHot, Grad: gradOneHot{}, Lower: lowerOneHot,
}

// OneHot turns indices into vectors of length depth along a new axis (-1: the last) with on at the index and off elsewhere.
func OneHot(indices *graph.Value, depth, axis int, off, on float32) *graph.Value {
	g := indices.G
	return g.Add(&DefOneHot, []graph.Attr{graph.Int("axis", axis)}, indices, g.Const(tensor.Scalar(int64(depth))), g.Const(tensor.From([]float32{off, on}, 2)))
}

func inferOneHot(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantScalar(c, 1)
	x, d := c.In[0], c.In[2].DType
	if v := c.In[2]; v.HasRank && (len(v.Shape) != 1 || v.Shape[0] >= 0 && v.Shape[0] != 2) {
		c.Fail("the values must be two: off and on")
	}
	if !x.HasRank {
		c.SetUnranked(0, d)
		return
	}
	depth := graph.Unknown
	if v, ok := c.Ints(1); ok && len(v) == 1 {
		if depth = v[0]; depth < 1 || depth > tensor.MaxElements {
			c.Fail("the depth is ", depth, "; it must be at least 1")
		}
	}
	if len(x.Shape) >= tensor.MaxRank {
		c.Fail("the result would have rank ", len(x.Shape)+1)
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape)+1)
	c.Set(0, d, slices.Insert(slices.Clone(x.Shape), axis, depth))
}

func refOneHot(c *graph.RefCtx) {
	depth := int(c.In[1].Int64sOf()[0])
	axis := nodeAxis(c.Node, c.In[0].Rank()+1)
	if c.Out[0] == nil {
		c.Out[0] = tensor.New(c.In[2].DType(), slices.Insert(slices.Clone(c.In[0].Shape()), axis, depth)...)
	}
	inner := tensor.Size(c.In[0].Shape()[axis:])
	d, v := cellsOf(c.Out[0]), cellsOf(c.In[2])
	for i := range c.Out[0].Len() {
		d.set(i, v, 0)
	}
	for i, k := range c.In[0].Int64sOf() {
		if k < 0 {
			k += int64(depth)
		}
		if k >= 0 && k < int64(depth) {
			d.set((i/inner*depth+int(k))*inner+i%inner, v, 1)
		}
	}
}

// gradOneHot: the result is off + (on-off)*h with h of zeros and ones, so don = sum dy*h and doff = sum dy*(1-h).
type gradOneHot struct{}

func (gradOneHot) Grad(c *graph.GradCtx) []*graph.Value {
	if v := c.In(2); !v.DType.IsFloat() {
		return nil
	}
	dy := c.DY[0]
	values := tensor.New(dy.DType, 2)
	values.SetFloat64s([]float64{0, 1})
	h := c.G.Add(&DefOneHot, c.Node.Attrs, c.In(0), c.In(1), c.G.Const(values))
	on := sumAll(Mul(dy, h))
	return []*graph.Value{nil, nil, Concat(0, Unsqueeze(Sub(sumAll(dy), on), 0), Unsqueeze(on, 0))}
}

// DefTopK is ONNX's TopK: the k largest (or smallest) elements along an axis, sorted, and their positions. Among equal
// elements the one with the smaller index comes first; a NaN is larger than everything.
var DefTopK = graph.Def{
	Name: "TopK", Since: 24, Doc: "The k largest or smallest elements along an axis.", MinIn: 2, MaxIn: 2, MinOut: 2, MaxOut: 2, HostInputs: []int{1},
	Attrs: []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: -1}},
		{Name: "largest", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}, {Name: "sorted", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}},
	Infer: inferTopK, Ref: refTopK, Grad: gradTopK{}, Lower: lowerTopK, Upgrade: upgradeTopK,
}

// TopK returns the k largest (or smallest) elements along an axis, best first, and their positions.
func TopK(x *graph.Value, k, axis int, smallest bool) (values, indices *graph.Value) {
	out := x.G.AddN(&DefTopK, "", 2, []graph.Attr{graph.Int("axis", axis), graph.Bool("largest", !smallest)}, x, ConstInts(x.G, k))
	return out[0], out[1]
}

// upgradeTopK: before opset 10 k was an attribute.
func upgradeTopK(c *graph.UpgradeCtx) {
	if a := c.Attr("k"); a != nil {
		c.Inputs = append(c.Inputs, ConstInts(c.G, int(a.I)))
		c.Remove("k")
	}
}

func inferTopK(c *graph.InferCtx) {
	wantNumeric(c, 0)
	wantScalar(c, 1)
	x := c.In[0]
	if !x.HasRank {
		c.SetUnranked(0, x.DType)
		c.SetUnranked(1, tensor.Int64)
		return
	}
	axis := axisOf(c, c.Node.Int("axis"), len(x.Shape))
	out := slices.Clone(x.Shape)
	out[axis] = graph.Unknown
	if k, ok := c.Ints(1); ok && len(k) == 1 {
		if k[0] < 0 || x.Shape[axis] >= 0 && k[0] > x.Shape[axis] {
			c.Fail("asks for ", k[0], " elements of axis ", axis)
		}
		out[axis] = k[0]
	}
	c.Set(0, x.DType, out)
	c.Set(1, tensor.Int64, out)
}

func refTopK(c *graph.RefCtx) {
	x := c.In[0]
	axis := nodeAxis(c.Node, x.Rank())
	outer, n, inner := outerInner(x.Shape(), axis)
	k := int(c.In[1].Int64sOf()[0])
	if k < 0 || k > n {
		c.Fail("asks for ", k, " elements of an axis of ", n)
	}
	shape := slices.Clone(x.Shape())
	shape[axis] = k
	for i, d := range []tensor.DType{x.DType(), tensor.Int64} {
		if c.Out[i] == nil {
			c.Out[i] = tensor.New(d, shape...)
		}
	}
	less, largest := lessOf(x), c.Node.Int("largest") != 0
	d, s, index := cellsOf(c.Out[0]), cellsOf(x), c.Out[1].Int64s()
	order := make([]int32, n) // the sort of int32 is shared with the compiler's
	for o := range outer {
		for in := range inner {
			at := func(i int32) int { return (o*n+int(i))*inner + in }
			for i := range order {
				order[i] = int32(i)
			}
			slices.SortStableFunc(order, func(a, b int32) int {
				if largest {
					a, b = b, a
				}
				switch x, y := at(a), at(b); {
				case less(x, y):
					return -1
				case less(y, x):
					return 1
				}
				return 0
			})
			for i, from := range order[:k] {
				to := (o*k+i)*inner + in
				d.set(to, s, at(from))
				index[to] = int64(from)
			}
		}
	}
}

// lessOf returns the order of a tensor's elements, by their index: NaN is larger than everything, strings go by bytes.
func lessOf(t *tensor.Tensor) func(i, j int) bool {
	switch d := t.DType(); {
	case d == tensor.String:
		s := t.Strings()
		return func(i, j int) bool { return s[i] < s[j] }
	case d.IsFloat():
		v := t.Float64s()
		return func(i, j int) bool { return v[i] < v[j] || v[i] == v[i] && v[j] != v[j] }
	default:
		v := t.Int64sOf()
		return func(i, j int) bool { return lessInt(d, v[i], v[j]) }
	}
}

// gradTopK: dy goes back to the places it came from.
type gradTopK struct{}

func (gradTopK) Grad(c *graph.GradCtx) []*graph.Value {
	if c.DY[0] == nil {
		return nil
	}
	return []*graph.Value{ScatterElements(zerosLike(c.In(0)), extraOutput(c.Node, 1), c.DY[0], c.Node.Int("axis"), "add"), nil}
}

// DefNonZero is ONNX's NonZero: the positions of the elements that are not 0, [rank, count], in row-major order.
//
//weft:full
var DefNonZero = graph.Def{
	Name: "NonZero", Since: 13, Doc: "Positions of the elements that are not zero.", MinIn: 1, MaxIn: 1, NoGrad: noGradInts,
	Infer: inferNonZero, Ref: refNonZero,
}

// NonZero returns the positions of the elements of x that are not 0: one column for each.
func NonZero(x *graph.Value) *graph.Value { return unary(&DefNonZero, x) }

func inferNonZero(c *graph.InferCtx) {
	if d := c.In[0].DType; !d.IsNumeric() && d != tensor.Bool {
		c.Fail("takes numbers or bools, not ", d)
	}
	r := graph.Unknown
	if c.In[0].HasRank {
		r = len(c.In[0].Shape)
	}
	c.Set(0, tensor.Int64, []int{r, graph.Unknown})
}

func refNonZero(c *graph.RefCtx) {
	x := c.In[0]
	v, index, at := x.Float64s(), make([]int, x.Rank()), []int64{}
	count := 0
	for _, e := range v {
		if e != 0 {
			count++
			for _, k := range index {
				at = append(at, int64(k))
			}
		}
		next(index, x.Shape())
	}
	out := tensor.New(tensor.Int64, x.Rank(), count)
	for i, k := range at {
		out.Int64s()[i%x.Rank()*count+i/x.Rank()] = k
	}
	c.Out[0] = out
}

// DefUnique is ONNX's Unique: the different elements, or slices along an axis, sorted or in the order of their first appearance; where each
// appears first; for every element the number of its equal in the result; and how often each appears.
//
//weft:full
var DefUnique = graph.Def{
	Name: "Unique", Since: 11, Doc: "The different elements or slices.", MinIn: 1, MaxIn: 1, MaxOut: 4,
	NoGrad: "which elements are equal does not change smoothly",
	Attrs:  []graph.AttrDef{{Name: "axis", Kind: graph.AttrInt}, {Name: "sorted", Kind: graph.AttrInt, Default: graph.Attr{Kind: graph.AttrInt, I: 1}}},
	Infer:  inferUnique, Ref: refUnique,
}

// Unique returns the different elements of x in ascending order, the index of the first of each, for every element its position in
// the result, and counts.
func Unique(x *graph.Value) (y, first, inverse, counts *graph.Value) {
	out := x.G.AddN(&DefUnique, "", 4, nil, x)
	return out[0], out[1], out[2], out[3]
}

func inferUnique(c *graph.InferCtx) {
	x := c.In[0]
	switch {
	case !c.Node.HasAttr("axis"):
		c.Set(0, x.DType, []int{graph.Unknown})
	case x.HasRank:
		out := slices.Clone(x.Shape)
		out[axisOf(c, c.Node.Int("axis"), len(out))] = graph.Unknown
		c.Set(0, x.DType, out)
	default:
		c.SetUnranked(0, x.DType)
	}
	for i := 1; i < 4; i++ {
		c.Set(i, tensor.Int64, []int{graph.Unknown})
	}
}

func refUnique(c *graph.RefCtx) {
	x := c.In[0]
	outer, n, inner, shape, axis := 1, x.Len(), 1, []int{x.Len()}, 0
	if c.Node.HasAttr("axis") {
		axis = nodeAxis(c.Node, x.Rank())
		shape = slices.Clone(x.Shape())
		outer, n, inner = outerInner(shape, axis)
	}
	less := lessOf(x)
	// compare orders slices i and j of the axis by their elements in row-major order.
	compare := func(i, j int) int {
		for o := range outer {
			for k := range inner {
				a, b := (o*n+i)*inner+k, (o*n+j)*inner+k
				if less(a, b) {
					return -1
				}
				if less(b, a) {
					return 1
				}
			}
		}
		return 0
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, compare)
	var groups [][]int // equal slices, in order of appearance
	for k, i := range order {
		if k > 0 && compare(order[k-1], i) == 0 {
			groups[len(groups)-1] = append(groups[len(groups)-1], i)
		} else {
			groups = append(groups, []int{i})
		}
	}
	if c.Node.Int("sorted") == 0 {
		slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	}
	shape[axis] = len(groups)
	y, first, inverse, counts := tensor.New(x.DType(), shape...), make([]int64, len(groups)), make([]int64, n), make([]int64, len(groups))
	d, s := cellsOf(y), cellsOf(x)
	for g, members := range groups {
		first[g], counts[g] = int64(members[0]), int64(len(members))
		for _, i := range members {
			inverse[i] = int64(g)
		}
		for o := range outer {
			for k := range inner {
				d.set((o*len(groups)+g)*inner+k, s, (o*n+members[0])*inner+k)
			}
		}
	}
	all := []*tensor.Tensor{y, tensor.From(first, len(first)), tensor.From(inverse, n), tensor.From(counts, len(counts))}
	copy(c.Out, all[:len(c.Out)])
}
