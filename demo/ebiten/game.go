package main

import (
	"slices"
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

	size     ui.Point    // of the window, in device-independent pixels
	scale    float64     // pixels of the device in one of them
	units    float64     // of a cursor's position in a device-independent pixel
	state    scene.State // as it was told last
	told     time.Time
	ontell   func(scene.State)   // nil: nobody listens
	onpixels func(*ebiten.Image) // takes a picture of the window, nil: nobody does
	snap     bool
	frame    time.Time
	pause    time.Duration // least time between two frames

	touches []ebiten.TouchID
	pressed []ebiten.Key
	again   ebiten.Key // is held and counts again, at repeat
	repeat  time.Time
	input   ui.Input
	copy    ebiten.DrawImageOptions
}

func newGame(app *scene.App) *game {
	return &game{app: app, screen: newScreen(), scale: 1, units: 1, size: ui.Point{X: 1, Y: 1}, copy: ebiten.DrawImageOptions{Blend: ebiten.BlendCopy}}
}

// Layout is never called: LayoutF takes its place.
func (g *game) Layout(w, h int) (int, int) { return w, h }

// DrawFinalScreen copies the picture to the window, pixel by pixel: it is as large.
func (g *game) DrawFinalScreen(window ebiten.FinalScreen, picture *ebiten.Image, _ ebiten.GeoM) {
	window.DrawImage(picture, &g.copy)
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
	ebiten.KeyO:           {ui.KeyO, ui.KeyO},
	ebiten.KeyP:           {ui.KeyP, ui.KeyP},
	ebiten.KeyS:           {ui.KeyS, ui.KeyS},
	ebiten.KeyT:           {ui.KeyT, ui.KeyT},
	ebiten.KeyZ:           {ui.KeyZ, ui.KeyZ},
}

// repeats are the keys that count again while they are held.
var repeats = []ebiten.Key{ebiten.KeyArrowLeft, ebiten.KeyArrowRight, ebiten.KeyArrowUp, ebiten.KeyArrowDown, ebiten.KeyTab, ebiten.KeyBackspace}

// held appends the key that is held for long enough to count again; the last one that was pressed does.
func (g *game) held(now time.Time) {
	for _, k := range g.pressed {
		if slices.Contains(repeats, k) {
			g.again, g.repeat = k, now.Add(400*time.Millisecond)
		}
	}
	if !g.repeat.IsZero() && !ebiten.IsKeyPressed(g.again) {
		g.repeat = time.Time{}
	}
	if !g.repeat.IsZero() && now.After(g.repeat) {
		g.pressed = append(g.pressed, g.again)
		g.repeat = now.Add(50 * time.Millisecond)
	}
}

// Update hands the input to the program, which draws its next picture into a list. It runs once a frame.
func (g *game) Update() error {
	from := time.Now()
	in := &g.input
	in.Size, in.Scale = g.size, g.scale
	at := func(x, y int) ui.Point {
		return ui.Point{X: (float64(x) + 0.5) / g.units, Y: (float64(y) + 0.5) / g.units}
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
	in.Path = g.trail(in.Path[:0])
	// Shift may be pressed and let go between two frames, too.
	in.Shift = ebiten.IsKeyPressed(ebiten.KeyShift) || inpututil.IsKeyJustPressed(ebiten.KeyShiftLeft) || inpututil.IsKeyJustPressed(ebiten.KeyShiftRight)
	in.Space = ebiten.IsKeyPressed(ebiten.KeySpace)
	in.Keys = in.Keys[:0]
	g.pressed = inpututil.AppendJustPressedKeys(g.pressed[:0])
	g.held(from)
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
	if dropped := ebiten.DroppedFiles(); dropped != nil {
		g.app.Drop(dropped)
	}
	g.app.Frame(*in)
	g.app.Took(time.Since(from))
	if g.ontell != nil && time.Since(g.told) > 40*time.Millisecond {
		if s := g.app.State(); !same(s, g.state) {
			g.state, g.told = s, time.Now()
			g.ontell(s)
		}
	}
	return nil
}

// same compares states but for what they say of the time that frames take, which is never the same.
func same(a, b scene.State) bool {
	if (a.Answer == nil) != (b.Answer == nil) || a.Answer != nil && *a.Answer != *b.Answer {
		return false
	}
	a.Answer, b.Answer = nil, nil
	a.Update, b.Update = scene.Times{}, scene.Times{}
	a.Think, b.Think = 0, 0
	return a == b
}

// Draw plays the latest list. The screen is not cleared between frames, so where nothing has changed there is nothing to do.
func (g *game) Draw(dst *ebiten.Image) {
	g.screen.play(dst, g.app.UI.List.Commands, g.app.UI.In.Scale)
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
