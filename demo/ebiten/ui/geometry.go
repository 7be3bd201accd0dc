// Package ui is the window's user interface without the window: rectangles, themes, text measures, controls and plots. A frame
// handles its input and records what it draws as a list, which a test reads and a screen plays.
package ui

import "math"

// Point is a place in units of layout: device-independent pixels, y down.
type Point struct{ X, Y float64 }

// Rect is a rectangle by its upper left corner and its size.
type Rect struct{ X, Y, W, H float64 }

// Right and Bottom are where a rectangle ends.
func (r Rect) Right() float64  { return r.X + r.W }
func (r Rect) Bottom() float64 { return r.Y + r.H }

// Center is the middle of a rectangle.
func (r Rect) Center() Point { return Point{r.X + r.W/2, r.Y + r.H/2} }

// Inset takes d from every side; a negative d adds.
func (r Rect) Inset(d float64) Rect { return r.Inset2(d, d) }

// Inset2 takes x from left and right, y from top and bottom.
func (r Rect) Inset2(x, y float64) Rect {
	return Rect{r.X + x, r.Y + y, max(0, r.W-2*x), max(0, r.H-2*y)}
}

// Has reports whether a point lies inside.
func (r Rect) Has(p Point) bool {
	return p.X >= r.X && p.X < r.Right() && p.Y >= r.Y && p.Y < r.Bottom()
}

// CutTop and its kin cut a strip off and leave a gap behind it.
func (r *Rect) CutTop(h, gap float64) Rect {
	h = min(h, r.H)
	cut := Rect{r.X, r.Y, r.W, h}
	d := min(h+gap, r.H)
	r.Y, r.H = r.Y+d, r.H-d
	return cut
}

// CutBottom cuts at the lower edge.
func (r *Rect) CutBottom(h, gap float64) Rect {
	h = min(h, r.H)
	cut := Rect{r.X, r.Bottom() - h, r.W, h}
	r.H -= min(h+gap, r.H)
	return cut
}

// CutLeft cuts at the left edge.
func (r *Rect) CutLeft(w, gap float64) Rect {
	w = min(w, r.W)
	cut := Rect{r.X, r.Y, w, r.H}
	d := min(w+gap, r.W)
	r.X, r.W = r.X+d, r.W-d
	return cut
}

// CutRight cuts at the right edge.
func (r *Rect) CutRight(w, gap float64) Rect {
	w = min(w, r.W)
	cut := Rect{r.Right() - w, r.Y, w, r.H}
	r.W -= min(w+gap, r.W)
	return cut
}

// Column returns column i of n with gaps between them.
func (r Rect) Column(i, n int, gap float64) Rect {
	w := (r.W - gap*float64(n-1)) / float64(n)
	return Rect{r.X + float64(i)*(w+gap), r.Y, w, r.H}
}

// Row returns row i of n with gaps between them.
func (r Rect) Row(i, n int, gap float64) Rect {
	h := (r.H - gap*float64(n-1)) / float64(n)
	return Rect{r.X, r.Y + float64(i)*(h+gap), r.W, h}
}

// Square is the largest square of whole units inside a rectangle, centred across it and at its top.
func (r Rect) Square() Rect {
	s := math.Floor(min(r.W, r.H))
	return Rect{r.X + math.Floor((r.W-s)/2), r.Y, s, s}
}
