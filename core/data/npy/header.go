package npy

import (
	"strconv"
	"strings"
)

// header is the dictionary at the start of a file.
type header struct {
	descr   string
	fortran bool
	shape   []int
}

// parser reads the subset of Python literals that headers consist of.
type parser struct {
	s   string
	pos int
}

// parseHeader reads a dictionary such as
//
//	{'descr': '<f4', 'fortran_order': False, 'shape': (3, 28, 28), }
//
// On failure why is not empty and at is the offset in the text.
func parseHeader(text string) (h header, at int, why string) {
	p := &parser{s: text}
	seen := 0
	fail := func(why string) (header, int, string) { return header{}, p.pos, why }
	if !p.take("{") {
		return fail("expected {")
	}
	for !p.take("}") {
		key, ok := p.str()
		if !ok {
			return fail("expected a key in quotes, or }")
		}
		if !p.take(":") {
			return fail("expected : after " + strconv.Quote(key))
		}
		switch key {
		case "descr":
			if h.descr, ok = p.str(); !ok {
				return fail("the element type is not a text in quotes: structured arrays are not supported, save each field on its own")
			}
			seen |= 1
		case "fortran_order":
			switch {
			case p.take("True"):
				h.fortran = true
			case p.take("False"):
				h.fortran = false
			default:
				return fail("expected True or False")
			}
			seen |= 2
		case "shape":
			var why string
			if h.shape, why = p.tuple(); why != "" {
				return fail(why)
			}
			seen |= 4
		default:
			return fail("unknown key " + strconv.Quote(key))
		}
		if !p.take(",") {
			if !p.take("}") {
				return fail("expected , or }")
			}
			break
		}
	}
	p.space()
	if p.pos != len(p.s) {
		return fail("there is text after the closing brace")
	}
	if seen != 7 {
		return fail("descr, fortran_order and shape must all be there")
	}
	return h, 0, ""
}

func (p *parser) space() {
	for p.pos < len(p.s) && strings.IndexByte(" \t\n\r", p.s[p.pos]) >= 0 {
		p.pos++
	}
}

// take skips white space and the token, if it comes next.
func (p *parser) take(token string) bool {
	p.space()
	if !strings.HasPrefix(p.s[p.pos:], token) {
		return false
	}
	p.pos += len(token)
	return true
}

// str reads a text in single or double quotes, without escapes.
func (p *parser) str() (string, bool) {
	p.space()
	if p.pos == len(p.s) || p.s[p.pos] != '\'' && p.s[p.pos] != '"' {
		return "", false
	}
	n := strings.IndexByte(p.s[p.pos+1:], p.s[p.pos])
	if n < 0 {
		return "", false
	}
	v := p.s[p.pos+1 : p.pos+1+n]
	p.pos += n + 2
	return v, true
}

// tuple reads (), (3,) or (3, 4); an L after a number, as Python 2 wrote it, is skipped.
func (p *parser) tuple() (dims []int, why string) {
	if !p.take("(") {
		return nil, "expected ( of the shape"
	}
	dims = []int{}
	for !p.take(")") {
		p.space()
		end := p.pos
		for end < len(p.s) && p.s[end] >= '0' && p.s[end] <= '9' {
			end++
		}
		d, err := strconv.ParseInt(p.s[p.pos:end], 10, 53)
		if err != nil {
			return nil, "expected a dimension of at most 52 bits, or )"
		}
		p.pos = end
		if len(dims) == maxDims {
			return nil, "more than " + strconv.Itoa(maxDims) + " dimensions"
		}
		dims = append(dims, int(d))
		p.take("L")
		if !p.take(",") {
			if !p.take(")") {
				return nil, "expected , or ) in the shape"
			}
			break
		}
	}
	return dims, ""
}

// array resolves the element type.
func (h header) array() (a *Array, bigEndian bool, why string) {
	bad := "the element type " + strconv.Quote(h.descr) + " is not supported: convert it with .astype to a boolean, integer or float"
	d := h.descr
	if d == "" {
		return nil, false, bad
	}
	switch d[0] {
	case '>':
		bigEndian = true
		d = d[1:]
	case '<', '|', '=':
		d = d[1:]
	}
	a = &Array{Shape: h.shape}
	switch d {
	case "b1", "?":
		a.Kind, a.Width = 'b', 1
	case "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8":
		a.Kind, a.Width = d[0], int(d[1]-'0')
	default:
		return nil, false, bad
	}
	return a, bigEndian, ""
}
