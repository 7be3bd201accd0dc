package jspkg_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	browsertest "github.com/weft-ml/weft/demo/web/browsertest"
	"github.com/weft-ml/weft/internal/require"
)

// open starts a browser on an empty page of the site.
func open(t *testing.T, address string) *browsertest.Browser {
	t.Helper()
	b := browsertest.StartFor(t, 800, 600, limit)
	b.Do(t, chromedp.Navigate(address+"/empty.html"))
	return b
}

type report struct {
	Kernels, Numerics string
	Threads           int
	Worker, Isolated  bool
	Reasons           []string
	Product           [][]float64
}

// TestReport: the best kernels run in Chromium, and the report says why nothing better does.
func TestReport(t *testing.T) {
	b := open(t, site(t))
	for _, c := range []struct {
		options           map[string]any
		kernels, numerics string
		worker            bool
		reason            string
	}{
		{map[string]any{}, "relaxed", "fma", true, "one thread: the page is not cross-origin isolated"},
		{map[string]any{"worker": false}, "relaxed", "fma", false, ""},
		{map[string]any{"kernels": "simd128"}, "simd128", "muladd", true, ""},
		{map[string]any{"kernels": "generic"}, "generic", "muladd", true, ""},
		{map[string]any{"threads": 2}, "relaxed", "fma", true, "one thread: the page is not cross-origin isolated"},
		{map[string]any{"set": "full"}, "relaxed", "fma", true, ""},
	} {
		var r report
		call(t, b, "programs.js", "report", &r, c.options)
		if r.Kernels != c.kernels || r.Numerics != c.numerics || r.Worker != c.worker || r.Threads != 1 || r.Isolated || fmt.Sprint(r.Product) != "[[7 10] [15 22]]" {
			t.Errorf("%v: %+v", c.options, r)
		}
		if c.reason != "" && !slices.ContainsFunc(r.Reasons, func(s string) bool { return strings.HasPrefix(s, c.reason) }) {
			t.Errorf("%v: reasons %q", c.options, r.Reasons)
		}
	}
	quiet(t, b)
}

// TestFlat: memory does not grow while a model is trained, and the page's thread stays free.
func TestFlat(t *testing.T) {
	b := open(t, site(t))
	var r struct {
		At []struct {
			Step, Tensors, Handles int
			GoHeap, WasmBytes      float64
		}
		Steps     int
		LongTasks []int
	}
	call(t, b, "programs.js", "flat", &r)
	if len(r.At) != 2 {
		t.Fatalf("%+v", r)
	}
	first, last := r.At[0], r.At[1]
	for _, at := range r.At {
		t.Logf("step %d: wasm memory %.0f KB, Go heap %.0f KB, %d handles, %d tensors", at.Step, at.WasmBytes/1024, at.GoHeap/1024, at.Handles, at.Tensors)
	}
	t.Logf("long tasks of the page's thread: %v", r.LongTasks)
	if r.Steps < 10_000 || first.Step != 1000 || last.Step != 10_000 {
		t.Errorf("%d steps, looked at %d and %d", r.Steps, first.Step, last.Step)
	}
	if first.WasmBytes != last.WasmBytes || first.Handles != last.Handles || first.Tensors != last.Tensors || math.Abs(last.GoHeap/first.GoHeap-1) > 0.05 {
		t.Errorf("memory grows: %+v, then %+v", first, last)
	}
	if len(r.LongTasks) > 0 {
		t.Errorf("tasks over 50 ms: %v", r.LongTasks)
	}
	quiet(t, b)
}

// TestSameCurve: the page's fit has the losses of the command line's, bit for bit.
func TestSameCurve(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(require.Root(t), "models", "lenet", "testdata", "curve.json"))
	if err != nil {
		t.Fatal(err)
	}
	curve := map[string][]float32{}
	if err := json.Unmarshal(b, &curve); err != nil {
		t.Fatal(err)
	}
	var r struct {
		Numerics string
		Losses   []float32
	}
	page := open(t, site(t))
	call(t, page, "programs.js", "curve", &r)
	if r.Numerics != "fma" || !slices.Equal(r.Losses, curve["fma"]) {
		t.Errorf("class %s: losses %v, want %v", r.Numerics, r.Losses, curve["fma"])
	}
	quiet(t, page)
}

// TestPredictWhileTraining: predictions get in between the steps, and change as the model learns.
func TestPredictWhileTraining(t *testing.T) {
	b := open(t, site(t))
	var r struct {
		Predictions, Different int
		Median                 float64
		LongTasks              []int
		Loss                   []float64
	}
	for range 3 { // on a busy machine a task is long because others run
		call(t, b, "programs.js", "interleaved", &r)
		t.Logf("%d predictions, median wait %.1f ms, long tasks of the page's thread: %v", r.Predictions, r.Median, r.LongTasks)
		if len(r.LongTasks) == 0 {
			break
		}
	}
	if r.Predictions < 3 || r.Different < 2 || len(r.Loss) != 1 || len(r.LongTasks) > 0 {
		t.Errorf("%+v", r)
	}
	quiet(t, b)
}

// mistakes are what bad input is answered with: the code, and words that name the thing.
var mistakes = map[string][]string{
	"shapes":         {"shape: ", "MatMul", "[2 3]", "[4 5]"},
	"late shapes":    {"shape: ", "MatMul", "[2 3]", "[4 5]"},
	"operator":       {"unsupported: ", "Nonsense"},
	"sample":         {"shape: ", "785", "[28, 28, 1]"},
	"samples":        {"shape: ", "64", "63"},
	"label":          {"label: ", "10", "7"},
	"negative label": {"label: ", "-1", "7"},
	"nan":            {"nan: "},
	"no labels":      {"argument: ", "labels"},
	"layer":          {"argument: ", "units"},
	"kind":           {"shape: ", "conv2d"},
	"loss":           {"argument: ", "nonsense"},
	"optimizer":      {"argument: ", "nonsense"},
	"empty file":     {"format: ", "empty"},
	"corrupt file":   {"format: "},
	"cut file":       {"format: "},
	"corrupt idx":    {"format: "},
	"corrupt gzip":   {"format: ", "gzip"},
	"disposed":       {"disposed: "},
	"disposed model": {"disposed: "},
	"abort":          {"RangeError: enough"},
	"aborted":        {"RangeError: before"},
	"callback":       {"RangeError: mine"},
	"option":         {"argument: ", "threads"},
	"base":           {"/nowhere/"},
	"alive":          {"1,10"},
	"closed":         {"closed: "},
	"again":          {"1"},
}

// TestMistakes: bad input gets an error with a code and the thing's name, and the runtime lives on.
func TestMistakes(t *testing.T) {
	b := open(t, site(t))
	for _, worker := range []bool{true, false} {
		r := map[string]string{}
		call(t, b, "programs.js", "mistakes", &r, map[string]any{"worker": worker})
		for name, words := range mistakes {
			for _, word := range words {
				if !strings.Contains(r[name], word) {
					t.Errorf("worker %v: %s: %q does not say %q", worker, name, r[name], word)
				}
			}
			if strings.Contains(r[name], "broken") {
				t.Errorf("worker %v: %s: %s", worker, name, r[name])
			}
		}
	}
}

func TestBudget(t *testing.T) {
	b := open(t, site(t))
	r := map[string]string{}
	call(t, b, "programs.js", "budget", &r)
	if !strings.HasPrefix(r["tensor"], "memory: ") || !strings.HasPrefix(r["model"], "memory: ") || r["alive"] != "4" {
		t.Errorf("%q", r)
	}
	quiet(t, b)
}

func TestKilledWorker(t *testing.T) {
	b := open(t, site(t))
	r := map[string]string{}
	call(t, b, "programs.js", "killed", &r)
	if !strings.HasPrefix(r["fit"], "worker: ") || !strings.Contains(r["fit"], "init()") || !strings.HasPrefix(r["later"], "worker: ") || r["again"] != "9" {
		t.Errorf("%q", r)
	}
}

// TestCheckpoint: a training whose page is left in the middle goes on where it was, and ends with the bits of one that was not.
func TestCheckpoint(t *testing.T) {
	type result struct {
		Begun, Kept int
		Losses      [][2]float64
		Digest      string
	}
	address := site(t)
	b := open(t, address)
	var whole result
	call(t, b, "programs.js", "checkpointed", &whole, map[string]any{"epochs": 2})
	for _, files := range []bool{true, false} {
		name := fmt.Sprintf("test-%v", files)
		var first, second result
		call(t, b, "programs.js", "checkpointed", &first, map[string]any{"name": name, "epochs": 2, "stopAt": 20, "files": files})
		b.Do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address+"/empty.html"))
		call(t, b, "programs.js", "checkpointed", &second, map[string]any{"name": name, "epochs": 2, "resume": true, "files": files})
		if first.Kept < 20 || second.Begun < first.Kept || second.Begun >= 60 || second.Digest != whole.Digest || whole.Digest == "" {
			t.Errorf("files %v: kept at %d, begun at %d; %s, whole %s", files, first.Kept, second.Begun, second.Digest, whole.Digest)
		}
		for _, l := range second.Losses {
			if i := int(l[0]) - 1; i >= len(whole.Losses) || whole.Losses[i] != l {
				t.Fatalf("files %v: step %v has loss %v", files, l[0], l[1])
			}
		}
		b.Do(t, chromedp.Navigate(address+"/empty.html"))
	}
	quiet(t, b)
}

func TestTwoTabsOnOneCheckpoint(t *testing.T) {
	b := open(t, site(t))
	var r struct {
		Second, Save, Free string
		Listed, Gone       bool
		Size               int
	}
	call(t, b, "programs.js", "contended", &r, "shared name")
	if !strings.HasPrefix(r.Second, "storage: ") || !strings.Contains(r.Second, "shared name") || !strings.HasPrefix(r.Save, "storage: ") || r.Free != "none" || !r.Listed || r.Size != 3 || !r.Gone {
		t.Errorf("%+v", r)
	}
	quiet(t, b)
}

// TestIsolate: one line isolates the page, where the server sends no headers, and then there are threads.
func TestIsolate(t *testing.T) {
	dist := filepath.Join(installed(t), "node_modules", "@weft-ml", "weft", "dist")
	files := map[string]string{}
	for from, names := range map[string][]string{"testdata": {"isolate.html", "isolate.js", "programs.js"}, dist: {"isolate-worker.js"}} {
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(from, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(text)
		}
	}
	address := serve(t, map[string]string{"/": write(t, files), "/weft/": dist})
	b := browsertest.StartFor(t, 800, 600, limit)
	b.Do(t, chromedp.Navigate(address+"/isolate.html"))
	var title string
	for range 100 { // the page reloads itself meanwhile, which ends what is evaluated in it
		if err := chromedp.Run(b.Context(), chromedp.Title(&title)); err == nil && title == "isolated" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if title != "isolated" {
		t.Fatalf("isolate() answered %q", title)
	}
	var r report
	call(t, b, "programs.js", "report", &r, map[string]any{"threads": 2})
	if !r.Isolated || r.Kernels != "relaxed" || fmt.Sprint(r.Product) != "[[7 10] [15 22]]" {
		t.Errorf("%+v", r)
	}
	t.Logf("threads %d %q", r.Threads, r.Reasons)
	if r.Threads != 2 {
		t.Errorf("%d threads", r.Threads)
	}
	for _, p := range b.Problems() {
		if !strings.Contains(p, "favicon.ico") { // the reload ends the browser's own request for it
			t.Errorf("console: %s", p)
		}
	}
}

func TestPictures(t *testing.T) {
	b := open(t, site(t))
	var r struct {
		Canvas, Image, Bitmap struct {
			Shape []int
			Sum   float64
		}
		Scaled []int
	}
	call(t, b, "programs.js", "pictures", &r)
	for _, p := range []struct {
		Shape []int
		Sum   float64
	}{r.Canvas, r.Image, r.Bitmap} {
		if fmt.Sprint(p.Shape) != "[2 4 3]" || p.Sum != 4*255 {
			t.Errorf("%+v", r)
		}
	}
	if fmt.Sprint(r.Scaled) != "[28 28 1]" {
		t.Errorf("scaled to %v", r.Scaled)
	}
	quiet(t, b)
}

// TestDigitsElement draws a one with the pointer into the element, which reads it with a program file, and with an ONNX model.
func TestDigitsElement(t *testing.T) {
	address := site(t)
	b := browsertest.StartFor(t, 800, 600, limit)
	for _, page := range []string{"digits.html", "digits-onnx.html"} {
		t.Run(page, func(t *testing.T) { drawOne(t, b, address+"/"+page) })
	}
	quiet(t, b)
}

func drawOne(t *testing.T, b *browsertest.Browser, page string) {
	var digit string
	b.Do(t, chromedp.Navigate(page), chromedp.Poll(`document.body.dataset.ready`, nil, chromedp.WithPollingTimeout(0)))
	var box struct{ X, Y, Width, Height float64 }
	b.Do(t, chromedp.Evaluate(`document.querySelector("weft-digits").shadowRoot.querySelector("[aria-label='Drawing pad']").getBoundingClientRect().toJSON()`, &box))
	at := func(x, y float64) (float64, float64) { return box.X + x*box.Width, box.Y + y*box.Height }
	b.Do(t, chromedp.ActionFunc(func(ctx context.Context) error {
		x, y := at(0.5, 0.15)
		if err := chromedp.MouseEvent("mousePressed", x, y, chromedp.ButtonLeft).Do(ctx); err != nil {
			return err
		}
		for i := range 15 {
			x, y = at(0.5, 0.15+float64(i)*0.05)
			if err := chromedp.MouseEvent("mouseMoved", x, y, chromedp.ButtonLeft).Do(ctx); err != nil {
				return err
			}
		}
		return chromedp.MouseEvent("mouseReleased", x, y, chromedp.ButtonLeft).Do(ctx)
	}), chromedp.Poll(`document.querySelector("weft-digits").shadowRoot.querySelector("[aria-label='Prediction']").textContent`, &digit, chromedp.WithPollingTimeout(0)),
		chromedp.Sleep(500*time.Millisecond),
		chromedp.Evaluate(`document.querySelector("weft-digits").shadowRoot.querySelector("[aria-label='Prediction']").textContent`, &digit))
	if digit != "1" {
		t.Errorf("a stroke from top to bottom is read as %q", digit)
	}
	var after string
	b.Do(t, chromedp.Evaluate(`(() => { const r = document.querySelector("weft-digits").shadowRoot; r.querySelector("button").click(); })()`, nil),
		chromedp.Sleep(300*time.Millisecond),
		chromedp.Evaluate(`document.querySelector("weft-digits").shadowRoot.querySelector("output").textContent`, &after))
	if after != "" {
		t.Errorf("after Clear the prediction is %q", after)
	}
}
