//go:build !js

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/demo/worker/bundle"
	"github.com/weft-ml/weft/simd"
)

const size = 28

// digit draws one of the built-in digits.
func digit(i int) []float32 {
	x := make([]float32, size*size)
	if _, err := digits.New(digits.Options{Seed: 5, Samples: i + 1}).Read(0, i, x, nil); err != nil {
		panic(err)
	}
	return x
}

// picture is a digit in dark ink on white, three times as large, off the middle.
func picture(x []float32) image.Image {
	img := image.NewGray(image.Rect(0, 0, 4*size, 3*size))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	for y := range 3 * size {
		for c := range 3 * size {
			img.SetGray(c+size/2, y, color.Gray{Y: uint8(255 - 255*x[y/3*size+c/3])})
		}
	}
	return img
}

func asPNG(img image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asJPEG(img image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func asNumbers(x []float32) string {
	var b strings.Builder
	for i, v := range x {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	return "[" + b.String() + "]"
}

var (
	typePNG  = map[string]string{"Content-Type": "image/png"}
	typeJPEG = map[string]string{"Content-Type": "image/jpeg"}
	typeJSON = map[string]string{"Content-Type": "application/json"}
)

const infer = "/v2/models/lenet/infer"

// inferBinary asks for logits of two digits in the protocol's binary form.
func inferBinary(a, b []float32) question {
	head := []byte(`{"id": "two", "inputs": [{"name": "input", "shape": [2, 1, 28, 28], "datatype": "FP32", "parameters": {"binary_data_size": 6272}}],
		"parameters": {"binary_data_output": true}}`)
	body := slices.Clone(head)
	for _, v := range append(slices.Clone(a), b...) {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return question{"binary tensors", "POST", infer, map[string]string{"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": strconv.Itoa(len(head))}, body}
}

// questions are asked of the Worker and of the handler here.
func questions() []question {
	x, y := digit(3), digit(8)
	json := func(name, path, body string) question { return question{name, "POST", path, typeJSON, []byte(body)} }
	large := image.NewGray(image.Rect(0, 0, 2000, 2000)) // more than maxPixels
	return []question{
		{"page", "GET", "/", nil, nil},
		{"page, head only", "HEAD", "/", nil, nil},
		{"page's script", "GET", "/page.js", nil, nil},
		{"PNG", "POST", "/v1/digits", typePNG, asPNG(picture(x))},
		{"JPEG", "POST", "/v1/digits", typeJPEG, asJPEG(picture(y))},
		{"PNG of unknown type", "POST", "/v1/digits", nil, asPNG(picture(y))},
		json("numbers", "/v1/digits", asNumbers(x)),
		json("pixels", "/v1/digits", `{"pixels": `+asNumbers(y)+`}`),
		json("too few numbers", "/v1/digits", "[1, 0, 1]"),
		json("no JSON", "/v1/digits", "[1,"),
		json("no ink", "/v1/digits", asNumbers(make([]float32, size*size))),
		{"blank picture", "POST", "/v1/digits", typePNG, asPNG(image.NewGray(image.Rect(0, 0, 30, 30)))},
		{"picture too large", "POST", "/v1/digits", typePNG, asPNG(large)},
		{"half a picture", "POST", "/v1/digits", typePNG, asPNG(picture(x))[:200]},
		{"text", "POST", "/v1/digits", map[string]string{"Content-Type": "text/plain"}, []byte("three")},
		{"no body", "POST", "/v1/digits", nil, nil},
		{"body too large", "POST", "/v1/digits", typePNG, make([]byte, maxBody+1)},
		{"body far too large", "POST", "/v1/digits", typePNG, make([]byte, 3*maxBody)},
		{"wrong method", "GET", "/v1/digits", nil, nil},
		{"unknown path", "GET", "/v3", nil, nil},
		{"escaped path", "GET", "/v2/models/a%2Fb?x=1", nil, nil},
		{"server", "GET", "/v2", nil, nil},
		{"live", "GET", "/v2/health/live", nil, nil},
		{"ready", "GET", "/v2/health/ready", nil, nil},
		{"model", "GET", "/v2/models/lenet", nil, nil},
		{"model ready", "GET", "/v2/models/lenet/ready", nil, nil},
		{"unknown model", "GET", "/v2/models/resnet", nil, nil},
		json("tensors", infer, `{"id": "one", "inputs": [{"name": "input", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": `+asNumbers(x)+`}]}`),
		json("wrong shape", infer, `{"inputs": [{"name": "input", "shape": [1, 1, 28, 27], "datatype": "FP32", "data": `+asNumbers(x)+`}]}`),
		json("wrong name", infer, `{"inputs": [{"name": "z", "shape": [1, 1, 28, 28], "datatype": "FP32", "data": `+asNumbers(x)+`}]}`),
		inferBinary(x, y),
	}
}

// deployed starts the Worker as it is deployed, and this program's handler with kernels of the same numeric class.
func deployed(t *testing.T) (*edge, *edge) {
	t.Helper()
	e := start(t, build(t, bundle.Options{}))
	return e, native(t, e, "relaxed")
}

// native is the handler in this process, served by net/http. The first answer of the Worker tells which kernels it has chosen.
func native(t *testing.T, e *edge, wanted string) *edge {
	t.Helper()
	timing := e.must(t, question{"first", "GET", "/v2/health/live", nil, nil}).header.Get("Server-Timing")
	class := simd.FMA
	if strings.Contains(timing, "desc=simd128;") {
		class = simd.MulAdd
	}
	if !strings.HasPrefix(timing, "start;desc=") || wanted == "simd128" && class != simd.MulAdd {
		t.Fatalf("Server-Timing %q; the kernels should be %s", timing, wanted)
	}
	if was := simd.Current(); was.Class != class {
		name := "generic"
		if class == simd.MulAdd {
			name = "generic-muladd"
		}
		if err := simd.Use(name); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { simd.Use(was.Name) })
	}
	h, err := newHandler()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &edge{url: s.URL, client: s.Client(), log: &lockedBuffer{}}
}

// sameHeader are the fields that both must send alike.
var sameHeader = []string{"Content-Type", "Allow", "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options", "Retry-After", "Inference-Header-Content-Length"}

// same compares answers: the same bytes, but for probabilities, whose exponentials are assembly on some processors and differ in the last bit.
func same(got, want reply) error {
	if got.status != want.status {
		return fmt.Errorf("status %d, %s; the handler here says %d, %s", got.status, got.body, want.status, want.body)
	}
	for _, name := range sameHeader {
		if g, w := got.header.Values(name), want.header.Values(name); !slices.Equal(g, w) {
			return fmt.Errorf("%s is %q, %q here", name, g, w)
		}
	}
	if bytes.Equal(got.body, want.body) {
		return nil
	}
	type digit struct {
		Digit         *int
		Probabilities []float64
	}
	var g, w digit
	if err := errors.Join(json.Unmarshal(got.body, &g), json.Unmarshal(want.body, &w)); err != nil || g.Digit == nil || w.Digit == nil {
		return fmt.Errorf("%.300q\nhere %.300q", got.body, want.body)
	}
	if *g.Digit != *w.Digit || len(g.Probabilities) != len(w.Probabilities) {
		return fmt.Errorf("%s\nhere %s", got.body, want.body)
	}
	for i, p := range g.Probabilities {
		if q := w.Probabilities[i]; math.Abs(p-q) > 1e-14*q {
			return fmt.Errorf("the probability of %d is %g, %g here", i, p, q)
		}
	}
	return nil
}

// wantStatus has the status of answers that the questions are there for.
var wantStatus = map[string]int{"page": 200, "PNG": 200, "JPEG": 200, "numbers": 200, "tensors": 200, "binary tensors": 200, "blank picture": 422,
	"picture too large": 422, "body too large": 413, "body far too large": 413, "wrong method": 405, "unknown path": 404, "no JSON": 400, "live": 200, "model": 200}

// TestSameAnswers asks the Worker and the handler here the same: answers have the same bits.
func TestSameAnswers(t *testing.T) {
	needsWorkerd(t)
	e, here := deployed(t)
	for _, q := range questions() {
		t.Run(q.name, func(t *testing.T) {
			got, want := e.must(t, q), here.must(t, q)
			if err := same(got, want); err != nil {
				t.Error(err)
			}
			if status := wantStatus[q.name]; status != 0 && got.status != status {
				t.Errorf("status %d, not %d: %s", got.status, status, got.body)
			}
		})
	}
	// As large as a picture may be, in the format that takes most memory.
	img := image.NewNRGBA64(image.Rect(0, 0, 1730, 1730))
	for y := range 1730 {
		for x := range 1730 {
			img.SetNRGBA64(x, y, color.NRGBA64{0xffff, 0xffff, 0xffff, 0xffff})
			if x > 800 && x < 950 && y > 200 && y < 1500 {
				img.SetNRGBA64(x, y, color.NRGBA64{0x101, 0x202, 0x303, 0xfffe})
			}
		}
	}
	for range 3 {
		q := question{"large picture", "POST", "/v1/digits", typePNG, asPNG(img)}
		got := e.must(t, q)
		if err := same(got, here.must(t, q)); err != nil || got.status != http.StatusOK || got.header.Get("Server-Timing") != "" {
			t.Errorf("large picture: %d, %v", got.status, err)
		}
	}
	if x := digit(3); !bytes.Contains(e.must(t, question{"", "POST", "/v1/digits", typePNG, asPNG(picture(x))}).body, []byte(`"digit":3`)) {
		t.Error("a three is not read as one")
	}
}

// TestParallel asks 20 questions at the same time, several times: nothing is lost, mixed up or waits for ever.
func TestParallel(t *testing.T) {
	needsWorkerd(t)
	e, here := deployed(t)
	qs := questions()
	want := make([]reply, len(qs))
	for i, q := range qs {
		want[i] = here.must(t, q)
	}
	for range 5 {
		errs := make(chan error)
		for i := range 20 {
			go func() {
				k := i % len(qs)
				got, err := e.ask(qs[k])
				if err == nil {
					err = same(got, want[k])
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", qs[k].name, err)
				}
				errs <- err
			}()
		}
		for range 20 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

// TestMemory asks 300 questions one after the other: the memory of the program stays as it is, and that of workerd nearly. By itself workerd grows by some 10 KB a
// request for the first ten thousand, also with a Worker that does nothing.
func TestMemory(t *testing.T) {
	needsWorkerd(t)
	e := start(t, build(t, bundle.Options{Tags: "workertest"}))
	qs := questions()
	ask := func(n int) {
		for i := range n {
			if q := qs[i%len(qs)]; len(q.body) < maxBody { // workerd's own buffers grow by the long ones
				e.must(t, q)
			}
		}
	}
	sys := func() int {
		n, err := strconv.Atoi(string(e.must(t, question{"sys", "GET", "/test/sys", nil, nil}).body))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ask(300)
	before, program := e.memory(), sys()
	ask(300)
	after, programAfter := e.memory(), sys()
	t.Logf("after 300 and 600 requests the program holds %.1f and %.1f MiB, workerd %d and %d", float64(program)/(1<<20), float64(programAfter)/(1<<20), before>>20, after>>20)
	if programAfter > program+1<<20 {
		t.Errorf("the program has grown from %d to %d bytes", program, programAfter)
	}
	if after > before+24<<20 {
		t.Errorf("workerd has grown from %d to %d bytes", before, after)
	}
}

// memory returns the resident bytes of the workerd processes below Node, or 0 where there is no /proc that tells.
func (e *edge) memory() (sum int) {
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // ended
		}
		fields := map[string]string{}
		for line := range strings.Lines(string(b)) {
			key, value, _ := strings.Cut(line, ":")
			fields[key] = strings.TrimSpace(value)
		}
		if fields["PPid"] == strconv.Itoa(e.pid) {
			kb, _ := strconv.Atoi(strings.TrimSuffix(fields["VmRSS"], " kB"))
			sum += kb << 10
		}
	}
	return sum
}

// TestWithoutFused has the relaxed module's multiply-add round twice, as on a processor without fused ones: the Worker then takes the other
// module, and its answers are those of the class muladd.
func TestWithoutFused(t *testing.T) {
	needsWorkerd(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(build(t, bundle.Options{}))); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "kernels-simd128.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kernels-relaxed.wasm"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	e := start(t, dir)
	here := native(t, e, "simd128")
	for _, q := range questions() {
		if len(q.body) < maxBody {
			if err := same(e.must(t, q), here.must(t, q)); err != nil {
				t.Errorf("%s: %v", q.name, err)
			}
		}
	}
}

func status(t *testing.T, got reply, want int) {
	t.Helper()
	if got.status != want {
		t.Errorf("status %d, not %d: %s", got.status, want, got.body)
	}
	if want >= 400 {
		var e struct{ Error string }
		if err := json.Unmarshal(got.body, &e); err != nil || e.Error == "" || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s is no error in JSON", got.header.Get("Content-Type"), got.body)
		}
	}
}

// TestFaults has handlers do what they should not: the request is answered with 500 and the next one as if nothing had been.
func TestFaults(t *testing.T) {
	needsWorkerd(t)
	e := start(t, build(t, bundle.Options{Tags: "workertest"}))
	get := func(path string) question { return question{path, "GET", path, nil, nil} }
	three := question{"three", "POST", "/v1/digits", typePNG, asPNG(picture(digit(3)))}
	started := func(a reply) bool { return a.header.Get("Server-Timing") != "" }
	if !started(e.must(t, three)) {
		t.Fatal("the first request did not start the program")
	}
	for _, c := range []struct {
		path string
		ends bool // the program
	}{{"/test/panic", false}, {"/test/forever", false}, {"/test/exit", true}, {"/test/overflow", true}, {"/test/memory", true}} {
		t.Run(strings.TrimPrefix(c.path, "/test/"), func(t *testing.T) {
			status(t, e.must(t, get(c.path)), http.StatusInternalServerError)
			again := e.must(t, three)
			status(t, again, http.StatusOK)
			if started(again) != c.ends {
				t.Errorf("the program was started again: %v", started(again))
			}
			status(t, e.must(t, three), http.StatusOK)
		})
	}
	// The program ends while others are read or answered.
	errs := make(chan error)
	for i := range 20 {
		go func() {
			q, want := three, 200
			switch i {
			case 5, 11:
				q, want = get("/test/exit"), 500
			case 8:
				q, want = get("/test/panic"), 500
			}
			a, err := e.ask(q)
			if err == nil && a.status != want {
				err = fmt.Errorf("%s: %d, %s", q.path, a.status, a.body)
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestTime has handlers wait for time, several at once: each request waits with its own timer, and computes in between.
func TestTime(t *testing.T) {
	needsWorkerd(t)
	e := start(t, build(t, bundle.Options{Tags: "workertest"}))
	three := question{"three", "POST", "/v1/digits", typePNG, asPNG(picture(digit(3)))}
	errs := make(chan error)
	for i := range 20 {
		go func() {
			d := fmt.Sprintf("%dms", 10+37*i%200)
			q, want := question{d, "GET", "/test/sleep?for=" + d, nil, nil}, "slept "+d
			if i%3 == 0 {
				q, want = three, `"digit":3`
			}
			a, err := e.ask(q)
			if err == nil && (a.status != 200 || !strings.Contains(string(a.body), want)) {
				err = fmt.Errorf("%s: %d, %s", q.name, a.status, a.body)
			}
			errs <- err
		}()
	}
	for range 20 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	const date = "Fri, 27 Nov 2026 10:00:00 GMT"
	if a := e.must(t, question{"date", "GET", "/test/header", map[string]string{"If-Modified-Since": date}, nil}); string(a.body) != date {
		t.Errorf("a header with a comma arrives as %q", a.body)
	}
}
