package graph

import "github.com/weft-ml/weft/core/tensor"

// Def defines an operator in one place: what it is called, the shapes and types it gives, its
// gradient, its slow obvious evaluation, how it is lowered to kernel steps, and the traits that
// the compiler's passes look at, so that no pass names an operator. A Def is a plain package variable in core/op/<family>.go.
type Def struct {
	Domain string // "" is ONNX's own; "weft" is ours
	Name   string
	Since  int // opset version whose semantics this Def has; ops of older models are brought here by Upgrade
	First  int // opset version that brought the operator, where it is above 21, the version that models are written with

	Attrs  []AttrDef
	MinIn  int    // inputs that must be given
	MaxIn  int    // -1: variadic
	MinOut int    // 0 means 1
	MaxOut int    // 0 means 1; -1: variadic
	Hidden int    // how many of the MaxOut outputs, the last ones, ONNX's operator does not have: only gradients read them
	Doc    string // one line

	// Infer sets types and shapes of the outputs and checks the inputs; it fails through InferCtx.Fail.
	Infer func(c *InferCtx)
	// Grad returns one value per input: the gradient of the loss by it, or nil where there is none.
	// A Def without Grad says why in NoGrad (which also may say "zero almost everywhere").
	Grad   GradRule
	NoGrad string
	// Ref evaluates the node on contiguous tensors of any element type it allows; it defines the result.
	Ref func(c *RefCtx)
	// Lower emits kernel steps for concrete shapes. It returns false when it has none for these element types or
	// shapes; the compiler then runs Ref as a step.
	Lower func(b Builder, n *Node) bool
	// Body expresses the node by other operators. An operator of domain "weft" has one, so that export can
	// expand it; a Def with Body and without Grad, Ref or Lower gets them from the body.
	Body BodyRule
	// Upgrade brings a node of an older opset version to Since (attributes that became inputs, changed defaults).
	Upgrade func(c *UpgradeCtx)

	// Elem marks an elementwise operator: every output element depends on the input elements at the same
	// (broadcast) position, computed in float32 by one vector kernel. It returns false when these attributes have none.
	Elem func(n *Node) (ElemOp, bool)
	// Act marks an elementwise unary operator that Gemm and convolution epilogues can apply.
	Act func(n *Node) (Act, bool)
	// TakesAct marks an operator whose Lower applies Builder.Epilogue.
	TakesAct bool
	// InPlace lists inputs whose memory the first output may take over (element i depends on elements i only).
	InPlace []int
	// Residual returns the number of an input of the output's size that Lower adds before the activation when it is given, 0 when the node takes
	// none. Bias is the same for a vector along the last dimension, which is added before the residual. Only the compiler gives these
	// inputs where their numbers are from MaxIn on; Ref adds them too.
	Residual, Bias func(n *Node) int
	// After says how the operator is computed together with the one that computes its first input.
	After AfterRule
	// Chain says how the operator is computed together with the one that computes its first input, block by block, where that pays.
	Chain ChainRule
	// Last says how the operator computes on channels-last values, [N,D...,C] in place of [N,C,D...]; elementwise operators
	// need no rule.
	Last LastRule
	// Affine says how the operator scales and shifts channels by weights; Absorb says how such a map before or behind the operator becomes
	// part of its own weights. Together they let inference drop normalisations by given statistics.
	Affine AffineRule
	Absorb AbsorbRule
	// Fuse recognises a pattern of operators that ends in this one.
	Fuse FuseRule
	// FLOPs returns how many floating-point operations the node takes for these types; nil: not worth counting.
	FLOPs func(n *Node, in, out []Type) float64
	// InPlaceOut lists further pairs {output, input} as InPlace does for the first output: optimizer updates write
	// new parameters and new slots over the old ones. All the listed pairs may be taken at the same time.
	InPlaceOut [][2]int
	// Same reports that for these types the first output is the first input, element by element, so that the node costs
	// nothing: Identity, Cast to the type there is, Expand and SumTo when shapes agree, Dropout when it does not train. The types
	// have the same element type and shape; values known at bind time are in Type.Const.
	Same func(n *Node, in, out []Type) bool
	// View marks an operator whose output is its first input's memory under another shape.
	View bool
	// Repeats marks an operator whose output is its first input, broadcast: an elementwise operator may read that in its place where other operands have
	// the shape.
	Repeats bool
	// Random marks an operator whose result depends on the random state and must not be folded or shared.
	Random bool
	// ShapeOnly lists inputs of which only the shape is used, never the elements: no memory is kept alive for them.
	ShapeOnly []int
	// HostInputs lists small integer inputs (axes, target shapes, repeats) whose values shape inference needs.
	HostInputs []int
}

// GradRule builds the gradient of a node. It is an interface, implemented by a type of no size
// beside the Def (gradMul{}), because a rule names other Defs: as a function value in a package variable's
// initialiser that would be an initialisation cycle, and registering rules at start-up would keep the linker from dropping unused operators.
type GradRule interface {
	// Grad returns one value per input of the node: the gradient of the loss by it, nil where there is none.
	Grad(c *GradCtx) []*Value
}

// BodyRule expresses a node by other operators; see [GradRule] for why it is an interface.
type BodyRule interface {
	// Body adds the nodes to g and returns one value per output of the node (nil for unused ones).
	Body(g *Graph, n *Node, in []*Value) []*Value
}

// AfterRule joins an operator to the one before it; see [GradRule] for why it is an interface.
type AfterRule interface {
	// After returns the operator, and its attributes, that computes n of act of what p computes, from p's inputs; nothing else reads what is
	// between them. It returns false where there is no such operator.
	After(n, p *Node, act Act) (d *Def, attrs []Attr, ok bool)
}

// ChainRule joins an operator to the one before it; see [GradRule] for why it is an interface.
type ChainRule interface {
	// Chain returns the operator, and its attributes, that computes n of act of what p computes, where computing them together pays; nothing else reads
	// what is between them. in says what its inputs are: the number of an input of p, OfNode and the number of an input of n, or NoInput.
	Chain(n, p *Node, act Act) (d *Def, attrs []Attr, in []int, ok bool)
}

// What an input of an operator may be that [ChainRule] returns, besides an input of p.
const (
	NoInput = -1
	OfNode  = 1 << 10
)

// LastRule tells the layout pass of an operator on images; see [GradRule] for why it is an interface.
type LastRule interface {
	// Starts reports whether the node gains from channels-last by itself; others follow the values that they read.
	Starts(n *Node) bool
	// Last returns the operator, its attributes and how many of the node's first inputs are images: channels-last all of them if x, with
	// channels-last outputs if y, which means nothing where they have no positions. It returns false where there is no such operator.
	Last(n *Node, x, y bool) (d *Def, attrs []Attr, inputs int, ok bool)
	// Axes returns the input of a node that lists axes and what it has to list when images are channels-last, 0 when there is none.
	Axes(n *Node) (input int, axes []int)
	// Move returns the operator that moves the channels of values of a rank to the end, or back to where they were.
	Move(rank int, last bool) (*Def, []Attr)
	// Widen adds nodes to g that give an operand of elementwise operators the rank of their images, with its channels at the end.
	Widen(g *Graph, x *Value, rank int) *Value
}

// AffineRule tells of an operator that may be y = scale*x + shift with one scale and one shift for every channel, dimension 1; see
// [GradRule] for why it is an interface.
type AffineRule interface {
	// Affine returns the number of the input x that is mapped, and false where the node is no such map. still tells which inputs
	// are weights; all others than x have to be.
	Affine(n *Node, still []bool) (x int, ok bool)
	// Map adds nodes to g that compute scale and shift, [C] each; nil stands for ones and for zeros.
	Map(g *Graph, n *Node, x int, in []*Value) (scale, shift *Value)
	// Last adds nodes to g that compute scale*x + shift of a channels-last x.
	Last(g *Graph, x, scale, shift *Value) *Value
}

// AbsorbRule tells how an operator takes maps of channels into its inputs from 1 on, which are weights; see [GradRule] for why it is an interface.
type AbsorbRule interface {
	// Absorbs reports whether the node can compute scale*y + shift in place of its output y (behind), or what it computes of
	// scale*x + shift from input 0, x itself; shifts tells whether there is a shift.
	Absorbs(n *Node, behind, shifts bool) bool
	// Absorb adds nodes to g that compute the node's inputs from 1 on after such a map of its output (behind) or of its input 0. scale or
	// shift, [C], may be nil. in[0] must not be used.
	Absorb(g *Graph, n *Node, in []*Value, scale, shift *Value, behind bool) []*Value
}

// FullName returns the name with its domain: "Relu", "weft.ReluGrad".
func (d *Def) FullName() string {
	if d.Domain == "" {
		return d.Name
	}
	return d.Domain + "." + d.Name
}

// ElemOp is one instruction of a fused elementwise chain.
type ElemOp struct {
	Kind   ElemKind
	Code   uint8   // simd.UnaryOp, simd.BinaryOp or simd.CmpOp
	P0, P1 float32 // constant parameters of a unary kernel
}

// ElemKind says which family of vector kernels an ElemOp belongs to.
type ElemKind uint8

const (
	ElemUnary   ElemKind = iota // Map(Code, dst, x, P0, P1)
	ElemBinary                  // Zip(Code, dst, a, b)
	ElemSelect                  // Select(dst, cond, a, b): cond is a bool operand
	ElemCompare                 // Compare(Code, dst bool, a, b)
)

// Act is an activation that an epilogue applies; the codes are simd.Act's.
type Act struct {
	Code   uint8
	Lo, Hi float32
}

// Type is what inference knows of a value.
type Type struct {
	DType   tensor.DType
	Shape   []int // dimensions may be Unknown or symbols
	HasRank bool
	Const   *tensor.Tensor // the elements, when they are known
}

// Unknown is a dimension about which nothing is known.
const Unknown = -1

// InferCtx is what a shape rule reads and sets.
type InferCtx struct {
	Node *Node
	In   []Type // an omitted optional input has DType Undefined
	Out  []Type // set by the rule
}

// Fail panics with an error that names the operator, the node and the input shapes.
func (c *InferCtx) Fail(parts ...any) {
	e := tensor.Err(c.Node.describe(), parts...)
	for _, t := range c.In {
		if t.HasRank {
			e.Shapes = append(e.Shapes, t.Shape)
		}
	}
	panic(e)
}

// Has reports whether optional input i is given.
func (c *InferCtx) Has(i int) bool { return i < len(c.In) && c.In[i].DType != tensor.Undefined }

// Set sets output i to a type and shape; a nil shape with rank unknown is set by SetUnranked.
func (c *InferCtx) Set(i int, d tensor.DType, shape []int) {
	if i < len(c.Out) {
		c.Out[i] = Type{DType: d, Shape: shape, HasRank: true}
	}
}

// SetUnranked sets output i to a type of unknown rank.
func (c *InferCtx) SetUnranked(i int, d tensor.DType) {
	if i < len(c.Out) {
		c.Out[i] = Type{DType: d}
	}
}

// Ints returns the elements of integer input i when they are known.
func (c *InferCtx) Ints(i int) ([]int, bool) {
	if i >= len(c.In) || c.In[i].Const == nil {
		return nil, false
	}
	v := c.In[i].Const.Int64sOf()
	out := make([]int, len(v))
	for k := range v {
		out[k] = int(v[k])
	}
	return out, true
}

// RefCtx is what a reference evaluation reads and sets. Inputs are contiguous; an omitted input is nil.
type RefCtx struct {
	Node *Node
	In   []*tensor.Tensor
	Out  []*tensor.Tensor // allocated to the inferred shape; nil where the shape depends on data (use Set) or the output is unused
	Rand *RandState       // for random operators
}

// Fail panics with an error that names the operator and the node.
func (c *RefCtx) Fail(parts ...any) { panic(tensor.Err(c.Node.describe(), parts...)) }

// Has reports whether optional input i is given.
func (c *RefCtx) Has(i int) bool { return i < len(c.In) && c.In[i] != nil }

// Wants reports whether output i is used.
func (c *RefCtx) Wants(i int) bool { return i < len(c.Node.Outputs) && c.Node.Outputs[i] != nil }

// RandState is the random state of one run: every random node draws from the Philox stream
// (Seed, node id) at block counter Step, so results do not depend on the order of evaluation.
type RandState struct {
	Seed uint64
	Step uint64
}

// GradCtx is what a gradient rule reads.
type GradCtx struct {
	G    *Graph
	Node *Node
	DY   []*Value // gradient by each output; nil where none flows
}

// In returns input i of the node, nil when omitted.
func (c *GradCtx) In(i int) *Value {
	if i < len(c.Node.Inputs) {
		return c.Node.Inputs[i]
	}
	return nil
}

// Out returns output i of the node.
func (c *GradCtx) Out(i int) *Value { return c.Node.Outputs[i] }

// UpgradeCtx lets a Def rewrite a node of an older opset.
type UpgradeCtx struct {
	G       *Graph
	Version int // the model's opset version
	Attrs   []Attr
	Inputs  []*Value
	NumOut  int
	Self    *Def   // the operator
	Set     []*Def // the operators of this build
	// Outputs, when the rule sets it, are the node's outputs: the rule has built what stands for the node (a
	// renamed operator, or semantics that need several nodes), and no node of this Def is added.
	Outputs []*Value
}

// Def returns the operator of ONNX's domain with that name; it fails when this build does not have it. Rules cannot name other
// Defs: as function values in package variables they would make initialisation cycles.
func (c *UpgradeCtx) Def(name string) *Def {
	for _, d := range c.Set {
		if d.Domain == "" && d.Name == name {
			return d
		}
	}
	tensor.Fail("Upgrade", "operator ", name, ", which stands for one of opset ", c.Version, ", is not in this build")
	return nil
}

// Attr returns the attribute of that name, or nil.
func (c *UpgradeCtx) Attr(name string) *Attr {
	for i := range c.Attrs {
		if c.Attrs[i].Name == name {
			return &c.Attrs[i]
		}
	}
	return nil
}

// Remove deletes the attribute of that name.
func (c *UpgradeCtx) Remove(name string) {
	for i := range c.Attrs {
		if c.Attrs[i].Name == name {
			c.Attrs = append(c.Attrs[:i:i], c.Attrs[i+1:]...)
			return
		}
	}
}
