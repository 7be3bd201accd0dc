package api

// handleTable holds handles by the ids that the caller chooses. A caller that takes small numbers, and takes them again, is answered
// from an array.
type handleTable struct {
	low  []handle
	high map[uint64]handle
	n    int
}

// lowIDs bounds the ids that the array holds.
const lowIDs = 1 << 16

// get returns the handle of an id, nil when there is none.
func (t *handleTable) get(id uint64) handle {
	if id < uint64(len(t.low)) {
		return t.low[id]
	}
	return t.high[id]
}

// set gives an id a handle; nil takes it away.
func (t *handleTable) set(id uint64, h handle) {
	old := t.get(id)
	switch {
	case old == nil && h != nil:
		t.n++
	case old != nil && h == nil:
		t.n--
	}
	switch {
	case id < uint64(len(t.low)):
		t.low[id] = h
	case h == nil:
		delete(t.high, id)
	case id < lowIDs && id < uint64(2*t.n+64): // never much larger than what is in use
		t.low = append(t.low, make([]handle, int(id)+1-len(t.low))...)
		t.low[id] = h
		for k, x := range t.high {
			if k < uint64(len(t.low)) {
				t.low[k] = x
				delete(t.high, k)
			}
		}
	default:
		if t.high == nil {
			t.high = map[uint64]handle{}
		}
		t.high[id] = h
	}
}

// all yields every handle; handles may be taken away meanwhile.
func (t *handleTable) all(yield func(id uint64, h handle) bool) {
	for id, h := range t.low {
		if h != nil && !yield(uint64(id), h) {
			return
		}
	}
	for id, h := range t.high {
		if !yield(id, h) {
			return
		}
	}
}
