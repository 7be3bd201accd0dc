// Package require finds what a test needs from outside the repository: reference data and
// programs. What is absent skips the test with a line that says what to install; under
// WEFT_REQUIRE, a comma-separated list of kinds ("data", "browser", "qemu", "torch", "ort"),
// absence of that kind is a failure instead, so that continuous integration cannot lose a test
// silently.
package require

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Required reports whether WEFT_REQUIRE names the kind.
func Required(kind string) bool {
	return slices.Contains(strings.Split(os.Getenv("WEFT_REQUIRE"), ","), kind)
}

// Missing skips the test, or fails it when WEFT_REQUIRE names the kind.
func Missing(t testing.TB, kind, why string) {
	t.Helper()
	if Required(kind) {
		t.Fatalf("WEFT_REQUIRE=%s: %s", kind, why)
	}
	t.Skipf("skipped: %s", why)
}

// Root returns the repository's root folder.
func Root(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("no caller information")
	}
	return filepath.Dir(filepath.Dir(filepath.Dir(file)))
}

// Shared returns the path of a file or folder in the folder "shared" beside the repository
// (WEFT_SHARED overrides where that is).
func Shared(t testing.TB, elem ...string) string {
	t.Helper()
	base := os.Getenv("WEFT_SHARED")
	if base == "" {
		base = filepath.Join(filepath.Dir(Root(t)), "shared")
	}
	p := filepath.Join(append([]string{base}, elem...)...)
	if _, err := os.Stat(p); err != nil {
		Missing(t, "data", "reference data not found: "+filepath.Join(append([]string{"../shared"}, elem...)...))
	}
	return p
}

// Data returns the path of a data set in ../shared/data.
func Data(t testing.TB, elem ...string) string {
	t.Helper()
	return Shared(t, append([]string{"data"}, elem...)...)
}

// Tool returns the path of the first program of that name that PATH has.
func Tool(t testing.TB, kind string, names ...string) string {
	t.Helper()
	for _, n := range names {
		if p, err := exec.LookPath(n); err == nil {
			return p
		}
	}
	Missing(t, kind, "none of these programs is installed: "+strings.Join(names, ", "))
	return ""
}
