package serve

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// trial is a model y = 2x of [N 2] whose runs a test holds back, watches, and makes fail by what the first element of a row is.
type trial struct {
	entered chan int      // the rows of every run that begins, while gated
	gate    chan struct{} // one run goes on
	gated   atomic.Bool
	runs    atomic.Int64
	steps   int // how often the graph has it, one behind the other; 0 means once, and obeying what the rows say
}

// What the first element of a row makes a run do.
const (
	panics = -1
	fails  = -2
)

func (m *trial) graph(mixes bool) *graph.Graph {
	def := &graph.Def{Name: "Trial", MinIn: 1, MaxIn: 1, Infer: func(c *graph.InferCtx) {
		c.Set(0, c.In[0].DType, c.In[0].Shape)
	}, Ref: func(c *graph.RefCtx) {
		x := c.In[0]
		v := slices.Clone(x.Float32s())
		if m.gated.Load() {
			m.entered <- x.Shape()[0]
			<-m.gate
		}
		m.runs.Add(1)
		for i := 0; i < len(v) && m.steps == 0; i += 2 {
			switch v[i] {
			case panics:
				panic("a trial")
			case fails:
				tensor.Fail("Trial", "told to fail")
			}
		}
		sum := float32(0)
		for i := range v {
			sum += v[i]
			if v[i] *= 2; mixes {
				v[i] += sum
			}
		}
		c.Out[0] = tensor.From(v, x.Shape()...)
	}}
	g := graph.New()
	y := g.Input("x", tensor.Float32, g.Symbol("N"), 2)
	for range max(1, m.steps) {
		y = g.Add(def, nil, y)
	}
	y.Name = "y"
	g.Output(y)
	return g
}

func newTrial(t *testing.T, opt Options, load LoadOptions) (*Server, *Model, *trial) {
	t.Helper()
	s := empty(t, opt)
	k := &trial{entered: make(chan int), gate: make(chan struct{})}
	m, err := s.Add("trial", k.graph(false), nil, load)
	if err != nil {
		t.Fatal(err)
	}
	k.runs.Store(0)
	return s, m, k
}

func rows(v ...float32) []*tensor.Tensor {
	x := make([]float32, 2*len(v))
	for i, f := range v {
		x[2*i], x[2*i+1] = f, f+1
	}
	return []*tensor.Tensor{tensor.From(x, len(v), 2)}
}

// result is what a request gets.
type result struct {
	out []*tensor.Tensor
	err error
}

func start(s *Server, m *Model, ctx context.Context, timeout time.Duration, v ...float32) chan result {
	done := make(chan result, 1)
	go func() {
		out, err := s.run.do(ctx, m, rows(v...), timeout)
		done <- result{out, err}
	}()
	return done
}

// doubled checks that a request got twice its rows.
func doubled(t *testing.T, r result, v ...float32) {
	t.Helper()
	if r.err != nil {
		t.Errorf("%v: %v", v, r.err)
		return
	}
	for i, f := range v {
		if y := r.out[0].Float32s(); len(y) != 2*len(v) || y[2*i] != 2*f || y[2*i+1] != 2*(f+1) {
			t.Errorf("%v gives %v", v, y)
		}
	}
}

func wantFault(t *testing.T, err error, status int, part string) {
	t.Helper()
	var f *fault
	if !errors.As(err, &f) || f.status != status || !strings.Contains(f.text, part) {
		t.Errorf("error %v, want status %d, %q", err, status, part)
	}
}

// waiting waits until so many requests are in the queue.
func waiting(t *testing.T, s *Server, n int) {
	t.Helper()
	for range 10000 {
		s.run.mu.Lock()
		have := len(s.run.queue)
		s.run.mu.Unlock()
		if have == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("there are never %d requests in the queue", n)
}

func TestQueue(t *testing.T) {
	s, m, k := newTrial(t, Options{Queue: 2}, LoadOptions{})
	if _, err := s.Load("lenet", lenetFile(t), LoadOptions{Operators: op.Core}); err != nil {
		t.Fatal(err)
	}
	k.gated.Store(true)
	first := start(s, m, t.Context(), 0, 1)
	<-k.entered
	second, third := start(s, m, t.Context(), 0, 2), start(s, m, t.Context(), 0, 3)
	waiting(t, s, 2)
	r := <-start(s, m, t.Context(), 0, 4)
	wantFault(t, r.err, http.StatusTooManyRequests, "ask again later")
	// Over HTTP it is said before the body is read.
	w := ask(s, "POST", "/v1/digits", "application/json", []byte("[]"))
	wantError(t, w, http.StatusTooManyRequests, "ask again later")
	if w.Header().Get("Retry-After") != "1" {
		t.Error("no Retry-After")
	}
	k.gated.Store(false)
	close(k.gate)
	doubled(t, <-first, 1)
	doubled(t, <-second, 2)
	doubled(t, <-third, 3)
	if got := s.Stats(); got != (Stats{Answered: 3, Refused: 2, Runs: 3}) {
		t.Errorf("%+v", got)
	}
}

func TestTimeouts(t *testing.T) {
	s, m, k := newTrial(t, Options{}, LoadOptions{})
	k.gated.Store(true)
	first := start(s, m, t.Context(), 50*time.Millisecond, 1)
	<-k.entered
	second := start(s, m, t.Context(), 20*time.Millisecond, 2)
	r := <-second
	wantFault(t, r.err, http.StatusServiceUnavailable, "before the request's turn")
	r = <-first
	wantFault(t, r.err, http.StatusGatewayTimeout, "takes longer")
	ctx, cancel := context.WithCancel(t.Context())
	third := start(s, m, ctx, 0, 3)
	waiting(t, s, 1)
	cancel()
	r = <-third
	wantFault(t, r.err, http.StatusServiceUnavailable, "gone away")
	waiting(t, s, 0)
	k.gated.Store(false)
	close(k.gate)
	doubled(t, <-start(s, m, t.Context(), time.Minute, 4), 4)
	if got := s.Stats(); got != (Stats{Answered: 1, Cancelled: 3, Runs: 2}) || k.runs.Load() != 2 {
		t.Errorf("%+v, %d runs", got, k.runs.Load())
	}
}

// TestFaults: a panic or an error of the model ends one request and no other.
func TestFaults(t *testing.T) {
	var logged []string
	s, m, _ := newTrial(t, Options{Log: func(text string) { logged = append(logged, text) }}, LoadOptions{})
	for range 3 {
		r := <-start(s, m, t.Context(), 0, panics)
		wantFault(t, r.err, http.StatusInternalServerError, "a fault of the server")
		r = <-start(s, m, t.Context(), 0, fails)
		wantFault(t, r.err, http.StatusBadRequest, "told to fail")
		doubled(t, <-start(s, m, t.Context(), 0, 1), 1)
	}
	if len(logged) != 3 || !strings.Contains(logged[0], "panic in model trial: a trial") || !strings.Contains(logged[0], "runner_test.go") {
		t.Errorf("logged %q", logged)
	}
	if got := s.Stats(); got != (Stats{Answered: 3, Failed: 6, Runs: 9}) {
		t.Errorf("%+v", got)
	}
	// In the handler itself.
	h := s.answer(func(http.ResponseWriter, *http.Request) error { panic("elsewhere") })
	wantError(t, ask(h, "GET", "/", "", nil), http.StatusInternalServerError, "the server has a fault")
	if len(logged) != 4 {
		t.Errorf("logged %q", logged)
	}
}

func TestMemoryBound(t *testing.T) {
	s, m, _ := newTrial(t, Options{Memory: 1 << 20}, LoadOptions{})
	_, err := s.run.do(t.Context(), m, []*tensor.Tensor{tensor.New(tensor.Float32, 1<<18, 2)}, 0)
	wantFault(t, err, http.StatusRequestEntityTooLarge, "budget")
	doubled(t, <-start(s, m, t.Context(), 0, 1), 1)
}

func TestClose(t *testing.T) {
	s, m, k := newTrial(t, Options{}, LoadOptions{})
	k.gated.Store(true)
	first := start(s, m, t.Context(), 0, 1)
	<-k.entered
	second := start(s, m, t.Context(), 0, 2)
	waiting(t, s, 1)
	closed := make(chan error)
	go func() { closed <- s.Close(t.Context()) }()
	for !s.run.isClosing() {
		runtime.Gosched()
	}
	r := <-start(s, m, t.Context(), 0, 3)
	wantFault(t, r.err, http.StatusServiceUnavailable, "shutting down")
	if w := ask(s, "GET", "/v2/health/ready", "", nil); w.Code != http.StatusServiceUnavailable {
		t.Errorf("ready while it closes: %d", w.Code)
	}
	if w := ask(s, "GET", "/v2/health/live", "", nil); w.Code != http.StatusOK {
		t.Errorf("not live while it closes: %d", w.Code)
	}
	k.gated.Store(false)
	close(k.gate)
	doubled(t, <-first, 1)
	doubled(t, <-second, 2)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error("closing twice:", err)
	}
	wantError(t, ask(s, "POST", "/v1/digits", "", nil), 404, "there are none")
}

// TestCloseInTime: what is not done when the time is up is refused.
func TestCloseInTime(t *testing.T) {
	s, m, k := newTrial(t, Options{}, LoadOptions{})
	k.gated.Store(true)
	first := start(s, m, t.Context(), 0, 1)
	<-k.entered
	second := start(s, m, t.Context(), 0, 2)
	waiting(t, s, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	closed := make(chan error)
	go func() { closed <- s.Close(ctx) }()
	for _, c := range []chan result{first, second} {
		r := <-c
		wantFault(t, r.err, http.StatusServiceUnavailable, "shutting down")
	}
	k.gated.Store(false)
	close(k.gate)
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDrain: not ready, but still answering.
func TestDrain(t *testing.T) {
	s := newServer(t, Options{})
	s.Drain()
	for _, target := range []string{"/v2/health/ready", "/v2/models/lenet/ready"} {
		if w := ask(s, "GET", target, "", nil); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"ready":false`) {
			t.Errorf("%s: status %d, %s", target, w.Code, w.Body)
		}
	}
	wantDigit(t, ask(s, "POST", "/v1/digits", "application/json", asNumbers(sample(t, 4))), 4)
}

func TestBatch(t *testing.T) {
	s, m, k := newTrial(t, Options{Log: func(string) {}}, LoadOptions{Batch: 4})
	k.gated.Store(true)
	first := start(s, m, t.Context(), 0, 100)
	<-k.entered
	// Rows in the queue, in this order: 1, 2, 1, 1, 6. The last are too many to join anybody.
	var later []chan result
	in := [][]float32{{1}, {2, 3}, {4}, {5}, {6, 7, 8, 9, 10, 11}}
	for i, v := range in {
		later = append(later, start(s, m, t.Context(), 0, v...))
		waiting(t, s, i+1)
	}
	var sizes []int
	for range 4 {
		k.gate <- struct{}{}
		if len(sizes) < 3 {
			sizes = append(sizes, <-k.entered)
		}
	}
	if !slices.Equal(sizes, []int{4, 1, 6}) {
		t.Errorf("runs of %v rows", sizes)
	}
	doubled(t, <-first, 100)
	for i, v := range in {
		doubled(t, <-later[i], v...)
	}
	if got := s.Stats(); got != (Stats{Answered: 6, Runs: 4}) {
		t.Errorf("%+v", got)
	}

	// One that fails takes nobody along.
	gone, cancel := context.WithCancel(t.Context())
	first = start(s, m, t.Context(), 0, 100)
	<-k.entered
	later = nil
	for i, v := range []float32{1, panics, 2} {
		later = append(later, start(s, m, t.Context(), 0, v))
		waiting(t, s, i+1)
	}
	left := start(s, m, gone, 0, 3)
	waiting(t, s, 4)
	cancel()
	if r := <-left; r.err == nil {
		t.Error("a cancelled request was answered")
	}
	k.gated.Store(false)
	close(k.gate)
	doubled(t, <-first, 100)
	doubled(t, <-later[0], 1)
	r := <-later[1]
	wantFault(t, r.err, http.StatusInternalServerError, "has failed")
	doubled(t, <-later[2], 2)
}

// TestBatchCancelled: a batch is computed as long as one of its requests is waited for, and no step longer.
func TestBatchCancelled(t *testing.T) {
	s := empty(t, Options{})
	k := &trial{entered: make(chan int), gate: make(chan struct{}), steps: 3}
	m, err := s.Add("trial", k.graph(false), nil, LoadOptions{Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	k.gated.Store(true)
	ended := false
	t.Cleanup(func() {
		if !ended { // what has failed must not wait for ever
			k.gated.Store(false)
			close(k.gate)
			go func() {
				for range k.entered {
				}
			}()
		}
	})
	step := func(rows int) {
		t.Helper()
		if n := <-k.entered; n != rows {
			t.Fatalf("a step of %d rows, not %d", n, rows)
		}
	}
	// batch begins a batch of three behind a request that is computed alone, and stops in its first step.
	batch := func(timeout time.Duration) (clients []chan result, leave []context.CancelFunc) {
		first := start(s, m, t.Context(), 0, 100)
		step(1)
		for i := range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			clients, leave = append(clients, start(s, m, ctx, timeout, float32(i))), append(leave, cancel)
			waiting(t, s, i+1)
		}
		k.gate <- struct{}{}
		for range 2 {
			step(1)
			k.gate <- struct{}{}
		}
		<-first
		step(3)
		return clients, leave
	}
	clients, leave := batch(0)
	for i, c := range clients {
		leave[i]()
		r := <-c
		wantFault(t, r.err, http.StatusServiceUnavailable, "gone away")
	}
	k.gate <- struct{}{}
	// The next step is that of the next request: the batch has not gone on.
	clients, leave = batch(0)
	leave[0]()
	leave[2]()
	<-clients[0]
	<-clients[2]
	for range 2 {
		k.gate <- struct{}{}
		step(3)
	}
	k.gate <- struct{}{}
	if r := <-clients[1]; r.err != nil || !slices.Equal(r.out[0].Float32s(), []float32{8, 16}) {
		t.Errorf("the client that stayed: %v, %v", r.out, r.err)
	}
	clients, leave = batch(200 * time.Millisecond)
	for i, c := range clients {
		r := <-c
		wantFault(t, r.err, http.StatusGatewayTimeout, "takes longer")
		leave[i]()
	}
	k.gate <- struct{}{}
	last := start(s, m, t.Context(), 0, 1)
	step(1)
	ended = true
	k.gated.Store(false)
	close(k.gate)
	if r := <-last; r.err != nil {
		t.Error(r.err)
	}
	if got := s.Stats(); got != (Stats{Answered: 5, Cancelled: 8, Runs: 7}) {
		t.Errorf("%+v", got)
	}
}

// TestBatchRows: a request whose inputs have different numbers of rows fails alone; in a batch it would move the rows of others.
func TestBatchRows(t *testing.T) {
	s := empty(t, Options{})
	g := graph.New()
	n := g.Symbol("N")
	g.Output(op.Add(g.Input("a", tensor.Float32, n, 2), g.Input("b", tensor.Float32, n, 2)))
	m, err := s.Add("sum", g, nil, LoadOptions{Batch: 8, BatchWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(a, b []*tensor.Tensor) chan result {
		done := make(chan result, 1)
		go func() {
			out, err := s.run.do(t.Context(), m, append(a, b...), 0)
			done <- result{out, err}
		}()
		return done
	}
	first := ask(rows(1, 2), rows(1, 2))
	waiting(t, s, 1)
	odd := ask(rows(3, 4), rows(3, 4, 5))
	doubled(t, <-first, 1, 2)
	r := <-odd
	wantFault(t, r.err, http.StatusBadRequest, "")
	none := ask([]*tensor.Tensor{tensor.New(tensor.Float32, 0, 2)}, []*tensor.Tensor{tensor.New(tensor.Float32, 0, 2)})
	if r := <-none; r.err != nil || r.out[0].Len() != 0 {
		t.Errorf("no rows: %v, %v", r.out, r.err)
	}
}

// TestBatchWait: the first waits for others, but not while something else is to be done.
func TestBatchWait(t *testing.T) {
	s, m, k := newTrial(t, Options{}, LoadOptions{Batch: 2, BatchWait: time.Hour})
	first := start(s, m, t.Context(), 0, 1)
	waiting(t, s, 1)
	second := start(s, m, t.Context(), 0, 2)
	doubled(t, <-first, 1)
	doubled(t, <-second, 2)
	if k.runs.Load() != 1 {
		t.Errorf("%d runs", k.runs.Load())
	}
	other, err := s.Add("other", (&trial{}).graph(false), nil, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	first = start(s, m, t.Context(), 0, 3)
	waiting(t, s, 1)
	second = start(s, other, t.Context(), 0, 4)
	doubled(t, <-first, 3)
	doubled(t, <-second, 4)
	// Closing waits for nobody.
	first = start(s, m, t.Context(), 0, 5)
	waiting(t, s, 1)
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	doubled(t, <-first, 5)
}

// TestBatchBits: LeNet gives the same bits for a picture alone and for one in a batch.
func TestBatchBits(t *testing.T) {
	alone := newServer(t, Options{})
	s := empty(t, Options{})
	m, err := s.Load("lenet", lenetFile(t), LoadOptions{Operators: op.Core, Batch: 16})
	if err != nil {
		t.Fatal(err)
	}
	k := &trial{entered: make(chan int), gate: make(chan struct{})}
	blocker, err := s.Add("trial", k.graph(false), nil, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{2, 3, 7, 16} {
		k.gated.Store(true)
		first := start(s, blocker, t.Context(), 0, 1)
		<-k.entered
		runs := s.Stats().Runs
		done := make([]chan result, n)
		in := make([][]*tensor.Tensor, n)
		for i := range n {
			in[i] = []*tensor.Tensor{tensor.From(sample(t, (i+n)%10), 1, 1, 28, 28)}
			done[i] = make(chan result, 1)
			go func() {
				out, err := s.run.do(t.Context(), m, in[i], 0)
				done[i] <- result{out, err}
			}()
			waiting(t, s, i+1)
		}
		k.gated.Store(false)
		k.gate <- struct{}{}
		<-first
		for i := range n {
			r := <-done[i]
			want, err := alone.run.do(t.Context(), alone.model("lenet", nil), in[i], 0)
			if err != nil || r.err != nil {
				t.Fatal(err, r.err)
			}
			if !slices.Equal(r.out[0].Bytes(), want[0].Bytes()) || !slices.Equal(r.out[0].Shape(), []int{1, 10}) {
				t.Errorf("row %d of %d: %v, alone %v", i, n, r.out[0].Float32s(), want[0].Float32s())
			}
		}
		if got := s.Stats().Runs - runs; got != 1 {
			t.Errorf("%d requests in %d runs", n, got)
		}
	}
}

func TestBatchRefused(t *testing.T) {
	s := empty(t, Options{})
	fixed := graph.New()
	x := fixed.Input("x", tensor.Float32, 1, 2)
	fixed.Output(op.Relu(x))
	twice := graph.New()
	x = twice.Input("x", tensor.Float32, twice.Symbol("N"), twice.Symbol("N"))
	twice.Output(op.Relu(x))
	for _, c := range []struct {
		g    *graph.Graph
		part string
	}{
		{(&trial{}).graph(true), "depends on the rows beside it"},
		{fixed, "first dimension"},
		{twice, "the same symbol twice"},
	} {
		if _, err := s.Add("m", c.g, nil, LoadOptions{Batch: 8}); err == nil || !strings.Contains(err.Error(), c.part) || !strings.Contains(err.Error(), "serve it without batches") {
			t.Errorf("error %v", err)
		}
	}
	if _, err := s.Add("m", (&trial{}).graph(true), nil, LoadOptions{}); err != nil {
		t.Error(err)
	}
}

// TestMany: requests to several models from many goroutines, some of which go away, and not one gets another's answer or none.
func TestMany(t *testing.T) {
	s, m, _ := newTrial(t, Options{Queue: 1000}, LoadOptions{Batch: 8})
	other, err := s.Add("other", (&trial{}).graph(false), nil, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const clients, each = 40, 50
	var answered, cancelled atomic.Int64
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range each {
				v := float32(c*each + i)
				ctx, cancel := context.WithCancel(t.Context())
				if i%10 == 0 {
					go cancel()
				}
				r := result{}
				r.out, r.err = s.run.do(ctx, []*Model{m, other}[i%2], rows(v, v+1), time.Minute)
				cancel()
				if r.err != nil && i%10 == 0 {
					cancelled.Add(1)
					continue
				}
				doubled(t, r, v, v+1)
				answered.Add(1)
			}
		})
	}
	wg.Wait()
	got := s.Stats()
	if got.Answered != uint64(answered.Load()) || got.Cancelled != uint64(cancelled.Load()) || got.Refused+got.Failed != 0 || got.Answered+got.Cancelled != clients*each {
		t.Errorf("%+v; %d answers, %d cancelled", got, answered.Load(), cancelled.Load())
	}
	t.Logf("%+v", got)
}
