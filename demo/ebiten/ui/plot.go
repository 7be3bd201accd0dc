package ui

import (
	"math"
	"strconv"
)

// Curve is a line of a plot.
type Curve struct {
	Name string
	X, Y []float64
	C    Color
	Dots bool // marks the points
}

// Plot is a picture of curves over a common axis.
type Plot struct {
	Title   string
	Value   string // beside the title: the latest
	XMax    float64
	YMin    float64
	YMax    float64
	Percent bool
	Curves  []Curve
	Empty   string // what stands there without a point
}

// Ticks returns round numbers between lo and hi, about n of them.
func Ticks(lo, hi float64, n int) []float64 {
	if !(hi > lo) || n < 1 {
		return nil
	}
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/float64(n))))
	for _, m := range []float64{1, 2, 5, 10} {
		if (hi-lo)/(step*m) <= float64(n) {
			step *= m
			break
		}
	}
	var out []float64
	for k := math.Ceil(lo/step - 1e-9); k*step <= hi+step*1e-9; k++ {
		out = append(out, k*step+0) // -0 becomes 0
	}
	return out
}

// Geometry maps values of a plot to its area.
type Geometry struct {
	Area             Rect
	XMax, YMin, YMax float64
}

// At returns the place of a value, kept inside the area.
func (g Geometry) At(x, y float64) Point {
	fx, fy := 0.0, 0.0
	if g.XMax > 0 {
		fx = x / g.XMax
	}
	if g.YMax > g.YMin {
		fy = (y - g.YMin) / (g.YMax - g.YMin)
	}
	clamp := func(v float64) float64 { return min(1, max(0, v)) }
	return Point{g.Area.X + clamp(fx)*g.Area.W, g.Area.Bottom() - clamp(fy)*g.Area.H}
}

// Draw draws a plot into a rectangle.
func (u *UI) Draw(r Rect, p Plot) {
	t := u.Theme
	head := r.CutTop(20, 8)
	u.Label(head, p.Title, Bold(14), t.Text, Left)
	if p.Value != "" {
		u.Label(head.Column(1, 2, 0), p.Value, Bold(14), t.Accent, Right)
	}
	x := head.X + Bold(14).Width(p.Title) + 16
	limit := head.Right() - Bold(14).Width(p.Value) - 12
	for _, c := range p.Curves {
		w := 18 + Regular(12).Width(c.Name)
		if x+w > limit {
			break
		}
		mid := head.Y + head.H/2
		u.Line(2.5, c.C, Point{x, mid}, Point{x + 12, mid})
		u.Label(Rect{x + 18, head.Y, w, head.H}, c.Name, Regular(12), t.Quiet, Left)
		x += w + 14
	}
	area := r
	area.CutLeft(38, 0)
	area.CutRight(6, 0)
	area.CutBottom(18, 0)
	area.CutTop(4, 0)
	if area.H < 12 || area.W < 20 {
		return
	}
	g := Geometry{area, p.XMax, p.YMin, p.YMax}
	for _, v := range Ticks(p.YMin, p.YMax, max(1, int(area.H/34))) {
		at := g.At(0, v)
		u.Line(1, t.Line, at, Point{area.Right(), at.Y})
		u.Label(Rect{r.X, at.Y - 8, 32, 16}, format(v, p.Percent), Regular(11), t.Quiet, Right)
	}
	var ticks []float64
	if p.XMax > 1 { // else there is nothing to count yet
		ticks = Ticks(0, p.XMax, max(2, int(area.W/90)))
	}
	for _, v := range ticks {
		at := g.At(v, p.YMin)
		s := format(v, false)
		w := Regular(11).Width(s)
		lx := min(max(at.X-w/2, area.X), r.Right()-w)
		u.Label(Rect{lx, area.Bottom() + 4, w, 14}, s, Regular(11), t.Quiet, Left)
	}
	some := false
	for _, c := range p.Curves {
		pts := make([]Point, 0, len(c.X))
		for i := range c.X {
			if math.IsNaN(c.Y[i]) || math.IsInf(c.Y[i], 0) {
				continue
			}
			pts = append(pts, g.At(c.X[i], c.Y[i]))
		}
		some = some || len(pts) > 0
		u.Line(2, c.C, pts...)
		if c.Dots {
			for _, q := range pts {
				u.Box(Rect{q.X - 3.5, q.Y - 3.5, 7, 7}, 3.5, c.C)
			}
		}
	}
	if !some && Regular(13).Width(p.Empty) <= area.W {
		u.Label(area, p.Empty, Regular(13), t.Quiet, Middle)
	}
}

func format(v float64, percent bool) string {
	if percent {
		return strconv.FormatFloat(100*v, 'f', -1, 32) + " %"
	}
	if v >= 10000 {
		return strconv.FormatFloat(v/1000, 'g', 4, 64) + "k"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
