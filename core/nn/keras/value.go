package keras

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// value is a layer's output: a graph value, and how it lies in memory compared with what Keras shows.
type value struct {
	v    *graph.Value
	lay  layout
	dims []int        // flat: the channels-first shape [C, ...] that was flattened
	mask *graph.Value // bool, of Keras's shape without the last dimensions: which positions count; nil: all. See mask.go
}

type layout uint8

const (
	plain layout = iota // as Keras shows it
	first               // [N, C, ...] where Keras has [N, ..., C]
	flat                // [N, C*...] where Keras has [N, ...*C]
)

// shape returns the shape as Keras shows it; the batch and unknown dimensions are -1.
func (x value) shape() []int {
	s := make([]int, len(x.v.Shape))
	for i, d := range x.v.Shape {
		s[i] = max(d, -1)
	}
	if x.lay == first {
		c := s[1]
		copy(s[1:], s[2:])
		s[len(s)-1] = c
	}
	return s
}

// axis returns the graph's axis of the channels, Keras's last.
func (x value) axis() int {
	if x.lay == first {
		return 1
	}
	return -1
}

// with returns the value with its elements replaced by others of the same layout, without its mask.
func (x value) with(v *graph.Value) value { return value{v: v, lay: x.lay, dims: x.dims} }

// builder is one application of a model.
type builder struct {
	m      *Model
	c      *nn.Context
	params map[string]*graph.Value // of layers that are applied more than once
	count  int                     // elements of parameters so far

	packings map[*graph.Value]*packing     // by mask
	packed   map[*graph.Value]*graph.Value // sequences of which the kept steps are there already, in front

	first   bool // what the model is made of is being noted
	infos   []Info
	weights []Weight
}

// plain returns the value as Keras shows it.
func (b *builder) plain(x value) value {
	switch x.lay {
	case first:
		return value{v: toLast(x.v)}
	case flat:
		r := len(x.dims)
		v := op.Reshape(x.v, append([]int{-1}, x.dims...)...)
		return value{v: op.Reshape(toLast(v), -1, product(x.dims[:r]))}
	}
	return x
}

// channelsFirst returns the value of rank n as [N, C, ...].
func (b *builder) channelsFirst(l *layer, x value, n int) value {
	if len(x.v.Shape) != n || x.lay == flat {
		l.fail("takes an input of ", n, " dimensions, the batch counted, not ", x.shape())
	}
	if x.lay == first {
		return x
	}
	s := x.v.Shape
	if s[n-1] < 1 {
		l.fail("the number of channels must be known, the input is ", x.shape())
	}
	if s[n-1] == 1 && known(s[1:]) { // one channel: nothing moves
		t := append([]int{-1, 1}, s[1:n-1]...)
		return value{v: op.Reshape(x.v, t...), lay: first}
	}
	perm := []int{0, n - 1}
	for i := 1; i < n-1; i++ {
		perm = append(perm, i)
	}
	return value{v: op.Transpose(x.v, perm...), lay: first}
}

// toLast moves the channels from the second to the last place.
func toLast(v *graph.Value) *graph.Value {
	s := v.Shape
	n := len(s)
	if n == 2 {
		return v
	}
	if (s[1] == 1 || product(s[2:]) == 1) && known(s[1:]) {
		t := append([]int{-1}, s[2:]...)
		return op.Reshape(v, append(t, s[1])...)
	}
	perm := []int{0}
	for i := 2; i < n; i++ {
		perm = append(perm, i)
	}
	return op.Transpose(v, append(perm, 1)...)
}

func known(s []int) bool {
	for _, d := range s {
		if d < 0 {
			return false
		}
	}
	return true
}

func product(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// param adds a trainable variable LAYER/name, or returns it when the layer was applied before. w says how Keras sees it.
func (b *builder) param(l *layer, name string, init nn.Initializer, fanIn, fanOut int, w Weight, shape ...int) *graph.Value {
	return b.variable(l, name, init, fanIn, fanOut, w, l.bool("trainable", true), shape)
}

func (b *builder) variable(l *layer, name string, init nn.Initializer, fanIn, fanOut int, w Weight, trainable bool, shape []int) *graph.Value {
	full := l.name + "/" + name
	if v := b.params[full]; v != nil {
		if !tensor.SameShape(v.Shape, shape) {
			panic(&tensor.Error{Op: l.kind, Msg: "is applied to inputs for which its " + name + " would have different shapes", Shapes: [][]int{v.Shape, shape}})
		}
		return v
	}
	var v *graph.Value
	if trainable {
		v = b.c.Param(full, init, fanIn, fanOut, shape...)
	} else {
		v = b.c.State(full, initFan(init, fanIn, fanOut), shape...)
	}
	b.params[full] = v
	b.count += tensor.Size(shape)
	if b.first {
		w.Name, w.Trainable = full, trainable
		w.inner = shape
		if w.Shape == nil {
			w.Shape = shape
		}
		b.weights = append(b.weights, w)
	}
	return v
}
