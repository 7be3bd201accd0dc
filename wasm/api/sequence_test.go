package api_test

import (
	"encoding/binary"
	"testing"

	"github.com/weft-ml/weft/core/op"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/wasm/api"
)

// FuzzCalls sends several requests, each with its length in front, to one server: no panic leaves it, and it answers to the end.
func FuzzCalls(f *testing.F) {
	type request struct {
		method string
		args   M
	}
	add := func(rs ...request) {
		var b []byte
		for _, r := range rs {
			q := encode(encode(nil, r.method), r.args)
			b = append(binary.LittleEndian.AppendUint32(b, uint32(len(q))), q...)
		}
		f.Add(b)
	}
	dense := M{"id": 1, "kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 3, "inputShape": L{2}, "activation": "softmax"}}}}
	x, y := floats([]float32{1, 2, 3, 4}, 2, 2), tensor.From([]int32{0, 2}, 2)
	compiled := request{"model.compile", M{"id": 1, "optimizer": "adam", "loss": "sparseCategoricalCrossentropy", "metrics": L{"accuracy", "auc"}, "ema": 0.5}}
	add(request{"model.new", dense}, compiled, request{"fit.start", M{"id": 2, "model": 1, "x": x, "y": y, "epochs": 2, "batchSize": 1, "validation": M{"x": x, "y": y}}},
		request{"fit.run", M{"id": 2, "maxSteps": 1}}, request{"fit.checkpoint", M{"id": 2}}, request{"fit.run", M{"id": 2}}, request{"dispose", M{"ids": L{1}}})
	add(request{"model.new", dense}, compiled, request{"model.trainOnBatch", M{"id": 1, "x": x, "y": y}}, request{"model.evaluate", M{"id": 1, "in": x, "labels": y, "job": 9, "batchSize": 1}},
		request{"model.evaluate", M{"id": 1, "job": 9}}, request{"model.save", M{"id": 1}}, request{"model.weights", M{"id": 1}}, request{"model.saliency", M{"id": 1, "in": x, "class": 1}},
		request{"model.activations", M{"id": 1, "in": x}}, request{"model.summary", M{"id": 1}})
	add(request{"variable.new", M{"id": 1, "data": x}}, request{"graph.run", M{"nodes": L{node("Mul", []int{1, 1}, []int{2}, nil), node("ReduceSum", []int{2}, []int{3}, M{"keepdims": 0}),
		node("Gradient", []int{3, 1}, []int{4}, nil), node("Minimize", []int{3, 1}, []int{}, M{"optimizer": M{"id": 7, "name": "lion"}})}, "outputs": L{3, 4}}}, request{"dispose", M{"ids": L{7, 1}}})
	add(request{"digits.new", M{"id": 1, "samples": 3}}, request{"dataset.get", M{"id": 1, "from": 0, "count": 2}}, request{"dataset.concat", M{"id": 2, "of": L{1, 1}}},
		request{"dataset.append", M{"id": 1, "x": tensor.New(tensor.Float32, 1, 28, 28), "y": tensor.From([]int32{4}, 1)}}, request{"dataset.new", M{"id": 3, "x": x, "y": y}})
	add(request{"function.define", M{"id": 1, "inputs": L{M{"id": 2, "shape": L{-1}}}, "nodes": L{node("Relu", []int{2}, []int{3}, nil)}, "outputs": L{3}}},
		request{"tensor.new", M{"id": 4, "data": floats([]float32{1, -1}, 2)}}, request{"function.run", M{"id": 1, "in": L{4}, "out": L{5}}}, request{"tensor.read", M{"id": 5}})
	f.Fuzz(func(t *testing.T, b []byte) {
		clock := int64(0)
		s := api.NewServer(api.Options{Operators: op.Core, Set: "core", Now: func() int64 { clock += 1e6; return clock }})
		defer s.Close()
		s.Call(encode(encode(nil, "init"), M{"memoryBudget": 16 << 20, "threads": 1}))
		for range 12 {
			if len(b) < 4 {
				break
			}
			n := min(int(binary.LittleEndian.Uint32(b)), len(b)-4)
			d := decoder{b: s.Call(append([]byte(nil), b[4:4+n]...)), at: 1}
			if d.value(); d.at != len(d.b) {
				t.Fatalf("bytes follow the response: %q", d.b)
			}
			b = b[4+n:]
		}
		if out := s.Call(encode(encode(nil, "memory"), M{})); out[0] != 0 {
			t.Fatal("the server does not answer any more")
		}
	})
}

// What does not fit the budget says so, where it is found: weights, activations, optimizer state.
func TestBudgets(t *testing.T) {
	c := newClient(t, M{"memoryBudget": 24 << 20}) // room for what any kernel set packs on the way, too
	m := c.model(M{"kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 4000, "inputShape": L{784}}}, M{"kind": "dense", "config": M{"units": 10}}}})
	c.do("model.predict", M{"id": m, "in": tensor.New(tensor.Float32, 784)})
	c.do("model.compile", M{"id": m, "optimizer": "adam", "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}})
	// 12.7 MB of weights fit, two moments of as much do not.
	c.fails("memory", "fit.start", M{"id": c.id(), "model": m, "x": tensor.New(tensor.Float32, 2, 784), "y": tensor.From([]int32{1, 2}, 2)})
	if _, err := c.call("model.predict", M{"id": m, "in": tensor.New(tensor.Float32, 784)}); err != nil {
		t.Errorf("the model does not live on: %v", err)
	}
	c.fails("memory", "tensor.random", M{"id": c.id(), "shape": L{1 << 23}})
	c.fails("memory", "graph.run", M{"nodes": L{node("Constant", nil, []int{901}, M{"value": L{1 << 12, 1 << 12}}), node("ConstantOfShape", []int{901}, []int{902}, nil), node("Relu", []int{902}, []int{903}, nil)}, "outputs": L{903}})
}
