package browsertest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/weft-ml/weft/internal/require"
)

// Browser is a tab of a headless browser with a profile of its own.
type Browser struct {
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// Start starts a browser: the one that CHROME names, or the first on PATH. It ends with the test, or after two minutes.
func Start(t *testing.T, width, height int) *Browser {
	t.Helper()
	return StartFor(t, width, height, 2*time.Minute)
}

// StartFor is [Start] with another limit of time, and with more of the browser's options.
func StartFor(t *testing.T, width, height int, limit time.Duration, more ...chromedp.ExecAllocatorOption) *Browser {
	t.Helper()
	path := os.Getenv("CHROME")
	if path == "" {
		path = require.Tool(t, "browser", "chromium", "chromium-browser", "google-chrome")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(profile(t)),
		chromedp.WindowSize(width, height),
		chromedp.NoSandbox, // the tests run as root in containers
		chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
	)
	options = append(options, more...)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, limit)
	t.Cleanup(cancel)
	b := &Browser{ctx: ctx}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("%s does not start: %v", path, err)
	}
	return b
}

// profile makes a folder for a browser's profile. Processes of the browser go on writing for a moment after it has ended, which
// t.TempDir takes for a failure.
func profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weft-browser-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 50 {
			if err = os.RemoveAll(dir); err == nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Logf("the browser's profile stays behind: %v", err)
	})
	return dir
}

// listen keeps what the page reports as going wrong.
func (b *Browser) listen(event any) {
	var text string
	switch e := event.(type) {
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.LevelError || e.Entry.Level == cdplog.LevelWarning {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning || e.Type == runtime.APITypeAssert {
			for _, arg := range e.Args {
				text += string(arg.Value) + arg.Description + " "
			}
		}
	}
	if text = strings.TrimSpace(text); text != "" {
		b.mu.Lock()
		b.problems = append(b.problems, text)
		b.mu.Unlock()
	}
}

// Problems returns the errors and warnings of the console so far.
func (b *Browser) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.problems...)
}

// Context is the tab's, for what Do does not do.
func (b *Browser) Context() context.Context { return b.ctx }

// Do runs actions and fails the test with what the page shows if one fails.
func (b *Browser) Do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		var text string
		_ = chromedp.Run(b.ctx, chromedp.Evaluate(`document.body?.innerText ?? ""`, &text))
		t.Fatalf("%v\nconsole: %q\nthe page shows:\n%s", err, b.Problems(), text)
	}
}
