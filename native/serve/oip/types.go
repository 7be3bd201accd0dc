package oip

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/weft-ml/weft/core/tensor"
)

// HeaderLength is the HTTP header that gives the length of the JSON part of a body with binary tensors.
const HeaderLength = "Inference-Header-Content-Length"

// BinaryExtension is the name under which a server's metadata lists the binary tensor data extension.
const BinaryExtension = "binary_tensor_data"

// TensorSpec describes an input or output of a model.
type TensorSpec struct {
	Name  string
	DType tensor.DType
	Shape []int // -1: any size
}

// Spec is what a model takes and gives.
type Spec struct {
	Inputs      []TensorSpec
	Outputs     []TensorSpec
	MaxElements int // the most elements that the inputs of one request may have together; 0: as many as the body holds
}

// Request is an inference request.
type Request struct {
	ID            string
	Inputs        []*tensor.Tensor // in the order of Spec.Inputs; they share no memory with the body
	Outputs       []Output         // what is asked for, in the request's order; empty: all outputs, in binary form if BinaryDefault
	BinaryDefault bool
}

// Output is a requested output.
type Output struct {
	Name   string
	Binary bool // the answer carries it after the JSON
}

// Response is the answer to an inference request.
type Response struct {
	ModelName    string
	ModelVersion string // left out when empty
	ID           string // left out when empty
	Outputs      []OutputTensor
}

// OutputTensor is an output of an answer.
type OutputTensor struct {
	Name   string
	Tensor *tensor.Tensor
	Binary bool
}

// Error is a refusal, with the HTTP status to answer with; [AppendError] writes the body.
type Error struct {
	Status int
	Msg    string
}

func (e *Error) Error() string { return e.Msg }

func refuse(parts ...string) *Error {
	return &Error{Status: http.StatusBadRequest, Msg: strings.Join(parts, "")}
}

// dtypes are the protocol's names of the element types that this package carries.
var dtypes = [...]struct {
	name  string
	dtype tensor.DType
}{
	{"BOOL", tensor.Bool},
	{"UINT8", tensor.Uint8}, {"UINT16", tensor.Uint16}, {"UINT32", tensor.Uint32}, {"UINT64", tensor.Uint64},
	{"INT8", tensor.Int8}, {"INT16", tensor.Int16}, {"INT32", tensor.Int32}, {"INT64", tensor.Int64},
	{"FP16", tensor.Float16}, {"BF16", tensor.BFloat16}, {"FP32", tensor.Float32}, {"FP64", tensor.Float64},
}

// DTypeName returns the protocol's name of an element type, such as "FP32", and whether this package carries the type: a model with others (strings,
// complex numbers, types narrower than 16 bits other than the 8-bit integers) cannot be asked over the protocol.
func DTypeName(d tensor.DType) (string, bool) {
	for i := range dtypes {
		if dtypes[i].dtype == d {
			return dtypes[i].name, true
		}
	}
	return "", false
}

// ParseDType returns the element type with the given name in the protocol. BYTES is none: it is not carried.
func ParseDType(name string) (tensor.DType, bool) {
	for i := range dtypes {
		if dtypes[i].name == name {
			return dtypes[i].dtype, true
		}
	}
	return tensor.Undefined, false
}

// binaryOnly reports whether a type has no JSON form.
func binaryOnly(d tensor.DType) bool { return d == tensor.Float16 || d == tensor.BFloat16 }

// quote returns s quoted for a message, cut where it is long: a message must not grow with a hostile body.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "..."
	}
	return strconv.Quote(s)
}

// names lists the names of tensors for a message.
func names(specs []TensorSpec) string {
	if len(specs) == 0 {
		return "nothing"
	}
	var s []string
	for i := range specs {
		if i == 16 {
			s = append(s, "...")
			break
		}
		s = append(s, quote(specs[i].Name))
	}
	return strings.Join(s, ", ")
}

func itoa(n int) string { return strconv.Itoa(n) }
