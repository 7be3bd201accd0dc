package browsertest

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelfiles"
	"github.com/weft-ml/weft/wasm/link"
)

// compileTest compiles the tests of a package for the page and returns the binary.
func compileTest(t *testing.T, pkg string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "test.wasm")
	build := exec.Command("go", "test", "-c", "-o", out, pkg)
	build.Dir = require.Root(t)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// goTest runs a compiled test in a worker of the browser, with a variant of the kernel module on its memory, and returns its
// output and exit code.
func goTest(t *testing.T, b *Browser, wasm []byte, v wasmkernels.Variant, env, args []string) (output string, code int) {
	t.Helper()
	linked, info, err := link.ImportMemory(wasm, v.Shared)
	if err != nil {
		t.Fatal(err)
	}
	kernels, err := kernelfiles.Build(t.Context(), require.Root(t))
	if err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"/wasm_exec.js": filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"),
		"/gotest.js":    filepath.Join("testdata", "gotest.js"),
		"/thread.js":    filepath.Join("testdata", "thread.js"),
		"/kernels.wasm": filepath.Join(kernels, v.File()),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		switch path := r.URL.Path; path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(`<!doctype html><link rel="icon" href="data:,"><title>test</title>`))
		case "/test.wasm":
			w.Header().Set("Content-Type", "application/wasm")
			_, _ = w.Write(linked)
		default:
			if strings.HasSuffix(path, ".wasm") {
				w.Header().Set("Content-Type", "application/wasm")
			}
			http.ServeFile(w, r, files[path])
		}
	}))
	t.Cleanup(server.Close)
	query := url.Values{"shared": {strconv.FormatBool(v.Shared)}, "pages": {strconv.Itoa(int(info.Pages))}, "arg": args, "env": env}
	var result struct {
		Text string
		Code int
	}
	b.Do(t, chromedp.Navigate(server.URL), chromedp.Evaluate(`new Promise((resolve, reject) => {
		let text = "";
		const worker = new Worker("gotest.js?"+`+strconv.Quote(query.Encode())+`);
		worker.onerror = (event) => reject(new Error(event.message));
		worker.onmessage = ({ data }) => {
			if (data.line !== undefined) text += data.line + "\n";
			if (data.code !== undefined) {
				worker.terminate(); // timers of the program may be running
				resolve({ text, code: data.code });
			}
		};
	})`, &result, await))
	return result.Text, result.Code
}

// TestKernelsInBrowser runs the tests of package simd in Chromium: both numeric classes, and on shared memory. WEFT_BENCH names benchmarks
// to run instead; -v shows their figures.
func TestKernelsInBrowser(t *testing.T) {
	require.Tool(t, "browser", "chromium", "chromium-browser", "google-chrome")
	wasm := compileTest(t, "./simd")
	args := []string{"-test.short", "-test.v", "-test.skip=^Fuzz"}
	if bench := os.Getenv("WEFT_BENCH"); bench != "" {
		args = []string{"-test.run=^TestModuleLoaded$", "-test.v", "-test.bench=" + bench, "-test.benchtime=1s"}
	}
	for _, v := range wasmkernels.Variants {
		if !v.Relaxed && !v.Shared {
			continue // what Node runs
		}
		t.Run(v.String(), func(t *testing.T) {
			b := StartFor(t, 800, 600, 15*time.Minute)
			env := []string{"WEFT_KERNELS=" + strings.TrimSuffix(v.String(), "-shared")}
			out, code := goTest(t, b, wasm, v, env, args)
			if code != 0 || !strings.Contains(out, "--- PASS: TestModuleLoaded") {
				t.Errorf("exit code %d\n%s", code, out)
			} else if os.Getenv("WEFT_BENCH") != "" {
				t.Logf("%s", out)
			}
			for _, p := range b.Problems() {
				t.Errorf("console: %s", p)
			}
		})
	}
}

// TestThreadsInBrowser runs step tables in the kernel module, on two threads, in Chromium.
func TestThreadsInBrowser(t *testing.T) {
	require.Tool(t, "browser", "chromium", "chromium-browser", "google-chrome")
	b := StartFor(t, 800, 600, 5*time.Minute)
	out, code := goTest(t, b, compileTest(t, "./core/compile"), wasmkernels.Variant{Relaxed: true, Shared: true},
		[]string{"WEFT_THREADS=2"}, []string{"-test.run=^TestModule", "-test.v"})
	if code != 0 || !strings.Contains(out, "--- PASS: TestModuleThreads") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}
