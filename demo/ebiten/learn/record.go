package learn

import (
	"math"
	"slices"
	"time"
)

// record makes snapshots out of what a run reports.
type record struct {
	now   Snapshot
	curve curve
	tests []Point
	rate  meter

	right, seen int // of the epoch
}

// epoch begins one, numbered from 1.
func (r *record) epoch(n int) {
	r.now.Epoch, r.right, r.seen = n, 0, 0
}

// step takes a step: its number from 1, how many samples it had, their mean loss, the accuracy of the epoch so far, and the learning
// rate.
func (r *record) step(step, samples int, loss, accuracy, rate float64) {
	r.now.Step, r.now.LearningRate = step, rate
	// The difference to the epoch before this step is the step's own.
	r.seen += samples
	right := r.right
	if !math.IsNaN(accuracy) {
		right = int(math.Round(accuracy * float64(r.seen)))
	}
	r.curve.add(step, loss, right-r.right, samples)
	r.right = right
	r.now.PerSecond = r.rate.add(samples)
}

// test takes a measurement after an epoch.
func (r *record) test(p Point) { r.tests = append(r.tests, p) }

// moved sets the state; a pause makes the rate begin anew.
func (r *record) moved(s State) {
	r.now.State = s
	if s != Running {
		r.now.PerSecond, r.rate = 0, meter{}
	}
}

// snapshot is the present moment.
func (r *record) snapshot() *Snapshot {
	s := r.now
	s.Train, s.Test = slices.Clone(r.curve.points), slices.Clone(r.tests)
	return &s
}

// meter counts images a second over about the last one.
type meter struct {
	since time.Time
	n     int
	rate  float64
}

func (m *meter) add(n int) float64 {
	now := time.Now()
	if m.since.IsZero() {
		m.since = now
	}
	m.n += n
	if d := now.Sub(m.since).Seconds(); d >= 0.5 {
		m.rate, m.n, m.since = float64(m.n)/d, 0, now
	}
	return m.rate
}
