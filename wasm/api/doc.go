// Package api answers what JavaScript asks of Weft: one synchronous call, a request of bytes in, a response of bytes out.
//
// It is plain Go without syscall/js: wasm/weft exports it to the page, native tests and fuzzers call it directly. A [Server]
// holds tensors, functions, models, fits and data sets under ids that the caller chooses. Nothing waits and nothing starts a
// goroutine: work that may take long is cut into slices by a time budget, and the caller comes back for the next one.
//
// The binding holds no mathematics: layers are core/nn/keras, training is core/train.
package api
