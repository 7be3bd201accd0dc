package simd_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// TestRecurrentCells compares the cells of every set with the generic ones, with and without states before.
func TestRecurrentCells(t *testing.T) {
	const rows = 3
	eachSet(t, func(t *testing.T, oracle string) {
		name := simd.Current().Name
		for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 64, 100} {
			for _, prev := range []bool{true, false} {
				run := func() [][]float32 {
					r := rand.New(rand.NewPCG(5, uint64(n)))
					random := func(of int) []float32 { return slices.Clone(vecInput(r, rows*of*n, 0, true).s) }
					var before []float32
					if prev {
						before = random(1)
					}
					outs := make([][]float32, 12)
					for i := range outs {
						outs[i] = random(1)
					}
					lstm, dLSTM := random(4), random(4)
					simd.LSTMCell(lstm, before, outs[0], outs[1], rows, n)
					simd.LSTMCellGrad(dLSTM, lstm, before, outs[0], outs[2], outs[3], rows, n)
					gru, gruQ, dGRU, dReset := random(3), random(3), random(3), random(3)
					simd.GRUGates(gru, rows, n)
					simd.GRUCell(gru, nil, before, outs[4], rows, n)
					simd.GRUGates(gruQ, rows, n)
					simd.GRUCell(gruQ, outs[5], before, outs[6], rows, n)
					simd.GRUCellGrad(dGRU, gru, before, outs[7], rows, n)
					simd.GRUStateGrad(dGRU, outs[7], gru, before, outs[8], rows, n)
					simd.GRUCellGrad(dReset, gruQ, before, outs[9], rows, n)
					simd.GRUResetGrad(dReset, outs[10], gruQ, outs[5], rows, n)
					return append(outs, lstm, dLSTM, gru, gruQ, dGRU, dReset)
				}
				use(t, oracle)
				want := run()
				use(t, name)
				for i, v := range run() {
					sameVecBits(t, fmt.Sprintf("n=%d, states before: %v, result %d", n, prev, i), v, want[i])
				}
			}
		}
	})
}
