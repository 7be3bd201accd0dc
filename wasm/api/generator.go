package api

import (
	"github.com/weft-ml/weft/core/text"
)

// generator writes a text with a language model, some of it in every call.
type generator struct {
	model *model
	gen   *text.Generator
	rest  []int64 // of the prompt that is still to be read
	left  int     // tokens still to be written
}

func (g *generator) of() *model { return g.model }

func (g *generator) free(*Server) { g.model.uses-- }

// readPerSlice is how many tokens of a prompt are read between two looks at the clock.
const readPerSlice = 32

// generatorNew begins to continue a prompt.
func (s *Server) generatorNew(a val) error {
	id := s.unused(a.id("id"))
	m := lookup[*model](s, a.id("model"), "model")
	temperature := a.float("temperature", 1)
	seed := a.seed(s.seed)
	gen, err := text.NewGenerator(m.prog, 1, text.Sampling{Temperature: temperature, Greedy: temperature == 0, TopK: a.count("topK", 0, 0), TopP: a.float("topP", 0), Seed: seed})
	if err != nil {
		return err
	}
	g := &generator{model: m, gen: gen, left: a.count("maxTokens", 500, 1)}
	if g.rest, err = gen.Vocabulary.Encode(a.text("prompt", "")); err != nil {
		return err
	}
	if len(g.rest) == 0 {
		fail(codeArgument, "generate", "the prompt is empty; a model continues a text, give it one character at least")
	}
	m.uses++
	s.add(id, g)
	s.w.null()
	return nil
}

// generatorRun reads and writes until the time is up, and writes the text that there is more.
func (s *Server) generatorRun(a val) error {
	g := lookup[*generator](s, a.id("id"), "generator")
	more := s.deadline(a)
	var ids []int64
	for first := true; (first || more()) && g.left > 0; first = false {
		if n := min(len(g.rest), readPerSlice); n > 0 {
			if err := g.gen.ReadTokens(g.rest[:n]); err != nil {
				return err
			}
			g.rest = g.rest[n:]
			continue
		}
		t, err := g.gen.Next()
		if err != nil {
			return err
		}
		ids = append(ids, t)
		g.left--
	}
	s.w.fields(2)
	s.w.key("text")
	s.w.str(g.gen.Vocabulary.Decode(ids))
	s.w.key("done")
	s.w.bool(g.left == 0)
	return nil
}
