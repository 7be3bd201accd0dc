package op

import (
	"math"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/tensor"
)

// headOf returns where head h of sample b starts in an operand of attention, and the distance between its rows.
func headOf(shape []int, heads, b, h int) (at, row int) {
	if len(shape) == 3 {
		size := shape[2] / heads
		return b*shape[1]*shape[2] + h*size, shape[2]
	}
	return (b*shape[1] + h) * shape[2] * shape[3], shape[3]
}

// appended returns [batch, heads, past+new, size] of an operand of attention and the past, which may be nil.
func appended(x *tensor.Tensor, past *tensor.Tensor, heads int) ([]float64, []int) {
	sh, v := x.Shape(), x.Float64s()
	batch, seq, size, before := sh[0], sh[1], 0, 0
	if len(sh) == 4 {
		seq, size = sh[2], sh[3]
	} else {
		size = sh[2] / heads
	}
	var old []float64
	if past != nil {
		old, before = past.Float64s(), past.Shape()[2]
	}
	out := make([]float64, 0, batch*heads*(before+seq)*size)
	for b := range batch {
		for h := range heads {
			if past != nil {
				out = append(out, old[(b*heads+h)*before*size:][:before*size]...)
			}
			at, row := headOf(sh, heads, b, h)
			for s := range seq {
				out = append(out, v[at+s*row:][:size]...)
			}
		}
	}
	return out, []int{batch, heads, before + seq, size}
}

func refAttention(c *graph.RefCtx) {
	n := c.Node
	var pastShape []int
	pastK, pastV := inputAt(c, attnPastK), inputAt(c, attnPastV)
	if pastK != nil {
		pastShape = pastK.Shape()
	}
	qShape := c.In[attnQ].Shape()
	s := attnDims(n, qShape, c.In[attnK].Shape(), c.In[attnV].Shape(), pastShape, c.Fail)
	q := c.In[attnQ].Float64s()
	k, kShape := appended(c.In[attnK], pastK, s.kvHeads)
	v, vShape := appended(c.In[attnV], pastV, s.kvHeads)
	scale, softcap, mode := attnScale(n, s.size), float64(n.Float("softcap")), n.Int("qk_matmul_output_mode")
	bias := refAttnBias(c, &s)
	y := make([]float64, s.batch*s.queries*s.heads*s.valueSize)
	scores := make([]float64, 0, s.batch*s.heads*s.queries*s.keys)
	lse := make([]float64, 0, s.batch*s.heads*s.queries)
	row := make([]float64, s.keys)
	for b := range s.batch {
		for h := range s.heads {
			g := h / (s.heads / s.kvHeads)
			qAt, qRow := headOf(qShape, s.heads, b, h)
			yAt, yRow := headOf(s.out(), s.heads, b, h)
			kAt, kRow := headOf(kShape, s.kvHeads, b, g)
			vAt, vRow := headOf(vShape, s.kvHeads, b, g)
			for i := range s.queries {
				keep := func(at int) {
					if mode == at {
						scores = append(scores, row...)
					}
				}
				for j := range row {
					row[j] = 0
					for e := range s.size {
						row[j] += q[qAt+i*qRow+e] * k[kAt+j*kRow+e]
					}
					row[j] *= scale
				}
				keep(0)
				if softcap > 0 {
					for j := range row {
						row[j] = softcap * math.Tanh(row[j]/softcap)
					}
				}
				keep(1)
				for j := range row {
					row[j] += bias(b, h, i, j)
				}
				keep(2)
				lse = append(lse, attnProbabilities(row))
				keep(3)
				for j, p := range row {
					for e := range s.valueSize {
						y[yAt+i*yRow+e] += p * v[vAt+j*vRow+e]
					}
				}
			}
		}
	}
	for i, out := range [][]float64{attnY: y, attnPresentK: k, attnPresentV: v, attnScores: scores, attnLSE: lse} {
		if c.Wants(i) {
			c.Out[i].SetFloat64s(out)
		}
	}
}

// attnProbabilities replaces scores by their softmax, by zeros where all are -Inf, and returns the logarithm of the sum of their exponentials, +Inf
// for the latter.
func attnProbabilities(row []float64) float64 {
	m, sum := math.Inf(-1), 0.0
	for _, v := range row {
		m = max(m, v)
	}
	if math.IsInf(m, -1) {
		clear(row)
		return math.Inf(1)
	}
	for j, v := range row {
		row[j] = math.Exp(v - m)
		sum += row[j]
	}
	for j := range row {
		row[j] /= sum
	}
	return m + math.Log(sum)
}

// refAttnBias returns what is added to the score of sample b, head h, query i and key j.
func refAttnBias(c *graph.RefCtx, s *attnShape) func(b, h, i, j int) float64 {
	var mask []float64
	var ms []int
	maskKeys, isBool := s.keys, false
	if m := inputAt(c, attnMask); m != nil {
		sh := append([]int{1, 1, 1, 1}[m.Rank():], m.Shape()...)
		mask, maskKeys, isBool = m.Float64s(), sh[3], m.DType() == tensor.Bool
		ms = tensor.BroadcastStrides(sh, []int{s.batch, s.heads, s.queries, sh[3]})
		if sh[3] == 1 {
			ms[3] = 0
		}
	}
	var lengths []int64
	if l := inputAt(c, attnLength); l != nil {
		lengths = l.Int64sOf()
	}
	causal := c.Node.Int("is_causal") != 0
	hidden := math.Inf(-1)
	return func(b, h, i, j int) float64 {
		offset := s.past
		if lengths != nil {
			if int64(j) >= lengths[b] {
				return hidden
			}
			if !c.Has(attnPastK) {
				offset = int(lengths[b]) - s.queries
			}
		}
		if causal && j > i+offset || j >= maskKeys {
			return hidden
		}
		if mask == nil {
			return 0
		}
		v := mask[b*ms[0]+h*ms[1]+i*ms[2]+j*ms[3]]
		switch {
		case isBool && v == 0:
			return hidden
		case isBool:
			return 0
		}
		return v
	}
}
