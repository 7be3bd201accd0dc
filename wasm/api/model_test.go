package api_test

import (
	"math"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
)

// article is the LeNet of the README's first example.
func article(extra ...any) M {
	return M{"kind": "sequential", "seed": 3, "layers": append(L{
		M{"kind": "conv2d", "config": M{"filters": 6, "kernelSize": 5, "activation": "relu", "inputShape": L{28, 28, 1}}},
		M{"kind": "maxPooling2d", "config": M{"poolSize": 2}},
		M{"kind": "conv2d", "config": M{"filters": 16, "kernelSize": 5, "activation": "relu"}},
		M{"kind": "maxPooling2d", "config": M{"poolSize": 2}},
		M{"kind": "flatten"},
		M{"kind": "dense", "config": M{"units": 120, "activation": "relu"}},
		M{"kind": "dense", "config": M{"units": 10}},
	}, extra...)}
}

func (c *client) model(spec M) int {
	c.t.Helper()
	id := c.id()
	spec["id"] = id
	c.do("model.new", spec)
	return id
}

func (c *client) digits(seed, n int, test bool) int {
	c.t.Helper()
	id := c.id()
	c.do("digits.new", M{"id": id, "seed": seed, "samples": n, "test": test})
	return id
}

// fit runs a fit to its end and returns the batches' losses and the epochs' logs.
func (c *client) fit(args M) (losses []float64, epochs []M) {
	c.t.Helper()
	id := c.id()
	args["id"] = id
	c.do("fit.start", args)
	for {
		r := c.do("fit.run", M{"id": id, "budget": 20}).(M)
		for _, e := range r["events"].(L) {
			switch e := e.(M); e["kind"] {
			case "batch":
				losses = append(losses, e["loss"].(float64))
			case "epoch":
				epochs = append(epochs, e["logs"].(M))
			}
		}
		if r["done"] == true {
			c.do("dispose", M{"ids": L{id}})
			return losses, epochs
		}
	}
}

func TestSequentialLeNet(t *testing.T) {
	c := newClient(t, M{"seed": 1})
	m := c.model(article())
	sum := c.do("model.summary", M{"id": m}).(M)
	if sum["params"] != 44426.0-9804 && sum["params"] != 34622.0 {
		t.Errorf("%v parameters", sum["params"])
	}
	t.Logf("\n%s", sum["text"])
	c.do("model.compile", M{"id": m, "optimizer": "adam", "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}, "metrics": L{"accuracy", "f1"}})
	train, test := c.digits(1, 6400, false), c.digits(1, 500, true)
	_, epochs := c.fit(M{"model": m, "x": train, "epochs": 6, "batchSize": 32, "seed": 1, "validation": M{"x": test}})
	if len(epochs) != 6 {
		t.Fatalf("%d epochs", len(epochs))
	}
	t.Logf("%v", epochs)
	if acc := epochs[5]["valAccuracy"].(float64); acc < 0.9 {
		t.Errorf("accuracy %v", acc)
	}
	res := c.do("model.evaluate", M{"id": m, "in": test, "metrics": L{"confusionMatrix", "auc", "topKCategoricalAccuracy"}}).(M)
	metrics := res["metrics"].(M)
	if math.Abs(metrics["accuracy"].(float64)-epochs[5]["valAccuracy"].(float64)) > 1e-9 || metrics["auc"].(float64) < 0.95 {
		t.Errorf("%v", metrics)
	}
	conf := res["confusion"].(*tensor.Tensor)
	total := 0
	for _, v := range tensor.Data[int32](conf) {
		total += int(v)
	}
	wrong := len(res["wrong"].(L))
	if total != 500 || float64(wrong) != math.Round(500*(1-metrics["accuracy"].(float64))) {
		t.Errorf("confusion of %d samples, %d wrong, %v", total, wrong, metrics)
	}
	// Predictions: batch 1 and many, arrays and tensors.
	got := c.do("dataset.get", M{"id": test, "from": 0, "count": 300}).(M)
	x := got["x"].(*tensor.Tensor)
	all := c.do("model.predict", M{"id": m, "in": x}).(M)["outputs"].(L)[0].(*tensor.Tensor)
	one := c.do("model.predict", M{"id": m, "in": floats(x.Float32s()[:784], 784)}).(M)["outputs"].(L)[0].(*tensor.Tensor)
	if !near(all.Float32s()[:10], one.Float32s(), 0) || !tensor.SameShape(all.Shape(), []int{300, 10}) || !tensor.SameShape(one.Shape(), []int{1, 10}) {
		t.Errorf("%v and %v", all.Shape(), one.Shape())
	}
	id, job := c.tensor(x), c.id()
	for i := 0; ; i++ {
		r := c.do("model.predict", M{"id": m, "in": id, "batchSize": 50, "budget": 0, "job": job}).(M)
		if r["done"] == true {
			if !near(r["outputs"].(L)[0].(*tensor.Tensor).Float32s(), all.Float32s(), 0) || i != 5 {
				t.Errorf("a sliced prediction differs, or took %d slices", i+1)
			}
			break
		}
	}
	// What the layers see.
	acts := c.do("model.activations", M{"id": m, "in": floats(x.Float32s()[:784], 1, 28, 28, 1)}).(L)
	if len(acts) != 7 || acts[0].(M)["name"] != "conv2d" || !tensor.SameShape(acts[0].(M)["output"].(*tensor.Tensor).Shape(), []int{1, 6, 24, 24}) {
		t.Errorf("%d activations: %v %v", len(acts), acts[0].(M)["name"], acts[0].(M)["output"].(*tensor.Tensor).Shape())
	}
	sal := c.do("model.saliency", M{"id": m, "in": floats(x.Float32s()[:784], 784), "class": 3}).(M)["map"].(*tensor.Tensor)
	if !tensor.SameShape(sal.Shape(), []int{1, 28, 28, 1}) {
		t.Errorf("%v", sal.Shape())
	}
	// Save, load, predict the same.
	file := c.do("model.save", M{"id": m, "format": "onnx", "metadata": M{"note": "hello"}}).(M)["bytes"].(*tensor.Tensor)
	n := c.id()
	loaded := c.do("model.load", M{"id": n, "bytes": file}).(M)
	if loaded["metadata"].(M)["note"] != "hello" {
		t.Errorf("%v", loaded["metadata"])
	}
	t.Logf("loaded: %v %v", loaded["inputs"], loaded["ops"])
	again := c.do("model.predict", M{"id": n, "in": x}).(M)["outputs"].(L)[0].(*tensor.Tensor)
	if !near(again.Float32s(), all.Float32s(), 0) {
		t.Error("the loaded model predicts otherwise")
	}
	// Fine-tune what was loaded.
	c.do("model.compile", M{"id": n, "optimizer": M{"name": "sgd", "learningRate": 0.01}, "loss": "sparseCategoricalCrossentropy", "metrics": L{"accuracy"}})
	losses, _ := c.fit(M{"model": n, "x": c.digits(7, 640, false), "epochs": 1})
	if len(losses) != 20 || losses[0] > 2 {
		t.Errorf("%v", losses)
	}
}
