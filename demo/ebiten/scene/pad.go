package scene

import (
	"github.com/weft-ml/weft/demo/ebiten/pen"
	"github.com/weft-ml/weft/demo/ebiten/ui"
)

const padID = "pad"

// keyPen is the keyboard as a pen.
const keyPen = -2

// keyStep is how far an arrow key moves the pen, of the pad's width.
const keyStep = 1.0 / 28

// padArea draws the pad into a square and takes the ink.
func (a *App) padArea(r ui.Rect) {
	u := &a.UI
	t := u.Theme
	a.padAt = r
	at := func(p ui.Point) pen.Point { return pen.Point{X: (p.X - r.X) / r.W, Y: (p.Y - r.Y) / r.H} }
	focused, ring := u.Focusable(padID)
	for _, p := range u.Press(padID, r) {
		from := p.At
		if len(u.In.Path) > 0 {
			from = u.In.Path[0]
		}
		a.pad.Down(p.ID, at(from))
		a.stale = true
	}
	move := func(id int, to ui.Point) {
		if a.pad.Move(id, at(to)) {
			a.stale = true
			a.penAt = at(to)
		}
	}
	// Where frames are slow, a pen has come a long way since the last one.
	way := func(id int) {
		for _, q := range u.In.Path {
			move(id, q)
		}
	}
	for _, p := range u.Held(padID) {
		way(p.ID)
		move(p.ID, p.At)
	}
	for _, p := range u.Released(padID) {
		way(p.ID)
		if a.pad.Up(p.ID) {
			a.stale = true
		}
	}
	if focused {
		a.keys()
	}
	if a.pad.Drawing(keyPen) && (!focused || !u.In.Space) {
		a.pad.Up(keyPen)
		a.stale = true
	}

	size := max(1, int(r.W*u.In.Scale+0.5))
	a.pad.Resize(forEyes, min(size, 2048))
	plane := a.pad.Planes[forEyes]
	u.Box(r, 10, t.Sunk)
	u.Picture(r, &ui.Picture{ID: padID, W: plane.Size, H: plane.Size, Pixels: plane.Pixels, Version: plane.Version, Dirty: plane.Dirty, Smooth: true}, t.Text)
	u.Edge(r, 10, 1, t.Line)
	if a.pad.Empty() {
		f := ui.Regular(16)
		if r.W < 180 {
			f.Size = 13
		}
		m := r.Inset2(8, 0)
		u.Label(ui.Rect{X: m.X, Y: m.Center().Y - 14, W: m.W, H: 28}, "Draw a digit", f, t.Quiet, ui.Middle)
	}
	if ring {
		u.Ring(r, 10)
		x, y, d := r.X+a.penAt.X*r.W, r.Y+a.penAt.Y*r.H, pen.Width*r.W
		spot := ui.Rect{X: x - d/2, Y: y - d/2, W: d, H: d}
		if a.pad.Drawing(keyPen) {
			u.Box(spot, d/2, t.Accent)
		} else {
			u.Edge(spot, d/2, 2, t.Accent)
		}
	}
}

// keys moves the pen of the keyboard; it is down while Space is held.
func (a *App) keys() {
	u := &a.UI
	step := keyStep
	if u.In.Shift {
		step *= 3
	}
	inside := func(v float64) float64 { return min(1-keyStep, max(keyStep, v)) }
	if u.Take(ui.KeySpace) && !a.pad.Drawing(keyPen) {
		a.pad.Down(keyPen, a.penAt)
		a.stale = true
	}
	for _, m := range []struct {
		key  ui.Key
		x, y float64
	}{{ui.KeyLeft, -1, 0}, {ui.KeyRight, 1, 0}, {ui.KeyUp, 0, -1}, {ui.KeyDown, 0, 1}} {
		for u.Take(m.key) {
			a.penAt.X, a.penAt.Y = inside(a.penAt.X+m.x*step), inside(a.penAt.Y+m.y*step)
			if a.pad.Move(keyPen, a.penAt) {
				a.stale = true
			}
		}
	}
}

// lift ends the strokes that are under way, when the pad goes out of sight.
func (a *App) lift() {
	for _, id := range a.pad.Pens() {
		a.pad.Up(id)
		a.stale = true
	}
}
