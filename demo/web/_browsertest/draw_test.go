package browsertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestDraw draws digits as a visitor does and reads the answer; what the network sees and does is shown too.
func TestDraw(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	for digit := range strokes {
		b.Press(t, "Clear")
		b.Wait(t, prediction+` === ""`, 5*time.Second)
		b.Draw(t, digit)
		b.WaitFor(t, digit)
	}
	if text := b.Text(t, `document.getElementById("status").textContent`); !strings.HasPrefix(text, "relaxed SIMD · ") {
		t.Errorf("status %q", text)
	} else {
		t.Log(text)
	}
	// The maps of every layer have something in them.
	var layers []struct {
		Name string
		Maps int
		Ink  bool
	}
	b.Wait(t, `document.querySelectorAll(".layer").length >= 6`, 5*time.Second)
	b.Do(t, chromedp.Evaluate(`[...document.querySelectorAll(".layer")].map((l) => {
		const all = [...l.querySelectorAll("canvas")];
		const ink = all.some((c) => new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, c.width, c.height).data.buffer)).size > 1);
		return { Name: l.querySelector("h3").textContent, Maps: all.length, Ink: ink };
	})`, &layers))
	want := []string{"Convolution6 × 24 × 24", "Max pooling6 × 12 × 12", "Convolution16 × 8 × 8", "Max pooling16 × 4 × 4", "Dense120", "Dense10"}
	for i, l := range layers {
		if i >= len(want) || l.Name != want[i] || !l.Ink {
			t.Errorf("layer %d: %+v", i, l)
		}
	}
	if len(layers) != len(want) {
		t.Errorf("%d layers", len(layers))
	}
	var pictures []int
	b.Do(t, chromedp.Evaluate(`[...document.querySelectorAll(".eyes canvas")].map((c) => new Set(new Uint32Array(c.getContext("2d").getImageData(0, 0, 28, 28).data.buffer)).size)`, &pictures))
	for i, colours := range pictures {
		if colours < 10 {
			t.Errorf("picture %d has %d colours", i, colours)
		}
	}
	screenshot(t, b, "draw.png")
	b.Quiet(t)
}

// TestTouch draws with a finger.
func TestTouch(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1000, 900)
	b.Do(t, chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	b.Open(t, address)
	var box struct{ X, Y, Width, Height float64 }
	b.Do(t, chromedp.Evaluate(`document.getElementById("pad").getBoundingClientRect().toJSON()`, &box))
	for _, stroke := range strokes[7] {
		at := func(p point) []*input.TouchPoint {
			return []*input.TouchPoint{{X: box.X + p.x*box.Width, Y: box.Y + p.y*box.Height}}
		}
		b.Do(t, input.DispatchTouchEvent(input.TouchStart, at(stroke[0])))
		for _, p := range stroke[1:] {
			b.Do(t, input.DispatchTouchEvent(input.TouchMove, at(p)))
		}
		b.Do(t, input.DispatchTouchEvent(input.TouchEnd, []*input.TouchPoint{}))
	}
	b.WaitFor(t, 7)
	if y := b.Text(t, "scrollY"); y != "0" {
		t.Errorf("drawing scrolled the page to %s", y)
	}
	b.Quiet(t)
}

// TestKeyboard draws a one with arrow keys and space, and goes through the page without a mouse.
func TestKeyboard(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	b.Do(t, chromedp.Focus("#pad"), chromedp.KeyEvent(kb.Escape))
	b.Wait(t, prediction+` === ""`, 5*time.Second)
	for range 9 {
		b.Do(t, chromedp.KeyEvent(kb.ArrowUp))
	}
	key := func(kind input.KeyType) chromedp.Action {
		return input.DispatchKeyEvent(kind).WithKey(" ").WithCode("Space").WithWindowsVirtualKeyCode(32)
	}
	b.Do(t, key(input.KeyDown))
	for range 18 {
		b.Do(t, chromedp.KeyEvent(kb.ArrowDown))
	}
	b.Do(t, key(input.KeyUp))
	b.WaitFor(t, 1)
	screenshot(t, b, "keyboard.png")

	// Every control is reached by Tab, and where the focus is can be seen.
	seen := map[string]bool{}
	for range 60 {
		var at struct {
			Name    string
			Outline float64
		}
		b.Do(t, chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => {
			const e = document.activeElement, s = getComputedStyle(e);
			return { Name: e === document.body ? "" : (e.ariaLabel ?? e.textContent.trim()), Outline: s.outlineStyle === "none" ? 0 : parseFloat(s.outlineWidth) };
		})()`, &at))
		if at.Name == "" {
			continue
		}
		seen[at.Name] = true
		if at.Outline < 2 {
			t.Errorf("the focus on %q is not seen", at.Name)
		}
	}
	for _, name := range []string{"Drawing pad", "Clear", "Train", "Download model", "Load model", "Inside"} {
		if !seen[name] {
			t.Errorf("Tab does not reach %q; it reaches %v", name, seen)
		}
	}
	// The tabs are one stop; arrows go through them.
	b.Do(t, chromedp.Focus("#tab-inside"), chromedp.KeyEvent(kb.ArrowRight))
	b.Wait(t, `!document.getElementById("training").hidden && document.activeElement.id === "tab-training"`, 5*time.Second)
	b.Quiet(t)
}

// TestOtherKernels runs what browsers without relaxed SIMD, and without any, run.
func TestOtherKernels(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1000, 700)
	for _, kernels := range []string{"simd128", "generic"} {
		b.Open(t, address+"?kernels="+kernels)
		b.Draw(t, 2)
		b.WaitFor(t, 2)
		if got := b.Text(t, `document.getElementById("status").dataset.kernels`); got != kernels {
			t.Errorf("kernels %q, want %q", got, kernels)
		}
	}
	b.Quiet(t)
}

// TestWithoutWebAssembly: the page says what is missing.
func TestWithoutWebAssembly(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 800, 600)
	b.Do(t, addScript("delete globalThis.WebAssembly"), chromedp.Navigate(address))
	b.Wait(t, `document.body.dataset.state === "error"`, 10*time.Second)
	if text := b.Text(t, `document.getElementById("notice").textContent`); !strings.Contains(text, "has no WebAssembly") {
		t.Errorf("the page says %q", text)
	}
	b.Quiet(t)
}

// TestStart measures how long the first answer takes and what is fetched for it.
func TestStart(t *testing.T) {
	address, _ := serve(t)
	measure := func(b *Browser, name string) {
		b.Open(t, address)
		var m struct {
			First float64
			Bytes float64
			Files []string
		}
		b.Do(t, chromedp.Evaluate(`(() => {
			const first = performance.getEntriesByName("first-prediction")[0].startTime;
			const before = performance.getEntriesByType("resource").filter((e) => e.startTime < first);
			return { First: first, Bytes: before.reduce((n, e) => n + e.encodedBodySize, 0) + performance.getEntriesByType("navigation")[0].encodedBodySize, Files: before.map((e) => e.name.split("/").pop() + " " + e.encodedBodySize) };
		})()`, &m))
		t.Logf("%s: first prediction %.0f ms after navigation; the page's own thread fetched %.0f bytes: %s", name, m.First, m.Bytes, strings.Join(m.Files, ", "))
		if m.First > 5000 {
			t.Errorf("%s: %.0f ms to the first prediction", name, m.First)
		}
	}
	for i := range 3 {
		b := Start(t, 1280, 900) // a profile of its own: nothing is kept
		measure(b, fmt.Sprintf("cold %d", i+1))
		b.Wait(t, `navigator.serviceWorker.controller`, 10*time.Second)
		measure(b, fmt.Sprintf("warm %d", i+1))
		b.Quiet(t)
	}
}
