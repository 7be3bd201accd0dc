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
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/onnx"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
	"github.com/weft-ml/weft/simd"
)

// trainFlags are the options of "weft train".
type trainFlags struct {
	data            dataFlags
	epochs, batch   int
	seed            uint64
	lr              float64
	optimizer       string
	weightDecay     float64
	schedule        string
	augment         string
	valSplit        float64
	smoothing       float64
	clipNorm        float64
	clipValue       float64
	ema             float64
	threads         int
	out, plot, log  string
	profile         string
	checkpointEvery int
	resume          bool
	command         string // that makes the same model, for its metadata
}

func (c *cli) trainCmd() *cobra.Command {
	var f trainFlags
	cmd := &cobra.Command{
		Use:   "train " + strings.Join(models.Names(), "|"),
		Short: "Train a model and write it as an ONNX file",
		Long: `Trains a model, measures the weights after the last step on the test data, and writes an ONNX file.

--data takes a folder of IDX files (MNIST and its kin, plain or gzip), a folder of images with one sub-folder a class (or
train/ and test/ with such sub-folders), or a CSV file; without it the built-in digits are used, which need no download.

The state of the run is kept in OUT.ckpt: every epoch, every --checkpoint-every steps, and when a signal stops the run. "weft train
... --resume" with the same settings goes on from there and ends with the same bytes as an uninterrupted run.`,
		Example: `  weft train lenet
  weft train lenet --data ./mnist --epochs 5 --out lenet.onnx --plot lenet.svg
  weft train cnn --data ./mnist --val-split 0.1 --augment shift=2,rotate=10`,
		ValidArgs: models.Names(),
		Args:      exactArgs(1, "the name of a model ("+strings.Join(models.Names(), ", ")+")"),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := models.Get(args[0])
			if err != nil {
				return usageError{err}
			}
			f.defaults(cmd, m)
			f.command = trainCommand(cmd, m.Name)
			return c.train(cmd.Context(), m, f)
		},
	}
	fl := cmd.Flags()
	f.data.register(cmd)
	fl.IntVar(&f.epochs, "epochs", 5, "passes over the training data (default: the model's)")
	fl.IntVar(&f.batch, "batch-size", 32, "samples per step (default: the model's)")
	fl.Uint64Var(&f.seed, "seed", 1, "of initial weights, order, augmentation and built-in digits")
	fl.Float64Var(&f.lr, "lr", 2e-3, "learning rate (default: the model's)")
	fl.StringVar(&f.optimizer, "optimizer", "adam", strings.Join(optim.Names(), ", ")+" (default: the model's)")
	fl.Float64Var(&f.weightDecay, "weight-decay", 0, "weight decay, decoupled for adamw and lion")
	fl.StringVar(&f.schedule, "schedule", "cosine", "learning-rate schedule: constant, step:every=N:gamma=F, exponential:gamma=F, cosine, linear, onecycle, warmup:steps=N,... (default: the model's)")
	fl.StringVar(&f.augment, "augment", "", `augmentation, such as "shift=2,rotate=10,scale=0.1", or "none" (default: the model's)`)
	fl.Float64Var(&f.valSplit, "val-split", 0, "part of the training samples kept for validation; the best weights by it go to OUT.best.onnx")
	fl.Float64Var(&f.smoothing, "label-smoothing", 0, "part of the target spread over all classes")
	fl.Float64Var(&f.clipNorm, "clip-norm", 0, "largest global L2 norm of the gradients (0: off)")
	fl.Float64Var(&f.clipValue, "clip-value", 0, "largest absolute value of a gradient's elements (0: off)")
	fl.Float64Var(&f.ema, "ema", 0, "decay of a moving average of the weights, which then is the result (0: off; default: the model's)")
	fl.IntVar(&f.threads, "threads", 0, "threads to compute with (0: all processors); the result does not depend on it")
	fl.StringVar(&f.out, "out", "", "model file to write (default: MODEL.onnx)")
	fl.StringVar(&f.profile, "profile", "", profileUsage)
	fl.StringVar(&f.plot, "plot", "", "SVG file to write with the curves and the confusion matrix")
	fl.StringVar(&f.log, "log", "", "file to write with a line of JSON for every step: step, epoch, loss, correct, samples, lr")
	fl.IntVar(&f.checkpointEvery, "checkpoint-every", 500, "steps between checkpoints")
	fl.BoolVar(&f.resume, "resume", false, "go on with the run that OUT.ckpt holds")
	return cmd
}

// incidental are the flags of "weft train" that decide nothing of the model.
var incidental = []string{"out", "plot", "log", "profile", "threads", "checkpoint-every", "resume", "json"}

// trainCommand returns the command line that trains the same model, in a folder that holds the data: of paths only the last part
// is kept, so that a model file tells nothing of the machine it was trained on.
func trainCommand(cmd *cobra.Command, model string) string {
	line := []string{"weft", "train", model}
	cmd.Flags().Visit(func(fl *pflag.Flag) {
		if slices.Contains(incidental, fl.Name) {
			return
		}
		value := fl.Value.String()
		if fl.Name == "data" {
			value = filepath.Base(value)
		}
		switch {
		case fl.Value.Type() == "bool":
			line = append(line, "--"+fl.Name+"="+value)
		case strings.ContainsAny(value, " \t\n'\"\\$`*?&|;<>()"):
			line = append(line, "--"+fl.Name, "'"+strings.ReplaceAll(value, "'", `'\''`)+"'")
		default:
			line = append(line, "--"+fl.Name, value)
		}
	})
	return strings.Join(line, " ")
}

// register adds the flags that say where samples come from.
func (d *dataFlags) register(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&d.path, "data", "", "IDX folder, image folder or CSV file (default: built-in digits)")
	fl.IntVar(&d.size, "image-size", 28, "width and height that images of folders are resized to")
	fl.BoolVar(&d.rgb, "rgb", false, "read images of folders in colour")
	fl.BoolVar(&d.invert, "invert", false, "images of folders have dark ink on light paper")
	fl.StringVar(&d.label, "label", "", `label column of a CSV file, by name or index (default: "label", "class" or "target" if there is one, else the first)`)
	fl.StringVar(&d.missing, "missing", "error", "what to do about empty and NaN cells of a CSV file: error, drop the row, or fill with the column's mean")
	fl.IntVar(&d.classes, "classes", 0, "number of classes of IDX data (0: as the labels say)")
}

// defaults takes from the model's recipe what the command line does not set.
func (f *trainFlags) defaults(cmd *cobra.Command, m models.Model) {
	set := cmd.Flags().Changed
	r := m.Recipe
	if !set("epochs") {
		f.epochs = r.Epochs
	}
	if !set("batch-size") {
		f.batch = r.BatchSize
	}
	if !set("lr") {
		f.lr = r.LearningRate
	}
	if !set("optimizer") {
		f.optimizer = r.Optimizer
	}
	if !set("weight-decay") {
		f.weightDecay = r.WeightDecay
	}
	if !set("schedule") {
		f.schedule = r.Schedule
	}
	if !set("augment") {
		f.augment = r.Augment
	}
	if f.augment == "none" {
		f.augment = ""
	}
	if !set("ema") {
		f.ema = r.EMA
	}
	if f.out == "" {
		f.out = m.Name + ".onnx"
	}
}

// check finds mistakes in the options before any work is done.
func (f *trainFlags) check() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case f.epochs < 1 || f.epochs > 1_000_000:
		return usagef("--epochs must be 1 to 1000000, not %d", f.epochs)
	case f.batch < 1 || f.batch > 1<<20:
		return usagef("--batch-size must be 1 to %d, not %d", 1<<20, f.batch)
	case !(f.lr > 0) || !finite(f.lr):
		return usagef("--lr must be a positive number, not %v", f.lr)
	case !(f.valSplit >= 0 && f.valSplit < 1):
		return usagef("--val-split must be 0 to less than 1, not %v", f.valSplit)
	case !(f.smoothing >= 0 && f.smoothing < 1):
		return usagef("--label-smoothing must be 0 to less than 1, not %v", f.smoothing)
	case !(f.ema >= 0 && f.ema < 1):
		return usagef("--ema must be 0 to less than 1, not %v", f.ema)
	case !(f.clipNorm >= 0) || !(f.clipValue >= 0) || !finite(f.clipNorm) || !finite(f.clipValue):
		return usagef("--clip-norm and --clip-value must be numbers of 0 or more")
	case f.threads < 0 || f.threads > 1024:
		return usagef("--threads must be 0 to 1024, not %d", f.threads)
	case f.checkpointEvery < 1:
		return usagef("--checkpoint-every must be at least 1, not %d", f.checkpointEvery)
	case f.data.classes < 0 || f.data.classes > 1<<20:
		return usagef("--classes must be 0 to %d, not %d", 1<<20, f.data.classes)
	case f.data.size < 1 || f.data.size > 4096:
		return usagef("--image-size must be 1 to 4096, not %d", f.data.size)
	}
	return nil
}

// run holds one training run.
type trainRun struct {
	c        *cli
	f        trainFlags
	m        models.Model
	splits   *splits
	val      data.Source
	trainer  *train.Trainer
	loader   *data.Loader
	steps    int
	start    int
	settings map[string]string
	best     float64
	ckpt     string
	bar      *progress
	log      *stepLog // nil: none
	busy     time.Duration
	images   int
}

func (c *cli) train(ctx context.Context, m models.Model, f trainFlags) (err error) {
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
	r := &trainRun{c: c, f: f, m: m, ckpt: f.out + ".ckpt", best: -1}
	if r.splits, err = f.data.open(f.seed, nil, 0); err != nil {
		return err
	}
	if r.splits.train == nil {
		return fmt.Errorf("--data %s holds no training samples", f.data.path)
	}
	source := r.splits.train
	if f.valSplit > 0 {
		tr, val, err := data.Split(source, f.valSplit, data.SplitOptions{Seed: f.seed, Stratified: true})
		if err != nil {
			return err
		}
		source, r.val = tr, val
	}
	spec := source.Spec()
	if f.augment != "" {
		a, err := augment.Parse(f.augment)
		if err != nil {
			return usageError{fmt.Errorf("--augment: %w", err)}
		}
		if source, err = a.Source(source, f.seed); err != nil {
			return usageError{fmt.Errorf("--augment: %w", err)}
		}
	}
	if r.loader, err = data.NewLoader(source, data.Options{BatchSize: f.batch, Shuffle: true, Seed: f.seed, Workers: r.threads(), Prefetch: 4}); err != nil {
		return err
	}
	defer r.loader.Close()
	r.steps = f.epochs * r.loader.Steps()

	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	cfg := train.Config{Name: m.Name, Model: m.New(spec.Shape, spec.Classes), Spec: source.Spec(), Seed: f.seed, Optimizer: optimizer, LearningRate: f.lr, Schedule: schedule,
		Steps: r.steps, LabelSmoothing: float32(f.smoothing), Update: optim.Options{ClipNorm: float32(f.clipNorm), ClipValue: float32(f.clipValue), EMA: float32(f.ema)}}
	if r.trainer, err = train.New(rt, cfg); err != nil {
		if len(spec.Shape) != 3 && m.Name != "mlp" {
			return fmt.Errorf("%s takes images, [channels height width]; the data has samples of shape %v, which mlp takes", m.Name, spec.Shape)
		}
		return fmt.Errorf("%s on samples of shape %v: %w", m.Name, spec.Shape, err)
	}
	id, err := fingerprint(r.splits.train)
	if err != nil {
		return err
	}
	r.settings = r.describe(schedule, id)
	if err := r.restore(); err != nil {
		return err
	}
	r.greet(spec)
	if f.log != "" {
		if r.log, err = openStepLog(f.log, r.start); err != nil {
			return err
		}
	}
	err = c.profiled(rt, f.profile, func() error { return r.loop(ctx) })
	if err := errors.Join(err, r.log.close()); err != nil {
		return err
	}
	return r.finish(ctx, rt)
}

func (r *trainRun) threads() int {
	if r.f.threads > 0 {
		return r.f.threads
	}
	return runtime.GOMAXPROCS(0)
}

// describe lists everything that decides the run's result; resuming compares it, the model file carries it.
func (r *trainRun) describe(s optim.Schedule, data string) map[string]string {
	num := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	f := &r.f
	m := map[string]string{
		"model": r.m.Name, "data": r.splits.kind + ", " + data, "epochs": strconv.Itoa(f.epochs), "batch-size": strconv.Itoa(f.batch),
		"seed": strconv.FormatUint(f.seed, 10), "lr": num(f.lr), "optimizer": f.optimizer, "schedule": s.String(),
		"numerics": simd.Current().Class.String(),
	}
	for k, v := range map[string]float64{"val-split": f.valSplit, "label-smoothing": f.smoothing, "clip-norm": f.clipNorm, "clip-value": f.clipValue, "ema": f.ema, "weight-decay": f.weightDecay} {
		if v != 0 {
			m[k] = num(v)
		}
	}
	if f.augment != "" {
		m["augment"] = f.augment
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
	if err := r.loader.Restore(cp.Data); err != nil {
		return fmt.Errorf("cannot resume from %s: %w", r.ckpt, err)
	}
	r.start = cp.Step()
	for _, p := range r.trainer.History.Validation {
		r.best = max(r.best, p.Accuracy)
	}
	if cp.Finished {
		fmt.Fprintf(r.c.stderr, "the run in %s is finished: all %d steps are done\n", r.ckpt, r.steps)
	} else {
		fmt.Fprintf(r.c.stderr, "going on after step %d of %d\n", r.start, r.steps)
	}
	return nil
}

func (r *trainRun) greet(spec data.Spec) {
	k := simd.Current()
	fmt.Fprintf(r.c.stderr, "%s: %d parameters, %s of %d training samples %v, %d classes; %d steps of %d; kernels %s (%s), %d threads\n", r.m.Name, r.trainer.Parameters(), r.splits.kind,
		r.loader.Len(), spec.Shape, spec.Classes, r.steps, r.f.batch, k.Name, k.Class, r.threads())
	if r.splits.note != "" {
		fmt.Fprintln(r.c.stderr, r.splits.note)
	}
}

// save writes the checkpoint.
func (r *trainRun) save() error {
	if err := r.log.flush(); err != nil {
		return fmt.Errorf("cannot write the log: %w", err)
	}
	b, err := r.trainer.Checkpoint(r.settings, r.loader.State())
	if err != nil {
		return err
	}
	return writeFile(r.ckpt, b)
}

// loop makes the steps that are left.
func (r *trainRun) loop(ctx context.Context) error {
	r.bar = newProgress(r.c.stderr, r.start, r.steps, r.f.batch)
	defer r.bar.done()
	saved := r.start
	for r.trainer.StepsDone() < r.steps {
		t0 := time.Now()
		b, err := r.loader.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return r.stopped()
			}
			return err
		}
		epoch, last, n := b.Epoch, b.Last, b.N
		lr := r.trainer.LearningRate()
		loss, correct, err := r.trainer.Step(b)
		if err != nil {
			r.bar.done()
			if r.trainer.StepsDone() > 0 && saved > 0 {
				return fmt.Errorf("%w (the state after step %d is in %s)", err, saved, r.ckpt)
			}
			return err
		}
		r.busy += time.Since(t0)
		r.images += n
		step := r.trainer.StepsDone()
		if err := r.log.add(stepRecord{Step: step, Epoch: epoch + 1, Loss: loss, Correct: correct, Samples: n, LR: lr}); err != nil {
			return fmt.Errorf("cannot write the log: %w", err)
		}
		r.bar.update(step, epoch, r.f.epochs, float64(loss), correct, n)
		if last && r.val != nil {
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
	g, store, err := r.trainer.Export()
	if err != nil {
		return err
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: r.f.threads})
	defer rt.Close()
	res, err := train.Evaluate(ctx, rt, g, store, r.val)
	if err != nil {
		return err
	}
	acc := res.Confusion.Accuracy()
	r.trainer.History.Validation = append(r.trainer.History.Validation, train.Point{Step: step, Loss: res.Loss, Accuracy: acc})
	mark := ""
	if acc > r.best {
		r.best = acc
		mark = ", the best so far"
		if err := r.writeModel(bestPath(r.f.out), g, store, []graph.MetaEntry{{Key: "weft.validation_accuracy", Value: strconv.FormatFloat(acc, 'g', 6, 64)}, {Key: "weft.step", Value: strconv.Itoa(step)}}); err != nil {
			return err
		}
	}
	r.bar.note("epoch %d/%d  validation loss %.4f  accuracy %.2f %%%s", epoch+1, r.f.epochs, res.Loss, 100*acc, mark)
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
	g.Meta = []graph.MetaEntry{{Key: "weft.command", Value: r.f.command}}
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

// trainResult is what --json prints.
type trainResult struct {
	Model           string   `json:"model"`
	Data            string   `json:"data"`
	Parameters      int      `json:"parameters"`
	Epochs          int      `json:"epochs"`
	StartStep       int      `json:"start_step"`
	Steps           int      `json:"steps"`
	Seconds         float64  `json:"seconds"`
	ImagesPerSecond float64  `json:"images_per_second"`
	TestAccuracy    float64  `json:"test_accuracy"`
	TestLoss        float64  `json:"test_loss"`
	TestF1          float64  `json:"test_f1"`
	TestImages      int      `json:"test_images"`
	ValAccuracy     *float64 `json:"validation_accuracy,omitempty"`
	BestAccuracy    *float64 `json:"best_validation_accuracy,omitempty"`
	Out             string   `json:"out"`
	Best            string   `json:"best,omitempty"`
	Plot            string   `json:"plot,omitempty"`
	Kernels         string   `json:"kernels"`
	Numerics        string   `json:"numerics"`
	Threads         int      `json:"threads"`
}

// finish measures the final weights, writes the model, the plot and the last checkpoint, and reports.
func (r *trainRun) finish(ctx context.Context, rt *compile.Runtime) error {
	g, store, err := r.trainer.Export()
	if err != nil {
		return err
	}
	res, err := train.Evaluate(ctx, rt, g, store, r.splits.test)
	if err != nil {
		if ctx.Err() != nil {
			return r.stopped()
		}
		return err
	}
	acc := res.Confusion.Accuracy()
	meta := []graph.MetaEntry{
		{Key: "weft.test_accuracy", Value: strconv.FormatFloat(acc, 'g', 6, 64)},
	}
	if err := r.writeModel(r.f.out, g, store, meta); err != nil {
		return err
	}
	if r.f.plot != "" {
		title := fmt.Sprintf("%s, %d epochs: %.2f %% of %d test images", r.m.Name, r.f.epochs, 100*acc, res.Confusion.Total())
		svg, err := plotRun(title, &r.trainer.History, res.Confusion, r.splits.test.Spec().Names)
		if err != nil {
			return err
		}
		if err := writeFile(r.f.plot, svg); err != nil {
			return err
		}
	}
	if err := r.save(); err != nil {
		return err
	}
	out := trainResult{Model: r.m.Name, Data: r.splits.kind, Parameters: r.trainer.Parameters(), Epochs: r.f.epochs, StartStep: r.start, Steps: r.steps,
		Seconds: r.busy.Seconds(), TestAccuracy: acc, TestLoss: res.Loss, TestF1: res.Confusion.Macro().F1, TestImages: res.Confusion.Total(),
		Out: r.f.out, Plot: r.f.plot, Kernels: simd.Current().Name, Numerics: simd.Current().Class.String(), Threads: r.threads()}
	if r.busy > 0 {
		out.ImagesPerSecond = float64(r.images) / r.busy.Seconds()
	}
	if v := r.trainer.History.Validation; len(v) > 0 {
		out.ValAccuracy, out.BestAccuracy, out.Best = &v[len(v)-1].Accuracy, &r.best, bestPath(r.f.out)
	}
	if r.c.json {
		r.c.printJSON(out)
		return nil
	}
	fmt.Fprintf(r.c.stdout, "test accuracy %.2f %% (%d of %d wrong), test loss %.4f\n", 100*acc, len(res.Wrong), out.TestImages, res.Loss)
	if r.images > 0 {
		fmt.Fprintf(r.c.stdout, "%d steps in %.1f s, %.0f images/s\n", r.steps-r.start, out.Seconds, out.ImagesPerSecond)
	}
	fmt.Fprintf(r.c.stdout, "wrote %s\n", r.f.out)
	return nil
}
