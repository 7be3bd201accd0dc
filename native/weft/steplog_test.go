package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A stopped and resumed run leaves the log of one that was not stopped, whatever was cut off at its end.
func TestLog(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	whole, parts := filepath.Join(dir, "whole.jsonl"), filepath.Join(dir, "parts.jsonl")
	args := []string{"train", "mlp", "--data", dataDir, "--epochs", "2", "--out"}
	ok(t, append(args, filepath.Join(dir, "whole.onnx"), "--log", whole)...)

	args = append(args, filepath.Join(dir, "parts.onnx"), "--log", parts)
	if r := weftWith(t, newStopAfter(t.Context(), 12), "", args...); r.code != exitInterrupted {
		t.Fatalf("exit %d: %s", r.code, r.stderr)
	}
	f, err := os.OpenFile(parts, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"step":19,"epoch":2,"loss":1,"correct":1,"samples":32,"lr":0.1}` + "\n" + `{"step":20,"ep`) // beyond the checkpoint
	f.Close()
	ok(t, append(args, "--resume")...)
	a, b := readFile(t, whole), readFile(t, parts)
	if !bytes.Equal(a, b) {
		t.Errorf("the logs differ:\n%s\n%s", a, b)
	}
	if lines := strings.Split(strings.TrimSpace(string(a)), "\n"); len(lines) != 20 || !strings.HasPrefix(lines[0], `{"step":1,"epoch":1,"loss":`) || !strings.HasPrefix(lines[19], `{"step":20,"epoch":2,`) {
		t.Errorf("%d lines:\n%s", len(lines), a)
	}

	// A file of another kind is left alone by a run that would go on with it.
	weftWith(t, newStopAfter(t.Context(), 12), "", args...)
	other := filepath.Join(dir, "notes.txt")
	os.WriteFile(other, []byte("shopping: milk\n"), 0o666)
	fails(t, exitFailed, []string{"notes.txt", "no line of a log", "--log"}, append(args, "--resume", "--log", other)...)
	if string(readFile(t, other)) != "shopping: milk\n" {
		t.Error("the other file was changed")
	}
}
