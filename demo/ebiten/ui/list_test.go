package ui_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// some makes a list of commands of all kinds.
func some(r *rand.Rand, n int) (out []ui.Command) {
	var l ui.List
	for range n {
		at := ui.Rect{X: r.Float64() * 180, Y: r.Float64() * 180, W: 1 + r.Float64()*40, H: 1 + r.Float64()*40}
		c := ui.Command{Kind: ui.Kind(r.IntN(6)), R: at, C: ui.Color{R: uint8(r.IntN(3)), A: 255}}
		switch c.Kind {
		case ui.Stroke:
			c.Points = []ui.Point{{X: at.X, Y: at.Y}, {X: at.Right(), Y: at.Bottom()}}
			c.Width = 2
		case ui.Text:
			c.S, c.F = "text", ui.Regular(11)
		case ui.Image:
			c.Pic = &ui.Picture{ID: "p", W: 4, H: 4, Version: uint64(r.IntN(2))}
		}
		l.Add(c)
	}
	return l.Commands
}

// TestDamage: at every place outside of the damage, the same commands lie on each other in the same order.
func TestDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	at := func(list []ui.Command, p ui.Point) (out []ui.Command) {
		for i := range list {
			if list[i].Bounds().Has(p) {
				out = append(out, list[i])
			}
		}
		return out
	}
	for round := range 400 {
		old := some(r, r.IntN(60))
		now := slices.Clone(old)
		for range r.IntN(6) {
			switch i := r.IntN(len(now) + 1); r.IntN(4) {
			case 0:
				now = slices.Insert(now, i, some(r, 1+r.IntN(3))...)
			case 1:
				now = slices.Delete(now, i, min(len(now), i+r.IntN(40)))
			case 2:
				if i < len(now) {
					now[i] = some(r, 1)[0]
				}
			case 3: // another order
				if i+1 < len(now) {
					now[i], now[i+1] = now[i+1], now[i]
				}
			}
		}
		if round%5 == 0 {
			now = some(r, 40)
		}
		damage := ui.Join(ui.Damage(nil, old, now, nil), 1+r.IntN(8))
		if slices.EqualFunc(old, now, func(a, b ui.Command) bool { return len(ui.Damage(nil, []ui.Command{a}, []ui.Command{b}, nil)) == 0 }) && len(damage) > 0 {
			t.Fatalf("round %d: damage between equal lists", round)
		}
		for range 200 {
			p := ui.Point{X: r.Float64() * 230, Y: r.Float64() * 230}
			if slices.ContainsFunc(damage, func(d ui.Rect) bool { return d.Has(p) }) {
				continue
			}
			a, b := at(old, p), at(now, p)
			if len(a) != len(b) || len(ui.Damage(nil, a, b, nil)) > 0 {
				t.Fatalf("round %d: at %v, outside of %v, %d commands were and %d are", round, p, damage, len(a), len(b))
			}
		}
	}
}

// TestDamagePatch: of a picture with other pixels only these are damage.
func TestDamagePatch(t *testing.T) {
	pic := &ui.Picture{ID: "pad", W: 100, H: 100, Version: 1}
	frame := func() []ui.Command {
		var l ui.List
		l.Add(ui.Command{Kind: ui.Fill, R: ui.Rect{W: 200, H: 200}})
		l.Add(ui.Command{Kind: ui.Image, R: ui.Rect{X: 10, Y: 10, W: 100, H: 100}, Pic: pic})
		return l.Commands
	}
	old := frame()
	patch := ui.Rect{X: 30, Y: 40, W: 5, H: 6}
	if got := ui.Damage(nil, old, frame(), nil); len(got) != 0 {
		t.Errorf("nothing has changed, damage %v", got)
	}
	pic.Version++
	got := ui.Damage(nil, old, frame(), func(c *ui.Command) ui.Rect { return patch })
	if len(got) != 1 || got[0] != patch {
		t.Errorf("damage %v, not %v", got, patch)
	}
}

// TestWrap: no line is wider than it may be, and no word is lost.
func TestWrap(t *testing.T) {
	f := ui.Regular(13)
	lines := f.Wrap("train-images-idx3-ubyte.gz: offset 16: the file ends here, aVeryLongWordThatFitsNoLineOfThisWidthAtAllWhateverOneDoes", 150)
	joined := ""
	for _, l := range lines {
		if f.Width(l) > 150 {
			t.Errorf("%q is %v wide", l, f.Width(l))
		}
		joined += l + " "
	}
	if len(lines) < 4 || len(f.Wrap("", 100)) != 0 {
		t.Errorf("%q", lines)
	}
}
