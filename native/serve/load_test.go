package serve

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/native/serve/oip"
)

// question is a request that a load test repeats.
type question struct {
	name, path, contentType, jsonLen string
	body                             []byte
}

func questions(t testing.TB) []question {
	x := sample(t, 3)
	js := `{"inputs": [{"name": "input", "shape": [1, 1, 28, 28], "datatype": "FP32", "parameters": {"binary_data_size": 3136}}]}`
	bin := []byte(js)
	for _, v := range x {
		bin = binary.LittleEndian.AppendUint32(bin, math.Float32bits(v))
	}
	return []question{
		{"binary", "v2/models/lenet/infer", "application/octet-stream", strconv.Itoa(len(js)), bin},
		{"json", "v2/models/lenet/infer", "application/json", "", []byte(`{"inputs": [{"name": "input", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": ` + string(asNumbers(x)) + `}]}`)},
		{"numbers", "v1/digits", "application/json", "", asNumbers(x)},
		{"png", "v1/digits", "image/png", "", asPNG(t, drawing(t, 3, 280))},
	}
}

// crowd runs goroutines and keeps the first error.
type crowd struct {
	wg  sync.WaitGroup
	mu  sync.Mutex
	err error
}

func (c *crowd) Go(f func() error) {
	c.wg.Go(func() {
		if err := f(); err != nil {
			c.mu.Lock()
			c.err = cmp.Or(c.err, err)
			c.mu.Unlock()
		}
	})
}

func (c *crowd) Wait() error {
	c.wg.Wait()
	return c.err
}

// listening serves on loopback as the command line does.
func listening(t testing.TB, s *Server) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { h.Serve(l); close(done) }()
	t.Cleanup(func() { h.Close(); <-done })
	return "http://" + l.Addr().String() + "/"
}

// load sends n requests from so many clients, each of which waits for its answer before it asks again, checks every answer, and returns how long each took.
func load(t testing.TB, url string, clients, n int, qs []question) []time.Duration {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	took := make([]time.Duration, n)
	var next atomic.Int64
	var group crowd
	for range clients {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				q := qs[i%len(qs)]
				r, err := http.NewRequest("POST", url+q.path, bytes.NewReader(q.body))
				if err != nil {
					return err
				}
				r.Header.Set("Content-Type", q.contentType)
				if q.jsonLen != "" {
					r.Header.Set(oip.HeaderLength, q.jsonLen)
				}
				start := time.Now()
				res, err := client.Do(r)
				if err != nil {
					return err
				}
				b, err := io.ReadAll(res.Body)
				res.Body.Close()
				took[i] = time.Since(start)
				if err != nil || res.StatusCode != http.StatusOK {
					return fmt.Errorf("request %d: status %d, %v: %s", i, res.StatusCode, err, b)
				}
				if err := threeIs(q, b); err != nil {
					return fmt.Errorf("request %d: %w: %s", i, err, b)
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return took
}

// threeIs checks that an answer is 3, which is what every question asks.
func threeIs(q question, b []byte) error {
	var a struct {
		Digit
		Outputs []struct{ Data []float64 }
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return err
	}
	digit := a.Digit.Digit
	if len(a.Outputs) > 0 {
		digit = slices.Index(a.Outputs[0].Data, slices.Max(a.Outputs[0].Data))
	}
	if digit != 3 {
		return fmt.Errorf("%s: the answer is %d", q.name, digit)
	}
	return nil
}

// heap returns the bytes that are alive.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestLoad: of many requests of all kinds on loopback none is lost, and the heap and the goroutines are at the end what they were when the load began.
// WEFT_EXHAUSTIVE=1 sends 100,000.
func TestLoad(t *testing.T) {
	n := 2000
	switch {
	case os.Getenv("WEFT_EXHAUSTIVE") != "":
		n = 100_000
	case testing.Short():
		n = 400
	}
	for _, opt := range []LoadOptions{{Operators: op.Core}, {Operators: op.Core, Batch: 16}} {
		t.Run(fmt.Sprintf("batch=%d", max(1, opt.Batch)), func(t *testing.T) {
			s := empty(t, Options{Timeout: time.Minute})
			if _, err := s.Load("lenet", lenetFile(t), opt); err != nil {
				t.Fatal(err)
			}
			url := listening(t, s)
			const warm, clients = 400, 16
			load(t, url, clients, warm, questions(t))
			before, goroutines := heap(), runtime.NumGoroutine()
			load(t, url, clients, n, questions(t))
			var after uint64
			for range 50 { // connections end when they end
				if after = heap(); after < before+1<<20 && runtime.NumGoroutine() <= goroutines+2 {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			if after >= before+1<<20 {
				t.Errorf("the heap grew from %d to %d bytes", before, after)
			}
			if g := runtime.NumGoroutine(); g > goroutines+2 {
				t.Errorf("%d goroutines, %d before", g, goroutines)
			}
			got := s.Stats()
			if got.Answered != uint64(n+warm) || got.Refused+got.Cancelled+got.Failed != 0 || got.Runs > got.Answered || opt.Batch <= 1 && got.Runs != got.Answered {
				t.Errorf("%+v after %d requests", got, n+warm)
			}
			if s.bodies.free != s.opt.MaxBodies {
				t.Errorf("%d bytes of bodies are still held", s.opt.MaxBodies-s.bodies.free)
			}
			t.Logf("%d requests in %d runs; heap %d, then %d bytes", got.Answered, got.Runs, before, after)
		})
	}
}

// TestOverload: of many more requests than may wait at once every one is answered or refused, and those that are answered are right.
func TestOverload(t *testing.T) {
	s := empty(t, Options{Queue: 4})
	if _, err := s.Load("lenet", lenetFile(t), LoadOptions{Operators: op.Core}); err != nil {
		t.Fatal(err)
	}
	url := listening(t, s)
	q := questions(t)[2]
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var answered, refused atomic.Int64
	var group crowd
	for range 64 {
		group.Go(func() error {
			for range 20 {
				res, err := client.Post(url+q.path, q.contentType, bytes.NewReader(q.body))
				if err != nil {
					return err
				}
				b, err := io.ReadAll(res.Body)
				res.Body.Close()
				switch {
				case err != nil:
					return err
				case res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") != "":
					refused.Add(1)
				case res.StatusCode != http.StatusOK:
					return fmt.Errorf("status %d: %s", res.StatusCode, b)
				default:
					answered.Add(1)
					if err := threeIs(q, b); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	got := s.Stats()
	if answered.Load()+refused.Load() != 64*20 || got.Answered != uint64(answered.Load()) || got.Refused != uint64(refused.Load()) || got.Cancelled+got.Failed != 0 {
		t.Errorf("%d answered, %d refused; %+v", answered.Load(), refused.Load(), got)
	}
	t.Logf("%+v", got)
}

// BenchmarkServe is the load test with a clock: requests of one kind over kept connections on loopback, clients and server in one process.
func BenchmarkServe(b *testing.B) {
	for _, threads := range []int{1, 2} {
		for _, c := range []struct{ clients, batch int }{{1, 1}, {16, 1}, {16, 16}} {
			for _, q := range questions(b) {
				b.Run(fmt.Sprintf("%s/threads=%d/clients=%d/batch=%d", q.name, threads, c.clients, c.batch), func(b *testing.B) {
					defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
					s := New(Options{Threads: threads})
					defer s.Close(context.Background())
					if _, err := s.Load("lenet", lenetFile(b), LoadOptions{Operators: op.Core, Batch: c.batch}); err != nil {
						b.Fatal(err)
					}
					url := listening(b, s)
					load(b, url, c.clients, 100, []question{q})
					b.ResetTimer()
					took := load(b, url, c.clients, b.N, []question{q})
					b.StopTimer()
					slices.Sort(took)
					b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
					b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-us")
					b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-us")
				})
			}
		}
	}
}
