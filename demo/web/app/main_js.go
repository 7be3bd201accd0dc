// Command app is the Go program of the page. The page's worker has instantiated the kernel module on this program's
// memory; the program compares the kernels with the plain Go loops, bit by bit, and measures both.
//
// It talks to the page by messages: objects with a field "type" (start, check, rate, done, error).
package main

import (
	"syscall/js"

	"github.com/weft-ml/weft/simd"
	"github.com/weft-ml/weft/wasm/kernels"
)

func main() {
	// The worker says which kernel module it chose: "relaxed", "simd128" or "none".
	name := js.Global().Get("weftKernels").String()
	requests := make(chan struct{}, 1)
	js.Global().Set("weftMeasure", js.FuncOf(func(js.Value, []js.Value) any {
		select {
		case requests <- struct{}{}:
		default: // one measurement waits already
		}
		return nil
	}))
	for {
		measure(name)
		<-requests
	}
}

func post(kind string, fields map[string]any) {
	fields["type"] = kind
	js.Global().Call("postMessage", fields)
}

// measure sends one whole set of results.
func measure(name string) {
	available := name != "none"
	oracle := "generic-muladd"
	if available && kernels.Fused() {
		oracle = "generic"
	}
	if err := simd.Use(oracle); err != nil {
		post("error", map[string]any{"message": err.Error()})
		return
	}
	post("start", map[string]any{"kernels": name, "class": simd.Current().Class.String(), "checks": len(checks)})
	if available {
		for _, c := range checks {
			post("check", map[string]any{"m": c.m, "n": c.n, "k": c.k, "equal": c.run()})
		}
		for _, n := range kernelSizes {
			post("rate", map[string]any{"what": "kernel", "size": n, "gflops": kernelRate(n)})
		}
	}
	if err := simd.Use("generic-muladd"); err != nil { // the loops that run where there is no SIMD
		post("error", map[string]any{"message": err.Error()})
		return
	}
	for _, n := range loopSizes {
		post("rate", map[string]any{"what": "go", "size": n, "gflops": loopRate(n)})
	}
	post("done", map[string]any{})
}
