package augment_test

import (
	"math"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
)

// source holds 20 images of 12x12 with a bright square, of four classes.
func source(t testing.TB) data.Source {
	t.Helper()
	const n, s = 20, 12
	x, labels := make([]float32, n*s*s), make([]int64, n)
	for i := range n {
		labels[i] = int64(i % 4)
		for y := 3; y < 7; y++ {
			for c := 3 + i%4; c < 7+i%4; c++ {
				x[i*s*s+y*s+c] = 1
			}
		}
	}
	m, err := data.NewMemory(data.Spec{Shape: []int{1, s, s}, Classes: 4}, x, labels, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func read(t testing.TB, s data.Source, epoch, i int) (x, target []float32, label int64) {
	t.Helper()
	spec := s.Spec()
	x, target = make([]float32, spec.Size()), make([]float32, spec.Targets)
	label, err := s.Read(epoch, i, x, target)
	if err != nil {
		t.Fatal(err)
	}
	return x, target, label
}

func mean(x []float32) (sum, cx, cy float64) {
	for i, v := range x {
		sum += float64(v)
		cx += float64(v) * float64(i%12)
		cy += float64(v) * float64(i/12)
	}
	return sum, cx / sum, cy / sum
}

func build(t testing.TB, spec string) data.Source {
	t.Helper()
	o, err := augment.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	s, err := o.Source(source(t), 7)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEachKind(t *testing.T) {
	plain, _, _ := read(t, source(t), 0, 0)
	sum0, cx0, cy0 := mean(plain)
	for _, spec := range []string{"shift=2", "rotate=20", "scale=0.2", "shear=15", "crop=2", "fliph=1", "flipv=0.5", "elastic=1.5", "noise=0.1", "cutout=4", "mixup=0.4", "shift=1,rotate=5,elastic=1,smooth=3,noise=0.02"} {
		t.Run(spec, func(t *testing.T) {
			s := build(t, spec)
			differs := false
			for epoch := range 6 {
				x, target, label := read(t, s, epoch, 0)
				again, _, _ := read(t, s, epoch, 0)
				for i := range x {
					if x[i] != again[i] {
						t.Fatal("the same sample of the same epoch differs")
					}
					if !(x[i] >= 0 && x[i] <= 1) {
						t.Fatalf("pixel %d is %v", i, x[i])
					}
					differs = differs || x[i] != plain[i]
				}
				if spec == "mixup=0.4" {
					total := float32(0)
					for _, v := range target {
						total += v
					}
					if math.Abs(float64(total-1)) > 1e-6 {
						t.Errorf("targets sum to %v", total)
					}
				} else if label != 0 {
					t.Errorf("label %d, want 0", label)
				}
				sum, cx, cy := mean(x)
				if spec == "shift=2" && (math.Abs(sum-sum0) > 0.01 || math.Abs(cx-cx0) > 2.01 || math.Abs(cy-cy0) > 2.01) {
					t.Errorf("ink %v at (%v, %v), was %v at (%v, %v)", sum, cx, cy, sum0, cx0, cy0)
				}
				if spec == "fliph=1" && math.Abs(cx-(11-cx0)) > 1e-3 {
					t.Errorf("the flip has its centre at %v, want %v", cx, 11-cx0)
				}
			}
			if !differs {
				t.Error("six epochs show the plain image")
			}
		})
	}
}

func TestConcurrentReadsAgree(t *testing.T) {
	s := build(t, "shift=2,rotate=10,elastic=1")
	want := make([][]float32, 20)
	for i := range want {
		want[i], _, _ = read(t, s, 1, i)
	}
	done := make(chan int)
	for g := range 4 {
		go func() {
			bad := 0
			x := make([]float32, 144)
			for k := range 20 {
				i := (k*7 + g) % 20
				if _, err := s.Read(1, i, x, nil); err != nil {
					bad++
				}
				for p := range x {
					if x[p] != want[i][p] {
						bad++
					}
				}
			}
			done <- bad
		}()
	}
	for range 4 {
		if bad := <-done; bad != 0 {
			t.Errorf("%d differences between goroutines", bad)
		}
	}
}

func TestBadSpecifications(t *testing.T) {
	for spec, want := range map[string]string{
		"spin=3": "is not one of", "rotate": "takes a number", "rotate=x": "takes a number", "rotate=-1": "of 0 to 180", "rotate=1e9": "of 0 to 180",
		"cutout=1.5": "whole number", "shift=1,shift=2": "twice", "": "is not one of", "noise=NaN": "takes a number",
	} {
		if _, err := augment.Parse(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", spec, err, want)
		}
	}
	if _, err := (augment.Options{CutOut: 13}).Source(source(t), 1); err == nil || !strings.Contains(err.Error(), "smaller than the image") {
		t.Errorf("a cut-out larger than the image: error %v", err)
	}
}

// TestTargetsPass holds that samples with target vectors keep them.
func TestTargetsPass(t *testing.T) {
	m, err := data.NewMemory(data.Spec{Shape: []int{1, 4, 4}, Targets: 2}, make([]float32, 32), nil, []float32{1, 2, 3, 4})
	if err != nil {
		t.Fatal(err)
	}
	s, err := (augment.Options{Shift: 1}).Source(m, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, target, _ := read(t, s, 0, 1); target[0] != 3 || target[1] != 4 {
		t.Errorf("targets %v, want [3 4]", target)
	}
}

// TestBits holds the bits that every target must give.
func TestBits(t *testing.T) {
	h := uint64(14695981039346656037)
	for _, spec := range []string{"shift=2,rotate=20,scale=0.2,shear=15,elastic=1.5,noise=0.1,cutout=4", "crop=2,fliph=0.5,flipv=0.5,mixup=0.4"} {
		s := build(t, spec)
		for i := range 20 {
			x, target, label := read(t, s, 2, i)
			for _, v := range append(x, target...) {
				h = (h ^ uint64(math.Float32bits(v))) * 1099511628211
			}
			h = (h ^ uint64(label)) * 1099511628211
		}
	}
	if want := uint64(0xf703cfc32e85904b); h != want {
		t.Errorf("the varied images hash to %#x, want %#x: the bits differ on this target", h, want)
	}
}

func BenchmarkRead(b *testing.B) {
	s := build(b, "shift=2,rotate=10,scale=0.1,shear=5")
	x := make([]float32, 144)
	i := 0
	for b.Loop() {
		s.Read(0, i%20, x, nil)
		i++
	}
}
