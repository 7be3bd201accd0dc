package compile

import (
	"slices"

	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
)

// ProfileOptions are the settings of a profile; the zero value is a good default.
type ProfileOptions struct {
	// Now returns nanoseconds from any origin. The page has to give it; its clock may have steps of 0.1 ms, so that only sums over many runs
	// tell something there.
	Now func() int64
	// Limits measures what the machine can do at most, which takes some 50 ms once for a runtime.
	Limits bool
}

// Profile is what the programs of a runtime did between StartProfile and StopProfile.
type Profile struct {
	Threads int
	Limits  Limits       // zero where they were not measured
	Rows    []ProfileRow // in the order in which they ran first
	Runs    int          // of programs
	Nanos   int64        // of all runs together
	Steps   int64        // that ran
	Events  []ProfileEvent
	Dropped int // events that there was no room for; rows count them
}

// ProfileRow is one node of a program for one set of input shapes, or what packs a weight.
type ProfileRow struct {
	Program  int    // number of the program for these shapes, in the order of their first runs
	Kernels  string // of its steps, joined by "+"
	Operator string // "Conv", or of a chain "Mul+Add+Relu"; "Pack" for packed weights, "Copy" for copies
	Node     string
	Inputs   [][]int
	Outputs  [][]int
	FLOPs    float64 // of one execution
	Bytes    int64   // that one execution reads and writes, each once
	Count    int64   // executions
	Nanos    int64   // of all of them
	Least    int64   // of the fastest; 0 where none is complete

	first, last int // its steps
	now         int64
}

// ProfileEvent is one execution of a step on one thread. Threads other than 0 are told where they are goroutines.
type ProfileEvent struct {
	Row    int32 // -1: a run of a program
	Kernel *prog.Kernel
	Thread int32
	Start  int64 // nanoseconds from the start of the profile
	Nanos  int64
}

// maxEvents bounds the events of a profile.
const maxEvents = 1 << 16

// Mean returns the nanoseconds of one execution.
func (r *ProfileRow) Mean() float64 { return float64(r.Nanos) / float64(max(r.Count, 1)) }

// Share returns what part of the machine's limit the row reaches with executions of the given time: of arithmetic or of memory, whichever
// holds it back. Operands that lie in caches come faster than the limit of memory, so it may exceed 1. It is 0 where the limits are not known.
func (l *Limits) Share(r *ProfileRow, nanos float64) float64 {
	if l.FLOPS == 0 || l.Bytes == 0 || nanos == 0 {
		return 0
	}
	return max(r.FLOPs/l.FLOPS, float64(r.Bytes)/l.Bytes) * 1e9 / nanos
}

// StepNanos returns the time of all steps together; what Nanos is more lies between them.
func (p *Profile) StepNanos() int64 {
	sum := int64(0)
	for i := range p.Rows {
		sum += p.Rows[i].Nanos
	}
	return sum
}

// Sorted returns the rows by their time, the longest first.
func (p *Profile) Sorted() []ProfileRow {
	rows := slices.Clone(p.Rows)
	slices.SortStableFunc(rows, func(a, b ProfileRow) int {
		switch {
		case a.Nanos > b.Nanos:
			return -1
		case a.Nanos < b.Nanos:
			return 1
		}
		return 0
	})
	return rows
}

// recorder gathers a profile.
type recorder struct {
	Profile
	now   func() int64
	start int64
	binds map[*bound][]int32 // by step: its row
	packs map[*prog.Kernel]int32
	runAt int64
}

// StartProfile begins to measure every step of every program of the runtime. It fails when a profile is under way.
func (rt *Runtime) StartProfile(opt ProfileOptions) error {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return tensor.Err("profile", "the runtime is closed")
	}
	if rt.rec != nil {
		return tensor.Err("profile", "another profile is under way; stop it first")
	}
	r := &recorder{now: opt.Now, binds: map[*bound][]int32{}, packs: map[*prog.Kernel]int32{}}
	if r.now == nil {
		r.now = nanotime
	}
	r.Threads = len(rt.pool.workers)
	if opt.Limits {
		if rt.limits.FLOPS == 0 {
			rt.limits = rt.measureLimits(r.now)
		}
		r.Limits = rt.limits
	}
	r.start = r.now()
	rt.rec = r
	rt.pool.now = r.now
	return nil
}

// StopProfile ends the profile and returns it; nil when none is under way.
func (rt *Runtime) StopProfile() *Profile {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	r := rt.rec
	rt.rec, rt.pool.now = nil, nil
	if r == nil {
		return nil
	}
	return &r.Profile
}

// begin is told that a run starts and returns the rows of its steps.
func (r *recorder) begin(p *Program, b *bound) []int32 {
	rows, ok := r.binds[b]
	if !ok {
		rows = r.rowsOf(p, b)
		r.binds[b] = rows
	}
	r.runAt = r.now()
	return rows
}

func (r *recorder) end() {
	d := r.now() - r.runAt
	r.Runs++
	r.Nanos += d
	r.event(ProfileEvent{Row: -1, Start: r.runAt - r.start, Nanos: d})
}

// rowsOf makes the rows of a bound program.
func (r *recorder) rowsOf(p *Program, b *bound) []int32 {
	types := p.typesOf(b)
	rows := make([]int32, len(b.steps))
	k := len(r.binds)
	for i := range b.steps {
		s := &b.steps[i]
		if n := b.node[i]; n >= 0 && i > 0 && b.node[i-1] == n {
			rows[i] = rows[i-1]
			row := &r.Rows[rows[i]]
			row.last = i
			if kernel := s.Kernel.Name; kernel != b.steps[i-1].Kernel.Name {
				row.Kernels += "+" + kernel
			}
			continue
		}
		x := p.stepInfo(b, i, types)
		if x.Operator == "" {
			x.Operator = "Copy"
		}
		rows[i] = int32(len(r.Rows))
		r.Rows = append(r.Rows, ProfileRow{Program: k, Kernels: x.Kernel, Operator: x.Operator, Node: x.Node, Inputs: x.Inputs, Outputs: x.Outputs,
			FLOPs: x.FLOPs, Bytes: x.Bytes, first: i, last: i})
	}
	return rows
}

// step runs step i and notes how long it took.
func (r *recorder) step(pool *pool, steps *[]prog.Step, row int32, i int) {
	s := &(*steps)[i]
	start := r.now()
	if !prog.RunStep(&pool.workers[0], s) {
		pool.runGo(steps, i)
	}
	r.note(pool, s, row, i, start)
}

// note notes how long step i has taken.
func (r *recorder) note(pool *pool, s *prog.Step, row int32, i int, start int64) {
	d := r.now() - start
	x := &r.Rows[row]
	x.Nanos += d
	if i == x.first {
		x.now = 0
		x.Count++
	}
	x.now += d
	if i == x.last && (x.Least == 0 || x.now < x.Least) {
		x.Least = x.now
	}
	r.Steps++
	r.event(ProfileEvent{Row: row, Kernel: s.Kernel, Start: start - r.start, Nanos: d})
	for w := range pool.spans {
		if sp := &pool.spans[w]; sp.tiles > 0 {
			if w > 0 {
				r.event(ProfileEvent{Row: row, Kernel: s.Kernel, Thread: int32(w), Start: sp.start - r.start, Nanos: sp.end - sp.start})
			}
			*sp = span{}
		}
	}
}

// pack is step for a step that packs a weight.
func (r *recorder) pack(pool *pool, s *prog.Step) {
	row, ok := r.packs[s.Kernel]
	if !ok {
		row = int32(len(r.Rows))
		r.packs[s.Kernel] = row
		r.Rows = append(r.Rows, ProfileRow{Kernels: s.Kernel.Name, Operator: "Pack"})
	}
	start := r.now()
	pool.run(s)
	r.note(pool, s, row, 0, start)
}

func (r *recorder) event(e ProfileEvent) {
	if len(r.Events) == maxEvents {
		r.Dropped++
		return
	}
	r.Events = append(r.Events, e)
}
