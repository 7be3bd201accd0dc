//go:build !js

package main

import (
	"io"
	"log"
	"net/http"
	"net/url"
	"testing"
)

func asWorkersGives(t *testing.T) *http.Request {
	t.Helper()
	u, err := url.Parse("https://digits.example/v1/a%2Fb?x=1")
	if err != nil {
		t.Fatal(err)
	}
	return &http.Request{Method: "POST", URL: u, Header: http.Header{"Date": {"Fri", " 27 Nov 2026"}, "Accept": {"a", "b"}}, TransferEncoding: []string{""}}
}

func TestComplete(t *testing.T) {
	r := complete(asWorkersGives(t), []byte("body"))
	b, err := io.ReadAll(r.Body)
	if err != nil || string(b) != "body" || r.ContentLength != 4 || r.TransferEncoding != nil {
		t.Errorf("body %q, %v, length %d, encoding %q", b, err, r.ContentLength, r.TransferEncoding)
	}
	if r.Host != "digits.example" || r.RequestURI != "/v1/a%2Fb?x=1" || r.Header.Get("Date") != "Fri, 27 Nov 2026" || r.Header.Get("Accept") != "a,b" {
		t.Errorf("host %q, URI %q, header %v", r.Host, r.RequestURI, r.Header)
	}
	// Of a body that is too long only the beginning is there, and its length as announced.
	r = asWorkersGives(t)
	r.ContentLength = 1000
	if r = complete(r, []byte("be")); r.ContentLength != 1000 {
		t.Errorf("length %d", r.ContentLength)
	}
}

func TestAnswer(t *testing.T) {
	defer log.SetOutput(log.Writer())
	log.SetOutput(io.Discard)
	for _, c := range []struct {
		name, method string
		h            http.HandlerFunc
		status       int
		media, body  string
	}{
		{"nothing", "GET", func(http.ResponseWriter, *http.Request) {}, 200, "", ""},
		{"sniffed", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html>") }, 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"head", "HEAD", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!doctype html>") }, 200, "text/html; charset=utf-8", ""},
		{"status once, header before it", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(103)
			w.WriteHeader(404)
			w.Header().Set("Content-Type", "c/d")
			w.WriteHeader(200)
			io.WriteString(w, "x")
		}, 404, "a/b", "x"},
		{"panic", "GET", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "half"); panic("as asked") }, 500, "application/json", "{\"error\": \"internal error\"}\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := complete(asWorkersGives(t), nil)
			r.Method = c.method
			a := answer(c.h, r)
			if a.status != c.status || a.header.Get("Content-Type") != c.media || a.body.String() != c.body {
				t.Errorf("%d, %q, %q", a.status, a.header.Get("Content-Type"), a.body.String())
			}
		})
	}
}
