package tensor

import "unsafe"

// Tensor is a strided view of typed elements. Elements of types narrower than a byte are packed
// and such tensors are always contiguous; strings are held apart from linear memory.
type Tensor struct {
	dtype   DType
	shape   []int
	strides []int // in elements
	off     int   // first element, in elements
	data    []byte
	strs    []string
}

// Elem is the set of Go types that hold tensor elements directly.
type Elem interface {
	float32 | float64 | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | bool
}

// New returns a zero-filled contiguous tensor on the Go heap.
func New(dtype DType, shape ...int) *Tensor {
	n := Size(shape)
	t := &Tensor{dtype: dtype, shape: append([]int{}, shape...), strides: Strides(shape)}
	if dtype == String {
		t.strs = make([]string, n)
	} else {
		t.data = alignedBytes(dtype.Bytes(n))
	}
	return t
}

// alignedBytes returns n zero bytes aligned to 8.
func alignedBytes(n int) []byte {
	if n == 0 {
		return nil
	}
	w := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&w[0])), n)
}

// Wrap returns a contiguous tensor over b, which must hold exactly the elements (little-endian,
// aligned to the element's size) and stays shared with the caller.
func Wrap(dtype DType, shape []int, b []byte) *Tensor {
	n := Size(shape)
	if dtype == String || len(b) != dtype.Bytes(n) {
		panic(Err("tensor.Wrap", "need ", dtype.Bytes(n), " bytes of ", dtype, " for shape ", shape, ", have ", len(b)))
	}
	return &Tensor{dtype: dtype, shape: append([]int{}, shape...), strides: Strides(shape), data: b}
}

// Rewrap puts a tensor that [Wrap] has made on other memory of the same size.
func (t *Tensor) Rewrap(b []byte) {
	if len(b) != len(t.data) {
		panic(Err("Tensor.Rewrap", "need ", len(t.data), " bytes, have ", len(b)))
	}
	t.data = b
}

// RewrapAs puts a tensor that [Wrap] has made on other memory and gives it another shape, which it copies; for the rank it had already it allocates nothing.
// Whoever still holds what Shape or Strides returned must not use it.
func (t *Tensor) RewrapAs(shape []int, b []byte) {
	if t.dtype == String || len(b) != t.dtype.Bytes(Size(shape)) {
		panic(Err("Tensor.RewrapAs", "need ", t.dtype.Bytes(Size(shape)), " bytes of ", t.dtype, " for shape ", shape, ", have ", len(b)))
	}
	t.shape, t.strides, t.data = append(t.shape[:0], shape...), append(t.strides[:0], shape...), b
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		t.strides[i] = n
		n *= shape[i]
	}
}

// From returns a contiguous tensor that shares data with the caller. The element type follows T;
// float16, bfloat16 and the narrow types are made by [Wrap] from their bits.
func From[T Elem](data []T, shape ...int) *Tensor {
	n := Size(shape)
	if n != len(data) {
		panic(Err("tensor.From", "shape ", shape, " has ", n, " elements, the data ", len(data)))
	}
	var b []byte
	if n > 0 {
		b = unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), n*int(unsafe.Sizeof(data[0])))
	}
	return &Tensor{dtype: dtypeOf[T](), shape: append([]int{}, shape...), strides: Strides(shape), data: b}
}

// FromStrings returns a tensor of strings that shares data with the caller.
func FromStrings(data []string, shape ...int) *Tensor {
	if n := Size(shape); n != len(data) {
		panic(Err("tensor.FromStrings", "shape ", shape, " has ", n, " elements, the data ", len(data)))
	}
	return &Tensor{dtype: String, shape: append([]int{}, shape...), strides: Strides(shape), strs: data}
}

// Scalar returns a tensor of rank 0.
func Scalar[T Elem](v T) *Tensor { return From([]T{v}) }

func dtypeOf[T Elem]() DType {
	var z T
	switch any(z).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	}
	return Bool
}

// DType returns the element type.
func (t *Tensor) DType() DType { return t.dtype }

// Shape returns the dimensions; the caller must not change them.
func (t *Tensor) Shape() []int { return t.shape }

// Strides returns the strides in elements; the caller must not change them.
func (t *Tensor) Strides() []int { return t.strides }

// Rank returns the number of dimensions.
func (t *Tensor) Rank() int { return len(t.shape) }

// Len returns the number of elements.
func (t *Tensor) Len() int { return Size(t.shape) }

// IsContiguous reports whether the elements lie row-major without gaps.
func (t *Tensor) IsContiguous() bool {
	n := 1
	for i := len(t.shape) - 1; i >= 0; i-- {
		if t.shape[i] == 0 {
			return true
		}
		if t.shape[i] != 1 && t.strides[i] != n {
			return false
		}
		n *= t.shape[i]
	}
	return true
}

// Bytes returns the elements of a contiguous tensor as raw little-endian memory, shared.
func (t *Tensor) Bytes() []byte {
	if !t.IsContiguous() || t.dtype == String {
		panic(Err("Tensor.Bytes", "needs a contiguous tensor of numbers; call Contiguous first"))
	}
	n := t.Len()
	if t.dtype.Bits() < 8 {
		return t.data[:t.dtype.Bytes(n)]
	}
	o := t.dtype.Bytes(t.off)
	return t.data[o : o+t.dtype.Bytes(n)]
}

// Data returns the elements of a contiguous tensor as a typed slice that shares memory. T's width
// must be the element type's: float32 for Float32, uint8 also for Bool, uint16 also for Float16 and BFloat16.
func Data[T Elem](t *Tensor) []T {
	var z T
	if int(unsafe.Sizeof(z))*8 != t.dtype.Bits() || (dtypeOf[T]().IsFloat() && dtypeOf[T]() != t.dtype) {
		panic(Err("tensor.Data", "element type ", dtypeOf[T](), " asked of a tensor of ", t.dtype))
	}
	n := t.Len()
	if n == 0 {
		return nil
	}
	b := t.Bytes()
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// Float32s is Data[float32].
func (t *Tensor) Float32s() []float32 { return Data[float32](t) }

// Int64s is Data[int64].
func (t *Tensor) Int64s() []int64 { return Data[int64](t) }

// Strings returns the elements of a contiguous tensor of strings, shared.
func (t *Tensor) Strings() []string {
	if t.dtype != String || !t.IsContiguous() {
		panic(Err("Tensor.Strings", "needs a contiguous tensor of strings, not ", t.dtype))
	}
	return t.strs[t.off : t.off+t.Len()]
}

// Reshape returns a tensor of the same elements with another shape. It shares memory when t is
// contiguous and copies otherwise. One dimension may be -1 and is worked out.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	sh, infer, n := append([]int{}, shape...), -1, 1
	for i, d := range sh {
		if d == -1 && infer < 0 {
			infer = i
		} else {
			n *= d
		}
	}
	if infer >= 0 && n > 0 {
		sh[infer] = t.Len() / n
	}
	if m, ok := CheckedSize(sh); !ok || m != t.Len() {
		panic(&Error{Op: "Reshape", Msg: "element counts differ", Shapes: [][]int{t.shape, shape}})
	}
	c := t.Contiguous()
	return &Tensor{dtype: c.dtype, shape: sh, strides: Strides(sh), off: c.off, data: c.data, strs: c.strs}
}

// Transpose returns a view whose dimension i is t's dimension perm[i].
func (t *Tensor) Transpose(perm ...int) *Tensor {
	t.needStrided("Transpose")
	if len(perm) != len(t.shape) {
		panic(Err("Transpose", "permutation ", perm, " does not fit shape ", t.shape))
	}
	r := &Tensor{dtype: t.dtype, shape: make([]int, len(perm)), strides: make([]int, len(perm)), off: t.off, data: t.data, strs: t.strs}
	var seen [MaxRank]bool
	for i, p := range perm {
		if p < 0 || p >= len(perm) || seen[p] {
			panic(Err("Transpose", "not a permutation: ", perm))
		}
		seen[p] = true
		r.shape[i], r.strides[i] = t.shape[p], t.strides[p]
	}
	return r
}

// Slice returns a view of the elements start, start+step, ... before end of one axis; step may be
// negative, end is then exclusive from below (-1 means before the first).
func (t *Tensor) Slice(axis, start, end, step int) *Tensor {
	t.needStrided("Slice")
	a, ok := Axis(axis, len(t.shape))
	if !ok || step == 0 {
		panic(Err("Slice", "axis ", axis, " or step ", step, " does not fit shape ", t.shape))
	}
	n := 0
	if step > 0 && end > start {
		n = (end - start + step - 1) / step
	} else if step < 0 && end < start {
		n = (start - end - step - 1) / -step
	}
	if n > 0 && (start < 0 || start >= t.shape[a] || start+(n-1)*step < 0 || start+(n-1)*step >= t.shape[a]) {
		panic(Err("Slice", "range ", start, ":", end, ":", step, " leaves axis ", a, " of shape ", t.shape))
	}
	r := &Tensor{dtype: t.dtype, shape: append([]int{}, t.shape...), strides: append([]int{}, t.strides...), off: t.off, data: t.data, strs: t.strs}
	if n > 0 {
		r.off += start * t.strides[a]
	}
	r.shape[a], r.strides[a] = n, t.strides[a]*step
	return r
}

// Expand returns a view with broadcast dimensions (stride 0) of the given shape.
func (t *Tensor) Expand(shape ...int) *Tensor {
	t.needStrided("Expand")
	out, ok := Broadcast(t.shape, shape)
	if !ok || !SameShape(out, shape) {
		panic(&Error{Op: "Expand", Msg: "shapes do not broadcast", Shapes: [][]int{t.shape, shape}})
	}
	r := &Tensor{dtype: t.dtype, shape: out, strides: make([]int, len(out)), off: t.off, data: t.data, strs: t.strs}
	for i := range t.shape {
		if k := i + len(out) - len(t.shape); t.shape[i] != 1 {
			r.strides[k] = t.strides[i]
		}
	}
	return r
}

func (t *Tensor) needStrided(op string) {
	if t.dtype.Bits() < 8 && t.dtype != String {
		panic(Err(op, "packed elements of type ", t.dtype, " have no strided views; cast first"))
	}
}

// Contiguous returns t itself when it is contiguous and a row-major copy otherwise.
func (t *Tensor) Contiguous() *Tensor {
	if t.IsContiguous() {
		return t
	}
	r := New(t.dtype, t.shape...)
	CopyTo(r, t)
	return r
}

// Clone returns a contiguous copy that shares nothing with t.
func (t *Tensor) Clone() *Tensor {
	r := New(t.dtype, t.shape...)
	CopyTo(r, t)
	return r
}

// CopyTo copies src into dst, which must be contiguous and of the same shape and type.
func CopyTo(dst, src *Tensor) {
	if dst.dtype != src.dtype || !SameShape(dst.shape, src.shape) || !dst.IsContiguous() {
		panic(&Error{Op: "tensor.CopyTo", Msg: "destination must be contiguous, of the same type and shape", Shapes: [][]int{dst.shape, src.shape}})
	}
	if src.dtype == String {
		d := dst.Strings()
		src.EachOffset(func(i, off int) { d[i] = src.strs[off] })
		return
	}
	if src.IsContiguous() {
		copy(dst.Bytes(), src.Bytes())
		return
	}
	d, w := dst.Bytes(), src.dtype.Bits()/8
	src.EachOffset(func(i, off int) { copy(d[i*w:i*w+w], src.data[off*w:off*w+w]) })
}

// EachOffset calls f for every element in row-major order with its index and the offset of the
// element in the underlying memory, in elements.
func (t *Tensor) EachOffset(f func(i, off int)) {
	n := t.Len()
	if n == 0 {
		return
	}
	var idx [MaxRank]int
	off, r := t.off, len(t.shape)
	for i := 0; i < n; i++ {
		f(i, off)
		for a := r - 1; a >= 0; a-- {
			idx[a]++
			off += t.strides[a]
			if idx[a] < t.shape[a] {
				break
			}
			off -= idx[a] * t.strides[a]
			idx[a] = 0
		}
	}
}
