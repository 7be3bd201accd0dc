// Package gobuild says how the programs of the page are compiled: whoever builds them takes the flags from here.
package gobuild

// hot lists the packages whose loops run in Go in the page and not in the kernel module: inlining pays there. Everywhere else it
// only makes the program larger, and so it does with Go's own packages where it is left out.
var hot = []string{"simd", "core/prog", "core/random", "core/internal/detmath", "core/data/digits", "core/data/augment"}

const module = "github.com/weft-ml/weft/"

// Flags returns the arguments of "go build" between the verb and the package: no symbol tables, no paths of the machine, no inlining but in hot loops.
func Flags() []string {
	f := []string{"-trimpath", "-ldflags=-s -w", "-gcflags=all=-l", "-gcflags=std="}
	for _, p := range hot {
		f = append(f, "-gcflags="+module+p+"=")
	}
	return f
}
