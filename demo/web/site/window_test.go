package site

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetchModules: a module that cannot be had is told of, in one line.
func TestFetchModules(t *testing.T) {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOMODCACHE", t.TempDir())
	for name, c := range map[string]struct{ mod, want string }{
		"none":   {"module m\n\ngo 1.26.0\n", ""},
		"absent": {"module m\n\ngo 1.26.0\n\nrequire example.com/absent v1.0.0\n", "example.com/absent"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(c.mod), 0o644); err != nil {
				t.Fatal(err)
			}
			why := (&builder{}).fetchModules(t.Context(), dir)
			if (why == "") != (c.want == "") || !strings.Contains(why, c.want) || strings.Contains(why, "\n") {
				t.Errorf("%q, want something of %q", why, c.want)
			}
		})
	}
}
