//go:build !js

package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/hajimehoshi/ebiten/v2"

	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/scene"
	"github.com/weft-ml/weft/demo/ebiten/startup"
	"github.com/weft-ml/weft/demo/ebiten/ui"
	"github.com/weft-ml/weft/models/lenet/weights"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program; it returns the exit status: 0 good, 1 failed, 2 wrong flags.
func run(args []string, stdout, stderr io.Writer) int {
	fail := func(status int, err error) int {
		fmt.Fprintln(stderr, "weft window:", err)
		return status
	}
	fl := flag.NewFlagSet("window", flag.ContinueOnError)
	fl.SetOutput(io.Discard)
	data, theme, size := fl.String("data", "", ""), fl.String("theme", "light", ""), fl.String("size", "1180x760", "")
	shots, trace := fl.String("screenshots", "", ""), fl.String("trace", "", "")
	if err := fl.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, startup.Usage)
		return 0
	} else if err != nil {
		return fail(2, fmt.Errorf("%w; see --help", err))
	}
	if fl.NArg() > 0 {
		return fail(2, fmt.Errorf("there are no arguments but flags, not %q; see --help", fl.Arg(0)))
	}
	var w, h int
	if n, err := fmt.Sscanf(*size, "%dx%d", &w, &h); n != 2 || err != nil || w < 360 || h < 480 || w > 1<<14 || h > 1<<14 {
		return fail(2, fmt.Errorf("--size must be like 1180x760 and at least 360x480, not %q", *size))
	}
	if *theme != "light" && *theme != "dark" {
		return fail(2, fmt.Errorf("--theme must be light or dark, not %q", *theme))
	}
	opt := scene.Options{Model: weights.MNIST, Dark: *theme == "dark"}
	var sets *learn.Sets
	if *data != "" {
		var err error
		if sets, err = learn.OpenFolder(*data); err != nil {
			return fail(1, fmt.Errorf("--data: %w", err))
		}
	}
	if *shots != "" {
		if err := os.MkdirAll(*shots, 0o755); err != nil {
			return fail(1, fmt.Errorf("--screenshots: %w", err))
		}
	}
	var traced io.Writer
	switch *trace {
	case "":
	case "-":
		traced = stdout
	default:
		f, err := os.Create(*trace)
		if err != nil {
			return fail(1, fmt.Errorf("--trace: %w", err))
		}
		defer f.Close()
		traced = f
	}
	// A frame goes from goroutine to goroutine and to threads of its own many times. Were all of Go's processors busy with training,
	// it would wait for a time slice of 10 ms each time; with two that training leaves alone the system's scheduler can share the time. (On two cores
	// without a graphics card, where drawing itself takes most of a core, no difference could be measured.)
	runtime.GOMAXPROCS(runtime.NumCPU() + 2)
	opt.Trainer = learn.New(sets)
	defer opt.Trainer.Close()
	app, err := scene.New(opt)
	if err != nil {
		return fail(1, err)
	}
	defer app.Close()
	g := newGame(app)
	g.pause = time.Second / 240
	if traced != nil {
		enc := json.NewEncoder(traced)
		g.ontell = func(s scene.State) {
			if err := enc.Encode(s); err != nil {
				fmt.Fprintln(stderr, "weft window: --trace:", err)
				g.ontell = nil
			}
		}
	}
	if *shots != "" {
		n := 0
		g.onpixels = func(screen *ebiten.Image) {
			n++
			if err := shoot(screen, filepath.Join(*shots, fmt.Sprintf("window-%03d.png", n))); err != nil {
				fmt.Fprintln(stderr, "weft window: --screenshots:", err)
			}
		}
	}
	if err := open(g, w, h); err != nil {
		return fail(1, fmt.Errorf("the window cannot be opened: %w", err))
	}
	return 0
}

// pageCounts says that somebody else than Ebitengine knows how many pixels the window has.
const pageCounts = false

// LayoutF makes the screen as large as the window in pixels of the device.
func (g *game) LayoutF(w, h float64) (float64, float64) {
	g.scale = ebiten.Monitor().DeviceScaleFactor()
	g.units = g.scale
	g.size = ui.Point{X: w, Y: h}
	return math.Ceil(w * g.scale), math.Ceil(h * g.scale)
}

// trail is not known: frames follow each other fast enough.
func (g *game) trail(path []ui.Point) []ui.Point { return path }

// shoot writes a picture of the screen; the file appears when it is complete.
func shoot(screen *ebiten.Image, path string) error {
	b := screen.Bounds()
	m := image.NewRGBA(b)
	screen.ReadPixels(m.Pix)
	f, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	if err := png.Encode(f, m); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}
