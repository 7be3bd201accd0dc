// Mksite builds the page into a folder:
//
//	go run ./demo/web/mksite -o build/web
//
// With -size it prints what the page's files weigh and fails when what a browser fetches before the first prediction, or before the
// window's first frame, is over its budget.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/weft-ml/weft/demo/web/site"
	"github.com/weft-ml/weft/js/build"
)

// budget is what a browser may fetch before the first prediction, in bytes of brotli.
const budget = 900_000

// windowBudget is what it may fetch before the first frame of the window, most of which is Ebitengine and Go's own library.
const windowBudget = 4_200_000

func main() { build.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mksite", flag.ContinueOnError)
	out := flags.String("o", "build/web", "write the page into `folder`")
	size := flags.Bool("size", false, "print what the files weigh")
	quick := flags.Bool("quick", false, "compress less, for tests")
	too := flags.Bool("window", false, "build demo/ebiten too, for the page at window/; it fetches Ebitengine where that is not there")
	if !build.Parse(flags, args, stderr) {
		return 2
	}
	if err := site.Build(ctx, site.Options{Out: *out, Quick: *quick, Window: *too, Notice: func(line string) { fmt.Fprintln(stderr, "weft:", line) }}); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if !*size {
		return 0
	}
	sizes, err := site.Sizes(*out)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	var total, all, window site.Size
	rest, built := false, false
	fmt.Fprintf(stdout, "%-40s %10s %10s %10s\n", "", "raw", "gzip", "brotli")
	for _, s := range sizes {
		if s.Fetched {
			total.Raw, total.Gzip, total.Brotli = total.Raw+s.Raw, total.Gzip+s.Gzip, total.Brotli+s.Brotli
		} else if !rest {
			rest = true
			fmt.Fprintf(stdout, "%-40s %10d %10d %10d  of %d\n\n", "before the first prediction", total.Raw, total.Gzip, total.Brotli, budget)
		}
		if s.Fetched || s.Always {
			all.Raw, all.Gzip, all.Brotli = all.Raw+s.Raw, all.Gzip+s.Gzip, all.Brotli+s.Brotli
		}
		if s.Window {
			window.Raw, window.Gzip, window.Brotli = window.Raw+s.Raw, window.Gzip+s.Gzip, window.Brotli+s.Brotli
			built = built || s.Note == site.AtWindow
		}
		fmt.Fprintln(stdout, strings.TrimRight(fmt.Sprintf("%-40s %10d %10d %10d  %s", s.Name, s.Raw, s.Gzip, s.Brotli, s.Note), " "))
	}
	fmt.Fprintf(stdout, "%-40s %10d %10d %10d\n", "everything that one browser fetches", all.Raw, all.Gzip, all.Brotli)
	if built {
		fmt.Fprintf(stdout, "%-40s %10d %10d %10d  of %d\n", "before the first frame of /window", window.Raw, window.Gzip, window.Brotli, windowBudget)
	}
	if total.Brotli == 0 {
		fmt.Fprintln(stderr, "weft: no brotli sizes: install Node")
		return 1
	}
	if total.Brotli > budget {
		fmt.Fprintf(stderr, "weft: the page is %d bytes over its budget\n", total.Brotli-budget)
		return 1
	}
	if built && window.Brotli > windowBudget {
		fmt.Fprintf(stderr, "weft: the window is %d bytes over its budget\n", window.Brotli-windowBudget)
		return 1
	}
	return 0
}
