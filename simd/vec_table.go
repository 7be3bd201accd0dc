//go:build !noasm && (amd64 || arm64 || js)

package simd

import "unsafe"

// vecArgs are the arguments of every vector kernel. The generators (simd/_asm/vec, simd/wasmkernels) know the offsets.
type vecArgs struct {
	n            int // elements, or elements of a run
	runs, stride int // of reductions: number of runs, elements from one to the next
	in           [4]*float32
	out          [3]*float32
	p            [8]float32 // scalar arguments
	result       float32    // of reductions
}

// wholeTransposeArgs are the arguments of a transposition; leading dimensions are in bytes.
type wholeTransposeArgs struct {
	dst, x               *float32
	rows, cols, ldx, ldd int
}

// rowArgs are the arguments of every kernel of whole rows. In vecArgs it uses n and the scalar arguments; the rest is the kernel's to change.
type rowArgs struct {
	vecArgs
	rows   int
	in     [4]*float32
	out    [2]*float32
	before [2]*float32 // lists of numbers that are read, one a row
	stat   [2]*float32 // lists of numbers that are written
	lanes  [rowLanes]float32
}

// rowTable lists the kernels of whole rows of one set.
type rowTable struct {
	rowReduce                                                    [NumReduce]rowFunc
	rowSoftmax, rowLogSoftmax, rowSoftmaxGrad, rowLogSoftmaxGrad rowFunc
	rowLogSumExp, rowCrossEntropy                                rowFunc
	rowMoments, rowLayerNorm, rowLayerNormGrad                   rowFunc
	rowRMSNorm, rowRMSNormGrad                                   rowFunc
	rowAffine, rowNormSums, rowGroupGrad                         rowFunc
}

// vecTable lists the kernels of one set.
type vecTable struct {
	mapOp                                                  [NumUnary]vecFunc
	zip, zipScalar, scalarZip                              [NumBinary]vecFunc
	reduce                                                 [NumReduce + 1]vecFunc
	reduceRow, reduceColumns                               [NumReduce]vecFunc
	dot, expSum, expSumOnly, axpy, sub2, subMul, expMulAdd vecFunc
	poolNewer, poolPick                                    vecFunc
	peak, downExpSum                                       vecFunc
	normRow, normGrad, normParamGrad, rmsParamGrad         vecFunc
	lstmState, lstmOut                                     vecFunc
	lstmGradOut, lstmGradIn, lstmGradForget                vecFunc
	gruCandidate, gruOut                                   vecFunc
	gruGradOut, gruGradReset, gruGradState                 vecFunc
	sgd, momentum, nesterov, adam, rmsprop, adagrad, lion  vecFunc
	compare, compareScalar                                 [GreaterOrEqual + 1]vecFunc
	selectBy, fromBool                                     vecFunc
	philoxUniform, philoxNormal, below                     vecFunc
	rows                                                   rowTable
}

// fill puts the kernels of the table into a set.
func (t *vecTable) fill(k *Kernels) {
	class := k.Class
	v := &k.vec
	v.mapOp = func(op UnaryOp, dst, x []float32, p0, p1 float32) bool {
		f := t.mapOp[op]
		if missing(f) {
			return false
		}
		if op == Sin || op == Cos || op == Tan {
			mapTrig(class, f, op, dst, x)
			return true
		}
		call11(f, dst, x, p0, p1)
		return true
	}
	v.zip = func(op BinaryOp, dst, a, b []float32) bool { return call21(t.zip[op], dst, a, b, 0) }
	v.zipScalar = func(op BinaryOp, dst, a []float32, s float32) bool {
		if op == Pow {
			t.zipSpread(op, dst, a, s, false)
			return true
		}
		return call11(t.zipScalar[op], dst, a, s, 0)
	}
	v.scalarZip = func(op BinaryOp, dst []float32, s float32, b []float32) bool {
		if op == Pow {
			t.zipSpread(op, dst, b, s, true)
			return true
		}
		return call11(t.scalarZip[op], dst, b, s, 0)
	}
	v.peak = func(dst, x []float32) bool { return call11(t.peak, dst, x, peakFactor, peakSummand) }
	v.axpy = func(y, x []float32, a float32) { call21(t.axpy, y, y, x, a) }
	v.reduceRow = func(op ReduceOp, acc, x []float32) bool { return call21(t.reduceRow[op], acc, acc, x, 0) }
	v.poolNewer = func(best, index, a, b []float32, ka, kb float32) {
		q := vecArgs{n: len(best), p: [8]float32{ka, kb}}
		q.in = [4]*float32{unsafe.SliceData(best), unsafe.SliceData(index), unsafe.SliceData(a), unsafe.SliceData(b)}
		q.out[0], q.out[1] = q.in[0], q.in[1]
		run(t.poolNewer, noescape(&q))
	}
	v.poolPick = func(sum, index, g []float32, k float32) {
		q := vecArgs{n: len(sum), p: [8]float32{k}}
		q.in[0], q.in[1], q.in[2], q.out[0] = unsafe.SliceData(sum), unsafe.SliceData(index), unsafe.SliceData(g), unsafe.SliceData(sum)
		run(t.poolPick, noescape(&q))
	}
	v.sub2 = func(dst, x []float32, a, b float32) { call11(t.sub2, dst, x, a, b) }
	v.subMul = func(dst, x, y []float32, a float32) { call21(t.subMul, dst, x, y, a) }
	v.expMulAdd = func(dst, x, y []float32, a float32) { call21(t.expMulAdd, dst, x, y, a) }
	v.reduce = func(op ReduceOp, x []float32, runs, stride, n int, p float32) (float32, bool) {
		f := t.reduce[op]
		if missing(f) || runs == 0 {
			return 0, false
		}
		a := vecArgs{n: n, runs: runs, stride: stride, p: [8]float32{p}}
		a.in[0] = unsafe.SliceData(x)
		run(f, noescape(&a))
		return a.result, true
	}
	v.dot = func(x, y []float32, runs, stride, n int, p float32) float32 {
		if runs == 0 {
			return 0
		}
		a := vecArgs{n: n, runs: runs, stride: stride, p: [8]float32{p}}
		a.in[0], a.in[1] = unsafe.SliceData(x), unsafe.SliceData(y)
		run(t.dot, noescape(&a))
		return a.result
	}
	v.downExpSum = func(x, sum, shift []float32, rows, stride int) {
		a := vecArgs{n: len(sum), runs: rows, stride: stride}
		a.in[0], a.in[1], a.in[2] = unsafe.SliceData(x), unsafe.SliceData(sum), unsafe.SliceData(shift)
		a.out[0], a.out[1] = a.in[0], a.in[1]
		run(t.downExpSum, noescape(&a))
	}
	v.columns = func(op ReduceOp, dst, x []float32, rows, n, stride int) {
		a := vecArgs{n: n, runs: rows, stride: stride}
		a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		run(t.reduceColumns[op], noescape(&a))
	}
	t.fillExp(v)
	t.fillNorm(v)
	t.fillCells(v)
	t.fillRMS(v)
	t.fillBools(v)
	t.fillRandom(v)
	t.rows.fill(v)
	t.fillOptimizers(v)
}

func (t *vecTable) fillCells(v *vecKernels) {
	v.lstmState = func(g, i, f, cPrev, c []float32) {
		callCell(t.lstmState, len(c), [4]*float32{unsafe.SliceData(g), unsafe.SliceData(i), unsafe.SliceData(f), unsafe.SliceData(cPrev)}, [3]*float32{unsafe.SliceData(g), unsafe.SliceData(c)})
	}
	v.lstmOut = func(o, c, h []float32) {
		callCell(t.lstmOut, len(c), [4]*float32{unsafe.SliceData(o), unsafe.SliceData(c)}, [3]*float32{unsafe.SliceData(h)})
	}
	v.lstmGradOut = func(do, o, c, dh, dc []float32) {
		callCell(t.lstmGradOut, len(c), [4]*float32{unsafe.SliceData(o), unsafe.SliceData(c), unsafe.SliceData(dh), unsafe.SliceData(dc)}, [3]*float32{unsafe.SliceData(do), unsafe.SliceData(dc)})
	}
	v.lstmGradIn = func(di, dg, i, g, dc []float32) {
		callCell(t.lstmGradIn, len(dc), [4]*float32{unsafe.SliceData(i), unsafe.SliceData(g), unsafe.SliceData(dc)}, [3]*float32{unsafe.SliceData(di), unsafe.SliceData(dg)})
	}
	v.lstmGradForget = func(df, f, cPrev, dc []float32) {
		callCell(t.lstmGradForget, len(dc), [4]*float32{unsafe.SliceData(f), unsafe.SliceData(cPrev), unsafe.SliceData(dc)}, [3]*float32{unsafe.SliceData(df), unsafe.SliceData(dc)})
	}
	v.gruCandidate = func(x, r, q []float32) {
		callCell(t.gruCandidate, len(x), [4]*float32{unsafe.SliceData(x), unsafe.SliceData(r), unsafe.SliceData(q)}, [3]*float32{unsafe.SliceData(x)})
	}
	v.gruOut = func(h, z, x, hPrev []float32) {
		callCell(t.gruOut, len(h), [4]*float32{unsafe.SliceData(z), unsafe.SliceData(x), unsafe.SliceData(hPrev)}, [3]*float32{unsafe.SliceData(h)})
	}
	v.gruGradOut = func(dz, dn, dh, z, x, hPrev []float32) {
		callCell(t.gruGradOut, len(dh), [4]*float32{unsafe.SliceData(z), unsafe.SliceData(x), unsafe.SliceData(hPrev), unsafe.SliceData(dh)},
			[3]*float32{unsafe.SliceData(dz), unsafe.SliceData(dn), unsafe.SliceData(dh)})
	}
	v.gruGradReset = func(dr, dq, dn, r, q []float32) {
		callCell(t.gruGradReset, len(dn), [4]*float32{unsafe.SliceData(r), unsafe.SliceData(q), unsafe.SliceData(dn)}, [3]*float32{unsafe.SliceData(dr), unsafe.SliceData(dq)})
	}
	v.gruGradState = func(dr, dh, r, hPrev, drh []float32) {
		callCell(t.gruGradState, len(dh), [4]*float32{unsafe.SliceData(r), unsafe.SliceData(hPrev), unsafe.SliceData(drh), unsafe.SliceData(dh)}, [3]*float32{unsafe.SliceData(dr), unsafe.SliceData(dh)})
	}
}

// callCell calls a kernel without scalar arguments on n elements.
func callCell(f vecFunc, n int, in [4]*float32, out [3]*float32) {
	a := vecArgs{n: n, in: in, out: out}
	run(f, noescape(&a))
}

func (t *vecTable) fillNorm(v *vecKernels) {
	v.normRow = func(dst, x, gamma, beta []float32, mean, inv float32) {
		a := vecArgs{n: len(x), p: [8]float32{mean, inv}}
		a.in[0], a.in[1], a.in[2], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(gamma), unsafe.SliceData(beta), unsafe.SliceData(dst)
		run(t.normRow, noescape(&a))
	}
	v.normGrad = func(dx, dy, x []float32, mean, c, b, s float32) {
		a := vecArgs{n: len(x), p: [8]float32{mean, c, b, s}}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(dx)
		run(t.normGrad, noescape(&a))
	}
	v.normParamGrad = func(dgamma, dbeta, dy, x, mean, inv []float32, rows, n int) {
		a := vecArgs{n: n, runs: rows, stride: n}
		a.in = [4]*float32{unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(inv)}
		a.out[0], a.out[1] = unsafe.SliceData(dgamma), unsafe.SliceData(dbeta)
		run(t.normParamGrad, noescape(&a))
	}
}

// fillBools has the kernels of bytes, which take multiples of boolBlock elements.
func (t *vecTable) fillBools(v *vecKernels) {
	v.compare = func(op CmpOp, dst []uint8, a, b []float32) {
		r := vecArgs{n: len(a)}
		r.in[0], r.in[1], r.out[0] = unsafe.SliceData(a), unsafe.SliceData(b), (*float32)(unsafe.Pointer(unsafe.SliceData(dst)))
		run(t.compare[op], noescape(&r))
	}
	v.compareScalar = func(op CmpOp, dst []uint8, a []float32, s float32) {
		r := vecArgs{n: len(a), p: [8]float32{s}}
		r.in[0], r.out[0] = unsafe.SliceData(a), (*float32)(unsafe.Pointer(unsafe.SliceData(dst)))
		run(t.compareScalar[op], noescape(&r))
	}
	v.selectBy = func(dst []float32, cond []uint8, a, b []float32) {
		r := vecArgs{n: len(cond)}
		r.in[0], r.in[1], r.in[2] = (*float32)(unsafe.Pointer(unsafe.SliceData(cond))), unsafe.SliceData(a), unsafe.SliceData(b)
		r.out[0] = unsafe.SliceData(dst)
		run(t.selectBy, noescape(&r))
	}
	v.fromBool = func(dst []float32, cond []uint8, yes, no float32) {
		r := vecArgs{n: len(cond), p: [8]float32{yes, no}}
		r.in[0], r.out[0] = (*float32)(unsafe.Pointer(unsafe.SliceData(cond))), unsafe.SliceData(dst)
		run(t.fromBool, noescape(&r))
	}
}

// fillRandom has the kernels of random numbers, which take multiples of 16 blocks.
func (t *vecTable) fillRandom(v *vecKernels) {
	v.philox = func(normal bool, dst []float32, blocks int, p *[8]float32) {
		a := vecArgs{n: blocks, p: *p}
		a.in[0], a.out[0] = unsafe.SliceData(dst), unsafe.SliceData(dst)
		f := t.philoxUniform
		if normal {
			f = t.philoxNormal
		}
		run(f, noescape(&a))
	}
	v.below = func(x []float32, p, value float32) { call11(t.below, x, x, p, value) }
}

// fillRMS has what only root mean square normalisation needs.
func (t *vecTable) fillRMS(v *vecKernels) {
	v.rmsParamGrad = func(dgamma, dy, x, inv []float32, rows, n int) {
		a := vecArgs{n: n, runs: rows, stride: n}
		a.in[0], a.in[1], a.in[2], a.out[0] = unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(inv), unsafe.SliceData(dgamma)
		run(t.rmsParamGrad, noescape(&a))
	}
}

func (t *vecTable) fillOptimizers(v *vecKernels) {
	v.sgd = func(w, g []float32, p *sgdParams) {
		update(t.sgd, w, g, nil, nil, [8]float32{p.lr, p.keep, p.decay, 5: p.scale})
	}
	v.momentum = func(w, g, s []float32, p *sgdParams) {
		update(t.momentum, w, g, s, nil, [8]float32{p.lr, p.keep, p.decay, p.mu, p.damp, p.scale})
	}
	v.nesterov = func(w, g, s []float32, p *sgdParams) {
		update(t.nesterov, w, g, s, nil, [8]float32{p.lr, p.keep, p.decay, p.mu, p.damp, p.scale})
	}
	v.adam = func(w, g, m, s []float32, p *adamParams) {
		update(t.adam, w, g, m, s, [8]float32{p.keep, p.decay, p.beta1c, p.beta2, p.scale, p.root, p.eps, p.lr})
	}
	v.rmsprop = func(w, g, s []float32, p *rmspropParams) {
		update(t.rmsprop, w, g, s, nil, [8]float32{p.decay, p.rho, p.rhoc, p.eps, p.lr, p.scale})
	}
	v.adagrad = func(w, g, s []float32, p *adagradParams) {
		update(t.adagrad, w, g, s, nil, [8]float32{p.decay, p.eps, p.lr, p.scale})
	}
	v.lion = func(w, g, m []float32, p *lionParams) {
		update(t.lion, w, g, m, nil, [8]float32{p.keep, p.beta1c, p.beta2c, p.lr, p.scale})
	}
}

// call11 calls a kernel of one input and one output; false if there is none.
func call11(f vecFunc, dst, x []float32, p0, p1 float32) bool {
	if missing(f) {
		return false
	}
	a := vecArgs{n: len(x), p: [8]float32{p0, p1}}
	a.in[0], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
	run(f, noescape(&a))
	return true
}

// call21 calls a kernel of two inputs and one output; false if there is none.
func call21(f vecFunc, dst, x, y []float32, p0 float32) bool {
	if missing(f) {
		return false
	}
	a := vecArgs{n: len(x), p: [8]float32{p0}}
	a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(y), unsafe.SliceData(dst)
	run(f, noescape(&a))
	return true
}

// update calls an optimizer: inputs w, g and the state; outputs w and the state.
func update(f vecFunc, w, g, m, v []float32, p [8]float32) {
	a := vecArgs{n: len(w), p: p}
	a.in = [4]*float32{unsafe.SliceData(w), unsafe.SliceData(g), unsafe.SliceData(m), unsafe.SliceData(v)}
	a.out = [3]*float32{a.in[0], a.in[2], a.in[3]}
	run(f, noescape(&a))
}

// zipSpread computes dst[i] = op(x[i], s), or op(s, x[i]), by the kernel of two operands: such a kernel is so long that the scalar's loads do not count, and
// its code so large that one of it is enough.
func (t *vecTable) zipSpread(op BinaryOp, dst, x []float32, s float32, first bool) {
	var spread [scalarChunk]float32
	sp := unsafe.Slice(noescape(&spread[0]), min(len(x), scalarChunk))
	for i := range sp {
		sp[i] = s
	}
	for len(x) > 0 {
		n := min(len(x), scalarChunk)
		if first {
			call21(t.zip[op], dst[:n], sp[:n], x[:n], 0)
		} else {
			call21(t.zip[op], dst[:n], x[:n], sp[:n], 0)
		}
		dst, x = dst[n:], x[n:]
	}
}

// trigChunk is how many arguments mapTrig looks at together.
const trigChunk = 256

// mapTrig runs a kernel that is right up to trigLimit, and the generic function on chunks with larger arguments.
func mapTrig(c Class, f vecFunc, op UnaryOp, dst, x []float32) {
	for len(x) > 0 {
		n := min(len(x), trigChunk)
		small := true
		for _, v := range x[:n] {
			if !(abs32(v) <= trigLimit) {
				small = false
				break
			}
		}
		if small {
			call11(f, dst[:n], x[:n], 0, 0)
		} else {
			mapGeneric(c, op, dst[:n], x[:n], 0, 0)
		}
		dst, x = dst[n:], x[n:]
	}
}

// fill puts the kernels of whole rows into a set. They are called with at least one row of at least one element.
func (t *rowTable) fill(v *vecKernels) {
	v.rowReduce = func(op ReduceOp, dst, x []float32, rows, n int) {
		a := rowArgs{vecArgs: vecArgs{n: n}, rows: rows}
		a.in[0], a.stat[0] = unsafe.SliceData(x), unsafe.SliceData(dst)
		runRows(t.rowReduce[op], noescape(&a))
	}
	v.softmax = func(dst, x []float32, rows, n int, log bool) {
		a := rowArgs{vecArgs: vecArgs{n: n}, rows: rows}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(x), unsafe.SliceData(dst), unsafe.SliceData(dst)
		f := t.rowSoftmax
		if log {
			f = t.rowLogSoftmax
		}
		runRows(f, noescape(&a))
	}
	v.softmaxGrad = func(dx, dy, y []float32, rows, n int, log bool) {
		a := rowArgs{vecArgs: vecArgs{n: n}, rows: rows}
		a.in[0], a.in[1], a.out[0] = unsafe.SliceData(dy), unsafe.SliceData(y), unsafe.SliceData(dx)
		f := t.rowSoftmaxGrad
		if log {
			f = t.rowLogSoftmaxGrad
		}
		runRows(f, noescape(&a))
	}
	v.crossEntropy = func(most, logSum, grad, x []float32, rows, n int, scale float32) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: scale}}, rows: rows}
		a.in[0], a.stat[0], a.stat[1] = unsafe.SliceData(x), unsafe.SliceData(most), unsafe.SliceData(logSum)
		f := t.rowLogSumExp
		if grad != nil {
			f = t.rowCrossEntropy
			a.in[1], a.out[0] = unsafe.SliceData(grad), unsafe.SliceData(grad)
		}
		runRows(f, noescape(&a))
	}
	v.moments = func(mean, inv, x []float32, rows, n int, eps float32) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: float32(n), 3: eps}}, rows: rows}
		a.in[0], a.stat[0], a.stat[1] = unsafe.SliceData(x), unsafe.SliceData(mean), unsafe.SliceData(inv)
		runRows(t.rowMoments, noescape(&a))
	}
	v.layerNorm = func(dst, mean, inv, x, gamma, beta []float32, rows, n int, eps float32) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: float32(n), 3: eps}}, rows: rows}
		a.in[0], a.in[1], a.in[2] = unsafe.SliceData(x), unsafe.SliceData(gamma), unsafe.SliceData(beta)
		a.out[0], a.stat[0], a.stat[1] = unsafe.SliceData(dst), unsafe.SliceData(mean), unsafe.SliceData(inv)
		runRows(t.rowLayerNorm, noescape(&a))
	}
	v.layerNormGrad = func(dx, dy, x, gamma, mean, inv []float32, rows, n int) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: float32(n)}}, rows: rows}
		a.in = [4]*float32{unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gamma), unsafe.SliceData(dx)}
		a.out[0], a.before[0], a.before[1] = unsafe.SliceData(dx), unsafe.SliceData(mean), unsafe.SliceData(inv)
		runRows(t.rowLayerNormGrad, noescape(&a))
	}
	v.rmsNorm = func(dst, inv, x, gamma []float32, rows, n int, eps float32) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: float32(n), 3: eps}}, rows: rows}
		a.in[0], a.in[1] = unsafe.SliceData(x), unsafe.SliceData(gamma)
		a.out[0], a.stat[0] = unsafe.SliceData(dst), unsafe.SliceData(inv)
		runRows(t.rowRMSNorm, noescape(&a))
	}
	v.rmsNormGrad = func(dx, inv, dy, x, gamma []float32, rows, n int, eps float32) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{2: float32(n), 3: eps}}, rows: rows}
		a.in[0], a.in[1], a.in[2] = unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(gamma)
		a.out[0], a.stat[0] = unsafe.SliceData(dx), unsafe.SliceData(inv)
		runRows(t.rowRMSNormGrad, noescape(&a))
	}
	v.affineRows = func(dst, x, scale, shift []float32, rows, n int) {
		a := rowArgs{vecArgs: vecArgs{n: n}, rows: rows}
		a.in[0], a.out[0], a.before[0], a.before[1] = unsafe.SliceData(x), unsafe.SliceData(dst), unsafe.SliceData(scale), unsafe.SliceData(shift)
		runRows(t.rowAffine, noescape(&a))
	}
	v.normSums = func(sum, dot, dy, x []float32, mean float32, rows, n int) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{mean}}, rows: rows}
		a.in[0], a.in[1], a.stat[0], a.stat[1] = unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(sum), unsafe.SliceData(dot)
		runRows(t.rowNormSums, noescape(&a))
	}
	v.groupGrad = func(dx, dy, x, scale []float32, mean, c, b float32, rows, n int) {
		a := rowArgs{vecArgs: vecArgs{n: n, p: [8]float32{0: mean, 1: c, 3: b}}, rows: rows}
		a.in[0], a.in[1], a.out[0], a.before[0] = unsafe.SliceData(dy), unsafe.SliceData(x), unsafe.SliceData(dx), unsafe.SliceData(scale)
		runRows(t.rowGroupGrad, noescape(&a))
	}
}
