package jspkg_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	browsertest "github.com/weft-ml/weft/demo/web/browsertest"
	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/js/build"
)

var packed struct {
	once sync.Once
	dir  string // with node_modules/@weft-ml/weft
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if packed.dir != "" {
		os.RemoveAll(packed.dir)
	}
	os.Exit(code)
}

// installed builds the package, packs it and installs it into an empty folder, once for all tests; it returns the folder.
func installed(t *testing.T) string {
	t.Helper()
	require.Tool(t, "node", "node")
	require.Tool(t, "node", "npm")
	packed.once.Do(func() { packed.dir, packed.err = install(require.Root(t)) })
	if packed.err != nil {
		t.Fatal(packed.err)
	}
	return packed.dir
}

func install(root string) (string, error) {
	ctx := context.Background()
	if err := build.Package(ctx, build.Options{Types: true, Wasm: true}); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "weft-package-")
	if err != nil {
		return "", err
	}
	tgz, err := command(dir, "npm", "pack", "--silent", "--pack-destination", dir, filepath.Join(root, "js"))
	if err != nil {
		return dir, err
	}
	if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name":"empty","private":true,"type":"module"}`), 0o644); err != nil {
		return dir, err
	}
	_, err = command(dir, "npm", "install", "--offline", "--no-audit", "--no-fund", "--foreground-scripts", "./"+strings.TrimSpace(tgz))
	return dir, err
}

// command runs a program and returns what it prints; a failure holds that too.
func command(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), &failure{name + " " + strings.Join(args, " "), string(out), err}
	}
	return string(out), nil
}

type failure struct {
	what, out string
	err       error
}

func (f *failure) Error() string { return f.what + ": " + f.err.Error() + "\n" + f.out }

// snippet returns the first JavaScript example of the README.
func snippet(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(require.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "```js\n")
	code, _, end := strings.Cut(rest, "\n```")
	if !ok || !end {
		t.Fatal("README.md has no js block")
	}
	return code + "\n"
}

// said is what the README's example prints.
const said = "test accuracy over 90 %: true"

// policy is the Content-Security-Policy that the package has to live with.
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; object-src 'none'; base-uri 'none'"

// serve serves folders below paths, as a plain static server does: right types, that policy, no isolation. It returns the address.
func serve(t *testing.T, mounts map[string]string) string {
	t.Helper()
	mux := http.NewServeMux()
	for path, dir := range mounts {
		mux.Handle(path, http.StripPrefix(strings.TrimSuffix(path, "/"), http.FileServerFS(os.DirFS(dir))))
	}
	types := map[string]string{".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html; charset=utf-8"}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if kind, ok := types[filepath.Ext(r.URL.Path)]; ok {
			w.Header().Set("Content-Type", kind)
		}
		if r.URL.Path == "/favicon.ico" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		mux.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}

// write makes a folder with files.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// await makes Evaluate wait for a promise.
func await(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// site serves the installed package below /weft/ and the test programs at /.
func site(t *testing.T) string {
	t.Helper()
	dist := filepath.Join(installed(t), "node_modules", "@weft-ml", "weft", "dist")
	return serve(t, map[string]string{"/": "testdata", "/weft/": dist})
}

// limit is how long a browser may run; the machine may be busy.
const limit = 8 * time.Minute

// call opens the page and runs a function of a test program in it; the result is decoded into out.
func call(t *testing.T, b *browsertest.Browser, program, function string, out any, args ...any) {
	t.Helper()
	list, err := json.Marshal(append([]any{}, args...))
	if err != nil {
		t.Fatal(err)
	}
	script := `import("/` + program + `").then(async (m) => JSON.stringify(await m.` + function + `(...` + string(list) + `)))`
	var text string
	b.Do(t, chromedp.Evaluate(script, &text, await))
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%s: %v\n%s", function, err, text)
	}
}

// quiet fails for what the console says.
func quiet(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	for _, p := range b.Problems() {
		t.Errorf("console: %s", p)
	}
}
