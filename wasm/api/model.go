package api

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
)

// model is a layers model, one of the architectures of package models, or a loaded file.
type model struct {
	name   string
	kind   string // "sequential", "functional", "builtin" or "loaded"
	seed   uint64
	net    train.Network
	layers layered        // of layers models
	recipe *models.Recipe // of built-in ones
	store  *graph.Store
	graph  *graph.Graph     // that predicts
	prog   *compile.Program // of graph
	in     []*tensor.Tensor
	batch  *tensor.Tensor // of the last prediction that came the short way, see quick.go
	meta   []graph.MetaEntry
	ops    []string // of a loaded file

	taps     map[string]*tapProgram
	saliency *compile.Program
	training interface{ close() } // *compiled, where the model is compiled
	uses     int                  // fits and jobs that are under way
}

// layered is what a *keras.Model is asked.
type layered interface {
	Taps(c *nn.Context, in []*graph.Value) ([]*graph.Value, []keras.Tap)
	Layers() []keras.Info
	Weights() []keras.Weight
}

// dependent is a handle that cannot go on without its model.
type dependent interface{ of() *model }

func (m *model) free(s *Server) {
	m.prog.Close()
	m.dropTaps()
	if m.training != nil {
		m.training.close()
	}
	for id, h := range s.handles.all {
		if d, ok := h.(dependent); ok && d.of() == m {
			s.release(id)
		}
	}
	m.store.Close()
}

// prepare makes the graph, the weights and the program that predicts.
func (m *model) prepare(s *Server) (err error) {
	alloc := s.alloc()
	m.store = graph.NewStoreIn(alloc)
	defer func() {
		if err != nil {
			m.store.Close()
		}
	}()
	defer tensor.Catch(&err)
	if m.graph == nil {
		m.graph = m.net.Inference(nn.Options{Seed: m.seed, Budget: alloc.Room()})
	}
	if err := m.store.Init(m.graph); err != nil {
		return err
	}
	for _, v := range m.graph.Vars {
		v.Init = m.store.Get(v.Name) // for graphs that continue this one; no copy
	}
	m.prog, err = compile.Compile(s.runtime(), m.graph, m.store, compile.Options{})
	m.in = make([]*tensor.Tensor, len(m.net.Inputs))
	return err
}

// modelLoad reads an ONNX file.
func (s *Server) modelLoad(a val) error {
	id := s.unused(a.id("id"))
	raw := a.array("bytes").Bytes()
	if room := s.alloc().Room(); int64(len(raw)) > room {
		fail(tensor.CodeMemory, "model.load", "the file of ", len(raw), " bytes does not fit the memory budget, of which ", room, " bytes are left")
	}
	b := append([]byte(nil), raw...) // weights are views of the file until they are in the store
	file, err := onnx.Parse(b)
	if err != nil {
		return asFormat(err)
	}
	if missing := s.missing(file); missing != "" {
		fail(tensor.CodeUnsupported, "model.load", missing)
	}
	g, err := file.Build(onnx.DecodeOptions{Operators: s.opt.Operators, External: external(a.get("externalData"))})
	if err != nil {
		return asFormat(err)
	}
	m := &model{kind: "loaded", name: g.Name, graph: g, meta: g.Meta, seed: a.seed(s.seed)}
	if m.net, err = train.OfGraph(g); err != nil {
		return err
	}
	seen := map[*graph.Value]bool{}
	for _, n := range g.Nodes {
		if name := n.Def.FullName(); !slices.Contains(m.ops, name) {
			m.ops = append(m.ops, name)
		}
		for _, v := range n.Inputs {
			if v != nil && v.Origin == graph.FromConst && !seen[v] && v.Const.DType() != tensor.String {
				seen[v] = true
				v.Const = v.Const.Clone()
			}
		}
	}
	if err := m.prepare(s); err != nil {
		return err
	}
	s.add(id, m)
	m.describe(s, false)
	return nil
}

// missing says which operators of a file this build lacks, and where they are.
func (s *Server) missing(file *onnx.Model) string {
	var here, nowhere []string
	for _, name := range file.Missing(s.opt.Operators) {
		if containsWord(op.FullOnly, name) {
			here = append(here, name)
		} else {
			nowhere = append(nowhere, name)
		}
	}
	switch {
	case len(nowhere) > 0:
		return "the model uses operators that this version does not have: " + join(nowhere)
	case len(here) > 0:
		return "the model uses operators of the full set (init with set: \"full\"): " + join(here)
	}
	return ""
}

func containsWord(list, word string) bool {
	for i := 0; i+len(word)+2 <= len(list); i++ {
		if list[i] == ' ' && list[i+1:i+1+len(word)] == word && list[i+1+len(word)] == ' ' {
			return true
		}
	}
	return false
}

func join(s []string) string {
	out := ""
	for i, x := range s {
		if i > 0 {
			out += ", "
		}
		out += x
	}
	return out
}

// asFormat marks an error of a decoder as one of the file.
func asFormat(err error) error {
	if e, ok := err.(*tensor.Error); ok {
		if e.Code == "" {
			e.Code = tensor.CodeFormat
		}
		return e
	}
	return tensor.Err("", err.Error()).With(tensor.CodeFormat)
}

// external reads tensors from a map of file names to arrays of bytes.
func external(v val) func(location string, offset, length int64) ([]byte, error) {
	return func(location string, offset, length int64) ([]byte, error) {
		f := v.get(location)
		if !f.is(tagArray) {
			return nil, tensor.Err("model.load", "the weights lie in ", strconv.Quote(location), ", which is not given: pass it in externalData").With(codeArgument)
		}
		b := f.raw()
		if offset < 0 || length < 0 || offset > int64(len(b)) || length > int64(len(b))-offset {
			return nil, tensor.Err("model.load", strconv.Quote(location), " has ", len(b), " bytes, too few for ", length, " at ", offset).With(tensor.CodeFormat)
		}
		return append([]byte(nil), b[offset:offset+length]...), nil
	}
}

// tensors resolves data: an id of a tensor or variable, an array, or a list of those. Arrays lie in the request's memory.
func (s *Server) tensors(v val, what string) []*tensor.Tensor {
	one := func(v val) *tensor.Tensor {
		if t := v.tensor(); t != nil {
			return t
		}
		id, ok := v.asID()
		if !ok {
			fail(codeArgument, what, "must be tensors or arrays")
		}
		return s.value(id)
	}
	if !v.is(tagList) {
		return []*tensor.Tensor{one(v)}
	}
	var out []*tensor.Tensor
	for c := v.first(); c.r != nil; c = c.after(v) {
		out = append(out, one(c))
	}
	return out
}

// shaped returns data of an input as [n, sample...]: as it is where the rank fits, else cut into samples.
func shaped(t *tensor.Tensor, in train.Input) *tensor.Tensor {
	size := 1
	for _, d := range in.Shape {
		if d < 0 {
			return t // nothing to go by
		}
		size *= d
	}
	if t.Rank() == len(in.Shape)+1 && tensor.SameShape(t.Shape()[1:], in.Shape) {
		return t
	}
	if size == 0 || t.Len()%size != 0 || t.Len() == 0 {
		panic(&tensor.Error{Op: "data", Msg: "input " + strconv.Quote(in.Name) + " takes samples of another shape", Shapes: [][]int{in.Shape, t.Shape()}})
	}
	if t.Rank() > 1 && t.Rank() != len(in.Shape)+1 && t.Rank() != len(in.Shape) && t.Shape()[0] != t.Len()/size {
		panic(&tensor.Error{Op: "data", Msg: "input " + strconv.Quote(in.Name) + " takes samples of another shape", Shapes: [][]int{in.Shape, t.Shape()}})
	}
	return t.Reshape(append([]int{t.Len() / size}, in.Shape...)...)
}

// inputs resolves the data of all inputs of a model.
func (m *model) inputs(s *Server, v val) []*tensor.Tensor { return m.checked(s.tensors(v, "in")) }

// checked returns data cut into samples, of which there are as many for all inputs, and whose elements are numbers.
func (m *model) checked(x []*tensor.Tensor) []*tensor.Tensor {
	if len(x) != len(m.net.Inputs) {
		fail(codeArgument, "in", "the model takes ", len(m.net.Inputs), " inputs, got ", len(x))
	}
	for i := range x {
		x[i] = shaped(x[i], m.net.Inputs[i])
		if x[i].Rank() == 0 || x[i].Shape()[0] != x[0].Shape()[0] {
			panic(&tensor.Error{Op: "data", Msg: "inputs have different numbers of samples", Shapes: [][]int{x[0].Shape(), x[i].Shape()}})
		}
		if err := train.CheckFinite("data", "element", x[i]); err != nil {
			panic(err)
		}
	}
	return x
}

// ready returns the data in the types that the model takes.
func (m *model) ready(x []*tensor.Tensor) []*tensor.Tensor {
	for i, t := range x {
		d := m.net.Inputs[i].DType
		if d == tensor.Undefined {
			d = tensor.Float32
		}
		if t.DType() != d {
			c := tensor.New(d, t.Shape()...)
			train.Convert(c, t.Contiguous())
			x[i] = c
		}
	}
	return x
}
