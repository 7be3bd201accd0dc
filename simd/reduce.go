package simd

// A ReduceOp names a reduction.
type ReduceOp uint8

// The reductions, with the value of an empty one.
const (
	Sum       ReduceOp = iota // sum of x, 0
	SumSq                     // sum of x*x (madd), 0
	SumAbs                    // sum of |x|, 0
	Prod                      // product, 1
	ReduceMax                 // maximum, -Inf; NaNs are passed over
	ReduceMin                 // minimum, +Inf; NaNs are passed over
	NumReduce                 // how many there are
)

func (op ReduceOp) identity() float32 {
	switch op {
	case Prod:
		return 1
	case ReduceMax:
		return -inf32
	case ReduceMin:
		return inf32
	}
	return 0
}

// sumSqDiff, inside the package, is the sum of (x-p)*(x-p), a madd.
const sumSqDiff = NumReduce

// step takes one value into an accumulator; p is the parameter of sumSqDiff.
func (c Class) step(op ReduceOp, acc, x, p float32) float32 {
	switch op {
	case sumSqDiff:
		x -= p
		return c.madd(x, x, acc)
	case Sum:
		return acc + x
	case SumSq:
		return c.madd(x, x, acc)
	case SumAbs:
		return acc + abs32(x)
	case Prod:
		return acc * x
	case ReduceMax:
		return max32(acc, x)
	}
	return min32(acc, x)
}

// merge joins two accumulators.
func (op ReduceOp) merge(a, b float32) float32 {
	switch op {
	case Prod:
		return a * b
	case ReduceMax:
		return max32(a, b)
	case ReduceMin:
		return min32(a, b)
	}
	return a + b
}

// tree joins the lanes: l with l+16, then l+8, l+4, l+2, l+1.
func (op ReduceOp) tree(acc *[Lanes]float32) float32 {
	for w := Lanes / 2; w > 0; w /= 2 {
		for l := range w {
			acc[l] = op.merge(acc[l], acc[l+w])
		}
	}
	return acc[0]
}

// reduceRuns reduces runs runs of n values, stride apart: lane = index in the run mod Lanes, every run starting at lane 0 and
// the lanes being kept from run to run; then the tree.
func reduceRuns(op ReduceOp, x []float32, runs, stride, n int, p float32) float32 {
	if f := current.vec.reduce; f != nil {
		if v, ok := f(op, x, runs, stride, n, p); ok {
			return v
		}
	}
	return reduceGeneric(current.Class, op, x, runs, stride, n, p)
}

func reduceGeneric(c Class, op ReduceOp, x []float32, runs, stride, n int, p float32) float32 {
	var acc [Lanes]float32
	for l := range acc {
		acc[l] = op.identity()
	}
	for r := range runs {
		run := x[r*stride : r*stride+n]
		if op == Sum {
			for i, v := range run {
				acc[i%Lanes] += v
			}
			continue
		}
		for i, v := range run {
			acc[i%Lanes] = c.step(op, acc[i%Lanes], v, p)
		}
	}
	return op.tree(&acc)
}

// ReduceInner reduces every row of x[rows,n]: dst[r] = op over x[r*n : r*n+n], in Lanes lanes and the tree.
func ReduceInner(op ReduceOp, dst, x []float32, rows, n int) {
	if f := current.vec.rowReduce; f != nil && rows > 0 && n > 0 {
		f(op, dst[:rows], x[:rows*n], rows, n)
		return
	}
	for r := range rows {
		dst[r] = reduceRuns(op, x[r*n:r*n+n], 1, n, n, 0)
	}
}

// ReduceOuter reduces x[rows,n] over its rows: dst[j] = op over r of x[r*n+j], sequentially in r from the reduction's
// empty value.
func ReduceOuter(op ReduceOp, dst, x []float32, rows, n int) {
	ReduceOuterStrided(op, dst, x, rows, n, n)
}

// ReduceOuterStrided is [ReduceOuter] with rows stride apart: dst[j] = op over r of x[r*stride+j], j < n. Columns may
// be split among threads.
func ReduceOuterStrided(op ReduceOp, dst, x []float32, rows, n, stride int) {
	dst = dst[:n]
	if f := current.vec.columns; f != nil && n >= 4 && rows > 0 && (n <= narrow || rows <= few) {
		f(op, dst, x[:(rows-1)*stride+n], rows, n, stride)
		return
	}
	id := op.identity()
	for j := range dst {
		dst[j] = id
	}
	if n < 4 && op == Sum { // in registers: a row has too little to do
		sumFew(dst, x, rows, stride)
		return
	}
	for r := range rows {
		ReduceRow(op, dst, x[r*stride:r*stride+n])
	}
}

// sumFew adds up to 3 columns to dst.
func sumFew(dst, x []float32, rows, stride int) {
	switch len(dst) {
	case 1:
		a := dst[0]
		for r := range rows {
			a += x[r*stride]
		}
		dst[0] = a
	case 2:
		a, b := dst[0], dst[1]
		for r := range rows {
			v := x[r*stride : r*stride+2]
			a, b = a+v[0], b+v[1]
		}
		dst[0], dst[1] = a, b
	case 3:
		a, b, c := dst[0], dst[1], dst[2]
		for r := range rows {
			v := x[r*stride : r*stride+3]
			a, b, c = a+v[0], b+v[1], c+v[2]
		}
		dst[0], dst[1], dst[2] = a, b, c
	}
}

// Columns are reduced in blocks from the top down where rows are narrow or few: elsewhere a block would visit too many pages, and
// the accumulators stay in memory, row after row.
const narrow, few = 512, 64

// ReduceRow takes one more row into acc: acc[j] = op(acc[j], x[j]) for every j of x.
func ReduceRow(op ReduceOp, acc, x []float32) {
	acc = acc[:len(x)]
	if f := current.vec.reduceRow; f != nil && f(op, acc, x) {
		return
	}
	c := current.Class
	for j, v := range x {
		acc[j] = c.step(op, acc[j], v, 0)
	}
}

// ReduceChannels reduces x[n,c,hw] over n and hw: dst[k] = op over x[i,k,:] for all images i. Within a channel the images
// follow one another: lane = position in hw mod Lanes, the lanes are kept from image to image, and the tree joins
// them once at the end.
func ReduceChannels(op ReduceOp, dst, x []float32, n, c, hw int) {
	ReduceChannelRange(op, dst, x, n, c, hw, 0, c)
}

// ReduceChannelRange is [ReduceChannels] for the channels from <= k < to, so that threads can share the work.
func ReduceChannelRange(op ReduceOp, dst, x []float32, n, c, hw, from, to int) {
	for k := from; k < to; k++ {
		if n == 0 || hw == 0 {
			dst[k] = op.identity()
			continue
		}
		dst[k] = reduceRuns(op, x[k*hw:], n, c*hw, hw, 0)
	}
}

// Dot returns the sum of a[i]*b[i] for every i of a: madd in Lanes lanes, then the tree.
func Dot(a, b []float32) float32 { return dotRuns(a, b, 1, len(a), len(a), 0) }

// DotChannels computes dst[k] = sum over x[i,k,:]*y[i,k,:] of two tensors [n,c,hw], in the order of [ReduceChannels].
func DotChannels(dst, x, y []float32, n, c, hw int) {
	for k := range c {
		dst[k] = 0
		if n > 0 && hw > 0 {
			dst[k] = dotRuns(x[k*hw:], y[k*hw:], n, c*hw, hw, 0)
		}
	}
}

// dotRuns is the sum of a*(b-p) over runs as in reduceRuns.
func dotRuns(a, b []float32, runs, stride, n int, p float32) float32 {
	if f := current.vec.dot; f != nil {
		return f(a, b, runs, stride, n, p)
	}
	return dotRunsGeneric(current.Class, a, b, runs, stride, n, p)
}

func dotRunsGeneric(c Class, a, b []float32, runs, stride, n int, p float32) float32 {
	var acc [Lanes]float32
	for r := range runs {
		x, y := a[r*stride:r*stride+n], b[r*stride:r*stride+n]
		for i, v := range x {
			acc[i%Lanes] = c.madd(v, y[i]-p, acc[i%Lanes])
		}
	}
	return Sum.tree(&acc)
}

// ReduceSlice is the number of elements of one slice of a long reduction.
const ReduceSlice = 4096

// ReduceSlices returns how many slices a reduction of n elements has: 1 to n/ReduceSlice rounded up.
func ReduceSlices(n int) int { return max(1, (n+ReduceSlice-1)/ReduceSlice) }

// ReducePartials computes partial[s] = op over slice s of x for from <= s < to. Slices, not threads, fix
// the order, so any split of the slices gives the same bits.
func ReducePartials(op ReduceOp, partial, x []float32, from, to int) {
	for s := from; s < to; s++ {
		run := x[s*ReduceSlice : min(len(x), (s+1)*ReduceSlice)]
		partial[s] = reduceRuns(op, run, 1, len(run), len(run), 0)
	}
}

// ReduceFinish joins the partial results of [ReducePartials] by the rule of a run.
func ReduceFinish(op ReduceOp, partial []float32) float32 {
	if op == SumSq || op == SumAbs {
		op = Sum
	}
	return reduceRuns(op, partial, 1, len(partial), len(partial), 0)
}

// SumSliced reduces a whole tensor: partial results over slices of ReduceSlice elements, joined by the rule of
// a run. partial is scratch of ReduceSlices(len(x)) elements.
func SumSliced(op ReduceOp, x, partial []float32) float32 {
	k := ReduceSlices(len(x))
	ReducePartials(op, partial, x, 0, k)
	return ReduceFinish(op, partial[:k])
}

// ArgMax returns the index of the first maximum of x, NaN counting as larger than every number; ArgMax of nothing is 0.
func ArgMax(x []float32) int {
	if len(x) >= Lanes && current.vec.reduce != nil {
		// A sum tells of NaNs; infinities of both signs may look like one.
		if s := reduceRuns(Sum, x, 1, len(x), len(x), 0); s == s {
			return indexOf(x, reduceRuns(ReduceMax, x, 1, len(x), len(x), 0))
		}
	}
	k := 0
	for i, v := range x {
		if v > x[k] || v != v && x[k] == x[k] {
			k = i
		}
	}
	return k
}

// ArgMin returns the index of the first minimum of x, NaN counting as smaller than every number.
func ArgMin(x []float32) int {
	if len(x) >= Lanes && current.vec.reduce != nil {
		if s := reduceRuns(Sum, x, 1, len(x), len(x), 0); s == s {
			return indexOf(x, reduceRuns(ReduceMin, x, 1, len(x), len(x), 0))
		}
	}
	k := 0
	for i, v := range x {
		if v < x[k] || v != v && x[k] == x[k] {
			k = i
		}
	}
	return k
}

// indexOf returns the index of the first element equal to v.
func indexOf(x []float32, v float32) int {
	for i, w := range x {
		if w == v {
			return i
		}
	}
	return 0
}
