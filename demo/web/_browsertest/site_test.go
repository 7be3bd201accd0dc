package browsertest

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-ml/weft/demo/web/site"
	"github.com/weft-ml/weft/internal/require"
)

// built is the page and its server, built once for all tests of this package.
var built struct {
	once sync.Once
	dir  string
	err  error
	// Why the site has no page of the window.
	windowless string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// build returns the folder with the page (site) and its server (serve).
func build(t *testing.T) string {
	t.Helper()
	root := require.Root(t)
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "weft-page-"); built.err != nil {
			return
		}
		if built.err = site.Build(context.Background(), site.Options{Out: filepath.Join(built.dir, "site"), Quick: true, Window: true, Notice: func(line string) { built.windowless = line }}); built.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", filepath.Join(built.dir, "serve"), "./demo/web/serve")
		cmd.Dir = root
		if text, err := cmd.CombinedOutput(); err != nil {
			built.err = errors.Join(err, errors.New(string(text)))
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

// serve starts a server of the page on a free port and returns its address and a function that ends it before the test does.
func serve(t *testing.T) (address string, stop func()) {
	t.Helper()
	dir := build(t)
	cmd := exec.Command(filepath.Join(dir, "serve"), "-dir", filepath.Join(dir, "site"))
	cmd.Env = append(os.Environ(), "PORT=0", "HOST=127.0.0.1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(stop)
	line := make([]byte, 256)
	n, err := stdout.Read(line)
	if err != nil && err != io.EOF {
		t.Fatal(err)
	}
	address = strings.TrimSpace(string(line[:n]))
	if !strings.HasPrefix(address, "http://localhost:") {
		t.Fatalf("the server printed %q", address)
	}
	return address, stop
}
