package simd_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/weft-ml/weft/simd"
)

// FuzzVec runs a vector kernel on arbitrary bits in every set and compares it with the generic version of the class.
func FuzzVec(f *testing.F) {
	f.Add(uint8(10), uint8(3), []byte("0123456789abcdef0123456789abcdef0123456789abcdef"))
	f.Add(uint8(70), uint8(0), make([]byte, 4*67))
	was := simd.Current().Name
	cases := vecCases()
	f.Fuzz(func(t *testing.T, which, off uint8, data []byte) {
		defer use(t, was)
		c := &cases[int(which)%len(cases)]
		n := len(data) / 4
		if n == 0 || n > 4096 {
			t.Skip()
		}
		values := make([]float32, 2*n)
		for i := range values {
			values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[i%n*4:]))
		}
		run := func() ([][]float32, float32) {
			var in, out [][]float32
			for i := range c.ins { // operands are rotations of one another
				x := make([]float32, n+8)[int(off)%8:][:n]
				copy(x, values[i*7%n:])
				in = append(in, x)
			}
			for i := range c.outs {
				out = append(out, make([]float32, n))
				if c.inOut {
					copy(out[i], in[i])
				}
			}
			v := c.run(in, out)
			return out, v
		}
		for _, k := range simd.All() {
			if !k.Available() {
				continue
			}
			oracle := "generic"
			if k.Class == simd.MulAdd {
				oracle = "generic-muladd"
			}
			use(t, oracle)
			want, wantV := run()
			use(t, k.Name)
			got, gotV := run()
			for i := range want {
				sameVecBits(t, fmt.Sprintf("%s: %s, output %d", k.Name, c.name, i), got[i], want[i])
			}
			sameVecBits(t, k.Name+": "+c.name, []float32{gotV}, []float32{wantV})
		}
	})
}
