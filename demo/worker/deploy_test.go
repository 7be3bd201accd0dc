//go:build !js

package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/demo/worker/bundle"
	"github.com/weft-ml/weft/internal/require"
)

// TestDeploy has wrangler do all of a deployment but the upload: it takes the folder as it is, without a word of warning, and what it would
// upload is what the other tests run.
func TestDeploy(t *testing.T) {
	needsWorkerd(t)
	wrangler, err := filepath.Abs(filepath.Join("node_modules", "wrangler", "bin", "wrangler.js"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(wrangler); err != nil {
		require.Missing(t, "workerd", "wrangler is not installed; run npm ci in demo/worker")
	}
	dir, out := build(t, bundle.Options{}), t.TempDir()
	config, err := os.ReadFile(filepath.Join(dir, "wrangler.jsonc"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(config, []byte(`"compatibility_date": "`+compatibilityDate+`"`)) {
		t.Errorf("wrangler.jsonc has another compatibility date than the tests, %s", compatibilityDate)
	}
	cmd := exec.Command("node", wrangler, "deploy", "--dry-run", "--outdir", out)
	cmd.Dir = dir
	home := t.TempDir() // where wrangler keeps its logs
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "WRANGLER_SEND_METRICS=false", "CI=true", "NO_COLOR=1")
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("wrangler: %v\n%s", err, text)
	}
	if low := strings.ToLower(string(text)); strings.Contains(low, "warning") || strings.Contains(low, "unexpected") {
		t.Errorf("wrangler is not content:\n%s", text)
	}
	n := 0
	err = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "README.md" { // which wrangler writes
			return err
		}
		n++
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(out, path)
		want, err := os.ReadFile(filepath.Join(dir, rel))
		if err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes would be uploaded, %d are in the folder", rel, len(got), len(want))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != 4 {
		t.Errorf("%d files would be uploaded, not the script and three modules\n%s", n, text)
	}
}

// TestTypes has the TypeScript compiler check the Worker's script by its comments.
func TestTypes(t *testing.T) {
	node := require.Tool(t, "node", "node")
	tsc := filepath.Join(require.Root(t), "js", "node_modules", "typescript", "bin", "tsc")
	if _, err := os.Stat(tsc); err != nil {
		require.Missing(t, "node", "the TypeScript compiler is not installed; run npm ci in js")
	}
	if text, err := exec.Command(node, tsc, "-p", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
