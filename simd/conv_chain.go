package simd

// ConvChain is a chain of convolutions, each of which reads the one before, computed by rows: what is between them is only ever in cache.
// The chains are those around a depthwise convolution:
//
//	any convolution in one group, depthwise
//	any convolution in one group, depthwise, 1x1
//	depthwise, 1x1
//
// All but the first read channels-last images, and all write them.
type ConvChain struct {
	Stages int
	Conv   [ChainMost]ConvShape
	Act    [ChainMost]Act
	Lo, Hi [ChainMost]float32 // bounds of ActClip
}

// ChainMost is the most convolutions of a chain.
const ChainMost = 3

// last returns the convolution that the chain ends in.
func (c *ConvChain) last() *ConvShape { return &c.Conv[c.Stages-1] }

// pointwise reports whether a convolution computes every pixel of channels-last images from the one at its place.
func (s *ConvShape) pointwise() bool {
	return s.Groups == 1 && s.KH == 1 && s.KW == 1 && s.SH == 1 && s.SW == 1 && s.PT|s.PL|s.PB|s.PR == 0 && s.OH == s.H && s.OW == s.W
}

// Fits reports whether the convolutions are a chain that can be computed by rows.
func (c *ConvChain) Fits() bool {
	if c.Stages < 2 || c.Stages > ChainMost {
		return false
	}
	depthwise := 0 // which stage is
	for i := range c.Stages {
		s := &c.Conv[i]
		if !s.YLast || !s.Reaches() || s.N*s.M*s.OH*s.OW == 0 || s.C*s.H*s.W == 0 {
			return false
		}
		if i == 0 {
			continue
		}
		p := &c.Conv[i-1]
		if !s.XLast || s.N != p.N || s.C != p.M || s.H != p.OH || s.W != p.OW {
			return false
		}
	}
	if !c.Conv[0].depthwise() {
		depthwise = 1
		if c.Conv[0].Groups != 1 || !c.Conv[1].depthwise() {
			return false
		}
	}
	return c.Stages == depthwise+1 || c.Stages == depthwise+2 && c.Conv[depthwise+1].pointwise()
}

// Pays reports whether a chain is worth computing by rows by a number of threads: where the images between the convolutions would not stay in L2, and
// rows are wide enough for tiles. Weights are read again for every block of rows, so there must not be too many of them, and tiles must not compute too much of what others compute too.
func (c *ConvChain) Pays(threads int) bool {
	most, weights, work := 0, 0, 0.0
	for i := range c.Stages {
		s := &c.Conv[i]
		weights += s.M * s.cg() * s.KH * s.KW
		work += s.flops()
		if i+1 < c.Stages {
			most = max(most, s.N*s.M*s.OH*s.OW)
		}
	}
	if most <= chainBetween || weights > chainWeights || c.Conv[0].OW < chainWidth {
		return false
	}
	x, d := &c.Conv[0], &c.Conv[1]
	if x.depthwise() {
		return true
	}
	again := (ConvChainTiles(c, threads) - 1) * max((d.KH-1)*d.DH+1-d.SH, 0) // rows
	return float64(again)*x.flops() <= chainAgain*work*float64(x.N*x.OH)
}

// chainWeights is how many weights a chain may have, chainWidth how wide the rows of its first convolution are at least, and chainAgain how much of its work may be
// done twice.
const (
	chainWidth   = 24
	chainWeights = 1 << 16
	chainAgain   = 1.0 / 16
)

// ConvChainForward computes tile number tile of tiles of the chain, with the bits of [ConvForward] for one convolution after the other. packed and bias
// are those of the convolutions, res is of y's shape, or nil, and is added by the last one; y is channels-last. Tiles and scratch are as for
// ConvForward. It needs c.Fits().
func ConvChainForward(c *ConvChain, x []float32, packed, bias *[ChainMost][]float32, res, y []float32, tile, tiles int, scratch []float32) {
	if f := current.conv.chain; f != nil {
		f(noescape(c), x, noescape(packed), noescape(bias), res, y, tile, tiles, scratch)
		return
	}
	// A tile's rows of an image at a time.
	s := c.last()
	u0, u1 := split(s.N*s.OH, 1, tile, tiles)
	for u := u0; u < u1; {
		n, a := u/s.OH, u%s.OH
		b := min(s.OH, a+u1-u)
		u += b - a
		from, to := [ChainMost]int{}, [ChainMost]int{} // rows of each convolution
		from[c.Stages-1], to[c.Stages-1] = a, b
		for i := c.Stages - 1; i > 0; i-- {
			from[i-1], to[i-1] = c.Conv[i].rowsRead(from[i], to[i])
		}
		src, left, above := x[n*c.Conv[0].C*c.Conv[0].H*c.Conv[0].W:], scratch, 0
		for i := range c.Stages {
			part := c.Conv[i]
			lo, hi := c.Act[i].bounds(c.Lo[i], c.Hi[i])
			length := part.OW * part.M
			part.N, part.OH, part.PT = 1, to[i]-from[i], part.PT-from[i]*part.SH+above
			dst, size := left, part.OH*length
			var r []float32
			if i == c.Stages-1 {
				at := (n*s.OH + a) * length
				dst = y[at:]
				if len(res) > 0 {
					r = res[at:][:size]
				}
			} else {
				left = left[size:]
			}
			if i > 0 {
				part.H = to[i-1] - from[i-1]
			}
			convForwardGeneric(current.Class, &part, src, packed[i], bias[i], r, dst[:size], lo, hi, 0, 1)
			src, above = dst, from[i]
		}
	}
}

// rowsRead returns which rows of its input rows a to b of the output read.
func (s *ConvShape) rowsRead(a, b int) (from, to int) {
	to = min((b-1)*s.SH-s.PT+(s.KH-1)*s.DH+1, s.H)
	return min(max(a*s.SH-s.PT, 0), max(to, 0)), max(to, 0)
}

// ConvChainTiles returns into how many tiles the work is worth splitting for a number of threads: every tile computes rows that the one above
// has computed too.
func ConvChainTiles(c *ConvChain, threads int) int {
	work := 0.0
	for i := range c.Stages {
		work += c.Conv[i].flops() + elementFlops*float64(c.Conv[i].N*c.Conv[i].M*c.Conv[i].OH*c.Conv[i].OW)
	}
	if threads <= 1 {
		return soloTiles(work)
	}
	s := c.last()
	return EvenTiles(max(min(tilesFor(work), max(s.N*s.OH/chainTileRows, threads), tilesPerThread*threads, s.N*s.OH), 1), threads)
}

// chainTileRows is the fewest rows of a tile, unless that leaves a thread without one.
const chainTileRows = 28

// ConvChainScratch returns how many float32 of scratch one worker needs for ConvChainForward.
func ConvChainScratch(c *ConvChain) int {
	if f := current.conv.chainScratch; f != nil {
		return f(noescape(c))
	}
	n := 0
	for i := range c.Stages - 1 {
		n += c.Conv[i].M * c.Conv[i].OH * c.Conv[i].OW
	}
	return n
}
