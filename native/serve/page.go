package serve

import (
	_ "embed"
	"net/http"
)

//go:embed page/index.html
var pageHTML []byte

//go:embed page/page.js
var pageJS []byte

//go:embed page/page.css
var pageCSS []byte

// pageFile is a file of the page at /.
type pageFile struct {
	mediaType string
	bytes     []byte
}

var pageFiles = map[string]pageFile{
	"/":         {"text/html; charset=utf-8", pageHTML},
	"/page.js":  {"text/javascript; charset=utf-8", pageJS},
	"/page.css": {"text/css; charset=utf-8", pageCSS},
}

// pagePolicy lets the page use what this server gives, and nothing else.
const pagePolicy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Server) page(w http.ResponseWriter, r *http.Request) error {
	f := pageFiles[r.URL.Path]
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	send(w, http.StatusOK, f.mediaType, f.bytes)
	return nil
}
