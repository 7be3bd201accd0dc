package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// await makes Evaluate wait for a promise.
func await(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// addScript runs a script in every document before its own scripts.
func addScript(source string) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(source).Do(ctx)
		return err
	})
}

// screenshot writes a picture of the whole page into the folder that WEFT_SCREENSHOTS names.
func screenshot(t *testing.T, b *Browser, name string) {
	t.Helper()
	shoot(t, b, name, func(png *[]byte) chromedp.Action { return chromedp.FullScreenshot(png, 100) })
}

// screenshotView writes one of what is to be seen without scrolling.
func screenshotView(t *testing.T, b *Browser, name string) {
	t.Helper()
	shoot(t, b, name, func(png *[]byte) chromedp.Action { return chromedp.CaptureScreenshot(png) })
}

func shoot(t *testing.T, b *Browser, name string, action func(*[]byte) chromedp.Action) {
	t.Helper()
	dir := os.Getenv("WEFT_SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	b.Do(t, action(&png))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
