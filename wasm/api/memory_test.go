package api_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/wasm/api"
)

// Every kind of call, many times over: what a server holds returns to where it was.
func TestNothingLeaks(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 50
	}
	c := newClient(t, nil)
	small := func() M {
		return M{"kind": "sequential", "layers": L{M{"kind": "conv2d", "config": M{"filters": 2, "kernelSize": 3, "inputShape": L{8, 8, 1}, "activation": "relu"}}, M{"kind": "flatten"},
			M{"kind": "dense", "config": M{"units": 3, "activation": "softmax"}}}}
	}
	x, y := tensor.New(tensor.Float32, 6, 8, 8, 1), tensor.From([]int32{0, 1, 2, 0, 1, 2}, 6)
	for i := range x.Float32s() {
		x.Float32s()[i] = float32(i%7) / 7
	}
	kept := c.model(small())
	compileArgs := func(id int) M {
		return M{"id": id, "optimizer": "adam", "loss": "sparseCategoricalCrossentropy", "metrics": L{"accuracy"}}
	}
	c.do("model.compile", compileArgs(kept))
	xs, ys := c.tensor(x), c.tensor(y)
	v := c.id()
	c.do("variable.new", M{"id": v, "data": floats([]float32{1, 2}, 2)})
	file := c.do("model.save", M{"id": kept}).(M)["bytes"]
	weights := c.do("model.weights", M{"id": kept}).(L)
	opt := c.id()
	drop := func(ids ...any) { c.do("dispose", M{"ids": L(ids)}) }
	kinds := map[string]func(){
		"tensors": func() {
			a := c.tensor(x)
			b := c.id()
			c.do("tensor.alloc", M{"id": b, "dtype": "int8", "shape": L{100}})
			r := c.id()
			c.do("tensor.random", M{"id": r, "shape": L{50}, "seed": 1})
			c.read(a)
			drop(a, b, r)
		},
		"graph": func() {
			s, l, g := c.id(), c.id(), c.id()
			c.run([]int{l, g}, node("Mul", []int{v, v}, []int{s}, nil), node("ReduceSum", []int{s}, []int{l}, M{"keepdims": 0}), node("Gradient", []int{l, v}, []int{g}, nil))
			drop(l, g)
		},
		"minimize": func() {
			s, l := c.id(), c.id()
			c.run([]int{l}, node("Mul", []int{v, v}, []int{s}, nil), node("ReduceSum", []int{s}, []int{l}, M{"keepdims": 0}),
				node("Minimize", []int{l, v}, []int{}, M{"optimizer": M{"id": opt, "name": "sgd", "learningRate": 0.001}}))
			drop(l)
		},
		"variables": func() {
			w, o, s, l := c.id(), c.id(), c.id(), c.id()
			c.do("variable.new", M{"id": w, "data": floats([]float32{1, 2, 3}, 3)})
			c.run([]int{l}, node("Mul", []int{w, w}, []int{s}, nil), node("ReduceSum", []int{s}, []int{l}, M{"keepdims": 0}),
				node("Minimize", []int{l, w}, []int{}, M{"optimizer": M{"id": o, "name": "adam"}}))
			drop(l, w, o)
		},
		"function": func() {
			f, a := c.id(), c.tensor(floats([]float32{1, 2}, 2))
			c.do("function.define", M{"id": f, "inputs": L{M{"id": 1 << 40, "shape": L{-1}}}, "captures": L{a}, "nodes": L{node("Add", []int{1 << 40, a}, []int{1<<40 + 1}, nil)}, "outputs": L{1<<40 + 1}})
			o := c.id()
			c.do("function.run", M{"id": f, "in": L{a}, "out": L{o}})
			drop(a, f, o)
		},
		"models": func() {
			m := c.model(small())
			c.do("model.compile", compileArgs(m))
			c.do("model.predict", M{"id": m, "in": x})
			drop(m)
		},
		"load": func() {
			m := c.id()
			c.do("model.load", M{"id": m, "bytes": file})
			drop(m)
		},
		"predict": func() { c.do("model.predict", M{"id": kept, "in": xs, "batchSize": 4}) },
		"job": func() {
			j := c.id()
			c.do("model.predict", M{"id": kept, "in": x, "batchSize": 2, "budget": 0, "job": j})
			drop(j)
		},
		"evaluate":    func() { c.do("model.evaluate", M{"id": kept, "in": xs, "labels": ys}) },
		"activations": func() { c.do("model.activations", M{"id": kept, "in": x}) },
		"saliency":    func() { c.do("model.saliency", M{"id": kept, "in": x, "class": 1}) },
		"save":        func() { c.do("model.save", M{"id": kept}); c.do("model.save", M{"id": kept, "format": "safetensors"}) },
		"weights":     func() { c.do("model.setWeights", M{"id": kept, "weights": weights}) },
		"batch":       func() { c.do("model.trainOnBatch", M{"id": kept, "x": xs, "y": ys}) },
		"fit": func() {
			c.fit(M{"model": kept, "x": xs, "y": ys, "epochs": 1, "batchSize": 4, "validation": M{"x": x, "y": y}})
		},
		"dropped fit": func() {
			f, a := c.id(), c.tensor(x)
			c.do("fit.start", M{"id": f, "model": kept, "x": a, "y": ys, "epochs": 1, "batchSize": 2})
			drop(a)
			c.do("fit.run", M{"id": f, "maxSteps": 1, "budget": 1e6})
			c.do("fit.checkpoint", M{"id": f})
			drop(f)
		},
		"data": func() {
			d := c.digits(1, 10, false)
			c.do("dataset.append", M{"id": d, "x": tensor.New(tensor.Float32, 1, 28, 28), "y": tensor.From([]int32{4}, 1)})
			drop(d)
		},
		"errors": func() {
			c.fails("shape", "model.predict", M{"id": kept, "in": floats([]float32{1, 2, 3}, 3)})
			c.fails("label", "fit.start", M{"id": c.id(), "model": kept, "x": xs, "y": tensor.From([]int32{0, 1, 2, 0, 1, 7}, 6)})
			c.fails("shape", "graph.run", M{"nodes": L{node("MatMul", []int{xs, ys}, []int{c.id()}, nil)}, "outputs": L{}})
		},
	}
	for name, f := range kinds {
		for range 3 {
			f()
		}
		before := c.do("memory", M{"gc": true}).(M)
		for range n {
			f()
		}
		after := c.do("memory", M{"gc": true}).(M)
		for _, k := range []string{"tensors", "handles", "bytes", "buffers"} {
			if before[k] != after[k] {
				t.Errorf("%s: %s went from %v to %v", name, k, before[k], after[k])
			}
		}
		if a, b := after["goHeap"].(float64), before["goHeap"].(float64); a > b*1.05+64<<10 {
			t.Errorf("%s: Go's heap went from %.0f to %.0f bytes", name, b, a)
		}
	}
}

// The steady state of training and prediction allocates next to nothing.
func TestSteadyState(t *testing.T) {
	start := time.Now()
	s := api.NewServer(api.Options{Operators: op.Core, Set: "core", Now: func() int64 { return int64(time.Since(start)) }})
	defer s.Close()
	call := func(method string, args M) {
		if out := s.Call(encode(encode(nil, method), args)); out[0] != 0 {
			t.Fatalf("%s: %q", method, out)
		}
	}
	m := article()
	m["id"] = 1
	call("init", M{"threads": 1})
	call("model.new", m)
	call("model.compile", M{"id": 1, "optimizer": "adam", "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}, "metrics": L{"accuracy"}})
	x, y := tensor.New(tensor.Float32, 320, 28, 28, 1), tensor.New(tensor.Int32, 320)
	call("tensor.new", M{"id": 2, "data": x})
	call("tensor.new", M{"id": 3, "data": y})
	call("fit.start", M{"id": 4, "model": 1, "x": 2, "y": 3, "epochs": 10000, "batchSize": 32})
	run := encode(encode(nil, "fit.run"), M{"id": 4, "maxSteps": 10, "budget": 1e6})
	for range 3 {
		s.Call(run)
	}
	if n := testing.AllocsPerRun(10, func() { s.Call(run) }); n > 30 {
		t.Errorf("10 steps of training make %v allocations", n)
	}
	pred := encode(encode(nil, "model.predict"), M{"id": 1, "in": tensor.New(tensor.Float32, 784)})
	s.Call(pred)
	if n := testing.AllocsPerRun(10, func() { s.Call(pred) }); n > 12 {
		t.Errorf("a prediction makes %v allocations", n)
	}
}

func BenchmarkPredict(b *testing.B) {
	s := api.NewServer(api.Options{Operators: op.Core, Set: "core"})
	defer s.Close()
	m := M{"id": 1, "kind": "builtin", "builtin": "lenet"}
	s.Call(encode(encode(nil, "init"), M{"threads": 1}))
	s.Call(encode(encode(nil, "model.new"), m))
	pred := encode(encode(nil, "model.predict"), M{"id": 1, "in": tensor.New(tensor.Float32, 784)})
	for b.Loop() {
		if out := s.Call(pred); out[0] != 0 {
			b.Fatalf("%q", out)
		}
	}
}

// FuzzCall sends bytes: no panic leaves the server, memory stays within the budget, and afterwards it still answers.
func FuzzCall(f *testing.F) {
	add := func(method string, args M) { f.Add(encode(encode(nil, method), args)) }
	add("init", M{"seed": 1})
	add("tensor.new", M{"id": 1, "data": floats([]float32{1, 2}, 2)})
	add("tensor.random", M{"id": 1, "shape": L{3}, "kind": "uniform"})
	add("graph.run", M{"nodes": L{node("Constant", nil, []int{1}, M{"value": floats([]float32{1, 2}, 2)}), node("Softmax", []int{1}, []int{2}, M{"axis": 0})}, "outputs": L{2}})
	add("graph.run", M{"nodes": L{node("Constant", nil, []int{1}, M{"value": L{2, 3}}), node("ConstantOfShape", []int{1}, []int{2}, nil), node("Conv", []int{2, 2}, []int{3}, M{"pads": L{1, 1}})}, "outputs": L{3}})
	spec := article()
	spec["id"] = 5
	add("model.new", spec)
	add("model.new", M{"id": 1, "kind": "functional", "layers": L{M{"kind": "inputLayer", "name": "a", "config": M{"shape": L{4, 4, 2}}}, M{"kind": "upSampling2d", "name": "b", "inbound": L{L{"a"}}}}, "outputs": L{"b"}})
	add("model.load", M{"id": 1, "bytes": tensor.From([]byte{8, 10, 58, 2, 10, 0}, 6)})
	add("function.define", M{"id": 1, "inputs": L{M{"id": 2, "shape": L{-1, 2}}}, "nodes": L{node("Relu", []int{2}, []int{3}, nil)}, "outputs": L{3}})
	add("preprocess.digit", M{"pixels": tensor.New(tensor.Uint8, 4, 4, 4)})
	add("metrics.compute", M{"names": L{"f1"}, "yTrue": tensor.From([]int32{0, 1}, 2), "yPred": floats([]float32{1, 0, 0, 1}, 2, 2)})
	add("idx.new", M{"id": 1, "images": tensor.From([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9}, 17), "labels": tensor.From([]byte{0, 0, 8, 1, 0, 0, 0, 1, 1}, 9)})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := api.NewServer(api.Options{Operators: op.Core, Set: "core", Now: func() int64 { return 0 }})
		defer s.Close()
		s.Call(encode(encode(nil, "init"), M{"memoryBudget": 16 << 20, "threads": 1}))
		out := s.Call(b)
		if len(out) < 1 || out[0] > 1 {
			t.Fatalf("no response: %q", out)
		}
		d := decoder{b: out, at: 1}
		d.value()
		if d.at != len(out) {
			t.Fatalf("bytes follow the response: %q", out)
		}
		if out := s.Call(encode(encode(nil, "memory"), M{})); out[0] != 0 {
			t.Fatal("the server does not answer any more")
		}
	})
}

// FuzzDecode sends arguments of every kind to a method that reads them all.
func FuzzDecode(f *testing.F) {
	f.Add(encode(nil, M{"a": L{1, "x", nil, true, floats([]float32{1}, 1)}}))
	f.Add([]byte{5, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := api.NewServer(api.Options{Operators: op.Core})
		method := encode(nil, "dispose")
		if out := s.Call(append(method, b...)); out[0] > 1 {
			t.Fatalf("%q", out)
		}
		deep := method
		for range 100 {
			deep = binary.LittleEndian.AppendUint32(append(deep, 5), 1)
		}
		if out := s.Call(append(deep, b...)); out[0] != 1 {
			t.Fatal("values nested too deep are taken")
		}
	})
}
