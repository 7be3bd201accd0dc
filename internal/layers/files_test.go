package layers

import (
	"bytes"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weft-ml/weft/internal/require"
)

// machinePaths are the beginnings of paths that exist on one machine only. They are assembled here so that this
// file does not contain them.
var machinePaths = regexp.MustCompile(`(^|[\s"'=:(\[{` + "`" + `,])/(` + strings.Join([]string{"work", "root", "home", "Users", "tmp"}, "|") + `)/[A-Za-z0-9_.]`)

// files returns the tracked files, or skips where the repository is not a clone.
func files(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = require.Root(t)
	out, err := cmd.Output()
	if err != nil {
		t.Skip("skipped: not a git clone, so there is no list of tracked files")
	}
	var names []string
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		names = append(names, name)
	}
	return names
}

// TestNoMachinePaths: no tracked text names a folder of the machine it was written on.
func TestNoMachinePaths(t *testing.T) {
	root := require.Root(t)
	for _, name := range files(t) {
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(b, 0) >= 0 {
			continue // deleted but not committed, or not text
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			if m := machinePaths.Find(line); m != nil {
				t.Errorf("%s:%d names a path of one machine: %s", name, i+1, bytes.TrimSpace(line))
			}
		}
	}
}

// TestSmallFiles: generated output and data stay out of the repository. Weights of our own training, which cannot be built in minutes nor fetched, may have 4 MiB.
func TestSmallFiles(t *testing.T) {
	root := require.Root(t)
	for _, name := range files(t) {
		info, err := os.Stat(filepath.Join(root, name))
		limit := int64(1 << 20)
		if ok, _ := path.Match("models/*/weights/*.onnx", name); ok {
			limit = 4 << 20
		}
		if err == nil && info.Size() > limit {
			t.Errorf("%s has %d bytes; files larger than %d are built or fetched", name, info.Size(), limit)
		}
		if strings.HasSuffix(name, ".wasm") && err == nil && info.Size() >= 100_000 {
			t.Errorf("%s has %d bytes; a checked-in module has less than 100 KB", name, info.Size())
		}
	}
}
