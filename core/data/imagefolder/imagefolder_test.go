package imagefolder_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/imagefolder"
	"github.com/weft-ml/weft/internal/require"
)

func encode(t testing.TB, img image.Image, asJPEG bool) *fstest.MapFile {
	t.Helper()
	var buf bytes.Buffer
	var err error
	if asJPEG {
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95})
	} else {
		err = png.Encode(&buf, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: buf.Bytes()}
}

func uniform(w, h int, c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(3, 5, 3+w, 5+h)) // bounds that do not begin at zero
	for y := range h {
		for x := range w {
			img.Set(3+x, 5+y, c)
		}
	}
	return img
}

func tree(t *testing.T) fstest.MapFS {
	return fstest.MapFS{
		"cat/b.png":        encode(t, uniform(4, 6, color.NRGBA{255, 0, 0, 255}), false),
		"cat/deep/a.JPG":   encode(t, uniform(9, 9, color.NRGBA{0, 0, 255, 255}), true),
		"cat/.hidden.png":  &fstest.MapFile{Data: []byte("no")},
		"cat/notes.txt":    &fstest.MapFile{Data: []byte("no")},
		"dog/c.jpeg":       encode(t, uniform(8, 8, color.NRGBA{255, 255, 255, 255}), true),
		"dog/d.png":        encode(t, uniform(2, 2, color.NRGBA{0, 0, 0, 0}), false),
		"readme.png":       &fstest.MapFile{Data: []byte("not in a class")},
		".git/objects.png": &fstest.MapFile{Data: []byte("no")},
	}
}

func TestFolder(t *testing.T) {
	f, err := imagefolder.Open(tree(t), imagefolder.Options{Width: 2, Height: 3})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for i := range f.Len() {
		paths = append(paths, f.Path(i))
	}
	if want := []string{"cat/b.png", "cat/deep/a.JPG", "dog/c.jpeg", "dog/d.png"}; !slices.Equal(paths, want) {
		t.Fatalf("paths %v, want %v", paths, want)
	}
	s := f.Spec()
	if !slices.Equal(s.Shape, []int{3, 3, 2}) || !slices.Equal(s.Names, []string{"cat", "dog"}) || s.Classes != 2 {
		t.Errorf("spec %v", s)
	}
	mem, err := f.InMemory()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][3]float64{{1, 0, 0}, {0, 0, 1}, {1, 1, 1}, {1, 1, 1}} {
		for name, src := range map[string]data.Source{"lazy": f, "in memory": mem} {
			x := make([]float32, 18)
			class, err := src.Read(0, i, x, nil)
			if err != nil || class != int64(i/2) {
				t.Fatalf("%s: image %d: class %d, %v", name, i, class, err)
			}
			for c := range 3 {
				for j := range 6 {
					if math.Abs(float64(x[c*6+j])-want[c]) > 0.02 {
						t.Errorf("%s: image %d: %v, want channels %v", name, i, x, want)
					}
				}
			}
		}
	}
	g, err := imagefolder.Open(tree(t), imagefolder.Options{Width: 2, Height: 2, Gray: true, Invert: true, Classes: []string{"dog", "bird", "cat"}})
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float32, 4)
	if class, err := g.Read(0, 2, x, nil); err != nil || class != 2 || math.Abs(float64(x[0])-(1-0.299)) > 1e-5 {
		t.Errorf("gray: class %d, %v, %v", class, x, err)
	}
	if l, err := data.Labels(g); err != nil || !slices.Equal(l, []int64{0, 0, 2, 2}) {
		t.Errorf("labels %v, %v", l, err)
	}
}

func TestErrors(t *testing.T) {
	good := tree(t)
	size := imagefolder.Options{Width: 2, Height: 2}
	for _, c := range []struct {
		name string
		fsys fstest.MapFS
		opt  imagefolder.Options
		want string
	}{
		{"size", good, imagefolder.Options{Width: 0, Height: 2}, "the size 0x2"},
		{"empty", fstest.MapFS{}, size, "no .png, .jpg or .jpeg in any sub-folder"},
		{"class", good, imagefolder.Options{Width: 2, Height: 2, Classes: []string{"cat"}}, `the sub-folder "dog" is none of the classes cat`},
	} {
		if _, err := imagefolder.Open(c.fsys, c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
	}
	whole := good["cat/b.png"].Data
	for _, c := range []struct {
		name string
		file []byte
		opt  imagefolder.Options
		want string
	}{
		{"truncated", whole[:len(whole)-20], size, "weft: imagefolder: a/x.png: broken image"},
		{"text", []byte("hello"), size, "not a readable PNG or JPEG"},
		{"empty", nil, size, "not a readable PNG or JPEG"},
		{"pixels", whole, imagefolder.Options{Width: 2, Height: 2, MaxPixels: 20}, "4x6 pixels, at most 20"},
		{"bytes", whole, imagefolder.Options{Width: 2, Height: 2, MaxBytes: 30}, "larger than 30 bytes"},
	} {
		f, err := imagefolder.Open(fstest.MapFS{"a/x.png": {Data: c.file}}, c.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = f.Read(0, 0, make([]float32, 12), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
		if _, err := f.InMemory(); err == nil {
			t.Errorf("%s: InMemory accepted it", c.name)
		}
	}
}

// TestCIFAR reads the class folders of a real set, from its archive.
func TestCIFAR(t *testing.T) {
	dir := require.Data(t, "cifar10-jpeg")
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(archives) == 0 {
		t.Skip("no archive in the set")
	}
	r, err := os.Open(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for tr := tar.NewReader(z); ; {
		h, err := tr.Next()
		if err == io.EOF || len(fsys) > 400 {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !strings.HasSuffix(h.Name, ".jpg") || len(parts) < 2 {
			continue
		}
		b, err := io.ReadAll(tr)
		if err != nil {
			t.Fatal(err)
		}
		fsys[strings.Join(parts[len(parts)-2:], "/")] = &fstest.MapFile{Data: b}
	}
	f, err := imagefolder.Open(fsys, imagefolder.Options{Width: 32, Height: 32})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.InMemory(); err != nil {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, uniform(3, 2, color.Gray{7}), false).Data)
	f.Add(encode(f, uniform(9, 9, color.Gray{7}), true).Data)
	f.Fuzz(func(t *testing.T, b []byte) {
		img, err := imagefolder.DecodeBytes(b, 1<<16)
		if err != nil {
			return
		}
		x := make([]float32, 48)
		imagefolder.Into(x, img, 4, 4, false)
		for _, v := range x {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("values %v", x)
			}
		}
	})
}
