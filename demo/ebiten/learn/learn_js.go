package learn

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"sync"
	"syscall/js"
)

// Rows of news are numbers: what they say, and up to five more. demo/web/src/window/trainer.ts writes them.
const row = 6

const (
	newState = iota // state
	newBegin        // steps, samples of an epoch
	newEpoch        // number from 1
	newStep         // step, samples, mean loss, accuracy of the epoch so far, learning rate
	newTest         // step, loss, accuracy
	newModel        // there is another model
	newGiven        // images to learn from, to test with, whether files are being read, how often files were taken or refused
)

// page is the trainer of a page: the page trains in its runtime's worker, and this one takes the news.
type page struct {
	trainer js.Value

	mu    sync.Mutex
	r     record
	snap  *Snapshot
	given *Given
	news  []byte
}

// New returns a trainer that has the page's train.
func New(trainer js.Value) Trainer {
	return &page{trainer: trainer, snap: &Snapshot{}, given: &Given{}}
}

func (t *page) Given() *Given {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take()
	return t.given
}

// Bring is the page's: it takes what is dropped before Ebitengine does.
func (t *page) Bring(fs.FS)     {}
func (t *page) Choose()         { t.trainer.Call("choose") }
func (t *page) CanChoose() bool { return true }

func (t *page) Start(cfg Config) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take() // of the run before this one
	if t.snap.State.Active() {
		return errors.New("a training is under way: stop it first")
	}
	if cfg.Data == Folder && t.given.Name == "" {
		return errors.New("there is no data but the built-in digits: choose MNIST's four files, or drop them here")
	}
	if err := cfg.check(); err != nil {
		return err
	}
	samples, tests := cfg.Samples, cfg.TestSamples
	if samples == 0 {
		samples = 60000
	}
	if tests == 0 {
		tests = 10000
	}
	if !t.trainer.Call("start", cfg.LearningRate, cfg.BatchSize, cfg.Epochs, float64(cfg.Seed), samples, tests, cfg.Data == Folder).Bool() {
		return errors.New("the last training has not ended yet: try again")
	}
	t.r = record{now: Snapshot{State: Preparing, Config: cfg, Model: t.r.now.Model}}
	t.snap = t.r.snapshot()
	return nil
}

func (t *page) Pause()  { t.trainer.Call("pause") }
func (t *page) Resume() { t.trainer.Call("resume") }
func (t *page) Stop()   { t.trainer.Call("stop") }
func (t *page) Close()  { t.Stop() }

func (t *page) Snapshot() *Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take()
	return t.snap
}

// take makes a snapshot of the news, if there are some.
func (t *page) take() {
	if t.trainer.Get("waiting").Int() == 0 {
		return
	}
	from := t.trainer.Call("take")
	n := from.Length()
	if cap(t.news) < n {
		t.news = make([]byte, n)
	}
	b := t.news[:n]
	js.CopyBytesToGo(b, from)
	for ; len(b) >= 8*row; b = b[8*row:] {
		number := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])) }
		switch int(number(0)) {
		case newState:
			t.r.moved(State(number(1)))
			if t.r.now.State == Failed {
				t.r.now.Err = errors.New(t.trainer.Get("error").String())
			}
		case newBegin:
			t.r.now.Epoch, t.r.now.Steps, t.r.now.Samples = 1, int(number(1)), int(number(2))
		case newEpoch:
			t.r.epoch(int(number(1)))
		case newStep:
			t.r.step(int(number(1)), int(number(2)), number(3), number(4), number(5))
		case newTest:
			t.r.test(Point{int(number(1)), number(2), number(3)})
		case newModel:
			t.r.now.Model++
		case newGiven:
			g := &Given{Train: int(number(1)), Test: int(number(2)), Reading: number(3) != 0, Count: int(number(4)), Name: t.trainer.Get("givenName").String()}
			if text := t.trainer.Get("givenError").String(); text != "" {
				g.Err = errors.New(text)
			}
			t.given = g
		}
	}
	t.snap = t.r.snapshot()
}

func (t *page) Weights() []byte {
	model := t.trainer.Get("model")
	if model.IsUndefined() {
		return nil
	}
	b := make([]byte, model.Length())
	js.CopyBytesToGo(b, model)
	return b
}
