package site

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// static copies the files that need no building. Icons get hashed names, except those that the manifest names.
func (b *builder) static(context.Context) error {
	dir := filepath.Join(b.root, "demo", "web", "static")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if e.Name() == "index.html" {
			continue // see page
		}
		if err := os.WriteFile(filepath.Join(b.out, e.Name()), content, 0o644); err != nil {
			return err
		}
		if e.Name() == "icon.svg" {
			b.files = append(b.files, e.Name())
		}
	}
	return nil
}

// page writes index.html with the names of this build and hints that start all first downloads at once.
func (b *builder) page(context.Context) error {
	return b.fill("demo/web/static/index.html", "index.html")
}

// fill writes a page of the repository with the names of this build.
func (b *builder) fill(from, to string) error {
	source, err := os.ReadFile(filepath.Join(b.root, filepath.FromSlash(from)))
	if err != nil {
		return err
	}
	t, err := template.New(from).Funcs(template.FuncMap{
		"file": func(plain string) (string, error) {
			if name, ok := b.names[plain]; ok {
				return name, nil
			}
			return "", fmt.Errorf("the build made no %s", plain)
		},
		"preloads": b.preloads,
		"window":   func() bool { return b.names[windowProgram] != "" },
	}).Parse(string(source))
	if err != nil {
		return fmt.Errorf("weft: %s: %w", from, err)
	}
	var html bytes.Buffer
	if err := t.Execute(&html, nil); err != nil {
		return fmt.Errorf("weft: %s: %w", from, err)
	}
	return os.WriteFile(filepath.Join(b.out, filepath.FromSlash(to)), html.Bytes(), 0o644)
}

// preloads are links for what the page's code asks for as soon as it runs.
func (b *builder) preloads() string {
	var lines []string
	for i := 0; ; i++ {
		name, ok := b.names[fmt.Sprintf("import %d", i)]
		if !ok {
			break
		}
		lines = append(lines, `<link rel="modulepreload" href="`+name+`">`)
	}
	// Most browsers have relaxed SIMD; the others fetch their kernels when they know.
	for _, plain := range []string{"kernels-relaxed.wasm", "lenet.weft"} {
		lines = append(lines, `<link rel="preload" href="`+b.names[plain]+`" as="fetch" crossorigin>`)
	}
	return strings.Join(lines, "\n")
}
