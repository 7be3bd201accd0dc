package op_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestIndexKernels compares the kernels of what picks, places, sorts and adds up by indices with the reference, bit by bit, on tensors
// of several tiles, with equal elements, zeros of both signs, NaNs and infinities.
func TestIndexKernels(t *testing.T) {
	cases := map[string]func(b *sampleBuilder) []value{
		"OneHot": func(b *sampleBuilder) []value { return []value{op.OneHot(b.ints(tensor.Int64, 3, 50), 7, -1, -1, 2.5)} },
		"GatherND": func(b *sampleBuilder) []value {
			return []value{op.GatherND(wild(b, 10, 10, 33), b.ints(tensor.Int64, 40, 2), 0)}
		},
		"ScatterND": func(b *sampleBuilder) []value {
			return []value{op.ScatterND(wild(b, 10, 10, 33), b.ints(tensor.Int64, 40, 2), wild(b, 40, 33), "")}
		},
		"Gather": func(b *sampleBuilder) []value {
			return []value{op.Gather(wild(b, 900, 10), b.ints(tensor.Int32, 300), 1)}
		},
		"batches": func(b *sampleBuilder) []value {
			return []value{op.GatherND(wild(b, 4, 10, 9), b.ints(tensor.Int64, 4, 6, 1), 1)}
		},
	}
	for _, reduction := range []string{"none", "add", "mul", "max", "min"} {
		for axis, shape := range [][]int{{10, 60, 50}, {600, 10, 11}, {600, 21, 10}} {
			ix := append([]int{}, shape...)
			ix[axis] = 13
			cases[fmt.Sprint("ScatterElements ", reduction, axis)] = func(b *sampleBuilder) []value {
				return []value{op.ScatterElements(wild(b, shape...), b.ints(tensor.Int64, ix...), wild(b, ix...), axis, reduction)}
			}
			cases[fmt.Sprint("GatherElements ", axis)] = func(b *sampleBuilder) []value {
				return []value{op.GatherElements(wild(b, shape...), b.ints(tensor.Int32, ix...), axis)}
			}
		}
		cases["ScatterND "+reduction] = func(b *sampleBuilder) []value {
			return []value{op.ScatterND(wild(b, 10, 7), b.ints(tensor.Int64, 40, 1), wild(b, 40, 7), reduction)}
		}
	}
	for axis := range 3 {
		for _, flag := range []bool{false, true} {
			cases[fmt.Sprint("TopK ", axis, flag)] = func(b *sampleBuilder) []value {
				v, i := op.TopK(wild(b, 40, 30, 70), 9, axis, flag)
				return []value{v, i}
			}
			cases[fmt.Sprint("CumSum ", axis, flag)] = func(b *sampleBuilder) []value {
				x := b.floats(40, 30, 7)
				return []value{op.CumSum(x, axis, flag, false), op.CumSum(x, axis, flag, true)}
			}
			cases[fmt.Sprint("ArgMax ", axis, flag)] = func(b *sampleBuilder) []value {
				x := wild(b, 40, 50, 70)
				return []value{op.ArgMax(x, axis, flag), op.ArgMin(b.floats(40, 50, 70), axis, flag)}
			}
		}
	}
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 3})
	defer rt.Close()
	for name, f := range cases {
		t.Run(name, func(t *testing.T) {
			b := &sampleBuilder{g: graph.New(), r: rand.New(rand.NewSource(3))}
			b.g.Outputs = f(b)
			want, err := graph.Eval(b.g, nil, b.data, nil)
			if err != nil {
				t.Fatal(err)
			}
			p, err := compile.Compile(rt, b.g, nil, compile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			got, err := p.Run(b.data...)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range p.Steps() {
				if s.Kernel == "Ref" {
					t.Errorf("%s runs the reference", s.Operator)
				}
			}
			for i, w := range want {
				if bytes.Equal(got[i].Bytes(), w.Contiguous().Bytes()) || w.DType() != tensor.Float32 {
					if w.DType() != tensor.Float32 && !bytes.Equal(got[i].Bytes(), w.Contiguous().Bytes()) {
						t.Errorf("output %d differs", i)
					}
					continue
				}
				for j, v := range w.Contiguous().Float32s() {
					// The reference adds up in float64.
					if g := got[i].Float32s()[j]; g != v && (g == g || v == v) && !(math.Abs(float64(g-v)) <= 1e-5*math.Max(1, math.Abs(float64(v)))) {
						t.Fatalf("output %d: [%d] = %v, want %v", i, j, g, v)
					}
				}
			}
		})
	}
}

// wild adds float32s of a few values, so that many are equal, among them special ones.
func wild(b *sampleBuilder, shape ...int) value {
	x := tensor.New(tensor.Float32, shape...)
	for i := range x.Float32s() {
		x.Float32s()[i] = []float32{0, float32(math.Copysign(0, -1)), 1, 2, -1, 0.5, 3, 4, -2.5}[b.r.Intn(9)]
		if b.r.Intn(200) == 0 {
			x.Float32s()[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}[b.r.Intn(3)]
		}
	}
	return b.input(x)
}

// TestIndexOutside: an index outside its axis ends the run with an error.
func TestIndexOutside(t *testing.T) {
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 1})
	defer rt.Close()
	for name, f := range map[string]func(x, i value) value{
		"GatherElements":  func(x, i value) value { return op.GatherElements(x, i, 0) },
		"ScatterElements": func(x, i value) value { return op.ScatterElements(x, i, x, 0, "") },
		"GatherND":        func(x, i value) value { return op.GatherND(x, op.Unsqueeze(i, 1), 0) },
		"ScatterND":       func(x, i value) value { return op.ScatterND(x, op.Unsqueeze(i, 1), x, "add") },
	} {
		g := graph.New()
		g.Output(f(g.Input("x", tensor.Float32, 3), g.Input("i", tensor.Int64, 3)))
		p, err := compile.Compile(rt, g, nil, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.Run(tensor.From([]float32{1, 2, 3}, 3), tensor.From([]int64{0, 3, 1}, 3))
		if err == nil || !strings.Contains(err.Error(), "outside") {
			t.Errorf("%s: %v, want an error about an index outside", name, err)
		}
		p.Close()
	}
}
