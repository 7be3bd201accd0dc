package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
	"github.com/weft-ml/weft/simd"
)

// imageLesson teaches a classifier of images, or of other samples of one size.
type imageLesson struct {
	model  models.Model
	splits *splits
	val    data.Source
	loader *data.Loader
}

func (l *imageLesson) open(r *trainRun) (setup train.Setup, err error) {
	f := &r.f
	if l.splits, err = f.data.open(f.seed, nil, 0); err != nil {
		return setup, err
	}
	if l.splits.train == nil {
		return setup, fmt.Errorf("--data %s holds no training samples", f.data.path)
	}
	source := l.splits.train
	if f.valSplit > 0 {
		tr, val, err := data.Split(source, f.valSplit, data.SplitOptions{Seed: f.seed, Stratified: true})
		if err != nil {
			return setup, err
		}
		source, l.val = tr, val
	}
	if f.augment != "" {
		a, err := augment.Parse(f.augment)
		if err != nil {
			return setup, usageError{fmt.Errorf("--augment: %w", err)}
		}
		if source, err = a.Source(source, f.seed); err != nil {
			return setup, usageError{fmt.Errorf("--augment: %w", err)}
		}
	}
	id, err := fingerprint(l.splits.train)
	if err != nil {
		return setup, err
	}
	r.data = l.splits.kind + ", " + id
	spec := source.Spec()
	if spec.Classes < 2 {
		return setup, tensor.Err("train", "a classifier needs two or more classes, the data has ", spec.Classes)
	}
	if len(spec.Shape) != 3 && f.name != "mlp" {
		return setup, fmt.Errorf("%s takes images, [channels height width]; the data has samples of shape %v, which mlp takes", f.name, spec.Shape)
	}
	if l.loader, err = data.NewLoader(source, data.Options{BatchSize: f.batch, Shuffle: true, Seed: f.seed, Workers: r.threads(), Prefetch: 4}); err != nil {
		return setup, err
	}
	setup.Net = train.Layered(f.name, l.model.New(spec.Shape, spec.Classes), spec.Shape)
	setup.Objectives = []train.Objective{{Metrics: []string{train.MetricAccuracy},
		Loss: loss.Spec{Name: loss.SparseCategorical, FromLogits: true, LabelSmoothing: f.smoothing}}}
	if r.feed, err = train.NewSourceFeed(l.loader, setup.Net, setup.Objectives, []int{spec.Classes}); err != nil {
		l.loader.Close()
		return setup, err
	}
	if l.splits.note != "" {
		fmt.Fprintln(r.c.stderr, l.splits.note)
	}
	return setup, nil
}

func (l *imageLesson) size() string {
	spec := l.loader.Spec()
	return fmt.Sprintf("%s of %d training samples %v, %d classes", l.splits.kind, l.loader.Len(), spec.Shape, spec.Classes)
}

func (l *imageLesson) samples() string {
	return fmt.Sprintf("samples of shape %v", l.loader.Spec().Shape)
}

func (l *imageLesson) unit() string { return "images" }

func (l *imageLesson) export(r *trainRun) (*graph.Graph, *graph.Store, error) {
	return r.trainer.Export()
}

func (l *imageLesson) validates() bool { return l.val != nil }

func (l *imageLesson) validate(ctx context.Context, rt *compile.Runtime, g *graph.Graph, store *graph.Store) (train.Point, error) {
	res, err := train.Evaluate(ctx, rt, g, store, l.val)
	if err != nil {
		return train.Point{}, err
	}
	return train.Point{Loss: res.Loss, Accuracy: res.Confusion.Accuracy()}, nil
}

func (l *imageLesson) score(p train.Point) float64 { return p.Accuracy }

func (l *imageLesson) judged(p train.Point) graph.MetaEntry {
	return graph.MetaEntry{Key: "weft.validation_accuracy", Value: strconv.FormatFloat(p.Accuracy, 'g', 6, 64)}
}

func (l *imageLesson) describe(p train.Point) string {
	return fmt.Sprintf("validation loss %.4f  accuracy %.2f %%", p.Loss, 100*p.Accuracy)
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
func (l *imageLesson) finish(ctx context.Context, r *trainRun, rt *compile.Runtime, g *graph.Graph, store *graph.Store) error {
	res, err := train.Evaluate(ctx, rt, g, store, l.splits.test)
	if err != nil {
		return err
	}
	acc := res.Confusion.Accuracy()
	if err := r.writeModel(r.f.out, g, store, []graph.MetaEntry{{Key: "weft.test_accuracy", Value: strconv.FormatFloat(acc, 'g', 6, 64)}}); err != nil {
		return err
	}
	if r.f.plot != "" {
		title := fmt.Sprintf("%s, %d epochs: %.2f %% of %d test images", r.f.name, r.f.epochs, 100*acc, res.Confusion.Total())
		svg, err := plotRun(title, &r.trainer.History, res.Confusion, l.splits.test.Spec().Names)
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
	out := trainResult{Model: r.f.name, Data: l.splits.kind, Parameters: r.trainer.Parameters(), Epochs: r.f.epochs, StartStep: r.start, Steps: r.steps,
		Seconds: r.busy.Seconds(), TestAccuracy: acc, TestLoss: res.Loss, TestF1: res.Confusion.Macro().F1, TestImages: res.Confusion.Total(),
		Out: r.f.out, Plot: r.f.plot, Kernels: simd.Current().Name, Numerics: simd.Current().Class.String(), Threads: r.threads()}
	if r.busy > 0 {
		out.ImagesPerSecond = float64(r.answers) / r.busy.Seconds()
	}
	if v := r.trainer.History.Validation; len(v) > 0 {
		best := v[0].Accuracy
		for _, p := range v {
			best = max(best, p.Accuracy)
		}
		out.ValAccuracy, out.BestAccuracy, out.Best = &v[len(v)-1].Accuracy, &best, bestPath(r.f.out)
	}
	if r.c.json {
		r.c.printJSON(out)
		return nil
	}
	fmt.Fprintf(r.c.stdout, "test accuracy %.2f %% (%d of %d wrong), test loss %.4f\n", 100*acc, len(res.Wrong), out.TestImages, res.Loss)
	if r.answers > 0 {
		fmt.Fprintf(r.c.stdout, "%d steps in %.1f s, %.0f images/s\n", r.steps-r.start, out.Seconds, out.ImagesPerSecond)
	}
	fmt.Fprintf(r.c.stdout, "wrote %s\n", r.f.out)
	return nil
}
