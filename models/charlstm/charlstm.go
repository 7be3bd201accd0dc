// Package charlstm is a character-level language model of long short-term memory (after Karpathy, "The Unreasonable Effectiveness of Recurrent
// Neural Networks", 2015): vectors of characters, LSTM layers, logits of the next character.
package charlstm

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/tensor"
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

// Apply returns logits [N, T, Vocabulary] of tokens [N, T], beginning with states of zeros.
func (m Model) Apply(c *nn.Context, tokens *graph.Value) *graph.Value {
	logits, _, _ := m.run(c, tokens, nn.RNNInput{})
	return logits
}

// Continue is Apply after the states "hidden" and "cell", [N, Layers, Units].
func (m Model) Continue(c *nn.Context, tokens *graph.Value) (logits *graph.Value, state []text.State) {
	n := c.G.Symbol("N")
	h0, c0 := c.G.Input("hidden", tensor.Float32, n, m.Layers, m.Units), c.G.Input("cell", tensor.Float32, n, m.Layers, m.Units)
	logits, h, cell := m.run(c, tokens, nn.RNNInput{H0: h0, C0: c0})
	return logits, []text.State{{In: h0, Next: h}, {In: c0, Next: cell}}
}

func (m Model) run(c *nn.Context, tokens *graph.Value, in nn.RNNInput) (logits, h, cell *graph.Value) {
	x := nn.Embedding{Vocab: m.Vocabulary, Dim: m.Embedding, Name: "embedding"}.Apply(c, tokens)
	y, h, cell := nn.LSTM{Units: m.Units, Layers: m.Layers, Dropout: m.Dropout, ForgetBias: 1, Name: "lstm"}.Run(c, x, in)
	y = nn.Dropout{Rate: m.Dropout}.Apply(c, y)
	return nn.Dense{Units: m.Vocabulary, Init: nn.GlorotUniform, Name: "logits"}.Apply(c, y), h, cell
}
