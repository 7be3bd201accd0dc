package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

func draw(init nn.Initializer, seed uint64, shape []int, in, out int) []float64 {
	n := tensor.Size(shape)
	v := make([]float32, n)
	rng := random.New(seed, 1)
	init(v, shape, in, out, &rng)
	d := make([]float64, n)
	for i := range v {
		d[i] = float64(v[i])
	}
	return d
}

// Mean, variance and range of what the initialisers draw, within five standard errors or better.
func TestInitializerStatistics(t *testing.T) {
	const in, out, n = 300, 500, 40000
	for _, c := range []struct {
		name           string
		init           nn.Initializer
		mean, variance float64
		limit          float64 // of the distance from the mean
	}{
		{"Zeros", nn.Zeros, 0, 0, 0},
		{"Ones", nn.Ones, 1, 0, 0},
		{"Constant", nn.Constant(0.25), 0.25, 0, 0},
		{"Uniform", nn.Uniform(-1, 3), 1, 16.0 / 12, 2},
		{"Normal", nn.Normal(2, 0.5), 2, 0.25, 4.5},
		{"TruncatedNormal", nn.TruncatedNormal(-1, 2), -1, 4 * 0.87962566103423978 * 0.87962566103423978, 4},
		{"GlorotUniform", nn.GlorotUniform, 0, 2.0 / (in + out), math.Sqrt(6.0 / (in + out))},
		{"GlorotNormal", nn.GlorotNormal, 0, 2.0 / (in + out), 2 * math.Sqrt(2.0/(in+out)) / 0.8796},
		{"HeUniform", nn.HeUniform, 0, 2.0 / in, math.Sqrt(6.0 / in)},
		{"HeNormal", nn.HeNormal, 0, 2.0 / in, 2 * math.Sqrt(2.0/in) / 0.8796},
		{"LeCunUniform", nn.LeCunUniform, 0, 1.0 / in, math.Sqrt(3.0 / in)},
		{"LeCunNormal", nn.LeCunNormal, 0, 1.0 / in, 2 * math.Sqrt(1.0/in) / 0.8796},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := draw(c.init, 11, []int{n / 100, 100}, in, out)
			mean, sq, far := 0.0, 0.0, 0.0
			for _, x := range v {
				mean += x / n
			}
			for _, x := range v {
				sq += (x - mean) * (x - mean) / n
				far = max(far, math.Abs(x-c.mean))
			}
			if math.Abs(mean-c.mean) > 5*math.Sqrt(c.variance/n)+1e-7 {
				t.Errorf("mean %v, want %v", mean, c.mean)
			}
			if math.Abs(sq-c.variance) > 0.035*c.variance+1e-20 {
				t.Errorf("variance %v, want %v", sq, c.variance)
			}
			if far > c.limit*(1+1e-6) {
				t.Errorf("an element lies %v from the mean, want at most %v", far, c.limit)
			}
			if c.variance > 0 {
				if !slices.Equal(v, draw(c.init, 11, []int{n / 100, 100}, in, out)) {
					t.Error("the same seed gives other elements")
				}
				if slices.Equal(v, draw(c.init, 12, []int{n / 100, 100}, in, out)) {
					t.Error("another seed gives the same elements")
				}
			}
		})
	}
}

func TestOrthogonal(t *testing.T) {
	for _, shape := range [][]int{{8, 8}, {20, 7}, {7, 20}, {6, 3, 5, 5}, {1, 9}, {9, 1}, {0, 4}} {
		const gain = 1.5
		v := draw(nn.Orthogonal(gain), 3, shape, 1, 1)
		rows := shape[0]
		if rows == 0 {
			continue
		}
		cols := len(v) / rows
		// The shorter side's vectors are orthogonal and of length gain.
		k, n, at := rows, cols, func(i, j int) float64 { return v[i*cols+j] }
		if rows > cols {
			k, n, at = cols, rows, func(i, j int) float64 { return v[j*cols+i] }
		}
		for a := range k {
			for b := range k {
				dot, want := 0.0, 0.0
				for j := range n {
					dot += at(a, j) * at(b, j)
				}
				if a == b {
					want = gain * gain
				}
				if math.Abs(dot-want) > 1e-5 {
					t.Fatalf("%v: product of vectors %d and %d is %v, want %v", shape, a, b, dot, want)
				}
			}
		}
	}
	var err error
	func() {
		defer tensor.Catch(&err)
		draw(nn.Orthogonal(1), 1, []int{4}, 1, 1)
	}()
	if err == nil {
		t.Error("a vector has no orthogonal initialisation")
	}
}
