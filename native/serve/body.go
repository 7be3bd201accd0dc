package serve

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// budget is a number of bytes that requests share.
type budget struct {
	mu   sync.Mutex
	free int64
}

func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free < n {
		return false
	}
	b.free -= n
	return true
}

func (b *budget) give(n int64) {
	b.mu.Lock()
	b.free += n
	b.mu.Unlock()
}

// firstRead is how much of a body is taken before any of it has come.
const firstRead = 4 << 10

// body reads a request's body, of at most limit bytes. Memory is taken as bytes come, not as the client announces them, so a client that
// sends nothing holds nothing. The caller calls release when it needs the bytes no more.
func (s *Server) body(r *http.Request, limit int64) (b []byte, release func(), err error) {
	held := int64(0)
	give := func() { s.bodies.give(held) }
	take := func(n int64) error {
		if !s.bodies.take(n) {
			return &fault{status: http.StatusTooManyRequests, retry: true, text: "the server holds as many bytes of requests as it may: ask again later"}
		}
		held += n
		return nil
	}
	defer func() {
		if err != nil {
			give()
		}
	}()
	if e := r.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, nil, failf(http.StatusUnsupportedMediaType, "the body is compressed (%s): send it as it is", e)
	}
	tooLarge := failf(http.StatusRequestEntityTooLarge, "the body is larger than the %d bytes that are allowed", limit)
	if r.ContentLength > limit {
		return nil, nil, tooLarge
	}
	size := min(limit, firstRead)
	if r.ContentLength >= 0 {
		size = min(size, r.ContentLength)
	}
	if err := take(size + 1); err != nil {
		return nil, nil, err
	}
	b = make([]byte, 0, size+1) // the one byte more finds the end
	for {
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > limit {
			return nil, nil, tooLarge
		}
		if errors.Is(err, io.EOF) {
			return b, give, nil
		}
		if late, ok := err.(interface{ Timeout() bool }); ok && late.Timeout() {
			return nil, nil, failf(http.StatusRequestTimeout, "the body took longer than the server waits: %d bytes have come", len(b))
		}
		if err != nil {
			return nil, nil, failf(http.StatusBadRequest, "the body ends early, after %d bytes: %s", len(b), err)
		}
		if len(b) == cap(b) {
			more := min(int64(2*cap(b)), limit+1)
			if r.ContentLength >= int64(len(b)) {
				more = min(more, r.ContentLength+1)
			}
			more = max(more, int64(len(b))+1)
			if err := take(more - int64(cap(b))); err != nil {
				return nil, nil, err
			}
			b = append(make([]byte, 0, more), b...)
		}
	}
}

// formType is what curl says of a body unless it is told better.
const formType = "application/x-www-form-urlencoded"

// mediaType returns the type that a Content-Type header names.
func mediaType(header string) string {
	media, _, _ := strings.Cut(header, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// isPNG and isJPEG look at the first bytes.
func isPNG(b []byte) bool  { return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) }
func isJPEG(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) }
