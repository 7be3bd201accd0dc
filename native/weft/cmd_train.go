package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/models"
)

// trainFlags are the options of "weft train".
type trainFlags struct {
	data            dataFlags
	name            string // of the model
	epochs, batch   int
	window          int
	seed            uint64
	lr              float64
	optimizer       string
	weightDecay     float64
	schedule        string
	augment         string
	valSplit        float64
	smoothing       float64
	clipNorm        float64
	clipVarNorm     float64
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
	names := append(models.Names(), models.LanguageNames()...)
	cmd := &cobra.Command{
		Use:   "train " + strings.Join(names, "|"),
		Short: "Train a model and write it as an ONNX file",
		Long: `Trains a model, measures the weights after the last step on data kept for testing, and writes an ONNX file.

For models of images --data takes a folder of IDX files (MNIST and its kin, plain or gzip), a folder of images with one sub-folder a class (or
train/ and test/ with such sub-folders), or a CSV file; without it the built-in digits are used, which need no download.
For models of text (` + strings.Join(models.LanguageNames(), ", ") + `) it takes a text file in UTF-8, whose last tenth is kept for validation.

The state of the run is kept in OUT.ckpt: every epoch, every --checkpoint-every steps, and when a signal stops the run. "weft train
... --resume" with the same settings goes on from there and ends with the same bytes as an uninterrupted run.`,
		Example: `  weft train lenet
  weft train lenet --data ./mnist --epochs 5 --out lenet.onnx --plot lenet.svg
  weft train cnn --data ./mnist --val-split 0.1 --augment shift=2,rotate=10
  weft train char-gpt --data shakespeare.txt`,
		ValidArgs: names,
		Args:      exactArgs(1, "the name of a model ("+strings.Join(names, ", ")+")"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if lm, ok := models.Language(args[0]); ok {
				if err := misplaced(cmd, lm.Name+" reads text", imageFlags); err != nil {
					return err
				}
				f.defaults(cmd, lm.Name, lm.Recipe)
				return c.train(cmd.Context(), f, &textLesson{model: lm})
			}
			m, err := models.Get(args[0])
			if err != nil {
				return usagef("no model is called %s; there are %s", args[0], strings.Join(names, ", "))
			}
			if err := misplaced(cmd, m.Name+" classifies samples of one size", textFlags); err != nil {
				return err
			}
			f.defaults(cmd, m.Name, m.Recipe)
			return c.train(cmd.Context(), f, &imageLesson{model: m})
		},
	}
	fl := cmd.Flags()
	f.data.register(cmd)
	fl.IntVar(&f.epochs, "epochs", 5, "passes over the training data (default: the model's)")
	fl.IntVar(&f.batch, "batch-size", 32, "samples per step: images, or windows of text (default: the model's)")
	fl.IntVar(&f.window, "window", 128, "characters of a window of text (default: the model's)")
	fl.Uint64Var(&f.seed, "seed", 1, "of initial weights, order, augmentation and built-in digits")
	fl.Float64Var(&f.lr, "lr", 2e-3, "learning rate (default: the model's)")
	fl.StringVar(&f.optimizer, "optimizer", "adam", strings.Join(optim.Names(), ", ")+" (default: the model's)")
	fl.Float64Var(&f.weightDecay, "weight-decay", 0, "weight decay, decoupled for adamw and lion (default: the model's)")
	fl.StringVar(&f.schedule, "schedule", "cosine", "learning-rate schedule: constant, step:every=N:gamma=F, exponential:gamma=F, cosine, linear, onecycle, warmup:steps=N,... (default: the model's)")
	fl.StringVar(&f.augment, "augment", "", `augmentation, such as "shift=2,rotate=10,scale=0.1", or "none" (default: the model's)`)
	fl.Float64Var(&f.valSplit, "val-split", 0, "part of the training samples kept for validation; the best weights by it go to OUT.best.onnx (default for text: 0.1)")
	fl.Float64Var(&f.smoothing, "label-smoothing", 0, "part of the target spread over all classes")
	fl.Float64Var(&f.clipNorm, "clip-norm", 0, "largest global L2 norm of the gradients (0: off; default: the model's)")
	fl.Float64Var(&f.clipVarNorm, "clip-variable-norm", 0, "largest L2 norm of the gradient of each variable, in place of --clip-norm (0: off)")
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

// Flags that make sense for one kind of model only.
var (
	imageFlags = []string{"augment", "image-size", "rgb", "invert", "label", "missing", "classes"}
	textFlags  = []string{"window"}
)

// misplaced finds flags that the model has no use for.
func misplaced(cmd *cobra.Command, why string, flags []string) error {
	for _, name := range flags {
		if cmd.Flags().Changed(name) {
			return usagef("--%s does not go with this model: %s", name, why)
		}
	}
	return nil
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
func (f *trainFlags) defaults(cmd *cobra.Command, name string, r models.Recipe) {
	set := cmd.Flags().Changed
	f.name = name
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
	if !set("clip-norm") && !(f.clipVarNorm > 0) {
		f.clipNorm = r.ClipNorm
	}
	if !set("window") {
		f.window = r.Window
	}
	if !set("val-split") && r.Window > 0 {
		f.valSplit = heldOut
	}
	if f.out == "" {
		f.out = name + ".onnx"
	}
	f.command = trainCommand(cmd, name)
}

// check finds mistakes in the options before any work is done.
func (f *trainFlags) check() error {
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	switch {
	case f.epochs < 1 || f.epochs > 1_000_000:
		return usagef("--epochs must be 1 to 1000000, not %d", f.epochs)
	case f.window < 0 || f.window > 1<<16:
		return usagef("--window must be 1 to %d, not %d", 1<<16, f.window)
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
	case !(f.clipNorm >= 0) || !(f.clipVarNorm >= 0) || !(f.clipValue >= 0) || !finite(f.clipNorm) || !finite(f.clipVarNorm) || !finite(f.clipValue):
		return usagef("--clip-norm, --clip-variable-norm and --clip-value must be numbers of 0 or more")
	case f.clipNorm > 0 && f.clipVarNorm > 0:
		return usagef("--clip-norm limits all gradients together, --clip-variable-norm each: give one of the two")
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
