package serve

import (
	"bytes"
	"fmt"
	"slices"

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
	if why := m.compareRows(); why != "" {
		return refuse(why)
	}
	return nil
}

// trialSizes are batches that are tried besides the largest: kernels are chosen by the number of rows.
var trialSizes = []int{2, 3, 5, 8, 16}

// compareRows computes rows alone and in batches of several sizes, and says what differs, "" when nothing does.
func (m *Model) compareRows() string {
	in := m.zeros(1)
	for i, t := range in {
		in[i] = tensor.New(t.DType(), append([]int{m.batch}, t.Shape()[1:]...)...)
		v := make([]float64, in[i].Len())
		for k := range v {
			if v[k] = float64((k*7 + k/13 + i) % 11); t.DType().IsFloat() {
				v[k] = v[k]/8 - 0.5
			} else {
				v[k] = float64(int(v[k]) % 2) // as indices, too, may be
			}
		}
		in[i].SetFloat64s(v)
	}
	part := make([]*tensor.Tensor, len(in))
	run := func(first, n int) ([]*tensor.Tensor, string) {
		for i, t := range in {
			part[i] = t.Slice(0, first, first+n, 1).Clone()
		}
		out, err := m.program.Run(part...)
		if err != nil {
			return nil, "a trial failed: " + err.Error()
		}
		for i, t := range out {
			if t.Rank() == 0 || t.Shape()[0] != n {
				return nil, fmt.Sprintf("%d rows give an output %q of %s", n, m.spec.Outputs[i].Name, tensor.ShapeString(t.Shape()))
			}
		}
		return out, ""
	}
	alone := make([][]byte, len(m.spec.Outputs)) // of all rows, one behind the other
	for r := range m.batch {
		out, why := run(r, 1)
		if why != "" {
			return why
		}
		for i, t := range out {
			alone[i] = append(alone[i], t.Bytes()...)
		}
	}
	for _, n := range append(slices.Clone(trialSizes), m.batch) {
		if n > m.batch {
			continue
		}
		out, why := run(m.batch-n, n)
		if why != "" {
			return why
		}
		for i, t := range out {
			if !bytes.HasSuffix(alone[i], t.Bytes()) {
				return fmt.Sprintf("output %q of a row depends on the rows beside it", m.spec.Outputs[i].Name)
			}
		}
	}
	return ""
}
