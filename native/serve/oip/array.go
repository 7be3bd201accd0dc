package oip

import "github.com/weft-ml/weft/core/tensor"

// DecodeArray reads a body that is an array of t's elements, flat or nested as t's shape says, or an object that has it as the given key, into t; other keys
// are ignored. Messages call the array by the key. It is as strict as [DecodeRequest] is with "data". The error is an [*Error].
func DecodeArray(body []byte, key string, t *tensor.Tensor) error {
	s := scanner{b: body}
	if err := s.alone(key, t); err != nil {
		return err
	}
	return nil
}

func (s *scanner) alone(key string, t *tensor.Tensor) *Error {
	var err *Error
	switch s.peek() {
	case '[':
		err = s.numbers(field{name: quote(key)}, t)
	case '{':
		found := false
		err = s.object("the object", func(k []byte) *Error {
			if string(k) != key {
				return s.skip()
			}
			if found {
				return refuse("the object: key ", quote(key), " comes twice")
			}
			found = true
			return s.numbers(field{name: quote(key)}, t)
		})
		if err == nil && !found {
			err = refuse("the object has no ", quote(key))
		}
	default:
		err = s.syntax("an array or an object")
	}
	if err != nil {
		return err
	}
	if s.peek(); s.p < len(s.b) {
		return s.syntax("the end of the body")
	}
	return nil
}
