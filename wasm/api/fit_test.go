package api_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weft-ml/weft/core/compile"
	"github.com/weft-ml/weft/core/data"
	"github.com/weft-ml/weft/core/data/augment"
	"github.com/weft-ml/weft/core/data/digits"
	"github.com/weft-ml/weft/core/optim"
	"github.com/weft-ml/weft/core/random"
	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/core/train"
	"github.com/weft-ml/weft/models"
)

// The steps of a fit on a built-in model are those of the command line: weft train NAME, losses bit for bit.
func TestSameAsCommandLine(t *testing.T) {
	for _, name := range []string{"lenet", "cnn"} {
		steps := 100
		if name == "cnn" {
			steps = 10
		}
		m, err := models.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		r := m.Recipe
		const seed = 1
		// As native/weft/cmd_train.go does it, with prefetching.
		var src data.Source = digits.New(digits.Options{Seed: seed})
		if r.Augment != "" {
			a, err := augment.Parse(r.Augment)
			if err != nil {
				t.Fatal(err)
			}
			if src, err = a.Source(src, seed); err != nil {
				t.Fatal(err)
			}
		}
		l, err := data.NewLoader(src, data.Options{BatchSize: r.BatchSize, Shuffle: true, Seed: seed, Workers: 2, Prefetch: 4})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		rt := compile.NewRuntime(compile.RuntimeOptions{Threads: 2})
		defer rt.Close()
		opt, err := optim.Parse(r.Optimizer, r.WeightDecay)
		if err != nil {
			t.Fatal(err)
		}
		sched, err := optim.ParseSchedule(r.Schedule)
		if err != nil {
			t.Fatal(err)
		}
		tr, err := train.New(rt, train.Config{Name: name, Model: m.New([]int{1, 28, 28}, 10), Spec: src.Spec(), Seed: seed, Optimizer: opt, LearningRate: r.LearningRate, Schedule: sched,
			Steps: r.Epochs * l.Steps(), Update: optim.Options{EMA: float32(r.EMA)}})
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		var want []float64
		for range steps {
			b, err := l.Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			loss, _, err := tr.Step(b)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, float64(loss))
		}

		c := newClient(t, nil)
		id := c.id()
		c.do("model.new", M{"id": id, "kind": "builtin", "builtin": name, "seed": seed})
		c.do("model.compile", M{"id": id, "loss": "sparseCategoricalCrossentropy", "metrics": L{"accuracy"}})
		set, f := c.digits(seed, 0, false), c.id()
		start := c.do("fit.start", M{"id": f, "model": id, "x": set, "epochs": r.Epochs, "batchSize": r.BatchSize, "seed": seed}).(M)
		if int(start["steps"].(float64)) != r.Epochs*l.Steps() {
			t.Fatalf("%v", start)
		}
		var got []float64
		for len(got) < steps {
			for _, e := range c.do("fit.run", M{"id": f, "maxSteps": 7, "budget": 1000}).(M)["events"].(L) {
				if e := e.(M); e["kind"] == "batch" {
					got = append(got, e["loss"].(float64))
				}
			}
		}
		if !slices.Equal(got[:steps], want) {
			t.Fatalf("%s: losses differ:\n%v\n%v", name, got[:steps], want)
		}
	}
}

// A fit that is saved, restored in another runtime and continued has the bytes of one that was not interrupted.
func TestFitResumesExactly(t *testing.T) {
	begin := func() (c *client, model, f int) {
		c = newClient(t, M{"seed": 4})
		model = c.model(M{"kind": "sequential", "layers": L{
			M{"kind": "flatten", "config": M{"inputShape": L{28, 28, 1}}}, M{"kind": "dense", "config": M{"units": 16, "activation": "relu"}}, M{"kind": "batchNormalization"},
			M{"kind": "dropout", "config": M{"rate": 0.2}}, M{"kind": "dense", "config": M{"units": 10, "activation": "softmax"}}}})
		c.do("model.compile", M{"id": model, "optimizer": M{"name": "adam", "learningRate": 0.01}, "loss": "sparseCategoricalCrossentropy", "metrics": L{"accuracy", "f1"}, "globalClipNorm": 1})
		f = c.id()
		c.do("fit.start", M{"id": f, "model": model, "x": c.digits(2, 100, false), "epochs": 3, "batchSize": 16, "validation": M{"x": c.digits(2, 40, true)}, "schedule": "cosine"})
		return c, model, f
	}
	run := func(c *client, f, steps int) (events L) {
		return c.do("fit.run", M{"id": f, "maxSteps": steps, "budget": 1e6}).(M)["events"].(L)
	}
	whole, wm, wf := begin()
	for at := 3; at <= 15; at += 3 {
		run(whole, wf, 3)
		b := whole.do("fit.checkpoint", M{"id": wf}).(M)["bytes"].(*tensor.Tensor)
		other, _, of := begin()
		run(other, of, 2) // what it did before does not matter
		r := other.do("fit.restore", M{"id": of, "bytes": b}).(M)
		if r["step"] != float64(at) {
			t.Fatalf("restored to %v, want step %d", r, at)
		}
		if h := r["history"].(M); at > 7 && (len(h["loss"].(L)) != at/7 || len(h["valAccuracy"].(L)) != at/7) {
			t.Errorf("history %v", h)
		}
		for range 2 {
			run(other, of, 3)
		}
		x := other.do("fit.checkpoint", M{"id": of}).(M)["bytes"].(*tensor.Tensor)
		twin, _, tf := begin()
		for k := 0; k < at+6 && k < 21; k += 3 {
			run(twin, tf, 3)
		}
		y := twin.do("fit.checkpoint", M{"id": tf}).(M)["bytes"].(*tensor.Tensor)
		if !bytes.Equal(x.Bytes(), y.Bytes()) {
			t.Errorf("continued from step %d, the run differs", at)
		}
	}
	b := whole.do("fit.checkpoint", M{"id": wf}).(M)["bytes"].(*tensor.Tensor)
	for _, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { b[len(b)-9] ^= 1; return b },
		func([]byte) []byte { return []byte("nothing") },
	} {
		d := damage(bytes.Clone(b.Bytes()))
		whole.fails("format", "fit.restore", M{"id": wf, "bytes": tensor.From(d, len(d))})
	}
	run(whole, wf, 100)
	if w := whole.do("model.weights", M{"id": wm}).(L); len(w) != 8 {
		t.Errorf("%d weights", len(w))
	}
}

// Two inputs, two outputs, regression and a binary label.
func TestFunctional(t *testing.T) {
	c := newClient(t, M{"seed": 9})
	rng := random.New(3, 0)
	const n = 400
	a, b := tensor.New(tensor.Float32, n, 2), tensor.New(tensor.Float32, n, 3)
	y1, y2 := tensor.New(tensor.Float32, n), tensor.New(tensor.Int32, n)
	for i := range n {
		s := float32(0)
		for k := range 2 {
			a.Float32s()[i*2+k] = float32(rng.Normal())
			s += a.Float32s()[i*2+k]
		}
		for k := range 3 {
			b.Float32s()[i*3+k] = float32(rng.Normal())
		}
		s -= b.Float32s()[i*3]
		y1.Float32s()[i] = s
		if s > 0 {
			tensor.Data[int32](y2)[i] = 1
		}
	}
	m := c.model(M{"kind": "functional", "layers": L{
		M{"kind": "inputLayer", "name": "a", "config": M{"shape": L{2}}}, M{"kind": "inputLayer", "name": "b", "config": M{"shape": L{3}}},
		M{"kind": "dense", "name": "da", "config": M{"units": 8, "activation": "tanh"}, "inbound": L{L{"a"}}},
		M{"kind": "dense", "name": "db", "config": M{"units": 8, "activation": "tanh"}, "inbound": L{L{"b"}}},
		M{"kind": "concatenate", "name": "both", "inbound": L{L{"da", "db"}}},
		M{"kind": "dense", "name": "value", "config": M{"units": 1}, "inbound": L{L{"both"}}},
		M{"kind": "dense", "name": "sign", "config": M{"units": 1, "activation": "sigmoid"}, "inbound": L{L{"both"}}},
	}, "inputs": L{"a", "b"}, "outputs": L{"value", "sign"}})
	c.do("model.compile", M{"id": m, "optimizer": M{"name": "adam", "learningRate": 0.02}, "loss": L{"meanSquaredError", "binaryCrossentropy"}, "metrics": L{L{"mae"}, L{"accuracy", "auc", "precision", "recall"}}})
	ids := L{c.tensor(a), c.tensor(b)}
	labels := L{c.tensor(y1), c.tensor(y2)}
	_, epochs := c.fit(M{"model": m, "x": ids, "y": labels, "epochs": 20, "batchSize": 20, "validationSplit": 0.2})
	last := epochs[19]
	t.Logf("%v", last)
	if last["valValueLoss"].(float64) > 0.2 || last["valSignAccuracy"].(float64) < 0.9 || last["signAuc"].(float64) < 0.95 || last["valueMae"].(float64) > 0.4 {
		t.Errorf("%v", last)
	}
	out := c.do("model.predict", M{"id": m, "in": ids}).(M)["outputs"].(L)
	if len(out) != 2 || !tensor.SameShape(out[0].(*tensor.Tensor).Shape(), []int{n, 1}) {
		t.Errorf("%d outputs", len(out))
	}
	res := c.do("model.evaluate", M{"id": m, "in": ids, "labels": labels}).(M)
	if res["metrics"].(M)["signAccuracy"].(float64) < 0.9 {
		t.Errorf("%v", res)
	}
	one := c.do("model.trainOnBatch", M{"id": m, "x": ids, "y": labels}).(M)
	if math.IsNaN(one["loss"].(float64)) {
		t.Errorf("%v", one)
	}
}

func TestStream(t *testing.T) {
	c := newClient(t, nil)
	m := c.model(M{"kind": "sequential", "layers": L{M{"kind": "dense", "config": M{"units": 1, "inputShape": L{1}}}}})
	c.do("model.compile", M{"id": m, "optimizer": M{"name": "sgd", "learningRate": 0.1}, "loss": "meanSquaredError"})
	f := c.id()
	c.do("fit.start", M{"id": f, "model": m, "stream": true, "epochs": 2, "stepsPerEpoch": 50})
	var last float64
	for epoch := range 2 {
		for i := range 50 {
			v := float32(i%5)/2 - 1
			ev := c.do("fit.feed", M{"id": f, "x": floats([]float32{v, -v}, 2, 1), "y": floats([]float32{3*v + 1, -3*v + 1}, 2)}).(M)["events"].(L)
			last = ev[len(ev)-1].(M)["loss"].(float64)
		}
		r := c.do("fit.epochEnd", M{"id": f}).(M)
		if r["complete"] != true || (r["done"] == true) != (epoch == 1) {
			t.Errorf("%v", r)
		}
	}
	if last > 1e-3 {
		t.Errorf("the loss is %v", last)
	}
	c.fails("state", "fit.feed", M{"id": f, "x": floats([]float32{1}, 1, 1), "y": floats([]float32{1}, 1)})
}

func TestMistakes(t *testing.T) {
	c := newClient(t, nil)
	m := c.model(article())
	x := tensor.New(tensor.Float32, 4, 28, 28, 1)
	c.fails("state", "fit.start", M{"id": c.id(), "model": m, "x": c.tensor(x), "y": c.tensor(tensor.From([]int32{1, 2, 3, 4}, 4))})
	c.do("model.compile", M{"id": m, "optimizer": "adam", "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}, "metrics": L{"accuracy"}})
	start := func(x, y *tensor.Tensor) M { return M{"id": c.id(), "model": m, "x": c.tensor(x), "y": c.tensor(y)} }
	if msg := c.fails("label", "fit.start", start(x, tensor.From([]int32{1, 2, 10, 4}, 4))); !strings.Contains(msg, "label 2 is 10") {
		t.Error(msg)
	}
	c.fails("label", "fit.start", start(x, floats([]float32{1, 2, 1.5, 4}, 4)))
	c.fails("shape", "fit.start", start(x, tensor.From([]int32{1, 2, 3}, 3)))
	c.fails("shape", "fit.start", start(tensor.New(tensor.Float32, 4, 20, 20, 1), tensor.From([]int32{1, 2, 3, 4}, 4)))
	bad := x.Clone()
	bad.Float32s()[2*784+5] = float32(math.NaN())
	if msg := c.fails("nan", "fit.start", start(bad, tensor.From([]int32{1, 2, 3, 4}, 4))); !strings.Contains(msg, "5 of sample 2") {
		t.Error(msg)
	}
	c.fails("nan", "model.predict", M{"id": m, "in": bad})
	c.fails("argument", "model.compile", M{"id": m, "optimizer": "adamax", "loss": "meanSquaredError"})
	c.fails("argument", "model.compile", M{"id": m, "optimizer": "adam", "loss": "foo"})
	msg := c.fails("shape", "model.new", M{"id": c.id(), "kind": "sequential", "layers": L{M{"kind": "conv2d", "name": "c1", "config": M{"filters": 2, "kernelSize": 9, "inputShape": L{5, 5, 1}}}}})
	if !strings.Contains(msg, "c1") {
		t.Error(msg)
	}
	c.fails("argument", "model.new", M{"id": c.id(), "kind": "sequential", "layers": L{M{"kind": "convLSTM2d"}}})
	c.fails("format", "model.load", M{"id": c.id(), "bytes": tensor.From([]byte("this is no model"), 16)})
	// A training that blows up says so, and the runtime lives on.
	c.do("model.compile", M{"id": m, "optimizer": M{"name": "sgd", "learningRate": 1e30}, "loss": M{"name": "sparseCategoricalCrossentropy", "fromLogits": true}})
	f := c.id()
	c.do("fit.start", M{"id": f, "model": m, "x": c.digits(1, 320, false), "epochs": 5})
	c.fails("nan", "fit.run", M{"id": f, "budget": 1e6})
	c.do("model.predict", M{"id": m, "in": x})
	if n := c.do("dataset.get", M{"id": c.digits(1, 10, false), "from": 3, "count": 2}).(M)["y"].(*tensor.Tensor); tensor.Data[int32](n)[0] != 3 {
		t.Error("digits are not in order")
	}
}
