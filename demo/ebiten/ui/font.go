package ui

import (
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
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

// Width returns how wide a line of text is.
func (f Font) Width(s string) float64 {
	a := measured[f.Bold]
	if a == nil {
		parsed, err := sfnt.Parse(f.TTF())
		if err != nil {
			panic(err) // the Go fonts, which the binary holds, are damaged
		}
		a = &advances{font: parsed, of: map[rune]float64{}}
		measured[f.Bold] = a
	}
	sum := 0.0
	for _, r := range s {
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
		sum += w
	}
	return sum * f.Size
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
