package scene_test

import (
	"errors"
	"fmt"
	"math"
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
}

func (a *actor) Start(c learn.Config) error {
	a.calls = append(a.calls, fmt.Sprintf("start %s %v %d %d", c.Data, c.LearningRate, c.BatchSize, c.Epochs))
	if a.refuse == nil {
		a.snap.State, a.snap.Config = learn.Running, c
	}
	return a.refuse
}
func (a *actor) Pause()                    { a.calls, a.snap.State = append(a.calls, "pause"), learn.Paused }
func (a *actor) Resume()                   { a.calls, a.snap.State = append(a.calls, "resume"), learn.Running }
func (a *actor) Stop()                     { a.calls, a.snap.State = append(a.calls, "stop"), learn.Stopped }
func (a *actor) Close()                    {}
func (a *actor) Snapshot() *learn.Snapshot { s := a.snap; return &s }
func (a *actor) Weights() []byte           { return a.weights }

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

func program(t *testing.T, o scene.Options) (*scene.App, *actor) {
	t.Helper()
	a := &actor{weights: weights.MNIST}
	o.Model, o.Trainer = weights.MNIST, a
	if o.Now == nil {
		o.Now = func() time.Time { return time.Unix(0, 0) } // no answer is ever late
	}
	app, err := scene.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Close)
	return app, a
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
	app, trainer := program(t, scene.Options{Folder: "mnist"})
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

// TestBudget: where an answer takes long the frames between have the time for themselves.
func TestBudget(t *testing.T) {
	clock := time.Unix(0, 0)
	calls := 0
	app, _ := program(t, scene.Options{Now: func() time.Time {
		calls++
		if calls%2 == 0 {
			clock = clock.Add(20 * time.Millisecond) // every answer takes so long
		}
		return clock
	}})
	app.Frame(at(normal))
	pad := rect(t, app, "pad")
	thought := 0
	for i := range 60 {
		in := at(normal)
		in.Pointers = []ui.Pointer{{ID: 0, At: ui.Point{X: pad.X + 20 + 4*float64(i), Y: pad.Y + 50}}}
		before := calls
		app.Frame(in)
		if calls-before == 2 {
			thought++
		} else {
			calls = before // it looked at the clock and left it
		}
		clock = clock.Add(16 * time.Millisecond)
	}
	if thought < 5 || thought > 20 {
		t.Errorf("%d answers of 20 ms in 60 frames", thought)
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
			app, trainer := program(t, scene.Options{Folder: "fashion-mnist"})
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
	in := app.UI.In.Size
	window := ui.Rect{X: -0.5, Y: -0.5, W: in.X + 1, H: in.Y + 1}
	var texts []ui.Command
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
	for i, a := range texts {
		for _, b := range texts[:i] {
			if a.R.X < b.R.Right() && b.R.X < a.R.Right() && a.R.Y < b.R.Bottom() && b.R.Y < a.R.Bottom() {
				t.Errorf("%s: %q and %q lie on each other", where, a.S, b.S)
			}
		}
	}
}

func inside(w, r ui.Rect) bool {
	return r.X >= w.X && r.Y >= w.Y && r.Right() <= w.Right() && r.Bottom() <= w.Bottom()
}

// BenchmarkThink is what an answer costs a frame: the picture prepared, and LeNet; with the maps too when one looks inside.
func BenchmarkThink(b *testing.B) {
	for name, key := range map[string]ui.Key{"draw": ui.Key1, "inside": ui.Key2} {
		b.Run(name, func(b *testing.B) {
			app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: &actor{}, Now: func() time.Time { return time.Unix(0, 0) }})
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
