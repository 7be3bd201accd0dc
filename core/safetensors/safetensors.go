// Package safetensors reads and writes the safetensors format
// (https://github.com/huggingface/safetensors): an eight-byte length, a JSON header that names tensors with type, shape
// and byte range, then their bytes. Checkpoints are such files.
package safetensors

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/weft-ml/weft/core/tensor"
)

// MaxHeader is the largest header that is read, in bytes: the limit of the reference implementation.
const MaxHeader = 100_000_000

// Entry is a named tensor.
type Entry struct {
	Name   string
	Tensor *tensor.Tensor
}

// File is the contents of a safetensors file.
type File struct {
	Meta    map[string]string // "__metadata__"
	Tensors []Entry           // in the order of their bytes
}

// Get returns the named tensor, nil when the file has none.
func (f *File) Get(name string) *tensor.Tensor {
	for _, e := range f.Tensors {
		if e.Name == name {
			return e.Tensor
		}
	}
	return nil
}

var typeNames = []struct {
	name  string
	dtype tensor.DType
}{
	{"F32", tensor.Float32}, {"F64", tensor.Float64}, {"F16", tensor.Float16}, {"BF16", tensor.BFloat16},
	{"I64", tensor.Int64}, {"I32", tensor.Int32}, {"I16", tensor.Int16}, {"I8", tensor.Int8},
	{"U64", tensor.Uint64}, {"U32", tensor.Uint32}, {"U16", tensor.Uint16}, {"U8", tensor.Uint8}, {"BOOL", tensor.Bool},
	{"F8_E4M3", tensor.Float8E4M3FN}, {"F8_E5M2", tensor.Float8E5M2}, {"F8_E8M0", tensor.Float8E8M0},
}

func typeName(d tensor.DType) string {
	for _, t := range typeNames {
		if t.dtype == d {
			return t.name
		}
	}
	return ""
}

// Encode returns the file's bytes: the same contents always give the same bytes. Tensors keep their
// order; strings, complex numbers and types narrower than a byte have no safetensors form and are an error.
func Encode(f *File) ([]byte, error) {
	h := []byte{'{'}
	if len(f.Meta) > 0 {
		keys := make([]string, 0, len(f.Meta))
		for k := range f.Meta {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		h = append(h, `"__metadata__":{`...)
		for i, k := range keys {
			if i > 0 {
				h = append(h, ',')
			}
			h = appendString(h, k)
			h = append(h, ':')
			h = appendString(h, f.Meta[k])
		}
		h = append(h, '}')
	}
	off, seen := 0, map[string]bool{}
	for _, e := range f.Tensors {
		name := typeName(e.Tensor.DType())
		if name == "" {
			return nil, tensor.Err("safetensors", "tensor ", strconv.Quote(e.Name), ": the format has no element type ", e.Tensor.DType())
		}
		if e.Name == "__metadata__" || seen[e.Name] {
			return nil, tensor.Err("safetensors", "the name ", strconv.Quote(e.Name), " is taken")
		}
		seen[e.Name] = true
		if len(h) > 1 {
			h = append(h, ',')
		}
		h = appendString(h, e.Name)
		h = append(h, `:{"dtype":"`...)
		h = append(h, name...)
		h = append(h, `","shape":[`...)
		for i, d := range e.Tensor.Shape() {
			if i > 0 {
				h = append(h, ',')
			}
			h = strconv.AppendInt(h, int64(d), 10)
		}
		n := e.Tensor.DType().Bytes(e.Tensor.Len())
		h = append(h, `],"data_offsets":[`...)
		h = strconv.AppendInt(h, int64(off), 10)
		h = append(h, ',')
		h = strconv.AppendInt(h, int64(off+n), 10)
		h = append(h, "]}"...)
		off += n
	}
	h = append(h, '}')
	for len(h)%8 != 0 { // data starts aligned
		h = append(h, ' ')
	}
	out := make([]byte, 8, 8+len(h)+off)
	binary.LittleEndian.PutUint64(out, uint64(len(h)))
	out = append(out, h...)
	for _, e := range f.Tensors {
		out = append(out, e.Tensor.Contiguous().Bytes()...)
	}
	return out, nil
}

// Decode reads a file from its bytes; tensors are copied out. Every length is checked against what is
// there before anything is allocated; names, ranges and shapes must agree and the ranges must tile the data without gaps.
func Decode(b []byte) (*File, error) {
	if len(b) < 8 {
		return nil, tensor.Err("safetensors", "the file has ", len(b), " bytes, too few for a header; it is truncated or not a safetensors file")
	}
	n := binary.LittleEndian.Uint64(b)
	if n > MaxHeader || n > uint64(len(b)-8) {
		return nil, tensor.Err("safetensors", "the header claims ", n, " bytes of ", len(b)-8, "; the file is truncated or not a safetensors file")
	}
	data := b[8+n:]
	p := parser{b: b[8 : 8+n]}
	f := &File{}
	var spans []span
	if err := p.header(f, &spans); err != nil {
		return nil, err
	}
	order := make([]int32, len(spans))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return spans[a].lo - spans[b].lo })
	at := 0
	for _, i := range order {
		s := &spans[i]
		size, ok := tensor.CheckedSize(s.shape)
		if !ok {
			return nil, tensor.Err("safetensors", "tensor ", strconv.Quote(s.name), " has an impossible shape ", s.shape)
		}
		if s.lo != at || s.hi < s.lo || s.hi > len(data) || s.hi-s.lo != s.dtype.Bytes(size) {
			return nil, tensor.Err("safetensors", "tensor ", strconv.Quote(s.name), " of ", s.dtype, " ", s.shape, " has bytes ", s.lo, " to ", s.hi, " of ", len(data), ", which do not fit; the file is truncated or corrupt")
		}
		at = s.hi
		t := tensor.New(s.dtype, s.shape...)
		copy(t.Bytes(), data[s.lo:s.hi])
		f.Tensors = append(f.Tensors, Entry{s.name, t})
	}
	if at != len(data) {
		return nil, tensor.Err("safetensors", len(data)-at, " bytes after the last tensor belong to nothing; the file is corrupt")
	}
	return f, nil
}

type span struct {
	name   string
	dtype  tensor.DType
	shape  []int
	lo, hi int
}
