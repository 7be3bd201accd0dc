package onnx

import (
	"strconv"

	"github.com/weft-ml/weft/core/onnx/wire"
	"github.com/weft-ml/weft/core/tensor"
)

// ParseTensor reads a file that holds one tensor (a TensorProto) and returns its name and elements.
func ParseTensor(b []byte) (string, *tensor.Tensor, error) {
	r := wire.NewReader(b, 0)
	t, p := &Tensor{}, parser{}
	field := t.field(&p)
	var f wire.Field
	for r.Next(&f) {
		field(r, &f)
	}
	if err := r.Err(); err != nil {
		return "", nil, tensor.Err("onnx", "not a readable tensor: ", err)
	}
	v, err := t.Value(DecodeOptions{})
	return t.Name, v, err
}

// Value returns the elements: a view of the file where they lie there in raw form and aligned, a copy otherwise. Nothing is
// allocated before the data is known to be there.
func (t *Tensor) Value(opt DecodeOptions) (*tensor.Tensor, error) {
	shape, n, err := t.shape()
	if err != nil {
		return nil, err
	}
	switch {
	case t.segment:
		return nil, t.fail("it is split into segments, which are not supported")
	case t.DType == tensor.String:
		if len(t.strings) != n {
			return nil, t.fail("shape ", shape, " needs ", n, " strings, there are ", len(t.strings))
		}
		return tensor.FromStrings(t.strings, shape...), nil
	case t.external:
		raw, err := t.readExternal(opt, t.DType.Bytes(n))
		if err != nil {
			return nil, err
		}
		return t.wrap(shape, n, raw)
	case t.hasRaw:
		return t.wrap(shape, n, t.Raw)
	}
	return t.typed(shape, n)
}

func (t *Tensor) shape() ([]int, int, error) {
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		if d < 0 || d > tensor.MaxElements {
			return nil, 0, t.fail("impossible dimension ", d)
		}
		shape[i] = int(d)
	}
	if !t.DType.Valid() {
		return nil, 0, t.fail("it has no element type")
	}
	n, ok := tensor.CheckedSize(shape)
	if !ok {
		return nil, 0, t.fail("shape ", shape, " has too many dimensions or elements")
	}
	return shape, n, nil
}

// fail returns an error that names the tensor and where it lies.
func (t *Tensor) fail(parts ...any) error {
	where := []any{"tensor ", strconv.Quote(t.Name), " of ", t.DType, " at byte ", t.off, ": "}
	return tensor.Err("onnx", append(where, parts...)...)
}

// wrap makes a tensor of raw little-endian elements.
func (t *Tensor) wrap(shape []int, n int, raw []byte) (*tensor.Tensor, error) {
	if want := t.DType.Bytes(n); len(raw) != want {
		return nil, t.fail("shape ", shape, " needs ", want, " bytes, there are ", len(raw))
	}
	copied := !tensor.Aligned(raw, min(t.DType.Bits()/8, 8))
	if t.DType == tensor.Bool {
		for _, b := range raw {
			copied = copied || b > 1
		}
	}
	if !copied {
		return tensor.Wrap(t.DType, shape, raw), nil
	}
	v := tensor.New(t.DType, shape...)
	d := v.Bytes()
	copy(d, raw)
	if t.DType == tensor.Bool {
		for i, b := range d {
			d[i] = min(b, 1)
		}
	}
	return v, nil
}

// typed makes a tensor of one of the typed fields. Which field holds a type is laid down in onnx.proto; 16-bit floats and
// everything narrower are held as int32 bit patterns, types below a byte packed into bytes first.
func (t *Tensor) typed(shape []int, n int) (*tensor.Tensor, error) {
	count := func(field string, got, want int) error {
		if got != want {
			return t.fail("shape ", shape, " needs ", want, " values in ", field, ", there are ", got)
		}
		return nil
	}
	switch t.DType {
	case tensor.Float32, tensor.Complex64:
		if len(t.floats) != t.DType.Bytes(n) {
			return nil, count("float_data", len(t.floats)/4, t.DType.Bytes(n)/4)
		}
		return t.wrap(shape, n, t.floats)
	case tensor.Float64, tensor.Complex128:
		if len(t.doubles) != t.DType.Bytes(n) {
			return nil, count("double_data", len(t.doubles)/8, t.DType.Bytes(n)/8)
		}
		return t.wrap(shape, n, t.doubles)
	}
	field, data := "int32_data", t.int32s
	switch t.DType {
	case tensor.Int64:
		field, data = "int64_data", t.int64s
	case tensor.Uint32, tensor.Uint64:
		field, data = "uint64_data", t.uint64s
	}
	want := n
	if t.DType.Bits() < 8 {
		want = t.DType.Bytes(n)
	}
	if err := count(field, wire.CountVarints(data), want); err != nil {
		return nil, err
	}
	v := tensor.New(t.DType, shape...)
	dst := v.Bytes()
	width := max(t.DType.Bits()/8, 1)
	for len(dst) > 0 {
		u, k := wire.Uvarint(data)
		if k <= 0 {
			return nil, t.fail("invalid number in ", field)
		}
		if t.DType == tensor.Bool && u != 0 {
			u = 1
		}
		for i := range width {
			dst[i] = byte(u >> (8 * i))
		}
		data, dst = data[k:], dst[width:]
	}
	return v, nil
}

// dense expands a sparse tensor.
func (s *Sparse) dense(opt DecodeOptions) (*tensor.Tensor, error) {
	t := &Tensor{Name: s.Values.Name, DType: s.Values.DType, Dims: s.Dims, off: s.Values.off}
	shape, n, err := t.shape()
	if err != nil {
		return nil, err
	}
	if n > maxSparse {
		return nil, t.fail("sparse tensor of ", n, " elements is too large to be expanded")
	}
	vals, err := s.Values.Value(opt)
	if err != nil {
		return nil, err
	}
	idx, err := s.Indices.Value(opt)
	if err != nil {
		return nil, err
	}
	nnz := vals.Len()
	if idx.DType() != tensor.Int64 || vals.Rank() != 1 || t.DType.Bits() < 8 {
		return nil, t.fail("sparse tensor needs a vector of values and int64 indices")
	}
	linear := idx.Rank() == 1
	if want := nnz * len(shape); (linear && idx.Len() != nnz) || (!linear && idx.Len() != want) {
		return nil, t.fail("sparse tensor has ", nnz, " values and indices of shape ", idx.Shape())
	}
	out := tensor.New(t.DType, shape...)
	src, dst, w, at := vals.Bytes(), out.Bytes(), t.DType.Bits()/8, idx.Int64s()
	for i := range nnz {
		pos := int64(0)
		if linear {
			pos = at[i]
		} else {
			for k, d := range shape {
				j := at[i*len(shape)+k]
				if j < 0 || j >= int64(d) {
					return nil, t.fail("sparse index ", j, " lies outside dimension ", d)
				}
				pos = pos*int64(d) + j
			}
		}
		if pos < 0 || pos >= int64(n) {
			return nil, t.fail("sparse index ", pos, " lies outside ", n, " elements")
		}
		copy(dst[int(pos)*w:int(pos)*w+w], src[i*w:i*w+w])
	}
	return out, nil
}

// maxSparse bounds the expansion of sparse tensors, the only data whose size in memory a small file could choose freely.
const maxSparse = 1 << 24
