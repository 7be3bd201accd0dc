package oip

import (
	"math"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/weft-ml/weft/core/tensor"
)

// AppendResponse appends the body of an answer to dst. jsonLen is the length of its JSON part, for the header [HeaderLength], when binary tensors follow it;
// -1 when all of it is JSON. Numbers of FP32 and FP64 are the shortest that read back the same, with a point or an exponent. NaN and infinite numbers, and
// types without a JSON form, in outputs that are not binary are an [*Error] of status 422; dst is returned as it came then.
func AppendResponse(dst []byte, r *Response) (out []byte, jsonLen int, err error) {
	start := len(dst)
	out = append(dst, '{')
	if r.ModelName != "" {
		out = append(AppendString(append(out, `"model_name":`...), r.ModelName), ',')
	}
	if r.ModelVersion != "" {
		out = append(AppendString(append(out, `"model_version":`...), r.ModelVersion), ',')
	}
	if r.ID != "" {
		out = append(AppendString(append(out, `"id":`...), r.ID), ',')
	}
	out = append(out, `"outputs":[`...)
	jsonLen = -1
	for i := range r.Outputs {
		o := &r.Outputs[i]
		name, ok := DTypeName(o.Tensor.DType())
		if !ok {
			return dst, -1, &Error{http.StatusUnprocessableEntity, "output " + quote(o.Name) + " has elements of type " + o.Tensor.DType().String() + ", which this server does not carry"}
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = appendTensor(out, o.Name, name, o.Tensor.Shape())
		if o.Binary {
			jsonLen = 0
			out = strconv.AppendInt(append(out, `,"parameters":{"binary_data_size":`...), int64(o.Tensor.DType().Bytes(o.Tensor.Len())), 10)
			out = append(out, "}}"...)
			continue
		}
		t := o.Tensor.Contiguous()
		if out, err = appendData(append(out, `,"data":[`...), o.Name, t); err != nil {
			return dst, -1, err
		}
		out = append(out, "]}"...)
	}
	out = append(out, "]}"...)
	if jsonLen < 0 {
		return out, -1, nil
	}
	jsonLen = len(out) - start
	for i := range r.Outputs {
		if o := &r.Outputs[i]; o.Binary {
			out = append(out, o.Tensor.Contiguous().Bytes()...)
		}
	}
	return out, jsonLen, nil
}

// appendTensor appends the beginning of a tensor's object: {"name":...,"datatype":...,"shape":[...].
func appendTensor(dst []byte, name, dtype string, shape []int) []byte {
	dst = AppendString(append(dst, `{"name":`...), name)
	dst = AppendString(append(dst, `,"datatype":`...), dtype)
	dst = append(dst, `,"shape":[`...)
	for i, d := range shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(d), 10)
	}
	return append(dst, ']')
}

// appendData appends the elements of a contiguous tensor, with commas between.
func appendData(dst []byte, name string, t *tensor.Tensor) ([]byte, error) {
	bad := -1
	switch t.DType() {
	case tensor.Float32:
		dst, bad = appendFloats(dst, t.Float32s(), 32)
	case tensor.Float64:
		dst, bad = appendFloats(dst, tensor.Data[float64](t), 64)
	case tensor.Bool:
		for i, v := range t.Bytes() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = strconv.AppendBool(dst, v != 0)
		}
	case tensor.Uint8:
		dst = appendUints(dst, t.Bytes())
	case tensor.Uint16:
		dst = appendUints(dst, tensor.Data[uint16](t))
	case tensor.Uint32:
		dst = appendUints(dst, tensor.Data[uint32](t))
	case tensor.Uint64:
		dst = appendUints(dst, tensor.Data[uint64](t))
	case tensor.Int8:
		dst = appendInts(dst, tensor.Data[int8](t))
	case tensor.Int16:
		dst = appendInts(dst, tensor.Data[int16](t))
	case tensor.Int32:
		dst = appendInts(dst, tensor.Data[int32](t))
	case tensor.Int64:
		dst = appendInts(dst, tensor.Data[int64](t))
	default:
		err := noJSON(name, t.DType())
		err.Status = http.StatusUnprocessableEntity
		return dst, err
	}
	if bad >= 0 {
		v := strconv.FormatFloat(t.Float64s()[bad], 'g', -1, 64)
		return dst, &Error{http.StatusUnprocessableEntity, "output " + quote(name) + ": element " + itoa(bad) + " is " + v +
			", which JSON has no number for; ask for it in binary form, with the parameter \"binary_data\": true of the output or \"binary_data_output\": true of the request"}
	}
	return dst, nil
}

// AppendFloats appends an array of numbers, the shortest that read back the same. They must be finite.
func AppendFloats(dst []byte, v []float64) []byte {
	dst, _ = appendFloats(append(dst, '['), v, 64)
	return append(dst, ']')
}

// appendFloats appends finite numbers; bad is the index of the first that is not, where it stops, or -1.
func appendFloats[T float32 | float64](dst []byte, v []T, width int) (out []byte, bad int) {
	for i, x := range v {
		f := float64(x)
		a := math.Abs(f)
		if !(a <= math.MaxFloat64) {
			return dst, i
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if a != 0 && (T(a) < 1e-6 || T(a) >= 1e21) { // as JavaScript and encoding/json do
			dst = strconv.AppendFloat(dst, f, 'e', -1, width)
			continue
		}
		if width == 32 && a != 0 {
			if f < 0 {
				dst = append(dst, '-')
			}
			dst = appendShortest(dst, float32(a))
			continue
		}
		dst = strconv.AppendFloat(dst, f, 'f', -1, width)
		if a >= 1<<53 || a == float64(int64(a)) {
			dst = append(dst, ".0"...)
		}
	}
	return dst, -1
}

func appendInts[T int8 | int16 | int32 | int64](dst []byte, v []T) []byte {
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, int64(x), 10)
	}
	return dst
}

func appendUints[T uint8 | uint16 | uint32 | uint64](dst []byte, v []T) []byte {
	for i, x := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(x), 10)
	}
	return dst
}

// AppendString appends s as a JSON string; bytes that are not UTF-8 become U+FFFD.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ' || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}

// AppendError appends the body of a failed request of any kind.
func AppendError(dst []byte, msg string) []byte {
	return append(AppendString(append(dst, `{"error":`...), msg), '}')
}

// AppendServer appends the server metadata document; the extensions are the names of those that are spoken, such as [BinaryExtension].
func AppendServer(dst []byte, name, version string, extensions ...string) []byte {
	dst = AppendString(append(dst, `{"name":`...), name)
	dst = AppendString(append(dst, `,"version":`...), version)
	return append(appendStrings(append(dst, `,"extensions":[`...), extensions), "]}"...)
}

// AppendLive appends the document of the server's health.
func AppendLive(dst []byte, live bool) []byte {
	return append(strconv.AppendBool(append(dst, `{"live":`...), live), '}')
}

// AppendHealth appends what a server's readiness is asked for: the protocol's text calls it live, its clients and servers ready.
func AppendHealth(dst []byte, live, ready bool) []byte {
	dst = append(strconv.AppendBool(append(dst, `{"live":`...), live), `,"ready":`...)
	return append(strconv.AppendBool(dst, ready), '}')
}

// AppendReady appends the document that tells whether a model is ready.
func AppendReady(dst []byte, model string, ready bool) []byte {
	dst = AppendString(append(dst, `{"name":`...), model)
	return append(strconv.AppendBool(append(dst, `,"ready":`...), ready), '}')
}

// Metadata describes a model.
type Metadata struct {
	Name     string
	Versions []string // left out when empty
	Platform string   // the kind of model file, "onnx_onnxv1" for ONNX
	Inputs   []TensorSpec
	Outputs  []TensorSpec
}

// AppendMetadata appends the model metadata document. An element type that the package does not carry is an [*Error] of status 500.
func AppendMetadata(dst []byte, m *Metadata) ([]byte, error) {
	out := AppendString(append(dst, `{"name":`...), m.Name)
	if len(m.Versions) > 0 {
		out = append(appendStrings(append(out, `,"versions":[`...), m.Versions), ']')
	}
	out = AppendString(append(out, `,"platform":`...), m.Platform)
	for k, specs := range [...][]TensorSpec{m.Inputs, m.Outputs} {
		out = append(out, [...]string{`,"inputs":[`, `,"outputs":[`}[k]...)
		for i := range specs {
			s := &specs[i]
			name, ok := DTypeName(s.DType)
			if !ok {
				return dst, &Error{http.StatusInternalServerError, "tensor " + quote(s.Name) + " of the model has elements of type " + s.DType.String() + ", which this server does not carry"}
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(appendTensor(out, s.Name, name, s.Shape), '}')
		}
		out = append(out, ']')
	}
	return append(out, '}'), nil
}

func appendStrings(dst []byte, v []string) []byte {
	for i, s := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s)
	}
	return dst
}
