package ui

import (
	"image"
	"math"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Font is one of the two Go fonts at a size in units of layout.
type Font struct {
	Bold bool
	Size float64
}

// Regular and Bold are fonts of a size.
func Regular(size float64) Font { return Font{Size: size} }
func Bold(size float64) Font    { return Font{Bold: true, Size: size} }

// TTF returns the file of a font.
func (f Font) TTF() []byte {
	if f.Bold {
		return gobold.TTF
	}
	return goregular.TTF
}

// capHeight is the height of capital letters and digits of the Go fonts, of their size.
const capHeight = 0.7231

// advances are the widths of a font's glyphs, of its size.
type advances struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	of   map[rune]float64
}

var measured = map[bool]*advances{}

// face returns the parsed font.
func (f Font) face() *advances {
	a := measured[f.Bold]
	if a == nil {
		parsed, err := sfnt.Parse(f.TTF())
		if err != nil {
			panic(err) // the Go fonts, which the binary holds, are damaged
		}
		a = &advances{font: parsed, of: map[rune]float64{}}
		measured[f.Bold] = a
	}
	return a
}

// Width returns how wide a line of text is.
func (f Font) Width(s string) float64 {
	sum := 0.0
	for _, r := range s {
		sum += f.Advance(r)
	}
	return sum
}

// Advance returns how far a letter moves the next one.
func (f Font) Advance(r rune) float64 {
	a := f.face()
	w, ok := a.of[r]
	if !ok {
		const em = 2048
		if i, err := a.font.GlyphIndex(&a.buf, r); err == nil {
			if d, err := a.font.GlyphAdvance(&a.buf, i, fixed.I(em), font.HintingNone); err == nil {
				w = float64(d) / 64 / em
			}
		}
		a.of[r] = w
	}
	return w * f.Size
}

// Glyph draws a letter of the font's size in pixels, whose origin lies shift of a pixel right of a pixel's edge; at is where the mask's
// upper left corner is, from that edge and the baseline. The mask is nil for a letter without ink.
func (f Font) Glyph(r rune, shift float64) (mask *image.Alpha, at image.Point) {
	a := f.face()
	i, err := a.font.GlyphIndex(&a.buf, r)
	if err != nil {
		return nil, at
	}
	outline, err := a.font.LoadGlyph(&a.buf, i, fixed.Int26_6(f.Size*64+0.5), nil)
	if err != nil || len(outline) == 0 {
		return nil, at
	}
	b := outline.Bounds()
	x0, y0 := math.Floor(float64(b.Min.X)/64+shift), math.Floor(float64(b.Min.Y)/64)
	x1, y1 := math.Ceil(float64(b.Max.X)/64+shift), math.Ceil(float64(b.Max.Y)/64)
	if x1 <= x0 || y1 <= y0 {
		return nil, at
	}
	at = image.Pt(int(x0), int(y0))
	to := func(p fixed.Point26_6) (x, y float32) {
		return float32(float64(p.X)/64 + shift - x0), float32(float64(p.Y)/64 - y0)
	}
	z := vector.NewRasterizer(int(x1-x0), int(y1-y0))
	for _, s := range outline {
		ax, ay := to(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			z.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := to(s.Args[1])
			z.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := to(s.Args[1])
			cx, cy := to(s.Args[2])
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	mask = image.NewAlpha(image.Rect(0, 0, int(x1-x0), int(y1-y0)))
	z.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return mask, at
}

// Fit returns the text as far as it fits a width, and whether that is all of it.
func (f Font) Fit(s string, width float64) (string, bool) {
	if f.Width(s) <= width {
		return s, true
	}
	r := []rune(s)
	for n := len(r) - 1; n > 0; n-- {
		if t := string(r[:n]) + "…"; f.Width(t) <= width {
			return t, false
		}
	}
	return "", false
}

// Wrap breaks text into lines that fit a width, between words where it can.
func (f Font) Wrap(s string, width float64) (lines []string) {
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && f.Width(line+" "+word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for f.Width(word) > width {
			r := []rune(word)
			n := len(r) - 1
			for n > 1 && f.Width(string(r[:n])) > width {
				n--
			}
			if n < 1 {
				break
			}
			lines, word = append(lines, string(r[:n])), string(r[n:])
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
