package op

import (
	"github.com/weft-ml/weft/core/graph"
)

// Rules by which inference takes maps y = scale*x + shift of channels (normalisations by given statistics, factors and biases of operators of
// their own) into the weights of the product or the convolution beside them.

// affineLast is what the rules for maps of channels have in common.
type affineLast struct{}

func (affineLast) Last(_ *graph.Graph, x, scale, shift *graph.Value) *graph.Value {
	if scale != nil {
		x = Mul(x, scale)
	}
	if shift != nil {
		x = Add(x, shift)
	}
	return x
}

// affineNorm: BatchNormalization by given statistics. scale/sqrt(variance+epsilon) and bias - mean*that.
type affineNorm struct{ affineLast }

func (affineNorm) Affine(n *graph.Node, still []bool) (int, bool) {
	return 0, n.Int("training_mode") == 0 && still[1] && still[2] && still[3] && still[4]
}

func (affineNorm) Map(g *graph.Graph, n *graph.Node, _ int, in []*graph.Value) (scale, shift *graph.Value) {
	scale = Div(in[1], Sqrt(Add(in[4], ConstLike(in[4], float64(n.Float("epsilon"))))))
	return scale, Sub(in[2], Mul(in[3], scale))
}

// affineZip: a sum, difference, product or quotient with one number for every channel.
type affineZip struct {
	affineLast
	product bool // Mul and Div; else Add and Sub
	inverse bool // Sub and Div, whose second operand is the weight
}

func (r affineZip) Affine(n *graph.Node, still []bool) (int, bool) {
	x := 0
	if still[0] && !r.inverse {
		x = 1
	}
	a, w := n.Inputs[x], n.Inputs[1-x]
	return x, still[1-x] && !still[x] && a.HasRank && w.HasRank && byChannel(a.Shape, w.Shape)
}

// byChannel reports whether w, broadcast to x[N,C,D...], has one element for every channel.
func byChannel(x, w []int) bool {
	if len(x) < 2 || len(w) > len(x) || x[1] < 1 {
		return false
	}
	for i, d := range w {
		if at := len(x) - len(w) + i; d != 1 && (at != 1 || d != x[1]) {
			return false
		}
	}
	return len(w) >= len(x)-1 && w[len(w)-len(x)+1] == x[1]
}

func (r affineZip) Map(g *graph.Graph, n *graph.Node, x int, in []*graph.Value) (scale, shift *graph.Value) {
	w := Reshape(in[1-x], -1)
	switch {
	case r.product && r.inverse:
		return Reciprocal(w), nil
	case r.product:
		return w, nil
	case r.inverse:
		return nil, Neg(w)
	}
	return nil, w
}

// absorbConv: y = conv(x, w) + b. Behind it, w of every output channel is scaled; before it, w of every input channel, and the shift is summed over
// the kernel into b, which holds where no padding stands beside what was shifted.
type absorbConv struct{}

func (absorbConv) Absorbs(n *graph.Node, behind, shifts bool) bool {
	w := n.Inputs[1]
	if !w.HasRank || len(w.Shape) < 3 || !fixed(w.Shape) {
		return false
	}
	if behind || !shifts {
		return true
	}
	if a := n.Str("auto_pad"); a != "NOTSET" && a != "VALID" {
		return false
	}
	for _, p := range n.Ints("pads") {
		if p != 0 {
			return false
		}
	}
	return true
}

// fixed reports whether every dimension is known.
func fixed(shape []int) bool {
	for _, d := range shape {
		if d < 0 {
			return false
		}
	}
	return true
}

func (absorbConv) Absorb(g *graph.Graph, n *graph.Node, in []*graph.Value, scale, shift *graph.Value, behind bool) []*graph.Value {
	w, bias := in[1], given(in, 2)
	dims := n.Inputs[1].Shape
	ones := make([]int, len(dims))
	for i := range ones {
		ones[i] = 1
	}
	if behind {
		if scale != nil {
			ones[0] = -1
			w = Mul(w, Reshape(scale, ones...))
		}
		return weights(w, scaled1(bias, scale, shift))
	}
	// By group: the weight is [G,M/G,C/G,K...], the map of input channels [G,1,C/G,1...].
	group := n.Int("group")
	split := append([]int{group, dims[0] / group}, dims[1:]...)
	wide := append([]int{group, 1, dims[1]}, ones[2:]...)
	grouped := Reshape(w, split...)
	if shift != nil {
		axes := make([]int, 0, len(split)-2)
		for i := 2; i < len(split); i++ {
			axes = append(axes, i)
		}
		more := Reshape(ReduceSum(Mul(grouped, Reshape(shift, wide...)), axes, false), dims[0])
		bias = scaled1(bias, nil, more)
	}
	if scale != nil {
		w = Reshape(Mul(grouped, Reshape(scale, wide...)), dims...)
	}
	return weights(w, bias)
}

// scaled1 returns scale*b + shift of vectors that may be nil: b and shift for zeros, scale for ones.
func scaled1(b, scale, shift *graph.Value) *graph.Value {
	if b != nil && scale != nil {
		b = Mul(b, scale)
	}
	switch {
	case b == nil:
		return shift
	case shift == nil:
		return b
	}
	return Add(b, shift)
}

// given returns input i, nil where it is omitted.
func given(in []*graph.Value, i int) *graph.Value {
	if i < len(in) {
		return in[i]
	}
	return nil
}

func weights(w, bias *graph.Value) []*graph.Value {
	if bias == nil {
		return []*graph.Value{w}
	}
	return []*graph.Value{w, bias}
}

// absorbConvTranspose: w is [C,M/G,K...]; maps behind it scale dimension 1 where there is one group.
type absorbConvTranspose struct{}

func (absorbConvTranspose) Absorbs(n *graph.Node, behind, shifts bool) bool {
	w := n.Inputs[1]
	return behind && n.Int("group") == 1 && w.HasRank && len(w.Shape) >= 3
}

func (absorbConvTranspose) Absorb(g *graph.Graph, n *graph.Node, in []*graph.Value, scale, shift *graph.Value, _ bool) []*graph.Value {
	w := in[1]
	if scale != nil {
		w = Mul(w, perChannel(scale, w))
	}
	return weights(w, scaled1(given(in, 2), scale, shift))
}

// absorbGemm: y = op(a)*op(b) + c. The channels of y are the columns of op(b), those of a its rows.
type absorbGemm struct{}

func (absorbGemm) Absorbs(n *graph.Node, behind, _ bool) bool {
	w := n.Inputs[1]
	return n.Float("alpha") == 1 && n.Float("beta") == 1 && w.HasRank && (behind || n.Int("transA") == 0)
}

func (absorbGemm) Absorb(g *graph.Graph, n *graph.Node, in []*graph.Value, scale, shift *graph.Value, behind bool) []*graph.Value {
	w, c := in[1], given(in, 2)
	if !behind && shift != nil {
		c = scaled1(c, nil, Gemm(Reshape(shift, 1, -1), w, nil, GemmOptions{TransB: n.Int("transB") != 0}))
	}
	if scale != nil {
		if behind == (n.Int("transB") != 0) {
			w = Mul(w, Reshape(scale, -1, 1))
		} else {
			w = Mul(w, scale)
		}
	}
	if behind {
		c = scaled1(c, scale, shift)
	}
	return weights(w, c)
}
