// Mkworker builds the Worker into a folder that "wrangler deploy" takes, and prints what its files weigh:
//
//	go run ./demo/worker/mkworker -o build/worker
package main

import (
	"context"
	"flag"
	"fmt"
	"io"

	"github.com/weft-ml/weft/demo/worker/bundle"
	"github.com/weft-ml/weft/js/build"
)

// The platform's limits on what is uploaded, in bytes: raw, and gzip on the free plan and on the paid ones.
const rawLimit, freeLimit, paidLimit = 64 << 20, 3 << 20, 10 << 20

func main() { build.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mkworker", flag.ContinueOnError)
	out := flags.String("o", "build/worker", "write the Worker into `folder`")
	if !build.Parse(flags, args, stderr) {
		return 2
	}
	if err := bundle.Build(ctx, bundle.Options{Out: *out}); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	raw, packed, err := sizes(stdout, *out)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 1
	case raw > rawLimit || packed > paidLimit:
		fmt.Fprintf(stderr, "weft: the Worker is %d bytes, %d with gzip; the platform takes %d and %d\n", raw, packed, rawLimit, paidLimit)
		return 1
	case packed > freeLimit:
		fmt.Fprintf(stdout, "more than the %d bytes of the free plan, less than the %d of the paid ones\n", freeLimit, paidLimit)
	}
	fmt.Fprintf(stdout, "deploy it with: cd %s && npx wrangler deploy\n", *out)
	return 0
}

// sizes prints the weight of the files that are uploaded and returns their sums.
func sizes(w io.Writer, dir string) (raw, packed int, err error) {
	all, err := bundle.Weigh(dir)
	fmt.Fprintf(w, "%-22s %10s %10s\n", "", "raw", "gzip")
	for _, f := range all {
		raw, packed = raw+f.Raw, packed+f.Packed
		fmt.Fprintf(w, "%-22s %10d %10d\n", f.Name, f.Raw, f.Packed)
	}
	fmt.Fprintf(w, "%-22s %10d %10d\n", "together", raw, packed)
	return raw, packed, err
}
