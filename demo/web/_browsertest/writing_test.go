package browsertest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

const (
	written   = `document.querySelector("#text output").textContent`
	beginning = `document.querySelector("#text textarea")`
)

// begin types the beginning of a text.
func (b *Browser) begin(t *testing.T, text string) {
	t.Helper()
	b.Do(t, chromedp.Evaluate(fmt.Sprintf(`(() => { const e = %s; e.value = %q; e.dispatchEvent(new Event("input")); })()`, beginning, text), nil))
}

// TestWriting has the model that comes along, and then a file, continue a text, and stops it.
func TestWriting(t *testing.T) {
	address, _ := serve(t)
	b := Start(t, 1280, 900)
	b.Open(t, address)
	b.Do(t, chromedp.Evaluate(`document.getElementById("tab-text").click()`, nil))
	b.Wait(t, button("Write"), 10*time.Second)
	b.begin(t, "MENENIUS:\n")
	b.Press(t, "Write")
	b.Wait(t, written+`.length > 200`, 60*time.Second)
	if text := b.Text(t, written); text[:10] != "MENENIUS:\n" {
		t.Errorf("the text does not begin with its beginning: %q", text)
	}
	b.Draw(t, 1) // the pad answers meanwhile
	b.Wait(t, prediction+` !== ""`, 10*time.Second)
	b.Press(t, "Stop writing")
	b.Wait(t, button("Write"), 10*time.Second)
	stopped := b.Text(t, written)
	time.Sleep(300 * time.Millisecond)
	if now := b.Text(t, written); now != stopped {
		t.Errorf("%d characters came after the stop", len(now)-len(stopped))
	}
	screenshot(t, b, "writing.png")

	// A whole run, whose speed is told.
	b.Press(t, "Write")
	b.Wait(t, written+`.length === 1010 && `+button("Write"), 60*time.Second)
	t.Log(b.Text(t, `document.querySelector("#text [role=status]").textContent`))

	// What the model has never seen is said.
	b.begin(t, "Grüße")
	b.Press(t, "Write")
	b.Wait(t, `document.querySelector("#text [role=alert]")?.textContent.includes("ü")`, 10*time.Second)
	t.Log(b.Text(t, `document.querySelector("#text [role=alert]").textContent`))

	// A file takes over; a broken one does not.
	file, err := os.ReadFile(filepath.Join("..", "..", "..", "models", "chargpt", "weights", "tinyshakespeare.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"mine.onnx": file, "short.onnx": file[:len(file)/3]} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	title := `document.querySelector("#text h2").textContent`
	b.Do(t, chromedp.SetUploadFiles(`#text input[type=file]`, []string{filepath.Join(dir, "mine.onnx")}, chromedp.ByQuery))
	b.Wait(t, title+` === "mine.onnx"`, 10*time.Second)
	b.Do(t, chromedp.SetUploadFiles(`#text input[type=file]`, []string{filepath.Join(dir, "short.onnx")}, chromedp.ByQuery))
	b.Wait(t, `document.getElementById("notice").textContent.startsWith("short.onnx: ")`, 10*time.Second)
	b.begin(t, "ROMEO:")
	b.Press(t, "Write")
	b.Wait(t, written+`.length > 100`, 30*time.Second)
	if got := b.Text(t, title); got != "mine.onnx" {
		t.Errorf("%q writes", got)
	}
	b.Quiet(t)
}
