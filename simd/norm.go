package simd

// BatchNorm computes dst[i,k,:] = x[i,k,:]*scale[k] + shift[k] (a madd) over tensors [n,c,hw]: inference, and the last step of training.
// dst may be x.
func BatchNorm(dst, x, scale, shift []float32, n, c, hw int) {
	for i := range n {
		for k := range c {
			at := (i*c + k) * hw
			Map(Affine, dst[at:at+hw], x[at:at+hw], scale[k], shift[k])
		}
	}
}

// BatchNormStats computes the mean and the biased variance of every channel of x[n,c,hw], in two passes, each in the order
// of [ReduceChannels]; the sums are divided by n*hw.
func BatchNormStats(mean, variance, x []float32, n, c, hw int) {
	BatchNormStatsRange(mean, variance, x, n, c, hw, 0, c)
}

// BatchNormStatsRange is [BatchNormStats] for the channels from <= k < to.
func BatchNormStatsRange(mean, variance, x []float32, n, c, hw, from, to int) {
	count := float32(n * hw)
	for k := from; k < to; k++ {
		run := x[k*hw:]
		m := reduceRuns(Sum, run, n, c*hw, hw, 0) / count
		mean[k] = m
		variance[k] = reduceRuns(sumSqDiff, run, n, c*hw, hw, m) / count
	}
}

// NormScale computes what [BatchNorm] needs from statistics: inv[k] = 1/sqrt(variance[k]+eps), scale[k] = gamma[k]*inv[k],
// shift[k] = beta[k] - mean[k]*scale[k] (a madd).
func NormScale(inv, scale, shift, mean, variance, gamma, beta []float32, eps float32) {
	c := current.Class
	for k, v := range variance {
		inv[k] = 1 / sqrt32(v+eps)
		scale[k] = gamma[k] * inv[k]
		shift[k] = c.madd(-mean[k], scale[k], beta[k])
	}
}

// BatchNormGrad computes the gradients of training-mode batch normalisation of x[n,c,hw]. mean and inv = 1/sqrt(variance+eps) are those
// of the forward pass. With m = n*hw and xhat = (x-mean)*inv:
//
//	dbeta[k]  = sum(dy), dgamma[k] = inv*sum(dy*(x-mean))
//	dx        = (dy - dbeta/m - xhat*dgamma/m) * gamma*inv
//
// dx may be dy.
func BatchNormGrad(dx, dgamma, dbeta, dy, x, gamma, mean, inv []float32, n, c, hw int) {
	BatchNormGradRange(dx, dgamma, dbeta, dy, x, gamma, mean, inv, n, c, hw, 0, c)
}

// BatchNormGradRange is [BatchNormGrad] for the channels from <= k < to.
func BatchNormGradRange(dx, dgamma, dbeta, dy, x, gamma, mean, inv []float32, n, c, hw, from, to int) {
	count := float32(n * hw)
	for k := from; k < to; k++ {
		g, v := dy[k*hw:], x[k*hw:]
		db := reduceRuns(Sum, g, n, c*hw, hw, 0)
		dg := inv[k] * dotRuns(g, v, n, c*hw, hw, mean[k])
		dbeta[k], dgamma[k] = db, dg
		a, b, s := -(inv[k]*dg)/count, db/count, gamma[k]*inv[k]
		for i := range n {
			at := (i*c + k) * hw
			normGrad(dx[at:at+hw], dy[at:at+hw], x[at:at+hw], mean[k], a, b, s)
		}
	}
}

// LayerNorm normalises every row of x[rows,n]: dst = ((x-mean)*inv)*gamma + beta, the last step a madd, with inv =
// 1/sqrt(variance+eps), the mean and the biased variance of the row in Lanes lanes, two passes. mean and inv, of length
// rows, keep the statistics for the gradient; both may be nil. dst may be x.
func LayerNorm(dst, mean, inv, x, gamma, beta []float32, rows, n int, eps float32) {
	if f := current.vec.layerNorm; f != nil && mean != nil && rows > 0 && n > 0 {
		f(dst[:rows*n], mean[:rows], inv[:rows], x[:rows*n], gamma[:n], beta[:n], rows, n, eps)
		return
	}
	count := float32(n)
	for r := range rows {
		row := x[r*n : r*n+n]
		m := reduceRuns(Sum, row, 1, n, n, 0) / count
		v := reduceRuns(sumSqDiff, row, 1, n, n, m) / count
		k := 1 / sqrt32(v+eps)
		if mean != nil {
			mean[r], inv[r] = m, k
		}
		normRow(dst[r*n:r*n+n], row, gamma, beta, m, k)
	}
}

// LayerNormGrad computes dx of [LayerNorm] for the given rows. With d = dy*gamma, xhat = (x-mean)*inv:
//
//	dx = (d - sum(d)/n - xhat*sum(d*xhat)/n) * inv
//
// dx must not be x; it may be dy.
func LayerNormGrad(dx, dy, x, gamma, mean, inv []float32, rows, n int) {
	if f := current.vec.layerNormGrad; f != nil && rows > 0 && n > 0 {
		f(dx[:rows*n], dy[:rows*n], x[:rows*n], gamma[:n], mean[:rows], inv[:rows], rows, n)
		return
	}
	count := float32(n)
	for r := range rows {
		row, d := x[r*n:r*n+n], dx[r*n:r*n+n]
		Zip(Mul, d, dy[r*n:r*n+n], gamma)
		sum := reduceRuns(Sum, d, 1, n, n, 0)
		dot := inv[r] * dotRuns(d, row, 1, n, n, mean[r])
		normGrad(d, d, row, mean[r], -(inv[r]*dot)/count, sum/count, inv[r])
	}
}

// LayerNormParamGrad computes dgamma[j] = sum over r of dy[r,j]*((x[r,j]-mean[r])*inv[r]) (madd) and dbeta[j] = sum over r of
// dy[r,j], sequentially over the rows from +0.
func LayerNormParamGrad(dgamma, dbeta, dy, x, mean, inv []float32, rows, n int) {
	if f := current.vec.normParamGrad; f != nil && rows > 0 && n >= 4 {
		f(dgamma[:n], dbeta[:n], dy[:rows*n], x[:rows*n], mean[:rows], inv[:rows], rows, n)
		return
	}
	clear(dgamma[:n])
	clear(dbeta[:n])
	c := current.Class
	for r := range rows {
		g, row := dy[r*n:r*n+n], x[r*n:r*n+n]
		for j, v := range g {
			dgamma[j] = c.madd(v, float32((row[j]-mean[r])*inv[r]), dgamma[j])
			dbeta[j] += v
		}
	}
}

// RMSNorm computes dst = (x*inv)*gamma for every row of x[rows,n], inv = 1/sqrt(sum(x*x)/n + eps). inv, of length rows,
// keeps the factors; it may be nil. dst may be x.
func RMSNorm(dst, inv, x, gamma []float32, rows, n int, eps float32) {
	if f := current.vec.rmsNorm; f != nil && inv != nil && rows > 0 && n > 0 {
		f(dst[:rows*n], inv[:rows], x[:rows*n], gamma[:n], rows, n, eps)
		return
	}
	for r := range rows {
		row, out := x[r*n:r*n+n], dst[r*n:r*n+n]
		k := 1 / sqrt32(reduceRuns(SumSq, row, 1, n, n, 0)/float32(n)+eps)
		if inv != nil {
			inv[r] = k
		}
		Map(MulC, out, row, k, 0)
		Zip(Mul, out, out, gamma)
	}
}

// RMSNormGrad computes dx of [RMSNorm] for the given rows, and inv, the factors of the forward pass. With d = dy*gamma:
//
//	dx = (x*(-(inv*(inv*sum(d*x)))/n) + d) * inv
//
// the sum a madd in Lanes lanes, the sum in the brackets a madd. dx may be x or dy.
func RMSNormGrad(dx, inv, dy, x, gamma []float32, rows, n int, eps float32) {
	if f := current.vec.rmsNormGrad; f != nil && rows > 0 && n > 0 {
		f(dx[:rows*n], inv[:rows], dy[:rows*n], x[:rows*n], gamma[:n], rows, n, eps)
		return
	}
	c := current.Class
	for r := range rows {
		var acc [Lanes]float32
		g, row, out := dy[r*n:r*n+n], x[r*n:r*n+n], dx[r*n:r*n+n]
		k := 1 / sqrt32(reduceRuns(SumSq, row, 1, n, n, 0)/float32(n)+eps)
		for i, v := range g {
			acc[i%Lanes] = c.madd(float32(v*gamma[i]), row[i], acc[i%Lanes])
		}
		a := -float32(k*float32(k*Sum.tree(&acc))) / float32(n)
		for i, v := range g {
			out[i] = c.madd(row[i], a, float32(v*gamma[i])) * k
		}
		inv[r] = k
	}
}

// RMSNormParamGrad computes dgamma[j] = sum over r of dy[r,j]*(x[r,j]*inv[r]), madds sequentially over the rows from +0.
func RMSNormParamGrad(dgamma, dy, x, inv []float32, rows, n int) {
	if f := current.vec.rmsParamGrad; f != nil && rows > 0 && n >= 4 {
		f(dgamma[:n], dy[:rows*n], x[:rows*n], inv[:rows], rows, n)
		return
	}
	clear(dgamma[:n])
	c := current.Class
	for r := range rows {
		g, row := dy[r*n:r*n+n], x[r*n:r*n+n]
		for j, v := range g {
			dgamma[j] = c.madd(v, float32(row[j]*inv[r]), dgamma[j])
		}
	}
}

// Moments computes the mean and inv = 1/sqrt(variance+eps) of every row of x[rows,n], as [LayerNorm] does.
func Moments(mean, inv, x []float32, rows, n int, eps float32) {
	if f := current.vec.moments; f != nil && rows > 0 && n > 0 {
		f(mean[:rows], inv[:rows], x[:rows*n], rows, n, eps)
		return
	}
	count := float32(n)
	for r := range rows {
		row := x[r*n : r*n+n]
		mean[r] = reduceRuns(Sum, row, 1, n, n, 0) / count
		inv[r] = 1 / sqrt32(reduceRuns(sumSqDiff, row, 1, n, n, mean[r])/count+eps)
	}
}

// normRow computes dst[j] = ((x[j]-mean)*inv)*gamma[j] + beta[j].
func normRow(dst, x, gamma, beta []float32, mean, inv float32) {
	if f := current.vec.normRow; f != nil {
		f(dst, x, gamma, beta, mean, inv)
		return
	}
	c := current.Class
	for j, v := range x {
		dst[j] = c.madd(float32((v-mean)*inv), gamma[j], beta[j])
	}
}

// normGrad computes dx[j] = ((x[j]-mean)*a + (dy[j]-b)) * s, the sum a madd.
func normGrad(dx, dy, x []float32, mean, a, b, s float32) {
	if f := current.vec.normGrad; f != nil {
		f(dx, dy, x, mean, a, b, s)
		return
	}
	c := current.Class
	for j, v := range x {
		dx[j] = c.madd(v-mean, a, dy[j]-b) * s
	}
}
