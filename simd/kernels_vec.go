package simd

// vecKernels are the accelerated vector kernels of a set. A nil field, and an operation for which a function returns
// false, means the generic version of the set's class. Slices have been cut to equal lengths when a kernel is called.
type vecKernels struct {
	mapOp     func(op UnaryOp, dst, x []float32, p0, p1 float32) bool
	zip       func(op BinaryOp, dst, a, b []float32) bool
	zipScalar func(op BinaryOp, dst, a []float32, s float32) bool
	scalarZip func(op BinaryOp, dst []float32, s float32, b []float32) bool
	axpy      func(y, x []float32, a float32)
	peak      func(dst, x []float32) bool

	reduce    func(op ReduceOp, x []float32, runs, stride, n int, p float32) (v float32, ok bool)
	reduceRow func(op ReduceOp, acc, x []float32) bool
	dot       func(a, b []float32, runs, stride, n int, p float32) float32
	expSum    func(dst, x []float32, shift float32) float32
	sub2      func(dst, x []float32, a, b float32)
	subMul    func(dst, x, y []float32, a float32)
	expMulAdd func(dst, x, y []float32, a float32)
	// Down the columns, a multiple of 16, of rows that are stride apart: x = e**(x-shift), sum += x.
	downExpSum func(x, sum, shift []float32, rows, stride int)

	normRow       func(dst, x, gamma, beta []float32, mean, inv float32)
	normGrad      func(dx, dy, x []float32, mean, a, b, s float32)
	normParamGrad func(dgamma, dbeta, dy, x, mean, inv []float32, rows, n int) // at least 4 columns
	rmsParamGrad  func(dgamma, dy, x, inv []float32, rows, n int)              // likewise

	// Recurrent cells (simd/rnn.go), a row each.
	lstmState      func(g, i, f, cPrev, c []float32) // g is replaced by tanh(g)
	lstmOut        func(o, c, h []float32)
	lstmGradOut    func(do, o, c, dh, dc []float32)
	lstmGradIn     func(di, dg, i, g, dc []float32)
	lstmGradForget func(df, f, cPrev, dc []float32)
	gruCandidate   func(x, r, q []float32)
	gruOut         func(h, z, x, hPrev []float32)
	gruGradOut     func(dz, dn, dh, z, x, hPrev []float32)
	gruGradReset   func(dr, dq, dn, r, q []float32)
	gruGradState   func(dr, dh, r, hPrev, drh []float32)

	poolNewer func(best, index, a, b []float32, ka, kb float32) // where a, and then b, is greater than best, it takes its place, and ka, or kb, that of index
	poolPick  func(sum, index, g []float32, k float32)          // g is added where index is k

	maxPool2     func(dst, x []float32, rows, ow, w int)
	maxPool2Grad func(dx, dy, x []float32, relu bool, rows, ow, w int)
	avgPool2     func(dst, x []float32, rows, ow, w int)
	avgPool2Grad func(dx, dy []float32, rows, ow, w int)

	sgd      func(w, g []float32, p *sgdParams)
	momentum func(w, g, v []float32, p *sgdParams)
	nesterov func(w, g, v []float32, p *sgdParams)
	adam     func(w, g, m, v []float32, p *adamParams)
	rmsprop  func(w, g, v []float32, p *rmspropParams)
	adagrad  func(w, g, v []float32, p *adagradParams)
	lion     func(w, g, m []float32, p *lionParams)

	transpose func(dst, x []float32, rows, cols, ldx, ldd int)

	columns func(op ReduceOp, dst, x []float32, rows, n, stride int) // at least 4 columns

	// Bytes of 0 and 1; multiples of boolBlock elements.
	compare       func(op CmpOp, dst []uint8, a, b []float32)
	compareScalar func(op CmpOp, dst []uint8, a []float32, s float32)
	selectBy      func(dst []float32, cond []uint8, a, b []float32)
	fromBool      func(dst []float32, cond []uint8, yes, no float32)

	// Whole rows.
	rowReduce     func(op ReduceOp, dst, x []float32, rows, n int)
	softmax       func(dst, x []float32, rows, n int, log bool)
	softmaxGrad   func(dx, dy, y []float32, rows, n int, log bool)
	crossEntropy  func(most, logSum, grad, x []float32, rows, n int, scale float32) // grad may be nil
	moments       func(mean, inv, x []float32, rows, n int, eps float32)
	layerNorm     func(dst, mean, inv, x, gamma, beta []float32, rows, n int, eps float32)
	layerNormGrad func(dx, dy, x, gamma, mean, inv []float32, rows, n int)
	rmsNorm       func(dst, inv, x, gamma []float32, rows, n int, eps float32)
	rmsNormGrad   func(dx, inv, dy, x, gamma []float32, rows, n int, eps float32)
	affineRows    func(dst, x, scale, shift []float32, rows, n int)
	normSums      func(sum, dot, dy, x []float32, mean float32, rows, n int)
	groupGrad     func(dx, dy, x, scale []float32, mean, a, b float32, rows, n int)

	// Where Go's own loops are slow.
	philox func(normal bool, dst []float32, blocks int, p *[8]float32) // see philoxFill; dst begins with the numbers of the blocks
	below  func(x []float32, p, value float32)
}
