package ui

// Key is a key that the interface knows.
type Key uint8

const (
	KeyNone Key = iota
	KeyTab
	KeyBackTab
	KeyLeft
	KeyRight
	KeyUp
	KeyDown
	KeyEnter
	KeySpace
	KeyEscape
	KeyDelete
	KeyBackspace
	Key1
	Key2
	Key3
	KeyC
	KeyN
	KeyO
	KeyP
	KeyS
	KeyT
	KeyZ
)

// Pointer is the mouse with its button down, or a finger.
type Pointer struct {
	ID int
	At Point
}

// Mouse is the mouse's ID as a pointer; fingers have those of 0 and above.
const Mouse = -1

// Input is what happened since the last frame.
type Input struct {
	Size     Point     // of the window
	Scale    float64   // pixels of the device in a unit
	Mouse    Point     // where it is
	Pointers []Pointer // that are down
	Path     []Point   // the way of the only one that is down or went up, since the last frame; empty where that is not known
	Keys     []Key     // pressed since, repeats included
	Space    bool      // held down
	Shift    bool
}

// UI is the state of an interface between frames: the focus, what pointers hold, and what the current frame draws.
type UI struct {
	List
	In    Input
	Theme *Theme

	focus    string
	showRing bool // the keyboard was used last
	order    []string
	was      []string
	held     map[int]string // by pointer: the control that it went down on; "" for none
	down     map[int]Point
	pressed  []Pointer // went down in this frame
	released []Pointer // went up in this frame, where they were last
	keys     []Key     // not yet taken
	free     map[int]Point
	spare    []Command
}

// Begin starts a frame.
func (u *UI) Begin(in Input) {
	u.In = in
	// The last frame's list stays as it is while this one's is made.
	u.Commands, u.spare = u.spare[:0], u.Commands
	if u.held == nil {
		u.held, u.down, u.free = map[int]string{}, map[int]Point{}, map[int]Point{}
	}
	u.pressed, u.released = u.pressed[:0], u.released[:0]
	now := u.free
	clear(now)
	for _, p := range in.Pointers {
		now[p.ID] = p.At
		if _, was := u.down[p.ID]; !was {
			u.pressed = append(u.pressed, p)
			u.held[p.ID] = ""
			u.showRing = false
		}
	}
	for id, at := range u.down {
		if _, still := now[id]; !still {
			u.released = append(u.released, Pointer{id, at})
		}
	}
	u.down, u.free = now, u.down
	u.keys = append(u.keys[:0], in.Keys...)
	u.was, u.order = u.order, u.was[:0]
	if u.Take(KeyTab) {
		u.move(1)
	}
	if u.Take(KeyBackTab) {
		u.move(-1)
	}
	if u.Take(KeyEscape) {
		u.showRing = false
	}
}

// End finishes a frame.
func (u *UI) End() {
	for _, p := range u.released {
		delete(u.held, p.ID)
	}
	for _, id := range u.order {
		if id == u.focus {
			return
		}
	}
	u.focus = "" // the control is gone
}

// move gives the focus to the next control.
func (u *UI) move(by int) {
	u.showRing = true
	n := len(u.was)
	if n == 0 {
		return
	}
	for i, id := range u.was {
		if id == u.focus {
			u.focus = u.was[(i+by+n)%n]
			return
		}
	}
	if by < 0 {
		u.focus = u.was[n-1]
		return
	}
	u.focus = u.was[0]
}

// Leave is asked where there is more than the window to go to: it reports whether a move would go beyond the last control or, for
// by < 0, before the first. The controls then have no focus, so that the next move finds the first one, or the last.
func (u *UI) Leave(by int) bool {
	if n := len(u.order); n > 0 {
		end := u.order[n-1]
		if by < 0 {
			end = u.order[0]
		}
		if u.focus != end {
			return false
		}
	}
	u.focus, u.showRing = "", false
	return true
}

// Take reports whether a key was pressed that nothing has taken yet, and takes it.
func (u *UI) Take(k Key) bool {
	for i, key := range u.keys {
		if key == k {
			u.keys = append(u.keys[:i], u.keys[i+1:]...)
			return true
		}
	}
	return false
}

// Focus returns the control that has the keyboard, and whether that is to be seen.
func (u *UI) Focus() (id string, visible bool) { return u.focus, u.showRing }

// SetFocus gives the keyboard to a control.
func (u *UI) SetFocus(id string) { u.focus = id }

// Focusable adds a control to the order of Tab and reports whether it has the focus, and whether that is to be seen.
func (u *UI) Focusable(id string) (focused, ring bool) {
	u.order = append(u.order, id)
	return u.focus == id, u.focus == id && u.showRing
}

// Ring draws the mark of the focus around a control.
func (u *UI) Ring(r Rect, radius float64) {
	u.Add(Command{Kind: Outline, R: r.Inset(-3), Radius: radius + 3, Width: 2, C: u.Theme.Accent})
}

// Press reports whether a pointer went down in the rectangle in this frame; the control then holds it.
func (u *UI) Press(id string, r Rect) (pressed []Pointer) {
	for _, p := range u.pressed {
		if u.held[p.ID] == "" && r.Has(p.At) {
			u.held[p.ID] = id
			u.focus = id
			pressed = append(pressed, p)
		}
	}
	return pressed
}

// Released returns the pointers that a control held and that went up in this frame.
func (u *UI) Released(id string) (out []Pointer) {
	for _, p := range u.released {
		if u.held[p.ID] == id {
			out = append(out, p)
		}
	}
	return out
}

// Held returns where the pointers are that a control holds.
func (u *UI) Held(id string) (out []Pointer) {
	for _, p := range u.In.Pointers {
		if u.held[p.ID] == id {
			out = append(out, p)
		}
	}
	return out
}

// Hover reports whether the mouse is over a rectangle and holds nothing else.
func (u *UI) Hover(id string, r Rect) bool {
	if h, down := u.held[Mouse]; down && h != id {
		return false
	}
	return r.Has(u.In.Mouse)
}

// Box draws a filled rectangle.
func (u *UI) Box(r Rect, radius float64, c Color) {
	u.Add(Command{Kind: Fill, R: r, Radius: radius, C: c})
}

// Edge draws the edge of a rectangle.
func (u *UI) Edge(r Rect, radius, width float64, c Color) {
	u.Add(Command{Kind: Outline, R: r, Radius: radius, Width: width, C: c})
}

// Line joins points.
func (u *UI) Line(width float64, c Color, p ...Point) {
	if len(p) > 1 {
		u.Add(Command{Kind: Stroke, Points: p, Width: width, C: c})
	}
}

// Picture draws an image.
func (u *UI) Picture(r Rect, p *Picture, tint Color) {
	u.Add(Command{Kind: Image, R: r, Pic: p, C: tint})
}

// PictureOf draws a part of an image.
func (u *UI) PictureOf(r Rect, p *Picture, part Part) {
	u.Add(Command{Kind: Image, R: r, Pic: p, Src: part, C: Color{R: 255, G: 255, B: 255, A: 255}})
}

// Align says where text stands in its rectangle.
type Align uint8

const (
	Left Align = iota
	Middle
	Right
)

// Label writes a line of text into a rectangle, in the middle of its height. Text that is too long is shortened.
func (u *UI) Label(r Rect, s string, f Font, c Color, a Align) {
	t, all := f.Fit(s, r.W+0.01)
	w := f.Width(t)
	x := r.X
	switch a {
	case Middle:
		x += (r.W - w) / 2
	case Right:
		x += r.W - w
	}
	base := r.Y + r.H/2 + capHeight*f.Size/2
	u.Add(Command{Kind: Text, R: Rect{x, base, w, f.Size}, S: t, F: f, C: c, Cut: !all, Within: r})
}

// Card draws the ground of a group and returns what is inside.
func (u *UI) Card(r Rect, pad float64) Rect {
	u.Box(r, 12, u.Theme.Surface)
	u.Edge(r, 12, 1, u.Theme.Line)
	return r.Inset(pad)
}

// Mix returns a colour between a and b.
func Mix(a, b Color, t float64) Color {
	m := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*t + 0.5) }
	return Color{R: m(a.R, b.R), G: m(a.G, b.G), B: m(a.B, b.B), A: m(a.A, b.A)}
}
