package oip

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

func TestAppendResponse(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		t    *tensor.Tensor
		want string
	}{
		{tensor.From([]float32{0, float32(math.Copysign(0, -1)), 1, -2.5, 0.1, 1e-6, 1e-7, 1e20, 1e21, math.MaxFloat32, math.SmallestNonzeroFloat32, 16777216, 1 << 60}, 13),
			"0.0,-0.0,1.0,-2.5,0.1,0.000001,1e-07,100000000000000000000.0,1e+21,3.4028235e+38,1e-45,16777216.0,1152921500000000000.0"},
		{tensor.From([]float64{0.1, 1.0 / 3, 1 << 53, 1e22, 5e-324}, 5), "0.1,0.3333333333333333,9007199254740992.0,1e+22,5e-324"},
		{tensor.From([]bool{true, false}, 2), "true,false"},
		{tensor.From([]uint8{0, 255}, 2), "0,255"},
		{tensor.From([]uint16{65535}, 1), "65535"},
		{tensor.From([]uint32{math.MaxUint32}, 1), "4294967295"},
		{tensor.From([]uint64{math.MaxUint64}, 1), "18446744073709551615"},
		{tensor.From([]int8{-128}, 1), "-128"},
		{tensor.From([]int16{-32768}, 1), "-32768"},
		{tensor.From([]int32{math.MinInt32}, 1), "-2147483648"},
		{tensor.From([]int64{math.MinInt64}, 1), "-9223372036854775808"},
		{tensor.From([]int32{1, 2, 3, 4, 5, 6}, 2, 3).Transpose(1, 0), "1,4,2,5,3,6"},
		{tensor.New(tensor.Float32, 0, 2), ""},
	} {
		out, n, err := AppendResponse(nil, &Response{ModelName: "m", ModelVersion: "1", Outputs: []OutputTensor{{"y", c.t, false}}})
		name, _ := DTypeName(c.t.DType())
		shape := strings.ReplaceAll(tensor.ShapeString(c.t.Shape()), " ", ",")
		want := `{"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"` + name + `","shape":` + shape + `,"data":[` + c.want + `]}]}`
		if err != nil || n != -1 || string(out) != want || !json.Valid(out) {
			t.Errorf("got %s, %d, %v\nwant %s", out, n, err, want)
		}
	}
	for _, c := range []struct {
		t    *tensor.Tensor
		want string
	}{
		{tensor.From([]float32{1, float32(nan)}, 2), "element 1 is NaN"},
		{tensor.From([]float64{inf, 1}, 2), "element 0 is +Inf"},
		{tensor.From([]float64{1, 2, -inf}, 3), "element 2 is -Inf"},
		{tensor.New(tensor.Float16, 1), "FP16"},
		{tensor.New(tensor.BFloat16, 1), "BF16"},
		{tensor.FromStrings([]string{"a"}, 1), "string"},
	} {
		out, n, err := AppendResponse([]byte("as it came"), &Response{Outputs: []OutputTensor{{"y", c.t, false}}})
		var e *Error
		if !errors.As(err, &e) || e.Status != http.StatusUnprocessableEntity || n != -1 || string(out) != "as it came" || !strings.Contains(e.Msg, c.want) || !strings.Contains(e.Msg, `output "y"`) {
			t.Errorf("got %s, %d, %v; want %s", out, n, err, c.want)
		}
		if c.t.DType() == tensor.String {
			continue
		}
		if !strings.Contains(e.Msg, "binary_data") {
			t.Errorf("%s does not name the way out", e.Msg)
		}
		if _, n, err := AppendResponse(nil, &Response{Outputs: []OutputTensor{{"y", c.t, true}}}); err != nil || n < 0 {
			t.Errorf("binary: %d, %v", n, err)
		}
	}
	// One of each form: the binary part holds the binary ones alone, in order.
	out, n, err := AppendResponse(nil, &Response{ID: "a\"b", Outputs: []OutputTensor{
		{"a", tensor.From([]uint8{1, 2, 3, 4}, 2, 2).Transpose(1, 0), true}, {"b", tensor.From([]uint8{9}, 1), false}, {"c", tensor.From([]uint8{5}, 1), true}}})
	if err != nil || string(out[n:]) != "\x01\x03\x02\x04\x05" || !json.Valid(out[:n]) || strings.Count(string(out[:n]), "binary_data_size") != 2 {
		t.Errorf("%q %d %v", out, n, err)
	}
}

// apart returns how far the number written s is from f.
func apart(s string, f float32) *big.Rat {
	x, _ := new(big.Rat).SetString(s)
	x.Sub(x, new(big.Rat).SetFloat64(float64(f)))
	return x.Abs(x)
}

// checkShortest compares with strconv: the same digits, or, of two numbers as near, the other.
func checkShortest(t *testing.T, f float32) {
	t.Helper()
	b, bad := appendFloats(nil, []float32{f}, 32)
	if bad >= 0 {
		return
	}
	form := byte('f')
	if a := max(f, -f); a != 0 && (a < 1e-6 || a >= 1e21) {
		form = 'e'
	}
	want := strconv.FormatFloat(float64(f), form, -1, 32)
	if !strings.ContainsAny(want, ".e") {
		want += ".0"
	}
	if string(b) != want && !(len(b) == len(want) && form == 'f' && apart(string(b), f).Cmp(apart(want, f)) == 0) {
		t.Fatalf("%#x is written %s, want %s", math.Float32bits(f), b, want)
	}
	if !json.Valid(b) {
		t.Fatalf("%s is no JSON", b)
	}
	if back, n := parse32(b, 0); n != len(b) || math.Float32bits(back) != math.Float32bits(f) {
		t.Fatalf("%s is read as %v", b, back)
	}
}

// TestShortest: numbers are written with the fewest digits that read back the same, as strconv does: every exponent with the fractions at its ends and some
// between, and numbers as models have them.
func TestShortest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for e := range uint32(255) {
		for i := range uint32(60) {
			for _, frac := range []uint32{i, 1<<23 - 1 - i, r.Uint32N(1 << 23), 1 << (i % 23), r.Uint32N(1<<23) &^ (1<<(i%23) - 1)} {
				checkShortest(t, math.Float32frombits(e<<23|frac))
			}
		}
	}
	for i := range 5000 {
		checkShortest(t, float32(r.NormFloat64()))
		checkShortest(t, float32(i)/1000)
		checkShortest(t, -float32(i)*64)
	}
	for e := -45; e <= 38; e++ {
		for d := 1; d < 100; d++ {
			f, _ := strconv.ParseFloat(strconv.Itoa(d)+"e"+strconv.Itoa(e-2), 32)
			checkShortest(t, float32(f))
		}
	}
}

func FuzzShortest(f *testing.F) {
	for _, b := range []uint32{0, 1, 0x800000, 0x3f800000, 0x7f7fffff, 0xff800000, 0x7fc00000} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b uint32) { checkShortest(t, math.Float32frombits(b)) })
}

func TestMetadata(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{string(AppendError(nil, "no model \"a\"\n")), `{"error":"no model \"a\"\u000a"}`},
		{string(AppendServer(nil, "weft", "1.2", BinaryExtension)), `{"name":"weft","version":"1.2","extensions":["binary_tensor_data"]}`},
		{string(AppendServer(nil, "weft", "1.2")), `{"name":"weft","version":"1.2","extensions":[]}`},
		{string(AppendLive(nil, true)), `{"live":true}`},
		{string(AppendHealth(nil, true, false)), `{"live":true,"ready":false}`},
		{string(AppendFloats(nil, []float64{0.25, 1, 1e-9, 0})), `[0.25,1.0,1e-09,0.0]`},
		{string(AppendFloats(nil, nil)), `[]`},
		{string(AppendReady(nil, "m", false)), `{"name":"m","ready":false}`},
	} {
		if c.got != c.want || !json.Valid([]byte(c.got)) {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	m := &Metadata{Name: "m", Versions: []string{"1", "2"}, Platform: "onnx_onnxv1",
		Inputs:  []TensorSpec{{"a", tensor.Float32, []int{-1, 3}}, {"b", tensor.Bool, []int{}}},
		Outputs: []TensorSpec{{"c", tensor.BFloat16, []int{2}}}}
	got, err := AppendMetadata(nil, m)
	const want = `{"name":"m","versions":["1","2"],"platform":"onnx_onnxv1","inputs":[{"name":"a","datatype":"FP32","shape":[-1,3]},{"name":"b","datatype":"BOOL","shape":[]}],` +
		`"outputs":[{"name":"c","datatype":"BF16","shape":[2]}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	m.Outputs[0].DType = tensor.String
	if got, err := AppendMetadata([]byte("x"), m); err == nil || string(got) != "x" || !strings.Contains(err.Error(), `"c"`) {
		t.Error(string(got), err)
	}
}

func TestDTypes(t *testing.T) {
	for d := tensor.DType(0); d < 40; d++ {
		name, ok := DTypeName(d)
		back, ok2 := ParseDType(name)
		if ok != ok2 || ok && back != d {
			t.Errorf("%v: %q %v, back %v %v", d, name, ok, back, ok2)
		}
	}
	for _, name := range []string{"BYTES", "", "fp32", "FP8"} {
		if _, ok := ParseDType(name); ok {
			t.Errorf("%q is a type", name)
		}
	}
}
