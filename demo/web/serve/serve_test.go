package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder returns a server of a folder with a page, a precompressed program and a model.
func folder(t *testing.T) (*httptest.Server, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index.html":                strings.Repeat("<p>page</p>", 200),
		"app.0123456789ab.wasm":     strings.Repeat("wasm", 100),
		"app.0123456789ab.wasm.br":  "brotli",
		"app.0123456789ab.wasm.gz":  "gzip",
		"models/net.onnx":           "0123456789",
		".hidden/secret":            "no",
		"main.js":                   "export {}",
		"models/readme.unknownkind": "?",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	later := time.Now().Add(time.Second) // compressed files are never older than what they were made from
	for _, suffix := range []string{".br", ".gz"} {
		if err := os.Chtimes(filepath.Join(dir, "app.0123456789ab.wasm"+suffix), later, later); err != nil {
			t.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newHandler(root.FS()))
	t.Cleanup(func() { server.Close(); root.Close() })
	return server, dir
}

func get(t *testing.T, server *httptest.Server, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

func TestServe(t *testing.T) {
	server, _ := folder(t)
	for _, c := range []struct {
		name, method, path string
		header             []string
		status             int
		body               string // "" is not compared
		want               map[string]string
	}{
		{name: "page", path: "/", status: 200, want: map[string]string{
			"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}},
		{name: "module", path: "/main.js", status: 200, body: "export {}", want: map[string]string{"Content-Type": "text/javascript; charset=utf-8"}},
		{name: "hashed name", path: "/app.0123456789ab.wasm", status: 200, want: map[string]string{
			"Content-Type": "application/wasm", "Cache-Control": "public, max-age=31536000, immutable", "Content-Encoding": "", "Vary": "Accept-Encoding"}},
		{name: "brotli", path: "/app.0123456789ab.wasm", header: []string{"Accept-Encoding", "gzip, deflate, br"}, status: 200, body: "brotli",
			want: map[string]string{"Content-Encoding": "br", "Content-Type": "application/wasm", "Content-Length": "6"}},
		{name: "gzip beside", path: "/app.0123456789ab.wasm", header: []string{"Accept-Encoding", "br;q=0, *"}, status: 200, body: "gzip", want: map[string]string{"Content-Encoding": "gzip"}},
		{name: "range", path: "/models/net.onnx", header: []string{"Range", "bytes=2-4"}, status: 206, body: "234", want: map[string]string{"Content-Range": "bytes 2-4/10"}},
		{name: "range of what is compressed", path: "/app.0123456789ab.wasm", header: []string{"Range", "bytes=0-3", "Accept-Encoding", "br"}, status: 206, body: "wasm",
			want: map[string]string{"Content-Encoding": ""}},
		{name: "range too far", path: "/models/net.onnx", header: []string{"Range", "bytes=20-"}, status: 416},
		{name: "head", method: "HEAD", path: "/models/net.onnx", status: 200, want: map[string]string{"Content-Length": "10", "Content-Type": "application/octet-stream"}},
		{name: "unknown kind", path: "/models/readme.unknownkind", status: 200, want: map[string]string{"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff"}},
		{name: "absent", path: "/none.js", status: 404},
		{name: "folder", path: "/models", status: 404},
		{name: "folder without page", path: "/models/", status: 404},
		{name: "hidden", path: "/.hidden/secret", status: 404},
		{name: "outside", path: "/..%2f..%2fetc/passwd", status: 404},
		{name: "write", method: "POST", path: "/", status: 405, want: map[string]string{"Allow": "GET, HEAD"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			method := c.method
			if method == "" {
				method = "GET"
			}
			answer, body := get(t, server, method, c.path, c.header...)
			if answer.StatusCode != c.status {
				t.Fatalf("status %d, want %d: %s", answer.StatusCode, c.status, body)
			}
			if c.body != "" && body != c.body {
				t.Errorf("body %q, want %q", body, c.body)
			}
			for name, want := range c.want {
				if got := answer.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestEntityTags(t *testing.T) {
	server, dir := folder(t)
	first, _ := get(t, server, "GET", "/main.js")
	tag := first.Header.Get("ETag")
	if again, body := get(t, server, "GET", "/main.js", "If-None-Match", tag); again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("status %d for a known tag", again.StatusCode)
	}
	compressed, body := get(t, server, "GET", "/main.js", "Accept-Encoding", "gzip")
	if compressed.Header.Get("ETag") == tag || compressed.Header.Get("Content-Encoding") != "gzip" {
		t.Error("the compressed file has the tag of the plain one, or is not compressed")
	}
	r, err := gzip.NewReader(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(r); err != nil || string(plain) != "export {}" {
		t.Errorf("unpacked: %q, %v", plain, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.js"), []byte("export { a }"), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed, body := get(t, server, "GET", "/main.js", "If-None-Match", tag); changed.StatusCode != 200 || body != "export { a }" {
		t.Errorf("after a change: status %d, %q", changed.StatusCode, body)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, in := io.Pipe()
	env := func(name string) string { return map[string]string{"PORT": "0", "HOST": "127.0.0.1"}[name] }
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"-dir", dir}, env, in, io.Discard) }()
	line := make([]byte, 100)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(strings.TrimSpace(string(line[:n])))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
	cancel()
	if c := <-code; c != 0 {
		t.Errorf("exit %d after an interrupt", c)
	}

	var stderr bytes.Buffer
	if c := run(context.Background(), []string{"-dir", filepath.Join(dir, "absent")}, env, io.Discard, &stderr); c != 1 || !strings.Contains(stderr.String(), "make run") {
		t.Errorf("exit %d, %s", c, stderr.String())
	}
	if c := run(context.Background(), []string{"-x"}, env, io.Discard, io.Discard); c != 2 {
		t.Errorf("exit %d for an unknown flag", c)
	}
	stderr.Reset()
	bad := func(name string) string { return map[string]string{"PORT": "http-no-such", "HOST": ""}[name] }
	if c := run(context.Background(), []string{"-dir", dir}, bad, io.Discard, &stderr); c != 1 || !strings.Contains(stderr.String(), "PORT=") {
		t.Errorf("exit %d, %s", c, stderr.String())
	}
}
