// The window of Weft: draw a digit and LeNet answers as the ink flows, look inside at the maps of its layers, and train it and watch
// the curves. The same source is a program of the desktop and a page.
package main

import (
	"image"
	"image/color"

	"github.com/hajimehoshi/ebiten/v2"

	"github.com/weft-ml/weft/demo/ebiten/ui"
)

const title = "Weft"

// open opens the window and runs the program until it is closed.
func open(g *game, w, h int) error {
	ebiten.SetWindowTitle(title)
	ebiten.SetWindowIcon([]image.Image{icon(16), icon(32), icon(48), icon(128)})
	ebiten.SetWindowSize(w, h)
	ebiten.SetWindowSizeLimits(360, 480, -1, -1)
	ebiten.SetWindowResizingMode(ebiten.WindowResizingModeEnabled)
	ebiten.SetScreenClearedEveryFrame(false)
	// Once a frame: more would make slow frames slower.
	ebiten.SetTPS(ebiten.SyncWithFPS)
	return ebiten.RunGameWithOptions(g, &ebiten.RunGameOptions{X11ClassName: title, X11InstanceName: "weft", DisableHiDPI: pageCounts})
}

// icon draws the sign of Weft, threads that cross, n pixels wide.
func icon(n int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, n, n))
	warp, weft := ui.Mix(ui.Light.Surface, ui.Light.Accent, 0.5), ui.Light.Accent
	// Positions in twelfths of the icon.
	thread := func(i int) (from, to int) { return (4*i + 1) * n / 12, (4*i + 3) * n / 12 }
	put := func(x0, y0, x1, y1 int, c color.NRGBA) {
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				m.SetNRGBA(x, y, c)
			}
		}
	}
	for i := range 3 {
		a, b := thread(i)
		put(a, 0, b, n, warp)
	}
	for i := range 3 {
		a, b := thread(i)
		for k := range 3 {
			c, d := thread(k)
			if (i+k)%2 == 0 {
				put(max(0, c-n/6), a, min(n, d+n/6), b, weft)
			}
		}
	}
	return m
}
