package text

import (
	"math"
	"sort"

	"github.com/weft-ml/weft/core/internal/detmath"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
)

// Sampling says how the next token is drawn from a model's logits. The zero value draws from the model's own distribution.
type Sampling struct {
	// Temperature divides the logits: below 1 likely tokens become likelier. 0 means 1; Greedy takes the likeliest.
	Temperature float64
	Greedy      bool
	TopK        int     // only the K likeliest; 0: all
	TopP        float64 // only the likeliest that together have this probability (Holtzman et al., ICLR 2020); 0: all
	Seed        uint64
}

func (s Sampling) check() error {
	switch {
	case !(s.Temperature >= 0) || math.IsInf(s.Temperature, 0):
		return tensor.Err("text", "the temperature must be a number of 0 or more, not ", s.Temperature)
	case s.TopK < 0:
		return tensor.Err("text", "top-k must be 0 (all) or more, not ", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return tensor.Err("text", "top-p must be 0 (all) to 1, not ", s.TopP)
	}
	return nil
}

// sampler draws tokens. Ties are broken by the lower number, arithmetic is the same on every target: equal logits and seeds give equal texts.
type sampler struct {
	Sampling
	rng   random.Source
	order []int
	p     []float64
}

// samplingStream is the random stream that tokens are drawn from.
const samplingStream = 0x7e87

func newSampler(s Sampling) sampler {
	if s.Temperature == 0 {
		s.Temperature = 1
	}
	return sampler{Sampling: s, rng: random.New(s.Seed, samplingStream)}
}

// next draws a token.
func (s *sampler) next(logits []float32) (int64, error) {
	best := 0
	for i, v := range logits {
		if v != v {
			return 0, tensor.Err("text", "the model's logit of token ", i, " is NaN; its weights are broken").With(tensor.CodeNaN)
		}
		if v > logits[best] {
			best = i
		}
	}
	if s.Greedy {
		return int64(best), nil
	}
	s.order, s.p = s.order[:0], s.p[:0]
	for i := range logits {
		s.order = append(s.order, i)
	}
	if s.TopK > 0 || s.TopP > 0 {
		sort.SliceStable(s.order, func(a, b int) bool { return logits[s.order[a]] > logits[s.order[b]] })
		if s.TopK > 0 && s.TopK < len(s.order) {
			s.order = s.order[:s.TopK]
		}
	}
	sum := 0.0
	for _, i := range s.order {
		e := detmath.Exp((float64(logits[i]) - float64(logits[best])) / s.Temperature)
		s.p = append(s.p, e)
		sum += e
	}
	if s.TopP > 0 {
		kept, n := 0.0, 0
		for n < len(s.p) && kept < s.TopP*sum {
			kept += s.p[n]
			n++
		}
		s.order, s.p, sum = s.order[:n], s.p[:n], kept
	}
	u := s.rng.Float64() * sum
	for k, e := range s.p {
		if u -= e; u < 0 {
			return int64(s.order[k]), nil
		}
	}
	return int64(best), nil // rounding left something over, or the likeliest is infinite
}
