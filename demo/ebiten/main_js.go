package main

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"syscall/js"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/demo/ebiten/ui"
	"github.com/weft-ml/weft/models/lenet/weights"
)

// page is what the page offers the program.
var page = js.Global().Get("weftWindow")

// main runs the program in a page, which demo/web/src/window is: it has put this program and the kernels on one memory, and trains in
// a worker. The page is told what the window shows, and asks when Tab is about to leave it.
func main() {
	dark := js.Global().Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool()
	trainer := learn.New(page.Get("trainer"))
	app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: trainer, Dark: dark})
	if err != nil {
		panic(err)
	}
	g := newGame(app)
	g.ontell = func(s scene.State) {
		if b, err := json.Marshal(s); err == nil {
			page.Call("tell", string(b))
		}
	}
	page.Set("leaves", js.FuncOf(func(_ js.Value, args []js.Value) any {
		return app.UI.Leave(args[0].Int())
	}))
	if err := open(g, 1180, 760); err != nil {
		panic(err)
	}
}

// pageCounts says that somebody else than Ebitengine knows how many pixels the window has: Ebitengine asks the browser once how many
// make one of the page's, the page knows when that changes. It tells Ebitengine sizes in pixels of the device.
const pageCounts = true

// LayoutF makes the screen as large as the canvas, w x h pixels of the device. The mouse is in pixels of the page.
func (g *game) LayoutF(w, h float64) (float64, float64) {
	g.scale = page.Get("ratio").Float()
	g.size = ui.Point{X: w / g.scale, Y: h / g.scale}
	return w, h
}

// trail appends the way of the pointer since the last frame, which the page has kept.
func (g *game) trail(path []ui.Point) []ui.Point {
	if page.Get("moved").Int() == 0 {
		return path
	}
	from := page.Call("trail")
	b := make([]byte, from.Length())
	js.CopyBytesToGo(b, from)
	for ; len(b) >= 8; b = b[8:] {
		at := func(i int) float64 { return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[i:]))) }
		path = append(path, ui.Point{X: at(0), Y: at(4)})
	}
	return path
}
