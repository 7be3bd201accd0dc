package main

import (
	"context"
	"fmt"
	"math"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/text"
)

type evalTextResult struct {
	Model      string  `json:"model"`
	Data       string  `json:"data"`
	Split      string  `json:"split"`
	Characters int     `json:"characters"`
	Loss       float64 `json:"loss"`
	Bits       float64 `json:"bits_per_character"`
	Perplexity float64 `json:"perplexity"`
	Accuracy   float64 `json:"accuracy"`
}

// evalText measures how well a language model predicts a text.
func (c *cli) evalText(ctx context.Context, path string, g *graph.Graph, store *graph.Store, f evalFlags) error {
	if f.data.path == "" {
		return usagef("%s predicts text: name a file with --data", path)
	}
	part, err := readText(f.data.path)
	if err != nil {
		return err
	}
	if f.split != "all" {
		first, last := splitText(part, heldOut)
		if part = last; f.split == "train" {
			part = first
		}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: f.threads})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		return err
	}
	defer p.Close()
	gen, err := text.NewGenerator(p, scoreStreams, text.Sampling{})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	ids, err := gen.Vocabulary.Encode(part)
	if err != nil {
		return fmt.Errorf("--data %s: %w", f.data.path, err)
	}
	s, err := gen.Score(ctx, ids)
	if err != nil {
		return fmt.Errorf("--data %s: %w", f.data.path, err)
	}
	out := evalTextResult{Model: path, Data: f.data.path, Split: f.split, Characters: s.Tokens, Loss: s.Loss, Bits: s.Loss / math.Ln2, Perplexity: math.Exp(s.Loss), Accuracy: s.Accuracy}
	if c.json {
		c.printJSON(out)
		return nil
	}
	fmt.Fprintf(c.stdout, "loss %.4f nats/character (%.3f bits)  perplexity %.3f  accuracy %.2f %%  on %d characters\n", out.Loss, out.Bits, out.Perplexity, 100*out.Accuracy, out.Characters)
	return nil
}
