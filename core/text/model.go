package text

import (
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
)

// Dimensions of a State that are not fixed.
const (
	Batch = -1 // as many as there are sequences
	Past  = -2 // as many as tokens have gone by, at most the model's context
)

// State is what a model hands from one call to the next, for all sequences: a recurrent network's hidden state, a transformer's keys and values.
type State struct {
	Name  string
	Shape []int
}

// pastAxis returns the axis that grows, -1 when none does.
func (s State) pastAxis() int {
	for i, d := range s.Shape {
		if d == Past {
			return i
		}
	}
	return -1
}

// Model is a network that predicts the next token of sequences.
type Model interface {
	// Apply adds the network over tokens [N, T] (int64) that nothing precedes and returns logits [N, T, vocabulary].
	Apply(c *nn.Context, tokens *graph.Value) *graph.Value
	// State lists what goes from one call to the next.
	State() []State
	// Continue adds the network over tokens that follow those which led to the state.
	Continue(c *nn.Context, tokens *graph.Value, state []*graph.Value) (logits *graph.Value, next []*graph.Value)
	// Context is the longest past that the model can use, 0 when there is no bound.
	Context() int
}

// Keys of a language model's metadata, and the suffix that makes of a state's name that of its successor among the outputs.
const (
	metaTask       = "weft.task"
	metaVocabulary = "weft.vocabulary"
	metaContext    = "weft.context"
	taskText       = "text-generation"
	nextSuffix     = "_next"
)

// InferenceGraph returns a model as a graph to be saved and to generate with: inputs "tokens" [N, T] and every state, outputs "logits" [N, T, vocabulary] and every state's
// successor, under its name with "_next" behind it. The vocabulary is in the metadata. Any runtime of ONNX can use it.
func InferenceGraph(name string, m Model, v *Vocabulary, o nn.Options) (g *graph.Graph, err error) {
	defer tensor.Catch(&err)
	g = graph.New()
	g.Name = name
	n := g.Symbol("N")
	tokens := g.Input("tokens", tensor.Int64, n, g.Symbol("T"))
	var state []*graph.Value
	for _, s := range m.State() {
		shape := make([]int, len(s.Shape))
		for i, d := range s.Shape {
			switch d {
			case Batch:
				d = n
			case Past:
				d = g.Symbol("P")
			}
			shape[i] = d
		}
		state = append(state, g.Input(s.Name, tensor.Float32, shape...))
	}
	o.Training = false
	logits, next := m.Continue(nn.NewContext(g, o), tokens, state)
	logits.Name = "logits"
	g.Output(logits)
	for i, s := range m.State() {
		next[i].Name = s.Name + nextSuffix
		g.Output(next[i])
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

// described reads back what InferenceGraph wrote.
func described(g *graph.Graph) (v *Vocabulary, context int, states []State, err error) {
	bad := func(parts ...any) error { return tensor.Err("text", parts...).With(tensor.CodeFormat) }
	if !Generates(g) {
		return nil, 0, nil, bad("the model is no language model: its metadata lacks ", metaTask, " = ", taskText, "; \"weft train char-lstm\" makes one")
	}
	if v, err = ParseVocabulary(meta(g, metaVocabulary)); err != nil {
		return nil, 0, nil, err
	}
	if context, err = strconv.Atoi(meta(g, metaContext)); err != nil || context < 0 || context == 1 {
		return nil, 0, nil, bad("the model's metadata has an impossible ", metaContext, ": ", strconv.Quote(meta(g, metaContext)))
	}
	if len(g.Inputs) == 0 || len(g.Outputs) != len(g.Inputs) {
		return nil, 0, nil, bad("a language model has tokens and states as inputs, logits and as many states as outputs; this one has ", len(g.Inputs), " inputs and ", len(g.Outputs), " outputs")
	}
	if in := g.Inputs[0]; in.DType != tensor.Int64 || !in.HasRank || len(in.Shape) != 2 {
		return nil, 0, nil, bad("the first input of a language model is tokens, int64 [N, T]")
	}
	if out := g.Outputs[0]; out.DType != tensor.Float32 || !out.HasRank || len(out.Shape) != 3 || out.Shape[2] != v.Len() {
		return nil, 0, nil, bad("the first output of a language model is logits, float32 [N, T, ", v.Len(), "]")
	}
	n, p := g.Symbol("N"), g.Symbol("P")
	for i, in := range g.Inputs[1:] {
		if out := g.Outputs[i+1]; in.DType != tensor.Float32 || !in.HasRank || strings.TrimSuffix(out.Name, nextSuffix) != in.Name {
			return nil, 0, nil, bad("state ", strconv.Quote(in.Name), " must be float32, and output ", i+1, " its successor ", strconv.Quote(in.Name+nextSuffix))
		}
		s := State{Name: in.Name, Shape: make([]int, len(in.Shape))}
		grows := 0
		for k, d := range in.Shape {
			switch {
			case d == n:
				d = Batch
			case d == p:
				d, grows = Past, grows+1
			case d < 1:
				return nil, 0, nil, bad("dimension ", k, " of state ", strconv.Quote(in.Name), " is not known")
			}
			s.Shape[k] = d
		}
		if grows > 1 || grows == 1 && context == 0 {
			return nil, 0, nil, bad("state ", strconv.Quote(in.Name), " may grow along one axis, up to a context that the metadata states")
		}
		states = append(states, s)
	}
	return v, context, states, nil
}
