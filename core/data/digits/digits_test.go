package digits_test

import (
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/tensor"
)

// TestSheet writes a contact sheet for looking at, when asked to.
func TestSheet(t *testing.T) {
	path := os.Getenv("WEFT_SHEET")
	if path == "" {
		t.Skip("skipped: WEFT_SHEET names no PNG file to write a contact sheet to")
	}
	const rows = 14
	s := digits.New(digits.Options{Seed: 7})
	img := image.NewGray(image.Rect(0, 0, 20*28, rows*28))
	x := make([]float32, 784)
	for r := range rows {
		for c := range 20 {
			if _, err := s.Read(0, r*20+c, x, nil); err != nil {
				t.Fatal(err)
			}
			for p, v := range x {
				img.SetGray(c*28+p%28, r*28+p/28, color.Gray{Y: uint8(v * 255)})
			}
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestSamples(t *testing.T) {
	s := digits.New(digits.Options{Seed: 1})
	if s.Len() != 60000 {
		t.Errorf("an epoch has %d samples, want 60000", s.Len())
	}
	x, y := make([]float32, 784), make([]float32, 784)
	for i := range 500 {
		label, err := s.Read(3, i, x, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := s.Class(i); label != c || label < 0 || label > 9 {
			t.Fatalf("sample %d: label %d, class %d", i, label, c)
		}
		ink := float32(0)
		for p, v := range x {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("sample %d: pixel %d is %v", i, p, v)
			}
			ink += v
		}
		if ink < 20 || ink > 400 {
			t.Errorf("sample %d of digit %d has %v pixels of ink", i, label, ink)
		}
		s.Read(3, i, y, nil)
		for p := range x {
			if x[p] != y[p] {
				t.Fatalf("sample %d differs when it is read again", i)
			}
		}
		s.Read(4, i, y, nil)
		same := true
		for p := range x {
			same = same && x[p] == y[p]
		}
		if same {
			t.Fatalf("sample %d is the same in another epoch", i)
		}
	}
}

// TestBits holds the bits that every target must give.
func TestBits(t *testing.T) {
	s := digits.New(digits.Options{Seed: 1})
	x := make([]float32, 784)
	h := crc32.NewIEEE()
	for i := range 200 {
		if _, err := s.Read(0, i, x, nil); err != nil {
			t.Fatal(err)
		}
		h.Write(tensor.From(x, 784).Bytes())
	}
	const want = 0x7994020b
	if got := h.Sum32(); got != want {
		t.Errorf("the first 200 digits have the sum %#x, want %#x", got, want)
	}
}

func TestNoAllocations(t *testing.T) {
	s := digits.New(digits.Options{Seed: 1})
	x := make([]float32, 784)
	i := 0
	if n := testing.AllocsPerRun(100, func() { s.Read(0, i, x, nil); i++ }); n != 0 {
		t.Errorf("a sample allocates %v times", n)
	}
}

func BenchmarkRead(b *testing.B) {
	s := digits.New(digits.Options{Seed: 1})
	x := make([]float32, 784)
	i := 0
	for b.Loop() {
		s.Read(0, i, x, nil)
		i++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "images/s")
}
