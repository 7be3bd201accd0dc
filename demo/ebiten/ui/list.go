package ui

import (
	"math"
	"slices"
)

// Kind says what a Command draws.
type Kind uint8

const (
	Fill    Kind = iota // R with round corners
	Outline             // its edge, Width wide, inside R
	Stroke              // Points joined by a line with round ends, Width wide
	Text                // S, its baseline from R.X, R.Y on; R.W is its width
	Image               // Pic, or the part Src of it, scaled into R
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
	Src    Part
	Cut    bool // the text did not fit and was shortened
	Within Rect // of text: what it had to fit in

	version uint64 // of Pic, when the command was added
}

// Part is a rectangle of a picture's pixels; the zero value is all of it.
type Part struct{ X, Y, W, H int }

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
func (l *List) Add(c Command) {
	if c.Pic != nil {
		c.version = c.Pic.Version
	}
	l.Commands = append(l.Commands, c)
}

// same reports whether two commands draw the same.
func same(a, b *Command) bool {
	if a.Kind != b.Kind || a.R != b.R || a.Radius != b.Radius || a.Width != b.Width || a.C != b.C || a.S != b.S || a.F != b.F {
		return false
	}
	if (a.Pic == nil) != (b.Pic == nil) || a.Pic != nil && (a.Pic.ID != b.Pic.ID || a.version != b.version || a.Src != b.Src) {
		return false
	}
	return slices.Equal(a.Points, b.Points)
}

// margin is how far edges may lie outside of their rectangle, in units, at the least scale that there is: they are rounded to pixels and fade over one.
const margin = 2.5

// Bounds is a rectangle that holds all that the command draws.
func (c *Command) Bounds() Rect {
	switch c.Kind {
	case Text:
		// Letters reach a little beyond their advances.
		d := 0.2 * c.F.Size
		return Rect{c.R.X - d, c.R.Y - c.F.Size, c.R.W + 2*d, 1.3 * c.F.Size}.Inset(-margin)
	case Stroke:
		if len(c.Points) == 0 {
			return Rect{}
		}
		x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, p := range c.Points {
			x0, y0, x1, y1 = min(x0, p.X), min(y0, p.Y), max(x1, p.X), max(y1, p.Y)
		}
		return Rect{x0, y0, x1 - x0, y1 - y0}.Inset(-c.Width - margin)
	}
	return c.R.Inset(-margin)
}

// ahead is how far Damage looks for the command where two lists agree again.
const ahead = 24

// Damage appends rectangles outside of which two lists draw the same: the bounds of what is in one of them alone. Where the other
// pixels of a picture are known, patch gives their bounds instead of the whole picture's.
func Damage(out []Rect, old, now []Command, patch func(*Command) Rect) []Rect {
	for len(old) > 0 && len(now) > 0 && same(&old[0], &now[0]) {
		old, now = old[1:], now[1:]
	}
	for len(old) > 0 && len(now) > 0 && same(&old[len(old)-1], &now[len(now)-1]) {
		old, now = old[:len(old)-1], now[:len(now)-1]
	}
	take := func(list []Command) {
		for i := range list {
			out = append(out, list[i].Bounds())
		}
	}
	for len(old) > 0 && len(now) > 0 {
		if same(&old[0], &now[0]) {
			old, now = old[1:], now[1:]
			continue
		}
		a, b := meet(old, now)
		if a == 1 && b == 1 && patch != nil && repainted(&old[0], &now[0]) {
			out = append(out, patch(&now[0]))
		} else {
			take(old[:a])
			take(now[:b])
		}
		old, now = old[a:], now[b:]
	}
	take(old)
	take(now)
	return out
}

// repainted reports whether two commands are the same picture at the same place, with other pixels.
func repainted(a, b *Command) bool {
	return a.Kind == Image && b.Kind == Image && a.R == b.R && a.C == b.C && a.Src == b.Src && a.Pic.ID == b.Pic.ID
}

// meet finds after how many commands two lists, whose first differ, agree again: as few as possible, one of each where there is no such
// place nearby.
func meet(old, now []Command) (a, b int) {
	if len(old) > 1 && len(now) > 1 && same(&old[1], &now[1]) {
		return 1, 1
	}
	for d := 1; d <= ahead; d++ {
		for a := range d + 1 {
			if b := d - a; a < len(old) && b < len(now) && same(&old[a], &now[b]) {
				return a, b
			}
		}
	}
	return 1, 1
}

// Join joins rectangles that overlap or lie close together, until there are at most most.
func Join(r []Rect, most int) []Rect {
	union := func(a, b Rect) Rect {
		x, y := min(a.X, b.X), min(a.Y, b.Y)
		return Rect{x, y, max(a.Right(), b.Right()) - x, max(a.Bottom(), b.Bottom()) - y}
	}
	size := func(r Rect) float64 { return r.W * r.H }
	for i := 0; i < len(r); i++ {
		for k := i + 1; k < len(r); k++ {
			// Another rectangle costs about as much as so many pixels.
			const worth = 4000
			if u := union(r[i], r[k]); size(u) <= size(r[i])+size(r[k])+worth {
				r[i] = u
				r = slices.Delete(r, k, k+1)
				k = i // what lay apart before may not now
			}
		}
	}
	for len(r) > most {
		bi, bk, least := 0, 1, math.Inf(1)
		for i := range r {
			for k := i + 1; k < len(r); k++ {
				if d := size(union(r[i], r[k])) - size(r[i]) - size(r[k]); d < least {
					bi, bk, least = i, k, d
				}
			}
		}
		r[bi] = union(r[bi], r[bk])
		r = slices.Delete(r, bk, bk+1)
	}
	return r
}

// Meets reports whether two rectangles share more than an edge.
func (r Rect) Meets(o Rect) bool {
	return r.X < o.Right() && o.X < r.Right() && r.Y < o.Bottom() && o.Y < r.Bottom()
}
