package api

import (
	"encoding/binary"
	"slices"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// maxSpecialised bounds the programs of a function, one for each set of input shapes.
const maxSpecialised = 8

// function is a recorded graph that runs on other inputs each time.
type function struct {
	req      request // a copy of its definition
	nodes    val
	outputs  val
	params   []uint64 // local ids
	types    []graph.Type
	captures []uint64        // tensors from outside; variables are found by their ids
	captured []*tensorHandle // what they are; they stay when the caller disposes them
	progs    programCache
	scan     scan
	key      []byte
}

func (f *function) free(s *Server) {
	f.progs.clear()
	for _, h := range f.captured {
		h.unpin(s)
	}
}

func (s *Server) functionDefine(a val) error {
	s.runtime()
	id := s.unused(a.id("id"))
	f := &function{}
	span := a.node().bytes
	// Arrays lie at multiples of 8 from the start of a message: the copy keeps the offsets.
	pad := int(span.lo) % 8
	b := make([]byte, pad+int(span.hi-span.lo))
	copy(b[pad:], a.r.b[span.lo:span.hi])
	for i := range pad {
		b[i] = tagNull
	}
	if err := f.req.decode(b, pad+1); err != nil {
		return err
	}
	def := val{&f.req, int32(pad) + 1}
	f.nodes, f.outputs = def.get("nodes"), def.get("outputs")
	for c := def.get("inputs").first(); c.r != nil; c = c.after(def.get("inputs")) {
		shape := c.ints("shape")
		if len(shape) > tensor.MaxRank {
			fail(codeArgument, "function", "an input has at most ", tensor.MaxRank, " dimensions")
		}
		f.params = append(f.params, c.id("id"))
		f.types = append(f.types, graph.Type{DType: c.dtype("dtype", tensor.Float32), Shape: shape, HasRank: c.get("shape").ok()})
	}
	for c := def.get("captures").first(); c.r != nil; c = c.after(def.get("captures")) {
		cid, ok := c.asID()
		if !ok {
			fail(codeArgument, "captures", "must be ids")
		}
		switch h := s.handles.get(cid).(type) {
		case *variable:
		case *tensorHandle:
			f.captures, f.captured = append(f.captures, cid), append(f.captured, h)
		default:
			fail(codeDisposed, "function", "there is no tensor with the id ", int64(cid), " to capture")
		}
	}
	for _, h := range f.captured {
		h.pin()
	}
	s.add(id, f)
	s.w.null()
	return nil
}

func (s *Server) functionRun(a val) error {
	f := lookup[*function](s, a.id("id"), "function")
	out := s.outputIDs(a.get("out"))
	if len(out) != f.outputs.len() {
		fail(codeArgument, "function", "it has ", f.outputs.len(), " outputs, ", len(out), " ids are given")
	}
	args := a.get("in")
	if args.len() != len(f.params) {
		fail(codeArgument, "function", "it takes ", len(f.params), " inputs, got ", args.len())
	}
	in := make([]*tensor.Tensor, 0, len(f.params)+len(f.captures))
	f.key = f.key[:0]
	for c := args.first(); c.r != nil; c = c.after(args) {
		id, ok := c.asID()
		if !ok {
			fail(codeArgument, "in", "must be ids")
		}
		t := s.value(id)
		want := &f.types[len(in)]
		if t.DType() != want.DType || want.HasRank && !matches(want.Shape, t.Shape()) {
			panic(&tensor.Error{Op: "function", Msg: "input " + itoa(len(in)) + " takes " + want.DType.String() + " of another shape, got " + t.DType().String(), Shapes: [][]int{want.Shape, t.Shape()}})
		}
		in = append(in, t)
		f.key = append(f.key, byte(t.Rank()))
		for _, d := range t.Shape() {
			f.key = binary.LittleEndian.AppendUint32(f.key, uint32(d))
		}
	}
	for _, h := range f.captured {
		in = append(in, h.t)
	}
	p := f.progs.get(f.key)
	if p == nil {
		types := make([]graph.Type, len(in))
		for i, t := range in {
			types[i] = graph.Type{DType: t.DType(), Shape: t.Shape()}
		}
		p = s.build(f.nodes, f.outputs, slices.Concat(f.params, f.captures), types, nil)
		p.key = string(f.key)
		for len(f.progs.m) >= maxSpecialised {
			f.progs.oldest()
		}
		f.progs.put(p)
	}
	s.run(p, in, nil, out, a.get("scalars"))
	return nil
}

func matches(want, have []int) bool {
	if len(want) != len(have) {
		return false
	}
	for i, d := range want {
		if d >= 0 && d != have[i] {
			return false
		}
	}
	return true
}
