// Package scene is the window's program without the window: three scenes over one pad, one network and one trainer. A frame takes
// the input and gives a list of what to draw, so tests run it without a screen.
package scene

import (
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/weft-ml/weft/core/data/preprocess/ink"
	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/net"
	"github.com/weft-ml/weft/demo/ebiten/pen"
	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// The scenes.
const (
	Draw = iota
	Inside
	Train
)

var titles = []string{"Draw", "Look inside", "Train"}

// names are the scenes in [State].
var names = [...]string{"draw", "inside", "train"}

// pictureSize is the width and height of the picture that is prepared for the network, as in the page.
const pictureSize = 140

// The pad's planes.
const (
	forNet = iota
	forEyes
)

// Options are what a program is made of.
type Options struct {
	Model   []byte // LeNet as an ONNX file
	Trainer learn.Trainer
	Dark    bool
	// Now gives the time, for the budget of a frame and the pace of the curves; nil: the clock.
	Now func() time.Time
}

// App is the program.
type App struct {
	UI    ui.UI
	Scene int

	opt   Options
	pad   pen.Pad
	penAt pen.Point // of the keyboard
	padAt ui.Rect

	net     *net.Net
	trained bool // whether net has the trained weights
	wants   bool // whether the trained weights are wanted, once there are some
	model   int  // of the trainer, that was taken last

	budget   budget
	stale    bool // the ink or the network have changed since the answer
	answer   Answer
	luma     [pictureSize * pictureSize]float32
	scratch  []float32 // of the picture's preparation
	digit    [net.Size * net.Size]float32
	layers   []net.Layer
	inside   bool   // layers are those of the answer
	deep     bool   // the layers were wanted when the answer was made
	thoughts uint64 // counts answers
	sheet    sheetOfMaps
	pointers []ui.Pointer
	path     []ui.Point

	train   controls
	curves  curves
	snap    *learn.Snapshot // as this frame shows it
	polled  time.Time       // when it was taken
	given   int             // of the data that the user brought, that was told last
	notice  string
	good    bool // the notice is no error
	over    []ui.Command
	problem error
	before  moment // of the last frame that was drawn
	idle    bool   // this frame is the last one again
	times   [len(names)]times
}

// Answer is what the network says of the ink.
type Answer struct {
	There         bool
	Digit         int
	Probabilities [net.Classes]float64
}

// New returns the program. It keeps the trainer, which stays the caller's to close.
func New(o Options) (*App, error) {
	n, err := net.Load(o.Model)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &App{opt: o, net: n, scratch: make([]float32, ink.Scratch(pictureSize, pictureSize)), penAt: pen.Point{X: 0.5, Y: 0.5}, wants: true, snap: o.Trainer.Snapshot()}
	a.pad.Planes = []*pen.Plane{pen.NewPlane(pictureSize), pen.NewPlane(pictureSize)}
	a.UI.Theme = ui.Light
	if o.Dark {
		a.UI.Theme = ui.Dark
	}
	a.train = newControls(o.Trainer.Given().Name != "")
	return a, nil
}

// Close gives the network's memory back.
func (a *App) Close() { a.net.Close() }

// Zoom returns how much larger than its natural size everything is drawn, so that large windows are used and small ones suffice.
func Zoom(width, height float64) float64 {
	fit := min(width/1180, height/760)
	if fit >= 1 {
		return min(fit, 4)
	}
	// Below the smallest layout everything shrinks.
	return min(1, max(0.4, min(width/360, height/480)))
}

// Frame takes the input of a frame and draws the next picture into a.UI.List.
func (a *App) Frame(in ui.Input) {
	zoom := Zoom(in.Size.X, in.Size.Y)
	in.Size.X, in.Size.Y = in.Size.X/zoom, in.Size.Y/zoom
	in.Mouse.X, in.Mouse.Y = in.Mouse.X/zoom, in.Mouse.Y/zoom
	in.Scale *= zoom
	a.pointers = append(a.pointers[:0], in.Pointers...)
	in.Pointers = a.pointers
	for i := range in.Pointers {
		in.Pointers[i].At.X /= zoom
		in.Pointers[i].At.Y /= zoom
	}
	a.path = a.path[:0]
	for _, p := range in.Path {
		a.path = append(a.path, ui.Point{X: p.X / zoom, Y: p.Y / zoom})
	}
	in.Path = a.path
	u := &a.UI
	a.budget.begin(a.opt.Now())
	a.poll(len(in.Keys) > 0 || len(in.Pointers) > 0)
	if a.idle = a.rests(&in); a.idle {
		return
	}
	u.Begin(in)
	a.shortcuts()
	a.takeModel()
	a.takeGiven()
	area := ui.Rect{W: in.Size.X, H: in.Size.Y}
	u.Box(area, 0, u.Theme.Ground)
	margin := 20.0
	if area.W < 620 {
		margin = 12
	}
	area = area.Inset2(margin, 0)
	area.CutBottom(margin, 0)
	// Only so much space is used across as reads well.
	if limit := 1180.0; area.W > limit {
		area = ui.Rect{X: area.X + (area.W-limit)/2, Y: area.Y, W: limit, H: area.H}
	}
	// A notice lies over everything, so it is drawn last, but it has the pointers first.
	a.over = a.over[:0]
	if n := len(u.Commands); a.notice != "" {
		a.noticeBar(area)
		a.over = append(a.over, u.Commands[n:]...)
		u.Commands = u.Commands[:n]
	}
	a.header(&area)
	switch a.Scene {
	case Draw:
		a.drawScene(area)
	case Inside:
		a.insideScene(area)
	case Train:
		a.trainScene(area)
	}
	u.Commands = append(u.Commands, a.over...)
	u.End()
}

// moment is what a frame is drawn from, apart from what the program remembers itself.
type moment struct {
	in    ui.Input
	snap  *learn.Snapshot
	given *learn.Given
	scene int
	focus string
	ring  bool
	calm  int // frames in which nothing was pressed, held or left to do, this one included
}

// rests reports whether this frame would be the last one again: then there is nothing to do.
func (a *App) rests(in *ui.Input) bool {
	now, was := moment{snap: a.snap, given: a.opt.Trainer.Given(), scene: a.Scene}, &a.before
	if len(in.Keys) == 0 && len(in.Pointers) == 0 && !in.Space && !a.waits() {
		now.calm = was.calm + 1
	}
	now.in = ui.Input{Size: in.Size, Scale: in.Scale, Mouse: in.Mouse}
	now.focus, now.ring = a.UI.Focus()
	// The first calm frame may still change something, which the second one shows.
	rests := was.calm >= 2 && now.calm > 0 && now.snap == was.snap && now.given == was.given && now.scene == was.scene && now.focus == was.focus && now.ring == was.ring &&
		now.in.Size == was.in.Size && now.in.Scale == was.in.Scale && now.in.Mouse == was.in.Mouse
	a.before = now
	return rests
}

// waits reports whether there is ink without an answer, or with one of another network.
func (a *App) waits() bool { return a.Scene != Train && (a.stale || a.Scene == Inside && !a.deep) }

// pace is how often the curves are drawn anew while nobody touches anything: drawing takes processors from training.
const pace = time.Second / 15

// poll takes the trainer's latest snapshot: at once after input, else at the pace of the curves.
func (a *App) poll(touched bool) {
	now := a.opt.Now()
	s := a.opt.Trainer.Snapshot()
	if touched || s.State != a.snap.State || s.Model != a.snap.Model || now.Sub(a.polled) >= pace || now.Before(a.polled) {
		a.snap, a.polled = s, now
	}
}

// Drop takes files that were dropped on the window.
func (a *App) Drop(files fs.FS) { a.opt.Trainer.Bring(files) }

// takeGiven tells what became of the files that the user brought, and chooses them for the next run.
func (a *App) takeGiven() {
	g := a.opt.Trainer.Given()
	if g.Count == a.given {
		return
	}
	a.given = g.Count
	if g.Err != nil {
		a.tell(g.Err)
		return
	}
	a.notice, a.good = fmt.Sprintf("%s: %s training and %s test images are here.", g.Name, thousands(float64(g.Train)), thousands(float64(g.Test))), true
	if a.snap.State.Active() {
		a.notice += " Choose them under Data when this run has ended."
		return
	}
	a.Scene, a.train.data = Train, 1
	a.notice += " Start trains on them."
}

// shortcuts are keys that need no focus.
func (a *App) shortcuts() {
	u := &a.UI
	for i, k := range []ui.Key{ui.Key1, ui.Key2, ui.Key3} {
		if u.Take(k) {
			a.Scene = i
		}
	}
	if u.Take(ui.KeyC) || u.Take(ui.KeyDelete) {
		a.clear()
	}
	if u.Take(ui.KeyZ) || u.Take(ui.KeyBackspace) {
		a.pad.Undo()
		a.stale = true
	}
	if u.Take(ui.KeyT) {
		a.swapTheme()
	}
	if u.Take(ui.KeyN) {
		a.swapNet()
	}
	if u.Take(ui.KeyO) && a.opt.Trainer.CanChoose() {
		a.opt.Trainer.Choose()
	}
	state := a.snap.State
	if u.Take(ui.KeyP) {
		switch state {
		case learn.Paused:
			a.opt.Trainer.Resume()
		case learn.Running, learn.Preparing:
			a.opt.Trainer.Pause()
		}
	}
	if u.Take(ui.KeyS) {
		if state.Active() {
			a.opt.Trainer.Stop()
		} else {
			a.start()
		}
	}
}

func (a *App) swapTheme() {
	if a.UI.Theme == ui.Light {
		a.UI.Theme = ui.Dark
	} else {
		a.UI.Theme = ui.Light
	}
}

func (a *App) clear() {
	a.pad.Clear()
	a.stale = true
}

// header draws the title, the scenes and the theme's button, and takes its space from the area.
func (a *App) header(area *ui.Rect) {
	u := &a.UI
	t := u.Theme
	narrow := area.W < 580
	h := 64.0
	if narrow {
		h = 56
	}
	bar := area.CutTop(h, 0).Inset2(0, (h-38)/2)
	theme := bar.CutRight(38, 12)
	if !narrow {
		mark := bar.CutLeft(24, 10)
		a.mark(ui.Rect{X: mark.X, Y: mark.Y + 7, W: 24, H: 24})
		title := bar.CutLeft(ui.Bold(19).Width("Weft"), 14)
		u.Label(title, "Weft", ui.Bold(19), t.Text, ui.Left)
		if bar.W > 720 {
			u.Label(bar.CutLeft(300, 0), "a network that reads digits", ui.Regular(14), t.Quiet, ui.Left)
		}
		bar = bar.CutRight(min(bar.W, 380), 0)
	}
	a.Scene = u.Tabs("scenes", bar, titles, a.Scene)
	if u.IconButton("theme", theme) {
		a.swapTheme()
	}
	c := theme.Center()
	disc := ui.Rect{X: c.X - 8, Y: c.Y - 8, W: 16, H: 16}
	u.Box(disc, 8, t.Text)
	u.Add(ui.Command{Kind: ui.Half, R: disc.Inset(2), C: t.Surface})
}

// mark draws the sign of Weft: threads that cross.
func (a *App) mark(r ui.Rect) {
	u := &a.UI
	c := ui.Mix(u.Theme.Ground, u.Theme.Accent, 0.5)
	s := r.W / 24
	for i := range 3 {
		x := r.X + (4+8*float64(i))*s
		u.Line(2.6*s, c, ui.Point{X: x, Y: r.Y + 2*s}, ui.Point{X: x, Y: r.Y + 22*s})
	}
	for i := range 3 {
		y := r.Y + (4+8*float64(i))*s
		u.Line(2.6*s, u.Theme.Accent, ui.Point{X: r.X + 2*s, Y: y}, ui.Point{X: r.X + 22*s, Y: y})
	}
}

// noticeBar shows the notice at the lower edge of the window.
func (a *App) noticeBar(area ui.Rect) {
	u := &a.UI
	t := u.Theme
	c := t.Bad
	if a.good {
		c = t.Good
	}
	const button, line = 64.0, 19.0
	f := ui.Regular(14)
	if area.W < 580 {
		f.Size = 12
	}
	area = area.Inset2((area.W-min(area.W, 760))/2, 0)
	lines := f.Wrap(a.notice, area.W-28-button-8)
	bar := area.CutBottom(22+line*float64(len(lines)), 0)
	u.Box(bar, 12, ui.Mix(t.Surface, c, 0.12))
	u.Edge(bar, 12, 1, ui.Mix(t.Line, c, 0.5))
	in := bar.Inset2(14, 11)
	right := in.CutRight(button, 8)
	if u.Button("dismiss", ui.Rect{X: right.X, Y: bar.Y + 6, W: right.W, H: 29}, "Close", ui.ButtonStyle{}) {
		a.notice = ""
	}
	u.Press("notice", bar)
	for _, l := range lines {
		u.Label(in.CutTop(line, 0), l, f, c, ui.Left)
	}
}

// tell shows an error until it is closed.
func (a *App) tell(err error) {
	// What the libraries put in front says nothing to those who look at the window.
	text := err.Error()
	for _, prefix := range []string{"weft: ", "weft: ", "idx: ", "mnist: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	a.notice, a.good = text, false
}

// takeModel gives the network the weights that the trainer has learned since.
func (a *App) takeModel() {
	s := a.snap
	if s.Model == 0 || s.Model == a.model || !a.wants {
		return
	}
	a.model = s.Model
	a.budget.busy = true
	if err := a.net.SetWeights(a.opt.Trainer.Weights()); err != nil {
		a.tell(err)
		return
	}
	a.trained, a.stale = true, true
}

// swapNet changes between the weights that came along and those that were trained.
func (a *App) swapNet() {
	if a.snap.Model == 0 {
		return
	}
	a.wants = !a.trained
	if a.wants {
		a.model = 0 // takeModel gets them
		return
	}
	if err := a.net.SetWeights(a.opt.Model); err != nil {
		a.tell(err)
		return
	}
	a.trained, a.stale = false, true
}

// netChoice draws which weights answer: those that came along or the trained ones.
func (a *App) netChoice(r ui.Rect) {
	at := 0
	if a.trained {
		at = 1
	}
	if got := a.UI.Tabs("net", r, []string{"MNIST", "Yours"}, at); got != at {
		a.swapNet()
	}
}

// hasChoice reports whether there are trained weights.
func (a *App) hasChoice() bool { return a.snap.Model > 0 }

// share is what a frame may have taken for all else when an answer is still made in it.
const share = 4 * time.Millisecond

// budget keeps a frame's work short. A frame makes one answer at most. One that has taken its share already leaves the answer to the
// next frame, three times at most. After an answer that took long the frames have four times as long for themselves.
type budget struct {
	from   time.Time // when this frame began
	until  time.Time // no answer before
	last   time.Duration
	busy   bool // this frame has taken other weights
	passed int
}

func (b *budget) begin(now time.Time) { b.from, b.busy = now, false }

// allows reports whether an answer may begin now.
func (b *budget) allows(now time.Time) bool {
	if now.Before(b.until) {
		return false
	}
	if (b.busy || now.Sub(b.from) > share) && b.passed < 3 {
		b.passed++
		return false
	}
	b.passed = 0
	return true
}

// took notes how long an answer took.
func (b *budget) took(from, to time.Time) {
	b.last = to.Sub(from)
	if b.last > 2*time.Millisecond {
		b.until = from.Add(5 * b.last)
	}
}

// think makes the answer of the ink, if the ink or the network have changed and there is time.
func (a *App) think(inside bool) {
	if !a.stale && (!inside || a.deep) {
		return
	}
	from := a.opt.Now()
	if !a.pad.Empty() && !a.budget.allows(from) {
		return
	}
	if a.problem = a.thinkNow(inside); a.problem != nil {
		a.tell(a.problem)
	}
	a.budget.took(from, a.opt.Now())
	a.thoughts++
	a.stale, a.deep = false, inside
}

func (a *App) thinkNow(inside bool) error {
	a.answer, a.inside = Answer{}, false
	if a.pad.Empty() {
		a.digit = [net.Size * net.Size]float32{}
		return nil
	}
	// Plane overwrites what it is given.
	for i, v := range a.pad.Planes[forNet].Pixels {
		a.luma[i] = float32(v) / 255
	}
	var err error
	if a.digit, err = ink.PlaneIn(a.luma[:], pictureSize, pictureSize, a.scratch); err != nil {
		return nil // ink that is no digit: a pad that is all ink, a speck
	}
	var logits [net.Classes]float32
	if inside {
		if a.layers, err = a.net.Inside(&a.digit); err != nil {
			return err
		}
		copy(logits[:], a.layers[len(a.layers)-1].Data)
		a.inside = true
	} else if logits, err = a.net.Answer(&a.digit); err != nil {
		return err
	}
	a.answer = answer(logits)
	return nil
}

// answer is the softmax of logits.
func answer(logits [net.Classes]float32) Answer {
	out := Answer{There: true}
	top, sum := logits[0], 0.0
	for i, v := range logits {
		if v > top {
			top, out.Digit = v, i
		}
	}
	for i, v := range logits {
		out.Probabilities[i] = math.Exp(float64(v - top))
		sum += out.Probabilities[i]
	}
	for i := range out.Probabilities {
		out.Probabilities[i] /= sum
	}
	return out
}
