package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// cli carries what every verb shares: the streams and the flags of the root.
type cli struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	json           bool
	wantJSON       bool // --json stands on a command line that may not parse
}

// usageError marks a mistake in the command line: exit code 2.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// interrupted marks work that a signal stopped after its state was saved: exit code 130.
type interrupted struct{ hint string }

func (e interrupted) Error() string { return e.hint }

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "weft",
		Short: "Train, evaluate and run neural networks",
		Long: `Weft trains, evaluates and runs neural networks: natively here, and in the web page with the same
model file. Models are ONNX files.`,
		Example:       "  weft train lenet --out lenet.onnx\n  weft predict lenet.onnx digit.png",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().BoolVar(&c.json, "json", false, "print the result as one JSON object, the last line on stdout")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w\nRun \"%s --help\" for its options.", err, cmd.CommandPath())}
	})
	root.AddCommand(c.trainCmd(), c.evalCmd(), c.predictCmd(), c.serveCmd(), c.generateCmd(), c.inspectCmd(), c.benchCmd(), c.dataCmd(), c.versionCmd())
	return root
}

// exitCode reports an error on stderr (and, with --json, as an object on stdout) and returns the exit code.
func (c *cli) exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailed
	var u usageError
	var i interrupted
	switch {
	case errors.As(err, &i), errors.Is(err, context.Canceled):
		code = exitInterrupted
	case errors.As(err, &u), strings.HasPrefix(err.Error(), "unknown command"):
		code = exitUsage
	}
	// Errors of the packages begin with "weft: "; one at the start is enough.
	msg := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "weft: "), ": weft: ", ": ")
	if errors.Is(err, context.Canceled) {
		msg = "stopped"
	}
	fmt.Fprintln(c.stderr, "weft: "+msg)
	if c.json || c.wantJSON {
		c.printJSON(map[string]any{"error": msg, "exit": code})
	}
	return code
}

// printJSON prints one object on one line.
func (c *cli) printJSON(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		fmt.Fprintln(c.stderr, "weft: "+err.Error())
		return
	}
	fmt.Fprintf(c.stdout, "%s\n", b)
}

// isTerminal reports whether w is a terminal that shows progress bars and colours.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
}

// exactArgs is cobra.ExactArgs with an error that says what was expected.
func exactArgs(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usagef("%s takes %s, got %d arguments; see \"%s --help\"", cmd.CommandPath(), what, len(args), cmd.CommandPath())
		}
		return nil
	}
}
