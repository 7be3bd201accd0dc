// Serve is a small static web server for the page:
//
//	go run ./demo/web/serve -dir build/web
//
// It listens on $PORT (8080) of every network interface, or of $HOST's. It sends the headers that isolate the page
// (so that WebAssembly threads may run), compressed files where the browser takes them, and entity tags.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", "build/web", "serve `folder`")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return 2
	}
	port := getenv("PORT")
	if port == "" {
		port = "8080"
	}
	root, err := os.OpenRoot(*dir)
	if err != nil {
		fmt.Fprintf(stderr, "weft: serve: %v (make run builds the page first)\n", err)
		return 1
	}
	defer root.Close()
	listener, err := net.Listen("tcp", net.JoinHostPort(getenv("HOST"), port))
	if err != nil {
		fmt.Fprintf(stderr, "weft: serve: %v (choose another port with PORT=...)\n", err)
		return 1
	}
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	fmt.Fprintf(stdout, "http://localhost:%s/\n", port)

	server := &http.Server{Handler: newHandler(root.FS()), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		stopping, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		err = server.Shutdown(stopping)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(stderr, "weft: serve:", err)
		return 1
	}
	return 0
}
