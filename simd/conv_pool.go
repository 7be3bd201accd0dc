package simd

// ConvPool is a pool over the output of a convolution, computed block by block while the block is in cache: the output as a whole is never
// in memory.
type ConvPool struct {
	PoolShape      // Planes = N*M, H = OH and W = OW of the convolution
	Average   bool // the mean of each window, else its maximum
}

// ConvPoolForward computes tile number tile of tiles of y = pool(act(conv(x, w) + bias)), with the bits of [ConvForward] and then
// [MaxPool2D], or [AvgPool2D]. Operands, tiles and scratch are as for ConvForward; y is channels-last if s.YLast. It needs q.Fits(s).
func ConvPoolForward(s *ConvShape, q *ConvPool, x, packed, bias, y []float32, act Act, lo, hi float32, tile, tiles int, scratch []float32) {
	lo, hi = act.bounds(lo, hi)
	if f := current.conv.pooled; f != nil {
		f(noescape(s), noescape(q), x, packed, bias, y, lo, hi, tile, tiles, scratch)
		return
	}
	// An image at a time.
	one, sub := *s, *q
	one.N, sub.Planes = 1, s.M
	in, out := s.C*s.H*s.W, s.M*q.OH*q.OW
	from, to := split(s.N, 1, tile, tiles)
	for n := from; n < to; n++ {
		convForwardGeneric(current.Class, &one, x[n*in:(n+1)*in], packed, bias, nil, scratch, lo, hi, 0, 1)
		sub.run(y[n*out:(n+1)*out], scratch, s.YLast, s.M, nil)
	}
}

// Pays reports whether the pool is worth computing together with the convolution: where the output would not stay in L2.
func (q *ConvPool) Pays(s *ConvShape) bool { return q.Planes*q.H*q.W > convPoolKept }

// convPoolKept is how many elements of a convolution's output are still in cache when it is done.
const convPoolKept = 1 << 17

// Fits reports whether the pool can be computed together with the convolution.
func (q *ConvPool) Fits(s *ConvShape) bool {
	if q.Average && q.PT|q.PL|q.PB|q.PR != 0 || q.OH*q.OW == 0 {
		return false
	}
	if s.M*s.cg()*s.KH*s.KW > convPoolWeights {
		return false
	}
	f := current.conv.poolFits
	return f == nil || f(noescape(s))
}

// convPoolWeights is how many weights a convolution that is computed with its pool may have: more are read too often, once for every block.
const convPoolWeights = 1 << 17

// ConvPoolTiles returns into how many tiles the work is worth splitting for a number of threads. The rows that windows of two tiles share are
// computed in both.
func ConvPoolTiles(s *ConvShape, q *ConvPool, threads int) int {
	most := s.N * q.OH
	if shared := (q.KH-1)*max(q.DH, 1) + 1 - q.SH; shared > 0 {
		most = min(most, max(s.N*q.H/(convPoolShared*shared), threads, s.N))
	}
	return max(EvenTiles(min(ConvForwardTiles(s, threads), most), threads), 1)
}

// convPoolShared is of how many rows at least one may be computed twice.
const convPoolShared = 32

// ConvPoolScratch returns how many float32 of scratch one worker needs for ConvPoolForward.
func ConvPoolScratch(s *ConvShape, q *ConvPool) int {
	if f := current.conv.pooledScratch; f != nil {
		return f(noescape(s), noescape(q))
	}
	return s.M * s.OH * s.OW
}

// run pools all planes of x, or an image of m channels that is channels-last. Scratch is that of PoolScratch, or empty.
func (q *ConvPool) run(y, x []float32, last bool, m int, scratch []float32) {
	switch {
	case last && q.Average:
		AvgPoolLast(&q.PoolShape, m, y, x, false, 0, q.Planes/m*q.OH)
	case last:
		MaxPoolLast(&q.PoolShape, m, y, x, 0, q.Planes/m*q.OH)
	case q.Average:
		AvgPool2D(&q.PoolShape, y, x, false, 0, q.Planes, scratch)
	default:
		MaxPool2D(&q.PoolShape, y, nil, x, 0, q.Planes, scratch)
	}
}

// rowsRead returns which rows of its input some rows of the output read.
func (q *ConvPool) rowsRead(row, rows int) (from, to int) {
	to = min((row+rows-1)*q.SH-q.PT+(q.KH-1)*max(q.DH, 1)+1, q.H)
	return min(max(row*q.SH-q.PT, 0), to), to
}

// part returns the pool that computes some rows of the output from the rows that they read.
func (q *ConvPool) part(row, rows int) ConvPool {
	sub := *q
	from, to := q.rowsRead(row, rows)
	sub.H, sub.OH, sub.PT = to-from, rows, from-(row*q.SH-q.PT)
	return sub
}
