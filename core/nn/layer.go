package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Layer adds the nodes and variables of one layer, or of a whole model, to the context's graph and
// returns its output. It panics with *tensor.Error when the input does not fit; see tensor.Catch.
type Layer interface {
	Apply(c *Context, x *graph.Value) *graph.Value
}

// Func makes a layer of a function.
type Func func(c *Context, x *graph.Value) *graph.Value

// Apply calls f.
func (f Func) Apply(c *Context, x *graph.Value) *graph.Value { return f(c, x) }

// Sequential is the composition of its layers, first to last.
type Sequential []Layer

// Apply applies every layer to the output of the one before.
func (s Sequential) Apply(c *Context, x *graph.Value) *graph.Value {
	for _, l := range s {
		x = l.Apply(c, x)
	}
	return x
}

// Residual adds its input to the output of its layers, which must have the same shape.
type Residual []Layer

// Apply returns x + layers(x).
func (r Residual) Apply(c *Context, x *graph.Value) *graph.Value {
	return add(x, Sequential(r).Apply(c, x))
}

// Options are the settings of a Context.
type Options struct {
	Training bool   // batch statistics, dropout
	Seed     uint64 // of the initial weights
	// Store, when set, is where the graph's variables will live: those that it has already are not initialised again.
	Store  *graph.Store
	Budget int64 // bytes that the variables may take together; 0: no bound. Beyond it layers fail before they allocate
}

// Context is one graph that a model is being built in.
type Context struct {
	G        *graph.Graph
	Training bool
	Seed     uint64
	Cache    *KVCache // of causal self-attention that reads sequences piece by piece; nil: they are read whole
	masks    map[*graph.Value]*graph.Value
	names    map[string]int
	store    *graph.Store
	budget   int64
	used     int64
}

// NewContext returns a context that builds into g.
func NewContext(g *graph.Graph, o Options) *Context {
	return &Context{G: g, Training: o.Training, Seed: o.Seed, names: map[string]int{}, store: o.Store, budget: o.Budget}
}

// SetMask says which positions of v count: mask is bool, of the shape of v without its last dimensions, true where a position does. Losses and metrics
// of a value that has one leave the others out.
func (c *Context) SetMask(v, mask *graph.Value) {
	if c.masks == nil {
		c.masks = map[*graph.Value]*graph.Value{}
	}
	c.masks[v] = mask
}

// Mask returns the mask of v, nil where all of it counts.
func (c *Context) Mask(v *graph.Value) *graph.Value { return c.masks[v] }

// name returns the layer's own name or the next of its kind: dense, dense_1, dense_2.
func (c *Context) name(given, kind string) string {
	base := given
	if base == "" {
		base = kind
	}
	n := c.names[base]
	c.names[base]++
	if n == 0 {
		return base
	}
	if given != "" {
		tensor.Fail("nn", "two layers are named ", strconv.Quote(given), "; give one another name")
	}
	return base + "_" + strconv.Itoa(n)
}

// Param adds a trainable float32 variable. Its initial elements depend on the seed and its name only, so
// adding or removing other layers leaves them alone.
func (c *Context) Param(name string, init Initializer, fanIn, fanOut int, shape ...int) *graph.Value {
	return c.variable(name, init, fanIn, fanOut, true, shape)
}

// State adds a float32 variable that gradients do not change, such as a running mean.
func (c *Context) State(name string, init Initializer, shape ...int) *graph.Value {
	return c.variable(name, init, 1, 1, false, shape)
}

func (c *Context) variable(name string, init Initializer, fanIn, fanOut int, trainable bool, shape []int) *graph.Value {
	if c.store != nil {
		if t := c.store.Get(name); t != nil && t.DType() == tensor.Float32 && tensor.SameShape(t.Shape(), shape) {
			return c.G.Variable(name, t, trainable)
		}
	}
	n, ok := tensor.CheckedSize(shape)
	if c.used += 4 * int64(n); !ok || c.budget > 0 && c.used > c.budget {
		panic((&tensor.Error{Op: "nn", Msg: "variable " + strconv.Quote(name) + " does not fit the memory budget of " + strconv.FormatInt(c.budget, 10) + " bytes",
			Shapes: [][]int{shape}}).With(tensor.CodeMemory))
	}
	t := tensor.New(tensor.Float32, shape...)
	rng := random.New(c.Seed, streamOf(name))
	init(t.Float32s(), shape, fanIn, fanOut, &rng)
	return c.G.Variable(name, t, trainable)
}

// streamOf is the FNV-1a hash of a name.
func streamOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

// dim returns a dimension of x that a layer must know to size its weights.
func dim(layer string, x *graph.Value, axis, rank int) int {
	if !x.HasRank || len(x.Shape) != rank {
		panic(&tensor.Error{Op: layer, Msg: "takes an input of " + strconv.Itoa(rank) + " dimensions", Shapes: [][]int{x.Shape}})
	}
	if d := x.Shape[axis]; d > 0 {
		return d
	}
	panic(&tensor.Error{Op: layer, Msg: "dimension " + strconv.Itoa(axis) + " of the input must be known to size the weights", Shapes: [][]int{x.Shape}})
}

// or returns v, or def when v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// orInit is or for initialisers, which cannot be compared.
func orInit(v, def Initializer) Initializer {
	if v == nil {
		return def
	}
	return v
}
