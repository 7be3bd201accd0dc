package sample

// Refused functions use what gowasm does not compile.

var sink *int64

func Heap(x []float32, n, out []int64) { sink = new(int64) }

func Append(x []float32, n, out []int64) { out[0] = int64(len(append(n, 1))) }

func Map(x []float32, n, out []int64) { out[0] = map[int64]int64{1: 2}[n[0]] }

func Interface(x []float32, n, out []int64) {
	var v any = n[0]
	out[0] = v.(int64)
}

func Defer(x []float32, n, out []int64) {
	defer clear(out)
	out[0] = 1
}

func Outlives(x []float32, n, out []int64) { out[0] = *escape(n[0]) }

func escape(v int64) *int64 { return &v }

type holder struct{ f func() int64 }

var kept holder

func Unknown(x []float32, n, out []int64) { out[0] = kept.f() }

func Keep(one bool) {
	kept.f = func() int64 { return 2 }
	if one {
		kept.f = func() int64 { return 1 }
	}
}

var written int64

func Written(x []float32, n, out []int64) { out[0] = written }

func Write(v int64) { written = v }
