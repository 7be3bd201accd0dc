package api_test

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/graph"
	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/wasm/api"
)

// M is a map of arguments, L a list. Other values: nil, bool, int, float64, string, *tensor.Tensor.
type (
	M map[string]any
	L []any
)

// encode writes a value as JavaScript does.
func encode(b []byte, v any) []byte {
	text := func(s string) {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	switch v := v.(type) {
	case nil:
		return append(b, 0)
	case bool:
		if v {
			return append(b, 2)
		}
		return append(b, 1)
	case int:
		return encode(b, float64(v))
	case float64:
		return binary.LittleEndian.AppendUint64(append(b, 3), math.Float64bits(v))
	case string:
		b = append(b, 4)
		text(v)
	case []int:
		l := L{}
		for _, x := range v {
			l = append(l, x)
		}
		return encode(b, l)
	case L:
		b = binary.LittleEndian.AppendUint32(append(b, 5), uint32(len(v)))
		for _, x := range v {
			b = encode(b, x)
		}
	case M:
		b = binary.LittleEndian.AppendUint32(append(b, 6), uint32(len(v)))
		for k, x := range v {
			text(k)
			b = encode(b, x)
		}
	case *tensor.Tensor:
		b = append(b, 7, byte(v.DType()))
		b = binary.LittleEndian.AppendUint32(b, uint32(v.Rank()))
		for _, d := range v.Shape() {
			b = binary.LittleEndian.AppendUint32(b, uint32(d))
		}
		e := v.Contiguous().Bytes()
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e)))
		for len(b)%8 != 0 {
			b = append(b, 0)
		}
		b = append(b, e...)
	default:
		panic("a value that cannot be sent")
	}
	return b
}

// decoder reads a response.
type decoder struct {
	b  []byte
	at int
}

func (d *decoder) u32() int {
	d.at += 4
	return int(binary.LittleEndian.Uint32(d.b[d.at-4:]))
}

func (d *decoder) text() string {
	n := d.u32()
	d.at += n
	return string(d.b[d.at-n : d.at])
}

func (d *decoder) value() any {
	tag := d.b[d.at]
	d.at++
	switch tag {
	case 0:
		return nil
	case 1:
		return false
	case 2:
		return true
	case 3:
		d.at += 8
		return math.Float64frombits(binary.LittleEndian.Uint64(d.b[d.at-8:]))
	case 4:
		return d.text()
	case 5:
		l := make(L, d.u32())
		for i := range l {
			l[i] = d.value()
		}
		return l
	case 6:
		m := M{}
		for range d.u32() {
			k := d.text()
			m[k] = d.value()
		}
		return m
	case 7:
		dt := tensor.DType(d.b[d.at])
		d.at++
		shape := make([]int, d.u32())
		for i := range shape {
			shape[i] = d.u32()
		}
		n := d.u32()
		d.at = (d.at + 7) &^ 7
		t := tensor.New(dt, shape...)
		copy(t.Bytes(), d.b[d.at:d.at+n])
		d.at += n
		return t
	}
	panic("an unknown tag in a response")
}

// wireError is an error response.
type wireError struct{ code, message, op string }

func (e *wireError) Error() string { return e.code + ": " + e.message }

// client calls a server as JavaScript does.
type client struct {
	t    testing.TB
	s    *api.Server
	last uint64
}

func newClient(t testing.TB, args M) *client { return newClientOf(t, "core", op.Core, args) }

func newClientOf(t testing.TB, set string, ops []*graph.Def, args M) *client {
	t.Helper()
	start := time.Now()
	c := &client{t: t, s: api.NewServer(api.Options{Operators: ops, Set: set, Now: func() int64 { return int64(time.Since(start)) }})}
	t.Cleanup(c.s.Close)
	c.do("init", args)
	return c
}

func (c *client) id() int { c.last++; return int(c.last) }

// call returns a method's result or its error.
func (c *client) call(method string, args M) (any, error) {
	if args == nil {
		args = M{}
	}
	// Go's allocator aligns large slices to 8.
	d := &decoder{b: c.s.Call(encode(encode(make([]byte, 0, 1024), method), args))}
	d.at = 1
	v := d.value()
	if d.at != len(d.b) {
		c.t.Fatalf("%s: %d bytes of the response, %d read", method, len(d.b), d.at)
	}
	if d.b[0] == 1 {
		m := v.(M)
		e := &wireError{m["code"].(string), m["message"].(string), ""}
		e.op, _ = m["op"].(string)
		return nil, e
	}
	return v, nil
}

// do is call for what must not fail.
func (c *client) do(method string, args M) any {
	c.t.Helper()
	v, err := c.call(method, args)
	if err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return v
}

// fails calls what must fail with a code, and returns the message.
func (c *client) fails(code, method string, args M) string {
	c.t.Helper()
	v, err := c.call(method, args)
	if err == nil {
		c.t.Fatalf("%s: no error but %v", method, v)
	}
	if e := err.(*wireError); e.code != code {
		c.t.Fatalf("%s: code %s, want %s: %s", method, e.code, code, e.message)
	}
	return err.(*wireError).message
}

func floats(v []float32, shape ...int) *tensor.Tensor { return tensor.From(v, shape...) }

// tensor makes a tensor and returns its id.
func (c *client) tensor(t *tensor.Tensor) int {
	c.t.Helper()
	id := c.id()
	c.do("tensor.new", M{"id": id, "data": t})
	return id
}

func (c *client) read(id int) []float32 {
	c.t.Helper()
	return c.do("tensor.read", M{"id": id}).(*tensor.Tensor).Float32s()
}

func node(op string, in, out []int, attrs M) M {
	return M{"op": op, "in": in, "out": out, "attrs": attrs}
}

// run runs nodes and returns what the outputs hold.
func (c *client) run(outputs []int, nodes ...any) [][]float32 {
	c.t.Helper()
	c.do("graph.run", M{"nodes": L(nodes), "outputs": outputs})
	var out [][]float32
	for _, id := range outputs {
		out = append(out, c.read(id))
	}
	return out
}

func near(a, b []float32, tol float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !(math.Abs(float64(a[i]-b[i])) <= tol) {
			return false
		}
	}
	return true
}
