package weft_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// section returns the first fenced block of the language after a heading of the README.
func section(t *testing.T, heading, language string) string {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "## "+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no section %q", heading)
	}
	_, rest, ok = strings.Cut(rest, "```"+language+"\n")
	if !ok {
		t.Fatalf("section %q has no %s block", heading, language)
	}
	code, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatalf("the %s block of section %q does not end", language, heading)
	}
	return code
}

// TestGoExample builds and runs the README's Go program as it stands there.
func TestGoExample(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: trains a network")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.MkdirTemp(root, ".readme") // inside the module, so that its packages are found
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(src)
	if err := os.WriteFile(filepath.Join(src, "main.go"), []byte(section(t, "Train a network from Go", "go")), 0o644); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "example")
	if out, err := exec.Command("go", "build", "-o", bin, filepath.Join(src, "main.go")).CombinedOutput(); err != nil {
		t.Fatalf("the README's program does not build: %v\n%s", err, out)
	}
	cmd := exec.Command(bin)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the README's program failed: %v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != "test accuracy over 90 %: true" {
		t.Errorf("the README's program prints %q", got)
	}
	if st, err := os.Stat(filepath.Join(cmd.Dir, "lenet.onnx")); err != nil || st.Size() < 100_000 {
		t.Errorf("the README's program wrote no model: %v", err)
	}
}

// TestCommandLines runs the README's first commands as they stand there, but the clone.
func TestCommandLines(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: trains a network")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("skipped: there is no sh")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var script bytes.Buffer
	script.WriteString("set -e\n")
	for line := range strings.SplitSeq(section(t, "Train a network in a minute", "sh"), "\n") {
		switch {
		case strings.HasPrefix(line, "git clone"):
			continue
		case strings.HasPrefix(line, "go build"):
			line = strings.Replace(line, "go build -o weft", "go build -C "+root+" -o "+dir+"/weft", 1)
		}
		script.WriteString(line + "\n")
	}
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the README's commands failed: %v\n%s", err, out)
	}
	for _, want := range []string{"34622 parameters", "test accuracy 9", "34,622 parameters", "wrote lenet.onnx"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the README's commands do not print %q:\n%s", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "lenet.svg")); err != nil {
		t.Error(err)
	}
}
