package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/text"
	"github.com/weft-ml/weft/core/train"
)

type evalFlags struct {
	data    dataFlags
	split   string
	seed    uint64
	threads int
	profile string
}

func (c *cli) evalCmd() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:   "eval MODEL.onnx",
		Short: "Measure a model on a data set",
		Long: `Measures a classifier on the test or the training part of a data set: accuracy, loss, precision, recall, F1 and the
confusion matrix (rows are true classes, columns predictions). Of a model of text it measures how well it predicts the text of a file: by default the last tenth, which
training keeps for validation; --split train takes what is before it, --split all the whole file.`,
		Example: "  weft eval lenet.onnx --data ./mnist\n  weft eval lenet.onnx --data ./mnist --split train --json\n  weft eval char-gpt.onnx --data shakespeare.txt",
		Args:    exactArgs(1, "a model file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.eval(cmd.Context(), args[0], f)
		},
	}
	f.data.register(cmd)
	cmd.Flags().StringVar(&f.split, "split", "test", "part of the data: test or train; for texts also all")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "of the built-in digits")
	cmd.Flags().IntVar(&f.threads, "threads", 0, "threads to compute with (0: all processors)")
	cmd.Flags().StringVar(&f.profile, "profile", "", profileUsage)
	return cmd
}

// classResult is what is known of one class.
type classResult struct {
	Class     string  `json:"class"`
	Precision float64 `json:"precision"`
	Recall    float64 `json:"recall"`
	F1        float64 `json:"f1"`
	Support   int     `json:"support"`
}

type evalResult struct {
	Model     string        `json:"model"`
	Data      string        `json:"data"`
	Split     string        `json:"split"`
	Images    int           `json:"images"`
	Accuracy  float64       `json:"accuracy"`
	Loss      float64       `json:"loss"`
	Precision float64       `json:"precision"`
	Recall    float64       `json:"recall"`
	F1        float64       `json:"f1"`
	PerClass  []classResult `json:"per_class"`
	Confusion [][]int       `json:"confusion_matrix"`
}

func (c *cli) eval(ctx context.Context, path string, f evalFlags) (err error) {
	defer tensor.Catch(&err)
	if f.split != "test" && f.split != "train" && f.split != "all" {
		return usagef("--split must be test or train, for texts also all, not %q", f.split)
	}
	g, store, err := loadModel(path)
	if err != nil {
		return err
	}
	if text.Generates(g) {
		return c.evalText(ctx, path, g, store, f)
	}
	if f.split == "all" {
		return usagef("--split all is for models of text; %s is none", path)
	}
	shape, classes, err := classifier(path, g)
	if err != nil {
		return err
	}
	s, err := f.data.open(f.seed, shape, classes)
	if err != nil {
		return err
	}
	if s.note != "" {
		fmt.Fprintln(c.stderr, s.note)
	}
	src := s.test
	if f.split == "train" {
		src = s.train
	}
	if src == nil {
		return fmt.Errorf("--data %s holds no %s samples", f.data.path, f.split)
	}
	if spec := src.Spec(); !slices.Equal(spec.Shape, shape) || spec.Classes != classes {
		return fmt.Errorf("%s takes samples %v of %d classes, the data has samples %v of %d classes", path, shape, classes, spec.Shape, spec.Classes)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	var res *train.Result
	err = c.profiled(rt, f.profile, func() (err error) {
		res, err = train.Evaluate(ctx, rt, g, store, src)
		return err
	})
	if err != nil {
		return err
	}
	out := summarize(res, src)
	out.Model, out.Data, out.Split = path, s.kind, f.split
	if c.json {
		c.printJSON(out)
		return nil
	}
	out.print(c.stdout)
	return nil
}

func summarize(res *train.Result, src data.Source) evalResult {
	m := res.Confusion.Macro()
	out := evalResult{Images: res.Confusion.Total(), Accuracy: res.Confusion.Accuracy(), Loss: res.Loss, Precision: m.Precision, Recall: m.Recall, F1: m.F1, Confusion: res.Confusion.Result()}
	names := src.Spec().Names
	for i, s := range res.Confusion.PerClass() {
		name := strconv.Itoa(i)
		if i < len(names) {
			name = names[i]
		}
		support := 0
		for _, n := range out.Confusion[i] {
			support += n
		}
		out.PerClass = append(out.PerClass, classResult{name, s.Precision, s.Recall, s.F1, support})
	}
	return out
}

func (r evalResult) print(w io.Writer) {
	fmt.Fprintf(w, "accuracy %.2f %%  loss %.4f  precision %.4f  recall %.4f  F1 %.4f (macro)  on %d images\n\n", 100*r.Accuracy, r.Loss, r.Precision, r.Recall, r.F1, r.Images)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "class\tprecision\trecall\tF1\timages\t|\t")
	for _, p := range r.PerClass {
		fmt.Fprintf(t, "%s\t", p.Class)
	}
	fmt.Fprintln(t)
	for i, p := range r.PerClass {
		fmt.Fprintf(t, "%s\t%.4f\t%.4f\t%.4f\t%d\t|\t", p.Class, p.Precision, p.Recall, p.F1, p.Support)
		for _, n := range r.Confusion[i] {
			fmt.Fprintf(t, "%d\t", n)
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}
