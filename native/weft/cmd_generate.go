package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/text"
)

type generateFlags struct {
	prompt   string
	length   int
	sampling text.Sampling
	threads  int
}

func (c *cli) generateCmd() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate MODEL.onnx",
		Short: "Continue a text with a language model",
		Long: `Continues a text, character by character, with a model that "weft train char-lstm" or "weft train char-gpt" has made. What is printed does not
begin with the prompt. The same seed gives the same text.`,
		Example: `  weft generate char-gpt.onnx --prompt ROMEO:
  weft generate char-lstm.onnx --prompt JULIET: --length 200 --temperature 0.5 --json`,
		Args: exactArgs(1, "a model file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.generate(cmd.Context(), args[0], f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.prompt, "prompt", "\n", `text to continue; "-" reads it from standard input`)
	fl.IntVar(&f.length, "length", 500, "characters to write")
	fl.Float64Var(&f.sampling.Temperature, "temperature", 0.8, "below 1 likely characters become likelier, above 1 less likely; 0 always takes the likeliest")
	fl.IntVar(&f.sampling.TopK, "top-k", 0, "choose among the K likeliest characters (0: all)")
	fl.Float64Var(&f.sampling.TopP, "top-p", 0, "choose among the likeliest characters that together have this probability (0: all)")
	fl.Uint64Var(&f.sampling.Seed, "seed", 1, "of the choices")
	fl.IntVar(&f.threads, "threads", 1, "threads to compute with (0: all processors); one character is little work")
	return cmd
}

// maxPrompt bounds a prompt read from standard input.
const maxPrompt = 16 << 20

type generateResult struct {
	Model               string  `json:"model"`
	Prompt              string  `json:"prompt"`
	Text                string  `json:"text"`
	Characters          int     `json:"characters"`
	CharactersPerSecond float64 `json:"characters_per_second"`
}

func (c *cli) generate(ctx context.Context, path string, f generateFlags) (err error) {
	defer tensor.Catch(&err)
	switch {
	case f.length < 1:
		return usagef("--length must be at least 1, not %d", f.length)
	case !(f.sampling.Temperature >= 0 && f.sampling.Temperature <= 1e6):
		return usagef("--temperature must be a number of 0 or more, not %v", f.sampling.Temperature)
	case f.sampling.TopK < 0:
		return usagef("--top-k must be 0 or more, not %d", f.sampling.TopK)
	case !(f.sampling.TopP >= 0 && f.sampling.TopP <= 1):
		return usagef("--top-p must be 0 to 1, not %v", f.sampling.TopP)
	case f.threads < 0 || f.threads > 1024:
		return usagef("--threads must be 0 to 1024, not %d", f.threads)
	}
	f.sampling.Greedy = f.sampling.Temperature == 0
	if f.prompt == "-" {
		b, err := io.ReadAll(io.LimitReader(c.stdin, maxPrompt+1))
		if err != nil {
			return err
		}
		if len(b) > maxPrompt {
			return fmt.Errorf("the prompt is larger than %d MiB", maxPrompt>>20)
		}
		f.prompt = string(b)
	}
	if f.prompt == "" {
		return usagef("--prompt must have one character at least")
	}
	g, store, err := loadModel(path)
	if err != nil {
		return err
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer p.Close()
	gen, err := text.NewGenerator(p, 1, f.sampling)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	start := time.Now()
	if err := gen.Read(f.prompt); err != nil {
		return fmt.Errorf("--prompt: %w", err)
	}
	out := generateResult{Model: path, Prompt: f.prompt}
	var all []int64
	for range f.length {
		if err := ctx.Err(); err != nil {
			break
		}
		id, err := gen.Next()
		if err != nil {
			return err
		}
		all = append(all, id)
		if !c.json {
			if _, err := io.WriteString(c.stdout, gen.Vocabulary.Decode([]int64{id})); err != nil {
				return err
			}
		}
	}
	out.Text, out.Characters = gen.Vocabulary.Decode(all), len(all)
	out.CharactersPerSecond = float64(len(all)) / max(time.Since(start).Seconds(), 1e-9)
	if c.json {
		c.printJSON(out)
		return ctx.Err()
	}
	fmt.Fprintln(c.stdout)
	if isTerminal(c.stderr) {
		fmt.Fprintf(c.stderr, "%.0f characters/s\n", out.CharactersPerSecond)
	}
	return ctx.Err()
}
