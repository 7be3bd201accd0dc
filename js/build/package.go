package build

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/weft-ml/weft/simd/wasmkernels"
	"github.com/weft-ml/weft/wasm/kernelfiles"
	"github.com/weft-ml/weft/wasm/link"
)

// Options says what Package builds.
type Options struct {
	Out   string // folder, js/dist without one
	Types bool   // write the types, which takes npm
	Wasm  bool   // compile the Go program; without it only the JavaScript is written
	Bench bool   // bundle js/bench, the package's part in the comparison with other runtimes
	Tests bool   // bundle js/test/*.test.ts into js/test/out, for node --test
}

// entries are the files of the package and their sources in js/src.
var entries = []struct {
	out, in string
	node    bool
}{
	{"index", "index.ts", false},
	{"worker", "worker.ts", false},
	{"isolate-worker", "isolate-worker.ts", false},
	{"digits", "digits.ts", false},
	{"program", "program.ts", false},
	{"node", "node.ts", true},
	{"node-worker", "node-worker.ts", true},
}

// browsers are those that the code is written down to: all have modules in workers.
var browsers = []api.Engine{{Name: api.EngineChrome, Version: "91"}, {Name: api.EngineFirefox, Version: "114"}, {Name: api.EngineSafari, Version: "15"}}

// Package builds the npm package.
func Package(ctx context.Context, opt Options) error {
	root, goroot, err := Dirs(ctx)
	if err != nil {
		return err
	}
	if opt.Out == "" {
		opt.Out = filepath.Join(root, "js", "dist")
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return err
	}
	for _, e := range entries {
		if err := bundle(root, goroot, opt.Out, e.in, e.out, e.node); err != nil {
			return err
		}
	}
	if opt.Wasm {
		if err := programs(ctx, root, opt.Out); err != nil {
			return err
		}
	}
	kernels, err := kernelfiles.Build(ctx, root)
	if err != nil {
		return err
	}
	for _, v := range wasmkernels.Variants {
		if err := CopyFile(filepath.Join(opt.Out, v.File()), filepath.Join(kernels, v.File())); err != nil {
			return err
		}
	}
	lenet := filepath.Join(root, "models", "lenet", "weights", "mnist.onnx")
	if err := CopyFile(filepath.Join(opt.Out, "lenet.onnx"), lenet); err != nil {
		return err
	}
	if opt.Wasm {
		if err := Export(ctx, root, opt.Out, lenet, filepath.Join(opt.Out, "lenet.weft")); err != nil {
			return err
		}
	}
	if err := CopyFile(filepath.Join(root, "js", "LICENSE"), filepath.Join(root, "LICENSE")); err != nil {
		return err
	}
	if opt.Bench {
		if err := bench(ctx, root, goroot, opt.Out); err != nil {
			return err
		}
	}
	if opt.Tests {
		if err := tests(root, goroot); err != nil {
			return err
		}
	}
	if !opt.Types {
		return nil
	}
	return types(ctx, root, opt.Out)
}

// bundle writes one entry as a module without dependencies.
func bundle(root, goroot, out, in, name string, node bool) error {
	opt := api.BuildOptions{
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: filepath.Join(root, "js", "src", in), OutputPath: name}},
		Outdir:              out,
		Format:              api.FormatESModule,
		Platform:            api.PlatformBrowser,
		Engines:             browsers,
		MinifyWhitespace:    !node, // nobody downloads Node's files, and its stack traces are read
		MinifyIdentifiers:   !node,
		MinifySyntax:        !node,
	}
	if node {
		opt.Platform, opt.Engines = api.PlatformNode, []api.Engine{{Name: api.EngineNode, Version: "20"}}
	}
	if name == "digits" {
		opt.External = []string{"./index.js"} // the element and the page share one runtime
	}
	if name == "isolate-worker" {
		opt.Format = api.FormatIIFE // service workers are classic scripts everywhere
	}
	return esbuild(root, goroot, opt)
}

// tests bundles the unit tests, which look inside the sources; the built package is theirs by its name.
func tests(root, goroot string) error {
	dir := filepath.Join(root, "js", "test")
	files, err := filepath.Glob(filepath.Join(dir, "*.test.ts"))
	if err != nil {
		return err
	}
	return esbuild(root, goroot, api.BuildOptions{
		EntryPoints:  files,
		Outdir:       filepath.Join(dir, "out"),
		OutExtension: map[string]string{".js": ".mjs"},
		Format:       api.FormatESModule,
		Platform:     api.PlatformNode,
		Engines:      []api.Engine{{Name: api.EngineNode, Version: "20"}},
		Sourcemap:    api.SourceMapInline,
		External:     []string{"@weft-ml/weft"},
	})
}

// esbuild bundles with what all bundles have in common.
func esbuild(root, goroot string, opt api.BuildOptions) error {
	opt.AbsWorkingDir = root
	opt.Bundle = true
	opt.Write = true
	opt.Charset = api.CharsetUTF8
	opt.LegalComments = api.LegalCommentsNone
	opt.LogLevel = api.LogLevelSilent
	opt.Plugins = []api.Plugin{Glue(goroot)}
	result := api.Build(opt)
	if len(result.Errors) > 0 {
		text := api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage})
		return fmt.Errorf("weft: bundling js:\n%s", strings.Join(text, ""))
	}
	return nil
}

// programs writes the Go program: core and full, plain and shared.
func programs(ctx context.Context, root, out string) error {
	for _, set := range []string{"core", "full"} {
		b, err := compile(ctx, root, set)
		if err != nil {
			return err
		}
		name := filepath.Base(mains[set])
		for _, shared := range []bool{false, true} {
			linked, _, err := link.ImportMemory(b, shared)
			if err != nil {
				return err
			}
			file := name + ".wasm"
			if shared {
				file = name + "-shared.wasm"
			}
			if err := os.WriteFile(filepath.Join(out, file), linked, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// types runs the TypeScript compiler, after npm ci where it is not installed.
func types(ctx context.Context, root, out string) error {
	js := filepath.Join(root, "js")
	if err := Install(ctx, root); err != nil {
		return err
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join("node_modules", "typescript", "bin", "tsc"), "-p", "tsconfig.types.json", "--outDir", out)
	cmd.Dir = js
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("weft: tsc: %w\n%s", err, text)
	}
	return CopyFile(filepath.Join(out, "go-glue.d.ts"), filepath.Join(js, "src", "go-glue.d.ts"))
}

// Install runs npm ci in js where what package-lock.json names is not installed.
func Install(ctx context.Context, root string) error {
	js := filepath.Join(root, "js")
	lock, err := os.Stat(filepath.Join(js, "package-lock.json"))
	if err != nil {
		return err
	}
	if done, err := os.Stat(filepath.Join(js, "node_modules", ".package-lock.json")); err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	cmd := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = js
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("weft: npm ci in js: %w\n%s", err, text)
	}
	return nil
}

// CopyFile writes what one file holds to another, which the build makes.
func CopyFile(to, from string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
