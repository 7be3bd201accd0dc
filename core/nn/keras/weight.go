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
	return t.Reshape(w.view...).Transpose(w.perm...).Contiguous().Reshape(w.Shape...), nil
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
		t = t.Reshape(there...).Transpose(back...).Contiguous()
	}
	return store.Set(w.Name, t.Reshape(w.inner...))
}

// initFan gives an initialiser the numbers of a layer's connections.
func initFan(init nn.Initializer, in, out int) nn.Initializer {
	return func(dst []float32, shape []int, _, _ int, rng *random.Source) { init(dst, shape, in, out, rng) }
}
