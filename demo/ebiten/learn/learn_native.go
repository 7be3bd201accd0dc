//go:build !js

package learn

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models/lenet"
)

// Sets is data that the user has named, in two parts.
type Sets struct {
	Name        string
	Train, Test data.Source
}

// OpenFolder reads a folder of IDX files, plain or gzip, with pictures of 28x28 and ten classes, as MNIST has them.
func OpenFolder(path string) (*Sets, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%s is a file: name the folder that holds MNIST's four files", path)
	}
	fsys := os.DirFS(path)
	for _, split := range []idx.Split{idx.Train, idx.Test} {
		if !idx.Has(fsys, split) {
			return nil, fmt.Errorf("%s holds no MNIST files (%s-images-idx3-ubyte and %s-labels-idx1-ubyte, plain or with .gz); \"weft data get mnist --dir %s\" fetches them", path, split, split, path)
		}
	}
	s, err := read(fsys, filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// read reads the four files in a folder.
func read(fsys fs.FS, name string) (*Sets, error) {
	open := func(split idx.Split) (data.Source, error) {
		src, err := idx.Images(fsys, split, 10)
		if err != nil {
			return nil, err
		}
		if spec := src.Spec(); !slices.Equal(spec.Shape, []int{1, 28, 28}) || spec.Classes != 10 {
			return nil, fmt.Errorf("the %s files hold images of %d × %d in %d classes; LeNet takes 28 × 28 in 10", split, spec.Shape[1], spec.Shape[2], spec.Classes)
		}
		return src, nil
	}
	s := &Sets{Name: name}
	var err error
	if s.Train, err = open(idx.Train); err != nil {
		return nil, err
	}
	if s.Test, err = open(idx.Test); err != nil {
		return nil, err
	}
	return s, nil
}

// dropped finds MNIST's files in what was dropped: the files, or a folder with them.
func dropped(fsys fs.FS) (*Sets, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		sub, err := fs.Sub(fsys, e.Name())
		if e.IsDir() && err == nil && (idx.Has(sub, idx.Train) || idx.Has(sub, idx.Test)) {
			return read(sub, e.Name())
		}
	}
	for _, name := range names {
		if strings.Contains(name, "idx") || strings.Contains(name, "ubyte") {
			return read(fsys, "Your files")
		}
	}
	return nil, fmt.Errorf("%s: no MNIST files; drop its four, train-images-idx3-ubyte and so on, all together, or their folder", strings.Join(names, ", "))
}

// native trains in a goroutine.
type native struct {
	given   atomic.Pointer[Given]
	snap    atomic.Pointer[Snapshot]
	weights atomic.Pointer[[]byte]

	mu   sync.Mutex
	sets *Sets
	run  *run          // the latest
	done chan struct{} // closed when its goroutine has ended
}

// New returns a trainer. sets are data beside the built-in digits, nil where there is none yet.
func New(sets *Sets) Trainer {
	t := &native{sets: sets}
	t.snap.Store(&Snapshot{})
	g := &Given{}
	if sets != nil {
		g = &Given{Name: sets.Name, Train: sets.Train.Len(), Test: sets.Test.Len()}
	}
	t.given.Store(g)
	return t
}

func (t *native) Given() *Given   { return t.given.Load() }
func (t *native) CanChoose() bool { return false } // Ebitengine has no such dialog
func (t *native) Choose()         {}

func (t *native) Bring(files fs.FS) {
	g := *t.given.Load()
	if g.Reading {
		return
	}
	g.Reading, g.Err = true, nil
	t.given.Store(&g)
	go func() {
		done := g
		done.Reading = false
		done.Count++
		if sets, err := dropped(files); err != nil {
			done.Err = err
		} else {
			t.mu.Lock()
			t.sets = sets
			t.mu.Unlock()
			done.Name, done.Train, done.Test = sets.Name, sets.Train.Len(), sets.Test.Len()
		}
		t.given.Store(&done)
	}()
}

type command uint8

const (
	pause command = iota
	resume
	stop
)

// run is one training, of its goroutine alone but for the commands.
type run struct {
	record
	t        *native
	cfg      Config
	sets     *Sets
	commands chan command
	shown    time.Time // of the last snapshot
}

func (t *native) Start(cfg Config) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done != nil {
		select {
		case <-t.done:
		default:
			return errors.New("a training is under way: stop it first")
		}
	}
	if cfg.Data == Folder && t.sets == nil {
		return errors.New("there is no data but the built-in digits: drop MNIST's four files, or start with --data FOLDER")
	}
	if err := cfg.check(); err != nil {
		return err
	}
	r := &run{t: t, cfg: cfg, sets: t.sets, commands: make(chan command, 16)}
	r.now = Snapshot{State: Preparing, Config: cfg, Model: t.snap.Load().Model}
	r.publish()
	t.run, t.done = r, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		if err := r.train(); err != nil {
			r.now.State, r.now.Err = Failed, err
		}
		r.publish()
	}(t.done)
	return nil
}

// send gives a command to the run; one that comes when there is none, or after too many that it has not seen yet, changes nothing.
func (t *native) send(c command) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run == nil {
		return
	}
	select {
	case t.run.commands <- c:
	case <-t.done:
	}
}

func (t *native) Pause()              { t.send(pause) }
func (t *native) Resume()             { t.send(resume) }
func (t *native) Stop()               { t.send(stop) }
func (t *native) Snapshot() *Snapshot { return t.snap.Load() }

func (t *native) Weights() []byte {
	if b := t.weights.Load(); b != nil {
		return *b
	}
	return nil
}

func (t *native) Close() {
	t.Stop()
	t.mu.Lock()
	done := t.done
	t.mu.Unlock()
	if done != nil {
		<-done
	}
}

// publish makes the present moment the latest snapshot.
func (r *run) publish() {
	r.t.snap.Store(r.snapshot())
	r.shown = time.Now()
}

func (r *run) sources() (tr, test data.Source, err error) {
	if r.cfg.Data == Folder {
		tr, test = r.sets.Train, r.sets.Test
		if tr, err = first(tr, r.cfg.Samples); err != nil {
			return nil, nil, err
		}
		test, err = first(test, r.cfg.TestSamples)
		return tr, test, err
	}
	samples := r.cfg.TestSamples
	if samples == 0 {
		samples = 10000
	}
	return digits.New(digits.Options{Seed: r.cfg.Seed, Samples: r.cfg.Samples}), digits.New(digits.Options{Seed: r.cfg.Seed, Samples: samples, Test: true}), nil
}

// first returns the first n samples of a source, all for 0.
func first(s data.Source, n int) (data.Source, error) {
	if n == 0 || n >= s.Len() {
		return s, nil
	}
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return data.NewSubset(s, index)
}

// train is the whole run. It looks for commands between any two steps.
func (r *run) train() error {
	tr, test, err := r.sources()
	if err != nil {
		return err
	}
	// One processor is the window's.
	threads := min(4, max(1, runtime.NumCPU()-1))
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: threads})
	defer rt.Close()
	spec := tr.Spec()
	net := train.Layered("lenet", lenet.New(spec.Shape, spec.Classes), spec.Shape)
	objectives := []train.Objective{{Loss: loss.Spec{Name: loss.SparseCategorical, FromLogits: true}, Metrics: []string{train.MetricAccuracy}}}
	feed := func(src data.Source, opt data.Options) (*train.SourceFeed, error) {
		l, err := data.NewLoader(src, opt)
		if err != nil {
			return nil, err
		}
		return train.NewSourceFeed(l, net, objectives, []int{spec.Classes})
	}
	batches, err := feed(tr, data.Options{BatchSize: r.cfg.BatchSize, Shuffle: true, Seed: r.cfg.Seed, Workers: threads, Prefetch: 4})
	if err != nil {
		return err
	}
	defer batches.Close()
	tests, err := feed(test, data.Options{BatchSize: train.EvalBatch, Workers: threads, Prefetch: 2})
	if err != nil {
		return err
	}
	defer tests.Close()
	trainer, err := train.NewTrainer(rt, train.Setup{Net: net, Objectives: objectives, Seed: r.cfg.Seed, Optimizer: optim.Adam{},
		LearningRate: r.cfg.LearningRate, Schedule: optim.Cosine{}, Steps: r.cfg.Epochs * batches.Steps()})
	if err != nil {
		return err
	}
	defer trainer.Close()
	eval, err := train.NewEvaluator(rt, net, objectives, trainer.Store(), 0)
	if err != nil {
		return err
	}
	defer eval.Close()
	fit, err := train.NewFit(trainer, batches, train.FitOptions{Epochs: r.cfg.Epochs, Validation: tests, Evaluator: eval})
	if err != nil {
		return err
	}
	r.now.State, r.now.Epoch, r.now.Samples = Running, 1, batches.Len()
	_, r.now.Steps = fit.Steps()
	r.publish()
	var emitted error
	emit := func(e *train.Event) {
		if err := r.event(e, trainer); err != nil {
			emitted = err
		}
	}
	for {
		stopped, err := r.obey(trainer)
		if err != nil || stopped {
			return err
		}
		done, err := fit.Next(emit)
		if err = errors.Join(err, emitted); err != nil {
			return err
		}
		if done {
			r.now.State = Done
			return nil
		}
	}
}

// obey does what was commanded, and waits while the run is paused.
func (r *run) obey(trainer *train.Trainer) (stopped bool, err error) {
	for {
		var c command
		if r.now.State == Paused {
			c = <-r.commands
		} else {
			select {
			case c = <-r.commands:
			default:
				return false, nil
			}
		}
		switch {
		case c == stop:
			r.now.State = Stopped
			return true, r.export(trainer)
		case c == pause && r.now.State == Running:
			r.moved(Paused)
			if err := r.export(trainer); err != nil {
				return false, err
			}
			r.publish()
		case c == resume && r.now.State == Paused:
			r.moved(Running)
			r.publish()
		}
	}
}

// event takes what the fit reports. Snapshots are made 30 times a second at most.
func (r *run) event(e *train.Event, trainer *train.Trainer) error {
	switch e.Kind {
	case train.EventEpochBegin:
		r.epoch(e.Epoch + 1)
	case train.EventBatch:
		accuracy := math.NaN()
		for _, l := range e.Logs {
			if l.Name == train.MetricAccuracy {
				accuracy = l.Value
			}
		}
		r.step(e.Step, e.Size, e.Loss, accuracy, e.LR)
	case train.EventEpoch:
		p := Point{Step: e.Step}
		for _, l := range e.Logs {
			switch l.Name {
			case "valLoss":
				p.Loss = l.Value
			case "valAccuracy":
				p.Accuracy = l.Value
			}
		}
		r.test(p)
		if err := r.export(trainer); err != nil {
			return err
		}
		r.publish()
		return nil
	}
	if time.Since(r.shown) > time.Second/30 {
		r.publish()
	}
	return nil
}

// export makes the weights of this moment the latest model.
func (r *run) export(trainer *train.Trainer) error {
	g, store, err := trainer.Export()
	if err != nil {
		return err
	}
	b, err := onnx.Encode(g, store, onnx.EncodeOptions{})
	if err != nil {
		return err
	}
	r.t.weights.Store(&b)
	r.now.Model++
	return nil
}
