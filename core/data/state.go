package data

import "strconv"

// State is a position in a Loader's batches together with the settings that decide what those
// batches are, for checkpoints.
type State struct {
	Seed      uint64
	Samples   int // of the source
	BatchSize int
	Shuffle   bool
	DropLast  bool
	Epoch     int // of the next batch
	Index     int // of the next batch in its epoch
}

// State returns the position after the last batch that Next delivered; batches prepared ahead do
// not count.
func (l *Loader) State() State {
	return State{l.opt.Seed, l.n, l.opt.BatchSize, l.opt.Shuffle, l.opt.DropLast, l.epoch, l.index}
}

// Restore moves to a saved position. A state of other settings or another number of samples is an
// error that names the difference: the batches would not be the same.
func (l *Loader) Restore(s State) error {
	have := l.State()
	differ := func(what, saved, now string) error {
		return failure("Restore", "the saved state has "+what+" "+saved+", this loader "+now+": resume with the same settings and data")
	}
	switch {
	case s.Samples != have.Samples:
		return differ("samples", strconv.Itoa(s.Samples), strconv.Itoa(have.Samples))
	case s.BatchSize != have.BatchSize:
		return differ("batch size", strconv.Itoa(s.BatchSize), strconv.Itoa(have.BatchSize))
	case s.Shuffle != have.Shuffle:
		return differ("shuffle", strconv.FormatBool(s.Shuffle), strconv.FormatBool(have.Shuffle))
	case s.Shuffle && s.Seed != have.Seed:
		return differ("seed", strconv.FormatUint(s.Seed, 10), strconv.FormatUint(have.Seed, 10))
	case s.DropLast != have.DropLast:
		return differ("drop-last", strconv.FormatBool(s.DropLast), strconv.FormatBool(have.DropLast))
	}
	return l.Seek(s.Epoch, s.Index)
}

// stateLen is the length of a marshalled State: version, flags, five numbers of 64 bits.
const stateLen = 2 + 5*8

const stateVersion = 1

// MarshalBinary returns the state as 42 bytes: version 1, flags (1 shuffle, 2 drop-last), then
// seed, samples, batch size, epoch and index, little-endian.
func (s State) MarshalBinary() ([]byte, error) {
	b := make([]byte, 2, stateLen)
	b[0] = stateVersion
	if s.Shuffle {
		b[1] |= 1
	}
	if s.DropLast {
		b[1] |= 2
	}
	for _, v := range [5]uint64{s.Seed, uint64(s.Samples), uint64(s.BatchSize), uint64(s.Epoch), uint64(s.Index)} {
		for range 8 {
			b = append(b, byte(v))
			v >>= 8
		}
	}
	return b, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *State) UnmarshalBinary(b []byte) error {
	if len(b) != stateLen || b[0] != stateVersion || b[1] > 3 {
		return failure("State", "not a saved loader state of version 1 (42 bytes): got "+strconv.Itoa(len(b))+" bytes")
	}
	var v [5]uint64
	for i, x := range b[2:] {
		v[i/8] |= uint64(x) << (i % 8 * 8)
	}
	for _, x := range v[1:] {
		if x > 1<<53 {
			return failure("State", "a count is out of range: the data is corrupt")
		}
	}
	*s = State{v[0], int(v[1]), int(v[2]), b[1]&1 != 0, b[1]&2 != 0, int(v[3]), int(v[4])}
	return nil
}
