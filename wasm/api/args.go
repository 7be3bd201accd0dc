package api

import (
	"github.com/weft-ml/weft/core/tensor"
)

// What arguments are read with. Each panics with an error of code "argument" that names the argument.

// id returns an argument that is an id.
func (v val) id(key string) uint64 {
	id, ok := v.get(key).asID()
	if !ok {
		fail(codeArgument, key, "must be an id, a positive whole number")
	}
	return id
}

// asID returns a value as an id.
func (v val) asID() (uint64, bool) {
	f, ok := v.number()
	if !ok || !(f >= 1) || f > 1<<53 || f != float64(uint64(f)) {
		return 0, false
	}
	return uint64(f), true
}

// whole returns an argument that is a whole number, def where it is not given.
func (v val) whole(key string, def int) int {
	x := v.get(key)
	if !x.ok() {
		return def
	}
	f, ok := x.number()
	if !ok || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
		fail(codeArgument, key, "must be a whole number")
	}
	return int(f)
}

// count is whole for numbers of at least least.
func (v val) count(key string, def, least int) int {
	n := v.whole(key, def)
	if n < least {
		fail(codeArgument, key, "must be at least ", least, ", not ", n)
	}
	return n
}

// float returns an argument that is a number.
func (v val) float(key string, def float64) float64 {
	x := v.get(key)
	if !x.ok() {
		return def
	}
	f, ok := x.number()
	if !ok || f-f != 0 {
		fail(codeArgument, key, "must be a finite number")
	}
	return f
}

// flag returns an argument that is true or false.
func (v val) flag(key string, def bool) bool {
	switch x := v.get(key); {
	case !x.ok():
		return def
	case x.is(tagTrue):
		return true
	case x.is(tagFalse):
		return false
	}
	fail(codeArgument, key, "must be true or false")
	return false
}

// text returns an argument that is a string.
func (v val) text(key, def string) string {
	x := v.get(key)
	if !x.ok() {
		return def
	}
	if !x.is(tagString) {
		fail(codeArgument, key, "must be a string")
	}
	return string(x.raw())
}

// ints returns an argument that is a list of whole numbers, nil where it is not given.
func (v val) ints(key string) []int {
	x := v.get(key)
	if !x.ok() {
		return nil
	}
	out, ok := x.toInts()
	if !ok {
		fail(codeArgument, key, "must be a list of whole numbers")
	}
	return out
}

func (v val) toInts() ([]int, bool) {
	if v.is(tagArray) {
		t := v.tensor()
		if t.Len() > 1<<16 || !t.DType().IsInt() {
			return nil, false
		}
		out := make([]int, 0, t.Len())
		for _, x := range t.Int64sOf() {
			out = append(out, int(x))
		}
		return out, true
	}
	if !v.is(tagList) {
		return nil, false
	}
	out := make([]int, 0, v.len())
	for c := v.first(); c.r != nil; c = c.after(v) {
		f, ok := c.number()
		if !c.ok() {
			f, ok = -1, true
		}
		if !ok || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
			return nil, false
		}
		out = append(out, int(f))
	}
	return out, true
}

// shape returns an argument that is a shape of known dimensions.
func (v val) shape(key string) []int {
	s := v.ints(key)
	if s == nil {
		fail(codeArgument, key, "must be a list of dimensions")
	}
	if _, ok := tensor.CheckedSize(s); !ok {
		panic(&tensor.Error{Op: key, Msg: "no tensor can have this shape", Shapes: [][]int{s}})
	}
	return s
}

// dtype returns an argument that names an element type.
func (v val) dtype(key string, def tensor.DType) tensor.DType {
	name := v.text(key, "")
	if name == "" {
		return def
	}
	d, ok := tensor.ParseDType(name)
	if !ok || d.Bits() == 0 {
		fail(codeArgument, key, "there is no element type ", name)
	}
	return d
}

// array returns an argument that is an array.
func (v val) array(key string) *tensor.Tensor {
	t := v.get(key).tensor()
	if t == nil {
		fail(codeArgument, key, "must be an array")
	}
	return t
}

// seedOf returns a seed argument.
func (v val) seed(def uint64) uint64 {
	if !v.get("seed").ok() {
		return def
	}
	return uint64(int64(v.whole("seed", 0)))
}
