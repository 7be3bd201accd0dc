package main

import (
	"log"
	"net/http"
	"runtime/debug"
	"syscall/js"

	"github.com/syumai/workers"
)

// heap is where Go's collector begins to work harder, in bytes: the platform gives an isolate 128 MB, for JavaScript and compiled code too.
const heap = 48 << 20

func main() {
	debug.SetMemoryLimit(heap)
	log.SetFlags(0)
	handler, err := newHandler()
	if err != nil {
		log.Fatal(err) // seen as the exit of this program, with its text
	}
	binding := js.Global().Get("context").Get("binding")
	binding.Set("maxBody", maxBody)
	workers.ServeNonBlock(bridge{handler, binding})
	workers.Ready()
	select {}
}

// bridge is between the handler and workers' binding, whose body and response are streams of the platform: it takes the body
// that JavaScript has read, and gives back one array.
type bridge struct {
	handler http.Handler
	binding js.Value
}

func (b bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Nothing ran between the call from JavaScript and this line, so the body is that of this request.
	var body []byte
	if array := b.binding.Get("body"); array.Truthy() {
		body = make([]byte, array.Length())
		js.CopyBytesToGo(body, array)
	}
	a := answer(b.handler, complete(r, body))
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	array := js.Global().Get("Uint8Array").New(a.body.Len())
	js.CopyBytesToJS(array, a.body.Bytes())
	// A body given this way is passed on as it is; what is written to w would become a stream whose end ends the program's service.
	w.(interface{ WriteRawJSBody(js.Value) }).WriteRawJSBody(array)
}
