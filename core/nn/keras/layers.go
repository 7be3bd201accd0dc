package keras

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// add is what adds a layer to a graph.
type add func(b *builder, l *layer, in []value) value

// kindOf returns what adds a layer of a kind, nil where there is no such kind. It is a switch, not a map: what a program does not reach
// is not linked.
func kindOf(kind string) add {
	switch kind {
	case "dense":
		return dense
	case "conv2d":
		return conv2d
	case "conv1d":
		return conv1d
	case "depthwiseConv2d":
		return depthwiseConv2d
	case "separableConv2d":
		return separableConv2d
	case "maxPooling2d":
		return pool(2, true)
	case "averagePooling2d":
		return pool(2, false)
	case "maxPooling1d":
		return pool(1, true)
	case "averagePooling1d":
		return pool(1, false)
	case "globalAveragePooling2d":
		return globalPool(2, false)
	case "globalMaxPooling2d":
		return globalPool(2, true)
	case "globalAveragePooling1d":
		return globalPool(1, false)
	case "globalMaxPooling1d":
		return globalPool(1, true)
	case "flatten":
		return flatten
	case "reshape":
		return reshape
	case "permute":
		return permute
	case "dropout":
		return dropout
	case "batchNormalization":
		return batchNormalization
	case "layerNormalization":
		return layerNormalization
	case "groupNormalization":
		return groupNormalization
	case "rmsNormalization":
		return rmsNormalization
	case "multiHeadAttention":
		return multiHeadAttention
	case "positionEmbedding":
		return positionEmbedding
	case "sinePositionEncoding":
		return sinePositionEncoding
	case "activation":
		return activation
	case "reLU":
		return relu
	case "leakyReLU":
		return leakyReLU
	case "elu":
		return elu
	case "softmax":
		return softmax
	case "prelu":
		return prelu
	case "embedding":
		return embedding
	case "masking":
		return masking
	case "simpleRNN", "gru", "lstm":
		return recurrent
	case "bidirectional":
		return bidirectional
	case "timeDistributed":
		return timeDistributed
	case "add":
		return merge(op.Add)
	case "subtract":
		return merge(op.Sub)
	case "multiply":
		return masked(op.Mul)
	case "average":
		return average
	case "maximum":
		return masked(func(a, b *graph.Value) *graph.Value { return op.Max(a, b) })
	case "minimum":
		return masked(func(a, b *graph.Value) *graph.Value { return op.Min(a, b) })
	case "concatenate":
		return concatenate
	case "zeroPadding2d":
		return zeroPadding2d
	case "upSampling2d":
		return upSampling2d
	case "rescaling":
		return rescaling
	}
	return nil
}

// merges reports whether layers of a kind take several inputs.
func merges(kind string) bool {
	switch kind {
	case "add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "multiHeadAttention":
		return true
	}
	return false
}

// Kinds lists the kinds of layers, sorted.
func Kinds() []string {
	return []string{
		"activation",
		"add",
		"average",
		"averagePooling1d",
		"averagePooling2d",
		"batchNormalization",
		"bidirectional",
		"concatenate",
		"conv1d",
		"conv2d",
		"dense",
		"depthwiseConv2d",
		"dropout",
		"elu",
		"embedding",
		"flatten",
		"globalAveragePooling1d",
		"globalAveragePooling2d",
		"globalMaxPooling1d",
		"globalMaxPooling2d",
		"groupNormalization",
		"gru",
		"inputLayer",
		"layerNormalization",
		"leakyReLU",
		"lstm",
		"masking",
		"maxPooling1d",
		"maxPooling2d",
		"maximum",
		"minimum",
		"multiHeadAttention",
		"multiply",
		"permute",
		"positionEmbedding",
		"prelu",
		"reLU",
		"rescaling",
		"reshape",
		"rmsNormalization",
		"separableConv2d",
		"simpleRNN",
		"sinePositionEncoding",
		"softmax",
		"subtract",
		"timeDistributed",
		"upSampling2d",
		"zeroPadding2d",
	}
}

func dense(b *builder, l *layer, in []value) value {
	x := in[0]
	units := l.whole("units", 0, 1)
	w := Weight{perm: []int{1, 0}}
	features := x.v.Shape[len(x.v.Shape)-1]
	if x.lay == first {
		x = b.plain(x)
		features = x.v.Shape[len(x.v.Shape)-1]
	}
	if len(x.v.Shape) < 2 || features < 1 {
		l.fail("takes inputs [N, ..., features] with known features, not ", x.shape())
	}
	w.view = []int{units, features}
	if x.lay == flat { // rows lie in the order of the features
		w.view = append([]int{units}, x.dims...)
		w.perm = w.perm[:0]
		for i := 2; i <= len(x.dims); i++ {
			w.perm = append(w.perm, i)
		}
		w.perm = append(w.perm, 1, 0)
	}
	w.Shape = []int{features, units}
	k := b.param(l, "kernel", l.initializer("kernelInitializer", nn.GlorotUniform), features, units, w, units, features)
	var bias *graph.Value
	if l.bool("useBias", true) {
		bias = b.param(l, "bias", l.initializer("biasInitializer", nn.Zeros), units, units, Weight{}, units)
	}
	h := x.v
	rank := len(h.Shape)
	if rank > 2 {
		h = op.Reshape(h, -1, features)
	}
	y := op.Gemm(h, k, bias, op.GemmOptions{TransB: true})
	if rank > 2 {
		t := []int{-1}
		for _, d := range x.v.Shape[1 : rank-1] {
			if d < 0 {
				l.fail("all dimensions between the batch and the features must be known, the input is ", x.shape())
			}
			t = append(t, d)
		}
		y = op.Reshape(y, append(t, units)...)
	}
	return value{v: l.activate("activation", y, -1)}
}

// convolution is what the convolution layers share.
type convolution struct {
	l       *layer
	spatial int
	kernel  []int
	opt     op.ConvOptions
}

func (l *layer) convolution(spatial int) *convolution {
	c := &convolution{l: l, spatial: spatial, kernel: l.sizes("kernelSize", spatial, 1)}
	if c.kernel == nil {
		l.bad("kernelSize", "given")
	}
	c.opt.Strides, c.opt.Dilations = l.sizes("strides", spatial, 1), l.sizes("dilationRate", spatial, 1)
	if l.same() {
		c.opt.AutoPad = "SAME_UPPER"
	}
	if f := l.str("dataFormat", "channelsLast"); f != "channelsLast" {
		l.fail("dataFormat ", f, " is not supported; layers models are channelsLast")
	}
	return c
}

// swapped returns the order of the axes that turns [O, I, spatial...] into Keras's [spatial..., I, O].
func (c *convolution) swapped() []int {
	var p []int
	for i := range c.spatial {
		p = append(p, 2+i)
	}
	return append(p, 1, 0)
}

// apply adds a convolution with its kernel and, under bias, its bias, in Keras's order of weights.
func (c *convolution) apply(b *builder, x *graph.Value, name string, filters, groups int, w Weight, init nn.Initializer, bias bool) *graph.Value {
	channels := x.Shape[1]
	if channels < 1 || channels%groups != 0 || filters%groups != 0 {
		c.l.fail(groups, " groups do not divide ", channels, " input and ", filters, " output channels")
	}
	taps := product(c.kernel)
	shape := append([]int{filters, channels / groups}, c.kernel...)
	fanIn, fanOut := channels/groups*taps, filters*taps
	if w.view == nil {
		w.view, w.perm = shape, c.swapped()
	} else {
		fanIn, fanOut = channels*taps, filters/channels*taps // depthwise, as Keras counts
	}
	for _, p := range w.perm {
		w.Shape = append(w.Shape, w.view[p])
	}
	k := b.param(c.l, name, init, fanIn, fanOut, w, shape...)
	o := c.opt
	o.Group = groups
	var add *graph.Value
	if bias {
		add = c.bias(b, filters)
	}
	return op.Conv(x, k, add, o)
}

func (c *convolution) bias(b *builder, filters int) *graph.Value {
	if !c.l.bool("useBias", true) {
		return nil
	}
	return b.param(c.l, "bias", c.l.initializer("biasInitializer", nn.Zeros), filters, filters, Weight{}, filters)
}

func conv(b *builder, l *layer, x value, spatial int) value {
	c := l.convolution(spatial)
	x = b.channelsFirst(l, x, spatial+2)
	filters := l.whole("filters", 0, 1)
	init := l.initializer("kernelInitializer", nn.GlorotUniform)
	y := c.apply(b, x.v, "kernel", filters, l.whole("groups", 1, 1), Weight{}, init, true)
	return value{v: l.activate("activation", y, 1), lay: first}
}

func conv2d(b *builder, l *layer, in []value) value { return conv(b, l, in[0], 2) }
func conv1d(b *builder, l *layer, in []value) value { return conv(b, l, in[0], 1) }

// depthwiseWeight is the depthwise kernel [C*m, 1, h, w], which Keras shows as [h, w, C, m].
func (c *convolution) depthwiseWeight(channels, multiplier int) Weight {
	return Weight{view: append([]int{channels, multiplier}, c.kernel...), perm: []int{2, 3, 0, 1}}
}

func depthwiseConv2d(b *builder, l *layer, in []value) value {
	c := l.convolution(2)
	x := b.channelsFirst(l, in[0], 4)
	ch, m := x.v.Shape[1], l.whole("depthMultiplier", 1, 1)
	init := l.initializer("depthwiseInitializer", nn.GlorotUniform)
	y := c.apply(b, x.v, "depthwise_kernel", ch*m, ch, c.depthwiseWeight(ch, m), init, true)
	return value{v: l.activate("activation", y, 1), lay: first}
}

func separableConv2d(b *builder, l *layer, in []value) value {
	c := l.convolution(2)
	x := b.channelsFirst(l, in[0], 4)
	ch, m := x.v.Shape[1], l.whole("depthMultiplier", 1, 1)
	h := c.apply(b, x.v, "depthwise_kernel", ch*m, ch, c.depthwiseWeight(ch, m), l.initializer("depthwiseInitializer", nn.GlorotUniform), false)
	p := &convolution{l: l, spatial: 2, kernel: []int{1, 1}}
	y := p.apply(b, h, "pointwise_kernel", l.whole("filters", 0, 1), 1, Weight{}, l.initializer("pointwiseInitializer", nn.GlorotUniform), true)
	return value{v: l.activate("activation", y, 1), lay: first}
}

func pool(spatial int, largest bool) add {
	return func(b *builder, l *layer, in []value) value {
		x := b.channelsFirst(l, in[0], spatial+2)
		size := l.sizes("poolSize", spatial, 1)
		if size == nil {
			size = []int{2, 2}[:spatial]
		}
		o := op.PoolOptions{Kernel: size, Strides: l.sizes("strides", spatial, 1)}
		if o.Strides == nil {
			o.Strides = size
		}
		if l.same() {
			o.AutoPad = "SAME_UPPER"
		}
		if largest {
			return x.with(op.MaxPool(x.v, o))
		}
		return x.with(op.AveragePool(x.v, o))
	}
}

func globalPool(spatial int, largest bool) add {
	return func(b *builder, l *layer, in []value) value {
		if m := in[0].mask; m != nil && spatial == 1 && !largest {
			return b.maskedAverage(l, in[0], m)
		}
		x := b.channelsFirst(l, in[0], spatial+2)
		var y *graph.Value
		if largest {
			y = op.GlobalMaxPool(x.v)
		} else {
			y = op.GlobalAveragePool(x.v)
		}
		if l.bool("keepDims", false) {
			return value{v: y, lay: first}
		}
		return value{v: op.Flatten(y, 1)}
	}
}

func flatten(b *builder, l *layer, in []value) value {
	x := in[0]
	if x.lay != first {
		if x.lay == flat || len(x.v.Shape) == 2 {
			return x
		}
		return value{v: op.Flatten(x.v, 1)}
	}
	dims := x.v.Shape[1:]
	if !known(dims) || dims[0] == 1 || product(dims[1:]) == 1 {
		return value{v: op.Flatten(b.plain(x).v, 1)} // one channel or one position: the order is the same
	}
	return value{v: op.Flatten(x.v, 1), lay: flat, dims: append([]int{}, dims...)}
}

func reshape(b *builder, l *layer, in []value) value {
	t := l.list("targetShape")
	if t == nil {
		l.bad("targetShape", "a list of numbers")
	}
	x := b.plain(in[0])
	if known(t) {
		if s := x.v.Shape[1:]; known(s) && product(s) != product(t) {
			l.fail("a sample of shape ", s, " cannot become ", t)
		}
		return value{v: op.Reshape(x.v, append([]int{-1}, t...)...)}
	}
	return value{v: op.Reshape(x.v, append([]int{0}, t...)...)}
}

func permute(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	dims := l.list("dims")
	if len(dims) != len(x.v.Shape)-1 {
		l.bad("dims", "a permutation of the sample's dimensions, counted from 1")
	}
	return value{v: op.Transpose(x.v, append([]int{0}, dims...)...)}
}

func dropout(b *builder, l *layer, in []value) value {
	rate := l.float("rate", 0.5)
	if !(rate >= 0 && rate < 1) {
		l.bad("rate", "a number of 0 to less than 1")
	}
	if !b.c.Training || rate == 0 {
		return in[0]
	}
	return in[0].with(op.Dropout(in[0].v, float32(rate)))
}

func activation(_ *builder, l *layer, in []value) value {
	return in[0].with(l.activation(l.str("activation", "linear"), in[0].v, in[0].axis()))
}

func relu(_ *builder, l *layer, in []value) value {
	x := in[0]
	slope, threshold := l.float("negativeSlope", 0), l.float("threshold", 0)
	if threshold != 0 {
		l.fail("a threshold is not supported")
	}
	y := op.Relu(x.v)
	if slope != 0 {
		y = op.LeakyRelu(x.v, float32(slope))
	}
	if l.config["maxValue"] != nil {
		y = op.Min(y, op.ConstLike(y, l.float("maxValue", 0)))
	}
	return x.with(y)
}

func leakyReLU(_ *builder, l *layer, in []value) value {
	def := l.float("negativeSlope", 0.3)
	return in[0].with(op.LeakyRelu(in[0].v, float32(l.float("alpha", def))))
}

func elu(_ *builder, l *layer, in []value) value {
	return in[0].with(op.Elu(in[0].v, float32(l.float("alpha", 1))))
}

func softmax(b *builder, l *layer, in []value) value {
	axis := l.float("axis", -1)
	x := in[0]
	last := axis == -1 || axis == float64(len(x.v.Shape)-1)
	if m := x.mask; m != nil && len(m.Shape) == len(x.v.Shape) && last {
		// The mask is about the classes: the others get nothing, all where none is left.
		x = b.plain(x)
		y := op.Softmax(op.Where(m, x.v, op.ConstLike(x.v, -1e9)), -1)
		return value{v: op.Where(m, y, op.ConstLike(y, 0))}
	}
	if last {
		return x.with(op.Softmax(x.v, x.axis()))
	}
	x = b.plain(x)
	return value{v: op.Softmax(x.v, l.toWhole("axis", axis, -len(x.v.Shape)))}
}

// prelu has a slope for every element of a sample, or for those that sharedAxes (counted from 1) leaves.
func prelu(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	shape := append([]int{}, x.v.Shape[1:]...)
	for _, a := range l.list("sharedAxes") {
		if a < 1 || a > len(shape) {
			l.bad("sharedAxes", "axes of a sample, counted from 1")
		}
		shape[a-1] = 1
	}
	if !known(shape) {
		l.fail("the shape of a sample must be known, the input is ", x.shape())
	}
	slope := b.param(l, "alpha", l.initializer("alphaInitializer", nn.Zeros), product(shape), product(shape), Weight{}, shape...)
	return value{v: op.PRelu(x.v, slope)}
}

func embedding(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	n, d := l.whole("inputDim", 0, 1), l.whole("outputDim", 0, 1)
	table := b.param(l, "embeddings", l.initializer("embeddingsInitializer", nn.Uniform(-0.05, 0.05)), n, d, Weight{}, n, d)
	idx := x.v
	if idx.DType != tensor.Int64 && idx.DType != tensor.Int32 {
		idx = op.Cast(idx, tensor.Int64)
	}
	y := value{v: op.Gather(table, idx, 0)}
	if l.bool("maskZero", false) {
		y.mask = op.Not(op.Equal(idx, op.ConstLike(idx, 0)))
	}
	return y
}

func rescaling(_ *builder, l *layer, in []value) value {
	y := op.Mul(in[0].v, op.ConstLike(in[0].v, l.float("scale", 1)))
	if o := l.float("offset", 0); o != 0 {
		y = op.Add(y, op.ConstLike(y, o))
	}
	return in[0].with(y)
}

func zeroPadding2d(b *builder, l *layer, in []value) value {
	x := b.channelsFirst(l, in[0], 4)
	var top, bottom, left, right int
	switch v := l.config["padding"].(type) {
	case nil, float64:
		p := l.whole("padding", 1, 0)
		top, bottom, left, right = p, p, p, p
	case []any:
		if len(v) != 2 {
			l.bad("padding", "a number, [h, w] or [[top, bottom], [left, right]]")
		}
		side := func(i int) (int, int) {
			s := layer{kind: l.kind, name: l.name, config: Config{"padding": v[i]}}
			p := s.sizes("padding", 2, 0)
			return p[0], p[1]
		}
		top, bottom = side(0)
		left, right = side(1)
	default:
		l.bad("padding", "a number, [h, w] or [[top, bottom], [left, right]]")
	}
	return x.with(op.Pad(x.v, []int{0, 0, top, left, 0, 0, bottom, right}, op.PadOptions{}))
}

// upSampling2d repeats rows and columns.
func upSampling2d(b *builder, l *layer, in []value) value {
	x := b.channelsFirst(l, in[0], 4)
	size := l.sizes("size", 2, 1)
	if size == nil {
		size = []int{2, 2}
	}
	if i := l.str("interpolation", "nearest"); i != "nearest" {
		l.fail("interpolation ", i, " is not supported; use nearest")
	}
	s := x.v.Shape
	if !known(s[1:]) {
		l.fail("the size of the picture must be known, the input is ", x.shape())
	}
	y := op.Reshape(x.v, -1, s[1], s[2], 1, s[3], 1)
	y = op.Expand(y, 1, 1, 1, size[0], 1, size[1])
	return x.with(op.Reshape(y, -1, s[1], s[2]*size[0], s[3]*size[1]))
}
