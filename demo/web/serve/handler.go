package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"
)

// mimeTypes are the types of the files a page is made of. The system's own table is not asked: it differs from machine to
// machine, and browsers refuse modules of a wrong type.
var mimeTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".wasm": "application/wasm",
	".txt": "text/plain; charset=utf-8", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon",
	".webmanifest": "application/manifest+json", ".onnx": "application/octet-stream", ".weft": "application/octet-stream", ".bin": "application/octet-stream", ".gz": "application/gzip",
}

// headers are sent with every answer. The first three isolate the page from others, which is what browsers ask for shared
// memory; the policy allows the page's own files, and compiling WebAssembly, only.
var headers = map[string]string{
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Embedder-Policy": "require-corp",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Content-Security-Policy":      "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
}

// hashed matches names that hold their content's hash; such a file never changes.
var hashed = regexp.MustCompile(`\.([0-9a-f]{12}|[0-9A-Z]{8})\.[a-z]+$`)

// gzipLimit is the largest file that is compressed while serving.
const gzipLimit = 16 << 20

// handler serves the files of a folder.
type handler struct {
	files fs.FS
	mu    sync.Mutex
	cache map[string]*entry // by name and encoding
}

// entry is what is known of a file, for as long as its time and size stay.
type entry struct {
	modified time.Time
	size     int64
	tag      string
	gzipped  []byte // compressed while serving; nil where a compressed file lies beside
}

func newHandler(files fs.FS) *handler { return &handler{files: files, cache: map[string]*entry{}} }

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range headers {
		w.Header().Set(name, value)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this server only reads", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	if err := h.serve(w, r, name); err != nil {
		status, text := http.StatusInternalServerError, "the file cannot be read"
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			status, text = http.StatusNotFound, "no such file: "+r.URL.Path
		}
		http.Error(w, text, status)
	}
}

// serve answers with a file of the folder, in the best encoding the browser takes.
func (h *handler) serve(w http.ResponseWriter, r *http.Request, name string) error {
	if hidden(name) {
		return fs.ErrNotExist
	}
	plain, err := h.lookup(name, "")
	if err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", contentType(name))
	head.Set("Cache-Control", "no-cache") // kept, but asked about each time
	if hashed.MatchString(name) {
		head.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	chosen, file := plain, name
	if compresses(name) {
		head.Set("Vary", "Accept-Encoding")
		// A range is a part of the plain bytes: parts of compressed ones are of no use to a reader of models.
		if r.Header.Get("Range") == "" {
			for _, c := range []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
				if !accepts(r.Header.Get("Accept-Encoding"), c.encoding) {
					continue
				}
				e, err := h.lookup(name+c.suffix, "")
				if err == nil && !e.modified.Before(plain.modified) {
					chosen, file = e, name+c.suffix
				} else if c.encoding == "gzip" && plain.size <= gzipLimit {
					if e, err = h.lookup(name, "gzip"); err != nil {
						return err
					}
					chosen = e
				} else {
					continue
				}
				head.Set("Content-Encoding", c.encoding)
				break
			}
		}
	}
	head.Set("ETag", chosen.tag)
	if chosen.gzipped != nil {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(chosen.gzipped))
		return nil
	}
	f, err := h.files.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	content, ok := f.(io.ReadSeeker)
	if !ok {
		return errors.New("the file cannot be sought in")
	}
	http.ServeContent(w, r, "", time.Time{}, content)
	return nil
}

// lookup returns what is known of the file, compressed by this server when encoding is gzip. It reads the file once, and again when
// its time or size has changed.
func (h *handler) lookup(name, encoding string) (*entry, error) {
	f, err := h.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	key := name + "\x00" + encoding
	h.mu.Lock()
	e := h.cache[key]
	h.mu.Unlock()
	if e != nil && e.modified.Equal(info.ModTime()) && e.size == info.Size() {
		return e, nil
	}
	e = &entry{modified: info.ModTime(), size: info.Size()}
	sum := sha256.New()
	var content io.Reader = f
	if encoding == "gzip" {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		if _, err := io.Copy(w, f); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		e.gzipped = z.Bytes()
		content = bytes.NewReader(e.gzipped)
	}
	if _, err := io.Copy(sum, content); err != nil {
		return nil, err
	}
	e.tag = `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
	h.mu.Lock()
	h.cache[key] = e
	h.mu.Unlock()
	return e, nil
}

// hidden reports whether a part of the path begins with a dot.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

func contentType(name string) string {
	if t, ok := mimeTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}

// compresses reports whether files of this kind are served compressed.
func compresses(name string) bool {
	t := contentType(name)
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || t == "application/wasm" || t == "image/svg+xml" || path.Ext(name) == ".onnx" || path.Ext(name) == ".weft"
}

// accepts reports whether an Accept-Encoding header allows the encoding.
func accepts(header, encoding string) bool {
	any := false
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		q := strings.ReplaceAll(strings.ToLower(params), " ", "")
		allowed := !(strings.HasPrefix(q, "q=0") && strings.Trim(q[3:], ".0") == "")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case encoding:
			return allowed
		case "*":
			any = allowed
		}
	}
	return any
}
