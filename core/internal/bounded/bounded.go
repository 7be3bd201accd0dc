// Package bounded reads data of a declared length without trusting the declaration: memory grows
// with what actually arrives, so that a header of a few bytes cannot ask for gigabytes.
package bounded

import "io"

// firstChunk is what is allocated before the first byte has arrived.
const firstChunk = 1 << 20

// ReadN reads n bytes. When the reader ends early it returns what came with
// io.ErrUnexpectedEOF; the memory allocated is at most about twice what arrived plus a megabyte,
// and exactly n when all did and n is small.
func ReadN(r io.Reader, n int64) ([]byte, error) {
	buf := make([]byte, 0, min(n, firstChunk))
	for int64(len(buf)) < n {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(n, 2*int64(cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		m, err := io.ReadFull(r, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+m]
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// AtEOF reports whether the reader has ended, by reading one byte; an error other than io.EOF is
// returned.
func AtEOF(r io.Reader) (bool, error) {
	var b [1]byte
	switch n, err := io.ReadFull(r, b[:]); {
	case n == 1:
		return false, nil
	case err == io.EOF:
		return true, nil
	default:
		return false, err
	}
}
