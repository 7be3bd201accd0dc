package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// GroupNorm normalises groups of neighbouring channels of every sample of [N, C, ...], and scales and shifts each channel (Wu, He, ECCV 2018; ONNX
// GroupNormalization).
type GroupNorm struct {
	Groups  int
	Epsilon float32 // 0: 1e-5
	Name    string
}

// Apply adds the variables NAME.scale and NAME.bias of [C].
func (l GroupNorm) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "groupnorm")
	what := "GroupNorm " + name
	if !x.HasRank || len(x.Shape) < 3 {
		fail(what, "takes an input of three or more dimensions, [N, C, ...]")
	}
	n := dim(what, x, 1, len(x.Shape))
	if l.Groups < 1 || n%l.Groups != 0 {
		fail(what, strconv.Itoa(l.Groups), " groups do not divide ", n, " channels")
	}
	scale, bias := c.Param(name+".scale", Ones, n, n, n), c.Param(name+".bias", Zeros, n, n, n)
	return op.GroupNormalization(x, scale, bias, l.Groups, or(l.Epsilon, 1e-5))
}

// RMSNorm divides every sample by the root of the mean square of its last axis, and scales it (Zhang, Sennrich, 2019; ONNX RMSNormalization).
type RMSNorm struct {
	Epsilon float32 // 0: 1e-5
	Name    string
}

// Apply adds the variable NAME.scale of the last dimension's size.
func (l RMSNorm) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "rmsnorm")
	if !x.HasRank || len(x.Shape) < 1 {
		fail("RMSNorm "+name, "takes an input of one or more dimensions")
	}
	n := dim("RMSNorm "+name, x, len(x.Shape)-1, len(x.Shape))
	return op.RMSNormalization(x, c.Param(name+".scale", Ones, n, n, n), op.LayerNormOptions{Axis: -1, Epsilon: or(l.Epsilon, 1e-5)})
}
