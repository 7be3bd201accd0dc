package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weft-ml/weft/core/train"
)

func TestTrain(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out, plot := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "m.svg")
	m := lastJSON(t, ok(t, "train", "lenet", "--data", dataDir, "--epochs", "12", "--out", out, "--plot", plot, "--json"))
	for k, want := range map[string]any{"parameters": 34622.0, "steps": 120.0, "start_step": 0.0, "epochs": 12.0, "test_images": float64(tinyTest), "model": "lenet"} {
		if m[k] != want {
			t.Errorf("%s is %v, want %v", k, m[k], want)
		}
	}
	if m["images_per_second"].(float64) <= 0 || m["seconds"].(float64) <= 0 {
		t.Errorf("speed: %v", m)
	}
	// 320 drawings are few; a network that learns nothing gets a tenth.
	if m["test_accuracy"].(float64) < 0.4 || m["test_loss"].(float64) > 2 {
		t.Errorf("accuracy %v, loss %v after training", m["test_accuracy"], m["test_loss"])
	}
	if e := lastJSON(t, ok(t, "eval", out, "--data", dataDir, "--json")); e["accuracy"] != m["test_accuracy"] || e["loss"] != m["test_loss"] {
		t.Errorf("eval measures %v and %v, train said %v and %v", e["accuracy"], e["loss"], m["test_accuracy"], m["test_loss"])
	}
	if svg := readFile(t, plot); !bytes.Contains(svg, []byte("<svg")) || !bytes.Contains(svg, []byte("Confusion matrix")) {
		t.Error("the plot is no SVG picture with a confusion matrix")
	}
	noLitter(t, dir, "mnist", "m.onnx", "m.onnx.ckpt", "m.svg")
	for _, secret := range []string{dir, "/home/", filepath.Base(out)} {
		if bytes.Contains(readFile(t, out), []byte(secret)) {
			t.Errorf("the model file holds %q", secret)
		}
	}
}

// Every architecture trains with its defaults, and the bits do not depend on the number of threads.
func TestTrainModels(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	for _, name := range []string{"mlp", "lenet", "lenet5", "cnn"} {
		t.Run(name, func(t *testing.T) {
			var files [][]byte
			for _, threads := range []string{"1", "3"} {
				out := filepath.Join(dir, name+threads+".onnx")
				r := ok(t, "train", name, "--data", dataDir, "--epochs", "1", "--out", out, "--threads", threads)
				if !strings.Contains(r.stdout, "test accuracy") || !strings.Contains(r.stderr, "epoch 1/1") {
					t.Errorf("printed %s%s", r.stdout, r.stderr)
				}
				files = append(files, readFile(t, out))
			}
			if !bytes.Equal(files[0], files[1]) {
				t.Error("the model file depends on the number of threads")
			}
		})
	}
}

func TestTrainOptions(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	for i, args := range [][]string{
		{"--optimizer", "sgd", "--lr", "0.05", "--schedule", "constant"},
		{"--optimizer", "momentum", "--lr", "0.01", "--schedule", "warmup:steps=3,step:every=4:gamma=0.5", "--clip-norm", "1"},
		{"--optimizer", "nesterov", "--lr", "0.01", "--schedule", "exponential:gamma=0.9", "--clip-value", "0.1", "--clip-variable-norm", "0.5"},
		{"--optimizer", "rmsprop", "--schedule", "onecycle"},
		{"--optimizer", "adagrad", "--weight-decay", "0.01"},
		{"--optimizer", "adamw", "--weight-decay", "0.01", "--ema", "0.9", "--label-smoothing", "0.1"},
		{"--optimizer", "lion", "--lr", "1e-4", "--schedule", "linear:floor=0.1"},
		{"--augment", "shift=2,rotate=10,scale=0.1", "--batch-size", "50"},
		{"--augment", "mixup=0.2"},
		{"--seed", "99", "--augment", "none"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			out := filepath.Join(dir, fmt.Sprint(i, ".onnx"))
			m := lastJSON(t, ok(t, append([]string{"train", "mlp", "--data", dataDir, "--epochs", "2", "--out", out, "--json"}, args...)...))
			if a := m["test_accuracy"].(float64); a < 0.1 {
				t.Errorf("accuracy %v", a)
			}
		})
	}
}

// TestTrainCommandInFile: a model file says how to make it again, and nothing of where it was made.
func TestTrainCommandInFile(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	ok(t, "train", "mlp", "--seed", "4", "--data", dataDir, "--epochs", "1", "--schedule", "constant", "--augment", "shift=1", "--threads", "1", "--out", out, "--json")
	file := string(readFile(t, out))
	want := "weft train mlp --augment shift=1 --data " + filepath.Base(dataDir) + " --epochs 1 --schedule constant --seed 4"
	if !strings.Contains(file, "weft.command") || !strings.Contains(file, want) {
		t.Errorf("the model file lacks the command %q", want)
	}
	if strings.Contains(file, dir) {
		t.Errorf("the model file holds %s", dir)
	}
	if r := ok(t, "inspect", out); !strings.Contains(r.stdout, want) {
		t.Errorf("inspect does not show the command:\n%s", r.stdout)
	}
}

func TestTrainValidation(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	m := lastJSON(t, ok(t, "train", "mlp", "--data", dataDir, "--epochs", "3", "--val-split", "0.25", "--out", out, "--json"))
	best := filepath.Join(dir, "m.best.onnx")
	if m["best"] != best || m["best_validation_accuracy"].(float64) < m["validation_accuracy"].(float64) || m["steps"] != 3*8.0 {
		t.Errorf("%v", m)
	}
	if r := ok(t, "inspect", best); !strings.Contains(r.stdout, "weft.validation_accuracy") {
		t.Errorf("the best model's metadata lack its accuracy:\n%s", r.stdout)
	}
	noLitter(t, dir, "mnist", "m.onnx", "m.onnx.ckpt", "m.best.onnx")
}

// stopAfter is a context that ends itself when it has been asked n times whether it has.
type stopAfter struct {
	context.Context
	mu   sync.Mutex
	left int
	done chan struct{}
}

func newStopAfter(ctx context.Context, n int) *stopAfter {
	return &stopAfter{Context: ctx, left: n, done: make(chan struct{})}
}

func (s *stopAfter) Done() <-chan struct{} { return s.done }

func (s *stopAfter) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 {
		close(s.done)
	}
	if s.left <= 0 {
		return context.Canceled
	}
	return nil
}

// A run that is stopped at many moments and resumed ends with the bytes of one that was not.
func TestResumeIsExact(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	for _, c := range []struct {
		name string
		args []string
	}{
		{"lenet", []string{"lenet", "--epochs", "3"}},
		{"everything", []string{"cnn", "--epochs", "2", "--batch-size", "48", "--val-split", "0.2", "--ema", "0.95", "--augment", "shift=2,noise=0.1,mixup=0.2", "--clip-norm", "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"train"}, append(c.args, "--data", dataDir, "--checkpoint-every", "7", "--json")...)
			whole := filepath.Join(dir, c.name+"-whole.onnx")
			ok(t, append(args, "--out", whole)...)
			parts := filepath.Join(dir, c.name+"-parts.onnx")
			resumes, last := 0, 0.0
			for n := 9; ; n += 14 {
				a := append(args, "--out", parts)
				if _, err := os.Stat(parts + ".ckpt"); err == nil {
					a = append(a, "--resume")
					resumes++
				}
				r := weftWith(t, newStopAfter(t.Context(), n), "", a...)
				if r.code == exitOK {
					last = lastJSON(t, r)["start_step"].(float64)
					break
				}
				if r.code != exitInterrupted || !strings.Contains(r.stderr, "--resume") {
					t.Fatalf("exit %d: %s", r.code, r.stderr)
				}
				if n > 2000 {
					t.Fatal("the run does not come to its end")
				}
			}
			if resumes < 2 || last == 0 {
				t.Fatalf("resumed %d times, the last time at step %v: the test does not test", resumes, last)
			}
			if !bytes.Equal(readFile(t, whole), readFile(t, parts)) {
				t.Error("the stopped and resumed run's model differs")
			}
			a, err := train.DecodeCheckpoint(readFile(t, whole+".ckpt"))
			if err != nil {
				t.Fatal(err)
			}
			if !a.Finished || !bytes.Equal(readFile(t, whole+".ckpt"), readFile(t, parts+".ckpt")) {
				t.Error("the last checkpoints differ")
			}
			if c.name == "everything" && !bytes.Equal(readFile(t, bestPath(whole)), readFile(t, bestPath(parts))) {
				t.Error("the best models differ")
			}
		})
	}
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	args := []string{"train", "mlp", "--data", dataDir, "--epochs", "2", "--out", out}
	fails(t, exitFailed, []string{out + ".ckpt", "nothing to resume", "without --resume"}, append(args, "--resume")...)

	r := weftWith(t, newStopAfter(t.Context(), 12), "", args...)
	if r.code != exitInterrupted {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	for _, other := range [][]string{{"--seed", "2"}, {"--lr", "0.5"}, {"--batch-size", "16"}, {"--epochs", "3"}, {"--optimizer", "sgd"}, {"--schedule", "constant"},
		{"--augment", "shift=1"}, {"--val-split", "0.5"}, {"--ema", "0.9"}, {"--label-smoothing", "0.1"}, {"--clip-norm", "1"}, {"--weight-decay", "0.1"}} {
		before := readFile(t, out+".ckpt")
		fails(t, exitUsage, []string{"other settings", strings.TrimPrefix(other[0], "--"), "there", "here"}, append(append(args, "--resume"), other...)...)
		if !bytes.Equal(before, readFile(t, out+".ckpt")) {
			t.Fatal("the checkpoint was changed")
		}
	}
	fails(t, exitUsage, []string{"model"}, "train", "lenet", "--data", dataDir, "--epochs", "2", "--out", out, "--resume", "--lr", "0.001")
	// Other data under the same settings.
	other := tinyIDX(t, t.TempDir())
	labels := readFile(t, filepath.Join(other, "train-labels-idx1-ubyte"))
	labels[8] = (labels[8] + 1) % 10
	os.WriteFile(filepath.Join(other, "train-labels-idx1-ubyte"), labels, 0o666)
	fails(t, exitUsage, []string{"data: "}, "train", "mlp", "--data", other, "--epochs", "2", "--out", out, "--resume")

	// A new run says what it replaces; threads and the checkpoint interval may differ.
	r = ok(t, append(args, "--resume", "--threads", "1", "--checkpoint-every", "3")...)
	if !strings.Contains(r.stderr, "going on after step") {
		t.Errorf("%s", r.stderr)
	}
	model := readFile(t, out)
	r = ok(t, append(args, "--resume", "--json")...)
	if !strings.Contains(r.stderr, "finished") || lastJSON(t, r)["start_step"] != 20.0 {
		t.Errorf("%s%s", r.stderr, r.stdout)
	}
	if !bytes.Equal(model, readFile(t, out)) {
		t.Error("resuming a finished run changed the model")
	}
	weftWith(t, newStopAfter(t.Context(), 12), "", args...)
	if r := ok(t, args...); !strings.Contains(r.stderr, "unfinished run") {
		t.Errorf("no note about the run that is replaced:\n%s", r.stderr)
	}
}

func TestDamagedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	args := []string{"train", "mlp", "--data", dataDir, "--epochs", "2", "--out", out}
	weftWith(t, newStopAfter(t.Context(), 12), "", args...)
	good := readFile(t, out+".ckpt")
	flip := func(at int) []byte { b := bytes.Clone(good); b[at] ^= 0x10; return b }
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("hello"), "half": good[:len(good)/2], "short by one": good[:len(good)-1],
		"longer": append(bytes.Clone(good), 0), "a weight's bit": flip(len(good) - 5000), "the header": flip(40), "the length": flip(3),
	} {
		t.Run(name, func(t *testing.T) {
			os.WriteFile(out+".ckpt", b, 0o666)
			fails(t, exitFailed, []string{out + ".ckpt", "without --resume"}, append(args, "--resume")...)
		})
	}
	os.WriteFile(out+".ckpt", good, 0o666)
	ok(t, append(args, "--resume")...)
}

// Losing the fight against the learning rate is said, with the step and the way out, and leaves no model.
func TestDivergence(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	out := filepath.Join(dir, "m.onnx")
	fails(t, exitFailed, []string{"loss", "step", "learning rate"}, "train", "mlp", "--data", dataDir, "--optimizer", "sgd", "--lr", "1e30", "--schedule", "constant", "--out", out)
	if _, err := os.Stat(out); err == nil {
		t.Error("a model of no use was written")
	}
}

func TestPlainProgress(t *testing.T) {
	var b bytes.Buffer
	p := newProgress(&b, 0, 10, "images")
	p.every = 0
	for i := range 10 {
		p.update(i+1, i/5, 2, 1, 16, 32)
	}
	p.note("done %d", 1)
	p.done()
	if n := strings.Count(b.String(), "\n"); n != 11 || !strings.Contains(b.String(), "step 10/10  epoch 2/2  loss 1.0000  accuracy 50.00 %") || strings.ContainsAny(b.String(), "\r\x1b") {
		t.Errorf("%d lines:\n%s", n, b.String())
	}
	if isTerminal(&b) || isTerminal(io.Discard) {
		t.Error("a buffer is no terminal")
	}
}
