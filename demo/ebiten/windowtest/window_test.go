//go:build !js

// Package windowtest drives the window under an X server without a screen. It is apart from the program because Ebitengine looks for
// a display before any test runs.
package windowtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weft-ml/weft/demo/ebiten/scene"
)

// need finds a program, or skips: WEFT_REQUIRE=x11 makes that a failure.
func need(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if slices.Contains(strings.Split(os.Getenv("WEFT_REQUIRE"), ","), "x11") {
		t.Fatalf("WEFT_REQUIRE=x11: %s is not installed (Debian package %s)", program, pkg)
	}
	t.Skipf("skipped: the window's test needs %s (Debian package %s)", program, pkg)
	return ""
}

// build builds the program.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "window")
	cmd := exec.Command("go", "build", "-o", bin, "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// display starts an X server without a screen and returns its name.
func display(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// The server chooses a free number and tells it.
	cmd := exec.Command(need(t, "Xvfb", "xvfb"), "-displayfd", "3", "-screen", "0", "2400x1600x24", "-nolisten", "tcp")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not start: %v", err)
	}
	return ":" + strings.TrimSpace(line)
}

// window is a running program.
type window struct {
	t      *testing.T
	env    []string
	id     string
	shots  string
	states chan scene.State
	now    scene.State
	taken  int
}

func start(t *testing.T, args ...string) *window {
	t.Helper()
	need(t, "xdotool", "xdotool")
	if runtime.GOOS == "linux" {
		need(t, "gcc", "gcc")
	}
	w := &window{t: t, shots: t.TempDir(), states: make(chan scene.State, 1<<16)}
	w.env = append(os.Environ(), "DISPLAY="+display(t), "LIBGL_ALWAYS_SOFTWARE=1")
	cmd := exec.Command(build(t), append([]string{"--trace", "-", "--screenshots", w.shots}, args...)...)
	cmd.Env = w.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(w.states)
		for d := json.NewDecoder(out); ; {
			var s scene.State
			if d.Decode(&s) != nil {
				return
			}
			w.states <- s
		}
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-read
		cmd.Wait()
		if t.Failed() {
			t.Logf("last state %+v\n%s", w.now, stderr.String())
		}
	})
	w.wait("open", func(s *scene.State) bool { return s.Width > 100 })
	w.id = strings.Fields(w.xdo("search", "--sync", "--name", "^Weft$"))[0]
	w.xdo("windowfocus", "--sync", w.id)
	return w
}

// xdo runs xdotool.
func (w *window) xdo(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("xdotool", args...)
	cmd.Env = w.env
	out, err := cmd.Output()
	if err != nil {
		var e *exec.ExitError
		if errors.As(err, &e) {
			w.t.Fatalf("xdotool %v: %v\n%s", args, err, e.Stderr)
		}
		w.t.Fatal(err)
	}
	return string(out)
}

// wait reads states until one is as it should be.
func (w *window) wait(what string, ok func(*scene.State) bool) scene.State {
	w.t.Helper()
	timeout := time.After(90 * time.Second)
	for w.now.Scene == "" || !ok(&w.now) {
		select {
		case s, open := <-w.states:
			if !open {
				w.t.Fatalf("the program ended before it was %s", what)
			}
			w.now = s
		case <-timeout:
			w.t.Fatalf("not %s within 90 s", what)
		}
	}
	return w.now
}

// press presses a key until the window is as it should be.
func (w *window) press(key, what string, ok func(*scene.State) bool) scene.State {
	w.t.Helper()
	w.xdo("key", key)
	return w.wait(what, ok)
}

// shoot takes a picture of the window.
func (w *window) shoot() image.Image {
	w.t.Helper()
	w.taken++
	path := filepath.Join(w.shots, fmt.Sprintf("window-%03d.png", w.taken))
	w.xdo("key", "F12")
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		m, err := png.Decode(f)
		if err != nil {
			w.t.Fatal(err)
		}
		if dir := os.Getenv("WEFT_WINDOW_SHOTS"); dir != "" {
			b, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o644)
			}
			if err != nil {
				w.t.Fatal(err)
			}
		}
		return m
	}
	w.t.Fatal("F12 writes no picture within a minute")
	return nil
}

// seven draws a 7 with the mouse, into the pad's square at x, y.
func (w *window) seven(x, y, side int) {
	w.t.Helper()
	at := func(fx, fy float64) []string {
		return []string{"mousemove", "--window", w.id, strconv.Itoa(x + int(fx*float64(side))), strconv.Itoa(y + int(fy*float64(side)))}
	}
	w.xdo(at(0.3, 0.2)...)
	time.Sleep(100 * time.Millisecond)
	w.xdo("mousedown", "1")
	for i := range 9 {
		w.xdo(at(0.3+0.05*float64(i), 0.2)...)
		time.Sleep(60 * time.Millisecond)
	}
	for i := range 9 {
		w.xdo(at(0.7-0.03*float64(i), 0.2+0.08*float64(i))...)
		time.Sleep(60 * time.Millisecond)
	}
	w.xdo("mouseup", "1")
}

// colours counts the different colours of a picture.
func colours(m image.Image) int {
	seen := map[[3]uint32]bool{}
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, b, _ := m.At(x, y).RGBA()
			seen[[3]uint32{r >> 8, g >> 8, b >> 8}] = true
		}
	}
	return len(seen)
}

// dark counts the dark pixels of a part of a picture.
func dark(m image.Image, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			if r+g+b < 3*0x4000 {
				n++
			}
		}
	}
	return n
}

// TestWindow drives the window as a hand would: draw a 7, look inside, train, pause, draw meanwhile, resume, stop, resize.
func TestWindow(t *testing.T) {
	w := start(t)
	empty := w.shoot()
	if b := empty.Bounds(); b.Dx() != 1180 || b.Dy() != 760 {
		t.Errorf("the window is %v", b)
	}
	w.seven(36, 80, 595)
	s := w.wait("read as 7", func(s *scene.State) bool { return s.Answer != nil && *s.Answer == 7 && s.Strokes == 1 && s.Sure > 0.8 })
	if s.Think > 50 {
		t.Errorf("an answer takes %v ms", s.Think)
	}
	pad := image.Rect(40, 84, 628, 672)
	if before, after := dark(empty, pad), dark(w.shoot(), pad); after-before < 5000 {
		t.Errorf("%d dark pixels on the pad, %d before there was ink", after, before)
	}
	w.press("2", "inside with maps", func(s *scene.State) bool { return s.Scene == "inside" && s.Layers == 6 && *s.Answer == 7 })
	if n := colours(w.shoot()); n < 60 {
		t.Errorf("the maps have %d colours", n)
	}

	w.press("3", "at training", func(s *scene.State) bool { return s.Scene == "train" })
	w.press("s", "training", func(s *scene.State) bool { return s.Training == "running" && s.Step > 50 && s.Points > 10 })
	w.press("p", "paused", func(s *scene.State) bool { return s.Training == "paused" })
	w.shoot()
	// In the pause the weights of that moment read the ink.
	w.press("1", "read by the new weights", func(s *scene.State) bool { return s.Scene == "draw" && s.Trained && s.Answer != nil })
	step := w.now.Step
	w.press("c", "clear", func(s *scene.State) bool { return s.Strokes == 0 && s.Answer == nil })
	if w.now.Step != step {
		t.Errorf("step %d in a pause at %d", w.now.Step, step)
	}
	w.press("p", "going on", func(s *scene.State) bool { return s.Training == "running" && s.Step > step })
	// The frame's budget holds while it trains.
	w.seven(36, 80, 595)
	w.wait("drawn while it trains", func(s *scene.State) bool { return s.Strokes == 1 && s.Answer != nil })
	w.press("s", "stopped", func(s *scene.State) bool { return s.Training == "stopped" })

	for i, size := range [][2]int{{360, 480}, {390, 844}, {1600, 1000}} {
		w.xdo("windowsize", w.id, strconv.Itoa(size[0]), strconv.Itoa(size[1]))
		zoom := scene.Zoom(float64(size[0]), float64(size[1]))
		w.wait("resized", func(s *scene.State) bool { return s.Width == float64(size[0])/zoom && s.Scale == zoom })
		for k, name := range []string{"draw", "inside", "train"} {
			w.press(strconv.Itoa(k+1), "at "+name, func(s *scene.State) bool { return s.Scene == name })
			if b := w.shoot().Bounds(); b.Dx() != size[0] || b.Dy() != size[1] {
				t.Errorf("size %d: the picture is %v", i, b)
			}
		}
	}
	w.press("t", "dark", func(s *scene.State) bool { return s.Theme == "dark" })
	m := w.shoot()
	if r, g, b, _ := m.At(2, 2).RGBA(); r+g+b > 3*0x3000 {
		t.Errorf("the ground is %v in the dark theme", m.At(2, 2))
	}
	// The keyboard alone: to the scenes, and through them.
	w.press("Tab", "a focus that is seen", func(s *scene.State) bool { return s.Ring && s.Focus == "scenes" })
	w.press("Left", "at inside", func(s *scene.State) bool { return s.Scene == "inside" })
	w.shoot()
}

// TestRefusals: what cannot work says why and what to do, with the exit status of its kind.
func TestRefusals(t *testing.T) {
	need(t, "gcc", "gcc")
	bin := build(t)
	dir := t.TempDir()
	screen := "DISPLAY=" + display(t)
	for _, c := range []struct {
		env    string
		args   []string
		status int
		want   string
	}{
		{"DISPLAY=", nil, 1, "there is no display"},
		{"DISPLAY=:3999", nil, 1, "display :3999 does not answer"},
		{screen, []string{"--data", filepath.Join(dir, "missing")}, 1, "--data: "},
		{screen, []string{"--data", dir}, 1, "weft data get mnist"},
		{screen, []string{"--size", "10x10"}, 2, "at least 360x480"},
		{screen, []string{"--theme", "green"}, 2, "light or dark"},
		{screen, []string{"--nonsense"}, 2, "--help"},
		{screen, []string{"more"}, 2, "no arguments"},
	} {
		cmd := exec.Command(bin, c.args...)
		cmd.Env = append(os.Environ(), c.env)
		out, err := cmd.CombinedOutput()
		var e *exec.ExitError
		if !errors.As(err, &e) || e.ExitCode() != c.status || !strings.Contains(string(out), c.want) {
			t.Errorf("%s %v: %v, %s; want status %d and something of %q", c.env, c.args, err, out, c.status, c.want)
		}
		if strings.Contains(string(out), "goroutine ") {
			t.Errorf("%s %v: a panic", c.env, c.args)
		}
	}
	help := exec.Command(bin, "--help")
	help.Env = append(os.Environ(), "DISPLAY=")
	if out, err := help.Output(); err != nil || !strings.Contains(string(out), "--screenshots") {
		t.Errorf("--help: %v, %s", err, out)
	}
}
