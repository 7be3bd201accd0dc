package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// Reference evaluations compute floating-point elements in float64 and integers in int64, one
// element at a time, and round once into the output's type.

// refMap evaluates y[i] = f(x[i]).
func refMap(c *graph.RefCtx, f func(x float64) float64) {
	v := c.In[0].Float64s()
	for i, x := range v {
		v[i] = f(x)
	}
	c.Out[0].SetFloat64s(v)
}

// refMapNum is refMap with another function for integer types.
func refMapNum(c *graph.RefCtx, f func(x float64) float64, g func(x int64) int64) {
	if !c.In[0].DType().IsInt() {
		refMap(c, f)
		return
	}
	v := c.In[0].Int64sOf()
	for i, x := range v {
		v[i] = g(x)
	}
	c.Out[0].SetInt64s(v)
}

// refZip evaluates y[i] = f(a[i], b[i]) with broadcasting, or g on integer types; u, where given, is for uint64.
func refZip(c *graph.RefCtx, f func(a, b float64) float64, g func(a, b int64) int64, u func(a, b uint64) uint64) {
	sh := c.Out[0].Shape()
	if d := c.In[0].DType(); d.IsInt() || d == tensor.Bool {
		a, b := c.In[0].Expand(sh...).Int64sOf(), c.In[1].Expand(sh...).Int64sOf()
		for i := range a {
			if d == tensor.Uint64 && u != nil {
				a[i] = int64(u(uint64(a[i]), uint64(b[i])))
			} else {
				a[i] = g(a[i], b[i])
			}
		}
		c.Out[0].SetInt64s(a)
		return
	}
	a, b := c.In[0].Expand(sh...).Float64s(), c.In[1].Expand(sh...).Float64s()
	for i := range a {
		a[i] = f(a[i], b[i])
	}
	c.Out[0].SetFloat64s(a)
}

// outerInner returns the numbers of elements before and after an axis.
func outerInner(shape []int, axis int) (outer, n, inner int) {
	return tensor.Size(shape[:axis]), shape[axis], tensor.Size(shape[axis+1:])
}
