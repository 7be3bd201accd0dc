package preprocess_test

import (
	"image"
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
