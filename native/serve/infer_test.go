package serve

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/native/serve/oip"
)

// answered is an answer by the protocol, in JSON.
type answered struct {
	ModelName    string `json:"model_name"`
	ModelVersion string `json:"model_version"`
	ID           string `json:"id"`
	Outputs      []struct {
		Name       string         `json:"name"`
		Datatype   string         `json:"datatype"`
		Shape      []int          `json:"shape"`
		Data       []float64      `json:"data"`
		Parameters map[string]any `json:"parameters"`
	} `json:"outputs"`
}

func decodeAnswer(t *testing.T, b []byte) answered {
	t.Helper()
	var a answered
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return a
}

// inferBinary sends float32 rows as a binary tensor and reads the answer's bytes.
func inferBinary(t *testing.T, h http.Handler, target, request string, x []float32) (*httptest.ResponseRecorder, []float32) {
	t.Helper()
	body := []byte(request)
	for _, v := range x {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	r := httptest.NewRequest("POST", target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set(oip.HeaderLength, strconv.Itoa(len(request)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	n, err := strconv.Atoi(w.Header().Get(oip.HeaderLength))
	if w.Code != http.StatusOK || err != nil {
		return w, nil
	}
	var y []float32
	for b := w.Body.Bytes()[n:]; len(b) > 0; b = b[4:] {
		y = append(y, math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	return w, y
}

// TestInfer: JSON and binary tensors give the same bits, which are those behind /v1/digits.
func TestInfer(t *testing.T) {
	s := newServer(t, Options{})
	x := append(slices.Clone(sample(t, 7)), sample(t, 2)...)
	d := wantDigit(t, ask(s, "POST", "/v1/digits", "application/json", asNumbers(x[:784])), 7)

	request := fmt.Sprintf(`{"id": "abc", "inputs": [{"name": "input", "shape": [2, 1, 28, 28], "datatype": "FP32", "data": %s}]}`, asNumbers(x))
	var logits []float32
	for _, target := range []string{"/v2/models/lenet/infer", "/v2/models/lenet/versions/1/infer"} {
		for _, contentType := range []string{"application/json", "", "application/x-www-form-urlencoded"} {
			w := ask(s, "POST", target, contentType, []byte(request))
			a := decodeAnswer(t, w.Body.Bytes())
			if w.Code != 200 || a.ModelName != "lenet" || a.ModelVersion != "1" || a.ID != "abc" || len(a.Outputs) != 1 || w.Header().Get("Content-Type") != "application/json" {
				t.Fatalf("status %d, %s", w.Code, w.Body)
			}
			o := a.Outputs[0]
			if o.Name != "logits" || o.Datatype != "FP32" || !slices.Equal(o.Shape, []int{2, 10}) || len(o.Data) != 20 {
				t.Fatalf("%+v", o)
			}
			logits = logits[:0]
			for _, v := range o.Data {
				logits = append(logits, float32(v))
			}
		}
	}
	for i, want := range []int{7, 2} {
		got, p, err := s.model("lenet", nil).class.Best(logits[10*i : 10*i+10])
		if err != nil || got != want || i == 0 && !slices.Equal(p, d.Probabilities) {
			t.Errorf("row %d: %d, %v, %v", i, got, p, err)
		}
	}
	binaryRequest := `{"inputs": [{"name": "input", "shape": [2, 1, 28, 28], "datatype": "FP32", "parameters": {"binary_data_size": 6272}}], "outputs": [{"name": "logits", "parameters": {"binary_data": true}}]}`
	w, y := inferBinary(t, s, "/v2/models/lenet/infer", binaryRequest, x)
	if w.Code != 200 || !slices.Equal(y, logits) || w.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("status %d, %v, JSON gave %v", w.Code, y, logits)
	}
	w, y = inferBinary(t, s, "/v2/models/lenet/infer", strings.Replace(binaryRequest, `"outputs": [{"name": "logits", "parameters": {"binary_data": true}}]`, `"parameters": {"binary_data_output": true}`, 1), x)
	if w.Code != 200 || !slices.Equal(y, logits) {
		t.Errorf("status %d, %v, JSON gave %v", w.Code, y, logits)
	}
	// No rows at all.
	w = ask(s, "POST", "/v2/models/lenet/infer", "", []byte(`{"inputs": [{"name": "input", "shape": [0, 1, 28, 28], "datatype": "FP32", "data": []}]}`))
	if w.Code != 200 || !slices.Equal(decodeAnswer(t, w.Body.Bytes()).Outputs[0].Shape, []int{0, 10}) {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
}

// TestInferOutputs: a model of several types, inputs and outputs, which a request chooses from.
func TestInferOutputs(t *testing.T) {
	s := empty(t, Options{})
	g := graph.New()
	n := g.Symbol("N")
	a, b := g.Input("a", tensor.Float32, n), g.Input("b", tensor.Float32, n)
	sum, product := op.Add(a, b), op.Mul(a, b)
	sum.Name, product.Name = "sum", "product"
	g.Output(sum)
	g.Output(product)
	if _, err := s.Add("two", g, nil, LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	inputs := `"inputs": [{"name": "b", "shape": [2], "datatype": "FP32", "data": [3, 4]}, {"name": "a", "shape": [2], "datatype": "FP32", "data": [[1], [2]]}]`
	inputs = strings.Replace(inputs, "[[1], [2]]", "[1, 2]", 1)
	for _, c := range []struct{ outputs, want string }{
		{``, `[{"name":"sum","datatype":"FP32","shape":[2],"data":[4.0,6.0]},{"name":"product","datatype":"FP32","shape":[2],"data":[3.0,8.0]}]`},
		{`, "outputs": [{"name": "product"}]`, `[{"name":"product","datatype":"FP32","shape":[2],"data":[3.0,8.0]}]`},
		{`, "outputs": [{"name": "product"}, {"name": "sum"}]`, `[{"name":"product","datatype":"FP32","shape":[2],"data":[3.0,8.0]},{"name":"sum","datatype":"FP32","shape":[2],"data":[4.0,6.0]}]`},
	} {
		w := ask(s, "POST", "/v2/models/two/infer", "application/json", []byte("{"+inputs+c.outputs+"}"))
		want := `{"model_name":"two","model_version":"1","outputs":` + c.want + `}`
		if w.Code != 200 || w.Body.String() != want {
			t.Errorf("status %d, %s\nwant %s", w.Code, w.Body, want)
		}
	}
	// Sizes that fit the metadata, but not each other.
	w := ask(s, "POST", "/v2/models/two/infer", "application/json", []byte(strings.Replace("{"+inputs+"}", `"shape": [2], "datatype": "FP32", "data": [3, 4]`, `"shape": [3], "datatype": "FP32", "data": [3, 4, 5]`, 1)))
	wantError(t, w, 400, "N")
	// What JSON cannot say.
	w = ask(s, "POST", "/v2/models/two/infer", "application/json", []byte(strings.Replace("{"+inputs+"}", "[3, 4]", "[3e38, 3e38]", 1)))
	if w.Code != 200 && w.Code != 422 {
		t.Errorf("status %d, %s", w.Code, w.Body)
	}
	w = ask(s, "POST", "/v2/models/two/infer", "application/json", []byte(strings.NewReplacer("[3, 4]", "[3e38, 3e38]", "[1, 2]", "[1, 3e38]").Replace("{"+inputs+"}")))
	wantError(t, w, 422, "sum")
}

func TestInferErrors(t *testing.T) {
	s := newServer(t, Options{MaxBody: 100_000, MaxElements: 784})
	numbers := string(asNumbers(sample(t, 1)))
	good := `{"inputs": [{"name": "input", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": ` + numbers + `}]}`
	post := func(contentType, length, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/v2/models/lenet/infer", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		if length != "" {
			r.Header.Set(oip.HeaderLength, length)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	const js, bin = "application/json", "application/octet-stream"
	if w := post(js, "", good); w.Code != 200 {
		t.Fatalf("status %d, %s", w.Code, w.Body)
	}
	for _, c := range []struct {
		name string
		w    *httptest.ResponseRecorder
		code int
		part string
	}{
		{"empty", post(js, "", ""), 400, ""},
		{"no json", post(js, "", "{"), 400, ""},
		{"no inputs", post(js, "", "{}"), 400, "input"},
		{"wrong name", post(js, "", strings.Replace(good, `"input"`, `"x"`, 1)), 400, "input"},
		{"wrong type", post(js, "", strings.Replace(good, "FP32", "FP64", 1)), 400, "FP32"},
		{"wrong shape", post(js, "", strings.Replace(good, "[1, 1, 28, 28]", "[1, 28, 28]", 1)), 400, "28"},
		{"unknown output", post(js, "", strings.TrimSuffix(good, "}")+`, "outputs": [{"name": "y"}]}`), 400, "logits"},
		{"large", post(js, "", strings.Repeat(" ", 100_001)), 413, "100000 bytes"},
		{"many elements", post(js, "", strings.NewReplacer("[1, 1,", "[2, 1,", numbers, numbers[:len(numbers)-1]+","+numbers[1:]).Replace(good)), 413, ""},
		{"type", post("text/html", "", good), 415, "text/html"},
		{"length is no number", post(bin, "many", good), 400, oip.HeaderLength},
		{"length is negative", post(bin, "-1", good), 400, oip.HeaderLength},
		{"length beyond the body", post(bin, "99999", good), 400, oip.HeaderLength},
		{"bytes too many", post(bin, strconv.Itoa(len(good)), good+"xxxx"), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.w, c.code, c.part) })
	}
	r := httptest.NewRequest("POST", "/v2/models/lenet/infer", strings.NewReader(good))
	r.Header.Set("Content-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	wantError(t, w, 415, "compressed")
}

// TestBodies: memory for bodies is bounded over all requests, and comes back.
func TestBodies(t *testing.T) {
	s := newServer(t, Options{MaxBody: 50_000, MaxBodies: 20_000})
	body := asNumbers(sample(t, 5))
	for range 50 {
		wantDigit(t, ask(s, "POST", "/v1/digits", "application/json", body), 5)
		wantError(t, ask(s, "POST", "/v1/digits", "application/json", make([]byte, 40_000)), 429, "ask again later")
		wantError(t, ask(s, "POST", "/v1/digits", "application/json", make([]byte, 60_000)), 413, "50000")
		wantError(t, ask(s, "POST", "/v1/digits", "application/json", nil), 400)
	}
	if s.bodies.free != 20_000 {
		t.Errorf("%d bytes are free, of 20000", s.bodies.free)
	}
	// A client that says nothing of the length.
	for _, n := range []int{1, 5000, 30_000} {
		r := httptest.NewRequest("POST", "/v1/digits", strings.NewReader(strings.Repeat("x", n)))
		r.ContentLength = -1
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		wantError(t, w, map[bool]int{true: 429, false: 415}[n == 30_000])
	}
	if s.bodies.free != 20_000 {
		t.Errorf("%d bytes are free, of 20000", s.bodies.free)
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		origins     []string
		from, allow string
	}{
		{nil, "https://a.example", ""},
		{[]string{"https://a.example", "https://b.example"}, "https://b.example", "https://b.example"},
		{[]string{"https://a.example"}, "https://b.example", ""},
		{[]string{"*"}, "https://b.example", "*"},
	} {
		s := newServer(t, Options{Origins: c.origins})
		for _, method := range []string{"POST", "OPTIONS"} {
			r := httptest.NewRequest(method, "/v1/digits", bytes.NewReader(asNumbers(sample(t, 1))))
			r.Header.Set("Origin", c.from)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != c.allow {
				t.Errorf("%v, %s: allowed %q, want %q", c.origins, method, got, c.allow)
			}
			if asks := method == "OPTIONS" && c.allow != ""; asks != (w.Header().Get("Access-Control-Allow-Methods") != "") || asks && w.Code != http.StatusNoContent {
				t.Errorf("%v, %s: status %d, %v", c.origins, method, w.Code, w.Header())
			}
		}
	}
}

// FuzzDigits: whatever comes as a digit, the server lives and answers with a digit or an error of the client's.
func FuzzDigits(f *testing.F) {
	s := New(Options{Threads: 1, MaxBody: 1 << 16, MaxPixels: 1 << 16, Log: func(text string) { f.Error(text) }})
	f.Cleanup(func() { s.Close(f.Context()) })
	if _, err := s.Load("lenet", lenetFile(f), LoadOptions{Operators: op.Core}); err != nil {
		f.Fatal(err)
	}
	for _, contentType := range []string{"image/png", "image/jpeg", "application/json", "", "text/plain; x"} {
		f.Add(contentType, asPNG(f, drawing(f, 3, 40)))
		f.Add(contentType, asJPEG(f, drawing(f, 4, 40)))
		f.Add(contentType, asNumbers(sample(f, 5)))
		f.Add(contentType, []byte(`{"pixels":[[0,1]],"pixels":null}`))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		w := ask(s, "POST", "/v1/digits", contentType, body)
		if w.Code == http.StatusOK {
			var d Digit
			if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || len(d.Probabilities) != 10 || d.Digit < 0 || d.Digit > 9 {
				t.Errorf("%v: %s", err, w.Body)
			}
			return
		}
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("status %d", w.Code)
		}
		wantError(t, w, w.Code)
	})
}
