package serve

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/native/internal/picture"
	"github.com/weft-ml/weft/native/serve/oip"
)

// LoadOptions say how a model is read and run. Operators must be given.
type LoadOptions struct {
	// Operators is the set that the model's operators are looked up in: op.Core or op.Full.
	Operators []*graph.Def
	// External reads tensors that are stored outside the model's file; see onnx.DecodeOptions.
	External func(location string, offset, length int64) ([]byte, error)
	// Batch is how many rows of waiting requests are computed together at most; 0 and 1 mean that every request is computed alone. It needs a
	// model whose inputs and outputs all begin with the same symbol, and rows that do not depend on each other: Load compares rows
	// together with rows alone, and refuses a model that gives other bits.
	Batch int
	// BatchWait is how long the first request of a batch waits for others while nothing else is to be done.
	BatchWait time.Duration
}

// Model is a compiled model that a server answers with.
type Model struct {
	name    string
	g       *graph.Graph
	program *compile.Program
	spec    oip.Spec
	class   picture.Classifier
	digits  bool
	batch   int
	wait    time.Duration
	runs    uint64 // the runner's
}

// Name returns the name under which the model is asked.
func (m *Model) Name() string { return m.name }

// Digits reports whether the model answers at /v1/digits: one input [N 1 28 28] and logits of ten classes.
func (m *Model) Digits() bool { return m.digits }

// Spec returns what the model takes and gives; the caller must not change it.
func (m *Model) Spec() oip.Spec { return m.spec }

// CheckName returns an error when a model cannot be asked under the name, which is a part of a path.
func CheckName(name string) error {
	if name == "" || name == "." || name == ".." || url.PathEscape(name) != name || strings.ContainsAny(name, "$&+=:@") {
		return fmt.Errorf("weft: serve: a model cannot be named %q: use letters, digits, and - . _ ~", name)
	}
	return nil
}

// Load reads an ONNX file and adds its model; see [Server.Add].
func (s *Server) Load(name string, file []byte, opt LoadOptions) (*Model, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	g, err := onnx.Decode(file, onnx.DecodeOptions{Operators: opt.Operators, External: opt.External})
	if err != nil {
		return nil, err
	}
	return s.Add(name, g, nil, opt)
}

// Add compiles a graph, with the variables of a store (nil: their initial elements), runs it once on zeros so that the first request is as fast
// as the others, and answers with it from then on. Of the options those for batches count.
func (s *Server) Add(name string, g *graph.Graph, store *graph.Store, opt LoadOptions) (*Model, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	m := &Model{name: name, g: g, batch: max(1, opt.Batch), wait: opt.BatchWait}
	m.spec.MaxElements = s.opt.MaxElements
	for _, v := range g.Inputs {
		if !v.HasRank {
			return nil, fmt.Errorf("weft: serve: input %q has no known rank: a request could not be checked", v.Name)
		}
	}
	var err error
	if m.spec.Inputs, err = specs(g.Inputs); err != nil {
		return nil, err
	}
	if m.spec.Outputs, err = specs(g.Outputs); err != nil {
		return nil, err
	}
	if c, err := picture.Of(g); err == nil && c.Digits() {
		m.class, m.digits = c, true
	}
	if m.program, err = compile.Compile(s.rt, g, store, compile.Options{}); err != nil {
		return nil, err
	}
	if m.batch > 1 {
		if err := m.checkBatch(); err != nil {
			m.program.Close()
			return nil, err
		}
	}
	m.warm()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.models[name] != nil {
		m.program.Close()
		return nil, fmt.Errorf("weft: serve: there is a model %q already: give one of them another name", name)
	}
	s.models[name] = m
	s.order = append(s.order, m)
	return m, nil
}

// open returns a shape with -1 for every dimension that is a symbol or unknown.
func open(shape []int) []int {
	out := make([]int, len(shape))
	for i, d := range shape {
		out[i] = max(d, -1)
	}
	return out
}

// specs describes inputs or outputs of a graph as the protocol does.
func specs(vs []*graph.Value) ([]oip.TensorSpec, error) {
	var out []oip.TensorSpec
	for _, v := range vs {
		if _, ok := oip.DTypeName(v.DType); !ok {
			return nil, fmt.Errorf("weft: serve: %q has elements of type %s, which the protocol's JSON and binary tensors do not carry here", v.Name, v.DType)
		}
		shape := []int{-1} // unknown rank: the protocol has no word for it
		if v.HasRank {
			shape = open(v.Shape)
		}
		out = append(out, oip.TensorSpec{Name: v.Name, DType: v.DType, Shape: shape})
	}
	return out, nil
}

// zeros returns inputs of zeros, with the given number of rows for every size that is open.
func (m *Model) zeros(rows int) []*tensor.Tensor {
	in := make([]*tensor.Tensor, len(m.spec.Inputs))
	for i, s := range m.spec.Inputs {
		shape := make([]int, len(s.Shape))
		for k, d := range s.Shape {
			if shape[k] = d; d < 0 {
				shape[k] = rows
			}
		}
		in[i] = tensor.New(s.DType, shape...)
	}
	return in
}

// warm runs the model once. A model that cannot take zeros, or ones for its symbols, says so to those who ask.
func (m *Model) warm() {
	defer func() { recover() }()
	m.program.Run(m.zeros(1)...)
}
