package simd_test

import (
	"fmt"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// BenchmarkVec measures vector kernels of every set on slices that fit the first-level cache.
func BenchmarkVec(b *testing.B) {
	const n = 4096
	x, y, z, w, g := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range x {
		x[i], y[i], g[i] = float32(i%97)/16-3, float32(i%31)/8+0.5, float32(i%13)/100
	}
	out := make([]float32, n)
	was := simd.Current().Name
	defer use(b, was)
	pool := &simd.PoolShape{Planes: 192, H: 24, W: 24, KH: 2, KW: 2, OH: 12, OW: 12, SH: 2, SW: 2}
	px, py, pd := make([]float32, 192*24*24), make([]float32, 192*12*12), make([]float32, 192*24*24)
	for i := range px {
		px[i] = float32(i*7919%1000) / 100
	}
	labels, loss := make([]int32, 32), make([]float32, 32)
	cases := []struct {
		name string
		n    int
		f    func()
	}{
		{"Add", n, func() { simd.Zip(simd.Add, out, x, y) }},
		{"Relu", n, func() { simd.Map(simd.Relu, out, x, 0, 0) }},
		{"ReluGrad", n, func() { simd.Zip(simd.ReluGrad, out, x, y) }},
		{"Exp", n, func() { simd.Map(simd.Exp, out, x, 0, 0) }},
		{"Log", n, func() { simd.Map(simd.Log, out, y, 0, 0) }},
		{"Tanh", n, func() { simd.Map(simd.Tanh, out, x, 0, 0) }},
		{"Sigmoid", n, func() { simd.Map(simd.Sigmoid, out, x, 0, 0) }},
		{"Gelu", n, func() { simd.Map(simd.Gelu, out, x, 0, 0) }},
		{"Silu", n, func() { simd.Map(simd.Silu, out, x, 0, 0) }},
		{"Erf", n, func() { simd.Map(simd.Erf, out, x, 0, 0) }},
		{"Sin", n, func() { simd.Map(simd.Sin, out, x, 0, 0) }},
		{"Sinh", n, func() { simd.Map(simd.Sinh, out, x, 0, 0) }},
		{"Acos", n, func() { simd.Map(simd.Acos, out, x, 0, 0) }},
		{"Atan", n, func() { simd.Map(simd.Atan, out, x, 0, 0) }},
		{"Asinh", n, func() { simd.Map(simd.Asinh, out, x, 0, 0) }},
		{"Pow", n, func() { simd.Zip(simd.Pow, out, y, x) }},
		{"PowScalar", n, func() { simd.ZipScalar(simd.Pow, out, y, 2.2) }},
		{"Dot", n, func() { out[0] = simd.Dot(x, y) }},
		{"Sum", n, func() { simd.ReduceInner(simd.Sum, out, x, 1, n) }},
		{"Softmax", n, func() { simd.Softmax(out, x, 1, n) }},
		{"LayerNorm", n, func() { simd.LayerNorm(out, nil, nil, x, y, g, 1, n, 1e-5) }},
		{"CrossEntropy32x10", 320, func() { simd.CrossEntropy(loss, out, x, labels, 32, 10, 1.0/32, -1) }},
		{"SGD", n, func() { simd.SGD(out, g, nil, &simd.SGDOptions{Scale: 1, LR: 1e-9}) }},
		{"Momentum", n, func() { simd.SGD(out, g, z, &simd.SGDOptions{Scale: 1, LR: 1e-9, Momentum: 0.9}) }},
		{"Adam", n, func() {
			simd.Adam(out, g, z, w, &simd.AdamOptions{Scale: 1, LR: 1e-9, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Correction1: 0.1, Correction2: 0.001})
		}},
		{"MaxPool192x24x24", len(px), func() { simd.MaxPool2D(pool, py, nil, px, 0, 192, nil) }},
		{"MaxPoolReluGrad192x24x24", len(px), func() { simd.MaxPool2DGrad(pool, pd, py, px, true, 0, 192, nil) }},
		{"ReluGrad192x24x24", len(px), func() { simd.Zip(simd.ReluGrad, pd, pd, px) }},
		{"MaxPoolGrad192x24x24", len(px), func() { simd.MaxPool2DGrad(pool, pd, py, px, false, 0, 192, nil) }},
		{"Transpose64x64", n, func() { simd.Transpose(out, x, 64, 64, 64, 64) }},
		{"FillUniform", n, func() { simd.FillUniform(out, 1, 2, 0, 0, 1) }},
		{"FillNormal", n, func() { simd.FillNormal(out, 1, 2, 0, 0, 1) }},
	}
	for _, k := range simd.All() {
		if !k.Available() {
			continue
		}
		use(b, k.Name)
		for _, c := range cases {
			b.Run(fmt.Sprintf("%s/%s", k.Name, c.name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.f()
				}
				b.ReportMetric(float64(c.n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Melem/s")
			})
		}
	}
}
