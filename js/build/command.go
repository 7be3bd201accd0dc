package build

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// Main runs a program that builds something and ends the process with the code that it returns; Ctrl-C ends its context. Tests call what Main calls.
func Main(run func(ctx context.Context, args []string, stdout, stderr io.Writer) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Parse reads the flags of such a program that takes no other arguments, and reports whether it was called as it should be. Where not, which is exit code 2, stderr tells.
func Parse(flags *flag.FlagSet, args []string, stderr io.Writer) bool {
	flags.Init(flags.Name(), flag.ContinueOnError)
	flags.SetOutput(stderr)
	if flags.Parse(args) != nil {
		return false
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "%s takes flags alone, not %q\n", flags.Name(), flags.Arg(0))
		flags.Usage()
		return false
	}
	return true
}
