package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

func fail(what string, parts ...any) { tensor.Fail(what, parts...) }

// Conv2D is a 2-D convolution over x of [N, C, H, W] (ONNX Conv). The fields that end in W are for the
// horizontal direction; 0 means the same as the vertical one.
type Conv2D struct {
	Filters             int
	Kernel, KernelW     int
	Stride, StrideW     int   // 0: 1
	Dilation, DilationW int   // 0: 1
	Same                bool  // pad so that the output has ceil(in/stride) rows and columns, more at the end (SAME_UPPER)
	Pads                []int // top, left, bottom, right; nil: none
	Groups              int   // 0: 1
	Activation          Activation
	NoBias              bool
	Init, BiasInit      Initializer // nil: HeUniform, Zeros
	Name                string
}

// Apply adds the variables NAME.weight [Filters, C/Groups, Kernel, KernelW] and NAME.bias [Filters].
func (l Conv2D) Apply(c *Context, x *graph.Value) *graph.Value {
	return convolve(c, x, c.name(l.Name, "conv2d"), "Conv2D", convSpec{
		filters: l.Filters, groups: or(l.Groups, 1), same: l.Same, pads: l.Pads,
		kernel: []int{l.Kernel, or(l.KernelW, l.Kernel)},
		stride: []int{or(l.Stride, 1), or(l.StrideW, or(l.Stride, 1))},
		dilate: []int{or(l.Dilation, 1), or(l.DilationW, or(l.Dilation, 1))},
		act:    l.Activation, noBias: l.NoBias, init: l.Init, biasInit: l.BiasInit,
	})
}

// Conv1D is a 1-D convolution over x of [N, C, L] (ONNX Conv).
type Conv1D struct {
	Filters        int
	Kernel         int
	Stride         int // 0: 1
	Dilation       int // 0: 1
	Same           bool
	Pads           []int // begin, end; nil: none
	Groups         int   // 0: 1
	Activation     Activation
	NoBias         bool
	Init, BiasInit Initializer // nil: HeUniform, Zeros
	Name           string
}

// Apply adds the variables NAME.weight [Filters, C/Groups, Kernel] and NAME.bias [Filters].
func (l Conv1D) Apply(c *Context, x *graph.Value) *graph.Value {
	return convolve(c, x, c.name(l.Name, "conv1d"), "Conv1D", convSpec{
		filters: l.Filters, groups: or(l.Groups, 1), same: l.Same, pads: l.Pads,
		kernel: []int{l.Kernel}, stride: []int{or(l.Stride, 1)}, dilate: []int{or(l.Dilation, 1)},
		act: l.Activation, noBias: l.NoBias, init: l.Init, biasInit: l.BiasInit,
	})
}

type convSpec struct {
	filters, groups              int
	kernel, stride, dilate, pads []int
	same, noBias                 bool
	act                          Activation
	init, biasInit               Initializer
}

func convolve(c *Context, x *graph.Value, name, kind string, s convSpec) *graph.Value {
	what := kind + " " + name
	rank := len(s.kernel)
	in := dim(what, x, 1, rank+2)
	if s.filters < 1 || s.kernel[0] < 1 {
		fail(what, "needs Filters and Kernel of at least 1")
	}
	if s.groups < 1 || in%s.groups != 0 || s.filters%s.groups != 0 {
		fail(what, strconv.Itoa(s.groups), " groups do not divide ", in, " input and ", s.filters, " output channels")
	}
	if s.pads != nil && (s.same || len(s.pads) != 2*rank) {
		fail(what, "Pads takes ", 2*rank, " numbers and excludes Same")
	}
	shape, taps := append([]int{s.filters, in / s.groups}, s.kernel...), 1
	for _, k := range s.kernel {
		taps *= k
	}
	w := c.Param(name+".weight", orInit(s.init, HeUniform), in/s.groups*taps, s.filters/s.groups*taps, shape...)
	var b *graph.Value
	if !s.noBias {
		b = c.Param(name+".bias", orInit(s.biasInit, Zeros), in, s.filters, s.filters)
	}
	o := op.ConvOptions{Strides: s.stride, Dilations: s.dilate, Pads: s.pads, Group: s.groups}
	if s.same {
		o.AutoPad = "SAME_UPPER"
	}
	return activate(s.act, op.Conv(x, w, b, o))
}
