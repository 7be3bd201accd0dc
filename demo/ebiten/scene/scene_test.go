package scene_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/demo/ebiten/ui"
	"github.com/weft-ml/weft/models/lenet/weights"
)

// actor is a trainer that shows what it is told to.
type actor struct {
	snap    learn.Snapshot
	weights []byte
	calls   []string
	refuse  error
	given   learn.Given
	chooser bool

	last      *learn.Snapshot
	lastGiven *learn.Given
}

// Given and Snapshot return the same value until there is something new, as trainers do.
func (a *actor) Given() *learn.Given {
	if a.lastGiven == nil || *a.lastGiven != a.given {
		g := a.given
		a.lastGiven = &g
	}
	return a.lastGiven
}
func (a *actor) Bring(fs.FS)     { a.calls = append(a.calls, "bring") }
func (a *actor) Choose()         { a.calls = append(a.calls, "choose") }
func (a *actor) CanChoose() bool { return a.chooser }

func (a *actor) Start(c learn.Config) error {
	a.calls = append(a.calls, fmt.Sprintf("start %s %v %d %d", c.Data, c.LearningRate, c.BatchSize, c.Epochs))
	if a.refuse == nil {
		a.snap.State, a.snap.Config = learn.Running, c
	}
	return a.refuse
}
func (a *actor) Pause()  { a.calls, a.snap.State = append(a.calls, "pause"), learn.Paused }
func (a *actor) Resume() { a.calls, a.snap.State = append(a.calls, "resume"), learn.Running }
func (a *actor) Stop()   { a.calls, a.snap.State = append(a.calls, "stop"), learn.Stopped }
func (a *actor) Close()  {}
func (a *actor) Snapshot() *learn.Snapshot {
	if a.last == nil || !reflect.DeepEqual(*a.last, a.snap) {
		s := a.snap
		a.last = &s
	}
	return a.last
}
func (a *actor) Weights() []byte { return a.weights }

// midway is a run in its third epoch.
func midway() learn.Snapshot {
	s := learn.Snapshot{State: learn.Paused, Config: learn.Config{Epochs: 20}, Epoch: 3, Step: 21234, Steps: 150000, PerSecond: 12345, Model: 1}
	for i := range 150 {
		x := float64(i) / 150
		s.Train = append(s.Train, learn.Point{Step: i * 141, Loss: 2.3*math.Exp(-4*x) + 0.1, Accuracy: 1 - 0.9*math.Exp(-4*x)})
	}
	s.Test = []learn.Point{{Step: 7500, Loss: 0.3, Accuracy: 0.91}, {Step: 15000, Loss: 0.2, Accuracy: 0.94}}
	return s
}

// still is a clock that stands, so no answer is ever late.
func still() time.Time { return time.Unix(0, 0) }

func program(t *testing.T, o scene.Options) (*scene.App, *actor) {
	t.Helper()
	a := &actor{weights: weights.MNIST}
	if o.Now == nil {
		o.Now = still
	}
	return made(t, o, a), a
}

func made(t *testing.T, o scene.Options, a *actor) *scene.App {
	t.Helper()
	o.Model, o.Trainer = weights.MNIST, a
	app, err := scene.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	return app
}

// at is the input of a frame of a window; size says how large.
func at(size ui.Point, keys ...ui.Key) ui.Input {
	return ui.Input{Size: size, Scale: 1, Mouse: ui.Point{X: -1, Y: -1}, Keys: keys}
}

var normal = ui.Point{X: 1180, Y: 760}

// rect finds where a scene's image is drawn.
func rect(t *testing.T, app *scene.App, id string) ui.Rect {
	t.Helper()
	for _, c := range app.UI.Commands {
		if c.Kind == ui.Image && c.Pic.ID == id {
			return c.R
		}
	}
	t.Fatalf("%s is not drawn", id)
	return ui.Rect{}
}

// draw draws a 7 onto the pad with a pointer.
func draw(t *testing.T, app *scene.App, size ui.Point, pointer int) {
	t.Helper()
	app.Frame(at(size))
	pad := rect(t, app, "pad")
	zoom := scene.Zoom(size.X, size.Y)
	touch := func(x, y float64) {
		in := at(size)
		in.Pointers = []ui.Pointer{{ID: pointer, At: ui.Point{X: (pad.X + x*pad.W) * zoom, Y: (pad.Y + y*pad.H) * zoom}}}
		app.Frame(in)
	}
	for i := range 9 {
		touch(0.3+0.05*float64(i), 0.2)
	}
	for i := range 9 {
		touch(0.7-0.03*float64(i), 0.2+0.08*float64(i))
	}
	app.Frame(at(size))
}

func TestDraw(t *testing.T) {
	for _, pointer := range []int{ui.Mouse, 0} {
		app, _ := program(t, scene.Options{})
		app.Frame(at(normal))
		if s := app.State(); s.Answer != nil || s.Strokes != 0 {
			t.Errorf("an answer to an empty pad: %+v", s)
		}
		draw(t, app, normal, pointer)
		s := app.State()
		if s.Answer == nil || *s.Answer != 7 || s.Sure < 0.8 || s.Strokes != 1 {
			t.Errorf("pointer %d: a 7 is read as %+v", pointer, s)
		}
		app.Frame(at(normal, ui.KeyC))
		app.Frame(at(normal))
		if s := app.State(); s.Answer != nil || s.Strokes != 0 {
			t.Errorf("after C: %+v", s)
		}
	}
}

// TestPath: where frames are slow, a pen's way since the last one is drawn, not a line to where it is; three frames are enough for a 7.
func TestPath(t *testing.T) {
	for _, size := range []ui.Point{normal, {X: 360, Y: 480}, {X: 2400, Y: 1600}} {
		app, _ := program(t, scene.Options{})
		app.Frame(at(size))
		pad := rect(t, app, "pad")
		zoom := scene.Zoom(size.X, size.Y)
		place := func(x, y float64) ui.Point {
			return ui.Point{X: (pad.X + x*pad.W) * zoom, Y: (pad.Y + y*pad.H) * zoom}
		}
		var way []ui.Point
		for i := range 9 {
			way = append(way, place(0.3+0.05*float64(i), 0.2))
		}
		for i := range 9 {
			way = append(way, place(0.7-0.03*float64(i), 0.2+0.08*float64(i)))
		}
		in := at(size)
		in.Path, in.Pointers = way[:8], []ui.Pointer{{ID: 0, At: way[7]}}
		app.Frame(in)
		in.Path, in.Pointers = way[8:12], []ui.Pointer{{ID: 0, At: way[11]}}
		app.Frame(in)
		in.Path, in.Pointers = way[12:], nil
		app.Frame(in)
		app.Frame(at(size))
		if s := app.State(); s.Answer == nil || *s.Answer != 7 || s.Strokes != 1 {
			t.Errorf("%v: %+v", size, s)
		}
	}
}

// TestSameInk: the answer does not depend on the window's size, the maps follow the same ink.
func TestSameInk(t *testing.T) {
	sure := 0.0
	for _, size := range []ui.Point{normal, {X: 360, Y: 480}, {X: 3840, Y: 2160}} {
		app, _ := program(t, scene.Options{})
		draw(t, app, size, ui.Mouse)
		s := app.State()
		if s.Answer == nil || *s.Answer != 7 {
			t.Fatalf("%v: %+v", size, s)
		}
		if sure != 0 && math.Abs(s.Sure-sure) > 0.02 {
			t.Errorf("%v: sure %v, elsewhere %v", size, s.Sure, sure)
		}
		sure = s.Sure
		app.Frame(at(size, ui.Key2))
		app.Frame(at(size))
		in := app.State()
		if in.Scene != "inside" || in.Layers != 6 || *in.Answer != 7 || math.Abs(in.Sure-s.Sure) > 1e-6 {
			t.Errorf("%v, inside: %+v, drawn: %+v", size, in, s)
		}
	}
}

// TestKeyboardDraws: Tab to the pad, arrows and Space.
func TestKeyboardDraws(t *testing.T) {
	app, _ := program(t, scene.Options{})
	app.Frame(at(normal))
	for range 10 {
		app.Frame(at(normal, ui.KeyTab))
		if id, _ := app.UI.Focus(); id == "pad" {
			break
		}
	}
	if id, ring := app.UI.Focus(); id != "pad" || !ring {
		t.Fatalf("the focus is on %q", id)
	}
	for range 8 {
		app.Frame(at(normal, ui.KeyUp))
	}
	down := func(k ...ui.Key) {
		in := at(normal, k...)
		in.Space = true
		app.Frame(in)
	}
	down(ui.KeySpace)
	for range 16 {
		down(ui.KeyDown)
	}
	app.Frame(at(normal))
	app.Frame(at(normal))
	if s := app.State(); s.Answer == nil || *s.Answer != 1 || s.Strokes != 1 {
		t.Errorf("a line is read as %+v", s)
	}
	app.Frame(at(normal, ui.KeyZ))
	if s := app.State(); s.Strokes != 0 {
		t.Error("Z does not undo")
	}
}

func TestTraining(t *testing.T) {
	trainer := &actor{weights: weights.MNIST, given: learn.Given{Name: "mnist"}}
	app := made(t, scene.Options{Now: still}, trainer)
	app.Frame(at(normal, ui.Key3))
	app.Frame(at(normal, ui.KeyS))
	app.Frame(at(normal, ui.KeyP))
	app.Frame(at(normal, ui.KeyP))
	app.Frame(at(normal, ui.KeyS))
	want := []string{"start folder 0.002 32 5", "pause", "resume", "stop"}
	if strings.Join(trainer.calls, "; ") != strings.Join(want, "; ") {
		t.Errorf("the keys do %q, want %q", trainer.calls, want)
	}
	// The choices by keyboard: other data, a higher rate.
	trainer.calls = nil
	for range 12 {
		app.Frame(at(normal, ui.KeyTab))
		switch id, _ := app.UI.Focus(); id {
		case "data":
			app.Frame(at(normal, ui.KeyLeft))
		case "rate":
			app.Frame(at(normal, ui.KeyRight))
		case "go":
			app.Frame(at(normal, ui.KeyEnter))
		}
		if len(trainer.calls) > 0 {
			break
		}
	}
	if len(trainer.calls) != 1 || trainer.calls[0] != "start digits 0.005 32 5" {
		t.Errorf("%q", trainer.calls)
	}
}

// TestTrained: the weights that were learned answer as soon as there are some; N goes back and forth.
func TestTrained(t *testing.T) {
	app, trainer := program(t, scene.Options{})
	draw(t, app, normal, ui.Mouse)
	trainer.snap.Model = 1
	app.Frame(at(normal))
	if s := app.State(); !s.Trained || s.Answer == nil || *s.Answer != 7 {
		t.Errorf("%+v", s)
	}
	app.Frame(at(normal, ui.KeyN))
	app.Frame(at(normal))
	if app.State().Trained {
		t.Error("N does not go back to MNIST's weights")
	}
	app.Frame(at(normal, ui.KeyN))
	app.Frame(at(normal))
	if !app.State().Trained {
		t.Error("N does not bring the trained weights back")
	}
	trainer.weights, trainer.snap.Model = []byte("no model"), 2
	app.Frame(at(normal))
	if s := app.State(); s.Notice == "" {
		t.Error("weights that are no model are no matter")
	}
}

func TestErrorsAreShown(t *testing.T) {
	app, trainer := program(t, scene.Options{})
	trainer.refuse = errors.New("there is no folder of data")
	app.Frame(at(normal, ui.Key3, ui.KeyS))
	app.Frame(at(normal))
	if s := app.State(); s.Notice != trainer.refuse.Error() {
		t.Errorf("the notice is %q", s.Notice)
	}
}

// tick is a clock that goes on by step whenever it is read.
type tick struct {
	now  time.Time
	step time.Duration
}

func (c *tick) read() time.Time {
	c.now = c.now.Add(c.step)
	return c.now
}

// TestBudget: what Update computes is bounded, whatever the clock says: one answer a frame at most, and only to new ink; where a frame
// is late already, or an answer took long, the next frames have the time for themselves, but the answer comes.
func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		step        time.Duration
		least, most uint64
	}{"fast": {0, 60, 60}, "late frames": {3 * time.Millisecond, 12, 16}, "slow answers": {20 * time.Millisecond, 5, 16}} {
		t.Run(name, func(t *testing.T) {
			clock := &tick{now: time.Unix(0, 0)}
			app, _ := program(t, scene.Options{Now: clock.read})
			for range 5 {
				app.Frame(at(normal))
			}
			pad := rect(t, app, "pad")
			clock.step = c.step
			start := app.State().Answers
			for i := range 60 {
				in := at(normal)
				in.Pointers = []ui.Pointer{{ID: 0, At: ui.Point{X: pad.X + 20 + 4*float64(i), Y: pad.Y + 50}}}
				before := app.State().Answers
				app.Frame(in)
				if n := app.State().Answers - before; n > 1 {
					t.Fatalf("%d answers in one frame", n)
				}
				clock.now = clock.now.Add(16 * time.Millisecond)
			}
			if n := app.State().Answers - start; n < c.least || n > c.most {
				t.Errorf("%d answers in 60 frames of new ink, not %d to %d", n, c.least, c.most)
			}
			// The pen rests on the pad; after the last answer there is none.
			in := at(normal)
			in.Pointers = []ui.Pointer{{ID: 0, At: ui.Point{X: pad.X + 256, Y: pad.Y + 50}}}
			for range 10 {
				app.Frame(in)
				clock.now = clock.now.Add(100 * time.Millisecond)
			}
			settled := app.State().Answers
			for range 10 {
				app.Frame(in)
				clock.now = clock.now.Add(100 * time.Millisecond)
			}
			if n := app.State().Answers; n != settled {
				t.Errorf("%d answers to ink that did not change", n-settled)
			}
		})
	}
}

// TestMapsOnce: the maps are computed when the ink or the network change, not when one looks at them, moves the mouse or changes colours.
func TestMapsOnce(t *testing.T) {
	app, trainer := program(t, scene.Options{})
	draw(t, app, normal, 0)
	app.Frame(at(normal, ui.Key2))
	app.Frame(at(normal))
	n := app.State().Answers
	for i := range 20 {
		in := at(normal)
		in.Mouse = ui.Point{X: 10 * float64(i), Y: 300}
		app.Frame(in)
	}
	app.Frame(at(normal, ui.KeyT))
	app.Frame(at(normal))
	if s := app.State(); s.Answers != n || s.Layers != 6 {
		t.Errorf("%d answers more for the same ink, %d layers", s.Answers-n, s.Layers)
	}
	trainer.snap.Model = 1
	app.Frame(at(normal))
	if s := app.State(); s.Answers != n {
		t.Error("the frame that takes other weights answers too")
	}
	app.Frame(at(normal))
	if s := app.State(); s.Answers != n+1 || !s.Trained {
		t.Errorf("%d answers after other weights, trained %v", s.Answers-n, s.Trained)
	}
}

// TestRest: where nothing happens a frame does nothing; anything that is to be seen ends that.
func TestRest(t *testing.T) {
	app, trainer := program(t, scene.Options{})
	frames := func(in ui.Input) int {
		app.Frame(in)
		app.Took(time.Millisecond)
		total := 0
		for range 3 {
			total += app.State().Update.Frames
		}
		return total / 3
	}
	settle := func(in ui.Input) (last int) {
		for range 6 {
			last = frames(in)
		}
		return last
	}
	last := settle(at(normal))
	if n := frames(at(normal)); n != last {
		t.Error("a frame at rest computes")
	}
	for name, change := range map[string]func() ui.Input{
		"mouse":  func() ui.Input { in := at(normal); in.Mouse = ui.Point{X: 400, Y: 30}; return in },
		"key":    func() ui.Input { return at(normal, ui.KeyT) },
		"size":   func() ui.Input { return at(ui.Point{X: 800, Y: 600}) },
		"resize": func() ui.Input { return at(normal) },
		"model":  func() ui.Input { trainer.snap.Model++; return at(normal) },
		"given":  func() ui.Input { trainer.given.Reading = true; return at(normal) },
	} {
		if name == "resize" {
			settle(at(ui.Point{X: 700, Y: 600}))
		}
		last := settle(at(normal))
		if name == "resize" {
			last = settle(at(ui.Point{X: 700, Y: 600}))
		}
		if n := frames(change()); n == last {
			t.Errorf("%s: the frame does nothing", name)
		}
	}
	// A button that is let go changes what the frame has drawn already: the frame after it draws that.
	settle(at(normal))
	in := at(normal)
	theme := ui.Point{X: 1180 - 20 - 19, Y: 32}
	in.Mouse = theme
	in.Pointers = []ui.Pointer{{ID: ui.Mouse, At: theme}}
	app.Frame(in)
	in.Pointers = nil
	was := app.State().Theme
	app.Frame(in)
	app.Frame(in)
	if s := app.State(); s.Theme == was || app.UI.Commands[0].C != app.UI.Theme.Ground {
		t.Errorf("the theme is %s, the ground %v", s.Theme, app.UI.Commands[0].C)
	}
}

// TestPace: curves are drawn 15 times a second at most while nobody touches anything.
func TestPace(t *testing.T) {
	clock := &tick{now: time.Unix(0, 0)}
	app, trainer := program(t, scene.Options{Now: clock.read})
	trainer.snap = midway()
	trainer.snap.State = learn.Running
	app.Frame(at(normal, ui.Key3))
	steps := map[int]bool{}
	for range 120 {
		clock.now = clock.now.Add(time.Second / 60)
		trainer.snap.Step++
		app.Frame(at(normal))
		steps[app.State().Step] = true
	}
	if n := len(steps); n < 15 || n > 31 {
		t.Errorf("in two seconds %d steps are shown", n)
	}
}

// TestGiven: data that the user has brought is told of and chosen, what is wrong with files is told, and the built-in digits stay.
func TestGiven(t *testing.T) {
	app, trainer := program(t, scene.Options{})
	trainer.chooser = true
	app.Frame(at(normal, ui.KeyO))
	if len(trainer.calls) != 1 || trainer.calls[0] != "choose" {
		t.Errorf("O does %q", trainer.calls)
	}
	app.Drop(nil)
	if len(trainer.calls) != 2 || trainer.calls[1] != "bring" {
		t.Errorf("files that are dropped: %q", trainer.calls)
	}
	long := "weft: idx: train-labels-idx1-ubyte.gz: offset 4: there are 10000 labels for the 60000 images of train-images-idx3-ubyte.gz: the files do not belong together"
	trainer.given = learn.Given{Count: 1, Err: errors.New(long)}
	for _, size := range []ui.Point{normal, {X: 360, Y: 480}, {X: 390, Y: 844}} {
		for _, key := range []ui.Key{ui.Key1, ui.Key2, ui.Key3} {
			app.Frame(at(size, key))
			app.Frame(at(size))
			covered(t, fmt.Sprintf("%v with a long notice", size), app)
		}
	}
	s := app.State()
	if !strings.HasPrefix(s.Notice, "train-labels-idx1-ubyte.gz: offset 4") || s.Data != "Built in" {
		t.Errorf("notice %q, data %q", s.Notice, s.Data)
	}
	app.Frame(at(normal, ui.Key1))
	trainer.given = learn.Given{Count: 2, Name: "MNIST", Train: 60000, Test: 10000}
	app.Frame(at(normal))
	app.Frame(at(normal))
	if s := app.State(); s.Scene != "train" || s.Data != "MNIST" || !strings.Contains(s.Notice, "60,000 training and 10,000 test images") {
		t.Errorf("%+v", s)
	}
	app.Frame(at(normal, ui.KeyS))
	if c := trainer.snap.Config; c.Data != learn.Folder || c.Name != "MNIST" || c.TestSamples != 0 {
		t.Errorf("the run is %+v", c)
	}
	app.Frame(at(normal))
	app.Frame(at(normal, ui.KeyS)) // stops
	for range 12 {
		app.Frame(at(normal, ui.KeyTab))
		if id, _ := app.UI.Focus(); id == "data" {
			app.Frame(at(normal, ui.KeyLeft))
			break
		}
	}
	app.Frame(at(normal, ui.KeyS))
	if c := trainer.snap.Config; c.Data != learn.Digits || c.Name != "Built in" {
		t.Errorf("back at the built-in digits the run is %+v", c)
	}
	// While it trains, other files are told of and wait.
	app.Frame(at(normal, ui.Key1))
	trainer.given = learn.Given{Count: 3, Name: "fashion-mnist", Train: 60000, Test: 10000}
	app.Frame(at(normal))
	if s := app.State(); s.Scene != "draw" || s.Data != "Built in" || !strings.Contains(s.Notice, "fashion-mnist") {
		t.Errorf("%+v", s)
	}
}

func TestDarkAndBack(t *testing.T) {
	app, _ := program(t, scene.Options{Dark: true})
	app.Frame(at(normal))
	ground := app.UI.Commands[0].C
	app.Frame(at(normal, ui.KeyT))
	if s := app.State(); s.Theme != "light" || app.UI.Commands[0].C == ground {
		t.Error("T does not change the colours")
	}
}

// TestLayout: at every size, in every scene and state, all text is whole, inside the window and apart from all other text, the pad is
// a square, and everything else lies inside the window too.
func TestLayout(t *testing.T) {
	sizes := []ui.Point{{X: 360, Y: 480}, {X: 360, Y: 640}, {X: 390, Y: 844}, {X: 480, Y: 480}, {X: 540, Y: 500}, {X: 600, Y: 1000}, {X: 620, Y: 520}, {X: 800, Y: 600}, {X: 768, Y: 1024},
		{X: 1024, Y: 768}, {X: 1180, Y: 760}, {X: 1500, Y: 520}, {X: 1920, Y: 1080}, {X: 2160, Y: 3840}, {X: 3840, Y: 2160}, {X: 240, Y: 320}}
	for x := 360.0; x < 1400; x += 37 {
		sizes = append(sizes, ui.Point{X: x, Y: 480 + math.Mod(x*7, 700)})
	}
	states := map[string]func(*scene.App, *actor){
		"empty": func(*scene.App, *actor) {},
		"midway": func(app *scene.App, a *actor) {
			a.snap = midway()
		},
		"failed": func(app *scene.App, a *actor) {
			a.snap = learn.Snapshot{State: learn.Failed, Err: errors.New("loss is NaN at step 17")}
		},
	}
	for _, size := range sizes {
		for name, set := range states {
			trainer := &actor{weights: weights.MNIST, given: learn.Given{Name: "fashion-mnist"}, chooser: name == "midway"}
			app := made(t, scene.Options{Now: still}, trainer)
			if name != "empty" {
				draw(t, app, size, 0)
			}
			set(app, trainer)
			for i, key := range []ui.Key{ui.Key1, ui.Key2, ui.Key3} {
				app.Frame(at(size, key))
				app.Frame(at(size))
				where := fmt.Sprintf("%vx%v %s scene %d", size.X, size.Y, name, i+1)
				check(t, where, app)
			}
		}
	}
}

func check(t *testing.T, where string, app *scene.App) {
	t.Helper()
	texts := covered(t, where, app)
	for i, a := range texts {
		for _, b := range texts[:i] {
			if a.R.X < b.R.Right() && b.R.X < a.R.Right() && a.R.Y < b.R.Bottom() && b.R.Y < a.R.Bottom() {
				t.Errorf("%s: %q and %q lie on each other", where, a.S, b.S)
			}
		}
	}
}

// covered is check where something may lie over the rest; it returns the texts.
func covered(t *testing.T, where string, app *scene.App) (texts []ui.Command) {
	t.Helper()
	in := app.UI.In.Size
	window := ui.Rect{X: -0.5, Y: -0.5, W: in.X + 1, H: in.Y + 1}
	for _, c := range app.UI.Commands {
		switch c.Kind {
		case ui.Text:
			if c.Cut {
				t.Errorf("%s: %q is cut to fit %v", where, c.S, c.Within.W)
			}
			// The box of its capitals and digits.
			c.R = ui.Rect{X: c.R.X, Y: c.R.Y - 0.72*c.F.Size, W: c.R.W, H: 0.72 * c.F.Size}
			texts = append(texts, c)
			if !inside(window, c.R) {
				t.Errorf("%s: %q at %v is outside of the window", where, c.S, c.R)
			}
			if c.F.Size < 10 {
				t.Errorf("%s: %q is written at %v", where, c.S, c.F.Size)
			}
		case ui.Fill, ui.Outline, ui.Image:
			if !inside(window, c.R) {
				t.Errorf("%s: something at %v is outside of the window", where, c.R)
			}
			if c.Kind == ui.Image && strings.HasPrefix(c.Pic.ID, "map") && c.R.W < 8 {
				t.Errorf("%s: a map of width %v", where, c.R.W)
			}
			if c.Kind == ui.Image && c.Pic.ID == "pad" && (c.R.W != c.R.H || c.R.W < 100) {
				t.Errorf("%s: the pad is %v x %v", where, c.R.W, c.R.H)
			}
		}
	}
	return texts
}

func inside(w, r ui.Rect) bool {
	return r.X >= w.X && r.Y >= w.Y && r.Right() <= w.Right() && r.Bottom() <= w.Bottom()
}

// BenchmarkThink is what an answer costs a frame: the picture prepared, and LeNet; with the maps too when one looks inside.
func BenchmarkThink(b *testing.B) {
	for name, key := range map[string]ui.Key{"draw": ui.Key1, "inside": ui.Key2} {
		b.Run(name, func(b *testing.B) {
			app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: &actor{}, Now: still})
			if err != nil {
				b.Fatal(err)
			}
			defer app.Close()
			app.Frame(at(normal, key))
			i := 0
			for b.Loop() {
				// The pen goes round, so every frame has new ink.
				i++
				sin, cos := math.Sincos(float64(i) / 10)
				in := at(normal)
				in.Pointers = []ui.Pointer{{ID: 0, At: ui.Point{X: 150 + 60*cos, Y: 230 + 60*sin}}}
				app.Frame(in)
			}
			if s := app.State(); s.Answer == nil {
				b.Fatal("no answer")
			}
		})
	}
}

// BenchmarkFrame is what Update costs a frame in each scene, all that it computes and lays out: at rest, while a pen draws, and while curves grow.
func BenchmarkFrame(b *testing.B) {
	for name, key := range map[string]ui.Key{"draw": ui.Key1, "inside": ui.Key2, "train": ui.Key3} {
		for _, rest := range []bool{true, false} {
			label := name + "/busy"
			if rest {
				label = name + "/rest"
			}
			b.Run(label, func(b *testing.B) {
				a := &actor{snap: midway(), weights: weights.MNIST}
				a.last = &a.snap
				clock := &tick{now: time.Unix(0, 0)}
				app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: shower{a}, Now: clock.read})
				if err != nil {
					b.Fatal(err)
				}
				defer app.Close()
				for range 4 {
					app.Frame(at(normal, key))
				}
				for range 4 {
					app.Frame(at(normal))
				}
				i := 0
				b.ReportAllocs()
				for b.Loop() {
					i++
					clock.now = clock.now.Add(time.Second / 60)
					in := at(normal)
					if !rest && key == ui.Key3 {
						s := *a.last
						s.Step++
						a.last = &s
						clock.now = clock.now.Add(time.Second / 15)
					} else if !rest {
						// The pen goes round, so every frame has new ink.
						sin, cos := math.Sincos(float64(i) / 10)
						in.Pointers = []ui.Pointer{{ID: 0, At: ui.Point{X: 150 + 60*cos, Y: 230 + 60*sin}}}
					}
					app.Frame(in)
				}
			})
		}
	}
}

// shower is an actor whose snapshot is what last says, without a comparison.
type shower struct{ *actor }

func (s shower) Snapshot() *learn.Snapshot { return s.last }
