package text

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
)

// State is what a model hands from one call to the next, for all sequences: a recurrent network's hidden state, a transformer's keys and values.
type State struct {
	In   *graph.Value // an input, float32 [N, ...], in whose graph the symbol P is how many tokens led to the state
	Next *graph.Value // what it is after the call
}

// Model is a network that predicts the next token of sequences.
type Model interface {
	// Apply adds the network over tokens [N, T] (int64) that nothing precedes and returns logits [N, T, vocabulary].
	Apply(c *nn.Context, tokens *graph.Value) *graph.Value
	// Continue adds the network over tokens that follow others, which led to a state. It adds the state as inputs; a model that has to know how many
	// tokens that were asks for it as an input "start", int64 [1].
	Continue(c *nn.Context, tokens *graph.Value) (logits *graph.Value, state []State)
	// Context is how many tokens the model can have before it, those of the call included; 0 when there is no bound.
	Context() int
}

// Keys of a language model's metadata, the suffix that makes of a state's name that of its successor among the outputs, and the input that counts.
const (
	metaTask       = "weft.task"
	metaVocabulary = "weft.vocabulary"
	metaContext    = "weft.context"
	taskText       = "text-generation"
	nextSuffix     = "_next"
	startInput     = "start"
)

// InferenceGraph returns a model as a graph to be saved and to generate with: inputs "tokens" [N, T] and every state, outputs "logits" [N, T, vocabulary] and every state's
// successor, under its name with "_next" behind it. The vocabulary is in the metadata. Any runtime of ONNX can use it.
func InferenceGraph(name string, m Model, v *Vocabulary, o nn.Options) (g *graph.Graph, err error) {
	defer tensor.Catch(&err)
	g = graph.New()
	g.Name = name
	tokens := g.Input("tokens", tensor.Int64, g.Symbol("N"), g.Symbol("T"))
	o.Training = false
	logits, state := m.Continue(nn.NewContext(g, o), tokens)
	logits.Name = "logits"
	g.Output(logits)
	for _, s := range state {
		s.Next.Name = s.In.Name + nextSuffix
		g.Output(s.Next)
	}
	g.Meta = append(g.Meta, graph.MetaEntry{Key: metaTask, Value: taskText}, graph.MetaEntry{Key: metaVocabulary, Value: v.String()},
		graph.MetaEntry{Key: metaContext, Value: strconv.Itoa(m.Context())})
	return g, nil
}

func meta(g *graph.Graph, key string) string {
	for _, e := range g.Meta {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}

// Generates reports whether a graph is a language model as [InferenceGraph] makes them.
func Generates(g *graph.Graph) bool { return meta(g, metaTask) == taskText }

// Dimensions of a state's shape that are not fixed.
const (
	batchDim = -1
	pastDim  = -2
)

// description is what a graph says of the language model that it is.
type description struct {
	vocabulary *Vocabulary
	context    int
	start      int // which input counts; 0: none
	states     []stateInput
}

// stateInput is a state by the places of its input and its output.
type stateInput struct {
	in, out int
	shape   []int
}

// describe reads back what InferenceGraph wrote.
func describe(g *graph.Graph) (d description, err error) {
	bad := func(parts ...any) (description, error) {
		return description{}, tensor.Err("text", parts...).With(tensor.CodeFormat)
	}
	if !Generates(g) {
		return bad("the model is no language model: its metadata lacks ", metaTask, " = ", taskText, "; \"weft train char-lstm\" makes one")
	}
	if d.vocabulary, err = ParseVocabulary(meta(g, metaVocabulary)); err != nil {
		return d, err
	}
	if d.context, err = strconv.Atoi(meta(g, metaContext)); err != nil || d.context < 0 || d.context == 1 {
		return bad("the model's metadata has an impossible ", metaContext, ": ", strconv.Quote(meta(g, metaContext)))
	}
	if len(g.Inputs) == 0 || len(g.Outputs) == 0 {
		return bad("a language model has tokens as its first input and logits as its first output")
	}
	if in := g.Inputs[0]; in.DType != tensor.Int64 || !in.HasRank || len(in.Shape) != 2 {
		return bad("the first input of a language model is tokens, int64 [N, T]")
	}
	if out := g.Outputs[0]; out.DType != tensor.Float32 || !out.HasRank || len(out.Shape) != 3 || out.Shape[2] != d.vocabulary.Len() {
		return bad("the first output of a language model is logits, float32 [N, T, ", d.vocabulary.Len(), "]")
	}
	n, p := g.Symbol("N"), g.Symbol("P")
	out := 1
	for i, in := range g.Inputs {
		if i == 0 {
			continue
		}
		if in.Name == startInput && in.DType == tensor.Int64 && in.HasRank && tensor.SameShape(in.Shape, []int{1}) {
			d.start = i
			continue
		}
		if in.DType != tensor.Float32 || !in.HasRank || out >= len(g.Outputs) || strings.TrimSuffix(g.Outputs[out].Name, nextSuffix) != in.Name {
			return bad("input ", i, ", ", strconv.Quote(in.Name), ", of a language model must be a state, float32, and output ", out, " its successor ", strconv.Quote(in.Name+nextSuffix))
		}
		s := stateInput{in: i, out: out, shape: make([]int, len(in.Shape))}
		for k, dim := range in.Shape {
			switch {
			case dim == n:
				dim = batchDim
			case dim == p && d.context > 0:
				dim = pastDim
			case dim < 1:
				return bad("dimension ", k, " of state ", strconv.Quote(in.Name), " must be N, a number, or P where the metadata states a context")
			}
			s.shape[k] = dim
		}
		d.states = append(d.states, s)
		out++
	}
	if out != len(g.Outputs) {
		return bad("output ", strconv.Quote(g.Outputs[out].Name), " of the language model is no state's successor")
	}
	return d, nil
}
