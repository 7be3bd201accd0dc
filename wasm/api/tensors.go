package api

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// tensorHandle is a tensor in a buffer of the runtime's allocator.
type tensorHandle struct {
	t    *tensor.Tensor
	buf  []byte
	pins int  // who still reads it
	gone bool // disposed while it was read

	home *spares // where it goes when it is given back; nil: nowhere
	slot int
	size int // of its buffer
}

func (h *tensorHandle) free(s *Server) {
	if h.pins > 0 {
		h.gone = true
		return
	}
	if h.buf != nil {
		s.alloc().Free(h.buf)
		h.buf = nil
		if h.home != nil && len(h.home.of[h.slot]) < maxSpares {
			h.home.of[h.slot] = append(h.home.of[h.slot], h)
		}
	}
}

// pin keeps a tensor's memory until it is unpinned, also when it is disposed before.
func (h *tensorHandle) pin() *tensorHandle { h.pins++; return h }

func (h *tensorHandle) unpin(s *Server) {
	if h.pins--; h.pins == 0 && h.gone {
		h.free(s)
	}
}

// newTensor allocates a tensor; its elements are arbitrary.
func (s *Server) newTensor(d tensor.DType, shape []int) *tensorHandle {
	n, ok := tensor.CheckedSize(shape)
	if !ok {
		panic(&tensor.Error{Op: "tensor", Msg: "no tensor can have this shape", Shapes: [][]int{shape}})
	}
	buf, err := s.alloc().Alloc(d.Bytes(n))
	if err != nil {
		panic(err)
	}
	return &tensorHandle{t: tensor.Wrap(d, shape, buf), buf: buf, size: len(buf)}
}

// copied returns a tensor of its own with the elements of t.
func (s *Server) copied(t *tensor.Tensor) *tensorHandle {
	h := s.newTensor(t.DType(), t.Shape())
	copy(h.t.Bytes(), t.Contiguous().Bytes())
	return h
}

func (s *Server) tensorNew(a val) error {
	id := s.unused(a.id("id"))
	s.add(id, s.copied(a.array("data")))
	s.w.null()
	return nil
}

func (s *Server) tensorAlloc(a val) error {
	id := s.unused(a.id("id"))
	h := s.newTensor(a.dtype("dtype", tensor.Float32), a.shape("shape"))
	clear(h.buf)
	s.add(id, h)
	s.w.null()
	return nil
}

func (s *Server) tensorWrite(a val) error {
	h := lookup[*tensorHandle](s, a.id("id"), "tensor")
	off, data := a.count("offset", 0, 0), a.array("data").Bytes()
	b := h.t.Bytes()
	if off > len(b) || len(data) > len(b)-off {
		fail(codeArgument, "tensor.write", len(data), " bytes at offset ", off, " do not fit a tensor of ", len(b), " bytes")
	}
	copy(b[off:], data)
	s.w.null()
	return nil
}

// value returns the elements that an id stands for: a tensor's or a variable's.
func (s *Server) value(id uint64) *tensor.Tensor {
	switch h := s.handles.get(id).(type) {
	case *tensorHandle:
		return h.t
	case *variable:
		return h.cell.Tensor
	}
	if s.handles.get(id) == nil {
		fail(codeDisposed, "tensor", "there is no tensor or data set with the id ", int64(id), ": it is disposed or was never made")
	}
	return lookup[*tensorHandle](s, id, "tensor").t
}

func (s *Server) tensorRead(a val) error {
	s.w.tensor(s.value(a.id("id")))
	return nil
}

func (s *Server) tensorInfo(a val) error {
	s.info(s.value(a.id("id")))
	return nil
}

func (s *Server) info(t *tensor.Tensor) {
	w := &s.w
	w.fields(2)
	w.key("shape")
	w.shape(t.Shape())
	w.key("dtype")
	w.str(t.DType().String())
}

func (s *Server) tensorRandom(a val) error {
	id := s.unused(a.id("id"))
	kind := a.text("kind", "normal")
	var fill nn.Initializer
	switch kind {
	case "normal":
		fill = nn.Normal(a.float("mean", 0), a.float("std", 1))
	case "uniform":
		fill = nn.Uniform(a.float("min", 0), a.float("max", 1))
	case "truncatedNormal":
		fill = nn.TruncatedNormal(a.float("mean", 0), a.float("std", 1))
	default:
		fail(codeArgument, "tensor.random", "kind must be normal, uniform or truncatedNormal, not ", kind)
	}
	shape := a.shape("shape")
	h := s.newTensor(tensor.Float32, shape)
	rng := random.New(a.seed(s.seed), randomStream)
	fill(h.t.Float32s(), shape, 1, 1, &rng)
	s.add(id, h)
	s.w.null()
	return nil
}

// randomStream keeps tensor.random's numbers apart from others of the same seed.
const randomStream = 0x74656e736f720001

// variable is named state of recorded graphs. Its data lies in the server's store under a name made from its id.
type variable struct {
	id        uint64
	name      string
	cell      *graph.Cell
	trainable bool
}

func varName(id uint64) string { return "v" + uitoa(id) }

func (v *variable) free(s *Server) {
	s.progs.drop(s, v.id)
	s.forget(varName(v.id))
}

func (s *Server) variableNew(a val) error {
	id := s.unused(a.id("id"))
	var t *tensor.Tensor
	if d := a.get("data"); d.ok() {
		t = a.array("data")
	} else {
		t = s.value(a.id("tensor"))
	}
	s.runtime()
	if err := s.vars.Set(varName(id), t); err != nil {
		return err
	}
	s.handles.set(id, &variable{id: id, name: a.text("name", ""), cell: s.vars.Cell(varName(id)), trainable: a.flag("trainable", true)})
	s.w.null()
	return nil
}

func (s *Server) variableAssign(a val) error {
	v := lookup[*variable](s, a.id("id"), "variable")
	var t *tensor.Tensor
	if d := a.get("data"); d.ok() {
		t = a.array("data")
	} else {
		t = s.value(a.id("tensor"))
	}
	if err := s.vars.Set(varName(v.id), t); err != nil {
		return err
	}
	s.w.null()
	return nil
}
