package scene

import (
	"fmt"
	"math"
	"strconv"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// The choices of a run.
var (
	rates   = []float64{0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01}
	batches = []int{8, 16, 32, 64, 128, 256}
	epochs  = []int{1, 2, 3, 5, 10, 20}
)

// controls are what is chosen, as indices.
type controls struct {
	data, rate, batch, epochs int
	runs                      uint64 // started: every run has a seed of its own
}

func newControls(folder bool) controls {
	c := controls{rate: 3, batch: 2, epochs: 3}
	if folder {
		c.data = 1
	}
	return c
}

func list[T any](v []T) []string {
	out := make([]string, len(v))
	for i, x := range v {
		out[i] = fmt.Sprint(x)
	}
	return out
}

// start begins a run with what is chosen.
func (a *App) start() {
	c := &a.train
	cfg := learn.Config{Data: learn.Digits, LearningRate: rates[c.rate], BatchSize: batches[c.batch], Epochs: epochs[c.epochs], Seed: c.runs + 1, TestSamples: 2000}
	if c.data == 1 {
		cfg.Data, cfg.TestSamples = learn.Folder, 0
	}
	cfg.Name = a.dataNames()[c.data]
	if err := a.opt.Trainer.Start(cfg); err != nil {
		a.tell(err)
		return
	}
	c.runs++
	a.wants, a.notice = true, ""
}

// dataNames are the data that there are to train on.
func (a *App) dataNames() []string {
	if name := a.opt.Trainer.Given().Name; name != "" {
		return []string{"Built in", name}
	}
	return []string{"Built in"}
}

// trainScene is the settings beside the curves.
func (a *App) trainScene(area ui.Rect) {
	u := &a.UI
	a.lift()
	s := a.snap
	if area.W > area.H*1.1 && area.W >= 560 {
		side := area.CutLeft(max(280, min(320, area.W*0.36)), 20)
		card := u.Card(side, 16)
		a.settings(&card, s, 38, 10)
		a.progress(card, s)
		plots := [2]ui.Rect{area.Row(0, 2, 14), area.Row(1, 2, 14)}
		a.plots(plots, s)
		return
	}
	h, gap := 36.0, 8.0
	if area.H < 520 {
		h, gap = 30, 6
	}
	need := 5*h + 5*gap + 24 + 52
	if area.H > 620 {
		need += 50 // for more lines
	}
	card := u.Card(area.CutTop(min(need, area.H*0.66), 10), 12)
	a.settings(&card, s, h, gap)
	a.progress(card, s)
	if area.H > 300 {
		a.plots([2]ui.Rect{area.Row(0, 2, 10), area.Row(1, 2, 10)}, s)
	} else {
		a.plots([2]ui.Rect{area.Column(0, 2, 10), area.Column(1, 2, 10)}, s)
	}
}

// settings draws the choices and the buttons, and takes their space from the area.
func (a *App) settings(area *ui.Rect, s *learn.Snapshot, h, gap float64) {
	u := &a.UI
	c := &a.train
	busy := s.State.Active()
	data := a.dataNames()
	label := ui.LabelWidth(area.W)
	line := area.CutTop(h, gap)
	if a.opt.Trainer.CanChoose() {
		// Where there is little height the button stands beside the choice.
		name, button := "MNIST files …", *area
		if h < 38 {
			name, button = "Files …", line.CutRight(66, 8)
		} else {
			button = area.CutTop(h, gap)
			button.CutLeft(label, 0)
		}
		reading := a.opt.Trainer.Given().Reading
		if reading {
			name = "Reading"
		}
		if u.Button("files", button, name, ui.ButtonStyle{Disabled: reading}) {
			a.opt.Trainer.Choose()
		}
	}
	c.data = u.Stepper("data", line, label, "Data", data, c.data, busy || len(data) == 1)
	c.rate = u.Stepper("rate", area.CutTop(h, gap), label, "Learning rate", list(rates), c.rate, busy)
	c.batch = u.Stepper("batch", area.CutTop(h, gap), label, "Batch size", list(batches), c.batch, busy)
	c.epochs = u.Stepper("epochs", area.CutTop(h, gap+2), label, "Epochs", list(epochs), c.epochs, busy)
	row := area.CutTop(h+2, gap+4)
	first, second := row.Column(0, 2, 8), row.Column(1, 2, 8)
	switch s.State {
	case learn.Paused:
		if u.Button("go", first, "Resume", ui.ButtonStyle{Primary: true}) {
			a.opt.Trainer.Resume()
		}
	case learn.Running, learn.Preparing:
		if u.Button("go", first, "Pause", ui.ButtonStyle{Primary: true}) {
			a.opt.Trainer.Pause()
		}
	default:
		if u.Button("go", first, "Start", ui.ButtonStyle{Primary: true}) {
			a.start()
		}
	}
	if u.Button("stop", second, "Stop", ui.ButtonStyle{Disabled: !busy}) {
		a.opt.Trainer.Stop()
	}
}

// progress says where the run stands.
func (a *App) progress(r ui.Rect, s *learn.Snapshot) {
	u := &a.UI
	t := u.Theme
	if r.H < 20 {
		return
	}
	bar := r.CutTop(6, 10)
	u.Box(bar, 3, t.Sunk)
	if s.Steps > 0 {
		fill := bar
		fill.W = max(6, bar.W*float64(s.Step)/float64(s.Steps))
		c := t.Accent
		if s.State == learn.Paused {
			c = t.Warm
		}
		u.Box(fill, 3, c)
	}
	lines := a.status(s)
	if len(lines) > 1 && (s.State == learn.Failed || s.State == learn.Idle) {
		lines = append(lines[:1], ui.Regular(13).Wrap(lines[1], r.W)...)
	}
	for i, l := range lines {
		if r.H < 16 {
			break
		}
		f, c := ui.Regular(13), t.Quiet
		if i == 0 {
			f, c = ui.Bold(13), t.Text
			if s.State == learn.Failed {
				c = t.Bad
			}
		}
		for f.Size > 10 && f.Width(l) > r.W {
			f.Size--
		}
		u.Label(r.CutTop(17, 3), l, f, c, ui.Left)
	}
}

// status is the run in words, the most important line first.
func (a *App) status(s *learn.Snapshot) []string {
	var first string
	switch s.State {
	case learn.Idle:
		if g := a.opt.Trainer.Given(); g.Reading {
			return []string{"Reading the files", "They stay on this device."}
		} else if g.Name == "" {
			return []string{"Ready", "Drop MNIST's four files here to train on them. Draw and Look inside follow along."}
		}
		return []string{"Ready", "Draw and Look inside follow along."}
	case learn.Preparing:
		first = "Preparing"
	case learn.Running:
		first = fmt.Sprintf("Epoch %d of %d", s.Epoch, s.Config.Epochs)
		if s.PerSecond > 0 {
			first += fmt.Sprintf(", %s images a second", thousands(s.PerSecond))
		}
	case learn.Paused:
		first = fmt.Sprintf("Paused in epoch %d of %d", s.Epoch, s.Config.Epochs)
	case learn.Stopped:
		first = fmt.Sprintf("Stopped in epoch %d of %d", s.Epoch, s.Config.Epochs)
	case learn.Done:
		first = fmt.Sprintf("Done: %d epochs", s.Config.Epochs)
		if s.Config.Epochs == 1 {
			first = "Done: 1 epoch"
		}
	case learn.Failed:
		return []string{"Failed", s.Err.Error()}
	}
	lines := []string{first}
	if n := len(s.Test); n > 0 {
		lines = append(lines, fmt.Sprintf("%.2f %% of test images right", 100*s.Test[n-1].Accuracy))
	}
	if s.Steps > 0 {
		lines = append(lines, fmt.Sprintf("Step %d of %d", s.Step, s.Steps))
	}
	if s.Samples > 0 && s.Config.Name != "" {
		lines = append(lines, fmt.Sprintf("%s: %s images an epoch", s.Config.Name, thousands(float64(s.Samples))))
	}
	return lines
}

func thousands(v float64) string {
	n := int(v + 0.5)
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}

// curves are those of a snapshot, as plots take them.
type curves struct {
	of                           *learn.Snapshot
	steps, loss, acc             []float64
	testSteps, testLoss, testAcc []float64
	top                          float64
}

// take makes them, where the snapshot is another one.
func (c *curves) take(s *learn.Snapshot) {
	if c.of == s {
		return
	}
	c.of, c.top = s, 0
	c.steps, c.loss, c.acc = c.steps[:0], c.loss[:0], c.acc[:0]
	c.testSteps, c.testLoss, c.testAcc = c.testSteps[:0], c.testLoss[:0], c.testAcc[:0]
	for _, p := range s.Train {
		c.steps, c.loss, c.acc = append(c.steps, float64(p.Step)), append(c.loss, p.Loss), append(c.acc, p.Accuracy)
		c.top = max(c.top, p.Loss)
	}
	for _, p := range s.Test {
		c.testSteps, c.testLoss, c.testAcc = append(c.testSteps, float64(p.Step)), append(c.testLoss, p.Loss), append(c.testAcc, p.Accuracy)
		c.top = max(c.top, p.Loss)
	}
}

// plots draws the curves of loss and accuracy.
func (a *App) plots(r [2]ui.Rect, s *learn.Snapshot) {
	u := &a.UI
	t := u.Theme
	a.curves.take(s)
	k := &a.curves
	value := func(v []float64, f func(float64) string) string {
		if len(v) == 0 {
			return ""
		}
		return f(v[len(v)-1])
	}
	pad := 14.0
	if r[0].H < 150 {
		pad = 10
	}
	curves := func(train, test []float64) []ui.Curve {
		return []ui.Curve{{Name: "training", X: k.steps, Y: train, C: t.Accent}, {Name: "test", X: k.testSteps, Y: test, C: t.Warm, Dots: true}}
	}
	// The axis reaches to the end of the epoch.
	xmax := 1.0
	if n := s.Steps; n > 0 {
		epoch := max(1, n/max(1, s.Config.Epochs))
		xmax = float64(min(n, (s.Step+epoch-1)/epoch*epoch))
		xmax = max(xmax, float64(epoch))
	}
	u.Draw(u.Card(r[0], pad), ui.Plot{Title: "Loss", Value: value(k.loss, func(v float64) string { return strconv.FormatFloat(v, 'f', 3, 64) }),
		XMax: xmax, YMax: round(k.top), Curves: curves(k.loss, k.testLoss), Empty: "Start to see it learn"})
	u.Draw(u.Card(r[1], pad), ui.Plot{Title: "Accuracy", Value: value(k.acc, func(v float64) string { return strconv.FormatFloat(100*v, 'f', 1, 64) + " %" }),
		XMax: xmax, YMax: 1, Percent: true, Curves: curves(k.acc, k.testAcc), Empty: ""})
}

// round returns the next round number.
func round(v float64) float64 {
	if !(v > 0) || math.IsInf(v, 0) {
		return 2.5
	}
	return math.Ceil(v*2) / 2
}
