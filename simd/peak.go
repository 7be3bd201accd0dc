package simd

// Peak's shape; the generators know it too (simd/internal/vecir).
const (
	peakChains  = 9
	peakSteps   = 24
	peakFactor  = 0.5
	peakSummand = 1
)

// PeakFLOPs is how many operations [Peak] takes for an element, a multiply-add counted as two.
const PeakFLOPs = 2 * peakChains * peakSteps

// Peak computes dst[i] from x[i] by chains of madds that wait for nothing but themselves, and so shows how fast a processor computes at most:
// chain k starts at x[i]+k, takes 24 steps v = v*0.5 + 1, and dst[i] is the sum of the 9 chains, added in their order.
func Peak(dst, x []float32) {
	dst = dst[:len(x)]
	if f := current.vec.peak; f != nil && f(dst, x) {
		return
	}
	peakGeneric(current.Class, dst, x)
}

func peakGeneric(c Class, dst, x []float32) {
	for i, v := range x {
		var chain [peakChains]float32
		for k := range chain {
			chain[k] = v + float32(k)
		}
		for range peakSteps {
			for k := range chain {
				chain[k] = c.madd(chain[k], peakFactor, peakSummand)
			}
		}
		sum := chain[0]
		for _, v := range chain[1:] {
			sum += v
		}
		dst[i] = sum
	}
}
