package site

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/weft-ml/weft/js/build"
	"github.com/weft-ml/weft/wasm/link"
)

// windowProgram is the plain name of the window's Go program.
const windowProgram = "window.wasm"

// WindowPage is the page of the window in the site's folder, where it was built.
const WindowPage = "window/index.html"

// window builds the window: demo/ebiten as a Go program on imported memory, and the page around it. demo/ebiten is a module of its
// own, so that what Ebitengine needs stays out of Weft's: the go command runs there.
func (b *builder) window(ctx context.Context) error {
	if !b.opt.Window {
		return nil
	}
	dir := filepath.Join(b.root, "demo", "ebiten")
	if why := b.fetchModules(ctx, dir); why != "" {
		if b.opt.Notice != nil {
			b.opt.Notice("the page is built without /window: Ebitengine is not on this machine and cannot be fetched (" + why + ")")
		}
		return nil
	}
	program, err := build.Compile(ctx, dir, ".")
	if err != nil {
		return err
	}
	if program, _, err = link.ImportMemory(program, false); err != nil {
		return err
	}
	if err := b.add(windowProgram, program); err != nil {
		return err
	}
	kernels, err := os.Stat(filepath.Join(b.out, b.names["kernels-relaxed.wasm"]))
	if err != nil {
		return err
	}
	known, err := json.Marshal(map[string]any{"program": b.names[windowProgram], "bytes": int64(len(program)) + kernels.Size(), "runtime": b.runtimeNames()})
	if err != nil {
		return err
	}
	// A bundle of its own, so that the page's chunks are the same with and without the window.
	const script, style = "demo/web/src/window/main.ts", "demo/web/src/window/style.css"
	meta, err := b.esbuild(api.BuildOptions{EntryPointsAdvanced: []api.EntryPoint{{InputPath: script, OutputPath: "window"}, {InputPath: style, OutputPath: "window"}},
		EntryNames: hashedName, Plugins: []api.Plugin{module("weft:window", known)}})
	if err != nil {
		return err
	}
	b.names["window.js"], _ = meta.entry(script)
	b.names["window.css"], _ = meta.entry(style)
	if err := os.MkdirAll(filepath.Join(b.out, "window"), 0o755); err != nil {
		return err
	}
	return b.fill("demo/web/src/window/index.html", WindowPage)
}

// fetchModules has the go command fetch the modules of a folder where they are not there already, and returns why it cannot.
func (b *builder) fetchModules(ctx context.Context, dir string) (why string) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	text, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if first == "" {
		return err.Error()
	}
	return fmt.Sprintf("go mod download: %s", first)
}
