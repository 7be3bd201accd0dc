package lenet_test

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/loss"
	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/golden"
	"github.com/weft-ml/weft/models/lenet"
	"github.com/weft-ml/weft/simd"
)

// The data of testdata/golden.py, which explains it.

func weights(seed uint32, fanIn int, shape ...int) *tensor.Tensor {
	scale := 2 * math.Sqrt(3/float64(fanIn))
	return golden.Tensor(tensor.Float32, seed, shape, func(u float64) float64 { return (u - 0.5) * scale })
}

const batch, pixels = 32, 28 * 28

func batchOf(d uint32, step int) (x, y *tensor.Tensor) {
	x, y = tensor.New(tensor.Float32, batch, 1, 28, 28), tensor.New(tensor.Int64, batch)
	for b := range batch {
		k := step*batch + b
		label := int(golden.Hash(d+1, k) % 10)
		for j := range pixels {
			block := j/28/4*7 + j%28/4
			ink := golden.Unit(d+3, 49*label+block) < 0.5
			if golden.Unit(d+4, pixels*k+j) >= 0.5 {
				ink = golden.Unit(d+5, pixels*k+j) < 0.5
			}
			v := 0.25 * float32(golden.Unit(d+2, pixels*k+j))
			if ink {
				v += 0.75
			}
			x.Float32s()[b*pixels+j] = v
		}
		if golden.Unit(d+6, k) < 0.125 {
			label = int(golden.Hash(d+7, k) % 10)
		}
		y.Int64s()[b] = int64(label)
	}
	return x, y
}

// TestPyTorchLosses trains from the golden's weights on its batches with every kernel set, on one thread and on two, and
// compares the first 100 losses.
func TestPyTorchLosses(t *testing.T) {
	var want struct {
		Runs []struct {
			Name     string
			DataSeed uint32 `json:"data_seed"`
			Losses   []float64
		}
	}
	golden.Read(t, "losses", &want)
	old := simd.Current().Name
	defer simd.Use(old)
	for _, k := range simd.All() {
		if !k.Available() {
			continue
		}
		for _, r := range want.Runs {
			t.Run(k.Name+"/"+r.Name, func(t *testing.T) {
				if err := simd.Use(k.Name); err != nil {
					t.Fatal(err)
				}
				name, rate, _ := strings.Cut(r.Name, "-")
				lr, err := strconv.ParseFloat(rate, 64)
				if err != nil {
					t.Fatal(err)
				}
				opt, tolerance := optim.Optimizer(optim.SGD{}), 1e-5
				switch name {
				case "momentum":
					opt = optim.SGD{Momentum: 0.9}
				case "adam":
					opt, tolerance = optim.Adam{}, 1e-3
				}
				worst := 0.0
				steps := len(r.Losses)
				if strings.HasPrefix(k.Name, "generic") {
					steps = 8 // slow, and the same bits as the other sets of its class
				}
				for i, got := range losses(t, opt, lr, r.DataSeed, steps) {
					d := math.Abs(got-r.Losses[i]) / r.Losses[i]
					if worst = max(worst, d); !(d <= tolerance) {
						t.Fatalf("loss %d is %.9g, PyTorch's %.9g: relative difference %.2g", i, got, r.Losses[i], d)
					}
				}
				t.Logf("largest relative difference %.2g", worst)
			})
		}
	}
}

func losses(t *testing.T, opt optim.Optimizer, lr float64, dataSeed uint32, steps int) []float64 {
	t.Helper()
	g := graph.New()
	x := g.Input("x", tensor.Float32, g.Symbol("N"), 1, 28, 28)
	y := g.Input("y", tensor.Int64, g.Symbol("N"))
	logits := lenet.New([]int{1, 28, 28}, 10).Apply(nn.NewContext(g, nn.Options{Training: true}), x)
	l := loss.CrossEntropy(logits, y, loss.CrossEntropyOptions{})
	g.Output(l)
	state := optim.Minimize(l, opt, optim.Options{})
	store := graph.NewStore()
	if err := store.Init(g); err != nil {
		t.Fatal(err)
	}
	for _, w := range []struct {
		name string
		t    *tensor.Tensor
	}{
		{"conv1.weight", weights(11, 25, 6, 1, 5, 5)}, {"conv2.weight", weights(12, 150, 16, 6, 5, 5)},
		{"fc1.weight", weights(13, 256, 120, 256)}, {"fc2.weight", weights(14, 120, 10, 120)},
	} {
		v := store.Get(w.name)
		if v == nil {
			t.Fatalf("the model has no variable %s", w.name)
		}
		if !tensor.SameShape(v.Shape(), w.t.Shape()) { // dense weights are stored [in, out]
			w.t = w.t.Transpose(1, 0).Contiguous()
		}
		if err := store.Set(w.name, w.t); err != nil {
			t.Fatal(err)
		}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{})
	defer rt.Close()
	p, err := compile.Compile(rt, g, store, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	scalars := make([]float32, state.Inputs())
	var out []float64
	for step := range steps {
		bx, by := batchOf(dataSeed, step)
		state.Fill(scalars, step, lr)
		in := []*tensor.Tensor{bx, by}
		for i := range scalars {
			in = append(in, tensor.From(scalars[i:i+1]))
		}
		res, err := p.Run(in...)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, float64(res[0].Float32s()[0]))
	}
	return out
}
