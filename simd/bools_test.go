package simd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// TestBools compares what makes and takes bytes of 0 and 1 with its meaning.
func TestBools(t *testing.T) {
	meaning := []func(a, b float32) bool{
		func(a, b float32) bool { return a == b }, func(a, b float32) bool { return a != b }, func(a, b float32) bool { return a < b },
		func(a, b float32) bool { return a <= b }, func(a, b float32) bool { return a > b }, func(a, b float32) bool { return a >= b },
	}
	eachSet(t, func(t *testing.T, _ string) {
		for _, n := range vecLengths() {
			r := rand.New(rand.NewPCG(5, uint64(n)))
			a, b := vecInput(r, n, n%5, true).s, vecInput(r, n, 1, true).s
			for i := range a {
				if r.IntN(3) == 0 {
					a[i] = b[i]
				}
			}
			all, want := make([]byte, n+8), make([]byte, n+8)
			check := func(what string, f func(a, b float32) bool, run func(dst []byte), other func(i int) float32) {
				for i := range all {
					all[i], want[i] = 7, 7
				}
				run(all[3 : n+3])
				for i, v := range a {
					want[3+i] = 0
					if f(v, other(i)) {
						want[3+i] = 1
					}
				}
				if !bytes.Equal(all, want) {
					t.Fatalf("%s of %d: %v, want %v", what, n, all, want)
				}
			}
			for op, f := range meaning {
				check(fmt.Sprint("comparison ", op), f, func(dst []byte) { simd.Compare(simd.CmpOp(op), dst, a, b) }, func(i int) float32 { return b[i] })
				s := a[n/2:]
				if n > 0 && s[0] == s[0] {
					check(fmt.Sprint("comparison with a number ", op), f, func(dst []byte) { simd.CompareScalar(simd.CmpOp(op), dst, a, s[0]) }, func(int) float32 { return s[0] })
				}
			}
			cond := make([]byte, n)
			for i := range cond {
				cond[i] = byte(r.IntN(3))
			}
			got, from := newGuarded(n, 2), newGuarded(n, 1)
			simd.Select(got.s, cond, a, b)
			simd.FromBool(from.s, cond, 1.5, -2)
			for i, k := range cond {
				v, w := b[i], float32(-2)
				if k != 0 {
					v, w = a[i], 1.5
				}
				sameVecBits(t, "selection", got.s[i:i+1], []float32{v})
				sameVecBits(t, "numbers", from.s[i:i+1], []float32{w})
			}
			for _, g := range []*guarded{got, from} {
				for i, v := range g.all {
					if (i < g.off || i >= g.off+n) && v != guard {
						t.Fatalf("%d elements: wrote outside, at %d", n, i-g.off)
					}
				}
			}
		}
	})
}
