package train

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// Batch is a number of samples as a trainer takes them. It belongs to its feed and is overwritten by the next one.
type Batch struct {
	N       int
	X, Y    []*tensor.Tensor
	Samples []int
	Epoch   int
	Index   int
	Last    bool // the epoch ends with it
}

// Feed gives batches, one epoch after the other.
type Feed interface {
	Steps() int // batches an epoch
	Len() int   // samples
	Next(ctx data.Context) (*Batch, error)
	Seek(epoch, index int) error
	State() data.State
	Restore(data.State) error
	Close()
}

// SourceFeed gives the batches of a loader to a network of one input and one output.
type SourceFeed struct {
	*data.Loader
	b      Batch
	sparse bool
	oneHot []float32
	dims   []int // of one sample, as the network takes it
	target []int
}

// NewSourceFeed checks that a loader's samples fit a network and its loss.
func NewSourceFeed(l *data.Loader, net Network, obj []Objective, target []int) (*SourceFeed, error) {
	if len(net.Inputs) != 1 || len(obj) != 1 {
		return nil, tensor.Err("train", "data sets feed networks of one input and one output")
	}
	spec := l.Spec()
	in := net.Inputs[0]
	if d := in.DType; d != tensor.Undefined && d != tensor.Float32 {
		return nil, tensor.Err("train", "the network takes ", d, ", the data set has float32 samples")
	}
	f := &SourceFeed{Loader: l, sparse: obj[0].Loss.Sparse(), dims: in.Shape, target: target}
	if !fits(spec.Shape, in.Shape) {
		return nil, &tensor.Error{Op: "train", Msg: "the network takes samples of another shape than the data set has", Shapes: [][]int{in.Shape, spec.Shape}}
	}
	if known(in.Shape) {
		f.dims = in.Shape
	} else {
		f.dims = spec.Shape
	}
	classes := 0
	if len(target) > 0 {
		classes = target[len(target)-1]
	}
	switch {
	case f.sparse && spec.Classes == 0, !f.sparse && spec.Targets == 0 && (spec.Classes == 0 || obj[0].Loss.Name != loss.Categorical):
		return nil, tensor.Err("train", "the data set has no targets for the loss ", obj[0].Loss.Name)
	case !f.sparse && spec.Targets != 0 && classes > 0 && classes != spec.Targets:
		return nil, tensor.Err("train", "the network gives ", classes, " numbers a sample, the data set has ", spec.Targets)
	}
	f.b.X, f.b.Y = make([]*tensor.Tensor, 1), make([]*tensor.Tensor, 1)
	if !f.sparse && spec.Targets == 0 {
		f.oneHot = make([]float32, 0)
	}
	return f, nil
}

// fits reports whether samples of one shape can be read as another: the same, or the same but for dimensions of 1, as pictures of one
// channel are whose channel comes first or last.
func fits(have, want []int) bool {
	if !known(want) {
		return len(have) == len(want)
	}
	a, b := squeezed(have), squeezed(want)
	return tensor.SameShape(a, b)
}

func squeezed(s []int) []int {
	var out []int
	for _, d := range s {
		if d != 1 {
			out = append(out, d)
		}
	}
	return out
}

func known(s []int) bool {
	for _, d := range s {
		if d < 0 {
			return false
		}
	}
	return true
}

// Next returns the next batch.
func (f *SourceFeed) Next(ctx data.Context) (*Batch, error) {
	b, err := f.Loader.Next(ctx)
	if err != nil {
		return nil, err
	}
	f.b.N, f.b.Samples, f.b.Epoch, f.b.Index, f.b.Last = b.N, b.Samples, b.Epoch, b.Index, b.Last
	f.b.X[0] = reuse(f.b.X[0], b.X, b.N, f.dims)
	switch {
	case f.sparse:
		f.b.Y[0] = reuse(f.b.Y[0], b.Labels, b.N, nil)
	case f.oneHot != nil:
		c := f.Spec().Classes
		if len(f.oneHot) < b.N*c {
			f.oneHot = make([]float32, b.N*c)
		}
		clear(f.oneHot)
		for i, l := range b.Labels {
			f.oneHot[i*c+int(l)] = 1
		}
		f.b.Y[0] = reuse(f.b.Y[0], f.oneHot[:b.N*c], b.N, []int{c})
	default:
		f.b.Y[0] = reuse(f.b.Y[0], b.Targets, b.N, f.targetShape())
	}
	return &f.b, nil
}

func (f *SourceFeed) targetShape() []int {
	if known(f.target) && len(f.target) > 0 {
		return f.target
	}
	return []int{f.Spec().Targets}
}

// TensorFeed gives rows of tensors: inputs and targets of any number and type.
type TensorFeed struct {
	order  *data.Loader
	x, y   []*tensor.Tensor
	bx, by []rows
	b      Batch
}

// rows is the memory of a batch of one tensor.
type rows struct {
	dtype tensor.DType
	shape []int // of one sample
	buf   []byte
	t     *tensor.Tensor
}

// order is a data.Source of numbers only: its loader says which samples come next.
type order int

func (o order) Len() int                                               { return int(o) }
func (o order) Spec() data.Spec                                        { return data.Spec{Shape: []int{1}} }
func (o order) Read(_, _ int, _, _ []float32) (class int64, err error) { return 0, nil }

// NewTensorFeed returns a feed over tensors whose first dimension is the sample; x are the inputs of the network and y
// the targets of its outputs, made by [Targets]. Elements are converted to the types that the network takes batch by batch. y may be empty, for prediction.
func NewTensorFeed(x, y []*tensor.Tensor, net Network, opt data.Options) (*TensorFeed, error) {
	if len(x) != len(net.Inputs) {
		return nil, tensor.Err("train", "the network takes ", len(net.Inputs), " inputs, got ", len(x))
	}
	f := &TensorFeed{x: x, y: y}
	n := -1
	for i, t := range x {
		in := net.Inputs[i]
		if t.Rank() == 0 {
			return nil, tensor.Err("train", "input ", strconv.Quote(in.Name), " has no dimension for the samples")
		}
		if n < 0 {
			n = t.Shape()[0]
		}
		if t.Shape()[0] != n {
			return nil, &tensor.Error{Op: "train", Msg: "inputs have different numbers of samples", Shapes: [][]int{x[0].Shape(), t.Shape()}}
		}
		d := in.DType
		if d == tensor.Undefined {
			d = tensor.Float32
		}
		if !fits(t.Shape()[1:], in.Shape) {
			return nil, &tensor.Error{Op: "train", Msg: "input " + strconv.Quote(in.Name) + " takes samples of another shape", Shapes: [][]int{in.Shape, t.Shape()[1:]}}
		}
		if !numeric(t.DType()) {
			return nil, tensor.Err("train", "input ", strconv.Quote(in.Name), " cannot be made from ", t.DType())
		}
		shape := in.Shape
		if !known(shape) {
			shape = t.Shape()[1:]
		}
		f.bx = append(f.bx, rows{dtype: d, shape: shape})
	}
	for _, t := range y {
		if t.Rank() == 0 || t.Shape()[0] != n {
			return nil, &tensor.Error{Op: "train", Msg: "inputs and targets have different numbers of samples", Shapes: [][]int{x[0].Shape(), t.Shape()}}
		}
		f.by = append(f.by, rows{dtype: t.DType(), shape: t.Shape()[1:]})
	}
	l, err := data.NewLoader(order(n), opt)
	if err != nil {
		return nil, err
	}
	f.order = l
	f.b.X, f.b.Y = make([]*tensor.Tensor, len(x)), make([]*tensor.Tensor, len(y))
	return f, nil
}

func numeric(d tensor.DType) bool { return d.IsNumeric() && d.Bits() >= 8 || d == tensor.Bool }

// Steps returns the number of batches of an epoch.
func (f *TensorFeed) Steps() int { return f.order.Steps() }

// Len returns the number of samples.
func (f *TensorFeed) Len() int { return f.order.Len() }

// Seek moves to a batch of an epoch.
func (f *TensorFeed) Seek(epoch, index int) error { return f.order.Seek(epoch, index) }

// State returns the position.
func (f *TensorFeed) State() data.State { return f.order.State() }

// Restore moves to a saved position.
func (f *TensorFeed) Restore(s data.State) error { return f.order.Restore(s) }

// Close ends the feed.
func (f *TensorFeed) Close() { f.order.Close() }

// Next returns the next batch.
func (f *TensorFeed) Next(ctx data.Context) (*Batch, error) {
	b, err := f.order.Next(ctx)
	if err != nil {
		return nil, err
	}
	f.b.N, f.b.Samples, f.b.Epoch, f.b.Index, f.b.Last = b.N, b.Samples, b.Epoch, b.Index, b.Last
	for i := range f.x {
		f.b.X[i] = f.bx[i].gather(f.x[i], b.Samples)
	}
	for i := range f.y {
		f.b.Y[i] = f.by[i].gather(f.y[i], b.Samples)
	}
	return &f.b, nil
}

// gather returns the rows of src with the given numbers, converted.
func (r *rows) gather(src *tensor.Tensor, samples []int) *tensor.Tensor {
	n := len(samples)
	size := tensor.Size(r.shape)
	width := r.dtype.Bits() / 8
	if len(r.buf) < n*size*width {
		r.buf = tensor.New(r.dtype, n*size).Bytes()
		r.t = nil
	}
	if r.t == nil || r.t.Shape()[0] != n {
		r.t = tensor.Wrap(r.dtype, append([]int{n}, r.shape...), r.buf[:n*size*width])
	}
	from := src.DType().Bits() / 8 * size
	b, dst := src.Bytes(), r.t.Bytes()
	if src.DType() == r.dtype {
		for i, s := range samples {
			copy(dst[i*size*width:(i+1)*size*width], b[s*from:(s+1)*from])
		}
		return r.t
	}
	for i, s := range samples {
		Convert(tensor.Wrap(r.dtype, []int{size}, dst[i*size*width:(i+1)*size*width]), tensor.Wrap(src.DType(), []int{size}, b[s*from:(s+1)*from]))
	}
	return r.t
}

// Convert stores the elements of src in dst, of any numeric types and the same number of elements.
func Convert(dst, src *tensor.Tensor) {
	switch {
	case dst.DType() == src.DType():
		copy(dst.Bytes(), src.Bytes())
	case dst.DType() == tensor.Float32 && src.DType() == tensor.Uint8: // pictures
		d := dst.Float32s()
		for i, v := range src.Bytes() {
			d[i] = float32(v)
		}
	case dst.DType().IsFloat() || src.DType().IsFloat():
		dst.SetFloat64s(src.Float64s())
	default:
		dst.SetInt64s(src.Int64sOf())
	}
}

// Targets converts the targets of one output for a loss: to class numbers (int64) for sparse losses, checking that each is a whole
// number below classes, else to float32 of the shape [n, sample...]. sample is the shape of one sample's targets as the output has it.
func Targets(y *tensor.Tensor, n int, l loss.Spec, classes int, sample []int) (*tensor.Tensor, error) {
	if !numeric(y.DType()) {
		return nil, tensor.Err("labels", "labels cannot be of ", y.DType())
	}
	size := 1
	for _, d := range sample {
		if d >= 0 {
			size *= d
		}
	}
	shape := append([]int{n}, sample...)
	if !known(shape) {
		if y.Rank() == 0 || y.Shape()[0] != n {
			return nil, &tensor.Error{Op: "labels", Msg: "there must be targets for " + strconv.Itoa(n) + " samples", Shapes: [][]int{y.Shape()}}
		}
		shape = y.Shape()
	} else if y.Len() != n*size {
		msg := "targets for " + strconv.Itoa(n) + " samples have the wrong shape; the loss " + l.Name + " takes"
		if !l.Sparse() && l.Classes() && y.Len() == n {
			msg = "class numbers go with sparseCategoricalCrossentropy; the loss " + l.Name + " takes"
		}
		return nil, &tensor.Error{Op: "labels", Msg: msg, Shapes: [][]int{shape, y.Shape()}}
	}
	if l.Sparse() {
		t := tensor.New(tensor.Int64, shape...)
		d := t.Int64s()
		if y.DType().IsFloat() {
			for i, v := range y.Float64s() {
				if v != math.Trunc(v) || !(math.Abs(v) < 1<<53) {
					return nil, tensor.Err("labels", "label ", i, " is ", v, "; class labels are whole numbers").With(tensor.CodeLabel)
				}
				d[i] = int64(v)
			}
		} else {
			copy(d, y.Int64sOf())
		}
		for i, v := range d {
			if v < 0 || v >= int64(classes) {
				return nil, tensor.Err("labels", "label ", i, " is ", v, ", outside 0 to ", classes-1, "; correct it, or give the model more outputs").With(tensor.CodeLabel)
			}
		}
		return t, nil
	}
	t := tensor.New(tensor.Float32, shape...)
	Convert(t, y.Contiguous())
	return t, CheckFinite("labels", "target", t)
}

// CheckFinite returns an error that names the first element of a floating-point tensor that is NaN or infinite, by its sample.
func CheckFinite(op, what string, t *tensor.Tensor) error {
	if t.Len() == 0 || t.Rank() == 0 {
		return nil
	}
	bad := func(i int, v float64) error {
		per := t.Len() / t.Shape()[0]
		return tensor.Err(op, what, " ", i%per, " of sample ", i/per, " is ", v, "; fill in or drop such samples first").With(tensor.CodeNaN)
	}
	switch t.DType() {
	case tensor.Float32:
		x := t.Float32s()
		if sum := simd.Dot(x, x); sum-sum == 0 { // no such element, and no sum out of range, which says nothing
			return nil
		}
		for i, v := range x {
			if v-v != 0 {
				return bad(i, float64(v))
			}
		}
	case tensor.Float64:
		for i, v := range tensor.Data[float64](t) {
			if v-v != 0 {
				return bad(i, v)
			}
		}
	}
	return nil
}
