package preprocess_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/core/data/preprocess"
	"github.com/weft-ml/weft/internal/require"
)

// drawing is a bar of ink from (x0, y0) to (x1, y1) on a sheet.
func drawing(w, h, x0, y0, x1, y1 int, ink, paper color.Color) *image.RGBA {
	img := image.NewRGBA(image.Rect(-7, 9, w-7, h+9))
	for y := range h {
		for x := range w {
			c := paper
			if x >= x0 && x < x1 && y >= y0 && y < y1 {
				c = ink
			}
			img.Set(x-7, y+9, c)
		}
	}
	return img
}

func TestMNISTLike(t *testing.T) {
	black, white := color.Gray{20}, color.Gray{240}
	for _, c := range []struct {
		name string
		img  image.Image
		w, h int // of the ink, expected
	}{
		{"dark on light", drawing(200, 100, 20, 10, 60, 90, black, white), 10, 20},
		{"light on dark", drawing(200, 100, 20, 10, 60, 90, white, black), 10, 20},
		{"wide", drawing(500, 300, 100, 100, 300, 125, black, white), 20, 3},
		{"small", drawing(28, 28, 2, 3, 4, 7, black, white), 10, 20},
		{"a line", drawing(400, 400, 200, 100, 201, 300, black, white), 1, 20},
		{"a dot", drawing(9, 9, 4, 4, 5, 5, black, white), 20, 20},
		{"coloured", drawing(64, 64, 10, 10, 30, 50, color.RGBA{0, 0, 200, 255}, color.RGBA{255, 255, 200, 255}), 10, 20},
		{"transparent paper", drawing(64, 64, 10, 10, 30, 50, color.RGBA{0, 0, 0, 255}, color.RGBA{}), 10, 20},
		{"touching the border", drawing(64, 64, 0, 10, 20, 50, black, white), 10, 20},
	} {
		out, err := preprocess.MNISTLike(c.img)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		x0, y0, x1, y1 := 28, 28, -1, -1
		mass, mx, my := 0.0, 0.0, 0.0
		for i, v := range out {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s: value %v", c.name, v)
			}
			if v > 0 {
				x, y := i%28, i/28
				x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
				mass += float64(v)
				mx += float64(v) * (float64(x) + 0.5)
				my += float64(v) * (float64(y) + 0.5)
			}
		}
		if x1-x0+1 != c.w || y1-y0+1 != c.h {
			t.Errorf("%s: ink of %dx%d, want %dx%d", c.name, x1-x0+1, y1-y0+1, c.w, c.h)
		}
		if math.Abs(mx/mass-14.5) > 0.501 || math.Abs(my/mass-14.5) > 0.501 {
			t.Errorf("%s: centre of mass %v, %v", c.name, mx/mass, my/mass)
		}
	}
}

func TestBlank(t *testing.T) {
	for _, img := range []image.Image{
		drawing(30, 30, 0, 0, 0, 0, color.Black, color.White),
		drawing(30, 30, 0, 0, 30, 30, color.Black, color.White),
		drawing(30, 30, 3, 3, 9, 9, color.Gray{235}, color.Gray{240}),
		image.NewRGBA(image.Rect(0, 0, 0, 0)),
		image.NewGray(image.Rect(0, 0, 1, 1)),
	} {
		if _, err := preprocess.MNISTLike(img); err == nil || !strings.HasPrefix(err.Error(), "weft: preprocess: ") {
			t.Errorf("error %v", err)
		}
	}
	var out [784]float32
	if preprocess.Center(&out, make([]float32, 12), 4, 3) == nil {
		t.Error("an empty plane was accepted")
	}
}

// TestKeepsMNIST enlarges training images, as dark ink in JPEG, and expects them back nearly as
// they were.
func TestKeepsMNIST(t *testing.T) {
	src, err := idx.Images(os.DirFS(require.Data(t, "mnist")), idx.Train, 10)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 784)
	worst, sum := 0.0, 0.0
	const n, zoom = 200, 8
	for i := range n {
		if _, err := src.Read(0, i, x, nil); err != nil {
			t.Fatal(err)
		}
		img := image.NewGray(image.Rect(0, 0, 28*zoom, 28*zoom))
		for j := range img.Pix {
			px, py := j%(28*zoom)/zoom, j/(28*zoom)/zoom
			img.Pix[j] = 255 - byte(x[py*28+px]*255)
		}
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, img, nil); err != nil {
			t.Fatal(err)
		}
		photo, err := jpeg.Decode(&buf)
		if err != nil {
			t.Fatal(err)
		}
		out, err := preprocess.MNISTLike(photo)
		if err != nil {
			t.Fatal(err)
		}
		d := 0.0
		for j, v := range out {
			d += math.Abs(float64(v - x[j]))
		}
		worst, sum = max(worst, d/784), sum+d/784
	}
	if sum/n > 0.04 || worst > 0.15 {
		t.Errorf("mean difference %v, worst %v", sum/n, worst)
	}
}
