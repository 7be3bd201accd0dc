// Package serve answers questions to models over HTTP: pictures of digits at /v1/digits, and any model by the Open Inference
// Protocol, version 2, below /v2/. A [Server] is a plain [http.Handler] without files, sockets or clocks of its own, so the
// command line serves it natively and a Worker at the edge serves it as WebAssembly.
//
// What comes from outside is bounded: the bytes of a body and of all bodies together, pixels, elements, how many requests wait, and
// how long one may take. A request that finds the queue full is refused at once, with 429 and Retry-After, and costs nothing.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/native/serve/oip"
)

// Options are the settings of a server; the zero value is a good default.
type Options struct {
	// Threads compute; 0 means all processors.
	Threads int
	// Queue bounds how many requests wait while another is computed; 0 means 64. One more is answered with 429.
	Queue int
	// MaxBody bounds the bytes of one request's body; 0 means 32 MiB. Larger ones are answered with 413.
	MaxBody int64
	// MaxBodies bounds the bytes of all bodies that are being read or answered; 0 means eight of the largest. Over it requests are
	// answered with 429. The tensors of a body in JSON take up to four times as much.
	MaxBodies int64
	// MaxElements bounds the elements of all inputs of one request; 0 means 1<<24.
	MaxElements int
	// MaxPixels bounds a picture; 0 means 16 million.
	MaxPixels int
	// Memory bounds the bytes that models and runs take from the runtime's allocator; 0 means no bound.
	Memory int64
	// Timeout bounds the time from the end of the body to the answer: 503 while a request waits, 504 while it is computed. 0 means
	// no bound, and no timer.
	Timeout time.Duration
	// Origins are those whose pages may ask ("*": all), for a page that is served elsewhere.
	Origins []string
	// Version is told at /v2.
	Version string
	// Log, when set, hears of panics and other faults of the server itself.
	Log func(text string)
}

// withDefaults returns the options with zeros replaced.
func (o Options) withDefaults() Options {
	def(&o.Queue, 64)
	def(&o.MaxBody, 32<<20)
	def(&o.MaxBodies, 8*o.MaxBody)
	def(&o.MaxElements, 1<<24)
	def(&o.MaxPixels, 16_000_000)
	if o.Version == "" {
		o.Version = "unknown"
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	return o
}

func def[T int | int64](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

// Server answers requests to its models. Methods may be called by several goroutines.
type Server struct {
	opt Options
	rt  *compile.Runtime
	run *runner
	mux *http.ServeMux

	mu     sync.RWMutex
	models map[string]*Model
	order  []*Model // in which they were added

	draining atomic.Bool
	bodies   budget
	pictures chan struct{} // held while a picture is decoded
}

// New returns a server without models. Close stops it.
func New(opt Options) *Server {
	opt = opt.withDefaults()
	s := &Server{opt: opt, rt: compile.NewRuntime(compile.RuntimeOptions{Threads: opt.Threads, MemoryBudget: opt.Memory}),
		models: map[string]*Model{}, pictures: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)))}
	s.bodies.free = opt.MaxBodies
	s.run = newRunner(opt.Queue, opt.Log)
	s.routes()
	return s
}

// Drain tells those who look at /v2/health/ready that the server is about to close. Until Close it answers as before.
func (s *Server) Drain() { s.draining.Store(true) }

// isReady reports whether a request would be answered, and will be for a while.
func (s *Server) isReady() bool { return !s.draining.Load() && !s.run.isClosing() }

// Close refuses what comes from now on, waits until everything accepted is answered, and frees the models. When ctx ends first, what
// waits or runs then is answered with 503 and ctx's error is returned.
func (s *Server) Close(ctx context.Context) error {
	err := s.run.close(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.order {
		m.program.Close()
	}
	s.models, s.order = map[string]*Model{}, nil
	s.rt.Close()
	return err
}

// Stats are counts of the requests for a model's answer since the start.
type Stats struct {
	Answered  uint64 `json:"answered"`  // computed
	Refused   uint64 `json:"refused"`   // the queue was full, or the server was closing
	Cancelled uint64 `json:"cancelled"` // the client went away, or the time was up
	Failed    uint64 `json:"failed"`    // the model reported an error, or a fault
	Runs      uint64 `json:"runs"`      // of programs; fewer than answers where requests were batched
}

// Stats returns the counts.
func (s *Server) Stats() Stats { return s.run.counts() }

// Models returns the models in the order in which they were added.
func (s *Server) Models() []*Model {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.order)
}

// model returns a model by name; "" is the first that fits.
func (s *Server) model(name string, fits func(*Model) bool) *Model {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if name != "" {
		return s.models[name]
	}
	for _, m := range s.order {
		if fits(m) {
			return m
		}
	}
	return nil
}

// names lists the models for an error's text.
func (s *Server) names() string {
	var b strings.Builder
	for i, m := range s.Models() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.name)
	}
	if b.Len() == 0 {
		return "there are none"
	}
	return "there are: " + b.String()
}

// fault is an error with its HTTP status. Its text goes to the client.
type fault struct {
	status int
	text   string
	retry  bool   // later it may work
	allow  string // 405: what is allowed
}

func (f *fault) Error() string { return f.text }

func failf(status int, format string, args ...any) *fault {
	return &fault{status: status, text: fmt.Sprintf(format, args...)}
}

// answer turns a function that may fail into a handler: errors become {"error": "..."}, and a panic becomes 500 and a line in the log.
func (s *Server) answer(f func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause)
			}
			s.opt.Log(fmt.Sprintf("panic at %s %s: %v\n%s", r.Method, r.URL.Path, cause, debug.Stack()))
			s.fail(w, errFault)
		}()
		if err := f(w, r); err != nil {
			s.fail(w, err)
		}
	}
}

// fail answers with an error in the protocol's form.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var f *fault
	var refused *oip.Error
	switch {
	case errors.As(err, &f):
	case errors.As(err, &refused):
		f = &fault{status: refused.Status, text: refused.Msg}
	default:
		f = failf(http.StatusInternalServerError, "%s", err)
	}
	h := w.Header()
	if f.retry {
		h.Set("Retry-After", "1")
	}
	if f.allow != "" {
		h.Set("Allow", f.allow)
	}
	if f.status == http.StatusRequestEntityTooLarge || f.status == http.StatusRequestTimeout || f == errClosing {
		h.Set("Connection", "close") // what is left of the body is not read
	}
	send(w, f.status, "application/json", oip.AppendError(nil, strings.TrimPrefix(f.text, "weft: ")))
}

// send writes a whole answer.
func send(w http.ResponseWriter, status int, mediaType string, b []byte) {
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	w.Write(b)
}
