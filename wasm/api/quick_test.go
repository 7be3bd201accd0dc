package api_test

import (
	"encoding/binary"
	"math"
	"reflect"
	"testing"
	"unsafe"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/wasm/api"
)

const (
	quickFree = iota
	quickRun
	quickPredict
	quickTrain
	quickRead

	declined = 0
	done     = 1
	failed   = 2
)

// quick makes a quick call with words in the block.
func (c *client) quick(kind int32, words ...uint32) int32 {
	copy(c.s.Block()[:], words)
	return c.s.Quick(kind, nil)
}

func TestQuickCalls(t *testing.T) {
	c := newClient(t, nil)
	f, a, b := c.id(), c.tensor(floats([]float32{1, 2, 3}, 3)), c.tensor(floats([]float32{5, 6, 7}, 3))
	c.do("function.define", M{"id": f, "inputs": L{M{"id": 1 << 40}, M{"id": 1<<40 + 1}}, "nodes": L{node("Sub", []int{1 << 40, 1<<40 + 1}, []int{1<<40 + 2}, nil)}, "outputs": L{1<<40 + 2}})
	w := func(x int) uint32 { return uint32(x) }
	o := c.id()
	if got := c.quick(quickRun, w(f), 0, 2, 1, 0, w(a), w(b), w(o)); got != declined {
		t.Fatalf("a function that has not run: %d", got)
	}
	c.do("function.run", M{"id": f, "in": L{a, b}, "out": L{o}})
	// The tensor of the run before is given back first, and its id taken again.
	for range 3 {
		if got := c.quick(quickRun, w(f), 0, 2, 1, 1, w(o), w(b), w(a), w(o)); got != done {
			t.Fatalf("status %d", got)
		}
		if y := c.read(o); y[0] != 4 || y[2] != 4 {
			t.Fatalf("5-1, 6-2, 7-3 are %v", y)
		}
	}
	if n := testing.AllocsPerRun(100, func() { c.quick(quickRun, w(f), 0, 2, 1, 1, w(o), w(b), w(a), w(o)) }); n > 0 {
		t.Errorf("a quick run allocates %v times", n)
	}
	wide := c.tensor(floats([]float32{1, 2}, 2))
	for _, words := range [][]uint32{
		{w(f), 0, 2, 1, 0, w(wide), w(wide), 77},              // other shapes
		{w(f), 0, 2, 1, 0, w(a), 4711, 77},                    // no such tensor
		{w(f), 0, 2, 1, 0, w(a), w(b), w(a)},                  // an id that is taken
		{w(f), 0, 1, 1, 0, w(a), 77},                          // too few inputs
		{w(a), 0, 2, 1, 0, w(a), w(b), 77},                    // no function
		{w(f), 0, math.MaxUint32, 1, math.MaxUint32, 1, 1, 1}, // more than the block holds
		{w(f), 0, api.QuickWords, api.QuickWords, 7, 1, 1, 1}, // the same
	} {
		if got := c.quick(quickRun, words...); got != declined {
			t.Errorf("%v: status %d", words, got)
		}
	}
	if c.quick(quickRead, w(a)) != done || c.s.Block()[1] != 12 || c.s.Block()[2] != uint32(tensor.Float32) || c.s.Block()[3] != 1 || c.s.Block()[4] != 3 {
		t.Errorf("read: %v", c.s.Block()[:5])
	}
	if c.quick(quickRead, 4711) != declined || c.quick(99) != declined {
		t.Error("what is not there is read")
	}
	c.quick(quickFree, 2, w(a), 4711)
	c.fails("disposed", "tensor.read", M{"id": a})
}

// Runs that the caller makes without Go count: random numbers go on behind them.
func TestQuickRepeats(t *testing.T) {
	draw := func(runs, repeats uint32) any {
		c := newClientOf(t, "full", op.Full, nil)
		x := c.tensor(floats([]float32{1, 2, 3}, 3))
		for id, op := range []string{"Relu", "RandomNormalLike"} {
			c.do("function.define", M{"id": 101 + id, "inputs": L{M{"id": 8}}, "nodes": L{node(op, []int{8}, []int{9}, nil)}, "outputs": L{9}})
		}
		c.do("function.run", M{"id": 101, "in": L{x}, "out": L{201}})
		for range runs {
			if c.quick(quickRun, 101, 0, 1, 1, 1, 201, uint32(x), 201) != done {
				t.Fatal("the run is declined")
			}
		}
		c.s.Block()[api.QuickWords-1] = repeats
		c.do("function.run", M{"id": 102, "in": L{x}, "out": L{202}})
		return c.do("tensor.read", M{"id": 202})
	}
	if a, b := draw(3, 0), draw(1, 2); !reflect.DeepEqual(a, b) {
		t.Errorf("after three runs %v, after one that was made twice more %v", a, b)
	}
}

func TestQuickModel(t *testing.T) {
	c := newClient(t, nil)
	m := c.model(M{"kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 3, "inputShape": L{4}}}}})
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8}
	buf := make([]byte, 64)
	for i, v := range x {
		binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
	}
	predict := func(words ...uint32) int32 {
		copy(c.s.Block()[:], words)
		return c.s.Quick(quickPredict, buf)
	}
	if got := predict(uint32(m), 2, 0, 32); got != done {
		t.Fatalf("status %d", got)
	}
	b := c.s.Block()
	if b[0] != 1 || b[2] != 24 || b[4] != 2 || b[5] != 2 || b[6] != 3 {
		t.Fatalf("answer %v", b[:7])
	}
	for _, words := range [][]uint32{{uint32(m), 2, 1, 32}, {uint32(m), 3, 0, 32}, {uint32(m), 2, 0, 80}, {uint32(m), 0, 0, 0}, {99, 2, 0, 32}} {
		if got := predict(words...); got != declined {
			t.Errorf("%v: status %d", words, got)
		}
	}
	binary.LittleEndian.PutUint32(buf, math.Float32bits(float32(math.NaN())))
	if predict(uint32(m), 2, 0, 32) != declined {
		t.Error("NaN is predicted")
	}
	xs, ys := c.tensor(tensor.From(x, 2, 4)), c.tensor(tensor.From([]int32{0, 2}, 2))
	if got := c.quick(quickTrain, uint32(m), uint32(xs), uint32(ys)); got != failed {
		t.Fatalf("a model that is not compiled: status %d", got)
	}
	if out := c.s.Response(); out[0] != 1 {
		t.Error("the error is missing")
	}
	c.do("model.compile", M{"id": m, "optimizer": "adam", "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}, "metrics": L{"accuracy"}})
	first := c.do("model.trainOnBatch", M{"id": m, "x": xs, "y": ys}).(M)
	if got := c.quick(quickTrain, uint32(m), uint32(xs), uint32(ys)); got != done {
		t.Fatalf("status %d", got)
	}
	loss := math.Float64frombits(uint64(b[0]) | uint64(b[1])<<32)
	if b[2] != uint32(len(first["logs"].(M))) || !(loss < first["loss"].(float64)) {
		t.Errorf("loss %v after %v, %d measurements", loss, first["loss"], b[2])
	}
}

// Whatever stands in the block, the server lives on.
func FuzzQuick(f *testing.F) {
	f.Add(int32(1), []byte{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0})
	f.Add(int32(2), []byte{2, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 127, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, kind int32, b []byte) {
		s := api.NewServer(api.Options{Operators: op.Core, Set: "core"})
		defer s.Close()
		s.Call(encode(encode(nil, "model.new"), M{"id": 2, "kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 3, "inputShape": L{4}}}}}))
		s.Call(encode(encode(nil, "tensor.new"), M{"id": 3, "data": floats([]float32{1, 2}, 2)}))
		s.Call(encode(encode(nil, "function.define"), M{"id": 1, "inputs": L{M{"id": 8}}, "nodes": L{node("Relu", []int{8}, []int{9}, nil)}, "outputs": L{9}}))
		s.Call(encode(encode(nil, "function.run"), M{"id": 1, "in": L{3}, "out": L{4}}))
		for range 4 {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(s.Block())), 4*api.QuickWords), b)
			s.Quick(kind, make([]byte, 48))
		}
		if out := s.Call(encode(encode(nil, "memory"), M{})); out[0] != 0 {
			t.Fatal("the server does not answer any more")
		}
	})
}
