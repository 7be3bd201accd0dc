package api

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/simd"
)

// Version is what init reports; the JavaScript package compares it with its own.
const Version = "0.3.0"

// Options are the settings of a server.
type Options struct {
	Operators []*graph.Def // the set that graphs and loaded models are made of
	Set       string       // its name: "core" or "full"
	// Now returns the time in nanoseconds from any origin; slices of work are measured with it. Without it a call makes one piece of work.
	Now func() int64
}

// Server answers calls. It is to be used by one goroutine.
type Server struct {
	opt     Options
	rt      *compile.Runtime
	seed    uint64
	budget  int64
	threads int

	req     request
	w       writer
	handles handleTable
	ops     map[string]*graph.Def
	vars    *graph.Store // of variables and of the state of optimizers in recorded graphs
	progs   programCache
	scanned scan
	logList []train.Log
	runs    uint64 // programs run so far: the position of the random numbers

	block    [QuickWords]uint32 // of quick calls
	again    compile.Repeat     // of the last one
	quickIn  []*tensor.Tensor
	quickY   []*tensor.Tensor
	quickOut []uint64
}

// handle is something that an id stands for.
type handle interface {
	free(s *Server)
}

// NewServer returns a server without anything in it.
func NewServer(opt Options) *Server {
	return &Server{opt: opt}
}

// Codes of errors beside those of core/tensor.
const (
	codeShape    = "shape"
	codeArgument = "argument"
	codeOp       = "op"
	codeDisposed = "disposed"
	codeState    = "state"
	codeInternal = "internal"
)

// fail panics with an error of the given code; Call answers with it.
func fail(code, op string, parts ...any) { panic(tensor.Err(op, parts...).With(code)) }

// Call runs one request and returns the response, which is valid until the next call. The request's memory must be aligned to 8 bytes for
// speed; it may be used until the next call.
func (s *Server) Call(b []byte) (out []byte) {
	if cap(s.w.b) > 4<<20 {
		s.w.b = nil
	}
	s.w.reset()
	s.countRepeats()
	name := "request"
	defer func() {
		if r := recover(); r != nil {
			s.failed(name, r)
			out = s.w.b
		}
	}()
	if err := s.req.decode(b, 2); err != nil {
		panic(err)
	}
	m := val{&s.req, 1}
	if !m.is(tagString) {
		fail(codeArgument, "request", "the method's name is missing")
	}
	args := m.after(val{&s.req, 1})
	args = val{&s.req, m.node().next + 1}
	s.w.b = append(s.w.b, 0)
	f := methodOf(m.raw())
	if f == nil {
		fail(tensor.CodeUnsupported, "request", "there is no method ", strconv.Quote(string(m.raw())))
	}
	name = string(m.raw())
	if err := f(s, args); err != nil {
		panic(err)
	}
	return s.w.b
}

// failed writes the response to a call that went wrong.
func (s *Server) failed(method string, r any) {
	var e *tensor.Error
	switch r := r.(type) {
	case *tensor.Error:
		e = r
	case runtime.Error: // a fault of ours, not of the caller's
		e = tensor.Err(method, "internal error: ", r.Error()).With(codeInternal)
	case error:
		e = tensor.Err("", r.Error())
	case string:
		e = tensor.Err(method, "internal error: ", r).With(codeInternal)
	default:
		e = tensor.Err(method, "internal error").With(codeInternal)
	}
	code := e.Code
	switch {
	case code != "":
	case len(e.Shapes) > 0:
		code = codeShape
	case s.opName(e.Op) != "":
		code = codeOp
	default:
		code = codeArgument
	}
	w := &s.w
	w.reset()
	w.b = append(w.b, 1)
	w.fields(4)
	w.key("code")
	w.str(code)
	w.key("message")
	w.str(e.Error())
	w.key("op")
	w.str(e.Op)
	w.key("shapes")
	w.list(len(e.Shapes))
	for _, sh := range e.Shapes {
		w.shape(sh)
	}
}

// opName returns the operator's name that the description of a node begins with, "" for others.
func (s *Server) opName(op string) string {
	for i := range len(op) {
		if op[i] == ' ' {
			op = op[:i]
			break
		}
	}
	if s.ops[op] != nil {
		return op
	}
	return ""
}

// runtime returns the runtime, started on first use.
func (s *Server) runtime() *compile.Runtime {
	if s.rt == nil {
		s.rt = compile.NewRuntime(compile.RuntimeOptions{Threads: s.threads, MemoryBudget: s.budget})
		s.vars = graph.NewStoreIn(s.rt.Allocator())
		s.defs()
	}
	return s.rt
}

func (s *Server) alloc() *tensor.Allocator { return s.runtime().Allocator() }

func (s *Server) defs() map[string]*graph.Def {
	if s.ops == nil {
		s.ops = make(map[string]*graph.Def, len(s.opt.Operators))
		for _, d := range s.opt.Operators {
			s.ops[d.FullName()] = d
		}
	}
	return s.ops
}

// Close ends everything that the server holds.
func (s *Server) Close() {
	for id := range s.handles.all {
		s.release(id)
	}
	s.progs.clear()
	if s.rt != nil {
		s.rt.Close()
		s.rt = nil
	}
}

func (s *Server) start(a val) error {
	if s.rt != nil && s.handles.n > 0 {
		fail(codeState, "init", "the runtime holds tensors or models already; make another one for other settings")
	}
	if s.rt != nil {
		s.progs.clear()
		s.rt.Close()
		s.rt = nil
	}
	s.seed = uint64(int64(a.whole("seed", 0)))
	s.budget = int64(a.whole("memoryBudget", 0))
	s.threads = a.whole("threads", 0)
	if s.budget < 0 || s.threads < 0 || s.threads > 1024 {
		fail(codeArgument, "init", "memoryBudget and threads must be 0 or more")
	}
	rt := s.runtime()
	k := simd.Current()
	w := &s.w
	w.fields(6)
	w.key("version")
	w.str(Version)
	w.key("kernels")
	w.str(strings.TrimSuffix(k.Name, "-muladd")) // the class says how it rounds
	w.key("numerics")
	w.str(k.Class.String())
	w.key("threads")
	w.int(rt.Threads())
	w.key("set")
	w.str(s.opt.Set)
	w.key("ops")
	w.list(len(s.opt.Operators))
	for _, d := range s.opt.Operators {
		w.str(d.FullName())
	}
	return nil
}

func (s *Server) memory(a val) error {
	if a.flag("gc", false) {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	st := s.alloc().Stats()
	tensors := 0
	for _, h := range s.handles.all {
		switch h.(type) {
		case *tensorHandle, *variable:
			tensors++
		}
	}
	w := &s.w
	w.fields(7)
	w.key("tensors")
	w.int(tensors)
	w.key("handles")
	w.int(s.handles.n)
	w.key("bytes")
	w.int(int(st.Used))
	w.key("buffers")
	w.int(st.Live)
	w.key("budget")
	w.int(int(st.Budget))
	w.key("goHeap")
	w.int(int(m.HeapAlloc))
	w.key("goSys")
	w.int(int(m.Sys))
	return nil
}

func (s *Server) dispose(a val) error {
	ids := a.get("ids")
	for c := ids.first(); c.r != nil; c = c.after(ids) {
		if id, ok := c.number(); ok && id > 0 {
			s.release(uint64(id))
		}
	}
	s.w.null()
	return nil
}

// release ends a handle; an unknown id is nothing.
func (s *Server) release(id uint64) {
	if h := s.handles.get(id); h != nil {
		s.handles.set(id, nil)
		h.free(s)
	}
}

// add gives an id to a handle. An id that is taken is an error, and the handle is freed.
func (s *Server) add(id uint64, h handle) {
	if s.handles.get(id) != nil {
		h.free(s)
		fail(codeArgument, "handle", "the id ", int64(id), " is in use")
	}
	s.handles.set(id, h)
}

// free checks that an id is not taken yet.
func (s *Server) unused(id uint64) uint64 {
	if s.handles.get(id) != nil {
		fail(codeArgument, "handle", "the id ", int64(id), " is in use")
	}
	return id
}

// lookup returns the handle of an id as a T; what names the kind of thing in errors.
func lookup[T handle](s *Server, id uint64, what string) T {
	h := s.handles.get(id)
	if h == nil {
		fail(codeDisposed, what, "there is no ", what, " with the id ", int64(id), ": it is disposed or was never made")
	}
	t, ok := h.(T)
	if !ok {
		fail(codeArgument, what, "the id ", int64(id), " belongs to something else")
	}
	return t
}
