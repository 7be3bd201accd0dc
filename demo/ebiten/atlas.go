package main

import (
	"image"
	"math"

	"github.com/hajimehoshi/ebiten/v2"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// atlas is one image with the letters that were drawn so far and a white spot, so that shapes and text go to the screen together.
type atlas struct {
	image   *ebiten.Image
	pixels  []byte
	letters map[letterKey]letter

	x, y, high int             // where the next letter goes, and how high its row is
	dirty      image.Rectangle // not yet in the image
}

// letterKey is a letter of a size in 64ths of a pixel, shifted by quarters of a pixel.
type letterKey struct {
	r     rune
	bold  bool
	shift uint8
	size  int32
}

// letter is where a letter lies in the atlas, and where its upper left corner goes from the pen's place.
type letter struct {
	at, from image.Point
	w, h     int
}

// spot is the middle of the white spot.
const spot = 1.5

func newAtlas(size int) *atlas {
	a := &atlas{image: ebiten.NewImageWithOptions(image.Rect(0, 0, size, size), &ebiten.NewImageOptions{Unmanaged: true}),
		pixels: make([]byte, 4*size*size)}
	a.clear()
	return a
}

func (a *atlas) size() int { return a.image.Bounds().Dx() }

// clear forgets all letters.
func (a *atlas) clear() {
	a.letters = map[letterKey]letter{}
	a.x, a.y, a.high = 4, 0, 4
	a.dirty = image.Rectangle{}
	for y := range 3 {
		for x := range 3 {
			a.put(x, y, 255)
		}
	}
	a.dirty = image.Rect(0, 0, 3, 3)
}

func (a *atlas) put(x, y int, v byte) {
	i := 4 * (y*a.size() + x)
	a.pixels[i], a.pixels[i+1], a.pixels[i+2], a.pixels[i+3] = v, v, v, v
}

// letter returns a letter, drawn now if it was not before; room is false where the atlas is full.
func (a *atlas) letter(f ui.Font, r rune, shift uint8) (l letter, room bool) {
	key := letterKey{r, f.Bold, shift, int32(math.Round(f.Size * 64))}
	if l, ok := a.letters[key]; ok {
		return l, true
	}
	mask, from := f.Glyph(r, float64(shift)/4)
	if mask != nil {
		l.w, l.h, l.from = mask.Rect.Dx(), mask.Rect.Dy(), from
		// A pixel apart, so that no letter touches another.
		if a.x+l.w+1 > a.size() {
			a.x, a.y, a.high = 0, a.y+a.high, 0
		}
		if a.y+l.h+1 > a.size() || l.w+1 > a.size() {
			return l, false
		}
		l.at = image.Pt(a.x, a.y)
		a.x, a.high = a.x+l.w+1, max(a.high, l.h+1)
		for y := range l.h {
			for x := range l.w {
				a.put(l.at.X+x, l.at.Y+y, mask.Pix[y*mask.Stride+x])
			}
		}
		a.dirty = a.dirty.Union(image.Rectangle{Min: l.at, Max: l.at.Add(image.Pt(l.w, l.h))})
	}
	a.letters[key] = l
	return l, true
}

// upload brings what is new into the image.
func (a *atlas) upload() {
	if a.dirty.Empty() {
		return
	}
	r := a.dirty
	part := make([]byte, 0, 4*r.Dx()*r.Dy())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		i := 4 * (y*a.size() + r.Min.X)
		part = append(part, a.pixels[i:i+4*r.Dx()]...)
	}
	a.image.SubImage(r).(*ebiten.Image).WritePixels(part)
	a.dirty = image.Rectangle{}
}
