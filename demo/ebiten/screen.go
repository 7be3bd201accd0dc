package main

import (
	"bytes"
	"image"
	"image/color"
	"math"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/text/v2"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// screen plays lists of commands on an image of Ebitengine. Edges and baselines lie on whole pixels of the device, so that lines
// and text are crisp at every scale.
type screen struct {
	fonts map[bool]*text.GoTextFaceSource
	kept  map[string]*kept
	white *ebiten.Image

	// Triangles that wait to be sent, and what they are made from.
	vertices []ebiten.Vertex
	index    []uint16
	edge     []corner
	points   []ui.Point
}

// kept is an image that was uploaded.
type kept struct {
	image   *ebiten.Image
	version uint64
	buffer  []byte
}

func newScreen() (*screen, error) {
	s := &screen{fonts: map[bool]*text.GoTextFaceSource{}, kept: map[string]*kept{}}
	for _, f := range []ui.Font{ui.Regular(1), ui.Bold(1)} {
		src, err := text.NewGoTextFaceSource(bytes.NewReader(f.TTF()))
		if err != nil {
			return nil, err
		}
		s.fonts[f.Bold] = src
	}
	// The pixel in the middle of nine: at its edges nothing else is mixed in.
	nine := ebiten.NewImage(3, 3)
	nine.Fill(color.White)
	s.white = nine.SubImage(image.Rect(1, 1, 2, 2)).(*ebiten.Image)
	return s, nil
}

// play draws a list; scale is the number of pixels in a unit.
func (s *screen) play(dst *ebiten.Image, list []ui.Command, scale float64) {
	for i := range list {
		c := &list[i]
		switch c.Kind {
		case ui.Fill:
			s.fill(dst, snap(c.R, scale), c.Radius*scale, c.C)
		case ui.Outline:
			s.outline(dst, snap(c.R, scale), c.Radius*scale, max(1, math.Round(c.Width*scale)), c.C)
		case ui.Stroke:
			s.stroke(dst, c, scale)
		case ui.Half:
			s.half(dst, c.R, scale, c.C)
		case ui.Text:
			s.flush(dst)
			s.text(dst, c, scale)
		case ui.Image:
			s.flush(dst)
			s.picture(dst, snap(c.R, scale), c)
		}
	}
	s.flush(dst)
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
func (s *screen) rings(dst *ebiten.Image, edge []corner, c ui.Color, hole bool, rings ...[2]float64) {
	first := s.room(dst, len(edge)*len(rings)+1)
	for _, ring := range rings {
		for _, e := range edge {
			d := max(0, e.r+ring[0])
			s.vertex(e.x+d*e.dx, e.y+d*e.dy, c, ring[1])
		}
	}
	n := uint16(len(edge))
	for k := range uint16(len(rings) - 1) {
		for i := range n {
			a, b := first+k*n+i, first+k*n+(i+1)%n
			s.index = append(s.index, a, b, a+n, b, b+n, a+n)
		}
	}
	if hole {
		return
	}
	last := first + uint16(len(rings)-1)*n
	for i := range n - 2 {
		s.index = append(s.index, last, last+i+1, last+i+2)
	}
}

// room sends what has gathered where n more vertices do not fit, and returns the number of the next one.
func (s *screen) room(dst *ebiten.Image, n int) uint16 {
	if len(s.vertices)+n > 1<<16-1 {
		s.flush(dst)
	}
	return uint16(len(s.vertices))
}

func (s *screen) vertex(x, y float64, c ui.Color, alpha float64) {
	s.vertices = append(s.vertices, ebiten.Vertex{DstX: float32(x), DstY: float32(y), SrcX: 1, SrcY: 1,
		ColorR: float32(c.R) / 255, ColorG: float32(c.G) / 255, ColorB: float32(c.B) / 255, ColorA: float32(alpha) * float32(c.A) / 255})
}

// flush sends the triangles that have gathered.
func (s *screen) flush(dst *ebiten.Image) {
	if len(s.index) > 0 {
		dst.DrawTriangles(s.vertices, s.index, s.white, nil)
	}
	s.vertices, s.index = s.vertices[:0], s.index[:0]
}

// fill covers a box. Edges fade over the pixel that they lie between: on whole pixels they are sharp, in corners smooth.
func (s *screen) fill(dst *ebiten.Image, b box, radius float64, c ui.Color) {
	if b.x1 <= b.x0 || b.y1 <= b.y0 {
		return
	}
	if radius < 0.5 {
		i := s.room(dst, 4)
		s.vertex(b.x0, b.y0, c, 1)
		s.vertex(b.x1, b.y0, c, 1)
		s.vertex(b.x1, b.y1, c, 1)
		s.vertex(b.x0, b.y1, c, 1)
		s.index = append(s.index, i, i+1, i+2, i, i+2, i+3)
		return
	}
	s.rings(dst, s.round(b, radius), c, false, [2]float64{0.5, 0}, [2]float64{-0.5, 1})
}

// outline covers the edge of a box, inside.
func (s *screen) outline(dst *ebiten.Image, b box, radius, width float64, c ui.Color) {
	if b.x1-b.x0 <= 2*width || b.y1-b.y0 <= 2*width {
		s.fill(dst, b, radius, c)
		return
	}
	if radius < 0.5 {
		s.fill(dst, box{b.x0, b.y0, b.x1, b.y0 + width}, 0, c)
		s.fill(dst, box{b.x0, b.y1 - width, b.x1, b.y1}, 0, c)
		s.fill(dst, box{b.x0, b.y0 + width, b.x0 + width, b.y1 - width}, 0, c)
		s.fill(dst, box{b.x1 - width, b.y0 + width, b.x1, b.y1 - width}, 0, c)
		return
	}
	radius = max(radius, width+0.5)
	s.rings(dst, s.round(b, radius), c, true, [2]float64{0.5, 0}, [2]float64{-0.5, 1}, [2]float64{-width + 0.5, 1}, [2]float64{-width - 0.5, 0})
}

// stroke joins points by a line: a band of triangles for each segment, so that a curve of hundreds of points costs no more than its
// length.
func (s *screen) stroke(dst *ebiten.Image, c *ui.Command, scale float64) {
	width := max(1, c.Width*scale)
	if p := c.Points; len(p) == 2 && (p[0].X == p[1].X || p[0].Y == p[1].Y) {
		// A line along the axes lies on whole pixels.
		w := max(1, math.Round(width))
		x0, y0 := math.Round(min(p[0].X, p[1].X)*scale-w/2), math.Round(min(p[0].Y, p[1].Y)*scale-w/2)
		x1, y1 := math.Round(max(p[0].X, p[1].X)*scale-w/2), math.Round(max(p[0].Y, p[1].Y)*scale-w/2)
		s.fill(dst, box{x0, y0, max(x1, x0+w), max(y1, y0+w)}, 0, c.C)
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
		first := s.room(dst, 8)
		for _, end := range [2]ui.Point{{X: a.X - dx*h/2, Y: a.Y - dy*h/2}, {X: b.X + dx*h/2, Y: b.Y + dy*h/2}} {
			for _, o := range [4][2]float64{{-h - 0.5, 0}, {-h + 0.5, 1}, {h - 0.5, 1}, {h + 0.5, 0}} {
				s.vertex(end.X-dy*o[0], end.Y+dx*o[0], c.C, o[1])
			}
		}
		for k := range uint16(3) {
			v := first + k
			s.index = append(s.index, v, v+1, v+4, v+1, v+5, v+4)
		}
	}
}

// half covers the right half of a disc.
func (s *screen) half(dst *ebiten.Image, r ui.Rect, scale float64, c ui.Color) {
	m := r.Center()
	x, y := math.Round(m.X*scale), m.Y*scale
	s.edge = s.edge[:0]
	const steps = 16
	for k := range steps + 1 {
		sin, cos := math.Sincos((float64(k)/steps - 0.5) * math.Pi)
		s.edge = append(s.edge, corner{x, y, r.W * scale / 2, cos, sin})
	}
	s.rings(dst, s.edge, c, false, [2]float64{0.5, 0}, [2]float64{-0.5, 1})
}

func (s *screen) text(dst *ebiten.Image, c *ui.Command, scale float64) {
	face := &text.GoTextFace{Source: s.fonts[c.F.Bold], Size: c.F.Size * scale}
	o := &text.DrawOptions{}
	o.GeoM.Translate(math.Round(c.R.X*scale), math.Round(c.R.Y*scale)-face.Metrics().HAscent)
	o.ColorScale.ScaleWithColor(c.C)
	text.Draw(dst, c.S, face, o)
}

func (s *screen) picture(dst *ebiten.Image, b box, c *ui.Command) {
	p := c.Pic
	k := s.kept[p.ID]
	fresh := k == nil || k.image.Bounds().Dx() != p.W || k.image.Bounds().Dy() != p.H
	if fresh {
		if k != nil {
			k.image.Deallocate()
		}
		k = &kept{image: ebiten.NewImage(p.W, p.H)}
		s.kept[p.ID] = k
	}
	if fresh || k.version != p.Version {
		k.version = p.Version
		k.upload(p, fresh)
	}
	o := &ebiten.DrawImageOptions{}
	o.GeoM.Scale((b.x1-b.x0)/float64(p.W), (b.y1-b.y0)/float64(p.H))
	o.GeoM.Translate(b.x0, b.y0)
	o.ColorScale.ScaleWithColor(c.C)
	if p.Smooth {
		o.Filter = ebiten.FilterLinear
	}
	dst.DrawImage(k.image, o)
}

// upload copies the pixels that have changed.
func (k *kept) upload(p *ui.Picture, all bool) {
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
	if x0 >= x1 || y0 >= y1 {
		return
	}
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
