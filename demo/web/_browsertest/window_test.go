package browsertest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/weft-ml/weft/internal/require"
)

// windowState is part of what weftWindow.state() gives; demo/ebiten/scene describes it.
type windowState struct {
	Scene, Theme, Focus  string
	Ring                 bool
	Width, Height, Scale float64
	Pad                  struct{ X, Y, W, H float64 }
	Strokes, Layers      int
	Answer               *int
	Sure                 float64
	Trained              bool
	Notice, Training     string
	Step, Steps, Points  int
	Tests                int
	Loss, Accuracy       float64
	Data                 string
	Answers              uint64
	Think                float64 `json:"think_ms"`
	Update               struct {
		Min, Median, P95, Max float64
		Frames                int
	}
}

// Window opens the page of the window, drawn by software, in a browser of a size, and waits for its first frame.
func Window(t *testing.T, width, height int, query string, before ...chromedp.Action) *Browser {
	t.Helper()
	address, _ := serve(t)
	if built.windowless != "" {
		require.Missing(t, "browser", built.windowless)
	}
	b := StartFor(t, width, height, 4*time.Minute, chromedp.Flag("disable-gpu", false), chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true))
	b.Do(t, before...)
	b.Do(t, chromedp.Navigate(address+"window/"+query))
	b.Wait(t, `document.body.dataset.state === "running"`, time.Minute)
	return b
}

// State asks the window what it shows.
func (b *Browser) State(t *testing.T) (s windowState) {
	t.Helper()
	b.Do(t, chromedp.Evaluate("weftWindow.state()", &s))
	return s
}

// WaitState waits until what the window shows is as it should be.
func (b *Browser) WaitState(t *testing.T, what string, limit time.Duration, ok func(windowState) bool) windowState {
	t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		s := b.State(t)
		if ok(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("not %s within %v: %+v\nconsole: %q", what, limit, s, b.Problems())
		}
	}
}

// Key presses a key and lets it go, long enough for a frame to see it.
func (b *Browser) Key(t *testing.T, key string, modifiers ...input.Modifier) {
	t.Helper()
	held := input.DispatchKeyEvent(input.KeyDown).WithKey("Shift").WithCode("ShiftLeft").WithWindowsVirtualKeyCode(16).WithModifiers(input.ModifierShift)
	free := input.DispatchKeyEvent(input.KeyUp).WithKey("Shift").WithCode("ShiftLeft").WithWindowsVirtualKeyCode(16)
	shift := slices.Contains(modifiers, input.ModifierShift)
	if shift {
		b.Do(t, held)
	}
	b.Do(t, chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)), chromedp.Sleep(60*time.Millisecond))
	if shift {
		b.Do(t, free)
	}
}

// onPad returns the places of the strokes of a digit in the page.
func onPad(s windowState, digit int, view float64) (out [][]point) {
	zoom := view / s.Width
	for _, stroke := range strokes[digit] {
		var places []point
		for i, p := range stroke {
			n := 1
			if i > 0 {
				n = 4
			}
			for k := 1; k <= n; k++ {
				a := stroke[max(0, i-1)]
				f := float64(k) / float64(n)
				x, y := a.x+f*(p.x-a.x), a.y+f*(p.y-a.y)
				places = append(places, point{zoom * (s.Pad.X + x*s.Pad.W), zoom * (s.Pad.Y + y*s.Pad.H)})
			}
		}
		out = append(out, places)
	}
	return out
}

// Ink draws a digit on the window's pad with the mouse.
func (b *Browser) Ink(t *testing.T, digit int) {
	t.Helper()
	var view float64
	b.Do(t, chromedp.Evaluate("innerWidth", &view))
	mouse := func(kind input.MouseType, p point) chromedp.Action {
		return input.DispatchMouseEvent(kind, p.x, p.y).WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	for _, stroke := range onPad(b.State(t), digit, view) {
		b.Do(t, mouse(input.MouseMoved, stroke[0]), mouse(input.MousePressed, stroke[0]), chromedp.Sleep(30*time.Millisecond))
		for _, p := range stroke {
			b.Do(t, mouse(input.MouseMoved, p), chromedp.Sleep(10*time.Millisecond))
		}
		b.Do(t, mouse(input.MouseReleased, stroke[len(stroke)-1]), chromedp.Sleep(30*time.Millisecond))
	}
}

func reads(digit int) func(windowState) bool {
	return func(s windowState) bool { return s.Answer != nil && *s.Answer == digit }
}

// TestWindow goes through the scenes: draws, looks inside, by mouse and by keyboard.
func TestWindow(t *testing.T) {
	b := Window(t, 1280, 860, "")
	var kernels string
	b.Do(t, chromedp.Evaluate("weftWindow.kernels", &kernels))
	if kernels != "relaxed" {
		t.Errorf("the window runs with the kernels %q", kernels)
	}
	b.Ink(t, 7)
	s := b.WaitState(t, "7", 10*time.Second, reads(7))
	t.Logf("7 is %.1f %% sure, the last answer took %.2f ms", 100*s.Sure, s.Think)
	b.Wait(t, `document.getElementById("live").textContent === "The network reads 7"`, 5*time.Second)
	screenshotView(t, b, "window-draw.png")

	b.Key(t, "2")
	b.WaitState(t, "the maps", 10*time.Second, func(s windowState) bool { return s.Scene == "inside" && s.Layers == 6 && reads(7)(s) })
	screenshotView(t, b, "window-inside.png")
	b.Key(t, "t")
	b.WaitState(t, "dark", 5*time.Second, func(s windowState) bool { return s.Theme == "dark" })
	screenshotView(t, b, "window-inside-dark.png")
	b.Key(t, "c")
	b.WaitState(t, "empty", 5*time.Second, func(s windowState) bool { return s.Strokes == 0 && s.Answer == nil })
	b.Wait(t, `document.getElementById("live").textContent === ""`, 5*time.Second)
	b.Quiet(t)
}

// TestWindowKernels: other browsers' kernels answer too.
func TestWindowKernels(t *testing.T) {
	for _, kernels := range []string{"simd128", "generic"} {
		t.Run(kernels, func(t *testing.T) {
			b := Window(t, 900, 700, "?kernels="+kernels)
			if got := b.Text(t, "weftWindow.kernels"); got != kernels {
				t.Errorf("the window runs with the kernels %q", got)
			}
			b.Ink(t, 2)
			b.WaitState(t, "2", 10*time.Second, reads(2))
			b.Quiet(t)
		})
	}
}

// TestWindowFocus: Tab goes through the controls, out to the footer's link and back in; the browser keeps its own keys.
func TestWindowFocus(t *testing.T) {
	b := Window(t, 1000, 760, "")
	where := `document.activeElement.tagName`
	if got := b.Text(t, where); got != "CANVAS" {
		t.Errorf("the focus is on %s at the start", got)
	}
	walk := func(modifiers ...input.Modifier) (seen []string) {
		b.WaitState(t, "without a focus", 3*time.Second, func(s windowState) bool { return s.Focus == "" })
		for range 30 {
			b.Key(t, kb.Tab, modifiers...)
			if b.Text(t, where) != "CANVAS" {
				return seen
			}
			s := b.WaitState(t, "on another control", 3*time.Second, func(s windowState) bool {
				return s.Focus != "" && (len(seen) == 0 || s.Focus != seen[len(seen)-1])
			})
			if !s.Ring {
				t.Errorf("the focus on %s is not to be seen", s.Focus)
			}
			seen = append(seen, s.Focus)
		}
		t.Fatalf("Tab never leaves the window: %q", seen)
		return nil
	}
	seen := walk()
	if got := b.Text(t, where+" + document.activeElement.textContent"); got != "ABack to the page" {
		t.Errorf("behind %q the focus is on %s", seen, got)
	}
	if !slices.Contains(seen, "pad") || !slices.Contains(seen, "clear") || len(seen) < 4 {
		t.Errorf("Tab finds %q", seen)
	}
	b.Key(t, kb.Tab, input.ModifierShift)
	if got := b.Text(t, where); got != "CANVAS" {
		t.Fatalf("Shift+Tab leads from the footer to %s", got)
	}
	again := walk(input.ModifierShift)
	slices.Reverse(again)
	if !slices.Equal(again, seen) {
		t.Errorf("backwards Tab finds %q, forwards %q", again, seen)
	}
	// A digit by keyboard: the pen is down while Space is held.
	b.Do(t, chromedp.Focus("canvas", chromedp.ByQuery))
	at := b.WaitState(t, "without a focus", 3*time.Second, func(s windowState) bool { return s.Focus == "" })
	for at.Focus != "pad" {
		was := at.Focus
		b.Key(t, kb.Tab)
		at = b.WaitState(t, "on another control", 3*time.Second, func(s windowState) bool { return s.Focus != was })
	}
	b.Do(t, input.DispatchKeyEvent(input.KeyDown).WithKey(" ").WithCode("Space").WithWindowsVirtualKeyCode(32), chromedp.Sleep(60*time.Millisecond))
	for range 6 {
		b.Key(t, kb.ArrowDown)
	}
	b.Do(t, input.DispatchKeyEvent(input.KeyUp).WithKey(" ").WithCode("Space").WithWindowsVirtualKeyCode(32))
	b.WaitState(t, "a stroke", 5*time.Second, func(s windowState) bool { return s.Strokes == 1 })
	// The browser's own keys stay the browser's.
	for name, own := range map[string]bool{"{ key: 'l', code: 'KeyL', ctrlKey: true }": true, "{ key: 'F5', code: 'F5' }": true, "{ key: 'l', code: 'KeyL' }": false} {
		script := "document.querySelector('canvas').dispatchEvent(new KeyboardEvent('keydown', { ...(" + name + "), cancelable: true, bubbles: true }))"
		if got := b.Text(t, script); got != fmt.Sprint(own) {
			t.Errorf("%s: left to the browser: %s", name, got)
		}
	}
	// Shift may be held when the focus comes in.
	b.Do(t, chromedp.Focus("footer a", chromedp.ByQuery), input.DispatchKeyEvent(input.KeyDown).WithKey("Shift").WithCode("ShiftLeft").WithWindowsVirtualKeyCode(16).WithModifiers(input.ModifierShift),
		chromedp.Focus("canvas", chromedp.ByQuery), chromedp.KeyEvent(kb.Escape))
	from := b.State(t).Focus
	b.Do(t, chromedp.KeyEvent(kb.Tab, chromedp.KeyModifiers(input.ModifierShift)))
	s := b.WaitState(t, "one control back", 3*time.Second, func(s windowState) bool { return s.Focus != from })
	if i := slices.Index(seen, from); i < 1 || s.Focus != seen[i-1] {
		t.Errorf("Shift+Tab leads from %q to %q; the order is %q", from, s.Focus, seen)
	}
	b.Quiet(t)
}

// TestWindowSlow: where a frame takes a third of a second, ink lies where the pen has been.
func TestWindowSlow(t *testing.T) {
	b := Window(t, 1000, 760, "", addScript(`(() => {
		const ask = requestAnimationFrame.bind(globalThis);
		globalThis.pause = 0;
		globalThis.requestAnimationFrame = (f) => ask((now) => (pause ? setTimeout(() => f(performance.now()), pause) : f(now)));
	})()`))
	b.Do(t, chromedp.Evaluate("pause = 333", nil), chromedp.Sleep(400*time.Millisecond))
	b.Ink(t, 2)
	s := b.WaitState(t, "2", 10*time.Second, reads(2))
	if s.Strokes != 1 {
		t.Errorf("%d strokes", s.Strokes)
	}
	screenshotView(t, b, "window-slow.png")
	b.Quiet(t)
}

// TestWindowTouch draws with a finger on a phone's screen, which does not scroll, in all of its pixels; turned round it fits too.
func TestWindowTouch(t *testing.T) {
	b := Window(t, 500, 900, "", chromedp.EmulateViewport(390, 780, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2)))
	var canvas struct{ Width, Height, View, Tall, Ratio float64 }
	size := `(() => { const c = document.querySelector("canvas"); return { Width: c.width, Height: c.height, View: innerWidth, Tall: c.clientHeight, Ratio: devicePixelRatio }; })()`
	b.Do(t, chromedp.Evaluate(size, &canvas))
	if canvas.Ratio != 2 || canvas.Width != 780 || math.Abs(canvas.Height-2*canvas.Tall) > 2 {
		t.Errorf("%+v: not every pixel of the device is one of the canvas", canvas)
	}
	view := 390.0
	for _, stroke := range onPad(b.State(t), 7, view) {
		at := func(p point) []*input.TouchPoint { return []*input.TouchPoint{{X: p.x, Y: p.y}} }
		b.Do(t, input.DispatchTouchEvent(input.TouchStart, at(stroke[0])), chromedp.Sleep(40*time.Millisecond))
		for _, p := range stroke[1:] {
			b.Do(t, input.DispatchTouchEvent(input.TouchMove, at(p)), chromedp.Sleep(10*time.Millisecond))
		}
		b.Do(t, input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}), chromedp.Sleep(40*time.Millisecond))
	}
	b.WaitState(t, "7", 10*time.Second, reads(7))
	if at := b.Text(t, "scrollX + scrollY + document.scrollingElement.scrollTop"); at != "0" {
		t.Errorf("the page has scrolled by %s", at)
	}
	screenshotView(t, b, "window-phone.png")

	// The system may take a touch away; the pen is up then.
	s := b.State(t)
	middle := []*input.TouchPoint{{X: view / s.Width * (s.Pad.X + s.Pad.W/2), Y: view / s.Width * (s.Pad.Y + s.Pad.H/2)}}
	b.Do(t, input.DispatchTouchEvent(input.TouchStart, middle), chromedp.Sleep(80*time.Millisecond), input.DispatchTouchEvent(input.TouchCancel, []*input.TouchPoint{}), chromedp.Sleep(80*time.Millisecond))
	b.Key(t, "c")
	b.WaitState(t, "cleared", 5*time.Second, func(s windowState) bool { return s.Strokes == 0 })

	b.Do(t, emulation.SetDeviceMetricsOverride(780, 390, 2, true))
	b.WaitState(t, "turned", 5*time.Second, func(s windowState) bool { return s.Width > s.Height })
	b.Do(t, chromedp.Evaluate(size, &canvas))
	if canvas.Width != 1560 || math.Abs(canvas.Height-2*canvas.Tall) > 2 {
		t.Errorf("%+v after turning", canvas)
	}
	screenshotView(t, b, "window-phone-turned.png")
	b.Quiet(t)
}

// watched is a script that measures frames: the times between them, and how long the page's thread was busy in each.
const watched = `(() => {
	const ask = requestAnimationFrame.bind(globalThis);
	globalThis.frameTimes = { between: [], busy: [] };
	globalThis.requestAnimationFrame = (f) => ask((now) => {
		const from = performance.now();
		f(now);
		frameTimes.busy.push(performance.now() - from);
	});
	let last = 0;
	const next = (now) => { if (last) frameTimes.between.push(now - last); last = now; ask(next); };
	ask(next);
})()`

// again forgets the frames so far.
const again = `frameTimes.between = [], frameTimes.busy = []`

// quantiles says how long frames took since [again], in milliseconds.
func quantiles(t *testing.T, b *Browser) string {
	t.Helper()
	var times struct{ Between, Busy []float64 }
	b.Do(t, chromedp.Evaluate("frameTimes", &times))
	of := func(v []float64) string {
		if len(v) == 0 {
			return "none"
		}
		slices.Sort(v)
		return fmt.Sprintf("p50 %.1f ms, p95 %.1f ms, most %.1f ms", v[len(v)/2], v[len(v)*95/100], v[len(v)-1])
	}
	u := b.State(t).Update
	return fmt.Sprintf("%d frames, between them %s; the thread is busy for %s; Update alone, %d frames of the scene: least %.2f ms, p50 %.2f ms, p95 %.2f ms, most %.2f ms",
		len(times.Between), of(times.Between), of(times.Busy), u.Frames, u.Min, u.Median, u.P95, u.Max)
}

// TestWindowTrain trains in the worker: the curves grow and the loss falls, while the window answers; a pause is one; what was
// learned answers.
func TestWindowTrain(t *testing.T) {
	b := Window(t, 1280, 860, "", addScript(watched))
	b.Do(t, chromedp.Evaluate(again, nil), chromedp.Sleep(2*time.Second))
	t.Log("at rest: ", quantiles(t, b))
	b.Do(t, chromedp.Evaluate(again, nil))
	b.Ink(t, 4)
	b.WaitState(t, "4", 10*time.Second, reads(4))
	t.Log("while a digit is drawn: ", quantiles(t, b))
	b.Key(t, "c")
	b.Key(t, "3")
	b.WaitState(t, "in the scene", 5*time.Second, func(s windowState) bool { return s.Scene == "train" })
	b.Key(t, "s")
	first := b.WaitState(t, "running", 60*time.Second, func(s windowState) bool { return s.Training == "running" && s.Points > 3 })
	b.Do(t, chromedp.Evaluate(again, nil))
	later := b.WaitState(t, "further", 60*time.Second, func(s windowState) bool { return s.Step > first.Step+300 })
	t.Log("while it trains: ", quantiles(t, b))
	if !(later.Loss < first.Loss*0.7) || later.Points <= first.Points {
		t.Errorf("the loss goes from %.3f to %.3f in %d steps, %d points", first.Loss, later.Loss, later.Step-first.Step, later.Points)
	}
	screenshotView(t, b, "window-train.png")

	// The pad answers meanwhile.
	b.Key(t, "1")
	b.WaitState(t, "drawing", 5*time.Second, func(s windowState) bool { return s.Scene == "draw" })
	b.Do(t, chromedp.Evaluate(again, nil))
	b.Ink(t, 0)
	s := b.WaitState(t, "0", 10*time.Second, reads(0))
	t.Logf("while it trains and a digit is drawn: %s; the last answer took %.2f ms", quantiles(t, b), s.Think)

	b.Key(t, "p")
	b.WaitState(t, "paused", 20*time.Second, func(s windowState) bool { return s.Training == "paused" })
	s = b.WaitState(t, "answered by what was learned", 10*time.Second, func(s windowState) bool { return s.Trained })
	b.Do(t, chromedp.Sleep(500*time.Millisecond))
	if now := b.State(t); now.Step != s.Step {
		t.Errorf("step %d in a pause at %d", now.Step, s.Step)
	}
	b.WaitState(t, "0, by what was learned", 5*time.Second, reads(0))
	screenshotView(t, b, "window-trained.png")
	b.Key(t, "p")
	b.WaitState(t, "going on", 20*time.Second, func(now windowState) bool { return now.Training == "running" && now.Step > s.Step })
	b.Key(t, "s")
	stopped := b.WaitState(t, "stopped", 20*time.Second, func(s windowState) bool { return s.Training == "stopped" })
	b.Do(t, chromedp.Sleep(300*time.Millisecond))
	if now := b.State(t); now.Step != stopped.Step {
		t.Errorf("step %d after a stop at %d", now.Step, stopped.Step)
	}
	// Another run begins anew.
	b.Key(t, "s")
	b.WaitState(t, "running again", 30*time.Second, func(s windowState) bool { return s.Training == "running" && s.Step > 0 && s.Step < stopped.Step })
	b.Key(t, "s")
	b.WaitState(t, "stopped again", 20*time.Second, func(s windowState) bool { return s.Training == "stopped" })
	b.Quiet(t)
}

// TestWindowWithout: what cannot be had is told.
func TestWindowWithout(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"WebAssembly": {"delete globalThis.WebAssembly", "WebAssembly"},
		"WebGL":       {"HTMLCanvasElement.prototype.getContext = () => null", "WebGL 2"},
	} {
		t.Run(name, func(t *testing.T) {
			address, _ := serve(t)
			if built.windowless != "" {
				require.Missing(t, "browser", built.windowless)
			}
			b := Start(t, 700, 600)
			b.Do(t, addScript(c.script), chromedp.Navigate(address+"window/"))
			b.Wait(t, `document.body.dataset.state === "failed"`, 20*time.Second)
			if text := b.Text(t, `document.querySelector("[role=alert]").textContent`); !strings.Contains(text, c.want) {
				t.Errorf("the page says %q", text)
			}
			screenshotView(t, b, "window-without-"+name+".png")
		})
	}
}
