package build

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// patch is a replacement in Go's glue code that must apply the given number of times: another version of Go that changed the
// place makes the build fail instead of the page.
type patch struct {
	old, new string
	times    int
}

// patches make Go's glue code leave the global scope alone (it sees a host object in place of globalThis, given by the loader) and
// copy out of shared memory, whose views TextDecoder and getRandomValues refuse.
var patches = []patch{
	{`"use strict";`, ``, 1},
	{`decoder.decode(new DataView(this._inst.exports.mem.buffer, saddr, len))`, `decoder.decode(new Uint8Array(this._inst.exports.mem.buffer, saddr, len).slice())`, 1},
	{`crypto.getRandomValues(loadSlice(sp + 8));`, `const s = loadSlice(sp + 8); s.set(crypto.getRandomValues(new Uint8Array(s.length)));`, 1},
	{`fs.writeSync(fd,`, `globalThis.fs.writeSync(fd,`, 1},
	{`outputBuf += decoder.decode(buf);`, `outputBuf += decoder.decode(buf.slice());`, 1},
}

// glue returns the patched glue code of the Go installation as a module that exports goClass(host).
func glue(goroot string) (string, error) {
	path := filepath.Join(goroot, "lib", "wasm", "wasm_exec.js")
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("weft: Go's glue code: %w", err)
	}
	text := string(b)
	for _, p := range patches {
		if n := strings.Count(text, p.old); n != p.times {
			return "", fmt.Errorf("weft: %s has %q %d times, not %d: this version of Go needs other patches (js/build/glue.go)", path, p.old, n, p.times)
		}
		text = strings.ReplaceAll(text, p.old, p.new)
	}
	return "export function goClass(globalThis) {\n" + text + "\nreturn globalThis.Go;\n}\n", nil
}

// Glue is the plugin that gives js/src its module ./go-glue.js: the glue code of the Go installation, patched.
func Glue(goroot string) api.Plugin {
	return api.Plugin{Name: "go-glue", Setup: func(p api.PluginBuild) {
		p.OnResolve(api.OnResolveOptions{Filter: `/go-glue\.js$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: "go-glue", Namespace: "go-glue"}, nil
		})
		p.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "go-glue"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			text, err := glue(goroot)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}
