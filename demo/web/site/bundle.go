package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/weft-ml/weft/js/build"
)

// browsers are those that the page's code is written down to: all have modules in workers.
var browsers = []api.Engine{{Name: api.EngineChrome, Version: "91"}, {Name: api.EngineFirefox, Version: "114"}, {Name: api.EngineSafari, Version: "15"}}

// hashedName is esbuild's pattern for names that hold their content's hash.
const hashedName = "[name].[hash]"

// esbuild bundles into the output folder and returns what was written.
func (b *builder) esbuild(opt api.BuildOptions) (metafile, error) {
	opt.AbsWorkingDir = b.root
	opt.Outdir = b.out
	opt.Bundle = true
	opt.Write = true
	opt.Format = api.FormatESModule
	opt.Platform = api.PlatformBrowser
	opt.Engines = browsers
	opt.MinifyWhitespace, opt.MinifyIdentifiers, opt.MinifySyntax = true, true, true
	opt.Charset = api.CharsetUTF8
	opt.LegalComments = api.LegalCommentsEndOfFile // licences of libraries travel with their code
	opt.Metafile = true
	opt.LogLevel = api.LogLevelSilent
	opt.NodePaths = []string{filepath.Join(b.root, "demo", "web", "node_modules")}
	opt.Plugins = append(opt.Plugins, build.Glue(b.goroot))
	src := filepath.Join(b.root, "js", "src")
	opt.Alias = map[string]string{"@weft-ml/weft": filepath.Join(src, "index.ts"), "@weft-ml/weft/program": filepath.Join(src, "program.ts")}
	result := api.Build(opt)
	if len(result.Errors) > 0 {
		text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return metafile{}, fmt.Errorf("weft: bundling the page:\n%s", strings.Join(text, ""))
	}
	var meta metafile
	if err := json.Unmarshal([]byte(result.Metafile), &meta); err != nil {
		return metafile{}, err
	}
	return meta, nil
}

// metafile is what esbuild tells of its output.
type metafile struct {
	Outputs map[string]struct {
		EntryPoint string `json:"entryPoint"`
		Imports    []struct {
			Path string `json:"path"`
			Kind string `json:"kind"`
		} `json:"imports"`
	} `json:"outputs"`
}

// entry returns the base name of the output of an entry point, and of the chunks that it imports at once.
func (m metafile) entry(point string) (name string, imports []string) {
	for path, o := range m.Outputs {
		if o.EntryPoint != point {
			continue
		}
		for _, i := range o.Imports {
			if i.Kind == "import-statement" {
				imports = append(imports, filepath.Base(i.Path))
			}
		}
		slices.Sort(imports)
		return filepath.Base(path), imports
	}
	return "", nil
}

// worker bundles the package's worker, in one file.
func (b *builder) worker() error {
	const point = "js/src/worker.ts"
	meta, err := b.esbuild(api.BuildOptions{EntryPoints: []string{point}, EntryNames: hashedName})
	if err != nil {
		return err
	}
	b.names["worker.js"], _ = meta.entry(point)
	return nil
}

// bundle bundles the page's code, in parts that are fetched when they are needed, and its style sheets.
func (b *builder) bundle(context.Context) error {
	known, err := json.Marshal(map[string]any{"runtime": b.runtimeNames(), "program": b.names["lenet.weft"], "weights": b.names["lenet.onnx"], "writer": b.names["writer.onnx"]})
	if err != nil {
		return err
	}
	const start, point, style = "demo/web/src/start.ts", "demo/web/src/main.ts", "demo/web/src/style.css"
	meta, err := b.esbuild(api.BuildOptions{EntryPoints: []string{start, point, style}, EntryNames: hashedName, ChunkNames: hashedName, AssetNames: hashedName,
		Splitting: true, Plugins: []api.Plugin{module("weft:files", known)}})
	if err != nil {
		return err
	}
	for path := range meta.Outputs {
		b.files = append(b.files, filepath.Base(path))
	}
	var imports []string
	b.names["start.js"], _ = meta.entry(start)
	b.names["main.js"], imports = meta.entry(point)
	b.names["style.css"], _ = meta.entry(style)
	if b.names["main.js"] == "" || b.names["style.css"] == "" {
		return errors.New("weft: esbuild names no output of the page's entry points")
	}
	for i, name := range slices.DeleteFunc(imports, func(name string) bool { return name == b.names["start.js"] }) {
		b.names[fmt.Sprintf("import %d", i)] = name
	}
	return nil
}

// serviceWorker bundles the service worker, which knows every file of this version.
func (b *builder) serviceWorker(context.Context) error {
	b.files = append(b.files, "./", "manifest.webmanifest", b.names["lenet.weft"], b.names["lenet.onnx"], b.names["worker.js"])
	slices.Sort(b.files)
	b.files = slices.Compact(b.files)
	sum := sha256.New()
	version := slices.Clone(b.files)
	if b.names[windowProgram] != "" {
		version = append(version, WindowPage) // kept once it was opened; it names all that it needs
	}
	for _, name := range version {
		if name == "./" {
			name = "index.html"
		}
		content, err := os.ReadFile(filepath.Join(b.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintln(sum, name, len(content))
		sum.Write(content)
	}
	site, err := json.Marshal(map[string]any{"version": hex.EncodeToString(sum.Sum(nil)[:6]), "files": b.files})
	if err != nil {
		return err
	}
	_, err = b.esbuild(api.BuildOptions{EntryPoints: []string{"demo/web/src/sw.ts"}, EntryNames: "[name]", Plugins: []api.Plugin{module("weft:site", site)}})
	return err
}

// module is a plugin that gives the code a module with a JSON value.
func module(name string, value []byte) api.Plugin {
	return api.Plugin{Name: name, Setup: func(p api.PluginBuild) {
		p.OnResolve(api.OnResolveOptions{Filter: "^" + name + "$"}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
			return api.OnResolveResult{Path: name, Namespace: "weft"}, nil
		})
		p.OnLoad(api.OnLoadOptions{Filter: "^" + name + "$", Namespace: "weft"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			text := string(value)
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJSON}, nil
		})
	}}
}
