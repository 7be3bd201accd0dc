//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary behave as the program itself: what is killed is a real process.
const asProgram = "WEFT_TEST_AS_PROGRAM"

// fileLimit bounds the size of the files that the process may write, as a full disk does.
const fileLimit = "WEFT_TEST_FILE_LIMIT"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		if v := os.Getenv(fileLimit); v != "" {
			n, _ := strconv.ParseUint(v, 10, 64)
			signal.Ignore(syscall.SIGXFSZ)
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
				panic(err)
			}
		}
		main()
	}
	os.Exit(m.Run())
}

type process struct {
	*exec.Cmd
	out, errs bytes.Buffer
}

func spawn(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self, args...)}
	p.Env = append(append(os.Environ(), asProgram+"=1"), env...)
	p.Stdout, p.Stderr = &p.out, &p.errs
	return p
}

// exit waits and returns the exit code, -1 when a signal ended the process.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	err := p.Wait()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// waitFor waits until the file is there, or differs from old.
func waitFor(t *testing.T, path string, old []byte) {
	t.Helper()
	for range 6000 {
		if b, err := os.ReadFile(path); err == nil && !bytes.Equal(b, old) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s is not written", path)
}

func TestKilled(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	args := []string{"train", "lenet", "--data", dataDir, "--epochs", "30", "--checkpoint-every", "7", "--json"}
	whole := filepath.Join(dir, "whole.onnx")
	ok(t, append(args, "--out", whole)...)

	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			out := filepath.Join(dir, strconv.Itoa(int(sig))+".onnx")
			a := append(args, "--out", out)
			var ckpt []byte
			for i := range 3 {
				p := spawn(t, nil, a...)
				if err := p.Start(); err != nil {
					t.Fatal(err)
				}
				waitFor(t, out+".ckpt", ckpt)
				time.Sleep(time.Duration(13*i) * time.Millisecond)
				if err := p.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				switch code := p.exit(t); {
				case sig == syscall.SIGKILL && code != -1, sig != syscall.SIGKILL && code != exitInterrupted:
					t.Fatalf("exit %d\n%s%s", code, p.out.String(), p.errs.String())
				case sig != syscall.SIGKILL && !strings.Contains(p.errs.String(), "with --resume to go on"):
					t.Errorf("nothing says how to go on:\n%s", p.errs.String())
				}
				if i == 0 {
					a = append(a, "--resume")
				}
				ckpt = readFile(t, out+".ckpt")
			}
			p := spawn(t, nil, a...)
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			if code := p.exit(t); code != exitOK {
				t.Fatalf("exit %d\n%s", code, p.errs.String())
			}
			if m := lastJSON(t, invocation{stdout: p.out.String()}); m["start_step"].(float64) == 0 {
				t.Error("the run began anew")
			}
			if !bytes.Equal(readFile(t, whole), readFile(t, out)) {
				t.Error("the model differs from that of the run without interruption")
			}
		})
	}
}

// TestServeSignal: requests under way when a signal comes are all answered, connections that come later are refused, and a second signal
// ends the process though something is still under way.
func TestServeSignal(t *testing.T) {
	_, model, _ := trained(t)
	body := "[" + strings.Repeat("0.5,", 783) + "1]"
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			p := spawn(t, nil, "serve", model, "--addr", "localhost:0")
			out := &watched{line: make(chan string, 1)}
			p.Stdout = out
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			defer p.Process.Kill()
			address := strings.TrimSuffix(strings.TrimPrefix(servedURL.FindString(<-out.line), "http://"), "/")
			var conns []net.Conn
			for range 20 {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.SetDeadline(time.Now().Add(time.Minute))
				// The server asks for the body when the handler reads it: from then on the request is accepted.
				fmt.Fprintf(c, "POST /v1/digits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
				b := make([]byte, 25)
				if _, err := io.ReadFull(c, b); err != nil || string(b) != "HTTP/1.1 100 Continue\r\n\r\n" {
					t.Fatalf("%q, %v", b, err)
				}
				io.WriteString(c, body[:len(body)/2])
				conns = append(conns, c)
			}
			if err := p.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			for range 6000 {
				c, err := net.Dial("tcp", address)
				if err != nil {
					break
				}
				c.Close()
				time.Sleep(5 * time.Millisecond)
			}
			last := conns[len(conns)-1]
			for i, c := range conns[:len(conns)-1] {
				io.WriteString(c, body[len(body)/2:])
				res, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || res.StatusCode != 200 {
					t.Fatalf("request %d: %v, %v", i, res, err)
				}
			}
			if sig == syscall.SIGINT {
				if err := p.Process.Signal(sig); err != nil {
					t.Fatal(err)
				}
				if code := p.exit(t); code != -1 {
					t.Errorf("exit %d after a second signal\n%s", code, p.errs.String())
				}
				return
			}
			io.WriteString(last, body[len(body)/2:])
			if res, err := http.ReadResponse(bufio.NewReader(last), nil); err != nil || res.StatusCode != 200 {
				t.Fatalf("the last request: %v, %v", res, err)
			}
			if code := p.exit(t); code != exitOK || !strings.Contains(out.String(), "answered 20, refused 0, cancelled 0, failed 0") {
				t.Errorf("exit %d\n%s%s", code, out, p.errs.String())
			}
		})
	}
}

// A disk that is full when a checkpoint or a model is written: an error that names the file, the old file intact, nothing half-written.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	args := []string{"train", "lenet", "--data", dataDir, "--epochs", "2", "--out", out}
	p := spawn(t, []string{fileLimit + "=50000"}, args...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitFailed || !strings.Contains(p.errs.String(), "cannot write "+out+".ckpt") {
		t.Errorf("exit %d: %s", code, p.errs.String())
	}
	noLitter(t, dir, "mnist")

	ok(t, args...)
	model, ckpt := readFile(t, out), readFile(t, out+".ckpt")
	p = spawn(t, []string{fileLimit + "=50000"}, append(args, "--seed", "2")...)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitFailed {
		t.Errorf("exit %d: %s", code, p.errs.String())
	}
	if !bytes.Equal(model, readFile(t, out)) || !bytes.Equal(ckpt, readFile(t, out+".ckpt")) {
		t.Error("the files that were there are changed")
	}
	noLitter(t, dir, "mnist", "m.onnx", "m.onnx.ckpt")
}
