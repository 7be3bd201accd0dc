package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
)

// MaxPool2D takes the largest value of every window of x [N, C, H, W] (ONNX MaxPool).
type MaxPool2D struct {
	Size, SizeW     int
	Stride, StrideW int  // 0: Size, SizeW
	Same            bool // pad so that the output has ceil(in/stride) rows and columns
}

// Apply returns [N, C, OH, OW].
func (l MaxPool2D) Apply(_ *Context, x *graph.Value) *graph.Value {
	return op.MaxPool(x, window2D("MaxPool2D", l.Size, l.SizeW, l.Stride, l.StrideW, l.Same))
}

// AveragePool2D takes the mean of every window of x [N, C, H, W] (ONNX AveragePool); padding does not count.
type AveragePool2D struct {
	Size, SizeW     int
	Stride, StrideW int // 0: Size, SizeW
	Same            bool
}

// Apply returns [N, C, OH, OW].
func (l AveragePool2D) Apply(_ *Context, x *graph.Value) *graph.Value {
	return op.AveragePool(x, window2D("AveragePool2D", l.Size, l.SizeW, l.Stride, l.StrideW, l.Same))
}

func window2D(what string, h, w, sh, sw int, same bool) op.PoolOptions {
	if h < 1 {
		fail(what, "needs a Size of at least 1")
	}
	w = or(w, h)
	o := op.PoolOptions{Kernel: []int{h, w}, Strides: []int{or(sh, h), or(sw, or(sh, w))}}
	if same {
		o.AutoPad = "SAME_UPPER"
	}
	return o
}

// MaxPool1D takes the largest value of every window of x [N, C, L].
type MaxPool1D struct {
	Size   int
	Stride int // 0: Size
	Same   bool
}

// Apply returns [N, C, OL].
func (l MaxPool1D) Apply(_ *Context, x *graph.Value) *graph.Value {
	return op.MaxPool(x, window1D("MaxPool1D", l.Size, l.Stride, l.Same))
}

// AveragePool1D takes the mean of every window of x [N, C, L].
type AveragePool1D struct {
	Size   int
	Stride int // 0: Size
	Same   bool
}

// Apply returns [N, C, OL].
func (l AveragePool1D) Apply(_ *Context, x *graph.Value) *graph.Value {
	return op.AveragePool(x, window1D("AveragePool1D", l.Size, l.Stride, l.Same))
}

func window1D(what string, size, stride int, same bool) op.PoolOptions {
	if size < 1 {
		fail(what, "needs a Size of at least 1")
	}
	o := op.PoolOptions{Kernel: []int{size}, Strides: []int{or(stride, size)}}
	if same {
		o.AutoPad = "SAME_UPPER"
	}
	return o
}

// GlobalAveragePool takes the mean over all positions: [N, C, ...] to [N, C].
type GlobalAveragePool struct{}

// Apply returns [N, C].
func (GlobalAveragePool) Apply(c *Context, x *graph.Value) *graph.Value {
	return Flatten{}.Apply(c, op.GlobalAveragePool(x))
}

// GlobalMaxPool takes the largest value over all positions: [N, C, ...] to [N, C].
type GlobalMaxPool struct{}

// Apply returns [N, C].
func (GlobalMaxPool) Apply(c *Context, x *graph.Value) *graph.Value {
	return Flatten{}.Apply(c, op.GlobalMaxPool(x))
}

// Flatten joins all dimensions but the first, in row-major (CHW) order.
type Flatten struct{}

// Apply returns [N, C*H*W].
func (Flatten) Apply(_ *Context, x *graph.Value) *graph.Value { return op.Flatten(x, 1) }

// Reshape gives every sample of a batch another shape; one dimension may be -1.
type Reshape []int

// Apply returns [N, shape...].
func (r Reshape) Apply(_ *Context, x *graph.Value) *graph.Value {
	return op.Reshape(x, append([]int{0}, r...)...)
}
