package nn

import (
	"math"

	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Initializer fills the elements of a new weight of the given shape. fanIn and fanOut are the numbers
// of inputs that one output unit reads and of outputs that one input unit feeds.
type Initializer func(dst []float32, shape []int, fanIn, fanOut int, rng *random.Source)

// Zeros fills with 0.
func Zeros(dst []float32, _ []int, _, _ int, _ *random.Source) { clear(dst) }

// Ones fills with 1.
func Ones(dst []float32, shape []int, fanIn, fanOut int, rng *random.Source) {
	Constant(1)(dst, shape, fanIn, fanOut, rng)
}

// Constant fills with v.
func Constant(v float32) Initializer {
	return func(dst []float32, _ []int, _, _ int, _ *random.Source) {
		for i := range dst {
			dst[i] = v
		}
	}
}

// Uniform draws from [lo, hi).
func Uniform(lo, hi float64) Initializer {
	return func(dst []float32, _ []int, _, _ int, rng *random.Source) {
		for i := range dst {
			dst[i] = float32(rng.Uniform(lo, hi))
		}
	}
}

// Normal draws from a normal distribution.
func Normal(mean, std float64) Initializer {
	return func(dst []float32, _ []int, _, _ int, rng *random.Source) {
		for i := range dst {
			dst[i] = float32(mean + float64(std*rng.Normal()))
		}
	}
}

// TruncatedNormal draws from a normal distribution and draws again what lies more than two standard
// deviations from the mean.
func TruncatedNormal(mean, std float64) Initializer {
	return func(dst []float32, _ []int, _, _ int, rng *random.Source) {
		for i := range dst {
			z := rng.Normal()
			for z < -2 || z > 2 {
				z = rng.Normal()
			}
			dst[i] = float32(mean + float64(std*z))
		}
	}
}

// scaled is variance scaling: gain/fan is the variance of what is drawn.
func scaled(gain float64, fan func(in, out int) float64, normal bool) Initializer {
	return func(dst []float32, shape []int, fanIn, fanOut int, rng *random.Source) {
		v := gain / max(fan(fanIn, fanOut), 1)
		if normal {
			// 0.8796... is the standard deviation of a normal distribution cut at two deviations.
			TruncatedNormal(0, math.Sqrt(v)/0.87962566103423978)(dst, shape, fanIn, fanOut, rng)
			return
		}
		limit := math.Sqrt(3 * v)
		Uniform(-limit, limit)(dst, shape, fanIn, fanOut, rng)
	}
}

func fanIn(in, _ int) float64     { return float64(in) }
func fanMean(in, out int) float64 { return float64(in+out) / 2 }

// GlorotUniform is uniform with variance 2/(fanIn+fanOut) (Glorot, Bengio, AISTATS 2010).
func GlorotUniform(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(1, fanMean, false)(dst, shape, in, out, rng)
}

// GlorotNormal is truncated normal with variance 2/(fanIn+fanOut).
func GlorotNormal(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(1, fanMean, true)(dst, shape, in, out, rng)
}

// HeUniform is uniform with variance 2/fanIn (He et al., ICCV 2015), for layers before a ReLU.
func HeUniform(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(2, fanIn, false)(dst, shape, in, out, rng)
}

// HeNormal is truncated normal with variance 2/fanIn.
func HeNormal(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(2, fanIn, true)(dst, shape, in, out, rng)
}

// LeCunUniform is uniform with variance 1/fanIn (LeCun et al., "Efficient BackProp", 1998).
func LeCunUniform(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(1, fanIn, false)(dst, shape, in, out, rng)
}

// LeCunNormal is truncated normal with variance 1/fanIn, as SELU networks want.
func LeCunNormal(dst []float32, shape []int, in, out int, rng *random.Source) {
	scaled(1, fanIn, true)(dst, shape, in, out, rng)
}

// Orthogonal fills the weight, seen as a matrix [shape[0], rest], with orthonormal rows or columns, whichever are fewer,
// times gain (Saxe et al., ICLR 2014): normal random vectors made orthogonal by the modified Gram-Schmidt process in float64, in one order and without fused
// operations, so that the bits are the same everywhere.
func Orthogonal(gain float64) Initializer {
	return func(dst []float32, shape []int, _, _ int, rng *random.Source) {
		if len(shape) < 2 {
			tensor.Fail("nn.Orthogonal", "needs a weight of two or more dimensions, not ", shape)
		}
		rows := shape[0]
		cols := len(dst) / max(rows, 1)
		if len(dst) == 0 {
			return
		}
		m, n := max(rows, cols), min(rows, cols) // n vectors of m elements
		a := make([]float64, m*n)
		for i := range m {
			for j := range n {
				a[j*m+i] = rng.Normal()
			}
		}
		for j := range n {
			v := a[j*m : j*m+m]
			scale := 1 / math.Sqrt(dot(v, v))
			for i := range v {
				v[i] = float64(v[i] * scale)
			}
			for k := j + 1; k < n; k++ {
				u := a[k*m : k*m+m]
				r := dot(v, u)
				for i, x := range v {
					u[i] -= float64(r * x)
				}
			}
		}
		for j := range n {
			for i := range m {
				v := float32(a[j*m+i] * gain)
				if rows >= cols {
					dst[i*cols+j] = v
				} else {
					dst[j*cols+i] = v
				}
			}
		}
	}
}

// dot is the inner product, in four sums that are added at the end.
func dot(a, b []float64) float64 {
	var s [4]float64
	b = b[:len(a)]
	for ; len(a) >= 4; a, b = a[4:], b[4:] {
		s[0] += float64(a[0] * b[0])
		s[1] += float64(a[1] * b[1])
		s[2] += float64(a[2] * b[2])
		s[3] += float64(a[3] * b[3])
	}
	for i, x := range a {
		s[0] += float64(x * b[i])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
