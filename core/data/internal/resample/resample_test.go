package resample_test

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/data/internal/resample"
)

func TestPlane(t *testing.T) {
	for _, c := range []struct {
		name           string
		sw, sh, dw, dh int
		src, want      []float32
	}{
		{"same", 2, 1, 2, 1, []float32{1, 2}, []float32{1, 2}},
		{"halve", 4, 2, 2, 1, []float32{1, 3, 5, 7, 1, 3, 5, 7}, []float32{2, 6}},
		{"three to two", 3, 1, 2, 1, []float32{3, 6, 9}, []float32{4, 8}},
		{"double", 2, 1, 4, 1, []float32{0, 4}, []float32{0, 1, 3, 4}},
		{"from one pixel", 1, 1, 2, 2, []float32{7}, []float32{7, 7, 7, 7}},
		{"shrink and grow", 2, 1, 1, 2, []float32{2, 4}, []float32{3, 3}},
	} {
		got := make([]float32, c.dw*c.dh)
		resample.Plane(got, c.dw, c.dh, c.src, c.sw, c.sh)
		for i := range got {
			if math.Abs(float64(got[i]-c.want[i])) > 1e-6 {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
				break
			}
		}
	}
}

// TestConstantStaysConstant covers many ratios: weights sum to one and stay inside.
func TestConstantStaysConstant(t *testing.T) {
	for from := 1; from <= 40; from++ {
		for to := 1; to <= 40; to++ {
			src, dst := slices.Repeat([]float32{0.5}, from), make([]float32, to)
			resample.Plane(dst, to, 1, src, from, 1)
			resample.Plane(dst, 1, to, src, 1, from)
			for _, v := range dst {
				if math.Abs(float64(v)-0.5) > 1e-6 {
					t.Fatalf("%d to %d: %v", from, to, dst)
				}
			}
		}
	}
}
