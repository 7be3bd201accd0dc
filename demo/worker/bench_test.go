//go:build !js

package main

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/weft-ml/weft/demo/worker/bundle"
)

// The Worker as it is deployed; a program for each request, the stock way; and a Worker that does nothing, which tells what HTTP, workerd and its start take.
var compared = []struct{ name, entry string }{
	{"PerIsolate", ""},
	{"PerRequest", "testdata/perrequest.mjs"},
	{"Nothing", "testdata/nothing.mjs"},
}

// times reports the least and the median of times.
func times(b *testing.B, all []time.Duration, what string) {
	slices.Sort(all)
	b.ReportMetric(float64(all[0].Microseconds())/1e3, what+"min-ms")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1e3, what+"p50-ms")
}

// BenchmarkWarm times a picture of a digit, sent to an isolate that has answered many, one after the other, and to the handler in this process.
func BenchmarkWarm(b *testing.B) {
	needsWorkerd(b)
	warm := func(b *testing.B, e *edge) {
		q := question{"three", "POST", "/v1/digits", typePNG, asPNG(picture(digit(3)))}
		for range 200 {
			e.must(b, q)
		}
		var all []time.Duration
		for b.Loop() {
			began := time.Now()
			e.must(b, q)
			all = append(all, time.Since(began))
		}
		times(b, all, "")
	}
	for _, c := range compared {
		b.Run(c.name, func(b *testing.B) { warm(b, start(b, build(b, bundle.Options{Entry: c.entry}))) })
	}
	b.Run("Native", func(b *testing.B) {
		h, err := newHandler()
		if err != nil {
			b.Fatal(err)
		}
		s := httptest.NewServer(h)
		defer s.Close()
		warm(b, &edge{url: s.URL, client: s.Client(), log: &lockedBuffer{}})
	})
}

// BenchmarkCold times the first request of a fresh isolate, and before it the start of workerd with the isolate, Node included.
func BenchmarkCold(b *testing.B) {
	needsWorkerd(b)
	for _, c := range compared {
		b.Run(c.name, func(b *testing.B) {
			dir := build(b, bundle.Options{Entry: c.entry})
			q := question{"three", "POST", "/v1/digits", typePNG, asPNG(picture(digit(3)))}
			var starts, firsts []time.Duration
			for b.Loop() {
				began := time.Now()
				e := start(b, dir)
				up := time.Now()
				e.must(b, q)
				firsts = append(firsts, time.Since(up))
				starts = append(starts, up.Sub(began))
				e.stop()
			}
			times(b, firsts, "")
			times(b, starts, "start-")
		})
	}
}
