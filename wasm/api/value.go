package api

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/weft-ml/weft/core/tensor"
)

// Tags of values on the wire. Everything is little-endian:
//
//	null, false, true: nothing | number: float64 | string: u32 length, UTF-8 | list: u32 count, values
//	map: u32 count, entries of u32 length, key, value
//	array: u8 element type (ONNX's number), u32 rank, u32 dimensions, u32 length in bytes, zero bytes up to
//	a multiple of 8 from the start of the message, the elements in row-major order
const (
	tagNull = iota
	tagFalse
	tagTrue
	tagNumber
	tagString
	tagList
	tagMap
	tagArray
)

// Bounds of a request.
const (
	maxDepth = 64
	maxNodes = 1 << 20
)

// node is one value of a decoded request, in the order of the bytes: children follow their parent.
type node struct {
	tag        uint8
	dtype      tensor.DType
	rank       uint8
	key        span // of a map's entry
	data       span // string, array elements; the dimensions of an array end where the gap before them starts
	dims       uint32
	bytes      span  // the whole value in the message
	next       int32 // the node behind this one and all its children
	count      int32
	numberBits uint64
}

type span struct{ lo, hi uint32 }

// request is a decoded message. Decoding again reuses its memory.
type request struct {
	b     []byte
	nodes []node
}

// val is a value of a request; the zero val is absent. It is valid until the server's next call.
type val struct {
	r *request
	i int32 // index + 1
}

// decode parses the values that make up b: want of them, one after the other.
func (r *request) decode(b []byte, want int) error {
	r.b, r.nodes = b, r.nodes[:0]
	at := 0
	var err error
	for range want {
		if at, err = r.value(at, 0); err != nil {
			return err
		}
	}
	if at != len(b) {
		return malformed(at, "bytes follow the last value")
	}
	return nil
}

func malformed(at int, what string) error {
	return &tensor.Error{Op: "request", Msg: "byte " + itoa(at) + ": " + what, Code: "format"}
}

// length reads a u32 that counts what follows, each of which takes at least min bytes.
func (r *request) length(at, min int) (n, next int, err error) {
	if len(r.b)-at < 4 {
		return 0, 0, malformed(at, "the message ends in a length")
	}
	n, next = int(binary.LittleEndian.Uint32(r.b[at:])), at+4
	if uint64(n)*uint64(min) > uint64(len(r.b)-next) {
		return 0, 0, malformed(at, "a length of "+itoa(n)+" exceeds what is left")
	}
	return n, next, nil
}

func (r *request) value(at, depth int) (next int, err error) {
	if at >= len(r.b) {
		return 0, malformed(at, "the message ends before a value")
	}
	if depth > maxDepth {
		return 0, malformed(at, "values are nested too deep")
	}
	if len(r.nodes) >= maxNodes {
		return 0, malformed(at, "too many values in one message; send large data as arrays")
	}
	k := len(r.nodes)
	r.nodes = append(r.nodes, node{tag: r.b[at]})
	start := at
	at++
	switch r.nodes[k].tag {
	case tagNull, tagFalse, tagTrue:
	case tagNumber:
		if len(r.b)-at < 8 {
			return 0, malformed(at, "the message ends in a number")
		}
		r.nodes[k].numberBits = binary.LittleEndian.Uint64(r.b[at:])
		at += 8
	case tagString:
		n, from, err := r.length(at, 1)
		if err != nil {
			return 0, err
		}
		at = from + n
		r.nodes[k].data = span{uint32(from), uint32(at)}
	case tagList, tagMap:
		least := 1
		if r.nodes[k].tag == tagMap {
			least = 5
		}
		n, from, err := r.length(at, least)
		if err != nil {
			return 0, err
		}
		at = from
		for range n {
			var key span
			if least == 5 {
				m, from, err := r.length(at, 1)
				if err != nil {
					return 0, err
				}
				at = from + m
				key = span{uint32(from), uint32(at)}
			}
			child := len(r.nodes)
			if at, err = r.value(at, depth+1); err != nil {
				return 0, err
			}
			r.nodes[child].key = key
		}
		r.nodes[k].count = int32(n)
	case tagArray:
		if at, err = r.array(&r.nodes[k], at); err != nil {
			return 0, err
		}
	default:
		return 0, malformed(at-1, "unknown tag "+itoa(int(r.nodes[k].tag)))
	}
	r.nodes[k].next = int32(len(r.nodes))
	r.nodes[k].bytes = span{uint32(start), uint32(at)}
	return at, nil
}

func (r *request) array(n *node, at int) (int, error) {
	start := at
	if len(r.b)-at < 5 {
		return 0, malformed(at, "the message ends in an array")
	}
	n.dtype = tensor.DType(r.b[at])
	if !n.dtype.Valid() || n.dtype.Bits() == 0 {
		return 0, malformed(at, "arrays of element type "+itoa(int(r.b[at]))+" cannot be sent")
	}
	rank, at, err := r.length(at+1, 4)
	if err != nil {
		return 0, err
	}
	if rank > tensor.MaxRank {
		return 0, malformed(start, "an array has "+itoa(rank)+" dimensions; at most "+itoa(tensor.MaxRank)+" are possible")
	}
	n.rank, n.dims = uint8(rank), uint32(at)
	at += 4 * rank
	bytes, at, err := r.length(at, 1)
	if err != nil {
		return 0, err
	}
	at = (at + 7) &^ 7
	if at+bytes > len(r.b) {
		return 0, malformed(start, "the elements of an array reach past the end")
	}
	var shape [tensor.MaxRank]int
	size, ok := tensor.CheckedSize(n.shape(r, shape[:0]))
	if !ok || n.dtype.Bytes(size) != bytes {
		return 0, malformed(start, "an array of "+n.dtype.String()+" "+tensor.ShapeString(n.shape(r, nil))+" does not have "+itoa(bytes)+" bytes")
	}
	n.data = span{uint32(at), uint32(at + bytes)}
	return at + bytes, nil
}

func (n *node) shape(r *request, dst []int) []int {
	for k := range int(n.rank) {
		dst = append(dst, int(binary.LittleEndian.Uint32(r.b[int(n.dims)+4*k:])))
	}
	return dst
}

func (v val) node() *node { return &v.r.nodes[v.i-1] }

// ok reports whether the value is there and not null.
func (v val) ok() bool { return v.r != nil && v.node().tag != tagNull }

func (v val) is(tag uint8) bool { return v.r != nil && v.node().tag == tag }

// get returns the entry of a map, an absent value when there is none or v is no map.
func (v val) get(key string) val {
	if !v.is(tagMap) {
		return val{}
	}
	for c := v.first(); c.r != nil; c = c.after(v) {
		if k := c.node().key; string(v.r.b[k.lo:k.hi]) == key {
			return c
		}
	}
	return val{}
}

// first returns the first child of a list or map, absent when there is none.
func (v val) first() val {
	if v.r == nil || v.node().count == 0 {
		return val{}
	}
	return val{v.r, v.i + 1}
}

// after returns the child of parent behind v, absent behind the last.
func (v val) after(parent val) val {
	if n := v.node().next; n < parent.node().next {
		return val{v.r, n + 1}
	}
	return val{}
}

// len returns how many children a list or map has.
func (v val) len() int {
	if v.r == nil {
		return 0
	}
	return int(v.node().count)
}

func (v val) key() string { k := v.node().key; return string(v.r.b[k.lo:k.hi]) }

// number returns the value as a number.
func (v val) number() (float64, bool) {
	if !v.is(tagNumber) {
		return 0, false
	}
	return math.Float64frombits(v.node().numberBits), true
}

// raw returns the bytes of a string or array.
func (v val) raw() []byte {
	if !v.is(tagString) && !v.is(tagArray) {
		return nil
	}
	d := v.node().data
	return v.r.b[d.lo:d.hi]
}

// tensor returns an array as a tensor that shares the request's memory, nil when v is no array. Where the memory is not aligned
// for the element type it is copied.
func (v val) tensor() *tensor.Tensor {
	if !v.is(tagArray) {
		return nil
	}
	n := v.node()
	b := v.raw()
	if len(b) > 0 && uintptr(unsafe.Pointer(&b[0]))%8 != 0 {
		t := tensor.New(n.dtype, n.shape(v.r, nil)...)
		copy(t.Bytes(), b)
		return t
	}
	var shape [tensor.MaxRank]int
	return tensor.Wrap(n.dtype, n.shape(v.r, shape[:0]), b)
}

// plain returns the value in Go's own types: nil, bool, float64, string, []any, map[string]any; arrays become []any of numbers.
func (v val) plain() any {
	if v.r == nil {
		return nil
	}
	switch n := v.node(); n.tag {
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagNumber:
		return math.Float64frombits(n.numberBits)
	case tagString:
		return string(v.raw())
	case tagList:
		out := make([]any, 0, n.count)
		for c := v.first(); c.r != nil; c = c.after(v) {
			out = append(out, c.plain())
		}
		return out
	case tagMap:
		return v.plainMap()
	case tagArray:
		if n.data.hi-n.data.lo > 1<<20 {
			return nil
		}
		var out []any
		for _, x := range v.tensor().Float64s() {
			out = append(out, x)
		}
		return out
	}
	return nil
}

func (v val) plainMap() map[string]any {
	if !v.is(tagMap) {
		return nil
	}
	out := make(map[string]any, v.len())
	for c := v.first(); c.r != nil; c = c.after(v) {
		out[c.key()] = c.plain()
	}
	return out
}
