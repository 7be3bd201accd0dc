package text

import (
	"math"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/tensor"
)

// Generator writes with a language model: it reads tokens, keeps the state that they lead to, and draws what comes next.
type Generator struct {
	Vocabulary *Vocabulary
	prog       *compile.Program
	context    int
	states     []State
	n          int // sequences side by side
	tokens     *tensor.Tensor
	in         []*tensor.Tensor
	own        [][]byte // memory of the states
	logits     []float32
	sampler    sampler
}

// readAtOnce bounds how many tokens one run of the program takes.
const readAtOnce = 128

// NewGenerator returns a generator over a language model, a program of a graph as [InferenceGraph] makes them, for so many sequences side by side. It
// begins with no past. The program stays the caller's; several generators can share it, in turns.
func NewGenerator(p *compile.Program, sequences int, s Sampling) (g *Generator, err error) {
	if sequences < 1 {
		return nil, tensor.Err("text", "there must be one sequence at least, not ", sequences)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	g = &Generator{prog: p, n: sequences, sampler: newSampler(s)}
	if g.Vocabulary, g.context, g.states, err = described(p.Graph()); err != nil {
		return nil, err
	}
	g.in = make([]*tensor.Tensor, 1+len(g.states))
	g.own = make([][]byte, len(g.states))
	g.Reset()
	return g, nil
}

// Reset forgets everything that was read.
func (g *Generator) Reset() {
	for i, s := range g.states {
		shape := g.shape(s, 0)
		g.in[1+i] = tensor.New(tensor.Float32, shape...)
	}
	g.logits = nil
}

func (g *Generator) shape(s State, past int) []int {
	shape := make([]int, len(s.Shape))
	for i, d := range s.Shape {
		switch d {
		case Batch:
			d = g.n
		case Past:
			d = past
		}
		shape[i] = d
	}
	return shape
}

// chunk returns how many tokens one run may take so that nothing but the bound on the past is lost.
func (g *Generator) chunk() int {
	if g.context > 0 {
		return max(min(readAtOnce, g.context/2), 1)
	}
	return readAtOnce
}

// run reads [n, t] tokens, t at most chunk, and returns their logits [n, t, vocabulary], valid until the next run.
func (g *Generator) run(tokens []int64, t int) ([]float32, error) {
	g.tokens = tensor.From(tokens, g.n, t)
	g.in[0] = g.tokens
	g.crop(t)
	out, err := g.prog.Run(g.in...)
	if err != nil {
		return nil, err
	}
	for i := range g.states {
		src := out[1+i].Contiguous()
		b := src.Bytes()
		if len(g.own[i]) < len(b) {
			g.own[i] = tensor.New(tensor.Float32, 2*src.Len()).Bytes()
		}
		copy(g.own[i], b)
		g.in[1+i] = tensor.Wrap(tensor.Float32, append([]int(nil), src.Shape()...), g.own[i][:len(b)])
	}
	return out[0].Float32s(), nil
}

// crop drops the oldest of the past where, with t tokens more, there would be more than the context.
func (g *Generator) crop(t int) {
	for i, s := range g.states {
		axis := s.pastAxis()
		if axis < 0 {
			continue
		}
		x := g.in[1+i]
		have, keep := x.Shape()[axis], g.context-t
		if have <= keep {
			continue
		}
		g.in[1+i] = x.Slice(axis, have-keep, have, 1).Clone()
	}
}

// Read reads a text that continues what was read before. One sequence is read; see [Generator.Score] for several.
func (g *Generator) Read(text string) error {
	ids, err := g.Vocabulary.Encode(text)
	if err != nil {
		return err
	}
	return g.ReadTokens(ids)
}

// ReadTokens is Read for tokens.
func (g *Generator) ReadTokens(ids []int64) (err error) {
	defer tensor.Catch(&err)
	if g.n != 1 {
		return tensor.Err("text", "this generator has ", g.n, " sequences; a text is read by one")
	}
	v := g.Vocabulary.Len()
	for len(ids) > 0 {
		t := min(len(ids), g.chunk())
		out, err := g.run(ids[:t], t)
		if err != nil {
			return err
		}
		g.logits = append(g.logits[:0], out[(t-1)*v:t*v]...)
		ids = ids[t:]
	}
	return nil
}

// Next draws a token from what the model expects after everything read, reads it and returns it.
func (g *Generator) Next() (int64, error) {
	if g.logits == nil {
		return 0, tensor.Err("text", "nothing was read yet: a model continues a text, give it one character at least")
	}
	id, err := g.sampler.next(g.logits)
	if err != nil {
		return 0, err
	}
	return id, g.ReadTokens([]int64{id})
}

// Score is how well a model predicts a text.
type Score struct {
	Loss     float64 // the mean of -log p(token | all tokens before it, within the model's context), in nats a token
	Accuracy float64 // how often the likeliest token was the one
	Tokens   int
}

// Score measures the model on tokens, all but the first. They are cut into as many pieces of equal length as the generator has sequences, read
// side by side, each from no past; what the division leaves over, fewer tokens than pieces, is not read. It forgets what was read before.
func (g *Generator) Score(ctx data.Context, ids []int64) (s Score, err error) {
	defer tensor.Catch(&err)
	g.Reset()
	defer g.Reset()
	length, v := len(ids)/g.n, g.Vocabulary.Len()
	if length < 2 {
		return s, tensor.Err("text", "a text of ", len(ids), " tokens cannot be scored in ", g.n, " pieces; each needs two")
	}
	for i, id := range ids {
		if id < 0 || id >= int64(v) {
			return s, tensor.Err("text", "token ", i, " is ", id, ", outside 0 to ", v-1)
		}
	}
	right := 0
	for at := 0; at < length-1; {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		t := min(g.chunk(), length-1-at)
		chunk := make([]int64, 0, g.n*t)
		for q := range g.n {
			chunk = append(chunk, ids[q*length+at:][:t]...)
		}
		out, err := g.run(chunk, t)
		if err != nil {
			return s, err
		}
		for q := range g.n {
			for k := range t {
				loss, hit := surprise(out[(q*t+k)*v:][:v], ids[q*length+at+k+1])
				if s.Loss += loss; hit {
					right++
				}
			}
		}
		s.Tokens += g.n * t
		at += t
	}
	s.Loss /= float64(s.Tokens)
	s.Accuracy = float64(right) / float64(s.Tokens)
	if math.IsNaN(s.Loss) {
		return s, tensor.Err("text", "the loss is NaN; the model's weights are broken").With(tensor.CodeNaN)
	}
	return s, nil
}

// surprise is -log softmax(logits)[id]; hit tells that no logit is larger.
func surprise(logits []float32, id int64) (loss float64, hit bool) {
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range logits {
		sum += detmath.Exp(float64(v) - float64(top))
	}
	return detmath.Log(sum) - (float64(logits[id]) - float64(top)), logits[id] == top
}
