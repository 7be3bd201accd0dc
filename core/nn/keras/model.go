package keras

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
)

// Spec describes a layer.
type Spec struct {
	Kind    string  // "conv2d", "dense", ...; see Kinds
	Name    string  // "" takes Keras's: conv2d, conv2d_1, ...
	Config  Config  // its settings
	Inbound [][]Ref // of functional models: the inputs of each call of the layer
}

// Ref names the output of a layer: of its first call, or of a later one.
type Ref struct {
	Layer string
	Call  int
}

// Info describes a layer of a model that is built. Shapes are Keras's; the batch is -1.
type Info struct {
	Name, Kind  string
	OutputShape []int
	Params      int
}

// Model is a layers model.
type Model struct {
	Name string

	layers  []*layer
	byName  map[string]*layer
	inputs  []*layer
	outputs []Ref
	order   []call
	infos   []Info
	weights []Weight
}

type layer struct {
	kind, name string
	config     Config
	inbound    [][]Ref
}

type call struct {
	l *layer
	n int
}

// Sequential returns the composition of layers. The shape of one sample comes from an inputLayer in front or from the first layer's
// inputShape.
func Sequential(name string, specs []Spec) (m *Model, err error) {
	defer tensor.Catch(&err)
	if len(specs) == 0 {
		return nil, tensor.Err("sequential", "the model has no layers")
	}
	if specs[0].Kind != "inputLayer" {
		c := Config{}
		for _, k := range []string{"inputShape", "batchInputShape", "inputDim", "dtype"} {
			if v := specs[0].Config[k]; v != nil && (k != "inputDim" || specs[0].Kind != "embedding") {
				c[k] = v
			}
		}
		if specs[0].Kind == "embedding" {
			c["dtype"] = "int32"
			if n := specs[0].Config["inputLength"]; n != nil && c["inputShape"] == nil {
				c["inputShape"] = []any{n}
			}
		}
		specs = append([]Spec{{Kind: "inputLayer", Name: "input", Config: c}}, specs...)
	}
	m = newModel(name, specs)
	for i, l := range m.layers {
		if i > 0 {
			if l.kind == "inputLayer" {
				l.fail("an inputLayer stands in front of a sequential model only")
			}
			l.inbound = [][]Ref{{{Layer: m.layers[i-1].name}}}
		}
	}
	m.outputs = []Ref{{Layer: m.layers[len(m.layers)-1].name}}
	m.prepare(nil)
	return m, nil
}

// Functional returns a model of layers that name their inputs. An empty list of inputs means all input layers in their order.
func Functional(name string, specs []Spec, inputs []string, outputs []Ref) (m *Model, err error) {
	defer tensor.Catch(&err)
	m = newModel(name, specs)
	m.outputs = outputs
	if len(outputs) == 0 {
		return nil, tensor.Err("model", "the model has no outputs")
	}
	m.prepare(inputs)
	return m, nil
}

func newModel(name string, specs []Spec) *Model {
	m := &Model{Name: name, byName: map[string]*layer{}}
	taken := map[string]bool{}
	for _, s := range specs {
		if s.Name != "" {
			if taken[s.Name] {
				tensor.Fail("model", "two layers are named ", strconv.Quote(s.Name))
			}
			taken[s.Name] = true
		}
	}
	for _, s := range specs {
		if s.Kind != "inputLayer" && kindOf(s.Kind) == nil {
			tensor.Fail("model", "there is no layer of kind ", strconv.Quote(s.Kind))
		}
		l := &layer{kind: s.Kind, name: s.Name, config: s.Config, inbound: s.Inbound}
		if l.name == "" {
			base := snake(s.Kind)
			l.name = base
			for i := 1; taken[l.name]; i++ {
				l.name = base + "_" + strconv.Itoa(i)
			}
			taken[l.name] = true
		}
		for _, k := range []string{"kernelRegularizer", "biasRegularizer", "activityRegularizer", "kernelConstraint", "biasConstraint"} {
			if l.config[k] != nil {
				l.fail(k, " is not supported; weight decay of the optimizer does what an L2 regularizer is for")
			}
		}
		m.layers = append(m.layers, l)
		m.byName[l.name] = l
	}
	return m
}

// snake turns a kind into the base of names as Keras makes them: maxPooling2d to max_pooling2d, leakyReLU to leaky_re_lu.
func snake(kind string) string {
	if kind == "inputLayer" {
		return "input"
	}
	var b []byte
	for i := range len(kind) {
		c := kind[i]
		if upper := c >= 'A' && c <= 'Z'; upper {
			if i > 0 && kind[i-1] >= 'a' && kind[i-1] <= 'z' {
				b = append(b, '_')
			}
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return string(b)
}

// prepare orders the calls so that every input precedes its readers, and checks the names.
func (m *Model) prepare(inputs []string) {
	if len(inputs) == 0 {
		for _, l := range m.layers {
			if l.kind == "inputLayer" {
				m.inputs = append(m.inputs, l)
			}
		}
	}
	for _, name := range inputs {
		l := m.byName[name]
		if l == nil || l.kind != "inputLayer" {
			tensor.Fail("model", "the input ", strconv.Quote(name), " is no inputLayer")
		}
		m.inputs = append(m.inputs, l)
	}
	if len(m.inputs) == 0 {
		tensor.Fail("model", "the model has no input")
	}
	state := map[call]uint8{} // 1: being visited, 2: done
	var visit func(r Ref, reader string)
	visit = func(r Ref, reader string) {
		l := m.byName[r.Layer]
		if l == nil {
			tensor.Fail("model", strconv.Quote(reader), " reads ", strconv.Quote(r.Layer), ", which is no layer of the model")
		}
		if l.kind == "inputLayer" {
			for _, in := range m.inputs {
				if in == l {
					return
				}
			}
			tensor.Fail("model", strconv.Quote(reader), " reads the input ", strconv.Quote(r.Layer), ", which is not among the model's inputs")
		}
		if r.Call < 0 || r.Call >= len(l.inbound) {
			l.fail("has ", len(l.inbound), " calls; ", strconv.Quote(reader), " reads call ", r.Call)
		}
		c := call{l, r.Call}
		switch state[c] {
		case 1:
			l.fail("depends on itself")
		case 2:
			return
		}
		state[c] = 1
		if len(l.inbound[r.Call]) == 0 {
			l.fail("has no input")
		}
		for _, in := range l.inbound[r.Call] {
			visit(in, l.name)
		}
		state[c] = 2
		m.order = append(m.order, c)
	}
	for _, r := range m.outputs {
		visit(r, "an output")
	}
}

// inputShape returns the shape of one sample of an input layer.
func (l *layer) inputShape() []int {
	shape := l.list("shape")
	if shape == nil {
		shape = l.list("inputShape")
	}
	if b := l.list("batchInputShape"); shape == nil && len(b) > 0 {
		shape = b[1:]
	}
	if shape == nil && l.config["inputDim"] != nil {
		shape = []int{l.whole("inputDim", 0, 1)}
	}
	if shape == nil {
		l.fail("the shape of one sample is missing: give the first layer inputShape")
	}
	for _, d := range shape {
		if d == 0 || d > maxSize {
			l.fail("a sample cannot have the shape ", shape)
		}
	}
	if len(shape) >= tensor.MaxRank {
		l.fail("a sample has at most ", tensor.MaxRank-1, " dimensions")
	}
	return shape
}

func (l *layer) inputType() tensor.DType {
	d, ok := tensor.ParseDType(l.str("dtype", "float32"))
	if !ok || d != tensor.Float32 && !d.IsInt() {
		l.fail("dtype must be float32 or an integer type")
	}
	return d
}

// Network returns the model for training and inference. Names of inputs and outputs are their layers'.
func (m *Model) Network() (n train.Network, err error) {
	defer tensor.Catch(&err)
	n.Name = m.Name
	for _, l := range m.inputs {
		n.Inputs = append(n.Inputs, train.Input{Name: l.name, DType: l.inputType(), Shape: l.inputShape()})
	}
	for _, r := range m.outputs {
		n.Outputs = append(n.Outputs, r.Layer)
	}
	n.Apply = func(c *nn.Context, in []*graph.Value) []*graph.Value { return m.apply(c, in, nil) }
	return n, nil
}

// Tap is the output of a layer in a graph, as Keras has it: channels last.
type Tap struct {
	Name, Kind string
	Value      *graph.Value
}

// Taps adds the model to a graph and returns the output of every layer's first call, channels first where the layer's inside is.
func (m *Model) Taps(c *nn.Context, in []*graph.Value) (out []*graph.Value, taps []Tap) {
	out = m.apply(c, in, func(l *layer, v value) { taps = append(taps, Tap{l.name, l.kind, v.v}) })
	return out, taps
}

// Layers describes the layers; known after the model was applied once.
func (m *Model) Layers() []Info { return m.infos }

// Weights lists the model's variables in the order and form of Keras; known after the model was applied once.
func (m *Model) Weights() []Weight { return m.weights }

func (m *Model) apply(c *nn.Context, in []*graph.Value, tap func(*layer, value)) []*graph.Value {
	b := &builder{m: m, c: c, params: map[string]*graph.Value{}, first: m.infos == nil}
	env := map[call]value{}
	for i, l := range m.inputs {
		env[call{l, 0}] = value{v: in[i]}
		b.describe(l, value{v: in[i]}, 0)
	}
	for _, k := range m.order {
		var args []value
		for _, r := range k.l.inbound[k.n] {
			args = append(args, env[call{m.byName[r.Layer], r.Call}])
		}
		before := b.count
		y := b.call(k.l, args)
		env[k] = y
		if k.n == 0 {
			b.describe(k.l, y, b.count-before)
			if tap != nil {
				tap(k.l, y)
			}
		}
	}
	var out []*graph.Value
	for _, r := range m.outputs {
		y := env[call{m.byName[r.Layer], r.Call}]
		v := b.plain(y).v
		if y.mask != nil {
			c.SetMask(v, y.mask)
		}
		out = append(out, v)
	}
	if b.first {
		m.infos, m.weights = b.infos, b.weights
	}
	return out
}

// call applies a layer; errors name it.
func (b *builder) call(l *layer, in []value) value {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case *tensor.Error:
			if name := l.kind + " " + strconv.Quote(l.name); e.Op != name {
				msg := e.Msg
				if e.Op != "" && e.Code != tensor.CodeMemory {
					msg = e.Op + ": " + msg
				}
				e = &tensor.Error{Op: name, Msg: msg, Shapes: e.Shapes, Code: e.Code}
			}
			panic(e)
		default:
			panic(e)
		}
	}()
	k := kindOf(l.kind)
	if !merges(l.kind) && len(in) != 1 {
		l.fail("takes one input, got ", len(in))
	}
	y := k(b, l, in)
	y.mask = b.maskOf(l, in, y)
	return y
}

func (b *builder) describe(l *layer, v value, params int) {
	if b.first {
		b.infos = append(b.infos, Info{Name: l.name, Kind: l.kind, OutputShape: v.shape(), Params: params})
	}
}
