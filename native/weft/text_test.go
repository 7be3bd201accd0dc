package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyText writes a text of n bytes in which there is something to learn.
func tinyText(t *testing.T, path string, n int) {
	t.Helper()
	const verse = "ROMEO:\nThe cat sat on the mat; é the rat ran.\n\nJULIET:\nTo be, or not to be?\n\n"
	s := strings.Repeat(verse, n/len(verse)+1)[:n]
	if err := os.WriteFile(path, []byte(strings.ToValidUTF8(s, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A model of text is trained, stopped and resumed to the same bytes, measured, and writes.
func TestTrainText(t *testing.T) {
	for _, name := range []string{"char-lstm", "char-gpt"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			data := filepath.Join(dir, "poem.txt")
			tinyText(t, data, 3000)
			args := func(out string, more ...string) []string {
				return append([]string{"train", name, "--data", data, "--epochs", "3", "--batch-size", "8", "--window", "32", "--out", out, "--json"}, more...)
			}
			out := filepath.Join(dir, "m.onnx")
			r := ok(t, args(out, "--plot", filepath.Join(dir, "m.svg"), "--log", filepath.Join(dir, "log"))...)
			m := lastJSON(t, r)
			loss, best := m["validation_loss"].(float64), m["best_validation_loss"].(float64)
			if !(loss < 3.5 && best <= loss) || m["steps"].(float64) < 20 || len([]rune(m["sample"].(string))) != sampleLength || m["best"] != filepath.Join(dir, "m.best.onnx") {
				t.Errorf("%v", m)
			}
			if !strings.Contains(r.stderr, "nats/character") {
				t.Errorf("validation is not told:\n%s", r.stderr)
			}
			if svg := readFile(t, filepath.Join(dir, "m.svg")); !bytes.Contains(svg, []byte("Loss")) || bytes.Contains(svg, []byte("Confusion")) {
				t.Error("the plot is not that of a text")
			}
			if log := readFile(t, filepath.Join(dir, "log")); bytes.Count(log, []byte("\n")) != int(m["steps"].(float64)) {
				t.Error("the log has not a line for every step")
			}

			// Stopped and resumed.
			part := filepath.Join(dir, "part.onnx")
			ctx := newStopAfter(t.Context(), 12)
			if r := weftWith(t, ctx, "", args(part)...); r.code != exitInterrupted {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			ok(t, args(part, "--resume", "--threads", "1")...)
			if !bytes.Equal(readFile(t, out), readFile(t, part)) {
				t.Error("a run that was stopped and resumed ends with other bytes")
			}
			fails(t, exitUsage, []string{"window"}, args(part, "--resume", "--window", "16")...)

			// Its last validation is what eval finds in the same part of the text.
			e := lastJSON(t, ok(t, "eval", out, "--data", data, "--json"))
			if d := e["loss"].(float64) - loss; math.Abs(d) > 1e-9 || e["characters"].(float64) < 200 {
				t.Errorf("eval %v, training %v", e, loss)
			}
			ok(t, "eval", out, "--data", data, "--split", "all")

			// It writes, the same text for the same seed.
			write := func(more ...string) string {
				return ok(t, append([]string{"generate", out, "--prompt", "ROMEO:", "--length", "50"}, more...)...).stdout
			}
			a := write("--seed", "3")
			if a != write("--seed", "3") || a == write("--seed", "4") || len([]rune(a)) != 51 {
				t.Errorf("writes %q", a)
			}
			if write("--temperature", "0") != write("--top-k", "1") {
				t.Error("the likeliest text is not one")
			}
			fails(t, exitFailed, []string{"'%'", "byte 2"}, "generate", out, "--prompt", "To%")
			if r := ok(t, "inspect", out); !strings.Contains(r.stdout, "weft train "+name) {
				t.Errorf("inspect lacks the command:\n%s", r.stdout)
			}
			fails(t, exitFailed, []string{"classifier"}, "predict", out, data)
		})
	}
}

func TestTextMistakes(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out := filepath.Join(dir, "m.onnx")
	good := file("good.txt", strings.Repeat("abcdefg hij. ", 300))
	for _, c := range []struct {
		code  int
		parts []string
		args  []string
	}{
		{exitUsage, []string{"--data"}, nil},
		{exitFailed, []string{"no such file"}, []string{"--data", filepath.Join(dir, "none.txt")}},
		{exitFailed, []string{"folder"}, []string{"--data", dir}},
		{exitFailed, []string{"latin.txt", "byte 3", "UTF-8"}, []string{"--data", file("latin.txt", "caf\xe9 au lait")}},
		{exitFailed, []string{"0 characters"}, []string{"--data", file("empty.txt", "")}},
		{exitFailed, []string{"two different"}, []string{"--data", file("same.txt", "aaaaaaaaaaaaa")}},
		{exitFailed, []string{"windows of 128"}, []string{"--data", file("short.txt", strings.Repeat("ab", 400))}},
		{exitFailed, []string{"validation", "too few"}, []string{"--data", good, "--val-split", "0.001"}},
		{exitUsage, []string{"--window"}, []string{"--data", good, "--window", "0"}},
		{exitUsage, []string{"--augment"}, []string{"--data", good, "--augment", "shift=1"}},
		{exitUsage, []string{"--image-size"}, []string{"--data", good, "--image-size", "8"}},
	} {
		fails(t, c.code, c.parts, append([]string{"train", "char-lstm", "--out", out, "--epochs", "1"}, c.args...)...)
	}
	fails(t, exitUsage, []string{"--window"}, "train", "lenet", "--window", "8", "--out", out)
	fails(t, exitUsage, []string{"char-gpt", "lenet"}, "train", "vgg")
	if _, err := os.Stat(out); err == nil {
		t.Error("a mistake left a model")
	}
	lenet := filepath.Join("..", "..", "models", "lenet", "weights", "mnist.onnx")
	fails(t, exitFailed, []string{"no language model", "char-lstm"}, "generate", lenet)
	fails(t, exitUsage, []string{"--split all"}, "eval", lenet, "--split", "all")
	for _, args := range [][]string{{"--length", "0"}, {"--temperature", "-1"}, {"--temperature", "NaN"}, {"--top-k", "-2"}, {"--top-p", "2"}, {"--threads", "-1"}, {"--prompt", ""}} {
		fails(t, exitUsage, args[:1], append([]string{"generate", lenet}, args...)...)
	}
}
