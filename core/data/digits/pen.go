package digits

import (
	"math"

	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/random"
)

const (
	maxNodes  = 320  // points of all traced strokes
	perPiece  = 5    // points that a piece of a spline is traced with
	box       = 20   // the digit fits a box of this many pixels, as MNIST's do
	jitterSD  = 0.04 // of the skeleton's points, in heights
	fieldSize = Size
)

// node is a traced point with the pen's radius there, in pixels.
type node struct {
	x, y, r float64
	up      bool // the pen was lifted before this point
}

// pen traces one digit. It lives on the stack: drawing allocates nothing.
type pen struct {
	rng   *random.Source
	nodes [maxNodes]node
	n     int
}

// uniform draws from [lo, hi).
func (p *pen) uniform(lo, hi float64) float64 { return lo + float64((hi-lo)*p.rng.Float64()) }

// normal draws from a normal distribution with mean 0, cut at 2.5 deviations.
func (p *pen) normal(sd float64) float64 {
	return float64(sd * min(max(p.rng.Normal(), -2.5), 2.5))
}

// add appends a traced point.
func (p *pen) add(x, y float64, up bool) {
	if p.n < maxNodes {
		p.nodes[p.n] = node{x: x, y: y, up: up}
		p.n++
	}
}

// trace follows the style's strokes, each of whose points is moved a little.
func (p *pen) trace(st *style) {
	var q [24]point
	shake := float64(jitterSD * p.uniform(0.5, 1.6))
	for _, s := range st.strokes {
		n := min(len(s.points), len(q))
		for i := range n {
			q[i] = point{s.points[i].x + p.normal(shake), s.points[i].y + p.normal(shake)}
		}
		// The ends vary along the line: strokes begin and stop early or late.
		q[0] = along(q[1], q[0], 1+p.normal(0.22))
		q[n-1] = along(q[n-2], q[n-1], 1+p.normal(0.25))
		p.add(q[0].x, q[0].y, true)
		for i := range n - 1 {
			if s.sharp {
				p.add(q[i+1].x, q[i+1].y, false)
				continue
			}
			a, b, c, d := q[max(i-1, 0)], q[i], q[i+1], q[min(i+2, n-1)]
			for k := 1; k <= perPiece; k++ {
				t := float64(k) / perPiece
				p.add(spline(a.x, b.x, c.x, d.x, t), spline(a.y, b.y, c.y, d.y, t), false)
			}
		}
	}
}

// along returns the point that lies f times the way from a to b.
func along(a, b point, f float64) point {
	return point{a.x + float64(f*(b.x-a.x)), a.y + float64(f*(b.y-a.y))}
}

// spline is the Catmull-Rom spline between b and c.
func spline(a, b, c, d, t float64) float64 {
	t2 := float64(t * t)
	t3 := float64(t2 * t)
	s := float64(2*b) + float64((c-a)*t)
	s += float64((float64(2*a) - float64(5*b) + float64(4*c) - d) * t2)
	s += float64((float64(3*b) - a - float64(3*c) + d) * t3)
	return float64(0.5 * s)
}

// distort bends the traced lines: a smooth warp of two low waves a direction, then slant, stretch and rotation.
func (p *pen) distort(h *habit) {
	var wave [2][2]struct{ fx, fy, phase, amp float64 }
	for a := range wave {
		for k := range wave[a] {
			w := &wave[a][k]
			w.fx, w.fy, w.phase = p.uniform(-0.8, 0.8), p.uniform(-0.8, 0.8), p.rng.Float64()
			w.amp = p.normal(0.055)
		}
	}
	slant := p.normal(0.24) - 0.15 + h.lean // most hands lean to the right: x falls as y grows
	widen := float64(h.width * detmath.Exp(p.normal(0.25)-0.04))
	sin, cos := detmath.SinCosTurns(p.normal(0.03))
	// Heads and feet differ in size from hand to hand: a power-like stretch along the height.
	bulge := p.normal(0.28)
	for i := range p.n {
		n := &p.nodes[i]
		x, y := n.x-0.35, n.y-0.5
		dx, dy := 0.0, 0.0
		for k := range 2 {
			w := wave[0][k]
			s, _ := detmath.SinCosTurns(float64(w.fx*x) + float64(w.fy*y) + w.phase)
			dx += float64(w.amp * s)
			w = wave[1][k]
			s, _ = detmath.SinCosTurns(float64(w.fx*x) + float64(w.fy*y) + w.phase)
			dy += float64(w.amp * s)
		}
		x, y = x+dx, y+dy
		y += float64(bulge * (float64(y*y) - 0.2))
		x = float64(x*widen) + float64(slant*y)
		n.x = float64(x*cos) - float64(y*sin)
		n.y = float64(x*sin) + float64(y*cos)
	}
}

// place scales the digit to its box and chooses the pen's width and pressure.
func (p *pen) place(h *habit) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, n := range p.nodes[:p.n] {
		x0, x1 = min(x0, n.x), max(x1, n.x)
		y0, y1 = min(y0, n.y), max(y1, n.y)
	}
	radius := p.uniform(0.75, 1.85) // pixels
	if p.rng.Float64() < 0.15 {
		radius += p.uniform(0, 1.1) // a felt pen
	}
	radius = float64(radius * h.pen)
	room := box - float64(2*radius)
	scale := room / max(x1-x0, y1-y0, 1e-6)
	// Slim digits keep their proportions; the longer side fills the box.
	cx, cy := float64(0.5*(x0+x1)), float64(0.5*(y0+y1))
	pressure, phase := p.uniform(0, 0.22), p.rng.Float64()
	for i := range p.n {
		n := &p.nodes[i]
		n.x = float64((n.x-cx)*scale) + fieldSize/2.0
		n.y = float64((n.y-cy)*scale) + fieldSize/2.0
		s, _ := detmath.SinCosTurns(phase + float64(1.3*float64(i)/float64(p.n)))
		n.r = float64(radius * (1 + float64(pressure*s)))
	}
}

// ink draws the lines with smooth edges, moves the centre of mass to the middle by whole pixels, and adds what a scanner adds.
func (p *pen) ink(out *[Size * Size]float32) {
	var field [Size * Size]float32
	soft := p.uniform(0.6, 1.15) // width of the edge from ink to paper, in pixels
	for i := range p.n {
		b := p.nodes[i]
		a := b
		if !b.up {
			a = p.nodes[i-1]
		}
		p.segment(&field, a, b, soft)
	}
	full := float32(p.uniform(0.92, 1.0))
	noise := 0.0
	if p.rng.Float64() < 0.25 {
		noise = p.uniform(0.01, 0.06)
	}
	// As MNIST: the centre of mass goes to the middle, by whole pixels.
	mass, mx, my := 0.0, 0.0, 0.0
	for y := range Size {
		for x := range Size {
			v := float64(field[y*Size+x])
			mass += v
			mx += float64(v * (float64(x) + 0.5))
			my += float64(v * (float64(y) + 0.5))
		}
	}
	sx := int(math.Ceil(Size/2.0 - mx/max(mass, 1e-9)))
	sy := int(math.Ceil(Size/2.0 - my/max(mass, 1e-9)))
	if p.rng.Float64() < 0.15 { // and not all are centred well
		sx += p.rng.IntN(3) - 1
		sy += p.rng.IntN(3) - 1
	}
	for y := range Size {
		for x := range Size {
			v := float32(0)
			if fx, fy := x-sx, y-sy; fx >= 0 && fx < Size && fy >= 0 && fy < Size {
				v = field[fy*Size+fx] * full
			}
			if noise > 0 && v > 0 {
				v -= float32(float64(noise) * p.rng.Float64() * float64(v))
			}
			out[y*Size+x] = v
		}
	}
}

// segment draws a line with round ends whose radius goes from a's to b's. Ink does not add up: the darker one stays.
func (p *pen) segment(field *[Size * Size]float32, a, b node, soft float64) {
	reach := max(a.r, b.r) + float64(0.5*soft) // no ink beyond
	solid := max(min(a.r, b.r)-float64(0.5*soft), 0)
	far, near := float64(reach*reach), float64(solid*solid)
	x0, x1 := int(math.Floor(min(a.x, b.x)-reach)), int(math.Floor(max(a.x, b.x)+reach))
	y0, y1 := int(math.Floor(min(a.y, b.y)-reach)), int(math.Floor(max(a.y, b.y)+reach))
	x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, Size-1), min(y1, Size-1)
	dx, dy := b.x-a.x, b.y-a.y
	length := float64(dx*dx) + float64(dy*dy)
	inv := 0.0
	if length > 1e-12 {
		inv = 1 / length
	}
	edge := 1 / soft
	for y := y0; y <= y1; y++ {
		py := float64(y) + 0.5 - a.y
		row := field[y*Size : (y+1)*Size]
		for x := x0; x <= x1; x++ {
			f := &row[x]
			if *f >= 1 {
				continue // as dark as ink gets: most pixels are under several segments
			}
			px := float64(x) + 0.5 - a.x
			t := min(max(float64((float64(px*dx)+float64(py*dy))*inv), 0), 1)
			ex, ey := px-float64(t*dx), py-float64(t*dy)
			sq := float64(ex*ex) + float64(ey*ey)
			if sq >= far {
				continue
			}
			v := float32(1)
			if sq > near {
				r := a.r + float64(t*(b.r-a.r))
				v = float32(min(max(float64((r-math.Sqrt(sq))*edge)+0.5, 0), 1))
			}
			if v > *f {
				*f = v
			}
		}
	}
}
