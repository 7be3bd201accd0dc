package browsertest

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/weft-ml/weft/demo/web/site"
	"github.com/weft-ml/weft/internal/require"
)

// serve builds the page and the server, starts the server on a free port and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out := filepath.Join(dir, "site")
	if err := site.Build(t.Context(), out); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "serve")
	build := exec.Command("go", "build", "-o", bin, "./demo/web/serve")
	build.Dir = require.Root(t)
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	cmd := exec.Command(bin, "-dir", out)
	cmd.Env = append(os.Environ(), "PORT=0", "HOST=127.0.0.1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line := make([]byte, 256)
	n, err := stdout.Read(line)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	address := strings.TrimSpace(string(line[:n]))
	if !strings.HasPrefix(address, "http://localhost:") {
		t.Fatalf("the server printed %q", address)
	}
	return address
}

const wait = `new Promise((resolve, reject) => {
	const look = () => {
		const state = document.body.dataset.state;
		if (state === "done") resolve(true);
		else if (state === "error") reject(new Error(document.getElementById("status").textContent));
		else setTimeout(look, 50);
	};
	look();
})`

// results is what the page shows.
type results struct {
	Kernel, Class, Bits, Note, KernelRate, GoRate, Speedup string
	Rows                                                   int
	Isolated, Scrolls                                      bool
}

const read = `(() => {
	const text = (id) => document.getElementById(id).textContent;
	return {
		Kernel: document.getElementById("kernel-name").dataset.kernel, Class: text("class-note"), Bits: text("bits"), Note: text("bits-note"),
		KernelRate: text("kernel-rate"), GoRate: text("go-rate"), Speedup: text("speedup"), Rows: document.querySelectorAll("#rows tr").length,
		Isolated: crossOriginIsolated, Scrolls: document.documentElement.scrollWidth > document.documentElement.clientWidth,
	};
})()`

// TestPage loads the page as a visitor does: the relaxed kernels run and agree with the Go loops in every bit, and
// the page shows both speeds.
func TestPage(t *testing.T) {
	b := Start(t, 1100, 1000)
	address := serve(t)
	var done bool
	var r results
	b.Do(t, chromedp.Navigate(address), chromedp.Evaluate(wait, &done, await), chromedp.Evaluate(read, &r))
	check := func() {
		t.Helper()
		if r.Kernel != "relaxed" || !strings.HasPrefix(r.Class, "class fma") {
			t.Errorf("kernels %q, %q", r.Kernel, r.Class)
		}
		if equal, all, _ := strings.Cut(r.Bits, " of "); equal != all || equal == "0" || r.Note != "products equal the plain loop in every bit" {
			t.Errorf("bits: %s %s", r.Bits, r.Note)
		}
		for name, text := range map[string]string{"kernel": r.KernelRate, "Go loop": r.GoRate} {
			if v, err := strconv.ParseFloat(text, 64); err != nil || v <= 0 {
				t.Errorf("%s: %q GFLOP/s", name, text)
			}
		}
		if r.Rows != 4 || !r.Isolated || r.Scrolls {
			t.Errorf("%d rows, isolated %v, scrolls sideways %v", r.Rows, r.Isolated, r.Scrolls)
		}
		t.Logf("kernel %s GFLOP/s, Go loop %s GFLOP/s, %s", r.KernelRate, r.GoRate, r.Speedup)
	}
	check()

	// The button measures again.
	b.Do(t, chromedp.Click("#again"), chromedp.Poll(`document.body.dataset.state === "busy"`, nil),
		chromedp.Evaluate(wait, &done, await), chromedp.Evaluate(read, &r))
	check()
	screenshot(t, b, "page-light.png")

	// A phone in dark colours.
	b.Do(t, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile), chromedp.Evaluate(read, &r))
	if r.Scrolls {
		t.Error("the page scrolls sideways on a phone")
	}
	screenshot(t, b, "page-phone-dark.png")
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}

// TestOtherKernels runs what browsers without relaxed SIMD, and without any, run.
func TestOtherKernels(t *testing.T) {
	b := Start(t, 800, 600)
	address := serve(t)
	for _, c := range []struct{ kernels, class, bits string }{
		{"simd128", "class muladd: multiply and add round separately", "products equal the plain loop in every bit"},
		{"none", "this browser has no WebAssembly SIMD", "there are no kernels to compare"},
	} {
		var done bool
		var r results
		b.Do(t, chromedp.Navigate(address+"?kernels="+c.kernels), chromedp.Evaluate(wait, &done, await), chromedp.Evaluate(read, &r))
		if r.Kernel != c.kernels || r.Class != c.class || r.Note != c.bits {
			t.Errorf("kernels %q, %q, bits: %s %s", r.Kernel, r.Class, r.Bits, r.Note)
		}
		if v, err := strconv.ParseFloat(r.GoRate, 64); err != nil || v <= 0 {
			t.Errorf("Go loop: %q GFLOP/s", r.GoRate)
		}
		t.Logf("%s: kernel %s GFLOP/s, Go loop %s GFLOP/s", c.kernels, r.KernelRate, r.GoRate)
	}
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}

// TestPageWithoutWebAssembly: the page says what is missing.
func TestPageWithoutWebAssembly(t *testing.T) {
	b := Start(t, 800, 600)
	address := serve(t)
	var text string
	b.Do(t, addScript("delete globalThis.WebAssembly"), chromedp.Navigate(address),
		chromedp.Poll(`document.body.dataset.state === "error"`, nil), chromedp.Text("#status", &text))
	if !strings.Contains(text, "has no WebAssembly") {
		t.Errorf("the page says %q", text)
	}
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}

// TestAccessibility checks the page's structure as assistive technology sees it.
func TestAccessibility(t *testing.T) {
	b := Start(t, 800, 600)
	address := serve(t)
	var done bool
	var faults []string
	b.Do(t, chromedp.Navigate(address), chromedp.Evaluate(wait, &done, await), chromedp.Evaluate(`(() => {
		const faults = [];
		const need = (ok, what) => { if (!ok) faults.push(what); };
		need(document.documentElement.lang, "no language");
		need(document.title, "no title");
		need(document.querySelectorAll("h1").length === 1, "not one h1");
		need(document.querySelector("main"), "no main");
		need(document.querySelector("#status[role=status]"), "the status is not announced");
		for (const th of document.querySelectorAll("th")) need(th.scope, "table header without scope");
		for (const el of document.querySelectorAll("button")) need(el.textContent.trim(), "button without name");
		const luminance = (c) => {
			const [r, g, b] = c.match(/[\d.]+/g).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
			return 0.2126 * r + 0.7152 * g + 0.0722 * b;
		};
		const ground = (el) => {
			for (; el; el = el.parentElement) {
				const c = getComputedStyle(el).backgroundColor;
				if (c !== "rgba(0, 0, 0, 0)") return c;
			}
			return "rgb(255, 255, 255)";
		};
		for (const el of document.querySelectorAll("h1, h2, p, small, th, td, caption, button")) {
			const [a, b] = [luminance(getComputedStyle(el).color), luminance(ground(el))].sort((x, y) => y - x);
			need((a + 0.05) / (b + 0.05) >= 4.5, "contrast of " + el.tagName + " " + el.textContent.trim().slice(0, 30) + ": " + ((a + 0.05) / (b + 0.05)).toFixed(2));
		}
		return faults;
	})()`, &faults))
	for _, f := range faults {
		t.Error(f)
	}
}
