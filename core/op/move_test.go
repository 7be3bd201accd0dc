package op_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
)

// TestTransposeEveryPermutation compares compiled transpositions with the reference: every order of four dimensions, elements of every width,
// tensors of several tiles.
func TestTransposeEveryPermutation(t *testing.T) {
	rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 3})
	defer rt.Close()
	perms := [][]int{{0}}
	for n := 1; n < 4; n++ {
		var next [][]int
		for _, p := range perms {
			for at := range n + 1 {
				next = append(next, append(append(append([]int{}, p[:at]...), n), p[at:]...))
			}
		}
		perms = next
	}
	r := rand.New(rand.NewSource(1))
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Float16, tensor.Float32, tensor.Int64, tensor.Complex128} {
		for _, shape := range [][]int{{3, 2, 5, 7}, {4, 70, 9, 67}, {1, 130, 300, 2}} {
			x := tensor.New(d, shape...)
			r.Read(x.Bytes())
			for _, perm := range perms {
				t.Run(fmt.Sprint(d, shape, perm), func(t *testing.T) {
					g := graph.New()
					g.Output(op.Transpose(g.Input("x", d, shape...), perm...))
					want, err := graph.Eval(g, nil, []*tensor.Tensor{x}, nil)
					if err != nil {
						t.Fatal(err)
					}
					p, err := compile.Compile(rt, g, nil, compile.Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer p.Close()
					got, err := p.Run(x)
					if err != nil {
						t.Fatal(err)
					}
					if !bytes.Equal(got[0].Bytes(), want[0].Contiguous().Bytes()) {
						t.Error("compiled and reference differ")
					}
				})
			}
		}
	}
}
