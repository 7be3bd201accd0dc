package oip

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep values that are skipped may nest.
const maxDepth = 64

// scanner reads JSON (RFC 8259, strictly) from memory. Its methods leave p behind what they read.
type scanner struct {
	b   []byte
	p   int
	cut bool // the header [HeaderLength] says where the JSON ends
}

// space returns the position of the first byte from p on that is not white space.
func space(b []byte, p int) int {
	for p < len(b) && (b[p] == ' ' || b[p] == '\n' || b[p] == '\t' || b[p] == '\r') {
		p++
	}
	return p
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	s.p = space(s.b, s.p)
	if s.p == len(s.b) {
		return 0
	}
	return s.b[s.p]
}

// syntax is the error of a byte that JSON does not allow at p.
func (s *scanner) syntax(want string) *Error {
	if s.p >= len(s.b) {
		if s.cut {
			return refuse("the JSON ends at byte ", itoa(len(s.b)), " where ", want, " must be; is it complete, and ", HeaderLength, " its length?")
		}
		return refuse("the JSON ends at byte ", itoa(len(s.b)), " where ", want, " must be; is it complete?")
	}
	r, _ := utf8.DecodeRune(s.b[s.p:])
	return refuse("not valid JSON: ", quote(string(r)), " at byte ", itoa(s.p), " where ", want, " must be")
}

// expect reads one byte of punctuation.
func (s *scanner) expect(c byte) *Error {
	if s.peek() != c {
		return s.syntax(quote(string(rune(c))))
	}
	s.p++
	return nil
}

// literal reads a name of JSON (true, false, null) if it comes next.
func (s *scanner) literal(name string) bool {
	s.peek()
	if len(s.b)-s.p < len(name) || string(s.b[s.p:s.p+len(name)]) != name {
		return false
	}
	s.p += len(name)
	return true
}

// object calls f for every key of an object, with the scanner at its value. f reads the value.
func (s *scanner) object(what string, f func(key []byte) *Error) *Error {
	return s.list('{', '}', what+" (an object)", func() *Error {
		if s.peek() != '"' {
			return s.syntax("a key of " + what)
		}
		key, err := s.str()
		if err == nil {
			err = s.expect(':')
		}
		if err != nil {
			return err
		}
		return f(key)
	})
}

// array calls f for every element of an array, with the scanner at it. f reads the element.
func (s *scanner) array(what string, f func() *Error) *Error {
	return s.list('[', ']', what+" (an array)", f)
}

func (s *scanner) list(open, end byte, what string, f func() *Error) *Error {
	if s.peek() != open {
		return s.syntax(what)
	}
	s.p++
	if s.peek() == end {
		s.p++
		return nil
	}
	for {
		if err := f(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.p++
		case end:
			s.p++
			return nil
		default:
			return s.syntax("\",\" or " + quote(string(rune(end))))
		}
	}
}

// text reads a string as one of its own.
func (s *scanner) text(what string) (string, *Error) {
	if s.peek() != '"' {
		return "", s.syntax(what + " (a string)")
	}
	b, err := s.str()
	return string(b), err
}

// str reads a string, which must be valid UTF-8. Without escapes the result is a part of the body. An escaped half of a surrogate pair becomes U+FFFD.
func (s *scanner) str() ([]byte, *Error) {
	s.p++
	start := s.p
	for s.p < len(s.b) && s.b[s.p] != '"' && s.b[s.p] != '\\' && s.b[s.p] >= ' ' {
		s.p++
	}
	part := s.b[start:s.p]
	if s.p < len(s.b) && s.b[s.p] == '"' {
		s.p++
		return s.valid(part, start)
	}
	out := append([]byte(nil), part...)
	for s.p < len(s.b) {
		switch c := s.b[s.p]; {
		case c == '"':
			s.p++
			return s.valid(out, start)
		case c < ' ':
			return nil, s.syntax("a character of a string, escaped,")
		case c == '\\':
			s.p++
			r, err := s.escape()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
			s.p++
		}
	}
	return nil, s.syntax("the end of a string")
}

func (s *scanner) valid(b []byte, start int) ([]byte, *Error) {
	if !utf8.Valid(b) {
		return nil, refuse("not valid JSON: the string at byte ", itoa(start-1), " is not UTF-8")
	}
	return b, nil
}

// escape reads what follows a backslash.
func (s *scanner) escape() (rune, *Error) {
	if s.p < len(s.b) {
		c := s.b[s.p]
		if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
			s.p++
			return rune("\"\\/\b\f\n\r\t"[i]), nil
		}
		if r := s.hex(); r >= 0 {
			s.p += 5
			if utf16.IsSurrogate(r) {
				if s.p < len(s.b) && s.b[s.p] == '\\' {
					s.p++
					if low := utf16.DecodeRune(r, s.hex()); low != utf8.RuneError {
						s.p += 5
						return low, nil
					}
					s.p--
				}
				return utf8.RuneError, nil
			}
			return r, nil
		}
	}
	return 0, s.syntax("an escape that JSON has")
}

// hex returns the code that uXXXX at p names, -1 where there is none.
func (s *scanner) hex() rune {
	if len(s.b)-s.p < 5 || s.b[s.p] != 'u' {
		return -1
	}
	var r rune
	for _, c := range s.b[s.p+1 : s.p+5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// skip reads any value, checking that it is JSON.
func (s *scanner) skip() *Error {
	var open [maxDepth]byte // the brackets that close what is open
	depth := 0
	for {
		switch c := s.peek(); c {
		case '{', '[':
			if depth == maxDepth {
				return refuse("the JSON nests more than ", itoa(maxDepth), " levels deep at byte ", itoa(s.p))
			}
			open[depth] = c + 2 // '{' + 2 is '}', '[' + 2 is ']'
			depth++
			s.p++
			if s.peek() == c+2 {
				break // empty
			}
			if c == '{' {
				if err := s.key(); err != nil {
					return err
				}
			}
			continue
		case '"':
			if _, err := s.str(); err != nil {
				return err
			}
		default:
			if _, next := lex(s.b, s.p); next > 0 {
				s.p = next
			} else if !s.literal("true") && !s.literal("false") && !s.literal("null") {
				return s.syntax("a value")
			}
		}
		for { // after a value: close what ends here
			if depth == 0 {
				return nil
			}
			end := open[depth-1]
			if c := s.peek(); c == end {
				s.p++
				depth--
				continue
			} else if c != ',' {
				return s.syntax("\",\" or " + quote(string(rune(end))))
			}
			s.p++
			if end == '}' {
				if err := s.key(); err != nil {
					return err
				}
			}
			break
		}
	}
}

func (s *scanner) key() *Error {
	if s.peek() != '"' {
		return s.syntax("a key")
	}
	if _, err := s.str(); err != nil {
		return err
	}
	return s.expect(':')
}
