package onnx

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx/wire"
	"github.com/weft-ml/weft/core/tensor"
)

// maxDepth bounds how deep subgraphs and types may nest; files made by programs stay below 10.
const maxDepth = 64

// Parse reads the messages of a model file. Tensors stay views of b, which must not change while the
// model is used.
func Parse(b []byte) (*Model, error) {
	r := wire.NewReader(b, 0)
	p := parser{}
	m := p.model(r)
	if err := r.Err(); err != nil {
		return nil, tensor.Err("onnx", "not a readable ONNX model: ", err, " (the file has ", len(b), " bytes and may be truncated or corrupt)")
	}
	if m.Graph == nil {
		return nil, tensor.Err("onnx", "not an ONNX model: the file of ", len(b), " bytes has no graph")
	}
	return m, nil
}

// parser counts the depth of nested messages.
type parser struct{ depth int }

// message runs f over the fields of the nested message in field fd of r.
func (p *parser) message(r *wire.Reader, fd *wire.Field, f func(s *wire.Reader, fd *wire.Field)) {
	if p.depth++; p.depth > maxDepth {
		r.Fail(fd.Off, "messages are nested too deep")
	}
	s := r.Sub(fd)
	var x wire.Field
	for s.Next(&x) {
		f(s, &x)
	}
	r.Adopt(s)
	p.depth--
}

func (p *parser) model(r *wire.Reader) *Model {
	m := &Model{}
	var f wire.Field
	for r.Next(&f) {
		switch f.Num {
		case 1:
			m.IRVersion = r.Int(&f)
		case 2:
			m.Producer = r.Str(&f)
		case 3:
			m.ProducerVersion = r.Str(&f)
		case 4:
			m.Domain = r.Str(&f)
		case 5:
			m.Version = r.Int(&f)
		case 6:
			m.Doc = r.Str(&f)
		case 7:
			m.Graph = p.graph(r, &f)
		case 8:
			m.Opsets = append(m.Opsets, p.opset(r, &f))
		case 14:
			m.Meta = append(m.Meta, p.entry(r, &f))
		case 20:
			m.Training = append(m.Training, p.training(r, &f))
		case 25:
			m.Functions = append(m.Functions, p.function(r, &f))
		}
	}
	return m
}

func (p *parser) opset(r *wire.Reader, f *wire.Field) (o Opset) {
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			o.Domain = domain(s.Str(f))
		case 2:
			o.Version = s.Int(f)
		}
	})
	return o
}

func (p *parser) entry(r *wire.Reader, f *wire.Field) (e graph.MetaEntry) {
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			e.Key = s.Str(f)
		case 2:
			e.Value = s.Str(f)
		}
	})
	return e
}

func (p *parser) graph(r *wire.Reader, f *wire.Field) *Graph {
	g := &Graph{}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			g.Nodes = append(g.Nodes, p.node(s, f))
		case 2:
			g.Name = s.Str(f)
		case 5:
			g.Initializers = append(g.Initializers, p.tensor(s, f))
		case 11:
			g.Inputs = append(g.Inputs, p.valueInfo(s, f))
		case 12:
			g.Outputs = append(g.Outputs, p.valueInfo(s, f))
		case 13:
			g.Values = append(g.Values, p.valueInfo(s, f))
		case 15:
			g.Sparse = append(g.Sparse, p.sparse(s, f))
		}
	})
	return g
}

func (p *parser) node(r *wire.Reader, f *wire.Field) *Node {
	n := &Node{off: f.Off}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			n.Inputs = append(n.Inputs, s.Str(f))
		case 2:
			n.Outputs = append(n.Outputs, s.Str(f))
		case 3:
			n.Name = s.Str(f)
		case 4:
			n.Op = s.Str(f)
		case 5:
			n.Attrs = append(n.Attrs, p.attribute(s, f))
		case 7:
			n.Domain = domain(s.Str(f))
		case 8:
			n.Overload = s.Str(f)
		}
	})
	return n
}

func (p *parser) attribute(r *wire.Reader, f *wire.Field) *Attribute {
	a := &Attribute{}
	kind, other := int64(0), [...]string{9: "tensors", 10: "graphs", 12: "sparse tensors", 13: "type", 14: "types"}
	seen := graph.AttrKind(0) // files of the first versions give no type: the field that is there tells
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			a.Name = s.Str(f)
		case 2:
			a.F, seen = s.F32(f), graph.AttrFloat
		case 3:
			a.I, seen = s.Int(f), graph.AttrInt
		case 4:
			a.S, seen = s.Str(f), graph.AttrString
		case 5:
			a.T, seen = p.tensor(s, f), graph.AttrTensor
		case 6:
			a.G, seen = p.graph(s, f), graph.AttrGraph
		case 7:
			a.Floats, seen = s.F32s(a.Floats, f), graph.AttrFloats
		case 8:
			a.Ints, seen = s.Ints(a.Ints, f), graph.AttrInts
		case 9:
			a.Strings, seen = append(a.Strings, s.Str(f)), graph.AttrStrings
		case 20:
			kind = s.Int(f)
		case 21:
			a.Ref = s.Str(f)
		case 22:
			a.Sparse = p.sparse(s, f)
		}
	})
	switch {
	case kind >= 1 && kind <= 8:
		a.Kind = graph.AttrKind(kind)
	case kind == 0:
		a.Kind = seen
	case kind == 11:
		a.Other = "sparse tensor"
	case kind > 0 && kind < int64(len(other)):
		a.Other = other[kind]
	default:
		a.Other = "unknown"
	}
	if a.Kind == graph.AttrTensor && a.T == nil || a.Kind == graph.AttrGraph && a.G == nil {
		if a.Ref == "" {
			r.Fail(f.Off, "attribute \""+a.Name+"\" of kind "+a.Kind.String()+" has no value")
		}
	}
	return a
}

func (p *parser) valueInfo(r *wire.Reader, f *wire.Field) *ValueInfo {
	v := &ValueInfo{off: f.Off}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			v.Name = s.Str(f)
		case 2:
			p.message(s, f, func(s *wire.Reader, f *wire.Field) {
				switch f.Num {
				case 1:
					v.Kind = "tensor"
					p.tensorType(s, f, v)
				case 4:
					v.Kind = "sequence"
				case 5:
					v.Kind = "map"
				case 7:
					v.Kind = "opaque"
				case 8:
					v.Kind = "sparse tensor"
				case 9:
					v.Kind = "optional"
				}
			})
		}
	})
	return v
}

func (p *parser) tensorType(r *wire.Reader, f *wire.Field, v *ValueInfo) {
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			v.DType = elementType(s, f)
		case 2:
			v.HasRank = true
			p.message(s, f, func(s *wire.Reader, f *wire.Field) {
				if f.Num != 1 {
					return
				}
				d := Dim{Size: -1}
				p.message(s, f, func(s *wire.Reader, f *wire.Field) {
					switch f.Num {
					case 1:
						d = Dim{Size: max(s.Int(f), -1)}
					case 2:
						d = Dim{Size: -1, Symbol: s.Str(f)}
					}
				})
				v.Shape = append(v.Shape, d)
			})
		}
	})
}

// elementType reads an element type; one that this build does not know is an error.
func elementType(r *wire.Reader, f *wire.Field) tensor.DType {
	v := r.Int(f)
	if v == 0 {
		return tensor.Undefined
	}
	if v < 0 || v > 255 || !tensor.DType(v).Valid() {
		r.Fail(f.Off, "unknown element type "+itoa(v))
		return tensor.Undefined
	}
	return tensor.DType(v)
}

func (p *parser) sparse(r *wire.Reader, f *wire.Field) *Sparse {
	t := &Sparse{}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			t.Values = p.tensor(s, f)
		case 2:
			t.Indices = p.tensor(s, f)
		case 3:
			t.Dims = s.Ints(t.Dims, f)
		}
	})
	if t.Values == nil || t.Indices == nil {
		r.Fail(f.Off, "sparse tensor without values or indices")
	}
	return t
}

func (p *parser) tensor(r *wire.Reader, f *wire.Field) *Tensor {
	t := &Tensor{off: f.Off}
	p.message(r, f, t.field(p))
	return t
}

func (t *Tensor) field(p *parser) func(s *wire.Reader, f *wire.Field) {
	return func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			t.Dims = s.Ints(t.Dims, f)
		case 2:
			t.DType = elementType(s, f)
		case 3:
			t.segment = true
		case 4:
			t.floats = s.Packed(t.floats, f)
		case 5:
			t.int32s = s.Packed(t.int32s, f)
		case 6:
			t.strings = append(t.strings, s.Str(f))
		case 7:
			t.int64s = s.Packed(t.int64s, f)
		case 8:
			t.Name = s.Str(f)
		case 9:
			if s.Want(f, wire.Bytes) {
				t.Raw, t.hasRaw, t.rawOff = f.B, true, f.Off
			}
		case 10:
			t.doubles = s.Packed(t.doubles, f)
		case 11:
			t.uint64s = s.Packed(t.uint64s, f)
		case 13:
			t.location = append(t.location, p.entry(s, f))
		case 14:
			t.external = s.Int(f) == 1
		case 16:
			t.Meta = append(t.Meta, p.entry(s, f))
		}
	}
}

func (p *parser) training(r *wire.Reader, f *wire.Field) *Training {
	t := &Training{}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			t.Initialization = p.graph(s, f)
		case 2:
			t.Algorithm = p.graph(s, f)
		case 3:
			t.InitBinding = append(t.InitBinding, p.entry(s, f))
		case 4:
			t.UpdateBinding = append(t.UpdateBinding, p.entry(s, f))
		}
	})
	return t
}

func (p *parser) function(r *wire.Reader, f *wire.Field) *Function {
	fn := &Function{}
	p.message(r, f, func(s *wire.Reader, f *wire.Field) {
		switch f.Num {
		case 1:
			fn.Name = s.Str(f)
		case 4:
			fn.Inputs = append(fn.Inputs, s.Str(f))
		case 5:
			fn.Outputs = append(fn.Outputs, s.Str(f))
		case 6:
			fn.Attrs = append(fn.Attrs, s.Str(f))
		case 7:
			fn.Nodes = append(fn.Nodes, p.node(s, f))
		case 9:
			fn.Opsets = append(fn.Opsets, p.opset(s, f))
		case 10:
			fn.Domain = domain(s.Str(f))
		case 11:
			fn.Defaults = append(fn.Defaults, p.attribute(s, f))
		case 13:
			fn.Overload = s.Str(f)
		}
	})
	return fn
}
