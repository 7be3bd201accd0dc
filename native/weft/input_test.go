package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeTable writes a CSV file of two classes that a line divides.
func writeTable(t *testing.T, path string, rows int, edit func(row int, cells []string) []string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("a,b,kind\n")
	for i := range rows {
		cells := []string{fmt.Sprint(float64(i%7) / 7), fmt.Sprint(float64(i%5)/5 + float64(i%2)), []string{"low", "high"}[i%2]}
		if edit != nil {
			cells = edit(i, cells)
		}
		b.WriteString(strings.Join(cells, ",") + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestCSV(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	writeTable(t, "t.csv", 200, nil)
	m := lastJSON(t, ok(t, "train", "mlp", "--data", "t.csv", "--label", "kind", "--epochs", "30", "--lr", "0.01", "--json"))
	if m["test_accuracy"].(float64) < 0.9 || m["data"] != "CSV file" || m["test_images"] != 20.0 {
		t.Errorf("%v", m)
	}
	e := lastJSON(t, ok(t, "eval", "mlp.onnx", "--data", "t.csv", "--label", "kind", "--json"))
	if e["accuracy"] != m["test_accuracy"] || e["per_class"].([]any)[0].(map[string]any)["class"] != "high" {
		t.Errorf("%v", e)
	}
	nan := func(cell string) func(int, []string) []string {
		return func(row int, c []string) []string {
			if row == 11 {
				c[1] = cell
			}
			return c
		}
	}
	for _, c := range []struct {
		name  string
		edit  func(int, []string) []string
		parts []string
	}{
		{"NaN", nan("NaN"), []string{"line 13", `"b"`, "--missing drop"}},
		{"infinite", nan("1e999"), []string{"line 13", `"b"`}},
		{"word", nan("tall"), []string{"line 13", `"b"`}},
		{"empty cell", nan(""), []string{"line 13", `"b"`, "--missing fill"}},
		{"short row", func(row int, c []string) []string { return c[:3-row/150] }, []string{"line 152"}},
		{"one class", func(_ int, c []string) []string { c[2] = "same"; return c }, []string{"classes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeTable(t, "bad.csv", 200, c.edit)
			fails(t, exitFailed, c.parts, "train", "mlp", "--data", "bad.csv", "--label", "kind")
			noLitter(t, ".", "bad.csv")
		})
	}
	writeTable(t, "gaps.csv", 200, nan("NaN"))
	for how, n := range map[string]float64{"drop": 199, "fill": 200} {
		m := lastJSON(t, ok(t, "train", "mlp", "--data", "gaps.csv", "--label", "kind", "--missing", how, "--epochs", "1", "--val-split", "0.5", "--json"))
		if m["test_images"].(float64) < 19 || n < 199 {
			t.Errorf("--missing %s: %v", how, m)
		}
	}
	fails(t, exitUsage, []string{"--missing"}, "train", "mlp", "--data", "t.csv", "--missing", "guess")
	fails(t, exitFailed, []string{`no column "wings"`, "t.csv", "kind"}, "train", "mlp", "--data", "t.csv", "--label", "wings")
	fails(t, exitFailed, []string{"lenet takes images", "mlp"}, "train", "lenet", "--data", "t.csv", "--label", "kind")
	if err := os.Mkdir("empty", 0o777); err != nil {
		t.Fatal(err)
	}
	fails(t, exitFailed, []string{"empty", "train-images-idx3-ubyte", "train.csv", "sub-folders"}, "train", "lenet", "--data", "empty")
}

// Tables of pixels, as MNIST is often handed around: a label, then 784 numbers of 0 to 255.
func TestPixelTable(t *testing.T) {
	dir := t.TempDir()
	idxDir := tinyIDX(t, dir)
	var b strings.Builder
	for i := range tinyTrain {
		fmt.Fprint(&b, tiny.trainY[i])
		for _, v := range tiny.trainX[i*784 : (i+1)*784] {
			fmt.Fprint(&b, ",", v)
		}
		b.WriteString("\n")
	}
	table := filepath.Join(dir, "pixels.csv")
	os.WriteFile(table, []byte(b.String()), 0o666)
	out := filepath.Join(dir, "m.onnx")
	r := ok(t, "train", "lenet", "--data", table, "--epochs", "3", "--out", out, "--json")
	if !strings.Contains(r.stderr, "[1 28 28]") || !strings.Contains(r.stderr, "divided by 255") {
		t.Errorf("%s", r.stderr)
	}
	// The model of the table is measured on the IDX files.
	ok(t, "eval", out, "--data", idxDir)
}

func TestImageFolder(t *testing.T) {
	dir := t.TempDir()
	for digit := range 3 {
		sub := filepath.Join(dir, "pictures", []string{"cup", "pen", "shoe"}[digit])
		os.MkdirAll(sub, 0o777)
		for i := range 10 {
			writePNG(t, filepath.Join(sub, fmt.Sprint(i, ".png")), digitPicture(t, digit, 28+7*i, i%2 == 0))
		}
	}
	out := filepath.Join(dir, "m.onnx")
	pictures := filepath.Join(dir, "pictures")
	ok(t, "train", "lenet", "--data", pictures, "--epochs", "2", "--out", out)
	ok(t, "train", "cnn", "--data", pictures, "--epochs", "1", "--out", out, "--rgb", "--invert", "--image-size", "24")
	e := lastJSON(t, ok(t, "eval", out, "--data", pictures, "--json"))
	if e["per_class"].([]any)[2].(map[string]any)["class"] != "shoe" {
		t.Errorf("%v", e)
	}
	os.WriteFile(filepath.Join(pictures, "pen", "4.png"), []byte("no picture"), 0o666)
	fails(t, exitFailed, []string{"pen/4.png"}, "train", "lenet", "--data", pictures, "--out", out)

	// Too small for the architecture.
	os.Remove(filepath.Join(pictures, "pen", "4.png"))
	fails(t, exitFailed, []string{"lenet on samples of shape [1 8 8]"}, "train", "lenet", "--data", pictures, "--out", out, "--image-size", "8")
}

func TestBadData(t *testing.T) {
	base := t.TempDir()
	good := tinyIDX(t, base)
	for _, c := range []struct {
		name  string
		edit  func(t *testing.T, dir string)
		parts []string
	}{
		{"nothing there", func(t *testing.T, dir string) { os.RemoveAll(dir) }, []string{"--data", "mnist", "no such file"}},
		{"empty folder", func(t *testing.T, dir string) { os.RemoveAll(dir); os.Mkdir(dir, 0o777) }, []string{"mnist", "sub-folder"}},
		{"no labels", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "train-labels-idx1-ubyte")) }, []string{"train-labels"}},
		{"empty file", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "train-images-idx3-ubyte"), nil, 0o666)
		}, []string{"train-images"}},
		{"truncated", func(t *testing.T, dir string) {
			p := filepath.Join(dir, "train-images-idx3-ubyte")
			os.WriteFile(p, readFile(t, p)[:5000], 0o666)
		}, []string{"train-images", "truncated"}},
		{"absurd size", func(t *testing.T, dir string) {
			p := filepath.Join(dir, "train-images-idx3-ubyte")
			b := readFile(t, p)
			copy(b[4:], []byte{0xff, 0xff, 0xff, 0xff})
			os.WriteFile(p, b, 0o666)
		}, []string{"train-images"}},
		{"not IDX", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, "t10k-images-idx3-ubyte"), []byte("%PDF-1.4 something"), 0o666)
		}, []string{"t10k-images"}},
		{"fewer labels", func(t *testing.T, dir string) {
			writeIDX(t, filepath.Join(dir, "train-labels-idx1-ubyte"), []int{100}, tiny.trainY[:100])
		}, []string{"train", "100"}},
		{"label out of range", func(t *testing.T, dir string) {
			y := bytes.Clone(tiny.trainY)
			y[17] = 200
			writeIDX(t, filepath.Join(dir, "train-labels-idx1-ubyte"), []int{tinyTrain}, y)
			os.Remove(filepath.Join(dir, "t10k-images-idx3-ubyte"))
		}, []string{"sample", "label 200", "--classes"}},
		{"test label out of range", func(t *testing.T, dir string) {
			y := bytes.Clone(tiny.testY)
			y[3] = 44
			writeIDX(t, filepath.Join(dir, "t10k-labels-idx1-ubyte"), []int{tinyTest}, y)
		}, []string{"10 classes", "45 classes"}},
		{"test images of another size", func(t *testing.T, dir string) {
			writeIDX(t, filepath.Join(dir, "t10k-images-idx3-ubyte"), []int{tinyTest, 14, 56}, tiny.testX)
		}, []string{"[1 28 28]", "[1 14 56]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			c.edit(t, tinyIDX(t, dir))
			before, _ := os.ReadDir(".")
			r := fails(t, exitFailed, c.parts, "train", "mlp", "--data", "mnist", "--json")
			lastJSON(t, r)
			if after, _ := os.ReadDir("."); len(after) != len(before) {
				t.Errorf("files were left: %v", after)
			}
		})
	}
	out := filepath.Join(base, "m.onnx")
	fails(t, exitFailed, []string{"--classes 5", "labels up to 9"}, "train", "mlp", "--data", good, "--classes", "5", "--out", out)
	ok(t, "train", "mlp", "--data", good, "--classes", "12", "--epochs", "1", "--out", out)
	fails(t, exitFailed, []string{".csv"}, "train", "mlp", "--data", filepath.Join(good, "t10k-labels-idx1-ubyte"), "--out", out)
}

func TestBadModel(t *testing.T) {
	dir, model, dataDir := trained(t)
	good := readFile(t, model)
	picture := filepath.Join(dir, "p.png")
	writePNG(t, picture, image.NewGray(image.Rect(0, 0, 30, 30)))
	bad := filepath.Join(dir, "bad.onnx")
	for name, b := range map[string][]byte{
		"empty": {}, "text": []byte("this is no model"), "half": good[:len(good)/2], "short by one": good[:len(good)-1], "a picture": readFile(t, picture),
		"zeros": make([]byte, 4096),
	} {
		t.Run(name, func(t *testing.T) {
			os.WriteFile(bad, b, 0o666)
			for _, args := range [][]string{{"eval", bad, "--data", dataDir}, {"predict", bad, picture}, {"inspect", bad}} {
				lastJSON(t, fails(t, exitFailed, []string{"bad.onnx"}, append(args, "--json")...))
			}
		})
	}
	// Bytes changed at random must give an error or a result, never a panic.
	for i := range 60 {
		b := bytes.Clone(good)
		b[(i*7919)%2000] ^= byte(1 << (i % 8))
		os.WriteFile(bad, b, 0o666)
		if r := weft(t, "inspect", bad); r.code != exitOK && r.code != exitFailed {
			t.Fatalf("exit %d", r.code)
		}
	}
	gone := filepath.Join(dir, "gone.onnx")
	fails(t, exitFailed, []string{"gone.onnx", "no such file"}, "eval", gone, "--data", dataDir)
	fails(t, exitFailed, []string{dir}, "inspect", dir)

	// Data of another shape than the model's.
	table := filepath.Join(dir, "t.csv")
	writeTable(t, table, 50, nil)
	fails(t, exitFailed, []string{"t.csv"}, "eval", model, "--data", table, "--label", "kind")
	mlp := filepath.Join(dir, "mlp.onnx")
	ok(t, "train", "mlp", "--data", table, "--label", "kind", "--epochs", "1", "--out", mlp)
	fails(t, exitFailed, []string{"mlp.onnx", "[2]", "[1 28 28]"}, "eval", mlp, "--data", dataDir)
	fails(t, exitFailed, []string{"mlp.onnx", "images"}, "predict", mlp, picture)
}

func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	dataDir := tinyIDX(t, dir)
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o666)
	for name, c := range map[string]struct {
		flag, path string
		parts      []string
	}{
		"no folder":        {"--out", filepath.Join(dir, "none", "m.onnx"), []string{"none", "make it first"}},
		"a folder":         {"--out", dir, []string{"is a folder"}},
		"below a file":     {"--out", filepath.Join(file, "m.onnx"), []string{"file"}},
		"plot, no folder":  {"--plot", filepath.Join(dir, "none", "m.svg"), []string{"m.svg", "make it first"}},
		"plot on a folder": {"--plot", dataDir, []string{"is a folder"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			fails(t, exitFailed, c.parts, "train", "mlp", "--data", dataDir, "--epochs", "1", c.flag, c.path)
			noLitter(t, ".")
		})
	}
	t.Run("no right to write", func(t *testing.T) {
		if os.Getuid() == 0 {
			t.Skip("skipped: root may write everywhere")
		}
		locked := filepath.Join(dir, "locked")
		os.Mkdir(locked, 0o555)
		fails(t, exitFailed, []string{"cannot write", "locked"}, "train", "mlp", "--data", dataDir, "--out", filepath.Join(locked, "m.onnx"))
	})
	if err := writeFile(filepath.Join(dir, "none", "f"), nil); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("writing into a folder that is not there: %v", err)
	}
}
