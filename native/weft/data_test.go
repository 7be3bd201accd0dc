package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// contents are the files of the data sets that tests download.
func contents(name string) []byte {
	b := make([]byte, 0, 200_000)
	for i := 0; len(b) < cap(b); i++ {
		h := sha256.Sum256(fmt.Appendf(nil, "%s %d", name, i))
		b = append(b, h[:]...)
	}
	return b
}

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

// smallDatasets replaces the data sets by small ones for the length of a test.
func smallDatasets(t *testing.T) map[string][]byte {
	t.Helper()
	old := datasets
	t.Cleanup(func() { datasets = old })
	files := map[string][]byte{}
	datasets = nil
	for _, d := range old {
		for i := range d.files {
			c := contents(d.files[i].name)
			sum := sha256.Sum256(c)
			files["/"+d.files[i].name] = zipped(c)
			d.files = append([]download(nil), d.files...)
			d.files[i].sha256, d.files[i].size = hex.EncodeToString(sum[:]), int64(len(c))
		}
		d.mirrors = []string{"http://127.0.0.1:1/"}
		datasets = append(datasets, d)
	}
	return files
}

// serve answers from files; ServeContent knows ranges.
func serveFiles(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// serveDatasets serves small data sets and returns the address.
func serveDatasets(t *testing.T) string {
	files := smallDatasets(t)
	return serveFiles(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(files[r.URL.Path]))
	})
}

func TestDataGet(t *testing.T) {
	files := smallDatasets(t)
	var ranges, requests atomic.Int32
	url := serveFiles(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		if r.Header.Get("Range") != "" {
			ranges.Add(1)
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(files[r.URL.Path]))
	})
	dir := filepath.Join(t.TempDir(), "deep", "mnist")
	m := lastJSON(t, ok(t, "data", "get", "mnist", "--dir", dir, "--mirror", url+"/", "--json"))
	if n := len(m["fetched"].([]any)); n != 4 || requests.Load() != 4 {
		t.Fatalf("fetched %d files with %d requests, want 4 and 4", n, requests.Load())
	}
	m = lastJSON(t, ok(t, "data", "get", "mnist", "--dir", dir, "--mirror", url, "--json"))
	if n := len(m["kept"].([]any)); n != 4 || requests.Load() != 4 {
		t.Fatalf("kept %d files with %d requests in all, want 4 and 4", n, requests.Load())
	}

	// A damaged file is fetched again; a partial one is continued.
	name := "t10k-labels-idx1-ubyte.gz"
	path := filepath.Join(dir, name)
	z := files["/"+name]
	os.WriteFile(path, z[:len(z)/2], 0o666)
	other := filepath.Join(dir, "train-labels-idx1-ubyte.gz")
	os.Remove(other)
	os.WriteFile(other+".part", files["/train-labels-idx1-ubyte.gz"][:1000], 0o666)
	r := ok(t, "data", "get", "mnist", "--dir", dir, "--mirror", url)
	if !strings.Contains(r.stderr, "going on after 1000 bytes") || ranges.Load() != 1 {
		t.Errorf("the partial file was not continued (%d range requests):\n%s", ranges.Load(), r.stderr)
	}
	for n, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, n))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs from what was served: %v", n, err)
		}
	}
	noLitter(t, dir, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")

	// A part file of something else, or longer than the file, is dropped and the file fetched from the start.
	for _, junk := range [][]byte{bytes.Repeat([]byte("x"), 500), append(bytes.Clone(z), "more"...)} {
		os.Remove(path)
		os.WriteFile(path+".part", junk, 0o666)
		r := ok(t, "data", "get", "mnist", "--dir", dir, "--mirror", url)
		if !strings.Contains(r.stderr, "starting again") {
			t.Errorf("no word about the useless part file:\n%s", r.stderr)
		}
	}
}

func TestDataGetWithoutRanges(t *testing.T) {
	files := smallDatasets(t)
	url := serveFiles(t, func(w http.ResponseWriter, r *http.Request) { w.Write(files[r.URL.Path]) })
	dir := t.TempDir()
	name := "train-images-idx3-ubyte.gz"
	os.WriteFile(filepath.Join(dir, name+".part"), []byte("the beginning of something else"), 0o666)
	ok(t, "data", "get", "fashion-mnist", "--dir", dir, "--mirror", url)
	if !bytes.Equal(readFile(t, filepath.Join(dir, name)), files["/"+name]) {
		t.Error("the file differs from what was served")
	}
}

func TestDataGetFailures(t *testing.T) {
	first := "train-images-idx3-ubyte.gz"
	for _, c := range []struct {
		name  string
		serve func(w http.ResponseWriter, r *http.Request, body []byte)
		parts []string
		left  []string // files that stay
	}{
		{"not found", func(w http.ResponseWriter, r *http.Request, _ []byte) { http.NotFound(w, r) },
			[]string{first, "404 Not Found", "--mirror"}, nil},
		{"wrong contents", func(w http.ResponseWriter, _ *http.Request, _ []byte) { w.Write(zipped(contents("something else"))) },
			[]string{first, "expected contents"}, nil},
		{"longer contents", func(w http.ResponseWriter, r *http.Request, _ []byte) {
			w.Write(zipped(append(contents(first), 0)))
		}, []string{first, "expected contents"}, nil},
		{"a page", func(w http.ResponseWriter, _ *http.Request, _ []byte) { fmt.Fprint(w, "<html>please log in</html>") },
			[]string{first, "no gzip file"}, nil},
		{"truncated file", func(w http.ResponseWriter, _ *http.Request, b []byte) { w.Write(b[:len(b)/2]) },
			[]string{first, "damaged"}, nil},
		{"connection lost", func(w http.ResponseWriter, _ *http.Request, b []byte) {
			w.Header().Set("Content-Length", fmt.Sprint(len(b)))
			w.Write(b[:len(b)/2])
		}, []string{first, "stopped after"}, []string{first + ".part"}},
		{"wrong range", func(w http.ResponseWriter, r *http.Request, b []byte) {
			w.Header().Set("Content-Range", "bytes 5-9/10")
			w.WriteHeader(http.StatusPartialContent)
			w.Write(b[5:10])
		}, []string{first, "206"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := smallDatasets(t)
			url := serveFiles(t, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, files[r.URL.Path]) })
			dir := t.TempDir()
			fails(t, exitFailed, append(c.parts, "Try again"), "data", "get", "mnist", "--dir", dir, "--mirror", url)
			noLitter(t, dir, c.left...)
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		smallDatasets(t)
		dir := t.TempDir()
		fails(t, exitFailed, []string{first, "Try again"}, "data", "get", "mnist", "--dir", dir)
		noLitter(t, dir)
	})
	t.Run("folder is a file", func(t *testing.T) {
		smallDatasets(t)
		file := filepath.Join(t.TempDir(), "f")
		os.WriteFile(file, nil, 0o666)
		fails(t, exitFailed, []string{file}, "data", "get", "mnist", "--dir", file)
	})
}

// A download that Ctrl-C stops keeps what it has and goes on from there.
func TestDataGetStopped(t *testing.T) {
	files := smallDatasets(t)
	ctx, cancel := context.WithCancel(t.Context())
	var slow atomic.Bool
	slow.Store(true)
	url := serveFiles(t, func(w http.ResponseWriter, r *http.Request) {
		b := files[r.URL.Path]
		if !slow.Load() {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b[:100_000])
		w.(http.Flusher).Flush()
		time.Sleep(50 * time.Millisecond)
		cancel()
		<-r.Context().Done()
	})
	dir := t.TempDir()
	r := weftWith(t, ctx, "", "data", "get", "mnist", "--dir", dir, "--mirror", url)
	if r.code != exitInterrupted || !strings.Contains(r.stderr, "run the same command again") {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	slow.Store(false)
	if r := ok(t, "data", "get", "mnist", "--dir", dir, "--mirror", url); !strings.Contains(r.stderr, "going on after") {
		t.Errorf("the download began anew:\n%s", r.stderr)
	}
}
