package api

import (
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/safetensors"
	"github.com/weft-ml/weft/core/tensor"
)

// weight is a variable of a model as the caller sees it: layers models show Keras's layouts.
type weight struct {
	name      string
	trainable bool
	get       func() (*tensor.Tensor, error)
	set       func(t *tensor.Tensor) error
	shape     []int
}

func (m *model) weights() []weight {
	var out []weight
	if m.layers != nil {
		ws := m.layers.Weights()
		for i := range ws {
			k := &ws[i]
			out = append(out, weight{k.Name, k.Trainable, func() (*tensor.Tensor, error) { return k.Get(m.store) }, func(t *tensor.Tensor) error { return k.Set(m.store, t) }, k.Shape})
		}
		return out
	}
	for _, v := range m.graph.Vars {
		out = append(out, weight{v.Name, v.Trainable, func() (*tensor.Tensor, error) { return m.store.Get(v.Name), nil }, func(t *tensor.Tensor) error { return m.store.Set(v.Name, t) }, v.Shape})
	}
	return out
}

func (s *Server) modelWeights(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	ws := m.weights()
	w := &s.w
	w.list(len(ws))
	for i := range ws {
		t, err := ws[i].get()
		if err != nil {
			return err
		}
		w.fields(4)
		w.key("name")
		w.str(ws[i].name)
		w.key("shape")
		w.shape(t.Shape())
		w.key("data")
		w.tensor(t)
		w.key("trainable")
		w.bool(ws[i].trainable)
	}
	return nil
}

// modelSetWeights sets weights by name, or all of them in order where names are missing. Nothing changes when one does not fit.
func (s *Server) modelSetWeights(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	ws := m.weights()
	list := a.get("weights")
	var which []*weight
	var data []*tensor.Tensor
	k := 0
	for c := list.first(); c.r != nil; c = c.after(list) {
		d := c.get("data")
		if c.is(tagArray) || c.is(tagNumber) {
			d = c
		}
		t := s.tensors(d, "weights")[0]
		name := c.text("name", "")
		i := k
		if name != "" {
			i = slices.IndexFunc(ws, func(w weight) bool { return w.name == name })
		}
		if i < 0 || i >= len(ws) {
			fail(codeArgument, "model.setWeights", "the model has no weight ", strconv.Quote(name), "; it has ", len(ws))
		}
		k = i + 1
		w := &ws[i]
		if t.DType() != tensor.Float32 || t.Len() != tensor.Size(w.shape) || t.Rank() != 1 && !tensor.SameShape(t.Shape(), w.shape) {
			panic(&tensor.Error{Op: "model.setWeights", Msg: strconv.Quote(w.name) + " takes float32 of another shape than " + t.DType().String(), Shapes: [][]int{w.shape, t.Shape()}})
		}
		if err := finite(w.name, t); err != nil {
			return err
		}
		which, data = append(which, w), append(data, t.Reshape(w.shape...))
	}
	for i, w := range which {
		if err := w.set(data[i]); err != nil {
			return err
		}
	}
	s.w.null()
	return nil
}

func finite(name string, t *tensor.Tensor) error {
	for i, v := range t.Float32s() {
		if v-v != 0 {
			return tensor.Err("weights", strconv.Quote(name), ", element ", i, " is ", v).With(tensor.CodeNaN)
		}
	}
	return nil
}

// modelSave writes a file.
func (s *Server) modelSave(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	var meta []graph.MetaEntry
	if md := a.get("metadata"); md.ok() {
		for c := md.first(); c.r != nil; c = c.after(md) {
			text := ""
			switch x := c.plain().(type) {
			case string:
				text = x
			case float64:
				text = strconv.FormatFloat(x, 'g', -1, 64)
			case bool:
				text = strconv.FormatBool(x)
			default:
				fail(codeArgument, "metadata", "values must be strings or numbers")
			}
			meta = append(meta, graph.MetaEntry{Key: c.key(), Value: text})
		}
	} else {
		meta = m.meta
	}
	var b []byte
	var err error
	switch format := a.text("format", "onnx"); format {
	case "onnx":
		old := m.graph.Meta
		m.graph.Meta = meta
		b, err = onnx.Encode(m.graph, m.store, onnx.EncodeOptions{})
		m.graph.Meta = old
	case "safetensors":
		f := &safetensors.File{Meta: map[string]string{}}
		for _, e := range meta {
			f.Meta[e.Key] = e.Value
		}
		ws := m.weights()
		for i := range ws {
			t, err := ws[i].get()
			if err != nil {
				return err
			}
			f.Tensors = append(f.Tensors, safetensors.Entry{Name: ws[i].name, Tensor: t})
		}
		b, err = safetensors.Encode(f)
	default:
		fail(codeArgument, "model.save", "format must be onnx or safetensors, not ", strconv.Quote(format))
	}
	if err != nil {
		return err
	}
	s.w.fields(1)
	s.w.key("bytes")
	s.w.bytes(b)
	return nil
}

// modelLoadWeights reads a safetensors file into a model that has the same weights.
func (s *Server) modelLoadWeights(a val) error {
	m := lookup[*model](s, a.id("id"), "model")
	f, err := safetensors.Decode(a.array("bytes").Bytes())
	if err != nil {
		return asFormat(err)
	}
	ws := m.weights()
	data := make([]*tensor.Tensor, len(ws))
	for i := range ws {
		t := f.Get(ws[i].name)
		if t == nil {
			fail(codeArgument, "model.loadWeights", "the file has no tensor ", strconv.Quote(ws[i].name), " that the model needs")
		}
		if t.DType() != tensor.Float32 || !tensor.SameShape(t.Shape(), ws[i].shape) {
			panic(&tensor.Error{Op: "model.loadWeights", Msg: strconv.Quote(ws[i].name) + " is " + t.DType().String() + " of another shape", Shapes: [][]int{ws[i].shape, t.Shape()}})
		}
		data[i] = t
	}
	for i := range ws {
		if err := ws[i].set(data[i]); err != nil {
			return err
		}
	}
	s.w.fields(1)
	s.w.key("metadata")
	s.w.fields(len(f.Meta))
	keys := make([]string, 0, len(f.Meta))
	for k := range f.Meta {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s.w.key(k)
		s.w.str(f.Meta[k])
	}
	return nil
}
