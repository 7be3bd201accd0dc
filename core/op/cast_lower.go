package op

import (
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/prog"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/simd"
)

// A step of Cast: A = {out, x}, N = {elements, from, to}. The pairs are those of float32 and the integer types that graphs convert on their
// way in and out; the rest runs the reference evaluation.
var kCast = prog.Kernel{Name: "Cast", Run: runCast}

func castable(d tensor.DType) bool {
	switch d {
	case tensor.Float32, tensor.Float64, tensor.Int64, tensor.Int32, tensor.Int8, tensor.Uint8, tensor.Bool:
		return true
	}
	return false
}

func lowerCast(b graph.Builder, n *graph.Node) bool {
	from, to := b.InType(0), b.OutType(0)
	size := tensor.Size(b.InShape(0))
	if !castable(from) || !castable(to) || size >= 1<<31 {
		return false
	}
	if size == 0 {
		return true
	}
	s := prog.Step{Kernel: &kCast, Tiles: elemTiles(size)}
	s.A[0], s.A[1] = b.Out(0), b.In(0)
	s.N[0], s.N[1], s.N[2] = int32(size), int32(from), int32(to)
	b.Emit(s)
	return true
}

func runCast(w *prog.Worker, s *prog.Step, tile int) {
	lo, hi := prog.Span(int(s.N[0]), 64, tile, int(s.Tiles))
	from, to := tensor.DType(s.N[1]), tensor.DType(s.N[2])
	x := w.Bytes(s.A[1].Add(from.Bytes(lo)), from.Bytes(hi-lo))
	y := w.Bytes(s.A[0].Add(to.Bytes(lo)), to.Bytes(hi-lo))
	switch {
	case from == tensor.Bool && to == tensor.Float32:
		simd.FromBool(tensor.Cast[float32](y), x, 1, 0)
		return
	case from == tensor.Float32 && to == tensor.Bool:
		simd.CompareScalar(simd.NotEqual, y, tensor.Cast[float32](x), 0)
		return
	}
	switch from {
	case tensor.Float32:
		castReal(y, to, tensor.Cast[float32](x))
	case tensor.Float64:
		castReal(y, to, tensor.Cast[float64](x))
	case tensor.Int64:
		castInt(y, to, tensor.Cast[int64](x))
	case tensor.Int32:
		castInt(y, to, tensor.Cast[int32](x))
	case tensor.Int8:
		castInt(y, to, tensor.Cast[int8](x))
	default:
		castInt(y, to, x)
	}
}

// truncate rounds toward zero; NaN becomes 0, and what does not fit the nearest integer that does.
func truncate[S float32 | float64](v S) int64 {
	switch {
	case v != v:
		return 0
	case v >= 1<<63:
		return 1<<63 - 1
	case v <= -1<<63:
		return -1 << 63
	}
	return int64(v)
}

// castReal converts floating-point numbers; on the way to integers by int64, as the reference does.
func castReal[S float32 | float64](y []byte, to tensor.DType, x []S) {
	switch to {
	case tensor.Float32:
		for i, d := 0, tensor.Cast[float32](y); i < len(x); i++ {
			d[i] = float32(x[i])
		}
	case tensor.Float64:
		for i, d := 0, tensor.Cast[float64](y); i < len(x); i++ {
			d[i] = float64(x[i])
		}
	case tensor.Bool:
		for i, v := range x {
			y[i] = byte(toBool(v != 0))
		}
	case tensor.Int64:
		for i, d := 0, tensor.Cast[int64](y); i < len(x); i++ {
			d[i] = truncate(x[i])
		}
	case tensor.Int32:
		for i, d := 0, tensor.Cast[int32](y); i < len(x); i++ {
			d[i] = int32(truncate(x[i]))
		}
	default:
		for i, v := range x {
			y[i] = byte(truncate(v))
		}
	}
}

// castInt converts integers, which wrap to the target's width.
func castInt[S int64 | int32 | int8 | uint8](y []byte, to tensor.DType, x []S) {
	switch to {
	case tensor.Float32:
		for i, d := 0, tensor.Cast[float32](y); i < len(x); i++ {
			d[i] = float32(float64(x[i])) // rounded as the reference does
		}
	case tensor.Float64:
		for i, d := 0, tensor.Cast[float64](y); i < len(x); i++ {
			d[i] = float64(x[i])
		}
	case tensor.Bool:
		for i, v := range x {
			y[i] = byte(toBool(v != 0))
		}
	case tensor.Int64:
		for i, d := 0, tensor.Cast[int64](y); i < len(x); i++ {
			d[i] = int64(x[i])
		}
	case tensor.Int32:
		for i, d := 0, tensor.Cast[int32](y); i < len(x); i++ {
			d[i] = int32(x[i])
		}
	default:
		for i, v := range x {
			y[i] = byte(v)
		}
	}
}
