package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// runner computes one request, or one batch, after the other: programs of a runtime wait for each other anyway, and all its threads
// work on each. Requests wait in one queue, in the order in which they came.
type runner struct {
	limit int
	log   func(string)
	wake  chan struct{} // something has changed for the runner
	ended chan struct{} // it has returned

	mu      sync.Mutex
	queue   []*job
	running []*job
	closing bool
	stats   Stats
}

// job is a request's part in the queue.
type job struct {
	m      *Model
	in     []*tensor.Tensor
	rows   int // the first dimension of all inputs; 0 where it is computed alone
	since  time.Time
	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}
	waited bool // its context ended while it was in the queue
	group  *group
	out    []*tensor.Tensor
	err    error
}

// group is what jobs that are computed together share. The runner's lock guards it.
type group struct {
	ctx    context.Context // ends when nobody waits for any of them
	cancel context.CancelFunc
	left   int // jobs that are waited for
}

var (
	errClosing = &fault{status: http.StatusServiceUnavailable, retry: true, text: "the server is shutting down"}
	errFull    = &fault{status: http.StatusTooManyRequests, retry: true, text: "as many requests wait as may: ask again later"}
	errWaited  = &fault{status: http.StatusServiceUnavailable, retry: true, text: "the time was up before the request's turn came: ask again later"}
	errLong    = &fault{status: http.StatusGatewayTimeout, text: "the model takes longer than the server allows"}
	errFault   = failf(http.StatusInternalServerError, "the server has a fault; this request is lost, others are not")
	errGone    = &fault{status: http.StatusServiceUnavailable, text: "the client has gone away"}
)

func newRunner(limit int, log func(string)) *runner {
	r := &runner{limit: limit, log: log, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	go r.loop()
	return r
}

func (r *runner) counts() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

func (r *runner) isClosing() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closing
}

// notify wakes the runner, now or as soon as it sleeps.
func (r *runner) notify() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// full reports whether a request that came now would be refused, so that its body need not be read.
func (r *runner) full() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refuses()
}

func (r *runner) refuses() error {
	if r.closing {
		r.stats.Refused++
		return errClosing
	}
	if len(r.queue) >= r.limit {
		r.stats.Refused++
		return errFull
	}
	return nil
}

// do has a model compute outputs, which are the caller's. The inputs must not change any more, also after an error.
func (r *runner) do(ctx context.Context, m *Model, in []*tensor.Tensor, timeout time.Duration) ([]*tensor.Tensor, error) {
	j := &job{m: m, in: in, done: make(chan struct{})}
	if timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, timeout)
		defer stop()
	}
	j.ctx, j.cancel = context.WithCancelCause(ctx)
	defer j.cancel(nil)
	if m.batch > 1 {
		j.rows = commonRows(in)
		j.since = time.Now()
	}
	r.mu.Lock()
	if err := r.refuses(); err != nil {
		r.mu.Unlock()
		return nil, err
	}
	r.queue = append(r.queue, j)
	r.mu.Unlock()
	r.notify()

	select {
	case <-j.done:
	case <-j.ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-j.done:
		switch {
		case j.err == nil:
			r.stats.Answered++
		case j.ctx.Err() != nil:
			r.stats.Cancelled++
		default:
			r.stats.Failed++
		}
		return j.out, j.err
	default:
	}
	r.drop(func(q *job) bool { return q == j })
	if g := j.group; g != nil {
		if g.left--; g.left == 0 {
			g.cancel()
		}
	}
	r.stats.Cancelled++
	return nil, j.gone()
}

// drop takes jobs whose context has ended out of the queue.
func (r *runner) drop(which func(*job) bool) {
	r.queue = slices.DeleteFunc(r.queue, func(j *job) bool {
		if !which(j) {
			return false
		}
		j.waited = true
		return true
	})
}

// gone says why a job's context has ended.
func (j *job) gone() error {
	switch cause := context.Cause(j.ctx); {
	case errors.Is(cause, errClosing):
		return errClosing
	case errors.Is(cause, context.DeadlineExceeded) && j.waited:
		return errWaited
	case errors.Is(cause, context.DeadlineExceeded):
		return errLong
	}
	return errGone
}

// close lets the runner finish its queue and waits for it.
func (r *runner) close(ctx context.Context) error {
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	r.notify()
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	for _, j := range slices.Concat(r.queue, r.running) {
		j.cancel(errClosing)
	}
	r.mu.Unlock()
	<-r.ended // a run looks at its context between steps
	return ctx.Err()
}

func (r *runner) loop() {
	defer close(r.ended)
	for {
		jobs, wait := r.next()
		switch {
		case jobs != nil:
			r.compute(jobs)
		case wait < 0:
			return
		case wait == 0:
			<-r.wake
		default:
			t := time.NewTimer(wait)
			select {
			case <-r.wake:
			case <-t.C:
			}
			t.Stop()
		}
	}
}

// next takes what is to be computed from the queue. Without any it says how long to wait for more: 0 until something changes, -1
// when all is done.
func (r *runner) next() (jobs []*job, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = nil
	r.drop(func(j *job) bool { return j.ctx.Err() != nil })
	if len(r.queue) == 0 {
		if r.closing {
			return nil, -1
		}
		return nil, 0
	}
	head := r.queue[0]
	jobs = []*job{head}
	if head.rows > 0 {
		rows := head.rows
		for _, j := range r.queue[1:] {
			if j.m == head.m && j.rows > 0 && rows+j.rows <= head.m.batch && joins(head.in, j.in) {
				jobs = append(jobs, j)
				rows += j.rows
			}
		}
		// It pays to wait for more only while the batch is all there is to do.
		if left := head.m.wait - time.Since(head.since); left > 0 && rows < head.m.batch && len(jobs) == len(r.queue) && !r.closing {
			return nil, left
		}
	}
	r.queue = slices.DeleteFunc(r.queue, func(j *job) bool { return slices.Contains(jobs, j) })
	r.running = jobs
	if len(jobs) > 1 {
		g := &group{left: len(jobs)}
		g.ctx, g.cancel = context.WithCancel(context.Background())
		for _, j := range jobs {
			j.group = g
		}
	}
	return jobs, 0
}

// commonRows returns the first dimension of inputs, 0 where they do not agree: such a request fails alone, and moves nobody's rows.
func commonRows(in []*tensor.Tensor) int {
	rows := in[0].Shape()[0]
	for _, t := range in[1:] {
		if t.Shape()[0] != rows {
			return 0
		}
	}
	return rows
}

// joins reports whether inputs differ in the first dimension only.
func joins(a, b []*tensor.Tensor) bool {
	for i := range a {
		if !slices.Equal(a[i].Shape()[1:], b[i].Shape()[1:]) {
			return false
		}
	}
	return true
}

// compute runs jobs together and hands out what each gets. Where that fails they run one by one, so that none suffers from another's inputs.
func (r *runner) compute(jobs []*job) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		r.log(fmt.Sprintf("panic: %v\n%s", cause, debug.Stack()))
		for _, j := range jobs {
			select {
			case <-j.done:
			default:
				j.finish(nil, errFault)
			}
		}
	}()
	if len(jobs) > 1 {
		outs, err := r.together(jobs)
		if err == nil {
			for i, j := range jobs {
				j.finish(outs[i], nil)
			}
			return
		}
	}
	for _, j := range jobs {
		if j.ctx.Err() != nil { // while the batch ran
			j.finish(nil, j.gone())
			continue
		}
		out, err := r.call(j.m, j.in, j.ctx)
		for i, t := range out {
			out[i] = t.Clone()
		}
		if err != nil && j.ctx.Err() != nil {
			err = j.gone() // waited is false: it ran
		}
		j.finish(out, err)
	}
}

// finish hands out what a job gets.
func (j *job) finish(out []*tensor.Tensor, err error) {
	j.out, j.err = out, err
	close(j.done)
}

// together runs several jobs as one batch, which is computed as long as one of them is still waited for.
func (r *runner) together(jobs []*job) ([][]*tensor.Tensor, error) {
	m := jobs[0].m
	rows := 0
	for _, j := range jobs {
		rows += j.rows
	}
	in := make([]*tensor.Tensor, len(m.spec.Inputs))
	for i := range in {
		in[i] = tensor.New(m.spec.Inputs[i].DType, append([]int{rows}, jobs[0].in[i].Shape()[1:]...)...)
		at := 0
		for _, j := range jobs {
			at += copy(in[i].Bytes()[at:], j.in[i].Contiguous().Bytes())
		}
	}
	defer jobs[0].group.cancel()
	out, err := r.call(m, in, jobs[0].group.ctx)
	if err != nil {
		return nil, err
	}
	parts := make([][]*tensor.Tensor, len(jobs))
	for _, t := range out {
		if t.Rank() == 0 || t.Shape()[0] != rows {
			return nil, errors.New("the model gives another number of rows than it takes")
		}
		at := 0
		for k, j := range jobs {
			part := tensor.New(t.DType(), append([]int{j.rows}, t.Shape()[1:]...)...)
			at += copy(part.Bytes(), t.Bytes()[at:])
			parts[k] = append(parts[k], part)
		}
	}
	return parts, nil
}

// call runs a model's program; its outputs are valid until the next run. A panic is an error, and the program is made anew, since
// nobody knows what state it was left in.
func (r *runner) call(m *Model, in []*tensor.Tensor, ctx context.Context) (out []*tensor.Tensor, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log(fmt.Sprintf("panic in model %s: %v\n%s", m.name, cause, debug.Stack()))
			out, err = nil, failf(http.StatusInternalServerError, "the model %s has failed: this is a fault of the server, not of the request", m.name)
			r.renew(m)
		}
	}()
	opt := compile.RunOptions{Rand: graph.RandState{Step: m.runs}, Context: ctx}
	m.runs++
	r.mu.Lock()
	r.stats.Runs++
	r.mu.Unlock()
	out, err = m.program.RunWith(in, opt)
	if err == nil {
		return slices.Clone(out), nil
	}
	var te *tensor.Error
	if errors.As(err, &te) {
		status := http.StatusBadRequest
		if te.Code == tensor.CodeMemory {
			status = http.StatusRequestEntityTooLarge
		}
		err = failf(status, "%s", err)
	}
	return nil, err
}

// renew compiles a model's program again.
func (r *runner) renew(m *Model) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log(fmt.Sprintf("model %s cannot be compiled again: %v", m.name, cause))
		}
	}()
	p, err := compile.Compile(m.program.Runtime(), m.g, m.program.Store(), compile.Options{})
	if err != nil {
		r.log(fmt.Sprintf("model %s cannot be compiled again: %v", m.name, err))
		return
	}
	old := m.program
	m.program = p
	old.Close()
}
