//go:build workertest

package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"time"
)

// What only the program of the tests has: handlers that do what a handler should not.
func init() {
	around = func(h http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", h)
		mux.HandleFunc("/test/exit", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
		mux.HandleFunc("/test/panic", func(http.ResponseWriter, *http.Request) { panic("as asked") })
		mux.HandleFunc("/test/overflow", func(http.ResponseWriter, *http.Request) { overflow(0) })
		mux.HandleFunc("/test/memory", func(w http.ResponseWriter, _ *http.Request) {
			var held [][]byte
			for {
				held = append(held, make([]byte, 1<<20))
				held[0][0]++
			}
		})
		mux.HandleFunc("/test/sleep", func(w http.ResponseWriter, r *http.Request) {
			d, err := time.ParseDuration(r.URL.Query().Get("for"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			time.Sleep(d)
			w.Write([]byte("slept " + d.String()))
		})
		mux.HandleFunc("/test/forever", func(http.ResponseWriter, *http.Request) { select {} })
		mux.HandleFunc("/test/sys", func(w http.ResponseWriter, _ *http.Request) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			fmt.Fprint(w, m.Sys)
		})
		mux.HandleFunc("/test/header", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Header.Get("If-Modified-Since"))) })
		return mux
	}
}

// overflow fills the stack.
func overflow(n int) int {
	if n < 0 {
		return 0
	}
	return overflow(n+1) + n
}
