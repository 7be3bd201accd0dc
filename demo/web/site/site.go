// Package site builds the page: the runtime's WebAssembly, the package's worker, the page's own TypeScript, style sheet and
// weights, in one folder that any web server can serve. Names hold their content's hash, so that browsers may keep files forever.
package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weft-ml/weft/js/build"
)

// marker is a file that every built site has: only a folder with it, or an empty one, is overwritten.
const marker = "sw.js"

// The models that come with the page, in the repository: the one that answers, and the one that writes.
const (
	weights = "models/lenet/weights/mnist.onnx"
	writer  = "models/chargpt/weights/tinyshakespeare.onnx"
)

// builder holds what the steps of a build share.
type builder struct {
	root, goroot string            // the repository and Go's own folder
	out          string            // the folder that is written
	names        map[string]string // file names with their hash, by plain name
	files        []string          // what the service worker keeps
	opt          Options
}

// Options says how a site is built.
type Options struct {
	Out   string // folder that is written
	Quick bool   // compress less: for tests
	// Window builds demo/ebiten too, for the page at window/. Where Ebitengine is not there and cannot be fetched, the site is built
	// without, and Notice is told in one line why.
	Window bool
	Notice func(string)
}

// Build writes the page. It runs the go command and npm, which installs the page's libraries at the first build, and Node for brotli.
func Build(ctx context.Context, opt Options) error {
	root, goroot, err := build.Dirs(ctx)
	if err != nil {
		return err
	}
	if err := install(ctx, filepath.Join(root, "demo", "web")); err != nil {
		return err
	}
	earlier, err := packed(opt.Out)
	if err != nil {
		return err
	}
	if err := prepare(opt.Out); err != nil {
		return err
	}
	b := &builder{root: root, goroot: goroot, out: opt.Out, names: map[string]string{}, opt: opt}
	for _, step := range []func(context.Context) error{b.runtime, b.window, b.bundle, b.static, b.page, b.serviceWorker} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return compress(ctx, opt.Out, opt.Quick, earlier)
}

// install has npm install the pinned libraries in dir when they are missing or of another version than the lock file says.
func install(ctx context.Context, dir string) error {
	lock, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	if done, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json")); err == nil && !done.ModTime().Before(lock.ModTime()) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New("weft: the page's libraries are installed with npm, which is not on PATH: install Node.js 20 or later")
	}
	cmd := exec.CommandContext(ctx, npm, "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = dir
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("weft: npm ci in %s: %w\n%s", dir, err, text)
	}
	// npm may keep the time of what it finds unchanged.
	return os.Chtimes(filepath.Join(dir, "node_modules", ".package-lock.json"), lock.ModTime(), lock.ModTime())
}

// prepare makes out an empty folder.
func prepare(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(out, marker)); err != nil {
			return fmt.Errorf("weft: %s holds other files; name an empty folder", out)
		}
		if err := os.RemoveAll(out); err != nil {
			return err
		}
	}
	return os.MkdirAll(out, 0o755)
}

// add writes a file under a name that holds its content's hash and remembers it by its plain name.
func (b *builder) add(plain string, content []byte) error {
	sum := sha256.Sum256(content)
	ext := filepath.Ext(plain)
	name := strings.TrimSuffix(plain, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	b.names[plain] = name
	return os.WriteFile(filepath.Join(b.out, name), content, 0o644)
}
