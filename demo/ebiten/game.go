package main

import (
	"math"
	"time"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/inpututil"

	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/demo/ebiten/ui"
)

// game is the program as Ebitengine runs it.
type game struct {
	app    *scene.App
	screen *screen

	size     ui.Point // of the window, in device-independent pixels
	scale    float64  // pixels of the device in one of them
	drawn    ui.List  // what the screen shows
	bounds   ui.Point
	state    scene.State // as it was told last
	told     time.Time
	ontell   func(scene.State)   // nil: nobody listens
	onpixels func(*ebiten.Image) // takes a picture of the window, nil: nobody does
	snap     bool
	frame    time.Time
	pause    time.Duration // least time between two frames

	touches []ebiten.TouchID
	pressed []ebiten.Key
	input   ui.Input
}

func newGame(app *scene.App) (*game, error) {
	s, err := newScreen()
	if err != nil {
		return nil, err
	}
	return &game{app: app, screen: s, scale: 1, size: ui.Point{X: 1, Y: 1}}, nil
}

// Layout is never called: LayoutF takes its place.
func (g *game) Layout(w, h int) (int, int) { return w, h }

// LayoutF makes the screen as large as the window in pixels of the device.
func (g *game) LayoutF(w, h float64) (float64, float64) {
	g.scale = ebiten.Monitor().DeviceScaleFactor()
	g.size = ui.Point{X: w, Y: h}
	return math.Ceil(w * g.scale), math.Ceil(h * g.scale)
}

// keys are those that the interface knows; the second of a pair is with Shift.
var keys = map[ebiten.Key][2]ui.Key{
	ebiten.KeyTab:         {ui.KeyTab, ui.KeyBackTab},
	ebiten.KeyArrowLeft:   {ui.KeyLeft, ui.KeyLeft},
	ebiten.KeyArrowRight:  {ui.KeyRight, ui.KeyRight},
	ebiten.KeyArrowUp:     {ui.KeyUp, ui.KeyUp},
	ebiten.KeyArrowDown:   {ui.KeyDown, ui.KeyDown},
	ebiten.KeyEnter:       {ui.KeyEnter, ui.KeyEnter},
	ebiten.KeyNumpadEnter: {ui.KeyEnter, ui.KeyEnter},
	ebiten.KeySpace:       {ui.KeySpace, ui.KeySpace},
	ebiten.KeyEscape:      {ui.KeyEscape, ui.KeyEscape},
	ebiten.KeyDelete:      {ui.KeyDelete, ui.KeyDelete},
	ebiten.KeyBackspace:   {ui.KeyBackspace, ui.KeyBackspace},
	ebiten.KeyDigit1:      {ui.Key1, ui.Key1},
	ebiten.KeyDigit2:      {ui.Key2, ui.Key2},
	ebiten.KeyDigit3:      {ui.Key3, ui.Key3},
	ebiten.KeyNumpad1:     {ui.Key1, ui.Key1},
	ebiten.KeyNumpad2:     {ui.Key2, ui.Key2},
	ebiten.KeyNumpad3:     {ui.Key3, ui.Key3},
	ebiten.KeyC:           {ui.KeyC, ui.KeyC},
	ebiten.KeyN:           {ui.KeyN, ui.KeyN},
	ebiten.KeyP:           {ui.KeyP, ui.KeyP},
	ebiten.KeyS:           {ui.KeyS, ui.KeyS},
	ebiten.KeyT:           {ui.KeyT, ui.KeyT},
	ebiten.KeyZ:           {ui.KeyZ, ui.KeyZ},
}

// repeats are the keys that count again while they are held.
var repeats = []ebiten.Key{ebiten.KeyArrowLeft, ebiten.KeyArrowRight, ebiten.KeyArrowUp, ebiten.KeyArrowDown, ebiten.KeyTab, ebiten.KeyBackspace}

// Update hands the input to the program, which draws its next picture into a list.
func (g *game) Update() error {
	in := &g.input
	in.Size, in.Scale = g.size, g.scale
	at := func(x, y int) ui.Point {
		return ui.Point{X: (float64(x) + 0.5) / g.scale, Y: (float64(y) + 0.5) / g.scale}
	}
	in.Mouse = at(ebiten.CursorPosition())
	in.Pointers = in.Pointers[:0]
	// A click may begin and end between two frames.
	if ebiten.IsMouseButtonPressed(ebiten.MouseButtonLeft) || inpututil.IsMouseButtonJustPressed(ebiten.MouseButtonLeft) {
		in.Pointers = append(in.Pointers, ui.Pointer{ID: ui.Mouse, At: in.Mouse})
	}
	g.touches = ebiten.AppendTouchIDs(g.touches[:0])
	for _, id := range g.touches {
		in.Pointers = append(in.Pointers, ui.Pointer{ID: int(id), At: at(ebiten.TouchPosition(id))})
	}
	// Shift may be pressed and let go between two frames, too.
	in.Shift = ebiten.IsKeyPressed(ebiten.KeyShift) || inpututil.IsKeyJustPressed(ebiten.KeyShiftLeft) || inpututil.IsKeyJustPressed(ebiten.KeyShiftRight)
	in.Space = ebiten.IsKeyPressed(ebiten.KeySpace)
	in.Keys = in.Keys[:0]
	g.pressed = inpututil.AppendJustPressedKeys(g.pressed[:0])
	for _, k := range repeats {
		if d := inpututil.KeyPressDuration(k); d >= 24 && d%3 == 0 {
			g.pressed = append(g.pressed, k)
		}
	}
	if !ebiten.IsKeyPressed(ebiten.KeyControl) && !ebiten.IsKeyPressed(ebiten.KeyAlt) && !ebiten.IsKeyPressed(ebiten.KeyMeta) {
		for _, k := range g.pressed {
			if pair, ok := keys[k]; ok {
				if in.Shift {
					in.Keys = append(in.Keys, pair[1])
				} else {
					in.Keys = append(in.Keys, pair[0])
				}
			}
			if k == ebiten.KeyF12 {
				g.snap = true
			}
		}
	}
	g.app.Frame(*in)
	if g.ontell != nil && time.Since(g.told) > 40*time.Millisecond {
		if s := g.app.State(); !same(s, g.state) {
			g.state, g.told = s, time.Now()
			g.ontell(s)
		}
	}
	return nil
}

// same compares states.
func same(a, b scene.State) bool {
	if (a.Answer == nil) != (b.Answer == nil) || a.Answer != nil && *a.Answer != *b.Answer {
		return false
	}
	a.Answer, b.Answer = nil, nil
	return a == b
}

// Draw plays the latest list. The screen is not cleared between frames, so where nothing has changed there is nothing to do.
func (g *game) Draw(dst *ebiten.Image) {
	size := dst.Bounds().Size()
	bounds := ui.Point{X: float64(size.X), Y: float64(size.Y)}
	list := &g.app.UI.List
	if bounds != g.bounds || !list.Equal(&g.drawn) {
		g.screen.play(dst, list.Commands, g.app.UI.In.Scale)
		g.drawn, g.bounds = *list, bounds
	}
	if g.snap {
		g.snap = false
		if g.onpixels != nil {
			g.onpixels(dst)
		}
	}
	// Where the display does not pace the frames, they are not to take a whole processor.
	if g.pause > 0 {
		if d := g.pause - time.Since(g.frame); d > 0 {
			time.Sleep(d)
		}
		g.frame = time.Now()
	}
}
