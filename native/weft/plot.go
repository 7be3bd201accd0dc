package main

import (
	"bytes"
	"fmt"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/weft-ml/weft/core/metric"
	"github.com/weft-ml/weft/core/train"
)

var (
	blue   = color.RGBA{R: 0x1f, G: 0x6f, B: 0xb4, A: 0xff}
	orange = color.RGBA{R: 0xe0, G: 0x7b, B: 0x1a, A: 0xff}
)

// plotRun draws loss and accuracy over the steps, and the confusion matrix of the test data where there is one, as one SVG picture.
func plotRun(title string, h *train.History, c *metric.Confusion, names []string) ([]byte, error) {
	loss, err := curve("Loss", "cross-entropy", h, func(p train.Point) float64 { return p.Loss })
	if err != nil {
		return nil, err
	}
	accuracy, err := curve("Accuracy", "share of samples", h, func(p train.Point) float64 { return p.Accuracy })
	if err != nil {
		return nil, err
	}
	loss.Title.Text = title + "\n\nLoss"
	accuracy.Title.Text = "\n\nAccuracy"
	plots := [][]*plot.Plot{{loss, accuracy}}
	if c != nil {
		matrix, err := matrixPlot(c, names)
		if err != nil {
			return nil, err
		}
		matrix.Title.Text = "\n\nConfusion matrix, test data"
		plots[0] = append(plots[0], matrix)
	}
	const w, height = 4.5 * vg.Inch, 4.5 * vg.Inch
	canvas := vgsvg.New(vg.Length(len(plots[0]))*w, height)
	dc := draw.New(canvas)
	tiles := draw.Tiles{Rows: 1, Cols: len(plots[0]), PadX: vg.Millimeter * 6, PadTop: vg.Millimeter * 3, PadBottom: vg.Millimeter * 3, PadLeft: vg.Millimeter * 3, PadRight: vg.Millimeter * 3}
	for j, cv := range plot.Align(plots, tiles, dc)[0] {
		plots[0][j].Draw(cv)
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func curve(title, y string, h *train.History, value func(train.Point) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "step", y
	p.Add(plotter.NewGrid())
	add := func(name string, points []train.Point, c color.Color, dots bool) error {
		if len(points) == 0 {
			return nil
		}
		xys := make(plotter.XYs, len(points))
		for i, q := range points {
			xys[i] = plotter.XY{X: float64(q.Step), Y: value(q)}
		}
		line, err := plotter.NewLine(xys)
		if err != nil {
			return err
		}
		line.Color, line.Width = c, vg.Points(1.4)
		p.Add(line)
		p.Legend.Add(name, line)
		if dots {
			s, err := plotter.NewScatter(xys)
			if err != nil {
				return err
			}
			s.Color, s.Shape, s.Radius = c, draw.CircleGlyph{}, vg.Points(2.5)
			p.Add(s)
		}
		return nil
	}
	if err := add("training, mean of 50 steps", h.Train, blue, false); err != nil {
		return nil, err
	}
	if err := add("validation", h.Validation, orange, true); err != nil {
		return nil, err
	}
	p.Legend.Top = title == "Loss"
	return p, nil
}

// matrixGrid shows each row of a confusion matrix in shares of its class, the first class on top.
type matrixGrid struct{ m [][]int }

func (g matrixGrid) Dims() (c, r int)   { return len(g.m), len(g.m) }
func (g matrixGrid) X(c int) float64    { return float64(c) }
func (g matrixGrid) Y(r int) float64    { return float64(r) }
func (g matrixGrid) Z(c, r int) float64 { return share(g.m, len(g.m)-1-r, c) }

func share(m [][]int, row, col int) float64 {
	sum := 0
	for _, v := range m[row] {
		sum += v
	}
	if sum == 0 {
		return 0
	}
	return float64(m[row][col]) / float64(sum)
}

// blues goes from white to blue.
type blues struct{}

func (blues) Colors() []color.Color {
	out := make([]color.Color, 64)
	for i := range out {
		f := float64(i) / 63
		out[i] = color.RGBA{R: uint8(255 - f*224), G: uint8(255 - f*144), B: uint8(255 - f*75), A: 255}
	}
	return out
}

func matrixPlot(c *metric.Confusion, names []string) (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "predicted", "true class"
	m := c.Result()
	h := plotter.NewHeatMap(matrixGrid{m}, blues{})
	h.Min, h.Max = 0, 1
	p.Add(h)
	n := len(m)
	name := func(i int) string {
		if i < len(names) {
			return names[i]
		}
		return strconv.Itoa(i)
	}
	var xt, yt []plot.Tick
	for i := range n {
		xt = append(xt, plot.Tick{Value: float64(i), Label: name(i)})
		yt = append(yt, plot.Tick{Value: float64(n - 1 - i), Label: name(i)})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(xt), plot.ConstantTicks(yt)
	if n <= 20 { // numbers are readable up to here
		var l plotter.XYLabels
		for r := range n {
			for k := range n {
				if m[r][k] > 0 {
					l.XYs = append(l.XYs, plotter.XY{X: float64(k), Y: float64(n - 1 - r)})
					l.Labels = append(l.Labels, fmt.Sprint(m[r][k]))
				}
			}
		}
		labels, err := plotter.NewLabels(l)
		if err != nil {
			return nil, err
		}
		i := 0
		for r := range n {
			for k := range n {
				if m[r][k] == 0 {
					continue
				}
				s := &labels.TextStyle[i]
				s.XAlign, s.YAlign = draw.XCenter, draw.YCenter
				s.Font.Size = vg.Points(max(4, 9-float64(n)/5))
				if share(m, r, k) > 0.5 {
					s.Color = color.White
				}
				i++
			}
		}
		p.Add(labels)
	}
	return p, nil
}
