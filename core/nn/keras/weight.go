package keras

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Weight is a variable as Keras shows it: kernels [height, width, in, out] and [in, out].
type Weight struct {
	Name      string // also of the variable in the store
	Shape     []int
	Trainable bool

	inner []int // shape of the variable
	order []int // of blocks along the view's first dimension: Keras's block i is the variable's block order[i]; nil: the same order
	view  []int // the variable's elements as this shape, ...
	perm  []int // ... transposed, are Keras's; nil: the same order
}

// Get returns a copy of the elements in Keras's order.
func (w *Weight) Get(store *graph.Store) (*tensor.Tensor, error) {
	t := store.Get(w.Name)
	if t == nil {
		return nil, tensor.Err("weights", "there is no variable ", strconv.Quote(w.Name))
	}
	if w.perm == nil {
		return t.Clone().Reshape(w.Shape...), nil
	}
	return w.blocks(t, false).Reshape(w.view...).Transpose(w.perm...).Contiguous().Reshape(w.Shape...), nil
}

// blocks returns the elements with the view's blocks in Keras's order, or back in the variable's.
func (w *Weight) blocks(t *tensor.Tensor, back bool) *tensor.Tensor {
	if w.order == nil {
		return t
	}
	out := tensor.New(tensor.Float32, t.Shape()...)
	from, to := t.Contiguous().Float32s(), out.Float32s()
	n := len(to) / len(w.order)
	for i, k := range w.order {
		if back {
			i, k = k, i
		}
		copy(to[i*n:i*n+n], from[k*n:])
	}
	return out
}

// Set stores elements that are in Keras's order.
func (w *Weight) Set(store *graph.Store, t *tensor.Tensor) error {
	if t.DType() != tensor.Float32 || !tensor.SameShape(t.Shape(), w.Shape) {
		return &tensor.Error{Op: "weights", Msg: strconv.Quote(w.Name) + " takes float32 of another shape than " + t.DType().String(), Shapes: [][]int{w.Shape, t.Shape()}}
	}
	if w.perm != nil {
		there := make([]int, len(w.perm))
		back := make([]int, len(w.perm))
		for i, p := range w.perm {
			there[i], back[p] = w.view[p], i
		}
		t = w.blocks(t.Reshape(there...).Transpose(back...).Contiguous().Reshape(w.view...), true)
	}
	return store.Set(w.Name, t.Reshape(w.inner...))
}

// initFan gives an initialiser the numbers of a layer's connections.
func initFan(init nn.Initializer, in, out int) nn.Initializer {
	return func(dst []float32, shape []int, _, _ int, rng *random.Source) { init(dst, shape, in, out, rng) }
}
