package keras

import (
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/op"
)

// batchNormalization normalises every channel, Keras's last axis.
func batchNormalization(b *builder, l *layer, in []value) value {
	x := in[0]
	n := len(x.v.Shape)
	if a := l.float("axis", -1); a != -1 && a != float64(n-1) {
		l.fail("axis ", a, " is not supported; it normalises the last axis")
	}
	if n > 2 {
		x = b.channelsFirst(l, x, n)
	} else {
		x = b.plain(x)
	}
	ch := x.v.Shape[1]
	if ch < 1 {
		l.fail("the number of channels must be known, the input is ", x.shape())
	}
	gamma := b.variable(l, "gamma", l.initializer("gammaInitializer", nn.Ones), ch, ch, Weight{}, l.bool("trainable", true) && l.bool("scale", true), []int{ch})
	beta := b.variable(l, "beta", l.initializer("betaInitializer", nn.Zeros), ch, ch, Weight{}, l.bool("trainable", true) && l.bool("center", true), []int{ch})
	mean := b.variable(l, "moving_mean", l.initializer("movingMeanInitializer", nn.Zeros), ch, ch, Weight{}, false, []int{ch})
	variance := b.variable(l, "moving_variance", l.initializer("movingVarianceInitializer", nn.Ones), ch, ch, Weight{}, false, []int{ch})
	o := op.BatchNormOptions{Epsilon: float32(l.float("epsilon", 1e-3)), Momentum: float32(l.float("momentum", 0.99))}
	if !b.c.Training || !l.bool("trainable", true) {
		return x.with(op.BatchNormalization(x.v, gamma, beta, mean, variance, o))
	}
	if m := in[0].mask; m != nil {
		return b.maskedBatchNormalization(l, x, m, gamma, beta, mean, variance, o)
	}
	y, newMean, newVar := op.BatchNormalizationTraining(x.v, gamma, beta, mean, variance, o)
	b.c.G.Update(mean, newMean)
	b.c.G.Update(variance, newVar)
	return x.with(y)
}

// layerNormalization normalises every position of a sample over the last axis.
func layerNormalization(b *builder, l *layer, in []value) value {
	x := b.plain(in[0])
	n := len(x.v.Shape)
	if a := l.float("axis", -1); a != -1 && a != float64(n-1) {
		l.fail("axis ", a, " is not supported; it normalises the last axis")
	}
	f := x.v.Shape[n-1]
	if f < 1 {
		l.fail("the number of features must be known, the input is ", x.shape())
	}
	gamma := b.variable(l, "gamma", l.initializer("gammaInitializer", nn.Ones), f, f, Weight{}, l.bool("trainable", true) && l.bool("scale", true), []int{f})
	beta := b.variable(l, "beta", l.initializer("betaInitializer", nn.Zeros), f, f, Weight{}, l.bool("trainable", true) && l.bool("center", true), []int{f})
	return value{v: op.LayerNormalization(x.v, gamma, beta, op.LayerNormOptions{Axis: -1, Epsilon: float32(l.float("epsilon", 1e-3))})}
}
