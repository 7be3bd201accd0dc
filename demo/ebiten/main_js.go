package main

import (
	"encoding/json"
	"syscall/js"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/models/lenet/weights"
)

// main runs the program in a page, which demo/web/src/window is: it has put this program and the kernels on one memory, and trains in
// a worker. The page is told what the window shows, and asks when Tab is about to leave it.
func main() {
	page := js.Global().Get("weftWindow")
	dark := js.Global().Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool()
	trainer := learn.New(page.Get("trainer"))
	app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: trainer, Dark: dark})
	if err != nil {
		panic(err)
	}
	g, err := newGame(app)
	if err != nil {
		panic(err)
	}
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
