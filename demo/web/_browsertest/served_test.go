package browsertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/models/lenet/weights"
	server "github.com/weft-ml/weft/native/serve"
)

// served is "weft serve" with LeNet in this process, at one address, which a test can take away and give back.
type served struct {
	handler *server.Server
	address string
	refuse  atomic.Bool // questions are answered with 503
	http    *http.Server
}

func startServed(t *testing.T, names ...string) *served {
	t.Helper()
	s := &served{handler: server.New(server.Options{}), address: "127.0.0.1:0"}
	for _, name := range names {
		if _, err := s.handler.Load(name, weights.MNIST, server.LoadOptions{Operators: op.Core}); err != nil {
			t.Fatal(err)
		}
	}
	s.open(t)
	t.Cleanup(func() {
		s.http.Close()
		s.handler.Close(context.Background())
	})
	return s
}

// open listens, at the address of the last time.
func (s *served) open(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	s.http = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.refuse.Load() && r.Method == http.MethodPost {
			w.Header().Set("Retry-After", "1")
			http.Error(w, `{"error": "as asked"}`, http.StatusServiceUnavailable)
			return
		}
		s.handler.ServeHTTP(w, r)
	})}
	go s.http.Serve(l)
}

// The parts of the served page, by what the page promises to those who do not see it.
const (
	paper  = `canvas[role="application"][aria-label^="Paper for one digit."]`
	spoken = `document.querySelector('[role="status"]').textContent`
)

// hears waits until the page says that the drawing is a digit.
func (b *Browser) hears(t *testing.T, digit int) {
	t.Helper()
	b.Wait(t, fmt.Sprintf(`%s.startsWith("This is a %d, at ") && document.getElementById("digit").textContent === "%d"`, spoken, digit, digit), 10*time.Second)
}

// TestServedPage draws on the page of "weft serve" with mouse and keyboard, and takes its server away.
func TestServedPage(t *testing.T) {
	s := startServed(t, "lenet")
	b := Start(t, 1000, 900)
	b.Do(t, chromedp.Navigate("http://"+s.address+"/"))
	b.Wait(t, `document.querySelector('`+paper+`')?.checkVisibility()`, 10*time.Second)
	if text := b.Text(t, `document.querySelector("h1").textContent`); text != "Weft serves lenet" {
		t.Errorf("the page's name is %q", text)
	}
	if b.Text(t, `document.querySelector("select").checkVisibility()`) != "false" {
		t.Error("there is a choice of models where there is one")
	}
	for digit := range strokes {
		b.Press(t, "Clear")
		b.Wait(t, spoken+` === "Draw a digit."`, 5*time.Second)
		b.drawOn(t, paper, digit)
		b.hears(t, digit)
		if best := b.Text(t, `[...document.querySelectorAll('ol[aria-label="Probabilities of the digits"] li')].map((li) => li.className).indexOf("best")`); best != fmt.Sprint(digit) {
			t.Errorf("the bar of %s is marked, not that of %d", best, digit)
		}
	}
	screenshot(t, b, "served.png")

	// By keyboard alone: Tab comes to the paper, and away from it.
	b.Do(t, chromedp.Reload())
	b.Wait(t, `document.querySelector('`+paper+`')?.checkVisibility()`, 10*time.Second)
	b.Do(t, chromedp.KeyEvent(kb.Tab))
	if b.Text(t, `document.activeElement === document.querySelector('`+paper+`')`) != "true" {
		t.Error("Tab does not come to the paper")
	}
	for range 9 {
		b.Do(t, chromedp.KeyEvent(kb.ArrowUp))
	}
	b.Do(t, chromedp.KeyEvent(" "))
	for range 18 {
		b.Do(t, chromedp.KeyEvent(kb.ArrowDown))
	}
	b.Do(t, chromedp.KeyEvent(" "))
	b.hears(t, 1)
	b.Do(t, chromedp.KeyEvent(kb.Delete))
	b.Wait(t, spoken+` === "Draw a digit."`, 5*time.Second)
	b.Do(t, chromedp.KeyEvent(kb.Tab))
	if name := b.Text(t, `document.activeElement.textContent`); name != "Clear" {
		t.Errorf("behind the paper Tab comes to %q", name)
	}
	b.Quiet(t)

	// A server that is busy is asked again; one that has gone is missed, and asked again with the next line.
	s.refuse.Store(true)
	b.drawOn(t, paper, 7)
	b.Wait(t, spoken+` === "The server is busy; asking again."`, 5*time.Second)
	s.refuse.Store(false)
	b.hears(t, 7)
	s.http.Close()
	b.drawOn(t, paper, 4)
	b.Wait(t, spoken+`.startsWith("No answer from the server: ")`, 10*time.Second)
	screenshot(t, b, "served-gone.png")
	if digit := b.Text(t, `document.getElementById("digit").textContent`); digit != "" {
		t.Errorf("an answer to the picture before, %q, is shown beside it", digit)
	}
	s.open(t)
	b.Press(t, "Clear")
	b.drawOn(t, paper, 2)
	b.hears(t, 2)
}

// TestServedModels: where several models read digits one is chosen, and the page says how each is asked.
func TestServedModels(t *testing.T) {
	s := startServed(t, "one", "two")
	b := Start(t, 400, 800)
	b.Do(t, chromedp.Navigate("http://"+s.address+"/"))
	b.Wait(t, `document.querySelector("select").checkVisibility()`, 10*time.Second)
	b.drawOn(t, paper, 0)
	b.hears(t, 0)
	if names := b.Text(t, `[...document.querySelectorAll("h3")].map((h) => h.textContent).join()`); names != "A picture of a digit,one,two" {
		t.Errorf("examples of %s", names)
	}
	b.Do(t, chromedp.Evaluate(`(() => { const s = document.querySelector("select"); s.value = "two"; s.dispatchEvent(new Event("change")); })()`, nil))
	b.hears(t, 0)
	if wide := b.Text(t, `document.documentElement.scrollWidth <= innerWidth`); wide != "true" {
		t.Error("the page is wider than the window")
	}
	b.Quiet(t)
}
