package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// watched is a buffer that tells when it holds a line.
type watched struct {
	mu   sync.Mutex
	b    bytes.Buffer
	line chan string // the first one
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := bytes.IndexByte(w.b.Bytes(), '\n') >= 0
	w.b.Write(p)
	if i := bytes.IndexByte(w.b.Bytes(), '\n'); i >= 0 && !had {
		w.line <- string(w.b.Bytes()[:i])
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

var servedURL = regexp.MustCompile(`http://[^ "]+`)

// startedServer is "weft serve" in this process.
type startedServer struct {
	url  string
	stop func() invocation
}

func startServer(t *testing.T, args ...string) startedServer {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, errs := &watched{line: make(chan string, 1)}, &watched{line: make(chan string, 1)}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, strings.NewReader(""), out, errs) }()
	s := startedServer{stop: sync.OnceValue(func() invocation {
		cancel()
		return invocation{<-ended, out.String(), errs.String()}
	})}
	t.Cleanup(func() { s.stop() })
	select {
	case line := <-out.line:
		s.url = servedURL.FindString(line)
	case code := <-ended:
		ended <- code
		t.Fatalf("weft %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errs)
	}
	return s
}

// fetch sends a request and returns the status and the body of its answer.
func fetch(t *testing.T, method, url, contentType string, body []byte) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, b
}

// TestServe: the server gives the same numbers as "weft predict", and its streams say what happened.
func TestServe(t *testing.T) {
	dir, model, _ := trained(t)
	var pictures []string
	for i, name := range []string{"dark.png", "light.png", "large.jpg"} {
		pictures = append(pictures, filepath.Join(dir, name))
		writePNG(t, pictures[i], digitPicture(t, i+2, []int{56, 84, 300}[i], i == 1))
	}
	lines := strings.Split(ok(t, append([]string{"predict", model, "--json"}, pictures...)...).stdout, "\n")
	for _, extra := range [][]string{nil, {"--batch", "8", "--threads", "1"}, {"-v", "--timeout", "0"}} {
		s := startServer(t, append([]string{"serve", model, "other=" + model, "--addr", "localhost:0"}, extra...)...)
		for i, p := range pictures {
			mediaType := "image/png"
			if strings.HasSuffix(p, "jpg") {
				mediaType = "image/jpeg"
			}
			code, b := fetch(t, "POST", s.url+"v1/digits", mediaType, readFile(t, p))
			var got, want prediction
			if err := json.Unmarshal([]byte(lines[i]), &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, &got); err != nil || code != 200 {
				t.Fatalf("status %d, %v: %s", code, err, b)
			}
			if want.File = ""; got.Digit != want.Digit || !slices.Equal(got.Probabilities, want.Probabilities) {
				t.Errorf("%s: %v, weft predict says %v", p, got, want)
			}
		}
		for _, path := range []string{"", "v2/health/ready", "v2/models/lenet", "v2/models/other"} {
			if code, b := fetch(t, "GET", s.url+path, "", nil); code != 200 {
				t.Errorf("%s: status %d, %s", path, code, b)
			}
		}
		r := s.stop()
		if r.code != exitOK || !strings.HasPrefix(r.stdout, "serving lenet, other at http://localhost:") || !strings.Contains(r.stdout, "answered 3, refused 0, cancelled 0, failed 0") {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		if logged := strings.Contains(r.stderr, `POST "/v1/digits" 200`); logged != (len(extra) > 0 && extra[0] == "-v") {
			t.Errorf("stderr:\n%s", r.stderr)
		}
	}
	s := startServer(t, "serve", model, "--addr", "127.0.0.1:0", "--json")
	r := s.stop()
	first, _, _ := strings.Cut(r.stdout, "\n")
	if m := lastJSON(t, r); m["answered"] != float64(0) || !strings.HasPrefix(first, `{"url":"http://localhost:`) || !strings.Contains(first, `"models":["lenet"]`) {
		t.Errorf("printed %s", r.stdout)
	}
}

func TestServeErrors(t *testing.T) {
	dir, model, _ := trained(t)
	fails(t, exitFailed, []string{"gone.onnx"}, "serve", filepath.Join(dir, "gone.onnx"))
	fails(t, exitFailed, []string{"there is a model \"lenet\" already"}, "serve", model, model)
	fails(t, exitFailed, []string{"cannot be named \"a/b\""}, "serve", "a/b="+model)
	spaced := filepath.Join(dir, "my model=1.onnx")
	if err := os.WriteFile(spaced, readFile(t, model), 0o666); err != nil {
		t.Fatal(err)
	}
	fails(t, exitFailed, []string{"cannot be named \"my model=1\"", "NAME=" + spaced}, "serve", spaced)
	text := filepath.Join(dir, "text.onnx")
	if err := os.WriteFile(text, []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	fails(t, exitFailed, []string{text}, "serve", text)
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fails(t, exitFailed, []string{"--addr", "address already in use"}, "serve", model, "--addr", l.Addr().String())
}

// TestServeGrace: what takes longer than --grace is cut off, and said to be.
func TestServeGrace(t *testing.T) {
	_, model, _ := trained(t)
	s := startServer(t, "serve", model, "--addr", "localhost:0", "--grace", "50ms")
	c, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, "POST /v1/digits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[")
	time.Sleep(100 * time.Millisecond) // the server reads the body
	if r := s.stop(); r.code != exitFailed || !strings.Contains(r.stderr, "longer than --grace 50ms") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// TestServeSlow: clients that send or read slowly, or not at all, are sent away, and others are answered meanwhile.
func TestServeSlow(t *testing.T) {
	_, model, _ := trained(t)
	was := patient
	defer func() { patient = was }()
	patient = patience{header: time.Second, body: 500 * time.Millisecond, write: 500 * time.Millisecond, idle: 500 * time.Millisecond}
	s := startServer(t, "serve", model, "--addr", "127.0.0.1:0", "--timeout", "300ms")
	const post = "POST /v1/digits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	var wg sync.WaitGroup
	for _, c := range []struct {
		name, begin, each string // what is sent at once, and then again and again
		answer            string // the status line, or nothing where the connection just ends
	}{
		{"nothing", "", "", ""},
		{"no end of the header", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a", ""},
		{"no end of the headers", "GET / HTTP/1.1\r\nHost: x\r\n", "X-Slow: a\r\n", ""},
		{"a body that trickles", post + "Content-Length: 1000\r\n\r\n[", " ", "HTTP/1.1 408 "},
		{"a body in chunks that trickles", post + "Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n", "1\r\n \r\n", "HTTP/1.1 408 "},
		{"a body that stops", post + "Content-Length: 1000\r\n\r\n[", "", "HTTP/1.1 408 "},
		{"no further request", "GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n", "", "HTTP/1.1 200 "},
	} {
		wg.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			began := time.Now()
			conn.SetDeadline(began.Add(20 * time.Second))
			io.WriteString(conn, c.begin)
			ended := make(chan struct{})
			go func() {
				tick := time.NewTicker(20 * time.Millisecond)
				defer tick.Stop()
				for c.each != "" {
					select {
					case <-ended:
						return
					case <-tick.C:
						io.WriteString(conn, c.each) // an error is that of a connection that has ended
					}
				}
			}()
			b, err := io.ReadAll(conn)
			close(ended)
			took := time.Since(began)
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Errorf("%s: the connection is open after %v", c.name, took)
			}
			if took < 400*time.Millisecond {
				t.Errorf("%s: the connection has ended after %v", c.name, took)
			}
			if line, _, _ := strings.Cut(string(b), "\r\n"); c.answer == "" && line != "" || !strings.HasPrefix(line, c.answer) {
				t.Errorf("%s: answered %q, want %q", c.name, line, c.answer)
			}
			if c.answer == "HTTP/1.1 408 " && !strings.Contains(string(b), "longer than the server waits") {
				t.Errorf("%s: answered %s", c.name, b)
			}
		})
	}
	wg.Go(func() { // asks and reads no answer, until the server has had enough
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/"))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		page := []byte(strings.Repeat("GET /page.js HTTP/1.1\r\nHost: x\r\n\r\n", 100))
		for {
			if _, err := conn.Write(page); err != nil {
				if ne, ok := err.(net.Error); ok && ne.Timeout() {
					t.Error("a client that reads no answers is kept")
				}
				return
			}
		}
	})
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for waiting := true; waiting; {
		select {
		case <-done:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
		if code, b := fetch(t, "GET", s.url+"v2/models/lenet", "", nil); code != 200 {
			t.Errorf("another client: %d %s", code, b)
		}
	}
	if r := s.stop(); r.code != exitOK {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// TestServeBatch: the rows of every architecture give the same bits in any batch, which serving in batches tries.
func TestServeBatch(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	args := []string{"serve", "--addr", "localhost:0", "--batch", "17"}
	for _, m := range []string{"mlp", "lenet", "lenet5", "cnn"} {
		file := filepath.Join(dir, m+".onnx")
		ok(t, "train", m, "--data", dataDir, "--epochs", "1", "--out", file)
		args = append(args, file)
	}
	if r := startServer(t, args...).stop(); r.code != exitOK {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}
