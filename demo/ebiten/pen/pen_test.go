package pen_test

import (
	"bytes"
	"testing"

	"github.com/weft-ml/weft/demo/ebiten/pen"
)

func seven(p *pen.Pad) {
	p.Down(0, pen.Point{X: 0.3, Y: 0.2})
	for i := 1; i <= 10; i++ {
		p.Move(0, pen.Point{X: 0.3 + 0.04*float64(i), Y: 0.2})
	}
	for i := 1; i <= 10; i++ {
		p.Move(0, pen.Point{X: 0.7 - 0.025*float64(i), Y: 0.2 + 0.06*float64(i)})
	}
	p.Up(0)
}

// TestSame: ink that was drawn bit by bit is that of all at once, as a change of size draws it.
func TestSame(t *testing.T) {
	a := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(140)}}
	b := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(50)}}
	seven(&a)
	seven(&b)
	b.Resize(0, 140)
	if !bytes.Equal(a.Planes[0].Pixels, b.Planes[0].Pixels) {
		t.Error("the planes differ")
	}
	v := b.Planes[0].Version
	b.Resize(0, 140)
	if b.Planes[0].Version != v {
		t.Error("the same size is a change")
	}
}

// TestInk: where the pen was there is ink, elsewhere not, and its width is right.
func TestInk(t *testing.T) {
	p := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(200)}}
	p.Down(0, pen.Point{X: 0.5, Y: 0.1})
	for i := 1; i <= 8; i++ {
		p.Move(0, pen.Point{X: 0.5, Y: 0.1 + 0.1*float64(i)})
	}
	p.Up(0)
	row := p.Planes[0].Pixels[100*200 : 101*200]
	sum := 0
	for _, v := range row {
		sum += int(v)
	}
	if w := float64(sum) / 255; w < pen.Width*200-0.3 || w > pen.Width*200+0.3 {
		t.Errorf("the stroke is %.2f pixels wide, want %.2f", w, pen.Width*200)
	}
	if row[100] != 255 || row[60] != 0 {
		t.Error("ink lies elsewhere")
	}
}

func TestUndoAndClear(t *testing.T) {
	p := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(64)}}
	seven(&p)
	one := bytes.Clone(p.Planes[0].Pixels)
	p.Down(1, pen.Point{X: 0.2, Y: 0.8})
	p.Move(1, pen.Point{X: 0.8, Y: 0.8})
	p.Undo()
	if !bytes.Equal(p.Planes[0].Pixels, one) || p.Strokes() != 1 || p.Drawing(1) {
		t.Error("undo leaves something")
	}
	if p.Move(1, pen.Point{X: 0.5, Y: 0.5}) {
		t.Error("a stroke that was taken away goes on")
	}
	p.Clear()
	if !p.Empty() || bytes.Count(p.Planes[0].Pixels, []byte{0}) != 64*64 {
		t.Error("clear leaves something")
	}
	p.Undo()
}

// TestDirty: the changed rectangle holds every changed pixel.
func TestDirty(t *testing.T) {
	p := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(100)}}
	plane := p.Planes[0]
	plane.Dirty()
	before := bytes.Clone(plane.Pixels)
	seven(&p)
	x0, y0, x1, y1 := plane.Dirty()
	for i := range before {
		if before[i] != plane.Pixels[i] && (i%100 < x0 || i%100 >= x1 || i/100 < y0 || i/100 >= y1) {
			t.Fatalf("pixel %d, %d changed outside of %d, %d to %d, %d", i%100, i/100, x0, y0, x1, y1)
		}
	}
	if x0, _, x1, _ := plane.Dirty(); x0 != x1 {
		t.Error("dirty again without a change")
	}
}

// TestFingers: two pens draw at once; what is outside of the pad does no harm.
func TestFingers(t *testing.T) {
	p := pen.Pad{Planes: []*pen.Plane{pen.NewPlane(64)}}
	p.Down(1, pen.Point{X: 0.2, Y: 0.2})
	p.Down(2, pen.Point{X: 0.8, Y: 0.2})
	p.Move(1, pen.Point{X: -3, Y: 9})
	p.Move(2, pen.Point{X: 0.8, Y: 0.8})
	if len(p.Pens()) != 2 || !p.Up(1) || p.Up(1) || !p.Up(2) || p.Strokes() != 2 {
		t.Error("two fingers are not two strokes")
	}
}
