package jspkg_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	browsertest "github.com/weft-ml/weft/demo/web/browsertest"
	"github.com/weft-ml/weft/internal/require"
	"github.com/weft-ml/weft/js/build"
)

// TestPackage: what is packed, and what is not.
func TestPackage(t *testing.T) {
	dir := filepath.Join(installed(t), "node_modules", "@weft-ml", "weft")
	b, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	var pkg struct {
		Version      string
		Scripts      map[string]string
		Dependencies map[string]string
	}
	if err := json.Unmarshal(b, &pkg); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"preinstall", "install", "postinstall", "prepare"} {
		if pkg.Scripts[name] != "" {
			t.Errorf("the package has a script %s", name)
		}
	}
	if len(pkg.Dependencies) > 0 {
		t.Errorf("the package depends on %v", pkg.Dependencies)
	}
	for _, name := range []string{"README.md", "LICENSE", "dist/index.js", "dist/index.d.ts", "dist/node.js", "dist/worker.js", "dist/digits.js", "dist/isolate-worker.js",
		"dist/weft.wasm", "dist/weft-shared.wasm", "dist/weft-full.wasm", "dist/kernels-relaxed.wasm", "dist/kernels-simd128.wasm"} {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"src", "test", "node_modules", "build"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("the package holds %s", name)
		}
	}
	version, err := command(installed(t), "node", "--input-type=module", "-e", `import { VERSION } from "@weft-ml/weft"; console.log(VERSION)`)
	if err != nil || strings.TrimSpace(version) != pkg.Version {
		t.Errorf("the code says version %q, package.json %q: %v", version, pkg.Version, err)
	}
}

// TestTypes: a strict TypeScript program that uses the package compiles, and a wrong one does not.
func TestTypes(t *testing.T) {
	dir := installed(t)
	tsc := filepath.Join(require.Root(t), "js", "node_modules", "typescript", "bin", "tsc")
	for name, ok := range map[string]bool{"right.ts": true, "wrong.ts": false} {
		source, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o644); err != nil {
			t.Fatal(err)
		}
		config := `{"compilerOptions":{"noEmit":true,"strict":true,"skipLibCheck":false,"types":[],"target":"es2022","module":"esnext","moduleResolution":"bundler",
			"lib":["es2023","esnext.disposable","dom","dom.iterable","dom.asynciterable"]},"files":["` + name + `"]}`
		if err := os.WriteFile(filepath.Join(dir, "tsconfig.json"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := command(dir, "node", tsc, "-p", ".")
		if ok && err != nil {
			t.Error(err)
		}
		if !ok && (err == nil || strings.Count(out, "error TS") != strings.Count(string(source), "// wrong")) {
			t.Errorf("%s:\n%s", name, out)
		}
	}
}

// TestReadmeInNode runs the README's example as it stands there, in the folder that the package was installed into.
func TestReadmeInNode(t *testing.T) {
	dir := installed(t)
	if err := os.WriteFile(filepath.Join(dir, "readme.mjs"), []byte(snippet(t)), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := command(dir, "node", "readme.mjs")
	if err != nil || strings.TrimSpace(out) != said {
		t.Errorf("the README's example prints %q: %v", out, err)
	}
}

// TestImportTouchesNothing: a server that renders pages may import the package, also under the names of browsers.
func TestImportTouchesNothing(t *testing.T) {
	dir := installed(t)
	for _, condition := range []string{"node", "browser", "workerd"} {
		for _, name := range []string{"@weft-ml/weft", "@weft-ml/weft/digits"} {
			out, err := command(dir, "node", "--conditions="+condition, "--input-type=module", "-e", `
				for (const name of ["window", "document", "self", "navigator", "location", "Worker"])
					Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error(name + " was touched"); } });
				const before = Object.getOwnPropertyNames(globalThis).join();
				await import("`+name+`");
				if (Object.getOwnPropertyNames(globalThis).join() !== before) throw new Error("the global object was changed");
				console.log("imported");`)
			if err != nil || strings.TrimSpace(out) != "imported" {
				t.Errorf("%s as %s: %q %v", name, condition, out, err)
			}
		}
	}
}

// show makes a program put what it prints into the page.
const show = `const print = (text) => { document.querySelector("output").append(text); };
addEventListener("error", (e) => print(e.message));
addEventListener("unhandledrejection", (e) => print(String(e.reason)));
console.log = print;
`

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>t</title><output></output><script type="module" src="./show.js"></script><script type="module" src="./main.js"></script></html>`

// trains opens a page with the README's example in it.
func trains(t *testing.T, address string) {
	t.Helper()
	b := browsertest.StartFor(t, 800, 600, limit)
	var text string
	b.Do(t, chromedp.Navigate(address), chromedp.Poll(`document.querySelector("output").textContent`, &text, chromedp.WithPollingTimeout(0)))
	if text != said {
		t.Errorf("the page says %q", text)
	}
	quiet(t, b)
}

// TestReadmeInPlainPage: the README's example as a module of a page, on a server without special headers; only the package's
// name has become its path.
func TestReadmeInPlainPage(t *testing.T) {
	dist := filepath.Join(installed(t), "node_modules", "@weft-ml", "weft", "dist")
	code := strings.Replace(snippet(t), `"@weft-ml/weft"`, `"/weft/index.js"`, 1)
	dir := write(t, map[string]string{"index.html": page, "main.js": code, "show.js": show})
	trains(t, serve(t, map[string]string{"/": dir, "/weft/": dist}))
}

// TestReadmeWithVite: the README's example as it stands there, bundled.
func TestReadmeWithVite(t *testing.T) {
	dir := installed(t)
	vite := filepath.Join(require.Root(t), "js", "node_modules", "vite", "bin", "vite.js")
	if _, err := os.Stat(vite); err != nil {
		if err := build.Install(t.Context(), require.Root(t)); err != nil {
			t.Fatal(err)
		}
	}
	app := filepath.Join(dir, "app")
	for name, text := range map[string]string{"index.html": page, "main.js": snippet(t), "show.js": show} {
		if err := os.MkdirAll(app, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := command(app, "node", vite, "build", "--logLevel", "warn"); err != nil {
		t.Fatal(err)
	}
	trains(t, serve(t, map[string]string{"/": filepath.Join(app, "dist")}))
}
