package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"

	"github.com/weft-ml/weft/models"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/data/idx"
)

// invocation is what one command line did.
type invocation struct {
	code           int
	stdout, stderr string
}

// weft runs one command line in this process.
func weft(t *testing.T, args ...string) invocation {
	t.Helper()
	return weftWith(t, t.Context(), "", args...)
}

func weftWith(t *testing.T, ctx context.Context, stdin string, args ...string) invocation {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &out, &errs)
	return invocation{code, out.String(), errs.String()}
}

// ok runs a command line that must succeed.
func ok(t *testing.T, args ...string) invocation {
	t.Helper()
	r := weft(t, args...)
	if r.code != exitOK {
		t.Fatalf("weft %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r
}

// fails runs a command line that must fail with the code, and checks that the message holds every part.
func fails(t *testing.T, code int, parts []string, args ...string) invocation {
	t.Helper()
	r := weft(t, args...)
	if r.code != code {
		t.Fatalf("weft %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	for _, p := range parts {
		if !strings.Contains(r.stderr, p) {
			t.Errorf("weft %s: the message lacks %q:\n%s", strings.Join(args, " "), p, r.stderr)
		}
	}
	return r
}

// lastJSON decodes the last line of stdout.
func lastJSON(t *testing.T, r invocation) map[string]any {
	t.Helper()
	lines := strings.Split(strings.TrimRight(r.stdout, "\n"), "\n")
	m := map[string]any{}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &m); err != nil {
		t.Fatalf("the last line of stdout is no JSON object: %v\n%s", err, r.stdout)
	}
	return m
}

// The tiny data set: built-in digits, written once.
const tinyTrain, tinyTest = 320, 100

var tiny struct {
	sync.Once
	trainX, testX []byte
	trainY, testY []byte
	err           error
}

func drawn(n int, test bool) (x, y []byte, err error) {
	src := digits.New(digits.Options{Seed: 7, Samples: n, Test: test})
	px := make([]float32, src.Spec().Size())
	for i := range n {
		label, err := src.Read(0, i, px, nil)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range px {
			x = append(x, byte(v*255+0.5))
		}
		y = append(y, byte(label))
	}
	return x, y, nil
}

// tinyIDX writes the tiny data set as a folder of IDX files in dir.
func tinyIDX(t *testing.T, dir string) string {
	t.Helper()
	tiny.Do(func() {
		if tiny.trainX, tiny.trainY, tiny.err = drawn(tinyTrain, false); tiny.err == nil {
			tiny.testX, tiny.testY, tiny.err = drawn(tinyTest, true)
		}
	})
	if tiny.err != nil {
		t.Fatal(tiny.err)
	}
	path := filepath.Join(dir, "mnist")
	if err := os.MkdirAll(path, 0o777); err != nil {
		t.Fatal(err)
	}
	writeIDX(t, filepath.Join(path, "train-images-idx3-ubyte"), []int{tinyTrain, 28, 28}, tiny.trainX)
	writeIDX(t, filepath.Join(path, "train-labels-idx1-ubyte"), []int{tinyTrain}, tiny.trainY)
	writeIDX(t, filepath.Join(path, "t10k-images-idx3-ubyte"), []int{tinyTest, 28, 28}, tiny.testX)
	writeIDX(t, filepath.Join(path, "t10k-labels-idx1-ubyte"), []int{tinyTest}, tiny.testY)
	return path
}

func writeIDX(t *testing.T, path string, dims []int, elements []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := idx.Write(&b, dims, elements); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

var tinyModel struct {
	sync.Once
	b []byte
}

// trained returns a folder with the tiny data set in mnist and a model trained on it in lenet.onnx.
func trained(t *testing.T) (dir, model, dataDir string) {
	t.Helper()
	dir = t.TempDir()
	dataDir, model = tinyIDX(t, dir), filepath.Join(dir, "lenet.onnx")
	tinyModel.Do(func() {
		ok(t, "train", "lenet", "--data", dataDir, "--epochs", "8", "--out", model)
		tinyModel.b = readFile(t, model)
		os.Remove(model + ".ckpt")
	})
	if err := os.WriteFile(model, tinyModel.b, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir, model, dataDir
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noLitter fails when the folder holds anything but the named files.
func noLitter(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("%s was left in the folder", e.Name())
		}
		delete(want, e.Name())
	}
	for n := range want {
		t.Errorf("%s is missing", n)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		name  string
		args  []string
		parts []string
	}{
		{"unknown verb", []string{"fly"}, []string{"fly"}},
		{"unknown flag", []string{"train", "lenet", "--wings"}, []string{"--wings", "weft train --help"}},
		{"no model", []string{"train"}, []string{"name of a model", "lenet5"}},
		{"two models", []string{"train", "mlp", "cnn"}, []string{"2 arguments"}},
		{"unknown model", []string{"train", "alexnet"}, []string{"alexnet", "lenet"}},
		{"not a number", []string{"train", "mlp", "--epochs", "many"}, []string{"--epochs"}},
		{"no epochs", []string{"train", "mlp", "--epochs", "0"}, []string{"--epochs", "0"}},
		{"no batch", []string{"train", "mlp", "--batch-size", "-1"}, []string{"--batch-size"}},
		{"lr 0", []string{"train", "mlp", "--lr", "0"}, []string{"--lr"}},
		{"lr NaN", []string{"train", "mlp", "--lr", "NaN"}, []string{"--lr"}},
		{"lr Inf", []string{"train", "mlp", "--lr", "+Inf"}, []string{"--lr"}},
		{"val-split 1", []string{"train", "mlp", "--val-split", "1"}, []string{"--val-split"}},
		{"threads", []string{"train", "mlp", "--threads", "-2"}, []string{"--threads"}},
		{"smoothing", []string{"train", "mlp", "--label-smoothing", "1.5"}, []string{"--label-smoothing"}},
		{"ema", []string{"train", "mlp", "--ema", "1"}, []string{"--ema"}},
		{"clip", []string{"train", "mlp", "--clip-norm", "-1"}, []string{"--clip-norm"}},
		{"clip both ways", []string{"train", "mlp", "--clip-norm", "1", "--clip-variable-norm", "1"}, []string{"--clip-norm", "--clip-variable-norm"}},
		{"checkpoints", []string{"train", "mlp", "--checkpoint-every", "0"}, []string{"--checkpoint-every"}},
		{"image size", []string{"train", "mlp", "--image-size", "0"}, []string{"--image-size"}},
		{"classes", []string{"train", "mlp", "--classes", "-1"}, []string{"--classes"}},
		{"optimizer", []string{"train", "mlp", "--optimizer", "sgdd"}, []string{"sgdd", "adamw"}},
		{"weight decay", []string{"train", "mlp", "--weight-decay", "-1"}, []string{"weight decay"}},
		{"schedule", []string{"train", "mlp", "--schedule", "cosin"}, []string{"cosin", "onecycle"}},
		{"schedule parameter", []string{"train", "mlp", "--schedule", "step:eery=3"}, []string{"eery", "every"}},
		{"augmentation", []string{"train", "mlp", "--augment", "melt=3"}, []string{"--augment", "melt"}},
		{"split", []string{"eval", "m.onnx", "--split", "validation"}, []string{"--split", "validation"}},
		{"predict nothing", []string{"predict", "m.onnx"}, []string{"images"}},
		{"serve nothing", []string{"serve"}, []string{"model files"}},
		{"serve address", []string{"serve", "m.onnx", "--addr", "8080"}, []string{"--addr", ":PORT"}},
		{"serve queue", []string{"serve", "m.onnx", "--queue", "0"}, []string{"--queue"}},
		{"serve threads", []string{"serve", "m.onnx", "--threads", "-1"}, []string{"--threads"}},
		{"serve batch", []string{"serve", "m.onnx", "--batch", "0"}, []string{"--batch"}},
		{"serve batch wait", []string{"serve", "m.onnx", "--batch-wait", "2ms"}, []string{"--batch-wait", "--batch"}},
		{"serve body", []string{"serve", "m.onnx", "--max-body", "0"}, []string{"--max-body", "MiB"}},
		{"serve memory", []string{"serve", "m.onnx", "--memory", "-1"}, []string{"--memory"}},
		{"serve timeout", []string{"serve", "m.onnx", "--timeout", "-1s"}, []string{"--timeout"}},
		{"serve grace", []string{"serve", "m.onnx", "--grace", "-1s"}, []string{"--grace"}},
		{"serve origin", []string{"serve", "m.onnx", "--cors", "example.org"}, []string{"--cors", "https://"}},
		{"inspect batch", []string{"inspect", "m.onnx", "--batch", "0"}, []string{"--batch"}},
		{"inspect nothing", []string{"inspect"}, []string{"model file"}},
		{"bench regexp", []string{"bench", "--only", "("}, []string{"--only"}},
		{"bench threads", []string{"bench", "--threads", "-1"}, []string{"--threads"}},
		{"data set", []string{"data", "get", "imagenet"}, []string{"imagenet", "fashion-mnist"}},
		{"data verb", []string{"data", "fetch"}, []string{"fetch", "get"}},
		{"version argument", []string{"version", "x"}, []string{"no arguments"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			fails(t, exitUsage, c.parts, c.args...)
			m := lastJSON(t, weft(t, append(c.args, "--json")...))
			if m["error"] == "" || m["exit"] != float64(exitUsage) {
				t.Errorf("--json printed %v", m)
			}
			noLitter(t, ".")
		})
	}
}

func TestVersion(t *testing.T) {
	if r := ok(t, "version"); !strings.HasPrefix(r.stdout, "weft ") {
		t.Errorf("version printed %q", r.stdout)
	}
	m := lastJSON(t, ok(t, "version", "--json"))
	for _, k := range []string{"version", "go", "platform", "kernels", "numerics", "cpus"} {
		if m[k] == nil || m[k] == "" {
			t.Errorf("--json lacks %s: %v", k, m)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := ok(t, "completion", shell); !strings.Contains(r.stdout, "weft") {
			t.Errorf("no completion script for %s", shell)
		}
	}
	if r := ok(t, "__complete", "train", "le"); !strings.Contains(r.stdout, "lenet5") {
		t.Errorf("the models are not completed: %q", r.stdout)
	}
}

// TestHelpExamples runs every example of every help text, on the tiny data set.
func TestHelpExamples(t *testing.T) {
	dir, _, _ := trained(t)
	writePNG(t, filepath.Join(dir, "digit.png"), digitPicture(t, 3, 60, false))
	if err := os.WriteFile(filepath.Join(dir, "small.json"), []byte(`{"lenet":["lenet/infer_b1"]}`), 0o666); err != nil {
		t.Fatal(err)
	}
	tinyText(t, filepath.Join(dir, "shakespeare.txt"), 9000)
	for _, m := range models.LanguageNames() {
		ok(t, "train", m, "--data", filepath.Join(dir, "shakespeare.txt"), "--epochs", "1", "--batch-size", "2", "--window", "16", "--val-split", "0.5", "--out", filepath.Join(dir, m+".onnx"))
	}
	mirror := serveDatasets(t)
	t.Chdir(dir)
	root := (&cli{stdout: io.Discard, stderr: io.Discard}).root()
	var visit func(c *cobra.Command)
	visit = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			visit(sub)
		}
		if c.Name() == "help" || c.Name() == "completion" || c.Parent() != nil && c.Parent().Name() == "completion" {
			return
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Example, "\n") {
			args := exampleArgs(t, line)
			switch args[0] {
			case "train":
				if !strings.Contains(line, "--data") {
					args = append(args, "--data", "mnist")
				}
				if !strings.Contains(line, "--epochs") {
					args = append(args, "--epochs", "1")
				}
			case "bench":
				args = append(args, "--workloads", "small.json")
			case "data":
				args = append(args, "--mirror", mirror)
			case "serve": // runs until it is stopped
				if r := startServer(t, append(args, "--addr", "localhost:0")...).stop(); r.code != exitOK {
					t.Errorf("%s: exit %d\n%s", line, r.code, r.stderr)
				}
				continue
			}
			r := weft(t, args...)
			if r.code != exitOK {
				t.Errorf("%s: exit %d\n%s", line, r.code, r.stderr)
			}
		}
	}
	visit(root)
}

// exampleArgs splits an example as a shell does, without the program's name.
func exampleArgs(t *testing.T, line string) []string {
	t.Helper()
	var args []string
	for _, a := range strings.Fields(line) {
		if strings.Contains(a, "*") {
			found, err := filepath.Glob(a)
			if err != nil || len(found) == 0 {
				t.Fatalf("%s: nothing fits %s", line, a)
			}
			args = append(args, found...)
			continue
		}
		args = append(args, strings.Trim(a, "'"))
	}
	if len(args) < 2 || args[0] != "weft" {
		t.Fatalf("example %q does not begin with weft", line)
	}
	return args[1:]
}
