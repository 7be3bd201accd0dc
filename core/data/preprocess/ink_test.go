package preprocess_test

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/core/data/preprocess"
	"github.com/weft-ml/weft/core/data/preprocess/ink"
)

// The page's path, from a canvas's bytes, gives the bits of the command line's, from a picture.
func TestCanvas(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const w, h = 40, 30
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(rng.IntN(256))
	}
	for y := range h { // a frame of paper
		for x := range w {
			if x < 5 || y < 5 || x >= w-5 || y >= h-5 {
				copy(img.Pix[img.PixOffset(x, y):], []byte{255, 255, 255, byte(255 * (x % 2))})
			}
		}
	}
	want, err := preprocess.MNISTLike(img)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ink.Plane(ink.Luma(img.Pix), w, h)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Error("the results differ")
	}
}

// slow hides that an image can give its colours without allocating.
type slow struct{ image.Image }

// Both ways to a picture's brightness give the same bits, for every kind of picture that a file can hold.
func TestKinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	r := image.Rect(-3, 5, 41, 40)
	palette := color.Palette{color.White}
	for range 50 {
		palette = append(palette, color.NRGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256))})
	}
	for _, img := range []image.Image{image.NewRGBA(r), image.NewNRGBA(r), image.NewRGBA64(r), image.NewNRGBA64(r), image.NewGray16(r), image.NewCMYK(r),
		image.NewPaletted(r, palette), image.NewYCbCr(r, image.YCbCrSubsampleRatio420)} {
		switch m := img.(type) {
		case interface{ Set(int, int, color.Color) }:
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					m.Set(x, y, color.White)
					if x > 5 && x < 20 && y > 10 && y < 30 {
						m.Set(x, y, color.NRGBA{uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256)), uint8(rng.IntN(256))})
					}
				}
			}
		case *image.YCbCr:
			for i := range m.Y {
				m.Y[i] = uint8(rng.IntN(256))
			}
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = uint8(rng.IntN(256)), uint8(rng.IntN(256))
			}
		}
		got, err := preprocess.MNISTLike(img)
		want, err2 := preprocess.MNISTLike(slow{img})
		if err != nil || err2 != nil || got != want {
			t.Errorf("%T: the results differ: %v, %v", img, err, err2)
		}
	}
}
