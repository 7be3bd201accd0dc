// Package chargpt is a character-level language model of causal transformer blocks, a small GPT (Radford et al., 2018, in the form of Karpathy's nanoGPT): vectors
// of characters, blocks that normalise before they attend, logits of the next character. Positions are told by turning queries and keys.
package chargpt

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/text"
)

// Config is the size of the network.
type Config struct {
	Vocabulary int
	Window     int // characters that it can look back on
	Width      int // numbers that stand for a character
	Layers     int
	Heads      int
	Dropout    float32 // while training
}

// Model is a network of the given size.
type Model struct{ Config }

// New returns the network of "weft train char-gpt".
func New(vocabulary, window int) text.Model {
	return Model{Config{Vocabulary: vocabulary, Window: window, Width: 128, Layers: 4, Heads: 4}}
}

// Context is the window.
func (m Model) Context() int { return m.Window }

// Apply returns logits [N, T, Vocabulary] of tokens [N, T], T at most Window.
func (m Model) Apply(c *nn.Context, tokens *graph.Value) *graph.Value {
	x := nn.Embedding{Vocab: m.Vocabulary, Dim: m.Width, Init: nn.Normal(0, 0.02), Name: "embedding"}.Apply(c, tokens)
	x = nn.Dropout{Rate: m.Dropout}.Apply(c, x)
	x = nn.TransformerEncoder{Layers: m.Layers, Norm: true, Name: "block", Layer: nn.TransformerEncoderLayer{Heads: m.Heads, Activation: nn.Gelu, PreNorm: true, Causal: true, Dropout: m.Dropout,
		Attention: nn.MultiHeadAttention{Rotary: &nn.Rotary{Max: m.Window}}}}.Apply(c, x)
	return nn.Dense{Units: m.Vocabulary, Init: nn.Normal(0, 0.02), Name: "logits"}.Apply(c, x)
}

// Continue is Apply after keys and values of what came before, see [nn.KVCache].
func (m Model) Continue(c *nn.Context, tokens *graph.Value) (logits *graph.Value, state []text.State) {
	c.Cache = nn.NewKVCache(c)
	logits = m.Apply(c, tokens)
	for i, past := range c.Cache.Past {
		state = append(state, text.State{In: past, Next: c.Cache.Present[i]})
	}
	return logits, state
}
