package safetensors

import (
	"strconv"
	"unicode/utf8"

	"github.com/weft-ml/weft/core/tensor"
)

// parser reads the header's JSON. encoding/json would bring reflection into the page; the header needs objects, strings
// and integers only.
type parser struct {
	b  []byte
	at int
}

func (p *parser) fail(parts ...any) error {
	e := tensor.Err("safetensors", append([]any{"header byte ", p.at, ": "}, parts...)...)
	return e
}

func (p *parser) space() {
	for p.at < len(p.b) && (p.b[p.at] == ' ' || p.b[p.at] == '\n' || p.b[p.at] == '\r' || p.b[p.at] == '\t') {
		p.at++
	}
}

// take consumes one byte of punctuation if it comes next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.b) && p.b[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) want(c byte) error {
	if !p.take(c) {
		return p.fail("expected ", strconv.QuoteRune(rune(c)))
	}
	return nil
}

func (p *parser) str() (string, error) {
	if err := p.want('"'); err != nil {
		return "", err
	}
	start := p.at
	for p.at < len(p.b) {
		switch c := p.b[p.at]; {
		case c == '"':
			raw := p.b[start:p.at]
			p.at++
			return unescape(raw, p)
		case c == '\\':
			p.at += 2
		case c < ' ':
			return "", p.fail("control character in a string")
		default:
			p.at++
		}
	}
	return "", p.fail("unterminated string")
}

func unescape(raw []byte, p *parser) (string, error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if i >= len(raw) {
			return "", p.fail("broken escape")
		}
		switch raw[i] {
		case '"', '\\', '/':
			out = append(out, raw[i])
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			if i+4 >= len(raw) {
				return "", p.fail("broken escape")
			}
			v, err := strconv.ParseUint(string(raw[i+1:i+5]), 16, 32)
			if err != nil {
				return "", p.fail("broken escape")
			}
			i += 4
			r := rune(v)
			if r >= 0xd800 && r < 0xdc00 && i+6 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
				if lo, err := strconv.ParseUint(string(raw[i+3:i+7]), 16, 32); err == nil && lo >= 0xdc00 && lo < 0xe000 {
					r = (r-0xd800)<<10 + rune(lo) - 0xdc00 + 0x10000
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			return "", p.fail("unknown escape")
		}
	}
	return string(out), nil
}

func (p *parser) integer() (int, error) {
	p.space()
	start := p.at
	for p.at < len(p.b) && p.b[p.at] >= '0' && p.b[p.at] <= '9' {
		p.at++
	}
	v, err := strconv.ParseInt(string(p.b[start:p.at]), 10, 48)
	if err != nil {
		return 0, p.fail("expected a size")
	}
	return int(v), nil
}

func (p *parser) integers(limit int) ([]int, error) {
	if err := p.want('['); err != nil {
		return nil, err
	}
	out := []int{}
	if p.take(']') {
		return out, nil
	}
	for {
		v, err := p.integer()
		if err != nil {
			return nil, err
		}
		if out = append(out, v); len(out) > limit {
			return nil, p.fail("more than ", limit, " numbers in a list")
		}
		if p.take(']') {
			return out, nil
		}
		if err := p.want(','); err != nil {
			return nil, err
		}
	}
}

// object calls f for every key of an object, with the parser at the value.
func (p *parser) object(f func(key string) error) error {
	if err := p.want('{'); err != nil {
		return err
	}
	if p.take('}') {
		return nil
	}
	seen := map[string]bool{}
	for {
		key, err := p.str()
		if err != nil {
			return err
		}
		if seen[key] {
			return p.fail("the key ", strconv.Quote(key), " stands twice")
		}
		seen[key] = true
		if err := p.want(':'); err != nil {
			return err
		}
		if err := f(key); err != nil {
			return err
		}
		if p.take('}') {
			return nil
		}
		if err := p.want(','); err != nil {
			return err
		}
	}
}

func (p *parser) header(f *File, spans *[]span) error {
	err := p.object(func(name string) error {
		if name == "__metadata__" {
			f.Meta = map[string]string{}
			return p.object(func(k string) (err error) {
				f.Meta[k], err = p.str()
				return err
			})
		}
		s := span{name: name, lo: -1}
		err := p.object(func(k string) error {
			switch k {
			case "dtype":
				name, err := p.str()
				if err != nil {
					return err
				}
				for _, t := range typeNames {
					if t.name == name {
						s.dtype = t.dtype
						return nil
					}
				}
				return p.fail("unknown element type ", strconv.Quote(name))
			case "shape":
				v, err := p.integers(tensor.MaxRank)
				s.shape = v
				return err
			case "data_offsets":
				v, err := p.integers(2)
				if err == nil && len(v) != 2 {
					return p.fail("data_offsets needs two numbers")
				}
				if err == nil {
					s.lo, s.hi = v[0], v[1]
				}
				return err
			}
			return p.fail("unknown key ", strconv.Quote(k))
		})
		if err == nil && (s.dtype == tensor.Undefined || s.shape == nil || s.lo < 0) {
			err = p.fail("tensor ", strconv.Quote(name), " needs dtype, shape and data_offsets")
		}
		*spans = append(*spans, s)
		return err
	})
	if err != nil {
		return err
	}
	if p.space(); p.at != len(p.b) {
		return p.fail("something follows the header")
	}
	return nil
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
