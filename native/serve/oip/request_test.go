package oip

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

// one is the specification of a model with one input x of the given type and shape and one output y of FP32.
func one(d tensor.DType, shape ...int) Spec {
	return Spec{Inputs: []TensorSpec{{"x", d, shape}}, Outputs: []TensorSpec{{"y", tensor.Float32, []int{-1}}}}
}

// request returns the JSON of a request with one input x.
func request(dtype, shape, data string) string {
	return `{"inputs":[{"name":"x","datatype":"` + dtype + `","shape":` + shape + `,"data":` + data + `}]}`
}

func TestDecodeData(t *testing.T) {
	any2 := []int{-1, -1}
	for _, c := range []struct {
		dtype string
		spec  []int
		shape string
		data  string
		want  *tensor.Tensor
	}{
		{"FP32", any2, "[2,3]", "[1, 2.5,-3e1 ,\n4,5,6]", tensor.From([]float32{1, 2.5, -30, 4, 5, 6}, 2, 3)},
		{"FP32", any2, "[2,3]", "[[1,2,3],[4,5,6]]", tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)},
		{"FP32", any2, "[2,3]", " [ [ 1 , 2 , 3 ] , [ 4 , 5 , 6 ] ] ", tensor.From([]float32{1, 2, 3, 4, 5, 6}, 2, 3)},
		{"FP32", []int{2, 1, 2}, "[2,1,2]", "[[[1,2]],[[3,4]]]", tensor.From([]float32{1, 2, 3, 4}, 2, 1, 2)},
		{"FP32", []int{}, "[]", "[7]", tensor.From([]float32{7})},
		{"FP32", any2, "[0,3]", "[]", tensor.New(tensor.Float32, 0, 3)},
		{"FP32", any2, "[2,0]", "[[],[]]", tensor.New(tensor.Float32, 2, 0)},
		{"FP32", []int{-1, -1, -1}, "[2,0,3]", "[[],[]]", tensor.New(tensor.Float32, 2, 0, 3)},
		{"FP32", []int{-1}, "[1]", "[-0.0]", tensor.From([]float32{float32(math.Copysign(0, -1))}, 1)},
		{"FP64", []int{-1}, "[2]", "[0.1,1e300]", tensor.From([]float64{0.1, 1e300}, 2)},
		{"BOOL", []int{3}, "[3]", "[true,false,true]", tensor.From([]bool{true, false, true}, 3)},
		{"UINT8", []int{-1}, "[3]", "[0,255,2.55e2]", tensor.From([]uint8{0, 255, 255}, 3)},
		{"UINT16", []int{-1}, "[2]", "[0,65535]", tensor.From([]uint16{0, 65535}, 2)},
		{"UINT32", []int{-1}, "[2]", "[-0,4294967295]", tensor.From([]uint32{0, 4294967295}, 2)},
		{"UINT64", []int{-1}, "[3]", "[18446744073709551615,9007199254740993,18446744073709551615.0]", tensor.From([]uint64{math.MaxUint64, 9007199254740993, math.MaxUint64}, 3)},
		{"INT8", []int{-1}, "[3]", "[-128,127,-0]", tensor.From([]int8{-128, 127, 0}, 3)},
		{"INT16", []int{-1}, "[2]", "[-32768,32767]", tensor.From([]int16{-32768, 32767}, 2)},
		{"INT32", []int{-1}, "[3]", "[-2147483648,2147483647,3.0]", tensor.From([]int32{math.MinInt32, math.MaxInt32, 3}, 3)},
		{"INT64", []int{-1}, "[3]", "[-9223372036854775808,9223372036854775807,9007199254740993]", tensor.From([]int64{math.MinInt64, math.MaxInt64, 9007199254740993}, 3)},
	} {
		d, _ := ParseDType(c.dtype)
		// Once with the data read at once, once with the data before what it needs.
		for _, body := range []string{request(c.dtype, c.shape, c.data), `{"inputs":[{"data":` + c.data + `,"shape":` + c.shape + `,"datatype":"` + c.dtype + `","name":"x"}]}`} {
			r, err := DecodeRequest([]byte(body), -1, one(d, c.spec...))
			if err != nil {
				t.Errorf("%s: %v", body, err)
				continue
			}
			if g := r.Inputs[0]; g.DType() != d || !tensor.SameShape(g.Shape(), c.want.Shape()) || !bytes.Equal(g.Bytes(), c.want.Bytes()) {
				t.Errorf("%s: got %v %v %v", body, g.DType(), g.Shape(), g.Bytes())
			}
		}
	}
}

// TestDecodeRefuses: every refusal names what is wrong and the way out.
func TestDecodeRefuses(t *testing.T) {
	x := func(dtype, shape, data string) string { return request(dtype, shape, data) }
	const f = `"name":"x","datatype":"FP32","shape":[2]`
	for _, c := range []struct {
		dtype tensor.DType
		body  string
		say   []string // parts of the message
	}{
		{tensor.Uint8, x("UINT8", "[2]", "[1,300]"), []string{`input "x"`, "element 1", `"300"`, "0 to 255"}},
		{tensor.Uint8, x("UINT8", "[2]", "[-1,3]"), []string{"element 0", "0 to 255"}},
		{tensor.Uint8, x("UINT8", "[2]", "[1.5,3]"), []string{"element 0", "no whole number"}},
		{tensor.Int8, x("INT8", "[2]", "[1,128]"), []string{"-128 to 127"}},
		{tensor.Int64, x("INT64", "[2]", "[1,9223372036854775808]"), []string{"element 1", "9223372036854775807"}},
		{tensor.Uint64, x("UINT64", "[2]", "[1,18446744073709551616]"), []string{"element 1", "18446744073709551615"}},
		{tensor.Int32, x("INT32", "[2]", "[1,1e400]"), []string{"element 1", "2147483647"}},
		{tensor.Float32, x("FP32", "[2]", "[1,1e39]"), []string{"element 1", "1e39", "FP32", "3.4028235e38"}},
		{tensor.Float64, x("FP64", "[2]", "[1,1e309]"), []string{"element 1", "FP64"}},
		{tensor.Float32, x("FP32", "[2]", "[1,NaN]"), []string{"element 1", "NaN", "binary_data_size"}},
		{tensor.Float32, x("FP32", "[2]", "[-Infinity,1]"), []string{"element 0", "-Infinity", "binary_data_size"}},
		{tensor.Float32, x("FP32", "[2]", "[null,1]"), []string{"element 0", "null"}},
		{tensor.Float32, x("FP32", "[2]", `["1",1]`), []string{"element 0", "a string"}},
		{tensor.Float32, x("FP32", "[2]", "[true,1]"), []string{"element 0", "true"}},
		{tensor.Bool, x("BOOL", "[2]", "[true,1]"), []string{"element 1", "true and false"}},
		{tensor.Float32, x("FP32", "[2]", "[1]"), []string{"has 1 elements", "needs 2"}},
		{tensor.Float32, x("FP32", "[2]", "[1,2,3]"), []string{"more than the 2 elements"}},
		{tensor.Float32, x("FP32", "[2]", "[1,]"), []string{"element 1"}},
		{tensor.Float32, x("FP32", "[2]", "[01,2]"), []string{"not valid JSON"}},
		{tensor.Float32, x("FP32", "[2]", "5"), []string{"must be an array"}},
		{tensor.Float32, x("FP32", "[2]", "{}"), []string{"must be an array", "an object"}},
		{tensor.Float32, x("FP32", "[2]", "[[1,2]]"), []string{"nested 2 deep", "1 deep"}},
		{tensor.Float32, x("FP32", "[2]", "[1,[2]]"), []string{"element 1", "an array"}},
		{tensor.Float16, x("FP16", "[2]", "[1,2]"), []string{`input "x"`, "FP16", "no JSON form", "binary_data_size"}},
		{tensor.BFloat16, x("BF16", "[2]", "[1,2]"), []string{"BF16", "binary_data_size"}},
		{tensor.Float32, x("BYTES", "[2]", `["a","b"]`), []string{"BYTES", "FP32"}},
		{tensor.Float32, x("FP64", "[2]", "[1,2]"), []string{`input "x"`, "FP64", "takes FP32"}},
		{tensor.Float32, x("float", "[2]", "[1,2]"), []string{`"float"`, "FP32"}},
		{tensor.Float32, x("FP32", "[3]", "[1,2,3]"), []string{"has shape [3]", "takes [2]"}},
		{tensor.Float32, x("FP32", "[1,2]", "[1,2]"), []string{"has shape [1 2]", "takes [2]"}},
		{tensor.Float32, x("FP32", "[-1]", "[1,2]"), []string{"dimension", "-1"}},
		{tensor.Float32, x("FP32", "[1.5]", "[1,2]"), []string{"dimension", "1.5"}},
		{tensor.Float32, x("FP32", "[18446744073709551617]", "[1,2]"), []string{"dimension"}},
		{tensor.Float32, x("FP32", `["2"]`, "[1,2]"), []string{"dimension", "a string"}},
		{tensor.Float32, x("FP32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2]", "[1,2]"), []string{"more than 16 dimensions"}},
		{tensor.Float32, `{"inputs":[{` + f + `}]}`, []string{`input "x"`, `no "data"`}},
		{tensor.Float32, `{"inputs":[{"name":"x","datatype":"FP32","data":[1,2]}]}`, []string{`input "x"`, `no "shape"`}},
		{tensor.Float32, `{"inputs":[{"name":"x","shape":[2],"data":[1,2]}]}`, []string{`no "datatype"`}},
		{tensor.Float32, `{"inputs":[{"shape":[2],"datatype":"FP32","data":[1,2]}]}`, []string{`no "name"`}},
		{tensor.Float32, `{"inputs":[{}]}`, []string{`no "name"`}},
		{tensor.Float32, `{"inputs":[]}`, []string{`input "x" is missing`}},
		{tensor.Float32, `{}`, []string{`input "x" is missing`}},
		{tensor.Float32, `{"inputs":[{"name":"z","datatype":"FP32","shape":[2],"data":[1,2]}]}`, []string{`no input "z"`, `"x"`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]},{` + f + `,"data":[1,2]}]}`, []string{`input "x" comes twice`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2],"data":[1,2]}]}`, []string{`"data" comes twice`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"shape":[2],"data":[1,2]}]}`, []string{`"shape" comes twice`}},
		{tensor.Float32, `{"inputs":[],"inputs":[]}`, []string{`"inputs" comes twice`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{"name":"z"}]}`, []string{`no output "z"`, `"y"`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{"name":"y"},{"name":"y"}]}`, []string{`output "y" is asked for twice`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{}]}`, []string{`no "name"`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{"name":"y","parameters":{"binary_data":1}}]}`, []string{`"binary_data"`, "true or false"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{"name":"y","parameters":{"classification":3}}]}`, []string{`classification`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}],"outputs":[{"name":"y","parameters":{"shared_memory_region":"a"}}]}`, []string{`shared memory`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"parameters":{"shared_memory_region":"a"}}]}`, []string{`shared memory`}},
		{tensor.Float32, `{"inputs":[{` + f + `,"parameters":{"binary_data_size":8}}]}`, []string{HeaderLength}},
		{tensor.Float32, `{"inputs":[{` + f + `,"parameters":{"binary_data_size":8},"data":[1,2]}]}`, []string{"both"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"parameters":{"binary_data_size":-8}}]}`, []string{"number of bytes"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"parameters":[]}]}`, []string{"parameters", "object"}},
		{tensor.Float32, `{"id":7,"inputs":[]}`, []string{`"id"`, "string"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}]} x`, []string{"end of the request"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2]}]`, []string{"ends"}},
		{tensor.Float32, `{"inputs":[{` + f + `,"data":[1,2`, []string{"ends"}},
		{tensor.Float32, ``, []string{"ends"}},
		{tensor.Float32, `[]`, []string{"object"}},
		{tensor.Float32, "{\"id\":\"\xff\"}", []string{"UTF-8"}},
		{tensor.Float32, "{\"id\":\"\n\"}", []string{"not valid JSON"}},
		{tensor.Float32, `{"id":"\q"}`, []string{"escape"}},
		{tensor.Float32, `{"a":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, []string{"64 levels"}},
		{tensor.Float32, `{"a":` + strings.Repeat(`{"a":`, 1000), []string{"64 levels"}},
		{tensor.Float32, `{"a":[1,]}`, []string{"not valid JSON"}},
		{tensor.Float32, `{"a":{"b":1,}}`, []string{"not valid JSON"}},
		{tensor.Float32, `{"a":{1:1}}`, []string{"not valid JSON"}},
		{tensor.Float32, `{"a":[1}}`, []string{"not valid JSON"}},
		{tensor.Float32, `{"a":truf}`, []string{"not valid JSON"}},
	} {
		_, err := DecodeRequest([]byte(c.body), -1, one(c.dtype, 2))
		var e *Error
		if !errors.As(err, &e) || e.Status != http.StatusBadRequest {
			t.Errorf("%s: got %v, want a refusal of status 400", c.body, err)
			continue
		}
		for _, s := range c.say {
			if !strings.Contains(e.Msg, s) {
				t.Errorf("%s:\n\t%s\n\tdoes not say %s", c.body, e.Msg, s)
			}
		}
	}
	for _, c := range []struct{ shape, data, say string }{
		{"[2,3]", "[[1,2,3],[4,5]]", "row of 2"},
		{"[2,3]", "[[1,2,3],[4,5,6,7]]", "more than 3"},
		{"[2,3]", "[[1,2,3]]", "must have 2 parts, not 1"},
		{"[2,3]", "[[1,2,3],[4,5,6],[7,8,9]]", "not more"},
		{"[2,3]", "[[1,2,3],4,5,6]", "must have arrays"},
		{"[2,3]", "[[1,2,3] [4,5,6]]", "2 parts"},
		{"[2,3]", "[[[1,2,3],[4,5,6]]]", "nested 3 deep"},
		{"[2,3]", "[[1,2,3],[4,5,6]", "\"]\""},
		{"[100000,100000]", "[1]", "more than the body has"},
		{"[1000000000,1000000000]", "[1]", "over the"},
		{"[4294967296,4294967296]", "[1]", "over the"},
	} {
		_, err := DecodeRequest([]byte(request("FP32", c.shape, c.data)), -1, one(tensor.Float32, -1, -1))
		if err == nil || !strings.Contains(err.Error(), c.say) {
			t.Errorf("%s %s: got %v, want %s", c.shape, c.data, err, c.say)
		}
	}
	s := one(tensor.Float32, -1)
	s.MaxElements = 3
	_, err := DecodeRequest([]byte(request("FP32", "[4]", "[1,2,3,4]")), -1, s)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Status != http.StatusRequestEntityTooLarge {
		t.Errorf("over MaxElements: %v", err)
	}
	if _, err := DecodeRequest([]byte(request("FP32", "[3]", "[1,2,3]")), -1, s); err != nil {
		t.Error(err)
	}
}

// TestProtocolExamples reads the requests of the protocol's own documents and gives their answers.
func TestProtocolExamples(t *testing.T) {
	spec := Spec{
		Inputs:  []TensorSpec{{"input0", tensor.Uint32, []int{2, 2}}, {"input1", tensor.Bool, []int{3}}},
		Outputs: []TensorSpec{{"output0", tensor.Float32, []int{3, 2}}},
	}
	// The document's second input has one element for shape [3]; a server must have three.
	const rest = `{
	  "id" : "42",
	  "inputs" : [
	    { "name" : "input0", "shape" : [ 2, 2 ], "datatype" : "UINT32", "data" : [ 1, 2, 3, 4 ] },
	    { "name" : "input1", "shape" : [ 3 ], "datatype" : "BOOL", "data" : [ true, false, true ] }
	  ],
	  "outputs" : [ { "name" : "output0" } ]
	}`
	check := func(r *Request, err error, binary bool) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if u := tensor.Data[uint32](r.Inputs[0]); u[0] != 1 || u[3] != 4 {
			t.Error("input0", u)
		}
		if b := r.Inputs[1].Bytes(); !bytes.Equal(b, []byte{1, 0, 1}) {
			t.Error("input1", b)
		}
		if len(r.Outputs) != 1 || r.Outputs[0] != (Output{"output0", binary}) {
			t.Error("outputs", r.Outputs)
		}
	}
	r, err := DecodeRequest([]byte(rest), -1, spec)
	check(r, err, false)
	y := tensor.From([]float32{1, 1.1, 2, 2.1, 3, 3.1}, 3, 2)
	out, n, err := AppendResponse(nil, &Response{ID: r.ID, Outputs: []OutputTensor{{"output0", y, false}}})
	const want = `{"id":"42","outputs":[{"name":"output0","datatype":"FP32","shape":[3,2],"data":[1.0,1.1,2.0,2.1,3.0,3.1]}]}`
	if err != nil || n != -1 || string(out) != want {
		t.Errorf("got %s, %d, %v\nwant %s", out, n, err, want)
	}

	head := []byte(`{
	  "model_name" : "mymodel",
	  "inputs" : [
	    { "name" : "input0", "shape" : [ 2, 2 ], "datatype" : "UINT32", "parameters" : { "binary_data_size" : 16 } },
	    { "name" : "input1", "shape" : [ 3 ], "datatype" : "BOOL", "parameters" : { "binary_data_size" : 3 } }
	  ],
	  "outputs" : [ { "name" : "output0", "parameters" : { "binary_data" : true } } ]
	}`)
	tail := []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1}
	body := append(head[:len(head):len(head)], tail...)
	r, err = DecodeRequest(body, len(head), spec)
	check(r, err, true)
	clear(body)
	check(r, err, true) // the tensors are their own
	out, n, err = AppendResponse([]byte("before"), &Response{Outputs: []OutputTensor{{"output0", y, true}}})
	const wantHead = `{"outputs":[{"name":"output0","datatype":"FP32","shape":[3,2],"parameters":{"binary_data_size":24}}]}`
	if err != nil || n != len(wantHead) || string(out[:6]) != "before" || string(out[6:6+n]) != wantHead || !bytes.Equal(out[6+n:], y.Bytes()) {
		t.Errorf("got %q, %d, %v", out, n, err)
	}
}

func TestDecodeBinary(t *testing.T) {
	head := func(dtype, shape, size string) string {
		return `{"inputs":[{"name":"x","datatype":"` + dtype + `","shape":` + shape + `,"parameters":{"binary_data_size":` + size + `}}]}`
	}
	for i := range dtypes {
		d := dtypes[i]
		w := d.dtype.Bytes(1)
		want := bytes.Repeat([]byte{1}, 6*w)
		h := head(d.name, "[2,3]", itoa(len(want)))
		r, err := DecodeRequest(append([]byte(h), want...), len(h), one(d.dtype, -1, 3))
		if err != nil || r.Inputs[0].DType() != d.dtype || !bytes.Equal(r.Inputs[0].Bytes(), want) {
			t.Errorf("%s: %v", d.name, err)
		}
	}
	eight := "\x00\x00\x80\x3f\x00\x00\xc0\x7f" // 1, NaN
	for _, c := range []struct {
		head string
		len  int // added to the head's
		tail string
		say  string
	}{
		{head("FP32", "[2]", "8"), 0, eight, ""},
		{head("FP32", "[2]", "8"), 0, eight[:7], "7 bytes left"},
		{head("FP32", "[2]", "8"), 0, eight + "x", "1 bytes more"},
		{head("FP32", "[2]", "7"), 0, eight, "has 8 bytes"},
		{head("FP32", "[2]", "4"), 0, eight[:4], "has 8 bytes"},
		{head("FP32", "[1]", "8"), 0, eight, "has 4 bytes"},
		{head("FP32", "[1000000000]", "8"), 0, eight, "more than the body has"},
		{head("BOOL", "[2]", "8"), 0, eight, "takes FP32"},
		{head("FP32", "[2]", "8"), 100, eight, HeaderLength},
		{head("FP32", "[2]", "8"), -1, eight, "ends"},
		{head("FP32", "[2]", "8"), 1, eight, "7 bytes left"},
		{head("FP32", "[2]", `"8"`), 0, eight, "number of bytes"},
		{head("FP32", "[2]", `8,"binary_data_size":8`), 0, eight, "twice"},
	} {
		_, err := DecodeRequest([]byte(c.head+c.tail), len(c.head)+c.len, one(tensor.Float32, -1))
		if c.say == "" && err != nil || c.say != "" && (err == nil || !strings.Contains(err.Error(), c.say)) {
			t.Errorf("%s %d %q: got %v, want %q", c.head, c.len, c.tail, err, c.say)
		}
	}
	h := head("BOOL", "[2]", "2")
	if _, err := DecodeRequest([]byte(h+"\x01\x02"), len(h), one(tensor.Bool, 2)); err == nil || !strings.Contains(err.Error(), "byte 1 of BOOL is 2") {
		t.Error(err)
	}
	for _, n := range []int{0, -2, math.MaxInt} {
		if _, err := DecodeRequest([]byte(h), n, one(tensor.Bool, 2)); err == nil {
			t.Errorf("header length %d is taken", n)
		}
	}
}

// TestDecodeOutputs: what is asked for, by the output's own word, the request's, or neither; unknown keys, nulls, escapes.
func TestDecodeOutputs(t *testing.T) {
	spec := one(tensor.Float32, 1)
	spec.Outputs = append(spec.Outputs, TensorSpec{"hälf", tensor.Float16, []int{-1}})
	const in = `"inputs":[{"name":"\u0078","extra":{"a":[1,{"b":null}],"c":"\"]"},"datatype":"FP32","shape":[1],"data":[1],"parameters":null}]`
	for _, c := range []struct {
		body    string
		want    []Output
		binary  bool
		failing bool
	}{
		{`{"id":null,"outputs":null,"parameters":{"binary_data_output":true,"timeout":5},` + in + `}`, nil, true, false},
		{`{"outputs":[],"parameters":{"binary_data_output":true},` + in + `}`, nil, true, false},
		{`{` + in + `}`, nil, false, true}, // FP16 has no JSON form
		{`{` + in + `,"outputs":[{"name":"y"}]}`, []Output{{"y", false}}, false, false},
		{`{` + in + `,"outputs":[{"name":"h\u00e4lf"}]}`, nil, false, true},
		{`{` + in + `,"outputs":[{"parameters":{"binary_data":true},"name":"h\u00e4lf"},{"name":"y"}]}`, []Output{{"hälf", true}, {"y", false}}, false, false},
		{`{` + in + `,"outputs":[{"name":"y","parameters":{"binary_data":false}},{"name":"hälf"}],"parameters":{"binary_data_output":true}}`, []Output{{"y", false}, {"hälf", true}}, true, false},
		{`{` + in + `,"outputs":[{"name":"hälf","parameters":{"binary_data":false}}],"parameters":{"binary_data_output":true}}`, nil, false, true},
	} {
		r, err := DecodeRequest([]byte(c.body), -1, spec)
		if c.failing {
			if err == nil || !strings.Contains(err.Error(), "FP16") || !strings.Contains(err.Error(), "binary_data_output") {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		ok := len(r.Outputs) == len(c.want) && r.BinaryDefault == c.binary
		for i := range c.want {
			ok = ok && r.Outputs[i] == c.want[i]
		}
		if !ok {
			t.Errorf("%s: got %+v", c.body, r)
		}
	}
}

// TestStrings compares strings with encoding/json.
func TestStrings(t *testing.T) {
	for _, s := range []string{`""`, `"a"`, `"\u0041\n\"\\\/\b\f\r\t"`, `"\ud83d\ude00"`, `"\ud83d"`, `"\ud83dx"`, `"\ud83d\n"`, `"\ud83d\u0041"`, `"\ude00\ud83d\ude00"`, `"ä€😀"`, `"\u00"`, `"\u00zz"`, `"`, `"\`, `"a\"`} {
		var want string
		wantErr := json.Unmarshal([]byte(s), &want)
		sc := scanner{b: []byte(s)}
		got, err := sc.str()
		if (err != nil) != (wantErr != nil) || err == nil && (string(got) != want || sc.p != len(s)) {
			t.Errorf("%s: got %q, %v; want %q, %v", s, got, err, want, wantErr)
		}
	}
	for _, s := range []string{"", "a\"\\/\n\x00\x1f\x7f", "ä€😀\u2028", "a\xffb"} {
		var back string
		if b := AppendString(nil, s); json.Unmarshal(b, &back) != nil || back != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("%q: wrote %s", s, b)
		}
	}
}

// TestDecodeMemory: what a request claims is not allocated, only what it brings.
func TestDecodeMemory(t *testing.T) {
	allocated := func(body string, n int, s Spec) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = DecodeRequest([]byte(body), n, s)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	for _, body := range []string{
		request("FP64", "[1000000000]", "[1"+strings.Repeat(",1", 1000)+"]"),
		`{"inputs":[{"name":"x","datatype":"FP64","shape":[1000000000],"parameters":{"binary_data_size":8000000000}}]}`,
		`{"inputs":[` + strings.Repeat(`{"data":[1],"shape":[1],"datatype":"FP64","name":"x"},`, 1000),
	} {
		n := -1
		if strings.Contains(body, "binary") {
			n = len(body)
		}
		if got := allocated(body, n, one(tensor.Float64, -1)); got > uint64(10*len(body)+1<<16) {
			t.Errorf("%d bytes of body make %d bytes of memory: %.80s", len(body), got, body)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	for _, c := range []struct {
		body string
		n    int
	}{
		{request("FP32", "[2,2]", "[[1,2],[3.5,4e-1]]"), -1},
		{request("FP32", "[2,2]", "[1,2,3.5,4e-1]"), -1},
		{`{"id":"7","inputs":[{"data":[1,2],"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"a":[{}]}},{"name":"i","shape":[2],"datatype":"INT8","data":[-128,1.0]}],"outputs":[{"name":"y"}]}`, -1},
		{`{"inputs":[{"name":"x","datatype":"FP32","shape":[1,1],"parameters":{"binary_data_size":4}}],"parameters":{"binary_data_output":true}}abcd`, 122},
	} {
		f.Add([]byte(c.body), c.n)
	}
	spec := Spec{
		Inputs:      []TensorSpec{{"x", tensor.Float32, []int{-1, -1}}, {"i", tensor.Int8, []int{-1}}},
		Outputs:     []TensorSpec{{"y", tensor.Float32, nil}},
		MaxElements: 1 << 16,
	}
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		for k := 1; k <= 2; k++ {
			spec := spec
			spec.Inputs = spec.Inputs[:k]
			r, err := DecodeRequest(body, n, spec)
			if err != nil {
				if len(err.Error()) > 2000 {
					t.Errorf("a message of %d bytes", len(err.Error()))
				}
				if e := (*Error)(nil); !errors.As(err, &e) || e.Status < 400 {
					t.Errorf("error %v", err)
				}
				continue
			}
			head := body
			if n >= 0 {
				head = body[:n]
			}
			if !json.Valid(head) {
				t.Errorf("takes what is no JSON: %q", head)
			}
			if n < 0 {
				compareJSON(t, head, r, spec)
			}
			roundTrip(t, r, spec)
		}
	})
}

// compareJSON reads the numbers with encoding/json and compares.
func compareJSON(t *testing.T, body []byte, r *Request, spec Spec) {
	var doc struct {
		Inputs []struct {
			Name string
			Data any
		}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&doc) != nil {
		return // keys that differ in case alone, which encoding/json takes for the same
	}
	for _, in := range doc.Inputs {
		for i := range spec.Inputs {
			if spec.Inputs[i].Name != in.Name {
				continue
			}
			var flat []float64
			var walk func(v any)
			walk = func(v any) {
				switch v := v.(type) {
				case []any:
					for _, e := range v {
						walk(e)
					}
				case json.Number:
					x, _ := v.Float64()
					flat = append(flat, x)
				}
			}
			walk(in.Data)
			got := r.Inputs[i].Float64s()
			if len(flat) != len(got) {
				return // "Data" beside "data"
			}
			for k := range got {
				if want := flat[k]; got[k] != want && got[k] != float64(float32(want)) && math.Abs(got[k]-want) > math.Abs(want)*1e-7 {
					t.Errorf("input %s element %d: %v, want %v", in.Name, k, got[k], want)
				}
			}
		}
	}
}

// roundTrip writes the inputs as an answer's outputs, makes a request of it and reads it again.
func roundTrip(t *testing.T, r *Request, spec Spec) {
	for _, binaryForm := range []bool{false, true} {
		resp := &Response{ID: r.ID}
		finite := true
		for i, in := range r.Inputs {
			resp.Outputs = append(resp.Outputs, OutputTensor{spec.Inputs[i].Name, in, binaryForm})
			for _, v := range in.Float64s() {
				finite = finite && math.Abs(v) <= math.MaxFloat64
			}
		}
		out, n, err := AppendResponse(nil, resp)
		if err != nil {
			if finite || binaryForm {
				t.Error(err)
			}
			continue
		}
		head := out
		if n >= 0 {
			head = out[:n]
		}
		if !json.Valid(head) {
			t.Errorf("writes what is no JSON: %q", head)
		}
		body := bytes.Replace(out, []byte(`"outputs"`), []byte(`"inputs"`), 1)
		if i := bytes.Index(out, []byte(`"outputs"`)); i > 0 && bytes.Contains(out[:i], []byte("inputs")) {
			continue
		}
		if n >= 0 {
			n--
		}
		back, err := DecodeRequest(body, n, spec)
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		for i := range r.Inputs {
			if !tensor.SameShape(back.Inputs[i].Shape(), r.Inputs[i].Shape()) || !bytes.Equal(back.Inputs[i].Bytes(), r.Inputs[i].Bytes()) {
				t.Errorf("%q: input %d comes back different", body, i)
			}
		}
		if back.ID != r.ID {
			t.Errorf("id %q comes back as %q", r.ID, back.ID)
		}
	}
}

// TestTritonClient reads requests that NVIDIA Triton's own client has made (testdata/tritonclient.py).
func TestTritonClient(t *testing.T) {
	file, err := os.ReadFile("testdata/tritonclient.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Datatype   string
		Length     int
		Body, Data []byte
	}
	if err := json.Unmarshal(file, &cases); err != nil || len(cases) < 20 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		d, _ := ParseDType(c.Datatype)
		r, err := DecodeRequest(c.Body, c.Length, one(d, -1, 4))
		if err != nil {
			t.Errorf("%s, JSON of %d bytes: %v", c.Datatype, c.Length, err)
			continue
		}
		if !bytes.Equal(r.Inputs[0].Bytes(), c.Data) || r.ID != "id-7" || !tensor.SameShape(r.Inputs[0].Shape(), []int{2, 4}) {
			t.Errorf("%s, JSON of %d bytes: got %x, want %x", c.Datatype, c.Length, r.Inputs[0].Bytes(), c.Data)
		}
		if binary := c.Length >= 0; r.BinaryDefault != binary || (len(r.Outputs) == 0) != binary {
			t.Errorf("%s: outputs %+v, binary %v", c.Datatype, r.Outputs, r.BinaryDefault)
		}
	}
}
