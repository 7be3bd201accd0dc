package npy_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/weft-ml/weft/core/data/npy"
)

func TestGolden(t *testing.T) {
	quarter := func(i int) float64 { return float64(i-5) / 4 }
	for _, c := range []struct {
		file, dtype string
		shape       []int
		want        func(i int) float64
	}{
		{"f4", "float32", []int{2, 3, 2}, quarter},
		{"f4_v2", "float32", []int{2, 3, 2}, quarter},
		{"f8_big", "float64", []int{2, 3, 2}, quarter},
		{"f2", "float16", []int{2, 3, 2}, quarter},
		{"fortran", "float32", []int{2, 3, 2}, quarter},
		{"i8", "int64", []int{2, 3, 2}, func(i int) float64 { return float64(i - 6) }},
		{"i2_big", "int16", []int{2, 3, 2}, func(i int) float64 { return float64(i - 6) }},
		{"u1", "uint8", []int{2, 3, 2}, func(i int) float64 { return float64(i * 20) }},
		{"bool", "bool", []int{2, 3, 2}, func(i int) float64 {
			if i%3 == 0 {
				return 1
			}
			return 0
		}},
		{"scalar", "float32", []int{}, func(int) float64 { return 2.5 }},
		{"empty", "int32", []int{0, 3}, nil},
	} {
		b, err := os.ReadFile("testdata/" + c.file + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		a, err := npy.ReadAll(iotest.HalfReader(bytes.NewReader(b)), c.file, npy.Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		n := 1
		for _, d := range c.shape {
			n *= d
		}
		if a.DType() != c.dtype || !slices.Equal(a.Shape, c.shape) || a.Len() != n {
			t.Errorf("%s: %s %v, %d elements", c.file, a.DType(), a.Shape, a.Len())
			continue
		}
		f := a.Float32s()
		for i := range n {
			if a.Float64(i) != c.want(i) || f[i] != float32(c.want(i)) {
				t.Errorf("%s: element %d is %v, want %v", c.file, i, a.Float64(i), c.want(i))
			}
			if v, ok := a.Int64(i); ok != (a.Kind != 'f') || ok && float64(v) != c.want(i) {
				t.Errorf("%s: element %d is %v, %v", c.file, i, v, ok)
			}
		}
		if u, ok := a.Uint8s(); ok != (c.file == "u1") || ok && u[3] != 60 {
			t.Errorf("%s: Uint8s %v, %v", c.file, u, ok)
		}
		for cut := range len(b) {
			if _, err := npy.ReadAll(bytes.NewReader(b[:cut]), c.file, npy.Options{}); err == nil {
				t.Errorf("%s: the first %d bytes were accepted", c.file, cut)
				break
			}
		}
		if _, err := npy.ReadAll(bytes.NewReader(append(b, 0)), c.file, npy.Options{}); err == nil || !strings.Contains(err.Error(), "bytes after the last element") {
			t.Errorf("%s: trailing byte: %v", c.file, err)
		}
	}
	// What NumPy writes is what Write writes, byte for byte.
	want, err := os.ReadFile("testdata/f4.npy")
	if err != nil {
		t.Fatal(err)
	}
	f := make([]float32, 12)
	for i := range f {
		f[i] = float32(quarter(i))
	}
	var buf bytes.Buffer
	if err := npy.Write(&buf, []int{2, 3, 2}, f); err != nil || !bytes.Equal(buf.Bytes(), want) {
		t.Errorf("Write: %v\n%q\nwant\n%q", err, buf.Bytes(), want)
	}
}

func roundTrip[T npy.Element](t *testing.T, dtype string, shape []int, v []T, f []float64) {
	t.Helper()
	var buf bytes.Buffer
	if err := npy.Write(&buf, shape, v); err != nil {
		t.Fatal(err)
	}
	a, err := npy.ReadAll(&buf, "f", npy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a.DType() != dtype || !slices.Equal(a.Shape, shape) {
		t.Errorf("%s: %s %v", dtype, a.DType(), a.Shape)
	}
	for i := range v {
		if a.Float64(i) != f[i] {
			t.Errorf("%s: element %d is %v, want %v", dtype, i, a.Float64(i), f[i])
		}
	}
}

func TestWrite(t *testing.T) {
	roundTrip(t, "bool", []int{2}, []bool{true, false}, []float64{1, 0})
	roundTrip(t, "int8", []int{2, 1}, []int8{-128, 127}, []float64{-128, 127})
	roundTrip(t, "uint8", []int{2}, []uint8{0, 255}, []float64{0, 255})
	roundTrip(t, "int16", []int{2}, []int16{-32768, 1}, []float64{-32768, 1})
	roundTrip(t, "uint16", []int{1, 2}, []uint16{65535, 1}, []float64{65535, 1})
	roundTrip(t, "int32", []int{2}, []int32{math.MinInt32, 1}, []float64{math.MinInt32, 1})
	roundTrip(t, "uint32", []int{2}, []uint32{math.MaxUint32, 1}, []float64{math.MaxUint32, 1})
	roundTrip(t, "int64", []int{2}, []int64{-1 << 53, 1}, []float64{-1 << 53, 1})
	roundTrip(t, "uint64", []int{2}, []uint64{1 << 53, 1}, []float64{1 << 53, 1})
	roundTrip(t, "float32", []int{2}, []float32{float32(math.Inf(1)), 0.1}, []float64{math.Inf(1), float64(float32(0.1))})
	roundTrip(t, "float64", []int{}, []float64{math.Pi}, []float64{math.Pi})
	roundTrip(t, "float64", []int{0, 4}, []float64{}, nil)
	big := make([]float64, 20000)
	for i := range big {
		big[i] = float64(i)
	}
	roundTrip(t, "float64", []int{100, 200}, big, big)
	var buf bytes.Buffer
	if npy.Write(&buf, []int{3}, []int8{1}) == nil || npy.Write(&buf, []int{-1}, []int8{1}) == nil {
		t.Error("a wrong shape was accepted")
	}
}

func file(version byte, head string, payload ...byte) []byte {
	b := append([]byte("\x93NUMPY"), version, 0, byte(len(head)), byte(len(head)>>8))
	if version > 1 {
		b = append(b, 0, 0)
	}
	return append(append(b, head...), payload...)
}

func TestReadErrors(t *testing.T) {
	good := "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "offset 0: the file ends here, expected the 8 bytes"},
		{"magic", []byte("PK\x03\x04abcdef"), "not a .npy file"},
		{"version", file(9, good, 1, 2), "offset 6: version 9 is unknown"},
		{"header length", []byte("\x93NUMPY\x02\x00\xff\xff\xff\x7f"), "offset 8: the header is said to have 2147483647 bytes"},
		{"header cut", file(1, good)[:30], "offset 30: the file ends here, expected a header of 58 bytes"},
		{"elements cut", file(1, good, 1), "offset 69: the file ends here, expected 2 bytes of elements from offset 68"},
		{"object", file(1, "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}"), `the element type "|O" is not supported`},
		{"complex", file(1, "{'descr': '<c8', 'fortran_order': False, 'shape': (2,)}"), `"<c8" is not supported`},
		{"no type", file(1, "{'descr': '', 'fortran_order': False, 'shape': (2,)}"), `"" is not supported`},
		{"structured", file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"), "structured arrays are not supported"},
		{"huge", file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4000000, 4000000)}"), "declares more than 1073741824 bytes"},
		{"overflow", file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,)}"), "at most 52 bits"},
		{"negative", file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "expected a dimension"},
		{"key", file(1, "{'descr': '<f8', 'order': False}"), `unknown key "order"`},
		{"lacking", file(1, "{'descr': '<f8'}"), "must all be there"},
		{"no brace", file(1, "hello"), "offset 10: broken header: expected {"},
		{"open", file(1, "{'descr': '<f8"), "not a text in quotes"},
		{"colon", file(1, "{'descr' '<f8'}"), "expected : after"},
		{"bool", file(1, "{'fortran_order': 0}"), "expected True or False"},
		{"comma", file(1, "{'fortran_order': True 'shape': ()}"), "expected , or }"},
		{"after", file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': ()} x"), "text after the closing brace"},
		{"tuple", file(1, "{'shape': 3}"), "expected ( of the shape"},
		{"tuple end", file(1, "{'shape': (3 4)}"), "expected , or ) in the shape"},
		{"dimensions", file(1, "{'shape': ("+strings.Repeat("1,", 65)+")}"), "more than 64 dimensions"},
	} {
		_, err := npy.Read(bytes.NewReader(c.file), "f", npy.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "weft: npy: f: ") {
			t.Errorf("%s: error %v, want it to contain %q", c.name, err, c.want)
		}
	}
	if a, err := npy.Read(bytes.NewReader(file(3, good, 1, 2)), "f", npy.Options{}); err != nil || a.Len() != 2 {
		t.Errorf("version 3: %v", err)
	}
	if a, err := npy.Read(bytes.NewReader(file(1, "{'descr': 'u1', \"fortran_order\": False, 'shape': (2L,)}", 1, 2)), "f", npy.Options{}); err != nil || a.Len() != 2 {
		t.Errorf("Python 2: %v", err)
	}
	broken := errors.New("broken")
	if _, err := npy.Read(iotest.ErrReader(broken), "f", npy.Options{}); !errors.Is(err, broken) {
		t.Errorf("broken reader: %v", err)
	}
}

func TestHalf(t *testing.T) {
	// Every float16 against the formula of IEEE 754.
	for h := range 1 << 16 {
		b := file(1, "{'descr': '<f2', 'fortran_order': False, 'shape': ()}", byte(h), byte(h>>8))
		if h%97 != 0 && h&1023 > 2 {
			continue
		}
		a, err := npy.Read(bytes.NewReader(b), "f", npy.Options{})
		if err != nil {
			t.Fatal(err)
		}
		exp, frac := h>>10&31, float64(h&1023)
		want := math.Ldexp(1+frac/1024, exp-15)
		if exp == 0 {
			want = math.Ldexp(frac, -24)
		}
		if exp == 31 {
			if want = math.Inf(1); frac != 0 {
				want = math.NaN()
			}
		}
		if h>>15 == 1 {
			want = -want
		}
		if got := a.Float64(0); got != want && !(got != got && want != want) {
			t.Fatalf("float16 %#x is %v, want %v", h, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n", 1, 2))
	f.Add(file(2, "{'descr': '>f8', 'fortran_order': True, 'shape': (1, 0), }\n"))
	f.Add(file(1, "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 1), }\n", 1, 2, 3, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := npy.Read(bytes.NewReader(b), "f", npy.Options{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if a.Len() != n || len(a.Float32s()) != n {
			t.Errorf("%d elements for %v", a.Len(), a.Shape)
		}
	})
}
