package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data/digits"
)

// digitPicture draws a digit of the tiny training data as a picture of the given size, off centre, dark ink on light paper or light on dark.
func digitPicture(t *testing.T, digit, size int, light bool) image.Image {
	t.Helper()
	src := digits.New(digits.Options{Seed: 7, Samples: tinyTrain})
	px := make([]float32, 784)
	for i := range tinyTrain {
		if c, _ := src.Class(i); int(c) == digit {
			if _, err := src.Read(0, i, px, nil); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, size+9, size+4))
	for y := range size + 4 {
		for x := range size + 9 {
			ink := float32(0)
			if x < size && y < size {
				ink = px[y*28/size*28+x*28/size]
			}
			v := uint8(20 + 210*ink)
			if !light {
				v = 250 - v
			}
			img.Set(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if filepath.Ext(path) == ".jpg" {
		err = jpeg.Encode(f, img, nil)
	} else {
		err = png.Encode(f, img)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestPredict(t *testing.T) {
	dir, model, _ := trained(t)
	var files []string
	for i, name := range []string{"dark.png", "light.png", "large.jpg"} {
		path := filepath.Join(dir, name)
		writePNG(t, path, digitPicture(t, 3, []int{56, 84, 300}[i], i == 1))
		files = append(files, path)
	}
	r := ok(t, append([]string{"predict", model, "--json"}, files...)...)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d images:\n%s", len(lines), len(files), r.stdout)
	}
	var first prediction
	for i, l := range lines {
		var p prediction
		if err := json.Unmarshal([]byte(l), &p); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range p.Probabilities {
			sum += v
		}
		if p.File != files[i] || len(p.Probabilities) != 10 || math.Abs(sum-1) > 1e-9 {
			t.Errorf("line %d: %s", i, l)
		}
		if p.Probabilities[p.Digit] < 0.1 {
			t.Errorf("%s: digit %d is not the likeliest", p.File, p.Digit)
		}
		if i == 0 {
			first = p
		} else if p.Digit != first.Digit {
			t.Errorf("%s is taken for %d, the same drawing in %s for %d", p.File, p.Digit, first.File, first.Digit)
		}
	}
	if r := ok(t, append([]string{"predict", model}, files...)...); strings.Count(r.stdout, "%") != len(files) {
		t.Errorf("printed %q", r.stdout)
	}
	if r := ok(t, "predict", model, "--raw", files[1]); !strings.Contains(r.stdout, "light.png: ") {
		t.Errorf("printed %q", r.stdout)
	}

	// From standard input.
	r = weftWith(t, t.Context(), string(readFile(t, files[0])), "predict", model, "-", "--json")
	if m := lastJSON(t, r); r.code != exitOK || m["file"] != "-" || m["digit"] != float64(first.Digit) {
		t.Errorf("exit %d, %s", r.code, r.stdout)
	}

	t.Run("bad images", func(t *testing.T) {
		text := filepath.Join(dir, "text.png")
		os.WriteFile(text, []byte("no picture"), 0o666)
		cut := filepath.Join(dir, "cut.png")
		os.WriteFile(cut, readFile(t, files[0])[:200], 0o666)
		blank := filepath.Join(dir, "blank.png")
		writePNG(t, blank, image.NewGray(image.Rect(0, 0, 40, 40)))
		gone := filepath.Join(dir, "gone.png")
		r := fails(t, exitFailed, []string{text, cut, blank, gone, "4 of 5 images"}, "predict", model, text, cut, blank, gone, files[0], "--json")
		lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "dark.png") {
			t.Errorf("the good image must be classified, and the last line be the error: %s", r.stdout)
		}
		if m := lastJSON(t, r); m["exit"] != float64(exitFailed) {
			t.Errorf("the last line is %v", m)
		}
	})
}

func TestEval(t *testing.T) {
	_, model, dataDir := trained(t)
	m := lastJSON(t, ok(t, "eval", model, "--data", dataDir, "--json"))
	if m["images"] != float64(tinyTest) || m["split"] != "test" {
		t.Errorf("%v", m)
	}
	for _, k := range []string{"accuracy", "loss", "precision", "recall", "f1"} {
		if _, ok := m[k].(float64); !ok {
			t.Errorf("--json lacks %s", k)
		}
	}
	sum, diagonal := 0.0, 0.0
	for i, row := range m["confusion_matrix"].([]any) {
		for j, n := range row.([]any) {
			sum += n.(float64)
			if i == j {
				diagonal += n.(float64)
			}
		}
	}
	if sum != tinyTest || math.Abs(diagonal/sum-m["accuracy"].(float64)) > 1e-12 {
		t.Errorf("confusion matrix of %v samples, %v on the diagonal; accuracy %v", sum, diagonal, m["accuracy"])
	}
	if n := len(m["per_class"].([]any)); n != 10 {
		t.Errorf("%d classes", n)
	}
	m = lastJSON(t, ok(t, "eval", model, "--data", dataDir, "--split", "train", "--json", "--threads", "1"))
	if m["images"] != float64(tinyTrain) || m["accuracy"].(float64) < 0.5 {
		t.Errorf("on its training data: %v of %v images right", m["accuracy"], m["images"])
	}
	if r := ok(t, "eval", model, "--data", dataDir); !strings.Contains(r.stdout, "accuracy") || strings.Count(r.stdout, "\n") < 12 {
		t.Errorf("printed %q", r.stdout)
	}
}

func TestInspect(t *testing.T) {
	_, model, _ := trained(t)
	m := lastJSON(t, ok(t, "inspect", model, "--json", "--steps"))
	if m["parameters"] != float64(34622) {
		t.Errorf("%v parameters, want 34622", m["parameters"])
	}
	// Conv 6@5x5 on 24x24, Conv 16@6x5x5 on 8x8, 256x120, 120x10; a multiplication and an addition each. The pools compare each element that they read.
	if want := 2.0*(6*25*24*24+16*150*8*8+256*120+120*10) + 6*24*24 + 16*8*8; m["flops"] != want {
		t.Errorf("%v FLOPs, want %v", m["flops"], want)
	}
	in := m["inputs"].([]any)[0].(map[string]any)
	if in["shape"] != "[N 1 28 28]" || in["dtype"] != "float32" {
		t.Errorf("input %v", in)
	}
	if m["arena_bytes"].(float64) <= 0 || m["weight_bytes"] != float64(4*34622) || len(m["steps"].([]any)) == 0 {
		t.Errorf("memory or steps: %v", m)
	}
	double := lastJSON(t, ok(t, "inspect", model, "--json", "--batch", "2"))
	if double["flops"] != 2*m["flops"].(float64) {
		t.Errorf("a batch of two takes %v FLOPs, one %v", double["flops"], m["flops"])
	}
	if r := ok(t, "inspect", model, "--steps"); !strings.Contains(r.stdout, "MaxPool") || !strings.Contains(r.stdout, "34,622 parameters") {
		t.Errorf("printed %s", r.stdout)
	}
}

func TestBench(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "w.json")
	os.WriteFile(file, []byte(`{"sgemm":[[16,16,16]],"conv":[{"name":"small","n":1,"h":8,"w":8,"cin":4,"k":3,"cout":4,"pad":1,"groups":1}],
		"lenet":["lenet/train_b32"],"lstm":["lstm/fwd"],"onnx":["onnx/none"]}`), 0o666)
	r := ok(t, "bench", "--json", "--workloads", file, "--threads", "1", "--only", "sgemm|lstm|onnx")
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	var rows []benchRow
	for _, l := range lines {
		var row benchRow
		if err := json.Unmarshal([]byte(l), &row); err != nil {
			t.Fatal(err)
		}
		if row.Peer != "weft-1t" || row.Env != "native" {
			t.Errorf("%s", l)
		}
		rows = append(rows, row)
	}
	if len(rows) != 4 || rows[0].Info == nil || rows[1].W != "sgemm/16x16x16" || rows[2].Check == nil || rows[3].Skip == "" {
		t.Fatalf("%s", r.stdout)
	}
	if g := rows[1]; !(g.Min > 0 && g.Min <= g.Med) || g.N < 3 || g.Iters < 1 || g.Check == nil {
		t.Errorf("%s", lines[1])
	}
	// The check value is the mean absolute element of the product.
	a, b, sum := fill(256, 1, 1), fill(256, 2, 1), 0.0
	for i := range 16 {
		for j := range 16 {
			s := 0.0
			for k := range 16 {
				s += float64(a[i*16+k]) * float64(b[k*16+j])
			}
			sum += math.Abs(s)
		}
	}
	if c := *rows[1].Check; math.Abs(c-sum/256) > 1e-6 {
		t.Errorf("check %v, want %v", c, sum/256)
	}
	r = ok(t, "bench", "--workloads", file, "--threads", "1", "--only", "small|train", "--profile", "--trace", filepath.Join(dir, "traces"))
	for _, want := range []string{"conv/small", "GFLOP/s", "lenet/train_b32", "ConvGradWeight", "weft.Adam"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the profile lacks %s:\n%s", want, r.stdout)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "traces", "weft-1t-lenet-train_b32.json")); err != nil || !json.Valid(b) || !bytes.Contains(b, []byte("weft.Adam")) {
		t.Errorf("trace: %v, %d bytes", err, len(b))
	}
	fails(t, exitFailed, []string{"gone.json"}, "bench", "--workloads", "gone.json")
	os.WriteFile(file, []byte(`{"sgemm":`), 0o666)
	fails(t, exitFailed, []string{file}, "bench", "--workloads", file)
	os.WriteFile(file, []byte(`{"conv":[{"name":"none"}]}`), 0o666)
	if r := ok(t, "bench", "--workloads", file, "--threads", "1"); !strings.Contains(r.stdout, "failed: ") {
		t.Errorf("printed %s", r.stdout)
	}
}
