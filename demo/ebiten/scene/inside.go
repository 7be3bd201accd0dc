package scene

import (
	"math"
	"strconv"

	"github.com/weft-ml/weft/demo/ebiten/net"
	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// insideScene is the pad, what the network sees of it, and the maps of every layer.
func (a *App) insideScene(area ui.Rect) {
	u := &a.UI
	t := u.Theme
	wide := area.W > area.H*1.1 && area.W >= 580
	if wide {
		side := area.CutLeft(max(240, min(area.W*0.36, area.H-62-14-204)), 20)
		pad := u.Card(side.CutTop(side.W+48, 14), 14)
		foot := pad.CutBottom(34, 12)
		a.padArea(pad.Square())
		a.think(true)
		if u.Button("clear", foot.CutRight(78, 8), "Clear", ui.ButtonStyle{}) {
			a.clear()
		}
		if a.hasChoice() {
			a.netChoice(foot.CutLeft(min(foot.W, 220), 0))
		} else {
			u.Label(foot, a.padHint(foot.W), ui.Regular(13), t.Quiet, ui.Left)
		}
		if side.H > 84 {
			a.seen(u.Card(side.CutTop(220, 0), 14))
		}
	} else {
		top := area.CutTop(min(area.W*0.5, max(150, area.H*0.28)), 10)
		card := u.Card(top, 12)
		padRect := card.CutLeft(card.H, 14)
		a.padArea(padRect)
		a.think(true)
		row := card.CutBottom(34, 10)
		if a.hasChoice() && row.W > 230 {
			a.netChoice(row.CutLeft(row.W-86, 8))
		}
		if u.Button("clear", row.CutLeft(78, 0), "Clear", ui.ButtonStyle{}) {
			a.clear()
		}
		a.seen(card)
	}
	card := u.Card(area, 14)
	a.maps(card)
}

// seen shows the 28x28 pixels that the network is given, and its answer.
func (a *App) seen(r ui.Rect) {
	u := &a.UI
	t := u.Theme
	side := min(r.H, r.W*0.55)
	box := r.CutLeft(side, 12)
	box = ui.Rect{X: box.X, Y: box.Y + (box.H-side)/2, W: side, H: side}
	pic, parts := a.sheet.parts(a)
	u.PictureOf(box, pic, parts[0][0])
	u.Edge(box, 0, 1, t.Line)
	if r.W < 30 {
		return
	}
	a.verdict(r, 64)
}

// row is a layer and how its maps lie.
type row struct {
	layer   net.Layer
	columns int // of maps or units
	rows    int
	natural float64 // size of a map compared with those of the first layer; 0: units
	cell    float64 // size of a map
	height  float64
}

const mapGap = 4.0

// sheet is how the rows lie in their area: with heads above them, or beside them where it is low.
type sheet struct {
	rows       []row
	gap        float64
	head, side float64 // height of the heads above, width of those beside
}

// plan lays the layers out in an area. Layers of many maps have one line of them or two, as leaves larger maps.
func plan(layers []net.Layer, area ui.Rect) sheet {
	best, most := sheet{gap: 10, head: 18}, -1.0
	if area.H < 400 {
		best = sheet{gap: 7, side: 92}
		area.W -= best.side
	}
	least := 0.0 // height of a row
	if best.side > 0 {
		least = 26
	}
	for lines := 1; lines <= 2; lines++ {
		rows, covered := make([]row, 0, len(layers)), 0.0
		free := area.H - best.gap*float64(len(layers)-1) - best.head*float64(len(layers))
		share := 0.0
		for _, l := range layers {
			r := row{layer: l, columns: l.Shape[0], rows: 1}
			if len(l.Shape) == 3 {
				if r.columns > 8 {
					r.columns, r.rows = (r.columns+lines-1)/lines, lines
				}
				switch h := l.Shape[1]; {
				case h >= 20:
					r.natural = 1
				case h >= 10:
					r.natural = 0.72
				case h >= 6:
					r.natural = 0.6
				default:
					r.natural = 0.46
				}
				share += r.natural * float64(r.rows)
				free -= mapGap * float64(r.rows-1)
			} else {
				r.height = min(44, max(32, area.H*0.07))
				if r.columns > 10 {
					r.columns, r.rows = grid(r.columns)
					r.height = max(least, float64(r.rows)*min(14, max(6, area.H*0.02)))
				}
				free -= r.height
			}
			rows = append(rows, r)
		}
		for i := range rows {
			r := &rows[i]
			if r.natural == 0 {
				continue
			}
			r.cell = math.Floor(max(0, min(free/share*r.natural, (area.W-mapGap*float64(r.columns-1))/float64(r.columns))))
			r.height = max(least, r.cell*float64(r.rows)+mapGap*float64(r.rows-1))
			covered += r.cell * r.cell * float64(r.layer.Shape[0])
		}
		if covered > most {
			best.rows, most = rows, covered
		}
	}
	return best
}

// blank are the layers of LeNet before there is ink.
var blank = []net.Layer{{Name: "Convolution", Shape: []int{6, 24, 24}}, {Name: "Max pooling", Shape: []int{6, 12, 12}},
	{Name: "Convolution", Shape: []int{16, 8, 8}}, {Name: "Max pooling", Shape: []int{16, 4, 4}},
	{Name: "Dense", Shape: []int{120}}, {Name: "Dense", Shape: []int{10}}}

// maps shows the layers, one below the other.
func (a *App) maps(r ui.Rect) {
	u := &a.UI
	t := u.Theme
	p := plan(a.shownLayers(), r)
	spare := r.H + p.gap
	for _, row := range p.rows {
		spare -= row.height + p.head + p.gap
	}
	gap := p.gap + min(20, max(0, spare/float64(len(p.rows)-1)))
	for i, row := range p.rows {
		name, size := row.layer.Name, dims(row.layer.Shape)
		if p.side > 0 {
			body := r.CutTop(row.height, gap)
			head := body.CutLeft(p.side, 0)
			mid := head.Center().Y
			u.Label(ui.Rect{X: head.X, Y: mid - 14, W: head.W, H: 14}, name, ui.Bold(11), t.Text, ui.Left)
			u.Label(ui.Rect{X: head.X, Y: mid, W: head.W, H: 14}, size, ui.Regular(11), t.Quiet, ui.Left)
			if row.natural > 0 {
				a.mapRow(i, row, body)
			} else {
				a.unitRow(i, row, body)
			}
			continue
		}
		line := r.CutTop(p.head, 0)
		u.Label(ui.Rect{X: line.X, Y: line.Y - 2, W: line.W, H: 16}, name, ui.Bold(12), t.Text, ui.Left)
		u.Label(ui.Rect{X: line.X + ui.Bold(12).Width(name) + 8, Y: line.Y - 2, W: line.W, H: 16}, size, ui.Regular(12), t.Quiet, ui.Left)
		body := r.CutTop(row.height, gap)
		if row.natural > 0 {
			a.mapRow(i, row, body)
		} else {
			a.unitRow(i, row, body)
		}
	}
}

func dims(shape []int) string {
	s := ""
	for i, d := range shape {
		if i > 0 {
			s += " × "
		}
		s += strconv.Itoa(d)
	}
	return s
}

// shownLayers are those of the answer, or what they would be.
func (a *App) shownLayers() []net.Layer {
	if a.inside {
		return a.layers
	}
	return blank
}

// span is the range of a layer's values, 0 included.
func span(v []float32) (lo, hi float32) {
	hi = 1e-6
	for _, x := range v {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo, hi
}

func (a *App) mapRow(i int, r row, body ui.Rect) {
	u := &a.UI
	cell := r.cell
	step := cell
	if r.columns > 1 {
		step += min((body.W-float64(r.columns)*cell)/float64(r.columns-1), mapGap+cell*0.3)
	}
	pic, parts := a.sheet.parts(a)
	for c, part := range parts[i+1] {
		at := ui.Rect{X: body.X + float64(c%r.columns)*step, Y: body.Y + float64(c/r.columns)*(cell+mapGap), W: cell, H: cell}
		u.PictureOf(at, pic, part)
	}
}

func (a *App) unitRow(i int, r row, body ui.Rect) {
	u := &a.UI
	t := u.Theme
	n := r.layer.Shape[0]
	if n > 10 {
		pic, parts := a.sheet.parts(a)
		u.PictureOf(body, pic, parts[i+1][0])
		return
	}
	lo, hi := span(r.layer.Data)
	for k := range n {
		cell := body.Column(k, n, 4)
		v := float32(0)
		if r.layer.Data != nil {
			v = (r.layer.Data[k] - lo) / (hi - lo)
		}
		text := cell.CutBottom(16, 2)
		u.Box(cell, 4, t.Map.At(v))
		f, c := ui.Regular(12), t.Quiet
		if a.answer.There && k == a.answer.Digit {
			f, c = ui.Bold(13), t.Accent
		}
		u.Label(text, strconv.Itoa(k), f, c, ui.Middle)
	}
}

// sheetOfMaps is one picture with all that there is to see of the layers, so that a frame uploads and draws it at once: what the network
// is given, and then the maps of each layer, or its units in lines. It is painted when there is another answer or another theme.
type sheetOfMaps struct {
	picture ui.Picture
	places  [][]ui.Part
	answer  uint64
	theme   *ui.Theme
}

// sheetWidth is the picture's, in pixels.
const sheetWidth = 256

// parts returns the picture, and where in it things are: what the network is given, then each layer.
func (s *sheetOfMaps) parts(a *App) (*ui.Picture, [][]ui.Part) {
	if s.theme == a.UI.Theme && s.answer == a.thoughts {
		return &s.picture, s.places
	}
	layers := a.shownLayers()
	s.theme, s.answer = a.UI.Theme, a.thoughts
	s.places = s.places[:0]
	x, y, high := 0, 0, 0
	room := func(w, h int) ui.Part {
		if x+w > sheetWidth {
			x, y, high = 0, y+high, 0
		}
		at := ui.Part{X: x, Y: y, W: w, H: h}
		x, high = x+w, max(high, h)
		return at
	}
	s.places = append(s.places, []ui.Part{room(net.Size, net.Size)})
	for _, l := range layers {
		var of []ui.Part
		switch {
		case len(l.Shape) == 3:
			for range l.Shape[0] {
				of = append(of, room(l.Shape[2], l.Shape[1]))
			}
		case l.Shape[0] > 10:
			of = append(of, room(grid(l.Shape[0])))
		}
		s.places = append(s.places, of)
	}
	height := y + high
	if s.picture.H != height {
		s.picture = ui.Picture{ID: "maps", W: sheetWidth, H: height, Pixels: make([]byte, 4*sheetWidth*height), Color: true, Version: s.picture.Version}
	}
	s.picture.Version++
	paint := func(at ui.Part, data []float32, lo, hi float32, colours *ui.Ramp) {
		i := 0
		for y := at.Y; y < at.Y+at.H; y++ {
			out := s.picture.Pixels[4*(y*sheetWidth+at.X):]
			for x := range at.W {
				v := float32(0)
				if i < len(data) && hi > lo {
					v = (data[i] - lo) / (hi - lo)
				}
				i++
				c := colours.At(v)
				out[4*x], out[4*x+1], out[4*x+2], out[4*x+3] = c.R, c.G, c.B, 255
			}
		}
	}
	paint(s.places[0][0], a.digit[:], 0, 1, &s.theme.Ink)
	for i, l := range layers {
		lo, hi := span(l.Data)
		of := s.places[i+1]
		for c, at := range of {
			var data []float32
			if n := len(l.Data) / len(of); n > 0 {
				data = l.Data[c*n : (c+1)*n]
			}
			paint(at, data, lo, hi, &s.theme.Map)
		}
	}
	return &s.picture, s.places
}

// grid says how many columns and rows of units there are.
func grid(units int) (columns, rows int) {
	rows = (units + 39) / 40
	return (units + rows - 1) / rows, rows
}
