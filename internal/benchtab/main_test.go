package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	list   = `{"sgemm":[[64,64,64]],"conv":[{"name":"c","n":1,"h":8,"w":8,"cin":4,"k":3,"cout":4,"pad":1,"groups":1}],"lenet":["lenet/infer_b1"],"lstm":["lstm/fwd"]}`
	round1 = `{"peer":"weft-1t","env":"native","info":{"version":"1"}}
{"peer":"weft-1t","env":"native","w":"sgemm/64x64x64","ms_min":0.005,"ms_med":0.006,"n":15}
{"peer":"torch-1t","env":"native","w":"sgemm/64x64x64","ms_min":0.01,"ms_med":0.02}
{"peer":"ort-node-1t","env":"native","w":"sgemm/64x64x64","ms_min":0.0075,"ms_med":0.02}
{"peer":"weft-1t","env":"native","w":"lenet/infer_b1","skip":"why not"}
a line of something else
`
	round2 = `{"peer":"weft-1t","env":"native","w":"sgemm/64x64x64","ms_min":0.0052432,"ms_med":0.008}
{"peer":"weft-2t","env":"native","w":"sgemm/64x64x64","ms_min":0.004,"ms_med":0.004}
{"peer":"weft-web-1t","env":"chromium","w":"lenet/infer_b1","ms_min":0.0201,"ms_med":1234}
`
)

func TestTables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	w, a, b := write("w.json", list), write("1.jsonl", round1), write("2.jsonl", round2)
	var out, errs strings.Builder
	if code := run([]string{"-workloads", w, a, b}, &out, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	for _, want := range []string{
		"native, one thread", "| ms, best / median | weft | ort-node | torch | GFLOP/s | ahead |", "| sgemm/64x64x64 | 0.005 / 0.007 | 0.0075 / 0.02 | 0.01 / 0.02 | 104.9 | 1.50 |",
		"native, 2 threads", "| sgemm/64x64x64 | 0.004 / 0.004 | 131.1 | - | 1.25 |", "| lenet/infer_b1 | 0.0201 / 1234 | - | - |",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "lstm") {
		t.Error("a workload that nobody ran has a row")
	}
	doc := write("doc.md", "# A\n<!-- table native 1 -->\nold\n<!-- end -->\nB\n<!-- table node 1 -->\nkept\n<!-- end -->\n")
	for range 2 { // filling in again changes nothing
		if code := run([]string{"-workloads", w, "-update", doc, a, b}, &out, &errs); code != 0 {
			t.Fatal(errs.String())
		}
		text, _ := os.ReadFile(doc)
		if s := string(text); strings.Contains(s, "old") || !strings.Contains(s, "0.005 / 0.007") || !strings.HasSuffix(s, "<!-- end -->\nB\n<!-- table node 1 -->\nkept\n<!-- end -->\n") {
			t.Errorf("%s", s)
		}
	}
	bad := write("bad.md", "<!-- table native 1 -->\nno end")
	for _, args := range [][]string{{"-workloads", w, "-update", bad, a}, {"-workloads", "none.json"}, {"-workloads", w, write("x.jsonl", "{broken")}, {"-workloads", w, "none.jsonl"}} {
		if run(args, &out, &errs) != 1 {
			t.Errorf("%v: no error", args)
		}
	}
}
