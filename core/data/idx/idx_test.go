package idx_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/weft-ml/weft/core/data/idx"
	"github.com/weft-ml/weft/internal/require"
)

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestReadEveryType(t *testing.T) {
	for _, c := range []struct {
		typ  idx.Type
		raw  []byte
		want []float64
	}{
		{idx.Uint8, []byte{0, 255}, []float64{0, 255}},
		{idx.Int8, []byte{0x80, 0x7f}, []float64{-128, 127}},
		{idx.Int16, []byte{0xff, 0xfe, 0x01, 0x02}, []float64{-2, 258}},
		{idx.Int32, []byte{0xff, 0xff, 0xff, 0xfd, 0, 1, 0, 0}, []float64{-3, 65536}},
		{idx.Float32, []byte{0x3f, 0xc0, 0, 0, 0xff, 0x80, 0, 0}, []float64{1.5, math.Inf(-1)}},
		{idx.Float64, []byte{0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0}, []float64{1.5, -2}},
	} {
		file := append([]byte{0, 0, byte(c.typ), 2, 0, 0, 0, 2, 0, 0, 0, 1}, c.raw...)
		for _, f := range [][]byte{file, zipped(t, file)} {
			a, err := idx.Read(iotest.OneByteReader(bytes.NewReader(f)), "f", idx.Options{})
			if err != nil {
				t.Fatalf("%v: %v", c.typ, err)
			}
			if a.Type != c.typ || !slices.Equal(a.Dims, []int{2, 1}) || a.Len() != 2 || a.At(0) != c.want[0] || a.At(1) != c.want[1] {
				t.Errorf("%v: %v %v %v", c.typ, a.Dims, a.At(0), a.At(1))
			}
			if f := a.Float32s(); f[1] != float32(c.want[1]) {
				t.Errorf("%v: Float32s %v", c.typ, f)
			}
			if _, ok := a.Uint8s(); ok != (c.typ == idx.Uint8) {
				t.Errorf("%v: Uint8s %v", c.typ, ok)
			}
		}
	}
}

func TestReadErrors(t *testing.T) {
	good := []byte{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	z := zipped(t, good)
	badSum := slices.Clone(z)
	badSum[len(badSum)-6] ^= 1
	for _, c := range []struct {
		name string
		file []byte
		opt  idx.Options
		want string
	}{
		{"empty", nil, idx.Options{}, "f: offset 0: the file ends here, expected the 4 bytes of the magic"},
		{"magic", []byte("PK\x03\x04...."), idx.Options{}, "not an IDX file: it starts with 50 4b 03 04"},
		{"type", []byte{0, 0, 10, 1, 0, 0, 0, 0}, idx.Options{}, "not an IDX file"},
		{"dimensions", good[:10], idx.Options{}, "offset 10: the file ends here, expected 2 dimensions"},
		{"elements", good[:15], idx.Options{}, "offset 15: the file ends here, expected 6 bytes of elements from offset 12"},
		{"trailing", append(slices.Clone(good), 0), idx.Options{}, "offset 18: there are bytes after"},
		{"huge", []byte{0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}, idx.Options{}, "declares more than 1073741824 bytes"},
		{"limit", good, idx.Options{MaxBytes: 5}, "declares more than 5 bytes"},
		{"gzip cut", z[:len(z)-3], idx.Options{}, "truncated"},
		{"gzip sum", badSum, idx.Options{}, "checksum"},
		{"gzip head", []byte{0x1f, 0x8b, 9}, idx.Options{}, "broken gzip header"},
	} {
		_, err := idx.Read(bytes.NewReader(c.file), "f", c.opt)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "weft: idx: f: ") {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
	}
	for n := range good {
		if _, err := idx.Read(bytes.NewReader(good[:n]), "f", idx.Options{}); err == nil {
			t.Errorf("the first %d bytes were accepted", n)
		}
	}
	broken := errors.New("broken")
	if _, err := idx.Read(iotest.ErrReader(broken), "f", idx.Options{}); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
}

func TestWrite(t *testing.T) {
	var buf bytes.Buffer
	if err := idx.Write(&buf, []int{3, 2}, []byte{1, 2, 3, 4, 5, 6}); err != nil {
		t.Fatal(err)
	}
	a, err := idx.Read(&buf, "f", idx.Options{})
	if err != nil || !slices.Equal(a.Dims, []int{3, 2}) || a.At(5) != 6 {
		t.Errorf("%v, %v", a, err)
	}
	if idx.Write(&buf, []int{3}, nil) == nil || idx.Write(&buf, []int{-1}, nil) == nil || idx.Write(&buf, make([]int, 256), nil) == nil {
		t.Error("bad dimensions were accepted")
	}
}

func folder(t *testing.T, files map[string][]byte) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	for n, b := range files {
		m[n] = &fstest.MapFile{Data: b}
	}
	return m
}

func TestImages(t *testing.T) {
	images := []byte{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255}
	labels := []byte{0, 0, 8, 1, 0, 0, 0, 2, 7, 1}
	for _, names := range [][2]string{
		{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
		{"train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"},
	} {
		im, la := images, labels
		if strings.HasSuffix(names[0], ".gz") {
			im, la = zipped(t, images), zipped(t, labels)
		}
		fsys := folder(t, map[string][]byte{names[0]: im, names[1]: la})
		src, err := idx.Images(fsys, idx.Train, 0)
		if err != nil {
			t.Fatal(err)
		}
		x := make([]float32, 2)
		c, err := src.Read(0, 1, x, nil)
		if err != nil || c != 1 || x[0] != float32(102)/255 || x[1] != 1 || src.Spec().Classes != 8 || !slices.Equal(src.Spec().Shape, []int{1, 1, 2}) {
			t.Errorf("%v: class %d, %v, %v, %v", names, c, x, src.Spec(), err)
		}
		if src, _ := idx.Images(fsys, idx.Train, 10); src.Spec().Classes != 10 {
			t.Error("classes were not raised")
		}
		if !idx.Has(fsys, idx.Train) || idx.Has(fsys, idx.Test) {
			t.Error("Has is wrong")
		}
	}
	fsys := folder(t, map[string][]byte{"test-images-idx3-ubyte": images, "test-labels-idx1-ubyte": labels})
	if _, err := idx.Images(fsys, idx.Test, 0); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name           string
		images, labels []byte
		want           string
	}{
		{"no labels", images, nil, "no file train-labels-idx1-ubyte[.gz]"},
		{"no images", nil, labels, "no file train-images-idx3-ubyte[.gz]"},
		{"count", images, []byte{0, 0, 8, 1, 0, 0, 0, 1, 7}, "1 labels for the 2 images"},
		{"swapped", labels, images, "expected uint8 images of 3 dimensions, got uint8 of 1"},
		{"label rank", images, images, "expected uint8 labels of 1 dimension"},
		{"none", []byte{0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2}, []byte{0, 0, 8, 1, 0, 0, 0, 0}, "no images"},
	} {
		files := map[string][]byte{}
		if c.images != nil {
			files["train-images-idx3-ubyte"] = c.images
		}
		if c.labels != nil {
			files["train-labels-idx1-ubyte"] = c.labels
		}
		_, err := idx.Images(folder(t, files), idx.Train, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
		if (c.images == nil || c.labels == nil) != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v is or is not fs.ErrNotExist", c.name, err)
		}
	}
}

func TestMNIST(t *testing.T) {
	fsys := os.DirFS(require.Data(t, "mnist"))
	for split, n := range map[idx.Split]int{idx.Train: 60000, idx.Test: 10000} {
		src, err := idx.Images(fsys, split, 10)
		if err != nil {
			t.Fatal(err)
		}
		if src.Len() != n || !slices.Equal(src.Spec().Shape, []int{1, 28, 28}) {
			t.Errorf("%s: %d samples of %v", split, src.Len(), src.Spec().Shape)
		}
	}
}

func FuzzRead(f *testing.F) {
	good := []byte{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6}
	f.Add(good)
	f.Add(zipped(f, good))
	f.Add([]byte{0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0})
	f.Add([]byte{0, 0, 14, 3, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := idx.Read(bytes.NewReader(b), "f", idx.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Dims {
			n *= d
		}
		if a.Len() != n || len(a.Float32s()) != n {
			t.Errorf("%d elements for %v", a.Len(), a.Dims)
		}
	})
}
