package metric

// What accumulators hold, as numbers, so that an interrupted run can go on with them. Each RestoreState takes exactly what
// AppendState appended and returns what follows; ok is false, and the accumulator unchanged, when the numbers do not fit.

// AppendState appends the counts.
func (a *Accuracy) AppendState(dst []float64) []float64 {
	return append(dst, float64(a.correct), float64(a.total))
}

// RestoreState reads what AppendState wrote.
func (a *Accuracy) RestoreState(v []float64) (rest []float64, ok bool) {
	if len(v) < 2 || !(v[0] >= 0 && v[0] <= v[1]) {
		return v, false
	}
	a.correct, a.total = int(v[0]), int(v[1])
	return v[2:], true
}

// AppendState appends the counts.
func (a *TopK) AppendState(dst []float64) []float64 {
	return append(dst, float64(a.correct), float64(a.total))
}

// RestoreState reads what AppendState wrote.
func (a *TopK) RestoreState(v []float64) (rest []float64, ok bool) {
	if len(v) < 2 || !(v[0] >= 0 && v[0] <= v[1]) {
		return v, false
	}
	a.correct, a.total = int(v[0]), int(v[1])
	return v[2:], true
}

// AppendState appends the matrix.
func (c *Confusion) AppendState(dst []float64) []float64 {
	for _, n := range c.m {
		dst = append(dst, float64(n))
	}
	return dst
}

// RestoreState reads what AppendState wrote.
func (c *Confusion) RestoreState(v []float64) (rest []float64, ok bool) {
	if len(v) < len(c.m) {
		return v, false
	}
	for _, n := range v[:len(c.m)] {
		if !(n >= 0 && n <= 1<<53) {
			return v, false
		}
	}
	c.total = 0
	for i := range c.m {
		c.m[i] = int(v[i])
		c.total += c.m[i]
	}
	return v[len(c.m):], true
}

// AppendState appends the scores.
func (a *AUC) AppendState(dst []float64) []float64 {
	dst = append(dst, float64(len(a.scores)))
	for i, s := range a.scores {
		l := 0.0
		if a.pos[i] {
			l = 1
		}
		dst = append(dst, float64(s), l)
	}
	return dst
}

// RestoreState reads what AppendState wrote.
func (a *AUC) RestoreState(v []float64) (rest []float64, ok bool) {
	if len(v) < 1 || !(v[0] >= 0 && v[0] <= float64(len(v)-1)/2) {
		return v, false
	}
	n := int(v[0])
	v = v[1:]
	a.Reset()
	for i := range n {
		a.scores, a.pos = append(a.scores, float32(v[2*i])), append(a.pos, v[2*i+1] != 0)
	}
	return v[2*n:], true
}

// AppendState appends the scores.
func (a *MultiAUC) AppendState(dst []float64) []float64 {
	dst = append(dst, float64(len(a.labels)))
	for i, l := range a.labels {
		dst = append(dst, float64(l))
		for _, s := range a.scores[i*a.classes : (i+1)*a.classes] {
			dst = append(dst, float64(s))
		}
	}
	return dst
}

// RestoreState reads what AppendState wrote.
func (a *MultiAUC) RestoreState(v []float64) (rest []float64, ok bool) {
	w := 1 + a.classes
	if len(v) < 1 || !(v[0] >= 0 && v[0] <= float64((len(v)-1)/w)) {
		return v, false
	}
	n := int(v[0])
	v = v[1:]
	for i := range n {
		if l := v[i*w]; !(l >= 0 && l < float64(a.classes)) {
			return v, false
		}
	}
	a.Reset()
	for i := range n {
		a.labels = append(a.labels, int64(v[i*w]))
		for _, s := range v[i*w+1 : (i+1)*w] {
			a.scores = append(a.scores, float32(s))
		}
	}
	return v[n*w:], true
}

// AppendState appends the sums.
func (r *Regression) AppendState(dst []float64) []float64 {
	return append(dst, float64(r.n), r.abs, r.sq, r.mean, r.m2, float64(r.min), float64(r.max))
}

// RestoreState reads what AppendState wrote.
func (r *Regression) RestoreState(v []float64) (rest []float64, ok bool) {
	if len(v) < 7 || !(v[0] >= 0 && v[0] <= 1<<53) {
		return v, false
	}
	*r = Regression{n: int(v[0]), abs: v[1], sq: v[2], mean: v[3], m2: v[4], min: float32(v[5]), max: float32(v[6])}
	return v[7:], true
}
