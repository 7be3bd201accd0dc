package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// The classification losses take scores or log-probabilities [N,C,D...], class numbers [N,D...] of int32 or int64, and
// optional class weights [C]. Positions whose class is ignore_index count for nothing. The reduction "mean" divides by the
// sum of the weights of the classes that occur (1 each without weights), so it is NaN when everything is ignored.
// There is no gradient by the class weights.

// LossOptions are the settings of the classification losses.
type LossOptions struct {
	Reduction string // "mean" (also ""), "sum" or "none"
	Ignore    bool   // whether IgnoreIndex is set
	// IgnoreIndex is the class number of positions that do not count, when Ignore is set.
	IgnoreIndex int
}

func (o LossOptions) attrs() []graph.Attr {
	var a []graph.Attr
	if o.Reduction != "" {
		a = append(a, graph.Str("reduction", o.Reduction))
	}
	if o.Ignore {
		a = append(a, graph.Int("ignore_index", o.IgnoreIndex))
	}
	return a
}

func lossOptions(n *graph.Node) LossOptions {
	return LossOptions{Reduction: n.Str("reduction"), Ignore: n.HasAttr("ignore_index"), IgnoreIndex: n.Int("ignore_index")}
}

var lossAttrs = []graph.AttrDef{
	{Name: "ignore_index", Kind: graph.AttrInt},
	{Name: "reduction", Kind: graph.AttrString, Default: graph.Attr{Kind: graph.AttrString, S: "mean"}},
}

// checkLoss checks scores, labels and weights at the given inputs and returns the shape of the unreduced loss.
func checkLoss(c *graph.InferCtx, scores, labels, weights int) (shape []int, known bool) {
	wantFloat(c, scores)
	if d := c.In[labels].DType; d != tensor.Int32 && d != tensor.Int64 {
		c.Fail("class numbers must be int32 or int64, not ", d)
	}
	wantSameType(c, scores, weights)
	switch r := c.Node.Str("reduction"); r {
	case "mean", "sum", "none":
	default:
		c.Fail("reduction is \"", r, "\"; it can be mean, sum or none")
	}
	x, t := c.In[scores], c.In[labels]
	if x.HasRank && len(x.Shape) < 2 {
		c.Fail("scores must have rank 2 or more: [N C ...]")
	}
	if x.HasRank && c.Has(weights) && c.In[weights].HasRank {
		w := c.In[weights].Shape
		if len(w) != 1 {
			c.Fail("class weights must have rank 1")
		}
		if _, ok := sameDim(w[0], x.Shape[1]); !ok {
			c.Fail("the number of class weights differs from the number of classes")
		}
	}
	if x.HasRank {
		shape = append(append(shape, x.Shape[0]), x.Shape[2:]...)
		known = true
	}
	if t.HasRank {
		if known {
			s, ok := sameShape(shape, t.Shape)
			if !ok {
				c.Fail("class numbers of shape ", t.Shape, " do not fit the scores; without their class dimension they are ", shape)
			}
			shape = s
		} else {
			shape, known = t.Shape, true
		}
	}
	return shape, known
}

// setLoss sets output 0 to the loss.
func setLoss(c *graph.InferCtx, d tensor.DType, shape []int, known bool) {
	switch {
	case c.Node.Str("reduction") != "none":
		c.Set(0, d, []int{})
	case known:
		c.Set(0, d, shape)
	default:
		c.SetUnranked(0, d)
	}
}

func inferNLL(c *graph.InferCtx) {
	shape, known := checkLoss(c, 0, 1, 2)
	setLoss(c, c.In[0].DType, shape, known)
}

func inferCrossEntropy(c *graph.InferCtx) {
	inferNLL(c)
	if len(c.Out) > 1 {
		setLike(c, 1, c.In[0].DType, c.In[0])
	}
}

// picks is what the reference losses work with: the class and the weight of every position.
type picks struct {
	n, c, inner int
	at          []int     // index of the picked element of [N,C,D...], -1 when ignored
	weight      []float64 // of every position, 0 when ignored
	den         float64   // what the mean divides by
}

// pickRows reads class numbers and weights; they must be in range.
func pickRows(c *graph.RefCtx, shape []int, labels, weights *tensor.Tensor) *picks {
	p := &picks{n: shape[0], c: shape[1], inner: tensor.Size(shape[2:])}
	o := lossOptions(c.Node)
	var w []float64
	if weights != nil {
		w = weights.Float64s()
	}
	for i, l := range labels.Int64sOf() {
		if o.Ignore && l == int64(o.IgnoreIndex) {
			p.at, p.weight = append(p.at, -1), append(p.weight, 0)
			continue
		}
		if l < 0 || l >= int64(p.c) {
			c.Fail("class number ", l, " at position ", i, " is outside 0..", p.c-1)
		}
		k := 1.0
		if w != nil {
			k = w[l]
		}
		p.at = append(p.at, (i/p.inner*p.c+int(l))*p.inner+i%p.inner)
		p.weight = append(p.weight, k)
		p.den += k
	}
	return p
}

func refNLL(c *graph.RefCtx) {
	var w *tensor.Tensor
	if c.Has(2) {
		w = c.In[2]
	}
	nllFrom(c, c.In[0].Float64s(), pickRows(c, c.In[0].Shape(), c.In[1], w))
}

// nllFrom sets output 0 from log-probabilities.
func nllFrom(c *graph.RefCtx, logp []float64, p *picks) {
	rows, sum := make([]float64, len(p.at)), 0.0
	for i, at := range p.at {
		if at >= 0 {
			rows[i] = -p.weight[i] * logp[at]
		}
		sum += rows[i]
	}
	switch c.Node.Str("reduction") {
	case "none":
		c.Out[0].SetFloat64s(rows)
	case "sum":
		c.Out[0].SetFloat64s([]float64{sum})
	default:
		c.Out[0].SetFloat64s([]float64{sum / p.den})
	}
}

func refCrossEntropy(c *graph.RefCtx) {
	var w *tensor.Tensor
	if c.Has(2) {
		w = c.In[2]
	}
	logp := c.In[0].Float64s()
	if len(logp) > 0 {
		eachRow(logp, c.In[0].Shape(), 1, logSoftmaxRow)
	}
	nllFrom(c, logp, pickRows(c, c.In[0].Shape(), c.In[1], w))
	if c.Wants(1) {
		c.Out[1].SetFloat64s(logp)
	}
}

// DefNegativeLogLikelihoodLoss is ONNX's NegativeLogLikelihoodLoss: the loss of a position is -weight[class] * logp[class].
var DefNegativeLogLikelihoodLoss = graph.Def{
	Name: "NegativeLogLikelihoodLoss", Since: 22, MinIn: 2, MaxIn: 3, Doc: "-weight[class] * logp[class], reduced", Attrs: lossAttrs,
	Infer: inferNLL, Ref: refNLL, Grad: gradNLL{}, Lower: lowerNLL,
}

type gradNLL struct{}

func (gradNLL) Grad(c *graph.GradCtx) []*graph.Value {
	return []*graph.Value{NLLGrad(c.DY[0], c.In(0), c.In(1), c.In(2), lossOptions(c.Node)), nil, nil}
}

// NegativeLogLikelihoodLoss returns the loss of log-probabilities logp[N,C,D...] for classes[N,D...]; weights[C] may be nil.
func NegativeLogLikelihoodLoss(logp, classes, weights *graph.Value, o LossOptions) *graph.Value {
	return logp.G.Add(&DefNegativeLogLikelihoodLoss, o.attrs(), optional3(logp, classes, weights)...)
}

// optional3 is the inputs a, b and, unless it is nil, c.
func optional3(a, b, c *graph.Value) []*graph.Value {
	if c == nil {
		return []*graph.Value{a, b}
	}
	return []*graph.Value{a, b, c}
}

// DefSoftmaxCrossEntropyLoss is ONNX's SoftmaxCrossEntropyLoss: NegativeLogLikelihoodLoss of the scores' LogSoftmax along axis
// 1, which the optional second output gives. Compiled, a class number outside the range gives NaN; the data's readers check it.
var DefSoftmaxCrossEntropyLoss = graph.Def{
	Name: "SoftmaxCrossEntropyLoss", Since: 13, MinIn: 2, MaxIn: 3, MaxOut: 2, Doc: "softmax cross entropy, reduced", Attrs: lossAttrs,
	Infer: inferCrossEntropy, FLOPs: flopsInput5, Ref: refCrossEntropy, Grad: gradCrossEntropy{}, Lower: lowerCrossEntropy,
}

// By the scores: dloss * weight/den * (softmax - onehot), see SoftmaxCrossEntropyGrad.
type gradCrossEntropy struct{}

func (gradCrossEntropy) Grad(c *graph.GradCtx) []*graph.Value {
	var dx *graph.Value
	if c.DY[0] != nil {
		dx = SoftmaxCrossEntropyGrad(c.DY[0], c.In(0), c.In(1), c.In(2), lossOptions(c.Node))
	}
	if len(c.DY) > 1 && c.DY[1] != nil {
		if d := LogSoftmaxGrad(c.DY[1], c.Out(1), 1); dx == nil {
			dx = d
		} else {
			dx = Add(dx, d)
		}
	}
	return []*graph.Value{dx, nil, nil}
}

// SoftmaxCrossEntropyLoss returns the loss of scores[N,C,D...] (logits) for classes[N,D...]; weights[C] may be nil.
func SoftmaxCrossEntropyLoss(scores, classes, weights *graph.Value, o LossOptions) *graph.Value {
	return scores.G.Add(&DefSoftmaxCrossEntropyLoss, o.attrs(), optional3(scores, classes, weights)...)
}

// DefNLLGrad is weft.NLLGrad(dloss, logp, classes, weights): the gradient of NegativeLogLikelihoodLoss by logp, of which
// only the shape is used: the loss is linear.
var DefNLLGrad = graph.Def{
	Domain: "weft", Name: "NLLGrad", MinIn: 3, MaxIn: 4, Doc: "gradient of NegativeLogLikelihoodLoss", Attrs: lossAttrs, ShapeOnly: []int{1},
	Infer: inferLossGrad, Ref: refNLLGrad, Grad: gradNLLGrad{}, Lower: lowerNLLGrad, Body: bodyNLLGrad{},
}

func inferLossGrad(c *graph.InferCtx) {
	wantSameType(c, 0, 1)
	shape, known := checkLoss(c, 1, 2, 3)
	if dl := c.In[0]; c.Node.Str("reduction") != "none" {
		wantScalar(c, 0)
	} else if known && dl.HasRank {
		if _, ok := sameShape(dl.Shape, shape); !ok {
			c.Fail("the loss's gradient must have the shape of the class numbers")
		}
	}
	setLike(c, 0, c.In[1].DType, c.In[1])
}

func refNLLGrad(c *graph.RefCtx) {
	var w *tensor.Tensor
	if c.Has(3) {
		w = c.In[3]
	}
	p, dl := pickRows(c, c.In[1].Shape(), c.In[2], w), c.In[0].Float64s()
	out := make([]float64, c.Out[0].Len())
	for i, at := range p.at {
		if at < 0 {
			continue
		}
		switch c.Node.Str("reduction") {
		case "none":
			out[at] = -p.weight[i] * dl[i]
		case "sum":
			out[at] = -p.weight[i] * dl[0]
		default:
			out[at] = -p.weight[i] * dl[0] / p.den
		}
	}
	c.Out[0].SetFloat64s(out)
}

// The transpose of a linear map: the gradient by dloss is the loss of the incoming gradient.
type gradNLLGrad struct{}

func (gradNLLGrad) Grad(c *graph.GradCtx) []*graph.Value {
	dl := NegativeLogLikelihoodLoss(c.DY[0], c.In(2), c.In(3), lossOptions(c.Node))
	return []*graph.Value{ReshapeLike(dl, c.In(0)), nil, nil, nil}
}

type bodyNLLGrad struct{}

// Body spreads the class numbers to one-hot rows: -onehot * weight * dloss (/ sum of the weights that occur).
func (bodyNLLGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dl, x, t := in[0], in[1], in[2]
	if !x.HasRank || x.Shape[1] < 0 {
		tensor.Fail(n.Describe(), "the number of classes must be known to express it by ONNX operators")
	}
	o, classes := lossOptions(n), x.Shape[1]
	column := make([]int, len(x.Shape)-1) // [C 1 ...]
	for i := range column {
		column[i] = 1
	}
	column[0] = classes
	numbers := tensor.New(t.DType, column...)
	v := make([]int64, classes)
	for i := range v {
		v[i] = int64(i)
	}
	numbers.SetInt64s(v)
	t = Unsqueeze(t, 1)
	hot := Cast(Equal(t, g.Const(numbers)), x.DType)
	if o.Ignore {
		hot = Where(Equal(t, ConstLike(t, float64(o.IgnoreIndex))), ConstLike(hot, 0), hot)
	}
	if len(in) > 3 && in[3] != nil {
		hot = Mul(hot, Reshape(in[3], column...))
	}
	switch o.Reduction {
	case "none":
		dl = Unsqueeze(dl, 1)
	case "mean":
		dl = Div(dl, ReduceSum(hot, nil, false))
	}
	return []*graph.Value{Neg(Mul(hot, dl))}
}

// NLLGrad returns the gradient of [NegativeLogLikelihoodLoss] by logp.
func NLLGrad(dloss, logp, classes, weights *graph.Value, o LossOptions) *graph.Value {
	return dloss.G.Add(&DefNLLGrad, o.attrs(), append([]*graph.Value{dloss}, optional3(logp, classes, weights)...)...)
}

// DefSoftmaxCrossEntropyGrad is weft.SoftmaxCrossEntropyGrad(dloss, scores, classes, weights): the gradient of
// SoftmaxCrossEntropyLoss by the scores, dloss * weight/den * (softmax(scores) - onehot(classes)).
var DefSoftmaxCrossEntropyGrad = graph.Def{
	Domain: "weft", Name: "SoftmaxCrossEntropyGrad", MinIn: 3, MaxIn: 4, Doc: "gradient of SoftmaxCrossEntropyLoss", Attrs: lossAttrs,
	Infer: inferLossGrad, FLOPs: flopsInput3, Body: bodyCrossEntropyGrad{}, Lower: lowerCrossEntropyGrad,
}

type bodyCrossEntropyGrad struct{}

func (bodyCrossEntropyGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	var w *graph.Value
	if len(in) > 3 {
		w = in[3]
	}
	d := NLLGrad(in[0], in[1], in[2], w, lossOptions(n))
	return []*graph.Value{LogSoftmaxGrad(d, LogSoftmax(in[1], 1), 1)}
}

// SoftmaxCrossEntropyGrad returns the gradient of [SoftmaxCrossEntropyLoss] by the scores.
func SoftmaxCrossEntropyGrad(dloss, scores, classes, weights *graph.Value, o LossOptions) *graph.Value {
	return dloss.G.Add(&DefSoftmaxCrossEntropyGrad, o.attrs(), append([]*graph.Value{dloss}, optional3(scores, classes, weights)...)...)
}

// noIgnore stands for no ignore_index in a step.
const noIgnore = math.MinInt32
