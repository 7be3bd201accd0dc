package nn

import (
	"strconv"

	"github.com/weft-ml/weft/core/graph"
)

// TransformerEncoderLayer is self-attention followed by two dense layers, each with a residual connection and a normalisation (Vaswani et al., 2017). With Causal
// it is the block of a GPT.
type TransformerEncoderLayer struct {
	Heads      int
	Hidden     int        // units between the two dense layers; 0: 4*D
	Activation Activation // of the hidden units; nil: Relu
	PreNorm    bool       // normalise what the parts read (Xiong et al., 2020) and not their sums
	Causal     bool
	Dropout    float32 // rate after attention, hidden units and the second dense layer, while training
	Epsilon    float32 // of the normalisations; 0: 1e-5
	NoBias     bool
	Attention  MultiHeadAttention // further settings of attention; Heads and Causal above are its own
	Init       Initializer        // of the dense layers' weights; nil: GlorotUniform
	Name       string
}

// Apply is Run without masks.
func (l TransformerEncoderLayer) Apply(c *Context, x *graph.Value) *graph.Value {
	return l.Run(c, x, AttentionInput{})
}

// Run returns [N, T, D] for x of that shape; in has the mask and the lengths of self-attention. It adds the variables of NAME.attn, a [MultiHeadAttention], of NAME.norm1 and
// NAME.norm2, [LayerNorm]s, and of NAME.ffn1 and NAME.ffn2, [Dense] layers.
func (l TransformerEncoderLayer) Run(c *Context, x *graph.Value, in AttentionInput) *graph.Value {
	b := l.block(c, x, "encoder")
	if in.Key != nil || in.Value != nil {
		fail(b.what, "has self-attention only; a decoder layer takes a memory")
	}
	x = b.residual(x, "norm1", func(x *graph.Value) *graph.Value { return b.attention("attn", l.Causal).Run(c, x, in) })
	return b.residual(x, "norm2", b.feedForward)
}

// TransformerDecoderLayer is self-attention, attention to a memory (the result of an encoder) and two dense layers, each with a residual connection and a
// normalisation (Vaswani et al., 2017). Self-attention is causal.
type TransformerDecoderLayer TransformerEncoderLayer

// DecoderInput holds the operands of a decoder layer besides its input.
type DecoderInput struct {
	Memory  *graph.Value // [N, S, ...], what the encoder gave
	Self    AttentionInput
	Cross   AttentionInput // mask and lengths of the memory; Key and Value stay nil
	Forward bool           // self-attention looks at later elements too
}

// Run returns [N, T, D] for x of that shape. It adds the variables of NAME.attn and NAME.cross, [MultiHeadAttention]s, of NAME.norm1 to NAME.norm3 and of NAME.ffn1 and NAME.ffn2.
func (l TransformerDecoderLayer) Run(c *Context, x *graph.Value, in DecoderInput) *graph.Value {
	b := TransformerEncoderLayer(l).block(c, x, "decoder")
	if in.Memory == nil {
		fail(b.what, "needs a Memory")
	}
	cross := in.Cross
	cross.Key = in.Memory
	x = b.residual(x, "norm1", func(x *graph.Value) *graph.Value { return b.attention("attn", !in.Forward).Run(c, x, in.Self) })
	x = b.residual(x, "norm2", func(x *graph.Value) *graph.Value { return b.attention("cross", false).Run(c, x, cross) })
	return b.residual(x, "norm3", b.feedForward)
}

// transformerBlock is one application of a layer.
type transformerBlock struct {
	TransformerEncoderLayer
	c          *Context
	name, what string
	d          int
}

func (l TransformerEncoderLayer) block(c *Context, x *graph.Value, kind string) *transformerBlock {
	b := &transformerBlock{TransformerEncoderLayer: l, c: c, name: c.name(l.Name, kind)}
	b.what = "Transformer layer " + b.name
	b.d = dim(b.what, x, 2, 3)
	return b
}

// residual returns x + dropout(f(norm(x))), or norm(x + dropout(f(x))).
func (b *transformerBlock) residual(x *graph.Value, norm string, f func(x *graph.Value) *graph.Value) *graph.Value {
	n := LayerNorm{Epsilon: b.Epsilon, NoBias: b.NoBias, Name: b.name + "." + norm}
	drop := Dropout{Rate: b.Dropout}
	if b.PreNorm {
		return add(x, drop.Apply(b.c, f(n.Apply(b.c, x))))
	}
	return n.Apply(b.c, add(x, drop.Apply(b.c, f(x))))
}

func (b *transformerBlock) attention(part string, causal bool) MultiHeadAttention {
	a := b.Attention
	a.Heads, a.Causal, a.Name = or(b.Heads, a.Heads), causal, b.name+"."+part
	a.NoBias = a.NoBias || b.NoBias
	if part == "cross" {
		a.Rotary = nil
	}
	return a
}

func (b *transformerBlock) feedForward(x *graph.Value) *graph.Value {
	act := b.Activation
	if act == nil {
		act = Relu
	}
	init := orInit(b.Init, GlorotUniform)
	h := Dense{Units: or(b.Hidden, 4*b.d), Activation: act, NoBias: b.NoBias, Init: init, Name: b.name + ".ffn1"}.Apply(b.c, x)
	h = Dropout{Rate: b.Dropout}.Apply(b.c, h)
	return Dense{Units: b.d, NoBias: b.NoBias, Init: init, Name: b.name + ".ffn2"}.Apply(b.c, h)
}

// TransformerEncoder is a stack of encoder layers.
type TransformerEncoder struct {
	Layers int
	Layer  TransformerEncoderLayer // what every layer is; its Name is the stack's
	Norm   bool                    // a last LayerNorm, as stacks of PreNorm layers want
	Name   string
}

// Apply is Run without masks.
func (s TransformerEncoder) Apply(c *Context, x *graph.Value) *graph.Value {
	return s.Run(c, x, AttentionInput{})
}

// Run applies the layers NAME.0, NAME.1, ..., and NAME.norm.
func (s TransformerEncoder) Run(c *Context, x *graph.Value, in AttentionInput) *graph.Value {
	name := c.name(s.Name, "transformer")
	for i := range s.Layers {
		l := s.Layer
		l.Name = name + "." + strconv.Itoa(i)
		x = l.Run(c, x, in)
	}
	return lastNorm(c, x, s.Norm, s.Layer.Epsilon, s.Layer.NoBias, name)
}

func lastNorm(c *Context, x *graph.Value, norm bool, epsilon float32, noBias bool, name string) *graph.Value {
	if !norm {
		return x
	}
	return LayerNorm{Epsilon: epsilon, NoBias: noBias, Name: name + ".norm"}.Apply(c, x)
}

// TransformerDecoder is a stack of decoder layers.
type TransformerDecoder struct {
	Layers int
	Layer  TransformerDecoderLayer // what every layer is; its Name is the stack's
	Norm   bool                    // a last LayerNorm
	Name   string
}

// Run applies the layers NAME.0, NAME.1, ..., and NAME.norm.
func (s TransformerDecoder) Run(c *Context, x *graph.Value, in DecoderInput) *graph.Value {
	name := c.name(s.Name, "decoder")
	for i := range s.Layers {
		l := s.Layer
		l.Name = name + "." + strconv.Itoa(i)
		x = l.Run(c, x, in)
	}
	return lastNorm(c, x, s.Norm, s.Layer.Epsilon, s.Layer.NoBias, name)
}
