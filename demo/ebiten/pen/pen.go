// Package pen keeps strokes of ink and draws them into planes of coverage, of which the network is given one and the window shows
// another.
package pen

import "math"

// Width is the pen's, of the pad's.
const Width = 0.078

// Point is a place on the pad, which reaches from 0 to 1.
type Point struct{ X, Y float64 }

// Stroke is the way of a pen.
type Stroke struct {
	Points []Point
	Done   bool // the pen was lifted
}

// Plane is a square picture of ink: 255 where it covers a pixel.
type Plane struct {
	Size    int
	Pixels  []byte
	Version uint64

	x0, y0, x1, y1 int // pixels changed since the last Dirty
}

// NewPlane returns a plane without ink.
func NewPlane(size int) *Plane {
	p := &Plane{Size: size, Pixels: make([]byte, size*size), Version: 1}
	p.touch(0, 0, size, size)
	return p
}

func (p *Plane) touch(x0, y0, x1, y1 int) {
	if p.x0 >= p.x1 || p.y0 >= p.y1 {
		p.x0, p.y0, p.x1, p.y1 = x0, y0, x1, y1
	} else {
		p.x0, p.y0, p.x1, p.y1 = min(p.x0, x0), min(p.y0, y0), max(p.x1, x1), max(p.y1, y1)
	}
	p.Version++
}

// Dirty returns the rectangle of pixels that have changed since the last call.
func (p *Plane) Dirty() (x0, y0, x1, y1 int) {
	x0, y0, x1, y1 = p.x0, p.y0, p.x1, p.y1
	p.x0, p.y0, p.x1, p.y1 = 0, 0, 0, 0
	return
}

func (p *Plane) clear() {
	clear(p.Pixels)
	p.touch(0, 0, p.Size, p.Size)
}

// line covers what is nearer than half the width to the way from a to b.
func (p *Plane) line(a, b Point, width float64) {
	n := float64(p.Size)
	ax, ay, bx, by, r := a.X*n, a.Y*n, b.X*n, b.Y*n, width*n/2
	x0 := max(0, int(math.Floor(min(ax, bx)-r-1)))
	y0 := max(0, int(math.Floor(min(ay, by)-r-1)))
	x1 := min(p.Size, int(math.Ceil(max(ax, bx)+r+1)))
	y1 := min(p.Size, int(math.Ceil(max(ay, by)+r+1)))
	if x0 >= x1 || y0 >= y1 {
		return
	}
	dx, dy := bx-ax, by-ay
	length := dx*dx + dy*dy
	outer := (r + 0.5) * (r + 0.5)
	inner := max(0, r-0.5) * max(0, r-0.5)
	for y := y0; y < y1; y++ {
		row := p.Pixels[y*p.Size : (y+1)*p.Size]
		for x := x0; x < x1; x++ {
			px, py := float64(x)+0.5-ax, float64(y)+0.5-ay
			t := 0.0
			if length > 0 {
				t = min(1, max(0, (px*dx+py*dy)/length))
			}
			ex, ey := px-t*dx, py-t*dy
			d := ex*ex + ey*ey
			if d >= outer {
				continue
			}
			v := byte(255)
			if d > inner {
				v = byte(255*min(1, r+0.5-math.Sqrt(d)) + 0.5)
			}
			if v > row[x] {
				row[x] = v
			}
		}
	}
	p.touch(x0, y0, x1, y1)
}

// curve covers the way from a to c that b bends.
func (p *Plane) curve(a, b, c Point) {
	n := 1 + int(float64(p.Size)*(math.Hypot(b.X-a.X, b.Y-a.Y)+math.Hypot(c.X-b.X, c.Y-b.Y))/4)
	n = min(n, 24)
	from := a
	for i := 1; i <= n; i++ {
		t := float64(i) / float64(n)
		u := 1 - t
		to := Point{u*u*a.X + 2*u*t*b.X + t*t*c.X, u*u*a.Y + 2*u*t*b.Y + t*t*c.Y}
		p.line(from, to, Width)
		from = to
	}
}

// stroke draws a stroke from its point number from on. Curves run from the middle of one segment to the middle of the next, so what has
// been drawn stays right when points are added; end draws on to the last point.
func (p *Plane) stroke(s []Point, from int, end bool) {
	at := func(i int) Point { return s[max(0, min(i, len(s)-1))] }
	mid := func(a, b Point) Point { return Point{(a.X + b.X) / 2, (a.Y + b.Y) / 2} }
	if len(s) == 1 && from == 0 {
		p.line(s[0], s[0], Width)
		return
	}
	last := len(s)
	if end {
		last++
	}
	for i := max(1, from); i < last; i++ {
		a, b, c := at(i-2), at(i-1), at(i)
		to := mid(b, c)
		if i == len(s) {
			to = b
		}
		p.curve(mid(a, b), b, to)
	}
}

// Pad is a sheet with ink.
type Pad struct {
	Planes  []*Plane
	strokes []*Stroke
	live    map[int]*Stroke
}

// Empty reports whether there is no ink.
func (p *Pad) Empty() bool { return len(p.strokes) == 0 }

// Strokes returns how many there are.
func (p *Pad) Strokes() int { return len(p.strokes) }

// Down begins a stroke of a pen.
func (p *Pad) Down(pen int, at Point) {
	p.Up(pen)
	s := &Stroke{}
	if p.live == nil {
		p.live = map[int]*Stroke{}
	}
	p.live[pen] = s
	p.strokes = append(p.strokes, s)
	p.add(s, at)
}

// Move draws on to a place and reports whether that is new ink.
func (p *Pad) Move(pen int, at Point) bool {
	s := p.live[pen]
	if s == nil {
		return false
	}
	last := s.Points[len(s.Points)-1]
	if math.Hypot(at.X-last.X, at.Y-last.Y) < 0.002 {
		return false
	}
	p.add(s, at)
	return true
}

func (p *Pad) add(s *Stroke, at Point) {
	s.Points = append(s.Points, at)
	for _, plane := range p.Planes {
		plane.stroke(s.Points, len(s.Points)-1, false)
	}
}

// Up ends a stroke and reports whether there was one.
func (p *Pad) Up(pen int) bool {
	s := p.live[pen]
	if s == nil {
		return false
	}
	delete(p.live, pen)
	s.Done = true
	if len(s.Points) > 1 {
		for _, plane := range p.Planes {
			plane.stroke(s.Points, len(s.Points), true)
		}
	}
	return true
}

// Drawing reports whether a pen is down.
func (p *Pad) Drawing(pen int) bool { return p.live[pen] != nil }

// Clear takes all ink away.
func (p *Pad) Clear() {
	p.strokes, p.live = nil, nil
	for _, plane := range p.Planes {
		plane.clear()
	}
}

// Undo takes the last stroke away.
func (p *Pad) Undo() {
	if len(p.strokes) == 0 {
		return
	}
	gone := p.strokes[len(p.strokes)-1]
	p.strokes = p.strokes[:len(p.strokes)-1]
	for pen, s := range p.live {
		if s == gone {
			delete(p.live, pen)
		}
	}
	for _, plane := range p.Planes {
		plane.clear()
		p.drawAll(plane)
	}
}

// Resize makes plane i another size and draws all ink into it.
func (p *Pad) Resize(i, size int) {
	if p.Planes[i].Size == size {
		return
	}
	version := p.Planes[i].Version
	p.Planes[i] = NewPlane(size)
	p.Planes[i].Version += version
	p.drawAll(p.Planes[i])
}

func (p *Pad) drawAll(plane *Plane) {
	for _, s := range p.strokes {
		plane.stroke(s.Points, 0, s.Done && len(s.Points) > 1)
	}
}

// Pens returns the pens that are down.
func (p *Pad) Pens() (ids []int) {
	for id := range p.live {
		ids = append(ids, id)
	}
	return ids
}
