package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DefBatchNormalization is ONNX's BatchNormalization of x[N,C,D...] per channel (Ioffe, Szegedy, ICML 2015). With training_mode
// it normalises by the batch's mean and biased variance and gives as outputs 1 and 2 the running statistics, momentum*running +
// (1-momentum)*batch. Gradient rules ask for two outputs more than ONNX has: the batch's mean and 1/sqrt(variance+epsilon).
var DefBatchNormalization = graph.Def{
	Name: "BatchNormalization", Since: 15, MinIn: 5, MaxIn: 5, MaxOut: 5, Doc: "scale*(x-mean)/sqrt(var+epsilon) + bias per channel",
	Attrs: []graph.AttrDef{
		{Name: "epsilon", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 1e-5}},
		{Name: "momentum", Kind: graph.AttrFloat, Default: graph.Attr{Kind: graph.AttrFloat, F: 0.9}},
		{Name: "training_mode", Kind: graph.AttrInt},
	},
	InPlace: []int{0}, InPlaceOut: [][2]int{{1, 3}, {2, 4}}, TakesAct: true,
	Infer: inferBatchNorm, FLOPs: flopsInput2, Ref: refBatchNorm, Grad: gradBatchNorm{}, Lower: lowerBatchNorm, Upgrade: upgradeBatchNorm, Affine: affineNorm{},
}

// BatchNormOptions are the settings of [BatchNormalization].
type BatchNormOptions struct {
	Epsilon  float32 // added to the variance; 0: ONNX's default of 1e-5
	Momentum float32 // share of the running statistics that stays; 0: ONNX's default of 0.9
}

func (o BatchNormOptions) attrs() []graph.Attr {
	var a []graph.Attr
	if o.Epsilon != 0 {
		a = append(a, graph.Float("epsilon", o.Epsilon))
	}
	if o.Momentum != 0 {
		a = append(a, graph.Float("momentum", o.Momentum))
	}
	return a
}

// BatchNormalization normalises x[N,C,D...] by the given statistics: scale*(x-mean)/sqrt(variance+epsilon) + bias, all of [C].
func BatchNormalization(x, scale, bias, mean, variance *graph.Value, o BatchNormOptions) *graph.Value {
	return x.G.Add(&DefBatchNormalization, o.attrs(), x, scale, bias, mean, variance)
}

// BatchNormalizationTraining normalises x[N,C,D...] by its own statistics and returns beside y the new running statistics.
func BatchNormalizationTraining(x, scale, bias, mean, variance *graph.Value, o BatchNormOptions) (y, newMean, newVar *graph.Value) {
	out := x.G.AddN(&DefBatchNormalization, "", 3, append(o.attrs(), graph.Int("training_mode", 1)), x, scale, bias, mean, variance)
	return out[0], out[1], out[2]
}

// upgradeBatchNorm drops what opsets before 9 had: spatial = 1 is what the operator does, is_test became training_mode; extra
// outputs of opsets before 14 are training's.
func upgradeBatchNorm(c *graph.UpgradeCtx) {
	if a := c.Attr("spatial"); a != nil && a.I == 0 {
		tensor.Fail("Upgrade", "BatchNormalization with spatial = 0, which opset 9 removed, is not supported")
	}
	if c.Version < 14 && c.NumOut > 1 {
		tensor.Fail("Upgrade", "BatchNormalization with statistics as outputs has another meaning before opset 14; export the model for inference")
	}
	for _, name := range []string{"spatial", "is_test", "consumed_inputs"} {
		c.Remove(name)
	}
}

func inferBatchNorm(c *graph.InferCtx) {
	wantFloat(c, 0)
	x := c.In[0]
	if x.HasRank && len(x.Shape) < 2 {
		c.Fail("the input must have rank 2 or more: [N C ...]")
	}
	channels := graph.Unknown
	if x.HasRank {
		channels = x.Shape[1]
	}
	for i := 1; i < 5; i++ {
		wantFloat(c, i)
		wantRank(c, i, 1)
		if c.In[i].HasRank {
			d, ok := sameDim(channels, c.In[i].Shape[0])
			if !ok {
				c.Fail("input ", i, " must have one element per channel")
			}
			channels = d
		}
	}
	if len(c.Out) > 1 && c.Node.Int("training_mode") == 0 {
		c.Fail("has one output unless training_mode is set")
	}
	setLike(c, 0, x.DType, x)
	for i := 1; i < len(c.Out); i++ {
		c.Set(i, c.In[3].DType, []int{channels})
	}
}

// channelStats returns the mean and the biased variance of every channel of x[N,C,D...].
func channelStats(x []float64, shape []int) (mean, variance []float64) {
	c, inner := shape[1], tensor.Size(shape[2:])
	mean, variance = make([]float64, c), make([]float64, c)
	count := float64(shape[0] * inner)
	for i, v := range x {
		mean[i/inner%c] += v / count
	}
	for i, v := range x {
		d := v - mean[i/inner%c]
		variance[i/inner%c] += d * d / count
	}
	return mean, variance
}

func refBatchNorm(c *graph.RefCtx) {
	shape, x := c.In[0].Shape(), c.In[0].Float64s()
	scale, bias := c.In[1].Float64s(), c.In[2].Float64s()
	mean, variance := c.In[3].Float64s(), c.In[4].Float64s()
	eps, keep := float64(c.Node.Float("epsilon")), float64(c.Node.Float("momentum"))
	if c.Node.Int("training_mode") != 0 {
		m, v := channelStats(x, shape)
		inv := make([]float64, len(v))
		for k := range mean {
			mean[k] = keep*mean[k] + (1-keep)*m[k]
			variance[k] = keep*variance[k] + (1-keep)*v[k]
			inv[k] = 1 / math.Sqrt(v[k]+eps)
		}
		for i, t := range [][]float64{mean, variance, m, inv} {
			if c.Wants(1 + i) {
				c.Out[1+i].SetFloat64s(t)
			}
		}
		mean, variance = m, v
	}
	inner := tensor.Size(shape[2:])
	for i := range x {
		k := i / inner % shape[1]
		x[i] = scale[k]*(x[i]-mean[k])/math.Sqrt(variance[k]+eps) + bias[k]
	}
	c.Out[0].SetFloat64s(x)
}

// perChannel returns v[C] as [C,1...], which broadcasts against x[N,C,D...].
func perChannel(v, x *graph.Value) *graph.Value {
	if !x.HasRank {
		tensor.Fail("BatchNormalization", "the rank of the input must be known")
	}
	shape := make([]int, len(x.Shape)-1)
	for i := range shape {
		shape[i] = 1
	}
	shape[0] = -1
	return Reshape(v, shape...)
}

// allButChannel returns the axes of x[N,C,D...] without axis 1.
func allButChannel(x *graph.Value) []int {
	axes := []int{0}
	for i := 2; i < len(x.Shape); i++ {
		axes = append(axes, i)
	}
	return axes
}

// By given statistics, with s = scale/sqrt(var+epsilon) and d = x-mean: dx = dy*s, dbias = sum(dy), dscale = sum(dy*d)/sqrt(var+epsilon),
// dmean = -s*dbias, dvar = -scale/2 * sum(dy*d) * (var+epsilon)^-1.5. In training: weft.BatchNormGrad; the running statistics
// are differentiated as the formulas that they are.
type gradBatchNorm struct{}

func (gradBatchNorm) Grad(c *graph.GradCtx) []*graph.Value {
	x, scale, dy := c.In(0), c.In(1), c.DY[0]
	eps := c.Node.Float("epsilon")
	if c.Node.Int("training_mode") != 0 {
		out := make([]*graph.Value, 5)
		if dy != nil {
			g := x.G.AddN(&DefBatchNormGrad, "", 3, []graph.Attr{graph.Float("epsilon", eps)}, dy, x, scale, extraOutput(c.Node, 3), extraOutput(c.Node, 4))
			out[0], out[1], out[2] = g[0], g[1], g[2]
		}
		return runningGrad(c, out)
	}
	std := Sqrt(Add(c.In(4), ConstLike(c.In(4), float64(eps))))
	inv := Reciprocal(std)
	s := Mul(scale, inv)
	sum := ReduceSum(dy, allButChannel(x), false)
	dot := ReduceSum(Mul(dy, Sub(x, perChannel(c.In(3), x))), allButChannel(x), false)
	dvar := Mul(Mul(Mul(s, ConstLike(s, -0.5)), dot), Mul(inv, inv))
	return []*graph.Value{Mul(dy, perChannel(s, x)), Mul(dot, inv), sum, Neg(Mul(s, sum)), dvar}
}

// runningGrad adds to the gradients what comes through outputs 1 to 4 in training: the running statistics m' = k*m + (1-k)*mean(x)
// and v' = k*v + (1-k)*var(x), and the saved mean(x) and 1/sqrt(var(x)+epsilon).
func runningGrad(c *graph.GradCtx, out []*graph.Value) []*graph.Value {
	any := false
	for _, d := range c.DY[1:] {
		any = any || d != nil
	}
	if !any {
		return out
	}
	x, keep := c.In(0), float64(c.Node.Float("momentum"))
	mean, inv, _ := batchStats(x, c.Node.Float("epsilon"))
	variance := Sub(Reciprocal(Mul(inv, inv)), ConstLike(inv, float64(c.Node.Float("epsilon"))))
	ys := []*graph.Value{nil, mean, variance, mean, inv}
	weight := []float64{0, 1 - keep, 1 - keep, 1, 1}
	var of, by []*graph.Value
	for i := 1; i < len(c.DY); i++ {
		if c.DY[i] == nil {
			continue
		}
		of, by = append(of, ys[i]), append(by, Mul(ReshapeLike(c.DY[i], ys[i]), ConstLike(ys[i], weight[i])))
		if i < 3 {
			out[2+i] = Mul(c.DY[i], ConstLike(c.DY[i], keep))
		}
	}
	if d := backward(c.G, of, by, []*graph.Value{x}, true)[0]; out[0] == nil {
		out[0] = d
	} else if d != nil {
		out[0] = Add(out[0], d)
	}
	return out
}

// batchStats returns the mean and 1/sqrt(variance+epsilon) of the channels of x as [1,C,1...], and x-mean.
func batchStats(x *graph.Value, eps float32) (mean, inv, d *graph.Value) {
	axes := allButChannel(x)
	mean = ReduceMean(x, axes, true)
	d = Sub(x, mean)
	v := ReduceMean(Mul(d, d), axes, true)
	return mean, Reciprocal(Sqrt(Add(v, ConstLike(v, float64(eps))))), d
}

// DefBatchNormGrad is weft.BatchNormGrad(dy, x, scale, mean, inv): the gradients of BatchNormalization in training by x, scale and
// bias. mean and inv are the batch's mean and 1/sqrt(variance+epsilon), which the kernel does not compute again; as
// formulas they are taken from x.
var DefBatchNormGrad = graph.Def{
	Domain: "weft", Name: "BatchNormGrad", MinIn: 5, MaxIn: 5, MaxOut: 3, Doc: "gradients of BatchNormalization in training", InPlace: []int{0},
	Attrs: []graph.AttrDef{{Name: "epsilon", Kind: graph.AttrFloat, Required: true}},
	Infer: inferBatchNormGrad, FLOPs: flopsNormGrad, Body: bodyBatchNormGrad{}, Lower: lowerBatchNormGrad,
}

func inferBatchNormGrad(c *graph.InferCtx) {
	inferLike01(c)
	for i := 1; i < len(c.Out); i++ {
		setLike(c, i, c.In[2].DType, c.In[2])
	}
}

type bodyBatchNormGrad struct{}

// Body: with xhat = (x-mean)*inv, dbias = sum(dy), dscale = sum(dy*xhat) and m elements per channel,
// dx = (dy - dbias/m - xhat*dscale/m) * scale*inv.
func (bodyBatchNormGrad) Body(g *graph.Graph, n *graph.Node, in []*graph.Value) []*graph.Value {
	dy, x, scale := in[0], in[1], in[2]
	axes := allButChannel(x)
	_, inv, d := batchStats(x, n.Float("epsilon"))
	xhat := Mul(d, inv)
	dot := Mul(dy, xhat)
	centred := Sub(Sub(dy, ReduceMean(dy, axes, true)), Mul(xhat, ReduceMean(dot, axes, true)))
	return []*graph.Value{Mul(centred, Mul(perChannel(scale, x), inv)), ReduceSum(dot, axes, false), ReduceSum(dy, axes, false)}
}
