package browsertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What a visitor does, by the accessible names that the page promises.

// point is a place on the pad, 0 to 1 each way.
type point struct{ x, y float64 }

// strokes of digits as a quick hand draws them; other forms than the page's own examples.
var strokes = map[int][][]point{
	0: {{{.5, .2}, {.36, .28}, {.3, .45}, {.32, .65}, {.42, .8}, {.56, .8}, {.67, .66}, {.7, .45}, {.64, .27}, {.5, .2}}},
	1: {{{.5, .18}, {.5, .35}, {.49, .55}, {.48, .82}}},
	2: {{{.32, .35}, {.4, .22}, {.55, .2}, {.65, .3}, {.6, .48}, {.45, .65}, {.32, .8}, {.5, .79}, {.7, .78}}},
	4: {{{.36, .2}, {.33, .35}, {.3, .52}, {.48, .52}, {.68, .5}}, {{.62, .22}, {.6, .45}, {.58, .82}}},
	7: {{{.3, .22}, {.5, .21}, {.7, .2}, {.6, .42}, {.5, .62}, {.44, .82}}},
}

// Open loads the page and waits for the first answer.
func (b *Browser) Open(t *testing.T, address string) {
	t.Helper()
	b.Do(t, chromedp.Navigate(address))
	b.Wait(t, `document.body.dataset.state === "ready"`, 20*time.Second)
}

// Wait waits until the expression holds.
func (b *Browser) Wait(t *testing.T, expression string, limit time.Duration) {
	t.Helper()
	end := time.Now().Add(limit)
	for {
		var ok bool
		b.Do(t, chromedp.Evaluate("!!("+expression+")", &ok))
		if ok {
			return
		}
		if time.Now().After(end) {
			b.Do(t, chromedp.ActionFunc(func(context.Context) error { return fmt.Errorf("after %v not yet: %s", limit, expression) }))
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// Text returns what an expression gives as text.
func (b *Browser) Text(t *testing.T, expression string) string {
	t.Helper()
	var text string
	b.Do(t, chromedp.Evaluate("String("+expression+")", &text))
	return text
}

// button is an expression for the visible, enabled button of an accessible name.
func button(name string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("button")].find((b) => (b.ariaLabel ?? b.textContent.trim()) === %q && b.checkVisibility() && !b.disabled)`, name)
}

// Press presses a button once it is there.
func (b *Browser) Press(t *testing.T, name string) {
	t.Helper()
	b.Wait(t, button(name), 10*time.Second)
	b.Do(t, chromedp.Evaluate(button(name)+".click()", nil))
}

// Draw draws a digit with the mouse on the canvas that is called Drawing pad.
func (b *Browser) Draw(t *testing.T, digit int) {
	t.Helper()
	b.drawOn(t, `canvas[aria-label="Drawing pad"]`, digit)
}

// drawOn draws a digit with the mouse on the element that a selector finds.
func (b *Browser) drawOn(t *testing.T, selector string, digit int) {
	t.Helper()
	var box struct{ X, Y, Width, Height float64 }
	b.Do(t, chromedp.Evaluate(fmt.Sprintf(`(() => { const c = document.querySelector(%q); c.scrollIntoView({ block: "center" }); return c.getBoundingClientRect().toJSON(); })()`, selector), &box))
	mouse := func(kind input.MouseType, p point) chromedp.Action {
		return input.DispatchMouseEvent(kind, box.X+p.x*box.Width, box.Y+p.y*box.Height).WithButton(input.Left).WithButtons(1).WithClickCount(1)
	}
	for _, stroke := range strokes[digit] {
		b.Do(t, mouse(input.MousePressed, stroke[0]))
		for i := 1; i < len(stroke); i++ {
			for k := 1; k <= 4; k++ {
				f := float64(k) / 4
				a, z := stroke[i-1], stroke[i]
				b.Do(t, mouse(input.MouseMoved, point{a.x + f*(z.x-a.x), a.y + f*(z.y-a.y)}))
			}
		}
		b.Do(t, mouse(input.MouseReleased, stroke[len(stroke)-1]))
	}
}

// prediction is an expression for the text of the output that is called Prediction.
const prediction = `document.querySelector('output[aria-label="Prediction"]').textContent`

// WaitFor waits until the page predicts the digit.
func (b *Browser) WaitFor(t *testing.T, digit int) {
	t.Helper()
	b.Wait(t, fmt.Sprintf("%s === %q", prediction, fmt.Sprint(digit)), 10*time.Second)
}

// Quiet fails the test when the console has shown a warning or an error.
func (b *Browser) Quiet(t *testing.T) {
	t.Helper()
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}
