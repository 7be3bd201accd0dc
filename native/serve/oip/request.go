package oip

import (
	"math"
	"net/http"
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// DecodeRequest reads the body of an inference request to a model. jsonLen is the value of the header [HeaderLength], -1 without it: then all of the body is
// JSON. The tensors hold the model's types and shapes that fit its own; they do not share the body's memory. The error is an [*Error].
func DecodeRequest(body []byte, jsonLen int, spec Spec) (*Request, error) {
	d := decoder{scanner: scanner{cut: jsonLen >= 0}, spec: &spec, in: make([]*tensor.Tensor, len(spec.Inputs))}
	switch {
	case jsonLen > len(body) || jsonLen < -1:
		return nil, refuse(HeaderLength, " is ", itoa(jsonLen), ", the body has ", itoa(len(body)), " bytes")
	case jsonLen == 0:
		return nil, refuse(HeaderLength, " is 0: a body of raw tensor data without JSON is not supported; send the JSON request first and its length in the header")
	case jsonLen > 0:
		d.tail = body[jsonLen:]
		body = body[:jsonLen]
	}
	d.b = body
	if err := d.request(); err != nil {
		return nil, err
	}
	return &d.req, nil
}

// decoder reads one request.
type decoder struct {
	scanner
	spec   *Spec
	req    Request
	in     []*tensor.Tensor // by the order of spec.Inputs; nil: not yet seen
	total  int              // elements of all inputs so far
	tail   []byte           // binary data that no input has taken
	binary []tristate       // what req.Outputs say of themselves
}

type tristate uint8

const (
	unset tristate = iota
	no
	yes
)

// once reports an error when a key that is read comes twice in an object; seen holds the keys so far as bits.
func once(seen *uint, bit uint, what, key string) *Error {
	if *seen&(1<<bit) != 0 {
		return refuse(what, ": key ", quote(key), " comes twice")
	}
	*seen |= 1 << bit
	return nil
}

// known returns the place of a key among those that are read, -1 for another.
func known(key []byte, keys ...string) int {
	for i := range keys {
		if keys[i] == string(key) {
			return i
		}
	}
	return -1
}

func (d *decoder) request() *Error {
	var seen uint
	def := unset
	err := d.object("the request", func(key []byte) *Error {
		k := known(key, "id", "parameters", "inputs", "outputs")
		if k < 0 {
			return d.skip()
		}
		if err := once(&seen, uint(k), "the request", string(key)); err != nil {
			return err
		}
		if k != 2 && d.literal("null") {
			return nil
		}
		var err *Error
		switch k {
		case 0:
			d.req.ID, err = d.text("\"id\"")
		case 1:
			err = d.object("\"parameters\" of the request", func(key []byte) *Error {
				if string(key) == "binary_data_output" {
					return d.flag(&def, "the request", "binary_data_output")
				}
				return d.skip()
			})
		case 2:
			err = d.array("\"inputs\"", d.input)
		case 3:
			err = d.array("\"outputs\"", d.output)
		}
		return err
	})
	if err != nil {
		return err
	}
	if d.peek(); d.p < len(d.b) {
		return d.syntax("the end of the request (binary tensors need the header " + HeaderLength + ")")
	}
	for i, t := range d.in {
		if t == nil {
			return refuse("input ", quote(d.spec.Inputs[i].Name), " is missing; the model takes ", names(d.spec.Inputs))
		}
	}
	if len(d.tail) > 0 {
		return refuse("the body has ", itoa(len(d.tail)), " bytes more than its JSON and the inputs' \"binary_data_size\" say")
	}
	d.req.Inputs, d.req.BinaryDefault = d.in, def == yes
	for i := range d.req.Outputs {
		d.req.Outputs[i].Binary = d.binary[i] == yes || d.binary[i] == unset && def == yes
	}
	return d.forms()
}

// forms refuses to answer in JSON what JSON cannot say, before the model is asked.
func (d *decoder) forms() *Error {
	for _, o := range d.spec.Outputs {
		asked, binary := len(d.req.Outputs) == 0, d.req.BinaryDefault
		for _, r := range d.req.Outputs {
			if r.Name == o.Name {
				asked, binary = true, r.Binary
			}
		}
		if asked && !binary && binaryOnly(o.DType) {
			return noJSON(o.Name, o.DType)
		}
	}
	return nil
}

// noJSON is the error of an output asked for in JSON whose type has no JSON form.
func noJSON(name string, dtype tensor.DType) *Error {
	n, _ := DTypeName(dtype)
	return refuse("output ", quote(name), " has type ", n, ", which has no JSON form; ask for it in binary form, with the parameter \"binary_data\": true of the output or \"binary_data_output\": true of the request")
}

// flag reads a parameter that is true or false.
func (d *decoder) flag(v *tristate, what, key string) *Error {
	if *v != unset {
		return refuse(what, ": parameter ", quote(key), " comes twice")
	}
	switch {
	case d.literal("true"):
		*v = yes
	case d.literal("false"):
		*v = no
	default:
		d.peek()
		return refuse(what, ": parameter ", quote(key), " must be true or false, not ", d.token())
	}
	return nil
}

func (d *decoder) output() *Error {
	var seen uint
	var o Output
	what, binary := "an output", unset
	err := d.object("an output", func(key []byte) *Error {
		k := known(key, "name", "parameters")
		if k < 0 {
			return d.skip()
		}
		err := once(&seen, uint(k), what, string(key))
		switch {
		case err != nil:
		case k == 0:
			if o.Name, err = d.text("\"name\" of an output"); err == nil {
				what = "output " + quote(o.Name)
			}
		case !d.literal("null"):
			err = d.object("\"parameters\" of "+what, func(key []byte) *Error {
				switch string(key) {
				case "binary_data":
					return d.flag(&binary, what, "binary_data")
				case "classification":
					return refuse(what, ": the classification extension is not supported; leave the parameter out and take the largest of the output's elements")
				case "shared_memory_region":
					return refuse(what, ": shared memory is not supported; ask for the output in binary form, with the parameter \"binary_data\": true")
				}
				return d.skip()
			})
		}
		return err
	})
	if err != nil {
		return err
	}
	if seen&1 == 0 {
		return refuse("an output has no \"name\"; the model gives ", names(d.spec.Outputs))
	}
	for _, r := range d.req.Outputs {
		if r.Name == o.Name {
			return refuse(what, " is asked for twice")
		}
	}
	for i := range d.spec.Outputs {
		if d.spec.Outputs[i].Name == o.Name {
			d.req.Outputs, d.binary = append(d.req.Outputs, o), append(d.binary, binary)
			return nil
		}
	}
	return refuse("the model has no ", what, "; it gives ", names(d.spec.Outputs))
}

// input is what is known of an input while it is read.
type input struct {
	seen  uint
	what  string // for messages
	name  string
	dtype string
	rank  int
	shape [tensor.MaxRank]int
	size  int // binary_data_size; -1: none
	at    int // where its data begins, if that could not be read at once; -1: no such
}

const (
	keyName = iota
	keyShape
	keyType
	keyParameters
	keyData

	told = 1<<keyName | 1<<keyShape | 1<<keyType // what reading the data needs
)

func (d *decoder) input() *Error {
	in := input{what: "an input", size: -1, at: -1}
	var t *tensor.Tensor
	err := d.object("an input", func(key []byte) *Error {
		k := known(key, "name", "shape", "datatype", "parameters", "data")
		if k < 0 {
			return d.skip()
		}
		err := once(&in.seen, uint(k), in.what, string(key))
		if err != nil {
			return err
		}
		switch k {
		case keyName:
			if in.name, err = d.text("\"name\" of an input"); err == nil {
				in.what = "input " + quote(in.name)
			}
		case keyShape:
			err = d.shape(&in)
		case keyType:
			in.dtype, err = d.text("\"datatype\" of " + in.what)
		case keyParameters:
			if !d.literal("null") {
				err = d.parameters(&in)
			}
		case keyData:
			d.peek()
			if in.seen&told != told {
				in.at = d.p // its type and size follow: come back then
				return d.skip()
			}
			// At least a digit and a comma, or a digit and a bracket, for each element.
			if t, err = d.tensor(&in, (len(d.b)-d.p)/2); err == nil {
				err = d.numbers(dataOf(in.name), t)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	hasData := in.seen&(1<<keyData) != 0
	switch {
	case in.size >= 0 && hasData:
		return refuse(in.what, " has both \"data\" and the parameter \"binary_data_size\"; send one")
	case in.size >= 0:
		return d.binaryInput(&in)
	case !hasData && in.seen&(1<<keyName) != 0:
		return refuse(in.what, " has no \"data\" and no parameter \"binary_data_size\"")
	case t != nil:
		return nil
	}
	end := d.p
	if t, err = d.tensor(&in, (end-in.at)/2); err != nil {
		return err
	}
	d.p = in.at
	if err := d.numbers(dataOf(in.name), t); err != nil {
		return err
	}
	d.p = end
	return nil
}

// shape reads the dimensions of an input.
func (d *decoder) shape(in *input) *Error {
	return d.array("\"shape\" of "+in.what, func() *Error {
		d.peek()
		mag, neg, next := parseInt(d.b, d.p)
		switch {
		case next < 0 || neg && mag > 0 || mag > tensor.MaxElements || mag > math.MaxInt:
			return refuse(in.what, ": a dimension of \"shape\" must be a whole number from 0 to ", strconv.FormatInt(tensor.MaxElements, 10), ", not ", d.token())
		case in.rank == tensor.MaxRank:
			return refuse(in.what, ": \"shape\" has more than ", itoa(tensor.MaxRank), " dimensions")
		}
		in.shape[in.rank] = int(mag)
		in.rank++
		d.p = next
		return nil
	})
}

// parameters reads the parameters of an input.
func (d *decoder) parameters(in *input) *Error {
	return d.object("\"parameters\" of "+in.what, func(key []byte) *Error {
		switch string(key) {
		case "binary_data_size":
			if in.size >= 0 {
				return refuse(in.what, ": parameter \"binary_data_size\" comes twice")
			}
			d.peek()
			mag, neg, next := parseInt(d.b, d.p)
			if next < 0 || neg && mag > 0 || mag > math.MaxInt32 {
				return refuse(in.what, ": parameter \"binary_data_size\" must be a number of bytes, not ", d.token())
			}
			in.size, d.p = int(mag), next
			return nil
		case "shared_memory_region":
			return refuse(in.what, ": shared memory is not supported; send the tensor in the body")
		}
		return d.skip()
	})
}

// tensor checks what is known of an input against the model and makes its tensor, which may have no more than most elements.
func (d *decoder) tensor(in *input, most int) (*tensor.Tensor, *Error) {
	for k, key := range [...]string{"name", "shape", "datatype"} {
		if in.seen&(1<<k) == 0 {
			return nil, refuse(in.what, " has no ", quote(key))
		}
	}
	i := 0
	for i < len(d.spec.Inputs) && d.spec.Inputs[i].Name != in.name {
		i++
	}
	if i == len(d.spec.Inputs) {
		return nil, refuse("the model has no ", in.what, "; it takes ", names(d.spec.Inputs))
	}
	if d.in[i] != nil {
		return nil, refuse(in.what, " comes twice")
	}
	spec := &d.spec.Inputs[i]
	takes, _ := DTypeName(spec.DType)
	dtype, ok := ParseDType(in.dtype)
	switch {
	case in.dtype == "BYTES":
		return nil, refuse(in.what, ": tensors of type BYTES are not supported; the model takes ", takes)
	case !ok:
		return nil, refuse(in.what, ": ", quote(in.dtype), " is no datatype of the protocol; the model takes ", takes)
	case dtype != spec.DType:
		return nil, refuse(in.what, " has type ", in.dtype, ", the model takes ", takes, "; convert it before sending")
	}
	shape := in.shape[:in.rank]
	fits := len(shape) == len(spec.Shape)
	for i := 0; fits && i < len(shape); i++ {
		fits = spec.Shape[i] < 0 || spec.Shape[i] == shape[i]
	}
	if !fits {
		return nil, refuse(in.what, " has shape ", tensor.ShapeString(shape), ", the model takes ", tensor.ShapeString(spec.Shape))
	}
	n, ok := tensor.CheckedSize(shape)
	if bound := int64(d.spec.MaxElements); !ok || bound > 0 && int64(n) > bound-int64(d.total) {
		if bound <= 0 {
			bound = tensor.MaxElements
		}
		return nil, &Error{http.StatusRequestEntityTooLarge, in.what + ": shape " + tensor.ShapeString(shape) + " brings the request over the " + strconv.FormatInt(bound, 10) + " elements that are taken; send fewer"}
	}
	if n > most {
		return nil, refuse(in.what, ": shape ", tensor.ShapeString(shape), " needs ", itoa(n), " elements, more than the body has")
	}
	d.total += n
	d.in[i] = tensor.New(dtype, shape...)
	return d.in[i], nil
}

// binaryInput takes the data of an input from what follows the JSON.
func (d *decoder) binaryInput(in *input) *Error {
	if !d.cut {
		return refuse(in.what, " has the parameter \"binary_data_size\", but the request has no header ", HeaderLength, ", which tells where the JSON ends and binary data begins")
	}
	if in.size > len(d.tail) {
		return refuse(in.what, ": \"binary_data_size\" is ", itoa(in.size), ", the body has ", itoa(len(d.tail)), " bytes left for it")
	}
	t, err := d.tensor(in, in.size)
	if err != nil {
		return err
	}
	b := t.Bytes()
	if len(b) != in.size {
		return refuse(in.what, ": \"binary_data_size\" is ", itoa(in.size), ", shape ", tensor.ShapeString(t.Shape()), " of ", in.dtype, " has ", itoa(len(b)), " bytes")
	}
	copy(b, d.tail)
	d.tail = d.tail[in.size:]
	if t.DType() == tensor.Bool {
		for i, v := range b {
			if v > 1 {
				return refuse(in.what, ": byte ", itoa(i), " of BOOL is ", itoa(int(v)), ", neither 0 (false) nor 1 (true)")
			}
		}
	}
	return nil
}
