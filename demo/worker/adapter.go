package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
)

// complete makes of a request as workers gives it one as net/http's server gives it. The body is whole, or longer than the handler takes.
func complete(r *http.Request, body []byte) *http.Request {
	// workers has split every header at its commas, also dates and media types that hold some; the platform joins fields of one name.
	for name, values := range r.Header {
		r.Header[name] = []string{strings.Join(values, ",")}
	}
	if n := int64(len(body)); r.ContentLength < n { // absent, or too small to be true
		r.ContentLength = n
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.TransferEncoding = nil
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.RequestURI = r.URL.RequestURI()
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	return r
}

// recorder is a response in memory.
type recorder struct {
	header  http.Header // of the response, once status is set
	pending http.Header // what the handler sets
	status  int         // 0 until the header is written
	body    bytes.Buffer
}

func (a *recorder) Header() http.Header { return a.pending }

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 && status >= 200 { // interim responses have no place here
		a.status = status
		a.header = a.pending.Clone()
	}
}

func (a *recorder) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}

// answer runs the handler to its end. A panic is answered with 500 and the program goes on, as in net/http's server.
func answer(h http.Handler, r *http.Request) (a *recorder) {
	a = &recorder{pending: http.Header{}}
	defer func() {
		if v := recover(); v != nil {
			log.Printf("weft: panic serving %s %s: %v", r.Method, r.URL.Path, v) // the deployed program has no tables for a stack trace
			a = &recorder{pending: http.Header{"Content-Type": {"application/json"}}}
			a.WriteHeader(http.StatusInternalServerError)
			fmt.Fprintln(a, `{"error": "internal error"}`)
		}
	}()
	h.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	if _, ok := a.header["Content-Type"]; !ok && a.body.Len() > 0 {
		a.header.Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
	if r.Method == http.MethodHead {
		a.body.Reset()
	}
	return a
}
