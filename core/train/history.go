package train

// historyEvery is the number of steps that one point of the training curve averages.
const historyEvery = 50

// Point is one point of a curve.
type Point struct {
	Step     int // steps done
	Loss     float64
	Accuracy float64
}

// History holds the curves of a run: training loss and accuracy averaged over stretches of 50 steps, and what was measured on
// validation data.
type History struct {
	Train      []Point
	Validation []Point

	sum   float64 // of the stretch that is under way
	right int
	seen  int
	steps int
}

func (h *History) add(step int, loss float64, correct, n int) {
	h.sum += loss
	h.right += correct
	h.seen += n
	h.steps++
	if h.steps == historyEvery {
		h.Train = append(h.Train, Point{step, h.sum / float64(h.steps), float64(h.right) / float64(h.seen)})
		h.sum, h.right, h.seen, h.steps = 0, 0, 0, 0
	}
}

// encode returns the history as numbers, for checkpoints.
func (h *History) encode() []float64 {
	v := []float64{h.sum, float64(h.right), float64(h.seen), float64(h.steps), float64(len(h.Train))}
	for _, c := range [][]Point{h.Train, h.Validation} {
		for _, p := range c {
			v = append(v, float64(p.Step), p.Loss, p.Accuracy)
		}
	}
	return v
}

func (h *History) decode(v []float64) bool {
	if len(v) < 5 || (len(v)-5)%3 != 0 || v[4] < 0 || int(v[4]) > (len(v)-5)/3 {
		return false
	}
	*h = History{sum: v[0], right: int(v[1]), seen: int(v[2]), steps: int(v[3])}
	n := int(v[4])
	for i := 5; i < len(v); i += 3 {
		p := Point{int(v[i]), v[i+1], v[i+2]}
		if (i-5)/3 < n {
			h.Train = append(h.Train, p)
		} else {
			h.Validation = append(h.Validation, p)
		}
	}
	return true
}
