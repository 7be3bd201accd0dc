package main

import (
	"encoding/json"
	"syscall/js"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/models/lenet/weights"
)

// main runs the program in a page. What it shows is in weftWindowState, as JSON, for those who want to follow it.
func main() {
	dark := js.Global().Call("matchMedia", "(prefers-color-scheme: dark)").Get("matches").Bool()
	app, err := scene.New(scene.Options{Model: weights.MNIST, Trainer: learn.New(nil), Dark: dark})
	if err != nil {
		panic(err)
	}
	g, err := newGame(app)
	if err != nil {
		panic(err)
	}
	g.ontell = func(s scene.State) {
		if b, err := json.Marshal(s); err == nil {
			js.Global().Set("weftWindowState", string(b))
		}
	}
	if err := open(g, 1180, 760); err != nil {
		panic(err)
	}
}
