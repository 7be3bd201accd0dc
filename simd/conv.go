package simd

// ConvShape describes a convolution of x[N,C,H,W] with w[M,C/Groups,KH,KW] to y[N,M,OH,OW]:
//
//	y[n,m,oh,ow] = sum over kh, kw, ci of w[m,ci,kh,kw] * x[n, g*C/Groups+ci, oh*SH+kh*DH-PT, ow*SW+kw*DW-PL]
//
// where g is the group of m, and x is 0 outside the image. A 1-D convolution has H = KH = OH = 1. Bottom and right padding
// are implied by OH and OW. Padding takes part as a product with +0, so an infinite weight makes NaN there.
type ConvShape struct {
	N, C, H, W     int // input
	M              int // output channels
	KH, KW         int // kernel
	OH, OW         int // output
	SH, SW         int // strides
	DH, DW         int // dilations
	PT, PL, PB, PR int // pads: top, left, bottom, right
	Groups         int
	XLast, YLast   bool // x is [N,H,W,C], y is [N,OH,OW,M]: the forward pass only
}

// cg and mg return the input and output channels of one group.
func (s *ConvShape) cg() int { return s.C / s.Groups }
func (s *ConvShape) mg() int { return s.M / s.Groups }

// depthwise reports whether every channel is a group of its own.
func (s *ConvShape) depthwise() bool {
	return s.Groups > 1 && s.Groups == s.C && s.M == s.C && s.KH*s.KW <= KChunk
}

// Reaches reports whether offsets within what one output row reads fit the kernels for channels-last images.
func (s *ConvShape) Reaches() bool {
	return ((s.KH-1)*s.DH+1+s.SH)*max(s.W, s.OW*s.SW+(s.KW-1)*s.DW+1)*s.C < 1<<28
}

// flops returns the operations of the forward pass; both gradients take about as many.
func (s *ConvShape) flops() float64 {
	return 2 * float64(s.N) * float64(s.M) * float64(s.OH*s.OW) * float64(s.cg()*s.KH*s.KW)
}

// convKernels are the convolution's fields of a kernel set. nil fields mean generic; forward and its pack belong together,
// and so do gradInput and its pack.
type convKernels struct {
	packSize, gradInputPackSize func(s *ConvShape) int
	pack, gradInputPack         func(s *ConvShape, dst, w []float32)

	forward    func(s *ConvShape, x, packed, bias, res, y []float32, lo, hi float32, tile, tiles int, scratch []float32)
	gradInput  func(s *ConvShape, dy, packed, dx []float32, tile, tiles int, scratch []float32)
	gradWeight func(s *ConvShape, x, dy, dw []float32, tile, tiles int, scratch []float32)

	pool func(r *poolRun) // a run of channels-last pixels

	poolPlanes        func(s *PoolShape, y, x []float32, avg, includePad bool, from, to int, scratch []float32) bool
	poolPlanesGrad    func(s *PoolShape, dx, dy, x []float32, relu, includePad bool, from, to int, scratch []float32) bool
	poolPlanesScratch func(s *PoolShape) int

	poolFits      func(s *ConvShape) bool
	pooled        func(s *ConvShape, q *ConvPool, x, packed, bias, y []float32, lo, hi float32, tile, tiles int, scratch []float32)
	pooledScratch func(s *ConvShape, q *ConvPool) int

	chain        func(c *ConvChain, x []float32, packed, bias *[ChainMost][]float32, res, y []float32, tile, tiles int, scratch []float32)
	chainScratch func(c *ConvChain) int

	forwardScratch, gradInputScratch, gradWeightScratch func(s *ConvShape) int
}

// ConvPackSize returns the length of the buffer that ConvPack fills.
func ConvPackSize(s *ConvShape) int {
	if f := current.conv.packSize; f != nil {
		return f(noescape(s))
	}
	return s.M * s.cg() * s.KH * s.KW
}

// ConvPack packs w[M,C/Groups,KH,KW] for ConvForward by the current kernel set.
func ConvPack(s *ConvShape, dst, w []float32) {
	if f := current.conv.pack; f != nil {
		f(noescape(s), dst, w)
		return
	}
	copy(dst[:s.M*s.cg()*s.KH*s.KW], w)
}

// ConvForward computes tile number tile of tiles of y = act(conv(x, w) + bias + res). packed is w as ConvPack left it; bias has
// length M or is nil; res is of y's shape and layout, or nil, and needs YLast; lo and hi are the bounds of ActClip. All tiles together
// write all of y; tiles are independent and may run at the same time, each with its own scratch of ConvForwardScratch(s). Any
// tiles >= 1 is valid and gives the same bits. y overlaps neither x nor res.
//
// Order: k runs over (kh, kw, ci), kh outermost, ci innermost; products are added in the order of k inside chunks of
// KChunk, each chunk from +0; the chunk sums are added in order; then the bias is added, then res, and the activation is applied.
func ConvForward(s *ConvShape, x, packed, bias, res, y []float32, act Act, lo, hi float32, tile, tiles int, scratch []float32) {
	lo, hi = act.bounds(lo, hi)
	if f := current.conv.forward; f != nil {
		f(noescape(s), x, packed, bias, res, y, lo, hi, tile, tiles, scratch)
		return
	}
	convForwardGeneric(current.Class, s, x, packed, bias, res, y, lo, hi, tile, tiles)
}

// ConvForwardTiles returns into how many tiles the forward pass is worth splitting for a number of threads.
func ConvForwardTiles(s *ConvShape, threads int) int {
	work := s.flops() + elementFlops*float64(s.N)*float64(s.C*s.H*s.W+s.M*s.OH*s.OW)
	if threads <= 1 {
		return soloTiles(work)
	}
	most := tilesPerThread * threads
	if s.KH > 1 { // tiles of few rows read many rows twice
		most = min(most, max(s.N*s.OH/4, threads))
	}
	return EvenTiles(min(tilesFor(work), most), threads)
}

// elementFlops is how many operations take as long as reading or writing an element.
const elementFlops = 16

// soloTiles returns the tiles of work that one thread runs: they only bound how long it does not look up. What a tile copies or computes beside its
// own rows is lost, so they are large where kernels are fast.
func soloTiles(flops float64) int {
	if current.conv.forward == nil {
		return tilesFor(flops / 32)
	}
	return tilesFor(flops / 256)
}

// ConvForwardScratch returns how many float32 of scratch one worker needs for ConvForward.
func ConvForwardScratch(s *ConvShape) int {
	if f := current.conv.forwardScratch; f != nil {
		return f(noescape(s))
	}
	return 0
}

// ConvGradInputPackSize returns the length of the buffer that ConvGradInputPack fills.
func ConvGradInputPackSize(s *ConvShape) int {
	if f := current.conv.gradInputPackSize; f != nil {
		return f(noescape(s))
	}
	return s.M * s.cg() * s.KH * s.KW
}

// ConvGradInputPack packs w[M,C/Groups,KH,KW] for ConvGradInput by the current kernel set.
func ConvGradInputPack(s *ConvShape, dst, w []float32) {
	if f := current.conv.gradInputPack; f != nil {
		f(noescape(s), dst, w)
		return
	}
	copy(dst[:s.M*s.cg()*s.KH*s.KW], w)
}

// ConvGradInput computes tile number tile of tiles of the gradient of the forward pass with respect to its input, which is
// also the forward pass of a transposed convolution (whose input is dy and whose output is dx):
//
//	dx[n,ci,h,w] = sum over kh, kw, m of w[m,ci,kh,kw] * dy[n,m,oh,ow]   where h = oh*SH+kh*DH-PT and w = ow*SW+kw*DW-PL
//
// packed is w as ConvGradInputPack left it. Tiles and scratch are as for ConvForward.
//
// Only the products that exist take part: dy is not padded. Order: the columns of the kernel one by one, kw ascending; for each, over
// the kh that reach the row, descending outermost, and m of the group ascending innermost, in chunks of KChunk as in ConvForward.
// The sums of the columns are added in that order, from +0 on. Depthwise convolutions (gradFlips, gradPhases) take all taps that reach a pixel
// together: one sum, kh descending outermost, kw descending innermost, to which +0 is added.
func ConvGradInput(s *ConvShape, dy, packed, dx []float32, tile, tiles int, scratch []float32) {
	if f := current.conv.gradInput; f != nil {
		f(noescape(s), dy, packed, dx, tile, tiles, scratch)
		return
	}
	convGradInputGeneric(current.Class, s, dy, packed, dx, tile, tiles)
}

// gradFlips reports whether the input gradient adds all taps of a pixel in one sum, as a convolution by the turned kernel does.
func (s *ConvShape) gradFlips() bool {
	return s.Groups > 1 && s.Groups == s.C && s.M == s.C && s.SH == 1 && s.SW == 1 && s.KH*s.KW <= KChunk &&
		s.PT <= (s.KH-1)*s.DH && s.PL <= (s.KW-1)*s.DW && s.OH*s.OW > 0 && s.OH <= s.H+s.PT && s.OW <= s.W+s.PL
}

// phasesMost is the largest stride of gradPhases.
const phasesMost = 4

// gradPhases reports the same of a convolution with strides, where all taps that reach a pixel are taken together too: each phase of the strides
// is a convolution.
func (s *ConvShape) gradPhases() bool {
	return s.Groups > 1 && s.Groups == s.C && s.M == s.C && (s.SH > 1 || s.SW > 1) && s.SH <= phasesMost && s.SW <= phasesMost && s.KH*s.KW <= KChunk && s.OH*s.OW > 0
}

// ConvGradInputTiles returns into how many tiles the input gradient is worth splitting for a number of threads.
func ConvGradInputTiles(s *ConvShape, threads int) int { return convGradTiles(s, threads) }

// convGradTiles returns the tiles of a gradient, each of which copies what it reads.
func convGradTiles(s *ConvShape, threads int) int {
	if threads <= 1 {
		return soloTiles(s.flops())
	}
	return EvenTiles(min(tilesFor(s.flops()), tilesPerThread*threads), threads)
}

// ConvGradInputScratch returns how many float32 of scratch one worker needs for ConvGradInput.
func ConvGradInputScratch(s *ConvShape) int {
	if f := current.conv.gradInputScratch; f != nil {
		return f(noescape(s))
	}
	return 0
}

// gradLanes is how many accumulators one element of a weight gradient has.
const gradLanes = 8

// gradSlice returns how many images one accumulator of the weight gradient runs over before its sum is added to the
// total: about KChunk steps, at least one image, at most all.
func (s *ConvShape) gradSlice() int {
	return min(max(KChunk/(s.OH*((s.OW+gradLanes-1)/gradLanes)), 1), s.N)
}

// gradByChannels reports whether the weight gradient adds pixel after pixel, as a matrix product does: for channels in numbers, and products
// enough per element that is transposed for it.
func (s *ConvShape) gradByChannels() bool {
	cg, mg := s.cg(), s.mg()
	return cg >= 16 && mg >= 8 && cg*mg*s.KH*s.KW >= gradProducts*(cg+mg) && s.H*s.W < 1<<23
}

// gradProducts is from how many products per element that is transposed the weight gradient is worth computing by channels.
const gradProducts = 24

// gradImages returns how many images share a chunk of such a sum: their products are KChunk at most, or it is one.
func (s *ConvShape) gradImages() int { return min(max(KChunk/(s.OH*s.OW), 1), s.N) }

// gradCut is the fewest output channels for which a tile transposes the input.
const gradCut = 16

// ConvGradWeight computes tile number tile of tiles of the gradient of the forward pass with respect to w:
//
//	dw[m,ci,kh,kw] = sum over n, oh, ow of dy[n,m,oh,ow] * x[n, g*C/Groups+ci, oh*SH+kh*DH-PT, ow*SW+kw*DW-PL]
//
// Tiles and scratch are as for ConvForward; dw is overwritten.
//
// Order: each element has 8 lanes, lane = ow mod 8, and OW is rounded up to a multiple of 8 with products 0*0. A lane adds its
// products in the order (n, oh, ow), starting from +0 every max(1, KChunk/(OH*ceil(OW/8))) images; these slices' sums are added
// per lane in order (the first replaces the total); then lane l is added to lane l+4, then l+2, then l+1. With N*OH*OW == 0 the
// result is +0.
//
// With many channels in a group (gradByChannels) each element has one sum: products are added in the
// order (n, oh, ow) in chunks, which end with every max(1, KChunk/(OH*OW)) images and, within one image, after KChunk products; each chunk starts
// from +0 and the chunks' sums are added in order. x is 0 outside the image.
func ConvGradWeight(s *ConvShape, x, dy, dw []float32, tile, tiles int, scratch []float32) {
	if f := current.conv.gradWeight; f != nil && s.N*s.OH*s.OW > 0 {
		f(noescape(s), x, dy, dw, tile, tiles, scratch)
		return
	}
	convGradWeightGeneric(current.Class, s, x, dy, dw, tile, tiles)
}

// ConvGradWeightTiles returns into how many tiles the weight gradient is worth splitting for a number of threads.
func ConvGradWeightTiles(s *ConvShape, threads int) int {
	n := convGradTiles(s, threads)
	if s.gradByChannels() {
		return n
	}
	return EvenTiles(min(n, max(s.M*s.cg(), 1)), threads)
}

// ConvGradWeightScratch returns how many float32 of scratch one worker needs for ConvGradWeight.
func ConvGradWeightScratch(s *ConvShape) int {
	if f := current.conv.gradWeightScratch; f != nil {
		return f(noescape(s))
	}
	return 0
}
