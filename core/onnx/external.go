package onnx

import (
	"errors"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// DecodeOptions are the settings of [Decode].
type DecodeOptions struct {
	// Operators is the set that the model's operators are looked up in: op.Core or op.Full.
	Operators []*graph.Def
	// External reads length bytes at an offset of an outside file, for tensors that are stored outside the model's; files.In reads a folder. The
	// bytes may be shared.
	External func(location string, offset, length int64) ([]byte, error)
	// Variable decides which initializers become variables and whether these are trainable, given the default decision.
	// Without it floating-point initializers of rank 1 and above become trainable variables unless operators need
	// their values to infer shapes, and everything else constants.
	Variable func(name string, t *tensor.Tensor, variable, trainable bool) (bool, bool)
	// Training also reads the training algorithm of the file, so that the graph is the training step: its outputs follow
	// those of the inference graph, and the graph has updates.
	Training bool
}

// readExternal reads the elements of a tensor that lies in another file.
func (t *Tensor) readExternal(opt DecodeOptions, want int) ([]byte, error) {
	location, offset, length := "", int64(0), int64(want)
	for _, e := range t.location {
		var err error
		switch e.Key {
		case "location":
			location = e.Value
		case "offset":
			offset, err = strconv.ParseInt(e.Value, 10, 64)
		case "length":
			length, err = strconv.ParseInt(e.Value, 10, 64)
		}
		if err != nil || offset < 0 {
			return nil, t.fail("external data has the impossible ", e.Key, " ", strconv.Quote(e.Value))
		}
	}
	if length != int64(want) {
		return nil, t.fail("external data has ", length, " bytes where ", want, " are needed")
	}
	clean := path.Clean(strings.ReplaceAll(location, "\\", "/"))
	if location == "" || clean == "." || clean == ".." || strings.HasPrefix(clean, "/") || strings.HasPrefix(clean, "../") || !utf8.ValidString(clean) {
		return nil, t.fail("external data lies at ", strconv.Quote(location), ", which is not a file below the model's folder")
	}
	if want == 0 {
		return nil, nil
	}
	if opt.External == nil {
		return nil, t.fail("its data lies in the file ", strconv.Quote(clean), "; give the model's folder to read it")
	}
	b, err := opt.External(clean, offset, length)
	if err == nil && len(b) != want {
		err = errors.New("got " + strconv.Itoa(len(b)) + " bytes of " + strconv.Itoa(want))
	}
	if err != nil {
		return nil, t.fail("external data ", strconv.Quote(clean), ": ", err)
	}
	return b, nil
}

// opsetOf returns the version of a domain's operators, 1 where it is not stated.
func opsetOf(opsets []Opset, d string) int {
	for _, o := range opsets {
		if o.Domain == d {
			return int(o.Version)
		}
	}
	return 1
}

// find returns the value of a key, "" when it is absent.
func find(entries []graph.MetaEntry, key string) string {
	for _, e := range entries {
		if e.Key == key {
			return e.Value
		}
	}
	return ""
}
