package onnx

import (
	"io"
	"strconv"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx/wire"
	"github.com/weft-ml/weft/core/tensor"
)

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

// Marshal returns the model as the bytes of a file.
func (m *Model) Marshal() []byte {
	w := wire.NewWriter(nil)
	m.write(w)
	return w.Bytes()
}

// WriteTo writes the model as a file without holding it in memory.
func (m *Model) WriteTo(out io.Writer) (int64, error) {
	w := wire.NewWriter(out)
	m.write(w)
	err := w.Flush()
	return int64(w.Len()), err
}

func (m *Model) write(w *wire.Writer) {
	w.Int(1, m.IRVersion)
	w.Str(2, m.Producer)
	w.Str(3, m.ProducerVersion)
	w.Str(4, m.Domain)
	w.Int(5, m.Version)
	w.Str(6, m.Doc)
	if m.Graph != nil {
		w.Message(7, m.Graph.write)
	}
	for _, o := range m.Opsets {
		w.Message(8, o.write)
	}
	writeEntries(w, 14, m.Meta)
	for _, t := range m.Training {
		w.Message(20, t.write)
	}
	for _, f := range m.Functions {
		w.Message(25, f.write)
	}
}

func (o Opset) write(w *wire.Writer) {
	w.RepeatedStr(1, o.Domain)
	w.Int(2, o.Version)
}

func writeEntries(w *wire.Writer, num int, entries []graph.MetaEntry) {
	for _, e := range entries {
		w.Message(num, func(w *wire.Writer) {
			w.Str(1, e.Key)
			w.Str(2, e.Value)
		})
	}
}

func (g *Graph) write(w *wire.Writer) {
	for _, n := range g.Nodes {
		w.Message(1, n.write)
	}
	w.Str(2, g.Name)
	for _, t := range g.Initializers {
		w.Message(5, t.write)
	}
	for _, v := range g.Inputs {
		w.Message(11, v.write)
	}
	for _, v := range g.Outputs {
		w.Message(12, v.write)
	}
	for _, v := range g.Values {
		w.Message(13, v.write)
	}
	for _, s := range g.Sparse {
		w.Message(15, s.write)
	}
}

func (s *Sparse) write(w *wire.Writer) {
	w.Message(1, s.Values.write)
	w.Message(2, s.Indices.write)
	w.Ints(3, s.Dims)
}

func (n *Node) write(w *wire.Writer) {
	for _, s := range n.Inputs {
		w.RepeatedStr(1, s)
	}
	for _, s := range n.Outputs {
		w.RepeatedStr(2, s)
	}
	w.Str(3, n.Name)
	w.Str(4, n.Op)
	for _, a := range n.Attrs {
		w.Message(5, a.write)
	}
	w.Str(7, n.Domain)
	w.Str(8, n.Overload)
}

func (a *Attribute) write(w *wire.Writer) {
	w.Str(1, a.Name)
	if a.Ref == "" {
		switch a.Kind {
		case graph.AttrFloat:
			w.F32(2, a.F)
		case graph.AttrInt:
			w.RepeatedInt(3, a.I)
		case graph.AttrString:
			w.RepeatedStr(4, a.S)
		case graph.AttrTensor:
			w.Message(5, a.T.write)
		case graph.AttrGraph:
			w.Message(6, a.G.write)
		case graph.AttrFloats:
			w.F32s(7, a.Floats)
		case graph.AttrInts:
			w.Ints(8, a.Ints)
		case graph.AttrStrings:
			for _, s := range a.Strings {
				w.RepeatedStr(9, s)
			}
		}
	}
	w.Int(20, int64(a.Kind))
	w.Str(21, a.Ref)
}

func (v *ValueInfo) write(w *wire.Writer) {
	w.Str(1, v.Name)
	if v.Kind != "tensor" {
		return
	}
	w.Message(2, func(w *wire.Writer) {
		w.Message(1, func(w *wire.Writer) {
			w.Int(1, int64(v.DType))
			if !v.HasRank {
				return
			}
			w.Message(2, func(w *wire.Writer) {
				for _, d := range v.Shape {
					w.Message(1, func(w *wire.Writer) {
						if d.Size >= 0 {
							w.RepeatedInt(1, d.Size)
						} else {
							w.Str(2, d.Symbol)
						}
					})
				}
			})
		})
	})
}

func (t *Training) write(w *wire.Writer) {
	if t.Initialization != nil {
		w.Message(1, t.Initialization.write)
	}
	if t.Algorithm != nil {
		w.Message(2, t.Algorithm.write)
	}
	writeEntries(w, 3, t.InitBinding)
	writeEntries(w, 4, t.UpdateBinding)
}

func (f *Function) write(w *wire.Writer) {
	w.Str(1, f.Name)
	for _, s := range f.Inputs {
		w.RepeatedStr(4, s)
	}
	for _, s := range f.Outputs {
		w.RepeatedStr(5, s)
	}
	for _, s := range f.Attrs {
		w.RepeatedStr(6, s)
	}
	for _, n := range f.Nodes {
		w.Message(7, n.write)
	}
	for _, o := range f.Opsets {
		w.Message(9, o.write)
	}
	w.Str(10, f.Domain)
	for _, a := range f.Defaults {
		w.Message(11, a.write)
	}
	w.Str(13, f.Overload)
}

func (t *Tensor) write(w *wire.Writer) {
	w.Ints(1, t.Dims)
	w.Int(2, int64(t.DType))
	if len(t.floats) > 0 {
		w.Payload(4, t.floats)
	}
	if len(t.int32s) > 0 {
		w.Payload(5, t.int32s)
	}
	for _, s := range t.strings {
		w.RepeatedStr(6, s)
	}
	if len(t.int64s) > 0 {
		w.Payload(7, t.int64s)
	}
	w.Str(8, t.Name)
	if t.hasRaw {
		w.Payload(9, t.Raw)
	}
	if len(t.doubles) > 0 {
		w.Payload(10, t.doubles)
	}
	if len(t.uint64s) > 0 {
		w.Payload(11, t.uint64s)
	}
	writeEntries(w, 13, t.location)
	if t.external {
		w.Int(14, 1)
	}
	writeEntries(w, 16, t.Meta)
}

// NewTensor returns the message of a tensor; it shares the elements of a contiguous one.
func NewTensor(name string, t *tensor.Tensor) *Tensor {
	t = t.Contiguous()
	p := &Tensor{Name: name, DType: t.DType()}
	for _, d := range t.Shape() {
		p.Dims = append(p.Dims, int64(d))
	}
	if t.DType() == tensor.String {
		p.strings = t.Strings()
	} else {
		p.Raw, p.hasRaw = t.Bytes(), true
	}
	return p
}

// MarshalTensor returns the bytes of a file that holds one tensor (a TensorProto, as ONNX's test data have).
func MarshalTensor(name string, t *tensor.Tensor) []byte {
	w := wire.NewWriter(nil)
	NewTensor(name, t).write(w)
	return w.Bytes()
}
