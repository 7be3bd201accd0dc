package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/internal/require"
)

// lenetFile returns the LeNet that comes along.
func lenetFile(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(require.Root(t), "models", "lenet", "weights", "mnist.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newServer returns a server with LeNet, which the test's end closes.
func newServer(t testing.TB, opt Options) *Server {
	t.Helper()
	s := empty(t, opt)
	if _, err := s.Load("lenet", lenetFile(t), LoadOptions{Operators: op.Core}); err != nil {
		t.Fatal(err)
	}
	return s
}

func empty(t testing.TB, opt Options) *Server {
	t.Helper()
	if opt.Log == nil {
		opt.Log = func(text string) { t.Error(text) }
	}
	s := New(opt)
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// sample returns the pixels of a drawn digit, in 0..1.
func sample(t testing.TB, digit int) []float32 {
	t.Helper()
	src := digits.New(digits.Options{Seed: 3, Samples: 200, Test: true})
	x := make([]float32, 784)
	for i := range 200 {
		if c, _ := src.Class(i); int(c) == digit {
			if _, err := src.Read(0, i, x, nil); err != nil {
				t.Fatal(err)
			}
			return x
		}
	}
	t.Fatal("no such digit")
	return nil
}

// drawing returns a digit as a picture of size x size, dark on light.
func drawing(t testing.TB, digit, size int) image.Image {
	x := sample(t, digit)
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	for i := range size {
		for k := range size {
			v := 250 - uint8(230*x[i*28/size*28+k*28/size])
			img.Set(k, i, color.RGBA{v, v, v, 255})
		}
	}
	return img
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asNumbers(x []float32) []byte {
	b := []byte{'['}
	for i, v := range x {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(v), 'g', -1, 32)
	}
	return append(b, ']')
}

// ask sends one request.
func ask(h http.Handler, method, target, contentType string, body []byte) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// wantError checks an answer's status, that it has the protocol's form of an error, and that the text holds the parts.
func wantError(t *testing.T, w *httptest.ResponseRecorder, status int, parts ...string) {
	t.Helper()
	var e struct {
		Error *string `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Error == nil {
		t.Fatalf("status %d, no error object: %s", w.Code, w.Body)
	}
	if w.Code != status {
		t.Errorf("status %d, want %d: %s", w.Code, status, *e.Error)
	}
	if ct := w.Header().Get("Content-Type"); ct != "application/json" {
		t.Errorf("Content-Type %q", ct)
	}
	for _, p := range parts {
		if !strings.Contains(*e.Error, p) {
			t.Errorf("the error lacks %q: %s", p, *e.Error)
		}
	}
}

func wantDigit(t *testing.T, w *httptest.ResponseRecorder, digit int) Digit {
	t.Helper()
	var d Digit
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", w.Code, err, w.Body)
	}
	sum := 0.0
	for _, p := range d.Probabilities {
		sum += p
	}
	if d.Digit != digit || len(d.Probabilities) != 10 || sum < 0.999 || sum > 1.001 || slices.Max(d.Probabilities) != d.Probabilities[d.Digit] {
		t.Errorf("want %d: %s", digit, w.Body)
	}
	return d
}

func TestDigits(t *testing.T) {
	s := newServer(t, Options{})
	for digit := range 10 {
		wantDigit(t, ask(s, "POST", "/v1/digits", "application/json", asNumbers(sample(t, digit))), digit)
	}
	numbers := asNumbers(sample(t, 3))
	object := []byte(`{"pixels": ` + string(numbers) + `, "comment": 1}`)
	var rows bytes.Buffer
	for i := range 28 {
		rows.WriteString(map[bool]string{true: "[", false: ","}[i == 0])
		rows.Write(asNumbers(sample(t, 3)[28*i : 28*i+28]))
	}
	rows.WriteByte(']')
	picture, photo := asPNG(t, drawing(t, 3, 280)), asJPEG(t, drawing(t, 3, 100))
	for _, c := range []struct {
		name, contentType string
		body              []byte
	}{
		{"numbers", "application/json", numbers},
		{"numbers with a charset", "application/json; charset=utf-8", numbers},
		{"object", "application/json", object},
		{"rows", "application/json", rows.Bytes()},
		{"png", "image/png", picture},
		{"jpeg", "image/jpeg", photo},
		{"png sent as jpeg", "image/jpeg", picture},
		{"png without a type", "", picture},
		{"jpeg as curl --data-binary sends it", "application/x-www-form-urlencoded", photo},
		{"numbers as curl -d sends them", "application/x-www-form-urlencoded", numbers},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantDigit(t, ask(s, "POST", "/v1/digits", c.contentType, c.body), 3)
			wantDigit(t, ask(s, "POST", "/v1/digits?model=lenet", c.contentType, c.body), 3)
		})
	}
}

func TestDigitErrors(t *testing.T) {
	s := newServer(t, Options{MaxBody: 200_000, MaxPixels: 400 * 400})
	zeros := "[" + strings.Repeat("0,", 783) + "0]"
	row := "[" + strings.Repeat("0,", 27) + "0]"
	post := func(contentType, body string) *httptest.ResponseRecorder {
		return ask(s, "POST", "/v1/digits", contentType, []byte(body))
	}
	picture := string(asPNG(t, drawing(t, 3, 280)))
	const js = "application/json"
	for _, c := range []struct {
		name string
		w    *httptest.ResponseRecorder
		code int
		part string
	}{
		{"empty", post(js, ""), 400, "the body is empty; a digit is sent as image/png"},
		{"blanks", post(js, " "), 400, "784 numbers"},
		{"nothing of no type", post("", ""), 400, "the body is empty"},
		{"form", post("multipart/form-data; boundary=x", "--x"), 415, "must be the body itself"},
		{"curl -d with a word", post("application/x-www-form-urlencoded", "null"), 415, "no PNG, no JPEG and no array"},
		{"no json", post(js, "[1,2"), 400, "784 numbers"},
		{"too few", post(js, "[1,2]"), 400, `"pixels" has 2 elements, shape [28 28] needs 784`},
		{"too many", post(js, strings.Replace(zeros, "0", "0,0", 1)), 400, `"pixels" has more than the 784 elements`},
		{"null", post(js, strings.Replace(zeros, "0", "null", 1)), 400, "null"},
		{"text", post(js, strings.Replace(zeros, "0", `"1"`, 1)), 400, `"pixels" element 0 (byte 1) is a string`},
		{"NaN", post(js, strings.Replace(zeros, "0,0,0", "0,0,NaN", 1)), 400, `"pixels" element 2 (byte 5) is "NaN"; JSON has no NaN and no Infinity; send [784`},
		{"hexadecimal", post(js, strings.Replace(zeros, "0", "0x1", 1)), 400, `"x" at byte 2 where "," or "]" must be`},
		{"bytes", post(js, strings.Replace(zeros, "0", "255", 1)), 400, "divide by 255"},
		{"negative", post(js, strings.Replace(zeros, "0", "-1e-9", 1)), 400, "pixel 0 is"},
		{"a little too much", post(js, strings.Replace(zeros, "0", "1.00000001", 1)), 400, "pixel 0 is 1.00000001"},
		{"huge", post(js, strings.Replace(zeros, "0", "1e999", 1)), 400, `"1e999", out of the range`},
		{"object without pixels", post(js, `{"pixel": []}`), 400, `no "pixels"`},
		{"pixels twice", post(js, `{"pixels": `+zeros+`, "pixels": `+zeros+`}`), 400, `key "pixels" comes twice`},
		{"pixels of nothing", post(js, `{"pixels": null}`), 400, `"pixels" must be an array`},
		{"27 rows", post(js, "["+strings.Repeat(row+",", 26)+row+"]"), 400, "dimension 0 must have 28 parts, not 27"},
		{"29 rows", post(js, "["+strings.Repeat(row+",", 28)+row+"]"), 400, "dimension 0 must have 28 parts, not more"},
		{"short rows", post(js, "["+strings.Repeat("[0],", 27)+"[0]]"), 400, "a row of 1 elements"},
		{"deep", post(js, "[["+strings.Repeat(row+",", 27)+row+"]]"), 400, "nested 3 deep"},
		{"trailing", post(js, zeros+"x"), 400, "784 numbers"},
		{"no ink", post(js, zeros), 422, "no ink"},
		{"much json", post(js, strings.Repeat(" ", 100_000)+zeros), 413, "at most"},
		{"large", post("image/png", strings.Repeat("x", 200_001)), 413, "200000 bytes"},
		{"not a png", post("image/png", "hello"), 400, "no PNG or JPEG"},
		{"cut png", post("image/png", picture[:len(picture)/2]), 422, "broken image"},
		{"cut jpeg", post("image/jpeg", "\xff\xd8\xff\xe0"), 422, "not a readable"},
		{"blank", post("image/png", string(asPNG(t, image.NewGray(image.Rect(0, 0, 30, 30))))), 422, "blank"},
		{"many pixels", post("image/png", string(asPNG(t, image.NewGray(image.Rect(0, 0, 401, 400))))), 422, "401x400"},
		{"other type", post("text/plain", picture), 415, "text/plain"},
		{"no type, nothing known", post("", "hello"), 415, "image/png"},
		{"no such model", ask(s, "POST", "/v1/digits?model=x", js, []byte(zeros)), 404, "there are: lenet"},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.w, c.code, c.part) })
	}
}

func TestRoutes(t *testing.T) {
	s := newServer(t, Options{Version: "v9"})
	for _, c := range []struct{ target, want string }{
		{"/v2", `{"name":"weft","version":"v9","extensions":["binary_tensor_data"]}`},
		{"/v2/", `{"name":"weft","version":"v9","extensions":["binary_tensor_data"]}`},
		{"/v2/health/live", `{"live":true}`},
		{"//v2//health/live/", `{"live":true}`},
		{"/v2/models/../health/./live", `{"live":true}`},
		{"/v2/health/ready", `{"live":true,"ready":true}`},
		{"/v2/models", `{"models":[{"name":"lenet","digits":true}]}`},
		{"/v2/models/lenet", `{"name":"lenet","versions":["1"],"platform":"onnx_onnxv1","inputs":[{"name":"input","datatype":"FP32","shape":[-1,1,28,28]}],"outputs":[{"name":"logits","datatype":"FP32","shape":[-1,10]}]}`},
		{"/v2/models/lenet/ready", `{"name":"lenet","ready":true}`},
		{"/v2/models/lenet/versions/1/ready", `{"name":"lenet","ready":true}`},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			if w := ask(s, method, c.target, "", nil); w.Code != 200 || strings.TrimSpace(w.Body.String()) != c.want {
				t.Errorf("%s: status %d, %s", c.target, w.Code, w.Body)
			}
		}
	}
	for _, c := range []struct {
		method, target string
		code           int
		part, allow    string
	}{
		{"GET", "/v1/digits", 405, "allowed: POST", "POST"},
		{"DELETE", "/v2/models/lenet", 405, "not for DELETE", "GET, HEAD"},
		{"GET", "/v2/models/lenet/infer", 405, "allowed: POST", "POST"},
		{"POST", "/", 405, "allowed: GET, HEAD", "GET, HEAD"},
		{"OPTIONS", "/v1/digits", 405, "", "POST"},
		{"GET", "/v3", 404, "/v3", ""},
		{"GET", "/v2/../etc/passwd", 404, "nothing at /etc/passwd", ""},
		{"GET", "/v2/models/a%2F..%2Flenet", 404, `no model "a/../lenet"`, ""},
		{"POST", "/v1//digits", 400, "the body is empty", ""},
		{"GET", "/v2/models/vgg", 404, "there are: lenet", ""},
		{"GET", "/v2/models/lenet/versions/2", 404, `no version "2"`, ""},
		{"POST", "/v2/models/vgg/infer", 404, "there are: lenet", ""},
		{"GET", "/v2/models/lenet/other", 404, "nothing at", ""},
	} {
		w := ask(s, c.method, c.target, "", nil)
		wantError(t, w, c.code, c.part)
		if got := w.Header().Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q, want %q", c.method, c.target, got, c.allow)
		}
	}
	for name, f := range pageFiles {
		w := ask(s, "GET", name, "", nil)
		if w.Code != 200 || w.Header().Get("Content-Type") != f.mediaType || !bytes.Equal(w.Body.Bytes(), f.bytes) || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: status %d, %v", name, w.Code, w.Header())
		}
	}

	s = empty(t, Options{})
	wantError(t, ask(s, "POST", "/v1/digits", "", nil), 404, "no model here reads digits", "there are none")
	if w := ask(s, "GET", "/v2/health/ready", "", nil); w.Code != 503 || strings.TrimSpace(w.Body.String()) != `{"live":true,"ready":false}` {
		t.Errorf("without models: status %d, %s", w.Code, w.Body)
	}
}

func TestLoadErrors(t *testing.T) {
	s := newServer(t, Options{})
	for _, c := range []struct {
		name, part string
		file       []byte
	}{
		{"lenet", "already", lenetFile(t)},
		{"a/b", "cannot be named", lenetFile(t)},
		{"", "cannot be named", lenetFile(t)},
		{"a b", "cannot be named", lenetFile(t)},
		{"broken", "", lenetFile(t)[:1000]},
		{"text", "", []byte("hello")},
	} {
		if _, err := s.Load(c.name, c.file, LoadOptions{Operators: op.Core}); err == nil || !strings.HasPrefix(err.Error(), "weft: ") || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%q: error %v", c.name, err)
		}
	}
	if len(s.Models()) != 1 {
		t.Error("a model that could not be loaded is there")
	}
}
