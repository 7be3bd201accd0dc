package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/simd"
)

// lesson is what a run learns: where its batches come from, and how what was learnt is judged, saved and told.
type lesson interface {
	// open reads the data, sets r.feed and r.data, and returns what is trained.
	open(r *trainRun) (train.Setup, error)
	// size describes the training data in a few words, samples one of its samples.
	size() string
	samples() string
	// unit is what speed is counted in.
	unit() string
	// export returns the graph that is saved, and a copy of its variables.
	export(r *trainRun) (*graph.Graph, *graph.Store, error)
	// validates reports whether there is data to validate on.
	validates() bool
	// validate measures a model on the validation data.
	validate(ctx context.Context, rt *compile.Runtime, g *graph.Graph, store *graph.Store) (train.Point, error)
	// score says how good a validation is, the higher the better; judged names what it goes by, for the metadata of the best model.
	score(p train.Point) float64
	judged(p train.Point) graph.MetaEntry
	// describe tells a validation in words.
	describe(p train.Point) string
	// finish measures and writes the final model and reports.
	finish(ctx context.Context, r *trainRun, rt *compile.Runtime, g *graph.Graph, store *graph.Store) error
}

// trainRun is one training run.
type trainRun struct {
	c        *cli
	f        trainFlags
	lesson   lesson
	data     string // kind and fingerprint of the data
	feed     train.Feed
	trainer  *train.Trainer
	steps    int
	start    int
	settings map[string]string
	best     float64 // of the validations' scores
	ckpt     string
	bar      *progress
	log      *stepLog // nil: none
	busy     time.Duration
	answers  int // images, characters
}

func (c *cli) train(ctx context.Context, f trainFlags, l lesson) (err error) {
	defer tensor.Catch(&err)
	if err := f.check(); err != nil {
		return err
	}
	optimizer, err := optim.Parse(f.optimizer, f.weightDecay)
	if err != nil {
		return usageError{fmt.Errorf("--optimizer: %w", err)}
	}
	schedule, err := optim.ParseSchedule(f.schedule)
	if err != nil {
		return usageError{fmt.Errorf("--schedule: %w", err)}
	}
	for _, p := range []string{f.out, f.plot, f.log, f.profile} {
		if p != "" {
			if err := checkWritable(p); err != nil {
				return err
			}
		}
	}
	r := &trainRun{c: c, f: f, lesson: l, ckpt: f.out + ".ckpt", best: math.Inf(-1)}
	setup, err := l.open(r)
	if err != nil {
		return err
	}
	defer r.feed.Close()
	r.steps = f.epochs * r.feed.Steps()

	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	setup.Seed, setup.Optimizer, setup.LearningRate, setup.Schedule, setup.Steps = f.seed, optimizer, f.lr, schedule, r.steps
	setup.Update = optim.Options{ClipNorm: float32(f.clipNorm), ClipVariableNorm: float32(f.clipVarNorm), ClipValue: float32(f.clipValue), EMA: float32(f.ema)}
	if r.trainer, err = train.NewTrainer(rt, setup); err != nil {
		return fmt.Errorf("%s on %s: %w", f.name, l.samples(), err)
	}
	r.settings = r.describe(schedule)
	if err := r.restore(); err != nil {
		return err
	}
	k := simd.Current()
	fmt.Fprintf(c.stderr, "%s: %d parameters, %s; %d steps of %d; kernels %s (%s), %d threads\n", f.name, r.trainer.Parameters(), l.size(), r.steps, f.batch, k.Name, k.Class, r.threads())
	if f.log != "" {
		if r.log, err = openStepLog(f.log, r.start); err != nil {
			return err
		}
	}
	err = c.profiled(rt, f.profile, func() error { return r.loop(ctx) })
	if err := errors.Join(err, r.log.close()); err != nil {
		return err
	}
	g, store, err := l.export(r)
	if err != nil {
		return err
	}
	if err := l.finish(ctx, r, rt, g, store); err != nil {
		if ctx.Err() != nil {
			return r.stopped()
		}
		return err
	}
	return nil
}

func (r *trainRun) threads() int {
	if r.f.threads > 0 {
		return r.f.threads
	}
	return runtime.GOMAXPROCS(0)
}

// describe lists everything that decides the run's result; resuming compares it, the model file carries it.
func (r *trainRun) describe(s optim.Schedule) map[string]string {
	num := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	f := &r.f
	m := map[string]string{
		"model": f.name, "data": r.data, "epochs": strconv.Itoa(f.epochs), "batch-size": strconv.Itoa(f.batch),
		"seed": strconv.FormatUint(f.seed, 10), "lr": num(f.lr), "optimizer": f.optimizer, "schedule": s.String(),
		"numerics": simd.Current().Class.String(),
	}
	for k, v := range map[string]float64{"val-split": f.valSplit, "label-smoothing": f.smoothing, "clip-norm": f.clipNorm, "clip-variable-norm": f.clipVarNorm, "clip-value": f.clipValue, "ema": f.ema, "weight-decay": f.weightDecay} {
		if v != 0 {
			m[k] = num(v)
		}
	}
	if f.augment != "" {
		m["augment"] = f.augment
	}
	if f.window != 0 {
		m["window"] = strconv.Itoa(f.window)
	}
	return m
}

// restore brings back the run of the checkpoint under --resume, and otherwise says what a new run will replace.
func (r *trainRun) restore() error {
	b, err := os.ReadFile(r.ckpt)
	if errors.Is(err, fs.ErrNotExist) {
		if r.f.resume {
			return fmt.Errorf("there is nothing to resume: %s does not exist; start the run without --resume, or name its model file with --out", r.ckpt)
		}
		return nil
	}
	if err != nil {
		return err
	}
	cp, err := train.DecodeCheckpoint(b)
	if !r.f.resume {
		if err == nil && !cp.Finished {
			fmt.Fprintf(r.c.stderr, "note: %s holds an unfinished run at step %d, which this new run replaces; stop now and add --resume to go on with it\n", r.ckpt, cp.Step())
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot resume from %s: %w; start again without --resume", r.ckpt, err)
	}
	if d := train.Differences(cp.Settings, r.settings); len(d) > 0 {
		return usagef("cannot resume %s with other settings:\n  %s\nUse the settings it was started with, or start a new run without --resume.", r.ckpt, strings.Join(d, "\n  "))
	}
	if err := r.trainer.Restore(cp); err != nil {
		return fmt.Errorf("cannot resume from %s: %w", r.ckpt, err)
	}
	if err := r.feed.Restore(cp.Data); err != nil {
		return fmt.Errorf("cannot resume from %s: %w", r.ckpt, err)
	}
	r.start = cp.Step()
	for _, p := range r.trainer.History.Validation {
		r.best = max(r.best, r.lesson.score(p))
	}
	if cp.Finished {
		fmt.Fprintf(r.c.stderr, "the run in %s is finished: all %d steps are done\n", r.ckpt, r.steps)
	} else {
		fmt.Fprintf(r.c.stderr, "going on after step %d of %d\n", r.start, r.steps)
	}
	return nil
}

// save writes the checkpoint.
func (r *trainRun) save() error {
	if err := r.log.flush(); err != nil {
		return fmt.Errorf("cannot write the log: %w", err)
	}
	b, err := r.trainer.Checkpoint(r.settings, r.feed.State())
	if err != nil {
		return err
	}
	return writeFile(r.ckpt, b)
}

// loop makes the steps that are left.
func (r *trainRun) loop(ctx context.Context) error {
	r.bar = newProgress(r.c.stderr, r.start, r.steps, r.lesson.unit())
	defer r.bar.done()
	saved := r.start
	for r.trainer.StepsDone() < r.steps {
		t0 := time.Now()
		b, err := r.feed.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return r.stopped()
			}
			return err
		}
		epoch, last := b.Epoch, b.Last
		lr := r.trainer.LearningRate()
		loss, correct, n, err := r.trainer.StepBatch(b)
		if err != nil {
			r.bar.done()
			if r.trainer.StepsDone() > 0 && saved > 0 {
				return fmt.Errorf("%w (the state after step %d is in %s)", err, saved, r.ckpt)
			}
			return err
		}
		r.busy += time.Since(t0)
		r.answers += n
		step := r.trainer.StepsDone()
		if err := r.log.add(stepRecord{Step: step, Epoch: epoch + 1, Loss: loss, Correct: correct, Samples: n, LR: lr}); err != nil {
			return fmt.Errorf("cannot write the log: %w", err)
		}
		r.bar.update(step, epoch, r.f.epochs, float64(loss), correct, n)
		if last && r.lesson.validates() {
			if err := r.validate(ctx, step, epoch); err != nil {
				if ctx.Err() != nil {
					// The position is after the epoch, its validation is not made: go back to the last checkpoint.
					return interrupted{r.hint(saved)}
				}
				return err
			}
		}
		if last {
			r.bar.epochDone(step, epoch, r.f.epochs)
		}
		if step < r.steps && (last || step%r.f.checkpointEvery == 0) {
			if err := r.save(); err != nil {
				return err
			}
			saved = step
		}
		if ctx.Err() != nil && step < r.steps {
			return r.stopped()
		}
	}
	return nil
}

// stopped saves the state when a signal has come.
func (r *trainRun) stopped() error {
	r.bar.done()
	if err := r.save(); err != nil {
		return err
	}
	return interrupted{r.hint(r.trainer.StepsDone())}
}

func (r *trainRun) hint(step int) string {
	return fmt.Sprintf("stopped; the state after step %d of %d is in %s: run the same command with --resume to go on", step, r.steps, r.ckpt)
}

// validate measures the weights at the end of an epoch and keeps the best in a file of its own.
func (r *trainRun) validate(ctx context.Context, step, epoch int) error {
	g, store, err := r.lesson.export(r)
	if err != nil {
		return err
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: r.f.threads})
	defer rt.Close()
	p, err := r.lesson.validate(ctx, rt, g, store)
	if err != nil {
		return err
	}
	p.Step = step
	r.trainer.History.Validation = append(r.trainer.History.Validation, p)
	mark := ""
	if score := r.lesson.score(p); score > r.best {
		r.best = score
		mark = ", the best so far"
		if err := r.writeModel(bestPath(r.f.out), g, store, []graph.MetaEntry{r.lesson.judged(p), {Key: "weft.step", Value: strconv.Itoa(step)}}); err != nil {
			return err
		}
	}
	r.bar.note("epoch %d/%d  %s%s", epoch+1, r.f.epochs, r.lesson.describe(p), mark)
	return nil
}

func bestPath(out string) string {
	return strings.TrimSuffix(out, filepath.Ext(out)) + ".best.onnx"
}

// writeModel writes an ONNX file whose metadata names the settings of the run, and nothing of time or place.
func (r *trainRun) writeModel(path string, g *graph.Graph, store *graph.Store, extra []graph.MetaEntry) error {
	keys := make([]string, 0, len(r.settings))
	for k := range r.settings {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	own := g.Meta
	defer func() { g.Meta = own }()
	g.Meta = append(g.Meta[:len(own):len(own)], graph.MetaEntry{Key: "weft.command", Value: r.f.command})
	for _, k := range keys {
		g.Meta = append(g.Meta, graph.MetaEntry{Key: "weft.train." + k, Value: r.settings[k]})
	}
	g.Meta = append(g.Meta, extra...)
	b, err := onnx.Encode(g, store, onnx.EncodeOptions{})
	if err != nil {
		return err
	}
	return writeFile(path, b)
}
