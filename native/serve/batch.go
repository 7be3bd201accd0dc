package serve

import (
	"bytes"
	"fmt"

	"github.com/weft-ml/weft/core/tensor"
)

// checkBatch returns an error when rows of requests cannot be computed together: the first dimension of every input and output must be one
// symbol that stands nowhere else, and what a row gives must not depend, in any bit, on the rows beside it.
func (m *Model) checkBatch() error {
	refuse := func(why string) error {
		return fmt.Errorf("weft: serve: requests to %s cannot be batched: %s; serve it without batches", m.name, why)
	}
	if len(m.g.Inputs) == 0 {
		return refuse("it has no inputs")
	}
	symbol := 0
	for i, v := range append(m.g.Inputs[:len(m.g.Inputs):len(m.g.Inputs)], m.g.Outputs...) {
		if !v.HasRank || len(v.Shape) == 0 || m.g.SymbolName(v.Shape[0]) == "" || i > 0 && v.Shape[0] != symbol {
			return refuse(fmt.Sprintf("%q is %s; the first dimension of all inputs and outputs must be the same symbol", v.Name, m.g.ShapeString(v.Shape)))
		}
		symbol = v.Shape[0]
		for _, d := range v.Shape[1:] {
			if d == symbol {
				return refuse(fmt.Sprintf("%q is %s, with the same symbol twice", v.Name, m.g.ShapeString(v.Shape)))
			}
		}
	}
	for _, n := range []int{2, m.batch} {
		if why := m.compareRows(n); why != "" {
			return refuse(why)
		}
	}
	return nil
}

// compareRows computes n rows together and alone and says what differs, "" when nothing does.
func (m *Model) compareRows(n int) string {
	in := m.zeros(1)
	for i, t := range in {
		shape := append([]int{n}, t.Shape()[1:]...)
		in[i] = tensor.New(t.DType(), shape...)
		v := make([]float64, in[i].Len())
		for k := range v {
			v[k] = float64((k*7 + k/13 + i) % 11) // small whole numbers: indices, too, may be
			if t.DType().IsFloat() {
				v[k] = v[k]/8 - 0.5
			}
			if t.DType() == tensor.Bool || !t.DType().IsFloat() {
				v[k] = float64(int(v[k]) % 2)
			}
		}
		in[i].SetFloat64s(v)
	}
	whole, err := m.program.Run(in...)
	if err != nil {
		return "a trial failed: " + err.Error()
	}
	outs := make([][]byte, len(whole))
	for i, t := range whole {
		if t.Rank() == 0 || t.Shape()[0] != n {
			return fmt.Sprintf("%d rows give an output %q of %s", n, m.spec.Outputs[i].Name, tensor.ShapeString(t.Shape()))
		}
		outs[i] = bytes.Clone(t.Bytes())
	}
	row := make([]*tensor.Tensor, len(in))
	for r := range n {
		for i, t := range in {
			row[i] = t.Slice(0, r, r+1, 1).Clone()
		}
		alone, err := m.program.Run(row...)
		if err != nil {
			return "a trial failed: " + err.Error()
		}
		for i, t := range alone {
			size := len(outs[i]) / n
			if !bytes.Equal(t.Bytes(), outs[i][r*size:(r+1)*size]) {
				return fmt.Sprintf("output %q of a row depends on the rows beside it", m.spec.Outputs[i].Name)
			}
		}
	}
	return ""
}
