package nn

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// Embedding looks up a row of a table for every index (ONNX Gather); its gradient adds up the rows of an index in the order in which they come.
type Embedding struct {
	Vocab, Dim int
	Padded     bool        // index Padding gives zeros, and its row is not trained
	Padding    int         // negative: from the end
	Init       Initializer // nil: Normal(0, 1)
	Name       string
}

// Apply adds the variable NAME.weight [Vocab, Dim] and returns [..., Dim] for indices of any shape, of int32 or int64.
func (l Embedding) Apply(c *Context, x *graph.Value) *graph.Value {
	name := c.name(l.Name, "embedding")
	what := "Embedding " + name
	if l.Vocab < 1 || l.Dim < 1 {
		fail(what, "needs Vocab and Dim of at least 1")
	}
	if x.DType != tensor.Int64 && x.DType != tensor.Int32 {
		fail(what, "takes indices of int32 or int64, not ", x.DType)
	}
	pad := l.Padding
	if pad < 0 {
		pad += l.Vocab
	}
	if l.Padded && (pad < 0 || pad >= l.Vocab) {
		fail(what, "index Padding, ", l.Padding, ", is outside a table of ", l.Vocab, " rows")
	}
	init := orInit(l.Init, Normal(0, 1))
	w := c.Param(name+".weight", init, l.Vocab, l.Dim, l.Vocab, l.Dim)
	y := op.Gather(w, x, 0)
	if l.Padded {
		t := tensor.New(x.DType)
		t.SetInt64s([]int64{int64(pad)})
		if !x.HasRank {
			fail(what, "the rank of the indices must be known")
		}
		y = op.Where(op.Unsqueeze(op.Equal(x, c.G.Const(t)), len(x.Shape)), op.ConstLike(y, 0), y)
	}
	return y
}
