package api_test

import (
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

func TestEager(t *testing.T) {
	c := newClient(t, M{"seed": 1})
	a, b := c.tensor(floats([]float32{1, 2, 3, 4}, 2, 2)), c.tensor(floats([]float32{10, 20, 30, 40}, 2, 2))
	s, p := c.id(), c.id()
	out := c.run([]int{s, p}, node("Add", []int{a, b}, []int{s}, nil), node("MatMul", []int{a, s}, []int{p}, nil))
	if !near(out[0], []float32{11, 22, 33, 44}, 0) || !near(out[1], []float32{77, 110, 165, 242}, 0) {
		t.Errorf("%v", out)
	}
	// Scalars, reductions, constants and attributes.
	k, m, r := c.id(), c.id(), c.id()
	out = c.run([]int{r}, node("Constant", nil, []int{k}, M{"value": 0.5}), node("Mul", []int{a, k}, []int{m}, nil), node("ReduceSum", []int{m}, []int{r}, M{"keepdims": false}))
	if !near(out[0], []float32{5}, 0) {
		t.Errorf("%v", out)
	}
	info := c.do("tensor.info", M{"id": r}).(M)
	if info["dtype"] != "float32" || len(info["shape"].(L)) != 0 {
		t.Errorf("%v", info)
	}
	// axes as an attribute, as older opsets have them
	r2 := c.id()
	out = c.run([]int{r2}, node("ReduceSum", []int{a}, []int{r2}, M{"axes": L{1}, "keepdims": 0}))
	if !near(out[0], []float32{3, 7}, 0) {
		t.Errorf("%v", out)
	}
}

func TestGradients(t *testing.T) {
	c := newClient(t, nil)
	x := c.tensor(floats([]float32{2, 3}, 2))
	// y = sum(x^3): y' = 3x^2, y'' of sum(y') = 6x
	x2, x3, y, g, gs, h := c.id(), c.id(), c.id(), c.id(), c.id(), c.id()
	out := c.run([]int{y, g, h}, node("Mul", []int{x, x}, []int{x2}, nil), node("Mul", []int{x2, x}, []int{x3}, nil), node("ReduceSum", []int{x3}, []int{y}, M{"keepdims": 0}),
		node("Gradient", []int{y, x}, []int{g}, nil), node("ReduceSum", []int{g}, []int{gs}, M{"keepdims": 0}), node("Gradient", []int{gs, x}, []int{h}, nil))
	if !near(out[0], []float32{35}, 1e-4) || !near(out[1], []float32{12, 27}, 1e-4) || !near(out[2], []float32{12, 18}, 1e-4) {
		t.Errorf("%v", out)
	}
	// What y does not depend on has the gradient 0.
	z := c.tensor(floats([]float32{1, 1, 1}, 3))
	y, gz := c.id(), c.id()
	out = c.run([]int{gz}, node("ReduceSum", []int{x}, []int{y}, M{"keepdims": 0}), node("Gradient", []int{y, z}, []int{gz}, nil))
	if !near(out[0], []float32{0, 0, 0}, 0) {
		t.Errorf("%v", out)
	}
	c.fails("shape", "graph.run", M{"nodes": L{node("Gradient", []int{x, x}, []int{c.id()}, nil)}, "outputs": L{}})
}

func TestVariablesAndMinimize(t *testing.T) {
	c := newClient(t, nil)
	v := c.id()
	c.do("variable.new", M{"id": v, "name": "w", "data": floats([]float32{4, -2}, 2), "trainable": true})
	opt := c.id()
	step := func() float32 {
		sq, l := c.id(), c.id()
		out := c.run([]int{l}, node("Mul", []int{v, v}, []int{sq}, nil), node("ReduceSum", []int{sq}, []int{l}, M{"keepdims": 0}),
			node("Minimize", []int{l, v}, []int{}, M{"optimizer": M{"id": opt, "name": "adam", "learningRate": 0.1}}))
		c.do("dispose", M{"ids": L{l}})
		return out[0][0]
	}
	first, last := step(), float32(0)
	for range 100 {
		last = step()
	}
	if first != 20 || last > 0.5 {
		t.Errorf("the loss goes from %v to %v", first, last)
	}
	// Assign: what follows reads the new value.
	n, d := c.tensor(floats([]float32{1, 5}, 2)), c.id()
	out := c.run([]int{d}, node("Assign", []int{v, n}, []int{}, nil), node("Add", []int{v, v}, []int{d}, nil))
	if !near(out[0], []float32{2, 10}, 0) || !near(c.read(v), []float32{1, 5}, 0) {
		t.Errorf("%v, variable %v", out, c.read(v))
	}
	c.do("dispose", M{"ids": L{v, opt, n, d}})
	c.fails("disposed", "tensor.read", M{"id": v})
	if st := c.do("memory", nil).(M); st["tensors"] != 0.0 || st["handles"] != 0.0 {
		t.Errorf("left over: %v", st)
	}
}

func TestFunctions(t *testing.T) {
	c := newClient(t, nil)
	w := c.id()
	c.do("variable.new", M{"id": w, "data": floats([]float32{3}, 1)})
	k := c.tensor(floats([]float32{100}, 1))
	f, x, p, y := c.id(), 1001, 1002, 1003
	c.do("function.define", M{"id": f, "inputs": L{M{"id": x, "dtype": "float32", "shape": L{-1}}}, "captures": L{k, w},
		"nodes": L{node("Mul", []int{x, w}, []int{p}, nil), node("Add", []int{p, k}, []int{y}, nil)}, "outputs": L{y}})
	c.do("dispose", M{"ids": L{k}}) // the function keeps it
	for _, in := range [][]float32{{1, 2}, {5}, {1, 2, 3}} {
		a, out := c.tensor(floats(in, len(in))), c.id()
		res := c.do("function.run", M{"id": f, "in": L{a}, "out": L{out}}).(M)
		got := c.read(out)
		for i, v := range in {
			if got[i] != 3*v+100 {
				t.Errorf("f(%v) = %v", in, got)
			}
		}
		if res["shapes"].(L)[0].(L)[0] != float64(len(in)) {
			t.Errorf("%v", res)
		}
	}
	c.fails("shape", "function.run", M{"id": f, "in": L{c.tensor(floats([]float32{1}, 1, 1))}, "out": L{c.id()}})
}

func TestGraphErrors(t *testing.T) {
	c := newClient(t, nil)
	a, b := c.tensor(floats(make([]float32, 6), 2, 3)), c.tensor(floats(make([]float32, 8), 2, 4))
	m := c.fails("shape", "graph.run", M{"nodes": L{node("MatMul", []int{a, b}, []int{c.id()}, nil)}, "outputs": L{}})
	if !strings.Contains(m, "MatMul") || !strings.Contains(m, "[2 3]") {
		t.Error(m)
	}
	if m = c.fails("unsupported", "graph.run", M{"nodes": L{node("Acosh", []int{a}, []int{c.id()}, nil)}, "outputs": L{}}); !strings.Contains(m, "full") {
		t.Error(m)
	}
	c.fails("unsupported", "graph.run", M{"nodes": L{node("Nonsense", []int{a}, []int{c.id()}, nil)}, "outputs": L{}})
	c.fails("disposed", "graph.run", M{"nodes": L{node("Relu", []int{99999}, []int{c.id()}, nil)}, "outputs": L{}})
	c.fails("unsupported", "no.such", nil)
	c.fails("shape", "tensor.alloc", M{"id": c.id(), "dtype": "float32", "shape": L{1 << 30, 1 << 30}})
	c.fails("argument", "tensor.alloc", M{"id": c.id(), "dtype": "float99", "shape": L{1}})
	c.fails("argument", "tensor.write", M{"id": a, "offset": 20, "data": floats([]float32{1, 2}, 2)})
	if got := c.read(a); len(got) != 6 {
		t.Error("the tensor did not outlive the errors")
	}
}

func TestMemoryBudget(t *testing.T) {
	c := newClient(t, M{"memoryBudget": 1 << 20})
	c.fails("memory", "tensor.alloc", M{"id": c.id(), "dtype": "float32", "shape": L{1 << 20}})
	c.fails("memory", "model.new", M{"id": c.id(), "kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 100000, "inputShape": L{1000}}}}})
	id := c.id()
	c.do("tensor.alloc", M{"id": id, "dtype": "uint8", "shape": L{1 << 19}})
	if n := c.do("tensor.read", M{"id": id}).(*tensor.Tensor).Len(); n != 1<<19 {
		t.Error(n)
	}
}
