// Package ort runs models in onnxruntime, the oracle that tests compare Weft's files and results with. It needs node and
// the pinned packages of this folder: npm ci --ignore-scripts.
package ort

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/weft-ml/weft/core/tensor"
	"github.com/weft-ml/weft/internal/require"
)

// Named is an input or output.
type Named struct {
	Name  string
	Value *tensor.Tensor
}

type wireTensor struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Shape []int  `json:"shape"`
	Data  []byte `json:"data"`
}

// Require skips the test when onnxruntime is not installed, or fails it when WEFT_REQUIRE names "ort".
func Require(t testing.TB) (node, dir string) {
	t.Helper()
	node = require.Tool(t, "ort", "node")
	dir = filepath.Join(require.Root(t), "internal", "ort")
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "onnxruntime-node")); err != nil {
		require.Missing(t, "ort", "onnxruntime-node is not installed; run npm ci --ignore-scripts in internal/ort")
	}
	return node, dir
}

// Run evaluates the model file on the inputs and returns its outputs in order. An error of onnxruntime fails the test.
func Run(t testing.TB, model []byte, inputs ...Named) []Named {
	t.Helper()
	node, dir := Require(t)
	file := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(file, model, 0o600); err != nil {
		t.Fatal(err)
	}
	in := struct {
		Model  string       `json:"model"`
		Inputs []wireTensor `json:"inputs"`
	}{Model: file, Inputs: []wireTensor{}}
	for _, n := range inputs {
		v := n.Value.Contiguous()
		in.Inputs = append(in.Inputs, wireTensor{n.Name, v.DType().String(), append([]int{}, v.Shape()...), v.Bytes()})
	}
	req, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, filepath.Join(dir, "run.mjs"))
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(req)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	res, err := cmd.Output()
	if err != nil {
		t.Fatalf("onnxruntime: %v: %s", err, stderr.Bytes())
	}
	var out struct {
		Error   string       `json:"error"`
		Outputs []wireTensor `json:"outputs"`
	}
	if err := json.Unmarshal(res, &out); err != nil {
		t.Fatalf("onnxruntime: %v: %.200s", err, res)
	}
	if out.Error != "" {
		t.Fatalf("onnxruntime: %s", out.Error)
	}
	var named []Named
	for _, o := range out.Outputs {
		d, ok := tensor.ParseDType(o.Type)
		if !ok {
			t.Fatalf("onnxruntime: output %q is of type %s", o.Name, o.Type)
		}
		v := tensor.New(d, o.Shape...)
		copy(v.Bytes(), o.Data)
		named = append(named, Named{o.Name, v})
	}
	return named
}
