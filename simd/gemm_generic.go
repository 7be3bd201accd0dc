package simd

// genericBlock is how many accumulators the generic kernels keep at a time: they live on the stack and in L1.
const genericBlock = 64

// gemmGeneric computes C[i0:i1, j0:j1] of the product, in the order that GemmArgs states. It is the oracle of every other
// version, and the one that runs where there is no SIMD.
func gemmGeneric(class Class, a *GemmArgs, i0, i1, j0, j1 int) {
	b, ldb, transB := a.B, a.LDB, a.TransB
	if a.PackedB != nil {
		b, ldb, transB = a.PackedB, a.N, false
	}
	lo, hi := a.Act.bounds(a.Lo, a.Hi)
	ars, acs := a.LDA, 1
	if a.TransA {
		ars, acs = 1, a.LDA
	}
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j += genericBlock {
			w := min(j1-j, genericBlock)
			c := a.C[i*a.LDC+j:][:w]
			if a.K == 0 && !a.Acc {
				clear(c)
			}
			for k0 := 0; k0 < a.K; k0 += KChunk {
				k1 := min(k0+KChunk, a.K)
				var acc [genericBlock]float32
				if transB {
					for q := range w {
						acc[q] = dotGeneric(class, a.A[i*ars+k0*acs:], acs, b[(j+q)*ldb+k0:][:k1-k0])
					}
				} else {
					for k := k0; k < k1; k++ {
						axpyGeneric(class, acc[:w], b[k*ldb+j:][:w], a.A[i*ars+k*acs])
					}
				}
				if k0 == 0 && !a.Acc {
					copy(c, acc[:w])
					continue
				}
				for q := range c {
					c[q] += acc[q]
				}
			}
			if a.BiasM != nil {
				v := a.BiasM[i]
				for q := range c {
					c[q] += v
				}
			}
			if a.BiasN != nil {
				for q, v := range a.BiasN[j:][:w] {
					c[q] += v
				}
			}
			if a.Res != nil {
				for q, v := range a.Res[i*a.LDC+j:][:w] {
					c[q] += v
				}
			}
			if a.Act != ActNone {
				clampGeneric(c, lo, hi)
			}
		}
	}
}

// dotGeneric returns the sum of a[k*stride]*b[k] over len(b), added in order from +0.
func dotGeneric(class Class, a []float32, stride int, b []float32) float32 {
	var s float32
	if class == FMA {
		for k, v := range b {
			s = fma32(a[k*stride], v, s)
		}
		return s
	}
	for k, v := range b {
		s = float32(a[k*stride]*v) + s
	}
	return s
}

// clampGeneric applies min(max(x, lo), hi) with the contract's min and max: NaN stays.
func clampGeneric(x []float32, lo, hi float32) {
	for i, v := range x {
		if v < lo {
			v = lo
		}
		if hi < v {
			v = hi
		}
		x[i] = v
	}
}
