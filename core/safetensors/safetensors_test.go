package safetensors_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/safetensors"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/require"
)

func sample() *safetensors.File {
	return &safetensors.File{
		Meta: map[string]string{"step": "12", "quote": "a \"b\" \\ \n ü"},
		Tensors: []safetensors.Entry{
			{Name: "w", Tensor: tensor.From([]float32{1, -2, 3, 4, 5, 6}, 2, 3)},
			{Name: "empty", Tensor: tensor.New(tensor.Int64, 0, 4)},
			{Name: "scalar", Tensor: tensor.Scalar(int64(-7))},
			{Name: "mask", Tensor: tensor.From([]bool{true, false, true}, 3)},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	f := sample()
	b, err := safetensors.Encode(f)
	if err != nil {
		t.Fatal(err)
	}
	n := binary.LittleEndian.Uint64(b)
	if !json.Valid(b[8 : 8+n]) {
		t.Fatalf("header is not JSON: %s", b[8:8+n])
	}
	g, err := safetensors.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range f.Meta {
		if g.Meta[k] != v {
			t.Errorf("metadata %q = %q, want %q", k, g.Meta[k], v)
		}
	}
	for _, e := range f.Tensors {
		got := g.Get(e.Name)
		if got == nil || got.DType() != e.Tensor.DType() || !tensor.SameShape(got.Shape(), e.Tensor.Shape()) || !bytes.Equal(got.Bytes(), e.Tensor.Bytes()) {
			t.Errorf("tensor %q came back different", e.Name)
		}
	}
	b2, err := safetensors.Encode(g)
	if err != nil || !bytes.Equal(b, b2) {
		t.Errorf("encoding again gave other bytes (%v)", err)
	}
}

func TestBadFiles(t *testing.T) {
	good, _ := safetensors.Encode(sample())
	file := func(header string, data int) []byte {
		b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
		return append(append(b, header...), make([]byte, data)...)
	}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":     {nil, "too few"},
		"truncated": {good[:len(good)-3], "truncated or corrupt"},
		"huge":      {append([]byte{255, 255, 255, 255, 255, 255, 255, 127}, good[8:]...), "header claims"},
		"trailing":  {append(bytes.Clone(good), 0), "belong to nothing"},
		"shape":     {file(`{"a":{"dtype":"F32","shape":[99999999999,99999999999],"data_offsets":[0,4]}}`, 4), "impossible shape"},
		"overlap":   {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "do not fit"},
		"type":      {file(`{"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,4]}}`, 4), "unknown element type"},
		"twice":     {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}`, 4), "stands twice"},
		"json":      {file(`{"a":`, 0), "expected"},
	} {
		if _, err := safetensors.Decode(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestForeignFiles(t *testing.T) {
	dir := require.Data(t, "formats")
	n := 0
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".safetensors") {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := safetensors.Decode(b); err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
			}
			n++
		}
		return nil
	})
	t.Logf("read %d files written by others", n)
}

func FuzzDecode(f *testing.F) {
	b, _ := safetensors.Encode(sample())
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := safetensors.Decode(b)
		if err != nil {
			return
		}
		again, err := safetensors.Encode(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := safetensors.Decode(again); err != nil {
			t.Fatal(err)
		}
	})
}
