// Command weft trains, evaluates and runs neural networks from the command line.
//
//	weft train lenet --data ./mnist --out lenet.onnx
//	weft eval lenet.onnx --data ./mnist
//	weft predict lenet.onnx digit.png
//
// Run "weft help" for all verbs.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Exit codes.
const (
	exitOK          = 0
	exitFailed      = 1   // the work failed: bad data, full disk
	exitUsage       = 2   // the command line is wrong
	exitInterrupted = 130 // stopped by a signal, state saved
)

// run executes one command line; tests call it in place of a process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdin: stdin, stdout: stdout, stderr: stderr, wantJSON: slices.Contains(args, "--json")}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	return c.exitCode(err)
}
