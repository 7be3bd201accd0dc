package npz_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data/npy"
	"github.com/weft-ml/weft/core/data/npz"
	"github.com/weft-ml/weft/internal/require"
)

func open(b []byte) (*npz.Archive, error) {
	return npz.Open(bytes.NewReader(b), int64(len(b)), "f.npz", npz.Options{})
}

// TestGolden reads archives that NumPy wrote (../npy/testdata/golden.py).
func TestGolden(t *testing.T) {
	for file, names := range map[string][]string{"golden.npz": {"f4", "i8"}, "stored.npz": {"f4"}} {
		b, err := os.ReadFile(filepath.Join("..", "npy", "testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		a, err := open(b)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Names(), names) {
			t.Errorf("%s: names %v", file, a.Names())
		}
		v, err := a.Array("f4")
		if err != nil || !slices.Equal(v.Shape, []int{2, 3, 2}) || v.Float64(0) != -1.25 {
			t.Errorf("%s: %v, %v", file, v, err)
		}
		if _, err := a.Array("x"); err == nil || !strings.Contains(err.Error(), `no array "x": there are f4`) {
			t.Errorf("%s: %v", file, err)
		}
		for cut := 0; cut < len(b); cut += 7 {
			if _, err := open(b[:cut]); err == nil {
				t.Errorf("%s: the first %d bytes were accepted", file, cut)
			}
		}
		// A flipped bit may go unnoticed in the zip format's own redundant fields, but never
		// changes the numbers.
		for at := range b {
			bad := slices.Clone(b)
			bad[at] ^= 4
			a, err := open(bad)
			if err != nil {
				continue
			}
			if got, err := a.Array("f4"); err == nil && (!slices.Equal(got.Shape, v.Shape) || !slices.Equal(got.Float32s(), v.Float32s())) {
				t.Errorf("%s: flipping a bit of byte %d changed the numbers unnoticed", file, at)
			}
		}
	}
}

func archive(t testing.TB, names ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for _, n := range names {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if err := npy.Write(w, []int{2}, []int32{1, 2}); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not a complete zip archive"},
		{"twice", archive(t, "a.npy", "a.npy"), `the array "a" is there twice`},
		{"none", archive(t, "a.txt"), "no entry of the archive is a .npy array"},
	} {
		if _, err := open(c.file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
	}
	b := archive(t, "a.npy")
	a, err := npz.Open(bytes.NewReader(b), int64(len(b)), "f.npz", npz.Options{MaxBytes: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Array("a"); err == nil || !strings.Contains(err.Error(), "more than 4 bytes") {
		t.Errorf("limit: %v", err)
	}
}

// TestRealArchives reads every .npz of the reference formats.
func TestRealArchives(t *testing.T) {
	dir := require.Data(t, "formats")
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".npz" {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		a, err := open(b)
		if err != nil {
			return err
		}
		for _, name := range a.Names() {
			if _, err := a.Array(name); err != nil && !strings.Contains(err.Error(), "is not supported") {
				t.Errorf("%s: %v", path, err)
			}
		}
		n++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 {
		t.Log("no .npz in the set")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(archive(f, "a.npy", "b.npy"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := npz.Open(bytes.NewReader(b), int64(len(b)), "f", npz.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		for _, n := range a.Names()[:min(4, len(a.Names()))] {
			if v, err := a.Array(n); err == nil {
				v.Float32s()
			}
		}
	})
}
