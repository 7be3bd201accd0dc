package simd

// Fill sets every element of dst to v.
func Fill[T any](dst []T, v T) {
	for i := range dst {
		dst[i] = v
	}
}

// transposeBlock is the edge of the blocks of a transposition: two blocks of 4-byte elements fill 8 KB of the first-level cache.
const transposeBlock = 32

// Transpose computes dst[j*ldd+i] = x[i*ldx+j] for i < rows, j < cols. dst and x must not overlap.
func Transpose(dst, x []float32, rows, cols, ldx, ldd int) {
	if f := current.vec.transpose; f != nil {
		f(dst, x, rows, cols, ldx, ldd)
		return
	}
	TransposeAny(dst, x, rows, cols, ldx, ldd)
}

// TransposeAny is [Transpose] for elements of any type.
func TransposeAny[T any](dst, x []T, rows, cols, ldx, ldd int) {
	switch {
	case rows == 2 && cols > 2: // two rows take turns
		a, b := x[:cols], x[ldx:ldx+cols]
		for j, v := range a {
			d := dst[j*ldd : j*ldd+2]
			d[0], d[1] = v, b[j]
		}
		return
	case rows == 3 && cols > 3: // likewise three, as the colours of a picture
		a, b, c := x[:cols], x[ldx:ldx+cols], x[2*ldx:2*ldx+cols]
		for j, v := range a {
			d := dst[j*ldd : j*ldd+3]
			d[0], d[1], d[2] = v, b[j], c[j]
		}
		return
	case cols == 3 && rows > 3:
		a, b, c := dst[:rows], dst[ldd:ldd+rows], dst[2*ldd:2*ldd+rows]
		for i := range a {
			v := x[i*ldx : i*ldx+3]
			a[i], b[i], c[i] = v[0], v[1], v[2]
		}
		return
	case cols == 2 && rows > 2: // pairs are parted
		a, b := dst[:rows], dst[ldd:ldd+rows]
		for i := range a {
			v := x[i*ldx : i*ldx+2]
			a[i], b[i] = v[0], v[1]
		}
		return
	}
	for i0 := 0; i0 < rows; i0 += transposeBlock {
		i1 := min(rows, i0+transposeBlock)
		for j0 := 0; j0 < cols; j0 += transposeBlock {
			j1 := min(cols, j0+transposeBlock)
			for i := i0; i < i1; i++ {
				for j, v := range x[i*ldx+j0 : i*ldx+j1] {
					dst[(j0+j)*ldd+i] = v
				}
			}
		}
	}
}

// CopyRows copies rows of n elements: dst[i*ldd+j] = x[i*ldx+j] for i < rows, j < n.
func CopyRows[T any](dst, x []T, rows, n, ldx, ldd int) {
	for i := range rows {
		copy(dst[i*ldd:i*ldd+n], x[i*ldx:i*ldx+n])
	}
}

// Gather copies a strided view into contiguous memory: dst, in row-major order over shape, receives x[at + sum(index*strides)].
// Strides count elements and may be zero (broadcasting) or negative. It allocates nothing for up to 16 dimensions.
func Gather[T any](dst, x []T, at int, shape, strides []int) {
	walk(len(dst), at, shape, strides, func(pos, at, n, stride int) {
		if stride == 1 {
			copy(dst[pos:pos+n], x[at:at+n])
			return
		}
		for i := range n {
			dst[pos+i] = x[at+i*stride]
		}
	})
}

// Scatter is the reverse of [Gather]: dst[at + sum(index*strides)] receives the elements of x in row-major order over shape.
func Scatter[T any](dst []T, at int, x []T, shape, strides []int) {
	walk(len(x), at, shape, strides, func(pos, at, n, stride int) {
		if stride == 1 {
			copy(dst[at:at+n], x[pos:pos+n])
			return
		}
		for i := range n {
			dst[at+i*stride] = x[pos+i]
		}
	})
}

// ScatterAdd adds instead of storing: dst[at + sum(index*strides)] += x, in row-major order over shape; with
// zero strides it sums over broadcast dimensions, sequentially.
func ScatterAdd(dst []float32, at int, x []float32, shape, strides []int) {
	walk(len(x), at, shape, strides, func(pos, at, n, stride int) {
		if stride == 1 {
			Zip(Add, dst[at:at+n], dst[at:at+n], x[pos:pos+n])
			return
		}
		for i := range n {
			dst[at+i*stride] += x[pos+i]
		}
	})
}

// maxDims is the largest number of dimensions that walk steps through without allocating.
const maxDims = 16

// walk calls f for every innermost run of a strided view of total elements: pos is its first row-major position, at its
// first offset.
func walk(total, at int, shape, strides []int, f func(pos, at, n, stride int)) {
	if total == 0 {
		return
	}
	// Inner dimensions that continue one another become one run.
	d := len(shape)
	n, stride := 1, 1
	if d > 0 {
		d--
		n, stride = shape[d], strides[d]
	}
	for d > 0 && (strides[d-1] == stride*n || shape[d-1] == 1) {
		d--
		n *= shape[d]
	}
	var small [maxDims]int
	index := small[:]
	if d > maxDims {
		index = make([]int, d)
	}
	for pos := 0; pos < total; pos += n {
		f(pos, at, n, stride)
		for k := d - 1; k >= 0; k-- {
			index[k]++
			at += strides[k]
			if index[k] < shape[k] {
				break
			}
			at -= strides[k] * shape[k]
			index[k] = 0
		}
	}
}

// GatherRows copies rows of n elements picked by index: dst[i,:] = x[index[i],:]. Indices must be in range.
func GatherRows[T any, I int32 | int64](dst, x []T, index []I, n int) {
	for i, k := range index {
		copy(dst[i*n:i*n+n], x[int(k)*n:int(k)*n+n])
	}
}

// ScatterAddRows adds rows of n elements to picked rows: dst[index[i],:] += x[i,:], sequentially in i: the gradient of
// [GatherRows].
func ScatterAddRows[I int32 | int64](dst, x []float32, index []I, n int) {
	for i, k := range index {
		row := dst[int(k)*n : int(k)*n+n]
		Zip(Add, row, row, x[i*n:i*n+n])
	}
}
