// Package golden has what tests share that compare with files of another framework's results. The scripts that write these files, testdata/*.py, make
// the inputs and the weights by the same formula, so that the files hold results alone.
package golden

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

// Read reads testdata/NAME.json, which testdata/NAME.py, or the script that its test names, has written.
func Read(t testing.TB, name string, into any) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s.json: %v", name, err)
	}
}

// Hash is number i of stream seed.
func Hash(seed uint32, i int) uint32 {
	x := uint32(i) + seed*0x9e3779b9
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

// Unit is [Hash] as a number from 0 to 1, without 1, of 24 bits.
func Unit(seed uint32, i int) float64 { return float64(Hash(seed, i)>>8) / (1 << 24) }

// Tensor makes a tensor of what f makes of the stream's numbers.
func Tensor(dtype tensor.DType, seed uint32, shape []int, f func(u float64) float64) *tensor.Tensor {
	t := tensor.New(dtype, shape...)
	v := make([]float64, t.Len())
	for i := range v {
		v[i] = f(Unit(seed, i))
	}
	t.SetFloat64s(v)
	return t
}
