// Package preprocess prepares pictures of single drawn or scanned digits as MNIST's are: ink 1 on
// paper 0, the ink's box scaled to fit 20x20 pixels with its proportions kept, and its centre of
// mass in the middle of a field of 28x28. It takes pictures of package image; package ink, below it, does the work on plain numbers.
package preprocess

import (
	"errors"
	"image"
	"strconv"

	"github.com/weft-ml/weft/core/data/preprocess/ink"
)

// Size is the width and height of the field, Box that of the digit in it.
const (
	Size = ink.Size
	Box  = ink.Box
)

// MNISTLike turns a picture of one digit, of any size, dark ink on light paper or light on dark,
// into 28x28 values in 0..1, ink 1, row by row. What is paper is decided by the border. The
// contrast is stretched, and what differs from the paper by no more than the border itself varies
// counts as paper, so that an unevenly lit photograph keeps no haze. A picture without ink is an error.
func MNISTLike(img image.Image) ([Size * Size]float32, error) {
	var out [Size * Size]float32
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w < 1 || h < 1 || w > ink.MaxPixels/h {
		return out, errors.New("weft: preprocess: the picture has " + strconv.Itoa(w) + "x" + strconv.Itoa(h) +
			" pixels, need at least 1 and at most " + strconv.Itoa(ink.MaxPixels) + ": scale it down first")
	}
	return ink.Plane(luma(img), w, h)
}

// Center is [ink.Center].
func Center(out *[Size * Size]float32, plane []float32, w, h int) error {
	return ink.Center(out, plane, w, h)
}

// luma returns the brightness of every pixel in 0..1, over white where the picture is transparent.
func luma(img image.Image) []float32 {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	out := make([]float32, w*h)
	if g, ok := img.(*image.Gray); ok {
		for y := range h {
			row := g.Pix[y*g.Stride : y*g.Stride+w]
			for x, v := range row {
				out[y*w+x] = float32(v) / 255
			}
		}
		return out
	}
	fast, ok := img.(image.RGBA64Image) // as all of package image are: At allocates
	for y := range h {
		for x := range w {
			var r, g, bl, a uint32
			if ok {
				c := fast.RGBA64At(b.Min.X+x, b.Min.Y+y)
				r, g, bl, a = uint32(c.R), uint32(c.G), uint32(c.B), uint32(c.A)
			} else {
				r, g, bl, a = img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			}
			paper := float32(0xffff-a) / 0xffff
			sum := float32(0.299*float32(r)) + float32(0.587*float32(g)) + float32(0.114*float32(bl))
			out[y*w+x] = min(sum/0xffff+paper, 1)
		}
	}
	return out
}
