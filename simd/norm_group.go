package simd

import "unsafe"

// AffineRows computes dst[r,:] = x[r,:]*scale[r] + shift[r], madds, for rows of n elements. dst may be x.
func AffineRows(dst, x, scale, shift []float32, rows, n int) {
	if f := current.vec.affineRows; f != nil && rows > 0 && n > 0 {
		f(dst[:rows*n], x[:rows*n], scale[:rows], shift[:rows], rows, n)
		return
	}
	for r := range rows {
		Map(Affine, dst[r*n:r*n+n], x[r*n:r*n+n], scale[r], shift[r])
	}
}

// GroupNorm normalises one group of channels of one sample, x[c,hw], as a whole: with the [Moments] of its c*hw elements, scale = gamma*inv
// and shift = beta - mean*scale (a madd) for every channel, dst = x*scale + shift (a madd). scale and shift are scratch of c elements. dst may be x.
func GroupNorm(dst, x, gamma, beta, scale, shift []float32, c, hw int, eps float32) {
	var moments [2]float32
	mean, inv := one(&moments[0]), one(&moments[1])
	Moments(mean, inv, x, 1, c*hw, eps)
	class := current.Class
	for k := range c {
		scale[k] = gamma[k] * inv[0]
		shift[k] = class.madd(-mean[0], scale[k], beta[k])
	}
	AffineRows(dst, x, scale, shift, c, hw)
}

// GroupNormGrad computes the gradients of [GroupNorm] for one group of one sample. With m = c*hw, s[k] = sum(dy[k,:]) and
// d[k] = inv*sum(dy[k,:]*(x[k,:]-mean)), each as [Sum] and [Dot] add up, and S = sum of gamma*s, D = sum of gamma*d, madds over the channels from +0:
//
//	dbeta[k] = s[k], dgamma[k] = d[k]
//	dx = (x-mean)*(-(inv*(inv*D))/m) + (dy*(gamma[k]*inv) + (-(inv*S)/m)), both sums madds
//
// dbeta and dgamma are this sample's part. scale is scratch of c elements. dx may be x or dy.
func GroupNormGrad(dx, dgamma, dbeta, dy, x, gamma, scale []float32, c, hw int, eps float32) {
	var moments [2]float32
	mean, inv := one(&moments[0]), one(&moments[1])
	Moments(mean, inv, x, 1, c*hw, eps)
	normSums(dbeta, dgamma, dy, x, mean[0], c, hw)
	class := current.Class
	k, m := inv[0], float32(c*hw)
	var sum, dot float32
	for i := range c {
		dgamma[i] = k * dgamma[i]
		scale[i] = gamma[i] * k
		sum = class.madd(gamma[i], dbeta[i], sum)
		dot = class.madd(gamma[i], dgamma[i], dot)
	}
	a, b := -float32(k*float32(k*dot))/m, -float32(k*sum)/m
	if f := current.vec.groupGrad; f != nil && c > 0 && hw > 0 {
		f(dx[:c*hw], dy[:c*hw], x[:c*hw], scale[:c], mean[0], a, b, c, hw)
		return
	}
	for i := range c {
		g, row, out := dy[i*hw:i*hw+hw], x[i*hw:i*hw+hw], dx[i*hw:i*hw+hw]
		for j, v := range row {
			out[j] = class.madd(v-mean[0], a, class.madd(g[j], scale[i], b))
		}
	}
}

// normSums computes sum[r] = sum of dy[r,:] and dot[r] = sum of dy[r,:]*(x[r,:]-mean).
func normSums(sum, dot, dy, x []float32, mean float32, rows, n int) {
	if f := current.vec.normSums; f != nil && rows > 0 && n > 0 {
		f(sum[:rows], dot[:rows], dy[:rows*n], x[:rows*n], mean, rows, n)
		return
	}
	for r := range rows {
		sum[r] = reduceRuns(Sum, dy[r*n:r*n+n], 1, n, n, 0)
		dot[r] = dotRuns(dy[r*n:r*n+n], x[r*n:r*n+n], 1, n, n, mean)
	}
}

// one is a slice of one number that stays on the stack.
func one(x *float32) []float32 { return unsafe.Slice(noescape(x), 1) }
