// Package charlstm is a character-level language model of long short-term memory (after Karpathy, "The Unreasonable Effectiveness of Recurrent
// Neural Networks", 2015): vectors of characters, LSTM layers, logits of the next character.
package charlstm

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/text"
)

// Config is the size of the network.
type Config struct {
	Vocabulary int
	Embedding  int // numbers that stand for a character
	Units      int // of each layer
	Layers     int
	Dropout    float32 // between layers and before the logits, while training
}

// Model is a network of the given size.
type Model struct{ Config }

// New returns the network of "weft train char-lstm"; windows may have any length.
func New(vocabulary, _ int) text.Model {
	return Model{Config{Vocabulary: vocabulary, Embedding: 64, Units: 256, Layers: 2, Dropout: 0.1}}
}

// Context is 0: what was read is in the state, however long ago.
func (m Model) Context() int { return 0 }

// State is the hidden and the cell state of all layers.
func (m Model) State() []text.State {
	shape := []int{text.Batch, m.Layers, m.Units}
	return []text.State{{Name: "hidden", Shape: shape}, {Name: "cell", Shape: shape}}
}

// Apply returns logits [N, T, Vocabulary] of tokens [N, T], beginning with states of zeros.
func (m Model) Apply(c *nn.Context, tokens *graph.Value) *graph.Value {
	logits, _ := m.Continue(c, tokens, nil)
	return logits
}

// Continue is Apply after the given states, zeros when there are none.
func (m Model) Continue(c *nn.Context, tokens *graph.Value, state []*graph.Value) (logits *graph.Value, next []*graph.Value) {
	x := nn.Embedding{Vocab: m.Vocabulary, Dim: m.Embedding, Name: "embedding"}.Apply(c, tokens)
	var in nn.RNNInput
	if state != nil {
		in.H0, in.C0 = state[0], state[1]
	}
	y, h, cell := nn.LSTM{Units: m.Units, Layers: m.Layers, Dropout: m.Dropout, ForgetBias: 1, Name: "lstm"}.Run(c, x, in)
	y = nn.Dropout{Rate: m.Dropout}.Apply(c, y)
	return nn.Dense{Units: m.Vocabulary, Init: nn.GlorotUniform, Name: "logits"}.Apply(c, y), []*graph.Value{h, cell}
}
