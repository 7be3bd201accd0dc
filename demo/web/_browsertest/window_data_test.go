package browsertest

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/weft-ml/weft/internal/require"
)

// Focus goes to a control of the window by Tab.
func (b *Browser) Focus(t *testing.T, control string) {
	t.Helper()
	for range 20 {
		if b.State(t).Focus == control {
			return
		}
		b.Key(t, kb.Tab)
	}
	t.Fatalf("Tab does not find %s", control)
}

// Choose has a key open the browser's dialog for files, and chooses some there.
func (b *Browser) Choose(t *testing.T, key string, paths ...string) {
	t.Helper()
	opened := make(chan *page.EventFileChooserOpened, 1)
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*page.EventFileChooserOpened); ok {
			opened <- e
		}
	})
	b.Do(t, page.SetInterceptFileChooserDialog(true))
	b.Key(t, key)
	select {
	case e := <-opened:
		if e.Mode != page.FileChooserOpenedModeSelectMultiple {
			t.Errorf("the dialog takes %s", e.Mode)
		}
		b.Do(t, dom.SetFileInputFiles(paths).WithBackendNodeID(e.BackendNodeID))
	case <-time.After(10 * time.Second):
		t.Fatalf("%s opens no dialog", key)
	}
}

// drop is a script that drops files on the window: a name and a number of zero bytes each, or what the page has under files.
const drop = `(async (list) => {
	const data = new DataTransfer();
	for (const [name, content] of list) data.items.add(new File([typeof content === "number" ? new Uint8Array(content) : content], name));
	document.querySelector("canvas").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
})`

// TestWindowGiven: files that cannot be trained on are told of by name, place and what was expected; the built-in digits stay. Small files
// of MNIST's kind train.
func TestWindowGiven(t *testing.T) {
	b := Window(t, 1280, 860, "")
	pair := `(() => {
		const head = (kind, ...dims) => [0, 0, 8, kind, ...dims.flatMap((d) => [d >> 24, d >> 16, d >> 8, d])];
		globalThis.images = (n, size = 28) => new Uint8Array([...head(3, n, size, size), ...new Array(n * size * size).fill(7)]);
		globalThis.labels = (n) => new Uint8Array([...head(1, n), ...Array.from({ length: n }, (_, i) => i % 10)]);
	})()`
	b.Do(t, chromedp.Evaluate(pair, nil))
	for _, c := range []struct{ files, want string }{
		{`["notes.txt", 5]`, "notes.txt: no MNIST files"},
		{`["train-images-idx3-ubyte", 100], ["train-labels-idx1-ubyte", labels(3)], ["t10k-images-idx3-ubyte", images(3)], ["t10k-labels-idx1-ubyte", labels(3)]`,
			"train-images-idx3-ubyte: offset 0: not an IDX file: it starts with 00 00 00 00, expected 00 00, an element type"},
		{`["train-images-idx3-ubyte", images(3)], ["train-labels-idx1-ubyte", labels(3)]`, "there is no file with the test images among train-images-idx3-ubyte, train-labels-idx1-ubyte"},
		{`["train-images-idx3-ubyte", images(3)], ["train-labels-idx1-ubyte", labels(4)], ["t10k-images-idx3-ubyte", images(3)], ["t10k-labels-idx1-ubyte", labels(3)]`,
			"train-labels-idx1-ubyte: offset 4: there are 4 labels for the 3 images of train-images-idx3-ubyte"},
		{`["train-images-idx3-ubyte", images(3).slice(0, 1000)], ["train-labels-idx1-ubyte", labels(3)], ["t10k-images-idx3-ubyte", images(3)], ["t10k-labels-idx1-ubyte", labels(3)]`,
			"train-images-idx3-ubyte: offset 1000: the file ends here, expected 2352 bytes of elements from offset 16"},
		{`["train-images-idx3-ubyte", images(3)], ["train-labels-idx1-ubyte", labels(3)], ["t10k-images-idx3-ubyte", images(3, 20)], ["t10k-labels-idx1-ubyte", labels(3)]`,
			"t10k-images-idx3-ubyte: images of 20 × 20"},
		{`["train-images-idx3-ubyte.gz", new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3])], ["train-labels-idx1-ubyte", labels(3)], ["t10k-images-idx3-ubyte", images(3)], ["t10k-labels-idx1-ubyte", labels(3)]`,
			"train-images-idx3-ubyte.gz: the gzip file is damaged or ends too early"},
	} {
		b.Do(t, chromedp.Evaluate(drop+"(["+c.files+"])", nil, await))
		s := b.WaitState(t, "told of "+c.want, 30*time.Second, func(s windowState) bool { return strings.Contains(s.Notice, c.want) })
		if s.Data != "Built in" || strings.HasPrefix(s.Notice, "weft") {
			t.Errorf("data %q, notice %q", s.Data, s.Notice)
		}
	}
	screenshotView(t, b, "window-wrong-files.png")

	// Dropped on another scene, files of the right kind lead to the training.
	b.Key(t, "1")
	b.Do(t, chromedp.Evaluate(drop+`([["train-images-idx3-ubyte", images(320)], ["train-labels-idx1-ubyte", labels(320)], ["t10k-images-idx3-ubyte", images(40)], ["t10k-labels-idx1-ubyte", labels(40)]])`, nil, await))
	b.WaitState(t, "at the files", 30*time.Second, func(s windowState) bool {
		return s.Scene == "train" && s.Data == "Your files" && strings.Contains(s.Notice, "320 training and 40 test images")
	})
	b.Key(t, "s")
	b.WaitState(t, "done", 60*time.Second, func(s windowState) bool { return s.Training == "done" && s.Tests == 5 && s.Steps == 50 })
	// Back to the built-in digits.
	b.Focus(t, "data")
	b.Key(t, kb.ArrowLeft)
	b.WaitState(t, "at the built-in digits", 5*time.Second, func(s windowState) bool { return s.Data == "Built in" })
	b.Key(t, "s")
	b.WaitState(t, "training on them", 60*time.Second, func(s windowState) bool { return s.Training == "running" && s.Steps == 9375 && s.Step > 10 })
	b.Key(t, "s")
	b.Quiet(t)
}

// TestWindowMNIST chooses MNIST's own files by keyboard and trains an epoch on them in the worker.
func TestWindowMNIST(t *testing.T) {
	dir := require.Data(t, "mnist")
	var paths []string
	for _, name := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"} {
		paths = append(paths, filepath.Join(dir, name+".gz"))
		if _, err := os.Stat(paths[len(paths)-1]); err != nil {
			t.Fatal(err)
		}
	}
	b := Window(t, 1280, 860, "")
	b.Choose(t, "o", paths...)
	b.WaitState(t, "at MNIST", 60*time.Second, func(s windowState) bool {
		return s.Scene == "train" && s.Data == "Your files" && strings.Contains(s.Notice, "60,000 training and 10,000 test images")
	})
	screenshotView(t, b, "window-mnist.png")
	b.Focus(t, "epochs")
	for range 3 {
		b.Key(t, kb.ArrowLeft)
	}
	b.Focus(t, "batch")
	b.Key(t, kb.ArrowRight)
	b.Key(t, "s")
	s := b.WaitState(t, "done", 150*time.Second, func(s windowState) bool { return s.Training == "done" })
	if s.Tests != 1 || s.Accuracy < 0.96 || s.Steps != 938 {
		t.Errorf("%d tests, accuracy %v, %d steps", s.Tests, s.Accuracy, s.Steps)
	}
	t.Logf("%.2f %% of MNIST's test images after one epoch", 100*s.Accuracy)
	screenshotView(t, b, "window-mnist-done.png")
	b.Key(t, "1")
	b.Ink(t, 7)
	b.WaitState(t, "7, by what was learned", 10*time.Second, func(s windowState) bool { return s.Trained && reads(7)(s) })
	b.Quiet(t)
}

// TestWindowRatio: after a zoom, and on a screen of other pixels, the canvas has one pixel for each of the device, and the mouse draws
// where it is.
func TestWindowRatio(t *testing.T) {
	b := Window(t, 1000, 700, "")
	for _, ratio := range []float64{1.5, 2, 1.25, 1} {
		b.Do(t, emulation.SetDeviceMetricsOverride(901, 653, ratio, false))
		var size struct{ Width, Height, Across, Tall, Ratio float64 }
		script := `(() => { const c = document.querySelector("canvas"), r = c.getBoundingClientRect(); return { Width: c.width, Height: c.height, Across: r.width, Tall: r.height, Ratio: devicePixelRatio }; })()`
		fits := func() bool {
			b.Do(t, chromedp.Evaluate(script, &size))
			return size.Ratio == ratio && math.Abs(size.Width-ratio*size.Across) < 1 && math.Abs(size.Height-ratio*size.Tall) < 1
		}
		s := b.WaitState(t, "of another size", 5*time.Second, func(s windowState) bool {
			return fits() && math.Abs(s.Width*s.Scale-size.Width) < 0.01 && math.Abs(s.Height*s.Scale-size.Height) < 0.01
		})
		b.Key(t, "c")
		b.WaitState(t, "empty", 5*time.Second, func(s windowState) bool { return s.Strokes == 0 })
		b.Ink(t, 2)
		b.WaitState(t, fmt.Sprintf("2 at %v", ratio), 10*time.Second, reads(2))
		t.Logf("%v: %+v, %v pixels a unit", ratio, size, s.Scale)
		screenshotView(t, b, fmt.Sprintf("window-ratio-%v.png", ratio))
	}
	b.Quiet(t)
}

// TestWindowOffline: who only visits the page keeps nothing of the window; once it was opened, it works without a server, training included.
func TestWindowOffline(t *testing.T) {
	address, stop := serve(t)
	if built.windowless != "" {
		require.Missing(t, "browser", built.windowless)
	}
	b := StartFor(t, 1100, 760, 4*time.Minute, chromedp.Flag("disable-gpu", false), chromedp.Flag("use-gl", "angle"), chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true))
	kept := func(pattern string) (n int) {
		b.Do(t, chromedp.Evaluate(`(async () => {
			let n = 0;
			for (const key of await caches.keys()) for (const r of await (await caches.open(key)).keys()) if (/`+pattern+`/.test(r.url)) n++;
			return n;
		})()`, &n, await))
		return n
	}
	wait := func(what, pattern string) {
		t.Helper()
		for end := time.Now().Add(40 * time.Second); kept(pattern) == 0; time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the service worker does not keep %s", what)
			}
		}
	}
	b.Open(t, address)
	wait("the runtime", `weft(-shared)?\.[0-9a-f]+\.wasm`)
	if n := kept("window"); n != 0 {
		t.Errorf("%d of the window's files are kept for those who never open it", n)
	}
	open := func() {
		t.Helper()
		b.Do(t, chromedp.Navigate(address+"window/"))
		b.Wait(t, `document.body.dataset.state === "running"`, time.Minute)
	}
	open()
	for _, pattern := range []string{`window\/$`, `window\.[0-9A-Za-z]+\.js`, `window\.[0-9A-Za-z]+\.css`, `window\.[0-9a-f]+\.wasm`, `kernels-relaxed\.`} {
		wait(pattern, pattern)
	}
	stop()
	open()
	b.Ink(t, 2)
	b.WaitState(t, "2", 10*time.Second, reads(2))
	b.Key(t, "3")
	b.Key(t, "s")
	b.WaitState(t, "training", 60*time.Second, func(s windowState) bool { return s.Training == "running" && s.Step > 5 })
	b.Key(t, "s")
	b.WaitState(t, "stopped", 20*time.Second, func(s windowState) bool { return s.Training == "stopped" })
}
