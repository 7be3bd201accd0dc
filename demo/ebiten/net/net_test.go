package net_test

import (
	"slices"
	"testing"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/demo/ebiten/net"
	"github.com/weft-ml/weft/models/lenet/weights"
)

func sample(t testing.TB, i int) (x [net.Size * net.Size]float32) {
	t.Helper()
	if _, err := digits.New(digits.Options{Seed: 1, Test: true}).Read(0, i, x[:], nil); err != nil {
		t.Fatal(err)
	}
	return x
}

// TestInside: the layers of LeNet in order, after their activations, and the logits last, the same as those of an answer.
func TestInside(t *testing.T) {
	n, err := net.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	x := sample(t, 3)
	logits, err := n.Answer(&x)
	if err != nil {
		t.Fatal(err)
	}
	layers, err := n.Inside(&x)
	if err != nil {
		t.Fatal(err)
	}
	want := []net.Layer{{Name: "Convolution", Shape: []int{6, 24, 24}}, {Name: "Max pooling", Shape: []int{6, 12, 12}},
		{Name: "Convolution", Shape: []int{16, 8, 8}}, {Name: "Max pooling", Shape: []int{16, 4, 4}},
		{Name: "Dense", Shape: []int{120}}, {Name: "Dense", Shape: []int{10}}}
	if len(layers) != len(want) {
		t.Fatalf("%d layers, want %d", len(layers), len(want))
	}
	for i, l := range layers {
		if l.Name != want[i].Name || !slices.Equal(l.Shape, want[i].Shape) {
			t.Errorf("layer %d is %s %v, want %s %v", i, l.Name, l.Shape, want[i].Name, want[i].Shape)
		}
		if i < len(layers)-1 && slices.Min(l.Data) < 0 {
			t.Errorf("layer %d is shown before its ReLU", i)
		}
	}
	if !slices.Equal(layers[len(layers)-1].Data, logits[:]) {
		t.Errorf("logits %v inside, %v as the answer", layers[len(layers)-1].Data, logits)
	}
	if best := slices.Index(logits[:], slices.Max(logits[:])); best != 3 {
		t.Errorf("a 3 is read as %d", best)
	}
}

// TestSetWeights: other weights give other answers at once, and their own again; a file that does not fit changes nothing.
func TestSetWeights(t *testing.T) {
	n, err := net.Load(weights.MNIST)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	x := sample(t, 7)
	before, _ := n.Answer(&x)
	if err := n.SetWeights([]byte("no model")); err == nil {
		t.Error("text was taken for a model")
	}
	if after, _ := n.Answer(&x); after != before {
		t.Error("a file that is no model changed the answer")
	}
	if err := n.SetWeights(weights.MNIST); err != nil {
		t.Fatal(err)
	}
	if after, _ := n.Answer(&x); after != before {
		t.Error("the same weights give another answer")
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, []byte("no model"), weights.MNIST[:1000]} {
		if n, err := net.Load(b); err == nil {
			n.Close()
			t.Errorf("%d bytes were taken for a model", len(b))
		}
	}
}

// loaded gives the network and a digit for it.
func loaded(b *testing.B) (*net.Net, [net.Size * net.Size]float32) {
	n, err := net.Load(weights.MNIST)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(n.Close)
	return n, sample(b, 7)
}

func BenchmarkAnswer(b *testing.B) {
	n, x := loaded(b)
	for b.Loop() {
		if _, err := n.Answer(&x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInside(b *testing.B) {
	n, x := loaded(b)
	for b.Loop() {
		if _, err := n.Inside(&x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSetWeights(b *testing.B) {
	n, x := loaded(b)
	for b.Loop() {
		if err := n.SetWeights(weights.MNIST); err != nil {
			b.Fatal(err)
		}
		if _, err := n.Answer(&x); err != nil { // which packs them
			b.Fatal(err)
		}
	}
}
