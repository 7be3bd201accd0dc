package oip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

const benchN = 3 * 224 * 224

// benchTensor is a picture's worth of numbers as a model takes them.
func benchTensor() *tensor.Tensor {
	r := rand.New(rand.NewPCG(1, 1))
	v := make([]float32, benchN)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return tensor.From(v, 1, 3, 224, 224)
}

// benchData writes the numbers as clients do: the shortest float32, the float64 of it (JavaScript, and Python's lists), nested rows with a blank after each comma
// (Python's json), whole pixels.
func benchData(form string, t *tensor.Tensor) string {
	var b bytes.Buffer
	for i, v := range t.Float32s() {
		if form == "nested" {
			for k, n := 0, 224; k < 4 && i%n == 0; k, n = k+1, n*[]int{224, 3, 1, 1}[k] {
				b.WriteByte('[')
			}
		} else if i == 0 {
			b.WriteByte('[')
		}
		switch form {
		case "float32":
			b.WriteString(strconv.FormatFloat(float64(v), 'g', -1, 32))
		case "pixels":
			b.WriteString(strconv.Itoa(int(uint8(v * 64))))
		default:
			b.WriteString(strconv.FormatFloat(float64(v), 'g', -1, 64))
		}
		if form == "nested" {
			for k, n := 0, 224; k < 4 && (i+1)%n == 0; k, n = k+1, n*[]int{224, 3, 1, 1}[k] {
				b.WriteByte(']')
			}
		} else if i == benchN-1 {
			b.WriteByte(']')
		}
		if i < benchN-1 {
			b.WriteByte(',')
			if form == "nested" {
				b.WriteByte(' ')
			}
		}
	}
	return b.String()
}

func BenchmarkDecode(b *testing.B) {
	t := benchTensor()
	for _, form := range []string{"float32", "float64", "nested", "pixels"} {
		body := []byte(request("FP32", "[1,3,224,224]", benchData(form, t)))
		spec := one(tensor.Float32, -1, 3, 224, 224)
		b.Run(form, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := DecodeRequest(body, -1, spec); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(form+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if form == "nested" {
					var doc struct {
						Inputs []struct{ Data [][][][]float32 }
					}
					err = json.Unmarshal(body, &doc)
				} else {
					var doc struct{ Inputs []struct{ Data []float32 } }
					err = json.Unmarshal(body, &doc)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	head := `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3,224,224],"parameters":{"binary_data_size":` + fmt.Sprint(4*benchN) + `}}]}`
	body := append([]byte(head), t.Bytes()...)
	b.Run("binary", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeRequest(body, len(head), one(tensor.Float32, -1, 3, 224, 224)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	t := benchTensor()
	for _, binary := range []bool{false, true} {
		r := &Response{ModelName: "m", Outputs: []OutputTensor{{"y", t, binary}}}
		var out []byte
		b.Run(map[bool]string{false: "float32", true: "binary"}[binary], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out, _, _ = AppendResponse(out[:0], r)
			}
			b.SetBytes(int64(len(out)))
		})
	}
	b.Run("float32/encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		var out []byte
		for b.Loop() {
			out, _ = json.Marshal(struct {
				Data []float32 `json:"data"`
			}{t.Float32s()})
		}
		b.SetBytes(int64(len(out)))
	})
}
