package simd

import "unsafe"

// Softmax computes, for every row of x[rows,n], dst = e**(x-m) / sum(e**(x-m)) with m the row's maximum. The
// maximum and the sum run in Lanes lanes and the tree; the division is a multiplication by the sum's correctly rounded
// reciprocal. dst may be x.
func Softmax(dst, x []float32, rows, n int) {
	if f := current.vec.softmax; f != nil && rows > 0 && n > 0 {
		f(dst[:rows*n], x[:rows*n], rows, n, false)
		return
	}
	for r := range rows {
		row, out := x[r*n:r*n+n], dst[r*n:r*n+n]
		m := reduceRuns(ReduceMax, row, 1, n, n, 0)
		s := expSum(out, row, m)
		Map(MulC, out, out, 1/s, 0)
	}
}

// LogSoftmax computes, for every row of x[rows,n], dst = (x-m) - log(sum(e**(x-m))). dst may be x.
func LogSoftmax(dst, x []float32, rows, n int) {
	if f := current.vec.softmax; f != nil && rows > 0 && n > 0 {
		f(dst[:rows*n], x[:rows*n], rows, n, true)
		return
	}
	for r := range rows {
		row, out := x[r*n:r*n+n], dst[r*n:r*n+n]
		m := reduceRuns(ReduceMax, row, 1, n, n, 0)
		l := logOne(expSum(nil, row, m))
		sub2(out, row, m, l)
	}
}

// SoftmaxGrad computes dx = y*(dy - sum(dy*y)) for every row, y being the result of [Softmax]. dx may be dy or y.
func SoftmaxGrad(dx, dy, y []float32, rows, n int) {
	if f := current.vec.softmaxGrad; f != nil && rows > 0 && n > 0 {
		f(dx[:rows*n], dy[:rows*n], y[:rows*n], rows, n, false)
		return
	}
	for r := range rows {
		g, p, out := dy[r*n:r*n+n], y[r*n:r*n+n], dx[r*n:r*n+n]
		subMul(out, g, p, dotRuns(g, p, 1, n, n, 0))
	}
}

// LogSoftmaxGrad computes dx = dy - e**y*sum(dy) for every row, y being the result of [LogSoftmax]. dx may be dy or y.
func LogSoftmaxGrad(dx, dy, y []float32, rows, n int) {
	if f := current.vec.softmaxGrad; f != nil && rows > 0 && n > 0 {
		f(dx[:rows*n], dy[:rows*n], y[:rows*n], rows, n, true)
		return
	}
	for r := range rows {
		g, p, out := dy[r*n:r*n+n], y[r*n:r*n+n], dx[r*n:r*n+n]
		expMulAdd(out, g, p, -reduceRuns(Sum, g, 1, n, n, 0))
	}
}

// CrossEntropy computes the loss of classification and its gradient in one pass over logits[rows,n]:
//
//	loss[r] = log(sum_j e**(x[r,j]-m)) - (x[r,label]-m), m the row's maximum
//	grad[r,j] = scale*(softmax(x[r])[j] - (j == label ? 1 : 0))
//
// Rows whose label is ignore get zeros. grad may be nil (loss only) or the logits themselves. Labels other than
// ignore must be in [0, n). The caller adds up the losses (see [SumSliced]) and chooses scale, for example 1/rows for a mean.
func CrossEntropy[L int32 | int64](loss, grad, logits []float32, labels []L, rows, n int, scale float32, ignore L) {
	if current.vec.crossEntropy != nil && n > 0 {
		for r := 0; r < rows; r += lossRows {
			k := min(rows-r, lossRows)
			var g []float32
			if grad != nil {
				g = grad[r*n : (r+k)*n]
			}
			crossEntropyRows(loss[r:r+k], g, logits[r*n:(r+k)*n], labels[r:r+k], n, scale, ignore)
		}
		return
	}
	for r := range rows {
		row := logits[r*n : r*n+n]
		label := labels[r]
		if label == ignore {
			loss[r] = 0
			if grad != nil {
				clear(grad[r*n : r*n+n])
			}
			continue
		}
		m := reduceRuns(ReduceMax, row, 1, n, n, 0)
		picked := row[label] - m
		var out []float32
		if grad != nil {
			out = grad[r*n : r*n+n]
		}
		s := expSum(out, row, m)
		loss[r] = logOne(s) - picked
		if grad != nil {
			Map(MulC, out, out, scale/s, 0)
			out[label] -= scale
		}
	}
}

// lossRows is how many rows crossEntropyRows takes.
const lossRows = 64

// crossEntropyRows is CrossEntropy of up to lossRows rows by the set's kernel, which knows no labels.
func crossEntropyRows[L int32 | int64](loss, grad, logits []float32, labels []L, n int, scale float32, ignore L) {
	var picked, most, logSum [lossRows]float32
	for r, label := range labels {
		if label != ignore {
			picked[r] = logits[r*n : r*n+n][label]
		}
	}
	current.vec.crossEntropy(unsafe.Slice(noescape(&most[0]), lossRows), unsafe.Slice(noescape(&logSum[0]), lossRows), grad, logits, len(labels), n, scale)
	for r, label := range labels {
		switch {
		case label != ignore:
			loss[r] = logSum[r] - (picked[r] - most[r])
			if grad != nil {
				grad[r*n+int(label)] -= scale
			}
		default:
			loss[r] = 0
			if grad != nil {
				clear(grad[r*n : r*n+n])
			}
		}
	}
}

// logOne is Map's Log of one number: where fused multiply-adds are emulated, the set's kernel is much faster than the
// generic function.
func logOne(x float32) float32 {
	v := unsafe.Slice(noescape(&x), 1)
	Map(Log, v, v, 0, 0)
	return x
}

// expSum computes dst[i] = e**(x[i]-shift) and returns the sum in Lanes lanes. A nil dst is not stored to.
func expSum(dst, x []float32, shift float32) float32 {
	if f := current.vec.expSum; f != nil {
		return f(dst, x, shift)
	}
	return expSumGeneric(current.Class, dst, x, shift)
}

func expSumGeneric(c Class, dst, x []float32, shift float32) float32 {
	var acc [Lanes]float32
	for i, v := range x {
		e := c.exp(v - shift)
		if dst != nil {
			dst[i] = e
		}
		acc[i%Lanes] += e
	}
	return Sum.tree(&acc)
}

// sub2 computes dst[i] = (x[i] - a) - b.
func sub2(dst, x []float32, a, b float32) {
	if f := current.vec.sub2; f != nil {
		f(dst, x, a, b)
		return
	}
	for i, v := range x {
		dst[i] = v - a - b
	}
}

// subMul computes dst[i] = (x[i] - a) * y[i].
func subMul(dst, x, y []float32, a float32) {
	if f := current.vec.subMul; f != nil {
		f(dst, x, y, a)
		return
	}
	for i, v := range x {
		dst[i] = (v - a) * y[i]
	}
}

// expMulAdd computes dst[i] = e**y[i]*a + x[i], a madd.
func expMulAdd(dst, x, y []float32, a float32) {
	if f := current.vec.expMulAdd; f != nil {
		f(dst, x, y, a)
		return
	}
	c := current.Class
	for i, v := range x {
		dst[i] = c.madd(c.exp(y[i]), a, v)
	}
}
