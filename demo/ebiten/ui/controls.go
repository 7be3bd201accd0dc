package ui

// ButtonStyle is how a button looks.
type ButtonStyle struct {
	Primary  bool // the one that most come for
	Quiet    bool // no ground of its own
	Disabled bool
}

// Button draws a button and reports whether it was activated.
func (u *UI) Button(id string, r Rect, label string, s ButtonStyle) bool {
	hit, c := u.button(id, r, s)
	u.Label(r.Inset2(4, 0), label, u.buttonFont(r, label), c, Middle)
	return hit
}

func (u *UI) buttonFont(r Rect, label string) Font {
	f := Bold(14)
	for f.Size > 11 && f.Width(label) > r.W-8 {
		f.Size--
	}
	return f
}

// button is a button without its label; it returns the colour that the label takes.
func (u *UI) button(id string, r Rect, s ButtonStyle) (hit bool, c Color) {
	t := u.Theme
	ground, edge := t.Surface, t.Line
	c = t.Text
	if s.Primary {
		ground, edge, c = t.Accent, t.Accent, t.OnAccent
	}
	if s.Quiet {
		edge, c = t.Surface, t.Quiet
	}
	if s.Disabled {
		if s.Primary {
			ground, edge = Mix(t.Surface, t.Accent, 0.35), Mix(t.Surface, t.Accent, 0.35)
		} else {
			c = Mix(t.Surface, t.Quiet, 0.6)
		}
		u.Box(r, 9, ground)
		u.Edge(r, 9, 1, edge)
		return false, c
	}
	focused, ring := u.Focusable(id)
	u.Press(id, r)
	if u.Hover(id, r) {
		if s.Primary {
			ground = Mix(t.Accent, t.Text, 0.12)
			edge = ground
		} else {
			ground, c = t.Sunk, t.Text
			edge = t.StrongLine
			if s.Quiet {
				edge = t.Sunk
			}
		}
	}
	for _, p := range u.Held(id) {
		if r.Has(p.At) {
			ground = Mix(ground, t.Text, 0.08)
		}
	}
	u.Box(r, 9, ground)
	u.Edge(r, 9, 1, edge)
	if ring {
		u.Ring(r, 9)
	}
	for _, p := range u.Released(id) {
		hit = hit || r.Has(p.At)
	}
	if focused && (u.Take(KeyEnter) || u.Take(KeySpace)) {
		hit = true
		u.showRing = true
	}
	return hit, c
}

// Tabs draws choices beside each other, of which one is taken, and returns the one. Left and right change it where it has the focus.
func (u *UI) Tabs(id string, r Rect, labels []string, at int) int {
	t := u.Theme
	u.Box(r, 10, Mix(t.Sunk, t.Line, 0.6))
	focused, ring := u.Focusable(id)
	in := r.Inset(3)
	font := Bold(14)
	for _, label := range labels {
		for font.Size > 11 && font.Width(label) > in.W/float64(len(labels))-12 {
			font.Size--
		}
	}
	u.Press(id, r)
	released := u.Released(id)
	if focused && u.Take(KeyLeft) {
		at = max(0, at-1)
		u.showRing = true
	}
	if focused && u.Take(KeyRight) {
		at = min(len(labels)-1, at+1)
		u.showRing = true
	}
	for i := range labels {
		for _, p := range released {
			if in.Column(i, len(labels), 0).Has(p.At) {
				at = i
			}
		}
	}
	for i, label := range labels {
		tab := in.Column(i, len(labels), 0)
		c := t.Quiet
		if i == at {
			c = t.Text
			u.Box(tab, 8, t.Raised)
		} else if u.Hover(id, tab) {
			c = t.Text
		}
		u.Label(tab.Inset2(4, 0), label, font, c, Middle)
	}
	if ring {
		u.Ring(r, 10)
	}
	return at
}

// LabelWidth is how wide the label of a control of a width is.
func LabelWidth(w float64) float64 { return min(w*0.4, 112) }

// Stepper draws a labelled choice from a list with a button at either side, and returns the choice. labelW is the label's width.
func (u *UI) Stepper(id string, r Rect, labelW float64, name string, values []string, at int, disabled bool) int {
	t := u.Theme
	u.Label(Rect{r.X, r.Y, labelW, r.H}, name, Regular(14), t.Quiet, Left)
	box := Rect{r.X + labelW, r.Y, r.W - labelW, r.H}
	u.Box(box, 9, t.Surface)
	u.Edge(box, 9, 1, t.Line)
	side := min(box.H, box.W/5)
	left, right := box, box
	left.W, right.X, right.W = side, box.Right()-side, side
	c := t.Text
	if disabled {
		c = Mix(t.Surface, t.Quiet, 0.7)
	} else {
		focused, ring := u.Focusable(id)
		u.Press(id, box)
		for _, p := range u.Released(id) {
			if left.Has(p.At) {
				at--
			}
			if right.Has(p.At) {
				at++
			}
		}
		if focused {
			if u.Take(KeyLeft) || u.Take(KeyDown) {
				at--
				u.showRing = true
			}
			if u.Take(KeyRight) || u.Take(KeyUp) {
				at++
				u.showRing = true
			}
			if u.Take(KeyEnter) || u.Take(KeySpace) {
				at = (at + 1) % len(values)
			}
		}
		at = max(0, min(len(values)-1, at))
		if ring {
			u.Ring(box, 9)
		}
	}
	arrow := func(r Rect, dir float64, off bool) {
		m := r.Center()
		ac := t.Quiet
		if !disabled && !off && u.Hover(id, r) {
			ac = t.Text
		}
		if disabled || off {
			ac = Mix(t.Surface, t.Quiet, 0.35)
		}
		u.Line(1.6, ac, Point{m.X - 2.5*dir, m.Y - 5}, Point{m.X + 2.5*dir, m.Y}, Point{m.X - 2.5*dir, m.Y + 5})
	}
	arrow(left, -1, at == 0)
	arrow(right, 1, at == len(values)-1)
	f := Bold(14)
	for f.Size > 11 && f.Width(values[at]) > box.W-2*side {
		f.Size--
	}
	u.Label(box.Inset2(side, 0), values[at], f, c, Middle)
	return at
}

// IconButton is a button whose picture the caller draws over it.
func (u *UI) IconButton(id string, r Rect) bool {
	hit, _ := u.button(id, r, ButtonStyle{})
	return hit
}
