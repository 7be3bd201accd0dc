//go:build !js

package learn_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/demo/ebiten/learn"
	"github.com/weft-ml/weft/demo/ebiten/net"
)

func config() learn.Config {
	return learn.Config{Data: learn.Digits, LearningRate: 2e-3, BatchSize: 32, Epochs: 2, Seed: 1, Samples: 2560, TestSamples: 300}
}

// wait waits until the trainer is as it should be.
func wait(t *testing.T, tr learn.Trainer, what string, ok func(*learn.Snapshot) bool) *learn.Snapshot {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s := tr.Snapshot(); ok(s) {
			return s
		} else if s.State == learn.Failed {
			t.Fatal(s.Err)
		}
	}
	t.Fatalf("not %s within a minute: %+v", what, tr.Snapshot())
	return nil
}

// TestRun: a run learns, its curves grow, and its weights are a model that reads digits.
func TestRun(t *testing.T) {
	tr := learn.New(nil)
	defer tr.Close()
	if s := tr.Snapshot(); s.State != learn.Idle || tr.Weights() != nil {
		t.Errorf("a new trainer is %v and has %d bytes of weights", s.State, len(tr.Weights()))
	}
	if err := tr.Start(config()); err != nil {
		t.Fatal(err)
	}
	if err := tr.Start(config()); err == nil {
		t.Error("two runs at once")
	}
	s := wait(t, tr, "done", func(s *learn.Snapshot) bool { return s.State == learn.Done })
	if s.Step != 160 || s.Steps != 160 || s.Epoch != 2 || len(s.Test) != 2 || s.Model != 2 {
		t.Errorf("step %d of %d, epoch %d, %d tests, model %d", s.Step, s.Steps, s.Epoch, len(s.Test), s.Model)
	}
	if a := s.Test[1].Accuracy; a < 0.7 {
		t.Errorf("accuracy %v after two epochs", a)
	}
	first, last := s.Train[0], s.Train[len(s.Train)-1]
	if !(last.Loss < first.Loss/2) || !(last.Accuracy > first.Accuracy) {
		t.Errorf("the curve goes from %+v to %+v", first, last)
	}
	for i, p := range s.Train {
		if p.Accuracy < 0 || p.Accuracy > 1 || i > 0 && p.Step <= s.Train[i-1].Step {
			t.Fatalf("point %d of the curve is %+v after %+v", i, p, s.Train[max(0, i-1)])
		}
	}
	n, err := net.Load(tr.Weights())
	if err != nil {
		t.Fatal(err)
	}
	n.Close()
	again := config()
	again.Epochs = 1
	if err := tr.Start(again); err != nil {
		t.Fatal(err)
	}
	wait(t, tr, "done again", func(s *learn.Snapshot) bool { return s.State == learn.Done && s.Model == 3 })
}

// TestPause: nothing moves in a pause, the weights of that moment are there, and the rest follows; the same bits as without.
func TestPause(t *testing.T) {
	train := func(pause bool) string {
		tr := learn.New(nil)
		defer tr.Close()
		if err := tr.Start(config()); err != nil {
			t.Fatal(err)
		}
		if pause {
			wait(t, tr, "under way", func(s *learn.Snapshot) bool { return s.Step > 3 })
			tr.Pause()
			s := wait(t, tr, "paused", func(s *learn.Snapshot) bool { return s.State == learn.Paused })
			if s.Step == s.Steps {
				t.Fatal("over before the pause")
			}
			if s.Model == 0 || tr.Weights() == nil {
				t.Error("a pause gives no weights")
			}
			time.Sleep(30 * time.Millisecond)
			if now := tr.Snapshot(); now.Step != s.Step {
				t.Errorf("step %d in a pause at %d", now.Step, s.Step)
			}
			tr.Resume()
		}
		wait(t, tr, "done", func(s *learn.Snapshot) bool { return s.State == learn.Done })
		return string(tr.Weights())
	}
	if train(false) != train(true) {
		t.Error("a pause changes what is learned")
	}
}

// TestStop: at any moment, from a pause too.
func TestStop(t *testing.T) {
	tr := learn.New(nil)
	defer tr.Close()
	tr.Stop()
	for _, paused := range []bool{false, true} {
		if err := tr.Start(config()); err != nil {
			t.Fatal(err)
		}
		wait(t, tr, "under way", func(s *learn.Snapshot) bool { return s.State == learn.Running })
		if paused {
			tr.Pause()
		}
		tr.Stop()
		s := wait(t, tr, "stopped", func(s *learn.Snapshot) bool { return s.State == learn.Stopped })
		if s.Step == s.Steps {
			t.Errorf("all %d steps in spite of the stop", s.Steps)
		}
		for end := time.Now().Add(time.Second); s.Model == 0 && time.Now().Before(end); {
			s = tr.Snapshot()
		}
		if s.Model == 0 {
			t.Error("a stop gives no weights")
		}
	}
}

// TestCrowd: commands and questions from everywhere, for the race detector.
func TestCrowd(t *testing.T) {
	tr := learn.New(nil)
	if err := tr.Start(config()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 50 {
				switch (i + k) % 4 {
				case 0:
					tr.Pause()
				case 1:
					tr.Resume()
				case 2:
					_ = tr.Weights()
				}
				for _, p := range tr.Snapshot().Train {
					_ = p
				}
			}
		})
	}
	wg.Wait()
	tr.Close()
	if s := tr.Snapshot(); s.State.Active() {
		t.Errorf("%v after Close", s.State)
	}
}

func TestConfigErrors(t *testing.T) {
	tr := learn.New(nil)
	defer tr.Close()
	for _, c := range []struct {
		cfg  learn.Config
		want string
	}{
		{learn.Config{Data: learn.Folder, LearningRate: 1, BatchSize: 1, Epochs: 1}, "--data"},
		{learn.Config{Data: learn.Digits, BatchSize: 1, Epochs: 1}, "learning rate"},
		{learn.Config{Data: learn.Digits, LearningRate: 1, Epochs: 1}, "batch size"},
	} {
		if err := tr.Start(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want something of %q", c.cfg, err, c.want)
		}
	}
}

// TestFolder: a run on the files of a folder.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	folder(t, dir)
	sets, err := learn.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	tr := learn.New(sets)
	defer tr.Close()
	onFolder(t, tr)
}

// onFolder trains on the files of folder.
func onFolder(t *testing.T, tr learn.Trainer) {
	t.Helper()
	if err := tr.Start(learn.Config{Data: learn.Folder, LearningRate: 2e-3, BatchSize: 32, Epochs: 1, Seed: 1, Samples: 256}); err != nil {
		t.Fatal(err)
	}
	s := wait(t, tr, "done", func(s *learn.Snapshot) bool { return s.State == learn.Done })
	if s.Samples != 256 || s.Steps != 8 || len(s.Test) != 1 || tr.Weights() == nil {
		t.Errorf("%d samples, %d steps, %d tests", s.Samples, s.Steps, len(s.Test))
	}
}

// folder writes four files like MNIST's, of the built-in digits.
func folder(t *testing.T, dir string) {
	t.Helper()
	for name, n := range map[string]int{"train": 320, "t10k": 100} {
		src := digits.New(digits.Options{Seed: 5, Test: name != "train"})
		pixels, labels, x := make([]byte, 0, n*784), make([]byte, n), make([]float32, 784)
		for i := range n {
			label, err := src.Read(0, i, x, nil)
			if err != nil {
				t.Fatal(err)
			}
			labels[i] = byte(label)
			for _, v := range x {
				pixels = append(pixels, byte(255*v))
			}
		}
		for file, data := range map[string]struct {
			dims     []int
			elements []byte
		}{"-images-idx3-ubyte": {[]int{n, 28, 28}, pixels}, "-labels-idx1-ubyte": {[]int{n}, labels}} {
			f, err := os.Create(filepath.Join(dir, name+file))
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(idx.Write(f, data.dims, data.elements), f.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestBring: what is dropped is read, files or their folder; what is wrong is told by the file's name, and what was there stays.
func TestBring(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "mine"), 0o755); err != nil {
		t.Fatal(err)
	}
	folder(t, filepath.Join(dir, "mine"))
	files := os.DirFS(filepath.Join(dir, "mine"))
	tr := learn.New(nil)
	defer tr.Close()
	bring := func(fsys fs.FS) *learn.Given {
		t.Helper()
		n := tr.Given().Count
		tr.Bring(fsys)
		for end := time.Now().Add(20 * time.Second); tr.Given().Count == n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the files are never read")
			}
		}
		return tr.Given()
	}
	with := func(name string, content []byte) fs.FS {
		m := fstest.MapFS{}
		for _, f := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"} {
			b, err := fs.ReadFile(files, f)
			if err != nil {
				t.Fatal(err)
			}
			if f == name {
				b = content
			}
			if b != nil {
				m[f] = &fstest.MapFile{Data: b}
			}
		}
		return m
	}
	if g := tr.Given(); g.Name != "" || g.Err != nil {
		t.Errorf("at the start %+v", g)
	}
	for what, c := range map[string]struct {
		fsys fs.FS
		want string
	}{
		"other files": {fstest.MapFS{"notes.txt": {}, "a.png": {}}, "a.png, notes.txt: no MNIST files"},
		"nothing":     {fstest.MapFS{}, "no MNIST files"},
		"a folder":    {fstest.MapFS{"mine/notes.txt": {}}, "mine: no MNIST files"},
		"no labels":   {with("train-labels-idx1-ubyte", nil), "no file train-labels-idx1-ubyte"},
		"no test":     {with("t10k-images-idx3-ubyte", nil), "no file t10k-images-idx3-ubyte"},
		"no IDX":      {with("train-images-idx3-ubyte", []byte("PK....")), "train-images-idx3-ubyte: offset 0: not an IDX file"},
		"cut":         {with("t10k-images-idx3-ubyte", []byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 28, 0, 0, 0, 28, 1, 2}), "t10k-images-idx3-ubyte: offset 18: the file ends here, expected 784 bytes"},
		"too few":     {with("t10k-labels-idx1-ubyte", []byte{0, 0, 8, 1, 0, 0, 0, 2, 1, 2}), "there are 2 labels for the 100 images"},
		"other size":  {with("t10k-images-idx3-ubyte", append([]byte{0, 0, 8, 3, 0, 0, 0, 100, 0, 0, 0, 2, 0, 0, 0, 1}, make([]byte, 200)...)), "images of 2 × 1"},
	} {
		if g := bring(c.fsys); g.Err == nil || !strings.Contains(g.Err.Error(), c.want) || g.Name != "" {
			t.Errorf("%s: %+v, want an error with %q", what, g, c.want)
		}
	}
	if g := bring(files); g.Err != nil || g.Name != "Your files" || g.Train != 320 || g.Test != 100 {
		t.Errorf("%+v", g)
	}
	onFolder(t, tr)
	if g := bring(fstest.MapFS{"notes.txt": {}}); g.Err == nil || g.Name != "Your files" {
		t.Errorf("after other files %+v", g)
	}
	if g := bring(os.DirFS(dir)); g.Err != nil || g.Name != "mine" {
		t.Errorf("%+v", g)
	}
	onFolder(t, tr)
}

func TestOpenFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing"): "no such file",
		file:                          "is a file",
		dir:                           "weft data get mnist",
	} {
		if _, err := learn.OpenFolder(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want something of %q", path, err, want)
		}
	}
}
