package browsertest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// accuracy is an expression for the number of the test accuracy that the training shows, in percent.
const accuracy = `(parseFloat([...document.querySelectorAll(".tile")].find((e) => e.textContent.includes("Test accuracy"))?.querySelector("dd").textContent) || 0)`

// number returns a number that the page shows.
func (b *Browser) number(t *testing.T, expression string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(b.Text(t, expression), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTrain trains on the built-in digits: the accuracy rises, pause, resume and stop do what they say, the pad answers meanwhile.
func TestTrain(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	b.Do(t, chromedp.Evaluate(`(() => {
		window.longest = 0;
		new PerformanceObserver((list) => { for (const e of list.getEntries()) window.longest = Math.max(window.longest, e.duration); }).observe({ type: "longtask" });
	})()`, nil))
	b.Press(t, "Train")
	b.Wait(t, button("Pause"), 30*time.Second)
	b.Wait(t, accuracy+" > 0", 60*time.Second)
	first := b.number(t, accuracy)
	b.Draw(t, 1) // while it learns
	b.Wait(t, prediction+` !== ""`, 10*time.Second)
	b.Wait(t, accuracy+" > 80", 90*time.Second)
	screenshot(t, b, "training.png")

	step := `parseInt(document.querySelector(".tiles").textContent.match(/step ([\d,]+) of/)[1].replaceAll(",", ""))`
	b.Press(t, "Pause")
	b.Wait(t, button("Resume"), 10*time.Second)
	at := -1.0
	for range 20 { // steps that were on their way still come
		time.Sleep(600 * time.Millisecond)
		now := b.number(t, step)
		if now == at {
			break
		}
		at = now
	}
	time.Sleep(700 * time.Millisecond)
	if now := b.number(t, step); now != at {
		t.Errorf("paused at step %v, now at %v", at, now)
	}
	b.Press(t, "Clear")
	b.Draw(t, 0)
	b.Wait(t, prediction+` !== ""`, 10*time.Second) // it answers while it pauses
	b.Press(t, "Resume")
	b.Wait(t, fmt.Sprintf("%s > %v", step, at), 20*time.Second)
	b.Press(t, "Stop")
	b.Wait(t, button("Train"), 20*time.Second)
	b.Wait(t, `document.getElementById("progress-text").textContent.startsWith("Stopped at step")`, 20*time.Second)
	b.Wait(t, `document.querySelectorAll(".confusion tbody tr").length === 10`, 20*time.Second)
	last := b.number(t, accuracy)
	if last < first+30 || last < 80 {
		t.Errorf("test accuracy went from %v %% to %v %%", first, last)
	}
	b.Press(t, "Clear")
	b.Draw(t, 1)
	b.WaitFor(t, 1)
	if n := b.number(t, `document.querySelectorAll(".thumbs li canvas").length`); n < 1 {
		t.Error("no misread digits are shown")
	}
	t.Logf("accuracy %v %% to %v %%; %s; longest task of the page's thread %s ms", first, last, b.Text(t, `document.querySelector(".tiles").innerText.replaceAll("\n", " ")`), b.Text(t, "Math.round(window.longest)"))
	b.Quiet(t)
}

// TestModelFiles downloads the model that answers, loads it again, and gives the page files that are no models.
func TestModelFiles(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	dir := t.TempDir()
	b.Do(t, browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir).WithEventsEnabled(false))
	b.Open(t, address)
	b.Press(t, "Download model")
	path := filepath.Join(dir, "lenet.onnx")
	var file []byte
	for range 100 {
		var err error
		if file, err = os.ReadFile(path); err == nil && len(file) > 100_000 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(file) < 100_000 {
		t.Fatalf("no model was downloaded: %d bytes", len(file))
	}

	b.Do(t, chromedp.SetUploadFiles(`#model input[type=file]`, []string{path}, chromedp.ByQuery))
	b.Wait(t, `document.getElementById("model-name").textContent === "lenet.onnx"`, 10*time.Second)
	b.Press(t, "Clear")
	b.Draw(t, 4)
	b.WaitFor(t, 4)

	notice := `document.getElementById("notice").textContent`
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"short.onnx":              {file[:len(file)/2], "short.onnx: "},
		"noise.onnx":              {bytes.Repeat([]byte{0xff, 0x13, 0x80}, 4000), "noise.onnx: "},
		"empty.onnx":              {nil, "empty.onnx: "},
		"notes.txt":               {[]byte("hello"), "notes.txt: This is no model"},
		"train-images-idx3-ubyte": {[]byte("no images"), "train-images-idx3-ubyte: "},
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		b.Do(t, chromedp.SetUploadFiles(`#model input[type=file]`, []string{p}, chromedp.ByQuery))
		b.Wait(t, fmt.Sprintf(`!document.getElementById("notice").hidden && %s.startsWith(%q)`, notice, c.want), 10*time.Second)
		t.Log(b.Text(t, notice))
	}
	b.WaitFor(t, 4) // the model that worked still does

	// Dropped files are taken as well.
	b.Do(t, chromedp.Evaluate(`(() => {
		const data = new DataTransfer();
		data.items.add(new File([new Uint8Array(50)], "dropped.onnx"));
		document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
	})()`, nil))
	b.Wait(t, notice+`.startsWith("dropped.onnx: ")`, 10*time.Second)
	b.Press(t, "Back to the original LeNet")
	b.Wait(t, `document.getElementById("model-name").textContent === "LeNet"`, 10*time.Second)
	b.WaitFor(t, 4)
	b.Quiet(t)
}

// idx writes small files like MNIST's: each class is a bar at a place of its own.
func idx(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	write := func(name string, content []byte, zip bool) {
		if zip {
			var z bytes.Buffer
			w := gzip.NewWriter(&z)
			_, _ = w.Write(content)
			_ = w.Close()
			content, name = z.Bytes(), name+".gz"
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	for _, c := range []struct {
		name string
		n    int
		zip  bool
	}{{"train", 640, true}, {"t10k", 100, false}} {
		images := binary.BigEndian.AppendUint32(nil, 2051)
		for _, v := range []int{c.n, 28, 28} {
			images = binary.BigEndian.AppendUint32(images, uint32(v))
		}
		labels := binary.BigEndian.AppendUint32(nil, 2049)
		labels = binary.BigEndian.AppendUint32(labels, uint32(c.n))
		for i := range c.n {
			picture := make([]byte, 784)
			for k := range 28 * 3 {
				picture[(k/28+4+2*(i%10))*28+k%28] = byte(200 + i%50)
			}
			images = append(images, picture...)
			labels = append(labels, byte(i%10))
		}
		write(c.name+"-images-idx3-ubyte", images, c.zip)
		write(c.name+"-labels-idx1-ubyte", labels, c.zip)
	}
	return paths
}

// TestMNIST brings MNIST's four files and trains on them.
func TestMNIST(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address+"#training")
	b.Wait(t, button("Choose MNIST files"), 10*time.Second)
	b.Do(t, chromedp.SetUploadFiles(`input[aria-label="MNIST files"]`, idx(t, t.TempDir()), chromedp.ByQuery))
	b.Wait(t, `document.getElementById("notice").textContent.startsWith("640 training and 100 test images are here")`, 10*time.Second)
	b.Press(t, "Train")
	b.Wait(t, `document.getElementById("progress-text")?.textContent.startsWith("Done")`, 60*time.Second)
	if a := b.number(t, accuracy); a < 90 {
		t.Errorf("test accuracy %v %%", a)
	}
	b.Quiet(t)
}

// TestTeach teaches the network a sign of the visitor's own: a cross is a five.
func TestTeach(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	b.Press(t, "Clear")
	strokes[-1] = [][]point{{{.25, .25}, {.5, .5}, {.75, .75}}, {{.75, .25}, {.5, .5}, {.25, .75}}, {{.2, .85}, {.5, .85}, {.8, .85}}}
	defer delete(strokes, -1)
	b.Draw(t, -1)
	b.Wait(t, prediction+` !== ""`, 10*time.Second)
	name := b.Text(t, `[...document.querySelectorAll("button")].find((b) => b.ariaLabel?.startsWith("This is a 5")).ariaLabel`)
	b.Press(t, name)
	b.Wait(t, `/^(Learned|It still)/.test(document.getElementById("teach").textContent)`, 20*time.Second)
	t.Log(b.Text(t, `document.getElementById("teach").textContent`))
	b.WaitFor(t, 5)
	b.Press(t, "Clear")
	b.Draw(t, 7)
	b.WaitFor(t, 7) // it has not forgotten the rest
	b.Do(t, chromedp.Click("#tab-training"))
	b.Wait(t, button("Remove your 5"), 10*time.Second)
	b.Quiet(t)
}

// TestEditor changes the network without code, sees what does not fit, and trains the new one.
func TestEditor(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 1000)
	b.Open(t, address+"#network")
	total := `document.querySelector("#network .row .hint")?.textContent`
	b.Wait(t, total+`?.includes("34,622")`, 10*time.Second)
	screenshot(t, b, "network.png")
	set := func(label, value string) {
		t.Helper()
		b.Do(t, chromedp.Evaluate(fmt.Sprintf(`(() => { const e = document.querySelector('[aria-label="%s"]'); e.value = %q; e.dispatchEvent(new Event("change")); })()`, label, value), nil))
	}
	set("filters of Convolution, layer 1", "4")
	b.Wait(t, total+`?.includes("33,770")`, 10*time.Second)
	set("kernel of Convolution, layer 3", "15")
	b.Wait(t, `document.querySelector(".problem")?.textContent.length > 10`, 10*time.Second)
	t.Log(b.Text(t, `document.querySelector(".problem").textContent`))
	screenshot(t, b, "network-error.png")
	set("kernel of Convolution, layer 3", "3")
	b.Wait(t, `!document.querySelector(".problem")`, 10*time.Second)
	b.Press(t, "Remove: Flatten, layer 5")
	b.Wait(t, `document.querySelector(".problem")?.textContent.includes("Flatten")`, 10*time.Second)
	b.Do(t, chromedp.Evaluate(`(() => { const e = document.querySelector('select[aria-label="Add a layer"]'); e.value = "flatten"; e.dispatchEvent(new Event("change")); })()`, nil))
	b.Press(t, "Move up: Flatten, layer 6")
	b.Wait(t, `!document.querySelector(".problem")`, 10*time.Second)
	b.Do(t, chromedp.Evaluate(`(() => { for (const l of document.querySelectorAll(".settings .grid label")) if (l.textContent.includes("Digits per epoch")) { const e = l.querySelector("input"); e.value = "640"; e.dispatchEvent(new Event("change")); } })()`, nil))
	b.Press(t, "Train")
	b.Wait(t, `document.getElementById("progress-text")?.textContent.startsWith("Done")`, 60*time.Second)
	if name := b.Text(t, `document.getElementById("model-name").textContent`); name != "Your network" {
		t.Errorf("the model is called %q", name)
	}
	if n := b.Text(t, `document.querySelector("#model .hint").textContent`); strings.HasPrefix(n, "34,622") {
		t.Errorf("%s", n)
	}
	b.Quiet(t)
}

// TestLostWorker ends the worker by force while it trains: the page says so, goes on answering and can train again.
func TestLostWorker(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Do(t, addScript(`{ const W = Worker; window.workers = []; window.Worker = class extends W { constructor(...a) { super(...a); workers.push(this); } }; }`))
	b.Open(t, address)
	b.Press(t, "Train")
	b.Wait(t, button("Pause"), 30*time.Second)
	b.Do(t, chromedp.Evaluate(`workers.forEach((w) => w.terminate())`, nil))
	b.Wait(t, `document.getElementById("notice").textContent.includes("started again")`, 30*time.Second)
	b.Press(t, "Clear")
	b.Draw(t, 7)
	b.WaitFor(t, 7)
	b.Press(t, "Train")
	b.Wait(t, accuracy+" > 20", 60*time.Second)
	b.Press(t, "Stop")
	b.Quiet(t)
}
