package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/core/onnx/files"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/native/serve"
)

type serveFlags struct {
	addr      string
	threads   int
	queue     int
	batch     int
	batchWait time.Duration
	maxBody   int
	memory    int
	timeout   time.Duration
	grace     time.Duration
	cors      []string
	verbose   bool
}

// patience is how long the parts of a connection may take, besides a request's own --timeout: a client that sends or reads slower holds nothing for longer.
type patience struct{ header, body, write, idle time.Duration }

var patient = patience{header: 10 * time.Second, body: 2 * time.Minute, write: 2 * time.Minute, idle: 2 * time.Minute}

const maxHeader = 64 << 10

// server returns the server of a handler whose answers are there timeout after the end of a request's body; 0: nobody knows when.
func (p patience) server(h http.Handler, timeout time.Duration, log *log.Logger) *http.Server {
	s := &http.Server{Handler: h, ErrorLog: log, ReadHeaderTimeout: p.header, ReadTimeout: p.header + p.body, IdleTimeout: p.idle, MaxHeaderBytes: maxHeader}
	if timeout > 0 { // it counts from the header on, as the time for reading counts from before it
		s.WriteTimeout = s.ReadTimeout + timeout + p.write
	}
	return s
}

func (c *cli) serveCmd() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [NAME=]MODEL.onnx...",
		Short: "Answer requests to models over HTTP",
		Long: `Serves models over HTTP. Any model answers by the Open Inference Protocol, version 2, with JSON or binary tensors:
/v2/models, /v2/models/NAME, /v2/models/NAME/infer, /v2/health/live and /v2/health/ready. A model that reads digits (28x28 grey pictures, ten classes) also
answers at /v1/digits, to a PNG or JPEG, prepared as "weft predict" does, or to 784 numbers; a page to draw on is at /. A model's name is its file's unless
NAME= says another.

Requests wait in one queue and are computed one after the other, by all threads together; when --queue of them wait, one more is refused with
status 429. --batch computes up to that many rows of waiting requests together; answers are the same, bit for bit, and a model for which a trial shows that they
are not is refused. A signal (Ctrl-C, SIGTERM) closes the door, finishes what was accepted, and ends; a second one ends at once.

By default only programs on this machine can ask; "--addr :8080" is for all that can reach it.`,
		Example: "  weft serve lenet.onnx\n  weft serve lenet.onnx --addr :8080 --queue 256\n  weft serve digits=lenet.onnx --batch 32 --batch-wait 2ms --cors https://example.org",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 1 {
				return usagef("%s takes one or more model files; see \"%s --help\"", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return c.serve(cmd.Context(), args, f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.addr, "addr", "localhost:8080", "address to listen on, HOST:PORT; port 0 takes a free one")
	fl.IntVar(&f.threads, "threads", 0, "threads to compute with (0: all processors)")
	fl.IntVar(&f.queue, "queue", 64, "requests that may wait while one is computed")
	fl.IntVar(&f.batch, "batch", 1, "rows of waiting requests to compute together at most (1: each request alone)")
	fl.DurationVar(&f.batchWait, "batch-wait", 0, "how long the first request of a batch waits for others")
	fl.IntVar(&f.maxBody, "max-body", 32, "largest body of a request, in MiB")
	fl.IntVar(&f.memory, "memory", 0, "memory that models may take, in MiB (0: no bound)")
	fl.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long a request may wait and be computed (0: no bound)")
	fl.DurationVar(&f.grace, "grace", 30*time.Second, "how long what was accepted may take after a signal")
	fl.StringSliceVar(&f.cors, "cors", nil, "origin whose pages may ask, such as https://example.org (\"*\": all); may be repeated")
	fl.BoolVarP(&f.verbose, "verbose", "v", false, "print a line for every request on stderr")
	return cmd
}

func (f serveFlags) check() error {
	switch {
	case f.threads < 0:
		return usagef("--threads must be at least 0, not %d", f.threads)
	case f.queue < 1:
		return usagef("--queue must be at least 1, not %d", f.queue)
	case f.batch < 1:
		return usagef("--batch must be at least 1, not %d", f.batch)
	case f.batchWait < 0:
		return usagef("--batch-wait must not be negative, as %v is", f.batchWait)
	case f.batchWait > 0 && f.batch == 1:
		return usagef("--batch-wait is for batches: say with --batch how large they may be")
	case f.maxBody < 1 || f.maxBody > 1<<20:
		return usagef("--max-body must be 1 to %d MiB, not %d", 1<<20, f.maxBody)
	case f.memory < 0:
		return usagef("--memory must be at least 0, not %d", f.memory)
	case f.timeout < 0:
		return usagef("--timeout must not be negative, as %v is", f.timeout)
	case f.grace < 0:
		return usagef("--grace must not be negative, as %v is", f.grace)
	}
	if _, _, err := net.SplitHostPort(f.addr); err != nil {
		return usagef("--addr must be HOST:PORT or :PORT, not %q", f.addr)
	}
	for _, o := range f.cors {
		scheme, host, ok := strings.Cut(o, "://")
		if o != "*" && (!ok || scheme != "http" && scheme != "https" || host == "" || strings.ContainsAny(host, "/ ")) {
			return usagef("--cors takes an origin such as https://example.org, without a path, or \"*\", not %q", o)
		}
	}
	return nil
}

// serving is what is printed when the server listens.
type serving struct {
	URL    string   `json:"url"`
	Models []string `json:"models"`
}

func (c *cli) serve(ctx context.Context, args []string, f serveFlags) error {
	logger := log.New(c.stderr, "weft: ", 0)
	s := serve.New(serve.Options{Threads: f.threads, Queue: f.queue, MaxBody: int64(f.maxBody) << 20, Memory: int64(f.memory) << 20, Timeout: f.timeout, Origins: f.cors,
		Version: currentVersion().Version, Log: func(text string) { logger.Print(text) }})
	defer s.Close(context.Background())
	names := make([]string, len(args))
	for i, arg := range args {
		name, err := loadServed(s, arg, f)
		if err != nil {
			return err
		}
		names[i] = name
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return fmt.Errorf("--addr: %w", err)
	}
	h := http.Handler(s)
	if f.verbose {
		h = logged(h, c.stderr)
	}
	server := patient.server(h, f.timeout, logger)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()

	at := serving{"http://" + reachable(l.Addr().String()) + "/", names}
	if c.json {
		c.printJSON(at)
	} else {
		fmt.Fprintf(c.stdout, "serving %s at %s\n", strings.Join(names, ", "), at.URL)
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	signal.Reset(os.Interrupt, syscall.SIGTERM) // the next one ends the process
	fmt.Fprintln(c.stderr, "finishing what was accepted; another signal ends at once")
	s.Drain()
	left, cancel := context.WithTimeout(context.Background(), f.grace)
	defer cancel()
	err = errors.Join(server.Shutdown(left), s.Close(left))
	if err != nil {
		server.Close()
		err = fmt.Errorf("some requests took longer than --grace %v and were not finished", f.grace)
	}
	stats := s.Stats()
	if c.json {
		c.printJSON(stats)
	} else {
		fmt.Fprintf(c.stdout, "answered %d, refused %d, cancelled %d, failed %d\n", stats.Answered, stats.Refused, stats.Cancelled, stats.Failed)
	}
	return err
}

// loadServed loads a model that an argument names, FILE or NAME=FILE, and returns its name.
func loadServed(s *serve.Server, arg string, f serveFlags) (string, error) {
	path := arg
	name, file, named := strings.Cut(arg, "=")
	if _, err := os.Stat(arg); err != nil && named {
		path = file
	} else {
		name = strings.TrimSuffix(filepath.Base(arg), filepath.Ext(arg))
	}
	if err := serve.CheckName(name); err != nil {
		if path == arg {
			return "", fmt.Errorf("%w; NAME=%s gives it a name", err, path)
		}
		return "", err
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	_, err = s.Load(name, b, serve.LoadOptions{Operators: op.Full, External: files.In(os.DirFS(filepath.Dir(path))), Batch: f.batch, BatchWait: f.batchWait})
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return name, nil
}

// reachable returns a listener's address as a browser on this machine takes it.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// logged prints a line for every request.
func logged(h http.Handler, w io.Writer) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: rw, status: http.StatusOK}
		defer func() {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(w, "%s %s %q %d %d B %v\n", start.UTC().Format(time.RFC3339), r.Method, r.URL.Path, rec.status, rec.bytes, time.Since(start).Round(time.Microsecond))
		}()
		h.ServeHTTP(rec, r)
	})
}

// recorder remembers what a handler answers.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}
