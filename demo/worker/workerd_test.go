//go:build !js

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-ml/weft/demo/worker/bundle"
	"github.com/weft-ml/weft/internal/require"
)

// compatibilityDate is that of wrangler.jsonc, which TestDeploy compares.
const compatibilityDate = "2025-12-01"

// needsWorkerd skips the test where workerd is not installed.
func needsWorkerd(t testing.TB) {
	t.Helper()
	require.Tool(t, "workerd", "node")
	if _, err := os.Stat(filepath.Join("node_modules", "miniflare", "package.json")); err != nil {
		require.Missing(t, "workerd", "workerd is not installed; run npm ci in demo/worker")
	}
}

// built are the folders that were built, by their options.
var built = struct {
	sync.Mutex
	dirs map[bundle.Options]string
}{dirs: map[bundle.Options]string{}}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range built.dirs {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// build builds a Worker, once for each script and set of tags, into a folder that is removed after the last test.
func build(t testing.TB, opt bundle.Options) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if dir := built.dirs[opt]; dir != "" {
		return dir
	}
	dir, err := os.MkdirTemp("", "weft-worker")
	if err != nil {
		t.Fatal(err)
	}
	built.dirs[opt] = dir
	with := opt
	with.Out = dir
	if with.Entry != "" {
		if with.Entry, err = filepath.Abs(with.Entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := bundle.Build(context.Background(), with); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edge is a Worker in workerd.
type edge struct {
	url    string
	client *http.Client
	pid    int // of Node, whose child workerd is
	log    *lockedBuffer
	stop   func()
}

// lockedBuffer is a buffer that another goroutine writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start serves a folder until the test ends, or stop is called.
func start(t testing.TB, dir string) *edge {
	t.Helper()
	cmd := exec.Command("node", filepath.Join("testdata", "workerd.mjs"), dir, compatibilityDate)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	e := &edge{log: &lockedBuffer{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: time.Minute}}
	cmd.Stderr = e.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	e.pid = cmd.Process.Pid
	e.stop = sync.OnceFunc(func() {
		e.client.CloseIdleConnections()
		in.Close()
		kill := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		cmd.Wait()
	})
	t.Cleanup(e.stop)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		e.stop()
		t.Fatalf("workerd does not start: %v\n%s", err, e.log)
	}
	e.url = strings.TrimSuffix(strings.TrimSpace(line), "/")
	return e
}

// question is a request; answers come from a Worker or from the handler here.
type question struct {
	name, method, path string
	header             map[string]string
	body               []byte
}

func (q question) request(base string) (*http.Request, error) {
	r, err := http.NewRequest(q.method, base+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, err
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	return r, nil
}

// reply is what came back.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (e *edge) ask(q question) (reply, error) {
	r, err := q.request(e.url)
	if err != nil {
		return reply{}, err
	}
	resp, err := e.client.Do(r)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", q.name, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, b}, err
}

// must asks where an error ends the test.
func (e *edge) must(t testing.TB, q question) reply {
	t.Helper()
	a, err := e.ask(q)
	if err != nil {
		t.Fatalf("%v\n%s", err, e.log)
	}
	return a
}
