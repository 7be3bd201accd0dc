package text

import (
	"math"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/tensor"
)

// Generator writes with a language model: it reads tokens, keeps the state that they lead to, and draws what comes next.
//
// A model with a bounded context forgets: when the context is full, the generator has it read the later half of it again, as a beginning, and goes on. So the
// next token depends on the last context/2 to context tokens, the same ones however they came.
type Generator struct {
	Vocabulary *Vocabulary
	description
	prog    *compile.Program
	n       int // sequences side by side
	in      []*tensor.Tensor
	out     []*tensor.Tensor // where the program writes the states' successors
	held    []heldState
	one     []int64 // the token that Next draws
	shape   [2]int  // of the tokens
	again   []int64 // tokens that are read again, and a piece of them
	part    []int64
	dims    []int     // of a state
	start   []int64   // of one element
	recent  [][]int64 // the tokens of each sequence that led to the state, where the context is bounded
	logits  []float32
	sampler sampler
}

// heldState is a state in two pieces of memory in turns: the program reads one and writes its successor to the other.
type heldState struct {
	t   [2]*tensor.Tensor
	mem [2][]byte
	at  int // which one holds the state
}

// room makes t[k] a tensor of the shape, of any contents.
func (h *heldState) room(k int, shape []int) *tensor.Tensor {
	size := 4 * tensor.Size(shape)
	if len(h.mem[k]) < size {
		h.mem[k] = tensor.New(tensor.Float32, size/2).Bytes() // twice as much
	}
	h.t[k].RewrapAs(shape, h.mem[k][:size])
	return h.t[k]
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
	g = &Generator{prog: p, n: sequences, sampler: newSampler(s), start: make([]int64, 1), recent: make([][]int64, sequences)}
	if g.description, err = describe(p.Graph()); err != nil {
		return nil, err
	}
	g.Vocabulary = g.vocabulary
	g.in = make([]*tensor.Tensor, len(p.Graph().Inputs))
	g.out = make([]*tensor.Tensor, len(p.Graph().Outputs))
	g.one = make([]int64, 1)
	g.held = make([]heldState, len(g.states))
	for i := range g.held {
		g.held[i].t = [2]*tensor.Tensor{tensor.New(tensor.Float32, 0), tensor.New(tensor.Float32, 0)}
	}
	g.in[0] = tensor.New(tensor.Int64, 0)
	if g.description.start > 0 {
		g.in[g.description.start] = tensor.From(g.start, 1)
	}
	g.Reset()
	return g, nil
}

// Reset forgets everything that was read.
func (g *Generator) Reset() {
	for i := range g.recent {
		g.recent[i] = g.recent[i][:0]
	}
	g.begin()
	g.logits = nil
}

// begin makes the state that of no tokens.
func (g *Generator) begin() {
	g.start[0] = 0
	for i, s := range g.states {
		g.dims = g.dims[:0]
		for _, d := range s.shape {
			switch d {
			case batchDim:
				d = g.n
			case pastDim:
				d = 0
			}
			g.dims = append(g.dims, d)
		}
		h := &g.held[i]
		g.in[s.in] = h.room(h.at, g.dims)
		clear(g.in[s.in].Bytes())
	}
}

// take returns how many of rest tokens the next run takes, after making room for one at least.
func (g *Generator) take(rest int) (int, error) {
	t := min(rest, readAtOnce)
	if g.context == 0 {
		return t, nil
	}
	half := g.context / 2
	if len(g.recent[0]) == g.context {
		again, part := g.again[:0], g.part
		for i, r := range g.recent {
			again = append(again, r[g.context-half:]...)
			g.recent[i] = r[:0]
		}
		g.begin()
		for at := 0; at < half; {
			k := min(half-at, readAtOnce)
			part = part[:0]
			for i := range g.n {
				part = append(part, again[i*half+at:][:k]...)
			}
			if _, err := g.run(part, k); err != nil {
				return 0, err
			}
			at += k
		}
		g.again, g.part = again, part
	}
	return min(t, g.context-len(g.recent[0])), nil
}

// run reads [n, t] tokens, as many as take allows, and returns their logits [n, t, vocabulary], valid until the next run.
func (g *Generator) run(tokens []int64, t int) ([]float32, error) {
	g.shape = [2]int{g.n, t}
	g.in[0].RewrapAs(g.shape[:], tensor.AsBytes(tokens))
	types, err := g.prog.Outputs(g.in...)
	if err != nil {
		return nil, err
	}
	for i, s := range g.states {
		if g.out[s.out] = nil; types != nil && types[s.out].DType == tensor.Float32 {
			h := &g.held[i]
			g.out[s.out] = h.room(1-h.at, types[s.out].Shape)
		}
	}
	out, err := g.prog.RunWith(g.in, compile.RunOptions{Outputs: g.out})
	if err != nil {
		return nil, err
	}
	for i, s := range g.states {
		h := &g.held[i]
		h.at = 1 - h.at
		if g.in[s.in] = h.t[h.at]; g.out[s.out] == nil { // its shape depends on data
			tensor.CopyTo(h.room(h.at, out[s.out].Shape()), out[s.out])
		}
	}
	g.start[0] += int64(t)
	if g.context > 0 {
		for i := range g.recent {
			g.recent[i] = append(g.recent[i], tokens[i*t:(i+1)*t]...)
		}
	}
	return out[0].Float32s(), nil
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
		t, err := g.take(len(ids))
		if err != nil {
			return err
		}
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
	g.one[0] = id
	return id, g.ReadTokens(g.one)
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
		t, err := g.take(length - 1 - at)
		if err != nil {
			return s, err
		}
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
