package main

import (
	"image"
	"math"

	"github.com/hajimehoshi/ebiten/v2"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// screen plays lists of commands on an image of Ebitengine. Edges and baselines lie on whole pixels of the device, so that lines
// and text are crisp at every scale. What is drawn already is not drawn again: only the rectangles in which a list differs from the last
// one are played, cut to these rectangles.
type screen struct {
	kept  map[string]*kept
	atlas *atlas

	bounds image.Point
	scale  float64
	shown  []ui.Command // what the image shows
	damage []ui.Rect

	// Triangles that wait to be sent, what they are made from, and the part of the image that they are cut to.
	vertices []ebiten.Vertex
	index    []uint32
	source   *ebiten.Image
	smooth   bool
	target   *ebiten.Image
	edge     []corner
	points   []ui.Point

	pixels int // that the last list has touched
}

// kept is an image that was uploaded.
type kept struct {
	image   *ebiten.Image
	version uint64
	patch   image.Rectangle // the pixels that the last upload changed
	buffer  []byte
}

func newScreen() *screen { return &screen{kept: map[string]*kept{}} }

// most is how many rectangles are drawn apart.
const most = 8

// play makes the image show a list; scale is the number of pixels in a unit. It reports whether anything had to be drawn.
func (s *screen) play(dst *ebiten.Image, list []ui.Command, scale float64) bool {
	bounds := dst.Bounds().Size()
	whole := ui.Rect{W: float64(bounds.X) / scale, H: float64(bounds.Y) / scale}
	s.damage = s.damage[:0]
	if bounds != s.bounds || scale != s.scale {
		s.damage = append(s.damage, whole)
		s.fit(scale)
	} else {
		s.damage = ui.Join(ui.Damage(s.damage, s.shown, list, s.patch), most)
	}
	s.bounds, s.scale = bounds, scale
	s.pixels = 0
	drawn := false
	for _, r := range s.damage {
		cut := image.Rect(int(math.Floor(r.X*scale)), int(math.Floor(r.Y*scale)), int(math.Ceil(r.Right()*scale)), int(math.Ceil(r.Bottom()*scale)))
		if cut = cut.Intersect(dst.Bounds()); cut.Empty() {
			continue
		}
		drawn = true
		s.pixels += cut.Dx() * cut.Dy()
		// Whole pixels again, as units.
		part := ui.Rect{X: float64(cut.Min.X) / scale, Y: float64(cut.Min.Y) / scale, W: float64(cut.Dx()) / scale, H: float64(cut.Dy()) / scale}
		s.target = dst
		if cut != dst.Bounds() {
			s.target = dst.SubImage(cut).(*ebiten.Image)
		}
		for i := range list {
			if b := list[i].Bounds(); b.Meets(part) {
				s.command(&list[i], scale)
			}
		}
		s.flush()
	}
	s.shown = append(s.shown[:0], list...)
	return drawn
}

// fit makes an atlas that holds the letters of a scale.
func (s *screen) fit(scale float64) {
	size := 1024
	if scale > 2.5 {
		size = 2048
	}
	if s.atlas == nil || s.atlas.size() != size {
		if s.atlas != nil {
			s.atlas.image.Deallocate()
		}
		s.atlas = newAtlas(size)
	}
}

// patch uploads a picture whose pixels have changed, and returns where on the screen they have.
func (s *screen) patch(c *ui.Command) ui.Rect {
	k := s.kept[c.Pic.ID]
	if k == nil || k.image.Bounds().Size() != image.Pt(c.Pic.W, c.Pic.H) {
		return c.Bounds()
	}
	s.refresh(c.Pic)
	p := part(c)
	q := k.patch.Intersect(image.Rect(p.X, p.Y, p.X+p.W, p.Y+p.H))
	if q.Empty() {
		return ui.Rect{X: c.R.X, Y: c.R.Y}
	}
	sx, sy := c.R.W/float64(p.W), c.R.H/float64(p.H)
	// A pixel more all around: scaled pictures mix neighbours.
	return ui.Rect{X: c.R.X + float64(q.Min.X-p.X)*sx, Y: c.R.Y + float64(q.Min.Y-p.Y)*sy, W: float64(q.Dx()) * sx, H: float64(q.Dy()) * sy}.Inset2(-sx-1, -sy-1)
}

func (s *screen) command(c *ui.Command, scale float64) {
	switch c.Kind {
	case ui.Fill:
		s.fill(snap(c.R, scale), c.Radius*scale, c.C)
	case ui.Outline:
		s.outline(snap(c.R, scale), c.Radius*scale, max(1, math.Round(c.Width*scale)), c.C)
	case ui.Stroke:
		s.stroke(c, scale)
	case ui.Half:
		s.half(c.R, scale, c.C)
	case ui.Text:
		s.text(c, scale)
	case ui.Image:
		s.picture(snap(c.R, scale), c)
	}
}

// box is a rectangle in pixels.
type box struct{ x0, y0, x1, y1 float64 }

func snap(r ui.Rect, scale float64) box {
	return box{math.Round(r.X * scale), math.Round(r.Y * scale), math.Round(r.Right() * scale), math.Round(r.Bottom() * scale)}
}

// corner is where an edge turns: points at the distance d from the edge lie at r+d from here, in the direction that the corner looks.
type corner struct {
	x, y, r float64
	dx, dy  float64
}

// round returns the edge of a rectangle with round corners, clockwise.
func (s *screen) round(b box, radius float64) []corner {
	r := min(radius, (b.x1-b.x0)/2, (b.y1-b.y0)/2)
	steps := 2 + int(math.Sqrt(r)*1.5)
	s.edge = s.edge[:0]
	for q, c := range [4][2]float64{{b.x1 - r, b.y1 - r}, {b.x0 + r, b.y1 - r}, {b.x0 + r, b.y0 + r}, {b.x1 - r, b.y0 + r}} {
		for k := range steps + 1 {
			sin, cos := math.Sincos((float64(q) + float64(k)/float64(steps)) * math.Pi / 2)
			s.edge = append(s.edge, corner{c[0], c[1], r, cos, sin})
		}
	}
	return s.edge
}

// rings joins closed lines at distances from an edge, whose colour is between neighbours what it is on them; without a hole the last
// one is filled.
func (s *screen) rings(edge []corner, c ui.Color, hole bool, rings ...[2]float64) {
	first := s.room(len(edge)*len(rings) + 1)
	for _, ring := range rings {
		for _, e := range edge {
			d := max(0, e.r+ring[0])
			s.vertex(e.x+d*e.dx, e.y+d*e.dy, c, ring[1])
		}
	}
	n := uint32(len(edge))
	for k := range uint32(len(rings) - 1) {
		for i := range n {
			a, b := first+k*n+i, first+k*n+(i+1)%n
			s.index = append(s.index, a, b, a+n, b, b+n, a+n)
		}
	}
	if hole {
		return
	}
	last := first + uint32(len(rings)-1)*n
	for i := range n - 2 {
		s.index = append(s.index, last, last+i+1, last+i+2)
	}
}

// from says which image the next vertices take their colours from, and whether those between pixels are mixed.
func (s *screen) from(m *ebiten.Image, smooth bool) {
	if m != s.source || smooth != s.smooth {
		s.flush()
	}
	s.source, s.smooth = m, smooth
}

// room makes room for n vertices of one colour each, and returns the number of the next one.
func (s *screen) room(n int) uint32 {
	s.from(s.atlas.image, false)
	if len(s.vertices)+n > 1<<16 {
		s.flush()
	}
	return uint32(len(s.vertices))
}

// quad draws a part of the source into a box.
func (s *screen) quad(b, from box, c ui.Color) {
	i := uint32(len(s.vertices))
	red, green, blue, alpha := float32(c.R)/255, float32(c.G)/255, float32(c.B)/255, float32(c.A)/255
	for k := range 4 {
		v := ebiten.Vertex{DstX: float32(b.x0), DstY: float32(b.y0), SrcX: float32(from.x0), SrcY: float32(from.y0), ColorR: red, ColorG: green, ColorB: blue, ColorA: alpha}
		if k == 1 || k == 2 {
			v.DstX, v.SrcX = float32(b.x1), float32(from.x1)
		}
		if k >= 2 {
			v.DstY, v.SrcY = float32(b.y1), float32(from.y1)
		}
		s.vertices = append(s.vertices, v)
	}
	s.index = append(s.index, i, i+1, i+2, i, i+2, i+3)
}

func (s *screen) vertex(x, y float64, c ui.Color, alpha float64) {
	s.vertices = append(s.vertices, ebiten.Vertex{DstX: float32(x), DstY: float32(y), SrcX: spot, SrcY: spot,
		ColorR: float32(c.R) / 255, ColorG: float32(c.G) / 255, ColorB: float32(c.B) / 255, ColorA: float32(alpha) * float32(c.A) / 255})
}

// flush sends the triangles that have gathered.
func (s *screen) flush() {
	if len(s.index) > 0 {
		if s.source == s.atlas.image {
			s.atlas.upload()
		}
		o := ebiten.DrawTrianglesOptions{}
		if s.smooth {
			o.Filter = ebiten.FilterLinear
		}
		s.target.DrawTriangles32(s.vertices, s.index, s.source, &o)
	}
	s.vertices, s.index = s.vertices[:0], s.index[:0]
}

// fill covers a box. Edges fade over the pixel that they lie between: on whole pixels they are sharp, in corners smooth.
func (s *screen) fill(b box, radius float64, c ui.Color) {
	if b.x1 <= b.x0 || b.y1 <= b.y0 {
		return
	}
	if radius < 0.5 {
		i := s.room(4)
		s.vertex(b.x0, b.y0, c, 1)
		s.vertex(b.x1, b.y0, c, 1)
		s.vertex(b.x1, b.y1, c, 1)
		s.vertex(b.x0, b.y1, c, 1)
		s.index = append(s.index, i, i+1, i+2, i, i+2, i+3)
		return
	}
	s.rings(s.round(b, radius), c, false, [2]float64{0.5, 0}, [2]float64{-0.5, 1})
}

// outline covers the edge of a box, inside.
func (s *screen) outline(b box, radius, width float64, c ui.Color) {
	if b.x1-b.x0 <= 2*width || b.y1-b.y0 <= 2*width {
		s.fill(b, radius, c)
		return
	}
	if radius < 0.5 {
		s.fill(box{b.x0, b.y0, b.x1, b.y0 + width}, 0, c)
		s.fill(box{b.x0, b.y1 - width, b.x1, b.y1}, 0, c)
		s.fill(box{b.x0, b.y0 + width, b.x0 + width, b.y1 - width}, 0, c)
		s.fill(box{b.x1 - width, b.y0 + width, b.x1, b.y1 - width}, 0, c)
		return
	}
	radius = max(radius, width+0.5)
	s.rings(s.round(b, radius), c, true, [2]float64{0.5, 0}, [2]float64{-0.5, 1}, [2]float64{-width + 0.5, 1}, [2]float64{-width - 0.5, 0})
}

// stroke joins points by a line: a band of triangles for each segment, so that a curve of hundreds of points costs no more than its
// length.
func (s *screen) stroke(c *ui.Command, scale float64) {
	width := max(1, c.Width*scale)
	if p := c.Points; len(p) == 2 && (p[0].X == p[1].X || p[0].Y == p[1].Y) {
		// A line along the axes lies on whole pixels.
		w := max(1, math.Round(width))
		x0, y0 := math.Round(min(p[0].X, p[1].X)*scale-w/2), math.Round(min(p[0].Y, p[1].Y)*scale-w/2)
		x1, y1 := math.Round(max(p[0].X, p[1].X)*scale-w/2), math.Round(max(p[0].Y, p[1].Y)*scale-w/2)
		s.fill(box{x0, y0, max(x1, x0+w), max(y1, y0+w)}, 0, c.C)
		return
	}
	pts := s.points[:0]
	for _, q := range c.Points {
		p := ui.Point{X: q.X * scale, Y: q.Y * scale}
		if n := len(pts); n == 0 || math.Hypot(p.X-pts[n-1].X, p.Y-pts[n-1].Y) > 0.05 {
			pts = append(pts, p)
		}
	}
	s.points = pts
	if len(pts) < 2 {
		return
	}
	h := width / 2
	for i := range len(pts) - 1 {
		a, b := pts[i], pts[i+1]
		d := math.Hypot(b.X-a.X, b.Y-a.Y)
		dx, dy := (b.X-a.X)/d, (b.Y-a.Y)/d
		// Segments reach a little over their ends, which closes the outer side of turns.
		first := s.room(8)
		for _, end := range [2]ui.Point{{X: a.X - dx*h/2, Y: a.Y - dy*h/2}, {X: b.X + dx*h/2, Y: b.Y + dy*h/2}} {
			for _, o := range [4][2]float64{{-h - 0.5, 0}, {-h + 0.5, 1}, {h - 0.5, 1}, {h + 0.5, 0}} {
				s.vertex(end.X-dy*o[0], end.Y+dx*o[0], c.C, o[1])
			}
		}
		for k := range uint32(3) {
			v := first + k
			s.index = append(s.index, v, v+1, v+4, v+1, v+5, v+4)
		}
	}
}

// half covers the right half of a disc.
func (s *screen) half(r ui.Rect, scale float64, c ui.Color) {
	m := r.Center()
	x, y := math.Round(m.X*scale), m.Y*scale
	s.edge = s.edge[:0]
	const steps = 16
	for k := range steps + 1 {
		sin, cos := math.Sincos((float64(k)/steps - 0.5) * math.Pi)
		s.edge = append(s.edge, corner{x, y, r.W * scale / 2, cos, sin})
	}
	s.rings(s.edge, c, false, [2]float64{0.5, 0}, [2]float64{-0.5, 1})
}

func (s *screen) text(c *ui.Command, scale float64) {
	f := c.F
	f.Size *= scale
	x, y := math.Round(c.R.X*scale), math.Round(c.R.Y*scale)
	for _, r := range c.S {
		from := math.Floor(x)
		shift := uint8((x - from) * 4)
		l, room := s.atlas.letter(f, r, shift)
		if !room {
			// Letters of sizes that are gone may fill it.
			s.flush()
			s.atlas.clear()
			l, _ = s.atlas.letter(f, r, shift)
		}
		if l.w > 0 {
			b := box{from + float64(l.from.X), y + float64(l.from.Y), 0, 0}
			b.x1, b.y1 = b.x0+float64(l.w), b.y0+float64(l.h)
			s.from(s.atlas.image, false)
			s.quad(b, box{float64(l.at.X), float64(l.at.Y), float64(l.at.X + l.w), float64(l.at.Y + l.h)}, c.C)
		}
		x += f.Advance(r)
	}
}

// part is the part of its picture that a command draws.
func part(c *ui.Command) ui.Part {
	if c.Src == (ui.Part{}) {
		return ui.Part{W: c.Pic.W, H: c.Pic.H}
	}
	return c.Src
}

func (s *screen) picture(b box, c *ui.Command) {
	p := part(c)
	s.from(s.refresh(c.Pic).image, c.Pic.Smooth)
	s.quad(b, box{float64(p.X), float64(p.Y), float64(p.X + p.W), float64(p.Y + p.H)}, c.C)
}

// refresh returns the image of a picture, with the pixels that it has now.
func (s *screen) refresh(p *ui.Picture) *kept {
	k := s.kept[p.ID]
	fresh := k == nil || k.image.Bounds().Size() != image.Pt(p.W, p.H)
	if fresh {
		if k != nil {
			s.flush()
			k.image.Deallocate()
		}
		k = &kept{image: ebiten.NewImage(p.W, p.H)}
		s.kept[p.ID] = k
	}
	if fresh || k.version != p.Version {
		k.version = p.Version
		k.upload(p, fresh)
	}
	return k
}

// upload copies the pixels that have changed.
func (k *kept) upload(p *ui.Picture, all bool) {
	k.patch = image.Rect(0, 0, p.W, p.H)
	if p.Color {
		k.image.WritePixels(p.Pixels)
		return
	}
	x0, y0, x1, y1 := 0, 0, p.W, p.H
	if p.Dirty != nil {
		if a, b, c, d := p.Dirty(); !all {
			x0, y0, x1, y1 = a, b, c, d
		}
	}
	k.patch = image.Rectangle{}
	if x0 >= x1 || y0 >= y1 {
		return
	}
	k.patch = image.Rect(x0, y0, x1, y1)
	n := 4 * (x1 - x0) * (y1 - y0)
	if cap(k.buffer) < n {
		k.buffer = make([]byte, n)
	}
	out := k.buffer[:n]
	i := 0
	for y := y0; y < y1; y++ {
		for _, v := range p.Pixels[y*p.W+x0 : y*p.W+x1] {
			out[i], out[i+1], out[i+2], out[i+3] = v, v, v, v
			i += 4
		}
	}
	k.image.SubImage(image.Rect(x0, y0, x1, y1)).(*ebiten.Image).WritePixels(out)
}
