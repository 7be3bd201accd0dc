package ui

import (
	"slices"
)

// Kind says what a Command draws.
type Kind uint8

const (
	Fill    Kind = iota // R with round corners
	Outline             // its edge, Width wide, inside R
	Stroke              // Points joined by a line with round ends, Width wide
	Text                // S, its baseline from R.X, R.Y on; R.W is its width
	Image               // Pic, scaled into R
	Half                // the right half of a disc in R
)

// Command is one piece of a picture.
type Command struct {
	Kind   Kind
	R      Rect
	Radius float64
	Width  float64
	C      Color
	Points []Point
	S      string
	F      Font
	Pic    *Picture
	Cut    bool // the text did not fit and was shortened
	Within Rect // of text: what it had to fit in
}

// Picture is an image that changes: pixels, one byte each, that C tints as far as they say, or, where Color is set, four bytes each.
type Picture struct {
	ID      string // of the image that a screen keeps
	W, H    int
	Pixels  []byte
	Color   bool
	Version uint64                      // another one means other pixels
	Dirty   func() (x0, y0, x1, y1 int) // the pixels changed since the last call; nil: all
	Smooth  bool
}

// List is what a frame draws, in order.
type List struct{ Commands []Command }

// Add appends a command.
func (l *List) Add(c Command) { l.Commands = append(l.Commands, c) }

// Equal reports whether two lists draw the same. Pictures are compared by what they were: a picture with other pixels has to be
// another value.
func (l *List) Equal(o *List) bool {
	return slices.EqualFunc(l.Commands, o.Commands, func(a, b Command) bool {
		if a.Kind != b.Kind || a.R != b.R || a.Radius != b.Radius || a.Width != b.Width || a.C != b.C || a.S != b.S || a.F != b.F {
			return false
		}
		if (a.Pic == nil) != (b.Pic == nil) || a.Pic != nil && (a.Pic.ID != b.Pic.ID || a.Pic.Version != b.Pic.Version) {
			return false
		}
		return slices.Equal(a.Points, b.Points)
	})
}
