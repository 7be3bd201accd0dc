package link

import (
	"errors"
	"fmt"
)

var (
	errShort   = errors.New("it ends early")
	errInteger = errors.New("an integer is longer than 32 bits")
)

// reader decodes; after the first error every read returns zero.
type reader struct {
	b   []byte
	at  int
	err error
}

func (r *reader) byte() byte {
	if r.err != nil || r.at >= len(r.b) {
		r.fail(errShort)
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		if shift == 28 && c > 0x0F {
			break
		}
		v |= uint32(c&0x7F) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail(errInteger)
	return 0
}

// vec reads a length-prefixed byte string; it is part of the input.
func (r *reader) vec() []byte {
	n := r.u32()
	if r.err != nil || uint64(n) > uint64(len(r.b)-r.at) {
		r.fail(errShort)
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at : r.at]
}

// limits reads the limits of a memory or table.
func (r *reader) limits() (flags byte, minimum, maximum uint32) {
	flags = r.byte()
	if flags > 3 {
		r.fail(fmt.Errorf("limits of kind %d (64-bit memories are not supported)", flags))
		return 0, 0, 0
	}
	minimum = r.u32()
	if flags&1 != 0 {
		maximum = r.u32()
	}
	return flags, minimum, maximum
}

// readImports checks the import section; it returns the number of imports and the bytes after that number.
func readImports(s *section) (int, []byte, error) {
	r := reader{b: s.body}
	n := r.u32()
	start := r.at
	for i := uint32(0); i < n && r.err == nil; i++ {
		module, name := r.vec(), r.vec()
		switch kind := r.byte(); kind {
		case 0:
			r.u32()
		case 1:
			r.byte()
			r.limits()
		case 2:
			r.limits()
			if r.err == nil {
				return 0, nil, fmt.Errorf("weft: link: the memory is imported already, as %q.%q; link the output of go build, not of this program", module, name)
			}
		case 3:
			r.byte()
			r.byte()
		case 4:
			r.byte()
			r.u32()
		default:
			r.fail(fmt.Errorf("import %d is of unknown kind %d", i, kind))
		}
	}
	if r.err == nil && r.at != len(s.body) {
		r.fail(errors.New("bytes follow its last import"))
	}
	if r.err != nil {
		return 0, nil, fmt.Errorf("weft: link: import section, offset %d: %w", s.start+r.at, r.err)
	}
	return int(n), s.body[start:], nil
}

// readMemory returns the initial pages of the one memory that the section defines.
func readMemory(s *section) (uint32, error) {
	r := reader{b: s.body}
	n := r.u32()
	if r.err == nil && n != 1 {
		r.fail(fmt.Errorf("it defines %d memories, want 1", n))
	}
	flags, pages, maximum := r.limits()
	switch {
	case r.err != nil:
	case r.at != len(s.body):
		r.fail(errors.New("bytes follow its memory"))
	case pages > MaxPages:
		r.fail(fmt.Errorf("the memory starts with %d pages, at most %d", pages, MaxPages))
	case flags != 0:
		r.fail(fmt.Errorf("the memory declares a maximum of %d pages, which Go's linker never does", maximum))
	}
	if r.err != nil {
		return 0, fmt.Errorf("weft: link: memory section, offset %d: %w", s.start+r.at, r.err)
	}
	return pages, nil
}

// checkExport looks for the export of memory 0 as "mem".
func checkExport(s *section) error {
	r := reader{b: s.body}
	n := r.u32()
	found := false
	for i := uint32(0); i < n && r.err == nil; i++ {
		name, kind, index := r.vec(), r.byte(), r.u32()
		if string(name) == "mem" && kind == 2 && index == 0 {
			found = true
		}
	}
	if r.err != nil {
		return fmt.Errorf("weft: link: export section, offset %d: %w", s.start+r.at, r.err)
	}
	if !found {
		return errors.New("weft: link: the module does not export its memory as mem; it must be the output of GOOS=js GOARCH=wasm go build")
	}
	return nil
}

func appendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func appendName(b []byte, s string) []byte { return append(appendU32(b, uint32(len(s))), s...) }

func appendSection(b []byte, id byte, body []byte) []byte {
	return append(appendU32(append(b, id), uint32(len(body))), body...)
}

// s32 reads a signed LEB128 number of at most 32 bits.
func (r *reader) s32() int32 {
	var v int32
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= int32(c&0x7F) << shift
		if c < 0x80 {
			if shift < 28 && c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail(errInteger)
	return 0
}

func appendS32(b []byte, v int32) []byte {
	for {
		c := byte(v & 0x7F)
		v >>= 7
		if v == 0 && c&0x40 == 0 || v == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}
