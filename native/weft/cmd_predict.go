package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data/imagefolder"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/native/internal/picture"
)

func (c *cli) predictCmd() *cobra.Command {
	var f predictFlags
	cmd := &cobra.Command{
		Use:   "predict MODEL.onnx IMAGE...",
		Short: "Classify images",
		Long: `Classifies PNG and JPEG images of any size, dark or light ink, one line each. For models of 28x28 grey images a picture
is prepared as MNIST's were: cropped to the ink, scaled to 20x20, its centre of mass in the middle of 28x28. --raw only resizes it. "-" reads one image from standard input.`,
		Example: "  weft predict lenet.onnx digit.png\n  weft predict lenet.onnx --json *.png",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usagef("%s takes a model file and one or more images; see \"%s --help\"", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.predict(cmd.Context(), args[0], args[1:], f)
		},
	}
	cmd.Flags().IntVar(&f.threads, "threads", 0, "threads to compute with (0: all processors)")
	cmd.Flags().BoolVar(&f.raw, "raw", false, "only resize the images, ink 1 on 0 or colour as they are")
	cmd.Flags().StringVar(&f.profile, "profile", "", profileUsage)
	return cmd
}

type predictFlags struct {
	threads int
	raw     bool
	profile string
}

type prediction struct {
	File          string    `json:"file"`
	Digit         int       `json:"digit"`
	Probabilities []float64 `json:"probabilities"`
}

// maxImage bounds an image file.
const maxImage = 64 << 20

func (c *cli) predict(ctx context.Context, path string, images []string, f predictFlags) (err error) {
	defer tensor.Catch(&err)
	g, store, err := loadModel(path)
	if err != nil {
		return err
	}
	class, err := picture.Of(g)
	if err != nil {
		return fmt.Errorf("%s %w", path, err)
	}
	if !class.Pictures() {
		return fmt.Errorf("%s takes samples %v; images are [1 H W] or [3 H W]", path, class.Shape)
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return err
	}
	return c.profiled(rt, f.profile, func() error { return c.predictAll(ctx, p, images, class, f.raw) })
}

func (c *cli) predictAll(ctx context.Context, p *compile.Program, images []string, class picture.Classifier, raw bool) error {
	x := tensor.New(tensor.Float32, append([]int{1}, class.Shape...)...)
	var failed []string
	for _, file := range images {
		if err := ctx.Err(); err != nil {
			return interrupted{"stopped before " + file}
		}
		if err := c.readImage(x.Float32s(), file, class, raw); err != nil {
			fmt.Fprintf(c.stderr, "weft: %s: %s\n", file, strings.TrimPrefix(err.Error(), "weft: "))
			failed = append(failed, file)
			continue
		}
		out, err := p.Run(x)
		if err != nil {
			return err
		}
		pr := prediction{File: file}
		if pr.Digit, pr.Probabilities, err = class.Best(out[0].Float32s()); err != nil {
			return err
		}
		if c.json {
			c.printJSON(pr)
		} else {
			fmt.Fprintf(c.stdout, "%s: %d (%.1f %%)\n", file, pr.Digit, 100*pr.Probabilities[pr.Digit])
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d of %d images could not be read", len(failed), len(images))
	}
	return nil
}

// readImage prepares one picture for the model.
func (c *cli) readImage(dst []float32, file string, class picture.Classifier, raw bool) error {
	var r io.Reader = c.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxImage+1))
	if err != nil {
		return err
	}
	if len(b) > maxImage {
		return fmt.Errorf("larger than %d MiB", maxImage>>20)
	}
	return class.Prepare(dst, b, imagefolder.DefaultMaxPixels, raw)
}
