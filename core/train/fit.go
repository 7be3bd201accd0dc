package train

import (
	"strconv"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/tensor"
)

// FitOptions say how long a [Fit] runs and what it measures at the end of epochs.
type FitOptions struct {
	Epochs       int // of the whole run, counted from 0
	InitialEpoch int // the epoch to begin with
	MaxSteps     int // ends the run early; 0: no limit
	// Validation, when set, is run through Evaluator at the end of every epoch, from its first batch.
	Validation Feed
	Evaluator  *Evaluator
}

// EventKind says what happened.
type EventKind uint8

const (
	EventEpochBegin EventKind = iota
	EventBatch
	EventEpoch // an epoch has ended, and its validation
)

// Event is what a fit reports. Logs are valid until the next event.
type Event struct {
	Kind  EventKind
	Epoch int
	Batch int // in the epoch
	Step  int // of the fit, counted from 1
	Size  int // samples of the batch
	Loss  float64
	LR    float64 // of the batch's step
	Logs  []Log   // of the epoch so far; at its end the validation's too, as valLoss, ...
}

// Fit makes the steps of a training run one by one, so that a host can stop between any two: by a time budget, or for good. Its
// state can be saved between steps and restored to the same bits.
type Fit struct {
	t    *Trainer
	feed Feed
	opt  FitOptions
	ctx  data.Context

	epoch      int
	begun      bool // the epoch's beginning was reported
	validating bool
	over       bool
	sums       sums
	logs       []Log
	epochs     [][]Log // of finished epochs
	step       int     // of this fit
	total      int
	streaming  bool
	feeding    int
	ev         Event
}

// sums accumulate an epoch.
type sums struct {
	loss     float64
	n        int
	losses   []float64
	correct  []int
	seen     []int
	measures []*Measures // by output, those that accumulate from outputs; nil where there is nothing to do
}

// NewFit begins a run of a trainer over a feed. A nil feed makes a fit that is fed by [Fit.Feed].
func NewFit(t *Trainer, feed Feed, opt FitOptions) (*Fit, error) {
	f := &Fit{t: t, feed: feed, opt: opt, ctx: data.Background, epoch: opt.InitialEpoch, streaming: feed == nil}
	if opt.Epochs <= opt.InitialEpoch || opt.InitialEpoch < 0 {
		return nil, tensor.Err("fit", "epochs must be more than the initial epoch ", opt.InitialEpoch, ", not ", opt.Epochs)
	}
	if (opt.Validation == nil) != (opt.Evaluator == nil) {
		return nil, tensor.Err("fit", "validation needs data and an evaluator")
	}
	if feed != nil {
		f.total = (opt.Epochs - opt.InitialEpoch) * feed.Steps()
		if opt.InitialEpoch > 0 {
			if err := feed.Seek(opt.InitialEpoch, 0); err != nil {
				return nil, err
			}
		}
	}
	if opt.MaxSteps > 0 && (f.total == 0 || opt.MaxSteps < f.total) {
		f.total = opt.MaxSteps
	}
	for i := range t.heads {
		h := &t.heads[i]
		var m *Measures
		if h.at >= 0 {
			var err error
			if m, err = NewMeasures(h.obj.Metrics, h.obj.Loss, h.columns); err != nil {
				return nil, err
			}
		}
		f.sums.measures = append(f.sums.measures, m)
	}
	f.sums.losses = make([]float64, len(t.heads))
	f.sums.correct, f.sums.seen = make([]int, len(t.heads)), make([]int, len(t.heads))
	return f, nil
}

// Steps returns how many steps the fit has made and how many it has; 0 when that is not known.
func (f *Fit) Steps() (done, total int) { return f.step, f.total }

// Epoch returns the epoch that is under way.
func (f *Fit) Epoch() int { return f.epoch }

// Done reports whether all steps are made and all epochs reported.
func (f *Fit) Done() bool { return f.over }

// Stop ends the fit.
func (f *Fit) Stop() { f.over = true }

// History returns the logs of the finished epochs.
func (f *Fit) History() [][]Log { return f.epochs }

func (s *sums) reset() {
	s.loss, s.n = 0, 0
	for i := range s.losses {
		s.losses[i], s.correct[i], s.seen[i] = 0, 0, 0
		if s.measures[i] != nil {
			s.measures[i].Reset()
		}
	}
}

// Next makes the next piece of work: a step, a batch of validation, or the reports around them, and calls emit for what happened. It
// reports whether the fit is done.
func (f *Fit) Next(emit func(*Event)) (done bool, err error) {
	if f.over {
		return true, nil
	}
	if f.streaming {
		return false, tensor.Err("fit", "this fit is fed batch by batch")
	}
	if f.validating {
		return f.over, f.validate(emit)
	}
	f.begin(emit)
	b, err := f.feed.Next(f.ctx)
	if err != nil {
		return false, err
	}
	if err := f.train(b, emit); err != nil {
		return false, err
	}
	if b.Last || f.step == f.total {
		if f.opt.Validation == nil {
			f.finish(emit)
			return f.over, nil
		}
		f.opt.Evaluator.Reset()
		f.validating = true
		if err := f.opt.Validation.Seek(0, 0); err != nil {
			return false, err
		}
	}
	return f.over, nil
}

func (f *Fit) begin(emit func(*Event)) {
	if !f.begun {
		f.begun = true
		f.ev = Event{Kind: EventEpochBegin, Epoch: f.epoch, Step: f.step}
		emit(&f.ev)
	}
}

// train makes one step.
func (f *Fit) train(b *Batch, emit func(*Event)) error {
	lr := f.t.LearningRate()
	r, err := f.t.StepOn(b.X, b.Y)
	if err != nil {
		return err
	}
	f.step++
	s := &f.sums
	s.loss += float64(r.Loss) * float64(b.N)
	s.n += b.N
	for i := range f.t.heads {
		h := &f.t.heads[i]
		s.losses[i] += float64(r.Losses[i]) * float64(b.N)
		if h.hits >= 0 {
			s.correct[i] += r.Correct[i]
			s.seen[i] += r.Answers[i]
		}
		if m := s.measures[i]; m != nil {
			if err := m.UpdateMasked(r.Outputs[i], b.Y[i], r.Masks[i]); err != nil {
				return err
			}
		}
	}
	if len(f.t.heads) == 1 && f.t.heads[0].hits >= 0 {
		f.t.History.add(f.t.step, float64(r.Loss), r.Correct[0], b.N)
	}
	f.logs = f.sumLogs(f.logs[:0], false)
	f.ev = Event{Kind: EventBatch, Epoch: f.epoch, Batch: b.Index, Step: f.step, Size: b.N, Loss: float64(r.Loss), LR: lr, Logs: f.logs}
	emit(&f.ev)
	return nil
}

// sumLogs appends the epoch's means. Metrics that are costly to work out are left out of batches' logs.
func (f *Fit) sumLogs(dst []Log, all bool) []Log {
	s := &f.sums
	n := float64(max(s.n, 1))
	dst = append(dst, Log{"loss", s.loss / n})
	several := len(f.t.heads) > 1
	for i := range f.t.heads {
		h := &f.t.heads[i]
		if several {
			dst = append(dst, Log{h.name + "Loss", s.losses[i] / n})
		}
		if h.hits >= 0 {
			name := MetricAccuracy
			if several {
				name = h.name + title(name)
			}
			dst = append(dst, Log{name, float64(s.correct[i]) / float64(max(s.seen[i], 1))})
		}
		if s.measures[i] != nil && all {
			from := len(dst)
			dst = prefixed(dst, s.measures[i], h.name, several)
			kept := dst[:from]
			for _, l := range dst[from:] { // accuracy is counted above
				if h.hits < 0 || l.Name != MetricAccuracy && l.Name != h.name+title(MetricAccuracy) {
					kept = append(kept, l)
				}
			}
			dst = kept
		}
	}
	return dst
}

// validate measures one batch.
func (f *Fit) validate(emit func(*Event)) error {
	b, err := f.opt.Validation.Next(f.ctx)
	if err != nil {
		return err
	}
	if err := f.opt.Evaluator.Add(b.X, b.Y, b.Samples); err != nil {
		return err
	}
	if b.Last {
		f.validating = false
		f.finish(emit)
	}
	return nil
}

// finish reports the end of an epoch.
func (f *Fit) finish(emit func(*Event)) {
	logs := f.sumLogs(make([]Log, 0, 4), true)
	if f.opt.Validation != nil {
		from := len(logs)
		logs = f.opt.Evaluator.Logs(logs)
		acc := 0.0
		for i := range logs[from:] {
			if logs[from+i].Name == MetricAccuracy {
				acc = logs[from+i].Value
			}
			logs[from+i].Name = "val" + title(logs[from+i].Name)
		}
		f.t.History.Validation = append(f.t.History.Validation, Point{Step: f.t.step, Loss: logs[from].Value, Accuracy: acc})
	}
	f.epochs = append(f.epochs, logs)
	f.ev = Event{Kind: EventEpoch, Epoch: f.epoch, Step: f.step, Loss: logs[0].Value, LR: f.t.LearningRate(), Logs: logs}
	emit(&f.ev)
	f.sums.reset()
	f.epoch++
	f.begun = false
	f.feeding = 0
	if f.epoch >= f.opt.Epochs || f.total > 0 && f.step >= f.total {
		f.over = true
	}
}

// Feed makes one step on a batch that the host brings. Validation does not run by itself.
func (f *Fit) Feed(b *Batch, emit func(*Event)) error {
	if f.over || !f.streaming {
		return tensor.Err("fit", "this fit takes no batches: it is over, or reads its own data")
	}
	f.begin(emit)
	b.Epoch, b.Index = f.epoch, f.feeding
	if err := f.train(b, emit); err != nil {
		return err
	}
	f.feeding++
	return nil
}

// EpochEnd ends an epoch of a fit that is fed. It makes one batch of validation a call and reports whether it is complete.
func (f *Fit) EpochEnd(emit func(*Event)) (complete bool, err error) {
	if f.over || !f.streaming {
		return false, tensor.Err("fit", "this fit has no epoch to end")
	}
	if !f.validating && f.sums.n == 0 {
		return false, tensor.Err("fit", "the epoch had no batch")
	}
	if f.opt.Validation == nil {
		f.finish(emit)
		return true, nil
	}
	if !f.validating {
		f.opt.Evaluator.Reset()
		if err := f.opt.Validation.Seek(0, 0); err != nil {
			return false, err
		}
		f.validating = true
	}
	err = f.validate(emit)
	return !f.validating, err
}

// Close gives the feeds' resources back.
func (f *Fit) Close() {
	if f.feed != nil {
		f.feed.Close()
	}
	if f.opt.Validation != nil {
		f.opt.Validation.Close()
	}
}

// Checkpoint returns the state of the run as the bytes of a file. A validation that is under way is made again after restoring.
func (f *Fit) Checkpoint(settings map[string]string) ([]byte, error) {
	var pos data.State
	if f.feed != nil {
		pos = f.feed.State()
	}
	return f.t.checkpoint(settings, pos, f)
}

// encode returns the fit's own state as numbers, and the names that they need.
func (f *Fit) encode() (v []float64, names string) {
	flag := func(b bool) float64 { return float64(bit(b)) }
	v = append(v, float64(f.epoch), float64(f.step), flag(f.begun), flag(f.validating), flag(f.over), float64(f.feeding), f.sums.loss, float64(f.sums.n))
	for i := range f.sums.losses {
		v = append(v, f.sums.losses[i], float64(f.sums.correct[i]), float64(f.sums.seen[i]))
		if m := f.sums.measures[i]; m != nil {
			v = m.appendState(v)
		}
	}
	v = append(v, float64(len(f.epochs)))
	for _, logs := range f.epochs {
		v = append(v, float64(len(logs)))
		for _, l := range logs {
			names += l.Name + "\n"
			v = append(v, l.Value)
		}
	}
	return v, names
}

// decode reads what encode wrote.
func (f *Fit) decode(v []float64, names string) bool {
	const head = 8
	if len(v) < head {
		return false
	}
	for _, x := range v[:head] {
		if x != x {
			return false
		}
	}
	if !(v[0] >= 0 && v[0] <= float64(f.opt.Epochs) && v[1] >= 0 && v[1] <= 1<<53 && v[5] >= 0 && v[5] <= 1<<53 && v[7] >= 0 && v[7] <= 1<<53) {
		return false
	}
	g := *f
	g.epoch, g.step, g.begun, g.validating, g.over, g.feeding = int(v[0]), int(v[1]), v[2] != 0, v[3] != 0, v[4] != 0, int(v[5])
	g.sums.loss, g.sums.n = v[6], int(v[7])
	v = v[head:]
	for i := range g.sums.losses {
		if len(v) < 3 {
			return false
		}
		g.sums.losses[i], g.sums.correct[i], g.sums.seen[i] = v[0], int(v[1]), int(v[2])
		v = v[3:]
		if m := g.sums.measures[i]; m != nil {
			var ok bool
			if v, ok = m.restoreState(v); !ok {
				return false
			}
		}
	}
	if len(v) < 1 || !(v[0] >= 0 && v[0] <= float64(len(v))) {
		return false
	}
	n := int(v[0])
	v = v[1:]
	g.epochs = nil
	for range n {
		if len(v) < 1 || !(v[0] >= 0 && v[0] <= float64(len(v)-1)) {
			return false
		}
		k := int(v[0])
		v = v[1:]
		logs := make([]Log, k)
		for i := range logs {
			at := 0
			for at < len(names) && names[at] != '\n' {
				at++
			}
			if at == len(names) {
				return false
			}
			logs[i] = Log{names[:at], v[i]}
			names = names[at+1:]
		}
		v = v[k:]
		g.epochs = append(g.epochs, logs)
	}
	*f = g
	return true
}

// Restore brings the fit to the moment of a checkpoint of a fit with the same settings and data. On an error the trainer is as it was.
func (f *Fit) Restore(c *Checkpoint) error {
	if c.fit == nil {
		return tensor.Err("checkpoint", "holds no fit: it was written by another kind of run")
	}
	trial, err := NewFit(f.t, nil, FitOptions{Epochs: f.opt.Epochs, InitialEpoch: f.opt.InitialEpoch})
	if err != nil {
		return err
	}
	if !trial.decode(c.fit, c.names) {
		return tensor.Err("checkpoint", "the state of the fit is damaged or of other metrics")
	}
	var pos data.State
	if f.feed != nil {
		pos = f.feed.State()
		if err := f.feed.Restore(c.Data); err != nil {
			return err
		}
	}
	if err := f.t.Restore(c); err != nil {
		if f.feed != nil {
			_ = f.feed.Restore(pos) // its own position
		}
		return err
	}
	f.decode(c.fit, c.names)
	if f.validating && f.opt.Validation != nil {
		f.opt.Evaluator.Reset()
		return f.opt.Validation.Seek(0, 0)
	}
	return nil
}

// Settings returns what two fits must agree in for one to go on with the other's checkpoint, beside the data and the model.
func (f *Fit) Settings() map[string]string {
	return map[string]string{"epochs": strconv.Itoa(f.opt.Epochs), "schedule": f.t.cfg.Schedule.String(), "optimizer": f.t.cfg.Optimizer.Name(), "seed": strconv.FormatUint(f.t.cfg.Seed, 10)}
}
