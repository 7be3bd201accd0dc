package keras_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/nn"
	"github.com/weft-ml/weft/core/nn/keras"
	"github.com/weft-ml/weft/core/tensor"
)

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// kerasRNN computes a recurrent layer from its weights in Keras's layouts, step by step: all states [N][T][units] in the order in which they are computed.
func kerasRNN(kind string, x, kernel, recurrent, bias *tensor.Tensor, resetAfter, back bool) [][][]float64 {
	n, steps, d := x.Shape()[0], x.Shape()[1], x.Shape()[2]
	units := recurrent.Shape()[0]
	out := make([][][]float64, n)
	for i := range n {
		h, c := make([]float64, units), make([]float64, units)
		for s := range steps {
			t := s
			if back {
				t = steps - 1 - s
			}
			in := func(col int) (v float64) {
				for k := range d {
					v += at(x, i, t, k) * at(kernel, k, col)
				}
				return v
			}
			again := func(h []float64, col int) (v float64) {
				for k := range units {
					v += h[k] * at(recurrent, k, col)
				}
				return v
			}
			next := make([]float64, units)
			for j := range units {
				gate := func(g int) float64 { return in(g*units+j) + again(h, g*units+j) + at(bias, g*units+j) }
				switch kind {
				case "simpleRNN":
					next[j] = math.Tanh(gate(0))
				case "lstm":
					c[j] = sigmoid(gate(1))*c[j] + sigmoid(gate(0))*math.Tanh(gate(2))
					next[j] = sigmoid(gate(3)) * math.Tanh(c[j])
				case "gru":
					b := func(row, g int) float64 {
						if resetAfter {
							return at(bias, row, g*units+j)
						}
						return at(bias, g*units+j) * float64(1-row)
					}
					z := sigmoid(in(j) + again(h, j) + b(0, 0) + b(1, 0))
					var candidate float64
					if resetAfter {
						r := sigmoid(in(units+j) + again(h, units+j) + b(0, 1) + b(1, 1))
						candidate = math.Tanh(in(2*units+j) + b(0, 2) + r*(again(h, 2*units+j)+b(1, 2)))
					} else {
						rh := make([]float64, units)
						for k := range units {
							rh[k] = h[k] * sigmoid(in(units+k)+again(h, units+k)+at(bias, units+k))
						}
						candidate = math.Tanh(in(2*units+j) + again(rh, 2*units+j) + b(0, 2))
					}
					next[j] = z*h[j] + (1-z)*candidate
				}
			}
			h = next
			out[i] = append(out[i], h)
		}
	}
	return out
}

func TestRecurrent(t *testing.T) {
	const n, steps, d, units = 2, 4, 3, 5
	x := input(n, steps, d)
	for _, kind := range []string{"simpleRNN", "gru", "lstm"} {
		for _, after := range []bool{true, false} {
			for _, back := range []bool{false, true} {
				c := cfg{"units": float64(units), "goBackwards": back, "inputShape": list(steps, d)}
				if kind == "gru" {
					c["resetAfter"] = after
				}
				b := sequential(t, keras.Spec{Kind: kind, Name: "r", Config: c})
				states := kerasRNN(kind, x, b.weight(t, "r/kernel"), b.weight(t, "r/recurrent_kernel"), b.weight(t, "r/bias"), after, back)
				compare(t, b.run(t, x), []int{n, units}, func(i []int) float64 { return states[i[0]][steps-1][i[1]] })
				c["returnSequences"] = true
				all := sequential(t, keras.Spec{Kind: kind, Name: "r", Config: c})
				compare(t, all.run(t, x), []int{n, steps, units}, func(i []int) float64 { return states[i[0]][i[1]][i[2]] })
			}
		}
	}
}

func TestBidirectional(t *testing.T) {
	const n, steps, d, units = 2, 4, 3, 2
	x := input(n, steps, d)
	for _, merge := range []string{"concat", "sum", "ave", "mul"} {
		for _, sequences := range []bool{false, true} {
			inner := map[string]any{"className": "LSTM", "config": map[string]any{"units": float64(units), "returnSequences": sequences}}
			b := sequential(t, keras.Spec{Kind: "bidirectional", Name: "b", Config: cfg{"layer": inner, "mergeMode": merge, "inputShape": list(steps, d)}})
			var states [2][][][]float64
			for k, dir := range []string{"b/forward_lstm/", "b/backward_lstm/"} {
				states[k] = kerasRNN("lstm", x, b.weight(t, dir+"kernel"), b.weight(t, dir+"recurrent_kernel"), b.weight(t, dir+"bias"), false, k == 1)
			}
			// Of the second direction the state at a time is that of step steps-1-time.
			value := func(i, s, u int) float64 {
				if merge == "concat" {
					if u < units {
						return states[0][i][s][u]
					}
					return states[1][i][steps-1-s][u-units]
				}
				a, b := states[0][i][s][u], states[1][i][steps-1-s][u]
				return map[string]float64{"sum": a + b, "ave": (a + b) / 2, "mul": a * b}[merge]
			}
			width := units
			if merge == "concat" {
				width = 2 * units
			}
			if sequences {
				compare(t, b.run(t, x), []int{n, steps, width}, func(i []int) float64 { return value(i[0], i[1], i[2]) })
				continue
			}
			compare(t, b.run(t, x), []int{n, width}, func(i []int) float64 {
				if merge == "concat" && i[1] >= units {
					return states[1][i[0]][steps-1][i[1]-units]
				}
				a, b := states[0][i[0]][steps-1][i[1]], states[1][i[0]][steps-1][i[1]%units]
				return map[string]float64{"concat": a, "sum": a + b, "ave": (a + b) / 2, "mul": a * b}[merge]
			})
		}
	}
}

func TestTimeDistributed(t *testing.T) {
	x := input(2, 3, 4, 4, 2)
	conv := map[string]any{"kind": "conv2d", "config": map[string]any{"filters": 3.0, "kernelSize": 2.0}}
	b := sequential(t, keras.Spec{Kind: "timeDistributed", Name: "t", Config: cfg{"layer": conv, "inputShape": list(3, 4, 4, 2)}})
	k, bias := b.weight(t, "t/kernel"), b.weight(t, "t/bias")
	compare(t, b.run(t, x), []int{2, 3, 3, 3, 3}, func(i []int) float64 {
		sum := at(bias, i[4])
		for h := range 2 {
			for w := range 2 {
				for c := range 2 {
					sum += at(x, i[0], i[1], i[2]+h, i[3]+w, c) * at(k, h, w, c, i[4])
				}
			}
		}
		return sum
	})
}

// TestRecurrentWeights looks at the initial weights: an orthogonal recurrent kernel, and forget gates that remember.
func TestRecurrentWeights(t *testing.T) {
	m, err := keras.Sequential("m", seq{layer("lstm", cfg{"units": 3.0, "inputShape": list(4, 2)})})
	if err != nil {
		t.Fatal(err)
	}
	b := build(t, m, err)
	r := b.weight(t, "lstm/recurrent_kernel")
	if !tensor.SameShape(r.Shape(), []int{3, 12}) {
		t.Fatalf("recurrent kernel %v", r.Shape())
	}
	for i := range 3 {
		for j := range 3 {
			dot, want := 0.0, 0.0
			for k := range 12 {
				dot += at(r, i, k) * at(r, j, k)
			}
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-6 {
				t.Errorf("rows %d and %d have the product %v", i, j, dot)
			}
		}
	}
	n, err := m.Network()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range n.Inference(nn.Options{}).Vars {
		if v.Name == "lstm/bias" { // i, o, f, c here
			for i, x := range v.Init.Float32s() {
				if want := float32(0); x != want && i/3 != 2 || i/3 == 2 && x != 1 {
					t.Errorf("bias %d is %v", i, x)
				}
			}
		}
	}
	for _, w := range m.Weights() {
		v := input(w.Shape...)
		if err := w.Set(b.store, v); err != nil {
			t.Fatal(err)
		}
		got, err := w.Get(b.store)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range v.Float32s() {
			if got.Float32s()[i] != x {
				t.Fatalf("%s: element %d is %v, want %v", w.Name, i, got.Float32s()[i], x)
			}
		}
	}
}
