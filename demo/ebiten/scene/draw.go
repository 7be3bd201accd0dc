package scene

import (
	"strconv"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// drawScene is the pad beside the answer: the digit, how sure it is, and a bar for each digit.
func (a *App) drawScene(area ui.Rect) {
	u := &a.UI
	t := u.Theme
	wide := area.W > area.H*1.1
	var left, right ui.Rect
	if wide {
		left, right = area, area
		side := min(area.H-32-48, area.W*0.58-32)
		left = right.CutLeft(side+32, 20)
	} else {
		right = area
		low := min(max(190, area.H*0.3), 300)
		if area.H < 460 {
			low = 150
		}
		left = right.CutTop(min(area.H-low-12, area.W+48), 12)
	}
	card := u.Card(left, 16)
	foot := card.CutBottom(36, 12)
	pad := card.Square()
	if wide {
		pad.Y = card.Y
	} else {
		pad.Y = card.Y + (card.H-pad.H)/2
	}
	a.padArea(pad)
	if u.Button("clear", foot.CutRight(86, 8), "Clear", ui.ButtonStyle{}) {
		a.clear()
	}
	if a.hasChoice() {
		a.netChoice(foot.CutLeft(min(foot.W, 260), 0))
	} else {
		u.Label(foot, a.padHint(foot.W), ui.Regular(13), t.Quiet, ui.Left)
	}
	a.think(false)

	card = u.Card(right, 16)
	if wide {
		a.verdict(card.CutTop(min(150, card.H*0.32), 12), 96)
		a.bars(card)
		return
	}
	a.verdict(card.CutLeft(min(110, card.W*0.28), 12), min(84, card.H*0.55))
	a.columns(card)
}

func (a *App) padHint(width float64) string {
	for _, s := range []string{"Mouse, finger or pen; Tab, arrows and Space work too", "Tab, arrows, Space work too", "C clears"} {
		if ui.Regular(13).Width(s) <= width {
			return s
		}
	}
	return ""
}

// verdict shows the digit, as large as size at most, and how sure it is.
func (a *App) verdict(r ui.Rect, size float64) {
	u := &a.UI
	t := u.Theme
	size = min(size, r.H-28, r.W)
	h := size*0.86 + 26
	group := ui.Rect{X: r.X, Y: r.Y + (r.H-h)/2, W: r.W, H: h}
	s, sure := "–", "no ink"
	c := t.Quiet
	switch {
	case a.answer.There:
		s, sure, c = strconv.Itoa(a.answer.Digit), percent(a.answer.Probabilities[a.answer.Digit])+" sure", t.Accent
	case !a.pad.Empty():
		s, sure = "?", "no digit"
	}
	if a.problem != nil {
		sure, c = "error", t.Bad
	}
	foot := group.CutBottom(20, 6)
	u.Label(group, s, ui.Bold(size), c, ui.Middle)
	f := ui.Regular(14)
	for f.Size > 11 && f.Width(sure) > foot.W {
		f.Size--
	}
	u.Label(foot, sure, f, t.Quiet, ui.Middle)
}

// bars shows the probabilities as rows.
func (a *App) bars(r ui.Rect) {
	u := &a.UI
	t := u.Theme
	for i, p := range a.answer.Probabilities {
		row := r.Row(i, len(a.answer.Probabilities), 6)
		c, f := t.Quiet, ui.Regular(15)
		best := a.answer.There && i == a.answer.Digit
		if best {
			c, f = t.Text, ui.Bold(15)
		}
		u.Label(row.CutLeft(16, 10), strconv.Itoa(i), f, c, ui.Middle)
		value := row.CutRight(58, 8)
		if a.answer.There {
			u.Label(value, percent(p), ui.Regular(13), c, ui.Right)
		}
		h := min(row.H, 18)
		bar := ui.Rect{X: row.X, Y: row.Y + (row.H-h)/2, W: row.W, H: h}
		a.bar(bar, p, best, false)
	}
}

// columns shows them as columns.
func (a *App) columns(r ui.Rect) {
	u := &a.UI
	t := u.Theme
	n := len(a.answer.Probabilities)
	for i, p := range a.answer.Probabilities {
		col := r.Column(i, n, 4)
		c, f := t.Quiet, ui.Regular(14)
		best := a.answer.There && i == a.answer.Digit
		if best {
			c, f = t.Text, ui.Bold(14)
		}
		u.Label(col.CutBottom(20, 4), strconv.Itoa(i), f, c, ui.Middle)
		w := min(col.W, 26)
		a.bar(ui.Rect{X: col.X + (col.W-w)/2, Y: col.Y, W: w, H: col.H}, p, best, true)
	}
}

func (a *App) bar(r ui.Rect, p float64, best, upright bool) {
	u := &a.UI
	t := u.Theme
	radius := min(r.W, r.H, 10) / 2
	u.Box(r, radius, t.Sunk)
	if !a.answer.There {
		return
	}
	c := ui.Mix(t.Surface, t.Accent, 0.5)
	if best {
		c = t.Accent
	}
	fill := r
	if upright {
		fill.H = r.H * p
		fill.Y = r.Bottom() - fill.H
	} else {
		fill.W = r.W * p
	}
	if fill.W < 1 || fill.H < 1 {
		return
	}
	u.Box(fill, min(radius, fill.W/2, fill.H/2), c)
}

// percent writes a probability with as many digits as say something.
func percent(p float64) string {
	v := 100 * p
	switch {
	case v >= 99.95:
		return "100 %"
	case v >= 10 && v < 99:
		return strconv.FormatFloat(v, 'f', 0, 64) + " %"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " %"
}
