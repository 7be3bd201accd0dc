package ui_test

import (
	"math"
	"slices"
	"testing"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		lo, hi float64
		n      int
		want   []float64
	}{
		{0, 1, 5, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}},
		{0, 2.5, 5, []float64{0, 0.5, 1, 1.5, 2, 2.5}},
		{0, 9375, 8, []float64{0, 2000, 4000, 6000, 8000}},
		{0, 1, 1, []float64{0, 1}},
		{1, 1, 5, nil},
		{math.NaN(), 1, 5, nil},
	} {
		got := ui.Ticks(c.lo, c.hi, c.n)
		if len(got) != len(c.want) {
			t.Errorf("Ticks(%v, %v, %d) = %v, want %v", c.lo, c.hi, c.n, got, c.want)
			continue
		}
		for i := range got {
			if math.Abs(got[i]-c.want[i]) > 1e-9 || math.Signbit(got[i]) {
				t.Errorf("Ticks(%v, %v, %d) = %v, want %v", c.lo, c.hi, c.n, got, c.want)
				break
			}
		}
	}
}

// TestGeometry: the corners of a plot's area, and what lies outside kept inside.
func TestGeometry(t *testing.T) {
	g := ui.Geometry{Area: ui.Rect{X: 10, Y: 20, W: 100, H: 50}, XMax: 200, YMin: 1, YMax: 3}
	for _, c := range []struct {
		x, y float64
		want ui.Point
	}{
		{0, 1, ui.Point{X: 10, Y: 70}}, {200, 3, ui.Point{X: 110, Y: 20}}, {100, 2, ui.Point{X: 60, Y: 45}},
		{400, 9, ui.Point{X: 110, Y: 20}}, {-5, -5, ui.Point{X: 10, Y: 70}},
	} {
		if got := g.At(c.x, c.y); got != c.want {
			t.Errorf("At(%v, %v) = %v, want %v", c.x, c.y, got, c.want)
		}
	}
}

func TestFit(t *testing.T) {
	f := ui.Regular(14)
	if s, all := f.Fit("accuracy", 1000); s != "accuracy" || !all {
		t.Errorf("%q, %v", s, all)
	}
	s, all := f.Fit("accuracy", 40)
	if all || f.Width(s) > 40 || []rune(s)[len([]rune(s))-1] != '…' {
		t.Errorf("%q of width %v, %v", s, f.Width(s), all)
	}
	if s, _ := f.Fit("accuracy", 1); s != "" {
		t.Errorf("%q in no space", s)
	}
	if a, b := f.Width("88"), ui.Regular(28).Width("88"); math.Abs(2*a-b) > 1e-9 || a < 10 || a > 20 {
		t.Errorf("widths %v and %v", a, b)
	}
}

func TestCuts(t *testing.T) {
	r := ui.Rect{X: 0, Y: 0, W: 100, H: 60}
	top, left := r.CutTop(20, 5), r.CutLeft(30, 10)
	if top != (ui.Rect{X: 0, Y: 0, W: 100, H: 20}) || left != (ui.Rect{X: 0, Y: 25, W: 30, H: 35}) || r != (ui.Rect{X: 40, Y: 25, W: 60, H: 35}) {
		t.Error(top, left, r)
	}
	if all := r.CutBottom(100, 10); all.H != 35 || r.H != 0 {
		t.Error(all, r)
	}
}

// page is three controls.
func page(u *ui.UI, in ui.Input, choice int) (a, b bool, at int) {
	u.Theme = ui.Light
	u.Begin(in)
	a = u.Button("a", ui.Rect{X: 0, Y: 0, W: 100, H: 30}, "A", ui.ButtonStyle{})
	b = u.Button("b", ui.Rect{X: 0, Y: 40, W: 100, H: 30}, "B", ui.ButtonStyle{})
	at = u.Stepper("c", ui.Rect{X: 0, Y: 80, W: 200, H: 30}, 80, "C", []string{"1", "2", "3"}, choice, false)
	u.End()
	return
}

func TestPointer(t *testing.T) {
	var u ui.UI
	down := func(x, y float64) ui.Input {
		return ui.Input{Mouse: ui.Point{X: x, Y: y}, Pointers: []ui.Pointer{{ID: ui.Mouse, At: ui.Point{X: x, Y: y}}}}
	}
	page(&u, ui.Input{}, 0)
	if a, _, _ := page(&u, down(50, 10), 0); a {
		t.Error("activated by the press")
	}
	if a, b, _ := page(&u, ui.Input{}, 0); !a || b {
		t.Error("a click does nothing, or on the wrong button")
	}
	page(&u, down(50, 10), 0)
	page(&u, down(50, 50), 0)
	if a, b, _ := page(&u, ui.Input{}, 0); a || b {
		t.Error("activated though the pointer had left")
	}
	page(&u, down(190, 90), 0)
	if _, _, at := page(&u, ui.Input{}, 0); at != 1 {
		t.Errorf("the stepper is at %d after a click on its right", at)
	}
}

func TestKeyboard(t *testing.T) {
	var u ui.UI
	key := func(k ...ui.Key) ui.Input { return ui.Input{Keys: k} }
	page(&u, ui.Input{}, 0)
	var order []string
	for range 4 {
		page(&u, key(ui.KeyTab), 0)
		id, ring := u.Focus()
		if !ring {
			t.Error("the focus is not to be seen")
		}
		order = append(order, id)
	}
	if !slices.Equal(order, []string{"a", "b", "c", "a"}) {
		t.Errorf("Tab goes through %v", order)
	}
	if a, _, _ := page(&u, key(ui.KeyEnter), 0); !a {
		t.Error("Enter does not activate")
	}
	page(&u, key(ui.KeyBackTab), 0)
	if _, _, at := page(&u, key(ui.KeyRight), 1); at != 2 {
		t.Errorf("right goes to %d", at)
	}
	if _, _, at := page(&u, key(ui.KeyRight), 2); at != 2 {
		t.Errorf("right goes over the end, to %d", at)
	}
}
